// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

/// A literal and a type of values that fail it.
struct FailureKey: Hashable {
    var literal: Literal
    var type: ValueType
}

extension SchemaMachine {
    /// The assertions of a schema itself about numbers or strings.
    func scalarAtoms(_ schema: Subschema, _ type: ValueType) -> [Atom] {
        var atoms: [Atom] = []
        if type == .number {
            if let value = schema.minimum { atoms.append(.lower(.init(value: value, isOpen: false))) }
            if let value = schema.exclusiveMinimum { atoms.append(.lower(.init(value: value, isOpen: true))) }
            if let value = schema.maximum { atoms.append(.upper(.init(value: value, isOpen: false))) }
            if let value = schema.exclusiveMaximum { atoms.append(.upper(.init(value: value, isOpen: true))) }
            if let value = schema.multipleOf { atoms.append(.multiple(value)) }
        } else {
            if let length = schema.minLength { atoms.append(.minLength(length)) }
            if let length = schema.maxLength { atoms.append(.maxLength(length)) }
            if let pattern = schema.pattern { atoms.append(.language(.pattern(pattern))) }
            if let format = knownFormat(schema), let language = format.offeredLanguage {
                atoms.append(.language(language))
            }
            if schema.isVerbatim, case .source(let source) = verbatim {
                atoms.append(.language(.substring(of: source.reference)))
            }
        }
        return atoms
    }

    /// The format that the schema asserts, where it is one we know.
    func knownFormat(_ schema: Subschema) -> KnownFormat? {
        guard assertsFormats || schema.formatIsAsserted, let name = schema.format else { return nil }
        return KnownFormat(rawValue: name)
    }

    /// The ways in which a value of a type can fail a literal that is not negated; nil where every value fails.
    func failures(of literal: Literal, _ type: ValueType) -> [[Atom]]? {
        let key = FailureKey(literal: literal, type: type)
        if let known = knownFailures[key] {
            limitationCount += known.limitations
            return known.ways
        }
        let before = limitationCount
        let ways = computeFailures(of: literal, type)
        knownFailures[key] = (ways, limitationCount - before)
        return ways
    }

    private func computeFailures(of literal: Literal, _ type: ValueType) -> [[Atom]]? {
        switch verdict(literal, type) {
        case .never: return nil
        case .always: return []
        case .depends: break
        }
        if let disjunction = literal.disjunction {
            return [disjunctions[disjunction].map { .literal($0.negated) }]
        }
        if literal.isConstant { return [[.exclude([constants[literal.constant]])]] }
        let schema = graph[literal.subschema]
        let scope = literal.scope
        func fails(_ subschema: SubschemaID) -> Literal { self.literal(subschema, scope: scope, negated: true) }
        func holds(_ subschema: SubschemaID) -> Literal { self.literal(subschema, scope: scope) }
        var ways: [[Atom]] = []
        if type == .number, let types = schema.type, !types.contains(.number) {
            ways.append([.notMultiple(DecimalNumber(1))])
        }
        for values in [schema.enumeration, schema.constant.map { [$0] }] {
            guard let values else { continue }
            let own = values.filter { $0.type == type }
            if own.isEmpty { return nil }
            if type != .null { ways.append([.exclude(own)]) }
        }
        switch type {
        case .null, .boolean: break
        case .number:
            if let value = schema.minimum { ways.append([.upper(.init(value: value, isOpen: true))]) }
            if let value = schema.exclusiveMinimum { ways.append([.upper(.init(value: value, isOpen: false))]) }
            if let value = schema.maximum { ways.append([.lower(.init(value: value, isOpen: true))]) }
            if let value = schema.exclusiveMaximum { ways.append([.lower(.init(value: value, isOpen: false))]) }
            if let value = schema.multipleOf { ways.append([.notMultiple(value)]) }
        case .string:
            if let length = schema.minLength { ways.append([.maxLength(length - 1)]) }
            if let length = schema.maxLength, length < Int.max { ways.append([.minLength(length + 1)]) }
            if let pattern = schema.pattern { ways.append([.language(.not(.pattern(pattern)))]) }
            if let format = knownFormat(schema) {
                if let language = format.exactLanguage {
                    ways.append([.language(.not(language))])
                } else {
                    note(failing: "format", schema)
                }
            }
            if schema.isVerbatim {
                switch verbatim {
                case .source(let source): ways.append([.language(.not(.substring(of: source.reference)))])
                case .undecided, .refused: ways.append([])
                }
            }
        case .array: ways += arrayFailures(schema, scope: scope)
        case .object: ways += objectFailures(schema, scope: scope)
        }
        for part in schema.allOf { ways.append([.literal(fails(part))]) }
        if let reference = schema.reference { ways.append([.literal(fails(reference))]) }
        if let reference = schema.dynamicReference {
            ways.append([.literal(fails(target(reference, scope: scope)))])
        }
        if !schema.anyOf.isEmpty { ways.append(schema.anyOf.map { .literal(fails($0)) }) }
        if !schema.oneOf.isEmpty {
            ways.append(schema.oneOf.map { .literal(fails($0)) })
            for (index, first) in schema.oneOf.enumerated() {
                for second in schema.oneOf.dropFirst(index + 1)
                where !areDisjoint(holds(first), holds(second), type) {
                    ways.append([.literal(holds(first)), .literal(holds(second))])
                }
            }
        }
        if let negated = schema.not { ways.append([.literal(holds(negated))]) }
        if let condition = schema.ifSchema {
            if let then = schema.thenSchema { ways.append([.literal(holds(condition)), .literal(fails(then))]) }
            if let otherwise = schema.elseSchema {
                ways.append([.literal(fails(condition)), .literal(fails(otherwise))])
            }
        }
        return ways
    }

    private func arrayFailures(_ schema: Subschema, scope: UInt32) -> [[Atom]] {
        func fails(_ subschema: SubschemaID) -> Literal { literal(subschema, scope: scope, negated: true) }
        var ways: [[Atom]] = []
        if schema.uniqueItems { note(failing: "uniqueItems", schema) }
        if let unevaluated = unevaluatedFailures(schema, scope: scope, .array) {
            ways += unevaluated
        } else {
            note(failing: "unevaluatedItems", schema)
        }
        if let count = schema.minItems { ways.append([.maxItems(count - 1)]) }
        if let count = schema.maxItems, count < Int.max { ways.append([.minItems(count + 1)]) }
        for (index, item) in schema.prefixItems.enumerated() { ways.append([.element(index, fails(item))]) }
        if let items = schema.items, fails(items) != .never {
            ways.append([
                .counter(
                    .init(literal: fails(items), from: schema.prefixItems.count, minimum: 1, maximum: nil))
            ])
        }
        if let contains = schema.contains {
            let counted = literal(contains, scope: scope)
            let minimum = schema.minContains ?? 1
            if minimum > 0 {
                ways.append([.counter(.init(literal: counted, from: 0, minimum: 0, maximum: minimum - 1))])
            }
            if let maximum = schema.maxContains, maximum < Int.max {
                ways.append([.counter(.init(literal: counted, from: 0, minimum: maximum + 1, maximum: nil))])
            }
        }
        return ways
    }

    private func objectFailures(_ schema: Subschema, scope: UInt32) -> [[Atom]] {
        func fails(_ subschema: SubschemaID) -> Literal { literal(subschema, scope: scope, negated: true) }
        var ways: [[Atom]] = []
        if let unevaluated = unevaluatedFailures(schema, scope: scope, .object) {
            ways += unevaluated
        } else {
            note(failing: "unevaluatedProperties", schema)
        }
        for key in schema.required { ways.append([.forbid(self.key(key))]) }
        if let count = schema.minProperties { ways.append([.maxProperties(count - 1)]) }
        if let count = schema.maxProperties, count < Int.max { ways.append([.minProperties(count + 1)]) }
        for property in schema.properties where fails(property.schema) != .never {
            ways.append([.member(self.key(property.key), fails(property.schema))])
        }
        for property in schema.patternProperties where fails(property.schema) != .never {
            ways.append([.someKey(KeyCondition(pattern: property.pattern), fails(property.schema))])
        }
        if let additional = schema.additionalProperties, fails(additional) != .never {
            let condition = KeyCondition(
                notNames: schema.properties.map { self.key($0.key) },
                notPatterns: schema.patternProperties.map(\.pattern))
            ways.append([.someKey(condition, fails(additional))])
        }
        if let names = schema.propertyNames, fails(names) != .never {
            ways.append([.someKey(KeyCondition(name: fails(names)), nil)])
        }
        for dependency in schema.dependentRequired {
            for key in dependency.required {
                ways.append([.require(self.key(dependency.key)), .forbid(self.key(key))])
            }
        }
        for dependency in schema.dependentSchemas {
            ways.append([.require(self.key(dependency.key)), .literal(fails(dependency.schema))])
        }
        return ways
    }

    /// The group of what a schema itself says about the values of keys, where it says anything.
    func group(of schema: Subschema, scope: UInt32) -> UInt32? {
        if schema.properties.isEmpty, schema.patternProperties.isEmpty, schema.additionalProperties == nil {
            return nil
        }
        let key = Literal(schema.id, scope: scope)
        if let known = knownGroups[key] { return known }
        var group = ObjectRules.Group()
        group.names = schema.properties.map {
            ObjectRules.Name(key: self.key($0.key), literal: literal($0.schema, scope: scope))
        }
        group.patterns = schema.patternProperties.map {
            ObjectRules.PatternName(pattern: $0.pattern, literal: literal($0.schema, scope: scope))
        }
        group.rest = schema.additionalProperties.map { literal($0, scope: scope) }
        let number = groups.intern(group)
        knownGroups[key] = number
        return number
    }

    /// The number of a key.
    func key(_ text: String) -> KeyID { keys.intern(Array(text.utf8)) }

    /// Whether meeting `known` decides `other`: for constants and enumerations, at sight.
    func relation(_ known: Literal, _ other: Literal) -> Verdict {
        guard let values = finiteValues(known) else { return .depends }
        let positive = other.isNegated ? other.negated : other
        guard let others = finiteValues(positive) else { return .depends }
        let isInside = values.allSatisfy { others.contains($0) }
        let isOutside = !isInside && !values.contains { others.contains($0) }
        if isOutside { return other.isNegated ? .always : .never }
        // Membership proves the literal only where the enumeration is all that it says.
        guard isInside, isOnlyEnumeration(positive) else { return .depends }
        return other.isNegated ? .never : .always
    }

    /// The values that a literal allows at most, where it has a constant or an enumeration.
    func finiteValues(_ literal: Literal) -> [JSONValue]? {
        if literal.isNegated || literal == .always { return nil }
        if literal.disjunction != nil { return nil }
        if literal.isConstant { return [constants[literal.constant]] }
        let schema = graph[literal.subschema]
        if let constant = schema.constant { return [constant] }
        if let values = schema.enumeration { return values.count <= 64 ? values : nil }
        if let reference = schema.reference { return finiteValues(self.literal(reference, scope: literal.scope)) }
        return nil
    }

    private func isOnlyEnumeration(_ literal: Literal) -> Bool {
        literal.isConstant || isOnlyEnumeration(graph[literal.subschema])
    }

    /// Whether a schema says nothing but which values there are.
    func isOnlyEnumeration(_ schema: Subschema) -> Bool {
        guard schema.reference == nil, schema.dynamicReference == nil, schema.allOf.isEmpty, schema.anyOf.isEmpty,
            schema.oneOf.isEmpty, schema.not == nil, schema.ifSchema == nil, schema.type == nil
        else { return false }
        guard (schema.constant == nil) != (schema.enumeration == nil) else { return false }
        return schema.order.isEmpty && !ValueType.allCases.contains { hasAssertions(schema, for: $0) }
    }

    /// Whether no value of the type meets both literals, as far as can be decided.
    func areDisjoint(_ a: Literal, _ b: Literal, _ type: ValueType) -> Bool {
        let pair = node([a, b])
        if pair == .nothing { return true }
        if pair == .anything { return false }
        let key = UInt64(pair) << 3 | UInt64(type.rawValue)
        if let known = disjointness[key] { return known }
        // Recursion answers with the safe side, and so does anything that a limit left undecided.
        disjointness[key] = false
        guard nesting < 100, limitationCount == 0, disjointness.count <= limits.maximumDisjointnessQueries else {
            return false
        }
        nesting += 10
        defer { nesting -= 10 }
        let before = (taints, limitationCount)
        let result = cost(of: pair, type) >= .infinite && before == (taints, limitationCount) && limitationCount == 0
        disjointness[key] = result
        return result
    }
}
