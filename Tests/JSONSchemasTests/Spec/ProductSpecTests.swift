// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import Testing

/// The specs that come with the product.
struct ProductSpecTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let names: [String] = {
        let files =
            (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("Schemas").path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    static func document(_ path: String) throws -> Document {
        try DocumentReader.read(path: root.appendingPathComponent(path).path)
    }

    @Test func thereAreEnough() { #expect(Self.names.count >= 8) }

    @Test(arguments: names)
    func convertsWithoutWarnings(_ name: String) throws {
        let document = try Self.document("Schemas/\(name).yaml")
        #expect(SpecReader.isSpec(document))
        let conversion = try SpecReader.jsonSchema(from: document)
        #expect(conversion.diagnostics.isEmpty)
        #expect(conversion.name == name)
        #expect(conversion.instruction != nil)
        #expect(!conversion.examples.isEmpty)
    }

    @Test(arguments: names)
    func examplesAreValid(_ name: String) throws {
        let conversion = try SpecReader.jsonSchema(from: Self.document("Schemas/\(name).yaml"))
        var validator = Validator(try SchemaGraph.load(conversion.schemaDocument.root))
        for example in conversion.examples {
            validator.source = try VerbatimSource(example.input)
            let violations = validator.validate(Document(value: example.output).root)
            #expect(violations.isEmpty, "\(violations)")
        }
    }

    @Test(arguments: names)
    func fitsTheSchemaOfSpecs(_ name: String) throws {
        let schema = try Self.document("Schemas/formwork-spec.schema.json")
        let validator = Validator(try SchemaGraph.load(schema.root))
        let violations = validator.validate(try Self.document("Schemas/\(name).yaml").root)
        #expect(violations.isEmpty, "\(violations)")
    }

    @Test(arguments: names)
    func hasSamplesWithALineEach(_ name: String) throws {
        let folder = Self.root.appendingPathComponent("Samples/\(name)").path
        #expect(try !FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        let readme = try String(contentsOf: Self.root.appendingPathComponent("Samples/README.md"), encoding: .utf8)
        #expect(readme.contains("| `\(name)/` |"))
    }

    @Test(arguments: names)
    func comesBackFromJSONSchema(_ name: String) throws {
        let conversion = try SpecReader.jsonSchema(from: Self.document("Schemas/\(name).yaml"))
        let output = try SpecWriter.spec(from: conversion.schema)
        #expect(output.diagnostics.isEmpty)
        let again = try SpecReader.jsonSchema(from: DocumentReader.read(Array(output.text.utf8), file: "again.yaml"))
        #expect(again.schema == conversion.schema, "\(output.text)")
    }

    @Test(arguments: [
        ("feilds: {a: string}", false), ("name: x", false), ("fields: {a: string}\ntype: string", false),
        ("fields: {a: {type: string, x: y}}", false),
        ("fields: {a: {street: string}, b: [x, 1], c: 3, d: null}", true), ("list of: {a: string}\nmax: 3", true),
        ("fields: {a: []}", false),
    ])
    func schemaOfSpecsKnowsTheForm(_ text: String, _ isValid: Bool) throws {
        let validator = Validator(try SchemaGraph.load(Self.document("Schemas/formwork-spec.schema.json").root))
        let document = try DocumentReader.read(Array(text.utf8), file: "t.yaml")
        #expect(validator.isValid(document.root) == isValid)
    }
}
