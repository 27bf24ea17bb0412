// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Documents
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

/// `bench fuzz --documents` on a few texts.
struct DocumentFuzzTests {
    private static let files: [(format: DocumentFormat, files: [[UInt8]])] = [
        (.json, [Array(#"{"a": [1, 2.50, null], "b": {"c": "x\u00e9"}}"#.utf8)]),
        (.jsonc, [Array("// c\n{\"a\": [1, /* b */ 2,],\n\n \"b\": {},}\n".utf8)]),
        (.jsonl, [Array("{\"a\": 1}\n\n[2]\n".utf8)]),
        (.toml, [Array("a.b = [1, # c\n 2]\n\n[[t]]\nu = \"\"\"\nx\"\"\"\n".utf8)]),
        (
            .yaml,
            [
                Array("a:\n- b: &x [1, {c: d}] # e\n  # f\n- |+\n   g\n\n---\n? *x\n: !t 'h\n\n  i'\n".utf8),
                Array("k:   v\nl:\n    m: |\n        n\n# o\np:\n  # q\n".utf8),
            ]
        ),
    ]

    @Test(arguments: [1, 2, 3])
    func readersAndLayoutsStand(_ seed: UInt64) {
        var failures: [String] = []
        let summary = DocumentFuzz(files: Self.files, seed: seed).run(cases: 0..<4_000) { failure in
            failures.append("\(failure.number): \(failure.message): \(String(decoding: failure.bytes, as: UTF8.self))")
        }
        #expect(summary.passes, "\(failures.joined(separator: "\n"))")
        #expect(summary.cases == 4_000)
        #expect(summary.formatted > 800)
        #expect(summary.accepted.count == DocumentFormat.allCases.count)
    }

    @Test func aCaseCanBeRepeatedAlone() {
        let fuzz = DocumentFuzz(files: Self.files, seed: 9)
        let all = fuzz.run(cases: 0..<50) { _ in }
        let parts = [0..<20, 20..<50].map { fuzz.run(cases: $0) { _ in } }
        #expect(all.formatted == parts[0].formatted + parts[1].formatted)
    }
}
