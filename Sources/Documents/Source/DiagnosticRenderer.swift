// SPDX-License-Identifier: Apache-2.0

/// Writes diagnostics for people and for programs.
///
/// The text form shows the place, the message and an excerpt:
///
///     invoice.yaml:14:7: error: 'minimum' is greater than 'maximum' [schema.empty-range]
///        14 |       minimum: 20
///           |       ^~~~~~~~~~~
///           = help: swap the bounds or remove one
public struct DiagnosticRenderer: Sendable {
    /// The texts that excerpts are taken from, found by file name.
    public var sources: [SourceText]
    /// Whether to use terminal colours.
    public var color: Bool

    /// How many characters of a line are shown at most; longer lines are cut around the place.
    static let maximumExcerpt = 160

    public init(sources: [SourceText] = [], color: Bool = false) {
        self.sources = sources
        self.color = color
    }

    /// The diagnostics one after the other, each with its excerpt, notes and help, ending in a line end.
    public func text(_ diagnostics: [Diagnostic]) -> String {
        diagnostics.map(text).joined()
    }

    /// One diagnostic with its excerpt, notes and help, ending in a line end.
    public func text(_ diagnostic: Diagnostic) -> String {
        var lines: [String] = []
        var head = ""
        if let range = diagnostic.range {
            head += bold("\(range):") + " "
        } else if let path = diagnostic.path, !path.tokens.isEmpty {
            head += bold("\(Self.printable(path.description)):") + " "
        }
        head += paint("\(diagnostic.severity.rawValue):", diagnostic.severity) + " "
        head += bold(Self.printable(diagnostic.message))
        if diagnostic.severity != .note { head += " [\(diagnostic.id)]" }
        lines.append(head)

        // Notes in the same text are shown in its excerpt, in line order; others follow as lines of their own.
        var marks: [(range: SourceRange, note: String?)] = []
        if let range = diagnostic.range { marks.append((range, nil)) }
        var apart: [Diagnostic] = []
        for note in diagnostic.notes {
            if let range = note.range, diagnostic.range != nil, range.file == diagnostic.range?.file,
                note.notes.isEmpty
            {
                marks.append((range, note.message))
            } else {
                apart.append(note)
            }
        }
        let gutter = max(4, marks.map { String($0.range.start.line).count }.max() ?? 0) + 1
        let bar = String(repeating: " ", count: gutter) + " |"
        var previous: Int?
        for mark in marks.sorted(by: { $0.range.start < $1.range.start }) {
            guard let source = source(for: mark.range) else { continue }
            let number = mark.range.start.line
            guard let excerpt = Self.excerpt(source, mark.range) else { continue }
            // A line without text shows nothing.
            if mark.note == nil, excerpt.text.allSatisfy(\.isWhitespace) { continue }
            if previous != number {
                if let previous, number > previous + 1 { lines.append(String(repeating: " ", count: gutter) + " …") }
                let label = String(number)
                lines.append(String(repeating: " ", count: gutter - label.count) + label + " | " + excerpt.text)
            }
            previous = number
            let pad = String(repeating: " ", count: excerpt.indent)
            if let note = mark.note {
                let line = paint(String(repeating: "-", count: excerpt.width), .note)
                lines.append("\(bar) \(pad)\(line) note: \(Self.printable(note))")
            } else {
                let line = "^" + String(repeating: "~", count: excerpt.width - 1)
                lines.append("\(bar) \(pad)\(paint(line, diagnostic.severity))")
            }
        }
        if let help = diagnostic.help {
            lines.append(String(repeating: " ", count: gutter) + " = help: " + Self.printable(help))
        }
        return lines.joined(separator: "\n") + "\n" + apart.map { "  " + text($0) }.joined()
    }

    private func source(for range: SourceRange) -> SourceText? {
        // Each line of a file may be a text of its own.
        sources.first {
            $0.file == range.file && $0.firstLine <= range.start.line && range.start.line < $0.firstLine + $0.lineCount
        }
    }

    private func bold(_ text: String) -> String { color ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    private func paint(_ text: String, _ severity: Diagnostic.Severity) -> String {
        guard color else { return text }
        let code =
            switch severity {
            case .error: "1;31"
            case .warning: "1;33"
            case .note: "1;36"
            }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    /// Text in which control characters cannot reach the terminal.
    package static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\t" {
                result += " "
            } else if isControl(scalar) {
                result += "\u{FFFD}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// A line with the place in it: columns before the mark and columns of the mark.
    private static func excerpt(
        _ source: SourceText, _ range: SourceRange
    ) -> (text: String, indent: Int, width: Int)? {
        guard let line = source.line(range.start.line) else { return nil }
        var scalars = Array(line.unicodeScalars)
        var start = min(max(range.start.column - 1, 0), scalars.count)
        var end = range.end.line == range.start.line ? min(range.end.column - 1, scalars.count) : scalars.count
        var (before, after) = ("", "")
        if scalars.count > maximumExcerpt {
            let low = max(0, min(start - maximumExcerpt / 3, scalars.count - maximumExcerpt))
            let high = min(scalars.count, low + maximumExcerpt)
            (before, after) = (low > 0 ? "…" : "", high < scalars.count ? "…" : "")
            scalars = Array(scalars[low..<high])
            start -= low
            end = min(end - low, scalars.count)
        }
        func text(_ part: ArraySlice<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: part)
            return printable(String(view))
        }
        func columns(_ part: ArraySlice<Unicode.Scalar>) -> Int {
            part.reduce(0) { $0 + Self.width($1) }
        }
        let indent = before.count + columns(scalars[..<start])
        let width = start < end ? columns(scalars[start..<end]) : 0
        return (before + text(scalars[...]) + after, indent, max(width, 1))
    }

    /// The terminal columns that a scalar takes, near enough for carets.
    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}

extension DiagnosticRenderer {
    /// The diagnostics as a JSON array of objects with id, severity, message, file, range, path, notes and help.
    public func json(_ diagnostics: [Diagnostic]) -> JSONValue { .array(diagnostics.map(json)) }

    /// One diagnostic as a JSON object.
    public func json(_ diagnostic: Diagnostic) -> JSONValue {
        var object = JSONObject()
        object["id"] = .string(diagnostic.id.rawValue)
        object["severity"] = .string(diagnostic.severity.rawValue)
        object["message"] = .string(diagnostic.message)
        if let range = diagnostic.range {
            if let file = range.file { object["file"] = .string(file) }
            object["range"] = ["start": Self.json(range.start), "end": Self.json(range.end)]
        }
        if let path = diagnostic.path { object["path"] = .string(path.description) }
        if !diagnostic.notes.isEmpty { object["notes"] = json(diagnostic.notes) }
        if let help = diagnostic.help { object["help"] = .string(help) }
        return .object(object)
    }

    private static func json(_ position: SourcePosition) -> JSONValue {
        [
            "line": .number(DecimalNumber(position.line)), "column": .number(DecimalNumber(position.column)),
            "offset": .number(DecimalNumber(position.offset)),
        ]
    }
}
