// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// The JSON Schema of one field's type, from the whole conversion.
private func field(_ type: String, types: String = "") throws -> (schema: JSONValue?, isRequired: Bool) {
    let text = "name: t\nfields:\n  x: \(type)\n" + types
    let document = try DocumentReader.read(Array(text.utf8), file: "t.yaml")
    let schema = try SpecReader.jsonSchema(from: document).schema
    return (schema["properties"]?["x"], schema["required"] == ["x"])
}

private func mistakes(_ text: String) throws -> [Diagnostic] {
    let document = try DocumentReader.read(Array(text.utf8), file: "t.yaml")
    do throws(DiagnosticsError) {
        return try SpecReader.jsonSchema(from: document).diagnostics
    } catch {
        return error.diagnostics
    }
}

struct SpecReaderTests {
    @Test(
        arguments: [
            ("string", ["type": "string"]), ("integer", ["type": "integer"]), ("any", [:]),
            ("boolean", ["type": "boolean"]),
            ("null", ["type": "null"]), ("'null'", ["type": "null"]), ("email", ["type": "string", "format": "email"]),
            ("datetime", ["type": "string", "format": "date-time"]), ("url", ["type": "string", "format": "uri"]),
            ("date-time", ["type": "string", "format": "date-time"]), ("uuid", ["type": "string", "format": "uuid"]),
            ("integer 0..150", ["type": "integer", "minimum": 0, "maximum": 150]),
            ("integer -5..5", ["type": "integer", "minimum": -5, "maximum": 5]),
            ("number > 0", ["type": "number", "exclusiveMinimum": 0]),
            ("number >= 0 < 1.5", ["type": "number", "minimum": 0, "exclusiveMaximum": 1.5]),
            ("number 0.5..", ["type": "number", "minimum": 0.5]), ("integer ..10", ["type": "integer", "maximum": 10]),
            ("number (multiple of 0.01)", ["type": "number", "multipleOf": 0.01]),
            ("integer (min 1, max 5)", ["type": "integer", "minimum": 1, "maximum": 5]),
            ("string (max 80)", ["type": "string", "maxLength": 80]),
            ("string 1..80", ["type": "string", "minLength": 1, "maxLength": 80]),
            ("string (length 3)", ["type": "string", "minLength": 3, "maxLength": 3]),
            ("string /^[A-Z]{3}$/", ["type": "string", "pattern": "^[A-Z]{3}$"]),
            ("/^a\\/[/b]$/", ["type": "string", "pattern": "^a/[/b]$"]),
            ("string /x/ (max 5)", ["type": "string", "pattern": "x", "maxLength": 5]),
            ("one of [a, b c, 1, true, null, \"1\"]", ["enum": ["a", "b c", 1, true, nil, "1"]]),
            ("[a, 2]", ["enum": ["a", 2]]),
            ("\n    - a\n    - b", ["enum": ["a", "b"]]), ("list", ["type": "array"]),
            ("list of string", ["type": "array", "items": ["type": "string"]]),
            ("list of string (max 5)", ["type": "array", "items": ["type": "string"], "maxItems": 5]),
            (
                "list of string 1..9 (1..5, unique)",
                [
                    "type": "array", "items": ["type": "string", "minLength": 1, "maxLength": 9], "minItems": 1,
                    "maxItems": 5, "uniqueItems": true,
                ]
            ),
            (
                "list of (string (max 3)) (max 2)",
                ["type": "array", "items": ["type": "string", "maxLength": 3], "maxItems": 2]
            ),
            ("list of list of integer", ["type": "array", "items": ["type": "array", "items": ["type": "integer"]]]),
            ("map of number", ["type": "object", "additionalProperties": ["type": "number"]]),
            ("map", ["type": "object"]),
            (
                "map of string (keys /^x/, max 3)",
                [
                    "type": "object", "additionalProperties": ["type": "string"], "propertyNames": ["pattern": "^x"],
                    "maxProperties": 3,
                ]
            ),
            ("string or null", ["type": ["string", "null"]]),
            ("email or null", ["type": ["string", "null"], "format": "email"]),
            ("integer 0..9 or null", ["type": ["integer", "null"], "minimum": 0, "maximum": 9]),
            ("string or number", ["type": ["string", "number"]]),
            ("one of [a, b] or null", ["enum": ["a", "b", nil]]),
            ("date or integer", ["anyOf": [["type": "string", "format": "date"], ["type": "integer"]]]),
            ("list of (string or null)", ["type": "array", "items": ["type": ["string", "null"]]]),
            ("list of string or null", ["type": ["array", "null"], "items": ["type": "string"]]),
            ("= invoice", ["const": "invoice"]), ("= 1.0", ["const": 1]), ("'\"a b\"'", ["const": "a b"]),
            ("\"'a' or 'b'\"", ["enum": ["a", "b"]]), ("3", ["const": 3]), ("true", ["const": true]),
            ("string -- the full name", ["type": "string", "description": "the full name"]),
            (
                "string 1..5 — short -- text",
                ["type": "string", "minLength": 1, "maxLength": 5, "description": "short -- text"]
            ),
            ("= a -- why", ["const": "a", "description": "why"]),
            (
                "{type: string (max 5), description: d, default: x, examples: [y]}",
                ["type": "string", "maxLength": 5, "description": "d", "default": "x", "examples": ["y"]]
            ),
            (
                "{type: number, min: 0, max: 9, multiple of: 0.5}",
                ["type": "number", "minimum": 0, "maximum": 9, "multipleOf": 0.5]
            ),
            (
                "{type: string, pattern: \"^a: b$\", length: 4}",
                ["type": "string", "pattern": "^a: b$", "minLength": 4, "maxLength": 4]
            ),
            ("{type: [a, b], description: d}", ["enum": ["a", "b"], "description": "d"]),
            ("{one of: [a, 1]}", ["enum": ["a", 1]]),
            (
                "{a: string, b: integer?}",
                [
                    "type": "object", "properties": ["a": ["type": "string"], "b": ["type": "integer"]],
                    "required": ["a"], "additionalProperties": false,
                ]
            ),
            (
                "{fields: {type: string}, open: true}",
                ["type": "object", "properties": ["type": ["type": "string"]], "required": ["type"]]
            ),
            (
                "{fields: {a: string}, nullable: true}",
                [
                    "type": ["object", "null"], "properties": ["a": ["type": "string"]], "required": ["a"],
                    "additionalProperties": false,
                ]
            ),
            (
                "{list of: {a: string}, min: 1, unique: true}",
                [
                    "type": "array",
                    "items": [
                        "type": "object", "properties": ["a": ["type": "string"]], "required": ["a"],
                        "additionalProperties": false,
                    ], "minItems": 1, "uniqueItems": true,
                ]
            ),
            (
                "{map of: integer, keys: ^k}",
                ["type": "object", "additionalProperties": ["type": "integer"], "propertyNames": ["pattern": "^k"]]
            ),
            ("{json schema: {type: object, minProperties: 2}}", ["type": "object", "minProperties": 2]),
        ] as [(String, JSONValue)])
    func readsTypes(_ type: String, _ expected: JSONValue) throws {
        let result = try field(type)
        #expect(result.schema == expected)
        #expect(result.isRequired)
    }

    @Test(arguments: [
        "email?", "integer 0..150 ?", "one of [a] ?", "string ? -- why", "{type: string, optional: true}",
        "{type: string ?}", "= a ?", "list of string (max 5)?",
    ])
    func optionalFieldsAreNotRequired(_ type: String) throws {
        #expect(try !field(type).isRequired)
    }

    @Test func optionalMarkOnTheName() throws {
        let document = try DocumentReader.read(
            Array("fields:\n  a?: {b: string}\n  'c\\?': string\n".utf8), file: "t.yaml")
        let schema = try SpecReader.jsonSchema(from: document).schema
        #expect(schema["required"] == ["c?"])
        #expect(schema["properties"]?.objectValue?.keys == ["a", "c?"])
    }

    @Test func namedTypesAreReferences() throws {
        let types =
            "types:\n  Node:\n    value: integer\n    next: Node?\n  Money: number > 0 -- an amount\n  Pair: list of Money (2..2)\n"
        let document = try DocumentReader.read(
            Array(("fields:\n  tree: Node or null\n  pair: Pair\n" + types).utf8), file: "t.yaml")
        let schema = try SpecReader.jsonSchema(from: document).schema
        #expect(schema["properties"]?["tree"] == ["anyOf": [["$ref": "#/$defs/Node"], ["type": "null"]]])
        #expect(schema["$defs"]?["Node"]?["properties"]?["next"] == ["$ref": "#/$defs/Node"])
        #expect(schema["$defs"]?["Money"] == ["type": "number", "exclusiveMinimum": 0, "description": "an amount"])
    }

    @Test func readsTheWholeSpec() throws {
        let text = """
            name: contact
            description: One person
            instruction: |
              Extract the person.
            fields:
              name: string
            examples:
              - input: I am Bo
                output: {name: Bo}
            """
        let conversion = try SpecReader.jsonSchema(from: try DocumentReader.read(Array(text.utf8), file: "t.yaml"))
        #expect(conversion.name == "contact")
        #expect(conversion.instruction == "Extract the person.")
        #expect(conversion.examples.map(\.input) == ["I am Bo"])
        #expect(conversion.examples.first?.output == ["name": "Bo"])
        #expect(
            conversion.schema == [
                "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "contact",
                "description": "One person",
                "x-instruction": "Extract the person.", "x-examples": [["input": "I am Bo", "output": ["name": "Bo"]]],
                "type": "object", "properties": ["name": ["type": "string"]], "required": ["name"],
                "additionalProperties": false,
            ])
    }

    @Test func placesLeadBackToTheSpec() throws {
        let text = "fields:\n  a: integer\n  b:\n    c: list of string\n  d: T\ntypes:\n  T:\n    e: string\n"
        let conversion = try SpecReader.jsonSchema(from: try DocumentReader.read(Array(text.utf8), file: "t.yaml"))
        func place(_ pointer: String) throws -> String? {
            conversion.range(of: try #require(JSONPointer(parsing: pointer)))?.description
        }
        #expect(try place("/properties/a/type") == "t.yaml:2:3")
        #expect(try place("/properties/b/properties/c/items") == "t.yaml:4:5")
        #expect(try place("/$defs/T/properties/e") == "t.yaml:8:5")
        #expect(try place("/properties/b") == "t.yaml:3:3")
        #expect(try place("") == "t.yaml:1:1")
        let schema = conversion.schemaDocument
        #expect(schema.root.value == conversion.schema)
        #expect(
            schema.root["properties"]?["b"]?["properties"]?["c"]?["items"]?["type"]?.range?.description == "t.yaml:4:5")
    }

    @Test(
        arguments: [
            ("fields:\n  a: strng\n", "spec.unknown-type", "2:6", "did you mean 'string'?"),
            ("fields:\n  a: int\n", "spec.unknown-type", "2:6", "write 'integer'"),
            ("fields:\n  a: list of intger\n", "spec.unknown-type", "2:14", "did you mean 'integer'?"),
            (
                "fields:\n  a: Adress\ntypes:\n  Address: string\n", "spec.unknown-type", "2:6",
                "did you mean 'Address'?"
            ),
            ("feilds:\n  a: string\nname: x\n", "spec.unknown-key", "1:1", "did you mean 'fields'?"),
            ("fields:\n  a: integer 5..1\n", "spec.empty-range", "2:14", nil),
            ("fields:\n  a: number > 5 < 5\n", "spec.empty-range", "2:17", nil),
            ("fields:\n  a: string (max 5\n", "spec.syntax", "2:19", nil),
            ("fields:\n  a: string (mix 5)\n", "spec.syntax", "2:14", "did you mean 'min'?"),
            ("fields:\n  a: one of a, b\n", "spec.syntax", "2:13", "write 'one of [a, b]'"),
            ("fields:\n  a: one of [a, a]\n", "spec.duplicate-value", "2:17", "remove one"),
            ("fields:\n  a: boolean 1..2\n", "spec.limit", "2:14", nil),
            ("fields:\n  a: string > 5\n", "spec.limit", "2:13", nil),
            ("fields:\n  a: string -1..2\n", "spec.limit", "2:13", nil),
            ("fields:\n  a: string optional\n", "spec.syntax", "2:13", nil),
            ("fields:\n  a: string /abc\n", "spec.syntax", "2:13", nil),
            ("fields:\n  a: ''\n", "spec.syntax", "2:6", nil),
            ("fields:\n  a: {type: string, fields: {}}\n", "spec.syntax", "2:21", nil),
            ("fields:\n  a: {type: string, street: string}\n", "spec.unknown-key", "2:21", nil),
            ("fields:\n  a: T\ntypes:\n  T: U\n  U: T or null\n", "spec.cycle", "4:3", nil),
            ("fields:\n  a: string\n  'a?': string\n", "spec.duplicate-field", "3:3", nil),
            ("name: x\n", "spec.missing-type", "1:1", nil),
            ("name: 5\nfields: {a: string}\n", "spec.syntax", "1:7", nil), ("fields: [a]\n", "spec.syntax", "1:9", nil),
            ("fields: {a: string}\ntypes:\n  string: integer\n", "spec.type-name", "3:3", nil),
            ("fields: {a: string}\ntypes:\n  T: integer\n", "spec.unused-type", "3:3", nil),
            ("fields: {a: string}\nexamples:\n  - input: x\n", "spec.examples", "3:5", nil),
            ("fields:\n  a: T 1..5\ntypes:\n  T: integer\n", "spec.limit", "2:8", "put it where 'T' is defined"),
            ("fields:\n  a: list of string 5\n", "spec.syntax", "2:21", nil),
            ("fields:\n  a: integer 5\n", "spec.syntax", "2:14", nil),
            ("fields:\n  a: {list of: string, min: 3, max: 2}\n", "spec.empty-range", "2:32", nil),
            ("fields:\n  a: {type: string, description: x, unique: true}\n", "spec.limit", "2:37", nil),
            ("fields:\n  ä: strng\n", "spec.unknown-type", "2:6", nil),
        ] as [(String, String, String, String?)])
    func reportsMistakes(_ text: String, _ id: String, _ place: String, _ help: String?) throws {
        let first = try #require(try mistakes(text).first)
        #expect(first.id.rawValue == id)
        #expect(first.range?.start.description == place)
        if let help { #expect(first.help == help) }
    }

    @Test func reportsAllMistakesAtOnce() throws {
        let found = try mistakes("fields:\n  a: strng\n  b: integer 5..1\n  c: {x: bool}\ntypo: 1\n")
        #expect(
            found.map(\.id.rawValue) == [
                "spec.unknown-key", "spec.unknown-type", "spec.empty-range", "spec.unknown-type",
            ])
    }

    @Test func deepNestingIsRefused() throws {
        let deep =
            "fields: {a: " + String(repeating: "{a: ", count: 100) + "string" + String(repeating: "}", count: 101)
        #expect(try mistakes(deep).map(\.id) == ["spec.too-deep"])
        let expression = "fields:\n  a: " + String(repeating: "list of ", count: 5000) + "string\n"
        #expect(try mistakes(expression).map(\.id) == ["spec.too-deep"])
    }

    @Test(arguments: [
        ("fields: {a: string}", true), ("name: x", true), ("type: list of string", true), ("{list of: string}", true),
        ("type: string", false),
        ("type: object\nproperties: {}", false), ("properties: {fields: {}}", false), ("true", false), ("{}", false),
        ("$schema: https://json-schema.org/draft-07/schema\nfields: {}", false),
        ("$ref: x\nname: y", false), ("title: x", false), ("type: {a: string}", true),
    ])
    func tellsSpecsFromSchemas(_ text: String, _ expected: Bool) throws {
        #expect(try SpecReader.isSpec(DocumentReader.read(Array(text.utf8), file: "t.yaml")) == expected)
    }
}
