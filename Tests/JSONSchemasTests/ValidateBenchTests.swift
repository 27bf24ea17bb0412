// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Foundation
import Testing

/// `bench validate` on data of its own.
struct ValidateBenchTests {
    @Test
    func takesTheLargestSchemasAndComparesVerdicts() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("formwork-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("schemas"), withIntermediateDirectories: true)
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        try write("schemas/large.json", #"{"type":"object","properties":{"a":{"$ref":"https://example.com/small"}}}"#)
        try write("schemas/small.json", #"{"type":"integer"}"#)
        try write("a.json", #"{"a":1}"#)
        try write("b.yaml", "a: no number\n")
        try write("c.yaml", "# nothing\n")
        try write("d.json", "1")
        try write(
            "cases.jsonl",
            """
            {"schema":"schemas/large.json","instance":"a.json","valid":true}
            {"schema":"schemas/large.json","instance":"b.yaml","valid":false}
            {"schema":"schemas/large.json","instance":"c.yaml","valid":true}
            {"schema":"schemas/small.json","instance":"d.json","valid":false}
            """)
        let one = try ValidateBench.run(
            path: folder.path, schemas: 1, rounds: 2, prefixes: ["https://example.com/"])
        #expect(one.schemas == 1)
        #expect(one.documents == 3)
        // A file without a document is null, which is no object: the data is wrong there.
        #expect(one.disagreements == ["c.yaml"])
        let both = try ValidateBench.run(
            path: folder.path, schemas: 5, rounds: 1, prefixes: ["https://example.com/"])
        #expect(both.disagreements == ["c.yaml", "d.json"])
        #expect(throws: SuiteBench.SuiteError.self) {
            try ValidateBench.run(path: folder.path + "/nothing", schemas: 1, rounds: 1, prefixes: [])
        }
    }
}
