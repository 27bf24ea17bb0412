// SPDX-License-Identifier: Apache-2.0

/// Why a regular expression or a language built from it cannot be used.
package struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of problem it is.
    package enum Code: Hashable, Sendable {
        /// The text is not an ECMA-262 regular expression.
        case syntax
        /// The text is a regular expression, but uses a feature that this engine refuses.
        case unsupported(feature: String)
        /// The expression needs more states or terms than the limits allow.
        case tooComplex
    }

    /// The kind of problem.
    package var code: Code
    /// What is wrong, lower case, without a full stop.
    package var message: String
    /// Where in the pattern, counted in Unicode scalars from its beginning.
    package var offset: Int

    /// Makes an error at `offset`, counted in Unicode scalars.
    package init(code: Code, message: String, offset: Int = 0) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    package var description: String { "\(message) at offset \(offset)" }
}
