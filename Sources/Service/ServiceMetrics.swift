// SPDX-License-Identifier: Apache-2.0

import Inference
import Synchronization

/// What a service counts, in the text format of Prometheus (version 0.0.4).
final class ServiceMetrics: Sendable {
    private struct Histogram {
        static let bounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
        var counts = [Int](repeating: 0, count: Histogram.bounds.count)
        var sum = 0.0
        var count = 0

        mutating func add(_ seconds: Double) {
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { counts[index] += 1 }
            sum += seconds
            count += 1
        }
    }

    private struct State {
        var requests: [String: Int] = [:]
        var refusals: [String: Int] = [:]
        var total = Histogram()
        var firstToken = Histogram()
        var wait = Histogram()
        var promptTokens = 0
        var cachedTokens = 0
        var outputTokens = 0
        var forcedTokens = 0
        var constraintSeconds = 0.0
        var compileSeconds = 0.0
        var decodeSeconds = 0.0
        var prefillSeconds = 0.0
        var cutShort = 0
        var constraintHits = 0
    }

    private let state = Mutex(State())

    /// A response was sent.
    func responded(route: String, status: Int) {
        state.withLock { $0.requests["route=\"\(route)\",status=\"\(status)\"", default: 0] += 1 }
    }

    /// A request was refused, by reason.
    func refused(_ fault: ServiceFault) { state.withLock { $0.refusals[fault.code, default: 0] += 1 } }

    /// A compiled constraint was found again.
    func constraintHit() { state.withLock { $0.constraintHits += 1 } }

    /// A generation ended.
    func answered(_ answer: GenerationAnswer) {
        let statistics = answer.statistics
        state.withLock { state in
            state.total.add(answer.waitSeconds + answer.compileSeconds + statistics.totalSeconds)
            state.firstToken.add(answer.waitSeconds + answer.compileSeconds + statistics.prefillSeconds)
            state.wait.add(answer.waitSeconds)
            state.promptTokens += statistics.promptTokens
            state.cachedTokens += statistics.cachedPromptTokens
            state.outputTokens += statistics.outputTokens
            state.forcedTokens += statistics.forcedTokens
            state.constraintSeconds += statistics.constraintSeconds
            state.compileSeconds += answer.compileSeconds
            state.decodeSeconds += statistics.decodeSeconds
            state.prefillSeconds += statistics.prefillSeconds
            if answer.finishReason == .length { state.cutShort += 1 }
        }
    }

    /// The metrics as Prometheus reads them.
    ///
    /// - Parameters:
    ///   - queues: Requests that wait or run, by model.
    ///   - cache: What the cache of prompts' beginnings did.
    func text(queues: [(model: String, load: Int)], cache: PrefixCache.Counters) -> String {
        let state = state.withLock { $0 }
        var lines: [String] = []
        func family(_ name: String, _ type: String, _ help: String, _ samples: [(String, String)]) {
            lines.append("# HELP formwork_\(name) \(help)")
            lines.append("# TYPE formwork_\(name) \(type)")
            for (labels, value) in samples {
                lines.append("formwork_\(name)" + (labels.isEmpty ? "" : "{\(labels)}") + " \(value)")
            }
        }
        func counter(_ name: String, _ help: String, _ value: some CustomStringConvertible) {
            family(name, "counter", help, [("", "\(value)")])
        }
        func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
            lines.append("# HELP formwork_\(name) \(help)")
            lines.append("# TYPE formwork_\(name) histogram")
            for (bound, count) in zip(Histogram.bounds, histogram.counts) {
                lines.append("formwork_\(name)_bucket{le=\"\(bound)\"} \(count)")
            }
            lines.append("formwork_\(name)_bucket{le=\"+Inf\"} \(histogram.count)")
            lines.append("formwork_\(name)_sum \(histogram.sum)")
            lines.append("formwork_\(name)_count \(histogram.count)")
        }
        family(
            "requests_total", "counter", "Responses by route and status.",
            state.requests.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
        family(
            "refusals_total", "counter", "Requests that were refused, by reason.",
            state.refusals.sorted { $0.key < $1.key }.map { ("reason=\"\($0.key)\"", "\($0.value)") })
        family(
            "queue_length", "gauge", "Requests that wait or run, by model.",
            queues.sorted { $0.model < $1.model }.map { ("model=\"\($0.model)\"", "\($0.load)") })
        histogram("request_seconds", "Time from the request to the end of the answer.", state.total)
        histogram("first_token_seconds", "Time from the request to the first logits.", state.firstToken)
        histogram("wait_seconds", "Time spent waiting for other requests.", state.wait)
        counter("prompt_tokens_total", "Tokens of prompts.", state.promptTokens)
        counter("prompt_tokens_cached_total", "Tokens of prompts that were in the cache.", state.cachedTokens)
        counter("output_tokens_total", "Tokens of answers.", state.outputTokens)
        counter("forced_tokens_total", "Tokens of answers that left no choice.", state.forcedTokens)
        counter("prefill_seconds_total", "Time spent on prompts.", state.prefillSeconds)
        counter("decode_seconds_total", "Time spent in the model after the prompt.", state.decodeSeconds)
        counter("constraint_seconds_total", "Time spent on masks and commits.", state.constraintSeconds)
        counter("compile_seconds_total", "Time spent on compiling constraints.", state.compileSeconds)
        counter("constraint_hits_total", "Requests whose constraint was compiled already.", state.constraintHits)
        counter("prefix_cache_hits_total", "Prompts whose beginning was in the cache.", cache.hits)
        counter("prefix_cache_tokens_saved_total", "Tokens that were copied and not computed.", cache.tokensSaved)
        counter("prefix_cache_evictions_total", "Blocks that had to go.", cache.evictions)
        family("prefix_cache_bytes", "gauge", "Bytes of keys and values that are held.", [("", "\(cache.bytes)")])
        counter("answers_cut_short_total", "Answers that the budget shortened.", state.cutShort)
        return lines.joined(separator: "\n") + "\n"
    }
}
