// SPDX-License-Identifier: Apache-2.0

/// Where the fields of a sound GGUF header are, so that single ones can be changed.
struct ModelHeader {
    /// What a field says.
    enum Kind: CaseIterable {
        case count, length, type, number, dimension, offset, text
    }

    struct Field {
        var kind: Kind
        /// The bytes of the field.
        var range: Range<Int>
    }

    /// All fields in file order.
    private(set) var fields: [Field] = []
    /// The bytes of each metadata entry and each tensor entry.
    private(set) var entries: [Range<Int>] = []
    private(set) var tensors: [Range<Int>] = []
    /// The end of the tensor table.
    private(set) var end = 0

    private let bytes: [UInt8]

    /// Walks the header; nil if it is not sound.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        end = 8
        guard let tensorCount = field(.count, 8), let entryCount = field(.count, 8) else { return nil }
        guard tensorCount < 1 << 20, entryCount < 1 << 20 else { return nil }
        for _ in 0..<entryCount {
            let start = end
            guard text(), let type = field(.type, 4), value(type) else { return nil }
            entries.append(start..<end)
        }
        for _ in 0..<tensorCount {
            let start = end
            guard text(), let dimensions = field(.count, 4), dimensions <= 4 else { return nil }
            for _ in 0..<dimensions where field(.dimension, 8) == nil { return nil }
            guard field(.type, 4) != nil, field(.offset, 8) != nil else { return nil }
            tensors.append(start..<end)
        }
    }

    private mutating func field(_ kind: Kind, _ size: Int) -> UInt64? {
        guard bytes.count - end >= size else { return nil }
        let range = end..<end + size
        fields.append(Field(kind: kind, range: range))
        end += size
        return bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func text() -> Bool {
        guard let length = field(.length, 8), length <= UInt64(bytes.count - end) else { return false }
        if length > 0 { fields.append(Field(kind: .text, range: end..<end + Int(length))) }
        end += Int(length)
        return true
    }

    private mutating func value(_ type: UInt64) -> Bool {
        let sizes: [UInt64: Int] = [0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8]
        if let size = sizes[type] { return field(.number, size) != nil }
        if type == 8 { return text() }
        guard type == 9, let element = field(.type, 4), let count = field(.count, 8) else { return false }
        guard count <= UInt64(bytes.count - end) else { return false }
        if let size = sizes[element] {
            let length = Int(count) * size
            guard length <= bytes.count - end else { return false }
            if count > 0 { fields.append(Field(kind: .number, range: end..<end + size)) }
            end += length
            return true
        }
        guard element == 8 else { return false }
        for _ in 0..<count where !text() { return false }
        return true
    }
}
