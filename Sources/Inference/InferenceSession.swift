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

    /// Whole blocks of so many positions of a prompt may be computed in another way than single tokens.
    public static let promptBlock = Int(CK_CACHE_BLOCK)

    let cache: KeyValueCache
    private var workspace: Workspace
    private let storage = RowBatchStorage()
    /// The normalised output of the last layer for the last token.
    let hidden: ActivationRows
    private let hiddenMemory: Memory
    private var logitsMemory: Memory
    private var logitRows = 0
    let ropeDivisors: UnsafePointer<Float>?
    /// Whether the context is longer than the one that the model was first trained for.
    let isLong: Bool

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
        isLong = configuration.originalContextLength.map { contextLength > $0 } ?? false
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
        return UnsafeBufferPointer(start: logitsBase + index * count, count: count)
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
        try extend(tokens, isPrompt: true, logitsAtAll: logitsAtAll)
    }

    /// Appends tokens of a prompt without the cost of the output head.
    ///
    /// The state depends on the tokens alone, not on how they came: whole blocks of ``promptBlock`` positions are always
    /// computed in the same way, and what lies between gives the bits of ``decode(_:)``.
    public func prefillWithoutLogits(_ tokens: [Int32]) throws(InferenceError) {
        guard !tokens.isEmpty else { return }
        try check(tokens)
        try append(tokens, isPrompt: true, logitsAtAll: false)
        logitRows = 1
    }

    /// Appends one token and computes the logits after it.
    public func decode(_ token: Int32) throws(InferenceError) {
        try check(CollectionOfOne(token))
        try reserveLogits(1)
        logitRows = 1
        advance(CollectionOfOne(token), keepsAll: false, logitOffset: 0)
    }

    /// Appends tokens and computes the logits after the last one, or after each: for guesses of what comes next.
    ///
    /// State and logits are those of ``decode(_:)`` of one after another, to the last bit, where the model computes several
    /// tokens as it computes one. With `logitsAtAll` they are read with ``logits(at:)``.
    public func decode(_ tokens: [Int32], logitsAtAll: Bool) throws(InferenceError) {
        try extend(tokens, isPrompt: false, logitsAtAll: logitsAtAll)
    }

    /// Appends tokens without the cost of the output head: for tokens that are forced, and masks of few tokens.
    ///
    /// The state is that of ``decode(_:)`` of one after another, to the last bit.
    ///
    /// ``computeLogits()`` and ``computeLogits(rows:)`` give the logits afterwards.
    public func decodeWithoutLogits(_ tokens: [Int32]) throws(InferenceError) {
        guard !tokens.isEmpty else { return }
        try check(tokens)
        try append(tokens, isPrompt: false, logitsAtAll: false)
        logitRows = 1
    }

    /// Computes all logits after the last token, where ``decodeWithoutLogits(_:)`` left them out.
    public func computeLogits() throws(InferenceError) {
        guard position > 0 else { return }
        try reserveLogits(1)
        logitRows = 1
        let (model, hidden, out) = (model, hidden, logitsBase)
        nonisolated(unsafe) let pass = ForwardPass(model, workspace)
        model.pool.run { team in pass.head(hidden, count: 1, to: out, team) }
    }

    /// Computes the logits of some tokens only, after the last token; the others are left as they are.
    ///
    /// - Parameter rows: Token ids, ascending for the best speed.
    /// - Complexity: O(*n*) in the number of rows; each reads a group of 16 rows of the output head.
    public func computeLogits(rows: [Int32]) throws(InferenceError) {
        guard position > 0, !rows.isEmpty else { return }
        try checkVocabulary(rows)
        logitRows = 1
        let (model, hidden, out) = (model, hidden, logitsBase)
        nonisolated(unsafe) let pass = ForwardPass(model, workspace)
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

    /// The memory of the first logits.
    private var logitsBase: UnsafeMutablePointer<Float> { logitsMemory.base.assumingMemoryBound(to: Float.self) }

    private func invalid(_ token: Int32) -> InferenceError {
        InferenceError(.invalidToken, "the token \(token) is not in the vocabulary of \(model.vocabularySize)")
    }

    private func check(_ tokens: some Collection<Int32>) throws(InferenceError) {
        guard tokens.count <= contextLength - position else {
            throw InferenceError(
                .contextOverflow,
                "\(position) tokens and \(tokens.count) more do not fit into the context of \(contextLength)")
        }
        try checkVocabulary(tokens)
    }

    private func checkVocabulary(_ tokens: some Collection<Int32>) throws(InferenceError) {
        for token in tokens where token < 0 || Int(token) >= model.vocabularySize { throw invalid(token) }
    }

    /// Checks a step of a batch, and makes room for its logits.
    func prepare(_ step: SequenceStep) throws(InferenceError) {
        try check(step.tokens)
        if case .rows(let rows) = step.logits { try checkVocabulary(rows) }
        guard step.tokens.isEmpty || step.logits != .none else { return }
        guard position > 0 || !step.tokens.isEmpty else {
            throw InferenceError(.invalidToken, "there are no logits before the first token")
        }
        try reserveLogits(1)
    }

    /// Notes that a batch has computed tokens, and gives the memory for the logits after the last.
    func didAppend(_ count: Int) {
        position += count
        logitRows = 1
    }

    /// The memory for the logits after the last token.
    func lastLogits() -> UnsafeMutablePointer<Float> {
        logitRows = 1
        return logitsBase
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

    private func extend(_ tokens: [Int32], isPrompt: Bool, logitsAtAll: Bool) throws(InferenceError) {
        guard !tokens.isEmpty else { return }
        try check(tokens)
        let rows = logitsAtAll ? tokens.count : 1
        try reserveLogits(rows)
        try append(tokens, isPrompt: isPrompt, logitsAtAll: logitsAtAll)
        logitRows = rows
        if !logitsAtAll { try computeLogits() }
    }

    private func append(_ tokens: [Int32], isPrompt: Bool, logitsAtAll: Bool) throws(InferenceError) {
        let needed = model.largestPass(tokens.count, from: position, isPrompt: isPrompt)
        if workspace.rows < needed { workspace = try Workspace(model, rows: needed) }
        var start = 0
        while start < tokens.count {
            if let isCancelled, isCancelled() {
                throw InferenceError(.cancelled, "cancelled after \(start) of \(tokens.count) tokens")
            }
            let end = start + model.nextPass(tokens.count - start, from: position, isPrompt: isPrompt)
            advance(
                tokens[start..<end], keepsAll: logitsAtAll,
                logitOffset: logitsAtAll ? start * model.vocabularySize : nil)
            start = end
        }
    }

    private func advance(_ tokens: some Collection<Int32>, keepsAll: Bool, logitOffset: Int?) {
        storage.removeAll()
        storage.append(tokens, at: position, of: cache, divisors: ropeDivisors, hidden: hidden)
        let (model, out) = (model, logitsBase)
        nonisolated(unsafe) let pass = ForwardPass(model, workspace)
        storage.withBatch { batch in
            nonisolated(unsafe) let batch = batch
            pass.prepare(batch)
            model.pool.run { team in
                pass.run(batch, keepsAll: keepsAll, logits: logitOffset.map { out + $0 }, team)
            }
        }
        position += tokens.count
    }
}
