// SPDX-License-Identifier: Apache-2.0

/// Many byte strings in one block of memory, by number.
package struct TokenTexts: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = [0]

    package init() {}

    /// Copies byte strings.
    package init(_ texts: some Sequence<some Sequence<UInt8>>) {
        for text in texts { append(text) }
    }

    package var count: Int { ends.count - 1 }

    mutating func reserve(count: Int, bytes: Int) {
        ends.reserveCapacity(count + 1)
        self.bytes.reserveCapacity(bytes)
    }

    package mutating func append(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    mutating func append(raw text: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    func range(_ index: Int) -> Range<Int> { ends[index]..<ends[index + 1] }

    subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

    func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }
}

/// Finds a byte string's token.
struct TokenIndex: Sendable {
    let texts: TokenTexts
    /// The upper half of the hash, then the token's number plus one; zero is empty.
    private var slots: [UInt64]
    private let mask: Int
    // Seeded, so that a crafted vocabulary cannot make every lookup collide.
    private let seed = UInt64.random(in: .min ... .max)

    init(_ texts: TokenTexts) {
        self.texts = texts
        var capacity = 16
        while capacity < texts.count * 2 { capacity *= 2 }
        slots = [UInt64](repeating: 0, count: capacity)
        mask = capacity - 1
    }

    /// Makes the token findable by its text; a later token with the same text takes the place of an earlier one.
    mutating func insert(_ token: Int) {
        let range = texts.range(token)
        guard !range.isEmpty else { return }
        let (hash, found) = texts.bytes.withUnsafeBufferPointer { bytes in
            let key = UnsafeBufferPointer(rebasing: bytes[range])
            let hash = Self.hash(key, seed)
            return (hash, slot(of: key, hash, bytes))
        }
        slots[found] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(token + 1)
    }

    /// The token with exactly these bytes, or -1.
    @inline(__always)
    func find(_ key: UnsafeBufferPointer<UInt8>) -> TokenID {
        texts.bytes.withUnsafeBufferPointer { bytes in
            TokenID(truncatingIfNeeded: Int(slots[slot(of: key, Self.hash(key, seed), bytes)] & 0xFFFF_FFFF) - 1)
        }
    }

    func find(_ key: some Sequence<UInt8>) -> TokenID? {
        let found = Array(key).withUnsafeBufferPointer { find($0) }
        return found < 0 ? nil : found
    }

    /// The slot that holds the key, or the empty one where it would go.
    @inline(__always)
    private func slot(
        of key: UnsafeBufferPointer<UInt8>, _ hash: UInt64, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[index]
            if slot == 0 { return index }
            if slot >> 32 == hash >> 32 {
                let range = texts.range(Int(slot & 0xFFFF_FFFF) - 1)
                if range.count == key.count {
                    var offset = 0
                    while offset < key.count, bytes[range.lowerBound + offset] == key[offset] { offset += 1 }
                    if offset == key.count { return index }
                }
            }
            index = (index + 1) & mask
        }
    }

    @inline(__always)
    static func hash(_ key: UnsafeBufferPointer<UInt8>, _ seed: UInt64) -> UInt64 {
        let raw = UnsafeRawBufferPointer(key)
        var hash = seed ^ UInt64(truncatingIfNeeded: key.count)
        var offset = 0
        while offset + 8 <= raw.count {
            hash = (hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < raw.count {
            tail = tail << 8 | UInt64(raw[offset])
            offset += 1
        }
        hash = (hash ^ tail) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
        hash = hash &* 0xD6E8_FEB8_6659_FD93
        return hash ^ hash >> 29
    }
}
