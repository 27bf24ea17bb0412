// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// The constraint under which a model completes a document: what is valid is fixed, the rest is free.
struct RepairTemplateTests {
    private let schema = #"""
        {"type": "object", "additionalProperties": false, "required": ["name", "port", "level"],
         "properties": {"name": {"type": "string"}, "port": {"type": "integer", "maximum": 65535}, "level": {"enum": ["info", "warn"]},
           "steps": {"type": "array", "items": {"type": "object", "required": ["run"], "properties": {"run": {"type": "string"}}}}}}
        """#

    private func template(_ text: String) throws -> (RepairTemplate, Validator, SchemaMending) {
        let own = try JSONReader.read(schema)
        let graph = try SchemaGraph.load(own.root)
        let mending = SchemaMender.mend(try JSONReader.read(text, file: "x.json").root, Validator(graph))
        let template = RepairTemplate(graph, mending)
        var registry = SchemaRegistry()
        registry.add(own, uri: RepairTemplate.schemaAddress)
        let both = try SchemaGraph.load(Document(value: template.schema).root, registry: registry)
        return (template, Validator(both), mending)
    }

    private let text = #"{"name": "n", "port": 70000, "level": "loud", "steps": [{"run": "a"}, {"walk": "b"}]}"#

    @Test(arguments: [
        (#"{"name": "n", "port": 1, "level": "info", "steps": [{"run": "a"}, {"walk": "b", "run": "c"}]}"#, true),
        // What was valid is fixed.
        (#"{"name": "m", "port": 1, "level": "info", "steps": [{"run": "a"}, {"walk": "b", "run": "c"}]}"#, false),
        (#"{"name": "n", "port": 1, "level": "info", "steps": [{"run": "x"}, {"walk": "b", "run": "c"}]}"#, false),
        (#"{"name": "n", "port": 1, "level": "info", "steps": [{"run": "a"}, {"walk": "c", "run": "c"}]}"#, false),
        (#"{"name": "n", "port": 1, "level": "info", "steps": [{"run": "a"}]}"#, false),
        (#"{"name": "n", "port": 1, "level": "info"}"#, false),
        // And the schema holds.
        (#"{"name": "n", "port": 70001, "level": "info", "steps": [{"run": "a"}, {"walk": "b", "run": "c"}]}"#, false),
        (#"{"name": "n", "port": 1, "level": "loud", "steps": [{"run": "a"}, {"walk": "b", "run": "c"}]}"#, false),
        (#"{"name": "n", "port": 1, "level": "info", "steps": [{"run": "a"}, {"walk": "b"}]}"#, false),
    ])
    func validPartsAreFixed(_ answer: String, _ isRight: Bool) throws {
        let (template, validator, _) = try template(text)
        let value = try JSONReader.read(answer).root
        #expect(validator.isValid(value) == isRight)
        if isRight {
            let complete = try #require(template.complete(with: value.value))
            #expect(complete.mends.count == 3)
            #expect(complete.edits.count == 3)
            #expect(Repairer.patch(complete.mends).map { $0["op"]?.stringValue } == ["replace", "replace", "add"])
        }
    }

    @Test func aChangeOfAValidPartIsNoCompletion() throws {
        let (template, _, _) = try template(text)
        let value = try JSONReader.read(#"{"name": "m", "port": 1, "level": "info", "steps": []}"#).root.value
        #expect(template.complete(with: value) == nil)
    }

    @Test func theTextIsEditedInPlace() throws {
        let text = "{\n  // top\n  \"name\": \"n\", \"colour\": 3,\n  \"port\": 70000 // big\n}"
        let validator = Validator(try graph(schema))
        var options = Repairer.Options()
        options.format = .jsonc
        let repair = Repairer.repair(Array(text.utf8), file: nil, validator: validator, options: options)
        #expect(repair.outcome == .failed)
        let rest = try #require(repair.rest)
        let template = RepairTemplate(validator.graph, rest.mendings[0])
        let answer = try JSONReader.read(#"{"name": "n", "port": 80, "level": "warn"}"#).root.value
        let mending = try #require(template.complete(with: answer))
        var result = repair
        let done = Repairer.complete(rest.reading, [mending], &result, validator)
        #expect(done.outcome == .repaired)
        let wanted = "{\n  // top\n  \"name\": \"n\", \"port\": 80,\n  \"level\": \"warn\" // big\n}"
        #expect(String(decoding: done.bytes, as: UTF8.self) == wanted)
        #expect(done.changes.map(\.id.rawValue) == ["value.generated", "value.generated", "value.generated"])
    }
}
