// SPDX-License-Identifier: Apache-2.0

/// Reads damaged JSON as best it can and notes what has to be changed so that it is JSON.
///
/// One run takes one decision at each doubtful place; ``Decisions`` let a caller try the others. The reader keeps its own
/// stack, its work is linear in the text but for look-ahead that is bounded, and the result is only a proposal: who uses it
/// reads the mended text again with the strict reader.
struct JSONMender {
    /// What to do where the text can be understood in more than one way.
    struct Decisions: Hashable {
        /// Whether the indentation of lines says where containers end.
        var usesLayout = true
        /// A closing bracket to be left out.
        var skippedCloser: Int?
        /// The end of a value behind which the container around it is closed.
        var closesAfter: Int?
        /// A bracket that begins text whose opening quote is missing.
        var textStart: Int?
        /// Whether comments and trailing commas may stay.
        var allowsComments = false
    }

    struct Frame {
        var isObject: Bool
        /// Where the opening bracket is.
        var start: Int
        /// The indentation of the line of the opening bracket.
        var indentation: Int
        /// Whether members stand on lines of their own, indented more than the line of the bracket.
        var isLaidOut = false
        /// The indentation of the first member.
        var memberIndentation = 0
        var hasMembers = false
    }

    enum Expect { case value, valueOrEnd, keyOrEnd, key, separator, end }

    let bytes: [UInt8]
    let decisions: Decisions
    /// The end of the part that is read.
    let end: Int
    var at: Int
    var frames: [Frame] = []
    var mends: [TextMend] = []
    /// The end of the last token that is no trivia.
    var lastEnd = 0
    /// The last comma that separates members.
    var lastComma: Int?
    /// Where the member begins whose key was read last.
    var memberStart = 0
    /// The colon of that member.
    var colon: Int?
    /// Closing brackets that were taken as such.
    var closers: [Int] = []
    /// Ends of values directly inside of a container, where a missing bracket may belong.
    var valueEnds: [Int] = []
    /// Brackets on lines with an odd number of quotes, which may begin text.
    var textStarts: [Int] = []
    /// Whether brackets were missing at the end of the text.
    var isShort = false
    /// Whether a bracket was too many.
    var hasExtraCloser = false
    /// Whether the indentation says something else than the brackets.
    var contradictsLayout = false
    /// Whether keys stand in quotes, at least some.
    var hasQuotedKeys = false
    /// Whether the text cannot be understood.
    var hasFailed = false
    private var lastRoot: (frame: Frame, closer: Int)?
    private var hasClosedAfter = false
    /// Where the lines of the text begin.
    let lineStarts: [Int]

    static let maximumDepth = 512
    static let maximumMends = 20_000

    init(_ bytes: [UInt8], lineStarts: [Int], _ range: Range<Int>, _ decisions: Decisions) {
        self.bytes = bytes
        self.lineStarts = lineStarts
        self.decisions = decisions
        at = range.lowerBound
        end = range.upperBound
        lastEnd = at
    }

    /// Where the lines of a text begin.
    static func lineStarts(_ bytes: [UInt8]) -> [Int] {
        var starts = [0]
        for (index, byte) in bytes.enumerated() where byte == 0x0A || byte == 0x0D { starts.append(index + 1) }
        return starts
    }

    @inline(__always)
    func byte(_ index: Int) -> UInt8 { index < end ? bytes[index] : 0 }

    mutating func mend(
        _ id: DiagnosticID, _ message: String, _ range: Range<Int>, _ replacement: some Sequence<UInt8>,
        cost: Int = TextMend.ordinaryCost
    ) {
        if mends.count >= Self.maximumMends { hasFailed = true }
        mends.append(TextMend(id, message, range, Array(replacement), cost: cost))
    }

    /// Reads the text; the mends are good for something only where this gives true.
    mutating func run() -> Bool {
        var expect = Expect.value
        while !hasFailed {
            skipTrivia()
            if hasFailed { return false }
            guard at < end else { return finish(expect) }
            switch expect {
            case .value, .valueOrEnd: expect = value(isFirst: expect == .valueOrEnd)
            case .key, .keyOrEnd: expect = key(isFirst: expect == .keyOrEnd)
            case .separator: expect = separator()
            case .end: expect = rest()
            }
        }
        return false
    }

    // MARK: Structure

    /// Notes that a value has ended.
    mutating func ended(at place: Int) -> Expect {
        lastEnd = place
        colon = nil
        guard !frames.isEmpty else { return .end }
        frames[frames.count - 1].hasMembers = true
        valueEnds.append(place)
        if decisions.closesAfter == place, !hasClosedAfter {
            hasClosedAfter = true
            mend("json.missing-bracket", "a '\(closing)' is missing", place..<place, closing.utf8)
            return close(at: place)
        }
        return .separator
    }

    /// The bracket that closes the innermost container.
    var closing: String { frames.last?.isObject == true ? "}" : "]" }

    private mutating func close(at place: Int) -> Expect {
        guard let frame = frames.popLast() else { return .end }
        if frames.isEmpty { lastRoot = (frame, place - 1) }
        return ended(at: place)
    }

    mutating func open(isObject: Bool, at start: Int) -> Bool {
        guard frames.count < Self.maximumDepth else {
            hasFailed = true
            return false
        }
        var frame = Frame(isObject: isObject, start: start, indentation: indentation(of: start))
        if let first = nextLineStart(after: start + 1) {
            frame.memberIndentation = indentation(of: first)
            frame.isLaidOut = frame.memberIndentation > frame.indentation
        }
        frames.append(frame)
        return true
    }

    /// Whether the token at the place begins a line that stands too far left for the innermost container.
    private func leavesContainer(_ place: Int) -> Bool {
        guard decisions.usesLayout, frames.count > 1, frames[0].isLaidOut, let frame = frames.last, frame.hasMembers
        else { return false }
        return startsLine(place) && indentation(of: place) <= frame.indentation
    }

    /// Notes that the indentation of a line does not fit to the container that it is read into.
    private mutating func compareLayout(_ place: Int) {
        guard !contradictsLayout, let frame = frames.last, frame.isLaidOut, startsLine(place) else { return }
        if indentation(of: place) != frame.memberIndentation { contradictsLayout = true }
    }

    /// Puts the missing bracket behind the last value.
    private mutating func closeMissing() {
        let text = closerText(upTo: 1)
        mend("json.missing-bracket", "a '\(closing)' is missing", lastEnd..<lastEnd, text)
        _ = frames.popLast()
        if !frames.isEmpty { frames[frames.count - 1].hasMembers = true }
    }

    /// The brackets for the innermost containers, on lines of their own where the members have them.
    private func closerText(upTo count: Int) -> [UInt8] {
        var text: [UInt8] = []
        for frame in frames.suffix(count).reversed() {
            if frame.isLaidOut, frame.hasMembers {
                text += lineEnd
                text += indentationText(of: frame.start)
            }
            text.append(frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        }
        return text
    }

    private mutating func separator() -> Expect {
        let inObject = frames.last?.isObject ?? false
        switch byte(at) {
        case UInt8(ascii: ","), UInt8(ascii: ";"):
            let comma = at
            let next = significant(after: at + 1)
            if next < end, !Self.isCloser(byte(next)), leavesContainer(next) {
                closeMissing()
                return .separator
            }
            if byte(comma) == UInt8(ascii: ";") {
                mend("json.separator", "';' stands where ',' is meant", comma..<(comma + 1), ",".utf8)
            }
            at = comma + 1
            lastComma = comma
            skipTrivia()
            // Commas without anything between them.
            while byte(at) == UInt8(ascii: ",") {
                mend("json.extra-comma", "a ',' is too many", at..<(at + 1), [])
                at += 1
                skipTrivia()
            }
            compareLayout(at)
            return inObject ? .key : .value
        case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"): return closer()
        default:
            if leavesContainer(at) {
                closeMissing()
                return .separator
            }
            let next = byte(at)
            if !inObject, frames.count > 1, frames[frames.count - 2].isObject, looksLikeKey(at) {
                closeMissing()
                return .separator
            }
            guard next != UInt8(ascii: ":"), next != UInt8(ascii: "=") else {
                hasFailed = true
                return .end
            }
            compareLayout(at)
            mend("json.missing-comma", "a ',' is missing", lastEnd..<lastEnd, ",".utf8)
            lastComma = nil
            return inObject ? .key : .value
        }
    }

    static func isCloser(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") }

    /// Takes the closing bracket at the cursor.
    mutating func closer() -> Expect {
        let place = at
        if decisions.skippedCloser == place {
            hasExtraCloser = true
            mend(
                "json.extra-bracket", "a '\(Character(Unicode.Scalar(byte(place))))' is too many", place..<(place + 1),
                [])
            at += 1
            return frames.isEmpty ? .end : .separator
        }
        let isBrace = byte(place) == UInt8(ascii: "}")
        closers.append(place)
        guard let top = frames.last else {
            hasExtraCloser = true
            return rest()
        }
        if goesOnBehind(place, top) {
            hasExtraCloser = true
            mend(
                "json.extra-bracket", "a '\(Character(Unicode.Scalar(byte(place))))' is too many", place..<(place + 1),
                [])
            at = place + 1
            return .separator
        }
        // How many containers end here: those inside of the one that the bracket belongs to are not closed.
        var inner = 0
        let own = indentation(of: place)
        let opening = frames.lastIndex { $0.isObject == isBrace }
        if decisions.usesLayout, startsLine(place), top.isLaidOut, own < top.indentation,
            let outer = frames.lastIndex(where: { $0.isObject == isBrace && $0.indentation == own })
        {
            inner = frames.count - 1 - outer
        } else if top.isObject != isBrace, let opening, byte(place) != UInt8(ascii: ")") {
            inner = frames.count - 1 - opening
        } else if top.isObject != isBrace {
            mend(
                "json.wrong-bracket", "'\(Character(Unicode.Scalar(byte(place))))' stands where '\(closing)' is meant",
                place..<(place + 1), closing.utf8)
        } else if startsLine(place), top.isLaidOut, own != top.indentation {
            contradictsLayout = true
        }
        if inner > 0 {
            mend(
                "json.missing-bracket",
                inner == 1 ? "a '\(closing)' is missing" : "\(inner) closing brackets are missing",
                lastEnd..<lastEnd, closerText(upTo: inner), cost: TextMend.ordinaryCost * inner)
            frames.removeLast(inner)
        }
        at = place + 1
        return close(at: at)
    }

    /// Whether the lines behind a closing bracket belong to the container that it would close.
    private func goesOnBehind(_ place: Int, _ frame: Frame) -> Bool {
        guard decisions.usesLayout, frame.isLaidOut, frame.hasMembers, !startsLine(place) else { return false }
        var next = significant(after: place + 1)
        if byte(next) == UInt8(ascii: ",") { next = significant(after: next + 1) }
        guard next < end, startsLine(next) else { return false }
        let own = indentation(of: next)
        if Self.isCloser(bytes[next]) {
            return own == frame.indentation && (bytes[next] == UInt8(ascii: "}")) == frame.isObject
        }
        return own == frame.memberIndentation
    }

    /// What follows the root.
    private mutating func rest() -> Expect {
        let start = at
        // Brackets and commas that belong to nothing.
        var place = at
        while place < end,
            Self.isCloser(bytes[place]) || bytes[place] == UInt8(ascii: ",") || Self.isSpace(bytes[place])
                || bytes[place] == UInt8(ascii: ";")
        { place += 1 }
        let remainder = place < end
        if remainder, let (frame, closer) = lastRoot,
            frame.isObject ? looksLikeKey(place) : bytes[start] == UInt8(ascii: ",")
        {
            // The root goes on: its bracket came too early.
            hasExtraCloser = true
            mend("json.extra-bracket", "a '\(frame.isObject ? "}" : "]")' is too many", closer..<(closer + 1), [])
            lastEnd = closer
            while lastEnd > 0, Self.isSpace(bytes[lastEnd - 1]) { lastEnd -= 1 }
            lastRoot = nil
            frames.append(frame)
            frames[0].hasMembers = true
            return .separator
        }
        if !remainder {
            let brackets = bytes[start..<end].count { Self.isCloser($0) }
            hasExtraCloser = brackets > 0
            var last = end
            while last > start, Self.isSpace(bytes[last - 1]) { last -= 1 }
            mend(
                brackets > 0 ? "json.extra-bracket" : "json.trailing-text",
                brackets > 1
                    ? "\(brackets) closing brackets are too many"
                    : (brackets == 1 ? "a closing bracket is too many" : "there is something behind the document"),
                lastEnd..<last, [], cost: TextMend.ordinaryCost * max(1, brackets))
            at = end
            return .end
        }
        // Prose may follow, but nothing that could be a part of the document.
        guard
            !bytes[start..<end].contains(where: {
                Self.isCloser($0) || $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[")
            })
        else {
            hasFailed = true
            return .end
        }
        var last = end
        while last > start, Self.isSpace(bytes[last - 1]) { last -= 1 }
        mend("text.around", "text follows the document", lastEnd..<last, [])
        at = end
        return .end
    }

    // MARK: Keys

    private mutating func key(isFirst: Bool) -> Expect {
        let start = at
        let next = byte(at)
        switch next {
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if !isFirst { trailingComma() }
            return closer()
        case UInt8(ascii: ","):
            if isFirst, isLeftEmpty(at) { return closeEmpty() }
            mend("json.extra-comma", "a ',' is too many", at..<(at + 1), [])
            at += 1
            return isFirst ? .keyOrEnd : .key
        case UInt8(ascii: "{") where frames.count > 1 && !frames[frames.count - 2].isObject && !isFirst:
            // The next element of the list around begins: this object was not closed.
            at = lastComma ?? at
            closeMissing()
            return .separator
        default: break
        }
        memberStart = start
        guard scanKey() else {
            hasFailed = true
            return .end
        }
        let keyEnd = at
        skipTrivia()
        switch byte(at) {
        case UInt8(ascii: ":"):
            colon = at
            at += 1
            if byte(at) == UInt8(ascii: ":") || byte(at) == UInt8(ascii: "=") {
                mend("json.separator", "one ':' is enough", at..<(at + 1), [])
                at += 1
            }
        case UInt8(ascii: "="):
            let length = byte(at + 1) == UInt8(ascii: ">") ? 2 : 1
            mend(
                "json.separator", "'\(length == 2 ? "=>" : "=")' stands where ':' is meant", at..<(at + length),
                (at > keyEnd ? ":" : ": ").utf8)
            colon = at
            at += length
        case 0 where at >= end:
            dropMember()
            return .separator
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ";"):
            hasFailed = true
            return .end
        default:
            mend("json.missing-colon", "a ':' is missing behind the key", keyEnd..<keyEnd, ":".utf8)
            colon = keyEnd
        }
        return .value
    }

    /// Whether the line behind a comma that follows an opening bracket belongs to a container around.
    func isLeftEmpty(_ comma: Int) -> Bool {
        guard decisions.usesLayout, frames.count > 1, let frame = frames.last else { return false }
        let next = significant(after: comma + 1)
        return next < end && startsLine(next) && indentation(of: next) <= frame.indentation
    }

    /// Closes a container without members whose bracket is missing.
    mutating func closeEmpty() -> Expect {
        mend("json.missing-bracket", "a '\(closing)' is missing", lastEnd..<lastEnd, closing.utf8)
        _ = frames.popLast()
        if !frames.isEmpty { frames[frames.count - 1].hasMembers = true }
        return .separator
    }

    /// Leaves out a comma that nothing follows.
    mutating func trailingComma() {
        guard let comma = lastComma, !decisions.allowsComments else { return }
        mend("json.trailing-comma", "a ',' is too many before the closing bracket", comma..<(comma + 1), [])
        lastComma = nil
    }

    /// Leaves out a member without a value at the end of the text.
    private mutating func dropMember() {
        var start = memberStart
        if let lastComma, lastComma < start, lastComma >= lastEnd { start = lastComma }
        if lastEnd < start, start == memberStart { start = lastEnd }
        mends.removeAll {
            $0.range.lowerBound > start || $0.range.lowerBound == start && $0.id != "json.missing-bracket"
        }
        var last = end
        while last > start, Self.isSpace(bytes[last - 1]) { last -= 1 }
        mend("text.truncated", "the text ends before the value of its last key, which is left out", start..<last, [])
        at = end
        colon = nil
        lastComma = nil
    }

    // MARK: The end

    private mutating func finish(_ expect: Expect) -> Bool {
        switch expect {
        case .end: return true
        case .value where colon != nil: dropMember()
        case .value where frames.isEmpty: return false
        case .key, .value:
            if let comma = lastComma {
                mend("json.trailing-comma", "a ',' is too many at the end", comma..<(comma + 1), [])
                lastComma = nil
            }
        case .valueOrEnd, .keyOrEnd, .separator: break
        }
        guard !frames.isEmpty else { return !hasFailed }
        isShort = true
        var place = lastEnd
        if expect == .keyOrEnd || expect == .valueOrEnd, let frame = frames.last { place = max(place, frame.start + 1) }
        let count = frames.count
        let text = closerText(upTo: count)
        mend(
            "json.missing-bracket",
            count == 1 ? "the text ends before '\(closing)'" : "the text ends inside of \(count) containers",
            place..<place, text, cost: TextMend.ordinaryCost + count - 1)
        frames = []
        return !hasFailed
    }
}
