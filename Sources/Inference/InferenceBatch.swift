// SPDX-License-Identifier: Apache-2.0

/// What one sequence does in a step of a batch.
public struct SequenceStep {
    /// The logits that are computed after the tokens.
    public enum Logits: Hashable, Sendable {
        /// None.
        case none
        /// One per token of the vocabulary.
        case all
        /// Those of some tokens; the others are left as they are. Ascending for the best speed.
        case rows([Int32])
    }

    /// The sequence.
    public var session: InferenceSession
    /// The tokens to append; may be empty where only logits are wanted.
    public var tokens: [Int32]
    /// Whether the tokens belong to a prompt, as in ``InferenceSession/prefillWithoutLogits(_:)``.
    public var isPrompt: Bool
    /// The logits to compute, read from ``InferenceSession/logits``.
    public var logits: Logits

    /// Creates a step.
    public init(_ session: InferenceSession, tokens: [Int32], isPrompt: Bool = false, logits: Logits = .none) {
        self.session = session
        self.tokens = tokens
        self.isPrompt = isPrompt
        self.logits = logits
    }
}

/// Continues several sequences of one model together, which reads its weights once for all of them.
///
/// Each sequence gets the same logits, to the last bit, as if it were continued alone. What is wrong with one sequence's
/// step is reported for that one, and the others go on.
///
///     let batch = try InferenceBatch(model, sequences: 8)
///     let errors = batch.run(sessions.map { SequenceStep($0, tokens: [$0.argmax()], logits: .all) })
///
/// A batch is used by one thread at a time, as are the sessions in it.
public final class InferenceBatch {
    /// The model that is run.
    public let model: Model
    /// The most sequences that are computed together; steps of more go one group after another.
    public let sequences: Int

    private let workspace: Workspace
    private let storage = RowBatchStorage()

    /// Makes room for a number of sequences.
    ///
    /// - Throws: ``InferenceError`` if `sequences` is not 1 to 256, or if there is not enough memory.
    public init(_ model: Model, sequences: Int) throws(InferenceError) {
        guard (1...Model.batchRows).contains(sequences) else {
            throw InferenceError(.unsupported, "\(sequences) sequences at once; 1 to \(Model.batchRows) are accepted")
        }
        self.model = model
        self.sequences = sequences
        workspace = try Workspace(model, rows: Model.batchRows, sequences: sequences)
    }

    /// Appends tokens to sequences and computes logits.
    ///
    /// - Parameter steps: Sequences of ``model``, each at most once.
    /// - Returns: For each step nil, or the reason why its sequence was left as it was.
    public func run(_ steps: [SequenceStep]) -> [InferenceError?] {
        var errors: [InferenceError?] = []
        var known: Set<ObjectIdentifier> = []
        for step in steps {
            precondition(step.session.model === model, "a batch continues sequences of its own model only")
            do throws(InferenceError) {
                guard known.insert(ObjectIdentifier(step.session)).inserted else {
                    throw InferenceError(.unsupported, "a sequence can have one step in a batch")
                }
                try step.session.prepare(step)
                errors.append(nil)
            } catch {
                errors.append(error)
            }
        }
        let valid = steps.indices.filter { errors[$0] == nil }.map { steps[$0] }
        append(valid)
        computeLogits(valid)
        return errors
    }

    // MARK: Tokens

    private func append(_ steps: [SequenceStep]) {
        var waiting = steps.filter { !$0.tokens.isEmpty }.map { (step: $0, done: 0) }
        while !waiting.isEmpty {
            var limit = Model.batchRows
            if !model.isExactInBatches { limit = min(limit, model.weights.exactBatchRows) }
            storage.removeAll()
            var taken: [(index: Int, count: Int)] = []
            for (index, entry) in waiting.enumerated() {
                let (session, left) = (entry.step.session, entry.step.tokens.count - entry.done)
                var count = model.nextPass(left, from: session.position, isPrompt: entry.step.isPrompt)
                if count > limit {
                    // A block of float weights: by itself.
                    guard taken.isEmpty else { continue }
                    limit = count
                }
                count = min(count, limit - storage.rowCount)
                storage.append(
                    entry.step.tokens[entry.done..<entry.done + count], at: session.position, of: session.cache,
                    divisors: session.ropeDivisors, hidden: session.hidden)
                taken.append((index, count))
                if storage.rowCount == limit || storage.segmentCount == sequences { break }
            }
            nonisolated(unsafe) let pass = ForwardPass(model, workspace)
            storage.withBatch { batch in
                nonisolated(unsafe) let batch = batch
                pass.prepare(batch)
                model.pool.run { team in pass.run(batch, keepsAll: false, logits: nil, team) }
            }
            for (index, count) in taken {
                waiting[index].done += count
                waiting[index].step.session.didAppend(count)
            }
            waiting.removeAll { $0.done == $0.step.tokens.count }
        }
    }

    // MARK: Logits

    private func computeLogits(_ steps: [SequenceStep]) {
        let width = model.configuration.embeddingLength
        var whole = steps.filter { $0.logits == .all }.map(\.session)[...]
        let limit = min(sequences, model.weights.head.exactBatchRows)
        while let session = whole.first {
            let group = whole.prefix(limit)
            whole = whole.dropFirst(limit)
            nonisolated(unsafe) let pass = ForwardPass(model, workspace)
            guard group.count > 1 else {
                let (out, hidden) = (session.lastLogits(), session.hidden)
                model.pool.run { team in pass.head(hidden, count: 1, to: out, team) }
                continue
            }
            let input = workspace.keptActivations
            for (row, session) in group.enumerated() {
                let target = input.dropping(row)
                target.floats.update(from: session.hidden.floats, count: width)
                if model.weights.head.layout == .packed {
                    target.quantized.copyMemory(
                        from: session.hidden.quantized, byteCount: session.hidden.quantizedStride)
                }
            }
            group.map { $0.lastLogits() }.withUnsafeBufferPointer { outputs in
                nonisolated(unsafe) let outputs = outputs
                model.pool.run { team in pass.head(input, to: outputs, team) }
            }
        }
        computeChosen(steps)
    }

    private func computeChosen(_ steps: [SequenceStep]) {
        let pass = ForwardPass(model, workspace)
        var rows: [Int32] = []
        var owners: [(session: InferenceSession, first: Int, count: Int)] = []
        for step in steps {
            guard case .rows(let wanted) = step.logits else { continue }
            owners.append((step.session, rows.count, wanted.count))
            rows += wanted
        }
        guard !rows.isEmpty else { return }
        rows.withUnsafeBufferPointer { rows in
            guard let base = rows.baseAddress else { return }
            var chunks: [ChosenRows] = []
            for owner in owners {
                let logits = owner.session.lastLogits()
                for start in stride(from: 0, to: owner.count, by: pass.chosenStep) {
                    chunks.append(
                        ChosenRows(
                            input: owner.session.hidden, rows: base + owner.first + start,
                            count: min(pass.chosenStep, owner.count - start), logits: logits))
                }
            }
            chunks.withUnsafeBufferPointer { chunks in
                nonisolated(unsafe) let (pass, chunks) = (pass, chunks)
                model.pool.run { team in pass.head(chunks, team) }
            }
        }
    }
}
