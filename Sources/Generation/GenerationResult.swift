// SPDX-License-Identifier: Apache-2.0

public import Tokenizers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a generation ended.
public enum FinishReason: String, Sendable, Hashable {
    /// The model ended the document, or nothing more could follow.
    case stop
    /// The budget shortened the document. It is complete and valid all the same.
    case length
}

/// What a generation produced, and what it cost.
public struct GenerationResult: Sendable {
    /// The document's bytes: UTF-8 that the constraint accepts in full.
    public var bytes: [UInt8]
    /// The document's tokens, without the end-of-generation token.
    public var tokens: [TokenID]
    public var finishReason: FinishReason
    public var statistics: GenerationStatistics
    /// How likely each text of the document's enums and booleans was, if that was asked for.
    public var probabilities: [ValueProbabilities]
    /// How likely each token was, if that was asked for.
    package var tokenProbabilities: [TokenProbability] = []

    /// The document as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// How likely the model found each text that a value could have, among these texts alone.
public struct ValueProbabilities: Sendable, Hashable {
    /// Where the choice began, as a byte offset in the document: the value's first byte, or the one after its quote.
    public var offset: Int
    /// The texts with their probabilities, likeliest first; the probabilities add up to 1.
    public var alternatives: [Alternative]

    /// A text and its probability.
    public struct Alternative: Sendable, Hashable {
        /// The value's text from ``ValueProbabilities/offset`` on, as it is spelt in JSON, without a closing quote.
        public var text: String
        public var probability: Double
    }

    init(offset: Int, candidates: [ValueCandidate], _ logProbabilities: [Double?]) {
        self.offset = offset
        let top = logProbabilities.compactMap { $0 }.max() ?? 0
        let weights = logProbabilities.map { $0.map { exp($0 - top) } ?? 0 }
        let total = weights.reduce(0, +)
        alternatives = zip(candidates, weights)
            .map { Alternative(text: String(decoding: $0.alternative.bytes, as: UTF8.self), probability: $1 / total) }
            .sorted { ($1.probability, $0.text) < ($0.probability, $1.text) }
    }
}

/// Counts and times of one generation. Times are in seconds.
public struct GenerationStatistics: Sendable, Hashable {
    /// Tokens of the prompt.
    public var promptTokens = 0
    /// Those of them that were in the cache already.
    public var cachedPromptTokens = 0
    /// Tokens of the document.
    public var outputTokens = 0
    /// Those of them that the constraint left no choice about: they cost no output head and no sampling.
    public var forcedTokens = 0
    /// Tokens that were guessed, and those of them that were chosen then.
    public var draftedTokens = 0
    public var acceptedTokens = 0
    /// Time to work through the prompt, with the first logits.
    public var prefillSeconds = 0.0
    /// Time spent in the model after the prompt.
    public var decodeSeconds = 0.0
    /// Time spent on masks, commits and forced runs.
    public var constraintSeconds = 0.0
    /// Time spent on choosing tokens.
    public var samplingSeconds = 0.0
    /// Everything, from the call to the last token.
    public var totalSeconds = 0.0

    public init() {}
}
