// SPDX-License-Identifier: Apache-2.0

import BigInt

extension DecimalNumber {
    /// How far two exponents may lie apart for a sum to be computed digit by digit.
    static let maximumAlignment = 40_000

    /// Whether the value divided by `other` is an integer, decided exactly and without expanding powers of ten.
    ///
    /// Only zero is a multiple of zero.
    public func isMultiple(of other: DecimalNumber) -> Bool {
        if isZero { return true }
        if other.isZero { return false }
        // The coefficient has no factor ten, so a divisor with a larger power of ten cannot divide it.
        let (distance, far) = exponent.subtractingReportingOverflow(other.exponent)
        guard !far, distance >= 0 else { return false }
        if large == nil, other.large == nil, distance < Self.powersOfTen.count, other.small != -1 {
            let (scaled, overflow) = small.multipliedReportingOverflow(by: Self.powersOfTen[distance])
            if !overflow { return scaled % other.small == 0 }
        }
        let divisor = other.coefficient.magnitude
        let power = BigUInt(10).power(BigUInt(distance), modulus: divisor)
        return (coefficient.magnitude % divisor * power % divisor).isZero
    }

    /// The value with its sign turned.
    public static prefix func - (number: DecimalNumber) -> DecimalNumber {
        if number.large == nil, number.small != Int64.min {
            return DecimalNumber(normalized: -number.small, exponent: number.exponent)
        }
        return DecimalNumber(coefficient: -number.coefficient, exponent: number.exponent)
    }

    /// The value without its sign.
    public var magnitude: DecimalNumber { isNegative ? -self : self }

    /// The sum; exact while the exponents lie within 40,000 of each other, else the operand of larger magnitude.
    public static func + (a: DecimalNumber, b: DecimalNumber) -> DecimalNumber {
        if a.isZero { return b }
        if b.isZero { return a }
        if a.exponent == b.exponent, a.large == nil, b.large == nil {
            let (sum, overflow) = a.small.addingReportingOverflow(b.small)
            if !overflow { return DecimalNumber(small: sum, exponent: a.exponent) }
        }
        if let (left, right, exponent) = a.alignedSmall(with: b) {
            let (sum, overflow) = left.addingReportingOverflow(right)
            if !overflow { return DecimalNumber(small: sum, exponent: exponent) }
        }
        let (high, low) = a.exponent < b.exponent ? (b, a) : (a, b)
        let (distance, far) = high.exponent.subtractingReportingOverflow(low.exponent)
        guard !far, distance <= maximumAlignment else { return a.magnitude < b.magnitude ? b : a }
        let sum = high.coefficient * BigInt(10).power(distance) + low.coefficient
        return DecimalNumber(coefficient: sum, exponent: low.exponent)
    }

    /// The difference, under the same bound as the sum.
    public static func - (a: DecimalNumber, b: DecimalNumber) -> DecimalNumber { a + (-b) }

    /// The product, exact.
    public static func * (a: DecimalNumber, b: DecimalNumber) -> DecimalNumber {
        let exponent = a.exponent.addingSaturated(b.exponent)
        if a.large == nil, b.large == nil {
            let (product, overflow) = a.small.multipliedReportingOverflow(by: b.small)
            if !overflow { return DecimalNumber(small: product, exponent: exponent) }
        }
        return DecimalNumber(coefficient: a.coefficient * b.coefficient, exponent: exponent)
    }

    /// The largest integer that is not above the value; nil where it would have more than 40,000 digits.
    public var floor: DecimalNumber? {
        if isInteger { return self }
        guard exponent >= -Self.maximumAlignment else { return isNegative ? DecimalNumber(-1) : .zero }
        let divisor = BigInt(10).power(-exponent)
        var (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: divisor)
        if isNegative, !remainder.isZero { quotient -= 1 }
        remainder = 0
        return DecimalNumber(coefficient: quotient, exponent: 0)
    }

    /// The smallest integer that is not below the value.
    public var ceiling: DecimalNumber? { (-self).floor.map { -$0 } }
}
