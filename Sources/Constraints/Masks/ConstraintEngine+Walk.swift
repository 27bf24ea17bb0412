// SPDX-License-Identifier: Apache-2.0

extension ConstraintEngine {
    /// Adds the tokens that may come next to `words`, the ends of generation excepted.
    func compute(_ configuration: ConfigID, into words: UnsafeMutablePointer<UInt64>) {
        compute(machine, configuration, into: words)
    }

    private func compute<Machine: ConstraintMachine>(
        _ machine: Machine, _ configuration: ConfigID, into words: UnsafeMutablePointer<UInt64>
    ) {
        let trie = vocabulary.trie
        guard !isGuarded else {
            walkGuarded(machine, trie, below: 0, configuration, into: words)
            return
        }
        if let body = machine.stringBody(configuration) {
            let most = body.remainingScalars ?? .max
            if let automaton = body.automaton {
                addContent(machine, automaton, body, into: words)
            } else {
                vocabulary.addContent(scalars: most, to: words)
                if !body.closing.isDead, body.missingScalars <= vocabulary.longestToken {
                    vocabulary.closers.add(
                        rests(machine, after: body.closing), least: body.missingScalars, most: most, to: words
                    )
                }
            }
            if body.closing.isDead { walk(machine, vocabulary.closers.trie, below: 0, configuration, into: words) }
        } else {
            walk(machine, trie, below: 0, configuration, into: words)
        }
    }

    /// Adds the tokens strictly below node `top` of `trie`, where the machine is in `configuration`.
    func walk<Machine: ConstraintMachine>(
        _ machine: Machine, _ trie: TokenTrie, below top: Int, _ configuration: ConfigID,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        let nodes = trie.nodes
        let wide = nodes[top].wide
        if wide != 0 {
            let record = trie.wideNodes[Int(wide) - 1]
            let allowed = machine.allowedBytes(configuration).intersection(record.bytes)
            if allowed.count * 2 < record.bytes.count {
                let children = trie.children + Int(record.offset)
                allowed.forEach { byte in
                    let child = Int(children[record.bytes.rank(of: byte)])
                    walk(machine, trie, from: child, to: Int(nodes[child].end), configuration, into: words)
                }
                return
            }
        }
        walk(machine, trie, from: top + 1, to: Int(nodes[top].end), configuration, into: words)
    }

    /// Adds the tokens at the nodes from `first` up to `end`: one or more sibling subtrees, below a node where the machine is in `configuration`.
    private func walk<Machine: ConstraintMachine>(
        _ machine: Machine, _ trie: TokenTrie, from first: Int, to end: Int, _ configuration: ConfigID,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        guard first < end else { return }
        let nodes = trie.nodes
        let tokens = trie.tokens
        let path = path
        var index = first
        path[Int(nodes[first].depth) - 1] = configuration
        while index < end {
            let node = nodes[index]
            let next = machine.step(path[Int(node.depth) &- 1], node.byte)
            if next.isDead {
                index = Int(node.end)
                continue
            }
            let ownEnd = nodes[index + 1].firstRank
            var rank = node.firstRank
            while rank < ownEnd {
                let id = tokens[Int(rank)]
                words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                rank &+= 1
            }
            if Int(node.end) - index > 2 {
                let summary = summaries.summary(of: next, machine)
                if summary.covers(node.classes, scalars: node.maximumScalars) {
                    let last = nodes[Int(node.end)].firstRank
                    while rank < last {
                        let id = tokens[Int(rank)]
                        words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                        rank &+= 1
                    }
                    index = Int(node.end)
                    continue
                }
                if node.wide != 0, summary.isEmpty {
                    walk(machine, trie, below: index, next, into: words)
                    index = Int(node.end)
                    continue
                }
            }
            path[Int(node.depth)] = next
            index += 1
        }
    }

    /// The rests of closing tokens that are viable after the quote.
    private func rests<Machine: ConstraintMachine>(_ machine: Machine, after closing: ConfigID) -> [UInt32] {
        if let known = closerRests[closing] { return known }
        let trie = vocabulary.closers.rests
        var found: [UInt32] = [0]
        path[0] = closing
        var index = 1
        while index < trie.nodeCount {
            let node = trie.nodes[index]
            let next = machine.step(path[Int(node.depth) - 1], node.byte)
            if next.isDead {
                index = Int(node.end)
                continue
            }
            for rank in node.firstRank..<trie.nodes[index + 1].firstRank { found.append(trie.tokens[Int(rank)]) }
            path[Int(node.depth)] = next
            index += 1
        }
        closerRests[closing] = found
        return found
    }

    /// The same without any bulk work, each token checked for a completion in tokens.
    private func walkGuarded<Machine: ConstraintMachine>(
        _ machine: Machine, _ trie: TokenTrie, below top: Int, _ configuration: ConfigID,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        let nodes = trie.nodes
        var index = top + 1
        let end = Int(nodes[top].end)
        path[Int(nodes[top].depth)] = configuration
        while index < end {
            let node = nodes[index]
            let next = machine.step(path[Int(node.depth) - 1], node.byte)
            if next.isDead {
                index = Int(node.end)
                continue
            }
            let ownEnd = nodes[index + 1].firstRank
            if node.firstRank < ownEnd, completionStep(next) != nil {
                for rank in node.firstRank..<ownEnd {
                    let id = trie.tokens[Int(rank)]
                    words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                }
            }
            path[Int(node.depth)] = next
            index += 1
        }
    }
}
