// SPDX-License-Identifier: Apache-2.0

import Constraints
import Generation
import Testing
import Tokenizers

struct SamplerTests {
    private func choose(
        _ options: SamplingOptions, logits: [Float], allowed: [Int], penalised: Set<TokenID> = [], times: Int = 1
    ) -> [TokenID?] {
        var mask = TokenMask(tokenCount: logits.count)
        for token in allowed { mask.insert(token) }
        var sampler = Sampler(options)
        var chosen: [TokenID?] = []
        for _ in 0..<times {
            logits.withUnsafeBufferPointer { logits in
                chosen.append(sampler.choose(logits: logits, mask: mask, penalised: penalised))
            }
        }
        return chosen
    }

    @Test func greedyTakesTheMostLikelyAllowedToken() {
        #expect(choose(.init(), logits: [9, 1, 3, 2], allowed: [1, 2, 3]) == [2])
    }

    @Test func greedyBreaksTiesByTheLowestID() {
        #expect(choose(.init(), logits: [1, 5, 5, 5], allowed: [1, 2, 3]) == [1])
    }

    @Test func emptyMaskGivesNoToken() {
        #expect(choose(.init(), logits: [1, 2], allowed: []) == [nil])
        #expect(choose(.init(temperature: 1, seed: 1), logits: [1, 2], allowed: []) == [nil])
    }

    @Test(arguments: [Float.nan, -Float.infinity])
    func unusableLogitsStillGiveAnAllowedToken(value: Float) {
        #expect(choose(.init(), logits: [value, value, value], allowed: [1, 2]) == [1])
        let sampled = choose(.init(temperature: 1, seed: 3), logits: [value, value, value], allowed: [2])
        #expect(sampled == [2])
    }

    @Test(arguments: [
        SamplingOptions(temperature: 2, seed: 7), SamplingOptions(temperature: 0.7, topK: 2, seed: 7),
        SamplingOptions(temperature: 1, topP: 0.5, seed: 7), SamplingOptions(temperature: 5, minP: 0.2, seed: 7),
    ])
    func neverLeavesTheMask(options: SamplingOptions) {
        let chosen = choose(options, logits: [50, 1, 2, 3, 40], allowed: [1, 2, 3], times: 200)
        #expect(chosen.allSatisfy { [1, 2, 3].contains($0) })
    }

    @Test func theSameSeedGivesTheSameTokens() {
        let options = SamplingOptions(temperature: 1, seed: 42)
        let logits: [Float] = [1, 1.5, 0.5, 1.2]
        let first = choose(options, logits: logits, allowed: [0, 1, 2, 3], times: 50)
        #expect(first == choose(options, logits: logits, allowed: [0, 1, 2, 3], times: 50))
        #expect(Set(first.compactMap { $0 }).count > 1)
    }

    @Test func topKKeepsTheMostLikely() {
        let chosen = choose(
            .init(temperature: 3, topK: 2, seed: 1), logits: [1, 4, 3, 2], allowed: [0, 1, 2, 3], times: 100)
        #expect(Set(chosen.compactMap { $0 }) == [1, 2])
    }

    @Test func topPKeepsTheSmallestSufficientSet() {
        // Probabilities about 0.64, 0.24, 0.09, 0.03.
        let chosen = choose(
            .init(temperature: 1, topP: 0.6, seed: 1), logits: [3, 2, 1, 0], allowed: [0, 1, 2, 3], times: 50)
        #expect(Set(chosen.compactMap { $0 }) == [0])
    }

    @Test func minPDropsUnlikelyTokens() {
        let chosen = choose(
            .init(temperature: 4, minP: 0.3, seed: 1), logits: [3, 2.5, 0, 0], allowed: [0, 1, 2, 3], times: 100)
        #expect(Set(chosen.compactMap { $0 }) == [0, 1])
    }

    @Test func frequenciesFollowTheSoftmax() {
        let chosen = choose(.init(temperature: 1, seed: 5), logits: [0, 1.0986123], allowed: [0, 1], times: 4000)
        let share = Double(chosen.filter { $0 == 1 }.count) / 4000
        #expect(abs(share - 0.75) < 0.03)
    }

    @Test func penaltyTouchesOnlyTheGivenTokens() {
        let options = SamplingOptions(repetitionPenalty: 2)
        #expect(choose(options, logits: [4, 3, 1], allowed: [0, 1, 2], penalised: [0]) == [1])
        #expect(choose(options, logits: [4, 3, 1], allowed: [0, 1, 2]) == [0])
        #expect(choose(options, logits: [-1, -1.5, -9], allowed: [0, 1, 2], penalised: [0]) == [1])
    }

    @Test(arguments: [
        SamplingOptions(temperature: -1), SamplingOptions(temperature: .nan), SamplingOptions(topK: -1),
        SamplingOptions(topP: 0), SamplingOptions(minP: 2), SamplingOptions(repetitionPenalty: 0),
    ])
    func tellsWhatIsWrongWithOptions(options: SamplingOptions) {
        #expect(!options.problems().isEmpty)
    }
}
