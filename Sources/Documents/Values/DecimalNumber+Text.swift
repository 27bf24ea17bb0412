// SPDX-License-Identifier: Apache-2.0

import BigInt

extension DecimalNumber {
    /// Reads a number in JSON's grammar.
    ///
    /// - Returns: nil where `text` is not a JSON number, has more than ``maximumDigits`` significant digits, or an
    ///   exponent beyond ``maximumExponent``.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let number = copy.withUTF8({ DecimalNumber(json: $0) }) else { return nil }
        self = number
    }

    /// Creates the decimal number that a floating-point value prints as; nil for infinities and NaN.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        var text = value.description
        if text.hasSuffix(".0") { text.removeLast(2) }
        self.init(text)
    }

    /// What the bytes are, as a JSON number.
    package enum Reading: Equatable, Sendable {
        case number(DecimalNumber)
        case notANumber
        case tooManyDigits
        case exponentTooLarge
    }

    package init?(json bytes: UnsafeBufferPointer<UInt8>) {
        guard case .number(let number) = DecimalNumber.read(json: bytes) else { return nil }
        self = number
    }

    /// Reads a JSON number that makes up all of `bytes`.
    package static func read(json bytes: UnsafeBufferPointer<UInt8>) -> Reading {
        var at = 0
        let end = bytes.count
        var negative = false
        if at < end, bytes[at] == UInt8(ascii: "-") {
            negative = true
            at += 1
        }
        let integerStart = at
        var mantissa: UInt64 = 0
        var digits = 0
        var fits = true
        func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
        func take(_ byte: UInt8) {
            if digits < 18 {
                mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30)
                if mantissa != 0 { digits += 1 }
            } else {
                fits = false
            }
        }
        while at < end, isDigit(bytes[at]) {
            take(bytes[at])
            at += 1
        }
        let integerEnd = at
        guard integerEnd > integerStart else { return .notANumber }
        if bytes[integerStart] == 0x30, integerEnd - integerStart > 1 { return .notANumber }
        var fraction = at..<at
        if at < end, bytes[at] == UInt8(ascii: ".") {
            at += 1
            let start = at
            while at < end, isDigit(bytes[at]) {
                take(bytes[at])
                at += 1
            }
            guard at > start else { return .notANumber }
            fraction = start..<at
        }
        var exponent = 0
        if at < end, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            var negativeExponent = false
            if at < end, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
                negativeExponent = bytes[at] == UInt8(ascii: "-")
                at += 1
            }
            let start = at
            while at < end, isDigit(bytes[at]) {
                if exponent <= maximumExponent { exponent = exponent * 10 + Int(bytes[at] &- 0x30) }
                at += 1
            }
            guard at > start else { return .notANumber }
            if negativeExponent { exponent = -exponent }
        }
        guard at == end else { return .notANumber }
        if fits {
            if mantissa == 0 { return .number(.zero) }
            guard abs(exponent) <= maximumExponent else { return .exponentTooLarge }
            let value = negative ? -Int64(mantissa) : Int64(mantissa)
            return .number(DecimalNumber(small: value, exponent: exponent - fraction.count))
        }
        var text = ""
        text.reserveCapacity(integerEnd - integerStart + fraction.count)
        for range in [integerStart..<integerEnd, fraction] {
            for index in range where !(text.isEmpty && bytes[index] == 0x30) {
                text.unicodeScalars.append(Unicode.Scalar(bytes[index]))
            }
        }
        exponent -= fraction.count
        var zeros = 0
        for byte in text.utf8.reversed() {
            if byte != 0x30 { break }
            zeros += 1
        }
        text.removeLast(zeros)
        exponent += zeros
        guard text.utf8.count <= maximumDigits else { return .tooManyDigits }
        guard abs(exponent) <= maximumExponent else { return .exponentTooLarge }
        guard let magnitude = BigInt(text, radix: 10) else { return text.isEmpty ? .number(.zero) : .notANumber }
        return .number(DecimalNumber(coefficient: negative ? -magnitude : magnitude, exponent: exponent))
    }
}

extension DecimalNumber: CustomStringConvertible {
    /// The shortest plain decimal spelling, or an exponent form where that would need many zeros; a JSON number.
    public var description: String {
        var digits = large.map { $0.value.magnitude.description } ?? small.magnitude.description
        let sign = isNegative ? "-" : ""
        if exponent == 0 { return sign + digits }
        let count = digits.utf8.count
        // The exponent of the leading digit.
        let leading = exponent.addingSaturated(count - 1)
        if exponent > 0, exponent < 21 {
            return sign + digits + String(repeating: "0", count: exponent)
        }
        if exponent < 0, leading >= 0 {
            digits.insert(".", at: digits.index(digits.startIndex, offsetBy: leading + 1))
            return sign + digits
        }
        if exponent < 0, leading >= -7 {
            return sign + "0." + String(repeating: "0", count: -leading - 1) + digits
        }
        if count > 1 { digits.insert(".", at: digits.index(after: digits.startIndex)) }
        return "\(sign)\(digits)e\(leading)"
    }
}

extension DecimalNumber: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) { self.init(value) }
}
