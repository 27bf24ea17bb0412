// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

struct ValidatorTests {
    @Test func reportsEveryViolationWithItsPlace() throws {
        let schema = """
            {"type": "object", "required": ["id", "name"], "additionalProperties": false,
             "properties": {"id": {"type": "integer"}, "name": {"type": "string"},
                            "tags": {"items": {"maxLength": 2}}}}
            """
        let value = """
            {
              "id": "7",
              "tags": ["a", "abc"],
              "nmae": "Ada"
            }
            """
        let found = try violations(schema, value)
        #expect(found.map(\.keyword) == ["required", "type", "maxLength", "additionalProperties"])
        #expect(found.map(\.instanceLocation.description) == ["", "/id", "/tags/1", "/nmae"])
        #expect(found.map { $0.range?.start.description } == ["1:1", "2:9", "3:17", "4:3"])
        #expect(found[0].message == "the property 'name' is missing")
        #expect(found[0].hint == "should 'nmae' be 'name'?")
        #expect(found[1].message == "expected integer, found a string")
        #expect(found[1].hint == "remove the quotes")
        #expect(found[2].schemaLocation.pointer.description == "/properties/tags/items/maxLength")
        #expect(found[3].hint == "did you mean 'name'?")
        #expect(found[3].diagnostic.id == "value.additionalProperties")
    }

    @Test func followsReferencesInTheEvaluationPath() throws {
        let found = try violations(
            ##"{"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"minimum": 3}}}"##, #"{"a": 1}"#)
        #expect(found.map(\.evaluationPath.description) == ["/properties/a/$ref/minimum"])
        #expect(found.map(\.schemaLocation.pointer.description) == ["/$defs/x/minimum"])
        #expect(found.map(\.message) == ["1 is less than the minimum 3"])
    }

    @Test func reportsTheClosestAlternative() throws {
        let schema = """
            {"oneOf": [
              {"properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["kind", "radius"]},
              {"properties": {"kind": {"const": "square"}, "side": {"type": "number"}}, "required": ["kind", "side"]}]}
            """
        let found = try violations(schema, #"{"kind": "square", "side": "x"}"#)
        let only = try #require(found.first)
        #expect(found.count == 1)
        #expect(only.hint == "the closest is alternative 2")
        #expect(only.causes.map(\.instanceLocation.description) == ["/side"])
    }

    @Test func namesTheTypesThatWouldDo() throws {
        let found = try violations(#"{"anyOf": [{"type": "string"}, {"type": ["integer", "null"]}]}"#, "[]")
        #expect(found.map(\.message) == ["expected string or null or integer, found an array"])
    }

    @Test func suggestsEnumValues() throws {
        let found = try violations(#"{"enum": ["engineer", "manager"]}"#, #""enginer""#)
        #expect(found.map(\.message) == [#""enginer" is not one of "engineer", "manager""#])
        #expect(found.map(\.hint) == [#"did you mean "engineer"?"#])
    }

    @Test func placesKeyViolationsAtTheKey() throws {
        let found = try violations(#"{"propertyNames": {"pattern": "^a"}}"#, #"{"a": 1,  "b": 2}"#)
        #expect(found.map { $0.range?.start.column } == [11])
        #expect(found.map(\.instanceLocation.description) == ["/b"])
    }

    @Test func checksDeepValuesOnAStackOfTheirOwn() throws {
        let depth = 500
        let schema = ##"{"items": {"allOf": [{"$ref": "#"}]}, "type": "array"}"##
        let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let bad = String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        try expect(schema, accepts: [deep], rejects: [bad])
    }

    @Test func checksLongReferenceChains() throws {
        let links = (0..<10_000).map { ##""d\##($0)": {"$ref": "#/$defs/d\##($0 + 1)"}"## }.joined(separator: ", ")
        let schema = ##"{"$ref": "#/$defs/d0", "$defs": {\##(links), "d10000": {"type": "null"}}}"##
        try expect(schema, accepts: ["null"], rejects: ["1"])
    }

    @Test func boundsTheWorkOnHostileSchemas() throws {
        // 2^60 ways through the schema.
        let links = (0..<60).map {
            ##""d\##($0)": {"allOf": [{"$ref": "#/$defs/d\##($0 + 1)"}, {"$ref": "#/$defs/d\##($0 + 1)"}]}"##
        }
        .joined(separator: ", ")
        var validator = Validator(
            try graph(##"{"$ref": "#/$defs/d0", "$defs": {\##(links), "d60": {"type": "null"}}}"##))
        validator.limits.applications = 100_000
        #expect(try !isValid(validator, "null"))
        // The same under `not` must not turn into a yes.
        validator = Validator(
            try graph(##"{"not": {"$ref": "#/$defs/d0"}, "$defs": {\##(links), "d60": {"type": "null"}}}"##))
        validator.limits.applications = 100_000
        #expect(try !isValid(validator, "null"))
    }

    @Test func guardsAgainstCyclesThroughDynamicReferences() throws {
        // Which anchor is meant shows only while a value is checked.
        let schema = ##"{"$id": "urn:a", "$dynamicAnchor": "x", "$dynamicRef": "#x"}"##
        let validator = Validator(try graph(schema))
        #expect(try !isValid(validator, "1"))
    }

    @Test func refusesDuplicateLargeListsQuickly() throws {
        let numbers = (0..<20_000).map(String.init).joined(separator: ",")
        try expect(
            #"{"uniqueItems": true}"#, accepts: ["[\(numbers)]"], rejects: ["[\(numbers),19999.0]"])
    }

    @Test func findsKeysInLargeObjects() throws {
        let properties = (0..<200).map { #""key\#($0)": {"type": "integer"}"# }.joined(separator: ", ")
        let required = (0..<200).map { #""key\#($0)""# }.joined(separator: ", ")
        let full = (0..<200).map { #""key\#($0)": \#($0)"# }.joined(separator: ", ")
        let short = (1..<200).map { #""key\#($0)": \#($0)"# }.joined(separator: ", ")
        try expect(
            #"{"properties": {\#(properties)}, "required": [\#(required)], "additionalProperties": false}"#,
            accepts: ["{\(full)}"], rejects: ["{\(short)}", #"{\#(full), "key200": 1}"#, #"{\#(short), "key0": "x"}"#])
    }
}
