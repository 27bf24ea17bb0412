// SPDX-License-Identifier: Apache-2.0

import Constraints

/// Masks found by stepping the machine through each token on its own, to compare with.
final class NaiveMasks {
    private let engine: ConstraintEngine
    /// The same constraint without finished masks, so that both ways are compared.
    private let uncached: ConstraintEngine
    private let ends: Set<Int>

    init(_ engine: ConstraintEngine) throws {
        self.engine = engine
        uncached = try ConstraintEngine(machine: engine.machine, vocabulary: engine.vocabulary, cacheLimit: 0)
        ends = Set(engine.vocabulary.endOfGeneration)
    }

    /// What is wrong about a state's mask; nil where it is right.
    ///
    /// Checked are the mask of the engine with its cache, the mask without, and the one under a budget.
    func difference(_ configuration: ConfigID, _ mask: borrowing TokenMask, left: Int) -> String? {
        let vocabulary = engine.vocabulary
        let machine = engine.machine
        var other = TokenMask(tokenCount: vocabulary.count)
        uncached.fillMask(configuration, into: &other)
        var budgeted = TokenMask(tokenCount: vocabulary.count)
        engine.fillMask(configuration, budget: left, into: &budgeted)
        let isAccepting = machine.isAccepting(configuration)
        for token in 0..<vocabulary.count {
            var isAllowed = false
            if ends.contains(token) {
                isAllowed = isAccepting
            } else {
                let bytes = vocabulary.bytes(of: token)
                var next = configuration
                for byte in bytes where !next.isDead { next = machine.step(next, byte) }
                isAllowed = !bytes.isEmpty && !next.isDead && (!engine.isGuarded || engine.minimumTokens(next) < .max)
                if budgeted.contains(token), isAllowed, !engine.fits(next, budget: left - 1) {
                    return "token \(token) does not fit into the budget of \(left)"
                }
            }
            // A mask whose computation met its bound lacks tokens of several bytes, and nothing else.
            let mayLack = isAllowed && !ends.contains(token) && vocabulary.bytes(of: token).count > 1
            if mask.contains(token) != isAllowed, !(mayLack && engine.hasCutMasks) {
                return "token \(token) is \(isAllowed ? "viable" : "not viable") in spite of its mask"
            }
            if other.contains(token) != isAllowed, !(mayLack && uncached.hasCutMasks) {
                return "token \(token) is \(isAllowed ? "viable" : "not viable") in spite of its mask without a cache"
            }
            if budgeted.contains(token), !isAllowed { return "token \(token) is allowed under a budget only" }
        }
        if !configuration.isDead, left >= engine.minimumTokens(configuration), budgeted.isEmpty {
            return "no token fits into the budget of \(left)"
        }
        return nil
    }
}
