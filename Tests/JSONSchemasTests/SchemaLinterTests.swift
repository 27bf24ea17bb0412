// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// What the linter says about single keywords.
struct SchemaLinterTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var schema: String
        /// `id pointer` of each diagnostic.
        var found: [String]
        var draft = Draft.draft202012
        var testDescription: String { schema }
    }

    static func lint(_ schema: String, _ draft: Draft) throws -> [Diagnostic] {
        var options = SchemaOptions(defaultDialect: Dialect(draft))
        options.includesUnreachedParts = true
        let document = try JSONReader.read(schema, file: "s.json")
        let graph = try SchemaGraph.load(document.root, options: options)
        return SchemaLinter(graph, root: document.root).diagnostics
    }

    @Test(arguments: [
        Case(schema: #"{"type":"integer","minimum":3,"maximum":2}"#, found: ["lint.empty-range /minimum"]),
        Case(
            schema: #"{"type":"integer","exclusiveMinimum":2,"maximum":2}"#,
            found: ["lint.empty-range /exclusiveMinimum"]),
        Case(schema: #"{"type":"integer","minimum":2,"maximum":2}"#, found: []),
        Case(schema: #"{"type":"string","minLength":3,"maxLength":2}"#, found: ["lint.empty-range /minLength"]),
        Case(schema: #"{"type":"integer","minLength":3}"#, found: ["lint.no-effect /minLength"]),
        Case(schema: #"{"type":["integer","string"],"minLength":3}"#, found: []),
        Case(schema: #"{"type":"integer","format":"date"}"#, found: ["lint.no-effect /format"]),
        Case(schema: #"{"type":"integer","format":"int64"}"#, found: []),
        Case(schema: #"{"format":"emial"}"#, found: ["lint.unknown-format /format"]),
        Case(schema: #"{"minContains":1}"#, found: ["lint.no-effect /minContains"]),
        Case(schema: #"{"if":true}"#, found: ["lint.no-effect /if"]),
        Case(schema: #"{"colour":1}"#, found: ["schema.unknown-keyword /colour"]),
        Case(schema: #"{"x-colour":1,"markdownDescription":"x"}"#, found: []),
        Case(schema: #"{"enum":[1,2,1.0]}"#, found: ["lint.duplicate-value /enum/2"]),
        Case(schema: #"{"type":"string","enum":["a",1]}"#, found: ["lint.value-refused /enum/1"]),
        Case(schema: #"{"type":"string","const":1}"#, found: ["lint.value-refused /const"]),
        Case(schema: #"{"type":"string","default":1}"#, found: ["lint.default-refused /default"]),
        Case(schema: #"{"type":"string","examples":["a",1]}"#, found: ["lint.example-refused /examples/1"]),
        Case(
            schema: #"{"properties":{"name":{}},"required":["nme"],"additionalProperties":false}"#,
            found: ["lint.required-not-allowed /required/0"]),
        Case(schema: #"{"properties":{"name":{}},"required":["nme"]}"#, found: ["lint.required-unknown /required/0"]),
        Case(schema: #"{"properties":{"name":{}},"required":["kind"]}"#, found: []),
        Case(
            schema: #"{"patternProperties":{"^n":{}},"required":["nme"],"additionalProperties":false}"#, found: []),
        Case(schema: #"{"type":"string","$defs":{"a":{}}}"#, found: ["lint.unused-definition /$defs/a"]),
        Case(schema: ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}"##, found: []),
        Case(schema: #"{"$defs":{"a":{"type":"string"}}}"#, found: []),
        Case(
            schema: #"{"type":"string","$defs":{"a":{"minLength":2,"maxLength":1}}}"#,
            found: ["lint.unused-definition /$defs/a", "lint.empty-range /$defs/a/minLength"]),
        Case(
            schema: ##"{"$ref":"#/definitions/a","minimum":2,"description":"x","definitions":{"a":{}}}"##,
            found: ["lint.reference-sibling /minimum"], draft: .draft7),
        Case(schema: #"{"exclusiveMinimum":true}"#, found: ["lint.no-effect /exclusiveMinimum"], draft: .draft4),
        Case(schema: #"{"pattern":"^a|b$"}"#, found: ["lint.pattern-anchors /pattern"]),
        Case(schema: #"{"pattern":"^(a|b)$"}"#, found: []),
        Case(schema: #"{"pattern":"^[a-z]{2,3}"}"#, found: ["lint.pattern-anchors /pattern"]),
        Case(schema: #"{"pattern":"^[a-z]{2,}"}"#, found: []),
        Case(schema: #"{"pattern":"[a-z]+"}"#, found: ["lint.pattern-anchors /pattern"]),
        Case(schema: #"{"pattern":"-"}"#, found: []),
    ])
    func finds(_ test: Case) throws {
        let found = try Self.lint(test.schema, test.draft).map { "\($0.id) \($0.path.map(\.description) ?? "?")" }
        #expect(found.sorted() == test.found.sorted())
    }

    @Test func countsAnUnknownKeywordOnce() throws {
        let found = try Self.lint(#"{"colour":1,"properties":{"a":{"colour":2},"b":{"colour":3}}}"#, .draft202012)
        #expect(found.count == 1)
        #expect(found.first?.notes.first?.message == "'colour' occurs in 3 places of the schema")
    }

    @Test func givesTheReason() throws {
        let found = try Self.lint(#"{"type":"integer","maximum":5,"default":9}"#, .draft202012)
        #expect(found.first?.notes.first?.message.contains("maximum 5") == true)
    }
}
