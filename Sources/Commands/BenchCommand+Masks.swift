// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Constraints
import Foundation

extension BenchCommand {
    struct Masks: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure token masks on schemas with instances.",
            discussion: """
                Reads vocab-v1 and case files and writes mask-results-v1; names may end in .gz. Exit status 2 where an
                invalid instance is accepted.

                EXAMPLE
                  formwork bench masks --vocab vocab.jsonl.gz --cases cases.jsonl.gz --out results.jsonl
                """
        )

        @Option(name: .long, help: "The vocabulary.")
        var vocab: String

        @Option(name: .long, help: "The cases.")
        var cases: String

        @Option(name: .long, help: "Where the results go.")
        var out: String

        @OptionGroup var spelling: SpellingArguments

        @Option(name: .long, help: "Run every K-th case only.")
        var every: Int = 1

        func run() throws {
            for path in [vocab, cases] where !FileManager.default.isReadableFile(atPath: path) {
                throw CommandFailure(.unreadable, "cannot read '\(path)'")
            }
            // Other engines wrote the instances: every spelling of their numbers counts.
            var profile = SpellingProfile.lenient
            let asked = spelling.profile(default: .compact)
            profile.whitespace = asked.whitespace
            profile.keyOrder = asked.keyOrder
            let score = try MaskBench.run(vocab: vocab, cases: cases, out: out, every: every, profile: profile) {
                try? Console.line($0)
            }
            if !score.invalidationErrors.isEmpty { throw CommandFailure(.dataInvalid) }
        }
    }
}
