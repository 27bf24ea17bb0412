// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

/// `--output` of `validate`.
enum ValidationOutput: String, CaseIterable, ExpressibleByArgument {
    case auto, text, json, github, gitlab, sarif, junit, tap
    // The formats of the JSON Schema specification.
    case flag, basic, list, hierarchical

    /// The report in this form; `auto` is `github` where a step of GitHub Actions runs, else `text`.
    func report(schema: String) -> any ValidationReport {
        switch self {
        case .auto:
            let inside = ProcessInfo.processInfo.environment["GITHUB_ACTIONS"] == "true"
            return inside ? GitHubReport() : TextReport()
        case .text: return TextReport()
        case .json: return JSONReport()
        case .github: return GitHubReport()
        case .gitlab: return GitLabReport()
        case .sarif: return SARIFReport()
        case .junit: return JUnitReport(schema: schema)
        case .tap: return TAPReport()
        case .flag, .basic, .list, .hierarchical: return StandardReport()
        }
    }

    /// The format of the specification, where it is one.
    var standard: StandardOutput? { StandardOutput(rawValue: rawValue) }
}

/// What became of one file.
struct FileVerdict {
    /// As the user gave it; `<stdin>` for standard input.
    var name: String
    /// Whether it was read and every value in it is valid.
    var isValid: Bool
    /// Whether the file could not be opened, as against a mistake in its text.
    var isUnreadable = false
    /// How many values a file of JSON Lines has, and how many of them are invalid.
    var lines: (values: Int, invalid: Int)?
    /// How long reading and checking took.
    var duration = Duration.zero
}

/// Writes what `validate` finds for one kind of reader.
///
/// For each file come its problems, in any number of portions, and then the verdict.
protocol ValidationReport {
    /// Takes in problems of the file that comes next, with the texts that they point at.
    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) throws(CommandFailure)
    /// Takes in the verdict of the specification's output formats on a document of the file that comes next.
    ///
    /// - Parameter place: Which of the file's documents it is, from 1; a line in JSON Lines.
    mutating func output(_ value: JSONValue, file: String, place: DocumentPlace) throws(CommandFailure)
    /// Takes in the verdict on the file whose problems came last.
    mutating func end(_ verdict: FileVerdict) throws(CommandFailure)
    /// Takes in what is wrong with the schema; where `isFatal`, no file was checked.
    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) throws(CommandFailure)
    /// Writes what is left.
    mutating func finish() throws(CommandFailure)
}

/// Which of the documents of a file.
enum DocumentPlace {
    case only
    case document(Int)
    case line(Int)
}

extension ValidationReport {
    mutating func output(_ value: JSONValue, file: String, place: DocumentPlace) throws(CommandFailure) {}
}

/// The problems of one file for reports that are written at the end: as many as a reader will look at.
struct ProblemCollector<Item> {
    /// How many problems of a file are listed.
    static var limit: Int { 1_000 }

    private(set) var items: [Item] = []
    private var left = 0

    mutating func add(_ diagnostics: [Diagnostic], _ item: (Diagnostic) -> Item) {
        for diagnostic in diagnostics {
            if items.count < Self.limit { items.append(item(diagnostic)) } else { left += 1 }
        }
    }

    /// The problems of the file; says so on standard error where they are not all.
    mutating func take(for name: String) -> [Item] {
        if left > 0 { Console.message("\(name): \(items.count) of \(items.count + left) problems are listed") }
        defer { self = ProblemCollector() }
        return items
    }
}

/// For people: each problem with its excerpt, as it is found.
struct TextReport: ValidationReport {
    private var anyFound = false

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) throws(CommandFailure) {
        guard !diagnostics.isEmpty else { return }
        anyFound = true
        try Console.write(DiagnosticRenderer(sources: sources).text(diagnostics))
    }

    mutating func end(_ verdict: FileVerdict) throws(CommandFailure) {
        if let (values, invalid) = verdict.lines {
            let result = verdict.isValid ? "valid, \(values) values" : "\(invalid) of \(values) values are invalid"
            try Console.line("\(verdict.name): " + result)
        } else {
            // A blank line ends the problems of a file.
            try Console.line(anyFound ? "" : "\(verdict.name): valid")
        }
        anyFound = false
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) {}
    mutating func finish() {}
}

/// For programs: an array with an object for each file.
struct JSONReport: ValidationReport {
    private var files: [JSONValue] = []
    private var problems = ProblemCollector<JSONValue>()

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) {
        let renderer = DiagnosticRenderer(sources: sources)
        problems.add(diagnostics) { renderer.json($0) }
    }

    mutating func end(_ verdict: FileVerdict) {
        var object = JSONObject()
        object["file"] = .string(verdict.name)
        object["valid"] = .bool(verdict.isValid)
        if let (values, invalid) = verdict.lines {
            object["values"] = .number(DecimalNumber(values))
            object["invalid"] = .number(DecimalNumber(invalid))
        }
        object["diagnostics"] = .array(problems.take(for: verdict.name))
        files.append(.object(object))
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) {
        guard isFatal else { return }
        found(diagnostics, sources: [])
        end(FileVerdict(name: name, isValid: false))
    }

    mutating func finish() throws(CommandFailure) {
        try Console.line(JSONWriter(style: .pretty(indent: 2)).write(.array(files)))
    }
}
