// SPDX-License-Identifier: Apache-2.0

/// Writes JSON: raw UTF-8, short escapes, the order of members as it is.
///
///     JSONWriter(style: .spaced).write(["a": [1, 2]])  // {"a": [1, 2]}
public struct JSONWriter: Sendable {
    public enum Style: Hashable, Sendable {
        /// No white space.
        case compact
        /// One space after `:` and `,`.
        case spaced
        /// One line for each member and element; empty containers stay on their line.
        case pretty(indent: Int)
    }

    public var style: Style

    public init(style: Style = .compact) { self.style = style }

    /// The value as JSON, without a line end at the end.
    public func write(_ value: JSONValue) -> String {
        var output = Output(style: style)
        output.write(value)
        return output.text
    }

    /// The node's value as JSON; numbers as they were written where that is JSON, duplicate keys as they are.
    public func write(_ node: Node) -> String {
        var output = Output(style: style)
        output.write(node)
        return output.text
    }

    /// A string as a JSON string with its quotes.
    public static func quoted(_ text: String) -> String {
        var output = Output(style: .compact)
        output.write(text)
        return output.text
    }

    private struct Output {
        let style: Style
        var bytes: [UInt8] = []
        var level = 0

        init(style: Style) { self.style = style }

        var text: String { String(decoding: bytes, as: UTF8.self) }

        mutating func write(_ value: JSONValue) {
            switch value {
            case .null: add("null")
            case .bool(let value): add(value ? "true" : "false")
            case .number(let number): bytes.append(contentsOf: number.description.utf8)
            case .string(let string): write(string)
            case .array(let values):
                container(UInt8(ascii: "["), UInt8(ascii: "]"), values.count) { $0.write(values[$1]) }
            case .object(let object):
                container(UInt8(ascii: "{"), UInt8(ascii: "}"), object.count) {
                    $0.write(object.members[$1].key)
                    $0.colon()
                    $0.write(object.members[$1].value)
                }
            }
        }

        mutating func write(_ node: Node) {
            switch node.kind {
            case .null: add("null")
            case .bool: add(node.boolValue == true ? "true" : "false")
            case .number: bytes.append(contentsOf: node.numberJSONText.utf8)
            case .string: write(node.stringValue ?? "")
            case .array:
                let elements = node.elements
                container(UInt8(ascii: "["), UInt8(ascii: "]"), elements.count) { $0.write(elements[$1]) }
            case .object:
                let members = node.members
                container(UInt8(ascii: "{"), UInt8(ascii: "}"), members.count) {
                    $0.write(members[$1].key)
                    $0.colon()
                    $0.write(members[$1].value)
                }
            }
        }

        private mutating func container(
            _ open: UInt8, _ close: UInt8, _ count: Int, _ item: (inout Output, Int) -> Void
        ) {
            bytes.append(open)
            level += 1
            for index in 0..<count {
                if index > 0 {
                    bytes.append(UInt8(ascii: ","))
                    if style == .spaced { bytes.append(0x20) }
                }
                newLine()
                item(&self, index)
            }
            level -= 1
            if count > 0 { newLine() }
            bytes.append(close)
        }

        private mutating func newLine() {
            guard case .pretty(let indent) = style else { return }
            bytes.append(0x0A)
            bytes.append(contentsOf: repeatElement(0x20, count: max(0, indent) * level))
        }

        private mutating func colon() {
            bytes.append(UInt8(ascii: ":"))
            if style != .compact { bytes.append(0x20) }
        }

        private mutating func add(_ word: StaticString) {
            bytes.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        }

        mutating func write(_ string: String) {
            var copy = string
            bytes.append(UInt8(ascii: "\""))
            copy.withUTF8 { utf8 in
                var plain = 0
                for at in 0..<utf8.count {
                    let byte = utf8[at]
                    guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
                    bytes.append(contentsOf: utf8[plain..<at])
                    plain = at + 1
                    bytes.append(UInt8(ascii: "\\"))
                    switch byte {
                    case 0x22, 0x5C: bytes.append(byte)
                    case 0x08: bytes.append(UInt8(ascii: "b"))
                    case 0x09: bytes.append(UInt8(ascii: "t"))
                    case 0x0A: bytes.append(UInt8(ascii: "n"))
                    case 0x0C: bytes.append(UInt8(ascii: "f"))
                    case 0x0D: bytes.append(UInt8(ascii: "r"))
                    default:
                        let digits = Array("0123456789abcdef".utf8)
                        bytes.append(contentsOf: "u00".utf8)
                        bytes.append(digits[Int(byte >> 4)])
                        bytes.append(digits[Int(byte & 15)])
                    }
                }
                bytes.append(contentsOf: utf8[plain...])
            }
            bytes.append(UInt8(ascii: "\""))
        }
    }
}
