// SPDX-License-Identifier: Apache-2.0

public import Documents

/// A spec that was read: what a document must look like, and what else its author said.
public struct LoadedSpec: Sendable {
    /// The notations of a spec.
    public enum Form: String, Sendable {
        /// JSON Schema, written in JSON or YAML.
        case jsonSchema
        /// The short form of ``SpecReader``.
        case short
    }

    /// How the spec is written.
    public var form: Form
    /// The spec as a schema graph.
    public var graph: SchemaGraph
    /// The spec as JSON Schema: the document itself, or what the short form converts to; its nodes have the places of
    /// the spec that they come from.
    public var schema: Document
    /// The spec as written.
    public var source: Document
    /// Its name: stated, or the schema's title, or the name of the file.
    public var name: String?
    /// What it describes.
    public var summary: String?
    /// What the model is asked to do; only the short form can say it.
    public var instruction: String?
    /// Inputs with the outputs that are wanted; only the short form can give them.
    public var examples: [SpecExample]
    /// Examples of documents, from the schema's `examples`.
    public var exampleValues: [JSONValue]
    /// What was noticed but does not stand in the way.
    public var warnings: [Diagnostic]
}

/// Reads specs: JSON Schema in JSON or YAML, and the short form.
///
///     let spec = try SpecLoader.load(path: "invoice.yaml")
///     let validator = Validator(spec.graph)
public enum SpecLoader {
    /// How specs are read unless told otherwise: whatever the metaschema refuses is an error.
    public static let defaultOptions = SchemaOptions(metaschemaCheck: .error)

    /// Reads the spec in a file; `-` is standard input.
    ///
    /// - Throws: ``DocumentError`` if the file cannot be read, ``DiagnosticsError`` if something is wrong with it.
    public static func load(
        path: String, options: SchemaOptions = defaultOptions, registry: SchemaRegistry = SchemaRegistry()
    ) throws -> LoadedSpec {
        try load(DocumentReader.read(path: path), options: options, registry: registry)
    }

    /// Reads a spec from bytes.
    public static func load(
        _ bytes: [UInt8], file: String? = nil, options: SchemaOptions = defaultOptions,
        registry: SchemaRegistry = SchemaRegistry()
    ) throws(DiagnosticsError) -> LoadedSpec {
        try load(DocumentReader.read(bytes, file: file), options: options, registry: registry)
    }

    /// Reads a spec from a document.
    public static func load(
        _ document: Document, options: SchemaOptions = defaultOptions, registry: SchemaRegistry = SchemaRegistry()
    ) throws(DiagnosticsError) -> LoadedSpec {
        if SpecReader.isSpec(document) { return try loadShort(document, options: options, registry: registry) }
        let graph = try SchemaGraph.load(document.root, options: options, registry: registry)
        let root = graph[graph.root]
        return LoadedSpec(
            form: .jsonSchema, graph: graph, schema: document, source: document,
            name: root.title ?? name(of: document), summary: root.summary, instruction: nil, examples: [],
            exampleValues: root.examples, warnings: document.diagnostics + graph.warnings)
    }

    private static func loadShort(
        _ document: Document, options: SchemaOptions, registry: SchemaRegistry
    ) throws(DiagnosticsError) -> LoadedSpec {
        let conversion = try SpecReader.jsonSchema(from: document)
        let schema = conversion.schemaDocument
        let graph = try SchemaGraph.load(schema.root, options: options, registry: registry)
        let root = graph[graph.root]
        try check(conversion.examples, graph, document)
        return LoadedSpec(
            form: .short, graph: graph, schema: schema, source: document, name: conversion.name ?? name(of: document),
            summary: conversion.description ?? root.summary, instruction: conversion.instruction,
            examples: conversion.examples, exampleValues: root.examples,
            warnings: document.diagnostics + conversion.diagnostics + graph.warnings)
    }

    /// An example that does not fit its own spec would teach the model to break it.
    private static func check(
        _ examples: [SpecExample], _ graph: SchemaGraph, _ document: Document
    ) throws(DiagnosticsError) {
        guard !examples.isEmpty else { return }
        var validator = Validator(graph, formats: .assert)
        var diagnostics: [Diagnostic] = []
        for example in examples {
            if graph.firstVerbatim != nil { validator.source = try VerbatimSource(example.input) }
            for violation in validator.validate(Document(value: example.output).root) {
                let place = violation.instanceLocation.tokens.isEmpty ? "" : " at '\(violation.instanceLocation)'"
                diagnostics.append(
                    Diagnostic(
                        "spec.invalid-example", "the output of the example does not fit\(place): \(violation.message)",
                        range: example.outputRange, help: violation.hint))
            }
        }
        if !diagnostics.isEmpty {
            throw DiagnosticsError(diagnostics, sources: document.source.map { [$0] } ?? [])
        }
    }

    /// The file's name without folder and endings.
    private static func name(of document: Document) -> String? {
        guard let file = document.file?.split(separator: "/").last else { return nil }
        return file.split(separator: ".").first.map(String.init)
    }
}
