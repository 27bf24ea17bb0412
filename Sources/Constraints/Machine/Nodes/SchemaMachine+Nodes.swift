// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

extension SchemaMachine {
    /// The literal of a subschema reached from a dynamic scope.
    func literal(_ subschema: SubschemaID, scope: UInt32, negated: Bool = false) -> Literal {
        let schema = graph[subschema]
        if let value = schema.boolean { return value != negated ? .always : .never }
        if let number = constant(of: schema) { return Literal(constant: number, negated: negated) }
        return Literal(subschema, scope: self.scope(scope, entering: schema.resource), negated: negated)
    }

    /// The number of the only value that a schema allows, where it says nothing but that.
    private func constant(of schema: Subschema) -> UInt32? {
        guard schema.constant != nil || schema.enumeration?.count == 1 else { return nil }
        if let known = constantSchemas[schema.id] { return known }
        var number: UInt32?
        if isOnlyEnumeration(schema), let value = schema.constant ?? schema.enumeration?.first {
            number = constants.intern(value)
        }
        constantSchemas[schema.id] = .some(number)
        return number
    }

    /// The scope after entering a resource; only resources with dynamic anchors count.
    private func scope(_ scope: UInt32, entering resource: ResourceID) -> UInt32 {
        if graph[resource].dynamicAnchors.isEmpty { return scope }
        let list = scopes[scope]
        return list.contains(resource) ? scope : scopes.intern(list + [resource])
    }

    /// The target of a dynamic reference in a scope.
    func target(_ reference: Subschema.DynamicReference, scope: UInt32) -> SubschemaID {
        guard let anchor = reference.anchor else { return reference.initial }
        for resource in scopes[scope] {
            if let target = graph[resource].dynamicAnchors[anchor] { return target }
        }
        return reference.initial
    }

    /// The literal that a value equals a constant.
    func literal(equal value: JSONValue, negated: Bool = false) -> Literal {
        Literal(constant: constants.intern(value), negated: negated)
    }

    /// The literal that a value meets at least one of the literals.
    func literal(any literals: [Literal]) -> Literal {
        if literals.contains(.always) { return .always }
        let list = Array(Set(literals.filter { $0 != .never })).sorted()
        if list.isEmpty { return .never }
        return list.count == 1 ? list[0] : Literal(disjunction: disjunctions.intern(list))
    }

    /// The node of a conjunction.
    func node(_ literals: [Literal]) -> NodeID {
        if literals.isEmpty { return .anything }
        if literals.count == 1 {
            if literals[0] == .always { return .anything }
            if literals[0] == .never { return .nothing }
            return nodes.intern(literals)
        }
        var sorted = literals.filter { $0 != .always }.sorted()
        var previous: Literal?
        sorted.removeAll { literal in
            defer { previous = literal }
            return literal == previous
        }
        // A literal and its negation are neighbours.
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.negated == b { return .nothing }
        if sorted.last == .never { return .nothing }
        // A constant excludes all others.
        if let constant = sorted.first(where: { $0.isConstant && $0.disjunction == nil && !$0.isNegated }) {
            if sorted.contains(where: { $0.isConstant && $0.disjunction == nil && !$0.isNegated && $0 != constant }) {
                return .nothing
            }
            sorted.removeAll { $0.isConstant && $0.isNegated && $0.disjunction == nil }
        }
        return nodes.intern(sorted)
    }

    /// The node with more obligations.
    func node(_ node: NodeID, and literals: [Literal]) -> NodeID {
        if literals.isEmpty { return node }
        return self.node(nodes[node] + literals)
    }

    /// The place of a keyword among the keywords of a schema, as written.
    func place(of keyword: String, in schema: Subschema) -> Int {
        let name = schema.writtenKeyword(keyword)
        var place = 0
        for member in schema.node.members {
            if member.key == name { return place }
            place += 1
        }
        return place
    }

    /// What is known about a literal for one type without expanding it.
    enum Verdict: UInt32 {
        case depends, always, never
    }

    /// Whether a literal is certainly met or certainly not met by all values of a type.
    func verdict(_ literal: Literal, _ type: ValueType) -> Verdict {
        if literal == .always { return .always }
        if literal == .never { return .never }
        let positive = literal.isNegated ? literal.negated : literal
        let known =
            verdicts[positive.rawValue]
            ?? {
                // Set first, so that a cycle ends as undecided, and so does a chain that is too long.
                verdicts.set(positive.rawValue, 0)
                guard nesting < 200 else { return 0 }
                nesting += 1
                defer { nesting -= 1 }
                let packed = computeVerdicts(positive)
                verdicts.set(positive.rawValue, packed)
                return packed
            }()
        let verdict = Verdict(rawValue: known >> (2 * UInt32(type.rawValue)) & 3) ?? .depends
        if !literal.isNegated { return verdict }
        switch verdict {
        case .depends: return .depends
        case .always: return .never
        case .never: return .always
        }
    }

    /// The verdicts for all types: two bits for each.
    private func computeVerdicts(_ literal: Literal) -> UInt32 {
        func packed(_ verdict: (ValueType) -> Verdict) -> UInt32 {
            ValueType.allCases.reduce(0) { $0 | verdict($1).rawValue << (2 * UInt32($1.rawValue)) }
        }
        if literal.disjunction != nil { return packed { _ in .depends } }
        if literal.isConstant {
            let value = constants[literal.constant]
            return packed { $0 != value.type ? .never : value.isNull ? .always : .depends }
        }
        // Taken once for all types: a copy costs more than most of the verdicts.
        let schema = graph[literal.subschema]
        return packed { computeVerdict(schema, literal, $0) }
    }

    private func computeVerdict(_ schema: Subschema, _ literal: Literal, _ type: ValueType) -> Verdict {
        if let value = schema.boolean { return value ? .always : .never }
        var result = Verdict.always
        if let types = schema.type {
            if types.isDisjoint(with: type.typeSet) { return .never }
            if type == .number, !types.contains(.number) { result = .depends }
        }
        for values in [schema.enumeration, schema.constant.map { [$0] }] {
            guard let values else { continue }
            if !values.contains(where: { $0.type == type }) { return .never }
            if type != .null { result = .depends }
        }
        if hasAssertions(schema, for: type) { result = .depends }
        var parts = schema.allOf
        if let reference = schema.reference { parts.append(reference) }
        if let reference = schema.dynamicReference { parts.append(target(reference, scope: literal.scope)) }
        for part in parts {
            switch verdict(self.literal(part, scope: literal.scope), type) {
            case .never: return .never
            case .depends: result = .depends
            case .always: break
            }
        }
        for choices in [schema.anyOf, schema.oneOf] where !choices.isEmpty {
            let verdicts = choices.map { verdict(self.literal($0, scope: literal.scope), type) }
            if verdicts.allSatisfy({ $0 == .never }) { return .never }
            if choices.count == schema.anyOf.count, choices == schema.anyOf {
                if !verdicts.contains(.always) { result = .depends }
            } else if verdicts.filter({ $0 == .always }).count != 1 || verdicts.contains(.depends) {
                if verdicts.filter({ $0 == .always }).count > 1 { return .never }
                result = .depends
            }
        }
        if let negated = schema.not {
            switch verdict(self.literal(negated, scope: literal.scope, negated: true), type) {
            case .never: return .never
            case .depends: result = .depends
            case .always: break
            }
        }
        if schema.ifSchema != nil, schema.thenSchema != nil || schema.elseSchema != nil { result = .depends }
        if tracksEvaluation, schema.ifSchema != nil || !schema.anyOf.isEmpty || !schema.oneOf.isEmpty {
            // It may always hold and yet evaluate something.
            result = .depends
        }
        return result
    }

    /// Whether keywords of the schema itself say something about values of the type.
    func hasAssertions(_ schema: Subschema, for type: ValueType) -> Bool {
        switch type {
        case .null, .boolean: return false
        case .number:
            return schema.minimum != nil || schema.maximum != nil || schema.exclusiveMinimum != nil
                || schema.exclusiveMaximum != nil || schema.multipleOf != nil
        case .string:
            return schema.minLength != nil || schema.maxLength != nil || schema.pattern != nil
                || knownFormat(schema) != nil || schema.isVerbatim
        case .array:
            return !schema.prefixItems.isEmpty || schema.items != nil || schema.contains != nil
                || schema.minItems != nil || schema.maxItems != nil || schema.uniqueItems
                || schema.unevaluatedItems != nil
        case .object:
            return !schema.properties.isEmpty || !schema.patternProperties.isEmpty
                || schema.additionalProperties != nil || schema.propertyNames != nil || !schema.required.isEmpty
                || schema.minProperties != nil || schema.maxProperties != nil || !schema.dependentRequired.isEmpty
                || !schema.dependentSchemas.isEmpty || schema.unevaluatedProperties != nil
        }
    }
}

extension JSONValue {
    /// The kind of value.
    var type: ValueType {
        switch self {
        case .null: .null
        case .bool: .boolean
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }
}
