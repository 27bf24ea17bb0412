// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation
import ModelFiles

extension BenchCommand {
    struct Inference: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure prefill, decode, several sequences, and documents taken from a text.",
            discussion: """
                With --schema and --input a document is made from the text with all savings of constrained decoding,
                and without each of them; the documents must be the same, or the exit status is 2.

                EXAMPLE
                  formwork bench inference --model smollm2 --threads 2 --output json
                  formwork bench inference --threads 1,2 --depths 0,1000 --sequences 8 --plot speed.svg
                  formwork bench inference --schema Schemas/job-posting.yaml --input Samples/job-posting/nurse.txt
                """
        )

        @Option(name: .shortAndLong, help: "A model's name in the store, or the path of a GGUF file.")
        var model: String = "smollm2"

        @Option(name: .shortAndLong, help: ArgumentHelp("Threads for the model, or several numbers of them.", valueName: "N,…"))
        var threads: String?

        @OptionGroup var adapterArguments: AdapterArguments

        @Option(name: .long, help: "Tokens of the prompt.")
        var promptTokens: Int = 512

        @Option(name: .long, help: "Tokens to generate after it.")
        var generate: Int = 128

        @Option(name: .long, help: ArgumentHelp("Also generate after so many tokens of context.", valueName: "N,…"))
        var depths: String?

        @Option(name: .long, help: "Also generate with so many sequences at once.")
        var sequences: Int = 1

        @Option(name: .shortAndLong, help: "Also make documents of this schema or spec.", completion: .file())
        var schema: String?

        @Option(name: .long, help: "The text that they are made from.", completion: .file())
        var input: String?

        @Option(name: .long, help: "The most tokens of a document.")
        var maxTokens: Int = 200

        @Option(name: .long, help: "Runs; medians are printed.")
        var runs: Int = 3

        @Option(name: .shortAndLong, help: "text or json.")
        var output: ReportFormat = .text

        @Option(name: .long, help: "Where a plot of the figures goes, as SVG.", completion: .file(extensions: ["svg"]))
        var plot: String?

        private static func numbers(_ text: String, _ range: ClosedRange<Int>, _ option: String) throws -> [Int] {
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { Int($0) }.filter(range.contains)
            guard numbers.count == parts.count, numbers.count <= 16 else {
                throw ValidationError("\(option) takes numbers from \(range.lowerBound) to \(range.upperBound)")
            }
            return numbers
        }

        func validate() throws {
            if promptTokens < 1 || generate < 0 || runs < 1 || promptTokens > 1 << 20 || generate > 1 << 20 {
                throw ValidationError("--prompt-tokens and --runs take 1 or more, --generate 0 or more")
            }
            if !(1...256).contains(sequences) { throw ValidationError("--sequences takes 1 to 256") }
            if (schema == nil) != (input == nil) { throw ValidationError("--schema and --input go together") }
            if maxTokens < 1 { throw ValidationError("--max-tokens takes 1 or more") }
            if let threads { _ = try Self.numbers(threads, 1...256, "--threads") }
            if let depths { _ = try Self.numbers(depths, 0...1 << 20, "--depths") }
        }

        func run() throws {
            let path = try ModelStore.standard().resolve(model).path
            let counts = try threads.map { try Self.numbers($0, 1...256, "--threads") }
                ?? [ProcessInfo.processInfo.activeProcessorCount]
            var extraction: ExtractionBench?
            if let schema, let input {
                guard let text = try? String(contentsOfFile: input, encoding: .utf8) else {
                    throw CommandFailure(.unreadable, "cannot read '\(input)' as text")
                }
                extraction = ExtractionBench(schema: schema, text: text, maxTokens: maxTokens)
            }
            let figures = try counts.map { count in
                try InferenceBench.measure(
                    model: path, threads: count, adapters: adapterArguments.adapters, promptTokens: promptTokens,
                    generate: generate, sequences: sequences,
                    depths: depths.map { try Self.numbers($0, 0...1 << 20, "--depths") } ?? [], extraction: extraction,
                    runs: runs)
            }
            switch output {
            case .text: try Console.line(figures.map(\.table).joined(separator: "\n\n"))
            case .json:
                let objects = figures.map(\.json)
                try Console.line(objects.count == 1 ? objects[0] : "[\(objects.joined(separator: ",\n"))]")
            }
            if let plot { try Console.writeFile(plot, InferencePlot.svg(figures)) }
            if figures.contains(where: { $0.extraction.contains { !$0.isSame } }) { throw CommandFailure(.dataInvalid) }
        }
    }
}
