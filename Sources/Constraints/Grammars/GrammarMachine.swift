// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// A constraint machine that accepts the texts of a grammar.
///
/// Rules are automata that call each other. What a text so far leaves to be done is a set of items: a *position*, which
/// is a set of states within rules, and a *context*, which says what follows the end of those rules. A context is a
/// list of frames, each a position to return to and the context around it, so that contexts form a graph in which equal
/// parts exist once: ambiguity merges, and a rule that calls itself first refers to its own context. Calls whose return
/// has nothing left to do take over the context of their caller. Everything is interned; steps are worked out once.
///
///     let machine = try GrammarMachine(try GBNF.read(source, file: "list.gbnf"))
///     var configuration = machine.start
///     for byte in text.utf8 { configuration = machine.step(configuration, byte) }
///     machine.isAccepting(configuration)
///
/// - Invariant: every configuration other than ``ConfigID/dead`` has a completion.
package final class GrammarMachine: ConstraintMachine {
    let limits: GrammarLimits
    let network: Network
    let costs: NetworkCosts
    let terminals: [TerminalMachine]
    let documents: [SchemaMachine]
    /// Whether no text has characters of the planes 4 to 11, and no token of the vocabulary.
    let leavesOutPlanes: Bool
    /// A rule that is not called at the beginning of the text.
    let innerRule: Int?

    // Positions: sets of states within rules.
    var leaves = FastInterner<LeafState>()
    var positions = FastInterner<[UInt32]>()
    var positionFacts: ContiguousArray<PositionFacts?> = []
    var positionBytes: [UInt32: ByteSet] = [:]
    let positionSteps = TransitionTable()
    /// By state of the network: the position of all that can be reached without reading, plus one.
    var closures: [UInt32]
    /// By rule: its position at the beginning.
    var ruleStarts: [UInt32?]
    /// By rule: the order in which contexts are made, callers first, and the group of rules that call each other first.
    let ranks: [Int32]
    let groups: [Int32]
    /// By group: whether a rule in it can call itself before reading anything.
    let isRecursive: [Bool]

    // Contexts: what follows the rules at a position.
    var contextFrames: ContiguousArray<[UInt64]> = []
    var contextCosts: [Cost] = []
    var contextNumbers: [[UInt64]: UInt32] = [:]
    var contextGroups: [[UInt64]: [UInt32]] = [:]

    // Configurations: sets of items.
    var configurations = FastInterner<[UInt64]>()
    var configurationCosts: [Cost] = []
    var expansions: ContiguousArray<[UInt64]?> = []
    let transitions = TransitionTable()
    var allowedSets: ContiguousArray<ByteSet?> = []
    var nextOnWitness: [UInt32: UInt8] = [:]
    var maskKeys: [UInt32: UInt64] = [:]
    var maskProjections = Interner<[UInt64]>()
    var freeTexts: [UInt32: FreeText?] = [:]

    /// How often ways to read a text were left out because there were too many of them.
    package internal(set) var limitationCount = 0
    /// The most scalars that a token of the vocabulary can have.
    package var longestToken = 160 {
        didSet { for document in documents { document.longestToken = max(document.longestToken, longestToken) } }
    }
    package private(set) var start = ConfigID.dead
    /// The bytes that occur in texts of the grammar.
    package private(set) var alphabet = ByteSet()

    /// The position with nothing left to do.
    static let done: UInt32 = 1

    /// Builds the machine of a grammar.
    ///
    /// - Parameters:
    ///   - grammar: The grammar.
    ///   - profile: How JSON documents are spelled, and which scalars a choice may fall on.
    ///   - formats: Whether known formats are asserted in JSON documents.
    ///   - bytes: The bytes that are tokens of their own: where the grammar leaves a choice, characters that need
    ///     others are left out.
    ///   - limits: Bounds on the work.
    /// - Throws: `grammar.unsatisfiable` if no text matches, `grammar.too-complex` where a limit is hit, what
    ///   ``SchemaMachine`` refuses in a JSON document.
    package init(
        _ grammar: Grammar, profile: SpellingProfile = .spaced, formats: FormatPolicy = .assert, bytes: ByteSet = .all,
        limits: GrammarLimits = GrammarLimits()
    ) throws(DiagnosticsError) {
        self.limits = limits
        let grammar = CountedText.prepared(grammar)
        leavesOutPlanes = !profile.allowsUnassignedPlanes
        let spelled = ScalarSet.spelled(by: bytes)
        let scalars = leavesOutPlanes ? spelled.intersection(Self.assignedPlanes) : spelled
        var problems: [Diagnostic] = []
        var terminals: [TerminalMachine] = []
        for terminal in grammar.terminals {
            do throws(PatternError) {
                terminals.append(try TerminalMachine(terminal, scalars: scalars))
            } catch {
                problems.append(terminal.diagnostic(error))
            }
        }
        var documents: [SchemaMachine] = []
        var sources = grammar.sources
        for document in grammar.documents {
            do throws(DiagnosticsError) {
                documents.append(try SchemaMachine(document.graph, profile: profile, formats: formats))
            } catch {
                problems += error.diagnostics
                sources += error.sources
            }
        }
        if !problems.isEmpty { throw DiagnosticsError(problems, sources: sources) }
        let network = try Network(
            grammar, scalars: scalars, emptyTerminals: terminals.map(\.matchesEmpty), limits: limits)
        let costs = NetworkCosts(
            network, terminals: terminals.map(\.startCost), documents: documents.map { $0.minimumCompletion($0.start) })
        let shortest = costs[network.starts[grammar.start]]
        guard shortest <= limits.maximumShortest else {
            let rule = grammar.rules[grammar.start]
            let problem =
                shortest >= .infinite
                ? Diagnostic(
                    "grammar.unsatisfiable", "no text of less than 4 GiB matches rule '\(rule.name)'",
                    range: rule.range)
                : Diagnostic(
                    "grammar.too-complex",
                    "the shortest text has \(shortest) bytes, more than the limit of \(limits.maximumShortest)",
                    range: rule.range)
            throw DiagnosticsError([problem], sources: grammar.sources)
        }
        self.terminals = terminals
        self.documents = documents
        self.network = network
        self.costs = costs
        innerRule = grammar.innerRule
        closures = [UInt32](repeating: 0, count: network.stateCount)
        ruleStarts = [UInt32?](repeating: nil, count: network.starts.count)
        let order = CallOrder(network, costs, terminals)
        ranks = order.ranks
        groups = order.groups
        isRecursive = order.isRecursive

        _ = positions.intern([])
        _ = positions.intern([Network.final])
        _ = configurations.intern([])
        configurationCosts = [.infinite]
        contextFrames = [[]]
        contextCosts = [0]
        alphabet = reachableBytes(from: grammar.start, freeBytes: .utf8(scalars))
        start = configuration([Self.item(closure(network.starts[grammar.start]), 0)])
    }

    /// The scalars for which vocabularies have bytes: no character is assigned in the planes 4 to 11.
    static let assignedPlanes = ScalarSet([ScalarSet.Range(0, 0x3FFFF), ScalarSet.Range(0xC0000, 0x10FFFF)])

    /// The bytes of all texts: an upper bound.
    private func reachableBytes(from rule: Int, freeBytes: ByteSet) -> ByteSet {
        var bytes = ByteSet()
        var seen: Set<UInt32> = [network.starts[rule]]
        var work = [network.starts[rule]]
        var visitedNodes: Set<UInt32> = []
        func visit(_ state: UInt32) {
            if costs[state] < .infinite, seen.insert(state).inserted { work.append(state) }
        }
        func add(_ node: UInt32) {
            guard node != 0, visitedNodes.insert(node).inserted else { return }
            network.trie.bytes(node).forEach { byte in
                bytes.insert(byte)
                if let next = network.trie.step(node, byte) { add(next) }
            }
        }
        while let state = work.popLast() {
            network.forEachEdge(state) { edge in
                if edge.kind != .text, costs[edge.target] >= .infinite { return }
                let value = Int(edge.value)
                switch edge.kind {
                case .empty: break
                case .byte: bytes.insert(UInt8(truncatingIfNeeded: edge.value))
                case .ascii: bytes.formUnion(network.asciiSets[value])
                case .scalar:
                    bytes.formUnion(network.leadBytes[value])
                    for lead in network.leads[value] { add(lead.node) }
                case .call, .callOfText: visit(network.starts[value])
                case .terminal: bytes.formUnion(terminals[value].alphabet)
                case .document: bytes.formUnion(documents[value].alphabet)
                case .text:
                    bytes.formUnion(freeBytes)
                    let text = network.texts[value]
                    if let end = text.end { visit(end) }
                    for target in text.targets { if let target { visit(target) } }
                }
                if edge.kind != .text { visit(edge.target) }
            }
        }
        return bytes
    }

    /// The number of states of all rules together.
    package var stateCount: Int { network.stateCount }

    /// Warnings about rules that no text uses.
    package func warnings(for grammar: Grammar) -> [Diagnostic] {
        var reached: Set<Int> = [grammar.start]
        var work = [grammar.start]
        while let rule = work.popLast() {
            grammar.rules[rule].body.forEachRule { if reached.insert($0).inserted { work.append($0) } }
        }
        var result: [Diagnostic] = []
        for (number, rule) in grammar.rules.enumerated() where rule.range != nil {
            if costs[network.starts[number]] >= .infinite {
                result.append(
                    Diagnostic(
                        "grammar.unproductive-rule", "no finite text matches rule '\(rule.name)': it is never used",
                        severity: .warning, range: rule.range))
            } else if !reached.contains(number) {
                result.append(
                    Diagnostic(
                        "grammar.unused-rule", "the rule '\(rule.name)' is not used", severity: .warning,
                        range: rule.range))
            }
        }
        return result
    }

    // MARK: ConstraintMachine

    package func step(_ configuration: ConfigID, _ byte: UInt8) -> ConfigID {
        if let target = transitions.target(configuration.rawValue, byte) { return ConfigID(rawValue: target) }
        let target = computeStep(configuration, byte)
        transitions.set(configuration.rawValue, byte, target.rawValue)
        return target
    }

    package func isAccepting(_ configuration: ConfigID) -> Bool {
        for item in configurations[configuration.rawValue] where Self.context(item) == 0 {
            return facts(Self.position(item)).isFinal
        }
        return false
    }

    package func allowedBytes(_ configuration: ConfigID) -> ByteSet {
        let index = Int(configuration.rawValue)
        if index < allowedSets.count, let known = allowedSets[index] { return known }
        var set = ByteSet()
        for item in expansion(configuration) { set.formUnion(bytes(position: Self.position(item))) }
        while allowedSets.count <= index { allowedSets.append(nil) }
        allowedSets[index] = set
        return set
    }

    package func minimumCompletion(_ configuration: ConfigID) -> Int {
        configurationCosts[Int(configuration.rawValue)]
    }

    package func witness(_ configuration: ConfigID) -> [UInt8] {
        var bytes: [UInt8] = []
        var current = configuration
        while !current.isDead, configurationCosts[Int(current.rawValue)] > 0 {
            guard let byte = witnessByte(current) else { break }
            bytes.append(byte)
            current = step(current, byte)
        }
        return bytes
    }

    /// Pleasant bytes first, so that witnesses are readable.
    private static let byPreference: [UInt8] = {
        let first = Array(0x61...0x7A) + Array(0x30...0x39) + Array(0x41...0x5A) + Array(0x20...0x7E) + [0x0A]
        let pleasant = ByteSet(first.map { UInt8($0) })
        return first.map { UInt8($0) } + (0...255).map { UInt8($0) }.filter { !pleasant.contains($0) }
    }()

    /// The next byte of a shortest completion.
    private func witnessByte(_ configuration: ConfigID) -> UInt8? {
        if let known = nextOnWitness[configuration.rawValue] { return known }
        let cost = configurationCosts[Int(configuration.rawValue)]
        // First the items from which the shortest completion starts.
        var likely = ByteSet()
        for item in expansion(configuration) {
            let position = Self.position(item)
            let total = Cost.sum(positionCost(position), contextCosts[Int(Self.context(item))])
            if total <= cost { likely.formUnion(bytes(position: position)) }
        }
        for set in [likely, allowedBytes(configuration)] {
            for byte in Self.byPreference where set.contains(byte) {
                let next = step(configuration, byte)
                if configurationCosts[Int(next.rawValue)] < cost {
                    nextOnWitness[configuration.rawValue] = byte
                    return byte
                }
            }
        }
        return nil
    }
}
