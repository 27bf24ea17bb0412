// SPDX-License-Identifier: Apache-2.0

import Documents
import Service
import Testing

/// The page at `/`, and what feeds it.
@Suite(.timeLimit(.minutes(3)))
struct PlaygroundTests {
    private let schema = """
        {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", \
        "minimum": 0, "maximum": 99}}, "required": ["name", "age"], "additionalProperties": false}
        """

    @Test func thePageIsServedWithItsPolicy() async throws {
        // The page needs no key; what it calls does.
        try await withService({ $0.keys = [ServiceKey("one")] }) { client in
            let page = try await client.send("GET", "/")
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            let files = page.text.split(separator: "\"").map(String.init).filter { $0.hasPrefix("/playground/") }
            #expect(files.count == 3)
            let modules = ["document", "editor", "samples", "snippets"].map { "/playground/\($0).js" }
            for path in ["/"] + files + modules {
                let file = try await client.send("GET", path)
                #expect(file.status == 200, "\(path)")
                #expect(file.text.utf8.count > 100)
                let policy = file.headers["content-security-policy"] ?? ""
                #expect(policy.contains("default-src 'none'"))
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("unsafe"))
                #expect(file.headers["x-content-type-options"] == "nosniff")
                #expect(file.headers["referrer-policy"] == "no-referrer")
                // Nothing is loaded from elsewhere. What names a notation is not an address to load.
                let text = file.text.replacing("http://www.w3.org/2000/svg", with: "")
                    .replacing("https://json-schema.org/draft/2020-12/schema", with: "")
                #expect(!text.contains("http://") && !text.contains("https://"), "\(path)")
                #expect(!text.contains("style=\"") && !text.contains("innerHTML"), "\(path)")
            }
            #expect(await client.status("GET", "/playground/other.js") == 404)
            #expect(await client.status("GET", "/playground/index.html") == 404)
            #expect(await client.status("GET", "/playground/..%2Fservice") == 404)
            #expect(await client.status("POST", "/v1/check", "{\"spec\": \"fields: {a: string}\"}") == 401)
        }
    }

    @Test(arguments: [0.0, 1.2])
    func tokensMakeUpTheDocument(_ temperature: Double) async throws {
        try await withService { client in
            let rest = "\"schema\": \(schema), \"temperature\": \(temperature), \"seed\": 3, \"stream\": true"
            let plain = try await client.send("POST", "/v1/transform", "{\"text\": \"Ada\", \(rest)}")
            let told = try await client.send("POST", "/v1/transform", "{\"text\": \"Ada\", \(rest), \"tokens\": true}")
            #expect(!plain.text.contains("event: token"))
            let tokens = told.events.filter { $0["origin"] != nil }
            let done = try #require(told.events.last)
            #expect(tokens.compactMap { $0["text"]?.stringValue }.joined() == done["text"]?.stringValue)
            #expect(done["text"] == plain.events.last?["text"], "it is the same document")
            #expect(tokens.count == done["report"]?["tokens"]?["output"]?.intValue)
            let forced = tokens.filter { $0["origin"] == "forced" }
            #expect(forced.count == done["report"]?["tokens"]?["forced"]?.intValue)
            #expect(!forced.isEmpty && forced.count < tokens.count)
            #expect(forced.allSatisfy { $0["allowed"] == nil })
            for token in tokens where token["origin"] == "chosen" { #expect(token["allowed"]?.intValue ?? 0 > 1) }
            let times = tokens.compactMap { $0["milliseconds"]?.numberValue?.doubleValue }
            #expect(times.count == tokens.count && times == times.sorted())
        }
    }

    @Test func aShortBudgetIsSeenInTheTokens() async throws {
        try await withService { client in
            let long = #"{"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 1}"#
            let told = try await client.send(
                "POST", "/v1/transform",
                "{\"text\": \"x\", \"schema\": \(long), \"max_tokens\": 24, \"temperature\": 1.5, \"seed\": 1, "
                    + "\"stream\": true, \"tokens\": true}")
            let tokens = told.events.filter { $0["origin"] != nil }
            let done = try #require(told.events.last)
            #expect(tokens.compactMap { $0["text"]?.stringValue }.joined() == done["text"]?.stringValue)
            #expect(tokens.count <= 24)
            let refused = try await client.send(
                "POST", "/v1/transform", "{\"text\": \"x\", \"schema\": \(long), \"tokens\": true}")
            #expect(refused.status == 400)
            #expect(refused.value["error"]?["param"] == "tokens")
        }
    }

    @Test func specsAreChecked() async throws {
        try await withService { client in
            func check(_ spec: String) async throws -> JSONValue {
                let body = JSONWriter(style: .compact).write(["spec": .string(spec)])
                let answer = try await client.send("POST", "/v1/check", body)
                #expect(answer.status == 200, "\(answer.text)")
                return answer.value
            }
            let good = try await check("name: person\nfields:\n  name: string\n  age: integer?\n")
            #expect(good["valid"] == true)
            #expect(good["form"] == "short")
            #expect(good["schema"]?["required"] == ["name"])
            let unknown = try await check("fields:\n  name: string\n  age: integr\n")
            #expect(unknown["valid"] == false)
            #expect(unknown["problems"]?[0]?["place"]?["line"] == 3, "\(unknown)")
            let notEnforced = try await check("{\n \"properties\": {\n  \"a\": {\"pattern\": \"(x)\\\\1\"}}}")
            #expect(notEnforced["valid"] == false)
            #expect(notEnforced["problems"]?[0]?["pointer"] == "/properties/a/pattern")
            #expect(notEnforced["problems"]?[0]?["place"]?["line"] == 3, "\(notEnforced)")
            #expect(try await check("list of: {quote: string (verbatim)}")["valid"] == true)
            #expect(await client.status("POST", "/v1/check", "{}") == 400)
            #expect(await client.status("POST", "/v1/check", #"{"spec": "a", "schema": {}}"#) == 400)
        }
    }
}
