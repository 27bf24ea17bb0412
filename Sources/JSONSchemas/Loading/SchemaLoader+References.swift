// SPDX-License-Identifier: Apache-2.0

import Documents

extension SchemaLoader {
    /// What a reference leads to.
    struct Target {
        var node: Node
        var resource: Int
        /// The fragment, if it is the name of an anchor.
        var anchor: String?
    }

    /// Finds the target of a reference; a failure is reported at `member`.
    mutating func resolve(_ text: String, from resource: Int, at member: Node, keyword: String) -> Target? {
        // Large schemas refer to the same few places again and again.
        let key = ReferenceKey(text: text, resource: resource)
        if let known = targets[key] { return known }
        let target = lookUp(text, from: resource, at: member, keyword: keyword)
        if let target { targets[key] = target }
        return target
    }

    private mutating func lookUp(_ text: String, from resource: Int, at member: Node, keyword: String) -> Target? {
        let absolute = URIReference(text).resolved(against: resources[resource].base)
        let uri = absolute.withoutFragment.description
        guard let targetResource = findResource(uri, from: resource, at: member, text: text, keyword: keyword) else {
            return nil
        }
        let root = resources[targetResource].origin.root
        guard let fragment = absolute.fragment, !fragment.isEmpty else {
            return Target(node: root, resource: targetResource, anchor: nil)
        }
        guard let decoded = URIReference.percentDecoded(fragment) else {
            reportReference("'\(text)' has a broken percent escape", member)
            return nil
        }
        if decoded.hasPrefix("/") {
            return resolve(pointer: decoded, in: targetResource, text: text, at: member, keyword: keyword)
        }
        if let node = resources[targetResource].anchors[decoded] {
            return Target(node: node, resource: targetResource, anchor: decoded)
        }
        let near = Spelling.closest(to: decoded, among: Array(resources[targetResource].anchors.keys))
        reportReference(
            "'\(keyword)' leads to the anchor '\(decoded)', which does not exist", member,
            help: near.map { "did you mean '#\($0)'?" } ?? "a path into the schema begins with '#/'")
        return nil
    }

    private mutating func findResource(
        _ uri: String, from resource: Int, at member: Node, text: String, keyword: String
    ) -> Int? {
        if let known = resourcesByURI[uri] { return known }
        let errorsBefore = diagnostics.count
        if let document = lookUp(uri) {
            addDocument(document.root, uri: uri, defaultDialect: resources[resource].origin.dialect)
            return resourcesByURI[uri]
        }
        guard errorsBefore == diagnostics.count else { return nil }
        let help: String
        if !URIReference(uri).isAbsolute {
            help = "put '\(uri)' beside the schema, or give its folder with '--registry DIR'"
        } else if registry.hasFolders {
            help = "no folder of the registry has '\(uri)'; nothing is fetched from the network"
        } else {
            help = "nothing is fetched from the network; give its folder with '--registry URLPREFIX=DIR'"
        }
        reportReference("'\(keyword)' leads to '\(text)', which is not known", member, help: help)
        return nil
    }

    private mutating func resolve(
        pointer text: String, in resource: Int, text reference: String, at member: Node, keyword: String
    ) -> Target? {
        guard let pointer = JSONPointer(parsing: text) else {
            reportReference("'\(reference)' does not contain a JSON pointer", member)
            return nil
        }
        var node = resources[resource].origin.root
        var context = resource
        for (depth, token) in pointer.tokens.enumerated() {
            guard let next = child(of: node, token) else {
                let done = JSONPointer(Array(pointer.tokens.prefix(depth)))
                let near = node.kind == .object ? Spelling.closest(to: token, among: node.members.map(\.key)) : nil
                let place = depth == 0 ? "the root of the schema" : "'#\(done)'"
                reportReference(
                    "'\(keyword)' leads to '\(reference)', but there is no '\(token)' in \(place)", member,
                    help: near.map { "did you mean '\($0)'?" })
                return nil
            }
            node = next
            // An embedded resource on the way changes what relative references mean.
            if let known = contexts[NodeKey(node)] { context = known }
        }
        guard node.kind == .object || node.kind == .bool else {
            report(
                "schema.not-a-schema",
                "'\(keyword)' leads to '\(reference)', which is not a schema but \(node.kind.phrase)", member)
            return nil
        }
        if contexts[NodeKey(node)] == nil {
            // A place that the dialect does not treat as a schema becomes one by being referred to.
            visit(node, resource: context, isResourceRoot: false)
            context = contexts[NodeKey(node)] ?? context
        }
        return Target(node: node, resource: context, anchor: nil)
    }

    private func child(of node: Node, _ token: String) -> Node? {
        switch node.kind {
        case .object: return node[token]
        case .array:
            guard let first = token.utf8.first, first != 0x30 || token.utf8.count == 1,
                token.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(token), index < node.count
            else { return nil }
            let elements = node.elements
            return elements[elements.index(elements.startIndex, offsetBy: index)]
        default: return nil
        }
    }

    private mutating func reportReference(_ message: String, _ member: Node, help: String? = nil) {
        report(
            "schema.unresolved-reference", message, member,
            severity: options.unresolvedReferences == .error ? .error : .warning, help: help)
    }

    // MARK: Cycles

    /// Reports references that lead back to themselves without descending into the instance.
    mutating func checkReferenceCycles() {
        enum State: UInt8 { case new, open, done }
        var states = [State](repeating: .new, count: subschemas.count)
        for start in subschemas.indices where states[start] == .new {
            var path: [(id: Int, edges: [SubschemaID], next: Int)] = [(start, subschemas[start].inPlaceEdges, 0)]
            states[start] = .open
            while let top = path.last {
                guard top.next < top.edges.count else {
                    states[top.id] = .done
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let target = Int(top.edges[top.next].rawValue)
                switch states[target] {
                case .done: break
                case .new:
                    states[target] = .open
                    path.append((target, subschemas[target].inPlaceEdges, 0))
                case .open:
                    let begin = path.firstIndex { $0.id == target } ?? 0
                    reportCycle(path[begin...].map(\.id))
                }
            }
        }
    }

    private mutating func reportCycle(_ ids: [Int]) {
        let places = ids.filter { subschemas[$0].reference != nil || subschemas[$0].dynamicReference != nil }
        guard let first = places.min() else { return }
        let node = subschemas[first].node
        let chain = (places + [first]).prefix(8).map { "#" + subschemas[$0].node.pointer.description }
        report(
            "schema.reference-cycle",
            "the reference leads back to itself without going into the value: \(chain.joined(separator: " → "))",
            node["$ref"] ?? node["$dynamicRef"] ?? node["$recursiveRef"] ?? node,
            severity: options.unresolvedReferences == .error ? .error : .warning,
            help: "put the recursion under 'properties', 'items' or another keyword that goes one level down")
    }
}

extension Subschema {
    /// The subschemas that apply to the same value, dynamic ones excepted.
    var inPlaceEdges: [SubschemaID] {
        var edges = allOf + anyOf + oneOf
        for id in [not, ifSchema, thenSchema, elseSchema, reference] {
            if let id { edges.append(id) }
        }
        edges += dependentSchemas.map(\.schema)
        if let dynamicReference, dynamicReference.anchor == nil { edges.append(dynamicReference.initial) }
        return edges
    }
}

extension Node.Kind {
    /// The kind with its article, for messages.
    var phrase: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
