// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

struct SpecWriterTests {
    static func back(_ output: SpecWriter.Output) throws -> JSONValue {
        let document = try DocumentReader.read(Array(output.text.utf8), file: "t.yaml")
        try #require(SpecReader.isSpec(document), "\(output.text)")
        return try SpecReader.jsonSchema(from: document).schema
    }

    /// Types as expressions, and the JSON Schema they come back as.
    @Test(
        arguments: [
            (["type": "string"], "string"), (["type": "integer", "minimum": 0, "maximum": 150], "integer 0..150"),
            (["type": "string", "format": "email"], "email"),
            (["type": ["string", "null"], "maxLength": 5], "string (max 5) or null"),
            (["enum": ["a", "b"]], "one of [a, b]"),
            (["enum": ["1", 1, nil, "a,b"]], "one of [\"1\", 1, null, \"a,b\"]"),
            (["const": "x"], "= x"), ([:], "any"),
            (
                ["type": "array", "items": ["type": "string"], "maxItems": 5, "uniqueItems": true],
                "list of string (max 5, unique)"
            ),
            (["type": "array", "items": ["type": ["string", "null"]]], "list of (string or null)"),
            (["type": "array", "items": ["type": "string", "maxLength": 3]], "list of (string (max 3))"),
            (["type": "object", "additionalProperties": ["type": "number"]], "map of number"),
            (["type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01], "number > 0 (multiple of 0.01)"),
            (["type": "string", "pattern": "^a/b\\d$"], "string /^a\\/b\\d$/"),
            (["anyOf": [["type": "string", "format": "date"], ["type": "integer"]]], "date or integer"),
            (["type": "string", "description": "a name"], "string -- a name"),
            (["type": "string", "maxLength": 5, "x-verbatim": true], "string (max 5) (verbatim)"),
            (["type": "array", "items": ["type": "string", "x-verbatim": true]], "list of (string (verbatim))"),
            (["type": "number", "minimum": 0.5], "number >= 0.5"),
        ] as [(JSONValue, String)])
    func writesExpressions(_ schema: JSONValue, _ expected: String) throws {
        let whole: JSONValue = [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "t", "type": "object",
            "properties": ["x": schema],
            "required": ["x"], "additionalProperties": false,
        ]
        let output = try SpecWriter.spec(from: whole)
        #expect(output.spec["fields"]?["x"] == .string(expected))
        #expect(output.diagnostics.isEmpty)
        #expect(try Self.back(output) == whole)
    }

    static let schemas: [JSONValue] = [
        [
            "type": "object",
            "properties": [
                "a": [
                    "type": "object", "properties": ["type": ["type": "string"]], "additionalProperties": false,
                    "description": "d",
                ]
            ], "additionalProperties": false,
        ],
        [
            "type": "object",
            "properties": [
                "a": [
                    "type": "object", "properties": ["b": ["type": "string"]], "required": ["b"],
                    "additionalProperties": false,
                ]
            ], "required": ["a"],
        ],
        [
            "type": "array",
            "items": [
                "type": "object", "properties": ["q": ["type": "integer", "default": 1, "examples": [1, 2]]],
                "required": ["q"], "additionalProperties": false,
            ], "minItems": 1,
        ],
        ["type": ["object", "null"], "properties": ["b": true], "required": ["b"], "additionalProperties": false],
        [
            "type": "object", "properties": ["n": ["anyOf": [["$ref": "#/$defs/Node"], ["type": "null"]]]],
            "required": ["n"], "additionalProperties": false,
            "$defs": [
                "Node": [
                    "type": "object", "properties": ["next": ["$ref": "#/$defs/Node"]], "additionalProperties": false,
                ]
            ],
        ],
        ["type": "object", "minProperties": 2, "patternProperties": ["^x": ["type": "integer"]]],
        [
            "type": "object", "properties": ["e": ["type": "string", "format": "phone"], "q?": ["type": "string"]],
            "additionalProperties": false,
        ],
        [
            "type": "object",
            "additionalProperties": [
                "type": "object", "properties": ["a": ["type": "boolean"]], "additionalProperties": false,
            ], "propertyNames": ["pattern": "^k"],
        ],
        [
            "type": "string", "description": "line one\nline two", "x-instruction": "Do it.",
            "x-examples": [["input": "a", "output": "b"]],
        ],
        ["not": ["type": "string"]],
        [
            "type": "object", "properties": ["k": ["oneOf": [["type": "string"], ["type": "integer"]]]],
            "additionalProperties": false,
        ],
    ]

    /// `oneOf` of disjoint types comes back as `anyOf`'s shorter form; everything else as it was.
    @Test(arguments: schemas)
    func comesBack(_ schema: JSONValue) throws {
        let output = try SpecWriter.spec(from: schema)
        var back = try #require(try Self.back(output).objectValue)
        back["$schema"] = nil
        if schema["properties"]?["k"] != nil {
            #expect(back["properties"]?["k"] == ["type": ["string", "integer"]])
            return
        }
        if let fields = schema["properties"]?["b"], fields == true { back["properties"] = ["b": true] }
        #expect(JSONValue.object(back) == schema, "\(output.text)")
    }

    @Test func namesWhatHasNoWords() throws {
        let output = try SpecWriter.spec(from: [
            "type": "object",
            "properties": [
                "a": ["type": "string", "contentEncoding": "x"], "b": ["type": "array", "contains": ["const": 1]],
            ], "additionalProperties": false,
        ])
        #expect(output.diagnostics.map(\.id.rawValue) == ["spec.not-kept", "spec.embedded"])
        #expect(output.diagnostics.last?.message.contains("'contains'") == true)
        #expect(output.diagnostics.last?.path?.description == "/properties/b")
        #expect(
            output.spec["fields"]?["b"] == [
                "json schema": ["type": "array", "contains": ["const": 1]], "optional": true,
            ])
    }

    @Test(
        arguments: [
            [
                "type": "object", "properties": ["a": ["$ref": "#/properties/b"], "b": ["type": "string"]],
                "additionalProperties": false,
            ],
            ["$ref": "#"],
            [
                "$schema": "http://json-schema.org/draft-04/schema#", "type": "number", "minimum": 1,
                "exclusiveMinimum": true,
            ], false,
        ] as [JSONValue])
    func refusesWhatCannotBeKept(_ schema: JSONValue) {
        #expect(throws: DiagnosticsError.self) { try SpecWriter.spec(from: schema) }
    }

    @Test func typeNamesBecomeWords() throws {
        let schema: JSONValue = [
            "type": "object",
            "properties": ["a": ["$ref": "#/definitions/my.Type~1x"], "b": ["$ref": "#/definitions/string"]],
            "additionalProperties": false,
            "definitions": ["my.Type/x": ["type": "integer"], "string": ["type": "boolean"]],
        ]
        let output = try SpecWriter.spec(from: schema)
        #expect(output.spec["types"]?.objectValue?.keys == ["my_Type_x", "String"])
        #expect(output.spec["fields"] == ["a": "my_Type_x ?", "b": "String ?"])
        #expect(try Self.back(output)["$defs"] == ["my_Type_x": ["type": "integer"], "String": ["type": "boolean"]])
    }
}
