// SPDX-License-Identifier: Apache-2.0

public import Documents
import Foundation
public import JSONSchemas

/// Runs the official JSON Schema test suite against an engine: `bench suite`.
///
///     let report = try SuiteBench.run(path: "suite.tar.gz", engine: .validator)
///     print(report.text())
///
/// The suite is a folder with `tests/` and `remotes/`, or a `.tar.gz` of one. References to `http://localhost:1234/`
/// are answered from `remotes/`. Formats are asserted in `optional/format` and annotations elsewhere.
public enum SuiteBench {
    /// Something that decides whether instances are valid.
    public struct Engine: Sendable {
        /// Decides about one instance.
        public typealias Judge = (Node) throws -> Bool

        /// The name in reports.
        public var name: String
        /// Compiles a schema; an error means that the engine refuses it.
        public var prepare: @Sendable (SchemaGraph, FormatPolicy) throws -> Judge
        /// Whether it is the validator, which has annotations and the output formats of the specification too.
        var reportsMore = false

        /// Creates an engine.
        ///
        /// - Parameters:
        ///   - name: The name in reports.
        ///   - prepare: Compiles a schema; it throws to refuse it.
        public init(name: String, prepare: @escaping @Sendable (SchemaGraph, FormatPolicy) throws -> Judge) {
            self.name = name
            self.prepare = prepare
        }

        /// The validator. Its full report is compared with its quick answer on each instance.
        public static let validator: Engine = {
            var engine = judge
            engine.reportsMore = true
            return engine
        }()

        private static let judge = Engine(name: "validator") { graph, formats in
            let validator = Validator(graph, formats: formats)
            return { node in
                let isValid = validator.isValid(node)
                let violations = validator.validate(node)
                guard violations.isEmpty == isValid else {
                    throw SuiteError("the report and the quick check disagree")
                }
                return isValid
            }
        }
    }

    /// How a test ended, from right to worst.
    public enum Outcome: String, CaseIterable, Sendable {
        case pass
        /// The engine does not take the schema.
        case refused
        /// A valid instance was not accepted.
        case falseNegative
        /// An invalid instance was accepted.
        case falsePositive
    }

    /// Numbers of tests by outcome.
    public struct Counts: Sendable {
        public private(set) var byOutcome: [Outcome: Int] = [:]

        public var total: Int { byOutcome.values.reduce(0, +) }
        public var passed: Int { byOutcome[.pass, default: 0] }

        public subscript(outcome: Outcome) -> Int { byOutcome[outcome, default: 0] }

        mutating func add(_ outcome: Outcome) { byOutcome[outcome, default: 0] += 1 }
        mutating func add(_ other: Counts) { byOutcome.merge(other.byOutcome, uniquingKeysWith: +) }
    }

    /// What is tested.
    public enum Part: String, CaseIterable, Sendable {
        /// Whether values are valid.
        case verdicts
        /// What schemas say about valid values.
        case annotations
        /// The output formats of the specification.
        case output
    }

    /// The result for one file of the suite.
    public struct FileResult: Sendable {
        public var draft: Draft
        public var isOptional: Bool
        /// The path below the draft's folder.
        public var file: String
        public var counts: Counts
        /// What the file is about.
        public var part = Part.verdicts
    }

    /// A test that did not pass.
    public struct Failure: Sendable, CustomStringConvertible {
        public var draft: Draft
        public var isOptional: Bool
        public var file: String
        /// The descriptions of the group and of the test.
        public var group: String
        public var test: String
        public var outcome: Outcome
        public var reason: String?

        public var description: String {
            "\(draft.rawValue)/\(file): \(group): \(test): \(outcome.rawValue)" + (reason.map { ": \($0)" } ?? "")
        }
    }

    /// Why the suite could not be run.
    public struct SuiteError: Error, CustomStringConvertible {
        public var description: String
        init(_ description: String) { self.description = description }
    }

    /// Runs the suite.
    ///
    /// - Parameters:
    ///   - path: The suite's folder, or a `.tar.gz` of it.
    ///   - engine: What is tested.
    ///   - drafts: The drafts to run; all by default.
    /// - Throws: ``SuiteError`` if there is no suite at the path.
    public static func run(path: String, engine: Engine, drafts: [Draft] = Draft.allCases) throws -> Report {
        try DataFolder.open(path) { try run(folder: $0, engine: engine, drafts: drafts) }
    }

    private static func run(folder: String, engine: Engine, drafts: [Draft]) throws -> Report {
        let manager = FileManager.default
        var root = folder
        if !manager.fileExists(atPath: root + "/tests") {
            // Archives often hold one folder with everything in it.
            let inner = (try manager.contentsOfDirectory(atPath: root)).map { root + "/" + $0 }
            guard let found = inner.first(where: { manager.fileExists(atPath: $0 + "/tests") }) else {
                throw SuiteError("there is no 'tests' folder in '\(folder)'")
            }
            root = found
        }
        var registry = SchemaRegistry()
        registry.add(folder: root + "/remotes", prefix: "http://localhost:1234/")
        var report = Report(engine: engine.name)
        for entry in try manager.contentsOfDirectory(atPath: root + "/tests").sorted() {
            let folder = root + "/tests/" + entry
            let kind = try manager.attributesOfItem(atPath: folder)[.type] as? FileAttributeType
            guard kind == .typeDirectory else { continue }
            guard let draft = Draft(rawValue: entry) else {
                report.skipped.append(entry)
                continue
            }
            guard drafts.contains(draft) else { continue }
            let files = manager.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            for file in files.sorted() where file.hasSuffix(".json") {
                try run(file: file, in: folder, draft: draft, engine: engine, registry: registry, into: &report)
            }
        }
        if engine.reportsMore {
            try runAnnotations(root: root, drafts: drafts, into: &report)
            try runOutputs(root: root, drafts: drafts, into: &report)
        }
        return report
    }

    private static func run(
        file: String, in folder: String, draft: Draft, engine: Engine, registry: SchemaRegistry,
        into report: inout Report
    ) throws {
        guard let data = FileManager.default.contents(atPath: folder + "/" + file) else {
            throw SuiteError("'\(folder)/\(file)' cannot be read")
        }
        let document = try JSONReader.read([UInt8](data), file: file)
        let isOptional = file.hasPrefix("optional/")
        let formats: FormatPolicy = file.hasPrefix("optional/format/") ? .assert : .annotate
        var result = FileResult(draft: draft, isOptional: isOptional, file: file, counts: Counts())
        for group in document.root.elements {
            guard let schema = group["schema"], let tests = group["tests"] else {
                throw SuiteError("'\(file)' is not a file of the suite")
            }
            var judge: Engine.Judge?
            var refusal: String?
            var isUnsatisfiable = false
            do {
                let options = SchemaOptions(defaultDialect: Dialect(draft), metaschemaCheck: .off)
                let graph = try SchemaGraph.load(
                    Document(value: schema.value).root, options: options, registry: registry)
                judge = try engine.prepare(graph, formats)
            } catch let error as DiagnosticsError {
                refusal = error.diagnostics.first { $0.severity == .error }?.description ?? "refused"
                // Saying that nothing is valid is the verdict on every instance.
                isUnsatisfiable = error.diagnostics.first?.id == "constraint.unsatisfiable"
            } catch {
                refusal = "\(error)"
            }
            for test in tests.elements {
                guard let data = test["data"], let valid = test["valid"]?.boolValue else {
                    throw SuiteError("'\(file)' is not a file of the suite")
                }
                var outcome = Outcome.refused
                var reason = refusal
                if isUnsatisfiable {
                    outcome = valid ? .falseNegative : .pass
                } else if let judge {
                    do {
                        let accepted = try judge(data)
                        outcome = accepted == valid ? .pass : (valid ? .falseNegative : .falsePositive)
                    } catch {
                        outcome = valid ? .falseNegative : .falsePositive
                        reason = "\(error)"
                    }
                }
                result.counts.add(outcome)
                if outcome != .pass {
                    report.failures.append(
                        Failure(
                            draft: draft, isOptional: isOptional, file: file,
                            group: group["description"]?.stringValue ?? "",
                            test: test["description"]?.stringValue ?? "", outcome: outcome, reason: reason))
                }
            }
        }
        report.files.append(result)
    }

    /// What came out.
    public struct Report: Sendable {
        public var engine: String
        public var files: [FileResult] = []
        public var failures: [Failure] = []
        /// Folders of the suite that hold no supported draft.
        public var skipped: [String] = []

        /// The counts of a draft's required or optional tests.
        public func counts(_ draft: Draft, optional: Bool) -> Counts {
            var sum = Counts()
            for file in files where file.draft == draft && file.isOptional == optional && file.part == .verdicts {
                sum.add(file.counts)
            }
            return sum
        }

        /// The counts of a part of the suite over all drafts.
        public func counts(_ part: Part) -> Counts {
            var sum = Counts()
            for file in files where file.part == part { sum.add(file.counts) }
            return sum
        }

        /// Whether every required test passed, from draft 4 on.
        public var requiredPass: Bool { !failures.contains { !$0.isOptional && $0.draft >= .draft4 } }

        /// The report for people.
        ///
        /// - Parameter listsFiles: Whether each file has a line, or only those with failures.
        public func text(listsFiles: Bool = false) -> String {
            var lines = ["engine: \(engine)"]
            func line(_ name: String, _ counts: Counts) -> String {
                var text = name.padding(toLength: max(44, name.count), withPad: " ", startingAt: 0)
                text += " \(counts.passed)/\(counts.total)"
                for outcome in Outcome.allCases.dropFirst() where counts[outcome] > 0 {
                    text += "  \(outcome.rawValue) \(counts[outcome])"
                }
                return text
            }
            for draft in Draft.allCases where files.contains(where: { $0.draft == draft }) {
                for optional in [false, true] {
                    let own = files.filter { $0.draft == draft && $0.isOptional == optional && $0.part == .verdicts }
                    let name = "\(draft.rawValue) \(optional ? "optional" : "required")"
                    lines.append(line(name, counts(draft, optional: optional)))
                    for file in own where listsFiles || file.counts.passed < file.counts.total {
                        lines.append(line("    " + file.file, file.counts))
                    }
                }
            }
            for part in Part.allCases.dropFirst() where files.contains(where: { $0.part == part }) {
                lines.append(line(part.rawValue, counts(part)))
                for file in files where file.part == part && (listsFiles || file.counts.passed < file.counts.total) {
                    lines.append(line("    \(file.draft.rawValue) " + file.file, file.counts))
                }
            }
            if !skipped.isEmpty { lines.append("skipped: " + skipped.joined(separator: ", ")) }
            if !failures.isEmpty {
                lines.append("failures:")
                lines += failures.map { "    \($0)" }
            }
            return lines.joined(separator: "\n") + "\n"
        }
    }
}
