// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// What a machine can say about a schema beyond its root.
package struct SchemaAudit {
    /// What is valid in some place, but never offered.
    package var limitations: [Diagnostic] = []
    /// Subschemas that nothing satisfies, and values without a bound.
    package var warnings: [Diagnostic] = []
    /// The bytes of a document with every named member once and texts of usual length: an estimate.
    package var typicalSize = 0
    /// Whether documents can be of any length.
    package var isUnbounded = false
    /// Whether some subschemas were left out because there are too many.
    package var isIncomplete = false
}

extension SchemaMachine {
    /// The most subschemas that an audit expands.
    private static let maximumAudited = 4_000
    /// Texts of at least this many characters count as unbounded.
    private static let longText = 4_096
    /// The most warnings.
    private static let maximumWarnings = 100

    /// Expands every subschema where it must hold, and where it must fail if that can happen, instead of waiting until
    /// a document gets there.
    package func audit() -> SchemaAudit {
        var audit = SchemaAudit()
        var expanded = 0
        let begin = effort
        for (id, isNegated) in reachableSubschemas() {
            let schema = graph[id]
            if schema.boolean != nil { continue }
            expanded += 1
            guard expanded <= Self.maximumAudited, effort - begin <= limits.auditBudget else {
                audit.isIncomplete = true
                break
            }
            let node = node([literal(id, scope: 0, negated: isNegated)])
            let before = limitationCount
            for type in ValueType.allCases {
                for shape in expand(node, type) ?? [] {
                    switch type {
                    case .array: _ = openCost(array: intern(initialState(array: shape)))
                    case .object:
                        _ = openCost(object: intern(initialState(object: shape)))
                        if let object = objectShapes[Int(shape)] { _ = anonymousKeys(object) }
                    default: break
                    }
                }
            }
            guard !isNegated, audit.warnings.count < Self.maximumWarnings else { continue }
            let location = schema.location
            if cost(of: node) >= .infinite, before == limitationCount {
                audit.warnings.append(
                    Diagnostic(
                        "constraint.unsatisfiable-branch", "no value satisfies the schema at '\(location.pointer)'",
                        severity: .warning, range: location.range, path: location.pointer))
            } else if let kind = unboundedKind(node, schema) {
                audit.isUnbounded = true
                audit.warnings.append(
                    Diagnostic(
                        "constraint.unbounded",
                        "\(kind) at '\(location.pointer)' can be of any length; only the token budget bounds it",
                        severity: .note, range: location.range, path: location.pointer))
            }
        }
        audit.limitations = limitations
        audit.typicalSize = Int(typicalSize(graph.root, 0))
        return audit
    }

    /// The shortest document, where writing it takes no longer than a few steps for each byte.
    package func shortestDocument(atMost limit: Int) -> [UInt8]? {
        guard minimumCompletion(start) <= limit else { return nil }
        let begin = effort
        var bytes: [UInt8] = []
        var current = start
        while !isAccepting(current) {
            guard effort - begin <= limits.auditBudget, bytes.count <= limit * 2, let byte = witnessByte(current) else {
                return nil
            }
            bytes.append(byte)
            current = step(current, byte)
        }
        return bytes
    }

    /// What about a schema's own values has no bound: texts or arrays that the schema itself speaks about.
    private func unboundedKind(_ node: NodeID, _ schema: Subschema) -> String? {
        let speaksOfTypes = schema.type ?? []
        if speaksOfTypes.contains(.string) || schema.minLength != nil || schema.pattern != nil {
            for number in expand(node, .string) ?? [] {
                guard let shape = stringShapes[Int(number)], shape.finite == nil, shape.maxLength == nil else { continue }
                guard let automaton = shape.automaton else { return "a string" }
                if automaton.canFinish(automaton.start, minScalars: Self.longText, maxScalars: nil) == .alive { return "a string" }
            }
        }
        if speaksOfTypes.contains(.array) || schema.items != nil {
            for number in expand(node, .array) ?? [] {
                let shape = arrayShapes[number]
                if shape.maxItems == nil, cost(of: shape.rest) < .infinite { return "an array" }
            }
        }
        return nil
    }

    /// An estimate of the bytes of a value with every named member once.
    private func typicalSize(_ id: SubschemaID, _ depth: Int) -> Double {
        let schema = graph[id]
        guard schema.boolean == nil, depth < 12 else { return 4 }
        func inside(_ id: SubschemaID) -> Double { typicalSize(id, depth + 1) }
        if let constant = schema.constant { return Double(constant.description.utf8.count) }
        if let values = schema.enumeration, !values.isEmpty {
            let sample = values.prefix(64)
            return Double(sample.reduce(0) { $0 + $1.description.utf8.count }) / Double(sample.count)
        }
        var size = 0.0
        for part in schema.allOf { size = max(size, inside(part)) }
        for choices in [schema.anyOf, schema.oneOf] where !choices.isEmpty {
            size += choices.prefix(32).reduce(0) { $0 + inside($1) } / Double(min(32, choices.count))
        }
        if let reference = schema.reference { size += inside(reference) }
        let types = schema.type ?? []
        if types.contains(.object) || !schema.properties.isEmpty {
            var own = 2.0
            for property in schema.properties {
                own += Double(property.key.utf8.count) + 6 + inside(property.schema)
                if own > 1e9 { break }
            }
            return size + own
        }
        if types.contains(.array) || schema.items != nil {
            let count = Double(min(schema.maxItems ?? 3, max(3, schema.minItems ?? 0)))
            return size + 2 + count * (2 + (schema.items.map(inside) ?? 4))
        }
        if types.contains(.string) {
            let least = min(schema.minLength ?? 0, 1_000_000)
            return 2 + Double(min(schema.maxLength ?? .max, max(least, 16)))
        }
        return max(size, types.contains(.boolean) ? 5 : 4)
    }
}
