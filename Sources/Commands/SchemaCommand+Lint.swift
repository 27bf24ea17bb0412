// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import JSONSchemas

extension SchemaCommand {
    struct Lint: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Find what is legal in a schema, but hardly meant.",
            discussion: """
                Parts that no value can meet, properties that can never be there, alternatives that are shadowed,
                keywords without effect, values that the schema itself refuses, names that are not known, patterns that
                match less or more than they seem to. Exit status 2 where there is an error, or with --strict a warning;
                4 where a file is no schema.

                EXAMPLE
                  formwork schema lint --strict schemas
                  formwork schema lint --output sarif 'schemas/**/*.json' > lint.sarif
                """
        )

        @OptionGroup var schemaArguments: SchemaArguments

        @OptionGroup var projectArguments: ProjectArguments

        @Flag(name: .long, help: "Take warnings for errors.")
        var strict = false

        @Option(
            name: .shortAndLong,
            help: "auto, text, json, github, gitlab, sarif, junit or tap; auto is github in GitHub Actions, else text.")
        var output: ValidationOutput = .auto

        @Argument(
            help: "Schemas and specs: files, folders and globs; '-' or nothing is standard input.", completion: .file())
        var files: [String] = []

        func run() throws {
            let project = try projectArguments.find()
            let selected = try FileSelection.files(files, project: project)
            var report = output.report(schema: "formwork schema lint")
            var worst = ExitStatus.ok
            var passedOver = 0
            var checked = 0
            func note(_ status: ExitStatus) {
                let order: [ExitStatus] = [.ok, .dataInvalid, .schemaInvalid, .unreadable]
                if (order.firstIndex(of: status) ?? 0) > (order.firstIndex(of: worst) ?? 0) { worst = status }
            }
            for file in selected {
                var verdict = FileVerdict(name: file.name, isValid: false)
                let start = ContinuousClock.now
                do throws(CommandFailure) {
                    if let problem = file.problem { throw CommandFailure(.unreadable, problem.message) }
                    let bytes = try Console.read(file.path, limit: 64 << 20)
                    let found = try lint(bytes, file, project)
                    guard let found else {
                        passedOver += 1
                        continue
                    }
                    checked += 1
                    try report.found(found.diagnostics, sources: found.sources)
                    verdict.isValid = !found.diagnostics.contains {
                        $0.severity == .error || strict && $0.severity == .warning
                    }
                    if !verdict.isValid { note(found.isSchema ? .dataInvalid : .schemaInvalid) }
                } catch {
                    try report.found([Diagnostic("input.unreadable", error.message)], sources: [])
                    verdict.isUnreadable = true
                    note(.unreadable)
                }
                verdict.duration = .now - start
                try report.end(verdict)
            }
            try report.finish()
            if passedOver > 0 {
                let what = passedOver == 1 ? "file that is no schema was" : "files that are no schemas were"
                Console.message("\(passedOver) \(what) passed over")
            }
            if worst != .ok { throw CommandFailure(worst) }
            if checked == 0 { throw CommandFailure(.schemaInvalid, "no schema was found") }
        }

        private struct Findings {
            var diagnostics: [Diagnostic]
            var sources: [SourceText]
            /// Whether it could be read as a schema.
            var isSchema = true
        }

        /// What is wrong with a file; nil for a found file that does not look like a schema.
        private func lint(
            _ bytes: [UInt8], _ file: SelectedFile, _ project: Project?
        ) throws(CommandFailure) -> Findings? {
            do {
                let document = try DocumentReader.read(bytes, file: file.name)
                guard file.isNamed || Self.looksLikeSchema(document) else { return nil }
                var registry = try schemaArguments.makeRegistry(project: project)
                if file.path != "-" { registry.add(neighboursOf: document) }
                return Self.lint(document, registry, formats: schemaArguments.formats)
            } catch let failure as CommandFailure {
                throw failure
            } catch let failure as DiagnosticsError {
                return Findings(diagnostics: failure.diagnostics, sources: failure.sources, isSchema: false)
            } catch {
                throw CommandFailure(.unreadable, error.localizedDescription)
            }
        }

        private static func lint(_ document: Document, _ registry: SchemaRegistry, formats: FormatPolicy) -> Findings {
            var options = SpecLoader.defaultOptions
            options.unresolvedReferences = .deferred
            options.includesUnreachedParts = true
            var sources = [document.source].compactMap(\.self)
            do throws(DiagnosticsError) {
                let spec = try SpecLoader.load(document, options: options, registry: registry)
                var diagnostics = spec.warnings.map { diagnostic in
                    var diagnostic = diagnostic
                    if diagnostic.id == "schema.unresolved-reference" || diagnostic.id == "schema.reference-cycle" {
                        diagnostic.severity = .error
                    }
                    return diagnostic
                }
                // What can be wrong with a graph whose references lead nowhere is not known.
                let isWhole = !diagnostics.contains { $0.severity == .error }
                let found = SchemaLinter(spec.graph, root: spec.schema.root, formats: formats).diagnostics
                diagnostics += found.filter { new in !diagnostics.contains { $0.range == new.range && new.range != nil }
                }
                if isWhole {
                    let proven = SatisfiabilityLint(
                        spec.graph, root: spec.schema.root, formats: formats,
                        known: found.filter { $0.severity == .error || $0.id == "lint.value-refused" }.compactMap(
                            \.path))
                    diagnostics += proven.diagnostics
                    if let gap = proven.gap {
                        diagnostics.append(
                            Diagnostic(
                                "lint.not-decided", "not every part was searched for values that can meet it: \(gap)",
                                severity: .note, path: JSONPointer()))
                    }
                }
                diagnostics.sort { ($0.range?.start.offset ?? 0) < ($1.range?.start.offset ?? 0) }
                return Findings(diagnostics: diagnostics, sources: sources)
            } catch {
                for source in error.sources where !sources.contains(where: { $0 === source }) { sources.append(source) }
                return Findings(diagnostics: error.diagnostics, sources: sources, isSchema: false)
            }
        }

        /// Whether a file that was found in a folder is to be taken for a schema.
        static func looksLikeSchema(_ document: Document) -> Bool {
            let root = document.root
            guard root.kind == .object else { return false }
            if document.file?.contains(".schema.") == true { return true }
            if let dialect = root["$schema"]?.stringValue { return dialect.contains("json-schema.org/") }
            if SpecReader.isSpec(document) { return root["fields"] != nil }
            let keywords = [
                "properties", "allOf", "anyOf", "oneOf", "$defs", "definitions", "items", "patternProperties",
            ]
            if let type = root["type"]?.stringValue, TypeSet(name: type) != nil {
                return keywords.contains { root[$0] != nil }
            }
            return root["$defs"]?.kind == .object || root["$id"] != nil && keywords.contains { root[$0] != nil }
        }
    }
}
