// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

struct DocumentFormatterTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var format: DocumentFormat
        var text: String
        var result: String
        var testDescription: String { text }

        init(_ format: DocumentFormat, _ text: String, _ result: String) {
            self.format = format
            self.text = text
            self.result = result
        }
    }

    static func format(
        _ text: String, _ format: DocumentFormat, _ options: FormatOptions = FormatOptions()
    ) throws -> String {
        String(
            decoding: try DocumentFormatter.format(Array(text.utf8), format: format, options: options), as: UTF8.self)
    }

    @Test(arguments: [
        Case(.json, " 1 ", "1\n"), Case(.json, "{ }\n\n", "{}\n"), Case(.json, "[\n\n]", "[]\n"),
        Case(.json, "{\"b\":1.50,\"a\":[1,\n2]}", "{\n  \"b\": 1.50,\n  \"a\": [1, 2]\n}\n"),
        Case(.json, "{\"b\":\n1}", "{\n  \"b\": 1\n}\n"), Case(.json, "[{},[1]]", "[{}, [1]]\n"),
        Case(.json, "[\n{},\n\n\n[1e5]]", "[\n  {},\n\n  [1e5]\n]\n"),
        Case(.json, "{\r\n\"a\":1}", "{\r\n  \"a\": 1\r\n}\r\n"),
        Case(.json, "\u{FEFF}[1]", "\u{FEFF}[1]\n"), Case(.json, "\"\\u00e9\\/\"", "\"\\u00e9\\/\"\n"),
        Case(.jsonc, "// a\n\n\n/* b */ [1,]// c\n// d", "// a\n\n/* b */ [1] // c\n// d\n"),
        Case(
            .jsonc, "{\n// own\n\n\"a\" /*k*/ : /*v*/ 1, // behind\n\"b\":2 /* before comma */, \n\n// last\n\n}",
            "{\n  // own\n\n  \"a\": /*k*/ /*v*/ 1, // behind\n  \"b\": 2 /* before comma */\n\n  // last\n}\n"),
        Case(.jsonc, "[1 // one\n, 2]", "[\n  1, // one\n  2\n]\n"),
        Case(.jsonc, "[ // open\n 1, /* in */ 2, /* end */\n]", "[ // open\n  1,\n  /* in */ 2 /* end */\n]\n"),
        Case(.jsonc, "{\"a\": // c\n[\n{}]}", "{\n  \"a\": // c\n    [\n    {}\n  ]\n}\n"),
        Case(.jsonl, "{\"a\" :1}\n\n[ 1,2 ]", "{\"a\": 1}\n[1, 2]\n"),
        Case(.jsonl, "\u{FEFF}[\r1]\r\n2", "\u{FEFF}[1]\r\n2\r\n"), Case(.jsonl, "[\r1]\n2", "[1]\n2\n"),
        Case(.json, "{\"a\": 1,\"a\": 2}", "{\"a\": 1, \"a\": 2}\n"),
        Case(.toml, "", ""), Case(.toml, "# only\n\n\n\n# comments", "# only\n\n# comments\n"),
        Case(.toml, "a=1", "a = 1\n"),
        Case(
            .toml, "a . 'b'=1_000   # c  \n[ t ]\n[[ u . v ]]\nx=0xFF",
            "a.'b' = 1_000 # c\n\n[t]\n\n[[u.v]]\nx = 0xFF\n"),
        Case(.toml, "a=1\n# about t\n[t]", "a = 1\n\n# about t\n[t]\n"),
        Case(.toml, "a=[ 1,2, ]\nb=[1, # x\n2]\nc=[\n'y']", "a = [1, 2]\nb = [\n  1, # x\n  2,\n]\nc = ['y']\n"),
        Case(
            .toml, "a={b=1,c={ }}\nd=[{e=1},\n{e=2}]", "a = { b = 1, c = {} }\nd = [\n  { e = 1 },\n  { e = 2 },\n]\n"),
        Case(.toml, "a=\"\"\"\n x\n\"\"\"\nb=1979-05-27 07:32:00", "a = \"\"\"\n x\n\"\"\"\nb = 1979-05-27 07:32:00\n"),
        Case(.toml, "a={b=[1, # c\n2]}", "a = { b = [\n  1, # c\n  2,\n] }\n"),
    ])
    func laysOut(_ example: Case) throws {
        let result = try Self.format(example.text, example.format)
        #expect(result == example.result)
        #expect(try Self.format(result, example.format) == result)
    }

    @Test func linesKeepToTheWidth() throws {
        let text = #"{"name": "value", "list": [1, 2, 3], "other": {"a": 1}}"#
        #expect(try Self.format(text, .json, FormatOptions(width: 56)) == text + "\n")
        #expect(
            try Self.format(text, .json, FormatOptions(indent: 4, width: 30))
                == "{\n    \"name\": \"value\",\n    \"list\": [1, 2, 3],\n    \"other\": {\"a\": 1}\n}\n")
        #expect(
            try Self.format("a = ['xxxxxxxxxx', 'yyyyyyyyyy']", .toml, FormatOptions(width: 20))
                == "a = [\n  'xxxxxxxxxx',\n  'yyyyyyyyyy',\n]\n")
    }

    @Test(arguments: [
        (DocumentFormat.json, "{\"a\": 1,}", "json.trailing-comma"), (.json, "// c\n1", "json.comment"),
        (.toml, "a =", "toml.syntax"), (.yaml, "a: [", "yaml.syntax"), (.jsonl, "1\n[", "json.unexpected-end"),
    ])
    func refusesWhatIsWrong(_ format: DocumentFormat, _ text: String, _ id: String) {
        let error = #expect(throws: DiagnosticsError.self) { try Self.format(text, format) }
        #expect(error?.diagnostics.first?.id.rawValue == id)
    }

    private static let seeds: [(DocumentFormat, String)] = [
        (
            .jsonc,
            "// a\n{\"k\": [1,\t2.50, /* b */ 3,], // c\n \"é\": {\"x\": null,}, \"y\" /* k */: // l\n [ ], // z\n}\n// end"
        ),
        (
            .toml,
            "# a\n\n[ t . 'u' ] # b\nk . l = [ 1, # c\n  {m = 'x', n.o = 2}, ] \n[[v]]\nw = \"\"\"\n#\\\n \"\"\"\nz={}\n"
                + "x={a=1,b=[1,\n2]}\n# end"
        ),
    ]

    @Test("layouts of damaged texts keep value and comments, and are final", arguments: 0..<12)
    func isIdempotentAndKeepsEverything(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) &* 15_485_863)
        var formatted = 0
        for _ in 0..<600 {
            let (format, text) = try #require(Self.seeds.randomElement(using: &generator))
            let bytes = HostileInputTests.damage(text, &generator)
            let options = FormatOptions(
                indent: Int.random(in: 1...4, using: &generator),
                width: [20, 40, 100].randomElement(using: &generator) ?? 80)
            // The formatter itself compares values and comments: that must never be what stops it.
            do throws(DiagnosticsError) {
                let result = try DocumentFormatter.format(bytes, format: format, options: options)
                formatted += 1
                let again = try DocumentFormatter.format(result, format: format, options: options)
                #expect(again == result, "\(String(decoding: bytes, as: UTF8.self))")
                #expect(result.isEmpty || result.last == 0x0A || result.last == 0x0D)
            } catch {
                #expect(
                    !error.diagnostics.contains { $0.id == "format.changed" },
                    "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(formatted > 20)
    }

    @Test func differencesAreUnified() {
        func unified(_ old: String, _ new: String) -> String {
            LineDifference.unified(Array(old.utf8), Array(new.utf8), oldName: "a", newName: "b")
        }
        #expect(unified("x\n", "x\n").isEmpty)
        #expect(unified("x", "x\n") == "--- a\n+++ b\n@@ -1,1 +1,1 @@\n-x\n\\ No newline at end of file\n+x\n")
        #expect(unified("", "x\n") == "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n")
        let old = (1...20).map { "\($0)\n" }.joined()
        let new = old.replacing("\n3\n", with: "\nthree\n").replacing("\n19\n", with: "\n")
        #expect(
            unified(old, new)
                == "--- a\n+++ b\n@@ -1,6 +1,6 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n@@ -16,5 +16,4 @@\n 16\n 17\n 18\n-19\n 20\n"
        )
    }
}
