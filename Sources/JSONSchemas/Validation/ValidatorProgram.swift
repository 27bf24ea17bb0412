// SPDX-License-Identifier: Apache-2.0

import Documents
import Patterns

/// A schema graph compiled for validation: one block per subschema, everything else in flat side tables.
final class ValidatorProgram: Sendable {
    /// The number of a block; the same as that of the subschema.
    typealias BlockID = Int32

    /// Checks that do not depend on the kind of the value, in the order of cost.
    enum Check: Sendable, BitwiseCopyable {
        case values(Int32)
        case reference(BlockID)
        /// A reference without a target.
        case unresolved
        case dynamicReference(initial: BlockID, anchor: Int32)
        // The branches are a part of `lists`.
        case allOf(start: Int32, end: Int32)
        case anyOf(start: Int32, end: Int32)
        case oneOf(start: Int32, end: Int32)
        case not(BlockID)
        /// -1 where a branch is absent.
        case conditional(if: BlockID, then: BlockID, else: BlockID)
    }

    /// A pattern ready for matching. One that exceeds the engine's limits makes every value invalid, see `defect`.
    struct CompiledPattern: Sendable {
        let matcher: PatternMatcher?

        init(_ pattern: Pattern) { matcher = try? PatternMatcher(pattern) }

        func matches(_ text: String) -> Bool { matcher?.matches(text) ?? false }
    }

    struct StringPlan: Sendable {
        var minLength = 0
        var maxLength = Int.max
        var pattern: CompiledPattern?
        var format: KnownFormat?
        var isVerbatim = false
        var checksLength: Bool { minLength > 0 || maxLength < Int.max }
    }

    struct NumberPlan: Sendable {
        var minimum: DecimalNumber?
        var exclusiveMinimum: DecimalNumber?
        var maximum: DecimalNumber?
        var exclusiveMaximum: DecimalNumber?
        var multipleOf: DecimalNumber?
    }

    struct ArrayPlan: Sendable {
        var prefix: [BlockID] = []
        var items: BlockID = -1
        var minItems = 0
        var maxItems = Int.max
        var unique = false
        var contains: BlockID = -1
        var minContains = 1
        var maxContains = Int.max
        var containsEvaluates = true
        var unevaluated: BlockID = -1
    }

    struct ObjectPlan: Sendable {
        /// Keys that are named in `properties` or `required`.
        var keys = KeyTable()
        /// The schema of each key, -1 without one.
        var schemas: [BlockID] = []
        /// The place of each key in `required`, -1 without one.
        var requiredPlaces: [Int32] = []
        var required: [String] = []
        var patterns: [(matcher: CompiledPattern, schema: BlockID)] = []
        var additional: BlockID = -1
        var names: BlockID = -1
        var minProperties = 0
        var maxProperties = Int.max
        var dependentRequired: [(key: String, required: [String])] = []
        var dependentSchemas: [(key: String, schema: BlockID)] = []
        var unevaluated: BlockID = -1
        /// Whether the members have to be looked at one by one.
        var visitsMembers: Bool {
            !schemas.isEmpty || !patterns.isEmpty || additional >= 0 || names >= 0
        }
    }

    /// The values of `enum` or `const`.
    struct ValueSet: Sendable {
        var strings = KeyTable()
        var others: [JSONValue] = []
        /// Used instead of `others` where there are many.
        var otherSet: Set<JSONValue> = []
        var all: [JSONValue]
        var isConstant: Bool

        init(_ values: [JSONValue], isConstant: Bool) {
            all = values
            self.isConstant = isConstant
            for value in values {
                if case .string(let text) = value { _ = strings.add(text) } else { others.append(value) }
            }
            if others.count > 16 { otherSet = Set(others) }
        }

        func contains(_ node: Node) -> Bool {
            if node.kind == .string { return node.utf8Answer { strings.find($0) ?? -1 } >= 0 }
            if others.isEmpty { return false }
            if !otherSet.isEmpty { return otherSet.contains(node.value) }
            return others.contains { node.matches($0) }
        }
    }

    struct Block: Sendable, BitwiseCopyable {
        /// One bit per `Node.Kind`.
        var kinds: UInt8 = 0x3F
        var integersOnly = false
        /// Whether every value passes without leaving an annotation that matters.
        var isTrivial = false
        var firstCheck: Int32 = 0
        var endOfChecks: Int32 = 0
        /// Places in the plans, -1 without one.
        var string: Int32 = -1
        var number: Int32 = -1
        var array: Int32 = -1
        var object: Int32 = -1
        var resource: Int32 = 0
        /// Whether `unevaluatedItems` or `unevaluatedProperties` is among the keywords.
        var hasUnevaluated = false

        /// Places in the checks.
        var checks: Range<Int32> { firstCheck..<endOfChecks }
    }

    let graph: SchemaGraph
    let blocks: [Block]
    let checks: [Check]
    let lists: [BlockID]
    let strings: [StringPlan]
    let numbers: [NumberPlan]
    let arrays: [ArrayPlan]
    let objects: [ObjectPlan]
    let valueSets: [ValueSet]
    /// The targets of dynamic references: by anchor, then by resource; -1 where the resource has no such anchor.
    let dynamicTargets: [[BlockID]]
    let root: BlockID
    /// What every value meets, to be read in place.
    let flat: FlatProgram
    /// A subschema that cannot be checked; no value is valid then.
    let defect: (schema: BlockID, message: String)?

    var hasDynamicScope: Bool { !dynamicTargets.isEmpty }

    init(_ graph: SchemaGraph, formats: FormatPolicy) {
        var compiler = Compiler(graph: graph, formats: formats)
        for schema in graph.subschemas { compiler.compile(schema) }
        self.graph = graph
        blocks = compiler.blocks
        checks = compiler.checks
        lists = compiler.lists
        strings = compiler.strings
        numbers = compiler.numbers
        arrays = compiler.arrays
        objects = compiler.objects
        valueSets = compiler.valueSets
        dynamicTargets = compiler.dynamicTargets
        root = graph.root.rawValue
        defect = compiler.defect
        flat = FlatProgram(
            blocks: blocks, checks: checks, lists: lists, objects: objects, arrays: arrays, valueSets: valueSets)
    }
}

extension ValidatorProgram {
    private struct Compiler {
        let graph: SchemaGraph
        let formats: FormatPolicy
        var blocks: [Block] = []
        var checks: [Check] = []
        var lists: [BlockID] = []
        var strings: [StringPlan] = []
        var numbers: [NumberPlan] = []
        var arrays: [ArrayPlan] = []
        var objects: [ObjectPlan] = []
        var valueSets: [ValueSet] = []
        var dynamicTargets: [[BlockID]] = []
        var anchors: [String: Int32] = [:]
        var defect: (schema: BlockID, message: String)?
        /// Patterns are compiled once however often they occur.
        var matchers: [Pattern: CompiledPattern] = [:]

        init(graph: SchemaGraph, formats: FormatPolicy) {
            self.graph = graph
            self.formats = formats
            blocks.reserveCapacity(graph.subschemas.count)
        }

        mutating func compile(_ schema: Subschema) {
            var block = Block()
            block.resource = schema.resource.rawValue
            if let boolean = schema.boolean {
                block.isTrivial = boolean
                if !boolean { block.kinds = 0 }
                blocks.append(block)
                return
            }
            if let type = schema.type { (block.kinds, block.integersOnly) = Self.kinds(type) }
            block.firstCheck = Int32(clamping: checks.count)
            compileChecks(schema)
            block.endOfChecks = Int32(clamping: checks.count)
            block.string = compileString(schema)
            block.number = compileNumber(schema)
            block.array = compileArray(schema)
            block.object = compileObject(schema)
            block.hasUnevaluated = schema.unevaluatedItems != nil || schema.unevaluatedProperties != nil
            block.isTrivial =
                block.kinds == 0x3F && !block.integersOnly && block.checks.isEmpty && block.string < 0
                && block.number < 0 && block.array < 0 && block.object < 0
            blocks.append(block)
        }

        private static func kinds(_ type: TypeSet) -> (UInt8, Bool) {
            var kinds: UInt8 = 0
            func add(_ kind: Node.Kind) { kinds |= 1 << kind.rawValue }
            if type.contains(.null) { add(.null) }
            if type.contains(.boolean) { add(.bool) }
            if type.contains(.string) { add(.string) }
            if type.contains(.array) { add(.array) }
            if type.contains(.object) { add(.object) }
            if type.contains(.number) || type.contains(.integer) { add(.number) }
            return (kinds, type.contains(.integer) && !type.contains(.number))
        }

        private mutating func compileChecks(_ schema: Subschema) {
            if let values = schema.enumeration { addValues(values, isConstant: false) }
            if let value = schema.constant { addValues([value], isConstant: true) }
            if schema.unresolvedReference != nil { checks.append(.unresolved) }
            if let id = schema.reference { checks.append(.reference(id.rawValue)) }
            if let dynamic = schema.dynamicReference {
                if let anchor = dynamic.anchor {
                    checks.append(
                        .dynamicReference(initial: dynamic.initial.rawValue, anchor: anchorNumber(anchor)))
                } else {
                    checks.append(.reference(dynamic.initial.rawValue))
                }
            }
            if !schema.allOf.isEmpty {
                let (start, end) = addList(schema.allOf)
                checks.append(.allOf(start: start, end: end))
            }
            if !schema.anyOf.isEmpty {
                let (start, end) = addList(schema.anyOf)
                checks.append(.anyOf(start: start, end: end))
            }
            if !schema.oneOf.isEmpty {
                let (start, end) = addList(schema.oneOf)
                checks.append(.oneOf(start: start, end: end))
            }
            if let id = schema.not { checks.append(.not(id.rawValue)) }
            if let condition = schema.ifSchema {
                checks.append(
                    .conditional(
                        if: condition.rawValue, then: schema.thenSchema?.rawValue ?? -1,
                        else: schema.elseSchema?.rawValue ?? -1))
            }
        }

        private mutating func addList(_ ids: [SubschemaID]) -> (Int32, Int32) {
            let start = Int32(clamping: lists.count)
            lists.append(contentsOf: ids.map(\.rawValue))
            return (start, Int32(clamping: lists.count))
        }

        private mutating func addValues(_ values: [JSONValue], isConstant: Bool) {
            checks.append(.values(Int32(clamping: valueSets.count)))
            valueSets.append(ValueSet(values, isConstant: isConstant))
        }

        private mutating func anchorNumber(_ anchor: String) -> Int32 {
            if let known = anchors[anchor] { return known }
            let number = Int32(clamping: dynamicTargets.count)
            anchors[anchor] = number
            dynamicTargets.append(graph.resources.map { $0.dynamicAnchors[anchor]?.rawValue ?? -1 })
            return number
        }

        private mutating func matcher(_ pattern: Pattern, of schema: Subschema) -> CompiledPattern {
            if let known = matchers[pattern] { return known }
            let matcher = CompiledPattern(pattern)
            if matcher.matcher == nil, defect == nil {
                defect = (schema.id.rawValue, "the pattern '\(pattern.source)' is too complex to check")
            }
            matchers[pattern] = matcher
            return matcher
        }

        private mutating func compileString(_ schema: Subschema) -> Int32 {
            var plan = StringPlan()
            plan.minLength = schema.minLength ?? 0
            plan.maxLength = schema.maxLength ?? Int.max
            plan.pattern = schema.pattern.map { matcher($0, of: schema) }
            if let format = schema.format, formats == .assert || schema.formatIsAsserted {
                plan.format = KnownFormat(rawValue: format)
            }
            plan.isVerbatim = schema.isVerbatim
            guard plan.checksLength || plan.pattern != nil || plan.format != nil || plan.isVerbatim else { return -1 }
            strings.append(plan)
            return Int32(clamping: strings.count - 1)
        }

        private mutating func compileNumber(_ schema: Subschema) -> Int32 {
            guard
                schema.minimum != nil || schema.maximum != nil || schema.exclusiveMinimum != nil
                    || schema.exclusiveMaximum != nil || schema.multipleOf != nil
            else { return -1 }
            numbers.append(
                NumberPlan(
                    minimum: schema.minimum, exclusiveMinimum: schema.exclusiveMinimum, maximum: schema.maximum,
                    exclusiveMaximum: schema.exclusiveMaximum, multipleOf: schema.multipleOf))
            return Int32(clamping: numbers.count - 1)
        }

        private mutating func compileArray(_ schema: Subschema) -> Int32 {
            guard
                !schema.prefixItems.isEmpty || schema.items != nil || schema.contains != nil || schema.uniqueItems
                    || schema.minItems != nil || schema.maxItems != nil || schema.unevaluatedItems != nil
            else { return -1 }
            arrays.append(
                ArrayPlan(
                    prefix: schema.prefixItems.map(\.rawValue), items: schema.items?.rawValue ?? -1,
                    minItems: schema.minItems ?? 0, maxItems: schema.maxItems ?? Int.max, unique: schema.uniqueItems,
                    contains: schema.contains?.rawValue ?? -1, minContains: schema.minContains ?? 1,
                    maxContains: schema.maxContains ?? Int.max, containsEvaluates: schema.containsEvaluates,
                    unevaluated: schema.unevaluatedItems?.rawValue ?? -1))
            return Int32(clamping: arrays.count - 1)
        }

        private mutating func compileObject(_ schema: Subschema) -> Int32 {
            guard
                !schema.properties.isEmpty || !schema.patternProperties.isEmpty || schema.additionalProperties != nil
                    || schema.propertyNames != nil || !schema.required.isEmpty || schema.minProperties != nil
                    || schema.maxProperties != nil || !schema.dependentRequired.isEmpty
                    || !schema.dependentSchemas.isEmpty || schema.unevaluatedProperties != nil
            else { return -1 }
            var plan = ObjectPlan()
            func place(_ key: String) -> Int {
                let number = plan.keys.add(key)
                if number == plan.schemas.count {
                    plan.schemas.append(-1)
                    plan.requiredPlaces.append(-1)
                }
                return number
            }
            for property in schema.properties { plan.schemas[place(property.key)] = property.schema.rawValue }
            for key in schema.required {
                let number = place(key)
                guard plan.requiredPlaces[number] < 0 else { continue }
                plan.requiredPlaces[number] = Int32(clamping: plan.required.count)
                plan.required.append(key)
            }
            plan.patterns = schema.patternProperties.map { (matcher($0.pattern, of: schema), $0.schema.rawValue) }
            plan.additional = schema.additionalProperties?.rawValue ?? -1
            plan.names = schema.propertyNames?.rawValue ?? -1
            plan.minProperties = schema.minProperties ?? 0
            plan.maxProperties = schema.maxProperties ?? Int.max
            plan.dependentRequired = schema.dependentRequired.map { ($0.key, $0.required) }
            plan.dependentSchemas = schema.dependentSchemas.map { ($0.key, $0.schema.rawValue) }
            plan.unevaluated = schema.unevaluatedProperties?.rawValue ?? -1
            objects.append(plan)
            return Int32(clamping: objects.count - 1)
        }
    }
}
