// SPDX-License-Identifier: Apache-2.0

/// The rows of a batch that belong to one sequence: consecutive tokens from a position on.
struct Segment {
    var cache: KeyValueCache.View
    /// The position of its first token.
    var start: Int
    /// Its first row in the batch.
    var row: Int
    /// Its rows.
    var count: Int
    /// Divisors of the rotation frequencies, or nil.
    var divisors: UnsafePointer<Float>?
    /// Receives the normalised output of its last row.
    var hidden: ActivationRows
}

/// Queries of one sequence that attention takes together.
struct AttentionRun {
    var segment: Int
    /// The row of the first query.
    var row: Int
    /// The position of the first query.
    var position: Int
    var count: Int
}

/// Logits of one sequence that a thread computes at once.
struct ChosenRows {
    var input: ActivationRows
    var rows: UnsafePointer<Int32>
    var count: Int
    var logits: UnsafeMutablePointer<Float>
}

/// What a forward pass works on. Holds pointers only, into a ``RowBatchStorage``.
struct RowBatch {
    var tokens: UnsafeBufferPointer<Int32>
    /// The segment that each row belongs to.
    var segmentOfRow: UnsafeBufferPointer<Int32>
    var segments: UnsafeBufferPointer<Segment>
    /// Attention of all rows, and of each segment's last row only, which stands at the segment's number then.
    var runs: UnsafeBufferPointer<AttentionRun>
    var lastRuns: UnsafeBufferPointer<AttentionRun>

    @inline(__always)
    var count: Int { tokens.count }
}

/// The memory of a batch, used for one pass after another.
final class RowBatchStorage {
    private var tokens: [Int32] = []
    private var segmentOfRow: [Int32] = []
    private var segments: [Segment] = []
    private var runs: [AttentionRun] = []
    private var lastRuns: [AttentionRun] = []
    /// Queries in a run: enough to read keys and values seldom, few enough to share out.
    private static let runLength = 32

    var rowCount: Int { tokens.count }
    var segmentCount: Int { segments.count }

    func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        segmentOfRow.removeAll(keepingCapacity: true)
        segments.removeAll(keepingCapacity: true)
    }

    /// Adds the tokens of a sequence.
    func append(
        _ new: some Collection<Int32>, at start: Int, of cache: KeyValueCache, divisors: UnsafePointer<Float>?,
        hidden: ActivationRows
    ) {
        segmentOfRow.append(contentsOf: repeatElement(Int32(truncatingIfNeeded: segments.count), count: new.count))
        segments.append(
            Segment(
                cache: cache.view, start: start, row: tokens.count, count: new.count, divisors: divisors,
                hidden: hidden))
        tokens.append(contentsOf: new)
    }

    /// Calls `body` with the batch, whose pointers are valid until it returns.
    func withBatch<Result>(_ body: (RowBatch) -> Result) -> Result {
        runs.removeAll(keepingCapacity: true)
        lastRuns.removeAll(keepingCapacity: true)
        for (index, segment) in segments.enumerated() {
            // The last positions see the most keys: they come first, so that no thread ends alone with one of them.
            var first = (segment.count - 1) / Self.runLength * Self.runLength
            while first >= 0 {
                runs.append(
                    AttentionRun(
                        segment: index, row: segment.row + first, position: segment.start + first,
                        count: min(Self.runLength, segment.count - first)))
                first -= Self.runLength
            }
            lastRuns.append(
                AttentionRun(segment: index, row: index, position: segment.start + segment.count - 1, count: 1))
        }
        if segments.count > 1 {
            runs.sort { $0.position * $0.count > $1.position * $1.count }
            lastRuns.sort { $0.position > $1.position }
        }
        return tokens.withUnsafeBufferPointer { tokens in
            segmentOfRow.withUnsafeBufferPointer { segmentOfRow in
                segments.withUnsafeBufferPointer { segments in
                    runs.withUnsafeBufferPointer { runs in
                        lastRuns.withUnsafeBufferPointer { lastRuns in
                            body(
                                RowBatch(
                                    tokens: tokens, segmentOfRow: segmentOfRow, segments: segments, runs: runs,
                                    lastRuns: lastRuns))
                        }
                    }
                }
            }
        }
    }
}
