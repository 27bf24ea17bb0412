// SPDX-License-Identifier: Apache-2.0

/// Arrays in which elements are counted.
///
/// Which elements reach all counts with the fewest bytes is a hard question: it is searched only while few counts are
/// open. Beside the search there is one way that takes no search: each element counts for as many as it can. It is
/// followed to the end, so that it is a completion, if not always the shortest.
extension SchemaMachine {
    /// The counts of an array state.
    func counts(_ state: ArrayState, _ shape: ArrayShape) -> [UInt32] {
        let list = numberLists[state.counts]
        return list.isEmpty ? Array(repeating: 0, count: shape.counters.count) : list
    }

    /// The first counter that has not counted enough, where the elements to come are alike: then one of them must count
    /// for it, and that one may as well come first.
    func firstOpenCounter(_ state: ArrayState, _ shape: ArrayShape) -> Int? {
        guard Int(state.index) >= shape.horizon, state.agreeing == 0 else { return nil }
        let list = counts(state, shape)
        return shape.counters.indices.first { Int(list[$0]) < shape.counters[$0].minimum }
    }

    /// How many counters have not counted enough.
    func openCounters(_ state: ArrayState, _ shape: ArrayShape) -> Int {
        zip(counts(state, shape), shape.counters).reduce(0) { $0 + (Int($1.0) < $1.1.minimum ? 1 : 0) }
    }

    /// The alternatives of an array without those that are no better than another one.
    ///
    /// Where there is no upper bound on a count, having counted more leaves more to come. So of the ways to count the
    /// elements so far, only the best ones are kept; otherwise there would be twice as many after each element.
    func undominated(_ list: [UInt64]) -> [UInt64] {
        guard list.count > 1 else { return list }
        var kept: [(raw: UInt64, state: ArrayState, counts: [UInt32], sum: Int)] = []
        for raw in list {
            let state = arrayStates[Alternative(rawValue: raw).state]
            let shape = arrayShapes[state.shape]
            if shape.counters.isEmpty { return list }
            let counts = counts(state, shape)
            kept.append((raw, state, counts, counts.reduce(0) { $0 + Int($1) }))
        }
        // Those that count most first: only they can be better than others.
        kept.sort { ($0.sum, $0.raw) > ($1.sum, $1.raw) }
        var result: [(raw: UInt64, state: ArrayState, counts: [UInt32], sum: Int)] = []
        for entry in kept {
            let shape = arrayShapes[entry.state.shape]
            let tag = Alternative(rawValue: entry.raw).tag
            let isDominated = result.contains { other in
                guard Alternative(rawValue: other.raw).tag == tag else { return false }
                var same = other.state
                same.counts = entry.state.counts
                guard same == entry.state else { return false }
                return zip(zip(entry.counts, other.counts), shape.counters).allSatisfy { counts, counter in
                    counter.maximum == nil ? counts.0 <= counts.1 : counts.0 == counts.1
                }
            }
            if !isDominated { result.append(entry) }
        }
        return result.map(\.raw)
    }

    /// An element that counts for all it can, and how often it may come at once; nil where the way ends.
    private func greedyElement(
        _ state: ArrayState, _ shape: ArrayShape, _ solver: CostSolver
    ) -> (option: ElementOption, own: Cost, times: Int)? {
        let index = Int(state.index)
        if let maximum = shape.maxItems, index >= maximum { return nil }
        var list = counts(state, shape)
        let limit = shape.maxItems ?? max(shape.minItems, shape.horizon)
        var times = index >= shape.horizon ? Int(UInt32.max >> 1) : 1
        if let maximum = shape.maxItems { times = min(times, maximum - index) }
        var current = shape.node(at: index)
        var own = solver.cost(current)
        guard own < .infinite else { return nil }
        func take(_ literal: Literal) -> Bool {
            let narrower = node(current, and: [literal])
            if narrower == .nothing { return false }
            let cost = solver.cost(narrower)
            if cost >= .infinite { return false }
            (current, own) = (narrower, cost)
            return true
        }
        var agreeing = state.agreeing
        if agreeing != 0 {
            // Differ from everything that the array must not equal, where possible.
            let others = numberLists[agreeing].compactMap { constant -> Literal? in
                guard let elements = constants[constant].arrayValue, elements.count > index else { return nil }
                return literal(equal: elements[index], negated: true)
            }
            let narrower = node(current, and: others)
            let cost = solver.cost(narrower)
            guard cost < .infinite else { return nil }
            (current, own, agreeing) = (narrower, cost, 0)
        }
        var isDecided = Array(repeating: false, count: list.count)
        var hasProgress = false
        for (number, counter) in shape.counters.enumerated() where index >= counter.from {
            let missing = counter.minimum - Int(list[number])
            guard missing > 0, take(counter.literal) else { continue }
            isDecided[number] = true
            hasProgress = true
            times = min(times, missing)
        }
        if !hasProgress, openCounters(state, shape) > 0, index >= shape.horizon { return nil }
        for (number, counter) in shape.counters.enumerated() where index >= counter.from && !isDecided[number] {
            guard let maximum = counter.maximum else { continue }
            if take(counter.literal.negated) { continue }
            let room = maximum - Int(list[number])
            guard room > 0, take(counter.literal) else { return nil }
            isDecided[number] = true
            times = min(times, room)
        }
        if !hasProgress, shape.minItems > index { times = min(times, shape.minItems - index) }
        times = max(1, times)
        for number in list.indices where isDecided[number] { list[number] += UInt32(clamping: times) }
        var next = state
        next.counts = numberLists.intern(list)
        next.index = UInt32(clamping: min(index + times, limit))
        next.agreeing = agreeing
        return (ElementOption(node: current, next: next), own, times)
    }

    /// The bytes of the elements of the greedy way, and of the closing bracket; nothing before the first one.
    func greedyCost(_ start: ArrayState, _ shape: ArrayShape, _ solver: CostSolver) -> Cost {
        var state = start
        var total = 0
        for round in 0..<2_000 {
            expansionSteps += 1 + shape.counters.count
            guard let (option, own, times) = greedyElement(state, shape, solver) else { return .infinite }
            total = Cost.sum(total, Cost.product(Cost.sum(own, commaCost), times))
            if round == 0 { total -= commaCost }
            if total >= .infinite { return .infinite }
            if canClose(option.next) { return Cost.sum(total, 1) }
            if option.next == state { return .infinite }
            state = option.next
        }
        return .infinite
    }
}
