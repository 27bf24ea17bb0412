// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Testing

/// `validate --strict` and `validate --explain`.
struct StrictnessTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var schema: String
        var value: String
        /// Pointers of the unknown properties.
        var unknown: [String]
        var testDescription: String { name }
    }

    private static let cases: [Case] = [
        Case(
            name: "properties", schema: #"{"properties": {"a": true}}"#, value: #"{"a": 1, "b": 2, "$schema": "x"}"#,
            unknown: ["/b"]),
        Case(name: "required", schema: #"{"properties": {"a": true}, "required": ["b"]}"#, value: #"{"b": 2}"#, unknown: []),
        Case(
            name: "patterns", schema: #"{"patternProperties": {"^x-": true}}"#, value: #"{"x-a": 1, "y": 2}"#,
            unknown: ["/y"]),
        Case(
            name: "additionalProperties of true", schema: #"{"properties": {"a": true}, "additionalProperties": true}"#,
            value: #"{"b": 2}"#, unknown: ["/b"]),
        Case(
            name: "additionalProperties that say something",
            schema: #"{"properties": {"a": true}, "additionalProperties": {"type": "integer"}}"#,
            value: #"{"b": 2}"#, unknown: []),
        Case(
            name: "unevaluatedProperties",
            schema: #"{"properties": {"a": true}, "unevaluatedProperties": {"properties": {"c": true}}}"#,
            value: #"{"b": {"c": 1, "d": 2}}"#, unknown: ["/b/d"]),
        Case(name: "free objects", schema: #"{"type": "object", "properties": {"a": {"type": "object"}}}"#,
            value: #"{"a": {"anything": 1}}"#, unknown: []),
        Case(
            name: "allOf and references",
            schema: ##"{"properties": {"a": true}, "allOf": [{"properties": {"b": true}}, {"$ref": "#/$defs/c"}], "$defs": {"c": {"properties": {"c": true}}}}"##,
            value: #"{"a": 1, "b": 2, "c": 3, "d": 4}"#, unknown: ["/d"]),
        Case(
            name: "branches that hold",
            schema: #"{"anyOf": [{"properties": {"k": {"const": 1}, "a": true}, "required": ["k"]}, {"properties": {"k": {"const": 2}, "b": true}, "required": ["k"]}]}"#,
            value: #"{"k": 1, "a": 1, "b": 2}"#, unknown: ["/b"]),
        Case(
            name: "conditions",
            schema: #"{"if": {"properties": {"k": {"const": 1}}, "required": ["k"]}, "then": {"properties": {"a": true}}, "else": {"properties": {"b": true}}}"#,
            value: #"{"k": 1, "a": 1, "b": 2}"#, unknown: ["/b"]),
        Case(
            name: "dependent schemas",
            schema: #"{"properties": {"a": true}, "dependentSchemas": {"a": {"properties": {"b": true}}}}"#,
            value: #"{"a": 1, "b": 2, "c": 3}"#, unknown: ["/c"]),
        Case(
            name: "the union over schemas of a child",
            schema: #"{"properties": {"o": {"properties": {"a": true}}}, "allOf": [{"properties": {"o": {"properties": {"b": true}}}}]}"#,
            value: #"{"o": {"a": 1, "b": 2, "c": 3}}"#, unknown: ["/o/c"]),
        Case(
            name: "elements",
            schema: #"{"prefixItems": [{"properties": {"a": true}}], "items": {"properties": {"b": true}}}"#,
            value: #"[{"b": 1}, {"b": 1}, {"a": 1, "c": [{"x": 1}]}]"#, unknown: ["/0/b", "/2/a", "/2/c"]),
        Case(
            name: "recursion",
            schema: ##"{"properties": {"child": {"$ref": "#"}, "n": true}, "anyOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"$ref": "#/$defs/y"}, "y": true}}"##,
            value: #"{"child": {"child": {"n": 1, "m": 2}}}"#, unknown: ["/child/child/m"]),
        Case(
            name: "dynamic references",
            schema: ##"{"$id": "https://example.com/s", "$ref": "tree", "$dynamicAnchor": "node", "properties": {"data": true}, "$defs": {"tree": {"$id": "tree", "$dynamicAnchor": "node", "properties": {"children": {"items": {"$dynamicRef": "#node"}}}}}}"##,
            value: #"{"children": [{"data": 1, "date": 2}]}"#, unknown: ["/children/0/date"]),
        Case(
            name: "not", schema: #"{"properties": {"a": true}, "not": {"properties": {"b": {"const": 7}}, "required": ["b"]}}"#,
            value: #"{"a": 1, "b": 2}"#, unknown: ["/b"]),
    ]

    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    @Test(arguments: cases)
    func unknownProperties(example: Case) throws {
        try terminal { terminal throws in
            try terminal.write("s.json", example.schema)
            try terminal.write("a.json", example.value)
            #expect(try terminal.run("validate", "--schema", "s.json", "a.json").status == 0)
            let strict = try terminal.run("validate", "--schema", "s.json", "--strict", "--output", "json", "a.json")
            #expect(strict.status == (example.unknown.isEmpty ? 0 : 2), "\(strict.errors)")
            let found = try JSONReader.read(Array(strict.output.utf8)).root.elements.first?["diagnostics"]?.elements.map(\.self) ?? []
            #expect(found.compactMap { $0["path"]?.stringValue } == example.unknown, "\(strict.output)")
            #expect(found.allSatisfy { $0["id"]?.stringValue == "value.unknownProperty" })
        }
    }

    @Test func theNameThatWasMeantIsSuggested() throws {
        try terminal { terminal throws in
            try terminal.write("s.json", #"{"properties": {"timeout": {"type": "integer"}, "retries": true}}"#)
            try terminal.write("a.json", #"{"timeuot": 3, "retries": 1}"#)
            let outcome = try terminal.run("validate", "--schema", "s.json", "--strict", "a.json")
            #expect(outcome.output.contains("a.json:1:2: error: the property 'timeuot' is not known to the schema"))
            #expect(outcome.output.contains("did you mean 'timeout'?"), "\(outcome.output)")
            try terminal.write("formwork.yaml", "validate: {strict: true}\n")
            #expect(try terminal.run("validate", "--schema", "s.json", "a.json").status == 2)
            #expect(try terminal.run("validate", "--schema", "s.json", "--no-project", "a.json").status == 0)
        }
    }

    @Test func duplicateKeysAreMistakes() throws {
        try terminal { terminal throws in
            try terminal.write("s.json", "{}")
            try terminal.write("a.json", #"{"a": 1, "a": 2}"#)
            try terminal.write("a.jsonl", "{\"a\": 1}\n{\"a\": 1, \"a\": 2}\n")
            try terminal.write("a.yaml", "a: 1\na: 2\n")
            for name in ["a.json", "a.jsonl", "a.yaml"] {
                #expect(try terminal.run("validate", "--schema", "s.json", name).status == 0)
                let strict = try terminal.run("validate", "--schema", "s.json", "--strict", name)
                #expect(strict.status == 2)
                #expect(strict.output.contains("duplicate-key"), "\(strict.output)")
            }
        }
    }

    @Test func objectsWithMissingPartsAreNotJudged() throws {
        try terminal { terminal throws in
            try terminal.write("s.json", #"{"properties": {"a": true, "o": {"$ref": "none.json", "properties": {"x": true}}}}"#)
            try terminal.write("a.json", #"{"o": {"y": 1}, "b": 1}"#)
            let outcome = try terminal.run("validate", "--schema", "s.json", "--unresolved", "allow", "--strict", "a.json")
            #expect(outcome.output.contains("'b' is not known"))
            #expect(!outcome.output.contains("'y'"), "\(outcome.output)")
        }
    }

    @Test func deepValuesAndManyBranchesComeToAnEnd() throws {
        try terminal { terminal throws in
            // Each level doubles the ways to its end.
            try terminal.write(
                "s.json",
                ##"{"properties": {"a": {"anyOf": [{"$ref": "#"}, {"$ref": "#", "title": "again"}]}, "n": {"type": "integer"}}}"##)
            let value = String(repeating: #"{"a":"#, count: 200) + #"{"m": 1}"# + String(repeating: "}", count: 200)
            try terminal.write("a.json", value)
            let outcome = try terminal.run("validate", "--schema", "s.json", "--strict", "a.json")
            #expect(outcome.status == 2)
        }
    }

    @Test func explanationsSayWhatTheSchemaWants() throws {
        try terminal { terminal throws in
            try terminal.write(
                "s.json",
                #"""
                {"type": "object", "required": ["name"], "additionalProperties": false, "properties": {
                  "name": {"type": "string", "minLength": 1},
                  "timeout": {"type": "integer", "minimum": 1, "maximum": 600, "description": "seconds to wait"},
                  "mode": {"enum": ["fast", "slow"]},
                  "when": {"anyOf": [{"type": "string", "format": "date"}, {"type": "object", "required": ["day"]}]},
                  "list": {"type": "array", "items": {"type": "number"}, "maxItems": 2}}}
                """#)
            for (value, phrase) in [
                (#"{"name": "a", "timeout": 700}"#, "the schema wants an integer from 1 to 600 — seconds to wait"),
                (#"{"name": "a", "mode": "fats"}"#, #"the schema wants one of "fast" or "slow""#),
                (#"{"name": "a", "when": 7}"#, "one or more of: (1) a string in the format 'date'; (2) an object with 'day'"),
                (#"{"name": "a", "list": [1, 2, 3]}"#, "an array of at most 2 elements whose elements are each a number"),
                ("{}", "the schema wants an object with 'name' (a string of at least 1 character) and, if need be, 'timeout' (an integer"),
            ] {
                let plain = try terminal.run("validate", "--schema", "s.json", input: value)
                #expect(plain.status == 2)
                #expect(!plain.output.contains("the schema wants"))
                let outcome = try terminal.run("validate", "--schema", "s.json", "--explain", input: value)
                #expect(outcome.status == 2)
                #expect(outcome.output.contains(phrase), "\(outcome.output)")
                #expect(outcome.output.contains("s.json:"))
            }
            // Schemas without an end have explanations with one.
            try terminal.write("r.json", ##"{"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}, "b": {"allOf": [{"$ref": "#"}]}}}"##)
            let recursive = try terminal.run("validate", "--schema", "r.json", "--explain", input: #"{"a": {}}"#)
            #expect(recursive.output.contains("the schema wants an object with 'a'"))
        }
    }
}
