// SPDX-License-Identifier: Apache-2.0

extension ConstraintEngine {
    /// Adds the tokens that close a key whose kinds are told apart by patterns; false where that cannot be done at
    /// once.
    ///
    /// What follows a key depends on its kind, and otherwise on the key only as far as it cannot come again. So one key
    /// of each kind that a closing token can spell stands for all, but for tokens that reach over the value.
    func addKeyClosers(_ configuration: ConfigID, into words: UnsafeMutablePointer<UInt64>) -> Bool {
        guard let machine = schemaMachine, let keys = machine.patternedKeys(configuration) else { return false }
        let closers = vocabulary.closers
        let trie = closers.trie
        var closings: [UInt64: ConfigID] = [:]
        for body in closers.bodies {
            guard let kinds = machine.kinds(keys, body.bytes) else {
                addCloser(machine, configuration, body.bytes[...], into: words)
                continue
            }
            if kinds == 0 { continue }
            let closing: ConfigID
            if let known = closings[kinds] {
                closing = known
            } else {
                var next = configuration
                for byte in body.bytes where !next.isDead { next = machine.step(next, byte) }
                closing = next.isDead ? .dead : machine.step(next, 0x22)
                closings[kinds] = closing
            }
            if closing.isDead { continue }
            addTokens(trie, body.quote, into: words)
            walk(machine, trie, below: body.quote, closing, into: words)
        }
        for token in closers.farFromKey {
            let next = vocabulary.withBytes(of: Int(token)) { bytes in
                var next = configuration
                for byte in bytes where !next.isDead { next = machine.step(next, byte) }
                return next
            }
            let bit = UInt64(1) << UInt64(token & 63)
            if next.isDead { words[Int(token >> 6)] &= ~bit } else { allow(token, words) }
        }
        return true
    }
}

extension SchemaMachine {
    /// The alternatives of a key that patterns tell apart.
    struct PatternedKeys {
        var keys: [KeyState]
    }

    /// The alternatives of a key at a boundary between characters, where the members that follow it do not depend on
    /// the key itself but for its kind.
    func patternedKeys(_ configuration: ConfigID) -> PatternedKeys? {
        let current = configurations[configuration.rawValue]
        guard current.kind == .key, current.aux == 0, !contexts[current.context].isRecording else { return nil }
        let keys = alternatives(current).map { self.keyStates[$0.state] }
        guard keys.count <= 64 else { return nil }
        for key in keys {
            let state = objectStates[key.object]
            guard let shape = shape(state), shape.isSimple, state.agreeing == 0 || numberLists[state.agreeing].isEmpty
            else { return nil }
        }
        return PatternedKeys(keys: keys.map { $0 })
    }

    /// The alternatives that a key can end as after more bytes, as a bit set; nil where a name or a used key decides.
    func kinds(_ keys: PatternedKeys, _ body: [UInt8]) -> UInt64? {
        var result: UInt64 = 0
        for (number, key) in keys.keys.enumerated() {
            if key.kind < 0 {
                guard let spellings = shape(objectStates[key.object])?.spellings else { return nil }
                var position = key.position
                for byte in body where !position.isEmpty { position = spellings.advance(position, byte) }
                if !position.isEmpty { return nil }
                continue
            }
            var state = key.string
            var lexer = StringLexer.boundary
            var isAlive = true
            for byte in body {
                let outcome = lexer.read(byte)
                guard let next = advance(state, byte, outcome) else {
                    isAlive = false
                    break
                }
                state = next
                if case .more(let inside) = outcome { lexer = inside } else { lexer = .boundary }
            }
            if !key.position.isEmpty {
                let used = usedTexts(objectStates[key.object].used)
                var position = key.position
                for byte in body where !position.isEmpty { position = used.advance(position, byte) }
                if !position.isEmpty { return nil }
            }
            if isAlive, isComplete(state) { result |= 1 << UInt64(number) }
        }
        return result
    }
}
