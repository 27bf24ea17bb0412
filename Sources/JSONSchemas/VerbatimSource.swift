// SPDX-License-Identifier: Apache-2.0

public import Documents
package import Patterns

/// The text that strings with `x-verbatim` are taken from.
///
/// Made once for each text, in linear time, and used by the validator and the constraint machine alike.
///
///     var validator = Validator(graph)
///     validator.source = try VerbatimSource("Call Ada Lovelace")
public struct VerbatimSource: Sendable {
    /// The most bytes of a text, in UTF-8.
    public static let maximumBytes = 1 << 20

    package let reference: ReferenceText

    /// Prepares a text.
    ///
    /// - Throws: `verbatim.source-too-large` if it has more than ``maximumBytes`` bytes.
    /// - Complexity: linear in the text; about 60 bytes of memory for each character.
    public init(_ text: String) throws(DiagnosticsError) {
        let count = text.utf8.count
        guard count <= Self.maximumBytes else {
            throw DiagnosticsError([
                Diagnostic(
                    "verbatim.source-too-large",
                    "the source text has \(count) bytes, but 'x-verbatim' takes at most \(Self.maximumBytes)",
                    help: "split the text")
            ])
        }
        reference = ReferenceText(text)
    }
}

/// A string of a value that `x-verbatim` applies to, and where the source text has it.
public struct VerbatimPlace: Hashable, Sendable {
    /// The string's place in the value; that of its member where it is a key.
    public var pointer: JSONPointer
    /// Whether the string is a key.
    public var isKey: Bool
    /// The first occurrence, in bytes of the source text in UTF-8.
    public var start: Int
    public var end: Int
    /// How often the source text has it, overlapping occurrences included.
    public var occurrences: Int

    public init(pointer: JSONPointer, isKey: Bool = false, start: Int, end: Int, occurrences: Int) {
        self.pointer = pointer
        self.isKey = isKey
        self.start = start
        self.end = end
        self.occurrences = occurrences
    }
}

extension SchemaGraph {
    /// The first subschema that asks for `x-verbatim`, if any does.
    public var firstVerbatim: Subschema? { subschemas.first { $0.isVerbatim } }

    /// What to say where such a schema is used without a source text.
    public func missingSource(_ id: DiagnosticID) -> Diagnostic? {
        guard let schema = firstVerbatim else { return nil }
        let location = schema.location(ofKeyword: "x-verbatim")
        return Diagnostic(
            id, "'x-verbatim' at '\(location.pointer)' needs the source text that strings are taken from",
            range: location.range, path: location.pointer)
    }
}
