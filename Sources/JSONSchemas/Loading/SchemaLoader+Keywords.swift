// SPDX-License-Identifier: Apache-2.0

import Documents
import Patterns

extension SchemaLoader {
    /// Reads the keywords of a subschema that was numbered before.
    mutating func read(_ id: SubschemaID) {
        let slot = Int(id.rawValue)
        let node = subschemas[slot].node
        let resource = Int(subschemas[slot].resource.rawValue)
        switch node.kind {
        case .bool:
            subschemas[slot].boolean = node.boolValue
            return
        case .object: break
        default:
            report(
                "schema.not-a-schema", "a schema is an object or a boolean, not \(node.kind.phrase)", node)
            return
        }
        var reader = KeywordReader(
            node: node, resource: resource, dialect: resources[resource].origin.dialect, schema: subschemas[slot])
        reader.schema.formatIsAsserted = reader.dialect.vocabularies.contains(.formatAssertion)
        reader.schema.containsEvaluates = reader.dialect.draft >= .draft202012
        if reader.dialect.referenceHidesSiblings, let member = node["$ref"], member.kind == .string {
            readReference(member, into: &reader)
            for member in node.members {
                readAnnotation(Keyword(name: member.key), member.value, into: &reader)
            }
        } else {
            for member in node.members { read(member, into: &reader) }
            finish(&reader)
        }
        subschemas[slot] = reader.schema
    }

    /// A subschema while its keywords are read.
    struct KeywordReader {
        let node: Node
        let resource: Int
        let dialect: Dialect
        var schema: Subschema
        /// In draft 3 types may be schemas.
        var draft3Types: Node?
    }

    private mutating func read(_ member: Node.Member, into reader: inout KeywordReader) {
        let name = member.key
        let value = member.value
        guard let keyword = Keyword(name: name), keyword.isActive(in: reader.dialect) else {
            noteUnknown(name, member, into: &reader)
            return
        }
        switch keyword {
        case .reference: readReference(value, into: &reader)
        case .dynamicReference, .recursiveReference: readDynamicReference(keyword, value, into: &reader)

        case .type: readTypes(value, into: &reader)
        case .enumeration:
            guard expect(.array, value, keyword) else { return }
            reader.schema.enumeration = value.elements.map(\.value)
        case .constant: reader.schema.constant = value.value

        case .minimum: reader.schema.minimum = number(value, keyword)
        case .maximum: reader.schema.maximum = number(value, keyword)
        case .exclusiveMinimum where reader.dialect.draft >= .draft6:
            reader.schema.exclusiveMinimum = number(value, keyword)
        case .exclusiveMaximum where reader.dialect.draft >= .draft6:
            reader.schema.exclusiveMaximum = number(value, keyword)
        case .exclusiveMinimum, .exclusiveMaximum:
            // The boolean of draft 4 changes its neighbour; see `finish`.
            if value.kind == .number {
                report(
                    "schema.invalid-value",
                    "'\(keyword.rawValue)' is a boolean in \(reader.dialect.draft.displayName), not a number", value,
                    help: "declare a newer draft with '$schema'")
            } else {
                _ = expect(.bool, value, keyword)
            }
        case .multipleOf, .divisibleBy:
            guard let number = number(value, keyword) else { return }
            guard !number.isZero, !number.isNegative else {
                report("schema.invalid-value", "'\(keyword.rawValue)' must be greater than zero", value)
                return
            }
            reader.schema.multipleOf = number

        case .minLength: reader.schema.minLength = count(value, keyword)
        case .maxLength: reader.schema.maxLength = count(value, keyword)
        case .pattern: reader.schema.pattern = pattern(value, keyword: keyword)
        case .format:
            guard expect(.string, value, keyword) else { return }
            reader.schema.format = value.stringValue.map { Self.currentFormat($0, in: reader.dialect.draft) }

        case .prefixItems: reader.schema.prefixItems = schemas(value, keyword, reader.resource)
        case .items:
            if value.kind == .array, reader.dialect.draft < .draft202012 {
                reader.schema.prefixItems = schemas(value, keyword, reader.resource, mayBeEmpty: true)
            } else if value.kind == .array {
                report(
                    "schema.invalid-value", "'items' must be a schema in \(reader.dialect.draft.displayName)", value,
                    help: "a list of schemas by position is written 'prefixItems'; before 2020-12 it was 'items':"
                        + " declare an older draft with '$schema'")
            } else {
                reader.schema.items = schema(value, keyword, reader.resource)
            }
        case .additionalItems:
            // Without a tuple every element is already covered by `items`.
            if reader.node["items"]?.kind == .array {
                reader.schema.items = schema(value, keyword, reader.resource)
            } else {
                warnNoEffect(keyword, member, "without a list of schemas in 'items'")
            }
        case .unevaluatedItems: reader.schema.unevaluatedItems = schema(value, keyword, reader.resource)
        case .contains: reader.schema.contains = schema(value, keyword, reader.resource)
        case .minContains: reader.schema.minContains = count(value, keyword)
        case .maxContains: reader.schema.maxContains = count(value, keyword)
        case .minItems: reader.schema.minItems = count(value, keyword)
        case .maxItems: reader.schema.maxItems = count(value, keyword)
        case .uniqueItems:
            guard expect(.bool, value, keyword) else { return }
            reader.schema.uniqueItems = value.boolValue == true

        case .properties:
            guard expect(.object, value, keyword) else { return }
            reader.schema.properties = value.members.compactMap { member in
                schema(member.value, keyword, reader.resource).map { Subschema.Property(key: member.key, schema: $0) }
            }
            if reader.dialect.draft == .draft3 {
                reader.schema.required += value.members
                    .filter { $0.value["required"]?.boolValue == true }.map(\.key)
            }
        case .patternProperties:
            guard expect(.object, value, keyword) else { return }
            for member in value.members {
                guard let pattern = pattern(member.keyNode, keyword: keyword),
                    let id = schema(member.value, keyword, reader.resource)
                else { continue }
                reader.schema.patternProperties.append(Subschema.PatternProperty(pattern: pattern, schema: id))
            }
        case .additionalProperties: reader.schema.additionalProperties = schema(value, keyword, reader.resource)
        case .unevaluatedProperties: reader.schema.unevaluatedProperties = schema(value, keyword, reader.resource)
        case .propertyNames: reader.schema.propertyNames = schema(value, keyword, reader.resource)
        case .required:
            if reader.dialect.draft == .draft3 {
                // It speaks about the property whose schema this is; `properties` has looked at it.
                _ = expect(.bool, value, keyword)
            } else if value.kind == .bool {
                report(
                    "schema.invalid-value", "'required' must be a list of property names", value,
                    help: "list the property in the 'required' of the object it belongs to")
            } else {
                reader.schema.required = names(value, keyword)
            }
        case .minProperties: reader.schema.minProperties = count(value, keyword)
        case .maxProperties: reader.schema.maxProperties = count(value, keyword)
        case .dependentRequired:
            guard expect(.object, value, keyword) else { return }
            reader.schema.dependentRequired += value.members.map {
                Subschema.DependentKeys(key: $0.key, required: names($0.value, keyword))
            }
        case .dependentSchemas:
            guard expect(.object, value, keyword) else { return }
            reader.schema.dependentSchemas += value.members.compactMap { member in
                schema(member.value, keyword, reader.resource).map { Subschema.Property(key: member.key, schema: $0) }
            }
        case .dependencies: readDependencies(value, into: &reader)

        case .allOf: reader.schema.allOf = schemas(value, keyword, reader.resource)
        case .anyOf: reader.schema.anyOf = schemas(value, keyword, reader.resource)
        case .oneOf: reader.schema.oneOf = schemas(value, keyword, reader.resource)
        case .not: reader.schema.not = schema(value, keyword, reader.resource)
        case .ifSchema: reader.schema.ifSchema = schema(value, keyword, reader.resource)
        case .thenSchema, .elseSchema:
            guard reader.node["if"] != nil else {
                warnNoEffect(keyword, member, "without 'if'")
                return
            }
            let id = schema(value, keyword, reader.resource)
            if keyword == .thenSchema { reader.schema.thenSchema = id } else { reader.schema.elseSchema = id }
        case .extends:
            let list = value.kind == .array ? Array(value.elements) : [value]
            reader.schema.allOf = list.compactMap { schema($0, keyword, reader.resource) }
        case .disallow:
            let id = newSubschema(reader.node, resource: reader.resource)
            readDraft3Types(value, keyword, resource: reader.resource, into: id)
            reader.schema.not = id

        case .verbatim:
            guard expect(.bool, value, keyword) else { return }
            reader.schema.isVerbatim = value.boolValue == true
        case .order: reader.schema.order = distinctNames(value, keyword)

        case .title, .description, .defaultValue, .examples: readAnnotation(keyword, value, into: &reader)
        case .schema, .id, .legacyID, .anchor, .dynamicAnchor, .recursiveAnchor, .vocabulary, .comment, .defs,
            .definitions, .deprecated, .readOnly, .writeOnly, .contentEncoding, .contentMediaType, .contentSchema:
            break
        }
    }

    private mutating func readAnnotation(_ keyword: Keyword?, _ value: Node, into reader: inout KeywordReader) {
        switch keyword {
        case .title: reader.schema.title = value.stringValue
        case .description: reader.schema.summary = value.stringValue
        case .defaultValue: reader.schema.defaultValue = value.value
        case .examples: reader.schema.examples = value.elements.map(\.value)
        default: break
        }
    }

    /// What depends on several keywords.
    private mutating func finish(_ reader: inout KeywordReader) {
        let draft = reader.dialect.draft
        if draft <= .draft4 {
            if reader.node["exclusiveMinimum"]?.boolValue == true, let limit = reader.schema.minimum {
                reader.schema.exclusiveMinimum = limit
                reader.schema.minimum = nil
            }
            if reader.node["exclusiveMaximum"]?.boolValue == true, let limit = reader.schema.maximum {
                reader.schema.exclusiveMaximum = limit
                reader.schema.maximum = nil
            }
        }
    }

    // MARK: References

    private mutating func readReference(_ value: Node, into reader: inout KeywordReader) {
        guard expect(.string, value, .reference), let text = value.stringValue else { return }
        guard let target = resolve(text, from: reader.resource, at: value, keyword: "$ref") else {
            if options.unresolvedReferences != .allowed { reader.schema.unresolvedReference = text }
            return
        }
        reader.schema.reference = id(for: target.node, fallback: target.resource)
    }

    private mutating func readDynamicReference(_ keyword: Keyword, _ value: Node, into reader: inout KeywordReader) {
        guard expect(.string, value, keyword), let text = value.stringValue else { return }
        guard let target = resolve(text, from: reader.resource, at: value, keyword: keyword.rawValue) else {
            if options.unresolvedReferences != .allowed { reader.schema.unresolvedReference = text }
            return
        }
        var anchor: String?
        let anchors = resources[target.resource].dynamicAnchors
        if keyword == .recursiveReference {
            if let node = anchors[""], NodeKey(node) == NodeKey(target.node) { anchor = "" }
        } else if let name = target.anchor, let node = anchors[name], NodeKey(node) == NodeKey(target.node) {
            anchor = name
        }
        if anchor != nil { hasDynamicReferences = true }
        reader.schema.dynamicReference = Subschema.DynamicReference(
            initial: id(for: target.node, fallback: target.resource), anchor: anchor)
    }

    /// The name that a format of draft 3 has had since.
    private static func currentFormat(_ name: String, in draft: Draft) -> String {
        guard draft == .draft3 else { return name }
        switch name {
        case "ip-address": return "ipv4"
        case "host-name": return "hostname"
        default: return name
        }
    }

    // MARK: Types

    private mutating func readTypes(_ value: Node, into reader: inout KeywordReader) {
        if reader.dialect.draft == .draft3 {
            let list = value.kind == .array ? Array(value.elements) : [value]
            if list.allSatisfy({ $0.kind == .string && $0.stringValue != "any" }) {
                reader.schema.type = typeSet(list)
            } else {
                let id = newSubschema(reader.node, resource: reader.resource)
                readDraft3Types(value, .type, resource: reader.resource, into: id)
                reader.schema.allOf.append(id)
            }
            return
        }
        switch value.kind {
        case .string: reader.schema.type = typeSet([value])
        case .array: reader.schema.type = typeSet(Array(value.elements))
        default: report("schema.invalid-value", "'type' must be a type name or a list of type names", value)
        }
    }

    private mutating func typeSet(_ names: [Node]) -> TypeSet {
        var types: TypeSet = []
        for node in names {
            guard let name = node.stringValue else {
                report("schema.invalid-value", "'type' must be a type name or a list of type names", node)
                continue
            }
            guard let type = TypeSet(name: name) else {
                let near = Spelling.closest(to: name, among: TypeSet.allNames)
                let known = "the types are " + TypeSet.allNames.joined(separator: ", ")
                report(
                    "schema.unknown-type", "'\(name)' is not a type", node,
                    help: near.map { "did you mean '\($0)'?" } ?? known)
                continue
            }
            types.formUnion(type)
        }
        return types
    }

    /// Draft 3: a union whose members are type names, "any", and schemas.
    private mutating func readDraft3Types(_ value: Node, _ keyword: Keyword, resource: Int, into id: SubschemaID) {
        let list = value.kind == .array ? Array(value.elements) : [value]
        var names: [Node] = []
        var branches: [SubschemaID] = []
        var any = false
        for node in list {
            if node.kind == .string {
                if node.stringValue == "any" { any = true } else { names.append(node) }
            } else if let branch = schema(node, keyword, resource) {
                branches.append(branch)
            }
        }
        if any { return }
        if branches.isEmpty {
            subschemas[Int(id.rawValue)].type = typeSet(names)
            return
        }
        if !names.isEmpty {
            let named = newSubschema(subschemas[Int(id.rawValue)].node, resource: resource)
            subschemas[Int(named.rawValue)].type = typeSet(names)
            branches.insert(named, at: 0)
        }
        subschemas[Int(id.rawValue)].anyOf = branches
    }

    // MARK: Values

    private mutating func readDependencies(_ value: Node, into reader: inout KeywordReader) {
        guard expect(.object, value, .dependencies) else { return }
        for member in value.members {
            switch member.value.kind {
            case .array:
                let required = names(member.value, .dependencies)
                reader.schema.dependentRequired.append(
                    Subschema.DependentKeys(key: member.key, required: required))
            case .string where reader.dialect.draft == .draft3:
                reader.schema.dependentRequired.append(
                    Subschema.DependentKeys(key: member.key, required: [member.value.stringValue ?? ""]))
            default:
                if let id = schema(member.value, .dependencies, reader.resource) {
                    reader.schema.dependentSchemas.append(Subschema.Property(key: member.key, schema: id))
                }
            }
        }
    }

    private mutating func schema(_ value: Node, _ keyword: Keyword, _ resource: Int) -> SubschemaID? {
        guard value.kind == .object || value.kind == .bool else {
            report(
                "schema.invalid-value", "'\(keyword.rawValue)' must hold a schema, not \(value.kind.phrase)", value)
            return nil
        }
        return id(for: value, fallback: resource)
    }

    private mutating func schemas(
        _ value: Node, _ keyword: Keyword, _ resource: Int, mayBeEmpty: Bool = false
    ) -> [SubschemaID] {
        guard expect(.array, value, keyword) else { return [] }
        if value.count == 0, !mayBeEmpty {
            report("schema.invalid-value", "'\(keyword.rawValue)' must not be empty", value)
        }
        return value.elements.compactMap { schema($0, keyword, resource) }
    }

    private mutating func names(_ value: Node, _ keyword: Keyword) -> [String] {
        guard value.kind == .array else {
            report(
                "schema.invalid-value",
                "'\(keyword.rawValue)' must hold a list of property names, not \(value.kind.phrase)", value)
            return []
        }
        return value.elements.compactMap { node in
            guard let name = node.stringValue else {
                report("schema.invalid-value", "'\(keyword.rawValue)' must hold property names", node)
                return nil
            }
            return name
        }
    }

    private mutating func distinctNames(_ value: Node, _ keyword: Keyword) -> [String] {
        let names = names(value, keyword)
        var seen: Set<[UInt8]> = []
        for element in value.kind == .array ? Array(value.elements) : [] {
            guard let name = element.stringValue, !seen.insert(Array(name.utf8)).inserted else { continue }
            report("schema.invalid-value", "'\(keyword.rawValue)' names '\(name)' twice", element)
        }
        return names
    }

    private mutating func number(_ value: Node, _ keyword: Keyword) -> DecimalNumber? {
        guard expect(.number, value, keyword) else { return nil }
        return value.numberValue
    }

    private mutating func count(_ value: Node, _ keyword: Keyword) -> Int? {
        guard let number = value.numberValue, number.isInteger, !number.isNegative else {
            report("schema.invalid-value", "'\(keyword.rawValue)' must be an integer that is not negative", value)
            return nil
        }
        return number.intValue ?? Int.max
    }

    private mutating func pattern(_ node: Node, keyword: Keyword) -> Pattern? {
        guard expect(.string, node, keyword), let text = node.stringValue else { return nil }
        do {
            return try Pattern(text)
        } catch {
            switch error.code {
            case .syntax:
                report("schema.invalid-pattern", "the pattern '\(text)' is broken: \(error.message)", node)
            default:
                report("schema.unsupported-pattern", "the pattern '\(text)' is not supported: \(error.message)", node)
            }
            return nil
        }
    }

    private mutating func expect(_ kind: Node.Kind, _ value: Node, _ keyword: Keyword) -> Bool {
        if value.kind == kind { return true }
        report(
            "schema.invalid-value",
            "'\(keyword.rawValue)' must be \(kind.phrase), not \(value.kind.phrase)", value)
        return false
    }

    // MARK: Keywords without effect

    private mutating func warnNoEffect(_ keyword: Keyword, _ member: Node.Member, _ reason: String) {
        report(
            "schema.no-effect", "'\(keyword.rawValue)' has no effect \(reason)", member.keyNode, severity: .warning)
    }

    private mutating func noteUnknown(_ name: String, _ member: Node.Member, into reader: inout KeywordReader) {
        reader.schema.unknownKeywords.append(name)
        if let keyword = Keyword(name: name) {
            guard keyword != .legacyID else { return }
            if keyword.isKnown(in: reader.dialect.draft) {
                report(
                    "schema.no-effect", "the metaschema switches '\(name)' off", member.keyNode, severity: .warning)
            } else {
                report(
                    "schema.no-effect",
                    "'\(name)' is not a keyword of \(reader.dialect.draft.displayName) and has no effect",
                    member.keyNode, severity: .warning)
            }
            return
        }
        guard !name.hasPrefix("x-"), name.utf8.count > 2, let near = suggestion(for: name, in: reader.dialect) else {
            return
        }
        report(
            "schema.unknown-keyword", "'\(name)' is not a keyword and has no effect", member.keyNode,
            severity: .warning, help: "did you mean '\(near)'?")
    }

    /// The keyword that a word is close to.
    private mutating func suggestion(for name: String, in dialect: Dialect) -> String? {
        if let known = suggestions[dialect.draft]?[name] { return known }
        let near = Keyword.names(in: dialect.draft)?.closest(to: name)
        suggestions[dialect.draft, default: [:]][name] = .some(near)
        return near
    }
}
