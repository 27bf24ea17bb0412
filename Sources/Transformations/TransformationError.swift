// SPDX-License-Identifier: Apache-2.0

/// A transformation that could not be done.
public struct TransformationError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, to switch on.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        /// The model's chat template cannot render the prompt.
        public static let template = Code(description: "transformation.template")
        /// The result failed its second check: a defect of the engine, never returned as success.
        public static let invalidResult = Code(description: "transformation.invalid-result")
        /// The model's vocabulary and its output do not fit together.
        public static let vocabulary = Code(description: "transformation.vocabulary")
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
