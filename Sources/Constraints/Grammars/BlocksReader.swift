// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// Reads the form that describes structured blocks in free text, such as tool calls or the answer after a reasoning.
///
///     blocks: {min: 0, max: 3}
///     after: text
///     triggers:
///       - begin: "<tool_call>\n"
///         tools:
///           - name: get_weather
///             parameters: {type: object, properties: {city: {type: string}}, required: [city]}
///         end: "\n</tool_call>"
package struct BlocksReader {
    /// Reads a file that the form names.
    package typealias FileReader = (String) throws(DiagnosticsError) -> [UInt8]

    /// What may stand at a place of the text.
    private enum Filling: String, CaseIterable {
        /// Free text without any trigger.
        case text
        /// At most a few blanks and line breaks.
        case space
        case nothing
    }

    private struct Trigger {
        var tag: [UInt8]
        /// What follows the tag, the next free text excepted.
        var body: GrammarNode
    }

    private static let topKeys = ["blocks", "before", "between", "after", "triggers"]
    private static let bodyKeys = ["schema", "tools", "regex", "grammar"]
    private static let triggerKeys = ["begin", "end", "arguments-key"] + bodyKeys
    /// The most blocks that can be counted.
    static let maximumBlocks = 1000
    /// The bytes of all triggers together.
    static let maximumTags = 4096
    /// The most blanks and line breaks in a row.
    static let maximumSpace = 16

    private let registry: SchemaRegistry
    private let limits: GrammarLimits
    private let readFile: FileReader?
    private var problems: [Diagnostic] = []
    private var sources: [SourceText] = []
    private var grammar = Grammar()

    package init(registry: SchemaRegistry, limits: GrammarLimits, readFile: FileReader?) {
        self.registry = registry
        self.limits = limits
        self.readFile = readFile
    }

    /// Reads a form.
    ///
    /// - Throws: All problems, each with its place: `blocks.…`, and what is wrong with a schema, grammar or regular
    ///   expression in it.
    package func read(_ bytes: [UInt8], file: String?) throws(DiagnosticsError) -> Grammar {
        var reader = self
        return try reader.parse(DocumentReader.read(bytes, file: file))
    }

    private mutating func report(_ id: DiagnosticID, _ message: String, _ node: Node, help: String? = nil) {
        problems.append(Diagnostic(id, message, range: node.range, help: help))
    }

    private mutating func parse(_ document: Document) throws(DiagnosticsError) -> Grammar {
        sources = [document.source].compactMap(\.self)
        let root = document.root
        checkKeys(root, Self.topKeys)
        let before = filling(root["before"], [.text, .space, .nothing])
        let between = filling(root["between"], [.text, .space, .nothing])
        let after = filling(root["after"], [.text, .space, .nothing])
        let (least, most) = counts(root["blocks"])
        var triggers: [(trigger: Trigger, node: Node)] = []
        if let list = root["triggers"], list.kind == .array, list.count > 0 {
            for node in list.elements {
                if let trigger = trigger(node) { triggers.append((trigger, node)) }
            }
        } else {
            report("blocks.invalid", "'triggers' must be a list with at least one trigger", root["triggers"] ?? root)
        }
        checkTags(triggers)
        if !problems.isEmpty { throw DiagnosticsError(problems, sources: sources) }
        build(merged(triggers.map(\.trigger)), before: before, between: between, after: after, least, most)
        grammar.sources = sources + grammar.sources
        return grammar
    }

    // MARK: The form

    private mutating func checkKeys(_ node: Node, _ known: [String]) {
        guard node.kind == .object else {
            report("blocks.invalid", "expected a mapping", node)
            return
        }
        for member in node.members where !known.contains(member.key) {
            report(
                "blocks.unknown-key", "there is no key '\(member.key)'", member.keyNode,
                help: "the keys are " + known.joined(separator: ", "))
        }
    }

    private mutating func filling(_ node: Node?, _ allowed: [Filling]) -> Filling {
        guard let node else { return .text }
        if let text = node.stringValue, let filling = Filling(rawValue: text), allowed.contains(filling) {
            return filling
        }
        report(
            "blocks.invalid", "expected one of " + allowed.map { "'\($0.rawValue)'" }.joined(separator: ", "), node)
        return .text
    }

    private mutating func counts(_ node: Node?) -> (Int, Int?) {
        guard let node else { return (0, nil) }
        checkKeys(node, ["min", "max"])
        func count(_ key: String) -> Int? {
            guard let value = node[key] else { return nil }
            guard let number = value.intValue, (0...Self.maximumBlocks).contains(number) else {
                report("blocks.invalid", "'\(key)' must be a number from 0 to \(Self.maximumBlocks)", value)
                return nil
            }
            return number
        }
        let least = count("min") ?? 0
        let most = count("max")
        if let most, most < least { report("blocks.invalid", "'max' is less than 'min'", node) }
        return (least, most)
    }

    private mutating func text(_ node: Node, _ key: String) -> String? {
        guard let value = node[key] else { return nil }
        guard let text = value.stringValue else {
            report("blocks.invalid", "'\(key)' must be a string", value)
            return nil
        }
        return text
    }

    private mutating func trigger(_ node: Node) -> Trigger? {
        checkKeys(node, Self.triggerKeys)
        guard node.kind == .object else { return nil }
        guard let begin = text(node, "begin") else {
            if node["begin"] == nil { report("blocks.invalid", "a trigger needs the text 'begin'", node) }
            return nil
        }
        // Blanks and line breaks at the end are not waited for: they are written after the tag.
        var tag = Array(begin.utf8)
        var space: [UInt8] = []
        while let last = tag.last, last == 0x20 || last == 0x0A || last == 0x09 || last == 0x0D {
            tag.removeLast()
            space.insert(last, at: 0)
        }
        guard !tag.isEmpty else {
            report("blocks.invalid", "'begin' has nothing to wait for", node["begin"] ?? node)
            return nil
        }
        let given = Self.bodyKeys.filter { node[$0] != nil }
        guard given.count == 1, let key = given.first, let value = node[key] else {
            report("blocks.invalid", "a trigger has one of " + Self.bodyKeys.joined(separator: ", "), node)
            return nil
        }
        if node["arguments-key"] != nil, key != "tools" {
            report("blocks.invalid", "'arguments-key' belongs to 'tools'", node["arguments-key"] ?? node)
        }
        guard let body = body(key, value, node) else { return nil }
        let end = text(node, "end") ?? ""
        return Trigger(tag: tag, body: .sequence([.bytes(space), body, .literal(end)]))
    }

    /// A tag within another would always come first.
    private mutating func checkTags(_ triggers: [(trigger: Trigger, node: Node)]) {
        let size = triggers.reduce(0) { $0 + $1.trigger.tag.count }
        if size > Self.maximumTags, let last = triggers.last {
            report(
                "grammar.too-complex", "the triggers have \(size) bytes, more than the limit of \(Self.maximumTags)",
                last.node)
            return
        }
        for (place, (trigger, node)) in triggers.enumerated() {
            for (other, (inner, _)) in triggers.enumerated() where other != place && inner.tag != trigger.tag {
                if trigger.tag.count > inner.tag.count, Self.contains(trigger.tag, inner.tag) {
                    let tag = String(decoding: inner.tag, as: UTF8.self)
                    report(
                        "blocks.hidden-trigger", "the trigger is never seen, for it contains the trigger '\(tag)'",
                        node["begin"] ?? node)
                }
            }
        }
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
    }

    /// Triggers with equal tags are one with a choice.
    private func merged(_ triggers: [Trigger]) -> [Trigger] {
        var result: [Trigger] = []
        for trigger in triggers {
            if let place = result.firstIndex(where: { $0.tag == trigger.tag }) {
                result[place].body = .choice([result[place].body, trigger.body])
            } else {
                result.append(trigger)
            }
        }
        return result
    }

    // MARK: Bodies

    private mutating func body(_ key: String, _ value: Node, _ trigger: Node) -> GrammarNode? {
        switch key {
        case "schema": return schema(value)
        case "tools": return tools(value, argumentsKey: text(trigger, "arguments-key") ?? "arguments")
        case "regex":
            guard let source = value.stringValue else {
                report("blocks.invalid", "'regex' must be a string", value)
                return nil
            }
            do throws(PatternError) {
                let rule = grammar.embed(try Grammar.regularExpression(source))
                return .rule(rule)
            } catch {
                let terminal = Grammar.Terminal(name: "regex", range: value.range, language: .everything)
                problems.append(terminal.diagnostic(error))
                return nil
            }
        default:
            guard let path = value.stringValue, let kind = GrammarKind(file: path), kind != .blocks else {
                report("blocks.invalid", "'grammar' must be the path of a .gbnf or .lark file", value)
                return nil
            }
            guard let bytes = contents(path, value) else { return nil }
            do throws(DiagnosticsError) {
                let rule = grammar.embed(
                    try GrammarReader.read(bytes, file: path, kind: kind, registry: registry, limits: limits))
                return .rule(rule)
            } catch {
                problems += error.diagnostics
                sources += error.sources
                return nil
            }
        }
    }

    private mutating func contents(_ path: String, _ node: Node) -> [UInt8]? {
        guard let readFile else {
            report("blocks.unreadable-file", "files cannot be read here", node)
            return nil
        }
        do throws(DiagnosticsError) {
            return try readFile(path)
        } catch {
            report("blocks.unreadable-file", error.diagnostics.first?.message ?? "the file cannot be read", node)
            return nil
        }
    }

    private mutating func document(_ graph: SchemaGraph, _ node: Node) -> GrammarNode {
        grammar.documents.append(Grammar.Document(graph: graph, range: node.range))
        grammar.warnings += graph.warnings
        return .document(grammar.documents.count - 1)
    }

    /// A schema in place, or the path of a schema or short spec.
    private mutating func schema(_ node: Node) -> GrammarNode? {
        do throws(DiagnosticsError) {
            if let path = node.stringValue {
                guard let bytes = contents(path, node) else { return nil }
                return document(try SpecLoader.load(bytes, file: path, registry: registry).graph, node)
            }
            let graph = try SchemaGraph.load(node, options: SpecLoader.defaultOptions, registry: registry)
            return document(graph, node)
        } catch {
            problems += error.diagnostics
            sources += error.sources
            return nil
        }
    }

    /// A call of one of the tools: an object with its name and its arguments.
    private mutating func tools(_ node: Node, argumentsKey: String) -> GrammarNode? {
        guard node.kind == .array, node.count > 0 else {
            report("blocks.invalid", "'tools' must be a list with at least one tool", node)
            return nil
        }
        var calls: [JSONValue] = []
        var names: Set<String> = []
        for element in node.elements {
            // The form of chat interfaces wraps a tool once more.
            let tool = element["function"] ?? element
            checkKeys(
                element, element["function"] == nil ? ["name", "description", "parameters"] : ["type", "function"])
            guard let name = text(tool, "name") else {
                if tool["name"] == nil { report("blocks.invalid", "a tool needs a 'name'", tool) }
                continue
            }
            if !names.insert(name).inserted {
                report("blocks.invalid", "there are two tools '\(name)'", tool["name"] ?? tool)
            }
            var parameters = tool["parameters"]?.value ?? ["type": "object", "additionalProperties": false]
            if case .object(let object) = parameters, object["$id"] == nil {
                // References within the parameters start there.
                let id = (key: "$id", value: JSONValue.string("formwork:tool/\(names.count)"))
                parameters = .object(JSONObject([id] + object.members))
            }
            let members: [JSONObject.Member] = [
                (key: "name", value: ["const": .string(name)]), (key: argumentsKey, value: parameters),
            ]
            calls.append([
                "type": "object",
                "properties": .object(JSONObject(members)),
                "required": ["name", .string(argumentsKey)],
                "additionalProperties": false,
            ])
        }
        guard !calls.isEmpty else { return nil }
        do throws(DiagnosticsError) {
            let value: JSONValue = calls.count == 1 ? calls[0] : ["anyOf": .array(calls)]
            let graph = try SchemaGraph.load(
                Document(value: value).root, options: SpecLoader.defaultOptions, registry: registry)
            return document(graph, node)
        } catch {
            problems += error.diagnostics.map { problem in
                var problem = problem
                problem.range = node.range
                return problem
            }
            return nil
        }
    }

    // MARK: The grammar

    /// One rule for each number of blocks that makes a difference.
    private mutating func build(
        _ triggers: [Trigger], before: Filling, between: Filling, after: Filling, _ least: Int, _ most: Int?
    ) {
        let bodies = triggers.map { GrammarNode.rule(grammar.add("block", $0.body)) }
        let space = GrammarNode.repeated(
            .set(ScalarSet(of: " \t\r\n")), min: 0, max: Self.maximumSpace)
        let silent = GrammarNode.text(triggers.map { GrammarTrigger(bytes: $0.tag, node: nil) }, mayEnd: true)
        let last = most ?? max(least, 1)
        let first = grammar.rules.count
        for _ in 0...last { _ = grammar.add("blocks", .empty) }
        for count in 0...last {
            let lead = count == 0 ? before : between
            let tail = count == 0 ? before : after
            let mayEnd = count >= least
            var branches: [GrammarNode] = []
            let hasMore = most == nil || count < last
            var isWatching = false
            if hasMore {
                let next = GrammarNode.rule(first + min(count + 1, last))
                if lead == .text {
                    isWatching = true
                    branches.append(
                        .text(
                            zip(triggers, bodies).map { trigger, body in
                                GrammarTrigger(bytes: trigger.tag, node: .sequence([body, next]))
                            }, mayEnd: mayEnd && tail == .text))
                } else {
                    let blocks = zip(triggers, bodies).map { GrammarNode.sequence([.bytes($0.tag), $1]) }
                    branches.append(.sequence([lead == .space ? space : .empty, .choice(blocks), next]))
                }
            }
            if mayEnd, !(isWatching && tail == .text) {
                branches.append(tail == .text ? silent : tail == .space ? space : .empty)
            }
            grammar.rules[first + count].body = .choice(branches)
        }
        grammar.start = first
    }
}
