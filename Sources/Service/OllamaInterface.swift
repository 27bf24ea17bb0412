// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Generation
import Tokenizers

/// A request of Ollama's `/api/chat` or `/api/generate`, read and checked.
struct OllamaRequest: Sendable {
    var model: String
    var job = GenerationJob()
    var streams = true
    var tools: ToolCalls?
    /// Whether only the model is to be loaded or given up: there is nothing to answer.
    var isEmpty = false

    /// Reads the body of `/api/chat`.
    static func chat(_ bytes: [UInt8]) throws -> OllamaRequest {
        var fields = try RequestFields.read(bytes)
        var request = OllamaRequest(model: try fields.requiredString("model"))
        let messages = try fields.array("messages") ?? []
        request.isEmpty = messages.isEmpty
        request.job.messages = try messages.enumerated().map { try message($1, "messages[\($0)]") }
        if let tools = try fields.array("tools"), !tools.isEmpty {
            let calls = ToolCalls(tools: try ToolCalls.tools(tools), choice: .automatic, isParallel: true)
            request.tools = calls
            do {
                let (grammar, key) = try calls.grammar()
                request.job.form = .grammar(grammar, key: key)
            } catch {
                throw ServiceFault(error, parameter: "tools")
            }
            request.job.formParameter = "tools"
            request.job.instruct(calls.instruction)
        }
        try request.readCommon(&fields)
        return request
    }

    /// Reads the body of `/api/generate`.
    static func generate(_ bytes: [UInt8]) throws -> OllamaRequest {
        var fields = try RequestFields.read(bytes)
        var request = OllamaRequest(model: try fields.requiredString("model"))
        let prompt = try fields.string("prompt") ?? ""
        request.isEmpty = prompt.isEmpty
        let system = try fields.string("system")
        try fields.refuse("suffix", unless: [""], "text is continued at its end")
        try fields.refuse("template", unless: [""], "templates come from the model")
        try fields.refuse("context", unless: [[]], "send the conversation to /api/chat")
        if try fields.bool("raw") == true {
            request.job.rawPrompt = prompt
        } else {
            if let system, !system.isEmpty { request.job.messages.append(ChatMessage(role: "system", content: system)) }
            request.job.messages.append(ChatMessage(role: "user", content: prompt))
        }
        try request.readCommon(&fields)
        return request
    }

    private mutating func readCommon(_ fields: inout RequestFields) throws {
        streams = try fields.bool("stream") ?? true
        // Models stay loaded as long as memory allows.
        fields.ignore("keep_alive")
        try fields.refuse("images", unless: [[]], "the models read text")
        try fields.refuse("think", unless: [false], "use a schema with a field for the reasoning")
        try fields.refuse("logprobs", unless: [false], "probabilities of tokens are not reported")
        fields.ignore("top_logprobs")
        if var options = try fields.fields("options") {
            job.sampling.temperature = try options.float("temperature", 0...2) ?? 0
            job.sampling.topP = try options.float("top_p", 0.000_001...1) ?? 1
            job.sampling.topK = try options.int("top_k", 0...1 << 24) ?? 0
            job.sampling.minP = try options.float("min_p", 0...1) ?? 0
            job.sampling.repetitionPenalty = try options.float("repeat_penalty", 0.01...10) ?? 1
            if let window = try options.int("repeat_last_n", -1...1 << 24), window >= 0 {
                job.sampling.repetitionWindow = window
            }
            job.sampling.seed = try options.int("seed", Int.min...Int.max).map { UInt64(bitPattern: Int64($0)) }
            if let count = try options.int("num_predict", -2...1 << 24) {
                if count > 0 { job.maxTokens = count } else { job.fillsContext = count < 0 }
            }
            job.stops = try options.stops("stop")
            // How a model is run is the service's choice.
            options.ignore(
                "num_ctx", "num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "numa", "low_vram",
                "vocab_only", "use_mlock", "f16_kv")
            for name in ["mirostat", "typical_p", "tfs_z", "presence_penalty", "frequency_penalty"] {
                try options.refuse(name, unless: [0, name == "typical_p" || name == "tfs_z" ? 1 : 0], "it has no part in the choice of tokens")
            }
            options.ignore("mirostat_tau", "mirostat_eta", "penalize_newline")
            try options.finish()
        }
        if let format = fields.value("format"), format != "" {
            guard tools == nil else {
                throw ServiceFault.invalid("format", "'format' cannot be combined with 'tools'", code: "unsupported_parameter")
            }
            if let name = format.stringValue, name != "json" {
                let (loaded, text) = try SchemaScope.find(name, parameter: "format")
                job.form = .document(loaded, key: text)
                job.formParameter = "format"
            } else {
                try job.constrain(to: format == "json" ? ["type": "object"] : format, parameter: "format")
            }
            if job.rawPrompt == nil, !isEmpty { job.showSchema() }
        }
        if case .text = job.form {} else if !job.stops.isEmpty {
            throw ServiceFault.invalid(
                "options.stop", "'stop' cannot be combined with a format or tools: it would cut the answer short",
                code: "unsupported_parameter")
        }
        try fields.finish()
    }

    private static func message(_ value: JSONValue, _ place: String) throws -> ChatMessage {
        if let images = value["images"], !images.isNull, images != [] {
            throw ServiceFault.invalid(place + ".images", "the models read text", code: "unsupported_parameter")
        }
        var object = value.objectValue ?? [:]
        object = JSONObject(object.filter { !["images", "thinking", "tool_name"].contains($0.key) })
        return try OpenAIRequest.message(.object(object), place)
    }
}

/// Renders answers in the shapes of Ollama's `/api/chat` and `/api/generate`.
struct OllamaAnswer: Sendable {
    let model: String
    let isChat: Bool
    let callsTools: Bool
    let began = ContinuousClock().now

    private func head() -> JSONObject {
        ["model": .string(model), "created_at": .string(Self.now())]
    }

    static func now() -> String {
        Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    private func body(_ text: String, _ calls: [ToolCalls.Call] = []) -> (key: String, value: JSONValue) {
        guard isChat else { return ("response", .string(text)) }
        var message: JSONObject = ["role": "assistant", "content": .string(text)]
        if !calls.isEmpty {
            message.append(
                key: "tool_calls",
                value: .array(calls.map { ["function": ["name": .string($0.name), "arguments": $0.arguments]] }))
        }
        return ("message", .object(message))
    }

    /// More text.
    func piece(_ text: String) -> JSONValue {
        var object = head()
        let (key, value) = body(text)
        object.append(key: key, value: value)
        object.append(key: "done", value: false)
        return .object(object)
    }

    /// The last object of a stream, or the only one.
    ///
    /// - Parameter isWhole: Whether the text is part of it.
    func last(_ answer: GenerationAnswer, isWhole: Bool) -> JSONValue {
        func nanoseconds(_ seconds: Double) -> JSONValue {
            .number(DecimalNumber(Int((max(seconds, 0) * 1e9).rounded())))
        }
        let (content, calls) = callsTools ? ToolCalls.parse(answer.text) : (answer.text, [])
        var object = head()
        let (key, value) = body(isWhole ? content : "", calls)
        object.append(key: key, value: value)
        object.append(key: "done", value: true)
        object.append(key: "done_reason", value: .string(answer.finishReason.rawValue))
        let statistics = answer.statistics
        object.append(key: "total_duration", value: nanoseconds((ContinuousClock().now - began).seconds))
        object.append(key: "load_duration", value: nanoseconds(answer.compileSeconds))
        object.append(key: "prompt_eval_count", value: .number(DecimalNumber(statistics.promptTokens)))
        object.append(key: "prompt_eval_duration", value: nanoseconds(statistics.prefillSeconds))
        object.append(key: "eval_count", value: .number(DecimalNumber(statistics.outputTokens)))
        object.append(
            key: "eval_duration", value: nanoseconds(max(statistics.totalSeconds - statistics.prefillSeconds, 1e-9)))
        return .object(object)
    }
}
