// SPDX-License-Identifier: Apache-2.0

/// The canonical spelling of strings in JSON text, and its reading byte by byte.
enum StringSpelling {
    /// The canonical spelling of UTF-8 text, without the quotes.
    static func escaped(_ text: [UInt8]) -> [UInt8] {
        var spelled: [UInt8] = []
        spelled.reserveCapacity(text.count)
        for byte in text {
            switch byte {
            case 0x22, 0x5C:
                spelled.append(0x5C)
                spelled.append(byte)
            case 0x00...0x1F:
                spelled.append(0x5C)
                if let letter = shortEscape(byte) {
                    spelled.append(letter)
                } else {
                    spelled += Array("u00".utf8)
                    spelled.append(byte < 0x10 ? 0x30 : 0x31)
                    let low = byte & 15
                    spelled.append(low < 10 ? 0x30 + low : 0x61 + low - 10)
                }
            default: spelled.append(byte)
            }
        }
        return spelled
    }

    /// The letter after the backslash of a control character with a short escape.
    static func shortEscape(_ control: UInt8) -> UInt8? {
        switch control {
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: nil
        }
    }

    /// The text of a canonical spelling without quotes.
    static func unescaped(_ spelled: some Sequence<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        var lexer = StringLexer.boundary
        for byte in spelled {
            switch lexer.read(byte) {
            case .more(let next): lexer = next
            case .scalar(let value):
                lexer = .boundary
                if let scalar = Unicode.Scalar(value) { text += Array(String(Character(scalar)).utf8) }
            case .close, .invalid: return text
            }
        }
        return text
    }

    /// The number of bytes that spell a scalar.
    static func length(_ scalar: UInt32) -> Int {
        switch scalar {
        case 0x22, 0x5C: 2
        case 0..<0x20: shortEscape(UInt8(scalar)) == nil ? 6 : 2
        case 0..<0x80: 1
        case 0..<0x800: 2
        case 0..<0x1_0000: 3
        default: 4
        }
    }
}

/// The place inside the spelling of one character of a string.
struct StringLexer: Hashable {
    enum Outcome {
        case more(StringLexer)
        case scalar(UInt32)
        case close
        case invalid
    }

    /// 0 at a boundary; 1 after a backslash; 2 to 4 after `\u`, `\u0`, `\u00`; 5 and 6 after `\u000` and `\u001`;
    /// otherwise the number of UTF-8 bytes still to come in the top byte (offset by 0x10) and the bits so far below.
    var rawValue: UInt32

    static let boundary = StringLexer(rawValue: 0)
    static let backslash = StringLexer(rawValue: 1)

    var isBoundary: Bool { rawValue == 0 }

    private static func partial(_ missing: UInt32, _ bits: UInt32, _ length: UInt32) -> StringLexer {
        StringLexer(rawValue: (0x10 | missing << 2 | (length - 1)) << 24 | bits)
    }

    /// Reads one more byte.
    func read(_ byte: UInt8) -> Outcome {
        switch rawValue {
        case 0:
            switch byte {
            case 0x22: return .close
            case 0x5C: return .more(.backslash)
            case 0x20...0x7F: return .scalar(UInt32(byte))
            case 0xC2...0xDF: return .more(Self.partial(1, UInt32(byte & 0x1F), 2))
            case 0xE0...0xEF: return .more(Self.partial(2, UInt32(byte & 0x0F), 3))
            case 0xF0...0xF4: return .more(Self.partial(3, UInt32(byte & 0x07), 4))
            default: return .invalid
            }
        case 1:
            switch byte {
            case 0x22, 0x5C: return .scalar(UInt32(byte))
            case UInt8(ascii: "b"): return .scalar(0x08)
            case UInt8(ascii: "t"): return .scalar(0x09)
            case UInt8(ascii: "n"): return .scalar(0x0A)
            case UInt8(ascii: "f"): return .scalar(0x0C)
            case UInt8(ascii: "r"): return .scalar(0x0D)
            case UInt8(ascii: "u"): return .more(StringLexer(rawValue: 2))
            default: return .invalid
            }
        case 2: return byte == 0x30 ? .more(StringLexer(rawValue: 3)) : .invalid
        case 3: return byte == 0x30 ? .more(StringLexer(rawValue: 4)) : .invalid
        case 4:
            if byte == 0x30 { return .more(StringLexer(rawValue: 5)) }
            return byte == 0x31 ? .more(StringLexer(rawValue: 6)) : .invalid
        case 5, 6:
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return .invalid
            }
            let value = digit | (rawValue == 6 ? 0x10 : 0)
            return StringSpelling.shortEscape(value) == nil ? .scalar(UInt32(value)) : .invalid
        default:
            guard byte & 0xC0 == 0x80, let range = scalars else { return .invalid }
            let tag = rawValue >> 24 & 0x0F
            let missing = tag >> 2
            let length = (tag & 3) + 1
            let bits = (rawValue & 0xFF_FFFF) << 6 | UInt32(byte & 0x3F)
            let next = Self.partial(missing - 1, bits, length)
            if missing == 1 { return range.contains(bits) ? .scalar(bits) : .invalid }
            return next.scalars == nil ? .invalid : .more(next)
        }
    }

    /// Inside a UTF-8 sequence, the scalars it can become; nil elsewhere or where there are none.
    var scalars: ClosedRange<UInt32>? {
        guard rawValue >= 0x1000_0000 else { return nil }
        let tag = rawValue >> 24 & 0x0F
        let missing = tag >> 2
        let length = (tag & 3) + 1
        let bits = rawValue & 0xFF_FFFF
        var low = bits << (6 * missing)
        var high = low | ((1 << (6 * missing)) - 1)
        switch length {
        case 2: low = max(low, 0x80)
        case 3: low = max(low, 0x800)
        default:
            low = max(low, 0x1_0000)
            high = min(high, 0x10_FFFF)
        }
        // Surrogates are not scalars.
        if low >= 0xD800, low <= 0xDFFF { low = 0xE000 }
        if high >= 0xD800, high <= 0xDFFF { high = 0xD7FF }
        return low <= high ? low...high : nil
    }

    /// Inside an escape, the scalars it can become; nil elsewhere.
    var escapes: [UInt32]? {
        switch rawValue {
        case 1: [0x22, 0x5C, 0x08, 0x09, 0x0A, 0x0C, 0x0D] + Self.longEscapes
        case 2, 3, 4: Self.longEscapes
        case 5: Self.longEscapes.filter { $0 < 0x10 }
        case 6: Self.longEscapes.filter { $0 >= 0x10 }
        default: nil
        }
    }

    private static let longEscapes: [UInt32] = (0..<0x20).filter { StringSpelling.shortEscape(UInt8($0)) == nil }

    /// The number of bytes still to come for the scalar, once its value is chosen.
    func rest(of scalar: UInt32) -> Int {
        switch rawValue {
        case 0: StringSpelling.length(scalar)
        case 1: StringSpelling.length(scalar) - 1
        case 2: 4
        case 3: 3
        case 4: 2
        case 5, 6: 1
        default: Int(rawValue >> 26 & 3)
        }
    }
}
