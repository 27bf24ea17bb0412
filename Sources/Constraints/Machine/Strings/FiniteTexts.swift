// SPDX-License-Identifier: Apache-2.0

/// A finite set of byte strings, sorted: a trie whose nodes are ranges of the sorted list.
struct FiniteTexts: Hashable {
    /// The texts that begin with the bytes read so far: `low..<high`, with `depth` bytes read.
    struct Position: Hashable {
        var low: UInt32
        var high: UInt32
        var depth: UInt32

        var isEmpty: Bool { low >= high }
        static let none = Position(low: 0, high: 0, depth: 0)
    }

    let texts: [[UInt8]]

    /// The set of the given texts.
    init(_ texts: some Sequence<[UInt8]>) {
        let sorted = texts.sorted { $0.lexicographicallyPrecedes($1) }
        var unique: [[UInt8]] = []
        unique.reserveCapacity(sorted.count)
        for text in sorted where unique.last != text { unique.append(text) }
        self.texts = unique
    }

    var root: Position { Position(low: 0, high: UInt32(texts.count), depth: 0) }

    /// The position after one more byte.
    func advance(_ position: Position, _ byte: UInt8) -> Position {
        let depth = Int(position.depth)
        // Texts that end here sort first; the others are sorted by the byte at `depth`.
        func firstIndex(where test: (Int) -> Bool) -> Int {
            var low = Int(position.low)
            var high = Int(position.high)
            while low < high {
                let middle = (low + high) / 2
                if test(middle) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        let low = firstIndex { texts[$0].count > depth && texts[$0][depth] >= byte }
        let high = firstIndex { texts[$0].count > depth && texts[$0][depth] > byte }
        if low >= high { return .none }
        return Position(low: UInt32(low), high: UInt32(high), depth: position.depth + 1)
    }

    /// Whether the bytes read so far are one of the texts.
    func isComplete(_ position: Position) -> Bool {
        !position.isEmpty && texts[Int(position.low)].count == Int(position.depth)
    }

    /// The number of bytes that complete the shortest text that can still be reached.
    func shortestRest(_ position: Position) -> Cost {
        guard !position.isEmpty else { return .infinite }
        var best = Cost.infinite
        for index in Int(position.low)..<Int(position.high) {
            best = min(best, texts[index].count - Int(position.depth))
        }
        return best
    }

    /// The bytes that may come next.
    func nextBytes(_ position: Position) -> ByteSet {
        var set = ByteSet()
        let depth = Int(position.depth)
        var index = Int(position.low)
        while index < Int(position.high) {
            if texts[index].count > depth {
                let byte = texts[index][depth]
                set.insert(byte)
                if byte == 255 { break }
                // Skip to the next first byte.
                var low = index
                var high = Int(position.high)
                while low < high {
                    let middle = (low + high) / 2
                    if texts[middle].count > depth && texts[middle][depth] > byte {
                        high = middle
                    } else {
                        low = middle + 1
                    }
                }
                index = low
            } else {
                index += 1
            }
        }
        return set
    }

    /// Whether `text` is in the set.
    func contains(_ text: [UInt8]) -> Bool { index(of: text) != nil }

    /// The index of `text` in sorted order.
    func index(of text: [UInt8]) -> Int? {
        var low = 0
        var high = texts.count
        while low < high {
            let middle = (low + high) / 2
            if texts[middle].lexicographicallyPrecedes(text) { low = middle + 1 } else { high = middle }
        }
        return low < texts.count && texts[low] == text ? low : nil
    }
}

extension FiniteTexts.Position: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        mixed(mixed(seed, UInt64(low) << 32 | UInt64(high)), UInt64(depth))
    }
}
