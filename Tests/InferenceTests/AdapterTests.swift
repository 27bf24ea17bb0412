// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import ModelFiles
import TestSupport
import Testing

/// A random adapter: the file, and what it adds to each matrix.
struct TinyAdapter {
    var builder = GGUFBuilder()
    /// `B A` of each matrix by the name of the matrix, without any scale.
    var products: [String: [Float]] = [:]
    var alpha: Float
    var rank: Int

    /// Makes pairs for matrices of a model.
    init(
        _ tiny: TinyModel, rank: Int = 4, alpha: Float = 6, seed: UInt64 = 5, type: UInt32 = 0,
        where isIncluded: (String) -> Bool = { _ in true }
    ) {
        (self.alpha, self.rank) = (alpha, rank)
        builder.add("general.type", .string("adapter"))
        builder.add("general.architecture", .string(tiny.architecture))
        builder.add("adapter.type", .string("lora"))
        builder.add("adapter.lora.alpha", .float32(alpha))
        var random = SeededGenerator(seed: seed)
        for tensor in tiny.builder.tensors
        where tensor.dimensions.count == 2 && tensor.name != "token_embd.weight" && isIncluded(tensor.name) {
            let (columns, rows) = (Int(tensor.dimensions[0]), Int(tensor.dimensions[1]))
            // Multiples of 1/64 are exact in half precision and in bfloat16.
            func numbers(_ count: Int) -> [Float] {
                (0..<count).map { _ in Float(Int.random(in: -16...16, using: &random)) / 64 }
            }
            let (a, b) = (numbers(rank * columns), numbers(rows * rank))
            add(tensor.name + ".lora_a", [columns, rank], a, type)
            add(tensor.name + ".lora_b", [rank, rows], b, type)
            products[tensor.name] = (0..<rows * columns).map { index in
                let (row, column) = (index / columns, index % columns)
                return Float((0..<rank).reduce(0.0) { $0 + Double(b[row * rank + $1]) * Double(a[$1 * columns + column]) })
            }
        }
    }

    /// Adds a tensor of float32, half precision or bfloat16.
    mutating func add(_ name: String, _ dimensions: [Int], _ numbers: [Float], _ type: UInt32 = 0) {
        let data = numbers.flatMap { number -> [UInt8] in
            switch type {
            case 1: GGUFBuilder.littleEndian(Float16(number).bitPattern)
            case 30: GGUFBuilder.littleEndian(UInt16(number.bitPattern >> 16))
            default: GGUFBuilder.littleEndian(number.bitPattern)
            }
        }
        builder.addTensor(name, dimensions, type: type, data)
    }

    /// Merges the adapter into a model's plain numbers.
    func merge(into tiny: inout TinyModel, scale: Float = 1) {
        for (name, product) in products { tiny.add(product.map { $0 * scale * alpha / Float(rank) }, to: name) }
    }
}

/// Loads a model with adapters, and removes all files from the folder.
private func load(
    _ tiny: TinyModel, _ adapters: [(TinyAdapter, Float)], _ options: ModelOptions = ModelOptions()
) throws -> Model {
    var options = options
    var files: [URL] = []
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    for (adapter, scale) in adapters {
        files.append(try adapter.builder.write())
        options.adapters.append(ModelOptions.Adapter(path: files.last?.path ?? "", scale: scale))
    }
    return try load(tiny, options)
}

struct AdapterTests {
    static let architectures = ["llama", "gemma2", "gemma3", "phi3", "qwen2", "qwen3"]

    @Test(arguments: architectures, [0, 1, 30] as [UInt32])
    func agreesWithMergedWeights(_ architecture: String, _ type: UInt32) throws {
        let tiny = TinyModel(architecture)
        let (first, second) = (TinyAdapter(tiny, type: type), TinyAdapter(tiny, rank: 3, alpha: -2, seed: 9, type: type))
        var merged = tiny
        first.merge(into: &merged, scale: 0.5)
        second.merge(into: &merged)
        let ids = tokens(20)
        let expected = PlainForwardPass(model: merged).logits(ids)
        let before = PlainForwardPass(model: tiny).logits(ids)
        let session = try InferenceSession(
            try load(tiny, [(first, 0.5), (second, 1)], .reference), contextLength: 32)
        try session.prefill(ids, logitsAtAll: true)
        for index in ids.indices {
            let scale = max(Float(expected[index].map { abs($0) }.max() ?? 1), 1)
            let difference = distance(session.logits(at: index), expected[index].map { Float($0) })
            #expect(difference <= 2e-5 * scale, "position \(index)")
            #expect(distance(before[index].map { Float($0) }, expected[index].map { Float($0) }) > 0.1)
        }
    }

    @Test(arguments: architectures, ["Q8_0", "Q4_1"])
    func agreesOnQuantizedWeights(_ architecture: String, _ format: String) throws {
        let tiny = TinyModel(architecture, format: format)
        let adapter = TinyAdapter(tiny)
        var merged = tiny
        adapter.merge(into: &merged)
        let ids = tokens(20)
        let expected = PlainForwardPass(model: merged).logits(ids)
        // Merging does not round the plain numbers to the format: what the adapter adds must not be rounded either.
        let session = try InferenceSession(try load(tiny, [(adapter, 1)], .reference), contextLength: 32)
        try session.prefill(ids, logitsAtAll: true)
        for index in ids.indices {
            let scale = max(Float(expected[index].map { abs($0) }.max() ?? 1), 1)
            #expect(distance(session.logits(at: index), expected[index].map { Float($0) }) <= 2e-5 * scale)
        }
    }

    @Test(arguments: architectures, ["F32", "Q4_1"])
    func givesTheSameBitsHoweverItIsComputed(_ architecture: String, _ format: String) throws {
        let tiny = TinyModel(architecture, format: format)
        let adapter = TinyAdapter(tiny, rank: 5)
        let ids = tokens(format == "F32" ? 14 : 40)
        let single = try InferenceSession(try load(tiny, [(adapter, 1)]), contextLength: 64)
        var rows: [[Float]] = []
        for id in ids {
            try single.decode(id)
            rows.append(Array(single.logits))
        }
        for threads in [1, 3] {
            let model = try load(tiny, [(adapter, 1)], ModelOptions(threads: threads))
            let batch = try InferenceSession(model, contextLength: 64)
            try batch.decode(ids, logitsAtAll: true)
            for index in ids.indices { #expect(Array(batch.logits(at: index)) == rows[index], "position \(index)") }
            // The last position alone, and chosen logits of it.
            let last = try InferenceSession(model, contextLength: 64)
            try last.decodeWithoutLogits(ids)
            try last.computeLogits(rows: [3, 4, 70])
            for token in [3, 4, 70] { #expect(last.logits[token] == rows[ids.count - 1][token]) }
            try last.computeLogits()
            #expect(Array(last.logits) == rows[ids.count - 1])
            // Several sequences together.
            let sessions = try (0..<3).map { _ in try InferenceSession(model, contextLength: 64) }
            let together = try InferenceBatch(model, sequences: 3)
            let steps = sessions.indices.map { index in
                SequenceStep(
                    sessions[index], tokens: Array(ids.prefix(5 + index)), logits: index == 1 ? .rows([2, 79]) : .all)
            }
            #expect(together.run(steps).allSatisfy { $0 == nil })
            for index in [0, 2] { #expect(Array(sessions[index].logits) == rows[4 + index]) }
            for token in [2, 79] { #expect(sessions[1].logits[token] == rows[5][token]) }
        }
    }

    @Test func noAdapterAndAScaleOfZeroGiveTheSame() throws {
        let tiny = TinyModel("llama", format: "Q4_1")
        let (plain, without) = (
            try InferenceSession(try load(tiny, []), contextLength: 32),
            try InferenceSession(try load(tiny, [(TinyAdapter(tiny), 0)]), contextLength: 32)
        )
        try plain.prefill(tokens(20))
        try without.prefill(tokens(20))
        #expect(Array(plain.logits) == Array(without.logits))
    }

    @Test func prefixesAreKeptApart() throws {
        let tiny = TinyModel("llama", format: "Q4_1")
        let prompt = tokens(40)
        let models = [try load(tiny, []), try load(tiny, [(TinyAdapter(tiny), 1)]), try load(tiny, [(TinyAdapter(tiny), 0.5)])]
        let cache = PrefixCache(byteLimit: 1 << 24)
        for model in models {
            let session = try InferenceSession(model, contextLength: 64)
            #expect(cache.restore(prompt, into: session) == 0)
            try session.prefill(prompt)
            cache.store(prompt, from: session)
            let again = try InferenceSession(model, contextLength: 64)
            let known = cache.restore(prompt, into: again)
            #expect(known == 32)
            try again.prefill(Array(prompt[known...]))
            #expect(Array(again.logits) == Array(session.logits))
        }
    }

    @Test func memoryIsCounted() throws {
        let tiny = TinyModel("llama", format: "Q4_1")
        let adapter = TinyAdapter(tiny, rank: 16) { $0 == "blk.0.attn_q.weight" }
        let (file, url) = (try adapter.builder.write(), try tiny.write())
        defer { for file in [file, url] { try? FileManager.default.removeItem(at: file) } }
        let model = try GGUFFile(path: url.path)
        let plain = try MemoryEstimate(model)
        let with = try MemoryEstimate(
            model, options: ModelOptions(adapters: [ModelOptions.Adapter(path: file.path)]))
        #expect(with.weightBytes - plain.weightBytes == 16 * (64 + 64) * 4)
    }

    // MARK: Refusals

    struct Refusal: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var expected: String
        var architecture = "llama"
        var scale: Float = 1
        var hasOffset = true
        var edit: @Sendable (inout TinyAdapter) -> Void
    }

    private static let pair = "blk.0.attn_q.weight.lora_"

    static let refusals: [Refusal] = [
        Refusal(testDescription: "no adapter", expected: "general.type") { $0.set("general.type", .string("model")) },
        Refusal(testDescription: "no type", expected: "general.type", hasOffset: false) { $0.set("general.type", nil) },
        Refusal(testDescription: "another kind", expected: "adapter.type") { $0.set("adapter.type", .string("loha")) },
        Refusal(testDescription: "another architecture", expected: "general.architecture") {
            $0.set("general.architecture", .string("qwen2"))
        },
        Refusal(testDescription: "no alpha", expected: "adapter.lora.alpha", hasOffset: false) {
            $0.set("adapter.lora.alpha", nil)
        },
        Refusal(testDescription: "alpha not a number", expected: "adapter.lora.alpha") {
            $0.set("adapter.lora.alpha", .float32(.nan))
        },
        Refusal(testDescription: "infinite alpha", expected: "adapter.lora.alpha") {
            $0.set("adapter.lora.alpha", .float32(.infinity))
        },
        Refusal(testDescription: "alpha beyond float32", expected: "adapter.lora.alpha") {
            $0.set("adapter.lora.alpha", .float64(1e300))
        },
        Refusal(testDescription: "alpha zero", expected: "adapter.lora.alpha") {
            $0.set("adapter.lora.alpha", .float32(0))
        },
        Refusal(testDescription: "alpha as text", expected: "adapter.lora.alpha") {
            $0.set("adapter.lora.alpha", .string("6"))
        },
        Refusal(testDescription: "unknown entry", expected: "adapter.alora.invocation_tokens") {
            $0.set("adapter.alora.invocation_tokens", .int32s([1]))
        },
        Refusal(testDescription: "scale not a number", expected: "scale", scale: .nan, hasOffset: false) { _ in },
        Refusal(testDescription: "infinite scale", expected: "scale", scale: .infinity, hasOffset: false) { _ in },
        Refusal(testDescription: "scale by alpha too large", expected: pair + "a", scale: 3e38) { _ in },
        Refusal(testDescription: "no tensors", expected: "tensors") { $0.builder.tensors = [] },
        Refusal(testDescription: "no A", expected: pair + "b") { $0.builder.tensors.remove(at: 0) },
        Refusal(testDescription: "no B", expected: pair + "a") { $0.builder.tensors.remove(at: 1) },
        Refusal(testDescription: "A of another length", expected: pair + "a") {
            $0.replace(0, [32, 4])
        },
        Refusal(testDescription: "B of other rows", expected: pair + "b") { $0.replace(1, [4, 63]) },
        Refusal(testDescription: "ranks that differ", expected: pair + "b") { $0.replace(1, [5, 64]) },
        Refusal(testDescription: "rank zero", expected: pair + "a") { $0.replace(0, [64, 0]) },
        Refusal(testDescription: "three dimensions", expected: pair + "a") { $0.replace(0, [64, 2, 2]) },
        Refusal(testDescription: "rank too high", expected: pair + "a") {
            $0.replace(0, [64, 5000])
            $0.replace(1, [5000, 64])
        },
        Refusal(testDescription: "a tensor twice", expected: pair + "a") {
            $0.builder.tensors.append($0.builder.tensors[0])
        },
        Refusal(testDescription: "a matrix that the model does not have", expected: "blk.7.attn_q.weight.lora_a") {
            $0.rename("blk.7.attn_q.weight")
        },
        Refusal(testDescription: "a head that the model does not have", expected: "output.weight.lora_a", architecture: "qwen3") {
            $0.rename("output.weight")
        },
        Refusal(testDescription: "the embedding", expected: "embedding") { $0.rename("token_embd.weight") },
        Refusal(testDescription: "a norm", expected: "blk.0.attn_norm.weight.lora_a") {
            $0.rename("blk.0.attn_norm.weight")
            $0.replace(1, [4, 1])
        },
        Refusal(testDescription: "a tensor of another kind", expected: "blk.0.attn_norm.weight") {
            $0.add("blk.0.attn_norm.weight", [64], [Float](repeating: 1, count: 64))
        },
        Refusal(testDescription: "a value not a number in A", expected: pair + "a") { $0.spoil(0, .nan) },
        Refusal(testDescription: "an infinite value in B", expected: pair + "b") { $0.spoil(1, -.infinity) },
    ]

    @Test(arguments: refusals) func refuses(_ refusal: Refusal) throws {
        let tiny = TinyModel(refusal.architecture)
        var adapter = TinyAdapter(tiny) { $0 == "blk.0.attn_q.weight" }
        refusal.edit(&adapter)
        let error = #expect(throws: InferenceError.self) { try load(tiny, [(adapter, refusal.scale)]) }
        #expect(error?.code == .adapter)
        #expect(error?.message.contains(refusal.expected) == true, "\(error?.message ?? "")")
        #expect((error?.message.contains("at byte") == true) == refusal.hasOffset, "\(error?.message ?? "")")
        if refusal.hasOffset { #expect(error?.cause is ModelFileError) }
    }

    @Test func refusesAMissingFileAndTooMany() throws {
        let missing = ModelOptions(adapters: [ModelOptions.Adapter(path: "/nowhere/adapter.gguf")])
        let error = #expect(throws: InferenceError.self) { try load(TinyModel(), missing) }
        #expect(error?.code == .adapter)
        #expect(error?.message.contains("/nowhere/adapter.gguf") == true)
        let tiny = TinyModel()
        let adapter = TinyAdapter(tiny)
        #expect(throws: InferenceError.self) { try load(tiny, Array(repeating: (adapter, 1), count: 65)) }
    }
}

extension TinyAdapter {
    /// Replaces or removes a metadata entry.
    fileprivate mutating func set(_ key: String, _ value: GGUFBuilder.Value?) {
        builder.entries.removeAll { $0.key == key }
        if let value { builder.add(key, value) }
    }

    /// Gives a tensor another shape, filled with zeros.
    fileprivate mutating func replace(_ index: Int, _ dimensions: [Int]) {
        builder.tensors[index].dimensions = dimensions.map(UInt64.init)
        builder.tensors[index].data = [UInt8](repeating: 0, count: dimensions.reduce(4, *))
    }

    /// Names both tensors after another matrix.
    fileprivate mutating func rename(_ name: String) {
        builder.tensors[0].name = name + ".lora_a"
        builder.tensors[1].name = name + ".lora_b"
    }

    /// Puts a number into a tensor's last place.
    fileprivate mutating func spoil(_ index: Int, _ number: Float) {
        let count = builder.tensors[index].data.count
        builder.tensors[index].data.replaceSubrange(count - 4..<count, with: GGUFBuilder.littleEndian(number.bitPattern))
    }
}
