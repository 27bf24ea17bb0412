// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import Testing

struct LoaderTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var schema: String
        var id: String
        var path: String
        var draft: Draft = .draft202012
        var testDescription: String { schema }
    }

    static let mistakes: [Mistake] = [
        .init(schema: #"{"type": "strin"}"#, id: "schema.unknown-type", path: "/type"),
        .init(schema: #"{"type": ["string", "nul"]}"#, id: "schema.unknown-type", path: "/type/1"),
        .init(schema: #"{"type": 1}"#, id: "schema.invalid-value", path: "/type"),
        .init(schema: #"{"minLength": -1}"#, id: "schema.invalid-value", path: "/minLength"),
        .init(schema: #"{"minLength": 1.5}"#, id: "schema.invalid-value", path: "/minLength"),
        .init(schema: #"{"maximum": "1"}"#, id: "schema.invalid-value", path: "/maximum"),
        .init(schema: #"{"multipleOf": 0}"#, id: "schema.invalid-value", path: "/multipleOf"),
        .init(schema: #"{"pattern": "("}"#, id: "schema.invalid-pattern", path: "/pattern"),
        .init(schema: #"{"pattern": "(a)\\1"}"#, id: "schema.unsupported-pattern", path: "/pattern"),
        .init(schema: #"{"patternProperties": {"[": {}}}"#, id: "schema.invalid-pattern", path: "/patternProperties/["),
        .init(schema: #"{"properties": {"a": 1}}"#, id: "schema.invalid-value", path: "/properties/a"),
        .init(schema: #"{"required": "a"}"#, id: "schema.invalid-value", path: "/required"),
        .init(
            schema: #"{"properties": {"a": {"required": true}}}"#, id: "schema.invalid-value",
            path: "/properties/a/required"),
        .init(schema: #"{"items": [{}]}"#, id: "schema.invalid-value", path: "/items"),
        .init(schema: #"{"anyOf": []}"#, id: "schema.invalid-value", path: "/anyOf"),
        .init(schema: #"{"enum": 1}"#, id: "schema.invalid-value", path: "/enum"),
        .init(schema: #"{"exclusiveMinimum": true}"#, id: "schema.invalid-value", path: "/exclusiveMinimum"),
        .init(
            schema: #"{"exclusiveMinimum": 1}"#, id: "schema.invalid-value", path: "/exclusiveMinimum", draft: .draft4),
        .init(schema: #"{"$id": "urn:x#y"}"#, id: "schema.invalid-id", path: "/$id"),
        .init(schema: ##"{"$ref": "#/$defs/x"}"##, id: "schema.unresolved-reference", path: "/$ref"),
        .init(schema: ##"{"$ref": "#nowhere"}"##, id: "schema.unresolved-reference", path: "/$ref"),
        .init(schema: #"{"$ref": "https://example.com/x"}"#, id: "schema.unresolved-reference", path: "/$ref"),
        .init(schema: ##"{"title": "x", "$ref": "#/title"}"##, id: "schema.not-a-schema", path: "/$ref"),
        .init(schema: ##"{"$ref": "#"}"##, id: "schema.reference-cycle", path: "/$ref"),
        .init(
            schema: ##"{"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/a"}]}}}"##,
            id: "schema.reference-cycle", path: "/$defs/a/anyOf/1/$ref"),
        .init(schema: "[]", id: "schema.not-a-schema", path: ""),
    ]

    @Test(arguments: mistakes)
    func reportsMistakesWithTheirPlace(mistake: Mistake) throws {
        let found = try problems(
            mistake.schema, options: SchemaOptions(defaultDialect: Dialect(mistake.draft), metaschemaCheck: .off))
        #expect(found.map(\.id.rawValue) == [mistake.id])
        #expect(found.first?.path?.description == mistake.path)
        #expect(found.first?.range != nil)
    }

    @Test func collectsAllMistakes() throws {
        let text = """
            {
              "properties": {
                "a": {"type": "strin"},
                "b": {"minLength": -1}
              }
            }
            """
        let found = try problems(text).sorted { ($0.range?.start.line ?? 0) < ($1.range?.start.line ?? 0) }
        #expect(found.map(\.id.rawValue) == ["schema.unknown-type", "schema.invalid-value"])
        #expect(found.map { $0.range?.start.line } == [3, 4])
        #expect(found[0].range?.start.column == 19)
        #expect(found[0].help == "did you mean 'string'?")
    }

    @Test func suggestsTheNearestTarget() throws {
        let found = try problems(##"{"$ref": "#/$defs/adress", "$defs": {"address": {}}}"##)
        #expect(found.first?.help == "did you mean 'address'?")
    }

    @Test func checksTheMetaschemaWhereNothingElseLooks() throws {
        let schema = #"{"$defs": {"unused": {"type": "strin"}}}"#
        #expect(try graph(schema).warnings.map(\.id.rawValue) == ["schema.metaschema"])
        let found = try problems(schema, options: SchemaOptions(metaschemaCheck: .error))
        #expect(found.map(\.path?.description) == ["/$defs/unused/type"])
    }

    @Test func warnsAboutKeywordsWithoutEffect() throws {
        func warnings(_ schema: String, draft: Draft = .draft202012) throws -> [String] {
            try graph(schema, draft: draft).warnings.map(\.id.rawValue)
        }
        #expect(try warnings(#"{"minimun": 1}"#) == ["schema.unknown-keyword"])
        #expect(try warnings(#"{"const": 1}"#, draft: .draft4) == ["schema.no-effect"])
        #expect(try warnings(#"{"then": {}}"#) == ["schema.no-effect"])
        #expect(try warnings(#"{"x-ordering": 1, "unrelated": 2, "description": "d"}"#).isEmpty)
    }

    @Test("extensions have a meaning in every dialect", arguments: [Draft.draft4, .draft7, .draft202012])
    func readsExtensions(_ draft: Draft) throws {
        let loaded = try graph(#"{"x-order": ["b", "a"], "x-verbatim": true, "x-other": 1}"#, draft: draft)
        let root = loaded[loaded.root]
        #expect(root.order == ["b", "a"])
        #expect(root.isVerbatim)
        #expect(root.unknownKeywords == ["x-other"])
        #expect(try !graph(#"{"x-verbatim": false}"#, draft: draft).subschemas[0].isVerbatim)
    }

    @Test(arguments: [
        (#"{"x-order": 1}"#, "/x-order"), (#"{"x-order": "a"}"#, "/x-order"), (#"{"x-order": ["a", 1]}"#, "/x-order/1"),
        (#"{"x-order": ["a", "b", "a"]}"#, "/x-order/2"), (#"{"x-verbatim": "yes"}"#, "/x-verbatim"),
        (#"{"x-verbatim": 1}"#, "/x-verbatim"), (#"{"items": {"x-verbatim": null}}"#, "/items/x-verbatim"),
    ])
    func refusesWrongExtensions(_ schema: String, _ place: String) throws {
        let found = try problems(schema)
        #expect(found.map(\.id) == ["schema.invalid-value"])
        #expect(found.map(\.path?.description) == [place])
    }

    @Test func normalisesOldDialects() throws {
        let old = try graph(
            #"{"items": [{"type": "null"}], "additionalItems": {"type": "string"}, "minimum": 1,"#
                + #" "exclusiveMinimum": true, "dependencies": {"a": ["b"], "c": {}}}"#, draft: .draft4)
        let root = old[old.root]
        #expect(root.prefixItems.map { old[$0].type } == [.null])
        #expect(root.items.map { old[$0].type } == .some(.string))
        #expect(root.minimum == nil)
        #expect(root.exclusiveMinimum == 1)
        #expect(root.dependentRequired.map(\.key) == ["a"])
        #expect(root.dependentSchemas.map(\.key) == ["c"])
        #expect(root.location(ofKeyword: "prefixItems").pointer.description == "/items")
        #expect(root.location(ofKeyword: "exclusiveMinimum").pointer.description == "/minimum")
    }

    @Test func keepsAnnotationsAndExtensions() throws {
        let graph = try graph(
            #"{"title": "T", "description": "D", "default": 1, "examples": [2], "x-unit": "cm", "properties": {"b": {}, "a": {}}}"#
        )
        let root = graph[graph.root]
        #expect(root.title == "T")
        #expect(root.summary == "D")
        #expect(root.defaultValue == 1)
        #expect(root.examples == [2])
        #expect(root.extensionValue("x-unit") == "cm")
        #expect(root.properties.map(\.key) == ["b", "a"])
    }

    @Test func givesAbsoluteLocations() throws {
        let graph = try graph(
            #"{"$id": "https://example.com/s", "properties": {"a": {"$id": "inner", "items": {"type": "null"}}}}"#)
        let schema = try #require(graph.subschemas.first { $0.type == .null })
        #expect(schema.location(ofKeyword: "type").absoluteURI == "https://example.com/inner#/items/type")
        #expect(schema.location.pointer.description == "/properties/a/items")
    }

    @Test func defersUnresolvedReferencesOnRequest() throws {
        var options = SchemaOptions()
        options.unresolvedReferences = .deferred
        let graph = try graph(
            #"{"properties": {"a": {"$ref": "other.json"}, "b": {"not": {"$ref": "other.json"}}}}"#, options: options)
        #expect(graph.warnings.map(\.id.rawValue) == ["schema.unresolved-reference", "schema.unresolved-reference"])
        let validator = Validator(graph)
        #expect(try isValid(validator, #"{"c": 1}"#))
        #expect(try !isValid(validator, #"{"a": 1}"#))
        #expect(try !isValid(validator, #"{"b": 1}"#))
    }
}

struct RegistryTests {
    /// A folder that is removed with the object.
    final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

        init(_ files: [String: String]) throws {
            for (name, text) in files {
                let url = URL(fileURLWithPath: path).appendingPathComponent(name)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: url, atomically: true, encoding: .utf8)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test func findsFilesByPrefix() throws {
        let folder = try Folder([
            "a/int.json": #"{"type": "integer"}"#, "str.yaml": "type: string\n", "ref.json": #"{"$ref": "a/int"}"#,
        ])
        var registry = SchemaRegistry()
        try registry.add(option: "https://example.com/=\(folder.path)")
        for name in ["a/int.json", "a/int", "ref"] {
            try expect(
                #"{"$ref": "https://example.com/\#(name)"}"#, registry: registry, accepts: ["1"], rejects: [#""a""#])
        }
        try expect(#"{"$ref": "https://example.com/str"}"#, registry: registry, accepts: [#""a""#], rejects: ["1"])
        let found = try problems(#"{"$ref": "https://example.com/../secret"}"#, registry: registry)
        #expect(found.map(\.id.rawValue) == ["schema.unresolved-reference"])
    }

    @Test func findsFilesByIdentifier() throws {
        let folder = try Folder([
            "x.json": #"{"$id": "urn:x", "type": "integer"}"#, "y.yaml": "type: string\n", "notes.txt": "nothing",
            "broken.json": "{",
        ])
        var registry = SchemaRegistry()
        try registry.add(option: folder.path)
        try expect(#"{"$ref": "urn:x"}"#, registry: registry, accepts: ["1"], rejects: [#""a""#])
        try expect(#"{"$ref": "y"}"#, registry: registry, accepts: [#""a""#], rejects: ["1"])
    }

    @Test func reportsFoldersAndFilesThatCannotBeRead() throws {
        var registry = SchemaRegistry()
        #expect(throws: DiagnosticsError.self) { try registry.add(option: "/no/such/folder") }
        let folder = try Folder(["bad.json": "{"])
        try registry.add(option: "https://example.com/=\(folder.path)")
        let found = try problems(#"{"$ref": "https://example.com/bad"}"#, registry: registry)
        #expect(found.contains { $0.range?.file?.hasSuffix("bad.json") == true })
    }

    @Test func honoursVocabularies() throws {
        let metaschema = try JSONReader.read(
            """
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/meta",
             "$vocabulary": {"https://json-schema.org/draft/2020-12/vocab/core": true,
                             "https://json-schema.org/draft/2020-12/vocab/applicator": true,
                             "https://example.com/vocab/unknown": false}}
            """)
        var registry = SchemaRegistry()
        registry.add(metaschema, uri: "https://example.com/meta")
        try expect(
            #"{"$schema": "https://example.com/meta", "properties": {"a": {"minimum": 10}, "b": false}}"#,
            registry: registry, accepts: [#"{"a": 1}"#], rejects: [#"{"b": 1}"#])
        let asserting = try JSONReader.read(
            """
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "$vocabulary": {
                "https://json-schema.org/draft/2020-12/vocab/core": true,
                "https://json-schema.org/draft/2020-12/vocab/format-assertion": true}}
            """)
        registry.add(asserting, uri: "https://example.com/asserting")
        try expect(
            #"{"$schema": "https://example.com/asserting", "format": "email"}"#, formats: .annotate,
            registry: registry, rejects: [#""ada""#])
        let demanding = try JSONReader.read(
            """
            {"$schema": "https://json-schema.org/draft/2020-12/schema",
             "$vocabulary": {"https://example.com/vocab/unknown": true}}
            """)
        registry.add(demanding, uri: "https://example.com/demanding")
        let found = try problems(#"{"$schema": "https://example.com/demanding"}"#, registry: registry)
        #expect(found.map(\.id.rawValue) == ["schema.unknown-vocabulary"])
    }

    @Test func warnsAboutUnknownDialects() throws {
        let warnings = try graph(#"{"$schema": "https://example.com/unknown"}"#).warnings
        #expect(warnings.map(\.id.rawValue) == ["schema.unknown-dialect"])
    }
}
