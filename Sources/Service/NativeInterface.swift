// SPDX-License-Identifier: Apache-2.0

import Documents
import Generation
import JSONSchemas
import Tokenizers

/// A request of `/v1/transform`.
struct TransformRequest: Sendable {
    var model: String?
    var job: GenerationJob
    var streams: Bool

    /// Reads the body: `text`, and `schema` (a JSON Schema) or `spec` (a JSON Schema or short spec as text).
    static func read(_ bytes: [UInt8]) throws -> TransformRequest {
        var fields = try RequestFields.read(bytes)
        let text = try fields.requiredString("text")
        var job = GenerationJob()
        let spec = try NativeFields.spec(&fields)
        job.form = .document(spec.loaded, key: spec.key)
        job.formParameter = spec.parameter
        job.source = text
        var instruction = try fields.string("instruction") ?? spec.loaded.instruction ?? "Turn the text into JSON."
        if spec.loaded.instruction == nil, let summary = spec.loaded.summary { instruction += " " + summary }
        job.messages.append(ChatMessage(role: "system", content: instruction))
        job.messages[0].content +=
            "\nAnswer with one JSON value that fits this JSON schema:\n"
            + SchemaRendering.compact(spec.loaded.schema.root)
        let writer = JSONWriter(style: .spaced)
        for example in spec.loaded.examples {
            job.messages.append(ChatMessage(role: "user", content: example.input))
            job.messages.append(ChatMessage(role: "assistant", content: writer.write(example.output)))
        }
        job.messages.append(ChatMessage(role: "user", content: text))
        job.maxTokens = try fields.int("max_tokens", 1...1 << 24)
        job.sampling.temperature = try fields.float("temperature", 0...2) ?? 0
        job.sampling.topP = try fields.float("top_p", 0.000_001...1) ?? 1
        job.sampling.topK = try fields.int("top_k", 0...1 << 24) ?? 0
        job.sampling.minP = try fields.float("min_p", 0...1) ?? 0
        job.sampling.seed = try fields.int("seed", Int.min...Int.max).map { UInt64(bitPattern: Int64($0)) }
        job.tellsTokens = try fields.bool("tokens") ?? false
        let request = TransformRequest(
            model: try fields.string("model"), job: job, streams: try fields.bool("stream") ?? false)
        guard request.streams || !job.tellsTokens else {
            throw ServiceFault.invalid(
                "tokens", "'tokens' are events of a stream: set 'stream' to true", code: "unsupported_parameter")
        }
        try fields.finish()
        return request
    }

    /// The response, or the last event of a stream.
    static func value(_ answer: GenerationAnswer, model: String) -> JSONValue {
        let statistics = answer.statistics
        func milliseconds(_ seconds: Double) -> JSONValue {
            .number(DecimalNumber((seconds * 100_000).rounded() / 100) ?? .zero)
        }
        return [
            "value": answer.value ?? .null, "text": .string(answer.text),
            "report": [
                "model": .string(model), "finish_reason": .string(answer.finishReason.rawValue), "valid": true,
                "tokens": [
                    "prompt": .number(DecimalNumber(statistics.promptTokens)),
                    "prompt_cached": .number(DecimalNumber(statistics.cachedPromptTokens)),
                    "output": .number(DecimalNumber(statistics.outputTokens)),
                    "forced": .number(DecimalNumber(statistics.forcedTokens)),
                ],
                "milliseconds": [
                    "wait": milliseconds(answer.waitSeconds), "compile": milliseconds(answer.compileSeconds),
                    "prefill": milliseconds(statistics.prefillSeconds), "decode": milliseconds(statistics.decodeSeconds),
                    "constraint": milliseconds(statistics.constraintSeconds),
                    "total": milliseconds(statistics.totalSeconds),
                ],
            ],
        ]
    }

    /// A token and how it came, as the data of a server-sent event.
    static func value(_ token: GeneratedToken) -> JSONValue {
        var value: JSONObject = ["text": .string(token.text)]
        switch token.origin {
        case .forced: value.append(key: "origin", value: "forced")
        case .closing: value.append(key: "origin", value: "closing")
        case .chosen(let allowed):
            value.append(key: "origin", value: "chosen")
            value.append(key: "allowed", value: .number(DecimalNumber(allowed)))
        case .value(let texts):
            value.append(key: "origin", value: "value")
            value.append(key: "allowed", value: .number(DecimalNumber(texts)))
        }
        value.append(
            key: "milliseconds", value: .number(DecimalNumber((token.seconds * 100_000).rounded() / 100) ?? .zero))
        return .object(value)
    }

    /// An event of a value that grows, as the data of a server-sent event.
    static func value(_ event: JSONEvent) -> JSONValue {
        switch event.kind {
        case .start(let kind): ["type": "start", "pointer": .string(event.pointer.description), "kind": .string("\(kind)")]
        case .delta(let text): ["type": "delta", "pointer": .string(event.pointer.description), "text": .string(text)]
        case .end(let value): ["type": "end", "pointer": .string(event.pointer.description), "value": value]
        }
    }
}

/// What the native routes share.
enum NativeFields {
    /// The schema of a request.
    static func spec(
        _ fields: inout RequestFields
    ) throws -> (loaded: LoadedSpec, key: String, parameter: String) {
        let schema = fields.value("schema")
        let spec = try fields.string("spec")
        if schema == nil, spec == nil, let name = try fields.string("schema_name") {
            let (loaded, text) = try SchemaScope.find(name, parameter: "schema_name")
            return (loaded, text, "schema_name")
        }
        try fields.refuse("schema_name", "there is a 'schema' or 'spec' already")
        switch (schema, spec) {
        case (let schema?, nil):
            let text = JSONWriter(style: .compact).write(schema)
            return (try load(Array(text.utf8), "schema"), text, "schema")
        case (nil, let spec?):
            return (try load(Array(spec.utf8), "spec"), spec, "spec")
        default:
            throw ServiceFault.invalid(
                "schema",
                "one of 'schema' (a JSON Schema), 'spec' (its text, or a short spec) and 'schema_name' is needed",
                code: "missing_required_parameter")
        }
    }

    private static func load(_ bytes: [UInt8], _ parameter: String) throws -> LoadedSpec {
        do {
            return try SpecLoader.load(bytes)
        } catch {
            throw ServiceFault(error, parameter: parameter)
        }
    }

    private static func format(_ fields: inout RequestFields) throws -> DocumentFormat {
        guard let name = try fields.string("format") else { return .json }
        let known: [DocumentFormat] = [.json, .jsonc, .json5, .yaml, .toml]
        guard let format = known.first(where: { $0.rawValue == name }) else {
            throw ServiceFault.invalid(
                "format",
                "the format '\(name)' is not known; known are "
                    + known.map(\.rawValue).joined(separator: ", "))
        }
        return format
    }

    private static func place(_ range: SourceRange?) -> JSONValue {
        guard let start = range?.start else { return nil }
        return ["line": .number(DecimalNumber(start.line)), "column": .number(DecimalNumber(start.column))]
    }

    static func value(_ diagnostic: Diagnostic) -> JSONValue {
        [
            "id": .string(diagnostic.id.rawValue), "severity": .string(diagnostic.severity.rawValue),
            "message": .string(diagnostic.message), "pointer": diagnostic.path.map { .string($0.description) } ?? nil,
            "place": place(diagnostic.range), "hint": diagnostic.help.map { .string($0) } ?? nil,
        ]
    }

    /// `/v1/validate`: `document` (a value) or `text` in a `format`, and a schema.
    static func validate(_ bytes: [UInt8]) throws -> JSONValue {
        var fields = try RequestFields.read(bytes)
        let spec = try spec(&fields)
        let value = fields.object["document"]
        fields.ignore("document")
        let text = try fields.string("text")
        let format = try format(&fields)
        try fields.finish()
        guard (value == nil) != (text == nil) else {
            throw ServiceFault.invalid(
                "document", "one of 'document' (a value) and 'text' is needed", code: "missing_required_parameter")
        }
        let validator = Validator(spec.loaded.graph, formats: .assert)
        let root: Node
        if let value {
            root = Document(value: value).root
        } else {
            do {
                root = try DocumentReader.read(Array((text ?? "").utf8), format: format).root
            } catch {
                return ["valid": false, "problems": .array(error.diagnostics.map(self.value))]
            }
        }
        let violations = validator.validate(root)
        return ["valid": .bool(violations.isEmpty), "problems": .array(violations.map { self.value($0.diagnostic) })]
    }

    /// `/v1/repair`: `text` in a `format`, and a schema if there is one.
    static func repair(_ bytes: [UInt8]) throws -> JSONValue {
        var fields = try RequestFields.read(bytes)
        let text = try fields.requiredString("text")
        var options = Repairer.Options()
        options.format = try format(&fields)
        var validator: Validator?
        if ["schema", "spec", "schema_name"].contains(where: { fields.object[$0] != nil }) {
            validator = Validator(try spec(&fields).loaded.graph, formats: .assert)
        }
        try fields.finish()
        let repair = Repairer.repair(Array(text.utf8), file: nil, validator: validator, options: options)
        let changes = repair.changes.map { change -> JSONValue in
            [
                "id": .string(change.id.rawValue), "reason": .string(change.message),
                "pointer": change.pointer.map { .string($0.description) } ?? nil, "place": place(change.range),
                "before": .string(change.before), "after": .string(change.after),
            ]
        }
        return [
            "outcome": .string("\(repair.outcome)"), "text": .string(String(decoding: repair.bytes, as: UTF8.self)),
            "changes": .array(changes), "problems": .array(repair.problems.map(value)),
        ]
    }
}
