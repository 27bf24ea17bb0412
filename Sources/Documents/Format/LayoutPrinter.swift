// SPDX-License-Identifier: Apache-2.0

/// Prints a syntax tree with a layout of its own.
///
/// A container stands on one line if it fits, has no comments, and was on one line before or holds scalars only.
/// Otherwise each element has its line. Comments stay where they are: behind an element on its line, before one on
/// lines of their own.
struct LayoutPrinter {
    private let tree: SyntaxTree
    private let isTOML: Bool
    private let options: FormatOptions
    private let lineEnd: [UInt8]
    private var out: [UInt8] = []
    /// Where the current line begins.
    private var lineStart = 0
    /// The next token.
    private var at = 0
    /// By token: the container that it opens.
    private var containers: [Int: Int] = [:]

    /// - Parameter lineEnd: How lines end; by default as the first line of the text.
    init(_ tree: SyntaxTree, _ format: DocumentFormat, _ options: FormatOptions, lineEnd: [UInt8]? = nil) {
        self.tree = tree
        self.options = options
        isTOML = format == .toml
        // JSON5 has other line ends, too.
        let first = tree.tokens.first { $0.kind == .newline && tree.source.bytes[$0.range.lowerBound] < 0x80 }
        self.lineEnd = lineEnd ?? first.map { Array(tree.source.bytes[$0.range]) } ?? [0x0A]
        for (number, node) in tree.nodes.enumerated() where node.kind == .object || node.kind == .array {
            containers[node.tokens.lowerBound] = number
        }
        out.reserveCapacity(tree.source.bytes.count + tree.source.bytes.count / 4)
    }

    mutating func print() -> [UInt8] {
        if tree.tokens.first?.kind == .mark {
            write(0)
            at = 1
            lineStart = out.count
        }
        if isTOML { printStatements() } else { printValue() }
        return out
    }

    // MARK: Output

    private func bytes(_ token: Int) -> ArraySlice<UInt8> { tree.source.bytes[tree.tokens[token].range] }

    private mutating func write(_ token: Int) { out += bytes(token) }

    private mutating func write(_ text: StaticString) { text.withUTF8Buffer { out += $0 } }

    /// Ends the line, and leaves another one blank if asked for.
    private mutating func breakLine(_ level: Int, blank: Bool = false) {
        out += lineEnd
        if blank { out += lineEnd }
        lineStart = out.count
        out += [UInt8](repeating: 0x20, count: level * options.indent)
    }

    private var column: Int { out[lineStart...].count { $0 & 0xC0 != 0x80 } }

    // MARK: Trivia

    private struct Comment {
        var token: Int
        /// The line ends before it, since the last token that is no space.
        var newlinesBefore: Int
        var isLine: Bool
    }

    private struct Trivia {
        var comments: [Comment] = []
        /// The line ends behind the last comment.
        var newlines = 0

        mutating func append(_ other: Trivia) {
            var added = other.comments
            if !added.isEmpty {
                added[0].newlinesBefore += newlines
                newlines = other.newlines
            } else {
                newlines = max(newlines, other.newlines)
            }
            comments += added
        }
    }

    /// Reads the trivia before the next token that counts.
    private mutating func trivia() -> Trivia {
        var result = Trivia()
        while at < tree.tokens.count, tree.tokens[at].kind.isTrivia {
            switch tree.tokens[at].kind {
            case .newline: result.newlines += 1
            case .comment:
                let isLine = isTOML || bytes(at).dropFirst().first == UInt8(ascii: "/")
                result.comments.append(Comment(token: at, newlinesBefore: result.newlines, isLine: isLine))
                result.newlines = 0
            default: break
            }
            at += 1
        }
        return result
    }

    /// Writes what stands between two elements, up to where the next one, or the closing bracket, begins.
    private mutating func gap(_ trivia: Trivia, level: Int, isFirst: Bool, isClosing: Bool) {
        var isBehindElement = true
        var isInline = false
        for (number, comment) in trivia.comments.enumerated() {
            let next = number + 1
            let endsLine =
                comment.isLine
                || (next < trivia.comments.count ? trivia.comments[next].newlinesBefore : trivia.newlines) > 0
            if comment.newlinesBefore == 0, isInline || isBehindElement && endsLine {
                write(" ")
            } else {
                breakLine(level, blank: comment.newlinesBefore > 1 && !(isFirst && number == 0))
                isBehindElement = false
            }
            writeComment(comment.token)
            isInline = !comment.isLine
            if comment.isLine { isBehindElement = false }
        }
        if isClosing {
            breakLine(level - 1)
        } else if isInline, trivia.newlines == 0, !isBehindElement {
            write(" ")
        } else {
            breakLine(level, blank: trivia.newlines > 1 && !(isFirst && trivia.comments.isEmpty))
        }
    }

    /// Writes a comment without white space at its end.
    private mutating func writeComment(_ token: Int) {
        let text = bytes(token)
        out += text.prefix(text.count - text.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count)
        if let last = out.lastIndex(of: 0x0A) { lineStart = max(lineStart, last + 1) }
    }

    // MARK: JSON

    private mutating func printValue() {
        lead(trivia())
        value(level: 0)
        trail(trivia())
    }

    /// Writes the comments before a document's first token.
    private mutating func lead(_ trivia: Trivia) {
        for (number, comment) in trivia.comments.enumerated() {
            writeComment(comment.token)
            let next = number + 1
            let newlines = next < trivia.comments.count ? trivia.comments[next].newlinesBefore : trivia.newlines
            if newlines == 0, !comment.isLine { write(" ") } else { breakLine(0, blank: newlines > 1) }
        }
    }

    /// Writes the comments behind a document's last token, and its last line end.
    private mutating func trail(_ trivia: Trivia) {
        for comment in trivia.comments {
            if comment.newlinesBefore == 0 { write(" ") } else { breakLine(0, blank: comment.newlinesBefore > 1) }
            writeComment(comment.token)
        }
        breakLine(0)
    }

    // MARK: Values

    // The depth is that of the document, which its reader bounds.
    private mutating func value(level: Int) {
        guard let node = containers[at] else {
            write(at)
            at += 1
            return
        }
        // A comma may follow.
        if let flat = flat(node, room: options.width == .max ? .max : options.width - column - 1) {
            out += flat
            at = tree.nodes[node].tokens.upperBound
        } else if isTOML, tree.nodes[node].kind == .object {
            inlineTable(level: level)
        } else {
            expanded(node, level: level)
        }
    }

    private func isPunctuation(_ byte: UInt8) -> Bool {
        at < tree.tokens.count && tree.tokens[at].kind == .punctuation && bytes(at).first == byte
    }

    private mutating func expanded(_ node: Int, level: Int) {
        let end = tree.nodes[node].tokens.upperBound - 1
        write(at)
        at += 1
        gap(trivia(), level: level + 1, isFirst: true, isClosing: at == end)
        while at < end {
            if tree.nodes[node].kind == .object { key(level: level + 1) }
            value(level: level + 1)
            var between = trivia()
            while let first = between.comments.first, first.newlinesBefore == 0, !first.isLine {
                // `1 /* one */,` stays before the comma.
                write(" ")
                writeComment(first.token)
                between.comments.removeFirst()
            }
            if isPunctuation(UInt8(ascii: ",")) {
                at += 1
                between.append(trivia())
            }
            if at < end || isTOML { write(",") }
            gap(between, level: level + 1, isFirst: false, isClosing: at >= end)
        }
        write(at)
        at += 1
    }

    /// A table that must stay on its line; arrays inside of it may have several.
    private mutating func inlineTable(level: Int) {
        write("{ ")
        at += 1
        _ = trivia()
        while !isPunctuation(UInt8(ascii: "}")) {
            key(level: level)
            value(level: level)
            _ = trivia()
            guard isPunctuation(UInt8(ascii: ",")) else { break }
            write(", ")
            at += 1
            _ = trivia()
        }
        write(" }")
        at += 1
    }

    /// Writes a key up to where its value begins.
    private mutating func key(level: Int) {
        if isTOML {
            while !isPunctuation(UInt8(ascii: "=")) {
                if !tree.tokens[at].kind.isTrivia { write(at) }
                at += 1
            }
            write(" = ")
            at += 1
            _ = trivia()
            return
        }
        write(at)
        at += 1
        var comments = trivia()
        at += 1
        comments.append(trivia())
        write(":")
        var isFresh = false
        for comment in comments.comments {
            if !isFresh { write(" ") }
            writeComment(comment.token)
            isFresh = comment.isLine
            if isFresh { breakLine(level + 1) }
        }
        if !isFresh { write(" ") }
    }

    /// A container on one line, where it may stand there.
    private func flat(_ node: Int, room: Int) -> [UInt8]? {
        let own = tree.nodes[node]
        let isEmpty = own.tokens.dropFirst().dropLast().allSatisfy {
            let kind = tree.tokens[$0].kind
            return kind == .space || kind == .newline
        }
        let isObject = own.kind == .object
        if isEmpty { return isObject ? Array("{}".utf8) : Array("[]".utf8) }
        let mayJoin = options.width == .max || !isObject && own.end == node + 1
        var result: [UInt8] = []
        var used = 0
        var previous: [UInt8] = []
        var open: [Bool] = []
        for token in own.tokens {
            switch tree.tokens[token].kind {
            case .comment: return nil
            case .newline where !mayJoin: return nil
            case .space, .newline, .mark: continue
            default: break
            }
            let text = bytes(token)
            var piece: [UInt8] = []
            switch tree.tokens[token].kind {
            case .punctuation:
                switch text.first {
                case UInt8(ascii: ","):
                    previous = Array(", ".utf8)
                    continue
                case UInt8(ascii: ":"):
                    piece = [UInt8(ascii: ":")]
                    previous = [0x20]
                    result += piece
                    used += 1
                    continue
                case UInt8(ascii: "="):
                    piece = Array(" =".utf8)
                    result += piece
                    previous = [0x20]
                    used += 2
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    piece = previous + text
                    open.append(isTOML && text.first == UInt8(ascii: "{"))
                    previous = open.last == true && !isClosing(after: token) ? [0x20] : []
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    // A trailing comma goes.
                    let isWide = open.popLast() == true && result.last != UInt8(ascii: "{")
                    piece = (isWide ? [0x20] : []) + text
                    previous = []
                default:
                    piece = previous + text
                    previous = []
                }
            default:
                piece = previous + text
                previous = []
            }
            result += piece
            used += piece.count { $0 & 0xC0 != 0x80 }
            if used > room { return nil }
        }
        // Texts of several lines do not stand on one.
        return result.contains(0x0A) ? nil : result
    }

    /// Whether nothing but space is between an opening bracket and its closing one.
    private func isClosing(after token: Int) -> Bool {
        var next = token + 1
        while next < tree.tokens.count, tree.tokens[next].kind == .space { next += 1 }
        return next < tree.tokens.count && tree.tokens[next].kind == .punctuation
            && bytes(next).first == UInt8(ascii: "}")
    }

    // MARK: TOML

    private mutating func printStatements() {
        var isFirst = true
        for node in tree.children(of: 0) {
            var before = trivia()
            let isHeader = tree.nodes[node].kind != .member
            if isFirst {
                lead(before)
            } else {
                // A header stands apart from what is before it, together with the comments above it.
                if isHeader {
                    let own = before.comments.firstIndex { $0.newlinesBefore > 0 }
                    if let own {
                        before.comments[own].newlinesBefore = max(2, before.comments[own].newlinesBefore)
                    } else {
                        before.newlines = max(2, before.newlines)
                    }
                }
                gap(before, level: 0, isFirst: false, isClosing: false)
            }
            isFirst = false
            if isHeader {
                while at < tree.nodes[node].tokens.upperBound {
                    if !tree.tokens[at].kind.isTrivia { write(at) }
                    at += 1
                }
            } else {
                key(level: 0)
                value(level: 0)
            }
        }
        let rest = trivia()
        if isFirst {
            // Nothing but comments.
            lead(rest)
            while out.count > 2 * lineEnd.count, out.suffix(2 * lineEnd.count) == (lineEnd + lineEnd)[...] {
                out.removeLast(lineEnd.count)
            }
        } else {
            trail(rest)
        }
    }
}
