// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// Finds the parts of a schema that no value can meet: whole subschemas, properties that can never be there, alternatives
/// that are never the one.
///
/// Only what is proven is reported.
package struct SatisfiabilityLint {
    /// What was found.
    package private(set) var diagnostics: [Diagnostic] = []
    /// Why not everything was looked at, if that is so.
    package private(set) var gap: String?

    private let graph: SchemaGraph
    private let root: Node
    /// The number of a subschema in the composition is greater by this much.
    private var offset: Int32 = 0
    private var withKey: [[UInt8]: SubschemaID] = [:]
    private var withPattern: [Pattern: SubschemaID] = [:]
    private var empty: Set<SubschemaID> = []
    private var questions = 0

    private static let maximumQuestions = 6_000
    private static let maximumEffort = 1_500_000
    private static let maximumReports = 100

    /// Looks at a schema.
    ///
    /// - Parameters:
    ///   - graph: The schema.
    ///   - root: The document's root: parts in other documents are not looked at.
    ///   - known: The places of mistakes that were found otherwise and say enough.
    package init(_ graph: SchemaGraph, root: Node, formats: FormatPolicy, known: [JSONPointer] = []) {
        self.graph = graph
        self.root = root
        var composition = SchemaComposition()
        offset = composition.add(graph)
        let schemas = Self.own(graph, root)
        for schema in schemas {
            for key in keys(of: schema) where withKey.count < 2_000 && withKey[Array(key.name.utf8)] == nil {
                withKey[Array(key.name.utf8)] = composition.add(objectsWith: key.name)
            }
            let patterns = [schema.pattern].compactMap(\.self) + schema.patternProperties.map(\.pattern)
            for pattern in patterns where withPattern.count < 2_000 && withPattern[pattern] == nil {
                withPattern[pattern] = composition.add(stringsWith: pattern)
            }
        }
        let solver: SchemaSolver
        do {
            solver = try SchemaSolver(composition.graph(), formats: formats, limits: SchemaMachine.Limits())
        } catch {
            gap = error.diagnostics.first?.message ?? "the schema cannot be decided"
            return
        }
        let mistakes = Set(known.map(\.description))
        lookAtPatterns(schemas, solver)
        lookAtEmptiness(schemas, solver, mistakes)
        for schema in schemas where !empty.contains(schema.id) {
            lookAtProperties(schema, solver)
            lookAtBranches(schema, solver)
        }
    }

    private static func own(_ graph: SchemaGraph, _ root: Node) -> [Subschema] {
        var seen: Set<Int> = []
        return graph.subschemas.filter {
            $0.boolean == nil && $0.node.kind == .object && $0.node.document === root.document
                && seen.insert($0.node.index).inserted
        }
    }

    /// Whether it is proven that no value meets all of these.
    private mutating func isEmpty(
        _ holding: [SubschemaID], failing: [SubschemaID] = [], _ solver: SchemaSolver
    ) -> Bool {
        guard questions < Self.maximumQuestions, solver.effort < Self.maximumEffort,
            diagnostics.count < Self.maximumReports
        else {
            gap = gap ?? "the schema has too many parts to look at all of them"
            return false
        }
        questions += 1
        return solver.isEmpty(meeting: holding, failing: failing)
    }

    private func moved(_ id: SubschemaID) -> SubschemaID { SubschemaID(rawValue: id.rawValue + offset) }

    private mutating func report(
        _ id: DiagnosticID, _ message: String, _ node: Node, path: JSONPointer, help: String? = nil,
        severity: Diagnostic.Severity = .warning, notes: [Diagnostic] = []
    ) {
        diagnostics.append(
            Diagnostic(id, message, severity: severity, range: node.range, path: path, notes: notes, help: help))
    }

    // MARK: Patterns

    private mutating func lookAtPatterns(_ schemas: [Subschema], _ solver: SchemaSolver) {
        for schema in schemas {
            if let pattern = schema.pattern, let id = withPattern[pattern], isEmpty([id], solver),
                let node = schema.node["pattern"]
            {
                report("lint.pattern-never-matches", "no text matches '\(pattern.source)'", node, path: node.pointer)
                empty.insert(schema.id)
            }
            for entry in schema.patternProperties {
                guard let id = withPattern[entry.pattern], isEmpty([id], solver),
                    let member = schema.node["patternProperties"]?.member(entry.pattern.source)
                else { continue }
                report(
                    "lint.pattern-never-matches", "no key matches '\(entry.pattern.source)'", member.keyNode,
                    path: member.value.pointer)
            }
        }
    }

    // MARK: Subschemas

    /// How schemas without booleans say `false`.
    private static func isMeantToBeEmpty(_ schema: Subschema, _ graph: SchemaGraph) -> Bool {
        guard let inner = schema.not, schema.node.count == 1 else { return false }
        return graph[inner].boolean == true || graph[inner].node.kind == .object && graph[inner].node.count == 0
    }

    private mutating func lookAtEmptiness(_ schemas: [Subschema], _ solver: SchemaSolver, _ mistakes: Set<String>) {
        var reported: Set<SubschemaID> = empty
        var meant: Set<SubschemaID> = []
        for schema in schemas where !empty.contains(schema.id) {
            if Self.isMeantToBeEmpty(schema, graph) { meant.insert(schema.id) }
            if isEmpty([moved(schema.id)], solver) { empty.insert(schema.id) }
        }
        func isExplained(_ schema: Subschema) -> Bool {
            schema.parts.contains { $0 != schema.id && empty.contains($0) && !meant.contains($0) }
                || schema.node.members.contains { member in
                    mistakes.contains(member.value.pointer.description)
                        || member.value.elements.contains { mistakes.contains($0.pointer.description) }
                }
        }
        for schema in schemas where empty.contains(schema.id) && !meant.contains(schema.id) {
            if schema.id == graph.root || reported.contains(schema.id) || isExplained(schema) { continue }
            reported.insert(schema.id)
            report(
                "lint.unsatisfiable", "no value can meet this schema", schema.node, path: schema.node.pointer,
                help: conflict(schema, solver))
        }
        if empty.contains(graph.root) {
            let causes = diagnostics.prefix(5).map { Diagnostic.note($0.message, range: $0.range) }
            report(
                "lint.unsatisfiable", "no value can meet the schema", root, path: root.pointer,
                help: causes.isEmpty ? conflict(graph[graph.root], solver) : nil, severity: .error, notes: causes)
        }
    }

    /// Which of the schema's parts already have nothing in common.
    private mutating func conflict(_ schema: Subschema, _ solver: SchemaSolver) -> String? {
        var parts = schema.allOf
        if let reference = schema.reference { parts.append(reference) }
        for (index, a) in parts.prefix(12).enumerated() {
            for b in parts.prefix(12).dropFirst(index + 1) where isEmpty([moved(a), moved(b)], solver) {
                return "'\(graph[a].node.pointer)' and '\(graph[b].node.pointer)' have no value in common"
            }
        }
        return nil
    }

    // MARK: Properties

    private struct Key {
        var name: String
        /// Where the key stands.
        var node: Node
        var schema: SubschemaID
        var isOwn: Bool
    }

    /// The properties that the schema and what is joined to it name.
    private func keys(of schema: Subschema) -> [Key] {
        var found: [Key] = []
        func add(_ part: Subschema, _ depth: Int) {
            for property in part.properties {
                guard let node = graph[property.schema].node.keyNode else { continue }
                found.append(Key(name: property.key, node: node, schema: property.schema, isOwn: depth == 0))
            }
            guard depth < 3, found.count < 2_000 else { return }
            for next in part.allOf + [part.reference].compactMap(\.self) { add(graph[next], depth + 1) }
        }
        // What is only referred to is looked at where it is.
        if schema.properties.isEmpty, schema.allOf.isEmpty { return [] }
        add(schema, 0)
        return found
    }

    private mutating func lookAtProperties(_ schema: Subschema, _ solver: SchemaSolver) {
        var done: Set<[UInt8]> = []
        for key in keys(of: schema) {
            guard done.insert(Array(key.name.utf8)).inserted, let asked = withKey[Array(key.name.utf8)] else {
                continue
            }
            let value = graph[key.schema]
            if value.boolean == false || empty.contains(key.schema) || Self.isMeantToBeEmpty(value, graph) { continue }
            // A property that a part forbids on purpose.
            let isForbidden = keys(of: schema).contains {
                $0.name == key.name
                    && (graph[$0.schema].boolean == false || Self.isMeantToBeEmpty(graph[$0.schema], graph))
            }
            if isForbidden { continue }
            guard isEmpty([moved(schema.id), asked], solver) else { continue }
            let path = graph[key.schema].node.pointer
            guard !diagnostics.contains(where: { $0.path?.description == path.description }) else { continue }
            report(
                "lint.impossible-property", "the property '\(key.name)' can never be there", key.node, path: path,
                help: key.isOwn
                    ? "another keyword of the object excludes it, or every value for it"
                    : "another part that applies to the same object excludes it; 'additionalProperties' sees only the"
                        + " 'properties' beside it")
        }
    }

    // MARK: Alternatives

    private mutating func lookAtBranches(_ schema: Subschema, _ solver: SchemaSolver) {
        for (keyword, branches) in [("anyOf", schema.anyOf), ("oneOf", schema.oneOf)] where branches.count > 1 {
            for (index, branch) in branches.enumerated() {
                let node = graph[branch].node
                guard graph[branch].boolean != false, !empty.contains(branch), node.document === root.document,
                    isEmpty([moved(schema.id), moved(branch)], solver)
                else { continue }
                var shadow: Int?
                if keyword == "oneOf" {
                    for (other, candidate) in branches.enumerated() where other != index {
                        if isEmpty([moved(branch)], failing: [moved(candidate)], solver) {
                            shadow = other
                            break
                        }
                    }
                }
                if let shadow {
                    report(
                        "lint.shadowed-branch",
                        "alternative \(index + 1) of 'oneOf' is never the only one: whatever meets it meets alternative"
                            + " \(shadow + 1) as well", node, path: node.pointer,
                        help: "use 'anyOf', or tell them apart",
                        notes: [.note("alternative \(shadow + 1)", range: graph[branches[shadow]].node.range)])
                } else {
                    report(
                        "lint.impossible-branch",
                        "alternative \(index + 1) of '\(keyword)' can never be the one: the keywords beside"
                            + " '\(keyword)'\(keyword == "oneOf" ? " and the other alternatives" : "") exclude it",
                        node, path: node.pointer)
                }
            }
        }
        if let condition = schema.ifSchema, graph[condition].boolean == nil, !empty.contains(condition) {
            let node = graph[condition].node
            if schema.thenSchema != nil, isEmpty([moved(schema.id), moved(condition)], solver) {
                report("lint.constant-condition", "'if' never holds here", node, path: node.pointer)
            } else if schema.elseSchema != nil, isEmpty([moved(schema.id)], failing: [moved(condition)], solver) {
                report("lint.constant-condition", "'if' always holds here", node, path: node.pointer)
            }
        }
    }
}
