// SPDX-License-Identifier: Apache-2.0

import CLibYAML

/// A token of libyaml's scanner with its place in bytes.
///
/// What stands between tokens is white space, line ends and comments. Some tokens take no bytes: the start and end of
/// a block, and the key of `key: value`.
struct YAMLToken: Sendable {
    enum Kind: UInt8, Sendable {
        case streamEnd, directive, documentStart, documentEnd
        case blockSequenceStart, blockMappingStart, blockEnd
        case flowSequenceStart, flowSequenceEnd, flowMappingStart, flowMappingEnd
        case blockEntry, flowEntry, key, value
        case alias, anchor, tag
        /// Text without quotes, or in them.
        case scalar
        /// `|` or `>` with its lines.
        case blockScalar
    }

    var kind: Kind
    var range: Range<Int>
    /// Characters before it on its line.
    var column: Int

    /// Whether it takes bytes of the text, or is the end of it.
    var isReal: Bool { !range.isEmpty || kind == .streamEnd }

    var isFlowStart: Bool { kind == .flowSequenceStart || kind == .flowMappingStart }
    var isFlowEnd: Bool { kind == .flowSequenceEnd || kind == .flowMappingEnd }
    var isProperty: Bool { kind == .anchor || kind == .tag }

    /// The tokens of a text that libyaml has parsed; nil where its scanner refuses it all the same.
    static func scan(_ bytes: [UInt8]) -> [YAMLToken]? {
        bytes.withUnsafeBufferPointer { scan($0) }
    }

    /// The comments, without white space at their ends.
    static func comments(_ bytes: [UInt8], _ tokens: [YAMLToken]) -> [ArraySlice<UInt8>] {
        var result: [ArraySlice<UInt8>] = []
        var end = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        for token in tokens where token.isReal {
            if end <= token.range.lowerBound, let trivia = YAMLTrivia(bytes, end..<token.range.lowerBound) {
                result += trivia.comments.map { bytes[YAMLLines.trimmedEnd(bytes, $0.range)] }
            }
            if token.kind == .blockScalar, let comment = YAMLBlockScalar(bytes, token.range, parent: 0).comment {
                result.append(bytes[YAMLLines.trimmedEnd(bytes, comment)])
            }
            end = token.range.upperBound
        }
        return result
    }

    private static func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> [YAMLToken]? {
        var cursor = YAMLCursor(bytes)
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else { return nil }
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(
            parser, bytes.baseAddress.map { $0 + cursor.start }, bytes.count - cursor.start)
        var result: [YAMLToken] = []
        var token = yaml_token_t()
        var end = cursor.start
        while yaml_parser_scan(parser, &token) == 1 {
            let kind = Kind(token)
            let start = max(end, cursor.offset(token.start_mark))
            end = max(start, cursor.offset(token.end_mark))
            let column = Int(clamping: token.start_mark.column)
            yaml_token_delete(&token)
            guard let kind else { continue }
            result.append(YAMLToken(kind: kind, range: start..<end, column: column))
            if kind == .streamEnd { return result }
        }
        return nil
    }
}

extension YAMLToken.Kind {
    fileprivate init?(_ token: yaml_token_t) {
        switch token.type {
        case YAML_STREAM_END_TOKEN: self = .streamEnd
        case YAML_VERSION_DIRECTIVE_TOKEN, YAML_TAG_DIRECTIVE_TOKEN: self = .directive
        case YAML_DOCUMENT_START_TOKEN: self = .documentStart
        case YAML_DOCUMENT_END_TOKEN: self = .documentEnd
        case YAML_BLOCK_SEQUENCE_START_TOKEN: self = .blockSequenceStart
        case YAML_BLOCK_MAPPING_START_TOKEN: self = .blockMappingStart
        case YAML_BLOCK_END_TOKEN: self = .blockEnd
        case YAML_FLOW_SEQUENCE_START_TOKEN: self = .flowSequenceStart
        case YAML_FLOW_SEQUENCE_END_TOKEN: self = .flowSequenceEnd
        case YAML_FLOW_MAPPING_START_TOKEN: self = .flowMappingStart
        case YAML_FLOW_MAPPING_END_TOKEN: self = .flowMappingEnd
        case YAML_BLOCK_ENTRY_TOKEN: self = .blockEntry
        case YAML_FLOW_ENTRY_TOKEN: self = .flowEntry
        case YAML_KEY_TOKEN: self = .key
        case YAML_VALUE_TOKEN: self = .value
        case YAML_ALIAS_TOKEN: self = .alias
        case YAML_ANCHOR_TOKEN: self = .anchor
        case YAML_TAG_TOKEN: self = .tag
        case YAML_SCALAR_TOKEN:
            let style = token.data.scalar.style
            self = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE ? .blockScalar : .scalar
        default: return nil
        }
    }
}
