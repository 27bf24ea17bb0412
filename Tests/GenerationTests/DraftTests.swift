// SPDX-License-Identifier: Apache-2.0

import Constraints
import Generation
import Inference
import Testing
import Tokenizers

/// A model whose logits follow from the tokens so far alone: noise by the last three, and a liking for what followed the last
/// one before. It counts how often it is run.
private final class CopyingModel: LanguageModel {
    let contextLength: Int
    private(set) var fed: [TokenID] = []
    private(set) var runs = 0
    let takesDrafts: Bool
    private let count: Int
    private let liking: Float
    /// The logits after the last tokens, row by row.
    private let values: UnsafeMutableBufferPointer<Float>
    private static let rows = 16

    init(count: Int, takesDrafts: Bool, liking: Float, contextLength: Int = 4096) {
        self.count = count
        self.takesDrafts = takesDrafts
        self.liking = liking
        self.contextLength = contextLength
        values = .allocate(capacity: count * Self.rows)
        values.initialize(repeating: .nan)
    }

    deinit { values.deallocate() }

    var position: Int { fed.count }

    func append(_ tokens: [TokenID]) throws(InferenceError) {
        #expect(fed.count + tokens.count <= contextLength)
        fed += tokens
        runs += 1
        values.update(repeating: .nan)
    }

    func appendDraft(_ tokens: [TokenID]) throws(InferenceError) {
        #expect(tokens.count <= Self.rows)
        #expect(fed.count + tokens.count <= contextLength)
        runs += 1
        values.update(repeating: .nan)
        for (row, token) in tokens.enumerated() {
            fed.append(token)
            fill(row)
        }
    }

    private func fill(_ row: Int) {
        let recent = fed.suffix(3).reduce(UInt64(17)) { $0 &* 1_099_511_628_211 ^ UInt64(UInt32(bitPattern: $1)) }
        var random = SplitMix64(seed: recent)
        let target = values.baseAddress.map { $0 + row * count }
        for index in 0..<count { target?[index] = Float.random(in: -2...2, using: &random) }
        if let last = fed.last, let before = fed.dropLast().lastIndex(of: last) {
            target?[Int(fed[before + 1])] += liking
        }
    }

    func computeLogits() throws(InferenceError) { fill(0) }
    func computeLogits(rows: [TokenID]) throws(InferenceError) { fill(0) }
    var logits: UnsafeBufferPointer<Float> { logits(at: 0) }

    func logits(at index: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(rebasing: values[index * count..<(index + 1) * count])
    }

    func truncate(to position: Int) { fed.removeLast(fed.count - position) }
}

/// Guessed tokens change how often the model runs, and nothing else.
struct DraftTests {
    private static let schemas = [
        contactSchema, #"{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}"#,
        #"{"type": "array", "items": {"enum": ["name", "age", "name and age"]}, "minItems": 3}"#,
        #"{"type": "array", "items": {"type": "string", "pattern": "^(ab)+$"}, "minItems": 2, "maxItems": 5}"#,
    ]

    private func generate(
        _ schema: String, _ prompt: String, drafts: Bool, liking: Float, budget: Int, temperature: Float = 0,
        wholeValues: Bool = false, contextLength: Int = 4096
    ) throws -> (result: GenerationResult, runs: Int) {
        let fixture = try Fixture(schema)
        let model = CopyingModel(
            count: vocabulary.count, takesDrafts: true, liking: liking, contextLength: contextLength)
        let generator = Generator(model: model, encode: spell)
        let result = try generator.generate(
            prompt: spell(prompt), engine: fixture.engine,
            options: .init(
                maxTokens: budget, sampling: .init(temperature: temperature, seed: 3), choosesWholeValues: wholeValues,
                usesDrafts: drafts))
        try fixture.check(result)
        return (result, model.runs)
    }

    @Test(arguments: schemas, [Float(0), 3, 8])
    func documentsAreTheSame(_ schema: String, _ liking: Float) throws {
        let prompt = "the name and age of ababab, the tags of name and age: the name and age and tags"
        for temperature in [Float(0), 0.7, 1.5] {
            for budget in [60, 90, 200] {
                for wholeValues in [false, true] {
                    let plain = try generate(
                        schema, prompt, drafts: false, liking: liking, budget: budget, temperature: temperature,
                        wholeValues: wholeValues)
                    let guessed = try generate(
                        schema, prompt, drafts: true, liking: liking, budget: budget, temperature: temperature,
                        wholeValues: wholeValues)
                    #expect(guessed.result.bytes == plain.result.bytes)
                    #expect(guessed.result.tokens == plain.result.tokens)
                    #expect(guessed.result.finishReason == plain.result.finishReason)
                    #expect(plain.result.statistics.draftedTokens == 0)
                    #expect(guessed.result.statistics.acceptedTokens <= guessed.result.statistics.draftedTokens)
                }
            }
        }
    }

    @Test func copyingTakesFewerRuns() throws {
        let schema = #"{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}"#
        let prompt = #"{"text": "Jovial wizards mix 5 kg of black quartz; help!"} "#
        let plain = try generate(schema, prompt, drafts: false, liking: 20, budget: 100)
        let guessed = try generate(schema, prompt, drafts: true, liking: 20, budget: 100)
        #expect(guessed.result.bytes == plain.result.bytes)
        #expect(guessed.result.statistics.acceptedTokens > 20)
        #expect(guessed.runs + 20 < plain.runs)
    }

    @Test func guessesStayInTheContext() throws {
        let schema = #"{"type": "string"}"#
        let prompt = "the name and age and the name and age and the name"
        let length = spell(prompt).count + 40
        let guessed = try generate(schema, prompt, drafts: true, liking: 9, budget: 40, contextLength: length)
        let plain = try generate(schema, prompt, drafts: false, liking: 9, budget: 40, contextLength: length)
        #expect(guessed.result.bytes == plain.result.bytes)
    }

    @Test func aPromptThatFollowsUsesTheCacheRightly() throws {
        let fixture = try Fixture(#"{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}"#)
        let prompt = spell("one two three four five one two")
        let other = spell("one two three four six one two")
        func run(_ drafts: Bool, _ prompts: [[TokenID]]) throws -> [[UInt8]] {
            let generator = Generator(
                model: CopyingModel(count: vocabulary.count, takesDrafts: true, liking: 9), encode: spell)
            return try prompts.map {
                try generator.generate(
                    prompt: $0, engine: fixture.engine, options: .init(maxTokens: 60, usesDrafts: drafts)
                ).bytes
            }
        }
        let together = try run(true, [prompt, other, prompt])
        #expect(together == (try run(false, [prompt, other, prompt])))
        #expect(together[0] == together[2])
    }
}
