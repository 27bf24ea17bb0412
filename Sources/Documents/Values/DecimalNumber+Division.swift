// SPDX-License-Identifier: Apache-2.0

import BigInt

extension DecimalNumber {
    /// The number of digits of the coefficient; 1 for zero.
    package var significantDigits: Int {
        if large == nil {
            var (count, rest) = (1, small.magnitude / 10)
            while rest > 0 {
                count += 1
                rest /= 10
            }
            return count
        }
        return coefficient.magnitude.description.utf8.count
    }

    /// Both coefficients for the smaller of the two exponents; nil where the exponents lie too far apart.
    private func aligned(with other: DecimalNumber) -> (BigInt, BigInt, Int)? {
        let (distance, far) = exponent.subtractingReportingOverflow(other.exponent)
        guard !far, abs(distance) <= Self.maximumAlignment else { return nil }
        if distance == 0 { return (coefficient, other.coefficient, exponent) }
        if distance > 0 { return (coefficient * BigInt(10).power(distance), other.coefficient, other.exponent) }
        return (coefficient, other.coefficient * BigInt(10).power(-distance), exponent)
    }

    /// Both coefficients for the smaller of the two exponents, where they fit 64 bits with room to spare.
    func alignedSmall(with other: DecimalNumber) -> (Int64, Int64, Int)? {
        guard large == nil, other.large == nil else { return nil }
        let (distance, far) = exponent.subtractingReportingOverflow(other.exponent)
        guard !far, abs(distance) < Self.powersOfTen.count else { return nil }
        if distance >= 0 {
            let (scaled, overflow) = small.multipliedReportingOverflow(by: Self.powersOfTen[distance])
            return overflow || scaled == .min || other.small == .min ? nil : (scaled, other.small, other.exponent)
        }
        let (scaled, overflow) = other.small.multipliedReportingOverflow(by: Self.powersOfTen[-distance])
        return overflow || scaled == .min || small == .min ? nil : (small, scaled, exponent)
    }

    /// The remainder of division by a positive `step`, at least zero and below it; nothing is subtracted where
    /// the exponents are too far apart.
    package func remainder(dividingBy step: DecimalNumber) -> DecimalNumber {
        if step.isZero || isZero { return self }
        if let (a, b, exponent) = alignedSmall(with: step) {
            let rest = a % b
            return DecimalNumber(small: rest < 0 ? rest + abs(b) : rest, exponent: exponent)
        }
        guard let (a, b, exponent) = aligned(with: step) else { return self }
        let rest = a % b
        return DecimalNumber(
            coefficient: rest.sign == .minus && !rest.isZero ? rest + b.magnitudeValue : rest, exponent: exponent)
    }

    /// The smallest multiple of the positive value that is not below `bound`; nil where it cannot be computed.
    package func smallestMultiple(atLeast bound: DecimalNumber) -> DecimalNumber? {
        if isZero { return nil }
        if bound.isZero { return .zero }
        // Powers of ten divide whatever has no digits below theirs.
        if large == nil, small == 1, bound.exponent >= exponent { return bound }
        if let (a, b, exponent) = bound.alignedSmall(with: self) {
            let step = abs(b)
            var quotient = a / step
            if a % step > 0 { quotient += 1 }
            let (product, overflow) = quotient.multipliedReportingOverflow(by: step)
            if !overflow { return DecimalNumber(small: product, exponent: exponent) }
        }
        guard let (a, b, exponent) = bound.aligned(with: self) else { return nil }
        let step = b.magnitudeValue
        var (quotient, rest) = a.quotientAndRemainder(dividingBy: step)
        if rest.sign == .plus, !rest.isZero { quotient += 1 }
        rest = quotient * step
        return DecimalNumber(coefficient: rest, exponent: exponent)
    }

    /// The smallest positive number that is a multiple of both; nil where it cannot be computed.
    package func leastCommonMultiple(with other: DecimalNumber) -> DecimalNumber? {
        if isZero || other.isZero { return nil }
        if self == other { return magnitude }
        guard let (a, b, exponent) = aligned(with: other) else { return nil }
        let divisor = a.magnitude.greatestCommonDivisor(with: b.magnitude)
        return DecimalNumber(coefficient: BigInt(a.magnitude / divisor * b.magnitude), exponent: exponent)
    }
}

extension BigInt {
    fileprivate var magnitudeValue: BigInt { BigInt(magnitude) }
}
