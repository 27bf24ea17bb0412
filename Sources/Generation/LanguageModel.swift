// SPDX-License-Identifier: Apache-2.0

package import Inference
package import Tokenizers

/// What the decode loop needs from a model: one sequence with a key-value cache.
///
/// `InferenceSession` is the real one; tests use small models written down in code.
package protocol LanguageModel: AnyObject {
    /// Tokens that the sequence can hold in all.
    var contextLength: Int { get }
    /// Tokens in the cache.
    var position: Int { get }
    /// A prompt's state is the same however much of it was there before, if that is a multiple of so many tokens.
    var reuseUnit: Int { get }
    /// Appends tokens of the prompt without computing logits.
    func appendPrompt(_ tokens: [TokenID]) throws(InferenceError)
    /// Appends tokens without computing logits.
    func append(_ tokens: [TokenID]) throws(InferenceError)
    /// Whether ``appendDraft(_:)`` gives the same logits as appending one token after another.
    var takesDrafts: Bool { get }
    /// Appends tokens and computes the logits after each.
    func appendDraft(_ tokens: [TokenID]) throws(InferenceError)
    /// The logits after the token with that index in the last ``appendDraft(_:)``.
    func logits(at index: Int) -> UnsafeBufferPointer<Float>
    /// Computes all ``logits`` after the last token.
    func computeLogits() throws(InferenceError)
    /// Computes the ``logits`` of some tokens only; the others are left as they are.
    func computeLogits(rows: [TokenID]) throws(InferenceError)
    /// One logit per token of the vocabulary.
    var logits: UnsafeBufferPointer<Float> { get }
    /// Forgets all tokens from `position` on.
    func truncate(to position: Int)
}

extension LanguageModel {
    package var reuseUnit: Int { 1 }
    package func appendPrompt(_ tokens: [TokenID]) throws(InferenceError) { try append(tokens) }
    package var takesDrafts: Bool { false }
    package func appendDraft(_ tokens: [TokenID]) throws(InferenceError) { try append(tokens) }
    package func logits(at index: Int) -> UnsafeBufferPointer<Float> { logits }
}

extension InferenceSession: LanguageModel {
    package var reuseUnit: Int { model.isExactInBatches ? 1 : Self.promptBlock }
    package func appendPrompt(_ tokens: [TokenID]) throws(InferenceError) { try prefillWithoutLogits(tokens) }
    package func append(_ tokens: [TokenID]) throws(InferenceError) { try decodeWithoutLogits(tokens) }
    package var takesDrafts: Bool { model.isExactInBatches }
    package func appendDraft(_ tokens: [TokenID]) throws(InferenceError) { try decode(tokens, logitsAtAll: true) }
}
