// SPDX-License-Identifier: Apache-2.0

/// The alphabet in which byte-level vocabularies spell bytes: each byte is one printable character.
///
/// Printable bytes stand for themselves; the others follow from U+0100 on, in order.
enum ByteAlphabet {
    /// The byte of each scalar below U+0144, or -1.
    static let bytes: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        var next = 0x100
        for byte in 0..<256 {
            let isPlain = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            table[isPlain ? byte : next] = Int16(byte)
            if !isPlain { next += 1 }
        }
        return table
    }()

    /// Appends the bytes that a text spells; false, with nothing appended, if it is not all in the alphabet.
    static func decode(_ text: ArraySlice<UInt8>, into result: inout [UInt8]) -> Bool {
        let start = result.count
        var index = text.startIndex
        while index < text.endIndex {
            let first = text[index]
            var scalar = Int(first)
            var length = 1
            if first >= 0xC2, first <= 0xC5, index + 1 < text.endIndex, text[index + 1] & 0xC0 == 0x80 {
                scalar = Int(first & 0x1F) << 6 | Int(text[index + 1] & 0x3F)
                length = 2
            } else if first >= 0x80 {
                scalar = bytes.count
            }
            guard scalar < bytes.count, bytes[scalar] >= 0 else {
                result.removeLast(result.count - start)
                return false
            }
            result.append(UInt8(truncatingIfNeeded: bytes[scalar]))
            index += length
        }
        return true
    }
}
