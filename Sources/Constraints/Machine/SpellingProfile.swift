// SPDX-License-Identifier: Apache-2.0

/// Which of the many spellings of a JSON value a constraint accepts.
///
/// Every valid value keeps at least one spelling. Strings are raw UTF-8 with the short escapes, `\u00XX` only for the
/// other control characters; object keys never repeat.
public struct SpellingProfile: Hashable, Sendable {
    /// The white space between tokens of the JSON text.
    public enum Whitespace: Hashable, Sendable {
        /// None.
        case compact
        /// Exactly one space after `:` and `,`.
        case spaced
        /// One member or element per line, indented by the given number of spaces per level, and one space after `:`.
        case pretty(indent: Int)
        /// Up to the given number of white space bytes between any two JSON tokens, but none at the ends of the text.
        case flexible(maxRun: Int)
    }

    /// The order of object keys.
    public enum KeyOrder: Hashable, Sendable {
        /// Keys named by the schema in the order of their first mention, then other required keys, then all other
        /// keys in any order.
        case schema
        /// Any order.
        case any
    }

    public var whitespace: Whitespace
    public var keyOrder: KeyOrder
    /// The most digits before the decimal point, where a number's bounds do not ask for more.
    public var maximumIntegerDigits: Int
    /// The most digits after the decimal point, where a number's constraints do not ask for more.
    public var maximumFractionDigits: Int
    /// The most digits of an exponent; exponents appear only in numbers without constraints. Two keep values within a
    /// double.
    public var maximumExponentDigits: Int
    /// Whether a number may be spelled as a negative zero.
    public var allowsNegativeZero: Bool
    /// Whether an integer may be spelled `1.0` where the schema asks for an integer or for its value.
    ///
    /// Off by default: it is the same number to JSON Schema, but not to everybody who reads the document.
    public var allowsZeroFraction = false
    /// Whether to offer only values on which validators agree that compute with binary floating point or match patterns
    /// in another dialect of regular expressions than ECMA-262.
    ///
    /// Off by default, because it leaves out valid values: 912.81 is a multiple of 0.01, but not in binary floating point.
    /// On, fractions must be multiples in both ways, and texts under a pattern are printable ASCII where such texts exist.
    public var keepsToCommonGround = false
    /// Whether characters of the planes 4 to 11 (U+40000 to U+BFFFF, where none is assigned) may occur in strings.
    ///
    /// Vocabularies without tokens for the bytes F1 and F2 cannot spell them. Without them the machine's alphabet holds only bytes that every
    /// usual vocabulary has.
    public var allowsUnassignedPlanes = true

    public init(
        whitespace: Whitespace = .compact,
        keyOrder: KeyOrder = .schema,
        maximumIntegerDigits: Int = 19,
        maximumFractionDigits: Int = 17,
        maximumExponentDigits: Int = 2,
        allowsNegativeZero: Bool = true
    ) {
        self.whitespace = whitespace
        self.keyOrder = keyOrder
        self.maximumIntegerDigits = maximumIntegerDigits
        self.maximumFractionDigits = maximumFractionDigits
        self.maximumExponentDigits = maximumExponentDigits
        self.allowsNegativeZero = allowsNegativeZero
    }

    /// No white space, and every spelling of numbers that the machine knows: for measuring on documents of others.
    public static let lenient = {
        var profile = SpellingProfile(maximumExponentDigits: 3)
        profile.allowsZeroFraction = true
        return profile
    }()

    /// No white space.
    public static let compact = SpellingProfile(whitespace: .compact)
    /// One space after `:` and `,`.
    public static let spaced = SpellingProfile(whitespace: .spaced)
    /// One member or element per line.
    public static func pretty(indent: Int = 2) -> SpellingProfile {
        SpellingProfile(whitespace: .pretty(indent: indent))
    }
}
