// SPDX-License-Identifier: Apache-2.0

import Documents

extension SpecBuilder {
    /// The type that a field's value, or a named type's definition, describes.
    mutating func definition(_ node: Node) -> Definition? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            report("spec.too-deep", "types are nested more than \(Self.maximumDepth) deep", node.range)
            return nil
        }
        switch node.kind {
        case .string: return expression(node)
        case .array: return values(node).map { Definition(type: $0) }
        case .bool, .number: return Definition(type: SpecType(.other, ["const": node.value]))
        case .null: return Definition(type: SpecType(.other, ["type": "null"]))
        case .object:
            guard Self.forms.contains(where: { node[$0] != nil }) else {
                if let member = node.members.first(where: { $0.key == "optional" && $0.value.boolValue != nil }) {
                    report(
                        "spec.syntax", "'optional' stands here without a type", member.keyRange,
                        help: "add 'type:' or 'fields:'")
                }
                return record(node).map { Definition(type: $0) }
            }
            return longForm(node)
        }
    }

    private mutating func expression(_ node: Node) -> Definition? {
        var expression = SpecExpression(node.stringValue ?? "", names: names)
        do throws(SpecSyntaxError) {
            let result = try expression.parse()
            used.formUnion(expression.used)
            return Definition(type: result.type, isOptional: result.isOptional, description: result.description)
        } catch {
            used.formUnion(expression.used)
            var range = node.range
            if let start = node.verbatimTextOffset, let source = node.document.source {
                range = source.range((start + error.range.lowerBound)..<(start + error.range.upperBound))
            }
            report(error.id, error.message, range, help: error.help)
            return nil
        }
    }

    private mutating func values(_ node: Node) -> SpecType? {
        var values: [JSONValue] = []
        for element in node.elements {
            guard element.kind != .array, element.kind != .object else {
                report(
                    "spec.syntax", "a list of values is a choice; each must be plain", element.range,
                    help: "for a list of records write 'list of:'")
                return nil
            }
            guard !values.contains(element.value) else {
                report(
                    "spec.duplicate-value", "the value \(element.value) is there twice", element.range,
                    help: "remove one")
                continue
            }
            values.append(element.value)
        }
        guard !values.isEmpty else {
            report("spec.syntax", "a choice needs at least one value", node.range)
            return nil
        }
        return SpecType(.other, ["enum": .array(values)])
    }

    private mutating func record(_ node: Node) -> SpecType? {
        guard node.kind == .object else {
            report("spec.syntax", "'fields' is a mapping from names to types", node.range)
            return nil
        }
        var properties = JSONObject()
        var required: [JSONValue] = []
        var type = SpecType(.record, ["type": "object"])
        for member in node.members {
            var name = member.key
            var isOptional = false
            if name.hasSuffix("\\?") {
                name = String(name.dropLast(2)) + "?"
            } else if name.hasSuffix("?") {
                name = String(name.dropLast())
                isOptional = true
            }
            guard !name.isEmpty else {
                report("spec.syntax", "a field needs a name", member.keyRange)
                continue
            }
            if properties[name] != nil {
                report(
                    "spec.duplicate-field", "the field '\(name)' is there twice", member.keyRange, help: "remove one")
                continue
            }
            guard let definition = definition(member.value) else { continue }
            var field = definition.type
            if let description = definition.description { field.schema["description"] = .string(description) }
            properties[name] = .object(field.schema)
            if !isOptional && !definition.isOptional { required.append(.string(name)) }
            if let range = place(of: member) { type.places.append((["properties", name], range)) }
            type.adopt(field, at: ["properties", name])
        }
        type.schema["properties"] = .object(properties)
        if !required.isEmpty { type.schema["required"] = .array(required) }
        type.schema["additionalProperties"] = false
        return type
    }

    /// A field's place: the key with a short value, else the key alone.
    func place(of member: Node.Member) -> SourceRange? {
        guard let range = member.range, range.start.line != range.end.line else { return member.range }
        return member.keyRange
    }

    private mutating func longForm(_ node: Node) -> Definition? {
        checkKeys(node, Self.fieldKeys, of: "a field")
        guard var definition = form(node) else { return nil }
        limits(node, &definition.type)
        if let value = node["optional"] {
            if let flag = value.boolValue {
                definition.isOptional = definition.isOptional || flag
            } else {
                report("spec.syntax", "'optional' is true or false", value.range)
            }
        }
        if let description = text(node, "description") {
            if definition.description != nil {
                report(
                    "spec.syntax", "the field is described twice", node["description"]?.range,
                    help: "keep one description")
            }
            definition.description = description
        }
        if let title = text(node, "title") { definition.type.schema["title"] = .string(title) }
        if let value = node["default"] { definition.type.schema["default"] = value.value }
        if let examples = node["examples"] {
            if examples.kind == .array {
                definition.type.schema["examples"] = examples.value
            } else {
                report("spec.examples", "'examples' of a field is a list of values", examples.range)
            }
        }
        return definition
    }

    /// The type that the one form key of a mapping describes.
    mutating func form(_ node: Node) -> Definition? {
        let present = node.members.filter { Self.forms.contains($0.key) }
        guard let member = present.first else {
            report(
                "spec.missing-type", "the spec lacks 'fields:'", node.members.first?.keyRange ?? node.range,
                help: "describe the record under 'fields:', or another type with 'type:' or 'list of:'")
            return nil
        }
        if present.count > 1 {
            report(
                "spec.syntax", "'\(member.key)' and '\(present[1].key)' exclude each other", present[1].keyRange,
                help: "keep one of them; fields with such names go under 'fields:'",
                notes: [.note("the other is here", range: member.keyRange)])
            return nil
        }
        switch member.key {
        case "type": return definition(member.value)
        case "fields":
            guard var type = record(member.value) else { return nil }
            if let open = node["open"] {
                if let flag = open.boolValue {
                    if flag { type.schema["additionalProperties"] = nil }
                } else {
                    report("spec.syntax", "'open' is true or false", open.range)
                }
            }
            return Definition(type: type)
        case "list of", "map of":
            let isList = member.key == "list of"
            guard let item = definition(member.value) else { return nil }
            if item.isOptional {
                report(
                    "spec.syntax", "\(isList ? "elements" : "values") cannot be optional", member.value.range,
                    help: "write 'or null' for values that may be null")
            }
            var inner = item.type
            if let description = item.description { inner.schema["description"] = .string(description) }
            let key = isList ? "items" : "additionalProperties"
            var type = SpecType(
                isList ? .list : .map, ["type": isList ? "array" : "object", key: .object(inner.schema)])
            if let range = place(of: member) { type.places.append(([key], range)) }
            type.adopt(inner, at: [key])
            return Definition(type: type)
        case "one of":
            guard member.value.kind == .array else {
                report("spec.syntax", "'one of' is a list of values", member.value.range)
                return nil
            }
            return values(member.value).map { Definition(type: $0) }
        default: return embedded(member.value).map { Definition(type: $0) }
        }
    }

    private mutating func embedded(_ node: Node) -> SpecType? {
        switch node.kind {
        case .bool: return SpecType(.other, node.boolValue == true ? [:] : ["not": [:]])
        case .object:
            var type = SpecType(.other, node.value.objectValue ?? [:])
            var open: [(Node, [String])] = [(node, [])]
            while let (next, pointer) = open.popLast() {
                for member in next.members {
                    if let range = place(of: member) { type.places.append((pointer + [member.key], range)) }
                    open.append((member.value, pointer + [member.key]))
                    if member.key == "$ref", let reference = member.value.stringValue {
                        noteReference(reference, member.value)
                    }
                }
                for (index, element) in next.elements.enumerated() { open.append((element, pointer + [String(index)])) }
            }
            return type
        default:
            report("spec.syntax", "'json schema' is a mapping, true or false", node.range)
            return nil
        }
    }

    private mutating func noteReference(_ reference: String, _ node: Node) {
        guard reference.hasPrefix("#/$defs/"), let pointer = JSONPointer(fragment: String(reference.dropFirst())) else {
            return
        }
        guard let name = pointer.tokens.dropFirst().first else { return }
        if names.contains(name) {
            used.insert(name)
        } else {
            report(
                "spec.unknown-type", "there is no type '\(name)'", node.range,
                help: Spelling.closest(to: name, among: names.sorted()).map { "did you mean '\($0)'?" })
        }
    }

    /// Applies the limits of the long form.
    mutating func limits(_ node: Node, _ result: inout SpecType) {
        let kind = result.kind
        func hint() -> String? {
            if case .named(let name) = kind { return "put it where '\(name)' is defined" }
            return nil
        }
        for member in node.members where Self.limits.contains(member.key) {
            let (key, value) = (member.key, member.value)
            var applies = true
            switch key {
            case "min", "max", "length":
                guard let number = value.numberValue else {
                    report("spec.limit", "'\(key)' is a number", value.range)
                    continue
                }
                if key == "length", case .string = kind {
                } else if key == "length" {
                    applies = false
                    break
                }
                guard let bounds = SpecLimits.bounds(kind, key == "max" ? nil : number, key == "min" ? nil : number)
                else {
                    switch kind {
                    case .string, .list, .map:
                        report("spec.limit", "the limit of \(kind.noun) must be a whole number from 0 up", value.range)
                    default: applies = false
                    }
                    break
                }
                for (keyword, bound) in bounds {
                    if result.schema[keyword] != nil {
                        report("spec.limit", "there is such a limit already", member.keyRange)
                    }
                    result.schema[keyword] = bound
                }
                if let message = SpecLimits.contradiction(in: result.schema) {
                    report("spec.empty-range", message, member.range, help: "swap the bounds or remove one")
                }
            case "unique", "nullable", "verbatim":
                guard let flag = value.boolValue else {
                    report("spec.limit", "'\(key)' is true or false", value.range)
                    continue
                }
                if key == "unique" {
                    if case .list = kind { if flag { result.schema["uniqueItems"] = true } } else { applies = false }
                } else if key == "verbatim" {
                    if case .string = kind { if flag { result.schema["x-verbatim"] = true } } else { applies = false }
                } else if flag {
                    // Applied below, after the other limits.
                    continue
                }
            case "multiple of":
                guard let number = value.numberValue, number > .zero else {
                    report("spec.limit", "'multiple of' is a number above 0", value.range)
                    continue
                }
                if case .number = kind { result.schema["multipleOf"] = .number(number) } else { applies = false }
            case "pattern", "keys":
                guard let pattern = value.stringValue else {
                    report("spec.limit", "'\(key)' is a regular expression in quotes", value.range)
                    continue
                }
                if key == "pattern", case .string = kind {
                    result.schema["pattern"] = .string(pattern)
                } else if key == "keys", case .map = kind {
                    result.schema["propertyNames"] = ["pattern": .string(pattern)]
                } else {
                    applies = false
                }
            default:
                if case .record = kind { break }
                applies = false
            }
            if !applies {
                report("spec.limit", "'\(key)' does not apply to \(kind.noun)", member.keyRange, help: hint())
            }
        }
        if node["nullable"]?.boolValue == true {
            result = SpecType.union([result, SpecType(.other, ["type": "null"])])
        }
    }
}
