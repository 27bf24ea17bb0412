// SPDX-License-Identifier: Apache-2.0

public import Documents

/// A place in a schema document.
public struct SchemaLocation: Hashable, Sendable, CustomStringConvertible {
    /// Where it is, seen from the root of the document.
    public var pointer: JSONPointer
    /// The address of the schema resource the place belongs to; empty if the schema has none.
    public var resourceURI: String
    /// Where it is, seen from the root of the resource.
    public var resourcePointer: JSONPointer
    /// Where it is in the source text, if the schema came from a text.
    public var range: SourceRange?

    /// The absolute address: the resource's URI with the pointer as its fragment.
    public var absoluteURI: String { resourceURI + "#" + resourcePointer.description }

    /// The absolute address as a URI: what a fragment cannot hold is percent-encoded.
    ///
    /// Source: RFC 6901, section 6; RFC 3986, section 3.5.
    public var uri: String { resourceURI + "#" + Self.fragment(resourcePointer) }

    /// A pointer as the fragment of a URI.
    static func fragment(_ pointer: JSONPointer) -> String {
        var bytes: [UInt8] = []
        for byte in pointer.description.utf8 {
            let isLetter = (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
            if isLetter || "-._~!$&'()*+,;=:@/?".utf8.contains(byte) {
                bytes.append(byte)
            } else {
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    public var description: String { resourceURI.isEmpty ? "#" + pointer.description : absoluteURI }
}

/// A set of the seven type names of JSON Schema.
public struct TypeSet: OptionSet, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let null = TypeSet(rawValue: 1)
    public static let boolean = TypeSet(rawValue: 2)
    /// Numbers without a fractional part; 1.0 is one.
    public static let integer = TypeSet(rawValue: 4)
    public static let number = TypeSet(rawValue: 8)
    public static let string = TypeSet(rawValue: 16)
    public static let array = TypeSet(rawValue: 32)
    public static let object = TypeSet(rawValue: 64)

    /// Every value.
    public static let all: TypeSet = [.null, .boolean, .integer, .number, .string, .array, .object]

    private static let table: [(name: String, type: TypeSet)] = [
        ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number), ("string", .string),
        ("array", .array), ("object", .object),
    ]

    /// The names the specification knows.
    static let allNames = table.map(\.name)

    /// The type with this name.
    public init?(name: String) {
        guard let entry = Self.table.first(where: { $0.name == name }) else { return nil }
        self = entry.type
    }

    /// The names of the members.
    public var names: [String] { Self.table.filter { contains($0.type) }.map(\.name) }

    public var description: String { names.joined(separator: " or ") }
}
