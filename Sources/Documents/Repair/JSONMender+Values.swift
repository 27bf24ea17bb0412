// SPDX-License-Identifier: Apache-2.0

extension JSONMender {
    /// The line end of the text.
    var lineEnd: [UInt8] {
        guard let first = bytes.prefix(1 << 16).firstIndex(of: 0x0A) else { return [0x0A] }
        return first > 0 && bytes[first - 1] == 0x0D ? [0x0D, 0x0A] : [0x0A]
    }

    /// Columns that a tab stands for: one level.
    var tabWidth: Int { 2 }

    /// Reads the value at the cursor.
    mutating func value(isFirst: Bool) -> Expect {
        let start = at
        let next = bytes[at]
        if frames.isEmpty, next != UInt8(ascii: "{"), next != UInt8(ascii: "["), looksLikeKey(at) {
            mend("json.missing-bracket", "a '{' is missing at the beginning", at..<at, "{".utf8)
            guard open(isObject: true, at: at) else { return .end }
            return .key
        }
        switch next {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if decisions.textStart == start {
                guard missingOpeningQuote(start) else {
                    hasFailed = true
                    return .end
                }
                return ended(at: at)
            }
            if colon != nil, hasOddQuotes(start) { textStarts.append(start) }
            let isObject = next == UInt8(ascii: "{")
            guard open(isObject: isObject, at: at) else { return .end }
            colon = nil
            lastComma = nil
            at += 1
            lastEnd = at
            return isObject ? .keyOrEnd : .valueOrEnd
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            guard colon == nil, !frames.isEmpty else { return missingValue() }
            if !isFirst { trailingComma() }
            return closer()
        case UInt8(ascii: ","):
            if colon != nil { return missingValue() }
            guard !frames.isEmpty else {
                hasFailed = true
                return .end
            }
            if isFirst, isLeftEmpty(at) { return closeEmpty() }
            mend("json.extra-comma", "a ',' is too many", at..<(at + 1), [])
            at += 1
            return isFirst ? .valueOrEnd : .value
        default: break
        }
        if !frames.isEmpty, frames.last?.isObject == false, frames.count > 1, frames[frames.count - 2].isObject,
            !isFirst,
            looksLikeKey(at)
        {
            // The list around was not closed before the comma.
            at = lastComma ?? at
            let text = closing
            mend("json.missing-bracket", "a '\(text)' is missing", lastEnd..<lastEnd, text.utf8)
            frames.removeLast()
            frames[frames.count - 1].hasMembers = true
            return .separator
        }
        if let quote = quote(at) {
            guard scanString(quote, isKey: false) else {
                hasFailed = true
                return .end
            }
            return ended(at: at)
        }
        guard word(start) else {
            hasFailed = true
            return .end
        }
        return ended(at: at)
    }

    /// A key whose value was forgotten.
    private mutating func missingValue() -> Expect {
        guard let colon else {
            hasFailed = true
            return .end
        }
        mend("json.missing-value", "the value is missing", (colon + 1)..<(colon + 1), " null".utf8, cost: 20)
        return ended(at: colon + 1)
    }

    // MARK: Words

    /// Reads a number, a literal or text without quotes.
    private mutating func word(_ start: Int) -> Bool {
        var last = start
        while last < end, Self.isKeyByte(bytes[last]) || bytes[last] == UInt8(ascii: "+") { last += 1 }
        let text = bytes[start..<last]
        if last > start, isBoundary(last) {
            if let done = literal(start..<last) { return done }
            if let done = number(start..<last) { return done }
        }
        // Prefixes of strings in Python.
        if text.count == 1, let only = text.first, "ubrUBR".utf8.contains(only), let quote = quote(last),
            !isPlausibleBareEnd(last + quote.length)
        {
            mend(
                "json.quote", "'\(Character(Unicode.Scalar(only)))' before the quote has no meaning", start..<last, [],
                cost: 2)
            at = last
            return scanString(quote, isKey: false)
        }
        return bareText(start)
    }

    /// Whether a word ends at the place.
    private func isBoundary(_ place: Int) -> Bool {
        guard place < end else { return true }
        let next = significant(after: place)
        guard next < end else { return true }
        switch bytes[next] {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ";"), UInt8(ascii: ")"): return true
        default: break
        }
        if bytes[place..<next].contains(where: { $0 == 0x0A || $0 == 0x0D }) { return true }
        // A missing comma.
        return next > place && (frames.last?.isObject == true ? looksLikeKey(next) : true)
    }

    private mutating func literal(_ range: Range<Int>) -> Bool? {
        let text = String(decoding: bytes[range], as: UTF8.self)
        at = range.upperBound
        switch text {
        case "true", "false", "null": return true
        case "True", "False", "TRUE", "FALSE":
            mend("json.literal", "'\(text)' is written '\(text.lowercased())'", range, text.lowercased().utf8)
        case "None", "nil", "NULL", "Null", "Nil", "none":
            mend("json.literal", "'\(text)' is written 'null'", range, "null".utf8)
        case "undefined", "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "+Infinity":
            mend("json.no-value", "JSON has no '\(text)'", range, "null".utf8, cost: 15)
        default:
            // A literal that the end of the text cuts.
            guard range.upperBound == end, range.count < 5,
                let whole = ["true", "false", "null"].first(where: { $0.hasPrefix(text) })
            else { return nil }
            mend(
                "text.truncated", "the text ends inside of '\(whole)'", range.upperBound..<range.upperBound,
                whole.dropFirst(range.count).utf8)
        }
        return true
    }

    private mutating func number(_ range: Range<Int>) -> Bool? {
        let written = bytes[range]
        switch written.withUnsafeBufferPointer({ DecimalNumber.read(json: $0) }) {
        case .number:
            at = range.upperBound
            return true
        case .notANumber: break
        case .tooManyDigits, .exponentTooLarge: return false
        }
        guard let number = Self.number(written, isCut: range.upperBound == end) else { return nil }
        at = range.upperBound
        mend(
            "json.number", "'\(String(decoding: written, as: UTF8.self))' is not how JSON writes a number", range,
            number)
        return true
    }

    /// The number that is meant by a foreign spelling.
    static func number(_ written: ArraySlice<UInt8>, isCut: Bool) -> [UInt8]? {
        guard written.count <= 400 else { return nil }
        var rest = written
        var sign: [UInt8] = []
        if let first = rest.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            if first == UInt8(ascii: "-") { sign = [first] }
            rest = rest.dropFirst()
        }
        guard let head = rest.first, head &- 0x30 < 10 || head == UInt8(ascii: ".") else { return nil }
        // Digits may be grouped.
        var digits: [UInt8] = []
        for (offset, byte) in rest.enumerated() {
            if byte == UInt8(ascii: "_") {
                let before = offset > 0 ? rest[rest.startIndex + offset - 1] : 0
                let after = offset + 1 < rest.count ? rest[rest.startIndex + offset + 1] : 0
                guard Character(Unicode.Scalar(before)).isHexDigit, Character(Unicode.Scalar(after)).isHexDigit else {
                    return nil
                }
            } else {
                digits.append(byte)
            }
        }
        if digits.count > 2, digits[0] == 0x30,
            let radix = [UInt8(ascii: "x"): 16, UInt8(ascii: "o"): 8, UInt8(ascii: "b"): 2][digits[1] | 0x20]
        {
            guard let value = UInt64(String(decoding: digits[2...], as: UTF8.self), radix: radix) else { return nil }
            return sign + Array(String(value).utf8)
        }
        if digits.count > 1, let last = digits.last, last == UInt8(ascii: "n") || last == UInt8(ascii: "L") {
            digits.removeLast()
        }
        while digits.count > 1, digits[0] == 0x30, digits[1] &- 0x30 < 10 { digits.removeFirst() }
        if digits.first == UInt8(ascii: ".") { digits.insert(0x30, at: 0) }
        if digits.last == UInt8(ascii: ".") { digits.removeLast() }
        if isCut, let last = digits.last, last | 0x20 == UInt8(ascii: "e") { digits.removeLast() }
        if let point = digits.firstIndex(of: UInt8(ascii: ".")), point + 1 < digits.count,
            digits[point + 1] | 0x20 == UInt8(ascii: "e")
        {
            digits.remove(at: point)
        }
        let text = sign + digits
        guard case .number = text.withUnsafeBufferPointer({ DecimalNumber.read(json: $0) }) else { return nil }
        return text
    }

    /// Text without quotes, up to the end of its line or to what cannot be part of it.
    private mutating func bareText(_ start: Int) -> Bool {
        // Text alone is no document.
        guard !frames.isEmpty else { return false }
        if !"{[,:".utf8.contains(bytes[start]), missingOpeningQuote(start) { return true }
        var last = start
        scan: while last < end {
            switch bytes[last] {
            case 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): break scan
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"),
                UInt8(ascii: "\""):
                return false
            case 0..<0x20 where bytes[last] != 0x09: return false
            default: last += 1
            }
        }
        while last > start, Self.isSpace(bytes[last - 1]) { last -= 1 }
        let text = String(decoding: bytes[start..<last], as: UTF8.self)
        // An ellipsis stands for what is not there, and a sign for a number that is not.
        guard last > start, !text.hasPrefix("..."), !text.hasPrefix("…"), text != "-", text != "+", text != ":" else {
            return false
        }
        guard text.unicodeScalars.contains(where: { $0.properties.isAlphabetic || $0.properties.numericType != nil })
        else { return false }
        mend("json.quote", "the text stands without quotes", start..<last, JSONWriter.quoted(text).utf8)
        at = last
        return true
    }

    /// Reads text whose opening quote is missing, up to the first quote of the line; false where it is not such.
    private mutating func missingOpeningQuote(_ start: Int) -> Bool {
        guard let quote = bytes[start..<end].firstIndex(where: { $0 == UInt8(ascii: "\"") || $0 == 0x0A }),
            bytes[quote] != 0x0A,
            quote > start, isPlausibleBareEnd(quote + 1)
        else { return false }
        mend("json.quote", "the opening quote is missing", start..<start, "\"".utf8)
        at = quote + 1
        return true
    }

    /// Whether a quote is left over on the rest of a line.
    private func hasOddQuotes(_ start: Int) -> Bool {
        guard textStarts.count < 16 else { return false }
        var index = start
        var isOdd = false
        while index < end, bytes[index] != 0x0A {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 1
            } else if bytes[index] == UInt8(ascii: "\"") {
                isOdd.toggle()
            }
            index += 1
        }
        return isOdd
    }

    private func isPlausibleBareEnd(_ after: Int) -> Bool {
        let next = significant(after: after)
        guard next < end else { return true }
        switch bytes[next] {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): return true
        default: return bytes[after..<next].contains { $0 == 0x0A }
        }
    }
}
