// SPDX-License-Identifier: Apache-2.0

import Foundation

extension TemplateEvaluator {
    static let dictionaryMethods: Set<String> = ["keys", "values", "items", "get", "copy"]
    static let stringMethods: Set<String> = [
        "upper", "lower", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith",
        "replace", "title", "capitalize", "find", "rfind", "index", "rindex", "count", "join", "format", "isdigit",
        "isdecimal", "isnumeric", "isalpha", "isalnum", "isspace", "isupper", "islower", "zfill", "center", "ljust",
        "rjust", "removeprefix", "removesuffix", "partition", "rpartition", "swapcase", "casefold",
    ]

    // MARK: - Arguments

    func string(_ value: TemplateValue, _ what: String) throws(TemplateError) -> String {
        guard case .string(let text) = value else {
            try require(value)
            throw TemplateError(.evaluation, "\(what) must be str, not \(value.typeName)")
        }
        return text
    }

    func integer(_ value: TemplateValue, _ what: String) throws(TemplateError) -> Int {
        guard let integer = value.integerValue else {
            try require(value)
            throw TemplateError(.evaluation, "\(what) must be int, not \(value.typeName)")
        }
        return integer
    }

    func integer(
        _ arguments: TemplateArguments, _ index: Int, _ name: String, default fallback: Int
    ) throws(TemplateError) -> Int {
        guard let value = arguments.value(index, name) else { return fallback }
        if case .none = value { return fallback }
        return try integer(value, "'\(name)'")
    }

    func flag(_ arguments: TemplateArguments, _ index: Int, _ name: String, default fallback: Bool = false) -> Bool {
        arguments.value(index, name)?.isTrue ?? fallback
    }

    // MARK: - Global functions

    func call(_ function: TemplateFunction, _ arguments: TemplateArguments) throws(TemplateError) -> TemplateValue {
        switch function {
        case .raiseException:
            throw TemplateError(.raised, try text(of: arguments.value(0, "message") ?? .string("")))
        case .strftimeNow:
            let format = try string(arguments.value(0, "format") ?? .none, "the date format")
            return try made(try now().formatted(format))
        case .dict, .namespace:
            var dictionary = TemplateDictionary()
            if let first = arguments.positional.first {
                if case .dictionary(let base) = first {
                    dictionary = base
                } else {
                    for entry in try items(of: first) {
                        let pair = try items(of: entry)
                        guard pair.count == 2 else {
                            throw TemplateError(.evaluation, "a dictionary is made from pairs")
                        }
                        dictionary.append(pair[0], pair[1])
                    }
                }
            }
            for argument in arguments.named { dictionary.append(.string(argument.name), argument.value) }
            try charge(dictionary.count)
            return function == .dict ? .dictionary(dictionary) : try makeNamespace(dictionary)
        case .range:
            guard (1...3).contains(arguments.positional.count), arguments.named.isEmpty else {
                throw TemplateError(.evaluation, "range takes one to three integers")
            }
            var bounds: [Int] = []
            for value in arguments.positional { bounds.append(try integer(value, "a range bound")) }
            let from = bounds.count > 1 ? bounds[0] : 0
            let to = bounds.count > 1 ? bounds[1] : bounds[0]
            let by = bounds.count > 2 ? bounds[2] : 1
            guard by != 0 else { throw TemplateError(.evaluation, "range step must not be zero") }
            var numbers: [TemplateValue] = []
            var current = from
            while by > 0 ? current < to : current > to {
                guard numbers.count < 100_000 else {
                    throw TemplateError(.limit, "a range of more than 100000 numbers")
                }
                numbers.append(.integer(current))
                let (next, overflow) = current.addingReportingOverflow(by)
                if overflow { break }
                current = next
            }
            return try madeList(numbers)
        }
    }

    // MARK: - Methods

    func callMethod(
        _ name: String, of receiver: TemplateValue, _ arguments: TemplateArguments
    ) throws(TemplateError) -> TemplateValue {
        switch receiver {
        case .string(let text):
            try charge(text.utf8.count / 16)
            return try callMethod(name, of: text, arguments)
        case .dictionary(let dictionary):
            switch name {
            case "keys": return try madeList(dictionary.entries.map(\.key))
            case "values": return try madeList(dictionary.entries.map(\.value))
            case "items": return try madeList(Self.pairs(dictionary))
            case "copy": return receiver
            default:
                guard let key = arguments.positional.first else {
                    throw TemplateError(.evaluation, "get expected at least 1 argument, got 0")
                }
                try charge(key.extent.weight + dictionary.count)
                return dictionary[key] ?? arguments.value(1, "default") ?? .none
            }
        case .list(let items), .tuple(let items):
            guard let wanted = arguments.positional.first, name != "copy" else { return receiver }
            var count = 0
            for (index, item) in items.enumerated() where try areEqual(item, wanted) {
                if name == "index" { return .integer(index) }
                count += 1
            }
            if name == "count" { return .integer(count) }
            throw TemplateError(.evaluation, "the value is not in the list")
        case .loop(let loop):
            if name == "cycle" {
                guard !arguments.positional.isEmpty else {
                    throw TemplateError(.evaluation, "no items for cycling given")
                }
                return arguments.positional[loop.index % arguments.positional.count]
            }
            let values = TemplateList(arguments.positional)
            if let last = loop.lastChanged, try areEqual(.tuple(last), .tuple(values)) { return .boolean(false) }
            loop.lastChanged = values
            return .boolean(true)
        default: throw TemplateError(.evaluation, "'\(receiver.typeName)' object has no method '\(name)'")
        }
    }

    static func pairs(_ dictionary: TemplateDictionary) -> [TemplateValue] {
        dictionary.entries.map { .tuple(TemplateList([$0.key, $0.value])) }
    }

    private func strings(_ parts: [String]) throws(TemplateError) -> TemplateValue {
        try chargeText(parts.reduce(0) { $0 + $1.utf8.count })
        return try madeList(parts.map { .string($0) })
    }

    private func callMethod(
        _ name: String, of text: String, _ arguments: TemplateArguments
    ) throws(TemplateError) -> TemplateValue {
        let first = arguments.positional.first
        func required(_ index: Int = 0) throws(TemplateError) -> String {
            guard index < arguments.positional.count else {
                throw TemplateError(.evaluation, "\(name) needs \(index + 1) argument(s)")
            }
            return try string(arguments.positional[index], "the argument of \(name)")
        }
        func characters() throws(TemplateError) -> String? {
            guard let first else { return nil }
            if case .none = first { return nil }
            return try string(first, "the argument of \(name)")
        }
        switch name {
        case "upper": return try made(text.uppercased())
        case "lower", "casefold": return try made(text.lowercased())
        case "strip": return try made(PythonText.strip(text, try characters(), .both))
        case "lstrip": return try made(PythonText.strip(text, try characters(), .left))
        case "rstrip": return try made(PythonText.strip(text, try characters(), .right))
        case "title": return try made(PythonText.title(text))
        case "capitalize": return try made(PythonText.capitalize(text))
        case "swapcase":
            return try made(
                text.unicodeScalars.reduce(into: "") {
                    let properties = $1.properties
                    $0 += properties.isUppercase ? properties.lowercaseMapping : properties.uppercaseMapping
                }
            )
        case "split":
            let limit = try integer(arguments, 1, "maxsplit", default: -1)
            guard let separator = try characters() ?? arguments.named("sep").map({ $0.text }) else {
                return try strings(PythonText.splitOnSpace(text, limit: limit))
            }
            guard !separator.isEmpty else { throw TemplateError(.evaluation, "empty separator") }
            return try strings(PythonText.split(text, separator, limit: limit))
        case "rsplit":
            let limit = try integer(arguments, 1, "maxsplit", default: -1)
            guard let separator = try characters() else {
                guard limit < 0 else {
                    throw TemplateError(.unsupported, "rsplit with a limit needs a separator")
                }
                return try strings(PythonText.splitOnSpace(text, limit: -1))
            }
            guard !separator.isEmpty else { throw TemplateError(.evaluation, "empty separator") }
            let parts = PythonText.split(text, separator, limit: -1)
            guard limit >= 0, parts.count > limit + 1 else { return try strings(parts) }
            let head = parts[..<(parts.count - limit)].joined(separator: separator)
            return try strings([head] + parts[(parts.count - limit)...])
        case "splitlines": return try strings(PythonText.lines(text, keepsEnds: flag(arguments, 0, "keepends")))
        case "partition", "rpartition":
            let separator = try required()
            guard !separator.isEmpty else { throw TemplateError(.evaluation, "empty separator") }
            let bytes = Array(text.utf8)
            let places = PythonText.occurrences(of: Array(separator.utf8), in: bytes)
            guard let place = name == "partition" ? places.first : places.last else {
                let parts = name == "partition" ? [text, "", ""] : ["", "", text]
                return .tuple(TemplateList(parts.map { .string($0) }))
            }
            let parts = [
                bytes[..<place], bytes[place..<(place + separator.utf8.count)],
                bytes[(place + separator.utf8.count)...],
            ]
            return .tuple(TemplateList(parts.map { .string(String(decoding: $0, as: UTF8.self)) }))
        case "startswith", "endswith":
            guard let first else { throw TemplateError(.evaluation, "\(name) needs an argument") }
            let choices: [TemplateValue] = if case .tuple(let items) = first { items.elements } else { [first] }
            for choice in choices {
                let affix = try string(choice, "the argument of \(name)").utf8
                let matches =
                    name == "startswith"
                    ? text.utf8.starts(with: affix)
                    : affix.count <= text.utf8.count && text.utf8.suffix(affix.count).elementsEqual(affix)
                if matches { return .boolean(true) }
            }
            return .boolean(false)
        case "removeprefix":
            let affix = try required()
            guard text.utf8.starts(with: affix.utf8) else { return .string(text) }
            return try made(String(decoding: text.utf8.dropFirst(affix.utf8.count), as: UTF8.self))
        case "removesuffix":
            let affix = try required()
            guard affix.utf8.count <= text.utf8.count, text.utf8.suffix(affix.utf8.count).elementsEqual(affix.utf8)
            else { return .string(text) }
            return try made(String(decoding: text.utf8.dropLast(affix.utf8.count), as: UTF8.self))
        case "replace":
            return try replaced(
                text, try required(), try required(1), count: try integer(arguments, 2, "count", default: -1)
            )
        case "find", "rfind", "index", "rindex":
            let part = try required()
            let bytes = Array(text.utf8)
            if part.isEmpty { return .integer(name.hasPrefix("r") ? text.unicodeScalars.count : 0) }
            let isLast = name.hasPrefix("r")
            let places = PythonText.occurrences(of: Array(part.utf8), in: bytes, limit: isLast ? .max : 1)
            guard let place = isLast ? places.last : places.first else {
                if name.hasSuffix("index") { throw TemplateError(.evaluation, "substring not found") }
                return .integer(-1)
            }
            return .integer(bytes[..<place].reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 })
        case "count":
            let part = try required()
            if part.isEmpty { return .integer(text.unicodeScalars.count + 1) }
            return .integer(PythonText.occurrences(of: Array(part.utf8), in: Array(text.utf8)).count)
        case "join": return try joined(try items(of: first ?? .none), text, requiresStrings: true)
        case "format": return try made(try formatted(braces: text, arguments))
        case "zfill", "center", "ljust", "rjust":
            let width = try integer(arguments, 0, "width", default: 0)
            let fill =
                name == "zfill"
                ? "0"
                : try arguments.value(1, "fillchar").map { (value) throws(TemplateError) in
                    try string(value, "the fill character")
                } ?? " "
            return try padded(text, width, fill, name)
        default: return .boolean(Self.classify(text, name))
        }
    }

    private static func classify(_ text: String, _ name: String) -> Bool {
        let scalars = text.unicodeScalars
        guard !scalars.isEmpty else { return false }
        switch name {
        case "isdigit", "isdecimal": return scalars.allSatisfy { $0.properties.generalCategory == .decimalNumber }
        case "isnumeric": return scalars.allSatisfy { $0.properties.numericType != nil }
        case "isspace": return scalars.allSatisfy(PythonText.isSpace)
        case "isalpha": return scalars.allSatisfy(isLetter)
        case "isalnum": return scalars.allSatisfy { isLetter($0) || $0.properties.numericType != nil }
        case "isupper":
            return scalars.contains { $0.properties.isUppercase } && !scalars.contains { $0.properties.isLowercase }
        default:
            return scalars.contains { $0.properties.isLowercase } && !scalars.contains { $0.properties.isUppercase }
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    // MARK: - Shared with filters

    func replaced(_ text: String, _ old: String, _ new: String, count: Int) throws(TemplateError) -> TemplateValue {
        // At most one replacement per byte of the text, and one at its end.
        let (most, overflow) = new.utf8.count.multipliedReportingOverflow(
            by: text.utf8.count / max(old.utf8.count, 1) + 1
        )
        try chargeText(overflow ? .max : min(most, limits.textBytes / 2))
        guard !overflow, most <= limits.textBytes / 2 else {
            throw TemplateError(.limit, "more than \(limits.textBytes) bytes of text")
        }
        return try made(PythonText.replace(text, old, new, count: count))
    }

    func joined(
        _ items: [TemplateValue], _ separator: String, requiresStrings: Bool = false
    ) throws(TemplateError) -> TemplateValue {
        var result = ""
        for (index, item) in items.enumerated() {
            if requiresStrings { _ = try string(item, "a joined item") }
            let part = try text(of: item)
            try chargeText(part.utf8.count + separator.utf8.count)
            if index > 0 { result += separator }
            result += part
        }
        return .string(result)
    }

    func padded(_ text: String, _ width: Int, _ fill: String, _ name: String) throws(TemplateError) -> TemplateValue {
        let missing = width - min(text.unicodeScalars.count, width)
        guard missing > 0 else { return .string(text) }
        guard fill.unicodeScalars.count == 1 else {
            throw TemplateError(.evaluation, "the fill character must be exactly one character long")
        }
        try chargeText(missing.multipliedReportingOverflow(by: 4).overflow ? .max : missing * 4)
        func run(_ count: Int) -> String { String(repeating: fill, count: count) }
        switch name {
        case "ljust": return .string(text + run(missing))
        case "center":
            let left = missing / 2 + (missing & width & 1)
            return .string(run(left) + text + run(missing - left))
        case "zfill":
            if let sign = text.unicodeScalars.first, sign == "-" || sign == "+" {
                return .string(String(Character(sign)) + run(missing) + String(text.unicodeScalars.dropFirst()))
            }
            return .string(run(missing) + text)
        default: return .string(run(missing) + text)
        }
    }
}
