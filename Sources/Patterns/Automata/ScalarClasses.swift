// SPDX-License-Identifier: Apache-2.0

/// The coarsest partition of the Unicode scalars that no set of a language splits.
///
/// Classes are numbered in the order of their first scalar, so that the classes of ASCII come first.
struct ScalarClasses {
    /// The class of each ASCII scalar.
    let ascii: [UInt8]
    /// How many classes there are, at least one.
    let count: Int
    /// The cheapest and most readable scalar of each class.
    let samples: [UInt32]
    /// The bytes that the sample of each class takes.
    let costs: [Int]
    /// Where the intervals begin, ascending from 0.
    private let starts: [UInt32]
    /// The class of each interval.
    private let classes: [Int32]

    init(_ sets: [ScalarSet], _ spelling: TextSpelling) {
        var events: [(position: UInt32, set: Int32)] = []
        for (index, set) in sets.enumerated() {
            for range in set.ranges {
                // Surrogates do not occur; they share the class of U+D7FF, so that no class is without scalars.
                if range.lower != 0xE000 || !set.contains(0xD7FF) { events.append((range.lower, Int32(index))) }
                if range.upper == 0xD7FF {
                    if !set.contains(0xE000) { events.append((0xE000, Int32(index))) }
                } else {
                    events.append((range.upper + 1, Int32(index)))
                }
            }
        }
        events.sort { $0.position < $1.position }
        var numbers: [Signature: Int32] = [:]
        var starts: [UInt32] = []
        var classes: [Int32] = []
        var signature = Signature()
        var index = 0
        var position: UInt32 = 0
        repeat {
            while index < events.count, events[index].position == position {
                signature.toggle(events[index].set)
                index += 1
            }
            if position > 0x10FFFF { break }
            let number = numbers[signature] ?? Int32(numbers.count)
            numbers[signature] = number
            if classes.last != number {
                starts.append(position)
                classes.append(number)
            }
            position = index < events.count ? events[index].position : 0x110000
        } while position <= 0x10FFFF
        self.starts = starts
        self.classes = classes
        count = numbers.count

        var ascii = [UInt8](repeating: 0, count: 128)
        var interval = 0
        for value in 0..<128 {
            while interval + 1 < starts.count, starts[interval + 1] <= UInt32(value) { interval += 1 }
            ascii[value] = UInt8(truncatingIfNeeded: classes[interval])
        }
        self.ascii = ascii

        var members = [[ScalarSet.Range]](repeating: [], count: numbers.count)
        for interval in starts.indices {
            let upper = interval + 1 < starts.count ? starts[interval + 1] - 1 : 0x10FFFF
            // A few ranges are enough to find a cheap sample.
            let number = Int(classes[interval])
            if members[number].count < 64 { members[number].append(ScalarSet.Range(starts[interval], upper)) }
        }
        var samples: [UInt32] = []
        var costs: [Int] = []
        for ranges in members {
            let (scalar, cost) = spelling.cheapest(in: ScalarSet(ranges))
            samples.append(scalar)
            costs.append(cost)
        }
        self.samples = samples
        self.costs = costs
    }

    /// The class of a scalar value.
    ///
    /// - Complexity: O(log *n*) in the number of intervals; constant for ASCII.
    @inline(__always)
    func classOf(_ value: UInt32) -> Int {
        value < 128 ? Int(ascii[Int(value)]) : Int(classes[interval(of: value)])
    }

    /// Calls the body with the class of each interval in the set; a class may come more than once.
    func forEachClass(in set: ScalarSet, _ body: (Int) -> Void) {
        for range in set.ranges { forEachClass(range.lower, range.upper, body) }
    }

    /// Calls the body with the class of each interval that touches the range; a class may come more than once.
    func forEachClass(_ lower: UInt32, _ upper: UInt32, _ body: (Int) -> Void) {
        var index = interval(of: lower)
        while index < starts.count, starts[index] <= upper {
            body(Int(classes[index]))
            index += 1
        }
    }

    private func interval(of value: UInt32) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) >> 1
            if starts[middle] <= value { low = middle } else { high = middle }
        }
        return low
    }

    /// Which sets a scalar belongs to: exact for the first 64 sets, a 128-bit sum of random words for the others.
    private struct Signature: Hashable {
        var exact: UInt64 = 0
        var low: UInt64 = 0
        var high: UInt64 = 0

        mutating func toggle(_ set: Int32) {
            if set < 64 {
                exact ^= 1 << UInt64(set)
            } else {
                low ^= Self.word(UInt64(set) &* 2 &+ Self.seed)
                high ^= Self.word(UInt64(set) &* 2 &+ 1 &+ Self.seed)
            }
        }

        /// Random per process, so that no input can be made to collide; the classes do not depend on it.
        private static let seed = UInt64.random(in: .min ... .max)

        private static func word(_ value: UInt64) -> UInt64 {
            var x = value &* 0x9E37_79B9_7F4A_7C15
            x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
            x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
            return x ^ (x >> 31)
        }
    }
}
