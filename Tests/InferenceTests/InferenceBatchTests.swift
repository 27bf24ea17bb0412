// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import TestSupport
import Testing

/// Sequences continued together, against the same sequences continued alone.
struct InferenceBatchTests {
    /// Tokens that differ from sequence to sequence.
    private func own(_ sequence: Int, _ count: Int) -> [Int32] {
        (0..<count).map { Int32(($0 * 37 + 11 + sequence * 23) % 80) }
    }

    private func sessions(_ model: Model, _ count: Int) throws -> [InferenceSession] {
        try (0..<count).map { _ in try InferenceSession(model, contextLength: model.contextLength) }
    }

    @Test(arguments: Setting.all, [2, 8, 20]) func sequencesTogetherRoundAsEachAlone(
        _ setting: Setting, _ count: Int
    ) throws {
        let model = try load(TinyModel(setting.architecture, format: setting.format), setting.options)
        let (together, alone) = (try sessions(model, count), try sessions(model, count))
        let batch = try InferenceBatch(model, sequences: count)
        // Prompts of different lengths, some in pieces.
        let prompts = (0..<count).map { own($0, 1 + $0 * 7 % 60) }
        var steps = together.indices.map {
            SequenceStep(together[$0], tokens: Array(prompts[$0].prefix(30)), isPrompt: true)
        }
        #expect(batch.run(steps).allSatisfy { $0 == nil })
        steps = together.indices.map {
            SequenceStep(together[$0], tokens: Array(prompts[$0].dropFirst(30)), isPrompt: true, logits: .all)
        }
        #expect(batch.run(steps).allSatisfy { $0 == nil })
        for (session, prompt) in zip(alone, prompts) { try session.prefill(prompt) }
        for step in 0..<6 {
            for index in together.indices {
                #expect(Array(together[index].logits) == Array(alone[index].logits), "sequence \(index), step \(step)")
                #expect(together[index].position == alone[index].position)
            }
            // One token, or a run of several.
            let next = together.indices.map { index in
                index % 3 == 2 ? own(index + step, 1 + index % 5) : [together[index].argmax()]
            }
            steps = zip(together, next).map { SequenceStep($0, tokens: $1, logits: .all) }
            #expect(batch.run(steps).allSatisfy { $0 == nil })
            for (session, tokens) in zip(alone, next) { for token in tokens { try session.decode(token) } }
        }
    }

    @Test(arguments: ["F32", "Q8_0", "Q4_1"]) func longPromptsBesideOthersRoundAsAlone(_ format: String) throws {
        var tiny = TinyModel("llama", format: format)
        tiny.edit { $0.entries = $0.entries.map { $0.key == "llama.context_length" ? ($0.key, .uint32(700)) : $0 } }
        let model = try load(tiny, ModelOptions(threads: 2))
        let (together, alone) = (try sessions(model, 4), try sessions(model, 4))
        let batch = try InferenceBatch(model, sequences: 3)
        let prompts = [own(0, 300), own(1, 1), own(2, 64), own(3, 130)]
        // Pieces that do not match the blocks of positions.
        for start in stride(from: 0, to: 300, by: 64) {
            let steps = zip(together, prompts).map {
                SequenceStep($0, tokens: Array($1.dropFirst(start).prefix(64)), isPrompt: true)
            }
            #expect(batch.run(steps).allSatisfy { $0 == nil })
        }
        #expect(batch.run(together.map { SequenceStep($0, tokens: [], logits: .all) }).allSatisfy { $0 == nil })
        for (index, prompt) in prompts.enumerated() {
            try alone[index].prefill(prompt)
            #expect(Array(together[index].logits) == Array(alone[index].logits), "sequence \(index)")
        }
    }

    /// A prompt's state must not depend on where it was cut, or what a cache held of it.
    @Test(arguments: ["F32", "Q8_0", "Q4_1"], [64, 128, 192]) func promptsAreTheSameFromAnyBlockOn(
        _ format: String, _ cut: Int
    ) throws {
        var tiny = TinyModel("llama", format: format)
        tiny.edit { $0.entries = $0.entries.map { $0.key == "llama.context_length" ? ($0.key, .uint32(700)) : $0 } }
        let model = try load(tiny)
        let (whole, parts) = (try sessions(model, 1)[0], try sessions(model, 1)[0])
        for count in [193, 200, 256] {
            whole.truncate(to: 0)
            parts.truncate(to: 0)
            let prompt = own(0, count)
            try whole.prefill(prompt)
            try parts.prefillWithoutLogits(Array(prompt[..<cut]))
            try parts.prefill(Array(prompt[cut...]))
            #expect(Array(whole.logits) == Array(parts.logits))
        }
    }

    @Test(arguments: Setting.all) func computesChosenLogitsOfEachSequence(_ setting: Setting) throws {
        let model = try load(TinyModel(setting.architecture, format: setting.format), setting.options)
        let (together, alone) = (try sessions(model, 5), try sessions(model, 5))
        let batch = try InferenceBatch(model, sequences: 5)
        let rows: [[Int32]] = [[0], [3, 15, 16, 79], [], Array(0..<80), [7, 70]]
        let wanted: [SequenceStep.Logits] = [.rows(rows[0]), .rows(rows[1]), .none, .all, .rows(rows[4])]
        let steps = together.indices.map { SequenceStep(together[$0], tokens: own($0, 4), logits: wanted[$0]) }
        #expect(batch.run(steps).allSatisfy { $0 == nil })
        for index in alone.indices {
            try alone[index].prefill(own(index, 4))
            for row in rows[index].map(Int.init) {
                #expect(together[index].logits[row] == alone[index].logits[row], "sequence \(index), row \(row)")
            }
        }
        withExtendedLifetime(together) {
            #expect(together[2].logits.allSatisfy { $0 == 0 })
        }
    }

    @Test func whatIsWrongWithOneSequenceLeavesTheOthersAlone() throws {
        let model = try load(TinyModel("llama", format: "Q8_0"))
        let full = try InferenceSession(model, contextLength: 4)
        try full.prefill(own(0, 3))
        let (good, invalid, empty) = (try sessions(model, 1)[0], try sessions(model, 1)[0], try sessions(model, 1)[0])
        let batch = try InferenceBatch(model, sequences: 2)
        let errors = batch.run([
            SequenceStep(full, tokens: [1, 2], logits: .all), SequenceStep(invalid, tokens: [1, 80], logits: .all),
            SequenceStep(good, tokens: own(1, 5), logits: .all), SequenceStep(good, tokens: [1]),
            SequenceStep(empty, tokens: [], logits: .all), SequenceStep(empty, tokens: [1], logits: .rows([-1])),
        ])
        let codes: [InferenceError.Code?] = [
            .contextOverflow, .invalidToken, nil, .unsupported, .invalidToken, .unsupported,
        ]
        let found: [InferenceError.Code?] = errors.map { $0?.code }
        #expect(found == codes)
        #expect(errors[0]?.message == "3 tokens and 2 more do not fit into the context of 4")
        let positions = [full, invalid, good, empty].map(\.position)
        #expect(positions == [3, 0, 5, 0])
        let alone = try sessions(model, 1)
        try alone[0].prefill(own(1, 5))
        withExtendedLifetime((good, alone)) {
            #expect(Array(good.logits) == Array(alone[0].logits))
        }
        let more = batch.run([SequenceStep(empty, tokens: [1], logits: .rows([-1])), SequenceStep(full, tokens: [2])])
        let later: [InferenceError.Code?] = [.invalidToken, nil]
        let foundLater: [InferenceError.Code?] = more.map { $0?.code }
        #expect(foundLater == later)
        #expect(full.position == 4)
    }

    @Test(arguments: [0, -1, 257]) func refusesOtherNumbersOfSequences(_ count: Int) throws {
        let model = try load(TinyModel())
        #expect(throws: InferenceError.self) { try InferenceBatch(model, sequences: count) }
    }

    @Test func runsMoreSequencesThanThereIsRoomForAtOnce() throws {
        let model = try load(TinyModel("gemma3", format: "Q4_1"), ModelOptions(threads: 2))
        let (together, alone) = (try sessions(model, 7), try sessions(model, 7))
        let batch = try InferenceBatch(model, sequences: 3)
        let steps = together.enumerated().map { SequenceStep($1, tokens: own($0, 1 + $0), logits: .all) }
        #expect(batch.run(steps).allSatisfy { $0 == nil })
        for (index, session) in alone.enumerated() {
            try session.prefill(own(index, 1 + index))
            #expect(Array(together[index].logits) == Array(session.logits))
        }
    }

    @Test func aSessionOfAnotherModelIsAMistake() async {
        await #expect(processExitsWith: .failure) {
            let batch = try InferenceBatch(try load(TinyModel()), sequences: 2)
            let other = try InferenceSession(try load(TinyModel()), contextLength: 8)
            _ = batch.run([SequenceStep(other, tokens: [1])])
        }
    }
}
