// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Text functions with the behaviour of the reference implementation's host language.
enum PythonText {
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    static func isWordStart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || (scalar.isASCII ? scalar.properties.isAlphabetic : scalar.properties.isXIDStart)
    }

    static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        isWordStart(scalar) || (scalar.value >= 0x30 && scalar.value <= 0x39)
            || (!scalar.isASCII && scalar.properties.isXIDContinue)
    }

    static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var result = ""
        result.unicodeScalars.append(contentsOf: scalars)
        return result
    }

    enum Side { case left, right, both }

    /// `strip`, `lstrip`, `rstrip`; without characters, white space goes.
    static func strip(_ text: String, _ characters: String?, _ side: Side) -> String {
        let scalars = text.unicodeScalars
        let set = characters.map { Set($0.unicodeScalars) }
        func goes(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? isSpace(scalar) }
        var slice = scalars[...]
        if side != .right { slice = slice.drop(while: goes) }
        if side != .left { while let last = slice.last, goes(last) { slice.removeLast() } }
        return String(slice)
    }

    /// Where `needle` occurs in `text`, as byte offsets of non-overlapping matches. An empty needle is not found.
    static func occurrences(of needle: [UInt8], in text: [UInt8], limit: Int = .max) -> [Int] {
        guard let first = needle.first, needle.count <= text.count else { return [] }
        var found: [Int] = []
        var index = 0
        while index <= text.count - needle.count, found.count < limit {
            if text[index] == first, text[index..<index + needle.count].elementsEqual(needle) {
                found.append(index)
                index += needle.count
            } else {
                index += 1
            }
        }
        return found
    }

    static func replace(_ text: String, _ old: String, _ new: String, count: Int) -> String {
        let limit = count < 0 ? Int.max : count
        if old.isEmpty {
            var result = ""
            var done = 0
            for scalar in text.unicodeScalars {
                if done < limit { result += new }
                done += 1
                result.unicodeScalars.append(scalar)
            }
            if done < limit { result += new }
            return result
        }
        let bytes = Array(text.utf8)
        let needle = Array(old.utf8)
        let places = occurrences(of: needle, in: bytes, limit: limit)
        if places.isEmpty { return text }
        var result: [UInt8] = []
        var copied = 0
        for place in places {
            result += bytes[copied..<place]
            result += new.utf8
            copied = place + needle.count
        }
        result += bytes[copied...]
        return String(decoding: result, as: UTF8.self)
    }

    /// `split` on a separator.
    static func split(_ text: String, _ separator: String, limit: Int) -> [String] {
        let bytes = Array(text.utf8)
        let needle = Array(separator.utf8)
        var parts: [String] = []
        var start = 0
        for place in occurrences(of: needle, in: bytes, limit: limit < 0 ? .max : limit) {
            parts.append(String(decoding: bytes[start..<place], as: UTF8.self))
            start = place + needle.count
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    /// `split` on runs of white space.
    static func splitOnSpace(_ text: String, limit: Int) -> [String] {
        var parts: [String] = []
        var rest = text.unicodeScalars[...].drop(while: isSpace)
        while !rest.isEmpty {
            if limit >= 0, parts.count == limit {
                parts.append(strip(String(rest), nil, .right))
                break
            }
            let word = rest.prefix { !isSpace($0) }
            parts.append(String(word))
            rest = rest[word.endIndex...].drop(while: isSpace)
        }
        return parts
    }

    static func lines(_ text: String, keepsEnds: Bool = false) -> [String] {
        var lines: [String] = []
        var current = ""
        var scalars = text.unicodeScalars.makeIterator()
        var pending = scalars.next()
        while let scalar = pending {
            pending = scalars.next()
            switch scalar.value {
            case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029:
                var end = String(Character(scalar))
                if scalar == "\r", pending == "\n" {
                    end = "\r\n"
                    pending = scalars.next()
                }
                lines.append(keepsEnds ? current + end : current)
                current = ""
            default: current.unicodeScalars.append(scalar)
            }
        }
        if !current.isEmpty { lines.append(current) }
        return lines
    }

    /// The first letter upper case, the rest lower case.
    static func capitalize(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return "" }
        return first.properties.titlecaseMapping
            + text.unicodeScalars.dropFirst().reduce(into: "") {
                $0 += $1.properties.lowercaseMapping
            }
    }

    /// Each run of letters capitalised.
    static func title(_ text: String) -> String {
        var result = ""
        var inWord = false
        for scalar in text.unicodeScalars {
            let cased = scalar.properties.isCased
            result += inWord ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
            inWord = cased
        }
        return result
    }

    static func escapeMarkup(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&#39;"
            case "\"": result += "&#34;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func double(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        return value.description
    }

    /// Fixed-point text, correctly rounded.
    static func fixed(_ value: Double, _ precision: Int) -> String { String(format: "%.\(precision)f", value) }

    /// A quoted string as `repr` writes it.
    static func quoted(_ text: String) -> String {
        let quote: Unicode.Scalar = text.utf8.contains(0x27) && !text.utf8.contains(0x22) ? "\"" : "'"
        var result = String(Character(quote))
        for scalar in text.unicodeScalars {
            switch scalar {
            case quote, "\\":
                result += "\\"
                result.unicodeScalars.append(scalar)
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if isPrintable(scalar) {
                    result.unicodeScalars.append(scalar)
                } else if scalar.value <= 0xFF {
                    result += "\\x" + hex(scalar.value, 2)
                } else if scalar.value <= 0xFFFF {
                    result += "\\u" + hex(scalar.value, 4)
                } else {
                    result += "\\U" + hex(scalar.value, 8)
                }
            }
        }
        result.unicodeScalars.append(quote)
        return result
    }

    static func hex(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }
}

extension TemplateValue {
    /// The text `str` gives.
    var text: String {
        switch self {
        case .undefined: ""
        case .string(let value): value
        default: representation
        }
    }

    /// The text `repr` gives.
    var representation: String {
        switch self {
        case .undefined: return "Undefined"
        case .none: return "None"
        case .boolean(let value): return value ? "True" : "False"
        case .integer(let value): return String(value)
        case .double(let value): return PythonText.double(value)
        case .string(let value): return PythonText.quoted(value)
        case .list(let items): return "[" + items.map(\.representation).joined(separator: ", ") + "]"
        case .tuple(let items):
            if items.count == 1 { return "(" + items[0].representation + ",)" }
            return "(" + items.map(\.representation).joined(separator: ", ") + ")"
        case .dictionary(let dictionary):
            let entries = dictionary.entries.map { $0.key.representation + ": " + $0.value.representation }
            return "{" + entries.joined(separator: ", ") + "}"
        case .namespace: return "<Namespace>"
        case .loop(let loop): return "<LoopContext \(loop.index + 1)/\(loop.items.count)>"
        case .macro(let macro): return "<Macro \(PythonText.quoted(macro.definition.name))>"
        case .function(let function): return "<function \(function.rawValue)>"
        case .method(_, let name): return "<built-in method \(name)>"
        }
    }
}
