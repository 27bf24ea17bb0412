// SPDX-License-Identifier: Apache-2.0

public import Documents

/// Writes a JSON Schema as a short spec.
///
/// What the short form has no words for is kept as JSON Schema under `json schema:`, with a warning that names it; what
/// cannot be kept at all is an error. Nothing is dropped in silence.
public enum SpecWriter {
    /// A spec with the warnings of its conversion.
    public struct Output: Sendable {
        /// The spec as a value; members in the order to write.
        public var spec: JSONValue
        public var diagnostics: [Diagnostic]

        /// The spec as text.
        public var text: String { YAMLWriter().write(spec) }
    }

    /// Converts a JSON Schema document; places of problems are those in the document.
    ///
    /// - Throws: ``DiagnosticsError`` for references and dialects that the short form cannot hold.
    public static func spec(from document: Document) throws(DiagnosticsError) -> Output {
        var converter = SpecConverter(root: document.root)
        let spec = converter.convert()
        if converter.diagnostics.contains(where: { $0.severity == .error }) {
            throw DiagnosticsError(converter.diagnostics, sources: document.source.map { [$0] } ?? [])
        }
        return Output(spec: spec, diagnostics: converter.diagnostics)
    }

    /// Converts a JSON Schema.
    public static func spec(from schema: JSONValue) throws(DiagnosticsError) -> Output {
        try spec(from: Document(value: schema))
    }
}
