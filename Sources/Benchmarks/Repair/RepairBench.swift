// SPDX-License-Identifier: Apache-2.0

package import Documents
package import Foundation
package import JSONSchemas

/// Damages valid documents in known ways and counts how many a repair brings back.
package enum RepairBench {
    /// What came of the cases of one kind.
    package struct Tally: Sendable {
        package var cases = 0
        /// The value is the original one.
        package var recovered = 0
        /// No repair was made.
        package var refused = 0
        package var ambiguous = 0
        /// The document is valid, but not the original one.
        package var wrong = 0
        /// Repaired documents that are not valid.
        package var invalid = 0
        /// Documents that rules could not repair and a model has completed, and those that have the original value then.
        package var completed = 0
        package var completedRight = 0

        package static func + (a: Tally, b: Tally) -> Tally {
            Tally(
                cases: a.cases + b.cases, recovered: a.recovered + b.recovered, refused: a.refused + b.refused,
                ambiguous: a.ambiguous + b.ambiguous, wrong: a.wrong + b.wrong, invalid: a.invalid + b.invalid,
                completed: a.completed + b.completed, completedRight: a.completedRight + b.completedRight)
        }
    }

    package struct Report: Sendable {
        package var kinds: [String: Tally] = [:]
        package var total: Tally { kinds.values.reduce(Tally(), +) }
        /// Values that a repair has changed in documents whose text was sound, though the schema allowed them.
        package var validChanged = 0
        package var files = 0
        /// Files that could not be used: too large, not to be read, or with a schema that is not to be compiled.
        package var skipped = 0
        package var seconds = 0.0

        mutating func count(_ kind: String, _ change: (inout Tally) -> Void) { change(&kinds[kind, default: Tally()]) }

        package var text: String {
            func row(_ name: String, _ tally: Tally) -> String {
                let share =
                    tally.cases > 0 ? String(format: "%.1f", Double(tally.recovered) * 100 / Double(tally.cases)) : "-"
                return
                    "\(name) \(tally.cases) \(tally.recovered) \(share) \(tally.refused) \(tally.ambiguous) \(tally.wrong) \(tally.invalid) \(tally.completed) \(tally.completedRight)"
            }
            let lines = kinds.keys.sorted().map { row($0, kinds[$0] ?? Tally()) }
            return
                (["kind cases recovered % refused ambiguous wrong invalid completed right"] + lines + [
                    row("all", total)
                ]
                + ["valid values changed: \(validChanged); \(files) files, \(skipped) left out, \(String(format: "%.1f", seconds)) s"])
                .joined(separator: "\n")
        }
    }

    /// Gives what completes the repairs under a schema, such as a model.
    package typealias Helper = (LoadedSpec, SchemaRegistry, Validator) -> (DocumentRepair) throws -> DocumentRepair

    /// Lets a helper complete what rules could not repair.
    private static func complete(
        _ repair: DocumentRepair, _ expected: JSONValue, _ validator: Validator,
        _ helper: ((DocumentRepair) throws -> DocumentRepair)?, _ tally: inout Tally, note: (String) -> Void
    ) {
        guard repair.outcome == .failed, repair.rest != nil, let helper else { return }
        let completed: DocumentRepair
        do { completed = try helper(repair) } catch {
            note("not completed: \(error)")
            return
        }
        let judged = judge(completed, expected, validator)
        tally.completed += judged.recovered + judged.wrong
        tally.completedRight += judged.recovered
        tally.invalid += judged.invalid
    }

    /// Runs cases with known answers: a header with the schema, then `{"id", "input", "expected", "meta"}` per line.
    ///
    /// - Parameter note: Receives a line for each case that does not come back.
    package static func run(
        cases: URL, helper: Helper? = nil, note: (String) -> Void
    ) throws -> Report {
        let rows = try lines(cases)
        guard let schema = rows.first?["schema"] else {
            throw BenchmarkError("'\(cases.path)' does not begin with a header that has a schema")
        }
        let validator = Validator(try SchemaGraph.load(Document(value: schema).root))
        var report = Report()
        let start = ContinuousClock.now
        for row in rows.dropFirst() {
            guard let input = row["input"]?.stringValue, let expected = row["expected"] else { continue }
            report.files += 1
            let format = row["meta"]?["format"]?.stringValue.flatMap { DocumentFormat(rawValue: $0) }
            var options = Repairer.Options()
            options.format = format
            let repair = Repairer.repair(Array(input.utf8), file: nil, validator: validator, options: options)
            let kinds = row["meta"]?["mutations"]?.arrayValue?.compactMap(\.stringValue) ?? ["unnamed"]
            var outcome = judge(repair, expected, validator)
            complete(
                repair, expected, validator,
                helper?(try SpecLoader.load(Document(value: schema)), SchemaRegistry(), validator), &outcome,
                note: { note("\(row["id"]?.stringValue ?? "") \($0)") })
            if let read = try? DocumentReader.read(Array(input.utf8), format: format, options: .lenient),
                repair.outcome == .repaired, let value = repair.values.first
            {
                report.validChanged += changed(read, value, validator)
            }
            report.kinds["\(format?.rawValue ?? "text") with \(kinds.count) faults", default: Tally()] =
                report.kinds["\(format?.rawValue ?? "text") with \(kinds.count) faults", default: Tally()] + outcome
            if outcome.recovered == 0 {
                note(
                    "\(row["id"]?.stringValue ?? "") \(kinds.joined(separator: "+")): \(repair.outcome.rawValue) \(repair.problems.map(\.message).joined(separator: "; "))"
                )
            }
        }
        report.seconds = seconds(since: start)
        return report
    }

    private static func judge(_ repair: DocumentRepair, _ expected: JSONValue, _ validator: Validator) -> Tally {
        var tally = Tally(cases: 1)
        switch repair.outcome {
        case .failed: tally.refused = 1
        case .ambiguous: tally.ambiguous = 1
        case .repaired, .unchanged:
            // Read again from the text, not taken from the report.
            guard let document = try? DocumentReader.read(repair.bytes, format: repair.format, options: .lenient),
                validator.isValid(document.root)
            else {
                tally.invalid = 1
                return tally
            }
            if document.root.value == expected { tally.recovered = 1 } else { tally.wrong = 1 }
        }
        return tally
    }

    /// Damages the valid files of a folder with `cases.jsonl`, `schemas/` and the files.
    ///
    /// - Parameters:
    ///   - each: Damages of each kind per file.
    ///   - faults: Damages at once; with more than one the kinds are drawn.
    package static func run(
        folder: URL, each: Int, faults: Int, seed: UInt64, every: Int, only: Set<String>, maximumBytes: Int,
        helper: Helper? = nil,
        note: (String) -> Void, progress: (Int) -> Void
    ) throws -> Report {
        var registry = SchemaRegistry()
        for scheme in ["http", "https"] {
            for host in ["json.schemastore.org", "www.schemastore.org"] {
                registry.add(folder: folder.appendingPathComponent("schemas").path, prefix: "\(scheme)://\(host)/")
            }
        }
        let options = SchemaOptions(metaschemaCheck: .off, unresolvedReferences: .deferred)
        var validators: [String: Validator] = [:]
        var helpers: [String: (DocumentRepair) throws -> DocumentRepair] = [:]
        var report = Report()
        let start = ContinuousClock.now
        for (number, row) in try lines(folder.appendingPathComponent("cases.jsonl")).enumerated()
        where number % every == 0 {
            guard row["valid"] == true, let schema = row["schema"]?.stringValue,
                let instance = row["instance"]?.stringValue
            else { continue }
            let path = folder.appendingPathComponent(instance).path
            guard let bytes = try? SourceFile.read(path), bytes.count <= maximumBytes,
                let document = try? DocumentReader.read(bytes, file: path, options: .strict)
            else {
                report.skipped += 1
                continue
            }
            if validators[schema] == nil {
                guard
                    let loaded = try? DocumentReader.read(
                        path: folder.appendingPathComponent(schema).path, options: .lenient),
                    let graph = try? SchemaGraph.load(loaded.root, options: options, registry: registry)
                else {
                    report.skipped += 1
                    continue
                }
                validators[schema] = Validator(graph, formats: .annotate)
            }
            if let helper, helpers[schema] == nil, let validator = validators[schema],
                let spec = try? SpecLoader.load(
                    path: folder.appendingPathComponent(schema).path, options: SchemaOptions(metaschemaCheck: .off),
                    registry: registry)
            {
                helpers[schema] = helper(spec, registry, validator)
            }
            guard let validator = validators[schema], validator.isValid(document.root) else {
                report.skipped += 1
                continue
            }
            report.files += 1
            progress(report.files)
            for (index, kind) in Mutation.allCases.enumerated() where only.isEmpty || only.contains(kind.rawValue) {
                for turn in 0..<each {
                    var random = FuzzRandom(seed: seed, number, index, turn)
                    guard var damaged = kind.apply(document, &random) else { continue }
                    var count = 1
                    for _ in 0..<(faults > 1 ? 4 * faults : 0) where count < faults {
                        // Further damage needs a text that can still be taken apart, and must be seen by itself.
                        guard let again = try? DocumentReader.read(damaged, file: path, options: .lenient),
                            !validator.isValid(again.root)
                        else { break }
                        guard let more = random.pick(Mutation.allCases).apply(again, &random),
                            (try? DocumentReader.read(more, file: path, options: .lenient)) == nil
                        else { continue }
                        damaged = more
                        count += 1
                    }
                    if count < faults { continue }
                    check(
                        damaged, document, path, kind, validator, helpers[schema], &report,
                        note: { note("\(instance) \(turn): \($0)") })
                }
            }
        }
        report.seconds = seconds(since: start)
        return report
    }

    private static func check(
        _ damaged: [UInt8], _ document: Document, _ path: String, _ kind: Mutation, _ validator: Validator,
        _ helper: ((DocumentRepair) throws -> DocumentRepair)?, _ report: inout Report, note: (String) -> Void
    ) {
        let read = try? DocumentReader.read(damaged, file: path, options: .lenient)
        // What is still valid is no damage that anyone could see.
        if let read, validator.isValid(read.root) { return }
        let repair = Repairer.repair(damaged, file: path, validator: validator)
        var tally = judge(repair, document.root.value, validator)
        complete(repair, document.root.value, validator, helper, &tally, note: note)
        report.kinds[kind.rawValue, default: Tally()] = report.kinds[kind.rawValue, default: Tally()] + tally
        if let read, repair.outcome == .repaired, let value = repair.values.first {
            report.validChanged += changed(read, value, validator)
        }
        if tally.recovered == 0 {
            let why =
                tally.wrong > 0
                ? repair.changes.map { "\($0.range.start) \($0.message): \($0.before) -> \($0.after)" }
                : repair.problems.map { "\($0.range.map { "\($0.start) " } ?? "")\($0.message)" }
            note(
                "\(kind.rawValue) \(tally.wrong > 0 ? "wrong" : repair.outcome.rawValue): \(why.prefix(3).joined(separator: "; "))"
            )
        }
    }

    /// Scalars at places without a violation in or above them that a repair has changed.
    private static func changed(_ before: Document, _ after: JSONValue, _ validator: Validator) -> Int {
        var places = Set<JSONPointer>()
        func add(_ violations: [Violation]) {
            for violation in violations {
                places.insert(violation.instanceLocation)
                add(violation.causes)
            }
        }
        add(validator.validate(before.root))
        var count = 0
        var open: [(node: Node, pointer: JSONPointer)] = [(before.root, .root)]
        while let (node, pointer) = open.popLast() {
            switch node.kind {
            case .object:
                for member in node.members {
                    let inner = pointer.appending(member.key)
                    // A key at fault may have been renamed, with all that is inside.
                    if places.contains(inner), inner.evaluate(after) == nil { continue }
                    open.append((member.value, inner))
                }
            case .array:
                for (index, element) in node.elements.enumerated() { open.append((element, pointer.appending(index))) }
            default:
                if places.contains(pointer) { continue }
                if let value = pointer.evaluate(after), value == node.value { continue }
                // Its object may have had a misspelt key where one is missing, or it lies in what was replaced.
                let isCovered = (0..<pointer.tokens.count).contains {
                    places.contains(JSONPointer(Array(pointer.tokens.prefix($0))))
                }
                if !isCovered { count += 1 }
            }
        }
        return count
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let time = (ContinuousClock.now - start).components
        return Double(time.seconds) + Double(time.attoseconds) / 1e18
    }

    private static func lines(_ file: URL) throws -> [JSONValue] {
        guard let data = try? Data(contentsOf: file) else { throw BenchmarkError("cannot read '\(file.path)'") }
        return try data.split(separator: UInt8(ascii: "\n")).map {
            try JSONReader.read(Array($0), file: file.lastPathComponent).root.value
        }
    }
}
