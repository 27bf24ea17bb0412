// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Foundation
import TestSupport
import Testing

/// The random comparisons of `bench fuzz`, a few of them.
struct FuzzBenchTests {
    @Test(arguments: [1, 2])
    func smallWorldsAgreeWithBruteForce(_ seed: UInt64) {
        var lines: [String] = []
        let summary = SmallWorlds.run(count: 150, seed: seed) { lines.append($0) }
        #expect(summary.passes, "\(lines.joined(separator: "\n"))")
        #expect(summary.verdicts > 4_000)
        #expect(summary.masks > 200)
    }

    @Test
    func aSeedGivesTheSameRun() {
        let first = SmallWorlds.run(count: 20, first: 40, seed: 3) { _ in }
        let second = SmallWorlds.run(count: 20, first: 40, seed: 3) { _ in }
        #expect(first.report == second.report)
    }

    @Test(
        .enabled(if: SharedData.has("maskbench/dev-sample.jsonl.gz"), "needs FORMWORK_SHARED"), arguments: [false, true])
    func walksEndWithValidDocuments(_ checksMasks: Bool) throws {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("walks-\(UUID().uuidString).jsonl").path
        defer { try? FileManager.default.removeItem(atPath: out) }
        var options = FuzzBench.Options()
        options.walks = 1
        options.seed = 5
        options.every = checksMasks ? 40 : 10
        options.largestBudget = checksMasks ? 60 : 200
        options.checksMasks = checksMasks
        options.vocabularyShare = checksMasks ? 97 : 1
        var lines: [String] = []
        let summary = try FuzzBench.walk(
            schemas: try #require(SharedData.url("maskbench/dev-sample.jsonl.gz")).path,
            vocab: try #require(SharedData.url("maskbench/vocab/smollm2.jsonl")).path, out: out, options: options
        ) { lines.append($0) }
        #expect(summary.passes, "\(lines.joined(separator: "\n"))")
        #expect(summary.walks >= 10)
        let written = try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n")
        #expect(written.count == summary.walks + summary.refused)
    }
}
