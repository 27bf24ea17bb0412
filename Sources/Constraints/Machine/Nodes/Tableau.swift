// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

/// Expands a conjunction of literals into alternatives that are free of disjunctions, for values of one type.
///
/// The alternatives together cover exactly the values that meet the literals; they may overlap.
struct Tableau {
    /// A disjunction that is still to be decided.
    private enum Choice {
        /// At least one of the lists of atoms holds.
        case either([[Atom]])
        /// Exactly one of the literals holds.
        case one([Literal])
        /// The literal, which is negated, holds.
        case negation(Literal)
    }

    /// One way to decide the disjunctions so far.
    private struct Branch {
        var conjunction: Conjunction
        /// Literals still to be taken apart, the next one last.
        var agenda: [Literal]
        var choices: [Choice] = []
        var seen: Set<Literal> = []
    }

    let machine: SchemaMachine
    let type: ValueType
    private(set) var alternatives: [Conjunction] = []
    private var steps = 0
    /// Whether a limit kept alternatives from being found.
    private(set) var isIncomplete = false
    private var isOver: Bool {
        steps > machine.limits.expansionBudget || alternatives.count >= machine.limits.maximumAlternatives
    }

    init(_ machine: SchemaMachine, _ type: ValueType, _ literals: [Literal]) {
        self.machine = machine
        self.type = type
        run(Branch(conjunction: Conjunction(type), agenda: literals.reversed()))
    }

    private mutating func run(_ start: Branch) {
        var branch = start
        while true {
            while let literal = branch.agenda.popLast() {
                steps += 1
                if !assert(literal, &branch) { return }
            }
            if branch.choices.isEmpty {
                alternatives.append(branch.conjunction)
                return
            }
            // The disjunction with the fewest ways that are not refuted at sight.
            var best: (index: Int, ways: [[Atom]])?
            var settled: [Int] = []
            for index in branch.choices.indices {
                guard let ways = ways(branch.choices[index], branch) else {
                    settled.append(index)
                    continue
                }
                if ways.isEmpty { return }
                if best.map({ ways.count < $0.ways.count }) ?? true { best = (index, ways) }
                if ways.count == 1 { break }
            }
            guard let best else {
                branch.choices = []
                continue
            }
            // Removing from the back keeps the other indices valid.
            for index in (settled + [best.index]).sorted(by: >) { branch.choices.remove(at: index) }
            for way in best.ways.dropLast() {
                if isOver {
                    isIncomplete = true
                    return
                }
                var next = branch
                if add(way, &next) { run(next) }
            }
            if isOver {
                isIncomplete = true
                return
            }
            guard let last = best.ways.last, add(last, &branch) else { return }
        }
    }

    private mutating func add(_ atoms: [Atom], _ branch: inout Branch) -> Bool {
        for atom in atoms {
            steps += 1
            if case .literal(let literal) = atom {
                branch.agenda.append(literal)
            } else if !branch.conjunction.add(atom, machine: machine) {
                return false
            }
        }
        return true
    }

    /// The ways to meet a disjunction that are not refuted at sight; nil where it is met already.
    private func ways(_ choice: Choice, _ branch: Branch) -> [[Atom]]? {
        switch choice {
        case .either(let ways): return filtered(ways, branch)
        case .negation(let literal):
            guard let ways = machine.failures(of: literal.negated, type) else { return nil }
            return filtered(ways, branch)
        case .one(let literals):
            var open: [Literal] = []
            var certain: [Literal] = []
            for literal in literals {
                switch machine.verdict(literal, type) {
                case .never: break
                case .always: certain.append(literal)
                case .depends:
                    if branch.seen.contains(literal) {
                        certain.append(literal)
                    } else if !branch.seen.contains(literal.negated) {
                        open.append(literal)
                    }
                }
            }
            if certain.count > 1 { return [] }
            if !certain.isEmpty {
                return [open.map { .literal($0.negated) }]
            }
            return open.map { chosen in
                var way: [Atom] = [.literal(chosen)]
                for other in open where other != chosen && !machine.areDisjoint(chosen, other, type) {
                    way.append(.literal(other.negated))
                }
                return way
            }
        }
    }

    private func filtered(_ ways: [[Atom]], _ branch: Branch) -> [[Atom]]? {
        var kept: [[Atom]] = []
        for way in ways {
            var isRefuted = false
            var isMet = true
            for atom in way {
                switch judge(atom, branch) {
                case .never: isRefuted = true
                case .depends: isMet = false
                case .always: break
                }
                if isRefuted { break }
            }
            if isRefuted { continue }
            if isMet { return nil }
            kept.append(way)
        }
        return kept
    }

    /// What is known at sight about an atom in a branch.
    private func judge(_ atom: Atom, _ branch: Branch) -> SchemaMachine.Verdict {
        switch atom {
        case .literal(let literal):
            if branch.seen.contains(literal) { return .always }
            if branch.seen.contains(literal.negated) { return .never }
            return machine.verdict(literal, type)
        case .require(let key):
            if branch.conjunction.object.forbidden.contains(key) { return .never }
            return branch.conjunction.object.required.contains(key) ? .always : .depends
        case .forbid(let key):
            if branch.conjunction.object.required.contains(key) { return .never }
            return branch.conjunction.object.forbidden.contains(key) ? .always : .depends
        case .member(let key, let literal):
            let object = branch.conjunction.object
            if literal == .never || object.forbidden.contains(key) { return .never }
            var isKnown = literal == .always
            for group in object.groups {
                guard let known = group.names.first(where: { $0.key == key })?.literal ?? nil else { continue }
                if known == literal { isKnown = true }
                if known == literal.negated || known == .never { return .never }
                switch machine.relation(known, literal) {
                case .always: isKnown = true
                case .never: return .never
                case .depends: break
                }
            }
            for name in object.members where name.key == key {
                if name.literal == literal { isKnown = true }
                if name.literal == literal.negated { return .never }
            }
            return isKnown && object.required.contains(key) ? .always : .depends
        case .someKey(_, let literal): return literal == .never ? .never : .depends
        case .element(_, let literal): return literal == .never ? .never : .depends
        case .minProperties(let count):
            return branch.conjunction.object.required.count >= count ? .always : .depends
        case .exclude(let values):
            switch type {
            case .string:
                guard let finite = branch.conjunction.string.finite else { return .depends }
                let excluded = values.compactMap { $0.stringValue.map { Array($0.utf8) } }
                return finite.contains { excluded.contains($0) } ? .depends : .always
            case .number:
                guard let finite = branch.conjunction.number.finite else { return .depends }
                let excluded = values.compactMap(\.numberValue)
                return finite.contains { excluded.contains($0) } ? .depends : .always
            default: return .depends
            }
        default: return .depends
        }
    }

    // MARK: Taking literals apart

    private mutating func assert(_ literal: Literal, _ branch: inout Branch) -> Bool {
        switch machine.verdict(literal, type) {
        case .never: return false
        case .always: return true
        case .depends: break
        }
        if branch.seen.contains(literal) { return true }
        if branch.seen.contains(literal.negated) { return false }
        branch.seen.insert(literal)
        if literal.isConstant {
            let value = machine.constants[literal.constant]
            return literal.isNegated
                ? branch.conjunction.exclude([value], constants: &machine.constants)
                : branch.conjunction.add(.equal(value), machine: machine)
        }
        if literal.isNegated {
            branch.choices.append(.negation(literal))
            return true
        }
        return assert(machine.graph[literal.subschema], scope: literal.scope, &branch)
    }

    private mutating func assert(_ schema: Subschema, scope: UInt32, _ branch: inout Branch) -> Bool {
        if type == .number, let types = schema.type, !types.contains(.number) {
            if !branch.conjunction.add(.multiple(DecimalNumber(1)), machine: machine) { return false }
        }
        for values in [schema.enumeration, schema.constant.map { [$0] }] {
            guard let values else { continue }
            if type == .array || type == .object {
                let composites = values.filter { $0.type == type }
                if composites.isEmpty { return false }
                if composites.count == 1 {
                    if !branch.conjunction.add(.equal(composites[0]), machine: machine) { return false }
                } else {
                    branch.choices.append(.either(composites.map { [.equal($0)] }))
                }
            } else if !branch.conjunction.restrict(toScalars: values) {
                return false
            }
        }
        switch type {
        case .null, .boolean: break
        case .number, .string:
            for atom in machine.scalarAtoms(schema, type) {
                if !branch.conjunction.add(atom, machine: machine) { return false }
            }
        case .array:
            if !assertArray(schema, scope: scope, &branch) { return false }
        case .object:
            if !assertObject(schema, scope: scope, &branch) { return false }
        }
        // The agenda is a stack: what is to come first goes last.
        for part in schema.allOf.reversed() { branch.agenda.append(machine.literal(part, scope: scope)) }
        if let reference = schema.dynamicReference {
            branch.agenda.append(machine.literal(machine.target(reference, scope: scope), scope: scope))
        }
        if let reference = schema.reference { branch.agenda.append(machine.literal(reference, scope: scope)) }
        if let negated = schema.not { branch.agenda.append(machine.literal(negated, scope: scope, negated: true)) }
        if !schema.anyOf.isEmpty {
            branch.choices.append(.either(schema.anyOf.map { [.literal(machine.literal($0, scope: scope))] }))
        }
        if !schema.oneOf.isEmpty {
            branch.choices.append(.one(schema.oneOf.map { machine.literal($0, scope: scope) }))
        }
        if let condition = schema.ifSchema {
            let holds = machine.literal(condition, scope: scope)
            let then = schema.thenSchema.map { Atom.literal(machine.literal($0, scope: scope)) }
            let otherwise = schema.elseSchema.map { Atom.literal(machine.literal($0, scope: scope)) }
            // Overlapping alternatives do no harm, so that one consequence alone needs no proof of its condition.
            switch (then, otherwise) {
            case (let then?, let otherwise?):
                branch.choices.append(
                    .either([[.literal(holds), then], [.literal(holds.negated), otherwise]]))
            case (let then?, nil): branch.choices.append(.either([[.literal(holds.negated)], [then]]))
            case (nil, let otherwise?): branch.choices.append(.either([[.literal(holds)], [otherwise]]))
            case (nil, nil): break
            }
        }
        return true
    }

    private mutating func assertArray(_ schema: Subschema, scope: UInt32, _ branch: inout Branch) -> Bool {
        if let minimum = schema.minItems, !branch.conjunction.add(.minItems(minimum), machine: machine) { return false }
        if let maximum = schema.maxItems, !branch.conjunction.add(.maxItems(maximum), machine: machine) { return false }
        if !schema.prefixItems.isEmpty || schema.items != nil {
            branch.conjunction.array.groups.append(
                ArrayRules.Group(
                    prefix: schema.prefixItems.map { machine.literal($0, scope: scope) },
                    rest: schema.items.map { machine.literal($0, scope: scope) }))
        }
        if schema.uniqueItems { branch.conjunction.array.isUnique = true }
        if let contains = schema.contains {
            let minimum = schema.minContains ?? 1
            if minimum > 0 || schema.maxContains != nil {
                let counter = ArrayRules.Counter(
                    literal: machine.literal(contains, scope: scope), from: 0, minimum: minimum,
                    maximum: schema.maxContains)
                if !branch.conjunction.add(.counter(counter), machine: machine) { return false }
            }
        }
        return true
    }

    private mutating func assertObject(_ schema: Subschema, scope: UInt32, _ branch: inout Branch) -> Bool {
        if !schema.properties.isEmpty || !schema.patternProperties.isEmpty || schema.additionalProperties != nil {
            var group = ObjectRules.Group()
            group.names = schema.properties.map {
                ObjectRules.Name(key: Array($0.key.utf8), literal: machine.literal($0.schema, scope: scope))
            }
            group.patterns = schema.patternProperties.map {
                ObjectRules.PatternName(pattern: $0.pattern, literal: machine.literal($0.schema, scope: scope))
            }
            group.rest = schema.additionalProperties.map { machine.literal($0, scope: scope) }
            branch.conjunction.object.groups.append(group)
        }
        if let names = schema.propertyNames {
            branch.conjunction.object.names.append(machine.literal(names, scope: scope))
        }
        for key in schema.required {
            if !branch.conjunction.add(.require(Array(key.utf8)), machine: machine) { return false }
        }
        if let minimum = schema.minProperties,
            !branch.conjunction.add(.minProperties(minimum), machine: machine)
        {
            return false
        }
        if let maximum = schema.maxProperties,
            !branch.conjunction.add(.maxProperties(maximum), machine: machine)
        {
            return false
        }
        for dependency in schema.dependentRequired where !dependency.required.isEmpty {
            let needed = dependency.required.map { Atom.require(Array($0.utf8)) }
            branch.choices.append(.either([[.forbid(Array(dependency.key.utf8))], needed]))
        }
        for dependency in schema.dependentSchemas {
            let needed = Atom.literal(machine.literal(dependency.schema, scope: scope))
            branch.choices.append(.either([[.forbid(Array(dependency.key.utf8))], [needed]]))
        }
        return true
    }
}
