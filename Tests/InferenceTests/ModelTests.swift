// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import ModelFiles
import TestSupport
import Testing

/// One change that makes a model unusable, and what the refusal says.
struct BrokenModel: CustomTestStringConvertible, Sendable {
    var name: String
    var architecture = "llama"
    var message: String
    var change: @Sendable (inout GGUFBuilder) -> Void

    var testDescription: String { name }

    static func set(_ key: String, _ value: GGUFBuilder.Value) -> @Sendable (inout GGUFBuilder) -> Void {
        { builder in
            builder.entries.removeAll { $0.key == key }
            builder.add(key, value)
        }
    }

    static func remove(_ name: String) -> @Sendable (inout GGUFBuilder) -> Void {
        { builder in
            builder.entries.removeAll { $0.key == name }
            builder.tensors.removeAll { $0.name == name }
        }
    }
}

struct ModelTests {
    static let broken: [BrokenModel] = [
        BrokenModel(
            name: "architecture", message: "'mamba' is not supported; llama, gemma2, gemma3",
            change: BrokenModel.set("general.architecture", .string("mamba"))),
        BrokenModel(
            name: "no architecture", message: "'general.architecture': is missing",
            change: BrokenModel.remove("general.architecture")),
        BrokenModel(
            name: "no layers", message: "'llama.block_count': 0 is not in the supported range",
            change: BrokenModel.set("llama.block_count", .uint32(0))),
        BrokenModel(
            name: "too many layers", message: "'llama.block_count'",
            change: BrokenModel.set("llama.block_count", .uint32(.max))),
        BrokenModel(
            name: "more layers than tensors", message: "'blk.2.",
            change: BrokenModel.set("llama.block_count", .uint32(3))),
        BrokenModel(
            name: "fewer layers than tensors", message: "'blk.1.",
            change: BrokenModel.set("llama.block_count", .uint32(1))),
        BrokenModel(
            name: "text for a number", message: "expected an integer",
            change: BrokenModel.set("llama.embedding_length", .string("64"))),
        BrokenModel(
            name: "heads", message: "3 does not divide the head count 4",
            change: BrokenModel.set("llama.attention.head_count_kv", .uint32(3))),
        BrokenModel(
            name: "head length", message: "'blk.0.attn_q.weight': has the shape 64 x 64, expected 64 x 128",
            change: { builder in
                BrokenModel.set("llama.attention.key_length", .uint32(32))(&builder)
                BrokenModel.set("llama.attention.value_length", .uint32(32))(&builder)
            }),
        BrokenModel(
            name: "head too long", message: "'llama.attention.key_length': 513 is not in the supported range",
            change: BrokenModel.set("llama.attention.key_length", .uint32(513))),
        BrokenModel(
            name: "value length", message: "8 differs from the key length 16",
            change: BrokenModel.set("llama.attention.value_length", .uint32(8))),
        BrokenModel(
            name: "vocabulary", message: "has 80 rows for 2 tokens",
            change: BrokenModel.set("tokenizer.ggml.tokens", .strings(["a", "b"]))),
        BrokenModel(
            name: "epsilon", message: "layer_norm_rms_epsilon",
            change: BrokenModel.set("llama.attention.layer_norm_rms_epsilon", .float32(.nan))),
        BrokenModel(
            name: "rope base", message: "'llama.rope.freq_base': -1.0 is not a positive number",
            change: BrokenModel.set("llama.rope.freq_base", .float32(-1))),
        BrokenModel(
            name: "rope dimension", message: "'llama.rope.dimension_count': 15 is odd",
            change: BrokenModel.set("llama.rope.dimension_count", .uint32(15))),
        BrokenModel(
            name: "rope scaling", message: "'yarn' is not supported",
            change: BrokenModel.set("llama.rope.scaling.type", .string("yarn"))),
        BrokenModel(
            name: "experts", message: "'llama' is a mixture of 8 experts, which is not supported",
            change: BrokenModel.set("llama.expert_count", .uint32(8))),
        BrokenModel(
            name: "architecture of experts", message: "'qwen3moe' is a mixture of experts, which is not supported",
            change: BrokenModel.set("general.architecture", .string("qwen3moe"))),
        BrokenModel(
            name: "negative cap", architecture: "gemma2", message: "'gemma2.attn_logit_softcapping': -1.0 is not in",
            change: BrokenModel.set("gemma2.attn_logit_softcapping", .float32(-1))),
        BrokenModel(
            name: "a cap on scores elsewhere", message: "'llama.attn_logit_softcapping': the value 50.0 is not supported",
            change: BrokenModel.set("llama.attn_logit_softcapping", .float32(50))),
        BrokenModel(
            name: "missing matrix", message: "'blk.1.ffn_up.weight': is missing",
            change: BrokenModel.remove("blk.1.ffn_up.weight")),
        BrokenModel(
            name: "missing norm", architecture: "gemma3", message: "'blk.0.attn_q_norm.weight': is missing",
            change: BrokenModel.remove("blk.0.attn_q_norm.weight")),
        BrokenModel(
            name: "unknown tensor", message: "'blk.0.attn_sinks.weight' is not part of the architecture",
            change: { $0.addTensor("blk.0.attn_sinks.weight", [4], [1, 2, 3, 4]) }),
        BrokenModel(
            name: "window", message: "a sliding window of 7 is not supported",
            change: BrokenModel.set("llama.attention.sliding_window", .uint32(7))),
    ]

    @Test(arguments: broken) func refuses(_ model: BrokenModel) throws {
        var tiny = TinyModel(model.architecture)
        tiny.edit(model.change)
        let error = try #require(throws: InferenceError.self) { try load(tiny) }
        #expect(error.message.contains(model.message), "\(error)")
    }

    @Test func readsTheConfiguration() throws {
        let configuration = try load(TinyModel("gemma3")).configuration
        #expect(configuration.architecture == .gemma3)
        #expect(configuration.hasWindow(layer: 0))
        #expect(!configuration.hasWindow(layer: 1))
        #expect(configuration.ropeBase == 1_000_000)
        #expect(configuration.embeddingScale == 8)
        #expect(configuration.vocabularySize == 80)
    }

    @Test func namesTheFileThatIsMissing() throws {
        let error = try #require(throws: InferenceError.self) { try Model(path: "/nowhere/model.gguf") }
        #expect(error.code == .modelFile)
        #expect(error.message.contains("/nowhere/model.gguf"))
        #expect((error.cause as? ModelFileError)?.code == .unreadable)
    }

    @Test(arguments: [0, -1, 257]) func refusesThreadCounts(_ threads: Int) throws {
        #expect(throws: InferenceError.self) { try load(TinyModel(), ModelOptions(threads: threads)) }
    }

    @Test func capsLogitsSoftly() throws {
        var tiny = TinyModel()
        let plain = try InferenceSession(try load(tiny, .reference), contextLength: 8)
        tiny.edit { $0.add("llama.final_logit_softcapping", .float32(2)) }
        let capped = try InferenceSession(try load(tiny, .reference), contextLength: 8)
        try plain.prefill(tokens(4))
        try capped.prefill(tokens(4))
        #expect(distance(plain.logits.map { 2 * tanh($0 / 2) }, capped.logits) <= 1e-5)
        try capped.computeLogits(rows: [7])
        #expect(abs(capped.logits[7]) <= 2)
    }

    /// Whatever a changed byte of the header makes of a model, it is refused or runs.
    @Test(arguments: ["llama", "gemma3"], [0xFF, 0x01] as [UInt8])
    func survivesChangedHeaders(_ architecture: String, _ value: UInt8) throws {
        let tiny = TinyModel(architecture)
        let bytes = tiny.builder.bytes()
        let header = bytes.count - tiny.builder.tensors.reduce(0) { $0 + ($1.data.count + 31) / 32 * 32 }
        for index in stride(from: 0, to: header, by: 3) {
            var changed = bytes
            changed[index] = changed[index] == value ? 0 : value
            let url = try GGUFBuilder.write(changed)
            defer { try? FileManager.default.removeItem(at: url) }
            do {
                let model = try Model(path: url.path)
                let session = try InferenceSession(model, contextLength: min(model.contextLength, 8))
                try session.prefill([0, 1])
                #expect(session.logits.count == model.vocabularySize)
            } catch {
                #expect(error is InferenceError)
            }
        }
    }
}
