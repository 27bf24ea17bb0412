// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation
import Inference
import ModelFiles
import Transformations

extension BenchCommand {
    struct Repair: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Damage valid documents in known ways, and count what 'repair' brings back.",
            discussion: """
                With a folder that holds cases.jsonl, schemas/ and files: each valid file is damaged by seeded mutations,
                kind by kind. With a .jsonl file: cases with a damaged text and the expected value. Exit status 2 where a
                repaired document is invalid or a valid value was changed.

                EXAMPLE
                  formwork bench repair ../shared/quality/dev/repair.jsonl
                  formwork bench repair schemastore --each 2 --seed 1
                """
        )

        @Argument(help: "A .jsonl file with cases, or a folder.")
        var path: String

        @Option(name: .long, help: "Damages of each kind per file.")
        var each: Int = 1

        @Option(name: .long, help: "Damages at once.")
        var faults: Int = 1

        @Option(name: .long, help: "Seed of the random numbers.")
        var seed: UInt64 = 0

        @Option(name: .long, help: "Take every K-th file only.")
        var every: Int = 1

        @Option(name: .long, help: "Only this kind of damage; repeatable.")
        var kind: [String] = []

        @Option(name: .long, help: "Leave out larger files.")
        var maximumBytes: Int = 64 << 10

        @Option(name: .shortAndLong, help: "Let this model complete what rules cannot repair.")
        var model: String?

        @Option(name: .shortAndLong, help: "Threads for the model.")
        var threads: Int = 1

        @Option(name: .long, help: "The most tokens of a document that the model completes.")
        var maxTokens: Int = 1024

        @Flag(name: .long, help: "Print each case that does not come back.")
        var verbose = false

        func validate() throws {
            if each < 1 || faults < 1 || every < 1 || maximumBytes < 1 {
                throw ValidationError("--each, --faults, --every and --maximum-bytes take 1 or more")
            }
            if let unknown = kind.first(where: { Mutation(rawValue: $0) == nil }) {
                throw ValidationError(
                    "there is no kind '\(unknown)'; known are \(Mutation.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
        }

        func run() throws {
            let note: (String) -> Void = { if verbose { try? Console.line($0) } }
            let url = URL(fileURLWithPath: path)
            var helper: RepairBench.Helper?
            if let model {
                let loaded = try TextModel(
                    path: ModelStore.standard().resolve(model).path, options: ModelOptions(threads: threads))
                let options = TransformationOptions(maxTokens: maxTokens, formats: .annotate)
                helper = { spec, registry, validator in
                    let repairer = ModelRepairer(
                        model: loaded, spec: spec, registry: registry, validator: validator, options: options)
                    return { try repairer.complete($0) }
                }
            }
            let report =
                path.hasSuffix(".jsonl")
                ? try RepairBench.run(cases: url, helper: helper, note: note)
                : try RepairBench.run(
                    folder: url, each: each, faults: faults, seed: seed, every: every, only: Set(kind),
                    maximumBytes: maximumBytes,
                    helper: helper, note: note, progress: { Console.progress("\($0) files") })
            Console.endProgress()
            try Console.line(report.text)
            if report.total.invalid > 0 || report.validChanged > 0 { throw CommandFailure(.dataInvalid) }
        }
    }
}
