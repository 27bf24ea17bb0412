// SPDX-License-Identifier: Apache-2.0

/// Which classes of scalars belong to which sets of a store.
struct ClassMembership {
    private let table: [UInt8]
    private let classCount: Int
    private let sets: [ScalarSet]
    let samples: [UInt32]

    /// Tables beyond this many entries are replaced by searches.
    private static let maximumTable = 1 << 20

    init(sets: [ScalarSet], classes: ScalarClasses) {
        self.sets = sets
        classCount = classes.count
        samples = classes.samples
        if sets.count * classCount <= Self.maximumTable {
            let columns = classes.count
            var table = [UInt8](repeating: 0, count: sets.count * columns)
            for (row, set) in sets.enumerated() {
                classes.forEachClass(in: set) { table[row * columns + $0] = 1 }
            }
            self.table = table
        } else {
            table = []
        }
    }

    @inline(__always)
    func contains(_ set: Int32, _ scalarClass: Int) -> Bool {
        table.isEmpty
            ? sets[Int(set)].contains(samples[scalarClass]) : table[Int(set) * classCount + scalarClass] != 0
    }
}

/// Takes derivatives of the terms of one store.
struct Derivatives {
    let store: TermStore
    let membership: ClassMembership
    /// Which classes a term's derivative does not tell apart.
    let partitions: ClassPartitions
    private let memo = WordTable()
    private var nullableVariables: [Int32: Bool] = [:]

    init(store: TermStore, classes: ScalarClasses) {
        self.store = store
        membership = ClassMembership(sets: store.sets, classes: classes)
        partitions = ClassPartitions(store: store, membership: membership, classCount: classes.count)
    }

    /// The texts `w` such that a scalar of the class followed by `w` is in the term.
    ///
    /// - Parameter context: For each lookbehind, the residual language of the text so far.
    mutating func derive(_ id: TermID, _ scalarClass: Int, _ context: [TermID]) -> TermID {
        let term = store.terms[Int(id)]
        switch term.kind {
        case .nothing, .epsilon, .look:
            return TermStore.nothing
        case .everything:
            return id
        case .set:
            return membership.contains(term.a, scalarClass) ? TermStore.epsilon : TermStore.nothing
        case .substring:
            // Each scalar of the text is a class of its own.
            let target = store.reference?.step(term.a, membership.samples[scalarClass]) ?? -1
            return target < 0 ? TermStore.nothing : store.intern(.substring, target, 0, 0)
        case .concat:
            let first = store.terms[Int(term.a)]
            if first.kind == .set {
                return membership.contains(first.a, scalarClass) ? term.b : TermStore.nothing
            }
        default:
            break
        }
        let memoised = !term.flags.contains(.contextual)
        let scalarClass = memoised ? partitions.representative(id, scalarClass) : scalarClass
        let key = UInt64(UInt32(bitPattern: id)) << 32 | UInt64(UInt32(truncatingIfNeeded: scalarClass))
        if memoised {
            let known = memo[key]
            if known >= 0 { return known }
        }
        store.work &+= 1
        let result: TermID
        switch term.kind {
        case .concat:
            result = deriveChain(id, scalarClass, context)
        case .union:
            var parts: [TermID] = []
            for operand in store.operands(id) {
                let part = derive(operand, scalarClass, context)
                if part != TermStore.nothing { parts.append(part) }
            }
            result = store.union(parts)
        case .intersection:
            var parts: [TermID] = []
            for operand in store.operands(id) {
                let part = derive(operand, scalarClass, context)
                if part == TermStore.nothing {
                    parts = [part]
                    break
                }
                parts.append(part)
            }
            result = store.intersection(parts)
        case .complement:
            result = store.complement(derive(term.a, scalarClass, context))
        case .repetition:
            let rest = store.repetition(term.a, max(Int(term.b) - 1, 0), term.c < 0 ? nil : Int(term.c) - 1)
            result = distribute(derive(term.a, scalarClass, context), rest)
        case .variable:
            result = derive(store.definitions[Int(term.a)], scalarClass, context)
        default:
            result = TermStore.nothing
        }
        if memoised { memo.set(key, result) }
        return result
    }

    /// The derivative of a chain: of each element as long as all before it have the empty text.
    private mutating func deriveChain(_ id: TermID, _ scalarClass: Int, _ context: [TermID]) -> TermID {
        var parts: [TermID] = []
        var rest = id
        while true {
            let term = store.terms[Int(rest)]
            guard term.kind == .concat else {
                parts.append(derive(rest, scalarClass, context))
                break
            }
            let head = derive(term.a, scalarClass, context)
            if head != TermStore.nothing { parts.append(distribute(head, term.b)) }
            guard isNullable(term.a, context) else { break }
            rest = term.b
        }
        return store.union(parts)
    }

    /// (A ∪ B)·K as A·K ∪ B·K, so that equal parts of different unions meet.
    private func distribute(_ head: TermID, _ tail: TermID) -> TermID {
        guard store.kind(head) == .union else { return store.concat(head, tail) }
        return store.union(store.operands(head).map { store.concat($0, tail) })
    }

    /// Whether the empty text belongs to the term at a position with this context.
    mutating func isNullable(_ id: TermID, _ context: [TermID]) -> Bool {
        let term = store.terms[Int(id)]
        if !term.flags.contains(.dynamic) { return term.flags.contains(.nullable) }
        switch term.kind {
        case .concat:
            var rest = id
            while true {
                let link = store.terms[Int(rest)]
                guard link.kind == .concat else { return isNullable(rest, context) }
                guard isNullable(link.a, context) else { return false }
                rest = link.b
            }
        case .union:
            for operand in store.operands(id) where isNullable(operand, context) { return true }
            return false
        case .intersection:
            for operand in store.operands(id) where !isNullable(operand, context) { return false }
            return true
        case .complement:
            return !isNullable(term.a, context)
        case .repetition:
            return term.b == 0 || isNullable(term.a, context)
        case .variable:
            if !term.flags.contains(.contextual), let known = nullableVariables[term.a] { return known }
            let result = isNullable(store.definitions[Int(term.a)], context)
            if !term.flags.contains(.contextual) { nullableVariables[term.a] = result }
            return result
        case .look:
            guard Int(term.a) < context.count else { return false }
            return isNullable(context[Int(term.a)], context) != (term.b == 1)
        default:
            return false
        }
    }
}
