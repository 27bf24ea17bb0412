// SPDX-License-Identifier: Apache-2.0

import Documents

/// Decides whether a value is valid, as quickly as possible and without saying why not.
struct FastChecker {
    let program: ValidatorProgram
    /// What strings with `x-verbatim` are taken from.
    private let source: VerbatimSource?
    private let maximumDepth: Int
    private var budget: Int
    private var depth = 0
    /// The resources entered on the way here, outermost first; kept only if a dynamic reference needs them.
    private var scope: [Int32] = []

    /// Whether the check was given up because of nesting.
    private(set) var isTooDeep = false
    /// Whether the check was given up; the result then means nothing.
    private(set) var isAborted = false

    init(_ program: ValidatorProgram, source: VerbatimSource?, maximumDepth: Int, budget: Int) {
        self.program = program
        self.source = source
        self.maximumDepth = maximumDepth
        self.budget = budget
    }

    /// Starts inside a dynamic scope that was entered elsewhere.
    init(
        _ program: ValidatorProgram, source: VerbatimSource?, maximumDepth: Int, budget: Int, scope: [Int32], depth: Int
    ) {
        self.init(program, source: source, maximumDepth: maximumDepth, budget: budget)
        self.scope = scope
        self.depth = depth
    }

    /// What is left of the budget.
    var remainingBudget: Int { budget }

    /// Whether the value passes a block.
    mutating func check(_ id: Int32, _ node: Node) -> Bool {
        let block = program.blocks[Int(id)]
        if block.isTrivial { return true }
        let kind = node.kind
        guard block.kinds >> kind.rawValue & 1 == 1 else { return false }
        guard enter(block) else { return false }
        let result =
            block.hasUnevaluated ? checkCollecting(block, kind, node) : checkPlain(block, kind, node)
        leave(block)
        return result
    }

    @inline(__always)
    private mutating func enter(_ block: ValidatorProgram.Block) -> Bool {
        budget -= 1
        depth += 1
        if depth > maximumDepth || budget < 0 || isAborted {
            isTooDeep = isTooDeep || depth > maximumDepth
            isAborted = true
            depth -= 1
            return false
        }
        if program.hasDynamicScope { scope.append(block.resource) }
        return true
    }

    @inline(__always)
    private mutating func leave(_ block: ValidatorProgram.Block) {
        depth -= 1
        if program.hasDynamicScope { scope.removeLast() }
    }

    /// The target of a dynamic reference in the current scope.
    private func dynamicTarget(_ initial: Int32, _ anchor: Int32) -> Int32 {
        let targets = program.dynamicTargets[Int(anchor)]
        for resource in scope where targets[Int(resource)] >= 0 { return targets[Int(resource)] }
        return initial
    }

    // MARK: Without annotations

    private mutating func checkPlain(_ block: ValidatorProgram.Block, _ kind: Node.Kind, _ node: Node) -> Bool {
        switch kind {
        case .number:
            guard checkNumber(block, node) else { return false }
        case .string:
            if block.string >= 0, !checkString(Int(block.string), node) { return false }
        case .array:
            if block.array >= 0, !checkArray(Int(block.array), node) { return false }
        case .object:
            if block.object >= 0, !checkObject(Int(block.object), node) { return false }
        case .null, .bool: break
        }
        for index in block.checks where !checkGeneral(program.checks[Int(index)], node) { return false }
        return true
    }

    private mutating func checkGeneral(_ check: ValidatorProgram.Check, _ node: Node) -> Bool {
        switch check {
        case .values(let set): return program.valueSets[Int(set)].contains(node)
        case .unresolved:
            // Not even `not` may make something of it.
            isAborted = true
            return false
        case .reference(let target): return self.check(target, node)
        case .dynamicReference(let initial, let anchor): return self.check(dynamicTarget(initial, anchor), node)
        case .allOf(let start, let end):
            for index in start..<end where !self.check(program.lists[Int(index)], node) { return false }
            return true
        case .anyOf(let start, let end):
            for index in start..<end where self.check(program.lists[Int(index)], node) { return true }
            return false
        case .oneOf(let start, let end):
            var matches = 0
            for index in start..<end where self.check(program.lists[Int(index)], node) {
                matches += 1
                if matches > 1 { return false }
            }
            return matches == 1
        case .not(let target): return !self.check(target, node)
        case .conditional(let condition, let then, let otherwise):
            let branch = self.check(condition, node) ? then : otherwise
            return branch < 0 || self.check(branch, node)
        }
    }

    @inline(never)
    private func checkNumber(_ block: ValidatorProgram.Block, _ node: Node) -> Bool {
        guard block.integersOnly || block.number >= 0 else { return true }
        guard let number = node.numberValue else { return false }
        if block.integersOnly, !number.isInteger { return false }
        guard block.number >= 0 else { return true }
        let plan = program.numbers[Int(block.number)]
        if let limit = plan.minimum, number < limit { return false }
        if let limit = plan.maximum, limit < number { return false }
        if let limit = plan.exclusiveMinimum, !(limit < number) { return false }
        if let limit = plan.exclusiveMaximum, !(number < limit) { return false }
        if let step = plan.multipleOf, !number.isMultiple(of: step) { return false }
        return true
    }

    @inline(never)
    private mutating func checkString(_ index: Int, _ node: Node) -> Bool {
        if program.strings[index].checksLength {
            let length = node.scalarCount
            if length < program.strings[index].minLength || length > program.strings[index].maxLength { return false }
        }
        if program.strings[index].isVerbatim {
            guard let source else {
                // Without the text it is not known; not even `not` may make something of it.
                isAborted = true
                return false
            }
            if !source.reference.contains(node.stringValue ?? "") { return false }
        }
        guard program.strings[index].pattern != nil || program.strings[index].format != nil else { return true }
        let text = node.stringValue ?? ""
        if let pattern = program.strings[index].pattern, !pattern.matches(text) { return false }
        if let format = program.strings[index].format, !format.isValid(text) { return false }
        return true
    }

    private mutating func checkArray(_ index: Int, _ node: Node) -> Bool {
        let elements = node.elements
        let count = elements.count
        if count < program.arrays[index].minItems || count > program.arrays[index].maxItems { return false }
        let prefix = min(program.arrays[index].prefix.count, count)
        for position in 0..<prefix where !check(program.arrays[index].prefix[position], elements[position]) {
            return false
        }
        let items = program.arrays[index].items
        if items >= 0, !program.blocks[Int(items)].isTrivial {
            for position in prefix..<count where !check(items, elements[position]) { return false }
        }
        if program.arrays[index].contains >= 0, !checkContains(index, elements) { return false }
        if program.arrays[index].unique, count > 1, Uniqueness.firstRepetition(elements) != nil { return false }
        return true
    }

    private mutating func checkContains(_ index: Int, _ elements: Node.Elements) -> Bool {
        let contains = program.arrays[index].contains
        let (least, most) = (program.arrays[index].minContains, program.arrays[index].maxContains)
        var matches = 0
        for element in elements {
            if most == Int.max, matches >= least { return true }
            if check(contains, element) { matches += 1 }
            if matches > most { return false }
        }
        return matches >= least
    }

    private mutating func checkObject(_ index: Int, _ node: Node) -> Bool {
        let members = node.members
        let count = members.count
        if count < program.objects[index].minProperties || count > program.objects[index].maxProperties {
            return false
        }
        if program.objects[index].visitsMembers {
            var missing = program.objects[index].required.count
            // Few objects require more than 64 keys; those are looked up one by one.
            var seen: UInt64 = 0
            for member in members {
                let key = member.keyNode
                let number = key.utf8Answer { program.objects[index].keys.find($0) ?? -1 }
                var isCovered = false
                if number >= 0 {
                    let place = program.objects[index].requiredPlaces[number]
                    if place >= 0, place < 64, seen >> UInt64(place) & 1 == 0 {
                        seen |= 1 << UInt64(place)
                        missing -= 1
                    }
                    let schema = program.objects[index].schemas[number]
                    if schema >= 0 {
                        isCovered = true
                        if !check(schema, member.value) { return false }
                    }
                }
                if !program.objects[index].patterns.isEmpty {
                    let text = key.stringValue ?? ""
                    for entry in program.objects[index].patterns where entry.matcher.matches(text) {
                        isCovered = true
                        if !check(entry.schema, member.value) { return false }
                    }
                }
                let additional = program.objects[index].additional
                if !isCovered, additional >= 0, !check(additional, member.value) { return false }
                let names = program.objects[index].names
                if names >= 0, !check(names, key) { return false }
            }
            if program.objects[index].required.count > 64 {
                return checkRequired(index, node) && checkDependent(index, node)
            }
            if missing > 0 { return false }
        } else if !checkRequired(index, node) {
            return false
        }
        return checkDependent(index, node)
    }

    @inline(never)
    private func checkRequired(_ index: Int, _ node: Node) -> Bool {
        for key in program.objects[index].required where node.member(key) == nil { return false }
        return true
    }

    private mutating func checkDependent(_ index: Int, _ node: Node) -> Bool {
        for dependency in program.objects[index].dependentRequired where node.member(dependency.key) != nil {
            for key in dependency.required where node.member(key) == nil { return false }
        }
        for dependency in program.objects[index].dependentSchemas where node.member(dependency.key) != nil {
            if !check(dependency.schema, node) { return false }
        }
        return true
    }

    // MARK: With annotations

    @inline(never)
    private mutating func checkCollecting(_ block: ValidatorProgram.Block, _ kind: Node.Kind, _ node: Node) -> Bool {
        // Only arrays and objects have anything to be evaluated.
        guard kind == .array || kind == .object else { return checkPlain(block, kind, node) }
        var evaluated = EvaluatedSet()
        return collect(block, kind, node, &evaluated)
    }

    /// Like ``check(_:_:)``, and adds what was evaluated if the value passes.
    private mutating func collect(_ id: Int32, _ node: Node, into evaluated: inout EvaluatedSet) -> Bool {
        let block = program.blocks[Int(id)]
        if block.isTrivial { return true }
        let kind = node.kind
        guard block.kinds >> kind.rawValue & 1 == 1 else { return false }
        guard enter(block) else { return false }
        var own = EvaluatedSet()
        let result = collect(block, kind, node, &own)
        leave(block)
        if result { evaluated.formUnion(own) }
        return result
    }

    private mutating func collect(
        _ block: ValidatorProgram.Block, _ kind: Node.Kind, _ node: Node, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        if kind == .array, block.array >= 0 {
            guard checkArray(Int(block.array), node) else { return false }
            markElements(Int(block.array), node, &evaluated)
        } else if kind == .object, block.object >= 0 {
            guard checkObject(Int(block.object), node) else { return false }
            guard markMembers(Int(block.object), node, &evaluated) else { return false }
        }
        for index in block.checks where !collectGeneral(program.checks[Int(index)], node, &evaluated) { return false }
        return checkUnevaluated(block, kind, node, &evaluated)
    }

    private mutating func checkUnevaluated(
        _ block: ValidatorProgram.Block, _ kind: Node.Kind, _ node: Node, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        if kind == .array, block.array >= 0, program.arrays[Int(block.array)].unevaluated >= 0 {
            let schema = program.arrays[Int(block.array)].unevaluated
            for (position, element) in node.elements.enumerated() where !evaluated.contains(position) {
                if !check(schema, element) { return false }
            }
            evaluated.insertAll()
        } else if kind == .object, block.object >= 0, program.objects[Int(block.object)].unevaluated >= 0 {
            let schema = program.objects[Int(block.object)].unevaluated
            for (position, member) in node.members.enumerated() where !evaluated.contains(position) {
                if !check(schema, member.value) { return false }
            }
            evaluated.insertAll()
        }
        return true
    }

    private mutating func collectGeneral(
        _ check: ValidatorProgram.Check, _ node: Node, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        switch check {
        case .values(let set): return program.valueSets[Int(set)].contains(node)
        case .unresolved:
            isAborted = true
            return false
        case .reference(let target): return collect(target, node, into: &evaluated)
        case .dynamicReference(let initial, let anchor):
            return collect(dynamicTarget(initial, anchor), node, into: &evaluated)
        case .allOf(let start, let end):
            for index in start..<end where !collect(program.lists[Int(index)], node, into: &evaluated) { return false }
            return true
        case .anyOf(let start, let end):
            var matches = false
            for index in start..<end where collect(program.lists[Int(index)], node, into: &evaluated) { matches = true }
            return matches
        case .oneOf(let start, let end):
            var matches = 0
            for index in start..<end where collect(program.lists[Int(index)], node, into: &evaluated) { matches += 1 }
            return matches == 1
        case .not(let target): return !self.check(target, node)
        case .conditional(let condition, let then, let otherwise):
            let branch = collect(condition, node, into: &evaluated) ? then : otherwise
            return branch < 0 || collect(branch, node, into: &evaluated)
        }
    }

    private mutating func markElements(_ index: Int, _ node: Node, _ evaluated: inout EvaluatedSet) {
        if program.arrays[index].items >= 0 {
            evaluated.insertAll()
            return
        }
        for position in 0..<min(program.arrays[index].prefix.count, node.count) { evaluated.insert(position) }
        if program.arrays[index].contains >= 0, program.arrays[index].containsEvaluates {
            for (position, element) in node.elements.enumerated() where check(program.arrays[index].contains, element) {
                evaluated.insert(position)
            }
        }
    }

    /// Marks what `properties` and its relatives cover, and applies dependent schemas once more for their annotations.
    private mutating func markMembers(_ index: Int, _ node: Node, _ evaluated: inout EvaluatedSet) -> Bool {
        if program.objects[index].additional >= 0 {
            evaluated.insertAll()
        } else {
            for (position, member) in node.members.enumerated() {
                let key = member.keyNode
                let number = key.utf8Answer { program.objects[index].keys.find($0) ?? -1 }
                if number >= 0, program.objects[index].schemas[number] >= 0 {
                    evaluated.insert(position)
                } else if !program.objects[index].patterns.isEmpty {
                    let text = key.stringValue ?? ""
                    if program.objects[index].patterns.contains(where: { $0.matcher.matches(text) }) {
                        evaluated.insert(position)
                    }
                }
            }
        }
        for dependency in program.objects[index].dependentSchemas where node.member(dependency.key) != nil {
            if !collect(dependency.schema, node, into: &evaluated) { return false }
        }
        return true
    }
}

extension Node {
    /// The length of a string in Unicode scalars.
    var scalarCount: Int {
        utf8Answer { bytes in
            var count = 0
            for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
            return count
        }
    }
}

/// Looks for equal elements.
enum Uniqueness {
    /// The positions of the first two equal elements.
    static func firstRepetition(_ elements: Node.Elements) -> (first: Int, second: Int)? {
        if elements.count <= 8 {
            for second in 1..<max(1, elements.count) {
                for first in 0..<second where elements[first].isEqual(elements[second]) { return (first, second) }
            }
            return nil
        }
        var places: [JSONValue: Int] = [:]
        places.reserveCapacity(elements.count)
        for (second, element) in elements.enumerated() {
            let value = element.value
            if let first = places[value] { return (first, second) }
            places[value] = second
        }
        return nil
    }
}
