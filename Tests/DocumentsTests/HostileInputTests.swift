// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

/// Readers on damaged text: they may refuse it, with places inside the text, but never stop the process.
struct HostileInputTests {
    static let seeds: [String] = [
        #"{"a": [1, -2.5e10, true, null], "b\u00e9": {"c": "x\ny", "d": []}, "é": "😀"}"#,
        "a: &x [1, 2]\nb: *x\nc: |\n  text\n  more\nd: {e: 'f', g: \"h\\u00e9\"}\n? k\n: - v\n  - !!int 5\n---\n- &y z\n- *y\n",
        "fields:\n  name: string 1..80 -- text\n  tags: list of string (max 5) ?\n",
        "a = 1_000 # c\nb.c = [1, {d = 'x'}, 2024-01-31 07:32:00Z]\n\n[[t.u]]\n\"q\" = \"\"\"\nx \\\n  y\"\"\"\n[t.v]\nf = -1.5e3\n",
        "// c\n{\"a\": [1, /* d */ 2,], // e\n \"b\": {},}\n",
        "%YAML 1.2\n---\n# comment\nkey with spaces: >-\n  folded\n  text\n\n  more\n'quoted': \"dq\"\n...\n",
    ]

    static func damage(_ text: String, _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(text.utf8)
        let interesting = Array("{}[]\",:'\\&*!|>-?#%@`~\n\t \u{0}0e.+/".utf8) + [0x80, 0xC3, 0xE2, 0xF0, 0xFF, 0xFE]
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let at = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0 where !bytes.isEmpty: bytes.remove(at: at)
            case 1 where !bytes.isEmpty: bytes[at] = interesting.randomElement(using: &generator) ?? 0
            case 2: bytes.insert(interesting.randomElement(using: &generator) ?? 0, at: at)
            case 3 where !bytes.isEmpty:
                let end = min(bytes.count, at + Int.random(in: 1..<20, using: &generator))
                bytes.insert(contentsOf: bytes[at..<end], at: at)
            default: bytes = Array(bytes.prefix(at))
            }
        }
        return bytes
    }

    @Test(arguments: 0..<16)
    func damagedTextIsReadOrRefused(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) &* 7919)
        var options = ReadOptions.lenient
        options.mergeKeys = seed % 2 == 0
        options.loneSurrogates = seed % 4 < 2 ? .replace : .error
        for _ in 0..<500 {
            let text = Self.seeds.randomElement(using: &generator) ?? ""
            let bytes = Self.damage(text, &generator)
            for format in DocumentFormat.allCases {
                do throws(DiagnosticsError) {
                    let documents = try DocumentReader.readAll(bytes, file: "f", format: format, options: options)
                    for document in documents {
                        let value = document.root.value
                        #expect(document.root.matches(value))
                        let written = JSONWriter(style: .spaced).write(value)
                        #expect((try? JSONReader.read(written).root.value) == value)
                        #expect((try? YAMLReader.read(YAMLWriter().write(value)).map(\.root.value)) == [value])
                    }
                } catch {
                    #expect(error.diagnostics.contains { $0.severity == .error })
                    for diagnostic in error.diagnostics {
                        let end = diagnostic.range?.end.offset ?? 0
                        #expect(end <= bytes.count)
                        #expect(!diagnostic.message.isEmpty)
                    }
                    _ = error.description
                }
            }
        }
    }

    /// Quadratic work would take minutes.
    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            String(repeating: "[", count: 200_000), String(repeating: "{\"a\":", count: 100_000),
            String(repeating: "- ", count: 200_000),
            String(repeating: "? ", count: 100_000), String(repeating: "a: ", count: 100_000),
            String(repeating: "&a ", count: 100_000),
            "[" + String(repeating: "a, ", count: 200_000) + "]", "{" + String(repeating: "a, ", count: 50_000) + "}",
            String(repeating: "word ", count: 200_000), "\"" + String(repeating: "\\u12", count: 100_000),
            String(repeating: "\n", count: 500_000),
            String(repeating: "!a!", count: 100_000), "|" + String(repeating: "\n ", count: 200_000),
            String(repeating: "9", count: 1_000_000), "a" + String(repeating: ".a", count: 200_000) + " = 1",
            "a = " + String(repeating: "[", count: 200_000), "a = " + String(repeating: "{a=", count: 100_000),
            String(repeating: "[a]\n", count: 100_000), String(repeating: "[[a]]\n", count: 100_000),
            String(repeating: "/**/", count: 200_000) + "1", String(repeating: "/*", count: 200_000),
            "a = \"" + String(repeating: "\\n", count: 200_000) + "\"",
            "[" + String(repeating: "1e5,", count: 200_000) + "1]", String(repeating: "%TAG ! a\n", count: 20_000),
        ])
    func largeHostileTextEndsSoon(_ text: String) {
        for format in DocumentFormat.allCases {
            _ = try? DocumentReader.readAll(Array(text.utf8), format: format)
        }
    }
}
