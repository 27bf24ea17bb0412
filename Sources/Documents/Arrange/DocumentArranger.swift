// SPDX-License-Identifier: Apache-2.0

/// Changes the order of members, adds and removes members, and changes quotes, in a text that keeps everything else.
package enum DocumentArranger {
    package struct Result: Sendable {
        package var bytes: [UInt8]
        /// What could not be done, as warnings.
        package var notes: [Diagnostic] = []
        /// The keys that were there twice and have gone, with their places.
        package var duplicates: [(key: String, range: SourceRange)] = []
    }

    /// Arranges a text.
    ///
    /// The result is read again: its value is that of the text with the members that have come and gone, and it has the
    /// same comments.
    ///
    /// - Parameters:
    ///   - arrangement: What is to change in a document, given its number and its value; the value is nil where there
    ///     is none, or where what YAML says is no JSON.
    /// - Throws: ``DiagnosticsError`` with what is wrong with the text, `format.changed` if the result would say
    ///   something else.
    package static func arrange(
        _ source: SourceText, format: DocumentFormat, quotes: QuoteStyle,
        _ arrangement: (Int, Node?) -> Arrangement
    ) throws(DiagnosticsError) -> Result {
        if format == .jsonl { return try arrangeLines(source, arrangement) }
        var result = Result(bytes: source.bytes)
        if quotes != .keep, format == .yaml || format == .toml {
            let old = try Reading(source, format)
            guard let mends = TextMends(QuoteChanger.mends(old.tree, format, quotes)) else { throw changed(source) }
            if !mends.mends.isEmpty {
                result.bytes = mends.apply(to: source.bytes)
                try check(old, result.bytes, source, format)
            }
        }
        let text = SourceText(file: source.file, bytes: result.bytes)
        let old = try Reading(text, format)
        var arranger = TreeArranger(old.tree, format)
        arranger.run { arrangement($0, old.root(of: $0)) }
        result.notes = arranger.notes
        result.duplicates = arranger.duplicates.map { ($0.key, text.range($0.range)) }
            .sorted { $0.range.start < $1.range.start }
        guard !arranger.changes.isEmpty else { return result }
        result.bytes = Rearrangement.apply(arranger.changes, to: text.bytes)
        try check(old, result.bytes, text, format, arranger)
        return result
    }

    /// A text, read.
    private struct Reading {
        var tree: SyntaxTree
        var documents: [Document]?
        var events: YAMLEvents?

        init(_ source: SourceText, _ format: DocumentFormat) throws(DiagnosticsError) {
            guard format == .yaml else {
                let read = try DocumentFormatter.read(source, format)
                (documents, tree) = ([read.document], read.tree)
                return
            }
            tree = try YAMLSyntax.read(source)
            events = try YAMLEvents.read(source, options: .lenient)
            let all = try? YAMLReader.read(source, options: .lenient)
            documents = all?.count == tree.children(of: 0).count ? all : nil
        }

        func root(of document: Int) -> Node? {
            guard let documents, documents.indices.contains(document) else { return nil }
            return documents[document].root
        }

        var comments: [String] {
            tree.comments.map { String(decoding: DocumentFormatter.trimmed($0).utf8, as: UTF8.self) }.sorted()
        }
    }

    /// Compares what two texts say.
    private static func check(
        _ old: Reading, _ bytes: [UInt8], _ source: SourceText, _ format: DocumentFormat,
        _ arranger: TreeArranger? = nil
    ) throws(DiagnosticsError) {
        let new: Reading
        do {
            new = try Reading(SourceText(file: source.file, bytes: bytes), format)
        } catch {
            throw changed(source)
        }
        guard old.comments == new.comments else { throw changed(source) }
        let changesValue =
            arranger.map { !$0.removed.isEmpty || !$0.inserted.isEmpty || !$0.duplicates.isEmpty } ?? false
        if format == .yaml, !changesValue {
            guard let before = old.events, let after = new.events, before.meaning == after.meaning else {
                throw changed(source)
            }
            return
        }
        guard let before = old.documents, let after = new.documents, before.count == after.count else {
            throw changed(source)
        }
        for (number, (before, after)) in zip(before, after).enumerated() {
            var edits = Arrangement()
            edits.removals = arranger?.removed[number] ?? []
            edits.insertions = arranger?.inserted[number] ?? [:]
            let isSame =
                edits.changesValue
                ? edits.apply(to: before.root.value) == after.root.value : before.root.isEqual(after.root)
            guard isSame else { throw changed(source) }
        }
    }

    private static func changed(_ source: SourceText) -> DiagnosticsError {
        DiagnosticsError(
            [
                Diagnostic(
                    "format.changed", "the new order would change what the document says; nothing is changed",
                    range: source.range(0..<0))
            ], sources: [source])
    }

    /// Each line is a document.
    private static func arrangeLines(
        _ source: SourceText, _ arrangement: (Int, Node?) -> Arrangement
    ) throws(DiagnosticsError) -> Result {
        var result = Result(bytes: [])
        var at = 0
        var lines = LineReader(source.bytes)
        var number = 0
        while let line = lines.next() {
            let text = SourceText(
                file: source.file, bytes: Array(source.bytes[line.range]), firstLine: line.number,
                firstOffset: line.range.lowerBound)
            let own = number
            let arranged = try arrange(text, format: .json, quotes: .keep) { _, root in arrangement(own, root) }
            result.bytes += source.bytes[at..<line.range.lowerBound]
            result.bytes += arranged.bytes
            if result.notes.count < 20 { result.notes += arranged.notes }
            result.duplicates += arranged.duplicates
            at = line.range.upperBound
            number += 1
        }
        result.bytes += source.bytes[at...]
        return result
    }
}
