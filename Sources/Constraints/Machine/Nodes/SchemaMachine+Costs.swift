// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// Finds the costs of nodes that depend on each other.
///
/// Every node starts as infinite and gets cheaper until nothing changes, which is the least fixed point: a cost is
/// finite exactly where a finite value exists.
final class CostSolver {
    let machine: SchemaMachine
    @exclusivity(unchecked) private var estimates: [NodeID: Cost] = [:]
    @exclusivity(unchecked) private var dependents: [NodeID: Set<NodeID>] = [:]
    /// Nodes to evaluate, oldest first: what a node depends on comes before the node comes again.
    @exclusivity(unchecked) private var queue: [NodeID] = []
    @exclusivity(unchecked) private var head = 0
    @exclusivity(unchecked) private var queued: Set<NodeID> = []
    @exclusivity(unchecked) private var current: NodeID?
    /// Whether an expansion that was under way had to be taken as empty.
    @exclusivity(unchecked) private(set) var isTainted = false

    init(_ machine: SchemaMachine) { self.machine = machine }

    /// Whether every cost asked for so far is final.
    var isSettled: Bool { estimates.isEmpty && !isTainted }

    /// The cost of a node, as far as it is known now.
    func cost(_ node: NodeID) -> Cost {
        if node == .anything { return 1 }
        if node == .nothing { return .infinite }
        if let known = machine.nodeCosts[node] { return known }
        let estimate = estimates[node]
        if estimate == nil, let evident = machine.evidentCost(of: node) {
            machine.nodeCosts[node] = evident
            return evident
        }
        if let current { dependents[node, default: []].insert(current) }
        if let estimate { return estimate }
        estimates[node] = .infinite
        enqueue(node)
        return .infinite
    }

    private func enqueue(_ node: NodeID) {
        if queued.insert(node).inserted { queue.append(node) }
    }

    /// Works until nothing changes, then calls `measure` for the result.
    func solve(_ measure: () -> Cost) -> Cost {
        current = nil
        var result = measure()
        while head < queue.count {
            while head < queue.count {
                let node = queue[head]
                head += 1
                queued.remove(node)
                current = node
                let cost = evaluate(node)
                current = nil
                if cost < estimates[node] ?? .infinite {
                    estimates[node] = cost
                    for dependent in dependents[node] ?? [] { enqueue(dependent) }
                }
            }
            result = measure()
        }
        if !isTainted { for (node, cost) in estimates { machine.nodeCosts[node] = cost } }
        return result
    }

    private func evaluate(_ node: NodeID) -> Cost {
        let literals = machine.nodes[node]
        if literals.count == 1, let cost = machine.cost(ofConstant: literals[0]) { return cost }
        // The cheapest types first: nothing is shorter than a digit, and a container is never shorter than a string
        // of two bytes.
        var best = Cost.infinite
        for type in [ValueType.number, .string, .array, .object, .null, .boolean] {
            let least = type == .number ? 1 : type == .null || type == .boolean ? 4 : 2
            if best <= least { continue }
            best = min(best, cost(node, type))
        }
        return best
    }

    /// The cost of a node's values of one type.
    func cost(_ node: NodeID, _ type: ValueType) -> Cost {
        guard let shapes = machine.expand(node, type) else {
            isTainted = true
            return .infinite
        }
        var best = Cost.infinite
        for shape in shapes { best = min(best, cost(shape: shape, type)) }
        return best
    }

    private func cost(shape: UInt32, _ type: ValueType) -> Cost {
        switch type {
        case .null: return 4
        case .boolean: return shape & 2 != 0 ? 4 : 5
        case .number:
            guard let stepper = machine.stepper(shape) else { return .infinite }
            return stepper.cheapest()
        case .string:
            guard let state = machine.beginString(shape) else { return .infinite }
            return Cost.sum(1, machine.boundaryCost(state))
        case .array:
            let cost = Cost.sum(1, machine.cost(open: machine.initialState(array: shape), self))
            if cost >= .infinite, isTooLong(machine.arrayShapes[shape]) { noteLength("an array") }
            return cost
        case .object:
            let cost = Cost.sum(1, machine.cost(open: machine.initialState(object: shape), self))
            if cost >= .infinite, let shape = machine.objectShapes[Int(shape)], isTooLong(shape) {
                noteLength("an object")
            }
            return cost
        }
    }
}

extension CostSolver {
    /// Whether all elements that an array needs have values, so that only its length is beyond all bounds.
    fileprivate func isTooLong(_ shape: ArrayShape) -> Bool {
        guard shape.isSimple, shape.maxItems.map({ $0 >= shape.minItems }) ?? true else { return false }
        for node in shape.prefix.prefix(shape.minItems) where cost(node) >= .infinite { return false }
        return shape.minItems <= shape.prefix.count || cost(shape.rest) < .infinite
    }

    /// Whether all members that an object needs have values, so that only its length is beyond all bounds.
    fileprivate func isTooLong(_ shape: ObjectShape) -> Bool {
        shape.isSimple && !shape.named.contains { $0.isRequired && cost($0.node) >= .infinite }
    }

    fileprivate func noteLength(_ kind: String) {
        machine.note("\(kind) is too long: its shortest text has more than \(Cost.unreasonable) bytes", at: nil)
    }
}

extension SchemaMachine {
    /// The bytes of a shortest value of a node.
    func cost(of node: NodeID) -> Cost {
        if node == .anything { return 1 }
        if node == .nothing { return .infinite }
        if let known = nodeCosts[node] { return known }
        let solver = CostSolver(self)
        return solver.solve { solver.cost(node) }
    }

    /// The cost of a node of which some shortest value is valid at sight: `0`, `""`, `[]`, `{}`, `null` or `true`; nil
    /// where that takes an expansion to know.
    ///
    /// Most members are like that, and many of them are never looked into.
    func evidentCost(of node: NodeID) -> Cost? {
        let literals = nodes[node]
        guard !tracksEvaluation, literals.count <= 4 else { return nil }
        var undecided = Cost.infinite
        for type in [ValueType.number, .string, .array, .object, .null, .boolean] {
            let least = type == .number ? 1 : type == .null || type == .boolean ? 4 : 2
            var isEvident = true
            var isNever = false
            for literal in literals {
                switch verdict(literal, type) {
                case .never: isNever = true
                case .always: break
                case .depends: isEvident = isEvident && allowsLeast(literal, type, depth: 0)
                }
            }
            if isNever { continue }
            if isEvident { return undecided < least ? nil : least }
            undecided = min(undecided, least)
        }
        return nil
    }

    /// Whether the least value of a type meets a literal by its plain keywords alone; no where that is not evident.
    private func allowsLeast(_ literal: Literal, _ type: ValueType, depth: Int) -> Bool {
        guard !literal.isConstant, !literal.isNegated, depth < 16 else { return false }
        let schema = graph[literal.subschema]
        guard schema.enumeration == nil, schema.constant == nil, schema.anyOf.isEmpty, schema.oneOf.isEmpty,
            schema.not == nil, schema.ifSchema == nil, schema.dynamicReference == nil
        else { return false }
        switch type {
        case .null, .boolean: break
        case .number: if hasAssertions(schema, for: .number) { return false }
        case .string:
            guard schema.minLength ?? 0 == 0, schema.pattern == nil, knownFormat(schema) == nil else { return false }
        case .array:
            guard schema.minItems ?? 0 == 0, schema.contains == nil, schema.prefixItems.count < 1000 else {
                return false
            }
        case .object:
            guard schema.required.isEmpty, schema.minProperties ?? 0 == 0, schema.dependentRequired.isEmpty,
                schema.dependentSchemas.isEmpty, schema.propertyNames == nil
            else { return false }
        }
        var parts = schema.allOf
        if let reference = schema.reference { parts.append(reference) }
        for part in parts {
            let literal = self.literal(part, scope: literal.scope)
            switch verdict(literal, type) {
            case .always: continue
            case .never: return false
            case .depends: if !allowsLeast(literal, type, depth: depth + 1) { return false }
            }
        }
        return true
    }

    /// The bytes of a scalar constant; nil for everything else, and for what is spelled in unusual ways.
    func cost(ofConstant literal: Literal) -> Cost? {
        guard literal.isConstant, literal.disjunction == nil, !literal.isNegated, literal != .always, literal != .never
        else { return nil }
        switch constants[literal.constant] {
        case .null: return 4
        case .bool(let value): return value ? 4 : 5
        case .string(let text):
            let bytes = Array(text.utf8)
            return canSpell(bytes) ? StringSpelling.escaped(bytes).count + 2 : nil
        case .number(let value):
            return value.exponent >= -40 && value.exponent <= 40 ? value.description.utf8.count : nil
        case .array, .object: return nil
        }
    }

    /// The bytes of a shortest value of a node and type.
    func cost(of node: NodeID, _ type: ValueType) -> Cost {
        let solver = CostSolver(self)
        let cost = solver.solve { solver.cost(node, type) }
        if solver.isTainted { taints += 1 }
        return cost
    }

    /// A cost that depends on the costs of nodes.
    func solved(_ measure: (CostSolver) -> Cost) -> Cost {
        let solver = CostSolver(self)
        return solver.solve { measure(solver) }
    }

    /// Bytes of a comma and of a colon, with the white space that must follow.
    var commaCost: Cost { profile.whitespace == .spaced ? 2 : 1 }
    var colonCost: Cost { profile.whitespace == .spaced ? 2 : 1 }
}
