// SPDX-License-Identifier: Apache-2.0

/// Members that stand on lines of their own: block mappings of YAML, and TOML.
extension TreeArranger {
    /// A part of the text that goes from one member to the next.
    struct Chunk {
        /// From the beginning of a line, the comments and blank lines before the member included, to that of another;
        /// the first member of a YAML mapping may begin within a line.
        var range: Range<Int>
        /// Where the member itself begins.
        var start: Int
        var isCommented = false
    }

    /// Arranges a block mapping of YAML.
    mutating func block(_ node: Int, _ members: [Int], _ keys: [[String]], _ path: JSONPointer) {
        let ranges = members.map { tree.range(of: $0) }
        guard let first = ranges.first?.lowerBound else { return }
        let lead = bytes[lineStart(first)..<first]
        let column = lead.count
        let startsLine = lead.allSatisfy { $0 == 0x20 }
        let chunks = chunks(ranges, column: column, isFirst: startsLine, isTop: path.tokens.isEmpty)
        // What else stands before the first member on its line may have a width of its own.
        let isRegular =
            areApart(chunks) && lead.allSatisfy { $0 < 0x80 && $0 != 0x09 } && !members.contains { endsInOpenText($0) }
            && ranges.dropFirst().allSatisfy {
                bytes[lineStart($0.lowerBound)..<$0.lowerBound].elementsEqual(spaces(column))
            }
        let before = self
        guard
            let plan = plan(
                keys, members.map { tree.nodes[$0].tokens }, isCommented: { chunks[$0].isCommented }, in: path),
            let region = chunks.first.map({ $0.range.lowerBound..<(chunks.last?.range.upperBound ?? 0) })
        else { return }
        guard isRegular else {
            self = before
            return note("format.layout", "the members of this mapping stay as they are", tree.range(of: node))
        }
        if plan.items.isEmpty {
            return change(region, [.text((startsLine ? spaces(column) : []) + Array("{}".utf8) + lineEnd)])
        }
        let writer = YAMLWriter(indent: 2)
        write(region, plan, chunks, column: column, startsLine: startsLine) { member in
            writer.write(.object([member.key: member.value]))
        }
    }

    /// Whether a member ends with a block of text that takes in what follows: with `|+` all empty lines, without a line
    /// end at the end of the text all that comes.
    private func endsInOpenText(_ member: Int) -> Bool {
        let strings = tree.nodes[member].tokens.suffix(4).filter { tree.tokens[$0].kind == .string }
        guard let last = strings.last, tree.nodes[member].tokens.last == last else { return false }
        let text = tree.tokens[last].range.upperBound
        let end = text + YAMLLines.breakLength(bytes, text)
        return strings.contains { token in
            let first = self.text(token).first
            guard first == UInt8(ascii: "|") || first == UInt8(ascii: ">") else { return false }
            let scalar = YAMLBlockScalar(bytes, tree.tokens[token].range.lowerBound..<end, parent: 0)
            return scalar.isOpen || scalar.chomping == .keep || scalar.lines.isEmpty
        }
    }

    /// The chunks of members in the order of the text.
    ///
    /// - Parameters:
    ///   - isFirst: Whether comments above the first member go with it.
    ///   - isTop: Whether it is the first of the whole text, above which a header may stand.
    func chunks(_ ranges: [Range<Int>], column: Int, isFirst: Bool, isTop: Bool) -> [Chunk] {
        var result: [Chunk] = []
        var at = ranges.first.map { isFirst ? leadStart($0.lowerBound, isTop: isTop) : $0.lowerBound } ?? 0
        for (number, range) in ranges.enumerated() {
            let end = tail(
                range.upperBound, column: column, limit: number + 1 < ranges.count ? ranges[number + 1].lowerBound : nil
            )
            // Where members share a line the one before it goes too far: see ``areApart(_:)``.
            let start = min(at, range.lowerBound)
            var chunk = Chunk(range: start..<max(start, end), start: range.lowerBound)
            chunk.isCommented =
                bytes[start..<range.lowerBound].contains(UInt8(ascii: "#"))
                || bytes[min(range.upperBound, chunk.range.upperBound)..<chunk.range.upperBound]
                    .contains(UInt8(ascii: "#"))
            result.append(chunk)
            at = chunk.range.upperBound
        }
        return result
    }

    /// Whether each chunk ends before the next member begins.
    func areApart(_ chunks: [Chunk]) -> Bool {
        zip(chunks, chunks.dropFirst()).allSatisfy { $0.range.upperBound <= $1.start }
    }

    /// Where the comments begin that stand directly above the first member.
    private func leadStart(_ member: Int, isTop: Bool) -> Int {
        let own = lineStart(member)
        var start = own
        var isHeader = false
        while start > base {
            var end = start - 1
            if end > base, bytes[end] == 0x0A, bytes[end - 1] == 0x0D { end -= 1 }
            let begin = lineStart(end)
            let line = bytes[begin..<end].drop { $0 == 0x20 || $0 == 0x09 }
            guard line.first == UInt8(ascii: "#") else { break }
            // The first lines of a text say something about all of it.
            if isTop, Self.isHeader(line) { isHeader = true }
            if isHeader { return begin == start ? own : start }
            start = begin
        }
        return start
    }

    /// Whether a comment is for programs, or says whose the text is.
    private static func isHeader(_ line: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        return text.hasPrefix("#!") || text.hasPrefix("#:")
            || ["yaml-language-server:", "$schema:", "SPDX-", "Copyright", "-*-", "vim:"].contains { text.contains($0) }
    }

    /// Where a member's last line ends: behind comments on it, and behind those below that stand further to the right.
    private func tail(_ end: Int, column: Int, limit: Int?) -> Int {
        // A block of text ends with its line.
        if end > 0, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D, end <= bytes.count {
            return deepComments(end, column: column, limit: limit)
        }
        var at = end
        while at < bytes.count, bytes[at] != 0x0A, bytes[at] != 0x0D { at += 1 }
        at += YAMLLines.breakLength(bytes, at)
        return deepComments(at, column: column, limit: limit)
    }

    private func deepComments(_ start: Int, column: Int, limit: Int?) -> Int {
        guard format == .yaml else { return start }
        var end = start
        var at = start
        while at < min(limit ?? bytes.count, bytes.count) {
            var next = at
            while next < bytes.count, bytes[next] != 0x0A, bytes[next] != 0x0D { next += 1 }
            let line = bytes[at..<next]
            let own = line.prefix { $0 == 0x20 || $0 == 0x09 }.count
            next += YAMLLines.breakLength(bytes, next)
            if own < line.count {
                guard line.dropFirst(own).first == UInt8(ascii: "#"), own > column else { break }
                end = next
            }
            guard next > at else { break }
            at = next
        }
        return end
    }

    /// Writes chunks in a new order.
    ///
    /// - Parameters:
    ///   - startsLine: Whether the first chunk begins with its line.
    ///   - render: The lines of a new member.
    mutating func write(
        _ region: Range<Int>, _ plan: Plan, _ chunks: [Chunk], column: Int, startsLine: Bool,
        render: (JSONObject.Member) -> String
    ) {
        var pieces: [Rearrangement.Piece] = []
        for (place, item) in plan.items.enumerated() {
            let isInline = place == 0 && !startsLine
            switch item {
            case .new(let number):
                var lines: [UInt8] = []
                for (index, line) in render(plan.additions[number]).utf8
                    .split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().enumerated()
                {
                    if !line.isEmpty, !(isInline && index == 0) { lines += spaces(column) }
                    lines += Array(line) + lineEnd
                }
                pieces.append(.text(lines))
            case .old(let number):
                let chunk = chunks[number]
                let isCut = number == 0 && !startsLine
                if isInline, !isCut {
                    // Comments above it need lines of their own.
                    let hasLead = bytes[chunk.range.lowerBound..<chunk.start].contains(UInt8(ascii: "#"))
                    if hasLead { pieces.append(.text(lineEnd)) }
                    let start = hasLead ? withoutBlankLines(chunk) : chunk.start
                    pieces.append(.source(start..<chunk.range.upperBound))
                } else {
                    if isCut, !isInline { pieces.append(.text(spaces(column))) }
                    let start = place == 0 && !isCut ? withoutBlankLines(chunk) : chunk.range.lowerBound
                    pieces.append(.source(start..<chunk.range.upperBound))
                }
                // The last line of the text may have no end.
                if place < plan.items.count - 1, let last = bytes[chunk.range].last, last != 0x0A, last != 0x0D {
                    pieces.append(.text(lineEnd))
                }
            }
        }
        if region.lowerBound > base, startsLine, let last = bytes[..<region.lowerBound].last, last != 0x0A, last != 0x0D
        {
            pieces.insert(.text(lineEnd), at: 0)
        }
        change(region, pieces)
    }

    private func withoutBlankLines(_ chunk: Chunk) -> Int {
        var start = chunk.range.lowerBound
        var at = start
        while at < chunk.start {
            let length = YAMLLines.breakLength(bytes, at)
            if length > 0 {
                at += length
                start = at
            } else if bytes[at] == 0x20 || bytes[at] == 0x09 {
                at += 1
            } else {
                break
            }
        }
        return min(start, chunk.start)
    }
}
