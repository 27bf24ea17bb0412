// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import TestSupport
import Testing

/// Masks of schemas against stepping every token.
struct MaskSchemaTests {
    static let schemas = [
        #"{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"integer"}},"required":["key"]}"#,
        #"{"type":"object","properties":{"key":{"type":"string","maxLength":5},"value":{"type":"string","minLength":3}},"#
            + #""required":["key","value"],"additionalProperties":false}"#,
        #"{"type":"object","additionalProperties":{"type":"string"},"minProperties":2}"#,
        #"{"type":"object","patternProperties":{"^a":{"type":"integer"},"b$":{"type":"boolean"}},"additionalProperties":{"type":"null"}}"#,
        #"{"type":"object","propertyNames":{"maxLength":4,"pattern":"^[a-z]+$"}}"#,
        #"{"type":"array","items":{"enum":["key","value","a","é中"]},"uniqueItems":true,"minItems":2,"maxItems":4}"#,
        #"{"type":"array","items":{"type":"string"},"uniqueItems":true}"#,
        #"{"anyOf":[{"type":"string","maxLength":3},{"const":"value-key"},{"type":"integer","minimum":-5,"maximum":120}]}"#,
        #"{"anyOf":[{"type":"string","pattern":"^a"},{"type":"string","pattern":"b$"}]}"#,
        #"{"type":"string","pattern":"^[a-z0-9 ]*$","minLength":2,"maxLength":12}"#,
        #"{"type":"string","not":{"enum":["key","a","value"]}}"#,
        #"{"type":"string","not":{"const":"key"},"maxLength":4}"#,
        #"{"type":"string","format":"date"}"#,
        #"{"type":"array","contains":{"type":"string","pattern":"^k"},"maxContains":2,"items":{"type":["string","boolean"]}}"#,
        #"{"oneOf":[{"type":"object","properties":{"key":{"const":"a"}},"required":["key"]},"#
            + #"{"type":"object","properties":{"key":{"const":"b"},"value":{"type":"number"}},"required":["key","value"]}]}"#,
        #"{}"#,
        #"{"type":"object","not":{"required":["key"]},"maxProperties":3}"#,
        #"{"type":"number","multipleOf":0.5}"#,
    ]

    static func machine(_ schema: String, _ profile: SpellingProfile = .compact) throws -> SchemaMachine {
        let graph = try SchemaGraph.load(try JSONReader.read(schema, file: nil).root)
        return try SchemaMachine(graph, profile: profile, formats: .assert)
    }

    private static let vocabulary = TestVocabularies.small()

    @Test("masks equal stepping every token", arguments: schemas)
    func equalsOracle(_ schema: String) throws {
        for (profile, seed) in [(SpellingProfile.compact, 1), (.spaced, 2), (.pretty(), 3)]
            as [(SpellingProfile, UInt64)]
        {
            let machine = try Self.machine(schema, profile)
            let engine = try ConstraintEngine(machine: machine, vocabulary: Self.vocabulary)
            var generator = SeededGenerator(seed)
            var mask = TokenMask(tokenCount: Self.vocabulary.count)
            for _ in 0..<4 {
                var configuration = engine.start()
                for _ in 0..<14 {
                    engine.fillMask(configuration, into: &mask)
                    let expected = TestVocabularies.oracle(machine, configuration, Self.vocabulary)
                    let indices = mask.indices
                    #expect(indices == expected)
                    let tokens = expected.filter { !Self.vocabulary.endOfGeneration.contains($0) }
                    guard let token = tokens.randomElement(using: &generator) else { break }
                    configuration = try #require(engine.commit(configuration, token))
                }
            }
        }
    }

    @Test("any choice within the budget finishes in time", arguments: schemas)
    func finishesWithinBudget(_ schema: String) throws {
        let machine = try Self.machine(schema)
        let engine = try ConstraintEngine(machine: machine, vocabulary: Self.vocabulary)
        var generator = SeededGenerator(17)
        var mask = TokenMask(tokenCount: Self.vocabulary.count)
        for slack in [0, 1, 3, 12] {
            var configuration = engine.start()
            var budget = engine.minimumTokens(configuration) + slack
            while true {
                engine.fillMask(configuration, budget: budget, into: &mask)
                let allowed = mask.indices
                #expect(!allowed.isEmpty)
                guard
                    let token = allowed.filter({ !Self.vocabulary.endOfGeneration.contains($0) }).randomElement(
                        using: &generator)
                else { break }
                configuration = try #require(engine.commit(configuration, token))
                budget -= 1
            }
            #expect(engine.isComplete(configuration))
            #expect(budget >= 0)
        }
    }

    @Test(
        "masks over SmolLM2's vocabulary equal stepping every token",
        .enabled(if: SharedData.has("maskbench/vocab/smollm2.jsonl"), "needs FORMWORK_SHARED"),
        arguments: [0, 2, 5, 9, 14]
    )
    func equalsOracleOnRealVocabulary(_ index: Int) throws {
        let vocabulary = try MaskVocabularyTests.smollm2.get()
        var profile = SpellingProfile.compact
        profile.allowsUnassignedPlanes = vocabulary.spellsUnassignedPlanes
        let machine = try Self.machine(Self.schemas[index], profile)
        let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
        #expect(!engine.isGuarded)
        var generator = SeededGenerator(21)
        var mask = TokenMask(tokenCount: vocabulary.count)
        var configuration = engine.start()
        for _ in 0..<10 {
            engine.fillMask(configuration, into: &mask)
            let expected = TestVocabularies.oracle(machine, configuration, vocabulary)
            let indices = mask.indices
            #expect(indices == expected)
            guard let token = expected.filter({ $0 != 2 }).randomElement(using: &generator) else { break }
            configuration = try #require(engine.commit(configuration, token))
        }
    }
}
