// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Internationalised mail addresses (RFC 6531).
enum Mailbox {
    /// Whether the text is an address; its domain need not be normalised.
    static func isValidInternational(_ text: String) -> Bool {
        guard let at = text.unicodeScalars.lastIndex(of: "@") else { return false }
        let local = String(text.unicodeScalars[..<at])
        let domain = String(text.unicodeScalars[text.unicodeScalars.index(after: at)...])
        guard localPart?.matches(local) ?? false else { return false }
        let normalised = domain.precomposedStringWithCanonicalMapping
        return Hostname.isValid(normalised, international: true) || literal?.matches(domain) ?? false
    }

    private static let localPart = matcher(FormatLanguages.localPart(extra: "\\u{80}-\\u{10FFFF}"))
    private static let literal = matcher(FormatLanguages.domain)

    private static func matcher(_ source: String) -> PatternMatcher? {
        guard let pattern = try? Pattern(source) else { return nil }
        return try? PatternMatcher(.wholeMatch(pattern))
    }
}
