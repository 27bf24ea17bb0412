// SPDX-License-Identifier: Apache-2.0

import Documents

/// The output formats of the JSON Schema specification: an array with an object for each document.
///
/// Each has `file` and `output`, which is what the specification describes; `document` where a file has several, `line` in
/// JSON Lines; `diagnostics` where there is no value to judge because the text is broken or the schema is not known.
/// Elements are written as they come.
struct StandardReport: ValidationReport {
    private var problems = ProblemCollector<JSONValue>()
    private var isEmpty = true

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) {
        let renderer = DiagnosticRenderer(sources: sources)
        // What is wrong with values is in the output.
        let others = diagnostics.filter { $0.severity == .error && !$0.id.rawValue.hasPrefix("value.") }
        problems.add(others) { renderer.json($0) }
    }

    mutating func output(_ value: JSONValue, file: String, place: DocumentPlace) throws(CommandFailure) {
        var object: JSONObject = ["file": .string(file)]
        switch place {
        case .only: break
        case .document(let number): object["document"] = .number(DecimalNumber(number))
        case .line(let number): object["line"] = .number(DecimalNumber(number))
        }
        object["output"] = value
        try write(object)
    }

    mutating func end(_ verdict: FileVerdict) throws(CommandFailure) {
        let found = problems.take(for: verdict.name)
        guard !found.isEmpty else { return }
        try write(["file": .string(verdict.name), "output": ["valid": false], "diagnostics": .array(found)])
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) throws(CommandFailure) {
        guard isFatal else { return }
        found(diagnostics, sources: [])
        try end(FileVerdict(name: name, isValid: false))
    }

    mutating func finish() throws(CommandFailure) {
        try Console.line(isEmpty ? "[]" : "\n]")
    }

    private mutating func write(_ object: JSONObject) throws(CommandFailure) {
        try Console.write((isEmpty ? "[\n" : ",\n") + JSONWriter(style: .compact).write(.object(object)))
        isEmpty = false
    }
}
