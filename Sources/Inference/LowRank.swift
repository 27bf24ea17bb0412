// SPDX-License-Identifier: Apache-2.0

import CKernels

/// What adapters add to a matrix: the product of a narrow and a long matrix of float32. Holds pointers only.
///
/// The products stay apart from the matrix, so that quantized weights lose nothing: `W x` as ever, and `B (A x)` beside it.
struct LowRank {
    /// The length of `A x`: the ranks of all adapters of the matrix.
    var rank: Int
    /// A: `rank` rows as long as the matrix' rows.
    var narrow: UnsafePointer<Float>
    /// B transposed and scaled: `rank` rows, one element for each row of the matrix, `stride` apart.
    var long: UnsafePointer<Float>
    var stride: Int

    /// The same for the rows of the matrix from `row` on.
    func dropping(_ row: Int) -> LowRank {
        var part = self
        part.long += row
        return part
    }

    /// Computes `A x`, or some of its elements, for `count` rows of `columns` floats; `out` has `rank` elements a row.
    @inline(__always)
    func narrow(
        _ input: ActivationRows, count: Int, columns: Int, elements: Range<Int>, to out: UnsafeMutablePointer<Float>
    ) {
        ck_matmul_float(
            ck_format(CK_F32), narrow, columns, input.floats, input.stride, count, elements.lowerBound,
            elements.upperBound, out, rank)
    }

    /// Adds `B (A x)` for `count` tokens and the matrix' rows `range` to `out[i * stride + j]`.
    ///
    /// An element's sum goes through the ranks in order, whatever is computed beside it.
    @inline(__always)
    func add(
        _ narrowed: UnsafePointer<Float>, count: Int, rows range: Range<Int>, out: UnsafeMutablePointer<Float>,
        stride outStride: Int
    ) {
        for token in 0..<count {
            let target = out + token * outStride + range.lowerBound
            for index in 0..<rank {
                ck_axpy(
                    narrowed[token * rank + index], long + index * stride + range.lowerBound, target, range.count)
            }
        }
    }

    /// Adds `B (A x)` of one token for one row of the matrix.
    @inline(__always)
    func add(_ narrowed: UnsafePointer<Float>, row: Int, to out: UnsafeMutablePointer<Float>) {
        for index in 0..<rank { ck_axpy(narrowed[index], long + index * stride + row, out, 1) }
    }
}
