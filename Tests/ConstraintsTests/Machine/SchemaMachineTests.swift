// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import TestSupport
import Testing

struct SchemaMachineTests {
    @Test(arguments: [
        SchemaCase("true", accepts: ["null", "1", #""x""#, "[1,{}]", #"{"a":[true]}"#], rejects: []),
        SchemaCase(#"{"type":"null"}"#, accepts: ["null"], rejects: ["0", "false"]),
        SchemaCase(#"{"type":["boolean","null"]}"#, accepts: ["true", "false", "null"], rejects: ["1", #""true""#]),
        SchemaCase(
            #"{"enum":[1,"a",true,null,[1,2],{"a":{"b":1}}]}"#,
            accepts: ["1", #""a""#, "true", "null", "[1,2]", #"{"a":{"b":1}}"#],
            rejects: ["2", "false", #""b""#, "[1]", "[1,2,3]", #"{"a":{}}"#, #"{"a":{"b":1,"c":2}}"#, "{}"]),
        SchemaCase(
            #"{"const":"a\"\\\n\u0001é"}"#, accepts: [#""a\"\\\n\u0001é""#], rejects: [#""a""#],
            misspelled: [#""\u0061\"\\\n\u0001é""#]),
        SchemaCase(#"{"enum":[1.5,-20,1e3]}"#, accepts: ["1.5", "-20", "1000"], rejects: ["15", "20", "1001"]),
    ])
    func values(_ example: SchemaCase) throws { try expectSchema(example) }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"integer"}"#, accepts: ["0", "-1", "12345"], rejects: ["1.5", "true"],
            misspelled: ["01", "1.0", "1e2"]),
        SchemaCase(
            #"{"type":"number"}"#, accepts: ["0", "-0.5", "1.25", "1e5", "2.5e-7", "-0"], rejects: [#""1""#],
            misspelled: ["1.", ".5", "+1", "1e", "00", "1E5"]),
        SchemaCase(
            #"{"type":"integer","minimum":-3,"maximum":120}"#, accepts: ["-3", "0", "7", "99", "120", "-1"],
            rejects: ["-4", "121", "1000", "-10"]),
        SchemaCase(
            #"{"type":"number","exclusiveMinimum":0,"maximum":1.5}"#, accepts: ["0.5", "1", "1.5", "0.01", "1.50"],
            rejects: ["0", "-1", "1.51", "2", "0.0"]),
        SchemaCase(
            #"{"type":"number","multipleOf":0.25}"#, accepts: ["0", "0.25", "-1.5", "3"], rejects: ["0.3", "1.1"]),
        SchemaCase(
            #"{"type":"integer","multipleOf":7,"minimum":10,"maximum":30}"#, accepts: ["14", "21", "28"],
            rejects: ["7", "15", "35", "1", "2"]),
        SchemaCase(
            #"{"type":"integer","minimum":10,"maximum":20,"not":{"multipleOf":2}}"#, accepts: ["11", "19"],
            rejects: ["10", "12", "20", "9"]),
        SchemaCase(
            #"{"type":"integer","minimum":1,"maximum":3,"not":{"enum":[2]}}"#, accepts: ["1", "3"], rejects: ["2", "4"]),
        SchemaCase(
            #"{"type":"number","not":{"type":"integer"}}"#, accepts: ["0.5", "-2.25"], rejects: ["1", "0", "2.0"]),
        SchemaCase(#"{"minimum":1e1000000000,"type":["number","null"]}"#, accepts: ["null"], rejects: ["1"]),
        SchemaCase(#"{"type":"number","maximum":1e1000000000}"#, accepts: ["1", "123.5"], rejects: []),
        SchemaCase(
            #"{"type":"number","minimum":0.1,"exclusiveMaximum":0.1000000000000000000001}"#, accepts: ["0.1"],
            rejects: ["0.2", "0.11"]),
    ])
    func numbers(_ example: SchemaCase) throws { try expectSchema(example) }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"string","minLength":2,"maxLength":3}"#, accepts: [#""ab""#, #""äöü""#, #""\n\"😀""#],
            rejects: [#""a""#, #""abcd""#, #""""#]),
        SchemaCase(
            #"{"type":"string","pattern":"^[a-c]+$"}"#, accepts: [#""abc""#], rejects: [#""abd""#, #""""#, #""é""#]),
        SchemaCase(
            #"{"type":"string","pattern":"^a","not":{"pattern":"z$"},"maxLength":4}"#,
            accepts: [#""a""#, #""azza""#], rejects: [#""az""#, #""b""#, #""aaaaa""#]),
        SchemaCase(
            #"{"type":"string","format":"date"}"#, accepts: [#""2024-02-29""#], rejects: [#""2023-02-29""#, #""x""#]),
        SchemaCase(#"{"type":"string","format":"ipv4"}"#, accepts: [#""127.0.0.1""#], rejects: [#""256.0.0.1""#]),
        SchemaCase(#"{"type":"string","format":"unheard-of"}"#, accepts: [#""x""#], rejects: ["1"]),
        SchemaCase(
            #"{"type":"string","maxLength":1,"not":{"enum":["","a","é"]}}"#, accepts: [#""b""#, #""è""#],
            rejects: [#""""#, #""a""#, #""é""#, #""ab""#]),
        SchemaCase(
            #"{"type":"string","pattern":"^é?$","not":{"const":""}}"#, accepts: [#""é""#], rejects: [#""""#, #""è""#]),
    ])
    func strings(_ example: SchemaCase) throws { try expectSchema(example) }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}"#,
            accepts: ["[1]", "[1,2,3]"], rejects: ["[]", "[1,2,3,4]", #"["a"]"#]),
        SchemaCase(
            #"{"type":"array","prefixItems":[{"type":"string"},{"type":"null"}],"items":false}"#,
            accepts: ["[]", #"["a"]"#, #"["a",null]"#], rejects: ["[1]", #"["a",null,1]"#]),
        SchemaCase(
            #"{"type":"array","contains":{"const":1},"maxContains":2}"#, accepts: ["[1]", "[2,1,1,3]"],
            rejects: ["[]", "[2]", "[1,1,1]"]),
        SchemaCase(
            #"{"type":"array","contains":{"type":"string"},"minContains":2,"maxItems":3}"#,
            accepts: [#"["a","b"]"#, #"["a",1,"b"]"#], rejects: [#"["a"]"#, #"["a",1]"#, #"["a",1,2]"#]),
        SchemaCase(
            #"{"type":"array","not":{"items":{"type":"integer"}}}"#, accepts: [#"[1,"a"]"#, "[null]"],
            rejects: ["[]", "[1]", "[1,2]"]),
        SchemaCase(
            #"{"type":"array","items":{"type":["integer","boolean"]},"uniqueItems":true}"#,
            accepts: ["[]", "[1,2,true]", "[12,1]", "[1,12]"], rejects: ["[1,1]", "[true,1,true]"]),
        SchemaCase(
            #"{"type":"array","items":{"enum":["a","b","c"]},"uniqueItems":true,"minItems":2}"#,
            accepts: [#"["a","b"]"#, #"["c","a","b"]"#], rejects: [#"["a"]"#, #"["a","a"]"#, #"["a","b","c","a"]"#]),
        SchemaCase(
            #"{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"},"b":{}},"required":["a"],"additionalProperties":false},"uniqueItems":true}"#,
            accepts: [#"[{"a":1},{"a":1,"b":2},{"a":2}]"#],
            rejects: [#"[{"a":1},{"a":1}]"#, #"[{"a":1,"b":[{}]},{"a":1,"b":[{}]}]"#]),
    ])
    func arrays(_ example: SchemaCase) throws { try expectSchema(example) }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"],"additionalProperties":false}"#,
            accepts: [#"{"a":1,"b":""}"#, #"{"b":"x"}"#], rejects: ["{}", #"{"a":1}"#, #"{"b":"","c":1}"#],
            misspelled: [#"{"b":"x","a":1}"#, #"{"b":"x","b":"x"}"#, #"{"\u0062":"x"}"#]),
        SchemaCase(
            #"{"type":"object","properties":{"a":{"type":"integer"}}}"#,
            accepts: ["{}", #"{"a":1,"b":2,"c":{}}"#, #"{"aa":1}"#, #"{"":0}"#], rejects: [#"{"a":"x"}"#],
            misspelled: [#"{"b":1,"b":2}"#, #"{"b":1,"a":1}"#]),
        SchemaCase(
            #"{"type":"object","additionalProperties":{"type":"integer"},"minProperties":2,"maxProperties":3}"#,
            accepts: [#"{"a":1,"b":2}"#, #"{"a":1,"b":2,"":3}"#],
            rejects: [#"{"a":1}"#, "{}", #"{"a":1,"b":2,"c":3,"d":4}"#],
            misspelled: [#"{"a":1,"a":2}"#]),
        SchemaCase(
            #"{"type":"object","properties":{"x1":{}},"patternProperties":{"^x":{"type":"integer"},"9$":{"minimum":5}},"additionalProperties":{"type":"null"}}"#,
            accepts: [#"{"x1":1,"x2":3,"9":7,"b":null,"x9":5}"#, #"{"9":"a"}"#],
            rejects: [#"{"x1":"a"}"#, #"{"x9":4}"#, #"{"b":1}"#, #"{"9":1}"#]),
        SchemaCase(
            #"{"type":"object","propertyNames":{"pattern":"^[ab]$"},"minProperties":2}"#,
            accepts: [#"{"a":1,"b":2}"#, #"{"b":1,"a":2}"#], rejects: [#"{"a":1}"#, #"{"c":1,"a":1}"#],
            misspelled: [#"{"a":1,"a":2}"#]),
        SchemaCase(
            #"{"type":"object","propertyNames":{"enum":["k","l"]},"additionalProperties":{"type":"boolean"}}"#,
            accepts: ["{}", #"{"k":true,"l":false}"#], rejects: [#"{"m":true}"#, #"{"k":1}"#]),
        SchemaCase(
            #"{"type":"object","dependentRequired":{"a":["b"]},"dependentSchemas":{"c":{"maxProperties":2}}}"#,
            accepts: ["{}", #"{"b":1}"#, #"{"a":1,"b":1}"#, #"{"b":1,"c":1}"#],
            rejects: [#"{"a":1}"#, #"{"c":1,"x":1,"y":2}"#]),
        SchemaCase(
            #"{"type":"object","not":{"required":["a"]}}"#, accepts: ["{}", #"{"b":1}"#], rejects: [#"{"a":1}"#]),
        SchemaCase(
            #"{"type":"object","not":{"additionalProperties":{"type":"integer"}}}"#,
            accepts: [#"{"a":"x"}"#, #"{"a":1,"b":null}"#],
            rejects: ["{}", #"{"a":1}"#]),
        SchemaCase(
            #"{"type":"object","not":{"const":{"a":1,"b":2}}}"#,
            accepts: ["{}", #"{"a":1}"#, #"{"a":1,"b":3}"#, #"{"a":1,"b":2,"c":3}"#],
            rejects: [#"{"a":1,"b":2}"#]),
    ])
    func objects(_ example: SchemaCase) throws { try expectSchema(example) }

    @Test(arguments: [
        SchemaCase(
            #"{"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]}"#, accepts: ["5", #""a""#],
            rejects: [#""ab""#, "null"]),
        SchemaCase(
            #"{"allOf":[{"minimum":3},{"maximum":5},{"type":"integer"}]}"#, accepts: ["3", "5"], rejects: ["2", "6"]),
        SchemaCase(
            #"{"oneOf":[{"type":"integer","multipleOf":2},{"type":"integer","multipleOf":3}]}"#,
            accepts: ["2", "3", "9"],
            rejects: ["6", "0", "5", "12"]),
        SchemaCase(
            #"{"oneOf":[{"properties":{"k":{"const":"a"},"v":{"type":"integer"}},"required":["k"]},{"properties":{"k":{"const":"b"},"v":{"type":"string"}},"required":["k"]}],"type":"object"}"#,
            accepts: [#"{"k":"a","v":1}"#, #"{"k":"b","v":"x"}"#, #"{"k":"b"}"#],
            rejects: [#"{"k":"a","v":"x"}"#, #"{"k":"c"}"#, "{}"]),
        SchemaCase(
            #"{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}],"properties":{"a":{},"b":{},"c":{}}}"#,
            accepts: [#"{"a":1}"#, #"{"b":1,"c":1}"#], rejects: ["{}", #"{"a":1,"b":1}"#, #"{"c":1}"#]),
        SchemaCase(
            #"{"type":"object","properties":{"t":{"enum":["x","y"]},"n":{}},"if":{"properties":{"t":{"const":"x"}},"required":["t"]},"then":{"required":["n"]},"else":{"not":{"required":["n"]}}}"#,
            accepts: [#"{"t":"x","n":1}"#, #"{"t":"y"}"#, "{}"],
            rejects: [#"{"t":"x"}"#, #"{"t":"y","n":1}"#, #"{"n":1}"#]),
        SchemaCase(
            #"{"not":{"type":["object","array","string"]}}"#, accepts: ["1", "null", "true"],
            rejects: ["{}", "[]", #""""#]),
        SchemaCase(
            ##"{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/t"}},"required":["v"],"additionalProperties":false}}}"##,
            accepts: [#"{"v":1}"#, #"{"v":1,"next":{"v":2,"next":{"v":3}}}"#], rejects: [#"{"v":1,"next":{}}"#, "{}"]),
        SchemaCase(
            ##"{"$id":"https://x/tree","$dynamicAnchor":"node","type":"object","properties":{"d":true,"c":{"type":"array","items":{"$dynamicRef":"#node"}}},"additionalProperties":false}"##,
            accepts: [#"{"d":1,"c":[{"d":2,"c":[]}]}"#], rejects: [#"{"c":[1]}"#, #"{"x":1}"#]),
    ])
    func combinations(_ example: SchemaCase) throws { try expectSchema(example) }

    @Test
    func spacedAndPrettyTextsAreAcceptedInTheirProfiles() throws {
        let schema = try schemaGraph(
            #"{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}},"b":{}}}"#)
        let spaced = try SchemaMachine(schema, profile: .spaced)
        #expect(acceptsText(spaced, #"{"a": [1, 2], "b": {}}"#))
        #expect(!acceptsText(spaced, #"{"a":[1,2]}"#))
        let pretty = try SchemaMachine(schema, profile: .pretty())
        #expect(acceptsText(pretty, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}"))
        #expect(acceptsText(pretty, "{\n  \"a\": []\n}"))
        #expect(!acceptsText(pretty, "{\n \"a\": []\n}"))
        #expect(!acceptsText(pretty, "{\"a\": []}"))
        let flexible = try SchemaMachine(schema, profile: SpellingProfile(whitespace: .flexible(maxRun: 2)))
        #expect(acceptsText(flexible, "{ \"a\" :\n[1 , 2] , \"b\":{ }}"))
        #expect(!acceptsText(flexible, "{   \"a\":[]}"))
        #expect(!acceptsText(flexible, " {}"))
    }

    static let walked = [
        "true",
        #"{"type":"object","properties":{"a":{"type":"integer","minimum":10,"maximum":99},"b":{"type":"string","pattern":"^x+y$"}},"required":["a"]}"#,
        #"{"type":"array","items":{"type":"number","multipleOf":0.5,"minimum":-2},"minItems":3,"maxItems":5}"#,
        #"{"oneOf":[{"type":"object","required":["a"]},{"type":"object","required":["b"]}],"maxProperties":3}"#,
        #"{"type":"object","patternProperties":{"^a":{"type":"null"}},"additionalProperties":{"type":"array","contains":{"const":1}},"minProperties":2}"#,
        #"{"type":"string","format":"date-time"}"#,
        #"{"type":"array","items":{"type":"string","maxLength":1},"uniqueItems":true}"#,
        ##"{"anyOf":[{"$ref":"#/$defs/a"},{"type":"array","items":{"$ref":"#"}}],"$defs":{"a":{"type":"object","properties":{"x":{"$ref":"#"}},"required":["x"],"additionalProperties":false}},"not":{"const":[[]]}}"##,
    ]

    @Test(arguments: walked, [SpellingProfile.compact, .spaced, .pretty()])
    func everyWalkCanBeFinished(_ schema: String, _ profile: SpellingProfile) throws {
        for seed in 0..<12 {
            try walkSchema(
                schema, seed: UInt64(seed), bytes: seed * seed * 2, profile: profile,
                isExact: !schema.contains("unique") && !schema.contains("minProperties"))
        }
    }

    @Test(arguments: [
        ("false", "constraint.unsatisfiable"),
        (#"{"type":"string","minLength":5,"maxLength":4}"#, "constraint.unsatisfiable"),
        (#"{"type":"object","required":["a"],"properties":{"a":false}}"#, "constraint.unsatisfiable"),
        (##"{"type":"array","items":{"$ref":"#"},"minItems":1}"##, "constraint.unsatisfiable"),
        (#"{"type":"array","items":{"type":"boolean"},"minItems":3,"uniqueItems":true}"#, "constraint.unsatisfiable"),
        (#"{"not":{"uniqueItems":true}}"#, "constraint.unsupported-keyword"),
        (#"{"type":"string","minLength":1000000000}"#, "constraint.too-complex"),
    ])
    func refusesWithADiagnostic(_ schema: String, _ id: String) throws {
        #expect(try schemaRefusals(schema) == [id])
    }

    @Test(arguments: [
        #"{"type":"string","maxLength":1000000000}"#,
        #"{"type":"array","minItems":1000000,"items":{"type":"integer"}}"#,
        #"{"type":["number","null"],"multipleOf":1e-400}"#,
        #"{"type":"string","pattern":"^(a|aa)*$"}"#,
        #"{"type":"object","patternProperties":{"a":{},"b":{},"c":{},"d":{},"e":{},"f":{},"g":{"type":"null"}}}"#,
        #"{"enum":[\#((0..<20_000).map { "\"value\($0)\"" }.joined(separator: ","))]}"#,
    ])
    func largeLimitsAreNoBurden(_ schema: String) throws {
        let machine = try SchemaMachine(schemaGraph(schema))
        #expect(!machine.allowedBytes(machine.start).isEmpty)
    }
}
