// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Documents
import Foundation
import ModelFiles
import Transformations

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "The project's proofs: conformance, golden files, speed.",
        discussion: "Each runs on data that anyone can supply. Exit status 2 where something does not pass.",
        subcommands: [
            Golden.self, Suite.self, Validate.self, Inference.self, Masks.self, Fuzz.self, Tasks.self, Repair.self,
        ]
    )

    struct Golden: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare tokens, templates, logits and tiny models with recorded results.",
            discussion: """
                One line per fixture; exit status 2 on a miss. Models are looked for by file name in --models, in the
                folder FORMWORK_MODELS and in the store.

                EXAMPLE
                  formwork bench golden ../shared/golden
                """
        )

        @Argument(help: "A folder with tokenize/, templates/, jinja-snippets.json, logits/ and tiny/, as far as present.")
        var folder: String

        @Option(name: .long, help: "A folder with GGUF files.")
        var models: String?

        @Option(name: .shortAndLong, help: "Threads for the model.")
        var threads: Int = 1

        func run() throws {
            let url = URL(fileURLWithPath: folder)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw CommandFailure(.unreadable, "there is no folder '\(folder)'")
            }
            var passed = 0
            var failed = 0
            var skipped = 0
            let print = { (result: GoldenLogits.FixtureResult) in _ = try? Console.line(result.line) }
            var results = GoldenTokens.run(folder: url, modelPath: find, report: print)
            results += GoldenLogits.run(folder: url, threads: threads, modelPath: find, report: print)
            for result in results {
                switch result.status {
                case .passed: passed += 1
                case .failed: failed += 1
                case .skipped, .refused: skipped += 1
                }
            }
            try Console.line("\(passed) passed, \(failed) failed, \(skipped) skipped or refused")
            if passed + failed == 0 { throw CommandFailure(.unreadable, "'\(folder)' holds no fixtures") }
            if failed > 0 { throw CommandFailure(.dataInvalid) }
        }

        private func find(_ fileName: String) -> String? {
            let folders = [models, ProcessInfo.processInfo.environment["FORMWORK_MODELS"]].compactMap(\.self)
            for folder in folders {
                let path = "\(folder)/\(fileName)"
                if FileManager.default.fileExists(atPath: path) { return path }
            }
            let entry = CatalogModel.all.first { $0.fileName == fileName }
            let name = entry?.name ?? String(fileName.lowercased().dropLast(5))
            return try? ModelStore.standard().resolve(name).path
        }
    }

    struct Suite: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the JSON Schema Test Suite.",
            discussion: """
                EXAMPLE
                  formwork bench suite suite.tar.gz --engine validator
                """
        )

        @Argument(help: "The suite's folder, or a .tar.gz of it.")
        var suite: String

        @Option(name: .long, help: "validator or constraint.")
        var engine: SuiteEngine = .validator

        @Flag(name: .long, help: "Print the counts of every file.")
        var files = false

        func run() throws {
            guard FileManager.default.fileExists(atPath: suite) else {
                throw CommandFailure(.unreadable, "there is no suite '\(suite)'")
            }
            let report = try SuiteBench.run(path: suite, engine: engine == .validator ? .validator : .constraint)
            try Console.line(report.text(listsFiles: files))
            let passes =
                switch engine {
                case .validator: report.requiredPass
                // Refusing is honest and rejecting a valid spelling a shortcoming; accepting an invalid document is neither.
                case .constraint: !report.failures.contains { $0.outcome == .falsePositive && !$0.isOptional }
                }
            if !passes { throw CommandFailure(.dataInvalid) }
        }
    }

    struct Validate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure reading and validating real documents.",
            discussion: """
                The data has schemas/, documents, and cases.jsonl with 'schema', 'instance' and 'valid' on each line.

                EXAMPLE
                  formwork bench validate ../shared/schemastore/dev.tar.gz --schemas 50 --rounds 20
                """
        )

        @Argument(help: "The data's folder, or a .tar.gz of it.")
        var path: String

        @Option(name: .long, help: "Take the N largest schemas.")
        var schemas: Int = 50

        @Option(name: .long, help: "Read and validate everything so many times.")
        var rounds: Int = 20

        @Option(name: .long, help: "An address that means the folder of schemas. Repeatable.")
        var prefix: [String] = ["https://json.schemastore.org/", "https://www.schemastore.org/"]

        func validate() throws {
            if schemas < 1 || rounds < 1 { throw ValidationError("--schemas and --rounds must be at least 1") }
        }

        func run() throws {
            guard FileManager.default.fileExists(atPath: path) else {
                throw CommandFailure(.unreadable, "there is no '\(path)'")
            }
            let report = try ValidateBench.run(path: path, schemas: schemas, rounds: rounds, prefixes: prefix)
            try Console.line(report.text)
            if !report.disagreements.isEmpty { throw CommandFailure(.dataInvalid) }
        }
    }

    struct Tasks: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run text-to-JSON tasks with fixed prompts and write predictions.",
            discussion: """
                EXAMPLE
                  formwork bench tasks ../shared/quality --model smollm2 --out predictions.jsonl
                """
        )

        @Argument(help: "A folder with dev/TASK.jsonl and prompts/TASK.jsonl.")
        var folder: String

        @OptionGroup var modelArguments: ModelArguments

        @Option(name: .long, help: "Where the predictions go, a line per case.")
        var out: String

        @Option(name: .long, help: "Only this task; repeatable.")
        var task: [String] = []

        @Option(name: .long, help: "The most cases per task.")
        var limit: Int?

        @Option(name: .long, help: "The most tokens per document.")
        var maxTokens: Int = 200

        @OptionGroup var spelling: SpellingArguments

        @Flag(name: .long, help: "Ask the model for every token.")
        var noForcedTokens = false

        @Flag(name: .long, help: "Choose enums and booleans by the probability of each value as a whole.")
        var wholeValues = false

        func run() throws {
            let model = try modelArguments.load()
            guard FileManager.default.createFile(atPath: out, contents: nil),
                let file = FileHandle(forWritingAtPath: out)
            else { throw CommandFailure(.unreadable, "cannot write '\(out)'") }
            defer { try? file.close() }
            let summaries = try TasksBench.run(
                folder: URL(fileURLWithPath: folder), model: model,
                options: TransformationOptions(
                    maxTokens: maxTokens, profile: spelling.profile(default: .spaced),
                    contextLength: min(4096, model.contextLength),
                    takesForcedTokens: !noForcedTokens, choosesWholeValues: wholeValues),
                tasks: task, limit: limit,
                write: { try file.write(contentsOf: Data(($0 + "\n").utf8)) },
                progress: { Console.progress("\($0.task): \($0.cases)") }
            )
            Console.endProgress()
            try Console.line("task cases valid shortened prompt cached output forced seconds")
            for summary in summaries {
                try Console.line(
                    "\(summary.task) \(summary.cases) \(summary.valid) \(summary.shortened) \(summary.promptTokens) "
                        + "\(summary.cachedPromptTokens) \(summary.outputTokens) \(summary.forcedTokens) "
                        + String(format: "%.2f", summary.seconds))
                for failure in summary.failures { Console.error(failure) }
            }
            if summaries.contains(where: { $0.valid < $0.cases }) { throw CommandFailure(.dataInvalid) }
        }
    }
}

enum SuiteEngine: String, CaseIterable, ExpressibleByArgument {
    case validator, constraint
}
