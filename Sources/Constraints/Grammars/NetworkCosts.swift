// SPDX-License-Identifier: Apache-2.0

/// The bytes of the shortest text from each state of a network to the end of its rule.
///
/// Knuth's generalisation of Dijkstra's algorithm: a call costs what the shortest text of the rule does, which is known
/// before it is needed because every text that contains it is at least as long.
struct NetworkCosts {
    /// By state; infinite where there is no text.
    private(set) var states: [Cost]
    /// By text: by state of its automaton.
    private(set) var texts: [[Cost]]

    private struct Source {
        var state: UInt32
        /// What the edge itself costs.
        var weight: Cost
        /// The rule that is called, or -1.
        var rule: Int32
        var next: Int32
    }

    init(_ network: Network, terminals: [Cost], documents: [Cost]) {
        let count = network.stateCount
        states = [Cost](repeating: .infinite, count: count)
        var first = [Int32](repeating: -1, count: count)
        var sources: [Source] = []
        var calls = [[(state: UInt32, target: UInt32)]](repeating: [], count: network.starts.count)
        var ruleOfStart: [UInt32: Int] = [:]
        for (rule, start) in network.starts.enumerated() { ruleOfStart[start] = rule }
        func add(_ state: UInt32, _ target: UInt32, _ weight: Cost, rule: Int = -1) {
            guard weight < .infinite else { return }
            sources.append(
                Source(state: state, weight: weight, rule: Int32(truncatingIfNeeded: rule), next: first[Int(target)]))
            first[Int(target)] = Int32(truncatingIfNeeded: sources.count - 1)
        }
        for state in 0..<UInt32(truncatingIfNeeded: count) {
            network.forEachEdge(state) { edge in
                let value = Int(edge.value)
                switch edge.kind {
                case .empty: add(state, edge.target, 0)
                case .byte, .ascii: add(state, edge.target, 1)
                case .scalar:
                    let shortest = network.leads[value].map { Int(network.trie.lengths[Int($0.node)]) }.min() ?? 0
                    add(state, edge.target, 1 + shortest)
                case .call, .callOfText:
                    // What a call that reads something costs is never the least: the round may be left out.
                    add(state, edge.target, 0, rule: value)
                    calls[value].append((state, edge.target))
                case .terminal: add(state, edge.target, terminals[value])
                case .document: add(state, edge.target, documents[value])
                case .text:
                    let text = network.texts[value]
                    if let end = text.end { add(state, end, 0) }
                    for (trigger, target) in text.targets.enumerated() {
                        if let target { add(state, target, text.automaton.triggers[trigger].count) }
                    }
                }
            }
        }
        var queue = CostQueue()
        var states = states
        var isDone = [Bool](repeating: false, count: count)
        func reach(_ state: UInt32, _ cost: Cost) {
            guard cost < states[Int(state)] else { return }
            states[Int(state)] = cost
            queue.push(cost, state)
        }
        reach(Network.final, 0)
        while let (cost, state) = queue.pop() {
            guard !isDone[Int(state)], cost == states[Int(state)] else { continue }
            isDone[Int(state)] = true
            var index = first[Int(state)]
            while index >= 0 {
                let source = sources[Int(index)]
                index = source.next
                var weight = source.weight
                if source.rule >= 0 {
                    let start = Int(network.starts[Int(source.rule)])
                    guard isDone[start] else { continue }
                    weight = states[start]
                }
                reach(source.state, Cost.sum(cost, weight))
            }
            guard let rule = ruleOfStart[state] else { continue }
            for call in calls[rule] where isDone[Int(call.target)] {
                reach(call.state, Cost.sum(states[Int(call.target)], cost))
            }
        }
        self.states = states
        texts = network.texts.map { text in
            text.automaton.costs(
                end: text.end.map { states[Int($0)] } ?? .infinite,
                targets: text.targets.map { $0.map { states[Int($0)] } ?? .infinite })
        }
    }

    subscript(state: UInt32) -> Cost { states[Int(state)] }
}
