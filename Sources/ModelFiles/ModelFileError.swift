// SPDX-License-Identifier: Apache-2.0

/// The reason why a model file was refused, with the field and the byte offset at fault.
public struct ModelFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of refusal it is; grows without breaking callers.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable name of the code.
        public let description: String

        /// The file cannot be opened, read or mapped.
        public static let unreadable = Code(description: "unreadable")
        /// The file is not a GGUF file, or of a version or byte order that is not read.
        public static let notGGUF = Code(description: "not-gguf")
        /// The file ends before what it announces.
        public static let truncated = Code(description: "truncated")
        /// A count, length, offset, type or name has a value that no valid file holds.
        public static let malformed = Code(description: "malformed")
        /// A tensor has a weight format that is not supported.
        public static let unsupportedWeightFormat = Code(description: "unsupported-weight-format")
        /// A metadata entry or tensor that is needed is missing.
        public static let missing = Code(description: "missing")
        /// A metadata entry or tensor has another type or shape than needed.
        public static let mismatched = Code(description: "mismatched")
    }

    /// What to switch on.
    public var code: Code
    /// What happened, with the values.
    public var message: String
    /// The field at fault, such as `tensor 'output.weight' offset`.
    public var field: String?
    /// The byte offset of the field in the file.
    public var offset: Int?

    /// Creates an error.
    public init(_ code: Code, _ message: String, field: String? = nil, offset: Int? = nil) {
        self.code = code
        self.message = message
        self.field = field
        self.offset = offset
    }

    /// The message, with field and byte offset where known.
    public var description: String {
        var text = message
        if let field { text = "\(field): \(text)" }
        if let offset { text += " (at byte \(offset))" }
        return text
    }
}
