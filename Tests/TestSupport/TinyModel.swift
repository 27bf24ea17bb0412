// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// A model of a few thousand random weights, as a GGUF file and as plain numbers.
public struct TinyModel: Sendable {
    /// The architecture: `llama`, `gemma2`, `gemma3`, `phi3`, `qwen2` or `qwen3`.
    public var architecture = "llama"
    /// How matrices are stored: `F32`, `Q8_0` or `Q4_1`.
    public var format = "F32"
    public var width = 64
    public var layers = 2
    public var heads = 4
    public var kvHeads = 2
    public var headLength = 16
    public var hidden = 96
    public var vocabulary = 80
    public var context = 96
    public var window = 6
    public var isTied = false
    /// What `gemma2` bounds its scores and logits by: small, so that it shows.
    public static let attentionSoftcap = 2.0, logitSoftcap = 5.0

    /// The values of each tensor, as they are after rounding to the format.
    public private(set) var values: [String: [Float]] = [:]
    /// The file.
    public private(set) var builder = GGUFBuilder()

    /// Makes the weights.
    public init(
        _ architecture: String = "llama", format: String = "F32", seed: UInt64 = 1, vocabulary: Int = 80,
        context: Int = 96
    ) {
        self.architecture = architecture
        self.vocabulary = vocabulary
        self.context = context
        self.format = format
        isTied = architecture != "llama"
        var generator = SeededGenerator(seed: seed)
        func key(_ name: String) -> String { architecture + "." + name }
        builder.add("general.architecture", .string(architecture))
        builder.add(key("embedding_length"), .uint32(UInt32(width)))
        builder.add(key("block_count"), .uint32(UInt32(layers)))
        builder.add(key("context_length"), .uint32(UInt32(context)))
        builder.add(key("feed_forward_length"), .uint32(UInt32(hidden)))
        builder.add(key("attention.head_count"), .uint32(UInt32(heads)))
        builder.add(key("attention.head_count_kv"), .uint32(UInt32(kvHeads)))
        builder.add(key("attention.key_length"), .uint32(UInt32(headLength)))
        builder.add(key("attention.value_length"), .uint32(UInt32(headLength)))
        builder.add(key("attention.layer_norm_rms_epsilon"), .float32(1e-5))
        if architecture == "gemma3" {
            builder.add(key("attention.sliding_window"), .uint32(UInt32(window)))
            builder.add(key("attention.sliding_window_pattern"), .uint32(2))
            builder.add(key("rope.freq_base"), .float32(1_000_000))
        }
        if architecture == "gemma2" {
            builder.add(key("attention.sliding_window"), .uint32(UInt32(window)))
            builder.add(key("attn_logit_softcapping"), .float32(Float(Self.attentionSoftcap)))
            builder.add(key("final_logit_softcapping"), .float32(Float(Self.logitSoftcap)))
        }
        matrix("token_embd.weight", width, vocabulary, &generator, scale: 1)
        if !isTied { matrix("output.weight", width, vocabulary, &generator) }
        vector("output_norm.weight", width, &generator)
        for layer in 0..<layers {
            let prefix = "blk.\(layer)."
            vector(prefix + "attn_norm.weight", width, &generator)
            vector(prefix + "ffn_norm.weight", width, &generator)
            if architecture == "phi3" {
                matrix(prefix + "attn_qkv.weight", width, (heads + 2 * kvHeads) * headLength, &generator)
            } else {
                matrix(prefix + "attn_q.weight", width, heads * headLength, &generator)
                matrix(prefix + "attn_k.weight", width, kvHeads * headLength, &generator)
                matrix(prefix + "attn_v.weight", width, kvHeads * headLength, &generator)
            }
            matrix(prefix + "attn_output.weight", heads * headLength, width, &generator)
            if architecture == "phi3" {
                matrix(prefix + "ffn_up.weight", width, 2 * hidden, &generator)
            } else {
                matrix(prefix + "ffn_gate.weight", width, hidden, &generator)
                matrix(prefix + "ffn_up.weight", width, hidden, &generator)
            }
            matrix(prefix + "ffn_down.weight", hidden, width, &generator)
            if architecture == "gemma3" || architecture == "qwen3" {
                vector(prefix + "attn_q_norm.weight", headLength, &generator)
                vector(prefix + "attn_k_norm.weight", headLength, &generator)
            }
            if architecture.hasPrefix("gemma") {
                vector(prefix + "post_attention_norm.weight", width, &generator)
                vector(prefix + "post_ffw_norm.weight", width, &generator)
            }
            if architecture == "qwen2" {
                vector(prefix + "attn_q.bias", heads * headLength, &generator)
                vector(prefix + "attn_k.bias", kvHeads * headLength, &generator)
                vector(prefix + "attn_v.bias", kvHeads * headLength, &generator)
            }
        }
    }

    /// Adds to the plain numbers of a tensor; the file stays as it is.
    public mutating func add(_ change: [Float], to name: String) {
        values[name] = zip(values[name] ?? [], change).map { $0 + $1 }
    }

    /// Changes the file before it is written.
    public mutating func edit(_ change: (inout GGUFBuilder) -> Void) { change(&builder) }

    /// Writes the file into the temporary folder.
    public func write() throws -> URL { try builder.write() }

    private mutating func vector(_ name: String, _ count: Int, _ generator: inout SeededGenerator) {
        let numbers = (0..<count).map { _ in Float.random(in: 0.5...1.5, using: &generator) }
        values[name] = numbers
        builder.addTensor(name, [count], numbers)
    }

    private mutating func matrix(
        _ name: String, _ columns: Int, _ rows: Int, _ generator: inout SeededGenerator, scale: Float? = nil
    ) {
        let limit = (scale ?? 1 / Float(columns).squareRoot()) * 1.7
        switch format {
        case "Q8_0", "Q4_1":
            let isQ8 = format == "Q8_0"
            var data: [UInt8] = []
            var numbers: [Float] = []
            for _ in 0..<rows * columns / 32 {
                // A power of two is exact in half precision.
                let step = Float(sign: .plus, exponent: isQ8 ? -7 : -3, significand: 1) * Self.powerOfTwo(below: limit)
                data += GGUFBuilder.littleEndian(Self.half(step))
                if isQ8 {
                    let quants = (0..<32).map { _ in Int8.random(in: -127...127, using: &generator) }
                    data += quants.map { UInt8(bitPattern: $0) }
                    numbers += quants.map { Float($0) * step }
                } else {
                    data += GGUFBuilder.littleEndian(Self.half(-step * 8))
                    let quants = (0..<32).map { _ in UInt8.random(in: 0...15, using: &generator) }
                    data += (0..<16).map { quants[$0] | quants[$0 + 16] << 4 }
                    numbers += quants.map { Float($0) * step - step * 8 }
                }
            }
            values[name] = numbers
            builder.addTensor(name, [columns, rows], type: isQ8 ? 8 : 3, data)
        default:
            let numbers = (0..<rows * columns).map { _ in Float.random(in: -limit...limit, using: &generator) }
            values[name] = numbers
            builder.addTensor(name, [columns, rows], numbers)
        }
    }

    private static func powerOfTwo(below limit: Float) -> Float {
        Float(sign: .plus, exponent: limit.exponent, significand: 1)
    }

    /// The half precision bits of a power of two or its negative.
    private static func half(_ value: Float) -> UInt16 {
        UInt16(value.exponent + 15) << 10 | (value.sign == .minus ? 0x8000 : 0)
    }
}
