// SPDX-License-Identifier: Apache-2.0

public import Documents

/// Whether `format` is checked.
public enum FormatPolicy: String, Sendable, CaseIterable {
    /// Formats of the specification are checked, unknown ones ignored.
    case assert
    /// Formats are annotations without effect, as the newer drafts have it by default.
    case annotate
}

/// Checks values against a schema; compiled once, used for any number of values and from any thread.
///
///     let validator = Validator(graph, formats: .assert)
///     for violation in validator.validate(document.root) { print(violation) }
///
/// Numbers are compared exactly. The check never recurses deeper than the thread allows: a value or schema nested
/// beyond the ordinary is checked on a thread with a larger stack.
public struct Validator: Sendable {
    /// Bounds on the work for one value; a value that needs more is not valid.
    public struct Limits: Sendable {
        /// How many times a subschema may be applied.
        public var applications = 200_000_000
        /// How deep subschemas may be nested while they are applied.
        public var depth = 40_000
        /// How many violations are reported.
        public var violations = 1_000

        public init() {}
    }

    /// The schema.
    public let graph: SchemaGraph
    /// The bounds on the work.
    public var limits = Limits()
    /// The text that strings with `x-verbatim` are taken from. Without one they cannot be checked, and are not valid.
    public var source: VerbatimSource?
    /// Whether a `$schema` member at the root is no part of the value, as far as the schema does not name it: for
    /// documents that name their schema with it.
    package var passesOverSchemaMember = false
    let program: ValidatorProgram

    /// Compiles a schema.
    public init(_ graph: SchemaGraph, formats: FormatPolicy = .assert) {
        self.graph = graph
        program = ValidatorProgram(graph, formats: formats)
    }

    /// Whether the value is valid.
    public func isValid(_ node: Node) -> Bool {
        if isValidAsItIs(node) { return true }
        return withoutSchemaMember(node).map { isValidAsItIs($0.root) } ?? false
    }

    private func isValidAsItIs(_ node: Node) -> Bool { isValid(node, at: graph.root) }

    /// Everything about the value that the schema does not allow; empty if it is valid.
    ///
    /// Violations come in the order of the schema's keywords, at most ``Limits/violations`` of them.
    public func validate(_ node: Node) -> [Violation] {
        if isValid(node) { return [] }
        if let rest = withoutSchemaMember(node) { return report(rest.root) }
        return report(node)
    }

    private func report(_ node: Node) -> [Violation] {
        var reporter = ViolationReporter(
            program, source: source, limits: limits, maximumDepth: DeepStack.ordinaryReportingDepth)
        let first = reporter.run(node)
        guard reporter.isTooDeep else { return first }
        return DeepStack.run { [program, limits, source] in
            var reporter = ViolationReporter(program, source: source, limits: limits, maximumDepth: limits.depth)
            return reporter.run(node)
        }
    }

    /// The strings of a valid value that `x-verbatim` applies to, with their places in ``source``.
    ///
    /// In the order of the value's text, at most ``Limits/violations`` of them.
    public func verbatimPlaces(_ node: Node) -> [VerbatimPlace] {
        guard source != nil, graph.firstVerbatim != nil else { return [] }
        return DeepStack.run { [program, limits, source] in
            var reporter = ViolationReporter(program, source: source, limits: limits, maximumDepth: limits.depth)
            return reporter.verbatimPlaces(node)
        }
    }
}

extension Validator {
    /// Whether the value is valid under a part of the schema.
    package func isValid(_ node: Node, at subschema: SubschemaID) -> Bool {
        guard program.defect == nil else { return false }
        var checker = FastChecker(
            program, node.document, source: source, maximumDepth: DeepStack.ordinaryDepth, budget: limits.applications)
        let result = checker.check(subschema.rawValue, node)
        guard checker.isTooDeep else { return result && !checker.isAborted }
        return DeepStack.run { [program, limits, source] in
            var checker = FastChecker(
                program, node.document, source: source, maximumDepth: limits.depth, budget: limits.applications)
            let result = checker.check(subschema.rawValue, node)
            return result && !checker.isAborted
        }
    }
}
