// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// Decides whether there is a value that some subschemas of a graph allow and others refuse.
///
///     let solver = try SchemaSolver(graph, formats: .assert)
///     solver.value(meeting: [a], failing: [b])  // .none: whatever meets a meets b
///
/// An answer is given only where it is exact: values are checked by the validator, and that there is none is said only if
/// nothing was cut off and nothing was left out on the way.
package final class SchemaSolver {
    /// What is known about a question.
    package enum Answer: Hashable, Sendable {
        /// There is no such value.
        case none
        /// A shortest such value, checked by the validator.
        case value(JSONValue)
        /// It could not be decided, for this reason.
        case undecided(String)
    }

    private let graph: SchemaGraph
    private let formats: FormatPolicy
    private let limits: SchemaMachine.Limits
    private let validator: Validator
    private var machine: SchemaMachine
    /// Machines that were made to ask again without what was cut off for earlier questions.
    private var freshMachines = 0
    private static let maximumFreshMachines = 60
    private static let longestValue = 1 << 16

    /// - Parameter graph: From ``SchemaComposition``: its root is met by `null` alone.
    /// - Throws: A diagnostic for each keyword that the machine cannot decide.
    package init(
        _ graph: SchemaGraph, formats: FormatPolicy, limits: SchemaMachine.Limits = SchemaSolver.limits
    ) throws(DiagnosticsError) {
        self.graph = graph
        self.formats = formats
        self.limits = limits
        validator = Validator(graph, formats: formats)
        machine = try SchemaMachine(graph, formats: formats, verbatim: .undecided, limits: limits)
    }

    /// More than one document gets: the question is asked once.
    package static let limits = {
        var limits = SchemaMachine.Limits()
        limits.maximumAlternatives = 512
        limits.expansionBudget = 100_000
        limits.sharedExpansionBudget = 600_000
        limits.maximumShortest = 1 << 22
        return limits
    }()

    /// A value that is valid under the first subschemas and not under the others.
    package func value(meeting holding: [SubschemaID], failing: [SubschemaID] = []) -> Answer {
        let answer = ask(holding, failing)
        guard case .undecided = answer, machine.limitationCount > 0, freshMachines < Self.maximumFreshMachines,
            let fresh = try? SchemaMachine(graph, formats: formats, verbatim: .undecided, limits: limits)
        else { return answer }
        freshMachines += 1
        machine = fresh
        return ask(holding, failing)
    }

    /// The work so far.
    package var effort: Int { machine.effort }

    /// Whether it is proven that no value is valid under the first subschemas and not under the others.
    ///
    /// Cheaper than ``value(meeting:failing:)`` where there is one.
    package func isEmpty(meeting holding: [SubschemaID], failing: [SubschemaID] = []) -> Bool {
        let literals =
            holding.map { machine.literal($0, scope: 0) } + failing.map { machine.literal($0, scope: 0, negated: true) }
        guard machine.cost(of: machine.node(literals)) >= .infinite else { return false }
        return value(meeting: holding, failing: failing) == .none
    }

    private func ask(_ holding: [SubschemaID], _ failing: [SubschemaID]) -> Answer {
        let literals =
            holding.map { machine.literal($0, scope: 0) } + failing.map { machine.literal($0, scope: 0, negated: true) }
        let node = machine.node(literals)
        let cost = machine.cost(of: node)
        if cost < .infinite {
            guard cost <= Self.longestValue else { return .undecided("the shortest value has about \(cost) bytes") }
            let start = machine.configuration(.value, 0, WordList(Alternative(state: node, tag: 0).rawValue), 0, 0)
            let bytes = machine.witness(start)
            guard let document = try? JSONReader.read(bytes) else { return .undecided("no value was found") }
            let root = document.root
            guard holding.allSatisfy({ validator.isValid(root, at: $0) }),
                !failing.contains(where: { validator.isValid(root, at: $0) })
            else { return .undecided("the value that was found was not confirmed") }
            return .value(root.value)
        }
        // What was cut off may have been the only value.
        if let limitation = machine.limitations.first { return .undecided(limitation.message) }
        if machine.limitationCount > 0 { return .undecided("there is too much to decide") }
        if let reason = inexactReason(holding) ?? longNumbers(holding + failing) { return .undecided(reason) }
        return .none
    }

    /// Whether the subschemas are about numbers of more digits than are looked at unless a bound asks for them.
    private func longNumbers(_ parts: [SubschemaID]) -> String? {
        var seen: Set<SubschemaID> = []
        for start in parts where !seen.contains(start) {
            for id in graph.reachable(from: start) where seen.insert(id).inserted {
                let schema = graph[id]
                let numbers = [
                    schema.minimum, schema.maximum, schema.exclusiveMinimum, schema.exclusiveMaximum, schema.multipleOf,
                ].compactMap(\.self)
                for number in numbers where number.exponent < -15 || number.significantDigits + number.exponent > 15 {
                    return "the number \(number) has more digits than are looked at"
                }
            }
        }
        return nil
    }

    /// Why some values of the subschemas are not looked at, if that is so.
    private func inexactReason(_ holding: [SubschemaID]) -> String? {
        var seen: Set<SubschemaID> = []
        for start in holding {
            if seen.contains(start) { continue }
            for id in graph.reachable(from: start) where seen.insert(id).inserted {
                let schema = graph[id]
                if schema.isVerbatim { return "'x-verbatim' depends on a text" }
                guard formats == .assert || schema.formatIsAsserted, let name = schema.format,
                    let format = KnownFormat(rawValue: name)
                else { continue }
                if format.exactLanguage == nil || format.offeredLanguage != format.exactLanguage {
                    return "the texts in the format '\(name)' are no regular language"
                }
            }
        }
        return nil
    }
}
