// SPDX-License-Identifier: Apache-2.0

import Patterns

extension ConstraintEngine {
    /// Adds the tokens that are plain content of a string which an automaton watches over.
    ///
    /// The walk steps the automaton only, not the machine, and takes a subtree at once where the automaton stays alive through all of it.
    func addContent(
        _ automaton: Automaton, _ start: Automaton.StateID, remaining: Int, into words: UnsafeMutablePointer<UInt64>
    ) {
        let trie = vocabulary.trie
        let nodes = trie.nodes
        let tokens = trie.tokens
        let knowledge = summaries.automata(automaton)
        let content = content
        content[0] = ContentState(state: start, scalars: 0)
        var index = 1
        let end = trie.nodeCount
        while index < end {
            let node = nodes[index]
            let depth = Int(node.depth)
            let before = content[depth &- 1]
            var next = before.state
            var decoder = before.decoder
            var scalars = before.scalars
            let ownEnd = nodes[index + 1].firstRank
            if node.byte < 0x80 {
                guard node.byte >= 0x20, node.byte != 0x22, node.byte != 0x5C, decoder.isAtBoundary, scalars < remaining else {
                    index = Int(node.end)
                    continue
                }
                next = automaton.transition(before.state, class: automaton.classOf(scalar: UInt32(node.byte)))
                scalars += 1
            } else {
                guard !decoder.isAtBoundary || scalars < remaining else {
                    index = Int(node.end)
                    continue
                }
                switch decoder.feed(node.byte) {
                case .malformed:
                    index = Int(node.end)
                    continue
                case .scalar(let scalar):
                    next = automaton.transition(before.state, class: automaton.classOf(scalar: scalar))
                    scalars += 1
                case .incomplete:
                    guard let range = decoder.reachableScalars, knowledge.canBegin(range, from: before.state) else {
                        index = Int(node.end)
                        continue
                    }
                }
            }
            let isAtBoundary = decoder.isAtBoundary
            if isAtBoundary, !knowledge.isAlive(next) {
                index = Int(node.end)
                continue
            }
            var rank = node.firstRank
            while rank < ownEnd {
                let id = tokens[Int(rank)]
                words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                rank &+= 1
            }
            if isAtBoundary, Int(node.end) - index > 2 {
                let summary = knowledge.summary(of: next)
                let left = remaining - scalars
                if summary.covers(node.classes, scalars: node.maximumScalars),
                    left >= (node.maximumScalars == .max ? .max : Int(node.maximumScalars))
                {
                    let last = nodes[Int(node.end)].firstRank
                    while rank < last {
                        let id = tokens[Int(rank)]
                        words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                        rank &+= 1
                    }
                    index = Int(node.end)
                    continue
                }
            }
            content[depth] = ContentState(state: next, scalars: scalars, decoder: decoder)
            index += 1
        }
    }
}

/// Where a walk over plain content stands.
struct ContentState {
    var state: Automaton.StateID
    /// The scalars complete so far.
    var scalars: Int
    var decoder = ScalarDecoder()
}
