// SPDX-License-Identifier: Apache-2.0

import Documents

/// Workflow commands of GitHub Actions: each problem becomes an annotation at its line.
struct GitHubReport: ValidationReport {
    private var files = 0
    private var invalid = 0

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) throws(CommandFailure) {
        for diagnostic in diagnostics { try Console.line(Self.annotation(diagnostic)) }
    }

    mutating func end(_ verdict: FileVerdict) {
        files += 1
        if !verdict.isValid { invalid += 1 }
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) throws(CommandFailure) {
        try found(diagnostics, sources: [])
    }

    mutating func finish() throws(CommandFailure) {
        try Console.line("\(files) \(files == 1 ? "file" : "files") checked, \(invalid) with errors")
    }

    private static func annotation(_ diagnostic: Diagnostic) -> String {
        let command =
            switch diagnostic.severity {
            case .error: "error"
            case .warning: "warning"
            case .note: "notice"
            }
        var properties: [(String, String)] = []
        // The log shows the message alone, so the place is in it as well.
        var place = ""
        if let range = diagnostic.range {
            if let path = ReportText.path(range.file) {
                properties.append(("file", path))
                place = path + ":"
            }
            properties.append(("line", String(range.start.line)))
            // Columns are for places within one line.
            if range.end.line == range.start.line {
                properties.append(("endLine", String(range.end.line)))
                properties.append(("col", String(range.start.column)))
                properties.append(("endColumn", String(max(range.start.column, range.end.column - 1))))
            }
            place += "\(range.start): "
        }
        properties.append(("title", diagnostic.id.rawValue))
        let list = properties.map { "\($0)=\(property($1))" }.joined(separator: ",")
        return "::\(command) \(list)::\(data(DiagnosticRenderer.printable(place) + ReportText.full(diagnostic)))"
    }

    /// The escapes of a message.
    private static func data(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": result += "%25"
            case "\r": result += "%0D"
            case "\n": result += "%0A"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The escapes of a property's value.
    private static func property(_ text: String) -> String {
        data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }
}
