// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import TestSupport
import Testing

/// Whether masks let a text through, token by token, the longest tokens first.
private func masksAccept(_ machine: SchemaMachine, _ text: String) throws -> Bool {
    let vocabulary = LanguageTests.vocabulary
    let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
    var mask = TokenMask(tokenCount: vocabulary.count)
    var configuration = engine.start()
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let token = try #require(LanguageTests.longestFirst.first { rest.starts(with: $0.bytes) })
        engine.fillMask(configuration, into: &mask)
        guard mask.contains(token.id) else { return false }
        configuration = try #require(engine.commit(configuration, token.id))
        rest = rest.dropFirst(token.bytes.count)
    }
    engine.fillMask(configuration, into: &mask)
    return vocabulary.endOfGeneration.contains { mask.contains($0) }
}

/// Checks a case by validator, recogniser and masks.
private func expectLanguage(_ example: SchemaCase, _ profile: SpellingProfile = .compact) throws {
    try expectSchema(example, profile: profile)
    let machine = try SchemaMachine(schemaGraph(example.schema), profile: profile)
    for text in example.accepts { #expect(try masksAccept(machine, text), "masks accept \(text)") }
    for text in example.rejects + example.misspelled {
        #expect(try !masksAccept(machine, text), "masks reject \(text)")
    }
    #expect(machine.limitations.isEmpty)
}

/// What is accepted and rejected, by validator, recogniser and masks.
struct LanguageTests {
    static let vocabulary = TestVocabularies.small()
    static let longestFirst: [(id: Int, bytes: [UInt8])] = (0..<vocabulary.count).map { ($0, vocabulary.bytes(of: $0)) }
        .filter { !$0.1.isEmpty }.sorted { ($1.1.count, $0.0) < ($0.1.count, $1.0) }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"object","not":{"properties":{"a":true},"unevaluatedProperties":false}}"#,
            accepts: [#"{"b":1}"#, #"{"a":1,"b":1}"#], rejects: ["{}", #"{"a":1}"#]),
        SchemaCase(
            #"{"type":"object","not":{"anyOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":true}}],"unevaluatedProperties":false}}"#,
            accepts: [#"{"c":1}"#, #"{"a":"x"}"#, #"{"a":1,"b":2,"c":3}"#], rejects: ["{}", #"{"a":1}"#, #"{"a":1,"b":2}"#]),
        SchemaCase(
            #"{"type":"object","not":{"if":{"required":["a"]},"then":{"properties":{"a":true,"b":true}},"else":{"properties":{"c":true}},"unevaluatedProperties":{"type":"null"}}}"#,
            accepts: [#"{"a":1,"c":1}"#, #"{"b":1}"#], rejects: ["{}", #"{"a":1,"b":1}"#, #"{"c":1}"#, #"{"a":1,"c":null}"#]),
        SchemaCase(
            #"{"type":"array","not":{"prefixItems":[true],"contains":{"const":1},"minContains":0,"unevaluatedItems":false}}"#,
            accepts: ["[0,2]", "[0,1,2]"], rejects: ["[]", "[5]", "[0,1,1]"]),
        SchemaCase(
            #"{"type":"array","not":{"unevaluatedItems":{"type":"integer"}}}"#, accepts: [#"[1,"a"]"#],
            rejects: ["[]", "[1,2]"]),
    ])
    func failingWhatIsUnevaluated(_ example: SchemaCase) throws { try expectLanguage(example) }

    @Test(arguments: [
        // Keys that meet a condition by their name, next to keys that do not.
        SchemaCase(
            #"{"type":"object","not":{"propertyNames":{"const":"a"}}}"#,
            accepts: [#"{"b":{},"c":1}"#, #"{"a":1,"b":{}}"#], rejects: ["{}", #"{"a":1}"#]),
        SchemaCase(
            #"{"type":"object","minProperties":3,"not":{"required":["c"],"propertyNames":{"const":0}}}"#,
            accepts: [#"{"":1,"a":1,"b":1}"#], rejects: [#"{"a":1,"b":1}"#]),
        SchemaCase(
            #"{"type":"object","propertyNames":{"anyOf":[{"pattern":"^a"},{"pattern":"b$"}]},"minProperties":2}"#,
            accepts: [#"{"a":1,"b":1}"#, #"{"ab":1,"a":1}"#], rejects: [#"{"ab":1}"#, #"{"a":1,"c":1}"#],
            misspelled: [#"{"ab":1,"ab":1}"#]),
        // The kinds of keys depend on which way a disjunction is met.
        SchemaCase(
            #"{"type":"object","oneOf":[{"patternProperties":{"a":{"type":"integer"}},"required":["x"]},{"patternProperties":{"b":{"type":"null"}},"minProperties":2}],"additionalProperties":{"type":["integer","null"]}}"#,
            accepts: [#"{"x":1,"ab":1}"#, #"{"cb":null,"d":1}"#], rejects: ["{}", #"{"ab":"a"}"#, #"{"cb":1,"d":1}"#, #"{"x":1,"aa":1}"#]),
    ])
    func kindsOfKeys(_ example: SchemaCase) throws { try expectLanguage(example) }

    @Test
    func arraysOfDistinctArrays() throws {
        let machine = try SchemaMachine(
            schemaGraph(##"{"type":["array","integer"],"items":{"$ref":"#"},"uniqueItems":true,"minItems":2}"##))
        for text in ["3", "[1,2]", "[1,[1,2]]", "[[1,2],[2,1]]"] { #expect(acceptsText(machine, text), "\(text)") }
        for text in ["[]", "[1]", "[1,1]", "[[1,2],[1,2]]"] { #expect(!acceptsText(machine, text), "\(text)") }
    }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"array","contains":{"const":1},"maxContains":1,"allOf":[{"contains":{"const":2}},{"contains":{"enum":[3]},"maxContains":1}]}"#,
            accepts: ["[1,2,3]", "[3,2,2,1]"], rejects: ["[1,2]", "[1,1,2,3]", "[1,2,3,3]"]),
    ])
    func countedElements(_ example: SchemaCase) throws { try expectLanguage(example) }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"integer","minimum":-3,"maximum":120}"#, accepts: ["7", "7.0", "-3.0", "120.0", "-0"],
            rejects: ["7.5", "121.0", "-4.0"], misspelled: ["7.00", "7."]),
        SchemaCase(#"{"const":1}"#, accepts: ["1", "1.0"], rejects: ["1.5", "10"], misspelled: ["1.00"]),
        SchemaCase(
            #"{"type":"object","properties":{"a":{"enum":[0,2.5,"x"]}},"required":["a"]}"#,
            accepts: [#"{"a":0}"#, #"{"a":0.0}"#, #"{"a":2.5}"#], rejects: [#"{"a":0.5}"#, "{}"],
            misspelled: [#"{"a":2.50}"#]),
        SchemaCase(#"{"type":"integer","multipleOf":7,"minimum":10}"#, accepts: ["14", "21.0"], rejects: ["15.0", "7.0"]),
        SchemaCase(#"{"type":"number"}"#, accepts: ["1e300", "1.5e-7", "2.0"], rejects: ["true"]),
    ])
    func lenientNumbers(_ example: SchemaCase) throws { try expectLanguage(example, .lenient) }

    @Test(arguments: [
        SchemaCase(
            #"{"type":"number","multipleOf":0.01,"minimum":900,"maximum":1000}"#, accepts: ["912.8", "912.82", "900"],
            rejects: ["912.815", "1000.01"], misspelled: ["912.81"]),
        SchemaCase(
            #"{"type":"string","pattern":"^.+$"}"#, accepts: [#""ab""#], rejects: [#""\n""#], misspelled: [#""é""#]),
        SchemaCase(#"{"type":"string","pattern":"^é$"}"#, accepts: [#""é""#], rejects: [#""e""#]),
        SchemaCase(
            #"{"type":"object","patternProperties":{"^.+$":{"type":"integer"}},"additionalProperties":{"type":"null"}}"#,
            accepts: [#"{"a":1,"":null}"#], rejects: [#"{"a":null}"#], misspelled: [#"{"\n":null}"#]),
    ])
    func commonGround(_ example: SchemaCase) throws {
        var profile = SpellingProfile.compact
        profile.keepsToCommonGround = true
        try expectLanguage(example, profile)
    }

    @Test(arguments: [
        // The branches share the obligation that some other key is there, and only named keys can come.
        SchemaCase(
            #"{"type":"object","oneOf":["#
                + (0..<12).map { #"{"properties":{"k\#($0)":{"type":"boolean"}},"additionalProperties":false}"# }
                .joined(separator: ",") + "]}",
            accepts: [#"{"k0":true}"#, #"{"k11":false}"#], rejects: ["{}", #"{"k0":1}"#, #"{"k0":true,"k1":true}"#]),
        // Keys come in the order in which 'if' and 'then' mention them.
        SchemaCase(
            #"{"type":"object","if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"properties":{"b":{"type":"null"}},"required":["b"]}}"#,
            accepts: [#"{"a":1,"b":null}"#, #"{"a":2}"#, "{}"], rejects: [#"{"a":1}"#, #"{"a":1,"b":2}"#],
            misspelled: [#"{"b":null,"a":1}"#]),
        SchemaCase(
            #"{"type":"number","minimum":0}"#, accepts: ["1e-6", "0", "2.5e10", "0e5"], rejects: ["-1", "-1e-6"]),
        SchemaCase(
            #"{"type":"number","exclusiveMaximum":0}"#, accepts: ["-1e-6", "-0.5"], rejects: ["0", "1", "-0"],
            misspelled: []),
    ])
    func obligationsAndOrder(_ example: SchemaCase) throws { try expectLanguage(example) }

    @Test
    func integersHaveNoFractionByDefault() throws {
        try expectLanguage(
            SchemaCase(#"{"type":"integer"}"#, accepts: ["1"], rejects: ["1.5"], misspelled: ["1.0"]))
    }

    @Test
    func mailAddressesKeepToTheirLengths() throws {
        let machine = try SchemaMachine(schemaGraph(#"{"type":"string","format":"email"}"#))
        let name = String(repeating: "a", count: 64)
        #expect(acceptsText(machine, "\"\(name)@example.org\""))
        #expect(acceptsText(machine, #""\"a@b\"@[127.0.0.1]""#))
        #expect(!acceptsText(machine, "\"\(name)a@example.org\""))
        #expect(!acceptsText(machine, "\"a@b@example.org\""))
    }

    @Test(arguments: [SpellingProfile.KeyOrder.schema, .any])
    func keysComeInTheOrderAskedFor(_ order: SpellingProfile.KeyOrder) throws {
        let graph = try schemaGraph(
            #"{"type":"object","properties":{"a":{},"b":{}},"required":["b"],"minProperties":2}"#)
        let machine = try SchemaMachine(graph, profile: SpellingProfile(keyOrder: order))
        #expect(acceptsText(machine, #"{"a":1,"b":2,"c":3}"#))
        for text in [#"{"b":1,"a":2}"#, #"{"c":3,"b":1}"#] {
            #expect(acceptsText(machine, text) == (order == .any))
            #expect(try masksAccept(machine, text) == (order == .any))
        }
        #expect(!acceptsText(machine, #"{"b":1}"#))
        #expect(!acceptsText(machine, #"{"b":1,"b":2}"#))
    }
}
