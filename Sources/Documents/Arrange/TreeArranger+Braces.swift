// SPDX-License-Identifier: Apache-2.0

extension TreeArranger {
    private struct Comment {
        var range: Range<Int>
        /// The line ends before it, since the last token that is no space.
        var newlinesBefore: Int
        var isLine: Bool
    }

    /// What stands between two tokens that count.
    private struct Gap {
        var comments: [Comment] = []
        /// The line ends behind the last comment.
        var newlines = 0

        var isOnOneLine: Bool { newlines == 0 && comments.allSatisfy { $0.newlinesBefore == 0 } }

        /// Takes away the comments that stand on the line of what is before them, if that line ends there.
        mutating func takeLine() -> [Comment] {
            guard !isOnOneLine else { return [] }
            let own = comments.prefix { $0.newlinesBefore == 0 }
            comments.removeFirst(own.count)
            return Array(own)
        }
    }

    private struct Entry {
        /// What stands before it, beginning with its line.
        var lead = Gap()
        var body = 0..<0
        /// Comments behind it, on its line.
        var tail: [Comment] = []

        var isCommented: Bool { !lead.comments.isEmpty || !tail.isEmpty }
    }

    private func gap(_ at: inout Int, _ end: Int) -> Gap {
        var result = Gap()
        while at < end, tree.tokens[at].kind.isTrivia {
            switch tree.tokens[at].kind {
            case .newline: result.newlines += 1
            case .comment:
                let isLine = format == .yaml || format == .toml || text(at).dropFirst().first == UInt8(ascii: "/")
                result.comments.append(
                    Comment(range: tree.tokens[at].range, newlinesBefore: result.newlines, isLine: isLine))
                result.newlines = 0
            default: break
            }
            at += 1
        }
        return result
    }

    /// Arranges the members between braces.
    mutating func braced(_ node: Int, _ members: [Int], _ keys: [[String]], _ path: JSONPointer) {
        let own = tree.nodes[node].tokens
        guard let open = own.first, let close = own.last, open < close else { return }
        var entries: [Entry] = []
        var at = open + 1
        var before = gap(&at, close)
        var opening: [Comment] = []
        if members.isEmpty {
            opening = before.comments
            before.comments = []
        } else {
            opening = before.takeLine()
        }
        for (number, member) in members.enumerated() {
            // Flow mappings of YAML have members without values, and all of them have nodes.
            guard tree.nodes[member].tokens.lowerBound == at, let last = tree.nodes[member].tokens.last else {
                return note("format.layout", "the members stay as they are", tree.range(of: node))
            }
            var entry = Entry(lead: before, body: tree.range(of: member))
            at = last + 1
            before = gap(&at, close)
            let isLast = number == members.count - 1
            if at < close, isPunctuation(at, UInt8(ascii: ",")) {
                // `1 /* one */, // too`
                entry.tail = before.comments
                at += 1
                before = gap(&at, close)
            }
            if isLast, before.isOnOneLine {
                entry.tail += before.comments
                before.comments = []
            } else {
                entry.tail += before.takeLine()
            }
            entries.append(entry)
        }
        guard at == close,
            let plan = plan(
                keys, members.map { tree.nodes[$0].tokens }, isCommented: { entries[$0].isCommented }, in: path)
        else { return }
        write(node, plan, entries, opening: opening, end: before)
    }

    private mutating func write(_ node: Int, _ plan: Plan, _ entries: [Entry], opening: [Comment], end: Gap) {
        let range = tree.range(of: node)
        let isOnOneLine =
            end.isOnOneLine && end.comments.isEmpty && opening.isEmpty
            && entries.allSatisfy { entry in
                entry.lead.isOnOneLine && !(entry.lead.comments + entry.tail).contains { $0.isLine || isLong($0.range) }
            }
        // Lines begin as those of the members do, and the last one as that of the bracket.
        let first = entries.first { indentation($0.body.lowerBound) != nil }
        let ownLine = first.flatMap { indentation($0.body.lowerBound) }
        let line = lineEnd + (ownLine ?? spaces(format == .yaml ? column(range.lowerBound, limit: 198) + 2 : 2))
        let lastLine = lineEnd + (indentation(range.upperBound - 1) ?? Array(line.dropFirst(lineEnd.count).dropLast(2)))
        let isWide = bytes[range.lowerBound + 1] == 0x20
        var pieces = [Rearrangement.Piece.text([UInt8(ascii: "{")])]
        func add(_ comments: [Comment]) {
            // What follows behind a comment that ends its line would be a part of it.
            var isOpen = true
            for comment in comments {
                pieces += [.text(isOpen ? [0x20] : line), .source(comment.range)]
                isOpen = !comment.isLine
            }
        }
        add(opening)
        for (place, item) in plan.items.enumerated() {
            let isLast = place == plan.items.count - 1
            if isOnOneLine, place > 0 || isWide { pieces.append(.text([0x20])) }
            switch item {
            case .new(let number):
                if !isOnOneLine { pieces.append(.text(line)) }
                pieces.append(.text(Array(member(plan.additions[number]).utf8)))
                if !isLast { pieces.append(.text([UInt8(ascii: ",")])) }
            case .old(let number):
                let entry = entries[number]
                for comment in entry.lead.comments {
                    let isBlank = comment.newlinesBefore > 1 && place > 0
                    if !isOnOneLine { pieces.append(.text(isBlank ? lineEnd + line : line)) }
                    pieces.append(.source(comment.range))
                    if isOnOneLine { pieces.append(.text([0x20])) }
                }
                if !isOnOneLine {
                    let isJoined = entry.lead.newlines == 0 && entry.lead.comments.last.map { !$0.isLine } ?? false
                    let isBlank = entry.lead.newlines > 1 && (place > 0 || !entry.lead.comments.isEmpty)
                    pieces.append(.text(isJoined ? [0x20] : isBlank ? lineEnd + line : line))
                }
                pieces.append(.source(entry.body))
                // Between the comma and the end of the line the layout knows one comment only.
                add(entry.tail.filter { !$0.isLine })
                // `a:,` is a text of YAML.
                let isValueless = format == .yaml && bytes[entry.body.upperBound - 1] == UInt8(ascii: ":")
                if !isLast { pieces.append(.text(Array((isValueless ? " ," : ",").utf8))) }
                add(entry.tail.filter(\.isLine))
            }
        }
        for comment in end.comments {
            pieces += [
                .text(comment.newlinesBefore > 1 && !plan.items.isEmpty ? lineEnd + line : line),
                .source(comment.range),
            ]
        }
        if isOnOneLine {
            if !plan.items.isEmpty, isWide { pieces.append(.text([0x20])) }
        } else {
            pieces.append(.text(lastLine))
        }
        pieces.append(.text([UInt8(ascii: "}")]))
        change(range, pieces)
    }

    /// The white space before a place that begins its line; nil for other places.
    ///
    /// - Complexity: O(white space), however long the line is.
    private func indentation(_ place: Int) -> [UInt8]? {
        var start = place
        while start > base, bytes[start - 1] == 0x20 || bytes[start - 1] == 0x09 { start -= 1 }
        guard start > base, bytes[start - 1] == 0x0A || bytes[start - 1] == 0x0D else { return nil }
        return Array(bytes[start..<place])
    }

    /// The bytes before a place on its line, of which no more than `limit` are counted.
    private func column(_ place: Int, limit: Int) -> Int {
        var start = place
        while start > base, place - start < limit, bytes[start - 1] != 0x0A, bytes[start - 1] != 0x0D { start -= 1 }
        return place - start
    }

    private func isLong(_ range: Range<Int>) -> Bool { bytes[range].contains { $0 == 0x0A || $0 == 0x0D } }

    /// A new member between braces.
    private func member(_ member: JSONObject.Member) -> String {
        switch format {
        case .toml: "\(TOMLWriter.key(member.key)) = \(TOMLWriter.inline(member.value))"
        case .yaml:
            "\(YAMLText.flowKey(member.key)): "
                + (member.value.stringValue.map { YAMLText.flowKey($0) }
                    ?? JSONWriter(style: .spaced).write(member.value))
        case .json, .jsonc, .json5, .jsonl:
            "\(JSONWriter.quoted(member.key)): \(JSONWriter(style: .spaced).write(member.value))"
        }
    }
}

extension YAMLText {
    /// A key between braces.
    static func flowKey(_ text: String) -> String {
        isPlain(text) && !text.contains(where: { ",[]{}".contains($0) }) ? text : quoted(text)
    }
}
