// SPDX-License-Identifier: Apache-2.0

/// SentencePiece BPE: merges neighbouring symbols into the token with the best score, wherever it is in the text.
struct SentencePieceEncoder: Sendable {
    private let index: TokenIndex
    /// The scores as integers of the opposite order.
    private let ranks: [UInt32]
    private let byteTokens: [TokenID]
    private let unknown: TokenID?

    init(_ description: TokenizerDescription, _ index: TokenIndex, unknown: TokenID?) throws(TokenizerError) {
        guard let scores = description.scores else {
            throw TokenizerError(.missing, "SentencePiece BPE needs scores", field: "tokenizer.ggml.scores")
        }
        self.index = index
        self.unknown = unknown
        for (place, score) in scores.enumerated() where score.isNaN {
            throw TokenizerError(.malformed, "the score is not a number", field: "tokenizer.ggml.scores[\(place)]")
        }
        ranks = scores.map { score in
            // Zero has one sign here, as in comparisons.
            let bits = score == 0 ? 0 : score.bitPattern
            return bits >> 31 == 0 ? 0x7FFF_FFFF - bits : bits
        }
        byteTokens = (0..<256).map { byte in
            let name = "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
            return index.find(name.utf8) ?? index.find(CollectionOfOne(UInt8(byte))) ?? -1
        }
    }

    /// Appends the tokens of a text in which spaces are spelled `▁`.
    func encode(_ text: UnsafeBufferPointer<UInt8>, into tokens: inout [TokenID]) {
        guard text.count <= Int(Int32.max), !text.isEmpty else { return }
        var symbols: [Symbol] = []
        symbols.reserveCapacity(text.count)
        var offset = 0
        while offset < text.count {
            let length = min(Self.length(text[offset]), text.count - offset)
            symbols.append(
                Symbol(
                    start: Int32(offset), length: Int32(length), previous: Int32(symbols.count) - 1,
                    next: offset + length < text.count ? Int32(symbols.count) + 1 : -1, token: -1
                )
            )
            offset += length
        }
        var queue = MergeQueue()
        var merged: [TokenID] = []
        merged.reserveCapacity(symbols.count)
        for place in 1..<max(symbols.count, 1) {
            offer(Int32(place - 1), Int32(place), symbols, text, &queue)
        }
        while let candidate = queue.pop() {
            let left = candidate.left
            let right = Int(candidate.right)
            guard symbols[left].length > 0, symbols[right].length > 0,
                symbols[left].length + symbols[right].length == candidate.check
            else { continue }
            symbols[left].length = candidate.check
            symbols[right].length = 0
            let next = symbols[right].next
            symbols[left].next = next
            if next >= 0 { symbols[Int(next)].previous = Int32(left) }
            offer(symbols[left].previous, Int32(left), symbols, text, &queue)
            offer(Int32(left), next, symbols, text, &queue)
        }
        var place: Int32 = 0
        while place >= 0 {
            let symbol = symbols[Int(place)]
            let piece = UnsafeBufferPointer(rebasing: text[Int(symbol.start)..<Int(symbol.start + symbol.length)])
            let token = index.find(piece)
            if token >= 0 {
                tokens.append(token)
            } else {
                for byte in piece {
                    let token = byteTokens[Int(byte)]
                    if token >= 0 { tokens.append(token) } else if let unknown { tokens.append(unknown) }
                }
            }
            place = symbol.next
        }
    }

    private struct Symbol {
        var start: Int32
        var length: Int32
        var previous: Int32
        var next: Int32
        var token: TokenID
    }

    /// The length of a character by its first byte; a continuation byte stands alone.
    @inline(__always)
    private static func length(_ byte: UInt8) -> Int { byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4 }

    @inline(__always)
    private func offer(
        _ left: Int32, _ right: Int32, _ symbols: [Symbol], _ text: UnsafeBufferPointer<UInt8>,
        _ queue: inout MergeQueue
    ) {
        guard left >= 0, right >= 0 else { return }
        let start = Int(symbols[Int(left)].start)
        let length = symbols[Int(left)].length + symbols[Int(right)].length
        let token = index.find(UnsafeBufferPointer(rebasing: text[start..<start + Int(length)]))
        guard token >= 0 else { return }
        queue.push(
            MergeCandidate(priority: UInt64(ranks[Int(token)]) << 32 | UInt64(left), right: right, check: length)
        )
    }
}
