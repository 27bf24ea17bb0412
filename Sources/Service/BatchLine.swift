// SPDX-License-Identifier: Apache-2.0

import Documents
import Jobs

/// A line of a batch's input: a request with an id of the client's.
///
/// The form is that of OpenAI's Batch interface:
/// `{"custom_id": "…", "method": "POST", "url": "/v1/chat/completions", "body": {…}}`.
struct BatchLine: Sendable {
    /// Nil where the input cannot be read any more.
    var customID: String?
    var body: JSONValue

    /// The routes that lines may ask for.
    static let endpoints = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/transform"]

    /// What is wrong with a line, by OpenAI's codes where it has one.
    struct Fault: Error {
        var code: String
        var message: String
    }

    /// Reads a line.
    static func read(_ bytes: [UInt8], endpoint: String) throws(Fault) -> BatchLine {
        let value: JSONValue
        do {
            value = try JSONReader.read(bytes, file: nil).root.value
        } catch {
            let first = error.diagnostics.first
            let column = first?.range.map { " at column \($0.start.column)" } ?? ""
            throw Fault(code: "invalid_json_line", message: "the line is not JSON\(column): \(first?.message ?? "")")
        }
        guard let object = value.objectValue else {
            throw Fault(code: "invalid_request", message: "the line is not a JSON object")
        }
        for (name, _) in object where !["custom_id", "method", "url", "body"].contains(name) {
            throw Fault(code: "unknown_parameter", message: "the member '\(name)' is not known")
        }
        guard let id = object["custom_id"]?.stringValue, !id.isEmpty, id.utf8.count <= 512 else {
            throw Fault(code: "missing_required_parameter", message: "'custom_id' must be a text of 1 to 512 bytes")
        }
        guard object["method"]?.stringValue == "POST" else {
            throw Fault(code: "invalid_method", message: "'method' must be POST")
        }
        guard object["url"]?.stringValue == endpoint else {
            throw Fault(code: "mismatched_url", message: "'url' must be the batch's endpoint, \(endpoint)")
        }
        guard let body = object["body"], let members = body.objectValue else {
            throw Fault(code: "missing_required_parameter", message: "'body' must be an object")
        }
        if let streams = members["stream"], streams != false, !streams.isNull {
            throw Fault(code: "invalid_request", message: "lines of a batch cannot be streamed")
        }
        return BatchLine(customID: id, body: body)
    }

    /// A line of the results: the answer or refusal of a request.
    func result(number: Int, batch: String, status: Int, body: JSONValue) -> LineResult {
        let value: JSONValue = [
            "id": .string("batch_req_" + String(batch.dropFirst(6)) + "_\(number)"), "custom_id": customID.map { .string($0) } ?? nil,
            "response": [
                "status_code": .number(DecimalNumber(status)), "request_id": .string(OpenAIAnswer.token()), "body": body,
            ],
            "error": nil,
        ]
        return LineResult(
            number: number, hasFailed: status != 200, text: JSONWriter(style: .compact).write(value))
    }

    /// A line of the results for a request that was never made.
    func unanswered(number: Int, batch: String, ending: Batch.Status) -> String {
        let (code, reason) =
            switch ending {
            case .expired: ("batch_expired", "the batch's completion window ended before this request was made")
            case .failed: ("batch_failed", "the batch's input could not be read before this request was made")
            default: ("batch_cancelled", "the batch was cancelled before this request was made")
            }
        return JSONWriter(style: .compact).write([
            "id": .string("batch_req_" + String(batch.dropFirst(6)) + "_\(number)"),
            "custom_id": customID.map { .string($0) } ?? nil, "response": nil,
            "error": ["code": .string(code), "message": .string(reason)],
        ])
    }
}

/// The requests of a batch's input, in order; numbers count from 1 without blank lines.
final class BatchInput {
    private let lines: LineStream
    private let endpoint: String
    /// The number of the last line.
    private(set) var number = 0

    init(path: String, endpoint: String) throws {
        lines = try LineStream(path: path)
        self.endpoint = endpoint
    }

    /// The next line as bytes.
    func next() throws -> LineStream.Line? {
        guard let line = try lines.next() else { return nil }
        number += 1
        return line
    }

    /// The line with a number that is not below those asked for before.
    func line(_ wanted: Int) throws -> BatchLine? {
        while let line = try next() {
            if number == wanted { return try BatchLine.read(line.bytes, endpoint: endpoint) }
        }
        return nil
    }

    static let lineLimit = 200_000
    private static let problemLimit = 100

    /// Reads the whole input, and tells how many lines it has and what is wrong with them.
    static func check(path: String, endpoint: String) throws -> (total: Int, problems: [Batch.Problem]) {
        let input = try BatchInput(path: path, endpoint: endpoint)
        var problems: [Batch.Problem] = []
        var ids: Set<String> = []
        while let line = try input.next() {
            guard input.number <= lineLimit else {
                return (0, [.init(code: "too_many_lines", message: "a batch has at most \(lineLimit) lines", line: nil)])
            }
            do {
                let request = try BatchLine.read(line.bytes, endpoint: endpoint)
                let id = request.customID ?? ""
                if !ids.insert(id).inserted {
                    throw BatchLine.Fault(
                        code: "duplicate_custom_id", message: "'\(id)' is the id of an earlier line, too")
                }
            } catch {
                let fault = error as? BatchLine.Fault
                problems.append(
                    .init(code: fault?.code ?? "invalid_line", message: fault?.message ?? "\(error)", line: line.number))
                if problems.count >= problemLimit { break }
            }
        }
        if input.number == 0 { problems.append(.init(code: "empty_file", message: "the file has no lines", line: nil)) }
        return (input.number, problems)
    }
}
