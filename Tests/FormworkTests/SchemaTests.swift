// SPDX-License-Identifier: Apache-2.0

import Formwork
import Foundation
import Testing

struct SchemaTests {
    private func expect<Value: Structured>(
        _ type: Value.Type, _ expected: String, location: SourceLocation = #_sourceLocation
    ) throws {
        let schema = StructuredSchema(of: type)
        let body = expected.hasPrefix("{}") ? "" : ", " + expected.dropFirst()
        let whole = "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\"" + (body.isEmpty ? "}" : body)
        #expect(
            try StructuredValue(json: schema.json) == StructuredValue(json: whole), "\(schema)",
            sourceLocation: location)
    }

    @Test func aStructIsAClosedObject() throws {
        try expect(
            Contact.self,
            """
            {"type": "object", "description": "A person named in the text.", "properties": {
              "name": {"type": "string", "description": "The person's full name."},
              "age": {"type": "integer", "description": "Age in years", "minimum": 0, "maximum": 150},
              "email": {"type": "string", "pattern": "^[^@]+@[^@]+$", "maxLength": 40},
              "tags": {"type": "array", "minItems": 1, "maxItems": 5,
                "items": {"type": "string", "minLength": 1, "maxLength": 12}}
            }, "required": ["name", "email", "tags"], "additionalProperties": false}
            """)
    }

    @Test func membersKeepTheirOrder() {
        let json = StructuredSchema(of: Contact.self).json
        let places = ["\"name\": {", "\"age\"", "\"email\"", "\"tags\""].map { json.range(of: $0)?.lowerBound }
        #expect(places.allSatisfy { $0 != nil })
        #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted())
    }

    @Test func enumsAreTheirValues() throws {
        try expect(
            Role.self,
            #"{"enum": ["engineer", "manager", "something else"], "description": "engineer: builds things"}"#)
        try expect(Colour.self, #"{"enum": ["red", "green", "default"]}"#)
        try expect(Level.self, #"{"enum": [1, 10]}"#)
    }

    @Test func typesInsideOthersAreDefinedOnceWhereTheyOccurTwice() throws {
        try expect(
            Company.self,
            """
            {"type": "object", "properties": {
              "office": {"$ref": "#/$defs/Address", "description": "Where letters go to."},
              "warehouse": {"$ref": "#/$defs/Address"},
              "staff": {"type": "array", "default": [], "items": {"type": "object", "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 20},
                "role": {"enum": ["engineer", "manager", "something else"], "description": "engineer: builds things",
                  "default": "something else"},
                "shoeSize": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 99}, {"type": "null"}],
                  "default": 42}
              }, "required": ["name"], "additionalProperties": false}},
              "stock": {"type": "object", "minProperties": 0, "maxProperties": 3,
                "propertyNames": {"type": "string", "pattern": "^[a-z]+$"},
                "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 9}},
              "colours": {"type": "array", "items": {"anyOf": [{"enum": ["red", "green", "default"]}, {"type": "null"}]}},
              "level": {"anyOf": [{"enum": [1, 10]}, {"type": "null"}], "default": 1}
            }, "required": ["office", "stock", "colours"], "additionalProperties": false,
            "$defs": {"Address": {"type": "object", "properties": {
              "street": {"type": "string"}, "postcode": {"type": "string", "pattern": "^[0-9]{5}$"}
            }, "required": ["street", "postcode"], "additionalProperties": false}}}
            """)
    }

    @Test func typesMayHoldThemselves() throws {
        try expect(
            Part.self,
            """
            {"$ref": "#/$defs/Part", "$defs": {"Part": {
              "type": "object", "description": "A part with parts of its own.", "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 8},
                "parts": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/Part"}}
              }, "required": ["name", "parts"], "additionalProperties": false}}}
            """)
    }

    @Test func casesWithValuesAreAlternatives() throws {
        let point = ##"{"$ref": "#/$defs/Point"}"##
        let float = #"{"type": "number", "minimum": -3.4028235e38, "maximum": 3.4028235e38}"#
        func object(_ name: String, _ content: String) -> String {
            """
            {"type": "object", "properties": {"\(name)": \(content)}, "required": ["\(name)"],
             "additionalProperties": false}
            """
        }
        let line = """
            {"type": "object", "properties": {"from": \(point), "to": \(point), "width": {"type": "integer",
              "minimum": -9223372036854775808, "maximum": 9223372036854775807, "default": 1}}, "required": ["from"],
             "additionalProperties": false}
            """
        let circle = """
            {"type": "object", "properties": {"radius": {"type": "number"}, "centre": \(point)},
             "required": ["radius", "centre"], "additionalProperties": false}
            """
        try expect(
            Shape.self,
            """
            {"$ref": "#/$defs/Shape", "$defs": {"Shape": {"anyOf": [
              {"enum": ["none"], "description": "none: nothing at all"},
              \(object("circle", circle)),
              \(object("text", #"{"type": "string"}"#)),
              \(object("group", ##"{"type": "array", "items": {"$ref": "#/$defs/Shape"}}"##)),
              \(object("line", line))
            ]}, "Point": {"type": "object", "properties": {"x": \(float), "y": \(float)}, "required": ["x", "y"],
              "additionalProperties": false}}}
            """)
    }

    @Test func numbersKeepWithinTheirTypes() throws {
        try expect(
            Numbers.self,
            """
            {"type": "object", "properties": {
              "int": {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},
              "int8": {"type": "integer", "minimum": -128, "maximum": 127},
              "unsigned": {"type": "integer", "minimum": 0, "maximum": 18446744073709551615},
              "double": {"type": "number"},
              "float": {"type": "number", "minimum": -3.4028235e38, "maximum": 3.4028235e38},
              "decimal": {"type": "number"},
              "share": {"type": "number", "minimum": 0, "maximum": 0.9999999999999999},
              "small": {"type": "number", "minimum": 1e-45, "maximum": 1},
              "fives": {"type": "integer", "multipleOf": 5, "maximum": 100, "minimum": -9223372036854775808},
              "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000},
              "some": {"type": "integer", "enum": [1, 2, 3]},
              "seven": {"type": "integer", "const": 7}
            }, "required": ["int", "int8", "unsigned", "double", "float", "decimal", "share", "small", "fives", "price",
              "some", "seven"], "additionalProperties": false}
            """)
    }

    @Test func typesOfFoundationAreTexts() throws {
        let schema = try StructuredValue(json: StructuredSchema(of: Event.self).json).description
        #expect(schema.contains(#""id":{"type":"string","format":"uuid"}"#))
        #expect(schema.contains(#""start":{"type":"string","format":"date-time"}"#))
        #expect(schema.contains(#""day":{"type":"string","format":"date"}"#))
        #expect(schema.contains(#""contact":{"type":"string","format":"email"}"#))
        #expect(schema.contains(#""page":{"type":"string","pattern":"^[A-Za-z]"#))
    }

    @Test func otherTypesThanStructsHaveSchemasToo() throws {
        try expect([Bool].self, #"{"type": "array", "items": {"type": "boolean"}}"#)
        try expect(String?.self, #"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#)
    }
}
