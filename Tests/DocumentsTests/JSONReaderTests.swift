// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

/// What a reader threw, or the warnings that it kept.
func problems(_ text: String, _ options: ReadOptions = .strict) -> [Diagnostic] {
    problems(Array(text.utf8), options)
}

func problems(_ bytes: [UInt8], _ options: ReadOptions = .strict) -> [Diagnostic] {
    do throws(DiagnosticsError) {
        return try JSONReader.read(bytes, file: "t.json", options: options).diagnostics
    } catch {
        return error.diagnostics
    }
}

struct JSONReaderTests {
    @Test(
        arguments: [
            ("null", nil), (" true ", true), ("-0", 0), ("\"\"", ""), ("[]", []), ("{}", [:]), ("\u{FEFF}[1]", [1]),
            (#"{"a":[1,{"b":null}],"c":"x"}"#, ["a": [1, ["b": nil]], "c": "x"]),
            (#""\u00e9\n\ud83d\ude00\/\"\\""#, "é\n😀/\"\\"), (#""😀 ünï""#, "😀 ünï"),
            ("[1e5, 1.25, -3E-2]", [100000, 1.25, -0.03]),
            (#"{"a\u0062":1}"#, ["ab": 1]),
            (#""long enough to take the eight byte path, twice""#, "long enough to take the eight byte path, twice"),
        ] as [(String, JSONValue)])
    func reads(_ text: String, _ value: JSONValue) throws {
        let document = try JSONReader.read(text)
        #expect(document.root.value == value)
        #expect(document.root.matches(value))
        #expect(document.root.isEqual(Document(value: value).root))
    }

    @Test(arguments: [
        ("", "json.empty", "1:1"), ("  \n", "json.empty", "2:1"), ("[1,]", "json.trailing-comma", "1:3"),
        ("{\"a\":1,}", "json.trailing-comma", "1:7"), ("[1 2]", "json.missing-comma", "1:4"),
        ("{\"a\":1 \"b\":2}", "json.missing-comma", "1:8"), ("[1}", "json.syntax", "1:3"),
        ("[", "json.unexpected-end", "1:2"),
        ("{\"a\"", "json.unexpected-end", "1:5"), ("{\"a\":", "json.unexpected-end", "1:6"),
        ("01", "json.number", "1:1"), ("[1.]", "json.number", "1:2"),
        ("[.5]", "json.number", "1:2"), ("+1", "json.number", "1:1"), ("-", "json.number", "1:1"),
        ("1e", "json.number", "1:1"),
        ("[NaN]", "json.literal", "1:2"), ("True", "json.literal", "1:1"), ("nul", "json.literal", "1:1"),
        ("truex", "json.literal", "1:1"),
        ("'a'", "json.syntax", "1:1"), ("1 2", "json.trailing-text", "1:3"), ("[1] // c", "json.comment", "1:5"),
        ("\"a", "json.unterminated-string", "1:1"), ("\"a\nb\"", "json.unterminated-string", "1:1"),
        ("\"\t\"", "json.control-character", "1:2"),
        ("\"\u{1}\"", "json.control-character", "1:2"), (#""\x""#, "json.escape", "1:2"),
        (#""\u12g4""#, "json.escape", "1:2"),
        (#""\ud800""#, "json.lone-surrogate", "1:2"), (#""\udc00\ud800""#, "json.lone-surrogate", "1:2"),
        ("{a:1}", "json.key", "1:2"),
        ("{1:1}", "json.syntax", "1:2"), (#"{"a":1,"b":2,"a":3}"#, "document.duplicate-key", "1:14"),
        (#"{"a":1,"\u0061":3}"#, "document.duplicate-key", "1:8"),
        ("1e9999999999999999", "document.number-range", "1:1"), ("[\"é\", x]", "json.literal", "1:7"),
        ("\u{1}", "json.syntax", "1:1"),
        ("{\"a\" 1}", "json.syntax", "1:6"), ("[,1]", "json.syntax", "1:2"), ("{,}", "json.syntax", "1:2"),
        ("\r\n\r[x]", "json.literal", "3:2"),
    ])
    func refuses(_ text: String, _ id: String, _ place: String) throws {
        let first = try #require(problems(text).first)
        #expect(first.id.rawValue == id)
        #expect(first.severity == .error)
        #expect(first.range?.start.description == place)
        #expect(first.range?.file == "t.json")
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0x22, 0x80, 0x22], [0x22, 0xF0, 0x8F, 0xBF, 0xBF, 0x22],
        ] as [[UInt8]])
    func refusesMalformedUTF8(_ bytes: [UInt8]) throws {
        let first = try #require(problems(bytes).first)
        #expect(first.id == "document.invalid-utf8")
        #expect(first.range?.start.offset == 1)
    }

    @Test func refusesUTF16() {
        #expect(problems([0xFF, 0xFE, 0x31, 0x00]).first?.id == "document.encoding")
    }

    @Test func reportsSeveralMistakes() {
        let found = problems("{\"a\": 01, \"b\": [1,], \"c\": nope, \"a\": \"\\q\"}")
        #expect(
            found.map(\.id.rawValue) == [
                "json.number", "json.trailing-comma", "json.literal", "json.escape", "document.duplicate-key",
            ])
    }

    @Test func stopsAtTheLimitOfProblems() {
        var options = ReadOptions()
        options.maximumDiagnostics = 3
        #expect(problems("[" + String(repeating: "x,", count: 100) + "1]", options).count == 3)
    }

    @Test func depthIsLimited() throws {
        let deep = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
        #expect(problems(deep).isEmpty)
        #expect(problems("[" + deep + "]").first?.id == "document.too-deep")
        #expect(problems(String(repeating: "[", count: 1_000_000)).first?.id == "document.too-deep")
        #expect(problems(String(repeating: #"{"a":"#, count: 1_000_000)).first?.id == "document.too-deep")
    }

    @Test func equalityCountsTheLastOfDuplicateKeys() throws {
        func node(_ text: String) throws -> Node { try JSONReader.read(text, options: .lenient).root }
        let twice = try node(#"{"a": 1, "a": 2}"#)
        #expect(twice.isEqual(try node(#"{"a": 1, "a": 2}"#)))
        #expect(twice.isEqual(try node(#"{"a": 2}"#)))
        #expect(!twice.isEqual(try node(#"{"a": 2, "b": 2}"#)))
        #expect(!(try node(#"[{"a": 1, "b": 1}]"#)).isEqual(try node(#"[{"a": 1, "a": 1}]"#)))
    }

    @Test func duplicateKeysCanBeWarnings() throws {
        let document = try JSONReader.read(#"{"a":1,"a":2}"#, options: .lenient)
        #expect(document.diagnostics.map(\.severity) == [.warning])
        #expect(document.root.value == ["a": 2])
        #expect(document.root["a"]?.intValue == 2)
        #expect(document.root.count == 2)
    }

    @Test func loneSurrogatesCanBeReplaced() throws {
        var options = ReadOptions()
        options.loneSurrogates = .replace
        let document = try JSONReader.read(#"["\ud800x", "\udc00"]"#, options: options)
        #expect(document.root.value == ["\u{FFFD}x", "\u{FFFD}"])
        #expect(document.diagnostics.count == 2)
    }

    @Test func manyWarningsDoNotStopReading() throws {
        var options = ReadOptions.lenient
        options.loneSurrogates = .replace
        let text = "[" + String(repeating: #""\ud800","#, count: 50) + #"{"a":1,"a":2}]"#
        let document = try JSONReader.read(text, options: options)
        #expect(document.root.count == 51)
        #expect(document.diagnostics.count == 21)
    }

    @Test func largeObjectsFindKeysAndDuplicates() throws {
        let members = (0..<1000).map { "\"key\($0)\": \($0)" }
        let root = try JSONReader.read("{" + members.joined(separator: ",") + "}").root
        #expect(root["key777"]?.intValue == 777)
        #expect(root["key1000"] == nil)
        let found = problems("{" + (members + ["\"key500\": 0"]).joined(separator: ",") + "}")
        #expect(found.map(\.id) == ["document.duplicate-key"])
        #expect(found.first?.notes.count == 1)
    }
}

struct NodeTests {
    static let text = """
        {
          "name": "Zoë",
          "tags": ["a", {"b": 1.50}],
          "ünï": [true, null]
        }
        """

    @Test func knowsItsPlaceAndPath() throws {
        let root = try JSONReader.read(Self.text, file: "x.json").root
        let b = try #require(root["tags"]?.elements[1]["b"])
        #expect(b.range?.description == "x.json:3:23")
        #expect(b.range?.end.description == "3:27")
        #expect(b.pointer.description == "/tags/1/b")
        #expect(b.keyNode?.range?.start.description == "3:18")
        #expect(b.keyNode?.pointer.description == "/tags/1/b")
        #expect(b.numberText == "1.50")
        #expect(b.numberValue == DecimalNumber("1.5"))
        let nested = try #require(root["ünï"])
        #expect(nested.range?.start.description == "4:10")
        #expect(nested.elements[1].range?.start.description == "4:17")
        #expect(root.range?.end.description == "5:2")
        #expect(root.members.map(\.key) == ["name", "tags", "ünï"])
        #expect(root.pointer.description == "")
    }

    @Test func writesAsRead() throws {
        let root = try JSONReader.read(Self.text).root
        #expect(JSONWriter(style: .compact).write(root) == #"{"name":"Zoë","tags":["a",{"b":1.50}],"ünï":[true,null]}"#)
    }

    @Test(
        arguments: [
            (.compact, #"{"a":[1,{}],"b":[]}"#), (.spaced, #"{"a": [1, {}], "b": []}"#),
            (.pretty(indent: 2), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"),
        ] as [(JSONWriter.Style, String)])
    func writesInStyles(_ style: JSONWriter.Style, _ expected: String) throws {
        let value: JSONValue = ["a": [1, [:]], "b": []]
        #expect(JSONWriter(style: style).write(value) == expected)
        #expect(JSONWriter(style: style).write(Document(value: value).root) == expected)
        #expect(try JSONReader.read(expected).root.value == value)
    }

    @Test func writesShortEscapes() {
        #expect(
            JSONWriter().write("\"\\/\u{8}\t\n\u{C}\r\u{1}\u{7F}é😀") == "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\u{7F}é😀\"")
    }
}
