// SPDX-License-Identifier: Apache-2.0

import Documents

extension SchemaLoader {
    /// Makes a document known under the address where it was found and under its own.
    mutating func addDocument(_ root: Node, uri: String, defaultDialect: Dialect) {
        let dialect = dialect(of: root, default: defaultDialect)
        var base = URIReference(uri).withoutFragment
        let retrieval = base.description
        if let member = root[dialect.identifierKeyword], let text = member.stringValue {
            base = URIReference(text).withoutFragment.resolved(against: base)
        }
        let index = addResource(root, base: base, dialect: dialect)
        if resourcesByURI[retrieval] == nil { resourcesByURI[retrieval] = index }
        visit(root, resource: index, isResourceRoot: true)
    }

    private mutating func addResource(_ root: Node, base: URIReference, dialect: Dialect) -> Int {
        let uri = base.description
        let index = resources.count
        resources.append(
            LoadedResource(origin: SchemaOrigin(uri: uri, root: root, dialect: dialect), base: base))
        if let other = resourcesByURI[uri] {
            if NodeKey(resources[other].origin.root) != NodeKey(root), !uri.isEmpty {
                report(
                    "schema.duplicate-id",
                    "another schema has the address '\(uri)' already; references lead to the first",
                    root[dialect.identifierKeyword] ?? root, severity: .warning)
            }
        } else {
            resourcesByURI[uri] = index
        }
        return index
    }

    /// Visits the schema positions below a node that is one itself.
    mutating func visit(_ start: Node, resource: Int, isResourceRoot: Bool) {
        var stack: [(node: Node, resource: Int, isResourceRoot: Bool)] = [(start, resource, isResourceRoot)]
        while let (node, outer, isRoot) = stack.popLast() {
            guard contexts.count < options.maximumSubschemas, stack.count <= options.maximumSubschemas else {
                reportSize()
                return
            }
            var (resource, isResourceRoot) = (outer, isRoot)
            let key = NodeKey(node)
            guard contexts[key] == nil else { continue }
            guard node.kind == .object else {
                contexts[key] = resource
                continue
            }
            var dialect = resources[resource].origin.dialect
            if !isResourceRoot {
                if node["$schema"] != nil, node["$id"]?.stringValue != nil || node["id"]?.stringValue != nil {
                    dialect = self.dialect(of: node, default: dialect)
                }
                if let base = ownBase(node, dialect: dialect, base: resources[resource].base) {
                    resource = addResource(node, base: base, dialect: dialect)
                    isResourceRoot = true
                } else {
                    dialect = resources[resource].origin.dialect
                }
            }
            contexts[key] = resource
            addAnchors(node, resource: resource, dialect: dialect, isResourceRoot: isResourceRoot)
            for member in node.members {
                guard let keyword = Keyword(name: member.key), keyword.isActive(in: dialect) else { continue }
                forEachSubschema(of: keyword, member.value, dialect: dialect) { stack.append(($0, resource, false)) }
            }
        }
    }

    /// The address of a subschema that is a resource of its own.
    private mutating func ownBase(_ node: Node, dialect: Dialect, base: URIReference) -> URIReference? {
        guard let member = node[dialect.identifierKeyword] else { return nil }
        // Up to draft 7 a reference hides the identifier beside it.
        if dialect.referenceHidesSiblings, node["$ref"]?.stringValue != nil { return nil }
        guard let text = member.stringValue else { return nil }
        let reference = URIReference(text).withoutFragment
        guard !reference.description.isEmpty else { return nil }
        return reference.resolved(against: base)
    }

    private mutating func addAnchors(_ node: Node, resource: Int, dialect: Dialect, isResourceRoot: Bool) {
        func hidden() -> Bool { dialect.referenceHidesSiblings && node["$ref"]?.stringValue != nil }
        if let member = node[dialect.identifierKeyword], isResourceRoot || !hidden() {
            if let text = member.stringValue {
                if let fragment = URIReference(text).fragment, !fragment.isEmpty {
                    if dialect.identifierFragmentIsAnchor {
                        addAnchor(fragment, node, resource: resource, at: member)
                    } else {
                        report(
                            "schema.invalid-id", "'\(dialect.identifierKeyword)' must not have a fragment", member,
                            help: "name the place with '$anchor'")
                    }
                }
            } else {
                report("schema.invalid-value", "'\(dialect.identifierKeyword)' must be a string", member)
            }
        }
        guard dialect.draft >= .draft201909 else { return }
        if let member = node["$anchor"] {
            if let name = member.stringValue {
                addAnchor(name, node, resource: resource, at: member)
            } else {
                report("schema.invalid-value", "'$anchor' must be a string", member)
            }
        }
        if dialect.draft == .draft201909, let member = node["$recursiveAnchor"] {
            if member.boolValue == nil {
                report("schema.invalid-value", "'$recursiveAnchor' must be true or false", member)
            } else if member.boolValue == true, isResourceRoot {
                resources[resource].dynamicAnchors[""] = node
            }
        }
        if dialect.draft >= .draft202012, let member = node["$dynamicAnchor"] {
            if let name = member.stringValue, !name.isEmpty {
                addAnchor(name, node, resource: resource, at: member)
                if resources[resource].dynamicAnchors[name] == nil { resources[resource].dynamicAnchors[name] = node }
            } else {
                report("schema.invalid-value", "'$dynamicAnchor' must be a name", member)
            }
        }
    }

    private mutating func addAnchor(_ name: String, _ node: Node, resource: Int, at member: Node) {
        if let other = resources[resource].anchors[name], NodeKey(other) != NodeKey(node) {
            report(
                "schema.duplicate-anchor", "the anchor '\(name)' is already taken; references lead to the first",
                member,
                severity: .warning)
        } else {
            resources[resource].anchors[name] = node
        }
    }

    /// Calls `body` with each subschema in the value of a keyword.
    func forEachSubschema(of keyword: Keyword, _ value: Node, dialect: Dialect, _ body: (Node) -> Void) {
        func schema(_ node: Node) {
            if node.kind == .object || node.kind == .bool { body(node) }
        }
        switch keyword.shape(in: dialect.draft) {
        case .none: break
        case .schema: schema(value)
        case .schemaArray: value.elements.forEach(schema)
        case .schemaMap: for member in value.members { schema(member.value) }
        case .schemaOrArray:
            if value.kind == .array { value.elements.forEach(schema) } else { schema(value) }
        case .dependencyMap: for member in value.members { schema(member.value) }
        case .draft3Types:
            if value.kind == .array { value.elements.forEach(schema) } else { schema(value) }
        }
    }

    // MARK: Dialects

    /// The dialect that a schema declares with `$schema`.
    mutating func dialect(of node: Node, default fallback: Dialect) -> Dialect {
        guard let member = node["$schema"] else { return fallback }
        guard let text = member.stringValue else {
            report("schema.invalid-value", "'$schema' must be a string", member)
            return fallback
        }
        if let draft = Draft(schemaURI: text) { return Dialect(draft) }
        let uri = URIReference(text).withoutFragment.description
        // The address of "the newest version" under its old name.
        if uri == "http://json-schema.org/schema" || uri == "https://json-schema.org/schema" { return fallback }
        if let known = customDialects[uri] { return known }
        guard dialectsInProgress.insert(uri).inserted else { return fallback }
        defer { dialectsInProgress.remove(uri) }
        var dialect = fallback
        if let metaschema = lookUp(uri) {
            dialect = self.dialect(of: metaschema.root, default: fallback)
            if let vocabularies = metaschema.root["$vocabulary"], dialect.draft >= .draft201909 {
                dialect.vocabularies = declaredVocabularies(vocabularies, at: member)
            }
        } else {
            report(
                "schema.unknown-dialect",
                "the metaschema '\(text)' is not known; the schema is read as \(fallback.draft.displayName)", member,
                severity: .warning, help: "add its folder with '--registry'")
        }
        customDialects[uri] = dialect
        return dialect
    }

    private mutating func declaredVocabularies(_ declared: Node, at member: Node) -> Dialect.Vocabularies {
        var result: Dialect.Vocabularies = []
        for entry in declared.members {
            if let vocabulary = Dialect.vocabulary(entry.key) {
                result.formUnion(vocabulary)
                // In 2019-09 requiring the format vocabulary means asserting it.
                if entry.key.hasSuffix("/2019-09/vocab/format"), entry.value.boolValue == true {
                    result.insert(.formatAssertion)
                }
            } else if entry.value.boolValue == true {
                report(
                    "schema.unknown-vocabulary",
                    "the metaschema requires the vocabulary '\(entry.key)', which is not known", member)
            }
        }
        return result
    }

    /// A document of the registry; a file that cannot be read is reported.
    mutating func lookUp(_ uri: String) -> Document? {
        guard !missing.contains(uri) else { return nil }
        do {
            if let document = try registry.document(at: uri) { return document }
        } catch {
            diagnostics.append(contentsOf: error.diagnostics)
            sources.append(contentsOf: error.sources)
        }
        missing.insert(uri)
        return nil
    }
}
