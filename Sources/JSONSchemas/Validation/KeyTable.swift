// SPDX-License-Identifier: Apache-2.0

/// A fixed set of texts with a number for each, found by their UTF-8 bytes.
///
/// Small sets are scanned; larger ones are found by a seeded hash, so that no schema can make look-ups slow.
struct KeyTable: Sendable {
    private static let scanLimit = 6

    private var bytes: [UInt8] = []
    /// Place and length of each key in `bytes`.
    private var spans: [(start: Int32, count: Int32)] = []
    /// Key number + 1 by hash; empty while the set is small.
    private var slots: [Int32] = []

    /// The number of keys.
    var count: Int { spans.count }

    /// The number of a key, which is added if it is new.
    mutating func add(_ key: String) -> Int {
        var key = key
        return key.withUTF8 { text in
            if let known = find(text) { return known }
            spans.append((Int32(clamping: bytes.count), Int32(clamping: text.count)))
            bytes.append(contentsOf: text)
            if spans.count > Self.scanLimit {
                if spans.count * 2 > slots.count { rebuild() } else { insert(spans.count - 1) }
            }
            return spans.count - 1
        }
    }

    /// The number of the key with these bytes, or nil.
    func find(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        if slots.isEmpty {
            for number in 0..<spans.count where equal(number, text) { return number }
            return nil
        }
        let mask = slots.count - 1
        var slot = Self.hash(text) & mask
        while true {
            let entry = Int(slots[slot])
            if entry == 0 { return nil }
            if equal(entry - 1, text) { return entry - 1 }
            slot = (slot + 1) & mask
        }
    }

    /// The table in memory that is read without counting references.
    func flat(in memory: FlatMemory) -> FlatKeys {
        FlatKeys(
            bytes: memory.copy(bytes),
            spans: memory.copy(spans.map { FlatKeys.Span(start: $0.start, count: $0.count) }), count: spans.count,
            slots: memory.copy(slots), slotCount: slots.count)
    }

    /// The text of a key.
    func key(_ number: Int) -> String {
        let span = spans[number]
        return String(decoding: bytes[Int(span.start)..<Int(span.start + span.count)], as: UTF8.self)
    }

    @inline(__always)
    private func equal(_ number: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let span = spans[number]
        guard Int(span.count) == text.count else { return false }
        let start = Int(span.start)
        for offset in 0..<text.count where bytes[start + offset] != text[offset] { return false }
        return true
    }

    private mutating func rebuild() {
        slots = [Int32](repeating: 0, count: max(32, slots.count * 2))
        for number in spans.indices { insert(number) }
    }

    private mutating func insert(_ number: Int) {
        let span = spans[number]
        let mask = slots.count - 1
        var slot =
            bytes.withUnsafeBufferPointer {
                Self.hash(UnsafeBufferPointer(rebasing: $0[Int(span.start)..<Int(span.start + span.count)]))
            } & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(clamping: number + 1)
    }

    /// Unknown to whoever writes the schema, so that keys cannot be made to collide.
    private static let seed = UInt64.random(in: UInt64.min...UInt64.max)

    /// Multiplies and folds words of eight bytes; a quarter of the time of `Hasher` on short keys.
    static func hash(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var state = seed ^ UInt64(truncatingIfNeeded: text.count)
        var word: UInt64 = 0
        var filled = 0
        for byte in text {
            word = word << 8 | UInt64(byte)
            filled += 1
            if filled == 8 {
                state = mix(state ^ word)
                (word, filled) = (0, 0)
            }
        }
        return Int(truncatingIfNeeded: mix(state ^ word) >> 1)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return high ^ low
    }
}
