// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Foundation
import TestSupport
import Testing

/// `bench fuzz --gguf`, a few hundred cases.
struct ModelFuzzTests {
    /// Calls `body` with a folder that is removed afterwards.
    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("formwork-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func write(_ builder: GGUFBuilder, _ folder: URL, _ name: String) throws -> String {
        let file = folder.appendingPathComponent(name)
        try Data(builder.bytes()).write(to: file)
        return file.path
    }

    private func adapter(_ tiny: TinyModel) -> GGUFBuilder {
        var builder = GGUFBuilder()
        builder.add("general.type", .string("adapter"))
        builder.add("general.architecture", .string(tiny.architecture))
        builder.add("adapter.type", .string("lora"))
        builder.add("adapter.lora.alpha", .float32(8))
        for (name, columns, rows) in [("attn_q", tiny.width, tiny.heads * tiny.headLength), ("ffn_down", tiny.hidden, tiny.width)] {
            let numbers = (0..<2 * max(columns, rows)).map { Float($0 % 7) / 16 }
            builder.addTensor("blk.1.\(name).weight.lora_a", [columns, 2], Array(numbers.prefix(2 * columns)))
            builder.addTensor("blk.1.\(name).weight.lora_b", [2, rows], Array(numbers.prefix(2 * rows)))
        }
        return builder
    }

    /// Runs cases, checks that none is wrong, and returns how many had each outcome.
    private func outcomes(_ fuzz: ModelFuzz, _ cases: Range<Int>, _ folder: URL) throws -> [String: Int] {
        var outcomes: [String: Int] = [:]
        for number in cases {
            let result = try fuzz.result(ofCase: number, file: folder.appendingPathComponent("case.gguf").path)
            #expect(!result.hasPrefix("!"), "case \(number): \(result)")
            outcomes[result, default: 0] += 1
        }
        return outcomes
    }

    @Test func damagedModelsAreLoadedOrRefused() throws {
        try inFolder { folder in
            let paths = [
                try write(TinyModel("llama", format: "Q4_1").builder, folder, "llama.gguf"),
                try write(TinyModel("gemma3").builder, folder, "gemma3.gguf"),
                try write(TinyModel("phi3", format: "Q8_0").builder, folder, "phi3.gguf"),
            ]
            let fuzz = try ModelFuzz(paths: paths, seed: 11)
            let found = try outcomes(fuzz, 0..<300, folder)
            // Some changes do no harm, and the others are found in more ways than one.
            #expect(found["loaded", default: 0] > 3, "\(found)")
            #expect(found.count > 4, "\(found)")
            #expect(fuzz.bytes(ofCase: 7) == (try ModelFuzz(paths: paths, seed: 11).bytes(ofCase: 7)))
            #expect(fuzz.bytes(ofCase: 7) != (try ModelFuzz(paths: paths, seed: 12).bytes(ofCase: 7)))
        }
    }

    @Test func damagedAdaptersAreAppliedOrRefused() throws {
        try inFolder { folder in
            let tiny = TinyModel("llama", format: "Q4_1")
            let model = try write(tiny.builder, folder, "model.gguf")
            let path = try write(adapter(tiny), folder, "lora.gguf")
            let found = try outcomes(try ModelFuzz(paths: [path], model: model, seed: 3), 0..<300, folder)
            #expect(found["loaded", default: 0] > 3, "\(found)")
            #expect(found["adapter.mismatched", default: 0] > 10)
            #expect(found["adapter.truncated", default: 0] + found["adapter.malformed", default: 0] > 10)
            // The model itself is never at fault.
            #expect(found.keys.allSatisfy { $0 == "loaded" || $0.hasPrefix("adapter") }, "\(found)")
        }
    }

    /// Workers that are made up: what the supervisor makes of their ends.
    @Test func aCaseThatEndsTheProcessIsReported() throws {
        try inFolder { folder in
            let fuzz = try ModelFuzz(paths: [try write(TinyModel().builder, folder, "model.gguf")], seed: 1)
            var failed: [Int] = []
            let summary = try fuzz.supervise(
                cases: 0..<4, seconds: nil, folder: folder.path,
                worker: { cases, log in
                    let process = Process()
                    process.executableURL = URL(fileURLWithPath: "/bin/sh")
                    let script =
                        cases.lowerBound == 0
                        ? "printf '0 loaded\\n1' > \"$0\"; kill -SEGV $$"
                        : "printf '2 model-file.malformed\\n3 !2.0 s (loaded)\\n' > \"$0\""
                    process.arguments = ["-c", script, log]
                    try process.run()
                    return process
                },
                fail: { number, _ in failed.append(number) }, progress: { _ in })
            #expect(failed == [1, 3])
            #expect(summary.failures.map(\.number) == [1, 3])
            #expect(!summary.passes)
            #expect(summary.cases == 4)
            #expect(summary.outcomes == ["loaded": 1, "model-file.malformed": 1])
        }
    }
}
