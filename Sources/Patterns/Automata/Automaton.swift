// SPDX-License-Identifier: Apache-2.0

/// Whether a residual language has a text that is asked for.
package enum Liveness: Hashable, Sendable {
    /// There is one.
    case alive
    /// There is none.
    case dead
    /// The search ran into its limit.
    case unknown
}

/// A deterministic automaton over classes of Unicode scalars for one language, built as it is used.
///
/// States are residual languages; state 0 is the empty one. Not safe for use from two threads at once: the owner
/// synchronises. Nothing depends on time or on hash seeds: the same calls give the same states.
///
///     let automaton = try Automaton(.pattern(try Pattern("^ab?$")))
///     let state = automaton.transition(automaton.start, scalar: "a")
///     automaton.isAccepting(state)   // true
///
/// - Invariant: state ids stay valid for the life of the automaton.
package final class Automaton {
    /// A state of one automaton.
    package struct StateID: Hashable, Sendable {
        package var rawValue: Int32

        @inlinable package init(rawValue: Int32) { self.rawValue = rawValue }

        /// The state of the empty language.
        package static let dead = StateID(rawValue: 0)
        @inlinable package var isDead: Bool { rawValue == 0 }
    }

    /// Bounds on the work of one automaton; all are counts.
    package struct Limits: Hashable, Sendable {
        /// States, of which each takes four bytes per class.
        package var maximumStates = 1 << 18
        /// Terms in the store.
        package var maximumTerms = 1 << 21
        /// States visited by one search for a text.
        package var explorationBudget = 20_000
        /// Operations on terms in one search for a text.
        package var workBudget = 120_000
        /// A budget of that many operations is none.
        package static let unlimited = 1 << 40
        /// Scalars in a witness.
        package var maximumWitness = 1 << 20

        package init() {}
    }

    /// The state before the first scalar.
    package let start: StateID
    /// How many classes of scalars the language distinguishes.
    package let classCount: Int
    /// How many classes have their place in the transition table: all, or none where the language has substrings of a
    /// text. There each scalar of the text is a class, and almost all transitions are dead: they are worked out each
    /// time.
    @usableFromInline let rowWidth: Int
    /// The class of each ASCII scalar.
    package let asciiClass: [UInt8]
    /// Whether a limit was hit: transitions beyond it lead to the dead state.
    @exclusivity(unchecked) package private(set) var isOverflowing = false
    /// The bounds this automaton was made with.
    package let limits: Limits

    let classes: ScalarClasses
    let store: TermStore
    @exclusivity(unchecked) var derivatives: Derivatives

    @exclusivity(unchecked) var stateTerms: [TermID] = []
    @exclusivity(unchecked) private var stateContexts: [Int32] = []
    @exclusivity(unchecked) private var contexts: [[TermID]] = [[]]
    private var contextIndex: [[TermID]: Int32] = [[]: 0]
    private let stateIndex = WordTable()
    @exclusivity(unchecked) private(set) var acceptance: [Bool] = []
    @usableFromInline @exclusivity(unchecked) internal private(set) var rows: UnsafeMutablePointer<Int32>
    private var rowCapacity: Int

    /// What an owner keeps with the automaton.
    @exclusivity(unchecked) package var annex: AnyObject?
    /// Whether a search was given up, so that answers may depend on what was asked before.
    @exclusivity(unchecked) package internal(set) var hasGivenUp = false

    /// How many searches were given up.
    @exclusivity(unchecked) var giveUps = 0

    // Memos of Automaton+Search.swift.
    @exclusivity(unchecked) var infiniteMemo: [Int32: Bool] = [:]
    @exclusivity(unchecked) var livenessMemo: [UInt8] = []
    @exclusivity(unchecked) var shortestMemo: [Int] = []
    @exclusivity(unchecked) var costMemo: [Int] = []
    /// Bounds on the scalars and bytes of shortest continuations, of states on ways that a search has found.
    @exclusivity(unchecked) var lengthMemo: [Int32: Int] = [:]
    @exclusivity(unchecked) var bytesMemo: [Int32: Int] = [:]
    @exclusivity(unchecked) var windowMemo: [Window: Liveness] = [:]
    @exclusivity(unchecked) var liveClassMemo: [Int32: ClassSet] = [:]
    /// The shortest texts of at least a length, in scalars, where the language is finite.
    @exclusivity(unchecked) var finiteMemo: [Window: Int] = [:]
    /// Their least bytes, and the longest texts of states.
    @exclusivity(unchecked) var finiteCosts: [Window: Int] = [:]
    @exclusivity(unchecked) var longestMemo: [Int32: Int] = [:]
    @exclusivity(unchecked) var visitMarks: [Int32] = []
    @exclusivity(unchecked) var visitRound: Int32 = 0
    /// Classes with cheap and readable samples first.
    let classesByPreference: [Int]

    struct Window: Hashable {
        var state: Int32
        var least: Int
        var most: Int
    }

    /// Compiles a language.
    ///
    /// - Parameters:
    ///   - language: The texts.
    ///   - limits: Bounds on the work.
    ///   - spelling: How the texts will be written: what counts as a short one.
    /// - Throws: ``PatternError`` if it uses what cannot be expressed, or exceeds the limits.
    package init(
        _ language: Language, limits: Limits = Limits(), spelling: TextSpelling = .json
    ) throws(PatternError) {
        var limits = limits
        // Few states have more than one way on.
        if language.usesReference { limits.maximumStates = max(limits.maximumStates, 1 << 20) }
        self.limits = limits
        let store = TermStore(maximumTerms: limits.maximumTerms, spelling: spelling)
        store.mayLookBehind = language.looksBehind
        var compiler = TermCompiler(store: store)
        let root = try compiler.compile(language)
        guard !store.overflowed else {
            throw PatternError(code: .tooComplex, message: "the language needs too many terms")
        }
        self.store = store
        classes = ScalarClasses(store.sets, spelling)
        derivatives = Derivatives(store: store, classes: classes)
        classCount = classes.count
        rowWidth = store.reference == nil ? classes.count : 0
        asciiClass = classes.ascii
        classesByPreference = Self.order(classes)
        rowCapacity = 16
        rows = .allocate(capacity: rowCapacity * rowWidth)
        start = StateID(rawValue: root == TermStore.nothing ? 0 : 1)
        _ = state(TermStore.nothing, [])
        for scalarClass in 0..<rowWidth { rows[scalarClass] = 0 }
        if root != TermStore.nothing { _ = state(root, store.lookbehinds) }
    }

    /// A smaller automaton for the same language that starts with a few states of a larger one.
    private init(reducing other: Automaton, to states: [StateID]) {
        limits = other.limits
        store = TermStore(maximumTerms: limits.maximumTerms, spelling: other.store.spelling)
        var copy = TermCopy(from: other.store, to: store)
        let pairs = states.map { state in
            let index = Int(state.rawValue)
            let context = other.contexts[Int(other.stateContexts[index])]
            return (term: copy.copy(other.stateTerms[index]), context: context.map { copy.copy($0) })
        }
        classes = other.classes
        derivatives = Derivatives(store: store, classes: classes)
        classCount = other.classCount
        rowWidth = other.rowWidth
        asciiClass = other.asciiClass
        classesByPreference = other.classesByPreference
        rowCapacity = 16
        rows = .allocate(capacity: rowCapacity * rowWidth)
        start = StateID(rawValue: pairs.first?.term ?? 0 == TermStore.nothing ? 0 : 1)
        _ = state(TermStore.nothing, [])
        for scalarClass in 0..<rowWidth { rows[scalarClass] = 0 }
        for pair in pairs { _ = state(pair.term, pair.context) }
    }

    /// A new automaton for the same language without the states made so far, and the current state in it.
    func reduced(at current: StateID) -> (automaton: Automaton, current: StateID) {
        let smaller = Automaton(reducing: self, to: [start, current])
        let index = Int(current.rawValue)
        var copy = TermCopy(from: store, to: smaller.store)
        let context = contexts[Int(stateContexts[index])].map { copy.copy($0) }
        return (smaller, StateID(rawValue: smaller.state(copy.copy(stateTerms[index]), context)))
    }

    deinit { rows.deallocate() }

    // MARK: Classes

    /// The class of a scalar value.
    @inline(__always)
    package func classOf(scalar: UInt32) -> Int { classes.classOf(scalar) }

    /// The classes that have a scalar in the range.
    package func classes(inScalarRange range: ClosedRange<UInt32>) -> ClassSet {
        var result = ClassSet(capacity: classCount)
        classes.forEachClass(range.lowerBound, range.upperBound) { result.insert($0) }
        return result
    }

    /// A readable scalar of a class with the shortest JSON spelling.
    package func sample(ofClass scalarClass: Int) -> Unicode.Scalar {
        Unicode.Scalar(classes.samples[scalarClass]) ?? "a"
    }

    // MARK: Transitions

    /// About how many bytes the automaton takes.
    package var byteCount: Int {
        stateTerms.count * (rowWidth * 4 + 96) + store.terms.count * 96 + windowMemo.count * 64
            + derivatives.partitions.byteCount
            + liveClassMemo.count * 64
    }

    /// How many states exist so far.
    package var stateCount: Int { stateTerms.count }

    /// The state after one scalar of the class.
    ///
    /// - Complexity: one load once computed.
    @inlinable @inline(__always)
    package func transition(_ state: StateID, class scalarClass: Int) -> StateID {
        guard scalarClass < rowWidth else { return computeTransition(state, scalarClass) }
        let known = rows[Int(state.rawValue) &* rowWidth &+ scalarClass]
        return known >= 0 ? StateID(rawValue: known) : computeTransition(state, scalarClass)
    }

    /// The state after one scalar.
    @inline(__always)
    package func transition(_ state: StateID, scalar: Unicode.Scalar) -> StateID {
        transition(state, class: classes.classOf(scalar.value))
    }

    /// Whether the text so far belongs to the language.
    @inline(__always)
    package func isAccepting(_ state: StateID) -> Bool { acceptance[Int(state.rawValue)] }

    /// Whether every continuation of the text so far belongs to the language.
    package func acceptsEverything(_ state: StateID) -> Bool {
        stateTerms[Int(state.rawValue)] == TermStore.everything
    }

    /// Whether the text belongs to the language.
    package func matches(_ text: String) -> Bool {
        var state = start
        for scalar in text.unicodeScalars {
            state = transition(state, scalar: scalar)
            if state.isDead { return false }
        }
        return isAccepting(state)
    }

    @usableFromInline @inline(never)
    internal func computeTransition(_ from: StateID, _ scalarClass: Int) -> StateID {
        let source = Int(from.rawValue)
        if rowWidth == 0 {
            if from.isDead { return .dead }
            // Most classes do not continue the text.
            let place = substringState(stateTerms[source])
            if place >= 0, let reference = store.reference, reference.step(place, classes.samples[scalarClass]) < 0 {
                return .dead
            }
        }
        let context = contexts[Int(stateContexts[source])]
        let term = derivatives.derive(stateTerms[source], scalarClass, context)
        var nextContext: [TermID] = []
        if store.flags(term).contains(.contextual) {
            nextContext = context.map { derivatives.derive($0, scalarClass, context) }
        }
        let target = store.overflowed ? 0 : state(term, nextContext)
        if store.overflowed { isOverflowing = true }
        if rowWidth > 0 {
            if nextContext.isEmpty, context.isEmpty {
                let row = rows + source * rowWidth
                derivatives.partitions.forEachLike(stateTerms[source], scalarClass) { row[$0] = target }
            } else {
                rows[source * rowWidth + scalarClass] = target
            }
        }
        return StateID(rawValue: target)
    }

    private func state(_ term: TermID, _ context: [TermID]) -> Int32 {
        var contextNumber: Int32 = 0
        if store.flags(term).contains(.contextual) {
            if let known = contextIndex[context] {
                contextNumber = known
            } else {
                contextNumber = Int32(contexts.count)
                contexts.append(context)
                contextIndex[context] = contextNumber
            }
        }
        let key = UInt64(UInt32(bitPattern: term)) << 32 | UInt64(UInt32(bitPattern: contextNumber))
        let known = stateIndex[key]
        if known >= 0 { return known }
        guard stateTerms.count < limits.maximumStates else {
            isOverflowing = true
            return 0
        }
        let id = stateTerms.count
        stateTerms.append(term)
        stateContexts.append(contextNumber)
        acceptance.append(derivatives.isNullable(term, contexts[Int(contextNumber)]))
        livenessMemo.append(0)
        shortestMemo.append(-1)
        costMemo.append(-1)
        visitMarks.append(-1)
        if id >= rowCapacity {
            let larger = UnsafeMutablePointer<Int32>.allocate(capacity: rowCapacity * 2 * rowWidth)
            larger.update(from: rows, count: id * rowWidth)
            rows.deallocate()
            rows = larger
            rowCapacity *= 2
        }
        for scalarClass in 0..<rowWidth { rows[id * rowWidth + scalarClass] = -1 }
        stateIndex.set(key, Int32(id))
        return Int32(id)
    }
}

/// A set of class numbers of one ``Automaton``.
package struct ClassSet: Hashable, Sendable {
    /// The bits, least significant first.
    package private(set) var words: [UInt64]

    package init(capacity: Int) { words = [UInt64](repeating: 0, count: (capacity + 63) / 64) }

    @inline(__always)
    package func contains(_ scalarClass: Int) -> Bool {
        words[scalarClass >> 6] & (1 << UInt64(scalarClass & 63)) != 0
    }

    package mutating func insert(_ scalarClass: Int) {
        words[scalarClass >> 6] |= 1 << UInt64(scalarClass & 63)
    }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Whether a class is in both sets, which are of the same automaton.
    package func intersects(_ other: ClassSet) -> Bool {
        for (own, others) in zip(words, other.words) where own & others != 0 { return true }
        return false
    }
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}

extension Language {
    /// Whether a lookbehind or a word boundary occurs in a pattern of the language.
    var looksBehind: Bool {
        switch self {
        case .pattern(let pattern), .wholeMatch(let pattern): pattern.root.looksBehind
        case .literals, .everything, .substring: false
        case .not(let language): language.looksBehind
        case .all(let languages), .any(let languages): languages.contains { $0.looksBehind }
        case .format(let format): (format.exactLanguage ?? format.generationLanguage)?.looksBehind ?? false
        }
    }
}

extension PatternNode {
    /// Whether an assertion about the text before it, other than `^`, occurs in the tree.
    var looksBehind: Bool {
        switch self {
        case .set, .start, .end: false
        case .sequence(let nodes), .choice(let nodes), .both(let nodes): nodes.contains { $0.looksBehind }
        case .repeated(let node, _, _), .other(let node): node.looksBehind
        case .wordBoundary: true
        case .look(let behind, _, let node): behind || node.looksBehind
        }
    }
}
