// SPDX-License-Identifier: Apache-2.0

import Documents

/// A code quality report of GitLab: an array with an object for each problem.
struct GitLabReport: ValidationReport {
    private var issues: [JSONValue] = []
    private var problems = ProblemCollector<Diagnostic>()
    private var fingerprints = Fingerprints()

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) {
        problems.add(diagnostics) { $0 }
    }

    mutating func end(_ verdict: FileVerdict) {
        add(problems.take(for: verdict.name), name: verdict.name)
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) {
        add(diagnostics, name: name)
    }

    mutating func finish() throws(CommandFailure) {
        try Console.line(JSONWriter(style: .pretty(indent: 2)).write(.array(issues)))
    }

    private mutating func add(_ diagnostics: [Diagnostic], name: String) {
        for diagnostic in diagnostics {
            // Every issue must have a file; standard input is shown under its name.
            let path = ReportText.path(diagnostic.range?.file ?? name) ?? "stdin"
            var object = JSONObject()
            object["description"] = .string(ReportText.full(diagnostic))
            object["check_name"] = .string(diagnostic.id.rawValue)
            object["fingerprint"] = .string(fingerprints.next(diagnostic, file: path))
            object["severity"] = .string(Self.severity(diagnostic.severity))
            var lines = JSONObject()
            lines["begin"] = .number(DecimalNumber(diagnostic.range?.start.line ?? 1))
            if let range = diagnostic.range { lines["end"] = .number(DecimalNumber(range.end.line)) }
            object["location"] = ["path": .string(path), "lines": .object(lines)]
            issues.append(.object(object))
        }
    }

    private static func severity(_ severity: Diagnostic.Severity) -> String {
        switch severity {
        case .error: "major"
        case .warning: "minor"
        case .note: "info"
        }
    }
}
