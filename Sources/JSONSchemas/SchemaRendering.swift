// SPDX-License-Identifier: Apache-2.0

public import Documents

/// Writes schemas for a reader who needs their meaning only, such as a language model.
public enum SchemaRendering {
    /// The schema of a graph as compact JSON; see ``compact(_:)``.
    public static func compact(_ graph: SchemaGraph) -> String { compact(graph[graph.root].node) }

    /// A schema as JSON on one line, keys in their order, without what says nothing about documents: `$schema`,
    /// identifiers, titles, comments and `x-…` extensions; `x-order` becomes the order of `properties`. Descriptions
    /// stay.
    public static func compact(_ schema: Node) -> String {
        JSONWriter(style: .compact).write(reduced(schema))
    }

    /// The schema without the noise, as a value.
    public static func reduced(_ schema: Node) -> JSONValue {
        let declared = schema["$schema"]?.stringValue.flatMap { Draft(schemaURI: $0) }
        return reduced(schema, draft: declared ?? .draft202012)
    }

    // The depth is that of the document, which its reader bounds.
    private static func reduced(_ schema: Node, draft: Draft) -> JSONValue {
        guard schema.kind == .object else { return schema.value }
        var object = JSONObject()
        for member in schema.members {
            let name = member.key
            guard let keyword = Keyword(name: name), keyword.isKnown(in: draft) else {
                if !name.hasPrefix("x-"), !name.hasPrefix("$") { object.append(key: name, value: member.value.value) }
                continue
            }
            switch keyword {
            case .schema, .id, .legacyID, .anchor, .vocabulary, .comment, .title, .verbatim, .order: continue
            case .properties where member.value.kind == .object:
                object.append(key: name, value: properties(member.value, schema, draft))
            default: object.append(key: name, value: reduced(member.value, keyword.shape(in: draft), draft))
            }
        }
        return .object(object)
    }

    /// The subschemas of an object's properties, in the order in which they are generated.
    private static func properties(_ value: Node, _ schema: Node, _ draft: Draft) -> JSONValue {
        let order = (schema[Keyword.order.rawValue]?.elements.compactMap(\.stringValue) ?? []).enumerated()
        let places = Dictionary(order.map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        let members = Array(value.members).enumerated().sorted {
            (places[$0.element.key] ?? .max, $0.offset) < (places[$1.element.key] ?? .max, $1.offset)
        }
        var map = JSONObject()
        for (_, member) in members { map.append(key: member.key, value: reduced(member.value, draft: draft)) }
        return .object(map)
    }

    private static func reduced(_ value: Node, _ shape: Keyword.Shape, _ draft: Draft) -> JSONValue {
        switch (shape, value.kind) {
        case (.none, _): return value.value
        case (.schemaMap, .object), (.dependencyMap, .object):
            var map = JSONObject()
            for member in value.members { map.append(key: member.key, value: reduced(member.value, draft: draft)) }
            return .object(map)
        case (_, .array): return .array(value.elements.map { reduced($0, draft: draft) })
        default: return reduced(value, draft: draft)
        }
    }
}
