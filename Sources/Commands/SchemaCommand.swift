// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import JSONSchemas

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Check, lint, compare, convert, show, infer and test schemas; keep a catalogue of them.",
        subcommands: [
            Check.self, Lint.self, Diff.self, Convert.self, Show.self, Infer.self, Test.self, Add.self, List.self, Remove.self,
        ]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether a schema can be enforced in full, and what its shortest document is.",
            discussion: """
                Exit status 0 where every keyword is enforced exactly, 3 where one is not supported, 4 where the schema
                is wrong or nothing can satisfy it.

                EXAMPLE
                  formwork schema check Schemas/*.yaml
                """
        )

        @OptionGroup var schemaArguments: SchemaArguments

        @OptionGroup var spelling: SpellingArguments

        @Option(name: .long, help: "The text that strings with 'x-verbatim' are taken from.", completion: .file())
        var source: String?

        @Option(name: .shortAndLong, help: "text or json.")
        var output: ReportFormat = .text

        @Argument(help: "Schemas or specs.", completion: .file())
        var schemas: [String]

        private static let longestShown = 1 << 12

        func run() throws {
            var worst = ExitStatus.ok
            var reports: [JSONValue] = []
            let text = try source.map { try VerbatimSource.read($0) }
            for path in schemas {
                do {
                    let spec = try schemaArguments.load(path)
                    var survey = KeywordSurvey(spec.graph, formats: schemaArguments.formats)
                    let machine: SchemaMachine
                    do {
                        machine = try SchemaMachine(
                            spec.graph, profile: spelling.profile(default: .spaced), formats: schemaArguments.formats,
                            verbatim: text.map { .source($0) } ?? .undecided)
                    } catch {
                        survey.mark(.refused, error.diagnostics)
                        if output == .json {
                            reports.append([
                                "schema": .string(path), "enforced": false, "places": survey.value,
                                "diagnostics": DiagnosticRenderer(sources: error.sources).json(error.diagnostics),
                            ])
                            worst = Formwork.worse(worst, Formwork.status(of: error.diagnostics))
                            continue
                        }
                        try Console.line("\(path): refused")
                        for line in survey.lines { try Console.line(line) }
                        throw error
                    }
                    let least = machine.minimumCompletion(machine.start)
                    // Some documents are too long to be looked at.
                    let shortest =
                        machine.shortestDocument(atMost: Self.longestShown).map { String(decoding: $0, as: UTF8.self) }
                        ?? "of \(least) bytes"
                    let audit = machine.audit()
                    let limitations = audit.limitations.map { limitation in
                        var warning = limitation
                        warning.severity = .warning
                        return warning
                    }
                    survey.mark(.restricted, limitations)
                    if text == nil { survey.markVerbatim() }
                    let warnings = audit.warnings.filter { $0.severity == .warning } + spec.warnings
                    let unbounded = audit.warnings.filter { $0.severity == .note }
                    switch output {
                    case .text:
                        try Console.line(
                            "\(path): every keyword is enforced"
                                + (limitations.isEmpty ? "" : "; some valid values are never offered"))
                        let list = survey.enforced.map { "\($0.keyword) \($0.count)" }.joined(separator: ", ")
                        try Console.line("  enforced exactly: \(list.isEmpty ? "nothing to enforce" : list)")
                        if !survey.annotations.isEmpty {
                            try Console.line("  annotations: \(survey.annotations.joined(separator: ", "))")
                        }
                        if !survey.unknownFormats.isEmpty {
                            try Console.line(
                                "  formats of your own, not asserted: \(survey.unknownFormats.joined(separator: ", "))")
                        }
                        if !survey.places.isEmpty {
                            try Console.line("  keywords by place:")
                            for line in survey.lines { try Console.line(line) }
                        }
                        try Console.line("  shortest document (\(least) bytes): \(shortest)")
                        try Console.line(
                            "  estimated size: about \(max(audit.typicalSize, least)) bytes with every "
                                + "named member once\(audit.isUnbounded ? "; no upper bound but the token budget" : "")")
                        if !unbounded.isEmpty {
                            try Console.line("  without a bound on length:")
                            for note in unbounded.prefix(20) { try Console.line("    \(note.message)") }
                            if unbounded.count > 20 { try Console.line("    and \(unbounded.count - 20) more") }
                        }
                        if audit.isIncomplete {
                            try Console.line("  the schema has too many parts: not all were looked at in advance")
                        }
                        if !limitations.isEmpty {
                            try Console.line("  valid, but never offered:")
                            try Console.line(DiagnosticRenderer().text(limitations))
                        }
                        if !warnings.isEmpty { try Console.line(DiagnosticRenderer().text(warnings)) }
                    case .json:
                        reports.append([
                            "schema": .string(path), "enforced": true,
                            "keywords": .object(
                                JSONObject(
                                    survey.enforced.map { ($0.keyword, JSONValue.number(DecimalNumber($0.count))) })),
                            "places": survey.value,
                            "annotations": .array(survey.annotations.map { .string($0) }),
                            "unknown_formats": .array(survey.unknownFormats.map { .string($0) }),
                            "shortest": .string(shortest),
                            "estimated_bytes": .number(DecimalNumber(max(audit.typicalSize, least))),
                            "bounded": .bool(!audit.isUnbounded),
                            "limitations": DiagnosticRenderer().json(limitations),
                            "diagnostics": DiagnosticRenderer().json(warnings + unbounded),
                        ])
                    }
                } catch let failure as DiagnosticsError where output == .json {
                    reports.append([
                        "schema": .string(path), "enforced": false,
                        "diagnostics": DiagnosticRenderer(sources: failure.sources).json(failure.diagnostics),
                    ])
                    worst = Formwork.worse(worst, Formwork.status(of: failure.diagnostics))
                } catch {
                    worst = Formwork.worse(worst, Formwork.report(error))
                }
            }
            if output == .json { try Console.line(JSONWriter(style: .pretty(indent: 2)).write(.array(reports))) }
            if worst != .ok { throw CommandFailure(worst) }
        }
    }

    enum SchemaNotation: String, CaseIterable, ExpressibleByArgument { case json, yaml }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a schema as Markdown: its objects with their fields, linked with each other.",
            discussion: """
                EXAMPLE
                  formwork schema show Schemas/contact.yaml > contact.md
                  formwork schema show --fields Schemas/contact.yaml
                """
        )

        @OptionGroup var schemaArguments: SchemaArguments

        @Flag(name: .long, help: "Print the compact form that goes into prompts.")
        var prompt = false

        @Flag(name: .long, help: "Print one table with the fields of all objects.")
        var fields = false

        @Argument(help: "A schema or spec; '-' is standard input.", completion: .file())
        var schema: String

        func run() throws {
            let spec = try schemaArguments.load(schema)
            if prompt {
                try Console.line(SchemaRendering.compact(spec.schema.root))
                return
            }
            guard fields else { return try Console.write(SchemaDocumentation(spec).text) }
            if let name = spec.name { try Console.line("# \(name)\n") }
            if let description = spec.summary { try Console.line("\(description)\n") }
            try Console.line("| field | type | required | description |")
            try Console.line("|---|---|---|---|")
            for row in FieldTable(spec.graph).rows {
                let cells = [row.path, row.type, row.isRequired ? "yes" : "no", row.summary].map {
                    $0.replacingOccurrences(of: "|", with: "\\|").replacingOccurrences(of: "\n", with: " ")
                }
                try Console.line("| " + cells.joined(separator: " | ") + " |")
            }
        }
    }
}

extension Formwork {
    /// The status that says more about what went wrong.
    static func worse(_ a: ExitStatus, _ b: ExitStatus) -> ExitStatus {
        let order: [ExitStatus] = [.ok, .unsupported, .schemaInvalid, .unreadable, .usage, .internalError]
        return (order.firstIndex(of: a) ?? 0) >= (order.firstIndex(of: b) ?? 0) ? a : b
    }
}
