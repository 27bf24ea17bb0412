// SPDX-License-Identifier: Apache-2.0

public import Documents
import Foundation

/// Damaged documents for every reader and the formatter: `bench fuzz --documents`.
///
/// Each case takes a file, damages it, and reads it in all notations. A reader may refuse it with places inside of the
/// text; what it accepts must survive being written and read again, and being formatted, after which nothing changes
/// any more. Cases have random numbers of their own, so that one can be repeated alone.
public struct DocumentFuzz {
    /// What came out.
    public struct Summary: Sendable {
        public var cases = 0
        /// Texts that a reader of some notation accepts, by notation.
        public var accepted: [String: Int] = [:]
        /// Texts that were laid out.
        public var formatted = 0
        /// Texts whose members were put in order.
        public var arranged = 0
        public var failures = 0
        /// The longest time of a case, in seconds, and its number.
        public var slowest = 0.0
        public var slowestCase = 0

        public var passes: Bool { failures == 0 }

        /// The figures in words.
        public var report: String {
            let notations = accepted.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return
                "\(cases) cases; accepted: \(notations.isEmpty ? "none" : notations); \(formatted) laid out, "
                + "\(arranged) put in order; "
                + "slowest case \(slowestCase) with \(String(format: "%.2f", slowest)) s; \(failures) failures"
        }
    }

    /// Something that should not have happened.
    public struct Failure: Sendable {
        public var number: Int
        public var message: String
        public var format: DocumentFormat?
        public var bytes: [UInt8]
    }

    /// The files, by notation.
    private let files: [(format: DocumentFormat, files: [[UInt8]])]
    /// Compressed files, as they are.
    private let compressed: [[UInt8]]
    private let seed: UInt64

    /// The number of files.
    public var fileCount: Int { files.reduce(compressed.count) { $0 + $1.files.count } }

    /// Larger files are left out: damage does not reach more code in them.
    static let maximumSize = 32 << 10
    /// A case that takes longer is a failure.
    static let maximumSeconds = 5.0

    /// Collects the files of folders, and files, that a reader may know by their names.
    public init(paths: [String], seed: UInt64) throws {
        var found: [DocumentFormat: [[UInt8]]] = [:]
        var compressed: [[UInt8]] = []
        for path in paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw BenchmarkError("there is no file or folder '\(path)'")
            }
            let inside = isFolder.boolValue ? try FileManager.default.subpathsOfDirectory(atPath: path).sorted() : nil
            for name in inside.map({ $0.map { "\(path)/\($0)" } }) ?? [path] {
                guard let format = DocumentReader.format(ofFile: name),
                    let data = FileManager.default.contents(atPath: name), data.count <= Self.maximumSize
                else { continue }
                if GzipReader.isGzip(data) {
                    compressed.append(Array(data))
                } else {
                    found[format, default: []].append(Array(data))
                }
            }
        }
        self.init(
            files: DocumentFormat.allCases.compactMap { format in found[format].map { (format, $0) } },
            compressed: compressed, seed: seed)
        guard !files.isEmpty else { throw BenchmarkError("there are no documents of up to 32 KiB") }
    }

    /// Takes the files as they are; there must be some.
    public init(files: [(format: DocumentFormat, files: [[UInt8]])], compressed: [[UInt8]] = [], seed: UInt64) {
        self.files = files
        self.compressed = compressed
        self.seed = seed
    }

    /// Runs cases.
    ///
    /// - Parameters:
    ///   - seconds: The time after which no more cases begin.
    ///   - fail: Receives what went wrong.
    ///   - progress: Receives the summary after every 1,000 cases.
    public func run(
        cases: Range<Int>, seconds: Double? = nil, fail: (Failure) -> Void, progress: (Summary) -> Void = { _ in }
    ) -> Summary {
        var summary = Summary()
        let start = DispatchTime.now().uptimeNanoseconds
        let elapsed = { (since: UInt64) in Double(DispatchTime.now().uptimeNanoseconds - since) / 1e9 }
        for number in cases {
            if let seconds, elapsed(start) > seconds { break }
            let caseStart = DispatchTime.now().uptimeNanoseconds
            var trial = DocumentTrial(number: number, random: FuzzRandom(seed: seed, number))
            if !compressed.isEmpty, number % 16 == 0 {
                trial.decompress(compressed)
            } else if !files.isEmpty {
                trial.run(files)
            }
            let time = elapsed(caseStart)
            if time > Self.maximumSeconds { trial.fail("the case takes \(Int(time)) s") }
            if time > summary.slowest { (summary.slowest, summary.slowestCase) = (time, number) }
            summary.cases += 1
            summary.formatted += trial.formatted
            summary.arranged += trial.arranged
            for format in trial.accepted { summary.accepted[format.rawValue, default: 0] += 1 }
            summary.failures += trial.failures.count
            trial.failures.forEach(fail)
            if summary.cases % 1_000 == 0 { progress(summary) }
        }
        return summary
    }
}

/// One damaged text.
private struct DocumentTrial {
    let number: Int
    var random: FuzzRandom
    var bytes: [UInt8] = []
    var accepted: [DocumentFormat] = []
    var formatted = 0
    var arranged = 0
    var failures: [DocumentFuzz.Failure] = []

    init(number: Int, random: FuzzRandom) {
        self.number = number
        self.random = random
    }

    mutating func fail(_ message: String, _ format: DocumentFormat? = nil) {
        failures.append(DocumentFuzz.Failure(number: number, message: message, format: format, bytes: bytes))
    }

    mutating func decompress(_ files: [[UInt8]]) {
        var damage = TextDamage(random: random)
        bytes = damage.apply(random.pick(files), other: random.pick(files), format: .jsonl)
        do {
            let text = try GzipReader.decompress(bytes, limit: 1 << 24)
            if text.count > 1 << 24 { fail("more is decompressed than the limit") }
        } catch {
            if !(error is CompressionError) { fail("decompressing throws \(type(of: error))") }
        }
    }

    mutating func run(_ files: [(format: DocumentFormat, files: [[UInt8]])]) {
        let (format, texts) = random.pick(files)
        let text = random.pick(texts)
        // Most texts are small, so that damage hits what matters.
        let start = random.below(max(1, text.count))
        let piece =
            random.once(in: 3)
            ? Array(text.prefix(2048)) : random.once(in: 3) ? Array(text[start...].prefix(512)) : text
        var damage = TextDamage(random: random)
        bytes = damage.apply(piece, other: random.pick(texts), format: format)
        random = damage.random
        let notations = random.once(in: 8) ? DocumentFormat.allCases : [format]
        for notation in notations {
            read(notation)
            layOut(notation)
            arrange(notation)
        }
        extract(format)
        if format == .json { stream() }
    }

    private var options: ReadOptions {
        var options = ReadOptions.lenient
        options.loneSurrogates = .replace
        return options
    }

    private mutating func read(_ format: DocumentFormat) {
        do throws(DiagnosticsError) {
            let documents = try DocumentReader.readAll(bytes, file: "f", format: format, options: options)
            accepted.append(format)
            for document in documents where document.nodeCount < 5_000 {
                let value = document.root.value
                if !document.root.matches(value) { fail("a node does not match its own value", format) }
                let json = JSONWriter(style: .spaced).write(value)
                if (try? JSONReader.read(json))?.root.value != value { fail("JSON does not read back", format) }
                let yaml = YAMLWriter().write(value)
                if (try? YAMLReader.read(yaml))?.map(\.root.value) != [value] {
                    fail("YAML does not read back", format)
                }
            }
        } catch {
            check(error, format)
        }
    }

    private mutating func check(_ error: DiagnosticsError, _ format: DocumentFormat) {
        if !error.diagnostics.contains(where: { $0.severity == .error }) { fail("refused without an error", format) }
        for diagnostic in error.diagnostics {
            if diagnostic.message.isEmpty { fail("a diagnostic without a message", format) }
            guard let range = diagnostic.range else { continue }
            if range.start > range.end || range.end.offset > bytes.count { fail("a place outside of the text", format) }
        }
        if error.description.isEmpty { fail("an error without a text", format) }
    }

    private func tree(_ bytes: [UInt8], _ format: DocumentFormat) -> SyntaxTree? {
        let source = SourceText(file: nil, bytes: bytes)
        return switch format {
        case .json: try? JSONSyntax.read(source, options: options).tree
        case .jsonc: try? JSONSyntax.read(source, options: options.withComments).tree
        case .json5: try? JSONSyntax.read(source, options: options.withJSON5).tree
        case .toml: try? TOMLReader.readSyntax(source, options: options).tree
        case .yaml: try? YAMLSyntax.read(source)
        case .jsonl: nil
        }
    }

    private func values(_ bytes: [UInt8], _ format: DocumentFormat) -> [JSONValue]? {
        (try? DocumentReader.readAll(bytes, format: format, options: options))?.map(\.root.value)
    }

    private mutating func layOut(_ format: DocumentFormat) {
        let layout = FormatOptions(
            indent: 1 + random.below(4), width: random.pick([20, 40, 80, 100, 1_000]),
            indentsSequences: !random.once(in: 3))
        do throws(DiagnosticsError) {
            let result = try DocumentFormatter.format(bytes, file: "f", format: format, options: layout)
            formatted += 1
            if let old = tree(bytes, format) {
                if old.text != bytes { fail("the tree loses bytes", format) }
                if old.comments.count != tree(result, format)?.comments.count { fail("comments are lost", format) }
            } else if format != .jsonl {
                fail("there is a layout and no tree", format)
            }
            if values(bytes, format) != values(result, format) { fail("the layout changes the value", format) }
            do throws(DiagnosticsError) {
                let again = try DocumentFormatter.format(result, file: "f", format: format, options: layout)
                if again != result { fail("the layout is not final: \(layout)", format) }
            } catch {
                fail("the layout cannot be read", format)
            }
        } catch {
            if error.diagnostics.contains(where: { $0.id == "format.changed" }) {
                fail("the layout would change the text's meaning: \(layout)", format)
            }
            if accepted.contains(format), format != .yaml { fail("read, but not laid out", format) }
            check(error, format)
        }
    }

    /// Another order of members must say the same, have the same comments, and be final.
    private mutating func arrange(_ format: DocumentFormat) {
        guard format != .jsonl else { return }
        let quotes = random.pick(QuoteStyle.allCases)
        let original = SourceText(file: "f", bytes: bytes)
        func arranged(_ source: SourceText) throws(DiagnosticsError) -> [UInt8] {
            let result = try DocumentArranger.arrange(source, format: format, quotes: quotes) { _, _ in
                Arrangement(order: .alphabetical)
            }
            return try DocumentFormatter.format(result.bytes, file: "f", format: format)
        }
        do throws(DiagnosticsError) {
            let result = try arranged(original)
            self.arranged += 1
            if let old = tree(bytes, format), let new = tree(result, format) {
                let words = { (tree: SyntaxTree) in tree.comments.map { $0.filter { !$0.isWhitespace } }.sorted() }
                if words(old) != words(new) { fail("comments are lost in another order", format) }
            }
            if values(bytes, format) != values(result, format) { fail("another order changes the value", format) }
            do throws(DiagnosticsError) {
                if try arranged(SourceText(file: "f", bytes: result)) != result {
                    fail("the order is not final", format)
                }
            } catch {
                fail("what was put in order cannot be put in order again", format)
            }
        } catch {
            if error.diagnostics.contains(where: { $0.id == "format.changed" }) {
                fail("another order would change the text's meaning", format)
            }
            check(error, format)
        }
    }

    /// Documents inside of other text must be found as they are, at their places.
    private mutating func extract(_ format: DocumentFormat) {
        for part in DocumentExtractor.find(in: bytes) {
            if part.range.upperBound > bytes.count { return fail("an extract outside of the text", format) }
            let source = SourceText(SourceText(file: "f", bytes: bytes), part: part.range)
            do throws(DiagnosticsError) {
                _ = try DocumentReader.readAll(source, format: part.format, options: options)
            } catch {
                check(error, format)
            }
        }
        let name: String
        switch format {
        case .json, .jsonc, .json5, .toml, .yaml: name = format.rawValue
        case .jsonl: return
        }
        guard let value = values(bytes, format), !bytes.contains(UInt8(ascii: "`")), !bytes.contains(UInt8(ascii: "~")),
            bytes.contains(where: { $0 > 0x20 }), !bytes.starts(with: [0xEF, 0xBB, 0xBF]),
            !String(decoding: bytes, as: UTF8.self).contains("</think>")
        else { return }
        let before = Array("Here {it} is [1]:\n\n```\(name)\n".utf8)
        let text = before + bytes + Array("\n```\nDone.\n".utf8)
        let found = DocumentExtractor.find(in: text)
        guard found.count == 1, let part = found.first, part.format == format, part.range.lowerBound == before.count
        else {
            return fail("a document in a fence is not found", format)
        }
        let source = SourceText(SourceText(file: "f", bytes: text), part: part.range)
        let documents = try? DocumentReader.readAll(source, format: format, options: options)
        // The line end before the fence may count in YAML.
        if format != .yaml, documents?.map(\.root.value) != value {
            fail("a document in a fence has another value", format)
        }
    }

    /// The streaming reader must agree with the reader of whole texts.
    private mutating func stream() {
        var reader = JSONEventReader()
        var rest = bytes[...]
        var value: JSONValue?
        do {
            while !rest.isEmpty {
                let piece = rest.prefix(1 + random.below(40))
                _ = try reader.read(piece)
                rest = rest.dropFirst(piece.count)
            }
            _ = try reader.finish()
            value = reader.snapshot
        } catch {
            value = nil
        }
        var options = ReadOptions()
        options.duplicateKeys = .warning
        if value != (try? JSONReader.read(bytes, options: options))?.root.value {
            fail("the streaming reader differs", .json)
        }
    }
}
