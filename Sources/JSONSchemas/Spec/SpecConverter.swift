// SPDX-License-Identifier: Apache-2.0

import Documents

/// The state of one conversion from JSON Schema.
struct SpecConverter {
    private let root: Node
    private(set) var diagnostics: [Diagnostic] = []
    /// Names of types by the key under `$defs` or `definitions`.
    private var typeNames: [ScalarString: String] = [:]
    private var isCurrentDialect = true
    private var depth = 0

    /// Keywords that say something about the schema and do not restrict values.
    static let annotations: Set<String> = ["title", "description", "default", "examples"]
    static let dropped: Set<String> = [
        "$comment", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema",
    ]
    static let numeric = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
    static let textual = ["minLength", "maxLength", "pattern", "format", "x-verbatim"]
    /// Extensions with a meaning for documents.
    static let extensions: Set<String> = ["x-order", "x-verbatim"]

    init(root: Node) { self.root = root }

    private mutating func report(
        _ id: DiagnosticID, _ message: String, _ node: Node, severity: Diagnostic.Severity = .error, help: String? = nil
    ) {
        diagnostics.append(
            Diagnostic(id, message, severity: severity, range: node.range, path: node.pointer, help: help))
    }

    mutating func convert() -> JSONValue {
        guard root.kind == .object else {
            if root.boolValue == true { return ["type": "any"] }
            report("spec.unsupported", "this schema allows no value; the short form has no word for that", root)
            return [:]
        }
        if let dialect = root["$schema"]?.stringValue {
            isCurrentDialect = dialect.contains("2020-12")
        }
        nameTypes()

        var spec = JSONObject()
        if let name = root["title"] { spec["name"] = name.value }
        if let description = root["description"] { spec["description"] = description.value }
        if let instruction = root["x-instruction"] { spec["instruction"] = instruction.value }
        for key in ["$id", "id"] {
            if let node = root[key] { report("spec.not-kept", "'\(key)' is not kept", node, severity: .warning) }
        }
        let ignored: Set = [
            "$schema", "title", "description", "x-instruction", "x-examples", "$defs", "definitions", "$id", "id",
        ]
        let body = form(root, ignoring: ignored)
        switch body {
        case .string: spec["type"] = body
        case .object(let object):
            if SpecBuilder.forms.contains(where: { object[$0] != nil }) {
                for member in object.members where member.key != "optional" { spec[member.key] = member.value }
            } else {
                spec["fields"] = body
            }
        default: spec["type"] = body
        }
        // The root's 'examples' are values; a spec's are pairs.
        if let values = spec["examples"] {
            spec["examples"] = nil
            if let node = root["examples"], !values.isNull {
                report(
                    "spec.not-kept", "'examples' at the top holds no inputs and is not kept", node, severity: .warning)
            }
        }
        var types = JSONObject()
        for key in ["$defs", "definitions"] {
            for member in root[key]?.members ?? Document(value: [:]).root.members {
                guard let name = typeNames[ScalarString(member.key)] else { continue }
                types[name] = definition(member.value)
            }
        }
        if !types.isEmpty { spec["types"] = .object(types) }
        if let examples = root["x-examples"] { spec["examples"] = examples.value }
        return .object(spec)
    }

    private mutating func nameTypes() {
        var taken: Set<String> = []
        for key in ["$defs", "definitions"] {
            for member in root[key]?.members ?? Document(value: [:]).root.members {
                var name = ""
                for scalar in member.key.unicodeScalars {
                    let isLetter = scalar.isASCII && (scalar.properties.isAlphabetic || scalar == "_")
                    let isDigit = ("0"..."9").contains(scalar)
                    if isLetter || (isDigit && !name.isEmpty) {
                        name.unicodeScalars.append(scalar)
                    } else if scalar == "-", !name.isEmpty, !name.hasSuffix("-") {
                        name += "-"
                    } else if !name.hasSuffix("_") {
                        name += "_"
                    }
                }
                if name.isEmpty { name = "Type" }
                if SpecWords.reserved.contains(name) { name = name.prefix(1).uppercased() + name.dropFirst() }
                if SpecWords.reserved.contains(name) || taken.contains(name) {
                    var number = 2
                    while taken.contains("\(name)\(number)") { number += 1 }
                    name = "\(name)\(number)"
                }
                taken.insert(name)
                typeNames[ScalarString(member.key)] = name
            }
        }
    }

    /// The name of the type that a reference points to.
    func typeName(_ reference: String) -> String? {
        guard reference.hasPrefix("#"), let pointer = JSONPointer(fragment: String(reference.dropFirst())) else {
            return nil
        }
        guard pointer.tokens.count == 2, pointer.tokens[0] == "$defs" || pointer.tokens[0] == "definitions" else {
            return nil
        }
        guard root[pointer.tokens[0]]?[pointer.tokens[1]] != nil else { return nil }
        return typeNames[ScalarString(pointer.tokens[1])]
    }

    // MARK: Definitions

    /// A schema as the value of a field or of a named type.
    private mutating func definition(_ schema: Node, optional: Bool = false) -> JSONValue {
        let body = form(schema, ignoring: [])
        let description = schema["description"]?.stringValue
        var extra = JSONObject()
        for key in ["title", "default", "examples"] { if let node = schema[key] { extra[key] = node.value } }
        if case .string(let expression) = body {
            let mark = optional ? " ?" : ""
            if extra.isEmpty {
                guard let description else { return .string(expression + mark) }
                let line = "\(expression)\(mark) -- \(description)"
                if line.unicodeScalars.count <= 96, isTrailing(description) { return .string(line) }
            }
            var long: JSONObject = ["type": .string(expression + mark)]
            if let description { long["description"] = .string(description) }
            for member in extra.members { long[member.key] = member.value }
            return .object(long)
        }
        guard case .object(let object) = body else { return body }
        let isForm = SpecBuilder.forms.contains { object[$0] != nil }
        if !isForm, description == nil, extra.isEmpty, !optional { return body }
        if !isForm, object["json schema"] == nil {
            var long = JSONObject()
            if let description { long["description"] = .string(description) }
            if optional { long["optional"] = true }
            for member in extra.members { long[member.key] = member.value }
            long["fields"] = body
            return .object(long)
        }
        var long = object
        if object["json schema"] == nil {
            if let description { long["description"] = .string(description) }
            for member in extra.members { long[member.key] = member.value }
        }
        if optional { long["optional"] = true }
        return .object(long)
    }

    /// Whether a description keeps its text behind ` -- `.
    private func isTrailing(_ description: String) -> Bool {
        guard let first = description.unicodeScalars.first, let last = description.unicodeScalars.last else {
            return false
        }
        return first != " " && last != " " && description.unicodeScalars.allSatisfy { $0.value >= 0x20 }
    }

    /// The schema without its annotations: an expression, a record's fields, or a long form.
    private mutating func form(_ schema: Node, ignoring ignored: Set<String>) -> JSONValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= SpecBuilder.maximumDepth else {
            report("spec.too-deep", "schemas are nested more than \(SpecBuilder.maximumDepth) deep", schema)
            return "any"
        }
        let keywords = self.keywords(schema, ignoring: ignored)
        if let expression = expression(schema, keywords) { return .string(expression) }
        if let form = structure(schema, keywords) { return form }
        return embed(schema, keywords, ignoring: ignored)
    }

    /// The keywords that restrict values; says which others are not kept.
    private mutating func keywords(_ schema: Node, ignoring ignored: Set<String>) -> [String] {
        var result: [String] = []
        for member in schema.members where !ignored.contains(member.key) && !Self.annotations.contains(member.key) {
            if Self.dropped.contains(member.key) || (member.key.hasPrefix("x-") && !Self.extensions.contains(member.key)) {
                report("spec.not-kept", "'\(member.key)' is not kept", member.keyNode, severity: .warning)
            } else {
                result.append(member.key)
            }
        }
        return result
    }

    // MARK: Records, lists and maps of them

    private mutating func structure(_ schema: Node, _ keywords: [String]) -> JSONValue? {
        var types = typeList(schema["type"]) ?? []
        let nullable = types.count == 2 && types.contains("null")
        if nullable { types.removeAll { $0 == "null" } }
        if keywords == ["anyOf"], let choices = schema["anyOf"]?.elements, choices.count == 2,
            let null = choices.firstIndex(where: { $0.count == 1 && $0["type"]?.stringValue == "null" })
        {
            let body = definition(choices[1 - null])
            return nullableForm(body)
        }
        guard types.count == 1 else { return nil }
        var result: JSONObject
        switch types[0] {
        case "object":
            guard let object = record(schema, keywords) ?? map(schema, keywords) else { return nil }
            result = object
        case "array":
            guard let list = list(schema, keywords) else { return nil }
            result = list
        default: return nil
        }
        if nullable { result["nullable"] = true }
        // Plain fields need no long form.
        if result.count == 1, let fields = result["fields"]?.objectValue,
            !SpecBuilder.forms.contains(where: { fields[$0] != nil })
        {
            return .object(fields)
        }
        return .object(result)
    }

    private func nullableForm(_ body: JSONValue) -> JSONValue? {
        guard case .object(var object) = body, object["json schema"] == nil, object["nullable"] == nil else {
            return nil
        }
        if !SpecBuilder.forms.contains(where: { object[$0] != nil }) { object = ["fields": body] }
        object["nullable"] = true
        return .object(object)
    }

    private mutating func record(_ schema: Node, _ keywords: [String]) -> JSONObject? {
        guard let properties = schema["properties"], properties.kind == .object else { return nil }
        let known = ["type", "properties", "required", "additionalProperties", "x-order"]
        guard keywords.allSatisfy({ known.contains($0) }) else { return nil }
        var isOpen = true
        if let additional = schema["additionalProperties"] {
            guard let flag = additional.boolValue else { return nil }
            isOpen = flag
        }
        let required = schema["required"]?.elements.compactMap(\.stringValue) ?? []
        let names = Set(properties.members.map { ScalarString($0.key) })
        guard required.allSatisfy({ names.contains(ScalarString($0)) }) else { return nil }
        let requiredNames = Set(required.map { ScalarString($0) })
        var members = Array(properties.members)
        if let list = schema["x-order"] {
            // Fields come in the order in which they are written.
            let order = list.elements.compactMap(\.stringValue).map { ScalarString($0) }
            guard list.kind == .array, order.count == list.count, Set(order).count == order.count,
                order.allSatisfy({ names.contains($0) })
            else { return nil }
            let first = order.compactMap { name in members.first { ScalarString($0.key) == name } }
            members = first + members.filter { !order.contains(ScalarString($0.key)) }
        }
        var fields = JSONObject()
        for member in members {
            guard !member.key.isEmpty, member.value.kind == .object || member.value.kind == .bool else { return nil }
            let name = member.key.hasSuffix("?") ? String(member.key.dropLast()) + "\\?" : member.key
            fields[name] = definition(member.value, optional: !requiredNames.contains(ScalarString(member.key)))
        }
        var result: JSONObject = ["fields": .object(fields)]
        if isOpen { result["open"] = true }
        return result
    }

    private mutating func map(_ schema: Node, _ keywords: [String]) -> JSONObject? {
        let known = ["type", "additionalProperties", "minProperties", "maxProperties", "propertyNames"]
        guard keywords.allSatisfy({ known.contains($0) }), let values = schema["additionalProperties"] else {
            return nil
        }
        guard values.kind == .object else { return nil }
        var result = JSONObject()
        if let names = schema["propertyNames"] {
            guard names.count == 1, let pattern = names["pattern"] else { return nil }
            result["keys"] = pattern.value
        }
        for (key, name) in [("minProperties", "min"), ("maxProperties", "max")] {
            if let node = schema[key] { result[name] = node.value }
        }
        result = JSONObject([(key: "map of", value: definition(values))] + result.members)
        return result
    }

    private mutating func list(_ schema: Node, _ keywords: [String]) -> JSONObject? {
        let known = ["type", "items", "minItems", "maxItems", "uniqueItems"]
        guard keywords.allSatisfy({ known.contains($0) }), let items = schema["items"], items.kind == .object else {
            return nil
        }
        var result: JSONObject = ["list of": definition(items)]
        for (key, name) in [("minItems", "min"), ("maxItems", "max")] {
            if let node = schema[key] { result[name] = node.value }
        }
        if schema["uniqueItems"]?.boolValue == true { result["unique"] = true }
        return result
    }

    // MARK: What has no words

    private mutating func embed(_ schema: Node, _ keywords: [String], ignoring ignored: Set<String>) -> JSONValue {
        let known = Set(
            ["type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref"]
                + Self.numeric + Self.textual + ["minItems", "maxItems", "uniqueItems"])
        let named = keywords.filter { !known.contains($0) }
        let what = (named.isEmpty ? keywords : named).map { "'\($0)'" }.joined(separator: ", ")
        guard isCurrentDialect else {
            report(
                "spec.unsupported", "the short form has no words for \(what)", schema,
                help: "convert the schema to dialect 2020-12 first")
            return "any"
        }
        report(
            "spec.embedded", "the short form has no words for \(what); this part is kept as JSON Schema", schema,
            severity: .warning)
        var object = JSONObject()
        for member in schema.members where !ignored.contains(member.key) {
            object[member.key] = rewritten(member.value, isReference: member.key == "$ref")
        }
        return ["json schema": .object(object)]
    }

    /// The value with references to named types under their names here.
    private mutating func rewritten(_ node: Node, isReference: Bool = false) -> JSONValue {
        switch node.kind {
        case .string where isReference:
            let reference = node.stringValue ?? ""
            guard let name = typeName(reference) else {
                report(
                    "spec.reference", "the reference '\(reference)' cannot be kept", node,
                    help: "move what it points to under '$defs'")
                return node.value
            }
            return .string("#/$defs/" + name)
        case .array: return .array(node.elements.map { rewritten($0) })
        case .object:
            var object = JSONObject()
            for member in node.members {
                object[member.key] = rewritten(
                    member.value, isReference: member.key == "$ref" && member.value.kind == .string)
            }
            return .object(object)
        default: return node.value
        }
    }
}
