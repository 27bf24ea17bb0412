// SPDX-License-Identifier: Apache-2.0

import Patterns

/// The number of an object key in ``SchemaMachine/keys``.
typealias KeyID = UInt32

/// Different keys in the order in which they came.
struct KeyList: Hashable, Sequence {
    private(set) var list: [KeyID] = []
    private var members: Set<KeyID> = []

    var count: Int { list.count }

    func contains(_ key: KeyID) -> Bool { members.contains(key) }

    mutating func insert(_ key: KeyID) {
        if members.insert(key).inserted { list.append(key) }
    }

    func makeIterator() -> IndexingIterator<[KeyID]> { list.makeIterator() }

    static func == (a: KeyList, b: KeyList) -> Bool { a.list == b.list }
    func hash(into hasher: inout Hasher) { hasher.combine(list) }
}

/// Which keys an obligation is about.
struct KeyCondition: Hashable {
    /// The key matches this.
    var pattern: Pattern?
    /// The key is none of these.
    var notNames: [KeyID] = []
    /// The key matches none of these.
    var notPatterns: [Pattern] = []
    /// The key, as a string, meets this.
    var name: Literal?
}

/// A conjunction of object assertions.
struct ObjectRules: Hashable {
    struct Name: Hashable {
        var key: KeyID
        var literal: Literal?
    }

    struct PatternName: Hashable {
        var pattern: Pattern
        var literal: Literal?
    }

    /// The obligations of one schema for the values of its keys.
    struct Group: Hashable {
        var names: [Name] = []
        var patterns: [PatternName] = []
        /// For keys that neither `names` nor `patterns` mention.
        var rest: Literal?

        /// Whether only named keys may come.
        var isClosed: Bool { rest == .never && patterns.isEmpty }
    }

    /// Some member's key meets the condition and its value the literal.
    struct Obligation: Hashable {
        var condition: KeyCondition
        var literal: Literal?
    }

    /// Numbers of groups in ``SchemaMachine/groups``.
    var groups: [UInt32] = []
    var required = KeyList()
    var forbidden: Set<KeyID> = []
    /// Obligations for the values of single keys that must be there.
    var members: [Name] = []
    var names: [Literal] = []
    var minProperties = 0
    var maxProperties: Int?
    var obligations: [Obligation] = []
    /// Keys that come first, in this order: `x-order`.
    var order: [KeyID] = []
    /// Constants the object must not equal.
    var excluded: Set<UInt32> = []

    mutating func restrict(maxProperties limit: Int) { maxProperties = min(maxProperties ?? limit, limit) }

    /// Demands the key; false where it is forbidden.
    mutating func require(_ key: KeyID) -> Bool {
        if forbidden.contains(key) { return false }
        required.insert(key)
        return true
    }

    /// Forbids the key; false where it is required.
    mutating func forbid(_ key: KeyID) -> Bool {
        if required.contains(key) { return false }
        forbidden.insert(key)
        return true
    }
}

/// An object's obligations, decided per key.
final class ObjectShape {
    struct NamedKey {
        /// The key in UTF-8.
        var key: [UInt8]
        /// The key as it is spelled between the quotes.
        var spelling: [UInt8]
        var node: NodeID
        var isRequired: Bool
        /// Obligations that a member with this key can meet, as a bit set.
        var meets: UInt32
    }

    /// Keys without a name of their own that share a node.
    struct AnonymousKeys {
        /// The string rules of the keys, without the reserved ones.
        var rules: StringRules
        var node: NodeID
        var meets: UInt32
        /// Their spellings, as far as they have been asked for.
        let words = Words()
    }

    /// Spellings of texts, shortest first, as far as they have been asked for.
    final class Words {
        @exclusivity(unchecked) var list: [[UInt8]] = []
        /// Whether there are no more.
        @exclusivity(unchecked) var isComplete = false
        /// How many were asked for.
        @exclusivity(unchecked) var asked = 0
    }

    let rules: ObjectRules
    /// The keys that may appear, in their order.
    let named: [NamedKey]
    /// Their spellings, sorted, and for each the index in ``named``.
    let spellings: FiniteTexts
    let order: [Int]
    /// Whether the spelling of some key has an escape.
    let hasEscapedKeys: Bool
    /// The keys that anonymous keys must differ from.
    let reserved: [[UInt8]]
    let minProperties: Int
    let maxProperties: Int?
    let obligations: [ObjectRules.Obligation]
    let excluded: [UInt32]
    /// For each index, the index of the first required key at or after it.
    let nextRequired: [Int]
    /// For each index, the number of required keys from there on.
    let requiredCounts: [Int]
    /// The optional members with a name and a value, cheapest first, where their costs have been found.
    @exclusivity(unchecked) var optionalOrder: [(index: Int, cost: Cost)]?
    /// Anonymous keys, found when first asked for.
    @exclusivity(unchecked) var anonymous: [AnonymousKeys]?
    /// Whether every key is of one of the kinds of ``anonymous``, the excluded ones included.
    @exclusivity(unchecked) var kindsTakeAll = false
    /// For each index, the bytes of all required members from there on, where they have been found.
    @exclusivity(unchecked) var requiredCosts: [Cost]?
    /// For each index, the bytes of the cheapest member from there on, where they have been found.
    @exclusivity(unchecked) var cheapestMembers: [Cost]?
    /// Whether a key can be of several kinds.
    @exclusivity(unchecked) var hasOverlappingKinds = false

    init(
        rules: ObjectRules, named: [NamedKey], reserved: [[UInt8]], minProperties: Int, maxProperties: Int?,
        obligations: [ObjectRules.Obligation], excluded: [UInt32]
    ) {
        self.rules = rules
        self.named = named
        self.reserved = reserved
        self.minProperties = minProperties
        self.maxProperties = maxProperties
        self.obligations = obligations
        self.excluded = excluded
        spellings = FiniteTexts(named.map(\.spelling))
        hasEscapedKeys = named.contains { $0.spelling.contains(0x5C) }
        order = named.indices.sorted { named[$0].spelling.lexicographicallyPrecedes(named[$1].spelling) }
        var next = Array(repeating: named.count, count: named.count + 1)
        for index in named.indices.reversed() { next[index] = named[index].isRequired ? index : next[index + 1] }
        nextRequired = next
        var counts = Array(repeating: 0, count: named.count + 1)
        for index in named.indices.reversed() { counts[index] = counts[index + 1] + (named[index].isRequired ? 1 : 0) }
        requiredCounts = counts
    }

    /// Whether nothing but the keys, their nodes and the number of members matters.
    var onlyCounts: Bool { obligations.isEmpty && excluded.isEmpty }

    /// Whether nothing but the keys and their nodes matters.
    var isSimple: Bool { minProperties == 0 && maxProperties == nil && obligations.isEmpty && excluded.isEmpty }

    /// Whether the number of members matters.
    var countsMembers: Bool { minProperties > 0 || maxProperties != nil || !excluded.isEmpty }
}

/// What is left of an object after some members.
struct ObjectState: Hashable {
    var shape: UInt32
    /// The index of the first named key that may still come.
    var cursor: UInt32 = 0
    /// The indices of the named keys so far where keys come in any order, as an interned list.
    var taken: UInt32 = 0
    /// The number of members, no larger than needed.
    var count: UInt32 = 0
    /// Obligations that are still to be met, as a bit set.
    var pending: UInt32 = 0
    /// The excluded constants that the members so far agree with, as an interned list.
    var agreeing: UInt32 = 0
    /// The anonymous keys so far, as an interned list.
    var used: UInt32 = 0
}

extension ObjectState: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        var print = mixed(seed, UInt64(shape) << 32 | UInt64(cursor))
        print = mixed(print, UInt64(taken) << 32 | UInt64(count))
        print = mixed(print, UInt64(pending) << 32 | UInt64(agreeing))
        return mixed(print, UInt64(used))
    }
}
