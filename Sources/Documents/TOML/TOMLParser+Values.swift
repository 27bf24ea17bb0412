// SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
    /// Reads a value; nil where something was wrong.
    mutating func value() -> TOMLValue? {
        let start = at
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            guard let scalar = string() else { return nil }
            emit(.string)
            return .scalar(scalar)
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "{"): return nested { $0.inlineTable() }
        default:
            while Self.isWord(byte) { at += 1 }
            // One space may stand between a date and its time.
            if at - start == 10, byte == 0x20, bytes[start + 4] == UInt8(ascii: "-"), isDigit(byte(1)),
                isDigit(byte(2)),
                byte(3) == UInt8(ascii: ":")
            {
                at += 1
                while Self.isWord(byte) { at += 1 }
            }
            guard at > start else {
                fail("toml.syntax", "expected a value but found \(name())")
                return nil
            }
            return word(start..<at).map { .scalar($0) }
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private static func isWord(_ byte: UInt8) -> Bool {
        isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    private mutating func nested(_ read: (inout TOMLParser) -> TOMLValue?) -> TOMLValue? {
        guard depth < options.maximumDepth else {
            fail("document.too-deep", "tables and arrays are nested more than \(options.maximumDepth) deep")
            return nil
        }
        depth += 1
        defer { depth -= 1 }
        return read(&self)
    }

    private mutating func array() -> TOMLValue? {
        let node = syntax.begin(.array)
        let start = at
        at += 1
        emit(.punctuation)
        var values: [TOMLValue] = []
        while true {
            guard skipTrivia() else { return nil }
            if byte != UInt8(ascii: "]") {
                guard at < bytes.count else { return unclosed("array", "]", start) }
                guard let value = value() else { return nil }
                values.append(value)
                guard skipTrivia() else { return nil }
                if byte == UInt8(ascii: ",") {
                    at += 1
                    emit(.punctuation)
                    continue
                }
            }
            guard byte == UInt8(ascii: "]") else {
                if at >= bytes.count { return unclosed("array", "]", start) }
                fail("toml.syntax", "expected ',' or ']' but found \(name())")
                return nil
            }
            at += 1
            emit(.punctuation)
            syntax.end(node)
            return .array(values, start..<at)
        }
    }

    private mutating func inlineTable() -> TOMLValue? {
        let node = syntax.begin(.object)
        let start = at
        at += 1
        emit(.punctuation)
        skipSpace()
        let table = TOMLTable(start..<at, isInline: true)
        var isFirst = true
        while isFirst ? byte != UInt8(ascii: "}") : true {
            isFirst = false
            if byte == 0x0A || byte == 0x0D || byte == UInt8(ascii: "#") {
                fail(
                    "toml.syntax", "an inline table stands on one line",
                    help: "write a table with a header of its own, or put it on one line")
                return nil
            }
            if byte == UInt8(ascii: "}") {
                fail("toml.trailing-comma", "trailing ',' in an inline table", help: "remove it")
                return nil
            }
            let member = syntax.begin(.member)
            guard let path = path() else { return nil }
            guard byte == UInt8(ascii: "=") else {
                fail("toml.syntax", "expected '=' after the key but found \(name())")
                return nil
            }
            at += 1
            emit(.punctuation)
            skipSpace()
            guard let value = value() else { return nil }
            syntax.end(member)
            guard set(path, value, in: table, depth: depth, isSection: false) else { return nil }
            skipSpace()
            if byte == UInt8(ascii: ",") {
                at += 1
                emit(.punctuation)
                skipSpace()
                continue
            }
            if byte == UInt8(ascii: "}") { break }
            if at >= bytes.count { return unclosed("inline table", "}", start) }
            fail("toml.syntax", "expected ',' or '}' but found \(name())")
            return nil
        }
        at += 1
        emit(.punctuation)
        syntax.end(node)
        table.range = start..<at
        return .table(table)
    }

    private mutating func unclosed(_ what: String, _ closing: String, _ start: Int) -> TOMLValue? {
        problems.add(
            "toml.unexpected-end", "the document ends before '\(closing)'", bytes.count..<bytes.count,
            notes: [("\(what) opened here", start..<(start + 1))])
        return nil
    }

    // MARK: Strings

    /// Reads the string at the cursor, without its token.
    mutating func string() -> TOMLScalar? {
        let start = at
        let quote = byte
        let isLong = byte(1) == quote && byte(2) == quote
        at += isLong ? 3 : 1
        if isLong {
            // A line end directly behind the quotes is not part of the text.
            if byte == 0x0A { at += 1 } else if byte == 0x0D, byte(1) == 0x0A { at += 2 }
        }
        let first = at
        var decoded: [UInt8]?
        var copied = at
        while true {
            guard at < bytes.count else { return unterminated(start, quote, isLong) }
            let byte = self.byte
            if byte == quote {
                if !isLong {
                    var scalar = TOMLScalar(kind: .string, range: start..<(at + 1), place: first..<at)
                    if decoded != nil { scalar.text = (decoded ?? []) + bytes[copied..<at] }
                    at += 1
                    return scalar
                }
                var count = 0
                while self.byte(count) == quote { count += 1 }
                guard count >= 3 else {
                    at += count
                    continue
                }
                guard count <= 5 else {
                    fail("toml.syntax", "too many quotes", at..<(at + count))
                    return nil
                }
                // Up to two quotes before the closing ones belong to the text.
                let end = at + count - 3
                at += count
                var scalar = TOMLScalar(kind: .string, range: start..<at, place: first..<end)
                if decoded != nil { scalar.text = (decoded ?? []) + bytes[copied..<end] }
                return scalar
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                decoded = (decoded ?? []) + bytes[copied..<at]
                guard let text = escape(isLong: isLong) else { return nil }
                decoded?.append(contentsOf: text)
                copied = at
            } else if byte == 0x0A || byte == 0x0D && self.byte(1) == 0x0A {
                guard isLong else { return unterminated(start, quote, isLong) }
                at += byte == 0x0A ? 1 : 2
            } else if !text() {
                return nil
            }
        }
    }

    private mutating func unterminated(_ start: Int, _ quote: UInt8, _ isLong: Bool) -> TOMLScalar? {
        let mark = String(repeating: quote == UInt8(ascii: "'") ? "'" : "\"", count: isLong ? 3 : 1)
        problems.add(
            "toml.unterminated-string", isLong ? "the string does not end" : "the string does not end on its line",
            start..<at,
            help: isLong ? "add closing '\(mark)'" : "add a closing \(mark); texts of several lines have three")
        return nil
    }

    /// Reads an escape and returns what it stands for.
    private mutating func escape(isLong: Bool) -> [UInt8]? {
        let start = at
        at += 2
        switch at <= bytes.count ? bytes[at - 1] : 0 {
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "\""): return [0x22]
        case UInt8(ascii: "\\"): return [0x5C]
        case UInt8(ascii: "u"): return scalar(digits: 4, start)
        case UInt8(ascii: "U"): return scalar(digits: 8, start)
        case 0x20, 0x09, 0x0A, 0x0D:
            guard isLong else { break }
            // Nothing but white space up to the end of the line: all white space up to the next text is left out.
            at = start + 1
            while byte == 0x20 || byte == 0x09 { at += 1 }
            guard byte == 0x0A || byte == 0x0D && byte(1) == 0x0A else { break }
            while byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D && byte(1) == 0x0A { at += 1 }
            return []
        default: break
        }
        let end = min(start + 2, bytes.count)
        at = start
        let written = bytes[start..<end].allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? slice(start..<end) : "\\"
        fail(
            "toml.escape", "'\(written)' is not an escape", start..<end,
            help: "write '\\\\' for a backslash, or use single quotes")
        return nil
    }

    private mutating func scalar(digits: Int, _ start: Int) -> [UInt8]? {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = Self.hexValue(byte) else {
                fail(
                    "toml.escape", "'\\\(digits == 4 ? "u" : "U")' must be followed by \(digits) hexadecimal digits",
                    start..<min(start + 2, bytes.count))
                return nil
            }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        guard let scalar = Unicode.Scalar(value) else {
            fail("toml.escape", "'\(slice(start..<at))' is not a character", start..<at)
            return nil
        }
        return Array(String(Character(scalar)).utf8)
    }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    // MARK: Numbers, dates and words

    private mutating func word(_ range: Range<Int>) -> TOMLScalar? {
        let text = bytes[range]
        switch slice(range) {
        case "true":
            emit(.word)
            return TOMLScalar(kind: .bool, flags: .isTrue, range: range)
        case "false":
            emit(.word)
            return TOMLScalar(kind: .bool, range: range)
        case "inf", "+inf", "-inf", "nan", "+nan", "-nan":
            fail(
                "toml.not-finite", "'\(slice(range))' is a number that JSON cannot hold", range,
                help: "put it in quotes for text")
            return nil
        default: break
        }
        if let date = TOMLScalars.date(text) {
            emit(.date)
            var scalar = TOMLScalar(kind: .string, range: range, place: range)
            if !date.elementsEqual(text) { scalar.text = date }
            return scalar
        }
        guard var json = TOMLScalars.number(text) else {
            let looksLikeNumber =
                text.first.map { isDigit($0) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") } ?? false
            fail(
                looksLikeNumber ? "toml.number" : "toml.literal",
                "'\(slice(range))' is not a \(looksLikeNumber ? "number, date or time" : "value") of TOML", range,
                help: TOMLScalars.help(slice(range)))
            return nil
        }
        emit(.number)
        switch json.withUTF8({ DecimalNumber.read(json: $0) }) {
        case .number: break
        case .tooManyDigits:
            fail(
                "document.number-range", "the number has more than \(DecimalNumber.maximumDigits) digits", range)
        case .exponentTooLarge, .notANumber:
            fail("document.number-range", "the exponent is beyond \(DecimalNumber.maximumExponent)", range)
        }
        var scalar = TOMLScalar(kind: .number, range: range, place: range)
        if !json.utf8.elementsEqual(text) {
            scalar.flags = .foreignNumber
            scalar.text = Array(json.utf8)
        }
        return scalar
    }
}
