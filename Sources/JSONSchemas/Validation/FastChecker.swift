// SPDX-License-Identifier: Apache-2.0

import Documents

/// Decides whether a value is valid, as quickly as possible and without saying why not.
///
/// The document is read in place: values go by their numbers in its tree, and nodes are made for what is rare only.
struct FastChecker {
    let program: ValidatorProgram
    private let flat: FlatProgram
    /// The document of the value that is being checked, and its tree.
    private var document: Document
    private var tree = Tree.View.empty
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

    init(_ program: ValidatorProgram, _ document: Document, source: VerbatimSource?, maximumDepth: Int, budget: Int) {
        self.program = program
        self.document = document
        flat = program.flat
        self.source = source
        self.maximumDepth = maximumDepth
        self.budget = budget
    }

    /// Starts inside a dynamic scope that was entered elsewhere.
    init(
        _ program: ValidatorProgram, _ document: Document, source: VerbatimSource?, maximumDepth: Int, budget: Int,
        scope: [Int32], depth: Int
    ) {
        self.init(program, document, source: source, maximumDepth: maximumDepth, budget: budget)
        self.scope = scope
        self.depth = depth
    }

    /// What is left of the budget.
    var remainingBudget: Int { budget }

    /// Whether the value, which is of the checker's document, passes a block.
    mutating func check(_ id: Int32, _ node: Node) -> Bool {
        document.withTree { view in
            tree = view
            defer { tree = .empty }
            return check(id, node.index)
        }
    }

    private func node(_ place: Int) -> Node { Node(document: document, index: place) }

    private mutating func check(_ id: Int32, _ place: Int) -> Bool {
        let block = flat.blocks[Int(id)]
        if block.isTrivial { return true }
        let kind = tree.records[place].kind
        guard block.kinds >> kind.rawValue & 1 == 1 else { return false }
        guard enter(block) else { return false }
        let result =
            block.hasUnevaluated ? checkCollecting(block, kind, place) : checkPlain(block, kind, place)
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

    private mutating func checkPlain(_ block: ValidatorProgram.Block, _ kind: Node.Kind, _ place: Int) -> Bool {
        switch kind {
        case .number:
            guard checkNumber(block, place) else { return false }
        case .string:
            if block.string >= 0, !checkString(Int(block.string), place) { return false }
        case .array:
            if block.array >= 0, !checkArray(Int(block.array), place) { return false }
        case .object:
            if block.object >= 0, !checkObject(Int(block.object), place) { return false }
        case .null, .bool: break
        }
        for index in block.checks where !checkGeneral(flat.checks[Int(index)], place) { return false }
        return true
    }

    private mutating func checkGeneral(_ check: ValidatorProgram.Check, _ place: Int) -> Bool {
        switch check {
        case .values(let set): return isAmong(Int(set), place)
        case .unresolved:
            // Not even `not` may make something of it.
            isAborted = true
            return false
        case .reference(let target): return self.check(target, place)
        case .dynamicReference(let initial, let anchor): return self.check(dynamicTarget(initial, anchor), place)
        case .allOf(let start, let end):
            for index in start..<end where !self.check(flat.lists[Int(index)], place) { return false }
            return true
        case .anyOf(let start, let end):
            for index in start..<end where self.check(flat.lists[Int(index)], place) { return true }
            return false
        case .oneOf(let start, let end):
            var matches = 0
            for index in start..<end where self.check(flat.lists[Int(index)], place) {
                matches += 1
                if matches > 1 { return false }
            }
            return matches == 1
        case .not(let target): return !self.check(target, place)
        case .conditional(let condition, let then, let otherwise):
            let branch = self.check(condition, place) ? then : otherwise
            return branch < 0 || self.check(branch, place)
        }
    }

    /// Whether the value is one of those of `enum` or `const`.
    private func isAmong(_ set: Int, _ place: Int) -> Bool {
        let record = tree.records[place]
        if record.kind == .string, !record.flags.contains(.escapes) {
            return flat.valueSets[set].strings.find(text(record)) >= 0
        }
        if record.kind != .string, !flat.valueSets[set].hasOthers { return false }
        return program.valueSets[set].contains(node(place))
    }

    /// The bytes of a string without escapes, of a key or of a number.
    @inline(__always)
    private func text(_ record: Tree.Record) -> UnsafeBufferPointer<UInt8> {
        let all = record.flags.contains(.ownText) ? tree.texts : tree.bytes
        return UnsafeBufferPointer(start: all.baseAddress.map { $0 + Int(record.first) }, count: Int(record.count))
    }

    @inline(never)
    private func checkNumber(_ block: ValidatorProgram.Block, _ place: Int) -> Bool {
        guard block.integersOnly || block.number >= 0 else { return true }
        if block.number < 0 {
            // Digits alone are an integer.
            let digits = text(tree.records[place])
            if digits.allSatisfy({ $0 &- 0x30 < 10 || $0 == 0x2D }) { return true }
        }
        guard let number = node(place).numberValue else { return false }
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
    private mutating func checkString(_ index: Int, _ place: Int) -> Bool {
        let node = node(place)
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

    private mutating func checkArray(_ index: Int, _ place: Int) -> Bool {
        let plan = flat.arrays + index
        let record = tree.records[place]
        let count = Int(record.count)
        if count < plan.pointee.minItems || count > plan.pointee.maxItems { return false }
        let first = Int(record.first)
        let prefix = min(plan.pointee.prefixCount, count)
        for position in 0..<prefix
        where !check(plan.pointee.prefix[position], Int(tree.children[first + position])) {
            return false
        }
        let items = plan.pointee.items
        if items >= 0, !flat.blocks[Int(items)].isTrivial {
            for position in prefix..<count where !check(items, Int(tree.children[first + position])) { return false }
        }
        if plan.pointee.contains >= 0, !checkContains(index, first..<first + count) { return false }
        if plan.pointee.unique, count > 1, Uniqueness.firstRepetition(node(place).elements) != nil { return false }
        return true
    }

    private mutating func checkContains(_ index: Int, _ children: Range<Int>) -> Bool {
        let contains = program.arrays[index].contains
        let (least, most) = (program.arrays[index].minContains, program.arrays[index].maxContains)
        var matches = 0
        for child in children {
            if most == Int.max, matches >= least { return true }
            if check(contains, Int(tree.children[child])) { matches += 1 }
            if matches > most { return false }
        }
        return matches >= least
    }

    private mutating func checkObject(_ index: Int, _ place: Int) -> Bool {
        let plan = flat.objects + index
        let record = tree.records[place]
        let count = Int(record.count)
        if count < plan.pointee.minProperties || count > plan.pointee.maxProperties { return false }
        if plan.pointee.visitsMembers {
            var missing = plan.pointee.requiredCount
            // Few objects require more than 64 keys; those are looked up one by one.
            var seen: UInt64 = 0
            let first = Int(record.first)
            for position in 0..<count {
                let value = Int(tree.children[first + position])
                let key = tree.records[value - 1]
                // Keys never hold escapes.
                let number = plan.pointee.keys.find(text(key))
                var isCovered = false
                if number >= 0 {
                    let required = plan.pointee.requiredPlaces[number]
                    if required >= 0, required < 64, seen >> UInt64(required) & 1 == 0 {
                        seen |= 1 << UInt64(required)
                        missing -= 1
                    }
                    let schema = plan.pointee.schemas[number]
                    if schema >= 0 {
                        isCovered = true
                        if !check(schema, value) { return false }
                    }
                }
                if plan.pointee.hasPatterns, !checkPatterns(index, key, value, &isCovered) { return false }
                if !isCovered, plan.pointee.additional >= 0, !check(plan.pointee.additional, value) { return false }
                if plan.pointee.names >= 0, !check(plan.pointee.names, value - 1) { return false }
            }
            if plan.pointee.requiredCount > 64 {
                if !checkRequired(index, node(place)) { return false }
            } else if missing > 0 {
                return false
            }
        } else if plan.pointee.requiredCount > 0, !checkRequired(index, node(place)) {
            return false
        }
        return !plan.pointee.hasDependents || checkDependent(index, place)
    }

    private mutating func checkPatterns(
        _ index: Int, _ key: Tree.Record, _ value: Int, _ isCovered: inout Bool
    ) -> Bool {
        let name = String(decoding: text(key), as: UTF8.self)
        for entry in program.objects[index].patterns where entry.matcher.matches(name) {
            isCovered = true
            if !check(entry.schema, value) { return false }
        }
        return true
    }

    @inline(never)
    private func checkRequired(_ index: Int, _ node: Node) -> Bool {
        for key in program.objects[index].required where node.member(key) == nil { return false }
        return true
    }

    private mutating func checkDependent(_ index: Int, _ place: Int) -> Bool {
        let node = node(place)
        for dependency in program.objects[index].dependentRequired where node.member(dependency.key) != nil {
            for key in dependency.required where node.member(key) == nil { return false }
        }
        for dependency in program.objects[index].dependentSchemas where node.member(dependency.key) != nil {
            if !check(dependency.schema, place) { return false }
        }
        return true
    }

    // MARK: With annotations

    @inline(never)
    private mutating func checkCollecting(_ block: ValidatorProgram.Block, _ kind: Node.Kind, _ place: Int) -> Bool {
        // Only arrays and objects have anything to be evaluated.
        guard kind == .array || kind == .object else { return checkPlain(block, kind, place) }
        var evaluated = EvaluatedSet()
        return collect(block, kind, place, &evaluated)
    }

    /// Like ``check(_:_:)``, and adds what was evaluated if the value passes.
    private mutating func collect(_ id: Int32, _ place: Int, into evaluated: inout EvaluatedSet) -> Bool {
        let block = flat.blocks[Int(id)]
        if block.isTrivial { return true }
        let kind = tree.records[place].kind
        guard block.kinds >> kind.rawValue & 1 == 1 else { return false }
        guard enter(block) else { return false }
        var own = EvaluatedSet()
        let result = collect(block, kind, place, &own)
        leave(block)
        if result { evaluated.formUnion(own) }
        return result
    }

    private mutating func collect(
        _ block: ValidatorProgram.Block, _ kind: Node.Kind, _ place: Int, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        if kind == .array, block.array >= 0 {
            guard checkArray(Int(block.array), place) else { return false }
            markElements(Int(block.array), place, &evaluated)
        } else if kind == .object, block.object >= 0 {
            guard checkObject(Int(block.object), place) else { return false }
            guard markMembers(Int(block.object), place, &evaluated) else { return false }
        }
        for index in block.checks where !collectGeneral(flat.checks[Int(index)], place, &evaluated) { return false }
        return checkUnevaluated(block, kind, place, &evaluated)
    }

    private mutating func checkUnevaluated(
        _ block: ValidatorProgram.Block, _ kind: Node.Kind, _ place: Int, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        if kind == .array, block.array >= 0, program.arrays[Int(block.array)].unevaluated >= 0 {
            let schema = program.arrays[Int(block.array)].unevaluated
            for (position, child) in children(place).enumerated() where !evaluated.contains(position) {
                if !check(schema, Int(child)) { return false }
            }
            evaluated.insertAll()
        } else if kind == .object, block.object >= 0, program.objects[Int(block.object)].unevaluated >= 0 {
            let schema = program.objects[Int(block.object)].unevaluated
            for (position, child) in children(place).enumerated() where !evaluated.contains(position) {
                if !check(schema, Int(child)) { return false }
            }
            evaluated.insertAll()
        }
        return true
    }

    private mutating func collectGeneral(
        _ check: ValidatorProgram.Check, _ place: Int, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        switch check {
        case .values(let set): return isAmong(Int(set), place)
        case .unresolved:
            isAborted = true
            return false
        case .reference(let target): return collect(target, place, into: &evaluated)
        case .dynamicReference(let initial, let anchor):
            return collect(dynamicTarget(initial, anchor), place, into: &evaluated)
        case .allOf(let start, let end):
            for index in start..<end where !collect(flat.lists[Int(index)], place, into: &evaluated) { return false }
            return true
        case .anyOf(let start, let end):
            var matches = false
            for index in start..<end where collect(flat.lists[Int(index)], place, into: &evaluated) { matches = true }
            return matches
        case .oneOf(let start, let end):
            var matches = 0
            for index in start..<end where collect(flat.lists[Int(index)], place, into: &evaluated) { matches += 1 }
            return matches == 1
        case .not(let target): return !self.check(target, place)
        case .conditional(let condition, let then, let otherwise):
            let branch = collect(condition, place, into: &evaluated) ? then : otherwise
            return branch < 0 || collect(branch, place, into: &evaluated)
        }
    }

    /// The elements of an array, or the values of an object's members.
    private func children(_ place: Int) -> UnsafeBufferPointer<UInt32> {
        let record = tree.records[place]
        return UnsafeBufferPointer(rebasing: tree.children[Int(record.first)..<Int(record.first) + Int(record.count)])
    }

    private mutating func markElements(_ index: Int, _ place: Int, _ evaluated: inout EvaluatedSet) {
        if program.arrays[index].items >= 0 {
            evaluated.insertAll()
            return
        }
        let prefix = min(program.arrays[index].prefix.count, children(place).count)
        for position in 0..<prefix { evaluated.insert(position) }
        if program.arrays[index].contains >= 0, program.arrays[index].containsEvaluates {
            for (position, child) in children(place).enumerated()
            where check(program.arrays[index].contains, Int(child)) {
                evaluated.insert(position)
            }
        }
    }

    /// Marks what `properties` and its relatives cover, and applies dependent schemas once more for their annotations.
    private mutating func markMembers(_ index: Int, _ place: Int, _ evaluated: inout EvaluatedSet) -> Bool {
        if program.objects[index].additional >= 0 {
            evaluated.insertAll()
        } else {
            for (position, child) in children(place).enumerated() {
                let key = tree.records[Int(child) - 1]
                let number = flat.objects[index].keys.find(text(key))
                if number >= 0, flat.objects[index].schemas[number] >= 0 {
                    evaluated.insert(position)
                } else if !program.objects[index].patterns.isEmpty {
                    let name = String(decoding: text(key), as: UTF8.self)
                    if program.objects[index].patterns.contains(where: { $0.matcher.matches(name) }) {
                        evaluated.insert(position)
                    }
                }
            }
        }
        let node = node(place)
        for dependency in program.objects[index].dependentSchemas where node.member(dependency.key) != nil {
            if !collect(dependency.schema, place, into: &evaluated) { return false }
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
