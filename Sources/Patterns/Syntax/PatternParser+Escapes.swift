// SPDX-License-Identifier: Apache-2.0

extension PatternParser {
    // MARK: Escapes outside classes

    mutating func parseAtomEscape() throws(PatternError) -> (PatternNode, Bool) {
        let start = position
        position += 1
        guard let scalar = current else { throw syntaxError("the pattern ends with a backslash", at: start) }
        switch scalar {
        case "b", "B":
            position += 1
            return (.wordBoundary(negated: scalar == "B"), false)
        case "k":
            position += 1
            guard take("<") else { throw syntaxError("invalid escape '\\k'", at: start) }
            namedReferences.append((try parseGroupName(), start))
            return (.empty, true)
        case "1"..."9":
            numericReferences.append((parseInteger() ?? 0, start))
            return (.empty, true)
        default:
            return (.set(folded(try parseSharedEscape(start))), true)
        }
    }

    private mutating func parseGroupName() throws(PatternError) -> String {
        let start = position
        var name = ""
        while let scalar = current, scalar != ">" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(">") else { throw syntaxError("invalid group name", at: start) }
        return name
    }

    // MARK: Escapes inside and outside classes

    /// An escape that means the same inside a class; the cursor is after the backslash.
    mutating func parseSharedEscape(_ start: Int) throws(PatternError) -> ScalarSet {
        guard let scalar = current else { throw syntaxError("the pattern ends with a backslash", at: start) }
        switch scalar {
        case "d":
            position += 1
            return .digit
        case "D":
            position += 1
            return ScalarSet.digit.complement
        case "w":
            position += 1
            return .word
        case "W":
            position += 1
            return ScalarSet.word.complement
        case "s":
            position += 1
            return .space
        case "S":
            position += 1
            return ScalarSet.space.complement
        case "p", "P":
            position += 1
            let set = try parseProperty(start)
            return scalar == "P" ? set.complement : set
        default:
            return ScalarSet(try parseCharacterEscape(start))
        }
    }

    /// An escape that stands for one scalar (or a lone surrogate); the cursor is after the backslash.
    private mutating func parseCharacterEscape(_ start: Int) throws(PatternError) -> UInt32 {
        guard let scalar = current else { throw syntaxError("the pattern ends with a backslash", at: start) }
        position += 1
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "0":
            if let next = current, ("0"..."9").contains(next) {
                throw syntaxError("octal escapes are not allowed", at: start)
            }
            return 0
        case "c":
            guard let letter = current, letter.isASCII, letter.properties.isAlphabetic else {
                throw syntaxError("invalid control escape", at: start)
            }
            position += 1
            return letter.value & 0x1F
        case "x":
            guard let value = parseHex(count: 2) else { throw syntaxError("invalid escape '\\x'", at: start) }
            return value
        case "u":
            return try parseUnicodeEscape(start)
        default:
            if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
                throw syntaxError("invalid escape '\\\(scalar)'", at: start)
            }
            return scalar.value
        }
    }

    private mutating func parseUnicodeEscape(_ start: Int) throws(PatternError) -> UInt32 {
        if take("{") {
            var value: UInt32 = 0
            var digits = 0
            while let digit = current.flatMap(Self.hexValue) {
                value = value << 4 | digit
                digits += 1
                position += 1
                guard value <= 0x10FFFF else { throw syntaxError("the code point is too large", at: start) }
            }
            guard digits > 0, take("}") else { throw syntaxError("invalid escape '\\u'", at: start) }
            return value
        }
        guard let first = parseHex(count: 4) else { throw syntaxError("invalid escape '\\u'", at: start) }
        guard (0xD800...0xDBFF).contains(first) else { return first }
        let mark = position
        if takeText("\\u"), let second = parseHex(count: 4), (0xDC00...0xDFFF).contains(second) {
            return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        position = mark
        return first
    }

    private mutating func parseHex(count: Int) -> UInt32? {
        var value: UInt32 = 0
        let mark = position
        for _ in 0..<count {
            guard let digit = current.flatMap(Self.hexValue) else {
                position = mark
                return nil
            }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    static func hexValue(_ scalar: Unicode.Scalar) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 48
        case "a"..."f": scalar.value - 87
        case "A"..."F": scalar.value - 55
        default: nil
        }
    }

    /// `{Name}` or `{Name=Value}` after `\p`.
    private mutating func parseProperty(_ start: Int) throws(PatternError) -> ScalarSet {
        guard take("{") else { throw syntaxError("invalid property escape", at: start) }
        var text = ""
        while let scalar = current, scalar != "}" {
            text.unicodeScalars.append(scalar)
            position += 1
        }
        guard take("}") else { throw syntaxError("invalid property escape", at: start) }
        switch UnicodeProperty.set(named: text) {
        case .found(let set): return set
        case .unsupported:
            throw unsupported("property \(text)", "the Unicode property '\(text)' is not supported", at: start)
        case .unknown:
            throw syntaxError("there is no Unicode property '\(text)'", at: start)
        }
    }

    // MARK: Classes

    /// A bracketed class; the cursor is at `[`.
    mutating func parseClass() throws(PatternError) -> ScalarSet {
        let start = position
        position += 1
        let negated = take("^")
        var ranges: [ScalarSet.Range] = []
        while true {
            guard let scalar = current else { throw syntaxError("missing ']'", at: start) }
            if scalar == "]" {
                position += 1
                break
            }
            let itemStart = position
            let first = try parseClassAtom()
            guard current == "-", let next = peek(1), next != "]" else {
                first.append(to: &ranges)
                continue
            }
            position += 1
            let second = try parseClassAtom()
            if case .scalar(let lower) = first, case .scalar(let upper) = second {
                guard lower <= upper else { throw syntaxError("the range is out of order", at: itemStart) }
                ranges.append(ScalarSet.Range(lower, upper))
            } else {
                // `[\w-.]`: the hyphen stands for itself.
                first.append(to: &ranges)
                ranges.append(ScalarSet.Range(0x2D, 0x2D))
                second.append(to: &ranges)
            }
        }
        let set = folded(ScalarSet(ranges))
        return negated ? set.complement : set
    }

    private enum ClassAtom {
        case scalar(UInt32)
        case set(ScalarSet)

        func append(to ranges: inout [ScalarSet.Range]) {
            switch self {
            case .scalar(let value): ranges.append(ScalarSet.Range(value, value))
            case .set(let set): ranges.append(contentsOf: set.ranges)
            }
        }
    }

    private mutating func parseClassAtom() throws(PatternError) -> ClassAtom {
        let start = position
        guard let scalar = current else { throw syntaxError("missing ']'", at: start) }
        position += 1
        guard scalar == "\\" else { return .scalar(scalar.value) }
        switch current {
        case "b":
            position += 1
            return .scalar(0x08)
        case "d", "D", "w", "W", "s", "S", "p", "P":
            return .set(try parseSharedEscape(start))
        default:
            return .scalar(try parseCharacterEscape(start))
        }
    }
}
