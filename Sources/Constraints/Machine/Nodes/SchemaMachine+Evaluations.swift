// SPDX-License-Identifier: Apache-2.0

import JSONSchemas
import Patterns

/// One way in which the subschemas of a schema can hold or not, with the members or elements that they evaluate then.
private struct Evaluation {
    /// What has to be so for this way.
    var atoms: [Atom] = []
    var names: [KeyID] = []
    var patterns: [Pattern] = []
    /// Elements before this index are evaluated.
    var prefix = 0
    /// Elements that meet one of these are evaluated.
    var contained: [Literal] = []
    var isEverything = false

    func with(_ other: Evaluation) -> Evaluation {
        Evaluation(
            atoms: atoms + other.atoms, names: names + other.names, patterns: patterns + other.patterns,
            prefix: max(prefix, other.prefix), contained: contained + other.contained,
            isEverything: isEverything || other.isEverything)
    }
}

extension SchemaMachine {
    /// The most ways that are told apart.
    private static let maximumEvaluations = 64

    /// The ways in which a member or element that nothing evaluates can fail `unevaluatedProperties` or
    /// `unevaluatedItems`; nil where there are too many.
    func unevaluatedFailures(_ schema: Subschema, scope: UInt32, _ type: ValueType) -> [[Atom]]? {
        guard let rest = type == .object ? schema.unevaluatedProperties : schema.unevaluatedItems else { return [] }
        let unevaluated = literal(rest, scope: scope)
        if unevaluated == .always { return [] }
        guard let evaluations = evaluations(schema, scope: scope, type, isOutermost: true, depth: 0) else { return nil }
        return evaluations.compactMap { evaluation in
            if evaluation.isEverything { return nil }
            let failing: Atom
            if type == .object {
                let condition = KeyCondition(
                    notNames: Array(Set(evaluation.names)).sorted(), notPatterns: Array(Set(evaluation.patterns)).sorted { $0.source < $1.source })
                failing = .someKey(condition, unevaluated.negated)
            } else {
                failing = .counter(
                    .init(
                        literal: literal(any: evaluation.contained + [unevaluated]).negated, from: evaluation.prefix,
                        minimum: 1, maximum: nil))
            }
            return evaluation.atoms + [failing]
        }
    }

    /// What a schema can evaluate. That its own assertions hold is not among the atoms: where one fails, the schema
    /// fails for another reason.
    private func evaluations(
        _ schema: Subschema, scope: UInt32, _ type: ValueType, isOutermost: Bool, depth: Int
    ) -> [Evaluation]? {
        guard depth < 64 else { return nil }
        var own = Evaluation()
        switch type {
        case .object:
            own.names = schema.properties.map { key($0.key) }
            own.patterns = schema.patternProperties.map(\.pattern)
            own.isEverything =
                schema.additionalProperties != nil || (!isOutermost && schema.unevaluatedProperties != nil)
        case .array:
            own.prefix = schema.prefixItems.count
            own.isEverything = schema.items != nil || (!isOutermost && schema.unevaluatedItems != nil)
            if let contains = schema.contains, schema.containsEvaluates {
                own.contained = [literal(contains, scope: scope)]
            }
        default: break
        }
        if own.isEverything { return [own] }
        var result = [own]

        func combine(_ choices: [Evaluation]?) -> Bool {
            guard let choices, result.count * choices.count <= Self.maximumEvaluations else { return false }
            result = result.flatMap { known in choices.map { known.with($0) } }
            return true
        }
        func inside(_ subschema: SubschemaID) -> [Evaluation]? {
            let literal = literal(subschema, scope: scope)
            if literal == .always || literal == .never || literal.isConstant { return [Evaluation()] }
            return evaluations(
                graph[literal.subschema], scope: literal.scope, type, isOutermost: false, depth: depth + 1)
        }
        /// The ways in which the subschema may hold or not.
        func either(_ subschema: SubschemaID) -> [Evaluation]? {
            let literal = literal(subschema, scope: scope)
            switch verdict(literal, type) {
            case .never: return [Evaluation()]
            case .always: return inside(subschema)
            case .depends: break
            }
            guard let inside = inside(subschema) else { return nil }
            if inside.allSatisfy({ isEmpty($0) }) { return [Evaluation()] }
            return [Evaluation(atoms: [.literal(literal.negated)])]
                + inside.map { Evaluation(atoms: [.literal(literal)]).with($0) }
        }
        func isEmpty(_ evaluation: Evaluation) -> Bool {
            evaluation.names.isEmpty && evaluation.patterns.isEmpty && evaluation.prefix == 0
                && evaluation.contained.isEmpty && !evaluation.isEverything
        }

        if let reference = schema.reference, !combine(inside(reference)) { return nil }
        if let reference = schema.dynamicReference, !combine(inside(target(reference, scope: scope))) { return nil }
        for part in schema.allOf where !combine(inside(part)) { return nil }
        for part in schema.anyOf + schema.oneOf where !combine(either(part)) { return nil }
        if let condition = schema.ifSchema {
            let holds = literal(condition, scope: scope)
            var ways: [Evaluation] = []
            for (isMet, consequence) in [(true, schema.thenSchema), (false, schema.elseSchema)] {
                var base = [Evaluation(atoms: [.literal(isMet ? holds : holds.negated)])]
                for part in [isMet ? condition : nil, consequence] {
                    guard let part else { continue }
                    guard let more = inside(part) else { return nil }
                    base = base.flatMap { known in more.map { known.with($0) } }
                }
                ways += base
            }
            if !combine(ways) { return nil }
        }
        if type == .object {
            for dependency in schema.dependentSchemas {
                guard let more = inside(dependency.schema) else { return nil }
                let key = key(dependency.key)
                let present = more.map { Evaluation(atoms: [.require(key)]).with($0) }
                if !combine([Evaluation(atoms: [.forbid(key)])] + present) { return nil }
            }
        }
        return result
    }
}
