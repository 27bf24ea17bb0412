// SPDX-License-Identifier: Apache-2.0

public import Constraints
public import Documents
public import Generation
import Inference
public import JSONSchemas
package import Tokenizers

/// Limits and choices of a transformation.
public struct TransformationOptions: Sendable {
    /// The most tokens that the document may have.
    public var maxTokens: Int
    public var sampling: SamplingOptions
    /// How the model spells the JSON. What is printed afterwards is another matter.
    public var profile: SpellingProfile
    /// Whether `format` is asserted, for the formats of the specification.
    public var formats: FormatPolicy
    /// Tokens for prompt and document together; nil takes what the request needs.
    public var contextLength: Int?
    /// Whether forced runs are taken without asking the model.
    public var takesForcedTokens: Bool
    /// Whether a greedy choice among the few texts of an `enum` or a boolean goes by the probability of each as a
    /// whole.
    public var choosesWholeValues: Bool
    /// Whether the report gives the probabilities of all texts of such values.
    public var reportsProbabilities: Bool
    /// Whether only the logits that the mask allows are computed where they are few. The document is the same.
    public var computesMaskedHead: Bool
    /// Whether tokens are guessed from the prompt and computed together. The document is the same.
    public var usesDrafts: Bool

    public init(
        maxTokens: Int = 512, sampling: SamplingOptions = .init(), profile: SpellingProfile = .spaced,
        formats: FormatPolicy = .assert, contextLength: Int? = nil, takesForcedTokens: Bool = true,
        choosesWholeValues: Bool = false, reportsProbabilities: Bool = false, computesMaskedHead: Bool = true,
        usesDrafts: Bool = true
    ) {
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.profile = profile
        self.formats = formats
        self.contextLength = contextLength
        self.takesForcedTokens = takesForcedTokens
        self.choosesWholeValues = choosesWholeValues
        self.reportsProbabilities = reportsProbabilities
        self.computesMaskedHead = computesMaskedHead
        self.usesDrafts = usesDrafts
    }
}

/// A document made from text, checked against its schema.
public struct Transformation: Sendable {
    /// The JSON text as it was generated.
    public var text: String
    /// The same, parsed.
    public var document: Document
    public var report: TransformationReport
}

/// Turns texts into documents of one spec with one model.
///
///     let model = try TextModel(path: "smollm2.gguf")
///     let transformer = try Transformer(model: model, spec: spec)
///     let contact = try transformer.transform("Call Ada Lovelace at ada@example.org")
///
/// The key-value cache is kept between calls, so that the prompt's common beginning is paid for once. A transformer is
/// not thread-safe: one per thread.
public final class Transformer {
    let model: TextModel
    private let spec: LoadedSpec
    let runner: GenerationRunner
    let options: TransformationOptions
    private var validator: Validator
    private var compileSeconds: Double
    /// Whether strings are taken from the text, so that each needs a constraint of its own.
    let isVerbatim: Bool
    private let prompts: PromptBuilder
    private let opening: [ChatMessage]

    /// Compiles the spec for the model's vocabulary.
    ///
    /// - Throws: `DiagnosticsError` where the schema holds what cannot be enforced, naming keyword and place.
    public init(model: TextModel, spec: LoadedSpec, options: TransformationOptions = .init()) throws {
        let clock = ContinuousClock()
        let start = clock.now
        self.model = model
        self.spec = spec
        self.options = options
        isVerbatim = spec.graph.firstVerbatim != nil
        // Without a text there is nothing to be taken from it: what can be told now is whether all else fits.
        let engine = try Self.compile(spec, model, options, isVerbatim ? .undecided : .refused)
        runner = GenerationRunner(model: model, engine: engine, options: options)
        compileSeconds = (clock.now - start).seconds
        validator = Validator(spec.graph, formats: options.formats)
        prompts = PromptBuilder(tokenizer: model.tokenizer, template: model.template)
        opening = Self.opening(spec)
    }

    private static func compile(
        _ spec: LoadedSpec, _ model: TextModel, _ options: TransformationOptions, _ verbatim: VerbatimPolicy
    ) throws -> ConstraintEngine {
        var profile = options.profile
        if !model.spellsUnassignedPlanes { profile.allowsUnassignedPlanes = false }
        let machine = try SchemaMachine(spec.graph, profile: profile, formats: options.formats, verbatim: verbatim)
        return try ConstraintEngine(machine: machine, vocabulary: model.vocabulary)
    }

    /// Tokens of the shortest document; where strings are taken from the text, of the shortest for the last text.
    public var minimumTokens: Int { runner.minimumTokens }

    /// Turns `text` into a document.
    ///
    /// - Parameters:
    ///   - text: What to transform. It cannot leave its place in the prompt. Strings with `x-verbatim` are taken from
    /// it.
    ///   - onBytes: Receives the JSON text as it grows.
    ///   - isCancelled: Asked before each token.
    /// - Throws: ``GenerationError`` where budget or context are too small; ``TransformationError``; `DiagnosticsError`
    /// where no document can be taken from the text.
    public func transform(
        _ text: String, onBytes: ([UInt8]) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> Transformation {
        try take(from: text)
        return try run(promptTokens(for: text), onBytes: onBytes, isCancelled: isCancelled)
    }

    /// Continues a prompt that is taken as it stands, control tokens included.
    ///
    /// - Parameter source: The text that strings with `x-verbatim` are taken from.
    public func transform(
        rawPrompt: String, source: String? = nil, onBytes: ([UInt8]) -> Void = { _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> Transformation {
        if let source {
            try take(from: source)
        } else if let problem = spec.graph.missingSource("constraint.no-source") {
            throw DiagnosticsError([problem], sources: [spec.source.source].compactMap(\.self))
        }
        return try run(prompts.tokens(raw: rawPrompt), onBytes: onBytes, isCancelled: isCancelled)
    }

    /// Makes the constraint for a text, where the schema asks for strings that are taken from it.
    private func take(from text: String) throws {
        guard isVerbatim else { return }
        let clock = ContinuousClock()
        let start = clock.now
        let source = try VerbatimSource(text)
        runner.engine = try Self.compile(spec, model, options, .source(source))
        validator.source = source
        compileSeconds = (clock.now - start).seconds
    }

    /// The prompt for `text`, as the model sees it.
    public func prompt(for text: String) throws -> String {
        let tokens = try promptTokens(for: text)
        return String(decoding: tokens.flatMap { model.tokenizer.vocabulary.bytes($0) }, as: UTF8.self)
    }

    /// The tokens of ``prompt(for:)``.
    package func promptTokens(for text: String) throws(TransformationError) -> [TokenID] {
        try prompts.tokens(opening + [ChatMessage(role: "user", content: text)])
    }

    /// Finds the places of choices, and reads their texts as values.
    private static func choices(
        _ probabilities: [ValueProbabilities], in document: Document
    ) -> [TransformationReport.Choice] {
        guard !probabilities.isEmpty else { return [] }
        var scalars: [(start: Int, node: Node)] = []
        var open = [document.root]
        while let node = open.popLast() {
            open += node.elements.map { $0 } + node.members.map(\.value)
            if node.kind != .array, node.kind != .object, let range = node.range {
                scalars.append((range.start.offset, node))
            }
        }
        scalars.sort { $0.start < $1.start }
        return probabilities.compactMap { entry in
            // The choice begins at the value, in the spaces before it, or after a beginning that all texts share.
            let shared = scalars.last { $0.start < entry.offset && entry.offset < ($0.node.range?.end.offset ?? 0) }
            guard let (start, node) = shared ?? scalars.first(where: { $0.start >= entry.offset }),
                let text = document.source?.bytes
            else { return nil }
            let head = start < entry.offset ? Array(text[start..<entry.offset]) : []
            let values = entry.alternatives.compactMap { alternative -> (value: JSONValue, probability: Double)? in
                var bytes = head + Array(alternative.text.utf8)
                if bytes.first(where: { $0 != UInt8(ascii: " ") }) == UInt8(ascii: "\"") { bytes.append(UInt8(ascii: "\"")) }
                guard let value = try? JSONReader.read(bytes, file: nil).root.value else { return nil }
                return (value, alternative.probability)
            }
            return TransformationReport.Choice(pointer: node.pointer, probabilities: values)
        }
    }

    private func run(
        _ prompt: [TokenID], onBytes: ([UInt8]) -> Void, isCancelled: () -> Bool
    ) throws -> Transformation {
        try finish(try runner.generate(prompt, onBytes: onBytes, isCancelled: isCancelled))
    }

    /// Checks what was generated, and reports about it.
    func finish(_ result: GenerationResult) throws(TransformationError) -> Transformation {
        let clock = ContinuousClock()
        let start = clock.now
        let document = try check(result)
        return Transformation(
            text: result.text, document: document,
            report: TransformationReport(
                model: model.path.split(separator: "/").last.map(String.init) ?? model.path,
                spec: spec.name ?? "",
                finishReason: result.finishReason, statistics: result.statistics,
                loadSeconds: model.loadSeconds, compileSeconds: compileSeconds,
                validationSeconds: (clock.now - start).seconds,
                choices: Self.choices(result.probabilities, in: document),
                verbatim: validator.verbatimPlaces(document.root)
            )
        )
    }

    /// Parses and validates what was generated, with code that the machine does not use.
    private func check(_ result: GenerationResult) throws(TransformationError) -> Document {
        let document: Document
        do {
            document = try JSONReader.read(result.bytes, file: nil)
        } catch {
            throw TransformationError(.invalidResult, "the generated text is not JSON: '\(result.text)'", cause: error)
        }
        let violations = validator.validate(document.root)
        if let first = violations.first {
            throw TransformationError(
                .invalidResult,
                "the generated document breaks '\(first.keyword)' at '\(first.instanceLocation)': \(result.text)")
        }
        return document
    }

    /// The system message and the spec's examples.
    private static func opening(_ spec: LoadedSpec) -> [ChatMessage] {
        var instruction = spec.instruction ?? "Turn the text into JSON."
        if spec.instruction == nil, let description = spec.summary {
            instruction += " \(description)"
        }
        return PromptBuilder.opening(
            instruction: instruction, schema: SchemaRendering.compact(spec.schema.root), examples: spec.examples)
    }
}
