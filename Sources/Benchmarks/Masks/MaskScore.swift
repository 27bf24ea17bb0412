// SPDX-License-Identifier: Apache-2.0

import Documents

/// The figures of a `mask-results-v1` file.
public struct MaskScore: Sendable {
    public var schemas = 0
    public var passing = 0
    public var compileErrors = 0
    public var timeouts = 0
    public var outOfMemory = 0
    public var crashes = 0
    /// Schemas with a valid instance that was refused.
    public var validationErrors: [String] = []
    /// Schemas with an invalid instance that was accepted.
    public var invalidationErrors: [String] = []
    /// Masks whose commit failed.
    public var commitErrors: [String] = []
    /// Compile errors by their kind.
    public var reasons: [String: Int] = [:]
    public var lost: [String] = []
    private var times: [Double] = []
    private var maskTimes: [Double] = []
    private var firstMasks: [Double] = []

    public init() {}

    /// Adds a result line.
    ///
    /// - Parameter limit: What a compilation counts that ran out of time.
    public mutating func add(_ line: String, limit: Double = 20) {
        guard let result = try? JSONReader.read(line, file: nil).root, let status = result["status"]?.stringValue else {
            return
        }
        schemas += 1
        let id = result["id"]?.stringValue ?? ""
        func numbers(_ key: String) -> [Double] {
            result[key]?.elements.compactMap { $0.numberValue?.doubleValue } ?? []
        }
        if let first = result["ttfm_us"]?.numberValue?.doubleValue { firstMasks.append(first) }
        switch status {
        case "ok": break
        case "compile_error":
            compileErrors += 1
            reasons[MaskScore.kind(of: result["error"]?.stringValue ?? ""), default: 0] += 1
            return
        case "timeout":
            timeouts += 1
            if result["phase"]?.stringValue == "compile" { firstMasks.append(limit * 1e6) }
        case "oom": outOfMemory += 1
        default: crashes += 1
        }
        guard status == "ok" else {
            lost.append("\(status) \(result["phase"]?.stringValue ?? "") \(id)")
            return
        }
        let masks = numbers("mask_us")
        maskTimes += masks
        times += zip(masks, numbers("commit_us")).map { $0 + $1 }
        var isRefused = false
        var isAccepted = false
        for test in result["tests"].map({ Array($0.elements) }) ?? [] {
            let accepted = test["accepted"]?.boolValue ?? false
            let valid = test["valid"]?.boolValue ?? false
            if valid, !accepted { isRefused = true }
            if !valid, accepted { isAccepted = true }
            if test["stop"]?.stringValue == "commit" { commitErrors.append(id) }
        }
        if isRefused { validationErrors.append(id) }
        if isAccepted { invalidationErrors.append(id) }
        if !isRefused, !isAccepted { passing += 1 }
    }

    /// An error's identifier and the first word it quotes.
    private static func kind(of message: String) -> String {
        var parts = message.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        let head = parts.removeFirst()
        if head.hasPrefix("["), let end = head.firstIndex(of: "]") {
            return String(head[...end]) + (parts.count > 1 ? " '\(parts[0])'" : "")
        }
        return String(message.prefix(60))
    }

    /// The value that `share` of the values do not exceed.
    private static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    private static func line(_ name: String, _ values: [Double]) -> String {
        let sorted = values.sorted()
        let average = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
        func text(_ value: Double) -> String { String((value * 100).rounded() / 100) }
        let points = [
            ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999),
        ]
        .map { "\($0.0) \(text(percentile(sorted, $0.1)))" }
        return "\(name) (\(values.count)): avg \(text(average)) " + points.joined(separator: " ")
            + " max \(text(sorted.last ?? 0)) µs"
    }

    /// The average time of mask and commit, in microseconds.
    public var averageTime: Double { times.isEmpty ? 0 : times.reduce(0, +) / Double(times.count) }

    /// The figures in words, one a line.
    public var report: String {
        var lines = [
            "schemas \(schemas): passing \(passing), compile errors \(compileErrors), validation errors "
                + "\(validationErrors.count), invalidation errors \(invalidationErrors.count), timeouts \(timeouts), "
                + "out of memory \(outOfMemory), crashes \(crashes)",
            MaskScore.line("TBM ", times),
            MaskScore.line("mask", maskTimes),
            MaskScore.line("TTFM", firstMasks),
        ]
        for (reason, count) in reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            lines.append("  compile error \(count) × \(reason)")
        }
        lines += validationErrors.map { "  valid refused: \($0)" }
        lines += invalidationErrors.map { "  invalid accepted: \($0)" }
        lines += commitErrors.map { "  commit refused what the mask allowed: \($0)" }
        lines += lost.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }
}
