// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Foundation
import Inference
import ModelFiles
import TestSupport
import Testing

/// The bench of the inference engine on a random-weight model: figures that are there, and documents that are the same.
struct InferenceBenchTests {
    @Test(arguments: ["F32", "Q8_0"])
    func documentsAreTheSameWithAndWithoutSavings(_ format: String) throws {
        let model = try TinyModel.text(format: format).write()
        let schema = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString).yaml")
        defer {
            try? FileManager.default.removeItem(at: model)
            try? FileManager.default.removeItem(at: schema)
        }
        try "fields: {name: string (max 30), role: 'one of [engineer, manager]', ok: boolean}\n"
            .write(to: schema, atomically: true, encoding: .utf8)
        let figures = try InferenceBench.measure(
            model: model.path, threads: 2, promptTokens: 20, generate: 6, sequences: 3, depths: [0, 40],
            extraction: ExtractionBench(schema: schema.path, text: "Ada is an engineer.", maxTokens: 60), runs: 1)
        #expect(figures.depths.map(\.tokens) == [0, 40])
        #expect(figures.depths.allSatisfy { $0.tokensPerSecond > 0 })
        #expect(figures.extraction.count == 5)
        #expect(figures.extraction.allSatisfy { $0.isSame })
        #expect(figures.extraction.first?.statistics.forcedTokens ?? 0 > 0)
        #expect(figures.extraction.last?.statistics.draftedTokens == 0)
        let json = try JSONSerialization.jsonObject(with: Data(figures.json.utf8)) as? [String: Any]
        #expect((json?["extraction"] as? [Any])?.count == 5)
        let plot = InferencePlot.svg([figures])
        #expect(plot.hasPrefix("<svg"))
        #expect(plot.components(separatedBy: "<rect").count == 1 + 1 + 4 + 5)
    }

    @Test func memoryIsToldBeforeItIsTaken() throws {
        let url = try TinyModel.text(context: 512, format: "Q8_0").write()
        defer { try? FileManager.default.removeItem(at: url) }
        let file = try GGUFFile(path: url.path)
        let small = try MemoryEstimate(file, contextLength: 64)
        let large = try MemoryEstimate(file, contextLength: 512)
        #expect(small.weightBytes > 0)
        #expect(small.contextBytes == 64 * small.bytesPerPosition)
        #expect(large.contextBytes == 8 * small.contextBytes)
        #expect(try MemoryEstimate(file).contextLength == 512)
        #expect(throws: InferenceError.self) { try MemoryEstimate(file, contextLength: 513) }
        #expect(throws: InferenceError.self) { try MemoryEstimate(file, contextLength: 0) }
    }
}
