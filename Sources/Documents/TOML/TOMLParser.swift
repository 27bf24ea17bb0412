// SPDX-License-Identifier: Apache-2.0

/// The state of one run of the TOML reader.
struct TOMLParser {
    let bytes: [UInt8]
    let options: ReadOptions
    var at = 0
    var problems: ProblemList
    var syntax = SyntaxTreeBuilder()
    let root: TOMLTable
    /// The table of the last header.
    private var current: TOMLTable
    /// How many keys lead to it.
    private var currentDepth = 0
    /// Tables that dotted keys of this section have made: other sections may not add to them.
    private var opened: [TOMLTable] = []
    /// How deep arrays and inline tables are nested at the moment.
    var depth = 0

    init(_ bytes: [UInt8], _ options: ReadOptions) {
        self.bytes = bytes
        self.options = options
        problems = ProblemList(limit: options.maximumDiagnostics)
        root = TOMLTable(0..<bytes.count)
        current = root
    }

    /// The byte at the cursor; 0 at the end, which no text can hold elsewhere.
    @inline(__always)
    var byte: UInt8 { at < bytes.count ? bytes[at] : 0 }

    func byte(_ offset: Int) -> UInt8 { at + offset < bytes.count ? bytes[at + offset] : 0 }

    @inline(__always)
    mutating func emit(_ kind: SyntaxTree.TokenKind) { syntax.token(kind, to: at) }

    mutating func parse() {
        let document = syntax.begin(.document)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            at = 3
            emit(.mark)
        }
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            problems.add(
                "document.encoding", "the text is in UTF-16, not in UTF-8", 0..<2, help: "convert the file to UTF-8")
            return
        }
        while at < bytes.count, !problems.isFull {
            let start = at
            if !statement() { skipLine() }
            if at == start { at += 1 }
        }
        syntax.end(document)
    }

    /// Reads up to the end of a line; false where something was wrong.
    private mutating func statement() -> Bool {
        skipSpace()
        switch byte {
        case UInt8(ascii: "["): guard header() else { return false }
        case UInt8(ascii: "#"), 0x0A, 0x0D: break
        case 0 where at >= bytes.count: return true
        default: guard entry() else { return false }
        }
        skipSpace()
        guard comment() else { return false }
        if at >= bytes.count || newline() { return true }
        fail(
            "toml.syntax", "expected the end of the line but found \(name())",
            help: "put each entry on a line of its own")
        return false
    }

    /// Goes on at the next line after a mistake.
    private mutating func skipLine() {
        while at < bytes.count, bytes[at] != 0x0A { at += 1 }
        if at < bytes.count { at += 1 }
        emit(.word)
    }

    // MARK: Trivia

    mutating func skipSpace() {
        while byte == 0x20 || byte == 0x09 { at += 1 }
        emit(.space)
    }

    /// Reads a line end.
    mutating func newline() -> Bool {
        if byte == 0x0A {
            at += 1
        } else if byte == 0x0D, byte(1) == 0x0A {
            at += 2
        } else {
            return false
        }
        emit(.newline)
        return true
    }

    /// Reads a comment where there is one.
    mutating func comment() -> Bool {
        guard byte == UInt8(ascii: "#") else { return true }
        while at < bytes.count, bytes[at] != 0x0A, !(bytes[at] == 0x0D && byte(1) == 0x0A) {
            guard text() else { return false }
        }
        emit(.comment)
        return true
    }

    /// White space, line ends and comments, as they may stand in arrays.
    mutating func skipTrivia() -> Bool {
        while true {
            skipSpace()
            guard comment() else { return false }
            if !newline() { return true }
        }
    }

    /// Moves over one character of a comment or string.
    mutating func text() -> Bool {
        let byte = self.byte
        if byte < 0x20 && byte != 0x09 || byte == 0x7F {
            fail("toml.control-character", "control character U+00\(hex(byte)) is not allowed here")
            return false
        }
        if byte < 0x80 {
            at += 1
            return true
        }
        let length = bytes.withUnsafeBufferPointer { UTF8Check.sequenceLength($0, at) }
        guard length > 0 else {
            fail(
                "document.invalid-utf8", "the byte 0x\(hex(byte)) is not part of well-formed UTF-8",
                help: "save the file as UTF-8")
            return false
        }
        at += length
        return true
    }

    // MARK: Statements

    private mutating func header() -> Bool {
        let isElement = byte(1) == UInt8(ascii: "[")
        let node = syntax.begin(isElement ? .tableElement : .table)
        let start = at
        at += isElement ? 2 : 1
        emit(.punctuation)
        skipSpace()
        guard let path = path() else { return false }
        for _ in 0..<(isElement ? 2 : 1) {
            guard byte == UInt8(ascii: "]") else {
                fail("toml.syntax", "expected '\(isElement ? "]]" : "]")' but found \(name())")
                return false
            }
            at += 1
        }
        emit(.punctuation)
        syntax.end(node)
        for table in opened { table.isExplicit = true }
        opened = []
        return isElement ? openElement(path, start..<at) : openTable(path, start..<at)
    }

    private mutating func entry() -> Bool {
        let node = syntax.begin(.member)
        guard let path = path() else { return false }
        guard byte == UInt8(ascii: "=") else {
            fail("toml.syntax", "expected '=' after the key but found \(name())")
            return false
        }
        at += 1
        emit(.punctuation)
        skipSpace()
        guard let value = value() else { return false }
        syntax.end(node)
        return set(path, value, in: current, depth: currentDepth, isSection: true)
    }

    /// Reads a dotted key and the space behind it.
    mutating func path() -> [TOMLKey]? {
        var path: [TOMLKey] = []
        while true {
            guard let key = key() else { return nil }
            path.append(key)
            skipSpace()
            guard byte == UInt8(ascii: ".") else { return path }
            at += 1
            emit(.punctuation)
            skipSpace()
        }
    }

    private mutating func key() -> TOMLKey? {
        let start = at
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            if byte(1) == byte, byte(2) == byte {
                fail("toml.key", "a key cannot be a text of several lines")
                return nil
            }
            guard let scalar = string() else { return nil }
            emit(.key)
            return TOMLKey(text: scalar.text ?? Array(bytes[scalar.place]), range: start..<at)
        default:
            while Self.isBare(byte) { at += 1 }
            guard at > start else {
                fail(
                    "toml.key", "expected a key but found \(name())",
                    help: "keys consist of letters, digits, '_' and '-'; others are written in quotes")
                return nil
            }
            emit(.key)
            return TOMLKey(text: Array(bytes[start..<at]), range: start..<at)
        }
    }

    static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    // MARK: Tables

    /// The table that a path leads to, with those on the way made where they are missing.
    private mutating func table(_ path: ArraySlice<TOMLKey>) -> TOMLTable? {
        var table = root
        for key in path {
            guard let entry = table.entry(key) else {
                let new = TOMLTable(key.range)
                table.add(key, .table(new))
                table = new
                continue
            }
            switch entry.value {
            case .table(let next) where !next.isInline: table = next
            case .tables(let list):
                guard let last = list.tables.last else { return nil }
                table = last
            default:
                redefined(key, entry, "'\(text(key))' is not a table that can be added to")
                return nil
            }
        }
        return table
    }

    private mutating func openTable(_ path: [TOMLKey], _ range: Range<Int>) -> Bool {
        guard isShallow(path, below: 0), let last = path.last, let parent = table(path.dropLast()) else { return false }
        if let entry = parent.entry(last) {
            guard case .table(let table) = entry.value, !table.isInline, !table.isExplicit else {
                redefined(last, entry, "the table '\(text(last))' is defined already")
                return false
            }
            table.isExplicit = true
            table.range = range
            current = table
        } else {
            let table = TOMLTable(range)
            table.isExplicit = true
            parent.add(last, .table(table))
            current = table
        }
        currentDepth = path.count
        return true
    }

    private mutating func openElement(_ path: [TOMLKey], _ range: Range<Int>) -> Bool {
        guard isShallow(path, below: 1), let last = path.last, let parent = table(path.dropLast()) else { return false }
        let table = TOMLTable(range)
        table.isExplicit = true
        if let entry = parent.entry(last) {
            guard case .tables(let list) = entry.value else {
                redefined(last, entry, "'\(text(last))' is defined already, and not by '[[\(text(last))]]'")
                return false
            }
            list.tables.append(table)
        } else {
            let list = TOMLTableList(range)
            list.tables.append(table)
            parent.add(last, .tables(list))
        }
        current = table
        currentDepth = path.count + 1
        return true
    }

    /// Sets a value in a table by a dotted key.
    mutating func set(
        _ path: [TOMLKey], _ value: TOMLValue, in start: TOMLTable, depth: Int, isSection: Bool
    ) -> Bool {
        guard isShallow(path, below: depth), let last = path.last else { return false }
        var table = start
        for key in path.dropLast() {
            guard let entry = table.entry(key) else {
                let new = TOMLTable(key.range, isInline: false)
                table.add(key, .table(new))
                if isSection { opened.append(new) }
                table = new
                continue
            }
            guard case .table(let next) = entry.value, !next.isInline, !next.isExplicit else {
                redefined(key, entry, "'\(text(key))' cannot be added to here")
                return false
            }
            if isSection { opened.append(next) }
            table = next
        }
        if let entry = table.entry(last) {
            problems.add(
                "document.duplicate-key", "duplicate key '\(text(last))'", last.range,
                notes: [("first used here", entry.key.range)], help: "remove or rename one of them")
            return true
        }
        table.add(last, value)
        return true
    }

    private mutating func isShallow(_ path: [TOMLKey], below depth: Int) -> Bool {
        guard path.count + depth <= options.maximumDepth else {
            problems.add(
                "document.too-deep", "tables and arrays are nested more than \(options.maximumDepth) deep",
                path.first?.range ?? 0..<0)
            return false
        }
        return true
    }

    private mutating func redefined(_ key: TOMLKey, _ entry: TOMLTable.Entry, _ message: String) {
        problems.add(
            "toml.redefined", message, key.range, notes: [("first defined here", entry.key.range)],
            help: "a table is defined in one place")
    }

    // MARK: Problems

    mutating func fail(_ id: DiagnosticID, _ message: String, _ range: Range<Int>? = nil, help: String? = nil) {
        let end = min(at + 1, bytes.count)
        problems.add(id, message, range ?? min(at, end)..<end, help: help)
    }

    func text(_ key: TOMLKey) -> String { String(decoding: key.text, as: UTF8.self) }

    func slice(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }

    /// What is at the cursor, for messages.
    func name() -> String {
        guard at < bytes.count else { return "the end of the document" }
        switch bytes[at] {
        case 0x0A, 0x0D: return "the end of the line"
        case 0x21...0x7E: return "'\(slice(at..<(at + 1)))'"
        case 0x80...:
            let length = bytes.withUnsafeBufferPointer { UTF8Check.sequenceLength($0, at) }
            return length == 0 ? "the byte 0x\(hex(bytes[at]))" : "'\(slice(at..<(at + length)))'"
        default: return "the character U+00\(hex(bytes[at]))"
        }
    }
}
