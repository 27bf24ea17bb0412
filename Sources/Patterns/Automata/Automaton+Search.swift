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
        if store.isPure(id) || store.jointText(of: id) != nil { return .alive }
        return quickWindow(of: id, 0, TermStore.Lengths.unbounded)
    }

    /// The operations that one more search may take: half as many each time one was given up.
    ///
    /// What lies on a way that was found needs no search; so nothing that was alive is lost.
    private var workAllowance: Int {
        if limits.workBudget >= Limits.unlimited { return limits.workBudget }
        return giveUps < 12 ? limits.workBudget >> giveUps : 0
    }

    /// The operations that a search for a shortest text may take: all where no text is known at all.
    private func workAllowance(bound: Int) -> Int { bound >= Self.unreachable ? limits.workBudget : workAllowance }

    private func giveUp() {
        hasGivenUp = true
        giveUps += 1
    }

    /// Searches for a text: by turns among the states found first and among those that seem nearest to acceptance.
    ///
    /// The states on the way to a text are known to be alive from then on, with the length of the rest as a bound. Where
    /// the search is given up, so it is for all states that it has seen: none of them is searched from again.
    private func computeLiveness(_ state: StateID) -> Liveness {
        let quick = quickLiveness(Int(state.rawValue))
        if quick != .unknown { return quick }
        if isFinite(state.rawValue) { return finiteLiveness(state) }
        visitRound += 1
        var queue: [(state: Int32, parent: Int32, scalarClass: Int32, isDone: Bool)] = [(state.rawValue, -1, 0, false)]
        var byHint: [(list: [Int32], head: Int)] = []
        visitMarks[Int(state.rawValue)] = visitRound
        let begin = store.work
        let allowance = workAllowance
        var head = 0
        var nearest = 0
        var turn = false
        var complete = true
        var open = 1
        func hint(_ index: Int) -> Int { min(store.distanceHint(stateTerms[index]), 1_023) }
        func enter(_ place: Int32, _ index: Int) {
            let hint = hint(index)
            while byHint.count <= hint { byHint.append(([], 0)) }
            byHint[hint].list.append(place)
            nearest = min(nearest, hint)
        }
        enter(0, Int(state.rawValue))
        while open > 0 {
            var place = -1
            turn.toggle()
            if turn {
                while nearest < byHint.count {
                    if byHint[nearest].head < byHint[nearest].list.count {
                        let candidate = Int(byHint[nearest].list[byHint[nearest].head])
                        byHint[nearest].head += 1
                        if queue[candidate].isDone { continue }
                        place = candidate
                        break
                    }
                    nearest += 1
                }
            }
            if place < 0 {
                while queue[head].isDone { head += 1 }
                place = head
            }
            queue[place].isDone = true
            open -= 1
            let source = StateID(rawValue: queue[place].state)
            for scalarClass in 0..<classCount {
                let target = transition(source, class: scalarClass)
                let index = Int(target.rawValue)
                if index == 0 || visitMarks[index] == visitRound { continue }
                visitMarks[index] = visitRound
                let known = livenessMemo[index]
                if known == 2 { continue }
                if known == 1 || quickLiveness(index) == .alive {
                    livenessMemo[index] = 1
                    noteWay(queue, from: place, scalarClass, to: index)
                    return .alive
                }
                if known == 3 {
                    complete = false
                    continue
                }
                let entry = Int32(queue.count)
                queue.append((target.rawValue, Int32(place), Int32(scalarClass), false))
                open += 1
                enter(entry, index)
            }
            if queue.count > limits.explorationBudget || store.work - begin >= allowance || isOverflowing {
                complete = false
                break
            }
        }
        guard complete else {
            giveUp()
            for entry in queue where livenessMemo[Int(entry.state)] == 0 { livenessMemo[Int(entry.state)] = 3 }
            return .unknown
        }
        for entry in queue { livenessMemo[Int(entry.state)] = 2 }
        return .dead
    }

    /// Notes that the states on a way are alive, and how much of the way is left.
    private func noteWay(
        _ queue: [(state: Int32, parent: Int32, scalarClass: Int32, isDone: Bool)], from place: Int, _ last: Int,
        to index: Int
    ) {
        var length = distanceBounds(index).upper
        var cost = costBounds(index).upper
        var step = place
        var scalarClass = last
        while step >= 0 {
            let entry = queue[step]
            livenessMemo[Int(entry.state)] = 1
            length = min(length + 1, Self.unreachable)
            cost = min(cost + classes.costs[scalarClass], Self.unreachable)
            if length < Self.unreachable, lengthMemo[entry.state].map({ length < $0 }) ?? true {
                lengthMemo[entry.state] = length
            }
            if cost < Self.unreachable, bytesMemo[entry.state].map({ cost < $0 }) ?? true {
                bytesMemo[entry.state] = cost
            }
            scalarClass = Int(entry.scalarClass)
            step = Int(entry.parent)
        }
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
        var upper = min(lengthMemo[Int32(index)] ?? Self.unreachable, store.jointText(of: id)?.length ?? Self.unreachable)
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
        let allowance = workAllowance(bound: known.upper)
        if allowance == 0 { return known.upper }
        visitRound += 1
        visitMarks[Int(state)] = visitRound
        let begin = store.work
        var found: [(state: Int32, parent: Int32)] = [(state, -1)]
        var layer = 0..<1
        var depth = 0
        var best = known.upper
        var way: (place: Int, rest: Int)?
        search: while !layer.isEmpty, depth + 1 < best {
            for place in layer {
                let source = StateID(rawValue: found[place].state)
                for scalarClass in 0..<classCount {
                    let target = transition(source, class: scalarClass)
                    let index = Int(target.rawValue)
                    if index == 0 || visitMarks[index] == visitRound { continue }
                    visitMarks[index] = visitRound
                    let bounds = distanceBounds(index)
                    if depth + 1 + bounds.upper < best {
                        best = depth + 1 + bounds.upper
                        way = (place, bounds.upper)
                    }
                    if bounds.lower < bounds.upper, depth + 1 + bounds.lower < best {
                        found.append((target.rawValue, Int32(place)))
                    }
                }
                if found.count > limits.explorationBudget || store.work - begin > allowance || isOverflowing {
                    giveUp()
                    break search
                }
            }
            layer = layer.upperBound..<found.count
            depth += 1
        }
        if let way {
            var place = way.place
            var length = way.rest
            while place >= 0 {
                length += 1
                let state = found[place].state
                lengthMemo[state] = min(length, lengthMemo[state] ?? length)
                place = Int(found[place].parent)
            }
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
        while !isAccepting(current) {
            // Where a search was given up, a rest may turn out to be shorter than it was known to be.
            guard let (scalarClass, target) = classesByPreference.lazy
                .map({ ($0, self.transition(current, class: $0)) })
                .first(where: { !$0.1.isDead && self.distance($0.1.rawValue) < remaining })
            else { return nil }
            result.append(sample(ofClass: scalarClass))
            current = target
            remaining = distance(target.rawValue)
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
        var upper = min(bytesMemo[Int32(index)] ?? Self.unreachable, store.jointText(of: id)?.cost ?? Self.unreachable)
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
        let allowance = workAllowance(bound: known.upper)
        if allowance == 0 { return known.upper }
        var best = known.upper
        var buckets: [[Int32]] = [[state]]
        var costs: [Int32: (cost: Int, from: Int32)] = [state: (0, -1)]
        var depth = 0
        var visited = 0
        var way: (state: Int32, cost: Int)?
        let begin = store.work
        search: while depth < buckets.count, depth < best {
            let layer = buckets[depth]
            buckets[depth] = []
            for source in layer where costs[source]?.cost == depth {
                visited += 1
                for scalarClass in 0..<classCount {
                    let target = transition(StateID(rawValue: source), class: scalarClass)
                    if target.isDead { continue }
                    let cost = depth + classes.costs[scalarClass]
                    let bounds = costBounds(Int(target.rawValue))
                    if cost + bounds.upper < best {
                        best = cost + bounds.upper
                        way = (source, cost - depth + bounds.upper)
                    }
                    if bounds.lower < bounds.upper, cost + bounds.lower < best,
                        cost < costs[target.rawValue]?.cost ?? Int.max
                    {
                        costs[target.rawValue] = (cost, source)
                        while buckets.count <= cost { buckets.append([]) }
                        buckets[cost].append(target.rawValue)
                    }
                }
                if visited > limits.explorationBudget || store.work - begin > allowance || isOverflowing {
                    giveUp()
                    break search
                }
            }
            depth += 1
        }
        if let way {
            var state = way.state
            let whole = (costs[state]?.cost ?? 0) + way.cost
            while state >= 0, let entry = costs[state] {
                let rest = whole - entry.cost
                bytesMemo[state] = min(rest, bytesMemo[state] ?? rest)
                state = entry.from
            }
        }
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
        var layers: [[(state: Int32, parent: Int32)]] = [[(state.rawValue, -1)]]
        var layer = [state.rawValue]
        var length = 0
        var visited = 0
        let begin = store.work
        // Ways are remembered, but not over lengths that are jumped over.
        let allowance = max(workAllowance, limits.workBudget >> 3)
        var hasJumped = false
        // The layers since the last one from which a state was left out because its texts are too short.
        var seen: [[Int32]: Int] = [layer: 0]
        while true {
            visitRound += 1
            var next: [(state: Int32, parent: Int32)] = []
            var isComplete = true
            let lower = max(least - length - 1, 0)
            let upper = most - length - 1
            for (place, source) in (layers.last ?? []).enumerated() {
                for scalarClass in 0..<classCount {
                    let target = transition(StateID(rawValue: source.state), class: scalarClass)
                    let index = Int(target.rawValue)
                    if index == 0 || visitMarks[index] == visitRound { continue }
                    visitMarks[index] = visitRound
                    var verdict = quickWindow(index, lower, upper)
                    if verdict == .unknown, windowMemo[Window(state: target.rawValue, least: lower, most: upper)] == .alive {
                        verdict = .alive
                    }
                    switch verdict {
                    case .alive:
                        if !hasJumped { noteWindows(layers, place, least, most) }
                        return .alive
                    case .dead:
                        if lower > 0, quickWindow(index, 0, upper) != .dead { isComplete = false }
                    case .unknown: next.append((target.rawValue, Int32(place)))
                    }
                }
                if visited + next.count > limits.explorationBudget || store.work - begin > allowance || isOverflowing {
                    giveUp()
                    return .unknown
                }
            }
            length += 1
            visited += next.count
            if length >= most { return .dead }
            if next.isEmpty { return .dead }
            next.sort { $0.state < $1.state }
            layer = next.map(\.state)
            layers.append(next)
            if !isComplete { seen = [:] }
            if let before = seen[layer] {
                // The same states at two lengths: what follows repeats itself.
                if before >= least { return .dead }
                let period = length - before
                // Acceptance is looked at on entering a length, so the lower bound itself is not jumped to.
                if length < least {
                    length += (least - 1 - length) / period * period
                    hasJumped = true
                }
                seen = [:]
            }
            seen[layer] = length
        }
    }

    /// Notes that the texts on a way can be finished within the rests of the bounds.
    private func noteWindows(_ layers: [[(state: Int32, parent: Int32)]], _ last: Int, _ least: Int, _ most: Int) {
        var place = last
        for length in layers.indices.reversed() {
            let entry = layers[length][place]
            windowMemo[Window(state: entry.state, least: max(least - length, 0), most: most - length)] = .alive
            place = Int(entry.parent)
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
