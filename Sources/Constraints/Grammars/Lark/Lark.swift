// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// Reads grammars in the notation of the Lark toolkit, with the extensions of llguidance.
///
///     let grammar = try Lark.read(Array("start: NAME \"=\" /[0-9]+/\nNAME: /[a-z]+/".utf8), file: "a.lark")
///
/// The meaning is that of a language: a text matches if it can be read as the grammar says. There is no lexer that
/// prefers the longest terminal. What depends on more than the text is refused with its place.
package enum Lark {
    /// Reads a grammar; its start is the rule `start`.
    ///
    /// - Throws: All problems, each with its place: `grammar.syntax`, `grammar.unsupported-…`,
    ///   `grammar.undefined-rule`, `grammar.duplicate-rule`, `grammar.missing-start`, `grammar.too-complex`, and what is
    ///   wrong with a JSON Schema.
    package static func read(
        _ bytes: [UInt8], file: String? = nil, registry: SchemaRegistry = SchemaRegistry(),
        limits: GrammarLimits = GrammarLimits()
    ) throws(DiagnosticsError) -> Grammar {
        var parser = LarkParser(try GrammarScanner(bytes, file: file, limits: limits), registry: registry)
        parser.parseFile()
        var compiler = LarkCompiler(parser)
        return try compiler.compile()
    }
}

/// An expression of a Lark grammar, with its place.
struct LarkExpression {
    indirect enum Kind {
        case literal(String, ignoresCase: Bool)
        case characters(ScalarSet)
        case regex(PatternNode)
        case name(String)
        case document(Int)
        case sequence([LarkExpression])
        case choice([LarkExpression])
        case repeated(LarkExpression, min: Int, max: Int?)
        /// `&`: what all of them match.
        case both([LarkExpression])
        /// `~`: all that does not match.
        case other(LarkExpression)
    }

    var kind: Kind
    var place: Range<Int>

    /// Calls the body with each name in the expression.
    func forEachName(_ body: (String) -> Void) {
        switch kind {
        case .literal, .characters, .regex, .document: break
        case .name(let name): body(name)
        case .sequence(let parts), .choice(let parts), .both(let parts):
            for part in parts { part.forEachName(body) }
        case .repeated(let part, _, _), .other(let part): part.forEachName(body)
        }
    }
}

/// A rule or terminal as it is written.
struct LarkDefinition {
    var name: String
    var place: Range<Int>
    var body: LarkExpression
    var isLazy = false
}

/// The options of `%llguidance`.
struct LarkOptions {
    var skipsAtStart = false
    var skipsOnce = false
}
