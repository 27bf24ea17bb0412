// SPDX-License-Identifier: Apache-2.0

import Documents
import HTTPTypes
import Hummingbird
import NIOCore

extension FormworkService {
    /// The routes of OpenAI's interface.
    func openAI(_ router: Router<BasicRequestContext>) {
        route(router, .get, "/v1/models", .openAI) { _ in
            .json(["object": "list", "data": .array(host.models.map(Self.modelValue))])
        }
        route(router, .get, "/v1/models/:model", .openAI) { call in
            let name = call.parameters["model"] ?? ""
            guard let model = host.model(named: name) else {
                throw ServiceFault(
                    .notFound, "model_not_found", "the model '\(name)' is not served", kind: .notFound, parameter: "model")
            }
            return .json(Self.modelValue(model))
        }
        route(router, .post, "/v1/chat/completions", .openAI, generates: true) { call in
            try await complete(try OpenAIRequest.chat(call.body), isChat: true, call)
        }
        route(router, .post, "/v1/completions", .openAI, generates: true) { call in
            try await complete(try OpenAIRequest.completion(call.body), isChat: false, call)
        }
        route(router, .post, "/v1/responses", .openAI, generates: true) { call in try await respond(call) }
        route(router, .post, "/v1/embeddings", .openAI) { _ in
            throw ServiceFault(
                .notFound, "unsupported_endpoint", "embeddings are not served: the models generate text")
        }
    }

    private static func modelValue(_ model: ServiceConfiguration.Model) -> JSONValue {
        ["id": .string(model.name), "object": "model", "created": 0, "owned_by": "formwork"]
    }

    private func complete(_ request: OpenAIRequest, isChat: Bool, _ call: Call) async throws -> Reply {
        try check(request.job)
        let worker = try await host.worker(request.model)
        let answer = OpenAIAnswer(model: request.model, isChat: isChat, callsTools: request.tools != nil)
        guard request.streams else { return .json(try await whole(request, isChat: isChat, deadline: call.deadline)) }
        // What is wrong with a request is told by a status, before the stream begins.
        let first = try await begin(worker, request.job.choice(0), call)
        return Reply(type: "text/event-stream") { writer in
            var answers: [GenerationAnswer] = []
            do {
                for index in 0..<request.choices {
                    let updates = index == 0 ? first : try await begin(worker, request.job.choice(index), call)
                    var before = ContentBeforeCalls()
                    if isChat { try await writer.event(answer.opening(index)) }
                    for try await update in updates {
                        switch update {
                        case .started, .token: break
                        case .text(let text):
                            let piece = answer.callsTools ? before.take(text) : text
                            if !piece.isEmpty { try await writer.event(answer.piece(index, piece)) }
                        case .finished(let unchecked):
                            let result = try unchecked.checked()
                            let rest = answer.callsTools ? before.finish() : ""
                            if !rest.isEmpty { try await writer.event(answer.piece(index, rest)) }
                            for chunk in answer.closing(index, result) { try await writer.event(chunk) }
                            answers.append(result)
                        }
                    }
                }
                if request.includesUsage { try await writer.event(answer.closingUsage(answers)) }
                try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            } catch let fault as ServiceFault {
                metrics.refused(fault)
                // The status is sent already: the error is an event of its own.
                try await writer.event(fault.value)
            }
        }
    }

    /// Answers `/v1/responses`.
    private func respond(_ call: Call) async throws -> Reply {
        let (request, echo) = try OpenAIRequest.response(call.body)
        guard request.streams else { return .json(try await whole(request, echo, deadline: call.deadline)) }
        try check(request.job)
        let worker = try await host.worker(request.model)
        let updates = try await begin(worker, request.job, call)
        return Reply(type: "text/event-stream") { writer in
            var stream = ResponsesAnswer.Stream(
                ResponsesAnswer(model: request.model, echo: echo, callsTools: request.tools != nil))
            var before = ContentBeforeCalls()
            func send(_ events: [JSONValue], _ writer: inout any ResponseBodyWriter) async throws {
                for event in events { try await writer.event(event, name: event["type"]?.stringValue) }
            }
            do {
                try await send(stream.opening(), &writer)
                for try await update in updates {
                    switch update {
                    case .started, .token: break
                    case .text(let text):
                        let piece = request.tools == nil ? text : before.take(text)
                        if !piece.isEmpty { try await send(stream.piece(piece), &writer) }
                    case .finished(let unchecked): try await send(stream.closing(try unchecked.checked()), &writer)
                    }
                }
            } catch let fault as ServiceFault {
                metrics.refused(fault)
                try await send([stream.failure(fault)], &writer)
            }
        }
    }

    /// The whole response to a request of `/v1/responses`.
    func whole(
        _ request: OpenAIRequest, _ echo: ResponseEcho, deadline: ContinuousClock.Instant
    ) async throws -> JSONValue {
        try check(request.job)
        let worker = try await host.worker(request.model)
        return ResponsesAnswer(model: request.model, echo: echo, callsTools: request.tools != nil)
            .whole(try await whole(worker, request.job, deadline: deadline))
    }

    /// The whole response to a request.
    func whole(_ request: OpenAIRequest, isChat: Bool, deadline: ContinuousClock.Instant) async throws -> JSONValue {
        try check(request.job)
        let worker = try await host.worker(request.model)
        let answer = OpenAIAnswer(model: request.model, isChat: isChat, callsTools: request.tools != nil)
        // All choices at once: they share one forward pass.
        let answers = try await withThrowingTaskGroup(of: (Int, GenerationAnswer).self) { group in
            for index in 0..<request.choices {
                let job = request.job.choice(index)
                group.addTask { (index, try await whole(worker, job, deadline: deadline)) }
            }
            var found: [(Int, GenerationAnswer)] = []
            for try await entry in group { found.append(entry) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
        return answer.whole(answers)
    }

    /// Checks what the service limits.
    func check(_ job: GenerationJob) throws {
        if let asked = job.maxTokens, asked > configuration.maximumTokens {
            throw ServiceFault.invalid(
                "max_tokens", "at most \(configuration.maximumTokens) tokens may be asked for", code: "invalid_value")
        }
        if let problem = job.sampling.problems().first { throw ServiceFault(.badRequest, "invalid_value", problem) }
    }

    /// Waits for a whole answer.
    func whole(
        _ worker: ModelWorker, _ job: GenerationJob, deadline: ContinuousClock.Instant
    ) async throws -> GenerationAnswer {
        for try await update in try await worker.submit(job, deadline: deadline) {
            if case .finished(let answer) = update { return try answer.checked() }
        }
        throw CancellationError()
    }

    /// Waits until an answer begins.
    func begin(
        _ worker: ModelWorker, _ job: GenerationJob, _ call: Call
    ) async throws -> AsyncThrowingStream<GenerationUpdate, any Error> {
        try await start(worker, job, call).updates
    }

    /// Waits until an answer begins, and tells how long its prompt is.
    func start(
        _ worker: ModelWorker, _ job: GenerationJob, _ call: Call
    ) async throws -> (promptTokens: Int, updates: AsyncThrowingStream<GenerationUpdate, any Error>) {
        let updates = try await worker.submit(job, deadline: call.deadline)
        for try await update in updates {
            if case .started(let tokens) = update { return (tokens, updates) }
        }
        throw CancellationError()
    }
}

extension GenerationJob {
    /// The job of one of several choices: each has a seed of its own.
    func choice(_ index: Int) -> GenerationJob {
        guard index > 0 else { return self }
        var job = self
        if let seed = job.sampling.seed { job.sampling.seed = seed &+ UInt64(index) }
        return job
    }
}

extension ResponseBodyWriter {
    /// Writes a server-sent event.
    mutating func event(_ value: JSONValue, name: String? = nil) async throws {
        let head = name.map { "event: \($0)\n" } ?? ""
        try await write(ByteBuffer(string: head + "data: " + JSONWriter(style: .compact).write(value) + "\n\n"))
    }

    /// Writes a line of JSON.
    mutating func line(_ value: JSONValue) async throws {
        try await write(ByteBuffer(string: JSONWriter(style: .compact).write(value) + "\n"))
    }
}
