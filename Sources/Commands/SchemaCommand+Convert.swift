// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

extension SchemaCommand {
    enum Notation: String, CaseIterable, ExpressibleByArgument {
        case jsonSchema = "json-schema"
        case spec
        case draft4, draft6, draft7
        case draft201909 = "draft2019-09"
        case draft202012 = "draft2020-12"

        /// The draft to write, where it is one.
        var draft: Draft? { Draft(rawValue: rawValue) }
    }

    struct Convert: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Convert between the short YAML spec, JSON Schema, and drafts of JSON Schema.",
            discussion: """
                By default a spec becomes JSON Schema and the other way round. Between drafts, keywords that have moved
                are rewritten and references follow. What the other notation or draft cannot say exactly is refused with
                its place (exit status 3), never dropped.

                EXAMPLE
                  formwork schema convert Schemas/contact.yaml > contact.schema.json
                  formwork schema convert contact.schema.json --to spec
                  formwork schema convert old.schema.json --to draft2020-12 > new.schema.json
                """
        )

        @Option(
            name: .long,
            help: """
                json-schema, spec, draft4, draft6, draft7, draft2019-09 or draft2020-12; by default the other one of spec \
                and json-schema.
                """)
        var to: Notation?

        @Option(name: .long, help: "The draft of a schema without '$schema': draft4 … draft2020-12.")
        var from: Notation?

        @Option(name: .long, help: "For JSON Schema: json or yaml.")
        var output: SchemaNotation = .json

        @Argument(help: "A schema or spec; '-' is standard input.", completion: .file())
        var schema: String

        func validate() throws {
            if let from, from.draft == nil { throw ValidationError("--from must be a draft") }
        }

        func run() throws {
            let name = schema == "-" ? "<stdin>" : schema
            let document = try DocumentReader.read(Console.read(schema, limit: 64 << 20), file: name)
            let isSpec = SpecReader.isSpec(document)
            let target = to ?? (isSpec ? .jsonSchema : .spec)
            switch target {
            case .jsonSchema, .draft4, .draft6, .draft7, .draft201909, .draft202012:
                var schema = document
                if isSpec {
                    let converted = try SpecReader.jsonSchema(from: document)
                    Console.report(converted.diagnostics, sources: [document.source].compactMap(\.self))
                    schema = converted.schemaDocument
                }
                var value = schema.root.value
                if let draft = target.draft {
                    let converted = try DialectConversion.convert(schema.root, from: from?.draft, to: draft)
                    Console.report(converted.warnings, sources: [document.source].compactMap(\.self))
                    value = converted.schema
                }
                switch output {
                case .json: try Console.line(JSONWriter(style: .pretty(indent: 2)).write(value))
                case .yaml: try Console.write(YAMLWriter().write(value))
                }
            case .spec:
                if isSpec {
                    try Console.write(YAMLWriter().write(document.root.value))
                } else {
                    let converted = try SpecWriter.spec(from: document)
                    Console.report(converted.diagnostics, sources: [document.source].compactMap(\.self))
                    try Console.write(converted.text)
                }
            }
        }
    }
}
