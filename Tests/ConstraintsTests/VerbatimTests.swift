// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Constraints
import Documents
import JSONSchemas
import Patterns
import TestSupport
import Testing

/// Strings that are taken from a text: validator, recogniser and masks must agree.
struct VerbatimTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var schema: String
        var accepts: [String]
        var rejects: [String]
        var testDescription: String { schema }
    }

    static let text = "Ärger mit \"Bauzaun\"\n12-05-2024 (Ärger)"

    static func machine(
        _ schema: String, _ text: String = text, _ profile: SpellingProfile = .compact
    ) throws -> SchemaMachine {
        try SchemaMachine(schemaGraph(schema), profile: profile, verbatim: .source(VerbatimSource(text)))
    }

    static func isValid(_ schema: String, _ value: String, _ text: String = text) throws -> Bool {
        var validator = Validator(try schemaGraph(schema))
        validator.source = try VerbatimSource(text)
        return try validator.isValid(JSONReader.read(Array(value.utf8), file: nil).root)
    }

    @Test(arguments: [
        Case(
            schema: #"{"type":"string","x-verbatim":true}"#,
            accepts: [#""""#, #""Ärger""#, #""\"Bauzaun\"\n1""#, #"" mit \"""#, #"")""#],
            rejects: [#""ärger""#, #""Arger""#, #""Bauzaun 12""#, #""A\u0308rger""#, "1"]),
        Case(
            schema: #"{"type":"string","x-verbatim":true,"pattern":"^\\d+-\\d+","minLength":5}"#,
            accepts: [#""12-05""#, #""2-05-2024 (""#], rejects: [#""12-0""#, #""Ärger""#, #""13-05""#]),
        Case(
            schema: #"{"type":"string","x-verbatim":true,"pattern":"r\\)$"}"#,
            accepts: [#""r)""#, #""Ärger)""#, #""\"\n12-05-2024 (Ärger)""#], rejects: [#""r""#, #""Ärger""#]),
        Case(
            schema: #"{"type":"string","x-verbatim":true,"minLength":3,"maxLength":4}"#,
            accepts: [#""Ärg""#, #""it \"""#], rejects: [#""it""#, #""Ärger""#, #""xyz""#]),
        Case(
            schema: #"{"x-verbatim":true,"enum":["mit","ohne","Ärger",12]}"#, accepts: [#""mit""#, #""Ärger""#, "12"],
            rejects: [#""ohne""#, #""Bauzaun""#]),
        Case(
            schema: #"{"type":"string","not":{"x-verbatim":true},"maxLength":3}"#,
            accepts: [#""xyz""#, #""rÄ""#, #""é""#], rejects: [#""mit""#, #""Ä""#, #""""#]),
        Case(
            schema: #"{"oneOf":[{"type":"string","x-verbatim":true},{"type":"string","maxLength":4}]}"#,
            accepts: [#""Bauzaun""#, #""xyz""#], rejects: [#""mit""#, #""""#, #""Zaunbau""#]),
        Case(
            schema: #"{"if":{"x-verbatim":true},"then":{"maxLength":3},"else":{"const":"none"}}"#,
            accepts: [#""mit""#, #""none""#, "7"], rejects: [#""Ärger""#, #""nothing""#]),
        Case(
            schema: #"{"type":"object","propertyNames":{"x-verbatim":true,"minLength":3},"additionalProperties":"#
                + #"{"type":"integer"},"maxProperties":2}"#,
            accepts: ["{}", #"{"mit":1}"#, #"{"Bau":1,"zaun":2}"#], rejects: [#"{"ohne":1}"#, #"{"mi":1}"#]),
        Case(
            schema:
                #"{"type":"array","items":{"type":"string","x-verbatim":true,"pattern":"^[A-Z]+$"},"uniqueItems":true}"#,
            accepts: ["[]", #"["B"]"#], rejects: [#"["B","B"]"#, #"["Ä"]"#, #"["C"]"#]),
        Case(
            schema: #"{"anyOf":[{"type":"string","x-verbatim":true,"pattern":"[0-9]$"},{"const":"none"}]}"#,
            accepts: [#""12""#, #""2024""#, #""none""#], rejects: [#""3""#, #""non""#]),
        Case(schema: #"{"type":"string","x-verbatim":false}"#, accepts: [#""whatever""#], rejects: ["1"]),
    ])
    func acceptsExactlyWhatTheTextHas(_ example: Case) throws {
        let machine = try Self.machine(example.schema)
        for value in example.accepts {
            #expect(acceptsText(machine, value), "accepts \(value)")
            #expect(try Self.isValid(example.schema, value), "validator accepts \(value)")
        }
        for value in example.rejects {
            #expect(!acceptsText(machine, value), "rejects \(value)")
            #expect(try !Self.isValid(example.schema, value), "validator rejects \(value)")
        }
        let shortest = machine.witness(machine.start)
        #expect(shortest.count == machine.minimumCompletion(machine.start))
        #expect(try Self.isValid(example.schema, String(decoding: shortest, as: UTF8.self)))
    }

    @Test(
        "masks equal stepping every token, and walks end in time",
        arguments: [
            #"{"type":"string","x-verbatim":true}"#,
            #"{"type":"string","x-verbatim":true,"minLength":2,"maxLength":6}"#,
            #"{"type":"string","x-verbatim":true,"pattern":"\\d\\d?-"}"#,
            #"{"type":"string","x-verbatim":true,"pattern":"^[^ ]*$","minLength":4}"#,
            #"{"type":"array","items":{"type":"string","x-verbatim":true,"minLength":1},"minItems":2,"maxItems":3}"#,
            #"{"type":"object","propertyNames":{"x-verbatim":true,"pattern":"^[a-z]+$"},"minProperties":2}"#,
            #"{"oneOf":[{"type":"string","x-verbatim":true},{"type":"string","pattern":"^a"}]}"#,
        ])
    func masksAreExact(_ schema: String) throws {
        let vocabulary = TestVocabularies.small()
        let text = "a key, a value; value-key: éa 中\"key\"\n12-1 ab aab abab"
        var validator = Validator(try schemaGraph(schema))
        validator.source = try VerbatimSource(text)
        for (profile, seed) in [(SpellingProfile.compact, 1), (.spaced, 2)] as [(SpellingProfile, UInt64)] {
            let engine = try ConstraintEngine(machine: Self.machine(schema, text, profile), vocabulary: vocabulary)
            var generator = SeededGenerator(seed)
            var mask = TokenMask(tokenCount: vocabulary.count)
            for slack in [0, 2, 9, 30] {
                var configuration = engine.start()
                var budget = engine.minimumTokens(configuration) + slack
                var bytes: [UInt8] = []
                while true {
                    engine.fillMask(configuration, into: &mask)
                    let indices = mask.indices
                    #expect(indices == TestVocabularies.oracle(engine.machine, configuration, vocabulary))
                    engine.fillMask(configuration, budget: budget, into: &mask)
                    let allowed = mask.indices
                    #expect(!allowed.isEmpty)
                    guard
                        let token = allowed.filter({ !vocabulary.endOfGeneration.contains($0) }).randomElement(
                            using: &generator)
                    else { break }
                    configuration = try #require(engine.commit(configuration, token))
                    bytes += vocabulary.bytes(of: token)
                    budget -= 1
                }
                #expect(engine.isComplete(configuration))
                #expect(budget >= 0)
                let document = try JSONReader.read(bytes, file: nil)
                #expect(validator.isValid(document.root), "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    @Test func aTextWithoutAnythingFittingIsRefused() throws {
        let error = #expect(throws: DiagnosticsError.self) {
            try Self.machine(#"{"type":"string","x-verbatim":true,"pattern":"^[0-9]{5}$"}"#)
        }
        #expect(error?.diagnostics.map(\.id.rawValue) == ["constraint.unsatisfiable"])
        // The alternative that nothing fits is not offered.
        let machine = try Self.machine(
            #"{"anyOf":[{"type":"string","x-verbatim":true,"pattern":"^[0-9]{5}$"},{"type":"null"}]}"#)
        #expect(machine.step(machine.start, UInt8(ascii: "\"")).isDead)
        #expect(acceptsText(machine, "null"))
    }

    @Test func withoutATextItIsRefused() throws {
        let schema = #"{"properties":{"a":{"x-verbatim":true}}}"#
        let error = #expect(throws: DiagnosticsError.self) { try SchemaMachine(schemaGraph(schema)) }
        #expect(error?.diagnostics.first?.id == "constraint.no-source")
        #expect(error?.diagnostics.first?.path?.description == "/properties/a/x-verbatim")
        let validator = Validator(try schemaGraph(schema))
        let violations = validator.validate(try JSONReader.read(#"{"a":"x"}"#).root)
        #expect(violations.map(\.keyword) == ["x-verbatim"])
        #expect(violations.first?.isUndecided == true)
        // Not even a negation makes something of what is not known.
        let negated = Validator(try schemaGraph(#"{"not":{"x-verbatim":true}}"#))
        #expect(!negated.isValid(try JSONReader.read(#""x""#).root))
        #expect(validator.isValid(try JSONReader.read(#"{"a":1}"#).root))
    }

    @Test func oneTextLearnsNothingFromAnother() throws {
        let schema = #"{"type":"string","x-verbatim":true,"pattern":"^b"}"#
        for (text, accepts, rejects) in [
            ("abc", #""bc""#, #""bd""#), ("abd", #""bd""#, #""bc""#), ("abc", #""bc""#, #""bd""#),
        ] {
            let machine = try Self.machine(schema, text)
            #expect(acceptsText(machine, accepts))
            #expect(!acceptsText(machine, rejects))
        }
    }

    @Test("the same text as two objects is not the same language")
    func languagesAreToldApartByTheirTexts() {
        let first = Language.substring(of: ReferenceText("ab"))
        #expect(first != Language.substring(of: ReferenceText("ab")))
        #expect(Language.all([first, .everything]).usesReference)
    }

    @Test func placesAreByteOffsets() throws {
        let schema = #"""
            {"type":"object","propertyNames":{"anyOf":[{"x-verbatim":true},true]},
             "properties":{"a":{"anyOf":[{"x-verbatim":true,"pattern":"^x"},{"x-verbatim":true}]},
             "b":{"items":{"x-verbatim":true}}, "c": {"not": {"x-verbatim": true}}}}
            """#
        var validator = Validator(try schemaGraph(schema))
        validator.source = try VerbatimSource("é a x é")
        let document = try JSONReader.read(#"{"a":"é","b":["x é",""],"c":"no"}"#)
        #expect(validator.isValid(document.root))
        let places = validator.verbatimPlaces(document.root)
        #expect(
            places == [
                VerbatimPlace(pointer: JSONPointer(["a"]), isKey: true, start: 3, end: 4, occurrences: 1),
                VerbatimPlace(pointer: JSONPointer(["a"]), start: 0, end: 2, occurrences: 2),
                VerbatimPlace(pointer: JSONPointer(["b", "0"]), start: 5, end: 9, occurrences: 1),
                VerbatimPlace(pointer: JSONPointer(["b", "1"]), start: 0, end: 0, occurrences: 8),
            ])
    }

    @Test("all substrings and nothing else", arguments: [1, 2, 3, 4] as [UInt64])
    func indexesEverySubstring(_ seed: UInt64) {
        var generator = SeededGenerator(seed)
        let alphabet: [Unicode.Scalar] = ["a", "b", "é", "中", "\u{1F600}"]
        for length in [0, 1, 2, 5, 12, 40] {
            let scalars = (0..<length).map { _ in
                alphabet.prefix(seed == 1 ? 2 : 5).randomElement(using: &generator) ?? "a"
            }
            func string(_ range: Range<Int>) -> String {
                var result = ""
                result.unicodeScalars.append(contentsOf: scalars[range])
                return result
            }
            let text = string(0..<length)
            let index = ReferenceText(text)
            var starts: [[Unicode.Scalar]: [Int]] = [:]
            for start in 0...length {
                for end in start...length { starts[Array(scalars[start..<end]), default: []].append(start) }
            }
            for (part, places) in starts {
                let first = places.min() ?? 0
                let found = index.occurrences(of: string(first..<first + part.count))
                let bytes = string(0..<first).utf8.count
                #expect(found?.utf8Start == bytes)
                #expect(found?.utf8End == bytes + string(first..<first + part.count).utf8.count)
                #expect(found?.count == places.count)
                for scalar in alphabet {
                    var longer = string(first..<first + part.count)
                    longer.unicodeScalars.append(scalar)
                    #expect(index.contains(longer) == (starts[part + [scalar]] != nil))
                }
            }
        }
    }

    @Test("a text of many scripts and a pattern that fits far away only")
    func findsWhatIsFarAway() throws {
        var text = ""
        for value in 0..<3_000 {
            text.unicodeScalars.append(Unicode.Scalar(0x4E00 + value * 7 % 2_500) ?? "中")
        }
        text += "END"
        let machine = try Self.machine(#"{"type":"string","x-verbatim":true,"pattern":"END$","minLength":2000}"#, text)
        #expect(machine.minimumCompletion(machine.start) == 2 + 3 + 1_997 * 3)
        let forced = machine.witness(machine.start)
        #expect(forced.count == 2 + 3 + 1_997 * 3)
    }

    @Test func sourcesHaveALimit() {
        let error = #expect(throws: DiagnosticsError.self) {
            try VerbatimSource(String(repeating: "a", count: VerbatimSource.maximumBytes + 1))
        }
        #expect(error?.diagnostics.first?.id == "verbatim.source-too-large")
    }

    @Test("small worlds with extensions agree with brute force", arguments: [1, 2, 3] as [UInt64])
    func smallWorlds(_ seed: UInt64) {
        var lines: [String] = []
        let summary = SmallWorlds.run(count: 150, seed: seed, hasExtensions: true) { lines.append($0) }
        #expect(lines.isEmpty)
        #expect(summary.passes)
        #expect(summary.masks > 200)
    }

    // MARK: x-order

    @Test(arguments: [
        SchemaCase(
            #"{"type":"object","properties":{"a":{},"b":{},"c":{}},"x-order":["c","a"]}"#,
            accepts: [#"{"c":1,"a":2,"b":3}"#, #"{"a":1,"b":2}"#, #"{"c":1,"b":2}"#], rejects: ["1"],
            misspelled: [#"{"a":1,"c":2}"#, #"{"b":1,"a":2}"#]),
        SchemaCase(
            #"{"type":"object","x-order":["z","y"],"additionalProperties":{"type":"integer"}}"#,
            accepts: [#"{"z":1,"y":2,"a":3}"#, #"{"y":2,"b":0,"a":3}"#], rejects: [#"{"z":true}"#],
            misspelled: [#"{"y":2,"z":1}"#, #"{"a":3,"z":1}"#]),
        SchemaCase(
            #"{"x-order":["b"],"allOf":[{"x-order":["c","b","a"],"properties":{"a":{}}}],"properties":{"d":{},"c":{}}}"#,
            accepts: [#"{"b":1,"c":2,"a":3,"d":4}"#], rejects: [],
            misspelled: [#"{"c":2,"b":1}"#, #"{"d":4,"a":3}"#]),
        SchemaCase(
            #"{"const":{"a":1,"b":2},"x-order":["b","a"]}"#, accepts: [#"{"b":2,"a":1}"#], rejects: [#"{"b":2}"#],
            misspelled: [#"{"a":1,"b":2}"#]),
        SchemaCase(
            #"{"type":"object","properties":{"a":{}},"x-order":["n","a"],"additionalProperties":false}"#,
            accepts: [#"{"a":1}"#], rejects: [#"{"n":1}"#]),
        SchemaCase(
            #"{"not":{"required":["a"],"x-order":["b","a"]},"properties":{"a":{},"b":{},"c":{}}}"#,
            accepts: [#"{"b":1,"c":1}"#], rejects: [#"{"a":1}"#], misspelled: [#"{"c":1,"b":1}"#]),
    ])
    func ordersKeys(_ example: SchemaCase) throws {
        try expectSchema(example)
    }

    @Test func anyOrderIgnoresIt() throws {
        var profile = SpellingProfile.compact
        profile.keyOrder = .any
        let machine = try SchemaMachine(
            schemaGraph(#"{"type":"object","properties":{"a":{},"b":{}},"x-order":["b","a"]}"#), profile: profile)
        #expect(acceptsText(machine, #"{"a":1,"b":2}"#))
        #expect(acceptsText(machine, #"{"b":1,"a":2}"#))
    }
}
