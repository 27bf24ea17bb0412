// SPDX-License-Identifier: Apache-2.0

import Constraints
import Patterns
import TestSupport
import Testing

struct MaskPatternTests {
    private static let sources = [
        "^[a-z]+$", "^[^/]*(/[^/]+)*$", #"^\S+$"#, #"^\d{4}-\d{2}-\d{2}$"#, "^[0-9a-f]{8}-[0-9a-f]{4}$", "^[ -~]*$",
        "^.{3,30}$",
        "^[A-Z][a-z]*( [A-Z][a-z]*)*$", "key", #"^(a|bc)*é?中?$"#, "^[a-zA-Z0-9_-]{1,20}$", #"^[^\n]*\n[^x]*$"#,
        "^(?!.*value)",
    ]

    private static let vocabulary = TestVocabularies.small()

    private func check(_ machine: PatternMachine, _ vocabulary: TokenVocabulary, walks: Int) throws {
        let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
        var generator = SeededGenerator(9)
        var mask = TokenMask(tokenCount: vocabulary.count)
        for _ in 0..<walks {
            var configuration = engine.start()
            for _ in 0..<6 {
                engine.fillMask(configuration, into: &mask)
                let expected = TestVocabularies.oracle(machine, configuration, vocabulary)
                let indices = mask.indices
                #expect(indices == expected)
                let tokens = expected.filter { !vocabulary.endOfGeneration.contains($0) }
                guard let token = tokens.randomElement(using: &generator) else { break }
                configuration = try #require(engine.commit(configuration, token))
            }
        }
    }

    @Test("masks within patterned strings equal stepping every token", arguments: sources)
    func equalsOracle(_ source: String) throws {
        try check(PatternMachine(.pattern(try Pattern(source))), Self.vocabulary, walks: 2)
    }

    @Test("length limits around a pattern are exact", arguments: ["^[a-z]+$", "^[a-zA-Z0-9_-]{1,20}$", "key"])
    func windows(_ source: String) throws {
        for (least, most) in [(1, 7), (3, nil), (9, 40)] as [(Int, Int?)] {
            let machine = try PatternMachine(.pattern(try Pattern(source)), least: least, most: most)
            guard machine.automaton.canFinish(machine.automaton.start, minScalars: least, maxScalars: most) == .alive
            else { continue }
            try check(machine, Self.vocabulary, walks: 1)
        }
    }

    @Test func stringsWhoseEndIsNotTold() throws {
        let machine = try PatternMachine(
            .pattern(try Pattern("^[a-z]+(:[a-z]*)?$")), least: 2, most: 20, knowsClosing: false)
        try check(machine, Self.vocabulary, walks: 2)
    }

    @Test(
        "the same over SmolLM2's vocabulary",
        .enabled(if: SharedData.has("maskbench/vocab/smollm2.jsonl"), "needs FORMWORK_SHARED"),
        arguments: ["^[a-z]+$", #"^\S+$"#, "^[a-zA-Z0-9_-]{1,20}$"]
    )
    func equalsOracleOnRealVocabulary(_ source: String) throws {
        let vocabulary = try MaskVocabularyTests.smollm2.get()
        let machine = try PatternMachine(.pattern(try Pattern(source)))
        // Scalars that need the bytes the vocabulary lacks occur in no token, so the unguarded engine is right for the
        // masks themselves.
        let spelled = UnguardedMachine(machine, alphabet: vocabulary.singleBytes)
        let engine = try ConstraintEngine(machine: spelled, vocabulary: vocabulary)
        var generator = SeededGenerator(4)
        var mask = TokenMask(tokenCount: vocabulary.count)
        var configuration = engine.start()
        for _ in 0..<3 {
            engine.fillMask(configuration, into: &mask)
            let expected = TestVocabularies.oracle(machine, configuration, vocabulary)
            let indices = mask.indices
            #expect(indices == expected)
            guard let token = expected.filter({ $0 != 2 }).randomElement(using: &generator) else { break }
            configuration = try #require(engine.commit(configuration, token))
        }
    }
}

struct ForcedTokenTests {
    @Test func endsBeforeTokensThatCouldReachOver() throws {
        let vocabulary = TokenVocabulary(
            tokens: (["<s>", "</s>"].map { _ in nil } as [[UInt8]?])
                + (0...255).map { [UInt8($0)] }
                + ["{\"", "key", "\":", "\":\"", "\"a", ":\"", "{\"k"].map { Array($0.utf8) },
            endOfGeneration: [1]
        )
        func encode(_ bytes: [UInt8]) -> [Int] {
            // Longest match first.
            var rest = bytes[...]
            var tokens: [Int] = []
            while !rest.isEmpty {
                let best = (0..<vocabulary.count).filter {
                    let token = vocabulary.bytes(of: $0)
                    return !token.isEmpty && rest.starts(with: token)
                }.max { vocabulary.bytes(of: $0).count < vocabulary.bytes(of: $1).count }
                guard let best else { break }
                tokens.append(best)
                rest = rest.dropFirst(vocabulary.bytes(of: best).count)
            }
            return tokens
        }
        let free = TemplateMachine([[.text(#"{"key":""#), .body(least: 0, most: nil), .text("}")]])
        let engine = try ConstraintEngine(machine: free, vocabulary: vocabulary)
        let tokens = engine.forcedTokens(engine.start(), after: Array("x".utf8), encode: encode)
        // The last quote could begin '"a', so it waits; with it the token '":"', which holds it.
        #expect(tokens.map { String(decoding: vocabulary.bytes(of: $0), as: UTF8.self) } == ["{\"k", "e", "y"])
        let fixed = TemplateMachine([[.text(#"{"key":""}"#)]])
        let second = try ConstraintEngine(machine: fixed, vocabulary: vocabulary)
        let all = second.forcedTokens(second.start(), after: [], encode: encode)
        #expect(all.flatMap { vocabulary.bytes(of: $0) } == Array(#"{"key":""}"#.utf8))
    }
}

/// A machine with another alphabet declared.
final class UnguardedMachine: ConstraintMachine {
    let base: PatternMachine
    let alphabet: ByteSet

    init(_ base: PatternMachine, alphabet: ByteSet) {
        self.base = base
        self.alphabet = alphabet
    }

    var start: ConfigID { base.start }
    func step(_ configuration: ConfigID, _ byte: UInt8) -> ConfigID { base.step(configuration, byte) }
    func isAccepting(_ configuration: ConfigID) -> Bool { base.isAccepting(configuration) }
    func allowedBytes(_ configuration: ConfigID) -> ByteSet { base.allowedBytes(configuration) }
    func maskKey(_ configuration: ConfigID) -> UInt64 { base.maskKey(configuration) }
    func stringBody(_ configuration: ConfigID) -> StringBody? { base.stringBody(configuration) }
    func stringEnd(_ configuration: ConfigID) -> StringEnd? { base.stringEnd(configuration) }
    func minimumCompletion(_ configuration: ConfigID) -> Int { base.minimumCompletion(configuration) }
    func witness(_ configuration: ConfigID) -> [UInt8] { base.witness(configuration) }
}
