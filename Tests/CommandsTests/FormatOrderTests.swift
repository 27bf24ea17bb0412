// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `formwork format` with quotes, the order of members and defaults.
struct FormatOrderTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    private static let schema = """
        {"$defs": {"level": {"default": "info"}}, "type": "object", "required": ["name"], "properties": {
          "name": {"type": "string", "default": "x"},
          "server": {"type": "object", "properties": {"host": {"default": "localhost"}, "port": {"type": "integer"}}},
          "level": {"$ref": "#/$defs/level"},
          "odd": {"default": 1, "deprecated": true}
        }}
        """

    /// Formats a file, and checks that it is final.
    private func format(_ terminal: Terminal, _ name: String, _ options: String...) throws -> String {
        let outcome = try terminal.run(["format", name] + options)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let again = "again-" + name
        try terminal.write(again, outcome.output)
        let check = try terminal.run(["format", "--check", again] + options)
        #expect(check.status == 0, "not final: \(check.errors)\n\(outcome.output)")
        return outcome.output
    }

    /// Not one look at the whole line for each member.
    @Test func arrangesManyMembersOnOneLine() throws {
        try terminal { terminal in
            let keys = (0..<60_000).map { "k\(100_000 + $0 * 7_919 % 60_000)" }
            try terminal.write("wide.json", "{" + keys.map { "\"\($0)\":{\"b\":1,\"a\":2}" }.joined(separator: ",") + "}")
            let outcome = try terminal.run(["format", "--order", "alphabetical", "wide.json"])
            let sorted = keys.sorted().map { "  \"\($0)\": {\"a\": 2, \"b\": 1}" }.joined(separator: ",\n")
            #expect(outcome.output == "{\n" + sorted + "\n}\n")
        }
    }

    /// To YAML 1.1 these end a line, too; members that share one stay where they are.
    @Test(arguments: ["\u{85}", "\u{2028}", "\u{2029}"])
    func leavesMembersOnOneLineAlone(lineEnd: String) throws {
        try terminal { terminal in
            for text in ["b: 1\(lineEnd)a: 2\n", "b:\n  - 1\(lineEnd)a: 2\n", "b: >\n  q\n\(lineEnd)a: 2\n"] {
                try terminal.write("lines.yaml", text)
                let plain = try terminal.run(["format", "lines.yaml"])
                let outcome = try terminal.run(["format", "--order", "alphabetical", "lines.yaml"])
                #expect(outcome.status == plain.status, "\(outcome.errors)")
                #expect(outcome.output == plain.output)
            }
        }
    }

    @Test func putsMembersInOrderWithTheirComments() throws {
        try terminal { terminal in
            try terminal.write(
                "a.jsonc",
                """
                // head
                { // open
                  // about b
                  "b": 1, // behind b
                  "a": {"y": 1, /* x */ "x": 2},

                  /* c */ "A": [{"q": 1, "p": 2}] /* in */, // behind A
                  // end
                }
                // foot

                """)
            #expect(
                try format(terminal, "a.jsonc", "--order", "alphabetical") == """
                    // head
                    { // open
                      /* c */ "A": [{"p": 2, "q": 1}] /* in */, // behind A
                      "a": {
                        /* x */ "x": 2,
                        "y": 1
                      },
                      // about b
                      "b": 1 // behind b
                      // end
                    }
                    // foot

                    """)
            try terminal.write("b.json", #"{"b": 1, "a": 2, "b": 3}"#)
            #expect(try format(terminal, "b.json", "--order", "alphabetical") == "{\"a\": 2, \"b\": 1, \"b\": 3}\n")
            try terminal.write("c.jsonl", "{\"b\": 1, \"a\": 2}\n\n{\"a\": 1}\n")
            #expect(
                try format(terminal, "c.jsonl", "--order", "alphabetical") == "{\"a\": 2, \"b\": 1}\n{\"a\": 1}\n")
        }
    }

    @Test func anchorsStayBeforeTheirAliases() throws {
        try terminal { terminal in
            try terminal.write(
                "a.yaml",
                """
                # yaml-language-server: $schema=s.json
                # the name
                name: x # behind
                base: &b
                  z: 1
                  a: 2
                    # deep

                # the app
                app:
                  - use: *b
                    # lead
                    alias: 'it''s'
                  - text: |
                      keep

                    list: "x"
                flow: {b: 1, a: [{d: 1, c: 2}]}
                # end

                """)
            let result = try format(terminal, "a.yaml", "--order", "alphabetical", "--quotes", "double")
            #expect(
                result == """
                    # yaml-language-server: $schema=s.json
                    base: &b
                      a: 2
                      # deep
                      z: 1

                    # the app
                    app:
                      -
                        # lead
                        alias: "it's"
                        use: *b
                      - list: "x"
                        text: |
                          keep
                    flow: { a: [{ c: 2, d: 1 }], b: 1 }
                    # the name
                    name: x # behind
                    # end

                    """)
            let outcome = try terminal.run("format", "a.yaml", "--order", "alphabetical")
            #expect(outcome.errors.contains("'base' stays before 'app'"), "\(outcome.errors)")
            // An anchor that is defined twice: the order of all that has to do with it stays.
            try terminal.write("b.yaml", "d: &x 1\nc: *x\nb: &x 2\na: *x\n")
            #expect(try format(terminal, "b.yaml", "--order", "alphabetical") == "d: &x 1\nc: *x\nb: &x 2\na: *x\n")
            try terminal.write("c.yaml", "? [b]\n: 1\n? [a]\n: 2\n")
            #expect(try format(terminal, "c.yaml", "--order", "alphabetical") == "? [b]\n: 1\n? [a]\n: 2\n")
            // Empty lines count below it, wherever they come from.
            try terminal.write("e.yaml", "a:\n  c: |+\n    x\n  b: 1\n\nd: 1\n")
            #expect(
                try format(terminal, "e.yaml", "--order", "alphabetical")
                    == "a:\n  c: |+\n    x\n  b: 1\n\nd: 1\n")
            try terminal.write("d.yaml", "- b: 1\n  a:\n  - d: !x y\n    c: 2\n---\nb: 1\r\na: 2")
            #expect(
                try format(terminal, "d.yaml", "--order", "alphabetical")
                    == "- a:\n    - c: 2\n      d: !x y\n  b: 1\n---\na: 2\nb: 1\n")
        }
    }

    @Test func putsTablesOfTOMLInOrder() throws {
        try terminal { terminal in
            try terminal.write(
                "a.toml",
                """
                #:schema s.json
                # the title
                title = "x" # behind
                b.y = 1
                a = { q = 1, p = 2 }
                b.x = 2

                # the server
                [server]
                port = 1
                host = "h\\n"

                [[prod]]
                name = "2"
                [prod.sub]
                x = 1
                [[prod]]
                name = "1"
                [alpha]
                z = 1
                # end

                """)
            #expect(
                try format(terminal, "a.toml", "--order", "alphabetical", "--quotes", "single") == """
                    #:schema s.json
                    a = { p = 2, q = 1 }
                    b.x = 2
                    b.y = 1
                    # the title
                    title = 'x' # behind

                    [alpha]
                    z = 1

                    [[prod]]
                    name = '2'

                    [prod.sub]
                    x = 1

                    [[prod]]
                    name = '1'

                    # the server
                    [server]
                    host = "h\\n"
                    port = 1
                    # end

                    """)
        }
    }

    @Test func defaultsComeAndGo() throws {
        try terminal { terminal in
            try terminal.write("s.json", Self.schema)
            try terminal.write(
                "a.json", #"{"z": 1, "level": "info", "server": {"port": 1, "host": "localhost"}, "name": "x"}"#)
            #expect(
                try format(terminal, "a.json", "--schema", "s.json", "--order", "schema", "--defaults", "drop")
                    == "{\"name\": \"x\", \"server\": {\"port\": 1}, \"z\": 1}\n")
            try terminal.write("b.yaml", "# yaml-language-server: $schema=s.json\nname: y # the name\nserver: {}\n")
            #expect(
                try format(terminal, "b.yaml", "--order", "schema", "--defaults", "fill")
                    == "# yaml-language-server: $schema=s.json\nname: y # the name\nserver: { host: localhost }\nlevel: info\n"
            )
            try terminal.write("c.toml", "#:schema s.json\n[server] # here\nport = 1\n")
            #expect(
                try format(terminal, "c.toml", "--order", "schema", "--defaults", "fill")
                    == "#:schema s.json\nname = \"x\"\nlevel = \"info\"\n\n[server] # here\nhost = \"localhost\"\nport = 1\n"
            )
            // What has a comment stays, and that is said.
            try terminal.write("d.jsonc", "{\n  \"level\": \"info\", // why\n  \"name\": \"z\"\n}\n")
            let kept = try terminal.run("format", "d.jsonc", "--schema", "s.json", "--defaults", "drop")
            #expect(kept.output == "{\n  \"level\": \"info\", // why\n  \"name\": \"z\"\n}\n")
            #expect(kept.errors.contains("[format.kept]"))
            // Block mappings that lose all their members.
            try terminal.write("e.yaml", "name: n\nserver:\n  host: localhost\n")
            #expect(
                try format(terminal, "e.yaml", "--schema", "s.json", "--defaults", "drop") == "name: n\nserver: {}\n")
        }
    }

    @Test func aValidDocumentStaysValid() throws {
        try terminal { terminal in
            try terminal.write(
                "s.json",
                #"{"maxProperties": 2, "properties": {"a": {"default": 1}, "b": {"default": 2}, "c": {"default": 3}}}"#)
            try terminal.write("a.json", #"{"a": 0}"#)
            let outcome = try terminal.run("format", "a.json", "--schema", "s.json", "--defaults", "fill")
            #expect(outcome.output == "{\"a\": 0, \"b\": 2}\n")
            #expect(outcome.errors.contains("1 default is left"), "\(outcome.errors)")
            // Defaults without an end.
            try terminal.write("r.json", ##"{"properties": {"r": {"$ref": "#", "default": {}}}}"##)
            try terminal.write("b.json", "{}")
            let endless = try terminal.run("format", "b.json", "--schema", "r.json", "--defaults", "fill")
            #expect(endless.output == "{}\n")
            #expect(endless.errors.contains("never end"))
        }
    }

    @Test func theProjectFileSaysWhatToDo() throws {
        try terminal { terminal in
            try terminal.write("s.json", Self.schema)
            try terminal.write(
                "formwork.yaml",
                "schemas:\n  a.*: s.json\nformat:\n  quotes: single\n  order: schema\n  defaults: drop\n")
            try terminal.write("a.yaml", "level: info\nserver:\n  port: 1\nname: \"q\"\n")
            try terminal.write("z.yaml", "b: 1\na: \"2\"\n")
            #expect(try terminal.run("format", "--check", "*.yaml").output == "a.yaml\nz.yaml\n")
            #expect(try terminal.run("format", "--write", ".").status == 0)
            #expect(try terminal.read("a.yaml") == "name: 'q'\nserver:\n  port: 1\n")
            #expect(try terminal.read("z.yaml") == "b: 1\na: '2'\n")
            #expect(try terminal.run("format", "--check", ".").status == 0)
            #expect(try terminal.run("format", "--order", "alphabetical", "z.yaml").output == "a: '2'\nb: 1\n")
            try terminal.write("formwork.yaml", "format:\n  order: random\n")
            #expect(try terminal.run("format", "z.yaml").status == 5)
        }
    }

    @Test func aWrongSchemaStopsItsFilesOnly() throws {
        try terminal { terminal in
            try terminal.write("s.json", #"{"type": "strin"}"#)
            try terminal.write("a.json", #"{"$schema": "s.json", "b": 1, "a": 1}"#)
            try terminal.write("b.json", #"{"b": 1, "a": 1}"#)
            let outcome = try terminal.run("format", "--write", "--order", "schema", "a.json", "b.json")
            #expect(outcome.status == 4)
            #expect(try terminal.read("a.json") == #"{"$schema": "s.json", "b": 1, "a": 1}"#)
            #expect(try terminal.read("b.json") == "{\"b\": 1, \"a\": 1}\n")
            #expect(outcome.errors.contains("[schema.none]"), "\(outcome.errors)")
            #expect(try terminal.run("format", "--order", "schema", "--schema", "none.json", "b.json").status == 6)
        }
    }
}
