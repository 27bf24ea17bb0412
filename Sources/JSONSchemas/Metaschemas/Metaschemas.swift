// SPDX-License-Identifier: Apache-2.0

import Documents
import Synchronization

/// The metaschemas of the specification, which are known without any registry.
enum Metaschemas {
    /// A document of the specification.
    struct Source: Sendable {
        var uri: String
        var text: String
    }

    private static let sources: [String: Source] = Dictionary(
        uniqueKeysWithValues: [
            draft3, draft4, draft6, draft7,
            draft201909, draft201909Applicator, draft201909Content, draft201909Core, draft201909Format,
            draft201909MetaData, draft201909Validation,
            draft202012, draft202012Applicator, draft202012Content, draft202012Core, draft202012FormatAnnotation,
            draft202012FormatAssertion, draft202012MetaData, draft202012Unevaluated, draft202012Validation,
        ].map { ($0.uri, $0) }
    )

    private static let parsed = Mutex<[String: Document]>([:])

    /// The document with this address, which has no fragment.
    static func document(_ uri: String) -> Document? {
        guard let source = sources[uri] else { return nil }
        if let known = parsed.withLock({ $0[uri] }) { return known }
        guard let document = try? JSONReader.read(source.text, file: uri) else { return nil }
        parsed.withLock { $0[uri] = document }
        return document
    }

    private static let validators = Mutex<[Draft: Validator]>([:])

    /// A validator for schemas of the draft, formats asserted.
    static func validator(for draft: Draft) -> Validator? {
        if let known = validators.withLock({ $0[draft] }) { return known }
        guard let document = document(draft.metaschemaURI) else { return nil }
        let options = SchemaOptions(defaultDialect: Dialect(draft), metaschemaCheck: .off)
        guard let graph = try? SchemaGraph.load(document.root, options: options) else { return nil }
        let validator = Validator(graph, formats: .assert)
        validators.withLock { $0[draft] = validator }
        return validator
    }
}
