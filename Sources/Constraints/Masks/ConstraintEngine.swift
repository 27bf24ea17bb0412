// SPDX-License-Identifier: Apache-2.0

import Patterns

/// Token masks for one constraint over one vocabulary.
///
/// A configuration is a plain value: keep several to go back or to try alternatives. The engine keeps what it has
/// learnt about the constraint - the machine's states and finished masks - for all sequences that use it, one thread at
/// a time.
///
///     let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
///     var configuration = engine.start()
///     engine.fillMask(configuration, into: &mask)
///     if let next = engine.commit(configuration, token) { configuration = next }
///
/// A token is allowed exactly when the text so far and the token's bytes can be completed to an accepted text by
/// further tokens. An end of generation is allowed exactly when the text so far is complete.
package final class ConstraintEngine {
    package let machine: any ConstraintMachine
    package let vocabulary: TokenVocabulary
    /// The machine if it is a schema's, so that the walks are compiled for it.
    let schemaMachine: SchemaMachine?
    /// The same for a grammar's.
    let grammarMachine: GrammarMachine?

    /// Whether bytes occur in accepted texts that are no tokens of their own, so that a viable text may have no tokens.
    ///
    /// Then each configuration a token leads to is checked for a completion in tokens, and nothing is filled in bulk.
    package let isGuarded: Bool
    let cache: MaskCache
    /// The configurations along the walk, by depth in the trie.
    let path: UnsafeMutablePointer<ConfigID>
    /// The places within keys along the walk.
    let keyPath: UnsafeMutablePointer<FiniteTexts.Position>
    /// What is known about them.
    let bodies: UnsafeMutablePointer<BodySummary>
    /// The same for a walk over plain content.
    let content: UnsafeMutablePointer<ContentState>
    /// A bit for each word of the last computed mask that was written to after its base, where ``isTracked``.
    let touched: UnsafeMutablePointer<UInt64>
    /// Whether the last computed mask was written by single tokens only, but for its base.
    @exclusivity(unchecked) var isTracked = false
    /// Words of the vocabulary that the last computed mask contains.
    @exclusivity(unchecked) var base: UnsafePointer<UInt64>?
    /// The steps of the schema's machine up to which the mask at hand may go on.
    @exclusivity(unchecked) var stepLimit = 0
    /// Whether some mask would have taken more steps than one may, and so lacks tokens of several bytes.
    @exclusivity(unchecked) package var hasCutMasks = false
    let summaries = BodySummaries()
    /// The numbers of the viable rests of closing tokens, by the configuration after the quote.
    @exclusivity(unchecked) var closerRests: [ConfigID: [UInt32]] = [:]
    /// Completions in tokens that have been worked out.
    @exclusivity(unchecked) var completions: [ConfigID: CompletionStep] = [:]
    /// The longest completion in bytes that one token may leave, by configuration.
    @exclusivity(unchecked) var reaches: [ConfigID: Int] = [:]
    /// The same for the rests of closing tokens, by the configuration after the quote.
    @exclusivity(unchecked) var restReaches: [ConfigID: Int] = [:]

    /// Combines a constraint and a vocabulary.
    ///
    /// - Parameter cacheLimit: The most bytes for finished masks; zero turns the cache off.
    /// - Throws: ``MaskError`` with code ``MaskError/Code/unspellable`` if the vocabulary lacks bytes that every
    ///   accepted text needs.
    package init(
        machine: any ConstraintMachine, vocabulary: TokenVocabulary, cacheLimit: Int = 64 << 20
    ) throws(MaskError) {
        self.machine = machine
        schemaMachine = machine as? SchemaMachine
        if let schemaMachine { schemaMachine.longestToken = max(schemaMachine.longestToken, vocabulary.longestToken) }
        grammarMachine = machine as? GrammarMachine
        if let grammarMachine {
            grammarMachine.longestToken = max(grammarMachine.longestToken, vocabulary.longestToken)
        }
        self.vocabulary = vocabulary
        isGuarded = !machine.alphabet.isSubset(of: vocabulary.singleBytes)
        cache = MaskCache(wordCapacity: vocabulary.wordCapacity, byteLimit: cacheLimit)
        path = .allocate(capacity: vocabulary.longestToken + 2)
        path.initialize(repeating: .dead, count: vocabulary.longestToken + 2)
        bodies = .allocate(capacity: vocabulary.longestToken + 2)
        bodies.initialize(repeating: .none, count: vocabulary.longestToken + 2)
        touched = .allocate(capacity: (vocabulary.wordCapacity + 63) >> 6)
        touched.initialize(repeating: 0, count: (vocabulary.wordCapacity + 63) >> 6)
        keyPath = .allocate(capacity: vocabulary.longestToken + 2)
        keyPath.initialize(repeating: .none, count: vocabulary.longestToken + 2)
        content = .allocate(capacity: vocabulary.longestToken + 2)
        content.initialize(
            repeating: ContentState(state: .dead, scalars: 0, lexer: .boundary), count: vocabulary.longestToken + 2
        )
        if machine.start.isDead || (isGuarded && completionStep(machine.start) == nil) {
            throw MaskError(
                code: .unspellable,
                message: "the vocabulary lacks bytes that every text accepted by the constraint needs"
            )
        }
    }

    deinit {
        path.deallocate()
        keyPath.deallocate()
        touched.deallocate()
        bodies.deallocate()
        content.deallocate()
    }

    /// The configuration before the first token.
    package func start() -> ConfigID { machine.start }

    /// Whether the text so far is complete.
    package func isComplete(_ configuration: ConfigID) -> Bool { machine.isAccepting(configuration) }

    /// The configuration after `token`, or nil if the token is not allowed.
    ///
    /// An end of generation has no text and leads nowhere: nil.
    ///
    /// - Complexity: O(*b*) in the token's byte length.
    package func commit(_ configuration: ConfigID, _ token: Int) -> ConfigID? {
        guard token >= 0, token < vocabulary.count else { return nil }
        let next: ConfigID
        if let schemaMachine {
            next = advance(schemaMachine, configuration, token)
        } else if let grammarMachine {
            next = advance(grammarMachine, configuration, token)
        } else {
            next = advance(machine, configuration, token)
        }
        if next.isDead || (isGuarded && completionStep(next) == nil) { return nil }
        return next
    }

    private func advance<Machine: ConstraintMachine>(
        _ machine: Machine, _ configuration: ConfigID, _ token: Int
    ) -> ConfigID {
        vocabulary.withBytes(of: token) { bytes in
            guard !bytes.isEmpty else { return .dead }
            var next = configuration
            for byte in bytes {
                next = machine.step(next, byte)
                if next.isDead { break }
            }
            return next
        }
    }

    /// The configuration after `bytes`, or nil if no accepted text continues that way.
    package func advance(_ configuration: ConfigID, _ bytes: some Sequence<UInt8>) -> ConfigID? {
        var next = configuration
        for byte in bytes {
            next = machine.step(next, byte)
            if next.isDead { return nil }
        }
        return next
    }

    /// Writes the tokens that may come next.
    ///
    /// - Precondition: `mask` has the vocabulary's token count.
    package func fillMask(_ configuration: ConfigID, into mask: inout TokenMask) {
        precondition(mask.tokenCount == vocabulary.count, "TokenMask and vocabulary differ in size")
        let words = mask.storage
        let key = machine.maskKey(configuration)
        if cache.read(key, into: words) { return }
        if configuration.isDead {
            clear(words)
        } else {
            compute(configuration, into: words)
            if machine.isAccepting(configuration) { addEnds(to: words) }
        }
        if configuration.isDead {
            cache.store(key, words)
        } else {
            cache.store(key, words, base: base, touched: isTracked ? UnsafePointer(touched) : nil)
        }
    }

    /// Takes all tokens out.
    func clear(_ words: UnsafeMutablePointer<UInt64>) {
        words.update(repeating: 0, count: vocabulary.wordCapacity)
    }

    /// Allows the ends of generation.
    func addEnds(to words: UnsafeMutablePointer<UInt64>) {
        for id in vocabulary.endOfGeneration { allow(UInt32(truncatingIfNeeded: id), words) }
    }

    /// Allows a token.
    @inline(__always)
    func allow(_ id: UInt32, _ words: UnsafeMutablePointer<UInt64>) {
        words[Int(id >> 6)] |= 1 << UInt64(id & 63)
        touched[Int(id >> 12)] |= 1 << UInt64(id >> 6 & 63)
    }
}
