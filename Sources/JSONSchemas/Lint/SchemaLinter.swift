// SPDX-License-Identifier: Apache-2.0

public import Documents
import Patterns

/// Finds what is legal in a schema, but hardly meant.
///
///     let diagnostics = SchemaLinter(graph, root: document.root).diagnostics
///
/// Each keyword is looked at where it stands; what takes a proof about values is left to the constraint engine.
public struct SchemaLinter {
    /// What was found, in the order of the places.
    public private(set) var diagnostics: [Diagnostic] = []
    let graph: SchemaGraph
    private let root: Node
    private let formats: FormatPolicy
    private let validator: Validator
    /// Names of unknown keywords that were reported, with how often they occur.
    private var unknown: [String: (index: Int, count: Int)] = [:]

    /// The most diagnostics.
    static let limit = 1_000

    /// Looks at a schema.
    ///
    /// - Parameters:
    ///   - graph: The schema, read with its unreached parts.
    ///   - root: The document's root: parts in other documents are not looked at.
    public init(_ graph: SchemaGraph, root: Node, formats: FormatPolicy = .assert) {
        self.graph = graph
        self.root = root
        self.formats = formats
        validator = Validator(graph, formats: formats)
        var seen: Set<NodeKey> = []
        for schema in graph.subschemas where schema.node.document === root.document {
            guard schema.boolean == nil, schema.node.kind == .object, seen.insert(NodeKey(schema.node)).inserted else {
                continue
            }
            guard diagnostics.count < Self.limit else { break }
            look(at: schema)
        }
        for (name, entry) in unknown where entry.count > 1 {
            diagnostics[entry.index].notes.append(
                .note("'\(name)' occurs in \(entry.count) places of the schema", range: nil))
        }
        findUnusedDefinitions()
        diagnostics.sort { ($0.range?.start.offset ?? 0) < ($1.range?.start.offset ?? 0) }
    }

    mutating func report(
        _ id: DiagnosticID, _ message: String, _ node: Node?, severity: Diagnostic.Severity = .warning,
        help: String? = nil, notes: [Diagnostic] = []
    ) {
        diagnostics.append(
            Diagnostic(
                id, message, severity: severity, range: node?.range,
                path: node?.isKey == true ? keyPath(node) : node?.pointer,
                notes: notes, help: help))
    }

    /// The place of a member, for its key.
    private func keyPath(_ node: Node?) -> JSONPointer? {
        guard let node, let key = node.stringValue, let parent = node.parent else { return node?.pointer }
        return parent.pointer.appending(key)
    }

    private mutating func look(at schema: Subschema) {
        let isHiding = schema.dialect.draft <= .draft7 && schema.node["$ref"]?.kind == .string
        if isHiding { return lookBesideReference(schema) }
        lookAtUnknownKeywords(schema)
        lookAtRanges(schema)
        lookAtTypes(schema)
        lookAtRequired(schema)
        lookAtFormat(schema)
        lookAtPatterns(schema)
        lookAtValues(schema)
    }

    // MARK: Keywords

    /// Keywords without an effect on values, which a `$ref` may stand beside.
    private static let harmless: Set<String> = [
        "$ref", "$id", "id", "$schema", "$comment", "title", "description", "default", "examples", "definitions",
        "$defs",
        "readOnly", "writeOnly", "deprecated",
    ]

    private mutating func lookBesideReference(_ schema: Subschema) {
        for member in schema.node.members where !Self.harmless.contains(member.key) {
            guard Keyword(name: member.key)?.isKnown(in: schema.dialect.draft) == true else { continue }
            report(
                "lint.reference-sibling",
                "'\(member.key)' beside '$ref' is ignored in \(schema.dialect.draft.displayName)", member.keyNode,
                help: "put both into 'allOf', or declare draft 2019-09 or later with '$schema'")
        }
    }

    /// What editors and other notations built on JSON Schema add; it says nothing about values.
    private static let annotations: Set<String> = [
        "markdownDescription", "markdownEnumDescriptions", "enumDescriptions", "enumDeprecated", "deprecationMessage",
        "defaultSnippets", "errorMessage", "patternErrorMessage", "doNotSuggest", "suggestSortText", "allowComments",
        "allowTrailingCommas", "tsType", "tsEnumNames", "enumNames", "example", "discriminator", "xml", "externalDocs",
        "links", "media", "base", "propertyOrder", "options", "fileMatch", "version", "order", "scope",
    ]

    private mutating func lookAtUnknownKeywords(_ schema: Subschema) {
        for name in schema.unknownKeywords where !name.hasPrefix("x-") && !Self.annotations.contains(name) {
            // The loader has spoken of keywords of other drafts, and of names that are close to one.
            if Keyword(name: name) != nil { continue }
            if Keyword.names(in: schema.dialect.draft)?.closest(to: name) != nil, name.utf8.count > 2 { continue }
            guard let member = schema.node.member(name) else { continue }
            if let known = unknown[name] {
                unknown[name] = (known.index, known.count + 1)
                continue
            }
            unknown[name] = (diagnostics.count, 1)
            let help =
                name == "nullable" ? "write 'type' as a list with \"null\"" : "names of your own begin with 'x-'"
            report("schema.unknown-keyword", "'\(name)' is not a keyword and has no effect", member.keyNode, help: help)
        }
    }

    private mutating func lookAtRanges(_ schema: Subschema) {
        func compare<Value: Comparable>(_ low: (String, Value?), _ high: (String, Value?), strict: Bool) {
            guard let least = low.1, let most = high.1, least > most || (strict && least == most) else { return }
            let (lowName, highName) = (schema.writtenKeyword(low.0), schema.writtenKeyword(high.0))
            let relation = least > most ? "is greater than" : "leaves nothing below"
            report(
                "lint.empty-range", "'\(lowName)' \(relation) '\(highName)'", schema.node[lowName] ?? schema.node,
                severity: .error,
                notes: [.note("'\(highName)' is \(most)", range: schema.node[highName]?.range)])
        }
        compare(("minimum", schema.minimum), ("maximum", schema.maximum), strict: false)
        compare(("exclusiveMinimum", schema.exclusiveMinimum), ("maximum", schema.maximum), strict: true)
        compare(("minimum", schema.minimum), ("exclusiveMaximum", schema.exclusiveMaximum), strict: true)
        compare(
            ("exclusiveMinimum", schema.exclusiveMinimum), ("exclusiveMaximum", schema.exclusiveMaximum), strict: true)
        compare(("minLength", schema.minLength), ("maxLength", schema.maxLength), strict: false)
        compare(("minItems", schema.minItems), ("maxItems", schema.maxItems), strict: false)
        compare(("minProperties", schema.minProperties), ("maxProperties", schema.maxProperties), strict: false)
        if schema.contains != nil {
            compare(("minContains", schema.minContains), ("maxContains", schema.maxContains), strict: false)
        }
        if let most = schema.maxProperties, Set(schema.required).count > most {
            report(
                "lint.empty-range", "'required' names more properties than 'maxProperties' allows",
                schema.node["maxProperties"], severity: .error)
        }
    }

    /// The types that a keyword speaks about; nil for all.
    private static func types(of keyword: Keyword) -> TypeSet? {
        switch keyword {
        case .multipleOf, .divisibleBy, .maximum, .exclusiveMaximum, .minimum, .exclusiveMinimum: [.number, .integer]
        case .maxLength, .minLength, .pattern, .verbatim, .contentEncoding, .contentMediaType, .contentSchema: .string
        case .prefixItems, .items, .additionalItems, .unevaluatedItems, .contains, .minContains, .maxContains,
            .maxItems,
            .minItems, .uniqueItems:
            .array
        case .maxProperties, .minProperties, .required, .dependentRequired, .dependentSchemas, .dependencies,
            .properties, .patternProperties, .additionalProperties, .propertyNames, .unevaluatedProperties, .order:
            .object
        default: nil
        }
    }

    private mutating func lookAtTypes(_ schema: Subschema) {
        let node = schema.node
        if let declared = schema.type {
            for member in node.members {
                guard let keyword = Keyword(name: member.key), keyword.isActive(in: schema.dialect),
                    !(keyword == .required && schema.dialect.draft == .draft3),
                    let types = Self.types(of: keyword), declared.isDisjoint(with: types)
                else { continue }
                report(
                    "lint.no-effect",
                    "'\(member.key)' has no effect on \(declared == .null ? "null" : "values of type \(declared)")",
                    member.keyNode)
            }
        }
        func needs(_ names: [String], _ other: String) {
            for name in names where node[name] != nil && node[other] == nil {
                guard Keyword(name: name)?.isActive(in: schema.dialect) == true else { continue }
                report("lint.no-effect", "'\(name)' has no effect without '\(other)'", node.member(name)?.keyNode)
            }
        }
        needs(["minContains", "maxContains"], "contains")
        if schema.dialect.draft <= .draft4 {
            if node["exclusiveMinimum"]?.kind == .bool { needs(["exclusiveMinimum"], "minimum") }
            if node["exclusiveMaximum"]?.kind == .bool { needs(["exclusiveMaximum"], "maximum") }
        }
        if node["if"] != nil, node["then"] == nil, node["else"] == nil,
            Keyword.ifSchema.isActive(in: schema.dialect)
        {
            report("lint.no-effect", "'if' has no effect without 'then' or 'else'", node.member("if")?.keyNode)
        }
    }

    private mutating func lookAtRequired(_ schema: Subschema) {
        guard schema.dialect.draft >= .draft4, let list = schema.node["required"], list.kind == .array else { return }
        let names = schema.properties.map(\.key)
        let known = Set(names.map { Array($0.utf8) })
        let isClosed = schema.additionalProperties.map { graph[$0].boolean == false } ?? false
        let matchers = schema.patternProperties.compactMap { try? PatternMatcher($0.pattern) }
        guard matchers.count == schema.patternProperties.count else { return }
        for element in list.elements {
            guard let name = element.stringValue, !known.contains(Array(name.utf8)) else { continue }
            if matchers.contains(where: { $0.matches(name) }) { continue }
            let near = Spelling.closest(to: name, among: names.filter { !schema.required.contains($0) })
            let help = near.map { "did you mean '\($0)'?" }
            if isClosed {
                report(
                    "lint.required-not-allowed",
                    "'\(name)' is required, but 'properties' does not have it and 'additionalProperties' is false",
                    element, severity: .error, help: help)
            } else if let help, names.count > 0, schema.additionalProperties == nil {
                report(
                    "lint.required-unknown", "'\(name)' is required, but 'properties' does not have it", element,
                    help: help)
            }
        }
    }

    // MARK: Formats

    /// Formats of drafts gone by and of notations built on JSON Schema.
    private static let otherFormats: Set<String> = [
        "int32", "int64", "uint32", "uint64", "int8", "uint8", "int16", "uint16", "float", "double", "byte", "binary",
        "password", "color", "style", "phone", "utc-millisec", "ip-address", "host-name", "decimal", "base64url",
        "char",
    ]

    private mutating func lookAtFormat(_ schema: Subschema) {
        guard let member = schema.node["format"], let name = schema.format else { return }
        if KnownFormat(rawValue: name) == nil {
            guard !Self.otherFormats.contains(name) else { return }
            let near = Spelling.closest(to: name, among: KnownFormat.allCases.map(\.rawValue))
            report(
                "lint.unknown-format", "the format '\(name)' is not known and not checked", member,
                help: near.map { "did you mean '\($0)'?" })
        } else if let declared = schema.type, !declared.contains(.string) {
            report(
                "lint.no-effect", "the format '\(name)' has no effect on values of type \(declared)", member)
        }
    }

    // MARK: Values

    private mutating func lookAtValues(_ schema: Subschema) {
        let node = schema.node
        if let list = node["enum"], list.kind == .array {
            var seen: Set<JSONValue> = []
            for element in list.elements {
                if !seen.insert(element.value).inserted {
                    guard !diagnostics.contains(where: { $0.path == element.pointer }) else { continue }
                    report("lint.duplicate-value", "\(Self.short(element)) is in 'enum' twice", element)
                } else if !validator.isValid(element, at: schema.id) {
                    report(
                        "lint.value-refused", "\(Self.short(element)) in 'enum' is refused by the schema around it",
                        element, notes: reason(element, schema))
                }
            }
        }
        if schema.constant != nil, schema.enumeration == nil, let member = node["const"],
            !validator.isValid(member, at: schema.id)
        {
            report(
                "lint.value-refused", "the value of 'const' is refused by the schema around it", member,
                severity: .error, notes: reason(member, schema))
        }
        if schema.defaultValue != nil, let member = node["default"], !validator.isValid(member, at: schema.id) {
            report(
                "lint.default-refused", "the schema does not allow its own default \(Self.short(member))", member,
                notes: reason(member, schema))
        }
        if let list = node["examples"], list.kind == .array {
            for element in list.elements where !validator.isValid(element, at: schema.id) {
                report(
                    "lint.example-refused", "the schema does not allow its own example \(Self.short(element))", element,
                    notes: reason(element, schema))
            }
        }
    }

    static func short(_ node: Node) -> String {
        let text = node.value.description
        return text.count > 40 ? String(text.prefix(40)) + "…" : text
    }

    /// The first thing that is wrong with a value.
    private func reason(_ value: Node, _ schema: Subschema) -> [Diagnostic] {
        // Compiling takes time; the first few reasons are enough.
        guard diagnostics.count < 50 else { return [] }
        let validator = Validator(graph.rooted(at: schema.id), formats: formats)
        guard let violation = validator.validate(Document(value: value.value).root).first else { return [] }
        return [.note(violation.message, range: violation.schemaLocation.range)]
    }

    // MARK: Definitions

    private mutating func findUnusedDefinitions() {
        // A schema that consists of definitions alone is for other schemas to refer to.
        let isLibrary = root.members.allSatisfy {
            Self.harmless.contains($0.key) && $0.key != "$ref" || $0.key.hasPrefix("$") && $0.key != "$ref"
        }
        guard !isLibrary, root.kind == .object else { return }
        let used = graph.reachable(from: graph.root)
        var places: Set<[String]> = []
        for id in used where graph[id].node.document === root.document {
            // Whoever leads into a definition uses it.
            var tokens = graph[id].node.pointer.tokens
            while places.insert(tokens).inserted, !tokens.isEmpty { tokens.removeLast() }
        }
        var seen: Set<NodeKey> = []
        for schema in graph.subschemas where schema.node.document === root.document {
            guard schema.node.kind == .object, seen.insert(NodeKey(schema.node)).inserted else { continue }
            for keyword in ["$defs", "definitions"] {
                guard let definitions = schema.node[keyword], definitions.kind == .object else { continue }
                for member in definitions.members where !places.contains(member.value.pointer.tokens) {
                    report("lint.unused-definition", "nothing refers to '\(member.key)'", member.keyNode)
                }
            }
        }
    }
}
