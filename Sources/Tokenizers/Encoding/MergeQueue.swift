// SPDX-License-Identifier: Apache-2.0

/// A possible merge of two neighbouring symbols.
struct MergeCandidate {
    /// Smaller is better; the lower half is the left symbol's place, so that equals go from left to right.
    var priority: UInt64
    var right: Int32
    /// What tells an outdated candidate: the token the merge makes, or its length.
    var check: Int32

    var left: Int { Int(priority & 0xFFFF_FFFF) }
}

/// The candidates by priority: a binary heap.
struct MergeQueue {
    private var heap: [MergeCandidate] = []

    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    mutating func push(_ candidate: MergeCandidate) {
        var index = heap.count
        heap.append(candidate)
        while index > 0 {
            let parent = (index - 1) >> 1
            guard candidate.priority < heap[parent].priority else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = candidate
    }

    mutating func pop() -> MergeCandidate? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        let count = heap.count
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < count else { break }
            if child + 1 < count, heap[child + 1].priority < heap[child].priority { child += 1 }
            guard heap[child].priority < last.priority else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = last
        return first
    }
}
