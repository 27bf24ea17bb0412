// SPDX-License-Identifier: Apache-2.0

/// Keys that have a name are walked over as texts: the machine is asked at their closing quotes only.
extension ConstraintEngine {
    /// Adds the tokens strictly below a node, where the machine reads a key and only keys with a name may come.
    func walkNamedKeys<Machine: ConstraintMachine>(
        _ machine: Machine, _ trie: TokenTrie, below top: Int, _ configuration: ConfigID,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        guard let schema = schemaMachine, let keys = schema.namedKeys(configuration) else { return }
        let start = Int(trie.nodes[top].depth)
        keyPath[start] = keys.position
        walkNamedKeys(machine, schema, keys, trie, below: top, into: words)
    }

    private func walkNamedKeys<Machine: ConstraintMachine>(
        _ machine: Machine, _ schema: SchemaMachine, _ keys: SchemaMachine.NamedKeys, _ trie: TokenTrie,
        below top: Int, into words: UnsafeMutablePointer<UInt64>
    ) {
        let nodes = trie.nodes
        let wide = nodes[top].wide
        guard wide != 0 else {
            walkNamedKeys(machine, schema, keys, trie, from: top + 1, to: Int(nodes[top].end), into: words)
            return
        }
        let record = trie.wideNodes[Int(wide) - 1]
        let position = keyPath[Int(nodes[top].depth)]
        var bytes = keys.texts.nextBytes(position)
        if keys.texts.isComplete(position) { bytes.insert(0x22) }
        let children = trie.children + Int(record.offset)
        bytes.intersection(record.bytes).forEach { byte in
            let child = Int(children[record.bytes.rank(of: byte)])
            walkNamedKeys(machine, schema, keys, trie, from: child, to: Int(nodes[child].end), into: words)
        }
    }

    private func walkNamedKeys<Machine: ConstraintMachine>(
        _ machine: Machine, _ schema: SchemaMachine, _ keys: SchemaMachine.NamedKeys, _ trie: TokenTrie,
        from first: Int, to end: Int, into words: UnsafeMutablePointer<UInt64>
    ) {
        let nodes = trie.nodes
        var index = first
        while index < end {
            let node = nodes[index]
            let position = keyPath[Int(node.depth) &- 1]
            if node.byte == 0x22 {
                if keys.texts.isComplete(position) {
                    let next = machine.step(schema.configuration(keys, position), 0x22)
                    if !next.isDead {
                        addTokens(trie, index, into: words)
                        walk(machine, trie, below: index, next, into: words)
                    }
                }
                index = Int(node.end)
                continue
            }
            let next = keys.texts.advance(position, node.byte)
            guard keys.isViable(next) else {
                index = Int(node.end)
                continue
            }
            addTokens(trie, index, into: words)
            if Int(node.end) - index > 1 {
                keyPath[Int(node.depth)] = next
                if node.wide != 0 {
                    walkNamedKeys(machine, schema, keys, trie, below: index, into: words)
                    index = Int(node.end)
                    continue
                }
            }
            index += 1
        }
    }
}

extension SchemaMachine {
    /// The keys of one object of which only those with a name may come, none of them with an escape.
    struct NamedKeys {
        var texts: FiniteTexts
        /// How far the key has come.
        var position: FiniteTexts.Position
        /// By place among the texts: how many before it may come.
        var viable: [UInt32]
        var object: UInt32
        var tag: UInt32
        var context: UInt32

        /// Whether some key that may come goes on from a position.
        func isViable(_ position: FiniteTexts.Position) -> Bool {
            !position.isEmpty && viable[Int(position.high)] > viable[Int(position.low)]
        }
    }

    /// Whether a configuration is within a key where ``namedKeys(_:)`` are all there is.
    package func readsNamedKey(_ configuration: ConfigID) -> Bool {
        let current = configurations[configuration.rawValue]
        guard current.kind == .key, current.aux == 0, !contexts[current.context].isRecording else { return false }
        let list = alternatives(current)
        guard list.count == 1, let alternative = list.first else { return false }
        let key = keyStates[alternative.state]
        guard key.kind < 0, let shape = shape(objectStates[key.object]) else { return false }
        return !shape.hasEscapedKeys
    }

    /// The named keys that may come in a configuration within a key; nil where there are others as well.
    func namedKeys(_ configuration: ConfigID) -> NamedKeys? {
        guard readsNamedKey(configuration) else { return nil }
        let current = configurations[configuration.rawValue]
        guard let alternative = alternatives(current).first else { return nil }
        let key = keyStates[alternative.state]
        let object = objectStates[key.object]
        guard let shape = shape(object) else { return nil }
        let viable: [UInt32]
        if let known = viableKeys[key.object] {
            viable = known
        } else {
            var counts: [UInt32] = [0]
            counts.reserveCapacity(shape.order.count + 1)
            var count: UInt32 = 0
            for index in shape.order {
                if offers(object, shape, index), valueCost(object: key.object, named: index) < .infinite { count += 1 }
                counts.append(count)
            }
            viableKeys[key.object] = counts
            viable = counts
        }
        return NamedKeys(
            texts: shape.spellings, position: key.position, viable: viable, object: key.object, tag: alternative.tag,
            context: current.context)
    }

    /// The configuration within a key at another position.
    func configuration(_ keys: NamedKeys, _ position: FiniteTexts.Position) -> ConfigID {
        let state = keyStates.intern(KeyState(object: keys.object, position: position))
        return configuration(
            .key, 0, WordList(Alternative(state: state, tag: keys.tag).rawValue), keys.context, 0)
    }
}
