// SPDX-License-Identifier: Apache-2.0

// Searches among the substrings of a text. Their residual languages are finite and get shorter with each scalar, so
// that the states lie on no cycle: each is visited once, whatever is asked, and the answers are exact.
extension Automaton {
    /// Whether the state belongs to a finite language of substrings.
    @inline(__always)
    func isFinite(_ state: Int32) -> Bool {
        rowWidth == 0 && store.terms[Int(stateTerms[Int(state)])].lengths.maximum < TermStore.Lengths.unbounded
    }

    /// Whether the state belongs to a finite language of substrings.
    package func isFinite(_ state: StateID) -> Bool { isFinite(state.rawValue) }

    /// Whether the automaton's texts are substrings of a reference text, or defined by them.
    package var usesReference: Bool { rowWidth == 0 }

    /// The state of the reference text that a term cannot leave; -1 without one.
    func substringState(_ id: TermID) -> Int32 {
        let term = store.terms[Int(id)]
        switch term.kind {
        case .substring: return term.a
        case .intersection:
            for operand in store.operands(id) {
                let place = substringState(operand)
                if place >= 0 { return place }
            }
            return -1
        default: return -1
        }
    }

    /// The scalars after which a term may have texts; nil where that may be any.
    private func onward(_ id: TermID) -> [UInt32]? {
        let place = substringState(id)
        if place >= 0, let reference = store.reference { return Array(reference.nextScalars(place)) }
        guard store.kind(id) == .union else { return id == TermStore.epsilon ? [] : nil }
        var all: Set<UInt32> = []
        for operand in store.operands(id) {
            guard let part = onward(operand) else { return nil }
            all.formUnion(part)
        }
        return all.sorted()
    }

    /// The classes that may lead on from a state.
    package func classesOnward(_ state: StateID) -> [Int] {
        if rowWidth > 0 { return Array(0..<classCount) }
        guard let scalars = onward(stateTerms[Int(state.rawValue)]) else { return Array(0..<classCount) }
        return scalars.map { classes.classOf($0) }
    }

    /// Whether some text is left: depth first, up to the first.
    ///
    /// States without one are met once; those on the way to one are known from then on.
    func finiteLiveness(_ state: StateID) -> Liveness {
        var path: [(state: Int32, classes: [Int], next: Int)] = [(state.rawValue, classesOnward(state), 0)]
        while let top = path.last {
            guard top.next < top.classes.count else {
                livenessMemo[Int(top.state)] = isOverflowing ? 3 : 2
                path.removeLast()
                continue
            }
            path[path.count - 1].next += 1
            let target = transition(StateID(rawValue: top.state), class: top.classes[top.next])
            let index = Int(target.rawValue)
            if index == 0 || livenessMemo[index] == 2 || livenessMemo[index] == 3 { continue }
            let quick: Liveness = livenessMemo[index] == 1 ? .alive : quickLiveness(index)
            if quick == .dead { continue }
            if quick == .alive {
                livenessMemo[index] = 1
                for step in path { livenessMemo[Int(step.state)] = 1 }
                return .alive
            }
            path.append((target.rawValue, classesOnward(target), 0))
        }
        if isOverflowing {
            hasGivenUp = true
            return .unknown
        }
        return .dead
    }

    /// What a shortest completion is measured in.
    enum Measure {
        case length, cost
    }

    /// The least length or cost of a text, after those of all states that it depends on.
    func settle(_ state: Int32, _ measure: Measure) -> Int {
        struct Step {
            var state: Int32
            var classes: [Int]
            var next = 0
            var best = Automaton.unreachable
            var lower: Int
        }
        func bounds(_ state: Int32) -> (lower: Int, upper: Int) {
            measure == .length ? distanceBounds(Int(state)) : costBounds(Int(state))
        }
        func step(_ state: Int32) -> Step {
            Step(
                state: state, classes: classesOnward(StateID(rawValue: state)), lower: bounds(state).lower)
        }
        var path = [step(state)]
        while var top = path.popLast() {
            var below: Int32?
            while top.next < top.classes.count, top.best > top.lower {
                let scalarClass = top.classes[top.next]
                let target = transition(StateID(rawValue: top.state), class: scalarClass)
                if !target.isDead {
                    let known = bounds(target.rawValue)
                    if known.lower < known.upper {
                        below = target.rawValue
                        break
                    }
                    let own = measure == .length ? 1 : classes.costs[scalarClass]
                    top.best = min(top.best, min(known.upper, Self.unreachable - own) + own)
                }
                top.next += 1
            }
            if let below {
                path.append(top)
                path.append(step(below))
                continue
            }
            if isOverflowing { hasGivenUp = true }
            if measure == .length {
                shortestMemo[Int(top.state)] = top.best
            } else {
                costMemo[Int(top.state)] = top.best
            }
        }
        return measure == .length ? shortestMemo[Int(state)] : costMemo[Int(state)]
    }

    /// The scalars of the longest text; -1 where there is none.
    func longest(_ state: Int32) -> Int {
        func known(_ state: Int32) -> Int? {
            if state == 0 || livenessMemo[Int(state)] == 2 { return -1 }
            let term = store.terms[Int(stateTerms[Int(state)])]
            return term.flags.contains(.pure) ? term.lengths.maximum : longestMemo[state]
        }
        if let answer = known(state) { return answer }
        func step(_ state: Int32) -> (state: Int32, classes: [Int], next: Int, best: Int) {
            (state, classesOnward(StateID(rawValue: state)), 0, acceptance[Int(state)] ? 0 : -1)
        }
        var path = [step(state)]
        while var top = path.popLast() {
            var below: Int32?
            let upper = store.terms[Int(stateTerms[Int(top.state)])].lengths.maximum
            while top.next < top.classes.count, top.best < upper {
                let target = transition(StateID(rawValue: top.state), class: top.classes[top.next]).rawValue
                guard let answer = known(target) else {
                    below = target
                    break
                }
                if answer >= 0 { top.best = max(top.best, answer + 1) }
                top.next += 1
            }
            if let below {
                path.append(top)
                path.append(step(below))
                continue
            }
            longestMemo[top.state] = top.best
        }
        return longestMemo[state] ?? -1
    }

    /// The least bytes of a text of a finite language within bounds on its length, in scalars; nil if there is none.
    package func finiteCost(_ state: StateID, minScalars: Int, maxScalars: Int?) -> Int? {
        struct Step {
            var state: StateID
            var least: Int
            var most: Int
            var classes: [Int]
            var next = 0
            var best = Automaton.unreachable
            var lower: Int
        }
        /// The answer where no search is needed.
        func known(_ state: StateID, _ least: Int, _ most: Int) -> Int? {
            if state.isDead || most < 0 { return Self.unreachable }
            let length = shortest(state, atLeast: least)
            if length > most { return Self.unreachable }
            let index = Int(state.rawValue)
            if least <= 0 {
                if acceptance[index] { return 0 }
            }
            // Bounds that all texts keep do not matter.
            if length == distance(state.rawValue), distance(state.rawValue) >= least,
                most >= longest(state.rawValue)
            {
                return jsonCost(state.rawValue)
            }
            return finiteCosts[Window(state: state.rawValue, least: max(least, 0), most: most)]
        }
        func step(_ state: StateID, _ least: Int, _ most: Int) -> Step {
            let cost = store.terms[Int(stateTerms[Int(state.rawValue)])].cost
            return Step(
                state: state, least: max(least, 0), most: most, classes: classesOnward(state),
                lower: max(cost, shortest(state, atLeast: least) * leastScalarCost))
        }
        let most = min(
            maxScalars ?? Self.unreachable, store.terms[Int(stateTerms[Int(state.rawValue)])].lengths.maximum)
        if let answer = known(state, minScalars, most) { return answer < Self.unreachable ? answer : nil }
        var path = [step(state, minScalars, most)]
        while var top = path.popLast() {
            var below: Step?
            while top.next < top.classes.count, top.best > top.lower {
                let scalarClass = top.classes[top.next]
                let target = transition(top.state, class: scalarClass)
                guard let answer = known(target, top.least - 1, top.most - 1) else {
                    below = step(target, top.least - 1, top.most - 1)
                    break
                }
                let own = classes.costs[scalarClass]
                top.best = min(top.best, min(answer, Self.unreachable - own) + own)
                top.next += 1
            }
            if let below {
                path.append(top)
                path.append(below)
                continue
            }
            if finiteCosts.count >= 1 << 20 { finiteCosts.removeAll() }
            finiteCosts[Window(state: top.state.rawValue, least: top.least, most: top.most)] = top.best
            if path.isEmpty { return top.best < Self.unreachable ? top.best : nil }
        }
        return nil
    }

    /// The bytes of the cheapest scalar of the reference text.
    private var leastScalarCost: Int {
        store.reference?.alphabet.first.map { $0 < 0x80 ? 1 : store.spelling.cost($0) } ?? 1
    }

    // MARK: Windows of lengths

    func finiteWindow(_ state: StateID, _ least: Int, _ most: Int) -> Liveness {
        let length = shortest(state, atLeast: least)
        if length <= most, length < Self.unreachable { return .alive }
        return isOverflowing ? .unknown : .dead
    }

    /// The scalars of the shortest text of at least a length.
    func shortest(_ state: StateID, atLeast least: Int) -> Int {
        struct Step {
            var state: Int32
            var least: Int
            var classes: [Int] = []
            var next = 0
            var best = Automaton.unreachable
            var lower = 0
        }
        /// The answer where no search is needed.
        func known(_ state: StateID, _ least: Int) -> Int? {
            if state.isDead { return Self.unreachable }
            if least <= 0 { return distance(state.rawValue) }
            let id = stateTerms[Int(state.rawValue)]
            let lengths = store.terms[Int(id)].lengths
            if lengths.maximum < least { return Self.unreachable }
            if store.isPure(id) {
                if least <= lengths.minimum { return lengths.minimum }
                if least >= lengths.fullFrom { return least }
            }
            if longest(state.rawValue) < least { return Self.unreachable }
            let shortest = distance(state.rawValue)
            if shortest >= least { return shortest }
            return finiteMemo[Window(state: state.rawValue, least: least, most: 0)]
        }
        if let answer = known(state, least) { return answer }
        func step(_ state: StateID, _ least: Int) -> Step {
            Step(
                state: state.rawValue, least: least, classes: classesOnward(state),
                lower: max(least, store.terms[Int(stateTerms[Int(state.rawValue)])].lengths.minimum))
        }
        var path = [step(state, least)]
        while var top = path.popLast() {
            var below: Step?
            while top.next < top.classes.count, top.best > top.lower {
                let target = transition(StateID(rawValue: top.state), class: top.classes[top.next])
                guard let answer = known(target, top.least - 1) else {
                    below = step(target, top.least - 1)
                    break
                }
                top.best = min(top.best, min(answer, Self.unreachable - 1) + 1)
                top.next += 1
            }
            if let below {
                path.append(top)
                path.append(below)
                continue
            }
            if finiteMemo.count >= 1 << 20 { finiteMemo.removeAll() }
            finiteMemo[Window(state: top.state, least: top.least, most: 0)] = top.best
            if path.isEmpty { return top.best }
        }
        return Self.unreachable
    }

    /// A shortest text of at least a length.
    func finiteCompletion(_ state: StateID, _ least: Int) -> [Unicode.Scalar]? {
        var rest = shortest(state, atLeast: least)
        guard rest < Self.unreachable, rest <= limits.maximumWitness else { return nil }
        var result: [Unicode.Scalar] = []
        var current = state
        var least = least
        while rest > 0 {
            least -= 1
            rest -= 1
            guard
                let scalarClass = classesOnward(current).first(where: {
                    shortest(transition(current, class: $0), atLeast: least) == rest
                })
            else { return nil }
            result.append(sample(ofClass: scalarClass))
            current = transition(current, class: scalarClass)
        }
        return result
    }
}
