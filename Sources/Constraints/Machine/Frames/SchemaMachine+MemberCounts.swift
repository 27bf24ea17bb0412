// SPDX-License-Identifier: Apache-2.0

import Patterns

/// Objects of which a number of members is demanded, whatever they are.
extension SchemaMachine {
    /// The most keys without a name that can be demanded.
    static let maximumAnonymous = 1_024

    /// The bytes of the cheapest members that must still come, at least one, and of the closing brace: for shapes in
    /// which nothing but keys, nodes and the number of members matters.
    func costOfCounted(_ state: ObjectState, _ shape: ObjectShape, _ solver: CostSolver) -> Cost {
        let required = requiredLeft(state, shape)
        let total = max(1, shape.minProperties - Int(state.count), required)
        if let maximum = shape.maxProperties, Int(state.count) + total > maximum { return .infinite }
        let requiredBytes = requiredCost(state, shape, solver)
        if requiredBytes >= .infinite { return .infinite }
        // Each with its comma, of which one is too many.
        let base = requiredBytes - commaCost + 1
        var missing = total - required
        if missing == 0 { return base }
        let named = cheapestOptional(state, shape, missing, solver)
        let anonymous = allowsAnonymousLater(state) ? cheapestAnonymous(state, shape, missing, solver) : []
        var sum = base
        var place = 0
        var other = 0
        while missing > 0 {
            let first = place < named.count ? named[place] : .infinite
            let second = other < anonymous.count ? anonymous[other] : .infinite
            if first >= .infinite, second >= .infinite {
                if missing > Self.maximumAnonymous - anonymous.count {
                    note("more than \(Self.maximumAnonymous) keys without a name cannot be demanded", at: nil)
                }
                return .infinite
            }
            if first <= second { place += 1 } else { other += 1 }
            sum = Cost.sum(sum, min(first, second) + commaCost)
            missing -= 1
        }
        return sum
    }

    /// Whether a key without a name may come at some time.
    private func allowsAnonymousLater(_ state: ObjectState) -> Bool { shape(state) != nil }

    /// How many required members are left.
    private func requiredLeft(_ state: ObjectState, _ shape: ObjectShape) -> Int {
        var count = shape.requiredCounts[Int(state.cursor)]
        if state.taken != 0 {
            for index in numberLists[state.taken] where shape.named[Int(index)].isRequired { count -= 1 }
        }
        return count
    }

    /// The costs of the cheapest optional members with a name, at most `count`, cheapest first.
    private func cheapestOptional(
        _ state: ObjectState, _ shape: ObjectShape, _ count: Int, _ solver: CostSolver
    ) -> [Cost] {
        let taken = numberLists[state.taken]
        var found: [Cost] = []
        for entry in optionalOrder(shape, solver) {
            if entry.index < Int(state.cursor) || isTaken(entry.index, taken) { continue }
            found.append(entry.cost)
            if found.count == count { break }
        }
        return found
    }

    /// The optional members with a name and a value, cheapest first.
    private func optionalOrder(_ shape: ObjectShape, _ solver: CostSolver) -> [(index: Int, cost: Cost)] {
        if let known = shape.optionalOrder { return known }
        var isKnown = true
        var order: [(index: Int, cost: Cost)] = []
        for (index, key) in shape.named.enumerated() where !key.isRequired {
            if knownCost(of: key.node) == nil { isKnown = false }
            let cost = Cost.sum(keyCost(key), solver.cost(key.node))
            if cost < .infinite { order.append((index, cost)) }
        }
        order.sort { ($0.cost, $0.index) < ($1.cost, $1.index) }
        if isKnown { shape.optionalOrder = order }
        return order
    }

    /// The costs of the cheapest members without a name, at most `count`, cheapest first.
    private func cheapestAnonymous(
        _ state: ObjectState, _ shape: ObjectShape, _ count: Int, _ solver: CostSolver
    ) -> [Cost] {
        let kinds = anonymousKeys(shape).compactMap { keys -> (keys: ObjectShape.AnonymousKeys, cost: Cost)? in
            let cost = Cost.sum(2 + colonCost, solver.cost(keys.node))
            return cost < .infinite ? (keys, cost) : nil
        }
        if kinds.isEmpty { return [] }
        let limit = min(count, Self.maximumAnonymous)
        let used = state.used == 0 ? [] : Set(textSets[state.used].map { StringSpelling.escaped($0) })
        var found: [(cost: Cost, word: [UInt8])] = []
        for (keys, cost) in kinds {
            var left = limit
            for word in words(keys, limit + used.count) {
                if used.contains(word) { continue }
                found.append((Cost.sum(word.count, cost), word))
                left -= 1
                if left == 0 { break }
            }
        }
        found.sort { $0.cost < $1.cost }
        guard shape.hasOverlappingKinds else { return found.prefix(limit).map(\.cost) }
        var seen: Set<[UInt8]> = []
        var costs: [Cost] = []
        for (cost, word) in found where seen.insert(word).inserted {
            costs.append(cost)
            if costs.count == limit { break }
        }
        return costs
    }

    /// Whether a sorted list of indices has one.
    func isTaken(_ index: Int, _ taken: [UInt32]) -> Bool {
        if taken.isEmpty { return false }
        var low = 0
        var high = taken.count
        while low < high {
            let middle = (low + high) >> 1
            if taken[middle] < UInt32(index) { low = middle + 1 } else { high = middle }
        }
        return low < taken.count && taken[low] == UInt32(index)
    }

    // MARK: Words

    /// The spellings of the keys of a kind, shortest first: at least `count`, or all that are found.
    func words(_ keys: ObjectShape.AnonymousKeys, _ count: Int) -> [[UInt8]] {
        let words = keys.words
        if words.list.count < count, !words.isComplete, words.asked < count {
            var target = 1
            while target < count { target *= 2 }
            words.asked = target
            let found = shortestTexts(keys.rules, target)
            if found.texts.count > words.list.count { words.list = found.texts }
            words.isComplete = found.isComplete
        }
        return words.list
    }

    /// The shortest texts that obey the rules, without quotes: at most `count`.
    ///
    /// A best-first search. The cost of a state is exact, so that each waiting beginning stands for a text of its own:
    /// once enough of them wait, longer ones need not be looked at.
    private func shortestTexts(_ rules: StringRules, _ count: Int) -> (texts: [[UInt8]], isComplete: Bool) {
        guard let number = shape(rules), let first = beginString(number) else { return ([], true) }
        let least = cost(first, .boundary)
        guard least < .infinite else { return ([], true) }
        struct Entry {
            var state: StringState
            var lexer: StringLexer
            var parent: Int32
            var length: Int32
            var byte: UInt8
        }
        let automaton = stringShapes[Int(number)]?.automaton
        let wide = automaton?.classes(inScalarRange: 0x80...0x10FFFF)
        var entries = [Entry(state: first, lexer: .boundary, parent: -1, length: 0, byte: 0)]
        var waiting: [[Int32]] = [[0]]
        var texts: [[UInt8]] = []
        var isPruned = false
        var work = limits.distinctBudget + 24 * count
        var level = 0
        while level < waiting.count {
            guard let top = waiting[level].popLast() else {
                level += 1
                continue
            }
            let entry = entries[Int(top)]
            let isAtEnd = entry.lexer.isBoundary && isComplete(entry.state)
            if isAtEnd {
                var text: [UInt8] = []
                var place = Int(top)
                while place > 0 {
                    text.append(entries[place].byte)
                    place = Int(entries[place].parent)
                }
                texts.append(text.reversed())
                if texts.count == count { return (texts, false) }
            }
            let missing = count - texts.count
            var bound = Self.bound(of: waiting, from: level, missing)
            var hasHeir = isAtEnd
            let bytes = candidates(entry.state, entry.lexer)
            var readsWide: Bool?
            for byte in Self.bytesByPreference where byte != 0x22 && bytes.contains(byte) {
                if byte >= 0x80, entry.lexer.isBoundary, let automaton {
                    let reads = readsWide ?? reads(wide, automaton, entry.state)
                    readsWide = reads
                    if !reads { break }
                }
                if hasHeir, bound == level || (bound == level + 1 && isAtEnd) {
                    isPruned = true
                    break
                }
                work -= 1
                expansionSteps += 1
                if work <= 0 { return (texts, false) }
                guard let (next, lexer) = take(byte, entry.state, entry.lexer) else { continue }
                let rest = cost(next, lexer)
                guard rest < .infinite else { continue }
                let place = max(level, Int(entry.length) + 1 + rest - least)
                guard place < bound || (place == level && !hasHeir), place < 1 << 16 else {
                    isPruned = true
                    continue
                }
                if place == level { hasHeir = true }
                while waiting.count <= place { waiting.append([]) }
                waiting[place].append(Int32(entries.count))
                entries.append(Entry(state: next, lexer: lexer, parent: top, length: entry.length + 1, byte: byte))
                bound = Self.bound(of: waiting, from: level, missing)
            }
        }
        return (texts, !isPruned)
    }

    /// Whether a string can go on with a character of some classes.
    private func reads(_ classes: ClassSet?, _ automaton: Automaton, _ state: StringState) -> Bool {
        let source = Automaton.StateID(rawValue: state.automaton)
        guard let classes, source.rawValue >= 0 else { return true }
        return (0..<automaton.classCount).contains {
            classes.contains($0) && !automaton.transition(source, class: $0).isDead
        }
    }

    /// The first level by which enough texts wait: those of later levels are not needed; the last of all where there
    /// are not that many.
    static func bound(of waiting: [[Int32]], from level: Int, _ count: Int) -> Int {
        var sum = 0
        for place in level..<waiting.count {
            sum += waiting[place].count
            if sum >= count { return place }
        }
        return .max
    }

    /// All bytes, those of readable characters first.
    private static let bytesByPreference: [UInt8] =
        plainBytes + (UInt8.min...UInt8.max).filter { !plainBytes.contains($0) }
}
