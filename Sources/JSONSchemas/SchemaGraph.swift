// SPDX-License-Identifier: Apache-2.0

public import Documents

/// A schema and everything it refers to, in one form for all dialects.
///
/// The subschemas are numbered; every reference is resolved. A graph has no in-place cycle of plain references, so
/// that following `$ref`, `allOf` and their like ends, unless ``SchemaOptions/unresolvedReferences`` allows it.
///
///     let graph = try SchemaGraph.load(document.root)
///     for property in graph[graph.root].properties { … }
public final class SchemaGraph: Sendable {
    /// A schema with its own address.
    public struct Resource: Sendable {
        public let id: ResourceID
        /// The absolute address without a fragment; empty for a schema without one.
        public let uri: String
        public let dialect: Dialect
        /// The targets of dynamic references, by anchor; see ``Subschema/DynamicReference/anchor``.
        public internal(set) var dynamicAnchors: [String: SubschemaID]
    }

    /// The schema itself.
    public let root: SubschemaID
    /// All subschemas, by number.
    public let subschemas: [Subschema]
    /// All resources, by number.
    public let resources: [Resource]
    /// What was noticed but does not stand in the way.
    public let warnings: [Diagnostic]

    init(root: SubschemaID, subschemas: [Subschema], resources: [Resource], warnings: [Diagnostic]) {
        self.root = root
        self.subschemas = subschemas
        self.resources = resources
        self.warnings = warnings
    }

    /// The subschema with a number of this graph.
    public subscript(id: SubschemaID) -> Subschema {
        _read { yield subschemas[Int(id.rawValue)] }
    }

    /// The resource with a number of this graph.
    public subscript(id: ResourceID) -> Resource {
        _read { yield resources[Int(id.rawValue)] }
    }

    /// Reads a schema and all it refers to.
    ///
    /// - Parameters:
    ///   - root: The schema.
    ///   - options: The dialect to assume, and how strict to be.
    ///   - registry: Where references to other documents are looked up; the metaschemas are always known.
    /// - Throws: Every mistake found: unknown types, broken patterns, references without a target…
    public static func load(
        _ root: Node,
        options: SchemaOptions = SchemaOptions(),
        registry: SchemaRegistry = SchemaRegistry()
    ) throws(DiagnosticsError) -> SchemaGraph {
        var loader = SchemaLoader(options: options, registry: registry)
        return try loader.load(root)
    }
}

/// How a schema is read.
public struct SchemaOptions: Sendable {
    /// What happens to a schema that its metaschema refuses, beyond the mistakes that are always errors.
    public enum MetaschemaCheck: Sendable {
        case off, warn, error
    }

    /// What happens to a reference whose target is not known.
    public enum UnresolvedReferences: Sendable {
        /// The schema is refused.
        case error
        /// A warning; a value is invalid if checking it needs the target. For checking files against schemas that are
        /// only partly at hand. The same goes for references that lead back to themselves.
        case deferred
        /// A warning; the reference allows every value. Cycles are treated as by ``deferred``.
        case allowed
    }

    /// The dialect of a schema without `$schema`.
    public var defaultDialect: Dialect
    /// The address from which the schema was read; relative references start there if it has no `$id`.
    public var baseURI: String
    /// Whether the schema is validated against its metaschema.
    public var metaschemaCheck: MetaschemaCheck
    /// What happens to references without a target.
    public var unresolvedReferences: UnresolvedReferences
    /// The number of subschemas beyond which a schema is refused.
    public var maximumSubschemas: Int
    /// Whether parts that the root does not lead to are read as well, so that mistakes in them are found.
    package var includesUnreachedParts = false

    public init(
        defaultDialect: Dialect = Dialect(.draft202012),
        baseURI: String = "",
        metaschemaCheck: MetaschemaCheck = .warn,
        unresolvedReferences: UnresolvedReferences = .error,
        maximumSubschemas: Int = 32_768
    ) {
        self.defaultDialect = defaultDialect
        self.baseURI = baseURI
        self.metaschemaCheck = metaschemaCheck
        self.unresolvedReferences = unresolvedReferences
        self.maximumSubschemas = maximumSubschemas
    }
}
