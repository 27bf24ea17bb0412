// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Inference
import ModelFiles
import Service

/// `formwork serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve structured output over HTTP, as OpenAI's and Ollama's clients ask for it.",
        discussion: """
            Listens on the loopback address unless told otherwise. Models are loaded when they are first asked for, the
            first one at once. Ends on SIGINT or SIGTERM once what has begun is answered.

            EXAMPLE
              formwork serve
              formwork serve --model smollm2 --model qwen=models/qwen2.5-0.5b.gguf --port 11434
              curl -s localhost:8177/v1/transform -d '{"text": "Ada, 36", "spec": "fields: {name: string, age: integer}"}'
            """
    )

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A model's name in the store, or a GGUF file, under its own or another name. Repeatable; the first is the default.",
            valueName: "[NAME=]MODEL"))
    var model: [String] = ["smollm2"]

    @Option(name: .long, help: "The address to listen on.")
    var host: String = "127.0.0.1"

    @Option(name: .shortAndLong, help: "The port; 0 takes a free one.")
    var port: Int = 8177

    @Option(name: .shortAndLong, help: "Threads for each model; by default all cores.")
    var threads: Int?

    @Option(name: .long, help: "Tokens of prompt and answer together, at most.")
    var context: Int?

    @Option(name: .long, help: "Answers of a model that are generated at once.")
    var slots: Int = 8

    @Option(name: .long, help: "Megabytes of keys and values of prompts' beginnings that are kept.")
    var cache: Int = 512

    @Option(name: .long, help: "Requests of a model that may wait; more are refused.")
    var queue: Int = 64

    @Option(name: .long, help: "Seconds that a request may take.")
    var deadline: Double = 300

    @Option(name: .long, help: "A file with an API key on each line. FORMWORK_API_KEY holds one more.", completion: .file())
    var keys: String?

    @Option(name: .long, help: "The origin of a web page that may call the service. Repeatable.")
    var allowOrigin: [String] = []

    @Option(name: .long, help: "debug, info, warning or error.")
    var logLevel: String = "info"

    func validate() throws {
        if !(0...65535).contains(port) { throw ValidationError("--port takes 0 to 65535") }
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads takes 1 to 256") }
        if queue < 1 || queue > 1 << 20 { throw ValidationError("--queue takes 1 or more") }
        if !(1...256).contains(slots) { throw ValidationError("--slots takes 1 to 256") }
        if !(0...1 << 20).contains(cache) { throw ValidationError("--cache takes 0 to 1048576") }
        if !(deadline > 0 && deadline <= 86_400) { throw ValidationError("--deadline takes up to 86400 seconds") }
        if let context, context < 16 { throw ValidationError("--context takes 16 or more") }
        if !["debug", "info", "warning", "error"].contains(logLevel) {
            throw ValidationError("--log-level takes debug, info, warning or error")
        }
    }

    func run() async throws {
        let store = ModelStore.standard()
        let models = try model.map { entry -> ServiceConfiguration.Model in
            let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
            let target = parts.last ?? entry
            let path = try store.resolve(target).path
            let stem = URL(fileURLWithPath: target).lastPathComponent
            let plain = stem.lowercased().hasSuffix(".gguf") ? String(stem.dropLast(5)) : stem
            return ServiceConfiguration.Model(name: parts.count == 2 ? parts[0] : plain, path: path)
        }
        // A file that is no model that can be run is told now, not to the first client.
        for model in models {
            do {
                _ = try MemoryEstimate(GGUFFile(path: model.path))
            } catch {
                throw CommandFailure(.unreadable, "cannot serve '\(model.path)': \(error)")
            }
        }
        guard Set(models.map(\.name)).count == models.count else {
            throw CommandFailure(.usage, "two models have the same name; give one another: --model NAME=MODEL")
        }
        var configuration = ServiceConfiguration(models: models)
        configuration.host = host
        configuration.port = port
        configuration.slots = slots
        configuration.cacheBytes = cache << 20
        configuration.queueLength = queue
        configuration.deadline = deadline
        configuration.contextLength = context
        configuration.allowedOrigins = allowOrigin
        configuration.modelOptions = ModelOptions(threads: threads ?? min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 64))
        configuration.keys = try readKeys()
        let isOpen = !["127.0.0.1", "localhost", "::1"].contains(host) && configuration.keys.isEmpty
        if isOpen { Console.message("warning: '\(host)' can be reached from other machines, and no API key is asked for (--keys)") }
        let names = models.map(\.name).joined(separator: ", ")
        let (address, level) = (host, logLevel)
        do {
            try await FormworkService(configuration, logLevel: level).run { port in
                let shown = address.contains(":") ? "[\(address)]" : address
                Console.message("listening on http://\(shown):\(port), serving \(names)")
            }
        } catch let error as ServiceStartError {
            throw CommandFailure(.usage, error.description)
        }
    }

    private func readKeys() throws -> [ServiceKey] {
        var texts: [String] = []
        if let keys {
            guard let text = try? String(contentsOfFile: keys, encoding: .utf8) else {
                throw CommandFailure(.unreadable, "cannot read '\(keys)'")
            }
            texts = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty && !$0.hasPrefix("#") }
            if texts.isEmpty { throw CommandFailure(.unreadable, "'\(keys)' holds no key") }
        }
        if let key = ProcessInfo.processInfo.environment["FORMWORK_API_KEY"], !key.isEmpty { texts.append(key) }
        return texts.map { ServiceKey($0) }
    }
}
