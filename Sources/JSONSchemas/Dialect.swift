// SPDX-License-Identifier: Apache-2.0

/// A published version of the JSON Schema specification.
public enum Draft: String, CaseIterable, Comparable, Sendable {
    case draft3, draft4, draft6, draft7
    case draft201909 = "draft2019-09"
    case draft202012 = "draft2020-12"

    /// The address of the draft's metaschema, without a fragment.
    public var metaschemaURI: String {
        switch self {
        case .draft3: "http://json-schema.org/draft-03/schema"
        case .draft4: "http://json-schema.org/draft-04/schema"
        case .draft6: "http://json-schema.org/draft-06/schema"
        case .draft7: "http://json-schema.org/draft-07/schema"
        case .draft201909: "https://json-schema.org/draft/2019-09/schema"
        case .draft202012: "https://json-schema.org/draft/2020-12/schema"
        }
    }

    /// The name people use: "draft 7", "draft 2020-12".
    public var displayName: String {
        switch self {
        case .draft3: "draft 3"
        case .draft4: "draft 4"
        case .draft6: "draft 6"
        case .draft7: "draft 7"
        case .draft201909: "draft 2019-09"
        case .draft202012: "draft 2020-12"
        }
    }

    /// The draft a `$schema` address stands for, or nil for an address that is not one of the specification's.
    ///
    /// An empty fragment, `https` instead of `http`, and the hyper-schema addresses are accepted.
    public init?(schemaURI: String) {
        var uri = Substring(schemaURI)
        if uri.hasSuffix("#") { uri = uri.dropLast() }
        if uri.hasPrefix("https://") {
            uri = uri.dropFirst(8)
        } else if uri.hasPrefix("http://") {
            uri = uri.dropFirst(7)
        } else {
            return nil
        }
        switch uri {
        case "json-schema.org/draft-03/schema", "json-schema.org/draft-03/hyper-schema": self = .draft3
        // Draft 5 renamed nothing and added nothing to validation: it is draft 4.
        case "json-schema.org/draft-04/schema", "json-schema.org/draft-04/hyper-schema",
            "json-schema.org/draft-05/schema", "json-schema.org/draft-05/hyper-schema":
            self = .draft4
        case "json-schema.org/draft-06/schema", "json-schema.org/draft-06/hyper-schema": self = .draft6
        case "json-schema.org/draft-07/schema", "json-schema.org/draft-07/hyper-schema": self = .draft7
        case "json-schema.org/draft/2019-09/schema", "json-schema.org/draft/2019-09/hyper-schema":
            self = .draft201909
        case "json-schema.org/draft/2020-12/schema", "json-schema.org/draft/2020-12/hyper-schema",
            "json-schema.org/schema":
            self = .draft202012
        default: return nil
        }
    }

    public static func < (a: Draft, b: Draft) -> Bool { a.order < b.order }

    private var order: Int {
        switch self {
        case .draft3: 3
        case .draft4: 4
        case .draft6: 6
        case .draft7: 7
        case .draft201909: 8
        case .draft202012: 9
        }
    }
}

/// A draft together with the vocabularies that are in force.
public struct Dialect: Hashable, Sendable {
    /// Groups of keywords that a metaschema can switch on and off.
    public struct Vocabularies: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let applicator = Vocabularies(rawValue: 1)
        public static let unevaluated = Vocabularies(rawValue: 2)
        public static let validation = Vocabularies(rawValue: 4)
        public static let metadata = Vocabularies(rawValue: 8)
        public static let format = Vocabularies(rawValue: 16)
        public static let formatAssertion = Vocabularies(rawValue: 32)
        public static let content = Vocabularies(rawValue: 64)

        /// What the drafts' own metaschemas switch on.
        public static let standard: Vocabularies = [
            .applicator, .unevaluated, .validation, .metadata, .format, .content,
        ]
    }

    /// The draft whose rules hold.
    public var draft: Draft
    /// The vocabularies in force; the core vocabulary always is.
    public var vocabularies: Vocabularies

    /// A dialect with the draft's standard vocabularies.
    public init(_ draft: Draft, vocabularies: Vocabularies = .standard) {
        self.draft = draft
        self.vocabularies = vocabularies
    }

    /// Up to draft 7 a `$ref` hides every keyword beside it.
    var referenceHidesSiblings: Bool { draft <= .draft7 }

    /// The keyword that names a schema.
    var identifierKeyword: String { draft <= .draft4 ? "id" : "$id" }

    /// Whether `true` and `false` are schemas. Draft 4 knows them only in a few places, where they mean the same.
    var hasBooleanSchemas: Bool { draft >= .draft6 }

    /// Up to draft 7 a fragment in the identifier is an anchor.
    var identifierFragmentIsAnchor: Bool { draft <= .draft7 }

    /// The vocabulary that a `$vocabulary` address stands for: nil if it is unknown, empty for the core vocabulary.
    static func vocabulary(_ uri: String) -> Vocabularies? {
        let parts = uri.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 7, parts[0] == "https:" || parts[0] == "http:", parts[1].isEmpty,
            parts[2] == "json-schema.org", parts[3] == "draft", parts[5] == "vocab"
        else { return nil }
        switch (parts[4], parts[6]) {
        case ("2019-09", "core"), ("2020-12", "core"): return []
        // In 2019-09 the unevaluated keywords belong to the applicators.
        case ("2019-09", "applicator"): return [.applicator, .unevaluated]
        case ("2020-12", "applicator"): return .applicator
        case ("2020-12", "unevaluated"): return .unevaluated
        case ("2019-09", "validation"), ("2020-12", "validation"): return .validation
        case ("2019-09", "meta-data"), ("2020-12", "meta-data"): return .metadata
        case ("2019-09", "format"), ("2020-12", "format-annotation"): return .format
        case ("2020-12", "format-assertion"): return [.format, .formatAssertion]
        case ("2019-09", "content"), ("2020-12", "content"): return .content
        default: return nil
        }
    }
}
