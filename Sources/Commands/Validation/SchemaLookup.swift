// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import Synchronization

/// A schema that documents are checked with.
struct CheckedSchema: Sendable {
    var name: String
    var validator: Validator
    var explainer: SchemaExplainer
    /// References without a target.
    var warnings: [Diagnostic]
    var sources: [SourceText]
}

/// A document whose schema cannot be had.
struct SchemaProblem: Error, Sendable {
    /// What is wrong, at the place that names the schema.
    var diagnostic: Diagnostic
}

/// Finds and compiles the schemas of documents, each schema once; from any thread.
final class SchemaLookup: Sendable {
    private enum Outcome: Sendable {
        case ready(CheckedSchema)
        /// Mistakes in the schema.
        case broken(DiagnosticsError)
        case missing(String, help: String?)
    }

    /// What is to be said about a schema.
    struct News: Sendable {
        var name: String
        var diagnostics: [Diagnostic]
        var sources: [SourceText]
    }

    private let project: Project?
    private let catalogue = SchemaCatalogue.standard()
    private let registry: SchemaRegistry
    private let unresolved: SchemaOptions.UnresolvedReferences
    private let formats: FormatPolicy
    private let sourcePath: String?
    /// The schema of `--schema`, which goes before all others.
    private let fixed: SchemaTarget?

    private struct State {
        var outcomes: [SchemaTarget: Outcome] = [:]
        /// The files of schemas as they were before they were read.
        var stamps: [String: FileStamp] = [:]
        /// Schemas whose mistakes or warnings nobody has been told yet.
        var news: [News] = []
    }
    private let state = Mutex(State())

    init(
        option: String?, arguments: SchemaArguments, project: Project?, unresolved: SchemaOptions.UnresolvedReferences,
        formats: FormatPolicy, sourcePath: String?
    ) throws {
        self.project = project
        self.unresolved = unresolved
        self.formats = formats
        self.sourcePath = sourcePath
        registry = try arguments.makeRegistry(project: project)
        fixed = option.map { SchemaTarget(option: $0) }
    }

    // MARK: Which schema

    /// The schema for all documents of a file, as far as the document itself has no say.
    ///
    /// - Returns: nil where the document or nobody says.
    func schema(of file: SelectedFile, modeline: (Modeline, SourceText)?) throws(SchemaProblem) -> CheckedSchema? {
        if let fixed { return try schema(fixed, range: nil) }
        if let (modeline, text) = modeline {
            return try schema(modeline.reference, file, range: text.range(modeline.range))
        }
        return nil
    }

    /// The schema of a document without one from ``schema(of:modeline:)``: that of its `$schema` member, else that of
    /// the project file.
    func schema(of root: Node?, in file: SelectedFile) throws(SchemaProblem) -> CheckedSchema? {
        if let project, file.path == project.path { return try schema(.project, range: nil) }
        if let member = root?["$schema"], let reference = member.stringValue, !reference.isEmpty {
            do throws(SchemaProblem) {
                // The member has done what it is there for.
                var found = try schema(reference, file, range: member.range)
                found.validator.passesOverSchemaMember = true
                return found
            } catch {
                // An address that is not at hand gives way to the project file, which says where the schema is.
                let isAddress = SchemaTarget.scheme(of: reference) != nil
                guard isAddress, error.diagnostic.id == "schema.not-found", project?.schema(of: file.path) != nil else {
                    throw error
                }
            }
        }
        guard let project, let entry = project.schema(of: file.path) else { return nil }
        return try schema(SchemaTarget(entry.name, in: project), range: entry.range)
    }

    private func schema(
        _ reference: String, _ file: SelectedFile, range: SourceRange?
    ) throws(SchemaProblem) -> CheckedSchema {
        guard !SchemaTarget.hasFragment(reference) else {
            throw SchemaProblem(
                diagnostic: Diagnostic(
                    "schema.fragment", "'\(reference)' is a part of a schema; only whole schemas can be named here",
                    range: range, help: "make a schema of its own that refers to the part with '$ref'"))
        }
        return try schema(SchemaTarget(reference, in: file.path), range: range)
    }

    // MARK: Compiling

    /// The schema of `--schema`.
    ///
    /// - Throws: What is wrong with it, ``CommandFailure`` where it cannot be read.
    func loadFixed() throws -> CheckedSchema? {
        guard let fixed else { return nil }
        switch try outcome(fixed) {
        case .ready(let schema): return schema
        case .broken(let error): throw error
        case .missing(let message, let help):
            throw CommandFailure(.unreadable, message + (help.map { "; " + $0 } ?? ""))
        }
    }

    /// What nobody has been told yet about schemas: their mistakes and warnings.
    func takeNews() -> [News] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news
        }
    }

    /// The files that schemas were read from, or would be.
    var stamps: [String: FileStamp] {
        var stamps = state.withLock { $0.stamps }
        for path in registry.filesRead where stamps[path] == nil { stamps[path] = FileStamp(path) }
        return stamps
    }

    private func schema(_ target: SchemaTarget, range: SourceRange?) throws(SchemaProblem) -> CheckedSchema {
        let found: Outcome
        do {
            found = try outcome(target)
        } catch let failure as CommandFailure {
            // The text that needs a source, or a catalogue that cannot be read.
            throw SchemaProblem(
                diagnostic: failure.diagnostics.first
                    ?? Diagnostic("schema.unreadable", failure.message, range: range))
        } catch {
            throw SchemaProblem(diagnostic: Diagnostic("schema.unreadable", "\(error)", range: range))
        }
        switch found {
        case .ready(let schema): return schema
        case .broken(let error):
            let count = error.diagnostics.filter { $0.severity == .error }.count
            throw SchemaProblem(
                diagnostic: Diagnostic(
                    "schema.invalid",
                    "the schema '\(target.description)' is wrong (\(count) \(count == 1 ? "mistake" : "mistakes"))",
                    range: range,
                    notes: error.diagnostics.prefix(5).map { mistake in
                        .note(mistake.message, range: mistake.range)
                    }))
        case .missing(let message, let help):
            throw SchemaProblem(diagnostic: Diagnostic("schema.not-found", message, range: range, help: help))
        }
    }

    /// Loads a schema, or remembers what became of it. Others wait meanwhile, so that none is compiled twice.
    private func outcome(_ target: SchemaTarget) throws -> Outcome {
        try state.withLock { state in
            if let known = state.outcomes[target] { return known }
            let result: Outcome
            do {
                result = try load(target, &state)
            } catch let error as DiagnosticsError {
                result = .broken(error)
                state.news.append(
                    News(name: target.description, diagnostics: error.diagnostics, sources: error.sources))
            }
            state.outcomes[target] = result
            return result
        }
    }

    private func load(_ target: SchemaTarget, _ state: inout State) throws -> Outcome {
        var path: String?
        var document: Document?
        switch target {
        case .project: return try ready(ProjectSchema.load(), target, &state)
        case .file(let file):
            // Options name files that must be there; the error says what became of them.
            if file != "-", target != fixed, !FileManager.default.fileExists(atPath: file) {
                state.stamps[file] = FileStamp(file)
                return .missing("there is no schema '\(file)'", help: nil)
            }
            path = file
        case .name(let name):
            guard let file = try catalogue.path(ofName: name) else {
                return .missing(
                    "there is no schema '\(name)', neither as a file nor in the catalogue '\(catalogue.folder.path)'",
                    help: "add one with: formwork schema add FILE --name \(name)")
            }
            path = file
        case .address(let address):
            document = try registry.document(at: address)
            if let entry = try catalogue.entries().first(where: { $0.addresses.contains(address) }),
                document?.file == catalogue.path(of: entry)
            {
                _ = try catalogue.checked(entry)
            }
            if document == nil {
                return .missing(
                    "the schema '\(address)' is not at hand, and nothing is fetched",
                    help: "add it with: formwork schema add FILE --address \(address), or give its folder with "
                        + "--registry")
            }
        }
        if let path {
            if path != "-" { state.stamps[path] = FileStamp(path) }
            document = try DocumentReader.read(
                Console.read(path, limit: 64 << 20), file: path == "-" ? "<stdin>" : path)
        }
        guard let document else { return .missing("there is no schema '\(target.description)'", help: nil) }
        var options = SpecLoader.defaultOptions
        options.unresolvedReferences = unresolved
        var registry = registry
        if path != "-" { registry.add(neighboursOf: document) }
        return try ready(SpecLoader.load(document, options: options, registry: registry), target, &state)
    }

    private func ready(_ spec: LoadedSpec, _ target: SchemaTarget, _ state: inout State) throws -> Outcome {
        var validator = Validator(spec.graph, formats: formats)
        validator.source = try VerbatimSource.read(sourcePath, for: spec)
        let warnings = spec.warnings.filter { $0.id == "schema.unresolved-reference" }
        let sources = [spec.source.source].compactMap(\.self)
        if !warnings.isEmpty {
            state.news.append(News(name: target.description, diagnostics: warnings, sources: sources))
        }
        return .ready(
            CheckedSchema(
                name: target.description, validator: validator, explainer: SchemaExplainer(spec.graph),
                warnings: warnings, sources: sources))
    }
}
