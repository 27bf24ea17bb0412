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

        package init(maxTokens: Int, sampling: SamplingOptions = .init(), takesForcedTokens: Bool = true) {
            self.maxTokens = maxTokens
            self.sampling = sampling
            self.takesForcedTokens = takesForcedTokens
        }
    }

    private let model: any LanguageModel
    /// The tokenizer's own spelling of a text, without control tokens.
    private let encode: (String) -> [TokenID]
    /// What the model's cache holds.
    private var seen: [TokenID] = []

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
        let began = clock.now
        if let problem = options.sampling.problems().first { throw GenerationError(.invalidOption, problem) }
        guard !prompt.isEmpty else { throw GenerationError(.invalidOption, "the prompt has no tokens") }

        var config = engine.start()
        let least = engine.minimumTokens(config)
        guard options.maxTokens >= least else {
            throw GenerationError(
                .budgetTooSmall,
                "the shortest document takes \(least) tokens and the budget is \(options.maxTokens); "
                    + "raise it to at least \(least)"
            )
        }
        let needed = prompt.count.addingReportingOverflow(options.maxTokens)
        guard !needed.overflow, needed.partialValue <= model.contextLength else {
            throw GenerationError(
                .contextTooSmall,
                "the prompt has \(prompt.count) tokens and the budget is \(options.maxTokens), but the context holds "
                    + "\(model.contextLength); shorten the input or lower the budget"
            )
        }

        var statistics = GenerationStatistics()
        statistics.promptTokens = prompt.count
        var pending = rewind(to: prompt)
        statistics.cachedPromptTokens = prompt.count - pending.count

        var sampler = Sampler(options.sampling)
        var mask = TokenMask(tokenCount: engine.vocabulary.count)
        var output: [TokenID] = []
        var bytes: [UInt8] = []
        var finish = FinishReason.stop
        let penalises = options.sampling.repetitionPenalty != 1
        var place = JSONPlace()

        func take(_ token: TokenID) throws(GenerationError) {
            guard let next = engine.commit(config, Int(token)) else {
                throw GenerationError(.stuck, "the constraint refused token \(token) that it had allowed")
            }
            config = next
            output.append(token)
            pending.append(token)
            let text = engine.vocabulary.bytes(of: Int(token))
            bytes.append(contentsOf: text)
            if penalises { place.advance(text) }
            onBytes(text)
        }

        func feed() throws(GenerationError) {
            guard !pending.isEmpty else { return }
            let start = clock.now
            do {
                try model.append(pending)
            } catch {
                throw failed(error)
            }
            seen.append(contentsOf: pending)
            pending.removeAll(keepingCapacity: true)
            let seconds = (clock.now - start).seconds
            if seen.count <= prompt.count { statistics.prefillSeconds += seconds } else { statistics.decodeSeconds += seconds }
        }

        /// Computes the logits that the choice is made from. Few choices need few rows of the output head, which is a
        /// third to three quarters of a small model's weights.
        func look(_ mask: borrowing TokenMask, choices: Int) throws(GenerationError) {
            let start = clock.now
            do {
                if choices <= engine.vocabulary.count / Self.partialHeadShare {
                    try model.computeLogits(rows: mask.indices.map { TokenID(truncatingIfNeeded: $0) })
                } else {
                    try model.computeLogits()
                }
            } catch {
                throw failed(error)
            }
            statistics.decodeSeconds += (clock.now - start).seconds
        }

        // The prompt first, by itself: time to first token is what people wait for.
        try feed()
        while true {
            if isCancelled() { throw GenerationError(.cancelled, "the request was cancelled") }
            let remaining = options.maxTokens - output.count
            let maskStart = clock.now
            if options.takesForcedTokens {
                let forced = forcedRun(engine: engine, config: config, output: output, remaining: remaining)
                for token in forced { try take(token) }
                if !forced.isEmpty {
                    statistics.forcedTokens += forced.count
                    statistics.constraintSeconds += (clock.now - maskStart).seconds
                    continue
                }
            }
            engine.fillMask(config, into: &mask)
            let choices = mask.count
            if choices == 0 {
                if engine.isComplete(config) { break }
                throw GenerationError(.stuck, "no token can follow '\(String(decoding: bytes.suffix(80), as: UTF8.self))'")
            }
            if let only = choices <= engine.vocabulary.endOfGeneration.count ? mask.indices : nil,
                only.allSatisfy({ engine.vocabulary.endOfGeneration.contains($0) })
            {
                statistics.constraintSeconds += (clock.now - maskStart).seconds
                break
            }
            if choices == 1, let only = mask.single {
                try take(TokenID(only))
                statistics.forcedTokens += 1
                statistics.constraintSeconds += (clock.now - maskStart).seconds
                continue
            }
            statistics.constraintSeconds += (clock.now - maskStart).seconds

            try feed()
            try look(mask, choices: choices)
            let sampleStart = clock.now
            let penalised = penalises && place.isInsideValue
                ? recentWords(output, engine: engine, options.sampling) : []
            // The budget is asked about the chosen token only: looking at what every allowed token would leave is work
            // for the whole vocabulary. Setting a token aside and choosing again is choosing among those that fit.
            var chosen: TokenID?
            for _ in 0..<Self.choiceLimit {
                guard let token = sampler.choose(logits: model.logits, mask: mask, penalised: penalised) else { break }
                if engine.vocabulary.endOfGeneration.contains(Int(token)) {
                    chosen = token
                    break
                }
                guard let next = engine.commit(config, Int(token)) else {
                    throw GenerationError(.stuck, "the constraint refused token \(token) that it had allowed")
                }
                if engine.fits(next, budget: remaining - 1) {
                    chosen = token
                    break
                }
                finish = .length
                mask.remove(Int(token))
            }
            statistics.samplingSeconds += (clock.now - sampleStart).seconds
            if let chosen, engine.vocabulary.endOfGeneration.contains(Int(chosen)) { break }
            guard let token = chosen ?? engine.completion(config).first.map({ TokenID(truncatingIfNeeded: $0) }) else {
                // Only the end would fit, and the document is complete.
                if engine.isComplete(config) { break }
                throw GenerationError(.stuck, "no token could be chosen")
            }
            let commitStart = clock.now
            try take(token)
            statistics.constraintSeconds += (clock.now - commitStart).seconds
        }
        statistics.outputTokens = output.count
        statistics.totalSeconds = (clock.now - began).seconds
        return GenerationResult(bytes: bytes, tokens: output, finishReason: finish, statistics: statistics)
    }

    /// A mask of fewer than one token in this many computes its own rows of the output head: each row costs the group
    /// of 16 rows that it is packed in.
    private static let partialHeadShare = 32

    private func failed(_ error: InferenceError) -> GenerationError {
        seen.removeAll()
        model.truncate(to: 0)
        return GenerationError(.inference, "the model could not go on", cause: error)
    }

    /// How many tokens are chosen that do not fit into the budget before the shortest completion is taken instead.
    private static let choiceLimit = 24

    /// Keeps the longest common beginning of the cache and `prompt`, and returns what must still be fed.
    private func rewind(to prompt: [TokenID]) -> [TokenID] {
        var common = 0
        // At least one token is fed: the logits after the prompt are needed.
        let limit = min(seen.count, prompt.count - 1, model.position)
        while common < limit && seen[common] == prompt[common] { common += 1 }
        model.truncate(to: common)
        seen.removeLast(seen.count - common)
        return Array(prompt[common...])
    }

    /// Whether a token is text of a word: letters, and nothing that could end a string.
    private static func carriesWord(_ bytes: [UInt8]) -> Bool {
        var letters = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return false }
            if byte >= 0x80 || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) { letters = true }
        }
        return letters
    }

    /// Tokens used lately that carry words.
    private func recentWords(
        _ output: [TokenID], engine: ConstraintEngine, _ options: SamplingOptions
    ) -> Set<TokenID> {
        var words: Set<TokenID> = []
        for token in output.suffix(options.repetitionWindow) where Self.carriesWord(engine.vocabulary.bytes(of: Int(token))) {
            words.insert(token)
        }
        return words
    }

    // MARK: - Forced tokens

    /// The tokens that spell the bytes which must come next, as the tokenizer itself would spell them.
    ///
    /// Trailing tokens that could merge with what follows are left to the model: forcing them would put the model into
    /// a spelling that it has never seen.
    private func forcedRun(
        engine: ConstraintEngine, config: ConfigID, output: [TokenID], remaining: Int
    ) -> [TokenID] {
        var recent: [UInt8] = []
        for token in output.suffix(3) { recent.append(contentsOf: engine.vocabulary.bytes(of: Int(token))) }
        // Bytes of a character that began earlier cannot be encoded as text.
        var tokens = engine.forcedTokens(config, after: recent) { bytes in
            String(validating: bytes, as: UTF8.self).map { encode($0).map(Int.init) } ?? []
        }
        if tokens.isEmpty { return [] }
        var configs: [ConfigID] = [config]
        for token in tokens {
            guard let last = configs.last, let next = engine.commit(last, token) else { return [] }
            configs.append(next)
        }
        // The run must leave room for the rest of the document.
        while !tokens.isEmpty,
            tokens.count > remaining || engine.minimumTokens(configs[tokens.count]) > remaining - tokens.count
        {
            tokens.removeLast()
        }
        return tokens.map { TokenID(truncatingIfNeeded: $0) }
    }
}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
