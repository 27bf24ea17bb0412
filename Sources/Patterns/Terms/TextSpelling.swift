// SPDX-License-Identifier: Apache-2.0

/// How scalars are spelled where an automaton's texts are written: what a text costs in bytes.
package enum TextSpelling: Hashable, Sendable {
    /// Inside a JSON string.
    case json
    /// As UTF-8, each scalar as itself.
    case plain

    /// How many bytes the shortest usual spelling of a scalar has.
    func cost(_ value: UInt32) -> Int {
        switch value {
        case 0x22, 0x5C, 0x08, 0x09, 0x0A, 0x0C, 0x0D: self == .json ? 2 : 1
        case 0..<0x20: self == .json ? 6 : 1
        case ..<0x80: 1
        case ..<0x800: 2
        case ..<0x10000: 3
        default: 4
        }
    }

    /// Pleasant scalars first, so that witnesses are readable.
    private static let preferred: [UInt32] =
        Array(0x61...0x7A) + Array(0x30...0x39) + Array(0x41...0x5A) + [0x2D, 0x5F, 0x2E, 0x2F, 0x3A, 0x40, 0x2C, 0x20]

    /// The cheapest scalar of a set, a pleasant one if there is a choice, and its cost.
    func cheapest(in set: ScalarSet) -> (scalar: UInt32, cost: Int) {
        guard let first = set.ranges.first else { return (0, TermStore.Lengths.unbounded) }
        if first.lower < 0x80 {
            if first.lower <= 0x61, first.upper >= 0x61 { return (0x61, 1) }
            for value in Self.preferred where set.contains(value) { return (value, 1) }
        }
        var best = first.lower
        var bestCost = cost(best)
        for range in set.ranges {
            for threshold: UInt32 in [0x08, 0x09, 0x0A, 0x0C, 0x0D, 0x20, 0x23, 0x5D, 0x80, 0xA1, 0x800, 0x10000] {
                let value = max(range.lower, threshold)
                guard value <= range.upper else { continue }
                let candidate = cost(value)
                if candidate < bestCost { (best, bestCost) = (value, candidate) }
            }
            if range.lower >= 0x80, bestCost <= 2 || cost(range.lower) >= bestCost { break }
        }
        return (best, bestCost)
    }
}
