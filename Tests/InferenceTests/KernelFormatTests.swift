// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
import ModelFiles
import TestSupport
import Testing

struct KernelFormatTests {
    private static let iq4Values: [Float] = [
        -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
    ]

    /// Element `index` of a block, straight from the description of the format.
    private func element(_ format: KernelFormat, _ block: ArraySlice<UInt8>, _ index: Int) -> Float {
        let b = Array(block)
        func half(_ offset: Int) -> Float { halfValue(UInt16(b[offset]) | UInt16(b[offset + 1]) << 8) }
        func nibble(_ start: Int) -> Int { Int(index < 16 ? b[start + index] & 15 : b[start + index - 16] >> 4) }
        func bit(_ start: Int, _ position: Int) -> Int { Int(b[start + position / 8] >> (position % 8) & 1) }
        func kScales() -> (scale: Float, min: Float) {
            let group = index / 32
            if group < 4 { return (Float(b[4 + group] & 63), Float(b[8 + group] & 63)) }
            let low = b[8 + group]
            return (Float((low & 15) | (b[group] >> 6) << 4), Float((low >> 4) | (b[4 + group] >> 6) << 4))
        }
        switch format {
        case .f32: return Float(bitPattern: UInt32(b[0]) | UInt32(b[1]) << 8 | UInt32(b[2]) << 16 | UInt32(b[3]) << 24)
        case .f16: return half(0)
        case .bf16: return Float(bitPattern: UInt32(b[0]) << 16 | UInt32(b[1]) << 24)
        case .q4_0: return half(0) * Float(nibble(2) - 8)
        case .q4_1: return half(0) * Float(nibble(4)) + half(2)
        case .q5_0: return half(0) * Float(nibble(6) + 16 * bit(2, index) - 16)
        case .q5_1: return half(0) * Float(nibble(8) + 16 * bit(4, index)) + half(2)
        case .q8_0: return half(0) * Float(Int8(bitPattern: b[2 + index]))
        case .q4_K, .q5_K:
            let (scale, min) = kScales()
            let start = (format == .q4_K ? 16 : 48) + index / 64 * 32 + index % 32
            var q = Int(index / 32 % 2 == 0 ? b[start] & 15 : b[start] >> 4)
            if format == .q5_K { q += 16 * Int(b[16 + index % 32] >> (index / 32) & 1) }
            return half(0) * scale * Float(q) - half(2) * min
        case .q6_K:
            let (part, quarter, l) = (index / 128, index % 128 / 32, index % 32)
            let byte = b[part * 64 + quarter % 2 * 32 + l]
            let low = Int(quarter < 2 ? byte & 15 : byte >> 4)
            let high = Int(b[128 + part * 32 + l] >> (2 * quarter) & 3)
            return half(208) * Float(Int8(bitPattern: b[192 + index / 16])) * Float(low + 16 * high - 32)
        case .q2_K:
            let q = Int(b[16 + index / 128 * 32 + index % 32] >> (index % 128 / 32 * 2) & 3)
            let scale = b[index / 16]
            return half(80) * Float(scale & 15) * Float(q) - half(82) * Float(scale >> 4)
        case .q3_K:
            let low = Int(b[32 + index / 128 * 32 + index % 32] >> (index % 128 / 32 * 2) & 3)
            let high = Int(b[index % 32] >> (index / 32) & 1)
            let part = index / 16
            // 12 bytes: 4 low bits of parts 0-7 and 8-15 share 8 bytes; the top 2 bits of parts 0, 4, 8, 12 share a byte.
            let lowBits = part < 8 ? b[96 + part] & 15 : b[88 + part] >> 4
            let scale = Int(lowBits) + 16 * Int(b[104 + part % 4] >> (part / 4 * 2) & 3) - 32
            return half(108) * Float(scale) * Float(low + 4 * high - 4)
        case .iq4_NL: return half(0) * Self.iq4Values[nibble(2)]
        case .iq4_XS:
            let (part, l) = (index / 32, index % 32)
            let byte = b[8 + part * 16 + l % 16]
            let low = part % 2 == 0 ? b[4 + part / 2] & 15 : b[4 + part / 2] >> 4
            let high = (Int(b[2]) | Int(b[3]) << 8) >> (2 * part) & 3
            return half(0) * Float(Int(low) + 16 * high - 32) * Self.iq4Values[Int(l < 16 ? byte & 15 : byte >> 4)]
        }
    }

    @Test(arguments: KernelFormat.allCases)
    func expandsBlocksAsTheFormatSays(_ format: KernelFormat) {
        let matrix = KernelMatrix(format, n: 3, k: 512, seed: 1)
        let blocksPerRow = 512 / format.blockLength
        for block in 0..<3 * blocksPerRow {
            let bytes = matrix.source[block * format.blockBytes..<(block + 1) * format.blockBytes]
            for index in 0..<format.blockLength {
                #expect(matrix.values[block * format.blockLength + index] == element(format, bytes, index))
            }
        }
    }

    @Test(arguments: KernelFormat.quantized, [(1, 256), (15, 512), (16, 256), (17, 768), (50, 256)])
    func packingKeepsEveryValue(_ format: KernelFormat, _ shape: (n: Int, k: Int)) {
        let matrix = KernelMatrix(format, n: shape.n, k: shape.k, seed: 2)
        var row = [Float](repeating: .nan, count: shape.k)
        for index in 0..<shape.n {
            ck_dequantize_packed_row(format.rawValue, matrix.packed.pointer, shape.k, index, &row)
            #expect(row == Array(matrix.values[index * shape.k..<(index + 1) * shape.k]))
        }
    }

    @Test(arguments: KernelFormat.quantized)
    func packedSizeStaysNearTheFileSize(_ format: KernelFormat) {
        let file = ck_row_bytes(format.rawValue, 2048) * 640
        let packed = ck_packed_bytes(format.rawValue, 640, 2048)
        #expect(packed >= file)
        #expect(Double(packed) <= (format == .q3_K ? 1.04 : 1.03) * Double(file))
        #expect(ck_packed_offset(format.rawValue, 640, 2048) == packed)
        #expect(ck_packed_offset(format.rawValue, 16, 2048) % 64 == 0)
    }

    @Test func refusesUnknownFormatsAndPartialBlocks() {
        #expect(!ck_format_is_supported(99))
        #expect(!ck_format_is_supported(-1))
        #expect(!ck_format_is_supported(15))
        #expect(ck_block_length(99) == 0)
        #expect(ck_row_bytes(99, 256) == 0)
        #expect(ck_row_bytes(KernelFormat.q4_0.rawValue, 33) == 0)
        #expect(ck_row_bytes(KernelFormat.q6_K.rawValue, 128) == 0)
        #expect(ck_packed_bytes(KernelFormat.f32.rawValue, 16, 32) == 0)
        #expect(ck_packed_bytes(KernelFormat.q4_K.rawValue, 16, 32) == 0)
        #expect(ck_packed_bytes(KernelFormat.q8_0.rawValue, Int.max, 1 << 40) == 0)
    }

    @Test(arguments: KernelVariant.allCases)
    func convertsEveryHalfPrecisionNumber(_ variant: KernelVariant) throws {
        try variant.run {
            let bits = (0...UInt16.max).map { $0 }
            var values = [Float](repeating: 0, count: bits.count)
            ck_f16_to_f32(bits, &values, bits.count)
            for index in bits.indices {
                let expected = halfValue(bits[index])
                #expect(values[index] == expected || (values[index].isNaN && expected.isNaN))
            }
            var back = [UInt16](repeating: 0, count: bits.count)
            ck_f32_to_f16(values, &back, values.count)
            for index in bits.indices where !values[index].isNaN { #expect(back[index] == bits[index]) }
        }
    }

    @Test(arguments: KernelVariant.allCases)
    func roundsToHalfPrecisionToNearestEven(_ variant: KernelVariant) throws {
        try variant.run {
            let cases: [(Float, UInt16)] = [
                (1 + 0x1p-11, 0x3c00), (1 + 0x3p-11, 0x3c02), (1 + 0x1.01p-11, 0x3c01), (65_504, 0x7bff),
                (65_519, 0x7bff), (65_520, 0x7c00), (1e10, 0x7c00), (-1e10, 0xfc00), (0x1p-24, 1), (0x1p-25, 0),
                (0x1.8p-24, 2), (0x1.01p-25, 1), (-0x1p-14, 0x8400), (0x1.ff8p-15, 0x3ff), (.infinity, 0x7c00),
                (-0.0, 0x8000), (1e-30, 0),
            ]
            var bits = [UInt16](repeating: 7, count: cases.count)
            ck_f32_to_f16(cases.map(\.0), &bits, cases.count)
            #expect(bits == cases.map(\.1))
        }
    }

    private struct Golden: Decodable {
        struct Row: Decodable {
            var tensor: String
            var row: Int
            var first64_b64: String
        }
        var rows: [Row]
    }

    @Test(
        .enabled(if: SharedData.has("golden/tiny/type"), "needs FORMWORK_SHARED"),
        arguments: ["f16", "f32", "q4_0", "q4_1", "q4_k", "q5_0", "q6_k", "q8_0"])
    func expandsRecordedRows(_ name: String) throws {
        let folder = try #require(SharedData.url("golden/tiny/type"))
        let golden = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appendingPathComponent("llama-\(name).json")))
        let file = try GGUFFile(path: folder.appendingPathComponent("llama-\(name).gguf").path)
        #expect(!golden.rows.isEmpty)
        for row in golden.rows {
            let tensor = try #require(file.tensor(named: row.tensor))
            let columns = tensor.dimensions[0]
            let format = ck_format(tensor.format.rawValue)
            let bytes = try #require(Data(base64Encoded: row.first64_b64))
            let expected = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            var actual = [Float](repeating: .nan, count: columns)
            file.withBytes(of: tensor) { bytes in
                if let base = bytes.baseAddress {
                    ck_dequantize_row(format, base + row.row * ck_row_bytes(format, columns), &actual, columns)
                }
            }
            #expect(Array(actual.prefix(expected.count)) == expected)
        }
    }
}
