// SPDX-License-Identifier: Apache-2.0

/// How documents are laid out.
public struct FormatOptions: Hashable, Sendable {
    /// Spaces for each level.
    public var indent = 2
    /// The characters that a line should not exceed where there is a choice.
    public var width = 100
    /// Whether sequences stand further to the right than the keys that they belong to, in YAML.
    public var indentsSequences = true

    public init(indent: Int = 2, width: Int = 100, indentsSequences: Bool = true) {
        self.indent = indent
        self.width = width
        self.indentsSequences = indentsSequences
    }
}

/// Lays out JSON, JSON with comments, JSON Lines, TOML and YAML, and changes nothing but white space and commas.
///
/// Comments, the spelling of numbers and strings and the order of keys stay; of several blank lines one stays. A line
/// end style that the text begins with is kept, as is a byte order mark. What comes out is laid out already: formatting
/// it again changes nothing. A text with a mistake is refused.
///
///     let tidy = try DocumentFormatter.format(bytes, file: "settings.jsonc")
public enum DocumentFormatter {
    /// Lays out a text.
    ///
    /// - Parameters:
    ///   - file: Its name, which tells the notation where `format` does not.
    ///   - options: The layout.
    /// - Throws: ``DiagnosticsError`` with what is wrong with the text, `format.changed` if the result would not mean
    ///   the same, which is a defect.
    public static func format(
        _ bytes: [UInt8], file: String? = nil, format: DocumentFormat? = nil, options: FormatOptions = FormatOptions()
    ) throws(DiagnosticsError) -> [UInt8] {
        let source = SourceText(file: file, bytes: bytes)
        let notation = format ?? file.flatMap { DocumentReader.format(ofFile: $0) } ?? DocumentReader.guess(bytes)
        switch notation {
        case .jsonl: return try formatLines(source)
        case .yaml: return try formatYAML(source, options)
        case .json, .jsonc, .json5, .toml: break
        }
        let (document, tree) = try read(source, notation)
        var printer = LayoutPrinter(tree, notation, options)
        let result = printer.print()
        // A layout that changes the meaning must never reach a file.
        let (again, other) = try read(SourceText(file: file, bytes: result), notation)
        guard again.root.isEqual(document.root), other.comments.map(trimmed) == tree.comments.map(trimmed),
            words(of: other).elementsEqual(words(of: tree))
        else {
            throw changed(source)
        }
        return result
    }

    /// The comments of a text that can be read; none of one that cannot.
    package static func comments(of source: SourceText, format: DocumentFormat) -> [String] {
        switch format {
        case .json, .jsonl: []
        case .jsonc, .json5, .toml: (try? read(source, format))?.tree.comments ?? []
        case .yaml: (try? YAMLSyntax.read(source))?.comments ?? []
        }
    }

    private static func changed(_ source: SourceText) -> DiagnosticsError {
        DiagnosticsError(
            [
                Diagnostic(
                    "format.changed", "the layout would change what the document says; nothing is changed",
                    range: source.range(0..<0))
            ], sources: [source])
    }

    /// YAML is compared by what its parser reports, not by values that JSON could hold: tags, anchors and the styles of
    /// scalars must stay too.
    private static func formatYAML(
        _ source: SourceText, _ options: FormatOptions
    ) throws(DiagnosticsError) -> [UInt8] {
        let events = try YAMLEvents.read(source, options: .lenient)
        guard let tokens = YAMLToken.scan(source.bytes) else { throw changed(source) }
        let result = YAMLLayout.print(source.bytes, tokens, options)
        guard result != source.bytes else { return result }
        do throws(DiagnosticsError) {
            let again = try YAMLEvents.read(SourceText(file: source.file, bytes: result), options: .lenient)
            guard again == events, let other = YAMLToken.scan(result),
                YAMLToken.comments(source.bytes, tokens) == YAMLToken.comments(result, other)
            else { throw changed(source) }
        } catch {
            throw changed(source)
        }
        return result
    }

    /// Everything that is written but white space, comments and commas.
    private static func words(of tree: SyntaxTree) -> some Sequence<ArraySlice<UInt8>> {
        tree.tokens.lazy.filter { !$0.kind.isTrivia }.map { tree.source.bytes[$0.range] }
            .filter { $0.count != 1 || $0.first != UInt8(ascii: ",") }
    }

    /// A comment without white space at its end.
    static func trimmed(_ comment: String) -> Substring {
        let end = comment.utf8.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
        return Substring(comment.utf8.dropLast(end))
    }

    /// Reads the one document of a text that is neither YAML nor JSON Lines.
    static func read(
        _ source: SourceText, _ notation: DocumentFormat
    ) throws(DiagnosticsError) -> (document: Document, tree: SyntaxTree) {
        let options = ReadOptions.replacing
        switch notation {
        case .json: return try JSONSyntax.read(source, options: options)
        case .jsonc: return try JSONSyntax.read(source, options: options.withComments)
        case .json5: return try JSONSyntax.read(source, options: options.withJSON5)
        case .toml: return try TOMLReader.readSyntax(source, options: options)
        case .yaml, .jsonl:
            throw DiagnosticsError([
                Diagnostic("format.unsupported", "\(notation.rawValue.uppercased()) has no tree of one document")
            ])
        }
    }

    /// One value on each line, each on one line.
    private static func formatLines(_ source: SourceText) throws(DiagnosticsError) -> [UInt8] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var result = source.bytes.starts(with: mark) ? mark : []
        let end = source.bytes.firstIndex(of: 0x0A)
        let lineEnd: [UInt8] = end.map { $0 > 0 && source.bytes[$0 - 1] == 0x0D } ?? false ? [0x0D, 0x0A] : [0x0A]
        var diagnostics: [Diagnostic] = []
        var lines = LineReader(source.bytes)
        while let line = lines.next(), diagnostics.count < 20 {
            let text = SourceText(
                file: source.file, bytes: Array(source.bytes[line.range]), firstLine: line.number,
                firstOffset: line.range.lowerBound)
            do {
                let tree = try read(text, .json).tree
                var options = FormatOptions()
                options.width = .max
                var printer = LayoutPrinter(tree, .json, options, lineEnd: lineEnd)
                result += printer.print()
            } catch {
                diagnostics += error.diagnostics
            }
        }
        if !diagnostics.isEmpty { throw DiagnosticsError(diagnostics, sources: [source]) }
        return result
    }
}
