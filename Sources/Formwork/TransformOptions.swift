// SPDX-License-Identifier: Apache-2.0

/// Choices for one transformation.
public struct TransformOptions: Sendable {
    /// What the model is asked to do; by default to turn the text into JSON.
    public var instruction: String?
    /// How much chance there is in the choice of tokens: 0 takes the likeliest.
    public var temperature: Double
    /// Choose among the likeliest tokens whose probabilities add up to this; 1 takes all.
    public var topP: Double
    /// Choose among so many of the likeliest tokens; 0 takes all.
    public var topK: Int
    /// Seed of the random numbers: the same seed gives the same value. Nil takes one from the system.
    public var seed: UInt64?
    /// The most tokens that the value may have. It is complete and valid however small the budget is; one that is too
    /// small for any value is refused. Nil takes 1,024, or what the model's context has room for.
    public var budget: Int?
    /// How long it may take. The value is then ended by the shortest way; it is complete and valid all the same.
    public var timeLimit: Duration?

    public init(
        instruction: String? = nil, temperature: Double = 0, topP: Double = 1, topK: Int = 0, seed: UInt64? = nil,
        budget: Int? = nil, timeLimit: Duration? = nil
    ) {
        self.instruction = instruction
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.seed = seed
        self.budget = budget
        self.timeLimit = timeLimit
    }
}

/// A text with the value that is wanted for it.
public struct Example<Value: Structured>: Sendable {
    public var text: String
    public var value: Value

    public init(_ text: String, _ value: Value) {
        self.text = text
        self.value = value
    }
}

/// A value that was made from a text, and what that cost.
public struct Transformed<Value: Structured>: Sendable {
    public var value: Value
    /// The value in JSON, as it was generated.
    public var json: String
    public var report: TransformReport
}

/// What a transformation did and what it cost.
public struct TransformReport: Sendable, Hashable {
    /// The model's file name.
    public var model: String
    /// Whether the budget or the time limit kept the value shorter than the model wanted. It is valid all the same.
    public var isCutShort: Bool
    /// Tokens of the prompt: instruction, schema, examples and text.
    public var promptTokens: Int
    /// Those of them that were known from earlier transformations.
    public var cachedPromptTokens: Int
    /// Tokens of the value.
    public var valueTokens: Int
    /// Those of them that the schema left no choice about.
    public var forcedTokens: Int
    /// Time to turn the schema into a constraint; next to nothing where that was done before.
    public var preparationTime: Duration
    /// Time in the queue.
    public var waitingTime: Duration
    /// Time to read the prompt.
    public var promptTime: Duration
    /// Time in the model after the prompt. Transformations that run at once share their steps.
    public var decodingTime: Duration
    /// Everything, from the call to the value.
    public var totalTime: Duration
}
