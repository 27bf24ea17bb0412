// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

extension SchemaMachine {
    /// The steps of expansions and the states built so far: what the machine has cost, the same on each computer.
    package var effort: Int {
        expansionSteps + nodes.count + stringStates.count + numberStates.count + arrayStates.count + objectStates.count
            + keyStates.count + configurations.count
    }

    /// One diagnostic for each reachable keyword that cannot be enforced where it stands.
    func unsupportedKeywords() -> [Diagnostic] {
        var problems: [Diagnostic] = []
        var reported: Set<String> = []

        func report(_ keyword: String, _ schema: Subschema, _ reason: String) {
            let location = schema.location(ofKeyword: keyword)
            guard reported.insert(keyword + " " + location.description).inserted else { return }
            problems.append(
                Diagnostic(
                    "constraint.unsupported-keyword",
                    "'\(schema.writtenKeyword(keyword))' cannot be enforced at '\(location.pointer)': \(reason)",
                    range: location.range, path: location.pointer))
        }

        for (id, isNegated) in reachableSubschemas() {
            let schema = graph[id]
            if schema.boolean != nil { continue }
            if !isNegated, let format = knownFormat(schema), format.generationLanguage == nil,
                format.exactLanguage == nil
            {
                report("format", schema, "'\(format.rawValue)' is not supported for generation")
            }
            for keyword in unspellable(schema) {
                report(keyword, schema, "it names a text with characters that the vocabulary has no tokens for")
            }
        }
        return problems
    }

    /// The subschemas that may have to hold, and those that may have to fail, each once for either.
    func reachableSubschemas() -> [(schema: SubschemaID, isNegated: Bool)] {
        var found: [(schema: SubschemaID, isNegated: Bool)] = []
        var seen: Set<UInt64> = []
        var work: [(schema: SubschemaID, isNegated: Bool)] = []

        func visit(_ schema: SubschemaID?, _ isNegated: Bool) {
            guard let schema else { return }
            if seen.insert(UInt64(UInt32(bitPattern: schema.rawValue)) << 1 | (isNegated ? 1 : 0)).inserted {
                work.append((schema, isNegated))
            }
        }

        visit(graph.root, false)
        while let (id, isNegated) = work.popLast() {
            found.append((id, isNegated))
            let schema = graph[id]
            if schema.boolean != nil { continue }
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
        return found
    }

    /// Keywords that name keys or composite values with characters that the profile leaves out.
    private func unspellable(_ schema: Subschema) -> [String] {
        if profile.allowsUnassignedPlanes { return [] }
        var keywords: [String] = []
        func check(_ keyword: String, _ isSpellable: Bool) { if !isSpellable { keywords.append(keyword) } }
        func spells(_ text: String) -> Bool { canSpell(Array(text.utf8)) }
        func spells(_ value: JSONValue) -> Bool {
            switch value {
            case .string(let text): spells(text)
            case .array(let elements): elements.allSatisfy(spells)
            case .object(let object): object.members.allSatisfy { spells($0.key) && spells($0.value) }
            default: true
            }
        }
        check("properties", schema.properties.allSatisfy { spells($0.key) })
        check("required", schema.required.allSatisfy(spells))
        check("dependentRequired", schema.dependentRequired.allSatisfy { spells($0.key) && $0.required.allSatisfy(spells) })
        check("dependentSchemas", schema.dependentSchemas.allSatisfy { spells($0.key) })
        check("const", schema.constant.map(spells) ?? true)
        check("enum", schema.enumeration?.allSatisfy(spells) ?? true)
        return keywords
    }
}
