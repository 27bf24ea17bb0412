// SPDX-License-Identifier: Apache-2.0

/// A path into a JSON value (RFC 6901).
///
///     let pointer = JSONPointer(parsing: "/items/0/a~1b")  // tokens: items, 0, a/b
public struct JSONPointer: Sendable, CustomStringConvertible {
    /// The unescaped reference tokens.
    public var tokens: [String]

    /// The pointer to the whole value.
    public static let root = JSONPointer([])

    public init(_ tokens: [String] = []) { self.tokens = tokens }

    /// Reads the written form: empty, or tokens that each start with `/`; nil for anything else.
    public init?(parsing text: String) {
        guard !text.isEmpty else {
            self.init()
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let token = Self.unescape(part) else { return nil }
            tokens.append(token)
        }
        self.init(tokens)
    }

    /// Reads the form used in URI fragments, in which bytes may be percent-encoded; without the leading `#`.
    public init?(fragment: String) {
        guard let text = Self.percentDecoded(fragment) else { return nil }
        self.init(parsing: text)
    }

    /// The pointer to a member of what this points to.
    public func appending(_ key: String) -> JSONPointer { JSONPointer(tokens + [key]) }
    /// The pointer to an element of what this points to.
    public func appending(_ index: Int) -> JSONPointer { JSONPointer(tokens + [String(index)]) }
    /// The pointer that continues with another's tokens.
    public func appending(_ other: JSONPointer) -> JSONPointer { JSONPointer(tokens + other.tokens) }
    /// The pointer without its last token; nil for the root.
    public var parent: JSONPointer? { tokens.isEmpty ? nil : JSONPointer(Array(tokens.dropLast())) }

    /// The node that the pointer names below `node`, or nil.
    public func evaluate(_ node: Node) -> Node? {
        var current = node
        for token in tokens {
            switch current.kind {
            case .object:
                guard let next = current[token] else { return nil }
                current = next
            case .array:
                guard let index = Self.index(token), index < current.count else { return nil }
                current = current.elements[index]
            default: return nil
            }
        }
        return current
    }

    /// The value that the pointer names in `value`, or nil.
    public func evaluate(_ value: JSONValue) -> JSONValue? {
        var current = value
        for token in tokens {
            switch current {
            case .object(let object):
                guard let next = object[token] else { return nil }
                current = next
            case .array(let array):
                guard let index = Self.index(token), index < array.count else { return nil }
                current = array[index]
            default: return nil
            }
        }
        return current
    }

    /// The escaped form.
    public var description: String {
        var text = ""
        for token in tokens {
            text += "/"
            for scalar in token.unicodeScalars {
                switch scalar {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
        return text
    }

    /// An array index: decimal digits without a leading zero.
    static func index(_ token: String) -> Int? {
        let digits = token.utf8
        guard let first = digits.first, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        guard first != 0x30 || digits.count == 1 else { return nil }
        return Int(token)
    }

    private static func unescape(_ part: some Sequence<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var tilde = false
        for byte in part {
            if tilde {
                switch byte {
                case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
                default: return nil
                }
                tilde = false
            } else if byte == UInt8(ascii: "~") {
                tilde = true
            } else {
                bytes.append(byte)
            }
        }
        return tilde ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private static func percentDecoded(_ text: String) -> String? {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension JSONPointer: Hashable {
    public static func == (a: JSONPointer, b: JSONPointer) -> Bool {
        a.tokens.count == b.tokens.count && zip(a.tokens, b.tokens).allSatisfy { ScalarText.equal($0, $1) }
    }

    public func hash(into hasher: inout Hasher) {
        for token in tokens { ScalarText.hash(token, into: &hasher) }
    }
}
