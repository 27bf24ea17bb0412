// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `formwork format`, and `formwork validate` on other notations than JSON and YAML.
struct FormatCommandTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    @Test func printsTheLayout() throws {
        try terminal { terminal in
            try terminal.write("a.jsonc", "{\"a\":1, // one\n}")
            let outcome = try terminal.run("format", "a.jsonc")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output == "{\n  \"a\": 1 // one\n}\n")
            #expect(try terminal.read("a.jsonc") == "{\"a\":1, // one\n}")
            let piped = try terminal.run("format", "--stdin-filename", "x.toml", "--indent", "4", input: "a=[1,# c\n]")
            #expect(piped.output == "a = [\n    1, # c\n]\n")
        }
    }

    @Test func checkAndDiffAgreeWithWrite() throws {
        try terminal { terminal in
            try terminal.write("a.toml", "a=1")
            try terminal.write("b.json", "{}\n")
            let script = terminal.folder.appendingPathComponent("a.toml").path
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: script)
            let check = try terminal.run("format", "--check", "a.toml", "b.json")
            #expect(check.status == 2)
            #expect(check.output == "a.toml\n")
            let diff = try terminal.run("format", "--diff", "a.toml", "b.json")
            #expect(diff.status == 2)
            #expect(diff.output.hasPrefix("--- a/a.toml\n+++ b/a.toml\n@@ -1,1 +1,1 @@\n-a=1\n"))
            let write = try terminal.run("format", "--write", "a.toml", "b.json")
            #expect(write.status == 0)
            #expect(write.output.isEmpty)
            #expect(try terminal.read("a.toml") == "a = 1\n")
            let attributes = try FileManager.default.attributesOfItem(atPath: script)
            #expect(attributes[.posixPermissions] as? Int == 0o640)
            #expect(try terminal.run("format", "--check", "a.toml", "b.json").status == 0)
        }
    }

    @Test func laysOutYAML() throws {
        try terminal { terminal in
            try terminal.write("a.yaml", "# c\na:\n- b:   1 # d\n")
            let check = try terminal.run("format", "--check", "a.yaml")
            #expect(check.status == 2)
            #expect(check.output == "a.yaml\n")
            #expect(try terminal.run("format", "--write", "a.yaml").status == 0)
            #expect(try terminal.read("a.yaml") == "# c\na:\n  - b: 1 # d\n")
            #expect(try terminal.run("format", "--check", "a.yaml").status == 0)
            let flush = try terminal.run("format", "--sequences", "flush", "a.yaml")
            #expect(flush.output == "# c\na:\n- b: 1 # d\n")
            let piped = try terminal.run("format", "--stdin-filename", "x.yml", input: "# only   ")
            #expect(piped.output == "# only\n")
        }
    }

    @Test func aBrokenFileIsLeftAlone() throws {
        try terminal { terminal in
            try terminal.write("a.json", "{\"a\": }")
            try terminal.write("b.json", "[ ]")
            let outcome = try terminal.run("format", "--write", "a.json", "b.json")
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains("a.json:1:7"))
            #expect(try terminal.read("a.json") == "{\"a\": }")
            // The others are done all the same.
            #expect(try terminal.read("b.json") == "[]\n")
            #expect(try terminal.run("format", "--write", "--check", "b.json").status == 5)
            #expect(try terminal.run("format", "none.json").status == 6)
            try terminal.write("c.yaml", "a: 1\nb: [\n")
            let yaml = try terminal.run("format", "--write", "c.yaml")
            #expect(yaml.status == 2)
            #expect(yaml.errors.contains("c.yaml:3:1: error:"), "\(yaml.errors)")
            #expect(try terminal.read("c.yaml") == "a: 1\nb: [\n")
            let piped = try terminal.run("format", "--stdin-filename", "x.yaml", input: "a: b: c")
            #expect(piped.errors.contains("x.yaml:1:5"))
            // Rewriting would leave plain text under a name that says otherwise.
            try terminal.write("d.yaml.gz", "a: 1")
            #expect(try terminal.run("format", "--write", "d.yaml.gz").status == 3)
            #expect(try terminal.read("d.yaml.gz") == "a: 1")
        }
    }

    @Test func otherNotationsAreValidated() throws {
        try terminal { terminal in
            try terminal.write(
                "s.json", #"{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}"#)
            try terminal.write("a.toml", "a = 1\n")
            try terminal.write("b.jsonc", "{\"a\": 1, /* c */}")
            try terminal.write("c.jsonl", "{\"a\": 1}\n{\"a\": 2}\n")
            let valid = try terminal.run("validate", "--schema", "s.json", "a.toml", "b.jsonc", "c.jsonl")
            #expect(valid.status == 0, "\(valid.output)")
            try terminal.write("d.toml", "# c\na = 'x'\n")
            try terminal.write("e.jsonl", "{\"a\": 1}\n{\"b\": 2}\n")
            let invalid = try terminal.run("validate", "--schema", "s.json", "d.toml", "e.jsonl")
            #expect(invalid.status == 2)
            #expect(invalid.output.contains("d.toml:2:5: error: expected integer, found a string"))
            #expect(invalid.output.contains("e.jsonl:2:1: error:"))
            #expect(invalid.output.contains("    2 | {\"b\": 2}"))
            #expect(invalid.output.contains("e.jsonl: 1 of 2 values are invalid"))
            let json = try terminal.run("validate", "--schema", "s.json", "--output", "json", "e.jsonl")
            #expect(json.output.contains("\"values\": 2"))
            #expect(json.output.contains("\"line\": 2"))
        }
    }

    @Test func verbatimStringsNeedTheirSource() throws {
        try terminal { terminal in
            try terminal.write("s.yaml", "fields:\n  q: string (verbatim)\n")
            try terminal.write("a.json", #"{"q": "Ada"}"#)
            try terminal.write("b.json", #"{"q": "Eve"}"#)
            try terminal.write("text.txt", "Call Ada")
            #expect(try terminal.run("validate", "--schema", "s.yaml", "--source", "text.txt", "a.json").status == 0)
            let wrong = try terminal.run("validate", "--schema", "s.yaml", "--source", "text.txt", "b.json")
            #expect(wrong.status == 2)
            #expect(wrong.output.contains("[value.x-verbatim]"))
            let missing = try terminal.run("validate", "--schema", "s.yaml", "a.json")
            #expect(missing.status == 5)
            #expect(missing.errors.contains("validate.no-source"))
            let check = try terminal.run("schema", "check", "s.yaml")
            #expect(check.status == 0)
            #expect(check.output.contains("enforced with the source text"))
            try terminal.write("none.txt", "")
            try terminal.write("t.yaml", "fields:\n  q: string 1.. (verbatim)\n")
            #expect(try terminal.run("schema", "check", "--source", "none.txt", "t.yaml").status == 4)
        }
    }
}
