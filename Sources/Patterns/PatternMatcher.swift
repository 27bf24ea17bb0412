// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Decides whether texts belong to a language; safe to share between threads.
///
///     let matcher = try PatternMatcher(try Pattern("^a+$"))
///     matcher.matches("aaa")   // true
package final class PatternMatcher: Sendable {
    private let automaton: Mutex<Automaton>

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
    package func matches(_ text: String) -> Bool {
        automaton.withLock { $0.matches(text) }
    }
}
