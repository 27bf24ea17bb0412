// SPDX-License-Identifier: Apache-2.0

import Constraints
import Foundation
import TestSupport
import Testing

private typealias Part = TemplateMachine.Part

private struct MachineCase: CustomTestStringConvertible, Sendable {
    var name: String
    var make: @Sendable () -> TemplateMachine
    var testDescription: String { name }
}

private let machines = [
    MachineCase(name: "object with free strings") {
        TemplateMachine([
            [
                .text(#"{"key":""#), .body(least: 0, most: nil), .text(#","value":""#), .body(least: 2, most: nil),
                .text("}"),
            ]
        ])
    },
    MachineCase(name: "bounded strings") {
        TemplateMachine([
            [.text(#"[""#), .body(least: 1, most: 3), .text(#",""#), .body(least: 0, most: 30), .text("]")]
        ])
    },
    MachineCase(name: "strings whose end is not told") {
        TemplateMachine(
            [[.text(#"[""#), .body(least: 2, most: 9), .text(#",""#), .body(least: 0, most: nil), .text("]")]],
            givesBounds: false,
            knowsClosing: false
        )
    },
    MachineCase(name: "alternatives") {
        TemplateMachine([
            [.text(#"{"key":true}"#)], [.text(#"{"key":"value"}"#)],
            [.text(#"{"key":"#), .digits(least: 1, most: 5), .text("}")],
            [.text("null")], [.digits(least: 1, most: nil)],
            [.text(#"{"a":""#), .body(least: 0, most: 20), .text("}")],
            [.text(#"{"keyé中😀":""#), .body(least: 0, most: nil), .text("}")],
        ])
    },
    MachineCase(name: "two kinds of string at once") {
        TemplateMachine([
            [.text("\""), .body(least: 0, most: 4)], [.text("\""), .body(least: 6, most: nil), .text(" ")],
        ])
    },
]

struct MaskEngineTests {
    @Test("masks equal stepping every token, with and without cache", arguments: machines, [0, 64 << 20, 4096])
    private func equalsOracle(_ machineCase: MachineCase, cacheLimit: Int) throws {
        let vocabulary = TestVocabularies.small()
        let machine = machineCase.make()
        let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary, cacheLimit: cacheLimit)
        var generator = SeededGenerator(3)
        var mask = TokenMask(tokenCount: vocabulary.count)
        for _ in 0..<12 {
            var configuration = engine.start()
            for _ in 0..<24 {
                engine.fillMask(configuration, into: &mask)
                let expected = TestVocabularies.oracle(machine, configuration, vocabulary)
                let indices = mask.indices
                #expect(indices == expected)
                let (count, first) = (mask.count, mask.first)
                #expect(count == expected.count && first == expected.first)
                let tokens = expected.filter { !vocabulary.endOfGeneration.contains($0) }
                guard let token = tokens.randomElement(using: &generator) else { break }
                configuration = try #require(engine.commit(configuration, token))
            }
        }
    }

    @Test func commitsExactlyWhatTheMaskAllows() throws {
        let vocabulary = TestVocabularies.small()
        let engine = try ConstraintEngine(machine: machines[3].make(), vocabulary: vocabulary)
        var mask = TokenMask(tokenCount: vocabulary.count)
        engine.fillMask(engine.start(), into: &mask)
        for token in -1...vocabulary.count {
            let isAllowed = mask.contains(token)
            #expect((engine.commit(engine.start(), token) != nil) == isAllowed)
        }
    }

    @Test("a vocabulary without some bytes never leads into a text it cannot write")
    func missingBytes() throws {
        let vocabulary = TestVocabularies.small(without: ByteSet(Array("ux".utf8)))
        let machine = TemplateMachine([
            [.text("\""), .body(least: 0, most: 9)], [.text("true")], [.text("[1,true]")], [.text("[1,null]")],
            [.text("[1]")],
        ])
        let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
        var mask = TokenMask(tokenCount: vocabulary.count)
        engine.fillMask(engine.start(), into: &mask)
        let allowed = Set(mask.indices.map { vocabulary.bytes(of: $0) })
        // The small vocabulary holds no token with the letter u or x at all, so neither true nor null can be written.
        #expect(!allowed.contains(Array("t".utf8)))
        #expect(allowed.contains(Array("[".utf8)) && allowed.contains(Array("[1".utf8)))
        let after = try #require(engine.advance(engine.start(), Array("[1".utf8)))
        engine.fillMask(after, into: &mask)
        let closers = Set(mask.indices.map { vocabulary.bytes(of: $0) })
        #expect(closers == [Array("]".utf8)])
        #expect(throws: MaskError.self) {
            try ConstraintEngine(machine: TemplateMachine([[.text("true")]]), vocabulary: vocabulary)
        }
    }

    @Test func forcedBytesStopWhereThereIsAChoice() throws {
        let engine = try ConstraintEngine(machine: machines[0].make(), vocabulary: TestVocabularies.small())
        #expect(engine.forcedBytes(engine.start()) == Array(#"{"key":""#.utf8))
        let numbers = TemplateMachine([[.text("12")], [.text("1234")]])
        let second = try ConstraintEngine(machine: numbers, vocabulary: TestVocabularies.small())
        #expect(second.forcedBytes(second.start()) == Array("12".utf8))
    }

    @Test(
        "any choice within the budget finishes in time", arguments: machines, [0, 1, 2, 5, 40]
    )
    private func finishesWithinBudget(_ machineCase: MachineCase, slack: Int) throws {
        let vocabulary = TestVocabularies.small()
        let machine = machineCase.make()
        let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
        var generator = SeededGenerator(UInt64(slack) + 11)
        var mask = TokenMask(tokenCount: vocabulary.count)
        for _ in 0..<10 {
            var configuration = engine.start()
            var budget = engine.minimumTokens(configuration) + slack
            while true {
                engine.fillMask(configuration, budget: budget, into: &mask)
                let isEmpty = mask.isEmpty
                #expect(!isEmpty)
                let exact = Set(TestVocabularies.oracle(machine, configuration, vocabulary))
                let allowed = mask.indices
                #expect(allowed.allSatisfy(exact.contains))
                guard
                    let token = allowed.filter({ !vocabulary.endOfGeneration.contains($0) })
                        .randomElement(using: &generator)
                else { break }
                configuration = try #require(engine.commit(configuration, token))
                budget -= 1
                #expect(engine.fits(configuration, budget: budget))
                #expect(engine.completion(configuration).count <= budget)
            }
            #expect(engine.isComplete(configuration))
            #expect(budget >= 0)
        }
    }

    @Test("a wide budget leaves the mask as it is")
    func wideBudget() throws {
        let vocabulary = TestVocabularies.small()
        for machineCase in machines {
            let engine = try ConstraintEngine(machine: machineCase.make(), vocabulary: vocabulary)
            var mask = TokenMask(tokenCount: vocabulary.count)
            var wide = TokenMask(tokenCount: vocabulary.count)
            let configuration = engine.advance(engine.start(), Array(#"{"key":"v"#.utf8)) ?? engine.start()
            engine.fillMask(configuration, into: &mask)
            engine.fillMask(configuration, budget: 500, into: &wide)
            let isEqual = mask.isEqual(to: wide)
            #expect(isEqual)
        }
    }

    @Test func completionsUseTheFewestTokens() throws {
        let vocabulary = TestVocabularies.small()
        let engine = try ConstraintEngine(machine: machines[0].make(), vocabulary: vocabulary)
        let tokens = engine.completion(engine.start())
        #expect(tokens.count == engine.minimumTokens(engine.start()))
        let text = tokens.flatMap { vocabulary.bytes(of: $0) }
        #expect(engine.advance(engine.start(), text).map(engine.isComplete) == true)
        #expect(tokens.count < text.count)
    }
}

@Suite(.enabled(if: SharedData.has("maskbench/vocab/smollm2.jsonl"), "needs FORMWORK_SHARED"))
struct MaskVocabularyTests {
    static let smollm2 = Result { try read() }

    private static func read() throws -> TokenVocabulary {
        let url = try #require(SharedData.url("maskbench/vocab/smollm2.jsonl"))
        var tokens: [[UInt8]?] = []
        for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n").dropFirst() {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let hex = object["hex"] as? String, let special = object["special"] as? Bool
            else { continue }
            let digits = Array(hex)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
                UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0
            }
            tokens.append(special ? nil : bytes)
        }
        return TokenVocabulary(tokens: tokens, endOfGeneration: [2])
    }

    @Test("masks over SmolLM2's vocabulary equal stepping every token")
    func equalsOracle() throws {
        let vocabulary = try Self.smollm2.get()
        #expect(vocabulary.count == 49152 && vocabulary.singleBytes.count == 235)
        for machineCase in machines {
            let template = machineCase.make()
            let engine = try ConstraintEngine(
                machine: SpelledMachine(template, alphabet: vocabulary.singleBytes), vocabulary: vocabulary
            )
            var generator = SeededGenerator(5)
            var mask = TokenMask(tokenCount: vocabulary.count)
            var configuration = engine.start()
            for _ in 0..<10 {
                engine.fillMask(configuration, into: &mask)
                let expected = TestVocabularies.oracle(template, configuration, vocabulary)
                let indices = mask.indices
                #expect(indices == expected)
                guard let token = expected.filter({ $0 != 2 }).randomElement(using: &generator) else { break }
                configuration = try #require(engine.commit(configuration, token))
            }
        }
    }
}

/// A machine with another alphabet declared.
final class SpelledMachine: ConstraintMachine {
    let base: TemplateMachine
    let alphabet: ByteSet

    init(_ base: TemplateMachine, alphabet: ByteSet) {
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
