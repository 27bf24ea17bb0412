// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Service
import TestSupport

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A service with a random-weight model, and a client for it.
struct ServiceClient: Sendable {
    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var text: String

        var value: JSONValue { (try? JSONReader.read(text, file: nil).root.value) ?? .null }

        /// The data of server-sent events, or lines of JSON.
        var events: [JSONValue] {
            text.split(separator: "\n").compactMap { line -> JSONValue? in
                let data = line.hasPrefix("data: ") ? String(line.dropFirst(6)) : String(line)
                guard data.hasPrefix("{") else { return nil }
                return try? JSONReader.read(data, file: nil).root.value
            }
        }
    }

    let port: Int

    /// Stores a file for a batch.
    func upload(_ text: String, purpose: String = "batch", headers: [String: String] = [:]) async throws -> Answer {
        let body = [
            "--cut", "Content-Disposition: form-data; name=\"purpose\"", "", purpose, "--cut",
            "Content-Disposition: form-data; name=\"file\"; filename=\"../in.jsonl\"",
            "Content-Type: application/jsonl", "", text, "--cut--", "",
        ].joined(separator: "\r\n")
        let type = ["Content-Type": "multipart/form-data; boundary=cut"]
        return try await send("POST", "/v1/files", body, headers: headers.merging(type) { $1 })
    }

    /// Waits for the end of a batch.
    func ended(_ id: String) async throws -> JSONValue {
        while true {
            let batch = try await send("GET", "/v1/batches/\(id)").value
            if ["completed", "failed", "expired", "cancelled"].contains(batch["status"]?.stringValue) { return batch }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// The lines of a stored file.
    func lines(_ file: JSONValue?) async throws -> [JSONValue] {
        guard let id = file?.stringValue else { return [] }
        return try await send("GET", "/v1/files/\(id)/content").events
    }

    func send(_ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:])
        async throws -> Answer
    {
        guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else { throw URLError(.badURL) }
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        var fields: [String: String] = [:]
        for (name, value) in response.allHeaderFields { fields["\(name)".lowercased()] = "\(value)" }
        return Answer(status: response.statusCode, headers: fields, text: String(decoding: data, as: UTF8.self))
    }
}

/// A bare connection.
final class Connection {
    private let descriptor: Int32

    /// - Throws: `URLError` where it is refused.
    init(port: Int) throws {
        #if canImport(Darwin)
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw URLError(.cannotConnectToHost) }
    }

    deinit { close(descriptor) }
}

extension ServiceClient {
    /// The status of an answer; 0 where there was none.
    func status(_ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:])
        async -> Int
    {
        (try? await send(method, path, body, headers: headers))?.status ?? 0
    }
}

/// Runs a service for the time of `body`.
func withService(
    _ change: (inout ServiceConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (ServiceClient) async throws -> Void
) async throws {
    let file = try TinyModel.text(context: 2048).write()
    defer { try? FileManager.default.removeItem(at: file) }
    var configuration = ServiceConfiguration(models: [.init(name: "tiny", path: file.path)])
    configuration.port = 0
    configuration.defaultTokens = 60
    change(&configuration)
    let service = FormworkService(configuration, logLevel: "error")
    let (ports, found) = AsyncStream<Int>.makeStream()
    let running = Task { try await service.serve { found.yield($0) } }
    defer { running.cancel() }
    guard let port = await ports.first(where: { _ in true }) else { throw URLError(.cannotConnectToHost) }
    try await body(ServiceClient(port: port))
}
