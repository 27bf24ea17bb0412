// SPDX-License-Identifier: Apache-2.0

extension TemplateEvaluator {
    /// Applies a filter.
    func filter(
        _ name: String, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws(TemplateError) -> TemplateValue {
        switch name {
        case "default", "d":
            let replaces = value.isUndefined || (flag(arguments, 1, "boolean") && !value.isTrue)
            return replaces ? arguments.value(0, "default_value") ?? .string("") : value
        case "tojson":
            return try json(value, arguments)
        case "length", "count":
            switch value {
            case .string(let text):
                try charge(text.utf8.count / 16)
                return .integer(text.unicodeScalars.count)
            case .list(let items), .tuple(let items): return .integer(items.count)
            case .dictionary(let dictionary): return .integer(dictionary.count)
            case .undefined: return .integer(0)
            default: throw TemplateError(.evaluation, "object of type '\(value.typeName)' has no len()")
            }
        case "string": return try made(try text(of: value))
        case "safe", "forceescape", "escape", "e":
            let text = try text(of: value)
            return try made(name == "safe" ? text : PythonText.escapeMarkup(text))
        case "int", "float", "abs", "round": return try numeric(name, value, arguments)
        case "list": return try madeList(try items(of: value))
        case "items":
            if value.isUndefined { return .list(TemplateList([])) }
            guard case .dictionary(let dictionary) = value else {
                throw TemplateError(.evaluation, "can only get item pairs from a mapping")
            }
            return try madeList(Self.pairs(dictionary))
        case "attr": return try attribute(try string(arguments.value(0, "name") ?? .none, "the attribute"), of: value)
        case "first", "last":
            let items = try items(of: value)
            return (name == "first" ? items.first : items.last) ?? .undefined("no \(name) item, sequence was empty")
        case "reverse":
            if case .string(let text) = value { return try made(PythonText.text(text.unicodeScalars.reversed())) }
            return try madeList(try items(of: value).reversed())
        case "join":
            let key = arguments.value(1, "attribute")
            var parts: [TemplateValue] = []
            for item in try items(of: value) {
                parts.append(
                    try key.map { (key) throws(TemplateError) in
                        try path(key, of: item)
                    } ?? item)
            }
            return try joined(parts, try text(of: arguments.value(0, "d") ?? .string("")))
        case "map": return try map(value, arguments)
        case "select", "reject": return try select(value, arguments, keeps: name == "select", byAttribute: false)
        case "selectattr", "rejectattr":
            return try select(value, arguments, keeps: name == "selectattr", byAttribute: true)
        case "sort", "unique", "min", "max", "sum", "groupby", "dictsort", "batch", "slice":
            return try collect(name, value, arguments)
        case "upper", "lower", "title", "capitalize", "trim", "replace", "indent", "center", "truncate", "wordcount",
            "format", "urlencode", "striptags":
            return try textual(name, value, arguments)
        default: throw TemplateError(.unsupported, "no filter named '\(name)'")
        }
    }

    private func numeric(
        _ name: String, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws(TemplateError) -> TemplateValue {
        switch name {
        case "abs":
            switch try number(value, "abs()") {
            case .integer(let number): return number < 0 ? try negate(.integer(number)) : .integer(number)
            case .double(let number): return .double(number.magnitude)
            }
        case "round":
            let places = try integer(arguments, 0, "precision", default: 0)
            let method = try text(of: arguments.value(1, "method") ?? .string("common"))
            guard (-300...300).contains(places) else { throw TemplateError(.limit, "the precision is too large") }
            let number = try number(value, "round()")
            switch method {
            case "common":
                if case .integer(let whole) = number, places >= 0 { return .integer(whole) }
                if places >= 0 {
                    guard number.double.isFinite else { return .double(number.double) }
                    return .double(Double(PythonText.fixed(number.double, places)) ?? number.double)
                }
                let scale = power(ofTen: -places)
                let rounded = (number.double / scale).rounded(.toNearestOrEven) * scale
                if case .integer = number, let whole = Int(exactly: rounded) { return .integer(whole) }
                return .double(rounded)
            case "ceil", "floor":
                let scale = power(ofTen: places.magnitude > 0 ? abs(places) : 0)
                let scaled = places >= 0 ? number.double * scale : number.double / scale
                let rounded = scaled.rounded(method == "ceil" ? .up : .down)
                return .double(places >= 0 ? rounded / scale : rounded * scale)
            default: throw TemplateError(.evaluation, "method must be common, ceil or floor")
            }
        case "int":
            let fallback = arguments.value(0, "default") ?? .integer(0)
            let base = try integer(arguments, 1, "base", default: 10)
            switch value {
            case .string(let text):
                let digits = PythonText.strip(text, nil, .both)
                if (2...36).contains(base), let number = Int(Self.bare(digits, base: base), radix: base) {
                    return .integer(number)
                }
                if base == 10, let number = Double(digits), number.isFinite,
                    let whole = Int(exactly: number.rounded(.towardZero))
                {
                    return .integer(whole)
                }
                return fallback
            default:
                switch value.number {
                case .integer(let number): return .integer(number)
                case .double(let number):
                    return Int(exactly: number.rounded(.towardZero)).map { .integer($0) } ?? fallback
                case nil:
                    try require(value)
                    return fallback
                }
            }
        default:
            let fallback = arguments.value(0, "default") ?? .double(0)
            if case .string(let text) = value {
                return Double(PythonText.strip(text, nil, .both)).map { .double($0) } ?? fallback
            }
            if let number = value.number { return .double(number.double) }
            try require(value)
            return fallback
        }
    }

    private static func bare(_ digits: String, base: Int) -> String {
        let prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : ""
        let lower = digits.lowercased()
        return !prefix.isEmpty && lower.hasPrefix(prefix) ? String(lower.dropFirst(2)) : digits
    }

    private func power(ofTen exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<exponent { result *= 10 }
        return result
    }

    // MARK: - Sequences

    /// The value at an attribute path such as `a.0.b`.
    func path(_ path: TemplateValue, of value: TemplateValue) throws(TemplateError) -> TemplateValue {
        guard case .string(let text) = path else { return try item(path, of: value) }
        var current = value
        for part in PythonText.split(text, ".", limit: -1) {
            try charge()
            if let index = Int(part) {
                current = try item(.integer(index), of: current)
            } else {
                current = try item(.string(part), of: current)
            }
        }
        return current
    }

    private func map(_ value: TemplateValue, _ arguments: TemplateArguments) throws(TemplateError) -> TemplateValue {
        var results: [TemplateValue] = []
        // Whatever counts as false has no items, be it iterable or not.
        guard value.isTrue else { return .list(TemplateList([])) }
        if arguments.positional.isEmpty, let key = arguments.named("attribute") {
            for item in try items(of: value) {
                let found = try path(key, of: item)
                results.append(found.isUndefined ? arguments.named("default") ?? found : found)
            }
            return try madeList(results)
        }
        guard let first = arguments.positional.first else {
            throw TemplateError(.evaluation, "map requires a filter argument")
        }
        let name = try string(first, "the filter's name")
        var rest = arguments
        rest.positional.removeFirst()
        for item in try items(of: value) {
            try charge()
            results.append(try filter(name, item, rest))
        }
        return try madeList(results)
    }

    private func select(
        _ value: TemplateValue, _ arguments: TemplateArguments, keeps: Bool, byAttribute: Bool
    ) throws(TemplateError) -> TemplateValue {
        guard value.isTrue else { return .list(TemplateList([])) }
        var rest = arguments
        var key: TemplateValue?
        if byAttribute {
            guard !rest.positional.isEmpty else { throw TemplateError(.evaluation, "missing the attribute's name") }
            key = rest.positional.removeFirst()
        }
        var name: String?
        if !rest.positional.isEmpty { name = try string(rest.positional.removeFirst(), "the test's name") }
        var results: [TemplateValue] = []
        for item in try items(of: value) {
            try charge()
            let subject = try key.map { (key) throws(TemplateError) in try path(key, of: item) } ?? item
            let passes =
                try name.map { (name) throws(TemplateError) in try test(name, subject, rest) } ?? subject.isTrue
            if passes == keeps { results.append(item) }
        }
        return try madeList(results)
    }

    /// The text two strings are compared by.
    private func folded(_ value: TemplateValue, _ caseSensitive: Bool) -> TemplateValue {
        if !caseSensitive, case .string(let text) = value { return .string(text.lowercased()) }
        return value
    }

    /// Stable merge sort, because the comparison can throw.
    private func sorted(
        _ items: [(key: TemplateValue, value: TemplateValue)], reverse: Bool
    ) throws(TemplateError) -> [(key: TemplateValue, value: TemplateValue)] {
        var source = items
        var width = 1
        while width < source.count {
            var merged: [(key: TemplateValue, value: TemplateValue)] = []
            merged.reserveCapacity(source.count)
            var start = 0
            while start < source.count {
                let middle = min(start + width, source.count)
                let end = min(middle + width, source.count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    try charge()
                    let order = try order(source[left].key, source[right].key) ?? 0
                    if reverse ? order >= 0 : order <= 0 {
                        merged.append(source[left])
                        left += 1
                    } else {
                        merged.append(source[right])
                        right += 1
                    }
                }
                merged += source[left..<middle]
                merged += source[right..<end]
                start = end
            }
            source = merged
            width *= 2
        }
        return source
    }

    private func keyed(
        _ value: TemplateValue, _ attribute: TemplateValue?, _ caseSensitive: Bool
    ) throws(TemplateError) -> [(key: TemplateValue, value: TemplateValue)] {
        var result: [(key: TemplateValue, value: TemplateValue)] = []
        for item in try items(of: value) {
            try charge()
            var key = item
            if let attribute {
                if case .none = attribute {} else { key = try path(attribute, of: item) }
            }
            result.append((folded(key, caseSensitive), item))
        }
        return result
    }

    private func collect(
        _ name: String, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws(TemplateError) -> TemplateValue {
        switch name {
        case "sort":
            let items = try keyed(value, arguments.value(2, "attribute"), flag(arguments, 1, "case_sensitive"))
            return try madeList(try sorted(items, reverse: flag(arguments, 0, "reverse")).map(\.value))
        case "unique":
            var kept: [(key: TemplateValue, value: TemplateValue)] = []
            for item in try keyed(value, arguments.value(1, "attribute"), flag(arguments, 0, "case_sensitive")) {
                var isNew = true
                for other in kept where try areEqual(other.key, item.key) {
                    isNew = false
                    break
                }
                if isNew { kept.append(item) }
            }
            return try madeList(kept.map(\.value))
        case "min", "max":
            let items = try keyed(value, arguments.value(1, "attribute"), flag(arguments, 0, "case_sensitive"))
            guard var best = items.first else { return .undefined("no aggregated item, sequence was empty") }
            for item in items.dropFirst() {
                let order = try order(item.key, best.key) ?? 0
                if name == "min" ? order < 0 : order > 0 { best = item }
            }
            return best.value
        case "sum":
            var total = arguments.value(1, "start") ?? .integer(0)
            for item in try keyed(value, arguments.value(0, "attribute"), true) {
                try charge()
                total = try calculate(total, .add, item.key)
            }
            return total
        case "groupby":
            guard let attribute = arguments.value(0, "attribute") else {
                throw TemplateError(.evaluation, "groupby requires an attribute")
            }
            var groups: [(key: TemplateValue, items: [TemplateValue])] = []
            let fallback = arguments.value(1, "default")
            var items: [(key: TemplateValue, value: TemplateValue)] = []
            for item in try self.items(of: value) {
                let key = try path(attribute, of: item)
                items.append((folded(key.isUndefined ? fallback ?? key : key, false), item))
            }
            for item in try sorted(items, reverse: false) {
                if let last = groups.last, try areEqual(last.key, item.key) {
                    groups[groups.count - 1].items.append(item.value)
                } else {
                    groups.append((item.key, [item.value]))
                }
            }
            return try madeList(groups.map { .tuple(TemplateList([$0.key, .list(TemplateList($0.items))])) })
        case "dictsort":
            guard case .dictionary(let dictionary) = value else {
                throw TemplateError(.evaluation, "dictsort needs a mapping")
            }
            let by = try text(of: arguments.value(1, "by") ?? .string("key"))
            guard by == "key" || by == "value" else {
                throw TemplateError(.evaluation, "dictsort sorts by 'key' or 'value'")
            }
            let sensitive = flag(arguments, 0, "case_sensitive")
            let items = dictionary.entries.map { entry in
                (
                    key: folded(by == "key" ? entry.key : entry.value, sensitive),
                    value: TemplateValue.tuple(TemplateList([entry.key, entry.value]))
                )
            }
            return try madeList(try sorted(items, reverse: flag(arguments, 2, "reverse")).map(\.value))
        case "batch":
            let size = try integer(arguments, 0, "linecount", default: 0)
            guard size > 0 else { throw TemplateError(.evaluation, "batch needs a positive size") }
            let items = try items(of: value)
            var rows: [TemplateValue] = []
            var start = 0
            while start < items.count {
                var row = Array(items[start..<start + min(size, items.count - start)])
                if let fill = arguments.value(1, "fill_with"), row.count < size {
                    try charge(size - row.count)
                    row += Array(repeating: fill, count: size - row.count)
                }
                rows.append(.list(TemplateList(row)))
                start += row.count
            }
            return try madeList(rows)
        default:
            let count = try integer(arguments, 0, "slices", default: 0)
            guard count > 0 else { throw TemplateError(.evaluation, "slice needs a positive count") }
            try charge(count)
            let items = try items(of: value)
            let (size, longer) = (items.count / count, items.count % count)
            var columns: [TemplateValue] = []
            var start = 0
            for index in 0..<count {
                let end = start + size + (index < longer ? 1 : 0)
                var column = Array(items[start..<end])
                if let fill = arguments.value(1, "fill_with"), longer > 0, index >= longer { column.append(fill) }
                columns.append(.list(TemplateList(column)))
                start = end
            }
            return try madeList(columns)
        }
    }

    // MARK: - Text

    private func textual(
        _ name: String, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws(TemplateError) -> TemplateValue {
        let text = try text(of: value)
        try charge(text.utf8.count / 16)
        switch name {
        case "upper": return try made(text.uppercased())
        case "lower": return try made(text.lowercased())
        case "capitalize": return try made(PythonText.capitalize(text))
        case "title":
            // Words start after blanks, hyphens and opening brackets only.
            var result = ""
            var startsWord = true
            for scalar in text.unicodeScalars {
                let separates = PythonText.isSpace(scalar) || "-({[<".unicodeScalars.contains(scalar)
                result += startsWord ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
                startsWord = separates
            }
            return try made(result)
        case "trim":
            let characters = arguments.value(0, "chars")
            if let characters, !characters.isUndefined, case .string(let set) = characters {
                return try made(PythonText.strip(text, set, .both))
            }
            return try made(PythonText.strip(text, nil, .both))
        case "replace":
            guard let old = arguments.value(0, "old"), let new = arguments.value(1, "new") else {
                throw TemplateError(.evaluation, "replace needs the old and the new text")
            }
            let count = try integer(arguments, 2, "count", default: -1)
            return try replaced(text, try self.text(of: old), try self.text(of: new), count: count)
        case "indent":
            let width = arguments.value(0, "width") ?? .integer(4)
            let margin: String
            if case .string(let text) = width {
                margin = text
            } else {
                let count = try integer(width, "the indentation")
                guard count <= 10_000 else { throw TemplateError(.limit, "the indentation is too wide") }
                margin = String(repeating: " ", count: max(0, count))
            }
            let lines = PythonText.lines(text + "\n")
            try chargeText(lines.count.multipliedReportingOverflow(by: margin.utf8.count).partialValue)
            let indentsBlank = flag(arguments, 2, "blank")
            var result = flag(arguments, 1, "first") ? margin : ""
            for (index, line) in lines.enumerated() {
                if index > 0 { result += indentsBlank || !line.isEmpty ? "\n" + margin : "\n" }
                result += line
            }
            return try made(result)
        case "center": return try padded(text, try integer(arguments, 0, "width", default: 80), " ", "center")
        case "truncate":
            let length = try integer(arguments, 0, "length", default: 255)
            let end = try self.text(of: arguments.value(2, "end") ?? .string("..."))
            let leeway = try integer(arguments, 3, "leeway", default: 5)
            let scalars = Array(text.unicodeScalars)
            let count =
                switch value {
                case .list(let items), .tuple(let items): items.count
                case .dictionary(let dictionary): dictionary.count
                default: scalars.count
                }
            // What is short enough stays what it is.
            let (limit, overflow) = max(length, 0).addingReportingOverflow(max(leeway, 0))
            if overflow || count <= limit { return value }
            let kept = PythonText.text(scalars.prefix(max(0, length - end.unicodeScalars.count)))
            if flag(arguments, 1, "killwords") { return try made(kept + end) }
            let words = PythonText.split(kept, " ", limit: -1)
            return try made((words.count > 1 ? words.dropLast().joined(separator: " ") : kept) + end)
        case "wordcount":
            var words = 0
            var inWord = false
            for scalar in text.unicodeScalars {
                let isWord = PythonText.isWordPart(scalar)
                if isWord, !inWord { words += 1 }
                inWord = isWord
            }
            return .integer(words)
        case "format":
            var mapping = TemplateDictionary()
            for argument in arguments.named { mapping.append(.string(argument.name), argument.value) }
            let target = arguments.named.isEmpty ? TemplateValue.none : .dictionary(mapping)
            return try made(try formatted(printf: text, arguments.positional, mapping: target))
        case "urlencode":
            var result = ""
            for byte in text.utf8 {
                let scalar = Unicode.Scalar(byte)
                let isPlain =
                    scalar.isASCII
                    && (scalar.properties.isAlphabetic || (byte >= 0x30 && byte <= 0x39)
                        || "-._~/".utf8.contains(byte))
                if isPlain {
                    result.unicodeScalars.append(scalar)
                } else {
                    result += "%" + PythonText.hex(UInt32(byte), 2).uppercased()
                }
            }
            return try made(result)
        default:
            var result = ""
            var inTag = false
            for scalar in text.unicodeScalars {
                if scalar == "<" {
                    inTag = true
                } else if scalar == ">", inTag {
                    inTag = false
                } else if !inTag {
                    result.unicodeScalars.append(scalar)
                }
            }
            return try made(PythonText.splitOnSpace(result, limit: -1).joined(separator: " "))
        }
    }
}
