// SPDX-License-Identifier: Apache-2.0

package import Constraints
package import Tokenizers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Chooses one allowed token from logits.
///
/// The order is that of common engines: repetition penalty, top-k, top-p, min-p, temperature. The mask comes first, so
/// every later step sees allowed tokens only.
package struct Sampler {
    package let options: SamplingOptions
    private var random: SplitMix64
    private var candidates: [(token: TokenID, logit: Float)] = []

    package init(_ options: SamplingOptions) {
        self.options = options
        random = SplitMix64(seed: options.seed ?? UInt64.random(in: .min ... .max))
    }

    /// Returns the chosen token, or nil where the mask allows none.
    ///
    /// - Parameters:
    ///   - logits: One logit per vocabulary token.
    ///   - mask: The tokens allowed next.
    ///   - penalised: Tokens that the repetition penalty applies to; empty outside string values.
    /// - Complexity: O(allowed tokens); with top-k, top-p or min-p O(*n* log *n*) in the allowed tokens.
    package mutating func choose(
        logits: UnsafeBufferPointer<Float>, mask: borrowing TokenMask, penalised: Set<TokenID> = []
    ) -> TokenID? {
        if options.temperature == 0 {
            return greedy(logits: logits, mask: mask, penalised: penalised)
        }
        candidates.removeAll(keepingCapacity: true)
        mask.forEach { token in
            guard token < logits.count else { return }
            let id = TokenID(truncatingIfNeeded: token)
            candidates.append((id, penalise(logits[token], id, penalised)))
        }
        guard !candidates.isEmpty else { return nil }
        return sample()
    }

    private func penalise(_ logit: Float, _ token: TokenID, _ penalised: Set<TokenID>) -> Float {
        if penalised.isEmpty || !penalised.contains(token) { return logit }
        return logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty
    }

    private func greedy(
        logits: UnsafeBufferPointer<Float>, mask: borrowing TokenMask, penalised: Set<TokenID>
    ) -> TokenID? {
        var best: TokenID?
        var bestLogit = -Float.infinity
        mask.forEach { token in
            guard token < logits.count else { return }
            let id = TokenID(truncatingIfNeeded: token)
            let logit = penalise(logits[token], id, penalised)
            // A model that yields only NaN or -inf must still get an answer.
            if best == nil || logit > bestLogit {
                best = id
                bestLogit = logit.isNaN ? -Float.infinity : logit
            }
        }
        return best
    }

    private mutating func sample() -> TokenID {
        for index in candidates.indices where candidates[index].logit.isNaN {
            candidates[index].logit = -Float.infinity
        }
        let filters = (options.topK > 0 && options.topK < candidates.count) || options.topP < 1 || options.minP > 0
        if filters {
            candidates.sort { $0.logit != $1.logit ? $0.logit > $1.logit : $0.token < $1.token }
            if options.topK > 0 && options.topK < candidates.count {
                candidates.removeLast(candidates.count - options.topK)
            }
        }
        var highest = -Float.infinity
        for candidate in candidates { highest = max(highest, candidate.logit) }
        guard highest > -Float.infinity else { return candidates[0].token }
        if options.topP < 1 {
            var total: Double = 0
            for candidate in candidates { total += Double(expf(candidate.logit - highest)) }
            var sum: Double = 0
            var kept = 0
            for candidate in candidates {
                sum += Double(expf(candidate.logit - highest))
                kept += 1
                if sum >= Double(options.topP) * total { break }
            }
            candidates.removeLast(candidates.count - kept)
        }
        if options.minP > 0 {
            let least = highest + logf(options.minP)
            candidates.removeAll { $0.logit < least }
        }
        var total: Double = 0
        let scale = 1 / options.temperature
        for candidate in candidates { total += Double(expf((candidate.logit - highest) * scale)) }
        var point = Double.random(in: 0..<1, using: &random) * total
        for candidate in candidates {
            point -= Double(expf((candidate.logit - highest) * scale))
            if point < 0 { return candidate.token }
        }
        return candidates.last { $0.logit > -Float.infinity }?.token ?? candidates[0].token
    }
}
