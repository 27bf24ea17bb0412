// SPDX-License-Identifier: Apache-2.0

/// Writes YAML in block style that reads back as the same value, by readers of YAML 1.2 and of 1.1.
///
/// Text is written plain where no reader can take it for something else, as a literal block (`|`) where it has several
/// lines, else in double quotes.
///
///     YAMLWriter().write(["on": "no", "text": "a\nb\n"])
///     // "on": "no"
///     // text: |
///     //   a
///     //   b
public struct YAMLWriter: Sendable {
    /// Spaces per level, 2 to 9.
    public var indent: Int

    public init(indent: Int = 2) { self.indent = min(max(indent, 2), 9) }

    /// The value as one YAML document with a line end at its end.
    public func write(_ value: JSONValue) -> String {
        var output = Output(indent: indent)
        output.root(value)
        return output.text
    }

    /// The node's value as one YAML document with a line end at its end; of duplicate keys the last counts.
    public func write(_ node: Node) -> String { write(node.value) }

    private struct Output {
        let indent: Int
        var text = ""

        init(indent: Int) { self.indent = indent }

        mutating func root(_ value: JSONValue) {
            switch value {
            case .array(let items) where !items.isEmpty: sequence(items, level: 0, startsOnLine: true)
            case .object(let object) where !object.isEmpty: mapping(object, level: 0, startsOnLine: true)
            default: inline(value, level: 0)
            }
        }

        private mutating func pad(_ columns: Int) { text += String(repeating: " ", count: columns) }

        /// Writes the items; the first starts on the current line where `startsOnLine`.
        private mutating func sequence(_ items: [JSONValue], level: Int, startsOnLine: Bool) {
            for (index, item) in items.enumerated() {
                if index > 0 || !startsOnLine { pad(level) }
                text += "-"
                switch item {
                case .array(let inner) where !inner.isEmpty:
                    pad(indent - 1)
                    sequence(inner, level: level + indent, startsOnLine: true)
                case .object(let inner) where !inner.isEmpty:
                    pad(indent - 1)
                    mapping(inner, level: level + indent, startsOnLine: true)
                default:
                    text += " "
                    inline(item, level: level + indent)
                }
            }
        }

        private mutating func mapping(_ object: JSONObject, level: Int, startsOnLine: Bool) {
            for (index, member) in object.members.enumerated() {
                if index > 0 || !startsOnLine { pad(level) }
                let key = YAMLText.flow(member.key)
                if key.utf8.count > YAMLText.maximumSimpleKey {
                    text += "? \(key)\n"
                    pad(level)
                } else {
                    text += key
                }
                text += ":"
                switch member.value {
                case .array(let inner) where !inner.isEmpty:
                    text += "\n"
                    sequence(inner, level: level + indent, startsOnLine: false)
                case .object(let inner) where !inner.isEmpty:
                    text += "\n"
                    mapping(inner, level: level + indent, startsOnLine: false)
                default:
                    text += " "
                    inline(member.value, level: level + indent)
                }
            }
        }

        /// Writes a value that does not need lines of its own, and the line end; text may become a block.
        private mutating func inline(_ value: JSONValue, level: Int) {
            switch value {
            case .null: text += "null\n"
            case .bool(let value): text += value ? "true\n" : "false\n"
            case .number(let number): text += number.description + "\n"
            case .array: text += "[]\n"
            case .object: text += "{}\n"
            case .string(let string):
                if YAMLText.fitsBlock(string) {
                    block(string, level: max(level, indent))
                } else {
                    text += YAMLText.flow(string) + "\n"
                }
            }
        }

        private mutating func block(_ string: String, level: Int) {
            var lines = string.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
            var ends = 0
            while lines.last?.isEmpty ?? false {
                lines.removeLast()
                ends += 1
            }
            text += ends == 0 ? "|-\n" : (ends == 1 ? "|\n" : "|+\n")
            for line in lines {
                if !line.isEmpty { pad(level) }
                text += String(Substring(line)) + "\n"
            }
            if ends > 1 { text += String(repeating: "\n", count: ends - 1) }
        }
    }
}

/// The spellings of text in YAML.
enum YAMLText {
    /// Longer keys need the `?` form: readers look for the ':' only so far (1024 characters).
    static let maximumSimpleKey = 900

    /// The text on one line: plain or in double quotes.
    static func flow(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    /// Whether the text, written plain, is that text for every reader.
    static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
        switch first {
        case "-", "?", ":", ",", "[", "]", "{", "}", "#", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`", " ", "=",
            "<",
            "~":
            return false
        case "0"..."9", "+", ".":
            // Numbers, dates and times of any YAML version; words that merely start with a digit are quoted too.
            return false
        default: break
        }
        if last == " " || last == ":" { return false }
        if words.contains(text.lowercased()) { return false }
        var previous: Unicode.Scalar = first
        for scalar in text.unicodeScalars {
            if !isPrintable(scalar) || scalar == "\n" || scalar == "\t" { return false }
            if previous == ":", scalar == " " { return false }
            if previous == " ", scalar == "#" { return false }
            previous = scalar
        }
        return true
    }

    /// Words that some version of YAML reads as null or as a boolean.
    private static let words: Set<String> = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]

    /// Whether a literal block holds the text exactly.
    static func fitsBlock(_ text: String) -> Bool {
        guard text.utf8.contains(0x0A) else { return false }
        // A first line that is empty or starts with a space would need an explicit indentation.
        guard let first = text.unicodeScalars.first, first != " ", first != "\n", first != "\t" else { return false }
        guard text.unicodeScalars.allSatisfy({ isPrintable($0) }) else { return false }
        return text.utf8.split(separator: 0x0A).allSatisfy { line in
            line.contains { $0 != 0x20 && $0 != 0x09 }
        }
    }

    /// Characters that YAML allows unescaped and that no reader takes for a line end; line feed and tab included.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
            0x10000...0x10FFFF:
            true
        default: false
        }
    }

    /// The text in double quotes.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if isPrintable(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    let width = scalar.value < 0x100 ? 2 : 4
                    result += width == 2 ? "\\x" : "\\u"
                    result += String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
                }
            }
        }
        return result + "\""
    }
}
