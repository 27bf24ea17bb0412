// SPDX-License-Identifier: Apache-2.0

/// A set of Unicode scalar values, kept as sorted, disjoint, non-adjacent inclusive ranges.
///
/// Surrogates are never members: complements are taken within the scalar values.
///
///     let word = ScalarSet("a"..."z").union(ScalarSet("0"..."9"))
///     word.contains(0x61)   // true
package struct ScalarSet: Hashable, Sendable {
    /// One inclusive range of scalar values.
    package struct Range: Hashable, Sendable {
        package var lower: UInt32
        package var upper: UInt32

        package init(_ lower: UInt32, _ upper: UInt32) {
            self.lower = lower
            self.upper = upper
        }
    }

    /// The ranges, in ascending order, with gaps between them.
    package private(set) var ranges: [Range]

    /// The empty set.
    package static let empty = ScalarSet()
    /// All Unicode scalar values.
    package static let all = ScalarSet(normalised: [Range(0, 0xD7FF), Range(0xE000, 0x10FFFF)])

    package init() { ranges = [] }

    private init(normalised ranges: [Range]) { self.ranges = ranges }

    /// The set of one scalar value; empty for a surrogate or a value beyond U+10FFFF.
    package init(_ value: UInt32) { self.init([Range(value, value)]) }

    /// The scalars from the first to the last bound.
    package init(_ range: ClosedRange<Unicode.Scalar>) {
        self.init([Range(range.lowerBound.value, range.upperBound.value)])
    }

    /// The scalars of a text.
    package init(of text: String) { self.init(text.unicodeScalars.map { Range($0.value, $0.value) }) }

    /// The union of ranges in any order; surrogates and values beyond U+10FFFF are left out.
    package init(_ unordered: [Range]) {
        var parts: [Range] = []
        parts.reserveCapacity(unordered.count)
        for range in unordered {
            let upper = min(range.upper, 0x10FFFF)
            guard range.lower <= upper else { continue }
            if upper < 0xD800 || range.lower > 0xDFFF {
                parts.append(Range(range.lower, upper))
            } else {
                if range.lower < 0xD800 { parts.append(Range(range.lower, 0xD7FF)) }
                if upper > 0xDFFF { parts.append(Range(0xE000, upper)) }
            }
        }
        var sorted = true
        for index in parts.indices.dropFirst() where parts[index - 1].lower > parts[index].lower {
            sorted = false
            break
        }
        if !sorted { parts.sort { $0.lower < $1.lower } }
        var merged: [Range] = []
        merged.reserveCapacity(parts.count)
        for range in parts {
            if let last = merged.last, range.lower <= last.upper &+ 1 {
                if range.upper > last.upper { merged[merged.count - 1].upper = range.upper }
            } else {
                merged.append(range)
            }
        }
        ranges = merged
    }

    package var isEmpty: Bool { ranges.isEmpty }

    /// Whether the set holds every Unicode scalar value.
    package var isAll: Bool { self == .all }

    /// How many scalars there are in the set.
    package var count: Int { ranges.reduce(0) { $0 + Int($1.upper - $1.lower) + 1 } }

    /// Whether `value` is a member.
    ///
    /// - Complexity: O(log *n*) in the number of ranges.
    package func contains(_ value: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low &+ high) >> 1
            if ranges[middle].upper < value { low = middle &+ 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lower <= value
    }

    /// The scalars in either set.
    package func union(_ other: ScalarSet) -> ScalarSet {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return ScalarSet(ranges + other.ranges)
    }

    /// The scalars in both sets.
    package func intersection(_ other: ScalarSet) -> ScalarSet {
        var result: [Range] = []
        var i = 0
        var j = 0
        while i < ranges.count, j < other.ranges.count {
            let lower = max(ranges[i].lower, other.ranges[j].lower)
            let upper = min(ranges[i].upper, other.ranges[j].upper)
            if lower <= upper { result.append(Range(lower, upper)) }
            if ranges[i].upper < other.ranges[j].upper { i += 1 } else { j += 1 }
        }
        return ScalarSet(normalised: result)
    }

    /// The scalar values that are not in the set.
    package var complement: ScalarSet {
        var result: [Range] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lower > next { result.append(Range(next, range.lower - 1)) }
            next = range.upper + 1
        }
        if next <= 0x10FFFF { result.append(Range(next, 0x10FFFF)) }
        return ScalarSet(result)
    }

    /// The scalars of this set that are not in the other.
    package func subtracting(_ other: ScalarSet) -> ScalarSet { intersection(other.complement) }
}

extension ScalarSet {
    /// `\d`: the ASCII digits.
    package static let digit = ScalarSet("0"..."9")
    /// `\w`: ASCII letters, digits and the low line.
    package static let word = ScalarSet([Range(0x30, 0x39), Range(0x41, 0x5A), Range(0x5F, 0x5F), Range(0x61, 0x7A)])
    /// `\s`: ECMA-262 white space and line terminators.
    package static let space = ScalarSet([
        Range(0x09, 0x0D), Range(0x20, 0x20), Range(0xA0, 0xA0), Range(0x1680, 0x1680), Range(0x2000, 0x200A),
        Range(0x2028, 0x2029), Range(0x202F, 0x202F), Range(0x205F, 0x205F), Range(0x3000, 0x3000),
        Range(0xFEFF, 0xFEFF),
    ])
    /// `.`: everything but line terminators.
    package static let dot = ScalarSet([
        Range(0x0A, 0x0A), Range(0x0D, 0x0D), Range(0x2028, 0x2029),
    ]).complement
}
