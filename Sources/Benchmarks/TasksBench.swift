// SPDX-License-Identifier: Apache-2.0

public import Documents
public import Foundation
import Generation
import JSONSchemas
public import Transformations

/// Runs text-to-JSON tasks with prompts taken byte for byte, and writes the predictions for a scorer.
///
/// The folder holds `dev/TASK.jsonl` (a header with the schema, then cases) and `prompts/TASK.jsonl`
/// (`{"id", "prompt"}` per case).
public enum TasksBench {
    /// Figures of one task.
    public struct Summary: Sendable {
        public var task: String
        public var cases = 0
        /// Documents that the validator accepted; every one that ended must be.
        public var valid = 0
        /// Documents that the token limit shortened.
        public var shortened = 0
        public var failures: [String] = []
        public var promptTokens = 0
        public var cachedPromptTokens = 0
        public var outputTokens = 0
        public var forcedTokens = 0
        public var seconds = 0.0
    }

    /// Runs the tasks of `folder`.
    ///
    /// - Parameters:
    ///   - tasks: Names of tasks to run; empty runs all.
    ///   - limit: The most cases per task; nil runs all.
    ///   - write: Receives one prediction line per case, as it is done.
    /// - Throws: `BenchmarkError` where the folder does not have that shape; what a transformation throws is counted
    ///   as a failure of its case.
    public static func run(
        folder: URL, model: TextModel, options: TransformationOptions, tasks: [String] = [], limit: Int? = nil,
        write: (String) throws -> Void, progress: (Summary) -> Void
    ) throws -> [Summary] {
        let dev = folder.appendingPathComponent("dev").path
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: dev) else {
            throw BenchmarkError("cannot read the folder '\(dev)'")
        }
        let names = files.filter { $0.hasSuffix(".jsonl") }.map { String($0.dropLast(6)) }.sorted()
        let chosen = tasks.isEmpty ? names : tasks
        if let missing = chosen.first(where: { !names.contains($0) }) {
            throw BenchmarkError("there is no task '\(missing)' in '\(folder.path)'")
        }
        let writer = JSONWriter(style: .compact)
        return try chosen.map { task in
            let cases = try lines(folder.appendingPathComponent("dev/\(task).jsonl"))
            let prompts = try lines(folder.appendingPathComponent("prompts/\(task).jsonl"))
            guard let header = cases.first, let schema = header["schema"] else {
                throw BenchmarkError("'dev/\(task).jsonl' does not begin with a header that has a schema")
            }
            var summary = Summary(task: task)
            let spec = try SpecLoader.load(Document(value: schema))
            let transformer = try Transformer(model: model, spec: spec, options: options)
            let clock = ContinuousClock()
            let start = clock.now
            for prompt in prompts.prefix(limit ?? .max) {
                guard let id = prompt["id"], let text = prompt["prompt"]?.stringValue else {
                    throw BenchmarkError("a line of 'prompts/\(task).jsonl' has no id or prompt")
                }
                summary.cases += 1
                do {
                    let result = try transformer.transform(rawPrompt: text)
                    let statistics = result.report.statistics
                    summary.valid += 1
                    summary.shortened += result.report.finishReason == .length ? 1 : 0
                    summary.promptTokens += statistics.promptTokens
                    summary.cachedPromptTokens += statistics.cachedPromptTokens
                    summary.outputTokens += statistics.outputTokens
                    summary.forcedTokens += statistics.forcedTokens
                    try write(writer.write(["id": id, "output": .string(result.text)]))
                } catch let error as GenerationError {
                    summary.failures.append("\(id): \(error)")
                    try write(writer.write(["id": id, "output": "", "error": .string(error.description)]))
                } catch let error as TransformationError {
                    summary.failures.append("\(id): \(error)")
                    try write(writer.write(["id": id, "output": "", "error": .string(error.description)]))
                }
                summary.seconds = (clock.now - start).seconds
                progress(summary)
            }
            return summary
        }
    }

    private static func lines(_ file: URL) throws -> [JSONValue] {
        let data: Data
        do {
            data = try Data(contentsOf: file)
        } catch {
            throw BenchmarkError("cannot read '\(file.path)': \(error.localizedDescription)")
        }
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            try JSONReader.read(Array(line), file: file.lastPathComponent).root.value
        }
    }
}

/// A benchmark that cannot run on what it was given.
public struct BenchmarkError: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
