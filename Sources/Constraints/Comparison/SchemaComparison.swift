// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas

/// Whether what one version of a schema allows, another allows as well.
///
///     let comparison = SchemaComparison(old: a, new: b, formats: .assert)
///     comparison.backward  // .holds: everything valid under `a` is valid under `b`
///
/// Nothing is said to hold that is not proven, and nothing to be broken without a value that shows it.
package struct SchemaComparison {
    /// What is known about one direction.
    package enum Verdict: Hashable, Sendable {
        case holds
        /// It does not: the value is valid under the one and not under the other.
        case broken(JSONValue)
        case undecided(String)

        package var holds: Bool { self == .holds }
    }

    /// What both versions together say.
    package enum Summary: String, Sendable {
        /// The same values are valid.
        case compatible
        /// Every value valid before is valid now, and others are.
        case backward
        /// Every value valid now was valid before, but not the other way round.
        case forward
        /// Some values are valid under the old one alone, some under the new one alone.
        case breaking
        case undecided = "not decided"
    }

    /// A difference with what was found out about it.
    package struct Finding: Sendable {
        package var change: SchemaChange
        /// A value that was allowed in this place and no longer is.
        package var lost: JSONValue?
        /// A value that was not allowed in this place and now is.
        package var won: JSONValue?
        /// Whether it can take values away, and whether it can add some; nil where that is not known.
        package var isNarrowing: Bool?
        package var isWidening: Bool?
    }

    /// Whether everything valid under the old one is valid under the new one.
    package private(set) var backward: Verdict
    /// Whether everything valid under the new one is valid under the old one.
    package private(set) var forward: Verdict
    package private(set) var findings: [Finding] = []

    private static let maximumAsked = 300

    package init(
        old: SchemaGraph, new: SchemaGraph, formats: FormatPolicy, oldExamples: [JSONValue] = [],
        newExamples: [JSONValue] = []
    ) {
        var composition = SchemaComposition()
        let oldOffset = composition.add(old)
        let newOffset = composition.add(new)
        let graph = composition.graph()
        let a = SubschemaID(rawValue: old.root.rawValue + oldOffset)
        let b = SubschemaID(rawValue: new.root.rawValue + newOffset)
        let validator = Validator(graph, formats: formats)
        var structure = StructuralInclusion(graph, formats: formats)
        var solver: SchemaSolver?
        var refusal = "the schema cannot be decided"
        do {
            solver = try SchemaSolver(graph, formats: formats)
        } catch {
            refusal = error.diagnostics.first?.message ?? refusal
        }

        func decide(_ a: SubschemaID, _ b: SubschemaID, _ examples: [JSONValue]) -> Verdict {
            if structure.proves(a, in: b) { return .holds }
            switch solver?.value(meeting: [a], failing: [b]) ?? .undecided(refusal) {
            case .none: return .holds
            case .value(let value): return .broken(value)
            case .undecided(let reason):
                // What the schemas themselves give as examples may show it.
                for value in examples {
                    let node = Document(value: value).root
                    if validator.isValid(node, at: a), !validator.isValid(node, at: b) { return .broken(value) }
                }
                return .undecided(reason)
            }
        }

        backward = decide(a, b, oldExamples + newExamples)
        forward = decide(b, a, oldExamples + newExamples)
        let changes = SchemaChanges(graph, old: a, new: b).changes
        var known: [[SubschemaID]: Verdict] = [:]
        func local(_ a: SubschemaID, _ b: SubschemaID) -> Verdict {
            if let verdict = known[[a, b]] { return verdict }
            let verdict: Verdict =
                known.count < Self.maximumAsked ? decide(a, b, []) : .undecided("there are too many changes")
            known[[a, b]] = verdict
            return verdict
        }
        for change in changes {
            var finding = Finding(change: change)
            let lost = local(change.old, change.new)
            let won = local(change.new, change.old)
            if case .broken(let value) = lost, change.effect != .widens { finding.lost = value }
            if case .broken(let value) = won, change.effect != .narrows { finding.won = value }
            finding.isNarrowing = Self.effect(lost, change.effect == .widens, isUncertain: change.effect == .changes)
            finding.isWidening = Self.effect(won, change.effect == .narrows, isUncertain: change.effect == .changes)
            // What is proven about the whole holds for each of its parts.
            if backward.holds { finding.isNarrowing = false }
            if forward.holds { finding.isWidening = false }
            findings.append(finding)
        }
    }

    private static func effect(_ verdict: Verdict, _ isOpposite: Bool, isUncertain: Bool) -> Bool? {
        if isUncertain { return verdict.holds ? nil : { if case .broken = verdict { true } else { nil } }() }
        if isOpposite { return false }
        switch verdict {
        case .holds: return false
        case .broken: return true
        case .undecided: return nil
        }
    }

    /// Both directions in a word.
    package var summary: Summary {
        switch (backward, forward) {
        case (.holds, .holds): .compatible
        case (.holds, .broken): .backward
        case (.broken, .holds): .forward
        case (.holds, .undecided): .backward
        case (.broken, .broken), (.broken, .undecided): .breaking
        case (.undecided, _): .undecided
        }
    }
}
