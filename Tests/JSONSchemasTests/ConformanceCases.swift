// SPDX-License-Identifier: Apache-2.0

import JSONSchemas
import Testing

/// A schema with values that it accepts and refuses.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    var drafts: [Draft]
    var schema: String
    var accepts: [String]
    var rejects: [String]

    init(_ drafts: [Draft], _ schema: String, accepts: [String] = [], rejects: [String] = []) {
        self.drafts = drafts
        self.schema = schema
        self.accepts = accepts
        self.rejects = rejects
    }

    var testDescription: String { schema }

    private static let all = Draft.allCases
    private static let from4 = all.filter { $0 >= .draft4 }
    private static let from6 = all.filter { $0 >= .draft6 }
    private static let from7 = all.filter { $0 >= .draft7 }
    private static let from2019 = all.filter { $0 >= .draft201909 }
    private static let upTo4 = all.filter { $0 <= .draft4 }
    private static let upTo7 = all.filter { $0 <= .draft7 }
    private static let upTo2019 = all.filter { $0 <= .draft201909 }
    private static let only2020: [Draft] = [.draft202012]

    static let types: [ConformanceCase] = [
        .init(all, #"{"type": "null"}"#, accepts: ["null"], rejects: ["0", #""""#, "false", "[]", "{}"]),
        .init(all, #"{"type": "boolean"}"#, accepts: ["true", "false"], rejects: ["0", "null", #""true""#]),
        .init(
            all, #"{"type": "integer"}"#, accepts: ["1", "-0", "1e3", "12345678901234567890123"],
            rejects: ["1.5", #""1""#, "1e-1", "null"]),
        .init(from6, #"{"type": "integer"}"#, accepts: ["1.0", "10e-1"]),
        .init(all, #"{"type": "number"}"#, accepts: ["1", "1.5", "1e400"], rejects: ["null", #""1""#]),
        .init(all, #"{"type": "string"}"#, accepts: [#""""#, #""1""#], rejects: ["1", "null", "[]"]),
        .init(all, #"{"type": "array"}"#, accepts: ["[]", "[1]"], rejects: ["{}", "null"]),
        .init(all, #"{"type": "object"}"#, accepts: ["{}", #"{"a": 1}"#], rejects: ["[]", "null"]),
        .init(
            all, #"{"type": ["string", "integer"]}"#, accepts: [#""a""#, "1"], rejects: ["1.5", "null", "[]"]),
        .init(
            all, #"{"enum": [1, "a", null, [1], {"a": [false]}]}"#,
            accepts: ["1", "1.0", #""a""#, "null", "[1.0]", #"{"a": [false]}"#],
            rejects: ["2", #""b""#, "[2]", "[false]", #"{"a": [0]}"#, "true", "0"]),
        .init(from6, #"{"const": {"a": 1, "b": [2]}}"#, accepts: [#"{"b": [2.0], "a": 1e0}"#], rejects: [#"{"a": 1}"#]),
        .init(from6, #"{"const": 0}"#, accepts: ["0", "-0", "0.0"], rejects: ["false", "null", #""""#]),
        // Canonically equivalent texts are different texts.
        .init(from6, "{\"const\": \"\u{E9}\"}", accepts: ["\"\u{E9}\""], rejects: ["\"e\u{301}\""]),
        .init(upTo4, #"{"const": 1}"#, accepts: ["2"]),
        .init(from6, "true", accepts: ["1", "{}"]),
        .init(from6, "false", rejects: ["1", "{}", "null"]),
        .init(all, "{}", accepts: ["1", "{}", "null"]),
    ]

    static let numbers: [ConformanceCase] = [
        .init(
            all, #"{"minimum": 1.1}"#, accepts: ["1.1", "2", #""x""#], rejects: ["1.09999999999999999999999", "-5"]),
        .init(all, #"{"maximum": 3}"#, accepts: ["3", "3.0", "[]"], rejects: ["3.0000000000000000000001"]),
        .init(from6, #"{"exclusiveMinimum": 1}"#, accepts: ["1.00000000000000000001", "null"], rejects: ["1", "0"]),
        .init(from6, #"{"exclusiveMaximum": 1}"#, accepts: ["0.9"], rejects: ["1", "1.1"]),
        .init(
            upTo4, #"{"minimum": 1, "exclusiveMinimum": true, "maximum": 3, "exclusiveMaximum": true}"#,
            accepts: ["1.1", "2", "2.9"], rejects: ["1", "3"]),
        .init(
            upTo4, #"{"minimum": 1, "exclusiveMinimum": false, "maximum": 3, "exclusiveMaximum": false}"#,
            accepts: ["1", "3"], rejects: ["0", "4"]),
        .init(from4, #"{"multipleOf": 0.01}"#, accepts: ["1.13", "0", "19.99", "4.5e1"], rejects: ["0.001", "1.135"]),
        .init(from4, #"{"multipleOf": 3}"#, accepts: ["9", "-3", #""x""#], rejects: ["10", "1e300"]),
        .init(from4, #"{"multipleOf": 1e-300}"#, accepts: ["1", "1e-300"], rejects: ["1e-301"]),
        .init([.draft3], #"{"divisibleBy": 0.01}"#, accepts: ["1.13"], rejects: ["0.001"]),
        .init(
            all, #"{"minimum": 1e1000, "maximum": 2e1000}"#, accepts: ["1e1000", "15e999"],
            rejects: ["9e999", "1e1001"]),
    ]

    static let strings: [ConformanceCase] = [
        .init(
            all, #"{"minLength": 2}"#, accepts: [#""ab""#, #""\ud83d\udca9x""#, "1"],
            rejects: [#""a""#, #""\ud83d\udca9""#]),
        .init(all, #"{"maxLength": 1}"#, accepts: [#""""#, #""\ud83d\udca9""#], rejects: [#""ab""#, "\"e\u{301}\""]),
        .init(all, #"{"pattern": "^a*b"}"#, accepts: [#""aab""#, #""bc""#, "1"], rejects: [#""acb""#]),
        .init(all, #"{"pattern": "a+"}"#, accepts: [#""xxaay""#], rejects: [#""xyz""#]),
        .init(all, #"{"format": "email"}"#, accepts: [#""ada@example.org""#, "1"], rejects: [#""ada""#]),
        .init(all, #"{"format": "date"}"#, accepts: [#""2024-02-29""#], rejects: [#""2023-02-29""#, #""2024-2-9""#]),
        .init(all, #"{"format": "no-such-format"}"#, accepts: [#""anything""#]),
    ]

    static let arrays: [ConformanceCase] = [
        .init(all, #"{"items": {"type": "integer"}}"#, accepts: ["[]", "[1, 2]", "{}"], rejects: [#"[1, "x"]"#]),
        .init(
            upTo2019, #"{"items": [{"type": "integer"}, {"type": "string"}]}"#,
            accepts: ["[]", "[1]", #"[1, "a", null]"#], rejects: [#"["a"]"#, "[1, 1]"]),
        .init(
            upTo2019, #"{"items": [{"type": "integer"}], "additionalItems": false}"#, accepts: ["[]", "[1]"],
            rejects: ["[1, 2]"]),
        .init(
            upTo2019, #"{"items": [{}], "additionalItems": {"type": "null"}}"#, accepts: ["[1, null]"],
            rejects: ["[1, 2]"]),
        .init(upTo2019, #"{"items": {}, "additionalItems": false}"#, accepts: ["[1, 2]"]),
        .init(
            only2020, #"{"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}"#,
            accepts: ["[]", "[1]", #"[1, "a", "b"]"#], rejects: [#"["a"]"#, "[1, 2]"]),
        .init(only2020, #"{"prefixItems": [{}], "items": false}"#, accepts: ["[]", "[1]"], rejects: ["[1, 2]"]),
        .init(only2020, #"{"additionalItems": false}"#, accepts: ["[1, 2]"]),
        .init(from6, #"{"contains": {"minimum": 5}}"#, accepts: ["[1, 5]", "{}"], rejects: ["[]", "[1, 2]"]),
        .init(
            from2019, #"{"contains": {"const": 1}, "minContains": 2, "maxContains": 3}"#,
            accepts: ["[1, 1]", "[1, 2, 1, 1]"], rejects: ["[1]", "[1, 1, 1, 1]"]),
        .init(from2019, #"{"contains": {"const": 1}, "minContains": 0}"#, accepts: ["[]", "[2]"]),
        .init(from2019, #"{"minContains": 2, "maxContains": 1}"#, accepts: ["[]"]),
        .init(
            all, #"{"minItems": 1, "maxItems": 2}"#, accepts: ["[1]", "[1, 2]", "{}"], rejects: ["[]", "[1, 2, 3]"]),
        .init(
            all, #"{"uniqueItems": true}"#,
            accepts: ["[]", "[1, 2]", "[1, true]", "[0, false]", #"[{"a": 1}, {"a": 2}]"#, #"["1", 1]"#],
            rejects: ["[1, 1.0]", #"[{"a": 1, "b": 2}, {"b": 2, "a": 1}]"#, "[[], []]", "[1,2,3,4,5,6,7,8,9,10,1]"]),
        .init(all, #"{"uniqueItems": false}"#, accepts: ["[1, 1]"]),
        .init(
            [.draft201909], #"{"items": [{"type": "string"}], "unevaluatedItems": false}"#, accepts: [#"["a"]"#],
            rejects: [#"["a", 1]"#]),
        .init(
            only2020,
            #"{"prefixItems": [{}], "anyOf": [{"prefixItems": [true, {"const": 1}]}, true], "unevaluatedItems": false}"#,
            accepts: ["[0]", "[0, 1]"], rejects: ["[0, 2]", "[0, 1, 2]"]),
        // Only since 2020-12 does `contains` count as looking at the elements that match.
        .init(
            only2020, #"{"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}}"#,
            accepts: [#"["a", 1]"#, #"["a"]"#], rejects: [#"["a", null]"#]),
        .init(
            [.draft201909], #"{"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}}"#,
            rejects: [#"["a", 1]"#]),
    ]

    static let objects: [ConformanceCase] = [
        .init(
            all, #"{"properties": {"a": {"type": "integer"}}}"#, accepts: ["{}", #"{"a": 1, "b": null}"#, "[]"],
            rejects: [#"{"a": "x"}"#]),
        .init(
            all,
            #"{"properties": {"a": {}}, "patternProperties": {"^x": {"type": "null"}}, "additionalProperties": false}"#,
            accepts: [#"{"a": 1, "x1": null}"#], rejects: [#"{"b": 1}"#, #"{"x1": 1}"#]),
        .init(
            all, #"{"patternProperties": {"a": {"minimum": 2}, "b": {"maximum": 3}}}"#,
            accepts: [#"{"ab": 2, "b": 1}"#],
            rejects: [#"{"ab": 1}"#, #"{"ab": 4}"#]),
        .init(
            all, #"{"additionalProperties": {"type": "integer"}}"#, accepts: [#"{"a": 1}"#], rejects: [#"{"a": "x"}"#]),
        .init(
            from4, #"{"required": ["a", "b"]}"#, accepts: [#"{"a": 1, "b": null, "c": 1}"#, "[]"],
            rejects: ["{}", #"{"a": 1}"#]),
        .init(
            [.draft3], #"{"properties": {"a": {"required": true}, "b": {}}}"#, accepts: [#"{"a": 1}"#],
            rejects: [#"{"b": 1}"#]),
        .init(
            from4, #"{"minProperties": 1, "maxProperties": 2}"#, accepts: [#"{"a": 1}"#, "[]"],
            rejects: ["{}", #"{"a": 1, "b": 2, "c": 3}"#]),
        .init(
            from6, #"{"propertyNames": {"maxLength": 2}}"#, accepts: [#"{"ab": 1}"#, "{}"], rejects: [#"{"abc": 1}"#]),
        .init(from6, #"{"propertyNames": {"enum": ["a"]}}"#, accepts: [#"{"a": 1}"#], rejects: [#"{"b": 1}"#]),
        .init(
            all, #"{"dependencies": {"a": ["b"], "c": {"properties": {"d": {"type": "integer"}}}}}"#,
            accepts: ["{}", #"{"a": 1, "b": 1}"#, #"{"d": "x"}"#, #"{"c": 1, "d": 1}"#],
            rejects: [#"{"a": 1}"#, #"{"c": 1, "d": "x"}"#]),
        .init([.draft3], #"{"dependencies": {"a": "b"}}"#, accepts: [#"{"b": 1}"#], rejects: [#"{"a": 1}"#]),
        .init(
            from2019, #"{"dependentRequired": {"a": ["b", "c"]}}"#, accepts: ["{}", #"{"a": 1, "b": 1, "c": 1}"#],
            rejects: [#"{"a": 1, "b": 1}"#]),
        .init(
            from2019, #"{"dependentSchemas": {"a": {"required": ["b"]}}}"#, accepts: ["{}", #"{"a": 1, "b": 1}"#],
            rejects: [#"{"a": 1}"#]),
        .init(upTo7, #"{"dependentRequired": {"a": ["b"]}}"#, accepts: [#"{"a": 1}"#]),
        .init(
            from2019,
            #"{"properties": {"a": true}, "if": {"required": ["b"]}, "then": {"properties": {"b": true}},"#
                + #" "unevaluatedProperties": false}"#,
            accepts: ["{}", #"{"a": 1}"#, #"{"a": 1, "b": 2}"#], rejects: [#"{"c": 1}"#, #"{"b": 1, "c": 1}"#]),
        .init(
            from2019,
            ##"{"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"properties": {"a": true}}},"##
                + #" "unevaluatedProperties": {"type": "integer"}}"#,
            accepts: [#"{"a": null, "b": 1}"#], rejects: [#"{"b": null}"#]),
        // What `not` looks at does not count.
        .init(
            from2019, #"{"not": {"not": {"properties": {"a": true}}}, "unevaluatedProperties": false}"#,
            accepts: ["{}"], rejects: [#"{"a": 1}"#]),
        .init(
            from2019,
            #"{"dependentSchemas": {"a": {"properties": {"a": true, "b": true}}}, "unevaluatedProperties": false}"#,
            accepts: [#"{"a": 1, "b": 1}"#], rejects: [#"{"b": 1}"#]),
    ]

    static let combinations: [ConformanceCase] = [
        .init(from4, #"{"allOf": [{"minimum": 1}, {"maximum": 3}]}"#, accepts: ["2", "[]"], rejects: ["0", "4"]),
        .init(
            from4, #"{"anyOf": [{"type": "string"}, {"minimum": 3}]}"#, accepts: [#""a""#, "3", "null"], rejects: ["2"]),
        .init(
            from4, #"{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}"#, accepts: ["2", "3"],
            rejects: ["6", "1", "null"]),
        .init(from4, #"{"not": {"type": "integer"}}"#, accepts: ["1.5", #""a""#], rejects: ["1"]),
        .init(
            from7, #"{"if": {"type": "integer"}, "then": {"minimum": 3}, "else": {"type": "string"}}"#,
            accepts: ["3", #""a""#], rejects: ["2", "null", "1.5"]),
        .init(from7, #"{"then": false, "else": false}"#, accepts: ["1"]),
        .init([.draft6], #"{"if": true, "then": false}"#, accepts: ["1"]),
        .init([.draft3], #"{"extends": [{"minimum": 1}, {"maximum": 3}]}"#, accepts: ["2"], rejects: ["0", "4"]),
        .init(
            [.draft3], #"{"disallow": ["integer", {"type": "string"}]}"#, accepts: ["null"], rejects: ["1", #""a""#]),
        .init(
            [.draft3], #"{"type": ["null", {"properties": {"a": {"type": "integer"}}, "type": "object"}]}"#,
            accepts: ["null", #"{"a": 1}"#], rejects: ["1", #"{"a": "x"}"#]),
        .init([.draft3], #"{"type": "any"}"#, accepts: ["1", "null"]),
    ]

    static let references: [ConformanceCase] = [
        .init(
            all, ##"{"definitions": {"a b/c%": {"type": "integer"}}, "items": {"$ref": "#/definitions/a%20b~1c%25"}}"##,
            accepts: ["[1]"], rejects: [#"["x"]"#]),
        .init(
            all, ##"{"properties": {"next": {"$ref": "#"}, "v": {"type": "integer"}}}"##,
            accepts: [#"{"next": {"next": {"v": 1}}}"#], rejects: [#"{"next": {"next": {"v": "x"}}}"#]),
        .init(
            upTo7,
            ##"{"definitions": {"a": {"type": "integer"}}, "items": {"$ref": "#/definitions/a", "maximum": 3}}"##,
            accepts: ["[4]"], rejects: [#"["x"]"#]),
        .init(
            from2019, ##"{"$defs": {"a": {"type": "integer"}}, "items": {"$ref": "#/$defs/a", "maximum": 3}}"##,
            accepts: ["[3]"], rejects: ["[4]", #"["x"]"#]),
        .init(
            [.draft4], ##"{"definitions": {"a": {"id": "#here", "type": "integer"}}, "items": {"$ref": "#here"}}"##,
            accepts: ["[1]"], rejects: [#"["x"]"#]),
        .init(
            [.draft6, .draft7],
            ##"{"definitions": {"a": {"$id": "#here", "type": "integer"}}, "items": {"$ref": "#here"}}"##,
            accepts: ["[1]"], rejects: [#"["x"]"#]),
        .init(
            from2019, ##"{"$defs": {"a": {"$anchor": "here", "type": "integer"}}, "items": {"$ref": "#here"}}"##,
            accepts: ["[1]"], rejects: [#"["x"]"#]),
        .init(
            from6,
            #"{"$id": "https://example.com/a/b.json", "definitions": {"x": {"$id": "../c.json", "type": "integer"}},"#
                + #" "items": {"$ref": "/c.json"}}"#,
            accepts: ["[1]"], rejects: [#"["x"]"#]),
        .init(
            from6,
            ##"{"$id": "urn:example:root", "definitions": {"x": {"type": "integer"}},"##
                + ##" "items": {"$ref": "urn:example:root#/definitions/x"}}"##,
            accepts: ["[1]"], rejects: [#"["x"]"#]),
        // Identifiers inside values are not identifiers.
        .init(
            from2019,
            #"{"$defs": {"e": {"enum": [{"$id": "urn:x", "type": "null"}]}, "r": {"$id": "urn:x", "type": "string"}},"#
                + #" "$ref": "urn:x"}"#,
            accepts: [#""a""#], rejects: ["null"]),
        .init(
            from2019,
            #"{"unknown": {"$id": "urn:x", "type": "null"}, "$defs": {"r": {"$id": "urn:x", "type": "string"}},"#
                + #" "$ref": "urn:x"}"#,
            accepts: [#""a""#], rejects: ["null"]),
        // The target of a reference becomes a schema.
        .init(
            all, ##"{"unknown": [{"type": "integer"}], "items": {"$ref": "#/unknown/0"}}"##, accepts: ["[1]"],
            rejects: [#"["x"]"#]),
        .init(
            [.draft201909],
            ##"{"$id": "urn:tree", "$recursiveAnchor": true, "properties": {"v": true, "c": {"$recursiveRef": "#"}},"##
                + #" "additionalProperties": false}"#,
            accepts: [#"{"c": {"v": 1}}"#], rejects: [#"{"c": {"w": 1}}"#]),
        .init(
            [.draft201909],
            ##"{"$id": "urn:strict", "$recursiveAnchor": true, "$ref": "urn:tree", "unevaluatedProperties": false,"##
                + ##" "$defs": {"t": {"$id": "urn:tree", "$recursiveAnchor": true,"##
                + ##" "properties": {"v": true, "c": {"$recursiveRef": "#"}}}}}"##,
            accepts: [#"{"c": {"v": 1}}"#], rejects: [#"{"c": {"w": 1}}"#, #"{"w": 1}"#]),
        .init(
            only2020,
            ##"{"$id": "urn:strict", "$dynamicAnchor": "node", "$ref": "urn:tree", "unevaluatedProperties": false,"##
                + ##" "$defs": {"t": {"$id": "urn:tree", "$dynamicAnchor": "node","##
                + ##" "properties": {"v": true, "c": {"$dynamicRef": "#node"}}}}}"##,
            accepts: [#"{"c": {"v": 1}}"#], rejects: [#"{"c": {"w": 1}}"#, #"{"w": 1}"#]),
        // A dynamic reference to a plain anchor is a plain reference.
        .init(
            only2020,
            ##"{"$id": "urn:root", "$ref": "urn:list", "$defs": {"i": {"$dynamicAnchor": "item", "type": "string"},"##
                + ##" "l": {"$id": "urn:list", "items": {"$dynamicRef": "#item"},"##
                + ##" "$defs": {"i": {"$anchor": "item", "type": "integer"}}}}}"##,
            accepts: ["[1]"], rejects: [#"["a"]"#]),
        .init(
            only2020,
            ##"{"$id": "urn:root", "$ref": "urn:list", "$defs": {"i": {"$dynamicAnchor": "item", "type": "string"},"##
                + ##" "l": {"$id": "urn:list", "items": {"$dynamicRef": "#item"},"##
                + ##" "$defs": {"i": {"$dynamicAnchor": "item", "type": "integer"}}}}}"##,
            accepts: [#"["a"]"#], rejects: ["[1]"]),
        // Each embedded resource has its own dialect.
        .init(
            only2020,
            ##"{"prefixItems": [{"type": "integer"}], "properties": {"old": {"$ref": "urn:old"}}, "$defs": {"old":"##
                + ##" {"$id": "urn:old", "$schema": "http://json-schema.org/draft-07/schema#","##
                + ##" "items": [{"type": "string"}], "prefixItems": [false]}}}"##,
            accepts: [#"{"old": ["a"]}"#], rejects: [#"{"old": [1]}"#, #"["a"]"#]),
        .init(from4, ##"{"$schema": "http://json-schema.org/draft-04/schema#", "const": 1}"##, accepts: ["2"]),
    ]
}

struct ConformanceTests {
    static let cases =
        ConformanceCase.types + ConformanceCase.numbers + ConformanceCase.strings + ConformanceCase.arrays
        + ConformanceCase.objects + ConformanceCase.combinations + ConformanceCase.references

    @Test(arguments: cases)
    func acceptsAndRejects(example: ConformanceCase) throws {
        for draft in example.drafts {
            try expect(example.schema, draft: draft, accepts: example.accepts, rejects: example.rejects)
        }
    }

    @Test func formatsAreAnnotationsOnRequest() throws {
        try expect(#"{"format": "email"}"#, formats: .annotate, accepts: [#""ada""#])
    }

    @Test(arguments: Draft.allCases)
    func metaschemasAcceptThemselves(draft: Draft) throws {
        let uri = draft.metaschemaURI
        try expect(
            #"{"$ref": "\#(uri)"}"#, draft: draft,
            accepts: [#"{"type": "string", "items": {"enum": [1]}}"#, "{}"],
            rejects: [#"{"type": 1}"#, #"{"properties": {"a": {"minItems": "x"}}}"#])
    }
}
