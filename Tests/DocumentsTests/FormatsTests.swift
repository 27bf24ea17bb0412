// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

/// JSON with comments, JSON Lines, and which notation a file is read in.
struct FormatsTests {
    @Test(
        arguments: [
            ("// c\n1", 1), ("/* a */[1,/**/2 ,// b\n]", [1, 2]), ("{\"a\":1,}", ["a": 1]), ("[1]// end", [1]),
            ("[]/* end */", []),
            ("[\"// no\", \"/* no */\",]", ["// no", "/* no */"]), ("{\"a\"/*k*/:/*v*/1}", ["a": 1]),
            ("// a\r[1]", [1]),
        ] as [(String, JSONValue)])
    func readsComments(_ text: String, _ value: JSONValue) throws {
        let document = try JSONReader.read(text, options: .commented)
        #expect(document.root.value == value)
        #expect(document.format == .jsonc)
        #expect(throws: DiagnosticsError.self) { try JSONReader.read(text) }
    }

    @Test(arguments: [
        ("[,]", "json.syntax", "1:2"), ("[1,,2]", "json.syntax", "1:4"), ("{,}", "json.syntax", "1:2"),
        ("1 /* x", "json.unterminated-comment", "1:3"),
        ("/* x *", "json.unterminated-comment", "1:1"), ("// x", "json.empty", "1:5"),
        ("1 / 2", "json.trailing-text", "1:3"),
    ])
    func refusesWhatIsNoJSONC(_ text: String, _ id: String, _ place: String) {
        let error = #expect(throws: DiagnosticsError.self) { try JSONReader.read(text, options: .commented) }
        #expect(error?.diagnostics.first?.id.rawValue == id)
        #expect(error?.diagnostics.first?.range?.start.description == place)
    }

    @Test func commentsAreUTF8() {
        let error = #expect(throws: DiagnosticsError.self) {
            try JSONReader.read(Array("1 // ".utf8) + [0xFF], options: .commented)
        }
        #expect(error?.diagnostics.first?.id == "document.invalid-utf8")
    }

    @Test(
        arguments: [
            ("a.json", .json), ("a.jsonc", .jsonc), ("x/.vscode/settings.json", .jsonc), ("tsconfig.json", .jsonc),
            ("tsconfig.base.json", .jsonc), ("mytsconfig.json", .json), ("a.toml", .toml), ("Cargo.TOML", .toml),
            ("a.jsonl", .jsonl),
            ("a.ndjson", .jsonl), ("a.yml", .yaml), ("a.txt", nil),
        ] as [(String, DocumentFormat?)])
    func knowsNotationsByName(_ name: String, _ format: DocumentFormat?) {
        #expect(DocumentReader.format(ofFile: name) == format)
    }

    @Test func readsLines() throws {
        let text = "{\"a\": 1}\r\n\n  \n[2]\n3"
        let documents = try DocumentReader.readAll(Array(text.utf8), file: "x.jsonl")
        #expect(documents.map(\.root.value) == [["a": 1], [2], 3])
        #expect(documents.map { $0.root.range?.start.line } == [1, 4, 5])
        #expect(documents[1].root.elements[0].range?.description == "x.jsonl:4:2")
        #expect(documents[1].root.elements[0].range?.start.offset == 15)
        let broken = #expect(throws: DiagnosticsError.self) {
            try DocumentReader.readAll(Array("1\n[1,\n2\n{]\n".utf8), file: "x.jsonl")
        }
        #expect(broken?.diagnostics.map { $0.range?.start.line } == [2, 4])
        let shown = DiagnosticRenderer(sources: broken?.sources ?? []).text(broken?.diagnostics ?? [])
        #expect(shown.contains("4 | {]"))
    }
}
