// SPDX-License-Identifier: Apache-2.0

/// Reads damaged TOML line by line and proposes what has to be changed so that it is TOML.
///
/// Only lines that cannot be right are touched. What comes out is a proposal that the strict reader has to confirm.
struct TOMLMender {
    private let bytes: [UInt8]
    private var mends: [TextMend] = []
    /// Brackets that are open over lines.
    private var depth = 0
    /// The quotes of a text over lines.
    private var long: UInt8?

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The changes that may make the text TOML.
    static func proposal(_ bytes: [UInt8]) -> [TextMend] {
        var mender = TOMLMender(bytes)
        var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while at < bytes.count, mender.mends.count < JSONMender.maximumMends {
            var end = at
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            let next = min(end + 1, bytes.count)
            if end > at, bytes[end - 1] == 0x0D { end -= 1 }
            mender.line(at, end, next)
            at = next
        }
        return mender.mends
    }

    private func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    private mutating func mend(_ id: DiagnosticID, _ message: String, _ range: Range<Int>, _ text: some Sequence<UInt8>)
    {
        mends.append(TextMend(id, message, range, Array(text)))
    }

    private mutating func line(_ start: Int, _ end: Int, _ next: Int) {
        if let quote = long {
            if ends(quote, start, end) { long = nil }
            return
        }
        var at = start
        while at < end, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
        guard at < end, bytes[at] != UInt8(ascii: "#") else { return }
        if bytes[at] == UInt8(ascii: "/"), byte(at + 1) == UInt8(ascii: "/") {
            mend("toml.comment", "a comment begins with '//'", at..<(at + 2), "#".utf8)
            return
        }
        if depth > 0 {
            // The lines of a list; a key or a header says that its bracket is missing.
            if !isEntry(at, end) || bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "{") {
                _ = value(at, end, isList: true)
                return
            }
            var place = start
            while place > 0, bytes[place - 1] <= 0x20 { place -= 1 }
            mend(
                "toml.missing-bracket", "a ']' is missing", place..<place,
                [UInt8](repeating: UInt8(ascii: "]"), count: depth))
            depth = 0
        }
        if bytes[at] == UInt8(ascii: "[") {
            header(at, end)
            return
        }
        entry(at, end)
    }

    private func ends(_ quote: UInt8, _ start: Int, _ end: Int) -> Bool {
        guard end - start >= 3 else { return false }
        return (start...(end - 3)).contains { bytes[$0] == quote && bytes[$0 + 1] == quote && bytes[$0 + 2] == quote }
    }

    /// Whether a line is a header or has a key.
    private func isEntry(_ start: Int, _ end: Int) -> Bool {
        if bytes[start] == UInt8(ascii: "[") {
            let line = bytes[start..<end]
            guard let closing = line.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let inner = line[(start + 1)..<closing]
            return !inner.isEmpty
                && inner.allSatisfy {
                    JSONParser.isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
                        || $0 == UInt8(ascii: "[")
                }
                && !inner.allSatisfy { $0 &- 0x30 < 10 || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        }
        var at = start
        while at < end, JSONParser.isWord(bytes[at]) || bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: ".")
        { at += 1 }
        guard at > start else { return false }
        while at < end, bytes[at] == 0x20 { at += 1 }
        return byte(at) == UInt8(ascii: "=")
    }

    private mutating func header(_ start: Int, _ end: Int) {
        var last = end
        if let comment = bytes[start..<end].firstIndex(of: UInt8(ascii: "#")) { last = comment }
        while last > start, bytes[last - 1] == 0x20 || bytes[last - 1] == 0x09 || bytes[last - 1] == UInt8(ascii: ",") {
            last -= 1
        }
        let isElement = byte(start + 1) == UInt8(ascii: "[")
        let closing = bytes[start..<last].reversed().prefix { $0 == UInt8(ascii: "]") }.count
        let wanted = isElement ? 2 : 1
        if closing < wanted {
            mend(
                "toml.missing-bracket", "the header has no ']'", last..<last,
                [UInt8](repeating: UInt8(ascii: "]"), count: wanted - closing))
        } else if closing > wanted {
            mend("toml.extra-bracket", "a ']' is too many", (last - (closing - wanted))..<last, [])
        }
    }

    private mutating func entry(_ start: Int, _ end: Int) {
        var at = start
        // The key.
        while at < end {
            if bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") {
                guard let closing = bytes[(at + 1)..<end].firstIndex(of: bytes[at]) else { return }
                at = closing + 1
            } else if JSONParser.isWord(bytes[at]) || bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: ".") {
                at += 1
            } else {
                break
            }
        }
        let keyEnd = at
        guard keyEnd > start else { return }
        while at < end, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
        guard at < end else {
            dropIfLast(start, end)
            return
        }
        if bytes[at] == UInt8(ascii: "=") {
            at += 1
            if byte(at) == UInt8(ascii: ">") || byte(at) == UInt8(ascii: "=") {
                mend("toml.separator", "one '=' is enough", at..<(at + 1), [])
                at += 1
            }
        } else if bytes[at] == UInt8(ascii: ":") {
            let length = byte(at + 1) == UInt8(ascii: "=") ? 2 : 1
            mend("toml.separator", "':' stands where '=' is meant", keyEnd..<(at + length), " =".utf8)
            at += length
        } else if at > keyEnd {
            mend("toml.missing-equals", "a '=' is missing behind the key", keyEnd..<keyEnd, " =".utf8)
        } else {
            return
        }
        while at < end, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
        guard at < end else {
            dropIfLast(start, end)
            return
        }
        at = value(at, end, isList: false)
    }

    /// Leaves out a key without a value at the end of the text.
    private mutating func dropIfLast(_ start: Int, _ end: Int) {
        guard bytes[end...].allSatisfy({ $0 <= 0x20 }) else { return }
        while let last = mends.last, last.range.lowerBound >= start { mends.removeLast() }
        mend(
            "text.truncated", "the text ends before the value of its last key, which is left out",
            max(0, start - 1)..<end,
            [])
    }

    /// Reads values up to the end of a line.
    private mutating func value(_ start: Int, _ end: Int, isList: Bool) -> Int {
        var at = start
        while at < end {
            switch bytes[at] {
            case 0x20, 0x09: at += 1
            case UInt8(ascii: "#"): return end
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if bytes[at] == UInt8(ascii: "{") { return end }
                depth += 1
                at += 1
            case UInt8(ascii: "]"):
                depth = max(0, depth - 1)
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ";"):
                if depth == 0 {
                    var last = end
                    while last > at, bytes[last - 1] <= 0x20 { last -= 1 }
                    if last == at + 1 {
                        mend(
                            "toml.extra-comma", "a '\(Character(Unicode.Scalar(bytes[at])))' follows the value",
                            at..<last, [])
                    }
                    return end
                }
                at += 1
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let quote = bytes[at]
                if byte(at + 1) == quote, byte(at + 2) == quote {
                    if !ends(quote, at + 3, end) { long = quote }
                    return end
                }
                guard let closed = closing(at, end) else {
                    unclosed(at, end)
                    return end
                }
                at = closed
            case 0xE2, UInt8(ascii: "`"):
                guard let closed = foreignQuotes(at, end) else { return end }
                at = closed
            default: at = word(at, end)
            }
        }
        return at
    }

    private func closing(_ start: Int, _ end: Int) -> Int? {
        var at = start + 1
        while at < end {
            if bytes[at] == UInt8(ascii: "\\"), bytes[start] == UInt8(ascii: "\"") {
                at += 2
            } else if bytes[at] == bytes[start] {
                return at + 1
            } else {
                at += 1
            }
        }
        return nil
    }

    private mutating func unclosed(_ start: Int, _ end: Int) {
        var last = end
        while last > start + 1,
            bytes[last - 1] == 0x20 || bytes[last - 1] == 0x09 || bytes[last - 1] == UInt8(ascii: ",")
        { last -= 1 }
        var open = depth
        while open > 0, last > start + 1, bytes[last - 1] == UInt8(ascii: "]") {
            last -= 1
            open -= 1
        }
        depth = open
        mend("toml.quote", "the closing quote is missing", last..<last, [bytes[start]])
    }

    private mutating func foreignQuotes(_ start: Int, _ end: Int) -> Int? {
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        let marks: Set<Character> = ["“", "”", "„", "‘", "’", "‚", "`"]
        guard let first = text.first, marks.contains(first),
            let last = text.dropFirst().firstIndex(where: { marks.contains($0) || $0 == "\"" })
        else { return nil }
        let inner = String(text[text.index(after: text.startIndex)..<last])
        let length = text[...last].utf8.count
        mend(
            "toml.quote", "the text stands in other quotes than '\"'", start..<(start + length),
            JSONWriter.quoted(inner).utf8)
        return start + length
    }

    /// Reads a number, a literal, or text without quotes.
    private mutating func word(_ start: Int, _ end: Int) -> Int {
        var last = start
        while last < end, bytes[last] != UInt8(ascii: ","), bytes[last] != UInt8(ascii: "]"),
            bytes[last] != UInt8(ascii: "#")
        { last += 1 }
        let stop = last
        while last > start, bytes[last - 1] == 0x20 || bytes[last - 1] == 0x09 || bytes[last - 1] == UInt8(ascii: ";") {
            last -= 1
        }
        let text = String(decoding: bytes[start..<last], as: UTF8.self)
        switch text {
        case "true", "false": return stop
        case "True", "False", "TRUE", "FALSE":
            mend("toml.literal", "'\(text)' is written '\(text.lowercased())'", start..<last, text.lowercased().utf8)
            return stop
        default: break
        }
        // Numbers and dates that TOML knows stay.
        if let trial = try? TOMLReader.read("x = \(text)"), trial.root["x"] != nil { return stop }
        if let number = JSONMender.number(bytes[start..<last], isCut: false) {
            mend("toml.number", "'\(text)' is not how TOML writes a number", start..<last, number)
        } else if text.utf8.last == UInt8(ascii: "\""), text.utf8.count(where: { $0 == 0x22 }) == 1 {
            mend("toml.quote", "the opening quote is missing", start..<start, "\"".utf8)
        } else if !text.contains("\""), !text.contains("'"), !text.contains("{"), !text.contains("="), !text.isEmpty {
            mend("toml.quote", "the text stands without quotes", start..<last, JSONWriter.quoted(text).utf8)
        }
        return stop
    }
}
