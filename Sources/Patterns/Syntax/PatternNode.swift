// SPDX-License-Identifier: Apache-2.0

/// The syntax tree of a regular expression, without captures.
package indirect enum PatternNode: Hashable, Sendable {
    /// One scalar of a set.
    case set(ScalarSet)
    /// One after the other; no elements match the empty text.
    case sequence([PatternNode])
    /// One of several.
    case choice([PatternNode])
    /// Between `min` and `max` times (nil: without bound).
    case repeated(PatternNode, min: Int, max: Int?)
    /// `^`
    case start
    /// `$`
    case end
    /// `\b`, or `\B` when negated.
    case wordBoundary(negated: Bool)
    /// A lookahead or lookbehind.
    case look(behind: Bool, negated: Bool, PatternNode)
    /// What all of them match; they hold no assertions.
    case both([PatternNode])
    /// All texts that the node does not match from beginning to end; it holds no assertions.
    case other(PatternNode)

    package static let empty = PatternNode.sequence([])

    /// Whether a zero-width assertion occurs in the tree.
    package var hasAssertion: Bool {
        switch self {
        case .set: false
        case .sequence(let nodes), .choice(let nodes), .both(let nodes): nodes.contains { $0.hasAssertion }
        case .repeated(let node, _, _), .other(let node): node.hasAssertion
        case .start, .end, .wordBoundary, .look: true
        }
    }

    /// Whether `^` occurs in the tree.
    var mentionsStart: Bool {
        switch self {
        case .set, .end, .wordBoundary: false
        case .sequence(let nodes), .choice(let nodes), .both(let nodes): nodes.contains { $0.mentionsStart }
        case .repeated(let node, _, _), .look(_, _, let node), .other(let node): node.mentionsStart
        case .start: true
        }
    }

    /// Whether an assertion about the text that follows occurs in the tree.
    var looksAhead: Bool {
        switch self {
        case .set, .start: false
        case .sequence(let nodes), .choice(let nodes), .both(let nodes): nodes.contains { $0.looksAhead }
        case .repeated(let node, _, _), .other(let node): node.looksAhead
        case .end, .wordBoundary: true
        case .look(let behind, _, let node): behind ? node.looksAhead : true
        }
    }
}
