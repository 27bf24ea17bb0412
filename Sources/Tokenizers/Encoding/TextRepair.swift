// SPDX-License-Identifier: Apache-2.0

/// Makes bytes decodable for the scanners of byte-level tokenizers.
enum TextRepair {
    /// The bytes with every byte that does not belong to a character replaced by U+FFFD.
    ///
    /// Encoded surrogates are kept, because the reference tokenizers keep them; overlong sequences become the character
    /// they mean, and sequences above U+10FFFF count as bytes that belong to no character.
    static func repaired(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let first = bytes[index]
            let length =
                first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0
            var scalar = length == 1 ? UInt32(first) : UInt32(first) & (0xFF >> UInt32(max(length, 1) + 1))
            var isWhole = length > 0 && index + length <= bytes.count
            if isWhole, length > 1 {
                for offset in 1..<length {
                    if bytes[index + offset] & 0xC0 != 0x80 { isWhole = false }
                    scalar = scalar << 6 | UInt32(bytes[index + offset] & 0x3F)
                }
            }
            if isWhole, scalar <= 0x10FFFF {
                append(scalar, to: &result)
                index += length
            } else {
                append(0xFFFD, to: &result)
                index += 1
            }
        }
        return result
    }

    static func append(_ scalar: UInt32, to result: inout [UInt8]) {
        func tail(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | scalar >> shift & 0x3F) }
        if scalar < 0x80 {
            result.append(UInt8(truncatingIfNeeded: scalar))
        } else if scalar < 0x800 {
            result.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            result.append(tail(0))
        } else if scalar < 0x10000 {
            result.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            result.append(tail(6))
            result.append(tail(0))
        } else {
            result.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            result.append(tail(12))
            result.append(tail(6))
            result.append(tail(0))
        }
    }
}
