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

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            What a reference means whose target is not at hand: refuse (a value that needs it is invalid) or allow \
            (any value will do; a warning is printed).
            """))
    var unresolved: UnresolvedChoice = .refuse

    @Option(
        name: .shortAndLong,
        help: "auto, text, json, github, gitlab, sarif, junit or tap; auto is github in GitHub Actions, else text.")
    var output: ValidationOutput = .auto

    @Flag(name: .shortAndLong, help: "Print nothing but errors in reading.")
    var quiet = false

    @Argument(help: "Files: .json, .jsonc, .yaml, .toml, .jsonl, and these with .gz; '-' or nothing is standard input.")
    var files: [String] = []

    func run() throws {
        var report: (any ValidationReport)? = quiet ? nil : output.report(schema: schema)
        let validator: Validator
        do {
            // A file may be checked with a schema that is only partly at hand, as far as it does not need the rest.
            let spec = try schemaArguments.load(schema, unresolved: unresolved.policy)
            let warnings = spec.warnings.filter { $0.id == "schema.unresolved-reference" }
            Console.report(warnings, sources: [spec.source.source].compactMap(\.self))
            try report?.schema(schema, warnings, isFatal: false)
            validator = try makeValidator(spec)
        } catch let failure as DiagnosticsError {
            try report?.schema(schema, failure.diagnostics, isFatal: true)
            try report?.finish()
            throw failure
        }
        var invalid = 0
        var unreadable = 0
        for path in files.isEmpty ? ["-"] : files {
            let start = ContinuousClock.now
            var verdict = FileVerdict(name: path == "-" ? "<stdin>" : path, isValid: true)
            do {
                if path != "-", DocumentReader.format(ofFile: path) == .jsonl {
                    try check(linesOf: path, validator, &verdict, &report)
                } else {
                    try check(path, validator, &verdict, &report)
                }
            } catch let failure as UnreadableFile {
                verdict.isUnreadable = true
                verdict.isValid = false
                try report?.found([Diagnostic("input.unreadable", failure.message)], sources: [])
                if quiet { Console.error(failure.message) }
            }
            verdict.duration = .now - start
            if verdict.isUnreadable { unreadable += 1 } else if !verdict.isValid { invalid += 1 }
            try report?.end(verdict)
        }
        try report?.finish()
        if unreadable > 0 { throw CommandFailure(.unreadable) }
        if invalid > 0 { throw CommandFailure(.dataInvalid) }
    }

    /// A file that could not be opened; the others are checked all the same.
    private struct UnreadableFile: Error {
        var message: String
    }

    private func makeValidator(_ spec: LoadedSpec) throws -> Validator {
        var validator = Validator(spec.graph, formats: schemaArguments.formats)
        validator.source = try VerbatimSource.read(source, for: spec)
        return validator
    }

    /// Checks the documents of a file.
    private func check(
        _ path: String, _ validator: Validator, _ verdict: inout FileVerdict, _ report: inout (any ValidationReport)?
    ) throws {
        let bytes: [UInt8]
        do {
            bytes = try Console.read(path)
        } catch {
            throw UnreadableFile(message: error.message)
        }
        do {
            var documents = try DocumentReader.readAll(bytes, file: verdict.name, options: .lenient)
            if documents.isEmpty, DocumentReader.format(ofFile: verdict.name) != .jsonl {
                // YAML without a document, be it empty or of comments alone, is null.
                let text = SourceText(file: verdict.name, bytes: bytes)
                documents = [Document(value: .null, source: text, places: [.root: 0..<0])]
            }
            var diagnostics: [Diagnostic] = []
            for document in documents {
                diagnostics += document.diagnostics
                diagnostics += validator.validate(document.root).map(\.diagnostic)
            }
            verdict.isValid = !diagnostics.contains { $0.severity == .error }
            try report?.found(diagnostics, sources: documents.compactMap(\.source))
        } catch let failure as DiagnosticsError {
            verdict.isValid = false
            try report?.found(failure.diagnostics, sources: failure.sources)
        }
    }

    /// Checks the lines of a file one by one, in constant memory.
    private func check(
        linesOf path: String, _ validator: Validator, _ verdict: inout FileVerdict,
        _ report: inout (any ValidationReport)?
    ) throws {
        var values = 0
        var invalid = 0
        do {
            let lines = try LineStream(path: path)
            while let line = try lines.next() {
                values += 1
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
                if !diagnostics.isEmpty { try report?.found(diagnostics, sources: [source]) }
            }
        } catch let failure as DocumentError {
            throw UnreadableFile(message: failure.message)
        }
        verdict.isValid = invalid == 0
        verdict.lines = (values, invalid)
    }
}

/// `--unresolved`.
enum UnresolvedChoice: String, CaseIterable, ExpressibleByArgument {
    case refuse, allow

    var policy: SchemaOptions.UnresolvedReferences { self == .allow ? .allowed : .deferred }
}
