// SPDX-License-Identifier: Apache-2.0

import Documents
public import Foundation

/// The least and the greatest value of a guide, each nil where there is none.
private struct Bounds {
    var name: String
    var lower: (value: DecimalNumber?, isExclusive: Bool)?
    var upper: (value: DecimalNumber?, isExclusive: Bool)?
    /// The same as bounds that belong to the range, where a number is rounded when it is read: just below 1 it would
    /// round to 1.
    var inner: (lower: DecimalNumber?, upper: DecimalNumber?) = (nil, nil)
    /// Whether the values are read as `Decimal`, which holds 38 digits: 20 before the point and 18 after it.
    var isDecimal = false

    var rules: [GuideRule] {
        var enforced = JSONObject()
        var shown = JSONObject()
        func problem(_ text: String) -> [GuideRule] { [GuideRule(name: name, effect: .problem(text))] }
        if isDecimal, [lower?.value, upper?.value].contains(where: { $0.map { !$0.fitsDecimal } ?? false }) {
            return problem(tooManyDigits)
        }
        if let lower {
            guard let value = lower.value else { return problem("the bound is no finite number") }
            let key = lower.isExclusive ? "exclusiveMinimum" : "minimum"
            shown.append(key: key, value: .number(value))
            enforced.append(key: inner.lower == nil ? key : "minimum", value: .number(inner.lower ?? value))
        }
        if let upper {
            guard let value = upper.value else { return problem("the bound is no finite number") }
            let key = upper.isExclusive ? "exclusiveMaximum" : "maximum"
            shown.append(key: key, value: .number(value))
            enforced.append(key: inner.upper == nil ? key : "maximum", value: .number(inner.upper ?? value))
        }
        return [GuideRule(name: name, effect: .keywords(enforced: enforced, shown: shown))]
    }
}

private let tooManyDigits =
    "it has more than 20 digits before or 18 after the point, so that values may not fit 'Decimal'"

private func step(_ value: DecimalNumber?, isDecimal: Bool = false) -> [GuideRule] {
    if isDecimal, let value, !value.fitsDecimal {
        return [GuideRule(name: ".multipleOf", effect: .problem(tooManyDigits))]
    }
    guard let value, !value.isZero, !value.isNegative else {
        return [GuideRule(name: ".multipleOf", effect: .problem("the step must be a finite number above 0"))]
    }
    let keywords: JSONObject = ["multipleOf": .number(value)]
    return [GuideRule(name: ".multipleOf", effect: .keywords(enforced: keywords, shown: keywords))]
}

// MARK: Integers

extension ValueGuide where Value: FixedWidthInteger {
    private static func decimal(_ value: Value) -> DecimalNumber? { DecimalNumber("\(value)") }

    /// From the first to the last value, both included.
    public static func range(_ range: ClosedRange<Value>) -> ValueGuide {
        ValueGuide(
            Bounds(
                name: ".range", lower: (decimal(range.lowerBound), false), upper: (decimal(range.upperBound), false)
            ).rules)
    }
    /// From the first value on, below the last one.
    public static func range(_ range: Range<Value>) -> ValueGuide {
        ValueGuide(
            Bounds(name: ".range", lower: (decimal(range.lowerBound), false), upper: (decimal(range.upperBound), true))
                .rules)
    }
    /// From this value on.
    public static func range(_ range: PartialRangeFrom<Value>) -> ValueGuide {
        ValueGuide(Bounds(name: ".range", lower: (decimal(range.lowerBound), false)).rules)
    }
    /// Up to this value.
    public static func range(_ range: PartialRangeThrough<Value>) -> ValueGuide {
        ValueGuide(Bounds(name: ".range", upper: (decimal(range.upperBound), false)).rules)
    }
    /// Below this value.
    public static func range(_ range: PartialRangeUpTo<Value>) -> ValueGuide {
        ValueGuide(Bounds(name: ".range", upper: (decimal(range.upperBound), true)).rules)
    }
    /// At least this value.
    public static func minimum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".minimum", lower: (decimal(value), false)).rules)
    }
    /// At most this value.
    public static func maximum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".maximum", upper: (decimal(value), false)).rules)
    }
    /// Above this value.
    public static func exclusiveMinimum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".exclusiveMinimum", lower: (decimal(value), true)).rules)
    }
    /// Below this value.
    public static func exclusiveMaximum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".exclusiveMaximum", upper: (decimal(value), true)).rules)
    }
    /// A multiple of this value.
    public static func multipleOf(_ value: Value) -> ValueGuide { ValueGuide(step(decimal(value))) }
}

// MARK: Binary fractions

/// A binary floating-point type that guides can bound.
public protocol StructuredFloat: BinaryFloatingPoint, LosslessStringConvertible, Structured {}

extension Double: StructuredFloat {}
extension Float: StructuredFloat {}

extension StructuredFloat {
    /// The shortest decimal number that reads as this value; nil for infinities and NaN.
    var decimal: DecimalNumber? {
        guard isFinite else { return nil }
        let text = "\(self)"
        return DecimalNumber(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    /// The least value above this one, where no decimal number between the two may round to this one.
    fileprivate var above: DecimalNumber? { self == 0 && Self.self == Double.self ? nil : nextUp.decimal }
    fileprivate var below: DecimalNumber? { self == 0 && Self.self == Double.self ? nil : nextDown.decimal }
}

extension ValueGuide where Value: StructuredFloat {
    /// From the first to the last value, both included.
    public static func range(_ range: ClosedRange<Value>) -> ValueGuide {
        ValueGuide(
            Bounds(name: ".range", lower: (range.lowerBound.decimal, false), upper: (range.upperBound.decimal, false))
                .rules)
    }
    /// From the first value on, below the last one.
    public static func range(_ range: Range<Value>) -> ValueGuide {
        ValueGuide(
            Bounds(
                name: ".range", lower: (range.lowerBound.decimal, false), upper: (range.upperBound.decimal, true),
                inner: (nil, range.upperBound.below)
            ).rules)
    }
    /// From this value on.
    public static func range(_ range: PartialRangeFrom<Value>) -> ValueGuide {
        ValueGuide(Bounds(name: ".range", lower: (range.lowerBound.decimal, false)).rules)
    }
    /// Up to this value.
    public static func range(_ range: PartialRangeThrough<Value>) -> ValueGuide {
        ValueGuide(Bounds(name: ".range", upper: (range.upperBound.decimal, false)).rules)
    }
    /// Below this value.
    public static func range(_ range: PartialRangeUpTo<Value>) -> ValueGuide {
        ValueGuide(
            Bounds(name: ".range", upper: (range.upperBound.decimal, true), inner: (nil, range.upperBound.below)).rules)
    }
    /// At least this value.
    public static func minimum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".minimum", lower: (value.decimal, false)).rules)
    }
    /// At most this value.
    public static func maximum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".maximum", upper: (value.decimal, false)).rules)
    }
    /// Above this value.
    public static func exclusiveMinimum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".exclusiveMinimum", lower: (value.decimal, true), inner: (value.above, nil)).rules)
    }
    /// Below this value.
    public static func exclusiveMaximum(_ value: Value) -> ValueGuide {
        ValueGuide(Bounds(name: ".exclusiveMaximum", upper: (value.decimal, true), inner: (nil, value.below)).rules)
    }
    /// A multiple of this value, in decimal: `0.35` is a multiple of `0.05`.
    public static func multipleOf(_ value: Value) -> ValueGuide { ValueGuide(step(value.decimal)) }
}

// MARK: Decimal fractions

extension ValueGuide where Value == Decimal {
    /// A bound as it was written: Swift makes a decimal literal by way of `Double`, so that `3.133` comes as
    /// 3.132999999999999488.
    private static func decimal(_ value: Decimal) -> DecimalNumber? {
        guard let number = DecimalNumber(value) else { return nil }
        let nearest = number.doubleValue
        guard value == Decimal(nearest), let written = DecimalNumber(nearest) else { return number }
        return written
    }

    /// From the first to the last value, both included.
    public static func range(_ range: ClosedRange<Decimal>) -> ValueGuide {
        ValueGuide(
            Bounds(
                name: ".range", lower: (decimal(range.lowerBound), false), upper: (decimal(range.upperBound), false),
                isDecimal: true
            ).rules)
    }
    /// From the first value on, below the last one.
    public static func range(_ range: Range<Decimal>) -> ValueGuide {
        ValueGuide(
            Bounds(
                name: ".range", lower: (decimal(range.lowerBound), false), upper: (decimal(range.upperBound), true),
                isDecimal: true
            ).rules)
    }
    /// From this value on.
    public static func range(_ range: PartialRangeFrom<Decimal>) -> ValueGuide { minimum(range.lowerBound, ".range") }
    /// Up to this value.
    public static func range(_ range: PartialRangeThrough<Decimal>) -> ValueGuide {
        maximum(range.upperBound, ".range")
    }
    /// At least this value.
    public static func minimum(_ value: Decimal) -> ValueGuide { minimum(value, ".minimum") }
    /// At most this value.
    public static func maximum(_ value: Decimal) -> ValueGuide { maximum(value, ".maximum") }
    /// Above this value.
    public static func exclusiveMinimum(_ value: Decimal) -> ValueGuide {
        ValueGuide(Bounds(name: ".exclusiveMinimum", lower: (decimal(value), true), isDecimal: true).rules)
    }
    /// Below this value.
    public static func exclusiveMaximum(_ value: Decimal) -> ValueGuide {
        ValueGuide(Bounds(name: ".exclusiveMaximum", upper: (decimal(value), true), isDecimal: true).rules)
    }
    /// A multiple of this value.
    public static func multipleOf(_ value: Decimal) -> ValueGuide { ValueGuide(step(decimal(value), isDecimal: true)) }

    private static func minimum(_ value: Decimal, _ name: String) -> ValueGuide {
        ValueGuide(Bounds(name: name, lower: (decimal(value), false), isDecimal: true).rules)
    }
    private static func maximum(_ value: Decimal, _ name: String) -> ValueGuide {
        ValueGuide(Bounds(name: name, upper: (decimal(value), false), isDecimal: true).rules)
    }
}

extension DecimalNumber {
    /// The same number; nil for NaN.
    init?(_ value: Decimal) {
        guard !value.isNaN else { return nil }
        self.init("\(value)")
    }

    /// Whether numbers with as many digits fit `Decimal`.
    fileprivate var fitsDecimal: Bool { exponent >= -18 && significantDigits + exponent <= 20 }
}

// MARK: Dates

/// How dates are written.
public enum DateForm: Sendable {
    /// Without a time, such as `2024-05-31`: midnight in UTC.
    case day
    /// With time and offset, such as `2024-05-31T12:00:00Z`.
    case moment
}

extension ValueGuide where Value == Date {
    /// How the date is written: as ``DateForm/moment``, unless this says something else.
    public static func format(_ form: DateForm) -> ValueGuide {
        ValueGuide([GuideRule(name: ".format", effect: .dateFormat(form))])
    }
}
