// SPDX-License-Identifier: Apache-2.0

extension JSONMender {
    // MARK: Lines

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    /// White space of one line looked at on the way to its beginning; longer ones count as not indented.
    private static let maximumIndentation = 4096

    private func lineStart(of place: Int) -> Int {
        var (low, high) = (0, lineStarts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= place { low = middle } else { high = middle }
        }
        return lineStarts[low]
    }

    /// The columns of white space that the line of the place begins with.
    func indentation(of place: Int) -> Int {
        var index = lineStart(of: place)
        var columns = 0
        while index < place, columns < Self.maximumIndentation {
            switch bytes[index] {
            case 0x20: columns += 1
            case 0x09: columns += tabWidth
            default: return columns
            }
            index += 1
        }
        return columns
    }

    /// The white space that the line of the place begins with.
    func indentationText(of place: Int) -> [UInt8] {
        let start = lineStart(of: place)
        var index = start
        while index < place, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        return Array(bytes[start..<index])
    }

    /// Whether there is nothing but white space before the place on its line.
    func startsLine(_ place: Int) -> Bool {
        var index = place
        while index > 0 {
            switch bytes[index - 1] {
            case 0x20, 0x09: index -= 1
            case 0x0A, 0x0D: return true
            default: return false
            }
        }
        return true
    }

    /// The first place of a text in a later line, where nothing but white space is before it.
    func nextLineStart(after place: Int) -> Int? {
        var index = place
        var sawLine = false
        while index < end {
            switch bytes[index] {
            case 0x20, 0x09: break
            case 0x0A, 0x0D: sawLine = true
            case UInt8(ascii: "/") where byte(index + 1) == UInt8(ascii: "/"), UInt8(ascii: "#"):
                while index + 1 < end, bytes[index + 1] != 0x0A { index += 1 }
            default: return sawLine && !Self.isCloser(bytes[index]) ? index : nil
            }
            index += 1
        }
        return nil
    }

    // MARK: Trivia

    /// The next place that is neither white space nor a comment.
    func significant(after place: Int) -> Int {
        var index = place
        while index < end {
            if Self.isSpace(bytes[index]) {
                index += 1
            } else if let next = endOfComment(index) {
                index = next
            } else {
                return index
            }
        }
        return end
    }

    /// The end of the comment that begins at the place.
    private func endOfComment(_ place: Int) -> Int? {
        switch byte(place) {
        case UInt8(ascii: "#"): break
        case UInt8(ascii: "/") where byte(place + 1) == UInt8(ascii: "/"): break
        case UInt8(ascii: "/") where byte(place + 1) == UInt8(ascii: "*"):
            var index = place + 2
            while index + 1 < end {
                if bytes[index] == UInt8(ascii: "*"), bytes[index + 1] == UInt8(ascii: "/") { return index + 2 }
                index += 1
            }
            return end
        default: return nil
        }
        var index = place
        while index < end, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
        return index
    }

    mutating func skipTrivia() {
        while at < end {
            let start = at
            if Self.isSpace(bytes[at]) {
                at += 1
                continue
            }
            // Spaces that only other notations know.
            let length = foreignSpace(at)
            if length > 0 {
                mend("text.space", "an unusual space stands between the tokens", at..<(at + length), " ".utf8, cost: 2)
                at += length
                continue
            }
            guard let last = endOfComment(start) else { return }
            let isLine = bytes[start] == UInt8(ascii: "#") || bytes[start + 1] == UInt8(ascii: "/")
            at = last
            if !decisions.allowsComments {
                removeComment(start..<last, isLine: isLine)
            } else if bytes[start] == UInt8(ascii: "#") {
                mend("json.comment", "a comment begins with '#'", start..<(start + 1), "//".utf8, cost: 2)
            } else if !isLine, !bytes[start..<last].suffix(2).elementsEqual("*/".utf8) || last - start < 4 {
                mend("json.comment", "a comment does not end", last..<last, " */".utf8)
            }
        }
    }

    /// Takes out a comment, and its line where nothing else is on it.
    private mutating func removeComment(_ range: Range<Int>, isLine: Bool) {
        var range = range
        if isLine || range.upperBound >= end || bytes[range.upperBound] == 0x0A {
            var start = range.lowerBound
            while start > lastEnd, bytes[start - 1] == 0x20 || bytes[start - 1] == 0x09 { start -= 1 }
            let previous = mends.last?.range.upperBound ?? 0
            if start > 0, bytes[start - 1] == 0x0A, start - 1 >= max(previous, lastEnd) {
                start -=
                    bytes[start - 1] == 0x0A && start > 1 && bytes[start - 2] == 0x0D && start - 2 >= previous ? 2 : 1
            }
            var end = range.upperBound
            if start == 0 || start == lastEnd && lastEnd == 0, end < self.end, bytes[end] == 0x0A { end += 1 }
            range = max(start, previous)..<end
        }
        mend("json.comment", "JSON has no comments", range, [], cost: 2)
    }

    /// The length of a no-break space, a zero-width character or a byte order mark.
    private func foreignSpace(_ place: Int) -> Int {
        switch (byte(place), byte(place + 1), byte(place + 2)) {
        case (0xC2, 0xA0, _): 2
        case (0xEF, 0xBB, 0xBF), (0xE2, 0x80, 0x80...0x8B), (0xE3, 0x80, 0x80), (0xE2, 0x81, 0xA0): 3
        case (0x0B, _, _), (0x0C, _, _): 1
        default: 0
        }
    }

    // MARK: Keys

    /// Whether a key with its colon begins at the place: a string or a word, and a ':' behind it.
    func looksLikeKey(_ place: Int) -> Bool {
        var index = place
        let first = byte(index)
        let limit = min(end, place + 300)
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
            index += 1
            while index < limit, bytes[index] != first, bytes[index] != 0x0A {
                index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            guard byte(index) == first else { return false }
            index += 1
        } else {
            while index < limit, Self.isKeyByte(bytes[index]) { index += 1 }
            // Among keys in quotes a word with a colon is likelier text.
            guard index > place, !hasQuotedKeys || byte(index) == UInt8(ascii: "\"") || frames.last?.isObject == true
            else { return false }
            if byte(index) == UInt8(ascii: "\"") { index += 1 }
        }
        while index < limit, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        return byte(index) == UInt8(ascii: ":")
    }

    static func isKeyByte(_ byte: UInt8) -> Bool {
        JSONParser.isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/")
            || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "$") || byte >= 0x80
    }

    /// Reads the key at the cursor; false where there is none.
    mutating func scanKey() -> Bool {
        let start = at
        if let quote = quote(at) {
            hasQuotedKeys = true
            return scanString(quote, isKey: true)
        }
        while at < end, Self.isKeyByte(bytes[at]), quote(at) == nil { at += 1 }
        guard at > start else { return false }
        if byte(at) == UInt8(ascii: "\"") || byte(at) == UInt8(ascii: "'") {
            let isDouble = byte(at) == UInt8(ascii: "\"")
            guard isKeyEnd(significant(after: at + 1)) else { return false }
            if isDouble {
                mend("json.quote", "the key has no opening quote", start..<start, "\"".utf8)
            } else {
                mend(
                    "json.quote", "the key has no opening quote", start..<(at + 1),
                    "\"".utf8 + Array(bytes[start..<at]) + "\"".utf8)
            }
            at += 1
            return true
        }
        // Words with spaces between them are no key.
        guard isKeyEnd(significant(after: at)) || significant(after: at) >= end || quote(significant(after: at)) != nil
        else { return false }
        mend(
            "json.quote", "the key stands without quotes", start..<at,
            "\"".utf8 + Array(bytes[start..<at]) + "\"".utf8)
        return true
    }

    private func isKeyEnd(_ place: Int) -> Bool { byte(place) == UInt8(ascii: ":") || byte(place) == UInt8(ascii: "=") }

    // MARK: Strings

    struct Quote {
        /// The bytes of the opening quote.
        var length: Int
        var isPlain: Bool
        /// The quotes that may close it.
        var closing: [[UInt8]]
    }

    private static let smartDouble: [[UInt8]] = ["“", "”", "„", "«", "»", "\""].map { Array($0.utf8) }
    private static let smartSingle: [[UInt8]] = ["‘", "’", "‚", "'", "`", "´"].map { Array($0.utf8) }

    /// The quote at the place, if there is one.
    func quote(_ place: Int) -> Quote? {
        guard place < end else { return nil }
        switch bytes[place] {
        case UInt8(ascii: "\""):
            if byte(place + 1) == UInt8(ascii: "\""), byte(place + 2) == UInt8(ascii: "\"") {
                return Quote(length: 3, isPlain: false, closing: [Array("\"\"\"".utf8)])
            }
            return Quote(length: 1, isPlain: true, closing: [[UInt8(ascii: "\"")]])
        case UInt8(ascii: "'"):
            if byte(place + 1) == UInt8(ascii: "'"), byte(place + 2) == UInt8(ascii: "'") {
                return Quote(length: 3, isPlain: false, closing: [Array("'''".utf8)])
            }
            return Quote(length: 1, isPlain: false, closing: Self.smartSingle)
        case UInt8(ascii: "`"): return Quote(length: 1, isPlain: false, closing: [Array("`".utf8), Array("'".utf8)])
        case 0xE2, 0xC2:
            for (set, isDouble) in [(Self.smartDouble, true), (Self.smartSingle, false)] {
                for mark in set where mark.count > 1 && matches(mark, place) {
                    return Quote(
                        length: mark.count, isPlain: false, closing: isDouble ? Self.smartDouble : Self.smartSingle)
                }
            }
            return nil
        default: return nil
        }
    }

    func matches(_ text: [UInt8], _ place: Int) -> Bool {
        place + text.count <= end && bytes[place..<(place + text.count)].elementsEqual(text)
    }

    /// The length of the closing quote at the place; 0 where there is none.
    private func closingLength(_ quote: Quote, _ place: Int) -> Int {
        quote.closing.first { matches($0, place) }?.count ?? 0
    }

    /// Whether what follows a closing quote is what may follow a string.
    private func isPlausibleEnd(_ after: Int, isKey: Bool) -> Bool {
        let next = significant(after: after)
        guard next < end else { return true }
        let following = bytes[next]
        if isKey {
            if isKeyEnd(next) { return true }
            // A missing colon: the value begins.
            return Self.isSpace(bytes[after])
                && (quote(next) != nil || following &- 0x30 < 10 || "{[-tfnTFN".utf8.contains(following))
        }
        switch following {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ";"), UInt8(ascii: ")"): return true
        case UInt8(ascii: ":"):
            // A key of the object around an unclosed list, or of one without its braces.
            return frames.isEmpty || frames.last?.isObject == false
        default: break
        }
        let breaks = bytes[after..<next].contains { $0 == 0x0A || $0 == 0x0D }
        if breaks { return true }
        if frames.last?.isObject == false, following == UInt8(ascii: "{") || following == UInt8(ascii: "[") {
            return true
        }
        // A missing comma on one line.
        return next > after && (frames.last?.isObject == true ? looksLikeKey(next) : quote(next) != nil)
    }

    /// Reads the string at the cursor.
    mutating func scanString(_ quote: Quote, isKey: Bool) -> Bool {
        let start = at
        let content = start + quote.length
        var index = content
        // Text without escapes, for strings that are written anew.
        var decoded: [UInt8] = []
        while true {
            if index >= end { return endAtEnd(start, content, quote, isKey: isKey, decoded) }
            let current = bytes[index]
            let closing = closingLength(quote, index)
            if closing > 0 {
                if quote.length == 3 || isPlausibleEnd(index + closing, isKey: isKey) {
                    at = index + closing
                    if !quote.isPlain || closing != 1 {
                        rewrite(start..<at, decoded, "the text stands in other quotes than '\"'")
                    }
                    return true
                }
                if let early = earlyEnd(content, index, isKey: isKey) {
                    return endHere(start, content, early, quote)
                }
                // A quote inside of the text.
                if quote.isPlain {
                    mend("json.inner-quote", "a quote inside of the text is not escaped", index..<index, "\\".utf8)
                }
                decoded += bytes[index..<(index + closing)]
                index += closing
                continue
            }
            if current == UInt8(ascii: "\\") {
                index = escape(index, quote, &decoded)
                continue
            }
            if current == 0x0A || current == 0x0D, quote.length != 3 {
                if let early = lineEnd(content, index, quote, isKey: isKey) {
                    return endHere(start, content, early, quote)
                }
                let length = current == 0x0D && byte(index + 1) == 0x0A ? 2 : 1
                if quote.isPlain {
                    mend(
                        "json.control-character", "a line end inside of the text is not escaped",
                        index..<(index + length), "\\n".utf8)
                }
                decoded.append(0x0A)
                index += length
                continue
            }
            if current < 0x20, quote.isPlain {
                mend(
                    "json.control-character", "a control character inside of the text is not escaped",
                    index..<(index + 1),
                    Self.escaped(current))
            }
            decoded.append(current)
            index += 1
        }
    }

    static func escaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case 0x09: return Array("\\t".utf8)
        case 0x0A: return Array("\\n".utf8)
        case 0x0D: return Array("\\r".utf8)
        case 0x08: return Array("\\b".utf8)
        case 0x0C: return Array("\\f".utf8)
        default:
            let digits = Array("0123456789abcdef".utf8)
            return Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    /// Replaces a string by one in double quotes.
    private mutating func rewrite(_ range: Range<Int>, _ decoded: [UInt8], _ message: String) {
        let text = JSONWriter.quoted(String(decoding: decoded, as: UTF8.self))
        mend("json.quote", message, range, text.utf8)
    }

    /// Ends a string before its line or the text around it goes on.
    private mutating func endHere(_ start: Int, _ content: Int, _ place: Int, _ quote: Quote) -> Bool {
        while let last = mends.last, last.range.lowerBound >= place { mends.removeLast() }
        if quote.isPlain {
            mend("json.quote", "the closing quote is missing", place..<place, "\"".utf8)
        } else {
            var decoded: [UInt8] = []
            var index = content
            while index < place {
                if bytes[index] == UInt8(ascii: "\\") {
                    index = escape(index, quote, &decoded)
                } else {
                    decoded.append(bytes[index])
                    index += 1
                }
            }
            rewrite(start..<place, decoded, "the closing quote is missing")
        }
        at = place
        return true
    }

    /// Where a string without a closing quote ends that runs into the next quote: `"a, "b": 1` and `"a: 1`.
    private func earlyEnd(_ content: Int, _ next: Int, isKey: Bool) -> Int? {
        if isKey { return keyEnd(content, next) }
        var last = next
        while last > content, Self.isSpace(bytes[last - 1]) { last -= 1 }
        guard last > content, bytes[last - 1] == UInt8(ascii: ",") else { return nil }
        last -= 1
        let inObject = frames.last?.isObject == true
        return (inObject ? looksLikeKey(next) : closesSoon(next)) ? strippingClosers(content, last) : nil
    }

    /// Whether a string that begins at the place ends like an element of a list.
    private func closesSoon(_ place: Int) -> Bool {
        var index = place + 1
        while index < min(end, place + 300), bytes[index] != UInt8(ascii: "\""), bytes[index] != 0x0A {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard byte(index) == UInt8(ascii: "\"") else { return false }
        let after = byte(significant(after: index + 1))
        return after == UInt8(ascii: ",") || after == UInt8(ascii: "]")
    }

    /// The end of a key without a closing quote: the first ':' behind a name.
    private func keyEnd(_ content: Int, _ limit: Int) -> Int? {
        var index = content
        while index < limit, Self.isKeyByte(bytes[index]) || bytes[index] == 0x20 { index += 1 }
        guard index > content, byte(index) == UInt8(ascii: ":") else { return nil }
        while index > content, bytes[index - 1] == 0x20 { index -= 1 }
        return index
    }

    /// Where a string without a closing quote ends on its line; nil where it goes on in the next.
    private func lineEnd(_ content: Int, _ newline: Int, _ quote: Quote, isKey: Bool) -> Int? {
        if isKey { return keyEnd(content, newline) ?? newline }
        if goesOn(newline, quote) { return nil }
        var last = newline
        while last > content, Self.isSpace(bytes[last - 1]) { last -= 1 }
        if last > content, bytes[last - 1] == UInt8(ascii: ",") || bytes[last - 1] == UInt8(ascii: ";") {
            last -= 1
            while last > content, Self.isSpace(bytes[last - 1]) { last -= 1 }
        }
        return strippingClosers(content, last)
    }

    /// Leaves out brackets at the end that close containers of the same line.
    private func strippingClosers(_ content: Int, _ place: Int) -> Int {
        var last = place
        let line = lineStart(of: content)
        var open = frames.reversed().filter { $0.start >= line }.map(\.isObject)[...]
        while let isObject = open.first, last > content,
            bytes[last - 1] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        {
            open.removeFirst()
            last -= 1
            while last > content, Self.isSpace(bytes[last - 1]) { last -= 1 }
        }
        return last
    }

    /// Whether the lines behind a line end look like the rest of a text, and not like members.
    private func goesOn(_ newline: Int, _ quote: Quote) -> Bool {
        let inObject = frames.last?.isObject ?? false
        var index = newline
        for _ in 0..<400 {
            while index < end, Self.isSpace(bytes[index]) { index += 1 }
            guard index < end else { return false }
            if closingLength(quote, index) > 0 {
                // The closing quote of a text that ends with a line end, or the next key or element.
                return inObject && !looksLikeKey(index)
                    && isPlausibleEnd(index + closingLength(quote, index), isKey: false)
            }
            let isBare = self.quote(index) == nil
            guard !Self.isCloser(bytes[index]), !looksLikeKey(index) || isBare && hasQuotedKeys else { return false }
            while index < end, bytes[index] != 0x0A {
                let closing = closingLength(quote, index)
                if bytes[index] == UInt8(ascii: "\\") {
                    index += 2
                } else if closing > 0 {
                    return isPlausibleEnd(index + closing, isKey: false)
                } else {
                    index += 1
                }
            }
        }
        return false
    }

    /// Ends a string at the end of the text.
    private mutating func endAtEnd(
        _ start: Int, _ content: Int, _ quote: Quote, isKey: Bool, _ decoded: [UInt8]
    ) -> Bool {
        if isKey {
            if let early = keyEnd(content, end) { return endHere(start, content, early, quote) }
            // A key that is cut off has nothing behind it that could be something else.
            guard !bytes[content..<end].contains(where: { "\"',:{}[]".utf8.contains($0) }) else { return false }
            at = end
            return true
        }
        var last = end
        while last > content, Self.isSpace(bytes[last - 1]) { last -= 1 }
        // If all open containers end here, only the quote is missing.
        var stripped = last
        var open = frames.reversed().map(\.isObject)[...]
        while let isObject = open.first, stripped > content,
            bytes[stripped - 1] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        {
            open.removeFirst()
            stripped -= 1
            while stripped > content, Self.isSpace(bytes[stripped - 1]) { stripped -= 1 }
        }
        if open.isEmpty, stripped < last { return endHere(start, content, stripped, quote) }
        // Half an escape goes.
        var cut = end
        while cut > content, bytes[cut - 1] == 0x0A || bytes[cut - 1] == 0x0D { cut -= 1 }
        if let half = halfEscape(content, cut) {
            mends.removeAll { $0.range.upperBound > half }
            mend("text.truncated", "the text ends inside of an escape", half..<cut, [])
            cut = half
        }
        mends.removeAll { $0.range.lowerBound >= cut && !$0.range.isEmpty && $0.id == "json.control-character" }
        if quote.isPlain {
            mend("json.quote", "the text ends before the closing quote", end..<end, "\"".utf8)
            if cut < end, !mends.contains(where: { $0.range.lowerBound == cut && $0.range.upperBound == end }) {
                mend("text.truncated", "the text ends inside of a string", cut..<end, [], cost: 0)
            }
        } else {
            rewrite(start..<end, decoded, "the text ends before the closing quote")
        }
        at = end
        return true
    }

    /// Where an escape begins that the end of the text cuts.
    private func halfEscape(_ content: Int, _ cut: Int) -> Int? {
        var index = content
        while index < cut {
            guard bytes[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            if index + 1 >= cut { return index }
            if bytes[index + 1] == UInt8(ascii: "u"), index + 6 > cut { return index }
            index += 2
        }
        return nil
    }

    /// Reads the escape at the place, mends it where it is none, and gives the place behind it.
    private mutating func escape(_ place: Int, _ quote: Quote, _ decoded: inout [UInt8]) -> Int {
        guard place + 1 < end else { return end }
        let kind = bytes[place + 1]
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            decoded += bytes[place..<(place + 2)].withUnsafeBufferPointer { JSONEscapes.decodeBytes($0) }
            return place + 2
        case UInt8(ascii: "u"):
            let digits = bytes[min(place + 2, end)..<min(place + 6, end)]
            if digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }) {
                var length = 6
                let tail = bytes[place..<min(place + 12, end)]
                if tail.count == 12, tail[place + 6] == UInt8(ascii: "\\"), tail[place + 7] == UInt8(ascii: "u"),
                    digits.first.map({ $0 | 0x20 }) == UInt8(ascii: "d")
                {
                    length = 12
                }
                decoded += bytes[place..<(place + length)].withUnsafeBufferPointer { JSONEscapes.decodeBytes($0) }
                return place + length
            }
        case UInt8(ascii: "'"):
            if quote.isPlain {
                mend("json.escape", "'\\'' is not an escape", place..<(place + 1), [])
            }
            decoded.append(kind)
            return place + 2
        case UInt8(ascii: "x"):
            let digits = String(decoding: bytes[min(place + 2, end)..<min(place + 4, end)], as: UTF8.self)
            if digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                if quote.isPlain { mend("json.escape", "'\\x' is not an escape", place..<(place + 2), "\\u00".utf8) }
                decoded += Array(String(Unicode.Scalar(value)).utf8)
                return place + 4
            }
        case 0x0A:
            // A line that is continued, as in JavaScript.
            if quote.isPlain { mend("json.escape", "a line end cannot be escaped", place..<(place + 2), []) }
            return place + 2
        default: break
        }
        if quote.isPlain {
            mend("json.escape", "a '\\' that begins no escape", place..<place, "\\".utf8)
        }
        decoded.append(UInt8(ascii: "\\"))
        return place + 1
    }
}
