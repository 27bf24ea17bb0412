// SPDX-License-Identifier: Apache-2.0

import CKernels

/// The buffers of a forward pass: one set shared by the threads, and one per thread.
///
/// A single token's residual stream is kept by every thread in its own buffers: computing 576 sums twice costs less than
/// handing them over.
final class Workspace {
    /// The number of rows the shared buffers hold.
    let rows: Int
    /// The number of sequences that may come together: the rows that are kept after the last layer.
    let keptRows: Int
    /// Logits that a thread computes at once for each of several sequences.
    static let stagedColumns = WeightMatrix.panelRows

    let x: UnsafeMutablePointer<Float>
    let query: UnsafeMutablePointer<Float>
    let key: UnsafeMutablePointer<Float>
    let value: UnsafeMutablePointer<Float>
    /// The result of the attention's output matrix or of the down matrix.
    let product: UnsafeMutablePointer<Float>
    let gate: UnsafeMutablePointer<Float>
    let up: UnsafeMutablePointer<Float>
    /// What adapters' first matrices make of the rows, for three products at once.
    let narrowed: [UnsafeMutablePointer<Float>]
    /// Cosines and sines of the positions, for layers without and with a window.
    let rope: UnsafeMutablePointer<Float>
    let windowRope: UnsafeMutablePointer<Float>
    /// Normalised rows, and whatever is quantized.
    let activations: ActivationRows
    /// The last rows of several sequences.
    let keptX: UnsafeMutablePointer<Float>
    let keptActivations: ActivationRows
    /// The final normalised rows for the output head.
    let threads: [ThreadBuffers]

    /// The buffers of one thread.
    struct ThreadBuffers {
        var x: UnsafeMutablePointer<Float>
        var row: UnsafeMutablePointer<Float>
        var activations: ActivationRows
        var panel: UnsafeMutablePointer<Float>
        var attention: UnsafeMutableRawPointer
        /// ``stagedColumns`` logits of each sequence; empty where there is one only.
        var staged: UnsafeMutablePointer<Float>
        /// What an adapter's first matrix makes of a row.
        var narrowed: UnsafeMutablePointer<Float>
    }

    private let memory: Memory

    init(_ model: Model, rows: Int, sequences: Int = 1) throws(InferenceError) {
        let kept = sequences > 1 ? sequences : 0
        let configuration = model.configuration
        let width = configuration.embeddingLength
        let longest = max(model.weights.longestRow, width)
        // Quantized rows are whole blocks; rows that no product quantizes may have any length.
        // Room for the longest rows; the normalised rows, which are `width` long, follow each other closer.
        let quantizedBytes = ck_activation_row_bytes((longest + 31) / 32 * 32)
        let quantizedStride = ck_activation_row_bytes((width + 31) / 32 * 32)
        let panelRows = model.weights.usesFloats ? WeightMatrix.panelRows : 0
        let rank = model.weights.highestRank
        let attention = ck_attention_scratch_bytes(configuration.headLength)

        func lay(_ base: UnsafeMutableRawPointer) -> (Layout, Int) {
            var offset = 0
            func raw(_ bytes: Int) -> UnsafeMutableRawPointer {
                defer { offset += (bytes + 63) / 64 * 64 }
                return base + offset
            }
            func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
                raw(count * 4).assumingMemoryBound(to: Float.self)
            }
            func activations(_ rows: Int) -> ActivationRows {
                ActivationRows(
                    floats: floats(rows * width), stride: width, quantized: raw(rows * quantizedBytes),
                    quantizedStride: quantizedStride)
            }
            let layout = Layout(
                x: floats(rows * width), query: floats(rows * configuration.queryLength),
                key: floats(rows * configuration.keyLength), value: floats(rows * configuration.keyLength),
                product: floats(rows * width), gate: floats(rows * configuration.feedForwardLength),
                up: floats(rows * configuration.feedForwardLength),
                rope: floats(rows * configuration.ropeDimension),
                windowRope: floats(configuration.window == nil ? 0 : rows * configuration.ropeDimension),
                narrowed: (0..<3).map { _ in floats(max(rows, kept) * rank) },
                activations: activations(rows), keptX: floats(kept * width), keptActivations: activations(kept),
                threads: (0..<model.pool.count).map { _ in
                    ThreadBuffers(
                        x: floats(width), row: floats(longest), activations: activations(1),
                        panel: floats(panelRows * longest), attention: raw(attention),
                        staged: floats(kept * Self.stagedColumns), narrowed: floats(rank))
                })
            return (layout, offset)
        }
        struct Layout {
            var x, query, key, value, product, gate, up, rope, windowRope: UnsafeMutablePointer<Float>
            var narrowed: [UnsafeMutablePointer<Float>]
            var activations: ActivationRows
            var keptX: UnsafeMutablePointer<Float>
            var keptActivations: ActivationRows
            var threads: [ThreadBuffers]
        }
        // Sizes were limited when the model was read: no product here comes near an overflow. The first pass only adds
        // up sizes; its pointers are never read.
        let probe = try Memory(byteCount: 1, for: "the forward pass")
        memory = try Memory(byteCount: lay(probe.base).1, for: "the forward pass")
        let layout = lay(memory.base).0
        self.rows = rows
        keptRows = sequences
        x = layout.x
        query = layout.query
        key = layout.key
        value = layout.value
        product = layout.product
        gate = layout.gate
        up = layout.up
        narrowed = layout.narrowed
        rope = layout.rope
        windowRope = layout.windowRope
        activations = layout.activations
        keptX = layout.keptX
        keptActivations = layout.keptActivations
        threads = layout.threads
    }
}
