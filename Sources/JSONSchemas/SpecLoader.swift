// SPDX-License-Identifier: Apache-2.0

public import Documents

/// A spec that was read: what a document must look like, and what else its author said.
public struct LoadedSpec: Sendable {
    /// The spec as a schema graph.
    public var graph: SchemaGraph
    /// The spec as JSON Schema: the document itself, or what it was converted to.
    public var schema: Document
    /// The spec as written.
    public var source: Document
    /// Its name: stated, or the schema's title, or the name of the file.
    public var name: String?
    /// What it describes.
    public var summary: String?
    /// Examples of documents.
    public var examples: [JSONValue]
    /// What was noticed but does not stand in the way.
    public var warnings: [Diagnostic]
}

/// A spec in another notation than JSON Schema, converted to it.
public struct ConvertedSpec: Sendable {
    /// The spec as JSON Schema, draft 2020-12.
    public var schema: Document
    public var name: String?
    public var summary: String?
    public var examples: [JSONValue]
    public var warnings: [Diagnostic]

    public init(
        schema: Document, name: String? = nil, summary: String? = nil, examples: [JSONValue] = [],
        warnings: [Diagnostic] = []
    ) {
        self.schema = schema
        self.name = name
        self.summary = summary
        self.examples = examples
        self.warnings = warnings
    }
}

/// A way of writing specs that is converted to JSON Schema before use.
struct SpecNotation: Sendable {
    /// Whether a document is written this way.
    var accepts: @Sendable (Node) -> Bool
    /// Converts it.
    var convert: @Sendable (Document) throws(DiagnosticsError) -> ConvertedSpec
}

/// Reads specs: JSON Schema in JSON or YAML, and the notations that convert to it.
///
///     let spec = try SpecLoader.load(path: "invoice.yaml")
///     let validator = Validator(spec.graph)
public enum SpecLoader {
    /// The notations beside JSON Schema, asked in order.
    static let notations: [SpecNotation] = []

    /// Reads the spec in a file; `-` is standard input.
    ///
    /// - Throws: ``DocumentError`` if the file cannot be read, ``DiagnosticsError`` if something is wrong with it.
    public static func load(
        path: String,
        options: SchemaOptions = SchemaOptions(metaschemaCheck: .error),
        registry: SchemaRegistry = SchemaRegistry()
    ) throws -> LoadedSpec {
        try load(DocumentReader.read(path: path), options: options, registry: registry)
    }

    /// Reads a spec from bytes.
    public static func load(
        _ bytes: [UInt8],
        file: String? = nil,
        options: SchemaOptions = SchemaOptions(metaschemaCheck: .error),
        registry: SchemaRegistry = SchemaRegistry()
    ) throws(DiagnosticsError) -> LoadedSpec {
        try load(DocumentReader.read(bytes, file: file), options: options, registry: registry)
    }

    /// Reads a spec from a document.
    public static func load(
        _ document: Document,
        options: SchemaOptions = SchemaOptions(metaschemaCheck: .error),
        registry: SchemaRegistry = SchemaRegistry()
    ) throws(DiagnosticsError) -> LoadedSpec {
        for notation in notations where notation.accepts(document.root) {
            let converted = try notation.convert(document)
            let graph = try SchemaGraph.load(converted.schema.root, options: options, registry: registry)
            return LoadedSpec(
                graph: graph, schema: converted.schema, source: document,
                name: converted.name ?? name(of: document), summary: converted.summary, examples: converted.examples,
                warnings: document.diagnostics + converted.warnings + graph.warnings)
        }
        let graph = try SchemaGraph.load(document.root, options: options, registry: registry)
        let root = graph[graph.root]
        return LoadedSpec(
            graph: graph, schema: document, source: document, name: root.title ?? name(of: document),
            summary: root.summary, examples: root.examples, warnings: document.diagnostics + graph.warnings)
    }

    /// The file's name without folder and endings.
    private static func name(of document: Document) -> String? {
        guard let file = document.file?.split(separator: "/").last else { return nil }
        return file.split(separator: ".").first.map(String.init)
    }
}
