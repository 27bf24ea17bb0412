// SPDX-License-Identifier: Apache-2.0

import Documents
public import Foundation

extension UUID: Structured {
    public typealias PartiallyFilled = UUID

    /// A text in the format `uuid`.
    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        SchemaNode(type: "string", ["format": "uuid"])
    }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        let text = try String(structuredValue: structuredValue)
        guard let value = UUID(uuidString: text) else { throw StructuredValueError("'\(text)' is no UUID") }
        self = value
    }

    public var structuredValue: StructuredValue { uuidString.structuredValue }
}

extension URL: Structured {
    public typealias PartiallyFilled = URL

    /// Scheme, host, port, path, query and fragment, in the characters that a URI may have.
    private static let pattern: String = {
        let plain = "A-Za-z0-9._~!$&'()*+,;=:@"
        func characters(_ more: String) -> String { "([\(plain)\(more)-]|%[0-9A-Fa-f]{2})*" }
        return "^[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,4})?"
            + "(/\(characters("/")))?(\\?\(characters("/?")))?(#\(characters("/?")))?$"
    }()

    /// An absolute address with a host, such as `https://example.org/a?b#c`.
    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        var node = SchemaNode(type: "string")
        node.enforced = ["pattern": .string(pattern)]
        node.shown = ["format": "uri"]
        return node
    }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        let text = try String(structuredValue: structuredValue)
        guard let value = URL(string: text, encodingInvalidCharacters: false) else {
            throw StructuredValueError("'\(text)' is no URL")
        }
        self = value
    }

    public var structuredValue: StructuredValue { absoluteString.structuredValue }
}

extension Decimal: Structured {
    public typealias PartiallyFilled = Decimal

    /// A number. Those that are offered have at most 36 digits, which `Decimal` holds.
    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode { SchemaNode(type: "number") }

    /// - Throws: ``StructuredValueError`` also where the number has more digits than `Decimal` holds.
    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard let number = structuredValue.value.numberValue else {
            throw StructuredValueError("'Decimal' is read from a number, not from \(structuredValue.kind)")
        }
        let posix = Locale(identifier: "en_US_POSIX")
        guard let value = Decimal(string: number.description, locale: posix), DecimalNumber(value) == number else {
            throw StructuredValueError("\(structuredValue.json) has more digits than 'Decimal' holds")
        }
        self = value
    }

    /// The number with all its digits; null for NaN, which JSON does not have.
    public var structuredValue: StructuredValue {
        StructuredValue(DecimalNumber(self).map { .number($0) } ?? .null)
    }
}

extension Date: Structured {
    public typealias PartiallyFilled = Date

    /// A text in the format `date-time`, or what the guide ``ValueGuide/format(_:)`` says.
    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        var node = SchemaNode(type: "string", implied: ["format": "date-time"])
        node.shown = ["format": "date-time"]
        return node
    }

    /// Reads a date, which is midnight in UTC, or a date with time and offset.
    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        let text = try String(structuredValue: structuredValue)
        guard let value = InternetDate(text) else {
            throw StructuredValueError("'\(text)' is no date such as 2024-05-31 or 2024-05-31T12:00:00Z")
        }
        self.init(timeIntervalSinceReferenceDate: value.seconds)
    }

    /// The date in UTC, to the nanosecond; null for dates outside of the years 0 to 9999, which the format does not
    /// have.
    public var structuredValue: StructuredValue {
        StructuredValue(InternetDate(timeIntervalSinceReferenceDate).text.map { .string($0) } ?? .null)
    }
}

/// A date of RFC 3339.
private struct InternetDate {
    /// Since the beginning of 2001.
    let seconds: Double

    /// Days from 1 March of the year 0 to the beginning of 2001.
    private static let reference = 730_791

    init(_ seconds: Double) { self.seconds = seconds }

    /// Reads `2024-05-31`, or that with `T12:00:00.5+02:00`.
    init?(_ text: String) {
        var rest = text.utf8[...]
        func number(_ digits: Int) -> Int? {
            guard rest.count >= digits, rest.prefix(digits).allSatisfy({ (48...57).contains($0) }) else { return nil }
            defer { rest.removeFirst(digits) }
            return rest.prefix(digits).reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        func skip(_ characters: String) -> UInt8? {
            guard let first = rest.first, characters.utf8.contains(first) else { return nil }
            rest.removeFirst()
            return first
        }
        guard let year = number(4), skip("-") != nil, let month = number(2), skip("-") != nil, let day = number(2),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let midnight = Self.days(year, month, day) * 86_400
        if rest.isEmpty {
            seconds = Double(midnight)
            return
        }
        guard skip("Tt ") != nil, let hour = number(2), skip(":") != nil, let minute = number(2), skip(":") != nil,
            let second = number(2)
        else { return nil }
        var fraction = 0.0
        if skip(".") != nil {
            let digits = rest.prefix { (48...57).contains($0) }
            guard !digits.isEmpty, let value = Double("0." + String(decoding: digits, as: UTF8.self)) else {
                return nil
            }
            fraction = value
            rest = rest.dropFirst(digits.count)
        }
        var offset = 0
        if skip("Zz") == nil {
            guard let sign = skip("+-"), let hours = number(2), skip(":") != nil, let minutes = number(2) else {
                return nil
            }
            offset = (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -60 : 60)
        }
        guard rest.isEmpty else { return nil }
        seconds = Double(midnight + hour * 3600 + minute * 60 + second - offset) + fraction
    }

    /// The date and time in UTC; nil outside of the years 0 to 9999.
    var text: String? {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return nil }
        var whole = Int(seconds.rounded(.down))
        var nanoseconds = Int(((seconds - Double(whole)) * 1e9).rounded())
        if nanoseconds >= 1_000_000_000 {
            whole += 1
            nanoseconds = 0
        }
        let day = Int((Double(whole) / 86_400).rounded(.down))
        let second = whole - day * 86_400
        let (year, month, date) = Self.date(day)
        guard (0...9999).contains(year) else { return nil }
        func padded(_ value: Int, _ digits: Int) -> String {
            String(repeating: "0", count: max(digits - "\(value)".count, 0)) + "\(value)"
        }
        var text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(date, 2))T"
        text += "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        if nanoseconds > 0 {
            var digits = padded(nanoseconds, 9)
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }

    // The Gregorian calendar in eras of 400 years that begin in March, so that the leap day is a year's last.

    /// Days from the beginning of 2001 to a date.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - reference
    }

    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + reference
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}
