// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// `formwork schema infer` and `formwork schema test`.
struct SchemaToolTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    @Test func infersFromFilesOfAnyNotation() throws {
        try terminal { terminal in
            try terminal.write("a.json", #"{"port": 80, "tls": true}"#)
            try terminal.write("b.yaml", "port: 81\nname: x\n")
            try terminal.write("c.toml", "port = 82\n")
            let outcome = try terminal.run("schema", "infer", "a.json", "b.yaml", "c.toml")
            #expect(outcome.status == 0, "\(outcome.errors)")
            let schema = try JSONReader.read(outcome.output).root
            #expect(schema["properties"]?["port"]?["type"]?.stringValue == "integer")
            #expect(schema["required"]?.value == ["port"])
            let yaml = try terminal.run("schema", "infer", "--output", "yaml", "--closed", input: "{\"a\": 1}")
            #expect(yaml.output.contains("additionalProperties: false"))
            #expect(try terminal.run("schema", "infer", input: "{").status == 4)
        }
    }

    @Test func testsAFolder() throws {
        try terminal { terminal in
            for name in ["t/valid", "t/invalid", "none"] {
                try FileManager.default.createDirectory(
                    at: terminal.folder.appendingPathComponent(name), withIntermediateDirectories: true)
            }
            try terminal.write("s.json", #"{"type": "integer"}"#)
            try terminal.write("t/valid/a.json", "1")
            try terminal.write("t/invalid/b.yaml", "x\n")
            let right = try terminal.run("schema", "test", "--schema", "s.json", "t")
            #expect(right.status == 0, "\(right.errors)")
            #expect(right.output == "2 of 2 as they should be\n")
            try terminal.write("t/valid/c.json", "\"x\"")
            try terminal.write("t/invalid/d.json", "2")
            let wrong = try terminal.run("schema", "test", "--schema", "s.json", "t")
            #expect(wrong.status == 2)
            #expect(
                wrong.output
                    == "t/valid/c.json: is not valid\nt/invalid/d.json: is valid, but should not be\n2 of 4 as they should be\n"
            )
            #expect(try terminal.run("schema", "test", "--schema", "s.json", "none").status == 6)
        }
    }
}
