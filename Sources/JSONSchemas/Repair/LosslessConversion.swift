// SPDX-License-Identifier: Apache-2.0

import Documents

/// Values that say the same in another type.
enum LosslessConversion {
    struct Result {
        var value: JSONValue
        /// How a number is spelled.
        var spelling: String?
        var message: String
        var cost: Int
    }

    private static let ordinary = TextMend.ordinaryCost

    /// What a value can become where one of the types is wanted.
    ///
    /// - Parameters:
    ///   - written: How the value is spelled in the document, where it is a number or a word.
    ///   - isScalar: Whether containers are left alone.
    static func results(
        _ value: JSONValue, written: String?, to types: TypeSet, isScalar: Bool
    ) -> [Result] {
        var results: [Result] = []
        switch value {
        case .string(let text): fromString(text, types, isScalar, &results)
        case .number(let number):
            if types.contains(.string) {
                results.append(
                    Result(
                        value: .string(written ?? number.description), message: "the number is written as text",
                        cost: ordinary))
            }
            if types.contains(.boolean), number == 0 || number == 1 {
                results.append(
                    Result(value: .bool(number == 1), message: "\(number) means \(number == 1)", cost: ordinary + 5))
            }
        case .bool(let flag):
            if types.contains(.string) {
                results.append(
                    Result(
                        value: .string(written ?? (flag ? "true" : "false")), message: "the word is written as text",
                        cost: ordinary))
            }
        case .array(let elements):
            if !isScalar, elements.count == 1, types.isDisjoint(with: .array) {
                results.append(
                    Result(value: elements[0], message: "the only element of the list is meant", cost: ordinary + 4))
            }
        case .null, .object: break
        }
        return results
    }

    private static func fromString(_ text: String, _ types: TypeSet, _ isScalar: Bool, _ results: inout [Result]) {
        for (candidate, extra) in cleaned(text) {
            if types.contains(.integer) || types.contains(.number), let number = number(candidate),
                types.contains(.number) || number.value.isInteger
            {
                results.append(
                    Result(
                        value: .number(number.value), spelling: number.spelling, message: "the text is a number",
                        cost: ordinary + extra))
            }
            if types.contains(.boolean), let flag = boolean(candidate) {
                results.append(
                    Result(
                        value: .bool(flag.value), message: "the text means \(flag.value)",
                        cost: ordinary + extra + flag.extra))
            }
            if types.contains(.null),
                ["", "null", "~", "none", "nil", "undefined", "nan"].contains(candidate.lowercased())
            {
                results.append(Result(value: .null, message: "the text stands for no value", cost: ordinary + extra))
            }
        }
        if !isScalar, types.contains(.object) || types.contains(.array), text.utf8.count <= 1 << 20,
            let first = text.unicodeScalars.first(where: { $0 != " " && $0 != "\n" }), first == "{" || first == "[",
            let document = try? JSONReader.read(text)
        {
            results.append(Result(value: document.root.value, message: "the text is JSON", cost: ordinary + 2))
        }
    }

    /// The text, and the text without what does not belong to it.
    static func cleaned(_ text: String) -> [(text: String, extra: Int)] {
        var found = [(text: text, extra: 0)]
        var core = Substring(text)
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
        }
        func trim() {
            while let first = core.unicodeScalars.first, isSpace(first) { core.unicodeScalars.removeFirst() }
            while let last = core.unicodeScalars.last, isSpace(last) { core.unicodeScalars.removeLast() }
        }
        func add() {
            let text = String(core)
            if !found.contains(where: { ScalarText.equal($0.text, text) }) { found.append((text, found.count)) }
        }
        trim()
        add()
        if let last = core.unicodeScalars.last, last == "," || last == ";" {
            core.unicodeScalars.removeLast()
            trim()
            add()
        }
        let quotes: Set<Unicode.Scalar> = ["\"", "'", "`", "“", "”", "‘", "’"]
        var hasQuotes = false
        if let first = core.unicodeScalars.first, quotes.contains(first) {
            core.unicodeScalars.removeFirst()
            hasQuotes = true
        }
        if let last = core.unicodeScalars.last, quotes.contains(last) {
            core.unicodeScalars.removeLast()
            hasQuotes = true
        }
        if hasQuotes {
            trim()
            add()
        }
        return found
    }

    /// A key with its value, where the ':' or the space behind it is missing: `port:80`, `port 80`, `port = 80`.
    static func member(_ text: String) -> (key: String, value: JSONValue)? {
        guard text.utf8.count <= 4096 else { return nil }
        let key = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == ".") }
        var rest = text.dropFirst(key.count)
        guard !key.isEmpty, let first = rest.first, first == ":" || first == "=" || first == " " else { return nil }
        while let next = rest.first, next == " " || next == ":" || next == "=" { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        switch rest {
        case "true": return (String(key), true)
        case "false": return (String(key), false)
        case "null": return (String(key), nil)
        default: break
        }
        if let number = DecimalNumber(String(rest)) { return (String(key), .number(number)) }
        if rest.count >= 2, let quote = rest.first, quote == "'" || quote == "\"", rest.last == quote {
            rest = rest.dropFirst().dropLast()
        }
        return (String(key), .string(String(rest)))
    }

    private static func number(_ text: String) -> (value: DecimalNumber, spelling: String)? {
        if let number = DecimalNumber(text) { return (number, text) }
        guard let bytes = ForeignNumber.json(text), let number = DecimalNumber(bytes) else { return nil }
        return (number, bytes)
    }

    private static func boolean(_ text: String) -> (value: Bool, extra: Int)? {
        switch text.lowercased() {
        case "true", "yes", "on": (true, 0)
        case "false", "no", "off": (false, 0)
        case "y", "t", "enabled", "1": (true, 5)
        case "n", "f", "disabled", "0": (false, 5)
        default: nil
        }
    }
}
