// SPDX-License-Identifier: Apache-2.0

import Foundation
package import Generation
import Inference
import JSONSchemas
import Transformations

/// Makes a document from a text with all savings of constrained decoding, and without each of them.
package struct ExtractionBench: Sendable {
    /// What is left out.
    package enum Variant: String, CaseIterable, Sendable {
        case all = "all savings"
        case noForcedTokens = "without forced tokens"
        case noPartialHead = "without the masked head"
        case noDrafts = "without guesses"
        case none = "without any"
    }

    /// The medians of all runs of one variant.
    package struct Figures: Sendable {
        /// What was left out.
        package var variant: Variant
        /// Time from the text to the document, without loading the model, in seconds.
        package var seconds: Double
        /// Time spent on the prompt, in seconds.
        package var prefillSeconds: Double
        /// Counts of the last run.
        package var statistics: GenerationStatistics
        /// Whether the document is that of the first variant.
        package var isSame: Bool

        var object: [String: Any] {
            [
                "variant": variant.rawValue, "seconds": seconds, "prefill_seconds": prefillSeconds,
                "prompt_tokens": statistics.promptTokens, "output_tokens": statistics.outputTokens,
                "forced_tokens": statistics.forcedTokens, "drafted_tokens": statistics.draftedTokens,
                "accepted_tokens": statistics.acceptedTokens, "constraint_seconds": statistics.constraintSeconds,
                "same_document": isSame,
            ]
        }

        var line: String {
            "document  \(String(format: "%.3f", seconds)) s \(variant.rawValue) (prompt \(statistics.promptTokens) tokens in "
                + "\(String(format: "%.3f", prefillSeconds)) s, output \(statistics.outputTokens), forced "
                + "\(statistics.forcedTokens), guessed \(statistics.acceptedTokens) of \(statistics.draftedTokens))"
                + (isSame ? "" : " ANOTHER DOCUMENT")
        }
    }

    private let schema: String
    private let text: String
    private let maxTokens: Int

    /// - Parameter schema: The path of a schema or spec.
    package init(schema: String, text: String, maxTokens: Int) {
        self.schema = schema
        self.text = text
        self.maxTokens = maxTokens
    }

    /// Runs all variants by turns, so that a change of the machine's speed meets all of them.
    func measure(model path: String, modelOptions: ModelOptions, runs: Int) throws -> [Figures] {
        let model = try TextModel(path: path, options: modelOptions)
        let spec = try SpecLoader.load(path: schema)
        var times: [Variant: [(total: Double, prefill: Double)]] = [:]
        var texts: [Variant: String] = [:]
        var statistics: [Variant: GenerationStatistics] = [:]
        for _ in 0..<runs {
            for variant in Variant.allCases {
                // A new transformer has an empty cache: each reads the whole prompt.
                let transformer = try Transformer(model: model, spec: spec, options: options(variant))
                let result = try transformer.transform(text)
                let counts = result.report.statistics
                times[variant, default: []].append((counts.totalSeconds, counts.prefillSeconds))
                texts[variant] = result.text
                statistics[variant] = counts
            }
        }
        return Variant.allCases.map { variant in
            let times = times[variant] ?? []
            // Forced runs are taken in the tokenizer's own spelling: without them the model may choose another one.
            let comparable: Variant = variant == .none ? .noForcedTokens : variant == .noForcedTokens ? variant : .all
            return Figures(
                variant: variant, seconds: InferenceBench.median(times.map(\.total)),
                prefillSeconds: InferenceBench.median(times.map(\.prefill)),
                statistics: statistics[variant] ?? GenerationStatistics(),
                isSame: texts[variant] == texts[comparable])
        }
    }

    private func options(_ variant: Variant) -> TransformationOptions {
        var options = TransformationOptions(maxTokens: maxTokens)
        if variant == .noForcedTokens || variant == .none { options.takesForcedTokens = false }
        if variant == .noPartialHead || variant == .none { options.computesMaskedHead = false }
        if variant == .noDrafts || variant == .none { options.usesDrafts = false }
        return options
    }
}
