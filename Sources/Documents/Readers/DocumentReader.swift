// SPDX-License-Identifier: Apache-2.0

/// Reads documents in the notation that their name or their text tells.
public enum DocumentReader {
    /// The notation of a file by the ending of its name, `.gz` aside; nil for other endings and for `-`.
    public static func format(ofFile name: String) -> DocumentFormat? {
        if name.lowercased().hasSuffix(".gz") { return format(ofFile: String(name.dropLast(3))) }
        let base = name.split(separator: "/").last ?? ""
        guard let dot = base.lastIndex(of: ".") else { return nil }
        switch base[base.index(after: dot)...].lowercased() {
        case "json", "jsonschema", "geojson", "webmanifest", "ipynb":
            return isCommented(name, base) ? .jsonc : .json
        case "jsonc", "code-workspace": return .jsonc
        case "json5": return .json5
        case "yaml", "yml": return .yaml
        case "toml": return .toml
        case "jsonl", "ndjson": return .jsonl
        default: return nil
        }
    }

    /// Whether a file is JSON with comments by the custom of the program that it is for.
    private static func isCommented(_ name: String, _ base: Substring) -> Bool {
        if name.split(separator: "/").dropLast().last == ".vscode" { return true }
        return base == "devcontainer.json"
            || ["tsconfig", "jsconfig"].contains { base == "\($0).json" || base.hasPrefix("\($0).") }
    }

    /// What is wrong with a file whose ending tells a notation that is not read; nil for others.
    package static func unsupported(ofFile name: String) -> Diagnostic? {
        guard let dot = name.lastIndex(of: "."),
            let other = ["csv": "CSV", "xml": "XML"][name[name.index(after: dot)...].lowercased()]
        else { return nil }
        return Diagnostic(
            "document.format", "'\(name)' is \(other), which is not supported here",
            help: "give the document as JSON or YAML")
    }

    /// The likely notation of a text: JSON if it starts with a brace, a bracket or a double quote, else YAML.
    public static func guess(_ bytes: [UInt8]) -> DocumentFormat {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let first = bytes[start...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): return .json
        default: return .yaml
        }
    }

    /// Reads all documents in `bytes`; JSON and TOML have exactly one, JSON Lines one for each line that is not blank.
    ///
    /// - Parameter format: The notation; by default that of the file's name, else a guess.
    public static func readAll(
        _ bytes: [UInt8], file: String? = nil, format: DocumentFormat? = nil, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> [Document] {
        let source = SourceText(file: file, bytes: bytes)
        if format == nil, let other = file.flatMap(unsupported(ofFile:)) { throw DiagnosticsError([other]) }
        return try readAll(
            source, format: format ?? file.flatMap(Self.format(ofFile:)) ?? guess(bytes), options: options)
    }

    /// Reads all documents of a text.
    package static func readAll(
        _ source: SourceText, format: DocumentFormat, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> [Document] {
        switch format {
        case .json: return [try JSONReader.read(source, options: options)]
        case .jsonc: return [try JSONReader.read(source, options: options.withComments)]
        case .json5: return [try JSONReader.read(source, options: options.withJSON5)]
        case .toml: return [try TOMLReader.read(source, options: options)]
        case .yaml: return try YAMLReader.read(source, options: options)
        case .jsonl: return try readLines(source, options: options)
        }
    }

    /// Reads a JSON value from each line; what is wrong in several lines is reported together.
    private static func readLines(
        _ source: SourceText, options: ReadOptions
    ) throws(DiagnosticsError) -> [Document] {
        var documents: [Document] = []
        var diagnostics: [Diagnostic] = []
        var sources: [SourceText] = []
        var lines = LineReader(source.bytes)
        while let line = lines.next(), diagnostics.count < options.maximumDiagnostics {
            let text = SourceText(
                file: source.file, bytes: Array(source.bytes[line.range]),
                firstLine: line.number + source.firstLine - 1,
                firstOffset: line.range.lowerBound + source.firstOffset)
            do {
                documents.append(try JSONReader.read(text, options: options))
            } catch {
                diagnostics += error.diagnostics
                sources += error.sources
            }
        }
        if !diagnostics.isEmpty { throw DiagnosticsError(diagnostics, sources: sources) }
        return documents
    }

    /// Reads the one document in `bytes`.
    public static func read(
        _ bytes: [UInt8], file: String? = nil, format: DocumentFormat? = nil, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> Document {
        let documents = try readAll(bytes, file: file, format: format, options: options)
        if documents.count == 1 { return documents[0] }
        let source = documents.first?.source ?? SourceText(file: file, bytes: bytes)
        guard documents.count > 1 else {
            throw DiagnosticsError(
                [Diagnostic("document.empty", "the file holds no document", range: source.range(0..<0))],
                sources: [source])
        }
        throw DiagnosticsError(
            [
                Diagnostic(
                    "document.several", "the file holds \(documents.count) documents where one is expected",
                    range: documents[1].root.range, help: "keep one document in the file")
            ], sources: [source])
    }

    /// Reads the one document of a file; `-` is standard input.
    ///
    /// - Throws: ``DocumentError`` if the file cannot be read, ``DiagnosticsError`` if its text is wrong.
    public static func read(
        path: String, format: DocumentFormat? = nil, options: ReadOptions = .strict
    ) throws -> Document {
        try read(SourceFile.read(path), file: path, format: format, options: options)
    }

    /// Reads all documents of a file; `-` is standard input.
    public static func readAll(
        path: String, format: DocumentFormat? = nil, options: ReadOptions = .strict
    ) throws -> [Document] {
        try readAll(SourceFile.read(path), file: path, format: format, options: options)
    }
}
