// SPDX-License-Identifier: Apache-2.0

/// The fixed partition of Unicode scalars by which the token trie summarises what lies below a node.
///
/// There are 64 classes, so a set of classes is one word. ASCII punctuation has one class per character, because
/// patterns single it out; letters, digits and the blocks beyond ASCII share classes. Two classes stand for byte
/// sequences that are not scalars.
enum ScalarClasses {
    /// Bytes that are no part of well-formed UTF-8 at their place.
    static let malformed: UInt64 = 1 << 0
    /// A token that ends within a scalar.
    static let partial: UInt64 = 1 << 1
    static let quote: UInt64 = 1 << 2
    static let backslash: UInt64 = 1 << 3
    static let control: UInt64 = 1 << 4

    /// The classes of all scalars beyond ASCII.
    static let beyondASCII: UInt64 = ~0 << 42
    /// The classes of the characters a JSON string holds as they are.
    static let plain: UInt64 = ~(malformed | partial | quote | backslash | control)

    /// The class of an ASCII scalar.
    private static func asciiClass(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0..<0x20: return 4
        case 0x22: return 2
        case 0x5C: return 3
        case 0x30...0x39: return 5
        case 0x61...0x66: return 6
        case 0x67...0x7A: return 7
        case 0x41...0x46: return 8
        case 0x47...0x5A: return 9
        case 0x7F: return 10
        // Space and the 30 punctuation characters that a string holds as they are, in code order: 11 to 41.
        case 0x20...0x21: return 11 + (byte - 0x20)
        case 0x23...0x2F: return 13 + (byte - 0x23)
        case 0x3A...0x40: return 26 + (byte - 0x3A)
        case 0x5B: return 33
        case 0x5D...0x60: return 34 + (byte - 0x5D)
        default: return 38 + (byte - 0x7B)
        }
    }

    /// The class of each ASCII scalar.
    static let ascii: [UInt8] = (0..<128).map { asciiClass(UInt8($0)) }

    /// The blocks beyond ASCII: first scalar and class, in scalar order; each reaches to the next.
    private static let blocks: [(first: UInt32, number: UInt8)] = [
        (0x80, 42), (0xA0, 43), (0xA1, 45), (0xC0, 46), (0x100, 47), (0x250, 48), (0x370, 49), (0x400, 50), (0x530, 51),
        (0x900, 52), (0xE00, 53), (0x10A0, 54), (0x1680, 43), (0x1681, 54), (0x2000, 43), (0x200B, 55), (0x2028, 44),
        (0x202A, 55), (0x202F, 43), (0x2030, 55), (0x205F, 43), (0x2060, 55), (0x2070, 56), (0x2C00, 57), (0x3000, 43),
        (0x3001, 58), (0x3040, 59), (0x3100, 60), (0x4E00, 61), (0xA000, 62), (0xE000, 63), (0xFEFF, 43), (0xFF00, 63),
    ]

    /// The class of `scalar`, which is a Unicode scalar value.
    static func number(of scalar: UInt32) -> UInt8 {
        if scalar < 0x80 { return ascii[Int(scalar)] }
        var low = 0
        var high = blocks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if blocks[middle].first <= scalar { low = middle } else { high = middle }
        }
        return blocks[low].number
    }

    /// The scalars of each class, as ranges without surrogates; empty for the classes that are not scalars.
    static let ranges: [[ClosedRange<UInt32>]] = {
        var result = [[ClosedRange<UInt32>]](repeating: [], count: 64)
        for scalar in UInt32(0)..<0x80 {
            let number = Int(ascii[Int(scalar)])
            if let last = result[number].last, last.upperBound + 1 == scalar {
                result[number][result[number].count - 1] = last.lowerBound...scalar
            } else {
                result[number].append(scalar...scalar)
            }
        }
        for (index, block) in blocks.enumerated() {
            var last = index + 1 < blocks.count ? blocks[index + 1].first - 1 : 0x10FFFF
            if last == 0xDFFF { last = 0xD7FF }
            result[Int(block.number)].append(block.first...last)
        }
        return result
    }()
}

/// Incremental decoding of UTF-8, one byte at a time, strict about overlong forms, surrogates and the upper end.
struct ScalarDecoder {
    enum Outcome {
        case scalar(UInt32)
        case incomplete
        case malformed
    }

    private(set) var value: UInt32 = 0
    /// Continuation bytes still to come.
    private(set) var missing: UInt8 = 0
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    var isAtBoundary: Bool { missing == 0 }

    mutating func feed(_ byte: UInt8) -> Outcome {
        if missing == 0 {
            low = 0x80
            high = 0xBF
            switch byte {
            case 0..<0x80:
                return .scalar(UInt32(byte))
            case 0xC2...0xDF:
                missing = 1
                value = UInt32(byte & 0x1F)
            case 0xE0...0xEF:
                missing = 2
                value = UInt32(byte & 0x0F)
                if byte == 0xE0 { low = 0xA0 }
                if byte == 0xED { high = 0x9F }
            case 0xF0...0xF4:
                missing = 3
                value = UInt32(byte & 0x07)
                if byte == 0xF0 { low = 0x90 }
                if byte == 0xF4 { high = 0x8F }
            default:
                return .malformed
            }
            return .incomplete
        }
        guard byte >= low, byte <= high else { return .malformed }
        low = 0x80
        high = 0xBF
        value = value << 6 | UInt32(byte & 0x3F)
        missing -= 1
        return missing == 0 ? .scalar(value) : .incomplete
    }

    /// The scalars that the bytes fed so far can still become; nil at a boundary.
    var reachableScalars: ClosedRange<UInt32>? {
        guard missing > 0 else { return nil }
        let shift = UInt32(missing - 1) * 6
        let first = (value << 6 | UInt32(low & 0x3F)) << shift
        let last = (value << 6 | UInt32(high & 0x3F)) << shift | (1 << shift &- 1)
        return first...last
    }
}
