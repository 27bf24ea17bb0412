// SPDX-License-Identifier: Apache-2.0

import Documents
import Patterns

/// Proves keyword by keyword that whatever one subschema allows, another allows as well.
///
/// A yes is a proof. A no says only that the keywords do not show it.
package struct StructuralInclusion {
    private struct Pair: Hashable {
        var a: SubschemaID
        var b: SubschemaID
    }

    private let graph: SchemaGraph
    private let formats: FormatPolicy
    private let validator: Validator
    private var proven: Set<Pair> = []
    private var refuted: Set<Pair> = []
    /// Pairs that a proof is under way for. They may be used in it: values are finite, and no reference leads back to itself
    /// without going into the value.
    private var open: Set<Pair> = []
    private var fuel = 200_000
    private var usedOpen = 0

    /// - Parameter graph: Both subschemas are in it; see ``SchemaComposition``.
    package init(_ graph: SchemaGraph, formats: FormatPolicy) {
        self.graph = graph
        self.formats = formats
        validator = Validator(graph, formats: formats)
    }

    /// Whether it is shown that every value that meets `a` meets `b`.
    package mutating func proves(_ a: SubschemaID, in b: SubschemaID) -> Bool {
        if a == b { return true }
        let pair = Pair(a: a, b: b)
        if proven.contains(pair) { return true }
        if refuted.contains(pair) { return false }
        if open.contains(pair) {
            usedOpen += 1
            return true
        }
        fuel -= 1
        guard fuel > 0, open.count < 400 else { return false }
        open.insert(pair)
        let usedBefore = usedOpen
        let result = compare(graph[a], graph[b])
        open.remove(pair)
        if !result {
            refuted.insert(pair)
        } else if usedOpen == usedBefore || open.isEmpty {
            // What leans on a proof that is not finished yet is not kept.
            proven.insert(pair)
        }
        return result
    }

    private mutating func areEquivalent(_ a: SubschemaID, _ b: SubschemaID) -> Bool {
        proves(a, in: b) && proves(b, in: a)
    }

    // MARK: Keywords

    private enum Atom: CaseIterable {
        case type, values, numbers, multiple, lengths, pattern, format, verbatim, elements, counted, itemCounts,
            distinct
        case members, names, required, memberCounts, dependentKeys, dependentSchemas, choice, exclusive, negation
        case condition
    }

    private mutating func compare(_ a: Subschema, _ b: Subschema) -> Bool {
        if b.boolean == true || a.boolean == false { return true }
        if b.boolean == false { return a.enumeration?.isEmpty == true }
        // What depends on the way that led here, or on what other keywords have seen, is not compared.
        if b.dynamicReference != nil || b.unresolvedReference != nil || b.unevaluatedItems != nil
            || b.unevaluatedProperties != nil
        {
            return false
        }
        if let values = a.constant.map({ [$0] }) ?? a.enumeration, values.count <= 4_000 {
            let refused = values.contains { value in
                let node = Document(value: value).root
                return validator.isValid(node, at: a.id) && !validator.isValid(node, at: b.id)
            }
            if !refused { return true }
        }
        if let target = b.reference, !proves(a.id, in: target) { return false }
        for part in b.allOf where !proves(a.id, in: part) { return false }
        for atom in Atom.allCases where says(b, atom) && !shows(a, b, atom, depth: 0) { return false }
        return true
    }

    /// Whether a schema says something about an aspect.
    private func says(_ b: Subschema, _ atom: Atom) -> Bool {
        switch atom {
        case .type: b.type != nil
        case .values: b.enumeration != nil || b.constant != nil
        case .numbers:
            b.minimum != nil || b.maximum != nil || b.exclusiveMinimum != nil || b.exclusiveMaximum != nil
        case .multiple: b.multipleOf != nil
        case .lengths: b.minLength != nil || b.maxLength != nil
        case .pattern: b.pattern != nil
        case .format:
            (formats == .assert || b.formatIsAsserted) && b.format.map { KnownFormat(rawValue: $0) != nil } ?? false
        case .verbatim: b.isVerbatim
        case .elements: b.items != nil || !b.prefixItems.isEmpty
        case .counted: b.contains != nil
        case .itemCounts: b.minItems != nil || b.maxItems != nil
        case .distinct: b.uniqueItems
        case .members: !b.properties.isEmpty || !b.patternProperties.isEmpty || b.additionalProperties != nil
        case .names: b.propertyNames != nil
        case .required: !b.required.isEmpty
        case .memberCounts: b.minProperties != nil || b.maxProperties != nil
        case .dependentKeys: !b.dependentRequired.isEmpty
        case .dependentSchemas: !b.dependentSchemas.isEmpty
        case .choice: !b.anyOf.isEmpty
        case .exclusive: !b.oneOf.isEmpty
        case .negation: b.not != nil
        case .condition: b.ifSchema != nil
        }
    }

    /// The type that an aspect is about; nil for all.
    private static func type(of atom: Atom) -> TypeSet? {
        switch atom {
        case .numbers, .multiple: [.number, .integer]
        case .lengths, .pattern, .format, .verbatim: .string
        case .elements, .counted, .itemCounts, .distinct: .array
        case .members, .names, .required, .memberCounts, .dependentKeys, .dependentSchemas: .object
        default: nil
        }
    }

    /// Whether `a`, or what it is joined with, shows an aspect of `b`.
    private mutating func shows(_ a: Subschema, _ b: Subschema, _ atom: Atom, depth: Int) -> Bool {
        if a.boolean == false { return true }
        if let about = Self.type(of: atom), let type = a.type, type.isDisjoint(with: about) { return true }
        if showsItself(a, b, atom) { return true }
        guard depth < 12, fuel > 0 else { return false }
        fuel -= 1
        if let target = a.reference, shows(graph[target], b, atom, depth: depth + 1) { return true }
        for part in a.allOf where shows(graph[part], b, atom, depth: depth + 1) { return true }
        for choices in [a.anyOf, a.oneOf] where !choices.isEmpty {
            var all = true
            for choice in choices where !shows(graph[choice], b, atom, depth: depth + 1) {
                all = false
                break
            }
            if all { return true }
        }
        return false
    }

    private static func isAtLeast<Value: Comparable>(_ a: Value?, _ b: Value?) -> Bool {
        guard let b else { return true }
        return a.map { $0 >= b } ?? false
    }

    private static func isAtMost<Value: Comparable>(_ a: Value?, _ b: Value?) -> Bool {
        guard let b else { return true }
        return a.map { $0 <= b } ?? false
    }

    private mutating func showsItself(_ a: Subschema, _ b: Subschema, _ atom: Atom) -> Bool {
        switch atom {
        case .type:
            guard let own = a.type, let other = b.type else { return false }
            return own.isSubset(of: other.contains(.number) ? other.union(.integer) : other)
        case .values:
            // Values that are few are compared one by one, before.
            return false
        case .numbers: return showsNumbers(a, b)
        case .multiple:
            guard let own = a.multipleOf, let other = b.multipleOf else { return false }
            return own == other || own.isMultiple(of: other)
        case .lengths:
            return Self.isAtLeast(a.minLength ?? 0, b.minLength) && Self.isAtMost(a.maxLength, b.maxLength)
        case .pattern: return a.pattern != nil && a.pattern?.source == b.pattern?.source
        case .format:
            return a.format == b.format && (formats == .assert || a.formatIsAsserted)
        case .verbatim: return a.isVerbatim
        case .elements: return showsElements(a, b)
        case .counted:
            guard let own = a.contains, let other = b.contains else {
                return b.minContains == 0 && b.maxContains == nil
            }
            let more = Self.isAtLeast(a.minContains ?? 1, b.minContains ?? 1) && proves(own, in: other)
            guard b.maxContains != nil else { return more }
            return more && Self.isAtMost(a.maxContains, b.maxContains) && proves(other, in: own)
        case .itemCounts:
            return Self.isAtLeast(a.minItems ?? 0, b.minItems) && Self.isAtMost(a.maxItems, b.maxItems)
        case .distinct: return a.uniqueItems
        case .members: return showsMembers(a, b)
        case .names:
            guard let own = a.propertyNames, let other = b.propertyNames else { return false }
            return proves(own, in: other)
        case .required: return Set(b.required).isSubset(of: a.required)
        case .memberCounts:
            return Self.isAtLeast(max(a.minProperties ?? 0, Set(a.required).count), b.minProperties)
                && Self.isAtMost(a.maxProperties, b.maxProperties)
        case .dependentKeys:
            return b.dependentRequired.allSatisfy { other in
                other.required.allSatisfy { name in
                    a.required.contains(name)
                        || a.dependentRequired.contains { $0.key == other.key && $0.required.contains(name) }
                }
            }
        case .dependentSchemas:
            for other in b.dependentSchemas {
                var isShown = proves(a.id, in: other.schema)
                for own in a.dependentSchemas where !isShown && own.key == other.key {
                    isShown = proves(own.schema, in: other.schema)
                }
                if !isShown { return false }
            }
            return true
        case .choice:
            for choice in b.anyOf where proves(a.id, in: choice) { return true }
            return false
        case .exclusive:
            guard a.oneOf.count == b.oneOf.count else { return false }
            for (own, other) in zip(a.oneOf, b.oneOf) where !areEquivalent(own, other) { return false }
            return true
        case .negation:
            guard let own = a.not, let other = b.not else { return false }
            return proves(other, in: own)
        case .condition:
            guard let own = a.ifSchema, let other = b.ifSchema, areEquivalent(own, other) else { return false }
            return provesBranch(a.thenSchema, b.thenSchema) && provesBranch(a.elseSchema, b.elseSchema)
        }
    }

    /// The same where nothing stands for everything.
    private mutating func provesBranch(_ a: SubschemaID?, _ b: SubschemaID?) -> Bool {
        guard let b else { return true }
        guard let a else { return graph[b].boolean == true }
        return proves(a, in: b)
    }

    private func showsNumbers(_ a: Subschema, _ b: Subschema) -> Bool {
        if let bound = b.minimum {
            guard Self.isAtLeast(a.minimum, bound) || Self.isAtLeast(a.exclusiveMinimum, bound) else { return false }
        }
        if let bound = b.maximum {
            guard Self.isAtMost(a.maximum, bound) || Self.isAtMost(a.exclusiveMaximum, bound) else { return false }
        }
        if let bound = b.exclusiveMinimum {
            guard Self.isAtLeast(a.exclusiveMinimum, bound) || (a.minimum.map { $0 > bound } ?? false) else {
                return false
            }
        }
        if let bound = b.exclusiveMaximum {
            guard Self.isAtMost(a.exclusiveMaximum, bound) || (a.maximum.map { $0 < bound } ?? false) else {
                return false
            }
        }
        return true
    }

    private mutating func showsElements(_ a: Subschema, _ b: Subschema) -> Bool {
        func element(_ schema: Subschema, _ index: Int) -> SubschemaID? {
            index < schema.prefixItems.count ? schema.prefixItems[index] : schema.items
        }
        for index in 0..<max(a.prefixItems.count, b.prefixItems.count) + 1 {
            if let most = a.maxItems, index >= most { return true }
            if !provesBranch(element(a, index), element(b, index)) { return false }
            // An element that nothing can be is the last.
            if let own = element(a, index), graph[own].boolean == false { return true }
        }
        return true
    }

    // MARK: Members

    private struct Members {
        var named: [String: SubschemaID] = [:]
        var patterns: [(source: String, matcher: PatternMatcher, schema: SubschemaID)] = []
        var rest: SubschemaID?

        init?(_ schema: Subschema) {
            for property in schema.properties { named[property.key] = property.schema }
            for entry in schema.patternProperties {
                guard let matcher = try? PatternMatcher(entry.pattern) else { return nil }
                patterns.append((entry.pattern.source, matcher, entry.schema))
            }
            rest = schema.additionalProperties
        }

        /// What applies to the value of a key.
        func schemas(_ key: String) -> [SubschemaID] {
            var list = patterns.filter { $0.matcher.matches(key) }.map(\.schema)
            if let own = named[key] { list.append(own) }
            return list.isEmpty ? [rest].compactMap(\.self) : list
        }
    }

    private mutating func showsMembers(_ a: Subschema, _ b: Subschema) -> Bool {
        guard let own = Members(a), let other = Members(b) else { return false }
        for key in Set(own.named.keys).union(other.named.keys).sorted() {
            let have = own.schemas(key)
            for wanted in other.schemas(key) where !provesAny(have, wanted) { return false }
        }
        for pattern in other.patterns {
            if let same = own.patterns.first(where: { $0.source == pattern.source }),
                proves(same.schema, in: pattern.schema)
            {
                continue
            }
            guard provesBranch(own.rest, pattern.schema) else { return false }
            for entry in own.patterns where !proves(entry.schema, in: pattern.schema) { return false }
        }
        guard let rest = other.rest else { return true }
        for entry in own.patterns where !other.patterns.contains(where: { $0.source == entry.source }) {
            if !proves(entry.schema, in: rest) { return false }
        }
        return provesBranch(own.rest, rest)
    }

    private mutating func provesAny(_ have: [SubschemaID], _ wanted: SubschemaID) -> Bool {
        if graph[wanted].boolean == true { return true }
        for schema in have where proves(schema, in: wanted) { return true }
        return false
    }
}
