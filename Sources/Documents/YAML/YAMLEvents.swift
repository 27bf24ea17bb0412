// SPDX-License-Identifier: Apache-2.0

import CLibYAML

/// What a text says in YAML, whether or not JSON could hold it: two texts with the same events mean the same.
struct YAMLEvents: Equatable {
    private struct Event: Hashable {
        var type: UInt32
        var style: UInt32 = 0
        /// Whether markers or tags are implied.
        var isPlainImplicit = false
        var isQuotedImplicit = false
        var anchor: [UInt8]?
        var tag: [UInt8]?
        /// The text of a scalar, or the directives of a document.
        var text: [UInt8] = []

        var isMapping: Bool { type == UInt32(YAML_MAPPING_START_EVENT.rawValue) }
    }

    private var events: [Event] = []

    /// Reads a text up to its end.
    ///
    /// - Throws: ``DiagnosticsError`` with what libyaml refuses, or where collections are nested too deep.
    static func read(_ source: SourceText, options: ReadOptions) throws(DiagnosticsError) -> YAMLEvents {
        guard source.bytes.count < Int(UInt32.max) else {
            throw DiagnosticsError(
                [
                    Diagnostic(
                        "document.too-large", "the document has 4 GiB or more", range: source.range(0..<0),
                        help: "split it into smaller files")
                ], sources: [source])
        }
        var result = YAMLEvents()
        var problems = ProblemList(limit: options.maximumDiagnostics)
        source.bytes.withUnsafeBufferPointer { bytes in
            var composer = YAMLComposer(bytes, options)
            var depth = 0
            composer.parse { composer, event in
                switch event.type {
                case YAML_MAPPING_START_EVENT, YAML_SEQUENCE_START_EVENT: depth += 1
                case YAML_MAPPING_END_EVENT, YAML_SEQUENCE_END_EVENT: depth -= 1
                default: break
                }
                if depth > options.maximumDepth {
                    let start = composer.offset(event.start_mark)
                    composer.problems.add(
                        "document.too-deep",
                        "sequences and mappings are nested more than \(options.maximumDepth) deep",
                        start..<min(start + 1, bytes.count))
                    return false
                }
                result.append(event)
                return true
            }
            problems = composer.problems
        }
        if problems.hasErrors { throw DiagnosticsError(problems.diagnostics(source), sources: [source]) }
        return result
    }

    private mutating func append(_ event: yaml_event_t) {
        var result = Event(type: UInt32(event.type.rawValue))
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            let data = event.data.document_start
            result.isPlainImplicit = data.implicit != 0
            if let version = data.version_directive?.pointee {
                result.text = Array("\(version.major).\(version.minor)".utf8)
            }
            var directive = data.tag_directives.start
            while let current = directive, current != data.tag_directives.end {
                result.text += [0x0A] + (Self.bytes(current.pointee.handle) ?? [])
                result.text += [0x20] + (Self.bytes(current.pointee.prefix) ?? [])
                directive = current + 1
            }
        case YAML_DOCUMENT_END_EVENT: result.isPlainImplicit = event.data.document_end.implicit != 0
        case YAML_ALIAS_EVENT: result.anchor = Self.bytes(event.data.alias.anchor)
        case YAML_SCALAR_EVENT:
            let data = event.data.scalar
            result.style = UInt32(data.style.rawValue)
            result.isPlainImplicit = data.plain_implicit != 0
            result.isQuotedImplicit = data.quoted_implicit != 0
            result.anchor = Self.bytes(data.anchor)
            result.tag = Self.bytes(data.tag)
            result.text = Array(UnsafeBufferPointer(start: UnsafePointer(data.value), count: data.length))
        case YAML_SEQUENCE_START_EVENT:
            let data = event.data.sequence_start
            result.style = UInt32(data.style.rawValue)
            result.isPlainImplicit = data.implicit != 0
            result.anchor = Self.bytes(data.anchor)
            result.tag = Self.bytes(data.tag)
        case YAML_MAPPING_START_EVENT:
            let data = event.data.mapping_start
            result.style = UInt32(data.style.rawValue)
            result.isPlainImplicit = data.implicit != 0
            result.anchor = Self.bytes(data.anchor)
            result.tag = Self.bytes(data.tag)
        default: break
        }
        events.append(result)
    }

    // MARK: Meaning

    /// The same for texts that differ in the order of the members of mappings and in the quotes of scalars only; other
    /// texts differ here but by a coincidence of hashes of 128 bits.
    var meaning: [UInt64] {
        struct Frame {
            var event: Event
            var parts: [Digest] = []
        }
        var frames: [Frame] = []
        var result: [UInt64] = []
        var anchors: [[UInt8]: Digest] = [:]
        func add(_ digest: Digest, anchor: [UInt8]?) {
            if let anchor { anchors[anchor] = digest }
            if frames.isEmpty {
                result += [digest.first, digest.second]
            } else {
                frames[frames.count - 1].parts.append(digest)
            }
        }
        for event in events {
            switch Role(event.type) {
            case .start: frames.append(Frame(event: event))
            case .end:
                guard let frame = frames.popLast() else { continue }
                var parts = frame.parts
                if frame.event.isMapping {
                    // Of members with the same key the order stays.
                    let pairs = stride(from: 0, to: parts.count - 1, by: 2).map { ($0, parts[$0], parts[$0 + 1]) }
                    parts = pairs.sorted { ($0.1.first, $0.1.second, $0.0) < ($1.1.first, $1.1.second, $1.0) }
                        .flatMap { [$0.1, $0.2] }
                }
                add(Digest(frame.event, parts), anchor: frame.event.anchor)
            case .alias:
                // What it stands for, not how that is called.
                add(Digest(event, event.anchor.flatMap { anchors[$0] }.map { [$0] } ?? []), anchor: nil)
            case .scalar: add(Digest(event, []), anchor: event.anchor)
            case .other:
                if event.type == UInt32(YAML_DOCUMENT_START_EVENT.rawValue) { anchors = [:] }
                add(Digest(event, []), anchor: nil)
            }
        }
        return result
    }

    private enum Role {
        case start, end, alias, scalar, other

        init(_ type: UInt32) {
            switch type {
            case UInt32(YAML_MAPPING_START_EVENT.rawValue), UInt32(YAML_SEQUENCE_START_EVENT.rawValue): self = .start
            case UInt32(YAML_MAPPING_END_EVENT.rawValue), UInt32(YAML_SEQUENCE_END_EVENT.rawValue): self = .end
            case UInt32(YAML_ALIAS_EVENT.rawValue): self = .alias
            case UInt32(YAML_SCALAR_EVENT.rawValue): self = .scalar
            default: self = .other
            }
        }
    }

    private struct Digest: Hashable {
        var first: UInt64
        var second: UInt64

        init(_ event: Event, _ parts: [Digest]) {
            var event = event
            let isScalar = event.type == UInt32(YAML_SCALAR_EVENT.rawValue)
            let quotes = [YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE].map { UInt32($0.rawValue) }
            if isScalar, quotes.contains(event.style) { event.style = quotes[0] }
            func hash(_ seed: UInt8) -> UInt64 {
                var hasher = Hasher()
                hasher.combine(seed)
                hasher.combine(event)
                hasher.combine(parts)
                return UInt64(bitPattern: Int64(hasher.finalize()))
            }
            (first, second) = (hash(0), hash(1))
        }
    }

    private static func bytes(_ text: UnsafeMutablePointer<yaml_char_t>?) -> [UInt8]? {
        guard var end = text, let start = text else { return nil }
        while end.pointee != 0 { end += 1 }
        return Array(UnsafeBufferPointer(start: start, count: end - start))
    }
}
