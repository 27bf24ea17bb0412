// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// Folders and globs as arguments of `validate` and `format`.
struct FileSelectionTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.write("s.json", #"{"type": "object"}"#)
        for folder in ["config/b/c", "config/.hidden", "config/node_modules/x", "config/.git", "empty/none"] {
            try FileManager.default.createDirectory(
                at: terminal.folder.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        try terminal.write("config/z.json", "{}")
        try terminal.write("config/a.yaml", "n: 1\n")
        try terminal.write("config/b/c/d.toml", "n = 1\n")
        try terminal.write("config/b/x.jsonl", "{}\n")
        try terminal.write("config/README.md", "# no\n")
        try terminal.write("config/app.conf", "n: 1\n")
        try terminal.write("config/.secret.json", "[")
        try terminal.write("config/.hidden/a.json", "[")
        try terminal.write("config/.git/a.json", "[")
        try terminal.write("config/node_modules/x/a.json", "[")
        return try body(terminal)
    }

    /// The files that were checked, in order.
    private func checked(_ terminal: Terminal, _ arguments: String...) throws -> [String] {
        let outcome = try terminal.run(["validate", "--schema", "s.json", "--output", "json"] + arguments)
        #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
        return try JSONReader.read(Array(outcome.output.utf8)).root.elements.compactMap { $0["file"]?.stringValue }
    }

    private func link(_ path: String, to target: String, in terminal: Terminal) throws {
        try FileManager.default.createSymbolicLink(
            atPath: terminal.folder.appendingPathComponent(path).path, withDestinationPath: target)
    }

    private static let all = ["config/a.yaml", "config/b/c/d.toml", "config/b/x.jsonl", "config/z.json"]

    @Test func foldersAreSearched() throws {
        try terminal { terminal throws in
            #expect(try checked(terminal, "config") == Self.all)
            #expect(try checked(terminal, "config/") == Self.all)
            #expect(try checked(terminal, ".") == Self.all + ["s.json"])
            // Each file once, and what is named is taken whatever it is called.
            #expect(
                try checked(terminal, "config/z.json", "config", "./config/z.json") == [Self.all[3]] + Self.all[..<3])
            #expect(try checked(terminal, "config/app.conf") == ["config/app.conf"])
            let absolute = terminal.folder.appendingPathComponent("config/b").path
            #expect(try checked(terminal, absolute) == ["\(absolute)/c/d.toml", "\(absolute)/x.jsonl"])
        }
    }

    @Test func globsAreExpanded() throws {
        try terminal { terminal throws in
            #expect(try checked(terminal, "config/**/*.{toml,json}") == ["config/b/c/d.toml", "config/z.json"])
            #expect(try checked(terminal, "config/*") == ["config/a.yaml", "config/z.json"])
            #expect(try checked(terminal, "config/*.conf") == ["config/app.conf"])
            #expect(try checked(terminal, "config/**") == Self.all)
            #expect(try checked(terminal, "**/[a-d].*") == ["config/a.yaml", "config/b/c/d.toml"])
            #expect(try checked(terminal, "*/b/?.jsonl") == ["config/b/x.jsonl"])
            let absolute = terminal.folder.path
            #expect(try checked(terminal, "\(absolute)/conf*/z.json") == ["\(absolute)/config/z.json"])
            // A file of that very name is that file.
            try terminal.write("[a].json", "{}")
            try terminal.write("a.json", "[")
            #expect(try checked(terminal, "[a].json") == ["[a].json"])
        }
    }

    @Test func linksCannotMakeItEndless() throws {
        try terminal { terminal throws in
            try link("config/b/loop", to: "..", in: terminal)
            try link("config/self", to: "self", in: terminal)
            try link("config/gone.json", to: "nowhere", in: terminal)
            try link("config/b/link.json", to: "../z.json", in: terminal)
            let all = ["config/a.yaml", "config/b/c/d.toml", "config/b/link.json", "config/b/x.jsonl", "config/z.json"]
            #expect(try checked(terminal, "config") == all)
            #expect(try checked(terminal, "**/*.{toml,yaml}") == ["config/b/c/d.toml", "config/a.yaml"])
            // A link that is named is followed, by a star too.
            #expect(try checked(terminal, "config/b/loop/*.yaml") == ["config/b/loop/a.yaml"])
            #expect(try checked(terminal, "config/*/loop/z.*") == ["config/b/loop/z.json"])
        }
    }

    @Test func whatHoldsNoFilesIsAnError() throws {
        try terminal { terminal throws in
            for argument in ["empty", "none/*.json", "config/**/*.xyz"] {
                let outcome = try terminal.run("validate", "--schema", "s.json", argument, "config/z.json")
                #expect(outcome.status == 6)
                #expect(outcome.output.contains("[input.no-files]"), "\(outcome.output)")
                #expect(outcome.output.contains("'\(argument)'"))
                // The others are checked all the same.
                #expect(outcome.output.contains("config/z.json: valid"))
                #expect(try terminal.run("format", "--check", argument).status == 6)
            }
            let braces = String(repeating: "{a,b}", count: 40)
            #expect(try terminal.run("validate", "--schema", "s.json", braces).status == 5)
        }
    }

    @Test func foldersAreFormatted() throws {
        try terminal { terminal throws in
            try terminal.write("config/z.json", #"{"a":1}"#)
            try terminal.write("config/b/c/d.toml", "n=1\n")
            let check = try terminal.run("format", "--check", "config")
            #expect(check.status == 2)
            #expect(check.output == "config/b/c/d.toml\nconfig/z.json\n")
            #expect(try terminal.run("format", "--write", "config/**/*.json", "config/b").status == 0)
            #expect(try terminal.read("config/z.json") == "{\"a\": 1}\n")
            #expect(try terminal.read("config/b/c/d.toml") == "n = 1\n")
            #expect(try terminal.run("format", "--check", "config").status == 0)
            #expect(try terminal.read("config/.secret.json") == "[")
        }
    }
}
