// SPDX-License-Identifier: Apache-2.0

/// The escapes of JSON strings.
enum JSONEscapes {
    /// The text of a string's raw content, which the reader has checked; lone surrogates become U+FFFD.
    static func decode(_ raw: UnsafeBufferPointer<UInt8>) -> String {
        String(decoding: decodeBytes(raw), as: UTF8.self)
    }

    static func decodeBytes(_ raw: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var at = 0
        while at < raw.count {
            let byte = raw[at]
            at += 1
            guard byte == UInt8(ascii: "\\"), at < raw.count else {
                bytes.append(byte)
                continue
            }
            let escape = raw[at]
            at += 1
            switch escape {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "u"):
                var scalar: Unicode.Scalar = "\u{FFFD}"
                if let unit = hexUnit(raw, at) {
                    at += 4
                    if let plain = Unicode.Scalar(UInt32(unit)) {
                        scalar = plain
                    } else if unit < 0xDC00, at + 1 < raw.count, raw[at] == UInt8(ascii: "\\"),
                        raw[at + 1] == UInt8(ascii: "u"), let low = hexUnit(raw, at + 2), low & 0xFC00 == 0xDC00
                    {
                        at += 6
                        let value = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF))
                        scalar = Unicode.Scalar(value) ?? scalar
                    }
                }
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: bytes.append(escape)
            }
        }
        return bytes
    }

    /// The value of the four hexadecimal digits at the place, or nil.
    static func hexUnit(_ raw: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt16? {
        guard start + 4 <= raw.count else { return nil }
        var value: UInt16 = 0
        for at in start..<start + 4 {
            let byte = raw[at]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}

/// Validation of UTF-8, one sequence at a time.
enum UTF8Check {
    /// The length of the well-formed multi-byte sequence at the place; 0 where it is malformed.
    @inline(__always)
    static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
        let lead = bytes[at]
        let left = bytes.count - at
        func next(_ distance: Int) -> UInt8 { distance < left ? bytes[at + distance] : 0 }
        func isTail(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
        switch lead {
        case 0xC2...0xDF: return isTail(next(1)) ? 2 : 0
        case 0xE0...0xEF:
            let second = next(1)
            let low: UInt8 = lead == 0xE0 ? 0xA0 : 0x80
            let high: UInt8 = lead == 0xED ? 0x9F : 0xBF
            return second >= low && second <= high && isTail(next(2)) ? 3 : 0
        case 0xF0...0xF4:
            let second = next(1)
            let low: UInt8 = lead == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = lead == 0xF4 ? 0x8F : 0xBF
            return second >= low && second <= high && isTail(next(2)) && isTail(next(3)) ? 4 : 0
        default: return 0
        }
    }

    /// The offset of the first byte that is not part of well-formed UTF-8.
    static func firstInvalid(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var at = 0
        while at < bytes.count {
            if bytes[at] < 0x80 {
                at += 1
                continue
            }
            let length = sequenceLength(bytes, at)
            if length == 0 { return at }
            at += length
        }
        return nil
    }
}
