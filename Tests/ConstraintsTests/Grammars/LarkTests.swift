// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Testing

struct LarkTests {
    @Test(arguments: [
        GrammarCase(#"start: "yes" | "no""#, accepts: ["yes", "no"], rejects: ["", "YES"]),
        GrammarCase(#"start: "Yes"i "é"i /[a-c]+x/i"#, accepts: ["yesébX", "YESÉax"], rejects: ["yeséx", "ye"]),
        GrammarCase(
            "start: greeting NAME \"!\"?\ngreeting: \"hello \" // a comment\n  | \"hi \" -> short # another\nNAME: /[A-Z]/ LETTER*\nLETTER: \"a\"..\"z\"",
            accepts: ["hello Ada", "hi B!"], rejects: ["hello ada", "hi ", "hi B!!"]),
        GrammarCase(
            "?start: (\"a\" | \"b\")~2..3 [\"c\"] \"d\"~2 \"e\"{1,} \"f\"{,1}",
            accepts: ["abddeef", "bbacdde"],
            rejects: ["adde", "abdde" + "ff", "abdd"]),
        GrammarCase("start: \"a\" {2} \"b\" ~ 1", accepts: ["aab"], rejects: ["ab", "aabb"]),
        GrammarCase(
            "start: expr\nexpr: expr \"+\" term | term\nterm: NUMBER | \"(\" expr \")\"\n%import common.NUMBER\n%import common (WS, INT)\n%ignore WS",
            accepts: ["1", "1+2.5", "1 + ( 2\n+ 3e4 )"], rejects: [" 1", "1 ", "1 +", "(1", "1 2 +"]),
        GrammarCase(
            "%llguidance {\"allow_initial_skip\": true}\nstart: \"a\" \"b\"\n%ignore / +/",
            accepts: ["ab", "  a b"],
            rejects: ["ab ", "a"]),
        GrammarCase(
            "%llguidance {\"skip_repetition\": \"once\"}\nstart: \"a\" \"b\"\n%ignore / {1,2}/",
            accepts: ["ab", "a  b"],
            rejects: ["a   b", " ab"]),
        GrammarCase(
            "start: (\"a\" \"b\"?)*\n%ignore \" \"",
            accepts: ["", "a", "a b", "a  a"],
            rejects: [" ", "a ", "b"]),
        GrammarCase(
            "start: A B C\nA: /[a-z]+/ & ~/.*x.*/\nB: /[0-9]/ ~2\nC: \"é\" | /[^\\n]/",
            accepts: ["ab12é", "a00z"],
            rejects: ["ax12z", "a1z", "a12"]),
        GrammarCase(
            "start: text \"!\"\ntext[lazy]: /[a-z]*b/",
            accepts: ["b!", "aab!"],
            rejects: ["bb!", "abab!", "a!"]),
        GrammarCase(
            "start: body REST\nbody[suffix=\"END\"]: /(?s:.*)/\nREST: /[0-9]*/",
            accepts: ["END", "xEND12", "a\nEEND"],
            rejects: ["aENDbEND", "xEN", ""]),
        GrammarCase(
            "start: /a.c/ /x.y/s \"\\u0041\\n\\\"\\/\\ud83d\\ude00\"",
            accepts: ["abcx\nyA\n\"/😀"],
            rejects: ["a\ncx\nyA\n\"/😀"]),
        GrammarCase(
            "start: S\nS: \"\\\"\" /([^\"\\\\]|\\\\.)*/ \"\\\"\"",
            accepts: [#""""#, #""a\"b""#],
            rejects: [#"""#, #""a"b""#]),
        GrammarCase(
            "start: ESCAPED_STRING \":\" SIGNED_INT\n%import common.ESCAPED_STRING\n%import common.SIGNED_INT",
            accepts: [#""a\"":-1"#, #""":7"#],
            rejects: [#"a:1"#, "\"\n\":1"]),
        GrammarCase(
            "start: item*\nitem: \"-\" T \"\\n\"\nT: W (\" \" W)*\n%import common.WORD -> W",
            accepts: ["", "-a b\n-c\n"],
            rejects: ["- a\n", "-a"]),
        GrammarCase("_start_x: \"q\"\nstart: _start_x (\n  \"a\"\n  | \"b\"\n)", accepts: ["qa", "qb"], rejects: ["q"]),
    ])
    func texts(_ example: GrammarCase) throws {
        try expectGrammar(lark(example.source), accepts: example.accepts, rejects: example.rejects)
        for seed in UInt64(1)...3 { try walkGrammar(lark(example.source), seed: seed) }
    }

    @Test func embeddedSchemas() throws {
        let source = #"""
            start: "call " function | "n=" count "0" | /[^c{n].*/
            function: %json {
              "type": "object",
              "properties": {
                "name": {"const": "weather"},
                "city": {"type": "string", "minLength": 1}
              },
              "required": ["name", "city"],
              "additionalProperties": false
            } ";"?
            count: %json {"type": "integer", "minimum": 0}
            """#
        let grammar = try lark(source)
        try expectGrammar(
            grammar,
            accepts: [#"call {"name": "weather", "city": "é\"x"}"#, #"call {"name": "weather", "city": "a"};"#, "n=00", "n=120", "hello"],
            rejects: [#"call {"name": "weather", "city": ""}"#, "call {}", "n=0", "n=1", "n=-10", "call"])
        for seed in UInt64(1)...10 { try walkGrammar(grammar, seed: seed, steps: 24) }
        // Both ways to go on after a digit are kept: one more digit, or the literal.
        let machine = try GrammarMachine(grammar)
        let configuration = "n=1".utf8.reduce(machine.start) { machine.step($0, $1) }
        #expect(machine.witness(configuration) == Array("0".utf8))
        #expect(machine.isAccepting(machine.step(configuration, 0x30)))
        #expect(!machine.step(machine.step(configuration, 0x30), 0x30).isDead)
    }

    @Test(arguments: [
        ("", ["1:1 grammar.missing-start"]),
        ("start: a", ["1:8 grammar.undefined-rule"]),
        ("start: INT", ["1:8 grammar.undefined-rule"]),
        ("start: \"a", ["1:8 grammar.syntax"]),
        ("start: /a", ["1:8 grammar.syntax"]),
        ("start: /a(b/", ["1:10 grammar.syntax"]),
        ("start: /a(?=b)/", ["1:8 grammar.unsupported-regex"]),
        ("start: /a*?b/", ["1:11 grammar.unsupported-regex"]),
        ("start: /a/x", ["1:11 grammar.unsupported-regex"]),
        ("start: \"a\" <|eot|>", ["1:12 grammar.unsupported-token"]),
        ("start.2: \"a\"\nA.-1: \"b\"", ["1:6 grammar.unsupported-priority", "2:2 grammar.unsupported-priority"]),
        ("start{x}: \"a\"", ["1:1 grammar.unsupported-template"]),
        ("start: a{\"b\"}", ["1:9 grammar.unsupported-template"]),
        ("start[capture]: \"a\"", ["1:7 grammar.unsupported-attribute"]),
        ("start[max_tokens=3]: \"a\"", ["1:7 grammar.unsupported-attribute"]),
        ("%declare A\n%override start: \"b\"\nstart: \"a\"",
            ["1:1 grammar.unsupported-directive", "2:1 grammar.unsupported-directive"]),
        ("start: %regex {\"substring_chars\": \"a\"}", ["1:8 grammar.unsupported-directive"]),
        ("start: @other", ["1:8 grammar.unsupported-reference"]),
        ("%import python.NAME\nstart: \"a\"", ["1:9 grammar.unsupported-import"]),
        ("%import common.NONE\nstart: \"a\"", ["1:16 grammar.undefined-rule"]),
        ("%llguidance {\"no_such\": 1}\nstart: \"a\"", ["1:13 grammar.unsupported-option"]),
        ("start: A\nA: \"a\" B\nB: A", ["3:4 grammar.recursive-terminal"]),
        ("start: A\nA: b\nb: \"x\"", ["2:4 grammar.rule-in-terminal"]),
        ("start: A\nA: %json {}", ["2:4 grammar.rule-in-terminal"]),
        ("start: \"a\"\nstart: \"b\"", ["2:1 grammar.duplicate-rule"]),
        ("start: \"b\"..\"a\"", ["1:8 grammar.syntax"]),
        ("start: \"a\"~3..2", ["1:11 grammar.syntax"]),
        ("start: \"a\"~1000000000", ["1:11 grammar.too-complex"]),
        ("start: (\"a\"\nb: \"c\" )", ["2:2 grammar.syntax"]),
        ("start: %json {\"type\": \"strin\"}", ["1:23 schema.unknown-type"]),
        ("start: start \"a\"", ["1:1 grammar.unsatisfiable"]),
    ])
    func problemsHavePlaces(source: String, expected: [String]) throws {
        #expect(try grammarProblems { try lark(source) } == expected)
    }

    @Test func schemasThatCannotBeEnforcedAreNamed() throws {
        let problems = try grammarProblems {
            try lark("start: \"a\"\n  | %json {\"type\": \"string\", \"pattern\": \"(a)\\\\1\"}")
        }
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("2:") == true)
    }

    @Test func terminalsWithoutUseAreTold() throws {
        let grammar = try lark("start: A | b\nA: C\nC: \"c\"\nD: \"d\"\n%ignore E\nE: \" \"\nb: \"b\"\nf: A")
        let machine = try GrammarMachine(grammar)
        let warnings = (grammar.warnings + machine.warnings(for: grammar)).map {
            "\($0.range.map { "\($0.start)" } ?? "-") \($0.id)"
        }
        #expect(warnings == ["4:1 grammar.unused-rule", "8:1 grammar.unused-rule"])
    }

    @Test func deepNestingIsRefused() throws {
        for source in [
            "start: " + String(repeating: "(", count: 50_000), "start: " + String(repeating: "[", count: 50_000),
            "start: " + String(repeating: "~", count: 50_000) + "\"a\"",
            "start: A0\n" + (0..<2000).map { "A\($0): A\($0 + 1)\n" }.joined() + "A2000: \"a\"",
        ] {
            let problems = try grammarProblems { try lark(source) }
            #expect(problems.contains { $0.hasSuffix("grammar.too-complex") }, "\(problems)")
        }
    }
}
