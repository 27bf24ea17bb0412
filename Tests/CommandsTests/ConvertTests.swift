// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `formwork format --to`.
struct ConvertTests {
    private func convert(
        _ name: String, _ text: String, _ options: String...
    ) throws -> (status: Int32, output: String, errors: String) {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.write(name, text)
        let outcome = try terminal.run(["format", name, "--to"] + options)
        return (outcome.status, outcome.output, outcome.errors)
    }

    @Test func writesOneNotationAsAnother() throws {
        #expect(
            try convert("a.yaml", "a: &x [1, 0x10]\nb: *x\nc: 'on'\n", "json").output
                == "{\n  \"a\": [1, 16],\n  \"b\": [1, 16],\n  \"c\": \"on\"\n}\n")
        #expect(
            try convert("a.json", #"{"a": {"b": "on"}, "l": [1]}"#, "yaml").output
                == "a:\n  b: \"on\"\nl:\n  - 1\n")
        #expect(try convert("a.json5", "{a: {b: 0xF,}, c: 'x'}", "toml").output == "c = \"x\"\n\n[a]\nb = 15\n")
        #expect(
            try convert("a.toml", "a = 1\n[b]\nc = 1979-05-27\n", "json").output
                == "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"1979-05-27\"\n  }\n}\n")
        #expect(
            try convert("a.json", #"[{"a": 1, "b": {"c": "x,y"}}, {"a": null, "d": [1]}]"#, "csv").output
                == "a,b.c,d\n1,\"x,y\",\n,,[1]\n")
        #expect(try convert("a.json", #"[{"a": 1}, 2]"#, "jsonl").output == "{\"a\": 1}\n2\n")
        #expect(try convert("a.jsonl", "{\"a\": 1}\n{\"a\": 2}\n", "csv").output == "a\n1\n2\n")
        #expect(try convert("a.jsonl", "1\n[2]\n", "json").output == "[\n  1,\n  [2]\n]\n")
        #expect(try convert("a.yaml", "a: 1\n---\nb: 2\n", "jsonl").output == "{\"a\": 1}\n{\"b\": 2}\n")
        #expect(try convert("a.jsonl", "{\"a\": 1}\n{\"b\": 2}\n", "yaml").output == "---\na: 1\n---\nb: 2\n")
        // The same notation is laid out.
        #expect(try convert("a.yaml", "a:   1 # c\n", "yaml").output == "a: 1 # c\n")
        #expect(try convert("a.json", #"{"b": 1, "a": 2}"#, "yaml", "--order", "alphabetical").output == "a: 2\nb: 1\n")
    }

    @Test func saysWhatCannotBeHeld() throws {
        let null = try convert("a.json", "{\"a\": 1,\n \"b\": null}", "toml")
        #expect(null.status == 3)
        #expect(null.errors.contains("a.json:2:7: error: TOML has no null [toml.null]"), "\(null.errors)")
        #expect(null.output.isEmpty)
        #expect(try convert("a.json", "[1]", "toml").status == 3)
        let several = try convert("a.yaml", "a: 1\n---\nb: 2\n", "json")
        #expect(several.status == 3)
        #expect(several.errors.contains("[convert.several]"), "\(several.errors)")
        let column = try convert("a.jsonl", "{}\n{\"a.b\": 1, \"a\": {\"b\": 2}}\n", "csv")
        #expect(column.status == 3)
        #expect(column.errors.contains("a.jsonl:2:"), "\(column.errors)")
        #expect(try convert("a.json", "{\"a\": }", "yaml").status == 2)
        #expect(try convert("a.yaml", "a: .inf\n", "json").status == 2)
        #expect(try convert("a.json", "{}", "json", "--write").status == 5)
        #expect(try convert("a.json", "{}", "xml").status == 5)
    }

    @Test func commentsAreNotLostInSilence() throws {
        let loud = try convert("a.jsonc", "{\"a\": 1} // one\n", "json")
        #expect(loud.status == 0)
        #expect(loud.output == "{\n  \"a\": 1\n}\n")
        #expect(loud.errors.contains("1 comment is lost in JSON"), "\(loud.errors)")
        let quiet = try convert("a.yaml", "# c\na: 1\n", "json", "--drop-comments")
        #expect(quiet.errors.isEmpty, "\(quiet.errors)")
        let twice = try convert("a.yaml", "a: 1\na: 2\n", "json")
        #expect(twice.output == "{\n  \"a\": 2\n}\n")
        #expect(twice.errors.contains("duplicate key"), "\(twice.errors)")
    }
}
