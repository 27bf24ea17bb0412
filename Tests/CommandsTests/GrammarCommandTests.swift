// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `formwork grammar`, and what `transform` says about grammars.
struct GrammarCommandTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    @Test(arguments: [["grammar", "--help"], ["grammar", "check", "--help"], ["grammar", "match", "--help"]])
    func helpGoesToStandardOutput(arguments: [String]) throws {
        try terminal { terminal in
            let outcome = try terminal.run(arguments)
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("USAGE"))
        }
    }

    @Test(arguments: [
        ["grammar", "match"], ["grammar", "match", "a.gbnf", "--regex", "a"], ["grammar", "check"],
        ["grammar", "check", "a.txt"], ["grammar", "match", "--regex", "("], ["transform", "--regex", "("],
        ["transform", "--schema", "a.json", "--regex", "a"], ["transform", "--regex", "a", "--output", "yaml"],
        ["transform", "--grammar", "a.txt"],
    ])
    func wrongUsageExitsWith5(arguments: [String]) throws {
        try terminal { terminal in
            let outcome = try terminal.run(arguments, input: "x")
            #expect(outcome.status == 5, "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
    }

    @Test func checkTellsRulesAndTheShortestText() throws {
        try terminal { terminal in
            try terminal.write("a.gbnf", "root ::= \"yes\" | \"no\"\nold ::= \"maybe\"\n")
            let outcome = try terminal.run("grammar", "check", "a.gbnf")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("rules: 2"))
            #expect(outcome.output.contains("\"no\""))
            #expect(outcome.output.contains("a.gbnf:2:1: warning"))
            let json = try terminal.run("grammar", "check", "--output", "json", "a.gbnf")
            #expect(json.status == 0)
            #expect(json.output.contains(#""shortest": "no""#))
        }
    }

    @Test func problemsAreShownWithTheirPlaces() throws {
        try terminal { terminal in
            try terminal.write("wrong.gbnf", "root ::= a\n")
            try terminal.write("token.gbnf", "root ::= \"a\" <think>\n")
            try terminal.write("rule.lark", "start.3: \"a\"\n")
            try terminal.write("blocks.yaml", "triggers:\n  - {begin: x}\n")
            let wrong = try terminal.run("grammar", "check", "wrong.gbnf")
            #expect(wrong.status == 4)
            #expect(wrong.errors.contains("wrong.gbnf:1:10"))
            let token = try terminal.run("grammar", "check", "token.gbnf")
            #expect(token.status == 3)
            #expect(token.errors.contains("'<think>'"))
            let rule = try terminal.run("grammar", "check", "rule.lark")
            #expect(rule.status == 3)
            #expect(rule.errors.contains("rule.lark:1:6"))
            let blocks = try terminal.run("grammar", "check", "blocks.yaml")
            #expect(blocks.status == 4)
            #expect(blocks.errors.contains("blocks.yaml:2:5"))
            #expect(try terminal.run("grammar", "check", "missing.gbnf").status == 6)
        }
    }

    @Test func matchTellsWhereATextGoesWrong() throws {
        try terminal { terminal in
            try terminal.write("list.gbnf", "root ::= (\"- \" [a-z]+ \"\\n\")+\n")
            try terminal.write("good.txt", "- a\n- bc\n")
            try terminal.write("bad.txt", "- a\n* bc\n")
            #expect(try terminal.run("grammar", "match", "list.gbnf", "--input", "good.txt").status == 0)
            let bad = try terminal.run("grammar", "match", "list.gbnf", "--input", "bad.txt")
            #expect(bad.status == 2)
            #expect(bad.errors.contains("bad.txt:2:1"))
            #expect(bad.errors.contains("'-'"))
            let short = try terminal.run("grammar", "match", "list.gbnf", input: "- ab")
            #expect(short.status == 2)
            #expect(short.errors.contains("<stdin>:1:5"))
            let line = try terminal.run("grammar", "match", "--regex", "a+", input: "aa\n")
            #expect(line.status == 2)
            #expect(line.errors.contains("--ignore-final-newline"))
            let trimmed = try terminal.run("grammar", "match", "--regex", "a+", "--ignore-final-newline", input: "aa\n")
            #expect(trimmed.status == 0)
        }
    }

    @Test func samplesAreInOrder() throws {
        let samples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Samples/grammars")
        let names = try FileManager.default.contentsOfDirectory(atPath: samples.path).sorted()
        #expect(!names.isEmpty)
        try terminal { terminal in
            for name in names {
                let outcome = try terminal.run("grammar", "check", samples.appendingPathComponent(name).path)
                #expect(outcome.status == 0, "\(name): \(outcome.errors)")
            }
        }
    }
}
