// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import Inference
import JSONSchemas
import ModelFiles
import Transformations

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Mend damaged JSON, YAML, TOML and JSON Lines, and what a schema does not allow.",
        discussion: """
            Mends the text first: quotes, commas, brackets, colons, indentation, code fences, cut-off ends, Python's and
            JavaScript's words and numbers, keys that are there twice with the same value. Then, with a schema, values
            that convert without a loss, misspelt keys and words. Schemas are found as by 'formwork validate'. What is
            valid never changes, comments and layout stay. Prints the document, and a line for each change to standard
            error. Where there is no safe repair, nothing changes and the exit status is 2.

            EXAMPLE
              formwork repair --schema settings.schema.json settings.json
              formwork repair --schema contact.yaml --output json < answer.txt
              formwork repair --schema deploy.schema.json --write --diff deploy/*.yaml
              formwork repair --write config 'deploy/**/*.toml'
            """
    )

    @Option(
        name: .shortAndLong,
        help: """
            A JSON Schema (JSON or YAML) or a short YAML spec; by default each file's own. Without one only the text \
            is mended.
            """)
    var schema: String?

    @OptionGroup var schemaArguments: SchemaArguments

    @Option(
        name: .long, help: "What a reference means whose target is not at hand: refuse or allow. (default: refuse)")
    var unresolved: UnresolvedChoice?

    @OptionGroup var projectArguments: ProjectArguments

    @Flag(
        name: .long,
        help: "Add required keys that are absent and whose value the schema gives by default, const or enum.")
    var fillDefaults = false

    @Option(
        name: .shortAndLong,
        help: "text prints the documents, json a report with changes and patch, a line for each file.")
    var output: ReportFormat = .text

    @Flag(name: .long, help: "Print what changes as a difference by lines, instead of the document.")
    var diff = false

    @Flag(name: .long, help: "Print what changes in the value as JSON Patch (RFC 6902), instead of the document.")
    var patch = false

    @Option(
        name: .shortAndLong,
        help: "Let this model of the store, or GGUF file, find what rules cannot mend; all that is valid stays fixed.")
    var model: String?

    @Option(name: .shortAndLong, help: "Threads for the model; by default all cores.")
    var threads: Int?

    @OptionGroup var adapterArguments: AdapterArguments

    @Option(name: .long, help: "The most tokens that a document may have that the model completes.")
    var maxTokens: Int = 1024

    @Flag(name: .shortAndLong, help: "Rewrite files that change, each whole or not at all.")
    var write = false

    @Flag(name: .shortAndLong, help: "Do not explain the changes.")
    var quiet = false

    @Option(name: .long, help: "The name that tells the notation of standard input.")
    var stdinFilename: String?

    @Option(
        name: .long, help: "json, jsonc, json5, yaml, toml or jsonl; by default the file's name tells, else the text.")
    var notation: Notation?

    @Argument(
        help: "Files, folders, globs such as 'config/**/*.yaml'; '-' or nothing is standard input.",
        completion: .file())
    var files: [String] = []

    func validate() throws {
        if write && (files.isEmpty || files.contains("-")) { throw ValidationError("--write needs files") }
        if model != nil, schema == nil { throw ValidationError("--model needs --schema") }
        if model == nil, !adapterArguments.lora.isEmpty { throw ValidationError("--lora needs --model") }
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must lie between 1 and 256") }
        if !(1...1_000_000).contains(maxTokens) { throw ValidationError("--max-tokens must lie between 1 and 1000000") }
        if [diff, patch, output == .json].count(where: \.self) > 1 {
            throw ValidationError("--diff, --patch and --output json exclude each other")
        }
    }

    func run() throws {
        let project = try projectArguments.find()
        let selected = try FileSelection.files(files, project: project)
        if selected.contains(where: { !$0.isNamed }), !write, !diff, !patch, output != .json {
            throw CommandFailure(.usage, "folders and globs need --write, --diff, --patch or --output json")
        }
        let formats = (schemaArguments.formatChoice ?? project?.formats ?? .assert).policy
        let references = (unresolved ?? project?.unresolved ?? .refuse).policy
        var validator: Validator?
        var helper: ModelHelper?
        var finder: RepairSchemas?
        if let schema, !isLookedUp(schema) {
            let spec = try schemaArguments.load(schema, unresolved: references)
            Console.report(
                spec.warnings.filter { $0.id == "schema.unresolved-reference" },
                sources: [spec.source.source].compactMap(\.self))
            if let problem = spec.graph.missingSource("repair.no-source") {
                throw CommandFailure(
                    .unsupported, diagnostics: [problem], sources: [spec.source.source].compactMap(\.self))
            }
            let checks = Validator(spec.graph, formats: formats)
            validator = checks
            if let model {
                helper = ModelHelper(
                    model: model, threads: threads, adapters: try adapterArguments.adapters, maxTokens: maxTokens,
                    spec: spec, validator: checks,
                    formats: formats, registry: try schemaArguments.registry(for: spec, at: schema))
            }
        } else {
            finder = RepairSchemas(
                try SchemaLookup(
                    option: schema, arguments: schemaArguments, project: project, unresolved: references,
                    formats: formats, sourcePath: nil))
            try finder?.start()
        }
        var options = Repairer.Options()
        options.format = notation?.format
        options.schema.fillsDefaults = fillDefaults
        var worst = ExitStatus.ok
        for file in selected {
            let path = file.path
            // Found files that are compressed are somebody's data.
            if !file.isNamed, path.lowercased().hasSuffix(".gz") { continue }
            do {
                if let problem = file.problem { throw CommandFailure(.unreadable, diagnostics: [problem]) }
                if write, path.lowercased().hasSuffix(".gz") {
                    throw CommandFailure(.unsupported, "'\(path)' is compressed and cannot be rewritten")
                }
                let bytes = try Console.read(path)
                let name = path == "-" ? stdinFilename : path
                if let finder { validator = try finder.validator(for: bytes, file, name: name, options) }
                var repair = Repairer.repair(bytes, file: name, validator: validator, options: options)
                if repair.outcome == .failed, repair.rest != nil { repair = try helper?.complete(repair) ?? repair }
                try report(repair, path)
                if repair.outcome == .failed || repair.outcome == .ambiguous, worst == .ok { worst = .dataInvalid }
            } catch let problem as SchemaProblem {
                Console.report([problem.diagnostic])
                if worst == .ok || worst == .dataInvalid { worst = .schemaInvalid }
            } catch {
                // One file's trouble is not the end of the others: a model's context may be too small for it.
                let status = Formwork.report(error)
                if worst == .ok || worst == .dataInvalid || status == .internalError { worst = status }
            }
        }
        if worst != .ok { throw CommandFailure(worst) }
    }

    /// Whether a schema is a name in the catalogue or an address; a model needs more of a schema than these give.
    private func isLookedUp(_ schema: String) -> Bool {
        guard model == nil else { return false }
        switch SchemaTarget(option: schema) {
        case .file, .project: return false
        case .address, .name: return true
        }
    }

    /// Prints a repair, and writes the file.
    private func report(_ repair: DocumentRepair, _ path: String) throws {
        let name = repair.source.file ?? "<stdin>"
        let isDone = repair.outcome == .repaired || repair.outcome == .unchanged
        if output == .json {
            try Console.line(JSONWriter(style: .compact).write(RepairReport.value(repair, name: name)))
        } else if isDone {
            if diff {
                if repair.bytes != repair.source.bytes {
                    try Console.write(
                        LineDifference.unified(
                            repair.source.bytes, repair.bytes, oldName: "a/\(name)", newName: "b/\(name)"))
                }
            } else if patch {
                for operations in repair.patches.isEmpty ? [[]] : repair.patches {
                    try Console.line(JSONWriter(style: .pretty(indent: 2)).write(.array(operations)))
                }
            } else if !write {
                try Console.write(repair.bytes)
            }
        }
        if output == .text, !quiet {
            for change in repair.changes { Console.message(RepairReport.line(change, name: name)) }
            if repair.isRewritten {
                Console.message("\(name): the layout could not be kept; the document is written anew")
            }
        }
        if isDone, output == .text, !quiet, !repair.warnings.isEmpty {
            Console.report(repair.warnings, sources: [SourceText(file: repair.source.file, bytes: repair.bytes)])
        }
        if !isDone, output == .text {
            Console.report(repair.problems, sources: repair.sources)
            Console.error("'\(name)' has no safe repair and is left alone")
        }
        if write, repair.outcome == .repaired {
            try Console.writeFile(path, String(decoding: repair.bytes, as: UTF8.self))
        }
    }
}

/// The model, loaded when it is first needed.
private final class ModelHelper {
    private let model: String
    private let threads: Int?
    private let adapters: [ModelOptions.Adapter]
    private let maxTokens: Int
    private let spec: LoadedSpec
    private let validator: Validator
    private let formats: FormatPolicy
    private let registry: SchemaRegistry
    private var repairer: ModelRepairer?

    init(
        model: String, threads: Int?, adapters: [ModelOptions.Adapter], maxTokens: Int, spec: LoadedSpec,
        validator: Validator, formats: FormatPolicy, registry: SchemaRegistry
    ) {
        self.adapters = adapters
        (self.model, self.threads, self.maxTokens, self.spec) = (model, threads, maxTokens, spec)
        (self.validator, self.formats, self.registry) = (validator, formats, registry)
    }

    /// Completes a repair; where the model cannot, says why and gives the repair as it was.
    func complete(_ repair: DocumentRepair) throws -> DocumentRepair {
        if repairer == nil {
            let path = try ModelStore.standard().resolve(model).path
            let cores = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 64)
            repairer = ModelRepairer(
                model: try TextModel(
                    path: path, options: ModelOptions(threads: threads ?? cores, adapters: adapters)), spec: spec,
                registry: registry, validator: validator, options: TransformationOptions(maxTokens: maxTokens, formats: formats))
        }
        do {
            return try repairer?.complete(repair) ?? repair
        } catch let failure as DiagnosticsError {
            // No document has the valid parts as they are, or the schema cannot be enforced.
            var refused = repair
            refused.problems += failure.diagnostics
            return refused
        }
    }
}

/// `--notation`.
enum Notation: String, CaseIterable, ExpressibleByArgument {
    case json, jsonc, json5, yaml, toml, jsonl

    var format: DocumentFormat {
        switch self {
        case .json: .json
        case .jsonc: .jsonc
        case .json5: .json5
        case .yaml: .yaml
        case .toml: .toml
        case .jsonl: .jsonl
        }
    }
}
