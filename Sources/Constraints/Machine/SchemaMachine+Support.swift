// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

extension SchemaMachine {
    /// One diagnostic for each reachable keyword that cannot be enforced where it stands.
    func unsupportedKeywords() -> [Diagnostic] {
        var problems: [Diagnostic] = []
        var seen: Set<UInt64> = []
        var reported: Set<String> = []
        var work: [(schema: SubschemaID, isNegated: Bool)] = []

        func visit(_ schema: SubschemaID?, _ isNegated: Bool) {
            guard let schema else { return }
            if seen.insert(UInt64(UInt32(bitPattern: schema.rawValue)) << 1 | (isNegated ? 1 : 0)).inserted {
                work.append((schema, isNegated))
            }
        }
        func report(_ keyword: String, _ schema: Subschema, _ reason: String) {
            let location = schema.location(ofKeyword: keyword)
            guard reported.insert(keyword + " " + location.description).inserted else { return }
            problems.append(
                Diagnostic(
                    "constraint.unsupported-keyword",
                    "'\(schema.writtenKeyword(keyword))' cannot be enforced at '\(location.pointer)': \(reason)",
                    range: location.range, path: location.pointer))
        }

        visit(graph.root, false)
        while let (id, isNegated) = work.popLast() {
            let schema = graph[id]
            if schema.boolean != nil { continue }
            if !isNegated, let format = knownFormat(schema), format.generationLanguage == nil, format.exactLanguage == nil {
                report("format", schema, "'\(format.rawValue)' is not supported for generation")
            }
            for property in schema.properties { visit(property.schema, isNegated) }
            for property in schema.patternProperties { visit(property.schema, isNegated) }
            for property in schema.dependentSchemas { visit(property.schema, isNegated) }
            for part in schema.prefixItems + schema.allOf + schema.anyOf { visit(part, isNegated) }
            for part in schema.oneOf {
                visit(part, isNegated)
                if schema.oneOf.count > 1 { visit(part, !isNegated) }
            }
            for part in [
                schema.items, schema.additionalProperties, schema.propertyNames, schema.thenSchema, schema.elseSchema,
                schema.reference, schema.unevaluatedProperties, schema.unevaluatedItems,
            ] {
                visit(part, isNegated)
            }
            visit(schema.not, !isNegated)
            visit(schema.ifSchema, true)
            visit(schema.ifSchema, false)
            visit(schema.contains, isNegated)
            if schema.contains != nil, isNegated || schema.maxContains != nil { visit(schema.contains, !isNegated) }
            if let reference = schema.dynamicReference {
                visit(reference.initial, isNegated)
                if let anchor = reference.anchor {
                    for resource in graph.resources { visit(resource.dynamicAnchors[anchor], isNegated) }
                }
            }
        }
        return problems
    }
}
