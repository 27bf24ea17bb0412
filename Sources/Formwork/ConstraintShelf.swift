// SPDX-License-Identifier: Apache-2.0

import Constraints
import Dispatch
import Documents
import JSONSchemas
import Transformations

/// A schema that is ready to be enforced.
struct CompiledSchema: @unchecked Sendable {
    // Unchecked: the engine is made on the shelf's queue and handed over to the scheduler's thread with the first
    // request that uses it; nothing else looks into it afterwards.
    let engine: ConstraintEngine
    let validator: Validator
}

/// The schemas of one model; those used last are kept.
final class ConstraintShelf: @unchecked Sendable {
    // Unchecked: everything that changes is touched on `queue` only.
    private struct Entry {
        var compiled: CompiledSchema
        var lastUse: Int
    }

    private static let limit = 64

    private let model: TextModel
    private let queue = DispatchQueue(label: "formwork.schemas")
    private var known: [JSONValue: Entry] = [:]
    private var uses = 0

    init(model: TextModel) { self.model = model }

    /// The constraint of a schema, compiled where it is not known yet.
    ///
    /// - Parameter text: What strings with the guide `.verbatim` are taken from; nil where only the schema matters.
    func constraint(_ schema: StructuredSchema, for text: String?) async throws -> CompiledSchema {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.find(schema, text) }) }
        }
    }

    private func find(_ schema: StructuredSchema, _ text: String?) throws(FormworkError) -> CompiledSchema {
        uses += 1
        if let entry = known[schema.enforced] {
            known[schema.enforced]?.lastUse = uses
            return entry.compiled
        }
        if let problem = schema.problems.first { throw FormworkError(.unenforceableGuide, problem.message) }
        do {
            let document = Document(value: schema.enforced)
            let graph = try SchemaGraph.load(document.root, options: SchemaOptions(metaschemaCheck: .error))
            guard graph.firstVerbatim == nil else { return try compile(graph, source: text.map(VerbatimSource.init)) }
            // A member that can never be there would be left out without a word.
            if let problem = SatisfiabilityLint(graph, root: document.root, formats: .assert).diagnostics.first {
                throw DiagnosticsError([problem])
            }
            let compiled = try compile(graph, source: nil)
            if known.count >= Self.limit, let oldest = known.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                known[oldest.key] = nil
            }
            known[schema.enforced] = Entry(compiled: compiled, lastUse: uses)
            return compiled
        } catch let error as DiagnosticsError {
            throw FormworkError(error, in: schema)
        } catch {
            throw FormworkError(error)
        }
    }

    private func compile(_ graph: SchemaGraph, source: VerbatimSource?) throws -> CompiledSchema {
        var profile = SpellingProfile.spaced
        if !model.spellsUnassignedPlanes { profile.allowsUnassignedPlanes = false }
        var validator = Validator(graph, formats: .assert)
        validator.source = source
        var verbatim = VerbatimPolicy.refused
        if graph.firstVerbatim != nil { verbatim = source.map { .source($0) } ?? .undecided }
        let machine = try SchemaMachine(graph, profile: profile, formats: .assert, verbatim: verbatim)
        return CompiledSchema(
            engine: try ConstraintEngine(machine: machine, vocabulary: model.vocabulary), validator: validator)
    }
}
