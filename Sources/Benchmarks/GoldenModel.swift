// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference

/// One real model with recorded logits, continuations and the perplexity of a passage.
struct GoldenModel {
    let fixture: GoldenObject
    let path: String
    let threads: Int

    /// Below this margin the recorded choice is within the noise of 8-bit activations.
    private static let decisiveMargin = 0.5
    /// Tokens whose logits are kept at once.
    private static let batch = 256

    func run(_ checks: inout GoldenChecks) throws {
        let prompts = try fixture.objects("prompts")
        let passage = try fixture.object("passage")
        try runReference(prompts, passage, &checks)
        try runFast(prompts, passage, &checks)
    }

    /// The slow path against the results in single precision.
    private func runReference(
        _ prompts: [GoldenObject], _ passage: GoldenObject, _ checks: inout GoldenChecks
    ) throws {
        let model = try Model(
            path: path, options: ModelOptions(threads: threads, activations: .float32, kvCache: .f32))
        let isGemma = model.configuration.architecture == .gemma3
        let tolerance = isGemma ? 0.05 : 1e-3
        var worst = 0.0
        var (same, steps) = (0, 0)
        for prompt in prompts {
            let exact = try prompt.object("exact_f32")
            let ids = try prompt.tokens("prompt_ids")
            let greedy = try exact.tokens("greedy_ids")
            let margins = try exact.doubles("greedy_margins")
            let session = try InferenceSession(model, contextLength: ids.count + greedy.count)
            try session.prefill(ids)
            let difference = try compareTop(session, exact).max
            worst = max(worst, difference)
            if difference > tolerance {
                checks.misses.append("exact '\(try prompt.string("prompt"))': \(format(difference)) (\(tolerance))")
            }
            // One batch: the slow path expands every weight once per batch.
            var choices = [session.argmax()]
            try session.prefill(Array(greedy.dropLast()), logitsAtAll: true)
            for index in 0..<max(greedy.count - 1, 0) { choices.append(argmax(session.logits(at: index))) }
            for (choice, (token, margin)) in zip(choices, zip(greedy, margins)) {
                steps += 1
                if choice == token || margin < 2 * tolerance {
                    same += 1
                } else {
                    checks.misses.append("exact greedy token \(choice), expected \(token), margin \(margin)")
                }
            }
        }
        let perplexity = try perplexity(passage, on: model)
        let expected = try passage.object("exact_f32").double("perplexity")
        if !(abs(perplexity / expected - 1) <= 0.001) {
            checks.misses.append("exact perplexity \(format(perplexity)), expected \(expected)")
        }
        checks.figures.append(
            "exact top-20 \(format(worst)) greedy \(same)/\(steps) perplexity \(String(format: "%.3f", perplexity)) "
                + "(\(String(format: "%.3f", expected)))")
    }

    /// The fast path against the results at default settings.
    private func runFast(_ prompts: [GoldenObject], _ passage: GoldenObject, _ checks: inout GoldenChecks) throws {
        let model = try Model(path: path, options: ModelOptions(threads: threads))
        let tolerance = model.configuration.architecture == .gemma3 ? 2.0 : 1.5
        var worst = (max: 0.0, rms: 0.0)
        var (same, steps) = (0, 0)
        for prompt in prompts {
            let ids = try prompt.tokens("prompt_ids")
            let greedy = try prompt.tokens("greedy_ids")
            let margins = try prompt.doubles("greedy_margins")
            let session = try InferenceSession(model, contextLength: ids.count + greedy.count)
            try session.prefill(ids)
            let differences = [
                try compareTop(session, prompt), try compareTop(session, try prompt.object("exact_f32")),
            ]
            if let nearest = differences.min(by: { $0.max < $1.max }) {
                worst = (max(worst.max, nearest.max), max(worst.rms, nearest.rms))
                if nearest.max > tolerance || nearest.rms > 0.6 {
                    checks.misses.append(
                        "default '\(try prompt.string("prompt"))': max \(format(nearest.max)) (\(tolerance)) rms "
                            + "\(format(nearest.rms)) (0.6)")
                }
            }
            for (token, margin) in zip(greedy, margins) {
                let choice = session.argmax()
                steps += 1
                if choice == token || margin < Self.decisiveMargin {
                    same += 1
                } else {
                    checks.misses.append("default greedy token \(choice), expected \(token), margin \(margin)")
                }
                try session.decode(token)
            }
        }
        let perplexity = try perplexity(passage, on: model)
        let expected = try passage.double("perplexity")
        if !(abs(perplexity / expected - 1) <= 0.01) {
            checks.misses.append("default perplexity \(format(perplexity)), expected \(expected)")
        }
        checks.figures.append(
            "default top-20 \(format(worst.max)) rms \(format(worst.rms)) greedy \(same)/\(steps) perplexity "
                + "\(String(format: "%.3f", perplexity)) (\(String(format: "%.3f", expected)))")
    }

    private func compareTop(_ session: InferenceSession, _ expected: GoldenObject) throws -> (max: Double, rms: Double)
    {
        let pairs = try expected.pairs("top20")
        let logits = session.logits
        let values = pairs.map { logits.indices.contains($0.token) ? logits[$0.token] : .nan }
        return GoldenChecks.difference(values, pairs.map(\.logit))
    }

    private func argmax(_ logits: UnsafeBufferPointer<Float>) -> Int32 {
        var best = 0
        for index in logits.indices where logits[index] > logits[best] { best = index }
        return Int32(best)
    }

    private func perplexity(_ passage: GoldenObject, on model: Model) throws -> Double {
        let ids = try passage.tokens("ids")
        guard ids.allSatisfy({ $0 >= 0 && Int($0) < model.vocabularySize }) else {
            throw GoldenFormatError(description: "the passage has a token outside the vocabulary")
        }
        let session = try InferenceSession(model, contextLength: min(2048, model.contextLength))
        var total = 0.0
        var start = 0
        while start < ids.count - 1 {
            let end = min(start + Self.batch, ids.count - 1)
            try session.prefill(Array(ids[start..<end]), logitsAtAll: true)
            for index in start..<end {
                let logits = session.logits(at: index - start)
                let peak = logits.max() ?? 0
                let sum = logits.reduce(0.0) { $0 + exp(Double($1 - peak)) }
                total += Double(logits[Int(ids[index + 1])] - peak) - log(sum)
            }
            start = end
        }
        return exp(-total / Double(max(ids.count - 1, 1)))
    }
}
