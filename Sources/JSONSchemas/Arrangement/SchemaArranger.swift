// SPDX-License-Identifier: Apache-2.0

public import Documents

/// What happens to members that a schema has defaults for.
public enum DefaultsPolicy: String, Hashable, Sendable, CaseIterable {
    /// They stay as they are.
    case keep
    /// Those that are absent are added.
    case fill
    /// Those that are equal to their default are removed.
    case drop
}

/// Finds out in which order a schema names the members of a value, and which of them are there by default.
///
/// The order is that of `x-order` and `properties` in all schemas that apply to an object: behind references, in
/// `allOf`, and in the branches of `anyOf`, `oneOf` and `if` that hold. Defaults count in schemas that apply in any
/// case: behind references and in `allOf`. Where two of them differ there is none.
package struct SchemaArranger: Sendable {
    package struct Result: Sendable {
        package var arrangement: Arrangement
        /// Why defaults were left alone.
        package var notes: [Diagnostic] = []
    }

    /// How often members are added to members that were added.
    private static let rounds = 16
    /// How many changes are tried one by one where all together make a valid value invalid.
    private static let trials = 200

    private let validator: Validator

    package init(_ validator: Validator) { self.validator = validator }

    /// What is to change in a value.
    package func arrange(_ root: Node, order: MemberOrder, defaults: DefaultsPolicy) -> Result {
        guard validator.program.defect == nil else { return Result(arrangement: Arrangement()) }
        return DeepStack.run {
            var result = Result(arrangement: Arrangement())
            var document = Document(value: root.value)
            if defaults != .keep { document = change(root, document, defaults, &result) }
            switch order {
            case .keep: break
            case .alphabetical: result.arrangement.order = .alphabetical
            case .schema:
                var walk = SchemaWalk(validator)
                walk.run(document.root, defaults: .keep)
                result.arrangement.order = .ranked(walk.ranks)
            }
            return result
        }
    }

    /// Adds or removes members until nothing is left to do.
    private func change(
        _ root: Node, _ document: Document, _ defaults: DefaultsPolicy, _ result: inout Result
    ) -> Document {
        let original = document.root.value
        var document = document
        for round in 0... {
            var walk = SchemaWalk(validator)
            walk.run(document.root, defaults: defaults)
            if walk.changes.changesValue, round < Self.rounds {
                document = Document(value: walk.changes.apply(to: document.root.value))
                continue
            }
            guard !walk.changes.changesValue else {
                note("format.defaults", "the defaults of this schema never end; none is added", root, &result)
                return Document(value: original)
            }
            break
        }
        let target = document.root.value
        let difference = Arrangement(from: original, to: target)
        guard difference.changesValue else { return document }
        if !validator.isValid(root) || validator.isValid(document.root) {
            result.arrangement = difference
            return document
        }
        return single(original, difference, root, &result)
    }

    /// Makes those of several changes that leave a valid value valid.
    private func single(
        _ original: JSONValue, _ all: Arrangement, _ root: Node, _ result: inout Result
    ) -> Document {
        let removals = all.removals.sorted { $0.description < $1.description }
        let insertions = all.insertions.sorted { $0.key.description < $1.key.description }
            .flatMap { place in place.value.map { (place.key, $0) } }
        var good = Arrangement()
        var document = Document(value: original)
        var refused = 0
        if removals.count + insertions.count > Self.trials {
            note(
                "format.defaults", "with its defaults changed, the document would not be valid; they stay", root,
                &result)
            return document
        }
        func attempt(_ change: (inout Arrangement) -> Void) {
            var next = good
            change(&next)
            let value = Document(value: next.apply(to: original))
            if validator.isValid(value.root) { (good, document) = (next, value) } else { refused += 1 }
        }
        for pointer in removals { attempt { $0.removals.insert(pointer) } }
        for (place, member) in insertions { attempt { $0.insertions[place, default: []].append(member) } }
        if refused > 0 {
            let count = "\(refused) \(refused == 1 ? "default is" : "defaults are")"
            note("format.defaults", "\(count) left as they are: the document would not be valid", root, &result)
        }
        result.arrangement = good
        return document
    }

    private func note(_ id: DiagnosticID, _ message: String, _ root: Node, _ result: inout Result) {
        result.notes.append(Diagnostic(id, message, severity: .warning, range: root.range))
    }
}

/// Goes through a value with all schemas that apply to each part of it.
private struct SchemaWalk {
    /// A schema with the resources on the way to it, outermost first, each once.
    private struct Applied: Hashable {
        var schema: Int32
        var scope: [Int32]
        /// Whether it applies whatever the value is.
        var isCertain: Bool
    }

    private let program: ValidatorProgram
    private let source: VerbatimSource?
    private let limits: Validator.Limits
    private var budget = 20_000_000
    private(set) var ranks: [JSONPointer: [ScalarString: Int]] = [:]
    private(set) var changes = Arrangement()

    init(_ validator: Validator) {
        program = validator.program
        source = validator.source
        limits = validator.limits
    }

    mutating func run(_ root: Node, defaults: DefaultsPolicy) {
        var left = [(root, JSONPointer.root, [Applied(schema: program.root, scope: [], isCertain: true)])]
        while let (node, path, schemas) = left.popLast(), budget > 0 {
            let applied = closure(schemas, node)
            switch node.kind {
            case .object:
                rank(node, path, applied)
                if defaults != .keep { find(node, path, applied, defaults) }
                for member in node.members where member.value.kind == .object || member.value.kind == .array {
                    left.append((member.value, path.appending(member.key), self.schemas(for: member, applied)))
                }
            case .array:
                for (position, element) in node.elements.enumerated()
                where element.kind == .object || element.kind == .array {
                    left.append(
                        (element, path.appending(position), self.schemas(forElement: position, element, applied)))
                }
            case .null, .bool, .number, .string: break
            }
        }
    }

    // MARK: Which schemas apply

    /// All schemas that apply to a value in consequence of some that do, each before those that it leads to.
    private mutating func closure(_ schemas: [Applied], _ node: Node?) -> [Applied] {
        var seen: Set<Applied> = []
        var result: [Applied] = []
        var left = Array(schemas.reversed())
        while let next = left.popLast(), budget > 0 {
            var next = next
            guard seen.insert(next).inserted else { continue }
            budget -= 1
            let block = program.blocks[Int(next.schema)]
            if let node, block.kinds >> node.kind.rawValue & 1 == 0 { continue }
            if program.hasDynamicScope, !next.scope.contains(block.resource) { next.scope.append(block.resource) }
            result.append(next)
            var consequences: [Applied] = []
            for index in block.checks {
                consequences += self.consequences(of: program.checks[Int(index)], node, next)
            }
            if let node, node.kind == .object, block.object >= 0 {
                for dependency in program.objects[Int(block.object)].dependentSchemas
                where node.member(dependency.key) != nil {
                    consequences.append(Applied(schema: dependency.schema, scope: next.scope, isCertain: false))
                }
            }
            left += consequences.reversed()
        }
        return result
    }

    private mutating func consequences(
        of check: ValidatorProgram.Check, _ node: Node?, _ applied: Applied
    ) -> [Applied] {
        func made(_ schemas: [Int32], isCertain: Bool) -> [Applied] {
            schemas.map { Applied(schema: $0, scope: applied.scope, isCertain: isCertain && applied.isCertain) }
        }
        switch check {
        case .values, .unresolved, .not: return []
        case .reference(let target): return made([target], isCertain: true)
        case .dynamicReference(let initial, let anchor):
            let targets = program.dynamicTargets[Int(anchor)]
            let target = applied.scope.first { targets[Int($0)] >= 0 }.map { targets[Int($0)] }
            return made([target ?? initial], isCertain: true)
        case .allOf(let start, let end): return made(Array(program.lists[Int(start)..<Int(end)]), isCertain: true)
        case .anyOf(let start, let end), .oneOf(let start, let end):
            guard let node else { return [] }
            let branches = program.lists[Int(start)..<Int(end)]
            return made(branches.filter { isValid($0, node, applied.scope) }, isCertain: false)
        case .conditional(let condition, let then, let otherwise):
            guard let node else { return [] }
            let holds = isValid(condition, node, applied.scope)
            return made((holds ? [condition, then] : [otherwise]).filter { $0 >= 0 }, isCertain: false)
        }
    }

    private mutating func isValid(_ id: Int32, _ node: Node, _ scope: [Int32]) -> Bool {
        var checker = FastChecker(
            program, node.document, source: source, maximumDepth: limits.depth, budget: budget, scope: scope, depth: 0)
        let result = checker.check(id, node)
        budget = checker.remainingBudget
        return result && !checker.isAborted
    }

    private func schemas(for member: Node.Member, _ applied: [Applied]) -> [Applied] {
        var result: [Applied] = []
        let key = member.key
        for entry in applied {
            let block = program.blocks[Int(entry.schema)]
            guard block.object >= 0 else { continue }
            let plan = program.objects[Int(block.object)]
            func add(_ schema: Int32) {
                result.append(Applied(schema: schema, scope: entry.scope, isCertain: entry.isCertain))
            }
            var isCovered = false
            if let number = member.keyNode.withUTF8({ plan.keys.find($0) }) ?? nil, plan.schemas[number] >= 0 {
                isCovered = true
                add(plan.schemas[number])
            }
            for pattern in plan.patterns where pattern.matcher.matches(key) {
                isCovered = true
                add(pattern.schema)
            }
            if !isCovered, plan.additional >= 0 { add(plan.additional) }
        }
        return result
    }

    private func schemas(forElement position: Int, _ element: Node, _ applied: [Applied]) -> [Applied] {
        var result: [Applied] = []
        for entry in applied {
            let block = program.blocks[Int(entry.schema)]
            guard block.array >= 0 else { continue }
            let plan = program.arrays[Int(block.array)]
            let schema = position < plan.prefix.count ? plan.prefix[position] : plan.items
            if schema >= 0 { result.append(Applied(schema: schema, scope: entry.scope, isCertain: entry.isCertain)) }
        }
        return result
    }

    private func subschema(_ id: Int32) -> Subschema { program.graph[SubschemaID(rawValue: id)] }

    // MARK: Order

    private mutating func rank(_ node: Node, _ path: JSONPointer, _ applied: [Applied]) {
        var places: [ScalarString: Int] = [:]
        func add(_ key: String) {
            if places[ScalarString(key)] == nil { places[ScalarString(key)] = places.count }
        }
        // It says what all the rest is, wherever the schema names it.
        if path.tokens.isEmpty { add("$schema") }
        for entry in applied { subschema(entry.schema).order.forEach(add) }
        for entry in applied { subschema(entry.schema).properties.lazy.map(\.key).forEach(add) }
        if node.count > 1 || !places.isEmpty { ranks[path] = places }
    }

    // MARK: Defaults

    private mutating func find(
        _ node: Node, _ path: JSONPointer, _ applied: [Applied], _ policy: DefaultsPolicy
    ) {
        var keys: [String] = []
        var values: [ScalarString: JSONValue] = [:]
        var differing: Set<ScalarString> = []
        for entry in applied where entry.isCertain {
            for property in subschema(entry.schema).properties {
                let start = Applied(schema: property.schema.rawValue, scope: entry.scope, isCertain: true)
                guard let value = defaultValue(start) else { continue }
                let key = ScalarString(property.key)
                if let other = values[key] {
                    if other != value { differing.insert(key) }
                } else {
                    values[key] = value
                    keys.append(property.key)
                }
            }
        }
        let required = Set(applied.flatMap { subschema($0.schema).required }.map { ScalarString($0) })
        for key in keys where !differing.contains(ScalarString(key)) {
            guard let value = values[ScalarString(key)] else { continue }
            if policy == .fill, node[key] == nil {
                changes.insertions[path, default: []].append((key: key, value: value))
            } else if policy == .drop, !required.contains(ScalarString(key)), let old = node[key], old.matches(value) {
                changes.removals.insert(path.appending(key))
            }
        }
    }

    /// The first default of a schema and those that it refers to; none where it is not to be used any more.
    private mutating func defaultValue(_ schema: Applied) -> JSONValue? {
        for entry in closure([schema], nil) {
            let subschema = subschema(entry.schema)
            if subschema.node["deprecated"]?.boolValue == true || subschema.boolean == false { return nil }
            if let value = subschema.defaultValue { return value }
        }
        return nil
    }
}
