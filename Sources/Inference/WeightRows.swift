// SPDX-License-Identifier: Apache-2.0

import CKernels
package import ModelFiles

/// Reads weights as float32, for checks and tools.
package enum WeightRows {
    /// One row of a tensor, expanded exactly; nil if there is no such row.
    package static func expanded(_ file: GGUFFile, _ tensor: TensorInfo, row: Int) -> [Float]? {
        guard row >= 0, row < tensor.rowCount, let base = file.bytes(of: tensor).baseAddress else { return nil }
        return [Float](unsafeUninitializedCapacity: tensor.rowLength) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            ck_dequantize_row(
                ck_format(tensor.format.rawValue), base + row * tensor.rowBytes, target, tensor.rowLength)
            count = tensor.rowLength
        }
    }
}
