// SPDX-License-Identifier: Apache-2.0

import CKernels
import ModelFiles

/// The weights of one layer. Holds pointers only.
struct LayerWeights {
    var attentionNorm: UnsafePointer<Float>
    var query: WeightMatrix
    var key: WeightMatrix
    var value: WeightMatrix
    var queryBias: UnsafePointer<Float>?
    var keyBias: UnsafePointer<Float>?
    var valueBias: UnsafePointer<Float>?
    var queryNorm: UnsafePointer<Float>?
    var keyNorm: UnsafePointer<Float>?
    var output: WeightMatrix
    var outputBias: UnsafePointer<Float>?
    var postAttentionNorm: UnsafePointer<Float>?
    var feedForwardNorm: UnsafePointer<Float>
    var gate: WeightMatrix
    var up: WeightMatrix
    var down: WeightMatrix
    var postFeedForwardNorm: UnsafePointer<Float>?
}

/// All weights of a model, in the layout the forward pass reads.
///
/// Quantized matrices are packed into memory of this object a slice of rows at a time, and the pages of the file that
/// were read are given back at once, so that loading needs no more memory than the file's size. Float matrices are used
/// where the file is mapped.
final class ModelWeights: @unchecked Sendable {
    // Unchecked: nothing is written after `init`.
    let layers: UnsafeMutablePointer<LayerWeights>
    let layerCount: Int
    let embedding: WeightMatrix
    let outputNorm: UnsafePointer<Float>
    let head: WeightMatrix
    /// `ropeDimension / 2` divisors of the rotation frequencies, for short and for long contexts.
    let ropeDivisors: UnsafePointer<Float>?
    let longRopeDivisors: UnsafePointer<Float>?
    /// The longest row of any matrix.
    let longestRow: Int
    /// Whether any matrix reads float32 activations, and whether any reads quantized ones.
    let usesFloats: Bool
    let usesQuantized: Bool
    /// The most rows of a batch whose results are the same to the last bit as those of single rows.
    let exactBatchRows: Int

    /// The highest rank that adapters give a matrix; 0 without adapters.
    let highestRank: Int

    private let file: GGUFFile
    private let adapters: AdapterSet
    private let packed: Memory
    private let vectors: Memory

    init(
        _ file: GGUFFile, _ configuration: ModelConfiguration, _ options: ModelOptions, pool: WorkerPool
    ) throws(InferenceError) {
        adapters = try AdapterSet(options.adapters, for: file, configuration, isLoaded: true)
        highestRank = adapters.highestRank
        var loader = WeightLoader(
            file: file, configuration: configuration, activations: options.activations, adapters: adapters)
        let loaded: WeightLoader.Result
        do {
            try loader.plan()
            loaded = try loader.load(pool)
        } catch let error as InferenceError {
            throw error
        } catch {
            throw InferenceError(.modelFile, "cannot load '\(file.path)': \(error)", cause: error)
        }
        self.file = file
        packed = loaded.packed
        vectors = loaded.vectors
        embedding = loaded.embedding
        outputNorm = loaded.outputNorm
        head = loaded.head
        ropeDivisors = loaded.ropeDivisors
        longRopeDivisors = loaded.longRopeDivisors
        layerCount = loaded.layers.count
        layers = .allocate(capacity: loaded.layers.count)
        layers.initialize(from: loaded.layers, count: loaded.layers.count)
        var matrices = [loaded.head]
        for layer in loaded.layers {
            matrices += [layer.query, layer.key, layer.value, layer.output, layer.gate, layer.up, layer.down]
        }
        longestRow = matrices.map(\.columns).max() ?? 1
        usesFloats = matrices.contains { $0.layout != .packed }
        usesQuantized = matrices.contains { $0.layout == .packed }
        exactBatchRows = matrices.map(\.exactBatchRows).min() ?? .max
    }

    deinit { layers.deallocate() }

    /// Bytes of memory that loading takes: packed matrices, vectors and adapters. Matrices that are used where the file is mapped do
    /// not count.
    ///
    /// - Throws: ``InferenceError`` where the file is not a model that can be loaded.
    static func byteCount(
        _ file: GGUFFile, _ configuration: ModelConfiguration, _ options: ModelOptions
    ) throws(InferenceError) -> Int {
        let adapters = try AdapterSet(options.adapters, for: file, configuration, isLoaded: false)
        var loader = WeightLoader(
            file: file, configuration: configuration, activations: options.activations, adapters: adapters)
        do {
            try loader.plan()
        } catch let error as InferenceError {
            throw error
        } catch {
            throw InferenceError(.modelFile, "cannot load '\(file.path)': \(error)", cause: error)
        }
        return loader.packedBytes + loader.vectorCount * 4 + adapters.byteCount
    }
}

/// Finds the tensors of an architecture, checks their shapes, and brings them into memory.
private struct WeightLoader {
    /// Some rows of a tensor, as a matrix of its own.
    struct Slice: Hashable {
        var tensor: TensorInfo
        var firstRow: Int
        var rowCount: Int
    }

    struct Result {
        var packed: Memory
        var vectors: Memory
        var layers: [LayerWeights]
        var embedding: WeightMatrix
        var outputNorm: UnsafePointer<Float>
        var head: WeightMatrix
        var ropeDivisors: UnsafePointer<Float>?
        var longRopeDivisors: UnsafePointer<Float>?
    }

    nonisolated(unsafe) private static let placeholder = UnsafePointer(
        UnsafeMutablePointer<Float>.allocate(capacity: 1))

    let file: GGUFFile
    let configuration: ModelConfiguration
    let activations: ModelOptions.Activations
    let adapters: AdapterSet
    var used: Set<String> = []
    /// The names of the matrices that activations are multiplied by.
    var multiplied: Set<String> = []
    /// Matrices that are packed, with their offset in the packed memory.
    var packedOffsets: [Slice: Int] = [:]
    var packedSlices: [Slice] = []
    var packedBytes = 0
    var vectorOffsets: [String: Int] = [:]
    var vectorTensors: [TensorInfo] = []
    var vectorCount = 0

    init(
        file: GGUFFile, configuration: ModelConfiguration, activations: ModelOptions.Activations, adapters: AdapterSet
    ) {
        self.adapters = adapters
        self.file = file
        self.configuration = configuration
        self.activations = activations
    }

    /// Goes through all tensors: checks shapes, and counts the memory.
    mutating func plan() throws {
        _ = try build(nil)
        for tensor in file.tensors where !used.contains(tensor.name) {
            throw InferenceError(
                .unsupported,
                "'\(file.path)': the tensor '\(tensor.name)' is not part of the architecture "
                    + "'\(configuration.architecture.rawValue)' as it is supported")
        }
        try adapters.check(multiplied, configuration)
    }

    func load(_ pool: WorkerPool) throws -> Result {
        let packed = try Memory(byteCount: packedBytes, large: true, for: "the weights")
        let vectors = try Memory(byteCount: vectorCount * 4, for: "the weights")
        for (index, slice) in packedSlices.enumerated() {
            // The system reads the next matrix from the disk while this one is packed.
            if index + 1 < packedSlices.count { file.willNeed(packedSlices[index + 1].tensor) }
            pack(slice, into: packed.base + (packedOffsets[slice] ?? 0), pool)
        }
        for tensor in vectorTensors {
            let target = (vectors.base + (vectorOffsets[tensor.name] ?? 0)).assumingMemoryBound(to: Float.self)
            if let source = file.bytes(of: tensor).baseAddress {
                ck_dequantize_row(ck_format(tensor.format.rawValue), source, target, tensor.rowLength)
            }
            file.releasePages(of: tensor)
        }
        file.releaseMetadataPages()
        var loader = self
        return try loader.build((packed, vectors))
    }

    /// Packs a matrix with all threads, and gives back the pages of the file behind them.
    private func pack(_ slice: Slice, into target: UnsafeMutableRawPointer, _ pool: WorkerPool) {
        let tensor = slice.tensor
        let rowBytes = tensor.rowBytes
        guard let source = file.bytes(of: tensor).baseAddress.map({ $0 + slice.firstRow * rowBytes }) else { return }
        let group = Int(CK_GROUP_ROWS)
        // About 256 KB at a time.
        let step = max((256 << 10) / rowBytes / group, 1) * group
        let format = ck_format(tensor.format.rawValue)
        let file = file
        nonisolated(unsafe) let (from, to) = (source, target)
        pool.run { team in
            team.forEach((slice.rowCount + step - 1) / step) { chunk in
                let first = chunk * step
                let count = min(step, slice.rowCount - first)
                ck_pack_rows(
                    format, from + first * rowBytes, slice.rowCount, tensor.rowLength, first, count, to)
                file.releasePages(of: tensor, rows: slice.firstRow + first..<slice.firstRow + first + count)
            }
        }
        file.releasePages(of: tensor)
    }

    // MARK: Tensors

    private mutating func tensor(_ name: String, columns: Int, rows: Int) throws -> TensorInfo {
        guard let tensor = file.tensor(named: name) else {
            throw ModelFileError(.missing, "is missing", field: "tensor '\(name)'")
        }
        guard tensor.rowLength == columns, tensor.rowCount == rows else {
            throw ModelFileError(
                .mismatched, "has the shape \(tensor.shape), expected \(columns) x \(rows)", field: "tensor '\(name)'",
                offset: tensor.offset)
        }
        used.insert(name)
        return tensor
    }

    private mutating func matrix(
        _ name: String, columns: Int, rows: Int, slice: Range<Int>? = nil,
        _ memory: (packed: Memory, vectors: Memory)?
    ) throws -> WeightMatrix {
        let tensor = try tensor(name, columns: columns, rows: rows)
        multiplied.insert(name)
        let range = slice ?? 0..<rows
        let key = Slice(tensor: tensor, firstRow: range.lowerBound, rowCount: range.count)
        let format = ck_format(tensor.format.rawValue)
        let isPacked = !tensor.format.isFloat && activations == .quantized
        guard let base = file.bytes(of: tensor).baseAddress else {
            throw ModelFileError(.malformed, "is empty", field: "tensor '\(name)'")
        }
        var weights = base + range.lowerBound * tensor.rowBytes
        if isPacked {
            if packedOffsets[key] == nil {
                let bytes = ck_packed_bytes(format, key.rowCount, columns)
                guard bytes > 0 else {
                    throw InferenceError(.unsupported, "the tensor '\(name)' (\(tensor.format)) cannot be packed")
                }
                packedOffsets[key] = packedBytes
                packedSlices.append(key)
                packedBytes += (bytes + 63) / 64 * 64
            }
            if let memory { weights = UnsafeRawPointer(memory.packed.base + (packedOffsets[key] ?? 0)) }
        }
        return WeightMatrix(
            format: format, layout: isPacked ? .packed : tensor.format.isFloat ? .float : .expanded,
            rows: key.rowCount, columns: columns, rowBytes: tensor.rowBytes, weights: weights,
            lowRank: adapters.lowRank(name)?.dropping(memory == nil ? 0 : range.lowerBound))
    }

    private mutating func vector(
        _ name: String, _ count: Int, _ memory: (packed: Memory, vectors: Memory)?
    ) throws -> UnsafePointer<Float> {
        let tensor = try tensor(name, columns: count, rows: 1)
        if vectorOffsets[name] == nil {
            vectorOffsets[name] = vectorCount * 4
            vectorTensors.append(tensor)
            vectorCount += (count + 15) / 16 * 16
        }
        // While sizes are counted, any pointer will do: nothing reads it.
        guard let base = memory?.vectors.base else { return Self.placeholder }
        return UnsafePointer((base + (vectorOffsets[name] ?? 0)).assumingMemoryBound(to: Float.self))
    }

    private mutating func optionalVector(
        _ name: String, _ count: Int, _ memory: (packed: Memory, vectors: Memory)?
    ) throws -> UnsafePointer<Float>? {
        file.tensor(named: name) == nil ? nil : try vector(name, count, memory)
    }

    private mutating func build(_ memory: (packed: Memory, vectors: Memory)?) throws -> Result {
        let width = configuration.embeddingLength
        var layers: [LayerWeights] = []
        for index in 0..<configuration.layerCount { layers.append(try layer(index, memory)) }
        let embedding = try embeddingMatrix(memory)
        let head: WeightMatrix
        if file.tensor(named: "output.weight") != nil {
            head = try matrix("output.weight", columns: width, rows: configuration.vocabularySize, memory)
        } else {
            head = try matrix("token_embd.weight", columns: width, rows: configuration.vocabularySize, memory)
        }
        let pairs = configuration.ropeDimension / 2
        var divisors: UnsafePointer<Float>?
        var longDivisors: UnsafePointer<Float>?
        if configuration.architecture == .phi3 {
            divisors = try optionalVector("rope_factors_short.weight", pairs, memory)
            longDivisors = try optionalVector("rope_factors_long.weight", pairs, memory)
        } else if configuration.architecture == .llama {
            divisors = try optionalVector("rope_freqs.weight", pairs, memory)
            longDivisors = divisors
        }
        return Result(
            packed: try memory?.packed ?? Memory(byteCount: 1, for: "the weights"),
            vectors: try memory?.vectors ?? Memory(byteCount: 1, for: "the weights"), layers: layers,
            embedding: embedding, outputNorm: try vector("output_norm.weight", width, memory), head: head,
            ropeDivisors: divisors, longRopeDivisors: longDivisors)
    }

    /// The embedding is packed only where it is the output head as well; else rows are read from the file.
    private mutating func embeddingMatrix(_ memory: (packed: Memory, vectors: Memory)?) throws -> WeightMatrix {
        let (width, count) = (configuration.embeddingLength, configuration.vocabularySize)
        if file.tensor(named: "output.weight") == nil {
            return try matrix("token_embd.weight", columns: width, rows: count, memory)
        }
        let tensor = try tensor("token_embd.weight", columns: width, rows: count)
        guard let base = file.bytes(of: tensor).baseAddress else {
            throw ModelFileError(.malformed, "is empty", field: "tensor 'token_embd.weight'")
        }
        return WeightMatrix(
            format: ck_format(tensor.format.rawValue), layout: .expanded, rows: count, columns: width,
            rowBytes: tensor.rowBytes, weights: base)
    }

    private mutating func layer(
        _ index: Int, _ memory: (packed: Memory, vectors: Memory)?
    ) throws -> LayerWeights {
        let width = configuration.embeddingLength
        let (queries, keys) = (configuration.queryLength, configuration.keyLength)
        let (hidden, head) = (configuration.feedForwardLength, configuration.headLength)
        let prefix = "blk.\(index)."
        let (headNorms, outputNorms) = (configuration.normalizesHeads, configuration.normalizesOutputs)
        let isFused = configuration.fusesProjections
        var matrices: [WeightMatrix] = []
        if isFused {
            let rows = queries + 2 * keys
            for range in [0..<queries, queries..<queries + keys, queries + keys..<rows] {
                matrices.append(
                    try matrix(prefix + "attn_qkv.weight", columns: width, rows: rows, slice: range, memory))
            }
            for range in [0..<hidden, hidden..<2 * hidden] {
                matrices.append(
                    try matrix(prefix + "ffn_up.weight", columns: width, rows: 2 * hidden, slice: range, memory))
            }
        } else {
            for (name, rows) in [
                ("attn_q", queries), ("attn_k", keys), ("attn_v", keys), ("ffn_gate", hidden), ("ffn_up", hidden),
            ] {
                matrices.append(try matrix(prefix + name + ".weight", columns: width, rows: rows, memory))
            }
        }
        return LayerWeights(
            attentionNorm: try vector(prefix + "attn_norm.weight", width, memory),
            query: matrices[0], key: matrices[1], value: matrices[2],
            queryBias: isFused ? nil : try optionalVector(prefix + "attn_q.bias", queries, memory),
            keyBias: isFused ? nil : try optionalVector(prefix + "attn_k.bias", keys, memory),
            valueBias: isFused ? nil : try optionalVector(prefix + "attn_v.bias", keys, memory),
            queryNorm: headNorms ? try vector(prefix + "attn_q_norm.weight", head, memory) : nil,
            keyNorm: headNorms ? try vector(prefix + "attn_k_norm.weight", head, memory) : nil,
            output: try matrix(prefix + "attn_output.weight", columns: queries, rows: width, memory),
            outputBias: try optionalVector(prefix + "attn_output.bias", width, memory),
            postAttentionNorm: outputNorms ? try vector(prefix + "post_attention_norm.weight", width, memory) : nil,
            feedForwardNorm: try vector(prefix + "ffn_norm.weight", width, memory),
            gate: matrices[3], up: matrices[4],
            down: try matrix(prefix + "ffn_down.weight", columns: hidden, rows: width, memory),
            postFeedForwardNorm: outputNorms ? try vector(prefix + "post_ffw_norm.weight", width, memory) : nil)
    }
}
