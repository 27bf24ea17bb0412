// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// What the repository offers to other repositories: the action, the hooks, the problem matcher.
struct FurnitureTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.write("s.json", #"{"additionalProperties": {"type": "integer"}}"#)
        let configurations = terminal.folder.appendingPathComponent("config/more")
        try FileManager.default.createDirectory(at: configurations, withIntermediateDirectories: true)
        try terminal.write("config/a.json", #"{"n": 1}"#)
        try terminal.write("config/more/b c.yaml", "n: x\n")
        return try body(terminal)
    }

    private func read(_ name: String) throws -> Node {
        try DocumentReader.read(path: Self.root.appendingPathComponent(name).path).root
    }

    /// Runs the step of the action with its inputs as the runner hands them over.
    private func step(_ terminal: Terminal, _ inputs: [String: String]) throws -> Terminal.Outcome {
        let action = try read("action.yml")
        let step = try #require(action["runs"]?["steps"]?.elements.first)
        var terminal = terminal
        terminal.environment["GITHUB_ACTION_PATH"] = Self.root.path
        let folder = Terminal.program.deletingLastPathComponent().path
        terminal.environment["PATH"] = "\(folder):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
        for variable in try #require(step["env"]).members {
            let expression = try #require(variable.value.stringValue)
            let name = try #require(expression.split(separator: " ").dropFirst().first?.split(separator: ".").last)
            let input = try #require(action["inputs"]?[String(name)], "\(expression)")
            terminal.environment[variable.key] = inputs[String(name)] ?? input["default"]?.stringValue ?? ""
        }
        #expect(step["shell"]?.stringValue == "bash")
        let script = try #require(step["run"]?.stringValue)
        return try terminal.run(program: "/usr/bin/env", ["bash", "-e", "-o", "pipefail", "-c", script])
    }

    @Test func theActionChecksFiles() throws {
        try terminal { terminal in
            let good = try step(terminal, ["schema": "s.json", "files": "config/*.json"])
            #expect(good.status == 0, "\(good.errors)")
            #expect(good.output == "1 file checked, 0 with errors\n")
            let bad = try step(terminal, ["schema": "s.json", "files": "config/**/*.yaml\n\n  config/a.json \n"])
            #expect(bad.status == 2)
            #expect(bad.output.hasPrefix("::error file=config/more/b c.yaml,line=1,"))
            #expect(bad.output.hasSuffix("2 files checked, 1 with errors\n"))
            // A name with a space is one name, and what looks like a command is none.
            let named = try step(terminal, ["schema": "s.json", "files": "config/more/b c.yaml"])
            #expect(named.status == 2)
            let none = try step(terminal, ["schema": "s.json", "files": "none/*.json\n$(touch evil)"])
            #expect(none.status == 6)
            #expect(none.output.hasPrefix("::error"))
            #expect(!FileManager.default.fileExists(atPath: terminal.folder.appendingPathComponent("evil").path))
            #expect(try step(terminal, ["schema": "s.json", "files": " \n"]).status == 5)
            // Without a schema the project file says which, and folders will do.
            #expect(try step(terminal, ["files": "config"]).status == 4)
            try terminal.write("formwork.yaml", "schemas: {'*': s.json}\n")
            let project = try step(terminal, ["files": "config"])
            #expect(project.status == 2)
            #expect(project.output.hasSuffix("2 files checked, 1 with errors\n"), "\(project.output)")
        }
    }

    @Test func theActionWritesReports() throws {
        try terminal { terminal in
            let outcome = try step(
                terminal,
                [
                    "schema": "s.json", "files": "config/**/*.yaml", "output": "sarif", "report": "out.sarif",
                    "arguments": "--formats\nannotate",
                ])
            #expect(outcome.status == 2)
            #expect(outcome.output.isEmpty)
            let log = try JSONReader.read(Array(try terminal.read("out.sarif").utf8)).root
            #expect(log["runs"]?.elements.first?["results"]?.count == 1)
        }
    }

    @Test func theHooksRun() throws {
        try terminal { terminal in
            let hooks = try read(".pre-commit-hooks.yaml").elements
            #expect(hooks.count == 3)
            for hook in hooks {
                let words = try #require(hook["entry"]?.stringValue).split(separator: " ").map(String.init)
                #expect(words.first == "formwork")
                let pattern = try Regex(try #require(hook["files"]?.stringValue))
                let id = try #require(hook["id"]?.stringValue)
                let (arguments, file, status): ([String], String, Int32) =
                    switch id {
                    case "formwork-validate": (["--schema", "s.json"], "config/more/b c.yaml", 2)
                    case "formwork-format": ([], "config/a.json", 0)
                    default: ([], "x.schema.json", 0)
                    }
                try terminal.write("x.schema.json", #"{"type": "integer"}"#)
                #expect(try pattern.firstMatch(in: file) != nil)
                let outcome = try terminal.run(Array(words.dropFirst()) + arguments + [file])
                #expect(outcome.status == status, "\(id): \(outcome.errors)")
            }
        }
    }

    @Test func theMatcherReadsTheText() throws {
        try terminal { terminal in
            let matcher = try read(".github/formwork-matcher.json")
            let pattern = try #require(matcher["problemMatcher"]?.elements.first?["pattern"]?.elements.first)
            let expression = try NSRegularExpression(pattern: try #require(pattern["regexp"]?.stringValue))
            let text = try terminal.run(
                "validate", "--schema", "s.json", "--output", "text", "config/more/b c.yaml"
            ).output
            let matches = text.split(separator: "\n").compactMap { line -> [String: String]? in
                let line = String(line)
                guard let match = expression.firstMatch(in: line, range: NSRange(line.startIndex..., in: line)) else {
                    return nil
                }
                var parts: [String: String] = [:]
                for name in ["file", "line", "column", "severity", "message", "code"] {
                    guard let group = pattern[name]?.intValue, let range = Range(match.range(at: group), in: line)
                    else { return nil }
                    parts[name] = String(line[range])
                }
                return parts
            }
            #expect(
                matches == [
                    [
                        "file": "config/more/b c.yaml", "line": "1", "column": "4", "severity": "error",
                        "message": "expected integer, found a string", "code": "value.type",
                    ]
                ])
        }
    }
}
