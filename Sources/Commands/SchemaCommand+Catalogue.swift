// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

extension SchemaCommand {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a schema into the catalogue, where it is found by its name and its addresses.",
            discussion: """
                The catalogue is the folder FORMWORK_SCHEMAS, else 'schemas' beside the models. The schema is read and \
                checked first. Files that name its '$id', or an address given with --address, are checked with it.

                EXAMPLE
                  formwork schema add service.schema.json
                  formwork schema add package.json --name npm --address https://json.schemastore.org/package.json
                """
        )

        @OptionGroup var schemaArguments: SchemaArguments

        @Option(name: .long, help: "The name in the catalogue; by default that of the file without its endings.")
        var name: String?

        @Option(name: .long, help: "An address that the schema stands for beside its '$id'. Repeatable.")
        var address: [String] = []

        @Flag(name: .long, help: "Take the place of a schema with the same name.")
        var replace = false

        @Argument(help: "A JSON Schema (JSON or YAML) or a short YAML spec.", completion: .file())
        var schema: String

        func validate() throws {
            for address in address where SchemaTarget.scheme(of: address) == nil {
                throw ValidationError("--address '\(address)' is not an address with a scheme such as https:")
            }
        }

        func run() throws {
            let bytes = try Console.read(schema, limit: 64 << 20)
            let spec = try schemaArguments.load(bytes, path: schema, unresolved: .deferred)
            Console.report(spec.warnings, sources: [spec.source.source].compactMap(\.self))
            var addresses: [String] = []
            let root = spec.source.root
            let own = (root["$id"] ?? root["id"])?.stringValue
            for text in [own].compactMap(\.self) + address {
                let plain = SchemaTarget.withoutFragment(text)
                if SchemaTarget.scheme(of: plain) != nil, !addresses.contains(plain) { addresses.append(plain) }
            }
            let catalogue = SchemaCatalogue.standard()
            let source = schema == "-" ? "standard input" : URL(fileURLWithPath: schema).path
            let entry = try catalogue.add(
                bytes, name: name ?? SchemaCatalogue.name(ofFile: schema == "-" ? "stdin" : schema),
                ending: spec.source.format == .yaml ? ".yaml" : ".json", source: source, addresses: addresses,
                replaces: replace)
            Console.message("added '\(entry.name)' to \(catalogue.folder.path)")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the schemas that were added to the catalogue.",
            discussion: "Exit status 6 where the file of one is not there or is not what was added.")

        @Option(name: .shortAndLong, help: "text or json.")
        var output: ReportFormat = .text

        func run() throws {
            let catalogue = SchemaCatalogue.standard()
            var reports: [JSONValue] = []
            var isSound = true
            for entry in try catalogue.entries() {
                var problem: String?
                do {
                    _ = try catalogue.checked(entry)
                } catch {
                    problem = error.message
                    isSound = false
                }
                switch output {
                case .text:
                    let addresses = entry.addresses.joined(separator: " ")
                    try Console.line("\(entry.name)\t\(entry.byteCount) bytes\t\(addresses)")
                    if let problem { Console.error(problem) }
                case .json:
                    var object = JSONObject()
                    object["name"] = .string(entry.name)
                    object["file"] = .string(catalogue.path(of: entry))
                    object["sha256"] = .string(entry.sha256)
                    object["bytes"] = .number(DecimalNumber(entry.byteCount))
                    object["source"] = .string(entry.source)
                    object["addresses"] = .array(entry.addresses.map { .string($0) })
                    if let problem { object["problem"] = .string(problem) }
                    reports.append(.object(object))
                }
            }
            if output == .json { try Console.line(JSONWriter(style: .pretty(indent: 2)).write(.array(reports))) }
            if !isSound { throw CommandFailure(.unreadable) }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove schemas from the catalogue.")

        @Argument(help: "Names in the catalogue.")
        var names: [String]

        func run() throws {
            let catalogue = SchemaCatalogue.standard()
            for name in names { try catalogue.remove(name) }
        }
    }
}
