// SPDX-License-Identifier: Apache-2.0

import Constraints
import JSONSchemas
import Testing

/// Schemas of small worlds in which the machine and the validator once disagreed, or a completion was not what its cost
/// said.
struct FoundByFuzzingTests {
    static let cases: [SchemaCase] = [
        // Branches that are the same hold together, and so never as the only one.
        SchemaCase(
            #"{"oneOf":[{"enum":[1.5]},{"enum":[1.5]},{"type":"object"}]}"#, accepts: ["{}", #"{"a":1}"#],
            rejects: ["1.5", "1", "[]"]),
        SchemaCase(
            #"{"oneOf":[{"const":"a"},{"enum":["a"]},{"const":"b"}]}"#, accepts: [#""b""#],
            rejects: [#""a""#, #""c""#]),
        // Used keys can be all that there are where the length of keys is bounded.
        SchemaCase(
            #"{"type":"object","patternProperties":{"^a":{"type":"integer"}},"propertyNames":{"maxLength":1},"minProperties":2}"#,
            accepts: [#"{"a":1,"b":{}}"#, #"{"":null,"a":3}"#], rejects: [#"{"a":1}"#, #"{"a":1,"ab":1}"#]),
    ]

    @Test(arguments: cases)
    func agreesWithTheValidator(_ example: SchemaCase) throws {
        try expectSchema(example)
    }

    /// The machine after a text, or nothing where the text is refused.
    private func machine(_ schema: String, after text: String) throws -> (machine: SchemaMachine, place: ConfigID) {
        let machine = try SchemaMachine(schemaGraph(schema))
        var place = machine.start
        for byte in text.utf8 { place = machine.step(place, byte) }
        return (machine, place)
    }

    /// A key that begins like the only one of its kind, which was used, leads nowhere.
    @Test(arguments: ["maxLength\":1", "pattern\":\"^.?$", "pattern\":\"^.?$\",\"maxLength\":3,\"minLength\":0,\"title\":\""])
    func noKeyIsOfferedThatWasUsed(_ bound: String) throws {
        let names = bound.contains("pattern") ? bound + "\"" : bound
        let schema = #"{"type":"object","patternProperties":{"^a":{"type":"integer"}},"propertyNames":{"\#(names)}}"#
        let (machine, place) = try machine(schema, after: #"{"a":11,""#)
        #expect(!place.isDead)
        #expect(!machine.allowedBytes(place).contains(UInt8(ascii: "a")))
        #expect(machine.allowedBytes(place).contains(UInt8(ascii: "b")))
        try walkSchema(schema, seed: 7, bytes: 40, isExact: false)
    }

    /// Arrays of distinct arrays of their own kind: what a completion takes is what its cost says, all the way.
    @Test(arguments: ["", "[[[]],[[", "[[],[[]],[[],[", "[[[],[[]]],[["])
    func costsLeadToTheEnd(_ prefix: String) throws {
        let schema = ##"{"$ref":"#/$defs/d1","$defs":{"d1":{"type":"array","items":{"$ref":"#/$defs/d1"},"uniqueItems":true}}}"##
        var (machine, place) = try machine(schema, after: prefix)
        #expect(!place.isDead)
        for byte in machine.witness(place) {
            let before = machine.minimumCompletion(place)
            place = machine.step(place, byte)
            #expect(machine.minimumCompletion(place) <= before - 1)
        }
        #expect(machine.isAccepting(place))
    }
}
