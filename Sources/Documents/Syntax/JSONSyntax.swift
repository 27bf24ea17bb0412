// SPDX-License-Identifier: Apache-2.0

/// Reads JSON, with comments and trailing commas where asked for, into a tree that keeps every byte.
public enum JSONSyntax {
    /// Reads a document's value and its syntax.
    ///
    /// - Throws: ``DiagnosticsError`` as ``JSONReader`` does.
    public static func read(
        _ source: SourceText, options: ReadOptions = .commented
    ) throws(DiagnosticsError) -> (document: Document, tree: SyntaxTree) {
        let document = try JSONReader.read(source, options: options)
        var scanner = JSONSyntaxScanner(source.bytes)
        scanner.scan()
        return (document, scanner.builder.finish(source))
    }
}

/// Takes a text apart that the reader has found to be right.
private struct JSONSyntaxScanner {
    let bytes: [UInt8]
    var builder = SyntaxTreeBuilder()
    private var at = 0
    private var open: [Int] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func scan() {
        let document = builder.begin(.document)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { emit(.mark, 3) }
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09:
                emit(.space, bytes[at...].firstIndex { $0 != 0x20 && $0 != 0x09 } ?? bytes.count)
            case 0x0D where at + 1 < bytes.count && bytes[at + 1] == 0x0A: emit(.newline, at + 2)
            case 0x0A, 0x0D: emit(.newline, at + 1)
            case UInt8(ascii: "/"): emit(.comment, endOfComment())
            case UInt8(ascii: "\""): string()
            case UInt8(ascii: "{"): opening(.object)
            case UInt8(ascii: "["): opening(.array)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                endMember()
                emit(.punctuation, at + 1)
                if let node = open.popLast() { builder.end(node) }
            case UInt8(ascii: ","):
                endMember()
                emit(.punctuation, at + 1)
            case UInt8(ascii: ":"): emit(.punctuation, at + 1)
            case UInt8(ascii: "-"), 0x30...0x39: emit(.number, endOfWord())
            default: emit(.word, max(endOfWord(), at + 1))
            }
        }
        builder.end(document)
    }

    private mutating func emit(_ kind: SyntaxTree.TokenKind, _ end: Int) {
        builder.token(kind, to: end)
        at = end
    }

    private mutating func opening(_ kind: SyntaxTree.NodeKind) {
        open.append(builder.begin(kind))
        emit(.punctuation, at + 1)
    }

    /// Ends the innermost node where it is a member.
    private mutating func endMember() {
        guard let last = open.last, builder.nodes[last].kind == .member else { return }
        builder.end(last)
        open.removeLast()
    }

    private mutating func string() {
        // Directly inside of an object there are keys only.
        let isKey = open.last.map { builder.nodes[$0].kind == .object } ?? false
        if isKey { open.append(builder.begin(.member)) }
        var end = at + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
        emit(isKey ? .key : .string, min(end + 1, bytes.count))
    }

    private func endOfComment() -> Int {
        guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "*") else {
            return bytes[at...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
        }
        var end = at + 2
        while end + 1 < bytes.count, !(bytes[end] == UInt8(ascii: "*") && bytes[end + 1] == UInt8(ascii: "/")) {
            end += 1
        }
        return min(end + 2, bytes.count)
    }

    private func endOfWord() -> Int {
        bytes[at...].firstIndex {
            !JSONParser.isWord($0) && $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+")
        } ?? bytes.count
    }
}
