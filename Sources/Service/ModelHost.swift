// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Inference
import ModelFiles
import Transformations

/// Loads models when they are first asked for, and keeps them within the memory that they may take.
actor ModelHost {
    private enum Slot {
        case loading(Task<ModelWorker, any Error>)
        case loaded(ModelWorker)
    }

    private let configuration: ServiceConfiguration
    private let metrics: ServiceMetrics
    private var slots: [String: Slot] = [:]
    private var lastUse: [String: Int] = [:]
    private var uses = 0
    private var families: [String: String] = [:]
    /// Keys and values of prompts' beginnings, of all models.
    let cache: PrefixCache

    init(_ configuration: ServiceConfiguration, metrics: ServiceMetrics) {
        self.configuration = configuration
        self.metrics = metrics
        cache = PrefixCache(byteLimit: configuration.cacheBytes)
    }

    /// The models that can be asked for.
    nonisolated var models: [ServiceConfiguration.Model] { configuration.models }

    /// The model of a name, with or without `:latest`.
    nonisolated func model(named name: String) -> ServiceConfiguration.Model? {
        let plain = name.hasSuffix(":latest") ? String(name.dropLast(7)) : name
        return configuration.models.first { $0.name == plain }
    }

    /// Requests that wait or run, by loaded model.
    var loads: [(model: String, load: Int)] {
        slots.compactMap { name, slot in
            if case .loaded(let worker) = slot { (name, worker.load) } else { nil }
        }
    }

    /// Whether the model is loaded.
    func isLoaded(_ name: String) -> Bool {
        if case .loaded = slots[name] { true } else { false }
    }

    /// The architecture that a model's file names.
    func family(_ model: ServiceConfiguration.Model) -> String {
        if let known = families[model.name] { return known }
        let family = (try? GGUFFile(path: model.path).string("general.architecture")) ?? "unknown"
        families[model.name] = family
        return family
    }

    /// The worker of a model, loaded first where it is not yet.
    ///
    /// - Throws: ``ServiceFault`` with status 404 for a name that is not served.
    func worker(_ name: String) async throws -> ModelWorker {
        guard let model = model(named: name) else {
            throw ServiceFault(
                .notFound, "model_not_found",
                "the model '\(name)' is not served; served are: "
                    + configuration.models.map(\.name).joined(separator: ", "), kind: .notFound, parameter: "model")
        }
        uses += 1
        lastUse[model.name] = uses
        switch slots[model.name] {
        case .loaded(let worker): return worker
        case .loading(let task): return try await task.value
        case nil: break
        }
        makeRoom(for: model)
        let (configuration, cache, metrics) = (configuration, cache, metrics)
        let task = Task<ModelWorker, any Error>.detached {
            // Loading blocks for up to seconds: not on a thread of the cooperative pool.
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(
                        with: Result {
                            try ModelWorker(
                                name: model.name,
                                model: TextModel(path: model.path, options: configuration.modelOptions),
                                configuration: configuration, cache: cache, metrics: metrics)
                        })
                }
            }
        }
        slots[model.name] = .loading(task)
        do {
            let worker = try await task.value
            slots[model.name] = .loaded(worker)
            return worker
        } catch {
            slots[model.name] = nil
            throw error
        }
    }

    private static func size(_ model: ServiceConfiguration.Model) -> Int {
        model.attributes[.size] as? Int ?? 0
    }

    /// Gives up the models that were not used for the longest time and do nothing. A worker ends once its requests have.
    private func makeRoom(for model: ServiceConfiguration.Model) {
        let needed = Self.size(model)
        var taken = configuration.models.filter { slots[$0.name] != nil }.reduce(0) { $0 + Self.size($1) }
        while taken + needed > configuration.modelBytes {
            let idle = slots.compactMap { name, slot -> String? in
                if case .loaded(let worker) = slot, worker.load == 0 { name } else { nil }
            }
            guard let oldest = idle.min(by: { (lastUse[$0] ?? 0, $0) < (lastUse[$1] ?? 0, $1) }),
                let entry = configuration.models.first(where: { $0.name == oldest })
            else { return }
            if case .loaded(let worker) = slots[oldest] { cache.removeAll(of: worker.model.model) }
            slots[oldest] = nil
            taken -= Self.size(entry)
        }
    }
}
