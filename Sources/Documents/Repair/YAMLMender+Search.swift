// SPDX-License-Identifier: Apache-2.0

extension YAMLMender {
    private struct Level: Hashable {
        var indentation: Int
        var isSequence: Bool
    }

    /// One way to nest the lines so far.
    private struct State {
        var levels: [Level] = []
        /// Whether the last line waits for a value in deeper lines.
        var isOpen = false
        /// Whether the last value may go on in deeper lines.
        var mayGoOn = false
        /// Whether the document is a text, which nothing but text can follow.
        var isText = false
        var cost = 0
        /// The last change, in the list of all.
        var change: Int32 = -1
        /// The last change of another way to get here that costs the same.
        var other: Int32?

        /// What later lines see of it.
        struct Key: Hashable {
            var levels: [Level]
            var isOpen: Bool
            var mayGoOn: Bool
            var isText: Bool
        }

        /// Begins another document.
        mutating func clear() { (levels, isOpen, mayGoOn, isText) = ([], false, false, false) }

        var key: Key { Key(levels: levels, isOpen: isOpen, mayGoOn: mayGoOn, isText: isText) }
    }

    /// A change of one line, and the one before it.
    private struct Change {
        var previous: Int32
        /// The one before it on another way that costs the same.
        var other: Int32?
        var line: Int32
        var indentation: Int32
        var asEntry: Bool
        /// Whether the line is left out.
        var isDropped = false
    }

    private static let maximumChanges = 4_000_000
    /// The most other ways of the same cost that are looked at for each state in the end.
    private static let maximumVariants = 8

    func search() -> [(mends: [TextMend], cost: Int)] {
        var states = [State()]
        var changes: [Change] = []
        let content = lines.indices.filter { !lines[$0].isBlank && !lines[$0].isInside }
        for (position, index) in content.enumerated() {
            if lines[index].marker {
                for state in states.indices { states[state].clear() }
                continue
            }
            let next = position + 1 < content.count ? content[position + 1] : nil
            let previous = position > 0 ? content[position - 1] : nil
            // In the order in which they are found, so that the same text is always mended alike.
            var best: [State] = []
            var places: [State.Key: Int] = [:]
            func keep(_ state: State) {
                let place = places[state.key] ?? best.count
                places[state.key] = place
                if place == best.count {
                    best.append(state)
                } else if best[place].cost > state.cost {
                    best[place] = state
                } else if best[place].cost == state.cost, best[place].change != state.change {
                    // Which of them is meant must not be decided here.
                    best[place].other = best[place].other ?? state.change
                }
            }
            for state in states {
                for indentation in candidates(index, state, previous, next) {
                    for asEntry in entries[index].canBeEntry ? [false, true] : [false] {
                        guard var after = step(state, index, indentation, asEntry: asEntry, isLast: next == nil) else {
                            continue
                        }
                        let isMoved = indentation != lines[index].indentation || lines[index].tabs > 0
                        if isMoved || asEntry {
                            changes.append(
                                Change(
                                    previous: state.change, other: state.other, line: Int32(clamping: index),
                                    indentation: Int32(clamping: indentation), asEntry: asEntry))
                            after.change = Int32(clamping: changes.count - 1)
                            after.other = nil
                        }
                        keep(after)
                    }
                }
                // A word at the very end may be all that is left of a key.
                if next == nil, entries[index].isText, entries[index].asEntryIsOpen, !state.isOpen {
                    var after = state
                    after.cost += TextMend.ordinaryCost
                    changes.append(
                        Change(
                            previous: state.change, other: state.other, line: Int32(clamping: index), indentation: 0,
                            asEntry: false, isDropped: true))
                    after.change = Int32(clamping: changes.count - 1)
                    after.other = nil
                    keep(after)
                }
            }
            guard !best.isEmpty, changes.count < Self.maximumChanges else { return [] }
            let order = best.indices.sorted { (best[$0].cost, $0) < (best[$1].cost, $1) }
            states = order.prefix(Self.beam).map { best[$0] }
        }
        return states.prefix(Self.proposals).flatMap { state in
            Self.ways(to: state, changes).map { (proposal($0), state.cost) }
        }
    }

    /// The changes on the way to a state, by line, and those on others that cost the same.
    private static func ways(to state: State, _ changes: [Change]) -> [[Int: Change]] {
        func way(_ last: Int32, _ before: [Int: Change]) -> [Int: Change] {
            var chosen = before
            var at = last
            while at >= 0 {
                let change = changes[Int(at)]
                chosen[Int(change.line)] = change
                at = change.previous
            }
            return chosen
        }
        var result = [way(state.change, [:])]
        if let other = state.other { result.append(way(other, [:])) }
        var later: [Int: Change] = [:]
        var at = state.change
        while at >= 0, result.count <= maximumVariants {
            let change = changes[Int(at)]
            later[Int(change.line)] = change
            if let other = change.other { result.append(way(other, later)) }
            at = change.previous
        }
        return result
    }

    /// The indentations that a line may have been meant to have; its own first.
    private func candidates(_ index: Int, _ state: State, _ previous: Int?, _ next: Int?) -> [Int] {
        let line = lines[index]
        var found: [Int] = line.tabs == 0 ? [line.indentation] : []
        func add(_ value: Int) {
            if value >= 0, !found.contains(value) { found.append(value) }
        }
        for level in state.levels.reversed() { add(level.indentation) }
        let top = state.levels.last?.indentation ?? -unit
        if state.isOpen { add(top + unit) }
        for near in [previous, next].compactMap(\.self) where lines[near].tabs == 0 { add(lines[near].indentation) }
        if line.tabs > 0 { add(line.tabs * unit + line.indentation - line.tabs) }
        return found
    }

    /// The state after a line with an indentation; nil where the line cannot stand there.
    private func step(_ state: State, _ index: Int, _ indentation: Int, asEntry: Bool, isLast: Bool) -> State? {
        let line = lines[index]
        let entry = entries[index]
        var after = state
        if line.tabs > 0 {
            let meant = line.tabs * unit + line.indentation - line.tabs
            after.cost += TextMend.ordinaryCost + min(8, abs(meant - indentation))
        } else if indentation != line.indentation {
            after.cost += TextMend.ordinaryCost + min(8, abs(line.indentation - indentation))
        }
        if entry.isText, !asEntry {
            // The rest of a text above, or a text on lines of its own.
            guard state.mayGoOn || state.isOpen || state.levels.isEmpty else { return nil }
            if let top = state.levels.last, indentation <= top.indentation { return nil }
            // A line of its own where a key could be is likelier a key whose colon is missing.
            if state.isOpen, entry.canBeEntry, !entry.asEntryIsOpen { after.cost += 1 }
            if state.levels.isEmpty, !state.isText {
                after.cost += 5
                after.isText = true
            }
            after.isOpen = false
            after.mayGoOn = true
            return after
        }
        guard !state.isText else { return nil }
        let dashes = asEntry ? entry.entryDashes : entry.dashes
        let hasKey = asEntry ? entry.asEntryHasKey : entry.hasKey
        after.cost += (asEntry ? entry.asEntry : entry.mends).reduce(0) { $0 + $1.cost }
        if asEntry, entry.asEntryIsOpen, isLast { after.cost += 2 }
        guard place(indentation, isSequence: !dashes.isEmpty, isOpen: state.isOpen, &after) else { return nil }
        var column = indentation
        for (number, width) in dashes.enumerated() where width > 0 {
            column += width
            if number + 1 < dashes.count {
                after.levels.append(Level(indentation: column, isSequence: true))
            } else if hasKey {
                after.levels.append(Level(indentation: column, isSequence: false))
            }
        }
        after.isOpen = asEntry ? entry.asEntryIsOpen : entry.isOpen
        after.mayGoOn = asEntry ? !entry.asEntryIsOpen : entry.isPlain
        guard after.levels.count <= JSONMender.maximumDepth else { return nil }
        return after
    }

    /// Puts a key or a dash at a column; false where it cannot stand there.
    private func place(_ column: Int, isSequence: Bool, isOpen: Bool, _ state: inout State) -> Bool {
        guard let top = state.levels.last else {
            state.levels = [Level(indentation: column, isSequence: isSequence)]
            return true
        }
        if isOpen, column > top.indentation || column == top.indentation && isSequence && !top.isSequence {
            // A new block; one that is not a level deeper is unusual.
            if column > top.indentation, (column - top.indentation) % unit != 0 { state.cost += 1 }
            state.levels.append(Level(indentation: column, isSequence: isSequence))
            return true
        }
        while let last = state.levels.last, last.indentation > column { state.levels.removeLast() }
        // A sequence may stand at the column of the key that holds it.
        if !isSequence, let last = state.levels.last, last.indentation == column, last.isSequence {
            state.levels.removeLast()
        }
        guard let last = state.levels.last, last.indentation == column, last.isSequence == isSequence else {
            return false
        }
        return true
    }

    /// The changes of the text for changes of lines.
    private func proposal(_ chosen: [Int: Change]) -> [TextMend] {
        var mends: [TextMend] = []
        for index in lines.indices where !lines[index].isBlank && !lines[index].isInside && !lines[index].marker {
            let line = lines[index]
            let change = chosen[index]
            if change?.isDropped == true {
                mends.append(
                    TextMend(
                        "text.truncated", "the text ends inside of its last key, which is left out",
                        line.content..<line.range.upperBound, []))
                continue
            }
            mends +=
                change?.asEntry == true ? entries[index].asEntry : (entries[index].isText ? [] : entries[index].mends)
            guard let change, Int(change.indentation) != line.indentation || line.tabs > 0 else { continue }
            let wanted = Int(change.indentation)
            mends.append(
                TextMend(
                    line.tabs > 0 ? "yaml.tab" : "yaml.indentation",
                    line.tabs > 0
                        ? "the line is indented with a tab"
                        : "the line is indented by \(line.indentation) where \(wanted) is meant",
                    line.range.lowerBound..<line.content, [UInt8](repeating: 0x20, count: wanted)))
            // What belongs to the line moves with it.
            for inner in (index + 1)..<(index + 1 + line.tail)
            where inner < lines.count && lines[inner].content < lines[inner].range.upperBound {
                let moved = lines[inner].indentation + wanted - line.indentation
                if moved > 0, moved != lines[inner].indentation {
                    mends.append(
                        TextMend(
                            "yaml.indentation", "the line moves with the one that it belongs to",
                            lines[inner].range.lowerBound..<lines[inner].content,
                            [UInt8](repeating: 0x20, count: moved), cost: 0))
                }
            }
        }
        return mends
    }
}
