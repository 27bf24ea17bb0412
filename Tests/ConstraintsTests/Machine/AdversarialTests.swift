// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import Testing

/// A schema that asks for a lot of work, and how it must end.
struct HostileCase: CustomTestStringConvertible, Sendable {
    var name: String
    var schema: String
    /// The diagnostics of a refusal; nil where the schema must be taken.
    var refusal: String?

    init(_ name: String, _ schema: String, refusal: String? = nil) {
        self.name = name
        self.schema = schema
        self.refusal = refusal
    }

    var testDescription: String { name }
}

private func letter(_ number: Int) -> String { String(UnicodeScalar(UInt8(97 + number % 26))) }

private func list(_ count: Int, _ element: (Int) -> String) -> String { (0..<count).map(element).joined(separator: ",") }

/// Schemas that try to exhaust time or memory end with a machine or a typed error, after a bounded number of steps.
///
/// Everything is counted, nothing is timed: the same on each machine.
struct AdversarialTests {
    /// The steps and states that one schema may take.
    private static let limit = 2_000_000

    static let nested = String(repeating: #"{"items":"#, count: 400) + "true" + String(repeating: "}", count: 400)

    static let cases: [HostileCase] = [
        HostileCase("deep nesting", nested),
        HostileCase(
            "deep negation", String(repeating: #"{"not":"#, count: 400) + "{}" + String(repeating: "}", count: 400)),
        HostileCase(
            "a chain of references",
            ##"{"$ref":"#/$defs/d0","$defs":{"##
                + list(500) { ##""d\##($0)":{"$ref":"#/$defs/d\##($0 + 1)"}"## } + #","d500":{"type":"integer"}}}"#),
        HostileCase(
            "references that double",
            ##"{"$ref":"#/$defs/d0","$defs":{"##
                + list(40) { ##""d\##($0)":{"allOf":[{"$ref":"#/$defs/d\##($0 + 1)"},{"$ref":"#/$defs/d\##($0 + 1)"}]}"## }
                + #","d40":{"type":"integer"}}}"#),
        HostileCase(
            "choices that double",
            ##"{"$ref":"#/$defs/d0","$defs":{"##
                + list(30) {
                    ##""d\##($0)":{"allOf":[{"anyOf":[{"$ref":"#/$defs/d\##($0 + 1)"},{"required":["k\##($0)"]}]},{"anyOf":[{"$ref":"#/$defs/d\##($0 + 1)"},{"required":["m\##($0)"]}]}]}"##
                } + #","d30":{"type":"object","required":["z"]}}}"#),
        HostileCase(
            "overlapping oneOf",
            #"{"oneOf":["# + list(41) { #"{"type":"object","properties":{"p\#($0)":{"type":"integer"}}}"# } + "]}"),
        HostileCase(
            "overlapping oneOf with required keys",
            #"{"oneOf":["#
                + list(41) { #"{"type":"object","properties":{"p\#($0)":{"type":"integer"}},"required":["p\#($0)"]}"# } + "]}"),
        HostileCase("a large enumeration", #"{"enum":["# + list(50_000) { "\"value\($0)\"" } + "]}"),
        HostileCase("an enumeration of objects", #"{"enum":["# + list(5_000) { #"{"a":\#($0),"b":[\#($0)]}"# } + "]}"),
        HostileCase("a large maxLength", #"{"type":"string","maxLength":1000000000,"pattern":"^[a-z]+$"}"#),
        HostileCase(
            "a large minLength", #"{"type":"string","minLength":1000000000}"#, refusal: "constraint.too-complex"),
        HostileCase(
            "a large minLength with a pattern", #"{"type":"string","minLength":1000000,"pattern":"^(ab|c)*$"}"#,
            refusal: "constraint.too-complex"),
        HostileCase("a large maxItems", #"{"type":"array","maxItems":1000000000,"items":{"type":"integer"}}"#),
        HostileCase("a large minItems", #"{"type":"array","minItems":1000000,"items":{"type":"integer"}}"#),
        HostileCase(
            "many distinct elements", #"{"type":"array","minItems":1000000,"uniqueItems":true}"#,
            refusal: "constraint.too-complex"),
        HostileCase("many elements of a kind", #"{"type":"array","contains":{"const":1},"minContains":1000000}"#),
        HostileCase(
            "many elements of many kinds",
            #"{"type":"array","allOf":["#
                + list(20) { #"{"contains":{"minimum":\#($0)},"minContains":3}"# } + "]}"),
        HostileCase(
            "sixty constants that an array contains",
            #"{"type":"array","allOf":["# + list(60) { #"{"contains":{"const":"v\#($0)"}}"# } + "]}"),
        HostileCase(
            "members of objects that an array contains at most once",
            #"{"type":"array","allOf":["#
                + list(20) { #"{"contains":{"type":"object","required":["p\#($0)"]},"maxContains":1}"# } + "]}"),
        HostileCase(
            "patterns of elements that an array contains",
            #"{"type":"array","items":{"type":"string"},"allOf":["#
                + list(50) {
                    #"{"contains":{"pattern":"\#(letter($0))\#(letter($0 * 7))"}}"#
                } + "]}"),
        HostileCase(
            "elements that fail many schemas",
            #"{"type":"array","allOf":["#
                + list(20) { #"{"not":{"items":{"type":"integer","minimum":\#($0)}}}"# } + "]}"),
        HostileCase(
            "200 distinct objects", #"{"type":"array","minItems":200,"uniqueItems":true,"items":{"type":"object"}}"#),
        HostileCase(
            "distinct arrays of bits",
            #"{"type":"array","minItems":250,"uniqueItems":true,"items":{"type":"array","minItems":8,"maxItems":8,"#
                + #""items":{"type":"boolean"}}}"#),
        HostileCase(
            "distinct objects with patterned keys",
            #"{"type":"array","minItems":200,"uniqueItems":true,"items":{"type":"object","minProperties":2,"#
                + #""patternProperties":{"^a":{"type":"integer"},"b$":{"type":"boolean"}}}}"#),
        HostileCase(
            "an array whose elements all differ in kind",
            #"{"type":"array","minItems":5000,"prefixItems":["# + list(5_000) { #"{"const":\#($0)}"# } + "]}"),
        HostileCase(
            "arrays of arrays beyond all bounds",
            #"{"type":"array","minItems":10000,"items":{"type":"array","minItems":10000,"items":"#
                + #"{"type":"array","minItems":10000}}}"#, refusal: "constraint.too-complex"),
        HostileCase(
            "references that double a document",
            ##"{"$ref":"#/$defs/d0","$defs":{"##
                + list(40) {
                    ##""d\##($0)":{"type":"object","required":["a","b"],"properties":{"a":{"$ref":"#/$defs/d\##($0 + 1)"},"b":{"$ref":"#/$defs/d\##($0 + 1)"}}}"##
                } + #","d40":{"type":"integer"}}}"#, refusal: "constraint.too-complex"),
        HostileCase("many members", #"{"type":"object","minProperties":1000000}"#, refusal: "constraint.too-complex"),
        HostileCase("200 keys without a name", #"{"type":"object","minProperties":200}"#),
        HostileCase(
            "300 of 1000 members",
            #"{"type":"object","additionalProperties":false,"minProperties":300,"properties":{"#
                + list(1_000) { #""p\#($0)":{"type":"integer","minimum":\#($0)}"# } + "}}"),
        HostileCase(
            "500 of 2000 keys",
            #"{"type":"object","minProperties":500,"propertyNames":{"enum":["# + list(2_000) { "\"k\($0)\"" } + "]}}"),
        HostileCase(
            "patterned keys beside unevaluated ones",
            #"{"type":"object","minProperties":3,"unevaluatedProperties":{"type":"null"},"patternProperties":{"#
                + list(12) { #""\#(letter($0))\#(letter($0 + 1))":true"# } + #"},"anyOf":["#
                + list(5) { #"{"properties":{"q\#($0)":{"type":"integer"}}}"# } + "]}"),
        HostileCase(
            "objects that differ from 500 others",
            #"{"type":"object","minProperties":2,"not":{"enum":["#
                + list(500) { #"{"a\#($0)":\#($0),"b":[\#($0)]}"# } + "]}}"),
        HostileCase(
            "overlapping enumerations of objects",
            #"{"oneOf":["#
                + list(50) { number in #"{"enum":["# + list(20) { #"{"a":\#(number),"b":\#($0)}"# } + "]}" } + "]}"),
        HostileCase(
            "two hundred overlapping branches",
            #"{"oneOf":["# + list(200) { #"{"type":"object","required":["p\#($0)"]}"# } + "]}"),
        HostileCase(
            "many counters",
            #"{"type":"array","allOf":["# + list(12) { #"{"contains":{"const":\#($0)},"maxContains":2}"# } + "]}"),
        HostileCase(
            "many overlapping counters",
            #"{"type":"array","allOf":["# + list(12) { #"{"contains":{"minimum":\#($0)},"maxContains":2}"# } + "]}"),
        HostileCase(
            "many members that fail",
            #"{"type":"object","allOf":["# + list(12) { #"{"not":{"additionalProperties":{"const":\#($0)}}}"# } + "]}",
            refusal: "constraint.too-complex"),
        HostileCase("an ambiguous pattern", #"{"type":"string","pattern":"^(a|aa)*$"}"#),
        HostileCase("a pattern with an exponential automaton", #"{"type":"string","pattern":"^(.*a.{20})+$"}"#),
        HostileCase("nested repetitions", #"{"type":"string","pattern":"^((a{1,100}){1,100}){1,100}$"}"#),
        HostileCase(
            "a tower of lookaheads",
            #"{"type":"string","pattern":""# + String(repeating: "(?=a", count: 100) + String(repeating: ")", count: 100)
                + #""}"#),
        HostileCase(
            "lookaheads side by side",
            #"{"type":"string","pattern":"^"# + "abcdefgh".map { "(?=.*\($0))" }.joined() + #".*$"}"#),
        HostileCase(
            "patterned keys that overlap",
            #"{"type":"object","patternProperties":{"#
                + list(50) { #""\#(Character(Unicode.Scalar(UInt8(97 + $0 % 26))))\#($0 / 26)":{"minimum":\#($0)}"# }
                + #"},"minProperties":2}"#),
        HostileCase(
            "lookaheads for every letter",
            #"{"type":"string","pattern":"^"# + (0..<26).map { "(?=.*\(letter($0)))" }.joined() + #".*$"}"#),
        HostileCase(
            "many patterns without anchors",
            #"{"type":"string","allOf":["#
                + list(12) { #"{"pattern":"\#(letter($0)).{\#($0)}\#(letter($0 * 7))"}"# } + "]}"),
        HostileCase(
            "suffixes that exclude each other",
            #"{"oneOf":["# + list(26) { #"{"type":"string","pattern":"\#(letter($0)).{\#($0)}$"}"# } + "]}"),
        HostileCase(
            "a choice of 5000 words",
            #"{"type":"string","pattern":""# + (0..<5_000).map { "w\($0 * 7919 % 100_003)" }.joined(separator: "|") + #""}"#),
        HostileCase(
            "a long text anywhere",
            #"{"type":"string","pattern":""# + String(repeating: "ab", count: 5_000) + #""}"#),
        HostileCase(
            "an integer that is none of the first hundred thousand",
            #"{"type":"integer","minimum":0,"maximum":20000,"not":{"enum":["# + list(20_000) { "\($0)" } + "]}}"),
        HostileCase(
            "a dense grid without its points",
            #"{"type":"number","minimum":0,"maximum":1,"multipleOf":0.00000000000000001,"#
                + #""not":{"multipleOf":0.0000000000000001}}"#),
        HostileCase("a bound with 70 digits", #"{"type":"integer","minimum":1e70,"multipleOf":7}"#),
        HostileCase("a tiny step", #"{"type":["number","null"],"multipleOf":1e-400}"#),
        HostileCase("a huge bound", #"{"type":"number","minimum":1e1000000000}"#, refusal: "constraint.too-complex"),
        HostileCase(
            "steps without a common multiple in reach",
            #"{"type":"integer","multipleOf":123456789123456788,"not":{"multipleOf":11}}"#),
        HostileCase(
            "dependent schemas",
            #"{"type":"object","dependentSchemas":{"# + list(60) { #""k\#($0)":{"maxProperties":\#($0 + 1)}"# } + "}}"),
        HostileCase(
            "clauses over keys",
            #"{"type":"object","allOf":["#
                + list(85) { clause in
                    #"{"anyOf":["#
                        + list(3) { place in
                            let key = #"{"required":["a\#((clause * 7 + place * 3) % 20)"]}"#
                            return (clause + place) % 2 == 1 ? key : #"{"not":\#(key)}"#
                        } + "]}"
                } + "]}"),
        HostileCase(
            "many evaluated sets",
            #"{"type":"object","anyOf":["# + list(20) { #"{"properties":{"a\#($0)":{}}}"# }
                + #"],"unevaluatedProperties":false}"#),
        HostileCase(
            "distinct elements of an enumeration",
            #"{"type":"array","uniqueItems":true,"minItems":60,"items":{"enum":["# + list(70) { "\($0)" } + "]}}"),
        HostileCase(
            "keys with equal hashes",
            #"{"type":"object","properties":{"#
                + list(1_024) { number in
                    "\"" + (0..<10).map { number >> $0 & 1 == 0 ? "Aa" : "BB" }.joined() + #"":{"type":"integer"}"#
                } + "}}"),
        HostileCase(
            "distinct arrays of distinct arrays", ##"{"type":"array","items":{"$ref":"#"},"uniqueItems":true,"minItems":2}"##,
            refusal: "constraint.too-complex"),
    ]

    @Test(arguments: cases)
    func endsAfterABoundedNumberOfSteps(_ example: HostileCase) throws {
        let graph = try schemaGraph(example.schema)
        let machine: SchemaMachine
        do throws(DiagnosticsError) {
            machine = try SchemaMachine(graph)
        } catch {
            #expect(error.diagnostics.first?.id.rawValue == example.refusal)
            return
        }
        #expect(example.refusal == nil)
        var configuration = machine.start
        // Each step looks at all bytes that may come, and takes one of them.
        for step in 0..<24 {
            var allowed: [UInt8] = []
            machine.allowedBytes(configuration).forEach { allowed.append($0) }
            guard !allowed.isEmpty else { break }
            configuration = machine.step(configuration, allowed[step * 7 % allowed.count])
            #expect(!configuration.isDead)
        }
        #expect(machine.effort < Self.limit, "\(machine.effort) steps")
    }

    @Test
    func nestingBeyondTheLimitIsAnErrorOfTheReader() throws {
        let text = String(repeating: #"{"items":"#, count: 100_000) + "true" + String(repeating: "}", count: 100_000)
        #expect(throws: DiagnosticsError.self) { try schemaGraph(text) }
    }

    @Test
    func tooManySubschemasAreAnErrorOfTheLoader() throws {
        let schema = #"{"properties":{"# + list(40_000) { #""p\#($0)":{"type":"integer"}"# } + "}}"
        do {
            _ = try schemaGraph(schema)
            Issue.record("a schema with 40,000 subschemas was read")
        } catch let error as DiagnosticsError {
            #expect(error.diagnostics.map(\.id.rawValue) == ["schema.too-large"])
        }
    }

    /// Elements that have been counted are not counted in twice as many ways after each of them.
    @Test
    func waysToCountDoNotPileUp() throws {
        let schema = #"{"type":"array","allOf":["# + list(12) { #"{"contains":{"const":\#($0)}}"# } + "]}"
        let machine = try SchemaMachine(schemaGraph(schema))
        let before = machine.effort
        let text = "[" + list(12) { "\($0)" } + "]"
        #expect(acceptsText(machine, text))
        #expect(!acceptsText(machine, "[" + list(11) { "\($0)" } + "]"))
        #expect(machine.effort - before < 20_000, "\(machine.effort - before) steps")
    }

    /// The states of an array of distinct elements look at one list of values.
    @Test
    func distinctElementsAreFoundOnce() throws {
        let schema = #"{"type":"array","minItems":200,"uniqueItems":true,"items":{"type":"object"}}"#
        let machine = try SchemaMachine(schemaGraph(schema))
        #expect(machine.effort < 60_000, "\(machine.effort) steps")
        let validator = Validator(try schemaGraph(schema), formats: .assert)
        let text = machine.witness(machine.start)
        #expect(text.count <= machine.minimumCompletion(machine.start))
        #expect(try validator.isValid(JSONReader.read(text, file: nil).root))
    }

    /// A greedy completion is one, with and without upper bounds on the counts.
    @Test(arguments: [
        #"{"type":"array","allOf":["# + list(20) { #"{"contains":{"minimum":\#($0)},"minContains":3}"# } + "]}",
        #"{"type":"array","allOf":["#
            + list(12) { #"{"contains":{"multipleOf":\#($0 + 2)},"minContains":2,"maxContains":5}"# } + "]}",
        #"{"type":"array","minItems":12,"prefixItems":["# + list(12) { #"{"minimum":\#($0)}"# } + #"],"allOf":["#
            + list(9) { #"{"contains":{"maximum":\#(3 * $0)}}"# } + "]}",
    ])
    func shortCompletionsOfCountedArraysAreValid(_ schema: String) throws {
        try walkSchema(schema, seed: 11, bytes: 40, isExact: false)
    }

    @Test
    func duplicateKeysInASchemaAreAnError() throws {
        #expect(throws: DiagnosticsError.self) { try schemaGraph(#"{"type":"object","type":"string"}"#) }
    }
}
