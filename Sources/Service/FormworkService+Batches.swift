// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import NIOCore

/// Files and batches, as in OpenAI's interface.
extension FormworkService {
    static func openStore(_ configuration: ServiceConfiguration, _ logger: Logger) -> Result<BatchStore, JobError> {
        guard let folder = configuration.stateFolder else {
            return .failure(JobError(.unavailable, "the service was begun without a folder for files and batches"))
        }
        do {
            let store = try BatchStore(folder: folder, byteLimit: configuration.fileBytes)
            if let path = store.putAside {
                logger.error("the database of batches was damaged; it was put aside", metadata: ["path": "\(path)"])
            }
            return .success(store)
        } catch {
            let failure = JobError(error, "files and batches cannot be stored")
            logger.error("files and batches cannot be stored", metadata: ["error": "\(failure.message)"])
            return .failure(failure)
        }
    }

    /// What works on the batches of a store.
    func makeRunner(_ store: BatchStore) -> BatchRunner {
        // Places that batches never take, so that a request that comes in is begun at once.
        let places = max(1, configuration.slots - max(1, configuration.slots / 4))
        let slots = configuration.slots
        return BatchRunner(
            store: store, places: places, logger: logger,
            isBusy: { [host] in await host.loads.contains { $0.load >= slots } },
            work: { endpoint, body, owner in
                do {
                    // A line names the schemas of the key that made its batch.
                    return try await SchemaScope.$current.withValue(SchemaScope(store: schemaStore, owner: owner)) {
                        (200, try await answer(endpoint, body))
                    }
                } catch {
                    metrics.refused(ServiceFault(error))
                    throw error
                }
            })
    }

    /// Answers the line of a batch as its route would.
    private func answer(_ endpoint: String, _ body: JSONValue) async throws -> JSONValue {
        let bytes = Array(JSONWriter(style: .compact).write(body).utf8)
        let deadline = ContinuousClock.now + .seconds(configuration.deadline)
        switch endpoint {
        case "/v1/chat/completions":
            return try await whole(try OpenAIRequest.chat(bytes), isChat: true, deadline: deadline)
        case "/v1/completions":
            return try await whole(try OpenAIRequest.completion(bytes), isChat: false, deadline: deadline)
        case "/v1/responses":
            let (request, echo) = try OpenAIRequest.response(bytes)
            return try await whole(request, echo, deadline: deadline)
        case "/v1/transform":
            return try await whole(try TransformRequest.read(bytes), deadline: deadline)
        default:
            throw ServiceFault(.notFound, "unknown_url", "there is no '\(endpoint)'", kind: .notFound)
        }
    }

    /// What keeps parts of the service from working.
    func problems() async -> [String] {
        switch batches {
        case .failure(let error): return configuration.stateFolder == nil ? [] : [error.message]
        case .success(let store):
            var problems: [String] = []
            if let path = store.putAside {
                let name = URL(fileURLWithPath: path).lastPathComponent
                problems.append("the database of batches was damaged and put aside as '\(name)'")
            }
            if let trouble = await runner?.trouble { problems.append(trouble) }
            return problems
        }
    }

    // MARK: Files

    /// The routes of files.
    func files(_ router: Router<BasicRequestContext>) {
        route(router, .post, "/v1/files", .openAI, uploads: true) { call in .json(Self.value(try await upload(call))) }
        route(router, .get, "/v1/files", .openAI) { call in
            let (limit, after) = try Self.page(call)
            let found = try batches.get().files(
                owner: call.owner, purpose: call.query["purpose"], after: after, limit: limit + 1)
            return .json(Self.list(found.map { ($0.id, Self.value($0)) }, limit))
        }
        route(router, .get, "/v1/files/:file", .openAI) { call in
            .json(Self.value(try batches.get().file(call.parameters["file"] ?? "", owner: call.owner)))
        }
        route(router, .delete, "/v1/files/:file", .openAI) { call in
            let id = call.parameters["file"] ?? ""
            try batches.get().removeFile(id, owner: call.owner)
            return .json(["id": .string(id), "object": "file", "deleted": true])
        }
        route(router, .get, "/v1/files/:file/content", .openAI) { call in
            let store = try batches.get()
            let file = try store.file(call.parameters["file"] ?? "", owner: call.owner)
            guard let handle = FileHandle(forReadingAtPath: store.path(of: file)) else {
                throw JobError(.unavailable, "the content of the file '\(file.id)' cannot be read")
            }
            return Reply(type: "application/octet-stream") { writer in
                defer { try? handle.close() }
                while let piece = try handle.read(upToCount: 1 << 16), !piece.isEmpty {
                    try await writer.write(ByteBuffer(bytes: piece))
                }
            }
        }
    }

    /// Stores the file of a form with `purpose` and `file`.
    private func upload(_ call: Call) async throws -> StoredFile {
        let store = try batches.get()
        let seconds = configuration.deadline
        return try await withThrowingTaskGroup(of: StoredFile.self) { group in
            group.addTask { try await receive(call, store) }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw ServiceFault(
                    .requestTimeout, "server.slow-body", "the body did not arrive within \(Int(seconds)) s")
            }
            defer { group.cancelAll() }
            guard let file = try await group.next() else { throw CancellationError() }
            return file
        }
    }

    private func receive(_ call: Call, _ store: BatchStore) async throws -> StoredFile {
        guard let body = call.upload else { throw CancellationError() }
        var reader = try MultipartReader(contentType: call.contentType)
        var fields: [String: [UInt8]] = [:]
        var current = ""
        var upload: BatchStore.Upload?
        var name = ""
        func take(_ event: MultipartReader.Event) throws {
            switch event {
            case .part(let part, let file):
                current = part
                guard part == "file" else { return }
                guard upload == nil else { throw ServiceFault.invalid("file", "there is more than one 'file'") }
                upload = try store.beginFile()
                name = file ?? "file.jsonl"
            case .content(let bytes):
                if current == "file" {
                    try upload?.write(bytes)
                    guard upload?.count ?? 0 <= configuration.maximumFile else {
                        throw ServiceFault(
                            .contentTooLarge, "server.body-too-large",
                            "the file is longer than \(configuration.maximumFile) bytes", parameter: "file")
                    }
                } else {
                    fields[current, default: []] += bytes
                    guard fields[current]?.count ?? 0 <= 4096 else {
                        throw ServiceFault.invalid(String(current.prefix(64)), "the field is too long")
                    }
                }
            case .end: break
            }
        }
        for try await piece in body {
            for event in try reader.read(piece.readableBytesView) { try take(event) }
        }
        try reader.finish()
        let purpose = fields.removeValue(forKey: "purpose").map { String(decoding: $0, as: UTF8.self) }
        guard purpose == "batch" else {
            throw ServiceFault.invalid(
                "purpose", purpose == nil ? "'purpose' is missing" : "the purpose must be 'batch'",
                code: purpose == nil ? "missing_required_parameter" : "invalid_value")
        }
        if let other = fields.keys.min() {
            throw ServiceFault.invalid(
                String(other.prefix(64)), "the parameter '\(other.prefix(64))' is not known", code: "unknown_parameter")
        }
        guard let upload else {
            throw ServiceFault.invalid("file", "'file' is missing", code: "missing_required_parameter")
        }
        // Only what a file may be called, without the folders of the client's machine.
        let plain = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? "file.jsonl"
        return try store.finish(upload, owner: call.owner, name: String(plain.prefix(255)), purpose: "batch")
    }

    private static func value(_ file: StoredFile) -> JSONValue {
        [
            "id": .string(file.id), "object": "file", "bytes": number(file.bytes), "created_at": number(file.created),
            "filename": .string(file.name), "purpose": .string(file.purpose), "status": "processed",
            "status_details": nil, "expires_at": nil,
        ]
    }

    // MARK: Batches

    /// The routes of batches.
    func batches(_ router: Router<BasicRequestContext>) {
        route(router, .post, "/v1/batches", .openAI) { call in
            let request = try BatchRequest.read(call.body)
            let batch = try batches.get().createBatch(
                owner: call.owner, endpoint: request.endpoint, inputFile: request.inputFile, window: request.window,
                metadata: request.metadata)
            runner?.wake()
            return .json(Self.value(batch))
        }
        route(router, .get, "/v1/batches", .openAI) { call in
            let (limit, after) = try Self.page(call)
            let found = try batches.get().batches(owner: call.owner, after: after, limit: limit + 1)
            return .json(Self.list(found.map { ($0.id, Self.value($0)) }, limit))
        }
        route(router, .get, "/v1/batches/:batch", .openAI) { call in
            .json(Self.value(try batches.get().batch(call.parameters["batch"] ?? "", owner: call.owner)))
        }
        route(router, .post, "/v1/batches/:batch/cancel", .openAI) { call in
            let batch = try batches.get().cancel(call.parameters["batch"] ?? "", owner: call.owner)
            runner?.wake()
            return .json(Self.value(batch))
        }
    }

    private static func value(_ batch: Batch) -> JSONValue {
        func ended(_ status: Batch.Status) -> JSONValue { batch.status == status ? number(batch.ended) : nil }
        let problems = batch.problems.map { problem -> JSONValue in
            [
                "code": .string(problem.code), "message": .string(problem.message), "param": nil,
                "line": number(problem.line),
            ]
        }
        let metadata = batch.metadata.flatMap { try? JSONReader.read($0, file: nil).root.value }
        return [
            "id": .string(batch.id), "object": "batch", "endpoint": .string(batch.endpoint),
            "errors": problems.isEmpty ? nil : ["object": "list", "data": .array(problems)],
            "input_file_id": .string(batch.inputFile), "completion_window": .string(batch.window),
            "status": .string(batch.status.rawValue), "output_file_id": batch.outputFile.map { .string($0) } ?? nil,
            "error_file_id": batch.errorFile.map { .string($0) } ?? nil, "created_at": number(batch.created),
            "in_progress_at": number(batch.begun), "expires_at": number(batch.expires),
            "finalizing_at": number(batch.finalizing), "completed_at": ended(.completed), "failed_at": ended(.failed),
            "expired_at": ended(.expired), "cancelling_at": number(batch.cancelling), "cancelled_at": ended(.cancelled),
            "request_counts": [
                "total": number(batch.total), "completed": number(batch.done - batch.failed),
                "failed": number(batch.failed),
            ],
            "metadata": metadata ?? nil,
        ]
    }

    // MARK: Lists

    private static func number(_ value: Int?) -> JSONValue { value.map { .number(DecimalNumber($0)) } ?? nil }

    /// The part of a list that a request asks for.
    private static func page(_ call: Call) throws -> (limit: Int, after: String?) {
        for name in call.query.keys.sorted() where !["limit", "after", "purpose", "order"].contains(name) {
            throw ServiceFault.invalid(
                String(name.prefix(64)), "the parameter '\(name.prefix(64))' is not known", code: "unknown_parameter")
        }
        if let order = call.query["order"], order != "desc" {
            throw ServiceFault.invalid("order", "the newest come first: 'order' can be 'desc' only")
        }
        guard let text = call.query["limit"] else { return (20, call.query["after"]) }
        guard let limit = Int(text), (1...100).contains(limit) else {
            throw ServiceFault.invalid("limit", "'limit' must be an integer from 1 to 100")
        }
        return (limit, call.query["after"])
    }

    private static func list(_ found: [(id: String, value: JSONValue)], _ limit: Int) -> JSONValue {
        let shown = found.prefix(limit)
        return [
            "object": "list", "data": .array(shown.map(\.value)), "first_id": shown.first.map { .string($0.id) } ?? nil,
            "last_id": shown.last.map { .string($0.id) } ?? nil, "has_more": .bool(found.count > limit),
        ]
    }
}

/// A request of `POST /v1/batches`.
private struct BatchRequest {
    var inputFile: String
    var endpoint: String
    var window: (text: String, seconds: Int)
    var metadata: String?

    static func read(_ bytes: [UInt8]) throws -> BatchRequest {
        var fields = try RequestFields.read(bytes)
        let file = try fields.requiredString("input_file_id")
        let endpoint = try fields.requiredString("endpoint")
        guard BatchLine.endpoints.contains(endpoint) else {
            throw ServiceFault.invalid(
                "endpoint", "batches are for " + BatchLine.endpoints.joined(separator: ", "))
        }
        let text = try fields.requiredString("completion_window")
        guard let seconds = seconds(text) else {
            throw ServiceFault.invalid(
                "completion_window", "'completion_window' must be a time from 1s to 30d, such as 24h")
        }
        var metadata: String?
        if let given = fields.value("metadata") {
            guard let members = given.objectValue, members.count <= 16,
                members.allSatisfy({ key, value in
                    key.utf8.count <= 64 && (value.stringValue?.utf8.count ?? .max) <= 512
                })
            else {
                throw ServiceFault.invalid(
                    "metadata", "'metadata' must be an object of at most 16 texts: names up to 64 bytes, texts up to 512")
            }
            metadata = JSONWriter(style: .compact).write(given)
        }
        try fields.refuse("output_expires_after", "files are kept until they are deleted")
        try fields.finish()
        return BatchRequest(inputFile: file, endpoint: endpoint, window: (text, seconds), metadata: metadata)
    }

    /// `90s`, `30m`, `24h`, `7d`.
    private static func seconds(_ text: String) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), text.utf8.count <= 8,
            text.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text.dropLast())
        else { return nil }
        let seconds = number * unit
        return (1...30 * 86_400).contains(seconds) ? seconds : nil
    }
}
