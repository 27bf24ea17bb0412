// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

/// A variant of the kernels.
enum KernelVariant: Int32, CaseIterable, CustomTestStringConvertible {
    case scalar, avx2, avxVNNI, avx512, neon

    var testDescription: String { String(cString: ck_isa_name(rawValue)) }

    /// The variants that are compared with the scalar one.
    static var fast: [KernelVariant] { allCases.filter { $0 != .scalar } }

    /// Runs `body` with this variant on the current thread; ends the test as cancelled where the processor lacks it.
    func run<R>(_ body: () throws -> R) throws -> R {
        guard ck_force_isa_on_thread(rawValue) else {
            try Test.cancel("the processor or this build has no \(testDescription)")
        }
        defer { _ = ck_force_isa_on_thread(-1) }
        return try body()
    }
}

/// A weight format with what the tests need to know of it.
enum KernelFormat: Int32, CaseIterable, CustomTestStringConvertible {
    case f32 = 0, f16 = 1, q4_0 = 2, q4_1 = 3, q5_0 = 6, q5_1 = 7, q8_0 = 8, q2_K = 10, q3_K = 11, q4_K = 12, q5_K = 13
    case q6_K = 14, iq4_NL = 20, iq4_XS = 23, bf16 = 30

    var testDescription: String { "\(self)" }
    static var quantized: [KernelFormat] { allCases.filter { ck_format_is_quantized($0.rawValue) } }
    static var float: [KernelFormat] { allCases.filter { !ck_format_is_quantized($0.rawValue) } }

    var blockLength: Int { ck_block_length(rawValue) }
    var blockBytes: Int { ck_block_bytes(rawValue) }

    /// Largest error of a quantized product against the float product, in units of |w| * rms(x) of its row: the rounding of
    /// the activations to int8 leaves 0.4 % (one standard deviation) for evenly spread activations, whatever the weights.
    static let activationTolerance = 0.025
    /// Largest difference between two variants, in units of the largest result: the order of float additions.
    static let variantTolerance = 4e-6

    /// Byte offsets in a block of the half-precision scales.
    fileprivate var scaleOffsets: [Int] {
        switch self {
        case .q4_0, .q5_0, .q8_0, .iq4_NL, .iq4_XS: [0]
        case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
        case .q6_K: [208]
        case .q2_K: [80, 82]
        case .q3_K: [108]
        case .f32, .f16, .bf16: []
        }
    }

    /// Rows of random blocks with moderate scales.
    func randomRows(_ rows: Int, columns: Int, _ random: inout KernelRandom) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<rows * columns / blockLength {
            switch self {
            case .f32: withUnsafeBytes(of: random.float().bitPattern) { bytes.append(contentsOf: $0) }
            case .f16: withUnsafeBytes(of: halfBits(random.float())) { bytes.append(contentsOf: $0) }
            case .bf16:
                withUnsafeBytes(of: UInt16(random.float().bitPattern >> 16)) { bytes.append(contentsOf: $0) }
            default:
                var block = (0..<blockBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                for offset in scaleOffsets {
                    let bits = halfBits(random.float() / 16)
                    block[offset] = UInt8(bits & 255)
                    block[offset + 1] = UInt8(bits >> 8)
                }
                bytes += block
            }
        }
        return bytes
    }
}

extension KernelFormat {
    /// Rows of blocks of one byte value, their half-precision scales 1.
    fileprivate func uniformRows(_ rows: Int, columns: Int, _ byte: UInt8) -> [UInt8] {
        var block = [UInt8](repeating: byte, count: blockBytes)
        for offset in scaleOffsets { block.replaceSubrange(offset..<offset + 2, with: [0x00, 0x3c]) }
        return (0..<rows * columns / blockLength).flatMap { _ in block }
    }
}

/// The same numbers on every run.
struct KernelRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D >> 16
    }

    /// In -1 ... 1.
    mutating func float() -> Float { Float(next() % 20_001) / 10_000 - 1 }

    mutating func floats(_ count: Int, times factor: Float = 1) -> [Float] {
        (0..<count).map { _ in float() * factor }
    }
}

/// Half precision bits of a number in the normal range, by plain arithmetic.
func halfBits(_ value: Float) -> UInt16 {
    if value == 0 { return 0 }
    let scaled = (value.significand * 1024).rounded(.toNearestOrEven)
    let bits = Int(value.exponent) + 15
    if bits <= 0 { return value < 0 ? 0x8000 : 0 }
    let magnitude = UInt16(bits << 10) + UInt16(scaled - 1024)
    return value < 0 ? magnitude | 0x8000 : magnitude
}

/// Value of half precision bits, by plain arithmetic.
func halfValue(_ bits: UInt16) -> Float {
    let fraction = Float(bits & 0x3ff) / 1024
    let exponent = Int(bits >> 10 & 31)
    let magnitude: Float =
        switch exponent {
        case 0: fraction * 0x1p-14
        case 31: fraction == 0 ? .infinity : .nan
        default: Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction)
        }
    return bits & 0x8000 == 0 ? magnitude : -magnitude
}

/// Memory aligned to 64 bytes, filled with a pattern that would show in a result.
final class KernelBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int, fill: UInt8 = 0xAA) {
        bytes = .allocate(byteCount: max(count, 1), alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: fill)
    }

    deinit { bytes.deallocate() }

    var pointer: UnsafeMutableRawPointer {
        guard let base = bytes.baseAddress else { preconditionFailure("an allocation has an address") }
        return base
    }
}

/// A random matrix in its file layout, expanded, and packed if its format is.
struct KernelMatrix {
    let format: KernelFormat
    let n: Int
    let k: Int
    let source: [UInt8]
    let packed: KernelBuffer
    private(set) var values: [Float]

    /// With `quants`, every byte is that one and the half-precision scales are 1.
    init(_ format: KernelFormat, n: Int, k: Int, seed: UInt64, quants: UInt8? = nil) {
        var random = KernelRandom(seed: seed)
        self.format = format
        self.n = n
        self.k = k
        source = quants.map { format.uniformRows(n, columns: k, $0) } ?? format.randomRows(n, columns: k, &random)
        values = [Float](repeating: .nan, count: n * k)
        packed = KernelBuffer(ck_packed_bytes(format.rawValue, n, k))
        let rowBytes = ck_row_bytes(format.rawValue, k)
        for row in 0..<n {
            values.withUnsafeMutableBufferPointer { values in
                source.withUnsafeBytes { bytes in
                    guard let from = bytes.baseAddress, let to = values.baseAddress else { return }
                    ck_dequantize_row(format.rawValue, from + row * rowBytes, to + row * k, k)
                }
            }
        }
        guard ck_format_is_quantized(format.rawValue) else { return }
        source.withUnsafeBytes { bytes in
            guard let from = bytes.baseAddress else { return }
            let half = n / 2 / 16 * 16  // in two calls, as two threads would
            if half > 0 { ck_pack_rows(format.rawValue, from, n, k, 0, half, packed.pointer) }
            ck_pack_rows(format.rawValue, from + half * rowBytes, n, k, half, n - half, packed.pointer)
        }
    }

    /// m rows of x times the matrix in float64, with the scale of each result: |w| * rms(x).
    func product(_ x: [Float], rows m: Int) -> [(value: Double, scale: Double)] {
        (0..<m).flatMap { i in
            (0..<n).map { j in
                var sum = 0.0
                var weights = 0.0
                var inputs = 0.0
                for c in 0..<k {
                    let (w, a) = (Double(values[j * k + c]), Double(x[i * k + c]))
                    sum += w * a
                    weights += w * w
                    inputs += a * a
                }
                return (sum, (weights * inputs / Double(max(k, 1))).squareRoot())
            }
        }
    }
}

/// Expects each element within `tolerance` times the largest magnitude of `scale` (by default, of what is expected).
func expectClose(
    _ actual: [Float], _ expected: [Float], tolerance: Double, scale: [Float]? = nil, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual.count == expected.count, comment, sourceLocation: sourceLocation)
    let largest = (scale ?? expected).reduce(0.0) { max($0, Double(abs($1))) }
    var worst = 0.0
    for (a, e) in zip(actual, expected) {
        let difference = Double(abs(a - e))
        worst = difference.isNaN ? .infinity : max(worst, difference)
    }
    #expect(worst <= tolerance * max(largest, 1e-6), comment, sourceLocation: sourceLocation)
}
