// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Documents
import Foundation
import JSONSchemas
import TestSupport
import Testing

/// What holds for every repair: the result is valid, what was valid has not changed, and hostile texts end.
struct RepairPropertyTests {
    private let schema = #"""
        {"type": "object", "additionalProperties": false, "required": ["service", "port", "tls", "database"],
         "properties": {"service": {"type": "string"}, "port": {"type": "integer"}, "tls": {"type": "boolean"},
           "level": {"enum": ["debug", "info", "warning"]}, "tags": {"type": "array", "items": {"type": "string"}},
           "limits": {"type": "object", "additionalProperties": {"type": "number"}},
           "database": {"type": "object", "additionalProperties": false, "required": ["name"],
             "properties": {"name": {"type": "string"}, "pool_size": {"type": "integer"}, "motd": {"type": ["string", "null"]}}},
           "steps": {"type": "array", "items": {"type": "object", "required": ["run"], "additionalProperties": false,
             "properties": {"run": {"type": "string"}, "retries": {"type": "integer"}}}}}}
        """#

    private let json = #"""
        {
          "service": "catalog",
          "port": 8080,
          "tls": true,
          "level": "info",
          "tags": ["eu", "prod"],
          "limits": {
            "cpu": 0.5,
            "memory": 512
          },
          "database": {
            "name": "orders",
            "pool_size": 12,
            "motd": "one\ntwo \"three\""
          },
          "steps": [
            {
              "run": "make all",
              "retries": 3
            },
            {
              "run": "make test"
            }
          ]
        }
        """#

    private let yaml = """
        # The service
        service: catalog
        port: 8080
        tls: true   # always
        level: info
        tags:
          - eu
          - prod
        limits: {cpu: 0.5, memory: 512}
        database:
          name: orders
          pool_size: 12
          motd: "one"
        steps:
          - run: make all
            retries: 3
          - run: make test

        """

    private let toml = """
        # The service
        service = "catalog"
        port = 8080
        tls = true # always
        level = "info"
        tags = ["eu", "prod"]

        [limits]
        cpu = 0.5
        memory = 512

        [database]
        name = "orders"
        pool_size = 12

        [[steps]]
        run = "make all"
        retries = 3

        """

    @Test(arguments: [DocumentFormat.json, .jsonc, .yaml, .toml])
    func damageIsUndoneOrRefused(_ format: DocumentFormat) throws {
        let validator = Validator(try graph(schema))
        let text = format == .yaml ? yaml : (format == .toml ? toml : json)
        let document = try DocumentReader.read(Array(text.utf8), format: format)
        #expect(validator.isValid(document.root))
        var options = Repairer.Options()
        options.format = format
        var (cases, recovered) = (0, 0)
        for (index, kind) in Mutation.allCases.enumerated() {
            for turn in 0..<12 {
                var random = SeededGenerator(seed: UInt64(index * 1000 + turn))
                guard let damaged = kind.apply(document, &random) else { continue }
                let read = try? DocumentReader.read(damaged, format: format, options: .lenient)
                let repair = Repairer.repair(damaged, file: nil, validator: validator, options: options)
                if let read, validator.isValid(read.root) {
                    #expect(repair.outcome == .unchanged)
                    #expect(repair.bytes == damaged)
                    continue
                }
                cases += 1
                guard repair.outcome == .repaired else {
                    #expect(repair.bytes == damaged)
                    #expect(!repair.problems.isEmpty)
                    continue
                }
                let again = try DocumentReader.read(repair.bytes, format: format, options: .lenient)
                #expect(validator.isValid(again.root))
                #expect(!repair.changes.isEmpty)
                let isSame = again.root.value == document.root.value
                if isSame { recovered += 1 }
                #expect(
                    isSame,
                    "\(kind) \(turn): \(String(decoding: damaged, as: UTF8.self))\n-> \(String(decoding: repair.bytes, as: UTF8.self))"
                )
            }
        }
        #expect(cases > 60)
        #expect(recovered * 100 >= cases * 85, "\(recovered) of \(cases)")
    }

    @Test func hostileTextsEnd() throws {
        let validator = Validator(try graph(schema))
        let open = String(repeating: "[", count: 100_000)
        let nested = String(repeating: "{\"a\":", count: 5_000)
        let texts = [
            open, nested, String(repeating: "]", count: 50_000), String(repeating: "\"", count: 20_000),
            String(repeating: "'", count: 20_000),
            String(repeating: "{\"a\": \"b\n", count: 3_000), String(repeating: "a: [\n", count: 3_000),
            String(repeating: "- ", count: 20_000),
            String(repeating: "a\n b\n", count: 3_000), String(repeating: "\t", count: 20_000) + "a: 1\n\tb: 2",
            "{" + String(repeating: ",", count: 50_000),
            String(repeating: "/*", count: 20_000), String(repeating: "\\", count: 20_000),
            "{\"a\": \"" + String(repeating: "\\u", count: 10_000),
            String(repeating: "k: \"x\n", count: 2_000), String(repeating: "k=[\n", count: 2_000), "```\n```\n```\n{",
            "\u{FEFF}", "\0", "{\"a\0\": \0}",
            String(repeating: "*a ", count: 5_000), "a: &a [*a, *a\nb",
            String(repeating: "{[", count: 10_000) + String(repeating: "}]", count: 10_000),
        ]
        for text in texts {
            for format in [DocumentFormat.json, .jsonc, .yaml, .toml, .jsonl] {
                var options = Repairer.Options()
                options.format = format
                let start = ContinuousClock.now
                let repair = Repairer.repair(Array(text.utf8), file: nil, validator: validator, options: options)
                #expect(repair.outcome != .unchanged || repair.bytes == Array(text.utf8))
                #expect(ContinuousClock.now - start < .seconds(30), "\(format): \(text.prefix(20))")
            }
        }
    }

    @Test func randomBytesEnd() throws {
        let validator = Validator(try graph(schema))
        let pieces = [
            "{", "}", "[", "]", "\"", "'", ":", ",", "\n", "  ", "\t", "a", "1", "true", "-", "#", "//", "\\", "=", "“",
            "é", "|", "&x", "*x", "\0", "```",
        ]
        for seed in 0..<400 {
            var random = SeededGenerator(seed: UInt64(seed))
            let text = (0..<Int.random(in: 1..<60, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            for format in [DocumentFormat.json, .jsonc, .yaml, .toml, .jsonl] {
                var options = Repairer.Options()
                options.format = format
                // With nothing to fit, the text alone is mended: what comes out can be read.
                let repair = Repairer.repair(
                    Array(text.utf8), file: nil, validator: seed % 2 == 0 ? validator : nil, options: options)
                if repair.outcome == .repaired {
                    #expect(
                        (try? DocumentReader.readAll(repair.bytes, format: format, options: .lenient)) != nil, "\(text)"
                    )
                } else {
                    #expect(repair.bytes == Array(text.utf8))
                }
            }
        }
        // And bytes that are no text.
        for seed in 0..<100 {
            var random = SeededGenerator(seed: UInt64(seed))
            let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(
                Repairer.repair(bytes, file: nil, validator: validator).outcome != .repaired
                    || String(validating: bytes, as: UTF8.self) != nil)
        }
    }

    /// What a helper completes is counted over all kinds, and why it could not is said.
    @Test func completionsAreCounted() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("formwork-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("cases.jsonl")
        let lines = [
            #"{"schema":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}}"#,
            #"{"id":"one","input":"{\"a\": \"many\"}","expected":{"a":3},"meta":{"format":"json","mutations":["value"]}}"#,
            #"{"id":"two","input":"{\"a\": \"few\"}","expected":{"a":4},"meta":{"format":"yaml","mutations":["value"]}}"#,
        ]
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        let right = try RepairBench.run(
            cases: file,
            helper: { _, _, validator in
                { repair in
                    Repairer.repair(
                        Array(#"{"a": 3}"#.utf8), file: nil, validator: validator, options: Repairer.Options())
                }
            }, note: { _ in })
        #expect(right.total.completed == 2)
        #expect(right.total.completedRight == 1)
        var notes: [String] = []
        let failing = try RepairBench.run(
            cases: file, helper: { _, _, _ in { _ in throw CancellationError() } }, note: { notes.append($0) })
        #expect(failing.total.completed == 0)
        #expect(notes.count { $0.contains("not completed: CancellationError") } == 2, "\(notes)")
    }

    @Test(.enabled(if: SharedData.has("quality/dev/repair.jsonl"), "needs FORMWORK_SHARED"))
    func theTasksComeBack() throws {
        let file = try #require(SharedData.url("quality/dev/repair.jsonl"))
        let report = try RepairBench.run(cases: file, note: { _ in })
        #expect(report.total.cases == 100)
        #expect(report.total.recovered >= 98)
        #expect(report.total.invalid == 0)
        #expect(report.validChanged == 0)
    }
}
