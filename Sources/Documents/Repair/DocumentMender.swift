// SPDX-License-Identifier: Apache-2.0

/// Finds ways to read a text that its notation does not allow.
///
///     for reading in DocumentMender.readings(bytes, file: "settings.json") { … }   // cheapest first
///
/// A reading is a set of changes after which the strict reader accepts the text; each says where, what and why. Which
/// of several is meant is for the caller to decide, who may know the schema. The work is bounded: a text beyond
/// ``maximumBytes`` has no readings but the strict one.
package enum DocumentMender {
    /// The largest text that is mended.
    package static let maximumBytes = 16 << 20
    /// Bytes read in all attempts for one text.
    private static let workLimit = 96 << 20
    private static let maximumAlternatives = 48
    /// The most readings that are given.
    package static let maximumReadings = 40

    /// The reading without changes, where the strict reader accepts the text.
    package static func strictReading(
        _ bytes: [UInt8], file: String?, format: DocumentFormat
    ) throws(DiagnosticsError) -> TextReading {
        try read(bytes, file: file, format: format, mends: [], extra: 0)
    }

    /// The ways to read a text that is not what its notation allows, cheapest first.
    ///
    /// - Parameter isCertain: Whether the notation is known, and not a guess.
    package static func readings(
        _ bytes: [UInt8], file: String?, format: DocumentFormat, isCertain: Bool
    ) -> [TextReading] {
        guard bytes.count <= maximumBytes, String(validating: bytes, as: UTF8.self) != nil else { return [] }
        var found: [TextReading] = []
        var seen = Set<[UInt8]>()
        var work = workLimit
        func add(_ mends: [TextMend], _ format: DocumentFormat, extra: Int = 0) {
            guard let ordered = TextMends(mends) else { return }
            let text = ordered.apply(to: bytes)
            guard seen.insert(text).inserted else { return }
            if let reading = try? read(bytes, file: file, format: format, mends: mends, extra: extra) {
                found.append(reading)
            }
        }
        for window in windows(bytes, format, isCertain: isCertain) where work > 0 {
            switch window.format {
            case .json, .jsonc, .json5:
                addJSON(bytes, window, &work) { add($0 + window.mends, window.format, extra: $1) }
            case .yaml:
                let part = Array(bytes[window.range])
                work -= 16 * bytes.count
                for proposal in YAMLMender.proposals(part) {
                    let mends = proposal.mends.map { shifted($0, by: window.range.lowerBound) }
                    let sum = mends.reduce(0) { $0 + $1.cost }
                    add(mends + window.mends, .yaml, extra: max(0, proposal.cost - sum))
                }
            case .toml:
                let part = Array(bytes[window.range])
                add(TOMLMender.proposal(part).map { shifted($0, by: window.range.lowerBound) } + window.mends, .toml)
            case .jsonl: addLines(bytes, window) { add($0 + window.mends, .jsonl) }
            }
        }
        return Array(found.sorted { $0.cost < $1.cost }.prefix(maximumReadings))
    }

    private static func shifted(_ mend: TextMend, by offset: Int) -> TextMend {
        var moved = mend
        moved.range = (mend.range.lowerBound + offset)..<(mend.range.upperBound + offset)
        return moved
    }

    // MARK: JSON

    /// Tries the decisions that matter for one part of the text.
    private static func addJSON(_ bytes: [UInt8], _ window: Window, _ work: inout Int, _ add: ([TextMend], Int) -> Void)
    {
        let lines = JSONMender.lineStarts(bytes)
        var first = JSONMender.Decisions()
        first.allowsComments = window.format == .jsonc || window.format == .json5
        var decisions = [first]
        var tried = Set<JSONMender.Decisions>()
        while let next = decisions.popLast(), work > 0 {
            guard tried.insert(next).inserted, tried.count < 300 else { continue }
            var mender = JSONMender(bytes, lineStarts: lines, window.range, next)
            work -= 2 * bytes.count + 1024
            let isDone = mender.run()
            if isDone { add(mender.mends, mender.contradictsLayout ? 3 : 0) }
            let isAlternative = next.skippedCloser != nil || next.closesAfter != nil || next.textStart != nil
            guard !isAlternative else { continue }
            for place in mender.textStarts {
                var other = next
                other.textStart = place
                decisions.append(other)
            }
            let isShort = mender.isShort || mender.mends.contains { $0.id == "json.missing-bracket" }
            if next.usesLayout, !isDone || isShort || mender.hasExtraCloser {
                var other = next
                other.usesLayout = false
                decisions.append(other)
            }
            if mender.hasExtraCloser || !isDone {
                for closer in mender.closers.suffix(maximumAlternatives) {
                    var other = next
                    other.skippedCloser = closer
                    decisions.append(other)
                }
            }
            if isShort || !isDone {
                for place in mender.valueEnds.suffix(maximumAlternatives) {
                    var other = next
                    other.closesAfter = place
                    decisions.append(other)
                }
            }
        }
    }

    /// Mends the lines one by one.
    private static func addLines(_ bytes: [UInt8], _ window: Window, _ add: ([TextMend]) -> Void) {
        var mends: [TextMend] = []
        let starts = JSONMender.lineStarts(bytes)
        var lines = LineReader(bytes)
        while let line = lines.next(), mends.count < JSONMender.maximumMends {
            if (try? JSONReader.read(Array(bytes[line.range]), options: .lenient)) != nil { continue }
            var mender = JSONMender(bytes, lineStarts: starts, line.range, JSONMender.Decisions())
            guard mender.run() else { return }
            mends += mender.mends
        }
        add(mends)
    }

    // MARK: Parts

    /// A part of the text that may be the document.
    private struct Window {
        var range: Range<Int>
        var format: DocumentFormat
        /// What is taken away around it.
        var mends: [TextMend]
    }

    private static func windows(_ bytes: [UInt8], _ format: DocumentFormat, isCertain: Bool) -> [Window] {
        var found: [Window] = []
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        found.append(Window(range: start..<bytes.count, format: format, mends: []))
        for fence in fences(bytes) {
            let language: DocumentFormat? =
                switch fence.language {
                case "json": .json
                case "json5": isCertain ? .json : .json5
                case "jsonc", "javascript", "js": isCertain ? .json : .jsonc
                case "yaml", "yml": .yaml
                case "toml": .toml
                default: nil
                }
            let kind = isCertain ? format : (language ?? DocumentReader.guess(Array(bytes[fence.content].prefix(256))))
            if let language, isCertain, language != format, !(language == .json && format != .toml) { continue }
            var mends: [TextMend] = []
            if fence.content.lowerBound > start {
                mends.append(
                    TextMend(
                        "text.fence", "the document stands inside of a code fence", start..<fence.content.lowerBound, []
                    ))
            }
            if fence.content.upperBound < bytes.count {
                mends.append(
                    TextMend("text.fence", "the code fence ends", fence.content.upperBound..<bytes.count, [], cost: 0))
            }
            found.append(Window(range: fence.content, format: kind, mends: mends))
        }
        let isBraced = format == .json || format == .jsonc || format == .json5
        if isBraced || !isCertain {
            let kind = isBraced ? format : .json
            let last = bytes.lastIndex(where: JSONMender.isCloser).map { $0 + 1 } ?? bytes.count
            var places = 0
            for index in start..<bytes.count {
                let byte = bytes[index]
                guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else { continue }
                let before = trimmedStart(bytes, start)
                if index == before {
                    if !isBraced { found.append(Window(range: start..<bytes.count, format: kind, mends: [])) }
                    if last < bytes.count, last > index { found.append(cut(bytes, start, index, last, kind)) }
                } else if isProse(bytes[start..<index]) {
                    found.append(cut(bytes, start, index, bytes.count, kind))
                    if last < trimmedEnd(bytes), last > index { found.append(cut(bytes, start, index, last, kind)) }
                }
                places += 1
                if places == 8 { break }
            }
        }
        return found
    }

    /// Whether a text before the document is no part of it: it has no bracket that stays open.
    private static func isProse(_ text: ArraySlice<UInt8>) -> Bool {
        var depth = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "}"): return false
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"): depth -= 1
            default: break
            }
            if depth < 0 { return false }
        }
        return depth == 0
    }

    private static func trimmedStart(_ bytes: [UInt8], _ start: Int) -> Int {
        bytes[start...].firstIndex { !JSONMender.isSpace($0) } ?? bytes.count
    }

    private static func trimmedEnd(_ bytes: [UInt8]) -> Int {
        (bytes.lastIndex { !JSONMender.isSpace($0) } ?? -1) + 1
    }

    /// The part between two places, with what is around it taken away.
    private static func cut(_ bytes: [UInt8], _ start: Int, _ from: Int, _ to: Int, _ format: DocumentFormat) -> Window
    {
        var mends: [TextMend] = []
        if from > start { mends.append(TextMend("text.around", "text stands before the document", start..<from, [])) }
        let last = trimmedEnd(bytes)
        if to < last { mends.append(TextMend("text.around", "text follows the document", to..<last, [])) }
        return Window(range: from..<to, format: format, mends: mends)
    }

    /// The parts between lines of three backticks or tildes.
    private static func fences(_ bytes: [UInt8]) -> [(content: Range<Int>, language: String)] {
        var result: [(Range<Int>, String)] = []
        var open: (mark: UInt8, content: Int, language: String, indentation: Int)?
        var at = 0
        while at < bytes.count, result.count < 8 {
            var end = at
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            let next = min(end + 1, bytes.count)
            let text = bytes[at..<end].drop { $0 == 0x20 || $0 == 0x09 }
            if text.count >= 3, let mark = text.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~"),
                text.prefix(3).allSatisfy({ $0 == mark })
            {
                if let opened = open {
                    // What is indented further belongs to the document.
                    if opened.mark == mark, end - at - text.count <= opened.indentation {
                        result.append((opened.content..<at, opened.language))
                        open = nil
                    }
                } else {
                    let language = text.drop { $0 == mark }.filter { $0 > 0x20 }
                    open = (mark, next, String(decoding: language, as: UTF8.self).lowercased(), end - at - text.count)
                }
            }
            at = next
        }
        if let open, open.content < bytes.count { result.append((open.content..<bytes.count, open.language)) }
        return result
    }

    // MARK: The strict reader

    /// Makes the changes and reads the text again.
    private static func read(
        _ bytes: [UInt8], file: String?, format: DocumentFormat, mends: [TextMend], extra: Int
    ) throws(DiagnosticsError) -> TextReading {
        guard let ordered = TextMends(mends) else { throw DiagnosticsError([]) }
        let text = mends.isEmpty ? bytes : ordered.apply(to: bytes)
        let documents = try DocumentReader.readAll(text, file: file, format: format, options: .lenient)
        guard !documents.isEmpty else { throw DiagnosticsError([]) }
        return TextReading(
            bytes: text, format: format, mends: ordered, cost: ordered.cost.addingSaturated(extra),
            documents: documents,
            bases: documents.map { $0.source?.firstOffset ?? 0 })
    }
}
