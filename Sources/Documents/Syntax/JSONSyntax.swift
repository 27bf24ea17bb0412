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
        var scanner = JSONSyntaxScanner(source.bytes, isJSON5: options.allowsJSON5)
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
    private let isJSON5: Bool

    init(_ bytes: [UInt8], isJSON5: Bool) {
        self.bytes = bytes
        self.isJSON5 = isJSON5
    }

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
            case UInt8(ascii: "'") where isJSON5: string()
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
            case _ where isJSON5: token5()
            case UInt8(ascii: "-"), 0x30...0x39: emit(.number, endOfWord())
            default: emit(.word, max(endOfWord(), at + 1))
            }
        }
        builder.end(document)
    }

    /// White space, keys without quotes, and numbers of JSON5.
    private mutating func token5() {
        let (space, isLineEnd, name) = bytes.withUnsafeBufferPointer { text in
            (
                JSON5Text.spaceLength(text, at), JSON5Text.isLineSeparator(text, at),
                isInObject ? JSON5Text.identifier(text, at)?.end : nil
            )
        }
        if space > 0 {
            emit(isLineEnd ? .newline : .space, at + space)
        } else if let name {
            open.append(builder.begin(.member))
            emit(.key, name)
        } else {
            let first = bytes[at]
            let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".")
            emit(isSigned || first &- 0x30 < 10 ? .number : .word, max(endOfWord(), at + 1))
        }
    }

    /// Directly inside of an object there are keys only.
    private var isInObject: Bool { open.last.map { builder.nodes[$0].kind == .object } ?? false }

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
        let isKey = isInObject
        let quote = bytes[at]
        if isKey { open.append(builder.begin(.member)) }
        var end = at + 1
        while end < bytes.count, bytes[end] != quote { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
        emit(isKey ? .key : .string, min(end + 1, bytes.count))
    }

    private func endOfComment() -> Int {
        guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "*") else {
            return bytes.withUnsafeBufferPointer { text in
                var end = at
                while end < text.count, text[end] != 0x0A, text[end] != 0x0D {
                    if isJSON5, JSON5Text.isLineSeparator(text, end) { break }
                    end += 1
                }
                return end
            }
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
