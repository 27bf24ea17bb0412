// SPDX-License-Identifier: Apache-2.0

public import Documents

/// The output formats that the JSON Schema specification describes.
public enum StandardOutput: String, CaseIterable, Sendable {
    /// Whether the value is valid, and nothing else.
    case flag
    /// A flat list with a unit for each keyword, as drafts 2019-09 and 2020-12 have it (section 12.4.2).
    case basic
    /// A flat list with a unit for each subschema, as the specification after 2020-12 has it.
    case list
    /// The units of ``list`` inside each other as the schemas are.
    case hierarchical
}

extension Validator {
    /// The verdict on a value in a format of the specification.
    ///
    /// A valid value has the annotations of its schemas, an invalid one the errors; subschemas with nothing to say are
    /// left out.
    public func output(_ node: Node, as format: StandardOutput) -> JSONValue {
        let violations = validate(node)
        let isValid = violations.isEmpty
        if format == .flag { return .object(["valid": .bool(isValid)]) }
        let annotations = isValid ? annotations(node) ?? [] : []
        switch format {
        case .flag, .basic: return basic(isValid, violations, annotations)
        case .list: return OutputUnits(graph, isValid, violations, annotations).list()
        case .hierarchical: return OutputUnits(graph, isValid, violations, annotations).hierarchical()
        }
    }

    private func basic(_ isValid: Bool, _ violations: [Violation], _ annotations: [Annotation]) -> JSONValue {
        var units: [JSONValue] = []
        func add(_ violation: Violation) {
            units.append(
                .object([
                    "valid": .bool(false), "keywordLocation": .string(violation.evaluationPath.description),
                    "absoluteKeywordLocation": .string(violation.schemaLocation.uri),
                    "instanceLocation": .string(violation.instanceLocation.description),
                    "error": .string(violation.message),
                ]))
            violation.causes.forEach(add)
        }
        violations.forEach(add)
        for annotation in annotations {
            let path = annotation.evaluationPath.appending(annotation.keyword)
            var place = annotation.schemaLocation
            place.resourcePointer = place.resourcePointer.appending(annotation.keyword)
            units.append(
                .object([
                    "valid": .bool(true), "keywordLocation": .string(path.description),
                    "absoluteKeywordLocation": .string(place.uri),
                    "instanceLocation": .string(annotation.instanceLocation.description),
                    "annotation": annotation.value,
                ]))
        }
        return .object([
            "valid": .bool(isValid), "keywordLocation": .string(""), "instanceLocation": .string(""),
            isValid ? "annotations" : "errors": .array(units),
        ])
    }
}

/// What was found, put together by subschema and place in the value.
private struct OutputUnits {
    struct Unit {
        var path: JSONPointer
        var instance: JSONPointer
        var schema: String
        var errors = JSONObject()
        var annotations = JSONObject()
    }

    private struct Key: Hashable {
        var path: JSONPointer
        var instance: JSONPointer
    }

    private let isValid: Bool
    /// Those of outer schemas first; the first is the whole schema's.
    private var units: [Unit]

    init(_ graph: SchemaGraph, _ isValid: Bool, _ violations: [Violation], _ annotations: [Annotation]) {
        self.isValid = isValid
        let root = Unit(path: JSONPointer(), instance: JSONPointer(), schema: graph[graph.root].location.uri)
        var units = [root]
        var places = [Key(path: root.path, instance: root.instance): 0]
        func place(_ path: JSONPointer, _ instance: JSONPointer, _ schema: String) -> Int {
            let key = Key(path: path, instance: instance)
            if let known = places[key] { return known }
            places[key] = units.count
            units.append(Unit(path: path, instance: instance, schema: schema))
            return units.count - 1
        }
        func add(_ violation: Violation) {
            var path = violation.evaluationPath.tokens
            var schema = violation.schemaLocation
            var keyword = "false"
            // The schema `false` has no keyword.
            if violation.keyword != "false", let last = path.popLast() {
                keyword = last
                schema.resourcePointer = JSONPointer(schema.resourcePointer.tokens.dropLast())
            }
            let index = place(JSONPointer(path), violation.instanceLocation, schema.uri)
            let before = units[index].errors[keyword]?.stringValue
            let message = before.map { "\($0); \(violation.message)" } ?? violation.message
            units[index].errors[keyword] = .string(message)
            violation.causes.forEach(add)
        }
        violations.forEach(add)
        for annotation in annotations {
            let index = place(annotation.evaluationPath, annotation.instanceLocation, annotation.schemaLocation.uri)
            units[index].annotations[annotation.keyword] = annotation.value
        }
        self.units = units
    }

    private func object(_ unit: Unit, isValid: Bool, details: [JSONValue] = []) -> JSONValue {
        var object: JSONObject = [
            "valid": .bool(isValid), "evaluationPath": .string(unit.path.description),
            "schemaLocation": .string(unit.schema), "instanceLocation": .string(unit.instance.description),
        ]
        if unit.errors.count > 0 { object["errors"] = .object(unit.errors) }
        if unit.annotations.count > 0 { object["annotations"] = .object(unit.annotations) }
        if !details.isEmpty { object["details"] = .array(details) }
        return .object(object)
    }

    /// What was found is either errors only or annotations only, so that each unit is as valid as the whole.
    func list() -> JSONValue {
        .object(["valid": .bool(isValid), "details": .array(units.map { object($0, isValid: isValid) })])
    }

    func hierarchical() -> JSONValue {
        var children = [[Int]](repeating: [], count: units.count)
        var places: [Key: Int] = [:]
        for (index, unit) in units.enumerated() { places[Key(path: unit.path, instance: unit.instance)] = index }
        for (index, unit) in units.enumerated().dropFirst() {
            // The nearest outer subschema that looked at this place or at one around it.
            var parent = 0
            var path = unit.path.tokens
            search: while path.popLast() != nil {
                var instance = unit.instance.tokens
                while true {
                    if let found = places[Key(path: JSONPointer(path), instance: JSONPointer(instance))], found != index {
                        parent = found
                        break search
                    }
                    if instance.popLast() == nil { break }
                }
            }
            children[parent].append(index)
        }
        // From the inside out: a path is longer than that of the unit around it.
        var made = [JSONValue](repeating: .null, count: units.count)
        for index in units.indices.sorted(by: { units[$0].path.tokens.count > units[$1].path.tokens.count }) {
            made[index] = object(units[index], isValid: isValid, details: children[index].map { made[$0] })
        }
        return made[0]
    }
}
