// SPDX-License-Identifier: Apache-2.0

/// Finished masks by key, bounded in bytes.
///
/// Entries live in two generations. A new or used entry belongs to the young one; when the young ones take half the
/// space, the old ones are dropped and the young become old. Keys are compared in full.
final class MaskCache {
    /// Masks of at most this many tokens are kept as lists of ids.
    static let sparseLimit = 512

    private struct Entry {
        var key: UInt64 = 0
        /// Nil marks a free slot.
        var words: UnsafeMutableRawPointer?
        /// The words that the ids are added to, which outlive the cache; nil where they are all there is.
        var base: UnsafePointer<UInt64>?
        /// The number of ids of a sparse mask; -1 for a dense one.
        var count: Int32 = 0
        var young = true
    }

    @exclusivity(unchecked) private var slots: UnsafeMutablePointer<Entry>
    @exclusivity(unchecked) private var capacity = 64
    @exclusivity(unchecked) private var used = 0
    private let wordCapacity: Int
    /// Room for the ids of one sparse mask and one more.
    private let scratch = UnsafeMutablePointer<UInt32>.allocate(capacity: MaskCache.sparseLimit + 1)
    private let byteLimit: Int
    @exclusivity(unchecked) private var youngBytes = 0
    @exclusivity(unchecked) private var oldBytes = 0
    @exclusivity(unchecked) private(set) var hits = 0
    @exclusivity(unchecked) private(set) var misses = 0

    /// - Parameters:
    ///   - wordCapacity: The number of 64-bit words of a dense mask.
    ///   - byteLimit: The most memory for entries; zero turns the cache off.
    init(wordCapacity: Int, byteLimit: Int) {
        self.wordCapacity = wordCapacity
        self.byteLimit = byteLimit
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Entry(), count: capacity)
    }

    deinit {
        for index in 0..<capacity { slots[index].words?.deallocate() }
        slots.deallocate()
        scratch.deallocate()
    }

    /// The memory that entries take.
    var byteCount: Int { youngBytes + oldBytes }

    private func size(count: Int32) -> Int {
        MemoryLayout<Entry>.stride + (count < 0 ? wordCapacity * 8 : max(1, Int(count)) * 4)
    }

    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        var index = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & (capacity &- 1)
        while slots[index].words != nil, slots[index].key != key { index = (index &+ 1) & (capacity &- 1) }
        return index
    }

    /// Writes the mask of `key` over all of `words`; false where there is none.
    func read(_ key: UInt64, into words: UnsafeMutablePointer<UInt64>) -> Bool {
        guard byteLimit > 0 else { return false }
        let index = slot(of: key)
        guard let stored = slots[index].words else {
            misses &+= 1
            return false
        }
        hits &+= 1
        let count = slots[index].count
        if count < 0 {
            words.update(from: stored.assumingMemoryBound(to: UInt64.self), count: wordCapacity)
        } else {
            if let base = slots[index].base {
                words.update(from: base, count: wordCapacity)
            } else {
                words.update(repeating: 0, count: wordCapacity)
            }
            let ids = stored.assumingMemoryBound(to: UInt32.self)
            for position in 0..<Int(count) {
                let id = ids[position]
                words[Int(id >> 6)] |= 1 << UInt64(id & 63)
            }
        }
        if !slots[index].young {
            let bytes = size(count: count)
            slots[index].young = true
            oldBytes -= bytes
            youngBytes += bytes
        }
        return true
    }

    /// Keeps a copy of `words` under `key`, which must not be present.
    ///
    /// - Parameter base: Words that outlive the cache and have no bit that `words` lacks: then only the difference is
    ///   kept, where it is small.
    /// - Parameter touched: A bit for each word in which `words` may differ from the base, or from zero; nil where all
    ///   must be looked at.
    func store(
        _ key: UInt64, _ words: UnsafeMutablePointer<UInt64>, base: UnsafePointer<UInt64>? = nil,
        touched: UnsafePointer<UInt64>? = nil
    ) {
        guard byteLimit > 0 else { return }
        // Ids as long as they are few; the first one too many ends the scan.
        var total = 0
        let limit = MaskCache.sparseLimit
        var index = 0
        if let touched {
            for block in 0..<(wordCapacity + 63) >> 6 {
                var rest = touched[block]
                while rest != 0, total <= limit {
                    let place = block << 6 | rest.trailingZeroBitCount
                    rest &= rest &- 1
                    var word = words[place]
                    if let base { word &= ~base[place] }
                    while word != 0, total <= limit {
                        scratch[total] = UInt32(truncatingIfNeeded: place << 6 | word.trailingZeroBitCount)
                        total &+= 1
                        word &= word &- 1
                    }
                }
            }
            index = wordCapacity
        }
        while index < wordCapacity, total <= limit {
            // Most words add nothing: many at a time.
            if index &+ Self.stride <= wordCapacity, Self.isEmpty(words + index, base.map { $0 + index }) {
                index &+= Self.stride
                continue
            }
            let end = min(index &+ Self.stride, wordCapacity)
            while index < end {
                var word = words[index]
                if let base { word &= ~base[index] }
                while word != 0, total <= limit {
                    scratch[total] = UInt32(truncatingIfNeeded: index << 6 | word.trailingZeroBitCount)
                    total &+= 1
                    word &= word &- 1
                }
                index &+= 1
            }
        }
        let isSparse = total <= limit
        let count = isSparse ? Int32(total) : -1
        if youngBytes + size(count: count) > byteLimit / 2 { age() }
        if (used + 1) * 4 > capacity * 3 { rebuild(capacity: capacity * 2) }
        let memory: UnsafeMutableRawPointer
        if isSparse {
            memory = .allocate(byteCount: max(1, total) * 4, alignment: 8)
            memory.bindMemory(to: UInt32.self, capacity: max(1, total)).initialize(from: scratch, count: total)
        } else {
            memory = .allocate(byteCount: wordCapacity * 8, alignment: 8)
            memory.bindMemory(to: UInt64.self, capacity: wordCapacity).initialize(from: words, count: wordCapacity)
        }
        slots[slot(of: key)] = Entry(
            key: key, words: memory, base: isSparse ? base : nil, count: count, young: true)
        used += 1
        youngBytes += size(count: count)
    }

    /// The words that are looked at together.
    private static let stride = 32

    /// Whether as many words have no bit that those of the base lack.
    @inline(__always)
    private static func isEmpty(_ words: UnsafeMutablePointer<UInt64>, _ base: UnsafePointer<UInt64>?) -> Bool {
        let raw = UnsafeRawPointer(words)
        var bits = SIMD8<UInt64>()
        if let base {
            let raws = UnsafeRawPointer(base)
            for offset in Swift.stride(from: 0, to: stride * 8, by: 64) {
                bits |=
                    raw.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
                    & ~raws.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
            }
        } else {
            for offset in Swift.stride(from: 0, to: stride * 8, by: 64) {
                bits |= raw.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
            }
        }
        let half = bits.lowHalf | bits.highHalf
        let quarter = half.lowHalf | half.highHalf
        return quarter.x | quarter.y == 0
    }

    /// Drops the old entries and makes the young ones old.
    private func age() {
        for index in 0..<capacity where slots[index].words != nil {
            if slots[index].young {
                slots[index].young = false
            } else {
                slots[index].words?.deallocate()
                slots[index].words = nil
                used -= 1
            }
        }
        oldBytes = youngBytes
        youngBytes = 0
        rebuild(capacity: capacity)
    }

    private func rebuild(capacity newCapacity: Int) {
        let previous = slots
        let previousCapacity = capacity
        capacity = newCapacity
        slots = .allocate(capacity: newCapacity)
        slots.initialize(repeating: Entry(), count: newCapacity)
        for index in 0..<previousCapacity where previous[index].words != nil {
            slots[slot(of: previous[index].key)] = previous[index]
        }
        previous.deallocate()
    }
}
