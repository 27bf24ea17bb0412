// SPDX-License-Identifier: Apache-2.0

import Documents
import Patterns

/// Turns what a Lark grammar says into rules and terminals.
///
/// A terminal becomes one automaton. Before each terminal of a rule stands what is to be ignored.
struct LarkCompiler {
    private typealias Failure = GrammarScanner.Failure

    private var scanner: GrammarScanner
    private let parser: LarkParser
    private var grammar = Grammar()
    private var rules: [String: Int] = [:]
    private var definitions: [String: LarkDefinition] = [:]
    private var terminals: [String: PatternNode] = [:]
    private var terminalNodes: [String: GrammarNode] = [:]
    private var underway: Set<String> = []
    /// Terminals whose problems are told already.
    private var failed: Set<String> = []
    /// The rule that reads what is ignored.
    private var skip: Int?

    init(_ parser: LarkParser) {
        self.parser = parser
        scanner = parser.scanner
    }

    mutating func compile() throws(DiagnosticsError) -> Grammar {
        grammar.sources = [scanner.source]
        grammar.documents = parser.documents
        grammar.warnings = parser.warnings
        let isRead = scanner.problems.isEmpty && parser.schemaProblems.isEmpty
        for definition in parser.definitions {
            let name = definition.name
            if let other = definitions[name] {
                scanner.report(
                    "grammar.duplicate-rule", "'\(name)' is defined twice", from: definition.place.lowerBound,
                    to: definition.place.upperBound,
                    notes: [.note("first defined here", range: range(other.place))])
                continue
            }
            definitions[name] = definition
            if !LarkParser.isTerminal(name), !definition.isLazy {
                rules[name] = grammar.add(name, .empty, range: range(definition.place))
            }
        }
        if !parser.ignored.isEmpty {
            var branches: [GrammarNode] = []
            for ignored in parser.ignored {
                if let node = try? terminal(ignored, name: "%ignore", isLazy: false) { branches.append(node) }
            }
            let one = GrammarNode.choice(branches)
            skip = grammar.add("%ignore", .repeated(one, min: 0, max: parser.options.skipsOnce ? 1 : nil))
        }
        for definition in parser.definitions {
            if let rule = rules[definition.name] {
                if let body = try? node(definition.body) { grammar.rules[rule].body = body }
            } else {
                // Terminals that nothing uses are looked at as well.
                _ = try? use(definition.name, at: definition.place)
            }
        }
        if rules["start"] == nil, definitions["start"] == nil, isRead {
            scanner.report(
                "grammar.missing-start", "there is no rule 'start', which says what the whole text is", from: 0, to: 0)
        }
        let problems = scanner.problems + parser.schemaProblems
        if !problems.isEmpty {
            throw DiagnosticsError(problems, sources: [scanner.source])
        }
        warnAboutUnusedTerminals()
        let start = rules["start"].map { GrammarNode.rule($0) } ?? terminalNodes["start"] ?? .empty
        if skip != nil {
            // A rule that nothing calls, so that the beginning of the text is like no other place.
            grammar.start = grammar.add("whole text", start)
            if !parser.options.skipsAtStart { grammar.innerRule = skip }
        } else {
            grammar.start = rules["start"] ?? grammar.add("start", start)
        }
        return grammar
    }

    /// Rules are looked at when the machine is made; terminals are gone by then.
    private mutating func warnAboutUnusedTerminals() {
        var used: Set<String> = ["start"]
        for definition in parser.definitions { definition.body.forEachName { used.insert($0) } }
        for ignored in parser.ignored { ignored.forEachName { used.insert($0) } }
        for definition in parser.definitions where rules[definition.name] == nil && !used.contains(definition.name) {
            grammar.warnings.append(
                Diagnostic(
                    "grammar.unused-rule", "the terminal '\(definition.name)' is not used", severity: .warning,
                    range: range(definition.place)))
        }
    }

    private func range(_ place: Range<Int>) -> SourceRange { scanner.range(place.lowerBound, place.upperBound) }

    // MARK: Rules

    /// What a rule's expression matches.
    private mutating func node(_ expression: LarkExpression) throws(Failure) -> GrammarNode {
        switch expression.kind {
        case .literal(let text, _):
            if text.isEmpty { return .empty }
            return skipping(try terminal(expression, name: "\"\(text)\"", isLazy: false))
        case .characters, .regex:
            return skipping(try terminal(expression, name: scanner.shownText(expression.place), isLazy: false))
        case .both, .other:
            return skipping(try terminal(expression, name: scanner.shownText(expression.place), isLazy: false))
        case .name(let name):
            if let rule = rules[name] { return .rule(rule) }
            return skipping(try use(name, at: expression.place))
        case .document(let document): return skipping(.document(document))
        case .sequence(let parts):
            var nodes: [GrammarNode] = []
            for part in parts { nodes.append(try node(part)) }
            return .sequence(nodes)
        case .choice(let parts):
            var nodes: [GrammarNode] = []
            for part in parts { nodes.append(try node(part)) }
            return .choice(nodes)
        case .repeated(let part, let least, let most): return .repeated(try node(part), min: least, max: most)
        }
    }

    private func skipping(_ node: GrammarNode) -> GrammarNode {
        guard let skip else { return node }
        return .sequence([.rule(skip), node])
    }

    /// The terminal, or rule matched as one, with this name.
    private mutating func use(_ name: String, at place: Range<Int>) throws(Failure) -> GrammarNode {
        if let known = terminalNodes[name] { return known }
        let result: GrammarNode
        if let definition = definitions[name] {
            result = finish(try pattern(named: name, at: place), name, definition)
        } else {
            result = finish(try pattern(named: name, at: place), name, nil)
        }
        terminalNodes[name] = result
        return result
    }

    private mutating func terminal(
        _ expression: LarkExpression, name: String, isLazy: Bool
    ) throws(Failure) -> GrammarNode {
        if case .literal(let text, false) = expression.kind, !isLazy { return .literal(text) }
        if case .name(let name) = expression.kind, rules[name] == nil { return try use(name, at: expression.place) }
        return finish(
            try pattern(expression), name,
            LarkDefinition(name: name, place: expression.place, body: expression, isLazy: isLazy))
    }

    /// The simplest node for what a terminal matches.
    private mutating func finish(_ pattern: PatternNode, _ name: String, _ definition: LarkDefinition?) -> GrammarNode {
        let isLazy = definition?.isLazy ?? false
        if case .set(let set) = pattern { return .set(set) }
        if !isLazy, let text = pattern.literal { return .literal(text) }
        grammar.terminals.append(
            Grammar.Terminal(
                name: name, range: definition.map { range($0.place) },
                language: .wholeMatch(Pattern(pattern, source: "terminal \(grammar.terminals.count)")), isLazy: isLazy))
        return .terminal(grammar.terminals.count - 1)
    }

    // MARK: Terminals

    private mutating func pattern(named name: String, at place: Range<Int>) throws(Failure) -> PatternNode {
        if let known = terminals[name] { return known }
        if failed.contains(name) { throw Failure() }
        do throws(Failure) {
            let result = try newPattern(named: name, at: place)
            terminals[name] = result
            return result
        } catch {
            failed.insert(name)
            throw error
        }
    }

    private mutating func newPattern(named name: String, at place: Range<Int>) throws(Failure) -> PatternNode {
        if let definition = definitions[name] {
            guard underway.insert(name).inserted else {
                scanner.report(
                    "grammar.recursive-terminal", "the terminal '\(name)' refers to itself", from: place.lowerBound,
                    to: place.upperBound, help: "a name in lower case makes a rule, which may")
                throw Failure()
            }
            defer { underway.remove(name) }
            guard underway.count <= scanner.limits.maximumDepth else {
                scanner.report(
                    "grammar.too-complex", "terminals refer to each other too deeply", from: place.lowerBound,
                    to: place.upperBound)
                throw Failure()
            }
            return try pattern(definition.body)
        }
        if let common = parser.imports[name], let source = LarkCommon.terminals[common],
            let imported = try? Pattern(source, flags: .modifiers)
        {
            return imported.root
        }
        let kind = LarkParser.isTerminal(name) ? "terminal" : "rule"
        scanner.report(
            "grammar.undefined-rule", "there is no \(kind) '\(name)'", from: place.lowerBound, to: place.upperBound,
            help: LarkCommon.terminals[name] != nil ? "'%import common.\(name)' defines it" : nil)
        throw Failure()
    }

    /// What an expression matches as a terminal.
    private mutating func pattern(_ expression: LarkExpression) throws(Failure) -> PatternNode {
        switch expression.kind {
        case .literal(let text, let ignoresCase):
            return .sequence(
                text.unicodeScalars.map {
                    let set = ScalarSet($0.value)
                    return .set(ignoresCase ? set.ignoringCase : set)
                })
        case .characters(let set): return .set(set)
        case .regex(let node): return node
        case .name(let name):
            if rules[name] != nil {
                scanner.report(
                    "grammar.rule-in-terminal", "the rule '\(name)' cannot be part of a terminal",
                    from: expression.place.lowerBound, to: expression.place.upperBound)
                throw Failure()
            }
            return try pattern(named: name, at: expression.place)
        case .document:
            scanner.report(
                "grammar.rule-in-terminal", "'%json' cannot be part of a terminal",
                from: expression.place.lowerBound, to: expression.place.upperBound)
            throw Failure()
        case .sequence(let parts): return .sequence(try patterns(parts))
        case .choice(let parts): return .choice(try patterns(parts))
        case .both(let parts): return .both(try patterns(parts))
        case .other(let part): return .other(try pattern(part))
        case .repeated(let part, let least, let most):
            return .repeated(try pattern(part), min: least, max: most)
        }
    }

    private mutating func patterns(_ parts: [LarkExpression]) throws(Failure) -> [PatternNode] {
        var result: [PatternNode] = []
        for part in parts { result.append(try pattern(part)) }
        return result
    }
}

extension GrammarScanner {
    /// A part of the source, shortened, for messages.
    func shownText(_ place: Range<Int>) -> String {
        let text = String(decoding: bytes[place.lowerBound..<min(place.upperBound, bytes.count)], as: UTF8.self)
        return text.count > 40 ? text.prefix(37) + "..." : text
    }
}

extension PatternNode {
    /// The only text of the node, where there is no choice.
    var literal: String? {
        switch self {
        case .set(let set):
            guard set.count == 1, let value = set.ranges.first?.lower else { return nil }
            return Unicode.Scalar(value).map { String($0) }
        case .sequence(let nodes):
            var text = ""
            for node in nodes {
                guard let part = node.literal else { return nil }
                text += part
            }
            return text
        default: return nil
        }
    }
}
