// SPDX-License-Identifier: Apache-2.0

/// A metadata value type, by GGUF type number.
public enum GGUFType: UInt32, Hashable, Sendable, CustomStringConvertible {
    case uint8 = 0
    case int8 = 1
    case uint16 = 2
    case int16 = 3
    case uint32 = 4
    case int32 = 5
    case float32 = 6
    case bool = 7
    case string = 8
    case array = 9
    case uint64 = 10
    case int64 = 11
    case float64 = 12

    /// The bytes of one value, or nil for strings and arrays.
    var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }

    /// Whether it is one of the eight integer types.
    var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
        default: false
        }
    }

    /// The name, such as `uint32`.
    public var description: String {
        switch self {
        case .uint8: "uint8"
        case .int8: "int8"
        case .uint16: "uint16"
        case .int16: "int16"
        case .uint32: "uint32"
        case .int32: "int32"
        case .float32: "float32"
        case .bool: "bool"
        case .string: "string"
        case .array: "array"
        case .uint64: "uint64"
        case .int64: "int64"
        case .float64: "float64"
        }
    }
}

/// Where a metadata value lies in the file.
struct GGUFEntry: Sendable {
    /// The type of the value, or of the elements if ``isArray``.
    var type: GGUFType
    var isArray: Bool
    /// One for a scalar.
    var count: Int
    /// The bytes of the value: of a string its text, of an array its elements with their length prefixes.
    var range: Range<Int>

    var typeName: String { isArray ? "array of \(type)" : type.description }
}

/// The strings of a metadata array, as byte ranges into the file.
///
/// No `String` is made per element. The collection keeps the file mapped.
///
///     let tokens = try file.strings("tokenizer.ggml.tokens")
///     let first = tokens?.withBytes(at: 0) { Array($0) }
public struct GGUFStrings: RandomAccessCollection, Sendable {
    let file: MappedFile
    /// Byte offset of each element's text, and one more: the offset after the length prefix that would follow.
    let starts: [Int]

    /// Zero.
    public var startIndex: Int { 0 }
    /// The number of strings.
    public var endIndex: Int { starts.count - 1 }

    /// The bytes of a string, copied.
    public subscript(index: Int) -> [UInt8] { withBytes(at: index) { Array($0) } }

    /// Calls `body` with the bytes of a string, in place.
    public func withBytes<R>(at index: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(rebasing: file.bytes[starts[index]..<starts[index + 1] - 8]))
    }

    /// A string as text; bytes that are not UTF-8 are replaced.
    public func text(at index: Int) -> String { withBytes(at: index) { String(decoding: $0, as: UTF8.self) } }
}
