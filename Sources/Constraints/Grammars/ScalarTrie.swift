// SPDX-License-Identifier: Apache-2.0

import Patterns

/// The UTF-8 spellings of sets of scalars beyond ASCII, as automata whose nodes all sets share.
///
/// A node stands for the bytes that complete a scalar, all of the same number. Node 0 is the end.
struct ScalarTrie {
    private struct Edge: Hashable {
        var low: UInt8
        var high: UInt8
        var node: UInt32
    }

    private struct Shape: Hashable {
        var edges: [Edge]
    }

    private var numbers: [Shape: UInt32] = [:]
    private var edges: [[Edge]] = [[]]
    /// By node: the bytes that complete the scalar.
    private(set) var lengths: [UInt8] = [0]
    private var byteSets: [ByteSet] = [ByteSet()]

    /// The node before the first byte of a scalar of the set beyond ASCII; nil if there is none.
    ///
    /// - Complexity: linear in the number of ranges.
    mutating func root(_ set: ScalarSet) -> [(low: UInt8, high: UInt8, node: UInt32)] {
        var result: [(low: UInt8, high: UInt8, node: UInt32)] = []
        for (length, low, high) in [(2, UInt32(0x80), UInt32(0x7FF)), (3, 0x800, 0xFFFF), (4, 0x10000, 0x10FFFF)] {
            let part = set.intersection(ScalarSet([ScalarSet.Range(low, high)])).ranges
            let mark: UInt32 = length == 2 ? 0xC0 : length == 3 ? 0xE0 : 0xF0
            for edge in build(part.map { ($0.lower, $0.upper) }, length - 1) {
                result.append((UInt8(mark | edge.low), UInt8(mark | edge.high), edge.node))
            }
        }
        return result
    }

    /// The edges over the leading digits, to base 64, of the values in the ranges.
    private mutating func build(
        _ ranges: [(UInt32, UInt32)], _ rest: Int
    ) -> [(low: UInt32, high: UInt32, node: UInt32)] {
        guard !ranges.isEmpty else { return [] }
        if rest == 0 { return ranges.map { ($0.0, $0.1, 0) } }
        let shift = UInt32(rest * 6)
        let full = (UInt32(1) << shift) - 1
        var result: [(low: UInt32, high: UInt32, node: UInt32)] = []
        func add(_ low: UInt32, _ high: UInt32, _ node: UInt32) {
            if let last = result.last, last.node == node, last.high + 1 == low {
                result[result.count - 1].high = high
            } else {
                result.append((low, high, node))
            }
        }
        var index = 0
        var pending: [(UInt32, UInt32)] = []
        var pendingDigit: UInt32 = 0
        func flush(_ trie: inout ScalarTrie) {
            guard !pending.isEmpty else { return }
            let partial = trie.node(trie.build(pending, rest - 1), rest)
            add(pendingDigit, pendingDigit, partial)
            pending = []
        }
        while index < ranges.count {
            var (low, high) = ranges[index]
            index += 1
            while true {
                let digit = low >> shift
                if digit != pendingDigit { flush(&self) }
                if low & full == 0, high >> shift > digit || high & full == full {
                    // Whole blocks.
                    flush(&self)
                    let last = high & full == full ? high >> shift : (high >> shift) - 1
                    let whole = self.node(build([(0, full)], rest - 1), rest)
                    add(digit, last, whole)
                    if last == high >> shift { break }
                    low = (last + 1) << shift
                    continue
                }
                pendingDigit = digit
                let end = min(high, digit << shift | full)
                pending.append((low & full, end & full))
                if end == high { break }
                low = end + 1
                high = max(high, low)
            }
        }
        flush(&self)
        return result
    }

    private mutating func node(_ parts: [(low: UInt32, high: UInt32, node: UInt32)], _ rest: Int) -> UInt32 {
        let list = parts.map {
            Edge(low: UInt8(0x80 | $0.low & 0x3F), high: UInt8(0x80 | $0.high & 0x3F), node: $0.node)
        }
        let shape = Shape(edges: list)
        if let known = numbers[shape] { return known }
        let number = UInt32(edges.count)
        numbers[shape] = number
        edges.append(list)
        lengths.append(UInt8(rest))
        var bytes = ByteSet()
        for edge in list { bytes.insert(edge.low...edge.high) }
        byteSets.append(bytes)
        return number
    }

    /// The node after one more byte; nil if no scalar goes on that way.
    func step(_ node: UInt32, _ byte: UInt8) -> UInt32? {
        for edge in edges[Int(node)] where edge.low <= byte && byte <= edge.high { return edge.node }
        return nil
    }

    /// The bytes that may come next.
    func bytes(_ node: UInt32) -> ByteSet { byteSets[Int(node)] }
}
