// SPDX-License-Identifier: Apache-2.0

extension ConstraintEngine {
    /// Writes the tokens that may come next over all of `words`, the ends of generation excepted.
    func compute(_ configuration: ConfigID, into words: UnsafeMutablePointer<UInt64>) {
        if let schemaMachine {
            compute(schemaMachine, configuration, into: words)
        } else if let grammarMachine {
            compute(grammarMachine, configuration, into: words)
        } else {
            compute(machine, configuration, into: words)
        }
    }

    private func compute<Machine: ConstraintMachine>(
        _ machine: Machine, _ configuration: ConfigID, into words: UnsafeMutablePointer<UInt64>
    ) {
        let trie = vocabulary.trie
        base = nil
        isTracked = true
        touched.update(repeating: 0, count: (vocabulary.wordCapacity + 63) >> 6)
        if let schemaMachine { stepLimit = schemaMachine.expansionSteps + schemaMachine.limits.maskBudget }
        guard !isGuarded else {
            clear(words)
            walkGuarded(machine, trie, below: 0, configuration, into: words)
            return
        }
        if let body = machine.stringBody(configuration) {
            let most = body.remainingScalars ?? .max
            let end = machine.stringEnd(configuration)
            if let automaton = body.automaton {
                isTracked = false
                let knowledge = AutomatonSummary.of(automaton)
                writeContent(knowledge, body, into: words)
                if let closing = end?.closing, !closing.isDead {
                    addContentClosers(machine, knowledge, body, closing, into: words)
                }
                for detour in body.detours { follow(machine, configuration, detour, into: words) }
            } else {
                let content = vocabulary.writeContent(scalars: most, to: words)
                base = content.base
                isTracked = content.isComplete
                if let end { addClosers(machine, configuration, body, end, into: words) }
            }
            if end == nil, !addKeyClosers(configuration, into: words) {
                walk(machine, vocabulary.closers.trie, below: 0, configuration, into: words)
            }
        } else {
            clear(words)
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
        let summary = summaries.summary(of: configuration, machine)
        if summary.isNamedKey {
            walkNamedKeys(machine, trie, below: top, configuration, into: words)
            return
        }
        if wide != 0, summary.isEmpty {
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

    /// Adds the tokens at the nodes from `first` up to `end`: one or more sibling subtrees, below a node where the
    /// machine is in `configuration`.
    private func walk<Machine: ConstraintMachine>(
        _ machine: Machine, _ trie: TokenTrie, from first: Int, to end: Int, _ configuration: ConfigID,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        guard first < end else { return }
        let nodes = trie.nodes
        let tokens = trie.tokens
        let path = path
        let bodies = bodies
        var index = first
        path[Int(nodes[first].depth) - 1] = configuration
        bodies[Int(nodes[first].depth) - 1] = summaries.summary(of: configuration, machine)
        while index < end {
            let node = nodes[index]
            let body = bodies + (Int(node.depth) &- 1)
            if !body.pointee.isEmpty, body.pointee.covers(node.ownClasses, scalars: node.ownScalars) {
                // All of the subtree is content, whatever the machine makes of its first byte.
                var rank = node.firstRank
                let last = nodes[Int(node.end)].firstRank
                while rank < last {
                    let id = tokens[Int(rank)]
                    allow(id, words)
                    rank &+= 1
                }
                index = Int(node.end)
                continue
            }
            let next = machine.step(path[Int(node.depth) &- 1], node.byte)
            if next.isDead {
                index = Int(node.end)
                continue
            }
            let ownEnd = nodes[index + 1].firstRank
            var rank = node.firstRank
            while rank < ownEnd {
                let id = tokens[Int(rank)]
                allow(id, words)
                rank &+= 1
            }
            if Int(node.end) - index > 1 {
                // What a mask may cost is bounded; the single bytes are looked at in any case, so that no text ends.
                if let schemaMachine, schemaMachine.expansionSteps > stepLimit {
                    hasCutMasks = true
                    index = Int(node.end)
                    continue
                }
                let summary = summaries.summary(of: next, machine)
                if summary.isNamedKey || node.wide != 0 && summary.isEmpty {
                    walk(machine, trie, below: index, next, into: words)
                    index = Int(node.end)
                    continue
                }
                path[Int(node.depth)] = next
                bodies[Int(node.depth)] = summary
            }
            index += 1
        }
    }

    /// Decides the tokens along some bytes by steps of the machine.
    private func follow<Machine: ConstraintMachine>(
        _ machine: Machine, _ configuration: ConfigID, _ bytes: [UInt8], into words: UnsafeMutablePointer<UInt64>
    ) {
        let trie = vocabulary.trie
        var node = 0
        var next = configuration
        for byte in bytes {
            guard let child = trie.child(of: node, byte) else { return }
            node = child
            if !next.isDead { next = machine.step(next, byte) }
            for rank in trie.nodes[node].firstRank..<trie.nodes[node + 1].firstRank {
                let id = trie.tokens[Int(rank)]
                let bit = UInt64(1) << UInt64(id & 63)
                if next.isDead { words[Int(id >> 6)] &= ~bit } else { allow(id, words) }
            }
        }
    }

    /// Adds the tokens that close a string without an automaton.
    private func addClosers<Machine: ConstraintMachine>(
        _ machine: Machine, _ configuration: ConfigID, _ body: StringBody, _ end: StringEnd,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        let closers = vocabulary.closers
        if body.missingScalars <= vocabulary.longestToken, !end.closing.isDead {
            closers.forEach(
                rests(machine, after: end.closing), least: body.missingScalars, most: body.remainingScalars ?? .max
            ) { allow($0, words) }
        }
        for token in closers.far {
            let next = vocabulary.withBytes(of: Int(token)) { bytes in
                var next = configuration
                for byte in bytes where !next.isDead { next = machine.step(next, byte) }
                return next
            }
            if !next.isDead { allow(token, words) }
        }
        let trie = closers.trie
        for exception in end.exceptions {
            for index in exception.range {
                addCloser(machine, configuration, exception.texts.texts[index].dropFirst(exception.depth), into: words)
            }
        }
    }

    /// Decides the closing tokens with some content by steps of the machine.
    func addCloser<Machine: ConstraintMachine>(
        _ machine: Machine, _ configuration: ConfigID, _ body: ArraySlice<UInt8>,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        let trie = vocabulary.closers.trie
        var node = 0
        for byte in body {
            guard let child = trie.child(of: node, byte) else { return }
            node = child
        }
        guard let quote = trie.child(of: node, 0x22) else { return }
        for rank in trie.nodes[quote].firstRank..<trie.nodes[Int(trie.nodes[quote].end)].firstRank {
            let id = trie.tokens[Int(rank)]
            words[Int(id >> 6)] &= ~(1 << UInt64(id & 63))
        }
        var next = configuration
        for byte in body where !next.isDead { next = machine.step(next, byte) }
        if !next.isDead { next = machine.step(next, 0x22) }
        guard !next.isDead else { return }
        addTokens(trie, quote, into: words)
        walk(machine, trie, below: quote, next, into: words)
    }

    /// Adds the tokens that end at a node.
    func addTokens(_ trie: TokenTrie, _ index: Int, into words: UnsafeMutablePointer<UInt64>) {
        for rank in trie.nodes[index].firstRank..<trie.nodes[index + 1].firstRank {
            let id = trie.tokens[Int(rank)]
            allow(id, words)
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
                    allow(id, words)
                }
            }
            path[Int(node.depth)] = next
            index += 1
        }
    }
}
