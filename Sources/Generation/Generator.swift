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

        package init(
            maxTokens: Int, sampling: SamplingOptions = .init(), takesForcedTokens: Bool = true,
            choosesWholeValues: Bool = false, reportsProbabilities: Bool = false
        ) {
            self.maxTokens = maxTokens
            self.sampling = sampling
            self.takesForcedTokens = takesForcedTokens
            self.choosesWholeValues = choosesWholeValues
            self.reportsProbabilities = reportsProbabilities
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
        let choosesValues = options.choosesWholeValues && options.sampling.temperature == 0 && !penalises
        var place = JSONPlace()
        var lastValue = -1
        var choices: [ValueProbabilities] = []

        func take(_ token: TokenID) throws(GenerationError) {
            guard let next = engine.commit(config, Int(token)) else {
                throw GenerationError(.stuck, "the constraint refused token \(token) that it had allowed")
            }
            config = next
            output.append(token)
            pending.append(token)
            let text = engine.vocabulary.bytes(of: Int(token))
            bytes.append(contentsOf: text)
            if penalises || choosesValues { place.advance(text) }
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
            if choosesValues, place.valueCount != lastValue, place.isInsideValue || place.expectsValue {
                lastValue = place.valueCount
                let candidates = candidates(
                    engine: engine, config: config, output: output, isInsideString: place.isInsideValue,
                    remaining: remaining)
                statistics.constraintSeconds += (clock.now - maskStart).seconds
                if !candidates.isEmpty {
                    try feed()
                    let start = clock.now
                    let choice: ValueChooser.Choice?
                    do {
                        choice = try ValueChooser(candidates).choose(
                            model: model, closers: { self.closers(engine) }, all: options.reportsProbabilities)
                    } catch {
                        throw failed(error)
                    }
                    statistics.decodeSeconds += (clock.now - start).seconds
                    if let choice {
                        let chosen = candidates[choice.index]
                        if options.reportsProbabilities {
                            choices.append(
                                ValueProbabilities(
                                    offset: bytes.count, candidates: candidates, choice.logProbabilities))
                        }
                        let kept = zip(choice.path, chosen.tokens).prefix { $0 == $1 }.count
                        model.truncate(to: seen.count + kept)
                        for token in chosen.tokens { try take(token) }
                        seen.append(contentsOf: chosen.tokens[..<kept])
                        pending.removeFirst(kept)
                        continue
                    }
                    model.truncate(to: seen.count)
                }
            }
            engine.fillMask(config, into: &mask)
            let allowed = mask.count
            if allowed == 0 {
                if engine.isComplete(config) { break }
                throw GenerationError(.stuck, "no token can follow '\(String(decoding: bytes.suffix(80), as: UTF8.self))'")
            }
            if let only = allowed <= engine.vocabulary.endOfGeneration.count ? mask.indices : nil,
                only.allSatisfy({ engine.vocabulary.endOfGeneration.contains($0) })
            {
                statistics.constraintSeconds += (clock.now - maskStart).seconds
                break
            }
            if allowed == 1, let only = mask.single {
                try take(TokenID(only))
                statistics.forcedTokens += 1
                statistics.constraintSeconds += (clock.now - maskStart).seconds
                continue
            }
            statistics.constraintSeconds += (clock.now - maskStart).seconds

            try feed()
            try look(mask, choices: allowed)
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
        return GenerationResult(
            bytes: bytes, tokens: output, finishReason: finish, statistics: statistics, probabilities: choices)
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

    // MARK: - Whole values

    /// The most texts of a value that are compared as wholes.
    private static let alternativeLimit = 64

    /// The texts that the value at hand can have, spelt as the tokenizer would, if they are few and fit the budget.
    private func candidates(
        engine: ConstraintEngine, config: ConfigID, output: [TokenID], isInsideString: Bool, remaining: Int
    ) -> [ValueChooser.Candidate] {
        guard
            let alternatives = engine.alternatives(
                config, isInsideString: isInsideString, limit: Self.alternativeLimit)
        else { return [] }
        var recent: [UInt8] = []
        for token in output.suffix(3) { recent.append(contentsOf: engine.vocabulary.bytes(of: Int(token))) }
        var found: [ValueChooser.Candidate] = []
        var spellings: Set<[TokenID]> = []
        for alternative in alternatives {
            let tokens = spell(alternative, after: recent, engine: engine)
            guard !tokens.isEmpty, tokens.count < remaining, spellings.insert(tokens).inserted else { return [] }
            var end = config
            for token in tokens {
                guard let next = engine.commit(end, Int(token)) else { return [] }
                end = next
            }
            if engine.fits(end, budget: remaining - tokens.count) {
                found.append(ValueChooser.Candidate(alternative: alternative, tokens: tokens))
            }
        }
        // Where the budget leaves out some of them, the choice by tokens knows how to say so.
        return found.count == alternatives.count ? found : []
    }

    /// The tokenizer's spelling of a text, up to its end or to the last token that does not reach over it.
    private func spell(
        _ alternative: ConstraintEngine.Alternative, after recent: [UInt8], engine: ConstraintEngine
    ) -> [TokenID] {
        let quote: [UInt8] = alternative.isString ? [UInt8(ascii: "\"")] : []
        guard let text = String(validating: recent + alternative.bytes + quote, as: UTF8.self) else { return [] }
        var tokens: [TokenID] = []
        var position = -recent.count
        for token in encode(text) {
            let length = engine.vocabulary.bytes(of: Int(token)).count
            guard length > 0 else { return [] }
            if position >= 0 {
                // Not through the end: what follows may belong to the same token.
                if position + length > alternative.bytes.count { break }
                tokens.append(token)
            } else if position + length > 0 {
                return []
            }
            position += length
        }
        return position == alternative.bytes.count ? tokens : []
    }

    /// The tokens that begin with a closing quote.
    private func closers(_ engine: ConstraintEngine) -> [TokenID] {
        (0..<engine.vocabulary.count).filter { engine.vocabulary.bytes(of: $0).first == UInt8(ascii: "\"") }
            .map { TokenID(truncatingIfNeeded: $0) }
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
