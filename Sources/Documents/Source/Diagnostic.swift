// SPDX-License-Identifier: Apache-2.0

/// The stable name of a kind of problem, such as `json.duplicate-key`; never reused for another.
public struct DiagnosticID: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String

    public init(_ rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { self.rawValue = value }
    public var description: String { rawValue }
}

/// Something the user should know about a document they gave us.
///
/// The message is one lower-case phrase without a full stop and names the thing in 'quotes'.
public struct Diagnostic: Error, Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable { case error, warning, note }

    public var id: DiagnosticID
    public var severity: Severity
    public var message: String
    /// Where in the source text.
    public var range: SourceRange?
    /// Where in the value, for clients that have no text.
    public var path: JSONPointer?
    /// Related places, such as where something was first defined.
    public var notes: [Diagnostic]
    /// What to do about it.
    public var help: String?

    public init(
        _ id: DiagnosticID,
        _ message: String,
        severity: Severity = .error,
        range: SourceRange? = nil,
        path: JSONPointer? = nil,
        notes: [Diagnostic] = [],
        help: String? = nil
    ) {
        self.id = id
        self.severity = severity
        self.message = message
        self.range = range
        self.path = path
        self.notes = notes
        self.help = help
    }

    /// A note for another diagnostic.
    public static func note(_ message: String, range: SourceRange?) -> Diagnostic {
        Diagnostic("note", message, severity: .note, range: range)
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `file:line:column: severity: message [id]`, without the excerpt.
    public var description: String {
        let place = range.map { "\($0): " } ?? path.map { $0.tokens.isEmpty ? "" : "\($0): " } ?? ""
        return "\(place)\(severity.rawValue): \(message) [\(id)]"
    }
}

/// What a stage throws at its end if any diagnostic is an error.
public struct DiagnosticsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The diagnostics in the order found, warnings included.
    public var diagnostics: [Diagnostic]
    /// The texts that the ranges refer to, for excerpts.
    public var sources: [SourceText]

    public init(_ diagnostics: [Diagnostic], sources: [SourceText] = []) {
        self.diagnostics = diagnostics
        self.sources = sources
    }

    public static func == (a: DiagnosticsError, b: DiagnosticsError) -> Bool { a.diagnostics == b.diagnostics }
    public func hash(into hasher: inout Hasher) { hasher.combine(diagnostics) }
    /// The diagnostics as rendered text with excerpts.
    public var description: String { DiagnosticRenderer(sources: sources).text(diagnostics) }
}
