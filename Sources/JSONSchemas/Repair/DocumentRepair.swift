// SPDX-License-Identifier: Apache-2.0

package import Documents

/// What became of a damaged text.
package struct DocumentRepair: Sendable {
    package enum Outcome: String, Sendable {
        /// The text needed no change.
        case unchanged
        /// The text was changed, and is valid now.
        case repaired
        /// Several readings are equally likely and differ.
        case ambiguous
        /// No safe change makes the text valid.
        case failed
    }

    /// One change, as it is told.
    package struct Change: Sendable {
        package var id: DiagnosticID
        package var message: String
        /// The place in the text before the repair.
        package var range: SourceRange
        package var pointer: JSONPointer?
        /// What was there and what is there now; text for changes of the text, JSON for changes of values.
        package var before: String
        package var after: String
    }

    package var outcome: Outcome
    /// The text before.
    package var source: SourceText
    package var format: DocumentFormat
    /// The text after; the text before unless the outcome is ``Outcome/repaired``.
    package var bytes: [UInt8]
    package var changes: [Change] = []
    /// The operations that lead from the values as read to those after, per document.
    package var patches: [[JSONValue]] = []
    /// What is in the way of a repair.
    package var problems: [Diagnostic] = []
    /// What is odd in the text after the repair, but no mistake.
    package var warnings: [Diagnostic] = []
    /// Texts that the problems point into.
    package var sources: [SourceText] = []
    /// Whether the layout could not be kept.
    package var isRewritten = false
    /// The values after the repair, or as far as it got.
    package var values: [JSONValue] = []
    /// The text that was read and what could not be mended, for whoever has other means.
    package var rest: Rest?

    /// A text that can be read but is not valid.
    package struct Rest: Sendable {
        package var reading: TextReading
        package var mendings: [SchemaMending]
    }
}

/// Repairs documents: the text first, then the values that the schema does not allow.
///
///     let repair = Repairer.repair(bytes, file: "settings.json", validator: Validator(spec.graph))
///     if repair.outcome == .repaired { write(repair.bytes) }
package enum Repairer {
    package struct Options: Sendable {
        package var format: DocumentFormat?
        package var schema = SchemaMender.Options()
        package init() {}
    }

    private struct Candidate {
        var reading: TextReading
        var mendings: [SchemaMending]
        var cost: Int
        var weight: Int
        var isValid: Bool { weight == 0 }
        var values: [JSONValue] { mendings.map(\.value) }
    }

    /// The most readings whose values are mended.
    private static let maximumCandidates = 24

    /// Repairs a text.
    ///
    /// - Parameter validator: What the values must fit; nil repairs the text only.
    package static func repair(
        _ bytes: [UInt8], file: String?, validator: Validator?, options: Options = Options()
    ) -> DocumentRepair {
        var result = mend(bytes, file: file, validator: validator, options: options)
        if result.outcome == .unchanged || result.outcome == .repaired { dropDuplicates(&result, validator) }
        return result
    }

    /// Takes away members that are there twice with the same value. Those with different values stay: which one was
    /// meant cannot be known.
    private static func dropDuplicates(_ result: inout DocumentRepair, _ validator: Validator?) {
        let source = SourceText(file: result.source.file, bytes: result.bytes)
        var request = Arrangement()
        request.dropsDuplicates = true
        guard
            let arranged = try? DocumentArranger.arrange(
                source, format: result.format, quotes: .keep, { _, _ in request })
        else { return }
        result.warnings = arranged.notes
        guard !arranged.duplicates.isEmpty, arranged.bytes != result.bytes,
            let documents = try? DocumentReader.readAll(
                SourceText(file: result.source.file, bytes: arranged.bytes), format: result.format, options: .lenient),
            result.outcome == .unchanged || documents.map(\.root.value) == result.values,
            documents.allSatisfy({ validator?.isValid($0.root) ?? true })
        else { return }
        result.outcome = .repaired
        result.bytes = arranged.bytes
        result.changes += arranged.duplicates.map { duplicate in
            DocumentRepair.Change(
                id: "text.duplicate-key", message: "the key '\(duplicate.key)' is there twice with the same value",
                range: duplicate.range, pointer: nil, before: duplicate.key, after: "")
        }
        if result.patches.isEmpty { result.patches = documents.map { _ in [] } }
    }

    private static func mend(
        _ bytes: [UInt8], file: String?, validator: Validator?, options: Options
    ) -> DocumentRepair {
        let source = SourceText(file: file, bytes: bytes)
        let named = options.format ?? file.flatMap(DocumentReader.format(ofFile:))
        let format = named ?? DocumentReader.guess(bytes)
        var result = DocumentRepair(outcome: .failed, source: source, format: format, bytes: bytes)
        var candidates: [Candidate] = []
        do {
            let strict = try DocumentMender.strictReading(bytes, file: file, format: format)
            let candidate = candidate(strict, validator, options)
            // A text without structure is hardly what was meant where a schema wants structure.
            let isProse = validator != nil && strict.documents.allSatisfy { $0.root.kind == .string || $0.root.isNull }
            if candidate.isValid || !isProse { return finish(candidate, &result, validator) }
            candidates.append(candidate)
        } catch {
            result.problems = error.diagnostics
            result.sources = error.sources
        }
        var limit = Int.max
        for reading in DocumentMender.readings(bytes, file: file, format: format, isCertain: named != nil).prefix(
            maximumCandidates)
        {
            guard reading.cost <= limit else { break }
            let candidate = candidate(reading, validator, options)
            if candidate.isValid { limit = min(limit, candidate.cost) }
            candidates.append(candidate)
        }
        guard let first = candidates.min(by: { ($0.weight, $0.cost) < ($1.weight, $1.cost) }) else { return result }
        let rivals = candidates.filter { $0.isValid && $0.cost == first.cost && $0.values != first.values }
        if first.isValid, !rivals.isEmpty {
            result.outcome = .ambiguous
            let pick = ([first] + rivals).prefix(2).map {
                $0.reading.mends.mends.first.map { "\($0.message) (\(source.position(at: $0.range.lowerBound)))" } ?? ""
            }
            result.problems = [
                Diagnostic(
                    "repair.ambiguous",
                    "the text can be mended in \(rivals.count + 1) ways that mean different things: \(pick.joined(separator: ", or: "))",
                    range: source.range(first.reading.mends.mends.first?.range ?? 0..<0))
            ]
            result.sources = [source]
            return result
        }
        return finish(first, &result, validator)
    }

    private static func candidate(_ reading: TextReading, _ validator: Validator?, _ options: Options) -> Candidate {
        guard let validator else {
            let mendings = reading.documents.map {
                SchemaMending(value: $0.root.value, mends: [], violations: [], notes: [], before: [], edits: [])
            }
            return Candidate(reading: reading, mendings: mendings, cost: reading.cost, weight: 0)
        }
        let mendings = reading.documents.map { SchemaMender.mend($0.root, validator, options: options.schema) }
        return Candidate(
            reading: reading, mendings: mendings, cost: mendings.reduce(reading.cost) { $0 + $1.cost },
            weight: mendings.reduce(0) { $0 + SchemaMender.weight($1.violations) })
    }

    /// Makes the text of the repair, and checks it.
    private static func finish(_ candidate: Candidate, _ result: inout DocumentRepair, _ validator: Validator?)
        -> DocumentRepair
    {
        let reading = candidate.reading
        result.format = reading.format
        result.values = candidate.values
        guard candidate.isValid else {
            result.outcome = .failed
            result.problems += problems(candidate)
            result.sources += reading.documents.compactMap(\.source)
            result.rest = DocumentRepair.Rest(reading: reading, mendings: candidate.mendings)
            return result
        }
        result.problems = []
        result.sources = []
        if reading.mends.mends.isEmpty, candidate.mendings.allSatisfy(\.mends.isEmpty) {
            result.outcome = .unchanged
            return result
        }
        return complete(reading, candidate.mendings, &result, validator)
    }

    /// Writes the text for mended values.
    package static func complete(
        _ reading: TextReading, _ mendings: [SchemaMending], _ result: inout DocumentRepair, _ validator: Validator?
    ) -> DocumentRepair {
        let values = mendings.map(\.value)
        guard let text = write(reading, mendings, result.source.file) else {
            result.outcome = .failed
            result.problems.append(
                Diagnostic(
                    "repair.layout",
                    "the changes cannot be written into the \(reading.format.rawValue.uppercased()) text"))
            return result
        }
        // What is written is read and checked again, by what reads and checks every document.
        guard
            let documents = try? DocumentReader.readAll(
                text.bytes, file: result.source.file, format: reading.format, options: .lenient),
            documents.map(\.root.value) == values, documents.allSatisfy({ validator?.isValid($0.root) ?? true })
        else {
            result.outcome = .failed
            result.problems.append(Diagnostic("repair.check", "the repaired text does not read as it should"))
            return result
        }
        result.outcome = .repaired
        result.bytes = text.bytes
        result.isRewritten = text.isRewritten
        result.values = values
        result.changes = changes(reading, mendings, result.source)
        result.patches = mendings.map { patch($0.mends) }
        return result
    }

    // MARK: Text

    private static func write(
        _ reading: TextReading, _ mendings: [SchemaMending], _ file: String?
    ) -> (bytes: [UInt8], isRewritten: Bool)? {
        if mendings.allSatisfy(\.mends.isEmpty) { return (reading.bytes, false) }
        var edits: [TextMend] = []
        var isInPlace = true
        for (index, mending) in mendings.enumerated() where !mending.edits.isEmpty {
            guard let made = DocumentEditor(reading.documents[index], format: reading.format).mends(mending.edits)
            else {
                isInPlace = false
                break
            }
            let base = reading.bases[index]
            edits += made.map { mend in
                var moved = mend
                moved.range = (mend.range.lowerBound + base)..<(mend.range.upperBound + base)
                return moved
            }
        }
        if isInPlace, let ordered = TextMends(edits) {
            let text = ordered.apply(to: reading.bytes)
            if let documents = try? DocumentReader.readAll(text, file: file, format: reading.format, options: .lenient),
                documents.map(\.root.value) == mendings.map(\.value)
            {
                return (text, false)
            }
        }
        // Written anew; TOML has no writer.
        let text: String
        switch reading.format {
        case .toml: return nil
        case .yaml:
            let parts = mendings.map { YAMLWriter().write($0.value) }
            text = parts.count == 1 ? parts[0] : parts.map { "---\n" + $0 }.joined()
        case .jsonl: text = mendings.map { JSONWriter(style: .compact).write($0.value) + "\n" }.joined()
        case .json, .jsonc, .json5:
            text = mendings.map { JSONWriter(style: .pretty(indent: 2)).write($0.value) + "\n" }.joined()
        }
        return (Array(text.utf8), true)
    }

    // MARK: Reports

    private static func problems(_ candidate: Candidate) -> [Diagnostic] {
        var found: [Diagnostic] = []
        for mending in candidate.mendings {
            found +=
                (mending.violations.isEmpty
                ? []
                : mending.before.filter { before in
                    mending.violations.contains {
                        $0.instanceLocation == before.instanceLocation && $0.keyword == before.keyword
                    }
                }).map(\.diagnostic)
            if found.isEmpty { found += mending.violations.map(\.diagnostic) }
            found += mending.notes.map { Diagnostic("repair.ambiguous", $0) }
        }
        return found
    }

    private static func changes(_ reading: TextReading, _ mendings: [SchemaMending], _ source: SourceText)
        -> [DocumentRepair.Change]
    {
        func text(_ bytes: some Sequence<UInt8>) -> String {
            let all = Array(bytes)
            let short = all.count > 200 ? all.prefix(197) + Array("...".utf8) : all[...]
            return String(decoding: short, as: UTF8.self)
        }
        var changes: [DocumentRepair.Change] = []
        var shift = 0
        for mend in reading.mends.mends {
            let place = mend.range.lowerBound + shift
            shift += mend.replacement.count - mend.range.count
            changes.append(
                DocumentRepair.Change(
                    id: mend.id, message: mend.message, range: source.range(mend.range),
                    pointer: pointer(place, reading),
                    before: text(source.bytes[mend.range]), after: text(mend.replacement)))
        }
        for (index, mending) in mendings.enumerated() {
            let document = reading.documents[index]
            for mend in mending.mends {
                let node = mend.origin?.evaluate(document.root)
                var isKey = false
                if case .rename = mend.change { isKey = true }
                let range = (isKey ? node?.keyNode?.byteRange ?? node?.byteRange : node?.byteRange) ?? 0..<0
                let base = reading.bases[index]
                let start = reading.mends.oldOffset(of: range.lowerBound + base)
                let end = max(start, reading.mends.oldOffset(of: range.upperBound + base))
                let (before, after): (String, String) =
                    switch mend.change {
                    case .rename(let from, let to): (JSONWriter.quoted(from), JSONWriter.quoted(to))
                    case .replace(let from, let to, let spelling): (from.description, spelling ?? to.description)
                    case .wrap(let value): (value.description, "[\(value.description)]")
                    case .insert(let key, let value): ("", "\(JSONWriter.quoted(key)): \(value.description)")
                    case .remove(let value):
                        ("\(JSONWriter.quoted(mend.pointer.tokens.last ?? "")): \(value.description)", "")
                    }
                changes.append(
                    DocumentRepair.Change(
                        id: mend.id, message: mend.message, range: source.range(start..<end), pointer: mend.pointer,
                        before: text(before.utf8), after: text(after.utf8)))
            }
        }
        return changes
    }

    /// The deepest value that covers a place of the mended text.
    private static func pointer(_ place: Int, _ reading: TextReading) -> JSONPointer? {
        for (index, document) in reading.documents.enumerated() {
            let place = place - reading.bases[index]
            var node = document.root
            guard let range = node.byteRange, range.contains(place) || range.upperBound == place else { continue }
            while true {
                let children = node.kind == .array ? Array(node.elements) : node.members.map(\.value)
                guard
                    let inner = children.first(where: {
                        guard let range = $0.byteRange else { return false }
                        // The key of a table may stand elsewhere.
                        return min(range.lowerBound, $0.keyNode?.byteRange?.lowerBound ?? range.lowerBound) <= place
                            && place <= range.upperBound
                    })
                else { return node.pointer }
                node = inner
            }
        }
        return nil
    }

    /// The changes as JSON Patch (RFC 6902), in the order in which they were made.
    package static func patch(_ mends: [ValueMend]) -> [JSONValue] {
        mends.map { mend in
            switch mend.change {
            case .rename(_, let to):
                return [
                    "op": "move", "from": .string(mend.pointer.description),
                    "path": .string((mend.pointer.parent ?? .root).appending(to).description),
                ]
            case .replace(_, let to, _):
                return ["op": "replace", "path": .string(mend.pointer.description), "value": to]
            case .wrap(let value):
                return ["op": "replace", "path": .string(mend.pointer.description), "value": .array([value])]
            case .insert(let key, let value):
                return ["op": "add", "path": .string(mend.pointer.appending(key).description), "value": value]
            case .remove: return ["op": "remove", "path": .string(mend.pointer.description)]
            }
        }
    }
}
