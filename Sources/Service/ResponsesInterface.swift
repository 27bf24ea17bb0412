// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Generation
import Tokenizers

/// OpenAI's Responses interface, as far as structured output needs it: text and function calls in one turn.
///
/// Nothing is stored: a conversation is sent whole in `input`, and `previous_response_id` is refused.
extension OpenAIRequest {
    /// Reads the body of `/v1/responses`.
    static func response(_ bytes: [UInt8]) throws -> (request: OpenAIRequest, echo: ResponseEcho) {
        var fields = try RequestFields.read(bytes)
        var request = OpenAIRequest(model: try fields.requiredString("model"), job: GenerationJob())
        var echo = ResponseEcho()
        if let instructions = try fields.string("instructions") {
            request.job.messages.append(ChatMessage(role: "system", content: instructions))
            echo.instructions = .string(instructions)
        }
        request.job.messages += try messages(fields.value("input"))
        try request.readSampling(&fields)
        request.streams = try fields.bool("stream") ?? false
        if var options = try fields.fields("stream_options") {
            options.ignore("include_obfuscation")
            try options.finish()
        }
        request.job.maxTokens = try fields.int("max_output_tokens", 1...1 << 24)
        echo.readSampling(fields.object)
        if let tools = try fields.array("tools"), !tools.isEmpty {
            echo.tools = .array(tools)
            request.tools = ToolCalls(
                tools: try ToolCalls.tools(tools.map(nested)), choice: .automatic, isParallel: true)
        }
        if let choice = fields.value("tool_choice") {
            echo.toolChoice = choice
            try request.readToolChoice(
                choice["name"].map { ["type": choice["type"] ?? nil, "function": ["name": $0]] } ?? choice)
        }
        if let parallel = try fields.bool("parallel_tool_calls") {
            request.tools?.isParallel = parallel
            echo.isParallel = parallel
        }
        var format: JSONValue?
        if var text = try fields.fields("text") {
            if let given = text.value("format") {
                echo.format = given
                format = chatFormat(given)
            }
            text.ignore("verbosity")
            try text.finish()
        }
        try request.constrain(to: format, in: "text.format")
        echo.metadata = fields.value("metadata") ?? [:]
        try fields.refuse("previous_response_id", "responses are not stored: send the conversation in 'input'")
        try fields.refuse("conversation", "responses are not stored: send the conversation in 'input'")
        try fields.refuse("background", unless: [false], "use /v1/batches")
        try fields.refuse("include", unless: [[]], "there is nothing more to include")
        try fields.refuse("truncation", unless: ["disabled"], "a prompt that is too long is refused")
        try fields.refuse("max_tool_calls", "calls are made by the client")
        try fields.refuse("prompt", "prompts are not stored")
        fields.ignore(
            "user", "store", "service_tier", "reasoning", "prompt_cache_key", "safety_identifier", "metadata")
        try fields.finish()
        return (request, echo)
    }

    /// A function as the chat interface names it.
    private static func nested(_ tool: JSONValue) -> JSONValue {
        guard let object = tool.objectValue, object["function"] == nil, object["type"] == "function" else { return tool }
        var function: JSONObject = [:]
        for (name, value) in object where name != "type" { function.append(key: name, value: value) }
        return ["type": "function", "function": .object(function)]
    }

    /// A format as the chat interface names it.
    private static func chatFormat(_ format: JSONValue) -> JSONValue {
        guard let object = format.objectValue, object["type"] == "json_schema" else { return format }
        var inner: JSONObject = [:]
        for (name, value) in object where name != "type" { inner.append(key: name, value: value) }
        return ["type": "json_schema", "json_schema": .object(inner)]
    }

    private static func messages(_ input: JSONValue?) throws -> [ChatMessage] {
        guard let input else {
            throw ServiceFault.invalid("input", "'input' is missing", code: "missing_required_parameter")
        }
        if let text = input.stringValue { return [ChatMessage(role: "user", content: text)] }
        guard let items = input.arrayValue, !items.isEmpty, items.count <= maximumMessages else {
            throw ServiceFault.invalid("input", "'input' must be a string or an array of 1 to \(maximumMessages) items")
        }
        return try items.enumerated().map { index, item in
            let place = "input[\(index)]"
            switch item["type"]?.stringValue ?? "message" {
            case "message":
                var object: JSONObject = [:]
                for (name, value) in item.objectValue ?? [:] where !["type", "id", "status"].contains(name) {
                    object.append(key: name, value: value)
                }
                return try message(item.objectValue == nil ? item : .object(object), place)
            case "function_call":
                let function: JSONValue = ["name": item["name"] ?? nil, "arguments": item["arguments"] ?? nil]
                return try message(["role": "assistant", "tool_calls": [["function": function]]], place)
            case "function_call_output":
                return try message(["role": "tool", "content": item["output"] ?? nil], place)
            case let other:
                throw ServiceFault.invalid(
                    place + ".type",
                    "the item '\(other)' is not supported; known are message, function_call and function_call_output",
                    code: "unsupported_value")
            }
        }
    }
}

/// What a response repeats of its request.
struct ResponseEcho: Sendable {
    var instructions: JSONValue = nil
    var metadata: JSONValue = [:]
    var tools: JSONValue = []
    var toolChoice: JSONValue = "auto"
    var isParallel = true
    var format: JSONValue = ["type": "text"]
    private var temperature: JSONValue = 0
    private var topP: JSONValue = 1
    private var most: JSONValue = nil

    mutating func readSampling(_ object: JSONObject) {
        temperature = object["temperature"] ?? 0
        topP = object["top_p"] ?? 1
        most = object["max_output_tokens"] ?? nil
    }

    /// The members of a response that do not depend on the answer.
    var members: [(String, JSONValue)] {
        [
            ("instructions", instructions), ("max_output_tokens", most), ("metadata", metadata),
            ("parallel_tool_calls", .bool(isParallel)), ("previous_response_id", nil),
            ("reasoning", ["effort": nil, "summary": nil]), ("store", false), ("temperature", temperature),
            ("text", ["format": format]), ("tool_choice", toolChoice), ("tools", tools), ("top_p", topP),
            ("truncation", "disabled"), ("user", nil),
        ]
    }
}

/// Renders answers in the shape of the Responses interface.
struct ResponsesAnswer: Sendable {
    let model: String
    let echo: ResponseEcho
    let callsTools: Bool
    private let token = OpenAIAnswer.token()
    private let created = Int(Date().timeIntervalSince1970)

    init(model: String, echo: ResponseEcho, callsTools: Bool) {
        self.model = model
        self.echo = echo
        self.callsTools = callsTools
    }

    private var messageID: String { "msg_" + token }

    private func number(_ value: Int) -> JSONValue { .number(DecimalNumber(value)) }

    private func response(_ status: String, _ output: [JSONValue], _ answer: GenerationAnswer?) -> JSONValue {
        let isCut = answer?.finishReason == .length
        var object: JSONObject = [
            "id": .string("resp_" + token), "object": "response", "created_at": number(created),
            "status": .string(status), "error": nil,
            "incomplete_details": isCut ? ["reason": "max_output_tokens"] : nil, "model": .string(model),
            "output": .array(output),
        ]
        for (name, value) in echo.members { object.append(key: name, value: value) }
        guard let answer else {
            object.append(key: "usage", value: nil)
            return .object(object)
        }
        let statistics = answer.statistics
        object.append(
            key: "usage",
            value: [
                "input_tokens": number(statistics.promptTokens),
                "input_tokens_details": ["cached_tokens": number(statistics.cachedPromptTokens)],
                "output_tokens": number(statistics.outputTokens), "output_tokens_details": ["reasoning_tokens": 0],
                "total_tokens": number(statistics.promptTokens + statistics.outputTokens),
            ])
        return .object(object)
    }

    private func part(_ text: String) -> JSONValue { ["type": "output_text", "text": .string(text), "annotations": []] }

    private func message(_ text: String?, isDone: Bool) -> JSONValue {
        [
            "type": "message", "id": .string(messageID), "status": isDone ? "completed" : "in_progress",
            "role": "assistant", "content": .array(text.map { [part($0)] } ?? []),
        ]
    }

    private func call(_ call: ToolCalls.Call, _ index: Int, isDone: Bool) -> JSONValue {
        [
            "type": "function_call", "id": .string("fc_\(token)_\(index)"), "call_id": .string("call_\(token)_\(index)"),
            "name": .string(call.name), "arguments": .string(isDone ? arguments(call) : ""),
            "status": isDone ? "completed" : "in_progress",
        ]
    }

    private func arguments(_ call: ToolCalls.Call) -> String { JSONWriter(style: .compact).write(call.arguments) }

    /// The text and the calls of an answer.
    private func parts(_ answer: GenerationAnswer) -> (text: String?, calls: [ToolCalls.Call]) {
        let (text, calls) = callsTools ? ToolCalls.parse(answer.text) : (answer.text, [])
        return (calls.isEmpty || !text.isEmpty ? text : nil, calls)
    }

    /// A whole response.
    func whole(_ answer: GenerationAnswer) -> JSONValue {
        let (text, calls) = parts(answer)
        var output: [JSONValue] = text.map { [message($0, isDone: true)] } ?? []
        for (index, entry) in calls.enumerated() { output.append(call(entry, index, isDone: true)) }
        return response(answer.finishReason == .length ? "incomplete" : "completed", output, answer)
    }

    // MARK: Streams

    /// The events of a stream, numbered.
    struct Stream: Sendable {
        private let answer: ResponsesAnswer
        private var number = 0
        private var text = ""
        private var hasMessage = false

        init(_ answer: ResponsesAnswer) { self.answer = answer }

        private mutating func event(_ type: String, _ members: JSONObject) -> JSONValue {
            var object: JSONObject = ["type": .string(type), "sequence_number": answer.number(number)]
            for (name, value) in members { object.append(key: name, value: value) }
            number += 1
            return .object(object)
        }

        /// The first events.
        mutating func opening() -> [JSONValue] {
            let response = answer.response("in_progress", [], nil)
            return [
                event("response.created", ["response": response]), event("response.in_progress", ["response": response]),
            ]
        }

        /// More text.
        mutating func piece(_ piece: String) -> [JSONValue] {
            var events: [JSONValue] = []
            if !hasMessage {
                hasMessage = true
                events.append(
                    event("response.output_item.added", ["output_index": 0, "item": answer.message(nil, isDone: false)]))
                events.append(event("response.content_part.added", place(["part": answer.part("")])))
            }
            guard !piece.isEmpty else { return events }
            text += piece
            return events + [event("response.output_text.delta", place(["delta": .string(piece), "logprobs": []]))]
        }

        private func place(_ members: JSONObject) -> JSONObject {
            var object: JSONObject = ["item_id": .string(answer.messageID), "output_index": 0, "content_index": 0]
            for (name, value) in members { object.append(key: name, value: value) }
            return object
        }

        /// The last events.
        mutating func closing(_ result: GenerationAnswer) -> [JSONValue] {
            let (whole, calls) = answer.parts(result)
            var events: [JSONValue] = []
            if let whole {
                // White space before a call is no message of its own; what was sent already stays.
                events += piece(String(whole.utf8.dropFirst(text.utf8.count)) ?? "")
                events.append(event("response.output_text.done", place(["text": .string(whole), "logprobs": []])))
                events.append(event("response.content_part.done", place(["part": answer.part(whole)])))
                events.append(
                    event("response.output_item.done", ["output_index": 0, "item": answer.message(whole, isDone: true)]))
            }
            for (index, call) in calls.enumerated() {
                let output = answer.number(index + (whole == nil ? 0 : 1))
                let id: JSONValue = answer.call(call, index, isDone: true)["id"] ?? nil
                let arguments: JSONValue = .string(answer.arguments(call))
                events.append(
                    event(
                        "response.output_item.added",
                        ["output_index": output, "item": answer.call(call, index, isDone: false)]))
                events.append(
                    event(
                        "response.function_call_arguments.delta",
                        ["item_id": id, "output_index": output, "delta": arguments]))
                events.append(
                    event(
                        "response.function_call_arguments.done",
                        [
                            "item_id": id, "output_index": output, "name": .string(call.name), "arguments": arguments,
                        ]))
                events.append(
                    event(
                        "response.output_item.done",
                        ["output_index": output, "item": answer.call(call, index, isDone: true)]))
            }
            let isCut = result.finishReason == .length
            events.append(
                event(isCut ? "response.incomplete" : "response.completed", ["response": answer.whole(result)]))
            return events
        }

        /// An error after the stream has begun.
        mutating func failure(_ fault: ServiceFault) -> JSONValue {
            event(
                "error",
                [
                    "code": .string(fault.code), "message": .string(fault.message),
                    "param": fault.parameter.map { .string($0) } ?? nil,
                ])
        }
    }
}
