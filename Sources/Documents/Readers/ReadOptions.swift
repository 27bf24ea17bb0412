// SPDX-License-Identifier: Apache-2.0

/// How strictly, and up to what size, documents are read.
public struct ReadOptions: Hashable, Sendable {
    /// What to do about keys that occur twice in an object.
    public enum DuplicateKeys: Hashable, Sendable { case error, warning }
    /// What to do about `\uD800`-like escapes that do not form a pair: no Unicode text can hold them.
    public enum LoneSurrogates: Hashable, Sendable { case error, replace }

    public var duplicateKeys: DuplicateKeys = .error
    /// An error, or a warning and U+FFFD in place of the escape.
    public var loneSurrogates: LoneSurrogates = .error
    /// How deep arrays and objects may be nested.
    public var maximumDepth = 512
    /// How many nodes YAML aliases may add to a document.
    public var aliasBudget = 1_000_000
    /// Whether `<<` in YAML merges mappings (YAML 1.1) or is a key like others (1.2).
    public var mergeKeys = false
    /// Whether JSON may have `//` and `/* */` comments.
    public var allowsComments = false
    /// Whether a comma may stand before a closing bracket in JSON.
    public var allowsTrailingCommas = false
    /// Whether JSON may be written as JSON5 has it: strings in single quotes and over several lines, keys without
    /// quotes, more spellings of numbers, more white space.
    public var allowsJSON5 = false
    /// How many problems are reported before reading stops.
    public var maximumDiagnostics = 20

    public init() {}

    /// The same options for JSON with comments and trailing commas.
    public var withComments: ReadOptions {
        var options = self
        options.allowsComments = true
        options.allowsTrailingCommas = true
        return options
    }

    /// The same options for JSON5.
    public var withJSON5: ReadOptions {
        var options = withComments
        options.allowsJSON5 = true
        return options
    }

    /// For configuration in JSON with comments and trailing commas.
    public static let commented = ReadOptions.strict.withComments
    /// For specs and configuration: duplicate keys are errors.
    public static let strict = ReadOptions()
    /// For data to be validated: duplicate keys are warnings.
    public static let lenient: ReadOptions = {
        var options = ReadOptions()
        options.duplicateKeys = .warning
        return options
    }()
}
