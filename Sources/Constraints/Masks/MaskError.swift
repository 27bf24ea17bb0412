// SPDX-License-Identifier: Apache-2.0

/// Why masks cannot be computed for a constraint and a vocabulary.
public struct MaskError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Hashable, Sendable {
        let name: String
        /// No text that the constraint accepts can be written in the vocabulary's tokens.
        public static let unspellable = Code(name: "unspellable")
    }

    public var code: Code
    public var message: String

    public var description: String { message }
}
