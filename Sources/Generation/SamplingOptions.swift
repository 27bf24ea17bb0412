// SPDX-License-Identifier: Apache-2.0

/// How the next token is chosen among those that the constraint allows.
///
/// The default is greedy: the most likely allowed token, ties to the lowest id, so that the same request gives the
/// same answer. All probabilities are taken after the token mask, so no setting can reach an invalid document.
public struct SamplingOptions: Hashable, Sendable {
    /// Softmax temperature; 0 is greedy.
    public var temperature: Float
    /// Keep the `topK` most likely tokens; 0 keeps all.
    public var topK: Int
    /// Keep the smallest set of tokens whose probabilities add up to at least `topP`; 1 keeps all.
    public var topP: Float
    /// Drop tokens less likely than `minP` times the most likely one; 0 keeps all.
    public var minP: Float
    /// Divisor for positive logits (factor for negative ones) of recently used words inside string values; 1 is off.
    ///
    /// Structure, keys, numbers and literals are never penalised (Keskar et al. 2019, CTRL, section 4.1).
    public var repetitionPenalty: Float
    /// How many of the latest tokens the repetition penalty looks at.
    public var repetitionWindow: Int
    /// Seed of the random numbers; nil takes one from the system.
    public var seed: UInt64?

    public init(
        temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0, repetitionPenalty: Float = 1,
        repetitionWindow: Int = 64, seed: UInt64? = nil
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.repetitionWindow = repetitionWindow
        self.seed = seed
    }

    /// What is wrong with the values, as sentences; empty where they can be used.
    public func problems() -> [String] {
        var problems: [String] = []
        if !temperature.isFinite || temperature < 0 { problems.append("the temperature must be 0 or more") }
        if topK < 0 { problems.append("top-k must be 0 or more") }
        if !(topP > 0 && topP <= 1) { problems.append("top-p must be above 0 and at most 1") }
        if !(minP >= 0 && minP <= 1) { problems.append("min-p must lie between 0 and 1") }
        if !repetitionPenalty.isFinite || repetitionPenalty <= 0 {
            problems.append("the repetition penalty must be above 0")
        }
        if repetitionWindow < 0 { problems.append("the repetition window must be 0 or more") }
        return problems
    }
}

/// A small seeded generator: the same seed gives the same numbers on every platform (Steele et al. 2014, SplitMix64).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
