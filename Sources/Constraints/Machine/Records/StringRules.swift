// SPDX-License-Identifier: Apache-2.0

import Patterns

/// A conjunction of string assertions.
struct StringRules: Hashable {
    var minLength = 0
    var maxLength: Int?
    /// Languages that the text must be in.
    var languages: [Language] = []
    /// UTF-8 texts that are not allowed.
    var excluded: Set<[UInt8]> = []
    /// The only allowed UTF-8 texts, where not nil.
    var finite: [[UInt8]]?

    mutating func add(_ language: Language) {
        if !languages.contains(language) { languages.append(language) }
    }

    /// Whether a pattern of the schema decides about the text.
    var hasPattern: Bool {
        languages.contains { language in
            switch language {
            case .pattern, .not(.pattern): true
            default: false
            }
        }
    }

    mutating func restrict(to texts: [[UInt8]]) {
        if let old = finite {
            let allowed = Set(texts)
            finite = old.filter { allowed.contains($0) }
        } else {
            finite = texts
        }
    }
}

/// The alternatives for a string value or an anonymous key, prepared for reading.
final class StringShape {
    let minLength: Int
    let maxLength: Int?
    /// The automaton of all languages and exclusions together.
    let automaton: Automaton?
    /// Spellings of the allowed texts, where they are finitely many.
    let finite: FiniteTexts?
    /// Whether the automaton allows printable ASCII only, beyond what the languages ask for.
    var isNarrowed = false
    /// Spellings of texts that are not allowed, where there is no automaton to say so.
    let excluded: FiniteTexts?

    init(
        minLength: Int = 0, maxLength: Int? = nil, automaton: Automaton? = nil, finite: FiniteTexts? = nil,
        excluded: FiniteTexts? = nil
    ) {
        self.minLength = minLength
        self.maxLength = maxLength
        self.automaton = automaton
        self.finite = finite
        self.excluded = excluded
    }

    /// Where counting scalars may stop; lengths beyond are equal.
    var lengthLimit: Int { maxLength ?? minLength }
}
