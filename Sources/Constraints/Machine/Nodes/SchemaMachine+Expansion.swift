// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

extension SchemaMachine {
    /// The shapes of a node's values of one type.
    ///
    /// Numbers of ``grids``, ``stringShapes``, ``arrayShapes`` or ``objectShapes``; for Booleans one mask of the
    /// allowed values, for null one zero. Nil while the same expansion is under way.
    func expand(_ node: NodeID, _ type: ValueType) -> [UInt32]? {
        if node == .nothing { return [] }
        let key = UInt64(node) << 3 | UInt64(type.rawValue)
        if let known = expansions[key] { return known }
        // Most nodes have values of one type only.
        for literal in nodes[node] where verdict(literal, type) == .never {
            expansions.set(key, [])
            return []
        }
        guard expanding.insert(key).inserted else { return nil }
        defer { expanding.remove(key) }
        let tableau = Tableau(self, type, nodes[node])
        if tableau.isIncomplete {
            let place = nodes[node].first { !$0.isConstant && $0 != .never }
            note("the alternatives are too many to be enumerated", at: place?.subschema)
        }
        var shapes: [UInt32] = []
        var booleans: UInt32 = 0
        for conjunction in tableau.alternatives {
            switch type {
            case .null: shapes = [0]
            case .boolean: booleans |= UInt32(conjunction.booleans)
            case .number: if let shape = shape(conjunction.number) { shapes.append(shape) }
            case .string: if let shape = shape(conjunction.string) { shapes.append(shape) }
            case .array: if let shape = shape(conjunction.array) { shapes.append(shape) }
            case .object: if let shape = shape(conjunction.object) { shapes.append(shape) }
            }
        }
        if type == .boolean, booleans != 0 { shapes = [booleans] }
        if shapes.count > 1 {
            var seen: Set<UInt32> = []
            shapes.removeAll { !seen.insert($0).inserted }
        }
        expansions.set(key, shapes)
        return shapes
    }

    // MARK: Numbers and strings

    /// The grid of number rules, where it has a number.
    private func shape(_ rules: NumberRules) -> UInt32? {
        var rules = rules
        guard rules.simplify() else { return nil }
        let number = grids.intern(rules)
        if Int(number) == gridValues.count {
            let grid = NumberGrid(rules, profile: profile)
            if grid == nil { note("the numbers are beyond what can be decided", at: nil) }
            gridValues.append(grid)
        }
        guard let grid = gridValues[Int(number)] else { return nil }
        if NumberStepper(grid: grid, number: number).cheapest() < .infinite { return number }
        if grid.hasGivenUp { note("whether there is a number with all these properties cannot be decided", at: nil) }
        if grid.isCutOff { note("the numbers have more digits than can be spelled", at: nil) }
        return nil
    }

    /// The shape of string rules, where there is a text.
    func shape(_ rules: StringRules) -> UInt32? {
        let number = stringRules.intern(rules)
        if Int(number) == stringShapes.count {
            stringShapes.append(nil)
            stringShapes[Int(number)] = makeShape(rules, number)
        }
        return stringShapes[Int(number)] == nil ? nil : number
    }

    private func makeShape(_ rules: StringRules, _ number: UInt32) -> StringShape? {
        if let maximum = rules.maxLength, maximum < rules.minLength { return nil }
        if let texts = rules.finite {
            var others = rules
            others.finite = nil
            let kept = texts.filter { accepts($0, others) && canSpell($0) }
            guard !kept.isEmpty else { return nil }
            return StringShape(finite: FiniteTexts(kept.map(StringSpelling.escaped)))
        }
        var languages = rules.languages
        if languages.isEmpty {
            let excluded = rules.excluded.isEmpty ? nil : FiniteTexts(rules.excluded.map(StringSpelling.escaped))
            if rules.maxLength == 0 {
                return rules.excluded.contains([]) ? nil : StringShape(finite: FiniteTexts([[]]))
            }
            return StringShape(minLength: rules.minLength, maxLength: rules.maxLength, excluded: excluded)
        }
        if !rules.excluded.isEmpty {
            let texts = rules.excluded.sorted { $0.lexicographicallyPrecedes($1) }
                .filter { accepts($0, StringRules(languages: languages)) }
            if !texts.isEmpty {
                languages.append(.not(.literals(texts.map { String(decoding: $0, as: UTF8.self) })))
            }
        }
        // Keys and elements that were used already are no reason to stop: only what the schema itself joins is counted.
        if languages.count > 4, rules.excluded.isEmpty {
            jointPatterns += languages.count
            guard jointPatterns <= limits.maximumJointPatterns else {
                note("the patterns that apply to the same strings are too many to be joined", at: nil)
                return nil
            }
        }
        guard rules.minLength <= limits.maximumPatternedLength else {
            note("a string of at least \(rules.minLength) characters with a pattern is too long", at: nil)
            return nil
        }
        var automaton: Automaton
        do {
            automaton = try self.automaton(languages.count == 1 ? languages[0] : .all(languages))
            // Where each class of characters has one that can be spelled, leaving out the others changes no state's
            // liveness.
            if !profile.allowsUnassignedPlanes,
                (0..<automaton.classCount).contains(where: {
                    Self.unassignedPlanes.contains(automaton.sample(ofClass: $0).value)
                })
            {
                let spelled = Language.wholeMatch(try Pattern("^[^\\u{40000}-\\u{BFFFF}]*$"))
                automaton = try self.automaton(.all(languages + [spelled]))
            }
        } catch {
            note("a string's patterns cannot be decided: \(error.message)", at: nil)
            return nil
        }
        if profile.keepsToCommonGround, rules.hasPattern,
            let narrow = try? self.automaton(.all(languages + [Self.printable].compactMap(\.self)))
        {
            let shape = StringShape(minLength: rules.minLength, maxLength: rules.maxLength, automaton: narrow)
            shape.isNarrowed = true
            if viability(shape, narrow.start, 0) == .alive { return shape }
        }
        // Bounds that all texts keep anyway need no counting.
        var (minimum, maximum) = (rules.minLength, rules.maxLength)
        if minimum > 0, automaton.canFinish(automaton.start, minScalars: 0, maxScalars: minimum - 1) == .dead {
            minimum = 0
        }
        if let bound = maximum, bound < 1 << 20,
            automaton.canFinish(automaton.start, minScalars: bound + 1, maxScalars: nil) == .dead
        {
            maximum = nil
        }
        let shape = StringShape(minLength: minimum, maxLength: maximum, automaton: automaton)
        switch viability(shape, automaton.start, 0) {
        case .alive: return shape
        case .dead: return nil
        case .unknown:
            note("whether a string with all these patterns exists cannot be decided", at: nil)
            return nil
        }
    }

    /// Texts on which dialects of regular expressions agree.
    static let printable = (try? Pattern("^[ -~]*$")).map { Language.wholeMatch($0) }

    static let unassignedPlanes: ClosedRange<UInt32> = 0x40000...0xBFFFF

    /// Whether the profile has spellings for all characters of a text.
    func canSpell(_ text: [UInt8]) -> Bool {
        profile.allowsUnassignedPlanes || !text.contains { $0 == 0xF1 || $0 == 0xF2 }
    }

    /// Whether a text obeys rules other than those about finitely many texts.
    func accepts(_ text: [UInt8], _ rules: StringRules) -> Bool {
        if rules.excluded.contains(text) { return false }
        if let finite = rules.finite, !finite.contains(text) { return false }
        let string = String(decoding: text, as: UTF8.self)
        let length = string.unicodeScalars.count
        if length < rules.minLength { return false }
        if let maximum = rules.maxLength, length > maximum { return false }
        return rules.languages.allSatisfy { matches(string, $0) }
    }

    private func matches(_ text: String, _ language: Language) -> Bool {
        switch language {
        case .pattern(let pattern): return matches(text, pattern)
        case .not(let inner): return !matches(text, inner)
        default:
            if let known = languageMatchers[language] { return known.matches(text) }
            guard let automaton = try? self.automaton(language) else {
                note("a format cannot be decided", at: nil)
                return false
            }
            languageMatchers[language] = automaton
            return automaton.matches(text)
        }
    }

    /// Whether a key or text matches a pattern.
    func matches(_ text: String, _ pattern: Pattern) -> Bool {
        if let known = matchers[pattern] { return known.matches(text) }
        guard let automaton = try? self.automaton(.pattern(pattern)) else {
            note("the pattern '\(pattern.source)' cannot be decided", at: nil)
            return false
        }
        matchers[pattern] = automaton
        return automaton.matches(text)
    }

    // MARK: Arrays

    private func shape(_ rules: ArrayRules) -> UInt32? {
        if let maximum = rules.maxItems, maximum < rules.minItems { return nil }
        var length = rules.groups.map(\.prefix.count).max() ?? 0
        length = max(length, (rules.elements.keys.max() ?? -1) + 1)
        func literals(at index: Int?) -> [Literal] {
            var result: [Literal] = []
            for group in rules.groups {
                if let index, index < group.prefix.count {
                    result.append(group.prefix[index])
                } else if let rest = group.rest {
                    result.append(rest)
                }
            }
            if let index, let own = rules.elements[index] { result += own }
            return result
        }
        if let maximum = rules.maxItems { length = min(length, maximum) }
        // A prefix that is far longer than needed would be expensive.
        guard length <= limits.maximumPrefix else {
            note("an array with \(length) different elements is too long", at: nil)
            return nil
        }
        var prefix = (0..<length).map { node(literals(at: $0)) }
        let rest = node(literals(at: nil))
        while prefix.last == rest { prefix.removeLast() }
        var excluded = Array(rules.excluded).sorted()
        excluded.removeAll { constant in
            let count = constants[constant].arrayValue?.count ?? 0
            return count < rules.minItems || count > rules.maxItems ?? .max
        }
        var horizon = prefix.count
        for counter in rules.counters { horizon = max(horizon, counter.from) }
        for constant in excluded { horizon = max(horizon, (constants[constant].arrayValue?.count ?? 0) + 1) }
        let shape = ArrayShape(
            prefix: prefix, rest: rest, minItems: rules.minItems, maxItems: rules.maxItems,
            counters: rules.counters.sorted { ($0.literal, $0.from, $0.minimum) < ($1.literal, $1.from, $1.minimum) },
            isUnique: rules.isUnique && (rules.maxItems ?? 2) > 1, excluded: excluded, horizon: horizon)
        return arrayShapes.intern(shape)
    }

    // MARK: Objects

    private func shape(_ rules: ObjectRules) -> UInt32? {
        let number = objectRules.intern(rules)
        if Int(number) == objectShapes.count {
            objectShapes.append(nil)
            objectShapes[Int(number)] = makeShape(rules)
        }
        return objectShapes[Int(number)] == nil ? nil : number
    }

    private func makeShape(_ rules: ObjectRules) -> ObjectShape? {
        var rules = rules
        // Keys in the order that `x-order` asks for or of their first mention, then required ones, then the others that must be told apart.
        var keys: [KeyID] = []
        var known: Set<KeyID> = []
        func mention(_ key: KeyID) { if known.insert(key).inserted { keys.append(key) } }
        for key in rules.order { mention(key) }
        for group in rules.groups { for name in groups[group].names { mention(name.key) } }
        for name in rules.members { mention(name.key) }
        for key in rules.required { mention(key) }
        for obligation in rules.obligations { for key in obligation.condition.notNames { mention(key) } }
        for constant in rules.excluded.sorted() {
            for key in constants[constant].objectValue?.keys ?? [] { mention(self.key(key)) }
        }
        let nameShapes = names(rules)
        if let nameShapes {
            for shape in nameShapes {
                for text in shape.finite?.texts ?? [] { mention(self.keys.intern(StringSpelling.unescaped(text))) }
            }
        }
        for obligation in rules.obligations {
            guard let name = obligation.condition.name else { continue }
            // Where finitely many keys meet it, or fail to, those are told apart by name.
            for literal in [name, name.negated] {
                for shape in expand(node([literal]), .string) ?? [] {
                    for text in stringShapes[Int(shape)]?.finite?.texts ?? [] {
                        mention(self.keys.intern(StringSpelling.unescaped(text)))
                    }
                }
            }
        }
        let required = Set(rules.required)
        let literals = literals(for: keys, rules)
        func isAllowed(_ key: KeyID) -> Bool {
            !rules.forbidden.contains(key) && (nameShapes == nil || meetsNames(self.keys[key], rules))
        }
        if rules.obligations.count > 1, rules.groups.contains(where: { groups[$0].isClosed }) {
            // Only named keys can come: obligations that the same ones meet are one.
            let allowed = keys.filter { isAllowed($0) && node(literals[$0] ?? []) != .nothing }
            var kept: [ObjectRules.Obligation] = []
            var seen: Set<[UInt64]> = []
            for obligation in rules.obligations {
                let meeting = allowed.filter { holds(obligation.condition, for: $0) }
                if meeting.isEmpty { return nil }
                if obligation.literal == nil, meeting.contains(where: { required.contains($0) }) { continue }
                let mark = [obligation.literal?.rawValue ?? .max] + meeting.map { UInt64($0) }
                if seen.insert(mark).inserted { kept.append(obligation) }
            }
            rules.obligations = kept
        }
        guard rules.obligations.count <= 16, rules.obligations.count(where: { $0.literal != nil }) <= 8 else {
            note("more than 8 members with unknown keys would have to fail a schema", at: nil)
            return nil
        }
        var named: [ObjectShape.NamedKey] = []
        named.reserveCapacity(keys.count)
        for key in keys {
            let isRequired = required.contains(key)
            let text = self.keys[key]
            let node = isAllowed(key) ? node(literals[key] ?? []) : .nothing
            if node == .nothing {
                if isRequired { return nil }
                continue
            }
            var meets: UInt32 = 0
            for (index, obligation) in rules.obligations.enumerated() where holds(obligation.condition, for: key) {
                meets |= 1 << UInt32(index)
            }
            named.append(
                ObjectShape.NamedKey(
                    key: text, spelling: StringSpelling.escaped(text), node: node, isRequired: isRequired, meets: meets)
            )
        }
        var excluded = Array(rules.excluded).sorted()
        excluded.removeAll { constant in
            guard let members = constants[constant].objectValue else { return true }
            let keys = members.keys.map { self.key($0) }
            return !required.isSubset(of: keys) || keys.contains { rules.forbidden.contains($0) }
        }
        let reserved = (keys + rules.forbidden.filter { !known.contains($0) }).map { self.keys[$0] }
        var minimum = rules.minProperties
        if minimum <= named.reduce(0, { $0 + ($1.isRequired ? 1 : 0) }) { minimum = 0 }
        return ObjectShape(
            rules: rules, named: named, reserved: reserved, minProperties: minimum,
            maxProperties: rules.maxProperties, obligations: rules.obligations, excluded: excluded)
    }

    /// The string shapes that keys must have; nil where every key is allowed.
    private func names(_ rules: ObjectRules) -> [StringShape]? {
        let literals = rules.names.filter { verdict($0, .string) != .always }
        if literals.isEmpty { return nil }
        return (expand(node(literals), .string) ?? []).compactMap { stringShapes[Int($0)] }
    }

    /// Whether a key obeys `propertyNames`.
    private func meetsNames(_ key: [UInt8], _ rules: ObjectRules) -> Bool {
        meets(key, node(rules.names))
    }

    /// Whether a string meets a node.
    private func meets(_ text: [UInt8], _ node: NodeID) -> Bool {
        if node == .anything { return true }
        return (expand(node, .string) ?? []).contains { accepts(text, stringRules[$0]) }
    }

    private func holds(_ condition: KeyCondition, for key: KeyID) -> Bool {
        let text = String(decoding: keys[key], as: UTF8.self)
        if condition.notNames.contains(key) { return false }
        if let pattern = condition.pattern, !matches(text, pattern) { return false }
        if condition.notPatterns.contains(where: { matches(text, $0) }) { return false }
        if let name = condition.name, !meets(keys[key], node([name])) { return false }
        return true
    }

    /// The obligations of the values of keys.
    private func literals(for keys: [KeyID], _ rules: ObjectRules) -> [KeyID: [Literal]] {
        var result: [KeyID: [Literal]] = Dictionary(minimumCapacity: keys.count)
        for number in rules.groups {
            let group = groups[number]
            var mentioned: Set<KeyID> = []
            for name in group.names {
                mentioned.insert(name.key)
                if let literal = name.literal { result[name.key, default: []].append(literal) }
            }
            if group.patterns.isEmpty {
                guard let rest = group.rest else { continue }
                for key in keys where !mentioned.contains(key) { result[key, default: []].append(rest) }
                continue
            }
            for key in keys {
                let text = String(decoding: self.keys[key], as: UTF8.self)
                var isMentioned = mentioned.contains(key)
                for entry in group.patterns where matches(text, entry.pattern) {
                    isMentioned = true
                    if let literal = entry.literal { result[key, default: []].append(literal) }
                }
                if !isMentioned, let rest = group.rest { result[key, default: []].append(rest) }
            }
        }
        for member in rules.members {
            if let literal = member.literal { result[member.key, default: []].append(literal) }
        }
        return result
    }

    /// The keys that have no name of their own, by the nodes of their values.
    func anonymousKeys(_ shape: ObjectShape) -> [ObjectShape.AnonymousKeys] {
        if let known = shape.anonymous { return known }
        let result = makeAnonymousKeys(shape)
        shape.anonymous = result
        return result
    }

    private func makeAnonymousKeys(_ shape: ObjectShape) -> [ObjectShape.AnonymousKeys] {
        let rules = shape.rules
        let reserved = Set(shape.reserved)
        let nameLiterals = rules.names.filter { verdict($0, .string) != .always }
        // Patterns that make a difference.
        var patterns: [Pattern] = []
        func mention(_ pattern: Pattern) { if !patterns.contains(pattern) { patterns.append(pattern) } }
        for group in rules.groups { for entry in groups[group].patterns { mention(entry.pattern) } }
        for obligation in rules.obligations {
            if let pattern = obligation.condition.pattern { mention(pattern) }
            for pattern in obligation.condition.notPatterns { mention(pattern) }
        }
        // Without a pattern the rest decides alone.
        if patterns.isEmpty, rules.groups.contains(where: { groups[$0].rest == .never }) { return [] }

        /// The rules of the keys that meet the name literals.
        func bases(_ literals: [Literal]) -> [StringRules] {
            if literals.isEmpty { return [StringRules()] }
            return (expand(node(literals), .string) ?? []).map { stringRules[$0] }.filter { $0.finite == nil }
        }

        // Of two patterns with different beginnings, one is enough to rule the other out.
        let disjoint = patterns.map { pattern in Set(patterns.filter { $0.isDisjointAtSight(with: pattern) }) }
        var result: [ObjectShape.AnonymousKeys] = []
        var leavesOut = !nameLiterals.isEmpty
        let noted = limitationCount
        var work = 0
        // Where many objects tell keys apart, each has a share of the rest only.
        let budget = min(limits.keyKindBudget, max(40, (limits.sharedKeyKindBudget - keyKindWork) / 4))
        defer { keyKindWork += work }
        func split(_ base: StringRules, _ index: Int, _ matched: Set<Pattern>, _ meetsNames: UInt32) {
            if index < patterns.count, matched.contains(where: { disjoint[index].contains($0) }) {
                split(base, index + 1, matched, meetsNames)
                return
            }
            // What an automaton costs grows with the languages it joins.
            work += 1
            guard work <= budget, result.count < limits.maximumKeyKinds else {
                note("the patterns for keys overlap in too many ways", at: nil)
                return
            }
            if index < patterns.count {
                // The kinds that match fewest patterns first: they matter most where not all can be told apart.
                var without = base
                without.add(.not(.pattern(patterns[index])))
                split(without, index + 1, matched, meetsNames)
                var with = base
                with.add(.pattern(patterns[index]))
                work += with.languages.count
                if self.shape(with) != nil { split(with, index + 1, matched.union([patterns[index]]), meetsNames) }
                return
            }
            var literals: [Literal] = []
            for number in rules.groups {
                let group = groups[number]
                var isMentioned = false
                for entry in group.patterns where matched.contains(entry.pattern) {
                    isMentioned = true
                    if let literal = entry.literal { literals.append(literal) }
                }
                if !isMentioned, let rest = group.rest { literals.append(rest) }
            }
            let node = node(literals)
            if node == .nothing {
                leavesOut = true
                return
            }
            work += base.languages.count
            // Looked at in the end only: what is left when patterns are left out is seldom nothing.
            guard self.shape(base) != nil else { return }
            var meets: UInt32 = 0
            for (number, obligation) in rules.obligations.enumerated() {
                let condition = obligation.condition
                if condition.name != nil {
                    if meetsNames & (1 << UInt32(number)) != 0 { meets |= 1 << UInt32(number) }
                    continue
                }
                if let pattern = condition.pattern, !matched.contains(pattern) { continue }
                if condition.notPatterns.contains(where: { matched.contains($0) }) { continue }
                meets |= 1 << UInt32(number)
            }
            var keys = base
            keys.excluded.formUnion(reserved)
            result.append(
                ObjectShape.AnonymousKeys(rules: keys, node: node, meets: meets))
        }
        // Obligations that finitely many keys meet concern named keys alone.
        let special = rules.obligations.enumerated().compactMap { number, obligation in
            obligation.condition.name.flatMap { bases([$0]).isEmpty ? nil : (number, $0) }
        }
        guard special.count <= 4 else {
            note("more than 4 keys would have to fail 'propertyNames'", at: nil)
            return result
        }
        // Every choice of the obligations that a key meets by its name.
        for choice in 0..<(1 << special.count) {
            var literals = nameLiterals
            var meets: UInt32 = 0
            for (place, (number, name)) in special.enumerated() {
                guard choice & (1 << place) != 0 else {
                    literals.append(name.negated)
                    continue
                }
                literals.append(name)
                meets |= 1 << UInt32(number)
            }
            let bases = bases(literals)
            if bases.count > 1 { shape.hasOverlappingKinds = true }
            for base in bases { split(base, 0, [], meets) }
        }
        shape.kindsTakeAll = !leavesOut && special.isEmpty && noted == limitationCount && !result.isEmpty
        return result
    }
}
