// SPDX-License-Identifier: Apache-2.0

/// Collections in brackets and braces.
extension YAMLLayout {
    /// Prints a flow collection: on one line where it fits and may, else an element a line.
    mutating func flowNode(_ place: Place, own: Int, isInline: Bool) throws(Odd) {
        guard let closer = closers[at] else { throw Odd() }
        let trivia = try nextTrivia()
        var isInline = isInline
        if !isInline || !trivia.comments.isEmpty || place == .document && trivia.newlines > 0 {
            lead(trivia, to: own, isFirst: true)
            isInline = false
        }
        if let text = joined(at...closer, room: options.width - column - (isInline ? 1 : 0)) {
            if isInline { out.append(0x20) }
            writeFlat(text, closer)
            return
        }
        if isInline {
            // Strict readers want closing brackets further to the right than the key.
            if place == .key { newline(own) } else { out.append(0x20) }
            if place == .key, let text = joined(at...closer, room: options.width - column) {
                writeFlat(text, closer)
                return
            }
        }
        if hasOddComments(at...closer) {
            raw(closer, column: own + options.indent)
        } else {
            try expanded(closer, base: own)
        }
    }

    private mutating func writeFlat(_ text: [UInt8], _ closer: Int) {
        out += text
        at = closer
        passed(tokens[closer].range.upperBound)
    }

    /// A collection on one line, if it fits there, has no comments, and was on one line or is a sequence of scalars.
    private func joined(_ range: ClosedRange<Int>, room: Int) -> [UInt8]? {
        let bytes = self.bytes[tokens[range.lowerBound].range.lowerBound..<tokens[range.upperBound].range.upperBound]
        let isPlain = tokens[range].dropFirst().dropLast().allSatisfy { token in
            switch token.kind {
            case .flowEntry, .scalar, .alias, .anchor, .tag: true
            default: false
            }
        }
        let mayJoin =
            isPlain && (tokens[range.lowerBound].kind == .flowSequenceStart || range.count == 2)
            || !bytes.contains { $0 == 0x0A || $0 == 0x0D }
        guard mayJoin, let text = flat(Range(range)) else { return nil }
        return text.count { $0 & 0xC0 != 0x80 } <= room ? text : nil
    }

    /// Tokens of a flow collection, or of a key, on one line; nil with comments or text of several lines.
    func flat(_ range: Range<Int>) -> [UInt8]? {
        var result: [UInt8] = []
        var previous: YAMLToken?
        for number in range where tokens[number].isReal {
            let token = tokens[number]
            if token.kind == .flowEntry, isBeforeEnd(number) { continue }
            if let previous {
                let gap = bytes[previous.range.upperBound..<token.range.lowerBound]
                if gap.contains(UInt8(ascii: "#")) { return nil }
                if needsSpace(previous, token) { result.append(0x20) }
            }
            let text = bytes[token.range]
            if text.contains(where: { $0 == 0x0A || $0 == 0x0D }) { return nil }
            result += text
            previous = token
        }
        return result
    }

    /// Whether the next token that takes bytes closes a collection.
    private func isBeforeEnd(_ number: Int) -> Bool {
        var next = number + 1
        while next < tokens.count, !tokens[next].isReal { next += 1 }
        return next < tokens.count && tokens[next].isFlowEnd
    }

    /// Whether a space stands between two tokens on a line.
    func needsSpace(_ first: YAMLToken, _ second: YAMLToken) -> Bool {
        let isUnfinished = first.kind == .tag || first.kind == .value || first.kind == .key
        // `?x` and `:x` in brackets are indicators for libyaml and text for readers of YAML 1.2.
        let isTight = first.range.upperBound == second.range.lowerBound
        if isTight, !second.isFlowEnd, second.kind != .flowEntry {
            if first.kind == .key { return false }
            if first.kind == .value {
                let before = bytes[..<first.range.lowerBound].last { $0 > 0x20 }
                return [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(before)
            }
        }
        switch (first.kind, second.kind) {
        case (.flowMappingStart, .flowMappingEnd): return false
        case (_, .flowMappingEnd): return true
        case (_, .flowSequenceEnd), (_, .flowEntry): return isUnfinished
        case (.flowSequenceStart, _): return false
        case (.scalar, .value), (.flowSequenceEnd, .value), (.flowMappingEnd, .value): return false
        default: return true
        }
    }

    // MARK: Several lines

    /// Whether comments stand inside of an element.
    private func hasOddComments(_ range: ClosedRange<Int>) -> Bool {
        var previous: YAMLToken?
        for token in tokens[range] where token.isReal {
            if let previous, !previous.isFlowStart, previous.kind != .flowEntry, token.kind != .flowEntry,
                !token.isFlowEnd,
                bytes[previous.range.upperBound..<token.range.lowerBound].contains(UInt8(ascii: "#"))
            {
                return true
            }
            previous = token
        }
        return false
    }

    /// Writes a collection with its lines as they are, but for the white space around them.
    private mutating func raw(_ closer: Int, column: Int) {
        let end = tokens[closer].range.upperBound
        let lines = YAMLLines.split(bytes, tokens[at].range.lowerBound..<end)
        for (number, line) in lines.enumerated() {
            let line = withoutSpaceAtEnd(
                number == 0 ? line : YAMLLines.trimmed(bytes, line, end: false), hasEscapes: true)
            if number > 0 { newline(line.isEmpty ? 0 : column) }
            write(line)
        }
        at = closer
        passed(end)
    }

    /// Writes a collection with an element a line. The depth is bounded where the text is parsed.
    private mutating func expanded(_ closer: Int, base: Int) throws(Odd) {
        emit()
        var last = tokens[at - 1]
        let inner = base + options.indent
        var between = try nextTrivia()
        var isFirst = true
        while at < closer {
            lead(between, to: inner, isFirst: isFirst)
            isFirst = false
            last = try element(inner) ?? last
            between = try nextTrivia()
            if at < closer {
                guard kind == .flowEntry else { throw Odd() }
                passed(tokens[at].range.upperBound)
                between.append(try nextTrivia())
            }
            if last.kind == .tag || last.kind == .value || last.kind == .key { out.append(0x20) }
            out.append(UInt8(ascii: ","))
        }
        between.newlines = 1
        lead(between, to: base, isFirst: isFirst, comments: inner)
        emit()
    }

    /// Writes an element up to the comma behind it, and gives its last token.
    private mutating func element(_ column: Int) throws(Odd) -> YAMLToken? {
        var previous: YAMLToken?
        var isKey = false
        while true {
            // A key without '?' stands on one line.
            if kind == .key, !tokens[at].isReal { isKey = true }
            if kind == .value { isKey = false }
            if at < tokens.count, !tokens[at].isReal {
                guard kind != .streamEnd else { throw Odd() }
                at += 1
                continue
            }
            guard at < tokens.count else { throw Odd() }
            let token = tokens[at]
            if token.kind == .flowEntry || token.isFlowEnd || token.kind == .streamEnd { return previous }
            if let previous, needsSpace(previous, token) { out.append(0x20) }
            if token.isFlowStart {
                guard let closer = closers[at] else { throw Odd() }
                let room = options.width - self.column - 1
                if let text = isKey ? flat(at..<(closer + 1)) : joined(at...closer, room: room) {
                    writeFlat(text, closer)
                } else {
                    guard !isKey else { throw Odd() }
                    try expanded(closer, base: column)
                }
                previous = tokens[closer]
            } else {
                if token.kind == .scalar { try scalar(continuation: column + options.indent) } else { emit() }
                previous = token
            }
        }
    }
}
