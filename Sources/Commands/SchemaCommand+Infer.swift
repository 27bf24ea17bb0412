// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

extension SchemaCommand {
    struct Infer: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Find a schema that example documents have in common.",
            discussion: """
                Every example is valid under the result: the types that occur, the keys that every object has, and the
                format that all texts of a place have. JSON Lines and YAML streams give an example for each document.

                EXAMPLE
                  formwork schema infer config/*.json > config.schema.json
                  formwork schema infer --enums 8 --closed events.jsonl
                """
        )

        @Option(
            name: .long,
            help: "Texts of a place become an enum where at most so many occur, each twice on average; 0 is never.")
        var enums: Int = 0

        @Flag(name: .long, help: "Refuse keys that no example has.")
        var closed = false

        @Flag(name: .long, inversion: .prefixedNo, help: "State formats.")
        var formats = true

        @Option(name: .shortAndLong, help: "json or yaml.")
        var output: SchemaNotation = .json

        @Argument(help: "Files; '-' or nothing is standard input.", completion: .file())
        var files: [String] = []

        func validate() throws {
            if !(0...256).contains(enums) { throw ValidationError("--enums must lie between 0 and 256") }
        }

        func run() throws {
            var options = SchemaInference.Options()
            options.maximumWords = enums
            options.isClosed = closed
            options.findsFormats = formats
            let inference = SchemaInference(options: options)
            var documents: [Document] = []
            for path in files.isEmpty ? ["-"] : files {
                documents += try DocumentReader.readAll(
                    Console.read(path), file: path == "-" ? nil : path, options: .strict)
            }
            guard !documents.isEmpty else { throw CommandFailure(.dataInvalid, "there is no document to infer from") }
            for document in documents { inference.add(document.root) }
            let schema = inference.schema
            // The promise is checked by the validator.
            let validator = Validator(try SchemaGraph.load(Document(value: schema).root), formats: .assert)
            guard documents.allSatisfy({ validator.isValid($0.root) }) else {
                throw CommandFailure(.internalError, "an example is not valid under the schema found")
            }
            try Console.write(
                output == .yaml
                    ? YAMLWriter().write(schema) : JSONWriter(style: .pretty(indent: 2)).write(schema) + "\n")
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a schema against a folder of valid and invalid documents.",
            discussion: """
                Every document in DIR/valid must be valid, every one in DIR/invalid must not be. Prints those that are
                not as they should be. Exit status 2 where there is one.

                EXAMPLE
                  formwork schema test --schema settings.schema.json tests
                """
        )

        @Option(name: .shortAndLong, help: "A JSON Schema (JSON or YAML) or a short YAML spec.", completion: .file())
        var schema: String

        @OptionGroup var schemaArguments: SchemaArguments

        @Argument(help: "A folder with the folders 'valid' and 'invalid', or one of them.", completion: .directory)
        var folder: String

        func run() throws {
            let spec = try schemaArguments.load(schema)
            let validator = Validator(spec.graph, formats: schemaArguments.formats)
            var cases = 0
            var failures = 0
            for (name, wanted) in [("valid", true), ("invalid", false)] {
                let root = folder + "/" + name
                let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String }.sorted() ?? []
                for file in files where DocumentReader.format(ofFile: file) != nil {
                    let path = root + "/" + file
                    cases += 1
                    var problems: [Diagnostic] = []
                    var sources: [SourceText] = []
                    do {
                        let documents = try DocumentReader.readAll(Console.read(path), file: path, options: .lenient)
                        problems = documents.flatMap { validator.validate($0.root) }.map(\.diagnostic)
                        sources = documents.compactMap(\.source)
                    } catch let failure as DiagnosticsError {
                        (problems, sources) = (failure.diagnostics, failure.sources)
                    }
                    guard problems.isEmpty != wanted else { continue }
                    failures += 1
                    try Console.line("\(path): \(wanted ? "is not valid" : "is valid, but should not be")")
                    Console.report(problems, sources: sources)
                }
            }
            guard cases > 0 else {
                throw CommandFailure(.unreadable, "'\(folder)' has no documents in 'valid' or 'invalid'")
            }
            try Console.line("\(cases - failures) of \(cases) as they should be")
            if failures > 0 { throw CommandFailure(.dataInvalid) }
        }
    }
}
