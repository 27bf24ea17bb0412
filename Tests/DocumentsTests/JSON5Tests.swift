// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

struct JSON5Tests {
    private func read(_ text: String) throws -> JSONValue {
        try JSONReader.read(text, file: "a.json5", options: ReadOptions.strict.withJSON5).root.value
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try read(text)
            return []
        } catch let error as DiagnosticsError {
            return error.diagnostics.map(\.id.rawValue)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func readsWhatTheSpecificationShows() throws {
        let text = """
            {
              // comments
              unquoted: 'and you can quote me on that',
              singleQuotes: 'I can use "double quotes" here',
              lineBreaks: "Look, Mom! \\
            No \\\\n's!",
              hexadecimal: 0xdecaf,
              leadingDecimalPoint: .8675309, andTrailing: 8675309.,
              positiveSign: +1,
              trailingComma: 'in objects', andIn: ['arrays',],
              "backwardsCompatible": "with JSON",
            }
            """
        #expect(
            try read(text) == [
                "unquoted": "and you can quote me on that", "singleQuotes": "I can use \"double quotes\" here",
                "lineBreaks": "Look, Mom! No \\n's!", "hexadecimal": 912_559,
                "leadingDecimalPoint": .number(DecimalNumber("0.8675309") ?? .zero), "andTrailing": 8_675_309,
                "positiveSign": 1, "trailingComma": "in objects", "andIn": ["arrays"],
                "backwardsCompatible": "with JSON",
            ])
    }

    @Test func readsEscapes() throws {
        #expect(try read(#"'\x41\v\0\'\"\a\u00e9\/\\\b'"#) == "A\u{B}\u{0}'\"a\u{E9}/\\\u{8}")
        #expect(try read("'a\\\r\nb\\\rc\\\u{2028}d\\\u{2029}e'") == "abcde")
        #expect(try read("\"\u{2028}\t\\é\"") == "\u{2028}\té")
        #expect(try read(#"'\ud83d\ude00'"#) == "😀")
        #expect(problems(#"'\1'"#) == ["json.escape"])
        #expect(problems(#"'\01'"#) == ["json.escape"])
        #expect(problems(#"'\xg0'"#) == ["json.escape"])
        #expect(problems(#"'\u12'"#) == ["json.escape"])
        #expect(problems(#"'\ud800'"#) == ["json.lone-surrogate"])
        #expect(problems("'a\nb'") == ["json.unterminated-string"])
        #expect(problems("'a") == ["json.unterminated-string"])
        #expect(problems("'a\\") == ["json.unterminated-string"])
    }

    @Test func readsNumbers() throws {
        for (text, value) in [
            ("+.5", "0.5"), ("-.5e1", "-5"), ("5.", "5"), ("5.e2", "500"), ("-0xFF", "-255"), ("0X10", "16"),
            ("+0", "0"),
            ("0xFFFFFFFFFFFFFFFFFF", "4722366482869645213695"), ("1e3", "1000"),
        ] {
            #expect(try read(text) == .number(DecimalNumber(value) ?? .zero), "\(text)")
        }
        for text in [".", "+", "-", "0x", "01", "-01", "1_0", "0b1", "1e", "+-1", ".e1", "0x1.5", "1..2"] {
            #expect(!problems(text).isEmpty, "\(text)")
        }
        for text in ["Infinity", "-Infinity", "+Infinity", "NaN", "-NaN", "[NaN, 1]"] {
            #expect(problems(text) == ["json5.not-finite"], "\(text)")
        }
        #expect(problems("Infinit") == ["json.literal"])
    }

    @Test func readsNamesAndWhiteSpace() throws {
        #expect(
            try read("{ä: 1, $_a1: 2, \\u0061b: 3, 'c d': 4, null: 5, Infinity: 6, ℵ: 7}").objectValue?.keys
                == ["ä", "$_a1", "ab", "c d", "null", "Infinity", "ℵ"])
        #expect(try read("\u{FEFF}\u{A0}[\u{B}1\u{C},\u{2028}2\u{3000}//x\u{2029}]\u{2003}\u{FEFF}") == [1, 2])
        for text in [
            "{a-b: 1}", "{1a: 1}", "{\\x61: 1}", "{\\u0020: 1}", "{a b: 1}", "{: 1}", "{,}", "[,]", "{a: }", "{a}",
        ] {
            #expect(!problems(text).isEmpty, "\(text)")
        }
        #expect(problems("{a: 1, 'a': 2}") == ["document.duplicate-key"])
        // All of this is for JSON5 only.
        for text in ["{a: 1}", "'a'", "+1", ".5", "\u{A0}1", "0x1"] {
            #expect(throws: DiagnosticsError.self) { try JSONReader.read(text, options: .commented) }
        }
    }

    @Test func isLaidOutAsItIsWritten() throws {
        let text = "{unquoted:'x',/* c */ \"b\":+.5,\u{2028}hex:0xFF,//y\n\n\n\u{A0}list:['a\\\nb',1.,],}"
        let result = try DocumentFormatter.format(Array(text.utf8), file: "a.json5")
        #expect(
            String(decoding: result, as: UTF8.self) == """
                {
                  unquoted: 'x',
                  /* c */ "b": +.5,
                  hex: 0xFF, //y

                  list: [
                    'a\\
                b',
                    1.
                  ]
                }

                """)
        #expect(try DocumentFormatter.format(result, file: "a.json5") == result)
        #expect(try DocumentFormatter.format(Array("{a:1}".utf8), file: "x.json5") == Array("{a: 1}\n".utf8))
    }

    @Test func nothingMakesItTrap() {
        var pieces = [
            "{", "}", "[", "]", "'", "\"", "\\", "\\u", "\\x", "0x", "+", "-", ".", "e", "Infinity", "\u{2028}",
        ]
        pieces += ["a", ":", ",", "/*", "//", "\n", "\u{FEFF}", "\u{A0}", "ä", "\\u0061", "\\\n"]
        var state: UInt64 = 7
        for _ in 0..<20_000 {
            var text = ""
            for _ in 0..<(1 + Int(state >> 60)) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            let bytes = Array(text.utf8)
            guard let value = try? read(text) else { continue }
            guard let result = try? DocumentFormatter.format(bytes, file: "a.json5") else {
                Issue.record("read, but not laid out: \(text)")
                continue
            }
            #expect(
                (try? JSONReader.read(result, options: ReadOptions.strict.withJSON5))?.root.value == value, "\(text)")
        }
    }
}
