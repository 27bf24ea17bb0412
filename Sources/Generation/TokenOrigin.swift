// SPDX-License-Identifier: Apache-2.0

/// How a token came into a document.
package enum TokenOrigin: Sendable, Hashable {
    /// The constraint left no choice: the model was not asked.
    case forced
    /// The model chose it among `allowed` tokens that could follow.
    case chosen(allowed: Int)
    /// A part of a value that the model chose as a whole among `texts`.
    case value(texts: Int)
    /// A part of the shortest way to the end: nothing else would have fitted into the budget.
    case closing
}
