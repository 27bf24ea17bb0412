// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check documents against a schema: JSON, YAML, TOML, JSON Lines.",
        discussion: """
            Lists every violation with file, line, column and JSON Pointer. Exit status 2 where a document is invalid,
            4 where the schema is. JSON Lines of any size are read line by line; files that end in .gz are decompressed.

            EXAMPLE
              formwork validate --schema Schemas/contact.yaml out.json
              formwork validate --schema schema.json --output json - < data.json
              formwork validate --schema quotes.yaml --source article.txt quotes.json
            """
    )

    @Option(name: .shortAndLong, help: "A JSON Schema (JSON or YAML) or a short YAML spec.")
    var schema: String

    @OptionGroup var schemaArguments: SchemaArguments

    @Option(name: .long, help: "The text that strings with 'x-verbatim' are taken from.")
    var source: String?

    @Option(name: .shortAndLong, help: "text or json.")
    var output: ReportFormat = .text

    @Flag(name: .shortAndLong, help: "Print nothing but errors in reading.")
    var quiet = false

    @Argument(help: "Files: .json, .jsonc, .yaml, .toml, .jsonl, and these with .gz; '-' or nothing is standard input.")
    var files: [String] = []

    func run() throws {
        // A file may be checked with a schema that is only partly at hand, as far as it does not need the rest.
        let spec = try schemaArguments.load(schema, unresolved: .deferred)
        Console.report(
            spec.warnings.filter { $0.id == "schema.unresolved-reference" },
            sources: [spec.source.source].compactMap(\.self))
        var validator = Validator(spec.graph, formats: schemaArguments.formats)
        validator.source = try VerbatimSource.read(source, for: spec)
        var invalid = 0
        var unreadable = 0
        var reports: [JSONValue] = []
        for path in files.isEmpty ? ["-"] : files {
            let name = path == "-" ? "<stdin>" : path
            if path != "-", DocumentReader.format(ofFile: path) == .jsonl {
                do {
                    let result = try validateLines(path, validator)
                    if result.invalid > 0 { invalid += 1 }
                    reports.append(result.report)
                } catch let failure as DocumentError {
                    Console.error(failure.message)
                    unreadable += 1
                }
                continue
            }
            var diagnostics: [Diagnostic] = []
            var sources: [SourceText] = []
            var broken = false
            do {
                let documents = try DocumentReader.readAll(Console.read(path), file: name, options: .lenient)
                for document in documents {
                    if let source = document.source { sources.append(source) }
                    diagnostics += document.diagnostics
                    diagnostics += validator.validate(document.root).map(\.diagnostic)
                }
                if diagnostics.contains(where: { $0.severity == .error }) { invalid += 1 }
            } catch let failure as DiagnosticsError {
                diagnostics = failure.diagnostics
                sources = failure.sources
                broken = true
                invalid += 1
            } catch let failure as CommandFailure {
                diagnostics = [Diagnostic("input.unreadable", failure.message)]
                broken = true
                unreadable += 1
            }
            guard !quiet else { continue }
            switch output {
            case .text:
                if diagnostics.isEmpty {
                    try Console.line("\(name): valid")
                } else {
                    try Console.line(DiagnosticRenderer(sources: sources).text(diagnostics))
                }
            case .json:
                reports.append([
                    "file": .string(name),
                    "valid": .bool(!broken && !diagnostics.contains { $0.severity == .error }),
                    "diagnostics": DiagnosticRenderer(sources: sources).json(diagnostics),
                ])
            }
        }
        if output == .json && !quiet {
            try Console.line(JSONWriter(style: .pretty(indent: 2)).write(.array(reports)))
        }
        if unreadable > 0 { throw CommandFailure(.unreadable) }
        if invalid > 0 { throw CommandFailure(.dataInvalid) }
    }

    /// Diagnostics of one file of JSON Lines that a JSON report gives in full.
    private static let shownLines = 1_000

    /// Checks the lines of a file one by one, in constant memory.
    private func validateLines(
        _ path: String, _ validator: Validator
    ) throws -> (invalid: Int, report: JSONValue) {
        let lines = try LineStream(path: path)
        var count = 0
        var invalid = 0
        var shown: [JSONValue] = []
        while let line = try lines.next() {
            count += 1
            let source = SourceText(
                file: path, bytes: line.bytes, firstLine: line.number, firstOffset: line.offset)
            var diagnostics: [Diagnostic]
            do {
                let document = try JSONReader.read(source, options: .lenient)
                diagnostics = document.diagnostics
                if !validator.isValid(document.root) {
                    diagnostics += validator.validate(document.root).map(\.diagnostic)
                }
            } catch {
                diagnostics = error.diagnostics
            }
            if diagnostics.contains(where: { $0.severity == .error }) { invalid += 1 }
            guard !quiet, !diagnostics.isEmpty else { continue }
            let renderer = DiagnosticRenderer(sources: [source])
            switch output {
            case .text: try Console.write(renderer.text(diagnostics))
            case .json:
                if shown.count < Self.shownLines, case .array(let list) = renderer.json(diagnostics) { shown += list }
            }
        }
        if !quiet, output == .text {
            try Console.line(
                "\(path): " + (invalid == 0 ? "valid, \(count) values" : "\(invalid) of \(count) values are invalid"))
        }
        return (
            invalid,
            [
                "file": .string(path), "valid": .bool(invalid == 0), "values": .number(DecimalNumber(count)),
                "invalid": .number(DecimalNumber(invalid)), "diagnostics": .array(shown),
            ]
        )
    }
}
