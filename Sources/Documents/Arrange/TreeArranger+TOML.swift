// SPDX-License-Identifier: Apache-2.0

extension TreeArranger {
    /// A header of TOML with the entries below it.
    private struct Section {
        /// The parts of the header's key.
        var key: [String]
        var isElement: Bool
        /// Where its table is in the document.
        var path: JSONPointer
        /// The node of the header; nil for what stands before the first one.
        var header: Int?
        var members: [Int] = []
    }

    /// Arranges the entries and the tables of a TOML document.
    mutating func statements() {
        guard let sections = sections() else { return }
        for section in sections {
            for member in section.members {
                let children = tree.children(of: member)
                guard let value = children.last, let key = entryKey(member) else { continue }
                container(value, section.path.appending(contentsOf: key), isInFlow: true)
            }
            entries(section)
        }
        tables(sections)
    }

    private func entryKey(_ node: Int) -> [String]? {
        var parts: [String] = []
        for token in tree.nodes[node].tokens {
            switch tree.tokens[token].kind {
            case .key:
                guard let name = name(text(token)) else { return nil }
                parts.append(name)
            case .punctuation where isPunctuation(token, UInt8(ascii: "=")): return parts.isEmpty ? nil : parts
            default: continue
            }
        }
        return parts.isEmpty ? nil : parts
    }

    private func sections() -> [Section]? {
        var result = [Section(key: [], isElement: false, path: .root, header: nil)]
        // The elements of arrays of tables so far.
        var counts: [[String]: Int] = [:]
        for node in tree.children(of: 0) {
            let kind = tree.nodes[node].kind
            guard kind == .table || kind == .tableElement else {
                result[result.count - 1].members.append(node)
                continue
            }
            guard let key = entryKey(node) else { return nil }
            var path: [String] = []
            for (number, part) in key.enumerated() {
                path.append(part)
                if number == key.count - 1, kind == .tableElement { counts[path, default: 0] += 1 }
                if let count = counts[path] { path.append(String(count - 1)) }
            }
            result.append(Section(key: key, isElement: kind == .tableElement, path: JSONPointer(path), header: node))
        }
        return result
    }

    // MARK: Entries

    private mutating func entries(_ section: Section) {
        let ranges = section.members.map { tree.range(of: $0) }
        let keys = section.members.compactMap { entryKey($0) }
        guard keys.count == ranges.count else { return }
        let isTop = section.header == nil
        let chunks = chunks(ranges, column: 0, isFirst: true, isTop: isTop)
        guard areApart(chunks) else { return }
        let place: Int
        if let first = chunks.first {
            place = first.range.lowerBound
        } else if let header = section.header {
            let end = tree.range(of: header).upperBound
            place =
                self.chunks([tree.range(of: header).lowerBound..<end], column: 0, isFirst: true, isTop: false)[0]
                .range.upperBound
        } else {
            // Before the first header and its comments.
            let first = tree.children(of: 0).first { tree.nodes[$0].kind != .member }
            place =
                first.map {
                    self.chunks([tree.range(of: $0)], column: 0, isFirst: true, isTop: true)[0].range.lowerBound
                }
                ?? bytes.count
        }
        guard
            let plan = plan(
                keys, section.members.map { tree.nodes[$0].tokens }, isCommented: { chunks[$0].isCommented },
                in: section.path)
        else { return }
        write(place..<(chunks.last?.range.upperBound ?? place), plan, chunks, column: 0, startsLine: true) { member in
            "\(TOMLWriter.key(member.key)) = \(TOMLWriter.inline(member.value))\n"
        }
    }

    // MARK: Tables

    private mutating func tables(_ sections: [Section]) {
        let headers = sections.dropFirst().compactMap(\.header)
        guard headers.count > 1 else { return }
        let isFirst = sections[0].members.isEmpty
        let starts = headers.map { header in
            let start = tree.range(of: header).lowerBound
            return header == headers[0] && isFirst
                ? chunks([start..<start], column: 0, isFirst: true, isTop: true)[0].range.lowerBound
                : behindLastEntry(before: header)
        }
        let last = sections[sections.count - 1]
        let lastNode = last.members.last ?? headers[headers.count - 1]
        let end = chunks([tree.range(of: lastNode)], column: 0, isFirst: false, isTop: false)[0].range.upperBound
        let list = Array(sections.dropFirst())
        let order = arranged(Array(list.indices), list, 0, .root)
        guard order != Array(list.indices) else { return }
        let parts = list.indices.map { number in
            Chunk(
                range: starts[number]..<(number + 1 < starts.count ? starts[number + 1] : end),
                start: tree.range(of: headers[number]).lowerBound)
        }
        write(
            starts[0]..<end, Plan(items: order.map { .old($0) }, additions: []), parts, column: 0, startsLine: true
        ) { _ in "" }
    }

    /// Where the lines begin that belong to a header: behind the line of what is before it.
    private func behindLastEntry(before header: Int) -> Int {
        var token = tree.nodes[header].tokens.lowerBound - 1
        while token >= 0, tree.tokens[token].kind.isTrivia, tree.tokens[token].kind != .mark { token -= 1 }
        guard token >= 0 else { return base }
        var place = tree.tokens[token].range.upperBound
        while place < bytes.count, bytes[place] != 0x0A { place += 1 }
        return min(place + 1, tree.range(of: header).lowerBound)
    }

    /// Sections in the order of their keys; what belongs to an element of an array stays with it.
    // The depth is that of the longest key, which the reader bounds.
    private func arranged(_ numbers: [Int], _ list: [Section], _ depth: Int, _ path: JSONPointer) -> [Int] {
        var result: [Int] = []
        for (name, group) in arrangement.groups(numbers, in: path, { list[$0].key[depth] }) {
            let own = path.appending(name)
            var runs: [[Int]] = [[]]
            for number in group {
                if list[number].isElement, list[number].key.count == depth + 1 { runs.append([]) }
                runs[runs.count - 1].append(number)
            }
            for (index, run) in runs.enumerated() {
                let isElement = runs.count > 1
                result += run.filter { list[$0].key.count == depth + 1 }
                result += arranged(
                    run.filter { list[$0].key.count > depth + 1 }, list, depth + 1,
                    isElement ? own.appending(index - 1) : own)
            }
        }
        return result
    }
}
