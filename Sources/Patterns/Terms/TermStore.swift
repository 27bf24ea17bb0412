// SPDX-License-Identifier: Apache-2.0

/// A term of a ``TermStore``; equal terms have equal ids.
typealias TermID = Int32

/// Hash-consed language terms: sets, concatenation, union, intersection, complement, counted repetition.
///
/// A term denotes the set of texts from the current position to the very end. Three kinds of leaves go beyond
/// regular expressions: a *variable* stands for its definition (a loop whose body looks ahead), and a *look* is the
/// empty text under the condition that a lookbehind holds at the current position. A *substring* is what continues a
/// text within a reference text.
///
/// - Invariant: a variable occurs only in tail position, and never unguarded in its own definition.
final class TermStore {
    enum Kind: UInt8 {
        case nothing, epsilon, everything, set, concat, union, intersection, complement, repetition, variable, look, substring
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The empty text belongs to the term; meaningful only without `dynamic`.
        static let nullable = Flags(rawValue: 1)
        /// Built from sets and substrings by concatenation, union and repetition alone: alive unless it is `nothing`.
        static let pure = Flags(rawValue: 2)
        /// Contains a variable or a look: whether the empty text belongs to it must be evaluated.
        static let dynamic = Flags(rawValue: 4)
        /// Depends on the text before the current position.
        static let contextual = Flags(rawValue: 8)
    }

    /// What is known about the lengths of a term's texts, in scalars.
    ///
    /// For a pure term `minimum` and `maximum` are attained and every length in `fullFrom ... maximum` is; otherwise
    /// they are bounds.
    struct Lengths {
        var minimum: Int
        var fullFrom: Int
        var maximum: Int

        static let unbounded = 1 << 48
        static let any = Lengths(minimum: 0, fullFrom: 0, maximum: unbounded)
    }

    struct Term {
        var kind: Kind
        var flags: Flags
        /// set: index of the set. concat, complement, repetition: first operand. union, intersection: offset of the
        /// operands. variable, look: number. substring: state of the reference text.
        var a: Int32
        /// concat: second operand. repetition: minimum. union, intersection: operand count. look: 1 if negated.
        var b: Int32
        /// repetition: maximum, -1 without bound.
        var c: Int32
        /// The bytes of the cheapest spelling of a text of a pure term; a lower bound for others.
        var cost: Int
        var lengths: Lengths
    }

    static let nothing: TermID = 0
    static let epsilon: TermID = 1
    static let everything: TermID = 2

    // No accessor of these calls back into the store; the run-time checks were a third of the compile time.
    @exclusivity(unchecked) private(set) var terms: [Term] = []
    @exclusivity(unchecked) private(set) var operands: [TermID] = []
    @exclusivity(unchecked) private(set) var sets: [ScalarSet] = []
    @exclusivity(unchecked) private(set) var setCosts: [Int] = []
    @exclusivity(unchecked) private var setIndex: [ScalarSet: Int32] = [:]
    /// The definition of each variable.
    var definitions: [TermID] = []
    /// For each lookbehind, the language of the prefixes at whose end it holds.
    var lookbehinds: [TermID] = []
    /// The text that all substrings of the store are taken from.
    var reference: ReferenceText?
    @exclusivity(unchecked) private var referenceSets: [Int32: Bool] = [:]
    /// Variables cannot be known to be free of looks before they are defined.
    var mayLookBehind = false
    /// A hard bound on the number of terms; beyond it ``overflowed`` is set and `nothing` is returned.
    let maximumTerms: Int
    var overflowed = false
    /// The operations done so far: operands looked at.
    @exclusivity(unchecked) var work = 0

    @exclusivity(unchecked) private var buckets: [Int32]
    var consistsMemo: [UInt64: Bool] = [:]
    var lengthBoundMemo: [TermID: LengthBound?] = [:]
    @exclusivity(unchecked) var jointMemo: [TermID: JointText?] = [:]

    /// `.` and the like: the set of all scalars, and one or more scalars.
    private(set) var anyScalar: TermID = 0
    private(set) var nonEmpty: TermID = 0
    /// The terms of single ASCII scalars, which are most of the sets of a pattern; -1 where there is none yet.
    @exclusivity(unchecked) private var asciiTerms = [TermID](repeating: -1, count: 128)

    /// What a scalar costs.
    let spelling: TextSpelling

    init(maximumTerms: Int, spelling: TextSpelling = .json) {
        self.maximumTerms = maximumTerms
        self.spelling = spelling
        buckets = [Int32](repeating: -1, count: 256)
        terms.reserveCapacity(64)
        _ = intern(.nothing, 0, 0, 0)
        _ = intern(.epsilon, 0, 0, 0)
        _ = intern(.everything, 0, 0, 0)
        anyScalar = set(.all)
        nonEmpty = intern(.concat, anyScalar, Self.everything, 0)
    }

    // MARK: Reading

    func kind(_ id: TermID) -> Kind { terms[Int(id)].kind }
    func flags(_ id: TermID) -> Flags { terms[Int(id)].flags }

    /// Whether the empty text is known to belong to the term, whatever the context.
    func isNullable(_ id: TermID) -> Bool { terms[Int(id)].flags.isSuperset(of: .nullable) }
    func isPure(_ id: TermID) -> Bool { terms[Int(id)].flags.contains(.pure) }
    func isDynamic(_ id: TermID) -> Bool { terms[Int(id)].flags.contains(.dynamic) }

    func operands(_ id: TermID) -> ArraySlice<TermID> {
        let term = terms[Int(id)]
        return operands[Int(term.a)..<Int(term.a) + Int(term.b)]
    }

    // MARK: Interning

    private static func mix(_ hash: UInt64, _ value: Int32) -> UInt64 {
        var x = (hash ^ UInt64(UInt32(bitPattern: value))) &* 0x9E37_79B9_7F4A_7C15
        x ^= x >> 29
        return x
    }

    private func hash(_ id: Int) -> UInt64 {
        let term = terms[id]
        var result = Self.mix(0x51, Int32(term.kind.rawValue))
        switch term.kind {
        case .union, .intersection:
            for operand in operands[Int(term.a)..<Int(term.a) + Int(term.b)] { result = Self.mix(result, operand) }
        default:
            result = Self.mix(Self.mix(Self.mix(result, term.a), term.b), term.c)
        }
        return result
    }

    private func grow() {
        let count = buckets.count * 2
        buckets = [Int32](repeating: -1, count: count)
        for id in terms.indices {
            var slot = Int(truncatingIfNeeded: hash(id)) & (count - 1)
            while buckets[slot] >= 0 { slot = (slot + 1) & (count - 1) }
            buckets[slot] = Int32(id)
        }
    }

    func intern(_ kind: Kind, _ a: Int32, _ b: Int32, _ c: Int32) -> TermID {
        var hash = Self.mix(0x51, Int32(kind.rawValue))
        hash = Self.mix(Self.mix(Self.mix(hash, a), b), c)
        let mask = buckets.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while buckets[slot] >= 0 {
            let term = terms[Int(buckets[slot])]
            if term.kind == kind, term.a == a, term.b == b, term.c == c { return buckets[slot] }
            slot = (slot + 1) & mask
        }
        return add(Term(kind: kind, flags: [], a: a, b: b, c: c, cost: 0, lengths: .any), slot)
    }

    /// Interns a union or an intersection of two or more sorted, distinct operands.
    func intern(_ kind: Kind, sorted list: [TermID]) -> TermID {
        var hash = Self.mix(0x51, Int32(kind.rawValue))
        for operand in list { hash = Self.mix(hash, operand) }
        let mask = buckets.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while buckets[slot] >= 0 {
            let term = terms[Int(buckets[slot])]
            if term.kind == kind, Int(term.b) == list.count,
                operands[Int(term.a)..<Int(term.a) + list.count].elementsEqual(list)
            {
                return buckets[slot]
            }
            slot = (slot + 1) & mask
        }
        let offset = operands.count
        operands.append(contentsOf: list)
        return add(
            Term(kind: kind, flags: [], a: Int32(offset), b: Int32(list.count), c: 0, cost: 0, lengths: .any), slot)
    }

    private func add(_ new: Term, _ slot: Int) -> TermID {
        guard terms.count < maximumTerms, operands.count < Int(Int32.max) / 2 else {
            overflowed = true
            return Self.nothing
        }
        var term = new
        describe(&term)
        let id = TermID(terms.count)
        terms.append(term)
        buckets[slot] = id
        if terms.count * 2 > buckets.count { grow() }
        return id
    }

    /// The term of a set of scalars.
    func set(_ set: ScalarSet) -> TermID {
        guard let first = set.ranges.first else { return Self.nothing }
        if set.ranges.count == 1, first.lower == first.upper, first.lower < 128 {
            if asciiTerms[Int(first.lower)] < 0 { asciiTerms[Int(first.lower)] = newSet(set) }
            return asciiTerms[Int(first.lower)]
        }
        return newSet(set)
    }

    private func newSet(_ set: ScalarSet) -> TermID {
        if let index = setIndex[set] { return intern(.set, index, 0, 0) }
        let index = Int32(sets.count)
        sets.append(set)
        setCosts.append(spelling.cheapest(in: set).cost)
        setIndex[set] = index
        return intern(.set, index, 0, 0)
    }

    /// Whether all scalars of the reference text belong to a set.
    func referenceConsists(of set: Int32) -> Bool {
        if let known = referenceSets[set] { return known }
        let result = reference?.alphabet.allSatisfy { sets[Int(set)].contains($0) } ?? true
        referenceSets[set] = result
        return result
    }

    /// Takes over the sets and the numbering of variables and lookbehinds of an empty store's model.
    func adoptLeaves(of other: TermStore) {
        for set in other.sets { _ = self.set(set) }
        definitions = [TermID](repeating: Self.nothing, count: other.definitions.count)
        mayLookBehind = other.mayLookBehind
        reference = other.reference
    }

    /// A new variable, to be defined later.
    func newVariable() -> TermID {
        let number = Int32(definitions.count)
        definitions.append(Self.nothing)
        return intern(.variable, number, 0, 0)
    }

    /// How far from the empty text the term seems to be: for each of the conditions that it joins, the scalars that it
    /// asks for at least.
    func distanceHint(_ id: TermID) -> Int {
        let term = terms[Int(id)]
        guard term.kind == .intersection else { return term.lengths.minimum }
        var sum = 0
        for operand in operands(id) { sum += min(terms[Int(operand)].lengths.minimum, 1_023) }
        return sum
    }

    // MARK: Derived facts

    private func describe(_ term: inout Term) {
        switch term.kind {
        case .nothing:
            term.flags = .pure
            term.lengths = Lengths(minimum: Lengths.unbounded, fullFrom: Lengths.unbounded, maximum: -1)
            term.cost = Lengths.unbounded
        case .epsilon:
            term.flags = [.nullable, .pure]
            term.lengths = Lengths(minimum: 0, fullFrom: 0, maximum: 0)
        case .everything:
            term.flags = [.nullable, .pure]
        case .set:
            term.flags = .pure
            term.lengths = Lengths(minimum: 1, fullFrom: 1, maximum: 1)
            term.cost = setCosts[Int(term.a)]
        case .concat:
            let first = terms[Int(term.a)]
            let second = terms[Int(term.b)]
            term.flags = first.flags.intersection(second.flags).intersection([.nullable, .pure])
            term.flags.formUnion(first.flags.union(second.flags).intersection([.dynamic, .contextual]))
            term.lengths = first.lengths + second.lengths
            term.cost = min(first.cost + second.cost, Lengths.unbounded)
        case .union:
            var flags: Flags = .pure
            var lengths: Lengths?
            var cost = Lengths.unbounded
            for operand in operands[Int(term.a)..<Int(term.a) + Int(term.b)] {
                let part = terms[Int(operand)]
                if part.flags.contains(.nullable) { flags.insert(.nullable) }
                if !part.flags.contains(.pure) { flags.remove(.pure) }
                flags.formUnion(part.flags.intersection([.dynamic, .contextual]))
                lengths = lengths.map { $0.union(part.lengths) } ?? part.lengths
                cost = min(cost, part.cost)
            }
            term.flags = flags
            term.lengths = lengths ?? .any
            term.cost = cost
        case .intersection:
            var flags: Flags = .nullable
            var lengths = Lengths.any
            for operand in operands[Int(term.a)..<Int(term.a) + Int(term.b)] {
                let part = terms[Int(operand)]
                if !part.flags.contains(.nullable) { flags.remove(.nullable) }
                flags.formUnion(part.flags.intersection([.dynamic, .contextual]))
                lengths.minimum = max(lengths.minimum, part.lengths.minimum)
                lengths.maximum = min(lengths.maximum, part.lengths.maximum)
                term.cost = max(term.cost, part.cost)
            }
            term.flags = flags
            term.lengths = lengths
        case .complement:
            let body = terms[Int(term.a)]
            term.flags = body.flags.intersection([.dynamic, .contextual])
            if !body.flags.contains(.nullable) { term.flags.insert(.nullable) }
        case .repetition:
            let body = terms[Int(term.a)]
            term.flags = body.flags.intersection([.pure, .nullable, .dynamic, .contextual])
            if term.b == 0 { term.flags.insert(.nullable) }
            term.lengths = body.lengths.repeated(Int(term.b), term.c < 0 ? nil : Int(term.c))
            term.cost = Lengths.multiply(body.cost, Int(term.b))
        case .variable:
            term.flags = mayLookBehind ? [.dynamic, .contextual] : .dynamic
        case .look:
            term.flags = [.dynamic, .contextual]
            term.lengths = Lengths(minimum: 0, fullFrom: 0, maximum: 0)
        case .substring:
            // The beginnings of a substring are substrings.
            term.flags = [.nullable, .pure]
            term.lengths = Lengths(minimum: 0, fullFrom: 0, maximum: reference?.longestRest(term.a) ?? 0)
        }
        if term.flags.contains(.dynamic) { term.flags.remove(.nullable) }
    }
}

extension TermStore.Lengths {
    private static func add(_ a: Int, _ b: Int) -> Int { min(a + b, unbounded) }

    static func multiply(_ a: Int, _ b: Int) -> Int {
        let (value, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? unbounded : min(value, unbounded)
    }

    static func + (a: Self, b: Self) -> Self {
        if a.maximum < 0 { return a }
        if b.maximum < 0 { return b }
        // Each of these intervals is attained in full and ends at the sum of the maxima.
        var from = add(a.fullFrom, b.fullFrom)
        let maximum = add(a.maximum, b.maximum)
        // One operand at its minimum, the other anywhere in its full interval.
        let left = add(a.fullFrom, b.minimum)
        if from <= add(a.maximum, b.minimum) + 1 { from = min(from, left) }
        let right = add(a.minimum, b.fullFrom)
        if from <= add(a.minimum, b.maximum) + 1 { from = min(from, right) }
        return Self(minimum: add(a.minimum, b.minimum), fullFrom: from, maximum: maximum)
    }

    func union(_ other: Self) -> Self {
        if maximum < 0 { return other }
        if other.maximum < 0 { return self }
        let (high, low) = maximum >= other.maximum ? (self, other) : (other, self)
        var from = high.fullFrom
        if low.maximum + 1 >= from { from = min(from, low.fullFrom) }
        return Self(minimum: min(minimum, other.minimum), fullFrom: from, maximum: high.maximum)
    }

    func repeated(_ least: Int, _ most: Int?) -> Self {
        if maximum < 0 { return least == 0 ? Self(minimum: 0, fullFrom: 0, maximum: 0) : self }
        let least = min(least, Self.unbounded)
        let last = most ?? Self.unbounded
        let total = maximum == 0 ? 0 : Self.multiply(maximum, last)
        let bottom = Self.multiply(minimum, least)
        // k copies attain [k·fullFrom, k·maximum]; from the first k whose interval touches the next, all of them do.
        var from = Self.multiply(fullFrom, last)
        var copies = max(least, 1)
        if fullFrom > 1 {
            // (k + 1)·f ≤ k·M + 1  ⟺  k ≥ (f - 1) / (M - f)
            let spread = maximum - fullFrom
            if spread <= 0 {
                copies = last
            } else {
                copies = max(copies, (fullFrom - 1 + spread - 1) / spread)
            }
        }
        if copies <= last { from = min(from, Self.multiply(fullFrom, copies)) }
        if least == 0, from <= 1 { from = 0 }
        if minimum == 0, fullFrom == 0 { from = 0 }
        return Self(minimum: bottom, fullFrom: min(from, total), maximum: total)
    }
}
