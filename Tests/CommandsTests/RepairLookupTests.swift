// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// `formwork repair` on folders, with the schemas that files name, and keys that are there twice.
struct RepairLookupTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    private static let schema =
        #"{"properties": {"port": {"type": "integer"}}, "additionalProperties": false}"#

    @Test func findsSchemasAsValidateDoes() throws {
        try terminal { terminal in
            try terminal.write("s.json", Self.schema)
            try FileManager.default.createDirectory(
                at: terminal.folder.appendingPathComponent("c"), withIntermediateDirectories: true)
            try terminal.write("formwork.yaml", "schemas:\n  \"*.conf.json\": s.json\n")
            try terminal.write("c/a.json", #"{"$schema": "../s.json", "port": "80",}"#)
            try terminal.write("c/b.yaml", "# yaml-language-server: $schema=../s.json\nport: \"80\"\n")
            try terminal.write("c/c.toml", "#:schema ../s.json\nport = \"80\"\n")
            try terminal.write("c/d.conf.json", #"{"port": "80"}"#)
            try terminal.write("c/e.json", #"{"port": "80",}"#)
            #expect(try terminal.run("repair", "c").status == 5)
            let outcome = try terminal.run("repair", "--write", "c")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try terminal.read("c/a.json") == #"{"$schema": "../s.json", "port": 80}"#)
            #expect(try terminal.read("c/b.yaml") == "# yaml-language-server: $schema=../s.json\nport: 80\n")
            #expect(try terminal.read("c/c.toml") == "#:schema ../s.json\nport = 80\n")
            #expect(try terminal.read("c/d.conf.json") == #"{"port": 80}"#)
            #expect(try terminal.read("c/e.json") == #"{"port": "80"}"#)
            let again = try terminal.run("repair", "--write", "c/*.{json,yaml}")
            #expect(again.status == 0)
            #expect(again.errors.isEmpty, "\(again.errors)")
            try terminal.write("c/f.json", #"{"$schema": "none.json"}"#)
            #expect(try terminal.run("repair", "--write", "c").status == 4)
            #expect(try terminal.run("repair", "--write", "d/*.json").status == 6)
        }
    }

    @Test func dropsKeysThatAreThereTwice() throws {
        try terminal { terminal in
            let outcome = try terminal.run(
                "repair", "--stdin-filename", "a.json", input: "{\"a\": [1], \"b\": 2, \"a\": [ 1 ]}\n")
            #expect(outcome.status == 0)
            #expect(outcome.output == "{\"a\": [1], \"b\": 2}\n")
            let long = try terminal.run(
                "repair", "--stdin-filename", "a.json",
                input: "{\n    \"o\": {\n        \"a\": 1,\n        \"a\": 1,\n        \"b\": 2\n    }\n}\n")
            #expect(long.output == "{\n    \"o\": {\n        \"a\": 1,\n        \"b\": 2\n    }\n}\n")
            #expect(outcome.errors.contains("[text.duplicate-key]"), "\(outcome.errors)")
            let other = try terminal.run("repair", "--stdin-filename", "a.json", input: "{\"a\": 1, \"a\": 2}\n")
            #expect(other.status == 0)
            #expect(other.output == "{\"a\": 1, \"a\": 2}\n")
            #expect(other.errors.contains("[repair.duplicate-key]"), "\(other.errors)")
            let yaml = try terminal.run(
                "repair", "--stdin-filename", "a.yaml",
                input: "# c\na: 1\nb:\n  x: 1\n  y: 2\n  x: 1\na: 1\nc: 3 # d\nc: 3\n")
            #expect(yaml.output == "# c\na: 1\nb:\n  x: 1\n  y: 2\nc: 3 # d\n", "\(yaml.errors)")
            // A comment is worth more.
            let comment = try terminal.run("repair", "--stdin-filename", "a.yaml", input: "a: 1\na: 1 # why\n")
            #expect(comment.output == "a: 1\na: 1 # why\n")
            #expect(comment.errors.contains("both stay"), "\(comment.errors)")
        }
    }

    @Test func theMemberThatNamesTheSchemaIsNoProperty() throws {
        try terminal { terminal in
            try terminal.write("s.json", Self.schema)
            try terminal.write("spec.yaml", "port: integer\n")
            try terminal.write("a.json", #"{"$schema": "s.json", "port": 1}"#)
            try terminal.write("b.json", #"{"$schema": "spec.yaml", "port": 1}"#)
            let good = try terminal.run("validate", "a.json", "b.json")
            #expect(good.status == 0, "\(good.output)")
            // It is a property like others where something else says what the schema is, and below the root.
            #expect(try terminal.run("validate", "--schema", "s.json", "a.json").status == 2)
            try terminal.write("c.json", "{\"$schema\": \"s.json\",\n \"port\": \"x\",\n \"potr\": 1}")
            let bad = try terminal.run("validate", "c.json")
            #expect(bad.status == 2)
            #expect(bad.output.contains("c.json:2:10: error: expected integer"), "\(bad.output)")
            #expect(bad.output.contains("c.json:3:2: error:"), "\(bad.output)")
            #expect(!bad.output.contains("c.json:1:2"), "\(bad.output)")
            try terminal.write("n.json", #"{"properties": {"$schema": {"const": "x"}}}"#)
            try terminal.write("d.json", #"{"$schema": "n.json"}"#)
            #expect(try terminal.run("validate", "d.json").status == 2)
        }
    }

    @Test func anEmptyDocumentHasNoExcerpt() throws {
        let error = #expect(throws: DiagnosticsError.self) { try JSONReader.read("", file: "x.json") }
        #expect(
            error?.description
                == "x.json:1:1: error: the document is empty [json.empty]\n      = help: a JSON document is one value\n"
        )
    }

    @Test func streamsMayBeginWithAMark() throws {
        for size in [1, 2, 3, 100] {
            var reader = JSONEventReader()
            let bytes = [0xEF, 0xBB, 0xBF] + Array("[1]".utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                _ = try reader.read(bytes[start..<min(start + size, bytes.count)])
            }
            _ = try reader.finish()
            #expect(reader.snapshot == [1])
        }
        for text in [[0xEF, 0xBB, 0x31], [0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF, 0x31], [0x20, 0xEF, 0xBB, 0xBF, 0x31]] {
            var reader = JSONEventReader()
            #expect(throws: JSONEventError.self) {
                _ = try reader.read(text.map { UInt8($0) })
                _ = try reader.finish()
            }
        }
        #expect(throws: JSONEventError.self) {
            var reader = JSONEventReader()
            _ = try reader.read([0xEF, 0xBB])
            _ = try reader.finish()
        }
    }
}
