// SPDX-License-Identifier: Apache-2.0

import Commands
import Documents
import Foundation
import Testing

/// Which schema `validate` checks a file with where no option says.
struct SchemaLookupTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        for folder in ["schemas", "config/deep"] { try Self.folder(folder, in: terminal) }
        try terminal.write("schemas/n.json", #"{"properties": {"n": {"type": "integer"}}}"#)
        try terminal.write("schemas/s.yaml", "fields:\n  s: string\n")
        return try body(terminal)
    }

    private static func folder(_ name: String, in terminal: Terminal) throws {
        try FileManager.default.createDirectory(
            at: terminal.folder.appendingPathComponent(name), withIntermediateDirectories: true)
    }

    // MARK: In the file

    @Test(arguments: [
        "# yaml-language-server: $schema=../schemas/n.json\n", "#yaml-language-server:   $schema=../schemas/n.json  \n",
        "# $schema: ../schemas/n.json\n", "#:schema ../schemas/n.json\n", "# $schema: '../schemas/n.json'\n",
        "\n# a comment\n\n# $schema: ../schemas/n.json\n# $schema: ../schemas/s.yaml\n",
        "%YAML 1.2\n# c\n---\n# $schema: ../schemas/n.json\n", "\u{FEFF}# $schema: ../schemas/n.json\r\n",
        "--- # c\n#:schema ./../schemas/n.json\n",
    ])
    func modelines(start: String) throws {
        try terminal { terminal throws in
            try terminal.write("config/good.yaml", start + "n: 1\n")
            try terminal.write("config/bad.yaml", start + "n: x\n")
            let good = try terminal.run("validate", "config/good.yaml")
            #expect(good.status == 0, "\(good.output)\(good.errors)")
            let bad = try terminal.run("validate", "config/bad.yaml")
            #expect(bad.status == 2)
            #expect(bad.output.contains("expected integer"))
        }
    }

    @Test(arguments: [
        "n: x\n# $schema: ../schemas/n.json\n", "# $schema ../schemas/n.json\nn: x\n", "#:schemata ../schemas/n.json\nn: x\n",
        "# yaml-language-server: schema=../schemas/n.json\nn: x\n", "# $schema:\nn: x\n",
    ])
    func whatIsNoModeline(text: String) throws {
        try terminal { terminal throws in
            try terminal.write("config/a.yaml", text)
            let outcome = try terminal.run("validate", "config/a.yaml")
            #expect(outcome.status == 4)
            #expect(outcome.output.contains("[schema.none]"))
            #expect(outcome.output.contains("$schema"))
        }
    }

    @Test func otherNotationsNameTheirSchema() throws {
        try terminal { terminal throws in
            try terminal.write("config/a.toml", "#:schema ../schemas/n.json\nn = \"x\"\n")
            try terminal.write("config/b.json", #"{"$schema": "../schemas/n.json", "n": "x"}"#)
            try terminal.write("config/c.jsonc", #"{/**/"$schema": "../schemas/n.json", "n": "x",}"#)
            let absolute = terminal.folder.appendingPathComponent("schemas/n.json").path
            try terminal.write("config/d.json", #"{"$schema": "file://\#(absolute)", "n": "x"}"#)
            try terminal.write("config/e.json", #"{"$schema": "\#(absolute)", "n": "x"}"#)
            try terminal.write("config/f.yaml", "$schema: ../schemas/n.json\nn: x\n---\n$schema: ../schemas/s.yaml\ns: 1\n")
            for name in ["a.toml", "b.json", "c.jsonc", "d.json", "e.json"] {
                let outcome = try terminal.run("validate", "config/\(name)")
                #expect(outcome.status == 2, "\(name): \(outcome.output)")
                #expect(outcome.output.contains("expected integer"))
            }
            let both = try terminal.run("validate", "config/f.yaml")
            #expect(both.output.contains("config/f.yaml:2:4: error: expected integer"))
            #expect(both.output.contains("config/f.yaml:5:4: error: expected string"), "\(both.output)")
            // A comment goes before the member, and an option before both.
            try terminal.write("config/g.yaml", "# $schema: ../schemas/s.yaml\n$schema: ../schemas/n.json\ns: a\n")
            #expect(try terminal.run("validate", "config/g.yaml").output.contains("'$schema'"))
            #expect(try terminal.run("validate", "--schema", "schemas/n.json", "config/g.yaml").status == 0)
            let piped = try terminal.run("validate", "-", input: "# $schema: schemas/n.json\nn: x\n")
            #expect(piped.status == 2)
            #expect(piped.output.contains("<stdin>:2:4: error: expected integer"))
        }
    }

    @Test func schemasAreCheckedWithTheirMetaschema() throws {
        try terminal { terminal throws in
            for draft in [
                "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#",
                "https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema",
            ] {
                try terminal.write("good.json", #"{"$schema": "\#(draft)", "type": "integer"}"#)
                try terminal.write("bad.json", #"{"$schema": "\#(draft)", "type": 7}"#)
                let good = try terminal.run("validate", "good.json")
                #expect(good.status == 0, "\(good.output)\(good.errors)")
                let bad = try terminal.run("validate", "bad.json")
                #expect(bad.status == 2)
                #expect(bad.output.contains("bad.json:1:"))
            }
        }
    }

    @Test func addressesAreLookedUpAndNeverFetched() throws {
        try terminal { terminal throws in
            try terminal.write("a.json", #"{"$schema": "https://example.com/v1/n.json", "n": "x"}"#)
            let unknown = try terminal.run("validate", "a.json")
            #expect(unknown.status == 4)
            #expect(
                unknown.output.contains("a.json:1:13: error: the schema 'https://example.com/v1/n.json' is not at hand"))
            #expect(unknown.output.contains("schema add FILE --address"))
            let known = try terminal.run("validate", "--registry", "https://example.com/v1/=schemas", "a.json")
            #expect(known.status == 2)
            #expect(known.output.contains("expected integer"))
            try terminal.write("b.json", #"{"$schema": "none.json", "n": "x"}"#)
            let missing = try terminal.run("validate", "b.json", "--output", "json")
            #expect(missing.status == 4)
            #expect(missing.output.contains("schema.not-found"))
            try terminal.write("c.json", ##"{"$schema": "schemas/n.json#/properties/n", "n": "x"}"##)
            #expect(try terminal.run("validate", "c.json").output.contains("[schema.fragment]"))
        }
    }

    // MARK: Without a schema, or with a broken one

    @Test func filesWithoutASchemaArePassedOverUnlessNamed() throws {
        try terminal { terminal throws in
            try terminal.write("config/a.yaml", "# $schema: ../schemas/n.json\nn: 1\n")
            try terminal.write("config/b.yaml", "n: 1\n")
            try terminal.write("config/deep/c.json", "{}")
            let found = try terminal.run("validate", "config")
            #expect(found.status == 0, "\(found.output)")
            #expect(found.output == "config/a.yaml: valid\n")
            #expect(found.errors == "2 files without a schema were passed over\n")
            let globbed = try terminal.run("validate", "config/*.yaml")
            #expect(globbed.errors == "1 file without a schema was passed over\n")
            let named = try terminal.run("validate", "config/b.yaml", "config")
            #expect(named.status == 4)
            #expect(named.output.contains("no schema is known for 'config/b.yaml' [schema.none]"))
            // A check of nothing does not pass.
            let nothing = try terminal.run("validate", "config/deep")
            #expect(nothing.status == 4)
            #expect(nothing.errors.contains("no file has a schema"))
            let quiet = try terminal.run("validate", "--quiet", "config/b.yaml")
            #expect(quiet.status == 4)
            #expect(quiet.output.isEmpty)
            #expect(quiet.errors.contains("no schema is known"))
            // Where a file cannot be read, nobody knows what it would name.
            try terminal.write("config/deep/c.json", "{")
            #expect(try terminal.run("validate", "config").status == 2)
        }
    }

    @Test func aBrokenSchemaIsShownOnceAndNamedByEachFile() throws {
        try terminal { terminal throws in
            try terminal.write("schemas/bad.json", "{\n  \"type\": \"strin\"}")
            for name in ["a", "b"] { try terminal.write("config/\(name).yaml", "# $schema: ../schemas/bad.json\nn: 1\n") }
            try terminal.write("config/c.yaml", "# $schema: ../schemas/n.json\nn: 1\n")
            let outcome = try terminal.run("validate", "config")
            #expect(outcome.status == 4)
            #expect(
                outcome.errors.components(separatedBy: "schemas/bad.json:2:12: error:").count == 2, "\(outcome.errors)")
            for name in ["a", "b"] {
                #expect(
                    outcome.output.contains("config/\(name).yaml:1:12: error: the schema 'schemas/bad.json' is wrong"),
                    "\(outcome.output)")
            }
            #expect(outcome.output.contains("config/c.yaml: valid"))
            let annotations = try terminal.run("validate", "config", "--output", "github")
            #expect(annotations.status == 4)
            #expect(annotations.output.contains("::error file=schemas/bad.json,line=2,"))
        }
    }

    // MARK: Threads, and when to stop

    @Test func reportsComeInOrder() throws {
        try terminal { terminal throws in
            var names: [String] = []
            for index in 0..<60 {
                let name = "config/\(index + 100).json"
                names.append(name)
                // The first take longest.
                let list = Array(repeating: "1", count: (60 - index) * 400).joined(separator: ",")
                try terminal.write(name, #"{"n": \#(index % 3 == 0 ? "1" : "\"x\""), "l": [\#(list)]}"#)
            }
            try terminal.write("config/130.jsonl", "{\"n\": 1}\n{\"n\": \"x\"}\n")
            let one = try terminal.run("validate", "--schema", "schemas/n.json", "--threads", "1", "config")
            let many = try terminal.run("validate", "--schema", "schemas/n.json", "--threads", "7", "config")
            #expect(one.status == 2)
            #expect(many.status == 2)
            #expect(many.output == one.output)
            #expect(one.output.components(separatedBy: ": valid\n").count == 21)
            #expect(one.output.contains("config/130.jsonl: 1 of 2 values are invalid"))
            #expect(try terminal.run("validate", "--schema", "schemas/n.json", "--threads", "0", "config").status == 5)
        }
    }

    @Test(arguments: ["1", "4"])
    func failFastStopsAtTheFirst(threads: String) throws {
        try terminal { terminal throws in
            try terminal.write("a.json", #"{"n": 1}"#)
            try terminal.write("b.jsonl", "{\"n\": 1}\n{\"n\": \"x\"}\n{\"n\": \"y\"}\n")
            try terminal.write("c.json", #"{"n": "x"}"#)
            let files = ["a.json", "b.jsonl", "c.json"]
            let options = ["validate", "--schema", "schemas/n.json", "--threads", threads]
            let all = try terminal.run(options + files)
            #expect(all.output.contains("b.jsonl:3:"))
            #expect(all.output.contains("c.json:1:"))
            let fast = try terminal.run(options + ["--fail-fast"] + files)
            #expect(fast.status == 2)
            #expect(fast.output.contains("a.json: valid"))
            #expect(fast.output.contains("b.jsonl:2:"))
            #expect(!fast.output.contains("b.jsonl:3:"))
            #expect(!fast.output.contains("c.json"))
            // Reports are whole all the same.
            let json = try terminal.run(options + ["--fail-fast", "--output", "json"] + files)
            #expect(try JSONReader.read(Array(json.output.utf8)).root.count == 2)
        }
    }

    // MARK: Watching

    /// Runs `validate --watch` for two rounds with a change between them.
    private func watch(_ terminal: Terminal, _ arguments: [String], change: () throws -> Void) throws -> String {
        let process = Process()
        process.executableURL = Terminal.program
        process.arguments = ["validate", "--watch", "--watch-rounds", "2"] + arguments
        process.currentDirectoryURL = terminal.folder
        process.environment = ProcessInfo.processInfo.environment.merging([
            "FORMWORK_HOME": terminal.folder.appendingPathComponent("home").path, "GITHUB_ACTIONS": "",
        ]) { $1 }
        let log = terminal.folder.appendingPathComponent(".log")
        FileManager.default.createFile(atPath: log.path, contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        try process.run()
        defer { if process.isRunning { process.terminate() } }
        for _ in 0..<600 where try !terminal.read(".log").contains("watching") { Thread.sleep(forTimeInterval: 0.05) }
        try change()
        for _ in 0..<600 where process.isRunning { Thread.sleep(forTimeInterval: 0.05) }
        #expect(!process.isRunning)
        return try terminal.read(".log")
    }

    @Test func watchingSeesChangesOfFilesAndSchemas() throws {
        try terminal { terminal throws in
            try terminal.write("schemas/part.json", #"{"type": "integer"}"#)
            try terminal.write("schemas/r.json", #"{"properties": {"n": {"$ref": "part.json"}}}"#)
            try terminal.write("config/a.yaml", "# $schema: ../schemas/r.json\nn: 1\n")
            let file = try watch(terminal, ["config"]) { try terminal.write("config/a.yaml", "# $schema: ../schemas/r.json\nn: xy\n") }
            #expect(file.hasPrefix("config/a.yaml: valid\nwatching "), "\(file)")
            #expect(file.contains("expected integer"))
            let schema = try watch(terminal, ["config"]) { try terminal.write("schemas/part.json", #"{"type": "string"}"#) }
            #expect(schema.contains("expected integer"))
            #expect(schema.contains("config/a.yaml: valid"))
            let added = try watch(terminal, ["config"]) {
                try terminal.write("config/b.yaml", "# $schema: ../schemas/r.json\nn: a\n")
            }
            #expect(added.contains("config/b.yaml: valid"))
            // A schema that is broken meanwhile does not end it.
            let broken = try watch(terminal, ["--schema", "schemas/n.json", "config"]) {
                try terminal.write("schemas/n.json", "{")
            }
            #expect(broken.contains("schemas/n.json:1:"))
            #expect(try terminal.run("validate", "--watch", "--schema", "schemas/s.yaml", "-").status == 5)
        }
    }
}
