// SPDX-License-Identifier: Apache-2.0

import Documents

/// The JSON schema of a type.
///
///     print(StructuredSchema(of: Contact.self))
public struct StructuredSchema: Sendable, CustomStringConvertible {
    /// The schema that values are held to.
    let enforced: JSONValue
    /// The schema as the model is shown it, without what goes without saying.
    let shown: JSONValue
    /// The type's name.
    let name: String
    /// What is wrong with the guides.
    let problems: [GuideProblem]
    /// Who is responsible for what stands at a place of the schema, by its pointer.
    let places: [String: Place]

    struct Place: Sendable {
        var owner: String
        /// The guides that set keywords there.
        var guides: [String: String]
    }

    /// Derives the schema of a type.
    public init<Value: Structured>(of type: Value.Type) {
        var builder = SchemaBuilder()
        let root = builder.node(of: type)
        problems = builder.problems
        name = "\(Value.self)"
        var writer = SchemaWriter(definitions: builder.definitions, isShown: false)
        enforced = writer.document(root)
        places = writer.places
        var shownWriter = SchemaWriter(definitions: builder.definitions, isShown: true)
        shown = shownWriter.document(root)
    }

    /// The schema in JSON, dialect 2020-12, on several lines.
    public var json: String { JSONWriter(style: .pretty(indent: 2)).write(enforced) }

    public var description: String { json }
}

/// Writes schema nodes as JSON.
private struct SchemaWriter {
    let definitions: [SchemaBuilder.Definition]
    /// Whether the schema is one to show.
    let isShown: Bool
    private(set) var places: [String: StructuredSchema.Place] = [:]
    private let inlined: Set<Int>

    init(definitions: [SchemaBuilder.Definition], isShown: Bool) {
        self.definitions = definitions
        self.isShown = isShown
        inlined = Set(definitions.indices.filter { definitions[$0].uses == 1 })
    }

    /// The whole schema, with the definitions of types that occur more than once.
    mutating func document(_ root: SchemaNode) -> JSONValue {
        var object = JSONObject()
        if !isShown {
            object.append(key: "$schema", value: "https://json-schema.org/draft/2020-12/schema")
        }
        for (key, value) in write(root, at: "") { object.append(key: key, value: value) }
        var defined = JSONObject()
        for (number, definition) in definitions.enumerated() where !inlined.contains(number) {
            guard let node = definition.node else { continue }
            defined.append(key: definition.name, value: .object(write(node, at: "/$defs/" + escape(definition.name))))
        }
        if !defined.isEmpty { object.append(key: "$defs", value: .object(defined)) }
        return .object(object)
    }

    private func escape(_ key: String) -> String { JSONPointer([key]).description.dropFirst().description }

    // Types that refer to themselves are not inlined, so the depth is that of the types.
    private mutating func write(_ node: SchemaNode, at pointer: String) -> JSONObject {
        if case .reference(let number) = node.shape, inlined.contains(number), var inner = definitions[number].node {
            // The property says more about itself than its type does.
            inner.description = node.description ?? inner.description
            inner.defaultValue = node.defaultValue
            for (key, value) in node.enforced { inner.enforced.append(key: key, value: value) }
            for (key, value) in node.shown { inner.shown.append(key: key, value: value) }
            inner.guides.merge(node.guides) { $1 }
            if !node.owner.isEmpty { inner.owner = node.owner }
            return write(inner, at: pointer)
        }
        places[pointer] = StructuredSchema.Place(owner: node.owner, guides: node.guides)
        var object = JSONObject()
        if case .reference(let number) = node.shape {
            let reference = "#/$defs/" + escape(definitions[number].name)
            object.append(key: "$ref", value: .string(reference))
        }
        if let type = node.type { object.append(key: "type", value: .string(type)) }
        if let description = node.description { object.append(key: "description", value: .string(description)) }
        for (key, value) in isShown ? node.shown : node.enforced { object.append(key: key, value: value) }
        if !isShown, object["enum"] == nil, object["const"] == nil {
            for (key, value) in node.implied where object[key] == nil && !isSuperseded(key, object) {
                object.append(key: key, value: value)
            }
        }
        if let value = node.defaultValue { object.append(key: "default", value: value) }
        writeShape(node, at: pointer, into: &object)
        return object
    }

    /// Whether a bound says more than the one of the type.
    private func isSuperseded(_ key: String, _ object: JSONObject) -> Bool {
        switch key {
        case "minimum": object["exclusiveMinimum"] != nil
        case "maximum": object["exclusiveMaximum"] != nil
        case "format": object["format"] != nil
        default: false
        }
    }

    private mutating func writeShape(_ node: SchemaNode, at pointer: String, into object: inout JSONObject) {
        switch node.shape {
        case .plain, .reference: break
        case .array(let element):
            object.append(key: "items", value: .object(write(element, at: pointer + "/items")))
        case .map(let value, let keys):
            if let keys {
                object.append(key: "propertyNames", value: .object(write(keys, at: pointer + "/propertyNames")))
            }
            object.append(
                key: "additionalProperties", value: .object(write(value, at: pointer + "/additionalProperties")))
        case .anyOf(let nodes):
            let written = nodes.enumerated().map { JSONValue.object(write($1, at: "\(pointer)/anyOf/\($0)")) }
            object.append(key: "anyOf", value: .array(written))
        case .object(let members):
            var properties = JSONObject()
            for member in members {
                let place = pointer + "/properties/" + escape(member.key)
                properties.append(key: member.key, value: .object(write(member.node, at: place)))
            }
            object.append(key: "properties", value: .object(properties))
            let required = members.filter(\.isRequired).map { JSONValue.string($0.key) }
            if !required.isEmpty { object.append(key: "required", value: .array(required)) }
            object.append(key: "additionalProperties", value: false)
        }
    }
}
