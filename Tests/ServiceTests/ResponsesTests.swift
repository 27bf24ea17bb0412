// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Service
import Testing

/// OpenAI's Responses interface over a socket.
@Suite(.timeLimit(.minutes(3)))
struct ResponsesTests {
    private let schema = #"{"type": "object", "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 99}}, "#
        + #""required": ["age"], "additionalProperties": false}"#

    private func body(_ rest: String) -> String {
        "{\"model\": \"tiny\", \"max_output_tokens\": 80, \(rest)}"
    }

    private var format: String { #""text": {"format": {"type": "json_schema", "name": "x", "schema": \#(schema)}}"# }

    @Test func documentsAreValidWholeAndInPieces() async throws {
        let spec = try SpecLoader.load(Array(schema.utf8))
        try await withService { client in
            let request = body(#""instructions": "Turn it into JSON.", "input": "Ada, 36", "# + format)
            let whole = try await client.send("POST", "/v1/responses", request).value
            #expect(whole["status"]?.stringValue == "completed")
            let text = whole["output"]?[0]?["content"]?[0]?["text"]?.stringValue ?? ""
            let isValid = try Validator(spec.graph, formats: .assert).isValid(JSONReader.read(text, file: nil).root)
            #expect(isValid, "\(text)")
            #expect(whole["text"]?["format"]?["name"]?.stringValue == "x")
            #expect(whole["usage"]?["output_tokens"]?.intValue ?? 0 > 0)

            let stream = try await client.send("POST", "/v1/responses", request.dropLast() + #", "stream": true}"#)
            let events = stream.events
            let kinds = events.compactMap { $0["type"]?.stringValue }
            #expect(kinds.prefix(4) == [
                "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
            ])
            #expect(kinds.suffix(4) == [
                "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.completed",
            ])
            let numbers = events.compactMap { $0["sequence_number"]?.intValue }
            #expect(numbers == Array(0..<events.count))
            let pieces = events.filter { $0["type"] == "response.output_text.delta" }
            #expect(pieces.compactMap { $0["delta"]?.stringValue }.joined() == text)
            #expect(events.last?["response"]?["output"]?[0]?["content"]?[0]?["text"]?.stringValue == text)
        }
    }

    @Test func callsHaveItemsOfTheirOwn() async throws {
        try await withService { client in
            let tools = #""tools": [{"type": "function", "name": "find", "parameters": \#(schema), "strict": true}], "#
                + #""tool_choice": {"type": "function", "name": "find"}"#
            let input = """
                "input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]},
                {"type": "function_call", "call_id": "c", "name": "find", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "nothing"}]
                """
            let whole = try await client.send("POST", "/v1/responses", body(input + ", " + tools)).value
            let call = whole["output"]?[0] ?? .null
            #expect(call["type"]?.stringValue == "function_call", "\(whole)")
            #expect(call["name"]?.stringValue == "find")
            let arguments = try JSONReader.read(call["arguments"]?.stringValue ?? "", file: nil).root
            let isValid = try Validator(SpecLoader.load(Array(schema.utf8)).graph, formats: .assert).isValid(arguments)
            #expect(isValid)
            let stream = try await client.send(
                "POST", "/v1/responses", body(input + ", " + tools + #", "stream": true"#)).events
            let done = stream.first { $0["type"] == "response.function_call_arguments.done" }
            #expect(done?["arguments"] == call["arguments"])
            #expect(!stream.contains { $0["type"] == "response.output_text.delta" })
        }
    }

    @Test func whatIsNotServedIsNamed() async throws {
        try await withService { client in
            for (members, parameter) in [
                (#""input": "x", "previous_response_id": "resp_1""#, "previous_response_id"),
                (#""input": "x", "background": true"#, "background"), (#""instructions": "x""#, "input"),
                (#""input": [{"type": "item_reference", "id": "x"}]"#, "input[0].type"),
                (#""input": [{"role": "user", "content": [{"type": "input_image"}]}]"#, "input[0].content[0]"),
                (#""input": "x", "text": {"format": {"type": "json_schema", "name": "x"}}"#, "text.format.schema"),
                (#""input": "x", "something": 1"#, "something"),
            ] {
                let answer = try await client.send("POST", "/v1/responses", body(members))
                #expect(answer.status == 400)
                #expect(answer.value["error"]?["param"]?.stringValue == parameter, "\(answer.text)")
            }
        }
    }
}
