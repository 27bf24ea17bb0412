// SPDX-License-Identifier: Apache-2.0

/// Prints the tokens of YAML with a layout of its own.
///
/// Block collections stay block collections and flow collections flow collections, and every scalar stays as it is
/// written; only indentation, the white space between tokens and line ends change. Comments on lines of their own move
/// with the entry that follows, or with the collection that they end.
struct YAMLLayout {
    /// A text that this layout does not take on; it stays as it is.
    struct Odd: Error {}

    /// Where a node stands.
    enum Place { case document, key, indicator }

    let bytes: [UInt8]
    let tokens: [YAMLToken]
    let options: FormatOptions
    /// By opening bracket: the token that closes it.
    let closers: [Int: Int]
    private let lineEnd: [UInt8]

    var out: [UInt8] = []
    /// The next token.
    var at = 0
    /// Where the current line begins.
    private var lineStart = 0
    /// Where the text begins behind a byte order mark.
    private var textStart = 0
    /// Where the last token ends in the source.
    var previousEnd = 0
    /// Whether the last token ends with line ends of its own.
    private var hasEndedLine = false
    /// Whether a line end behind the last token would change its text.
    private var isOpenEnded = false
    /// The columns, before and after, of the blocks that ended since the last token, innermost first.
    private var closed: [(old: Int, new: Int)] = []

    /// - Returns: The text laid out; the same text where it is too odd to be touched.
    static func print(_ bytes: [UInt8], _ tokens: [YAMLToken], _ options: FormatOptions) -> [UInt8] {
        guard !YAMLLines.hasForeignBreaks(bytes) else { return bytes }
        do throws(Odd) {
            var layout = try YAMLLayout(bytes, tokens, options)
            try layout.stream()
            return layout.out
        } catch {
            return bytes
        }
    }

    private init(_ bytes: [UInt8], _ tokens: [YAMLToken], _ options: FormatOptions) throws(Odd) {
        self.bytes = bytes
        self.tokens = tokens
        self.options = options
        let first = bytes.firstIndex { $0 == 0x0A || $0 == 0x0D }
        lineEnd = first.map { Array(bytes[$0..<($0 + YAMLLines.breakLength(bytes, $0))]) } ?? [0x0A]
        var open: [Int] = []
        var closers: [Int: Int] = [:]
        for (number, token) in tokens.enumerated() {
            if token.isFlowStart { open.append(number) }
            if token.isFlowEnd, let start = open.popLast() { closers[start] = number }
        }
        guard open.isEmpty, tokens.last?.kind == .streamEnd else { throw Odd() }
        // `{-}` is text for libyaml, and an indicator as soon as a space follows.
        for token in tokens where token.kind == .scalar && token.range.count == 1 {
            if [UInt8(ascii: "-"), UInt8(ascii: "?")].contains(bytes[token.range.lowerBound]) { throw Odd() }
        }
        let real = tokens.filter(\.isReal)
        for (name, next) in zip(real, real.dropFirst()) where name.kind == .anchor || name.kind == .alias {
            // libyaml ends the name `a` in `&a:b`, newer readers do not.
            let isTight = name.range.upperBound == next.range.lowerBound
            if isTight, next.kind == .scalar || next.kind == .value || next.kind == .key { throw Odd() }
        }
        self.closers = closers
        out.reserveCapacity(bytes.count + bytes.count / 4)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            out += bytes[..<3]
            previousEnd = 3
            textStart = 3
            lineStart = 3
        }
    }

    // MARK: Output

    var kind: YAMLToken.Kind { at < tokens.count ? tokens[at].kind : .streamEnd }

    var column: Int { out[lineStart...].count { $0 & 0xC0 != 0x80 } }

    mutating func newline(blank: Bool = false, _ column: Int = 0) {
        if out.count > textStart {
            out += lineEnd
            if blank, !hasEndedLine { out += lineEnd }
        }
        hasEndedLine = false
        lineStart = out.count
        pad(column)
    }

    private mutating func pad(_ columns: Int) { out += repeatElement(0x20, count: columns) }

    mutating func write(_ range: Range<Int>) { out += bytes[range] }

    /// Writes the next token as it is.
    mutating func emit() {
        write(tokens[at].range)
        passed(tokens[at].range.upperBound)
    }

    mutating func passed(_ end: Int) {
        previousEnd = end
        closed.removeAll(keepingCapacity: true)
        at += 1
    }

    mutating func writeComment(_ comment: Range<Int>) { write(YAMLLines.trimmedEnd(bytes, comment)) }

    // MARK: Trivia

    func trivia(_ start: Int, _ end: Int) throws(Odd) -> YAMLTrivia {
        guard start <= end, let trivia = YAMLTrivia(bytes, start..<end) else { throw Odd() }
        return trivia
    }

    /// What stands before the next token that takes bytes.
    func nextTrivia() throws(Odd) -> YAMLTrivia {
        var next = at
        while next < tokens.count, !tokens[next].isReal { next += 1 }
        guard next < tokens.count else { throw Odd() }
        var result = try trivia(previousEnd, tokens[next].range.lowerBound)
        if hasEndedLine {
            if result.comments.isEmpty { result.newlines += 1 } else { result.comments[0].newlinesBefore += 1 }
        }
        return result
    }

    /// Writes what stands before an entry, up to the column where it begins.
    ///
    /// - Parameters:
    ///   - old: The column of the entry in the source.
    ///   - isFirst: Whether it is the first of its collection, before which no line stays blank.
    ///   - comments: The column of comments where it is not that of the entry.
    mutating func lead(
        _ trivia: YAMLTrivia, to column: Int, old: Int = 0, isFirst: Bool, comments: Int? = nil, isLast: Bool = false
    ) {
        var mayBlank = !isFirst && out.count > textStart
        let levels = closed + [(old, comments ?? column)]
        var level = 0
        for comment in trivia.comments {
            if comment.newlinesBefore == 0, out.count > textStart {
                out.append(0x20)
            } else {
                level = max(level, Self.level(levels, comment.column))
                newline(blank: mayBlank && comment.newlinesBefore > 1, levels[level].new)
                mayBlank = true
            }
            writeComment(comment.range)
        }
        guard !isLast else { return }
        newline(blank: mayBlank && trivia.newlines > 1, column)
    }

    /// The block that a comment at a column belongs to: the innermost one that does not begin behind it.
    private static func level(_ levels: [(old: Int, new: Int)], _ column: Int) -> Int {
        var best = levels.count - 1
        for (number, level) in levels.enumerated().reversed() where level.old <= column {
            if level.old > levels[best].old || level.old == levels[best].old && column > level.old { best = number }
        }
        return best
    }

    // MARK: Documents

    private mutating func stream() throws(Odd) {
        while true {
            switch kind {
            case .streamEnd:
                lead(try nextTrivia(), to: 0, isFirst: false, isLast: true)
                if out.count > textStart, !isOpenEnded { out += lineEnd }
                return
            case .directive, .documentEnd, .documentStart:
                let isStart = kind == .documentStart
                lead(try nextTrivia(), to: 0, isFirst: out.count == textStart)
                emit()
                if isStart { try node(.document, own: 0, old: -1, new: -1, isBehindMarker: true) }
            default:
                let before = at
                try node(.document, own: 0, old: -1, new: -1)
                guard at > before else { throw Odd() }
            }
        }
    }

    // MARK: Nodes

    /// Prints a node; nothing where it is empty. The depth is bounded where the text is parsed.
    ///
    /// - Parameters:
    ///   - own: The column of the node if it stands on a line of its own.
    ///   - old: The column of the collection around it in the source, -1 for none.
    ///   - new: That column in the result.
    private mutating func node(
        _ place: Place, own: Int, old: Int, new: Int, isBehindMarker: Bool = false, mayBeIndentless: Bool = false
    ) throws(Odd) {
        var isInline = place != .document || isBehindMarker
        var hasProperties = false
        while kind == .anchor || kind == .tag {
            try separate(place, own: own, isInline: isInline, joins: place != .document)
            emit()
            isInline = true
            hasProperties = true
        }
        switch kind {
        case .alias:
            try separate(place, own: own, isInline: isInline, joins: true)
            emit()
        case .scalar:
            let text = tokens[at].range
            let isLong = column + 1 + bytes[text].count { $0 & 0xC0 != 0x80 } > options.width
            let isMultiline = bytes[text].contains { $0 == 0x0A || $0 == 0x0D }
            let joins = place == .indicator || place == .key && !isLong && !isMultiline
            try separate(place, own: own, isInline: isInline, joins: joins)
            try scalar(continuation: place == .document && hasMarkers(text) ? options.indent : own)
        case .blockScalar:
            try separate(place, own: own, isInline: isInline, joins: place != .document)
            blockScalar(old: old, new: max(new, 0), step: place == .indicator ? 2 : options.indent)
        case .flowSequenceStart, .flowMappingStart:
            try flowNode(place, own: own, isInline: isInline)
        case .blockMappingStart:
            let isCompact = try startsOnLine(place, hasProperties)
            let column = tokens[at].column
            at += 1
            try mapping(own, old: column, isInline: isCompact)
        case .blockSequenceStart:
            let isCompact = try startsOnLine(place, hasProperties)
            let column = tokens[at].column
            at += 1
            try sequence(sequenceColumn(place, own, new), old: column, isInline: isCompact)
            guard kind == .blockEnd else { throw Odd() }
            at += 1
        case .blockEntry where mayBeIndentless:
            let isCompact = try startsOnLine(place, hasProperties)
            try sequence(sequenceColumn(place, own, new), old: tokens[at].column, isInline: isCompact)
        default:
            // Comments below an empty value, but further to the right, are taken to be about it.
            if place != .document { closed.append((old + 1, own)) }
        }
    }

    private func sequenceColumn(_ place: Place, _ own: Int, _ new: Int) -> Int {
        place == .key && !options.indentsSequences ? new : own
    }

    /// Whether a block collection begins on the line of the indicator before it.
    private func startsOnLine(_ place: Place, _ hasProperties: Bool) throws(Odd) -> Bool {
        guard place == .indicator, !hasProperties else { return false }
        return try nextTrivia().comments.isEmpty
    }

    /// Goes from what is before a node to its first token.
    mutating func separate(_ place: Place, own: Int, isInline: Bool, joins: Bool) throws(Odd) {
        let trivia = try nextTrivia()
        if !isInline || !trivia.comments.isEmpty {
            lead(trivia, to: own, isFirst: true)
        } else if trivia.newlines > 0, !joins {
            newline(own)
        } else {
            out.append(0x20)
        }
    }

    // MARK: Block collections

    private mutating func sequence(_ column: Int, old: Int, isInline: Bool) throws(Odd) {
        var isFirst = true
        while kind == .blockEntry {
            try entry(column, old: old, isFirst: isFirst, isInline: isInline)
            emit()
            try node(.indicator, own: column + 2, old: old, new: column)
            isFirst = false
        }
        closed.append((old, column))
    }

    /// Goes to where an entry begins.
    private mutating func entry(_ column: Int, old: Int, isFirst: Bool, isInline: Bool) throws(Odd) {
        if isFirst, isInline {
            out.append(0x20)
        } else {
            lead(try nextTrivia(), to: column, old: old, isFirst: isFirst)
        }
    }

    private mutating func mapping(_ column: Int, old: Int, isInline: Bool) throws(Odd) {
        var isFirst = true
        while true {
            switch kind {
            case .key:
                let isExplicit = tokens[at].isReal
                try entry(column, old: old, isFirst: isFirst, isInline: isInline)
                if isExplicit {
                    emit()
                    try node(.indicator, own: column + 2, old: old, new: column, mayBeIndentless: true)
                } else {
                    at += 1
                    try implicitKey()
                    guard kind == .value else { throw Odd() }
                    emit()
                    try node(.key, own: column + options.indent, old: old, new: column, mayBeIndentless: true)
                }
            case .value:
                try entry(column, old: old, isFirst: isFirst, isInline: isInline)
                emit()
                try node(.indicator, own: column + 2, old: old, new: column, mayBeIndentless: true)
            case .blockEnd:
                at += 1
                closed.append((old, column))
                return
            default: throw Odd()
            }
            isFirst = false
        }
    }

    /// Writes a key that stands on one line, up to its colon.
    private mutating func implicitKey() throws(Odd) {
        let start = at
        while at < tokens.count, tokens[at].isProperty { at += 1 }
        switch kind {
        case .alias, .scalar: at += 1
        case .flowSequenceStart, .flowMappingStart:
            guard let closer = closers[at] else { throw Odd() }
            at = closer + 1
        default: break
        }
        guard at > start, let text = flat(start..<at), kind == .value else { throw Odd() }
        if column == 0, isMarker(tokens[start].range) { throw Odd() }
        out += text
        if needsSpace(tokens[at - 1], tokens[at]) { out.append(0x20) }
        previousEnd = tokens[at - 1].range.upperBound
        guard try trivia(previousEnd, tokens[at].range.lowerBound).comments.isEmpty else { throw Odd() }
    }

    // MARK: Scalars

    /// Whether the text would be a marker at the beginning of a line, `--- : a` for one.
    private func isMarker(_ text: Range<Int>) -> Bool {
        let text = bytes[text]
        return text.starts(with: "---".utf8) || text.starts(with: "...".utf8) || text.starts(with: [0xEF, 0xBB, 0xBF])
    }

    /// Whether a line of the text would be taken for a marker at the beginning of a line.
    private func hasMarkers(_ text: Range<Int>) -> Bool {
        YAMLLines.split(bytes, text).dropFirst().contains { line in
            let line = bytes[YAMLLines.trimmed(bytes, line)]
            return line.starts(with: "---".utf8) || line.starts(with: "...".utf8) || line.first == UInt8(ascii: "%")
        }
    }

    /// Writes text without quotes or in them; its lines but the first begin at a column.
    mutating func scalar(continuation: Int) throws(Odd) {
        let text = tokens[at].range
        if column == 0, isMarker(text) { throw Odd() }
        let lines = YAMLLines.split(bytes, text)
        let hasEscapes = bytes[text.lowerBound] == UInt8(ascii: "\"")
        for (number, line) in lines.enumerated() {
            var line = number == 0 ? line : YAMLLines.trimmed(bytes, line, end: false)
            if number < lines.count - 1 { line = withoutSpaceAtEnd(line, hasEscapes: hasEscapes) }
            if number > 0 { newline(line.isEmpty ? 0 : continuation) }
            write(line)
        }
        passed(text.upperBound)
    }

    /// A line of a scalar without the white space at its end that says nothing.
    func withoutSpaceAtEnd(_ line: Range<Int>, hasEscapes: Bool) -> Range<Int> {
        var result = YAMLLines.trimmedEnd(bytes, line)
        guard hasEscapes, result.upperBound < line.upperBound else { return result }
        // An escaped space counts.
        let slashes = bytes[result].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
        if slashes % 2 == 1 { result = result.lowerBound..<(result.upperBound + 1) }
        return result
    }

    private mutating func blockScalar(old: Int, new: Int, step: Int) {
        let scalar = YAMLBlockScalar(bytes, tokens[at].range, parent: old)
        write(scalar.header)
        if let comment = scalar.comment {
            out.append(0x20)
            writeComment(comment)
        }
        let column = new + (scalar.indentation ?? step)
        for line in scalar.lines {
            newline(line.isEmpty ? 0 : column)
            write(line)
        }
        passed(scalar.end)
        hasEndedLine = scalar.chomping == .keep
        isOpenEnded = scalar.isOpen
    }
}
