// SPDX-License-Identifier: Apache-2.0

/// An operation on the model store that failed.
public struct ModelStoreError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, to switch on.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        /// The store has no model of that name, and no such file exists.
        public static let notFound = Code(description: "model.not-found")
        /// A name holds other characters than letters, digits, '.', '_' and '-'.
        public static let invalidName = Code(description: "model.invalid-name")
        /// A program that the step needs is missing or failed.
        public static let toolFailed = Code(description: "model.tool-failed")
        /// The bytes are not those that were expected.
        public static let checksumMismatch = Code(description: "model.checksum-mismatch")
        /// The transfer stopped before the end.
        public static let downloadFailed = Code(description: "model.download-failed")
        /// The store's folder or a file in it cannot be written or read.
        public static let storage = Code(description: "model.storage")
        /// The file is not a GGUF file.
        public static let notGGUF = Code(description: "model.not-gguf")
    }

    public var code: Code
    /// What happened and how to remedy it.
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        cause.map { "\(message) (\($0)) [\(code)]" } ?? "\(message) [\(code)]"
    }
}
