// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import TestSupport
import Testing

/// Loads a tiny model and removes its file from the folder.
func load(_ tiny: TinyModel, _ options: ModelOptions = ModelOptions()) throws -> Model {
    let url = try tiny.write()
    defer { try? FileManager.default.removeItem(at: url) }
    return try Model(path: url.path, options: options)
}

/// Tokens that look random but are the same in each run.
func tokens(_ count: Int, vocabulary: Int = 80) -> [Int32] { (0..<count).map { Int32(($0 * 37 + 11) % vocabulary) } }

/// The largest difference of two lists of numbers.
func distance(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

/// The engine's settings in a test.
struct Setting: CustomTestStringConvertible, Sendable {
    var architecture: String
    var format: String
    var options: ModelOptions

    var testDescription: String {
        "\(architecture) \(format) \(options.activations) \(options.kvCache) \(options.threads) threads"
    }

    static let all: [Setting] = ["llama", "gemma3", "qwen2", "qwen3", "gemma2", "phi3"].flatMap { architecture in
        ["F32", "Q8_0", "Q4_1"].flatMap { format in
            [
                Setting(architecture: architecture, format: format, options: .reference),
                Setting(architecture: architecture, format: format, options: ModelOptions()),
                Setting(architecture: architecture, format: format, options: ModelOptions(threads: 3)),
            ]
        }
    }

    func session() throws -> InferenceSession {
        let model = try load(TinyModel(architecture, format: format), options)
        return try InferenceSession(model, contextLength: model.contextLength)
    }
}

struct InferenceSessionTests {
    @Test(arguments: ["llama", "gemma3", "qwen2", "qwen3", "gemma2", "phi3"], ["F32", "Q8_0", "Q4_1"])
    func agreesWithAPlainForwardPass(_ architecture: String, _ format: String) throws {
        let tiny = TinyModel(architecture, format: format)
        let ids = tokens(20)
        let expected = PlainForwardPass(model: tiny).logits(ids)
        for (options, tolerance) in [(ModelOptions.reference, 1e-3), (ModelOptions(), format == "F32" ? 0.1 : 1)] {
            let session = try InferenceSession(try load(tiny, options), contextLength: 32)
            try session.prefill(ids, logitsAtAll: true)
            for index in ids.indices {
                let scale = Float(expected[index].map { abs($0) }.max() ?? 1) / 3
                let difference = distance(session.logits(at: index), expected[index].map { Float($0) })
                #expect(difference <= Float(tolerance) * max(scale, 1), "position \(index)")
            }
        }
    }

    @Test(arguments: Setting.all) func decodingAgreesWithPrefill(_ setting: Setting) throws {
        let (one, other) = (try setting.session(), try setting.session())
        let ids = tokens(40)
        try one.prefill(ids, logitsAtAll: true)
        let tolerance: Float = setting.format == "F32" || setting.options == .reference ? 2e-2 : 1
        for (index, id) in ids.enumerated() {
            try other.decode(id)
            #expect(distance(one.logits(at: index), other.logits) <= tolerance, "position \(index)")
        }
        #expect(one.position == 40)
        #expect(other.position == 40)
    }

    @Test(arguments: ["F32", "Q8_0", "Q4_1"]) func threadsDoNotChangeTheResult(_ format: String) throws {
        let tiny = TinyModel("gemma3", format: format)
        var results: [[Float]] = []
        for threads in [1, 2, 5] {
            let session = try InferenceSession(
                try load(tiny, ModelOptions(threads: threads)), contextLength: 64)
            try session.prefill(tokens(33))
            for _ in 0..<20 { try session.decode(session.argmax()) }
            results.append(Array(session.logits))
        }
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    @Test(arguments: Setting.all) func truncatingReusesThePrefix(_ setting: Setting) throws {
        let (one, other) = (try setting.session(), try setting.session())
        let ids = tokens(30)
        try one.prefill(Array(ids[..<10]))
        try one.prefill([1, 2, 3, 4, 5, 6, 7, 8])
        one.truncate(to: 10)
        #expect(one.position == 10)
        try one.prefill(Array(ids[10...]))
        try other.prefill(Array(ids[..<10]))
        try other.prefill(Array(ids[10...]))
        #expect(Array(one.logits) == Array(other.logits))
        one.truncate(to: 99)
        #expect(one.position == 30)
    }

    @Test(arguments: Setting.all) func computesSomeLogitsOnly(_ setting: Setting) throws {
        let (one, other) = (try setting.session(), try setting.session())
        try one.prefill(tokens(9))
        try other.decodeWithoutLogits(tokens(9))
        let rows: [Int32] = [0, 3, 15, 16, 17, 40, 79]
        try other.computeLogits(rows: rows)
        for row in rows { #expect(one.logits[Int(row)] == other.logits[Int(row)]) }
        try other.computeLogits()
        #expect(Array(one.logits) == Array(other.logits))
    }

    /// What follows forced text must not depend on whether it came in one batch or token by token.
    @Test(arguments: Setting.all, [2, 5, 20, 60]) func batchesRoundAsSingleTokensDo(_ setting: Setting, _ count: Int) throws {
        let (one, other) = (try setting.session(), try setting.session())
        for session in [one, other] { try session.prefill(tokens(9)) }
        let ids = Array(tokens(100)[9..<9 + count])
        try one.decodeWithoutLogits(ids)
        try one.computeLogits()
        for id in ids { try other.decode(id) }
        #expect(Array(one.logits) == Array(other.logits))
        let rows: [Int32] = [1, 30, 79]
        try other.computeLogits(rows: rows)
        for row in rows { #expect(one.logits[Int(row)] == other.logits[Int(row)]) }
    }

    @Test func longPromptsGoThroughSeveralBatches() throws {
        var tiny = TinyModel()
        tiny.edit { $0.entries = $0.entries.map { $0.key == "llama.context_length" ? ($0.key, .uint32(700)) : $0 } }
        let session = try InferenceSession(try load(tiny, .reference), contextLength: 700)
        try session.prefill(tokens(600))
        let expected = Array(session.logits)
        session.truncate(to: 0)
        for start in stride(from: 0, to: 600, by: 60) { try session.prefill(Array(tokens(600)[start..<start + 60])) }
        #expect(distance(session.logits, expected) <= 1e-3)
        session.truncate(to: 0)
        var questions = 0
        session.isCancelled = {
            questions += 1
            return questions > 1
        }
        let error = try #require(throws: InferenceError.self) { try session.prefill(tokens(600)) }
        #expect(error.code == .cancelled)
        #expect(session.position > 0 && session.position < 600)
    }

    @Test func refusesTokensThatDoNotFit() throws {
        let session = try InferenceSession(try load(TinyModel()), contextLength: 8)
        try session.prefill(tokens(6))
        let error = try #require(throws: InferenceError.self) { try session.prefill(tokens(3)) }
        #expect(error.code == .contextOverflow)
        #expect(error.message == "6 tokens and 3 more do not fit into the context of 8")
        #expect(session.position == 6)
        try session.decodeWithoutLogits(tokens(2))
        #expect(throws: InferenceError.self) { try session.decode(1) }
    }

    @Test(arguments: [-1, 80, Int32.max, Int32.min]) func refusesTokensOutsideTheVocabulary(_ token: Int32) throws {
        let session = try InferenceSession(try load(TinyModel()), contextLength: 8)
        #expect(throws: InferenceError.self) { try session.decode(token) }
        #expect(throws: InferenceError.self) { try session.prefill([1, token]) }
        try session.decode(1)
        #expect(throws: InferenceError.self) { try session.computeLogits(rows: [token]) }
        #expect(session.position == 1)
    }

    @Test(arguments: [0, -1, 97, Int.max]) func refusesContextsTheModelDoesNotHave(_ length: Int) throws {
        let model = try load(TinyModel())
        let error = try #require(throws: InferenceError.self) {
            try InferenceSession(model, contextLength: length)
        }
        #expect(error.code == .contextOverflow)
    }

    @Test func sessionsOfOneModelAreIndependent() async throws {
        let model = try load(TinyModel("llama", format: "Q8_0"), ModelOptions(threads: 2))
        let expected = try (0..<4).map { index in
            let session = try InferenceSession(model, contextLength: 64)
            try session.prefill(tokens(20 + index))
            return Array(session.logits)
        }
        try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
            for index in 0..<4 {
                group.addTask {
                    let session = try InferenceSession(model, contextLength: 64)
                    try session.prefill(tokens(20 + index))
                    return (index, Array(session.logits))
                }
            }
            for try await (index, logits) in group { #expect(logits == expected[index]) }
        }
    }
}
