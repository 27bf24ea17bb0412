// SPDX-License-Identifier: Apache-2.0

package import Documents

/// What a document must be so that everything valid in it stays: a schema in which valid parts are constants and the
/// others are free, to be applied together with the document's own schema.
package struct RepairTemplate: Sendable {
    /// The address under which the document's own schema is looked up.
    package static let schemaAddress = "urn:formwork:repair:schema"

    private let mending: SchemaMending
    /// Places whose value is to be found anew.
    private var free: Set<JSONPointer> = []
    /// Objects that need more keys, with the keys that are missing or may be added.
    private var wanted: [JSONPointer: [String]] = [:]
    /// Objects that may get any key.
    private var open: Set<JSONPointer> = []
    /// Members that may not stay.
    private var removed: Set<JSONPointer> = []

    package init(_ graph: SchemaGraph, _ mending: SchemaMending) {
        self.mending = mending
        for violation in Self.decisive(mending.violations) {
            let place = violation.instanceLocation
            let isObject = place.evaluate(mending.value)?.objectValue != nil
            switch violation.keyword {
            case "required", "dependentRequired":
                wanted[place, default: []] += SchemaExpectation(graph, violation.subschema).required
            case "additionalProperties", "unevaluatedProperties":
                removed.insert(place)
                if let parent = place.parent {
                    wanted[parent, default: []] += SchemaExpectation(graph, violation.subschema).names
                }
            case "minProperties" where isObject: open.insert(place)
            default:
                if violation.evaluationPath.tokens.contains("propertyNames") {
                    removed.insert(place)
                    if let parent = place.parent { open.insert(parent) }
                } else {
                    free.insert(place)
                }
            }
        }
    }

    /// The violations that say where something is wrong: of alternatives the reasons, where there are any.
    private static func decisive(_ violations: [Violation]) -> [Violation] {
        violations.flatMap { $0.causes.isEmpty ? [$0] : decisive($0.causes) }
    }

    /// The schema: the document's own at ``schemaAddress``, and the template.
    package var schema: JSONValue {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [["$ref": .string(Self.schemaAddress)], template(mending.value, .root)],
        ]
    }

    // The depth is that of the document, which its reader bounds.
    private func template(_ value: JSONValue, _ place: JSONPointer) -> JSONValue {
        if free.contains(place) { return true }
        switch value {
        case .object(let object):
            var properties = JSONObject()
            var required: [JSONValue] = []
            var isFixed = wanted[place] == nil && !open.contains(place)
            for member in object.members {
                let inner = place.appending(member.key)
                if removed.contains(inner) {
                    isFixed = false
                    continue
                }
                let part = template(member.value, inner)
                if part.objectValue?["const"] == nil { isFixed = false }
                properties.append(key: member.key, value: part)
                required.append(.string(member.key))
            }
            if isFixed { return ["const": value] }
            for key in wanted[place] ?? [] where properties[key] == nil && !removed.contains(place.appending(key)) {
                properties.append(key: key, value: true)
            }
            return [
                "type": "object", "properties": .object(properties), "required": .array(required),
                "additionalProperties": .bool(open.contains(place)),
            ]
        case .array(let elements):
            let parts = elements.enumerated().map { template($1, place.appending($0)) }
            if parts.allSatisfy({ $0.objectValue?["const"] != nil }) { return ["const": value] }
            return [
                "type": "array", "prefixItems": .array(parts), "items": false,
                "minItems": .number(DecimalNumber(elements.count)),
            ]
        default: return ["const": value]
        }
    }

    /// The mending with the value that was found; nil where it changes what was to stay.
    package func complete(with value: JSONValue) -> SchemaMending? {
        var result = mending
        var changes: [ValueMend] = []
        guard compare(mending.value, value, .root, &changes) else { return nil }
        for change in changes {
            result.mends.append(change)
            guard let origin = change.origin else { continue }
            switch change.change {
            case .replace(_, let new, _):
                result.edits.removeAll { if case .replace(let pointer, _, _) = $0 { pointer == origin } else { false } }
                result.edits.append(.replace(origin, new, spelling: nil))
            case .insert(let key, let member): result.edits.append(.insert(in: origin, key: key, member))
            case .remove: result.edits.append(.remove(origin))
            case .rename, .wrap: return nil
            }
        }
        result.value = value
        result.violations = []
        return result
    }

    private func compare(_ old: JSONValue, _ new: JSONValue, _ place: JSONPointer, _ changes: inout [ValueMend]) -> Bool
    {
        if old == new { return true }
        func change(_ change: ValueMend.Change, _ place: JSONPointer, _ message: String) {
            changes.append(
                ValueMend(
                    id: "value.generated", message: message, pointer: place, origin: mending.origin(of: place),
                    change: change,
                    cost: TextMend.ordinaryCost))
        }
        if free.contains(place) {
            change(.replace(from: old, to: new, spelling: nil), place, "the model has found a value that fits")
            return true
        }
        switch (old, new) {
        case (.object(let before), .object(let after)):
            for member in before.members where after[member.key] == nil {
                let inner = place.appending(member.key)
                guard removed.contains(inner) else { return false }
                change(.remove(member.value), inner, "the key is not allowed")
            }
            for member in after.members {
                let inner = place.appending(member.key)
                if let value = before[member.key], !removed.contains(inner) {
                    guard compare(value, member.value, inner, &changes) else { return false }
                } else {
                    guard wanted[place] != nil || open.contains(place) else { return false }
                    change(.insert(key: member.key, member.value), place, "the model has added '\(member.key)'")
                }
            }
            return true
        case (.array(let before), .array(let after)) where before.count == after.count:
            return before.indices.allSatisfy { compare(before[$0], after[$0], place.appending($0), &changes) }
        default: return false
        }
    }
}
