// SPDX-License-Identifier: Apache-2.0

import CLibYAML

/// Reads YAML into the JSON data model, with the types of the YAML 1.2 core schema.
///
/// `no`, `on` and `2026-01-02` are strings, `012` is the integer 12. Anchors and aliases are expanded under
/// ``ReadOptions/aliasBudget``. What JSON cannot hold is reported: `.inf` and `.nan`, keys that are not scalars,
/// unknown tags. Scalar keys that are not strings (`404:`) are read as their text, with a warning.
public enum YAMLReader {
    /// Reads all documents of a stream.
    ///
    /// - Throws: ``DiagnosticsError`` if anything is wrong; warnings alone are kept in ``Document/diagnostics``.
    public static func read(
        _ bytes: [UInt8], file: String? = nil, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> [Document] {
        try read(SourceText(file: file, bytes: bytes), options: options)
    }

    /// Reads all documents of a string.
    public static func read(
        _ text: String, file: String? = nil, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> [Document] {
        try read(Array(text.utf8), file: file, options: options)
    }

    /// Reads all documents of a source text.
    public static func read(
        _ source: SourceText, options: ReadOptions = .strict
    ) throws(DiagnosticsError) -> [Document] {
        guard source.bytes.count < Int(UInt32.max) else {
            throw DiagnosticsError([
                Diagnostic("document.too-large", "the document has 4 GiB or more", help: "split it into smaller files")
            ])
        }
        var documents: [(tree: Tree, problems: ProblemList)] = []
        var problems = ProblemList(limit: options.maximumDiagnostics)
        source.bytes.withUnsafeBufferPointer { bytes in
            var composer = YAMLComposer(bytes, options)
            composer.run()
            documents = composer.documents
            problems = composer.problems
        }
        // Problems of the stream as a whole are in the last list, together with those of an unfinished document.
        var found = documents.flatMap { $0.problems.diagnostics(source) } + problems.diagnostics(source)
        if problems.hasErrors || documents.contains(where: { $0.problems.hasErrors }) {
            if found.count > 2 * options.maximumDiagnostics {
                // Warnings of many documents must not hide the errors.
                found = Array(found.filter { $0.severity == .error }.prefix(options.maximumDiagnostics))
            }
            throw DiagnosticsError(found, sources: [source])
        }
        return documents.map { document in
            Document(
                tree: document.tree, source: source, format: .yaml, diagnostics: document.problems.diagnostics(source))
        }
    }
}

/// The state of one run of the reader: libyaml's events become records.
struct YAMLComposer {
    struct Frame {
        var record: Int
        var isMapping: Bool
        var isFlow: Bool
        var expectsKey = true
        /// Where the last child ended.
        var end: Int
        var anchor: String?
        /// Values of `<<` keys to be merged when the mapping ends.
        var merges: [Int] = []
        /// Whether the value that comes next belongs to a `<<` key.
        var mergesNext = false
    }

    struct Scalar {
        var kind: Node.Kind
        var flags: Tree.Flags
        var start: Int
        var end: Int
        /// The text of a string or number.
        var first = 0
        var count = 0
        /// The text as a key has it, where the kind is not string.
        var keyFirst = 0
        var keyCount = 0
        var keyFlags: Tree.Flags = []
        var isPlain = false
    }

    struct Anchor {
        var record: Int
        var end: Int
        var scalar: Scalar?
        var isOpen: Bool
    }

    /// How many documents a stream may hold.
    static let maximumDocuments = 1_000_000

    let bytes: UnsafeBufferPointer<UInt8>
    let options: ReadOptions
    var documents: [(tree: Tree, problems: ProblemList)] = []
    var problems: ProblemList
    var builder = TreeBuilder()
    var frames: [Frame] = []
    var anchors: [ScalarString: Anchor] = [:]
    var expanded = 0

    private var cursor: YAMLCursor

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ options: ReadOptions) {
        self.bytes = bytes
        self.options = options
        self.problems = ProblemList(limit: options.maximumDiagnostics)
        self.cursor = YAMLCursor(bytes)
    }

    mutating func run() { parse { composer, event in composer.handle(&event) } }

    /// Calls `body` for each event until it returns false; what libyaml refuses becomes a problem.
    mutating func parse(_ body: (inout YAMLComposer, inout yaml_event_t) -> Bool) {
        if bytes.count >= 2, (bytes[0] == 0xFE && bytes[1] == 0xFF) || (bytes[0] == 0xFF && bytes[1] == 0xFE) {
            problems.add(
                "document.encoding", "the text is in UTF-16, not in UTF-8", 0..<2, help: "convert the file to UTF-8")
            return
        }
        if let place = UTF8Check.firstInvalid(bytes) {
            problems.add(
                "document.invalid-utf8",
                "the byte 0x\(String(bytes[place], radix: 16, uppercase: true)) is not part of well-formed UTF-8",
                place..<(place + 1), help: "save the file as UTF-8")
            return
        }
        let start = cursor.start
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            problems.add("yaml.memory", "not enough memory to read the document", 0..<0)
            return
        }
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress.map { $0 + start }, bytes.count - start)

        var event = yaml_event_t()
        while true {
            guard yaml_parser_parse(parser, &event) == 1 else {
                report(parser, base: start)
                return
            }
            let type = event.type
            let goesOn = body(&self, &event)
            yaml_event_delete(&event)
            if type == YAML_STREAM_END_EVENT || !goesOn { return }
        }
    }

    /// The byte offset of a mark.
    mutating func offset(_ mark: yaml_mark_t) -> Int { cursor.offset(mark) }

    /// Takes in one event; false where reading must stop.
    private mutating func handle(_ event: inout yaml_event_t) -> Bool {
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            builder = TreeBuilder()
            anchors = [:]
            expanded = 0
            frames = []
            return true
        case YAML_DOCUMENT_END_EVENT:
            let duplicates = builder.duplicates
            let tree = builder.finish()
            problems.add(
                duplicates: duplicates, in: tree, bytes: bytes, policy: options.duplicateKeys)
            documents.append((tree, problems))
            problems = ProblemList(limit: options.maximumDiagnostics)
            builder = TreeBuilder()
            guard documents.count < Self.maximumDocuments else {
                let end = offset(event.end_mark)
                problems.add(
                    "yaml.too-many-documents", "the stream holds more than \(Self.maximumDocuments) documents",
                    end..<end)
                return false
            }
            return true
        case YAML_SCALAR_EVENT:
            let start = offset(event.start_mark)
            let end = offset(event.end_mark)
            let data = event.data.scalar
            let value = UnsafeBufferPointer(start: UnsafePointer(data.value), count: data.length)
            let isPlain = data.style == YAML_PLAIN_SCALAR_STYLE
            var scalar = scalar(
                value, tag: Self.text(data.tag), isPlain: isPlain, start: start,
                end: data.style == YAML_LITERAL_SCALAR_STYLE || data.style == YAML_FOLDED_SCALAR_STYLE
                    ? trimmed(start, end) : end)
            scalar.isPlain = isPlain && data.tag == nil
            append(scalar, anchor: Self.text(data.anchor))
            return !problems.isFull
        case YAML_SEQUENCE_START_EVENT:
            let data = event.data.sequence_start
            return begin(
                isMapping: false, start: offset(event.start_mark), isFlow: data.style == YAML_FLOW_SEQUENCE_STYLE,
                tag: Self.text(data.tag), anchor: Self.text(data.anchor))
        case YAML_MAPPING_START_EVENT:
            let data = event.data.mapping_start
            return begin(
                isMapping: true, start: offset(event.start_mark), isFlow: data.style == YAML_FLOW_MAPPING_STYLE,
                tag: Self.text(data.tag), anchor: Self.text(data.anchor))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            let end = offset(event.end_mark)
            return close(flowEnd: end)
        case YAML_ALIAS_EVENT:
            let start = offset(event.start_mark)
            let end = offset(event.end_mark)
            return alias(Self.text(event.data.alias.anchor) ?? "", start..<end)
        default: return true
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    /// The end without white space and line ends before it.
    private func trimmed(_ start: Int, _ end: Int) -> Int {
        var end = end
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        return end
    }

    private mutating func begin(isMapping: Bool, start: Int, isFlow: Bool, tag: String?, anchor: String?) -> Bool {
        let at = start..<min(start + 1, bytes.count)
        guard builder.depth < options.maximumDepth else {
            problems.add(
                "document.too-deep", "sequences and mappings are nested more than \(options.maximumDepth) deep", at)
            return false
        }
        if let tag {
            let expected = isMapping ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq"
            if tag != expected, tag != "!" { unknownTag(tag, start) }
        }
        if let frame = frames.last, frame.isMapping, frame.expectsKey {
            problems.add(
                "yaml.complex-key", "a \(isMapping ? "mapping" : "sequence") cannot be a key here", at,
                help: "keys must be text, as in JSON")
            return false
        }
        builder.begin(isMapping ? .object : .array, start: start)
        let record = builder.count - 1
        if let anchor { anchors[ScalarString(anchor)] = Anchor(record: record, end: record, scalar: nil, isOpen: true) }
        frames.append(Frame(record: record, isMapping: isMapping, isFlow: isFlow, end: start, anchor: anchor))
        return true
    }

    private mutating func close(flowEnd: Int) -> Bool {
        guard let frame = frames.popLast() else { return false }
        let end = frame.isFlow ? flowEnd : frame.end
        if !frame.merges.isEmpty { guard merge(frame) else { return false } }
        builder.end(at: end)
        if frame.isMapping { builder.indexKeys(ofRecord: frame.record, bytes: bytes) }
        if let anchor = frame.anchor, anchors[ScalarString(anchor)]?.record == frame.record {
            anchors[ScalarString(anchor)] = Anchor(record: frame.record, end: builder.count, scalar: nil, isOpen: false)
        }
        valueEnded(at: end, record: frame.record)
        return true
    }

    /// Notes in the surrounding container that a value is complete.
    mutating func valueEnded(at end: Int, record: Int) {
        guard let last = frames.indices.last else { return }
        frames[last].end = max(frames[last].end, end)
        guard frames[last].isMapping else { return }
        frames[last].expectsKey = true
        if frames[last].mergesNext {
            frames[last].merges.append(record)
            frames[last].mergesNext = false
        }
    }

    /// Appends a scalar as a key or as a value.
    mutating func append(_ scalar: Scalar, anchor: String? = nil) {
        let record = builder.count
        if let last = frames.indices.last, frames[last].isMapping, frames[last].expectsKey {
            frames[last].expectsKey = false
            frames[last].end = max(frames[last].end, scalar.end)
            if scalar.kind == .string {
                let range = scalar.first..<(scalar.first + scalar.count)
                frames[last].mergesNext =
                    options.mergeKeys && scalar.isPlain && !scalar.flags.contains(.ownText) && scalar.count == 2
                    && bytes[range].elementsEqual("<<".utf8)
                builder.key(
                    scalar.flags, start: scalar.start, end: scalar.end, first: scalar.first, count: scalar.count)
            } else {
                let text = String(decoding: bytes[scalar.start..<scalar.end], as: UTF8.self)
                problems.add(
                    "yaml.key-type", "the key '\(text)' is not text; it is read as \"\(text)\"",
                    scalar.start..<scalar.end,
                    severity: .warning, help: "put it in quotes")
                builder.key(
                    scalar.keyFlags, start: scalar.start, end: scalar.end, first: scalar.keyFirst,
                    count: scalar.keyCount)
            }
        } else {
            builder.scalar(
                scalar.kind, scalar.flags, start: scalar.start, end: scalar.end, first: scalar.first,
                count: scalar.count)
            valueEnded(at: scalar.end, record: record)
        }
        if let anchor {
            anchors[ScalarString(anchor)] = Anchor(record: record, end: record + 1, scalar: scalar, isOpen: false)
        }
    }
}
