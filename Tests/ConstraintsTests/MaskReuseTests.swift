// SPDX-License-Identifier: Apache-2.0

import Constraints
import TestSupport
import Testing

/// Masks that come from what is shared - automata, content masks, one key for many, one language for many alternatives
/// - against stepping every token.
struct MaskReuseTests {
    static let schemas = [
        // Patterns that overlap, with values that tell the kinds apart, and a name among them.
        #"{"type":"object","properties":{"key":{"const":1}},"patternProperties":{"k":{"type":"integer"},"[a-e]":{"maximum":7}}}"#,
        #"{"type":"object","patternProperties":{"^(a|value|c+)$":{"type":["string","integer"]}},"additionalProperties":false}"#,
        #"{"type":"object","patternProperties":{"^[a-c]$":{"type":"boolean"},"^k":{"type":"array"}},"additionalProperties":false,"#
            + #""minProperties":2}"#,
        // Alternatives of one string.
        #"{"type":"string","oneOf":[{"pattern":"a"},{"pattern":"e"},{"pattern":"key"}]}"#,
        #"{"anyOf":[{"enum":["key","value"]},{"pattern":"^a+$"},{"type":"string","maxLength":2}],"type":"string"}"#,
        #"{"anyOf":[{"enum":["key","a"]},{"enum":["value","a","é"]}]}"#,
        // Bounds that all texts keep, that some keep, and that come near the end.
        #"{"type":"string","pattern":"^[a-f0-9]{4}-[a-f0-9]{4}$","minLength":9,"maxLength":9}"#,
        #"{"type":"string","pattern":"^[a-z ]+$","minLength":1,"maxLength":300}"#,
        #"{"type":"string","format":"uri","maxLength":255}"#,
        #"{"type":"string","format":"email","maxLength":12}"#,
        #"{"type":"array","items":{"type":"string","format":"uri-reference"}}"#,
        #"{"type":"string","pattern":"^([a-z]|%[0-9A-F]{2})*$"}"#,
    ]

    private static let small = TestVocabularies.small()

    private func walk(_ schema: String, _ vocabulary: TokenVocabulary, walks: Int, tokens: Int, seed: UInt64) throws {
        var profile = SpellingProfile.compact
        profile.allowsUnassignedPlanes = vocabulary.spellsUnassignedPlanes
        let machine = try MaskSchemaTests.machine(schema, profile)
        let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
        var generator = SeededGenerator(seed)
        var mask = TokenMask(tokenCount: vocabulary.count)
        for _ in 0..<walks {
            var configuration = engine.start()
            for _ in 0..<tokens {
                engine.fillMask(configuration, into: &mask)
                let indices = mask.indices
                #expect(indices == TestVocabularies.oracle(machine, configuration, vocabulary))
                let choices = indices.filter { !vocabulary.endOfGeneration.contains($0) }
                guard let token = choices.randomElement(using: &generator) else { break }
                configuration = try #require(engine.commit(configuration, token))
            }
        }
    }

    @Test("masks equal stepping every token, also for the next machine of the same schema", arguments: schemas)
    func equalsOracle(_ schema: String) throws {
        // The second machine finds the automata that the first has given back.
        for seed in [5, 6] as [UInt64] { try walk(schema, Self.small, walks: 4, tokens: 24, seed: seed) }
    }

    @Test(
        "the same over SmolLM2's vocabulary",
        .enabled(if: SharedData.has("maskbench/vocab/smollm2.jsonl"), "needs FORMWORK_SHARED"), arguments: schemas
    )
    func equalsOracleOnRealVocabulary(_ schema: String) throws {
        let vocabulary = try MaskVocabularyTests.smollm2.get()
        // Content masks are kept by vocabulary.
        try walk(schema, Self.small, walks: 1, tokens: 6, seed: 7)
        for seed in [8, 9] as [UInt64] { try walk(schema, vocabulary, walks: 1, tokens: 7, seed: seed) }
    }

    @Test func keysOfPatternsComeOnce() throws {
        try expectSchema(
            SchemaCase(
                #"{"patternProperties":{"^(ab|c+)$":{}},"additionalProperties":false,"type":"object"}"#,
                accepts: [#"{"ab":1}"#, #"{"ab":1,"c":1,"cc":1,"ccc":1}"#, #"{"cc":1,"c":1,"ab":1}"#],
                rejects: [#"{"a":1}"#, #"{"ab":1,"d":1}"#],
                misspelled: [#"{"ab":1,"ab":1}"#, #"{"c":1,"cc":1,"c":1}"#]))
        let machine = try MaskSchemaTests.machine(
            #"{"patternProperties":{"^(ab|c+)$":{}},"additionalProperties":false,"type":"object"}"#)
        var configuration = machine.start
        for byte in #"{"ab":1,""#.utf8 { configuration = machine.step(configuration, byte) }
        // The only key that begins with an a has come.
        #expect(machine.step(configuration, UInt8(ascii: "a")).isDead)
        #expect(!machine.step(configuration, UInt8(ascii: "c")).isDead)
    }

    @Test func keysOfPatternsRunOut() throws {
        try expectSchema(
            SchemaCase(
                #"{"patternProperties":{"^[ab]$":{}},"additionalProperties":false,"type":"object","minProperties":2}"#,
                accepts: [#"{"a":1,"b":1}"#, #"{"b":1,"a":1}"#], rejects: [#"{"a":1}"#, #"{"a":1,"b":1,"c":1}"#]))
        #expect(
            try schemaRefusals(
                #"{"patternProperties":{"^[ab]$":{}},"additionalProperties":false,"type":"object","minProperties":3}"#)
                == ["constraint.unsatisfiable"])
    }

    @Test(
        "random walks over keys of patterns finish with valid documents",
        arguments: schemas.prefix(3), [1, 2, 3, 4, 5, 6] as [UInt64])
    func walksStayValid(_ schema: String, _ seed: UInt64) throws {
        try walkSchema(schema, seed: seed, bytes: 60, isExact: false)
    }
}
