// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

struct KernelProductTests {
    /// Shapes with part groups, one block, odd block counts.
    static let shapes = [(n: 1, k: 256), (n: 15, k: 768), (n: 33, k: 256), (n: 48, k: 1536)]
    static let smallShapes = [(n: 16, k: 32), (n: 17, k: 64), (n: 40, k: 96), (n: 64, k: 576)]
    static let batches = [1, 2, 3, 4, 5, 6, 7, 8, 9, 19]

    private func activations(_ x: [Float], rows: Int, k: Int) -> KernelBuffer {
        let buffer = KernelBuffer(rows * ck_activation_row_bytes(k))
        ck_quantize_activations(x, k, rows, k, buffer.pointer)
        return buffer
    }

    private func product(_ matrix: KernelMatrix, _ input: KernelBuffer, rows m: Int) -> [Float] {
        var out = [Float](repeating: .nan, count: m * matrix.n)
        let half = matrix.n / 2 / 16 * 16
        for range in [(0, half), (half, matrix.n)] {
            ck_matmul_quantized(
                matrix.format.rawValue, matrix.packed.pointer, matrix.n, matrix.k, input.pointer, m, range.0, range.1,
                &out, matrix.n)
        }
        return out
    }

    private func shapes(_ format: KernelFormat) -> [(n: Int, k: Int)] {
        Self.shapes + (format.blockLength == 32 ? Self.smallShapes : [])
    }

    @Test(arguments: KernelFormat.quantized)
    func scalarProductIsTheFloatProductButForRoundedActivations(_ format: KernelFormat) throws {
        try KernelVariant.scalar.run {
            for shape in shapes(format) {
                let matrix = KernelMatrix(format, n: shape.n, k: shape.k, seed: 3)
                var random = KernelRandom(seed: 4)
                let x = random.floats(3 * shape.k, times: 5)
                let out = product(matrix, activations(x, rows: 3, k: shape.k), rows: 3)
                for (actual, expected) in zip(out, matrix.product(x, rows: 3)) {
                    #expect(abs(Double(actual) - expected.value) <= KernelFormat.activationTolerance * expected.scale)
                }
            }
        }
    }

    @Test(arguments: KernelVariant.fast, KernelFormat.quantized)
    func quantizedProductsAgreeWithScalar(_ variant: KernelVariant, _ format: KernelFormat) throws {
        for shape in shapes(format) {
            let matrix = KernelMatrix(format, n: shape.n, k: shape.k, seed: 5)
            var random = KernelRandom(seed: 6)
            let x = random.floats(19 * shape.k, times: 3)
            let (input, expected) = try KernelVariant.scalar.run {
                let input = activations(x, rows: 19, k: shape.k)
                return (input, product(matrix, input, rows: 19))
            }
            try variant.run {
                // A row's result is the same to the last bit in every batch: forced text comes in batches.
                let apart = (0..<19).flatMap { row in
                    product(matrix, activations(Array(x[row * shape.k..<(row + 1) * shape.k]), rows: 1, k: shape.k), rows: 1)
                }
                let together = product(matrix, activations(x, rows: 19, k: shape.k), rows: 19)
                #expect(together == apart, "19 rows of \(shape)")
                for m in Self.batches {
                    #expect(product(matrix, input, rows: m) == Array(product(matrix, input, rows: 19).prefix(m * shape.n)))
                    expectClose(
                        product(matrix, input, rows: m), Array(expected.prefix(m * shape.n)),
                        tolerance: KernelFormat.variantTolerance, scale: expected, "\(m) rows of \(shape)")
                }
                let rows = (0..<40).map { _ in Int32(random.next() % UInt64(shape.n)) }
                var chosen = [Float](repeating: .nan, count: rows.count)
                ck_matmul_quantized_rows(
                    format.rawValue, matrix.packed.pointer, shape.n, shape.k, input.pointer, rows, rows.count, &chosen)
                let single = product(matrix, input, rows: 1)
                #expect(chosen == rows.map { single[Int($0)] })
            }
        }
    }

    @Test(arguments: KernelVariant.fast)
    func extremeQuantsDoNotSaturate(_ variant: KernelVariant) throws {
        for format in KernelFormat.quantized {
            // All bits set: largest quants, scales and mins; d and m are then set to 1.
            let matrix = KernelMatrix(format, n: 16, k: 512, seed: 7, quants: 0xff)
            for sign: Float in [1, -1] {
                // A single row, and as many as go through panels.
                let input = activations([Float](repeating: 127 * sign, count: 16 * 512), rows: 16, k: 512)
                let expected = try KernelVariant.scalar.run { product(matrix, input, rows: 16) }
                try variant.run {
                    for m in [1, 16] {
                        expectClose(
                            product(matrix, input, rows: m), Array(expected.prefix(m * 16)), tolerance: 1e-6,
                            "\(format) \(sign), \(m) rows")
                    }
                }
            }
        }
    }

    @Test(arguments: KernelVariant.fast, [0, 32, 64, 96, 576, 1536])
    func activationsQuantizeAlike(_ variant: KernelVariant, _ k: Int) throws {
        var random = KernelRandom(seed: 8)
        var x = random.floats(5 * k, times: 100)
        for index in x.indices where index / max(k, 1) == 1 { x[index] = 0 }
        for index in x.indices where index / max(k, 1) == 2 { x[index] *= 1e-38 }
        if k > 0 { x[3 * k] = .infinity; x[3 * k + 1] = .nan }
        let size = 5 * ck_activation_row_bytes(k)
        let (scalar, fast) = (KernelBuffer(size), KernelBuffer(size))
        try KernelVariant.scalar.run { ck_quantize_activations(x, k, 5, k, scalar.pointer) }
        try variant.run { ck_quantize_activations(x, k, 5, k, fast.pointer) }
        #expect(Array(scalar.bytes) == Array(fast.bytes))
    }

    @Test(arguments: KernelVariant.allCases, KernelFormat.float)
    func floatProductsAreExactToRounding(_ variant: KernelVariant, _ format: KernelFormat) throws {
        try variant.run {
            for k in [1, 7, 8, 9, 31, 64, 100, 576] {
                let matrix = KernelMatrix(format, n: 23, k: k, seed: 9)
                var random = KernelRandom(seed: 10)
                let x = random.floats(7 * k)
                for m in 1...7 {
                    var out = [Float](repeating: .nan, count: m * 23)
                    for range in [(0, 5), (5, 23)] {
                        ck_matmul_float(format.rawValue, matrix.source, k, x, k, m, range.0, range.1, &out, 23)
                    }
                    expectClose(out, matrix.product(x, rows: m).map { Float($0.value) }, tolerance: 4e-6, "\(m) x \(k)")
                }
                var chosen: [Float] = [.nan, .nan, .nan]
                ck_matmul_float_rows(format.rawValue, matrix.source, k, x, [22, 0, 22], 3, &chosen)
                let all = matrix.product(x, rows: 1)
                expectClose(chosen, [22, 0, 22].map { Float(all[$0].value) }, tolerance: 4e-6)
            }
        }
    }

    @Test func emptyProductsTouchNothing() throws {
        let matrix = KernelMatrix(.q8_0, n: 16, k: 64, seed: 11)
        let input = activations([Float](repeating: 1, count: 64), rows: 1, k: 64)
        var out: [Float] = [5]
        ck_matmul_quantized(CK_Q8_0.format, matrix.packed.pointer, 16, 64, input.pointer, 0, 0, 16, &out, 16)
        ck_matmul_quantized(CK_Q8_0.format, matrix.packed.pointer, 16, 64, input.pointer, 1, 16, 16, &out, 16)
        ck_matmul_quantized_rows(CK_Q8_0.format, matrix.packed.pointer, 16, 64, input.pointer, [], 0, &out)
        #expect(out == [5])
    }
}

extension Int {
    fileprivate var format: ck_format { ck_format(self) }
}
