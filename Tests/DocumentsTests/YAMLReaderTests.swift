// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

func yamlProblems(_ text: String, _ options: ReadOptions = .strict) -> [Diagnostic] {
    do throws(DiagnosticsError) {
        return try YAMLReader.read(text, file: "t.yaml", options: options).flatMap(\.diagnostics)
    } catch {
        return error.diagnostics
    }
}

struct YAMLReaderTests {
    @Test(
        arguments: [
            ("no", "no"), ("on", "on"), ("yes", "yes"), ("y", "y"), ("012", 12), ("-012", -12), ("+7", 7), ("0o14", 12),
            ("0x1F", 31),
            ("0b1", "0b1"), ("1_000", "1_000"), ("1e3", 1000), ("1.", 1), (".5", 0.5), ("-.5e1", -5), ("+1.e2", 100),
            ("1e", "1e"),
            (".", "."), ("-", [nil]), ("+", "+"), ("..5", "..5"), ("0o9", "0o9"), ("0x", "0x"), ("0xG", "0xG"),
            ("2026-01-02", "2026-01-02"),
            ("1:30", "1:30"), ("null", nil), ("~", nil), ("NULL", nil), ("nULL", "nULL"), ("True", true),
            ("TRUE", true), ("tRUE", "tRUE"),
            ("FALSE", false), ("'1'", "1"), ("\"null\"", "null"), ("", nil), ("!!str 12", "12"), ("!!int \"12\"", 12),
            ("!!float 1", 1),
            ("!!bool 'true'", true), ("! 12", "12"), ("!!null ''", nil),
            ("0xFFFFFFFFFFFFFFFFFF", .number(DecimalNumber("4722366482869645213695")!)),
            ("1.2.3", "1.2.3"), ("- -1", [-1]), ("!!int 1.0", 1),
        ] as [(String, JSONValue)])
    func readsScalars(_ text: String, _ value: JSONValue) throws {
        let documents = try YAMLReader.read(text.isEmpty ? "---\n" : text)
        #expect(documents.count == 1)
        #expect(documents.first?.root.value == value)
    }

    @Test(
        arguments: [
            ("a: 1\nb:\n  - x\n  - y: z\n", ["a": 1, "b": ["x", ["y": "z"]]]),
            ("{a: [1, 2], \"b\": }", ["a": [1, 2], "b": nil]),
            ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", ["a": "x\ny\n", "b": "x y"]),
            ("a: &x [1]\nb: *x\n", ["a": [1], "b": [1]]),
            ("&k key: *k\n", ["key": "key"]), ("a: &n 5\n*n : x\n", ["a": 5, "5": "x"]), ("\u{FEFF}a: 1", ["a": 1]),
            ("? a\n: b\n", ["a": "b"]),
            ("- 'it''s'\n- \"\\u00e9\\n\"\n", ["it's", "é\n"]), ("<<: 1\n", ["<<": 1]),
            ("a:\n  b\n  c\n", ["a": "b c"]),
            ("%YAML 1.2\n---\na: b\n...\n", ["a": "b"]),
        ] as [(String, JSONValue)])
    func readsCollections(_ text: String, _ value: JSONValue) throws {
        let documents = try YAMLReader.read(text)
        #expect(documents.first?.root.value == value)
    }

    @Test(arguments: [
        ("a: [1\n", "yaml.syntax", "2:1"), ("a: b: c\n", "yaml.syntax", "1:5"),
        ("a: 1\n\tb: 2\n", "yaml.syntax", "2:1"), ("@x", "yaml.syntax", "1:1"),
        ("a: .inf\n", "yaml.not-finite", "1:4"), ("- .NaN\n", "yaml.not-finite", "1:3"),
        ("a: 1\nb: 2\na: 3\n", "document.duplicate-key", "3:1"),
        ("'a': 1\na: 3\n", "document.duplicate-key", "2:1"), ("[a]: 1\n", "yaml.complex-key", "1:1"),
        ("? {a: 1}\n: 1\n", "yaml.complex-key", "1:3"),
        ("a: *x\n", "yaml.unknown-alias", "1:4"), ("a: &x [*x]\n", "yaml.recursive-alias", "1:8"),
        ("!!int x", "yaml.tag-mismatch", "1:1"),
        ("a: \u{1}", "yaml.control-character", "1:4"), ("ü: é: x", "yaml.syntax", "1:5"),
        ("a: \"x\n", "yaml.syntax", "2:1"), ("- a\nb: 1\n", "yaml.syntax", "2:1"),
        ("1e9999999999999", "document.number-range", "1:1"), ("\u{FEFF}a: b: c\n", "yaml.syntax", "1:6"),
    ])
    func refuses(_ text: String, _ id: String, _ place: String) throws {
        let first = try #require(yamlProblems(text).first)
        #expect(first.id.rawValue == id)
        #expect(first.severity == .error)
        #expect(first.range?.start.description == place)
    }

    @Test(
        arguments: [
            ("404: x", "yaml.key-type", ["404": "x"]), ("true: x", "yaml.key-type", ["true": "x"]),
            ("!foo 1", "yaml.unknown-tag", "1"),
            ("!!set {a: 1}", "yaml.unknown-tag", ["a": 1]),
        ] as [(String, String, JSONValue)])
    func warns(_ text: String, _ id: String, _ value: JSONValue) throws {
        let document = try #require(try YAMLReader.read(text).first)
        #expect(document.diagnostics.map(\.id.rawValue) == [id])
        #expect(document.diagnostics.map(\.severity) == [.warning])
        #expect(document.root.value == value)
    }

    @Test func manyWarningsDoNotStopReading() throws {
        let text = (0..<100).map { "\($0): x\n" }.joined()
        let document = try #require(try YAMLReader.read(text).first)
        #expect(document.root.count == 100)
        #expect(document.diagnostics.count == 21)
        #expect(document.diagnostics.last?.message == "80 more warnings are not shown")
        let errors = yamlProblems(text + "a: .inf\nb: 1\nb: 2\n").filter { $0.severity == .error }
        #expect(errors.map(\.id) == ["yaml.not-finite", "document.duplicate-key"])
    }

    @Test func refusesMalformedUTF8AndUTF16() {
        #expect(throws: DiagnosticsError.self) { try YAMLReader.read([0x61, 0xFF]) }
        #expect(throws: DiagnosticsError.self) { try YAMLReader.read([0xFF, 0xFE, 0x61, 0x00]) }
    }

    @Test func everyNodeHasItsPlace() throws {
        let text = """
            # comment
            nämé: "Zoë"
            list:
              - plain text   # comment
              - {a: 1, b: [x,
                 y]}
            text: |
              one
              two

            last: 0x1F
            """
        let root = try #require(try YAMLReader.read(text, file: "p.yaml").first).root
        func place(_ pointer: String) throws -> String {
            let range = try #require(JSONPointer(parsing: pointer)?.evaluate(root)?.range)
            return "\(range.start)-\(range.end)"
        }
        #expect(try place("/nämé") == "2:7-2:12")
        #expect(try place("/list") == "4:3-6:9")
        #expect(try place("/list/0") == "4:5-4:15")
        #expect(try place("/list/1") == "5:5-6:9")
        #expect(try place("/list/1/b") == "5:15-6:8")
        #expect(try place("/list/1/b/1") == "6:6-6:7")
        #expect(try place("/text") == "7:7-9:6")
        #expect(try place("/last") == "11:7-11:11")
        #expect(try place("") == "2:1-11:11")
        #expect(root.members[1].keyRange?.start.description == "3:1")
        #expect(root["last"]?.numberText == "0x1F")
        #expect(root["last"]?.intValue == 31)
        #expect(JSONWriter().write(root).hasSuffix("\"last\":31}"))
    }

    @Test func aliasesHaveABudget() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            text +=
                "a\(level): &a\(level) [" + repeatElement("*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
        }
        #expect(yamlProblems(text).map(\.id) == ["yaml.alias-budget"])
    }

    @Test func depthIsLimited() throws {
        #expect(yamlProblems(String(repeating: "[", count: 600)).first?.id == "document.too-deep")
        #expect(yamlProblems(String(repeating: "[", count: 100_000)).isEmpty == false)
        #expect(yamlProblems(String(repeating: "- ", count: 5000) + "x").first?.id == "document.too-deep")
        let nested =
            "a: &a " + String(repeating: "[", count: 300) + String(repeating: "]", count: 300) + "\nb: "
            + String(repeating: "[", count: 300) + "*a" + String(repeating: "]", count: 300)
        #expect(yamlProblems(nested).first?.id == "document.too-deep")
    }

    @Test func readsStreams() throws {
        let documents = try YAMLReader.read("a: 1\n---\n- 2\n---\n...\n")
        #expect(documents.map(\.root.value) == [["a": 1], [2], nil])
        #expect(documents[1].root.elements[0].range?.start.description == "3:3")
        #expect(try YAMLReader.read("# nothing\n").isEmpty)
        #expect(yamlProblems("a: 1\n---\na: [").first?.range?.start.line == 3)
    }

    @Test func mergesOnRequest() throws {
        var options = ReadOptions()
        options.mergeKeys = true
        let text =
            "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: {n: 4}}\nc:\n  y: 9\n  <<: [*a, *b]\n  w: 5\nd: {<<: *a, q: 6}\ne: {'<<': 1}\n"
        let root = try #require(try YAMLReader.read(text, options: options).first).root
        #expect(root["c"]?.value == ["y": 9, "w": 5, "x": 1, "z": ["n": 4]])
        #expect(root["d"]?.value == ["q": 6, "x": 1, "y": 2])
        #expect(root["e"]?.value == ["<<": 1])
        #expect(root["c"]?["z"]?["n"]?.pointer.description == "/c/z/n")
        #expect(yamlProblems("<<: 5", options).first?.id == "yaml.merge")
    }

    @Test func readsByNameOrGuess() throws {
        #expect(try DocumentReader.read(Array("{\"a\": 1}".utf8), file: "-").format == .json)
        #expect(try DocumentReader.read(Array("a: 1".utf8), file: "-").format == .yaml)
        #expect(try DocumentReader.read(Array("{a: 1}".utf8), file: "x.yml").format == .yaml)
        #expect(throws: DiagnosticsError.self) {
            try DocumentReader.read(Array("a: 1\n---\nb: 1".utf8), file: "x.yaml")
        }
        #expect(throws: DiagnosticsError.self) { try DocumentReader.read([], file: "x.yaml") }
        #expect(throws: DiagnosticsError.self) { try DocumentReader.read(Array("a,b".utf8), file: "x.csv") }
        let error = #expect(throws: DocumentError.self) { try DocumentReader.read(path: "/nonexistent/x.yaml") }
        #expect(error?.code == .notFound)
        #expect(throws: DocumentError.self) { try SourceFile.read("/") }
    }
}
