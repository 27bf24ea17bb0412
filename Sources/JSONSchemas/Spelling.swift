// SPDX-License-Identifier: Apache-2.0

/// Suggestions for misspelt names.
enum Spelling {
    /// Words that may have been meant, made ready for comparison.
    struct Lexicon: Sendable {
        fileprivate struct Entry {
            var word: String
            var letters: [Unicode.Scalar]
            var marks: UInt64
        }

        fileprivate let entries: [Entry]

        init(_ words: some Sequence<String>) {
            entries = words.map { word in
                let letters = Spelling.letters(of: word)
                return Entry(word: word, letters: letters, marks: Spelling.marks(letters))
            }
        }

        /// The word most like another one, if one is close enough to be what was meant.
        func closest(to word: String) -> String? {
            let wanted = Spelling.letters(of: word)
            guard !wanted.isEmpty else { return nil }
            let limit = max(1, wanted.count / 3)
            let marks = Spelling.marks(wanted)
            var best: (word: String, distance: Int)?
            for entry in entries {
                // An edit changes the length by one at most, and the set of letters by two.
                guard abs(entry.letters.count - wanted.count) <= limit,
                    (entry.marks ^ marks).nonzeroBitCount <= 2 * limit
                else { continue }
                let distance = Spelling.distance(wanted, entry.letters)
                if distance <= limit, distance < (best?.distance ?? Int.max) { best = (entry.word, distance) }
            }
            return best?.word
        }
    }

    /// The candidate most like `word`, if one is close enough to be what was meant.
    static func closest(to word: String, among candidates: [String]) -> String? {
        candidates.count <= 2_000 ? Lexicon(candidates).closest(to: word) : nil
    }

    /// The candidates within a number of edits of `word`, with that number, nearest first.
    static func near(_ word: String, among candidates: [String], limit: Int) -> [(word: String, distance: Int)] {
        let wanted = letters(of: word)
        guard !wanted.isEmpty, candidates.count <= 2_000 else { return [] }
        let marks = marks(wanted)
        return candidates.compactMap { candidate in
            let other = letters(of: candidate)
            guard abs(other.count - wanted.count) <= limit, (Self.marks(other) ^ marks).nonzeroBitCount <= 2 * limit else {
                return nil
            }
            let distance = distance(wanted, other)
            return distance <= limit ? (candidate, distance) : nil
        }.sorted { $0.distance < $1.distance }
    }

    private static func letters(of word: String) -> [Unicode.Scalar] {
        Array(word.lowercased().unicodeScalars.prefix(64))
    }

    /// A bit for each letter that occurs; some letters share one.
    private static func marks(_ letters: [Unicode.Scalar]) -> UInt64 {
        letters.reduce(0) { $0 | 1 << UInt64($1.value & 63) }
    }

    /// The number of insertions, deletions, replacements and swaps of neighbours between two words.
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in a.indices {
            var current = [i + 1]
            current.reserveCapacity(b.count + 1)
            for j in b.indices {
                var cost = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforePrevious[j - 1] + 1) }
                current.append(cost)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[b.count]
    }
}
