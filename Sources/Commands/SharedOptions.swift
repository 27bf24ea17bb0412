// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import Generation
import Inference
import JSONSchemas
import ModelFiles
import Transformations

/// `--formats`.
enum FormatChoice: String, CaseIterable, ExpressibleByArgument {
    case assert, annotate

    var policy: FormatPolicy { self == .assert ? .assert : .annotate }
}

/// Where schemas come from.
struct SchemaArguments: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Resolve references to other schemas from a folder: URLPREFIX=DIR, or DIR with schemas indexed by '$id'. \
            Repeatable. Schemas beside the schema itself are found without it; nothing is fetched from the network.
            """,
            valueName: "[URLPREFIX=]DIR"), completion: .directory)
    var registry: [String] = []

    @Option(
        name: .customLong("formats"),
        help: "Whether 'format' is asserted or only an annotation: assert, annotate. (default: assert)")
    var formatChoice: FormatChoice?

    var formats: FormatPolicy { (formatChoice ?? .assert).policy }

    /// The folders of the options, then those of the project file, then what was added to the catalogue.
    func makeRegistry(project: Project? = nil) throws -> SchemaRegistry {
        var registry = SchemaRegistry()
        for entry in self.registry + (project?.registry ?? []) { try registry.add(option: entry) }
        let catalogue = SchemaCatalogue.standard()
        for entry in try catalogue.entries() {
            for address in entry.addresses { registry.add(file: catalogue.path(of: entry), uri: address) }
        }
        return registry
    }

    /// Where the references of a loaded schema are looked up.
    func registry(for spec: LoadedSpec, at path: String) throws -> SchemaRegistry {
        var registry = try makeRegistry()
        if path != "-" { registry.add(neighboursOf: spec.source) }
        return registry
    }

    /// Loads a schema or spec; problems are shown with their source lines.
    func load(_ path: String, unresolved: SchemaOptions.UnresolvedReferences = .error) throws -> LoadedSpec {
        try load(Console.read(path, limit: 64 << 20), path: path, unresolved: unresolved)
    }

    /// The same for bytes that were read already.
    func load(
        _ bytes: [UInt8], path: String, unresolved: SchemaOptions.UnresolvedReferences = .error
    ) throws -> LoadedSpec {
        let name = path == "-" ? "<stdin>" : path
        var options = SpecLoader.defaultOptions
        options.unresolvedReferences = unresolved
        let document = try DocumentReader.read(bytes, file: name)
        var registry = try makeRegistry()
        if path != "-" { registry.add(neighboursOf: document) }
        return try SpecLoader.load(document, options: options, registry: registry)
    }
}

/// Which model, on how many threads.
struct ModelArguments: ParsableArguments {
    @Option(name: .shortAndLong, help: "A model's name in the store, or the path of a GGUF file.")
    var model: String = CatalogModel.standard.name

    @Option(name: .shortAndLong, help: "Threads for the model; by default all cores.")
    var threads: Int?

    @OptionGroup var adapterArguments: AdapterArguments

    func validate() throws {
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads must lie between 1 and 256")
        }
    }

    var threadCount: Int { threads ?? min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 64) }

    func path() throws -> String { try ModelStore.standard().resolve(model).path }

    func load() throws -> TextModel {
        try TextModel(path: path(), options: ModelOptions(threads: threadCount, adapters: adapterArguments.adapters))
    }
}

/// Which adapters are applied to the model.
struct AdapterArguments: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Apply a LoRA adapter, a GGUF file made for the model, by a factor (1 unless given). Repeatable.",
            valueName: "FILE[:SCALE]"), completion: .file(extensions: ["gguf"]))
    var lora: [String] = []

    func validate() throws { _ = try lora.map(Self.adapter) }

    var adapters: [ModelOptions.Adapter] {
        get throws { try lora.map(Self.adapter) }
    }

    /// A file of that very name comes first; else what follows the last colon is the scale.
    static func adapter(_ text: String) throws -> ModelOptions.Adapter {
        guard !FileManager.default.fileExists(atPath: text), let colon = text.lastIndex(of: ":") else {
            return ModelOptions.Adapter(path: text)
        }
        let scale = text[text.index(after: colon)...]
        guard let value = Float(scale), value.isFinite else {
            throw ValidationError("--lora '\(text)': the scale '\(scale)' is not a finite number")
        }
        return ModelOptions.Adapter(path: String(text[..<colon]), scale: value)
    }
}

/// How tokens are chosen.
struct SamplingArguments: ParsableArguments {
    @Option(name: .long, help: "0 is greedy: the same answer every time.")
    var temperature: Float = 0

    @Option(name: .long, help: "Keep the K most likely tokens; 0 keeps all.")
    var topK: Int = 0

    @Option(name: .long, help: "Keep the most likely tokens up to this probability; 1 keeps all.")
    var topP: Float = 1

    @Option(name: .long, help: "Drop tokens less likely than this share of the most likely; 0 keeps all.")
    var minP: Float = 0

    @Option(name: .long, help: "Divide the logits of words used lately inside strings; 1 is off.")
    var repetitionPenalty: Float = 1

    @Option(name: .long, help: "Seed of the random numbers.")
    var seed: UInt64?

    var options: SamplingOptions {
        SamplingOptions(
            temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: repetitionPenalty,
            seed: seed)
    }

    func validate() throws {
        if let problem = options.problems().first { throw ValidationError(problem) }
    }
}
