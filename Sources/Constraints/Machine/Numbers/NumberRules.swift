// SPDX-License-Identifier: Apache-2.0

import Documents

/// A conjunction of number assertions, simplified.
struct NumberRules: Hashable {
    /// One end of an interval.
    struct Bound: Hashable {
        var value: DecimalNumber
        /// Whether the value itself is outside.
        var isOpen: Bool
    }

    var lower: Bound?
    var upper: Bound?
    /// Every value is a multiple of this.
    var multiple: DecimalNumber?
    /// No value is a multiple of any of these.
    var notMultiples: [DecimalNumber] = []
    /// No value is one of these; sorted.
    var excluded: [DecimalNumber] = []
    /// Every value is one of these, where it is not nil; sorted, and already filtered by everything above.
    var finite: [DecimalNumber]?

    /// Whether every number is allowed.
    var isUnconstrained: Bool {
        lower == nil && upper == nil && multiple == nil && notMultiples.isEmpty && excluded.isEmpty && finite == nil
    }

    mutating func raise(lower bound: Bound) {
        if let old = lower, old.value > bound.value || (old.value == bound.value && (old.isOpen || !bound.isOpen)) {
            return
        }
        lower = bound
    }

    mutating func reduce(upper bound: Bound) {
        if let old = upper, old.value < bound.value || (old.value == bound.value && (old.isOpen || !bound.isOpen)) {
            return
        }
        upper = bound
    }

    /// Demands multiples of `step`; false where the common multiple cannot be computed.
    mutating func require(multipleOf step: DecimalNumber) -> Bool {
        guard let old = multiple else {
            multiple = step.magnitude
            return true
        }
        guard let common = old.leastCommonMultiple(with: step) else { return false }
        multiple = common
        return true
    }

    mutating func exclude(_ values: some Sequence<DecimalNumber>) {
        for value in values {
            var low = 0
            var high = excluded.count
            while low < high {
                let middle = (low + high) / 2
                if excluded[middle] < value { low = middle + 1 } else { high = middle }
            }
            if low == excluded.count || excluded[low] != value { excluded.insert(value, at: low) }
        }
    }

    mutating func restrict(to values: [DecimalNumber]) {
        if let old = finite {
            let allowed = Set(values)
            finite = old.filter { allowed.contains($0) }
        } else {
            var sorted = values
            if !zip(values, values.dropFirst()).allSatisfy({ $0 < $1 }) {
                sorted.sort()
                var last: DecimalNumber?
                sorted.removeAll { value in
                    defer { last = value }
                    return value == last
                }
            }
            finite = sorted
        }
    }

    /// Whether the value satisfies all rules.
    func allows(_ value: DecimalNumber) -> Bool {
        if let lower, value < lower.value || (lower.isOpen && value == lower.value) { return false }
        if let upper, value > upper.value || (upper.isOpen && value == upper.value) { return false }
        if let multiple, !value.isMultiple(of: multiple) { return false }
        if notMultiples.contains(where: { value.isMultiple(of: $0) }) { return false }
        if excluded.contains(value) { return false }
        if let finite, !finite.contains(value) { return false }
        return true
    }

    /// Brings the rules into one form; false where they are seen to allow nothing.
    mutating func simplify() -> Bool {
        notMultiples = Array(Set(notMultiples.map(\.magnitude))).sorted()
        if let values = finite {
            finite = nil
            let kept = values.filter { allows($0) }
            self = NumberRules()
            finite = kept
            return !kept.isEmpty
        }
        if let multiple {
            if notMultiples.contains(where: { multiple.isMultiple(of: $0) }) { return false }
            excluded.removeAll { !$0.isMultiple(of: multiple) }
        }
        excluded.removeAll { value in
            if let lower, value < lower.value { return true }
            if let upper, value > upper.value { return true }
            return notMultiples.contains { value.isMultiple(of: $0) }
        }
        if let lower, let upper {
            if lower.value > upper.value { return false }
            if lower.value == upper.value {
                if lower.isOpen || upper.isOpen { return false }
                let value = lower.value
                let allowed = allows(value)
                self = NumberRules()
                finite = [value]
                return allowed
            }
        }
        return true
    }
}
