// SPDX-License-Identifier: Apache-2.0

package import JSONSchemas

/// What a machine does with `x-verbatim`.
package enum VerbatimPolicy: Sendable {
    /// There is no source text: schemas with the keyword are refused.
    case refused
    /// Strings are taken from this text.
    case source(VerbatimSource)
    /// The text is not known yet: the keyword may hold or not. Only for looking at a schema, never for generating.
    case undecided
}
