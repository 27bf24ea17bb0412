// SPDX-License-Identifier: Apache-2.0

import Constraints
import Foundation
import Generation
import JSONSchemas
import TestSupport
import Testing
import Transformations

/// From text to text of a grammar, with a random-weight model: noise that must match.
struct TextTransformerTests {
    private func transform(_ grammar: Grammar, seed: UInt64, maxTokens: Int) throws -> TextTransformation {
        let url = try TinyModel.text(seed: seed, context: 1024).write()
        defer { try? FileManager.default.removeItem(at: url) }
        let transformer = try TextTransformer(
            model: TextModel(path: url.path), spec: TextSpec(grammar: grammar, name: "test", hint: "A hint."),
            options: .init(maxTokens: maxTokens, sampling: .init(temperature: 1, seed: seed)))
        #expect(try transformer.prompt(for: "Ada").contains("A hint."))
        return try transformer.transform("Ada")
    }

    private static let sources: [(kind: GrammarKind, text: String)] = [
        (.gbnf, "root ::= (\"- \" [A-Z] [^\\n]{3,30} \"\\n\"){1,4}"),
        (.gbnf, "root ::= expr\nexpr ::= expr \"+\" expr | \"(\" expr \")\" | [0-9]+"),
        (.lark, "start: \"call \" c | TEXT\nTEXT: /[^c](.|\\n)*/\nc: %json {\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"maxItems\": 3}"),
        (.blocks, "blocks: {min: 1, max: 2}\ntriggers: [{begin: '<a>', schema: {type: integer, minimum: 10}, end: '</a>'}]"),
    ]

    @Test(arguments: 0..<4, [UInt64(1), 2])
    func noiseBecomesText(index: Int, seed: UInt64) throws {
        let source = Self.sources[index]
        let grammar = try GrammarReader.read(Array(source.text.utf8), file: nil, kind: source.kind)
        let result = try transform(grammar, seed: seed, maxTokens: 60)
        #expect(try GrammarRecogniser(grammar).accepts(Array(result.text.utf8)) == .accepted, "\(result.text)")
        #expect(result.report.statistics.outputTokens <= 60)
    }

    @Test func regularExpressionsWithinATightBudget() throws {
        let grammar = try Grammar.regularExpression(#"[a-z]{3,40}(-\d{2}){2,}"#)
        for budget in [9, 12, 30] {
            let result = try transform(grammar, seed: 4, maxTokens: budget)
            #expect(try GrammarRecogniser(grammar).accepts(Array(result.text.utf8)) == .accepted, "\(result.text)")
            #expect(result.report.statistics.outputTokens <= budget)
        }
        let error = #expect(throws: GenerationError.self) { _ = try transform(grammar, seed: 4, maxTokens: 1) }
        #expect(error?.code == .budgetTooSmall)
    }
}
