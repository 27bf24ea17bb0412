// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import Service
import Testing

/// Whole requests over a socket, with a random-weight model: noise that must come out valid.
@Suite(.timeLimit(.minutes(3)))
struct ServiceTests {
    private let schema = """
        {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", \
        "minimum": 0, "maximum": 99}}, "required": ["name", "age"], "additionalProperties": false}
        """

    private func chat(_ rest: String) -> String {
        #"{"model": "tiny", "messages": [{"role": "user", "content": "Ada, 36"}]"# + (rest.isEmpty ? "" : ", ") + rest + "}"
    }

    private func format(_ schema: String) -> String {
        #""response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": \#(schema)}}"#
    }

    private func isValid(_ text: String, _ schema: String) throws -> Bool {
        let spec = try SpecLoader.load(Array(schema.utf8))
        return try Validator(spec.graph, formats: .assert).isValid(JSONReader.read(text, file: nil).root)
    }

    @Test func documentsInEveryInterface() async throws {
        try await withService { client in
            for temperature in ["0", "1.5"] {
                let openAI = try await client.send(
                    "POST", "/v1/chat/completions", chat(format(schema) + ", \"temperature\": \(temperature), \"seed\": 4"))
                #expect(openAI.status == 200)
                let content = openAI.value["choices"]?[0]?["message"]?["content"]?.stringValue ?? ""
                #expect(try isValid(content, schema), "\(openAI.text)")
                #expect(openAI.value["usage"]?["completion_tokens"]?.intValue ?? 0 > 0)

                let ollama = try await client.send(
                    "POST", "/api/chat",
                    #"{"model": "tiny", "stream": false, "messages": [{"role": "user", "content": "x"}], "format": "#
                        + schema + ", \"options\": {\"temperature\": \(temperature)}}")
                #expect(try isValid(ollama.value["message"]?["content"]?.stringValue ?? "", schema), "\(ollama.text)")

                let native = try await client.send(
                    "POST", "/v1/transform", "{\"text\": \"Ada\", \"schema\": \(schema), \"temperature\": \(temperature)}")
                #expect(try isValid(JSONWriter(style: .compact).write(native.value["value"] ?? .null), schema))
            }
        }
    }

    @Test func streamsSayTheSameAsWholeAnswers() async throws {
        try await withService { client in
            let whole = try await client.send("POST", "/v1/chat/completions", chat(format(schema)))
            let stream = try await client.send("POST", "/v1/chat/completions", chat(format(schema) + ", \"stream\": true"))
            #expect(stream.headers["content-type"] == "text/event-stream")
            let pieces = stream.events.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.stringValue }
            #expect(pieces.joined() == whole.value["choices"]?[0]?["message"]?["content"]?.stringValue)
            #expect(stream.text.hasSuffix("data: [DONE]\n\n"))

            let lines = try await client.send(
                "POST", "/api/generate", "{\"model\": \"tiny\", \"prompt\": \"x\", \"format\": \(schema)}")
            #expect(lines.headers["content-type"] == "application/x-ndjson")
            #expect(lines.events.last?["done"] == true)
            let text = lines.events.compactMap { $0["response"]?.stringValue }.joined()
            #expect(try isValid(text, schema))

            let fields = try await client.send(
                "POST", "/v1/transform", "{\"text\": \"Ada\", \"schema\": \(schema), \"stream\": true}")
            let ends = fields.events.filter { $0["type"] == "end" }.compactMap { $0["pointer"]?.stringValue }
            #expect(ends == ["/name", "/age", ""])
            #expect(fields.text.hasPrefix("event: started\ndata: {\"prompt_tokens\":"))
        }
    }

    @Test func callsOfToolsAreValid() async throws {
        try await withService { client in
            let tools = """
                "tools": [{"type": "function", "function": {"name": "find", "parameters": \(schema)}}], "max_tokens": 120
                """
            let answer = try await client.send("POST", "/v1/chat/completions", chat(tools + #", "tool_choice": "required""#))
            let calls = answer.value["choices"]?[0]?["message"]?["tool_calls"]?.arrayValue ?? []
            #expect(!calls.isEmpty, "\(answer.text)")
            for call in calls {
                #expect(call["function"]?["name"] == "find")
                #expect(try isValid(call["function"]?["arguments"]?.stringValue ?? "", schema))
            }
            #expect(answer.value["choices"]?[0]?["finish_reason"] == "tool_calls")
        }
    }

    @Test(arguments: [
        (#""colour": 1"#, "unknown_parameter", "colour"), (#""top_logprobs": 2"#, "invalid_value", "top_logprobs"),
        (#""temperature": "hot""#, "invalid_type", "temperature"), (#""n": 0"#, "invalid_type", "n"),
        (#""max_tokens": 0"#, "invalid_type", "max_tokens"),
        (#""response_format": {"type": "xml"}"#, "invalid_value", "response_format.type"),
        (#""response_format": {"type": "json_schema"}"#, "missing_required_parameter", "response_format.json_schema"),
        (#""tool_choice": "required""#, "invalid_value", "tool_choice"),
        (#""max_tokens": 100000"#, "invalid_value", "max_tokens"),
    ])
    func whatIsWrongIsNamed(_ rest: String, _ code: String, _ parameter: String) async throws {
        try await withService { client in
            let answer = try await client.send("POST", "/v1/chat/completions", chat(rest))
            #expect(answer.status == 400)
            #expect(answer.value["error"]?["code"]?.stringValue == code, "\(answer.text)")
            #expect(answer.value["error"]?["param"]?.stringValue == parameter)
        }
    }

    @Test func keywordsThatCannotBeEnforcedAreNamed() async throws {
        try await withService { client in
            let answer = try await client.send(
                "POST", "/v1/chat/completions", chat(format(#"{"properties": {"a": {"pattern": "(x)\\1"}}}"#)))
            #expect(answer.status == 400)
            #expect(answer.value["error"]?["pointer"]?.stringValue == "/properties/a/pattern", "\(answer.text)")
            let other = try await client.send(
                "POST", "/v1/chat/completions", chat(format(#"{"$ref": "https://example.org/schema.json"}"#)))
            #expect(other.status == 400)
        }
    }

    @Test func bodiesAreChecked() async throws {
        try await withService({ $0.maximumBody = 2000 }) { client in
            #expect(await client.status("POST", "/v1/chat/completions", "{\"model\"") == 400)
            #expect(await client.status("POST", "/v1/chat/completions", "[]") == 400)
            #expect(await client.status("POST", "/v1/transform", String(repeating: "[", count: 1900)) == 400)
            #expect(await client.status("POST", "/v1/transform", String(repeating: " ", count: 3000)) == 413)
            let nothing = try await client.send("POST", "/v1/nothing", "{}")
            #expect(nothing.status == 404)
            #expect(nothing.value["error"]?["code"] == "unknown_url")
            let deleted = try await client.send("DELETE", "/v1/models")
            #expect(deleted.value["error"]?["code"] == "unknown_url")
            let unknown = try await client.send("POST", "/api/chat", #"{"model": "other", "messages": [{"role": "user", "content": "x"}]}"#)
            #expect(unknown.status == 404)
            #expect(unknown.value["error"]?.stringValue?.contains("tiny") == true)
        }
    }

    @Test func keysAndOriginsAreAskedFor() async throws {
        try await withService({ $0.keys = [ServiceKey("one"), ServiceKey("two")] }) { client in
            #expect(await client.status("GET", "/v1/models") == 401)
            #expect(await client.status("GET", "/v1/models", headers: ["Authorization": "Bearer three"]) == 401)
            #expect(await client.status("GET", "/v1/models", headers: ["Authorization": "Bearer two"]) == 200)
            #expect(await client.status("GET", "/metrics") == 401)
            #expect(await client.status("GET", "/health") == 200)
        }
        try await withService({ $0.allowedOrigins = ["https://app.example"] }) { client in
            #expect(await client.status("GET", "/v1/models", headers: ["Origin": "https://evil.example"]) == 403)
            let allowed = try await client.send("GET", "/v1/models", headers: ["Origin": "https://app.example"])
            #expect(allowed.status == 200)
            #expect(allowed.headers["access-control-allow-origin"] == "https://app.example")
            #expect(await client.status("GET", "/v1/models", headers: ["Host": "evil.example"]) == 403)
        }
    }

    @Test func tooManyRequestsAreTold() async throws {
        try await withService({ ($0.slots, $0.queueLength) = (1, 1) }) { client in
            // Long for certain: each takes more than a thousand steps.
            let body = chat(format(#"{"type": "string", "minLength": 1200}"#) + ", \"max_tokens\": 1500")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await client.send("POST", "/v1/chat/completions", body).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(statuses).isSubset(of: [200, 429]))
            #expect(statuses.contains(429))
            #expect(statuses.contains(200))
        }
    }

    @Test func documentsAreValidatedAndRepaired() async throws {
        try await withService { client in
            let bad = try await client.send(
                "POST", "/v1/validate", "{\"document\": {\"name\": \"Ada\", \"age\": \"36\"}, \"schema\": \(schema)}")
            #expect(bad.value["valid"] == false)
            #expect(bad.value["problems"]?[0]?["pointer"] == "/age")
            let text = try await client.send(
                "POST", "/v1/validate", "{\"text\": \"name: Ada\\nage: 36\\n\", \"format\": \"yaml\", \"schema\": \(schema)}")
            #expect(text.value["valid"] == true)
            let repaired = try await client.send(
                "POST", "/v1/repair", "{\"text\": \"{'name': 'Ada', 'age': '36',}\", \"schema\": \(schema)}")
            #expect(repaired.value["outcome"] == "repaired")
            #expect(try isValid(repaired.value["text"]?.stringValue ?? "", schema))
        }
    }

    @Test func countsAndModels() async throws {
        try await withService { client in
            #expect(await client.status("GET", "/ready") == 503)
            _ = try await client.send("POST", "/v1/chat/completions", chat(format(schema)))
            #expect(await client.status("GET", "/ready") == 200)
            let metrics = try await client.send("GET", "/metrics").text
            #expect(metrics.contains("formwork_requests_total{route=\"/v1/chat/completions\",status=\"200\"} 1"))
            #expect(metrics.contains("formwork_request_seconds_count 1"))
            // A refusal is counted once, whether it came before or after the request was queued.
            _ = try await client.send("POST", "/v1/chat/completions", chat(#""colour": 1"#))
            _ = try await client.send(
                "POST", "/v1/chat/completions",
                chat(format(#"{"type": "string", "minLength": 200}"#) + ", \"max_tokens\": 3"))
            let counted = try await client.send("GET", "/metrics").text
            #expect(counted.contains("formwork_refusals_total{reason=\"unknown_parameter\"} 1\n"))
            #expect(counted.contains("formwork_refusals_total{reason=\"generation.budget-too-small\"} 1\n"))
            let models = try await client.send("GET", "/v1/models")
            #expect(models.value["data"]?[0]?["id"] == "tiny")
            let version = try await client.send("GET", "/api/version")
            #expect(version.value["version"] != nil)
            let traced = try await client.send(
                "GET", "/v1/models", headers: ["Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
            #expect(traced.headers["x-request-id"] == "4bf92f3577b34da6a3ce929d0e0e4736")
        }
    }
}

/// The parts that need no socket.
struct TextPiecesTests {
    @Test(arguments: ["plain", "é", "€uro", "🙂🙂", "a\u{1F600}b", ""])
    func charactersStayWhole(_ text: String) {
        for size in 1...4 {
            var pieces = TextPieces()
            var result = ""
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = pieces.take(Array(bytes[start..<min(start + size, bytes.count)]))
                #expect(!piece.unicodeScalars.contains("\u{FFFD}"))
                result += piece
            }
            #expect(result + pieces.finish() == text)
        }
    }

    @Test(arguments: [
        ("one two three", ["two"], "one "), ("aab", ["ab"], "a"), ("abc", ["x"], "abc"), ("stop", ["stop"], ""),
        ("ababac", ["abac"], "ab"), ("end.", [".", "nd"], "e"), ("half st", ["stop"], "half st"),
    ])
    func stopsCutTheText(_ text: String, _ stops: [String], _ wanted: String) {
        for size in 1...3 {
            var finder = StopFinder(stops)
            var result: [UInt8] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                result += finder.take(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            result += finder.finish()
            #expect(String(decoding: result, as: UTF8.self) == wanted)
        }
    }

    @Test func callsAreFoundInText() {
        let text = "Let me see.<tool_call>\n{\"name\": \"a\", \"arguments\": {\"x\": 1}}\n</tool_call>\n<tool_call>\n{\"name\": \"b\", \"arguments\": {}}\n</tool_call>"
        let (content, calls) = ToolCalls.parse(text)
        #expect(content == "Let me see.")
        #expect(calls.map(\.name) == ["a", "b"])
        #expect(calls.first?.arguments["x"] == 1)
        #expect(ToolCalls.parse("nothing").calls.isEmpty)
    }

    /// Connections that send nothing are closed when there are many, and never keep out one that asks.
    @Test func silentConnectionsKeepNobodyOut() async throws {
        try await withService({ $0.maximumConnections = 8 }) { client in
            var silent: [Connection] = []
            for _ in 0..<100 { silent.append(try Connection(port: client.port)) }
            for _ in 0..<3 {
                let answer = try await client.send("POST", "/v1/transform", #"{"text": "Ada", "schema": {"type": "boolean"}}"#)
                #expect(answer.status == 200)
            }
            #expect(silent.count == 100)
        }
    }

    /// Probabilities belong to the tokens of the answer, and those of the tokens that could come add up to one.
    @Test func probabilitiesOfTokens() async throws {
        try await withService { client in
            let format = #""response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": "#
                + #"{"type": "object", "properties": {"a": {"enum": ["x", "y", "z"]}}, "required": ["a"]}}}"#
            let head = #"{"model": "tiny", "messages": [{"role": "user", "content": "x"}], "logprobs": true, "#
            for sampling in [#""temperature": 0"#, #""temperature": 1.3, "seed": 5"#] {
                let body = head + #""top_logprobs": 20, "# + sampling + ", " + format
                let answer = try await client.send("POST", "/v1/chat/completions", body + "}").value
                let choice = answer["choices"]?[0] ?? .null
                let content = choice["logprobs"]?["content"]?.arrayValue ?? []
                #expect(content.count == answer["usage"]?["completion_tokens"]?.intValue)
                let text = content.compactMap { $0["token"]?.stringValue }.joined()
                #expect(text == choice["message"]?["content"]?.stringValue)
                var open = 0
                for entry in content {
                    let tops = entry["top_logprobs"]?.arrayValue ?? []
                    let probabilities = tops.compactMap { $0["logprob"]?.numberValue.map { exp($0.doubleValue) } }
                    #expect(probabilities == probabilities.sorted(by: >))
                    #expect(probabilities.reduce(0, +) < 1.001)
                    // Where all tokens that could come are told, they add up to one.
                    if tops.count < 20 { #expect(probabilities.reduce(0, +) > 0.999, "\(entry)") }
                    if tops.count > 1 { open += 1 }
                }
                #expect(open > 0)
                let stream = try await client.send("POST", "/v1/chat/completions", body + #", "stream": true}"#)
                let last = stream.events.last { $0["choices"]?[0]?["finish_reason"]?.isNull == false }
                #expect(last?["choices"]?[0]?["logprobs"] == choice["logprobs"])
            }
            let legacy = try await client.send(
                "POST", "/v1/completions", #"{"model": "tiny", "prompt": "x", "logprobs": 2, "max_tokens": 8}"#).value
            let told = legacy["choices"]?[0]?["logprobs"] ?? .null
            #expect(told["tokens"]?.arrayValue?.compactMap(\.stringValue).joined() == legacy["choices"]?[0]?["text"]?.stringValue)
            #expect(told["token_logprobs"]?.arrayValue?.count == told["text_offset"]?.arrayValue?.count)
        }
    }
}
