// SPDX-License-Identifier: Apache-2.0

import Patterns

/// Free text in UTF-8 that is watched for a few triggers.
///
/// A state is how much of a trigger has been read, and where in a character the text is. State 0 is the beginning.
final class TriggerAutomaton: @unchecked Sendable {  // immutable after its initialiser
    /// What a byte leads to.
    enum Outcome {
        case invalid
        case state(UInt32)
        case trigger(Int)
    }

    let triggers: [[UInt8]]
    /// Matching states in order of their depth, with transitions by byte class.
    private var depths: [Int] = [0]
    private var rows: [[UInt32]] = []
    private var completed: [Int32] = [-1]
    /// The bytes of the text.
    private let alphabet: ByteSet

    /// Where in a character: 0 at a boundary; else the continuation bytes to come and how the next one is bounded.
    private enum Unit {
        static let boundary: UInt32 = 0
        static let one: UInt32 = 1
        static let two: UInt32 = 2
        static let three: UInt32 = 3
        static let afterE0: UInt32 = 4
        static let afterED: UInt32 = 5
        static let afterF0: UInt32 = 6
        static let afterF4: UInt32 = 7
    }

    init(_ triggers: [[UInt8]], scalars: ScalarSet) {
        self.triggers = triggers
        alphabet = .utf8(scalars)
        var children: [[UInt8: UInt32]] = [[:]]
        for (index, trigger) in triggers.enumerated() {
            var node = 0
            for byte in trigger {
                if let child = children[node][byte] {
                    node = Int(child)
                } else {
                    children.append([:])
                    depths.append(depths[node] + 1)
                    completed.append(-1)
                    children[node][byte] = UInt32(children.count - 1)
                    node = children.count - 1
                }
            }
            if !trigger.isEmpty, completed[node] < 0 { completed[node] = Int32(index) }
        }
        // Breadth first: the failure of a node is known before its children are visited.
        rows = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: children.count)
        var failures = [Int](repeating: 0, count: children.count)
        var queue = [0]
        var head = 0
        while head < queue.count {
            let node = queue[head]
            head += 1
            if completed[node] < 0 { completed[node] = completed[failures[node]] }
            for byte in 0..<256 {
                let fallback = node == 0 ? 0 : rows[failures[node]][byte]
                if let child = children[node][UInt8(byte)] {
                    rows[node][byte] = child
                    failures[Int(child)] = node == 0 ? 0 : Int(fallback)
                    queue.append(Int(child))
                } else {
                    rows[node][byte] = fallback
                }
            }
        }
    }

    /// The number of matching states; a state is one of them times 8, plus the place in a character.
    var stateCount: Int { rows.count * 8 }

    /// Whether the text may end in the state.
    func isBoundary(_ state: UInt32) -> Bool { state & 7 == Unit.boundary }

    /// The bytes that complete a character.
    func missingBytes(_ state: UInt32) -> Int {
        switch state & 7 {
        case Unit.boundary: 0
        case Unit.one: 1
        case Unit.two, Unit.afterE0, Unit.afterED: 2
        default: 3
        }
    }

    /// The place in a character after one more byte; nil if that is not UTF-8.
    private func unit(_ unit: UInt32, _ byte: UInt8) -> UInt32? {
        let isContinuation = byte & 0xC0 == 0x80
        switch unit {
        case Unit.boundary:
            switch byte {
            case 0..<0x80: return Unit.boundary
            case 0xC2...0xDF: return Unit.one
            case 0xE0: return Unit.afterE0
            case 0xED: return Unit.afterED
            case 0xE1...0xEF: return Unit.two
            case 0xF0: return Unit.afterF0
            case 0xF1...0xF3: return Unit.three
            case 0xF4: return Unit.afterF4
            default: return nil
            }
        case Unit.one: return isContinuation ? Unit.boundary : nil
        case Unit.two: return isContinuation ? Unit.one : nil
        case Unit.three: return isContinuation ? Unit.two : nil
        case Unit.afterE0: return (0xA0...0xBF).contains(byte) ? Unit.one : nil
        case Unit.afterED: return (0x80...0x9F).contains(byte) ? Unit.one : nil
        case Unit.afterF0: return (0x90...0xBF).contains(byte) ? Unit.two : nil
        default: return (0x80...0x8F).contains(byte) ? Unit.two : nil
        }
    }

    func step(_ state: UInt32, _ byte: UInt8) -> Outcome {
        let next = rows[Int(state >> 3)][Int(byte)]
        // A trigger is itself UTF-8 and begins at a boundary.
        if completed[Int(next)] >= 0 { return .trigger(Int(completed[Int(next)])) }
        guard alphabet.contains(byte), let unit = unit(state & 7, byte) else { return .invalid }
        return .state(next << 3 | unit)
    }

    /// By state: the bytes of the shortest text that ends, or completes a trigger, with what follows.
    ///
    /// - Parameters:
    ///   - end: What follows text without a trigger; infinite where it may not end so.
    ///   - targets: What follows each trigger; infinite where it must not occur.
    func costs(end: Cost, targets: [Cost]) -> [Cost] {
        // All bytes outside of the triggers behave like one of these.
        var bytes: Set<UInt8> = [
            0x20, 0x61, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF3, 0xF4,
        ]
        for trigger in triggers { bytes.formUnion(trigger) }
        var result = [Cost](repeating: .infinite, count: stateCount)
        var sources = [[UInt32]](repeating: [], count: stateCount)
        var queue = CostQueue()
        for state in 0..<UInt32(stateCount) {
            var best = isBoundary(state) ? end : .infinite
            for byte in bytes {
                switch step(state, byte) {
                case .invalid: break
                case .trigger(let trigger): best = min(best, Cost.sum(targets[trigger], 1))
                case .state(let next): sources[Int(next)].append(state)
                }
            }
            if best < .infinite {
                result[Int(state)] = best
                queue.push(best, state)
            }
        }
        while let (cost, state) = queue.pop() {
            guard cost == result[Int(state)] else { continue }
            for source in sources[Int(state)] {
                let through = Cost.sum(cost, 1)
                if through < result[Int(source)] {
                    result[Int(source)] = through
                    queue.push(through, source)
                }
            }
        }
        return result
    }
}

/// States by increasing cost.
struct CostQueue {
    private var heap: [(cost: Cost, state: UInt32)] = []

    mutating func push(_ cost: Cost, _ state: UInt32) {
        heap.append((cost, state))
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if heap[parent].cost <= heap[index].cost { break }
            heap.swapAt(parent, index)
            index = parent
        }
    }

    mutating func pop() -> (cost: Cost, state: UInt32)? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var index = 0
        while true {
            var least = index
            for child in (2 * index + 1)...(2 * index + 2)
            where child < heap.count && heap[child].cost < heap[least].cost {
                least = child
            }
            if least == index { return top }
            heap.swapAt(index, least)
            index = least
        }
    }
}
