// SPDX-License-Identifier: Apache-2.0

import Documents

/// Finds every violation in a value that is known to be invalid.
///
/// Parts of the value that are valid are recognised by ``FastChecker`` and skipped.
struct ViolationReporter {
    let program: ValidatorProgram
    /// What strings with `x-verbatim` are taken from.
    let source: VerbatimSource?
    private let limits: Validator.Limits
    private let maximumDepth: Int
    /// Bounds what is spent on alternatives that all fail, which multiply with the nesting.
    private var budget: Int
    private var depth = 0
    private var scope: [Int32] = []
    var path: [String] = []
    private(set) var isTooDeep = false
    var violations: [Violation] = []
    /// The strings that `x-verbatim` has found in the source text; nil where nobody asks.
    var verbatim: [Node]?
    /// What the subschemas that hold say about the value; nil where nobody asks.
    var annotations: [Annotation]?
    /// Whether valid parts are walked too, for what they have to say.
    var collects: Bool { verbatim != nil || annotations != nil }
    /// Whether the walk has ended before its time.
    private var isAborted: Bool { budget <= 0 || isTooDeep }

    /// Subschemas applied while reporting, fast checks included.
    private static let reportingBudget = 5_000_000

    init(_ program: ValidatorProgram, source: VerbatimSource?, limits: Validator.Limits, maximumDepth: Int) {
        self.program = program
        self.source = source
        self.limits = limits
        self.maximumDepth = maximumDepth
        budget = min(limits.applications, Self.reportingBudget)
    }

    mutating func run(_ node: Node) -> [Violation] {
        if let defect = program.defect {
            add(defect.schema, "false", node, defect.message, isUndecided: true)
            return violations
        }
        var evaluated = EvaluatedSet()
        _ = apply(program.root, node, &evaluated)
        if violations.isEmpty {
            // The fast check has refused the value for its cost, or the details would cost too much.
            add(
                program.root, "false", node,
                "cannot be checked: it needs more work than allowed, or a part of the schema that is not known",
                isUndecided: true)
        }
        return Array(violations.prefix(limits.violations))
    }

    /// The strings of a valid value that `x-verbatim` applies to.
    mutating func verbatimPlaces(_ node: Node) -> [VerbatimPlace] {
        verbatim = []
        var evaluated = EvaluatedSet()
        _ = apply(program.root, node, &evaluated)
        var seen: Set<VerbatimPlace> = []
        var places: [(offset: Int, place: VerbatimPlace)] = []
        for (index, node) in (verbatim ?? []).enumerated() {
            guard let found = source?.reference.occurrences(of: node.stringValue ?? "") else { continue }
            let place = VerbatimPlace(
                pointer: node.pointer, isKey: node.isKey, start: found.utf8Start, end: found.utf8End,
                occurrences: found.count)
            if seen.insert(place).inserted { places.append((node.range?.start.offset ?? index, place)) }
        }
        places.sort { ($0.offset, $0.place.isKey ? 0 : 1) < ($1.offset, $1.place.isKey ? 0 : 1) }
        return places.prefix(limits.violations).map(\.place)
    }

    /// What the schema says about a valid value; nil where that takes too much work.
    mutating func allAnnotations(_ node: Node) -> [Annotation]? {
        annotations = []
        var evaluated = EvaluatedSet()
        let holds = apply(program.root, node, &evaluated)
        return holds && !isAborted ? annotations : nil
    }

    private mutating func annotate(_ id: Int32, _ node: Node, _ path: [String]) {
        if annotations == nil { return }
        let said = Annotation.made(by: subschema(id), about: node, path: path)
        annotations?.append(contentsOf: said)
    }

    private var isExhausted: Bool { budget <= 0 || violations.count >= limits.violations }

    // MARK: Applying subschemas

    /// Applies a subschema to a child of the current value, unless the child is valid.
    mutating func applyToChild(_ id: Int32, _ node: Node, _ steps: String...) -> Bool {
        if !collects, isValid(id, node) { return true }
        if isExhausted || isTooDeep { return false }
        path.append(contentsOf: steps)
        defer { path.removeLast(steps.count) }
        var evaluated = EvaluatedSet()
        let holds = apply(id, node, &evaluated)
        return holds && collects
    }

    /// Whether a subschema accepts a value, in the current dynamic scope.
    mutating func isValid(_ id: Int32, _ node: Node) -> Bool {
        var checker = FastChecker(
            program, node.document, source: source, maximumDepth: maximumDepth, budget: budget, scope: scope,
            depth: depth)
        let result = checker.check(id, node)
        budget = checker.remainingBudget
        if checker.isTooDeep { isTooDeep = true }
        return result && !checker.isAborted
    }

    /// Applies a subschema to the current value.
    mutating func apply(_ id: Int32, _ node: Node, _ evaluated: inout EvaluatedSet, _ steps: String...) -> Bool {
        let block = program.blocks[Int(id)]
        if block.isTrivial {
            annotate(id, node, path + steps)
            return true
        }
        budget -= 1
        guard budget > 0 else { return false }
        guard depth < maximumDepth else {
            isTooDeep = true
            return false
        }
        depth += 1
        if program.hasDynamicScope { scope.append(block.resource) }
        path.append(contentsOf: steps)
        defer {
            depth -= 1
            if program.hasDynamicScope { scope.removeLast() }
            path.removeLast(steps.count)
        }
        if block.kinds == 0 {
            add(id, "false", node, "no value is allowed here")
            return false
        }
        var own = EvaluatedSet()
        let kind = node.kind
        let found = (verbatim: verbatim?.count, annotations: annotations?.count)
        var valid = reportType(id, block, kind, node)
        if valid {
            switch kind {
            case .string: valid = reportString(id, block, node)
            case .number: valid = reportNumber(id, block, node)
            case .array: valid = reportArray(id, block, node, &own)
            case .object: valid = reportObject(id, block, node, &own)
            case .null, .bool: break
            }
        }
        for index in block.checks {
            if !reportGeneral(id, program.checks[Int(index)], node, &own, typeFits: valid) { valid = false }
        }
        if kind == .array, !reportUnevaluatedItems(id, block, node, own) { valid = false }
        if kind == .object, !reportUnevaluatedProperties(id, block, node, own) { valid = false }
        if block.hasUnevaluated {
            if kind == .array, block.array >= 0, program.arrays[Int(block.array)].unevaluated >= 0 { own.insertAll() }
            if kind == .object, block.object >= 0, program.objects[Int(block.object)].unevaluated >= 0 {
                own.insertAll()
            }
        }
        if valid { evaluated.formUnion(own) }
        // What a branch found that does not hold is no part of the value's meaning.
        if !valid {
            if let first = found.verbatim { verbatim?.removeSubrange(first...) }
            if let first = found.annotations { annotations?.removeSubrange(first...) }
        } else {
            annotate(id, node, path)
        }
        return valid
    }

    // MARK: Keywords for every kind

    private mutating func reportType(
        _ id: Int32, _ block: ValidatorProgram.Block, _ kind: Node.Kind, _ node: Node
    ) -> Bool {
        let fits = block.kinds >> kind.rawValue & 1 == 1
        if fits, !(kind == .number && block.integersOnly && node.numberValue?.isInteger != true) { return true }
        let expected = subschema(id).type.map(\.description) ?? "nothing"
        add(id, "type", node, "expected \(expected), found \(Phrase.kind(node))", hint: typeHint(block, node))
        return false
    }

    private func typeHint(_ block: ValidatorProgram.Block, _ node: Node) -> String? {
        guard node.kind == .string, let text = node.stringValue else { return nil }
        let number: UInt8 = 1 << Node.Kind.number.rawValue
        let bool: UInt8 = 1 << Node.Kind.bool.rawValue
        if block.kinds & number != 0, DecimalNumber(text) != nil { return "remove the quotes" }
        if block.kinds & bool != 0, text == "true" || text == "false" { return "remove the quotes" }
        return nil
    }

    private mutating func reportGeneral(
        _ id: Int32, _ check: ValidatorProgram.Check, _ node: Node, _ evaluated: inout EvaluatedSet, typeFits: Bool
    ) -> Bool {
        switch check {
        case .values(let set): return reportValues(id, Int(set), node, quietly: !typeFits)
        case .unresolved:
            let target = subschema(id).unresolvedReference ?? ""
            add(
                id, "$ref", node, "cannot be checked: the schema refers to '\(target)', which is not known",
                isUndecided: true)
            return false
        case .reference(let target):
            return apply(target, node, &evaluated, subschema(id).reference == nil ? "$dynamicRef" : "$ref")
        case .dynamicReference(let initial, let anchor):
            let targets = program.dynamicTargets[Int(anchor)]
            let target = scope.first { targets[Int($0)] >= 0 }.map { targets[Int($0)] } ?? initial
            return apply(target, node, &evaluated, subschema(id).writtenKeyword("$dynamicRef"))
        case .allOf(let start, let end):
            var valid = true
            for index in start..<end
            where !apply(program.lists[Int(index)], node, &evaluated, "allOf", String(index - start)) {
                valid = false
            }
            return valid
        case .anyOf(let start, let end):
            return reportAlternatives(id, "anyOf", start..<end, node, &evaluated)
        case .oneOf(let start, let end):
            return reportAlternatives(id, "oneOf", start..<end, node, &evaluated)
        case .not(let target):
            guard isValid(target, node) else { return true }
            add(id, "not", node, "\(Phrase.value(node)) is excluded by 'not'")
            return false
        case .conditional(let condition, let then, let otherwise):
            // What `if` has to say is not a violation.
            let before = violations
            let holds = apply(condition, node, &evaluated, "if")
            violations = before
            let branch = holds ? then : otherwise
            return branch < 0 || apply(branch, node, &evaluated, holds ? "then" : "else")
        }
    }

    private mutating func reportValues(_ id: Int32, _ set: Int, _ node: Node, quietly: Bool) -> Bool {
        if program.valueSets[set].contains(node) { return true }
        // A value of the wrong type has been reported already.
        if quietly { return false }
        let values = program.valueSets[set].all
        if program.valueSets[set].isConstant || values.count == 1 {
            let keyword = program.valueSets[set].isConstant ? "const" : "enum"
            add(id, keyword, node, "expected \(Phrase.value(values.first ?? .null)), found \(Phrase.value(node))")
            return false
        }
        let names = values.compactMap(\.stringValue)
        let near = node.stringValue.flatMap { Spelling.closest(to: $0, among: names) }
        var listed = values.prefix(8).map { Phrase.value($0) }.joined(separator: ", ")
        if values.count > 8 { listed += ", … (\(values.count) values)" }
        let message = values.isEmpty ? "no value is allowed here" : "\(Phrase.value(node)) is not one of \(listed)"
        add(id, "enum", node, message, hint: near.map { "did you mean \"\($0)\"?" })
        return false
    }

    // MARK: Alternatives

    private mutating func reportAlternatives(
        _ id: Int32, _ keyword: String, _ range: Range<Int32>, _ node: Node, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        let before = violations
        var matches: [Int] = []
        var failures: [(branch: Int, violations: [Violation])] = []
        for index in range {
            violations = []
            let branch = Int(index - range.lowerBound)
            if apply(program.lists[Int(index)], node, &evaluated, keyword, String(branch)) {
                matches.append(branch)
            } else {
                failures.append((branch, violations))
            }
        }
        violations = before
        if keyword == "anyOf" ? !matches.isEmpty : matches.count == 1 { return true }
        if matches.count > 1 {
            let list = matches.map { String($0 + 1) }.joined(separator: " and ")
            add(id, keyword, node, "matches the alternatives \(list) of 'oneOf', but only one may match")
            return false
        }
        let here = node.pointer
        // If all that is wrong is the type of the value itself, say which types would do.
        let typeNames = failures.map { failure -> String? in
            guard failure.violations.count == 1, let only = failure.violations.first, only.keyword == "type",
                only.instanceLocation == here, only.causes.isEmpty
            else { return nil }
            return String(only.message.dropFirst("expected ".count).prefix { $0 != "," })
        }
        if !typeNames.isEmpty, typeNames.allSatisfy({ $0 != nil }) {
            var names: [String] = []
            for name in typeNames.compactMap(\.self) where !names.contains(name) { names.append(name) }
            add(
                id, keyword, node, "expected \(names.joined(separator: " or ")), found \(Phrase.kind(node))")
            return false
        }
        let closest = failures.min { score($0.violations, here) < score($1.violations, here) }
        let message = "\(Phrase.value(node)) matches none of the \(range.count) alternatives of '\(keyword)'"
        if let closest, range.count == 1 {
            violations.append(contentsOf: closest.violations)
            if closest.violations.isEmpty { add(id, keyword, node, message) }
            return false
        }
        add(
            id, keyword, node, message, hint: closest.map { "the closest is alternative \($0.branch + 1)" },
            causes: Array((closest?.violations ?? []).prefix(20)))
        return false
    }

    /// How far a value is from an alternative: wrong types and wrong discriminators weigh most.
    private func score(_ violations: [Violation], _ here: JSONPointer) -> Int {
        // Nothing recorded means that the details were too expensive.
        if violations.isEmpty { return Int.max }
        var score = 0
        for violation in violations {
            let distance = violation.instanceLocation.tokens.count - here.tokens.count
            switch violation.keyword {
            case "type": score += distance == 0 ? 1_000 : 20
            case "const", "enum": score += distance <= 1 ? 200 : 20
            case "required": score += distance == 0 ? 40 : 10
            default: score += 10
            }
        }
        return score
    }

    // MARK: Recording

    func subschema(_ id: Int32) -> Subschema { program.graph[SubschemaID(rawValue: id)] }

    mutating func add(
        _ id: Int32, _ keyword: String, _ node: Node, _ message: String, hint: String? = nil, range: SourceRange? = nil,
        isUndecided: Bool = false, causes: [Violation] = []
    ) {
        guard violations.count < limits.violations else { return }
        let schema = subschema(id)
        var steps = path
        let written = keyword == "false" ? nil : schema.writtenKeyword(keyword)
        if let written { steps.append(written) }
        violations.append(
            Violation(
                instanceLocation: node.pointer, range: range ?? node.range,
                schemaLocation: written == nil ? schema.location : schema.location(ofKeyword: keyword),
                evaluationPath: JSONPointer(steps), keyword: keyword, message: message, hint: hint,
                isUndecided: isUndecided, subschema: schema.id, causes: causes))
    }
}
