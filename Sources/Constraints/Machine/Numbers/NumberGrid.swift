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
    /// At index `f`: values with at most `f` digits after the point are multiples of it; found when asked for.
    @exclusivity(unchecked) private var steps: [Step?]
    /// The magnitudes that are left out, in runs without a gap.
    private let excludedPositive: ExcludedRuns
    private let excludedNegative: ExcludedRuns
    /// Whether a question was given up, and answered with no.
    @exclusivity(unchecked) private(set) var hasGivenUp = false
    /// The bytes of a shortest value, where they have been found.
    @exclusivity(unchecked) var cheapest: Cost?
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

    static let maximumDigits = 80
    static let maximumCandidates = 1024

    /// What values with at most so many digits after the point are multiples of.
    private struct Step {
        var value: DecimalNumber
        /// Whether all its multiples are multiples of what no value may be a multiple of.
        var isExcluded: Bool
    }

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
            (steps, isPlain) = ([], true)
            (excludedPositive, excludedNegative) = (ExcludedRuns(), ExcludedRuns())
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
        steps = Array(repeating: nil, count: fraction + 1)
        guard let finest = Self.step(rules, fraction) else { return nil }
        steps[fraction] = finest
        // Without a step of their own, values that are left out have no neighbours.
        let step = rules.multiple == nil ? nil : finest.value
        excludedPositive = ExcludedRuns(rules.excluded.filter { !$0.isNegative }, step: step)
        excludedNegative = ExcludedRuns(
            rules.excluded.reversed().filter { $0.isNegative || $0.isZero }.map(\.magnitude), step: step)
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
    func step(_ digits: Int) -> DecimalNumber { knownStep(digits).value }

    private func knownStep(_ digits: Int) -> Step {
        let index = min(digits, steps.count - 1)
        if let known = steps[index] { return known }
        // Finer steps have a common multiple in reach; so have coarser ones.
        let step =
            Self.step(rules, index) ?? Step(value: DecimalNumber(coefficient: 1, exponent: integerDigits + 1), isExcluded: true)
        steps[index] = step
        return step
    }

    private static func step(_ rules: NumberRules, _ digits: Int) -> Step? {
        var value = DecimalNumber(coefficient: 1, exponent: -digits)
        if let multiple = rules.multiple {
            guard let common = multiple.leastCommonMultiple(with: value) else { return nil }
            value = common
        }
        return Step(value: value, isExcluded: rules.notMultiples.contains { value.isMultiple(of: $0) })
    }

    /// How many digits a number of so many digits before the point must get at least to be within the bounds.
    func leastShift(digits: Int, negative isNegative: Bool) -> Int {
        guard let low = range(negative: isNegative)?.low, !low.isZero else { return 0 }
        return max(0, low.significantDigits + low.exponent - digits - 1)
    }

    /// The magnitudes allowed for a sign.
    func range(negative isNegative: Bool) -> Range? { isNegative ? negative : positive }

    /// Whether an allowed magnitude with at most `digits` fraction digits lies in `low..<high`.
    ///
    /// With `anywhere`, the bounds of the rules do not matter.
    func holdsValue(
        from low: DecimalNumber, below high: DecimalNumber, digits: Int, negative isNegative: Bool, anywhere: Bool
    ) -> Bool {
        // Whole numbers first: they are few digits long, and mostly there is one.
        if digits > 0, firstValue(low, high, digits: 0, negative: isNegative, anywhere: anywhere) != nil { return true }
        return firstValue(low, high, digits: digits, negative: isNegative, anywhere: anywhere) != nil
    }

    /// The shortest whole number of a sign, where it is seen at once that nothing of that sign is shorter.
    ///
    /// Nil for no number of that sign at all.
    func shortestWhole(negative isNegative: Bool) -> (isKnown: Bool, digits: Int?) {
        guard let range = range(negative: isNegative) else { return (true, nil) }
        let limit = DecimalNumber(coefficient: 1, exponent: integerDigits)
        guard let value = firstValue(.zero, limit, digits: 0, negative: isNegative, anywhere: false) else {
            return (false, nil)
        }
        func count(_ value: DecimalNumber) -> Int { max(1, value.significantDigits + value.exponent) }
        // What lies below it takes a point and a digit more than the bound.
        return (count(value) <= (range.low.isZero ? 1 : count(range.low)) + 1, count(value))
    }

    /// The least allowed magnitude with at most `digits` fraction digits in `low..<high`.
    private func firstValue(
        _ low: DecimalNumber, _ high: DecimalNumber, digits: Int, negative isNegative: Bool, anywhere: Bool
    ) -> DecimalNumber? {
        var low = low
        var lowIsOpen = false
        var high = high
        var highIsOpen = true
        if !anywhere {
            guard let range = range(negative: isNegative) else { return nil }
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
        if low > high { return nil }
        let step = knownStep(digits)
        if step.isExcluded { return nil }
        guard var candidate = step.value.smallestMultiple(atLeast: low) else { return nil }
        if lowIsOpen, candidate == low { candidate = candidate + step.value }
        let excluded = isNegative ? excludedNegative : excludedPositive
        for _ in 0..<Self.maximumCandidates {
            if candidate > high || (highIsOpen && candidate == high) { return nil }
            if let end = excluded.end(ofRunWith: candidate) {
                guard let next = step.value.smallestMultiple(atLeast: end) else { return nil }
                candidate = next == end ? end + step.value : next
                continue
            }
            let isBad =
                rules.notMultiples.contains { candidate.isMultiple(of: $0) }
                || (isNegative && candidate.isZero && !allowsNegativeZero) || !isBinaryMultiple(candidate)
            if !isBad { return candidate }
            candidate = candidate + step.value
        }
        hasGivenUp = true
        return nil
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
        return (isNegative ? excludedNegative : excludedPositive).end(ofRunWith: value) == nil
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

/// Magnitudes that are left out: runs of multiples of a step, sorted.
private struct ExcludedRuns {
    private var first: [DecimalNumber] = []
    private var last: [DecimalNumber] = []
    private var step: DecimalNumber?

    init() {}

    /// Runs of sorted magnitudes. Those that are no multiples of the step do not matter; without a step, each is a run.
    init(_ values: [DecimalNumber], step: DecimalNumber?) {
        self.step = step
        for value in values {
            if let step {
                guard value.isMultiple(of: step) else { continue }
                if let end = last.last, end + step == value {
                    last[last.count - 1] = value
                    continue
                }
            }
            first.append(value)
            last.append(value)
        }
    }

    /// The last value of the run that a value lies in.
    func end(ofRunWith value: DecimalNumber) -> DecimalNumber? {
        if first.isEmpty { return nil }
        var low = 0
        var high = first.count
        while low < high {
            let middle = (low + high) / 2
            if first[middle] <= value { low = middle + 1 } else { high = middle }
        }
        guard low > 0, value <= last[low - 1] else { return nil }
        if let step, !value.isMultiple(of: step) { return nil }
        return last[low - 1]
    }
}
