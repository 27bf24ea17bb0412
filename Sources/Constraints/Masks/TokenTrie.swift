// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A trie over the bytes of tokens, flat and in depth-first order.
///
/// Ranks number the tokens in trie order, tokens of equal bytes next to each other, so that the tokens of a subtree are
/// a contiguous range: those of node `p` and everything below it are the ranks from `nodes[p].firstRank` up to
/// `nodes[nodes[p].end].firstRank`, and those that end at `p` itself reach up to `nodes[p + 1].firstRank`. A last node
/// without meaning closes the array.
final class TokenTrie: @unchecked Sendable {  // immutable after its initialiser
    struct Node {
        /// The scalar classes strictly below, read from a character boundary at this node.
        var classes: UInt64 = 0
        /// The same for the node itself and what is below, read from a character boundary before it.
        var ownClasses: UInt64 = 0
        /// The index after the subtree.
        var end: UInt32 = 0
        var firstRank: UInt32 = 0
        /// One more than the index of the record of children, for nodes with many of them.
        var wide: UInt32 = 0
        var depth: UInt16 = 0
        var byte: UInt8 = 0
        /// The most scalars below, a started one counted, at most 255; 255 means at least that.
        var maximumScalars: UInt8 = 0
        /// The same for the node itself and what is below, read from a character boundary before it.
        var ownScalars: UInt8 = 0
    }

    /// The children of a node that has many.
    struct WideNode {
        var bytes = ByteSet()
        /// Where the node's children begin in ``TokenTrie/children``.
        var offset: UInt32 = 0
    }

    /// Nodes with at least this many children get a record of them.
    private static let wideThreshold = 16

    let nodeCount: Int
    let nodes: UnsafeMutablePointer<Node>
    /// Token ids by rank.
    let tokens: UnsafeMutablePointer<UInt32>
    let tokenCount: Int
    let wideNodes: UnsafeMutablePointer<WideNode>
    let children: UnsafeMutablePointer<UInt32>
    /// The number of bytes of the longest token.
    let maximumDepth: Int

    /// Builds the trie of the given tokens.
    ///
    /// - Parameters:
    ///   - ids: Token ids, in increasing order.
    ///   - bytes: The bytes of all tokens, one after another.
    ///   - offsets: Where the bytes of each token id begin in `bytes`; the next entry is their end. No token of `ids`
    ///     is empty.
    init(ids: [UInt32], bytes: [UInt8], offsets: [Int]) {
        tokenCount = ids.count
        let ranked = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, ids.count))
        tokens = ranked
        var built: [Node] = [Node()]
        var longest = 0
        bytes.withUnsafeBufferPointer { bytes in
            offsets.withUnsafeBufferPointer { offsets in
                let sorted = TokenTrie.sorted(ids, bytes: bytes, offsets: offsets)
                var path: [Int] = [0]
                var previous: UnsafeBufferPointer<UInt8>.SubSequence = bytes[0..<0]
                for (rank, id) in sorted.enumerated() {
                    ranked[rank] = id
                    let text = bytes[offsets[Int(id)]..<offsets[Int(id) + 1]]
                    var common = 0
                    let limit = min(previous.count, text.count)
                    while common < limit, previous[previous.startIndex + common] == text[text.startIndex + common] {
                        common += 1
                    }
                    while path.count > common + 1 {
                        built[path.removeLast()].end = UInt32(built.count)
                    }
                    for depth in common..<text.count {
                        path.append(built.count)
                        var node = Node()
                        node.byte = text[text.startIndex + depth]
                        node.depth = UInt16(clamping: depth + 1)
                        node.firstRank = UInt32(rank)
                        built.append(node)
                    }
                    longest = max(longest, text.count)
                    previous = text
                }
                while let index = path.popLast() { built[index].end = UInt32(built.count) }
            }
        }
        var sentinel = Node()
        sentinel.firstRank = UInt32(ids.count)
        sentinel.end = UInt32(built.count)
        built.append(sentinel)
        maximumDepth = longest
        nodeCount = built.count - 1
        nodes = .allocate(capacity: built.count)
        nodes.initialize(from: built, count: built.count)
        let wide = TokenTrie.wideNodes(nodes, count: nodeCount)
        wideNodes = .allocate(capacity: max(1, wide.records.count))
        wideNodes.initialize(from: wide.records, count: wide.records.count)
        children = .allocate(capacity: max(1, wide.children.count))
        children.initialize(from: wide.children, count: wide.children.count)
        summarise()
    }

    deinit {
        nodes.deallocate()
        tokens.deallocate()
        wideNodes.deallocate()
        children.deallocate()
    }

    private static func sorted(
        _ ids: [UInt32], bytes: UnsafeBufferPointer<UInt8>, offsets: UnsafeBufferPointer<Int>
    ) -> [UInt32] {
        guard let base = bytes.baseAddress else { return ids }
        return ids.sorted { left, right in
            let leftStart = offsets[Int(left)]
            let rightStart = offsets[Int(right)]
            let leftCount = offsets[Int(left) + 1] - leftStart
            let rightCount = offsets[Int(right) + 1] - rightStart
            let order = memcmp(base + leftStart, base + rightStart, min(leftCount, rightCount))
            if order != 0 { return order < 0 }
            if leftCount != rightCount { return leftCount < rightCount }
            return left < right
        }
    }

    private static func wideNodes(
        _ nodes: UnsafeMutablePointer<Node>, count: Int
    ) -> (records: [WideNode], children: [UInt32]) {
        var records: [WideNode] = []
        var children: [UInt32] = []
        for index in 0..<count where Int(nodes[index].end) - index > wideThreshold {
            var record = WideNode()
            record.offset = UInt32(children.count)
            var child = index + 1
            while child < Int(nodes[index].end) {
                record.bytes.insert(nodes[child].byte)
                children.append(UInt32(child))
                child = Int(nodes[child].end)
            }
            if children.count - Int(record.offset) >= wideThreshold {
                records.append(record)
                nodes[index].wide = UInt32(records.count)
            } else {
                children.removeLast(children.count - Int(record.offset))
            }
        }
        return (records, children)
    }

    /// Fills in the classes and scalar counts, from the leaves up.
    private func summarise() {
        for index in stride(from: nodeCount - 1, through: 0, by: -1) {
            var summary = Summary()
            let end = Int(nodes[index].end)
            var child = index + 1
            while child < end {
                summary.classes |= nodes[child].ownClasses
                summary.scalars = max(summary.scalars, nodes[child].ownScalars)
                child = Int(nodes[child].end)
            }
            nodes[index].classes = summary.classes
            nodes[index].maximumScalars = summary.scalars
            if index == 0 { break }
            var own = Summary()
            add(index, ScalarDecoder(), to: &own)
            nodes[index].ownClasses = own.classes
            nodes[index].ownScalars = own.scalars
        }
    }

    private struct Summary {
        var classes: UInt64 = 0
        var scalars: UInt8 = 0
    }

    /// Adds what is at and below `index`, whose byte comes after those the decoder has seen since the boundary: at most
    /// four levels down.
    private func add(_ index: Int, _ decoder: ScalarDecoder, to summary: inout Summary) {
        var decoder = decoder
        switch decoder.feed(nodes[index].byte) {
        case .malformed:
            summary.classes |= ScalarClasses.malformed
        case .scalar(let scalar):
            summary.classes |= 1 << UInt64(ScalarClasses.number(of: scalar)) | nodes[index].classes
            let below = nodes[index].maximumScalars
            summary.scalars = max(summary.scalars, below == .max ? .max : below + 1)
        case .incomplete:
            if nodes[index + 1].firstRank > nodes[index].firstRank {
                summary.classes |= ScalarClasses.partial
                summary.scalars = max(summary.scalars, 1)
            }
            var child = index + 1
            while child < Int(nodes[index].end) {
                add(child, decoder, to: &summary)
                child = Int(nodes[child].end)
            }
        }
    }

    /// The child of `node` for `byte`.
    func child(of node: Int, _ byte: UInt8) -> Int? {
        let wide = nodes[node].wide
        if wide != 0 {
            let record = wideNodes[Int(wide) - 1]
            guard record.bytes.contains(byte) else { return nil }
            return Int(children[Int(record.offset) + record.bytes.rank(of: byte)])
        }
        var child = node + 1
        let end = Int(nodes[node].end)
        while child < end {
            if nodes[child].byte == byte { return child }
            child = Int(nodes[child].end)
        }
        return nil
    }

    /// Whether a token ends at `node`.
    func hasToken(at node: Int) -> Bool { nodes[node + 1].firstRank > nodes[node].firstRank }

    /// The smallest id of the tokens that end at `node`, which must have one.
    func token(at node: Int) -> UInt32 { tokens[Int(nodes[node].firstRank)] }
}

extension ByteSet {
    /// The number of members below `byte`.
    func rank(of byte: UInt8) -> Int {
        let below = (UInt64(1) << UInt64(byte & 63)) &- 1
        switch byte >> 6 {
        case 0: return (words.0 & below).nonzeroBitCount
        case 1: return words.0.nonzeroBitCount + (words.1 & below).nonzeroBitCount
        case 2: return words.0.nonzeroBitCount + words.1.nonzeroBitCount + (words.2 & below).nonzeroBitCount
        default:
            return words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount
                + (words.3 & below).nonzeroBitCount
        }
    }

    /// Whether every member is a member of `other`.
    func isSubset(of other: ByteSet) -> Bool { intersection(other) == self }
}
