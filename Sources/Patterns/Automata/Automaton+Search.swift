// SPDX-License-Identifier: Apache-2.0

extension Automaton {
    // MARK: Emptiness

    /// Whether any continuation leads to acceptance.
    ///
    /// Constant for residuals without intersection and complement; otherwise a search, remembered for all states on it.
    package func liveness(_ state: StateID) -> Liveness {
        switch livenessMemo[Int(state.rawValue)] {
        case 1: return .alive
        case 2: return .dead
        case 3: return .unknown
        default: break
        }
        let result = computeLiveness(state)
        livenessMemo[Int(state.rawValue)] =
            switch result {
            case .alive: 1
            case .dead: 2
            case .unknown: 3
            }
        return result
    }

    /// What the term alone tells.
    func quickLiveness(_ state: Int) -> Liveness {
        if acceptance[state] { return .alive }
        let id = stateTerms[state]
        if id == TermStore.nothing { return .dead }
        if store.isPure(id) { return .alive }
        return quickWindow(of: id, 0, TermStore.Lengths.unbounded)
    }

    private func computeLiveness(_ state: StateID) -> Liveness {
        let quick = quickLiveness(Int(state.rawValue))
        if quick != .unknown { return quick }
        if isFinite(state.rawValue) { return finiteLiveness(state) }
        visitRound += 1
        var queue: [(state: Int32, parent: Int)] = [(state.rawValue, -1)]
        visitMarks[Int(state.rawValue)] = visitRound
        var head = 0
        var complete = true
        while head < queue.count {
            let source = StateID(rawValue: queue[head].state)
            for scalarClass in 0..<classCount {
                let target = transition(source, class: scalarClass)
                let index = Int(target.rawValue)
                if index == 0 || visitMarks[index] == visitRound { continue }
                visitMarks[index] = visitRound
                let known = livenessMemo[index]
                if known == 2 { continue }
                if known == 1 || quickLiveness(index) == .alive {
                    livenessMemo[index] = 1
                    var step = head
                    while step >= 0 {
                        livenessMemo[Int(queue[step].state)] = 1
                        step = queue[step].parent
                    }
                    return .alive
                }
                queue.append((target.rawValue, head))
            }
            head += 1
            if queue.count > limits.explorationBudget || isOverflowing {
                hasGivenUp = true
                complete = false
                break
            }
        }
        guard complete else { return .unknown }
        for entry in queue { livenessMemo[Int(entry.state)] = 2 }
        return .dead
    }

    /// The classes after which the text can still be completed.
    package func liveClasses(_ state: StateID) -> ClassSet {
        if let known = liveClassMemo[state.rawValue] { return known }
        var result = ClassSet(capacity: classCount)
        for scalarClass in classesOnward(state) {
            let target = transition(state, class: scalarClass)
            if !target.isDead, liveness(target) == .alive { result.insert(scalarClass) }
        }
        liveClassMemo[state.rawValue] = result
        return result
    }

    /// Whether infinitely many continuations are known to lead to acceptance; false where that takes too long to tell.
    ///
    /// Looks for a cycle among states from which a text can be completed.
    package func isInfinite(_ state: StateID) -> Bool {
        if isFinite(state.rawValue) { return false }
        if let known = infiniteMemo[state.rawValue] { return known }
        var result = false
        // Depth first; a state that is met again while it is open lies on a cycle.
        var isOpen: [Int32: Bool] = [state.rawValue: true]
        var path: [(state: Int32, next: Int)] = [(state.rawValue, 0)]
        search: while let top = path.last, isOpen.count <= 256 {
            guard top.next < classCount else {
                isOpen[top.state] = false
                path.removeLast()
                continue
            }
            path[path.count - 1].next += 1
            let target = transition(StateID(rawValue: top.state), class: top.next)
            guard !target.isDead, liveness(target) == .alive else { continue }
            switch isOpen[target.rawValue] {
            case true?:
                result = true
                break search
            case false?: continue
            case nil:
                isOpen[target.rawValue] = true
                path.append((target.rawValue, 0))
            }
        }
        infiniteMemo[state.rawValue] = result
        return result
    }

    // MARK: Shortest continuations

    /// The scalars of the shortest continuation that leads to acceptance; nil if there is none or the limit was hit.
    package func shortestLength(_ state: StateID) -> Int? {
        let length = distance(state.rawValue)
        return length >= Self.unreachable ? nil : length
    }

    static let unreachable = TermStore.Lengths.unbounded

    func distance(_ state: Int32) -> Int {
        let index = Int(state)
        if shortestMemo[index] >= 0 { return shortestMemo[index] }
        let result = computeDistance(state)
        shortestMemo[index] = result
        return result
    }

    /// Bounds on the length of the shortest continuation; equal where the term tells it exactly.
    func distanceBounds(_ index: Int) -> (lower: Int, upper: Int) {
        if acceptance[index] { return (0, 0) }
        if shortestMemo[index] >= 0 { return (shortestMemo[index], shortestMemo[index]) }
        let id = stateTerms[index]
        let lower = store.terms[Int(id)].lengths.minimum
        if store.isPure(id) { return (lower, lower) }
        var upper = Self.unreachable
        if store.kind(id) == .union {
            for operand in store.operands(id) where store.isPure(operand) {
                upper = min(upper, store.terms[Int(operand)].lengths.minimum)
            }
        } else if store.kind(id) == .intersection, let (rest, bounds) = store.lengthBound(of: id), store.isPure(rest) {
            let lengths = store.terms[Int(rest)].lengths
            let least = max(bounds.minimum, lengths.minimum)
            let isAttained = least == lengths.minimum || least >= lengths.fullFrom && least <= lengths.maximum
            if isAttained, least <= bounds.maximum { upper = least }
        }
        return (lower, upper)
    }

    private func computeDistance(_ state: Int32) -> Int {
        let known = distanceBounds(Int(state))
        if known.lower >= known.upper { return known.upper }
        if isFinite(state) { return settle(state, .length) }
        visitRound += 1
        visitMarks[Int(state)] = visitRound
        var layer = [state]
        var depth = 0
        var best = known.upper
        var visited = 0
        while !layer.isEmpty, depth + 1 < best {
            var next: [Int32] = []
            for source in layer {
                for scalarClass in 0..<classCount {
                    let target = transition(StateID(rawValue: source), class: scalarClass)
                    let index = Int(target.rawValue)
                    if index == 0 || visitMarks[index] == visitRound { continue }
                    visitMarks[index] = visitRound
                    let bounds = distanceBounds(index)
                    best = min(best, depth + 1 + bounds.upper)
                    if bounds.lower < bounds.upper, depth + 1 + bounds.lower < best { next.append(target.rawValue) }
                }
            }
            visited += next.count
            if visited > limits.explorationBudget || isOverflowing {
                hasGivenUp = true
                break
            }
            layer = next
            depth += 1
        }
        return best
    }

    /// A shortest continuation that leads to acceptance.
    package func shortest(_ state: StateID) -> [Unicode.Scalar]? {
        guard let length = shortestLength(state), length <= limits.maximumWitness else { return nil }
        if isFinite(state.rawValue) { return finiteCompletion(state, 0) }
        var result: [Unicode.Scalar] = []
        var current = state
        var remaining = length
        while remaining > 0 {
            guard let (scalarClass, target) = classesByPreference.lazy
                .map({ ($0, self.transition(current, class: $0)) })
                .first(where: { !$0.1.isDead && self.distance($0.1.rawValue) == remaining - 1 })
            else { return nil }
            result.append(sample(ofClass: scalarClass))
            current = target
            remaining -= 1
        }
        return result
    }

    /// The least bytes that a continuation takes in the spelling that the automaton was made for; nil if there is none or
    /// the limit was hit.
    package func shortestJSONCost(_ state: StateID) -> Int? {
        let cost = jsonCost(state.rawValue)
        return cost >= Self.unreachable ? nil : cost
    }

    func costBounds(_ index: Int) -> (lower: Int, upper: Int) {
        if acceptance[index] { return (0, 0) }
        if costMemo[index] >= 0 { return (costMemo[index], costMemo[index]) }
        let id = stateTerms[index]
        let lower = store.terms[Int(id)].cost
        if store.isPure(id) { return (lower, lower) }
        var upper = Self.unreachable
        if store.kind(id) == .union {
            for operand in store.operands(id) where store.isPure(operand) {
                upper = min(upper, store.terms[Int(operand)].cost)
            }
        }
        return (lower, upper)
    }

    /// Dijkstra's algorithm with buckets: a scalar costs one to six bytes.
    func jsonCost(_ state: Int32) -> Int {
        let known = costBounds(Int(state))
        if known.lower >= known.upper { return known.upper }
        if isFinite(state) { return settle(state, .cost) }
        var best = known.upper
        var buckets: [[Int32]] = [[state]]
        var costs: [Int32: Int] = [state: 0]
        var depth = 0
        var visited = 0
        while depth < buckets.count, depth < best, visited <= limits.explorationBudget, !isOverflowing {
            let layer = buckets[depth]
            buckets[depth] = []
            for source in layer where costs[source] == depth {
                visited += 1
                for scalarClass in 0..<classCount {
                    let target = transition(StateID(rawValue: source), class: scalarClass)
                    if target.isDead { continue }
                    let cost = depth + classes.costs[scalarClass]
                    let bounds = costBounds(Int(target.rawValue))
                    best = min(best, cost + bounds.upper)
                    if bounds.lower < bounds.upper, cost + bounds.lower < best,
                        cost < costs[target.rawValue] ?? Int.max
                    {
                        costs[target.rawValue] = cost
                        while buckets.count <= cost { buckets.append([]) }
                        buckets[cost].append(target.rawValue)
                    }
                }
            }
            depth += 1
        }
        if visited > limits.explorationBudget { hasGivenUp = true }
        costMemo[Int(state)] = best
        return best
    }

    static func order(_ classes: ScalarClasses) -> [Int] {
        (0..<classes.count).sorted {
            (classes.costs[$0], rank(classes.samples[$0]), $0) < (classes.costs[$1], rank(classes.samples[$1]), $1)
        }
    }

    private static func rank(_ value: UInt32) -> Int {
        switch value {
        case 0x61...0x7A: 0
        case 0x30...0x39: 1
        case 0x41...0x5A: 2
        default: 3
        }
    }

    // MARK: Windows of lengths

    /// Whether some continuation of at least `minScalars` and at most `maxScalars` scalars leads to acceptance.
    ///
    /// Constant for most residuals without intersection and complement; otherwise a search by length, remembered.
    package func canFinish(_ state: StateID, minScalars: Int, maxScalars: Int?) -> Liveness {
        let least = max(minScalars, 0)
        let most = min(maxScalars ?? TermStore.Lengths.unbounded, TermStore.Lengths.unbounded)
        let quick = quickWindow(Int(state.rawValue), least, most)
        if quick != .unknown { return quick }
        if least == 0, most >= TermStore.Lengths.unbounded { return liveness(state) }
        if isFinite(state.rawValue) { return finiteWindow(state, least, most) }
        let key = Window(state: state.rawValue, least: least, most: most)
        if let known = windowMemo[key] { return known }
        let result = searchWindow(state, least, most)
        if windowMemo.count >= 1 << 20 { windowMemo.removeAll() }
        windowMemo[key] = result
        return result
    }

    private func quickWindow(_ index: Int, _ least: Int, _ most: Int) -> Liveness {
        let id = stateTerms[index]
        if id == TermStore.nothing || most < least { return .dead }
        if least == 0, acceptance[index] { return .alive }
        if livenessMemo[index] == 2 { return .dead }
        return quickWindow(of: id, least, most)
    }

    private func quickWindow(of id: TermID, _ least: Int, _ most: Int) -> Liveness {
        let term = store.terms[Int(id)]
        let lengths = term.lengths
        if most < lengths.minimum || least > lengths.maximum { return .dead }
        if term.flags.contains(.pure) {
            if least <= lengths.minimum { return .alive }
            if most >= lengths.fullFrom { return .alive }
            if lengths.maximum < TermStore.Lengths.unbounded, most >= lengths.maximum { return .alive }
            if term.kind != .union { return .unknown }
        }
        if term.kind == .intersection {
            guard let (rest, bounds) = store.lengthBound(of: id) else { return .unknown }
            return quickWindow(of: rest, max(least, bounds.minimum), min(most, bounds.maximum))
        }
        guard term.kind == .union else { return .unknown }
        var result = Liveness.dead
        for operand in store.operands(id) {
            switch quickWindow(of: operand, least, most) {
            case .alive: return .alive
            case .dead: continue
            case .unknown: result = .unknown
            }
        }
        return result
    }

    /// Walks over the sets of states that are reached after the same number of scalars.
    private func searchWindow(_ state: StateID, _ least: Int, _ most: Int) -> Liveness {
        var layer = [state.rawValue]
        var length = 0
        var visited = 0
        // The layers since the last one from which a state was left out because its texts are too short.
        var seen: [[Int32]: Int] = [layer: 0]
        while true {
            visitRound += 1
            var next: [Int32] = []
            var isComplete = true
            let lower = max(least - length - 1, 0)
            let upper = most - length - 1
            for source in layer {
                for scalarClass in 0..<classCount {
                    let target = transition(StateID(rawValue: source), class: scalarClass)
                    let index = Int(target.rawValue)
                    if index == 0 || visitMarks[index] == visitRound { continue }
                    visitMarks[index] = visitRound
                    switch quickWindow(index, lower, upper) {
                    case .alive: return .alive
                    case .dead:
                        if lower > 0, quickWindow(index, 0, upper) != .dead { isComplete = false }
                    case .unknown: next.append(target.rawValue)
                    }
                }
            }
            length += 1
            visited += next.count
            if length >= most { return .dead }
            if next.isEmpty { return .dead }
            if visited > limits.explorationBudget || isOverflowing {
                hasGivenUp = true
                return .unknown
            }
            next.sort()
            layer = next
            if !isComplete { seen = [:] }
            if let before = seen[layer] {
                // The same states at two lengths: what follows repeats itself.
                if before >= least { return .dead }
                let period = length - before
                // Acceptance is looked at on entering a length, so the lower bound itself is not jumped to.
                if length < least { length += (least - 1 - length) / period * period }
                seen = [:]
            }
            seen[layer] = length
        }
    }

    /// A shortest continuation within the bounds on its length that leads to acceptance.
    package func completion(_ state: StateID, minScalars: Int, maxScalars: Int?) -> [Unicode.Scalar]? {
        let least = max(minScalars, 0)
        guard canFinish(state, minScalars: least, maxScalars: maxScalars) == .alive,
            let shortest = shortestLength(state)
        else { return nil }
        if least <= shortest { return self.shortest(state) }
        if isFinite(state.rawValue) { return finiteCompletion(state, least) }
        var length = least
        while canFinish(state, minScalars: length, maxScalars: length) != .alive {
            length += 1
            if let maxScalars, length > maxScalars { return nil }
            if length - least > 10_000 { return nil }
        }
        guard length <= limits.maximumWitness else { return nil }
        var result: [Unicode.Scalar] = []
        var current = state
        while length > 0 {
            length -= 1
            var found = false
            for scalarClass in classesByPreference {
                let target = transition(current, class: scalarClass)
                if target.isDead || canFinish(target, minScalars: length, maxScalars: length) != .alive { continue }
                result.append(sample(ofClass: scalarClass))
                current = target
                found = true
                break
            }
            if !found { return nil }
        }
        return result
    }
}
