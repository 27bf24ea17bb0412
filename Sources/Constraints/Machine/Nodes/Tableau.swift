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
        /// At least one of the literals holds, and which ones matters to trackers.
        case some([Literal], UInt64)
        /// Exactly one of the literals holds; it may matter to trackers.
        case one([Literal], UInt64)
        /// The literal, which is negated, holds.
        case negation(Literal)
    }

    /// Something still to be taken apart.
    private enum Item {
        /// A literal, and the trackers that want to know what it evaluates.
        case literal(Literal, UInt64)
        /// What the schema itself says about objects.
        case members(SubschemaID, scope: UInt32, UInt64)
        /// Keys that have their place in the order, whatever holds.
        case mention(UInt32)
    }

    /// What the subschemas beside one `unevaluatedProperties` or `unevaluatedItems` evaluate.
    private struct Tracker {
        /// The obligation of everything else.
        var rest: Literal
        var names: [KeyID] = []
        var patterns: [Pattern] = []
        var prefix = 0
        /// Elements that meet one of these are evaluated.
        var contained: [Literal] = []
        var isEverything = false
    }

    /// One way to decide the disjunctions so far.
    private struct Branch {
        var conjunction: Conjunction
        /// What is still to be taken apart, the next one last.
        var agenda: [Item]
        var choices: [Choice] = []
        /// The literals taken apart so far, with the trackers that know what they evaluate.
        var seen: [Literal: UInt64] = [:]
        var trackers: [Tracker] = []
    }

    let machine: SchemaMachine
    let type: ValueType
    private(set) var alternatives: [Conjunction] = []
    private var steps = 0
    /// Whether a limit kept alternatives from being found.
    private(set) var isIncomplete = false
    init(_ machine: SchemaMachine, _ type: ValueType, _ literals: [Literal]) {
        self.machine = machine
        self.type = type
        let allowance = machine.expansionAllowance
        // With little left, few alternatives: each has to be made into a shape.
        let quota = min(machine.limits.maximumAlternatives, max(8, allowance / 50))
        _ = run(
            Branch(conjunction: Conjunction(type), agenda: literals.reversed().map { .literal($0, 0) }),
            quota: quota, until: allowance, depth: 0)
        machine.expansionSteps += steps
    }

    /// Adds the alternatives of a branch, at most `quota` of them and while fewer than `limit` steps are done;
    /// returns how many.
    ///
    /// Each way to decide a disjunction has its share of the quota, so that a limit thins the alternatives out evenly.
    private mutating func run(_ start: Branch, quota: Int, until limit: Int, depth: Int) -> Int {
        guard depth < 300 else {
            isIncomplete = true
            return 0
        }
        var branch = start
        while true {
            while let item = branch.agenda.popLast() {
                steps += 1
                switch item {
                case .literal(let literal, let owners):
                    if !assert(literal, owners, &branch) { return 0 }
                case .members(let schema, let scope, let owners):
                    if !assertObject(machine.graph[schema], scope: scope, owners, &branch) { return 0 }
                case .mention(let group):
                    if !branch.conjunction.object.groups.contains(group) { branch.conjunction.object.groups.append(group) }
                }
            }
            if branch.choices.isEmpty {
                finish(branch)
                return 1
            }
            // The disjunction with the fewest ways that are not refuted at sight.
            var best: (index: Int, ways: [[Atom]])?
            var settled: [Int] = []
            for index in branch.choices.indices {
                steps += 1
                guard let ways = ways(branch.choices[index], branch) else {
                    settled.append(index)
                    continue
                }
                if ways.isEmpty { return 0 }
                if best.map({ ways.count < $0.ways.count }) ?? true { best = (index, ways) }
                if ways.count == 1 { break }
            }
            guard let best else {
                branch.choices = []
                continue
            }
            // Removing from the back keeps the other indices valid.
            for index in (settled + [best.index]).sorted(by: >) { branch.choices.remove(at: index) }
            if best.ways.count == 1 {
                guard add(best.ways[0], &branch) else { return 0 }
                continue
            }
            var produced = 0
            for (number, way) in best.ways.enumerated() {
                if produced >= quota || steps >= limit {
                    isIncomplete = true
                    return produced
                }
                let others = best.ways.count - number
                var next = branch
                if add(way, &next) {
                    produced += run(
                        next, quota: max(1, (quota - produced) / others),
                        until: steps + max(200, (limit - steps) / others), depth: depth + 1)
                }
            }
            return produced
        }
    }

    /// Adds the alternative of a branch without anything open.
    private mutating func finish(_ branch: Branch) {
        var conjunction = branch.conjunction
        for tracker in branch.trackers where !tracker.isEverything {
            if type == .object {
                var group = ObjectRules.Group()
                group.names = tracker.names.map { ObjectRules.Name(key: $0, literal: nil) }
                group.patterns = tracker.patterns.map { ObjectRules.PatternName(pattern: $0, literal: nil) }
                group.rest = tracker.rest
                conjunction.object.groups.append(machine.groups.intern(group))
            } else {
                let rest = machine.literal(any: tracker.contained + [tracker.rest])
                conjunction.array.groups.append(
                    ArrayRules.Group(prefix: Array(repeating: .always, count: tracker.prefix), rest: rest))
            }
        }
        alternatives.append(conjunction)
    }

    /// Changes each tracker of a bit set.
    private func update(_ owners: UInt64, _ branch: inout Branch, _ change: (inout Tracker) -> Void) {
        guard owners != 0 else { return }
        for index in branch.trackers.indices where owners & (1 << UInt64(index)) != 0 {
            change(&branch.trackers[index])
        }
    }

    private mutating func add(_ atoms: [Atom], _ branch: inout Branch) -> Bool {
        for atom in atoms {
            steps += 1
            switch atom {
            case .literal, .evaluating: break
            default: if !branch.conjunction.add(atom, machine: machine) { return false }
            }
        }
        // The agenda is a stack: the first literal is to be taken apart first, so that its keys come first.
        for atom in atoms.reversed() {
            if case .literal(let literal) = atom {
                branch.agenda.append(.literal(literal, 0))
            } else if case .evaluating(let literal, let owners) = atom {
                branch.agenda.append(.literal(literal, owners))
            }
        }
        return true
    }

    /// The ways to meet a disjunction that are not refuted at sight; nil where it is met already.
    private mutating func ways(_ choice: Choice, _ branch: Branch) -> [[Atom]]? {
        switch choice {
        case .either(let ways): return filtered(ways, branch)
        case .negation(let literal):
            guard let ways = machine.failures(of: literal.negated, type) else { return nil }
            return filtered(ways, branch)
        case .some(let literals, let owners):
            // Claiming less than what holds leaves more unevaluated, which is stricter: so every set of literals may
            // be claimed.
            let open = literals.filter {
                machine.verdict($0, type) != .never && branch.seen[$0.negated] == nil
            }
            if open.count > 6 {
                machine.note(
                    "not all sets of more than 6 subschemas beside an 'unevaluated…' keyword are tried", at: nil
                )
                return open.map { [.evaluating($0, owners)] } + [open.map { .evaluating($0, owners) }]
            }
            return (1..<max(1, 1 << open.count)).map { choice in
                open.indices.filter { choice & (1 << $0) != 0 }.map { .evaluating(open[$0], owners) }
            }
        case .one(let literals, let owners):
            var open: [Literal] = []
            var certain: [Literal] = []
            for literal in literals {
                switch machine.verdict(literal, type) {
                case .never: break
                case .always: certain.append(literal)
                case .depends:
                    if branch.seen[literal] != nil {
                        certain.append(literal)
                    } else if branch.seen[literal.negated] == nil {
                        open.append(literal)
                    }
                }
            }
            if certain.count > 1 { return [] }
            if !certain.isEmpty {
                return [certain.map { .evaluating($0, owners) } + open.map { .literal($0.negated) }]
            }
            steps += open.count * open.count / 4
            // By place: two branches may be the same literal, and then both hold or neither.
            return open.indices.map { place in
                let chosen = open[place]
                var way: [Atom] = [.evaluating(chosen, owners)]
                for (index, other) in open.enumerated()
                where index != place && !machine.areDisjoint(chosen, other, type) {
                    way.append(.literal(other.negated))
                }
                return way
            }
        }
    }

    private mutating func filtered(_ ways: [[Atom]], _ branch: Branch) -> [[Atom]]? {
        var kept: [[Atom]] = []
        steps += ways.count / 4
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
            if branch.seen[literal] != nil { return .always }
            if branch.seen[literal.negated] != nil { return .never }
            return machine.verdict(literal, type)
        case .evaluating(let literal, _):
            // Met or not, what it evaluates is to be known.
            return branch.seen[literal.negated] != nil || machine.verdict(literal, type) == .never ? .never : .depends
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
                guard let name = machine.groups[group].names.first(where: { $0.key == key }) else {
                    if machine.groups[group].isClosed { return .never }
                    continue
                }
                guard let known = name.literal else { continue }
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

    private mutating func assert(_ literal: Literal, _ owners: UInt64, _ branch: inout Branch) -> Bool {
        switch machine.verdict(literal, type) {
        case .never: return false
        case .always: return true
        case .depends: break
        }
        if branch.seen[literal.negated] != nil { return false }
        let known = branch.seen[literal]
        if let known, known & owners == owners { return true }
        branch.seen[literal] = owners | (known ?? 0)
        if let disjunction = literal.disjunction {
            let literals = machine.disjunctions[disjunction]
            if literal.isNegated {
                for part in literals { branch.agenda.append(.literal(part.negated, 0)) }
            } else {
                branch.choices.append(.either(literals.map { [.literal($0)] }))
            }
            return true
        }
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
        return assert(machine.graph[literal.subschema], scope: literal.scope, owners, &branch)
    }

    private mutating func assert(
        _ schema: Subschema, scope: UInt32, _ outer: UInt64, _ branch: inout Branch
    ) -> Bool {
        var owners = outer
        let unevaluated =
            type == .object ? schema.unevaluatedProperties : type == .array ? schema.unevaluatedItems : nil
        if let unevaluated {
            // What it evaluates itself is all that was left.
            update(outer, &branch) { $0.isEverything = true }
            guard branch.trackers.count < 60 else {
                machine.note("more than 60 'unevaluated…' keywords apply to one value", at: schema.id)
                return false
            }
            owners |= 1 << UInt64(branch.trackers.count)
            branch.trackers.append(Tracker(rest: machine.literal(unevaluated, scope: scope)))
        }
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
            if !assertArray(schema, scope: scope, owners, &branch) { return false }
        case .object:
            // Of several lists the outermost comes first: this is before its parts are looked at.
            for name in schema.order {
                let key = machine.key(name)
                if !branch.conjunction.object.order.contains(key) { branch.conjunction.object.order.append(key) }
            }
        }
        // The agenda is a stack: what is to come first goes last. Keys come in the order in which the schema mentions
        // them.
        var parts: [(place: Int, item: Item)] = []
        func add(_ keyword: String, _ item: Item) {
            parts.append((type == .object ? machine.place(of: keyword, in: schema) : parts.count, item))
        }
        if type == .object { add("properties", .members(schema.id, scope: scope, owners)) }
        if let reference = schema.reference { add("$ref", .literal(machine.literal(reference, scope: scope), owners)) }
        if let reference = schema.dynamicReference {
            add("$dynamicRef", .literal(machine.literal(machine.target(reference, scope: scope), scope: scope), owners))
        }
        for part in schema.allOf { add("allOf", .literal(machine.literal(part, scope: scope), owners)) }
        if let negated = schema.not { add("not", .literal(machine.literal(negated, scope: scope, negated: true), 0)) }
        if type == .object, let condition = schema.ifSchema, !machine.graph[condition].properties.isEmpty {
            var group = ObjectRules.Group()
            group.names = machine.graph[condition].properties.map {
                ObjectRules.Name(key: machine.key($0.key), literal: nil)
            }
            add("if", .mention(machine.groups.intern(group)))
        }
        if parts.count > 1, type == .object {
            // Stable: the parts of one keyword keep their order.
            parts = parts.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }.map(
                \.element)
        }
        for part in parts.reversed() { branch.agenda.append(part.item) }
        if !schema.anyOf.isEmpty {
            let literals = schema.anyOf.map { machine.literal($0, scope: scope) }
            branch.choices.append(owners == 0 ? .either(literals.map { [.literal($0)] }) : .some(literals, owners))
        }
        if !schema.oneOf.isEmpty {
            branch.choices.append(.one(schema.oneOf.map { machine.literal($0, scope: scope) }, owners))
        }
        if let condition = schema.ifSchema {
            let holds = machine.literal(condition, scope: scope)
            let then = schema.thenSchema.map { machine.literal($0, scope: scope) }
            let otherwise = schema.elseSchema.map { machine.literal($0, scope: scope) }
            if owners != 0 {
                let met = [Atom.evaluating(holds, owners)] + (then.map { [.evaluating($0, owners)] } ?? [])
                let unmet =
                    otherwise.map { [Atom.literal(holds.negated), .evaluating($0, owners)] }
                    ?? [then == nil ? .evaluating(.always, owners) : .literal(holds.negated)]
                branch.choices.append(.either([met, unmet]))
                return true
            }
            // Overlapping alternatives do no harm, so that one consequence alone needs no proof of its condition.
            switch (then, otherwise) {
            case (let then?, let otherwise?):
                branch.choices.append(
                    .either([
                        [.literal(holds), .literal(then)], [.literal(holds.negated), .literal(otherwise)],
                    ]))
            case (let then?, nil): branch.choices.append(.either([[.literal(holds.negated)], [.literal(then)]]))
            case (nil, let otherwise?): branch.choices.append(.either([[.literal(holds)], [.literal(otherwise)]]))
            case (nil, nil): break
            }
        }
        return true
    }

    private mutating func assertArray(
        _ schema: Subschema, scope: UInt32, _ owners: UInt64, _ branch: inout Branch
    ) -> Bool {
        update(owners, &branch) { tracker in
            tracker.prefix = max(tracker.prefix, schema.prefixItems.count)
            if schema.items != nil { tracker.isEverything = true }
            if let contains = schema.contains, schema.containsEvaluates {
                tracker.contained.append(machine.literal(contains, scope: scope))
            }
        }
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

    private mutating func assertObject(
        _ schema: Subschema, scope: UInt32, _ owners: UInt64, _ branch: inout Branch
    ) -> Bool {
        update(owners, &branch) { tracker in
            tracker.names += schema.properties.map { machine.key($0.key) }
            tracker.patterns += schema.patternProperties.map(\.pattern)
            if schema.additionalProperties != nil { tracker.isEverything = true }
        }
        if let group = machine.group(of: schema, scope: scope), !branch.conjunction.object.groups.contains(group) {
            branch.conjunction.object.groups.append(group)
        }
        if let names = schema.propertyNames {
            branch.conjunction.object.names.append(machine.literal(names, scope: scope))
        }
        for key in schema.required {
            if !branch.conjunction.add(.require(machine.key(key)), machine: machine) { return false }
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
        if !schema.dependentRequired.isEmpty || !schema.dependentSchemas.isEmpty {
            // Mentioned keys have their place in the order, whichever way the dependency is met.
            var group = ObjectRules.Group()
            for dependency in schema.dependentRequired {
                for key in [dependency.key] + dependency.required {
                    group.names.append(ObjectRules.Name(key: machine.key(key), literal: nil))
                }
            }
            for dependency in schema.dependentSchemas {
                group.names.append(ObjectRules.Name(key: machine.key(dependency.key), literal: nil))
            }
            let number = machine.groups.intern(group)
            if !branch.conjunction.object.groups.contains(number) { branch.conjunction.object.groups.append(number) }
        }
        for dependency in schema.dependentRequired where !dependency.required.isEmpty {
            let needed = dependency.required.map { Atom.require(machine.key($0)) }
            branch.choices.append(.either([[.forbid(machine.key(dependency.key))], needed]))
        }
        for dependency in schema.dependentSchemas {
            let literal = machine.literal(dependency.schema, scope: scope)
            let key = machine.key(dependency.key)
            let needed: [Atom] = owners == 0 ? [.literal(literal)] : [.require(key), .evaluating(literal, owners)]
            branch.choices.append(.either([[.forbid(key)], needed]))
        }
        return true
    }
}
