// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

struct TOMLReaderTests {
    @Test(
        arguments: [
            ("", [:]), ("# nothing\n", [:]), ("a = 1", ["a": 1]), ("\u{FEFF}a = 1\r\nb = 2\r\n", ["a": 1, "b": 2]),
            ("a = true\nb = false", ["a": true, "b": false]),
            ("a = 'x\\y'\nb = \"x\\ty\\u00e9\\U0001F600\"", ["a": "x\\y", "b": "x\tyé\u{1F600}"]),
            ("a = \"\"\"\none\ntwo\"\"\"", ["a": "one\ntwo"]), ("a = \"\"\"one \\\n   two\"\"\"", ["a": "one two"]),
            ("a = '''\n'q' ''two'''''", ["a": "'q' ''two''"]), ("a = \"\"\"\"q\"\"\"\"\"", ["a": "\"q\"\""]),
            ("a = 0xDEAD_beef\nb = 0o17\nc = 0b101\nd = +1_000", ["a": 3_735_928_559, "b": 15, "c": 5, "d": 1000]),
            (
                "a = 1.5\nb = -0.0\nc = 1e3\nd = 6.26e-2\ne = 1_0.0_1",
                ["a": 1.5, "b": 0, "c": 1000, "d": 0.0626, "e": 10.01]
            ),
            ("a = 99999999999999999999999", ["a": JSONValue.number(DecimalNumber("99999999999999999999999") ?? .zero)]),
            ("a = 1979-05-27T07:32:00Z", ["a": "1979-05-27T07:32:00Z"]),
            ("a = 1979-05-27 07:32:00.5z # c", ["a": "1979-05-27T07:32:00.5Z"]),
            ("a = 1979-05-27t07:32:00-07:00", ["a": "1979-05-27T07:32:00-07:00"]),
            (
                "a = 1979-05-27\nb = 07:32:00.999\nc = 2024-02-29",
                ["a": "1979-05-27", "b": "07:32:00.999", "c": "2024-02-29"]
            ),
            (
                "a = [1, 'x', [true]]\nb = [\n  1, # c\n  2,\n]\nc = []",
                ["a": [1, "x", [true]], "b": [1, 2], "c": []]
            ),
            ("a = {b = 1, c.d = 'x', e = {}}", ["a": ["b": 1, "c": ["d": "x"], "e": [:]]]),
            ("a.b.c = 1\na . 'b' . d = 2\n\"\" = 3", ["a": ["b": ["c": 1, "d": 2]], "": 3]),
            ("[a]\nx = 1\n[a.b]\ny = 2\n[c]", ["a": ["x": 1, "b": ["y": 2]], "c": [:]]),
            ("[a.b]\nx = 1\n[a]\ny = 2", ["a": ["b": ["x": 1], "y": 2]]),
            ("[[a]]\nx = 1\n[a.b]\ny = 2\n[[a]]\n[[a.c]]", ["a": [["x": 1, "b": ["y": 2]], ["c": [[:]]]]]),
            ("[a]\nb.c = 1\n[a.b.d]\ne = 2", ["a": ["b": ["c": 1, "d": ["e": 2]]]]),
            ("1234 = 'digits'\n-_ = 1", ["1234": "digits", "-_": 1]),
        ] as [(String, JSONValue)])
    func reads(_ text: String, _ value: JSONValue) throws {
        let source = SourceText(file: "t.toml", bytes: Array(text.utf8))
        let (document, tree) = try TOMLReader.readSyntax(source)
        #expect(document.root.value == value)
        #expect(document.format == .toml)
        #expect(tree.text == source.bytes)
    }

    @Test(arguments: [
        ("a", "toml.syntax", "1:2"), ("a =", "toml.syntax", "1:4"), ("= 1", "toml.key", "1:1"),
        ("a = x", "toml.literal", "1:5"),
        ("a = True", "toml.literal", "1:5"), ("a = 01", "toml.number", "1:5"), ("a = 1__0", "toml.number", "1:5"),
        ("a = 1.", "toml.number", "1:5"), ("a = 0x", "toml.number", "1:5"), ("a = +0x1", "toml.number", "1:5"),
        ("a = inf", "toml.not-finite", "1:5"), ("a = -nan", "toml.not-finite", "1:5"),
        ("a = 2023-02-29", "toml.number", "1:5"), ("a = 25:00:00", "toml.number", "1:5"),
        ("a = 1 b = 2", "toml.syntax", "1:7"), ("a = \"x", "toml.unterminated-string", "1:5"),
        ("a = 'x\ny'", "toml.unterminated-string", "1:5"), ("a = \"\"\"x", "toml.unterminated-string", "1:5"),
        ("a = \"\\q\"", "toml.escape", "1:6"), ("a = \"\\uD800\"", "toml.escape", "1:6"),
        ("a = \"\\u12\"", "toml.escape", "1:6"),
        ("a = \"\u{1}\"", "toml.control-character", "1:6"), ("# \u{7F}", "toml.control-character", "1:3"),
        ("a = 1\rb = 2", "toml.syntax", "1:6"), ("a = [1 2]", "toml.syntax", "1:8"),
        ("a = [1", "toml.unexpected-end", "1:7"),
        ("a = {b = 1,}", "toml.trailing-comma", "1:12"), ("a = {\nb = 1}", "toml.syntax", "1:6"),
        ("a = 1\na = 2", "document.duplicate-key", "2:1"), ("a = {b = 1, b = 2}", "document.duplicate-key", "1:13"),
        ("[a]\n[a]", "toml.redefined", "2:2"), ("a = 1\n[a]", "toml.redefined", "2:2"),
        ("a.b = 1\n[a]", "toml.redefined", "2:2"),
        ("[a.b]\n[a]\nb.c = 1", "toml.redefined", "3:1"), ("a = []\n[[a]]", "toml.redefined", "2:3"),
        ("a = {b = {}}\n[a.b.c]", "toml.redefined", "2:2"), ("a = {b = {}}\na.b.c = 1", "toml.redefined", "2:1"),
        ("[[a]]\n[a]", "toml.redefined", "2:2"), ("[a", "toml.syntax", "1:3"), ("[]", "toml.key", "1:2"),
        ("[a] b = 1", "toml.syntax", "1:5"),
        ("\"\"\"a\"\"\" = 1", "toml.key", "1:1"),
    ])
    func refuses(_ text: String, _ id: String, _ place: String) {
        let error = #expect(throws: DiagnosticsError.self) { try TOMLReader.read(text) }
        #expect(error?.diagnostics.first?.id.rawValue == id)
        #expect(error?.diagnostics.first?.range?.start.description == place)
    }

    @Test func reportsSeveralMistakes() {
        let error = #expect(throws: DiagnosticsError.self) {
            try TOMLReader.read("a = \nb = 1\nc = x\n[d\ne = 2\ne = 3\n")
        }
        #expect(error?.diagnostics.map { $0.range?.start.line } == [1, 3, 4, 6])
    }

    @Test func nodesHavePlaces() throws {
        let root = try TOMLReader.read("[a.b]\nc = [1, 'x']\n[[d]]\n[[d]]\ne.f = 2\n").root
        #expect(root["a"]?.range?.start.description == "1:2")
        #expect(root["a"]?["b"]?.range?.start.description == "1:1")
        #expect(root["a"]?["b"]?["c"]?.elements[1].range?.description == "2:9")
        #expect(root["a"]?["b"]?["c"]?.elements[1].pointer.description == "/a/b/c/1")
        #expect(root["d"]?.elements[1].range?.start.description == "4:1")
        #expect(root["d"]?.elements[1]["e"]?["f"]?.range?.start.description == "5:7")
        #expect(root["d"]?.elements[1]["e"]?["f"]?.keyNode?.range?.start.description == "5:3")
    }

    @Test func depthIsBounded() {
        var options = ReadOptions.strict
        options.maximumDepth = 3
        for text in ["a = [[[[1]]]]", "a.b.c.d = 1", "[a.b.c.d]", "[a.b]\nc.d = 1", "a = {b.c.d = 1}"] {
            let error = #expect(throws: DiagnosticsError.self) { try TOMLReader.read(text, options: options) }
            #expect(error?.diagnostics.first?.id == "document.too-deep")
        }
    }
}
