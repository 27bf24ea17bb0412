// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation
import JSONSchemas

extension BenchCommand {
    struct Fuzz: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Walk at random through masks, compare small schemas with brute force, damage documents.",
            discussion: """
                With --schemas: each line of the result is a walk with its budget, status and text. With --small-worlds:
                random schemas over few values, whose machine, masks and negation are compared with the validator.
                With --documents: damaged files for every reader and the formatter. With --gguf: damaged headers of small
                model files, each loaded and run for a token, in processes of their own; with --lora those of adapters,
                each applied to the model.
                The same seed gives the same run. Exit status 2 where something is wrong.

                EXAMPLE
                  formwork bench fuzz --schemas schemas.jsonl.gz --vocab vocab.jsonl.gz --walks 3 --seed 1 --out walks.jsonl
                  formwork bench fuzz --small-worlds 10000 --seed 1
                  formwork bench fuzz --documents config/ --cases 100000 --seconds 600 --out failures/
                  formwork bench fuzz --gguf tiny.gguf --cases 1000000 --seed 1 --out failures/
                  formwork bench fuzz --gguf tiny.gguf --lora adapter.gguf --cases 100000 --out failures/
                """
        )

        @Option(name: .long, help: "A file with a schema and its id per line.")
        var schemas: String?

        @Option(name: .long, help: "The vocabulary.")
        var vocab: String?

        @Option(name: .long, help: "Walks per schema.")
        var walks: Int = 3

        @Option(name: .long, help: "Seed of the random numbers.")
        var seed: UInt64 = 0

        @Option(name: .long, help: "Where the walks go; with --documents and --gguf the folder for what fails.")
        var out: String?

        @Option(name: .long, help: "Run every K-th schema only.")
        var every: Int = 1

        @Option(name: .long, help: "The first schema to run, counted from 0.")
        var offset: Int = 0

        @Flag(name: .long, help: "Compare the mask of each visited state with one found by stepping every token.")
        var checkMasks = false

        @Option(name: .long, help: "Keep single bytes and every K-th of the other tokens only.")
        var vocabularyShare: Int = 1

        @Flag(
            name: .long,
            help: """
                Walk through all values, also through those on which validators differ that compute in binary floating \
                point or match patterns in another dialect than ECMA-262.
                """)
        var allValues = false

        @Option(name: .long, help: "The text that strings with 'x-verbatim' are taken from.")
        var source: String?

        @OptionGroup var spelling: SpellingArguments

        @Option(name: .long, help: "Compare this many random schemas with brute force.")
        var smallWorlds: Int?

        @Flag(name: .long, help: "Small worlds with 'x-verbatim' and 'x-order', each with a text to take strings from.")
        var extensions = false

        @Option(name: .long, help: "A file or folder with documents to damage; repeatable.")
        var documents: [String] = []

        @Option(name: .long, parsing: .upToNextOption, help: "Small model files whose headers to damage.")
        var gguf: [String] = []

        @Option(name: .long, help: "A small adapter to damage, for the model of --gguf, which stays sound. Repeatable.")
        var lora: [String] = []

        @Option(name: .long, help: ArgumentHelp("Run the cases in this process and log them.", visibility: .hidden))
        var workerLog: String?

        @Option(name: .long, help: "Damaged documents or models; --offset names the first.")
        var cases: Int = 10_000

        @Option(name: .long, help: "Begin no more cases after this time.")
        var seconds: Double?

        func validate() throws {
            if [schemas != nil, smallWorlds != nil, !documents.isEmpty, !gguf.isEmpty].count(where: \.self) != 1 {
                throw ValidationError("one of --schemas, --small-worlds, --documents and --gguf is needed")
            }
            if !gguf.isEmpty, out == nil { throw ValidationError("--gguf needs --out") }
            if !lora.isEmpty, gguf.count != 1 { throw ValidationError("--lora needs one model: --gguf") }
            if cases < 1 { throw ValidationError("--cases takes 1 or more") }
            if schemas != nil, vocab == nil || out == nil { throw ValidationError("--schemas needs --vocab and --out") }
            if walks < 1 || every < 1 || offset < 0 || vocabularyShare < 1 || smallWorlds ?? 1 < 1 {
                throw ValidationError(
                    "--walks, --every, --vocabulary-share and --small-worlds take 1 or more, --offset 0 or more")
            }
        }

        func run() throws {
            if !documents.isEmpty { return try damageDocuments() }
            if !gguf.isEmpty, let out { return try damageModels(out) }
            if let smallWorlds {
                let summary = SmallWorlds.run(
                    count: smallWorlds, first: offset, seed: seed, hasExtensions: extensions
                ) { try? Console.line($0) }
                try Console.line(summary.report)
                if !summary.passes { throw CommandFailure(.dataInvalid) }
                return
            }
            guard let schemas, let vocab, let out else { return }
            for path in [schemas, vocab] where !FileManager.default.isReadableFile(atPath: path) {
                throw CommandFailure(.unreadable, "cannot read '\(path)'")
            }
            var options = FuzzBench.Options()
            options.walks = walks
            options.seed = seed
            options.every = every
            options.offset = offset
            options.checksMasks = checkMasks
            options.vocabularyShare = vocabularyShare
            options.source = try source.map { try VerbatimSource.read($0) }
            options.profile = spelling.profile(default: .compact)
            options.profile.keepsToCommonGround = !allValues
            let summary = try FuzzBench.walk(schemas: schemas, vocab: vocab, out: out, options: options) {
                try? Console.line($0)
            }
            try Console.line(summary.report)
            if !summary.passes { throw CommandFailure(.dataInvalid) }
        }

        private func damageModels(_ out: String) throws {
            let fuzz = try ModelFuzz(
                paths: lora.isEmpty ? gguf : lora, model: lora.isEmpty ? nil : gguf.first, seed: seed)
            let end = offset.addingReportingOverflow(cases)
            let range = offset..<(end.overflow ? .max : end.partialValue)
            if let workerLog { return try fuzz.work(cases: range, folder: out, log: workerLog) }
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            guard let program = Bundle.main.executableURL else {
                throw CommandFailure(.unreadable, "the path of this program is not known")
            }
            let summary = try fuzz.supervise(
                cases: range, seconds: seconds, folder: out,
                worker: { cases, log in
                    let process = Process()
                    process.executableURL = program
                    process.arguments = ["bench", "fuzz", "--gguf"] + gguf + lora.flatMap { ["--lora", $0] }
                    process.arguments?.append(contentsOf: [
                        "--seed", "\(seed)", "--offset", "\(cases.lowerBound)", "--cases", "\(cases.count)", "--out", out,
                        "--worker-log", log,
                    ])
                    try process.run()
                    return process
                },
                fail: { number, message in
                    try? Console.line("case \(number): \(message)")
                    let file = URL(fileURLWithPath: out).appendingPathComponent("\(number).gguf")
                    do { try Data(fuzz.bytes(ofCase: number)).write(to: file) } catch {
                        Console.error("cannot write '\(file.path)'")
                    }
                },
                progress: { try? Console.line($0.report) })
            try Console.line(summary.report)
            if !summary.passes { throw CommandFailure(.dataInvalid) }
        }

        private func damageDocuments() throws {
            let fuzz = try DocumentFuzz(paths: documents, seed: seed)
            let end = offset.addingReportingOverflow(cases)
            try Console.line("\(fuzz.fileCount) files")
            if let out { try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true) }
            let summary = fuzz.run(
                cases: offset..<(end.overflow ? .max : end.partialValue), seconds: seconds,
                fail: { failure in
                    let format = failure.format?.rawValue ?? "txt"
                    try? Console.line("case \(failure.number), \(format): \(failure.message)")
                    guard let out else { return }
                    let file = URL(fileURLWithPath: out).appendingPathComponent("\(failure.number).\(format)")
                    do { try Data(failure.bytes).write(to: file) } catch {
                        Console.error("cannot write '\(file.path)'")
                    }
                },
                progress: { try? Console.line($0.report) })
            try Console.line(summary.report)
            if !summary.passes { throw CommandFailure(.dataInvalid) }
        }
    }
}
