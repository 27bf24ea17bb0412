// SPDX-License-Identifier: Apache-2.0

import Documents

/// A mistake in a type expression, at byte offsets of its text.
struct SpecSyntaxError: Error {
    var id: DiagnosticID
    var message: String
    var range: Range<Int>
    var help: String?
}

/// Reads a type expression such as `list of string 1..80 (max 5) ? -- what it is`.
///
/// The grammar is in `docs/SPEC.md`. One expression gives at most one mistake; the caller goes on with the next field.
struct SpecExpression {
    struct Result {
        var type: SpecType
        var isOptional = false
        var description: String?
    }

    private let text: [UInt8]
    private var at = 0
    private var depth = 0
    private var parentheses = 0
    /// Names of the spec's own types.
    private let names: Set<String>
    private(set) var used: Set<String> = []

    init(_ text: String, names: Set<String>) {
        self.text = Array(text.utf8)
        self.names = names
    }

    mutating func parse() throws(SpecSyntaxError) -> Result {
        var result = Result(type: try union())
        skipSpace()
        if peek(UInt8(ascii: "?")) {
            at += 1
            result.isOptional = true
            skipSpace()
        }
        if atDescription {
            at += text[at] == UInt8(ascii: "-") ? 2 : 3
            skipSpace()
            var end = text.count
            while end > at, text[end - 1] <= 0x20 { end -= 1 }
            result.description = String(decoding: text[at..<end], as: UTF8.self)
            at = text.count
        }
        guard at == text.count else { throw unexpected() }
        return result
    }

    // MARK: Types

    private mutating func union() throws(SpecSyntaxError) -> SpecType {
        depth += 1
        defer { depth -= 1 }
        try checkDepth()
        var types = [try single(allowsParentheses: true)]
        while true {
            let start = at
            skipSpace()
            guard word() == "or" else {
                at = start
                break
            }
            types.append(try single(allowsParentheses: true))
        }
        return SpecType.union(types)
    }

    private mutating func single(allowsParentheses: Bool) throws(SpecSyntaxError) -> SpecType {
        skipSpace()
        let start = at
        guard at < text.count else {
            throw fail("spec.syntax", "a type is missing", start..<start, help: "write a type such as 'string'")
        }
        var type: SpecType
        switch text[at] {
        case UInt8(ascii: "("):
            at += 1
            parentheses += 1
            type = try union()
            parentheses -= 1
            skipSpace()
            try expect(UInt8(ascii: ")"))
        case UInt8(ascii: "/"):
            type = .typed(.string, "string")
            try pattern(&type)
        case UInt8(ascii: "="):
            at += 1
            skipSpace()
            type = SpecType(.other, ["const": try literal(until: parentheses > 0 ? [UInt8(ascii: ")")] : [])])
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            type = SpecType(.other, ["const": .string(try quoted())])
        default:
            guard let name = word() else { throw unexpected("a type") }
            type = try named(name, start..<at)
        }
        try limits(&type, allowsParentheses: allowsParentheses, from: start)
        return type
    }

    private mutating func named(_ name: String, _ range: Range<Int>) throws(SpecSyntaxError) -> SpecType {
        switch name {
        case "list", "map":
            let isList = name == "list"
            var type = SpecType(isList ? .list : .map, ["type": isList ? "array" : "object"])
            let before = at
            skipSpace()
            guard word() == "of" else {
                at = before
                return type
            }
            depth += 1
            defer { depth -= 1 }
            try checkDepth()
            let item = try single(allowsParentheses: false)
            let key = isList ? "items" : "additionalProperties"
            type.schema[key] = .object(item.schema)
            type.adopt(item, at: [key])
            return type
        case "one":
            skipSpace()
            guard word() == "of" else {
                throw fail(
                    "spec.syntax", "expected 'of' after 'one'", at..<min(at + 1, text.count),
                    help: "write 'one of [a, b]'")
            }
            skipSpace()
            return SpecType(.other, ["enum": .array(try values())])
        case "integer", "number": return .typed(.number, name)
        case "string": return .typed(.string, name)
        case "boolean", "null": return .typed(.other, name)
        case "any": return SpecType(.other, [:])
        default: break
        }
        if names.contains(name) {
            used.insert(name)
            var type = SpecType(.named(name), ["$ref": .string("#/$defs/" + SpecReader.escaped(name))])
            type.direct = [name]
            return type
        }
        let format = SpecWords.aliases[name] ?? name
        if SpecWords.formats.contains(format) {
            return SpecType(.string, ["type": "string", "format": .string(format)])
        }
        let known = SpecWords.basic + SpecWords.formats + Array(names) + ["list", "map", "one"]
        var help: String?
        if let other = SpecWords.foreign[name.lowercased()] {
            help = "write '\(other)'"
        } else if let close = Spelling.closest(to: name, among: known.sorted()) {
            help = "did you mean '\(close)'?"
        } else {
            help =
                "types are \(SpecWords.basic.joined(separator: ", ")), formats such as date and email, and names under 'types:'"
        }
        throw fail("spec.unknown-type", "there is no type '\(name)'", range, help: help)
    }

    private func checkDepth() throws(SpecSyntaxError) {
        guard depth <= 64 else {
            throw fail("spec.too-deep", "the type is nested more than 64 deep", at..<min(at + 1, text.count))
        }
    }

    // MARK: Limits

    private mutating func limits(
        _ type: inout SpecType, allowsParentheses: Bool, from start: Int
    ) throws(SpecSyntaxError) {
        while true {
            skipSpace()
            guard at < text.count, !atDescription else { return }
            let place = at
            switch text[at] {
            case UInt8(ascii: "/"): try pattern(&type)
            case UInt8(ascii: ">"), UInt8(ascii: "<"): try comparison(&type)
            case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
                if case .list = type.kind {
                    throw fail(
                        "spec.syntax", "the number of elements goes in parentheses", place..<(place + 1),
                        help: "write '(1..5)'")
                }
                try range(&type)
            case UInt8(ascii: "("):
                guard allowsParentheses else { return }
                at += 1
                try parenthesised(&type)
            default: return
            }
        }
    }

    private mutating func parenthesised(_ type: inout SpecType) throws(SpecSyntaxError) {
        while true {
            skipSpace()
            let start = at
            guard at < text.count else { throw unexpected("a limit") }
            switch text[at] {
            case UInt8(ascii: "/"): try pattern(&type)
            case UInt8(ascii: ">"), UInt8(ascii: "<"): try comparison(&type)
            case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."): try range(&type)
            default:
                guard let name = word() else { throw unexpected("a limit such as 'max 5'") }
                try limit(name, start..<at, &type)
            }
            skipSpace()
            if peek(UInt8(ascii: ",")) {
                at += 1
                continue
            }
            try expect(UInt8(ascii: ")"))
            return
        }
    }

    private mutating func limit(
        _ name: String, _ place: Range<Int>, _ type: inout SpecType
    ) throws(SpecSyntaxError) {
        switch name {
        case "min", "max":
            let number = try self.number()
            try attach(
                SpecLimits.bounds(type.kind, name == "min" ? number : nil, name == "max" ? number : nil), &type, place)
        case "length":
            let number = try self.number()
            guard case .string = type.kind else { throw notApplicable(name, type, place) }
            try attach(SpecLimits.bounds(.string, number, number), &type, place)
        case "unique":
            guard case .list = type.kind else { throw notApplicable(name, type, place) }
            type.schema["uniqueItems"] = true
        case "verbatim":
            guard case .string = type.kind else { throw notApplicable(name, type, place) }
            type.schema["x-verbatim"] = true
        case "multiple":
            skipSpace()
            guard word() == "of" else { throw unexpected("'of'") }
            let number = try self.number()
            guard case .number = type.kind else { throw notApplicable("multiple of", type, place) }
            guard number > .zero else {
                throw fail("spec.limit", "'multiple of' needs a number above 0", place.lowerBound..<at)
            }
            type.schema["multipleOf"] = .number(number)
        case "pattern":
            skipSpace()
            guard peek(UInt8(ascii: "/")) else { throw unexpected("a pattern such as /^[a-z]+$/") }
            try pattern(&type)
        case "keys":
            skipSpace()
            guard case .map = type.kind else { throw notApplicable(name, type, place) }
            guard peek(UInt8(ascii: "/")) else { throw unexpected("a pattern such as /^[a-z]+$/") }
            type.schema["propertyNames"] = ["pattern": .string(try regex())]
        default:
            let known = ["min", "max", "length", "unique", "multiple of", "pattern", "keys", "verbatim"]
            throw fail(
                "spec.syntax", "there is no limit '\(name)'", place,
                help: Spelling.closest(to: name, among: known).map { "did you mean '\($0)'?" }
                    ?? "limits are \(known.joined(separator: ", "))")
        }
    }

    private mutating func pattern(_ type: inout SpecType) throws(SpecSyntaxError) {
        let start = at
        let source = try regex()
        guard case .string = type.kind else { throw notApplicable("a pattern", type, start..<at) }
        guard type.schema["pattern"] == nil else {
            throw fail("spec.syntax", "there is a pattern already", start..<at, help: "join the patterns")
        }
        type.schema["pattern"] = .string(source)
    }

    private mutating func comparison(_ type: inout SpecType) throws(SpecSyntaxError) {
        let start = at
        let isLower = text[at] == UInt8(ascii: ">")
        at += 1
        let isClosed = peek(UInt8(ascii: "="))
        if isClosed { at += 1 }
        let number = try self.number()
        guard case .number = type.kind else {
            throw fail(
                "spec.limit", "'\(slice(start..<at))' does not apply to \(type.kind.noun)", start..<at,
                help: "comparisons are for integer and number; lengths are written '1..80'")
        }
        let keyword = (isClosed ? "" : "exclusive") + (isLower ? "minimum" : "maximum")
        let key = isClosed ? keyword : (isLower ? "exclusiveMinimum" : "exclusiveMaximum")
        try attach([(key, .number(number))], &type, start..<at)
    }

    private mutating func range(_ type: inout SpecType) throws(SpecSyntaxError) {
        let start = at
        var (low, high): (DecimalNumber?, DecimalNumber?) = (nil, nil)
        if !startsWith("..") { low = try number() }
        skipSpace()
        guard startsWith("..") else {
            if case .list = type.kind {
                throw fail(
                    "spec.syntax", "expected a range", start..<at,
                    help: "write '(\(slice(start..<at))..\(slice(start..<at)))'")
            }
            throw fail(
                "spec.syntax", "expected '..' after '\(slice(start..<at))'", start..<at,
                help: "a range is written '0..150', '0..' or '..150'")
        }
        at += 2
        skipSpace()
        if at < text.count, !atDescription, text[at] &- 0x30 < 10 || text[at] == UInt8(ascii: "-") {
            high = try number()
        }
        guard low != nil || high != nil else { throw fail("spec.syntax", "a range needs a number", start..<at) }
        try attach(SpecLimits.bounds(type.kind, low, high), &type, start..<at)
    }

    private func attach(
        _ keywords: [(String, JSONValue)]?, _ type: inout SpecType, _ range: Range<Int>
    ) throws(SpecSyntaxError) {
        let place = range.lowerBound..<max(range.upperBound, at)
        guard let keywords else {
            switch type.kind {
            case .string, .list, .map:
                throw fail("spec.limit", "the limit of \(type.kind.noun) must be a whole number from 0 up", place)
            default: throw notApplicable("'\(slice(place))'", type, place)
            }
        }
        for (key, value) in keywords {
            guard type.schema[key] == nil else { throw fail("spec.limit", "there is such a limit already", place) }
            type.schema[key] = value
        }
        if let message = SpecLimits.contradiction(in: type.schema) {
            throw fail("spec.empty-range", message, place, help: "swap the bounds or remove one")
        }
    }

    private func notApplicable(_ what: String, _ type: SpecType, _ range: Range<Int>) -> SpecSyntaxError {
        var help: String?
        if case .named(let name) = type.kind { help = "put it where '\(name)' is defined" }
        return fail("spec.limit", "\(what) does not apply to \(type.kind.noun)", range, help: help)
    }
}

/// The keywords of limits.
enum SpecLimits {
    /// The keywords for bounds on a type; nil where they do not apply or do not fit.
    static func bounds(
        _ kind: SpecType.Kind, _ low: DecimalNumber?, _ high: DecimalNumber?
    ) -> [(String, JSONValue)]? {
        let names: (String, String)
        switch kind {
        case .number: names = ("minimum", "maximum")
        case .string: names = ("minLength", "maxLength")
        case .list: names = ("minItems", "maxItems")
        case .map: names = ("minProperties", "maxProperties")
        default: return nil
        }
        var result: [(String, JSONValue)] = []
        for (name, bound) in [(names.0, low), (names.1, high)] {
            guard let bound else { continue }
            if case .number = kind {} else if bound.isNegative || bound.intValue == nil { return nil }
            result.append((name, .number(bound)))
        }
        return result
    }

    /// What is wrong with the bounds of a schema, if anything.
    static func contradiction(in schema: JSONObject) -> String? {
        for (low, high) in [("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")] {
            if let a = schema[low]?.numberValue, let b = schema[high]?.numberValue, b < a {
                return "the lower bound \(a) is above the upper bound \(b)"
            }
        }
        let lows = [("minimum", false), ("exclusiveMinimum", true)]
        let highs = [("maximum", false), ("exclusiveMaximum", true)]
        for (low, lowOpen) in lows {
            for (high, highOpen) in highs {
                guard let a = schema[low]?.numberValue, let b = schema[high]?.numberValue else { continue }
                if b < a || (a == b && (lowOpen || highOpen)) { return "no number lies between \(a) and \(b)" }
            }
        }
        return nil
    }
}

// MARK: Reading

extension SpecExpression {
    private mutating func skipSpace() {
        while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0A { at += 1 }
    }

    private func peek(_ byte: UInt8) -> Bool { at < text.count && text[at] == byte }

    private func startsWith(_ prefix: String) -> Bool { text[at...].starts(with: prefix.utf8) }

    /// `--` or an em dash.
    private var atDescription: Bool { startsWith("--") || startsWith("\u{2014}") }

    private mutating func expect(_ byte: UInt8) throws(SpecSyntaxError) {
        guard peek(byte) else { throw unexpected("'\(Unicode.Scalar(byte))'") }
        at += 1
    }

    private mutating func word() -> String? {
        let start = at
        while at < text.count {
            let byte = text[at]
            let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || byte >= 0x80
            let isInner = byte &- 0x30 < 10 || (byte == UInt8(ascii: "-") && !startsWith("--"))
            guard !startsWith("\u{2014}"), isLetter || (at > start && isInner) else { break }
            at += 1
        }
        return at > start ? slice(start..<at) : nil
    }

    private mutating func number() throws(SpecSyntaxError) -> DecimalNumber {
        skipSpace()
        let start = at
        if peek(UInt8(ascii: "-")) || peek(UInt8(ascii: "+")) { at += 1 }
        func isDigit(_ index: Int) -> Bool { index < text.count && text[index] &- 0x30 < 10 }
        while isDigit(at) { at += 1 }
        if peek(UInt8(ascii: ".")), isDigit(at + 1) {
            at += 1
            while isDigit(at) { at += 1 }
        }
        if at > start, at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            var end = at + 1
            if end < text.count, text[end] == UInt8(ascii: "-") || text[end] == UInt8(ascii: "+") { end += 1 }
            if isDigit(end) {
                at = end
                while isDigit(at) { at += 1 }
            }
        }
        guard let number = DecimalNumber(slice(start..<at)) else {
            if at == start { throw unexpected("a number") }
            throw fail("spec.syntax", "'\(slice(start..<at))' is not a number", start..<at, help: "write it as in JSON")
        }
        return number
    }

    /// A regular expression between slashes; `\/` stands for a slash.
    private mutating func regex() throws(SpecSyntaxError) -> String {
        let start = at
        at += 1
        var source: [UInt8] = []
        var inClass = false
        while at < text.count {
            let byte = text[at]
            at += 1
            if byte == UInt8(ascii: "\\"), at < text.count {
                if text[at] != UInt8(ascii: "/") { source.append(byte) }
                source.append(text[at])
                at += 1
                continue
            }
            if byte == UInt8(ascii: "[") { inClass = true }
            if byte == UInt8(ascii: "]") { inClass = false }
            if byte == UInt8(ascii: "/"), !inClass { return String(decoding: source, as: UTF8.self) }
            source.append(byte)
        }
        throw fail("spec.syntax", "the pattern does not end", start..<text.count, help: "add a closing '/'")
    }

    private mutating func quoted() throws(SpecSyntaxError) -> String {
        let start = at
        let quote = text[at]
        at += 1
        while at < text.count {
            if text[at] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                at += 2
                continue
            }
            if text[at] == quote {
                at += 1
                if quote == UInt8(ascii: "'") { return slice((start + 1)..<(at - 1)) }
                guard let value = try? JSONReader.read(slice(start..<at)).root.stringValue else {
                    throw fail("spec.syntax", "the text in quotes holds a wrong escape", start..<at)
                }
                return value
            }
            at += 1
        }
        throw fail("spec.syntax", "the text in quotes does not end", start..<text.count, help: "add a closing quote")
    }

    /// The values in brackets.
    private mutating func values() throws(SpecSyntaxError) -> [JSONValue] {
        let start = at
        guard peek(UInt8(ascii: "[")) else { throw unexpected("'['", help: "write 'one of [a, b]'") }
        at += 1
        var values: [JSONValue] = []
        while true {
            skipSpace()
            if peek(UInt8(ascii: "]")) {
                guard values.isEmpty else { throw unexpected("a value", help: "remove the ',' before the ']'") }
                throw fail("spec.syntax", "'one of' needs at least one value", start..<(at + 1))
            }
            let place = at
            let value = try literal(until: [UInt8(ascii: ","), UInt8(ascii: "]")])
            guard !values.contains(value) else {
                throw fail("spec.duplicate-value", "the value \(value) is there twice", place..<at, help: "remove one")
            }
            values.append(value)
            skipSpace()
            if peek(UInt8(ascii: ",")) {
                at += 1
                continue
            }
            try expect(UInt8(ascii: "]"))
            return values
        }
    }

    /// A value: text in quotes, or a word up to a stop (or up to '?', '--' or the end) that may be a number, a truth
    /// value or null.
    private mutating func literal(until stops: [UInt8]) throws(SpecSyntaxError) -> JSONValue {
        if peek(UInt8(ascii: "\"")) || peek(UInt8(ascii: "'")) { return .string(try quoted()) }
        let start = at
        while at < text.count, !stops.contains(text[at]) {
            if !stops.contains(UInt8(ascii: ",")), text[at] == UInt8(ascii: "?") || atDescription { break }
            at += 1
        }
        var end = at
        while end > start, text[end - 1] <= 0x20 { end -= 1 }
        let word = slice(start..<end)
        switch word {
        case "": throw fail("spec.syntax", "a value is missing", start..<min(start + 1, text.count))
        case "null": return .null
        case "true": return true
        case "false": return false
        default: return DecimalNumber(word).map { .number($0) } ?? .string(word)
        }
    }

    private func slice(_ range: Range<Int>) -> String {
        String(decoding: text[range.clamped(to: 0..<text.count)], as: UTF8.self)
    }

    private func fail(
        _ id: DiagnosticID, _ message: String, _ range: Range<Int>, help: String? = nil
    ) -> SpecSyntaxError {
        SpecSyntaxError(id: id, message: message, range: range, help: help)
    }

    private func unexpected(_ expected: String? = nil, help: String? = nil) -> SpecSyntaxError {
        var end = at
        while end < text.count, text[end] > 0x20, end - at < 40 { end += 1 }
        let found = at < text.count ? "'\(slice(at..<end))'" : "the end"
        let message = expected.map { "expected \($0) but found \(found)" } ?? "unexpected \(found) after the type"
        let hint = help ?? (expected == nil ? "a description starts with ' -- '" : nil)
        return fail("spec.syntax", message, at..<max(end, at), help: hint)
    }
}
