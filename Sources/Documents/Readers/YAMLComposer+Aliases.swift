// SPDX-License-Identifier: Apache-2.0

extension YAMLComposer {
    /// Puts a copy of the anchored node in the place of an alias; copies keep the places of the original.
    mutating func alias(_ name: String, _ range: Range<Int>) -> Bool {
        guard let anchor = anchors[ScalarString(name)] else {
            problems.add("yaml.unknown-alias", "there is no anchor '&\(name)' before this alias", range)
            return false
        }
        guard !anchor.isOpen else {
            problems.add("yaml.recursive-alias", "'*\(name)' is used inside the node that it stands for", range)
            return false
        }
        if let scalar = anchor.scalar {
            guard spend(1, range) else { return false }
            append(scalar)
            return true
        }
        if let frame = frames.last, frame.isMapping, frame.expectsKey {
            problems.add("yaml.complex-key", "'*\(name)' is not text and cannot be a key", range)
            return false
        }
        let record = builder.count
        guard copy(anchor.record, range) else { return false }
        valueEnded(at: range.upperBound, record: record)
        return true
    }

    private mutating func spend(_ nodes: Int, _ range: Range<Int>) -> Bool {
        expanded += nodes
        guard expanded <= options.aliasBudget else {
            problems.add(
                "yaml.alias-budget", "aliases expand to more than \(options.aliasBudget) nodes", range,
                help: "write fewer nested aliases")
            return false
        }
        return true
    }

    /// Copies the subtree of a record to the end. The recursion is bounded by the depth limit.
    private mutating func copy(_ index: Int, _ range: Range<Int>) -> Bool {
        guard spend(1, range) else { return false }
        let record = builder.tree.records[index]
        guard record.kind == .array || record.kind == .object else {
            builder.scalar(
                record.kind, record.flags.subtracting(.key), start: Int(record.start), end: Int(record.end),
                first: Int(record.first), count: Int(record.count))
            return true
        }
        guard builder.depth < options.maximumDepth else {
            problems.add(
                "document.too-deep", "with this alias, nodes are nested more than \(options.maximumDepth) deep", range)
            return false
        }
        builder.begin(record.kind, start: Int(record.start))
        let copyIndex = builder.count - 1
        for position in Int(record.first)..<(Int(record.first) + Int(record.count)) {
            let child = Int(builder.tree.children[position])
            if record.kind == .object { copyKey(child - 1) }
            guard copy(child, range) else { return false }
        }
        builder.end(at: Int(record.end))
        if record.kind == .object { builder.indexKeys(ofRecord: copyIndex, bytes: bytes, reportsDuplicates: false) }
        return true
    }

    private mutating func copyKey(_ index: Int) {
        let key = builder.tree.records[index]
        builder.key(key.flags, start: Int(key.start), end: Int(key.end), first: Int(key.first), count: Int(key.count))
    }

    /// Replaces the `<<` members of the mapping that ends by the members of the mappings they name; own keys win, then
    /// earlier mappings.
    mutating func merge(_ frame: Frame) -> Bool {
        var sources: [Int] = []
        for value in frame.merges {
            let record = builder.tree.records[value]
            let place = Int(record.start)..<max(Int(record.start), Int(record.end))
            if record.kind == .object {
                sources.append(value)
                continue
            }
            let items =
                record.kind == .array
                ? (Int(record.first)..<(Int(record.first) + Int(record.count))).map { Int(builder.tree.children[$0]) }
                : []
            guard record.kind == .array, items.allSatisfy({ builder.tree.records[$0].kind == .object }) else {
                problems.add("yaml.merge", "'<<' needs a mapping or a sequence of mappings", place)
                return false
            }
            sources += items
        }
        var known = Set<ScalarString>()
        for value in builder.removePending(frame.merges) {
            known.insert(ScalarString(builder.keyText(ofValue: value, bytes: bytes)))
        }
        for source in sources {
            let record = builder.tree.records[source]
            for position in Int(record.first)..<(Int(record.first) + Int(record.count)) {
                let value = Int(builder.tree.children[position])
                guard known.insert(ScalarString(builder.keyText(ofValue: value, bytes: bytes))).inserted else {
                    continue
                }
                copyKey(value - 1)
                let start = Int(builder.tree.records[value].start)
                guard copy(value, start..<start) else { return false }
            }
        }
        return true
    }
}
