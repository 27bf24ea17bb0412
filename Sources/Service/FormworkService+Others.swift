// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Generation
import HTTPTypes
import Hummingbird
import ModelFiles
import NIOCore

extension FormworkService {
    /// The version that clients of Ollama's interface see.
    static let ollamaVersion = "0.12.0"

    /// The routes of Ollama's interface.
    func ollama(_ router: Router<BasicRequestContext>) {
        route(router, .get, "/api/version", .ollama) { _ in .json(["version": .string(Self.ollamaVersion)]) }
        route(router, .get, "/api/tags", .ollama) { _ in
            var served: [JSONValue] = []
            for model in host.models { served.append(await tag(model)) }
            return .json(["models": .array(served)])
        }
        route(router, .get, "/api/ps", .ollama) { _ in
            var loaded: [JSONValue] = []
            for model in host.models where await host.isLoaded(model.name) { loaded.append(await tag(model)) }
            return .json(["models": .array(loaded)])
        }
        route(router, .post, "/api/show", .ollama) { call in
            var fields = try RequestFields.read(call.body)
            let given = try fields.string("model")
            let name = try fields.string("name") ?? given ?? ""
            fields.ignore("verbose")
            try fields.finish()
            guard let model = host.model(named: name) else {
                throw ServiceFault(.notFound, "model_not_found", "model '\(name)' not found", kind: .notFound)
            }
            return .json(try Self.details(model))
        }
        route(router, .post, "/api/chat", .ollama, generates: true) { call in
            try await complete(try OllamaRequest.chat(call.body), isChat: true, call)
        }
        route(router, .post, "/api/generate", .ollama, generates: true) { call in
            try await complete(try OllamaRequest.generate(call.body), isChat: false, call)
        }
        for path in ["/api/embed", "/api/embeddings"] {
            route(router, .post, path, .ollama) { _ in
                throw ServiceFault(
                    .notFound, "unsupported_endpoint", "embeddings are not served: the models generate text")
            }
        }
        for path in ["/api/pull", "/api/push", "/api/create", "/api/copy"] {
            route(router, .post, path, .ollama) { _ in
                throw ServiceFault(
                    .notFound, "unsupported_endpoint", "models are managed on the command line: formwork models")
            }
        }
    }

    private func tag(_ model: ServiceConfiguration.Model) async -> JSONValue {
        let family = await host.family(model)
        let attributes = model.attributes
        let changed = attributes[.modificationDate] as? Date ?? Date(timeIntervalSince1970: 0)
        return [
            "name": .string(model.name + ":latest"), "model": .string(model.name + ":latest"),
            "modified_at": .string(changed.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            "size": .number(DecimalNumber(attributes[.size] as? Int ?? 0)), "digest": "",
            "details": [
                "parent_model": "", "format": "gguf", "family": .string(family),
                "families": [.string(family)], "parameter_size": "", "quantization_level": "",
            ],
        ]
    }

    private static func details(_ model: ServiceConfiguration.Model) throws -> JSONValue {
        let file: GGUFFile
        do {
            file = try GGUFFile(path: model.path)
        } catch {
            throw ServiceFault(error)
        }
        let architecture = (try? file.string("general.architecture")) ?? "unknown"
        var info: JSONObject = ["general.architecture": .string(architecture)]
        for key in ["context_length", "embedding_length", "block_count", "attention.head_count"] {
            if let value = try? file.int("\(architecture).\(key)") {
                info.append(key: "\(architecture).\(key)", value: .number(DecimalNumber(value)))
            }
        }
        let template = (try? file.string("tokenizer.chat_template")) ?? ""
        return [
            "modelfile": "", "parameters": "", "template": .string(template),
            "details": [
                "parent_model": "", "format": "gguf", "family": .string(architecture),
                "families": [.string(architecture)], "parameter_size": "", "quantization_level": "",
            ],
            "model_info": .object(info), "capabilities": ["completion", "tools"],
            "modified_at": .string(OllamaAnswer.now()),
        ]
    }

    private func complete(_ request: OllamaRequest, isChat: Bool, _ call: Call) async throws -> Reply {
        try check(request.job)
        let worker = try await host.worker(request.model)
        let answer = OllamaAnswer(model: request.model, isChat: isChat, callsTools: request.tools != nil)
        if request.isEmpty {
            return .json([
                "model": .string(request.model), "created_at": .string(OllamaAnswer.now()), "response": "",
                "message": ["role": "assistant", "content": ""], "done": true, "done_reason": "load",
            ])
        }
        guard request.streams else {
            return .json(answer.last(try await whole(worker, request.job, deadline: call.deadline), isWhole: true))
        }
        let updates = try await begin(worker, request.job, call)
        return Reply(type: "application/x-ndjson") { writer in
            var before = ContentBeforeCalls()
            do {
                for try await update in updates {
                    switch update {
                    case .started, .token: break
                    case .text(let text):
                        let piece = answer.callsTools ? before.take(text) : text
                        if !piece.isEmpty { try await writer.line(answer.piece(piece)) }
                    case .finished(let unchecked):
                        let result = try unchecked.checked()
                        let rest = answer.callsTools ? before.finish() : ""
                        if !rest.isEmpty { try await writer.line(answer.piece(rest)) }
                        try await writer.line(answer.last(result, isWhole: false))
                    }
                }
            } catch let fault as ServiceFault {
                metrics.refused(fault)
                try await writer.line(fault.ollamaValue)
            }
        }
    }

    /// The routes of the native interface.
    func native(_ router: Router<BasicRequestContext>) {
        route(router, .post, "/v1/transform", .native, generates: true) { call in
            let request = try TransformRequest.read(call.body)
            guard request.streams else { return .json(try await whole(request, deadline: call.deadline)) }
            try check(request.job)
            let name = request.model ?? configuration.models.first?.name ?? ""
            let worker = try await host.worker(name)
            let (promptTokens, updates) = try await start(worker, request.job, call)
            return Reply(type: "text/event-stream") { writer in
                var reader = JSONEventReader()
                do {
                    try await writer.event(["prompt_tokens": .number(DecimalNumber(promptTokens))], name: "started")
                    for try await update in updates {
                        switch update {
                        case .started: break
                        case .text(let text):
                            for event in try reader.read(text.utf8) {
                                try await writer.event(TransformRequest.value(event), name: "field")
                            }
                        case .token(let token):
                            try await writer.event(TransformRequest.value(token), name: "token")
                        case .finished(let unchecked):
                            let result = try unchecked.checked()
                            for event in try reader.finish() {
                                try await writer.event(TransformRequest.value(event), name: "field")
                            }
                            try await writer.event(TransformRequest.value(result, model: name), name: "done")
                        }
                    }
                } catch let fault as ServiceFault {
                    metrics.refused(fault)
                    try await writer.event(fault.value, name: "error")
                }
            }
        }
        route(router, .post, "/v1/check", .native) { call in .json(try NativeFields.check(call.body)) }
        route(router, .post, "/v1/validate", .native) { call in .json(try NativeFields.validate(call.body)) }
        route(router, .post, "/v1/repair", .native) { call in .json(try NativeFields.repair(call.body)) }
    }

    /// The whole response to a transformation.
    func whole(_ request: TransformRequest, deadline: ContinuousClock.Instant) async throws -> JSONValue {
        try check(request.job)
        let name = request.model ?? configuration.models.first?.name ?? ""
        let worker = try await host.worker(name)
        return TransformRequest.value(try await whole(worker, request.job, deadline: deadline), model: name)
    }
}
