// SPDX-License-Identifier: Apache-2.0

import Documents

/// One way to go on with an array: an element of a node, then the state after it.
struct ElementOption {
    var node: NodeID
    var next: ArrayState
}

extension SchemaMachine {
    func shape(_ state: ArrayState) -> ArrayShape { arrayShapes[state.shape] }

    /// The number of an array state.
    func intern(_ state: ArrayState) -> UInt32 {
        let number = arrayStates.intern(state)
        if Int(number) == arrayCosts.count {
            // Out of reach as long as its cost is being found: never cheaper than it is.
            arrayCosts.append(.infinite)
            arrayCosts[Int(number)] = solved { cost(after: state, $0) }
        }
        return number
    }

    /// The state of an array before its first element.
    func initialState(array number: UInt32) -> ArrayState {
        let shape = arrayShapes[number]
        var state = ArrayState(shape: number)
        if !shape.counters.isEmpty {
            state.counts = numberLists.intern(Array(repeating: 0, count: shape.counters.count))
        }
        state.agreeing = numberLists.intern(shape.excluded)
        return state
    }

    /// Whether the array may end in a state.
    func canClose(_ state: ArrayState) -> Bool {
        let shape = arrayShapes[state.shape]
        if Int(state.index) < shape.minItems { return false }
        if shape.isSimple { return true }
        if !shape.counters.isEmpty {
            for (count, counter) in zip(counts(state, shape), shape.counters) where count < counter.minimum {
                return false
            }
        }
        for constant in numberLists[state.agreeing] where constants[constant].arrayValue?.count == Int(state.index) {
            return false
        }
        return true
    }

    /// The elements that may come next, whether they have values or not.
    ///
    /// With `forced`, only those that count for that counter.
    func elements(_ state: ArrayState, forced: Int? = nil) -> [ElementOption] {
        let shape = arrayShapes[state.shape]
        let index = Int(state.index)
        if let maximum = shape.maxItems, index >= maximum { return [] }
        var next = state
        let limit = shape.maxItems ?? max(shape.minItems, shape.horizon)
        next.index = UInt32(min(index + 1, limit))
        let base = shape.node(at: index)
        if shape.isSimple { return [ElementOption(node: base, next: next)] }

        var literals: [Literal] = []
        for constant in numberLists[state.used] { literals.append(Literal(constant: constant, negated: true)) }
        var options = [ElementOption(node: node(base, and: literals), next: next)]
        for (number, counter) in shape.counters.enumerated() where index >= counter.from {
            var split: [ElementOption] = []
            for option in options {
                var list = counts(option.next, shape)
                let count = Int(list[number])
                if counter.maximum == nil, count >= counter.minimum {
                    split.append(option)
                    continue
                }
                if counter.maximum.map({ count < $0 }) ?? true {
                    list[number] += 1
                    var counted = option
                    counted.node = node(option.node, and: [counter.literal])
                    counted.next.counts = numberLists.intern(list)
                    if counted.node != .nothing { split.append(counted) }
                }
                if number == forced { continue }
                var other = option
                if counter.maximum != nil { other.node = node(option.node, and: [counter.literal.negated]) }
                if other.node != .nothing { split.append(other) }
            }
            options = split
            expansionSteps += options.count
            let limit = shape.counters.count > 8 ? limits.maximumElementOptions / 4 : limits.maximumElementOptions
            if options.count > limit {
                note("an element can be counted in more than \(limit) ways", at: nil)
                // Those that count for the most and those that count for the fewest.
                let sums = options.map { option in counts(option.next, shape).reduce(0) { $0 + Int($1) } }
                let order = options.indices.sorted { (sums[$0], $0) > (sums[$1], $1) }
                options = (order.prefix(limit / 2) + order.suffix(limit / 2)).sorted().map { options[$0] }
            }
        }
        let agreeing = numberLists[state.agreeing].filter { (constants[$0].arrayValue?.count ?? 0) > index }
        if agreeing.isEmpty {
            return options.map { option in
                var option = option
                option.next.agreeing = 0
                return option
            }
        }
        var values: [JSONValue] = []
        var constantsOf: [JSONValue: [UInt32]] = [:]
        for constant in agreeing {
            guard let value = constants[constant].arrayValue?[index] else { continue }
            if constantsOf[value] == nil { values.append(value) }
            constantsOf[value, default: []].append(constant)
        }
        var split: [ElementOption] = []
        for option in options {
            var free = option
            free.node = node(option.node, and: values.map { literal(equal: $0, negated: true) })
            free.next.agreeing = 0
            if free.node != .nothing { split.append(free) }
            for value in values {
                var same = option
                same.node = node(option.node, and: [literal(equal: value)])
                if same.node == .nothing { continue }
                same.next.agreeing = numberLists.intern(constantsOf[value] ?? [])
                split.append(same)
            }
        }
        return split
    }

    /// The state after an element that later ones must differ from.
    func state(_ state: ArrayState, using value: JSONValue) -> ArrayState {
        var next = state
        let constant = constants.intern(value)
        next.isValueOpen = false
        next.used = numberLists.intern((numberLists[state.used].filter { $0 != constant } + [constant]).sorted())
        return next
    }

    /// The bytes that complete an array in which an element has just ended.
    func cost(after state: ArrayState, _ solver: CostSolver) -> Cost {
        if canClose(state) { return 1 }
        return Cost.sum(commaCost, cost(element: state, solver))
    }

    /// The bytes that complete an array after its opening bracket.
    func cost(open state: ArrayState, _ solver: CostSolver) -> Cost {
        if canClose(state) { return 1 }
        return cost(element: state, solver)
    }

    /// The bytes that complete an array of which another element comes next.
    func cost(element state: ArrayState, _ solver: CostSolver) -> Cost {
        let shape = arrayShapes[state.shape]
        let index = Int(state.index)
        if let maximum = shape.maxItems, index >= maximum { return .infinite }
        let needed = max(1, shape.minItems - index)
        if needed >= Cost.unreasonable { note("an array with \(needed) elements is too long", at: nil) }
        if shape.isSimple {
            if let sums = prefixSums(state.shape, shape) {
                guard let total = sums.cost(from: index, to: index + needed) else { return .infinite }
                return Cost.sum(Cost.sum(total, Cost.product(commaCost, needed - 1)), 1)
            }
            var total = Cost.product(commaCost, needed - 1)
            var position = index
            while position < index + needed, position < shape.prefix.count {
                // Asked for even where the sum is infinite already, so that the solver knows all the nodes it needs.
                total = Cost.sum(total, solver.cost(shape.prefix[position]))
                position += 1
            }
            let rest = index + needed - position
            if rest > 0 { total = Cost.sum(total, Cost.product(solver.cost(shape.rest), rest)) }
            return Cost.sum(total, 1)
        }
        if shape.isUnique { return costOfDistinct(state, shape, needed, solver) }
        if let known = elementCosts[state] { return known }
        let greedy = shape.counters.isEmpty ? .infinite : greedyCost(state, shape, solver)
        // Which few elements reach many counts is a question that is not asked.
        if greedy < .infinite, shape.counters.count > 8 || openCounters(state, shape) > Self.searchedCounters {
            return greedy
        }
        var memo: [ArrayState: Cost] = [:]
        let before = searchWork
        searchWork = 0
        defer { searchWork = before }
        let noted = limitationCount
        let cost = searchElement(state, shape, solver, &memo, 0)
        if solver.isSettled {
            // What was found is a completion, even where the search was given up.
            let isWhole = noted == limitationCount
            for (state, cost) in memo where isWhole || cost < .infinite {
                elementCosts[state] = min(cost, elementCosts[state] ?? cost)
            }
        }
        return min(cost, greedy)
    }

    /// Up to so many open counters, the shortest way to reach them is searched.
    private static let searchedCounters = 4

    private func searchElement(
        _ state: ArrayState, _ shape: ArrayShape, _ solver: CostSolver, _ memo: inout [ArrayState: Cost], _ depth: Int
    ) -> Cost {
        if let known = memo[state] ?? elementCosts[state] { return known }
        searchWork += 1
        guard memo.count < limits.searchBudget, searchWork < limits.elementBudget, depth < 2_000 else {
            // Where there is another way, nothing is lost but the shortest.
            let greedy = greedyCost(state, shape, solver)
            if greedy >= .infinite { note("the elements that an array needs are too many to be searched", at: nil) }
            return greedy
        }
        memo[state] = .infinite
        var best = Cost.infinite
        let options = elements(state, forced: firstOpenCounter(state, shape))
        searchWork += options.count
        expansionSteps += options.count
        for option in options {
            let own = solver.cost(option.node)
            if own >= best { continue }
            if canClose(option.next) {
                best = min(best, Cost.sum(own, 1))
            } else if option.next != state {
                let rest = searchElement(option.next, shape, solver, &memo, depth + 1)
                best = min(best, Cost.sum(Cost.sum(own, commaCost), rest))
            }
        }
        memo[state] = best
        return best
    }

    /// The sums over the prefix of an array shape, where the costs of all its nodes have been found.
    private func prefixSums(_ number: UInt32, _ shape: ArrayShape) -> PrefixSums? {
        if shape.prefix.count < 8 { return nil }
        if let known = prefixSums[number] { return known }
        var costs: [Cost] = []
        costs.reserveCapacity(shape.prefix.count)
        for node in shape.prefix {
            guard let cost = knownCost(of: node) else { return nil }
            costs.append(cost)
        }
        guard let rest = knownCost(of: shape.rest) else { return nil }
        let sums = PrefixSums(costs, rest: rest)
        prefixSums[number] = sums
        return sums
    }
}

/// Sums over the costs of the elements of a prefix, and over the elements after it.
struct PrefixSums {
    /// At each index the sum of the finite costs before it.
    private var sums: [Cost] = [0]
    /// At each index the first index at or after it whose element has no value.
    private var nextGap: [Int]
    private let rest: Cost

    init(_ costs: [Cost], rest: Cost) {
        self.rest = rest
        nextGap = Array(repeating: costs.count, count: costs.count + 1)
        for (index, cost) in costs.enumerated() { sums.append(sums[index] + (cost < .infinite ? cost : 0)) }
        for index in costs.indices.reversed() {
            nextGap[index] = costs[index] < .infinite ? nextGap[index + 1] : index
        }
    }

    /// The bytes of the elements in a range of indices; nil where there are none.
    func cost(from low: Int, to high: Int) -> Cost? {
        let count = sums.count - 1
        let first = min(low, count)
        let last = min(high, count)
        if first < last, nextGap[first] < last { return nil }
        let beyond = Cost.product(rest, high - max(low, last))
        let total = Cost.sum(sums[last] - sums[first], beyond)
        return total < .infinite ? total : nil
    }
}
