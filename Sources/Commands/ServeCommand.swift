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

            Each option can also be given as an environment variable, such as FORMWORK_SERVE_PORT, and in the project file
            formwork.yaml below 'serve', such as 'port'. Options go before the environment, that before the file.

            EXAMPLE
              formwork serve
              formwork serve --model smollm2 --model qwen=models/qwen2.5-0.5b.gguf --port 11434
              curl -s localhost:8177/v1/transform -d '{"text": "Ada, 36", "spec": "fields: {name: string, age: integer}"}'
            """
    )

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A model's name in the store, or a GGUF file, under its own or another name. Repeatable; the first is the default. (default: smollm2)",
            valueName: "[NAME=]MODEL"))
    var model: [String] = []

    @Option(name: .long, help: "The address to listen on. (default: 127.0.0.1)")
    var host: String?

    @Option(name: .shortAndLong, help: "The port; 0 takes a free one. (default: 8177)")
    var port: Int?

    @Option(name: .shortAndLong, help: "Threads for each model; by default all cores.")
    var threads: Int?

    @OptionGroup var adapterArguments: AdapterArguments

    @Option(name: .long, help: "Tokens of prompt and answer together, at most. (default: what the model allows, up to 8192)")
    var context: Int?

    @Option(name: .long, help: "Answers of a model that are generated at once. (default: 8)")
    var slots: Int?

    @Option(name: .long, help: "Megabytes of keys and values of prompts' beginnings that are kept. (default: 512)")
    var cache: Int?

    @Option(name: .long, help: "Requests of a model that may wait; more are refused. (default: 64)")
    var queue: Int?

    @Option(name: .long, help: "Seconds that a request may take. (default: 300)")
    var deadline: Double?

    @Option(name: .long, help: "A file with an API key on each line. FORMWORK_API_KEY holds one more.", completion: .file())
    var keys: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The folder for files and batches; 'none' for no folder. By default one in Formwork's data folder.",
            valueName: "FOLDER"), completion: .directory)
    var state: String?

    @Option(name: .long, help: "Requests a minute of one key, or of all clients together where no key is asked for.")
    var requestsPerMinute: Int?

    @Option(name: .long, help: "Requests of one key that generate at the same time.")
    var concurrent: Int?

    @Option(name: .long, help: "The origin of a web page that may call the service. Repeatable.")
    var allowOrigin: [String] = []

    @Option(
        name: .long, help: "A file with the certificate, and those it depends on, in PEM: the service then speaks HTTPS.",
        completion: .file())
    var tlsCertificate: String?

    @Option(name: .long, help: "A file with the certificate's private key in PEM.", completion: .file())
    var tlsKey: String?

    @Option(name: .long, help: "debug, info, warning or error. (default: info)")
    var logLevel: String?

    @OptionGroup var projectArguments: ProjectArguments

    func run() async throws {
        let settings = ServeSettings(project: try projectArguments.find())
        let store = ModelStore.standard()
        let names = settings.list(model, "model")
        let models = try (names.isEmpty ? [CatalogModel.standard.name] : names).map { entry -> ServiceConfiguration.Model in
            let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
            let target = parts.last ?? entry
            let path = try store.resolve(target).path
            let stem = URL(fileURLWithPath: target).lastPathComponent
            let plain = stem.lowercased().hasSuffix(".gguf") ? String(stem.dropLast(5)) : stem
            return ServiceConfiguration.Model(name: parts.count == 2 ? parts[0] : plain, path: path)
        }
        var configuration = ServiceConfiguration(models: models)
        try settings.fill(&configuration, from: self)
        // A file that is no model that can be run is told now, not to the first client.
        for model in models {
            do {
                _ = try MemoryEstimate(GGUFFile(path: model.path), options: configuration.modelOptions)
            } catch {
                throw CommandFailure(.unreadable, "cannot serve '\(model.path)': \(error)")
            }
        }
        guard Set(models.map(\.name)).count == models.count else {
            throw CommandFailure(.usage, "two models have the same name; give one another: --model NAME=MODEL")
        }
        let address = configuration.host
        let isOpen = !["127.0.0.1", "localhost", "::1"].contains(address) && configuration.keys.isEmpty
        if isOpen { Console.message("warning: '\(address)' can be reached from other machines, and no API key is asked for (--keys)") }
        let level = try settings.choice(logLevel, "log-level", ["debug", "info", "warning", "error"]) ?? "info"
        let scheme = configuration.tls == nil ? "http" : "https"
        let served = models.map(\.name).joined(separator: ", ")
        do {
            try await FormworkService(configuration, logLevel: level).run { port in
                let shown = address.contains(":") ? "[\(address)]" : address
                Console.message("listening on \(scheme)://\(shown):\(port), serving \(served)")
            }
        } catch let error as ServiceStartError {
            throw CommandFailure(.usage, error.description)
        }
    }
}
