// SPDX-License-Identifier: Apache-2.0

/// Walks the header of a GGUF file with every step checked.
struct GGUFParser {
    var cursor: GGUFCursor
    var version = 0
    var alignment = 32
    var keys: [String] = []
    var entries: [String: GGUFEntry] = [:]
    var tensors: [TensorInfo] = []
    var tensorIndex: [String: Int] = [:]

    /// The longest key or tensor name that is accepted, in bytes.
    static let longestName = 65_535

    init(bytes: UnsafeRawBufferPointer) { cursor = GGUFCursor(bytes: bytes) }

    mutating func parse() throws(ModelFileError) {
        let magic = try cursor.uint32("magic")
        guard magic == 0x4655_4747 else {
            throw ModelFileError(.notGGUF, "the file does not start with 'GGUF'", field: "magic", offset: 0)
        }
        let rawVersion = try cursor.uint32("version")
        guard rawVersion == 2 || rawVersion == 3 else {
            let swapped = rawVersion.byteSwapped
            let message =
                swapped == 2 || swapped == 3
                ? "the file is big-endian; only little-endian files are read"
                : "version \(rawVersion) is not read; versions 2 and 3 are"
            throw ModelFileError(.notGGUF, message, field: "version", offset: 4)
        }
        version = Int(rawVersion)
        // The smallest tensor entry: name of one byte, one dimension, type, offset. The smallest metadata entry: key
        // of one byte, type, value of one byte.
        let tensorCount = try cursor.count("tensor count", smallestElement: 33)
        let entryCount = try cursor.count("metadata count", smallestElement: 14)
        keys.reserveCapacity(entryCount)
        entries.reserveCapacity(entryCount)
        for index in 0..<entryCount { try parseEntry(index) }
        try readAlignment()
        try parseTensors(tensorCount)
    }

    private mutating func parseEntry(_ index: Int) throws(ModelFileError) {
        let start = cursor.offset
        let key = try name("metadata key \(index)")
        let field = "metadata '\(key)'"
        let type = try valueType(field)
        let entry: GGUFEntry
        switch type {
        case .array:
            let element = try valueType(field + " element type")
            guard element != .array else {
                throw ModelFileError(
                    .malformed, "arrays of arrays are not read", field: field, offset: cursor.offset - 4)
            }
            let count = try cursor.count(field + " array count", smallestElement: element.size ?? 8)
            let first = cursor.offset
            if let size = element.size {
                // `count` elements of that size were checked to fit.
                try cursor.skip(count * size, field)
                if element == .bool { try checkBooleans(first..<cursor.offset, field) }
            } else {
                for position in 0..<count { _ = try cursor.string { "\(field) element \(position)" } }
            }
            entry = GGUFEntry(type: element, isArray: true, count: count, range: first..<cursor.offset)
        case .string:
            entry = GGUFEntry(type: type, isArray: false, count: 1, range: try cursor.string { field })
        default:
            let first = cursor.offset
            try cursor.skip(type.size ?? 0, field)
            if type == .bool { try checkBooleans(first..<cursor.offset, field) }
            entry = GGUFEntry(type: type, isArray: false, count: 1, range: first..<cursor.offset)
        }
        guard entries.updateValue(entry, forKey: key) == nil else {
            throw ModelFileError(.malformed, "the key occurs twice", field: field, offset: start)
        }
        keys.append(key)
    }

    private func checkBooleans(_ range: Range<Int>, _ field: String) throws(ModelFileError) {
        guard let bad = cursor.bytes[range].firstIndex(where: { $0 > 1 }) else { return }
        throw ModelFileError(
            .malformed, "a boolean has the value \(cursor.bytes[bad])", field: field, offset: bad)
    }

    private mutating func valueType(_ field: String) throws(ModelFileError) -> GGUFType {
        let offset = cursor.offset
        let raw = try cursor.uint32(field + " type")
        guard let type = GGUFType(rawValue: raw) else {
            throw ModelFileError(.malformed, "\(raw) is not a value type", field: field, offset: offset)
        }
        return type
    }

    private mutating func name(_ field: String) throws(ModelFileError) -> String {
        let start = cursor.offset
        let range = try cursor.string { field }
        guard !range.isEmpty, range.count <= Self.longestName else {
            throw ModelFileError(
                .malformed, "a name of \(range.count) bytes; 1 to \(Self.longestName) are accepted", field: field,
                offset: start)
        }
        guard let text = String(validating: cursor.bytes[range], as: UTF8.self) else {
            throw ModelFileError(.malformed, "the name is not valid UTF-8", field: field, offset: start)
        }
        return text
    }

    private mutating func readAlignment() throws(ModelFileError) {
        guard let entry = entries["general.alignment"] else { return }
        let offset = entry.range.lowerBound
        guard !entry.isArray, entry.type == .uint32 else {
            throw ModelFileError(
                .malformed, "is \(entry.typeName), expected uint32", field: "metadata 'general.alignment'",
                offset: offset)
        }
        let value = UInt32(littleEndian: cursor.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        guard value.nonzeroBitCount == 1, value <= 1 << 20 else {
            throw ModelFileError(
                .malformed, "\(value) is not a power of two up to \(1 << 20)", field: "metadata 'general.alignment'",
                offset: offset)
        }
        alignment = Int(value)
    }

    private mutating func parseTensors(_ count: Int) throws(ModelFileError) {
        struct Entry {
            var name: String
            var dimensions: [Int]
            var format: WeightFormat
            var byteCount: Int
            var relativeOffset: UInt64
            var position: Int
        }
        var list: [Entry] = []
        list.reserveCapacity(count)
        for index in 0..<count {
            let start = cursor.offset
            let name = try name("tensor \(index) name")
            let field = "tensor '\(name)'"
            guard tensorIndex.updateValue(index, forKey: name) == nil else {
                throw ModelFileError(.malformed, "the tensor occurs twice", field: field, offset: start)
            }
            let dimensionOffset = cursor.offset
            let dimensionCount = try cursor.uint32(field + " dimension count")
            guard (1...4).contains(dimensionCount) else {
                throw ModelFileError(
                    .malformed, "\(dimensionCount) dimensions; 1 to 4 are accepted", field: field,
                    offset: dimensionOffset)
            }
            var dimensions: [Int] = []
            var elements = 1
            for axis in 0..<dimensionCount {
                let offset = cursor.offset
                let raw = try cursor.uint64(field + " dimension \(axis)")
                guard let value = Int(exactly: raw), value > 0 else {
                    throw ModelFileError(
                        .malformed, "dimension \(axis) is \(raw)", field: field, offset: offset)
                }
                let (product, overflow) = elements.multipliedReportingOverflow(by: value)
                // Four bytes per value at most: the byte count below cannot overflow either.
                guard !overflow, product <= Int.max / 8 else {
                    throw ModelFileError(
                        .malformed, "the product of the dimensions is too large", field: field, offset: offset)
                }
                elements = product
                dimensions.append(value)
            }
            let typeOffset = cursor.offset
            let rawType = try cursor.uint32(field + " type")
            guard let format = WeightFormat(rawValue: rawType) else {
                let supported = WeightFormat.allCases.map(\.description).joined(separator: ", ")
                throw ModelFileError(
                    .unsupportedWeightFormat,
                    "weight format \(WeightFormat.name(ofType: rawType)) is not supported; \(supported) are",
                    field: field, offset: typeOffset)
            }
            guard dimensions[0] % format.blockLength == 0 else {
                throw ModelFileError(
                    .malformed,
                    "the row length \(dimensions[0]) is not a multiple of \(format)'s \(format.blockLength)",
                    field: field, offset: dimensionOffset)
            }
            let position = cursor.offset
            let relative = try cursor.uint64(field + " offset")
            guard relative % UInt64(alignment) == 0 else {
                throw ModelFileError(
                    .malformed, "the data offset \(relative) is not a multiple of the alignment \(alignment)",
                    field: field, offset: position)
            }
            let byteCount = elements / format.blockLength * format.blockBytes
            list.append(
                Entry(
                    name: name, dimensions: dimensions, format: format, byteCount: byteCount,
                    relativeOffset: relative, position: position))
        }
        let size = cursor.bytes.count
        let dataStart = cursor.offset + (alignment - cursor.offset % alignment) % alignment
        for entry in list {
            guard let relative = Int(exactly: entry.relativeOffset), dataStart <= size, relative <= size - dataStart,
                entry.byteCount <= size - dataStart - relative
            else {
                throw ModelFileError(
                    .truncated,
                    "\(entry.byteCount) bytes at \(entry.relativeOffset) after the header reach past the end of the "
                        + "file (\(size) bytes)",
                    field: "tensor '\(entry.name)' data", offset: entry.position)
            }
            tensors.append(
                TensorInfo(
                    name: entry.name, dimensions: entry.dimensions, format: entry.format,
                    offset: dataStart + relative, byteCount: entry.byteCount))
        }
        let order = tensors.indices.sorted { tensors[$0].offset < tensors[$1].offset }
        for (first, second) in zip(order, order.dropFirst())
        where tensors[first].offset + tensors[first].byteCount > tensors[second].offset {
            throw ModelFileError(
                .malformed, "the data overlaps that of tensor '\(tensors[first].name)'",
                field: "tensor '\(tensors[second].name)'", offset: list[second].position)
        }
    }
}

/// A position in the bytes of a file; every read is checked against the end.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    var remaining: Int { bytes.count - offset }

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func uint32(_ field: String) throws(ModelFileError) -> UInt32 {
        guard remaining >= 4 else { throw end(field, 4) }
        defer { offset += 4 }
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    mutating func uint64(_ field: String) throws(ModelFileError) -> UInt64 {
        guard remaining >= 8 else { throw end(field, 8) }
        defer { offset += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    mutating func skip(_ count: Int, _ field: String) throws(ModelFileError) {
        guard remaining >= count else { throw end(field, count) }
        offset += count
    }

    /// Reads a count of elements that take at least `smallestElement` bytes each, and checks that they can follow.
    mutating func count(_ field: String, smallestElement: Int) throws(ModelFileError) -> Int {
        let position = offset
        let raw = try uint64(field)
        guard let count = Int(exactly: raw), count <= remaining / smallestElement else {
            throw ModelFileError(
                .truncated,
                "\(raw) elements of at least \(smallestElement) bytes do not fit into the remaining "
                    + "\(remaining) bytes",
                field: field, offset: position)
        }
        return count
    }

    /// Reads a length and skips that many bytes; returns where they are.
    mutating func string(_ field: () -> String) throws(ModelFileError) -> Range<Int> {
        let position = offset
        guard remaining >= 8 else { throw end(field() + " length", 8) }
        let raw = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        guard raw <= UInt64(remaining - 8) else {
            throw ModelFileError(
                .truncated, "\(raw) bytes of text do not fit into the remaining \(remaining - 8) bytes",
                field: field() + " length", offset: position)
        }
        let start = offset + 8
        offset = start + Int(raw)
        return start..<offset
    }

    private func end(_ field: String, _ count: Int) -> ModelFileError {
        ModelFileError(
            .truncated, "the file ends: \(count) bytes needed, \(remaining) left", field: field, offset: offset)
    }
}
