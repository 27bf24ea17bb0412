// SPDX-License-Identifier: Apache-2.0

import Patterns

/// Turns counted repetitions of regular parts into terminals.
///
/// As states of a network they would take one for each time, and each a mask of its own; an automaton counts by itself
/// and tells which runs of characters it allows.
struct CountedText {
    /// Fewer times than this stay as they are.
    private static let leastCount = 4
    /// The most nodes of a part that is turned into a terminal.
    private static let sizeLimit = 256

    private var grammar: Grammar
    /// By rule: the pattern of its texts; nil inside where it has none.
    private var patterns: [Int: (node: PatternNode, size: Int)?] = [:]
    private var underway: Set<Int> = []
    private var known: [PatternNode: Int] = [:]

    /// The same grammar with terminals for counted parts.
    static func prepared(_ grammar: Grammar) -> Grammar {
        var maker = CountedText(grammar: grammar)
        for rule in grammar.rules.indices {
            maker.grammar.rules[rule].body = maker.converted(grammar.rules[rule].body, rule)
        }
        return maker.grammar
    }

    private init(grammar: Grammar) { self.grammar = grammar }

    private mutating func converted(_ node: GrammarNode, _ rule: Int) -> GrammarNode {
        switch node {
        case .bytes, .set, .rule, .terminal, .document: return node
        case .sequence(let nodes): return .sequence(converted(nodes, rule))
        case .choice(let nodes): return .choice(converted(nodes, rule))
        case .text(let triggers, let mayEnd):
            var result: [GrammarTrigger] = []
            for trigger in triggers {
                let body = trigger.node.map { converted($0, rule) }
                result.append(GrammarTrigger(bytes: trigger.bytes, node: body))
            }
            return .text(result, mayEnd: mayEnd)
        case .repeated(let body, let least, let most):
            if max(least, most ?? 0) >= Self.leastCount, let (part, size) = pattern(body), size <= Self.sizeLimit {
                return .terminal(terminal(.repeated(part, min: least, max: most), rule))
            }
            return .repeated(converted(body, rule), min: least, max: most)
        }
    }

    private mutating func converted(_ nodes: [GrammarNode], _ rule: Int) -> [GrammarNode] {
        var result: [GrammarNode] = []
        for node in nodes { result.append(converted(node, rule)) }
        return result
    }

    private mutating func terminal(_ node: PatternNode, _ rule: Int) -> Int {
        if let number = known[node] { return number }
        let number = grammar.terminals.count
        grammar.terminals.append(
            Grammar.Terminal(
                name: grammar.rules[rule].name, range: grammar.rules[rule].range,
                language: .wholeMatch(Pattern(node, source: "counted \(number)"))))
        known[node] = number
        return number
    }

    // MARK: Regular parts

    /// The pattern of a node and its size; nil where it calls itself, is large, or holds more than characters.
    private mutating func pattern(_ node: GrammarNode) -> (node: PatternNode, size: Int)? {
        switch node {
        case .bytes(let bytes):
            guard bytes.count <= Self.sizeLimit else { return nil }
            let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
            return (.sequence(scalars.map { .set(ScalarSet($0.value)) }), scalars.count + 1)
        case .set(let set): return (.set(set), 1)
        case .sequence(let nodes): return list(nodes).map { (.sequence($0.nodes), $0.size) }
        case .choice(let nodes): return list(nodes).map { (.choice($0.nodes), $0.size) }
        case .repeated(let body, let least, let most):
            guard let (part, size) = pattern(body) else { return nil }
            // Counters within counters multiply.
            let factor = max(least, most ?? 0, 1)
            return (.repeated(part, min: least, max: most), min(size, Self.sizeLimit) * min(factor, Self.sizeLimit) + 1)
        case .rule(let rule):
            if let result = patterns[rule] { return result }
            guard underway.insert(rule).inserted else { return nil }
            let depth = underway.count
            let result = depth > 64 ? nil : pattern(grammar.rules[rule].body)
            underway.remove(rule)
            // A rule that is reached again from itself has none, and neither have those between.
            patterns[rule] = .some(result)
            return result
        case .terminal, .document, .text: return nil
        }
    }

    private mutating func list(_ nodes: [GrammarNode]) -> (nodes: [PatternNode], size: Int)? {
        guard nodes.count <= Self.sizeLimit else { return nil }
        var result: [PatternNode] = []
        var size = 1
        for node in nodes {
            guard let (part, partSize) = pattern(node) else { return nil }
            result.append(part)
            size += partSize
            if size > Self.sizeLimit { return nil }
        }
        return (result, size)
    }
}
