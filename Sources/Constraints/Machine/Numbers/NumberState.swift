// SPDX-License-Identifier: Apache-2.0

import Documents

/// How far the spelling of a number has come.
struct NumberState: Hashable {
    enum Phase: UInt8 {
        case minus, zero, integer, point, fraction, exponentMark, exponentSign, exponent, finite
    }

    /// The grid the number must lie on.
    var grid: UInt32
    var phase: Phase
    var isNegative = false
    /// Whether every value that starts this way respects the bounds, so that they need no more checks.
    var isInside = false
    /// Digits that may still come before the point; in an exponent, digits of the exponent.
    var integerLeft: Int16 = 0
    /// Digits that may still come after the point.
    var fractionLeft: Int16 = 0
    /// The magnitude read so far; zero where nothing depends on it.
    var value = DecimalNumber.zero
    /// Where there are finitely many spellings, the place among them.
    var position = FiniteTexts.Position.none
}

extension NumberState: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        let digits = UInt64(UInt16(bitPattern: integerLeft)) << 16 | UInt64(UInt16(bitPattern: fractionLeft))
        let flags = UInt64(phase.rawValue) | (isNegative ? 16 : 0) | (isInside ? 32 : 0)
        let print = mixed(mixed(seed, UInt64(grid) << 32 | digits), flags)
        return position.fingerprint(mixed(print, value.isZero ? 0 : UInt64(bitPattern: Int64(value.hashValue))))
    }
}

/// The transitions of number spellings.
struct NumberStepper {
    let grid: NumberGrid
    let number: UInt32

    private static let ten = DecimalNumber(10)
    private static let one = DecimalNumber(1)

    private func power(_ exponent: Int) -> DecimalNumber { DecimalNumber(coefficient: 1, exponent: exponent) }

    /// The state after the first byte of a number.
    func begin(_ byte: UInt8) -> NumberState? {
        if let finite = grid.finite {
            let position = finite.advance(finite.root, byte)
            return position.isEmpty ? nil : NumberState(grid: number, phase: .finite, position: position)
        }
        var state = NumberState(grid: number, phase: .minus)
        state.integerLeft = Int16(clamping: grid.integerDigits)
        state.fractionLeft = Int16(clamping: grid.fractionDigits)
        if byte == UInt8(ascii: "-") {
            state.isNegative = true
            return settled(state)
        }
        return firstDigit(state, byte)
    }

    private func firstDigit(_ state: NumberState, _ byte: UInt8) -> NumberState? {
        guard byte &- 0x30 < 10 else { return nil }
        var next = state
        next.phase = byte == 0x30 ? .zero : .integer
        next.integerLeft -= 1
        next.value = DecimalNumber(Int(byte &- 0x30))
        return settled(next)
    }

    /// The state after one more byte, or nil where no allowed number continues that way.
    func advance(_ state: NumberState, _ byte: UInt8) -> NumberState? {
        if state.phase == .finite {
            guard let finite = grid.finite else { return nil }
            var next = state
            next.position = finite.advance(state.position, byte)
            return next.position.isEmpty ? nil : next
        }
        let isDigit = byte &- 0x30 < 10
        var next = state
        switch state.phase {
        case .minus: return firstDigit(state, byte)
        case .zero, .integer:
            if isDigit {
                guard state.phase == .integer, state.integerLeft > 0 else { return nil }
                next.integerLeft -= 1
                next.value = state.value * Self.ten + DecimalNumber(Int(byte &- 0x30))
                return settled(next)
            }
            if byte == UInt8(ascii: ".") {
                guard state.fractionLeft > 0 else { return nil }
                next.phase = .point
                next.integerLeft = 0
                return settled(next)
            }
            return exponentMark(state, byte)
        case .point, .fraction:
            if isDigit {
                guard state.fractionLeft > 0 else { return nil }
                next.phase = .fraction
                next.fractionLeft -= 1
                let typed = grid.fractionDigits - Int(next.fractionLeft)
                next.value = state.value + DecimalNumber(Int(byte &- 0x30)) * power(-typed)
                return settled(next)
            }
            return state.phase == .fraction ? exponentMark(state, byte) : nil
        case .exponentMark:
            if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
                next.phase = .exponentSign
                return next
            }
            fallthrough
        case .exponentSign, .exponent:
            guard isDigit, state.integerLeft > 0 else { return nil }
            next.phase = .exponent
            next.integerLeft -= 1
            return next
        case .finite: return nil
        }
    }

    private func exponentMark(_ state: NumberState, _ byte: UInt8) -> NumberState? {
        // Where only the sign matters, a power of ten changes nothing.
        guard grid.isUnconstrained || (grid.asksForSignOnly && state.isInside), byte == UInt8(ascii: "e"),
            grid.exponentDigits > 0
        else { return nil }
        var next = NumberState(grid: number, phase: .exponentMark)
        next.integerLeft = Int16(clamping: grid.exponentDigits)
        return next
    }

    /// The state in its one form, or nil where it has no completion.
    private func settled(_ state: NumberState) -> NumberState? {
        var state = state
        if grid.isUnconstrained {
            state.isInside = true
            state.isNegative = false
            state.value = .zero
            return state
        }
        if !state.isInside { enter(&state) }
        guard isViable(state) else { return nil }
        if state.isInside {
            if grid.isPlain && (grid.rules.multiple == nil || state.phase != .minus) {
                // Everything that fits the digits is allowed.
                state.value = .zero
                state.isNegative = false
            } else if grid.rules.notMultiples.isEmpty, grid.rules.excluded.isEmpty, grid.binaryStep == nil {
                let digits = grid.fractionDigits - Int(state.fractionLeft)
                if state.phase == .integer, grid.allowsIntegers {
                    state.value = .zero
                } else if state.phase == .integer || state.phase == .point || state.phase == .fraction {
                    state.value = state.value.remainder(dividingBy: grid.step(digits))
                }
                state.isNegative = false
            }
        }
        return state
    }

    /// Notes that the bounds are respected by every continuation, where that is so.
    private func enter(_ state: inout NumberState) {
        switch state.phase {
        case .zero, .point:
            if grid.isUnboundedWithZero(negative: state.isNegative)
                || grid.contains(from: state.value, below: state.value + Self.one, negative: state.isNegative)
            {
                // A negative zero must stay visible where it is not allowed.
                if state.isNegative, !grid.allowsNegativeZero { return }
                state.isInside = true
            }
        case .fraction:
            if state.isNegative, !grid.allowsNegativeZero, state.value.isZero { return }
            let typed = grid.fractionDigits - Int(state.fractionLeft)
            state.isInside = grid.contains(
                from: state.value, below: state.value + power(-typed), negative: state.isNegative)
        case .integer:
            // The usual case needs no arithmetic: a first digit that is not zero, and no bounds on this side.
            if grid.isUnbounded(negative: state.isNegative) {
                state.isInside = true
                return
            }
            guard grid.contains(from: state.value, below: state.value + Self.one, negative: state.isNegative) else {
                return
            }
            var more = 0
            var low = state.value
            var high = state.value + Self.one
            while more < Int(state.integerLeft) {
                low = low * Self.ten
                high = high * Self.ten
                guard grid.contains(from: low, below: high, negative: state.isNegative) else { break }
                more += 1
            }
            if more < Int(state.integerLeft) {
                guard grid.endsBefore(low, negative: state.isNegative) else { return }
                state.integerLeft = Int16(more)
            }
            state.isInside = true
        default: break
        }
    }

    /// Whether some allowed number begins this way.
    private func isViable(_ state: NumberState) -> Bool {
        if state.isInside, grid.isPlain { return true }
        if grid.allowsIntegers {
            switch state.phase {
            case .integer: if state.isInside { return true }
            // A negative zero may not be allowed.
            case .zero: if state.isInside, !state.isNegative || grid.allowsNegativeZero { return true }
            case .minus: if grid.isUnbounded(negative: true), grid.integerDigits > 0 { return true }
            default: break
            }
        }
        let digits = grid.fractionDigits
        func holds(_ low: DecimalNumber, _ high: DecimalNumber) -> Bool {
            grid.holdsValue(
                from: low, below: high, digits: digits, negative: state.isNegative, anywhere: state.isInside)
        }
        switch state.phase {
        case .minus: return holds(.zero, power(grid.integerDigits))
        case .zero, .point: return holds(state.value, state.value + Self.one)
        case .fraction:
            return holds(state.value, state.value + power(-(digits - Int(state.fractionLeft))))
        case .integer:
            let first = leastShift(state)
            if first > max(0, Int(state.integerLeft)) { return false }
            var low = state.value * power(first)
            var high = (state.value + Self.one) * power(first)
            for _ in first...max(0, Int(state.integerLeft)) {
                if holds(low, high) { return true }
                low = low * Self.ten
                high = high * Self.ten
                if !state.isInside, grid.endsBefore(low, negative: state.isNegative) { return false }
            }
            return false
        default: return true
        }
    }

    /// Whether the digits from 1 to 9 all may come next, and lead to one state.
    func takesDigitsAlike(_ state: NumberState) -> Bool {
        switch state.phase {
        case .minus: grid.allowsIntegers && grid.isUnbounded(negative: true)
        case .integer: state.isInside && (grid.isPlain || grid.allowsIntegers)
        case .point, .fraction: state.isInside && grid.isPlain
        case .exponentMark, .exponentSign, .exponent: true
        case .zero, .finite: false
        }
    }

    /// How many digits must come before the point at least, so that the number reaches the bounds.
    private func leastShift(_ state: NumberState) -> Int {
        if state.isInside || state.value.isZero { return 0 }
        let digits = state.value.significantDigits + state.value.exponent
        return grid.leastShift(digits: digits, negative: state.isNegative)
    }

    /// The fewest digits after the point, of `low...high`, with which the interval holds a value; nil where none do.
    ///
    /// With more digits there are more values.
    private func fewestDigits(_ low: Int, _ high: Int, _ holds: (Int) -> Bool) -> Int? {
        if low > high { return nil }
        if holds(low) { return low }
        var (low, high) = (low, high)
        guard low < high, holds(high) else { return nil }
        while high - low > 1 {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// Whether the number may end here.
    func isComplete(_ state: NumberState) -> Bool {
        switch state.phase {
        case .minus, .point, .exponentMark, .exponentSign: return false
        case .exponent: return true
        case .finite: return grid.finite?.isComplete(state.position) ?? false
        case .zero, .integer, .fraction:
            if state.isInside, grid.isPlain || state.phase == .integer && grid.allowsIntegers { return true }
            return grid.allows(state.value, negative: state.isNegative, anywhere: state.isInside)
        }
    }

    /// The number of bytes that complete the shortest number beginning this way.
    func cost(_ state: NumberState) -> Cost {
        switch state.phase {
        case .exponent: return 0
        case .exponentMark, .exponentSign: return 1
        case .finite: return grid.finite?.shortestRest(state.position) ?? .infinite
        default: break
        }
        if state.phase != .minus, isComplete(state) { return 0 }
        let digits = grid.fractionDigits
        func holds(_ low: DecimalNumber, _ high: DecimalNumber, _ digits: Int) -> Bool {
            grid.holdsValue(
                from: low, below: high, digits: digits, negative: state.isNegative, anywhere: state.isInside)
        }
        switch state.phase {
        case .minus:
            var best = Cost.infinite
            for byte in UInt8(ascii: "0")...UInt8(ascii: "9") {
                if best == 1 { break }
                if let next = firstDigit(state, byte) { best = min(best, Cost.sum(1, cost(next))) }
            }
            return best
        case .zero, .point:
            if state.isInside, grid.isPlain { return state.phase == .zero ? 0 : 1 }
            let extra = state.phase == .zero ? 1 : 0
            let count = fewestDigits(1, digits) { holds(state.value, state.value + Self.one, $0) }
            return count.map { extra + $0 } ?? .infinite
        case .fraction:
            let typed = digits - Int(state.fractionLeft)
            let high = state.value + power(-typed)
            return fewestDigits(typed, digits) { holds(state.value, high, $0) }.map { $0 - typed } ?? .infinite
        case .integer:
            var best = Cost.infinite
            var more = leastShift(state)
            while more <= Int(state.integerLeft), more < best {
                let low = state.value * power(more)
                let high = (state.value + Self.one) * power(more)
                if holds(low, high, 0) {
                    best = more
                    break
                }
                // With a fraction, a point and at least a digit come too.
                let count = fewestDigits(1, min(digits, best - more - 2)) { holds(low, high, $0) }
                if let count { best = min(best, more + 1 + count) }
                if !state.isInside, grid.endsBefore(high, negative: state.isNegative) { break }
                more += 1
            }
            return best
        default: return .infinite
        }
    }

    /// The cost of a whole number.
    func cheapest() -> Cost {
        if let finite = grid.finite { return finite.shortestRest(finite.root) }
        if grid.isUnconstrained { return 1 }
        if let known = grid.cheapest { return known }
        let cost = findCheapest()
        grid.cheapest = cost
        return cost
    }

    private func findCheapest() -> Cost {
        let positive = grid.shortestWhole(negative: false)
        if positive.isKnown, positive.digits == 1 { return 1 }
        let negative = grid.shortestWhole(negative: true)
        if positive.isKnown, negative.isKnown {
            return min(positive.digits ?? .infinite, negative.digits.map { $0 + 1 } ?? .infinite)
        }
        var best = Cost.infinite
        for byte in Array("0123456789-".utf8) {
            if best == 1 { break }
            if let state = begin(byte) { best = min(best, Cost.sum(1, cost(state))) }
        }
        return best
    }

    private static let digitBytes = ByteSet("0123456789".utf8)
    private static let numberBytes = ByteSet("0123456789.e+-".utf8)

    /// The bytes that may come next in some state, perhaps more.
    func candidates(_ state: NumberState) -> ByteSet {
        if state.phase == .finite { return grid.finite?.nextBytes(state.position) ?? ByteSet() }
        return state.phase == .minus ? Self.digitBytes : Self.numberBytes
    }
}
