// SPDX-License-Identifier: Apache-2.0

import Documents

extension SchemaMachine {
    /// The alternatives of a configuration.
    func alternatives(_ configuration: Configuration) -> LazyMapSequence<[UInt64], Alternative> {
        alternativeLists[configuration.alternatives].lazy.map { Alternative(rawValue: $0) }
    }

    /// The number of the configuration with the given alternatives; dead without any.
    func configuration(
        _ kind: Configuration.Kind, _ aux: UInt32, _ alternatives: [UInt64], _ context: UInt32, _ text: UInt32
    ) -> ConfigID {
        if alternatives.isEmpty { return .dead }
        var list = alternatives
        if list.count > 1 {
            list.sort()
            var last: UInt64?
            list.removeAll { value in
                defer { last = value }
                return value == last
            }
        }
        let configuration = Configuration(
            kind: kind, aux: aux, alternatives: alternativeLists.intern(list), context: context, text: text)
        let number = configurations.intern(configuration)
        // Worked out when first asked for: most configurations are only stepped through.
        if Int(number) == configurationCosts.count { configurationCosts.append(Self.unknownCost) }
        return ConfigID(rawValue: number)
    }

    /// Stands for a cost that has not been asked for yet.
    static let unknownCost: Cost = -1

    /// The bytes of a shortest completion.
    func cost(_ configuration: ConfigID) -> Cost {
        let known = configurationCosts[Int(configuration.rawValue)]
        if known >= 0 { return known }
        let cost = computeCost(configurations[configuration.rawValue])
        configurationCosts[Int(configuration.rawValue)] = cost
        return cost
    }

    private func computeCost(_ configuration: Configuration) -> Cost {
        if configuration.kind == .done { return 0 }
        let tags = contextCosts[Int(configuration.context)]
        var best = Cost.infinite
        for alternative in alternatives(configuration) {
            let outside = tags[Int(alternative.tag)]
            if outside >= best { continue }
            best = min(best, Cost.sum(outside, cost(alternative.state, configuration)))
        }
        return best
    }

    /// The bytes that complete the innermost frame.
    private func cost(_ state: UInt32, _ configuration: Configuration) -> Cost {
        let aux = configuration.aux
        switch configuration.kind {
        case .dead: return .infinite
        case .done: return 0
        case .value: return Cost.sum(cost(of: state), pendingCost(aux))
        case .literal: return Self.literals[Int(aux >> 8)].count - Int(aux & 0xFF)
        case .number: return cost(number: state)
        case .string:
            return aux == 0 ? cost(string: state) : cost(stringStates[state], StringLexer(rawValue: aux))
        case .arrayOpen: return openCost(array: state)
        case .arrayAfter: return arrayCosts[Int(state)]
        case .arrayClosing, .objectClosing: return 1
        case .objectOpen: return openCost(object: state)
        case .objectAfter: return objectCosts[Int(state)]
        case .keyStart: return Cost.sum(memberCost(object: state), pendingCost(aux))
        case .key: return cost(key: keyStates[state], StringLexer(rawValue: aux))
        case .colon: return Cost.sum(colonCost, cost(of: state))
        }
    }

    static let literals: [[UInt8]] = [Array("null".utf8), Array("true".utf8), Array("false".utf8)]

    /// The bytes of white space that must come, where costs count them.
    private func pendingCost(_ aux: UInt32) -> Cost { profile.whitespace == .spaced ? Int(aux) : 0 }

    func openCost(array state: UInt32) -> Cost {
        if let known = arrayOpenCosts[state] { return known }
        let value = arrayStates[state]
        let cost = solved { self.cost(open: value, $0) }
        arrayOpenCosts[state] = cost
        return cost
    }

    func openCost(object state: UInt32) -> Cost {
        if let known = objectOpenCosts[state] { return known }
        let value = objectStates[state]
        let cost = solved { self.cost(open: value, $0) }
        objectOpenCosts[state] = cost
        return cost
    }

    /// The bytes of an object's rest that begins with a key.
    func memberCost(object state: UInt32) -> Cost {
        if let known = objectMemberCosts[state] { return known }
        let value = objectStates[state]
        let cost = solved { self.cost(member: value, $0) }
        objectMemberCosts[state] = cost
        return cost
    }

    // MARK: Keys

    /// The bytes after a named key with its closing quote.
    func valueCost(object: UInt32, named index: Int) -> Cost {
        let key = UInt64(object) << 32 | UInt64(index)
        if let known = namedValueCosts[key] { return known }
        var best = Cost.infinite
        let state = objectStates[object]
        if let shape = shape(state), shape.isSimple {
            // The rest of the object without this member, if it was counted there.
            let named = shape.named[index]
            let own = cost(of: named.node)
            best = Cost.sum(Cost.sum(colonCost, own), objectCosts[Int(object)])
            if named.isRequired, best < .infinite {
                best -= commaCost + named.spelling.count + 2 + colonCost + own
            }
            namedValueCosts[key] = best
            return best
        }
        for option in options(state, named: index) {
            let own = cost(of: option.node)
            if own >= best { continue }
            best = min(best, Cost.sum(Cost.sum(colonCost, own), objectCosts[Int(intern(option.next))]))
        }
        namedValueCosts[key] = best
        return best
    }

    /// The bytes after an anonymous key with its closing quote.
    func valueCost(object: UInt32, kind: Int) -> Cost {
        let place = UInt64(object) << 32 | UInt64(kind) | 1 << 31
        if let known = namedValueCosts[place] { return known }
        var best = Cost.infinite
        let state = objectStates[object]
        if let shape = shape(state) {
            let keys = anonymousKeys(shape)[kind]
            // Where more keys must follow, the one being read may take the shortest from them: the cost is an upper bound.
            var taken: [[UInt8]] = []
            if !shape.isSimple {
                for kind in shape.hasOverlappingKinds ? anonymousKeys(shape) : [keys] {
                    if let word = word(kind, state, 0) { taken.append(StringSpelling.unescaped(word)) }
                }
            }
            for option in options(state, anonymous: keys, taking: taken) {
                let own = cost(of: option.node)
                if own >= best { continue }
                best = min(best, Cost.sum(Cost.sum(colonCost, own), objectCosts[Int(intern(option.next))]))
            }
        }
        namedValueCosts[place] = best
        return best
    }

    func cost(key state: KeyState, _ lexer: StringLexer) -> Cost {
        if state.kind >= 0 {
            var (string, lexer) = (state.string, lexer)
            if !state.position.isEmpty {
                guard let exact = exactKey(state) else { return .infinite }
                (string, lexer) = exact
            }
            return Cost.sum(cost(string, lexer), valueCost(object: state.object, kind: Int(state.kind)))
        }
        let object = objectStates[state.object]
        guard let shape = shape(object) else { return .infinite }
        var best = Cost.infinite
        for place in Int(state.position.low)..<Int(state.position.high) {
            let index = shape.order[place]
            guard offers(object, shape, index) else { continue }
            let rest = shape.named[index].spelling.count - Int(state.position.depth) + 1
            if rest >= best { continue }
            best = min(best, Cost.sum(rest, valueCost(object: state.object, named: index)))
        }
        return best
    }

    /// Whether some key that may come has the spelling so far.
    func isViable(key state: KeyState) -> Bool {
        let object = objectStates[state.object]
        guard let shape = shape(object) else { return false }
        for place in Int(state.position.low)..<Int(state.position.high) {
            let index = shape.order[place]
            if offers(object, shape, index), valueCost(object: state.object, named: index) < .infinite { return true }
        }
        return false
    }

    // MARK: Pushing and popping

    /// A frame for values that come next, inside the frame of a container.
    ///
    /// Each entry is the node of a value with the alternative of the container after it. Returns the alternatives of
    /// the new frame.
    func push(
        _ kind: Context.Kind, _ entries: [(node: NodeID, next: Alternative)], parent: UInt32, isUnique: Bool,
        text: UInt32
    ) -> (alternatives: [UInt64], context: UInt32)? {
        if entries.count == 1 {
            let number = self.context(
                kind, [[entries[0].next.rawValue]], parent: parent, isUnique: isUnique, text: text)
            return ([Alternative(state: entries[0].node, tag: 0).rawValue], number)
        }
        var groups: [NodeID: [UInt64]] = [:]
        for entry in entries { groups[entry.node, default: []].append(entry.next.rawValue) }
        if groups.isEmpty { return nil }
        // Equal continuations share a tag.
        var table: [[UInt64]] = []
        var nodeTags: [(NodeID, UInt32)] = []
        for node in groups.keys.sorted() {
            let continuation = Array(Set(groups[node] ?? [])).sorted()
            if let tag = table.firstIndex(of: continuation) {
                nodeTags.append((node, UInt32(tag)))
            } else {
                nodeTags.append((node, UInt32(table.count)))
                table.append(continuation)
            }
        }
        let number = context(kind, table, parent: parent, isUnique: isUnique, text: text)
        return (nodeTags.map { Alternative(state: $0.0, tag: $0.1).rawValue }, number)
    }

    /// The number of a suspended frame.
    private func context(
        _ kind: Context.Kind, _ table: [[UInt64]], parent: UInt32, isUnique: Bool, text: UInt32
    ) -> UInt32 {
        let inherits = contexts[parent].isRecording
        let context = Context(
            kind: kind, table: continuationTables.intern(table), parent: parent, isRecording: isUnique || inherits,
            isUnique: isUnique, mark: isUnique && inherits ? text : 0)
        let number = contexts.intern(context)
        if Int(number) == contextDepths.count {
            contextDepths.append(contextDepths[Int(parent)] + 1)
            let outside = contextCosts[Int(parent)]
            contextCosts.append(
                table.map { continuation in
                    continuation.reduce(Cost.infinite) { best, raw in
                        let next = Alternative(rawValue: raw)
                        let own = kind == .array ? arrayCosts[Int(next.state)] : objectCosts[Int(next.state)]
                        return min(best, Cost.sum(own, outside[Int(next.tag)]))
                    }
                })
        }
        return number
    }

    /// The configuration after a value has ended with any of the tags.
    func pop(_ context: UInt32, _ tags: [UInt32], _ text: UInt32) -> ConfigID {
        if tags.isEmpty { return .dead }
        if context == 0 {
            return configuration(.done, 0, [0], 0, 0)
        }
        let frame = contexts[context]
        let table = continuationTables[frame.table]
        var list = table[Int(tags[0])]
        for tag in tags.dropFirst() where tag != tags[0] { list += table[Int(tag)] }
        if frame.isUnique {
            guard let value = value(of: bytes(of: text, after: frame.mark)) else { return .dead }
            list = list.compactMap { raw in
                let alternative = Alternative(rawValue: raw)
                let state = arrayStates[alternative.state]
                guard state.isValueOpen else { return raw }
                let next = intern(self.state(state, using: value))
                guard arrayCosts[Int(next)] < .infinite else { return nil }
                return Alternative(state: next, tag: alternative.tag).rawValue
            }
        }
        let outer = contexts[frame.parent].isRecording ? text : 0
        return configuration(frame.kind == .array ? .arrayAfter : .objectAfter, 0, list, frame.parent, outer)
    }

    // MARK: Texts

    /// The text with one more byte.
    func text(_ text: UInt32, _ byte: UInt8) -> UInt32 {
        if let known = texts.target(text, byte) { return known }
        let number = UInt32(textBytes.count)
        textBytes.append((text, byte))
        texts.set(text, byte, number)
        return number
    }

    /// The bytes of a text after a text that it begins with.
    func bytes(of text: UInt32, after mark: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        var current = text
        while current != mark, current != 0 {
            bytes.append(textBytes[Int(current)].byte)
            current = textBytes[Int(current)].previous
        }
        return bytes.reversed()
    }

    /// The spelling of the key at the end of a text.
    func lastKey(_ text: UInt32) -> [UInt8] {
        let all = bytes(of: text, after: 0)
        var index = all.count
        while index > 0 {
            if all[index - 1] == 0x22 {
                var slashes = 0
                while index - 2 - slashes >= 0, all[index - 2 - slashes] == 0x5C { slashes += 1 }
                if slashes % 2 == 0 { break }
            }
            index -= 1
        }
        return Array(all[index...])
    }
}
