// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Generation
import JSONSchemas
import Jobs
import Transformations

/// `transform --jsonl`: a document for each line of a file.
extension TransformCommand {
    /// A line of the input.
    private struct Line {
        var number: Int
        /// The member `id` of an object.
        var id: JSONValue?
        var text: Result<String, CommandFailure>
    }

    func runLines(_ path: String, _ spec: LoadedSpec) throws {
        let lines: LineStream
        do {
            lines = try LineStream(path: path)
        } catch {
            throw CommandFailure(.unreadable, "\(error)")
        }
        // Standard input is gone after the run: there is nothing to go on with.
        var journal: LineJournal?
        var output: FileOutput?
        if let out {
            do {
                if path == "-" {
                    output = try FileOutput(path: out)
                } else {
                    journal = try LineJournal(
                        output: out, fingerprint: try fingerprint(path, spec), startsAnew: restart)
                }
            } catch let error as JobError {
                let hint =
                    error.code == .otherJob
                    ? "; --restart forgets them" : error.code == .inUse ? ": it is being written already" : ""
                throw CommandFailure(.unreadable, error.message + hint)
            }
        }
        let before = journal?.done.count ?? 0
        if before > 0 { Console.message("going on: \(before) lines are done already") }
        let transformer = try Transformer(model: try modelArguments.load(), spec: spec, options: options)
        var waiting: [Line] = []
        var (done, failed) = (0, 0)
        do {
            try transformer.transform(
                next: {
                    while let line = try lines.next() {
                        if journal?.done.contains(line.number) == true { continue }
                        let read = read(line)
                        waiting.append(read)
                        return read.text.mapError { $0 }
                    }
                    return nil
                }, sequences: sequences
            ) { _, outcome in
                let line = waiting.removeFirst()
                let result = result(of: line, outcome)
                done += 1
                failed += result.hasFailed ? 1 : 0
                if let journal {
                    try journal.record(result)
                } else if let output {
                    try output.write(line: result.text)
                } else {
                    try Console.line(result.text)
                }
                if Console.errorIsTerminal { Console.progress("\(before + done) lines, \(failed) failed") }
            }
            Console.endProgress()
            if let journal {
                failed = try journal.counts().failed
                try journal.finish()
            }
            try output?.finish()
        } catch let error as JobError {
            throw CommandFailure(.unreadable, error.message)
        } catch let error as DocumentError {
            throw CommandFailure(.unreadable, error.message)
        }
        guard failed == 0 else {
            throw CommandFailure(.dataInvalid, "\(failed) of \(before + done) lines could not be transformed; each says why")
        }
    }

    private func read(_ line: LineStream.Line) -> Line {
        var read = Line(number: line.number, id: nil, text: .success(""))
        do {
            let value = try JSONReader.read(line.bytes, file: nil).root.value
            read.id = value["id"]
            guard let text = value.stringValue ?? value[textField]?.stringValue else {
                let found = value.objectValue == nil ? "neither a text nor an object" : "an object without a text '\(textField)'"
                read.text = .failure(CommandFailure(.dataInvalid, "the line is \(found)"))
                return read
            }
            read.text = .success(text)
        } catch {
            let first = error.diagnostics.first
            let column = first?.range.map { " at column \($0.start.column)" } ?? ""
            read.text = .failure(CommandFailure(.dataInvalid, "the line is not JSON\(column): \(first?.message ?? "")"))
        }
        return read
    }

    private func result(of line: Line, _ outcome: Result<Transformation, any Error>) -> LineResult {
        var object: JSONObject = ["line": .number(DecimalNumber(line.number))]
        if let id = line.id { object.append(key: "id", value: id) }
        var hasFailed = false
        switch outcome {
        case .success(let transformation):
            object.append(key: "value", value: transformation.document.root.value)
            if transformation.report.finishReason != .stop {
                object.append(key: "finish_reason", value: .string(transformation.report.finishReason.rawValue))
            }
            if report || probabilities { object.append(key: "report", value: transformation.report.value) }
        case .failure(let error):
            hasFailed = true
            let (code, message): (String, String) =
                switch error {
                case let error as CommandFailure: ("input.invalid-line", error.message)
                case let error as GenerationError: (error.code.description, error.message)
                case let error as TransformationError: (error.code.description, error.message)
                case let error as DiagnosticsError:
                    (error.diagnostics.first?.id.rawValue ?? "invalid", error.diagnostics.first?.message ?? "\(error)")
                default: ("failed", "\(error)")
                }
            object.append(key: "error", value: ["code": .string(code), "message": .string(message)])
        }
        return LineResult(
            number: line.number, hasFailed: hasFailed, text: JSONWriter(style: .compact).write(.object(object)))
    }

    /// Stands for all that results depend on.
    private func fingerprint(_ path: String, _ spec: LoadedSpec) throws -> String {
        var fingerprint = Fingerprint()
        let writer = JSONWriter(style: .compact)
        fingerprint.add(SchemaRendering.compact(spec.schema.root))
        fingerprint.add(spec.instruction ?? "")
        for example in spec.examples { fingerprint.add(example.input + "\n" + writer.write(example.output)) }
        fingerprint.add("\(options)")
        fingerprint.add(textField)
        fingerprint.add("\(report || probabilities)")
        let model = URL(fileURLWithPath: try modelArguments.path()).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: model)
        fingerprint.add("\(model) \(attributes?[.size] as? Int ?? 0) \((attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)")
        for adapter in try modelArguments.adapterArguments.adapters {
            fingerprint.add("\(adapter.scale)")
            try fingerprint.add(file: adapter.path)
        }
        try fingerprint.add(file: path)
        return fingerprint.text
    }
}
