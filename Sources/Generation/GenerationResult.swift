// SPDX-License-Identifier: Apache-2.0

public import Tokenizers

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

    /// The document as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
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
