// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// Schemas found in examples.
struct SchemaInferenceTests {
    private func infer(_ examples: [String], _ change: (inout SchemaInference.Options) -> Void = { _ in }) throws
        -> JSONValue
    {
        var options = SchemaInference.Options()
        change(&options)
        let inference = SchemaInference(options: options)
        for example in examples { inference.add(try JSONReader.read(example, options: .lenient).root) }
        let schema = inference.schema
        // Whatever was found, the examples fit.
        let validator = Validator(try SchemaGraph.load(Document(value: schema).root))
        for example in examples {
            #expect(validator.isValid(try JSONReader.read(example, options: .lenient).root), "\(example)")
        }
        return schema
    }

    @Test(arguments: [
        (["1", "2"], #"{"type": "integer"}"#), (["1", "2.5"], #"{"type": "number"}"#),
        (["1.0"], #"{"type": "integer"}"#),
        (["null", "\"a\""], #"{"type": ["string", "null"]}"#), (["[]"], #"{"type": "array"}"#),
        (["[1, \"a\"]", "[null]"], #"{"type": "array", "items": {"type": ["string", "integer", "null"]}}"#),
        (
            [#"{"a": 1, "b": true}"#, #"{"a": 2, "c": []}"#],
            #"{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}, "c": {"type": "array"}}, "required": ["a"]}"#
        ),
        (
            [#"[{"x": 1}, {"x": 2, "y": 3}]"#],
            #"{"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}, "required": ["x"]}}"#
        ),
        (["\"2024-01-31\"", "\"2024-02-29\""], #"{"type": "string", "format": "date"}"#),
        (["\"2024-01-31\"", "\"x\""], #"{"type": "string"}"#),
        (["{}"], #"{"type": "object"}"#),
    ])
    func whatExamplesShare(_ examples: [String], _ wanted: String) throws {
        var schema = try #require(try infer(examples).objectValue)
        #expect(schema["$schema"] != nil)
        schema["$schema"] = nil
        #expect(JSONValue.object(schema) == (try JSONReader.read(wanted).root.value))
    }

    @Test func setsOfWordsOnlyWhereAsked() throws {
        let examples = ["\"a\"", "\"b\"", "\"a\"", "\"b\""]
        #expect(try infer(examples)["enum"] == nil)
        #expect(try infer(examples) { $0.maximumWords = 2 }["enum"] == ["a", "b"])
        #expect(try infer(examples) { $0.maximumWords = 1 }["enum"] == nil)
        // Words that occur once are no set.
        #expect(try infer(["\"a\"", "\"b\""]) { $0.maximumWords = 8 }["enum"] == nil)
        #expect(try infer(["{\"a\": 1}"]) { $0.isClosed = true }["additionalProperties"] == false)
        #expect(try infer(["\"2024-01-31\""]) { $0.findsFormats = false }["format"] == nil)
    }

    @Test func deepExamplesEnd() throws {
        let deep = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(try infer([deep])["type"] == "array")
    }
}
