// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

struct SpecLoaderTests {
    @Test func readsSchemasInJSONAndYAML() throws {
        let json = try SpecLoader.load(Array(#"{"title": "Order", "type": "object"}"#.utf8), file: "x.json")
        #expect(json.name == "Order")
        let yaml = try SpecLoader.load(
            Array("type: object\ndescription: One order\n".utf8), file: "dir/order.schema.yaml")
        #expect(yaml.name == "order")
        #expect(yaml.summary == "One order")
        #expect(yaml.graph[yaml.graph.root].type == .object)
    }

    @Test func placesMistakesInTheFile() throws {
        do {
            _ = try SpecLoader.load(Array("type: object\nproperties:\n  a:\n    type: strin\n".utf8), file: "x.yaml")
            Issue.record("accepted")
        } catch {
            #expect(error.diagnostics.map { $0.range?.start.description } == ["4:11"])
        }
    }

    @Test func readsTheShortForm() throws {
        let text = """
            name: contact
            description: One person
            fields:
              name: string
              age: integer 0..150 ?
            """
        let spec = try SpecLoader.load(Array(text.utf8), file: "x.yaml")
        #expect(spec.form == .short)
        #expect(spec.name == "contact")
        #expect(spec.summary == "One person")
        let validator = Validator(spec.graph)
        #expect(try isValid(validator, #"{"name": "Ada", "age": 36}"#))
        #expect(try !isValid(validator, #"{"age": 36}"#))
        #expect(try !isValid(validator, #"{"name": "Ada", "age": 151}"#))
    }

    @Test func refusesExamplesThatDoNotFit() throws {
        let text = """
            name: contact
            fields:
              age: integer
            examples:
              - input: Ada is 36
                output: {age: thirty-six}
            """
        do {
            _ = try SpecLoader.load(Array(text.utf8), file: "x.yaml")
            Issue.record("accepted")
        } catch {
            #expect(error.diagnostics.map(\.id.rawValue) == ["spec.invalid-example"])
            #expect(error.diagnostics.map { $0.range?.start.line } == [6])
        }
    }
}
