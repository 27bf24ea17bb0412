// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import JSONSchemas

struct GrammarCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grammar",
        abstract: "Check grammars and match texts against them.",
        subcommands: [Check.self, Match.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether a grammar can be enforced, and what its shortest text is.",
            discussion: """
                Reads GBNF (.gbnf), Lark (.lark) and block forms (.yaml, .json). Exit status 0 where everything is
                enforced, 3 where something is not supported, 4 where the grammar is wrong or no text matches it.

                EXAMPLE
                  formwork grammar check Samples/grammars/*.gbnf
                """
        )

        @Option(name: .customLong("grammar-kind"), help: "gbnf, lark or blocks; by default the file's ending tells.")
        var kind: GrammarKind?

        @OptionGroup var schemaArguments: SchemaArguments

        @Option(name: .shortAndLong, help: "text or json.")
        var output: ReportFormat = .text

        @Argument(help: "Grammars.", completion: .file())
        var grammars: [String]

        func run() throws {
            var worst = ExitStatus.ok
            var reports: [JSONValue] = []
            for path in grammars {
                do {
                    let (grammar, _) = try GrammarFiles.load(path, kind: kind, registry: schemaArguments.makeRegistry())
                    let machine = try GrammarMachine(grammar, formats: schemaArguments.formats)
                    let warnings = grammar.warnings + machine.warnings(for: grammar)
                    let shortest = String(decoding: machine.witness(machine.start), as: UTF8.self)
                    let written = grammar.rules.count { $0.range != nil }
                    switch output {
                    case .text:
                        try Console.line("\(path): enforced in full")
                        try Console.line("  rules: \(written), states: \(machine.stateCount)")
                        try Console.line(
                            "  shortest text (\(shortest.utf8.count) bytes): "
                                + JSONWriter(style: .compact).write(.string(shortest)))
                        if !warnings.isEmpty {
                            try Console.line(DiagnosticRenderer(sources: grammar.sources).text(warnings))
                        }
                    case .json:
                        reports.append([
                            "grammar": .string(path), "enforced": true,
                            "rules": .number(DecimalNumber(written)),
                            "states": .number(DecimalNumber(machine.stateCount)), "shortest": .string(shortest),
                            "diagnostics": DiagnosticRenderer(sources: grammar.sources).json(warnings),
                        ])
                    }
                } catch let failure as DiagnosticsError where output == .json {
                    reports.append([
                        "grammar": .string(path), "enforced": false,
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

    struct Match: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Match a text against a grammar from beginning to end.",
            discussion: """
                Exit status 0 where the text matches, 2 where it does not; then the first place that no text of the
                grammar has is shown. A line break at the end of the text counts.

                EXAMPLE
                  formwork grammar match list.gbnf --input answer.txt
                  printf 'yes' | formwork grammar match --regex 'yes|no'
                """
        )

        @Option(name: .customLong("grammar-kind"), help: "gbnf, lark or blocks; by default the file's ending tells.")
        var kind: GrammarKind?

        @Option(name: .long, help: "Match a regular expression (ECMA-262) instead of a grammar.")
        var regex: String?

        @OptionGroup var schemaArguments: SchemaArguments

        @Option(name: .shortAndLong, help: "The text; '-' is standard input.", completion: .file())
        var input: String = "-"

        @Flag(name: .long, help: "Leave out one line break at the end of the text.")
        var ignoreFinalNewline = false

        @Argument(help: "A grammar.", completion: .file())
        var grammar: String?

        func validate() throws {
            if (grammar == nil) == (regex == nil) { throw ValidationError("state a grammar or --regex") }
        }

        func run() throws {
            let loaded =
                if let regex {
                    try GrammarFiles.regularExpression(regex)
                } else {
                    try GrammarFiles.load(grammar ?? "", kind: kind, registry: schemaArguments.makeRegistry()).0
                }
            let machine = try GrammarMachine(loaded, formats: schemaArguments.formats)
            var bytes = try Console.read(input, limit: 64 << 20)
            if ignoreFinalNewline, bytes.last == 0x0A {
                bytes.removeLast()
                if bytes.last == 0x0D { bytes.removeLast() }
            }
            let name = input == "-" ? "<stdin>" : input
            let source = SourceText(file: name, bytes: bytes)
            var configuration = machine.start
            for (offset, byte) in bytes.enumerated() {
                let next = machine.step(configuration, byte)
                if next.isDead {
                    var help = Self.expected(machine, configuration)
                    if offset == bytes.count - 1, byte == 0x0A, machine.isAccepting(configuration) {
                        help = "the text matches without its last line break; see --ignore-final-newline"
                    }
                    throw CommandFailure(
                        .dataInvalid,
                        diagnostics: [
                            Diagnostic(
                                "grammar.no-match", "no text of the grammar goes on like this",
                                range: source.range(offset..<(offset + 1)), help: help)
                        ], sources: [source])
                }
                configuration = next
            }
            guard machine.isAccepting(configuration) else {
                let rest = String(decoding: machine.witness(configuration), as: UTF8.self)
                throw CommandFailure(
                    .dataInvalid,
                    diagnostics: [
                        Diagnostic(
                            "grammar.no-match", "the text ends too early",
                            range: source.range(bytes.count..<bytes.count),
                            help: "the shortest rest is \(JSONWriter(style: .compact).write(.string(rest)))")
                    ], sources: [source])
            }
            try Console.line("\(name): matches")
        }

        /// What could stand at the place instead.
        private static func expected(_ machine: GrammarMachine, _ configuration: ConfigID) -> String {
            var shown: [String] = []
            var count = 0
            machine.allowedBytes(configuration).forEach { byte in
                count += 1
                if (0x21...0x7E).contains(byte), shown.count < 12 {
                    shown.append("'\(Character(Unicode.Scalar(byte)))'")
                }
            }
            let isComplete = machine.isAccepting(configuration)
            if count == 0 { return "the text is complete before this place" }
            let list = shown.isEmpty ? "\(count) bytes" : shown.joined(separator: " ")
            return "here may stand \(list)" + (count > shown.count && !shown.isEmpty ? " and others" : "")
                + (isComplete ? "; the text may also end" : "")
        }
    }
}
