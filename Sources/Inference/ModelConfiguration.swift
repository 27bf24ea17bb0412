// SPDX-License-Identifier: Apache-2.0

public import ModelFiles

/// The shape of a model and the constants of its forward pass, read from the metadata of its file.
public struct ModelConfiguration: Hashable, Sendable {
    /// The architectures that are supported.
    public enum Architecture: String, Hashable, Sendable, CaseIterable {
        case llama, gemma2, gemma3, phi3, qwen2, qwen3
    }

    /// The architecture named by the file.
    public var architecture: Architecture
    /// The length of the residual stream.
    public var embeddingLength = 0
    /// The number of layers.
    public var layerCount = 0
    /// The number of query heads.
    public var headCount = 0
    /// The number of key and value heads; divides ``headCount``.
    public var kvHeadCount = 0
    /// The length of a head.
    public var headLength = 0
    /// The length of the feed-forward layer.
    public var feedForwardLength = 0
    /// The number of positions the model was trained for.
    public var contextLength = 0
    /// The number of tokens.
    public var vocabularySize = 0
    /// Added to the mean square in RMSNorm.
    public var normEpsilon: Float = 0
    /// What an embedding is multiplied by.
    public var embeddingScale: Float = 1
    /// What a product of query and key is multiplied by.
    public var attentionScale: Float = 1
    /// Logits `x` become `cap * tanh(x / cap)`; nil leaves them.
    public var logitSoftcap: Float?
    /// Attention scores `x` become `cap * tanh(x / cap)`; nil leaves them.
    public var attentionSoftcap: Float?
    /// Whether the gate of the feed-forward layer is a GELU, not a SiLU.
    public var usesGELU = false
    /// Whether the queries and keys of each head are normalised.
    public var normalizesHeads = false
    /// Whether the results of attention and feed-forward are normalised before they are added.
    public var normalizesOutputs = false
    /// Whether queries, keys and values are one tensor, and gate and up another.
    public var fusesProjections = false
    /// A window layer sees that many positions, its own included; nil if no layer has a window.
    public var window: Int?
    /// With a window, every layer but each `windowPeriod`-th has it.
    public var windowPeriod = 1
    /// The number of leading values of a head that are rotated.
    public var ropeDimension = 0
    /// Whether the rotation pairs `i` with `i + ropeDimension / 2`, not with its neighbour.
    public var ropeHalves = false
    /// The base of the rotation frequencies.
    public var ropeBase = 10_000.0
    /// The base in layers with a window.
    public var windowRopeBase = 10_000.0
    /// What positions are multiplied by: 1 / the linear scaling factor.
    public var ropeScale = 1.0
    /// What positions are multiplied by in layers with a window.
    public var windowRopeScale = 1.0
    /// What rotated values are multiplied by.
    public var ropeMagnitude: Float = 1
    /// With long and short rope factors: contexts longer than this use the long ones.
    public var originalContextLength: Int?

    /// The limit of the attention kernels.
    private static let longestHead = 512
    /// Far above any model; keeps token ids and sizes of logits in range.
    private static let largestVocabulary = 1 << 24

    /// Whether the layer sees only the positions of the window.
    public func hasWindow(layer: Int) -> Bool { window != nil && (layer + 1) % windowPeriod != 0 }

    /// The length of all queries of a position.
    var queryLength: Int { headCount * headLength }
    /// The length of all keys of a position.
    var keyLength: Int { kvHeadCount * headLength }

    /// Reads and checks the metadata.
    ///
    /// - Throws: ``InferenceError`` if the architecture or something the model asks for is not supported, or a value is
    ///   missing or absurd.
    public init(_ file: GGUFFile) throws(InferenceError) {
        do {
            try self.init(reading: file)
        } catch let error as InferenceError {
            throw error
        } catch {
            throw InferenceError(.modelFile, "cannot load '\(file.path)': \(error)", cause: error)
        }
    }

    private init(reading file: GGUFFile) throws {
        guard let name = try file.string("general.architecture") else {
            throw ModelFileError(.missing, "is missing", field: "metadata 'general.architecture'")
        }
        guard let architecture = Architecture(rawValue: name) else {
            let experts = try file.int(name + ".expert_count") ?? 0
            if experts > 0 || name.hasSuffix("moe") { throw Self.mixtureOfExperts(file, name, experts) }
            let supported = Architecture.allCases.map(\.rawValue).joined(separator: ", ")
            throw InferenceError(
                .unsupported, "'\(file.path)': the architecture '\(name)' is not supported; \(supported) are")
        }
        self.architecture = architecture
        let metadata = ArchitectureMetadata(file: file, prefix: name)
        let experts = try file.int(metadata.key("expert_count")) ?? 0
        guard experts == 0 else { throw Self.mixtureOfExperts(file, name, experts) }

        embeddingLength = try metadata.size("embedding_length", upTo: 1 << 17)
        layerCount = try metadata.size("block_count", upTo: 1 << 12)
        headCount = try metadata.size("attention.head_count", upTo: 1 << 12)
        kvHeadCount = try metadata.size("attention.head_count_kv", upTo: 1 << 12, default: headCount)
        feedForwardLength = try metadata.size("feed_forward_length", upTo: 1 << 20)
        contextLength = try metadata.size("context_length", upTo: 1 << 27)
        guard headCount % kvHeadCount == 0 else {
            throw metadata.mismatch(
                "attention.head_count_kv", "\(kvHeadCount) does not divide the head count \(headCount)")
        }
        if !file.has(metadata.key("attention.key_length")), embeddingLength % headCount != 0 {
            throw metadata.mismatch(
                "attention.head_count", "\(headCount) does not divide the embedding length \(embeddingLength)")
        }
        headLength = try metadata.size(
            "attention.key_length", upTo: Self.longestHead, default: max(embeddingLength / headCount, 1))
        let valueLength = try metadata.size("attention.value_length", upTo: 1 << 12, default: headLength)
        guard valueLength == headLength else {
            throw metadata.mismatch(
                "attention.value_length", "\(valueLength) differs from the key length \(headLength)")
        }
        guard let embedding = file.tensor(named: "token_embd.weight") else {
            throw ModelFileError(.missing, "is missing", field: "tensor 'token_embd.weight'")
        }
        vocabularySize = embedding.rowCount
        guard vocabularySize <= Self.largestVocabulary else {
            throw ModelFileError(
                .mismatched, "has \(vocabularySize) rows, more than \(Self.largestVocabulary) tokens are not supported",
                field: "tensor 'token_embd.weight'")
        }
        if let declared = file.count("tokenizer.ggml.tokens"), declared != vocabularySize {
            throw ModelFileError(
                .mismatched, "has \(vocabularySize) rows for \(declared) tokens", field: "tensor 'token_embd.weight'")
        }
        guard let epsilon = try file.float(metadata.key("attention.layer_norm_rms_epsilon")) else {
            throw ModelFileError(
                .missing, "is missing", field: "metadata '\(metadata.key("attention.layer_norm_rms_epsilon"))'")
        }
        guard epsilon >= 0, epsilon < 1 else {
            throw metadata.mismatch("attention.layer_norm_rms_epsilon", "\(epsilon) is not in 0..<1")
        }
        normEpsilon = Float(epsilon)
        attentionScale = 1 / Float(headLength).squareRoot()
        try readRope(metadata)
        try readArchitecture(metadata)
        try refuseUnsupported(metadata)
    }

    private static func mixtureOfExperts(_ file: GGUFFile, _ name: String, _ count: Int) -> InferenceError {
        let place = file.offset(of: name + ".expert_count").map { " ('\(name).expert_count' at byte \($0))" } ?? ""
        return InferenceError(
            .unsupported,
            "'\(file.path)': '\(name)' is a mixture of \(count > 0 ? "\(count) " : "")experts, which is not supported; "
                + "models without experts are\(place)")
    }

    private mutating func readRope(_ metadata: ArchitectureMetadata) throws {
        ropeDimension = try metadata.size("rope.dimension_count", upTo: headLength, default: headLength)
        guard ropeDimension % 2 == 0 else {
            throw metadata.mismatch("rope.dimension_count", "\(ropeDimension) is odd")
        }
        ropeBase = try metadata.positive("rope.freq_base", default: 10_000)
        windowRopeBase = try metadata.positive("rope.freq_base_swa", default: 10_000)
        var factor = try metadata.positive("rope.scale_linear", default: 1)
        switch try metadata.file.string(metadata.key("rope.scaling.type")) {
        case nil, "linear": factor = try metadata.positive("rope.scaling.factor", default: factor)
        case "none": factor = 1
        case "longrope" where architecture == .phi3: factor = 1
        case .some(let type):
            throw metadata.unsupported(
                "rope.scaling.type", "the rope scaling '\(type)' is not supported; 'linear' and 'longrope' (phi3) are")
        }
        ropeScale = 1 / factor
    }

    private mutating func readArchitecture(_ metadata: ArchitectureMetadata) throws {
        logitSoftcap = try metadata.softcap("final_logit_softcapping")
        switch architecture {
        case .llama: try readLlama(metadata)
        case .gemma2: try readGemma2(metadata)
        case .gemma3: try readGemma3(metadata)
        case .phi3: try readPhi3(metadata)
        case .qwen2: try readQwen2(metadata)
        case .qwen3: try readQwen3(metadata)
        }
    }

    /// Reads the window of the layers but each `period`-th.
    mutating func readWindow(_ metadata: ArchitectureMetadata, period: Int, default absent: Int = 0) throws {
        let window = try metadata.file.int(metadata.key("attention.sliding_window")) ?? absent
        guard window >= 0 else { throw metadata.mismatch("attention.sliding_window", "\(window) is negative") }
        guard window > 0 else { return }
        // A window as long as the context hides nothing.
        self.window = min(window, contextLength)
        windowPeriod = try metadata.size("attention.sliding_window_pattern", upTo: 1 << 12, default: period)
    }

    /// Refuses metadata that changes the result and that the forward pass does not know.
    private func refuseUnsupported(_ metadata: ArchitectureMetadata) throws {
        var unknown = [
            "attention.clamp_kqv", "attention.max_alibi_bias", "attention.scale", "logit_scale", "residual_scale", "embedding_scale", "attention.key_length_mla",
        ]
        if architecture != .gemma2 { unknown.append("attn_logit_softcapping") }
        for name in unknown {
            guard metadata.file.has(metadata.key(name)) else { continue }
            let value = try metadata.file.float(metadata.key(name)) ?? 0
            guard value == 0 else {
                throw metadata.unsupported(name, "the value \(value) is not supported")
            }
        }
        if let causal = try metadata.file.bool(metadata.key("attention.causal")), !causal {
            throw metadata.unsupported("attention.causal", "attention that is not causal is not supported")
        }
    }
}
