// SPDX-License-Identifier: Apache-2.0

import Patterns

extension ConstraintEngine {
    /// Adds the tokens that begin within a string which an automaton watches over.
    ///
    /// The walk steps the automaton only, and the machine only behind a closing quote. It takes a subtree at once where
    /// the automaton stays alive through all of it.
    func addContent<Machine: ConstraintMachine>(
        _ machine: Machine, _ automaton: Automaton, _ body: StringBody, _ closing: ConfigID,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        let trie = vocabulary.trie
        let nodes = trie.nodes
        let tokens = trie.tokens
        let window = ContentWindow(
            knowledge: summaries.automata(automaton), least: body.missingScalars, most: body.remainingScalars ?? .max
        )
        let most = window.most
        let content = content
        content[0] = ContentState(state: body.state, scalars: 0, lexer: .boundary)
        var index = 1
        let end = trie.nodeCount
        while index < end {
            let node = nodes[index]
            let depth = Int(node.depth)
            var current = content[depth &- 1]
            let isBoundary: Bool
            switch current.lexer.read(node.byte) {
            case .invalid:
                index = Int(node.end)
                continue
            case .close:
                if !closing.isDead, current.scalars >= window.least, automaton.isAccepting(current.state) {
                    addTokens(trie, index, into: words)
                    walk(machine, trie, below: index, closing, into: words)
                }
                index = Int(node.end)
                continue
            case .scalar(let scalar):
                guard current.scalars < most else {
                    index = Int(node.end)
                    continue
                }
                current.state = automaton.transition(current.state, class: automaton.classOf(scalar: scalar))
                current.scalars += 1
                current.lexer = .boundary
                guard window.isViable(current.state, current.scalars) else {
                    index = Int(node.end)
                    continue
                }
                isBoundary = true
            case .more(let lexer):
                guard current.scalars < most, window.canBegin(lexer, from: current) else {
                    index = Int(node.end)
                    continue
                }
                current.lexer = lexer
                isBoundary = false
            }
            var rank = node.firstRank
            let ownEnd = nodes[index + 1].firstRank
            while rank < ownEnd {
                let id = tokens[Int(rank)]
                words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                rank &+= 1
            }
            if isBoundary, Int(node.end) - index > 2, window.covers(node, current) {
                let last = nodes[Int(node.end)].firstRank
                while rank < last {
                    let id = tokens[Int(rank)]
                    words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                    rank &+= 1
                }
                index = Int(node.end)
                continue
            }
            content[depth] = current
            index += 1
        }
    }
}

/// Where a walk over the content of a string stands.
struct ContentState {
    var state: Automaton.StateID
    /// The scalars complete so far.
    var scalars: Int
    var lexer: StringLexer
}

/// An automaton together with the number of scalars that must and may still come.
struct ContentWindow {
    let knowledge: AutomatonSummary
    let least: Int
    let most: Int

    /// Whether the string can be finished from a state after so many scalars.
    @inline(__always)
    func isViable(_ state: Automaton.StateID, _ scalars: Int) -> Bool {
        if scalars < least { return canFinish(state, scalars) }
        return knowledge.shortest(state) <= most &- scalars
    }

    private func canFinish(_ state: Automaton.StateID, _ scalars: Int) -> Bool {
        !state.isDead
            && knowledge.automaton.canFinish(
                state, minScalars: max(0, least - scalars), maxScalars: most == .max ? nil : most - scalars
            ) == .alive
    }

    /// Whether some character that begins like this leads to a viable state.
    func canBegin(_ lexer: StringLexer, from current: ContentState) -> Bool {
        let automaton = knowledge.automaton
        if let escapes = lexer.escapes {
            return escapes.contains {
                isViable(automaton.transition(current.state, class: automaton.classOf(scalar: $0)), current.scalars + 1)
            }
        }
        guard let range = lexer.scalars else { return false }
        let classes = automaton.classes(inScalarRange: range)
        for (index, var word) in classes.words.enumerated() {
            while word != 0 {
                let target = automaton.transition(current.state, class: index << 6 | word.trailingZeroBitCount)
                if isViable(target, current.scalars + 1) { return true }
                word &= word &- 1
            }
        }
        return false
    }

    /// Whether every token below a node is viable.
    @inline(__always)
    func covers(_ node: TokenTrie.Node, _ current: ContentState) -> Bool {
        let summary = knowledge.summary(of: current.state)
        guard summary.covers(node.classes, scalars: node.maximumScalars) else { return false }
        let missing = max(0, least &- current.scalars)
        if most == .max { return missing == 0 || summary.canWait }
        // What the longest token below leaves must be enough for the longest rest.
        let below = node.maximumScalars == .max ? Int.max : Int(node.maximumScalars)
        let left = most &- current.scalars
        guard below <= left, missing == 0 || summary.canWait else { return false }
        return max(summary.longestRest, missing) <= left &- below
    }
}
