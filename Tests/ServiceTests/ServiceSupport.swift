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
