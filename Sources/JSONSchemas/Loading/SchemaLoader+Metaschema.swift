// SPDX-License-Identifier: Apache-2.0

import Documents

extension SchemaLoader {
    /// Validates the root document against its metaschema and reports what no other check has found.
    mutating func checkMetaschema(_ root: Node) {
        guard options.metaschemaCheck != .off, let validator = metaschemaValidator(for: root) else { return }
        let violations = validator.validate(root)
        guard !violations.isEmpty else { return }
        let known = Set(diagnostics.filter { $0.severity == .error }.compactMap(\.path))
        // Embedded resources may be written in another dialect.
        let rootDraft = contexts[NodeKey(root)].map { resources[$0].origin.dialect }
        let foreign = resources.filter { $0.origin.root.document === root.document && $0.origin.dialect != rootDraft }
            .map(\.origin.root.pointer.tokens)
        for violation in violations {
            let place = violation.instanceLocation
            if known.contains(where: { $0.overlaps(place) }) { continue }
            if foreign.contains(where: { place.tokens.starts(with: $0) }) { continue }
            diagnostics.append(
                Diagnostic(
                    "schema.metaschema", "the metaschema does not allow this: " + violation.message,
                    severity: options.metaschemaCheck == .error ? .error : .warning, range: violation.range,
                    path: place, help: violation.hint))
        }
        if let source = root.document.source, !sources.contains(where: { $0 === source }) { sources.append(source) }
    }

    private func metaschemaValidator(for root: Node) -> Validator? {
        let draft = contexts[NodeKey(root)].map { resources[$0].origin.dialect.draft } ?? options.defaultDialect.draft
        if let text = root["$schema"]?.stringValue, Draft(schemaURI: text) == nil {
            // A metaschema of the user's own, if it is known; mistakes in it are not this schema's.
            let uri = URIReference(text).withoutFragment.description
            var inner = SchemaOptions(defaultDialect: options.defaultDialect, metaschemaCheck: .off)
            inner.baseURI = uri
            if let document = try? registry.document(at: uri),
                let graph = try? SchemaGraph.load(document.root, options: inner, registry: registry)
            {
                return Validator(graph, formats: .annotate)
            }
        }
        return Metaschemas.validator(for: draft)
    }
}

extension JSONPointer {
    /// Whether one place contains the other.
    fileprivate func overlaps(_ other: JSONPointer) -> Bool {
        let count = Swift.min(tokens.count, other.tokens.count)
        return tokens.prefix(count).elementsEqual(other.tokens.prefix(count))
    }
}
