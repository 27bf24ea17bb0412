// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import Service
import TestSupport
import Testing

/// Files and batches over a socket.
@Suite(.timeLimit(.minutes(3)))
struct BatchTests {
    private let schema = #"{"type": "object", "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 99}}, "#
        + #""required": ["age"], "additionalProperties": false}"#

    private func line(_ id: String, _ body: String? = nil, url: String = "/v1/transform") -> String {
        let body = body ?? "{\"text\": \"I am \(id)\", \"schema\": \(schema)}"
        return "{\"custom_id\": \"\(id)\", \"method\": \"POST\", \"url\": \"\(url)\", \"body\": \(body)}"
    }

    /// Runs a service with a folder for its state.
    private func withState(
        _ change: @escaping (inout ServiceConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (ServiceClient) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("state-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withService(
            {
                $0.stateFolder = folder.path
                change(&$0)
            }, body)
    }

    private func create(_ client: ServiceClient, _ file: JSONValue?, endpoint: String = "/v1/transform", window: String = "24h")
        async throws -> ServiceClient.Answer
    {
        try await client.send(
            "POST", "/v1/batches",
            """
            {"input_file_id": "\(file?.stringValue ?? "")", "endpoint": "\(endpoint)", "completion_window": "\(window)", \
            "metadata": {"for": "tests"}}
            """)
    }

    @Test func everyLineHasOneResult() async throws {
        try await withState { client in
            let wrong = line("wrong", #"{"text": "x", "schema": {"type": "thing"}}"#)
            let input = ((1...12).map { line("line \($0)") } + [wrong, ""]).joined(separator: "\n")
            let file = try await client.upload(input)
            #expect(file.status == 200, "\(file.text)")
            #expect(file.value["bytes"]?.intValue == input.utf8.count)
            #expect(file.value["filename"]?.stringValue == "in.jsonl")
            let created = try await create(client, file.value["id"])
            #expect(created.status == 200, "\(created.text)")
            #expect(created.value["metadata"]?["for"]?.stringValue == "tests")
            let batch = try await client.ended(created.value["id"]?.stringValue ?? "")
            #expect(batch["status"] == "completed")
            #expect(batch["request_counts"] == ["total": 13, "completed": 12, "failed": 1])
            let results = try await client.lines(batch["output_file_id"])
            let ids = results.compactMap { $0["custom_id"]?.stringValue }
            #expect(ids == (1...12).map { "line \($0)" })
            let validator = Validator(try SpecLoader.load(Array(schema.utf8)).graph, formats: .assert)
            for result in results {
                #expect(result["response"]?["status_code"]?.intValue == 200)
                let value = result["response"]?["body"]?["value"] ?? .null
                #expect(validator.isValid(Document(value: value).root))
            }
            let errors = try await client.lines(batch["error_file_id"])
            #expect(errors.count == 1)
            #expect(errors.first?["custom_id"]?.stringValue == "wrong")
            #expect(errors.first?["response"]?["status_code"]?.intValue == 400)
            let listed = try await client.send("GET", "/v1/batches?limit=1").value
            #expect(listed["data"]?[0]?["id"] == batch["id"])
            #expect(listed["has_more"] == false)
        }
    }

    @Test func linesAreCheckedBeforeAnythingIsDone() async throws {
        try await withState { client in
            let input = [
                line("a"), line("a"), "{", line("b", url: "/v1/completions"), line("c", #"{"text": "x", "stream": true}"#),
                #"{"custom_id": "d", "method": "GET", "url": "/v1/transform", "body": {}}"#, "",
                #"{"custom_id": "", "method": "POST", "url": "/v1/transform", "body": {}}"#,
            ].joined(separator: "\n")
            let file = try await client.upload(input)
            let created = try await create(client, file.value["id"])
            let batch = try await client.ended(created.value["id"]?.stringValue ?? "")
            #expect(batch["status"] == "failed")
            let problems = batch["errors"]?["data"]?.arrayValue ?? []
            let found = problems.map { "\($0["line"]?.intValue ?? 0) \($0["code"]?.stringValue ?? "")" }
            #expect(
                found == [
                    "2 duplicate_custom_id", "3 invalid_json_line", "4 mismatched_url", "5 invalid_request",
                    "6 invalid_method", "8 missing_required_parameter",
                ])
            let empty = try await create(client, try await client.upload("\n\n").value["id"])
            let nothing = try await client.ended(empty.value["id"]?.stringValue ?? "")
            #expect(nothing["errors"]?["data"]?[0]?["code"]?.stringValue == "empty_file")
        }
    }

    @Test func cancelledAndExpiredBatchesTellOfEachLine() async throws {
        try await withState({ $0.slots = 2 }) { client in
            // More than can be done in a second.
            let input = (1...4000).map { line("\($0)") }.joined(separator: "\n")
            let file = try await client.upload(input)
            for window in ["24h", "1s"] {
                let created = try await create(client, file.value["id"], window: window)
                let id = created.value["id"]?.stringValue ?? ""
                if window == "24h" {
                    let cancelled = try await client.send("POST", "/v1/batches/\(id)/cancel", "{}")
                    #expect(cancelled.value["status"]?.stringValue == "cancelling")
                }
                let batch = try await client.ended(id)
                #expect(batch["status"]?.stringValue == (window == "24h" ? "cancelled" : "expired"))
                let results = try await client.lines(batch["output_file_id"])
                let errors = try await client.lines(batch["error_file_id"])
                if window == "1s" { #expect(!errors.isEmpty) }
                let code = window == "24h" ? "batch_cancelled" : "batch_expired"
                #expect(errors.allSatisfy { $0["error"]?["code"]?.stringValue == code })
                // A batch that was never begun has no lines.
                let ids = (results + errors).compactMap { $0["custom_id"]?.stringValue }
                #expect(Set(ids).count == ids.count)
                #expect(ids.count == batch["request_counts"]?["total"]?.intValue)
            }
        }
    }

    @Test func wrongRequestsAreNamed() async throws {
        try await withState({ $0.maximumFile = 1000 }) { client in
            let purpose = try await client.upload("x", purpose: "fine-tune")
            #expect(purpose.status == 400)
            #expect(purpose.value["error"]?["param"]?.stringValue == "purpose")
            #expect(await client.status("POST", "/v1/files", "{}") == 400)
            let long = try await client.upload(String(repeating: "x", count: 2000))
            #expect(long.status == 413)
            let file = try await client.upload("{}").value["id"]
            let endpoint = try await create(client, file, endpoint: "/v1/embeddings")
            #expect(endpoint.value["error"]?["param"]?.stringValue == "endpoint")
            let window = try await create(client, file, window: "5 weeks")
            #expect(window.value["error"]?["param"]?.stringValue == "completion_window")
            let missing = try await create(client, "file-none")
            #expect(missing.status == 404)
            #expect(await client.status("GET", "/v1/files?limit=0") == 400)
            #expect(await client.status("GET", "/v1/batches/none") == 404)
            let id = file?.stringValue ?? ""
            #expect(await client.status("DELETE", "/v1/files/\(id)") == 200)
            #expect(await client.status("GET", "/v1/files/\(id)/content") == 404)
        }
    }

    @Test func withoutAFolderThereAreNone() async throws {
        try await withService { client in
            let answer = try await client.upload("{}")
            #expect(answer.status == 503)
            #expect(answer.value["error"]?["code"]?.stringValue == "jobs.storage-unavailable")
            #expect(try await client.send("GET", "/health").value == ["status": "ok"])
        }
    }

    /// Whatever the pieces, the parts are the same.
    @Test func formsCanBeCutAnywhere() throws {
        let body = Array(
            "preamble\r\n--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--x \r\n--x y  \r\n"
                .appending("content-disposition: FORM-DATA; filename=\"a \\\"b\\\"; c\"; name=b\r\nX: y\r\n\r\n")
                .appending("1\r\n--x y\r\nContent-Disposition: form-data; name=c\r\n\r\n\r\n--x y--\r\nrest").utf8)
        var generator = SeededGenerator(seed: 4)
        for round in 0..<200 {
            var reader = try MultipartReader(contentType: "multipart/form-data; boundary=\"x y\"")
            var parts: [String] = []
            var rest = body[...]
            while !rest.isEmpty {
                let piece = rest.prefix(round == 0 ? body.count : Int.random(in: 1...(1 + round / 4), using: &generator))
                rest = rest.dropFirst(piece.count)
                for event in try reader.read(piece) {
                    switch event {
                    case .part(let name, let file): parts.append("\(name) \(file ?? "-"): ")
                    case .content(let bytes): parts[parts.count - 1] += String(decoding: bytes, as: UTF8.self)
                    case .end: parts[parts.count - 1] += "."
                    }
                }
            }
            try reader.finish()
            #expect(parts == ["a -: \r\n--x .", "b a \"b\"; c: 1.", "c -: ."])
        }
        for type in ["application/json", "multipart/form-data", "multipart/form-data; boundary="] {
            #expect(throws: MultipartReader.Failure.self) { try MultipartReader(contentType: type) }
        }
        var short = try MultipartReader(contentType: "multipart/form-data; boundary=x")
        _ = try short.read("--x\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf".utf8)
        #expect(throws: MultipartReader.Failure.self) { try short.finish() }
    }
}
