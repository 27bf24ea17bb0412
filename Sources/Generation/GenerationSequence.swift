// SPDX-License-Identifier: Apache-2.0

package import Constraints
package import Inference
package import Tokenizers

/// The decode loop of one document as a state machine: it says what it needs from the model, and is told when it is there.
///
/// It never runs the model itself, so that one caller can drive one sequence and another many at once:
///
///     while true {
///         let step = try sequence.next()
///         if case .done(let result) = step { return result }
///         try model.append(sequence.takePending())
///         if case .logits = step {
///             try model.computeLogits()
///             try sequence.choose(model.logits)
///         }
///     }
package final class GenerationSequence {
    /// What comes next, after the tokens of ``takePending()`` were appended.
    package enum Step {
        /// ``choose(_:)`` needs logits: all, or those of some tokens.
        case logits(rows: [TokenID]?)
        /// ``search(_:_:)`` is to choose among texts.
        case values([ValueCandidate])
        /// The document is complete.
        case done(GenerationResult)
    }

    private let engine: ConstraintEngine?
    private let vocabulary: TokenVocabulary
    private let options: Generator.Options
    private let encode: (String) -> [TokenID]
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant

    /// Counts and times so far; the caller adds its own times.
    package var statistics = GenerationStatistics()
    private var config: ConfigID?
    private var sampler: Sampler
    private var mask: TokenMask
    private var output: [TokenID] = []
    private var pending: [TokenID] = []
    private var bytes: [UInt8] = []
    /// The tokens whose bytes ``takeTexts()`` gave out.
    private var given = 0
    private var finish = FinishReason.stop
    private let penalises: Bool
    private let choosesValues: Bool
    private var place = JSONPlace()
    private var lastValue = -1
    private var choices: [ValueProbabilities] = []
    private var hasEnded = false
    private var drafts: DraftFinder?
    /// How each token of ``output`` came, if that is asked for.
    private var origins: [TokenOrigin] = []
    /// How likely each token of ``output`` was, if that is asked for.
    private var likelihoods: [TokenProbability] = []
    /// How likely the token that is being taken was, where the model was asked.
    private var likelihood: TokenProbability?
    /// How many tokens could come where the last mask was made.
    private var allowedCount = 0

    /// Refuses what no model work is needed for.
    package static func check(
        prompt: [TokenID], options: Generator.Options, contextLength: Int
    ) throws(GenerationError) {
        if let problem = options.sampling.problems().first { throw GenerationError(.invalidOption, problem) }
        guard !prompt.isEmpty else { throw GenerationError(.invalidOption, "the prompt has no tokens") }
        let needed = prompt.count.addingReportingOverflow(options.maxTokens)
        guard !needed.overflow, needed.partialValue <= contextLength else {
            throw GenerationError(
                .contextTooSmall,
                "the prompt has \(prompt.count) tokens and the budget is \(options.maxTokens), but the context holds "
                    + "\(contextLength); shorten the input or lower the budget"
            )
        }
    }

    /// Begins a document.
    ///
    /// - Parameters:
    ///   - engine: The constraint, or nil where any text may come. Its vocabulary must be the model's.
    ///   - encode: The tokenizer's own spelling of a text, without control tokens.
    /// - Throws: ``GenerationError`` with ``GenerationError/Code/budgetTooSmall`` where the budget holds no document.
    package init(
        prompt: [TokenID], engine: ConstraintEngine?, vocabulary: TokenVocabulary, options: Generator.Options,
        encode: @escaping (String) -> [TokenID]
    ) throws(GenerationError) {
        self.engine = engine
        self.vocabulary = vocabulary
        self.options = options
        self.encode = encode
        began = clock.now
        config = engine?.start()
        if let engine, let config {
            let least = engine.minimumTokens(config)
            guard options.maxTokens >= least else {
                throw GenerationError(
                    .budgetTooSmall,
                    "the shortest document takes \(least) tokens and the budget is \(options.maxTokens); "
                        + "raise it to at least \(least)"
                )
            }
        }
        sampler = Sampler(options.sampling)
        mask = TokenMask(tokenCount: vocabulary.count)
        if engine == nil {
            for token in 0..<vocabulary.count where !vocabulary.bytes(of: token).isEmpty { mask.insert(token) }
            for token in vocabulary.endOfGeneration { mask.insert(token) }
            allowedCount = mask.count
        }
        penalises = options.sampling.repetitionPenalty != 1
        choosesValues = engine != nil && options.choosesWholeValues && options.sampling.temperature == 0 && !penalises
        statistics.promptTokens = prompt.count
        if options.usesDrafts { drafts = DraftFinder(prompt: prompt) }
    }

    /// Tokens that may come next, in the order in which the constraint lets them come: a guess, for the caller to have
    /// computed along with ``takePending()``. Empty where there is nothing to go by.
    package func draft() -> [TokenID] {
        guard let guess = drafts?.draft(), !guess.isEmpty else { return [] }
        let room = options.maxTokens - output.count - 1
        var allowed: [TokenID] = []
        var config = config
        for token in guess.prefix(max(room, 0)) {
            if vocabulary.endOfGeneration.contains(Int(token)) || vocabulary.bytes(of: Int(token)).isEmpty { break }
            if let engine, let from = config {
                guard let next = engine.commit(from, Int(token)) else { break }
                config = next
            }
            allowed.append(token)
        }
        return allowed
    }

    /// Learns how many tokens of a guess were chosen.
    package func noteDraft(accepted: Int, of count: Int) {
        drafts?.note(accepted: accepted, of: count)
        statistics.draftedTokens += count
        statistics.acceptedTokens += accepted
    }

    /// The tokens that were taken and that the model has not seen; they count as seen from here on.
    package func takePending() -> [TokenID] {
        defer { pending.removeAll(keepingCapacity: true) }
        return pending
    }

    /// Whether there are tokens for the model.
    package var hasPending: Bool { !pending.isEmpty }

    /// The bytes of each token that was taken since the last call.
    package func takeTexts() -> [[UInt8]] {
        defer { given = output.count }
        return output[given...].map { vocabulary.bytes(of: Int($0)) }
    }

    /// The bytes of each token that was taken since the last call, and how it came.
    ///
    /// Instead of ``takeTexts()``, where ``Generator/Options/reportsTokens`` is set.
    package func takeTokens() -> [(bytes: [UInt8], origin: TokenOrigin)] {
        defer { given = output.count }
        return (given..<output.count).map { index in
            (vocabulary.bytes(of: Int(output[index])), index < origins.count ? origins[index] : .forced)
        }
    }

    /// Takes all tokens that there is no choice about, and says what is needed for the next one.
    package func next() throws(GenerationError) -> Step {
        guard let engine, let config = config else { return nextOfAnyText() }
        let start = clock.now
        defer { statistics.constraintSeconds += (clock.now - start).seconds }
        return try next(engine, config)
    }

    private func next(_ engine: ConstraintEngine, _ first: ConfigID) throws(GenerationError) -> Step {
        var config = first
        while !hasEnded {
            let remaining = options.maxTokens - output.count
            if options.takesForcedTokens {
                let forced = forcedRun(engine: engine, config: config, output: output, remaining: remaining)
                for token in forced { config = try take(token, .forced, engine, config) }
                if !forced.isEmpty {
                    statistics.forcedTokens += forced.count
                    continue
                }
            }
            if choosesValues, place.valueCount != lastValue, place.isInsideValue || place.expectsValue {
                lastValue = place.valueCount
                let candidates = candidates(
                    engine: engine, config: config, output: output, isInsideString: place.isInsideValue,
                    remaining: remaining)
                if !candidates.isEmpty { return .values(candidates) }
            }
            engine.fillMask(config, into: &mask)
            let allowed = mask.count
            allowedCount = allowed
            if allowed == 0 {
                if engine.isComplete(config) { break }
                throw GenerationError(
                    .stuck, "no token can follow '\(String(decoding: bytes.suffix(80), as: UTF8.self))'")
            }
            if let only = allowed <= vocabulary.endOfGeneration.count ? mask.indices : nil,
                only.allSatisfy({ vocabulary.endOfGeneration.contains($0) })
            {
                break
            }
            if allowed == 1, let only = mask.single {
                config = try take(TokenID(only), .forced, engine, config)
                statistics.forcedTokens += 1
                continue
            }
            // Few choices need few rows of the output head, which is a third to three quarters of a small model's
            // weights.
            if options.computesMaskedHead, allowed <= vocabulary.count / Self.partialHeadShare {
                return .logits(rows: mask.indices.map { TokenID(truncatingIfNeeded: $0) })
            }
            return .logits(rows: nil)
        }
        return .done(result())
    }

    private func nextOfAnyText() -> Step {
        if output.count >= options.maxTokens, !hasEnded {
            hasEnded = true
            finish = .length
        }
        if hasEnded { return .done(result()) }
        return .logits(rows: nil)
    }

    /// Chooses the next token from the logits that ``next()`` asked for.
    package func choose(_ logits: UnsafeBufferPointer<Float>) throws(GenerationError) {
        let start = clock.now
        defer { statistics.samplingSeconds += (clock.now - start).seconds }
        guard let engine, let config else {
            guard let token = sampler.choose(logits: logits, mask: mask, penalised: penalised()) else {
                throw GenerationError(.stuck, "no token could be chosen")
            }
            if vocabulary.endOfGeneration.contains(Int(token)) {
                hasEnded = true
                return
            }
            measure(token, logits)
            note(token, .chosen(allowed: allowedCount))
            return
        }
        let remaining = options.maxTokens - output.count
        let penalised = penalised()
        // The budget is asked about the chosen token only: looking at what every allowed token would leave is work for
        // the whole vocabulary. Setting a token aside and choosing again is choosing among those that fit.
        var chosen: TokenID?
        for _ in 0..<Self.choiceLimit {
            guard let token = sampler.choose(logits: logits, mask: mask, penalised: penalised) else { break }
            if vocabulary.endOfGeneration.contains(Int(token)) {
                chosen = token
                break
            }
            guard let next = engine.commit(config, Int(token)) else {
                throw GenerationError(.stuck, "the constraint refused token \(token) that it had allowed")
            }
            if engine.fits(next, budget: remaining - 1) {
                chosen = token
                measure(token, logits)
                break
            }
            finish = .length
            mask.remove(Int(token))
        }
        if let chosen, vocabulary.endOfGeneration.contains(Int(chosen)) {
            hasEnded = true
            return
        }
        let origin = chosen == nil ? TokenOrigin.closing : .chosen(allowed: allowedCount)
        guard let token = chosen ?? engine.completion(config).first.map({ TokenID(truncatingIfNeeded: $0) }) else {
            // Only the end would fit, and the document is complete.
            guard engine.isComplete(config) else { throw GenerationError(.stuck, "no token could be chosen") }
            hasEnded = true
            return
        }
        _ = try take(token, origin, engine, config)
    }

    /// Lets the model choose among texts, where ``next()`` asked for it.
    ///
    /// - Parameter model: Its last token is the last one of ``takePending()``.
    /// - Returns: The tokens that were taken and that the model has seen already.
    package func search(
        _ candidates: [ValueCandidate], _ model: any LanguageModel
    ) throws(GenerationError) -> [TokenID] {
        guard let engine, var config = config else { return [] }
        let base = model.position
        let choice: ValueChooser.Choice?
        do {
            choice = try ValueChooser(candidates).choose(
                model: model, closers: { self.closers(engine) }, all: options.reportsProbabilities)
        } catch {
            throw Self.failure(error)
        }
        guard let choice else {
            model.truncate(to: base)
            return []
        }
        let chosen = candidates[choice.index]
        if options.reportsProbabilities {
            choices.append(
                ValueProbabilities(offset: bytes.count, candidates: candidates, choice.logProbabilities))
        }
        let kept = zip(choice.path, chosen.tokens).prefix { $0 == $1 }.count
        model.truncate(to: base + kept)
        for token in chosen.tokens { config = try take(token, .value(texts: candidates.count), engine, config) }
        pending.removeFirst(kept)
        return Array(chosen.tokens[..<kept])
    }

    /// Ends the document by the shortest way, without asking the model.
    ///
    /// - Returns: The result, complete and valid, or nil where there is no constraint to close it by.
    package func cutShort() throws(GenerationError) -> GenerationResult? {
        guard let engine, var config = config else { return nil }
        for token in engine.completion(config) {
            config = try take(TokenID(truncatingIfNeeded: token), .closing, engine, config)
        }
        hasEnded = true
        finish = .length
        return result()
    }

    /// The error for a failure of the model.
    package static func failure(_ error: InferenceError) -> GenerationError {
        GenerationError(.inference, "the model could not go on", cause: error)
    }

    private func result() -> GenerationResult {
        hasEnded = true
        statistics.outputTokens = output.count
        statistics.totalSeconds = (clock.now - began).seconds
        return GenerationResult(
            bytes: bytes, tokens: output, finishReason: finish, statistics: statistics, probabilities: choices,
            tokenProbabilities: likelihoods)
    }

    private func take(
        _ token: TokenID, _ origin: TokenOrigin, _ engine: ConstraintEngine, _ from: ConfigID
    ) throws(GenerationError) -> ConfigID {
        guard let next = engine.commit(from, Int(token)) else {
            throw GenerationError(.stuck, "the constraint refused token \(token) that it had allowed")
        }
        config = next
        note(token, origin)
        return next
    }

    /// Notes how likely a token is that is taken next.
    private func measure(_ token: TokenID, _ logits: UnsafeBufferPointer<Float>) {
        guard let count = options.reportedAlternatives else { return }
        likelihood = TokenProbability(of: token, logits: logits, mask: mask, count: count, vocabulary: vocabulary)
    }

    private func note(_ token: TokenID, _ origin: TokenOrigin) {
        output.append(token)
        if options.reportedAlternatives != nil {
            likelihoods.append(likelihood ?? TokenProbability(certain: token, vocabulary: vocabulary))
            likelihood = nil
        }
        if options.reportsTokens { origins.append(origin) }
        pending.append(token)
        drafts?.append(token)
        let text = vocabulary.bytes(of: Int(token))
        bytes.append(contentsOf: text)
        if penalises || choosesValues { place.advance(text) }
    }

    private func penalised() -> Set<TokenID> {
        guard penalises, engine == nil || place.isInsideValue else { return [] }
        return recentWords(output, options.sampling)
    }

    /// A mask of fewer than one token in this many computes its own rows of the output head: each row costs the group
    /// of 16 rows that it is packed in.
    private static let partialHeadShare = 32

    /// How many tokens are chosen that do not fit into the budget before the shortest completion is taken instead.
    private static let choiceLimit = 24

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
        _ output: [TokenID], _ options: SamplingOptions
    ) -> Set<TokenID> {
        var words: Set<TokenID> = []
        for token in output.suffix(options.repetitionWindow) where Self.carriesWord(vocabulary.bytes(of: Int(token))) {
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
    ) -> [ValueCandidate] {
        guard
            let alternatives = engine.alternatives(
                config, isInsideString: isInsideString, limit: Self.alternativeLimit)
        else { return [] }
        var recent: [UInt8] = []
        for token in output.suffix(3) { recent.append(contentsOf: engine.vocabulary.bytes(of: Int(token))) }
        var found: [ValueCandidate] = []
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
                found.append(ValueCandidate(alternative: alternative, tokens: tokens))
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

