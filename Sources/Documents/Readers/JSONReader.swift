// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) strictly.
///
/// With ``ReadOptions/allowsComments`` and ``ReadOptions/allowsTrailingCommas`` it reads JSONC, with
/// ``ReadOptions/allowsJSON5`` JSON5.
///
/// The text must be well-formed UTF-8 and follow the grammar; a byte order mark is skipped. Reading goes on after
/// common mistakes (trailing or missing commas, comments, bad escapes, bad numbers), so that one run reports several.
/// The reader keeps its own stack: depth is bounded by ``ReadOptions/maximumDepth``, never by the thread's stack.
public enum JSONReader {
    /// Reads a document from bytes.
    ///
    /// - Throws: ``DiagnosticsError`` if anything is wrong; warnings alone are kept in ``Document/diagnostics``.
    public static func read(
        _ bytes: [UInt8], file: String? = nil, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> Document {
        let source = SourceText(file: file, bytes: bytes)
        return try read(source, options: options)
    }

    /// Reads a document from a string.
    public static func read(
        _ text: String, file: String? = nil, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> Document {
        try read(Array(text.utf8), file: file, options: options)
    }

    /// Reads a document from a source text.
    public static func read(
        _ source: SourceText, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> Document {
        guard source.bytes.count < Int(UInt32.max) else {
            throw DiagnosticsError([
                Diagnostic("document.too-large", "the document has 4 GiB or more", help: "split it into smaller files")
            ])
        }
        let (tree, problems) = source.bytes.withUnsafeBufferPointer { bytes in
            var parser = JSONParser(bytes, options)
            parser.parse()
            var problems = parser.problems
            let duplicates = parser.builder.duplicates
            let tree: Tree? = parser.isComplete ? parser.builder.finish() : nil
            if let tree {
                problems.add(
                    duplicates: duplicates, in: tree, bytes: bytes, policy: options.duplicateKeys)
            }
            return (tree, problems)
        }
        let diagnostics = problems.problems.isEmpty ? [] : problems.diagnostics(source)
        guard let tree, !problems.hasErrors else { throw DiagnosticsError(diagnostics, sources: [source]) }
        return Document(
            tree: tree, source: source, format: options.allowsJSON5 ? .json5 : options.allowsComments ? .jsonc : .json,
            diagnostics: diagnostics)
    }
}

/// The state of one run of the reader.
struct JSONParser {
    enum Expect { case value, valueOrEnd, keyOrEnd, key, separator, end }

    let bytes: UnsafeBufferPointer<UInt8>
    let options: ReadOptions
    var at = 0
    var builder = TreeBuilder()
    var problems: ProblemList
    /// Whether a whole value was read, with mistakes or without.
    var isComplete = false

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ options: ReadOptions) {
        self.bytes = bytes
        self.options = options
        self.problems = ProblemList(limit: options.maximumDiagnostics)
        // Typical documents have a node for every 10 to 20 bytes.
        builder.reserve(records: min(bytes.count / 16, 1 << 20))
    }

    mutating func parse() {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { at = 3 }
        if bytes.count >= 2, (bytes[0] == 0xFE && bytes[1] == 0xFF) || (bytes[0] == 0xFF && bytes[1] == 0xFE) {
            problems.add(
                "document.encoding", "the text is in UTF-16, not in UTF-8", 0..<2, help: "convert the file to UTF-8")
            return
        }
        var expect = Expect.value
        while true {
            skipSpace()
            if problems.isFull { return }
            guard at < bytes.count else {
                if expect == .end { isComplete = true } else { unexpectedEnd(expect) }
                return
            }
            let next: Expect?
            switch expect {
            case .value: next = value()
            case .valueOrEnd: next = bytes[at] == UInt8(ascii: "]") ? close() : value()
            case .keyOrEnd: next = bytes[at] == UInt8(ascii: "}") ? close() : key()
            case .key: next = key()
            case .separator: next = separator()
            case .end:
                problems.add(
                    "json.trailing-text", "unexpected \(name(at)) after the end of the document", at..<(at + 1),
                    help: "a JSON document is one value")
                return
            }
            guard let next else { return }
            expect = next
        }
    }

    private var afterValue: Expect { builder.depth == 0 ? .end : .separator }

    @inline(__always)
    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            case UInt8(ascii: "/"):
                guard skipComment() else { return }
            default:
                let length = options.allowsJSON5 ? JSON5Text.spaceLength(bytes, at) : 0
                if length == 0 { return }
                at += length
            }
        }
    }

    private mutating func skipComment() -> Bool {
        guard at + 1 < bytes.count else { return false }
        let start = at
        if bytes[at + 1] == UInt8(ascii: "/") {
            while at < bytes.count, bytes[at] != 0x0A, bytes[at] != 0x0D {
                if options.allowsJSON5, JSON5Text.isLineSeparator(bytes, at) { break }
                at += 1
            }
        } else if bytes[at + 1] == UInt8(ascii: "*") {
            at += 2
            while at + 1 < bytes.count, !(bytes[at] == UInt8(ascii: "*") && bytes[at + 1] == UInt8(ascii: "/")) {
                at += 1
            }
            if at + 1 >= bytes.count, options.allowsComments {
                problems.add(
                    "json.unterminated-comment", "the comment does not end", start..<(start + 2),
                    help: "add a closing '*/'")
            }
            at = min(at + 2, bytes.count)
        } else {
            return false
        }
        if options.allowsComments {
            checkText(start..<at)
        } else {
            problems.add("json.comment", "comments are not part of JSON", start..<at, help: "remove the comment")
        }
        return true
    }

    private mutating func value() -> Expect? {
        let start = at
        if options.allowsJSON5 {
            switch value5() {
            case .read: return afterValue
            case .failed: return nil
            case .other: break
            }
        }
        switch bytes[at] {
        case UInt8(ascii: "\""):
            guard let text = string() else { return nil }
            builder.scalar(
                .string, text.escapes ? .escapes : [], start: start, end: at, first: start + 1, count: text.count)
            return afterValue
        case UInt8(ascii: "{"): return begin(.object) ? .keyOrEnd : nil
        case UInt8(ascii: "["): return begin(.array) ? .valueOrEnd : nil
        case UInt8(ascii: "-"), 0x30...0x39: return number() ? afterValue : nil
        case UInt8(ascii: "t"):
            if literal("true") {
                builder.scalar(.bool, .isTrue, start: start, end: at)
                return afterValue
            }
        case UInt8(ascii: "f"):
            if literal("false") {
                builder.scalar(.bool, [], start: start, end: at)
                return afterValue
            }
        case UInt8(ascii: "n"):
            if literal("null") {
                builder.scalar(.null, [], start: start, end: at)
                return afterValue
            }
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            if builder.innermost == .array, bytes[at] == UInt8(ascii: "]") {
                trailingComma()
                return close()
            }
        default: break
        }
        return badValue()
    }

    private mutating func begin(_ kind: Node.Kind) -> Bool {
        guard builder.depth < options.maximumDepth else {
            problems.add(
                "document.too-deep", "arrays and objects are nested more than \(options.maximumDepth) deep",
                at..<(at + 1))
            return false
        }
        builder.begin(kind, start: at)
        at += 1
        return true
    }

    private mutating func close() -> Expect? {
        let record = builder.innermostRecord ?? 0
        let isObject = builder.innermost == .object
        at += 1
        builder.end(at: at)
        if isObject { builder.indexKeys(ofRecord: record, bytes: bytes) }
        return afterValue
    }

    private mutating func separator() -> Expect? {
        let inObject = builder.innermost == .object
        switch bytes[at] {
        case UInt8(ascii: ","):
            at += 1
            return inObject ? .key : .value
        case UInt8(ascii: "]") where !inObject: return close()
        case UInt8(ascii: "}") where inObject: return close()
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            let open = builder.openStarts.last?.start ?? 0
            problems.add(
                "json.syntax", "expected \(inObject ? "'}'" : "']'") but found \(name(at))", at..<(at + 1),
                notes: [("opened here", open..<(open + 1))])
            return nil
        case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "-"), 0x30...0x39,
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            problems.add(
                "json.missing-comma", "expected ',' or \(inObject ? "'}'" : "']'") but found \(name(at))",
                at..<(at + 1),
                help: "put a ',' between \(inObject ? "members" : "elements")")
            return inObject ? .key : .value
        default:
            problems.add(
                "json.syntax", "expected ',' or \(inObject ? "'}'" : "']'") but found \(name(at))", at..<(at + 1))
            return nil
        }
    }

    private mutating func key() -> Expect? {
        let start = at
        if options.allowsJSON5, let isRead = key5() { return isRead ? colon() : nil }
        switch bytes[at] {
        case UInt8(ascii: "\""):
            guard let text = string() else { return nil }
            storeKey(text, start: start)
        case UInt8(ascii: "}"):
            trailingComma()
            return close()
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "$"):
            skipWord()
            problems.add(
                "json.key", "keys must be strings in double quotes", start..<at, help: "write \"\(slice(start..<at))\"")
            builder.key([], start: start, end: at, first: start, count: at - start)
        default:
            problems.add("json.syntax", "expected a key in double quotes but found \(name(at))", at..<(at + 1))
            return nil
        }
        return colon()
    }

    private mutating func colon() -> Expect? {
        skipSpace()
        guard at < bytes.count else {
            unexpectedEnd(.key)
            return nil
        }
        guard bytes[at] == UInt8(ascii: ":") else {
            problems.add("json.syntax", "expected ':' after the key but found \(name(at))", at..<(at + 1))
            return nil
        }
        at += 1
        return .value
    }

    private mutating func storeKey(_ text: (count: Int, escapes: Bool), start: Int) {
        guard text.escapes else {
            builder.key([], start: start, end: at, first: start + 1, count: text.count)
            return
        }
        let raw = UnsafeBufferPointer(rebasing: bytes[(start + 1)..<(start + 1 + text.count)])
        let stored = builder.store(JSONEscapes.decodeBytes(raw))
        builder.key(.ownText, start: start, end: at, first: stored.first, count: stored.count)
    }

    private mutating func literal(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard at + length <= bytes.count else { return false }
        for index in 0..<length where bytes[at + index] != word.utf8Start[index] { return false }
        if at + length < bytes.count, Self.isWord(bytes[at + length]) { return false }
        at += length
        return true
    }
}
