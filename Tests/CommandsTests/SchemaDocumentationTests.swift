// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `formwork schema show`.
struct SchemaDocumentationTests {
    @Test func writesASectionForEachObject() throws {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.write(
            "s.json",
            ##"""
            {"title": "Order", "description": "What was ordered", "type": "object", "required": ["id"],
             "additionalProperties": false,
             "properties": {
               "id": {"type": "string", "pattern": "^a|b$", "description": "a | b"},
               "count": {"type": "integer", "minimum": 1, "default": 1},
               "lines": {"type": "array", "maxItems": 3, "items": {"$ref": "#/$defs/line"}},
               "parent": {"$ref": "#"}},
             "$defs": {"line": {"type": "object", "properties": {"item": {"type": "string"}}}}}
            """##)
        let outcome = try terminal.run("schema", "show", "s.json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "# Order")
        #expect(lines.contains("## line"))
        #expect(lines.contains("| `lines` | list of [line](#line), at most 3 | no |  |  |"))
        #expect(lines.contains("| `parent` | [Order](#order) | no |  | What was ordered |"))
        #expect(lines.contains("| `count` | an integer of at least 1 | no | `1` |  |"))
        #expect(lines.contains { $0.hasPrefix("| `id` |") && $0.hasSuffix("| yes |  | a \\| b |") })
        #expect(lines.contains("Other fields are not allowed."))
        let table = try terminal.run("schema", "show", "--fields", "s.json")
        #expect(table.output.contains("| field | type | required | description |"))
    }
}
