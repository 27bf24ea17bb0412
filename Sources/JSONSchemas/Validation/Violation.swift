// SPDX-License-Identifier: Apache-2.0

public import Documents

/// Something in a value that its schema does not allow.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// The place in the value.
    public var instanceLocation: JSONPointer
    /// The place in the source text of the value; the key's place if the key is at fault.
    public var range: SourceRange?
    /// The keyword that is violated, where it is written.
    public var schemaLocation: SchemaLocation
    /// The way taken through the schema, references included.
    public var evaluationPath: JSONPointer
    /// The keyword, as draft 2020-12 names it; "false" for the schema `false`.
    public var keyword: String
    /// What is wrong, lower case, without a full stop.
    public var message: String
    /// What to do about it.
    public var hint: String?
    /// Whether the value could not be checked: it needs a part of the schema that is not known, or too much work.
    public var isUndecided = false
    /// The subschema that the keyword belongs to.
    package var subschema: SubschemaID
    /// Why the closest alternative of an `anyOf` or `oneOf` does not match.
    public var causes: [Violation]

    /// The violation as a diagnostic of the value's document; causes become notes.
    public var diagnostic: Diagnostic {
        Diagnostic(
            DiagnosticID("value.\(keyword)"), message, range: range, path: instanceLocation,
            notes: causes.map { cause in
                var note = cause.diagnostic
                note.severity = .note
                return note
            },
            help: hint)
    }

    /// Whether the violation, or a cause of it, is that something could not be checked.
    public var dependsOnUndecided: Bool { isUndecided || causes.contains(where: \.dependsOnUndecided) }

    public var description: String {
        let place = range.map { "\($0): " } ?? (instanceLocation.tokens.isEmpty ? "" : "\(instanceLocation): ")
        return "\(place)\(message) [\(schemaLocation)]"
    }
}
