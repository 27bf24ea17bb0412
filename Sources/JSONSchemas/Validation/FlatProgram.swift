// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The parts of a ``ValidatorProgram`` that every value meets, in memory that is read without counting references.
///
/// What is rarer is looked up in the program itself. Immutable after its initialiser.
final class FlatProgram: @unchecked Sendable {
    struct ObjectPlan {
        var keys: FlatKeys
        /// The schema of each key and its place in `required`, -1 without one.
        var schemas: UnsafePointer<Int32>
        var requiredPlaces: UnsafePointer<Int32>
        var requiredCount: Int
        var additional: Int32
        var names: Int32
        var minProperties: Int
        var maxProperties: Int
        var visitsMembers: Bool
        var hasPatterns: Bool
        var hasDependents: Bool
    }

    struct ArrayPlan {
        var prefix: UnsafePointer<Int32>
        var prefixCount: Int
        var items: Int32
        var contains: Int32
        var minItems: Int
        var maxItems: Int
        var unique: Bool
    }

    struct ValueSet {
        var strings: FlatKeys
        var hasOthers: Bool
    }

    let blocks: UnsafePointer<ValidatorProgram.Block>
    let checks: UnsafePointer<ValidatorProgram.Check>
    let lists: UnsafePointer<Int32>
    let objects: UnsafePointer<ObjectPlan>
    let arrays: UnsafePointer<ArrayPlan>
    let valueSets: UnsafePointer<ValueSet>
    private let memory: FlatMemory

    init(
        blocks: [ValidatorProgram.Block], checks: [ValidatorProgram.Check], lists: [Int32],
        objects: [ValidatorProgram.ObjectPlan], arrays: [ValidatorProgram.ArrayPlan],
        valueSets: [ValidatorProgram.ValueSet]
    ) {
        let memory = FlatMemory()
        self.memory = memory
        self.blocks = memory.copy(blocks)
        self.checks = memory.copy(checks)
        self.lists = memory.copy(lists)
        self.objects = memory.copy(
            objects.map { plan in
                ObjectPlan(
                    keys: plan.keys.flat(in: memory), schemas: memory.copy(plan.schemas),
                    requiredPlaces: memory.copy(plan.requiredPlaces), requiredCount: plan.required.count,
                    additional: plan.additional, names: plan.names, minProperties: plan.minProperties,
                    maxProperties: plan.maxProperties, visitsMembers: plan.visitsMembers,
                    hasPatterns: !plan.patterns.isEmpty,
                    hasDependents: !plan.dependentRequired.isEmpty || !plan.dependentSchemas.isEmpty)
            })
        self.arrays = memory.copy(
            arrays.map { plan in
                ArrayPlan(
                    prefix: memory.copy(plan.prefix), prefixCount: plan.prefix.count, items: plan.items,
                    contains: plan.contains, minItems: plan.minItems, maxItems: plan.maxItems, unique: plan.unique)
            })
        self.valueSets = memory.copy(
            valueSets.map { ValueSet(strings: $0.strings.flat(in: memory), hasOthers: !$0.others.isEmpty) })
    }
}

/// Memory that is given back all at once.
final class FlatMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    /// A copy of the elements, which are plain values.
    func copy<T: BitwiseCopyable>(_ elements: [T]) -> UnsafePointer<T> {
        let target = UnsafeMutablePointer<T>.allocate(capacity: max(1, elements.count))
        target.initialize(from: elements, count: elements.count)
        blocks.append(UnsafeMutableRawPointer(target))
        return UnsafePointer(target)
    }
}

/// A ``KeyTable`` that is read in place.
struct FlatKeys: BitwiseCopyable {
    struct Span: BitwiseCopyable {
        var start: Int32
        var count: Int32
    }

    var bytes: UnsafePointer<UInt8>
    var spans: UnsafePointer<Span>
    var count: Int
    /// Key number + 1 by hash.
    var slots: UnsafePointer<Int32>
    /// 0 while the set is small.
    var slotCount: Int

    /// The number of the key with these bytes; -1 where it is none of them.
    @inline(__always)
    func find(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        if slotCount == 0 {
            for number in 0..<count where equal(number, text) { return number }
            return -1
        }
        var slot = KeyTable.hash(text) & (slotCount &- 1)
        while true {
            let entry = Int(slots[slot])
            if entry == 0 { return -1 }
            if equal(entry &- 1, text) { return entry &- 1 }
            slot = (slot &+ 1) & (slotCount &- 1)
        }
    }

    @inline(__always)
    private func equal(_ number: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let span = spans[number]
        guard Int(span.count) == text.count else { return false }
        guard let base = text.baseAddress, text.count > 0 else { return true }
        return memcmp(bytes + Int(span.start), base, text.count) == 0
    }
}
