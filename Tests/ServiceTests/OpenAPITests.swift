// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Service
import Testing

/// The document at `/openapi.json` says what is served.
struct OpenAPITests {
    private var paths: JSONObject { OpenAPIDocument.value["paths"]?.objectValue ?? [:] }

    /// Routes for browsers are no part of the interface.
    private let pages: Set<String> = ["get /", "get /playground/{file}"]

    @Test func everyRouteIsDescribedAndNoOther() {
        var described: [String] = []
        for (path, item) in paths {
            for (method, _) in item.objectValue ?? [:] where method != "parameters" { described.append("\(method) \(path)") }
        }
        let served = FormworkService(ServiceConfiguration(models: [])).routes.filter { !pages.contains($0) }
        #expect(described.sorted() == served)
        #expect(described.count > 30)
    }

    @Test func referencesLeadSomewhereAndSchemasAreSchemas() throws {
        let document = OpenAPIDocument.value
        var references = 0
        func look(_ value: JSONValue) {
            if let target = value["$ref"]?.stringValue {
                references += 1
                let found = target.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
                #expect(found != nil, "\(target)")
            }
            for (_, child) in value.objectValue ?? [:] { look(child) }
            for child in value.arrayValue ?? [] { look(child) }
        }
        look(document)
        #expect(references > 100)
        let components = document["components"] ?? .null
        for (name, _) in components["schemas"]?.objectValue ?? [:] {
            let schema: JSONValue = ["$ref": .string("#/components/schemas/" + name), "components": components]
            let text = JSONWriter(style: .compact).write(schema)
            #expect(throws: Never.self, "\(name)") { try SpecLoader.load(Array(text.utf8)) }
        }
    }

    @Test func answersAreAsDescribed() async throws {
        let components = OpenAPIDocument.value["components"] ?? .null
        @Sendable func check(_ name: String, _ answer: ServiceClient.Answer) throws {
            let schema: JSONValue = ["$ref": .string("#/components/schemas/" + name), "components": components]
            let spec = try SpecLoader.load(Array(JSONWriter(style: .compact).write(schema).utf8))
            let violations = Validator(spec.graph, formats: .assert).validate(Document(value: answer.value).root)
            #expect(violations.isEmpty, "\(name): \(violations.map(\.diagnostic.message)) in \(answer.text)")
        }
        try await withService { client in
            let schema = #"{"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}"#
            try check(
                "Transformation", await client.send("POST", "/v1/transform", #"{"text": "x", "schema": \#(schema)}"#))
            try check(
                "Completion",
                await client.send(
                    "POST", "/v1/chat/completions", #"{"model": "tiny", "messages": [{"role": "user", "content": "x"}]}"#))
            try check("Completion", await client.send("POST", "/v1/completions", #"{"model": "tiny", "prompt": "x"}"#))
            try check("Response", await client.send("POST", "/v1/responses", #"{"model": "tiny", "input": "x"}"#))
            try check(
                "OllamaAnswer",
                await client.send("POST", "/api/generate", #"{"model": "tiny", "prompt": "x", "stream": false}"#))
            try check("OllamaModels", await client.send("GET", "/api/tags"))
            try check("SchemaVerdict", await client.send("POST", "/v1/check", #"{"schema": \#(schema)}"#))
            let registered = #"{"name": "a", "schema": \#(schema)}"#
            try check("RegisteredSchema", await client.send("POST", "/v1/schemas", registered))
            try check("RegisteredSchema", await client.send("GET", "/v1/schemas/a@1"))
            try check("SchemaVerdict", await client.send("POST", "/v1/check", #"{"spec": "fields: {a: strng}"}"#))
            try check("Error", await client.send("POST", "/v1/transform", #"{"text": 1}"#))
            try check("Error", await client.send("GET", "/v1/nothing"))
            try check("OllamaError", await client.send("POST", "/api/chat", "{}"))
            let served = try await client.send("GET", "/openapi.json").value
            #expect(served["paths"] == OpenAPIDocument.value["paths"])
            #expect(served["components"]?["schemas"]?["ModelName"] == ["enum": ["tiny", "tiny:latest"]])
        }
    }
}
