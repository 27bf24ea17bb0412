// SPDX-License-Identifier: Apache-2.0

import Foundation
package import Inference

/// Measures how fast a model loads, reads a prompt and generates, and the memory it needs.
///
///     let figures = try InferenceBench.measure(model: "model.gguf", threads: 2, promptTokens: 512, generate: 64)
///     print(figures.json)
package enum InferenceBench {
    /// How the figures are printed.
    package enum Output: String, CaseIterable, Sendable { case text, json }

    /// The medians of all runs.
    package struct Figures: Sendable {
        /// The path of the model.
        package var model: String
        /// The number of threads.
        package var threads: Int
        /// The length of the prompt.
        package var promptTokens: Int
        /// The number of tokens generated after it.
        package var generatedTokens: Int
        /// The number of times everything was measured.
        package var runs: Int
        /// Tokens of the prompt read per second.
        package var prefillTokensPerSecond: Double
        /// Tokens generated per second.
        package var decodeTokensPerSecond: Double
        /// Tokens generated per second after so many tokens of context, where that was asked for.
        package var depths: [(tokens: Int, tokensPerSecond: Double)] = []
        /// Documents taken from a text, with all savings and without each, where that was asked for.
        package var extraction: [ExtractionBench.Figures] = []
        /// The number of sequences that were generated together; 1 if that was not measured.
        package var sequences = 1
        /// Tokens that several sequences generated per second, together.
        package var batchTokensPerSecond: Double?
        /// The time to load the model.
        package var loadSeconds: Double
        /// The most memory the process held at any time.
        package var peakResidentBytes: Int

        /// The figures as one JSON object.
        package var json: String {
            var object: [String: Any] = [
                "model": model, "threads": threads, "prompt_tokens": promptTokens, "generate": generatedTokens,
                "runs": runs, "prefill_tokens_per_second": prefillTokensPerSecond,
                "decode_tokens_per_second": decodeTokensPerSecond, "load_seconds": loadSeconds,
                "peak_rss_bytes": peakResidentBytes,
            ]
            if let batchTokensPerSecond {
                object["sequences"] = sequences
                object["batch_tokens_per_second"] = batchTokensPerSecond
            }
            if !depths.isEmpty {
                object["depths"] = depths.map { ["context": $0.tokens, "decode_tokens_per_second": $0.tokensPerSecond] }
            }
            if !extraction.isEmpty { object["extraction"] = extraction.map(\.object) }
            let data = try? JSONSerialization.data(
                withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }

        /// The figures as a table for people.
        package var table: String {
            let together = batchTokensPerSecond.map {
                "together  \(String(format: "%.1f", $0)) tokens/s (\(sequences) sequences, "
                    + "\(String(format: "%.2f", $0 / max(decodeTokensPerSecond, 1e-9))) times one)\n"
            }
            let depths = depths.map {
                "decode    \(String(format: "%.1f", $0.tokensPerSecond)) tokens/s (after \($0.tokens) tokens)\n"
            }.joined()
            let extraction = extraction.map { $0.line + "\n" }.joined()
            return """
            model     \(model)
            threads   \(threads)
            load      \(String(format: "%.3f", loadSeconds)) s
            prefill   \(String(format: "%.1f", prefillTokensPerSecond)) tokens/s (\(promptTokens) tokens)
            decode    \(String(format: "%.1f", decodeTokensPerSecond)) tokens/s (\(generatedTokens) tokens)
            \(depths)\(together ?? "")\(extraction)peak RSS  \(String(format: "%.1f", Double(peakResidentBytes) / 1e6)) MB
            runs      \(runs), medians
            """
        }
    }

    /// Loads the model, reads a prompt and generates, `runs` times.
    ///
    /// - Throws: `InferenceError` if the model cannot be loaded or the tokens do not fit its context.
    package static func measure(
        model path: String, threads: Int, adapters: [ModelOptions.Adapter] = [], promptTokens: Int, generate: Int,
        sequences: Int = 1, depths: [Int] = [], extraction: ExtractionBench? = nil, runs: Int = 1
    ) throws -> Figures {
        let limit = 1 << 24
        guard (0...limit).contains(promptTokens), (0...limit).contains(generate), (1...limit).contains(runs) else {
            throw InferenceError(
                .unsupported,
                "\(promptTokens) prompt tokens, \(generate) tokens to generate and \(runs) runs were asked for; the first "
                    + "two may be 0 to \(limit), runs from 1")
        }
        var loads: [Double] = []
        var prefills: [Double] = []
        var decodes: [Double] = []
        var batches: [Double] = []
        var deep = [[Double]](repeating: [], count: depths.count)
        let clock = ContinuousClock()
        let options = ModelOptions(threads: threads, adapters: adapters)
        for _ in 0..<runs {
            let start = clock.now
            let model = try Model(path: path, options: options)
            loads.append(seconds(clock.now - start))
            let session = try InferenceSession(
                model, contextLength: min(max(promptTokens + generate, 1), model.contextLength))
            let vocabulary = model.vocabularySize
            let prompt = (0..<max(promptTokens, 1)).map { Int32(($0 * 7919 + 13) % vocabulary) }
            let beforePrefill = clock.now
            try session.prefill(prompt)
            prefills.append(Double(prompt.count) / seconds(clock.now - beforePrefill))
            let beforeDecode = clock.now
            for _ in 0..<generate { try session.decode(session.argmax()) }
            if generate > 0 { decodes.append(Double(generate) / seconds(clock.now - beforeDecode)) }
            for (index, depth) in depths.enumerated() where generate > 0 {
                let tokens = max(depth, 1)
                let session = try InferenceSession(model, contextLength: min(tokens + generate, model.contextLength))
                try session.prefill((0..<tokens).map { Int32(($0 * 7919 + 13) % vocabulary) })
                let before = clock.now
                for _ in 0..<generate { try session.decode(session.argmax()) }
                deep[index].append(Double(generate) / seconds(clock.now - before))
            }
            if sequences > 1, generate > 0 {
                batches.append(
                    try together(model, sequences, promptTokens: prompt.count, generate: generate, clock))
            }
        }
        var figures = Figures(
            model: path, threads: threads, promptTokens: max(promptTokens, 1), generatedTokens: generate,
            runs: runs, prefillTokensPerSecond: median(prefills), decodeTokensPerSecond: median(decodes),
            sequences: sequences, batchTokensPerSecond: batches.isEmpty ? nil : median(batches),
            loadSeconds: median(loads), peakResidentBytes: peakResidentBytes())
        if generate > 0 { figures.depths = zip(depths, deep).map { ($0, median($1)) } }
        if let extraction {
            figures.extraction = try extraction.measure(model: path, modelOptions: options, runs: runs)
            figures.peakResidentBytes = peakResidentBytes()
        }
        return figures
    }

    /// Tokens per second of several sequences that each generate after a prompt of their own.
    private static func together(
        _ model: Model, _ sequences: Int, promptTokens: Int, generate: Int, _ clock: ContinuousClock
    ) throws -> Double {
        let batch = try InferenceBatch(model, sequences: sequences)
        let vocabulary = model.vocabularySize
        let sessions = try (0..<sequences).map { index in
            let session = try InferenceSession(
                model, contextLength: min(promptTokens + generate, model.contextLength))
            try session.prefill((0..<promptTokens).map { Int32(($0 * 7919 + 13 + index) % vocabulary) })
            return session
        }
        let start = clock.now
        for _ in 0..<generate {
            for case let error? in batch.run(
                sessions.map { SequenceStep($0, tokens: [$0.argmax()], logits: .all) })
            { throw error }
        }
        return Double(generate * sequences) / seconds(clock.now - start)
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard let upper = sorted.dropFirst(sorted.count / 2).first else { return 0 }
        return sorted.count % 2 == 1 ? upper : (upper + sorted[sorted.count / 2 - 1]) / 2
    }

    /// The high-water mark of resident memory of this process; 0 where the system does not tell.
    package static func peakResidentBytes() -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
                ?? line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return kilobytes * 1024
    }
}
