// SPDX-License-Identifier: Apache-2.0

import Documents

/// Makes the schema of a type and of those that it consists of.
public struct SchemaBuilder: Sendable {
    struct Definition: Sendable {
        var name: String
        /// Nil while it is being made.
        var node: SchemaNode?
        /// How often it is referred to.
        var uses = 1
    }

    private(set) var definitions: [Definition] = []
    private var numbers: [ObjectIdentifier: Int] = [:]
    var problems: [GuideProblem] = []

    init() {}

    /// The schema of a type with guides.
    public mutating func node<Value: Structured>(
        of type: Value.Type, guides: [ValueGuide<Value>] = [], description: String? = nil
    ) -> SchemaNode {
        var node = Value.structuredSchema(in: &self)
        if node.owner.isEmpty { node.owner = "\(Value.self)" }
        node.apply(guides.flatMap(\.rules), problems: &problems)
        if let description { node.description = description }
        return node
    }

    /// The schema of a type with a name, which is written once however often the type occurs.
    ///
    /// - Parameters:
    ///   - type: The type.
    ///   - name: Its name, which gets a number where another type has it.
    ///   - make: Makes the schema, the first time.
    public mutating func named<Value: Structured>(
        _ type: Value.Type, name: String, make: (inout SchemaBuilder) -> SchemaNode
    ) -> SchemaNode {
        if let number = numbers[ObjectIdentifier(type)] {
            definitions[number].uses += 1
            return SchemaNode(.reference(number))
        }
        let number = definitions.count
        numbers[ObjectIdentifier(type)] = number
        let taken = Set(definitions.map(\.name))
        var unique = name
        var count = 2
        while taken.contains(unique) {
            unique = "\(name)\(count)"
            count += 1
        }
        definitions.append(Definition(name: unique))
        var node = make(&self)
        node.owner = unique
        definitions[number].node = node
        return SchemaNode(.reference(number))
    }

    /// The schema of a type with members, in the order in which they are added.
    public mutating func object<Value: Structured>(
        _ type: Value.Type, name: String, description: String? = nil, members: (inout SchemaMembers) -> Void
    ) -> SchemaNode {
        named(type, name: name) { builder in
            var list = SchemaMembers(owner: name, builder: builder)
            members(&list)
            builder = list.builder
            var node = SchemaNode(.object(list.members), type: "object")
            node.description = description
            return node
        }
    }

    /// The schema of a type with a fixed list of values.
    public mutating func choice<Value: StructuredChoice>(_ type: Value.Type) -> SchemaNode {
        let choices = Value.structuredChoices
        return named(type, name: "\(Value.self)") { _ in
            var node = SchemaNode(.plain)
            node.enforced = ["enum": .array(choices.map(\.written.value))]
            node.shown = node.enforced
            node.description = Self.description(
                Value.structuredDescription,
                choices.map { ($0.written.value.stringValue ?? $0.written.json, $0.description) })
            return node
        }
    }

    /// The schema of a type that is one of several things, such as an enum whose cases have values.
    public mutating func alternatives<Value: Structured>(
        _ type: Value.Type, name: String, description: String? = nil,
        alternatives: (inout SchemaAlternatives) -> Void
    ) -> SchemaNode {
        named(type, name: name) { builder in
            var list = SchemaAlternatives(owner: name, builder: builder)
            alternatives(&list)
            builder = list.builder
            var node = SchemaNode(.anyOf(list.nodes))
            node.description = description
            return node
        }
    }

    /// A description with those of the values.
    static func description(_ description: String?, _ values: [(name: String, description: String?)]) -> String? {
        let known = values.compactMap { value in value.description.map { "\(value.name): \($0)" } }
        let parts = [description].compactMap(\.self) + known
        return parts.isEmpty ? nil : parts.joined(separator: known.isEmpty ? "" : "\n")
    }
}

/// Takes the members of an object for its schema.
public struct SchemaMembers: Sendable {
    /// Whether a member must be there.
    public enum Presence: Sendable {
        /// It must.
        case required
        /// It may be absent.
        case optional
        /// It may be absent, and it may be null, which is something else.
        case nullable
    }

    private let owner: String
    fileprivate(set) var builder: SchemaBuilder
    private(set) var members: [SchemaNode.Member] = []

    init(owner: String, builder: SchemaBuilder) {
        self.owner = owner
        self.builder = builder
    }

    /// Adds a member.
    public mutating func property<Value: Structured>(
        _ key: String, _ type: Value.Type, presence: Presence = .required, description: String? = nil,
        guides: [ValueGuide<Value>] = [], default defaultValue: StructuredValue? = nil
    ) {
        var node = Value.structuredSchema(in: &builder)
        node.owner = "\(owner).\(key)"
        node.apply(guides.flatMap(\.rules), problems: &builder.problems)
        if let description { node.description = description }
        if presence == .nullable { node = node.orNull() }
        node.defaultValue = defaultValue.map { given in guides.reduce(given.value) { $1.respell($0) } }
        members.append(SchemaNode.Member(key: key, node: node, isRequired: presence == .required))
    }
}

/// Takes the alternatives of a type for its schema.
///
/// An alternative without values is written as its name, one with values as an object with its name as the only key.
public struct SchemaAlternatives: Sendable {
    private let owner: String
    fileprivate(set) var builder: SchemaBuilder
    private var names: [(name: String, description: String?)] = []
    private var objects: [SchemaNode] = []

    init(owner: String, builder: SchemaBuilder) {
        self.owner = owner
        self.builder = builder
    }

    /// Adds an alternative without values.
    public mutating func plain(_ name: String, description: String? = nil) { names.append((name, description)) }

    /// Adds an alternative with one value.
    public mutating func value<Value: Structured>(_ name: String, _ type: Value.Type, description: String? = nil) {
        var node = Value.structuredSchema(in: &builder)
        node.owner = "\(owner).\(name)"
        add(name, node, description)
    }

    /// Adds an alternative with members.
    public mutating func object(
        _ name: String, description: String? = nil, members: (inout SchemaMembers) -> Void
    ) {
        var list = SchemaMembers(owner: "\(owner).\(name)", builder: builder)
        members(&list)
        builder = list.builder
        var node = SchemaNode(.object(list.members), type: "object")
        node.owner = "\(owner).\(name)"
        add(name, node, description)
    }

    private mutating func add(_ name: String, _ node: SchemaNode, _ description: String?) {
        var object = SchemaNode(.object([SchemaNode.Member(key: name, node: node, isRequired: true)]), type: "object")
        object.description = description
        object.owner = "\(owner).\(name)"
        objects.append(object)
    }

    var nodes: [SchemaNode] {
        guard !names.isEmpty else { return objects }
        var plain = SchemaNode(.plain)
        plain.enforced = ["enum": .array(names.map { .string($0.name) })]
        plain.shown = plain.enforced
        plain.description = SchemaBuilder.description(nil, names)
        plain.owner = owner
        return [plain] + objects
    }
}
