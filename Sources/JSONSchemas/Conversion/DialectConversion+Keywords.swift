// SPDX-License-Identifier: Apache-2.0

import Documents

/// A subschema of the other draft while it is written.
private struct WrittenSchema {
    var members: [JSONObject.Member] = []
    /// What has to hold as well, for `allOf`.
    var also: [JSONValue] = []

    mutating func add(_ key: String, _ value: JSONValue) {
        if members.contains(where: { $0.key == key }) {
            also.append(.object(JSONObject([(key: key, value: value)])))
        } else {
            members.append((key: key, value: value))
        }
    }
}

extension DialectConversion {
    /// What is around a subschema.
    struct Context {
        /// Where it goes.
        var place: [String]
        var base: URIReference
        var resource: Node
    }

    /// Stands in a place that has no fixed way to it.
    static let nowhere = "\u{0}"

    private mutating func part(_ node: Node, _ path: [String], _ context: Context) -> JSONValue {
        convert(node, at: context.place + path, base: context.base, resource: context.resource)
    }

    private mutating func list(_ value: Node, _ key: String, _ context: Context) -> JSONValue {
        var parts: [JSONValue] = []
        for (index, element) in value.elements.enumerated() {
            parts.append(part(element, [key, String(index)], context))
        }
        return .array(parts)
    }

    private mutating func map(_ value: Node, _ key: String, _ context: Context) -> JSONValue {
        var members: [JSONObject.Member] = []
        for member in value.members {
            members.append((key: member.key, value: part(member.value, [key, member.key], context)))
        }
        return .object(JSONObject(members))
    }

    /// A subschema in the other draft.
    ///
    /// - Parameters:
    ///   - place: Where it goes.
    ///   - base: The address that references start from.
    ///   - resource: The root of the resource it belongs to.
    mutating func convert(_ node: Node, at place: [String], base outer: URIReference, resource: Node) -> JSONValue {
        moves[node.pointer.description] = place
        depth += 1
        defer { depth -= 1 }
        guard depth < 400 else {
            refuse("the schema is nested too deep", node)
            return node.value
        }
        if let boolean = node.boolValue {
            guard target <= .draft4 else { return node.value }
            return boolean ? [:] : ["not": [:]]
        }
        guard node.kind == .object else { return node.value }
        let base = node.pointer.tokens.isEmpty ? outer : self.base(of: node, outer)
        let own = base.description == outer.description ? resource : node
        var written = WrittenSchema()
        if Self.hidesSiblings(source), let reference = node["$ref"], reference.kind == .string {
            convertBesideReference(node, reference, at: place, base: base, resource: own, &written)
            return finish(written, at: place)
        }
        for member in node.members {
            convert(member, of: node, at: place, base: base, resource: own, &written)
        }
        return finish(written, at: place)
    }

    /// In older drafts a reference stands for itself alone; definitions beside it can be referred to all the same.
    private mutating func convertBesideReference(
        _ node: Node, _ reference: Node, at place: [String], base: URIReference, resource: Node,
        _ written: inout WrittenSchema
    ) {
        for member in node.members {
            switch member.key {
            case "$ref": written.add("$ref", self.reference(reference, base: base))
            case "definitions", "$schema", "title", "description", "default", "$comment", "examples":
                convert(member, of: node, at: place, base: base, resource: resource, &written)
            default: warn("'\(member.key)' has no effect beside '$ref' and was left out", member.value)
            }
        }
    }

    /// Puts what has to hold as well into `allOf`.
    private func finish(_ written: WrittenSchema, at place: [String]) -> JSONValue {
        var members = written.members
        var also = written.also
        // Where references hide what is beside them, they get a place of their own.
        if Self.hidesSiblings(target), let index = members.firstIndex(where: { $0.key == "$ref" }) {
            let others = members.contains {
                !["$ref", "definitions", "$schema", "title", "description", "default", "$comment", "examples"].contains(
                    $0.key)
            }
            if !Self.hidesSiblings(source),
                others || !also.isEmpty || members.contains(where: { $0.key == "$id" || $0.key == "id" })
            {
                also.append(["$ref": members.remove(at: index).value])
            }
        }
        guard !also.isEmpty else { return .object(JSONObject(members)) }
        if let index = members.firstIndex(where: { $0.key == "allOf" }), let list = members[index].value.arrayValue {
            // Behind the branches that are there, whose places do not change.
            members[index].value = .array(list + also)
        } else {
            members.append((key: "allOf", value: .array(also)))
        }
        return .object(JSONObject(members))
    }

    // MARK: Keywords

    private mutating func convert(
        _ member: Node.Member, of node: Node, at place: [String], base: URIReference, resource: Node,
        _ written: inout WrittenSchema
    ) {
        let (name, value) = (member.key, member.value)
        guard let keyword = isKeyword(name) else {
            // A word without meaning must not get one.
            if let later = Keyword(name: name), later.isKnown(in: target), !Self.isAnnotation(later) {
                warn("'\(name)' is no keyword of \(source.displayName) and was left out", value)
            } else {
                written.add(name, value.value)
            }
            return
        }
        let context = Context(place: place, base: base, resource: resource)
        switch keyword {
        case .schema:
            if node.pointer.tokens.isEmpty { return }
            if let text = value.stringValue, Draft(schemaURI: text) == source { return }
            refuse("a part of the schema declares another draft", value)
        case .id, .legacyID: convertIdentifier(value, &written)
        case .anchor, .dynamicAnchor: convertAnchor(keyword, value, node, &written)
        case .recursiveAnchor: convertRecursiveAnchor(value, node, &written)
        case .vocabulary:
            if target < .draft201909 {
                refuse("'$vocabulary' declares vocabularies", value)
            } else {
                written.add(name, value.value)
            }
        case .reference: written.add("$ref", reference(value, base: base))
        case .dynamicReference, .recursiveReference:
            convertDynamicReference(keyword, value, base: base, resource: resource, &written)
        case .defs, .definitions:
            let key = target >= .draft201909 ? "$defs" : "definitions"
            let other = keyword == .defs ? "definitions" : "$defs"
            guard node[other] == nil || isKeyword(other) == nil else {
                // Both are there: each keeps its name where it can.
                if key != name, keyword == .defs { refuse("'$defs' and 'definitions' stand beside each other", value) }
                written.add(name, map(value, name, context))
                return
            }
            written.add(key, map(value, key, context))
        case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum: convertBound(keyword, node, &written)
        case .constant:
            target >= .draft6 ? written.add("const", value.value) : written.add("enum", [value.value])
        case .enumeration:
            if value.count == 0, target <= .draft6 {
                written.also.append(["not": [:]])
            } else {
                written.add("enum", value.value)
            }
        case .required:
            if value.count == 0, target <= .draft4 { return }
            written.add(name, value.value)
        case .prefixItems, .items, .additionalItems: convertItems(keyword, value, node, context, &written)
        case .contains: convertContains(value, node, context, &written)
        case .minContains, .maxContains:
            // Below 2019-09 `contains` speaks for them.
            if target >= .draft201909 { written.add(name, value.value) }
        case .propertyNames where target <= .draft4:
            if value.boolValue == true || value.kind == .object && value.count == 0 { return }
            if value.boolValue == false {
                written.add("maxProperties", 0)
            } else {
                refuse("'propertyNames'", value)
            }
        case .ifSchema, .thenSchema, .elseSchema: convertCondition(keyword, value, node, context, &written)
        case .dependencies, .dependentRequired, .dependentSchemas:
            convertDependencies(keyword, value, node, context, &written)
        case .unevaluatedItems, .unevaluatedProperties:
            if target >= .draft201909 {
                if keyword == .unevaluatedItems, (source <= .draft201909) != (target <= .draft201909),
                    usesContains(node)
                {
                    refuse("'unevaluatedItems' has another meaning beside 'contains'", value)
                }
                written.add(name, part(value, [name], context))
            } else if value.boolValue != true {
                refuse("'\(name)'", value)
            }
        case .additionalProperties where value.kind == .bool:
            moves[value.pointer.description] = place + [name]
            written.add(name, value.value)
        default:
            switch keyword.shape(in: source) {
            case .schema: written.add(name, part(value, [name], context))
            case .schemaArray: written.add(name, list(value, name, context))
            case .schemaMap: written.add(name, map(value, name, context))
            default: written.add(name, value.value)
            }
        }
    }

    /// Keywords without an effect on validity; they stay as they are.
    private static func isAnnotation(_ keyword: Keyword) -> Bool {
        switch keyword {
        case .title, .description, .defaultValue, .examples, .deprecated, .readOnly, .writeOnly, .contentEncoding,
            .contentMediaType, .comment:
            true
        default: false
        }
    }

    /// Whether elements may count as evaluated by `contains`: anywhere, as `$ref` and `allOf` may lead there.
    private func usesContains(_ node: Node) -> Bool {
        var work = [root]
        while let next = work.popLast() {
            for member in next.members {
                if member.key == "contains" || member.key == "$ref" && !isAlone { return true }
                if let keyword = isKeyword(member.key) { work += Self.parts(keyword, member.value, source) }
            }
        }
        return false
    }

    // MARK: Names

    private mutating func convertIdentifier(_ value: Node, _ written: inout WrittenSchema) {
        guard let text = value.stringValue else { return written.add(identifier, value.value) }
        let reference = URIReference(text)
        let key = target <= .draft4 ? "id" : "$id"
        guard let fragment = reference.fragment, !fragment.isEmpty, Self.hidesSiblings(source) else {
            return written.add(key, .string(text))
        }
        guard !Self.hidesSiblings(target) else { return written.add(key, .string(text)) }
        let address = reference.withoutFragment.description
        if fragment.hasPrefix("/") { return refuse("a pointer in '\(identifier)'", value) }
        if !address.isEmpty { written.add("$id", .string(address)) }
        written.add("$anchor", .string(fragment))
    }

    private mutating func convertAnchor(
        _ keyword: Keyword, _ value: Node, _ node: Node, _ written: inout WrittenSchema
    ) {
        guard let name = value.stringValue else { return written.add(keyword.rawValue, value.value) }
        if keyword == .dynamicAnchor {
            guard target < .draft202012 else { return written.add(keyword.rawValue, value.value) }
            // With nothing else around there is one place that it can stand for.
            guard isAlone, node["$anchor"] == nil else { return refuse("'$dynamicAnchor'", value) }
        }
        if target >= .draft201909 { return written.add("$anchor", .string(name)) }
        guard node["$id"] == nil else { return refuse("'$anchor' beside '$id'", value) }
        guard node["$ref"] == nil else { return refuse("'$anchor' beside '$ref'", value) }
        written.add(target <= .draft4 ? "id" : "$id", .string("#" + name))
    }

    /// The name that stands for the anchor without one of draft 2019-09.
    private static let recursiveName = "recursive-anchor"

    private mutating func convertRecursiveAnchor(_ value: Node, _ node: Node, _ written: inout WrittenSchema) {
        if target == .draft201909 { return written.add("$recursiveAnchor", value.value) }
        guard value.boolValue == true else { return }
        if target >= .draft202012 {
            written.add("$dynamicAnchor", .string(Self.recursiveName))
        } else if !isAlone {
            refuse("'$recursiveAnchor'", value)
        }
    }

    private mutating func convertDynamicReference(
        _ keyword: Keyword, _ value: Node, base: URIReference, resource: Node, _ written: inout WrittenSchema
    ) {
        if keyword == .recursiveReference {
            if target == .draft201909 { return written.add(keyword.rawValue, value.value) }
            if resource["$recursiveAnchor"]?.boolValue == true, !isAlone || target >= .draft202012 {
                if target < .draft202012 { return refuse("'$recursiveRef'", value) }
                return written.add("$dynamicRef", .string("#" + Self.recursiveName))
            }
            return written.add("$ref", "#")
        }
        if target >= .draft202012 { return written.add(keyword.rawValue, value.value) }
        guard isAlone else { return refuse("'$dynamicRef'", value) }
        written.add("$ref", reference(value, base: base))
    }

    // MARK: Numbers

    private mutating func convertBound(_ keyword: Keyword, _ node: Node, _ written: inout WrittenSchema) {
        let isLower = keyword == .minimum || keyword == .exclusiveMinimum
        let (plain, exclusive) = isLower ? ("minimum", "exclusiveMinimum") : ("maximum", "exclusiveMaximum")
        if (source <= .draft4) == (target <= .draft4) {
            return written.add(keyword.rawValue, node[keyword.rawValue]?.value ?? .null)
        }
        // Both are written where the first of them is met.
        let isFirst = node.members.first { $0.key == plain || $0.key == exclusive }?.key == keyword.rawValue
        guard isFirst else { return }
        if source <= .draft4 {
            guard let bound = node[plain] else { return }
            written.add(node[exclusive]?.boolValue == true ? exclusive : plain, bound.value)
            return
        }
        let open = node[exclusive]?.numberValue
        let closed = node[plain]?.numberValue
        if let open, closed.map({ isLower ? open >= $0 : open <= $0 }) ?? true {
            written.add(plain, .number(open))
            written.add(exclusive, true)
        } else if let closed {
            written.add(plain, .number(closed))
        }
    }

    // MARK: Arrays

    private mutating func convertItems(
        _ keyword: Keyword, _ value: Node, _ node: Node, _ context: Context,
        _ written: inout WrittenSchema
    ) {
        let isTuple = source >= .draft202012 ? node["prefixItems"] != nil : node["items"]?.kind == .array
        switch keyword {
        case .prefixItems:
            target >= .draft202012
                ? written.add("prefixItems", list(value, "prefixItems", context))
                : written.add("items", list(value, "items", context))
        case .items where value.kind == .array && source < .draft202012:
            if target < .draft202012 { return written.add("items", list(value, "items", context)) }
            if value.count > 0 { written.add("prefixItems", list(value, "prefixItems", context)) }
        case .items:
            let key = isTuple && target < .draft202012 ? "additionalItems" : "items"
            written.add(key, keepsBoolean(value, key) ? boolean(value, key, context) : part(value, [key], context))
        default:
            guard isTuple else { return warn("'additionalItems' has no effect here and was left out", value) }
            let key = target >= .draft202012 ? "items" : "additionalItems"
            written.add(key, keepsBoolean(value, key) ? boolean(value, key, context) : part(value, [key], context))
        }
    }

    /// Draft 4 has booleans for schemas in a few places.
    private func keepsBoolean(_ value: Node, _ key: String) -> Bool {
        value.kind == .bool && (target > .draft4 || key == "additionalItems")
    }

    private mutating func boolean(_ value: Node, _ key: String, _ context: Context) -> JSONValue {
        _ = part(value, [key], context)
        return value.value
    }

    private mutating func convertContains(
        _ value: Node, _ node: Node, _ context: Context, _ written: inout WrittenSchema
    ) {
        if target >= .draft201909 { return written.add("contains", part(value, ["contains"], context)) }
        if source >= .draft201909 {
            let least = node["minContains"].map { $0.numberValue ?? .zero } ?? DecimalNumber(1)
            if node["maxContains"] != nil { return refuse("'maxContains'", node["maxContains"] ?? value) }
            if least.isZero {
                if hasNames(value) { refuse("a part of 'contains' with a name of its own", value) }
                return
            }
            if least != DecimalNumber(1) { return refuse("'minContains' above 1", node["minContains"] ?? value) }
        }
        if target >= .draft6 { return written.add("contains", part(value, ["contains"], context)) }
        // Not every element fails.
        if node["not"] != nil { return refuse("'contains' beside 'not'", value) }
        written.add("not", ["type": "array", "items": ["not": part(value, ["not", "items", "not"], context)]])
    }

    // MARK: Objects

    private mutating func convertDependencies(
        _ keyword: Keyword, _ value: Node, _ node: Node, _ context: Context,
        _ written: inout WrittenSchema
    ) {
        if target >= .draft201909 {
            guard keyword == .dependencies else {
                let key = keyword.rawValue
                guard keyword == .dependentSchemas else { return written.add(key, value.value) }
                return written.add(key, map(value, key, context))
            }
            let isSplitAlready =
                source >= .draft201909 && (node["dependentRequired"] ?? node["dependentSchemas"]) != nil
            if isSplitAlready { return refuse("'dependencies' beside what it became", value) }
            var names: [JSONObject.Member] = []
            var schemas: [JSONObject.Member] = []
            for member in value.members {
                if member.value.kind == .array {
                    names.append((key: member.key, value: member.value.value))
                } else {
                    schemas.append(
                        (key: member.key, value: part(member.value, ["dependentSchemas", member.key], context)))
                }
            }
            if !names.isEmpty { written.add("dependentRequired", .object(JSONObject(names))) }
            if !schemas.isEmpty { written.add("dependentSchemas", .object(JSONObject(schemas))) }
            return
        }
        // All of them become one, where the first is met.
        let all: [Keyword] = [.dependencies, .dependentRequired, .dependentSchemas]
        let known = all.filter { $0.isKnown(in: source) }
        guard
            node.members.first(where: { member in known.contains { $0.rawValue == member.key } })?.key
                == keyword.rawValue
        else { return }
        var members: [JSONObject.Member] = []
        func add(_ key: String, _ value: JSONValue) {
            guard let index = members.firstIndex(where: { $0.key == key }) else {
                return members.append((key: key, value: value))
            }
            func schema(_ value: JSONValue) -> JSONValue {
                value.arrayValue == nil ? value : ["required": value]
            }
            members[index].value = ["allOf": [schema(members[index].value), schema(value)]]
        }
        let isShared = Self.sharesKey(known.compactMap { node[$0.rawValue] })
        for other in known {
            guard let map = node[other.rawValue] else { continue }
            for member in map.members {
                if member.value.kind == .array {
                    // Draft 4 has no empty lists there; an empty one asks for nothing.
                    if member.value.count > 0 { add(member.key, member.value.value) }
                } else if isShared {
                    // Its place depends on what it is joined with.
                    let value = part(member.value, ["dependencies", member.key, "allOf", Self.nowhere], context)
                    moves[member.value.pointer.description] = nil
                    add(member.key, value)
                } else {
                    add(member.key, part(member.value, ["dependencies", member.key], context))
                }
            }
        }
        written.add("dependencies", .object(JSONObject(members)))
    }

    private static func sharesKey(_ maps: [Node]) -> Bool {
        var seen: Set<String> = []
        return maps.contains { map in map.members.contains { !seen.insert($0.key).inserted } }
    }

    // MARK: Conditions

    private mutating func convertCondition(
        _ keyword: Keyword, _ value: Node, _ node: Node, _ context: Context,
        _ written: inout WrittenSchema
    ) {
        if target >= .draft7 { return written.add(keyword.rawValue, part(value, [keyword.rawValue], context)) }
        let (then, otherwise) = (node["then"], node["else"])
        let isUsed = node["if"] != nil && (then != nil || otherwise != nil)
        // What has no effect is left out, unless something may refer to it.
        if !isUsed, hasNames(value) { return refuse("a part of '\(keyword.rawValue)' with a name of its own", value) }
        guard keyword == .ifSchema, isUsed else { return }
        if then != nil, otherwise != nil, hasNames(value) {
            return refuse("'if' whose parts have names of their own", value)
        }
        // The places inside depend on what else is joined; references into them are refused.
        if let then { written.also.append(["anyOf": [["not": copy(value, context)], copy(then, context)]]) }
        if let otherwise { written.also.append(["anyOf": [copy(value, context), copy(otherwise, context)]]) }
    }

    private mutating func copy(_ node: Node, _ context: Context) -> JSONValue {
        let converted = part(node, [Self.nowhere], context)
        forget(node)
        return converted
    }

    /// Makes a part a place that references cannot lead to.
    private mutating func forget(_ node: Node) {
        let start = node.pointer.description
        for key in moves.keys where key == start || key.hasPrefix(start + "/") { moves[key] = nil }
    }
}
