// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Decides whether texts belong to a language; safe to share between threads.
///
///     let matcher = try PatternMatcher(try Pattern("^a+$"))
///     matcher.matches("aaa")   // true
///
/// Memory is bounded: when too many states have been made, all but the current one are dropped.
package final class PatternMatcher: Sendable {
    private let automaton: Mutex<Automaton>

    /// States after which the automaton is reduced to those in use.
    private static let stateLimit = 20_000

    /// A matcher that looks for a pattern anywhere in a text.
    package convenience init(_ pattern: Pattern) throws(PatternError) {
        try self.init(.pattern(pattern))
    }

    /// A matcher for a language.
    ///
    /// - Throws: ``PatternError`` if it uses what cannot be expressed, or exceeds the limits.
    package init(_ language: Language) throws(PatternError) {
        automaton = Mutex(try Automaton(language))
    }

    /// Whether the text belongs to the language.
    ///
    /// - Complexity: linear in the text.
    package func matches(_ text: String) -> Bool {
        automaton.withLock { automaton in
            var state = automaton.start
            for scalar in text.unicodeScalars {
                if automaton.stateCount > Self.stateLimit {
                    (automaton, state) = automaton.reduced(at: state)
                }
                state = automaton.transition(state, scalar: scalar)
                if state.isDead { return false }
                if automaton.acceptsEverything(state) { return true }
            }
            return automaton.isAccepting(state)
        }
    }
}
