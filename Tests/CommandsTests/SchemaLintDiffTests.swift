// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// `formwork schema lint`, `formwork schema diff` and the outputs of the specification.
struct SchemaLintDiffTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    // MARK: lint

    @Test func lintsFilesFoldersAndSpecs() throws {
        try terminal { terminal in
            try terminal.write("good.schema.json", #"{"type": "integer", "minimum": 1}"#)
            let good = try terminal.run("schema", "lint", "good.schema.json")
            #expect(good.status == 0, "\(good.errors)")
            #expect(good.output == "good.schema.json: valid\n")

            try terminal.write("warn.schema.json", #"{"type": "integer", "minLength": 1}"#)
            let warned = try terminal.run("schema", "lint", "warn.schema.json")
            #expect(warned.status == 0)
            #expect(
                warned.output.hasPrefix(
                    "warn.schema.json:1:21: warning: 'minLength' has no effect on values of type integer [lint.no-effect]"))
            #expect(try terminal.run("schema", "lint", "--strict", "warn.schema.json").status == 2)

            try terminal.write("bad.schema.json", #"{"type": "string", "minLength": 2, "maxLength": 1}"#)
            #expect(try terminal.run("schema", "lint", "bad.schema.json").status == 2)
            try terminal.write("broken.schema.json", #"{"type": "strin"}"#)
            #expect(try terminal.run("schema", "lint", "broken.schema.json").status == 4)
            try terminal.write("lost.schema.json", ##"{"properties": {"a": {"$ref": "#/$defs/a"}}}"##)
            let lost = try terminal.run("schema", "lint", "lost.schema.json")
            #expect(lost.status == 2)
            #expect(lost.output.contains("error: '$ref' leads to"))

            try terminal.write("data.json", #"{"port": 80}"#)
            let all = try terminal.run("schema", "lint", ".")
            #expect(all.status == 4)
            #expect(all.errors.contains("1 file that is no schema was passed over"))
            #expect(try terminal.run("schema", "lint", "none.json").status == 6)
            #expect(try terminal.run("schema", "lint", "data.json", "--output", "json").status == 0)
        }
    }

    @Test func lintsSpecsAtTheirPlaces() throws {
        try terminal { terminal in
            try terminal.write("s.yaml", "name: x\nfields:\n  a:\n    type: integer 0..9\n    default: 12\n")
            let found = try terminal.run("schema", "lint", "s.yaml", "--output", "json")
            #expect(found.status == 0, "\(found.errors)")
            let report = try JSONReader.read(found.output).root
            #expect(report.elements.first?["diagnostics"]?.elements.first?["id"]?.stringValue == "lint.default-refused")
        }
    }

    @Test func theRepositorysSchemasAreClean() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Schemas").path
        try terminal { terminal in
            let outcome = try terminal.run("schema", "lint", "--strict", folder + "/*.yaml", folder + "/formwork-p*.json")
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }

    @Test func lintWritesSARIF() throws {
        try terminal { terminal in
            try terminal.write("s.json", #"{"type": "string", "minimum": 1}"#)
            let outcome = try terminal.run("schema", "lint", "--output", "sarif", "s.json")
            let results = try JSONReader.read(outcome.output).root["runs"]?.elements.first?["results"]
            #expect(results?.elements.first?["ruleId"]?.stringValue == "lint.no-effect")
        }
    }

    // MARK: diff

    @Test func diffsTwoVersions() throws {
        try terminal { terminal in
            try terminal.write("a.json", #"{"type": "object", "properties": {"port": {"type": "integer", "maximum": 9}}}"#)
            try terminal.write("b.json", #"{"type": "object", "properties": {"port": {"type": "integer", "maximum": 5}}}"#)
            let same = try terminal.run("schema", "diff", "a.json", "a.json", "--direction", "both")
            #expect(same.status == 0, "\(same.errors)")
            #expect(same.output == "a.json → a.json: compatible\n  backward: yes\n  forward: yes\n")
            let narrower = try terminal.run("schema", "diff", "a.json", "b.json")
            #expect(narrower.status == 2)
            #expect(narrower.output.contains("b.json:1:74: error: 'maximum' was lowered from 9 to 5 [diff.bounds]"))
            #expect(narrower.output.contains("backward: no; valid before, not valid now: {\"port\":6}"))
            #expect(narrower.output.contains("forward: yes"))
            #expect(try terminal.run("schema", "diff", "--direction", "forward", "a.json", "b.json").status == 0)
            #expect(try terminal.run("schema", "diff", "b.json", "a.json").status == 0)
            let report = try terminal.run("schema", "diff", "a.json", "b.json", "--output", "json")
            let root = try JSONReader.read(report.output).root
            #expect(root["verdict"]?.stringValue == "forward")
            #expect(root["backward"]?["witness"]?.value == ["port": 6])
            #expect(root["changes"]?.elements.first?["lost"]?.value == 6)
            #expect(try terminal.run("schema", "diff", "a.json", "none.json").status == 6)
        }
    }

    // MARK: validate --output list

    @Test func validatesInTheFormatsOfTheSpecification() throws {
        try terminal { terminal in
            try terminal.write("s.json", #"{"type": "object", "properties": {"a": {"type": "integer"}}}"#)
            try terminal.write("good.json", #"{"a": 1}"#)
            try terminal.write("bad.json", #"{"a": "x"}"#)
            try terminal.write("broken.json", "{")
            try terminal.write("lines.jsonl", "{\"a\": 1}\n{\"a\": \"x\"}\n")
            try terminal.write("two.yaml", "a: 1\n---\na: x\n")
            let flags = try terminal.run(
                "validate", "--schema", "s.json", "--output", "flag", "good.json", "bad.json", "broken.json", "lines.jsonl",
                "two.yaml")
            #expect(flags.status == 2)
            let entries = Array(try JSONReader.read(flags.output).root.elements)
            #expect(entries.map { $0["output"]?["valid"]?.boolValue } == [true, false, false, true, false, true, false])
            #expect(entries.map { $0["line"]?.intValue } == [nil, nil, nil, 1, 2, nil, nil])
            #expect(entries.map { $0["document"]?.intValue } == [nil, nil, nil, nil, nil, 1, 2])
            #expect(entries[2]["diagnostics"]?.elements.isEmpty == false)
            for format in ["basic", "list", "hierarchical"] {
                let outcome = try terminal.run("validate", "--schema", "s.json", "--output", format, "bad.json")
                #expect(outcome.status == 2)
                let output = try #require(try JSONReader.read(outcome.output).root.elements.first?["output"])
                #expect(output["valid"]?.boolValue == false)
                #expect((output[format == "basic" ? "errors" : "details"]?.elements.count ?? 0) > 0)
            }
            #expect(try terminal.run("validate", "--schema", "s.json", "--output", "flag", "--strict", "good.json").status == 5)
            let none = try terminal.run("validate", "--schema", "none.json", "--output", "flag", "good.json")
            #expect(none.status == 6 || none.status == 4)
        }
    }

    // MARK: Furniture

    @Test(arguments: ["bash", "zsh", "fish"]) func printsCompletions(_ shell: String) throws {
        try terminal { terminal in
            let outcome = try terminal.run("completions", shell)
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("validate"))
            try terminal.write("script", outcome.output)
            // Where the shell is there, it must be able to read the script.
            let path = "/bin/\(shell)"
            guard FileManager.default.isExecutableFile(atPath: path) else { return }
            let check = try terminal.run(program: path, ["-n", "script"])
            #expect(check.status == 0, "\(check.errors)")
        }
    }

    @Test func writesManualPages() throws {
        try terminal { terminal in
            let page = try terminal.run("manual", "validate")
            #expect(page.status == 0)
            #expect(page.output.hasPrefix(".TH FORMWORK\\-VALIDATE 1"))
            #expect(page.output.contains("\\fB\\-\\-fail\\-fast\\fR"))
            #expect(try terminal.run("manual", "nothing").status == 5)
            #expect(try terminal.run("manual", "schema", "diff").output == terminal.run("manual", "schema").output)
            #expect(try terminal.run("manual", "schema", "nothing").status == 5)
            let all = try terminal.run("manual", "--folder", "man/man1")
            #expect(all.status == 0, "\(all.errors)")
            let names = try FileManager.default.contentsOfDirectory(
                atPath: terminal.folder.appendingPathComponent("man/man1").path)
            #expect(names.contains("formwork.1") && names.contains("formwork-schema.1"))
            // Every command of the program has a page.
            let overview = try terminal.run("manual").output
            for name in names where name != "formwork.1" {
                let command = name.dropFirst("formwork-".count).dropLast(2)
                #expect(overview.contains("formwork\\-\(command) (1)"))
            }
        }
    }
}
