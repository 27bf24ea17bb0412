// SPDX-License-Identifier: Apache-2.0

/// How a model is run.
public struct ModelOptions: Hashable, Sendable {
    /// How activations enter a product with quantized weights.
    public enum Activations: String, Hashable, Sendable {
        /// Rounded to 8 bits per block: fast.
        case quantized
        /// Kept in float32, weights dequantized: slow, for reference.
        case float32
    }

    /// How keys and values are kept.
    public enum CacheFormat: String, Hashable, Sendable {
        /// Half precision.
        case f16
        /// Single precision.
        case f32
    }

    /// Low-rank changes to a model's matrices, from a GGUF file.
    public struct Adapter: Hashable, Sendable {
        /// The path of the file.
        public var path: String
        /// What the changes are multiplied by, beside the alpha and the rank that the file names.
        public var scale: Float

        /// Names an adapter.
        public init(path: String, scale: Float = 1) {
            self.path = path
            self.scale = scale
        }
    }

    /// The number of threads that compute, the caller's included.
    public var threads: Int
    /// How activations enter a product with quantized weights.
    public var activations: Activations
    /// How keys and values are kept.
    public var kvCache: CacheFormat
    /// Adapters that are applied to the model, all together.
    public var adapters: [Adapter]

    /// Creates options; the defaults are the fast path on one thread.
    public init(
        threads: Int = 1, activations: Activations = .quantized, kvCache: CacheFormat = .f16, adapters: [Adapter] = []
    ) {
        self.threads = threads
        self.activations = activations
        self.kvCache = kvCache
        self.adapters = adapters
    }

    /// The slow path in single precision, which other results are checked against.
    public static let reference = ModelOptions(activations: .float32, kvCache: .f32)
}
