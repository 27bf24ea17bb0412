// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
package import Patterns

/// A context-free grammar over texts, whatever notation it was written in.
///
/// Its leaves are literal bytes, sets of scalars, regular terminals, JSON documents and free text that ends at a
/// trigger.
package struct Grammar: Sendable {
    /// A rule: a name for an expression.
    package struct Rule: Sendable {
        package var name: String
        /// Where the rule is defined; nil for rules that no one wrote.
        package var range: SourceRange?
        package var body: GrammarNode
    }

    /// A regular language that is matched as a whole.
    package struct Terminal: Sendable {
        package var name: String
        package var range: SourceRange?
        package var language: Language
        /// Whether the text ends at the first place where it may.
        package var isLazy = false
    }

    /// A JSON document inside the text.
    package struct Document: Sendable {
        package var graph: SchemaGraph
        package var range: SourceRange?
    }

    package var rules: [Rule] = []
    /// The rule that the whole text must match.
    package var start = 0
    /// A rule that reads nothing at the beginning of the text; then no rule calls the start.
    package var innerRule: Int?
    package var terminals: [Terminal] = []
    package var documents: [Document] = []
    /// What was noticed but does not stand in the way.
    package var warnings: [Diagnostic] = []
    /// The texts that the ranges refer to.
    package var sources: [SourceText] = []

    package init() {}

    /// Adds a rule that is not written in the grammar and returns its number.
    package mutating func add(_ name: String, _ body: GrammarNode, range: SourceRange? = nil) -> Int {
        rules.append(Rule(name: name, range: range, body: body))
        return rules.count - 1
    }

    /// Takes over another grammar and returns the number of its start.
    package mutating func embed(_ other: Grammar) -> Int {
        let offsets = GrammarNode.Offsets(
            rules: rules.count, terminals: terminals.count, documents: documents.count)
        rules += other.rules.map { Rule(name: $0.name, range: $0.range, body: $0.body.shifted(offsets)) }
        terminals += other.terminals
        documents += other.documents
        warnings += other.warnings
        sources += other.sources
        return other.start + offsets.rules
    }

    /// A grammar of one regular expression that the whole text must match.
    ///
    /// - Throws: ``PatternError`` with the place of the problem.
    package static func regularExpression(_ source: String) throws(PatternError) -> Grammar {
        let pattern = try Pattern(source, flags: .modifiers)
        var grammar = Grammar()
        grammar.terminals = [Terminal(name: "regex", range: nil, language: .wholeMatch(pattern))]
        grammar.start = grammar.add("regex", .terminal(0))
        return grammar
    }
}

/// An expression of a grammar.
package indirect enum GrammarNode: Sendable {
    /// The text of these bytes.
    case bytes([UInt8])
    /// One scalar of a set.
    case set(ScalarSet)
    /// What a rule matches.
    case rule(Int)
    /// What a terminal matches.
    case terminal(Int)
    /// A JSON document.
    case document(Int)
    /// One after the other; no elements match the empty text.
    case sequence([GrammarNode])
    /// One of several.
    case choice([GrammarNode])
    /// Between `min` and `max` times (nil: without bound).
    case repeated(GrammarNode, min: Int, max: Int?)
    /// Free text without any of the triggers, which ends with one of them or, if allowed, without.
    case text([GrammarTrigger], mayEnd: Bool)

    package static var empty: GrammarNode { .sequence([]) }

    /// What is added to the numbers in a node.
    struct Offsets {
        var rules: Int
        var terminals: Int
        var documents: Int
    }

    func shifted(_ offsets: Offsets) -> GrammarNode {
        switch self {
        case .bytes, .set: self
        case .rule(let rule): .rule(rule + offsets.rules)
        case .terminal(let terminal): .terminal(terminal + offsets.terminals)
        case .document(let document): .document(document + offsets.documents)
        case .sequence(let nodes): .sequence(nodes.map { $0.shifted(offsets) })
        case .choice(let nodes): .choice(nodes.map { $0.shifted(offsets) })
        case .repeated(let node, let least, let most): .repeated(node.shifted(offsets), min: least, max: most)
        case .text(let triggers, let mayEnd):
            .text(
                triggers.map { GrammarTrigger(bytes: $0.bytes, node: $0.node?.shifted(offsets)) }, mayEnd: mayEnd)
        }
    }

    /// The node that matches nothing but a literal text.
    package static func literal(_ text: String) -> GrammarNode { .bytes(Array(text.utf8)) }
}

/// What ends free text.
package struct GrammarTrigger: Sendable {
    package var bytes: [UInt8]
    /// What follows the trigger; nil if the trigger must not occur.
    package var node: GrammarNode?

    package init(bytes: [UInt8], node: GrammarNode?) {
        self.bytes = bytes
        self.node = node
    }
}

/// Bounds on the size of a grammar and on the work of its machine; all are counts.
package struct GrammarLimits: Hashable, Sendable {
    /// Bytes of the source.
    package var maximumSource = 16 << 20
    /// How deep groups may be nested.
    package var maximumDepth = 256
    /// States of all rules together; a repetition takes one for each time.
    package var maximumStates = 1 << 20
    /// The bounds of a repetition.
    package var maximumRepetition = 100_000
    /// Ways in which a text can be read at the same time; beyond it those with the shortest completions are kept.
    package var maximumBranches = 1024
    /// Bytes of the shortest text.
    package var maximumShortest = 1 << 26

    package init() {}
}
