// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

struct SchemaRenderingTests {
    @Test func dropsWhatSaysNothing() throws {
        let schema = try JSONReader.read(
            """
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:x", "title": "T",
             "description": "D", "type": "object", "x-hint": 1,
             "properties": {"title": {"type": "string", "title": "The title"}, "b": {"enum": [{"title": 1}]}},
             "required": ["title"]}
            """)
        #expect(
            SchemaRendering.compact(schema.root)
                == #"{"description":"D","type":"object","properties":{"title":{"type":"string"},"b":{"enum":[{"title":1}]}},"#
                + #""required":["title"]}"#)
    }

    @Test func showsPropertiesInTheirOrder() throws {
        let schema = try JSONReader.read(
            #"{"properties": {"a": {}, "b": {"x-verbatim": true}, "c": {}}, "x-order": ["c", "z", "b"]}"#)
        #expect(SchemaRendering.compact(schema.root) == #"{"properties":{"c":{},"b":{},"a":{}}}"#)
    }
}
