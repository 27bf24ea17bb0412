// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

struct KernelAttentionTests {
    struct Shape: CustomTestStringConvertible {
        var headSize: Int
        var heads: Int
        var queries: Int
        var position: Int
        var window: Int
        var softcap: Float = 0
        var testDescription: String { "\(headSize) x \(heads), \(queries) at \(position), window \(window), cap \(softcap)" }
    }

    static let shapes: [Shape] = [
        Shape(headSize: 64, heads: 3, queries: 1, position: 0, window: 0),
        Shape(headSize: 64, heads: 3, queries: 1, position: 200, window: 0),
        Shape(headSize: 64, heads: 9, queries: 2, position: 63, window: 0),
        Shape(headSize: 64, heads: 3, queries: 130, position: 0, window: 0),
        Shape(headSize: 64, heads: 3, queries: 70, position: 31, window: 5),
        Shape(headSize: 256, heads: 4, queries: 37, position: 100, window: 70),
        Shape(headSize: 256, heads: 4, queries: 1, position: 100, window: 70),
        Shape(headSize: 8, heads: 1, queries: 16, position: 3, window: 1),
        Shape(headSize: 20, heads: 2, queries: 33, position: 1, window: 0),
        Shape(headSize: 100, heads: 5, queries: 1, position: 77, window: 0),
        Shape(headSize: 96, heads: 100, queries: 3, position: 64, window: 0),
        Shape(headSize: 64, heads: 3, queries: 70, position: 31, window: 5, softcap: 0.5),
        Shape(headSize: 100, heads: 5, queries: 1, position: 77, window: 0, softcap: 2),
    ]

    /// Largest difference from attention in float64, in units of the largest value.
    static let tolerance = 2e-5

    /// Attention as its definition says, in float64.
    private func reference(_ s: Shape, q: [Float], k: [Float], v: [Float], stride: Int, scale: Float) -> [Float] {
        var out: [Float] = []
        for i in 0..<s.queries {
            for h in 0..<s.heads {
                let last = s.position + i
                let keys = (s.window == 0 ? 0 : max(0, last - s.window + 1))...last
                let start = (i * s.heads + h) * s.headSize
                let scores = keys.map { j -> Double in
                    var sum = 0.0
                    for e in 0..<s.headSize { sum += Double(q[start + e]) * Double(k[j * stride + e]) }
                    let score = sum * Double(scale)
                    let cap = Double(s.softcap)
                    // tanh(x) = 1 - 2 / (1 + e^(2 x))
                    return cap > 0 ? cap * (1 - 2 / (1 + exponential(2 * score / cap))) : score
                }
                let top = scores.max() ?? 0
                let weights = scores.map { exponential($0 - top) }
                let total = weights.reduce(0, +)
                for e in 0..<s.headSize {
                    var sum = 0.0
                    for (j, weight) in zip(keys, weights) { sum += weight * Double(v[j * stride + e]) }
                    out.append(Float(sum / total))
                }
            }
        }
        return out
    }

    @Test(arguments: KernelVariant.allCases, shapes)
    func attendsAsDefined(_ variant: KernelVariant, _ shape: Shape) throws {
        try variant.run {
            var random = KernelRandom(seed: 12)
            let keys = shape.position + shape.queries
            let stride = shape.headSize * 2 + 3
            var q = random.floats(shape.queries * shape.heads * shape.headSize, times: 3)
            // Values that half precision holds exactly, so that both cache types have the same answer.
            let k = random.floats(keys * stride).map { halfValue(halfBits($0)) }
            let v = random.floats(keys * stride).map { halfValue(halfBits($0)) }
            let expected = reference(shape, q: q, k: k, v: v, stride: stride, scale: 0.2)
            let scratch = KernelBuffer(ck_attention_scratch_bytes(shape.headSize))
            var out = [Float](repeating: .nan, count: q.count)
            let vHalf = v.map(halfBits)
            for half in [false, true] {
                let panels = panels(shape, k, stride: stride, half: half)
                v.withUnsafeBytes { v in
                    vHalf.withUnsafeBytes { vHalf in
                        attend(shape, &q, &out, panels, half ? vHalf : v, stride, half, scratch)
                    }
                }
                expectClose(out, expected, tolerance: Self.tolerance, "half precision: \(half)")
            }
            // In place.
            let panels = panels(shape, k, stride: stride, half: false)
            v.withUnsafeBytes { v in attend(shape, &q, nil, panels, v, stride, false, scratch) }
            expectClose(q, expected, tolerance: Self.tolerance)
        }
    }

    /// A batch and its rows one by one take different code, which must round alike: text that is forced comes in
    /// batches, and must not change what follows.
    @Test(arguments: KernelVariant.allCases, shapes)
    func doesNotDependOnTheBatch(_ variant: KernelVariant, _ shape: Shape) throws {
        try variant.run {
            var random = KernelRandom(seed: 21)
            let keys = shape.position + shape.queries
            let stride = shape.headSize
            let row = shape.heads * shape.headSize
            var q = random.floats(shape.queries * row, times: 3)
            let k = random.floats(keys * stride)
            let v = random.floats(keys * stride)
            let vHalf = v.map(halfBits)
            let scratch = KernelBuffer(ck_attention_scratch_bytes(shape.headSize))
            for half in [false, true] {
                let panels = panels(shape, k, stride: stride, half: half)
                var together = [Float](repeating: .nan, count: q.count)
                var apart = together
                v.withUnsafeBytes { v in
                    vHalf.withUnsafeBytes { vHalf in
                        let values = half ? vHalf : v
                        attend(shape, &q, &together, panels, values, stride, half, scratch)
                        var single = shape
                        single.queries = 1
                        q.withUnsafeMutableBufferPointer { q in
                            apart.withUnsafeMutableBufferPointer { out in
                                guard let q = q.baseAddress, let out = out.baseAddress else { return }
                                for i in 0..<shape.queries {
                                    single.position = shape.position + i
                                    attend(
                                        single, q + i * row, out + i * row, panels, values, stride, half, scratch)
                                }
                            }
                        }
                    }
                }
                #expect(together == apart, "half precision: \(half)")
                #expect(!together.contains { $0.isNaN })
            }
        }
    }

    /// The keys as the cache holds them, with NaN where no key was written.
    private func panels(_ shape: Shape, _ k: [Float], stride: Int, half: Bool) -> KernelBuffer {
        let count = shape.position + shape.queries
        let block = Int(CK_CACHE_BLOCK)
        let panels = KernelBuffer((count + block - 1) / block * block * shape.headSize * (half ? 2 : 4), fill: 0xff)
        k.withUnsafeBufferPointer { k in
            guard let k = k.baseAddress else { return }
            for j in 0..<count { ck_store_key(k + j * stride, shape.headSize, j, half, panels.pointer) }
        }
        return panels
    }

    private func attend(
        _ shape: Shape, _ q: UnsafeMutablePointer<Float>, _ out: UnsafeMutablePointer<Float>?,
        _ k: KernelBuffer, _ v: UnsafeRawBufferPointer, _ stride: Int, _ half: Bool, _ scratch: KernelBuffer
    ) {
        guard let v = v.baseAddress else { return }
        let row = shape.heads * shape.headSize
        var attention = ck_attention(
            q: q, q_stride: row, out: out ?? q, out_stride: row, k: k.pointer, v: v, kv_stride: stride, kv_is_f16: half,
            head_size: shape.headSize, heads: shape.heads, queries: shape.queries, first_position: shape.position,
            window: shape.window, scale: 0.2, softcap: shape.softcap)
        ck_attend(&attention, scratch.pointer)
    }

    @Test(arguments: KernelVariant.allCases)
    func largeScoresDoNotOverflow(_ variant: KernelVariant) throws {
        try variant.run {
            for queries in [1, 40] {
                let shape = Shape(headSize: 16, heads: 1, queries: queries, position: 80, window: 0)
                var q = [Float](repeating: 300, count: queries * 16)
                let k = (0..<(80 + queries) * 16).map { Float($0 / 16 % 7) * 40 }
                let v = [Float](repeating: 2.5, count: k.count)
                let scratch = KernelBuffer(ck_attention_scratch_bytes(16))
                let panels = panels(shape, k, stride: 16, half: false)
                v.withUnsafeBytes { v in attend(shape, &q, nil, panels, v, 16, false, scratch) }
                expectClose(q, [Float](repeating: 2.5, count: q.count), tolerance: 1e-6)
            }
        }
    }
}
