// SPDX-License-Identifier: Apache-2.0

public import Documents

extension Validator {
    /// The properties that the schema allows without naming them.
    ///
    /// A schema names what is in its `properties` and `required`, what `patternProperties` match, and all others with
    /// an `additionalProperties` or `unevaluatedProperties` that says something about their values. What all schemas
    /// say that apply to an object counts together: behind references, in `allOf`, in the branches of `anyOf`, `oneOf`
    /// and `if` that hold. An object of which no schema names any property may have all; so may one with a reference
    /// whose target is not known. `$schema` at the root is no property of the value.
    ///
    /// - Returns: In the order of the text, at most ``Limits/violations`` of them.
    public func unknownProperties(_ node: Node) -> [Violation] {
        guard program.defect == nil else { return [] }
        return DeepStack.run { [program, source, limits] in
            var finder = UnknownPropertyFinder(program, source: source, limits: limits)
            return finder.run(node)
        }
    }
}

/// Goes through a value with all schemas that apply to each part of it.
private struct UnknownPropertyFinder {
    /// A schema with the resources on the way to it, outermost first, each once.
    private struct Applied: Hashable {
        var schema: Int32
        var scope: [Int32]
    }

    private let program: ValidatorProgram
    private let source: VerbatimSource?
    private let limits: Validator.Limits
    private var budget: Int
    private var found: [(index: Int, violation: Violation)] = []

    /// Subschemas applied, those for finding out which branches hold included.
    private static let budget = 20_000_000

    init(_ program: ValidatorProgram, source: VerbatimSource?, limits: Validator.Limits) {
        self.program = program
        self.source = source
        self.limits = limits
        budget = min(limits.applications, Self.budget)
    }

    mutating func run(_ root: Node) -> [Violation] {
        var left = [(node: root, schemas: [Applied(schema: program.root, scope: [])])]
        while let (node, schemas) = left.popLast(), found.count < limits.violations {
            let applied = closure(schemas, node)
            guard budget > 0 else {
                add(
                    program.root, root, "cannot be checked for unknown properties: it needs more work than allowed",
                    isUndecided: true)
                break
            }
            if node.kind == .object {
                visit(node, applied, isRoot: node == root, &left)
            } else {
                visit(elementsOf: node, applied, &left)
            }
        }
        return found.sorted { $0.index < $1.index }.map(\.violation)
    }

    /// All schemas that apply to a value in consequence of some that do.
    private mutating func closure(_ schemas: [Applied], _ node: Node) -> [Applied] {
        var seen: Set<Applied> = []
        var result: [Applied] = []
        var left = schemas
        while let next = left.popLast(), budget > 0 {
            guard seen.insert(next).inserted else { continue }
            budget -= 1
            let block = program.blocks[Int(next.schema)]
            guard block.kinds >> node.kind.rawValue & 1 == 1 else { continue }
            var scope = next.scope
            if program.hasDynamicScope, !scope.contains(block.resource) { scope.append(block.resource) }
            result.append(Applied(schema: next.schema, scope: scope))
            for index in block.checks {
                for schema in consequences(of: program.checks[Int(index)], node, scope) {
                    left.append(Applied(schema: schema, scope: scope))
                }
            }
            guard node.kind == .object, block.object >= 0 else { continue }
            for dependency in program.objects[Int(block.object)].dependentSchemas
            where node.member(dependency.key) != nil {
                left.append(Applied(schema: dependency.schema, scope: scope))
            }
        }
        return result
    }

    /// The schemas that apply because of a keyword.
    private mutating func consequences(
        of check: ValidatorProgram.Check, _ node: Node, _ scope: [Int32]
    ) -> [Int32] {
        switch check {
        case .values, .unresolved, .not: return []
        case .reference(let target): return [target]
        case .dynamicReference(let initial, let anchor):
            let targets = program.dynamicTargets[Int(anchor)]
            return [scope.first { targets[Int($0)] >= 0 }.map { targets[Int($0)] } ?? initial]
        case .allOf(let start, let end): return Array(program.lists[Int(start)..<Int(end)])
        case .anyOf(let start, let end), .oneOf(let start, let end):
            let branches = program.lists[Int(start)..<Int(end)]
            let holding = branches.filter { isValid($0, node, scope) }
            // Where none holds the value is invalid, and any of them may have been meant.
            return holding.isEmpty ? Array(branches) : holding
        case .conditional(let condition, let then, let otherwise):
            let holds = isValid(condition, node, scope)
            return (holds ? [condition, then] : [otherwise]).filter { $0 >= 0 }
        }
    }

    private mutating func isValid(_ id: Int32, _ node: Node, _ scope: [Int32]) -> Bool {
        var checker = FastChecker(
            program, node.document, source: source, maximumDepth: limits.depth, budget: budget, scope: scope, depth: 0)
        let result = checker.check(id, node)
        budget = checker.remainingBudget
        return result && !checker.isAborted
    }

    private mutating func visit(
        _ node: Node, _ applied: [Applied], isRoot: Bool, _ left: inout [(node: Node, schemas: [Applied])]
    ) {
        // Nothing is known about what a missing part of the schema names.
        let isOpen = applied.contains { entry in
            let schema = subschema(entry.schema)
            return schema.reference == nil && schema.dynamicReference == nil && schema.node["$ref"] != nil
        }
        let describing = applied.filter { entry in
            let schema = subschema(entry.schema)
            return !schema.properties.isEmpty || !schema.patternProperties.isEmpty
        }
        for member in node.members {
            let (isNamed, children) = schemas(for: member, applied)
            if member.value.kind == .object || member.value.kind == .array, !children.isEmpty {
                left.append((member.value, children))
            }
            guard !isNamed, !isOpen, let first = describing.last, !(isRoot && member.key == "$schema") else { continue }
            var names: [String] = []
            for entry in describing {
                names += subschema(entry.schema).properties.lazy.map(\.key).filter { node.member($0) == nil }
            }
            let near = Spelling.closest(to: member.key, among: names)
            add(
                first.schema, member.value, "the property '\(member.key)' is not known to the schema",
                hint: near.map { "did you mean '\($0)'?" }, range: member.keyRange)
        }
    }

    /// The schemas for a member's value, and whether one of them is there for this very member.
    private func schemas(for member: Node.Member, _ applied: [Applied]) -> (isNamed: Bool, [Applied]) {
        let key = member.key
        var isNamed = false
        var children: [Applied] = []
        for entry in applied {
            let block = program.blocks[Int(entry.schema)]
            guard block.object >= 0 else { continue }
            let plan = program.objects[Int(block.object)]
            var isCovered = false
            if let number = member.keyNode.withUTF8({ plan.keys.find($0) }) ?? nil {
                isNamed = true
                if plan.schemas[number] >= 0 {
                    isCovered = true
                    children.append(Applied(schema: plan.schemas[number], scope: entry.scope))
                }
            }
            for pattern in plan.patterns where pattern.matcher.matches(key) {
                isNamed = true
                isCovered = true
                children.append(Applied(schema: pattern.schema, scope: entry.scope))
            }
            if !isCovered, plan.additional >= 0 {
                if !program.blocks[Int(plan.additional)].isTrivial { isNamed = true }
                children.append(Applied(schema: plan.additional, scope: entry.scope))
            }
        }
        guard !isNamed else { return (isNamed, children) }
        for entry in applied {
            let block = program.blocks[Int(entry.schema)]
            guard block.object >= 0, case let rest = program.objects[Int(block.object)].unevaluated, rest >= 0 else {
                continue
            }
            if !program.blocks[Int(rest)].isTrivial { isNamed = true }
            children.append(Applied(schema: rest, scope: entry.scope))
        }
        return (isNamed, children)
    }

    private mutating func visit(
        elementsOf node: Node, _ applied: [Applied], _ left: inout [(node: Node, schemas: [Applied])]
    ) {
        for (position, element) in node.elements.enumerated() where element.kind == .object || element.kind == .array {
            var children: [Applied] = []
            for entry in applied {
                let block = program.blocks[Int(entry.schema)]
                guard block.array >= 0 else { continue }
                let plan = program.arrays[Int(block.array)]
                if position < plan.prefix.count {
                    children.append(Applied(schema: plan.prefix[position], scope: entry.scope))
                } else if plan.items >= 0 {
                    children.append(Applied(schema: plan.items, scope: entry.scope))
                }
                if plan.contains >= 0, isValid(plan.contains, element, entry.scope) {
                    children.append(Applied(schema: plan.contains, scope: entry.scope))
                }
                if children.isEmpty, plan.unevaluated >= 0 {
                    children.append(Applied(schema: plan.unevaluated, scope: entry.scope))
                }
            }
            if !children.isEmpty { left.append((element, children)) }
        }
    }

    private func subschema(_ id: Int32) -> Subschema { program.graph[SubschemaID(rawValue: id)] }

    private mutating func add(
        _ id: Int32, _ node: Node, _ message: String, hint: String? = nil, range: SourceRange? = nil,
        isUndecided: Bool = false
    ) {
        let location = subschema(id).location
        found.append(
            (
                node.index,
                Violation(
                    instanceLocation: node.pointer, range: range ?? node.range, schemaLocation: location,
                    evaluationPath: location.pointer, keyword: "unknownProperty", message: message, hint: hint,
                    isUndecided: isUndecided, subschema: SubschemaID(rawValue: id), causes: [])
            ))
    }
}
