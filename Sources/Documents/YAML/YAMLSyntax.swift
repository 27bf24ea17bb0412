// SPDX-License-Identifier: Apache-2.0

/// Reads YAML into a tree that keeps every byte.
///
/// libyaml decides what is YAML and where its tokens are; comments and blank lines stand between them. The tree's first
/// node is the stream, with a document inside for each. Values that take no bytes have no nodes.
public enum YAMLSyntax {
    /// Reads a stream's syntax. Values that JSON cannot hold are no mistakes here.
    ///
    /// - Throws: ``DiagnosticsError`` with what libyaml refuses.
    public static func read(_ source: SourceText) throws(DiagnosticsError) -> SyntaxTree {
        _ = try YAMLEvents.read(source, options: .lenient)
        guard let tokens = YAMLToken.scan(source.bytes) else {
            throw DiagnosticsError(
                [Diagnostic("yaml.syntax", "the text cannot be taken apart", range: source.range(0..<0))],
                sources: [source])
        }
        var builder = YAMLTreeBuilder(source.bytes, tokens)
        builder.stream()
        return builder.builder.finish(source)
    }
}

/// Builds the tree along libyaml's grammar of tokens.
private struct YAMLTreeBuilder {
    let bytes: [UInt8]
    let tokens: [YAMLToken]
    var builder = SyntaxTreeBuilder()
    private var at = 0

    init(_ bytes: [UInt8], _ tokens: [YAMLToken]) {
        self.bytes = bytes
        self.tokens = tokens
    }

    private var kind: YAMLToken.Kind { at < tokens.count ? tokens[at].kind : .streamEnd }

    // MARK: Tokens

    /// Adds the trivia before the next token, and then the token.
    private mutating func take(_ kind: SyntaxTree.TokenKind) {
        gap(to: tokens[at].range.lowerBound)
        if tokens[at].kind == .blockScalar {
            blockScalar(tokens[at].range)
        } else {
            builder.token(kind, to: tokens[at].range.upperBound)
        }
        at += 1
    }

    private mutating func gap(to end: Int) {
        if builder.at == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { builder.token(.mark, to: 3) }
        while builder.at < end {
            let start = builder.at
            let next: Int
            switch bytes[start] {
            case 0x0A, 0x0D:
                next = start + YAMLLines.breakLength(bytes, start)
                builder.token(.newline, to: min(next, end))
            case UInt8(ascii: "#"):
                next = bytes[start..<end].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? end
                builder.token(.comment, to: next)
            default:
                next =
                    bytes[start..<end].firstIndex { $0 == 0x0A || $0 == 0x0D || $0 == UInt8(ascii: "#") } ?? end
                builder.token(.space, to: next)
            }
        }
    }

    /// The header, a comment behind it, and the lines.
    private mutating func blockScalar(_ range: Range<Int>) {
        let scalar = YAMLBlockScalar(bytes, range, parent: 0)
        if let comment = scalar.comment {
            builder.token(.string, to: scalar.header.upperBound)
            gap(to: comment.upperBound)
        }
        builder.token(.string, to: max(scalar.end, builder.at))
    }

    // MARK: Nodes

    mutating func stream() {
        let stream = builder.begin(.stream)
        while kind != .streamEnd {
            // A document has its directives and its first marker; the trivia before is outside.
            gap(to: tokens[at].range.lowerBound)
            let before = at
            let document = builder.begin(.document)
            while kind == .directive { take(.directive) }
            if kind == .documentStart { take(.marker) }
            node(isKey: false)
            while kind == .documentEnd { take(.marker) }
            if at == before { at += 1 }
            builder.end(document)
        }
        gap(to: bytes.count)
        builder.end(stream)
    }

    // The depth is bounded where the text is parsed.
    private mutating func node(isKey: Bool, mayBeIndentless: Bool = false) {
        while kind == .anchor || kind == .tag { take(kind == .anchor ? .anchor : .tag) }
        switch kind {
        case .alias: take(.alias)
        case .scalar: take(isKey ? .key : scalarKind(tokens[at].range))
        case .blockScalar: take(.string)
        case .blockMappingStart, .flowMappingStart: mapping()
        case .blockSequenceStart, .flowSequenceStart: sequence()
        case .blockEntry where mayBeIndentless:
            gap(to: tokens[at].range.lowerBound)
            let node = builder.begin(.array)
            entries()
            builder.end(node)
        default: break
        }
    }

    private func scalarKind(_ range: Range<Int>) -> SyntaxTree.TokenKind {
        let resolved = bytes[range].withUnsafeBufferPointer { YAMLScalars.resolve($0) }
        switch resolved {
        case .number, .notFinite: return .number
        case .null, .bool: return .word
        case .string: return .string
        }
    }

    private mutating func entries() {
        while kind == .blockEntry {
            take(.punctuation)
            node(isKey: false)
        }
    }

    private mutating func sequence() {
        gap(to: realStart())
        let node = builder.begin(.array)
        if kind == .blockSequenceStart {
            at += 1
            entries()
            if kind == .blockEnd { at += 1 }
        } else {
            take(.punctuation)
            while kind != .flowSequenceEnd, kind != .streamEnd {
                let before = at
                if kind == .flowEntry {
                    take(.punctuation)
                } else if kind == .key || kind == .value {
                    // A mapping of one pair.
                    gap(to: realStart())
                    let pair = builder.begin(.object)
                    member()
                    builder.end(pair)
                } else {
                    self.node(isKey: false)
                }
                if at == before { break }
            }
            if kind == .flowSequenceEnd { take(.punctuation) }
        }
        builder.end(node)
    }

    /// Where the next token that takes bytes begins.
    private func realStart() -> Int {
        tokens[at...].first { $0.isReal }?.range.lowerBound ?? bytes.count
    }

    private mutating func mapping() {
        gap(to: realStart())
        let node = builder.begin(.object)
        let isFlow = kind == .flowMappingStart
        if isFlow { take(.punctuation) } else { at += 1 }
        let end: YAMLToken.Kind = isFlow ? .flowMappingEnd : .blockEnd
        while kind != end, kind != .streamEnd {
            let before = at
            if kind == .flowEntry { take(.punctuation) } else { member() }
            if at == before { break }
        }
        if kind == end {
            if isFlow { take(.punctuation) } else { at += 1 }
        }
        builder.end(node)
    }

    private mutating func member() {
        gap(to: realStart())
        let node = builder.begin(.member)
        if kind == .key {
            if tokens[at].isReal { take(.punctuation) } else { at += 1 }
        }
        if kind != .value { self.node(isKey: true, mayBeIndentless: true) }
        if kind == .value {
            take(.punctuation)
            self.node(isKey: false, mayBeIndentless: true)
        }
        builder.end(node)
    }
}
