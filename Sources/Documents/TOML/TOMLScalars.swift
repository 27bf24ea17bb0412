// SPDX-License-Identifier: Apache-2.0

import BigInt

/// The numbers, dates and times of TOML.
enum TOMLScalars {
    /// A number in JSON's grammar; nil for other texts.
    static func number(_ text: ArraySlice<UInt8>) -> String? {
        var rest = text
        if rest.count > 2, rest.first == 0x30,
            let radix = [UInt8(ascii: "x"): 16, UInt8(ascii: "o"): 8, UInt8(ascii: "b"): 2][rest[rest.startIndex + 1]]
        {
            // The size of the literal bounds the quadratic conversion.
            guard let digits = digits(rest.dropFirst(2), radix: radix), digits.count <= DecimalNumber.maximumDigits
            else {
                return nil
            }
            return BigInt(String(decoding: digits, as: UTF8.self), radix: radix)?.description
        }
        var json: [UInt8] = []
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            if sign == UInt8(ascii: "-") { json.append(sign) }
            rest = rest.dropFirst()
        }
        let integer = rest.prefix { isDigit($0) || $0 == UInt8(ascii: "_") }
        guard let whole = digits(integer, radix: 10), whole.first != 0x30 || whole.count == 1 else { return nil }
        json += whole
        rest = rest.dropFirst(integer.count)
        if rest.first == UInt8(ascii: ".") {
            let part = rest.dropFirst().prefix { isDigit($0) || $0 == UInt8(ascii: "_") }
            guard let fraction = digits(part, radix: 10) else { return nil }
            json.append(UInt8(ascii: "."))
            json += fraction
            rest = rest.dropFirst(part.count + 1)
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            json.append(mark)
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                json.append(sign)
                rest = rest.dropFirst()
            }
            guard let exponent = digits(rest, radix: 10) else { return nil }
            json += exponent
            rest = []
        }
        return rest.isEmpty ? String(decoding: json, as: UTF8.self) : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Digits without the underscores between them; nil where there are none, others, or underscores elsewhere.
    private static func digits(_ text: ArraySlice<UInt8>, radix: Int) -> [UInt8]? {
        var result: [UInt8] = []
        var wasDigit = false
        for byte in text {
            if byte == UInt8(ascii: "_") {
                guard wasDigit else { return nil }
                wasDigit = false
                continue
            }
            guard let value = TOMLParser.hexValue(byte), Int(value) < radix else { return nil }
            result.append(byte)
            wasDigit = true
        }
        return wasDigit ? result : nil
    }

    /// A date, a time, or both, as RFC 3339 writes them; nil for other texts and for those that do not exist.
    static func date(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var scanner = Scanner(rest: text)
        var result: [UInt8] = []
        if text.count >= 10, text[text.startIndex + 4] == UInt8(ascii: "-") {
            guard let year = scanner.number(4), scanner.skip(UInt8(ascii: "-")), let month = scanner.number(2),
                (1...12).contains(month), scanner.skip(UInt8(ascii: "-")), let day = scanner.number(2), day >= 1,
                day <= days(year, month)
            else { return nil }
            result += text.prefix(10)
            guard let separator = scanner.rest.first else { return result }
            guard separator == UInt8(ascii: "T") || separator == UInt8(ascii: "t") || separator == 0x20 else {
                return nil
            }
            scanner.rest = scanner.rest.dropFirst()
            result.append(UInt8(ascii: "T"))
        }
        let hasDate = !result.isEmpty
        let time = scanner.rest
        guard let hour = scanner.number(2), hour <= 23, scanner.skip(UInt8(ascii: ":")), let minute = scanner.number(2),
            minute <= 59, scanner.skip(UInt8(ascii: ":")), let second = scanner.number(2), second <= 60
        else { return nil }
        if scanner.skip(UInt8(ascii: ".")) {
            let fraction = scanner.rest.prefix { isDigit($0) }
            guard !fraction.isEmpty else { return nil }
            scanner.rest = scanner.rest.dropFirst(fraction.count)
        }
        result += time.prefix(time.count - scanner.rest.count)
        guard let offset = scanner.rest.first else { return result }
        guard hasDate else { return nil }
        if offset | 0x20 == UInt8(ascii: "z") {
            result.append(UInt8(ascii: "Z"))
            return scanner.rest.count == 1 ? result : nil
        }
        let zone = scanner.rest
        guard scanner.skip(UInt8(ascii: "+")) || scanner.skip(UInt8(ascii: "-")), let hours = scanner.number(2),
            hours <= 23,
            scanner.skip(UInt8(ascii: ":")), let minutes = scanner.number(2), minutes <= 59, scanner.rest.isEmpty
        else { return nil }
        return result + zone
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func number(_ digits: Int) -> Int? {
            let part = rest.prefix(digits)
            guard part.count == digits, part.allSatisfy({ TOMLScalars.isDigit($0) }) else { return nil }
            rest = rest.dropFirst(digits)
            return part.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }
    }

    private static func days(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// What to do about a word that is no value.
    static func help(_ word: String) -> String? {
        switch word.lowercased() {
        case "true", "false": return "write '\(word.lowercased())'"
        case "null", "none", "nil": return "TOML has no null; leave the key out"
        default: break
        }
        let digits = word.utf8.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        guard let first = digits.first, isDigit(first) else { return "write text in quotes" }
        if first == 0x30, digits.dropFirst().first.map({ isDigit($0) }) ?? false {
            return "leading zeros are not allowed"
        }
        if word.hasSuffix(".") || word.contains(".e") { return "a digit must follow the '.'" }
        if word.contains("_") { return "an underscore stands between two digits" }
        return "write text in quotes"
    }
}
