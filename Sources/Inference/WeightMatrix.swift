// SPDX-License-Identifier: Apache-2.0

import CKernels
import COpenBLAS
import ModelFiles

/// A matrix of weights in the layout its products read. Holds pointers only; the model owns the memory.
struct WeightMatrix {
    enum Layout: UInt8 {
        /// The kernels' packed layout; activations are quantized.
        case packed
        /// F32, F16 or BF16 in the file's layout; activations are float32.
        case float
        /// A quantized format in the file's layout, expanded to float32 a panel at a time: the reference path.
        case expanded
    }

    var format: ck_format
    var layout: Layout
    /// Outputs.
    var rows: Int
    /// Inputs.
    var columns: Int
    var rowBytes: Int
    var weights: UnsafeRawPointer
    /// What adapters add to it. ``multiply(_:count:rows:out:stride:panel:)`` leaves it out.
    var lowRank: LowRank?

    /// Rows that are expanded to float32 at once.
    static let panelRows = 128
    /// From so many activation rows on, OpenBLAS is faster than the dot product kernels.
    static let blasRows = 16

    /// From so many expanded rows on, OpenBLAS is faster.
    private static let expandedBlasRows = 4

    /// The most activation rows whose products are the same to the last bit as those of single rows.
    var exactBatchRows: Int {
        switch layout {
        case .packed: .max
        case .float: Self.blasRows - 1
        case .expanded: Self.expandedBlasRows - 1
        }
    }

    /// Multiplies `count` activation rows by the rows `range`: `out[i * stride + j]` for `j` in `range`.
    ///
    /// - Parameter panel: Room for ``panelRows`` rows of float32, this thread's own.
    @inline(__always)
    func multiply(
        _ input: ActivationRows, count: Int, rows range: Range<Int>, out: UnsafeMutablePointer<Float>, stride: Int,
        panel: UnsafeMutablePointer<Float>
    ) {
        switch layout {
        case .packed:
            ck_matmul_quantized(
                format, weights, rows, columns, input.quantized, count, range.lowerBound, range.upperBound, out, stride)
        case .float where count < Self.blasRows:
            ck_matmul_float(
                format, weights, columns, input.floats, input.stride, count, range.lowerBound, range.upperBound, out,
                stride)
        case .float, .expanded:
            multiplyPanels(input, count: count, rows: range, out: out, stride: stride, panel: panel)
        }
    }

    private func multiplyPanels(
        _ input: ActivationRows, count: Int, rows range: Range<Int>, out: UnsafeMutablePointer<Float>, stride: Int,
        panel: UnsafeMutablePointer<Float>
    ) {
        var row = range.lowerBound
        while row < range.upperBound {
            let height = min(Self.panelRows, range.upperBound - row)
            let values: UnsafePointer<Float>
            let source = weights + row * rowBytes
            let address = UInt(bitPattern: source)
            if format == ck_format(CK_F32), address % 4 == 0 {
                values = source.assumingMemoryBound(to: Float.self)
            } else if format == ck_format(CK_F16), address % 2 == 0 {
                ck_f16_to_f32(source.assumingMemoryBound(to: UInt16.self), panel, height * columns)
                values = UnsafePointer(panel)
            } else {
                for offset in 0..<height {
                    ck_dequantize_row(format, source + offset * rowBytes, panel + offset * columns, columns)
                }
                values = UnsafePointer(panel)
            }
            if count < Self.expandedBlasRows {
                ck_matmul_float(
                    ck_format(CK_F32), values, columns, input.floats, input.stride, count, 0, height, out + row, stride)
            } else {
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasTrans, Int32(count), Int32(height), Int32(columns), 1,
                    input.floats, Int32(input.stride), values, Int32(columns), 0, out + row, Int32(stride))
            }
            row += height
        }
    }

    /// Expands one row to float32.
    func expandRow(_ row: Int, to destination: UnsafeMutablePointer<Float>) {
        switch layout {
        case .packed: ck_dequantize_packed_row(format, weights, columns, row, destination)
        case .float, .expanded: ck_dequantize_row(format, weights + row * rowBytes, destination, columns)
        }
    }
}

/// The same activation rows as float32 and quantized; only what the products at hand read is filled in.
struct ActivationRows {
    var floats: UnsafeMutablePointer<Float>
    var stride: Int
    var quantized: UnsafeMutableRawPointer
    var quantizedStride: Int

    /// The rows from `row` on.
    @inline(__always)
    func dropping(_ row: Int) -> ActivationRows {
        ActivationRows(
            floats: floats + row * stride, stride: stride, quantized: quantized + row * quantizedStride,
            quantizedStride: quantizedStride)
    }
}
