// SPDX-License-Identifier: Apache-2.0

/// A set of texts, described by patterns, literals, formats and Boolean operations.
///
///     let language = Language.all([.pattern(try Pattern("^a")), .not(.literals(["a", "ab"]))])
///     let automaton = try Automaton(language)
package indirect enum Language: Hashable, Sendable {
    /// The texts in which the pattern is found somewhere.
    case pattern(Pattern)
    /// The texts that the pattern matches from beginning to end.
    case wholeMatch(Pattern)
    /// Exactly these texts.
    case literals([String])
    /// All texts that are not in the language.
    case not(Language)
    /// The texts in all the languages.
    case all([Language])
    /// The texts in at least one of the languages.
    case any([Language])
    /// All texts.
    case everything
    /// The texts that occur in a reference text.
    case substring(of: ReferenceText)
    /// The texts of a format: exactly where the format is regular, otherwise a sound subset, which cannot be negated.
    case format(KnownFormat)
}
