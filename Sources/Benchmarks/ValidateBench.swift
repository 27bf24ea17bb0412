// SPDX-License-Identifier: Apache-2.0

public import Documents
import Foundation
import JSONSchemas

/// Measures reading and validating real documents: `bench validate`.
///
/// The data has `schemas/`, documents, and `cases.jsonl` with `schema`, `instance` and `valid` on each line. The largest
/// schemas are taken with all their documents; each round reads and validates all documents once, in one thread.
public enum ValidateBench {
    /// What a run gives; times are medians over the rounds, in seconds.
    public struct Report: Sendable {
        public var schemas = 0
        public var documents = 0
        public var documentBytes = 0
        /// Reading and checking all schemas once.
        public var compileSeconds = 0.0
        /// Reading all documents once.
        public var readSeconds = 0.0
        /// Validating all documents once.
        public var validateSeconds = 0.0
        /// Documents on whose verdict the data and the validator disagree.
        public var disagreements: [String] = []

        /// The report for people.
        public var text: String {
            func milliseconds(_ seconds: Double) -> String { String(format: "%.2f ms", seconds * 1_000) }
            let rate = Double(documentBytes) / max(readSeconds + validateSeconds, 1e-9) / 1e6
            var lines = [
                "\(schemas) schemas, \(documents) documents, \(documentBytes) bytes",
                "schemas, once    \(milliseconds(compileSeconds))",
                "read             \(milliseconds(readSeconds))",
                "validate         \(milliseconds(validateSeconds))",
                "together         \(milliseconds(readSeconds + validateSeconds)), \(String(format: "%.0f", rate)) MB/s",
            ]
            if !disagreements.isEmpty { lines.append("other verdict on \(disagreements.joined(separator: ", "))") }
            return lines.joined(separator: "\n")
        }
    }

    private struct Item {
        var name: String
        var bytes: [UInt8]
        var format: DocumentFormat
        var validator: Validator
        var isValid: Bool
    }

    /// Runs the measurement.
    ///
    /// - Parameters:
    ///   - path: The data: a folder, or a `.tar.gz` of one.
    ///   - count: How many of the largest schemas are taken.
    ///   - rounds: How often everything is done; at least once.
    ///   - prefixes: Addresses that mean the folder of schemas.
    public static func run(path: String, schemas count: Int, rounds: Int, prefixes: [String]) throws -> Report {
        try DataFolder.open(path) { try run(folder: $0, schemas: count, rounds: rounds, prefixes: prefixes) }
    }

    private static func run(folder: String, schemas count: Int, rounds: Int, prefixes: [String]) throws -> Report {
        func read(_ name: String) throws -> [UInt8] {
            guard let data = FileManager.default.contents(atPath: folder + "/" + name) else {
                throw SuiteBench.SuiteError("'\(name)' is missing in the data")
            }
            return [UInt8](data)
        }
        var cases: [String: [(instance: String, isValid: Bool)]] = [:]
        for line in try DocumentReader.readAll(read("cases.jsonl"), file: "cases.jsonl", format: .jsonl) {
            guard let schema = line.root["schema"]?.stringValue, let instance = line.root["instance"]?.stringValue,
                let valid = line.root["valid"]?.boolValue
            else { throw SuiteBench.SuiteError("a line of 'cases.jsonl' lacks 'schema', 'instance' or 'valid'") }
            cases[schema, default: []].append((instance, valid))
        }
        let sizes = try cases.keys.map { (name: $0, bytes: try read($0)) }
            .sorted { ($1.bytes.count, $0.name) < ($0.bytes.count, $1.name) }
        var registry = SchemaRegistry()
        for prefix in prefixes { registry.add(folder: folder + "/schemas", prefix: prefix) }
        var report = Report()
        var items: [Item] = []
        var options = SpecLoader.defaultOptions
        options.unresolvedReferences = .allowed
        let start = ContinuousClock.now
        for (name, bytes) in sizes.prefix(count) {
            let spec = try SpecLoader.load(
                DocumentReader.read(bytes, file: name), options: options, registry: registry)
            let validator = Validator(spec.graph, formats: .annotate)
            report.schemas += 1
            for (instance, isValid) in cases[name] ?? [] {
                let bytes = try read(instance)
                let format = DocumentReader.format(ofFile: instance) ?? DocumentReader.guess(bytes)
                items.append(
                    Item(name: instance, bytes: bytes, format: format, validator: validator, isValid: isValid))
            }
        }
        report.compileSeconds = seconds(since: start)
        report.documents = items.count
        report.documentBytes = items.reduce(0) { $0 + $1.bytes.count }
        var reading: [Double] = []
        var validating: [Double] = []
        for round in 0..<max(1, rounds) {
            let start = ContinuousClock.now
            // YAML without a document is null.
            let documents = try items.map {
                try DocumentReader.readAll($0.bytes, file: $0.name, format: $0.format, options: .lenient).first
                    ?? Document(value: .null)
            }
            reading.append(seconds(since: start))
            let middle = ContinuousClock.now
            var verdicts: [Bool] = []
            verdicts.reserveCapacity(items.count)
            for (item, document) in zip(items, documents) { verdicts.append(item.validator.isValid(document.root)) }
            validating.append(seconds(since: middle))
            if round == 0 {
                for (item, verdict) in zip(items, verdicts) where item.isValid != verdict {
                    report.disagreements.append(item.name)
                }
            }
        }
        report.readSeconds = median(reading)
        report.validateSeconds = median(validating)
        return report
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let duration = ContinuousClock.now - start
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
