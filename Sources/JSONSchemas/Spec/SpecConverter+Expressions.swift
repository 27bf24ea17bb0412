// SPDX-License-Identifier: Apache-2.0

import Documents

extension SpecConverter {
    func typeList(_ node: Node?) -> [String]? {
        guard let node else { return nil }
        if let name = node.stringValue { return [name] }
        let names = node.elements.compactMap(\.stringValue)
        return names.count == node.count && !names.isEmpty ? names : nil
    }

    /// The schema as a type expression; nil where it needs another form. Annotations are not looked at.
    mutating func expression(_ schema: Node, _ keywords: [String]) -> String? {
        if schema.kind == .bool { return schema.boolValue == true ? "any" : nil }
        guard schema.kind == .object else { return nil }
        if keywords.isEmpty { return "any" }
        if keywords == ["$ref"] { return schema["$ref"]?.stringValue.flatMap(typeName) }
        let others = keywords.filter { $0 != "type" }
        let types = typeList(schema["type"])
        if others == ["const"], let value = schema["const"] { return fits(value, types) ? constant(value) : nil }
        if others == ["enum"], let values = schema["enum"], values.kind == .array {
            let texts = values.elements.filter { fits($0, types) }.compactMap { literal($0, inList: true) }
            guard texts.count == values.count, !texts.isEmpty, Set(values.elements.map(\.value)).count == texts.count
            else { return nil }
            return "one of [\(texts.joined(separator: ", "))]"
        }
        for key in ["anyOf", "oneOf"] where keywords == [key] {
            guard let choices = schema[key]?.elements, choices.count > 1 else { return nil }
            if key == "oneOf", !areDisjoint(choices) { return nil }
            return union(choices)
        }
        guard let types else { return nil }
        return typed(schema, types, others)
    }

    private mutating func typed(_ schema: Node, _ types: [String], _ others: [String]) -> String? {
        var rest = Set(others)
        var parts: [String] = []
        for type in types {
            switch type {
            case "null", "boolean": parts.append(type)
            case "integer", "number":
                guard let text = number(schema, type) else { return nil }
                rest.subtract(Self.numeric)
                parts.append(text)
            case "string":
                guard let text = string(schema) else { return nil }
                rest.subtract(Self.textual)
                parts.append(text)
            case "array":
                guard let text = listExpression(schema) else { return nil }
                rest.subtract(["items", "minItems", "maxItems", "uniqueItems"])
                parts.append(text)
            case "object":
                guard let text = mapExpression(schema) else { return nil }
                rest.subtract(["additionalProperties", "minProperties", "maxProperties"])
                parts.append(text)
            default: return nil
            }
        }
        return rest.isEmpty ? parts.joined(separator: " or ") : nil
    }

    private func number(_ schema: Node, _ type: String) -> String? {
        var text = type
        for key in Self.numeric where schema[key] != nil && schema[key]?.numberValue == nil { return nil }
        let (low, high) = (schema["minimum"]?.numberValue, schema["maximum"]?.numberValue)
        if let low, let high { text += " \(low)..\(high)" }
        if let low, high == nil { text += " >= \(low)" }
        if let high, low == nil { text += " <= \(high)" }
        if let bound = schema["exclusiveMinimum"]?.numberValue { text += " > \(bound)" }
        if let bound = schema["exclusiveMaximum"]?.numberValue { text += " < \(bound)" }
        if let step = schema["multipleOf"]?.numberValue { text += " (multiple of \(step))" }
        return text
    }

    private func string(_ schema: Node) -> String? {
        var text = "string"
        if let format = schema["format"]?.stringValue {
            guard SpecWords.formats.contains(format) else { return nil }
            text = format
        }
        let (low, high) = (schema["minLength"]?.intValue, schema["maxLength"]?.intValue)
        for key in ["minLength", "maxLength"] where schema[key] != nil && schema[key]?.intValue == nil { return nil }
        if let low, let high { text += " \(low)..\(high)" }
        if let low, high == nil { text += " \(low).." }
        if let high, low == nil { text += " (max \(high))" }
        if let node = schema["pattern"] {
            guard let pattern = node.stringValue, let source = slashed(pattern) else { return nil }
            text += " \(source)"
        }
        if let node = schema["x-verbatim"] {
            guard let flag = node.boolValue else { return nil }
            if flag { text += " (verbatim)" }
        }
        return text
    }

    /// The pattern between slashes; nil where the slashes would change it.
    private func slashed(_ pattern: String) -> String? {
        guard !pattern.isEmpty, pattern.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else { return nil }
        var result = ""
        var escaped = false
        for scalar in pattern.unicodeScalars {
            if escaped {
                // An escaped slash in the source comes back without its backslash.
                if scalar == "/" { return nil }
                escaped = false
            } else if scalar == "\\" {
                escaped = true
            } else if scalar == "/" {
                result += "\\"
            }
            result.unicodeScalars.append(scalar)
        }
        return escaped ? nil : "/\(result)/"
    }

    private mutating func listExpression(_ schema: Node) -> String? {
        var text = "list"
        if let items = schema["items"] {
            guard items.kind == .bool || items.kind == .object, let item = plainExpression(items) else { return nil }
            text += " of " + inList(item)
        }
        var limits: [String] = []
        for (key, name) in [("minItems", "min"), ("maxItems", "max")] {
            guard let node = schema[key] else { continue }
            guard let number = node.intValue else { return nil }
            limits.append("\(name) \(number)")
        }
        if schema["uniqueItems"]?.boolValue == true { limits.append("unique") }
        return limits.isEmpty ? text : "\(text) (\(limits.joined(separator: ", ")))"
    }

    private mutating func mapExpression(_ schema: Node) -> String? {
        var text = "map"
        if let values = schema["additionalProperties"] {
            guard values.kind == .object, let value = plainExpression(values) else { return nil }
            text += " of " + inList(value)
        }
        var limits: [String] = []
        for (key, name) in [("minProperties", "min"), ("maxProperties", "max")] {
            guard let node = schema[key] else { continue }
            guard let number = node.intValue else { return nil }
            limits.append("\(name) \(number)")
        }
        return limits.isEmpty ? text : "\(text) (\(limits.joined(separator: ", ")))"
    }

    /// A part of an expression has no place for annotations or for warnings.
    private mutating func plainExpression(_ schema: Node) -> String? {
        guard
            !schema.members.contains(where: {
                Self.annotations.contains($0.key) || Self.dropped.contains($0.key)
                    || ($0.key.hasPrefix("x-") && !Self.extensions.contains($0.key))
            })
        else { return nil }
        return expression(schema, schema.members.map(\.key))
    }

    /// In parentheses where limits or an 'or' would otherwise be taken for the list's.
    private func inList(_ item: String) -> String {
        item.contains(" or ") || item.hasSuffix(")") || item.hasPrefix("=") ? "(\(item))" : item
    }

    private mutating func union(_ choices: Node.Elements) -> String? {
        var parts: [String] = []
        for choice in choices {
            guard choice.kind == .object, let part = plainExpression(choice) else { return nil }
            // A constant takes all the text up to the end.
            parts.append(part.hasPrefix("=") ? "(\(part))" : part)
        }
        return parts.joined(separator: " or ")
    }

    /// Whether no value can fit two of the choices: then `oneOf` is `anyOf`.
    private func areDisjoint(_ choices: Node.Elements) -> Bool {
        var seen: Set<String> = []
        var constants: Set<JSONValue> = []
        for choice in choices {
            if let constant = choice["const"]?.value, choice.count == 1 {
                guard constants.insert(constant).inserted else { return false }
                continue
            }
            guard let type = choice["type"]?.stringValue else { return false }
            guard seen.insert(type == "integer" ? "number" : type).inserted else { return false }
        }
        return constants.isEmpty || seen.isEmpty
    }

    private func fits(_ value: Node, _ types: [String]?) -> Bool {
        guard let types else { return true }
        let own: [String] =
            switch value.kind {
            case .null: ["null"]
            case .bool: ["boolean"]
            case .number: value.numberValue?.isInteger == true ? ["integer", "number"] : ["number"]
            case .string: ["string"]
            case .array: ["array"]
            case .object: ["object"]
            }
        return own.contains { types.contains($0) }
    }

    private func constant(_ value: Node) -> String? {
        literal(value, inList: false).map { "= " + $0 }
    }

    /// A plain value as the reader takes it back.
    private func literal(_ value: Node, inList: Bool) -> String? {
        switch value.kind {
        case .null: return "null"
        case .bool: return value.boolValue == true ? "true" : "false"
        case .number: return value.numberValue?.description
        case .array, .object: return nil
        case .string:
            let text = value.stringValue ?? ""
            let isBare =
                !text.isEmpty && !["null", "true", "false"].contains(text) && DecimalNumber(text) == nil
                && text.unicodeScalars.allSatisfy { scalar in
                    scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
                        || scalar == "." || scalar == "/" || scalar == " "
                }
                && !text.hasPrefix(" ") && !text.hasSuffix(" ") && !text.contains("--")
            return isBare ? text : JSONWriter.quoted(text)
        }
    }
}
