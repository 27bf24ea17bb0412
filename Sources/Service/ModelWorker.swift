// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Generation
import Inference
import JSONSchemas
import Synchronization
import Tokenizers
import Transformations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Generates for the requests of one model, one after another, on a thread of its own.
///
/// Prompts that begin alike share the key-value cache of the one before; compiled constraints are kept.
final class ModelWorker: Sendable {
    let name: String
    let model: TextModel
    private let queue: JobQueue

    /// Compiled constraints that are kept.
    private static let maximumEngines = 64

    init(name: String, model: TextModel, configuration: ServiceConfiguration, metrics: ServiceMetrics) throws {
        self.name = name
        self.model = model
        let queue = JobQueue(limit: configuration.queueLength)
        self.queue = queue
        let runner = JobRunner(
            model: model, configuration: configuration, metrics: metrics, engines: Self.maximumEngines)
        let start = Unmanaged.passRetained(ThreadStart { runner.run(queue) })
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let status = pthread_create(
            &thread, nil,
            { argument in
                #if !canImport(Darwin)
                    guard let argument else { return nil }
                #endif
                Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw ServiceFault(.serviceUnavailable, "server.threads", "no thread could be started", kind: .server)
        }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
    }

    deinit { queue.close() }

    /// Requests that wait or run.
    var load: Int { queue.count }

    /// Queues a request.
    ///
    /// The stream ends with ``GenerationUpdate/finished(_:)`` or throws a ``ServiceFault``. When the task that reads it is
    /// cancelled, generation stops within a step.
    ///
    /// - Throws: ``ServiceFault`` with status 429 where too many requests wait.
    func submit(_ job: GenerationJob, deadline: ContinuousClock.Instant) throws -> AsyncThrowingStream<
        GenerationUpdate, any Error
    > {
        let (stream, continuation) = AsyncThrowingStream<GenerationUpdate, any Error>.makeStream()
        let ticket = JobTicket(job: job, deadline: deadline, updates: continuation)
        continuation.onTermination = { _ in ticket.cancel() }
        guard queue.append(ticket) else {
            throw ServiceFault(
                .tooManyRequests, "server.queue-full",
                "\(queue.limit) requests wait for the model '\(name)' already; try again later", kind: .rateLimit,
                retryAfter: 1 + queue.limit / 8)
        }
        return stream
    }
}

private final class ThreadStart {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}

/// A request in the queue.
final class JobTicket: Sendable {
    let job: GenerationJob
    let deadline: ContinuousClock.Instant
    let queued = ContinuousClock().now
    let updates: AsyncThrowingStream<GenerationUpdate, any Error>.Continuation
    private let cancelled = Atomic(false)

    init(
        job: GenerationJob, deadline: ContinuousClock.Instant,
        updates: AsyncThrowingStream<GenerationUpdate, any Error>.Continuation
    ) {
        self.job = job
        self.deadline = deadline
        self.updates = updates
    }

    /// Whether nobody waits for the answer any more.
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }
    var isLate: Bool { ContinuousClock().now > deadline }

    func cancel() { cancelled.store(true, ordering: .relaxed) }
}

/// The requests that wait, first come, first served. A thread sleeps until there is one.
final class JobQueue: @unchecked Sendable {
    // Unchecked: everything below is read and written under `mutex`.
    let limit: Int
    private var tickets: [JobTicket] = []
    private var running = 0
    private var isClosed = false
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(limit: Int) {
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(change, nil)
    }

    deinit {
        pthread_cond_destroy(change)
        pthread_mutex_destroy(mutex)
        change.deallocate()
        mutex.deallocate()
    }

    private func locked<T>(_ body: () -> T) -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Requests that wait or run.
    var count: Int { locked { tickets.count + running } }

    /// Adds a request; false where too many wait.
    func append(_ ticket: JobTicket) -> Bool {
        locked {
            tickets.removeAll { $0.isCancelled }
            guard !isClosed, tickets.count < limit else { return false }
            tickets.append(ticket)
            pthread_cond_signal(change)
            return true
        }
    }

    /// The next request, or nil when the queue was closed and is empty. The one before counts as done.
    func next() -> JobTicket? {
        locked {
            running = 0
            while tickets.isEmpty {
                if isClosed { return nil }
                pthread_cond_wait(change, mutex)
            }
            running = 1
            return tickets.removeFirst()
        }
    }

    /// Lets the thread end once it has done what waits.
    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(change)
        }
    }
}

/// What the thread of a model does. Used by that thread only.
private final class JobRunner: @unchecked Sendable {
    // Unchecked: made by one thread and used by another, which is started afterwards.
    private struct Compiled {
        var engine: ConstraintEngine
        var validator: Validator?
        var lastUse: Int
    }

    private let model: TextModel
    private let configuration: ServiceConfiguration
    private let metrics: ServiceMetrics
    private let maximumEngines: Int
    private let prompts: PromptBuilder
    private var engines: [String: Compiled] = [:]
    private var uses = 0
    private var generator: Generator?
    private var capacity = 0

    init(model: TextModel, configuration: ServiceConfiguration, metrics: ServiceMetrics, engines: Int) {
        self.model = model
        self.configuration = configuration
        self.metrics = metrics
        maximumEngines = engines
        prompts = PromptBuilder(tokenizer: model.tokenizer, template: model.template, answerTitle: "Answer")
    }

    func run(_ queue: JobQueue) {
        while let ticket = queue.next() {
            if ticket.isCancelled { continue }
            do {
                let answer = try run(ticket)
                metrics.answered(answer)
                ticket.updates.yield(.finished(answer))
                ticket.updates.finish()
            } catch {
                let fault = ServiceFault(error, parameter: ticket.job.formParameter)
                metrics.refused(fault)
                ticket.updates.finish(throwing: fault)
            }
        }
    }

    private func run(_ ticket: JobTicket) throws -> GenerationAnswer {
        let clock = ContinuousClock()
        let began = clock.now
        let wait = (began - ticket.queued).seconds
        try check(ticket)
        let job = ticket.job
        let compiled = try compile(job)
        let compileSeconds = (clock.now - began).seconds
        let prompt = try job.rawPrompt.map { prompts.tokens(raw: $0) } ?? prompts.tokens(job.messages)
        let most = min(configuration.contextLength ?? 8192, model.contextLength)
        guard prompt.count < most else {
            throw ServiceFault(
                .badRequest, "context_length_exceeded",
                "the prompt has \(prompt.count) tokens, but the context holds \(most); shorten the input",
                parameter: "messages")
        }
        // Where the request does not say, the answer may be as long as the context allows.
        let budget = job.maxTokens ?? min(configuration.defaultTokens, most - prompt.count)
        guard budget <= most - prompt.count else {
            throw ServiceFault(
                .badRequest, "context_length_exceeded",
                "the prompt has \(prompt.count) tokens and \(budget) more were asked for, but the context holds "
                    + "\(most)", parameter: "max_tokens")
        }
        ticket.updates.yield(.started(promptTokens: prompt.count))
        let generator = try generator(holding: prompt.count + budget, upTo: most)
        var pieces = TextPieces()
        var stops = StopFinder(job.stops)
        var text = ""
        func tell(_ piece: String) {
            guard !piece.isEmpty else { return }
            text += piece
            ticket.updates.yield(.text(piece))
        }
        var statistics = GenerationStatistics()
        var reason = FinishReason.stop
        var bytes: [UInt8] = []
        do {
            let result = try generator.generate(
                prompt: prompt, engine: compiled.engine,
                options: .init(maxTokens: budget, sampling: job.sampling),
                onBytes: { tell(pieces.take(stops.take($0))) },
                isCancelled: { stops.isStopped || ticket.isCancelled || ticket.isLate })
            (statistics, reason, bytes) = (result.statistics, result.finishReason, result.bytes)
        } catch {
            guard error.code == .cancelled, stops.isStopped else {
                if error.code == .cancelled { try check(ticket) }
                throw error
            }
            statistics.promptTokens = prompt.count
            statistics.outputTokens = model.tokenizer.encode(text, addSpecial: false, parseSpecial: false).count
            statistics.totalSeconds = (clock.now - began).seconds
        }
        if !stops.isStopped { tell(pieces.take(stops.finish())) }
        tell(pieces.finish())
        var answer = GenerationAnswer(
            text: text, finishReason: reason, statistics: statistics,
            compileSeconds: compileSeconds, waitSeconds: wait)
        if let validator = compiled.validator { answer.value = try check(bytes, validator) }
        return answer
    }

    private func check(_ ticket: JobTicket) throws {
        if ticket.isLate {
            throw ServiceFault(
                .gatewayTimeout, "server.deadline",
                "the request took longer than \(Int(configuration.deadline)) s", kind: .server)
        }
        if ticket.isCancelled {
            throw ServiceFault(.serviceUnavailable, "generation.cancelled", "the request was cancelled", kind: .server)
        }
    }

    /// Parses and validates a document with code that the machine does not use.
    private func check(_ bytes: [UInt8], _ validator: Validator) throws -> JSONValue {
        guard let document = try? JSONReader.read(bytes, file: nil) else {
            throw TransformationError(.invalidResult, "the generated text is not JSON")
        }
        if let first = validator.validate(document.root).first {
            throw TransformationError(
                .invalidResult, "the generated document breaks '\(first.keyword)' at '\(first.instanceLocation)'")
        }
        return document.root.value
    }

    private func compile(_ job: GenerationJob) throws -> Compiled {
        uses += 1
        let key: String
        switch job.form {
        case .text: key = "text"
        case .document(let spec, let text):
            if spec.graph.firstVerbatim != nil { return try compile(spec, source: job.source) }
            key = "document " + text
        case .grammar(_, let text): key = "grammar " + text
        }
        if var known = engines[key] {
            known.lastUse = uses
            engines[key] = known
            metrics.constraintHit()
            return known
        }
        let made: Compiled
        switch job.form {
        case .text: made = try compile(Grammar.regularExpression("[\\s\\S]*"))
        case .document(let spec, _): made = try compile(spec, source: nil)
        case .grammar(let grammar, _): made = try compile(grammar)
        }
        if engines.count >= maximumEngines, let oldest = engines.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            engines[oldest.key] = nil
        }
        engines[key] = made
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
            engine: try ConstraintEngine(machine: machine, vocabulary: model.vocabulary), validator: validator,
            lastUse: uses)
    }

    private func compile(_ grammar: Grammar) throws -> Compiled {
        let machine = try GrammarMachine(
            grammar, profile: profile, formats: .assert, bytes: model.vocabulary.singleBytes)
        return Compiled(
            engine: try ConstraintEngine(machine: machine, vocabulary: model.vocabulary), validator: nil,
            lastUse: uses)
    }

    private func generator(holding tokens: Int, upTo most: Int) throws -> Generator {
        if let generator, tokens <= capacity { return generator }
        let wanted = min(most, max(tokens + tokens / 2, 2048))
        let made = Generator(
            model: try InferenceSession(model.model, contextLength: wanted), tokenizer: model.tokenizer)
        generator = made
        capacity = wanted
        return made
    }
}
