// SPDX-License-Identifier: Apache-2.0

import Documents

/// What a subschema, with all that applies to the same value, says about types, values and keys.
///
/// It is a source of proposals only: whether one is right is decided by the validator.
struct SchemaExpectation {
    var types: TypeSet = []
    var values: [JSONValue] = []
    /// Keys that are described.
    var names: [String] = []
    var required: [String] = []
    /// Values for absent keys: defaults, and the only values that are allowed.
    var defaults: [String: JSONValue] = [:]
    private var seenNames = Set<ScalarString>()

    private static let maximumSubschemas = 2_000
    private static let maximumNames = 2_000

    init(_ graph: SchemaGraph, _ id: SubschemaID) {
        var open = [id]
        var seen: Set<SubschemaID> = [id]
        func add(_ next: SubschemaID) {
            if seen.count < Self.maximumSubschemas, seen.insert(next).inserted { open.append(next) }
        }
        while let next = open.popLast() {
            let schema = graph[next]
            if let type = schema.type { types.formUnion(type) }
            if let values = schema.enumeration { self.values += values.prefix(500) }
            if let constant = schema.constant { values.append(constant) }
            for property in schema.properties {
                if names.count < Self.maximumNames, seenNames.insert(ScalarString(property.key)).inserted {
                    names.append(property.key)
                }
                let inner = graph[property.schema]
                if defaults[property.key] == nil {
                    defaults[property.key] =
                        inner.defaultValue ?? inner.constant
                        ?? (inner.enumeration?.count == 1 ? inner.enumeration?.first : nil)
                }
            }
            required += schema.required
            for dependency in schema.dependentRequired { required += dependency.required }
            for branch in schema.allOf + schema.anyOf + schema.oneOf { add(branch) }
            for branch in [
                schema.ifSchema, schema.thenSchema, schema.elseSchema, schema.reference,
                schema.dynamicReference?.initial,
            ] {
                if let branch { add(branch) }
            }
            for dependency in schema.dependentSchemas { add(dependency.schema) }
        }
        if types.isEmpty {
            // The values say which types there are.
            for value in values {
                switch value {
                case .null: types.insert(.null)
                case .bool: types.insert(.boolean)
                case .number: types.insert(.number)
                case .string: types.insert(.string)
                case .array: types.insert(.array)
                case .object: types.insert(.object)
                }
            }
        }
    }
}
