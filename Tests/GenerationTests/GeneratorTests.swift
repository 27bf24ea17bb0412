// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Foundation
import Generation
import Inference
import JSONSchemas
import Testing
import Tokenizers

/// A model whose logits are noise, so that every legal path is taken sooner or later.
private final class NoiseModel: LanguageModel {
    let contextLength: Int
    private(set) var fed: [TokenID] = []
    private(set) var calls = 0
    private(set) var heads = 0
    private let values: UnsafeMutableBufferPointer<Float>
    private var random: SplitMix64
    /// Added to every token's logit by its id.
    private let bias: [Float]

    init(count: Int, seed: UInt64, contextLength: Int = 4096, bias: [Float] = []) {
        values = .allocate(capacity: count)
        values.initialize(repeating: 0)
        random = SplitMix64(seed: seed)
        self.contextLength = contextLength
        self.bias = bias
    }

    var position: Int { fed.count }

    func append(_ tokens: [TokenID]) throws(InferenceError) {
        fed += tokens
        calls += 1
    }

    func computeLogits() throws(InferenceError) { try computeLogits(rows: values.indices.map { TokenID($0) }) }

    func computeLogits(rows: [TokenID]) throws(InferenceError) {
        heads += 1
        for index in rows.map(Int.init) {
            values[index] = Float.random(in: -4...4, using: &random) + (index < bias.count ? bias[index] : 0)
        }
    }

    deinit { values.deallocate() }

    var logits: UnsafeBufferPointer<Float> { UnsafeBufferPointer(values) }

    func truncate(to position: Int) { fed.removeLast(fed.count - position) }
}

/// A model whose logits follow from the text so far: 0 but for the tokens that a rule names.
private final class ScriptedModel: LanguageModel {
    let contextLength = 4096
    private(set) var fed: [TokenID] = []
    private let values: UnsafeMutableBufferPointer<Float>
    private let rule: (String) -> [Character: Float]

    init(count: Int, rule: @escaping (String) -> [Character: Float]) {
        values = .allocate(capacity: count)
        values.initialize(repeating: 0)
        self.rule = rule
    }

    deinit { values.deallocate() }

    var position: Int { fed.count }
    func append(_ tokens: [TokenID]) throws(InferenceError) { fed += tokens }
    func truncate(to position: Int) { fed.removeLast(fed.count - position) }
    var logits: UnsafeBufferPointer<Float> { UnsafeBufferPointer(values) }
    func computeLogits(rows: [TokenID]) throws(InferenceError) { try computeLogits() }

    func computeLogits() throws(InferenceError) {
        values.update(repeating: 0)
        let text = String(decoding: fed.compactMap { UInt8(exactly: $0) }, as: UTF8.self)
        for (character, logit) in rule(text) { values[Int(character.asciiValue ?? 0)] = logit }
    }
}

/// All printable ASCII characters, the bytes of UTF-8, some words and typical JSON tokens; the last is the end.
let words: [[UInt8]?] = {
    var tokens: [[UInt8]?] = (0...255).map { [UInt8($0)] }
    let texts = [
        "{\"", "\":", "\": ", "\", \"", "\"}", "\"", "name", "age", "tags", " and", "the", "[\"", "\"]", "], ", ", ", "true",
        "false", "null", "12", "100", "na", "me\"", "id", "\n",
    ]
    tokens += texts.map { Array($0.utf8) }
    tokens.append(nil)
    return tokens
}()

let vocabulary = TokenVocabulary(tokens: words, endOfGeneration: [words.count - 1])

/// Greedy longest match: deterministic, and close to what a merge table would do.
func spell(_ text: String) -> [TokenID] {
    var bytes = Array(text.utf8)[...]
    var tokens: [TokenID] = []
    while !bytes.isEmpty {
        let best = words.indices.filter { index in words[index].map { bytes.starts(with: $0) } ?? false }
            .max { (words[$0]?.count ?? 0) < (words[$1]?.count ?? 0) }
        guard let best, let length = words[best]?.count else { return tokens }
        tokens.append(TokenID(best))
        bytes = bytes.dropFirst(length)
    }
    return tokens
}

struct Fixture {
    let engine: ConstraintEngine
    let validator: Validator

    init(_ schema: String, profile: SpellingProfile = .spaced) throws {
        let document = try JSONReader.read(Array(schema.utf8), file: nil)
        let graph = try SchemaGraph.load(document.root)
        engine = try ConstraintEngine(
            machine: SchemaMachine(graph, profile: profile, formats: .assert), vocabulary: vocabulary)
        validator = Validator(graph, formats: .assert)
    }

    func check(_ result: GenerationResult) throws {
        let document = try JSONReader.read(result.bytes, file: nil)
        #expect(validator.isValid(document.root), "\(result.text)")
    }
}

let contactSchema = """
    {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},
    "tags":{"type":"array","items":{"type":"string"},"maxItems":4}},"required":["name","age"],"additionalProperties":false}
    """

let schemas = [
    contactSchema,
    #"{"type":"string"}"#,
    #"{"enum":["red","green","blue",null,12]}"#,
    #"{"type":"array","items":{"type":"array","items":{"type":"number"}}}"#,
    #"{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3,5}$"}"#,
    #"{"type":"object","additionalProperties":{"type":"boolean"},"minProperties":1}"#,
]

struct GeneratorTests {
    private let prompt: [TokenID] = [65, 66, 67]

    @Test(arguments: schemas, [UInt64(1), 2, 3])
    func everyBudgetThatHoldsADocumentGivesAValidOne(schema: String, seed: UInt64) throws {
        let fixture = try Fixture(schema)
        let least = fixture.engine.minimumTokens(fixture.engine.start())
        for budget in [least, least + 1, least + 3, least + 10, least + 60] {
            for temperature in [Float(0), 1, 3] {
                let model = NoiseModel(count: words.count, seed: seed)
                let generator = Generator(model: model, encode: spell)
                let result = try generator.generate(
                    prompt: prompt, engine: fixture.engine,
                    options: .init(maxTokens: budget, sampling: .init(temperature: temperature, seed: seed)))
                #expect(result.tokens.count <= budget)
                try fixture.check(result)
            }
        }
    }

    /// After `"r` the model wants `x`, which no color has: the likeliest first letter leads to an unlikely color.
    @Test(arguments: [false, true]) func wholeValuesGoByTheProbabilityOfAllTheirTokens(_ all: Bool) throws {
        let fixture = try Fixture(#"{"type":"object","properties":{"c":{"enum":["red","blue"]}},"required":["c"],"additionalProperties":false}"#)
        let model = ScriptedModel(count: words.count) { text in
            if text.hasSuffix("\"") { return ["r": 2, "b": 1.5] }
            if text.hasSuffix("r") { return ["x": 9] }
            if text.hasSuffix("b") { return ["l": 9] }
            if text.hasSuffix("bl") { return ["u": 9] }
            if text.hasSuffix("blu") { return ["e": 9] }
            return [:]
        }
        let generator = Generator(model: model) { $0.utf8.map { TokenID($0) } }
        let byTokens = try generator.generate(
            prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 40, takesForcedTokens: false))
        #expect(byTokens.text == #"{"c": "red"}"#)
        let result = try generator.generate(
            prompt: prompt, engine: fixture.engine,
            options: .init(maxTokens: 40, choosesWholeValues: true, reportsProbabilities: all))
        #expect(result.text == #"{"c": "blue"}"#)
        #expect(result.probabilities.count == (all ? 1 : 0))
        if let first = result.probabilities.first {
            #expect(first.alternatives.map(\.text) == ["blue", "red"])
            // P(b) P(l|b) P(u|bl) P(e|blu) against P(r) P(e|r) P(d|re), over all tokens of the vocabulary.
            func share(_ logit: Double, _ others: [Double]) -> Double {
                exp(logit) / (([logit] + others).map(exp).reduce(0, +) + Double(words.count - 1 - others.count))
            }
            let blue = share(1.5, [2]) * share(9, []) * share(9, []) * share(9, [])
            let red = share(2, [1.5]) * share(0, [9]) * share(0, [])
            #expect(abs(first.alternatives[0].probability - blue / (blue + red)) < 1e-6)
        }
        // The cache holds what was generated, in spite of the tokens that were tried.
        let fed = model.fed.map { UInt8(truncatingIfNeeded: $0) }
        #expect((Array("ABC".utf8) + result.bytes).starts(with: fed))
    }

    @Test(arguments: schemas, [Float(0), 1]) func wholeValuesKeepEveryPromise(_ schema: String, _ temperature: Float) throws {
        let fixture = try Fixture(schema)
        let least = fixture.engine.minimumTokens(fixture.engine.start())
        for budget in [least, least + 1, least + 3, least + 60] {
            let model = NoiseModel(count: words.count, seed: 7)
            let result = try Generator(model: model, encode: spell).generate(
                prompt: prompt, engine: fixture.engine,
                options: .init(
                    maxTokens: budget, sampling: .init(temperature: temperature, seed: 7), choosesWholeValues: true,
                    reportsProbabilities: true))
            #expect(result.tokens.count <= budget)
            try fixture.check(result)
        }
    }

    @Test func aBudgetBelowTheShortestDocumentIsRefusedBeforeAnyWork() throws {
        let fixture = try Fixture(contactSchema)
        let least = fixture.engine.minimumTokens(fixture.engine.start())
        let model = NoiseModel(count: words.count, seed: 1)
        let error = #expect(throws: GenerationError.self) {
            _ = try Generator(model: model, encode: spell)
                .generate(prompt: prompt, engine: fixture.engine, options: .init(maxTokens: least - 1))
        }
        #expect(error?.code == .budgetTooSmall)
        #expect(error?.message.contains("\(least)") == true)
        #expect(model.calls == 0)
    }

    @Test func saysWhenTheBudgetShortenedTheDocument() throws {
        let fixture = try Fixture(#"{"type":"string"}"#)
        // The model would go on with letters for ever.
        var bias = [Float](repeating: 0, count: words.count)
        bias[97] = 50
        let long = try Generator(model: NoiseModel(count: words.count, seed: 1, bias: bias), encode: spell)
            .generate(prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 30))
        #expect(long.finishReason == .length)
        #expect(long.tokens.count <= 30)
        try fixture.check(long)
        bias[97] = 0
        bias[34] = 50
        let short = try Generator(model: NoiseModel(count: words.count, seed: 1, bias: bias), encode: spell)
            .generate(prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 30))
        #expect(short.finishReason == .stop)
        #expect(short.text == "\"\"")
    }

    @Test func forcedRunsDoNotAskTheModel() throws {
        let fixture = try Fixture(#"{"const":{"name":"the age","tags":[true,null,12]}}"#)
        let model = NoiseModel(count: words.count, seed: 1)
        let result = try Generator(model: model, encode: spell)
            .generate(prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 100))
        #expect(result.text == #"{"name": "the age", "tags": [true, null, 12]}"#)
        #expect(result.statistics.forcedTokens == result.tokens.count)
        #expect(model.calls == 1)
        #expect(model.heads == 0)
    }

    @Test func forcingDoesNotChangeWhatCanBeSaid() throws {
        let fixture = try Fixture(contactSchema)
        let result = try Generator(model: NoiseModel(count: words.count, seed: 9), encode: spell).generate(
            prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 80, takesForcedTokens: false))
        try fixture.check(result)
    }

    @Test func aCommonBeginningIsNotFedAgain() throws {
        let fixture = try Fixture(#"{"enum":["red","green"]}"#)
        let model = NoiseModel(count: words.count, seed: 1)
        let generator = Generator(model: model, encode: spell)
        _ = try generator.generate(
            prompt: [65, 66, 67, 68], engine: fixture.engine, options: .init(maxTokens: 20))
        let second = try generator.generate(
            prompt: [65, 66, 67, 70, 71], engine: fixture.engine, options: .init(maxTokens: 20))
        #expect(second.statistics.cachedPromptTokens == 3)
        #expect(Array(model.fed.prefix(5)) == [65, 66, 67, 70, 71])
        // The same prompt again still needs the logits after its last token.
        let third = try generator.generate(
            prompt: [65, 66, 67, 70, 71], engine: fixture.engine, options: .init(maxTokens: 20))
        #expect(third.statistics.cachedPromptTokens == 4)
    }

    @Test func refusesWhatTheContextCannotHold() throws {
        let fixture = try Fixture(contactSchema)
        let error = #expect(throws: GenerationError.self) {
            _ = try Generator(model: NoiseModel(count: words.count, seed: 1, contextLength: 50), encode: spell)
                .generate(prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 48))
        }
        #expect(error?.code == .contextTooSmall)
    }

    @Test func stopsWhenAsked() throws {
        let fixture = try Fixture(#"{"type":"string"}"#)
        var steps = 0
        let error = #expect(throws: GenerationError.self) {
            _ = try Generator(model: NoiseModel(count: words.count, seed: 1), encode: spell).generate(
                prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 1000),
                isCancelled: {
                    steps += 1
                    return steps > 5
                })
        }
        #expect(error?.code == .cancelled)
    }

    @Test func bytesArriveInOrder() throws {
        let fixture = try Fixture(contactSchema)
        var streamed: [UInt8] = []
        let result = try Generator(model: NoiseModel(count: words.count, seed: 4), encode: spell).generate(
            prompt: prompt, engine: fixture.engine, options: .init(maxTokens: 120), onBytes: { streamed += $0 })
        #expect(streamed == result.bytes)
    }

    @Test func theRepetitionPenaltyKeepsDocumentsValid() throws {
        let fixture = try Fixture(contactSchema)
        for seed in 0..<5 {
            let result = try Generator(model: NoiseModel(count: words.count, seed: UInt64(seed)), encode: spell)
                .generate(
                    prompt: prompt, engine: fixture.engine,
                    options: .init(
                        maxTokens: 100,
                        sampling: .init(temperature: 1, repetitionPenalty: 1.5, seed: UInt64(seed))))
            try fixture.check(result)
        }
    }
}
