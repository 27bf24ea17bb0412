// SPDX-License-Identifier: Apache-2.0

/// A chat template that could not be read or rendered.
public struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it was.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the code, stable across releases.
        public let description: String

        /// The template is not well formed.
        public static let syntax = Code(description: "syntax")
        /// The template uses a part of the language that is not supported.
        public static let unsupported = Code(description: "unsupported")
        /// An operation failed while rendering, for example an undefined value was used.
        public static let evaluation = Code(description: "evaluation")
        /// The template itself called `raise_exception`; the message is the template's.
        public static let raised = Code(description: "raised")
        /// A limit on steps, output size or depth was reached.
        public static let limit = Code(description: "limit")
    }

    /// What to switch on.
    public var code: Code
    /// What happened, with the names and values involved.
    public var message: String
    /// The line of the template where it happened, counted from 1.
    public var line: Int?

    init(_ code: Code, _ message: String, line: Int? = nil) {
        self.code = code
        self.message = message
        self.line = line
    }

    /// The message with its place.
    public var description: String {
        if let line { return "chat template, line \(line): \(message)" }
        return "chat template: \(message)"
    }
}
