// SPDX-License-Identifier: Apache-2.0

package import Constraints
import Inference
package import Tokenizers

/// Runs the decode loop of one sequence: mask, choose, commit, jump over what is forced, finish inside the budget.
///
/// The generator keeps the tokens that the model has seen, so that a following prompt with the same beginning only pays
/// for the rest.
package final class Generator {
    /// Limits and choices of one generation.
    package struct Options: Sendable {
        /// The most tokens that the document may have.
        package var maxTokens: Int
        package var sampling: SamplingOptions
        /// Whether runs of bytes without a choice are taken in the tokenizer's own spelling without asking the model.
        package var takesForcedTokens: Bool
        /// Whether a greedy choice among the few texts of an `enum` or a boolean goes by the probability of each text as
        /// a whole, not token by token. Without effect where the temperature is above 0.
        package var choosesWholeValues: Bool
        /// Whether the probabilities of all texts of such a value are computed and reported.
        package var reportsProbabilities: Bool
        /// Whether only the logits that the mask allows are computed where they are few. The document is the same.
        package var computesMaskedHead: Bool
        /// Whether tokens are guessed from the prompt and computed together. The document is the same.
        package var usesDrafts: Bool
        /// Whether it is told of each token how it came: ``GenerationEvent/token(_:_:)``.
        package var reportsTokens = false
        /// How many of the likeliest tokens are told with the probability of each token, or nil where none is told:
        /// ``GenerationResult/tokenProbabilities``.
        package var reportedAlternatives: Int?

        package init(
            maxTokens: Int, sampling: SamplingOptions = .init(), takesForcedTokens: Bool = true,
            choosesWholeValues: Bool = false, reportsProbabilities: Bool = false,
            computesMaskedHead: Bool = true, usesDrafts: Bool = true
        ) {
            self.maxTokens = maxTokens
            self.sampling = sampling
            self.takesForcedTokens = takesForcedTokens
            self.choosesWholeValues = choosesWholeValues
            self.reportsProbabilities = reportsProbabilities
            self.computesMaskedHead = computesMaskedHead
            self.usesDrafts = usesDrafts
        }
    }

    private let model: any LanguageModel
    /// The tokenizer's own spelling of a text, without control tokens.
    private let encode: (String) -> [TokenID]
    /// What the model's cache holds.
    private var seen: [TokenID] = []
    /// How many of them came as a prompt.
    private var seenPrompt = 0

    package init(model: any LanguageModel, encode: @escaping (String) -> [TokenID]) {
        self.model = model
        self.encode = encode
    }

    package convenience init(model: any LanguageModel, tokenizer: Tokenizer) {
        self.init(model: model) { tokenizer.encode($0, addSpecial: false, parseSpecial: false) }
    }

    /// Generates one document.
    ///
    /// - Parameters:
    ///   - prompt: The prompt's tokens; at least one.
    ///   - engine: The constraint. Its vocabulary must be the model's.
    ///   - onBytes: Receives the document's bytes as they become certain.
    ///   - isCancelled: Asked before each step.
    /// - Returns: A document that the constraint accepts, of at most ``Options/maxTokens`` tokens.
    /// - Throws: ``GenerationError``; with ``GenerationError/Code/budgetTooSmall`` before any work where the budget
    ///   holds no document.
    package func generate(
        prompt: [TokenID], engine: ConstraintEngine, options: Options,
        onBytes: ([UInt8]) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws(GenerationError) -> GenerationResult {
        let clock = ContinuousClock()
        try GenerationSequence.check(prompt: prompt, options: options, contextLength: model.contextLength)
        let sequence = try GenerationSequence(
            prompt: prompt, engine: engine, vocabulary: engine.vocabulary, options: options, encode: encode)
        let new = rewind(to: prompt)
        sequence.statistics.cachedPromptTokens = prompt.count - new.count

        // The prompt first, by itself: time to first token is what people wait for.
        let start = clock.now
        try run { () throws(InferenceError) in try model.appendPrompt(new) }
        seen.append(contentsOf: new)
        seenPrompt = seen.count
        sequence.statistics.prefillSeconds += (clock.now - start).seconds

        // Guessed tokens that the model has seen beyond `seen`, and the place of the logits after `seen` among theirs.
        var draft: [TokenID] = []
        var drafted = 0
        var row: Int?
        while true {
            if isCancelled() { throw GenerationError(.cancelled, "the request was cancelled") }
            let step = try sequence.next()
            for text in sequence.takeTexts() { onBytes(text) }
            if case .done(let result) = step { return result }
            let start = clock.now
            var pending = sequence.takePending()
            if let known = row {
                let matched = zip(pending, draft).prefix { $0 == $1 }.count
                seen.append(contentsOf: pending[..<matched])
                pending.removeFirst(matched)
                draft.removeFirst(matched)
                if pending.isEmpty, case .logits = step {
                    row = known + matched
                    try sequence.choose(model.logits(at: known + matched))
                    for text in sequence.takeTexts() { onBytes(text) }
                    continue
                }
                sequence.noteDraft(accepted: drafted - draft.count, of: drafted)
                row = nil
                draft = []
                if pending.isEmpty, let last = seen.popLast() { pending = [last] }
                model.truncate(to: seen.count)
            }
            if case .logits(rows: nil) = step, pending.count == 1, model.takesDrafts,
                model.position + 1 < model.contextLength
            {
                draft = Array(sequence.draft().prefix(model.contextLength - model.position - 1))
                if !draft.isEmpty {
                    let tokens = pending + draft
                    try run { () throws(InferenceError) in try model.appendDraft(tokens) }
                    seen.append(contentsOf: pending)
                    drafted = draft.count
                    row = 0
                    sequence.statistics.decodeSeconds += (clock.now - start).seconds
                    try sequence.choose(model.logits(at: 0))
                    for text in sequence.takeTexts() { onBytes(text) }
                    continue
                }
            }
            if !pending.isEmpty {
                try run { () throws(InferenceError) in try model.append(pending) }
                seen.append(contentsOf: pending)
            }
            switch step {
            case .done: break
            case .logits(let rows):
                try run { () throws(InferenceError) in
                    if let rows { try model.computeLogits(rows: rows) } else { try model.computeLogits() }
                }
                sequence.statistics.decodeSeconds += (clock.now - start).seconds
                try sequence.choose(model.logits)
            case .values(let candidates):
                do {
                    let kept = try sequence.search(candidates, model)
                    seen.append(contentsOf: kept)
                } catch {
                    throw error.code == .inference ? failed(error) : error
                }
                sequence.statistics.decodeSeconds += (clock.now - start).seconds
            }
            for text in sequence.takeTexts() { onBytes(text) }
        }
    }

    private func run(_ work: () throws(InferenceError) -> Void) throws(GenerationError) {
        do {
            try work()
        } catch {
            throw failed(GenerationSequence.failure(error))
        }
    }

    /// What the cache holds is not known after a failure.
    private func failed(_ error: GenerationError) -> GenerationError {
        seen.removeAll()
        seenPrompt = 0
        model.truncate(to: 0)
        return error
    }

    /// Keeps the longest common beginning of the cache and `prompt`, and returns what must still be fed.
    private func rewind(to prompt: [TokenID]) -> [TokenID] {
        var common = 0
        // At least one token is fed: the logits after the prompt are needed.
        let unit = model.reuseUnit
        // Where a prompt is computed in another way than what follows it, only the former prompt can be used again.
        let limit = min(unit == 1 ? seen.count : seenPrompt, prompt.count - 1, model.position)
        while common < limit && seen[common] == prompt[common] { common += 1 }
        common -= common % unit
        model.truncate(to: common)
        seen.removeLast(seen.count - common)
        return Array(prompt[common...])
    }

}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
