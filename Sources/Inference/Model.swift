// SPDX-License-Identifier: Apache-2.0

import CKernels
import COpenBLAS
public import ModelFiles
import Synchronization

/// A model ready to run: its weights in memory, and the threads that compute.
///
/// A model is shared by any number of ``InferenceSession``s, which take turns on its threads.
///
///     let model = try Model(path: "model.gguf", options: ModelOptions(threads: 2))
///     let session = try InferenceSession(model, contextLength: 2048)
public final class Model: Sendable {
    /// The file the model was loaded from.
    public let file: GGUFFile
    /// How the model is run.
    public let options: ModelOptions
    /// The shape of the model.
    public let configuration: ModelConfiguration

    let weights: ModelWeights
    let pool: WorkerPool
    /// A number that no other model of the process has, or had before.
    let identity: Int
    private static let identities = Atomic<Int>(0)

    /// The number of tokens; token ids are below it.
    public var vocabularySize: Int { configuration.vocabularySize }
    /// The number of positions the model was trained for.
    public var contextLength: Int { configuration.contextLength }

    /// Loads a model from a GGUF file.
    ///
    /// - Throws: ``InferenceError`` if the file is malformed (its cause is a `ModelFileError`) or asks for something
    ///   that is not supported.
    /// - Complexity: O(*n*) in the size of the file; quantized weights are brought into another layout.
    public convenience init(path: String, options: ModelOptions = ModelOptions()) throws(InferenceError) {
        let file: GGUFFile
        do {
            file = try GGUFFile(path: path)
        } catch {
            throw InferenceError(.modelFile, "cannot load '\(path)': \(error)", cause: error)
        }
        try self.init(file, options: options)
    }

    /// Loads a model from an opened file.
    public init(_ file: GGUFFile, options: ModelOptions = ModelOptions()) throws(InferenceError) {
        guard (1...256).contains(options.threads) else {
            throw InferenceError(.unsupported, "\(options.threads) threads; 1 to 256 are accepted")
        }
        let configuration = try ModelConfiguration(file)
        let pool = try WorkerPool(count: options.threads)
        // The pool shares out the work itself. This is a setting of the whole process.
        openblas_set_num_threads(1)
        weights = try ModelWeights(file, configuration, options, pool: pool)
        self.file = file
        self.options = options
        self.configuration = configuration
        self.pool = pool
        identity = Self.identities.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// The number of layers.
    var layerCount: Int { weights.layerCount }
}

extension Model {
    /// Tokens that are computed together in a prefill.
    static let batchRows = 256

    /// Whether a batch of any length gives the same bits as its tokens one by one.
    ///
    /// Float weights do not where OpenBLAS multiplies: it rounds by the shape of a call.
    public var isExactInBatches: Bool { weights.exactBatchRows >= Self.batchRows }

    /// The tokens of a block that a ``PrefixCache`` keeps of prompts: a panel of keys, or with float weights what is
    /// computed at once.
    public var prefixBlock: Int { isExactInBatches ? Int(CK_KEY_PANEL) : InferenceSession.promptBlock }

    /// How many of `count` tokens from a position on are computed in the next pass.
    ///
    /// All passes give the bits of single tokens, but for whole blocks of a prompt where float weights are faster with
    /// OpenBLAS: these are always computed by themselves, so that a position's state never depends on what the caller
    /// passes at once, or had already.
    func nextPass(_ count: Int, from position: Int, isPrompt: Bool) -> Int {
        if isExactInBatches { return min(count, Self.batchRows) }
        let block = InferenceSession.promptBlock
        let ahead = block - position % block
        if isPrompt, ahead == block, count >= block { return block }
        // Up to the next whole block.
        return min(count, weights.exactBatchRows, ahead)
    }

    /// The most rows of any pass.
    func largestPass(_ count: Int, from position: Int, isPrompt: Bool) -> Int {
        if isExactInBatches { return min(count, Self.batchRows) }
        let isWhole = isPrompt && count >= InferenceSession.promptBlock
        return isWhole ? InferenceSession.promptBlock : min(count, weights.exactBatchRows)
    }
}
