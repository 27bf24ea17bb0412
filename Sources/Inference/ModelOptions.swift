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

    /// The number of threads that compute, the caller's included.
    public var threads: Int
    /// How activations enter a product with quantized weights.
    public var activations: Activations
    /// How keys and values are kept.
    public var kvCache: CacheFormat

    /// Creates options; the defaults are the fast path on one thread.
    public init(threads: Int = 1, activations: Activations = .quantized, kvCache: CacheFormat = .f16) {
        self.threads = threads
        self.activations = activations
        self.kvCache = kvCache
    }

    /// The slow path in single precision, which other results are checked against.
    public static let reference = ModelOptions(activations: .float32, kvCache: .f32)
}
