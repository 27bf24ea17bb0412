// SPDX-License-Identifier: Apache-2.0

import Documents

/// The Test Anything Protocol, version 14: each file is a test point.
struct TAPReport: ValidationReport {
    private var count = 0
    private var problems = ProblemCollector<JSONValue>()

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) {
        let renderer = DiagnosticRenderer(sources: sources)
        problems.add(diagnostics) { renderer.json($0) }
    }

    mutating func end(_ verdict: FileVerdict) throws(CommandFailure) {
        try begin()
        count += 1
        var text = "\(verdict.isValid ? "ok" : "not ok") \(count) - \(Self.description(verdict.name))\n"
        let found = problems.take(for: verdict.name)
        if !found.isEmpty {
            // Readers of these blocks often know YAML 1.1 only; the writer's text is right for them, too.
            let block = YAMLWriter().write(["diagnostics": .array(found)])
            text += "  ---\n"
            for line in block.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                text += line.isEmpty ? "\n" : "  \(line)\n"
            }
            text += "  ...\n"
        }
        try Console.write(text)
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) throws(CommandFailure) {
        guard isFatal else { return }
        try begin()
        let message = diagnostics.first { $0.severity == .error }?.message ?? "no file was checked"
        try Console.line("Bail out! " + Self.description("the schema \(name): \(message)"))
        hasEnded = true
    }

    mutating func finish() throws(CommandFailure) {
        guard !hasEnded else { return }
        try begin()
        try Console.line("1..\(count)")
    }

    private var hasBegun = false
    private var hasEnded = false

    private mutating func begin() throws(CommandFailure) {
        guard !hasBegun else { return }
        hasBegun = true
        try Console.line("TAP version 14")
    }

    /// A text on one line in which nothing can be taken for a directive.
    private static func description(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\\" || scalar == "#" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return DiagnosticRenderer.printable(result)
    }
}
