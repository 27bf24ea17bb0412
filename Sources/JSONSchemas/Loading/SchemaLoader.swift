// SPDX-License-Identifier: Apache-2.0

import Documents

/// Turns schema documents into a ``SchemaGraph``.
///
/// First every schema position of a document is visited to find resources and anchors; then the subschemas that the
/// root reaches are read one by one from a work list. Neither step recurses, and both go on after a mistake, so that
/// one run reports all of them.
struct SchemaLoader {
    /// A reference as it is written in a resource.
    struct ReferenceKey: Hashable {
        var text: String
        var resource: Int
    }

    /// A schema with its own address, while loading.
    struct LoadedResource {
        var origin: SchemaOrigin
        var base: URIReference
        var anchors: [String: Node] = [:]
        var dynamicAnchors: [String: Node] = [:]
        var isReached = false
    }

    let options: SchemaOptions
    let registry: SchemaRegistry

    var diagnostics: [Diagnostic] = []
    /// The texts that the diagnostics are about.
    var sources: [SourceText] = []
    var resources: [LoadedResource] = []
    /// Resources by absolute address without fragment. A document is known by its `$id` and by where it was found.
    var resourcesByURI: [String: Int] = [:]
    /// The resource of each schema position visited.
    var contexts: [NodeKey: Int] = [:]
    /// Addresses that could not be resolved, so that each is looked up once.
    var missing: Set<String> = []
    /// The targets of references that have been followed.
    var targets: [ReferenceKey: Target] = [:]
    /// For words that are no keywords, the keyword that was meant, if any.
    var suggestions: [Draft: [String: String?]] = [:]
    var customDialects: [String: Dialect] = [:]
    /// Custom metaschemas on whose `$schema` the search for a dialect currently hangs.
    var dialectsInProgress: Set<String> = []

    var subschemas: [Subschema] = []
    var ids: [NodeKey: SubschemaID] = [:]
    var pending: [SubschemaID] = []
    var hasDynamicReferences = false
    var isTooLarge = false

    init(options: SchemaOptions, registry: SchemaRegistry) {
        self.options = options
        self.registry = registry
    }

    mutating func load(_ root: Node) throws(DiagnosticsError) -> SchemaGraph {
        addDocument(root, uri: options.baseURI, defaultDialect: options.defaultDialect)
        // What is too large is not read at all: it must not take time either.
        if isTooLarge { throw DiagnosticsError(diagnostics, sources: sources) }
        let rootID = id(for: root, fallback: 0)
        readPending()
        if options.includesUnreachedParts, !isTooLarge { readUnreachedParts(of: root) }
        if isTooLarge { throw DiagnosticsError(diagnostics, sources: sources) }
        if !hasErrors { checkReferenceCycles() }
        checkMetaschema(root)
        let errors = diagnostics.filter { $0.severity == .error }
        guard errors.isEmpty else { throw DiagnosticsError(diagnostics, sources: sources) }
        return SchemaGraph(
            root: rootID,
            subschemas: subschemas,
            resources: resources.enumerated().map { index, resource in
                SchemaGraph.Resource(
                    id: ResourceID(rawValue: Int32(index)),
                    uri: resource.origin.uri,
                    dialect: resource.origin.dialect,
                    dynamicAnchors: resource.dynamicAnchors.compactMapValues { ids[NodeKey($0)] }
                )
            },
            warnings: diagnostics
        )
    }

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    // MARK: Work list

    /// The number of the subschema at a node; it is read later if it is new.
    ///
    /// - Parameter fallback: The resource to assume for a node that is not a schema position.
    mutating func id(for node: Node, fallback: Int) -> SubschemaID {
        let key = NodeKey(node)
        if let known = ids[key] { return known }
        let id = newSubschema(node, resource: contexts[key] ?? fallback)
        ids[key] = id
        pending.append(id)
        return id
    }

    /// Appends an empty subschema.
    mutating func newSubschema(_ node: Node, resource: Int) -> SubschemaID {
        let id = SubschemaID(rawValue: Int32(clamping: subschemas.count))
        resources[resource].isReached = true
        subschemas.append(
            Subschema(
                id: id, resource: ResourceID(rawValue: Int32(resource)), node: node,
                origin: resources[resource].origin))
        return id
    }

    private mutating func readPending() {
        var expandedResources = 0
        while true {
            while let id = pending.popLast() {
                guard subschemas.count <= options.maximumSubschemas else {
                    reportSize()
                    return
                }
                read(id)
            }
            // Dynamic references may lead to any dynamic anchor of a resource that is part of the dynamic scope.
            guard hasDynamicReferences, expandedResources < resources.count else { return }
            var grew = false
            for index in resources.indices where resources[index].isReached {
                for node in resources[index].dynamicAnchors.values where ids[NodeKey(node)] == nil {
                    _ = id(for: node, fallback: index)
                    grew = true
                }
            }
            if !grew { expandedResources = resources.count }
        }
    }

    /// Reads the definitions that nothing has led to.
    private mutating func readUnreachedParts(of root: Node) {
        // A definition that something leads into may be a collection of schemas instead of one.
        var entered: Set<NodeKey> = []
        for schema in subschemas where schema.node.document === root.document {
            var node: Node? = schema.node
            while let place = node, entered.insert(NodeKey(place)).inserted { node = place.parent }
        }
        var work = [root]
        while let node = work.popLast() {
            guard node.kind == .object, let context = contexts[NodeKey(node)] else { continue }
            let dialect = resources[context].origin.dialect
            for member in node.members {
                guard let keyword = Keyword(name: member.key), keyword.isActive(in: dialect) else { continue }
                forEachSubschema(of: keyword, member.value, dialect: dialect) { work.append($0) }
                guard keyword == .defs || keyword == .definitions else { continue }
                for part in member.value.members where !entered.contains(NodeKey(part.value)) {
                    guard part.value.kind == .object || part.value.kind == .bool else { continue }
                    _ = id(for: part.value, fallback: context)
                }
            }
        }
        readPending()
    }

    // MARK: Diagnostics

    /// Reports, once, that there are more subschemas than are read.
    mutating func reportSize() {
        if isTooLarge { return }
        isTooLarge = true
        report("schema.too-large", "the schema has more than \(options.maximumSubschemas) subschemas", nil)
    }

    mutating func report(
        _ id: String,
        _ message: String,
        _ node: Node?,
        severity: Diagnostic.Severity = .error,
        help: String? = nil
    ) {
        diagnostics.append(
            Diagnostic(
                DiagnosticID(id), message, severity: severity, range: node?.range, path: node?.pointer, help: help))
        if let source = node?.document.source, !sources.contains(where: { $0 === source }) { sources.append(source) }
    }
}

/// The identity of a node, across documents.
struct NodeKey: Hashable {
    let document: ObjectIdentifier
    let index: Int

    init(_ node: Node) {
        document = ObjectIdentifier(node.document)
        index = node.index
    }
}
