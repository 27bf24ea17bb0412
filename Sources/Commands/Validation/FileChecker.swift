// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// What became of a file.
struct FileResult: Sendable {
    var verdict: FileVerdict
    /// Its problems, with the texts that they point at.
    var problems: [(diagnostics: [Diagnostic], sources: [SourceText])] = []
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
        let format = DocumentReader.format(ofFile: file.name) ?? DocumentReader.guess(bytes)
        var diagnostics: [Diagnostic] = []
        var sources: [SourceText] = []
        do {
            var documents = try DocumentReader.readAll(bytes, file: file.name, options: options)
            if documents.isEmpty, format != .jsonl {
                // YAML without a document, be it empty or of comments alone, is null.
                let text = SourceText(file: file.name, bytes: bytes)
                documents = [Document(value: .null, source: text, places: [.root: 0..<0])]
            }
            sources = documents.compactMap(\.source)
            var common: CheckedSchema?
            do throws(SchemaProblem) {
                let modeline = format == .yaml || format == .toml ? Modeline.find(in: bytes) : nil
                common = try lookup.schema(
                    of: file, modeline: modeline.map { ($0, SourceText(file: file.name, bytes: bytes)) })
                var isChecked = documents.isEmpty && common != nil
                for document in documents {
                    var schema = common
                    if schema == nil { schema = try lookup.schema(of: document.root, in: file) }
                    guard let schema else { continue }
                    isChecked = true
                    diagnostics += document.diagnostics
                    diagnostics += check(document.root, schema)
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
    /// - Parameter found: Takes in what is wrong with a line.
    func check(
        linesOf file: SelectedFile, _ found: ([Diagnostic], [SourceText]) throws -> Void
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
                do {
                    let document = try JSONReader.read(source, options: options)
                    diagnostics = document.diagnostics + check(document.root, schema)
                } catch {
                    diagnostics = error.diagnostics
                }
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
