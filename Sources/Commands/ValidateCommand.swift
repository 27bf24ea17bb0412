// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check JSON and YAML documents against a schema.",
        discussion: """
            Lists every violation with file, line, column and JSON Pointer. Exit status 2 where a document is invalid,
            4 where the schema is.

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

    @Argument(help: "JSON (.json) or YAML (.yaml, .yml) files; '-' or nothing is standard input.")
    var files: [String] = []

    func run() throws {
        let spec = try schemaArguments.load(schema)
        var validator = Validator(spec.graph, formats: schemaArguments.formats)
        validator.source = try VerbatimSource.read(source, for: spec)
        var invalid = 0
        var unreadable = 0
        var reports: [JSONValue] = []
        for path in files.isEmpty ? ["-"] : files {
            let name = path == "-" ? "<stdin>" : path
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
}
