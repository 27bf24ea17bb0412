// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import TestSupport
import Testing

/// Recorded logits of tiny models with random weights, one per architecture feature and weight format.
@Suite(.enabled(if: SharedData.has("golden/tiny"), "needs FORMWORK_SHARED"))
struct GoldenLogitsTests {
    static let names = [
        "arch/gemma3", "arch/llama-linear-rope", "arch/llama3-rope", "arch/phi3-longrope", "arch/qwen2",
        "type/llama-f16", "type/llama-f32", "type/llama-q4_0", "type/llama-q4_1", "type/llama-q4_k", "type/llama-q5_0",
        "type/llama-q6_k", "type/llama-q8_0",
    ]

    struct Fixture: Decodable {
        struct Run: Decodable {
            var n_ctx: Int
            var ids: [Int32]
            var logits_last_b64: Data
            var logits_last_exact_f32_b64: Data
        }
        var architecture: String
        var weight_type: String
        var runs: [Run]
    }

    @Test(arguments: names) func agreesWithRecordedLogits(_ name: String) throws {
        let url = try #require(SharedData.url("golden/tiny/\(name).json"))
        let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
        let path = url.deletingPathExtension().appendingPathExtension("gguf").path
        let reference = try Model(path: path, options: .reference)
        let fast = try Model(path: path, options: ModelOptions(threads: 2))
        let exact: Float = fixture.architecture == "gemma3" ? 2e-2 : 1e-3
        let noise: Float = fixture.weight_type.hasPrefix("Q") ? 1 : 0.1
        for run in fixture.runs {
            for (model, data, tolerance) in [
                (reference, run.logits_last_exact_f32_b64, exact), (fast, run.logits_last_b64, noise),
            ] {
                let session = try InferenceSession(model, contextLength: run.n_ctx)
                try session.prefill(run.ids)
                let expected = data.withUnsafeBytes { bytes in
                    (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
                }
                #expect(distance(session.logits, expected) <= tolerance)
            }
        }
    }
}

/// The folder with real models, which are too large to be at hand everywhere.
enum RealModels {
    /// The path of a model file, or nil.
    static func path(_ name: String) -> String? {
        guard let folder = ProcessInfo.processInfo.environment["FORMWORK_MODELS"] else { return nil }
        let path = folder + "/" + name
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }
}

struct RealModelTests {
    static let smol = "SmolLM2-135M-Instruct.Q4_1.gguf"

    @Test(.enabled(if: RealModels.path(smol) != nil, "needs FORMWORK_MODELS with \(smol)"))
    func continuesAPrompt() throws {
        let path = try #require(RealModels.path(Self.smol))
        let session = try InferenceSession(
            try Model(path: path, options: ModelOptions(threads: 2)), contextLength: 64)
        // "The capital of France is" and " Paris."
        try session.prefill([504, 3575, 282, 4649, 314])
        #expect(session.argmax() == 7042)
        try session.decode(7042)
        #expect(session.argmax() == 30)
    }
}
