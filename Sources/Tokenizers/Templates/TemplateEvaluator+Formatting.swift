// SPDX-License-Identifier: Apache-2.0

import Foundation

extension TemplateEvaluator {
    /// A width or precision as written in a format, small enough to be honoured.
    private func size(_ digits: String) throws(TemplateError) -> Int {
        guard let size = Int(digits), size <= 10_000 else {
            throw TemplateError(.limit, "a format asks for a width of \(digits)")
        }
        return size
    }

    private func aligned(_ text: String, _ width: Int, _ alignment: Unicode.Scalar, _ fill: String) -> String {
        let missing = max(0, width - text.unicodeScalars.count)
        func run(_ count: Int) -> String { String(repeating: fill, count: count) }
        switch alignment {
        case "<": return text + run(missing)
        case "^": return run(missing / 2) + text + run(missing - missing / 2)
        case "=":
            if let sign = text.unicodeScalars.first, sign == "-" || sign == "+" {
                return String(Character(sign)) + run(missing) + String(text.unicodeScalars.dropFirst())
            }
            return run(missing) + text
        default: return run(missing) + text
        }
    }

    /// `%` formatting.
    func formatted(
        printf format: String, _ arguments: [TemplateValue], mapping: TemplateValue
    ) throws(TemplateError) -> String {
        var result = ""
        var next = 0
        let scalars = Array(format.unicodeScalars)
        var index = 0
        func peek() -> Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
        while let scalar = peek() {
            index += 1
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if peek() == "%" {
                index += 1
                result += "%"
                continue
            }
            var named: TemplateValue?
            if peek() == "(" {
                let name = PythonText.text(scalars[(index + 1)...].prefix { $0 != ")" })
                index += name.unicodeScalars.count + 2
                guard case .dictionary(let dictionary) = mapping, let value = dictionary[name] else {
                    throw TemplateError(.evaluation, "the format needs a mapping with '\(name)'")
                }
                named = value
            }
            var flags: Set<Unicode.Scalar> = []
            while let flag = peek(), "-+ 0#".unicodeScalars.contains(flag) {
                flags.insert(flag)
                index += 1
            }
            var width = ""
            while let digit = peek(), digit.value >= 0x30, digit.value <= 0x39 {
                width.unicodeScalars.append(digit)
                index += 1
            }
            var precision: String?
            if peek() == "." {
                index += 1
                precision = ""
                while let digit = peek(), digit.value >= 0x30, digit.value <= 0x39 {
                    precision?.unicodeScalars.append(digit)
                    index += 1
                }
            }
            guard let conversion = peek() else { throw TemplateError(.evaluation, "incomplete format") }
            index += 1
            guard let value = named ?? (next < arguments.count ? arguments[next] : nil) else {
                throw TemplateError(.evaluation, "not enough arguments for format string")
            }
            next += named == nil ? 1 : 0
            var text: String
            let places = try precision.map { (digits) throws(TemplateError) in try size(digits.isEmpty ? "0" : digits) }
            switch conversion {
            case "s", "r":
                try charge(value.extent.weight)
                text = conversion == "s" ? value.text : value.representation
                if let places { text = String(text.unicodeScalars.prefix(places)) }
            case "d", "i", "u", "x", "X", "o", "c":
                text = try formattedNumber(value, conversion == "i" || conversion == "u" ? "d" : conversion, nil)
            case "f", "F", "e", "E", "g", "G": text = try formattedNumber(value, conversion, places)
            default:
                throw TemplateError(.evaluation, "unsupported format character '\(Character(conversion))'")
            }
            if conversion != "s", conversion != "r", !text.hasPrefix("-") {
                if flags.contains("+") { text = "+" + text } else if flags.contains(" ") { text = " " + text }
            }
            let isNumber = conversion != "s" && conversion != "r" && conversion != "c"
            let isZeroed = flags.contains("0") && isNumber && !flags.contains("-")
            result += aligned(
                text, try size(width.isEmpty ? "0" : width), flags.contains("-") ? "<" : isZeroed ? "=" : ">",
                isZeroed ? "0" : " "
            )
        }
        if next < arguments.count, !arguments.isEmpty {
            if case .dictionary = mapping { return result }
            throw TemplateError(.evaluation, "not all arguments converted during string formatting")
        }
        return result
    }

    private func formattedNumber(
        _ value: TemplateValue, _ type: Unicode.Scalar, _ precision: Int?
    ) throws(TemplateError) -> String {
        let number = try number(value, "a number format")
        switch type {
        case "d", "x", "X", "o", "b", "c":
            let integer: Int
            switch number {
            case .integer(let value): integer = value
            case .double(let value):
                guard let whole = Int(exactly: value.rounded(.towardZero)) else { throw Self.overflow }
                integer = whole
            }
            if type == "c" {
                guard let scalar = UInt32(exactly: integer).flatMap(Unicode.Scalar.init) else {
                    throw TemplateError(.evaluation, "%c arg not in range")
                }
                return String(Character(scalar))
            }
            let radix = type == "d" ? 10 : type == "o" ? 8 : type == "b" ? 2 : 16
            return String(integer, radix: radix, uppercase: type == "X")
        default:
            return String(format: "%.\(precision ?? 6)\(Character(type))", number.double)
        }
    }

    /// `str.format`.
    func formatted(braces format: String, _ arguments: TemplateArguments) throws(TemplateError) -> String {
        var result = ""
        var automatic = 0
        let scalars = Array(format.unicodeScalars)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            let following = index < scalars.count ? scalars[index] : nil
            if scalar == "{" || scalar == "}", following == scalar {
                result.unicodeScalars.append(scalar)
                index += 1
                continue
            }
            guard scalar == "{" else {
                if scalar == "}" { throw TemplateError(.evaluation, "single '}' in a format string") }
                result.unicodeScalars.append(scalar)
                continue
            }
            guard let end = scalars[index...].firstIndex(of: "}") else {
                throw TemplateError(.evaluation, "expected '}' before the end of a format string")
            }
            let field = PythonText.text(scalars[index..<end])
            index = end + 1
            let parts = PythonText.split(field, ":", limit: 1)
            let reference = PythonText.split(parts[0], "!", limit: 1)
            let name = reference[0]
            let value: TemplateValue?
            if name.isEmpty {
                value = automatic < arguments.positional.count ? arguments.positional[automatic] : nil
                automatic += 1
            } else if let position = Int(name) {
                value = arguments.positional.indices.contains(position) ? arguments.positional[position] : nil
            } else {
                value = arguments.named(name)
            }
            guard let value else {
                throw TemplateError(.evaluation, "the format string has no argument for '{\(field)}'")
            }
            try charge(value.extent.weight)
            let shown = reference.count > 1 && reference[1] == "r" ? .string(value.representation) : value
            result += try formatted(shown, specification: parts.count > 1 ? parts[1] : "")
        }
        return result
    }

    private func formatted(_ value: TemplateValue, specification: String) throws(TemplateError) -> String {
        if specification.isEmpty { return try text(of: value) }
        var rest = specification.unicodeScalars[...]
        func isAlignment(_ scalar: Unicode.Scalar?) -> Bool {
            scalar == "<" || scalar == ">" || scalar == "^" || scalar == "="
        }
        var fill = " "
        var alignment: Unicode.Scalar?
        if isAlignment(rest.dropFirst().first), let first = rest.first {
            fill = String(Character(first))
            alignment = rest.dropFirst().first
            rest = rest.dropFirst(2)
        } else if isAlignment(rest.first) {
            alignment = rest.popFirst()
        }
        var sign = ""
        if let first = rest.first, first == "+" || first == "-" || first == " " {
            sign = first == "-" ? "" : String(Character(first))
            rest = rest.dropFirst()
        }
        if rest.first == "0" {
            rest = rest.dropFirst()
            if alignment == nil {
                alignment = "="
                fill = "0"
            }
        }
        func digits() -> String {
            let run = rest.prefix { $0.value >= 0x30 && $0.value <= 0x39 }
            rest = rest[run.endIndex...]
            return String(run)
        }
        let width = digits()
        var groups = false
        if rest.first == "," {
            groups = true
            rest = rest.dropFirst()
        }
        var precision: Int?
        if rest.first == "." {
            rest = rest.dropFirst()
            precision = try size(digits())
        }
        let type = rest.popFirst()
        guard rest.isEmpty else {
            throw TemplateError(.evaluation, "invalid format specifier '\(specification)'")
        }
        var text: String
        if case .string(let string) = value {
            guard type == nil || type == "s" else {
                throw TemplateError(.evaluation, "invalid format specifier '\(specification)' for a string")
            }
            text = precision.map { String(string.unicodeScalars.prefix($0)) } ?? string
        } else if value.number != nil {
            let scale = type == "%" ? TemplateValue.double((value.number?.double ?? 0) * 100) : value
            let isPlainInteger = type == nil && precision == nil
            if isPlainInteger {
                text = value.text
            } else {
                let kind: Unicode.Scalar = type == "%" ? "f" : type ?? "g"
                guard "dxXobcfFeEgG".unicodeScalars.contains(kind) else {
                    throw TemplateError(.evaluation, "invalid format specifier '\(specification)'")
                }
                text = try formattedNumber(scale, kind, precision)
            }
            if type == "%" { text += "%" }
            if groups { text = Self.grouped(text) }
            if !text.hasPrefix("-") { text = sign + text }
            alignment = alignment ?? ">"
        } else {
            text = try self.text(of: value)
        }
        return aligned(text, try size(width.isEmpty ? "0" : width), alignment ?? "<", fill)
    }

    private static func grouped(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        let start = scalars.first == "-" ? 1 : 0
        let end = scalars[start...].firstIndex { $0.value < 0x30 || $0.value > 0x39 } ?? scalars.count
        var result = PythonText.text(scalars[..<start])
        for index in start..<end {
            if index > start, (end - index) % 3 == 0 { result += "," }
            result.unicodeScalars.append(scalars[index])
        }
        return result + PythonText.text(scalars[end...])
    }
}
