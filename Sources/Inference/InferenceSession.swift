// SPDX-License-Identifier: Apache-2.0

import CKernels

/// One sequence of tokens that a model continues: its position, keys and values, and the logits of the last step.
///
///     let session = try InferenceSession(model, contextLength: 2048)
///     try session.prefill(prompt)
///     var token = session.argmax()
///     while !ends(token) {
///         try session.decode(token)
///         token = session.argmax()
///     }
///
/// A failed call leaves the sequence as it was, except that a cancelled one keeps the tokens done so far. A session is
/// used by one thread at a time; sessions of one model wait for each other.
public final class InferenceSession {
    /// The model that is run.
    public let model: Model
    /// The number of positions there is room for.
    public let contextLength: Int
    /// The number of tokens so far.
    public private(set) var position = 0
    /// Asked between batches of a long prefill; if it returns true, the call throws ``InferenceError/Code/cancelled``.
    public var isCancelled: (() -> Bool)?

    /// Tokens that are computed together in a prefill.
    static let batchRows = 256
    /// Up to so many tokens are computed so that the result is that of one token at a time, to the last bit: text that is
    /// forced by a constraint must not change what is chosen after it. Longer prompts take the fastest way.
    static let exactRows = 64

    let cache: KeyValueCache
    private var workspace: Workspace
    /// The normalised output of the last layer for the last token.
    private let hidden: ActivationRows
    private let hiddenMemory: Memory
    private var logitsMemory: Memory
    private var logitRows = 0
    private let ropeDivisors: UnsafePointer<Float>?

    /// Creates an empty sequence.
    ///
    /// - Throws: ``InferenceError`` if `contextLength` is not positive or more than the model was trained for, or if
    ///   there is not enough memory.
    public init(_ model: Model, contextLength: Int) throws(InferenceError) {
        let configuration = model.configuration
        guard contextLength > 0, contextLength <= configuration.contextLength else {
            throw InferenceError(
                .contextOverflow,
                "a context of \(contextLength) positions was asked for; the model allows 1 to "
                    + "\(configuration.contextLength)")
        }
        self.model = model
        self.contextLength = contextLength
        cache = try KeyValueCache(configuration, contextLength: contextLength, format: model.options.kvCache)
        workspace = try Workspace(model, rows: 1)
        let width = configuration.embeddingLength
        let floatBytes = (width * 4 + 63) / 64 * 64
        let quantizedBytes = ck_activation_row_bytes((width + 31) / 32 * 32)
        hiddenMemory = try Memory(byteCount: floatBytes + quantizedBytes, for: "the forward pass")
        hidden = ActivationRows(
            floats: hiddenMemory.base.assumingMemoryBound(to: Float.self), stride: width,
            quantized: hiddenMemory.base + floatBytes, quantizedStride: quantizedBytes)
        logitsMemory = try Memory(byteCount: configuration.vocabularySize * 4, for: "the logits")
        let isLong = configuration.originalContextLength.map { contextLength > $0 } ?? false
        ropeDivisors = isLong ? model.weights.longRopeDivisors : model.weights.ropeDivisors
    }

    /// The logits after the last token, one per token of the vocabulary; all zero before the first token.
    ///
    /// Valid until the next call. After ``decodeWithoutLogits(_:)`` they are stale until ``computeLogits()``.
    public var logits: UnsafeBufferPointer<Float> { logits(at: max(logitRows - 1, 0)) }

    /// The logits after the token with that index in the last ``prefill(_:logitsAtAll:)``.
    public func logits(at index: Int) -> UnsafeBufferPointer<Float> {
        precondition(index >= 0 && index < max(logitRows, 1), "no logits were computed at this index")
        let count = model.vocabularySize
        let base = logitsMemory.base.assumingMemoryBound(to: Float.self)
        return UnsafeBufferPointer(start: base + index * count, count: count)
    }

    /// The token with the largest logit; the first of equals.
    public func argmax() -> Int32 {
        let values = logits
        guard let base = values.baseAddress else { return 0 }
        return Int32(ck_argmax(base, values.count))
    }

    /// Appends tokens and computes the logits after the last one.
    public func prefill(_ tokens: [Int32]) throws(InferenceError) { try prefill(tokens, logitsAtAll: false) }

    /// Appends tokens and computes the logits after the last one, or after each.
    ///
    /// With `logitsAtAll` they are read with ``logits(at:)``, and take four bytes per token and vocabulary entry.
    public func prefill(_ tokens: [Int32], logitsAtAll: Bool) throws(InferenceError) {
        guard !tokens.isEmpty else { return }
        try check(tokens)
        let rows = logitsAtAll ? tokens.count : 1
        try reserveLogits(rows)
        try append(tokens, logitsAtAll: logitsAtAll)
        logitRows = rows
        if !logitsAtAll { try computeLogits() }
    }

    /// Appends one token and computes the logits after it.
    public func decode(_ token: Int32) throws(InferenceError) {
        try check(CollectionOfOne(token))
        try reserveLogits(1)
        logitRows = 1
        try withUnsafePointer(to: token) { pointer throws(InferenceError) in
            try advance(UnsafeBufferPointer(start: pointer, count: 1), head: .lastLogits)
        }
    }

    /// Appends tokens without the cost of the output head: for tokens that are forced, and masks of few tokens.
    ///
    /// Up to 64 tokens give the same state as ``decode(_:)`` of one after another, to the last bit.
    ///
    /// ``computeLogits()`` and ``computeLogits(rows:)`` give the logits afterwards.
    public func decodeWithoutLogits(_ tokens: [Int32]) throws(InferenceError) {
        guard !tokens.isEmpty else { return }
        try check(tokens)
        try append(tokens, logitsAtAll: false)
        logitRows = 1
    }

    /// Computes all logits after the last token, where ``decodeWithoutLogits(_:)`` left them out.
    public func computeLogits() throws(InferenceError) {
        guard position > 0 else { return }
        try reserveLogits(1)
        logitRows = 1
        let (model, workspace, hidden) = (model, workspace, hidden)
        let out = logitsMemory.base.assumingMemoryBound(to: Float.self)
        nonisolated(unsafe) let pass = ForwardPass(self, model, workspace)
        model.pool.run { team in pass.head(hidden, count: 1, to: out, team) }
    }

    /// Computes the logits of some tokens only, after the last token; the others are left as they are.
    ///
    /// - Parameter rows: Token ids, ascending for the best speed.
    /// - Complexity: O(*n*) in the number of rows; each reads a group of 16 rows of the output head.
    public func computeLogits(rows: [Int32]) throws(InferenceError) {
        guard position > 0, !rows.isEmpty else { return }
        for row in rows where row < 0 || Int(row) >= model.vocabularySize { throw invalid(row) }
        logitRows = 1
        let (model, workspace, hidden) = (model, workspace, hidden)
        let out = logitsMemory.base.assumingMemoryBound(to: Float.self)
        nonisolated(unsafe) let pass = ForwardPass(self, model, workspace)
        model.pool.run { team in pass.head(hidden, rows: rows, to: out, team) }
    }

    /// Shortens the sequence to its first `position` tokens, so that another continuation can follow.
    ///
    /// The logits are stale until the next token is appended.
    public func truncate(to position: Int) {
        precondition(position >= 0, "a sequence cannot be shortened to a negative length")
        self.position = min(position, self.position)
    }

    // MARK: Steps

    private func invalid(_ token: Int32) -> InferenceError {
        InferenceError(.invalidToken, "the token \(token) is not in the vocabulary of \(model.vocabularySize)")
    }

    private func check(_ tokens: some Collection<Int32>) throws(InferenceError) {
        guard tokens.count <= contextLength - position else {
            throw InferenceError(
                .contextOverflow,
                "\(position) tokens and \(tokens.count) more do not fit into the context of \(contextLength)")
        }
        for token in tokens where token < 0 || Int(token) >= model.vocabularySize { throw invalid(token) }
    }

    private func reserveLogits(_ rows: Int) throws(InferenceError) {
        let (values, first) = rows.multipliedReportingOverflow(by: model.vocabularySize)
        let (bytes, second) = values.multipliedReportingOverflow(by: 4)
        guard !first, !second else {
            throw InferenceError(.outOfMemory, "the logits of \(rows) tokens do not fit into memory")
        }
        // Room for many rows is given back as soon as one row is enough.
        if bytes > logitsMemory.count || logitsMemory.count > max(bytes, 1 << 22) * 4 {
            logitsMemory = try Memory(byteCount: bytes, for: "the logits of \(rows) tokens")
        }
    }

    private func append(_ tokens: [Int32], logitsAtAll: Bool) throws(InferenceError) {
        let rows = tokens.count <= Self.exactRows ? min(model.weights.exactBatchRows, Self.exactRows) : Self.batchRows
        let needed = min(tokens.count, rows)
        if workspace.rows < needed { workspace = try Workspace(model, rows: needed) }
        var start = 0
        let vocabulary = model.vocabularySize
        while start < tokens.count {
            if let isCancelled, isCancelled() {
                throw InferenceError(.cancelled, "cancelled after \(start) of \(tokens.count) tokens")
            }
            let end = min(start + rows, tokens.count)
            let first = start
            try tokens.withUnsafeBufferPointer { buffer throws(InferenceError) in
                try advance(
                    UnsafeBufferPointer(rebasing: buffer[first..<end]),
                    head: logitsAtAll ? .allLogits(offset: first * vocabulary) : .none)
            }
            start = end
        }
    }

    private enum Head {
        case none
        case lastLogits
        case allLogits(offset: Int)
    }

    private func advance(_ tokens: UnsafeBufferPointer<Int32>, head: Head) throws(InferenceError) {
        let count = tokens.count
        guard let first = tokens.baseAddress, count > 0 else { return }
        var logitOffset: Int?
        var keepsAll = false
        switch head {
        case .none: break
        case .lastLogits: logitOffset = 0
        case .allLogits(let offset): (logitOffset, keepsAll) = (offset, true)
        }
        let (model, hidden, start) = (model, hidden, position)
        let out = logitsMemory.base.assumingMemoryBound(to: Float.self)
        nonisolated(unsafe) let pass = ForwardPass(self, model, workspace)
        nonisolated(unsafe) let ids = first
        nonisolated(unsafe) let divisors = ropeDivisors
        pass.prepare(start, count, divisors: divisors)
        model.pool.run { team in
            pass.run(
                ids, count: count, at: start, divisors: divisors, keepsAll: keepsAll, hidden: hidden,
                logits: logitOffset.map { out + $0 }, team)
        }
        position += count
    }
}
