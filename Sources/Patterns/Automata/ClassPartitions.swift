// SPDX-License-Identifier: Apache-2.0

/// Which classes of scalars the derivatives of terms do not tell apart.
///
/// Classes in one block of a term's partition have the same derivative, so that one is taken for all of them: approximate
/// derivative classes (Owens, Reppy and Turon, "Regular-expression derivatives re-examined", 2009, section 4.2). Equal
/// partitions have equal numbers.
///
/// - Complexity: O(*classes*) for each operand of a new term, once.
final class ClassPartitions {
    /// One block of all classes.
    static let whole: Int32 = 0
    /// Each class a block of its own: also what is not worth knowing better.
    static let discrete: Int32 = 1

    /// Languages with more classes than this do without.
    private static let classLimit = 256
    /// Terms that join more parts than this do without: their parts tend to differ in most classes.
    private static let partLimit = 24

    private struct Partition {
        /// The block of each class, numbered in the order of their first classes.
        var blocks: [UInt16]
        /// The first class of each block.
        var firsts: [UInt16]
    }

    private let store: TermStore
    private let membership: ClassMembership
    private let classCount: Int
    @exclusivity(unchecked) private var partitions: [Partition] = []
    @exclusivity(unchecked) private var numbers: [[UInt16]: Int32] = [:]
    /// By term; -1 where it is not known yet.
    @exclusivity(unchecked) private var known: ContiguousArray<Int32> = []
    @exclusivity(unchecked) private var table: [UInt16] = []

    init(store: TermStore, membership: ClassMembership, classCount: Int) {
        self.store = store
        self.membership = membership
        self.classCount = classCount
        _ = number(of: [UInt16](repeating: 0, count: classCount))
        partitions.append(Partition(blocks: [], firsts: []))
    }

    /// About how many bytes the partitions take.
    var byteCount: Int { partitions.count * classCount * 4 + known.count * 4 }

    /// The first class that a term's derivative does not tell from the given one.
    @inline(__always)
    func representative(_ id: TermID, _ scalarClass: Int) -> Int {
        let index = Int(id)
        let number = index < known.count && known[index] >= 0 ? known[index] : partition(of: id)
        if number <= Self.discrete { return number == Self.whole ? 0 : scalarClass }
        let first = partitions[Int(number)].blocks[scalarClass]
        return Int(partitions[Int(number)].firsts[Int(first)])
    }

    /// Calls the body with each class that a term's derivative does not tell from the given one, that one among them.
    @inline(__always)
    func forEachLike(_ id: TermID, _ scalarClass: Int, _ body: (Int) -> Void) {
        let number = partition(of: id)
        switch number {
        case Self.discrete: body(scalarClass)
        case Self.whole: for other in 0..<classCount { body(other) }
        default:
            let blocks = partitions[Int(number)].blocks
            let own = blocks[scalarClass]
            for other in blocks.indices where blocks[other] == own { body(other) }
        }
    }

    /// The number of a term's partition.
    func partition(of id: TermID) -> Int32 {
        let index = Int(id)
        if index < known.count, known[index] >= 0 { return known[index] }
        let result = work(id)
        if index >= known.count {
            known.append(contentsOf: repeatElement(-1, count: max(index + 1, known.count * 2, 256) - known.count))
        }
        known[index] = result
        return result
    }

    private func work(_ id: TermID) -> Int32 {
        let term = store.terms[Int(id)]
        if classCount > Self.classLimit || term.flags.contains(.dynamic) { return Self.discrete }
        switch term.kind {
        case .nothing, .epsilon, .everything, .look:
            return Self.whole
        case .set:
            var blocks = [UInt16](repeating: 0, count: classCount)
            let first = membership.contains(term.a, 0)
            for scalarClass in 1..<max(classCount, 1) where membership.contains(term.a, scalarClass) != first {
                blocks[scalarClass] = 1
            }
            return number(of: blocks)
        case .complement, .repetition:
            return partition(of: term.a)
        case .union, .intersection:
            guard Int(term.b) <= Self.partLimit else { return Self.discrete }
            return meet(store.operands(id).map { partition(of: $0) })
        case .concat:
            var parts: [Int32] = []
            var rest = id
            while parts.count <= Self.partLimit {
                let link = store.terms[Int(rest)]
                guard link.kind == .concat else {
                    parts.append(partition(of: rest))
                    return meet(parts)
                }
                parts.append(partition(of: link.a))
                if !store.isNullable(link.a) { return meet(parts) }
                rest = link.b
            }
            return Self.discrete
        case .variable, .substring:
            return Self.discrete
        }
    }

    /// The coarsest partition that splits what one of the given ones splits.
    private func meet(_ parts: [Int32]) -> Int32 {
        var result: Int32 = Self.whole
        var blocks: [UInt16] = []
        var count = 1
        for part in parts where part != Self.whole && part != result {
            if part == Self.discrete { return part }
            if result == Self.whole, blocks.isEmpty {
                result = part
                continue
            }
            if blocks.isEmpty {
                blocks = partitions[Int(result)].blocks
                count = partitions[Int(result)].firsts.count
                result = -1
            }
            let other = partitions[Int(part)]
            let width = other.firsts.count
            if table.count < count * width {
                table.append(contentsOf: repeatElement(0, count: count * width - table.count))
            }
            for index in 0..<count * width { table[index] = .max }
            var next: UInt16 = 0
            for scalarClass in 0..<classCount {
                let pair = Int(blocks[scalarClass]) * width + Int(other.blocks[scalarClass])
                if table[pair] == .max {
                    table[pair] = next
                    next += 1
                }
                blocks[scalarClass] = table[pair]
            }
            count = Int(next)
            if count == classCount { return Self.discrete }
        }
        return blocks.isEmpty ? result : number(of: blocks)
    }

    private func number(of blocks: [UInt16]) -> Int32 {
        if let known = numbers[blocks] { return known }
        var firsts: [UInt16] = []
        for (scalarClass, block) in blocks.enumerated() where Int(block) == firsts.count {
            firsts.append(UInt16(truncatingIfNeeded: scalarClass))
        }
        if firsts.count == classCount, classCount > 1 { return Self.discrete }
        let number = Int32(partitions.count)
        partitions.append(Partition(blocks: blocks, firsts: firsts))
        numbers[blocks] = number
        return number
    }
}
