// SPDX-License-Identifier: Apache-2.0

import Patterns

/// What the engine knows about the states of one automaton: which plain runs keep it alive, by classes of the trie.
final class AutomatonSummary {
    /// The states looked at for one summary.
    private static let regionLimit = 96

    let automaton: Automaton
    /// By class of the automaton: the classes of the trie that share scalars with it.
    private var touching: [UInt64]
    /// The classes of the trie that an automaton class may be in at all.
    private var summaries: [BodySummary] = [.none]
    /// By state: 0 if not known, else the index of the summary plus 1.
    private var indices: [UInt32] = []
    /// By state: 0 if not known, 1 if alive, 2 if not.
    private var lives: UnsafeMutablePointer<UInt8>
    private var capacity = 256
    private var alive: [Int32: UInt64] = [:]

    init(_ automaton: Automaton) {
        self.automaton = automaton
        touching = [UInt64](repeating: 0, count: automaton.classCount)
        for (number, ranges) in ScalarClasses.ranges.enumerated() {
            let bit = UInt64(1) << UInt64(number)
            guard ScalarClasses.plain & bit != 0 else { continue }
            for range in ranges {
                let classes = automaton.classes(inScalarRange: range)
                for (index, var word) in classes.words.enumerated() {
                    while word != 0 {
                        touching[index << 6 | word.trailingZeroBitCount] |= bit
                        word &= word &- 1
                    }
                }
            }
        }
        lives = .allocate(capacity: capacity)
        lives.initialize(repeating: 0, count: capacity)
    }

    deinit { lives.deallocate() }

    @inline(__always)
    func isAlive(_ state: Automaton.StateID) -> Bool {
        let raw = Int(state.rawValue)
        if raw < capacity {
            let known = lives[raw]
            if known != 0 { return known == 1 }
        }
        return workLife(state)
    }

    @inline(never)
    private func workLife(_ state: Automaton.StateID) -> Bool {
        let raw = Int(state.rawValue)
        if raw >= capacity {
            var larger = capacity
            while larger <= raw { larger *= 2 }
            let replacement = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
            replacement.initialize(from: lives, count: capacity)
            (replacement + capacity).initialize(repeating: 0, count: larger - capacity)
            lives.deallocate()
            lives = replacement
            capacity = larger
        }
        let result = !state.isDead && automaton.liveness(state) == .alive
        lives[raw] = result ? 1 : 2
        return result
    }

    /// The classes of the trie of which every scalar keeps the automaton alive.
    private func aliveClasses(_ state: Automaton.StateID) -> UInt64 {
        if let known = alive[state.rawValue] { return known }
        var result = ScalarClasses.plain
        for (number, bits) in touching.enumerated() where bits & result != 0 {
            if !isAlive(automaton.transition(state, class: number)) { result &= ~bits }
        }
        alive[state.rawValue] = result
        return result
    }

    /// The runs that are viable from `state`, however long a string may be.
    func summary(of state: Automaton.StateID) -> BodySummary {
        let raw = Int(state.rawValue)
        if raw < indices.count, indices[raw] != 0 { return summaries[Int(indices[raw]) - 1] }
        let result = work(state)
        if raw >= indices.count {
            indices.append(contentsOf: repeatElement(0, count: max(raw + 1, indices.count * 2) - indices.count))
        }
        summaries.append(result)
        indices[raw] = UInt32(summaries.count)
        return result
    }

    /// Explores by number of scalars.
    ///
    /// The first pair of the result has all classes alive at once and holds as far as those stay alive; the second gives up classes for
    /// longer runs: where its region closes, for runs of any length.
    private func work(_ start: Automaton.StateID) -> BodySummary {
        var classes = aliveClasses(start)
        guard classes != 0 else { return .none }
        var result = BodySummary()
        var visits = 0
        while classes != 0 {
            var seen: Set<Int32> = [start.rawValue]
            var layer = [start]
            var depth = 1
            var narrower = classes
            exploring: while true {
                var next: [Automaton.StateID] = []
                for state in layer {
                    for (number, bits) in touching.enumerated() where bits & classes != 0 {
                        let target = automaton.transition(state, class: number)
                        guard seen.insert(target.rawValue).inserted else { continue }
                        next.append(target)
                        visits += 1
                        narrower &= aliveClasses(target)
                    }
                    if visits > AutomatonSummary.regionLimit { break exploring }
                }
                if next.isEmpty {
                    depth = .max
                    break
                }
                if narrower != classes { break }
                depth += 1
                layer = next
            }
            let isFirst = result.classes == 0
            if isFirst {
                result = BodySummary(classes: classes, scalars: depth)
            } else if depth > result.moreScalars {
                result.fewerClasses = classes
                result.moreScalars = depth
            }
            if depth == .max || narrower == classes || visits > AutomatonSummary.regionLimit { break }
            classes = narrower
        }
        if result.classes & ScalarClasses.beyondASCII == ScalarClasses.beyondASCII {
            result.classes |= ScalarClasses.partial
        }
        if result.fewerClasses & ScalarClasses.beyondASCII == ScalarClasses.beyondASCII {
            result.fewerClasses |= ScalarClasses.partial
        }
        return result
    }

    /// Whether a scalar of the range keeps the automaton alive.
    func canBegin(_ range: ClosedRange<UInt32>, from state: Automaton.StateID) -> Bool {
        let classes = automaton.classes(inScalarRange: range)
        for (index, var word) in classes.words.enumerated() {
            while word != 0 {
                let target = automaton.transition(state, class: index << 6 | word.trailingZeroBitCount)
                if isAlive(target) { return true }
                word &= word &- 1
            }
        }
        return false
    }
}
