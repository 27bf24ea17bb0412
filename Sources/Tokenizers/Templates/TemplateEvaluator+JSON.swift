// SPDX-License-Identifier: Apache-2.0

extension TemplateEvaluator {
    /// The `tojson` filter: JSON with the reference implementation's spacing, without escaping for HTML.
    func json(_ value: TemplateValue, _ arguments: TemplateArguments) throws(TemplateError) -> TemplateValue {
        try charge(value.extent.weight)
        var style = JSONStyle()
        // As chat template renderers define it: tojson(value, ensure_ascii, indent, separators, sort_keys).
        // The language's own filter takes the indentation first, so a lone number means that.
        var positional = arguments
        if case .integer? = positional.positional.first { positional.positional.insert(.boolean(false), at: 0) }
        style.escapesNonASCII = flag(positional, 0, "ensure_ascii")
        if let indent = positional.value(1, "indent") {
            switch indent {
            case .none: break
            case .string(let text): style.indent = text
            default:
                let width = try integer(indent, "the indentation")
                guard width <= 1000 else { throw TemplateError(.limit, "the indentation is too wide") }
                style.indent = String(repeating: " ", count: max(0, width))
            }
        }
        if style.indent != nil { style.itemSeparator = "," }
        if let separators = positional.value(2, "separators"), !separators.isUndefined {
            if case .none = separators {
            } else {
                let parts = try items(of: separators)
                guard parts.count == 2 else { throw TemplateError(.evaluation, "separators is a pair of texts") }
                style.itemSeparator = try string(parts[0], "a separator")
                style.keySeparator = try string(parts[1], "a separator")
            }
        }
        style.sortsKeys = flag(positional, 3, "sort_keys")
        var text = ""
        try write(value, style, 0, into: &text)
        return .string(text)
    }

    private struct JSONStyle {
        var escapesNonASCII = false
        var indent: String?
        var itemSeparator = ", "
        var keySeparator = ": "
        var sortsKeys = false
    }

    private func write(
        _ value: TemplateValue, _ style: JSONStyle, _ level: Int, into text: inout String
    ) throws(TemplateError) {
        switch value {
        case .none: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .double(let value):
            text +=
                value.isNaN
                ? "NaN"
                : value.isInfinite
                    ? (value < 0 ? "-Infinity" : "Infinity")
                    : PythonText.double(value)
        case .string(let value):
            try chargeText(value.utf8.count)
            Self.quote(value, style.escapesNonASCII, into: &text)
        case .list(let items), .tuple(let items):
            try writeGroup("[", "]", items.count, style, level, into: &text) { (index, text) throws(TemplateError) in
                try write(items[index], style, level + 1, into: &text)
            }
        case .dictionary(let dictionary):
            var entries: [(key: String, value: TemplateValue)] = []
            for entry in dictionary.entries { entries.append((try Self.keyText(entry.key), entry.value)) }
            if style.sortsKeys { entries.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } }
            try writeGroup("{", "}", entries.count, style, level, into: &text) { (index, text) throws(TemplateError) in
                try chargeText(entries[index].key.utf8.count)
                Self.quote(entries[index].key, style.escapesNonASCII, into: &text)
                text += style.keySeparator
                try write(entries[index].value, style, level + 1, into: &text)
            }
        default:
            throw TemplateError(.evaluation, "object of type \(value.typeName) is not JSON serializable")
        }
    }

    private func writeGroup(
        _ opening: String, _ closing: String, _ count: Int, _ style: JSONStyle, _ level: Int, into text: inout String,
        _ item: (Int, inout String) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        func lineBreak(_ level: Int, _ text: inout String) throws(TemplateError) {
            guard let indent = style.indent else { return }
            try chargeText(1 + indent.utf8.count * level)
            text += "\n"
            for _ in 0..<level { text += indent }
        }
        text += opening
        for index in 0..<count {
            try chargeText(style.itemSeparator.utf8.count + style.keySeparator.utf8.count)
            if index > 0 { text += style.itemSeparator }
            try lineBreak(level + 1, &text)
            try item(index, &text)
        }
        if count > 0 { try lineBreak(level, &text) }
        text += closing
    }

    private static func keyText(_ key: TemplateValue) throws(TemplateError) -> String {
        switch key {
        case .string(let text): return text
        case .none: return "null"
        case .boolean(let value): return value ? "true" : "false"
        case .integer, .double: return key.text
        default: throw TemplateError(.evaluation, "keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private static func quote(_ value: String, _ escapesNonASCII: Bool, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{08}": text += "\\b"
            case "\u{0C}": text += "\\f"
            default:
                if scalar.value < 0x20 {
                    text += "\\u" + PythonText.hex(scalar.value, 4)
                } else if escapesNonASCII, !scalar.isASCII {
                    for unit in String(Character(scalar)).utf16 { text += "\\u" + PythonText.hex(UInt32(unit), 4) }
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}
