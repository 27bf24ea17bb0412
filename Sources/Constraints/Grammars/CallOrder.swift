// SPDX-License-Identifier: Apache-2.0

/// In which order the contexts of rules are made: rules before those they can call without reading anything.
///
/// Rules that call each other that way form a group and are made together: left recursion.
struct CallOrder {
    /// By rule: callers have smaller ranks than what they call, unless they are in one group.
    private(set) var ranks: [Int32]
    /// By rule: its group.
    private(set) var groups: [Int32]
    /// By group: whether its rules can call themselves.
    private(set) var isRecursive: [Bool] = []

    init(_ network: Network, _ costs: NetworkCosts, _ terminals: [TerminalMachine]) {
        let count = network.starts.count
        let calls = (0..<count).map { Self.firstCalls(network, costs, terminals, $0) }
        ranks = [Int32](repeating: 0, count: count)
        groups = [Int32](repeating: -1, count: count)
        // Tarjan's algorithm without recursion.
        var numbers = [Int](repeating: -1, count: count)
        var lows = [Int](repeating: 0, count: count)
        var onStack = [Bool](repeating: false, count: count)
        var stack: [Int] = []
        var next = 0
        var path: [(rule: Int, edge: Int)] = []
        for root in 0..<count where numbers[root] < 0 {
            path.append((root, 0))
            while let (rule, edge) = path.last {
                if edge == 0, numbers[rule] < 0 {
                    numbers[rule] = next
                    lows[rule] = next
                    next += 1
                    stack.append(rule)
                    onStack[rule] = true
                }
                if edge < calls[rule].count {
                    path[path.count - 1].edge += 1
                    let callee = calls[rule][edge]
                    if numbers[callee] < 0 {
                        path.append((callee, 0))
                    } else if onStack[callee] {
                        lows[rule] = min(lows[rule], numbers[callee])
                    }
                    continue
                }
                path.removeLast()
                if let parent = path.last { lows[parent.rule] = min(lows[parent.rule], lows[rule]) }
                guard lows[rule] == numbers[rule] else { continue }
                let group = Int32(isRecursive.count)
                var size = 0
                while let member = stack.popLast() {
                    onStack[member] = false
                    groups[member] = group
                    // Groups are complete in the order from callees to callers.
                    ranks[member] = -group
                    size += 1
                    if member == rule { break }
                }
                isRecursive.append(size > 1 || calls[rule].contains(rule))
            }
        }
    }

    /// The rules that a rule can call before reading anything.
    private static func firstCalls(
        _ network: Network, _ costs: NetworkCosts, _ terminals: [TerminalMachine], _ rule: Int
    ) -> [Int] {
        var seen: Set<UInt32> = []
        var found: Set<Int> = []
        var work = [network.starts[rule]]
        while let state = work.popLast() {
            guard costs[state] < .infinite, seen.insert(state).inserted else { continue }
            network.forEachEdge(state) { edge in
                let value = Int(edge.value)
                switch edge.kind {
                case .empty: work.append(edge.target)
                case .call, .callOfText:
                    found.insert(value)
                    if edge.kind == .call, costs[network.starts[value]] == 0 { work.append(edge.target) }
                case .terminal: if terminals[value].matchesEmpty { work.append(edge.target) }
                case .text: if let end = network.texts[value].end { work.append(end) }
                case .byte, .ascii, .scalar, .document: break
                }
            }
        }
        return found.sorted()
    }
}
