// SPDX-License-Identifier: Apache-2.0

/// The string formats of JSON Schema.
///
///     KnownFormat(rawValue: "date")?.isValid("2024-02-29")   // true
package enum KnownFormat: String, CaseIterable, Hashable, Sendable {
    case date, time
    case dateTime = "date-time"
    case duration, email
    case idnEmail = "idn-email"
    case hostname
    case idnHostname = "idn-hostname"
    case ipv4, ipv6, uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uuid
    case uriTemplate = "uri-template"
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
    case regex

    /// Whether the text has the format.
    ///
    /// - Complexity: linear in the text.
    package func isValid(_ text: String) -> Bool {
        switch self {
        case .hostname:
            Hostname.isValid(text, international: false)
        case .idnHostname:
            Hostname.isValid(text, international: true)
        case .idnEmail:
            Mailbox.isValidInternational(text)
        case .regex:
            RegularExpressionSyntax.isValid(text)
        default:
            FormatLanguages.matchers[self]?.matches(text) ?? false
        }
    }

    /// The texts for which ``isValid(_:)`` holds, where they are a regular language; may be negated.
    package var exactLanguage: Language? {
        switch self {
        case .hostname, .idnHostname, .idnEmail, .regex: nil
        default: FormatLanguages.exact[self]
        }
    }

    /// A language for generation, all of whose texts are valid; not for negation.
    ///
    /// The exact language where it is cheap; for `time` and `date-time` without leap seconds at other offsets than UTC;
    /// for international formats their ASCII part; for `hostname` without punycode labels.
    package var generationLanguage: Language? {
        FormatLanguages.generation[self] ?? exactLanguage
    }

    /// The texts to offer where the format must hold: all of them where they are a regular language.
    ///
    /// Mail addresses keep to the lengths of RFC 5321, section 4.5.3.1, which its grammar does not state and which some
    /// validators ask for.
    package var offeredLanguage: Language? {
        self == .email ? generationLanguage : exactLanguage ?? generationLanguage
    }
}
