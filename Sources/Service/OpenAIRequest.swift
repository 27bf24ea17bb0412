// SPDX-License-Identifier: Apache-2.0

import Documents
import Generation
import JSONSchemas
import Tokenizers

/// A request of OpenAI's chat or legacy completions, read and checked.
struct OpenAIRequest: Sendable {
    var model: String
    var job: GenerationJob
    var choices = 1
    var streams = false
    /// Whether a stream ends with the counts of tokens.
    var includesUsage = false
    var tools: ToolCalls?

    static let maximumMessages = 4096
    static let maximumChoices = 8

    /// Reads the body of `/v1/chat/completions`.
    static func chat(_ bytes: [UInt8]) throws -> OpenAIRequest {
        var fields = try RequestFields.read(bytes)
        var request = OpenAIRequest(model: try fields.requiredString("model"), job: GenerationJob())
        guard let messages = try fields.array("messages"), !messages.isEmpty, messages.count <= maximumMessages else {
            throw ServiceFault.invalid("messages", "'messages' must be an array of 1 to \(maximumMessages) messages")
        }
        request.job.messages = try messages.enumerated().map { try message($1, "messages[\($0)]") }
        try request.readCommon(&fields)
        let top = try fields.int("top_logprobs", 0...20)
        if try fields.bool("logprobs") ?? false {
            request.job.reportedAlternatives = top ?? 0
        } else if top ?? 0 > 0 {
            throw ServiceFault.invalid("top_logprobs", "'top_logprobs' needs 'logprobs': true")
        }
        let most = try fields.int("max_completion_tokens", 1...1 << 24)
        request.job.maxTokens = try fields.int("max_tokens", 1...1 << 24) ?? most
        if let most { request.job.maxTokens = most }
        if let tools = try fields.array("tools"), !tools.isEmpty {
            request.tools = ToolCalls(tools: try ToolCalls.tools(tools), choice: .automatic, isParallel: true)
        }
        if let choice = fields.value("tool_choice") { try request.readToolChoice(choice) }
        if let parallel = try fields.bool("parallel_tool_calls") { request.tools?.isParallel = parallel }
        try request.constrain(to: fields.value("response_format"), in: "response_format")
        try fields.refuse("modalities", unless: [["text"]], "answers are text")
        try fields.refuse("audio", "answers are text")
        try fields.refuse("functions", unless: [[]], "use 'tools'")
        try fields.refuse("function_call", unless: ["none"], "use 'tool_choice'")
        try fields.refuse("prediction", "it is found by itself")
        try fields.refuse("web_search_options", "nothing leaves this machine")
        fields.ignore("reasoning_effort", "verbosity", "prompt_cache_key", "safety_identifier")
        try fields.finish()
        return request
    }

    /// Reads the body of `/v1/completions`.
    static func completion(_ bytes: [UInt8]) throws -> OpenAIRequest {
        var fields = try RequestFields.read(bytes)
        var request = OpenAIRequest(model: try fields.requiredString("model"), job: GenerationJob())
        let prompt = fields.value("prompt")
        guard let text = prompt?.stringValue ?? (prompt?.arrayValue?.count == 1 ? prompt?[0]?.stringValue : nil) else {
            throw ServiceFault.invalid("prompt", "'prompt' must be a string")
        }
        request.job.rawPrompt = text
        try request.readCommon(&fields)
        request.job.reportedAlternatives = try fields.int("logprobs", 0...5)
        request.job.maxTokens = try fields.int("max_tokens", 1...1 << 24) ?? 16
        try fields.refuse("suffix", "text is continued at its end")
        try fields.refuse("echo", unless: [false], "the prompt is not repeated")
        try fields.refuse("best_of", unless: [1], "use 'n'")
        try request.constrain(to: fields.value("response_format"), in: "response_format")
        try fields.finish()
        return request
    }

    /// What both interfaces share.
    private mutating func readCommon(_ fields: inout RequestFields) throws {
        choices = try fields.int("n", 1...Self.maximumChoices) ?? 1
        streams = try fields.bool("stream") ?? false
        if var options = try fields.fields("stream_options") {
            includesUsage = try options.bool("include_usage") ?? false
            options.ignore("include_obfuscation")
            try options.finish()
        }
        try readSampling(&fields)
        job.stops = try fields.stops("stop")
        try fields.refuse("logit_bias", unless: [[:]], "use a schema to say what may come")
        try fields.refuse("frequency_penalty", unless: [0], "use 'repetition_penalty'")
        try fields.refuse("presence_penalty", unless: [0], "use 'repetition_penalty'")
        fields.ignore("user", "metadata", "store", "service_tier")
    }

    /// How tokens are chosen.
    mutating func readSampling(_ fields: inout RequestFields) throws {
        // OpenAI's default temperature is 1; ours is greedy, for extraction: the same request gives the same answer.
        job.sampling.temperature = try fields.float("temperature", 0...2) ?? 0
        job.sampling.topP = try fields.float("top_p", 0.000_001...1) ?? 1
        job.sampling.topK = try fields.int("top_k", 0...1 << 24) ?? 0
        job.sampling.minP = try fields.float("min_p", 0...1) ?? 0
        job.sampling.repetitionPenalty = try fields.float("repetition_penalty", 0.01...10) ?? 1
        job.sampling.seed = try fields.int("seed", Int.min...Int.max).map { UInt64(bitPattern: Int64($0)) }
    }

    mutating func readToolChoice(_ choice: JSONValue) throws {
        if let text = choice.stringValue {
            switch text {
            case "auto": tools?.choice = .automatic
            case "none": tools = nil
            case "required":
                guard tools != nil else { throw ServiceFault.invalid("tool_choice", "there are no 'tools' to call") }
                tools?.choice = .required
            default:
                throw ServiceFault.invalid("tool_choice", "'tool_choice' must be auto, none, required or a function")
            }
            return
        }
        guard choice["type"]?.stringValue == "function", let name = choice["function"]?["name"]?.stringValue else {
            throw ServiceFault.invalid("tool_choice", "'tool_choice' must be auto, none, required or a function")
        }
        guard tools?.tools.contains(where: { $0.name == name }) == true else {
            throw ServiceFault.invalid("tool_choice", "there is no tool with the name '\(name)'")
        }
        tools?.choice = .named(name)
        tools?.isParallel = false
    }

    /// Makes the answer what tools or a format, named `place`, say.
    mutating func constrain(to format: JSONValue?, in place: String) throws {
        var schema: JSONValue?
        var registered: (loaded: LoadedSpec, key: String)?
        var parameter = place
        if let format {
            var format = try RequestFields(format, prefix: place + ".")
            switch try format.requiredString("type") {
            case "text": break
            case "json_object": schema = ["type": "object"]
            case "json_schema":
                guard var inner = try format.fields("json_schema") else {
                    throw ServiceFault.invalid(
                        place + ".json_schema", "'\(place).json_schema' is missing",
                        code: "missing_required_parameter")
                }
                // The Responses interface has no object of its own around the schema.
                let prefix = place == "response_format" ? place + ".json_schema" : place
                parameter = prefix + ".schema"
                let name = try inner.string("name")
                if let value = inner.value("schema") {
                    schema = value
                } else if let name, let found = try SchemaScope.registered(name) {
                    registered = found
                } else {
                    // Most clients that come here forgot the schema: the name is one for people.
                    let known = name.map { "no schema '\($0)' is registered" } ?? "there is no name of a registered one"
                    throw ServiceFault.invalid(
                        parameter, "'\(parameter)' is missing, and \(known)", code: "missing_required_parameter")
                }
                // Every schema is enforced in full, strict or not.
                inner.ignore("description", "strict")
                try inner.finish()
            case let other:
                throw ServiceFault.invalid(
                    place + ".type",
                    "the response format '\(other)' is not known; known are text, json_object and json_schema")
            }
            try format.finish()
        }
        if let tools {
            guard schema == nil, registered == nil else {
                throw ServiceFault.invalid(
                    place, "'\(place)' cannot be combined with 'tools'", code: "unsupported_parameter")
            }
            do {
                let (grammar, key) = try tools.grammar()
                job.form = .grammar(grammar, key: key)
            } catch {
                throw ServiceFault(error, parameter: "tools")
            }
            job.formParameter = "tools"
            job.instruct(tools.instruction)
        } else if let schema {
            try job.constrain(to: schema, parameter: parameter)
            if job.rawPrompt == nil { job.showSchema() }
        } else if let registered {
            job.form = .document(registered.loaded, key: registered.key)
            job.formParameter = parameter
            if job.rawPrompt == nil { job.showSchema() }
        }
        if !job.stops.isEmpty, job.reportedAlternatives != nil {
            throw ServiceFault.invalid(
                "logprobs", "'logprobs' cannot be combined with 'stop', which may cut a token in two",
                code: "unsupported_parameter")
        }
        if !job.stops.isEmpty, case .text = job.form {} else if !job.stops.isEmpty {
            throw ServiceFault.invalid(
                "stop", "'stop' cannot be combined with a schema or tools: it would cut the answer into something invalid",
                code: "unsupported_parameter")
        }
    }

    /// Reads one message.
    static func message(_ value: JSONValue, _ place: String) throws -> ChatMessage {
        var fields = try RequestFields(value, prefix: place + ".")
        let role = try fields.requiredString("role")
        let content = try content(fields.value("content"), place)
        switch role {
        case "system", "developer":
            fields.ignore("name")
            try fields.finish()
            return ChatMessage(role: "system", content: content ?? "")
        case "user":
            fields.ignore("name")
            try fields.finish()
            return ChatMessage(role: "user", content: content ?? "")
        case "assistant":
            var text = content ?? ""
            for call in try fields.array("tool_calls") ?? [] {
                guard let name = call["function"]?["name"]?.stringValue,
                    let arguments = call["function"]?["arguments"]
                else {
                    throw ServiceFault.invalid(place + ".tool_calls", "a call needs 'function.name' and 'function.arguments'")
                }
                let written = arguments.stringValue ?? JSONWriter(style: .compact).write(arguments)
                let head = JSONWriter(style: .compact).write(.string(name))
                text += (text.isEmpty ? "" : "\n") + ToolCalls.begin + "{\"name\": \(head), \"arguments\": \(written)}"
                    + ToolCalls.end
            }
            fields.ignore("name", "refusal", "audio", "function_call", "annotations", "reasoning_content")
            try fields.finish()
            return ChatMessage(role: "assistant", content: text)
        case "tool", "function":
            fields.ignore("tool_call_id", "name")
            try fields.finish()
            // Templates of small models know the roles system, user and assistant only.
            return ChatMessage(role: "user", content: "<tool_response>\n\(content ?? "")\n</tool_response>")
        default:
            throw ServiceFault.invalid(
                place + ".role", "the role '\(role)' is not known; known are system, developer, user, assistant and tool")
        }
    }

    /// A text, or the texts of parts.
    private static func content(_ value: JSONValue?, _ place: String) throws -> String? {
        guard let value else { return nil }
        if let text = value.stringValue { return text }
        guard let parts = value.arrayValue else {
            throw ServiceFault.invalid(place + ".content", "'content' must be a string or an array of parts", code: "invalid_type")
        }
        return try parts.enumerated().map { index, part in
            guard let kind = part["type"]?.stringValue, ["text", "input_text", "output_text", "refusal"].contains(kind),
                let text = part["text"]?.stringValue ?? part["refusal"]?.stringValue
            else {
                throw ServiceFault.invalid(
                    place + ".content[\(index)]", "only parts of type 'text' are supported", code: "unsupported_value")
            }
            return text
        }.joined(separator: "\n")
    }
}
