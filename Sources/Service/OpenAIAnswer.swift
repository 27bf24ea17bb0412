// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Generation

/// Renders answers in the shapes of OpenAI's chat and legacy completions.
struct OpenAIAnswer: Sendable {
    let id: String
    let created: Int
    let model: String
    /// Chat completions; otherwise legacy completions.
    let isChat: Bool
    let callsTools: Bool

    init(model: String, isChat: Bool, callsTools: Bool) {
        id = (isChat ? "chatcmpl-" : "cmpl-") + Self.token()
        created = Int(Date().timeIntervalSince1970)
        self.model = model
        self.isChat = isChat
        self.callsTools = callsTools
    }

    static func token() -> String {
        let high = String(UInt64.random(in: 0 ... .max), radix: 16)
        let low = String(UInt64.random(in: 0 ... .max), radix: 16)
        return String((high + low).prefix(29))
    }

    private func number(_ value: Int) -> JSONValue { .number(DecimalNumber(value)) }

    private func head(_ object: String) -> JSONObject {
        ["id": .string(id), "object": .string(object), "created": number(created), "model": .string(model)]
    }

    /// `stop`, `length` or `tool_calls`.
    private func reason(_ answer: GenerationAnswer, calls: Bool) -> JSONValue {
        calls ? "tool_calls" : .string(answer.finishReason.rawValue)
    }

    /// The counts of tokens of all choices.
    func usage(_ answers: [GenerationAnswer]) -> JSONValue {
        let prompt = answers.first?.statistics.promptTokens ?? 0
        let cached = answers.first?.statistics.cachedPromptTokens ?? 0
        let output = answers.reduce(0) { $0 + $1.statistics.outputTokens }
        return [
            "prompt_tokens": number(prompt), "completion_tokens": number(output), "total_tokens": number(prompt + output),
            "prompt_tokens_details": ["cached_tokens": number(cached)],
            "completion_tokens_details": [
                "forced_tokens": number(answers.reduce(0) { $0 + $1.statistics.forcedTokens })
            ],
        ]
    }

    private func calls(_ calls: [ToolCalls.Call], indexed: Bool) -> JSONValue {
        .array(
            calls.enumerated().map { index, call in
                var object: JSONObject = [:]
                if indexed { object.append(key: "index", value: number(index)) }
                object.append(key: "id", value: .string("call_" + Self.token()))
                object.append(key: "type", value: "function")
                object.append(
                    key: "function",
                    value: [
                        "name": .string(call.name),
                        "arguments": .string(JSONWriter(style: .compact).write(call.arguments)),
                    ])
                return .object(object)
            })
    }

    /// A whole response.
    func whole(_ answers: [GenerationAnswer]) -> JSONValue {
        var object = head(isChat ? "chat.completion" : "text_completion")
        let choices = answers.enumerated().map { index, answer -> JSONValue in
            guard isChat else {
                return [
                    "index": number(index), "text": .string(answer.text), "logprobs": probabilities(answer),
                    "finish_reason": reason(answer, calls: false),
                ]
            }
            let (content, found) = callsTools ? ToolCalls.parse(answer.text) : (answer.text, [])
            var message: JSONObject = [
                "role": "assistant", "content": found.isEmpty || !content.isEmpty ? .string(content) : nil,
                "refusal": nil,
            ]
            if !found.isEmpty { message.append(key: "tool_calls", value: calls(found, indexed: false)) }
            return [
                "index": number(index), "message": .object(message), "logprobs": probabilities(answer),
                "finish_reason": reason(answer, calls: !found.isEmpty),
            ]
        }
        object.append(key: "choices", value: .array(choices))
        object.append(key: "usage", value: usage(answers))
        object.append(key: "system_fingerprint", value: "formwork")
        return .object(object)
    }

    /// How likely each token was among those that could come, or null where that was not asked for.
    ///
    /// Tokens are shown as the text of their bytes; a character of several tokens is in their `bytes` only.
    private func probabilities(_ answer: GenerationAnswer) -> JSONValue {
        guard !answer.probabilities.isEmpty else { return nil }
        func logarithm(_ entry: TokenProbability.Alternative) -> JSONValue {
            .number(DecimalNumber(Double(entry.logProbability)) ?? .zero)
        }
        func text(_ entry: TokenProbability.Alternative) -> String { String(decoding: entry.bytes, as: UTF8.self) }
        func value(_ entry: TokenProbability.Alternative) -> JSONObject {
            [
                "token": .string(text(entry)), "logprob": logarithm(entry),
                "bytes": .array(entry.bytes.map { number(Int($0)) }),
            ]
        }
        if isChat {
            let content = answer.probabilities.map { entry -> JSONValue in
                var object = value(entry.token)
                object.append(key: "top_logprobs", value: .array(entry.alternatives.map { .object(value($0)) }))
                return .object(object)
            }
            return ["content": .array(content), "refusal": nil]
        }
        var offset = 0
        var offsets: [JSONValue] = []
        for entry in answer.probabilities {
            offsets.append(number(offset))
            offset += text(entry.token).unicodeScalars.count
        }
        let tops = answer.probabilities.map { entry -> JSONValue in
            var object: JSONObject = [:]
            for alternative in entry.alternatives { object.append(key: text(alternative), value: logarithm(alternative)) }
            return .object(object)
        }
        return [
            "tokens": .array(answer.probabilities.map { .string(text($0.token)) }),
            "token_logprobs": .array(answer.probabilities.map { logarithm($0.token) }), "top_logprobs": .array(tops),
            "text_offset": .array(offsets),
        ]
    }

    // MARK: Streams

    private func chunk(
        _ index: Int, _ body: JSONObject, _ finish: JSONValue, probabilities: JSONValue = nil
    ) -> JSONValue {
        var object = head(isChat ? "chat.completion.chunk" : "text_completion")
        var choice: JSONObject = ["index": number(index)]
        if isChat {
            choice.append(key: "delta", value: .object(body))
        } else {
            choice.append(key: "text", value: body["content"] ?? "")
        }
        choice.append(key: "logprobs", value: probabilities)
        choice.append(key: "finish_reason", value: finish)
        object.append(key: "choices", value: [.object(choice)])
        object.append(key: "system_fingerprint", value: "formwork")
        return .object(object)
    }

    /// The first piece of a chat's choice.
    func opening(_ index: Int) -> JSONValue { chunk(index, ["role": "assistant", "content": ""], nil) }

    /// More text of a choice.
    func piece(_ index: Int, _ text: String) -> JSONValue { chunk(index, ["content": .string(text)], nil) }

    /// The end of a choice: its calls, if there are any, and why it ended.
    func closing(_ index: Int, _ answer: GenerationAnswer) -> [JSONValue] {
        let found = callsTools ? ToolCalls.parse(answer.text).calls : []
        var chunks: [JSONValue] = []
        if !found.isEmpty { chunks.append(chunk(index, ["tool_calls": calls(found, indexed: true)], nil)) }
        chunks.append(
            chunk(index, [:], reason(answer, calls: !found.isEmpty), probabilities: probabilities(answer)))
        return chunks
    }

    /// The counts of tokens at the end of a stream.
    func closingUsage(_ answers: [GenerationAnswer]) -> JSONValue {
        var object = head(isChat ? "chat.completion.chunk" : "text_completion")
        object.append(key: "choices", value: [])
        object.append(key: "usage", value: usage(answers))
        return .object(object)
    }
}

/// The text of an answer with tools up to its first call, as it grows.
struct ContentBeforeCalls {
    private var finder = StopFinder([ToolCalls.begin])
    private var pieces = TextPieces()

    mutating func take(_ text: String) -> String { pieces.take(finder.take(Array(text.utf8))) }

    mutating func finish() -> String { pieces.take(finder.finish()) + pieces.finish() }
}
