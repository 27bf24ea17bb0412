// SPDX-License-Identifier: Apache-2.0

import Documents
import Patterns

/// A grammar as a recursive transition network: for each rule an automaton whose edges read bytes or call rules.
///
/// All rules share the final state, number 0. Edges that lead to no completion are not followed: see ``NetworkCosts``.
struct Network {
    enum Kind: UInt8 {
        /// Without reading anything.
        case empty
        /// One byte: the value.
        case byte
        /// One ASCII byte of the set with the value's number.
        case ascii
        /// The first byte of a scalar beyond ASCII, of the set with the value's number.
        case scalar
        /// What a rule matches.
        case call
        /// The same, the empty text excepted.
        case callOfText
        /// What a terminal matches, a JSON document, or free text, whose triggers have targets of their own.
        case terminal, document, text
    }

    struct Edge {
        var kind: Kind
        var value: UInt32
        var target: UInt32
        /// The next edge of the same state, or -1.
        var next: Int32
    }

    /// Free text with its continuations.
    struct FreeText {
        var automaton: TriggerAutomaton
        /// By trigger: the state after it; nil where the trigger must not occur.
        var targets: [UInt32?]
        /// The state after text without a trigger.
        var end: UInt32?
    }

    static let final: UInt32 = 0

    /// By state: its first edge, or -1.
    private(set) var first: [Int32] = [-1]
    private(set) var edges: [Edge] = []
    /// By rule: the state before its text.
    private(set) var starts: [UInt32] = []
    private(set) var asciiSets: [ByteSet] = []
    /// By set: the leading bytes of its scalars beyond ASCII, with what completes them.
    private(set) var leads: [[(low: UInt8, high: UInt8, node: UInt32)]] = []
    private(set) var leadBytes: [ByteSet] = []
    private(set) var trie = ScalarTrie()
    private(set) var texts: [FreeText] = []
    private var automata: [[[UInt8]]: TriggerAutomaton] = [:]



    private let limits: GrammarLimits
    private let scalars: ScalarSet
    private var setNumbers: [ScalarSet: UInt32] = [:]
    private var bodies: [GrammarNode]
    private let emptyTerminals: [Bool]
    private var nullable: [Bool] = []
    /// The rule that an error is about.
    private var current = 0

    /// Lays out a grammar.
    ///
    /// - Parameters:
    ///   - grammar: The grammar.
    ///   - scalars: The scalars that may occur where the grammar leaves a choice.
    ///   - emptyTerminals: By terminal: whether it matches the empty text.
    ///   - limits: Bounds on the size.
    /// - Throws: `grammar.too-complex` where a limit is hit.
    init(
        _ grammar: Grammar, scalars: ScalarSet, emptyTerminals: [Bool], limits: GrammarLimits
    ) throws(DiagnosticsError) {
        self.emptyTerminals = emptyTerminals
        self.limits = limits
        self.scalars = scalars
        bodies = grammar.rules.map(\.body)
        nullable = Self.nullableRules(bodies, emptyTerminals)
        for _ in bodies { starts.append(newState()) }
        var rule = 0
        do throws(TooLarge) {
            while rule < bodies.count {
                current = rule
                let entry = try compile(bodies[rule], Network.final)
                addEdge(starts[rule], .empty, 0, entry)
                rule += 1
            }
        } catch {
            let culprit = min(current, grammar.rules.count - 1)
            throw DiagnosticsError(
                [
                    Diagnostic(
                        "grammar.too-complex", "rule '\(grammar.rules[culprit].name)': \(error.message)",
                        range: grammar.rules[culprit].range)
                ], sources: grammar.sources)
        }
    }

    private struct TooLarge: Error {
        var message: String
    }

    // MARK: Building

    private mutating func newState() -> UInt32 {
        first.append(-1)
        return UInt32(truncatingIfNeeded: first.count - 1)
    }

    private mutating func state() throws(TooLarge) -> UInt32 {
        guard first.count < limits.maximumStates else {
            throw TooLarge(message: "the grammar needs more than \(limits.maximumStates) states")
        }
        return newState()
    }

    private mutating func addEdge(_ from: UInt32, _ kind: Kind, _ value: UInt32, _ target: UInt32) {
        edges.append(Edge(kind: kind, value: value, target: target, next: first[Int(from)]))
        first[Int(from)] = Int32(edges.count - 1)
    }

    /// The state before a node's text, given the state after it.
    private mutating func compile(_ node: GrammarNode, _ next: UInt32) throws(TooLarge) -> UInt32 {
        switch node {
        case .bytes(let bytes):
            var result = next
            for byte in bytes.reversed() {
                let before = try state()
                addEdge(before, .byte, UInt32(byte), result)
                result = before
            }
            return result
        case .set(let set):
            let before = try state()
            addSet(set, before, next)
            return before
        case .rule(let rule):
            return try single(.call, rule, next)
        case .terminal(let terminal):
            return try single(.terminal, terminal, next)
        case .document(let document):
            return try single(.document, document, next)
        case .sequence(let nodes):
            var result = next
            for node in nodes.reversed() { result = try compile(node, result) }
            return result
        case .choice(let nodes):
            return try compileChoice(nodes, next)
        case .repeated(let body, let least, let most):
            return try compileRepetition(body, least, most, next)
        case .text(let triggers, let mayEnd):
            var targets: [UInt32?] = []
            for trigger in triggers {
                if let node = trigger.node { targets.append(try compile(node, next)) } else { targets.append(nil) }
            }
            let tags = triggers.map(\.bytes)
            let automaton = automata[tags] ?? TriggerAutomaton(tags, scalars: scalars)
            automata[tags] = automaton
            texts.append(FreeText(automaton: automaton, targets: targets, end: mayEnd ? next : nil))
            let before = try state()
            addEdge(before, .text, UInt32(texts.count - 1), next)
            return before
        }
    }

    private mutating func single(_ kind: Kind, _ value: Int, _ next: UInt32) throws(TooLarge) -> UInt32 {
        let before = try state()
        addEdge(before, kind, UInt32(truncatingIfNeeded: value), next)
        return before
    }

    private mutating func addSet(_ set: ScalarSet, _ from: UInt32, _ next: UInt32) {
        let number: UInt32
        if let known = setNumbers[set] {
            number = known
        } else {
            number = UInt32(asciiSets.count)
            setNumbers[set] = number
            // A set of one scalar is a literal, and no choice is left to the vocabulary.
            let allowed = set.count == 1 ? set : set.intersection(scalars)
            var bytes = ByteSet()
            for range in allowed.ranges where range.lower < 0x80 {
                bytes.insert(UInt8(range.lower)...UInt8(min(range.upper, 0x7F)))
            }
            asciiSets.append(bytes)
            let roots = trie.root(allowed)
            leads.append(roots)
            var first = ByteSet()
            for root in roots { first.insert(root.low...root.high) }
            leadBytes.append(first)
        }
        if !asciiSets[Int(number)].isEmpty { addEdge(from, .ascii, number, next) }
        if !leads[Int(number)].isEmpty { addEdge(from, .scalar, number, next) }
    }

    /// Alternatives that are literals share their beginnings.
    private mutating func compileChoice(_ nodes: [GrammarNode], _ next: UInt32) throws(TooLarge) -> UInt32 {
        let entry = try state()
        var literals: [[UInt8]] = []
        for node in nodes {
            if case .bytes(let bytes) = node {
                literals.append(bytes)
            } else {
                addEdge(entry, .empty, 0, try compile(node, next))
            }
        }
        guard !literals.isEmpty else { return entry }
        literals.sort { $0.lexicographicallyPrecedes($1) }
        // The states along the last literal.
        var path: [UInt32] = [entry]
        var last: [UInt8] = []
        var isFirst = true
        for literal in literals where isFirst || literal != last {
            isFirst = false
            var common = 0
            while common < literal.count, common < last.count, literal[common] == last[common] { common += 1 }
            path.removeSubrange((common + 1)...)
            for byte in literal[common...] {
                let after = try state()
                addEdge(path[path.count - 1], .byte, UInt32(byte), after)
                path.append(after)
            }
            addEdge(path[path.count - 1], .empty, 0, next)
            last = literal
        }
        return entry
    }

    private mutating func compileRepetition(
        _ body: GrammarNode, _ least: Int, _ most: Int?, _ next: UInt32
    ) throws(TooLarge) -> UInt32 {
        for bound in [least, most ?? 0] where bound > limits.maximumRepetition {
            throw TooLarge(message: "\(bound) repetitions are more than the limit of \(limits.maximumRepetition)")
        }
        if let most, most <= 0 { return next }
        // Rounds that read nothing add nothing.
        let isNullable = Self.isNullable(body, nullable, emptyTerminals)
        let least = isNullable ? 0 : least
        let round = try shared(body, copies: (most ?? least) + 1, isNullable)
        func copy(_ network: inout Network, _ next: UInt32) throws(TooLarge) -> UInt32 {
            if case .rule(let rule) = round, isNullable { return try network.single(.callOfText, rule, next) }
            return try network.compile(round, next)
        }
        var result: UInt32
        if let most {
            result = next
            for _ in 0..<(most - least) {
                let before = try state()
                addEdge(before, .empty, 0, next)
                addEdge(before, .empty, 0, try copy(&self, result))
                result = before
            }
        } else {
            let loop = try state()
            addEdge(loop, .empty, 0, next)
            addEdge(loop, .empty, 0, try copy(&self, loop))
            result = loop
        }
        for _ in 0..<least { result = try copy(&self, result) }
        return result
    }

    /// The node to repeat: a body of more than a few states gets a rule of its own.
    private mutating func shared(_ body: GrammarNode, copies: Int, _ isNullable: Bool) throws(TooLarge) -> GrammarNode {
        if case .rule = body { return body }
        if !isNullable, Self.isSmall(body) || copies <= 2 { return body }
        bodies.append(body)
        nullable.append(isNullable)
        starts.append(try state())
        return .rule(bodies.count - 1)
    }

    private static func isSmall(_ node: GrammarNode) -> Bool {
        switch node {
        case .set, .rule, .terminal, .document: true
        case .bytes(let bytes): bytes.count <= 4
        case .sequence(let nodes): nodes.count == 1 && isSmall(nodes[0])
        case .choice, .repeated, .text: false
        }
    }

    // MARK: Rules that match the empty text

    private static func isNullable(_ node: GrammarNode, _ rules: [Bool], _ terminals: [Bool]) -> Bool {
        switch node {
        case .bytes(let bytes): bytes.isEmpty
        case .set, .document: false
        case .rule(let rule): rules[rule]
        case .terminal(let terminal): terminals[terminal]
        case .sequence(let nodes): nodes.allSatisfy { isNullable($0, rules, terminals) }
        case .choice(let nodes): nodes.contains { isNullable($0, rules, terminals) }
        case .repeated(let body, let least, let most):
            least == 0 || (most ?? 1) <= 0 || isNullable(body, rules, terminals)
        case .text(_, let mayEnd): mayEnd
        }
    }

    private static func nullableRules(_ bodies: [GrammarNode], _ terminals: [Bool]) -> [Bool] {
        var result = [Bool](repeating: false, count: bodies.count)
        var users = [[Int]](repeating: [], count: bodies.count)
        for (rule, body) in bodies.enumerated() { body.forEachRule { users[$0].append(rule) } }
        var work = Array(bodies.indices)
        while let rule = work.popLast() {
            if !result[rule], isNullable(bodies[rule], result, terminals) {
                result[rule] = true
                work += users[rule].filter { !result[$0] }
            }
        }
        return result
    }

    // MARK: Reading

    /// Calls the body with each edge of a state.
    @inline(__always)
    func forEachEdge(_ state: UInt32, _ body: (Edge) -> Void) {
        var index = first[Int(state)]
        while index >= 0 {
            body(edges[Int(index)])
            index = edges[Int(index)].next
        }
    }

    /// What completes a scalar beyond ASCII after its first byte.
    func lead(_ set: UInt32, _ byte: UInt8) -> UInt32? {
        for root in leads[Int(set)] where root.low <= byte && byte <= root.high { return root.node }
        return nil
    }

    var stateCount: Int { first.count }
}

extension GrammarNode {
    /// Calls the body with each rule that the node mentions.
    func forEachRule(_ body: (Int) -> Void) {
        switch self {
        case .bytes, .set, .terminal, .document: break
        case .rule(let rule): body(rule)
        case .sequence(let nodes), .choice(let nodes): for node in nodes { node.forEachRule(body) }
        case .repeated(let node, _, _): node.forEachRule(body)
        case .text(let triggers, _): for trigger in triggers { trigger.node?.forEachRule(body) }
        }
    }
}
