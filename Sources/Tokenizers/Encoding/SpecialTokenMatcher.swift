// SPDX-License-Identifier: Apache-2.0

/// Finds special tokens in text: everywhere the longest first, among equals the leftmost.
struct SpecialTokenMatcher: Sendable {
    /// A special token in a text.
    struct Match {
        var range: Range<Int>
        var token: TokenID
    }

    private struct Entry: Sendable {
        var token: TokenID
        var onlyParsed: Bool
        /// Whether the white space that follows belongs to the token.
        var swallowsSpace: Bool
    }

    private var entries: [Entry] = []
    private var isFirstByte = [Bool](repeating: false, count: 256)
    /// Entry that ends in each node of the trie, or -1.
    private var ends: [Int32] = [-1]
    /// Edges by parent and byte, in a hash table: keys are `node << 8 | byte`, `UInt64.max` is empty.
    private var edgeKeys: [UInt64]
    private var edgeNodes: [Int32]
    private let mask: Int

    init(_ tokens: [(token: TokenID, onlyParsed: Bool)], _ texts: TokenTexts, swallowsSpace: (TokenID) -> Bool) {
        var capacity = 16
        let total = tokens.reduce(0) { $0 + texts.range(Int($1.token)).count }
        while capacity < total * 2 { capacity *= 2 }
        edgeKeys = [UInt64](repeating: .max, count: capacity)
        edgeNodes = [Int32](repeating: 0, count: capacity)
        mask = capacity - 1
        for (token, onlyParsed) in tokens {
            let text = texts[Int(token)]
            guard let first = text.first else { continue }
            isFirstByte[Int(first)] = true
            var node: Int32 = 0
            for byte in text {
                let slot = slot(node, byte)
                if edgeKeys[slot] == .max {
                    edgeKeys[slot] = Self.key(node, byte)
                    edgeNodes[slot] = Int32(ends.count)
                    ends.append(-1)
                }
                node = edgeNodes[slot]
            }
            ends[Int(node)] = Int32(entries.count)
            entries.append(Entry(token: token, onlyParsed: onlyParsed, swallowsSpace: swallowsSpace(token)))
        }
    }

    private static func key(_ node: Int32, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }

    private func slot(_ node: Int32, _ byte: UInt8) -> Int {
        let key = Self.key(node, byte)
        let hash = key &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 32) & mask
        while edgeKeys[slot] != .max, edgeKeys[slot] != key { slot = (slot + 1) & mask }
        return slot
    }

    /// The longest token at a place that is shorter than a bound.
    private func longest(
        _ bytes: UnsafeBufferPointer<UInt8>, at start: Int, below bound: Int, _ parsesSpecial: Bool
    ) -> (length: Int, entry: Int)? {
        var node: Int32 = 0
        var best: (length: Int, entry: Int)?
        var index = start
        while index < bytes.count, index - start + 1 < bound {
            let slot = slot(node, bytes[index])
            guard edgeKeys[slot] != .max else { break }
            node = edgeNodes[slot]
            index += 1
            let end = ends[Int(node)]
            if end >= 0, parsesSpecial || !entries[Int(end)].onlyParsed { best = (index - start, Int(end)) }
        }
        return best
    }

    /// The matches in order of place.
    ///
    /// Longer tokens win over shorter ones wherever they overlap, so candidates are taken by falling length; a place
    /// whose longest token turns out to overlap a taken one is tried again with its next shorter token.
    func matches(in bytes: UnsafeBufferPointer<UInt8>, parsesSpecial: Bool) -> [Match] {
        guard !entries.isEmpty else { return [] }
        var byLength: [Int: [(start: Int, entry: Int)]] = [:]
        for start in 0..<bytes.count where isFirstByte[Int(bytes[start])] {
            if let found = longest(bytes, at: start, below: .max, parsesSpecial) {
                byLength[found.length, default: []].append((start, found.entry))
            }
        }
        guard !byLength.isEmpty else { return [] }
        var isTaken = [Bool](repeating: false, count: bytes.count)
        var matches: [Match] = []
        while let length = byLength.keys.max(), var candidates = byLength.removeValue(forKey: length) {
            candidates.sort { ($0.entry, $0.start) < ($1.entry, $1.start) }
            for (start, entry) in candidates where !isTaken[start] {
                // Taken ranges are at least as long as this token: they overlap it only if they hold its end.
                if isTaken[start + length - 1] {
                    if let shorter = longest(bytes, at: start, below: length, parsesSpecial) {
                        byLength[shorter.length, default: []].append((start, shorter.entry))
                    }
                    continue
                }
                var end = start + length
                if entries[entry].swallowsSpace {
                    while end < bytes.count, !isTaken[end], Self.isSpace(bytes[end]) { end += 1 }
                }
                for index in start..<end { isTaken[index] = true }
                matches.append(Match(range: start..<end, token: entries[entry].token))
            }
        }
        matches.sort { $0.range.lowerBound < $1.range.lowerBound }
        return matches
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
}
