// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import TestSupport
import Testing

/// `transform --jsonl`, with a random-weight model.
@Suite(.timeLimit(.minutes(4)))
struct LinesTests {
    private static let spec = "fields:\n  name: string 1..12\n  age: integer 0..99\n"

    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        let model = try TinyModel.text(context: 2048).write()
        defer { try? FileManager.default.removeItem(at: model) }
        try FileManager.default.copyItem(at: model, to: terminal.folder.appendingPathComponent("tiny.gguf"))
        try terminal.write("s.yaml", Self.spec)
        return try body(terminal)
    }

    private let command = ["transform", "--model", "tiny.gguf", "--schema", "s.yaml", "--max-tokens", "80"]

    private func values(_ text: String) throws -> [JSONValue] {
        try text.split(separator: "\n").map { try JSONReader.read(String($0), file: nil).root.value }
    }

    @Test func eachLineHasItsResultInOrder() throws {
        try terminal { terminal in
            try terminal.write("in.jsonl", "{\"id\": 7, \"text\": \"Ada\"}\n\"Bob\"\n\n{\"mail\": \"x\"}\nrubbish\n\"Cid\"\n")
            let outcome = try terminal.run(command + ["--jsonl", "in.jsonl", "--out", "out.jsonl"])
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains("2 of 5 lines"))
            let lines = try values(try terminal.read("out.jsonl"))
            #expect(lines.compactMap { $0["line"]?.intValue } == [1, 2, 4, 5, 6])
            #expect(lines[0]["id"]?.intValue == 7)
            #expect(lines[2]["error"]?["code"]?.stringValue == "input.invalid-line")
            #expect(lines[3]["error"]?["message"]?.stringValue?.contains("column 1") == true)
            let validator = Validator(try SpecLoader.load(Array(Self.spec.utf8)).graph, formats: .assert)
            for index in [0, 1, 4] { #expect(validator.isValid(Document(value: lines[index]["value"] ?? .null).root)) }
            // The same without a file, and from standard input.
            let printed = try terminal.run(command + ["--jsonl", "in.jsonl"])
            #expect(printed.output == (try terminal.read("out.jsonl")))
            let piped = try terminal.run(
                command + ["--jsonl", "-", "--out", "piped.jsonl"], input: try terminal.read("in.jsonl"))
            #expect(piped.status == 2)
            #expect(try terminal.read("piped.jsonl") == printed.output)
            let other = try terminal.run(command + ["--jsonl", "in.jsonl", "--text-field", "mail"])
            #expect(try values(other.output)[2]["value"] != nil)
        }
    }

    @Test func goesOnAfterEverySuddenEnd() throws {
        try terminal { terminal in
            let count = 150
            try terminal.write("in.jsonl", (1...count).map { "\"person \($0)\"\n" }.joined())
            let whole = try terminal.run(command + ["--jsonl", "in.jsonl"])
            #expect(whole.status == 0, "\(whole.errors)")
            let arguments = command + ["--jsonl", "in.jsonl", "--out", "out.jsonl"]
            var ends = 0
            while ends < 40 {
                let wait = String(format: "%.2f", 0.15 + Double(ends % 7) * 0.06)
                let script = "\"$@\" & pid=$!; sleep \(wait); kill -9 $pid 2>/dev/null; wait $pid"
                _ = try terminal.run(program: "/bin/sh", ["-c", script, "sh", Terminal.program.path] + arguments)
                ends += 1
                if FileManager.default.fileExists(atPath: terminal.folder.appendingPathComponent("out.jsonl").path) { break }
                if ends == 3 {
                    // Other options are other results.
                    let other = try terminal.run(arguments + ["--temperature", "1", "--seed", "3"])
                    #expect(other.status == 6)
                    #expect(other.errors.contains("--restart"), "\(other.errors)")
                }
            }
            let last = try terminal.run(arguments)
            #expect(last.status == 0, "\(last.errors)")
            #expect(try terminal.read("out.jsonl") == whole.output)
            let names = try FileManager.default.contentsOfDirectory(atPath: terminal.folder.path)
            #expect(!names.contains { $0.contains("journal") || $0.contains("partial") })
        }
    }

    @Test(arguments: [
        ["--jsonl", "missing.jsonl"], ["--jsonl", "in.jsonl", "in.jsonl"], ["--jsonl", "in.jsonl", "--stream"],
        ["--jsonl", "in.jsonl", "--restart"], ["--jsonl", "in.jsonl", "--output", "yaml"],
    ])
    func wrongUsesAreTold(_ arguments: [String]) throws {
        try terminal { terminal in
            try terminal.write("in.jsonl", "\"x\"\n")
            let outcome = try terminal.run(command + arguments)
            #expect(outcome.status == (arguments[1] == "missing.jsonl" ? 6 : 5), "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
    }
}
