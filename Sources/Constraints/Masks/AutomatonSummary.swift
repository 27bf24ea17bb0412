// SPDX-License-Identifier: Apache-2.0

import Patterns

/// What the engine knows about the states of one automaton: which plain runs keep it alive, by classes of the trie.
final class AutomatonSummary {
    /// The states looked at for one summary.
    private static let regionLimit = 96
    /// The states looked at for a bound over all.
    private static let closureLimit = 2048

    let automaton: Automaton
    /// A number of its own among the automata of an engine.
    let number: UInt64
    /// By class of the automaton: the classes of the trie that share scalars with it.
    private var touching: [UInt64]
    private var summaries: [BodySummary] = [.none]
    /// By state: 0 if not known, else the index of the summary plus 1.
    private var indices: [UInt32] = []
    /// By state: the scalars of its shortest completion; -1 if not known, `Int32.max` if there is none.
    private var rests: UnsafeMutablePointer<Int32>
    private var capacity = 256
    private var alive: [Int32: UInt64] = [:]

    init(_ automaton: Automaton, number: Int) {
        self.automaton = automaton
        self.number = UInt64(number)
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
        rests = .allocate(capacity: capacity)
        rests.initialize(repeating: -1, count: capacity)
    }

    deinit { rests.deallocate() }

    @inline(__always)
    func isAlive(_ state: Automaton.StateID) -> Bool { shortest(state) < Int(Int32.max) }

    /// The scalars of the shortest completion; at least `Int32.max` if there is none.
    @inline(__always)
    func shortest(_ state: Automaton.StateID) -> Int {
        let raw = Int(state.rawValue)
        if raw < capacity {
            let known = rests[raw]
            if known >= 0 { return known == .max ? .max : Int(known) }
        }
        return workShortest(state)
    }

    @inline(never)
    private func workShortest(_ state: Automaton.StateID) -> Int {
        let raw = Int(state.rawValue)
        if raw >= capacity {
            var larger = capacity
            while larger <= raw { larger *= 2 }
            let replacement = UnsafeMutablePointer<Int32>.allocate(capacity: larger)
            replacement.initialize(from: rests, count: capacity)
            (replacement + capacity).initialize(repeating: -1, count: larger - capacity)
            rests.deallocate()
            rests = replacement
            capacity = larger
        }
        var result = Int.max
        if !state.isDead, automaton.liveness(state) == .alive, let length = automaton.shortestLength(state) {
            result = min(length, Int(Int32.max) - 1)
        }
        rests[raw] = Int32(clamping: result)
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

    /// Whether a scalar leads from a state back to it.
    private func canRepeat(_ state: Automaton.StateID) -> Bool {
        guard isAlive(state) else { return false }
        return (0..<automaton.classCount).contains { automaton.transition(state, class: $0) == state }
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

    /// The scalars of the longest shortest completion of any state; nil if there are too many states to tell.
    lazy var longestRest: Int? = {
        var seen: Set<Int32> = [automaton.start.rawValue]
        var queue = [automaton.start]
        var head = 0
        var longest = 0
        while head < queue.count {
            guard queue.count <= AutomatonSummary.closureLimit else { return nil }
            let state = queue[head]
            head += 1
            guard isAlive(state) else { continue }
            longest = max(longest, shortest(state))
            for number in 0..<automaton.classCount {
                let target = automaton.transition(state, class: number)
                if !target.isDead, seen.insert(target.rawValue).inserted { queue.append(target) }
            }
        }
        return longest
    }()

    /// Explores by number of scalars.
    ///
    /// The first pair of the result has all classes alive at once and holds as far as those stay alive; the second
    /// gives up classes for longer runs: where its region closes, for runs of any length.
    private func work(_ start: Automaton.StateID) -> BodySummary {
        var classes = aliveClasses(start)
        guard classes != 0 else { return .none }
        var result = BodySummary()
        var visits = 0
        // The longest rest of any state looked at; no run within a summary leads to another one.
        var longest = shortest(start)
        var canWait = canRepeat(start)
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
                        longest = max(longest, shortest(target))
                        canWait = canWait && canRepeat(target)
                    }
                    if visits > AutomatonSummary.regionLimit {
                        // The states after the last scalar are not all known.
                        if depth > 1 { depth -= 1 } else { longest = .max }
                        break exploring
                    }
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
        result.longestRest = longest
        result.canWait = canWait
        if result.classes & ScalarClasses.beyondASCII == ScalarClasses.beyondASCII {
            result.classes |= ScalarClasses.partial
        }
        if result.fewerClasses & ScalarClasses.beyondASCII == ScalarClasses.beyondASCII {
            result.fewerClasses |= ScalarClasses.partial
        }
        return result
    }
}
