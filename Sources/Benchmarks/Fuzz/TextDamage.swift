// SPDX-License-Identifier: Apache-2.0

import Documents

/// Damages texts at random, the way typing, merging and cutting would, and in ways that nobody would.
struct TextDamage {
    var random: FuzzRandom

    private static let bytes: [UInt8] =
        Array("{}[]\",:'\\&*!|>-?#%@`~=<\n\n\t  0e.+/_tfn".utf8) + [0x00, 0x0D, 0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF]

    private static let common = [
        "\n", "\r\n", "\r", "  ", "\t", "\u{FEFF}", "\u{85}", "\u{2028}", "é", "👿", "\u{0}",
        "\"", "\"\"", "''", "\\",
        "\\u00e9",
        "\\ud800", "null", "true", "-0", "1e400", "1E+2", "0.10", "99999999999999999999", ".inf", "{}", "[]",
    ]

    private static let fragments: [DocumentFormat: [String]] = [
        .json: ["{\"a\": ", "[1, ", "]", "}", ",", ":", "\"a\"", "[[[[", "{\"a\":{\"a\":"],
        .jsonc: ["// c\n", "/* c */", "/*", "*/", ",]", ",}", "//", "{\"a\": 1}", "/* a\n b */"],
        .json5: [
            "// c\n", "/* c */", "a: ", "$_a1: ", "'a': ", "'a\\\n b'", "'\"'", "\"'\"", "0x1F", "+1", "-.5", "5.",
            ".5e1",
            "Infinity", "-NaN", "\u{A0}", "\u{2028}", "\u{FEFF}", "\\x41", "\\v", "\\0", "\\u0061b: 1", "ä: 1", ",}",
            ",]",
            "// c\u{2029}",
        ],
        .jsonl: ["{\"a\": 1}\n", "\n\n", "[1]\n", " 1 \n"],
        .toml: [
            "[a]\n", "[[a]]\n", "a.b = 1\n", "a = [\n", "# c\n", "\"\"\"", "'''", "{ a = 1 }", "= ",
            "1979-05-27T07:32:00Z",
            "07:32:00.5", "0x_1", "inf", "\\\n", "[[a.b]]", ", # c\n", "]\n",
        ],
        .yaml: [
            "- ", "-\n", "? ", ": ", ":\n", "# c\n", " # c\n", "\n# c\n", "\n    # c\n", "|\n", "|+\n", ">-\n", "|2\n",
            "> # c\n", "&a ",
            "*a", "*a : ", "!t ", "!!str ", "!<x:y> ", "---\n", "--- ", "...\n", "%YAML 1.2\n", "%TAG ! x:\n", "<<: ",
            "[a, b]", "[\n", "\n]", "{a: b}", "{? a : b, c}", ", # c\n", "\n\n\n", "\n  ", "\n    - ",
            "\n  - a: b\n    c: d\n",
            "a: b\n", "\"a\n  b\"", "'a\n\n b'", "a\n b", "key:\n- a\n- b\n", "  \n", "\\\n  ",
        ],
    ]

    /// A text damaged in one to eight places.
    ///
    /// - Parameter other: A text to take pieces from.
    mutating func apply(_ text: [UInt8], other: [UInt8], format: DocumentFormat) -> [UInt8] {
        var result = text
        let count = random.once(in: 12) ? 0 : 1 + random.below(random.once(in: 3) ? 8 : 3)
        for _ in 0..<count { change(&result, other, format) }
        return result
    }

    private mutating func place(_ text: [UInt8]) -> Int { random.below(text.count + 1) }

    /// A range of up to `limit` bytes.
    private mutating func piece(_ text: [UInt8], _ limit: Int) -> Range<Int> {
        let start = place(text)
        return start..<min(text.count, start + 1 + random.below(limit))
    }

    private mutating func change(_ text: inout [UInt8], _ other: [UInt8], _ format: DocumentFormat) {
        switch random.below(16) {
        case 0: text.removeSubrange(piece(text, 1))
        case 1: text.removeSubrange(piece(text, 24))
        case 2, 3: text.insert(random.pick(Self.bytes), at: place(text))
        case 4: text.replaceSubrange(piece(text, 1), with: [random.pick(Self.bytes)])
        case 5: text.insert(contentsOf: Array(random.pick(Self.common).utf8), at: place(text))
        case 6, 7, 8:
            let fragment = random.pick(Self.fragments[format] ?? Self.common)
            text.insert(contentsOf: Array(fragment.utf8), at: place(text))
        case 9:
            let again = text[piece(text, 64)]
            text.insert(contentsOf: again, at: random.once(in: 2) ? place(text) : again.endIndex)
        case 10: text.insert(contentsOf: other[piece(other, 200)], at: place(text))
        case 11: text.removeLast(random.below(text.count + 1) / (random.once(in: 2) ? 1 : 16))
        default: changeLines(&text)
        }
    }

    /// Changes whole lines: their order, number, indentation or ends.
    private mutating func changeLines(_ text: inout [UInt8]) {
        var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        guard !lines.isEmpty else { return }
        let line = random.below(lines.count)
        switch random.below(8) {
        case 0: lines.remove(at: line)
        case 1: lines.insert(lines[line], at: random.below(lines.count + 1))
        case 2: lines.swapAt(line, random.below(lines.count))
        case 3: lines[line].insert(contentsOf: repeatElement(0x20, count: 1 + random.below(6)), at: 0)
        case 4: lines[line].removeFirst(min(lines[line].prefix { $0 == 0x20 }.count, 1 + random.below(6)))
        case 5: lines[line] += Array(random.pick(["  ", " # c", "\r", "\t", " #", ","]).utf8)
        case 6:
            // The rest of the text moves.
            for number in line..<lines.count where !lines[number].isEmpty { lines[number].insert(0x20, at: 0) }
        default:
            if random.once(in: 4) {
                lines = lines.map { $0 + [0x0D] }
            } else {
                lines.insert([], at: line)
            }
        }
        text = Array(lines.joined(separator: [0x0A]))
    }
}
