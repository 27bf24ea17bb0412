// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What the program prints and how it exits.
struct CommandTests {
    private let contact = """
        name: contact
        fields:
          name: string
          age: integer 0..150 ?
        """

    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    @Test(arguments: [
        ["--help"], ["transform", "--help"], ["validate", "--help"], ["schema", "check", "--help"],
        ["models", "pull", "--help"], ["bench", "golden", "--help"], ["bench", "masks", "--help"],
    ])
    func helpGoesToStandardOutput(arguments: [String]) throws {
        try terminal { terminal in
            let outcome = try terminal.run(arguments)
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("USAGE"))
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test(arguments: [
        ["--no-such-flag"], ["nonsense"], ["transform"], ["validate"], ["transform", "--schema", "x", "--temperature", "-1"],
        ["transform", "--schema", "x", "--max-tokens", "0"], ["bench", "inference", "--runs", "0"],
    ])
    func wrongUsageExitsWith5(arguments: [String]) throws {
        try terminal { terminal in
            let outcome = try terminal.run(arguments)
            #expect(outcome.status == 5, "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
            #expect(!outcome.errors.isEmpty)
        }
    }

    @Test func validDocumentsExitWith0() throws {
        try terminal { terminal in
            try terminal.write("contact.yaml", contact)
            try terminal.write("a.json", #"{"name": "Ada", "age": 36}"#)
            try terminal.write("b.yaml", "name: Ada\n")
            let outcome = try terminal.run("validate", "--schema", "contact.yaml", "a.json", "b.yaml")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("a.json: valid"))
            #expect(outcome.output.contains("b.yaml: valid"))
        }
    }

    @Test func violationsAreShownWithTheirPlace() throws {
        try terminal { terminal in
            try terminal.write("contact.yaml", contact)
            try terminal.write("a.json", "{\n  \"name\": \"Ada\",\n  \"age\": 200\n}")
            let outcome = try terminal.run("validate", "--schema", "contact.yaml", "a.json")
            #expect(outcome.status == 2)
            #expect(outcome.output.contains("a.json:3:10"))
            #expect(outcome.output.contains("150"))
        }
    }

    @Test func violationsAsJSON() throws {
        try terminal { terminal in
            try terminal.write("contact.yaml", contact)
            let outcome = try terminal.run(
                "validate", "--schema", "contact.yaml", "--output", "json", input: #"{"name": 1}"#)
            #expect(outcome.status == 2)
            #expect(outcome.output.contains(#""valid": false"#))
            #expect(outcome.output.contains("/name"))
        }
    }

    @Test func brokenDocumentsAndSchemasAreToldApart() throws {
        try terminal { terminal in
            try terminal.write("contact.yaml", contact)
            try terminal.write("a.json", #"{"name": "#)
            try terminal.write("bad.json", #"{"type": "strin"}"#)
            #expect(try terminal.run("validate", "--schema", "contact.yaml", "a.json").status == 2)
            #expect(try terminal.run("validate", "--schema", "contact.yaml", "missing.json").status == 6)
            #expect(try terminal.run("validate", "--schema", "missing.yaml", "a.json").status == 6)
            let schema = try terminal.run("validate", "--schema", "bad.json", "a.json")
            #expect(schema.status == 4)
            #expect(schema.errors.contains("bad.json:1:"))
        }
    }

    @Test func schemaCheckTellsTheShortestDocument() throws {
        try terminal { terminal in
            try terminal.write("contact.yaml", contact)
            let outcome = try terminal.run("schema", "check", "contact.yaml")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains(#"{"name": ""}"#))
        }
    }

    @Test func schemaCheckRefusesWhatNothingSatisfies() throws {
        try terminal { terminal in
            try terminal.write("never.json", #"{"type":"integer","minimum":5,"maximum":3}"#)
            let outcome = try terminal.run("schema", "check", "never.json")
            #expect(outcome.status == 4)
            #expect(outcome.errors.contains("unsatisfiable"))
        }
    }

    @Test func whatIsNotSupportedIsNamedWithItsPlace() throws {
        try terminal { terminal in
            try terminal.write("s.json", #"{"properties":{"a":{"type":"string","pattern":"(a)\\1"}}}"#)
            let outcome = try terminal.run("schema", "check", "s.json")
            #expect(outcome.status == 3)
            #expect(outcome.errors.contains("s.json:1:"))
            #expect(outcome.errors.contains("back-reference"))
        }
    }

    @Test func schemaConvertGoesBothWays() throws {
        try terminal { terminal in
            try terminal.write("contact.yaml", contact)
            let schema = try terminal.run("schema", "convert", "contact.yaml")
            #expect(schema.status == 0, "\(schema.errors)")
            #expect(schema.output.contains(#""maximum": 150"#))
            try terminal.write("contact.schema.json", schema.output)
            let spec = try terminal.run("schema", "convert", "contact.schema.json", "--to", "spec")
            #expect(spec.status == 0, "\(spec.errors)")
            try terminal.write("again.yaml", spec.output)
            let again = try terminal.run("schema", "convert", "again.yaml")
            #expect(again.output == schema.output)
        }
    }

    @Test func mistakesInASpecAreShownWithTheirPlace() throws {
        try terminal { terminal in
            try terminal.write("s.yaml", "name: s\nfields:\n  a: string\n  b: intger\n")
            let outcome = try terminal.run("schema", "check", "s.yaml")
            #expect(outcome.status == 4)
            #expect(outcome.errors.contains("s.yaml:4:6"))
            #expect(outcome.errors.contains("integer"))
        }
    }

    @Test func aMissingModelSaysWhatToRun() throws {
        try terminal { terminal in
            try terminal.write("contact.yaml", contact)
            let outcome = try terminal.run("transform", "--schema", "contact.yaml", input: "Ada, 36")
            #expect(outcome.status == 6)
            #expect(outcome.errors.contains("formwork models pull smollm2"))
        }
    }

    @Test func whatIsNoModelNeverEntersTheStore() throws {
        try terminal { terminal in
            try terminal.write("fake.gguf", "GGUF, but not really")
            let outcome = try terminal.run("models", "pull", "./fake.gguf")
            #expect(outcome.status == 6)
            #expect(try terminal.run("models", "list").output.isEmpty)
            let left = (try? FileManager.default.contentsOfDirectory(
                atPath: terminal.folder.appendingPathComponent("home/models").path)) ?? []
            #expect(left.isEmpty)
            #expect(try terminal.run("models", "show", "./fake.gguf").status == 6)
            #expect(try terminal.run("models", "pull", "http://example.org/x.gguf").status == 6)
            #expect(try terminal.run("models", "pull", "./fake.gguf", "--name", "../x").status == 5)
        }
    }
}
