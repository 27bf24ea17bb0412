// SPDX-License-Identifier: Apache-2.0

import Commands
import Documents
import Foundation
import Testing

/// The project file and the catalogue of schemas.
struct ProjectTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        for folder in ["schemas", "config/deep", ".github"] {
            try FileManager.default.createDirectory(
                at: terminal.folder.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        try terminal.write("schemas/n.json", #"{"properties": {"n": {"type": "integer"}}}"#)
        try terminal.write("schemas/s.yaml", "fields:\n  s: string\n")
        try terminal.write("config/a.yaml", "n: x\n")
        try terminal.write("config/deep/b.json", #"{"s": 1}"#)
        return try body(terminal)
    }

    /// Runs in a folder below that of the terminal.
    private func run(_ terminal: Terminal, in folder: String, _ arguments: String...) throws -> Terminal.Outcome {
        try terminal.run(
            program: "/usr/bin/env",
            ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder, Terminal.program.path] + arguments)
    }

    @Test func theSchemaOfTheProjectFileIsTheOneThatIsShown() throws {
        let file = Self.root.appendingPathComponent("Schemas/formwork-project.schema.json")
        #expect(try String(contentsOf: file, encoding: .utf8) == ProjectSchema.text)
    }

    @Test func globsGiveSchemas() throws {
        try terminal { terminal throws in
            try terminal.write(
                "formwork.yaml",
                """
                # yaml-language-server: $schema=none-of-ours.json
                schemas:
                  config/*.{yaml,yml}: schemas/n.json
                  "**/deep/*": ./schemas/s.yaml
                  "*.lines.jsonl": schemas/n.json
                  .github/*: schemas/n.json
                  config/deep/b.json: schemas/n.json
                """)
            try terminal.write("config/x.lines.jsonl", "{\"n\": \"x\"}\n")
            try terminal.write(".github/w.yaml", "n: x\n")
            let outcome = try terminal.run("validate", "config", ".github/w.yaml")
            #expect(outcome.status == 2, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("config/a.yaml:1:4: error: expected integer"))
            #expect(outcome.output.contains("config/deep/b.json:1:7: error: expected string"))
            #expect(outcome.output.contains("config/x.lines.jsonl:1:7: error: expected integer"))
            #expect(outcome.output.contains(".github/w.yaml:1:4: error: expected integer"))
            // From a folder below, and by an absolute path.
            let below = try run(terminal, in: "config/deep", "validate", "b.json", "../a.yaml")
            #expect(below.output.contains("b.json:1:7: error: expected string"), "\(below.output)\(below.errors)")
            #expect(below.output.contains("../a.yaml:1:4: error: expected integer"))
            let absolute = terminal.folder.appendingPathComponent("config/a.yaml").path
            #expect(try terminal.run("validate", absolute).output.contains("expected integer"))
            #expect(try terminal.run("validate", "--no-project", "config/a.yaml").status == 4)
            // An option goes before it, and so does what the file says.
            #expect(try terminal.run("validate", "--schema", "schemas/s.yaml", "config/a.yaml").output.contains("'n'"))
            try terminal.write("config/a.yaml", "# $schema: ../schemas/s.yaml\ns: a\n")
            #expect(try terminal.run("validate", "config/a.yaml").status == 0)
            // But an address that is not at hand does not.
            try terminal.write("config/deep/b.json", #"{"$schema": "https://example.com/x", "s": 1}"#)
            #expect(try terminal.run("validate", "config/deep/b.json").output.contains("expected string"))
        }
    }

    @Test func theProjectFileHasASchemaToo() throws {
        try terminal { terminal throws in
            try terminal.write("formwork.yaml", "exclude: [config]\n")
            let outcome = try terminal.run("validate", "formwork.yaml")
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }

    @Test func excludedFilesAreNotFound() throws {
        try terminal { terminal throws in
            try terminal.write("formwork.yaml", "exclude: [deep/, 'config/c*', 'schemas/**']\nschemas: {'**/*': schemas/n.json}\n")
            try terminal.write("config/c.json", "[")
            let outcome = try terminal.run("validate", "--output", "json", ".")
            let files = try JSONReader.read(Array(outcome.output.utf8)).root.elements.compactMap { $0["file"]?.stringValue }
            #expect(files == ["config/a.yaml", "formwork.yaml"])
            // What is named is checked, and a folder of which nothing is left is no mistake.
            #expect(try terminal.run("validate", "config/c.json").status == 2)
            #expect(try terminal.run("validate", "config/deep").status == 0)
            #expect(try run(terminal, in: "config", "validate", "deep").status == 0)
            #expect(
                try terminal.run("validate", "--no-project", "--schema", "schemas/n.json", "config").output.contains("config/c.json"))
        }
    }

    @Test func settingsAreTakenUnlessAnOptionSaysOtherwise() throws {
        try terminal { terminal throws in
            try terminal.write(
                "formwork.yaml",
                "format: {indent: 4, width: 20, sequences: flush}\nvalidate: {formats: annotate, unresolved: allow}\n")
            try terminal.write("f.yaml", "a:\n- b:\n    c: 1\n")
            #expect(try terminal.run("format", "f.yaml").output.hasPrefix("a:\n- b:\n  "))
            #expect(try terminal.run("format", "--sequences", "indented", "f.yaml").output.contains("\n    - b:"))
            #expect(try terminal.run("format", "--no-project", "f.yaml").output.contains("\n  - b:"))
            try terminal.write("g.json", #"{"a": [1, 2, 3, 4, 5, 6, 7, 8]}"#)
            #expect(try terminal.run("format", "g.json").output.contains("\n        1,"))
            #expect(
                try terminal.run("format", "--width", "80", "g.json").output == "{\"a\": [1, 2, 3, 4, 5, 6, 7, 8]}\n")
            try terminal.write("s.json", #"{"format": "date", "$ref": "none.json"}"#)
            #expect(try terminal.run("validate", "--schema", "s.json", "-", input: "\"x\"").status == 0)
            #expect(
                try terminal.run("validate", "--schema", "s.json", "--formats", "assert", "-", input: "\"x\"").status == 2)
            #expect(
                try terminal.run("validate", "--schema", "s.json", "--unresolved", "refuse", "-", input: "\"x\"").status == 2)
            #expect(try terminal.run("validate", "--schema", "s.json", "--no-project", "-", input: "\"x\"").status == 2)
        }
    }

    @Test func registriesAreThoseOfTheProjectFile() throws {
        try terminal { terminal throws in
            try terminal.write("formwork.yaml", "registry: ['https://example.com/=schemas']\n")
            try terminal.write("config/a.json", #"{"$schema": "https://example.com/n", "n": "x"}"#)
            #expect(try terminal.run("validate", "config/a.json").output.contains("expected integer"))
            #expect(try run(terminal, in: "config", "validate", "a.json").output.contains("expected integer"))
            try terminal.write("formwork.yaml", "registry: [none]\n")
            #expect(try terminal.run("validate", "config/a.json").errors.contains("'none' is not a folder"))
        }
    }

    @Test(arguments: [
        ("schema: {}\n", "formwork.yaml:1:1: error:"), ("format:\n  indent: 0\n", "formwork.yaml:2:11: error:"),
        ("format: {indnt: 2}\n", "did you mean 'indent'?"), ("exclude: x\n", "formwork.yaml:1:10: error: expected array"),
        ("validate: {formats: all}\n", "formwork.yaml:1:21: error:"), ("schemas: {a: 1}\n", "expected string"),
        ("exclude: ['{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}']\n", "formwork.yaml:1:11: error: the braces"),
        ("a: [\n", "formwork.yaml:"), ("a: 1\na: 2\n", "duplicate-key]"), ("{}\n---\n{}\n", "more than one document"),
    ])
    func mistakesAreShownWithTheirPlace(text: String, message: String) throws {
        try terminal { terminal throws in
            try terminal.write("formwork.yaml", text)
            for command in [["validate", "--schema", "schemas/n.json"], ["format", "--check"]] {
                let outcome = try terminal.run(command + ["config"])
                #expect(outcome.status == 5)
                #expect(outcome.errors.contains(message), "\(outcome.errors)")
                #expect(outcome.output.isEmpty)
            }
            #expect(try terminal.run("format", "--no-project", "config").status == 0)
        }
    }

    @Test func aFileOfCommentsSaysNothing() throws {
        try terminal { terminal throws in
            for text in ["", "# nothing yet\n", "---\n"] {
                try terminal.write("formwork.yaml", text)
                #expect(try terminal.run("format", "config").status == 0)
            }
        }
    }

    // MARK: The catalogue

    @Test func addedSchemasAreFoundByNameAndAddress() throws {
        try terminal { terminal throws in
            try terminal.write("n.schema.json", #"{"$id": "https://example.com/n", "properties": {"n": {"type": "integer"}}}"#)
            let added = try terminal.run("schema", "add", "n.schema.json", "--address", "https://example.org/n.json#")
            #expect(added.status == 0, "\(added.errors)")
            try FileManager.default.removeItem(at: terminal.folder.appendingPathComponent("n.schema.json"))
            #expect(try terminal.run("validate", "--schema", "n", "config/a.yaml").output.contains("expected integer"))
            for address in ["https://example.com/n", "https://example.org/n.json"] {
                try terminal.write("a.json", #"{"$schema": "\#(address)", "n": "x"}"#)
                #expect(try terminal.run("validate", "a.json").output.contains("expected integer"))
                #expect(
                    try terminal.run("validate", "--schema", address, "config/a.yaml").output.contains("expected integer"))
                try terminal.write("r.json", #"{"$ref": "\#(address)"}"#)
                #expect(
                    try terminal.run("validate", "--schema", "r.json", "a.json").output.contains("expected integer"))
            }
            try terminal.write("formwork.yaml", "schemas: {'*.yaml': n}\n")
            #expect(try terminal.run("validate", "config/a.yaml").output.contains("expected integer"))
            let list = try terminal.run("schema", "list")
            #expect(
                list.output.hasPrefix("n\t74 bytes\thttps://example.com/n https://example.org/n.json\n"), "\(list.output)")
            let json = try JSONReader.read(Array(terminal.run("schema", "list", "--output", "json").output.utf8)).root
            #expect(json.elements.first?["sha256"]?.stringValue?.count == 64)
            #expect(try terminal.run("schema", "remove", "n").status == 0)
            #expect(try terminal.run("schema", "remove", "n").status == 6)
            #expect(try terminal.run("schema", "list").output.isEmpty)
            let gone = try terminal.run("validate", "config/a.yaml")
            #expect(gone.status == 4)
            #expect(gone.output.contains("formwork.yaml:1:21: error: there is no schema 'n'"), "\(gone.output)")
        }
    }

    @Test func aFolderOfSchemasIsACatalogue() throws {
        try terminal { terminal throws in
            var terminal = terminal
            terminal.environment["FORMWORK_SCHEMAS"] = "schemas"
            #expect(
                try terminal.run("validate", "--schema", "s", "config/deep/b.json").output.contains("expected string"))
            #expect(try terminal.run("validate", "--schema", "none", "config/deep/b.json").status == 6)
            terminal.environment["FORMWORK_SCHEMAS"] = Self.root.appendingPathComponent("Schemas").path
            #expect(try terminal.run("validate", "--schema", "contact", "config/deep/b.json").status == 2)
        }
    }

    @Test func theCatalogueKeepsWhatItHas() throws {
        try terminal { terminal throws in
            #expect(try terminal.run("schema", "add", "schemas/n.json").status == 0)
            #expect(try terminal.run("schema", "add", "schemas/n.json").status == 0)
            try terminal.write("n.json", #"{"type": "object"}"#)
            #expect(try terminal.run("schema", "add", "n.json").status == 5)
            #expect(try terminal.run("validate", "--schema", "n", "config/a.yaml").status == 2)
            #expect(try terminal.run("schema", "add", "--replace", "n.json").status == 0)
            #expect(try terminal.run("validate", "--schema", "n", "config/a.yaml").status == 0)
            try terminal.write("bad.json", #"{"type": "strin"}"#)
            #expect(try terminal.run("schema", "add", "bad.json").status == 4)
            #expect(try terminal.run("schema", "add", "n.json", "--name", "../x").status == 5)
            #expect(try terminal.run("schema", "add", "n.json", "--name", "index").status == 5)
            #expect(try terminal.run("schema", "add", "n.json", "--address", "x").status == 5)
            #expect(try terminal.run("schema", "add", "none.json").status == 6)
            // What was changed behind its back is not used.
            try terminal.write("home/schemas/n.json", #"{"type": "array"}"#)
            let changed = try terminal.run("validate", "--schema", "n", "config/a.yaml")
            #expect(changed.status == 6)
            #expect(changed.errors.contains("SHA-256"))
            #expect(try terminal.run("schema", "list").status == 6)
            // An index that leads elsewhere is no index.
            try terminal.write("home/schemas/index.json", #"{"schemas": [{"name": "p", "file": "../../n.json", "sha256": "", "byteCount": 1, "source": "", "addresses": []}]}"#)
            #expect(try terminal.run("validate", "--schema", "p", "config/a.yaml").status == 6)
        }
    }
}
