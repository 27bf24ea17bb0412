// SPDX-License-Identifier: Apache-2.0

import Documents

/// One way to go on with an object after a key: the node of the value, then the state after the member.
struct MemberOption {
    var node: NodeID
    var next: ObjectState
}

extension SchemaMachine {
    /// The number of an object state.
    func intern(_ state: ObjectState) -> UInt32 {
        let number = objectStates.intern(state)
        if Int(number) == objectCosts.count {
            // Out of reach as long as its cost is being found: never cheaper than it is.
            objectCosts.append(.infinite)
            objectCosts[Int(number)] = solved { cost(after: state, $0) }
        }
        return number
    }

    func shape(_ state: ObjectState) -> ObjectShape? { objectShapes[Int(state.shape)] }

    /// The state of an object before its first member.
    func initialState(object number: UInt32) -> ObjectState {
        var state = ObjectState(shape: number)
        guard let shape = objectShapes[Int(number)] else { return state }
        state.pending = (1 << UInt32(shape.obligations.count)) - 1
        state.agreeing = numberLists.intern(shape.excluded)
        return state
    }

    /// Whether the object may end in a state.
    func canClose(_ state: ObjectState) -> Bool {
        guard let shape = shape(state) else { return false }
        if nextRequired(state, shape, from: Int(state.cursor)) < shape.named.count { return false }
        if Int(state.count) < shape.minProperties || state.pending != 0 { return false }
        for constant in numberLists[state.agreeing] where constants[constant].objectValue?.count == Int(state.count) {
            return false
        }
        return true
    }

    /// The index of the first required key at or after an index that has not come yet.
    private func nextRequired(_ state: ObjectState, _ shape: ObjectShape, from index: Int) -> Int {
        var next = shape.nextRequired[index]
        if state.taken != 0 {
            let taken = numberLists[state.taken]
            while next < shape.named.count, isTaken(next, taken) { next = shape.nextRequired[next + 1] }
        }
        return next
    }

    private func counted(_ state: ObjectState, _ shape: ObjectShape) -> UInt32 {
        guard shape.countsMembers else { return 0 }
        var limit = shape.maxProperties ?? shape.minProperties
        for constant in shape.excluded { limit = max(limit, (constants[constant].objectValue?.count ?? 0) + 1) }
        return UInt32(min(Int(state.count) + 1, limit))
    }

    /// Whether another member may come at all.
    private func hasRoom(_ state: ObjectState, _ shape: ObjectShape) -> Bool {
        shape.maxProperties.map { Int(state.count) < $0 } ?? true
    }

    /// The ways to go on after the named key of an index.
    func options(_ state: ObjectState, named index: Int) -> [MemberOption] {
        guard let shape = shape(state), hasRoom(state, shape) else { return [] }
        let key = shape.named[index]
        var next = state
        if profile.keyOrder == .any {
            next.taken = numberLists.intern((numberLists[state.taken] + [UInt32(index)]).sorted())
        } else {
            next.cursor = UInt32(index + 1)
        }
        next.count = counted(state, shape)
        return split(state, next, key.node, key.key, key.meets, shape)
    }

    /// The ways to go on after an anonymous key.
    ///
    /// The state after the member says that the given keys are used.
    func options(
        _ state: ObjectState, anonymous keys: ObjectShape.AnonymousKeys, taking taken: [[UInt8]]
    ) -> [MemberOption] {
        guard let shape = shape(state), hasRoom(state, shape) else { return [] }
        var next = state
        if profile.keyOrder == .schema { next.cursor = UInt32(shape.named.count) }
        next.count = counted(state, shape)
        if profile.keyOrder == .schema { next.agreeing = 0 }
        if !taken.isEmpty {
            next.used = textSets.intern(
                Set(textSets[state.used] + taken).sorted { $0.lexicographicallyPrecedes($1) })
        }
        return split(next, next, keys.node, nil, keys.meets, shape)
    }

    private func split(
        _ state: ObjectState, _ next: ObjectState, _ base: NodeID, _ key: [UInt8]?, _ meets: UInt32,
        _ shape: ObjectShape
    ) -> [MemberOption] {
        var options = [MemberOption(node: base, next: next)]
        if state.pending & meets != 0 {
            for (number, obligation) in shape.obligations.enumerated() {
                let bit = UInt32(1) << UInt32(number)
                guard state.pending & meets & bit != 0 else { continue }
                options = options.flatMap { option in
                    var met = option
                    met.next.pending &= ~bit
                    guard let literal = obligation.literal else { return [met] }
                    met.node = node(option.node, and: [literal])
                    return met.node == .nothing ? [option] : [met, option]
                }
            }
        }
        let agreeing = numberLists[state.agreeing]
        if agreeing.isEmpty { return options }
        guard let key else {
            return options.map { option in
                var option = option
                option.next.agreeing = 0
                return option
            }
        }
        let name = String(decoding: key, as: UTF8.self)
        var values: [JSONValue] = []
        var constantsOf: [JSONValue: [UInt32]] = [:]
        for constant in agreeing {
            guard let value = constants[constant].objectValue?[name] else { continue }
            if constantsOf[value] == nil { values.append(value) }
            constantsOf[value, default: []].append(constant)
        }
        var result: [MemberOption] = []
        for option in options {
            var free = option
            free.node = node(option.node, and: values.map { literal(equal: $0, negated: true) })
            free.next.agreeing = 0
            if free.node != .nothing { result.append(free) }
            for value in values {
                var same = option
                same.node = node(option.node, and: [literal(equal: value)])
                if same.node == .nothing { continue }
                same.next.agreeing = numberLists.intern(constantsOf[value] ?? [])
                result.append(same)
            }
        }
        return result
    }

    /// The named keys that may come next, whether their values exist or not.
    func offeredKeys(_ state: ObjectState) -> [Int] {
        guard let shape = shape(state), hasRoom(state, shape) else { return [] }
        if profile.keyOrder == .any {
            let taken = numberLists[state.taken]
            if taken.isEmpty { return Array(shape.named.indices) }
            return shape.named.indices.filter { !isTaken($0, taken) }
        }
        let first = Int(state.cursor)
        return Array(first..<min(shape.nextRequired[first] + 1, shape.named.count))
    }

    /// Whether a named key may come next.
    func offers(_ state: ObjectState, _ shape: ObjectShape, _ index: Int) -> Bool {
        guard hasRoom(state, shape) else { return false }
        if profile.keyOrder == .any { return !isTaken(index, numberLists[state.taken]) }
        return index >= Int(state.cursor) && index <= shape.nextRequired[Int(state.cursor)]
    }

    /// Whether an anonymous key may come next.
    func allowsAnonymous(_ state: ObjectState) -> Bool {
        guard let shape = shape(state), hasRoom(state, shape) else { return false }
        return profile.keyOrder == .any || shape.nextRequired[Int(state.cursor)] >= shape.named.count
    }

    /// Whether another member may come; nil where that takes a search.
    func hasMember(_ state: ObjectState) -> Bool? {
        guard let shape = shape(state), shape.isSimple else { return nil }
        if nextRequired(state, shape, from: Int(state.cursor)) < shape.named.count { return nil }
        for index in offeredKeys(state) where cost(of: shape.named[index].node) < .infinite { return true }
        guard allowsAnonymous(state) else { return false }
        for (kind, keys) in anonymousKeys(shape).enumerated() {
            let isFree = keys.rules.languages.isEmpty && keys.rules.finite == nil && keys.rules.maxLength == nil
            if isFree || hasKeys(state, kind, keys), cost(of: keys.node) < .infinite { return true }
        }
        return false
    }

    // MARK: Costs

    /// The bytes that complete an object in which a member has just ended.
    func cost(after state: ObjectState, _ solver: CostSolver) -> Cost {
        guard let shape = shape(state) else { return .infinite }
        if canClose(state) { return 1 }
        if shape.isSimple { return Cost.sum(requiredCost(state, shape, solver), 1) }
        return Cost.sum(commaCost, cost(member: state, solver))
    }

    /// The bytes that complete an object after its opening brace.
    func cost(open state: ObjectState, _ solver: CostSolver) -> Cost {
        guard let shape = shape(state) else { return .infinite }
        if canClose(state) { return 1 }
        if shape.isSimple { return Cost.sum(requiredCost(state, shape, solver) - commaCost, 1) }
        return cost(member: state, solver)
    }

    /// The bytes of all required members that are left, each with its comma.
    func requiredCost(_ state: ObjectState, _ shape: ObjectShape, _ solver: CostSolver) -> Cost {
        if state.taken == 0, let suffixes = requiredCosts(shape) { return suffixes[Int(state.cursor)] }
        var total = 0
        var index = nextRequired(state, shape, from: Int(state.cursor))
        while index < shape.named.count {
            // Asked for even where the sum is infinite already, so that the solver knows all the nodes it needs.
            total = Cost.sum(total, memberCost(shape.named[index], solver))
            index = nextRequired(state, shape, from: index + 1)
        }
        return total
    }

    /// For each index, the bytes of all required members from there on; nil while their nodes' costs are being found.
    private func requiredCosts(_ shape: ObjectShape) -> [Cost]? {
        if let known = shape.requiredCosts { return known }
        var suffixes = [Cost](repeating: 0, count: shape.named.count + 1)
        for index in shape.named.indices.reversed() {
            suffixes[index] = suffixes[index + 1]
            let key = shape.named[index]
            guard key.isRequired else { continue }
            guard let cost = knownCost(of: key.node) else { return nil }
            suffixes[index] = Cost.sum(suffixes[index], Cost.sum(keyCost(key) + commaCost, cost))
        }
        shape.requiredCosts = suffixes
        return suffixes
    }

    /// For each index, the bytes of the cheapest named member from there on, without comma; nil while the nodes' costs
    /// are being found.
    private func cheapestMembers(_ shape: ObjectShape) -> [Cost]? {
        if let known = shape.cheapestMembers { return known }
        var suffixes = [Cost](repeating: .infinite, count: shape.named.count + 1)
        for index in shape.named.indices.reversed() {
            let key = shape.named[index]
            guard let cost = knownCost(of: key.node) else { return nil }
            suffixes[index] = min(suffixes[index + 1], Cost.sum(keyCost(key), cost))
        }
        shape.cheapestMembers = suffixes
        return suffixes
    }

    /// The cost of a node, where it has been found.
    func knownCost(of node: NodeID) -> Cost? {
        if node == .anything { return 1 }
        return node == .nothing ? .infinite : nodeCosts[node]
    }

    /// The bytes of a comma, a named key, the colon and a value.
    private func memberCost(_ key: ObjectShape.NamedKey, _ solver: CostSolver) -> Cost {
        Cost.sum(keyCost(key) + commaCost, solver.cost(key.node))
    }

    func keyCost(_ key: ObjectShape.NamedKey) -> Cost { key.spelling.count + 2 + colonCost }

    /// The bytes that complete an object of which another member comes next.
    func cost(member state: ObjectState, _ solver: CostSolver) -> Cost {
        guard let shape = shape(state) else { return .infinite }
        if shape.isSimple {
            if nextRequired(state, shape, from: Int(state.cursor)) < shape.named.count {
                return Cost.sum(requiredCost(state, shape, solver) - commaCost, 1)
            }
            var best = Cost.infinite
            if state.taken == 0, let suffixes = cheapestMembers(shape) {
                best = Cost.sum(suffixes[Int(state.cursor)], 1)
            } else {
                for index in offeredKeys(state) {
                    best = min(best, Cost.sum(keyCost(shape.named[index]) + 1, solver.cost(shape.named[index].node)))
                }
            }
            for (cost, _) in anonymousMembers(state, shape, 1, solver) { best = min(best, Cost.sum(cost, 1)) }
            return best
        }
        if shape.onlyCounts { return costOfCounted(state, shape, solver) }
        let key = SearchKey(state: state, mustTake: true, taken: [])
        if let known = memberCosts[key] { return known }
        var memo: [SearchKey: Cost] = [:]
        let before = searchWork
        searchWork = 0
        defer { searchWork = before }
        let noted = limitationCount
        let cost = search(state, key, shape, solver, &memo, 0)
        if solver.isSettled {
            // What was found is a completion, even where the search was given up.
            let isWhole = noted == limitationCount
            for (key, cost) in memo where isWhole || cost < .infinite {
                memberCosts[key] = min(cost, memberCosts[key] ?? cost)
            }
        }
        return cost
    }

    struct SearchKey: Hashable {
        var state: ObjectState
        /// Whether a member must come before the object may end.
        var mustTake: Bool
        /// The spellings of the anonymous keys that the search has used, sorted.
        var taken: [[UInt8]]
    }

    /// The least bytes of members, their commas excepted for the first, and the closing brace.
    private func search(
        _ state: ObjectState, _ key: SearchKey, _ shape: ObjectShape, _ solver: CostSolver,
        _ memo: inout [SearchKey: Cost], _ depth: Int
    ) -> Cost {
        if !key.mustTake, canClose(state) { return 1 }
        if let known = memo[key] ?? memberCosts[key] { return known }
        guard memo.count < limits.memberBudget, searchWork < limits.memberBudget * 4, depth < 1_500 else {
            note("the members that an object needs are too many to be searched", at: nil)
            return .infinite
        }
        memo[key] = .infinite
        var best = Cost.infinite
        let comma = key.mustTake ? 0 : commaCost
        let cursor = nextUseful(state, shape, mustTake: key.mustTake)
        if cursor < shape.named.count {
            let named = shape.named[cursor]
            let isTaken = profile.keyOrder == .any && isTaken(cursor, numberLists[state.taken])
            for option in isTaken ? [] : options(state, named: cursor) {
                let own = Cost.sum(keyCost(named) + comma, solver.cost(option.node))
                if own >= best { continue }
                // The search goes through the named keys in their order, which changes no cost.
                var next = option.next
                next.cursor = UInt32(cursor + 1)
                next.taken = state.taken
                let rest = search(
                    next, SearchKey(state: next, mustTake: false, taken: []), shape, solver, &memo, depth + 1)
                best = min(best, Cost.sum(own, rest))
            }
            if !named.isRequired || isTaken {
                var skipped = state
                skipped.cursor = UInt32(cursor + 1)
                best = min(
                    best,
                    search(
                        skipped, SearchKey(state: skipped, mustTake: key.mustTake, taken: []), shape, solver, &memo,
                        depth + 1))
            }
        } else {
            let kinds = anonymousKeys(shape)
            for keys in kinds {
                guard key.taken.count < 64 else {
                    note("more than 64 keys without a name cannot be demanded", at: nil)
                    continue
                }
                // A key may be of several kinds.
                var skipped = 0
                var unused: [UInt8]?
                while let word = word(keys, state, skipped) {
                    if !key.taken.contains(word) {
                        unused = word
                        break
                    }
                    skipped += 1
                }
                guard let word = unused else { continue }
                let taken = (key.taken + [word]).sorted { $0.lexicographicallyPrecedes($1) }
                let options = options(state, anonymous: keys, taking: [])
                searchWork += options.count
                expansionSteps += options.count
                for option in options {
                    let own = Cost.sum(word.count + 2 + colonCost + comma, solver.cost(option.node))
                    if own >= best { continue }
                    // A member that meets nothing is of no use once there are enough.
                    if !key.mustTake, option.next.pending == state.pending, option.next.agreeing == state.agreeing,
                        shape.minProperties <= Int(state.count)
                    {
                        continue
                    }
                    let rest = search(
                        option.next, SearchKey(state: option.next, mustTake: false, taken: taken), shape, solver, &memo,
                        depth + 1)
                    best = min(best, Cost.sum(own, rest))
                }
            }
        }
        memo[key] = best
        return best
    }

    /// The index of the first named key at or after the cursor that brings an object nearer to its end.
    private func nextUseful(_ state: ObjectState, _ shape: ObjectShape, mustTake: Bool) -> Int {
        let cursor = Int(state.cursor)
        if mustTake || shape.minProperties > Int(state.count) || state.agreeing != 0 { return cursor }
        return shape.named[cursor...].firstIndex { $0.isRequired || $0.meets & state.pending != 0 } ?? shape.named.count
    }

    /// The costs of anonymous members, without comma, one for each kind.
    private func anonymousMembers(
        _ state: ObjectState, _ shape: ObjectShape, _ count: Int, _ solver: CostSolver
    ) -> [(Cost, Int)] {
        guard allowsAnonymous(state) else { return [] }
        var result: [(Cost, Int)] = []
        for (number, keys) in anonymousKeys(shape).enumerated() {
            guard let word = word(keys, state, 0) else { continue }
            result.append((Cost.sum(word.count + 2 + colonCost, solver.cost(keys.node)), number))
        }
        return result
    }

    /// The spelling of the key of a kind that comes after `skipped` others when ordered by length; used keys do not
    /// count.
    func word(_ keys: ObjectShape.AnonymousKeys, _ state: ObjectState, _ skipped: Int) -> [UInt8]? {
        let used = textSets[state.used]
        var left = skipped
        for word in words(keys, skipped + used.count + 1) {
            if !used.isEmpty, used.contains(StringSpelling.unescaped(word)) { continue }
            if left == 0 { return word }
            left -= 1
        }
        return nil
    }

    /// The shape of the anonymous keys of a kind that may still come; nil where there are none.
    func keyShape(_ state: ObjectState, _ kind: Int, _ keys: ObjectShape.AnonymousKeys) -> UInt32? {
        let place = KeyPlace(shape: state.shape, used: state.used, kind: Int32(truncatingIfNeeded: kind))
        if let known = keyShapes[place] { return known }
        var rules = keys.rules
        if state.used != 0 { rules.excluded.formUnion(textSets[state.used]) }
        let number = shape(rules)
        keyShapes[place] = .some(number)
        return number
    }

    /// Anonymous keys of an object after some were used.
    struct KeyPlace: Hashable {
        var shape: UInt32
        var used: UInt32
        var kind: Int32
    }

    /// The state after one more byte of a string, within or after a character.
    func take(_ byte: UInt8, _ state: StringState, _ lexer: StringLexer) -> (StringState, StringLexer)? {
        let outcome = lexer.read(byte)
        guard let next = advance(state, byte, outcome) else { return nil }
        switch outcome {
        case .more(let inside): return (next, inside)
        case .scalar: return (next, .boundary)
        default: return nil
        }
    }
}
