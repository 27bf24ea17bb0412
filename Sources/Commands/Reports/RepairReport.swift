// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// A repair for people and for programs.
enum RepairReport {
    /// One change as a line.
    static func line(_ change: DocumentRepair.Change, name: String) -> String {
        let pointer = change.pointer.map { $0.tokens.isEmpty ? "" : " \($0)" } ?? ""
        var text = "\(name):\(change.range.start.line):\(change.range.start.column):\(pointer) \(change.message)"
        if !change.before.isEmpty || !change.after.isEmpty {
            text += ": \(shown(change.before)) -> \(shown(change.after))"
        }
        return text + " [\(change.id)]"
    }

    private static func shown(_ text: String) -> String {
        if text.isEmpty { return "nothing" }
        let isPlain =
            text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } && text.first != " "
            && text.last != " "
        return isPlain ? text : JSONWriter.quoted(text)
    }

    /// The repair as JSON.
    static func value(_ repair: DocumentRepair, name: String) -> JSONValue {
        var report: JSONObject = [
            "file": .string(name), "outcome": .string(repair.outcome.rawValue),
            "notation": .string(repair.format.rawValue),
        ]
        report.append(key: "changes", value: .array(repair.changes.map(change)))
        report.append(
            key: "patch",
            value: repair.patches.count > 1
                ? .array(repair.patches.map { .array($0) }) : .array(repair.patches.first ?? []))
        if repair.outcome == .repaired || repair.outcome == .unchanged {
            report.append(key: "text", value: .string(String(decoding: repair.bytes, as: UTF8.self)))
            report.append(key: "rewritten", value: .bool(repair.isRewritten))
            if !repair.warnings.isEmpty { report.append(key: "warnings", value: problems(repair.warnings)) }
        } else {
            report.append(key: "problems", value: problems(repair.problems))
        }
        return .object(report)
    }

    private static func problems(_ problems: [Diagnostic]) -> JSONValue {
        .array(
            problems.map { problem in
                var entry: JSONObject = ["id": .string(problem.id.rawValue), "message": .string(problem.message)]
                if let path = problem.path { entry.append(key: "pointer", value: .string(path.description)) }
                if let range = problem.range { entry.append(key: "place", value: place(range.start)) }
                return .object(entry)
            })
    }

    private static func place(_ position: SourcePosition) -> JSONValue {
        [
            "line": .number(DecimalNumber(position.line)), "column": .number(DecimalNumber(position.column)),
            "offset": .number(DecimalNumber(position.offset)),
        ]
    }

    private static func change(_ change: DocumentRepair.Change) -> JSONValue {
        var entry: JSONObject = [
            "id": .string(change.id.rawValue), "message": .string(change.message), "start": place(change.range.start),
            "end": place(change.range.end),
        ]
        if let pointer = change.pointer { entry.append(key: "pointer", value: .string(pointer.description)) }
        entry.append(key: "before", value: .string(change.before))
        entry.append(key: "after", value: .string(change.after))
        return .object(entry)
    }
}
