// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import Testing

struct BlocksTests {
    private func blocks(_ source: String, files: [String: String] = [:]) throws -> Grammar {
        try BlocksReader(registry: SchemaRegistry(), limits: GrammarLimits()) { name throws(DiagnosticsError) in
            guard let text = files[name] else {
                throw DiagnosticsError([Diagnostic("test.missing", "there is no file '\(name)'")])
            }
            return Array(text.utf8)
        }.read(Array(source.utf8), file: "blocks.yaml")
    }

    private let tools = #"""
        triggers:
          - begin: "<tool_call>\n"
            tools:
              - name: weather
                parameters:
                  type: object
                  properties: {city: {$ref: "#/$defs/place"}}
                  required: [city]
                  additionalProperties: false
                  $defs: {place: {type: string, minLength: 1}}
              - type: function
                function: {name: now}
            end: "\n</tool_call>"
          - begin: "<think>"
            regex: "[a-z ]*"
            end: "</think>"
        """#

    private let call = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bonn\"}}\n</tool_call>"

    @Test func textWithCalls() throws {
        let grammar = try blocks(tools)
        try expectGrammar(
            grammar,
            accepts: [
                "", "Hello, world! é😀\n", "<tool", "a < b", call, "I look it up. \(call) Done.", call + call,
                "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>",
                "<think>so be it</think>Yes. \(call)\n<think></think>", "</tool_call> stray", "<<think></think>",
            ],
            rejects: [
                "<tool_call>", "<tool_call>{}", "<tool_call>\n{}\n</tool_call>", "<think>1</think>",
                "<tool_call>\n{\"name\": \"weather\", \"arguments\": {}}\n</tool_call>",
                "<tool_call>\n{\"name\": \"other\", \"arguments\": {}}\n</tool_call>", "x <tool_call> y",
            ])
        for seed in UInt64(1)...10 { try walkGrammar(grammar, seed: seed, steps: 24) }
    }

    @Test(arguments: [
        ("blocks: {min: 1}", ["a[1]", "[1][2]b", "[1]"], ["", "a", "[", "[]"]),
        ("blocks: {min: 2, max: 2}", ["[1]x[2]y", "[1][2]"], ["[1]", "[1][2][3]", "[1][2] ["]),
        ("blocks: {max: 1}\nafter: nothing", ["", "a", "a[1]"], ["a[1]b", "[1][2]"]),
        ("blocks: {max: 1}\nafter: space", ["a[1]", "a[1] \n"], ["a[1]b", "[1][2]"]),
        ("before: nothing\nafter: nothing", ["", "[1]", "[1]a[2]"], ["a", "a[1]", "[1]a"]),
        ("before: space\nbetween: space\nafter: nothing\nblocks: {min: 1, max: 3}",
            ["[1]", " [1]\n[2] [3]"], ["", " ", "a[1]", "[1] ", "[1][2][3][4]"]),
        ("between: nothing\nblocks: {min: 1}", ["ab[1][2]c", "[1]"], ["[1]c[2]", "a"]),
        ("blocks: {max: 0}", ["", "abc"], ["[1]", "["]),
    ] as [(String, [String], [String])])
    func limits(options: String, accepts: [String], rejects: [String]) throws {
        let grammar = try blocks(options + "\ntriggers: [{begin: \"[\", schema: {type: integer}, end: \"]\"}]")
        try expectGrammar(grammar, accepts: accepts, rejects: rejects)
        for seed in UInt64(1)...4 { try walkGrammar(grammar, seed: seed) }
    }

    @Test func reasoningThenAnswer() throws {
        let source = """
            blocks: {min: 1, max: 1}
            after: nothing
            triggers:
              - begin: "</think>\\n"
                schema: answer.yaml
            """
        let files = ["answer.yaml": "name: answer\nfields:\n  value: integer\n"]
        let grammar = try blocks(source, files: files)
        try expectGrammar(
            grammar, accepts: ["</think>\n{\"value\": 7}", "Let me see… <b> </thin </think>\n{\"value\": 12}"],
            rejects: ["{\"value\": 7}", "</think>{\"value\": 7}", "x</think>\n{\"value\": 7} ", "</think>\n</think>\n{\"value\": 7}"])
        let machine = try GrammarMachine(grammar)
        #expect(String(decoding: machine.witness(machine.start), as: UTF8.self) == "</think>\n{\"value\": 0}")
    }

    @Test func equalTagsOfferAChoice() throws {
        let grammar = try blocks(
            "triggers:\n  - {begin: '<a>', schema: {const: 1}, end: ';'}\n  - {begin: '<a>', grammar: b.gbnf}\n  - {begin: 'äb', regex: x}",
            files: ["b.gbnf": "root ::= \"1\" [a-c]"])
        try expectGrammar(grammar, accepts: ["<a>1;", "<a>1b", "x äbx y"], rejects: ["<a>1", "<a>1;<a>", "äb"])
    }

    @Test(arguments: [
        ("{}", ["1:1 blocks.invalid"]),
        ("triggers: []", ["1:11 blocks.invalid"]),
        ("trigger: []\ntriggers: [{begin: x, schema: {}}]", ["1:1 blocks.unknown-key"]),
        ("triggers: [{begin: ' ', schema: {}}]", ["1:20 blocks.invalid"]),
        ("triggers: [{schema: {}}]", ["1:12 blocks.invalid"]),
        ("triggers: [{begin: x}]", ["1:12 blocks.invalid"]),
        ("triggers: [{begin: x, schema: {}, regex: y}]", ["1:12 blocks.invalid"]),
        ("triggers: [{begin: x, schema: {type: strin}}]", ["1:38 schema.unknown-type"]),
        ("triggers: [{begin: x, regex: '('}]", ["1:30 grammar.syntax"]),
        ("triggers: [{begin: x, grammar: a.txt}]", ["1:32 blocks.invalid"]),
        ("triggers: [{begin: x, grammar: a.gbnf}]", ["1:32 blocks.unreadable-file"]),
        ("triggers: [{begin: x, schema: {}}]\nblocks: {min: 2, max: 1}", ["2:9 blocks.invalid"]),
        ("triggers: [{begin: x, schema: {}}]\nblocks: {max: 100000}", ["2:15 blocks.invalid"]),
        ("triggers: [{begin: x, schema: {}}]\nafter: maybe", ["2:8 blocks.invalid"]),
        ("triggers: [{begin: '<a>', schema: {}}, {begin: '<<a>>', schema: {}}]", ["1:48 blocks.hidden-trigger"]),
        ("triggers: [{begin: x, tools: [{name: a}, {name: a}, {parameters: {}}]}]",
            ["1:49 blocks.invalid", "1:53 blocks.invalid"]),
        ("triggers: [{begin: x, schema: false}]\nblocks: {min: 1}", ["1:31 constraint.unsatisfiable"]),
    ])
    func problemsHavePlaces(source: String, expected: [String]) throws {
        #expect(try grammarProblems { try blocks(source) } == expected)
    }
}
