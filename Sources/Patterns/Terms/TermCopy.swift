// SPDX-License-Identifier: Apache-2.0

/// Copies terms from one store to another, with the definitions of the variables in them.
struct TermCopy {
    let source: TermStore
    let target: TermStore
    private var known: [TermID: TermID] = [:]

    init(from source: TermStore, to target: TermStore) {
        self.source = source
        self.target = target
        if target.definitions.count < source.definitions.count || target.sets.count < source.sets.count {
            target.adoptLeaves(of: source)
        }
    }

    mutating func copy(_ id: TermID) -> TermID {
        if let copied = known[id] { return copied }
        let term = source.terms[Int(id)]
        let result: TermID
        switch term.kind {
        case .nothing, .epsilon, .everything:
            result = id
        case .set:
            result = target.set(source.sets[Int(term.a)])
        case .concat:
            // Chains may be long: walk to the end, then build from there.
            var heads: [TermID] = []
            var rest = id
            while known[rest] == nil, source.kind(rest) == .concat {
                heads.append(rest)
                rest = source.terms[Int(rest)].b
            }
            var tail = copy(rest)
            for head in heads.reversed() {
                tail = target.concat(copy(source.terms[Int(head)].a), tail)
                known[head] = tail
            }
            result = tail
        case .union:
            result = target.union(source.operands(id).map { copy($0) })
        case .intersection:
            result = target.intersection(source.operands(id).map { copy($0) })
        case .complement:
            result = target.complement(copy(term.a))
        case .repetition:
            result = target.repetition(copy(term.a), Int(term.b), term.c < 0 ? nil : Int(term.c))
        case .substring:
            target.reference = source.reference
            result = target.intern(.substring, term.a, 0, 0)
        case .look:
            result = target.intern(.look, term.a, term.b, 0)
        case .variable:
            result = target.intern(.variable, term.a, 0, 0)
            known[id] = result
            if target.definitions[Int(term.a)] == TermStore.nothing {
                target.definitions[Int(term.a)] = copy(source.definitions[Int(term.a)])
            }
        }
        known[id] = result
        return result
    }
}
