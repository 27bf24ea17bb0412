// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// Different values of a node, shortest first.
struct DistinctValues {
    /// The values, as constants, and the bytes of each.
    var constants: [UInt32] = []
    var costs: [Cost] = []
    /// Whether there are no more.
    var isComplete = false
    /// How many were asked for.
    var asked = 0
}

/// Elements that must differ from each other.
///
/// Which values a node has is found out once: of `n + u` shortest values, at least `n` are left whatever `u` others were
/// used, and the cheapest of those are the cheapest of all. So each state of an array takes a look at a list instead of
/// a search.
extension SchemaMachine {
    /// The most elements that may be asked to differ.
    static let maximumDistinct = 1_024

    /// The cost where elements must differ.
    ///
    /// Exact where at most one more element is needed, and where all slots that still need an element share one node;
    /// otherwise only slots with more values than there are elements count as fillable.
    func costOfDistinct(_ state: ArrayState, _ shape: ArrayShape, _ needed: Int, _ solver: CostSolver) -> Cost {
        // An element by which the array goes on like a constant that it must not equal has that constant's value.
        if state.isValueOpen, let constant = numberLists[state.agreeing].first,
            let values = constants[constant].arrayValue, values.indices.contains(Int(state.index) - 1)
        {
            return cost(element: self.state(state, using: values[Int(state.index) - 1]), solver)
        }
        if needed == 1, shape.counters.isEmpty, !state.isValueOpen {
            var best = Cost.infinite
            for option in elements(state) where canClose(option.next) {
                best = min(best, Cost.sum(solver.cost(option.node), 1))
            }
            if best < .infinite || shape.excluded.isEmpty { return best }
        }
        guard shape.counters.isEmpty, needed <= Self.maximumDistinct else {
            note("distinct elements together with 'contains' or many of them cannot be searched", at: nil)
            return .infinite
        }
        let index = Int(state.index)
        let used = numberLists[state.used]
        // The value of the element that is being read may be any of them, at worst a cheap one.
        // Each constant that the array must not equal rules out one choice at most.
        let open = (state.isValueOpen ? 1 : 0) + numberLists[state.agreeing].count
        let first = shape.node(at: index)
        let commas = Cost.sum(1, Cost.product(commaCost, needed - 1))
        if (index..<index + needed).allSatisfy({ shape.node(at: $0) == first }) {
            guard let costs = distinctCosts(first, excluding: used, count: needed + open) else { return .infinite }
            return costs.dropFirst(open).reduce(commas) { Cost.sum($0, $1) }
        }
        // Whatever the other elements are, a slot with more values than elements finds one that is free.
        var total = commas
        for place in index..<index + needed {
            guard let costs = distinctCosts(shape.node(at: place), excluding: used, count: needed + open) else {
                note("distinct elements of different kinds cannot be matched", at: nil)
                return .infinite
            }
            total = Cost.sum(total, costs.last ?? .infinite)
            if total >= .infinite { break }
        }
        return total
    }

    /// The costs of `count` different values of a node, none of them excluded; nil where there are not that many.
    ///
    /// Where counting could lead back to itself - arrays of distinct arrays of their own kind - only scalars count.
    private func distinctCosts(_ base: NodeID, excluding used: [UInt32], count: Int) -> [Cost]? {
        let isSelfCounting = isSelfCounting(base)
        guard distinctDepth < 16 else {
            note("distinct elements are nested too deep to be counted", at: nil)
            return nil
        }
        distinctDepth += 1
        defer { distinctDepth -= 1 }
        let values = distinctValues(base, count + used.count, scalarsOnly: isSelfCounting)
        let isUsed = Set(used)
        var costs: [Cost] = []
        costs.reserveCapacity(count)
        for (constant, cost) in zip(values.constants, values.costs) where !isUsed.contains(constant) {
            costs.append(cost)
            if costs.count == count { return costs }
        }
        if !values.isComplete || isSelfCounting { note("distinct elements cannot be counted here", at: nil) }
        return nil
    }

    /// Whether values of a node can have values of the same node inside them, and arrays of distinct elements on the
    /// way: what those elements cost would depend on the list that is being made.
    ///
    /// Answered from the schema alone, so that the answer is the same whenever it is asked.
    private func isSelfCounting(_ base: NodeID) -> Bool {
        if let known = selfCounting[base] { return known }
        var hasUnique = false
        var inPlace: Set<SubschemaID> = []
        var inside: Set<SubschemaID> = []
        var work: [(schema: SubschemaID, isInside: Bool)] = []
        func visit(_ schema: SubschemaID?, _ isInside: Bool) {
            guard let schema else { return }
            let isNew = isInside ? inside.insert(schema).inserted : inPlace.insert(schema).inserted
            if isNew { work.append((schema, isInside)) }
        }
        var roots: Set<SubschemaID> = []
        var pending = nodes[base]
        while let literal = pending.popLast() {
            if literal == .always || literal == .never { continue }
            if let disjunction = literal.disjunction {
                pending += disjunctions[disjunction]
            } else if !literal.isConstant {
                roots.insert(literal.subschema)
            }
        }
        for root in roots { visit(root, false) }
        while let (id, isInside) = work.popLast() {
            let schema = graph[id]
            if schema.uniqueItems { hasUnique = true }
            for part in schema.allOf + schema.anyOf + schema.oneOf { visit(part, isInside) }
            for part in [schema.not, schema.ifSchema, schema.thenSchema, schema.elseSchema, schema.reference] {
                visit(part, isInside)
            }
            for property in schema.dependentSchemas { visit(property.schema, isInside) }
            if let reference = schema.dynamicReference {
                visit(reference.initial, isInside)
                if let anchor = reference.anchor {
                    for resource in graph.resources { visit(resource.dynamicAnchors[anchor], isInside) }
                }
            }
            for property in schema.properties { visit(property.schema, true) }
            for property in schema.patternProperties { visit(property.schema, true) }
            for part in schema.prefixItems { visit(part, true) }
            for part in [
                schema.items, schema.contains, schema.unevaluatedItems, schema.additionalProperties,
                schema.unevaluatedProperties,
            ] {
                visit(part, true)
            }
        }
        let result = hasUnique && roots.isSubset(of: inside)
        selfCounting[base] = result
        return result
    }

    /// At least `count` different values of a node, or all that there are.
    private func distinctValues(_ base: NodeID, _ count: Int, scalarsOnly: Bool) -> DistinctValues {
        if let known = distinctPools[base], known.isComplete || known.asked >= count { return known }
        // Twice as many each time: what was found is found again.
        var target = 16
        while target < count { target *= 2 }
        let found = enumerate(base, target, scalarsOnly: scalarsOnly)
        distinctPools[base] = found
        return found
    }

    /// The first values of a node.
    ///
    /// A best-first search over texts. The cost of a configuration is exact, so that each waiting text stands for a
    /// value of its own: once enough of them wait, longer ones need not be looked at.
    private func enumerate(_ base: NodeID, _ target: Int, scalarsOnly: Bool) -> DistinctValues {
        var result = DistinctValues(asked: target)
        let start = configuration(.value, 0, WordList(Alternative(state: base, tag: 0).rawValue), 0, 0)
        let least = start.isDead ? .infinite : scalarsOnly ? 0 : cost(start)
        guard least < .infinite else {
            result.isComplete = true
            return result
        }
        struct Entry {
            var configuration: ConfigID
            var parent: Int32
            var length: Int32
            var byte: UInt8
        }
        var entries = [Entry(configuration: start, parent: -1, length: 0, byte: 0)]
        // The texts that wait, by the bytes that their shortest value takes beyond the least.
        var waiting: [[Int32]] = [[0]]
        // Members in another order are another text of the same value.
        let spread = profile.keyOrder == .any || profile.allowsZeroFraction ? 4 : 1
        var isPruned = false
        var seen: Set<UInt32> = []
        var work = limits.distinctBudget + 24 * target
        var level = 0
        while level < waiting.count {
            guard let top = waiting[level].popLast() else {
                level += 1
                continue
            }
            let entry = entries[Int(top)]
            let current = configurations[entry.configuration.rawValue]
            if isAccepting(entry.configuration) {
                var text: [UInt8] = []
                var place = Int(top)
                while place > 0 {
                    text.append(entries[place].byte)
                    place = Int(entries[place].parent)
                }
                if let value = value(of: text.reversed()) {
                    let constant = constants.intern(value)
                    if seen.insert(constant).inserted {
                        result.constants.append(constant)
                        result.costs.append(text.count)
                    }
                }
                if result.constants.count == target { return result }
                if current.kind == .done { continue }
            }
            let missing = (target - result.constants.count) * spread
            var bound = Self.bound(of: waiting, from: level, missing)
            let isText = current.kind == .string || current.kind == .key
            let isAtEnd = isAccepting(entry.configuration)
            var hasHeir = isAtEnd
            var bytes = candidates(entry.configuration.rawValue)
            var order: [UInt8] = []
            for byte in witnessHints(entry.configuration.rawValue) where bytes.contains(byte) {
                order.append(byte)
                bytes.remove(byte)
            }
            bytes.forEach { order.append($0) }
            for byte in order {
                if hasHeir, bound == level || (bound == level + 1 && isAtEnd) {
                    isPruned = true
                    break
                }
                if !isText, Spacing.isSpace(byte), case .flexible = profile.whitespace { continue }
                if scalarsOnly, top == 0, byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { continue }
                work -= 1
                expansionSteps += 1
                if work <= 0 { return result }
                let next = step(entry.configuration, byte)
                if next.isDead { continue }
                let rest = cost(next)
                guard rest < .infinite else { continue }
                // Costs do not count the white space of the pretty style.
                let weight = isPretty && !isText && byte <= 0x20 ? 0 : 1
                let place = max(level, Int(entry.length) + weight + rest - least)
                guard place < bound || (place == level && !hasHeir), place < 1 << 16 else {
                    isPruned = true
                    continue
                }
                if place == level { hasHeir = true }
                while waiting.count <= place { waiting.append([]) }
                waiting[place].append(Int32(entries.count))
                entries.append(
                    Entry(configuration: next, parent: top, length: entry.length + Int32(weight), byte: byte))
                bound = Self.bound(of: waiting, from: level, missing)
            }
        }
        result.isComplete = !isPruned
        return result
    }

    /// The value of a JSON text that the machine has accepted.
    func value(of text: [UInt8]) -> JSONValue? {
        guard let document = try? JSONReader.read(text, file: nil) else { return nil }
        return document.root.value
    }
}
