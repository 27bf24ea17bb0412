// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import JSONSchemas

extension SchemaCommand {
    enum Direction: String, CaseIterable, ExpressibleByArgument { case backward, forward, both }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether a new version of a schema is compatible with the old one.",
            discussion: """
                Backward: every document valid under OLD is valid under NEW. Forward: the other way round. Where that
                does not hold, a shortest document shows it. Nothing is called compatible that is not proven: what could
                not be decided is said to be so. Exit status 0 where the direction asked for holds, 2 where it does not
                or is not decided.

                EXAMPLE
                  formwork schema diff service.v1.json service.v2.json
                  git show main:service.json | formwork schema diff --direction both - service.json
                """
        )

        @OptionGroup var schemaArguments: SchemaArguments

        @Option(name: .long, help: "What must hold: backward, forward or both.")
        var direction: Direction = .backward

        @Option(name: .shortAndLong, help: "text or json.")
        var output: ReportFormat = .text

        @Argument(help: "The old schema or spec; '-' is standard input.", completion: .file())
        var old: String

        @Argument(help: "The new one.", completion: .file())
        var new: String

        func validate() throws {
            if old == "-", new == "-" { throw ValidationError("standard input can be read once only") }
        }

        func run() throws {
            let before = try schemaArguments.load(old)
            let after = try schemaArguments.load(new)
            let comparison = SchemaComparison(
                old: before.graph, new: after.graph, formats: schemaArguments.formats,
                oldExamples: Self.samples(before), newExamples: Self.samples(after))
            switch output {
            case .text:
                let sources = [before.source.source, after.source.source].compactMap(\.self)
                let diagnostics = comparison.findings.map(diagnostic)
                if !diagnostics.isEmpty { try Console.write(DiagnosticRenderer(sources: sources).text(diagnostics)) }
                try Console.line("\(old) → \(new): \(comparison.summary.rawValue)")
                try Console.line("  backward: " + Self.phrase(comparison.backward, "valid before, not valid now"))
                try Console.line("  forward: " + Self.phrase(comparison.forward, "valid now, not valid before"))
            case .json:
                try Console.line(JSONWriter(style: .pretty(indent: 2)).write(json(comparison, [before, after])))
            }
            let isFine =
                switch direction {
                case .backward: comparison.backward.holds
                case .forward: comparison.forward.holds
                case .both: comparison.backward.holds && comparison.forward.holds
                }
            if !isFine { throw CommandFailure(.dataInvalid) }
        }

        /// The values that a schema itself mentions.
        private static func samples(_ spec: LoadedSpec) -> [JSONValue] {
            spec.exampleValues + spec.examples.map(\.output)
                + [spec.graph[spec.graph.root].defaultValue].compactMap(\.self)
        }

        private static func phrase(_ verdict: SchemaComparison.Verdict, _ what: String) -> String {
            switch verdict {
            case .holds: "yes"
            case .broken(let value): "no; \(what): \(value)"
            case .undecided(let reason): "not decided: \(reason)"
            }
        }

        /// Whether a change takes away or adds what the direction asked for does not allow.
        private func severity(_ finding: SchemaComparison.Finding) -> Diagnostic.Severity {
            let asked: [Bool?] =
                switch direction {
                case .backward: [finding.isNarrowing]
                case .forward: [finding.isWidening]
                case .both: [finding.isNarrowing, finding.isWidening]
                }
            if asked.contains(true) { return .error }
            return asked.contains { $0 == nil } ? .warning : .note
        }

        private func diagnostic(_ finding: SchemaComparison.Finding) -> Diagnostic {
            let change = finding.change
            var notes: [Diagnostic] = []
            if let place = change.oldLocation { notes.append(.note("before", range: place.range)) }
            var help: [String] = []
            if let value = finding.lost { help.append("no longer allowed here: \(Self.short(value))") }
            if let value = finding.won { help.append("allowed here now: \(Self.short(value))") }
            return Diagnostic(
                DiagnosticID("diff.\(change.kind)"), change.message, severity: severity(finding),
                range: change.location.range, path: change.location.pointer, notes: notes,
                help: help.isEmpty ? nil : help.joined(separator: "; "))
        }

        private static func short(_ value: JSONValue) -> String {
            let text = value.description
            return text.count > 100 ? String(text.prefix(100)) + "…" : text
        }

        private func json(_ comparison: SchemaComparison, _ specs: [LoadedSpec]) -> JSONValue {
            func verdict(_ verdict: SchemaComparison.Verdict) -> JSONValue {
                switch verdict {
                case .holds: ["holds": true]
                case .broken(let value): ["holds": false, "witness": value]
                case .undecided(let reason): ["holds": .null, "reason": .string(reason)]
                }
            }
            func known(_ value: Bool?) -> JSONValue { value.map { .bool($0) } ?? .null }
            let renderer = DiagnosticRenderer(sources: specs.compactMap(\.source.source))
            let changes = comparison.findings.map { finding -> JSONValue in
                var object = JSONObject()
                object["narrows"] = known(finding.isNarrowing)
                object["widens"] = known(finding.isWidening)
                if let value = finding.lost { object["lost"] = value }
                if let value = finding.won { object["won"] = value }
                object["diagnostic"] = renderer.json(diagnostic(finding))
                return .object(object)
            }
            return [
                "old": .string(old), "new": .string(new), "verdict": .string(comparison.summary.rawValue),
                "backward": verdict(comparison.backward), "forward": verdict(comparison.forward),
                "changes": .array(changes),
            ]
        }
    }
}
