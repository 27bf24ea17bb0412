// SPDX-License-Identifier: Apache-2.0

import Documents

extension SchemaMachine {
    /// The alternatives of a configuration.
    @inline(__always)
    func alternatives(_ configuration: Configuration) -> LazyMapSequence<UnsafeBufferPointer<UInt64>, Alternative> {
        alternativeLists[configuration.alternatives].lazy.map { Alternative(rawValue: $0) }
    }

    /// The number of the configuration with the given alternatives; dead without any.
    func configuration(
        _ kind: Configuration.Kind, _ aux: UInt32, _ alternatives: WordList, _ context: UInt32, _ text: UInt32
    ) -> ConfigID {
        if alternatives.isEmpty { return .dead }
        return configuration(kind, aux, list: number(alternatives), context, text)
    }

    /// The number of the configuration with the alternatives of a list, which are not none.
    func configuration(
        _ kind: Configuration.Kind, _ aux: UInt32, list: UInt32, _ context: UInt32, _ text: UInt32
    ) -> ConfigID {
        let configuration = Configuration(kind: kind, aux: aux, alternatives: list, context: context, text: text)
        let number = configurations.intern(configuration)
        // Worked out when first asked for: most configurations are only stepped through.
        if Int(number) == configurationCosts.count { configurationCosts.append(Self.unknownCost) }
        return ConfigID(rawValue: number)
    }

    /// The number of a list of alternatives, in its one form.
    private func number(_ alternatives: WordList) -> UInt32 {
        var list = alternatives
        list.normalise()
        return list.withWords { alternativeLists.intern($0) }
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

    /// Whether an object may go on with another member.
    ///
    /// What the cheapest one costs is a question of its own: here the first one that there is will do.
    func canHaveMember(_ number: UInt32) -> Bool {
        if let known = memberChances[number] { return known }
        let result = hasMember(objectStates[number]) ?? (memberCost(object: number) < .infinite)
        memberChances[number] = result
        return result
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
            namedValueCosts.set(key, best)
            return best
        }
        for option in options(state, named: index) {
            let own = cost(of: option.node)
            if own >= best { continue }
            best = min(best, Cost.sum(Cost.sum(colonCost, own), objectCosts[Int(intern(option.next))]))
        }
        namedValueCosts.set(key, best)
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
        namedValueCosts.set(place, best)
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
    ) -> (alternatives: WordList, context: UInt32)? {
        if entries.count == 1 {
            let row = number(WordList(entries[0].next.rawValue))
            let context = context(kind, WordList(UInt64(row)), parent: parent, isUnique: isUnique, text: text)
            return (WordList(Alternative(state: entries[0].node, tag: 0).rawValue), context)
        }
        var groups: [NodeID: WordList] = [:]
        for entry in entries { groups[entry.node, default: WordList()].append(entry.next.rawValue) }
        if groups.isEmpty { return nil }
        // Equal continuations share a tag.
        var table: [UInt32] = []
        var rows = WordList()
        var alternatives = WordList()
        for (node, continuation) in groups.sorted(by: { $0.key < $1.key }) {
            let row = number(continuation)
            let tag: Int
            if let known = table.firstIndex(of: row) {
                tag = known
            } else {
                tag = table.count
                table.append(row)
                rows.append(UInt64(row))
            }
            alternatives.append(Alternative(state: node, tag: UInt32(tag)).rawValue)
        }
        return (alternatives, context(kind, rows, parent: parent, isUnique: isUnique, text: text))
    }

    /// The number of a suspended frame; the rows of its table are numbers of lists.
    private func context(
        _ kind: Context.Kind, _ rows: WordList, parent: UInt32, isUnique: Bool, text: UInt32
    ) -> UInt32 {
        let inherits = contexts[parent].isRecording
        let table = rows.withWords { continuationTables.intern($0) }
        let context = Context(
            kind: kind, table: table, parent: parent, isRecording: isUnique || inherits,
            isUnique: isUnique, mark: isUnique && inherits ? text : 0)
        let number = contexts.intern(context)
        if Int(number) == contextDepths.count {
            contextDepths.append(contextDepths[Int(parent)] + 1)
            let outside = contextCosts[Int(parent)]
            contextCosts.append(
                continuationTables[table].map { row in
                    alternativeLists[UInt32(truncatingIfNeeded: row)].reduce(Cost.infinite) { best, raw in
                        let next = Alternative(rawValue: raw)
                        let own = kind == .array ? arrayCosts[Int(next.state)] : objectCosts[Int(next.state)]
                        return min(best, Cost.sum(own, outside[Int(next.tag)]))
                    }
                })
        }
        return number
    }

    /// The configuration after a value has ended in some alternatives of its frame.
    func pop(
        _ current: Configuration, _ text: UInt32, where isComplete: (UInt32) -> Bool
    ) -> ConfigID {
        let context = current.context
        let frame = contexts[context]
        let table = continuationTables[frame.table]
        var list = WordList()
        var only: UInt32?
        var count = 0
        for alternative in alternatives(current) where isComplete(alternative.state) {
            count += 1
            if context == 0 { return configuration(.done, 0, WordList(0), 0, 0) }
            let row = UInt32(truncatingIfNeeded: table[Int(alternative.tag)])
            if only == row { continue }
            if only == nil { only = row }
            for raw in alternativeLists[row] { list.append(raw) }
            if count > 1, only != row { only = .max }
        }
        if count == 0 { return .dead }
        let kind: Configuration.Kind = frame.kind == .array ? .arrayAfter : .objectAfter
        let outer = contexts[frame.parent].isRecording ? text : 0
        if frame.isUnique {
            guard let value = value(of: bytes(of: text, after: frame.mark)) else { return .dead }
            var unique = WordList()
            list.withWords { words in
                for raw in words {
                    let alternative = Alternative(rawValue: raw)
                    let state = arrayStates[alternative.state]
                    guard state.isValueOpen else {
                        unique.append(raw)
                        continue
                    }
                    let next = intern(self.state(state, using: value))
                    guard arrayCosts[Int(next)] < .infinite else { continue }
                    unique.append(Alternative(state: next, tag: alternative.tag).rawValue)
                }
            }
            return configuration(kind, 0, unique, frame.parent, outer)
        }
        if frame.kind == .array, only == .max {
            var kept = WordList()
            for raw in undominated(list.withWords { Array($0) }) { kept.append(raw) }
            list = kept
        }
        if let only, only != .max { return configuration(kind, 0, list: only, frame.parent, outer) }
        return configuration(kind, 0, list, frame.parent, outer)
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
