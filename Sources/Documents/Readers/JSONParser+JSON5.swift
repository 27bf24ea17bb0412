// SPDX-License-Identifier: Apache-2.0

import BigInt

/// What JSON5 has and JSON has not.
extension JSONParser {
    enum Reading { case read, failed, other }

    /// Reads a value that is written in a way of JSON5's own; leaves others to JSON.
    mutating func value5() -> Reading {
        let start = at
        switch bytes[at] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            guard let text = string5() else { return .failed }
            builder.scalar(.string, text.flags, start: start, end: at, first: text.first, count: text.count)
            return .read
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), 0x30...0x39: return number5()
        case UInt8(ascii: "I"), UInt8(ascii: "N"): return notFinite() ? .read : .other
        default: return .other
        }
    }

    /// Reads a key; nil for what is none.
    mutating func key5() -> Bool? {
        let start = at
        if bytes[at] == UInt8(ascii: "'") || bytes[at] == UInt8(ascii: "\"") {
            guard let text = string5() else { return false }
            builder.key(text.flags, start: start, end: at, first: text.first, count: text.count)
            return true
        }
        guard let text = JSON5Text.identifier(bytes, at) else { return nil }
        at = text.end
        if let decoded = text.decoded {
            let stored = builder.store(decoded)
            builder.key(.ownText, start: start, end: at, first: stored.first, count: stored.count)
        } else {
            builder.key([], start: start, end: at, first: start, count: at - start)
        }
        return true
    }

    // MARK: Strings

    /// Reads a string in quotes of either kind; nil where it does not end.
    private mutating func string5() -> (first: Int, count: Int, flags: Tree.Flags)? {
        let quote = at
        let mark = bytes[at]
        var decoded: [UInt8]?
        /// Where the text begins that has not been decoded.
        var plain = at + 1
        at += 1
        while at < bytes.count, !problems.isFull {
            let byte = bytes[at]
            if byte == mark {
                let end = at
                at += 1
                guard var text = decoded else { return (quote + 1, end - quote - 1, []) }
                text += bytes[plain..<end]
                let stored = builder.store(text)
                return (stored.first, stored.count, .ownText)
            }
            if byte == UInt8(ascii: "\\") {
                decoded = (decoded ?? []) + bytes[plain..<at]
                decoded? += escape5()
                plain = at
            } else if byte == 0x0A || byte == 0x0D {
                problems.add(
                    "json.unterminated-string", "the string does not end on its line", quote..<at,
                    help: "add a closing quote, or a backslash at the end of the line to go on")
                return nil
            } else if byte < 0x80 {
                at += 1
            } else {
                let length = UTF8Check.sequenceLength(bytes, at)
                if length == 0 {
                    problems.add(
                        "document.invalid-utf8", "the byte 0x\(hex(byte)) is not part of well-formed UTF-8",
                        at..<(at + 1), help: "save the file as UTF-8")
                }
                at += max(1, length)
            }
        }
        problems.add(
            "json.unterminated-string", "the string does not end", quote..<bytes.count, help: "add a closing quote")
        return nil
    }

    /// Reads an escape; gives what it stands for.
    private mutating func escape5() -> [UInt8] {
        let start = at
        guard at + 1 < bytes.count else {
            at = bytes.count
            return []
        }
        let kind = bytes[at + 1]
        at += 2
        switch kind {
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "v"): return [0x0B]
        case 0x0A: return []
        case 0x0D:
            if at < bytes.count, bytes[at] == 0x0A { at += 1 }
            return []
        case 0x30 where at >= bytes.count || bytes[at] &- 0x30 >= 10: return [0]
        case 0x30...0x39:
            problems.add(
                "json.escape", "'\(slice(start..<at))' is not an escape", start..<at,
                help: "write '\\\\' for a backslash")
            return []
        case UInt8(ascii: "x"):
            guard at + 1 < bytes.count, let high = JSON5Text.hexDigit(bytes[at]),
                let low = JSON5Text.hexDigit(bytes[at + 1])
            else {
                problems.add("json.escape", "'\\x' must be followed by two hexadecimal digits", start..<at)
                return []
            }
            at += 2
            return Array(String(Unicode.Scalar(high << 4 | low)).utf8)
        case UInt8(ascii: "u"):
            guard let unit = JSONEscapes.hexUnit(bytes, at) else {
                problems.add("json.escape", "'\\u' must be followed by four hexadecimal digits", start..<at)
                return []
            }
            at += 4
            if unit & 0xF800 == 0xD800 {
                if unit < 0xDC00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
                    bytes[at + 1] == UInt8(ascii: "u"), let low = JSONEscapes.hexUnit(bytes, at + 2),
                    low & 0xFC00 == 0xDC00
                {
                    at += 6
                } else {
                    problems.add(
                        "json.lone-surrogate",
                        "'\(slice(start..<at))' is half of a surrogate pair, which is not a character", start..<at,
                        severity: options.loneSurrogates == .error ? .error : .warning,
                        help: "write the character itself, or both halves")
                }
            }
            return JSONEscapes.decodeBytes(UnsafeBufferPointer(rebasing: bytes[start..<at]))
        default:
            guard kind >= 0x80 else { return [kind] }
            let length = UTF8Check.sequenceLength(bytes, at - 1)
            if length == 0 {
                problems.add(
                    "document.invalid-utf8", "the byte 0x\(hex(kind)) is not part of well-formed UTF-8", (at - 1)..<at,
                    help: "save the file as UTF-8")
                return []
            }
            let isLineEnd = JSON5Text.isLineSeparator(bytes, at - 1)
            let text = isLineEnd ? [] : Array(bytes[(at - 1)..<(at - 1 + length)])
            at += length - 1
            return text
        }
    }

    // MARK: Numbers

    /// Reads a number that JSON would write otherwise; leaves those that are JSON to the reader of JSON.
    private mutating func number5() -> Reading {
        let start = at
        var end = at
        while end < bytes.count,
            Self.isWord(bytes[end]) || bytes[end] == UInt8(ascii: ".") || bytes[end] == UInt8(ascii: "-")
                || bytes[end] == UInt8(ascii: "+")
        {
            end += 1
        }
        let written = bytes[start..<end]
        var rest = written[...]
        let sign = rest.first
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.first == UInt8(ascii: "I") || rest.first == UInt8(ascii: "N") {
            at = rest.startIndex
            if notFinite(from: start) { return .read }
            at = start
            return .other
        }
        guard let json = JSON5Text.json(rest) else { return .other }
        let text = (sign == UInt8(ascii: "-") ? [UInt8(ascii: "-")] : []) + json
        if text.elementsEqual(written) { return .other }
        switch text.withUnsafeBufferPointer({ DecimalNumber.read(json: $0) }) {
        case .number: break
        case .tooManyDigits:
            problems.add(
                "document.number-range", "the number has more than \(DecimalNumber.maximumDigits) digits", start..<end)
        case .exponentTooLarge, .notANumber:
            problems.add(
                "document.number-range", "the exponent is beyond \(DecimalNumber.maximumExponent)", start..<end)
        }
        at = end
        let stored = builder.store(text)
        builder.scalar(
            .number, [.ownText, .foreignNumber], start: start, end: end, first: stored.first, count: stored.count)
        return problems.isFull ? .failed : .read
    }

    /// Refuses numbers that JSON5 has and no JSON can hold; false where there are none.
    private mutating func notFinite(from start: Int? = nil) -> Bool {
        let start = start ?? at
        for word in ["Infinity", "NaN"] {
            let end = at + word.utf8.count
            guard end <= bytes.count, bytes[at..<end].elementsEqual(word.utf8),
                end == bytes.count || !Self.isWord(bytes[end])
            else { continue }
            at = end
            problems.add(
                "json5.not-finite", "'\(slice(start..<end))' is a number that JSON cannot hold", start..<end,
                help: "use null, or put it in quotes for text")
            builder.scalar(.null, [], start: start, end: end)
            return true
        }
        return false
    }
}

/// The characters of JSON5.
enum JSON5Text {
    /// The bytes of the white space at a place that JSON has not; 0 for other text.
    static func spaceLength(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
        switch bytes[at] {
        case 0x0B, 0x0C: return 1
        case 0xC2: return at + 1 < bytes.count && bytes[at + 1] == 0xA0 ? 2 : 0
        case 0xE1, 0xE2, 0xE3, 0xEF:
            guard at + 2 < bytes.count else { return 0 }
            switch (bytes[at], bytes[at + 1], bytes[at + 2]) {
            case (0xE1, 0x9A, 0x80), (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xA8...0xA9), (0xE2, 0x80, 0xAF),
                (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80), (0xEF, 0xBB, 0xBF):
                return 3
            default: return 0
            }
        default: return 0
        }
    }

    /// Whether U+2028 or U+2029 is at a place: line ends in JSON5.
    static func isLineSeparator(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Bool {
        at + 2 < bytes.count && bytes[at] == 0xE2 && bytes[at + 1] == 0x80 && bytes[at + 2] | 1 == 0xA9
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// The number without a sign in JSON's grammar; nil for what is none.
    static func json(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8]? {
        if text.count > 2, text.first == 0x30, text[text.startIndex + 1] | 0x20 == UInt8(ascii: "x") {
            let digits = text.dropFirst(2)
            // The size of the literal bounds the quadratic conversion.
            guard digits.allSatisfy({ hexDigit($0) != nil }), digits.count <= DecimalNumber.maximumDigits,
                let value = BigInt(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            return Array(value.description.utf8)
        }
        func digits(_ from: Int) -> Int {
            var end = from
            while end < text.endIndex, text[end] &- 0x30 < 10 { end += 1 }
            return end
        }
        var at = digits(text.startIndex)
        let integer = text[text.startIndex..<at]
        guard integer.count < 2 || integer.first != 0x30 else { return nil }
        var result = integer.isEmpty ? [0x30] : Array(integer)
        var count = integer.count
        if at < text.endIndex, text[at] == UInt8(ascii: ".") {
            let end = digits(at + 1)
            count += end - at - 1
            if end > at + 1 { result += Array(text[at..<end]) }
            at = end
        }
        guard count > 0 else { return nil }
        if at < text.endIndex, text[at] | 0x20 == UInt8(ascii: "e") {
            var first = at + 1
            if first < text.endIndex, text[first] == UInt8(ascii: "+") || text[first] == UInt8(ascii: "-") {
                first += 1
            }
            let end = digits(first)
            guard end > first else { return nil }
            result += Array(text[at..<end])
            at = end
        }
        return at == text.endIndex ? result : nil
    }

    /// A name as ECMAScript 5.1 has it, and its text where it has escapes; nil where there is none.
    static func identifier(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> (end: Int, decoded: [UInt8]?)? {
        var at = start
        var decoded: [UInt8]?
        while at < bytes.count {
            let byte = bytes[at]
            if JSONParser.isWord(byte) {
                guard at > start || byte &- 0x30 >= 10 else { return nil }
                decoded?.append(byte)
                at += 1
                continue
            }
            var text: [UInt8]
            var length: Int
            if byte == UInt8(ascii: "\\") {
                guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "u"),
                    let unit = JSONEscapes.hexUnit(bytes, at + 2), let scalar = Unicode.Scalar(UInt32(unit))
                else { return nil }
                text = Array(String(scalar).utf8)
                length = 6
                if decoded == nil { decoded = Array(bytes[start..<at]) }
            } else {
                guard byte >= 0x80 else { break }
                length = UTF8Check.sequenceLength(bytes, at)
                guard length > 0 else { break }
                text = Array(bytes[at..<(at + length)])
            }
            guard let scalar = String(decoding: text, as: UTF8.self).unicodeScalars.first,
                isNamed(scalar, isFirst: at == start)
            else {
                if byte == UInt8(ascii: "\\") { return nil }
                break
            }
            decoded?.append(contentsOf: text)
            at += length
        }
        return at > start ? (at, decoded) : nil
    }

    private static func isNamed(_ scalar: Unicode.Scalar, isFirst: Bool) -> Bool {
        if scalar == "$" || scalar == "_" { return true }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber:
            return true
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: return !isFirst
        default: return !isFirst && (scalar.value == 0x200C || scalar.value == 0x200D)
        }
    }
}
