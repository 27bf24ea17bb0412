// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// Mends of the text, one rule each, without a schema.
struct RepairTextTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var input: String
        var wanted: String
        var id: String
        var testDescription: String { input }

        init(_ input: String, _ wanted: String, _ id: String) {
            self.input = input
            self.wanted = wanted
            self.id = id
        }
    }

    private func check(_ test: Case, _ format: DocumentFormat) {
        var options = Repairer.Options()
        options.format = format
        let repair = Repairer.repair(Array(test.input.utf8), file: nil, validator: nil, options: options)
        #expect(repair.outcome == .repaired, "\(repair.problems)")
        #expect(String(decoding: repair.bytes, as: UTF8.self) == test.wanted)
        #expect(repair.changes.contains { $0.id.rawValue == test.id }, "\(repair.changes.map(\.id))")
    }

    @Test(arguments: [
        // Commas.
        Case(#"{"a": 1 "b": 2}"#, #"{"a": 1, "b": 2}"#, "json.missing-comma"),
        Case("[1\n2]", "[1,\n2]", "json.missing-comma"),
        Case(#"{"a": 1,}"#, #"{"a": 1}"#, "json.trailing-comma"),
        Case("[1,2,]", "[1,2]", "json.trailing-comma"),
        Case("[1,,2]", "[1,2]", "json.extra-comma"),
        Case("[,1]", "[1]", "json.extra-comma"),
        Case(#"{"a": 1; "b": 2}"#, #"{"a": 1, "b": 2}"#, "json.separator"),
        // Colons.
        Case(#"{"a" 1}"#, #"{"a": 1}"#, "json.missing-colon"),
        Case(#"{"a" true}"#, #"{"a": true}"#, "json.missing-colon"),
        Case(#"{"a" = 1}"#, #"{"a" : 1}"#, "json.separator"),
        Case(#"{"a" => 1}"#, #"{"a" : 1}"#, "json.separator"),
        // Quotes.
        Case("{'a': 'it'}", #"{"a": "it"}"#, "json.quote"),
        Case("{a: 1}", #"{"a": 1}"#, "json.quote"),
        Case("{“a”: “b”}", #"{"a": "b"}"#, "json.quote"),
        Case("{\"a\": \"b,\n\"c\": 1}", "{\"a\": \"b\",\n\"c\": 1}", "json.quote"),
        Case("{\"a\": \"b\n\"c\": 1}", "{\"a\": \"b\",\n\"c\": 1}", "json.quote"),
        Case(#"{"a": "b, "c": 1}"#, #"{"a": "b", "c": 1}"#, "json.quote"),
        Case(#"{"a": b", "c": 1}"#, #"{"a": "b", "c": 1}"#, "json.quote"),
        Case(#"{"a: 1, "b": 2}"#, #"{"a": 1, "b": 2}"#, "json.quote"),
        Case(#"{a": 1}"#, #"{"a": 1}"#, "json.quote"),
        Case(#"{"a": hello world, "b": 1}"#, #"{"a": "hello world", "b": 1}"#, "json.quote"),
        Case(#"{"a": "say "hi" to"}"#, #"{"a": "say \"hi\" to"}"#, "json.inner-quote"),
        Case("{'a': 'it's'}", #"{"a": "it's"}"#, "json.quote"),
        Case(#"{"a": u'x'}"#, #"{"a": "x"}"#, "json.quote"),
        // Escapes and control characters.
        Case(#"{"a": "C:\dir"}"#, #"{"a": "C:\\dir"}"#, "json.escape"),
        Case(#"{"a": "\x41\'"}"#, #"{"a": "\u0041'"}"#, "json.escape"),
        Case("{\"a\": \"x\ty\"}", #"{"a": "x\ty"}"#, "json.control-character"),
        Case("{\"a\": \"one\ntwo\", \"b\": 1}", #"{"a": "one\ntwo", "b": 1}"#, "json.control-character"),
        // Brackets.
        Case(#"{"a": {"b": 1}"#, #"{"a": {"b": 1}}"#, "json.missing-bracket"),
        Case(#"{"a": [1, 2}"#, #"{"a": [1, 2]}"#, "json.missing-bracket"),
        Case(#"{"a": [1, 2, "b": 3}"#, #"{"a": [1, 2], "b": 3}"#, "json.missing-bracket"),
        Case(#"[{"a": 1, {"a": 2}]"#, #"[{"a": 1}, {"a": 2}]"#, "json.missing-bracket"),
        Case(
            "{\n  \"a\": {\n    \"b\": 1,\n  \"c\": 2\n}", "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": 2\n}",
            "json.missing-bracket"),
        Case(
            "{\n  \"a\": {\n    \"b\": 1\n  }},\n  \"c\": 2\n}", "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": 2\n}",
            "json.extra-bracket"),
        Case(#"{"a": 1}}"#, #"{"a": 1}"#, "json.extra-bracket"),
        Case(#"{"a": 1}, "b": 2}"#, #"{"a": 1, "b": 2}"#, "json.extra-bracket"),
        Case(#""a": 1, "b": 2}"#, #"{"a": 1, "b": 2}"#, "json.missing-bracket"),
        // Words and numbers.
        Case("[True, False, None]", "[true, false, null]", "json.literal"),
        Case("[undefined]", "[null]", "json.no-value"),
        Case("[NaN]", "[null]", "json.no-value"),
        Case("[+1]", "[1]", "json.number"),
        Case("[.5]", "[0.5]", "json.number"),
        Case("[5.]", "[5]", "json.number"),
        Case("[1_000]", "[1000]", "json.number"),
        Case("[0x1F]", "[31]", "json.number"),
        Case("[007]", "[7]", "json.number"),
        // Around the document.
        Case("// why\n{\"a\": 1 /* one */}", "{\"a\": 1 }", "json.comment"),
        Case("{\"a\": 1, # one\n\"b\": 2}", "{\"a\": 1,\n\"b\": 2}", "json.comment"),
        Case("```json\n{\"a\": 1}\n```\n", "{\"a\": 1}\n", "text.fence"),
        Case("Sure, here it is:\n{\"a\": 1}\nBye.", "{\"a\": 1}", "text.around"),
        Case("{]", "{}", "json.wrong-bracket"),
        Case(#"{"a": f(x, y)", "b": 1}"#, #"{"a": "f(x, y)", "b": 1}"#, "json.quote"),
        Case("{\"a\":\u{A0}1}", #"{"a": 1}"#, "text.space"),
        // Cut off.
        Case(#"{"a": 1, "b": "xy"#, #"{"a": 1, "b": "xy"}"#, "json.quote"),
        Case(#"{"a": 1, "b":"#, #"{"a": 1}"#, "text.truncated"),
        Case(#"{"a": 1, "b"#, #"{"a": 1}"#, "text.truncated"),
        Case(#"{"a": 1, "b": tr"#, #"{"a": 1, "b": true}"#, "text.truncated"),
        Case(#"{"a": [1, 2,"#, #"{"a": [1, 2]}"#, "json.trailing-comma"),
    ])
    func json(_ test: Case) { check(test, .json) }

    @Test(arguments: [
        Case("{\"a\": 1 // one\n\"b\": 2,}", "{\"a\": 1, // one\n\"b\": 2,}", "json.missing-comma"),
        Case("{\"a\": 1, # one\n\"b\": 2}", "{\"a\": 1, // one\n\"b\": 2}", "json.comment"),
    ])
    func jsonWithComments(_ test: Case) { check(test, .jsonc) }

    @Test(arguments: [
        Case("a:\n  b: 1\n\tc: 2\n", "a:\n  b: 1\n  c: 2\n", "yaml.tab"),
        Case("a:\n  b: 1\n   c: 2\nd: 3\n", "a:\n  b: 1\n  c: 2\nd: 3\n", "yaml.indentation"),
        Case("a:\n   b: 1\n  c: 2\n  d: 3\n", "a:\n  b: 1\n  c: 2\n  d: 3\n", "yaml.indentation"),
        Case("a:\n  - b: 1\n   - c: 2\n  - d: 3\n", "a:\n  - b: 1\n  - c: 2\n  - d: 3\n", "yaml.indentation"),
        Case("a: 1\nb 2\nc: 3\n", "a: 1\nb: 2\nc: 3\n", "yaml.missing-colon"),
        Case("a 1\nb: 2\n", "a: 1\nb: 2\n", "yaml.missing-colon"),
        Case("a\n  b: 1\nc: 2\n", "a:\n  b: 1\nc: 2\n", "yaml.missing-colon"),
        Case("- a 1\n  b: 2\n", "- a: 1\n  b: 2\n", "yaml.missing-colon"),
        Case("a: 1\nb:2\n", "a: 1\nb: 2\n", "yaml.missing-space"),
        Case("- x\n-y\n- z\n", "- x\n- y\n- z\n", "yaml.missing-space"),
        Case("a: 1\nb = 2\n", "a: 1\nb: 2\n", "yaml.separator"),
        Case("a: \"x\nb: 2\n", "a: \"x\"\nb: 2\n", "yaml.quote"),
        Case("a: 'x\nb: 2\n", "a: 'x'\nb: 2\n", "yaml.quote"),
        Case("a: x: y\nb: 2\n", "a: \"x: y\"\nb: 2\n", "yaml.quote"),
        Case("a: @x\nb: 2\n", "a: \"@x\"\nb: 2\n", "yaml.quote"),
        Case("a: *.txt\nb: 2\n", "a: \"*.txt\"\nb: 2\n", "yaml.quote"),
        Case("a: 'it's'\nb: 2\n", "a: \"it's\"\nb: 2\n", "yaml.quote"),
        Case("a: \"C:\\dir\"\nb: 2\n", "a: \"C:\\\\dir\"\nb: 2\n", "yaml.escape"),
        Case("a: [1, 2\nb: 2\n", "a: [1, 2]\nb: 2\n", "yaml.missing-bracket"),
        Case("a: {b: 1\nc: 2\n", "a: {b: 1}\nc: 2\n", "yaml.missing-bracket"),
        Case("# why\na:   \"x  # one\nb: 2   # two\n", "# why\na:   \"x\"  # one\nb: 2   # two\n", "yaml.quote"),
        Case("```yaml\na: 1\n```\n", "a: 1\n", "text.fence"),
        Case("a: |\n  one: \"\n  two\nb: 1\n   c: 2\n", "a: |\n  one: \"\n  two\nb: 1\nc: 2\n", "yaml.indentation"),
    ])
    func yaml(_ test: Case) { check(test, .yaml) }

    @Test(arguments: [
        Case("a: 1\n", "a = 1\n", "toml.separator"),
        Case("a 1\nb = 2\n", "a = 1\nb = 2\n", "toml.missing-equals"),
        Case("a = \"x\nb = 2\n", "a = \"x\"\nb = 2\n", "toml.quote"),
        Case("a = x\nb = 2\n", "a = \"x\"\nb = 2\n", "toml.quote"),
        Case("a = “x”\n", "a = \"x\"\n", "toml.quote"),
        Case("a = True\n", "a = true\n", "toml.literal"),
        Case("a = 1,\nb = 2\n", "a = 1\nb = 2\n", "toml.extra-comma"),
        Case("[a\nb = 2\n", "[a]\nb = 2\n", "toml.missing-bracket"),
        Case("[[a]\nb = 2\n", "[[a]]\nb = 2\n", "toml.missing-bracket"),
        Case("a = [1, 2\nb = 2\n", "a = [1, 2]\nb = 2\n", "toml.missing-bracket"),
        Case("a = 007\n", "a = 7\n", "toml.number"),
        Case("// why\na = 1\n", "# why\na = 1\n", "toml.comment"),
        Case("a = 1\nb =\n", "a = 1\n", "text.truncated"),
    ])
    func toml(_ test: Case) { check(test, .toml) }

    @Test func linesAreMendedOneByOne() {
        check(
            Case("{\"a\": 1}\n{\"a\": 2\n{'a': 3}\n", "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3}\n", "json.missing-bracket"),
            .jsonl)
    }

    @Test(arguments: [
        ("{}", DocumentFormat.json), ("{ \"a\" : 1.50 }\n\n", .json), ("\u{FEFF}[1]", .json),
        ("// x\n{\"a\": 1,}", .jsonc),
        ("a:   1 # x\n", .yaml), ("a = 1 # x\n", .toml), ("a:\n- 1\n-   2\n", .yaml),
    ])
    func whatIsRightStays(_ text: String, _ format: DocumentFormat) {
        var options = Repairer.Options()
        options.format = format
        let repair = Repairer.repair(Array(text.utf8), file: nil, validator: nil, options: options)
        #expect(repair.outcome == .unchanged)
        #expect(repair.bytes == Array(text.utf8))
        #expect(repair.changes.isEmpty)
    }

    @Test(arguments: [
        "", "   ", "{\"a\": 1, ...}", "[1, ...]", "hello", "{\"a\": new Date()}", "{\"a\", \"b\"}",
        "{\"a\": }{\"b\": 1}",
    ])
    func whatCannotBeKnownIsRefused(_ text: String) {
        var options = Repairer.Options()
        options.format = .json
        let repair = Repairer.repair(Array(text.utf8), file: nil, validator: nil, options: options)
        #expect(
            repair.outcome == .failed || repair.outcome == .ambiguous,
            "\(String(decoding: repair.bytes, as: UTF8.self))")
        #expect(repair.bytes == Array(text.utf8))
        #expect(!repair.problems.isEmpty)
    }

    @Test func twoLikelyReadingsAreRefused() {
        var options = Repairer.Options()
        options.format = .json
        let repair = Repairer.repair(
            Array(#"{"a": {"b": 1, "c": 2}"#.utf8), file: nil, validator: nil, options: options)
        #expect(repair.outcome == .ambiguous)
        #expect(repair.problems.first?.id == "repair.ambiguous")
    }

    /// A line between two levels may belong to either: nothing is chosen by chance, and a schema decides.
    @Test func equallyLikelyIndentationsAreRefused() throws {
        let text = "a:\n    b:\n      c: 1\n     d: 2\ne: 3\n"
        var options = Repairer.Options()
        options.format = .yaml
        let alone = Repairer.repair(Array(text.utf8), file: nil, validator: nil, options: options)
        #expect(alone.outcome == .ambiguous)
        for (schema, wanted) in [
            (#"{"properties": {"a": {"properties": {"b": {"required": ["d"]}}}}}"#, "      d: 2"),
            (#"{"properties": {"a": {"required": ["d"]}}}"#, "    d: 2"),
        ] {
            let validator = Validator(try graph(schema))
            let repair = Repairer.repair(Array(text.utf8), file: nil, validator: validator, options: options)
            #expect(repair.outcome == .repaired, "\(repair.problems)")
            #expect(
                String(decoding: repair.bytes, as: UTF8.self)
                    == text.replacing("     d: 2", with: wanted))
        }
    }

    @Test func placesAreThoseOfTheOldText() throws {
        var options = Repairer.Options()
        options.format = .json
        let text = "{\n  \"a\": 1\n  \"b\": tru,\n  'c': 3\n}"
        let repair = Repairer.repair(Array(text.utf8), file: "x.json", validator: nil, options: options)
        let places = repair.changes.map { "\($0.range.start)" }
        #expect(places == ["2:9", "3:8", "4:3"])
        #expect(repair.changes.last?.pointer?.description == "/c")
        #expect(repair.changes.last?.before == "'c'")
        #expect(repair.changes.last?.after == "\"c\"")
    }
}
