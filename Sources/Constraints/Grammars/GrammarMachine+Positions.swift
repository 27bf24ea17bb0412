// SPDX-License-Identifier: Apache-2.0

import Patterns

/// A state within a leaf of the grammar: a character, a terminal, a JSON document or free text.
struct LeafState: Fingerprinted {
    enum Kind: UInt8 {
        case scalar, terminal, document, text
    }

    var kind: Kind
    /// The number of the terminal, document or text.
    var index: UInt32 = 0
    /// The state of its automaton; for a character what completes it.
    var state: UInt32
    /// For a terminal: the bytes of an unfinished character, the first lowest.
    var partial: UInt32 = 0
    /// The network's state after the leaf; not used for text.
    var target: UInt32

    func fingerprint(_ seed: UInt64) -> UInt64 {
        let print = mixed(seed, UInt64(kind.rawValue) << 32 | UInt64(index))
        return mixed(mixed(print, UInt64(state) << 32 | UInt64(target)), UInt64(partial))
    }
}

/// What is known about a position.
struct PositionFacts {
    /// Whether the rule may end here.
    var isFinal: Bool
    /// The rules that may come next, each with the position after it.
    var calls: [(rule: Int, after: UInt32)]
}

extension GrammarMachine {
    // MARK: Positions

    /// A position is a sorted list of states: those of the network, and behind them those of leaves.
    var leafBase: UInt32 { UInt32(truncatingIfNeeded: network.stateCount) }

    /// The position of all that can be reached from a state without reading.
    func closure(_ state: UInt32) -> UInt32 {
        let known = closures[Int(state)]
        if known != 0 { return known - 1 }
        var seen: Set<UInt32> = []
        var members: [UInt32] = []
        var work = [state]
        while let state = work.popLast() {
            guard costs[state] < .infinite, seen.insert(state).inserted else { continue }
            var isConsuming = state == Network.final
            network.forEachEdge(state) { edge in
                switch edge.kind {
                case .empty: work.append(edge.target)
                case .byte, .ascii, .scalar: isConsuming = true
                case .call:
                    isConsuming = true
                    if costs[network.starts[Int(edge.value)]] == 0 { work.append(edge.target) }
                case .callOfText: isConsuming = true
                case .terminal:
                    guard costs[edge.target] < .infinite else { return }
                    let terminal = terminals[Int(edge.value)]
                    if terminal.matchesEmpty { work.append(edge.target) }
                    if terminal.matchesMore {
                        let leaf = LeafState(
                            kind: .terminal, index: edge.value, state: terminal.start, target: edge.target)
                        members.append(leafBase + leaves.intern(leaf))
                    }
                case .document:
                    guard costs[edge.target] < .infinite else { return }
                    let leaf = LeafState(
                        kind: .document, index: edge.value, state: documents[Int(edge.value)].start.rawValue,
                        target: edge.target)
                    members.append(leafBase + leaves.intern(leaf))
                case .text:
                    if let end = network.texts[Int(edge.value)].end { work.append(end) }
                    let leaf = LeafState(kind: .text, index: edge.value, state: 0, target: 0)
                    members.append(leafBase + leaves.intern(leaf))
                }
            }
            if isConsuming { members.append(state) }
        }
        members.sort()
        let position = positions.intern(members)
        closures[Int(state)] = position + 1
        return position
    }

    /// The position of what either one allows.
    func union(_ a: UInt32, _ b: UInt32) -> UInt32 {
        if a == b || b == 0 { return a }
        if a == 0 { return b }
        return union([a, b])
    }

    func union(_ list: [UInt32]) -> UInt32 {
        guard let first = list.first else { return 0 }
        if list.allSatisfy({ $0 == first }) { return first }
        var members: [UInt32] = []
        for position in list { members += positions[position] }
        return positions.intern(Self.canonical(members))
    }

    private static func canonical(_ members: [UInt32]) -> [UInt32] {
        var members = members
        members.sort()
        var last: UInt32?
        members.removeAll { member in
            defer { last = member }
            return member == last
        }
        return members
    }

    /// The position without the end of the rule.
    func withoutEnd(_ position: UInt32) -> UInt32 {
        guard facts(position).isFinal else { return position }
        return positions.intern(positions[position].filter { $0 != Network.final })
    }

    func facts(_ position: UInt32) -> PositionFacts {
        if Int(position) < positionFacts.count, let known = positionFacts[Int(position)] { return known }
        var result = PositionFacts(isFinal: false, calls: [])
        var after: [Int: [UInt32]] = [:]
        for member in positions[position] where member < leafBase {
            if member == Network.final { result.isFinal = true }
            network.forEachEdge(member) { edge in
                let value = Int(edge.value)
                guard edge.kind == .call || edge.kind == .callOfText, costs[edge.target] < .infinite,
                    costs[network.starts[value]] < .infinite
                else { return }
                after[value, default: []].append(closure(edge.target))
            }
        }
        result.calls = after.keys.sorted().map { (rule: $0, after: union(after[$0] ?? [])) }
        while positionFacts.count <= Int(position) { positionFacts.append(nil) }
        positionFacts[Int(position)] = result
        return result
    }

    /// The bytes that may come next within the rule itself.
    func bytes(position: UInt32) -> ByteSet {
        if let known = positionBytes[position] { return known }
        var result = ByteSet()
        for member in positions[position] {
            if member >= leafBase {
                result.formUnion(bytes(of: leaves[member - leafBase]))
                continue
            }
            network.forEachEdge(member) { edge in
                guard costs[edge.target] < .infinite else { return }
                switch edge.kind {
                case .byte: result.insert(UInt8(truncatingIfNeeded: edge.value))
                case .ascii: result.formUnion(network.asciiSets[Int(edge.value)])
                case .scalar: result.formUnion(network.leadBytes[Int(edge.value)])
                case .call, .callOfText, .empty, .terminal, .document, .text: break
                }
            }
        }
        positionBytes[position] = result
        return result
    }

    /// The bytes that complete the rule.
    func positionCost(_ position: UInt32) -> Cost {
        var best = Cost.infinite
        for member in positions[position] {
            best = min(best, member >= leafBase ? cost(of: leaves[member - leafBase]) : costs[member])
            if best == 0 { break }
        }
        return best
    }

    /// The position after one more byte; 0 if there is none.
    func step(position: UInt32, _ byte: UInt8) -> UInt32 {
        if let known = positionSteps.target(position, byte) { return known }
        var targets: [UInt32] = []
        var members: [UInt32] = []
        for member in positions[position] {
            if member >= leafBase {
                step(leaves[member - leafBase], byte, &members, &targets)
                continue
            }
            network.forEachEdge(member) { edge in
                switch edge.kind {
                case .byte where edge.value == UInt32(byte): targets.append(edge.target)
                case .ascii where network.asciiSets[Int(edge.value)].contains(byte): targets.append(edge.target)
                case .scalar where byte >= 0x80:
                    guard costs[edge.target] < .infinite, let node = network.lead(edge.value, byte) else { return }
                    members.append(
                        leafBase + leaves.intern(LeafState(kind: .scalar, state: node, target: edge.target)))
                default: break
                }
            }
        }
        let result: UInt32
        if members.isEmpty, targets.count == 1 {
            result = closure(targets[0])
        } else if members.isEmpty, targets.isEmpty {
            result = 0
        } else {
            for target in targets {
                // First the position, which may be new, then the table.
                let position = closure(target)
                members += positions[position]
            }
            result = positions.intern(Self.canonical(members))
        }
        positionSteps.set(position, byte, result)
        return result
    }

    // MARK: Leaves

    /// Adds what a leaf becomes after one more byte: states of leaves, and states of the network where it may end.
    private func step(_ leaf: LeafState, _ byte: UInt8, _ members: inout [UInt32], _ targets: inout [UInt32]) {
        var next = leaf
        switch leaf.kind {
        case .scalar:
            guard let node = network.trie.step(leaf.state, byte) else { return }
            if node == 0 {
                targets.append(leaf.target)
                return
            }
            next.state = node
        case .terminal:
            let terminal = terminals[Int(leaf.index)]
            guard let (state, partial) = terminal.step(leaf.state, leaf.partial, byte) else { return }
            next.state = state
            next.partial = partial
            if partial == 0, terminal.isAccepting(state) {
                targets.append(leaf.target)
                if terminal.isLazy || !terminal.goesOn(state) { return }
            }
        case .document:
            let machine = documents[Int(leaf.index)]
            let configuration = machine.step(ConfigID(rawValue: leaf.state), byte)
            if configuration.isDead { return }
            next.state = configuration.rawValue
            if machine.isAccepting(configuration) {
                targets.append(leaf.target)
                if machine.allowedBytes(configuration).isEmpty { return }
            }
        case .text:
            let text = network.texts[Int(leaf.index)]
            switch text.automaton.step(leaf.state, byte) {
            case .invalid: return
            case .trigger(let trigger):
                if let target = text.targets[trigger], costs[target] < .infinite { targets.append(target) }
                return
            case .state(let state):
                guard costs.texts[Int(leaf.index)][Int(state)] < .infinite else { return }
                next.state = state
                if let end = text.end, text.automaton.isBoundary(state) { targets.append(end) }
            }
        }
        members.append(leafBase + leaves.intern(next))
    }

    private func bytes(of leaf: LeafState) -> ByteSet {
        switch leaf.kind {
        case .scalar: return network.trie.bytes(leaf.state)
        case .terminal: return terminals[Int(leaf.index)].bytes(leaf.state, leaf.partial)
        case .document: return documents[Int(leaf.index)].allowedBytes(ConfigID(rawValue: leaf.state))
        case .text:
            let text = network.texts[Int(leaf.index)]
            var result = ByteSet()
            for byte in UInt8.min...UInt8.max {
                switch text.automaton.step(leaf.state, byte) {
                case .invalid: break
                case .trigger(let trigger):
                    if let target = text.targets[trigger], costs[target] < .infinite { result.insert(byte) }
                case .state(let state):
                    if costs.texts[Int(leaf.index)][Int(state)] < .infinite { result.insert(byte) }
                }
            }
            return result
        }
    }

    private func cost(of leaf: LeafState) -> Cost {
        let inside: Cost
        switch leaf.kind {
        case .scalar: inside = Int(network.trie.lengths[Int(leaf.state)])
        case .terminal: inside = terminals[Int(leaf.index)].cost(leaf.state, leaf.partial)
        case .document: inside = documents[Int(leaf.index)].minimumCompletion(ConfigID(rawValue: leaf.state))
        case .text: return costs.texts[Int(leaf.index)][Int(leaf.state)]
        }
        return Cost.sum(inside, costs[leaf.target])
    }
}
