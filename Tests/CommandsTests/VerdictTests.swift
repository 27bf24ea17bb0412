// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import TestSupport
import Testing

/// The verdicts of `formwork validate`: references between schemas, empty documents, and real configuration files.
struct VerdictTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    private func folder(_ name: String, in terminal: Terminal) throws {
        try FileManager.default.createDirectory(
            at: terminal.folder.appendingPathComponent(name), withIntermediateDirectories: true)
    }

    @Test func schemasBesideTheSchemaAreFound() throws {
        try terminal { terminal in
            try folder("schemas", in: terminal)
            try folder("schemas/parts", in: terminal)
            // Relative references without an identifier, and such as lead on.
            let schema = ##"{"properties": {"port": {"$ref": "base.json#/definitions/port"}}}"##
            try terminal.write("schemas/a.json", schema)
            try terminal.write(
                "schemas/base.json", ##"{"definitions": {"port": {"$ref": "parts/number.yaml"}}}"##)
            try terminal.write("schemas/parts/number.yaml", "type: integer\n")
            try terminal.write("good.json", #"{"port": 80}"#)
            try terminal.write("bad.json", #"{"port": "80"}"#)
            #expect(try terminal.run("validate", "--schema", "schemas/a.json", "good.json").status == 0)
            let bad = try terminal.run("validate", "--schema", "schemas/a.json", "bad.json")
            #expect(bad.status == 2)
            #expect(bad.output.contains("bad.json:1:10: error: expected integer"), "\(bad.output)")
            // The schema's own folder, also if that is the working directory.
            let inside = terminal.folder.appendingPathComponent("schemas")
            try FileManager.default.copyItem(
                at: inside.appendingPathComponent("base.json"), to: terminal.folder.appendingPathComponent("base.json"))
            try folder("parts", in: terminal)
            try terminal.write("parts/number.yaml", "type: string\n")
            try terminal.write("a.json", schema)
            #expect(try terminal.run("validate", "--schema", "a.json", "bad.json").status == 0)
            #expect(try terminal.run("validate", "--schema", "a.json", "good.json").status == 2)
        }
    }

    @Test func addressesBesideTheSchemaAreFilesBesideIt() throws {
        try terminal { terminal in
            try folder("schemas", in: terminal)
            try terminal.write(
                "schemas/a.json",
                #"""
                {"$id": "https://example.com/v1/a.json", "properties": {
                    "near": {"$ref": "b.json"}, "named": {"$ref": "https://example.com/v1/b"},
                    "far": {"$ref": "https://example.com/v2/b.json"}, "up": {"$ref": "../b.json"}}}
                """#)
            try terminal.write("schemas/b.json", #"{"type": "integer"}"#)
            try terminal.write("b.json", #"{"type": "integer"}"#)
            for (text, status) in [
                (#"{"near": 1}"#, 0), (#"{"near": "a"}"#, 2), (#"{"named": 1}"#, 0), (#"{"named": "a"}"#, 2),
                // These addresses are not beside the schema.
                (#"{"far": 1}"#, 2), (#"{"up": 1}"#, 2), (#"{"other": 1}"#, 0),
            ] {
                let outcome = try terminal.run("validate", "--schema", "schemas/a.json", input: text)
                #expect(Int(outcome.status) == status, "\(text): \(outcome.output)")
                #expect(outcome.errors.contains("[schema.unresolved-reference]"))
            }
            // A schema from standard input has no neighbours.
            let piped = try terminal.run(
                "validate", "--schema", "-", "b.json", input: #"{"properties": {"type": {"$ref": "schemas/b.json"}}}"#)
            #expect(piped.status == 2)
            #expect(piped.output.contains("cannot be checked"))
        }
    }

    @Test func theUnknownIsRefusedUnlessAllowed() throws {
        try terminal { terminal in
            try terminal.write(
                "s.json",
                #"{"properties": {"a": {"$ref": "none.json"}, "b": {"type": "integer"}}, "required": ["a"]}"#)
            try terminal.write("good.json", #"{"a": 1}"#)
            try terminal.write("bad.json", #"{"a": 1, "b": "x"}"#)
            let refused = try terminal.run("validate", "--schema", "s.json", "good.json")
            #expect(refused.status == 2)
            #expect(refused.output.contains("cannot be checked"))
            let allowed = try terminal.run("validate", "--schema", "s.json", "--unresolved", "allow", "good.json")
            #expect(allowed.status == 0, "\(allowed.output)")
            #expect(allowed.errors.contains("s.json:1:31: warning:"), "\(allowed.errors)")
            let bad = try terminal.run("validate", "--schema", "s.json", "--unresolved", "allow", "bad.json")
            #expect(bad.status == 2)
            #expect(bad.output.contains("bad.json:1:15: error: expected integer"))
            // What generates never goes on with a part of the schema.
            #expect(try terminal.run("schema", "check", "s.json").status == 4)
        }
    }

    @Test func anEmptyYAMLFileIsNull() throws {
        try terminal { terminal in
            try terminal.write("object.json", #"{"type": "object"}"#)
            try terminal.write("null.json", #"{"type": ["object", "null"]}"#)
            for (name, text) in [("empty.yaml", ""), ("comment.yml", "# nothing\n"), ("marked.yaml", "---\n")] {
                try terminal.write(name, text)
                #expect(try terminal.run("validate", "--schema", "null.json", name).status == 0)
                let outcome = try terminal.run("validate", "--schema", "object.json", name)
                #expect(outcome.status == 2, "\(name)")
                #expect(outcome.output.contains("\(name):"))
                #expect(outcome.output.contains("found null"), "\(outcome.output)")
            }
            #expect(try terminal.run("validate", "--schema", "object.json").status == 2)
            // A file of JSON Lines without lines has no values that could be wrong.
            try terminal.write("empty.jsonl", "\n")
            #expect(try terminal.run("validate", "--schema", "object.json", "empty.jsonl").status == 0)
        }
    }

    @Test(.enabled(if: SharedData.has("schemastore/dev.tar.gz"), "needs FORMWORK_SHARED"))
    func configurationFilesGetTheirVerdicts() throws {
        let archive = try #require(SharedData.url("schemastore/dev.tar.gz"))
        try terminal { terminal in
            let unpack = Process()
            unpack.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            unpack.arguments = ["tar", "-xzf", archive.path, "-C", terminal.folder.path]
            try unpack.run()
            unpack.waitUntilExit()
            var schemas: [String: [(instance: String, isValid: Bool)]] = [:]
            var count = 0
            for line in try terminal.read("cases.jsonl").split(separator: "\n") {
                let row = try JSONReader.read(Array(line.utf8)).root
                let schema = try #require(row["schema"]?.stringValue)
                let instance = try #require(row["instance"]?.stringValue)
                schemas[schema, default: []].append((instance, try #require(row["valid"]?.boolValue as Bool?)))
                count += 1
            }
            #expect(count > 1_300)
            // The addresses of the catalogue are the files of the folder. Some schemas refer to others that are not
            // part of the data; no valid file is refused for that where they allow everything.
            var options = ["--formats", "annotate", "--output", "json", "--unresolved", "allow"]
            for address in ["http://json", "https://json", "http://www", "https://www"] {
                options += ["--registry", "\(address).schemastore.org/=schemas"]
            }
            var wrong: [String] = []
            var misplaced: [String] = []
            for (schema, cases) in schemas {
                let outcome = try terminal.run(["validate", "--schema", schema] + options + cases.map(\.instance))
                let report = try JSONReader.read(Array(outcome.output.utf8)).root
                try #require(report.count == cases.count, "\(schema): \(outcome.errors)")
                for (file, expected) in zip(report.elements, cases) {
                    #expect(file["file"]?.stringValue == expected.instance)
                    if file["valid"]?.boolValue != expected.isValid {
                        wrong.append(expected.instance)
                    } else if !expected.isValid, !(try Self.pointsIntoItsNode(file, expected.instance, terminal)) {
                        misplaced.append(expected.instance)
                    }
                }
            }
            // That this one has no URL where one must be stands in a schema that is not part of the data.
            let missing = "invalid/foundryvtt-world-manifest/foundryvtt-demo-world_world.json"
            if !FileManager.default.fileExists(
                atPath: terminal.folder.appendingPathComponent("schemas/foundryvtt-base-package-manifest.json").path)
            {
                #expect(wrong == [missing])
                wrong = []
                let refused = try terminal.run(
                    "validate", "--schema", "schemas/foundryvtt-world-manifest.json", missing)
                #expect(refused.status == 2)
                #expect(refused.output.contains("cannot be checked"))
            }
            #expect(wrong.isEmpty)
            #expect(misplaced.isEmpty)
        }
    }

    /// Whether an error of the report lies in the text of the node that it names, or of the object around a key.
    private static func pointsIntoItsNode(_ report: Node, _ name: String, _ terminal: Terminal) throws -> Bool {
        let bytes = [UInt8](try Data(contentsOf: terminal.folder.appendingPathComponent(name)))
        // Where the text itself is broken, its reader's place is the place.
        let document = try? DocumentReader.readAll(bytes, file: name, options: .lenient).first
        return report["diagnostics"]?.elements.contains { diagnostic in
            guard diagnostic["severity"]?.stringValue == "error",
                let start = diagnostic["range"]?["start"]?["offset"]?.numberValue?.intValue,
                let line = diagnostic["range"]?["start"]?["line"]?.numberValue?.intValue,
                start <= bytes.count, line >= 1, line <= 1 + bytes[..<start].count(where: { $0 == 0x0A })
            else { return false }
            guard let root = document?.root, let path = diagnostic["path"]?.stringValue else { return true }
            guard let pointer = JSONPointer(parsing: path), let node = pointer.evaluate(root) else { return false }
            // A key is beside its value, in the object; the tables of TOML have the places of their headers.
            let places = [node, pointer.parent.flatMap { $0.evaluate(root) }].compactMap { $0?.range }
            return places.contains { $0.start.offset <= start && start <= $0.end.offset }
        } ?? false
    }
}
