// SPDX-License-Identifier: Apache-2.0

public import Documents

/// Says in words what schemas want.
///
///     let explainer = SchemaExplainer(graph)
///     explainer.phrase(graph.root)  // "an object with 'name' (a string) and, if need be, 'age' (an integer)"
public struct SchemaExplainer: Sendable {
    private let graph: SchemaGraph

    /// Phrases are cut off behind this many characters.
    private static let maximumLength = 500
    /// How deep the parts of parts are described.
    private static let maximumDepth = 2
    /// How many properties, alternatives and values are listed.
    private static let maximumListed = 8

    public init(_ graph: SchemaGraph) { self.graph = graph }

    /// A note for a violation: what the schema whose keyword is violated wants, and where it is.
    public func note(for violation: Violation) -> Diagnostic {
        let schema = graph[violation.subschema]
        var text = "the schema wants \(phrase(violation.subschema))"
        if let summary = schema.title ?? schema.summary {
            let line = summary.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            if !line.isEmpty { text += " — \(Self.cut(line, 120))" }
        }
        return .note(text, range: violation.schemaLocation.range)
    }

    /// What a schema wants, as the end of a sentence.
    public func phrase(_ id: SubschemaID) -> String {
        var fuel = 200
        return Self.cut(phrase(id, depth: 0, &fuel), Self.maximumLength)
    }

    private func phrase(_ id: SubschemaID, depth: Int, _ fuel: inout Int) -> String {
        fuel -= 1
        guard fuel > 0 else { return "…" }
        let schema = graph[id]
        if let boolean = schema.boolean { return boolean ? "any value" : "no value at all" }
        if let constant = schema.constant { return "exactly \(Phrase.value(constant))" }
        var parts: [String] = []
        if let values = schema.enumeration {
            let start = values.count == 1 ? "exactly " : "one of "
            parts.append(start + list(values.map { Phrase.value($0) }, "or"))
        } else {
            let own = kinds(schema, depth, &fuel)
            if !own.isEmpty { parts.append(own) }
        }
        if let target = schema.reference { parts.append(reference(target, depth, &fuel)) }
        if let dynamic = schema.dynamicReference { parts.append(reference(dynamic.initial, depth, &fuel)) }
        if let unknown = schema.unresolvedReference {
            parts.append("what '\(unknown)' describes, which is not at hand")
        }
        for branch in schema.allOf.prefix(Self.maximumListed) {
            let text = phrase(branch, depth: depth, &fuel)
            if text != "any value", !parts.contains(text) { parts.append(text) }
        }
        if !schema.anyOf.isEmpty { parts.append("one or more of: " + alternatives(schema.anyOf, depth, &fuel)) }
        if !schema.oneOf.isEmpty { parts.append("exactly one of: " + alternatives(schema.oneOf, depth, &fuel)) }
        if let excluded = schema.not { parts.append("but not " + phrase(excluded, depth: depth + 1, &fuel)) }
        if schema.ifSchema != nil { parts.append("what 'if', 'then' and 'else' say") }
        return parts.isEmpty ? "any value" : parts.joined(separator: ", and ")
    }

    private func reference(_ target: SubschemaID, _ depth: Int, _ fuel: inout Int) -> String {
        // A schema that goes back to itself would never come to an end.
        guard depth < Self.maximumDepth else { return graph[target].title ?? "a part described elsewhere" }
        return phrase(target, depth: depth + 1, &fuel)
    }

    private func alternatives(_ branches: [SubschemaID], _ depth: Int, _ fuel: inout Int) -> String {
        var texts: [String] = []
        for (index, branch) in branches.prefix(Self.maximumListed).enumerated() {
            texts.append("(\(index + 1)) " + phrase(branch, depth: depth + 1, &fuel))
        }
        if branches.count > Self.maximumListed { texts.append("… (\(branches.count) alternatives)") }
        return texts.joined(separator: "; ")
    }

    /// The types of a schema with what it says about each.
    private func kinds(_ schema: Subschema, _ depth: Int, _ fuel: inout Int) -> String {
        let type = schema.type ?? []
        var texts: [String] = []
        let text = string(schema)
        let size = number(schema)
        let elements = array(schema, depth, &fuel)
        let members = object(schema, depth, &fuel)
        if type.contains(.null) { texts.append("null") }
        if type.contains(.boolean) { texts.append("true or false") }
        if type.contains(.number) {
            texts.append("a number" + size)
        } else if type.contains(.integer) {
            texts.append("an integer" + size)
        }
        if type.contains(.string) { texts.append("a string" + text) }
        if type.contains(.array) { texts.append("an array" + elements) }
        if type.contains(.object) { texts.append("an object" + members) }
        if schema.type == nil {
            // Without a type the keywords speak about some values only.
            let details = [("a number", size), ("a string", text), ("an array", elements), ("an object", members)]
            for (kind, detail) in details where !detail.isEmpty { texts.append("if \(kind)," + detail) }
            return texts.isEmpty ? "" : "any value; " + texts.joined(separator: "; ")
        }
        return texts.joined(separator: " or ")
    }

    private func string(_ schema: Subschema) -> String {
        var parts: [String] = []
        if let range = Self.range(schema.minLength, schema.maxLength, "character", "characters") {
            parts.append("of \(range)")
        }
        if let format = schema.format { parts.append("in the format '\(format)'") }
        if let pattern = schema.pattern { parts.append("that matches '\(Self.cut(pattern.source, 80))'") }
        if schema.isVerbatim { parts.append("taken from the source text") }
        return parts.map { " " + $0 }.joined()
    }

    private func number(_ schema: Subschema) -> String {
        var parts: [String] = []
        if let least = schema.minimum, let most = schema.maximum {
            parts.append("from \(least) to \(most)")
        } else {
            if let least = schema.minimum { parts.append("of at least \(least)") }
            if let most = schema.maximum { parts.append("of at most \(most)") }
        }
        if let bound = schema.exclusiveMinimum { parts.append("greater than \(bound)") }
        if let bound = schema.exclusiveMaximum { parts.append("less than \(bound)") }
        if let step = schema.multipleOf { parts.append("that is a multiple of \(step)") }
        return parts.map { " " + $0 }.joined()
    }

    private func array(_ schema: Subschema, _ depth: Int, _ fuel: inout Int) -> String {
        var parts: [String] = []
        if let range = Self.range(schema.minItems, schema.maxItems, "element", "elements") {
            parts.append("of \(range)")
        }
        if schema.uniqueItems { parts.append("without repetitions") }
        guard depth < Self.maximumDepth else { return parts.map { " " + $0 }.joined() }
        if !schema.prefixItems.isEmpty {
            var texts: [String] = []
            for item in schema.prefixItems.prefix(Self.maximumListed) {
                texts.append(phrase(item, depth: depth + 1, &fuel))
            }
            parts.append("that begins with " + texts.joined(separator: ", then "))
        }
        if let items = schema.items {
            let text = phrase(items, depth: depth + 1, &fuel)
            let which = schema.prefixItems.isEmpty ? "whose elements are each" : "whose other elements are each"
            if text != "any value" { parts.append("\(which) \(text)") }
        }
        if let contained = schema.contains {
            parts.append("with an element that is " + phrase(contained, depth: depth + 1, &fuel))
        }
        return parts.map { " " + $0 }.joined()
    }

    private func object(_ schema: Subschema, _ depth: Int, _ fuel: inout Int) -> String {
        var needed: [String] = []
        var possible: [String] = []
        let described = Dictionary(
            schema.properties.map { ($0.key, $0.schema) }, uniquingKeysWith: { _, last in last })
        func name(_ key: String, _ fuel: inout Int) -> String {
            guard depth < Self.maximumDepth, let id = described[key] else { return "'\(key)'" }
            let text = phrase(id, depth: depth + 1, &fuel)
            return text == "any value" ? "'\(key)'" : "'\(key)' (\(text))"
        }
        for key in schema.required.prefix(Self.maximumListed) { needed.append(name(key, &fuel)) }
        let required = Set(schema.required)
        let optional = schema.properties.filter { !required.contains($0.key) }
        for property in optional.prefix(Self.maximumListed) { possible.append(name(property.key, &fuel)) }
        var parts: [String] = []
        if !needed.isEmpty { parts.append("with " + list(needed, "and", of: schema.required.count)) }
        if !possible.isEmpty {
            let start = needed.isEmpty ? "with, if need be, " : "and, if need be, "
            parts.append(start + list(possible, "and", of: optional.count))
        }
        if let rest = schema.additionalProperties ?? schema.unevaluatedProperties {
            let isEmpty = needed.isEmpty && possible.isEmpty && schema.patternProperties.isEmpty
            let text = depth < Self.maximumDepth ? phrase(rest, depth: depth + 1, &fuel) : "any value"
            if text == "no value at all" {
                parts.append(isEmpty ? "without properties" : "and nothing else")
            } else if text != "any value" {
                parts.append((isEmpty ? "whose values are each " : "and others that are each ") + text)
            }
        }
        if let range = Self.range(schema.minProperties, schema.maxProperties, "property", "properties") {
            parts.append("of \(range)")
        }
        return parts.map { " " + $0 }.joined()
    }

    private static func range(_ least: Int?, _ most: Int?, _ one: String, _ many: String) -> String? {
        switch (least ?? 0, most) {
        case (0, nil): nil
        case (let least, nil): "at least \(Phrase.count(least, one, many))"
        case (0, let most?): "at most \(Phrase.count(most, one, many))"
        case (let least, let most?):
            (least == most ? "" : "\(least) to ") + Phrase.count(most, one, many)
        }
    }

    private func list(_ texts: [String], _ word: String, of count: Int? = nil) -> String {
        let shown = Array(texts.prefix(Self.maximumListed))
        let count = count ?? texts.count
        if count > shown.count { return shown.joined(separator: ", ") + ", … (\(count) in all)" }
        guard let last = shown.last, shown.count > 1 else { return shown.joined() }
        return shown.dropLast().joined(separator: ", ") + " \(word) " + last
    }

    private static func cut(_ text: String, _ length: Int) -> String {
        text.count > length ? text.prefix(length) + "…" : text
    }
}
