// SPDX-License-Identifier: Apache-2.0

import Patterns

extension SchemaMachine {
    package func stringBody(_ configuration: ConfigID) -> StringBody? {
        let current = configurations[configuration.rawValue]
        guard current.aux == 0 else { return nil }
        switch current.kind {
        case .string: return valueBody(current)
        case .key: return keyBody(current)
        default: return nil
        }
    }

    package func stringEnd(_ configuration: ConfigID) -> StringEnd? {
        let current = configurations[configuration.rawValue]
        // Where the text is kept, what follows the quote depends on it.
        guard current.aux == 0, !contexts[current.context].isRecording else { return nil }
        switch current.kind {
        case .string: return valueEnd(current)
        case .key: return keyEnd(current, configuration)
        default: return nil
        }
    }

    // MARK: Values

    private func valueBody(_ current: Configuration) -> StringBody? {
        let list = alternativeLists[current.alternatives]
        guard list.count == 1 else { return mixedBody(current) }
        let alternative = Alternative(rawValue: list[0])
        let state = stringStates[alternative.state]
        guard let shape = stringShapes[Int(state.shape)], shape.finite == nil else { return nil }
        var body = StringBody(
            missingScalars: max(0, shape.minLength - Int(state.length)),
            remainingScalars: shape.maxLength.map { $0 - Int(state.length) },
            closingCost: closingCost(shape, outside(current, alternative.tag))
        )
        if let automaton = shape.automaton {
            body.automaton = automaton
            body.state = Automaton.StateID(rawValue: state.automaton)
        } else if shape.excluded != nil, !state.position.isEmpty {
            // At the most characters an excluded text would be a dead end.
            guard shape.maxLength == nil else { return nil }
        }
        return body
    }

    private func outside(_ current: Configuration, _ tag: UInt32) -> Cost {
        contextCosts[Int(current.context)][Int(tag)]
    }

    /// The cost of the quote and what is outside; each text that is not allowed may ask for one more character.
    private func closingCost(_ shape: StringShape, _ outside: Cost) -> Int? {
        let cost = Cost.sum(outside, 1 + (shape.excluded?.texts.count ?? 0))
        return isPretty || cost >= .infinite ? nil : cost
    }

    /// A value of several kinds: only where one of them allows all that the others do.
    private func mixedBody(_ current: Configuration) -> StringBody? {
        var most = 0
        for alternative in alternatives(current) {
            let state = stringStates[alternative.state]
            guard let shape = stringShapes[Int(state.shape)], shape.finite == nil, shape.automaton == nil else {
                most = .max
                continue
            }
            guard let maximum = shape.maxLength else {
                return StringBody(
                    missingScalars: max(0, shape.minLength - Int(state.length)), remainingScalars: nil,
                    closingCost: closingCost(shape, outside(current, alternative.tag))
                )
            }
            if most < .max { most = state.position.isEmpty ? max(most, maximum - Int(state.length)) : .max }
        }
        return most == .max ? nil : StringBody(remainingScalars: most)
    }

    private func valueEnd(_ current: Configuration) -> StringEnd? {
        let list = alternativeLists[current.alternatives]
        guard list.count == 1 else { return nil }
        let alternative = Alternative(rawValue: list[0])
        let state = stringStates[alternative.state]
        guard let shape = stringShapes[Int(state.shape)] else { return nil }
        return StringEnd(
            closing: pop(current, 0) { _ in true },
            shape.excluded.flatMap { rests($0, state.position) }.map { [$0] } ?? []
        )
    }

    // MARK: Keys

    /// A key body is free where keys without a name may come: those that have one do no harm then.
    private func keyBody(_ current: Configuration) -> StringBody? {
        for alternative in alternatives(current) {
            let key = keyStates[alternative.state]
            guard key.kind >= 0, isFree(key), let shape = stringShapes[Int(key.string.shape)] else { continue }
            let outside = Cost.sum(
                outside(current, alternative.tag), valueCost(object: key.object, kind: Int(key.kind)))
            return StringBody(
                missingScalars: max(0, shape.minLength - Int(key.string.length)), remainingScalars: nil,
                closingCost: closingCost(shape, outside)
            )
        }
        return patternedKeyBody(current)
    }

    /// A key whose kinds are told apart by patterns: one automaton for all of them.
    private func patternedKeyBody(_ current: Configuration) -> StringBody? {
        var objects: [UInt32] = []
        var anonymous: [UInt32] = []
        for alternative in alternatives(current) {
            let key = keyStates[alternative.state]
            if !objects.contains(key.object) { objects.append(key.object) }
            if key.kind >= 0, !anonymous.contains(key.object) { anonymous.append(key.object) }
        }
        // The text is kept only as long as keys without a name may come.
        guard !anonymous.isEmpty, objects.count <= 64, let automaton = keyAutomaton(anonymous) else { return nil }
        let isRecording = contexts[current.context].isRecording
        let spelled = isRecording ? lastKey(current.text) : bytes(of: current.text, after: 0)
        var state = automaton.start
        for scalar in String(decoding: StringSpelling.unescaped(spelled), as: UTF8.self).unicodeScalars {
            state = automaton.transition(state, scalar: scalar)
        }
        var body = StringBody(automaton: automaton, state: state, remainingScalars: nil)
        var detours: Set<[UInt8]> = []
        for object in objects {
            guard let shape = shape(objectStates[object]) else { return nil }
            let texts =
                shape.reserved.map { StringSpelling.escaped($0) } + shape.named.map(\.spelling)
                + textSets[objectStates[object].used].flatMap { [$0, StringSpelling.escaped($0)] }
            for text in texts where text.starts(with: spelled) { detours.insert(Array(text.dropFirst(spelled.count))) }
        }
        body.detours = Array(detours)
        return body
    }

    /// The automaton of all anonymous keys that some of the objects may have next, used and reserved ones included.
    private func keyAutomaton(_ objects: [UInt32]) -> Automaton? {
        if objects.count == 1, let known = keyAutomataOfObjects[objects[0]] { return known }
        var key: [UInt64] = []
        var languages: [Language] = []
        for object in objects {
            guard let own = keyLanguages(object) else { return nil }
            if key.contains(own.key) { continue }
            key.append(own.key)
            for language in own.languages where !languages.contains(language) { languages.append(language) }
        }
        key.sort()
        if let known = keyAutomata[key] { return known }
        let automaton = languages.isEmpty ? nil : try? self.automaton(.any(languages), thorough: true)
        keyAutomata[key] = .some(automaton)
        if objects.count == 1 { keyAutomataOfObjects[objects[0]] = .some(automaton) }
        return automaton
    }

    /// The languages of the anonymous keys that an object may have next, and a number for their set; nil where the
    /// lengths of keys matter.
    private func keyLanguages(_ object: UInt32) -> (key: UInt64, languages: [Language])? {
        let state = objectStates[object]
        guard let shape = shape(state), allowsAnonymous(state) else { return nil }
        let kinds = anonymousKeys(shape)
        guard kinds.count <= 32 else { return nil }
        var members: UInt64 = 0
        var narrowed: UInt64 = 0
        for (index, kind) in kinds.enumerated() where valueCost(object: object, kind: index) < .infinite {
            guard kind.rules.minLength == 0, kind.rules.maxLength == nil, kind.rules.finite == nil else { return nil }
            guard hasKeys(state, index, kind) else { continue }
            members |= 1 << UInt64(index)
            if profile.keepsToCommonGround, let number = keyShape(state, index, kind),
                stringShapes[Int(number)]?.isNarrowed == true
            {
                narrowed |= 1 << UInt64(index)
            }
        }
        if shape.kindsTakeAll, narrowed == 0, members.nonzeroBitCount == kinds.count {
            return (UInt64(state.shape) << 32 | members, [.everything])
        }
        let languages = kinds.indices.filter { members & (1 << UInt64($0)) != 0 }.map { index in
            let isNarrowed = narrowed & (1 << UInt64(index)) != 0
            return Language.all(kinds[index].rules.languages + (isNarrowed ? [Self.printable].compactMap(\.self) : []))
        }
        return (UInt64(state.shape) << 32 | members, languages)
    }

    private func isFree(_ key: KeyState) -> Bool {
        guard let shape = stringShapes[Int(key.string.shape)] else { return false }
        return shape.finite == nil && shape.automaton == nil && shape.maxLength == nil
    }

    private func keyEnd(_ current: Configuration, _ number: ConfigID) -> StringEnd? {
        var exceptions: [StringEnd.Exception] = []
        for alternative in alternatives(current) {
            let key = keyStates[alternative.state]
            if key.kind < 0 {
                guard let shape = shape(objectStates[key.object]) else { return nil }
                if let rests = rests(shape.spellings, key.position) { exceptions.append(rests) }
                continue
            }
            guard isFree(key), let shape = stringShapes[Int(key.string.shape)],
                Int(key.string.length) >= shape.minLength
            else {
                return nil
            }
            // The value depends on the name where whole objects are excluded.
            guard numberLists[objectStates[key.object].agreeing].isEmpty else { return nil }
            if let rests = shape.excluded.flatMap({ rests($0, key.string.position) }) { exceptions.append(rests) }
        }
        // A key like no other stands for all that have no name and were not used.
        var first = ByteSet()
        for exception in exceptions {
            for index in exception.range where exception.texts.texts[index].count > exception.depth {
                first.insert(exception.texts.texts[index][exception.depth])
            }
        }
        guard let byte = Self.plainBytes.first(where: { !first.contains($0) }) else { return nil }
        return StringEnd(closing: freshEnd(current) ?? step(step(number, byte), 0x22), exceptions)
    }

    /// The configuration after a key that is like no other, as if it could come again: that matters from the end of the
    /// next key on, and other keys without a name are as many as one likes. Nil where members are counted.
    private func freshEnd(_ current: Configuration) -> ConfigID? {
        let key = UInt64(current.alternatives) << 32 | UInt64(current.context)
        if let known = freshEnds[key] { return ConfigID(rawValue: known) }
        for alternative in alternatives(current) {
            guard let shape = shape(objectStates[keyStates[alternative.state].object]), shape.isSimple else {
                return nil
            }
        }
        let end = endKey(current, 0, asFresh: true)
        freshEnds.set(key, end.rawValue)
        return end
    }

    /// What completes the texts that begin with the bytes read so far.
    private func rests(_ texts: FiniteTexts, _ position: FiniteTexts.Position) -> StringEnd.Exception? {
        if position.isEmpty { return nil }
        return StringEnd.Exception(
            texts: texts, range: Int(position.low)..<Int(position.high), depth: Int(position.depth))
    }
}
