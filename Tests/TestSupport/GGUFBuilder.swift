// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Writes small GGUF files for tests, also malformed ones.
///
///     var builder = GGUFBuilder()
///     builder.add("general.architecture", .string("llama"))
///     builder.addTensor("token_embd.weight", [64, 96], type: 0, builder.floats(count: 64 * 96))
///     let url = try builder.write()
public struct GGUFBuilder: Sendable {
    /// A metadata value with its GGUF type.
    public enum Value: Sendable {
        case uint8(UInt8)
        case int8(Int8)
        case uint16(UInt16)
        case int16(Int16)
        case uint32(UInt32)
        case int32(Int32)
        case uint64(UInt64)
        case int64(Int64)
        case float32(Float)
        case float64(Double)
        case bool(Bool)
        case string(String)
        case bytes([UInt8])
        case strings([String])
        case int32s([Int32])
        case float32s([Float])
        /// A type number and raw bytes, for values that no valid file holds.
        case raw(type: UInt32, [UInt8])
    }

    /// A tensor as it is written.
    public struct Tensor: Sendable {
        public var name: String
        public var dimensions: [UInt64]
        public var type: UInt32
        public var data: [UInt8]
        /// Written in place of the offset that the data gets.
        public var forcedOffset: UInt64?
    }

    public var magic: [UInt8] = Array("GGUF".utf8)
    public var version: UInt32 = 3
    public var alignment = 32
    public var entries: [(key: String, value: Value)] = []
    public var tensors: [Tensor] = []
    /// Written in place of the true counts.
    public var forcedTensorCount: UInt64?
    public var forcedEntryCount: UInt64?

    public init() {}

    /// Adds a metadata entry.
    public mutating func add(_ key: String, _ value: Value) { entries.append((key, value)) }

    /// Adds a tensor with its data.
    public mutating func addTensor(_ name: String, _ dimensions: [Int], type: UInt32, _ data: [UInt8]) {
        tensors.append(Tensor(name: name, dimensions: dimensions.map(UInt64.init), type: type, data: data))
    }

    /// Adds a tensor of float32 values.
    public mutating func addTensor(_ name: String, _ dimensions: [Int], _ values: [Float]) {
        addTensor(name, dimensions, type: 0, values.flatMap { Self.littleEndian($0.bitPattern) })
    }

    /// The bytes of the file.
    public func bytes() -> [UInt8] {
        var out = magic + Self.littleEndian(version)
        out += Self.littleEndian(forcedTensorCount ?? UInt64(tensors.count))
        out += Self.littleEndian(forcedEntryCount ?? UInt64(entries.count))
        for entry in entries {
            out += Self.text(entry.key)
            let (type, bytes) = Self.encode(entry.value)
            out += Self.littleEndian(type) + bytes
        }
        var offset: UInt64 = 0
        for tensor in tensors {
            out += Self.text(tensor.name) + Self.littleEndian(UInt32(tensor.dimensions.count))
            for dimension in tensor.dimensions { out += Self.littleEndian(dimension) }
            out += Self.littleEndian(tensor.type) + Self.littleEndian(tensor.forcedOffset ?? offset)
            offset += UInt64((tensor.data.count + alignment - 1) / alignment * alignment)
        }
        for tensor in tensors {
            out += [UInt8](repeating: 0, count: (alignment - out.count % alignment) % alignment)
            out += tensor.data
        }
        return out
    }

    /// Writes the file into the temporary folder.
    public func write() throws -> URL { try Self.write(bytes()) }

    /// Writes bytes into a new file in the temporary folder.
    public static func write(_ bytes: [UInt8]) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("formwork-\(UUID().uuidString).gguf")
        try Data(bytes).write(to: url)
        return url
    }

    /// The bytes of an integer, least significant first.
    public static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// A string with its length before it.
    public static func text(_ text: String) -> [UInt8] { littleEndian(UInt64(text.utf8.count)) + Array(text.utf8) }

    private static func encode(_ value: Value) -> (UInt32, [UInt8]) {
        switch value {
        case .uint8(let value): (0, littleEndian(value))
        case .int8(let value): (1, littleEndian(value))
        case .uint16(let value): (2, littleEndian(value))
        case .int16(let value): (3, littleEndian(value))
        case .uint32(let value): (4, littleEndian(value))
        case .int32(let value): (5, littleEndian(value))
        case .float32(let value): (6, littleEndian(value.bitPattern))
        case .bool(let value): (7, [value ? 1 : 0])
        case .string(let value): (8, text(value))
        case .bytes(let value): (8, littleEndian(UInt64(value.count)) + value)
        case .uint64(let value): (10, littleEndian(value))
        case .int64(let value): (11, littleEndian(value))
        case .float64(let value): (12, littleEndian(value.bitPattern))
        case .strings(let values): (9, array(8, values.count) + values.flatMap(text))
        case .int32s(let values): (9, array(5, values.count) + values.flatMap { littleEndian($0) })
        case .float32s(let values): (9, array(6, values.count) + values.flatMap { littleEndian($0.bitPattern) })
        case .raw(let type, let bytes): (type, bytes)
        }
    }

    private static func array(_ type: UInt32, _ count: Int) -> [UInt8] {
        littleEndian(type) + littleEndian(UInt64(count))
    }
}
