// SPDX-License-Identifier: Apache-2.0

/// Builds the flat arrays of a document in the order of the text.
struct TreeBuilder {
    private(set) var tree = Tree()
    /// Children of the containers that are open, innermost last.
    private var pending: [UInt32] = []
    private var open: [(record: UInt32, pending: Int)] = []
    /// Duplicate keys found: the number of the record of the first and of the later key.
    private(set) var duplicates: [(first: UInt32, again: UInt32)] = []

    /// The number of containers that are open.
    var depth: Int { open.count }
    /// The number of records so far.
    var count: Int { tree.records.count }

    mutating func reserve(records: Int) { tree.records.reserveCapacity(records) }

    @inline(__always)
    private var parent: UInt32 { open.last?.record ?? 0 }

    /// Appends a scalar value.
    @inline(__always)
    mutating func scalar(_ kind: Node.Kind, _ flags: Tree.Flags, start: Int, end: Int, first: Int = 0, count: Int = 0) {
        pending.append(UInt32(truncatingIfNeeded: tree.records.count))
        record(kind, flags, start: start, end: end, first: first, count: count)
    }

    /// Appends the key of the next value.
    @inline(__always)
    mutating func key(_ flags: Tree.Flags, start: Int, end: Int, first: Int, count: Int) {
        record(.string, flags.union(.key), start: start, end: end, first: first, count: count)
    }

    @inline(__always)
    private mutating func record(
        _ kind: Node.Kind, _ flags: Tree.Flags, start: Int, end: Int, first: Int, count: Int
    ) {
        // The readers refuse sources beyond the range of the fields.
        tree.records.append(
            Tree.Record(
                kind: kind, flags: flags, parent: parent, start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: end), first: UInt32(truncatingIfNeeded: first),
                count: UInt32(truncatingIfNeeded: count)))
    }

    /// Opens an array or object.
    mutating func begin(_ kind: Node.Kind, start: Int) {
        let number = UInt32(truncatingIfNeeded: tree.records.count)
        pending.append(number)
        record(kind, [], start: start, end: start, first: 0, count: 0)
        open.append((number, pending.count))
    }

    /// Closes the innermost array or object.
    mutating func end(at end: Int) {
        guard let (number, base) = open.popLast() else { return }
        let count = pending.count - base
        let first = tree.children.count
        tree.children.append(contentsOf: pending[base...])
        pending.removeSubrange(base...)
        let index = Int(number)
        tree.records[index].first = UInt32(truncatingIfNeeded: first)
        tree.records[index].count = UInt32(truncatingIfNeeded: count)
        tree.records[index].end = UInt32(truncatingIfNeeded: end)
    }

    /// The kind of the innermost open container.
    var innermost: Node.Kind? { open.last.map { tree.records[Int($0.record)].kind } }
    /// The record of the innermost open container.
    var innermostRecord: Int? { open.last.map { Int($0.record) } }
    /// The start offsets of the open containers, outermost first.
    var openStarts: [(kind: Node.Kind, start: Int)] {
        open.map { (tree.records[Int($0.record)].kind, Int(tree.records[Int($0.record)].start)) }
    }

    /// Stores text that differs from the source and returns its place.
    mutating func store(_ text: some Collection<UInt8>) -> (first: Int, count: Int) {
        let first = tree.texts.count
        tree.texts.append(contentsOf: text)
        return (first, text.count)
    }

    /// Looks for duplicate keys and makes the key table in an object that was just closed.
    mutating func indexKeys(ofRecord index: Int, bytes: UnsafeBufferPointer<UInt8>, reportsDuplicates: Bool = true) {
        let reported = duplicates.count
        defer { if !reportsDuplicates { duplicates.removeSubrange(reported...) } }
        let count = Int(tree.records[index].count)
        let first = Int(tree.records[index].first)
        guard count > 1 else { return }
        if count <= Tree.scanLimit {
            for later in 1..<count {
                let b = Int(tree.children[first + later]) - 1
                for earlier in 0..<later {
                    let a = Int(tree.children[first + earlier]) - 1
                    if tree.records[a].count == tree.records[b].count, sameKey(a, b, bytes) {
                        duplicates.append((UInt32(a), UInt32(b)))
                        break
                    }
                }
            }
            return
        }
        var size = 32
        while size < count * 2 { size *= 2 }
        let offset = tree.keyTables.count
        tree.keyTables.append(contentsOf: repeatElement(0, count: size))
        for position in 0..<count {
            let key = Int(tree.children[first + position]) - 1
            var slot = withKey(key, bytes) { Tree.hash($0) } & (size - 1)
            while tree.keyTables[offset + slot] != 0 {
                let other = Int(tree.children[first + Int(tree.keyTables[offset + slot]) - 1]) - 1
                if tree.records[other].count == tree.records[key].count, sameKey(other, key, bytes) {
                    duplicates.append((UInt32(other), UInt32(key)))
                    break
                }
                slot = (slot + 1) & (size - 1)
            }
            tree.keyTables[offset + slot] = UInt32(position + 1)
        }
        tree.records[index].flags.insert(.keyTable)
        tree.keyTablePlaces[UInt32(index)] = (offset, size)
    }

    @inline(__always)
    private func withKey<R>(
        _ index: Int, _ bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> R
    ) -> R {
        let record = tree.records[index]
        let range = Int(record.first)..<(Int(record.first) + Int(record.count))
        if record.flags.contains(.ownText) {
            return tree.texts.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
        }
        return body(UnsafeBufferPointer(rebasing: bytes[range]))
    }

    /// Takes values out of the innermost open container and returns those that stay.
    mutating func removePending(_ values: [Int]) -> [Int] {
        guard let base = open.last?.pending else { return [] }
        let gone = Set(values.map { UInt32(truncatingIfNeeded: $0) })
        let rest = pending[base...].filter { !gone.contains($0) }
        pending.replaceSubrange(base..., with: rest)
        return rest.map(Int.init)
    }

    /// The key of the member whose value has the number.
    func keyText(ofValue index: Int, bytes: UnsafeBufferPointer<UInt8>) -> String {
        withKey(index - 1, bytes) { String(decoding: $0, as: UTF8.self) }
    }

    private func sameKey(_ a: Int, _ b: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        withKey(a, bytes) { x in withKey(b, bytes) { x.elementsEqual($0) } }
    }

    /// Appends a value. Its place is the one that `places` has for its pointer, else that of the value around it.
    mutating func append(
        _ value: JSONValue, at pointer: JSONPointer = .root, within place: Range<Int> = 0..<0,
        places: [JSONPointer: Range<Int>] = [:], keys: [JSONPointer: Range<Int>] = [:]
    ) {
        let place = places.isEmpty ? place : places[pointer] ?? place
        let (start, end) = (place.lowerBound, place.upperBound)
        func inner(_ token: @autoclosure () -> String) -> JSONPointer {
            places.isEmpty ? pointer : pointer.appending(token())
        }
        switch value {
        case .null: scalar(.null, [], start: start, end: end)
        case .bool(let value): scalar(.bool, value ? .isTrue : [], start: start, end: end)
        case .number(let number):
            let text = store(Array(number.description.utf8))
            scalar(.number, .ownText, start: start, end: end, first: text.first, count: text.count)
        case .string(let string):
            let text = store(Array(string.utf8))
            scalar(.string, .ownText, start: start, end: end, first: text.first, count: text.count)
        case .array(let values):
            begin(.array, start: start)
            for (index, value) in values.enumerated() {
                append(value, at: inner(String(index)), within: place, places: places, keys: keys)
            }
            self.end(at: end)
        case .object(let object):
            begin(.object, start: start)
            for member in object.members {
                let text = store(Array(member.key.utf8))
                let pointer = inner(member.key)
                let keyPlace = keys[pointer] ?? places[pointer] ?? place
                key(
                    .ownText, start: keyPlace.lowerBound, end: keyPlace.upperBound, first: text.first, count: text.count
                )
                append(member.value, at: pointer, within: place, places: places, keys: keys)
            }
            let index = innermostRecord ?? 0
            self.end(at: end)
            indexKeys(ofRecord: index, bytes: UnsafeBufferPointer(start: nil, count: 0))
        }
    }

    /// The finished arrays; every container must be closed.
    consuming func finish() -> Tree {
        precondition(open.isEmpty, "unbalanced tree")
        tree.hasDuplicateKeys = !duplicates.isEmpty
        return tree
    }
}

extension Tree {
    /// A seeded hash, so that no input can make the tables slow.
    static func hash(_ key: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(key))
        return hasher.finalize()
    }
}
