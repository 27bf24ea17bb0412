// SPDX-License-Identifier: Apache-2.0

/// Reads damaged YAML line by line and proposes what has to be changed so that it is YAML.
///
/// Mistakes inside of a line (quotes, colons, brackets) are mended where the line alone cannot be right. Indentation is
/// chosen for all lines together: a beam search keeps the cheapest ways to nest the lines so far. What comes out is only a
/// proposal that the strict reader has to confirm.
struct YAMLMender {
    struct Line {
        /// Without the line end.
        var range: Range<Int>
        /// Where its text begins.
        var content: Int
        var indentation: Int
        var tabs: Int
        var isBlank: Bool
        /// Whether it goes on with a text or brackets of lines above.
        var isInside = false
        /// Lines inside of this one's value.
        var tail = 0
        var marker = false
    }

    /// What a line says.
    struct Entry {
        /// Columns from the first dash to what follows it, for each dash.
        var dashes: [Int] = []
        var hasKey = false
        /// Whether nothing follows the key or the dash: the value comes in the next lines.
        var isOpen = false
        /// Whether the value may go on in the next line.
        var isPlain = false
        /// Whether the line is text only: the rest of a value, or a key without its colon.
        var isText = false
        /// Mends that make it a line with a key or a dash, where it is text.
        var asEntry: [TextMend] = []
        var asEntryIsOpen = false
        var canBeEntry = false
        var asEntryHasKey = false
        var entryDashes: [Int] = []
        /// Whether it could be left out: the last line, cut off.
        var mends: [TextMend] = []
    }

    static let maximumLines = 100_000
    static let beam = 24
    /// How many proposals are given.
    static let proposals = 8

    let bytes: [UInt8]
    var lines: [Line] = []
    var entries: [Entry] = []
    var unit = 2
    /// Names behind '&'.
    private var anchors: Set<String> = []
    /// Lines that may still be looked at for the ends of texts and brackets.
    private var lookahead = 1_000_000

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    /// The sets of changes that may make the text YAML, cheapest first.
    static func proposals(_ bytes: [UInt8]) -> [(mends: [TextMend], cost: Int)] {
        var mender = YAMLMender(bytes)
        guard mender.split() else { return [] }
        mender.measure()
        for index in mender.lines.indices { mender.entries.append(mender.entry(index)) }
        return mender.search()
    }

    // MARK: Lines

    private mutating func split() -> Bool {
        var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while at < bytes.count {
            guard lines.count < Self.maximumLines else { return false }
            var end = at
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            let next = min(end + 1, bytes.count)
            if end > at, bytes[end - 1] == 0x0D { end -= 1 }
            var content = at
            var tabs = 0
            while content < end, bytes[content] == 0x20 || bytes[content] == 0x09 {
                if bytes[content] == 0x09 { tabs += 1 }
                content += 1
            }
            let isBlank = content == end || bytes[content] == UInt8(ascii: "#")
            var line = Line(range: at..<end, content: content, indentation: content - at, tabs: tabs, isBlank: isBlank)
            let text = bytes[at..<end]
            line.marker =
                text.starts(with: "---".utf8) && (text.count == 3 || text.dropFirst(3).first == 0x20)
                || text.elementsEqual("...".utf8) || text.first == UInt8(ascii: "%") && lines.allSatisfy(\.isBlank)
            lines.append(line)
            at = next
        }
        return !lines.isEmpty
    }

    /// Finds the width of a level.
    private mutating func measure() {
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "&") {
            let name = bytes[(index + 1)...].prefix(200).prefix { $0 > 0x20 && !"[]{},".utf8.contains($0) }
            if !name.isEmpty { anchors.insert(String(decoding: name, as: UTF8.self)) }
        }
        var counts: [Int: Int] = [:]
        var previous = 0
        for line in lines where !line.isBlank && line.tabs == 0 {
            if line.indentation > previous { counts[line.indentation - previous, default: 0] += 1 }
            previous = line.indentation
        }
        unit = min(8, max(1, counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 2))
        if unit == 1 { unit = 2 }
    }

    // MARK: Entries

    /// Where a comment begins behind a place of a line, or the line's end without spaces.
    private func textEnd(_ start: Int, _ end: Int) -> Int {
        var index = start
        var last = start
        while index < end {
            if bytes[index] == UInt8(ascii: "#"), index > start, bytes[index - 1] == 0x20 || bytes[index - 1] == 0x09 {
                break
            }
            index += 1
            if bytes[index - 1] != 0x20, bytes[index - 1] != 0x09 { last = index }
        }
        return last
    }

    /// The end of the quoted text at the place, behind its closing quote; nil where it does not end before `limit`.
    func quotedEnd(_ start: Int, _ limit: Int) -> Int? {
        let quote = bytes[start]
        var index = start + 1
        while index < limit {
            if bytes[index] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                index += 2
            } else if bytes[index] == quote {
                if quote == UInt8(ascii: "'"), byte(index + 1) == quote, index + 1 < limit {
                    index += 2
                } else {
                    return index + 1
                }
            } else {
                index += 1
            }
        }
        return nil
    }

    /// The key at the place: where it ends, and where its ':' is.
    private func key(_ start: Int, _ end: Int) -> (end: Int, colon: Int)? {
        guard start < end else { return nil }
        var index = start
        switch bytes[start] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            guard let closed = quotedEnd(start, end) else { return nil }
            index = closed
            while index < end, bytes[index] == 0x20 { index += 1 }
            guard byte(index) == UInt8(ascii: ":"), isGap(index + 1, end) else { return nil }
            return (closed, index)
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "}"),
            UInt8(ascii: "]"):
            return nil
        default: break
        }
        while index < end {
            if bytes[index] == UInt8(ascii: ":"), isGap(index + 1, end) { return index > start ? (index, index) : nil }
            if bytes[index] == UInt8(ascii: "#"), index > start, bytes[index - 1] == 0x20 { return nil }
            index += 1
        }
        return nil
    }

    private func isGap(_ place: Int, _ end: Int) -> Bool {
        place >= end || bytes[place] == 0x20 || bytes[place] == 0x09
    }

    /// Whether a later line looks like one of its own: a key or a dash.
    private func looksLikeEntry(_ line: Line) -> Bool {
        if line.isBlank { return false }
        if line.marker { return true }
        if bytes[line.content] == UInt8(ascii: "-"), isGap(line.content + 1, line.range.upperBound) { return true }
        return key(line.content, line.range.upperBound) != nil
    }

    private mutating func entry(_ index: Int) -> Entry {
        let line = lines[index]
        var entry = Entry()
        guard !line.isBlank, !line.isInside, !line.marker else { return entry }
        let end = line.range.upperBound
        var at = line.content
        // Dashes.
        while byte(at) == UInt8(ascii: "-"), at < end, isGap(at + 1, end) {
            var next = at + 1
            while next < end, bytes[next] == 0x20 || bytes[next] == 0x09 { next += 1 }
            if next >= end || bytes[next] == UInt8(ascii: "#") {
                entry.dashes.append(0)
                entry.isOpen = true
                return entry
            }
            entry.dashes.append(next - at)
            at = next
        }
        if let key = key(at, end) {
            entry.hasKey = true
            keyMends(at, key, &entry)
            var start = key.colon + 1
            while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
            value(index, start, end, indentation: line.indentation + (at - line.content), &entry)
            return entry
        }
        if !entry.dashes.isEmpty {
            value(index, at, end, indentation: line.indentation, &entry)
            if entry.isPlain, entry.mends.isEmpty, bytes[at] != UInt8(ascii: "-") {
                asEntry(index, at, end, &entry)
                entry.entryDashes = entry.dashes
                entry.asEntryHasKey = true
            }
            return entry
        }
        entry.isText = true
        entry.isPlain = true
        entry.asEntryHasKey = true
        asEntry(index, at, end, &entry)
        return entry
    }

    /// Quotes of keys that are none in YAML.
    private func keyMends(_ start: Int, _ key: (end: Int, colon: Int), _ entry: inout Entry) {
        if bytes[start] == UInt8(ascii: "@") || bytes[start] == UInt8(ascii: "`") || bytes[start] == UInt8(ascii: "%") {
            let text = String(decoding: bytes[start..<key.end], as: UTF8.self)
            entry.mends.append(
                TextMend(
                    "yaml.quote", "the key must stand in quotes", start..<key.end, Array(YAMLText.quoted(text).utf8)))
        }
    }

    /// How a line of text could be a line with a key: a colon is missing, or the space behind it, or it is '='.
    private mutating func asEntry(_ index: Int, _ start: Int, _ end: Int, _ entry: inout Entry) {
        let last = textEnd(start, end)
        guard last > start else { return }
        if bytes[start] == UInt8(ascii: "-"), start + 1 < last, bytes[start + 1] != UInt8(ascii: "-"),
            !(bytes[start + 1] &- 0x30 < 10)
        {
            entry.canBeEntry = true
            entry.entryDashes = [2]
            entry.asEntryHasKey = false
            entry.asEntry = [
                TextMend("yaml.missing-space", "a space is missing behind '-'", (start + 1)..<(start + 1), [0x20])
            ]
            return
        }
        var word = start
        while word < last, Self.isNameByte(bytes[word]) { word += 1 }
        guard word > start else { return }
        let next = byte(word)
        entry.canBeEntry = true
        if word >= last {
            // A key alone: it has a value only where deeper lines follow.
            entry.asEntry = [
                TextMend("yaml.missing-colon", "a ':' is missing behind the key", word..<word, [UInt8(ascii: ":")])
            ]
            entry.asEntryIsOpen = true
            return
        }
        if next == UInt8(ascii: ":") {
            entry.asEntry = [
                TextMend("yaml.missing-space", "a space is missing behind ':'", (word + 1)..<(word + 1), [0x20])
            ]
            return
        }
        var gap = word
        while gap < last, bytes[gap] == 0x20 || bytes[gap] == 0x09 { gap += 1 }
        if byte(gap) == UInt8(ascii: "=") || byte(gap) == UInt8(ascii: ":") {
            var rest = gap + 1
            if byte(rest) == UInt8(ascii: ">") || byte(rest) == UInt8(ascii: "=") { rest += 1 }
            while rest < last, bytes[rest] == 0x20 { rest += 1 }
            guard rest < last else {
                entry.asEntry = [
                    TextMend(
                        "yaml.separator", "'\(Character(Unicode.Scalar(bytes[gap])))' stands where ':' is meant",
                        word..<last, [UInt8(ascii: ":")])
                ]
                entry.asEntryIsOpen = true
                return
            }
            entry.asEntry = [
                TextMend(
                    "yaml.separator",
                    "'\(String(decoding: bytes[gap..<(gap + 1)], as: UTF8.self))' stands where ': ' is meant",
                    word..<rest, Array(": ".utf8))
            ]
            return
        }
        guard gap > word else {
            entry.canBeEntry = false
            return
        }
        entry.asEntry = [
            TextMend("yaml.missing-colon", "a ':' is missing behind the key", word..<word, [UInt8(ascii: ":")])
        ]
        var value = Entry()
        self.value(index, gap, end, indentation: lines[index].indentation, &value)
        entry.asEntry += value.mends
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        JSONParser.isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/")
            || byte >= 0x80
    }

    // MARK: Values

    /// Notes how a value begins, which lines it takes, and what is wrong with it.
    private mutating func value(_ index: Int, _ start: Int, _ end: Int, indentation: Int, _ entry: inout Entry) {
        guard start < end, bytes[start] != UInt8(ascii: "#") else {
            entry.isOpen = true
            return
        }
        switch bytes[start] {
        case UInt8(ascii: "|"), UInt8(ascii: ">"):
            guard bytes[start..<textEnd(start, end)].allSatisfy({ "|>+-0123456789".utf8.contains($0) }) else { break }
            blockScalar(index, indentation)
            return
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            quoted(index, start, end, &entry)
            return
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            flow(index, start, end, &entry)
            return
        case UInt8(ascii: "&"), UInt8(ascii: "!"):
            // An anchor or a tag before the value.
            var next = start
            while next < end, bytes[next] != 0x20, bytes[next] != 0x09 { next += 1 }
            while next < end, bytes[next] == 0x20 || bytes[next] == 0x09 { next += 1 }
            value(index, next, end, indentation: indentation, &entry)
            return
        case 0xE2, UInt8(ascii: "`"), UInt8(ascii: "@"), UInt8(ascii: "%"), UInt8(ascii: "*"), UInt8(ascii: "]"),
            UInt8(ascii: "}"), UInt8(ascii: ","):
            unquoted(start, end, &entry)
            return
        default: break
        }
        entry.isPlain = true
        // A second ': ' on the line is no key.
        let last = textEnd(start, end)
        var at = start
        while at < last {
            if bytes[at] == UInt8(ascii: ":"), isGap(at + 1, last) {
                let text = String(decoding: bytes[start..<last], as: UTF8.self)
                entry.isPlain = false
                entry.mends.append(
                    TextMend(
                        "yaml.quote", "text with ': ' must stand in quotes", start..<last,
                        Array(YAMLText.quoted(text).utf8)))
                return
            }
            at += 1
        }
    }

    /// Puts a value into quotes that cannot stand without.
    private func unquoted(_ start: Int, _ end: Int, _ entry: inout Entry) {
        let last = textEnd(start, end)
        let text = String(decoding: bytes[start..<last], as: UTF8.self)
        if bytes[start] == 0xE2 {
            let opening: Set<Character> = ["“", "”", "„", "‘", "’", "‚"]
            guard let first = text.first, opening.contains(first), text.count > 1 else {
                entry.isPlain = true
                return
            }
            var inner = text.dropFirst()
            if let tail = inner.last, opening.contains(tail) || tail == "\"" || tail == "'" { inner = inner.dropLast() }
            entry.mends.append(
                TextMend(
                    "yaml.quote", "the text stands in other quotes than '\"'", start..<last,
                    Array(YAMLText.quoted(String(inner)).utf8)))
            return
        }
        if bytes[start] == UInt8(ascii: "*") {
            // An alias is right where its anchor is known.
            let name = text.dropFirst().prefix { $0 != " " }
            if anchors.contains(String(name)) { return }
        }
        entry.mends.append(
            TextMend(
                "yaml.quote", "text that begins with '\(text.prefix(1))' must stand in quotes", start..<last,
                Array(YAMLText.quoted(text).utf8)))
    }

    private mutating func take(_ index: Int, lines count: Int) {
        for line in (index + 1)..<min(lines.count, index + 1 + count) { lines[line].isInside = true }
        lines[index].tail = count
    }

    private mutating func blockScalar(_ index: Int, _ indentation: Int) {
        var count = 0
        var next = index + 1
        while next < lines.count {
            let line = lines[next]
            if line.content < line.range.upperBound, line.indentation <= lines[index].indentation { break }
            next += 1
            if line.content < line.range.upperBound { count = next - index - 1 }
        }
        take(index, lines: count)
    }

    private mutating func quoted(_ index: Int, _ start: Int, _ end: Int, _ entry: inout Entry) {
        let isDouble = bytes[start] == UInt8(ascii: "\"")
        if let closed = quotedEnd(start, end) {
            let last = textEnd(start, end)
            // What stands behind the closing quote is a comment, or the quotes are part of the text.
            let rest = textEnd(closed, end)
            if rest > closed, bytes[closed..<rest].contains(where: { $0 != 0x20 && $0 != 0x09 }) {
                if bytes[closed..<rest].allSatisfy({ $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") || $0 == 0x20 })
                {
                    entry.mends.append(TextMend("yaml.extra-comma", "a ',' follows the text", closed..<rest, []))
                } else {
                    var text = String(decoding: bytes[start..<last], as: UTF8.self)
                    if !isDouble, text.hasSuffix("'"), text.utf8.count > 1 {
                        // An apostrophe inside of single quotes.
                        text = String(text.dropFirst().dropLast())
                    } else if isDouble, text.hasSuffix("\""), text.utf8.count > 1,
                        text.utf8.count(where: { $0 == 0x22 }) % 2 == 0,
                        !text.dropFirst(closed - start).contains(" \"")
                    {
                        text = String(text.dropFirst().dropLast())
                    }
                    entry.mends.append(
                        TextMend(
                            "yaml.quote", "quotes inside of the text", start..<last, Array(YAMLText.quoted(text).utf8)))
                    return
                }
            }
            if isDouble { escapes(start + 1, closed - 1, &entry) }
            return
        }
        // The text may go on in the lines below.
        var next = index + 1
        while next < lines.count, next - index <= 50, lookahead > 0 {
            lookahead -= 1
            let line = lines[next]
            if !line.isBlank, looksLikeEntry(line) { break }
            if line.content < line.range.upperBound, closing(bytes[start], line) != nil {
                take(index, lines: next - index)
                return
            }
            next += 1
        }
        var last = end
        // A comment behind the text: ' # ' is hardly a part of it.
        if let comment = (start..<max(start, end - 2)).first(where: {
            bytes[$0] == 0x20 && bytes[$0 + 1] == UInt8(ascii: "#") && bytes[$0 + 2] == 0x20
        }) {
            last = comment
        }
        while last > start + 1, bytes[last - 1] == 0x20 || bytes[last - 1] == 0x09 { last -= 1 }
        if last > start + 1, bytes[last - 1] == UInt8(ascii: ",") { last -= 1 }
        if isDouble { escapes(start + 1, last, &entry) }
        entry.mends.append(TextMend("yaml.quote", "the closing quote is missing", last..<last, [bytes[start]]))
        if last < end, bytes[last] == UInt8(ascii: ",") {
            entry.mends.append(TextMend("yaml.extra-comma", "a ',' follows the text", last..<(last + 1), [], cost: 2))
        }
    }

    /// Whether a quoted text of the lines above ends on a line.
    private func closing(_ quote: UInt8, _ line: Line) -> Int? {
        var at = line.content
        while at < line.range.upperBound {
            if bytes[at] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                at += 2
            } else if bytes[at] == quote {
                if quote == UInt8(ascii: "'"), byte(at + 1) == quote {
                    at += 2
                } else {
                    return at + 1
                }
            } else {
                at += 1
            }
        }
        return nil
    }

    /// Doubles backslashes that begin no escape.
    private func escapes(_ start: Int, _ end: Int, _ entry: inout Entry) {
        var at = start
        while at < end {
            guard bytes[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            let kind = byte(at + 1)
            let digits =
                kind == UInt8(ascii: "x") ? 2 : (kind == UInt8(ascii: "u") ? 4 : (kind == UInt8(ascii: "U") ? 8 : 0))
            let isHex = (0..<digits).allSatisfy { Character(Unicode.Scalar(byte(at + 2 + $0))).isHexDigit }
            if "0abtnvfre \"/\\N_LPxuU\t".utf8.contains(kind), isHex {
                at += 2
            } else {
                entry.mends.append(
                    TextMend("yaml.escape", "a '\\' that begins no escape", at..<at, [UInt8(ascii: "\\")]))
                at += 1
            }
        }
    }

    /// Follows brackets over lines; closes those that stay open on the line.
    private mutating func flow(_ index: Int, _ start: Int, _ end: Int, _ entry: inout Entry) {
        var open: [UInt8] = []
        var firstLine: (open: [UInt8], end: Int)?
        var line = index
        while line < lines.count, lookahead > 0 {
            lookahead -= 1
            if line > index, !lines[line].isBlank, lines[line].indentation <= lines[index].indentation,
                looksLikeEntry(lines[line]),
                !(bytes[lines[line].content] == UInt8(ascii: "\"") || bytes[lines[line].content] == UInt8(ascii: "'"))
            {
                break
            }
            var at = line == index ? start : lines[line].content
            let limit = lines[line].range.upperBound
            while at < limit {
                switch bytes[at] {
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    guard open.count < JSONMender.maximumDepth else { return }
                    open.append(bytes[at] == UInt8(ascii: "[") ? UInt8(ascii: "]") : UInt8(ascii: "}"))
                case UInt8(ascii: "]"), UInt8(ascii: "}"):
                    guard open.last == bytes[at] else { return }
                    open.removeLast()
                    if open.isEmpty {
                        take(index, lines: line - index)
                        return
                    }
                case UInt8(ascii: "\""), UInt8(ascii: "'"):
                    let before = at > 0 ? bytes[at - 1] : 0x20
                    if before == 0x20 || before == 0x09 || before == 0x0A || "[{,:".utf8.contains(before) {
                        guard let closed = quotedEnd(at, limit) else {
                            if line == index {
                                // The quote is missing on this line.
                                closeFlow(start, end, open, quote: bytes[at], &entry)
                            }
                            return
                        }
                        at = closed - 1
                    }
                case UInt8(ascii: "#") where at > 0 && (bytes[at - 1] == 0x20 || bytes[at - 1] == 0x0A): at = limit
                default: break
                }
                at += 1
            }
            if firstLine == nil { firstLine = (open, limit) }
            line += 1
        }
        guard let firstLine else { return }
        closeFlow(start, end, firstLine.open, quote: nil, &entry)
    }

    private func closeFlow(_ start: Int, _ end: Int, _ open: [UInt8], quote: UInt8?, _ entry: inout Entry) {
        var last = textEnd(start, end)
        if quote == nil, last > start, bytes[last - 1] == UInt8(ascii: ",") {
            entry.mends.append(TextMend("yaml.extra-comma", "a ',' is too many", (last - 1)..<last, [], cost: 2))
        }
        if let quote {
            var place = last
            var rest = open
            while let bracket = rest.last, place > start + 1, bytes[place - 1] == bracket {
                rest.removeLast()
                place -= 1
            }
            entry.mends.append(TextMend("yaml.quote", "the closing quote is missing", place..<place, [quote]))
            if rest.isEmpty { return }
            last = max(last, place)
            entry.mends.append(
                TextMend("yaml.missing-bracket", "a closing bracket is missing", last..<last, rest.reversed()))
            return
        }
        entry.mends.append(
            TextMend(
                "yaml.missing-bracket",
                open.count == 1 ? "a closing bracket is missing" : "closing brackets are missing", last..<last,
                open.reversed()))
    }
}
