// SPDX-License-Identifier: Apache-2.0

extension GrammarMachine {
    // An item is a position and a context; a frame is a position to return to and the context around it.

    static func item(_ position: UInt32, _ context: UInt32) -> UInt64 { UInt64(position) << 32 | UInt64(context) }
    static func position(_ item: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: item >> 32) }
    static func context(_ item: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: item) }

    private func itemCost(_ item: UInt64) -> Cost {
        Cost.sum(positionCost(Self.position(item)), contextCosts[Int(Self.context(item))])
    }

    /// Items with equal contexts merged and, if there are too many, those with the shortest completions only.
    private func merged(_ items: [UInt64]) -> [UInt64] {
        if items.count <= 1 { return items }
        var positions: [UInt32: UInt32] = [:]
        for item in items {
            let context = Self.context(item)
            positions[context] = positions[context].map { union($0, Self.position(item)) } ?? Self.position(item)
        }
        var result = positions.map { Self.item($0.value, $0.key) }
        if result.count > limits.maximumBranches {
            let costs = result.map { (cost: itemCost($0), item: $0) }
            result = costs.sorted { ($0.cost, $0.item) < ($1.cost, $1.item) }.prefix(limits.maximumBranches).map(\.item)
            limitationCount += 1
        }
        result.sort()
        return result
    }

    // MARK: Contexts

    /// The context with the given frames.
    private func context(_ frames: [UInt64]) -> UInt32 {
        var list: [UInt64] = []
        list.reserveCapacity(frames.count)
        for frame in frames {
            // A return with nothing left to do: what follows is what follows the caller.
            if Self.position(frame) == Self.done, Self.context(frame) != 0 {
                if frames.count == 1 { return Self.context(frame) }
                list += contextFrames[Int(Self.context(frame))]
            } else {
                list.append(frame)
            }
        }
        list = merged(list)
        if list == [Self.item(Self.done, 0)] { return 0 }
        if let known = contextNumbers[list] { return known }
        var cost = Cost.infinite
        for frame in list { cost = min(cost, itemCost(frame)) }
        let number = UInt32(truncatingIfNeeded: contextFrames.count)
        contextFrames.append(list)
        contextCosts.append(cost)
        contextNumbers[list] = number
        return number
    }

    /// A frame whose context is that of another rule of the same group.
    private struct LocalFrame {
        var position: UInt32
        var rule: Int
    }

    /// The contexts of rules that call each other before reading anything.
    ///
    /// - Parameters:
    ///   - members: The rules, in increasing order.
    ///   - frames: By rule: the frames from outside of the group.
    private func contexts(_ members: [Int], _ frames: [Int: [UInt64]]) -> [Int: UInt32] {
        var outer = frames
        var inner: [Int: [LocalFrame]] = [:]
        var takesOver: [Int: Set<Int>] = [:]
        let isMember = Set(members)
        for caller in members {
            for call in facts(ruleStart(caller)).calls where isMember.contains(call.rule) {
                if call.after == Self.done {
                    takesOver[call.rule, default: []].insert(caller)
                } else {
                    inner[call.rule, default: []].append(LocalFrame(position: call.after, rule: caller))
                }
            }
        }
        // A call with nothing left to do after it takes over all frames of its caller.
        let ownInner = inner
        for rule in members {
            var seen: Set<Int> = [rule]
            var work = Array(takesOver[rule] ?? [])
            while let caller = work.popLast() {
                guard seen.insert(caller).inserted else { continue }
                outer[rule, default: []] += frames[caller] ?? []
                inner[rule, default: []] += ownInner[caller] ?? []
                work += takesOver[caller] ?? []
            }
        }
        var result: [Int: UInt32] = [:]
        // Rules whose frames refer to none in the group are plain; others may become so.
        var open = members
        while true {
            let ready = open.filter { rule in (inner[rule] ?? []).allSatisfy { result[$0.rule] != nil } }
            if ready.isEmpty { break }
            for rule in ready {
                let local = (inner[rule] ?? []).map { Self.item($0.position, result[$0.rule] ?? 0) }
                result[rule] = context((outer[rule] ?? []) + local)
            }
            open.removeAll { result[$0] != nil }
        }
        if open.isEmpty { return result }
        // The rest refer to each other. The key spells out what they are made of.
        let places = Dictionary(uniqueKeysWithValues: open.enumerated().map { ($1, $0) })
        var key: [UInt64] = []
        var plain: [[UInt64]] = []
        var local: [[(position: UInt32, place: Int)]] = []
        for rule in open {
            var fixed: [UInt64] = []
            for frame in outer[rule] ?? [] {
                if Self.position(frame) == Self.done, Self.context(frame) != 0 {
                    fixed += contextFrames[Int(Self.context(frame))]
                } else {
                    fixed.append(frame)
                }
            }
            var references: [Int: UInt32] = [:]
            for frame in inner[rule] ?? [] {
                if let place = places[frame.rule] {
                    references[place] = references[place].map { union($0, frame.position) } ?? frame.position
                } else {
                    fixed.append(Self.item(frame.position, result[frame.rule] ?? 0))
                }
            }
            fixed = merged(fixed)
            let sorted = references.sorted { $0.key < $1.key }.map { (position: $0.value, place: $0.key) }
            key.append(UInt64(fixed.count) << 32 | UInt64(sorted.count))
            key += fixed
            key += sorted.map { Self.item($0.position, UInt32($0.place)) }
            plain.append(fixed)
            local.append(sorted)
        }
        let numbers: [UInt32]
        if let known = contextGroups[key] {
            numbers = known
        } else {
            numbers = addGroup(plain, local)
            contextGroups[key] = numbers
        }
        for (place, rule) in open.enumerated() { result[rule] = numbers[place] }
        return result
    }

    /// Makes contexts that refer to each other.
    private func addGroup(_ plain: [[UInt64]], _ local: [[(position: UInt32, place: Int)]]) -> [UInt32] {
        let base = contextFrames.count
        // The least fixpoint: costs only fall, and each round settles at least one of them.
        var costs = plain.map { frames in frames.map { itemCost($0) }.min() ?? .infinite }
        let weights = local.map { $0.map { positionCost($0.position) } }
        var isChanged = true
        while isChanged {
            isChanged = false
            for place in plain.indices {
                for (frame, weight) in zip(local[place], weights[place]) {
                    let through = Cost.sum(weight, costs[frame.place])
                    if through < costs[place] {
                        costs[place] = through
                        isChanged = true
                    }
                }
            }
        }
        for place in plain.indices {
            var frames = plain[place]
            for frame in local[place] {
                frames.append(Self.item(frame.position, UInt32(truncatingIfNeeded: base + frame.place)))
            }
            frames.sort()
            contextFrames.append(frames)
            contextCosts.append(costs[place])
            if contextNumbers[frames] == nil { contextNumbers[frames] = UInt32(truncatingIfNeeded: base + place) }
        }
        return plain.indices.map { UInt32(truncatingIfNeeded: base + $0) }
    }

    // MARK: Configurations

    /// The position of a rule at its beginning, its empty text left out.
    func ruleStart(_ rule: Int) -> UInt32 {
        if let known = ruleStarts[rule] { return known }
        let position = withoutEnd(closure(network.starts[rule]))
        ruleStarts[rule] = position
        return position
    }

    /// The configuration of the items and of all that follows where rules end.
    func configuration(_ items: [UInt64]) -> ConfigID {
        var positions: [UInt32: UInt32] = [:]
        var order: [UInt32] = []
        var finished: Set<UInt32> = []
        var work = items
        while let item = work.popLast() {
            let context = Self.context(item)
            let before = positions[context]
            let position = before.map { union($0, Self.position(item)) } ?? Self.position(item)
            if position == before { continue }
            if before == nil { order.append(context) }
            positions[context] = position
            guard context != 0, facts(position).isFinal, finished.insert(context).inserted else { continue }
            work += contextFrames[Int(context)]
        }
        var list: [UInt64] = []
        for context in order {
            guard let position = positions[context] else { continue }
            // What follows the end is there already.
            let rest = context == 0 ? position : withoutEnd(position)
            if rest != 0 { list.append(Self.item(rest, context)) }
        }
        if list.isEmpty { return .dead }
        let number = configurations.intern(merged(list))
        if Int(number) == configurationCosts.count {
            var best = Cost.infinite
            for item in configurations[number] { best = min(best, itemCost(item)) }
            configurationCosts.append(best)
        }
        return ConfigID(rawValue: number)
    }

    /// The items from which bytes can be read: those of the configuration, and the beginnings of the rules they call.
    func expansion(_ configuration: ConfigID) -> [UInt64] {
        let index = Int(configuration.rawValue)
        if index < expansions.count, let known = expansions[index] { return known }
        let isStart = configuration == start
        let result = expand(configurations[configuration.rawValue], without: isStart ? innerRule : nil)
        while expansions.count <= index { expansions.append(nil) }
        expansions[index] = result
        return result
    }

    private func expand(_ items: [UInt64], without excluded: Int?) -> [UInt64] {
        var frames: [Int: [UInt64]] = [:]
        var called: [Int] = []
        func call(_ rule: Int, _ frame: UInt64?) {
            if rule == excluded { return }
            if frames[rule] == nil {
                called.append(rule)
                frames[rule] = []
            }
            if let frame { frames[rule]?.append(frame) }
        }
        for item in items {
            for next in facts(Self.position(item)).calls {
                call(next.rule, Self.item(next.after, Self.context(item)))
            }
        }
        if called.isEmpty { return items }
        var head = 0
        while head < called.count {
            for next in facts(ruleStart(called[head])).calls { call(next.rule, nil) }
            head += 1
        }
        called.sort { (ranks[$0], groups[$0], $0) < (ranks[$1], groups[$1], $1) }
        var result = items
        var place = 0
        while place < called.count {
            let group = groups[called[place]]
            var end = place + 1
            while end < called.count, groups[called[end]] == group { end += 1 }
            let members = Array(called[place..<end])
            place = end
            let numbers: [Int: UInt32]
            if isRecursive[Int(group)] {
                numbers = contexts(members, frames)
            } else {
                numbers = [members[0]: context(frames[members[0]] ?? [])]
            }
            for rule in members {
                guard let context = numbers[rule] else { continue }
                let start = ruleStart(rule)
                if start == 0 { continue }
                result.append(Self.item(start, context))
                for next in facts(start).calls where groups[next.rule] != group {
                    frames[next.rule]?.append(Self.item(next.after, context))
                }
            }
        }
        return merged(result)
    }

    func computeStep(_ configuration: ConfigID, _ byte: UInt8) -> ConfigID {
        if configuration.isDead { return .dead }
        var items: [UInt64] = []
        for item in expansion(configuration) {
            let next = step(position: Self.position(item), byte)
            if next != 0 { items.append(Self.item(next, Self.context(item))) }
        }
        return items.isEmpty ? .dead : self.configuration(items)
    }
}
