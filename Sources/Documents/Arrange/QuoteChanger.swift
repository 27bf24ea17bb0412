// SPDX-License-Identifier: Apache-2.0

/// Changes the quotes of text in YAML and TOML where nothing has to be escaped for it.
enum QuoteChanger {
    /// The changes for the text of a tree.
    static func mends(_ tree: SyntaxTree, _ format: DocumentFormat, _ style: QuoteStyle) -> [TextMend] {
        guard style != .keep, format == .yaml || format == .toml else { return [] }
        let bytes = tree.source.bytes
        return tree.tokens.compactMap { token in
            guard token.kind == .string || token.kind == .key || token.kind == .word,
                let text = changed(bytes[token.range], isYAML: format == .yaml, style)
            else { return nil }
            return TextMend("format.quotes", "", token.range, text)
        }
    }

    private static let double = UInt8(ascii: "\"")
    private static let single = UInt8(ascii: "'")

    private static func changed(_ text: ArraySlice<UInt8>, isYAML: Bool, _ style: QuoteStyle) -> [UInt8]? {
        let (old, new) = style == .single ? (double, single) : (single, double)
        guard text.count >= 2, text.first == old, text.last == old else { return nil }
        var inner = Array(text.dropFirst().dropLast())
        // Text of several lines, and TOML's three quotes in a row.
        if inner.contains(0x0A) || inner.contains(0x0D) { return nil }
        if isYAML, style == .double {
            var plain: [UInt8] = []
            var isQuote = false
            for byte in inner {
                if byte == single, isQuote {
                    isQuote = false
                    continue
                }
                isQuote = byte == single
                plain.append(byte)
            }
            inner = plain
        } else if inner.contains(old) {
            return nil
        }
        guard !inner.contains(UInt8(ascii: "\\")), !inner.contains(new) else { return nil }
        return [new] + inner + [new]
    }
}
