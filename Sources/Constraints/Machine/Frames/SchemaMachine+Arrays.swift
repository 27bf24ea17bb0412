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
            arrayCosts.append(-1)
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

    private func counts(_ state: ArrayState, _ shape: ArrayShape) -> [UInt32] {
        let list = numberLists[state.counts]
        return list.isEmpty ? Array(repeating: 0, count: shape.counters.count) : list
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
    func elements(_ state: ArrayState) -> [ElementOption] {
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
                var other = option
                if counter.maximum != nil { other.node = node(option.node, and: [counter.literal.negated]) }
                if other.node != .nothing { split.append(other) }
            }
            options = split
            if options.count > limits.maximumElementOptions {
                note("an element can be counted in more than \(limits.maximumElementOptions) ways", at: nil)
                options = Array(options.prefix(limits.maximumElementOptions))
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
        for constant in agreeing {
            if let value = constants[constant].arrayValue?[index], !values.contains(value) { values.append(value) }
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
                same.next.agreeing = numberLists.intern(agreeing.filter { constants[$0].arrayValue?[index] == value })
                if same.node != .nothing { split.append(same) }
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
            var total = Cost.product(commaCost, needed - 1)
            var position = index
            while position < index + needed, position < shape.prefix.count {
                total = Cost.sum(total, solver.cost(shape.prefix[position]))
                if total >= .infinite { return .infinite }
                position += 1
            }
            let rest = index + needed - position
            if rest > 0 { total = Cost.sum(total, Cost.product(solver.cost(shape.rest), rest)) }
            return Cost.sum(total, 1)
        }
        if shape.isUnique { return costOfDistinct(state, shape, needed, solver) }
        if let known = elementCosts[state] { return known }
        var memo: [ArrayState: Cost] = [:]
        let before = searchWork
        searchWork = 0
        defer { searchWork = before }
        let noted = limitationCount
        let cost = searchElement(state, shape, solver, &memo, 0)
        if noted == limitationCount, solver.isSettled { elementCosts.merge(memo) { first, _ in first } }
        return cost
    }

    private func searchElement(
        _ state: ArrayState, _ shape: ArrayShape, _ solver: CostSolver, _ memo: inout [ArrayState: Cost], _ depth: Int
    ) -> Cost {
        if let known = memo[state] ?? elementCosts[state] { return known }
        searchWork += 1
        guard memo.count < limits.searchBudget, searchWork < limits.elementBudget, depth < 2_000 else {
            note("the elements that an array needs are too many to be searched", at: nil)
            return .infinite
        }
        memo[state] = .infinite
        var best = Cost.infinite
        let options = elements(state)
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

    /// The cost where elements must differ.
    ///
    /// Exact where at most one more element is needed, and where all slots that still need an element share one node;
    /// otherwise only slots with more values than there are elements count as fillable.
    private func costOfDistinct(_ state: ArrayState, _ shape: ArrayShape, _ needed: Int, _ solver: CostSolver) -> Cost {
        if needed == 1, shape.counters.isEmpty, !state.isValueOpen {
            var best = Cost.infinite
            for option in elements(state) where canClose(option.next) {
                best = min(best, Cost.sum(solver.cost(option.node), 1))
            }
            if best < .infinite || shape.excluded.isEmpty { return best }
        }
        guard shape.counters.isEmpty, needed <= 256 else {
            note("distinct elements together with 'contains' or many of them cannot be searched", at: nil)
            return .infinite
        }
        let index = Int(state.index)
        let slots = (index..<index + needed).map { shape.node(at: $0) }
        let used = numberLists[state.used]
        // The value of the element that is being read may be any of them, at worst a cheap one.
        // Each constant that the array must not equal rules out one choice at most.
        let open = (state.isValueOpen ? 1 : 0) + numberLists[state.agreeing].count
        if slots.allSatisfy({ $0 == slots[0] }) {
            guard let costs = distinctCosts(slots[0], excluding: used, count: needed + open) else { return .infinite }
            return costs.dropFirst(open).reduce(Cost.sum(1, Cost.product(commaCost, needed - 1))) { Cost.sum($0, $1) }
        }
        // Whatever the other elements are, a slot with more values than elements finds one that is free.
        var total = Cost.sum(1, Cost.product(commaCost, needed - 1))
        for slot in slots {
            guard let costs = distinctCosts(slot, excluding: used, count: needed + open) else { return .infinite }
            total = Cost.sum(total, costs.last ?? .infinite)
        }
        return total
    }

    /// The costs of `count` different values of a node, none of them excluded; nil where there are not that many.
    ///
    /// Where counting leads back to itself - arrays of distinct arrays of their own kind - only scalars count.
    private func distinctCosts(_ base: NodeID, excluding used: [UInt32], count: Int) -> [Cost]? {
        if recursivelyCounted.contains(base) { return distinctScalarCosts(base, excluding: used, count: count) }
        guard countedNodes.count < 16, countedNodes.insert(base).inserted else {
            recursivelyCounted.insert(base)
            return distinctScalarCosts(base, excluding: used, count: count)
        }
        defer { countedNodes.remove(base) }
        var literals = used.map { Literal(constant: $0, negated: true) }
        var costs: [Cost] = []
        while costs.count < count {
            let current = node(base, and: literals)
            let cost = cost(of: current)
            if recursivelyCounted.contains(base) { return distinctScalarCosts(base, excluding: used, count: count) }
            guard cost < .infinite else { return nil }
            guard let value = sample(current) else {
                note("distinct elements cannot be counted here", at: nil)
                return nil
            }
            costs.append(cost)
            literals.append(literal(equal: value, negated: true))
        }
        return recursivelyCounted.contains(base)
            ? distinctScalarCosts(base, excluding: used, count: count) : costs
    }

    private func distinctScalarCosts(_ base: NodeID, excluding used: [UInt32], count: Int) -> [Cost]? {
        var literals = used.map { Literal(constant: $0, negated: true) }
        var costs: [Cost] = []
        while costs.count < count {
            guard let (cost, value) = shortestScalar(node(base, and: literals)) else {
                note("distinct elements that are arrays or objects of their own kind cannot be counted", at: nil)
                return nil
            }
            costs.append(cost)
            literals.append(literal(equal: value, negated: true))
        }
        return costs
    }

    /// A shortest value of a node that is no container, with its cost.
    private func shortestScalar(_ node: NodeID) -> (cost: Cost, value: JSONValue)? {
        var best: (cost: Cost, value: JSONValue)?
        func offer(_ cost: Cost, _ value: JSONValue) { if cost < best?.cost ?? .infinite { best = (cost, value) } }
        for shape in expand(node, .number) ?? [] {
            if let text = stepper(shape)?.shortestText(), let value = value(of: text) { offer(text.count, value) }
        }
        for shape in expand(node, .string) ?? [] {
            guard let state = beginString(shape), let text = shortestText(state) else { continue }
            offer(text.count + 2, .string(String(decoding: StringSpelling.unescaped(text), as: UTF8.self)))
        }
        if !(expand(node, .null) ?? []).isEmpty { offer(4, .null) }
        if let mask = expand(node, .boolean)?.first { offer(mask & 2 != 0 ? 4 : 5, .bool(mask & 2 != 0)) }
        return best
    }

    /// A value of a node.
    func sample(_ node: NodeID) -> JSONValue? {
        let start = configuration(.value, 0, WordList(Alternative(state: node, tag: 0).rawValue), 0, 0)
        if start.isDead { return nil }
        return value(of: witness(start))
    }

    /// The value of a JSON text that the machine has accepted.
    func value(of text: [UInt8]) -> JSONValue? {
        guard let document = try? JSONReader.read(text, file: nil) else { return nil }
        return document.root.value
    }
}
