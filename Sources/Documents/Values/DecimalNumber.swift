// SPDX-License-Identifier: Apache-2.0

public import BigInt

/// An exact decimal number: an integer coefficient times a power of ten.
///
/// JSON does not bound the size or the precision of a number, and schemas compare and divide numbers; binary floating
/// point would change both. A value is kept normalised (no trailing zero in the coefficient, zero is `0 × 10⁰`), so
/// that `1`, `1.0` and `10e-1` are the same value with the same hash.
///
///     let step = DecimalNumber("0.01")
///     DecimalNumber("19.99")?.isMultiple(of: step!)  // true
///
/// Coefficients that fit 64 bits are stored without an allocation.
///
/// - Invariant: `large` is nil exactly when the coefficient fits `Int64`; then it is `small`.
public struct DecimalNumber: Sendable {
    /// A coefficient beyond 64 bits.
    final class Large: Sendable {
        let value: BigInt
        init(_ value: BigInt) { self.value = value }
    }

    /// The most significant digits a number may be written with.
    public static let maximumDigits = 20_000
    /// The largest magnitude of an exponent that is read.
    public static let maximumExponent = 1_000_000_000_000

    let small: Int64
    let large: Large?
    /// The power of ten that the coefficient is multiplied by.
    public let exponent: Int

    /// The number zero.
    public static let zero = DecimalNumber(0)

    /// Creates a number from parts that are already normalised.
    init(normalized small: Int64, exponent: Int) {
        self.small = small
        self.large = nil
        self.exponent = exponent
    }

    private init(normalizedLarge large: BigInt, exponent: Int) {
        self.small = 0
        self.large = Large(large)
        self.exponent = exponent
    }

    init(small: Int64, exponent: Int) {
        guard small != 0 else {
            self.init(normalized: 0, exponent: 0)
            return
        }
        var (coefficient, power) = (small, exponent)
        while coefficient % 10 == 0 {
            coefficient /= 10
            power = power.addingSaturated(1)
        }
        self.init(normalized: coefficient, exponent: power)
    }

    /// Creates the number with the integer's value.
    public init(_ value: Int) { self.init(small: Int64(value), exponent: 0) }

    /// Creates the number `coefficient × 10^exponent`.
    public init(coefficient: BigInt, exponent: Int) {
        if let small = Int64(exactly: coefficient) {
            self.init(small: small, exponent: exponent)
            return
        }
        var (rest, power) = (coefficient, exponent)
        // Large steps first: dividing out one digit at a time is quadratic in the number of zeros.
        var step = 1024
        while step > 0 {
            let divisor = BigInt(10).power(step)
            while true {
                let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: divisor)
                if !remainder.isZero { break }
                rest = quotient
                power = power.addingSaturated(step)
            }
            step /= 2
        }
        if let small = Int64(exactly: rest) {
            self.init(normalized: small, exponent: power)
        } else {
            self.init(normalizedLarge: rest, exponent: power)
        }
    }

    /// The integer that the power of ten multiplies; not divisible by ten unless zero.
    public var coefficient: BigInt { large?.value ?? BigInt(small) }

    /// Whether the value is zero.
    public var isZero: Bool { large == nil && small == 0 }

    /// Whether the value is below zero.
    public var isNegative: Bool { large.map { $0.value.sign == .minus } ?? (small < 0) }

    /// Whether the value has no fractional part, however it was written.
    public var isInteger: Bool { exponent >= 0 }

    /// The value as an `Int`, or nil where it is not an integer or does not fit.
    public var intValue: Int? {
        guard large == nil, exponent >= 0, exponent < Self.powersOfTen.count else { return nil }
        let (value, overflow) = small.multipliedReportingOverflow(by: Self.powersOfTen[exponent])
        return overflow ? nil : Int(exactly: value)
    }

    /// The nearest binary floating-point value; infinite where the number is beyond its range.
    public var doubleValue: Double {
        if large == nil, small.magnitude <= 1 << 53, abs(exponent) <= 22 {
            // Both operands are exact, so the one operation rounds correctly.
            return exponent < 0
                ? Double(small) / Self.exactPowersOfTen[-exponent] : Double(small) * Self.exactPowersOfTen[exponent]
        }
        return Double("\(coefficient)e\(exponent)") ?? (isNegative ? -Double.infinity : Double.infinity)
    }

    static let powersOfTen: [Int64] = {
        var powers: [Int64] = [1]
        while powers.count < 19 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    private static let exactPowersOfTen: [Double] = {
        var powers: [Double] = [1]
        while powers.count < 23 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()
}

extension Int {
    /// The sum, held at the limits of the type.
    func addingSaturated(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? Int.min : Int.max) : sum
    }
}

extension DecimalNumber: Hashable {
    public static func == (a: DecimalNumber, b: DecimalNumber) -> Bool {
        guard a.exponent == b.exponent, a.small == b.small else { return false }
        switch (a.large, b.large) {
        case (nil, nil): return true
        case (let x?, let y?): return x.value == y.value
        default: return false
        }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(exponent)
        if let large { hasher.combine(large.value) } else { hasher.combine(small) }
    }
}

extension DecimalNumber: Comparable {
    public static func < (a: DecimalNumber, b: DecimalNumber) -> Bool { a.compare(b) < 0 }

    /// Negative, zero or positive as the value is below, equal to or above `other`; powers of ten are never expanded
    /// beyond the length of the other coefficient.
    func compare(_ other: DecimalNumber) -> Int {
        if large == nil, other.large == nil {
            if exponent == other.exponent || small == 0 || other.small == 0 || (small < 0) != (other.small < 0) {
                return small < other.small ? -1 : (small > other.small ? 1 : 0)
            }
            let swap = exponent < other.exponent
            let (high, low) = swap ? (other, self) : (self, other)
            let highSign = (high.small < 0 ? -1 : 1) * (swap ? -1 : 1)
            let (distance, far) = high.exponent.subtractingReportingOverflow(low.exponent)
            guard !far, distance < Self.powersOfTen.count else { return highSign }
            let (scaled, overflow) = high.small.multipliedReportingOverflow(by: Self.powersOfTen[distance])
            if overflow { return highSign }
            let order = scaled < low.small ? -1 : (scaled > low.small ? 1 : 0)
            return swap ? -order : order
        }
        if isNegative != other.isNegative { return isNegative ? -1 : 1 }
        if isZero { return other.isNegative ? 1 : -1 }
        if other.isZero { return isNegative ? -1 : 1 }
        let swap = exponent < other.exponent
        let (high, low) = swap ? (other, self) : (self, other)
        let highSign = (high.isNegative ? -1 : 1) * (swap ? -1 : 1)
        let (distance, far) = high.exponent.subtractingReportingOverflow(low.exponent)
        // 3 bits a digit is an upper bound on the digits of the lower coefficient.
        guard !far, distance <= low.coefficient.magnitude.bitWidth / 3 + 1 else { return highSign }
        let scaled = high.coefficient * BigInt(10).power(distance)
        let order = scaled < low.coefficient ? -1 : (scaled > low.coefficient ? 1 : 0)
        return swap ? -order : order
    }
}
