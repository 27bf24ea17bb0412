// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas

/// One run of `validate` over all its files.
struct ValidationRound {
    private let command: ValidateCommand
    private var lookup: SchemaLookup?
    private var files: [SelectedFile] = []
    private var project: Project?
    /// The state of the files when they were selected, before they were read.
    private var snapshot: [String: FileStamp] = [:]

    init(_ command: ValidateCommand) { self.command = command }

    /// Checks all files and reports.
    ///
    /// - Throws: ``CommandFailure`` with the exit status where not all is well.
    mutating func run() throws {
        snapshot = stamps
        project = try command.projectArguments.find()
        var report: (any ValidationReport)? =
            command.quiet ? nil : command.output.report(schema: command.schema ?? "formwork")
        let lookup: SchemaLookup
        do {
            lookup = try SchemaLookup(
                option: command.schema, arguments: command.schemaArguments, project: project,
                unresolved: (command.unresolved ?? project?.unresolved ?? .refuse).policy,
                formats: (command.schemaArguments.formatChoice ?? project?.formats ?? .assert).policy,
                sourcePath: command.source)
            self.lookup = lookup
            _ = try lookup.loadFixed()
            try publish(lookup, &report)
        } catch let failure as DiagnosticsError {
            // It is thrown, which says it already.
            _ = self.lookup?.takeNews()
            try report?.schema(command.schema ?? "--registry", failure.diagnostics, isFatal: true)
            try report?.finish()
            throw failure
        }
        files = try FileSelection.files(command.files, project: project)
        snapshot = stamps
        let counts = try check(lookup, &report)
        try report?.finish()
        if counts.passedOver > 0, !command.quiet {
            let what = counts.passedOver == 1 ? "file without a schema was" : "files without a schema were"
            Console.message("\(counts.passedOver) \(what) passed over")
        }
        if counts.unreadable > 0 { throw CommandFailure(.unreadable) }
        if counts.withoutSchema > 0 { throw CommandFailure(.schemaInvalid) }
        if counts.invalid > 0 { throw CommandFailure(.dataInvalid) }
        // A check that checks nothing must not look like one that has passed.
        if counts.checked == 0, counts.passedOver > 0 {
            throw CommandFailure(.schemaInvalid, "no file has a schema: give --schema, or globs in \(Project.fileName)")
        }
    }

    private struct Counts {
        var checked = 0
        var invalid = 0
        var unreadable = 0
        var withoutSchema = 0
        var passedOver = 0
    }

    private func check(_ lookup: SchemaLookup, _ report: inout (any ValidationReport)?) throws -> Counts {
        let isStrict = command.strict || project?.isStrict == true
        var options = ReadOptions.lenient
        if isStrict { options.duplicateKeys = .error }
        let checker = FileChecker(
            lookup: lookup, options: options, stopsAtFirst: command.failFast, isStrict: isStrict,
            explains: command.explain, extracts: command.extract, standard: command.output.standard)
        var counts = Counts()
        let selected = files
        try OrderedWork.run(selected.count, threads: command.threadCount, work: { checker.check(selected[$0]) }) {
            index, result in
            var result = result
            if result.isDeferred {
                result = try checker.check(
                    linesOf: selected[index],
                    output: { try report?.output($0, file: selected[index].name, place: $1) }
                ) { diagnostics, sources in
                    try report?.found(diagnostics, sources: sources)
                }
            }
            try publish(lookup, &report)
            if result.isPassedOver {
                counts.passedOver += 1
                return true
            }
            for output in result.outputs { 
                try report?.output(output.value, file: result.verdict.name, place: output.place)
            }
            for problem in result.problems {
                try report?.found(problem.diagnostics, sources: problem.sources)
                // What has no verdict on data is said even if nobody wants to hear of verdicts.
                if command.quiet, result.verdict.isUnreadable || result.lacksSchema {
                    for diagnostic in problem.diagnostics where diagnostic.severity == .error {
                        Console.error(diagnostic.message)
                    }
                }
            }
            if result.verdict.isUnreadable {
                counts.unreadable += 1
            } else if result.lacksSchema {
                counts.withoutSchema += 1
            } else {
                counts.checked += 1
                if !result.verdict.isValid { counts.invalid += 1 }
            }
            try report?.end(result.verdict)
            return result.verdict.isValid || !command.failFast
        }
        return counts
    }

    /// Says what is new about schemas.
    private func publish(_ lookup: SchemaLookup, _ report: inout (any ValidationReport)?) throws {
        for news in lookup.takeNews() {
            Console.report(news.diagnostics, sources: news.sources)
            try report?.schema(news.name, news.diagnostics, isFatal: false)
        }
    }

    // MARK: Watching

    /// How often files are looked at.
    private static let interval = 0.3

    /// The files that are known before anything is read.
    private var stamps: [String: FileStamp] {
        var paths = Set(files.map(\.path))
        if let schema = command.schema { paths.insert(schema) }
        if let source = command.source { paths.insert(source) }
        if !command.projectArguments.noProject { paths.insert(project?.path ?? Project.fileName) }
        paths.remove("-")
        return Dictionary(uniqueKeysWithValues: paths.map { ($0, FileStamp($0)) })
    }

    /// The files whose changes are waited for, as they were before they were read; schemas are found on the way.
    var watched: [String: FileStamp] {
        snapshot.merging(lookup?.stamps ?? [:]) { first, _ in first }
    }

    /// Waits until one of the files has changed, came or went, or others are found in the folders.
    func waitForChange(of known: [String: FileStamp]) {
        let names = files.map(\.path)
        while true {
            Thread.sleep(forTimeInterval: Self.interval)
            if known.contains(where: { FileStamp($0.key) != $0.value }) { return }
            guard !names.isEmpty else { continue }
            let now = (try? FileSelection.files(command.files, project: project))?.map(\.path)
            if let now, now != names { return }
        }
    }
}

/// What tells that a file has changed; a file that is not there has a stamp, too.
struct FileStamp: Hashable {
    private var device = 0
    private var number: UInt64 = 0
    private var size = -1
    private var seconds = 0
    private var nanoseconds = 0

    init(_ path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return }
        device = Int(truncatingIfNeeded: information.st_dev)
        number = UInt64(information.st_ino)
        size = Int(information.st_size)
        #if os(Linux)
            seconds = Int(information.st_mtim.tv_sec)
            nanoseconds = Int(information.st_mtim.tv_nsec)
        #else
            seconds = Int(information.st_mtimespec.tv_sec)
            nanoseconds = Int(information.st_mtimespec.tv_nsec)
        #endif
    }
}
