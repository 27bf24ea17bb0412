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
            Lists every violation with file, line, column and JSON Pointer. Without --schema, files are checked with the
            schema that they name themselves, or that formwork.yaml gives them. Exit status 2 where a document is
            invalid, 4 where a schema is, or is not known. JSON Lines of any size are read line by line; files that end
            in .gz are decompressed.

            EXAMPLE
              formwork validate --schema Schemas/contact.yaml out.json
              formwork validate config 'deploy/**/*.yaml'
              formwork validate --schema schema.json --output json - < data.json
              formwork validate --schema answer.json --extract answer.md
              formwork validate --schema quotes.yaml --source article.txt quotes.json
            """
    )

    @Option(
        name: .shortAndLong,
        help: "A JSON Schema (JSON or YAML) or a short YAML spec: its path, its name in the catalogue, or its address.", completion: .file())
    var schema: String?

    @OptionGroup var schemaArguments: SchemaArguments

    @Option(name: .long, help: "The text that strings with 'x-verbatim' are taken from.", completion: .file())
    var source: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            What a reference means whose target is not at hand: refuse (a value that needs it is invalid) or allow \
            (any value will do; a warning is printed). (default: refuse)
            """))
    var unresolved: UnresolvedChoice?

    @OptionGroup var projectArguments: ProjectArguments

    @Option(
        name: .shortAndLong,
        help: """
            auto, text, json, github, gitlab, sarif, junit or tap; flag, basic, list or hierarchical as the JSON Schema \
            specification has them; auto is github in GitHub Actions, else text.
            """)
    var output: ValidationOutput = .auto

    @Flag(name: .shortAndLong, help: "Print nothing but errors in reading.")
    var quiet = false

    @Flag(
        name: .long,
        help: "Take duplicate keys, and properties that the schema allows but does not name, for mistakes.")
    var strict = false

    @Flag(name: .long, help: "Say for each mistake what the schema wants at that place.")
    var explain = false

    @Flag(
        name: .long,
        help: """
            Check the documents inside of other text, such as the answer of a model: what stands in the fences of \
            Markdown, else the first object or array.
            """)
    var extract = false

    @Flag(name: .long, help: "Stop after the first file that is not valid, and at its first such line of JSON Lines.")
    var failFast = false

    @Option(
        name: .shortAndLong, help: "Files that are checked at the same time; by default one for each core, at most 8.")
    var threads: Int?

    @Flag(name: .long, help: "Check again whenever a file or a schema has changed, until interrupted.")
    var watch = false

    @Option(name: .long, help: .hidden)
    var watchRounds: Int?

    @Argument(
        help: """
            Files: .json, .jsonc, .json5, .yaml, .toml, .jsonl, and these with .gz; folders; globs such as \
            'config/**/*.yaml'; '-' or nothing is standard input.
            """, completion: .file())
    var files: [String] = []

    func validate() throws {
        if schema == nil, files.isEmpty {
            throw ValidationError("give --schema, or files that name their schema or have one in formwork.yaml")
        }
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads must lie between 1 and 256")
        }
        if watch, files.isEmpty || files.contains("-") || schema == "-" {
            throw ValidationError("--watch needs files; standard input can be read once only")
        }
        if let standard = output.standard, strict || explain {
            throw ValidationError(
                "--output \(standard.rawValue) says what the specification says, to which \(strict ? "--strict" : "--explain") adds")
        }
        if let watchRounds, watchRounds < 1 { throw ValidationError("--watch-rounds must be positive") }
    }

    func run() throws {
        guard watch else {
            var round = ValidationRound(self)
            return try round.run()
        }
        var rounds = 0
        while true {
            var round = ValidationRound(self)
            var status = ExitStatus.ok
            do {
                try round.run()
            } catch {
                status = Formwork.report(error)
            }
            rounds += 1
            if let watchRounds, rounds >= watchRounds {
                if status != .ok { throw CommandFailure(status) }
                return
            }
            let watched = round.watched
            if !quiet { Console.message("watching \(watched.count) files") }
            round.waitForChange(of: watched)
        }
    }

    var threadCount: Int { threads ?? min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 8) }
}

/// `--unresolved`.
enum UnresolvedChoice: String, CaseIterable, ExpressibleByArgument {
    case refuse, allow

    var policy: SchemaOptions.UnresolvedReferences { self == .allow ? .allowed : .deferred }
}
