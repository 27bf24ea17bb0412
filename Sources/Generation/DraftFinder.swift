// SPDX-License-Identifier: Apache-2.0

import Tokenizers

/// Guesses how a text goes on: as the prompt, or the text itself, did where the same tokens came before (Saxena 2023,
/// prompt lookup decoding).
///
/// A guess never changes what is chosen, only how many tokens the model computes at once. How many are guessed follows how
/// good the last guesses were.
struct DraftFinder {
    /// The prompt and the document so far.
    private var tokens: [TokenID]
    /// Tokens that must have come before for a guess.
    private var least = shortestMatch
    /// Tokens of the next guess.
    private var length = 3

    private static let shortestMatch = 2
    private static let longestMatch = 12
    private static let longestDraft = 8
    /// Tokens that are looked through for each guess.
    private static let window = 16_384

    init(prompt: [TokenID]) { tokens = prompt }

    /// Takes a token of the document.
    mutating func append(_ token: TokenID) { tokens.append(token) }

    /// The tokens that followed the longest earlier occurrence of the last ones; the latest of equals.
    ///
    /// - Complexity: O(*n*) in the number of tokens, at most 16,384.
    func draft() -> [TokenID] {
        guard tokens.count > least, let last = tokens.last else { return [] }
        var best = (match: 0, end: 0)
        let lowest = max(tokens.count - Self.window, 0)
        var index = tokens.count - 2
        while index >= lowest {
            if tokens[index] == last {
                var match = 1
                while match < Self.longestMatch, index - match >= lowest,
                    tokens[index - match] == tokens[tokens.count - 1 - match]
                { match += 1 }
                if match > best.match { best = (match, index + 1) }
                if match == Self.longestMatch { break }
            }
            index -= 1
        }
        guard best.match >= least else { return [] }
        return Array(tokens[best.end..<min(best.end + length, tokens.count)])
    }

    /// Learns how many tokens of a guess were right.
    mutating func note(accepted: Int, of count: Int) {
        if accepted == count {
            length = min(length * 2, Self.longestDraft)
            least = Self.shortestMatch
        } else {
            length = max(accepted + 1, 2)
            least = accepted == 0 ? min(least + 1, 6) : Self.shortestMatch
        }
    }
}
