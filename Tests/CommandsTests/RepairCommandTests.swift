// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// `formwork repair` as a user runs it.
struct RepairCommandTests {
    private let schema =
        #"{"properties": {"port": {"type": "integer"}, "tls": {"type": "boolean"}}, "required": ["port"], "additionalProperties": false}"#

    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.write("schema.json", schema)
        return try body(terminal)
    }

    @Test func printsTheDocumentAndTheReasons() throws {
        try terminal { terminal in
            let outcome = try terminal.run("repair", "--schema", "schema.json", input: "{'potr': \"80\", tls: yes}\n")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output == "{\"port\": 80, \"tls\": true}\n")
            #expect(
                outcome.errors.contains(
                    "<stdin>:1:2: /potr the key 'port' is missing; 'potr' is a misspelling of it: \"potr\" -> \"port\" [value.key]"
                ), "\(outcome.errors)")
            let quiet = try terminal.run(
                "repair", "--schema", "schema.json", "--quiet", "--stdin-filename", "x.yaml",
                input: "port 80\ntls: on\n")
            #expect(quiet.output == "port: 80\ntls: true\n")
            #expect(quiet.errors.isEmpty)
        }
    }

    @Test func aSoundFileIsPrintedAsItIs() throws {
        try terminal { terminal in
            try terminal.write("a.json", "{ \"port\" :80 }")
            let outcome = try terminal.run("repair", "--schema", "schema.json", "a.json")
            #expect(outcome.status == 0)
            #expect(outcome.output == "{ \"port\" :80 }")
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test func writesWholeFilesOrNothing() throws {
        try terminal { terminal in
            try terminal.write("a.yaml", "# top\nport: \"80\" # one\n")
            try terminal.write("b.json", "{\"port\": \"eighty\"}")
            try terminal.write("c.json", "{\"port\": 1")
            let path = terminal.folder.appendingPathComponent("a.yaml").path
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            let outcome = try terminal.run("repair", "--schema", "schema.json", "--write", "a.yaml", "b.json", "c.json")
            #expect(outcome.status == 2)
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.contains("'b.json' has no safe repair and is left alone"))
            #expect(try terminal.read("a.yaml") == "# top\nport: 80 # one\n")
            #expect(try terminal.read("b.json") == "{\"port\": \"eighty\"}")
            #expect(try terminal.read("c.json") == "{\"port\": 1}")
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func tellsInOtherForms() throws {
        try terminal { terminal in
            try terminal.write("a.json", "{\n  \"prot\": \"80\"\n}\n")
            let diff = try terminal.run("repair", "--schema", "schema.json", "--diff", "a.json")
            #expect(
                diff.output
                    == "--- a/a.json\n+++ b/a.json\n@@ -1,3 +1,3 @@\n {\n-  \"prot\": \"80\"\n+  \"port\": 80\n }\n")
            let patch = try JSONReader.read(
                terminal.run("repair", "--schema", "schema.json", "--patch", "a.json").output
            ).root.value
            #expect(
                patch == [
                    ["op": "move", "from": "/prot", "path": "/port"], ["op": "replace", "path": "/port", "value": 80],
                ])
            let report = try JSONReader.read(
                terminal.run("repair", "--schema", "schema.json", "--output", "json", "a.json").output
            ).root
            #expect(report["outcome"]?.stringValue == "repaired")
            #expect(report["changes"]?.count == 2)
            #expect(report["changes"]?.elements[1]["start"]?["line"]?.intValue == 2)
            #expect(report["changes"]?.elements[1]["pointer"]?.stringValue == "/port")
            #expect(report["patch"]?.value == patch)
            #expect(report["text"]?.stringValue == "{\n  \"port\": 80\n}\n")
            let failed = try terminal.run(
                "repair", "--schema", "schema.json", "--output", "json", input: "{\"port\": []}")
            #expect(failed.status == 2)
            #expect(try JSONReader.read(failed.output).root["problems"]?.elements[0]["pointer"]?.stringValue == "/port")
        }
    }

    @Test func formatMendsWhereAsked() throws {
        try terminal { terminal in
            try terminal.write("a.json", "{'a':1 \"b\":[1,2,]")
            #expect(try terminal.run("format", "a.json").status == 2)
            let outcome = try terminal.run("format", "--repair", "--write", "a.json")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains("a.json:1:2: /a the text stands in other quotes"))
            #expect(try terminal.read("a.json") == "{\"a\": 1, \"b\": [1, 2]}\n")
            // What is hopeless is left alone.
            try terminal.write("b.json", "{\"a\": ...}")
            #expect(try terminal.run("format", "--repair", "--write", "b.json").status == 2)
            #expect(try terminal.read("b.json") == "{\"a\": ...}")
        }
    }

    @Test func refusesWhatItCannotDo() throws {
        try terminal { terminal in
            #expect(try terminal.run("repair", "--schema", "schema.json", "none.json").status == 6)
            #expect(try terminal.run("repair", "--schema", "none.json", input: "{}").status == 6)
            #expect(try terminal.run("repair", "--write", input: "{}").status == 5)
            #expect(try terminal.run("repair", "--diff", "--patch", input: "{}").status == 5)
            try terminal.write("broken.json", #"{"type": "nothing"}"#)
            #expect(try terminal.run("repair", "--schema", "broken.json", input: "{}").status == 4)
            // Without a schema the text alone is mended.
            #expect(try terminal.run("repair", input: "[1 2]").output == "[1, 2]")
            #expect(try terminal.run("repair", input: "{\"a\": ...}").status == 2)
        }
    }
}
