// SPDX-License-Identifier: Apache-2.0

import Documents

/// A type of a short spec, as the JSON Schema it stands for, with the places its parts come from.
struct SpecType {
    /// What limits can be put on the type.
    enum Kind {
        case string, number, list, map, record
        /// A reference to a named type.
        case named(String)
        /// Fixed values, unions, anything.
        case other

        var noun: String {
            switch self {
            case .string: "text"
            case .number: "a number"
            case .list: "a list"
            case .map: "a map"
            case .record: "a record"
            case .named(let name): "the type '\(name)'"
            case .other: "this type"
            }
        }
    }

    var kind: Kind
    var schema: JSONObject
    /// Places by pointer below this schema.
    var places: [(pointer: [String], range: SourceRange)] = []
    /// Named types that this is, or is a choice of, without a record or list in between.
    var direct: [String] = []

    init(_ kind: Kind, _ schema: JSONObject) {
        self.kind = kind
        self.schema = schema
    }

    static func typed(_ kind: Kind, _ name: String) -> SpecType { SpecType(kind, ["type": .string(name)]) }

    /// Puts another type's schema at a place in this one.
    mutating func adopt(_ other: SpecType, at path: [String]) {
        places += other.places.map { (path + $0.pointer, $0.range) }
    }

    /// The choice between types: one `type` with several names where that says the same, else `anyOf`.
    static func union(_ types: [SpecType]) -> SpecType {
        guard types.count > 1 else { return types.first ?? SpecType(.other, [:]) }
        let direct = types.flatMap(\.direct)
        // null beside one other type is by far the most frequent choice.
        let nulls = types.filter(\.isNull).count
        if nulls >= 1, nulls == types.count - 1, var other = types.first(where: { !$0.isNull }), other.acceptNull() {
            other.kind = .other
            other.direct = direct
            return other
        }
        let names = types.map(\.bareType)
        if names.allSatisfy({ $0 != nil }) {
            var unique: [JSONValue] = []
            for name in names.compactMap({ $0 }) where !unique.contains(.string(name)) { unique.append(.string(name)) }
            return SpecType(.other, ["type": unique.count == 1 ? unique[0] : .array(unique)])
        }
        if types.allSatisfy({ $0.schema.count == 1 && $0.schema["enum"] != nil || $0.isNull || $0.isConstant }) {
            var values: [JSONValue] = []
            for type in types {
                for value in type.fixedValues where !values.contains(value) { values.append(value) }
            }
            return SpecType(.other, ["enum": .array(values)])
        }
        var result = SpecType(.other, ["anyOf": .array(types.map { .object($0.schema) })])
        for (index, type) in types.enumerated() { result.adopt(type, at: ["anyOf", String(index)]) }
        result.direct = direct
        return result
    }

    private var bareType: String? { schema.count == 1 ? schema["type"]?.stringValue : nil }
    private var isNull: Bool { bareType == "null" }
    private var isConstant: Bool { schema.count == 1 && schema["const"] != nil }
    private var fixedValues: [JSONValue] {
        schema["enum"]?.arrayValue ?? schema["const"].map { [$0] } ?? [.null]
    }

    /// Lets null through in place; false where the schema's form does not allow that.
    private mutating func acceptNull() -> Bool {
        if let name = schema["type"]?.stringValue {
            schema["type"] = [.string(name), "null"]
            return true
        }
        if schema.count == 1, let values = schema["enum"]?.arrayValue {
            if !values.contains(.null) { schema["enum"] = .array(values + [.null]) }
            return true
        }
        return false
    }
}

/// The words of the short form.
enum SpecWords {
    static let basic = ["string", "integer", "number", "boolean", "null", "any"]
    static let formats = [
        "date", "time", "date-time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6",
        "uri",
        "uri-reference", "iri", "iri-reference", "uuid", "uri-template", "json-pointer", "relative-json-pointer",
        "regex",
    ]
    static let aliases = ["datetime": "date-time", "url": "uri"]
    /// Words that cannot name a type of one's own.
    static let reserved = Set(basic + formats + Array(aliases.keys) + ["list", "map", "one", "of", "or", "min", "max"])

    /// What people coming from other notations write, with what to write here.
    static let foreign: [String: String] = [
        "int": "integer", "int32": "integer", "int64": "integer", "long": "integer", "float": "number",
        "double": "number",
        "decimal": "number", "bool": "boolean", "str": "string", "text": "string", "char": "string",
        "timestamp": "date-time",
        "array": "list of …", "object": "nested fields, or 'map of …'", "dict": "map of …", "enum": "one of […]",
        "nil": "null",
        "none": "null", "unknown": "any",
    ]
}
