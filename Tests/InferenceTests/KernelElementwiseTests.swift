// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
import Testing

/// e^x in float64, for the tests that do not need Foundation otherwise.
func exponential(_ x: Double) -> Double { exp(x) }

struct KernelElementwiseTests {
    static let lengths = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 576, 1001]
    /// Largest error against float64, in units of the largest result.
    static let tolerance = 4e-6

    private func check(
        _ variant: KernelVariant, _ expected: (Int, [Float], [Float]) -> [Double],
        _ run: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try variant.run {
            for n in Self.lengths {
                var random = KernelRandom(seed: UInt64(n) + 13)
                // One element in front of each, so that no address is a multiple of the vector.
                let (a, b) = (random.floats(n + 1, times: 9), random.floats(n + 1))
                var out = [Float](repeating: .nan, count: n + 3)
                a.withUnsafeBufferPointer { a in
                    b.withUnsafeBufferPointer { b in
                        out.withUnsafeMutableBufferPointer { out in
                            guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else { return }
                            run(a + 1, b + 1, out + 1, n)
                        }
                    }
                }
                let want = expected(n, Array(a.dropFirst()), Array(b.dropFirst())).map { Float($0) }
                expectClose(
                    Array(out[1..<1 + want.count]), want, tolerance: Self.tolerance, "\(n) elements",
                    sourceLocation: sourceLocation)
                #expect(out[want.count + 1].isNaN, "wrote past the end", sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: KernelVariant.allCases)
    func normalizes(_ variant: KernelVariant) throws {
        for weighted in [false, true] {
            try check(
                variant,
                { n, a, b in
                    let squares = a.prefix(n).map { Double($0) * Double($0) }
                    let root: Double = (squares.reduce(0, +) / Double(max(n, 1)) + 1e-5).squareRoot()
                    return (0..<n).map { index -> Double in
                        let weight: Double = weighted ? Double(b[index]) : 1
                        return Double(a[index]) / root * weight
                    }
                }, { a, b, out, n in ck_rms_norm(a, weighted ? b : nil, 1e-5, out, n) })
        }
    }

    @Test(arguments: KernelVariant.allCases)
    func multipliesBySiLU(_ variant: KernelVariant) throws {
        try check(
            variant,
            { n, a, b in
                (0..<n).map { index -> Double in
                    let t = Double(a[index])
                    return t / (1 + exp(-t)) * Double(b[index])
                }
            }, ck_silu_multiply)
    }

    @Test(arguments: KernelVariant.allCases)
    func multipliesByGELU(_ variant: KernelVariant) throws {
        try check(
            variant,
            { n, a, b in
                (0..<n).map { index -> Double in
                    let t = Double(a[index])
                    let inner: Double = (2 / Double.pi).squareRoot() * (t + 0.044715 * t * t * t)
                    return t / 2 * (1 + tanh(inner)) * Double(b[index])
                }
            }, ck_gelu_multiply)
    }

    @Test(arguments: KernelVariant.allCases)
    func addsScalesAndAccumulates(_ variant: KernelVariant) throws {
        try check(variant, { n, a, b in (0..<n).map { Double(a[$0] + b[$0]) } }, ck_add)
        try check(
            variant, { n, a, _ in (0..<n).map { Double(a[$0] * 0.7) } },
            { a, _, out, n in
                out.update(from: a, count: n)
                ck_scale(out, 0.7, n)
            })
        try check(
            variant, { n, a, b in (0..<n).map { Double(a[$0]) + 0.7 * Double(b[$0]) } },
            { a, b, out, n in
                out.update(from: a, count: n)
                ck_axpy(0.7, b, out, n)
            })
        try check(
            variant, { n, a, _ in [a.prefix(n).map { Double($0) * Double($0) }.reduce(0, +)] },
            { a, _, out, n in out[0] = ck_dot(a, a, n) })
    }

    @Test(arguments: KernelVariant.allCases)
    func softmaxSumsToOne(_ variant: KernelVariant) throws {
        try check(
            variant,
            { n, a, _ in
                let top = Double(a.max() ?? 0)
                let weights = (0..<n).map { index -> Double in exp(Double(a[index]) - top) }
                let total = weights.reduce(0, +)
                return weights.map { $0 / total }
            },
            { a, _, out, n in
                out.update(from: a, count: n)
                ck_softmax(out, n)
            })
        try variant.run {
            var extreme: [Float] = [-.infinity, 1000, -1e30, 1000, 0, -.infinity, -3, 1, 0, 2]
            ck_softmax(&extreme, extreme.count)
            #expect(extreme == [0, 0.5, 0, 0.5, 0, 0, 0, 0, 0, 0])
        }
    }

    @Test(arguments: KernelVariant.allCases)
    func rotates(_ variant: KernelVariant) throws {
        for (heads, size, rotated) in [(3, 64, 64), (2, 100, 100), (1, 256, 256), (4, 96, 48), (2, 20, 14), (1, 2, 2)] {
            var table = [Float](repeating: 0, count: rotated)
            ck_rope_table(17, rotated, 10_000, 0.5, nil, 1.25, &table)
            var random = KernelRandom(seed: 14)
            let x = random.floats(heads * size)
            var (adjacent, halves) = (x.map(Double.init), x.map(Double.init))
            for h in 0..<heads {
                for i in 0..<rotated / 2 {
                    let angle = 17 * 0.5 * pow(10_000, -2 * Double(i) / Double(rotated))
                    let (c, s) = (1.25 * cos(angle), 1.25 * sin(angle))
                    func turn(_ values: inout [Double], _ first: Int, _ second: Int) {
                        let (a, b) = (values[first], values[second])
                        values[first] = a * c - b * s
                        values[second] = a * s + b * c
                    }
                    turn(&adjacent, h * size + 2 * i, h * size + 2 * i + 1)
                    turn(&halves, h * size + i, h * size + i + rotated / 2)
                }
            }
            try variant.run {
                var actual = x
                ck_rope_adjacent(&actual, table, heads, size, rotated)
                expectClose(actual, adjacent.map { Float($0) }, tolerance: Self.tolerance, "adjacent \(size)")
                actual = x
                ck_rope_halves(&actual, table, heads, size, rotated)
                expectClose(actual, halves.map { Float($0) }, tolerance: Self.tolerance, "halves \(size)")
            }
        }
    }

    @Test func ropeDivisorsDivideTheAngle() {
        var (plain, divided) = ([Float](repeating: 0, count: 8), [Float](repeating: 0, count: 8))
        ck_rope_table(3, 8, 500, 1, nil, 1, &plain)
        ck_rope_table(12, 8, 500, 1, [4, 4, 4, 4], 1, &divided)
        #expect(plain == divided)
    }

    @Test(arguments: KernelVariant.allCases)
    func findsTheFirstLargest(_ variant: KernelVariant) throws {
        try variant.run {
            for n in Self.lengths where n > 0 {
                var random = KernelRandom(seed: 15)
                var x = random.floats(n)
                for place in [0, n / 3, n - 1] {
                    var y = x
                    y[place] = 2
                    #expect(ck_argmax(y, n) == place)
                    y[n - 1] = 2
                    #expect(ck_argmax(y, n) == place)
                }
                x[n / 2] = .nan
                if n > 1 { #expect(!x[ck_argmax(x, n)].isNaN) }
                #expect(ck_argmax([Float](repeating: -.infinity, count: n), n) == 0)
            }
            #expect(ck_argmax([.nan, .nan], 2) == 0)
            #expect(ck_argmax([], 0) == 0)
        }
    }

    @Test func namesVariants() {
        #expect(String(cString: ck_isa_name(99)) == "unknown")
        #expect(ck_isa_is_available(Int32(CK_ISA_SCALAR)))
        #expect(!ck_isa_is_available(99))
        #expect(!ck_force_isa_on_thread(99))
        #expect(ck_isa_is_available(ck_active_isa()))
    }
}
