// SPDX-License-Identifier: Apache-2.0

/// A conjunction of array assertions.
struct ArrayRules: Hashable {
    /// The obligations of one schema for the elements of a prefix and for the elements after it.
    struct Group: Hashable {
        var prefix: [Literal]
        var rest: Literal?
    }

    /// How many elements from `from` on must meet a literal.
    struct Counter: Hashable {
        var literal: Literal
        var from: Int
        var minimum: Int
        var maximum: Int?
    }

    var groups: [Group] = []
    /// Obligations of single elements.
    var elements: [Int: [Literal]] = [:]
    var minItems = 0
    var maxItems: Int?
    var counters: [Counter] = []
    var isUnique = false
    /// Constants the array must not equal.
    var excluded: Set<UInt32> = []

    mutating func restrict(maxItems limit: Int) { maxItems = min(maxItems ?? limit, limit) }
}

/// An array's obligations, with one node per element.
final class ArrayShape: Hashable {
    let prefix: [NodeID]
    let rest: NodeID
    let minItems: Int
    let maxItems: Int?
    let counters: [ArrayRules.Counter]
    let isUnique: Bool
    let excluded: [UInt32]
    /// Elements from here on are alike.
    let horizon: Int

    init(
        prefix: [NodeID], rest: NodeID, minItems: Int, maxItems: Int?, counters: [ArrayRules.Counter], isUnique: Bool,
        excluded: [UInt32], horizon: Int
    ) {
        self.prefix = prefix
        self.rest = rest
        self.minItems = minItems
        self.maxItems = maxItems
        self.counters = counters
        self.isUnique = isUnique
        self.excluded = excluded
        self.horizon = horizon
    }

    static func == (a: ArrayShape, b: ArrayShape) -> Bool {
        a.prefix == b.prefix && a.rest == b.rest && a.minItems == b.minItems && a.maxItems == b.maxItems
            && a.counters == b.counters && a.isUnique == b.isUnique && a.excluded == b.excluded
            && a.horizon == b.horizon
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(prefix)
        hasher.combine(rest)
        hasher.combine(minItems)
        hasher.combine(maxItems)
        hasher.combine(counters)
        hasher.combine(isUnique)
        hasher.combine(excluded)
    }

    /// Whether only the number of elements and their nodes matter.
    var isSimple: Bool { counters.isEmpty && excluded.isEmpty && !isUnique }

    func node(at index: Int) -> NodeID { index < prefix.count ? prefix[index] : rest }
}

/// What is left of an array after some elements.
struct ArrayState: Hashable {
    var shape: UInt32
    /// The number of elements so far, no larger than needed.
    var index: UInt32 = 0
    /// How often each counter has counted, as an interned list.
    var counts: UInt32 = 0
    /// The excluded constants that the elements so far agree with, as an interned list.
    var agreeing: UInt32 = 0
    /// The elements so far where they must differ, as an interned list of constants.
    var used: UInt32 = 0
    /// Whether one more element is being read, whose value is not in ``used`` yet.
    var isValueOpen = false
}

extension ArrayState: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        var print = mixed(seed, UInt64(shape) << 32 | UInt64(index))
        print = mixed(print, UInt64(counts) << 32 | UInt64(agreeing))
        return mixed(print, UInt64(used) << 1 | (isValueOpen ? 1 : 0))
    }
}
