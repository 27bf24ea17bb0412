// SPDX-License-Identifier: Apache-2.0

/// Problems found while reading, by byte offset; lines and columns are computed only when there are any.
struct ProblemList {
    struct Problem {
        var id: DiagnosticID
        var severity: Diagnostic.Severity
        var message: String
        var range: Range<Int>
        var notes: [(message: String, range: Range<Int>)] = []
        var help: String?
    }

    private(set) var problems: [Problem] = []
    private var errors = 0
    private var warnings = 0
    let limit: Int

    init(limit: Int) { self.limit = max(1, limit) }

    var hasErrors: Bool { errors > 0 }

    /// Whether so many errors were found that reading stops. Warnings never stop it.
    var isFull: Bool { errors >= limit }

    mutating func add(
        _ id: DiagnosticID, _ message: String, _ range: Range<Int>, severity: Diagnostic.Severity = .error,
        notes: [(message: String, range: Range<Int>)] = [], help: String? = nil
    ) {
        if severity == .error {
            errors += 1
            guard errors <= limit else { return }
        } else {
            warnings += 1
            guard warnings <= limit else { return }
        }
        problems.append(
            Problem(id: id, severity: severity, message: message, range: range, notes: notes, help: help))
    }

    func diagnostics(_ source: SourceText) -> [Diagnostic] {
        var result = problems.map { problem in
            Diagnostic(
                problem.id, problem.message, severity: problem.severity, range: source.range(problem.range),
                notes: problem.notes.map { .note($0.message, range: source.range($0.range)) }, help: problem.help)
        }
        if warnings > limit {
            result.append(
                Diagnostic(
                    "document.more-warnings", "\(warnings - limit) more warnings are not shown", severity: .warning))
        }
        return result
    }

    /// The duplicate keys of a tree as problems.
    mutating func add(
        duplicates: [(first: UInt32, again: UInt32)], in tree: Tree, bytes: UnsafeBufferPointer<UInt8>,
        policy: ReadOptions.DuplicateKeys
    ) {
        for duplicate in duplicates {
            let key = tree.records[Int(duplicate.again)]
            let first = tree.records[Int(duplicate.first)]
            let range = Int(key.first)..<(Int(key.first) + Int(key.count))
            let text =
                key.flags.contains(.ownText)
                ? String(decoding: tree.texts[range], as: UTF8.self) : String(decoding: bytes[range], as: UTF8.self)
            add(
                "document.duplicate-key", "duplicate key '\(text)'", Int(key.start)..<Int(key.end),
                severity: policy == .error ? .error : .warning,
                notes: [("first used here", Int(first.start)..<Int(first.end))],
                help: policy == .error
                    ? "remove or rename one of them"
                    : "readers differ in which of the values they take; the last counts")
        }
    }
}
