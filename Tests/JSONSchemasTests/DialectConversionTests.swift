// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import TestSupport
import Testing

/// Schemas of one draft in the words of another.
struct DialectConversionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var from: Draft
        var to: Draft
        var schema: String
        /// Without `$schema`; nil where it is refused.
        var result: String?
        var testDescription: String { "\(from) → \(to): \(schema)" }
    }

    static func convert(_ schema: String, _ from: Draft, _ to: Draft) throws -> JSONValue {
        var object = try DialectConversion.convert(JSONReader.read(schema).root, from: from, to: to).schema.objectValue
        object?["$schema"] = nil
        return .object(try #require(object))
    }

    @Test(arguments: [
        Case(
            from: .draft4, to: .draft7, schema: #"{"id":"http://x/y","minimum":1,"exclusiveMinimum":true}"#,
            result: #"{"$id":"http://x/y","exclusiveMinimum":1}"#),
        Case(from: .draft7, to: .draft4, schema: #"{"exclusiveMinimum":1,"minimum":3}"#, result: #"{"minimum":3}"#),
        Case(
            from: .draft7, to: .draft4, schema: #"{"exclusiveMinimum":3,"minimum":3}"#,
            result: #"{"minimum":3,"exclusiveMinimum":true}"#),
        Case(
            from: .draft7, to: .draft202012,
            schema:
                ##"{"definitions":{"a":{"items":[{"type":"integer"}],"additionalItems":false}},"allOf":[{"$ref":"#/definitions/a"},{"$ref":"#/definitions/a/items/0"}]}"##,
            result:
                ##"{"$defs":{"a":{"prefixItems":[{"type":"integer"}],"items":false}},"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a/prefixItems/0"}]}"##
        ),
        Case(
            from: .draft202012, to: .draft7, schema: #"{"prefixItems":[true],"items":{"type":"null"}}"#,
            result: #"{"items":[true],"additionalItems":{"type":"null"}}"#),
        Case(
            from: .draft7, to: .draft201909, schema: #"{"dependencies":{"a":["b"],"c":{"type":"object"}}}"#,
            result: #"{"dependentRequired":{"a":["b"]},"dependentSchemas":{"c":{"type":"object"}}}"#),
        Case(
            from: .draft202012, to: .draft7,
            schema: #"{"dependentRequired":{"a":["b"]},"dependentSchemas":{"a":{"minProperties":2}}}"#,
            result: #"{"dependencies":{"a":{"allOf":[{"required":["b"]},{"minProperties":2}]}}}"#),
        Case(
            from: .draft7, to: .draft4, schema: #"{"const":1,"enum":[1,2]}"#,
            result: #"{"enum":[1],"allOf":[{"enum":[1,2]}]}"#),
        Case(
            from: .draft6, to: .draft4, schema: #"{"contains":{"const":1}}"#,
            result: #"{"not":{"type":"array","items":{"not":{"enum":[1]}}}}"#),
        Case(
            from: .draft7, to: .draft6, schema: #"{"if":{"minimum":1},"then":{"maximum":2}}"#,
            result: #"{"allOf":[{"anyOf":[{"not":{"minimum":1}},{"maximum":2}]}]}"#),
        Case(
            from: .draft7, to: .draft201909,
            schema: ##"{"$ref":"#/definitions/a","minimum":3,"definitions":{"a":true}}"##,
            result: ##"{"$ref":"#/$defs/a","$defs":{"a":true}}"##),
        Case(
            from: .draft202012, to: .draft7, schema: ##"{"$ref":"#/$defs/a","minimum":3,"$defs":{"a":true}}"##,
            result: ##"{"minimum":3,"definitions":{"a":true},"allOf":[{"$ref":"#/definitions/a"}]}"##),
        Case(from: .draft4, to: .draft7, schema: #"{"const":1}"#, result: "{}"),
        Case(
            from: .draft7, to: .draft4, schema: #"{"properties":{"a":true,"b":false}}"#,
            result: #"{"properties":{"a":{},"b":{"not":{}}}}"#),
        Case(
            from: .draft201909, to: .draft202012, schema: ##"{"$recursiveAnchor":true,"items":{"$recursiveRef":"#"}}"##,
            result: ##"{"$dynamicAnchor":"recursive-anchor","items":{"$dynamicRef":"#recursive-anchor"}}"##),
        Case(from: .draft202012, to: .draft7, schema: #"{"unevaluatedProperties":false}"#),
        Case(from: .draft202012, to: .draft7, schema: #"{"contains":true,"maxContains":2}"#),
        Case(from: .draft6, to: .draft4, schema: #"{"propertyNames":{"maxLength":2}}"#),
    ])
    func rewrites(_ test: Case) throws {
        guard let result = test.result else {
            let error = #expect(throws: DiagnosticsError.self) { try Self.convert(test.schema, test.from, test.to) }
            #expect(error?.diagnostics.first?.id == "convert.inexact")
            return
        }
        #expect(
            try Self.convert(test.schema, test.from, test.to).description
                == JSONReader.read(result).root.value.description)
    }

    /// The verdicts of the official suite stay the same in every draft that can say them.
    @Test(.enabled(if: SharedData.has("json-schema-test-suite/suite.tar.gz"), "needs FORMWORK_SHARED"))
    func verdictsOfTheSuiteStay() throws {
        let archive = try #require(SharedData.url("json-schema-test-suite/suite.tar.gz"))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("suite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "xzf", archive.path, "-C", folder.path]
        try process.run()
        process.waitUntilExit()
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        var registry = SchemaRegistry()
        if let remotes = names.first(where: { $0.hasSuffix("remotes") }) {
            registry.add(folder: folder.path + "/" + remotes, prefix: "http://localhost:1234/")
        }
        let drafts: [Draft] = [.draft4, .draft6, .draft7, .draft201909, .draft202012]
        var converted = 0
        var refused = 0
        var judged = 0
        for draft in drafts {
            let files = names.filter {
                $0.contains("/tests/\(draft.rawValue)/") || $0.hasPrefix("tests/\(draft.rawValue)/")
            }
            for file in files where file.hasSuffix(".json") && !file.contains("optional") {
                let data = try Data(contentsOf: folder.appendingPathComponent(file))
                for group in try JSONReader.read([UInt8](data)).root.elements {
                    let schema = Document(value: try #require(group["schema"]).value).root
                    for target in drafts where target != draft {
                        guard let result = try? DialectConversion.convert(schema, from: draft, to: target) else {
                            refused += 1
                            continue
                        }
                        // What leads to other schemas depends on theirs.
                        if result.warnings.contains(where: { $0.message.contains("leads to another schema") }) {
                            continue
                        }
                        converted += 1
                        let options = SchemaOptions(defaultDialect: Dialect(target), metaschemaCheck: .off)
                        let place = "\(file) \(group["description"]?.stringValue ?? "") → \(target): \(result.schema)"
                        let validator: Validator
                        do {
                            validator = Validator(
                                try SchemaGraph.load(
                                    Document(value: result.schema).root, options: options, registry: registry),
                                formats: .annotate)
                        } catch {
                            Issue.record("\(place): \(error)")
                            continue
                        }
                        for test in group["tests"]?.elements ?? group.elements {
                            let instance = try #require(test["data"])
                            judged += 1
                            #expect(
                                validator.isValid(instance) == test["valid"]?.boolValue, "\(place) \(instance.value)")
                        }
                    }
                }
            }
        }
        #expect(converted > 3_000 && judged > 12_000, "\(converted) converted, \(refused) refused, \(judged) judged")
    }
}
