// SPDX-License-Identifier: Apache-2.0

/// A document's text taken apart without losing a byte: tokens that follow each other from the first byte to the last,
/// and nodes that hold them.
///
/// White space, comments, blank lines, the spelling of numbers and quotes, the order of keys: everything is a token.
///
///     let tree = try JSONSyntax.read(source)
///     tree.text == source.bytes   // true
///
/// - Invariant: the tokens' ranges are not empty, ascend, touch, and cover the source. Nodes come before their
/// children,
///   and children lie within their parents.
public struct SyntaxTree: Sendable {
    public enum TokenKind: UInt8, Hashable, Sendable {
        /// A byte order mark.
        case mark
        /// Spaces and tabs.
        case space
        /// One line end, `\n` or `\r\n`; in JSON `\r` too.
        case newline
        /// A comment without its line end.
        case comment
        /// One of `{ } [ ] [[ ]] : , = .`, in YAML also `- ?`
        case punctuation
        /// A key, or one part of a dotted key, as it is written.
        case key
        case string
        case number
        /// `true`, `false` or `null`.
        case word
        /// A date, a time or both.
        case date
        /// `&name`, `*name` and `!name` of YAML.
        case anchor, alias, tag
        /// `---` or `...` of YAML.
        case marker
        /// `%YAML` or `%TAG` with what belongs to it.
        case directive
    }

    /// A piece of the text.
    public struct Token: Hashable, Sendable {
        public var kind: TokenKind
        /// Its bytes in the source.
        public var range: Range<Int>
    }

    public enum NodeKind: UInt8, Hashable, Sendable {
        case document, object, array
        /// A key with its value.
        case member
        /// A TOML header, `[table]`.
        case table
        /// A TOML header, `[[table]]`.
        case tableElement
        /// All documents of YAML.
        case stream
    }

    /// A part of the document.
    public struct Node: Hashable, Sendable {
        public var kind: NodeKind
        /// Its tokens, as numbers; trivia before and after is not part of it.
        public var tokens: Range<Int>
        /// The number of the first node that is not inside.
        public var end: Int
    }

    /// The text.
    public let source: SourceText
    /// All tokens in order.
    public let tokens: [Token]
    /// All nodes, each before those inside of it; the first is the document, in YAML the stream of documents.
    public let nodes: [Node]

    /// The text, put together from its tokens.
    public var text: [UInt8] { tokens.flatMap { source.bytes[$0.range] } }

    /// The numbers of the nodes directly inside of a node.
    public func children(of node: Int) -> [Int] {
        var result: [Int] = []
        var child = node + 1
        while child < nodes[node].end {
            result.append(child)
            child = nodes[child].end
        }
        return result
    }

    /// The bytes of a node in the source.
    public func range(of node: Int) -> Range<Int> {
        let own = nodes[node].tokens
        guard let first = own.first, let last = own.last else { return 0..<0 }
        return tokens[first].range.lowerBound..<tokens[last].range.upperBound
    }

    /// The comments, as they are written.
    public var comments: [String] {
        tokens.lazy.filter { $0.kind == .comment }.map { String(decoding: source.bytes[$0.range], as: UTF8.self) }
    }
}

/// Collects the tokens and nodes of a tree in the order of the text.
struct SyntaxTreeBuilder {
    private(set) var tokens: [SyntaxTree.Token] = []
    private(set) var nodes: [SyntaxTree.Node] = []

    /// The end of the last token.
    private(set) var at = 0

    /// Adds the token from the end of the last one; nothing where it would be empty.
    @inline(__always)
    mutating func token(_ kind: SyntaxTree.TokenKind, to end: Int) {
        guard end > at else { return }
        tokens.append(SyntaxTree.Token(kind: kind, range: at..<end))
        at = end
    }

    /// Opens a node at the next token.
    mutating func begin(_ kind: SyntaxTree.NodeKind) -> Int {
        nodes.append(SyntaxTree.Node(kind: kind, tokens: tokens.count..<tokens.count, end: nodes.count + 1))
        return nodes.count - 1
    }

    /// Closes a node behind the last token that is no trivia.
    mutating func end(_ node: Int) {
        var last = tokens.count
        while last > nodes[node].tokens.lowerBound, tokens[last - 1].kind.isTrivia { last -= 1 }
        nodes[node].tokens = nodes[node].tokens.lowerBound..<last
        nodes[node].end = nodes.count
    }

    func finish(_ source: SourceText) -> SyntaxTree { SyntaxTree(source: source, tokens: tokens, nodes: nodes) }
}

extension SyntaxTree.TokenKind {
    /// Whether the token says nothing about the value.
    public var isTrivia: Bool {
        switch self {
        case .mark, .space, .newline, .comment: true
        case .punctuation, .key, .string, .number, .word, .date, .anchor, .alias, .tag, .marker, .directive: false
        }
    }
}
