// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// The fields of a schema as rows for people: path, type, description.
struct FieldTable {
    struct Row {
        var path: String
        var type: String
        var isRequired: Bool
        var summary: String
    }

    private(set) var rows: [Row] = []
    private let graph: SchemaGraph
    /// Enough for people; recursion and wide schemas end here.
    private static let limit = 500

    init(_ graph: SchemaGraph) {
        self.graph = graph
        add(graph.root, path: "", isRequired: true, open: [])
    }

    private mutating func add(_ id: SubschemaID, path: String, isRequired: Bool, open: Set<SubschemaID>) {
        guard rows.count < Self.limit else { return }
        let schema = resolved(id)
        if !path.isEmpty || schema.properties.isEmpty {
            rows.append(
                Row(
                    path: path.isEmpty ? "(document)" : path, type: type(of: schema), isRequired: isRequired,
                    summary: schema.summary ?? schema.title ?? ""))
        }
        guard !open.contains(schema.id), open.count < 16 else { return }
        let inside = open.union([schema.id])
        for property in schema.properties {
            add(
                property.schema, path: path.isEmpty ? property.key : "\(path).\(property.key)",
                isRequired: schema.required.contains(property.key), open: inside)
        }
        if let items = schema.items, !resolved(items).properties.isEmpty {
            for property in resolved(items).properties {
                add(
                    property.schema, path: "\(path)[].\(property.key)",
                    isRequired: resolved(items).required.contains(property.key),
                    open: inside.union([resolved(items).id]))
            }
        }
    }

    private func resolved(_ id: SubschemaID) -> Subschema {
        var schema = graph[id]
        var steps = 0
        while let next = schema.reference, schema.properties.isEmpty, steps < 16 {
            schema = graph[next]
            steps += 1
        }
        return schema
    }

    private func type(of schema: Subschema) -> String {
        if let boolean = schema.boolean { return boolean ? "anything" : "nothing" }
        let writer = JSONWriter(style: .compact)
        if let constant = schema.constant { return "`\(writer.write(constant))`" }
        if let values = schema.enumeration {
            let shown = values.prefix(12).map { "`\(writer.write($0))`" }.joined(separator: ", ")
            return "one of " + shown + (values.count > 12 ? ", …" : "")
        }
        var text = schema.type?.description ?? "anything"
        if let format = schema.format { text += " (\(format))" }
        if let pattern = schema.pattern { text += " matching `\(pattern.source)`" }
        if let low = schema.minimum { text += " ≥ \(low)" }
        if let low = schema.exclusiveMinimum { text += " > \(low)" }
        if let high = schema.maximum { text += " ≤ \(high)" }
        if let high = schema.exclusiveMaximum { text += " < \(high)" }
        if let step = schema.multipleOf { text += ", multiple of \(step)" }
        if let least = schema.minLength { text += ", at least \(least) characters" }
        if let most = schema.maxLength { text += ", at most \(most) characters" }
        if let items = schema.items { text += " of \(type(of: resolved(items)))" }
        if let least = schema.minItems { text += ", at least \(least)" }
        if let most = schema.maxItems { text += ", at most \(most)" }
        if schema.uniqueItems { text += ", no two equal" }
        return text
    }
}
