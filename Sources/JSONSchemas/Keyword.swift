// SPDX-License-Identifier: Apache-2.0

/// The keywords of all drafts, with the dialects in which each has a meaning.
enum Keyword: String, CaseIterable {
    case schema = "$schema"
    case id = "$id"
    case legacyID = "id"
    case anchor = "$anchor"
    case dynamicAnchor = "$dynamicAnchor"
    case recursiveAnchor = "$recursiveAnchor"
    case reference = "$ref"
    case dynamicReference = "$dynamicRef"
    case recursiveReference = "$recursiveRef"
    case vocabulary = "$vocabulary"
    case comment = "$comment"
    case defs = "$defs"
    case definitions
    case type
    case enumeration = "enum"
    case constant = "const"
    case multipleOf, divisibleBy
    case maximum, exclusiveMaximum, minimum, exclusiveMinimum
    case maxLength, minLength, pattern, format
    case prefixItems, items, additionalItems, unevaluatedItems
    case contains, minContains, maxContains
    case maxItems, minItems, uniqueItems
    case maxProperties, minProperties, required, dependentRequired, dependentSchemas, dependencies
    case properties, patternProperties, additionalProperties, propertyNames, unevaluatedProperties
    case allOf, anyOf, oneOf, not
    case ifSchema = "if"
    case thenSchema = "then"
    case elseSchema = "else"
    case extends, disallow
    case title, description
    case defaultValue = "default"
    case examples, deprecated, readOnly, writeOnly
    case contentEncoding, contentMediaType, contentSchema
    // Extensions of our own, in force under every dialect.
    case verbatim = "x-verbatim"
    case order = "x-order"

    private static let byName: [String: Keyword] = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) }
    )

    /// The keyword with this name in any draft.
    init?(name: String) {
        guard let keyword = Keyword.byName[name] else { return nil }
        self = keyword
    }

    /// Names of every keyword that a draft knows, for "did you mean".
    static func names(in draft: Draft) -> Spelling.Lexicon? { lexicons[draft] }

    private static let lexicons: [Draft: Spelling.Lexicon] = Dictionary(
        uniqueKeysWithValues: Draft.allCases.map { draft in
            (draft, Spelling.Lexicon(allCases.filter { $0.isKnown(in: draft) }.map(\.rawValue)))
        })

    /// Whether the draft defines the keyword (or keeps it for compatibility).
    func isKnown(in draft: Draft) -> Bool {
        switch self {
        case .schema, .reference, .type, .enumeration, .maximum, .minimum, .exclusiveMaximum, .exclusiveMinimum,
            .maxLength, .minLength, .pattern, .format, .items, .maxItems, .minItems, .uniqueItems, .properties,
            .patternProperties, .additionalProperties, .title, .description, .defaultValue, .required,
            .definitions, .comment, .verbatim, .order:
            // `definitions` and `$comment` came later, but have always been used.
            true
        // `dependencies` and `additionalItems` are still honoured where their successors exist: for `dependencies`
        // the specification recommends it, `additionalItems` ended with 2019-09.
        case .dependencies: true
        case .additionalItems: draft <= .draft201909
        case .legacyID, .divisibleBy, .extends, .disallow:
            self == .legacyID ? draft <= .draft4 : draft == .draft3
        case .multipleOf, .maxProperties, .minProperties, .allOf, .anyOf, .oneOf, .not: draft >= .draft4
        case .id, .constant, .contains, .propertyNames, .examples: draft >= .draft6
        case .ifSchema, .thenSchema, .elseSchema, .readOnly, .writeOnly, .contentEncoding, .contentMediaType:
            draft >= .draft7
        case .anchor, .vocabulary, .defs, .minContains, .maxContains, .dependentRequired, .dependentSchemas,
            .unevaluatedItems, .unevaluatedProperties, .deprecated, .contentSchema:
            draft >= .draft201909
        case .recursiveAnchor, .recursiveReference: draft == .draft201909
        case .dynamicAnchor, .dynamicReference, .prefixItems: draft >= .draft202012
        }
    }

    /// Whether the keyword has an effect under the dialect: known, and its vocabulary in force.
    func isActive(in dialect: Dialect) -> Bool {
        guard isKnown(in: dialect.draft) else { return false }
        guard dialect.draft >= .draft201909 else { return true }
        return vocabularies.isSubset(of: dialect.vocabularies)
    }

    /// The vocabulary that defines the keyword; empty for the core.
    private var vocabularies: Dialect.Vocabularies {
        switch self {
        case .schema, .id, .legacyID, .anchor, .dynamicAnchor, .recursiveAnchor, .reference, .dynamicReference,
            .recursiveReference, .vocabulary, .comment, .defs, .definitions, .verbatim, .order:
            []
        case .type, .enumeration, .constant, .multipleOf, .divisibleBy, .maximum, .exclusiveMaximum, .minimum,
            .exclusiveMinimum, .maxLength, .minLength, .pattern, .minContains, .maxContains, .maxItems, .minItems,
            .uniqueItems, .maxProperties, .minProperties, .required, .dependentRequired:
            .validation
        case .format: .format
        case .unevaluatedItems, .unevaluatedProperties: .unevaluated
        case .prefixItems, .items, .additionalItems, .contains, .dependentSchemas, .dependencies, .properties,
            .patternProperties, .additionalProperties, .propertyNames, .allOf, .anyOf, .oneOf, .not, .ifSchema,
            .thenSchema, .elseSchema, .extends, .disallow:
            .applicator
        case .title, .description, .defaultValue, .examples, .deprecated, .readOnly, .writeOnly: .metadata
        case .contentEncoding, .contentMediaType, .contentSchema: .content
        }
    }

    /// Where subschemas sit in the keyword's value.
    enum Shape {
        case none, schema, schemaArray, schemaMap, schemaOrArray, dependencyMap, draft3Types
    }

    /// Where subschemas sit in the keyword's value under the draft.
    func shape(in draft: Draft) -> Shape {
        switch self {
        case .additionalItems, .unevaluatedItems, .contains, .additionalProperties, .unevaluatedProperties,
            .propertyNames, .not, .ifSchema, .thenSchema, .elseSchema, .contentSchema:
            .schema
        case .prefixItems, .allOf, .anyOf, .oneOf: .schemaArray
        case .defs, .definitions, .properties, .patternProperties, .dependentSchemas: .schemaMap
        case .items: draft >= .draft202012 ? .schema : .schemaOrArray
        case .extends: .schemaOrArray
        case .dependencies: .dependencyMap
        case .type: draft == .draft3 ? .draft3Types : .none
        case .disallow: .draft3Types
        default: .none
        }
    }
}
