// SPDX-License-Identifier: Apache-2.0

/// A generation that could not start or go on.
public struct GenerationError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, to switch on.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        /// The budget is smaller than the shortest document.
        public static let budgetTooSmall = Code(description: "generation.budget-too-small")
        /// Prompt and budget do not fit into the model's context.
        public static let contextTooSmall = Code(description: "generation.context-too-small")
        /// A sampling option is out of range.
        public static let invalidOption = Code(description: "generation.invalid-option")
        /// The caller asked to stop.
        public static let cancelled = Code(description: "generation.cancelled")
        /// The deadline passed before anything could be generated, or without a way to end what was.
        public static let deadline = Code(description: "generation.deadline")
        /// Too many requests are waiting.
        public static let queueFull = Code(description: "generation.queue-full")
        /// The scheduler was closed.
        public static let closed = Code(description: "generation.closed")
        /// The model failed.
        public static let inference = Code(description: "generation.inference")
        /// The constraint allowed no token: a defect in the engine, never in the input.
        public static let stuck = Code(description: "generation.stuck")
    }

    public var code: Code
    /// What happened and how to remedy it, with the figures.
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
