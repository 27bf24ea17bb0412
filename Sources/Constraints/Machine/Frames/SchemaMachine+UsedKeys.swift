// SPDX-License-Identifier: Apache-2.0

import Patterns

/// Keys without a name of their own must not come twice. Where a pattern tells which ones there are, the keys used so
/// far are not made part of its automaton: that would be another automaton for each object. They stay beside it as a
/// trie, and only a key that begins like a used one is looked at exactly.
extension SchemaMachine {
    /// The key of a kind after the opening quote; nil where no key is left.
    func beginKey(_ number: UInt32, _ state: ObjectState, _ kind: Int, _ keys: ObjectShape.AnonymousKeys) -> KeyState? {
        var fresh = state
        fresh.used = 0
        if state.used != 0, let shape = keyShape(fresh, kind, keys), stringShapes[Int(shape)]?.automaton != nil {
            guard let start = beginString(shape) else { return nil }
            let key = KeyState(
                object: number, kind: Int32(kind), position: usedTexts(state.used).root, string: start)
            return isOpen(key, .boundary) ? key : nil
        }
        guard let shape = keyShape(state, kind, keys), let start = beginString(shape) else { return nil }
        return KeyState(object: number, kind: Int32(kind), string: start)
    }

    /// Whether a key of a kind is left.
    func hasKeys(_ state: ObjectState, _ kind: Int, _ keys: ObjectShape.AnonymousKeys) -> Bool {
        if state.used != 0 {
            var fresh = state
            fresh.used = 0
            guard let shape = keyShape(fresh, kind, keys) else { return false }
            if let string = stringShapes[Int(shape)], string.maxLength == nil, let automaton = string.automaton,
                automaton.isInfinite(automaton.start)
            {
                return true
            }
        }
        return keyShape(state, kind, keys) != nil
    }

    /// The used keys of a set, spelled, as a trie.
    func usedTexts(_ used: UInt32) -> FiniteTexts {
        if let known = usedSpellings[used] { return known }
        let texts = FiniteTexts(textSets[used].map { StringSpelling.escaped($0) })
        usedSpellings[used] = texts
        return texts
    }

    /// Whether the key read so far is one that was used.
    func isUsed(_ key: KeyState) -> Bool {
        !key.position.isEmpty && usedTexts(objectStates[key.object].used).isComplete(key.position)
    }

    /// Whether some key that was not used begins like this, where its kind has keys that do.
    func isOpen(_ key: KeyState, _ lexer: StringLexer) -> Bool {
        if key.position.isEmpty { return true }
        // Without a bound on the length, used keys are never all that there are.
        if lexer.isBoundary, let string = stringShapes[Int(key.string.shape)], string.maxLength == nil,
            let automaton = string.automaton,
            automaton.isInfinite(Automaton.StateID(rawValue: key.string.automaton))
        {
            return true
        }
        return exactKey(key) != nil
    }

    /// The state of a key that begins like used ones in the automaton that leaves those out; nil where no other key
    /// begins like it.
    func exactKey(_ key: KeyState) -> (state: StringState, lexer: StringLexer)? {
        let object = objectStates[key.object]
        guard let shape = shape(object), !key.position.isEmpty,
            let number = keyShape(object, Int(key.kind), anonymousKeys(shape)[Int(key.kind)]),
            var state = beginString(number)
        else { return nil }
        var lexer = StringLexer.boundary
        let texts = usedTexts(object.used).texts
        for byte in texts[Int(key.position.low)].prefix(Int(key.position.depth)) {
            let outcome = lexer.read(byte)
            guard let next = advance(state, byte, outcome) else { return nil }
            state = next
            if case .more(let inside) = outcome { lexer = inside } else { lexer = .boundary }
        }
        return (state, lexer)
    }

    // MARK: Alternatives of strings

    /// The shapes of a node's strings, those without bounds on the length merged into one.
    ///
    /// What follows the string is the same for all of them, so that they may as well be one language: then an automaton
    /// decides many tokens at once.
    func textShapes(_ node: NodeID) -> [UInt32] {
        guard let shapes = expand(node, .string), shapes.count > 1 else { return expand(node, .string) ?? [] }
        if let known = mergedTexts[node] { return known }
        let merged = merged(shapes)
        mergedTexts[node] = merged
        return merged
    }

    private func merged(_ shapes: [UInt32]) -> [UInt32] {
        var others: [UInt32] = []
        var languages: [Language] = []
        for number in shapes {
            let rules = stringRules[number]
            guard rules.minLength == 0, rules.maxLength == nil else {
                others.append(number)
                continue
            }
            if rules.languages.isEmpty, rules.excluded.isEmpty, rules.finite == nil { return [number] }
            var parts = rules.languages
            if !rules.excluded.isEmpty { parts.append(.not(literals(Array(rules.excluded)))) }
            if let finite = rules.finite { parts.append(literals(finite)) }
            languages.append(parts.count == 1 ? parts[0] : .all(parts))
        }
        let finite = shapes.compactMap { stringShapes[Int($0)]?.finite }
        if finite.count == shapes.count {
            let texts = finite.flatMap { $0.texts.map { StringSpelling.unescaped($0) } }
            return shape(StringRules(finite: texts)).map { [$0] } ?? shapes
        }
        guard languages.count > 1, let shape = shape(StringRules(languages: [.any(languages)])),
            stringShapes[Int(shape)]?.automaton?.isOverflowing == false
        else { return shapes }
        return others + [shape]
    }

    private func literals(_ texts: [[UInt8]]) -> Language {
        .literals(
            texts.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) })
    }
}
