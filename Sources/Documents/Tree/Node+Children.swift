// SPDX-License-Identifier: Apache-2.0

extension Node {
    /// The elements of an array.
    public struct Elements: RandomAccessCollection, Sendable {
        let document: Document
        let base: Int
        public let count: Int

        public var startIndex: Int { 0 }
        public var endIndex: Int { count }

        public subscript(position: Int) -> Node {
            precondition(position >= 0 && position < count, "element index out of range")
            return Node(document: document, index: Int(document.tree.children[base + position]))
        }

        /// The place among the elements of the record with the number; elements are in ascending order.
        func position(of index: Int) -> Int {
            var (low, high) = (0, count)
            while low < high {
                let middle = (low + high) / 2
                if Int(document.tree.children[base + middle]) < index { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// A key with its value.
    public struct Member: Sendable {
        public let value: Node

        /// The key's text.
        public var key: String { keyNode.stringValue ?? "" }
        /// The key as a string node.
        public var keyNode: Node { Node(document: value.document, index: value.index - 1) }
        /// The key's place.
        public var keyRange: SourceRange? { keyNode.range }
        /// The place from the start of the key to the end of the value.
        public var range: SourceRange? {
            guard let start = keyNode.range, let end = value.range else { return nil }
            return SourceRange(file: start.file, start: start.start, end: end.end)
        }
    }

    /// The members of an object, in the order of the text.
    public struct Members: RandomAccessCollection, Sendable {
        let values: Elements

        public var startIndex: Int { 0 }
        public var endIndex: Int { values.count }
        public subscript(position: Int) -> Member { Member(value: values[position]) }
    }

    /// The elements; empty for other kinds than arrays.
    public var elements: Elements {
        let record = record
        let isArray = record.kind == .array
        return Elements(
            document: document, base: isArray ? Int(record.first) : 0, count: isArray ? Int(record.count) : 0)
    }

    /// The members; empty for other kinds than objects.
    public var members: Members {
        let record = record
        let isObject = record.kind == .object
        return Members(
            values: Elements(
                document: document, base: isObject ? Int(record.first) : 0, count: isObject ? Int(record.count) : 0))
    }

    /// The value of the key, or nil where there is none or the node is not an object; the last of duplicates.
    ///
    /// - Complexity: O(1) for large objects, else O(members).
    public subscript(key: String) -> Node? { member(key)?.value }

    /// The member with the key, or nil where there is none or the node is not an object; the last of duplicates.
    public func member(_ key: String) -> Member? {
        guard record.kind == .object else { return nil }
        var copy = key
        return copy.withUTF8 { member(utf8: $0) }
    }

    package func member(utf8 key: UnsafeBufferPointer<UInt8>) -> Member? {
        let record = record
        guard record.kind == .object else { return nil }
        let tree = document.tree
        let base = Int(record.first)
        if record.flags.contains(.keyTable), let table = tree.keyTablePlaces[UInt32(index)] {
            let mask = table.size - 1
            var slot = Tree.hash(key) & mask
            while true {
                let entry = Int(tree.keyTables[table.offset + slot])
                if entry == 0 { return nil }
                let value = Int(tree.children[base + entry - 1])
                if keyEquals(value - 1, key) { return Member(value: Node(document: document, index: value)) }
                slot = (slot + 1) & mask
            }
        }
        var position = Int(record.count)
        while position > 0 {
            position -= 1
            let value = Int(tree.children[base + position])
            if keyEquals(value - 1, key) { return Member(value: Node(document: document, index: value)) }
        }
        return nil
    }

    /// Keys never hold escapes: the readers store their decoded text.
    @inline(__always)
    private func keyEquals(_ index: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let record = document.tree.records[index]
        guard Int(record.count) == key.count else { return false }
        return withText(record) { $0.elementsEqual(key) }
    }
}
