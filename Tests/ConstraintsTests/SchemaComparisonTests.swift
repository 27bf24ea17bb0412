// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import TestSupport
import Testing

/// Whether one version of a schema allows what another does, with values that show it.
struct SchemaComparisonTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var old: String
        var new: String
        var summary: SchemaComparison.Summary
        /// The value that is lost, as JSON.
        var lost: String?
        var testDescription: String { "\(old) → \(new)" }
    }

    static func compare(_ old: String, _ new: String, formats: FormatPolicy = .assert) throws -> SchemaComparison {
        try SchemaComparison(old: schemaGraph(old), new: schemaGraph(new), formats: formats)
    }

    @Test(arguments: [
        Case(old: #"{"type":"integer"}"#, new: #"{"type":"integer"}"#, summary: .compatible),
        Case(old: #"{"type":"integer"}"#, new: #"{"type":"number","multipleOf":1}"#, summary: .compatible),
        Case(old: #"{"type":"integer"}"#, new: #"{"type":"number"}"#, summary: .backward),
        Case(old: #"{"type":"number"}"#, new: #"{"type":"integer"}"#, summary: .forward),
        Case(
            old: #"{"type":"integer","maximum":9}"#, new: #"{"type":"integer","maximum":3}"#, summary: .forward,
            lost: "4"),
        Case(old: #"{"type":"integer"}"#, new: #"{"type":"string"}"#, summary: .breaking),
        Case(old: #"{"enum":["a","b"]}"#, new: #"{"enum":["a","c"]}"#, summary: .breaking, lost: #""b""#),
        Case(
            old: #"{"type":"string","pattern":"^a+$"}"#, new: #"{"type":"string","pattern":"^a*$"}"#, summary: .backward
        ),
        Case(
            old: #"{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}"#,
            new:
                #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"additionalProperties":false}"#,
            summary: .backward),
        Case(
            old: #"{"type":"object","properties":{"a":{"type":"integer"}}}"#,
            new: #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}}}"#, summary: .forward),
        Case(
            old: #"{"type":"object","properties":{"a":{"type":"integer"}}}"#,
            new: #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#, summary: .forward,
            lost: "{}"),
        // What moves elsewhere stays the same.
        Case(
            old: #"{"type":"integer","minimum":1}"#, new: #"{"allOf":[{"type":"integer"},{"minimum":1}]}"#,
            summary: .compatible),
        Case(
            old: ##"{"type":"object","properties":{"n":{"$ref":"#"}},"additionalProperties":false}"##,
            new:
                ##"{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"n":{"$ref":"#/$defs/t"}},"additionalProperties":false}}}"##,
            summary: .compatible),
        // The same address twice must not be mistaken for the same schema.
        Case(
            old:
                ##"{"$id":"https://example.com/s","type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"integer"}}}"##,
            new:
                ##"{"$id":"https://example.com/s","type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}}}"##,
            summary: .breaking),
        // Formats that are no regular language: what the keywords show is proven all the same.
        Case(
            old: #"{"type":"object","properties":{"h":{"format":"hostname"}},"required":["h"]}"#,
            new: #"{"type":"object","properties":{"h":{"format":"hostname"}}}"#, summary: .backward),
        Case(
            old: #"{"type":"string","format":"idn-email"}"#, new: #"{"type":"string","pattern":"^[ -~]*$"}"#,
            summary: .undecided),
        Case(
            old: #"{"type":"number"}"#, new: #"{"type":"number","multipleOf":1e-30}"#, summary: .undecided),
    ])
    func decides(_ test: Case) throws {
        let comparison = try Self.compare(test.old, test.new)
        #expect(comparison.summary == test.summary, "\(comparison.backward) \(comparison.forward)")
        if let lost = test.lost {
            #expect(comparison.backward == .broken(try JSONReader.read(lost).root.value))
        }
        // A witness is one.
        if case .broken(let value) = comparison.backward {
            let node = Document(value: value).root
            #expect(try Validator(schemaGraph(test.old)).isValid(node))
            #expect(try !Validator(schemaGraph(test.new)).isValid(node))
        }
    }

    @Test func saysWhereAndWhy() throws {
        let comparison = try Self.compare(
            #"{"type":"object","properties":{"port":{"type":"integer","maximum":9},"gone":{"type":"string"}},"additionalProperties":false}"#,
            #"{"type":"object","properties":{"port":{"type":"integer","maximum":5},"new":{"type":"string"}},"additionalProperties":false}"#
        )
        #expect(comparison.summary == .breaking)
        let found = comparison.findings.map {
            "\($0.change.kind) \($0.change.location.pointer) \($0.isNarrowing == true) \($0.isWidening == true)"
        }
        #expect(
            found.sorted() == [
                "bounds /properties/port/maximum true false", "property-added /properties/new false true",
                "property-removed /properties/gone true false",
            ])
        #expect(comparison.findings.first { $0.change.kind == "bounds" }?.lost == 6)
    }

    /// Never called compatible without being so: random pairs over few values, compared value by value.
    @Test func agreesWithTheValidator() throws {
        let parts = [
            #"{"type":"integer"}"#, #"{"minimum":1}"#, #"{"maximum":1}"#, #"{"enum":[0,1,"a"]}"#,
            #"{"type":["string","null"]}"#,
            #"{"maxLength":1}"#, #"{"pattern":"a"}"#, #"{"required":["a"]}"#,
            #"{"properties":{"a":{"type":"integer"}}}"#,
            #"{"additionalProperties":false}"#, #"{"properties":{"a":true},"additionalProperties":false}"#,
            #"{"not":{"type":"object"}}"#,
            #"{"items":{"type":"integer"}}"#, #"{"contains":{"const":1}}"#, #"{"maxItems":1}"#,
            #"{"uniqueItems":true}"#,
            #"{"if":{"type":"integer"},"then":{"minimum":1},"else":{"type":"string"}}"#,
            #"{"oneOf":[{"type":"integer"},{"minimum":1}]}"#, #"{"anyOf":[{"type":"integer"},{"required":["a"]}]}"#,
        ]
        let values = [
            "0", "1", "2", "1.5", "\"\"", "\"a\"", "\"ab\"", "\"b\"", "null", "true", "{}", #"{"a":1}"#, #"{"a":"x"}"#,
            #"{"b":1}"#,
            #"{"a":1,"b":2}"#, "[]", "[1]", "[1,1]", "[\"a\"]", "[1,2]", "[[]]",
        ].compactMap { try? JSONReader.read($0).root }
        var generator = SeededGenerator(11)
        var decided = 0
        for _ in 0..<150 {
            func schema() -> String {
                let picked = (0..<Int.random(in: 1...2, using: &generator)).map { _ in
                    parts[Int.random(in: 0..<parts.count, using: &generator)]
                }
                let keyword = ["allOf", "anyOf"][Int.random(in: 0...1, using: &generator)]
                return "{\"\(keyword)\":[\(picked.joined(separator: ","))]}"
            }
            let (old, new) = (schema(), schema())
            let comparison = try Self.compare(old, new)
            let (a, b) = (Validator(try schemaGraph(old)), Validator(try schemaGraph(new)))
            for value in values where a.isValid(value) && !b.isValid(value) {
                #expect(!comparison.backward.holds, "\(old) → \(new): \(value.value)")
            }
            for value in values where b.isValid(value) && !a.isValid(value) {
                #expect(!comparison.forward.holds, "\(new) → \(old): \(value.value)")
            }
            if comparison.summary != .undecided { decided += 1 }
        }
        #expect(decided > 100, "\(decided)")
    }

    // MARK: Parts that nothing can meet

    struct Lint: CustomTestStringConvertible, Sendable {
        var schema: String
        var found: [String]
        var testDescription: String { schema }
    }

    @Test(arguments: [
        Lint(schema: #"{"type":"string"}"#, found: []),
        Lint(
            schema: #"{"type":"string","pattern":"a^b"}"#,
            found: ["lint.pattern-never-matches /pattern", "lint.unsatisfiable "]),
        Lint(
            schema: #"{"properties":{"a":{"allOf":[{"type":"string"},{"type":"integer"}]}}}"#,
            found: ["lint.unsatisfiable /properties/a"]),
        Lint(schema: #"{"properties":{"a":false,"b":{"not":{}}}}"#, found: []),
        Lint(
            schema: #"{"allOf":[{"properties":{"a":{}}}],"properties":{"b":{}},"additionalProperties":false}"#,
            found: ["lint.impossible-property /allOf/0/properties/a"]),
        Lint(
            schema: #"{"type":"string","anyOf":[{"type":"integer"},{"minLength":2}]}"#,
            found: ["lint.impossible-branch /anyOf/0"]),
        Lint(schema: #"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#, found: ["lint.shadowed-branch /oneOf/0"]),
        Lint(schema: #"{"oneOf":[{"type":"integer"},{"type":"string"}]}"#, found: []),
        Lint(
            schema: #"{"type":"string","if":{"type":"integer"},"then":{"minimum":1}}"#,
            found: ["lint.constant-condition /if"]),
        Lint(
            schema: ##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##,
            found: ["lint.unsatisfiable "]),
    ])
    func findsWhatNothingMeets(_ test: Lint) throws {
        let document = try JSONReader.read(test.schema, file: "s.json")
        let lint = SatisfiabilityLint(try SchemaGraph.load(document.root), root: document.root, formats: .assert)
        #expect(lint.gap == nil)
        let found = lint.diagnostics.map { "\($0.id) \($0.path.map(\.description) ?? "?")" }
        #expect(found.sorted() == test.found.sorted())
    }
}
