// SPDX-License-Identifier: Apache-2.0

import Constraints
import Generation
import Inference
import Tokenizers

/// Generates with one model and one constraint, and keeps the key-value cache between calls.
final class GenerationRunner {
    let model: TextModel
    /// The constraint; a new one for each text where strings are taken from it.
    var engine: ConstraintEngine
    let options: TransformationOptions
    private var generator: Generator?
    private var capacity = 0

    init(model: TextModel, engine: ConstraintEngine, options: TransformationOptions) {
        self.model = model
        self.engine = engine
        self.options = options
    }

    /// The tokens of the shortest text that the constraint accepts.
    var minimumTokens: Int { engine.minimumTokens(engine.start()) }

    func generate(
        _ prompt: [TokenID], onBytes: ([UInt8]) -> Void, isCancelled: () -> Bool
    ) throws -> GenerationResult {
        let needed = prompt.count.addingReportingOverflow(options.maxTokens)
        let generator = try generator(holding: needed.overflow ? .max : needed.partialValue)
        return try generator.generate(
            prompt: prompt, engine: engine, options: generationOptions, onBytes: onBytes, isCancelled: isCancelled)
    }

    /// The limits and choices of each generation.
    var generationOptions: Generator.Options {
        .init(
            maxTokens: options.maxTokens, sampling: options.sampling, takesForcedTokens: options.takesForcedTokens,
            choosesWholeValues: options.choosesWholeValues, reportsProbabilities: options.reportsProbabilities,
            computesMaskedHead: options.computesMaskedHead, usesDrafts: options.usesDrafts)
    }

    private func generator(holding tokens: Int) throws -> Generator {
        if let generator, tokens <= capacity { return generator }
        let most = model.contextLength
        // Room to grow: the next input may be longer, and a new cache forgets the prompt's beginning.
        let wanted = options.contextLength ?? (tokens > most ? tokens : min(most, max(tokens + tokens / 2, 1024)))
        guard tokens <= wanted, wanted <= most else {
            throw GenerationError(
                .contextTooSmall,
                "prompt and budget take \(tokens) tokens, but the context holds \(min(wanted, most)); "
                    + "shorten the input or lower the budget"
            )
        }
        let session = try InferenceSession(model.model, contextLength: wanted)
        let made = Generator(model: session, tokenizer: model.tokenizer)
        generator = made
        capacity = wanted
        return made
    }
}
