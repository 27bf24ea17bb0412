// SPDX-License-Identifier: Apache-2.0

/// The reason why no tokenizer can be made from a model file, with the metadata field at fault.
public struct TokenizerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of refusal it is; grows without breaking callers.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable name of the code.
        public let description: String

        /// A metadata field that is needed is absent.
        public static let missing = Code(description: "missing")
        /// A field has another type than it should, or its text is not readable.
        public static let malformed = Code(description: "malformed")
        /// Two fields contradict each other, or a field names a token that does not exist.
        public static let inconsistent = Code(description: "inconsistent")
        /// The kind of tokenizer or pre-tokenizer is not supported.
        public static let unsupported = Code(description: "unsupported")
    }

    /// What to switch on.
    public var code: Code
    /// What is wrong, with the values.
    public var message: String
    /// The metadata key at fault, with an index where it is an array.
    public var field: String

    init(_ code: Code, _ message: String, field: String) {
        self.code = code
        self.message = message
        self.field = field
    }

    /// The field and what is wrong with it.
    public var description: String { "tokenizer: '\(field)': \(message)" }
}
