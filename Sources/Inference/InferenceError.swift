// SPDX-License-Identifier: Apache-2.0

/// The reason why a model could not be loaded or a step of inference could not be done.
public struct InferenceError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is; grows without breaking callers.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable name of the code.
        public let description: String

        /// The model file was refused; ``InferenceError/cause`` says where.
        public static let modelFile = Code(description: "model-file")
        /// An adapter was refused; ``InferenceError/cause`` says where.
        public static let adapter = Code(description: "adapter")
        /// The architecture, or a feature the model asks for, is not supported.
        public static let unsupported = Code(description: "unsupported")
        /// The sequence would become longer than the context.
        public static let contextOverflow = Code(description: "context-overflow")
        /// A token id is outside the vocabulary.
        public static let invalidToken = Code(description: "invalid-token")
        /// Memory could not be had.
        public static let outOfMemory = Code(description: "out-of-memory")
        /// The caller asked to stop.
        public static let cancelled = Code(description: "cancelled")
    }

    /// What to switch on.
    public var code: Code
    /// What happened and how to remedy it, with the values.
    public var message: String
    /// The error underneath.
    public var cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
