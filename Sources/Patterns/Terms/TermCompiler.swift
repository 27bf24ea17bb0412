// SPDX-License-Identifier: Apache-2.0

/// Translates patterns and languages into terms.
///
/// The translation passes continuations: an assertion about the text that follows is a conjunct of *everything* that
/// follows, so each node is translated together with the term for the rest of the text. A continuation has two
/// variants, one for the beginning of the text and one for all other positions; `^` keeps the first alone.
struct TermCompiler {
    /// The rest of the text after a node, at the beginning of the text and inside.
    struct Continuation: Equatable {
        var atStart: TermID
        var inside: TermID

        static let everything = Continuation(atStart: TermStore.everything, inside: TermStore.everything)
        static let end = Continuation(atStart: TermStore.epsilon, inside: TermStore.epsilon)
    }

    /// Copies of a body that an unrolled repetition may make in one pattern.
    static let maximumSteps = 200_000

    let store: TermStore
    private var steps = 0

    init(store: TermStore) { self.store = store }

    // MARK: Languages

    /// The term of a language; in a negated place only exact languages are usable.
    mutating func compile(_ language: Language, negated: Bool = false) throws(PatternError) -> TermID {
        switch language {
        case .pattern(let pattern):
            let found = try compile(pattern.root, .everything)
            return search(found)
        case .wholeMatch(let pattern):
            return try compile(pattern.root, .end).atStart
        case .literals(let texts):
            return literals(texts)
        case .not(let language):
            return store.complement(try compile(language, negated: !negated))
        case .all(let languages):
            var parts: [TermID] = []
            for language in languages { parts.append(try compile(language, negated: negated)) }
            return store.intersection(parts)
        case .any(let languages):
            var parts: [TermID] = []
            for language in languages { parts.append(try compile(language, negated: negated)) }
            return store.union(parts)
        case .everything:
            return TermStore.everything
        case .substring(let reference):
            guard store.reference == nil || store.reference == reference else {
                throw PatternError(
                    code: .unsupported(feature: "several texts"), message: "substrings of several texts at once")
            }
            store.reference = reference
            for scalar in reference.alphabet { _ = store.set(ScalarSet(scalar)) }
            return store.intern(.substring, ReferenceText.start, 0, 0)
        case .format(let format):
            if let exact = format.exactLanguage { return try compile(exact, negated: negated) }
            guard !negated, let subset = format.generationLanguage else {
                throw PatternError(
                    code: .unsupported(feature: "format \(format.rawValue)"),
                    message: "the format '\(format.rawValue)' is not a regular language"
                )
            }
            return try compile(subset, negated: negated)
        }
    }

    private func search(_ found: Continuation) -> TermID {
        let later = store.concat(TermStore.everything, found.inside)
        if found.atStart == found.inside { return later }
        return store.union(found.atStart, store.concat(store.anyScalar, later))
    }

    /// The trie of the texts.
    private func literals(_ texts: [String]) -> TermID {
        var sorted = texts.map { Array($0.unicodeScalars) }
        sorted.sort { $0.lexicographicallyPrecedes($1) }
        // Built from the last text to the first, closing the branches that the next text does not share.
        struct Level {
            var branches: [TermID] = []
        }
        var levels: [Level] = [Level()]
        var path: [Unicode.Scalar] = []
        func close(to depth: Int) {
            while path.count > depth {
                let level = levels.removeLast()
                let scalar = path.removeLast()
                let term = store.concat(store.set(ScalarSet(scalar.value)), store.union(level.branches))
                levels[levels.count - 1].branches.append(term)
            }
        }
        for text in sorted {
            var shared = 0
            while shared < path.count, shared < text.count, path[shared] == text[shared] { shared += 1 }
            close(to: shared)
            for scalar in text[shared...] {
                path.append(scalar)
                levels.append(Level())
            }
            levels[levels.count - 1].branches.append(TermStore.epsilon)
        }
        close(to: 0)
        return store.union(levels[0].branches)
    }

    // MARK: Patterns

    private mutating func compile(_ node: PatternNode, _ next: Continuation) throws(PatternError) -> Continuation {
        steps += 1
        guard steps <= Self.maximumSteps, !store.overflowed else {
            throw PatternError(code: .tooComplex, message: "the pattern is too complex")
        }
        if !node.hasAssertion { return concat(plain(node), next) }
        switch node {
        case .set:
            return concat(plain(node), next)
        case .both, .other:
            throw PatternError(
                code: .unsupported(feature: "assertion"), message: "assertions inside '&' and '~' are not supported")
        case .sequence(let nodes):
            var result = next
            for node in nodes.reversed() { result = try compile(node, result) }
            return result
        case .choice(let nodes):
            var atStart: [TermID] = []
            var inside: [TermID] = []
            for node in nodes {
                let branch = try compile(node, next)
                atStart.append(branch.atStart)
                inside.append(branch.inside)
            }
            return Continuation(atStart: store.union(atStart), inside: store.union(inside))
        case .repeated(let body, let least, let most):
            return try compileLoop(body, least, most, next)
        case .start:
            return Continuation(atStart: next.atStart, inside: TermStore.nothing)
        case .end:
            return map(next) { store.intersection(TermStore.epsilon, $0) }
        case .wordBoundary(let negated):
            let wordAhead = store.concat(store.set(.word), TermStore.everything)
            let noWordAhead = store.complement(wordAhead)
            let behind = lookbehind(of: store.set(.word), atStart: store.set(.word))
            let afterWord = map(next) { store.intersection(negated ? wordAhead : noWordAhead, $0) }
            let afterOther = map(next) { store.intersection(negated ? noWordAhead : wordAhead, $0) }
            return Continuation(
                atStart: afterOther.atStart,
                inside: store.union(
                    store.concat(look(behind, negated: false), afterWord.inside),
                    store.concat(look(behind, negated: true), afterOther.inside)
                )
            )
        case .look(behind: false, let negated, let body):
            let ahead = try compile(body, .everything)
            return Continuation(
                atStart: store.intersection(negated ? store.complement(ahead.atStart) : ahead.atStart, next.atStart),
                inside: store.intersection(negated ? store.complement(ahead.inside) : ahead.inside, next.inside)
            )
        case .look(behind: true, let negated, let body):
            guard !body.looksAhead else {
                throw PatternError(
                    code: .unsupported(feature: "lookahead inside lookbehind"),
                    message: "lookahead inside lookbehind is not supported"
                )
            }
            let prefix = try compile(body, .end)
            let number = lookbehind(of: prefix.inside, atStart: prefix.atStart)
            let term = look(number, negated: negated)
            // At the beginning the prefix is empty, so the answer is known.
            let holds = store.isNullable(prefix.atStart) != negated
            let atStart: TermID =
                store.isDynamic(prefix.atStart)
                ? store.concat(term, next.atStart) : holds ? next.atStart : TermStore.nothing
            return Continuation(atStart: atStart, inside: store.concat(term, next.inside))
        }
    }

    private func map(_ next: Continuation, _ change: (TermID) -> TermID) -> Continuation {
        let inside = change(next.inside)
        return Continuation(atStart: next.atStart == next.inside ? inside : change(next.atStart), inside: inside)
    }

    /// A term without assertions, followed by a continuation.
    private func concat(_ term: TermID, _ next: Continuation) -> Continuation {
        let inside = store.concat(term, next.inside)
        if next.atStart == next.inside { return Continuation(atStart: inside, inside: inside) }
        let consuming = store.concat(nonEmptyPart(term), next.inside)
        let skipping = store.isNullable(term) ? next.atStart : TermStore.nothing
        return Continuation(atStart: store.union(consuming, skipping), inside: inside)
    }

    /// A node without assertions.
    private func plain(_ node: PatternNode) -> TermID {
        switch node {
        case .set(let set):
            return store.set(set)
        case .sequence(let nodes):
            var result = TermStore.epsilon
            for node in nodes.reversed() { result = store.concat(plain(node), result) }
            return result
        case .choice(let nodes):
            var ranges: [ScalarSet.Range] = []
            var parts: [TermID] = []
            for node in nodes {
                if case .set(let set) = node {
                    ranges.append(contentsOf: set.ranges)
                } else {
                    parts.append(plain(node))
                }
            }
            if !ranges.isEmpty { parts.append(store.set(ScalarSet(ranges))) }
            return factored(parts, 0)
        case .repeated(let body, let least, let most):
            return store.repetition(plain(body), least, most)
        case .both(let nodes):
            return store.intersection(nodes.map { plain($0) })
        case .other(let node):
            return store.complement(plain(node))
        case .start, .end, .wordBoundary, .look:
            return TermStore.epsilon
        }
    }

    /// The union of terms, of which those that begin with the same set of scalars share it: a·X ∪ a·Y = a·(X ∪ Y).
    ///
    /// So a choice of many words is a trie, and a step looks at its branches and not at all words.
    private func factored(_ parts: [TermID], _ depth: Int) -> TermID {
        guard parts.count > 8, depth < 64 else { return store.union(parts) }
        var tails: [TermID: [TermID]] = [:]
        var heads: [TermID] = []
        var others: [TermID] = []
        for part in parts {
            let term = store.terms[Int(part)]
            guard term.kind == .concat, store.kind(term.a) == .set else {
                others.append(part)
                continue
            }
            if tails[term.a] == nil { heads.append(term.a) }
            tails[term.a, default: []].append(term.b)
        }
        for head in heads { others.append(store.concat(head, factored(tails[head] ?? [], depth + 1))) }
        return store.union(others)
    }

    // MARK: Lookbehind

    private func look(_ number: Int32, negated: Bool) -> TermID {
        store.intern(.look, number, negated ? 1 : 0, 0)
    }

    /// Registers a lookbehind: the prefixes that end with a text of the term.
    private func lookbehind(of inside: TermID, atStart: TermID) -> Int32 {
        let prefixes = search(Continuation(atStart: atStart, inside: inside))
        if let known = store.lookbehinds.firstIndex(of: prefixes) { return Int32(known) }
        store.lookbehinds.append(prefixes)
        return Int32(store.lookbehinds.count - 1)
    }

    // MARK: Loops whose body looks around

    private mutating func compileLoop(
        _ body: PatternNode, _ least: Int, _ most: Int?, _ next: Continuation
    ) throws(PatternError) -> Continuation {
        var result = next
        if let most {
            for _ in 0..<max(most - least, 0) {
                let once = try compile(body, result)
                let wider = Continuation(
                    atStart: store.union(next.atStart, once.atStart), inside: store.union(next.inside, once.inside))
                if wider == result { break }
                result = wider
            }
        } else {
            // X = body·X ∪ next, where rounds that consume nothing are left out: they add nothing.
            let variable = store.newVariable()
            let round = Continuation(atStart: TermStore.nothing, inside: variable)
            let rounds = try compile(body, round)
            let definition = store.union(guarded(rounds.inside, variable), next.inside)
            store.definitions[Int(store.terms[Int(variable)].a)] = definition
            let atStart: TermID =
                next.atStart == next.inside && !body.mentionsStart && !store.mayLookBehind
                ? variable : store.union(rounds.atStart, next.atStart)
            result = Continuation(atStart: atStart, inside: variable)
        }
        for _ in 0..<least {
            let longer = try compile(body, result)
            if longer == result { break }
            result = longer
        }
        return result
    }

    /// The term without the texts that reach the variable before any scalar.
    private func guarded(_ id: TermID, _ variable: TermID) -> TermID {
        if id == variable { return TermStore.nothing }
        let term = store.terms[Int(id)]
        guard term.flags.contains(.dynamic) else { return id }
        switch term.kind {
        case .union:
            return store.union(store.operands(id).map { guarded($0, variable) })
        case .intersection:
            return store.intersection(store.operands(id).map { guarded($0, variable) })
        case .concat:
            let head = store.terms[Int(term.a)]
            if head.kind == .look { return store.concat(term.a, guarded(term.b, variable)) }
            guard store.isNullable(term.a) else { return id }
            return store.union(store.concat(nonEmptyPart(term.a), term.b), guarded(term.b, variable))
        case .variable:
            // Another loop: its rounds are kept, its way out may lead to the variable.
            let definition = store.definitions[Int(term.a)]
            let changed = guarded(definition, variable)
            return changed == definition ? id : changed
        default:
            return id
        }
    }

    /// The texts of a term other than the empty one.
    private func nonEmptyPart(_ id: TermID) -> TermID {
        let term = store.terms[Int(id)]
        switch term.kind {
        case .epsilon, .look:
            return TermStore.nothing
        case .everything:
            return store.nonEmpty
        case .nothing, .set:
            return id
        case .concat:
            guard store.isNullable(id) else { return id }
            var parts: [TermID] = []
            var rest = id
            while store.kind(rest) == .concat {
                let link = store.terms[Int(rest)]
                parts.append(store.concat(nonEmptyPart(link.a), link.b))
                rest = link.b
            }
            return store.union(parts + [nonEmptyPart(rest)])
        case .union:
            return store.union(store.operands(id).map { nonEmptyPart($0) })
        case .repetition:
            guard store.isNullable(id) else { return id }
            let most = term.c < 0 ? nil : Int(term.c)
            if !store.isNullable(term.a) { return store.repetition(term.a, 1, most) }
            return store.concat(nonEmptyPart(term.a), store.repetition(term.a, 0, most.map { $0 - 1 }))
        case .intersection, .complement, .variable, .substring:
            return store.intersection(id, store.nonEmpty)
        }
    }
}
