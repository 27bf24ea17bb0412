// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// What became of a file.
struct FileResult: Sendable {
    var verdict: FileVerdict
    /// Its problems, with the texts that they point at.
    var problems: [(diagnostics: [Diagnostic], sources: [SourceText])] = []
    /// What the specification's output formats say about its documents.
    var outputs: [(value: JSONValue, place: DocumentPlace)] = []
    /// It has no schema and nobody has asked for this very file.
    var isPassedOver = false
    /// It could not be checked for want of a schema.
    var lacksSchema = false
    /// Whether it is left to the thread that reports, which reads it line by line.
    var isDeferred = false
}

/// Checks files, each with its schema; from any thread.
struct FileChecker: Sendable {
    let lookup: SchemaLookup
    let options: ReadOptions
    /// Whether a file is done with at the first invalid line.
    let stopsAtFirst: Bool
    /// Whether properties that no schema names are mistakes.
    let isStrict: Bool
    /// Whether to say what schemas want.
    let explains: Bool
    /// Whether documents are looked for inside of other text.
    var extracts = false
    /// The output format of the specification that is asked for.
    var standard: StandardOutput?

    /// Whether a file is read line by line, in constant memory.
    static func isLines(_ file: SelectedFile) -> Bool {
        file.path != "-" && DocumentReader.format(ofFile: file.path) == .jsonl
    }

    /// Checks the documents of a file that is not read line by line.
    func check(_ file: SelectedFile) -> FileResult {
        var result = FileResult(verdict: FileVerdict(name: file.name, isValid: true))
        guard !Self.isLines(file) || file.problem != nil else {
            result.isDeferred = true
            return result
        }
        let start = ContinuousClock.now
        if let problem = file.problem {
            result.fail(problem, isUnreadable: true)
        } else {
            do {
                try check(file, Console.read(file.path), &result)
            } catch {
                result.fail(Diagnostic("input.unreadable", error.message), isUnreadable: true)
            }
        }
        result.verdict.duration = .now - start
        return result
    }

    private func check(_ file: SelectedFile, _ bytes: [UInt8], _ result: inout FileResult) {
        if extracts, let parts = Self.parts(of: file, bytes) {
            let whole = SourceText(file: file.name, bytes: bytes)
            if parts.isEmpty {
                result.fail(
                    Diagnostic(
                        "extract.none", "no document is in the text", range: whole.range(0..<0),
                        help: "documents are looked for in the fences of Markdown, then objects and arrays"))
                result.problems[result.problems.count - 1].sources = [whole]
            }
            for part in parts where !result.lacksSchema && !result.isPassedOver {
                check(file, SourceText(whole, part: part.range), part.format, &result)
            }
            return
        }
        if let other = DocumentReader.unsupported(ofFile: file.name) { return result.fail(other) }
        let format = DocumentReader.format(ofFile: file.name) ?? DocumentReader.guess(bytes)
        check(file, SourceText(file: file.name, bytes: bytes), format, &result)
    }

    /// The documents inside of a file; nil where the file is one.
    private static func parts(of file: SelectedFile, _ bytes: [UInt8]) -> [DocumentExtractor.Extract]? {
        let parts = DocumentExtractor.find(in: bytes)
        switch DocumentReader.format(ofFile: file.name) {
        // Braces are common in them, and say nothing.
        case .yaml, .toml, .jsonl: return parts.contains(where: \.isFenced) ? parts : nil
        case .json, .jsonc, .json5, nil: return parts
        }
    }

    private func check(_ file: SelectedFile, _ text: SourceText, _ format: DocumentFormat, _ result: inout FileResult) {
        var diagnostics: [Diagnostic] = []
        var sources: [SourceText] = []
        do {
            var documents = try DocumentReader.readAll(text, format: format, options: options)
            if documents.isEmpty, format != .jsonl {
                // YAML without a document, be it empty or of comments alone, is null.
                documents = [Document(value: .null, source: text, places: [.root: 0..<0])]
            }
            sources = documents.compactMap(\.source)
            var common: CheckedSchema?
            do throws(SchemaProblem) {
                let modeline = format == .yaml || format == .toml ? Modeline.find(in: text.bytes) : nil
                common = try lookup.schema(of: file, modeline: modeline.map { ($0, text) })
                var isChecked = documents.isEmpty && common != nil
                for (index, document) in documents.enumerated() {
                    var schema = common
                    if schema == nil { schema = try lookup.schema(of: document.root, in: file) }
                    guard let schema else { continue }
                    isChecked = true
                    diagnostics += document.diagnostics
                    diagnostics += check(document.root, schema)
                    if let standard {
                        let place = documents.count == 1 ? DocumentPlace.only : .document(index + 1)
                        result.outputs.append((schema.validator.output(document.root, as: standard), place))
                    }
                }
                if !isChecked {
                    result.miss(file)
                    return
                }
            } catch {
                result.lacksSchema = true
                diagnostics.append(error.diagnostic)
            }
        } catch {
            diagnostics = error.diagnostics
            sources = error.sources
        }
        if diagnostics.contains(where: { $0.severity == .error }) { result.verdict.isValid = false }
        result.problems.append((diagnostics, sources))
    }

    /// What a schema has to say about a value.
    private func check(_ root: Node, _ schema: CheckedSchema) -> [Diagnostic] {
        var violations = schema.validator.isValid(root) ? [] : schema.validator.validate(root)
        if isStrict { violations += schema.validator.unknownProperties(root) }
        return violations.map { violation in
            var diagnostic = violation.diagnostic
            if explains { diagnostic.notes.append(schema.explainer.note(for: violation)) }
            return diagnostic
        }
    }

    /// Checks the lines of a file one by one, in constant memory.
    ///
    /// - Parameters:
    ///   - output: Takes in what the specification's output format says about a line.
    ///   - found: Takes in what is wrong with a line.
    func check(
        linesOf file: SelectedFile, output: (JSONValue, DocumentPlace) throws -> Void,
        _ found: ([Diagnostic], [SourceText]) throws -> Void
    ) throws -> FileResult {
        var result = FileResult(verdict: FileVerdict(name: file.name, isValid: true))
        let start = ContinuousClock.now
        var schema: CheckedSchema?
        do throws(SchemaProblem) {
            schema = try lookup.schema(of: file, modeline: nil)
            if schema == nil { schema = try lookup.schema(of: nil, in: file) }
        } catch {
            result.fail(error.diagnostic)
            result.lacksSchema = true
            return result
        }
        guard let schema else {
            result.miss(file)
            return result
        }
        var values = 0
        var invalid = 0
        do {
            let lines = try LineStream(path: file.path)
            while !(stopsAtFirst && invalid > 0), let line = try lines.next() {
                values += 1
                let source = SourceText(
                    file: file.path, bytes: line.bytes, firstLine: line.number, firstOffset: line.offset)
                var diagnostics: [Diagnostic]
                var judged: JSONValue?
                do {
                    let document = try JSONReader.read(source, options: options)
                    diagnostics = document.diagnostics + check(document.root, schema)
                    judged = standard.map { schema.validator.output(document.root, as: $0) }
                } catch {
                    diagnostics = error.diagnostics
                }
                if let judged { try output(judged, .line(line.number)) }
                if diagnostics.contains(where: { $0.severity == .error }) { invalid += 1 }
                if !diagnostics.isEmpty { try found(diagnostics, [source]) }
            }
        } catch let failure as DocumentError {
            result.fail(Diagnostic("input.unreadable", failure.message), isUnreadable: true)
            return result
        }
        result.verdict.isValid = invalid == 0
        result.verdict.lines = (values, invalid)
        result.verdict.duration = .now - start
        return result
    }
}

extension FileResult {
    fileprivate mutating func fail(_ diagnostic: Diagnostic, isUnreadable: Bool = false) {
        verdict.isValid = false
        verdict.isUnreadable = isUnreadable
        problems.append(([diagnostic], []))
    }

    /// A file that has no schema: wrong if it was asked for, else passed over.
    fileprivate mutating func miss(_ file: SelectedFile) {
        guard file.isNamed else {
            isPassedOver = true
            return
        }
        lacksSchema = true
        fail(
            Diagnostic(
                "schema.none", "no schema is known for '\(file.name)'",
                help: "give --schema, or name it in the file ('$schema', '# yaml-language-server: $schema=…', "
                    + "'#:schema …') or in \(Project.fileName)"))
    }
}
