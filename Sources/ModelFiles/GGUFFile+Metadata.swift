// SPDX-License-Identifier: Apache-2.0

extension GGUFFile {
    /// Whether there is a metadata entry of that name.
    public func has(_ key: String) -> Bool { entries[key] != nil }

    /// The byte offset of an entry's value in the file, or nil if there is none.
    public func offset(of key: String) -> Int? { entries[key]?.range.lowerBound }

    /// The type of an entry as text, such as `array of string`, or nil if there is none.
    public func typeName(of key: String) -> String? { entries[key]?.typeName }

    /// The text of a string entry, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not a string or not UTF-8.
    public func string(_ key: String) throws(ModelFileError) -> String? {
        guard let entry = try scalar(key, "a string", { $0 == .string }) else { return nil }
        guard let text = String(validating: mapping.bytes[entry.range], as: UTF8.self) else {
            throw ModelFileError(
                .malformed, "the text is not valid UTF-8", field: "metadata '\(key)'", offset: entry.range.lowerBound)
        }
        return text
    }

    /// The value of an integer entry of any width, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not an integer that fits `Int`.
    public func int(_ key: String) throws(ModelFileError) -> Int? {
        guard let entry = try scalar(key, "an integer", { $0.isInteger }) else { return nil }
        return try integer(entry, 0, key)
    }

    /// The value of a floating point or integer entry, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not a number, or not finite.
    public func float(_ key: String) throws(ModelFileError) -> Double? {
        guard let entry = try scalar(key, "a number", { $0.isInteger || $0 == .float32 || $0 == .float64 }) else {
            return nil
        }
        let value = try number(entry, 0, key)
        guard value.isFinite else {
            throw ModelFileError(
                .malformed, "the value \(value) is not finite", field: "metadata '\(key)'",
                offset: entry.range.lowerBound)
        }
        return value
    }

    /// The value of a boolean entry, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not a boolean.
    public func bool(_ key: String) throws(ModelFileError) -> Bool? {
        guard let entry = try scalar(key, "a boolean", { $0 == .bool }) else { return nil }
        return mapping.bytes[entry.range.lowerBound] != 0
    }

    /// The number of elements of an array entry, or nil if there is no such entry or it is not an array.
    public func count(_ key: String) -> Int? {
        guard let entry = entries[key], entry.isArray else { return nil }
        return entry.count
    }

    /// The strings of an array entry, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not an array of strings.
    /// - Complexity: O(*n*) in the number of strings; their bytes are not copied.
    public func strings(_ key: String) throws(ModelFileError) -> GGUFStrings? {
        guard let entry = try array(key, "strings", { $0 == .string }) else { return nil }
        let bytes = mapping.bytes
        var starts: [Int] = []
        starts.reserveCapacity(entry.count + 1)
        var offset = entry.range.lowerBound
        // The lengths were checked when the file was opened.
        for _ in 0..<entry.count {
            starts.append(offset + 8)
            offset += 8 + Int(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        }
        starts.append(offset + 8)
        return GGUFStrings(file: mapping, starts: starts)
    }

    /// The values of an array of integers, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not an array of integers that fit `Int`.
    public func ints(_ key: String) throws(ModelFileError) -> [Int]? {
        guard let entry = try array(key, "integers", { $0.isInteger }) else { return nil }
        var result: [Int] = []
        result.reserveCapacity(entry.count)
        for index in 0..<entry.count { result.append(try integer(entry, index, key)) }
        return result
    }

    /// The values of an array of numbers, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not an array of numbers.
    public func floats(_ key: String) throws(ModelFileError) -> [Float]? {
        guard let entry = try array(key, "numbers", { $0.isInteger || $0 == .float32 || $0 == .float64 }) else {
            return nil
        }
        var result: [Float] = []
        result.reserveCapacity(entry.count)
        for index in 0..<entry.count { result.append(Float(try number(entry, index, key))) }
        return result
    }

    /// The values of an array of booleans, or nil if there is none.
    ///
    /// - Throws: ``ModelFileError`` if the entry is not an array of booleans.
    public func bools(_ key: String) throws(ModelFileError) -> [Bool]? {
        guard let entry = try array(key, "booleans", { $0 == .bool }) else { return nil }
        return mapping.bytes[entry.range].map { $0 != 0 }
    }

    private func scalar(
        _ key: String, _ expected: String, _ accepts: (GGUFType) -> Bool
    ) throws(ModelFileError) -> GGUFEntry? {
        guard let entry = entries[key] else { return nil }
        guard !entry.isArray, accepts(entry.type) else { throw mismatch(key, entry, expected) }
        return entry
    }

    private func array(
        _ key: String, _ expected: String, _ accepts: (GGUFType) -> Bool
    ) throws(ModelFileError) -> GGUFEntry? {
        guard let entry = entries[key] else { return nil }
        guard entry.isArray, accepts(entry.type) else { throw mismatch(key, entry, "an array of \(expected)") }
        return entry
    }

    private func mismatch(_ key: String, _ entry: GGUFEntry, _ expected: String) -> ModelFileError {
        ModelFileError(
            .mismatched, "is \(entry.typeName), expected \(expected)", field: "metadata '\(key)'",
            offset: entry.range.lowerBound)
    }

    private func integer(_ entry: GGUFEntry, _ index: Int, _ key: String) throws(ModelFileError) -> Int {
        let offset = entry.range.lowerBound + index * (entry.type.size ?? 0)
        let bytes = mapping.bytes
        let value: Int? =
            switch entry.type {
            case .uint8: Int(bytes[offset])
            case .int8: Int(Int8(bitPattern: bytes[offset]))
            case .uint16: Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
            case .int16: Int(Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
            case .uint32: Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            case .int32: Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            case .uint64:
                Int(exactly: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            case .int64: Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)))
            case .float32, .float64, .bool, .string, .array: nil
            }
        guard let value else {
            throw ModelFileError(
                .malformed, "the value is too large", field: "metadata '\(key)'", offset: offset)
        }
        return value
    }

    private func number(_ entry: GGUFEntry, _ index: Int, _ key: String) throws(ModelFileError) -> Double {
        let offset = entry.range.lowerBound + index * (entry.type.size ?? 0)
        switch entry.type {
        case .float32:
            let bits = UInt32(littleEndian: mapping.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            return Double(Float(bitPattern: bits))
        case .float64:
            let bits = UInt64(littleEndian: mapping.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            return Double(bitPattern: bits)
        default:
            return Double(try integer(entry, index, key))
        }
    }
}
