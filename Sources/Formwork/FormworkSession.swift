// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Documents
import Generation
import Inference
import JSONSchemas
import ModelFiles
import Tokenizers
import Transformations

/// A model that turns texts into Swift values.
///
///     let session = try FormworkSession(model: "smollm2")
///     let contact = try await session.transform("Call Ada at ada@example.org", to: Contact.self)
///
/// A value is valid whatever the model makes of the text: at each step only tokens can be chosen that lead to a value
/// of the type, guides included. Whether it is *right* is another matter, and depends on the model.
///
/// One session serves any number of tasks; their transformations run at once and share the model's steps. The model
/// works on threads of its own, so that no other task is held up. A session stays while a transformation runs.
public final class FormworkSession: Sendable {
    /// Choices for a session.
    public struct Options: Sendable {
        /// Transformations that run at once; further ones wait.
        public var concurrency: Int
        /// Transformations that may wait before others are refused with ``FormworkError/Code/busy``.
        public var waitingLimit: Int
        /// The number of threads that compute; nil takes one for each processor.
        public var threads: Int?
        /// The most tokens of prompt and value together; nil takes what the model was made for.
        public var contextLength: Int?
        /// The most bytes of memory for what is known of earlier prompts.
        public var prefixCacheBytes: Int

        public init(
            concurrency: Int = 8, waitingLimit: Int = 10_000, threads: Int? = nil, contextLength: Int? = nil,
            prefixCacheBytes: Int = 256 << 20
        ) {
            self.concurrency = concurrency
            self.waitingLimit = waitingLimit
            self.threads = threads
            self.contextLength = contextLength
            self.prefixCacheBytes = prefixCacheBytes
        }
    }

    private static let usualBudget = 1024

    private let model: TextModel
    private let modelName: String
    private let contextLength: Int
    private let scheduler: GenerationScheduler
    private let shelf: ConstraintShelf
    private let prompts: PromptBuilder

    /// Loads a model, which takes up to some seconds; ``load(model:options:)`` does not hold up the caller's thread.
    ///
    /// - Parameters:
    ///   - name: A name in the model store (`formwork models pull`), or the path of a GGUF file.
    ///   - options: Choices for the session.
    /// - Throws: ``FormworkError`` with code ``FormworkError/Code/modelNotFound``,
    ///   ``FormworkError/Code/modelUnusable`` or ``FormworkError/Code/invalidOption``.
    public init(model name: String, options: Options = Options()) throws(FormworkError) {
        let threads = options.threads ?? min(max(ProcessorCount.current, 1), 64)
        guard threads > 0, options.waitingLimit >= 0, options.waitingLimit <= 1 << 40, options.prefixCacheBytes >= 0,
            options.contextLength.map({ $0 > 0 }) ?? true
        else {
            throw FormworkError(
                .invalidOption, "the threads, the context length, the waiting limit and the cache must not be negative")
        }
        let file: String
        do {
            file = try ModelStore.standard().resolve(name).path
        } catch {
            throw FormworkError(error)
        }
        do {
            model = try TextModel(path: file, options: ModelOptions(threads: threads))
        } catch {
            throw FormworkError(.modelUnusable, "the model '\(name)' cannot be used", cause: error)
        }
        modelName = file.split(separator: "/").last.map(String.init) ?? file
        contextLength = min(options.contextLength ?? model.contextLength, model.contextLength)
        do {
            scheduler = try GenerationScheduler(
                model: model.model, tokenizer: model.tokenizer, vocabulary: model.vocabulary,
                options: .init(
                    slots: options.concurrency, queueLimit: options.waitingLimit, contextLength: contextLength),
                cache: PrefixCache(byteLimit: options.prefixCacheBytes))
        } catch {
            throw FormworkError(error)
        }
        shelf = ConstraintShelf(model: model)
        prompts = PromptBuilder(tokenizer: model.tokenizer, template: model.template)
    }

    /// Loads a model on a thread of its own.
    ///
    /// - Parameters:
    ///   - model: A name in the model store (`formwork models pull`), or the path of a GGUF file.
    ///   - options: Choices for the session.
    public static func load(model: String, options: Options = Options()) async throws(FormworkError) -> FormworkSession
    {
        let result: Result<FormworkSession, FormworkError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(FormworkError) in try FormworkSession(model: model, options: options)
                    })
            }
        }
        return try result.get()
    }

    /// Turns the schema of a type into a constraint, which the first transformation would do otherwise.
    ///
    /// - Throws: ``FormworkError`` with code ``FormworkError/Code/unenforceableGuide``, which names the guide at fault.
    public func prepare<Value: Structured>(_ type: Value.Type) async throws(FormworkError) {
        do {
            _ = try await shelf.constraint(StructuredSchema(of: type), for: nil)
        } catch {
            throw FormworkError(error)
        }
    }

    /// Turns a text into a value.
    ///
    /// - Parameters:
    ///   - text: What to transform. It cannot leave its place in the prompt.
    ///   - type: The wanted type.
    ///   - examples: Texts with their values, which show the model what is wanted.
    ///   - options: Choices for this transformation.
    /// - Throws: ``FormworkError``; with code ``FormworkError/Code/cancelled`` where the task is cancelled.
    public func transform<Value: Structured>(
        _ text: String, to type: Value.Type = Value.self, examples: [Example<Value>] = [],
        options: TransformOptions = TransformOptions()
    ) async throws(FormworkError) -> Value {
        try await run(text, examples, options) { _ in }.value
    }

    /// Turns a text into a value, and tells what that cost.
    ///
    /// - Parameters:
    ///   - text: What to transform. It cannot leave its place in the prompt.
    ///   - type: The wanted type.
    ///   - examples: Texts with their values, which show the model what is wanted.
    ///   - options: Choices for this transformation.
    /// - Throws: ``FormworkError``; with code ``FormworkError/Code/cancelled`` where the task is cancelled.
    public func transformWithReport<Value: Structured>(
        _ text: String, to type: Value.Type = Value.self, examples: [Example<Value>] = [],
        options: TransformOptions = TransformOptions()
    ) async throws(FormworkError) -> Transformed<Value> {
        try await run(text, examples, options) { _ in }
    }

    /// Turns a text into a value that can be seen while it grows.
    ///
    ///     for try await partial in session.stream(text, to: Contact.self) {
    ///         show(partial.name ?? "")
    ///     }
    ///
    /// Work begins at once. Leaving the loop over the stream ends it.
    ///
    /// - Parameters:
    ///   - text: What to transform. It cannot leave its place in the prompt.
    ///   - type: The wanted type.
    ///   - examples: Texts with their values, which show the model what is wanted.
    ///   - options: Choices for this transformation.
    public func stream<Value: Structured>(
        _ text: String, to type: Value.Type = Value.self, examples: [Example<Value>] = [],
        options: TransformOptions = TransformOptions()
    ) -> StructuredStream<Value> {
        StructuredStream { report throws(FormworkError) in
            try await self.run(text, examples, options, report)
        }
    }

    // MARK: One transformation

    private func run<Value: Structured>(
        _ text: String, _ examples: [Example<Value>], _ options: TransformOptions,
        _ report: @Sendable (Value.PartiallyFilled) -> Void
    ) async throws(FormworkError) -> Transformed<Value> {
        let clock = ContinuousClock()
        let began = clock.now
        do {
            try Task.checkCancellation()
            let schema = StructuredSchema(of: Value.self)
            let compiled = try await shelf.constraint(schema, for: text)
            let prepared = clock.now
            let prompt = try prompts.tokens(try messages(text, schema, examples, compiled.validator, options))
            let room = max(contextLength - prompt.count, 0)
            var generation = Generator.Options(maxTokens: options.budget ?? min(Self.usualBudget, room))
            generation.sampling = SamplingOptions(
                temperature: Float(options.temperature), topK: options.topK, topP: Float(options.topP),
                seed: options.seed)
            let events = try scheduler.events(
                of: GenerationRequest(
                    prompt: prompt, engine: compiled.engine, options: generation,
                    deadline: options.timeLimit.map { began + $0 }))
            var started = prepared
            var growth = Growth<Value>()
            for try await event in events {
                switch event {
                case .started: started = clock.now
                case .token: break
                case .bytes(let bytes):
                    if let partial = try growth.take(bytes) { report(partial) }
                case .failed(let error): throw error
                case .finished(let result):
                    let value: Value = try read(result, compiled.validator)
                    // What the value has by default belongs to its last state.
                    if let last = Value.partiallyFilled(from: PartialValue(value.structuredValue)) { report(last) }
                    return Transformed(
                        value: value, json: result.text,
                        report: TransformReport(
                            model: modelName, result, preparation: prepared - began, waiting: started - prepared,
                            total: clock.now - began))
                }
            }
            // The stream ends early only where the task was cancelled.
            throw FormworkError.cancelled
        } catch {
            throw FormworkError(error)
        }
    }

    private func messages<Value: Structured>(
        _ text: String, _ schema: StructuredSchema, _ examples: [Example<Value>], _ validator: Validator,
        _ options: TransformOptions
    ) throws(FormworkError) -> [ChatMessage] {
        var shown: [SpecExample] = []
        for (index, example) in examples.enumerated() {
            let output = example.value.structuredValue.value
            var validator = validator
            if validator.source != nil { validator.source = try? VerbatimSource(example.text) }
            if let violation = validator.validate(Document(value: output).root).first {
                let place = violation.instanceLocation.tokens.isEmpty ? "" : " at '\(violation.instanceLocation)'"
                throw FormworkError(
                    .invalidExample, "the value of example \(index + 1) does not fit\(place): \(violation.message)")
            }
            shown.append(SpecExample(input: example.text, output: output))
        }
        let opening = PromptBuilder.opening(
            instruction: options.instruction ?? "Turn the text into JSON.", schema: schema.shown.description,
            examples: shown)
        return opening + [ChatMessage(role: "user", content: text)]
    }

    /// Reads what was generated, once it is checked with code that the constraint does not use.
    private func read<Value: Structured>(
        _ result: GenerationResult, _ validator: Validator
    ) throws(FormworkError) -> Value {
        let document: Document
        do {
            document = try JSONReader.read(result.bytes, file: nil)
        } catch {
            throw FormworkError(.internalFault, "the generated text is not JSON: '\(result.text)'", cause: error)
        }
        if let violation = validator.validate(document.root).first {
            throw FormworkError(
                .internalFault,
                "the generated value breaks '\(violation.keyword)' at '\(violation.instanceLocation)': \(result.text)")
        }
        do {
            return try Value(structuredValue: StructuredValue(document.root.value))
        } catch {
            throw FormworkError(.internalFault, "'\(Value.self)' cannot read its own JSON \(result.text)", cause: error)
        }
    }
}

extension TransformReport {
    fileprivate init(
        model: String, _ result: GenerationResult, preparation: Duration, waiting: Duration, total: Duration
    ) {
        let statistics = result.statistics
        self.init(
            model: model, isCutShort: result.finishReason == .length, promptTokens: statistics.promptTokens,
            cachedPromptTokens: statistics.cachedPromptTokens, valueTokens: statistics.outputTokens,
            forcedTokens: statistics.forcedTokens, preparationTime: preparation, waitingTime: waiting,
            promptTime: .seconds(statistics.prefillSeconds), decodingTime: .seconds(statistics.decodeSeconds),
            totalTime: total)
    }
}
