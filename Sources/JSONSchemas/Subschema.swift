// SPDX-License-Identifier: Apache-2.0

public import Documents
package import Patterns

/// The number of a subschema in its ``SchemaGraph``.
public struct SubschemaID: Hashable, Comparable, Sendable {
    public let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    public static func < (a: SubschemaID, b: SubschemaID) -> Bool { a.rawValue < b.rawValue }
}

/// The number of a schema resource (a schema with its own address) in its ``SchemaGraph``.
public struct ResourceID: Hashable, Sendable {
    public let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
}

/// One schema of a graph, its keywords normalised to the meaning they have in draft 2020-12.
///
/// An absent keyword is nil or empty. Keywords of older drafts appear as what they mean today: a tuple in `items` is
/// in ``prefixItems``, `additionalItems` in ``items``, a boolean `exclusiveMinimum` has moved `minimum` to
/// ``exclusiveMinimum``, `dependencies` is split. ``location(ofKeyword:)`` finds the keyword as written.
public final class Subschema: @unchecked Sendable {  // the loader writes it, and nobody after that
    /// A key of an object and the schema for its value.
    public struct Property: Sendable {
        public var key: String
        public var schema: SubschemaID
    }

    /// A pattern for keys and the schema for their values.
    public struct PatternProperty: Sendable {
        package var pattern: Pattern
        public var schema: SubschemaID
    }

    /// Keys that must be there if another one is.
    public struct DependentKeys: Sendable {
        public var key: String
        public var required: [String]
    }

    /// A reference whose target may depend on how the schema was reached.
    public struct DynamicReference: Hashable, Sendable {
        /// The target seen from here, used where ``anchor`` is nil or no outer resource has that anchor.
        public var initial: SubschemaID
        /// The dynamic anchor to look up in the outermost resource of the dynamic scope; nil for a plain reference.
        /// A `$recursiveRef` of draft 2019-09 has the empty name, which no `$dynamicAnchor` can have.
        public var anchor: String?
    }

    public let id: SubschemaID
    /// The resource it belongs to.
    public let resource: ResourceID
    /// Its place in the source; the value of the schema itself.
    public let node: Node
    let origin: SchemaOrigin

    /// Non-nil for the schemas `true` and `false`.
    @exclusivity(unchecked) public internal(set) var boolean: Bool?

    @exclusivity(unchecked) public internal(set) var type: TypeSet?
    @exclusivity(unchecked) public internal(set) var enumeration: [JSONValue]?
    @exclusivity(unchecked) public internal(set) var constant: JSONValue?

    @exclusivity(unchecked) public internal(set) var minimum: DecimalNumber?
    @exclusivity(unchecked) public internal(set) var exclusiveMinimum: DecimalNumber?
    @exclusivity(unchecked) public internal(set) var maximum: DecimalNumber?
    @exclusivity(unchecked) public internal(set) var exclusiveMaximum: DecimalNumber?
    @exclusivity(unchecked) public internal(set) var multipleOf: DecimalNumber?

    /// Lengths count Unicode scalars. A limit beyond `Int` is stored as `Int.max`.
    @exclusivity(unchecked) public internal(set) var minLength: Int?
    @exclusivity(unchecked) public internal(set) var maxLength: Int?
    @exclusivity(unchecked) package internal(set) var pattern: Pattern?
    @exclusivity(unchecked) public internal(set) var format: String?
    /// Whether the dialect's vocabulary asserts formats, whatever the policy of the validator.
    @exclusivity(unchecked) public internal(set) var formatIsAsserted = false
    /// Whether strings must be taken from the text that is being transformed: `x-verbatim`.
    @exclusivity(unchecked) public internal(set) var isVerbatim = false

    @exclusivity(unchecked) public internal(set) var prefixItems: [SubschemaID] = []
    /// For the elements after the prefix.
    @exclusivity(unchecked) public internal(set) var items: SubschemaID?
    @exclusivity(unchecked) public internal(set) var contains: SubschemaID?
    @exclusivity(unchecked) public internal(set) var minContains: Int?
    @exclusivity(unchecked) public internal(set) var maxContains: Int?
    /// Whether elements that match ``contains`` count as evaluated: since draft 2020-12.
    @exclusivity(unchecked) public internal(set) var containsEvaluates = true
    @exclusivity(unchecked) public internal(set) var minItems: Int?
    @exclusivity(unchecked) public internal(set) var maxItems: Int?
    @exclusivity(unchecked) public internal(set) var uniqueItems = false
    @exclusivity(unchecked) public internal(set) var unevaluatedItems: SubschemaID?

    /// In source order.
    @exclusivity(unchecked) public internal(set) var properties: [Property] = []
    @exclusivity(unchecked) public internal(set) var patternProperties: [PatternProperty] = []
    @exclusivity(unchecked) public internal(set) var additionalProperties: SubschemaID?
    @exclusivity(unchecked) public internal(set) var propertyNames: SubschemaID?
    @exclusivity(unchecked) public internal(set) var required: [String] = []
    @exclusivity(unchecked) public internal(set) var minProperties: Int?
    @exclusivity(unchecked) public internal(set) var maxProperties: Int?
    @exclusivity(unchecked) public internal(set) var dependentRequired: [DependentKeys] = []
    @exclusivity(unchecked) public internal(set) var dependentSchemas: [Property] = []
    @exclusivity(unchecked) public internal(set) var unevaluatedProperties: SubschemaID?
    /// The keys that come first in generated objects, in this order: `x-order`.
    @exclusivity(unchecked) public internal(set) var order: [String] = []

    @exclusivity(unchecked) public internal(set) var allOf: [SubschemaID] = []
    @exclusivity(unchecked) public internal(set) var anyOf: [SubschemaID] = []
    @exclusivity(unchecked) public internal(set) var oneOf: [SubschemaID] = []
    @exclusivity(unchecked) public internal(set) var not: SubschemaID?
    @exclusivity(unchecked) public internal(set) var ifSchema: SubschemaID?
    @exclusivity(unchecked) public internal(set) var thenSchema: SubschemaID?
    @exclusivity(unchecked) public internal(set) var elseSchema: SubschemaID?
    @exclusivity(unchecked) public internal(set) var reference: SubschemaID?
    @exclusivity(unchecked) public internal(set) var dynamicReference: DynamicReference?
    /// A reference whose target is not known, as written; only with ``SchemaOptions/UnresolvedReferences/deferred``.
    @exclusivity(unchecked) public internal(set) var unresolvedReference: String?

    @exclusivity(unchecked) public internal(set) var title: String?
    /// `description` of the schema.
    @exclusivity(unchecked) public internal(set) var summary: String?
    @exclusivity(unchecked) public internal(set) var defaultValue: JSONValue?
    @exclusivity(unchecked) public internal(set) var examples: [JSONValue] = []
    /// Names of the members without a meaning in the dialect, `x-…` extensions among them; ``node`` has the values.
    @exclusivity(unchecked) public internal(set) var unknownKeywords: [String] = []

    init(id: SubschemaID, resource: ResourceID, node: Node, origin: SchemaOrigin) {
        self.id = id
        self.resource = resource
        self.node = node
        self.origin = origin
    }

    /// The dialect the schema is written in.
    public var dialect: Dialect { origin.dialect }

    /// Where the schema is.
    public var location: SchemaLocation { origin.location(of: node, keyword: nil, range: node.range) }

    /// Where a keyword is, given by its name in draft 2020-12; the older spelling is found.
    public func location(ofKeyword keyword: String) -> SchemaLocation {
        let written = writtenKeyword(keyword)
        return origin.location(of: node, keyword: written, range: node[written]?.range ?? node.range)
    }

    /// The name under which a keyword of draft 2020-12 is written in this schema.
    public func writtenKeyword(_ keyword: String) -> String {
        let old: String? =
            switch keyword {
            case "prefixItems": node["items"]?.kind == .array ? "items" : nil
            case "items": node["items"]?.kind == .array ? "additionalItems" : nil
            case "exclusiveMinimum": node["exclusiveMinimum"]?.kind == .bool ? "minimum" : nil
            case "exclusiveMaximum": node["exclusiveMaximum"]?.kind == .bool ? "maximum" : nil
            case "dependentRequired", "dependentSchemas": node[keyword] == nil ? "dependencies" : nil
            case "$dynamicRef": node[keyword] == nil ? "$recursiveRef" : nil
            case "multipleOf": node[keyword] == nil ? "divisibleBy" : nil
            case "allOf": node[keyword] == nil ? "extends" : nil
            case "not": node[keyword] == nil ? "disallow" : nil
            case "anyOf": node[keyword] == nil ? "type" : nil
            default: nil
            }
        guard let old, node[old] != nil else { return keyword }
        return old
    }

    /// The value of a keyword that has no meaning in the dialect, such as an `x-…` extension.
    public func extensionValue(_ keyword: String) -> JSONValue? {
        unknownKeywords.contains(keyword) ? node[keyword]?.value : nil
    }
}

/// What the subschemas of one resource in one document share.
final class SchemaOrigin: Sendable {
    let uri: String
    let root: Node
    let dialect: Dialect

    init(uri: String, root: Node, dialect: Dialect) {
        self.uri = uri
        self.root = root
        self.dialect = dialect
    }

    func location(of node: Node, keyword: String?, range: SourceRange?) -> SchemaLocation {
        var pointer = node.pointer
        let depth = root.pointer.tokens.count
        var inner = JSONPointer(Array(pointer.tokens.dropFirst(depth)))
        if let keyword {
            pointer = pointer.appending(keyword)
            inner = inner.appending(keyword)
        }
        return SchemaLocation(pointer: pointer, resourceURI: uri, resourcePointer: inner, range: range)
    }
}
