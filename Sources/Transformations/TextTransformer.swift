// SPDX-License-Identifier: Apache-2.0

package import Constraints
import Documents
import Generation
package import Tokenizers

/// What a text must be, other than a JSON document.
package struct TextSpec: Sendable {
    package var grammar: Grammar
    /// A name for reports.
    package var name: String
    /// What the model is told about the wanted text.
    package var hint: String
    /// What the model is asked to do; by default to rewrite the text.
    package var instruction: String?

    package init(grammar: Grammar, name: String, hint: String, instruction: String? = nil) {
        self.grammar = grammar
        self.name = name
        self.hint = hint
        self.instruction = instruction
    }
}

/// A text that was made from another, and what that cost.
package struct TextTransformation: Sendable {
    package var text: String
    package var report: TransformationReport
}

/// Turns texts into texts of one grammar with one model.
///
/// The key-value cache is kept between calls. A transformer is not thread-safe: one per thread.
package final class TextTransformer {
    private let spec: TextSpec
    private let runner: GenerationRunner
    private let recogniser: GrammarRecogniser
    private let prompts: PromptBuilder
    private let opening: [ChatMessage]
    private let compileSeconds: Double

    /// Compiles the grammar for the model's vocabulary.
    ///
    /// - Throws: `DiagnosticsError` where the grammar cannot be enforced or has no text.
    package init(model: TextModel, spec: TextSpec, options: TransformationOptions = .init()) throws {
        let clock = ContinuousClock()
        let start = clock.now
        self.spec = spec
        var profile = options.profile
        if !model.spellsUnassignedPlanes { profile.allowsUnassignedPlanes = false }
        let machine = try GrammarMachine(
            spec.grammar, profile: profile, formats: options.formats, bytes: model.vocabulary.singleBytes)
        let engine = try ConstraintEngine(machine: machine, vocabulary: model.vocabulary)
        runner = GenerationRunner(model: model, engine: engine, options: options)
        recogniser = try GrammarRecogniser(spec.grammar, formats: options.formats)
        compileSeconds = (clock.now - start).seconds
        prompts = PromptBuilder(tokenizer: model.tokenizer, template: model.template, answerTitle: "Answer")
        let instruction = spec.instruction ?? "Answer with nothing but the wanted text."
        opening = [ChatMessage(role: "system", content: instruction + (spec.hint.isEmpty ? "" : "\n" + spec.hint))]
    }

    /// Tokens of the shortest text.
    package var minimumTokens: Int { runner.minimumTokens }

    /// The tokens of the prompt for `text`.
    package func promptTokens(for text: String) throws(TransformationError) -> [TokenID] {
        try prompts.tokens(opening + [ChatMessage(role: "user", content: text)])
    }

    /// The prompt for `text`, as the model sees it.
    package func prompt(for text: String) throws -> String {
        let vocabulary = runner.model.tokenizer.vocabulary
        return String(decoding: try promptTokens(for: text).flatMap { vocabulary.bytes($0) }, as: UTF8.self)
    }

    /// Turns `text` into a text of the grammar.
    package func transform(
        _ text: String, onBytes: ([UInt8]) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> TextTransformation {
        try run(promptTokens(for: text), onBytes: onBytes, isCancelled: isCancelled)
    }

    /// Generates after a prompt that is taken as it is.
    package func transform(
        rawPrompt: String, onBytes: ([UInt8]) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> TextTransformation {
        try run(prompts.tokens(raw: rawPrompt), onBytes: onBytes, isCancelled: isCancelled)
    }

    private func run(
        _ prompt: [TokenID], onBytes: ([UInt8]) -> Void, isCancelled: () -> Bool
    ) throws -> TextTransformation {
        let result = try runner.generate(prompt, onBytes: onBytes, isCancelled: isCancelled)
        let clock = ContinuousClock()
        let start = clock.now
        // Checked with code that the machine does not use.
        guard recogniser.accepts(result.bytes) != .rejected else {
            throw TransformationError(
                .invalidResult, "the generated text does not match '\(spec.name)': \(result.text)")
        }
        let path = runner.model.path
        return TextTransformation(
            text: result.text,
            report: TransformationReport(
                model: path.split(separator: "/").last.map(String.init) ?? path, spec: spec.name,
                finishReason: result.finishReason, statistics: result.statistics,
                loadSeconds: runner.model.loadSeconds, compileSeconds: compileSeconds,
                validationSeconds: (clock.now - start).seconds
            )
        )
    }
}
