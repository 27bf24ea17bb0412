// SPDX-License-Identifier: Apache-2.0

public import Documents

/// Writes a schema of one draft in the words of another, with exactly the same meaning.
///
///     let converted = try DialectConversion.convert(document.root, from: .draft4, to: .draft202012)
///
/// Keywords that the other draft has under another name or in another form are rewritten, and references follow what has
/// moved. What cannot be said is refused with its place, never dropped.
public struct DialectConversion {
    /// The schema in the other draft.
    public private(set) var schema: JSONValue = .null
    /// What had no effect and was left out, and references that lead to schemas elsewhere.
    public private(set) var warnings: [Diagnostic] = []

    let source: Draft
    let target: Draft
    var problems: [Diagnostic] = []
    var notes: [Diagnostic] = []
    /// Where the subschemas have gone, by their places.
    var moves: [String: [String]] = [:]
    /// The same as far as is known while references are not looked at yet.
    private var isFirstPass = true
    /// The roots of resources by address, and what stands there.
    var resources: [String: Node] = [:]
    let root: Node
    /// Whether nothing but this document takes part: then dynamic references lead to one place.
    var isAlone = true
    var usesUnevaluated = false
    var depth = 0

    /// Converts a schema.
    ///
    /// - Parameters:
    ///   - root: The schema.
    ///   - source: Its draft; by default what `$schema` says, else draft 2020-12.
    ///   - target: The draft to write, 4 or later.
    /// - Throws: A diagnostic `convert.inexact` for each place that cannot be said in the other draft.
    public static func convert(
        _ root: Node, from source: Draft? = nil, to target: Draft
    ) throws(DiagnosticsError) -> DialectConversion {
        let declared = root["$schema"]?.stringValue.flatMap { Draft(schemaURI: $0) }
        let from = source ?? declared ?? .draft202012
        var conversion = DialectConversion(root, from, target)
        conversion.run()
        guard conversion.problems.isEmpty else {
            throw DiagnosticsError(conversion.problems, sources: [root.document.source].compactMap(\.self))
        }
        return conversion
    }

    private init(_ root: Node, _ source: Draft, _ target: Draft) {
        self.root = root
        self.source = source
        self.target = target
    }

    private mutating func run() {
        if source == .draft3 || target == .draft3 {
            refuse("draft 3 is not converted", root)
            return
        }
        if let member = root["$schema"], let text = member.stringValue, Draft(schemaURI: text) == nil {
            refuse("the metaschema '\(text)' is not that of a draft", member)
            return
        }
        survey()
        let base = base(of: root, URIReference(""))
        _ = convert(root, at: [], base: base, resource: root)
        isFirstPass = false
        problems = []
        notes = []
        var value = convert(root, at: [], base: base, resource: root)
        if case .object(var object) = value {
            var members: [JSONObject.Member] = [(key: "$schema", value: .string(Self.address(target)))]
            object["$schema"] = nil
            members += object.members
            object = JSONObject(members)
            value = .object(object)
        }
        schema = value
        warnings = notes
    }

    /// The address by which drafts are declared; the older ones with an empty fragment.
    private static func address(_ draft: Draft) -> String {
        draft.metaschemaURI + (draft <= .draft7 ? "#" : "")
    }

    // MARK: Reports

    mutating func refuse(_ message: String, _ node: Node) {
        guard problems.count < 200 else { return }
        problems.append(
            Diagnostic(
                "convert.inexact", "\(message); \(target.displayName) cannot say this exactly", range: node.range,
                path: node.pointer))
    }

    mutating func warn(_ message: String, _ node: Node) {
        guard notes.count < 200 else { return }
        notes.append(
            Diagnostic("convert.left-out", message, severity: .warning, range: node.range, path: node.pointer))
    }

    // MARK: Resources

    var identifier: String { source <= .draft4 ? "id" : "$id" }

    /// Whether `$ref` hides what stands beside it.
    static func hidesSiblings(_ draft: Draft) -> Bool { draft <= .draft7 }

    func isKeyword(_ name: String) -> Keyword? {
        guard let keyword = Keyword(name: name), keyword.isKnown(in: source) else { return nil }
        return keyword
    }

    /// The address of a schema with an identifier, else the one around it.
    func base(of node: Node, _ outer: URIReference) -> URIReference {
        if Self.hidesSiblings(source), node["$ref"]?.kind == .string { return outer }
        guard let text = node[identifier]?.stringValue else { return outer }
        return URIReference(text).withoutFragment.resolved(against: outer)
    }

    /// Finds resources, and whether anything refers elsewhere.
    private mutating func survey() {
        resources[base(of: root, URIReference("")).withoutFragment.description] = root
        var work: [(node: Node, base: URIReference)] = [(root, base(of: root, URIReference("")))]
        var references: [(String, URIReference)] = []
        while let (node, outer) = work.popLast() {
            guard node.kind == .object else { continue }
            let own = node == root ? outer : base(of: node, outer)
            if own.description != outer.description {
                resources[own.withoutFragment.description] = node
                isAlone = false
            }
            for member in node.members {
                guard let keyword = isKeyword(member.key) else { continue }
                if keyword == .unevaluatedItems || keyword == .unevaluatedProperties { usesUnevaluated = true }
                if keyword == .reference || keyword == .dynamicReference, let text = member.value.stringValue {
                    references.append((text, own))
                }
                for part in Self.parts(keyword, member.value, source) { work.append((part, own)) }
            }
        }
        for (text, base) in references {
            let address = URIReference(text).resolved(against: base).withoutFragment.description
            if resources[address] == nil { isAlone = false }
        }
    }

    /// The subschemas in a keyword's value.
    static func parts(_ keyword: Keyword, _ value: Node, _ draft: Draft) -> [Node] {
        func isSchema(_ node: Node) -> Bool { node.kind == .object || node.kind == .bool }
        switch keyword.shape(in: draft) {
        case .none, .draft3Types: return []
        case .schema: return isSchema(value) ? [value] : []
        case .schemaArray: return value.elements.filter(isSchema)
        case .schemaMap, .dependencyMap: return value.members.map(\.value).filter(isSchema)
        case .schemaOrArray: return value.kind == .array ? value.elements.filter(isSchema) : [value].filter(isSchema)
        }
    }

    /// Whether a schema or a part of it has a name of its own, so that it must not be written twice.
    func hasNames(_ node: Node) -> Bool {
        var work = [node]
        while let next = work.popLast() {
            for member in next.members {
                if ["$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"].contains(member.key) { return true }
                if let keyword = isKeyword(member.key) { work += Self.parts(keyword, member.value, source) }
            }
        }
        return false
    }

    // MARK: References

    /// A reference as it is written in the other draft.
    mutating func reference(_ member: Node, base: URIReference) -> JSONValue {
        guard let text = member.stringValue else { return member.value }
        let absolute = URIReference(text).resolved(against: base)
        guard let resource = resources[absolute.withoutFragment.description] else {
            if !absolute.description.contains("json-schema.org/") {
                warn("'\(text)' leads to another schema, which must say of which draft it is", member)
            }
            return member.value
        }
        guard let fragment = absolute.fragment, fragment.hasPrefix("/") || fragment.hasPrefix("%2F") else {
            return member.value
        }
        guard let decoded = URIReference.percentDecoded(fragment), let pointer = JSONPointer(parsing: decoded) else {
            return member.value
        }
        if isFirstPass { return member.value }
        let start = resource.pointer.tokens
        guard let moved = moves[(JSONPointer(start + pointer.tokens)).description],
            let top = moves[resource.pointer.description], moved.starts(with: top), !moved.contains(Self.nowhere)
        else {
            refuse("'\(text)' leads to a place that is not where a schema is expected", member)
            return member.value
        }
        var result = URIReference(text)
        result.fragment = SchemaLocation.fragment(JSONPointer(Array(moved.dropFirst(top.count))))
        return .string(result.description)
    }
}
