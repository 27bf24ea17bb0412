// SPDX-License-Identifier: Apache-2.0

import Documents

/// The spellable values of some number rules, prepared for questions about intervals.
///
/// Decides arithmetically, without automata: a prefix of digits stands for a few intervals, and the question is whether
/// one of them holds an allowed value. So a large `multipleOf` is as cheap as a small one.
final class NumberGrid {
    /// A set of magnitudes between two ends.
    final class Range {
        let low: DecimalNumber
        let lowIsOpen: Bool
        let high: DecimalNumber
        let highIsOpen: Bool
        /// Whether only the number of digits bounds it above.
        let isEndless: Bool

        /// The magnitudes between two bounds, where there are any below `limit`.
        init?(_ lower: NumberRules.Bound?, _ upper: NumberRules.Bound?, limit: DecimalNumber) {
            if let lower, !lower.value.isNegative {
                if lower.value >= limit { return nil }
                low = lower.value
                lowIsOpen = lower.isOpen
            } else {
                low = .zero
                lowIsOpen = false
            }
            if let upper, upper.value.isNegative { return nil }
            if let upper, upper.value < limit {
                high = upper.value
                highIsOpen = upper.isOpen
                isEndless = false
            } else {
                high = limit
                highIsOpen = true
                isEndless = true
            }
        }
    }

    let rules: NumberRules
    /// The spellings, where there are finitely many values.
    let finite: FiniteTexts?
    let isUnconstrained: Bool
    /// The most digits before and after the point.
    let integerDigits: Int
    let fractionDigits: Int
    /// The magnitudes of the allowed values at or above zero, and at or below it.
    private let positive: Range?
    private let negative: Range?
    /// At index `f`: values with at most `f` digits after the point are multiples of it.
    private let steps: [DecimalNumber]
    private let excludedPositive: [DecimalNumber]
    private let excludedNegative: [DecimalNumber]
    /// Whether only the interval matters.
    let isPlain: Bool
    /// Whether every integer within the interval is allowed.
    let allowsIntegers: Bool
    let allowsNegativeZero: Bool
    /// The most digits of an exponent.
    let exponentDigits: Int
    /// The step that values must be multiples of in binary floating point too.
    let binaryStep: Double?
    /// Whether the only bounds are at zero.
    let asksForSignOnly: Bool
    /// Whether allowed values were left out because they have too many digits.
    let isCutOff: Bool

    static let maximumDigits = 400
    static let maximumCandidates = 4096

    /// Whether all magnitudes above zero are within the bounds.
    func isUnbounded(negative isNegative: Bool) -> Bool {
        guard let range = isNegative ? negative : positive else { return false }
        return range.low.isZero && range.isEndless
    }

    /// The same with zero.
    func isUnboundedWithZero(negative isNegative: Bool) -> Bool {
        guard let range = isNegative ? negative : positive else { return false }
        return range.low.isZero && range.isEndless && !range.lowIsOpen
    }

    /// Prepares the rules; nil where no allowed value can be spelled within the profile or the numbers are out of
    /// reach.
    init?(_ rules: NumberRules, profile: SpellingProfile) {
        self.rules = rules
        isUnconstrained = rules.isUnconstrained && profile.allowsNegativeZero
        allowsNegativeZero = profile.allowsNegativeZero
        exponentDigits = profile.maximumExponentDigits
        binaryStep =
            profile.keepsToCommonGround
            ? rules.multiple.flatMap { $0.exponent < 0 ? $0.doubleValue : nil } : nil
        allowsIntegers =
            rules.finite == nil && rules.notMultiples.isEmpty && rules.excluded.isEmpty && binaryStep == nil
            && rules.multiple.map { $0 == DecimalNumber(1) } ?? true
        asksForSignOnly =
            rules.finite == nil && rules.multiple == nil && rules.notMultiples.isEmpty && rules.excluded.isEmpty
            && [rules.lower, rules.upper].allSatisfy { $0.map(\.value.isZero) ?? true } && profile.allowsNegativeZero
        if let values = rules.finite {
            finite = FiniteTexts(values.flatMap { Self.spellings($0, profile) })
            (integerDigits, fractionDigits, positive, negative) = (0, 0, nil, nil)
            (steps, excludedPositive, excludedNegative, isPlain) = ([], [], [], true)
            isCutOff = false
            return
        }
        finite = nil
        let maximum = Self.maximumDigits
        func integerDigitCount(_ value: DecimalNumber) -> Int {
            let count = value.magnitude.significantDigits + value.exponent
            return value.isZero ? 1 : max(1, count)
        }
        var whole = profile.maximumIntegerDigits
        var fraction = profile.maximumFractionDigits
        for bound in [rules.lower, rules.upper] {
            guard let bound else { continue }
            let digits = bound.value.exponent > maximum ? Int.max : integerDigitCount(bound.value)
            if digits <= maximum { whole = max(whole, digits) }
            if bound.value.exponent < 0, bound.value.exponent >= -maximum {
                fraction = max(fraction, min(maximum, -bound.value.exponent + 1))
            }
        }
        if let multiple = rules.multiple {
            if multiple.exponent > maximum { return nil }
            whole = max(whole, min(maximum, integerDigitCount(multiple) + 1))
            fraction =
                multiple.exponent >= 0
                ? (profile.allowsZeroFraction ? 1 : 0) : min(maximum, -multiple.exponent)
        }
        integerDigits = whole
        fractionDigits = fraction
        let limit = DecimalNumber(coefficient: 1, exponent: whole)

        func negated(_ bound: NumberRules.Bound?) -> NumberRules.Bound? {
            bound.map { NumberRules.Bound(value: -$0.value, isOpen: $0.isOpen) }
        }
        positive = Range(rules.lower, rules.upper, limit: limit)
        negative = Range(negated(rules.upper), negated(rules.lower), limit: limit)
        isCutOff = rules.lower.map { $0.value >= limit } ?? false || rules.upper.map { -$0.value >= limit } ?? false
        var steps: [DecimalNumber] = []
        for digits in 0...fraction {
            let grain = DecimalNumber(coefficient: 1, exponent: -digits)
            guard let multiple = rules.multiple else {
                steps.append(grain)
                continue
            }
            if multiple.exponent >= -digits {
                steps.append(multiple.magnitude)
                continue
            }
            guard let step = multiple.leastCommonMultiple(with: grain) else { return nil }
            steps.append(step)
        }
        self.steps = steps
        excludedPositive = rules.excluded.filter { !$0.isNegative }
        excludedNegative = rules.excluded.filter { $0.isNegative || $0.isZero }.map(\.magnitude)
        isPlain =
            rules.multiple.map { $0 == DecimalNumber(1) && fraction == 0 } ?? true
            && rules.notMultiples.isEmpty && rules.excluded.isEmpty
    }

    private func isBinaryMultiple(_ value: DecimalNumber) -> Bool {
        guard let binaryStep else { return true }
        let quotient = value.doubleValue / binaryStep
        return quotient == quotient.rounded(.towardZero)
    }

    /// The spellings of one value.
    private static func spellings(_ value: DecimalNumber, _ profile: SpellingProfile) -> [[UInt8]] {
        let plain = Array(value.description.utf8)
        guard profile.allowsZeroFraction, plain.allSatisfy({ $0 == 0x2D || $0 &- 0x30 < 10 }) else { return [plain] }
        return [plain, plain + Array(".0".utf8)]
    }

    /// The common step of values with at most `digits` digits after the point.
    func step(_ digits: Int) -> DecimalNumber { steps[min(digits, steps.count - 1)] }

    /// The magnitudes allowed for a sign.
    func range(negative isNegative: Bool) -> Range? { isNegative ? negative : positive }

    /// Whether an allowed magnitude with at most `digits` fraction digits lies in `low..<high`.
    ///
    /// With `anywhere`, the bounds of the rules do not matter.
    func holdsValue(
        from low: DecimalNumber, below high: DecimalNumber, digits: Int, negative isNegative: Bool, anywhere: Bool
    ) -> Bool {
        var low = low
        var lowIsOpen = false
        var high = high
        var highIsOpen = true
        if !anywhere {
            guard let range = range(negative: isNegative) else { return false }
            if range.low > low {
                low = range.low
                lowIsOpen = range.lowIsOpen
            } else if range.low == low {
                lowIsOpen = range.lowIsOpen
            }
            if range.high < high {
                high = range.high
                highIsOpen = range.highIsOpen
            }
        }
        if low > high { return false }
        let step = step(digits)
        guard var candidate = step.smallestMultiple(atLeast: low) else { return false }
        if lowIsOpen, candidate == low { candidate = candidate + step }
        let excluded = isNegative ? excludedNegative : excludedPositive
        for _ in 0..<Self.maximumCandidates {
            if candidate > high || (highIsOpen && candidate == high) { return false }
            let isBad =
                excluded.contains(candidate) || rules.notMultiples.contains { candidate.isMultiple(of: $0) }
                || (isNegative && candidate.isZero && !allowsNegativeZero) || !isBinaryMultiple(candidate)
            if !isBad { return true }
            candidate = candidate + step
        }
        return false
    }

    /// Whether a magnitude is allowed.
    func allows(_ value: DecimalNumber, negative isNegative: Bool, anywhere: Bool) -> Bool {
        if isNegative, value.isZero, !allowsNegativeZero { return false }
        if !anywhere {
            guard let range = range(negative: isNegative) else { return false }
            if value < range.low || (range.lowIsOpen && value == range.low) { return false }
            if value > range.high || (range.highIsOpen && value == range.high) { return false }
        }
        if let multiple = rules.multiple, !value.isMultiple(of: multiple) { return false }
        if rules.notMultiples.contains(where: { value.isMultiple(of: $0) }) || !isBinaryMultiple(value) { return false }
        return !(isNegative ? excludedNegative : excludedPositive).contains(value)
    }

    /// Whether every magnitude in `low..<high` respects the bounds.
    func contains(from low: DecimalNumber, below high: DecimalNumber, negative isNegative: Bool) -> Bool {
        guard let range = range(negative: isNegative) else { return false }
        if range.low > low || (range.lowIsOpen && range.low == low) { return false }
        return high <= range.high
    }

    /// Whether no magnitude at or above `low` respects the bounds.
    func endsBefore(_ low: DecimalNumber, negative isNegative: Bool) -> Bool {
        guard let range = range(negative: isNegative) else { return true }
        return range.high < low || (range.highIsOpen && range.high == low)
    }
}
