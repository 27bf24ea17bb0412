// SPDX-License-Identifier: Apache-2.0

/// Byte-level BPE: merges the bytes of each word by the rank of their pairs.
struct BytePairEncoder: Sendable {
    private let preTokenizer: PreTokenizer
    private let index: TokenIndex
    private let byteTokens: [TokenID]
    private let merges: MergeTable

    /// The bytes that no token stands for. They are left out of encoded texts, as the reference does.
    let missingBytes: [UInt8]

    init(_ description: TokenizerDescription, _ index: TokenIndex, _ preTokenizer: PreTokenizer) throws(TokenizerError)
    {
        self.preTokenizer = preTokenizer
        self.index = index
        let byteTokens = (0..<256).map { index.find(CollectionOfOne(UInt8($0))) ?? -1 }
        self.byteTokens = byteTokens
        missingBytes = (0..<256).filter { byteTokens[$0] < 0 }.map { UInt8($0) }
        guard let merges = description.merges else {
            throw TokenizerError(.missing, "byte-level BPE needs merges", field: "tokenizer.ggml.merges")
        }
        self.merges = try MergeTable(merges, index)
    }

    /// Appends the tokens of a text whose bytes are decodable.
    func encode(_ bytes: [UInt8], into tokens: inout [TokenID]) {
        let text = ClassifiedText(bytes)
        var ends: [Int] = []
        ends.reserveCapacity(bytes.count / 4 + 1)
        preTokenizer.cut(text, into: &ends)
        var work = Work(bytes.count)
        tokens.reserveCapacity(tokens.count + ends.count)
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for end in ends {
                encode(UnsafeBufferPointer(rebasing: bytes[start..<end]), at: start, bytes, &work, into: &tokens)
                start = end
            }
        }
    }

    /// The words of a text whose bytes are decodable.
    func words(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var ends: [Int] = []
        preTokenizer.cut(ClassifiedText(bytes), into: &ends)
        var start = 0
        return ends.map { end in
            defer { start = end }
            return bytes[start..<end]
        }
    }

    /// The state of one call.
    private struct Work {
        var ids: [TokenID] = []
        var pairs: [UInt64] = []
        var next: [Int32] = []
        var previous: [Int32] = []
        var queue = MergeQueue()
        /// Words seen before in the same text: where the word is, and where its tokens are.
        var cache: [(hash: UInt64, start: Int32, length: Int32, token: Int32, count: Int32)]

        init(_ size: Int) {
            var capacity = 16
            while capacity < size / 8, capacity < 4096 { capacity *= 2 }
            cache = Array(repeating: (0, 0, 0, 0, -1), count: capacity)
        }
    }

    private func encode(
        _ word: UnsafeBufferPointer<UInt8>, at start: Int, _ text: UnsafeBufferPointer<UInt8>, _ work: inout Work,
        into tokens: inout [TokenID]
    ) {
        if word.count == 1 {
            let token = byteTokens[Int(word[0])]
            if token >= 0 { tokens.append(token) }
            return
        }
        if preTokenizer.ignoresMerges {
            let token = index.find(word)
            if token >= 0 {
                tokens.append(token)
                return
            }
        }
        let isCached = word.count <= 64 && text.count <= Int(Int32.max)
        var slot = 0
        var hash: UInt64 = 0
        if isCached {
            hash = TokenIndex.hash(word, 0)
            slot = Int(truncatingIfNeeded: hash) & (work.cache.count - 1)
            let entry = work.cache[slot]
            if entry.count >= 0, entry.hash == hash, Int(entry.length) == word.count {
                var offset = 0
                while offset < word.count, text[Int(entry.start) + offset] == word[offset] { offset += 1 }
                if offset == word.count {
                    for index in Int(entry.token)..<Int(entry.token) + Int(entry.count) { tokens.append(tokens[index]) }
                    return
                }
            }
        }
        let before = tokens.count
        if word.count <= 64 { mergeShort(word, &work, into: &tokens) } else { mergeLong(word, &work, into: &tokens) }
        if isCached, tokens.count <= Int(Int32.max) {
            work.cache[slot] = (hash, Int32(start), Int32(word.count), Int32(before), Int32(tokens.count - before))
        }
    }

    /// Looks for the best pair again after each merge: quadratic, and the fastest way for words.
    private func mergeShort(_ word: UnsafeBufferPointer<UInt8>, _ work: inout Work, into tokens: inout [TokenID]) {
        work.ids.removeAll(keepingCapacity: true)
        work.pairs.removeAll(keepingCapacity: true)
        for byte in word { work.ids.append(byteTokens[Int(byte)]) }
        for index in 1..<word.count { work.pairs.append(merges.find(work.ids[index - 1], work.ids[index])) }
        while true {
            var best = UInt64.max
            var place = -1
            for index in work.pairs.indices where work.pairs[index] >> 32 < best >> 32 {
                best = work.pairs[index]
                place = index
            }
            guard place >= 0 else { break }
            work.ids[place] = MergeTable.token(best)
            work.ids.remove(at: place + 1)
            work.pairs.remove(at: place)
            if place > 0 { work.pairs[place - 1] = merges.find(work.ids[place - 1], work.ids[place]) }
            if place < work.pairs.count { work.pairs[place] = merges.find(work.ids[place], work.ids[place + 1]) }
        }
        for token in work.ids where token >= 0 { tokens.append(token) }
    }

    /// Keeps the pairs in a heap: for long runs without a cut.
    private func mergeLong(_ word: UnsafeBufferPointer<UInt8>, _ work: inout Work, into tokens: inout [TokenID]) {
        let count = word.count
        work.ids.removeAll(keepingCapacity: true)
        work.next.removeAll(keepingCapacity: true)
        work.previous.removeAll(keepingCapacity: true)
        work.queue.removeAll()
        for (index, byte) in word.enumerated() {
            work.ids.append(byteTokens[Int(byte)])
            work.next.append(index + 1 < count ? Int32(truncatingIfNeeded: index + 1) : -1)
            work.previous.append(Int32(truncatingIfNeeded: index - 1))
        }
        // A merged symbol lives in its left place; the right one gets this mark.
        let gone: TokenID = -2
        func offer(_ left: Int32, _ right: Int32, _ work: inout Work) {
            guard left >= 0, right >= 0 else { return }
            let pair = merges.find(work.ids[Int(left)], work.ids[Int(right)])
            guard pair != .max else { return }
            work.queue.push(
                MergeCandidate(
                    priority: pair & 0xFFFF_FFFF_0000_0000 | UInt64(left), right: right, check: MergeTable.token(pair)
                )
            )
        }
        for index in 1..<count {
            offer(Int32(truncatingIfNeeded: index - 1), Int32(truncatingIfNeeded: index), &work)
        }
        while let candidate = work.queue.pop() {
            let left = candidate.left
            let right = Int(candidate.right)
            guard work.ids[left] != gone, work.ids[right] != gone, work.next[left] == candidate.right,
                MergeTable.token(merges.find(work.ids[left], work.ids[right])) == candidate.check
            else { continue }
            work.ids[left] = candidate.check
            work.ids[right] = gone
            work.next[left] = work.next[right]
            if work.next[right] >= 0 { work.previous[Int(work.next[right])] = Int32(truncatingIfNeeded: left) }
            offer(work.previous[left], Int32(truncatingIfNeeded: left), &work)
            offer(Int32(truncatingIfNeeded: left), work.next[left], &work)
        }
        for token in work.ids where token >= 0 { tokens.append(token) }
    }
}

/// The merges: from a pair of tokens to the rank and the token it makes.
struct MergeTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private let mask: Int

    init(_ merges: TokenTexts, _ index: TokenIndex) throws(TokenizerError) {
        var capacity = 16
        while capacity < merges.count + merges.count / 2 { capacity *= 2 }
        keys = [UInt64](repeating: .max, count: capacity)
        values = [UInt64](repeating: .max, count: capacity)
        mask = capacity - 1
        guard merges.count < Int(UInt32.max) else {
            throw TokenizerError(.malformed, "there are too many merges", field: "tokenizer.ggml.merges")
        }
        var buffer: [UInt8] = []
        for rank in 0..<merges.count {
            func failure(_ message: String) -> TokenizerError {
                TokenizerError(
                    .inconsistent, "the merge '\(merges.text(rank))' \(message)",
                    field: "tokenizer.ggml.merges[\(rank)]"
                )
            }
            let merge = merges[rank]
            // A space is never the first character's whole spelling, but the first may be longer than one byte.
            guard let space = merge.dropFirst().firstIndex(of: 0x20) else { throw failure("has no space") }
            buffer.removeAll(keepingCapacity: true)
            guard ByteAlphabet.decode(merge[..<space], into: &buffer) else {
                throw failure("is not spelled in the byte alphabet")
            }
            let middle = buffer.count
            guard ByteAlphabet.decode(merge[(space + 1)...], into: &buffer), buffer.count > middle, middle > 0 else {
                throw failure("is not spelled in the byte alphabet")
            }
            let (left, right, merged) = buffer.withUnsafeBufferPointer { bytes in
                (
                    index.find(UnsafeBufferPointer(rebasing: bytes[..<middle])),
                    index.find(UnsafeBufferPointer(rebasing: bytes[middle...])), index.find(bytes)
                )
            }
            guard left >= 0, right >= 0 else { throw failure("joins a text that is no token") }
            guard merged >= 0 else { throw failure("makes a text that is no token") }
            let slot = slot(Self.key(left, right))
            // The first of equal merges counts.
            if keys[slot] == .max {
                keys[slot] = Self.key(left, right)
                values[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: merged))
            }
        }
    }

    @inline(__always)
    private static func key(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let hash = key &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 32 ^ hash >> 13) & mask
        while keys[slot] != key, keys[slot] != .max { slot = (slot + 1) & mask }
        return slot
    }

    /// The rank in the upper half and the merged token in the lower, or all ones if the pair does not merge.
    @inline(__always)
    func find(_ left: TokenID, _ right: TokenID) -> UInt64 {
        guard left >= 0, right >= 0 else { return .max }
        return values[slot(Self.key(left, right))]
    }

    @inline(__always)
    static func token(_ value: UInt64) -> TokenID { TokenID(truncatingIfNeeded: value & 0xFFFF_FFFF) }
}
