// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// Finds the schemas of damaged files, as `validate` does for those that are not.
final class RepairSchemas {
    private let lookup: SchemaLookup

    init(_ lookup: SchemaLookup) { self.lookup = lookup }

    /// Loads the schema of `--schema`.
    func start() throws {
        _ = try lookup.loadFixed()
        publish()
    }

    private func publish() {
        for news in lookup.takeNews() { Console.report(news.diagnostics, sources: news.sources) }
    }

    /// What the values of a file must fit; nil where no schema is known, or the documents of the file have different
    /// ones.
    ///
    /// - Throws: ``SchemaProblem`` where a schema is named that cannot be had.
    func validator(
        for bytes: [UInt8], _ file: SelectedFile, name: String?, _ options: Repairer.Options
    ) throws -> Validator? {
        defer { publish() }
        // Standard input has the place that its name says.
        let place = file.path == "-" ? SelectedFile(path: name ?? "-", isNamed: true) : file
        let format =
            options.format ?? name.flatMap { DocumentReader.format(ofFile: $0) } ?? DocumentReader.guess(bytes)
        let modeline = format == .yaml || format == .toml ? Modeline.find(in: bytes) : nil
        let source = SourceText(file: name, bytes: bytes)
        if let schema = try lookup.schema(of: place, modeline: modeline.map { ($0, source) }) {
            return try usable(schema, name)
        }
        if format == .jsonl { return try lookup.schema(of: nil, in: place).flatMap { try usable($0, name) } }
        // The text has to be mended before the document can say what its schema is.
        let mended = Repairer.repair(bytes, file: name, validator: nil, options: options)
        let documents = try? DocumentReader.readAll(
            SourceText(file: name, bytes: mended.bytes), format: mended.format, options: .lenient)
        var found: [CheckedSchema?] = []
        for document in documents ?? [] { found.append(try lookup.schema(of: document.root, in: place)) }
        if documents?.isEmpty ?? true { found = [try lookup.schema(of: nil, in: place)] }
        guard let first = found.first ?? nil else { return nil }
        guard found.allSatisfy({ $0?.name == first.name }) else {
            Console.message("\(name ?? "<stdin>"): its documents have different schemas; only the text is mended")
            return nil
        }
        return try usable(first, name)
    }

    private func usable(_ schema: CheckedSchema, _ name: String?) throws -> Validator? {
        guard let problem = schema.validator.graph.missingSource("repair.no-source") else { return schema.validator }
        throw CommandFailure(.unsupported, diagnostics: [problem], sources: schema.sources)
    }
}
