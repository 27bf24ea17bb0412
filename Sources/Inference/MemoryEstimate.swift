// SPDX-License-Identifier: Apache-2.0

public import ModelFiles

/// The memory that a model will take, told before any of it is taken.
public struct MemoryEstimate: Hashable, Sendable {
    /// Bytes of the file.
    public var fileBytes: Int
    /// Bytes of weights that are brought into another layout, and are held beside the mapped file; their pages of the file are
    /// given back.
    public var weightBytes: Int
    /// Bytes of keys and values for one position.
    public var bytesPerPosition: Int
    /// The number of positions.
    public var contextLength: Int
    /// Bytes of keys and values for all positions. The system gives them as positions are first written.
    public var contextBytes: Int

    /// Adds up what loading a model and one sequence takes. Buffers of the computation, a few megabytes, are not counted.
    ///
    /// - Parameter contextLength: Positions of the sequence; nil for all that the model was trained for.
    /// - Throws: ``InferenceError`` where the file is not a model that can be loaded, or the context is not one to
    ///   ``ModelConfiguration/contextLength``.
    public init(_ file: GGUFFile, contextLength: Int? = nil, options: ModelOptions = ModelOptions()) throws(InferenceError) {
        let configuration = try ModelConfiguration(file)
        let length = contextLength ?? configuration.contextLength
        guard (1...configuration.contextLength).contains(length) else {
            throw InferenceError(
                .contextOverflow,
                "a context of \(length) positions was asked for; the model allows 1 to \(configuration.contextLength)")
        }
        fileBytes = file.tensors.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue }
        weightBytes = try ModelWeights.byteCount(file, configuration, options)
        self.contextLength = length
        bytesPerPosition = try KeyValueCache.byteCount(configuration, positions: 1, format: options.kvCache)
        contextBytes = try KeyValueCache.byteCount(configuration, contextLength: length, format: options.kvCache)
    }
}
