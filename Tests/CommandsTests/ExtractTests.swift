// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// `formwork validate --extract`, and what it finds.
struct ExtractTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    private func found(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return DocumentExtractor.find(in: bytes).map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    @Test func findsDocumentsInFences() {
        #expect(found("Sure!\n\n```json\n{\"a\": 1}\n```\nDone {x}.") == ["{\"a\": 1}\n"])
        #expect(found("```\n[1]\n```") == ["[1]\n"])
        #expect(found("```python\nx = {1}\n```\n~~~yaml title\na: 1\n```\n~~~~\n") == ["a: 1\n```\n"])
        #expect(found("1. one:\n   ````json5\n   {a: 1}\n   ````\n2.\n```json\n2\n```") == ["   {a: 1}\n", "2\n"])
        #expect(found("```json\r\n{\"a\": \"b") == ["{\"a\": \"b"])
        #expect(found("<think>{\"no\": 1}</think>\n{\"yes\": 1}") == ["\n{\"yes\": 1}"])
    }

    @Test func findsTheFirstValueInProse() {
        #expect(found("It is {\"a\": \"}\"} and {\"b\": 1}.") == ["{\"a\": \"}\"}"])
        #expect(found("As in [1], {it} is [{\"a\": [1]}].") == ["[{\"a\": [1]}]"])
        #expect(found("See [1, 2].") == ["[1, 2]"])
        #expect(found("Use {name: 'x',}!") == ["{name: 'x',}"])
        #expect(found("Cut {\"a\": [1, ") == ["{\"a\": [1, "])
        #expect(found("nothing {here} at all") == ["{here}"])
        #expect(found("nothing at all").isEmpty)
        #expect(found("").isEmpty)
    }

    @Test(arguments: ["{", "[", "{\"", "[[\"", "{\"a\":", "```\n{\n", "{\"a\":{"])
    func hostileTextsTakeBoundedWork(_ piece: String) {
        let bytes = Array(String(repeating: piece, count: 200_000).utf8)
        let start = ContinuousClock.now
        let parts = DocumentExtractor.find(in: bytes)
        #expect(parts.allSatisfy { $0.range.upperBound <= bytes.count })
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func placesAreThoseOfTheFile() throws {
        try terminal { terminal in
            try terminal.write("s.json", #"{"properties": {"a": {"type": "string"}}, "required": ["a"]}"#)
            try terminal.write("a.md", "# Answer\n\nDée: {\"a\": 1} and more\n")
            let outcome = try terminal.run("validate", "--schema", "s.json", "--extract", "a.md")
            #expect(outcome.status == 2)
            #expect(outcome.output.contains("a.md:3:12: error:"), "\(outcome.output)")
            #expect(outcome.output.contains("| Dée: {\"a\": 1} and more"), "\(outcome.errors)")
            try terminal.write("b.md", "x\n\n```yaml\na: ok\n```\n\n```json\n{\"a\": tru}\n```\n")
            let second = try terminal.run("validate", "--schema", "s.json", "--extract", "b.md")
            #expect(second.status == 2)
            #expect(second.output.contains("b.md:8:7: error:"), "\(second.errors)")
            try terminal.write("c.md", "```json\n{\"a\": \"x\"}\n```\n")
            #expect(try terminal.run("validate", "--schema", "s.json", "--extract", "c.md").status == 0)
            #expect(try terminal.run("validate", "--schema", "s.json", "c.md").status == 2)
            let piped = try terminal.run("validate", "--schema", "s.json", "--extract", input: "Yes: {\"a\": \"x\"}")
            #expect(piped.status == 0, "\(piped.errors)")
            let none = try terminal.run("validate", "--schema", "s.json", "--extract", input: "I cannot do that.")
            #expect(none.status == 2)
            #expect(none.output.contains("[extract.none]"), "\(none.errors)")
            // Files that are documents are read as such.
            try terminal.write("d.yaml", "a: \"{not} this\"\n")
            #expect(try terminal.run("validate", "--schema", "s.json", "--extract", "d.yaml").status == 0)
            let report = try terminal.run("validate", "--schema", "s.json", "--extract", "--output", "json", "b.md")
            #expect(report.status == 2)
            #expect(report.output.contains("\"line\": 8") || report.output.contains("\"line\":8"), "\(report.output)")
        }
    }
}
