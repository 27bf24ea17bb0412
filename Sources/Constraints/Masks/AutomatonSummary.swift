// SPDX-License-Identifier: Apache-2.0

import Patterns

/// What the engine knows about the states of one automaton: which plain runs keep it alive, by classes of the trie.
///
/// It stays with the automaton, whoever uses it next.
final class AutomatonSummary {
    /// The states looked at for one summary.
    private static let regionLimit = 128
    /// The states looked at for a bound over all.
    private static let closureLimit = 2048

    /// The states that one walk over tokens gets to know.
    private static let walkLimit = 8_192
    /// The transitions of all of them together.
    private static let walkTransitions = 400_000

    /// The automaton, which owns its summary.
    unowned let automaton: Automaton
    /// By class of the automaton: the classes of the trie that share scalars with it.
    @exclusivity(unchecked) private var touching: [UInt64]
    /// The classes of the automaton that share any.
    private var plainClasses: [Int] = []
    @exclusivity(unchecked) private var summaries: ContiguousArray<BodySummary> = [.none]
    /// What is known about each state.
    @exclusivity(unchecked) private(set) var facts: UnsafeMutablePointer<StateFacts>
    @exclusivity(unchecked) private var capacity = 256
    /// By state and vocabulary: the most scalars that a token and the shortest rest after it have together.
    @exclusivity(unchecked) private var reaches: [UInt64: Int] = [:]
    /// The classes that a character can have after some of its bytes.
    @exclusivity(unchecked) private var lexerClasses: [UInt32: ClassSet] = [:]
    /// The tokens of content that are viable from a state, by vocabulary.
    @exclusivity(unchecked) private var contentMasks: [UInt64: MaskCache] = [:]
    /// The most bytes for the content masks of one vocabulary.
    private static let contentLimit = 4 << 20

    @exclusivity(unchecked) private var currentWalk: UInt32 = 0
    @exclusivity(unchecked) private var walkedStates = 0
    /// The last look at a region.
    @exclusivity(unchecked) private var currentLook: UInt32 = 0

    /// The summary of an automaton, new if it has none yet.
    static func of(_ automaton: Automaton) -> AutomatonSummary {
        if let known = automaton.annex { return unsafeDowncast(known, to: AutomatonSummary.self) }
        let summary = AutomatonSummary(automaton)
        automaton.annex = summary
        return summary
    }

    private init(_ automaton: Automaton) {
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
        facts = .allocate(capacity: capacity)
        facts.initialize(repeating: StateFacts(), count: capacity)
        plainClasses = touching.indices.filter { touching[$0] != 0 }
    }

    deinit { facts.deallocate() }

    /// Makes room for what is known about a state.
    @inline(__always)
    private func reserve(_ raw: Int) {
        if raw >= capacity { grow(raw) }
    }

    @inline(never)
    private func grow(_ raw: Int) {
        var larger = capacity
        while larger <= raw { larger *= 2 }
        let replacement = UnsafeMutablePointer<StateFacts>.allocate(capacity: larger)
        replacement.initialize(from: facts, count: capacity)
        (replacement + capacity).initialize(repeating: StateFacts(), count: larger - capacity)
        facts.deallocate()
        facts = replacement
        capacity = larger
    }

    /// About how many bytes the summary takes.
    var byteCount: Int {
        contentMasks.values.reduce(capacity * MemoryLayout<StateFacts>.stride + summaries.count * 56) {
            $0 + $1.byteCount
        }
    }

    /// The masks of content over a vocabulary, by state.
    func contentMasks(_ vocabulary: TokenVocabulary) -> MaskCache {
        if let known = contentMasks[vocabulary.number] { return known }
        let cache = MaskCache(wordCapacity: vocabulary.wordCapacity, byteLimit: Self.contentLimit)
        contentMasks[vocabulary.number] = cache
        return cache
    }

    /// Begins a walk over tokens.
    func beginWalk() {
        currentWalk &+= 1
        walkedStates = 0
    }

    /// Whether a walk may get to know a state: one of the first so many that it meets.
    ///
    /// Tokens beyond are not offered. The single bytes always are, so that no text ends there.
    @inline(__always)
    func admits(_ state: Automaton.StateID) -> Bool {
        let raw = Int(state.rawValue)
        if raw < capacity, facts[raw].walk == currentWalk { return true }
        return admitNew(raw)
    }

    @inline(never)
    private func admitNew(_ raw: Int) -> Bool {
        // Each state costs a look at all its classes.
        guard walkedStates < max(64, min(Self.walkLimit, Self.walkTransitions / automaton.classCount)) else {
            return false
        }
        walkedStates += 1
        reserve(raw)
        facts[raw].walk = currentWalk
        return true
    }

    /// The scalars that complete the text from any state one scalar further, at most.
    func longestNext(_ state: Automaton.StateID) -> Int {
        _ = beginnings(state)
        return Int(facts[Int(state.rawValue)].longestNext)
    }

    /// The most scalars that a token from a state and the shortest rest after it have together; nil if not known yet.
    func reach(_ state: Automaton.StateID, _ vocabulary: TokenVocabulary) -> Int? {
        reaches[UInt64(UInt32(bitPattern: state.rawValue)) | vocabulary.number << 32]
    }

    func setReach(_ state: Automaton.StateID, _ vocabulary: TokenVocabulary, _ reach: Int) {
        reaches[UInt64(UInt32(bitPattern: state.rawValue)) | vocabulary.number << 32] = reach
    }

    /// The bytes that may come next in a string without bounds on its length.
    @inline(__always)
    func beginnings(_ state: Automaton.StateID) -> ByteSet {
        let raw = Int(state.rawValue)
        if raw < capacity, facts[raw].knowsBeginnings { return facts[raw].beginnings }
        return workBeginnings(state)
    }

    @inline(never)
    private func workBeginnings(_ state: Automaton.StateID) -> ByteSet {
        let raw = Int(state.rawValue)
        var viable = ClassSet(capacity: automaton.classCount)
        var longest = 0
        for number in automaton.classesOnward(state) {
            let target = automaton.transition(state, class: number)
            guard isAlive(target) else { continue }
            viable.insert(number)
            longest = max(longest, shortest(target))
        }
        var set = ByteSet()
        for byte: UInt8 in 0x20...0x7F where viable.contains(Int(automaton.asciiClass[Int(byte)])) { set.insert(byte) }
        set.remove(0x22)
        set.remove(0x5C)
        if automaton.isAccepting(state) { set.insert(0x22) }
        if viable.intersects(classes(after: .backslash)) { set.insert(0x5C) }
        for byte: UInt8 in 0xC2...0xF4 {
            if case .more(let lexer) = StringLexer.boundary.read(byte), viable.intersects(classes(after: lexer)) {
                set.insert(byte)
            }
        }
        reserve(raw)
        facts[raw].beginnings = set
        facts[raw].longestNext = Int32(clamping: longest)
        facts[raw].knowsBeginnings = true
        return set
    }

    /// The classes that a character can have after some of its bytes.
    func classes(after lexer: StringLexer) -> ClassSet {
        if let known = lexerClasses[lexer.rawValue] { return known }
        var classes = ClassSet(capacity: automaton.classCount)
        if let escapes = lexer.escapes {
            for scalar in escapes { classes.insert(automaton.classOf(scalar: scalar)) }
        } else if let range = lexer.scalars {
            classes = automaton.classes(inScalarRange: range)
        }
        lexerClasses[lexer.rawValue] = classes
        return classes
    }

    @inline(__always)
    func isAlive(_ state: Automaton.StateID) -> Bool { shortest(state) < Int(Int32.max) }

    /// The scalars of the shortest completion; at least `Int32.max` if there is none.
    @inline(__always)
    func shortest(_ state: Automaton.StateID) -> Int {
        let raw = Int(state.rawValue)
        if raw < capacity {
            let known = facts[raw].shortest
            if known >= 0 { return known == .max ? .max : Int(known) }
        }
        return workShortest(state)
    }

    @inline(never)
    private func workShortest(_ state: Automaton.StateID) -> Int {
        let raw = Int(state.rawValue)
        var result = Int.max
        if !state.isDead, automaton.liveness(state) == .alive, let length = automaton.shortestLength(state) {
            result = min(length, Int(Int32.max) - 1)
        }
        reserve(raw)
        facts[raw].shortest = Int32(clamping: result)
        return result
    }

    /// The classes of the trie of which every scalar keeps the automaton alive.
    private func aliveClasses(_ state: Automaton.StateID) -> UInt64 {
        let raw = Int(state.rawValue)
        if raw < capacity, facts[raw].knowsAlive { return facts[raw].alive }
        var result = ScalarClasses.plain
        for number in plainClasses where touching[number] & result != 0 {
            if !isAlive(automaton.transition(state, class: number)) { result &= ~touching[number] }
        }
        reserve(raw)
        facts[raw].alive = result
        facts[raw].knowsAlive = true
        return result
    }

    /// Whether a scalar leads from a state back to it.
    private func canRepeat(_ state: Automaton.StateID) -> Bool {
        guard isAlive(state) else { return false }
        return (0..<automaton.classCount).contains { automaton.transition(state, class: $0) == state }
    }

    /// The summary of a state where it is known already, or worth it for a subtree of so many nodes.
    func summary(of state: Automaton.StateID, nodes: Int) -> BodySummary {
        let raw = Int(state.rawValue)
        if raw < capacity, facts[raw].summary != 0 { return summaries[Int(facts[raw].summary) - 1] }
        return nodes > 64 ? summary(of: state) : .none
    }

    /// The runs that are viable from `state`, however long a string may be.
    func summary(of state: Automaton.StateID) -> BodySummary {
        // Within a text no two places are alike: nothing is gained by looking ahead.
        if automaton.usesReference { return .none }
        let raw = Int(state.rawValue)
        if raw < capacity, facts[raw].summary != 0 { return summaries[Int(facts[raw].summary) - 1] }
        let result = work(state)
        reserve(raw)
        summaries.append(result)
        facts[raw].summary = UInt32(summaries.count)
        return result
    }

    /// The scalars of the longest shortest completion of any state; nil if there are too many states to tell.
    lazy var longestRest: Int? = {
        if automaton.usesReference { return nil }
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

    /// How much of a vocabulary's text a class of the trie stands for, roughly: letters first.
    private static func weight(_ classes: UInt64) -> Int {
        let small: UInt64 = 1 << 6 | 1 << 7
        let large: UInt64 = 1 << 8 | 1 << 9
        let others = (classes & ~(small | large)).nonzeroBitCount
        return (classes & small).nonzeroBitCount * 64 + (classes & large).nonzeroBitCount * 32
            + (classes & (1 << 5 | 1 << 11)).nonzeroBitCount * 8 + others
    }

    /// Explores by number of scalars.
    ///
    /// The first pair of the result has all classes alive at once and holds as far as those stay alive; the second
    /// gives up classes for longer runs. Where a class leads to a state in which others die, either it or they are
    /// given up, whichever is less text: in a URI the percent sign, after which only digits may come.
    private func work(_ start: Automaton.StateID) -> BodySummary {
        let classes = aliveClasses(start)
        guard classes != 0 else { return .none }
        var result = BodySummary()
        var region = Region(longest: shortest(start), canWait: canRepeat(start))
        result.classes = classes
        (result.scalars, result.endsDead) = explore(start, classes, &region)
        if result.scalars < .max {
            var kept = classes
            // Each round gives up a class at least.
            while kept != 0, let narrower = conflict(start, kept) { kept = narrower }
            if kept != 0, kept != classes {
                result.fewerClasses = kept
                (result.moreScalars, result.fewerEndDead) = explore(start, kept, &region)
                if result.moreScalars <= result.scalars { (result.fewerClasses, result.moreScalars) = (0, 0) }
            }
        }
        result.longestRest = region.longest
        result.canWait = region.canWait
        if result.classes & ScalarClasses.beyondASCII == ScalarClasses.beyondASCII {
            result.classes |= ScalarClasses.partial
        }
        if result.fewerClasses & ScalarClasses.beyondASCII == ScalarClasses.beyondASCII {
            result.fewerClasses |= ScalarClasses.partial
        }
        return result
    }

    /// What is known about all states looked at for a summary: no run within it leads to another one.
    private struct Region {
        var longest: Int
        var canWait: Bool
    }

    /// The number of scalars of the given classes that keep the automaton alive in any order, `Int.max` for any number;
    /// and whether one more is dead whatever they are.
    private func explore(
        _ start: Automaton.StateID, _ classes: UInt64, _ region: inout Region
    ) -> (scalars: Int, endsDead: Bool) {
        beginLook()
        _ = isNew(start, depth: 0)
        let numbers = plainClasses.filter { touching[$0] & classes != 0 }
        var layer = [start]
        var depth = 1
        var visits = 0
        // Whether each state was met after one number of scalars only.
        var isStrict = true
        while true {
            var next: [Automaton.StateID] = []
            var isClosed = true
            for state in layer {
                for number in numbers {
                    let target = automaton.transition(state, class: number)
                    guard isNew(target, depth: depth) else {
                        isStrict = isStrict && Int(facts[Int(target.rawValue)].layer) == depth
                        continue
                    }
                    next.append(target)
                    visits += 1
                    if classes & ~aliveClasses(target) != 0 { isClosed = false }
                    region.longest = max(region.longest, shortest(target))
                    region.canWait = region.canWait && canRepeat(target)
                }
                if visits > AutomatonSummary.regionLimit {
                    // The states after the last scalar are not all known.
                    if depth > 1 { return (depth - 1, false) }
                    region.longest = .max
                    return (depth, false)
                }
            }
            if next.isEmpty { return (.max, false) }
            if !isClosed { return (depth, isStrict && next.allSatisfy { endsAll($0, classes) }) }
            depth += 1
            layer = next
        }
    }

    /// Begins a look at a region.
    private func beginLook() { currentLook &+= 1 }

    /// Whether a state is met for the first time in this look, after so many scalars.
    @inline(__always)
    private func isNew(_ state: Automaton.StateID, depth: Int) -> Bool {
        let raw = Int(state.rawValue)
        reserve(raw)
        if facts[raw].look == currentLook { return false }
        facts[raw].look = currentLook
        facts[raw].layer = UInt16(clamping: depth)
        return true
    }

    /// Whether no scalar of the classes keeps the automaton alive.
    private func endsAll(_ state: Automaton.StateID, _ classes: UInt64) -> Bool {
        for number in plainClasses where touching[number] & classes != 0 {
            if isAlive(automaton.transition(state, class: number)) { return false }
        }
        return true
    }

    /// Fewer classes where runs of the given ones do not keep the automaton alive; nil where they do as far as can be
    /// seen.
    private func conflict(_ start: Automaton.StateID, _ classes: UInt64) -> UInt64? {
        beginLook()
        _ = isNew(start, depth: 0)
        let numbers = plainClasses.filter { touching[$0] & classes != 0 }
        var queue = [start]
        var head = 0
        while head < queue.count, queue.count <= AutomatonSummary.regionLimit {
            let state = queue[head]
            head += 1
            for number in numbers {
                let target = automaton.transition(state, class: number)
                guard isNew(target, depth: 0) else { continue }
                let missing = classes & ~aliveClasses(target)
                if missing != 0 {
                    let own = touching[number] & classes
                    return Self.weight(own) <= Self.weight(missing) ? classes & ~own : classes & ~missing
                }
                queue.append(target)
            }
        }
        return nil
    }
}

/// What is known about a state of an automaton; each fact is worked out when first asked for.
struct StateFacts {
    /// The bytes that a viable character can begin with, and the quote where the text may end.
    var beginnings = ByteSet()
    /// The classes of the trie of which every scalar keeps the automaton alive.
    var alive: UInt64 = 0
    /// The scalars of the shortest completion; -1 if not known, `Int32.max` if there is none.
    var shortest: Int32 = -1
    /// With ``beginnings``: the scalars of the longest of the shortest completions after one more scalar.
    var longestNext: Int32 = 0
    /// 0 if not known, else the index of the summary plus 1.
    var summary: UInt32 = 0
    /// The last walk that got to know the state.
    var walk: UInt32 = 0
    /// The last look at a region that met the state, and after how many scalars.
    var look: UInt32 = 0
    var layer: UInt16 = 0
    var knowsBeginnings = false
    var knowsAlive = false
}
