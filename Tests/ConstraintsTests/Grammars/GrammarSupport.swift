// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import TestSupport
import Testing

/// A grammar with texts that match it and texts that do not.
struct GrammarCase: CustomTestStringConvertible, Sendable {
    var source: String
    var accepts: [String]
    var rejects: [String]

    init(_ source: String, accepts: [String], rejects: [String]) {
        self.source = source
        self.accepts = accepts
        self.rejects = rejects
    }

    var testDescription: String { source }
}

func acceptsText(_ machine: GrammarMachine, _ text: String) -> Bool {
    var configuration = machine.start
    for byte in text.utf8 {
        configuration = machine.step(configuration, byte)
        if configuration.isDead { return false }
    }
    return machine.isAccepting(configuration)
}

/// Checks a grammar three ways: the machine byte by byte, the textbook recogniser, and masks over a small vocabulary.
func expectGrammar(
    _ grammar: Grammar, accepts: [String], rejects: [String], sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let machine = try GrammarMachine(grammar)
    let recogniser = try GrammarRecogniser(grammar)
    let vocabulary = TestVocabularies.small()
    let engine = try ConstraintEngine(machine: try GrammarMachine(grammar), vocabulary: vocabulary)
    for text in accepts {
        #expect(acceptsText(machine, text), "machine accepts \(text)", sourceLocation: sourceLocation)
        #expect(
            recogniser.accepts(Array(text.utf8)) == .accepted, "recogniser accepts \(text)",
            sourceLocation: sourceLocation)
        #expect(acceptsByMasks(engine, text), "masks accept \(text)", sourceLocation: sourceLocation)
    }
    for text in rejects {
        #expect(!acceptsText(machine, text), "machine rejects \(text)", sourceLocation: sourceLocation)
        #expect(
            recogniser.accepts(Array(text.utf8)) == .rejected, "recogniser rejects \(text)",
            sourceLocation: sourceLocation)
        #expect(!acceptsByMasks(engine, text), "masks reject \(text)", sourceLocation: sourceLocation)
    }
    let shortest = machine.witness(machine.start)
    #expect(shortest.count == machine.minimumCompletion(machine.start), sourceLocation: sourceLocation)
    #expect(recogniser.accepts(shortest) == .accepted, "shortest text", sourceLocation: sourceLocation)
}

/// Whether the tokens of a text, the longest first, are allowed one after another, and then the end.
func acceptsByMasks(_ engine: ConstraintEngine, _ text: String) -> Bool {
    let vocabulary = engine.vocabulary
    var mask = TokenMask(tokenCount: vocabulary.count)
    var configuration = engine.start()
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        engine.fillMask(configuration, into: &mask)
        // All tokens with which the text goes on must be allowed or none.
        let fitting = (0..<vocabulary.count).filter {
            let bytes = vocabulary.bytes(of: $0)
            return !bytes.isEmpty && rest.starts(with: bytes)
        }
        guard let token = fitting.max(by: { vocabulary.bytes(of: $0).count < vocabulary.bytes(of: $1).count }) else {
            return false
        }
        guard mask.contains(token), let next = engine.commit(configuration, token) else { return false }
        configuration = next
        rest = rest.dropFirst(vocabulary.bytes(of: token).count)
    }
    engine.fillMask(configuration, into: &mask)
    return vocabulary.endOfGeneration.allSatisfy { mask.contains($0) }
}

/// Walks at random over masks that are compared with naive stepping, then within a budget to the end.
func walkGrammar(
    _ grammar: Grammar, seed: UInt64, steps: Int = 12, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let machine = try GrammarMachine(grammar)
    let recogniser = try GrammarRecogniser(grammar)
    let vocabulary = TestVocabularies.small()
    let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
    var generator = TestSupport.SeededGenerator(seed: seed)
    var mask = TokenMask(tokenCount: vocabulary.count)
    var configuration = engine.start()
    var text: [UInt8] = []
    for _ in 0..<steps {
        engine.fillMask(configuration, into: &mask)
        let expected = TestVocabularies.oracle(machine, configuration, vocabulary)
        let indices = mask.indices
        #expect(indices == expected, "mask after \(String(decoding: text, as: UTF8.self))", sourceLocation: sourceLocation)
        let tokens = expected.filter { !vocabulary.endOfGeneration.contains($0) }
        guard let token = tokens.randomElement(using: &generator) else { break }
        text += vocabulary.bytes(of: token)
        configuration = try #require(engine.commit(configuration, token), sourceLocation: sourceLocation)
        let allowed = machine.allowedBytes(configuration)
        for byte in UInt8.min...UInt8.max {
            let isViable = !machine.step(configuration, byte).isDead
            #expect(allowed.contains(byte) == isViable, "byte \(byte)", sourceLocation: sourceLocation)
        }
    }
    var budget = engine.minimumTokens(configuration) + Int.random(in: 0...6, using: &generator)
    while true {
        engine.fillMask(configuration, budget: budget, into: &mask)
        let indices = mask.indices
        #expect(!indices.isEmpty, "a way to go on within the budget", sourceLocation: sourceLocation)
        guard let token = indices.randomElement(using: &generator),
            !vocabulary.endOfGeneration.contains(token)
        else { break }
        text += vocabulary.bytes(of: token)
        configuration = try #require(engine.commit(configuration, token), sourceLocation: sourceLocation)
        budget -= 1
    }
    #expect(budget >= 0, sourceLocation: sourceLocation)
    #expect(
        recogniser.accepts(text) == .accepted, "\(String(decoding: text, as: UTF8.self))",
        sourceLocation: sourceLocation)
}

func gbnf(_ source: String) throws -> Grammar { try GBNF.read(Array(source.utf8), file: "g.gbnf") }
func lark(_ source: String) throws -> Grammar { try Lark.read(Array(source.utf8), file: "g.lark") }

/// The problems of a grammar as `line:column id`.
func grammarProblems(_ read: () throws -> Grammar) throws -> [String] {
    do {
        let grammar = try read()
        _ = try GrammarMachine(grammar)
        return []
    } catch let error as DiagnosticsError {
        return error.diagnostics.map { "\($0.range.map { "\($0.start)" } ?? "-") \($0.id)" }
    }
}
