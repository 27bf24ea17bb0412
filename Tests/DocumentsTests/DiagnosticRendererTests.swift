// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

struct DiagnosticRendererTests {
    @Test func showsTheExcerptWithNotesAndHelp() throws {
        let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"a\": 3\n}"
        let error = #expect(throws: DiagnosticsError.self) { try JSONReader.read(text, file: "x.json") }
        #expect(
            error?.description == """
                x.json:4:3: error: duplicate key 'a' [document.duplicate-key]
                    2 |   "a": 1,
                      |   --- note: first used here
                      …
                    4 |   "a": 3
                      |   ^~~
                      = help: remove or rename one of them

                """)
    }

    @Test func cutsLongLines() throws {
        let text = "[" + String(repeating: "1,", count: 500) + "x," + String(repeating: "1,", count: 500) + "1]"
        let error = try #require(#expect(throws: DiagnosticsError.self) { try JSONReader.read(text, file: "x.json") })
        let lines = error.description.split(separator: "\n")
        #expect(lines[1].unicodeScalars.count < 180)
        let caret = try #require(Array(lines[2]).firstIndex(of: "^"))
        #expect(Array(lines[1])[caret] == "x")
    }

    @Test func controlCharactersDoNotReachTheTerminal() {
        let diagnostic = Diagnostic("x.y", "bad '\u{1B}[31m'")
        #expect(DiagnosticRenderer().text(diagnostic) == "error: bad '\u{FFFD}[31m' [x.y]\n")
    }

    @Test func writesJSON() throws {
        let error = try #require(#expect(throws: DiagnosticsError.self) { try JSONReader.read("[1,]", file: "x.json") })
        let value = DiagnosticRenderer().json(error.diagnostics)
        #expect(value[0]?["id"] == "json.trailing-comma")
        #expect(value[0]?["range"]?["start"] == ["line": 1, "column": 3, "offset": 2])
        #expect(value[0]?["help"] == "remove it")
    }
}
