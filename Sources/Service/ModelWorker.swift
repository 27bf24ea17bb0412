// SPDX-License-Identifier: Apache-2.0

import Constraints
import Dispatch
import Documents
import Generation
import Inference
import JSONSchemas
import Synchronization
import Tokenizers
import Transformations

/// Generates for the requests of one model, many at once.
final class ModelWorker: Sendable {
    let name: String
    let model: TextModel
    private let scheduler: GenerationScheduler
    private let configuration: ServiceConfiguration
    private let constraints: ConstraintStore
    private let prompts: PromptBuilder
    private let metrics: ServiceMetrics
    /// Tokens of prompt and answer together.
    private let contextLength: Int

    init(
        name: String, model: TextModel, configuration: ServiceConfiguration, cache: PrefixCache,
        metrics: ServiceMetrics
    ) throws {
        self.name = name
        self.model = model
        self.configuration = configuration
        self.metrics = metrics
        contextLength = min(configuration.contextLength ?? 8192, model.contextLength)
        scheduler = try GenerationScheduler(
            model: model.model, tokenizer: model.tokenizer, vocabulary: model.vocabulary,
            options: .init(
                slots: configuration.slots, queueLimit: configuration.queueLength, contextLength: contextLength),
            cache: cache)
        constraints = ConstraintStore(model: model, metrics: metrics)
        prompts = PromptBuilder(tokenizer: model.tokenizer, template: model.template, answerTitle: "Answer")
    }

    /// Requests that wait or run.
    var load: Int {
        let counters = scheduler.counters
        return counters.waiting + counters.running
    }

    /// Queues a request.
    ///
    /// The stream ends with ``GenerationUpdate/finished(_:)`` or throws a ``ServiceFault``. When the task that reads it is
    /// cancelled, generation stops within a step.
    ///
    /// - Throws: ``ServiceFault``: status 429 where too many requests wait, 400 for a schema that cannot be enforced.
    func submit(
        _ job: GenerationJob, deadline: ContinuousClock.Instant
    ) async throws -> AsyncThrowingStream<GenerationUpdate, any Error> {
        do {
            let clock = ContinuousClock()
            let began = clock.now
            let compiled = try await constraints.constraint(job)
            let prompt = try job.rawPrompt.map { prompts.tokens(raw: $0) } ?? prompts.tokens(job.messages)
            guard prompt.count < contextLength else {
                throw ServiceFault(
                    .badRequest, "context_length_exceeded",
                    "the prompt has \(prompt.count) tokens, but the context holds \(contextLength); shorten the input",
                    parameter: job.rawPrompt == nil ? "messages" : "prompt")
            }
            let most = job.fillsContext ? configuration.maximumTokens : configuration.defaultTokens
            let budget = job.maxTokens ?? min(most, contextLength - prompt.count)
            guard budget <= contextLength - prompt.count else {
                throw ServiceFault(
                    .badRequest, "context_length_exceeded",
                    "the prompt has \(prompt.count) tokens and \(budget) more were asked for, but the context holds "
                        + "\(contextLength)", parameter: "max_tokens")
            }
            let relay = AnswerRelay(
                job: job, validator: compiled.validator, promptTokens: prompt.count,
                compileSeconds: (clock.now - began).seconds, tokenizer: model.tokenizer, metrics: metrics)
            let (stream, continuation) = AsyncThrowingStream<GenerationUpdate, any Error>.makeStream()
            var options = Generator.Options(maxTokens: budget, sampling: job.sampling)
            options.reportsTokens = job.tellsTokens
            options.reportedAlternatives = job.reportedAlternatives
            let ticket = try scheduler.submit(
                GenerationRequest(prompt: prompt, engine: compiled.engine, options: options, deadline: deadline)
            ) { relay.take($0, continuation) }
            relay.begin(ticket)
            continuation.onTermination = { _ in ticket.cancel() }
            return stream
        } catch {
            throw ServiceFault(error, parameter: job.formParameter)
        }
    }
}

/// Turns the events of a request into what interfaces tell.
private final class AnswerRelay: Sendable {
    private struct State {
        var pieces = TextPieces()
        var stops: StopFinder
        var text = ""
        var waitSeconds = 0.0
        var started = ContinuousClock.now
        var ticket: GenerationTicket?
        var isDone = false
    }

    private let job: GenerationJob
    private let validator: Validator?
    private let promptTokens: Int
    private let compileSeconds: Double
    private let tokenizer: Tokenizer
    private let metrics: ServiceMetrics
    private let queued = ContinuousClock.now
    private let state: Mutex<State>

    init(
        job: GenerationJob, validator: Validator?, promptTokens: Int, compileSeconds: Double, tokenizer: Tokenizer,
        metrics: ServiceMetrics
    ) {
        self.job = job
        self.validator = validator
        self.promptTokens = promptTokens
        self.compileSeconds = compileSeconds
        self.tokenizer = tokenizer
        self.metrics = metrics
        state = Mutex(State(stops: StopFinder(job.stops)))
    }

    /// Tells how to end the request at a stop text.
    func begin(_ ticket: GenerationTicket) {
        state.withLock {
            $0.ticket = ticket
            if $0.stops.isStopped { ticket.cancel() }
        }
    }

    /// Takes an event, on the scheduler's thread.
    func take(_ event: GenerationEvent, _ out: AsyncThrowingStream<GenerationUpdate, any Error>.Continuation) {
        state.withLock { state in
            guard !state.isDone else { return }
            func tell(_ text: String) {
                guard !text.isEmpty else { return }
                state.text += text
                out.yield(.text(text))
            }
            switch event {
            case .started:
                state.started = ContinuousClock.now
                state.waitSeconds = (state.started - queued).seconds
                out.yield(.started(promptTokens: promptTokens))
            case .token(let bytes, let origin):
                let before = state.text.utf8.count
                tell(state.pieces.take(state.stops.take(bytes)))
                let piece = String(decoding: state.text.utf8.dropFirst(before), as: UTF8.self)
                let seconds = (ContinuousClock.now - state.started).seconds
                out.yield(.token(GeneratedToken(text: piece, origin: origin, seconds: seconds)))
            case .bytes(let bytes):
                tell(state.pieces.take(state.stops.take(bytes)))
                guard state.stops.isStopped else { return }
                // The answer ends before the stop text, whatever the model would go on with.
                var statistics = GenerationStatistics()
                statistics.promptTokens = promptTokens
                statistics.outputTokens = tokenizer.encode(state.text, addSpecial: false, parseSpecial: false).count
                statistics.totalSeconds = (ContinuousClock.now - queued).seconds - state.waitSeconds
                finish(&state, .stop, statistics, [], out)
                state.ticket?.cancel()
            case .finished(let result):
                tell(state.pieces.take(state.stops.finish()))
                tell(state.pieces.finish())
                finish(&state, result.finishReason, result.statistics, result.tokenProbabilities, out)
            case .failed(let error):
                state.isDone = true
                out.finish(throwing: ServiceFault(error, parameter: job.formParameter))
            }
        }
    }

    private func finish(
        _ state: inout State, _ reason: FinishReason, _ statistics: GenerationStatistics,
        _ probabilities: [TokenProbability],
        _ out: AsyncThrowingStream<GenerationUpdate, any Error>.Continuation
    ) {
        state.isDone = true
        let answer = GenerationAnswer(
            text: state.text, finishReason: reason, statistics: statistics, compileSeconds: compileSeconds,
            waitSeconds: state.waitSeconds, validator: validator, probabilities: probabilities)
        metrics.answered(answer)
        out.yield(.finished(answer))
        out.finish()
    }
}

/// Compiled constraints of one model; those used last are kept.
private final class ConstraintStore: @unchecked Sendable {
    // Unchecked: everything that changes is touched on `queue` only. An engine is made there and handed over to the
    // scheduler's thread with the first request that uses it; nothing here looks into it afterwards.
    struct Compiled: @unchecked Sendable {
        /// Nil for any text.
        var engine: ConstraintEngine?
        var validator: Validator?
        fileprivate var lastUse = 0
    }

    private static let limit = 64

    private let model: TextModel
    private let metrics: ServiceMetrics
    private let queue = DispatchQueue(label: "formwork.constraints")
    private var known: [String: Compiled] = [:]
    private var uses = 0

    init(model: TextModel, metrics: ServiceMetrics) {
        self.model = model
        self.metrics = metrics
    }

    /// The constraint of a job, compiled where it is not known yet.
    func constraint(_ job: GenerationJob) async throws -> Compiled {
        if case .text = job.form { return Compiled() }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.find(job) }) }
        }
    }

    private func find(_ job: GenerationJob) throws -> Compiled {
        uses += 1
        let key: String
        switch job.form {
        case .text: return Compiled()
        case .document(let spec, let text):
            if spec.graph.firstVerbatim != nil { return try compile(spec, source: job.source) }
            key = "document " + text
        case .grammar(_, let text): key = "grammar " + text
        }
        if let compiled = known[key] {
            known[key]?.lastUse = uses
            metrics.constraintHit()
            return compiled
        }
        var made: Compiled
        switch job.form {
        case .text: return Compiled()
        case .document(let spec, _): made = try compile(spec, source: nil)
        case .grammar(let grammar, _):
            let machine = try GrammarMachine(
                grammar, profile: profile, formats: .assert, bytes: model.vocabulary.singleBytes)
            made = Compiled(engine: try ConstraintEngine(machine: machine, vocabulary: model.vocabulary))
        }
        made.lastUse = uses
        if known.count >= Self.limit, let oldest = known.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            known[oldest.key] = nil
        }
        known[key] = made
        return made
    }

    private var profile: SpellingProfile {
        var profile = SpellingProfile.spaced
        if !model.spellsUnassignedPlanes { profile.allowsUnassignedPlanes = false }
        return profile
    }

    private func compile(_ spec: LoadedSpec, source: String?) throws -> Compiled {
        var validator = Validator(spec.graph, formats: .assert)
        var verbatim = VerbatimPolicy.refused
        if let source, spec.graph.firstVerbatim != nil {
            let taken = try VerbatimSource(source)
            verbatim = .source(taken)
            validator.source = taken
        }
        let machine = try SchemaMachine(spec.graph, profile: profile, formats: .assert, verbatim: verbatim)
        return Compiled(
            engine: try ConstraintEngine(machine: machine, vocabulary: model.vocabulary), validator: validator)
    }
}
