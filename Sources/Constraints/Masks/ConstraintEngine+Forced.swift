// SPDX-License-Identifier: Apache-2.0

extension ConstraintEngine {
    /// The longest run of bytes that leaves no choice.
    ///
    /// The run stops where the text is complete, and after `limit` bytes.
    package func forcedBytes(_ configuration: ConfigID, limit: Int = 4096) -> [UInt8] {
        var bytes: [UInt8] = []
        var configuration = configuration
        while bytes.count < limit, !machine.isAccepting(configuration),
            let byte = machine.allowedBytes(configuration).single
        {
            bytes.append(byte)
            configuration = machine.step(configuration, byte)
        }
        return bytes
    }

    /// The tokens that the model's own tokeniser makes of the forced bytes, as far as they do not depend on what
    /// follows.
    ///
    /// The text before and the forced bytes are encoded together, so that the tokens are those the model has seen in
    /// training. Tokens at the end are left out as long as some token of the vocabulary reaches over the end of the
    /// forced bytes in a way the constraint allows.
    ///
    /// - Parameters:
    ///   - recent: The text just before, at a token boundary: a few tokens are enough.
    ///   - encode: The tokeniser, without special tokens.
    /// - Returns: Tokens that can be committed one after another; none where the tokeniser would join the text before
    ///   with the forced bytes.
    package func forcedTokens(
        _ configuration: ConfigID, after recent: [UInt8], encode: ([UInt8]) -> [Int]
    ) -> [Int] {
        let forced = forcedBytes(configuration)
        guard !forced.isEmpty, let end = advance(configuration, forced) else { return [] }
        // The first place from which a token could reach over the end.
        var open = forced.count
        for start in max(0, forced.count - vocabulary.longestToken)..<forced.count
        where canSpan(forced[start...], end) {
            open = start
            break
        }
        var tokens: [Int] = []
        var position = -recent.count
        var isAligned = position == 0
        for token in encode(recent + forced) {
            let bytes = vocabulary.bytes(of: token)
            guard !bytes.isEmpty else { return tokens }
            if isAligned {
                guard position + bytes.count <= open,
                    forced[position..<(position + bytes.count)].elementsEqual(bytes)
                else { return tokens }
                tokens.append(token)
            }
            position += bytes.count
            if position == 0 { isAligned = true }
            if position > 0, !isAligned { return [] }
        }
        return tokens
    }

    /// Whether a token begins with `tail` and goes on in a way that is viable from `configuration`.
    private func canSpan(_ tail: ArraySlice<UInt8>, _ configuration: ConfigID) -> Bool {
        let trie = vocabulary.trie
        var top = 0
        for byte in tail {
            guard let child = trie.child(of: top, byte) else { return false }
            top = child
        }
        let base = Int(trie.nodes[top].depth)
        var path = [configuration]
        var index = top + 1
        while index < Int(trie.nodes[top].end) {
            let node = trie.nodes[index]
            let depth = Int(node.depth) - base
            path.removeSubrange(depth...)
            let next = machine.step(path[depth - 1], node.byte)
            if next.isDead {
                index = Int(node.end)
                continue
            }
            if trie.hasToken(at: index) { return true }
            path.append(next)
            index += 1
        }
        return false
    }
}
