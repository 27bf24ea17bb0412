// SPDX-License-Identifier: Apache-2.0

/// Reads TOML 1.0.
///
/// Dates and times become strings as RFC 3339 writes them: a space between date and time becomes `T`, `t` and `z`
/// become capitals. `inf` and `nan` are refused, because JSON cannot hold them. Integers may have any size. Reading
/// goes on at the next line after a mistake, so that one run reports several.
///
/// A node of a table that a header opens has the header's place; one that exists because of a dotted key, that of the
/// key.
public enum TOMLReader {
    /// Reads a document.
    ///
    /// - Throws: ``DiagnosticsError`` if anything is wrong.
    public static func read(
        _ source: SourceText, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> Document {
        try readSyntax(source, options: options).document
    }

    /// Reads a document from a string.
    public static func read(
        _ text: String, file: String? = nil, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> Document {
        try read(SourceText(file: file, bytes: Array(text.utf8)), options: options)
    }

    /// Reads a document's value and its syntax.
    public static func readSyntax(
        _ source: SourceText, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> (document: Document, tree: SyntaxTree) {
        guard source.bytes.count < Int(UInt32.max) else {
            throw DiagnosticsError([
                Diagnostic("document.too-large", "the document has 4 GiB or more", help: "split it into smaller files")
            ])
        }
        var parser = TOMLParser(source.bytes, options)
        parser.parse()
        guard !parser.problems.hasErrors else {
            throw DiagnosticsError(parser.problems.diagnostics(source), sources: [source])
        }
        let tree = source.bytes.withUnsafeBufferPointer { bytes in
            var builder = TreeBuilder()
            builder.append(parser.root, bytes)
            return builder.finish()
        }
        let document = Document(
            tree: tree, source: source, format: .toml, diagnostics: parser.problems.diagnostics(source))
        return (document, parser.syntax.finish(source))
    }
}
