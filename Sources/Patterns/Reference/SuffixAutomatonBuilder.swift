// SPDX-License-Identifier: Apache-2.0

/// Builds a suffix automaton scalar by scalar.
///
/// Transitions are looked up in one hash table by state and scalar, and chained per state for copying: text may have
/// thousands of different scalars.
struct SuffixAutomatonBuilder {
    private var lengths: [Int32] = [0]
    private var links: [Int32] = [-1]
    /// By state: the number of scalars before the end of its first occurrence.
    private(set) var firstEnds: [Int32] = [0]
    private var isClone: [Bool] = [false]
    /// By state: its latest transition, -1 without one.
    private var heads: [Int32] = [-1]
    private var edgeStates: [Int32] = []
    private var edgeScalars: [UInt32] = []
    private var edgeTargets: [Int32] = []
    /// By transition: the one before it of the same state.
    private var edgeNexts: [Int32] = []
    private var table = [Int32](repeating: -1, count: 64)
    private var last: Int32 = 0

    /// Appends a scalar to the text.
    mutating func append(_ scalar: UInt32) {
        let current = newState(length: lengths[Int(last)] + 1, firstEnd: lengths[Int(last)] + 1, isClone: false)
        var state = last
        last = current
        while state >= 0, find(state, scalar) < 0 {
            addEdge(state, scalar, current)
            state = links[Int(state)]
        }
        guard state >= 0 else {
            links[Int(current)] = 0
            return
        }
        let target = edgeTargets[Int(find(state, scalar))]
        if lengths[Int(state)] + 1 == lengths[Int(target)] {
            links[Int(current)] = target
            return
        }
        let clone = newState(length: lengths[Int(state)] + 1, firstEnd: firstEnds[Int(target)], isClone: true)
        links[Int(clone)] = links[Int(target)]
        var edge = heads[Int(target)]
        while edge >= 0 {
            addEdge(clone, edgeScalars[Int(edge)], edgeTargets[Int(edge)])
            edge = edgeNexts[Int(edge)]
        }
        while state >= 0 {
            let edge = find(state, scalar)
            guard edge >= 0, edgeTargets[Int(edge)] == target else { break }
            edgeTargets[Int(edge)] = clone
            state = links[Int(state)]
        }
        links[Int(target)] = clone
        links[Int(current)] = clone
    }

    private mutating func newState(length: Int32, firstEnd: Int32, isClone clone: Bool) -> Int32 {
        lengths.append(length)
        links.append(-1)
        firstEnds.append(firstEnd)
        isClone.append(clone)
        heads.append(-1)
        return Int32(lengths.count - 1)
    }

    @inline(__always)
    private func slot(_ state: Int32, _ scalar: UInt32) -> Int {
        var x = (UInt64(UInt32(bitPattern: state)) << 32 | UInt64(scalar)) &* 0x9E37_79B9_7F4A_7C15
        x ^= x >> 32
        return Int(truncatingIfNeeded: x) & (table.count - 1)
    }

    private func find(_ state: Int32, _ scalar: UInt32) -> Int32 {
        var slot = slot(state, scalar)
        while table[slot] >= 0 {
            let edge = Int(table[slot])
            if edgeStates[edge] == state, edgeScalars[edge] == scalar { return Int32(edge) }
            slot = (slot + 1) & (table.count - 1)
        }
        return -1
    }

    private mutating func addEdge(_ state: Int32, _ scalar: UInt32, _ target: Int32) {
        let edge = edgeStates.count
        edgeStates.append(state)
        edgeScalars.append(scalar)
        edgeTargets.append(target)
        edgeNexts.append(heads[Int(state)])
        heads[Int(state)] = Int32(edge)
        if edgeStates.count * 2 > table.count {
            table = [Int32](repeating: -1, count: table.count * 2)
            for known in edgeStates.indices { insert(known) }
        } else {
            insert(edge)
        }
    }

    private mutating func insert(_ edge: Int) {
        var slot = slot(edgeStates[edge], edgeScalars[edge])
        while table[slot] >= 0 { slot = (slot + 1) & (table.count - 1) }
        table[slot] = Int32(edge)
    }

    /// The transitions of all states, one state after the other, each in the order of scalars.
    func sortedEdges() -> (offsets: [Int32], scalars: [UInt32], targets: [Int32]) {
        var offsets: [Int32] = []
        var scalars: [UInt32] = []
        var targets: [Int32] = []
        offsets.reserveCapacity(heads.count + 1)
        scalars.reserveCapacity(edgeStates.count)
        targets.reserveCapacity(edgeStates.count)
        var own: [Int] = []
        for head in heads {
            offsets.append(Int32(scalars.count))
            own.removeAll(keepingCapacity: true)
            var edge = head
            while edge >= 0 {
                own.append(Int(edge))
                edge = edgeNexts[Int(edge)]
            }
            if own.count > 1 { own.sort { edgeScalars[$0] < edgeScalars[$1] } }
            for edge in own {
                scalars.append(edgeScalars[edge])
                targets.append(edgeTargets[edge])
            }
        }
        offsets.append(Int32(scalars.count))
        return (offsets, scalars, targets)
    }

    /// By state: in how many places its substrings end.
    func occurrenceCounts(textCount: Int) -> [Int32] {
        var counts = isClone.map { $0 ? Int32(0) : 1 }
        // Longer substrings first: each passes its places on to its longest proper suffix with more of them.
        var starts = [Int32](repeating: 0, count: textCount + 2)
        for length in lengths { starts[Int(length) + 1] += 1 }
        for length in 1..<starts.count { starts[length] += starts[length - 1] }
        var order = [Int32](repeating: 0, count: lengths.count)
        for (state, length) in lengths.enumerated() {
            order[Int(starts[Int(length)])] = Int32(state)
            starts[Int(length)] += 1
        }
        for state in order.reversed() where links[Int(state)] >= 0 {
            counts[Int(links[Int(state)])] += counts[Int(state)]
        }
        return counts
    }
}
