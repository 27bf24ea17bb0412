// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

/// TOML and CSV as they are written.
struct OtherWritersTests {
    @Test(
        arguments: [
            ([:], ""),
            (["a": 1, "b": -2.5, "c": true, "d": "x\ty\"z"], "a = 1\nb = -2.5\nc = true\nd = \"x\\ty\\\"z\"\n"),
            (
                ["t": ["u": ["x": 1], "e": [:]], "a b": [1, [], ["k": [:]]]],
                "\"a b\" = [1, [], { k = {} }]\n\n[t.u]\nx = 1\n\n[t.e]\n"
            ),
            (["a": [["b": 1], ["c": [["d": 2]]]]], "[[a]]\nb = 1\n\n[[a]]\n\n[[a.c]]\nd = 2\n"),
            (
                ["t": "one\n\"\"two\"\"\"\n\"", "": "\u{7F}"],
                "t = \"\"\"\none\n\"\\\"two\"\\\"\"\n\\\"\"\"\"\n\"\" = \"\\u007F\"\n"
            ),
        ] as [(JSONValue, String)])
    func writesTOML(_ value: JSONValue, _ text: String) throws {
        #expect(try TOMLWriter().write(value) == text)
        #expect(try TOMLReader.read(text).root.value == value)
    }

    @Test func largeIntegersBecomeFloats() throws {
        let value = try JSONReader.read(#"{"a": 12345678901234567890, "b": 9223372036854775807, "c": 1e30}"#).root.value
        let text = try TOMLWriter().write(value)
        #expect(text == "a = 12345678901234567890.0\nb = 9223372036854775807\nc = 1e30\n")
        #expect(try TOMLReader.read(text).root.value == value)
    }

    @Test func refusesWhatTOMLCannotHold() {
        let error = #expect(throws: DiagnosticsError.self) {
            try TOMLWriter().write(["a": [1, nil], "b": ["c": nil]])
        }
        #expect(error?.diagnostics.map(\.id) == ["toml.null", "toml.null"])
        #expect(error?.diagnostics.map { $0.path?.description } == ["/a/1", "/b/c"])
        #expect(throws: DiagnosticsError.self) { try TOMLWriter().write([1]) }
    }

    private static func withoutNull(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null: false
        case .array(let values): .array(values.map(withoutNull))
        case .object(let object): .object(JSONObject(object.members.map { ($0.key, withoutNull($0.value)) }))
        default: value
        }
    }

    @Test(arguments: 0..<20)
    func readsBackAsTheSameValue(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) &* 67_867_967)
        for _ in 0..<100 {
            let value = Self.withoutNull(YAMLWriterTests.random(&generator, depth: 4))
            guard case .object = value else { continue }
            let text = try TOMLWriter().write(value)
            try #require(TOMLReader.read(text).root.value == value, "\(text)")
        }
    }

    @Test(
        arguments: [
            ([], ""), ([[:], [:]], ""),
            (
                [["a": 1, "b": ["c": "x", "d": nil]], ["e": true, "a": ""]],
                "a,b.c,b.d,e\n1,x,,\n\"\",,,true\n"
            ),
            (
                [1.5, "a,b", "say \"x\"", "\n", " y", nil],
                "value\n1.5\n\"a,b\"\n\"say \"\"x\"\"\"\n\"\n\"\n\" y\"\n\"\"\n"
            ),
            ([["a": [1, "x"], "b": [:]]], "a,b\n\"[1,\"\"x\"\"]\",{}\n"),
            ([["a;b": 1]], "a;b\n1\n"),
        ] as [([JSONValue], String)])
    func writesCSV(_ rows: [JSONValue], _ text: String) throws {
        #expect(try CSVWriter(lineEnd: "\n").write(rows) == text)
    }

    @Test func quotesAreFoundWhateverFollows() throws {
        #expect(try CSVWriter(lineEnd: "\n").write([["a": "\"\u{301}"]]) == "a\n\"\"\"\u{301}\"\n")
    }

    @Test func linesEndAsTheStandardHasIt() throws {
        #expect(try CSVWriter().write([["a": 1], ["a": "x\ny"]]) == "a\r\n1\r\n\"x\ny\"\r\n")
    }

    @Test func columnsOfTheSameNameAreRefused() {
        let error = #expect(throws: DiagnosticsError.self) {
            try CSVWriter().write([["a.b": 1], ["a": ["b": 2]]])
        }
        #expect(error?.diagnostics.first?.id == "csv.column")
        #expect(error?.diagnostics.first?.path?.description == "/1/a/b")
        #expect(throws: DiagnosticsError.self) { try CSVWriter().write([["value": 1], 2]) }
    }

    @Test func theSeparatorIsQuoted() throws {
        let text = try CSVWriter(separator: ";", lineEnd: "\n").write([["a;b": "c;d", "e": "f,g"]])
        #expect(text == "\"a;b\";e\n\"c;d\";f,g\n")
    }
}
