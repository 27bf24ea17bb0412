// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

/// The layout of YAML.
struct YAMLFormatterTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var result: String
        var testDescription: String { text }

        init(_ text: String, _ result: String) {
            self.text = text
            self.result = result
        }

        /// A text that is laid out already.
        init(_ text: String) { self.init(text, text) }
    }

    static func format(_ text: String, _ options: FormatOptions = FormatOptions()) throws -> String {
        String(decoding: try DocumentFormatter.format(Array(text.utf8), format: .yaml, options: options), as: UTF8.self)
    }

    private static func check(_ example: Case, _ options: FormatOptions = FormatOptions()) throws {
        let result = try format(example.text, options)
        #expect(result == example.result)
        #expect(try format(result, options) == result)
    }

    @Test(arguments: [
        Case(""), Case("\n \n", ""), Case("# a   \n\n\n  # b", "# a\n\n# b\n"),
        Case("\u{FEFF}  a: 1", "\u{FEFF}a: 1\n"),
        Case("a: 1\r\nb:\r\n- c\r\n\r\n\r\n\r\nd: 2", "a: 1\r\nb:\r\n  - c\r\n\r\nd: 2\r\n"),
        Case("a:   1\nb :\t2   \n\n\n\nc:\n\n   d: 0x1F\n   e: 1.50\n", "a: 1\nb: 2\n\nc:\n  d: 0x1F\n  e: 1.50\n"),
        Case("'a':  \"b\"\n? c\n", "'a': \"b\"\n? c\n"),
        Case("-   a\n-\n    b: 1\n    c: 2\n-\n  - d\n  -\n", "- a\n- b: 1\n  c: 2\n- - d\n  -\n"),
        Case("a:\n- b\n-   - c\n", "a:\n  - b\n  - - c\n"),
        Case("a:\n    value\nb:\n    - |\n     x\n", "a: value\nb:\n  - |\n    x\n"),
        Case("<<:   *base\nx: { <<: *a}\n*k : 1\n", "<<: *base\nx: { <<: *a }\n*k : 1\n"),
        Case("? [a,b]\n:   - c\n? |\n  k\n# between\n: v\n", "? [a, b]\n: - c\n? |\n  k\n# between\n: v\n"),
        Case("{a: 1}:  x\n[b,c]: y\n", "{ a: 1 }: x\n[b, c]: y\n"),
    ])
    func laysOutBlocks(_ example: Case) throws { try Self.check(example) }

    @Test(arguments: [
        Case("a:\n    b: 1\n    # in a\n# root\nc: 2\n  # end", "a:\n  b: 1\n  # in a\n# root\nc: 2\n# end\n"),
        Case(
            "a:\n # about b\n  b: 1   # behind\n#old: 2\n  c: 3\n",
            "a:\n  # about b\n  b: 1 # behind\n  #old: 2\n  c: 3\n"),
        Case("a:\n    # was: 1\nb: 2\n", "a:\n  # was: 1\nb: 2\n"),
        Case("k:\n- a\n# about b\n- b\n# about o\no: 1\n", "k:\n  - a\n  # about b\n  - b\n# about o\no: 1\n"),
        Case("-     # c\n  a: 1\n- b: 2\n  # in b\n# d\n- e\n", "- # c\n  a: 1\n- b: 2\n  # in b\n# d\n- e\n"),
        Case("a:\n\n\n  # first\n\n\n  b: 1\n", "a:\n  # first\n\n  b: 1\n"),
        Case("a:    # c\n    text\n", "a: # c\n  text\n"),
        Case("a: |   # c  \n   text\n# d\n", "a: | # c\n  text\n# d\n"),
        Case("a: x#y\nb: 'x'#y\n", "a: x#y\nb: 'x' #y\n"),
    ])
    func commentsStayWithWhatTheyAreAbout(_ example: Case) throws { try Self.check(example) }

    @Test(arguments: [
        Case("a: |\n      x\n        y  \n\n\nb: 1\n", "a: |\n  x\n    y  \n\nb: 1\n"),
        Case("a: |+\n    x\n\n\n\nb: >-\n    y\n\n    z\n", "a: |+\n  x\n\n\n\nb: >-\n  y\n\n  z\n"),
        // Without a line end behind it, the text has none.
        Case("a: |\n  x"), Case("a: |+\n  x"), Case("a: |-\n  x", "a: |-\n  x\n"),
        Case("a:\n    b: |3\n           x\n", "a:\n  b: |3\n         x\n"),
        Case("- |1-\n  x\n- >\n\n\n    y\n", "- |1-\n  x\n- >\n\n\n  y\n"),
        Case("|\n x\n", "|\n  x\n"), Case("--- >+\n x\n\n...\n", "--- >+\n  x\n\n...\n"),
        Case("a: |\n\n\nb: |+\n\n\nc: >\n", "a: |\n\nb: |+\n\n\nc: >\n"),
        Case("a: |\r\n    x\r\n    y\r\n", "a: |\r\n  x\r\n  y\r\n"),
        Case("a: |\n  x\n     \n  y\n", "a: |\n  x\n     \n  y\n"),
    ])
    func blockScalarsKeepTheirText(_ example: Case) throws { try Self.check(example) }

    @Test(arguments: [
        Case("a: one\n two\n\n     three\n", "a: one\n  two\n\n  three\n"),
        Case("a:\n     one\n     two\n", "a:\n  one\n  two\n"),
        Case("a: \"x  \n    y \\\n      \\ z \\  \n   w\"\n", "a: \"x\n  y \\\n  \\ z \\ \n  w\"\n"),
        Case("- 'x\n\n\n y'", "- 'x\n\n\n  y'\n"),
        // At the beginning of a line these would be markers.
        Case(" ---\n"), Case("  ... : a\n"),
        Case("one\n  two\n", "one\ntwo\n"), Case("--- \"a\n  --- b\"\n", "--- \"a\n  --- b\"\n"),
    ])
    func textOfSeveralLinesKeepsThem(_ example: Case) throws { try Self.check(example) }

    @Test(arguments: [
        Case("a: [1,2 , 3,]\nb: {c: 1,d}\n", "a: [1, 2, 3]\nb: { c: 1, d }\n"),
        Case("a: [ ]\nb: {\n}\n", "a: []\nb: {}\n"), Case("a: [\n  1,\n  2\n]\n", "a: [1, 2]\n"),
        Case("a: {\n  b: 1\n}\n", "a:\n  {\n    b: 1,\n  }\n"),
        Case("- {\n  b: 1 }\n", "- {\n    b: 1,\n  }\n"),
        Case("{\n\"a\": 1,\n\n\n\"b\":[] }", "{\n  \"a\": 1,\n\n  \"b\": [],\n}\n"),
        Case("a: [1, # one\n 2\n # last\n]\n", "a:\n  [\n    1, # one\n    2,\n    # last\n  ]\n"),
        Case("[\n{a: 1}\n, # c\n [b]]", "[\n  { a: 1 },\n  # c\n  [b],\n]\n"),
        Case("[a: b, ? c, ? d : e]", "[a: b, ? c, ? d: e]\n"),
        Case("[!t , &a , \"k\":1, b: , *a]", "[!t , &a, \"k\": 1, b: , *a]\n"),
        Case("[a\n b, \"c\n d\"]", "[\n  a\n    b,\n  \"c\n    d\",\n]\n"),
        Case("[[ab,cd] : [ef,gh], x]", "[[ab, cd]: [ef, gh], x]\n"),
        // What readers of YAML 1.2 take for text stays together.
        Case("{\"a\" :b, ?c: d}", "{ \"a\": b, ?c: d }\n"),
        // A comment inside of an element: the lines stay.
        Case("a: [{ b: # c\n      1 }, \"x\n  y\"]\n", "a:\n  [{ b: # c\n    1 }, \"x\n    y\"]\n"),
    ])
    func laysOutFlow(_ example: Case) throws { try Self.check(example) }

    @Test(arguments: [
        Case(
            "%YAML 1.2\n# c\n---    # d\n\n\na: 1\n...   # e\n\n\n---\nb\n",
            "%YAML 1.2\n# c\n--- # d\na: 1\n... # e\n\n---\nb\n"),
        Case("---\n---   x\n--- {a: 1}\n---\n[1]\n", "---\n--- x\n--- { a: 1 }\n---\n[1]\n"),
        Case("--- &a   !!map\nb: 1\n--- !t\n- c\n", "--- &a !!map\nb: 1\n--- !t\n- c\n"),
        Case("a: &x   !t  1\nb: &y\n    c: *x\nd:\n  &z\n- e\n", "a: &x !t 1\nb: &y\n  c: *x\nd: &z\n  - e\n"),
        Case("- &a\n  - b\n- &k c: d\n- !!map\n  e: f\n", "- &a\n  - b\n- &k c: d\n- !!map\n  e: f\n"),
        Case("a: &x # c\n  b: 1\nd: !!str\n  # own\n  e\n", "a: &x # c\n  b: 1\nd: !!str\n  # own\n  e\n"),
        Case("%TAG !e! tag:e,2000:\n---\na: !e!x 1\n", "%TAG !e! tag:e,2000:\n---\na: !e!x 1\n"),
    ])
    func keepsMarkersAnchorsAndTags(_ example: Case) throws { try Self.check(example) }

    @Test func optionsApply() throws {
        let text = "a:\n  - b:\n      c: |\n        x\n    d: [1, 2, 3, 4, 5, 6, 7]\n"
        try Self.check(
            Case(text, "a:\n    - b:\n          c: |\n              x\n      d: [1, 2, 3, 4, 5, 6, 7]\n"),
            FormatOptions(indent: 4))
        try Self.check(
            Case(text, "a:\n- b:\n    c: |\n      x\n  d: [1, 2, 3, 4, 5, 6, 7]\n"),
            FormatOptions(indentsSequences: false))
        try Self.check(
            Case(
                "a: [one, two, threes]\nb: [one, two, three, four]\n",
                "a:\n  [one, two, threes]\nb:\n  [\n    one,\n    two,\n    three,\n    four,\n  ]\n"),
            FormatOptions(width: 20))
        // Keys stand on one line.
        try Self.check(
            Case(
                "[[abcde, fghij]: [klmno, pqrst]]\n",
                "[\n  [abcde, fghij]: [\n    klmno,\n    pqrst,\n  ],\n]\n"),
            FormatOptions(width: 16))
        try Self.check(
            Case("some: value\nother:\n  a longer value\n", "some: value\nother:\n  a longer value\n"),
            FormatOptions(width: 20))
    }

    @Test("line ends that only YAML 1.1 knows: the text stays as it is", arguments: ["\u{85}", "\u{2028}", "\u{2029}"])
    func foreignLineEnds(_ character: String) throws {
        let text = "a:   \"x\(character)y\"   # c"
        #expect(try Self.format(text) == text)
    }

    @Test("names that end earlier for libyaml than for readers of YAML 1.2: the text stays as it is")
    func foreignNames() throws {
        for text in ["a:   {-}\n", "a:   &an:chor b\n", "x:   &a  1\n*a:   2\n"] { #expect(try Self.format(text) == text) }
    }

    @Test(arguments: [
        ("a: [1", "yaml.syntax", "x.yaml:1:6"), ("a: b: c\n", "yaml.syntax", "x.yaml:1:5"),
        ("a: \u{1}", "yaml.control-character", "x.yaml:1:4"), ("a:\n\t- b\n", "yaml.syntax", "x.yaml:2:1"),
        (String(repeating: "- ", count: 600), "document.too-deep", "x.yaml:1:1025"),
    ])
    func refusesWithThePlace(_ text: String, _ id: String, _ place: String) {
        let error = #expect(throws: DiagnosticsError.self) {
            try DocumentFormatter.format(Array(text.utf8), file: "x.yaml")
        }
        #expect(error?.diagnostics.first?.id.rawValue == id)
        #expect(error?.diagnostics.first?.range?.description == place)
    }

    static let seeds = [
        "# a\n%YAML 1.2\n---\nk: &a [ 1, 2.50, # b\n  {x: y}, ]\n"
            + "l:\n- *a\n-   m: |2-  # c\n       text\n        more\n    n: >+\n      f\n\n\n\n"
            + "  # in\n# out\no: !!str 'q\n\n  r'\n",
        "? [a, b]\n: - c\n  -   - d\n    # e\n    - f: g\n"
            + "? |\n  h\n# i\n: j\nk: \"l \\\n  m\\  \n  n\"\n...\n# p\n--- !t\nq\n r\n",
        "a:\n    b:\n        - c: 1\n          d:\n          # none\n        -\n        - e\n    # f\n"
            + "  # g\nh: {i: {j: [], ? k : l}, \"m\":n}\nlast: |\n  x\n\n  y",
    ]

    @Test("layouts of damaged texts keep everything, and are final", arguments: 0..<12)
    func isIdempotentAndKeepsEverything(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) &* 32_452_843)
        var formatted = 0
        for _ in 0..<500 {
            let bytes = HostileInputTests.damage(try #require(Self.seeds.randomElement(using: &generator)), &generator)
            let options = FormatOptions(
                indent: Int.random(in: 1...4, using: &generator),
                width: [20, 40, 100].randomElement(using: &generator) ?? 80,
                indentsSequences: Bool.random(using: &generator))
            do throws(DiagnosticsError) {
                let result = try DocumentFormatter.format(bytes, format: .yaml, options: options)
                formatted += 1
                let again = try DocumentFormatter.format(result, format: .yaml, options: options)
                #expect(again == result, "\(String(decoding: bytes, as: UTF8.self))")
            } catch {
                #expect(
                    !error.diagnostics.contains { $0.id == "format.changed" },
                    "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(formatted > 20)
    }
}
