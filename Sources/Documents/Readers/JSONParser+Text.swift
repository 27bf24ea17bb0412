// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
    /// Reads the string at the cursor and leaves the cursor behind its closing quote; nil where it does not end.
    @inline(__always)
    mutating func string() -> (count: Int, escapes: Bool)? {
        let quote = at
        var escapes = false
        at += 1
        while true {
            skipPlain()
            guard at < bytes.count else { break }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                let count = at - quote - 1
                at += 1
                return (count, escapes)
            }
            if byte == UInt8(ascii: "\\") {
                escapes = true
                escape()
            } else if byte < 0x20 {
                guard control(quote) else { return nil }
            } else {
                let length = UTF8Check.sequenceLength(bytes, at)
                if length == 0 {
                    problems.add(
                        "document.invalid-utf8", "the byte 0x\(hex(byte)) is not part of well-formed UTF-8",
                        at..<(at + 1),
                        help: "save the file as UTF-8")
                    if problems.isFull { return nil }
                    at += 1
                } else {
                    at += length
                }
            }
        }
        problems.add(
            "json.unterminated-string", "the string does not end", quote..<bytes.count, help: "add a closing '\"'")
        return nil
    }

    /// Moves over bytes that are printable ASCII other than quote and backslash, eight at a time.
    @inline(__always)
    private mutating func skipPlain() {
        guard let base = bytes.baseAddress else { return }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        // The unaligned loads stay below the end; the portable loop takes the rest.
        while at + 8 <= bytes.count {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5C)
            let special =
                (((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word) | word)
                & high
            if special != 0 {
                at += special.trailingZeroBitCount >> 3
                return
            }
            at += 8
        }
        while at < bytes.count {
            let byte = bytes[at]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 || byte >= 0x80 { return }
            at += 1
        }
    }

    private mutating func escape() {
        let start = at
        guard at + 1 < bytes.count else {
            at = bytes.count
            return
        }
        let kind = bytes[at + 1]
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
        case UInt8(ascii: "u"):
            guard let unit = JSONEscapes.hexUnit(bytes, at + 2) else {
                problems.add("json.escape", "'\\u' must be followed by four hexadecimal digits", start..<(start + 2))
                at += 2
                return
            }
            at += 6
            guard unit & 0xF800 == 0xD800 else { return }
            if unit < 0xDC00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u"),
                let low = JSONEscapes.hexUnit(bytes, at + 2), low & 0xFC00 == 0xDC00
            {
                at += 6
                return
            }
            problems.add(
                "json.lone-surrogate", "'\(slice(start..<at))' is half of a surrogate pair, which is not a character",
                start..<at, severity: options.loneSurrogates == .error ? .error : .warning,
                help: "write the character itself, or both halves")
        default:
            let length = kind < 0x80 ? 1 : max(1, UTF8Check.sequenceLength(bytes, at + 1))
            problems.add(
                "json.escape", "'\(slice(start..<(start + 1 + length)))' is not an escape",
                start..<(start + 1 + length),
                help: "write '\\\\' for a backslash")
            at += 1 + length
        }
    }

    /// Reports a control character; false where the string is taken to have ended at a line end.
    private mutating func control(_ quote: Int) -> Bool {
        let byte = bytes[at]
        if byte == 0x0A || byte == 0x0D {
            // A missing quote is likelier than a raw line end: what follows would only produce noise.
            problems.add(
                "json.unterminated-string", "the string does not end on its line", quote..<at,
                help: "add a closing '\"', or write a line end as '\\n'")
            return false
        }
        problems.add(
            "json.control-character", "control character U+00\(hex(byte)) in a string", at..<(at + 1),
            help: byte == 0x09 ? "write '\\t'" : "write '\\u00\(hex(byte))'")
        at += 1
        return !problems.isFull
    }

    /// Reads the number at the cursor.
    mutating func number() -> Bool {
        let start = at
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        let integer = at
        digits()
        var valid = at > integer && (bytes[integer] != 0x30 || at == integer + 1)
        var hasExponent = false
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            let fraction = at
            digits()
            valid = valid && at > fraction
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            hasExponent = true
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            let exponent = at
            digits()
            valid = valid && at > exponent
        }
        if !valid || (at < bytes.count && (Self.isWord(bytes[at]) || bytes[at] == UInt8(ascii: "."))) {
            at = start
            badNumber()
        } else if (hasExponent && at - start > 12) || at - start > 10_000 {
            switch DecimalNumber.read(json: UnsafeBufferPointer(rebasing: bytes[start..<at])) {
            case .number: break
            case .tooManyDigits:
                problems.add(
                    "document.number-range", "the number has more than \(DecimalNumber.maximumDigits) digits",
                    start..<at)
            case .exponentTooLarge, .notANumber:
                problems.add(
                    "document.number-range", "the exponent is beyond \(DecimalNumber.maximumExponent)", start..<at)
            }
        }
        builder.scalar(.number, [], start: start, end: at, first: start, count: at - start)
        return !problems.isFull
    }

    @inline(__always)
    private mutating func digits() {
        while at < bytes.count, bytes[at] &- 0x30 < 10 { at += 1 }
    }

    private mutating func badNumber() {
        let start = at
        while at < bytes.count,
            Self.isWord(bytes[at]) || bytes[at] == UInt8(ascii: ".") || bytes[at] == UInt8(ascii: "-")
                || bytes[at] == UInt8(ascii: "+")
        {
            at += 1
        }
        let text = slice(start..<at)
        let unsigned = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        var help: String?
        if unsigned.first == 0x30, unsigned.dropFirst().first.map({ $0 &- 0x30 < 10 }) ?? false {
            help = "leading zeros are not allowed"
        } else if text.hasSuffix(".") || text.contains(".e") || text.contains(".E") {
            help = "a digit must follow the '.'"
        } else if text.hasPrefix("+") {
            help = "remove the '+'"
        } else if text.hasPrefix(".") || text.hasPrefix("-.") {
            help = "write a digit before the '.'"
        }
        problems.add("json.number", "'\(text)' is not a JSON number", start..<at, help: help)
    }

    /// Reports what is there instead of a value, and goes on behind it where that is sensible.
    mutating func badValue() -> Expect? {
        let start = at
        let byte = bytes[at]
        if byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") {
            badNumber()
        } else if Self.isWord(byte) {
            skipWord()
            let word = slice(start..<at)
            let help: String? =
                switch word.lowercased() {
                case "true", "false", "null": "write '\(word.lowercased())'"
                case "none", "nil", "undefined": "write 'null'"
                case "nan", "infinity", "inf": "JSON has no such number; use null or a string"
                default: "write text in double quotes"
                }
            problems.add("json.literal", "'\(word)' is not a JSON value", start..<at, help: help)
        } else {
            problems.add(
                "json.syntax", "expected a value but found \(name(at))", at..<(at + 1),
                help: byte == UInt8(ascii: "'") ? "strings are written in double quotes" : nil)
            return nil
        }
        builder.scalar(.null, [], start: start, end: at)
        return builder.depth == 0 ? .end : .separator
    }

    /// Reports what is not UTF-8.
    mutating func checkText(_ range: Range<Int>) {
        var index = range.lowerBound
        while index < range.upperBound {
            let length = bytes[index] < 0x80 ? 1 : UTF8Check.sequenceLength(bytes, index)
            if length == 0 {
                problems.add(
                    "document.invalid-utf8", "the byte 0x\(hex(bytes[index])) is not part of well-formed UTF-8",
                    index..<(index + 1), help: "save the file as UTF-8")
                if problems.isFull { return }
            }
            index += max(1, length)
        }
    }

    mutating func trailingComma() {
        if options.allowsTrailingCommas { return }
        var comma = at
        while comma > 0, bytes[comma] != UInt8(ascii: ",") { comma -= 1 }
        problems.add(
            "json.trailing-comma", "trailing ',' before '\(slice(at..<(at + 1)))'", comma..<(comma + 1),
            help: "remove it")
    }

    mutating func unexpectedEnd(_ expect: Expect) {
        if builder.depth == 0 {
            problems.add(
                "json.empty", "the document is empty", bytes.count..<bytes.count, help: "a JSON document is one value")
            return
        }
        let open = builder.openStarts.suffix(3).reversed().map { container in
            (
                message: "\(container.kind == .object ? "object" : "array") opened here",
                range: container.start..<(container.start + 1)
            )
        }
        let closing = builder.innermost == .object ? "'}'" : "']'"
        problems.add(
            "json.unexpected-end", "the document ends before \(closing)", bytes.count..<bytes.count, notes: Array(open))
    }

    mutating func skipWord() {
        while at < bytes.count, Self.isWord(bytes[at]) { at += 1 }
    }

    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "$"): true
        default: false
        }
    }

    func slice(_ range: Range<Int>) -> String {
        String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
    }

    /// What is at the place, for messages.
    func name(_ place: Int) -> String {
        guard place < bytes.count else { return "the end" }
        let byte = bytes[place]
        if byte >= 0x80 {
            let length = UTF8Check.sequenceLength(bytes, place)
            return length == 0 ? "the byte 0x\(hex(byte))" : "'\(slice(place..<(place + length)))'"
        }
        return byte > 0x20 && byte < 0x7F ? "'\(slice(place..<(place + 1)))'" : "the character U+00\(hex(byte))"
    }

    func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "0" + text : text
    }
}
