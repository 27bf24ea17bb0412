// SPDX-License-Identifier: Apache-2.0

package import Constraints
package import Tokenizers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How likely the model found a token, among the tokens that the constraint allowed in its place.
///
/// Before temperature and penalties. A token without an alternative is certain.
package struct TokenProbability: Sendable, Hashable {
    package struct Alternative: Sendable, Hashable {
        package var token: TokenID
        package var bytes: [UInt8]
        /// The natural logarithm of its probability.
        package var logProbability: Float
    }

    package var token: Alternative
    /// The likeliest allowed tokens, the likeliest first.
    package var alternatives: [Alternative]

    /// A token that the constraint left no choice about.
    init(certain token: TokenID, vocabulary: TokenVocabulary) {
        self.token = Alternative(token: token, bytes: vocabulary.bytes(of: Int(token)), logProbability: 0)
        alternatives = [self.token]
    }

    /// - Parameters:
    ///   - mask: The allowed tokens.
    ///   - count: How many alternatives are told.
    /// - Complexity: O(allowed tokens).
    init(
        of token: TokenID, logits: UnsafeBufferPointer<Float>, mask: borrowing TokenMask, count: Int,
        vocabulary: TokenVocabulary
    ) {
        var highest = -Float.infinity
        mask.forEach { if $0 < logits.count, logits[$0] > highest { highest = logits[$0] } }
        var sum = 0.0
        var best: [(token: Int, logit: Float)] = []
        mask.forEach { index in
            guard index < logits.count, logits[index].isFinite else { return }
            let logit = logits[index]
            sum += Double(expf(logit - highest))
            guard count > 0, best.count < count || logit > best[best.count - 1].logit else { return }
            if best.count == count { best.removeLast() }
            let place = best.firstIndex { $0.logit < logit } ?? best.count
            best.insert((index, logit), at: place)
        }
        // A model of NaN and infinities alone makes all tokens as likely as each other.
        let base = highest.isFinite && sum > 0 ? highest + Float(log(sum)) : 0
        func alternative(_ index: Int) -> Alternative {
            let logit = index < logits.count && logits[index].isFinite ? logits[index] - base : -9999
            return Alternative(
                token: TokenID(truncatingIfNeeded: index), bytes: vocabulary.bytes(of: index),
                logProbability: min(logit, 0))
        }
        self.token = alternative(Int(token))
        alternatives = best.map { alternative($0.token) }
    }
}
