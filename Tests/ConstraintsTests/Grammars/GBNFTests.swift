// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Testing

struct GBNFTests {
    @Test(arguments: [
        GrammarCase(#"root ::= "yes" | "no""#, accepts: ["yes", "no"], rejects: ["", "y", "yesno", "maybe"]),
        GrammarCase(#"root ::= "a"* "b"+ "c"?"#, accepts: ["b", "aabb", "abc"], rejects: ["", "a", "abcc", "ac"]),
        GrammarCase(
            #"root ::= [a-c]{2} "-" [^a-c\n]{1,} "." [0-9]{0,2}"#, accepts: ["ab-x.", "cc-é中😀.12"],
            rejects: ["a-x.", "ab-a.", "ab-.", "ab-x.123", "ab-\n."]),
        GrammarCase(#"root ::= "a"{0} "b"{3}"#, accepts: ["bbb"], rejects: ["bb", "abbb", "bbbb"]),
        GrammarCase(#"root ::= "\x41\u00e9\U0001F600\t\r\n\\\"\[\]\-""#, accepts: ["Aé😀\t\r\n\\\"[]-"], rejects: ["A"]),
        GrammarCase(#"root ::= [\]\[\-\\"a-]+"#, accepts: ["][-\\\"a", "--"], rejects: ["b", ""]),
        GrammarCase(#"root ::= [^\]]"#, accepts: ["x", "é", "\n", "😀"], rejects: ["]", "xx"]),
        GrammarCase(#"root ::= ."#, accepts: ["x", "\n", "😀"], rejects: ["", "ab"]),
        GrammarCase(#"root ::= [ぁ-ゟ]+ [à-ü]"#, accepts: ["ぁゟé", "んü"], rejects: ["é", "ァé", "ぁ"]),
        GrammarCase(#"root ::= [\u0080-\U0010FFFF]"#, accepts: ["\u{80}", "\u{10FFFF}", "\u{D7FF}"], rejects: ["a"]),
        GrammarCase(
            """
            # a comment
            root ::= ( # in a group
                item ("," item)*   # lines may end

                | "none"
            ) |
               "never"
            item ::= [a-z]+ # the end
            """, accepts: ["a", "a,bc", "none", "never"], rejects: ["", "a,", "none,1"]),
        GrammarCase(
            """
            root ::= expr
            expr ::= expr "+" term | expr "-" term | term
            term ::= term "*" factor | factor
            factor ::= "(" expr ")" | [0-9]+
            """, accepts: ["1", "1+2*3", "(1-2)*3", "((((7))))-1*2+3"], rejects: ["", "1+", "(1", "1)", "+1"]),
        GrammarCase("root ::= root root | \"a\"", accepts: ["a", "aa", "aaaaaaa"], rejects: ["", "b", "ab"]),
        GrammarCase(
            "root ::= a\na ::= b \"x\" | \"1\"\nb ::= a \"y\" | \"2\"",
            accepts: ["1", "2x", "1yx", "2xyx"],
            rejects: ["2", "1y", "1x"]),
        GrammarCase("root ::= a \"x\"\na ::= a | b | \"\"\nb ::= a b | a", accepts: ["x"], rejects: ["", "xx"]),
        GrammarCase("root ::= \"(\" root \")\" | \"\"", accepts: ["", "()", "((()))"], rejects: ["(", "())", "()()"]),
        GrammarCase(
            "root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"a\" | \"b\" | \"\"",
            accepts: ["", "aba", "abba", "babab"],
            rejects: ["ab", "abab"]),
        GrammarCase(
            "root ::= (\"a\"? \"b\"?){2,3} \"c\"",
            accepts: ["c", "abc", "ababc", "bac", "bababc"],
            rejects: ["abababac", "", "acb"]),
        GrammarCase("root ::= ((\"a\"*)*)+ \"b\"", accepts: ["b", "aaab"], rejects: ["", "a", "ba"]),
        GrammarCase("root ::= \"ab\"{2,3} \"c\"*?", accepts: ["abab", "abababcc"], rejects: ["ab", "abababab"]),
        GrammarCase("root ::=\n  \"a\"\nUPPER-case_1 ::= \"b\"", accepts: ["a"], rejects: ["b"]),
        GrammarCase("root::=\"a\"", accepts: ["a"], rejects: [""]),
        GrammarCase(
            "root ::= stmt\nstmt ::= \"if \" stmt (\" else \" stmt)? | \"x\"",
            accepts: ["x", "if x", "if if x else x", "if if x else x else x"],
            rejects: ["if", "x else x"]),
    ])
    func texts(_ example: GrammarCase) throws {
        try expectGrammar(gbnf(example.source), accepts: example.accepts, rejects: example.rejects)
        for seed in UInt64(1)...3 { try walkGrammar(gbnf(example.source), seed: seed) }
    }

    /// JSON as llama.cpp spells it.
    static let json = #"""
        root   ::= object
        value  ::= object | array | string | number | ("true" | "false" | "null") ws

        object ::=
          "{" ws (
                    string ":" ws value
            ("," ws string ":" ws value)*
          )? "}" ws

        array  ::=
          "[" ws (
                    value
            ("," ws value)*
          )? "]" ws

        string ::=
          "\"" (
            [^"\\\x7F\x00-\x1F] |
            "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4})
          )* "\"" ws

        number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
        ws ::= | " " | "\n" [ \t]{0,20}
        """#

    @Test func jsonGrammar() throws {
        let grammar = try gbnf(Self.json)
        try expectGrammar(
            grammar,
            accepts: ["{}", #"{"a":1}"#, #"{"key":[1,2,{"value":"é\n\u00e9 \"x\""}],"b":{}, "c": null}"#, #"{"a": -1.5e+3}"#],
            rejects: ["[]", #"{"a":01}"#, #"{"a"}"#, "{\"a\":\"\n\"}", #"{"a":1,}"#])
        for seed in UInt64(1)...8 { try walkGrammar(grammar, seed: seed, steps: 20) }
    }

    @Test(arguments: [
        ("", ["1:1 grammar.missing-start"]),
        ("start ::= \"a\"", ["1:1 grammar.missing-start"]),
        ("root ::= a", ["1:10 grammar.undefined-rule"]),
        ("root ::= \"a", ["1:10 grammar.syntax"]),
        ("root ::= [a", ["1:10 grammar.syntax"]),
        ("root ::= [b-a]", ["1:11 grammar.syntax"]),
        ("root ::= []", ["1:10 grammar.syntax"]),
        ("root ::= \"\\q\"", ["1:11 grammar.syntax"]),
        ("root ::= \"\\x4\"", ["1:11 grammar.syntax"]),
        ("root ::= \"\\uD800\"", ["1:11 grammar.syntax"]),
        ("root ::= (\"a\"", ["1:14 grammar.syntax"]),
        ("root ::= * \"a\"", ["1:10 grammar.syntax"]),
        ("root ::= \"a\"{2,1}", ["1:13 grammar.syntax"]),
        ("root ::= \"a\"{,1}", ["1:14 grammar.syntax"]),
        ("root ::= \"a\" )", ["1:14 grammar.syntax"]),
        ("root = \"a\"", ["1:6 grammar.syntax"]),
        ("root ::= <think> \"é\" <[12]>\nb ::= ][\nc ::= !<x>", [
            "1:10 grammar.unsupported-token", "2:7 grammar.syntax", "3:7 grammar.unsupported-token",
        ]),
        ("root ::= \"a\"\nroot ::= \"b\"", ["2:1 grammar.duplicate-rule"]),
        ("root ::= \"a\" root", ["1:1 grammar.unsatisfiable"]),
        ("root ::= \"é\"\n  ::= \"b\"\nx ::= y", ["2:3 grammar.syntax", "3:7 grammar.undefined-rule"]),
    ])
    func problemsHavePlaces(source: String, expected: [String]) throws {
        #expect(try grammarProblems { try gbnf(source) } == expected)
    }

    @Test func rulesWithoutUseAreTold() throws {
        let grammar = try gbnf("root ::= \"a\" | b\nb ::= \"x\" b\nc ::= \"d\"")
        let machine = try GrammarMachine(grammar)
        let warnings = machine.warnings(for: grammar).map { "\($0.range.map { "\($0.start)" } ?? "-") \($0.id)" }
        #expect(warnings == ["2:1 grammar.unproductive-rule", "3:1 grammar.unused-rule"])
        #expect(machine.step(machine.start, UInt8(ascii: "x")).isDead)
    }
}
