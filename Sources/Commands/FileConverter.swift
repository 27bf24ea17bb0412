// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents

/// `--to`.
enum TargetNotation: String, CaseIterable, ExpressibleByArgument {
    case json, jsonl, yaml, toml, csv

    /// The notation whose layout is used; nil for CSV.
    fileprivate var format: DocumentFormat? {
        switch self {
        case .json: .json
        case .jsonl: .jsonl
        case .yaml: .yaml
        case .toml: .toml
        case .csv: nil
        }
    }
}

/// Writes the values of a text in another notation.
struct FileConverter {
    let target: TargetNotation
    let options: FormatOptions
    /// Whether comments may be lost without a word.
    let dropsComments: Bool

    /// The text in the other notation; as it is where it has that already.
    ///
    /// - Throws: ``DiagnosticsError`` with what is wrong with the text, ``CommandFailure`` with what the notation
    ///   cannot hold.
    func convert(_ bytes: [UInt8], name: String) throws -> [UInt8] {
        let source = SourceText(file: name, bytes: bytes)
        if let other = DocumentReader.unsupported(ofFile: name) { throw DiagnosticsError([other]) }
        let format = DocumentReader.format(ofFile: name) ?? DocumentReader.guess(bytes)
        if format == target.format {
            return try DocumentFormatter.format(bytes, file: name, format: format, options: options)
        }
        let documents = try DocumentReader.readAll(source, format: format, options: .lenient)
        var warnings = documents.flatMap(\.diagnostics)
        let comments = dropsComments ? 0 : DocumentFormatter.comments(of: source, format: format).count
        if comments > 0 {
            warnings.append(
                Diagnostic(
                    "convert.comments",
                    "\(comments) \(comments == 1 ? "comment is" : "comments are") lost in "
                        + target.rawValue.uppercased(),
                    severity: .warning, range: source.range(0..<0), help: "say --drop-comments if that is meant"))
        }
        let sources = documents.compactMap(\.source)
        let text: String
        do {
            text = try write(documents, isLines: format == .jsonl)
        } catch {
            // What the writers say about places in the value is shown in the text.
            throw CommandFailure(
                .unsupported,
                diagnostics: error.diagnostics.map { place($0, documents, isLines: format == .jsonl) },
                sources: sources + [source])
        }
        Console.report(warnings, sources: sources + [source])
        guard let layout = target.format else { return Array(text.utf8) }
        return try DocumentFormatter.format(Array(text.utf8), file: nil, format: layout, options: options)
    }

    private func write(_ documents: [Document], isLines: Bool) throws(DiagnosticsError) -> String {
        let values = documents.map(\.root.value)
        switch target {
        case .json:
            if isLines { return JSONWriter(style: .pretty(indent: options.indent)).write(.array(values)) }
            let root = try single(documents)
            return JSONWriter(style: .pretty(indent: options.indent)).write(root.value)
        case .jsonl:
            return Self.rows(values).map { JSONWriter(style: .compact).write($0) + "\n" }.joined()
        case .yaml:
            let writer = YAMLWriter(indent: options.indent)
            return values.count == 1
                ? writer.write(values[0]) : values.map { "---\n" + writer.write($0) }.joined()
        case .toml: return try TOMLWriter().write(single(documents).value)
        case .csv: return try CSVWriter(lineEnd: "\n").write(Self.rows(values))
        }
    }

    /// The elements of the one value if it is an array, else the values.
    private static func rows(_ values: [JSONValue]) -> [JSONValue] {
        if values.count == 1, case .array(let elements) = values[0] { return elements }
        return values
    }

    private func single(_ documents: [Document]) throws(DiagnosticsError) -> Node {
        guard let first = documents.first else {
            throw DiagnosticsError([Diagnostic("convert.empty", "there is no document in the text")])
        }
        guard documents.count == 1 else {
            throw DiagnosticsError([
                Diagnostic(
                    "convert.several",
                    "\(target.rawValue.uppercased()) holds one document, and here are \(documents.count)",
                    range: documents[1].root.range, help: "write them as JSON Lines or YAML")
            ])
        }
        return first.root
    }

    /// A diagnostic with the place in the text that its pointer means.
    private func place(_ diagnostic: Diagnostic, _ documents: [Document], isLines: Bool) -> Diagnostic {
        guard diagnostic.range == nil, let path = diagnostic.path else { return diagnostic }
        var result = diagnostic
        if target == .csv || target == .jsonl {
            // The first token is the number of the row.
            let isArray = documents.count == 1 && documents[0].root.kind == .array
            let row = path.tokens.first.flatMap { Int($0) } ?? 0
            let root = isArray ? documents[0].root : documents.indices.contains(row) ? documents[row].root : nil
            let inner = isArray ? path : JSONPointer(Array(path.tokens.dropFirst()))
            result.range = root.flatMap { inner.evaluate($0) }?.range
        } else {
            result.range = documents.first.flatMap { path.evaluate($0.root) }?.range
        }
        return result
    }
}
