// SPDX-License-Identifier: Apache-2.0

import Documents

/// The state of one conversion.
struct SpecBuilder {
    struct Definition {
        var type: SpecType
        var isOptional = false
        var description: String?
    }

    static let forms = ["type", "fields", "list of", "map of", "one of", "json schema"]
    static let limits = ["min", "max", "length", "unique", "multiple of", "pattern", "keys", "verbatim", "open", "nullable"]
    static let annotations = ["description", "title", "default"]
    static let fieldKeys = forms + limits + annotations + ["optional", "examples"]
    static let rootKeys =
        forms + limits + ["name", "description", "instruction", "types", "examples", "default", "$schema"]
    static let maximumDepth = 64

    private(set) var diagnostics: [Diagnostic] = []
    var names: Set<String> = []
    var used: Set<String> = []
    var depth = 0

    mutating func report(
        _ id: DiagnosticID, _ message: String, _ range: SourceRange?, severity: Diagnostic.Severity = .error,
        help: String? = nil, notes: [Diagnostic] = []
    ) {
        diagnostics.append(Diagnostic(id, message, severity: severity, range: range, notes: notes, help: help))
    }

    // MARK: The whole spec

    mutating func convert(_ root: Node) -> SpecConversion {
        guard root.kind == .object else {
            report("spec.syntax", "a spec is a mapping with 'name:' and 'fields:'", root.range)
            return SpecConversion(
                schema: .bool(true), examples: [], positions: [:], diagnostics: [], document: root.document)
        }
        checkKeys(root, Self.rootKeys, of: "a spec")
        let types = root["types"]
        for member in types?.members ?? Document(value: [:]).root.members where checkTypeName(member) {
            names.insert(member.key)
        }
        if let types, types.kind != .object {
            report("spec.syntax", "'types' is a mapping from names to types", types.range)
        }

        var schema: JSONObject = ["$schema": "https://json-schema.org/draft/2020-12/schema"]
        var places: [(pointer: [String], range: SourceRange)] = []
        let name = text(root, "name")
        let description = text(root, "description")
        let instruction = text(root, "instruction")
        if let name { schema["title"] = .string(name) }
        if let description { schema["description"] = .string(description) }
        if let instruction { schema["x-instruction"] = .string(instruction) }
        let examples = self.examples(root["examples"])
        if !examples.isEmpty {
            schema["x-examples"] = .array(examples.map { ["input": .string($0.input), "output": $0.output] })
        }
        if let range = root["name"]?.range ?? root.members.first?.keyRange { places.append(([], range)) }

        if var top = form(root) {
            limits(root, &top.type)
            if top.isOptional { report("spec.syntax", "the whole output cannot be optional", root["type"]?.range) }
            if let inner = top.description {
                if description == nil {
                    schema["description"] = .string(inner)
                } else {
                    report(
                        "spec.syntax", "the output is described twice", root["type"]?.range,
                        help: "keep one description")
                }
            }
            if let value = root["default"] { top.type.schema["default"] = value.value }
            for member in top.type.schema.members { schema[member.key] = member.value }
            places += top.type.places
        }

        if let types, types.kind == .object {
            var definitions = JSONObject()
            var direct: [(name: String, names: [String], range: SourceRange?)] = []
            for member in types.members where names.contains(member.key) {
                guard let definition = definition(member.value) else { continue }
                if definition.isOptional {
                    report(
                        "spec.syntax", "a type cannot be optional", member.value.range,
                        help: "put the '?' on the fields that use it")
                }
                var type = definition.type
                if let description = definition.description { type.schema["description"] = .string(description) }
                definitions[member.key] = .object(type.schema)
                if let range = place(of: member) { places.append((["$defs", member.key], range)) }
                places += type.places.map { (["$defs", member.key] + $0.pointer, $0.range) }
                direct.append((member.key, type.direct, member.keyRange))
            }
            if !definitions.isEmpty { schema["$defs"] = .object(definitions) }
            checkCycles(direct)
            for member in types.members where names.contains(member.key) && !used.contains(member.key) {
                report("spec.unused-type", "the type '\(member.key)' is not used", member.keyRange, severity: .warning)
            }
        }
        var positions: [JSONPointer: SourceRange] = [:]
        for place in places {
            let pointer = JSONPointer(place.pointer)
            if positions[pointer] == nil { positions[pointer] = place.range }
        }
        return SpecConversion(
            schema: .object(schema), name: name, description: description, instruction: instruction, examples: examples,
            positions: positions, diagnostics: diagnostics, document: root.document)
    }

    private mutating func checkTypeName(_ member: Node.Member) -> Bool {
        let name = member.key
        if SpecWords.reserved.contains(name) {
            report(
                "spec.type-name", "'\(name)' is a word of the language and cannot name a type", member.keyRange,
                help: "types are usually written with a capital letter")
            return false
        }
        let isWord = name.utf8.enumerated().allSatisfy { index, byte in
            (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_")
                || (index > 0 && (byte &- 0x30 < 10 || byte == UInt8(ascii: "-")))
        }
        guard isWord, !name.isEmpty, !name.contains("--") else {
            report(
                "spec.type-name", "'\(name)' cannot name a type", member.keyRange,
                help: "use letters, digits, '_' and '-', starting with a letter")
            return false
        }
        return true
    }

    private mutating func checkCycles(_ types: [(name: String, names: [String], range: SourceRange?)]) {
        var edges: [String: [String]] = [:]
        for type in types { edges[type.name] = type.names }
        for type in types {
            var seen: Set<String> = []
            var open = type.names
            while let next = open.popLast() {
                if next == type.name {
                    report(
                        "spec.cycle", "the type '\(type.name)' is defined by itself alone", type.range,
                        help: "a type may contain itself inside fields, a list or a map")
                    break
                }
                if seen.insert(next).inserted { open += edges[next] ?? [] }
            }
        }
    }

    private mutating func examples(_ node: Node?) -> [SpecExample] {
        guard let node else { return [] }
        guard node.kind == .array else {
            report("spec.examples", "'examples' is a list of entries with 'input' and 'output'", node.range)
            return []
        }
        var examples: [SpecExample] = []
        for entry in node.elements {
            guard entry.kind == .object else {
                report("spec.examples", "an example has 'input' and 'output'", entry.range)
                continue
            }
            checkKeys(entry, ["input", "output"], of: "an example")
            guard let input = entry["input"], let output = entry["output"] else {
                report(
                    "spec.examples", "the example lacks '\(entry["input"] == nil ? "input" : "output")'", entry.range)
                continue
            }
            guard let text = input.stringValue else {
                report(
                    "spec.examples", "the input of an example is text", input.range,
                    help: "put it in quotes, or write it below 'input: |'")
                continue
            }
            examples.append(SpecExample(input: text, output: output.value, outputRange: output.range))
        }
        return examples
    }

    /// The text of a key, or nil where it is absent or not text.
    mutating func text(_ node: Node, _ key: String) -> String? {
        guard let value = node[key] else { return nil }
        guard let text = value.stringValue else {
            report("spec.syntax", "'\(key)' must be text", value.range, help: "put it in quotes")
            return nil
        }
        return text.trimmedEnd
    }

    mutating func checkKeys(_ node: Node, _ known: [String], of what: String) {
        for member in node.members where !known.contains(member.key) {
            let key = member.key
            var help = Spelling.closest(to: key, among: known).map { "did you mean '\($0)'?" }
            if help == nil, what == "a field", ["type", "fields"].contains(where: { node[$0] != nil }) {
                help = "to have nested fields named 'type' or 'fields', write them under 'fields:'"
            }
            report(
                "spec.unknown-key", "\(what) has no key '\(key)'", member.keyRange,
                help: help ?? "keys are \(known.joined(separator: ", "))")
        }
    }
}

extension String {
    /// Without the white space at the end.
    var trimmedEnd: String {
        var copy = self
        while let last = copy.unicodeScalars.last, last == " " || last == "\n" || last == "\t" || last == "\r" {
            copy.unicodeScalars.removeLast()
        }
        return copy
    }
}
