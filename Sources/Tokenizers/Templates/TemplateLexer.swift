// SPDX-License-Identifier: Apache-2.0

/// A token of the template language.
struct TemplateToken: Sendable {
    enum Kind: Equatable, Sendable {
        case text(String)
        case blockStart
        case blockEnd
        case variableStart
        case variableEnd
        case name(String)
        case string(String)
        case integer(Int)
        case double(Double)
        case symbol(String)
        case end
    }

    var kind: Kind
    var line: Int
}

/// Splits a template into tokens, as the reference implementation does with `trim_blocks` and `lstrip_blocks` on.
struct TemplateLexer {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var tokens: [TemplateToken] = []
    /// Whether the last tag ended with a line break (so that blanks before the next tag start a line).
    private var isLineStart = true

    static func tokens(of text: String) throws(TemplateError) -> [TemplateToken] {
        var lexer = TemplateLexer(text)
        return try lexer.run()
    }

    private init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count)
        var afterReturn = false
        for scalar in text.unicodeScalars {
            if scalar == "\r" {
                scalars.append("\n")
            } else if scalar != "\n" || !afterReturn {
                scalars.append(scalar)
            }
            afterReturn = scalar == "\r"
        }
        if scalars.last == "\n" { scalars.removeLast() }
        source = scalars
    }

    private mutating func run() throws(TemplateError) -> [TemplateToken] {
        while position < source.count {
            let start = position
            var tag = position
            while tag < source.count, !isTagStart(tag) { tag += 1 }
            guard tag < source.count else {
                addText(start, source.count)
                position = source.count
                break
            }
            let opener = source[tag + 1]
            let sign = scalar(at: tag + 2)
            addText(start, textEnd(start, tag, sign: sign, isVariable: opener == "{"))
            position = tag + 2
            if sign == "-" || sign == "+" { position += 1 }
            switch opener {
            case "#": try skipComment()
            case "{": try lexTag(.variableStart, closing: "}", .variableEnd)
            default:
                if let content = rawContentStart() {
                    position = content
                    try lexRaw()
                } else {
                    try lexTag(.blockStart, closing: "%", .blockEnd)
                }
            }
        }
        tokens.append(TemplateToken(kind: .end, line: line))
        return tokens
    }

    private func scalar(at index: Int) -> Unicode.Scalar? { index < source.count ? source[index] : nil }

    private func isTagStart(_ index: Int) -> Bool {
        guard source[index] == "{", let next = scalar(at: index + 1) else { return false }
        return next == "{" || next == "%" || next == "#"
    }

    /// Where the text before a tag ends once blanks are stripped.
    private func textEnd(_ start: Int, _ tag: Int, sign: Unicode.Scalar?, isVariable: Bool) -> Int {
        var end = tag
        if sign == "-" {
            while end > start, PythonText.isSpace(source[end - 1]) { end -= 1 }
            return end
        }
        if sign == "+" || isVariable { return tag }
        while end > start, source[end - 1] != "\n" {
            guard PythonText.isSpace(source[end - 1]) else { return tag }
            end -= 1
        }
        return end > start || isLineStart ? end : tag
    }

    private mutating func addText(_ start: Int, _ end: Int) {
        guard start < end else { return }
        var text = ""
        text.unicodeScalars.append(contentsOf: source[start..<end])
        tokens.append(TemplateToken(kind: .text(text), line: line))
    }

    private mutating func skipComment() throws(TemplateError) {
        var index = position
        while index + 1 < source.count {
            if source[index] == "#", source[index + 1] == "}" {
                let sign = source[index - 1]
                finishTag(at: index + 2, sign: sign == "-" || sign == "+" ? sign : nil, trimsNewline: true)
                return
            }
            index += 1
        }
        throw TemplateError(.syntax, "a comment is not closed", line: line)
    }

    /// Moves behind the end of a tag and the blanks it swallows.
    private mutating func finishTag(at end: Int, sign: Unicode.Scalar?, trimsNewline: Bool) {
        position = end
        if sign == "-" {
            while position < source.count, PythonText.isSpace(source[position]) { position += 1 }
        } else if sign != "+", trimsNewline, scalar(at: position) == "\n" {
            position += 1
        }
        isLineStart = position > end && source[position - 1] == "\n"
        line = 1 + lineBreaks(before: position)
    }

    private var lineCache: (position: Int, breaks: Int) = (0, 0)

    private mutating func lineBreaks(before end: Int) -> Int {
        var (index, breaks) = lineCache
        if index > end { (index, breaks) = (0, 0) }
        while index < end {
            if source[index] == "\n" { breaks += 1 }
            index += 1
        }
        lineCache = (end, breaks)
        return breaks
    }

    /// If the block at the position is `raw`, the place where its content starts.
    private func rawContentStart() -> Int? {
        var index = skipSpace(position)
        guard matches("raw", at: index) else { return nil }
        index = skipSpace(index + 3)
        if matches("-%}", at: index) { return skipSpace(index + 3) }
        return matches("%}", at: index) ? index + 2 : nil
    }

    private func skipSpace(_ start: Int) -> Int {
        var index = start
        while index < source.count, PythonText.isSpace(source[index]) { index += 1 }
        return index
    }

    private func matches(_ text: String, at index: Int) -> Bool {
        var index = index
        for expected in text.unicodeScalars {
            guard scalar(at: index) == expected else { return false }
            index += 1
        }
        return true
    }

    private mutating func lexRaw() throws(TemplateError) {
        let start = position
        var index = position
        while index + 1 < source.count {
            if source[index] == "{", source[index + 1] == "%" {
                let sign = scalar(at: index + 2)
                var inner = skipSpace(sign == "-" || sign == "+" ? index + 3 : index + 2)
                if matches("endraw", at: inner) {
                    inner = skipSpace(inner + 6)
                    let endSign = scalar(at: inner)
                    if endSign == "-" || endSign == "+" { inner += 1 }
                    if matches("%}", at: inner) {
                        isLineStart = false
                        addText(start, textEnd(start, index, sign: sign, isVariable: false))
                        finishTag(at: inner + 2, sign: endSign, trimsNewline: true)
                        return
                    }
                }
            }
            index += 1
        }
        throw TemplateError(.syntax, "'raw' is not closed", line: line)
    }

    private mutating func lexTag(
        _ start: TemplateToken.Kind, closing: Unicode.Scalar, _ end: TemplateToken.Kind
    ) throws(TemplateError) {
        line = 1 + lineBreaks(before: position)
        tokens.append(TemplateToken(kind: start, line: line))
        var open: [Unicode.Scalar] = []
        while true {
            position = skipSpace(position)
            guard position < source.count else { throw TemplateError(.syntax, "a tag is not closed", line: line) }
            line = 1 + lineBreaks(before: position)
            let current = source[position]
            if open.isEmpty {
                let signed = current == "-" || (current == "+" && closing == "%")
                let bare = signed ? position + 1 : position
                if scalar(at: bare) == closing, scalar(at: bare + 1) == "}" {
                    tokens.append(TemplateToken(kind: end, line: line))
                    finishTag(at: bare + 2, sign: signed ? current : nil, trimsNewline: closing == "%")
                    return
                }
            }
            if current == "\"" || current == "'" {
                try lexString(quote: current)
            } else if current.value >= 0x30, current.value <= 0x39 {
                try lexNumber()
            } else if PythonText.isWordStart(current) {
                var index = position
                var text = ""
                while let scalar = scalar(at: index), PythonText.isWordPart(scalar) {
                    text.unicodeScalars.append(scalar)
                    index += 1
                }
                position = index
                tokens.append(TemplateToken(kind: .name(text), line: line))
            } else {
                try lexSymbol(&open)
            }
        }
    }

    private mutating func lexSymbol(_ open: inout [Unicode.Scalar]) throws(TemplateError) {
        for symbol in ["**", "//", "==", "!=", ">=", "<="] where matches(symbol, at: position) {
            position += 2
            tokens.append(TemplateToken(kind: .symbol(symbol), line: line))
            return
        }
        let current = source[position]
        switch current {
        case "(": open.append(")")
        case "[": open.append("]")
        case "{": open.append("}")
        case ")", "]", "}":
            guard open.popLast() == current else {
                throw TemplateError(.syntax, "unexpected '\(current)'", line: line)
            }
        case "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ":", "|", ",", ";": break
        default: throw TemplateError(.syntax, "unexpected character '\(current)'", line: line)
        }
        position += 1
        tokens.append(TemplateToken(kind: .symbol(String(Character(current))), line: line))
    }

    private mutating func lexNumber() throws(TemplateError) {
        let start = position
        if source[position] == "0", let marker = scalar(at: position + 1), let radix = Self.radix(of: marker) {
            let digits = takeDigits(from: position + 2) { $0.isASCII && $0.properties.isASCIIHexDigit }
            guard let value = Int(digits, radix: radix) else {
                throw TemplateError(.syntax, "the number is malformed or too large", line: line)
            }
            tokens.append(TemplateToken(kind: .integer(value), line: line))
            return
        }
        var text = takeDigits(from: start, where: Self.isDigit)
        var isDouble = false
        if scalar(at: position) == ".", let next = scalar(at: position + 1), Self.isDigit(next) {
            isDouble = true
            text += "." + takeDigits(from: position + 1, where: Self.isDigit)
        }
        if let marker = scalar(at: position), marker == "e" || marker == "E" {
            var index = position + 1
            var exponent = "e"
            if let sign = scalar(at: index), sign == "+" || sign == "-" {
                exponent.unicodeScalars.append(sign)
                index += 1
            }
            if let digit = scalar(at: index), Self.isDigit(digit) {
                isDouble = true
                text += exponent + takeDigits(from: index, where: Self.isDigit)
            }
        }
        if isDouble, let value = Double(text) {
            tokens.append(TemplateToken(kind: .double(value), line: line))
        } else if !isDouble, let value = Int(text) {
            tokens.append(TemplateToken(kind: .integer(value), line: line))
        } else {
            throw TemplateError(.syntax, "the number '\(text)' is too large", line: line)
        }
    }

    private static func radix(of marker: Unicode.Scalar) -> Int? {
        switch marker {
        case "x", "X": 16
        case "o", "O": 8
        case "b", "B": 2
        default: nil
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 0x30 && scalar.value <= 0x39 }

    private mutating func takeDigits(from start: Int, where isPart: (Unicode.Scalar) -> Bool) -> String {
        var text = ""
        var index = start
        while let scalar = scalar(at: index), isPart(scalar) || scalar == "_" {
            if scalar != "_" { text.unicodeScalars.append(scalar) }
            index += 1
        }
        position = index
        return text
    }

    private mutating func lexString(quote: Unicode.Scalar) throws(TemplateError) {
        var text = ""
        var index = position + 1
        while let current = scalar(at: index) {
            index += 1
            if current == quote {
                position = index
                tokens.append(TemplateToken(kind: .string(text), line: line))
                return
            }
            guard current == "\\", let escape = scalar(at: index) else {
                text.unicodeScalars.append(current)
                continue
            }
            index += 1
            switch escape {
            case "\n": break
            case "\\", "'", "\"": text.unicodeScalars.append(escape)
            case "n": text += "\n"
            case "t": text += "\t"
            case "r": text.unicodeScalars.append("\r")
            case "a": text += "\u{07}"
            case "b": text += "\u{08}"
            case "f": text += "\u{0C}"
            case "v": text += "\u{0B}"
            case "x": text.unicodeScalars.append(try takeScalar(&index, digits: 2))
            case "u": text.unicodeScalars.append(try takeScalar(&index, digits: 4))
            case "U": text.unicodeScalars.append(try takeScalar(&index, digits: 8))
            case "0"..."7":
                var value = escape.value - 0x30
                var count = 1
                while count < 3, let digit = scalar(at: index), digit.value >= 0x30, digit.value <= 0x37 {
                    value = value * 8 + digit.value - 0x30
                    index += 1
                    count += 1
                }
                text.unicodeScalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            default:
                text += "\\"
                text.unicodeScalars.append(escape)
            }
        }
        throw TemplateError(.syntax, "a string is not closed", line: line)
    }

    private func takeScalar(_ index: inout Int, digits: Int) throws(TemplateError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = scalar(at: index), let nibble = Character(digit).hexDigitValue, value < 0x1000_0000 else {
                throw TemplateError(.syntax, "a \\ escape needs \(digits) hexadecimal digits", line: line)
            }
            value = value * 16 + UInt32(nibble)
            index += 1
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw TemplateError(.syntax, "a \\ escape does not name a Unicode scalar", line: line)
        }
        return scalar
    }
}
