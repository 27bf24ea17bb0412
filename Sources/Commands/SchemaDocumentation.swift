// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// A schema as a page of Markdown: a section with a table of fields for each object, linked with each other.
struct SchemaDocumentation {
    private struct Section {
        var id: SubschemaID
        var heading: String
        var anchor: String
    }

    private let graph: SchemaGraph
    private let explainer: SchemaExplainer
    private var sections: [Section] = []
    private var known: [SubschemaID: Int] = [:]
    private var anchors: Set<String> = []
    /// Enough for people; wide schemas end here.
    private static let maximumSections = 300
    private(set) var text = ""

    init(_ spec: LoadedSpec) {
        graph = spec.graph
        explainer = SchemaExplainer(graph)
        let title = spec.name ?? "Document"
        let root = resolved(graph.root)
        sections.append(Section(id: root.id, heading: title, anchor: anchor(title)))
        known[root.id] = 0
        line("# \(Self.inline(title))\n")
        if let summary = spec.summary { line(Self.paragraph(summary) + "\n") }
        var next = 0
        while next < sections.count {
            let section = sections[next]
            next += 1
            let schema = graph[section.id]
            if next > 1 {
                line("\n## \(Self.inline(section.heading))\n")
                if let summary = schema.summary { line(Self.paragraph(summary) + "\n") }
            }
            describe(schema)
        }
        if sections.count == Self.maximumSections { line("\n… and further objects") }
        let examples = spec.examples.map(\.output) + spec.exampleValues
        if !examples.isEmpty {
            line("\n## Examples")
            for example in examples.prefix(5) {
                line("\n```json\n" + JSONWriter(style: .pretty(indent: 2)).write(example) + "\n```")
            }
        }
    }

    private mutating func line(_ text: String) { self.text += text + "\n" }

    // MARK: Sections

    /// The schema that references lead to.
    private func resolved(_ id: SubschemaID) -> Subschema {
        var schema = graph[id]
        var steps = 0
        while let target = schema.reference, schema.properties.isEmpty, schema.type == nil, steps < 50 {
            schema = graph[target]
            steps += 1
        }
        return schema
    }

    private func isObject(_ schema: Subschema) -> Bool {
        !schema.properties.isEmpty || !schema.patternProperties.isEmpty
    }

    /// The word that GitHub and others make of a heading.
    private mutating func anchor(_ heading: String) -> String {
        var slug = ""
        for character in heading.lowercased() {
            if character.isLetter || character.isNumber || character == "-" || character == "_" {
                slug.append(character)
            } else if character == " " {
                slug.append("-")
            }
        }
        var unique = slug
        var number = 0
        while !anchors.insert(unique).inserted {
            number += 1
            unique = "\(slug)-\(number)"
        }
        return unique
    }

    /// A link to the section about an object, which is written later if it is new.
    private mutating func link(_ schema: Subschema, _ path: String) -> String {
        if let index = known[schema.id] {
            return "[\(Self.inline(sections[index].heading))](#\(sections[index].anchor))"
        }
        guard sections.count < Self.maximumSections else { return "object" }
        let tokens = schema.node.pointer.tokens
        let isDefinition = tokens.count >= 2 && ["$defs", "definitions"].contains(tokens[tokens.count - 2])
        let heading = schema.title ?? (isDefinition ? tokens[tokens.count - 1] : path)
        known[schema.id] = sections.count
        sections.append(Section(id: schema.id, heading: heading, anchor: anchor(heading)))
        return link(schema, path)
    }

    private mutating func describe(_ schema: Subschema) {
        var rest = false
        if isObject(schema) {
            line("| field | type | required | default | description |")
            line("|---|---|---|---|---|")
            for property in schema.properties {
                let field = graph[property.schema]
                let target = resolved(property.schema)
                let fallback = field.defaultValue ?? target.defaultValue
                row([
                    Self.code(property.key), kind(property.schema, property.key),
                    schema.required.contains(property.key) ? "yes" : "no",
                    fallback.map { Self.code($0.description) } ?? "",
                    Self.paragraph(field.summary ?? field.title ?? target.summary ?? target.title ?? ""),
                ])
            }
            for entry in schema.patternProperties {
                let field = graph[entry.schema]
                row([
                    "keys that match " + Self.code(entry.pattern.source), kind(entry.schema, "values"), "no", "",
                    Self.paragraph(field.summary ?? field.title ?? ""),
                ])
            }
            if let others = schema.additionalProperties, graph[others].boolean != false {
                row(["any other", kind(others, "others"), "no", "", Self.paragraph(graph[others].summary ?? "")])
            }
            rest = true
        } else if schema.allOf.isEmpty, schema.anyOf.isEmpty, schema.oneOf.isEmpty {
            line(Self.sentence(kind(schema.id, "element", isTop: true)))
        }
        if rest, let sentence = closing(schema) { line("\n" + sentence) }
        for (title, parts) in [
            ("All of:", schema.allOf), ("At least one of:", schema.anyOf), ("Exactly one of:", schema.oneOf),
        ] where !parts.isEmpty {
            line("\n\(title)\n")
            for (index, part) in parts.enumerated() { line("- " + kind(part, "alternative \(index + 1)")) }
        }
    }

    /// What is said about an object beside its fields.
    private func closing(_ schema: Subschema) -> String? {
        var parts: [String] = []
        if let others = schema.additionalProperties ?? schema.unevaluatedProperties, graph[others].boolean == false {
            parts.append("Other fields are not allowed.")
        }
        if let least = schema.minProperties { parts.append("At least \(least) fields.") }
        if let most = schema.maxProperties { parts.append("At most \(most) fields.") }
        for entry in schema.dependentRequired where !entry.required.isEmpty {
            parts.append(
                "With \(Self.code(entry.key)) there must be " + entry.required.map(Self.code).joined(separator: ", ")
                    + ".")
        }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    // MARK: Types

    /// What a value can be, in words, with links to objects.
    private mutating func kind(_ id: SubschemaID, _ path: String, isTop: Bool = false, depth: Int = 0) -> String {
        let schema = resolved(id)
        if !isTop, isObject(schema) { return link(schema, path) }
        guard depth < 4 else { return "…" }
        if let items = schema.items, schema.prefixItems.isEmpty, hasObject(items, 0) {
            var text = "list of " + kind(items, path, depth: depth + 1)
            switch (schema.minItems ?? 0, schema.maxItems) {
            case (0, nil): break
            case (let least, nil): text += ", at least \(least)"
            case (0, let most?): text += ", at most \(most)"
            case (let least, let most?): text += least == most ? ", \(most) of them" : ", \(least) to \(most)"
            }
            if schema.uniqueItems { text += ", no two equal" }
            return text
        }
        let choices = schema.anyOf + schema.oneOf
        if !isTop, !choices.isEmpty, hasObject(schema.id, 0) {
            var texts: [String] = []
            for (index, choice) in choices.prefix(12).enumerated() {
                texts.append(kind(choice, choices.count > 1 ? "\(path) (\(index + 1))" : path, depth: depth + 1))
            }
            if choices.count > 12 { texts.append("…") }
            return texts.joined(separator: " or ")
        }
        if let others = schema.additionalProperties, schema.type == .object, hasObject(others, 0) {
            return "object with values that are each " + kind(others, path, depth: depth + 1)
        }
        return Self.inline(explainer.phrase(schema.id))
    }

    /// Whether a schema has a part that gets a section of its own.
    private func hasObject(_ id: SubschemaID, _ depth: Int) -> Bool {
        let schema = resolved(id)
        if isObject(schema) { return true }
        guard depth < 4 else { return false }
        let parts = schema.anyOf + schema.oneOf + [schema.items, schema.additionalProperties].compactMap(\.self)
        return parts.contains { hasObject($0, depth + 1) }
    }

    // MARK: Text

    private mutating func row(_ cells: [String]) { line("| " + cells.joined(separator: " | ") + " |") }

    private static func sentence(_ text: String) -> String {
        guard let first = text.first else { return text }
        return first.uppercased() + text.dropFirst() + "."
    }

    /// Text within a line or cell, with the signs of Markdown as they are.
    static func inline(_ text: String) -> String {
        var result = ""
        for character in text {
            if character.isNewline {
                result.append(" ")
            } else {
                if "\\|<>[]*_`#".contains(character) { result.append("\\") }
                result.append(character)
            }
        }
        return result
    }

    /// What the author wrote, which may be Markdown, on one line.
    private static func paragraph(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ").replacing("|", with: "\\|")
    }

    /// Text as code; in tables bars must be escaped even there.
    static func code(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ").replacing("|", with: "\\|")
        let longest = line.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: longest + 1)
        let space = line.hasPrefix("`") || line.hasSuffix("`") ? " " : ""
        return fence + space + line + space + fence
    }
}
