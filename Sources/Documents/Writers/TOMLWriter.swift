// SPDX-License-Identifier: Apache-2.0

/// Writes TOML 1.0 that reads back as the same value.
///
/// Tables get headers, arrays of tables `[[headers]]`; what is inside of other arrays is written inline. The members
/// of an object that are no tables come before those that are. Integers that need more than 64 bits become floats.
/// TOML has no null, and its documents are objects: other values are refused.
///
///     try TOMLWriter().write(["name": "x", "server": ["port": 80]])
///     // name = "x"
///     //
///     // [server]
///     // port = 80
public struct TOMLWriter: Sendable {
    public init() {}

    /// The value as a TOML document with a line end at its end; nothing for an empty object.
    ///
    /// - Throws: ``DiagnosticsError`` with `toml.null` for each null (up to 20), or `toml.root`.
    public func write(_ value: JSONValue) throws(DiagnosticsError) -> String {
        guard case .object(let object) = value else {
            throw DiagnosticsError([
                Diagnostic(
                    "toml.root", "a TOML document is an object", help: "write the value as a member of an object")
            ])
        }
        var nulls: [JSONPointer] = []
        Self.findNulls(value, .root, &nulls)
        guard nulls.isEmpty else {
            throw DiagnosticsError(
                nulls.map { Diagnostic("toml.null", "TOML has no null", path: $0, help: "leave the member out") })
        }
        var output = Output()
        output.table(object, path: [])
        return output.text
    }

    private static func findNulls(_ value: JSONValue, _ place: JSONPointer, _ found: inout [JSONPointer]) {
        guard found.count < 20 else { return }
        switch value {
        case .null: found.append(place)
        case .array(let values):
            for (index, value) in values.enumerated() { findNulls(value, place.appending(index), &found) }
        case .object(let object):
            for member in object.members { findNulls(member.value, place.appending(member.key), &found) }
        case .bool, .number, .string: break
        }
    }

    private struct Output {
        var text = ""

        /// Writes the members of a table whose header has been written.
        mutating func table(_ object: JSONObject, path: [String]) {
            for member in object.members where !Self.hasHeader(member.value) {
                text += Self.key(member.key) + " = "
                value(member.value)
                text += "\n"
            }
            for member in object.members where Self.hasHeader(member.value) {
                let path = path + [Self.key(member.key)]
                switch member.value {
                case .object(let inner):
                    // Tables that only lead to others exist because of those.
                    if inner.isEmpty || inner.members.contains(where: { !Self.hasHeader($0.value) }) {
                        header("[", path, "]")
                    }
                    table(inner, path: path)
                case .array(let elements):
                    for case .object(let element) in elements {
                        header("[[", path, "]]")
                        table(element, path: path)
                    }
                case .null, .bool, .number, .string: break
                }
            }
        }

        private mutating func header(_ open: String, _ path: [String], _ close: String) {
            if !text.isEmpty { text += "\n" }
            text += open + path.joined(separator: ".") + close + "\n"
        }

        /// Whether the value of a member is a table, or an array of nothing but tables.
        private static func hasHeader(_ value: JSONValue) -> Bool {
            switch value {
            case .object: true
            case .array(let elements):
                !elements.isEmpty
                    && elements.allSatisfy {
                        if case .object = $0 { true } else { false }
                    }
            case .null, .bool, .number, .string: false
            }
        }

        mutating func inline(_ value: JSONValue) { self.value(value, isInline: true) }

        /// Writes a value behind its key, on one line but for text.
        private mutating func value(_ value: JSONValue, isInline: Bool = false) {
            switch value {
            case .null: break
            case .bool(let value): text += value ? "true" : "false"
            case .number(let number): text += Self.number(number)
            case .string(let string): text += isInline ? Self.quoted(string) : Self.string(string)
            case .array(let elements):
                text += "["
                for (index, element) in elements.enumerated() {
                    if index > 0 { text += ", " }
                    self.value(element, isInline: true)
                }
                text += "]"
            case .object(let object):
                text += object.isEmpty ? "{" : "{ "
                for (index, member) in object.members.enumerated() {
                    if index > 0 { text += ", " }
                    text += Self.key(member.key) + " = "
                    self.value(member.value, isInline: true)
                }
                text += object.isEmpty ? "}" : " }"
            }
        }

        private static func number(_ number: DecimalNumber) -> String {
            let text = number.description
            let isDigits = text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0 &- 0x30 < 10 }
            return isDigits && Int64(text) == nil ? text + ".0" : text
        }

        static func key(_ key: String) -> String {
            let isBare = key.utf8.allSatisfy { byte in
                byte &- 0x30 < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
            return isBare && !key.isEmpty ? key : quoted(key)
        }

        /// Text with line ends gets lines of its own.
        private static func string(_ string: String) -> String {
            string.utf8.contains(0x0A) ? "\"\"\"\n" + escaped(string, isMultiline: true) + "\"\"\"" : quoted(string)
        }

        private static func quoted(_ string: String) -> String { "\"" + escaped(string, isMultiline: false) + "\"" }

        private static func escaped(_ string: String, isMultiline: Bool) -> String {
            var result = ""
            var quotes = 0
            for scalar in string.unicodeScalars {
                // Of quotes in a row each second one is escaped, so that three never end the text.
                quotes = scalar == "\"" ? quotes + 1 : 0
                switch scalar {
                case "\"": result += isMultiline && quotes % 2 == 1 ? "\"" : "\\\""
                case "\\": result += "\\\\"
                case "\n": result += isMultiline ? "\n" : "\\n"
                case "\r": result += "\\r"
                case "\t": result += "\\t"
                default:
                    if scalar.value < 0x20 || scalar.value == 0x7F {
                        let digits = String(scalar.value, radix: 16, uppercase: true)
                        result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                    } else {
                        result.unicodeScalars.append(scalar)
                    }
                }
            }
            // A quote at the end must not touch the closing ones.
            if isMultiline, quotes % 2 == 1 {
                result.unicodeScalars.removeLast()
                result += "\\\""
            }
            return result
        }
    }

    /// A key as it is written.
    static func key(_ key: String) -> String { Output.key(key) }

    /// A value without null on one line.
    static func inline(_ value: JSONValue) -> String {
        var output = Output()
        output.inline(value)
        return output.text
    }
}
