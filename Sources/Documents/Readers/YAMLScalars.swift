// SPDX-License-Identifier: Apache-2.0

import BigInt

/// The types of plain scalars in the core schema of YAML 1.2.
enum YAMLScalars {
    enum Resolved: Equatable {
        case null
        case bool(Bool)
        /// The number in JSON's grammar.
        case number(String)
        /// Infinity or not a number, which JSON cannot hold.
        case notFinite
        case string
    }

    /// What a plain scalar is.
    static func resolve(_ text: UnsafeBufferPointer<UInt8>) -> Resolved {
        guard let first = text.first else { return .null }
        switch first {
        case UInt8(ascii: "~"): return text.count == 1 ? .null : .string
        case UInt8(ascii: "n"), UInt8(ascii: "N"):
            return isOneOf(text, "null", "Null", "NULL") ? .null : .string
        case UInt8(ascii: "t"), UInt8(ascii: "T"):
            return isOneOf(text, "true", "True", "TRUE") ? .bool(true) : .string
        case UInt8(ascii: "f"), UInt8(ascii: "F"):
            return isOneOf(text, "false", "False", "FALSE") ? .bool(false) : .string
        case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return number(text)
        default: return .string
        }
    }

    private static func isOneOf(_ text: UnsafeBufferPointer<UInt8>, _ words: StaticString...) -> Bool {
        words.contains { word in
            word.utf8CodeUnitCount == text.count && word.withUTF8Buffer { $0.elementsEqual(text) }
        }
    }

    private static func number(_ text: UnsafeBufferPointer<UInt8>) -> Resolved {
        var at = 0
        var negative = false
        func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
        if text[0] == UInt8(ascii: "0"), text.count > 2,
            let radix = [UInt8(ascii: "o"): 8, UInt8(ascii: "x"): 16][text[1]]
        {
            let digits = text[2...]
            let isValid = digits.allSatisfy { byte in
                radix == 8
                    ? byte &- 0x30 < 8 : isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6
            }
            // The size of the literal bounds the quadratic conversion.
            guard isValid, digits.count <= DecimalNumber.maximumDigits else { return .string }
            guard let value = BigInt(String(decoding: digits, as: UTF8.self), radix: radix) else { return .string }
            return .number(value.description)
        }
        if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
            negative = text[0] == UInt8(ascii: "-")
            at = 1
        }
        if isOneOf(UnsafeBufferPointer(rebasing: text[at...]), ".inf", ".Inf", ".INF") { return .notFinite }
        if isOneOf(text, ".nan", ".NaN", ".NAN") { return .notFinite }
        let integer = at
        while at < text.count, isDigit(text[at]) { at += 1 }
        let integerDigits = text[integer..<at]
        var fraction = text[at..<at]
        if at < text.count, text[at] == UInt8(ascii: ".") {
            let start = at + 1
            at = start
            while at < text.count, isDigit(text[at]) { at += 1 }
            fraction = text[start..<at]
        }
        guard !integerDigits.isEmpty || !fraction.isEmpty else { return .string }
        var exponent = text[at..<at]
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            let start = at
            at += 1
            if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") { at += 1 }
            let digits = at
            while at < text.count, isDigit(text[at]) { at += 1 }
            guard at > digits else { return .string }
            exponent = text[start..<at]
        }
        guard at == text.count else { return .string }
        var json: [UInt8] = negative ? [UInt8(ascii: "-")] : []
        let significant = integerDigits.drop { $0 == 0x30 }
        json.append(contentsOf: significant.isEmpty ? [0x30] : Array(significant))
        if !fraction.isEmpty {
            json.append(UInt8(ascii: "."))
            json.append(contentsOf: fraction)
        }
        json.append(contentsOf: exponent)
        return .number(String(decoding: json, as: UTF8.self))
    }
}
