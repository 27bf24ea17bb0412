// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import Service
import Testing

/// Schemas that are registered once and named in later requests.
@Suite(.timeLimit(.minutes(3)))
struct SchemaTests {
    private let schema = """
        {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}}, "required": ["name"], \
        "additionalProperties": false}
        """
    private let spec = "fields:\n  age: integer 0..99\n"

    private func body(_ object: JSONObject) -> String { JSONWriter(style: .compact).write(.object(object)) }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("schemas-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test func namesHaveVersions() async throws {
        try await withService { client in
            let first = try await client.send("POST", "/v1/schemas", "{\"name\": \"contact\", \"schema\": \(schema)}")
            #expect(first.status == 201, "\(first.text)")
            #expect(first.value["version"] == 1)
            #expect(first.value["object"] == "schema")
            let id = try #require(first.value["id"]?.stringValue)
            #expect(id.hasPrefix("sha256:") && id.utf8.count == 71)
            // The same again changes nothing, however it is spaced.
            let again = try await client.send(
                "POST", "/v1/schemas", "{\"name\": \"contact\", \"schema\": \(schema.replacing(": ", with: ":  "))}")
            #expect(again.status == 200)
            #expect(again.value["version"] == 1)
            #expect(again.value["id"]?.stringValue == id)
            let second = try await client.send(
                "POST", "/v1/schemas", body(["name": "contact", "spec": .string(spec)]))
            #expect(second.status == 201)
            #expect(second.value["version"] == 2)
            // Going back to what was there before is a version of its own.
            let third = try await client.send("POST", "/v1/schemas", "{\"name\": \"contact\", \"schema\": \(schema)}")
            #expect(third.value["version"] == 3)
            #expect(third.value["id"]?.stringValue == id)
            #expect(third.value["names"] == ["contact@1", "contact@3"])
            let unnamed = try await client.send("POST", "/v1/schemas", #"{"schema": {"type": "boolean"}}"#)
            #expect(unnamed.value["name"]?.isNull == true)

            let list = try await client.send("GET", "/v1/schemas")
            #expect(list.value["data"]?.arrayValue?.map { $0["version"] } == [3, 2, 1, .null])
            #expect(try await client.send("GET", "/v1/schemas/contact").value["version"] == 3)
            let old = try await client.send("GET", "/v1/schemas/contact@2").value
            #expect(old["source"]?.stringValue == spec)
            #expect(old["schema"]?["properties"]?["age"]?["maximum"] == 99)
            #expect(await client.status("GET", "/v1/schemas/\(id)") == 200)
            #expect(await client.status("GET", "/v1/schemas/contact%402") == 200)
            for missing in ["contact@9", "other", "sha256:00", "contact@", "..%2F..", "contact@1@2", "contact@x"] {
                #expect(await client.status("GET", "/v1/schemas/\(missing)") == 404, "\(missing)")
                #expect(await client.status("DELETE", "/v1/schemas/\(missing)") == 404, "\(missing)")
            }

            let deleted = try await client.send("DELETE", "/v1/schemas/contact@3")
            #expect(deleted.value["deleted"] == true)
            #expect(try await client.send("GET", "/v1/schemas/contact").value["version"] == 2)
            #expect(await client.status("GET", "/v1/schemas/\(id)") == 200)
            #expect(await client.status("DELETE", "/v1/schemas/contact") == 200)
            #expect(await client.status("GET", "/v1/schemas/\(id)") == 404)
            #expect(try await client.send("GET", "/v1/schemas").value["data"]?.arrayValue?.count == 1)
        }
    }

    @Test func everyRouteTakesNames() async throws {
        try await withService { client in
            let made = try await client.send("POST", "/v1/schemas", "{\"name\": \"contact\", \"schema\": \(schema)}")
            let id = made.value["id"]?.stringValue ?? ""
            let validator = try Validator(SpecLoader.load(Array(schema.utf8)).graph, formats: .assert)
            func isValid(_ text: String?) -> Bool {
                guard let text, let document = try? JSONReader.read(text, file: nil) else { return false }
                return validator.isValid(document.root)
            }
            for name in ["contact", "contact@1", id] {
                let native = try await client.send(
                    "POST", "/v1/transform", body(["text": "Ada", "schema_name": .string(name)]))
                #expect(isValid(native.value["text"]?.stringValue), "\(native.text)")
                let openAI = try await client.send(
                    "POST", "/v1/chat/completions",
                    body([
                        "model": "tiny", "messages": [["role": "user", "content": "Ada"]],
                        "response_format": ["type": "json_schema", "json_schema": ["name": .string(name), "strict": true]],
                    ]))
                #expect(isValid(openAI.value["choices"]?[0]?["message"]?["content"]?.stringValue), "\(openAI.text)")
                let ollama = try await client.send(
                    "POST", "/api/generate",
                    body(["model": "tiny", "prompt": "Ada", "stream": false, "format": .string(name)]))
                #expect(isValid(ollama.value["response"]?.stringValue), "\(ollama.text)")
                let validated = try await client.send(
                    "POST", "/v1/validate", body(["document": ["name": 1], "schema_name": .string(name)]))
                #expect(validated.value["problems"]?[0]?["pointer"] == "/name")
                let repaired = try await client.send(
                    "POST", "/v1/repair", body(["text": "{'name': 'Ada'}", "schema_name": .string(name)]))
                #expect(isValid(repaired.value["text"]?.stringValue))
            }
            // The constraint was compiled once for all of them.
            let metrics = try await client.send("GET", "/metrics").text
            #expect(metrics.contains("formwork_constraint_hits_total 8"), "\(metrics)")

            let missing = try await client.send("POST", "/v1/transform", body(["text": "x", "schema_name": "other"]))
            #expect(missing.status == 400)
            #expect(missing.value["error"]?["code"] == "schema_not_found")
            #expect(missing.value["error"]?["param"] == "schema_name")
            let both = "{\"text\": \"x\", \"schema_name\": \"contact\", \"schema\": \(schema)}"
            #expect(await client.status("POST", "/v1/transform", both) == 400)
            let unnamed = try await client.send(
                "POST", "/v1/chat/completions",
                body([
                    "model": "tiny", "messages": [["role": "user", "content": "Ada"]],
                    "response_format": ["type": "json_schema", "json_schema": ["name": "other"]],
                ]))
            #expect(unnamed.value["error"]?["param"] == "response_format.json_schema.schema")
        }
    }

    @Test func whatCannotBeEnforcedIsNotRegistered() async throws {
        try await withService({ ($0.schemaCount, $0.schemaBytes) = (2, 400) }) { client in
            let wrong = try await client.send(
                "POST", "/v1/schemas", #"{"schema": {"properties": {"a": {"pattern": "(x)\\1"}}}}"#)
            #expect(wrong.status == 400)
            #expect(wrong.value["error"]?["pointer"] == "/properties/a/pattern")
            #expect(await client.status("POST", "/v1/schemas", #"{"schema": {"$ref": "https://example.org/a"}}"#) == 400)
            #expect(await client.status("POST", "/v1/schemas", #"{"name": "a/b", "schema": {}}"#) == 400)
            #expect(await client.status("POST", "/v1/schemas", #"{"name": "a"}"#) == 400)
            #expect(await client.status("POST", "/v1/schemas", #"{"schema": {}, "spec": "type: string"}"#) == 400)
            // Bounds of number and size.
            #expect(await client.status("POST", "/v1/schemas", #"{"name": "a", "schema": {"type": "null"}}"#) == 201)
            let long = body(["spec": .string("type: string\ndescription: " + String(repeating: "x", count: 400))])
            let full = try await client.send("POST", "/v1/schemas", long)
            #expect(full.status == 507)
            #expect(full.value["error"]?["code"] == "schemas.full")
            #expect(await client.status("POST", "/v1/schemas", #"{"name": "b", "schema": {"type": "string"}}"#) == 201)
            #expect(await client.status("POST", "/v1/schemas", #"{"name": "c", "schema": {"type": "integer"}}"#) == 507)
            #expect(await client.status("DELETE", "/v1/schemas/a") == 200)
            #expect(await client.status("POST", "/v1/schemas", #"{"name": "c", "schema": {"type": "integer"}}"#) == 201)
        }
    }

    @Test func keysDoNotSeeEachOther() async throws {
        try await withService({ $0.keys = [ServiceKey("one"), ServiceKey("two")] }) { client in
            let (one, two) = (["Authorization": "Bearer one"], ["Authorization": "Bearer two"])
            let body = #"{"name": "a", "schema": {"type": "null"}}"#
            #expect(await client.status("POST", "/v1/schemas", body, headers: one) == 201)
            #expect(await client.status("GET", "/v1/schemas/a", headers: one) == 200)
            #expect(await client.status("GET", "/v1/schemas/a", headers: two) == 404)
            let use = #"{"text": "x", "schema_name": "a"}"#
            #expect(await client.status("POST", "/v1/transform", use, headers: one) == 200)
            #expect(await client.status("POST", "/v1/transform", use, headers: two) == 400)
            #expect(await client.status("DELETE", "/v1/schemas/a", headers: two) == 404)
            let seen = try await client.send("GET", "/v1/schemas", headers: two).value
            #expect(seen["data"]?.arrayValue?.isEmpty == true)
        }
    }

    @Test func linesOfBatchesNameThem() async throws {
        try await withFolder { folder in
            try await withService({ ($0.stateFolder, $0.keys) = (folder.path, [ServiceKey("one")]) }) { client in
                let key = ["Authorization": "Bearer one"]
                let made = try await client.send(
                    "POST", "/v1/schemas", #"{"name": "a", "schema": {"const": 7}}"#, headers: key)
                #expect(made.status == 201)
                let lines = ["a", "b"].map {
                    #"{"custom_id": "\#($0)", "method": "POST", "url": "/v1/transform", "#
                        + #""body": {"text": "x", "schema_name": "\#($0)"}}"#
                }
                let file = try await client.upload(lines.joined(separator: "\n"), headers: key)
                let batch = try await client.send(
                    "POST", "/v1/batches",
                    body([
                        "input_file_id": file.value["id"] ?? .null, "endpoint": "/v1/transform",
                        "completion_window": "1h",
                    ]), headers: key)
                let path = "/v1/batches/" + (batch.value["id"]?.stringValue ?? "")
                var state = batch.value
                while ["validating", "in_progress", "finalizing"].contains(state["status"]?.stringValue) {
                    try await Task.sleep(for: .milliseconds(30))
                    state = try await client.send("GET", path, headers: key).value
                }
                #expect(state["request_counts"] == ["total": 2, "completed": 1, "failed": 1], "\(state)")
            }
        }
    }

    @Test func aRestartKeepsThem() async throws {
        try await withFolder { folder in
            let schema = schema
            try await withService({ $0.stateFolder = folder.path }) { client in
                #expect(await client.status("POST", "/v1/schemas", "{\"name\": \"a\", \"schema\": \(schema)}") == 201)
                #expect(await client.status("POST", "/v1/schemas", #"{"name": "b", "schema": {"type": "null"}}"#) == 201)
                #expect(await client.status("POST", "/v1/schemas", #"{"name": "a", "schema": {"type": "null"}}"#) == 201)
                #expect(await client.status("POST", "/v1/schemas", #"{"name": "c", "schema": {"const": 1}}"#) == 201)
                #expect(await client.status("POST", "/v1/schemas", #"{"name": "d", "schema": {"const": 2}}"#) == 201)
                #expect(await client.status("DELETE", "/v1/schemas/b") == 200)
                #expect(await client.status("DELETE", "/v1/schemas/d") == 200)
            }
            // A file that was damaged, and one that a crash left half written, do no harm to the others.
            let place = folder.appendingPathComponent("schemas/shared")
            let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
            #expect(names.count == 3, "\(names)")
            for name in names {
                let file = place.appendingPathComponent(name)
                let text = try String(contentsOf: file, encoding: .utf8)
                if text.contains("const") {
                    try text.replacing("1", with: "3").write(to: file, atomically: true, encoding: .utf8)
                }
            }
            try "{".write(to: place.appendingPathComponent("half.new"), atomically: true, encoding: .utf8)
            try await withService({ $0.stateFolder = folder.path }) { client in
                let list = try await client.send("GET", "/v1/schemas").value["data"]?.arrayValue ?? []
                #expect(list.map { $0["name"] } == ["a", "a"])
                #expect(list.map { $0["version"] } == [2, 1])
                let answer = try await client.send("POST", "/v1/transform", #"{"text": "x", "schema_name": "a"}"#)
                #expect(answer.value["text"] == "null")
                #expect(await client.status("POST", "/v1/transform", #"{"text": "x", "schema_name": "a@1"}"#) == 200)
                #expect(await client.status("POST", "/v1/transform", #"{"text": "x", "schema_name": "c"}"#) == 400)
            }
            #expect(!FileManager.default.fileExists(atPath: place.appendingPathComponent("half.new").path))
        }
    }
}

/// How much a key may ask for.
@Suite(.timeLimit(.minutes(3)))
struct RequestLimitsTests {
    @Test func requestsComeBackWithTime() {
        let limits = RequestLimits(perMinute: 30, concurrent: nil)
        let start = ContinuousClock.now
        for _ in 0..<30 { #expect(limits.admit("a", now: start) == nil) }
        let wait = limits.admit("a", now: start)
        #expect(wait.map { abs($0 - 2) < 0.001 } == true)
        #expect(limits.admit("b", now: start) == nil)
        #expect(limits.admit("a", now: start + .seconds(1)) != nil)
        #expect(limits.admit("a", now: start + .seconds(2)) == nil)
        #expect(limits.admit("a", now: start + .seconds(2)) != nil)
        // A long pause gives a minute's worth, not more.
        let later = start + .seconds(4000)
        for _ in 0..<30 { #expect(limits.admit("a", now: later) == nil) }
        #expect(limits.admit("a", now: later) != nil)
        #expect(RequestLimits(perMinute: nil, concurrent: nil).admit("a", now: start) == nil)
    }

    @Test func placesAreGivenBack() {
        let limits = RequestLimits(perMinute: nil, concurrent: 2)
        var first = limits.begin("a")
        let second = limits.begin("a")
        #expect(first != nil && second != nil)
        #expect(limits.begin("a") == nil)
        #expect(limits.begin("b") != nil)
        first = nil
        withExtendedLifetime(second) {
            let third = limits.begin("a")
            #expect(third != nil)
            withExtendedLifetime(third) { #expect(limits.begin("a") == nil) }
        }
    }

    @Test func tooManyAMinuteAreTold() async throws {
        try await withService({ ($0.requestsPerMinute, $0.keys) = (3, [ServiceKey("one"), ServiceKey("two")]) }) { client in
            let (one, two) = (["Authorization": "Bearer one"], ["Authorization": "Bearer two"])
            let body = #"{"spec": "type: string"}"#
            for _ in 0..<3 { #expect(await client.status("POST", "/v1/check", body, headers: one) == 200) }
            let refused = try await client.send("POST", "/v1/check", body, headers: one)
            #expect(refused.status == 429)
            #expect(refused.value["error"]?["code"] == "server.rate-limit")
            #expect(refused.value["error"]?["type"] == "rate_limit_error")
            #expect(refused.headers["retry-after"].flatMap { Int($0) }.map { (1...20).contains($0) } == true)
            #expect(await client.status("POST", "/v1/check", body, headers: two) == 200)
            #expect(await client.status("GET", "/v1/models", headers: one) == 200)
        }
    }

    @Test func tooManyAtOnceAreTold() async throws {
        try await withService({ $0.concurrentRequests = 1 }) { client in
            // Long for certain: each takes more than a thousand steps.
            let long = #"{"text": "x", "schema": {"type": "string", "minLength": 1200}, "max_tokens": 1500}"#
            let answers = try await withThrowingTaskGroup(of: ServiceClient.Answer.self) { group in
                for _ in 0..<4 { group.addTask { try await client.send("POST", "/v1/transform", long) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.contains { $0.status == 200 })
            let refused = try #require(answers.first { $0.status == 429 })
            #expect(refused.value["error"]?["code"] == "server.concurrency")
            #expect(refused.headers["retry-after"] == "1")
            // The place is free again, after answers, streams and refusals.
            let short = #"{"text": "x", "schema": {"type": "boolean"}}"#
            for _ in 0..<3 {
                #expect(await client.status("POST", "/v1/transform", short) == 200)
                #expect(await client.status("POST", "/v1/transform", String(short.dropLast()) + #", "stream": true}"#) == 200)
                #expect(await client.status("POST", "/v1/transform", "{}") == 400)
            }
        }
    }
}
