// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

struct YAMLWriterTests {
    @Test func writesBlockStyle() {
        let value: JSONValue = [
            "name": "Zoë", "on": "no", "n": "12", "empty": [], "none": [:], "text": "a\n\nb: c\n",
            "list": [1, ["a": nil, "b": [true]], [[2]]],
        ]
        #expect(
            YAMLWriter().write(value) == """
                name: Zoë
                "on": "no"
                "n": "12"
                empty: []
                none: {}
                text: |
                  a

                  b: c
                list:
                  - 1
                  - a: null
                    b:
                      - true
                  - - - 2

                """)
    }

    static let pieces: [String] = [
        "", "no", "yes", "on", "null", "~", "true", "1", "-1", "0x1F", "1e3", ".5", ".inf", "2026-01-02", "1:30",
        "a: b", "a #b", "#", "- a",
        "-", "---", "...", "? x", "a:", " a", "a ", "a\n", "\na", "a\nb", "a\n\n\nb\n\n", "a\n b\n  c", "\ta\nb",
        "a\n \nb", "a\n\tb", "\n", "\n\n",
        "a\r\nb", "\r", "\u{0}", "\u{7F}", "\u{85}", "\u{2028}x", "\u{FEFF}", "\u{FFFE}", "é", "e\u{301}", "😀", "'",
        "\"", "\\", "a'b\"c", "[x]",
        "{x}", "a, b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "<<", "=", "key: |", "a\n#b", "a\n---\nb",
        "a\n...\nb", "x\ty", "ends\\",
        "line one\nline two: with colon\n- dash\n", "a\n\n", "trailing spaces  \nb",
        String(repeating: "long ", count: 300),
    ]

    static func random(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        func text(_ generator: inout SeededGenerator) -> String {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                return String(
                    (0..<Int.random(in: 0..<6, using: &generator)).map { _ in
                        Character(Unicode.Scalar(UInt32.random(in: 0..<0x3000, using: &generator)) ?? "?")
                    })
            case 1:
                return pieces.randomElement(using: &generator).map {
                    $0 + (pieces.randomElement(using: &generator) ?? "")
                } ?? ""
            default: return pieces.randomElement(using: &generator) ?? ""
            }
        }
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2:
            let coefficient = Int.random(in: -99999...99999, using: &generator)
            return .number(
                DecimalNumber(coefficient: .init(coefficient), exponent: .random(in: -30...30, using: &generator)))
        case 3, 4, 5: return .string(text(&generator))
        case 6:
            return .array(
                (0..<Int.random(in: 0..<4, using: &generator)).map { _ in random(&generator, depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<4, using: &generator) {
                object[text(&generator)] = random(&generator, depth: depth - 1)
            }
            return .object(object)
        }
    }

    @Test(arguments: 0..<40)
    func readsBackAsTheSameValue(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<100 {
            let value = Self.random(&generator, depth: 4)
            let yaml = YAMLWriter(indent: 2 + seed % 3).write(value)
            let documents = try YAMLReader.read(yaml)
            try #require(documents.map(\.root.value) == [value], "\(yaml)")
            #expect(documents.flatMap(\.diagnostics).isEmpty)
            let json = JSONWriter(style: .pretty(indent: seed % 4)).write(value)
            try #require(JSONReader.read(json).root.value == value)
        }
    }

    @Test(arguments: pieces)
    func everyPieceReadsBack(_ piece: String) throws {
        for value in [
            .string(piece), [.string(piece), "x"],
            .object(JSONObject([(key: piece, value: .string(piece)), (key: piece + "z", value: 1)])),
        ] as [JSONValue] {
            let yaml = YAMLWriter().write(value)
            #expect(try YAMLReader.read(yaml).map(\.root.value) == [value], "\(yaml)")
        }
    }
}
