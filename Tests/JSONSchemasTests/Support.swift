// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// Reads a schema that must be right.
func graph(
    _ schema: String, draft: Draft = .draft202012, options: SchemaOptions? = nil,
    registry: SchemaRegistry = SchemaRegistry()
) throws -> SchemaGraph {
    let document = try JSONReader.read(schema, file: "schema.json")
    return try SchemaGraph.load(
        document.root, options: options ?? SchemaOptions(defaultDialect: Dialect(draft)), registry: registry)
}

/// Whether a JSON text is valid; the quick answer and the report must agree.
func isValid(_ validator: Validator, _ json: String) throws -> Bool {
    let node = try JSONReader.read(json).root
    let valid = validator.isValid(node)
    #expect(validator.validate(node).isEmpty == valid, "the report disagrees about \(json)")
    return valid
}

/// Checks JSON texts against a schema.
func expect(
    _ schema: String, draft: Draft = .draft202012, formats: FormatPolicy = .assert,
    registry: SchemaRegistry = SchemaRegistry(), accepts: [String] = [], rejects: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let validator = Validator(try graph(schema, draft: draft, registry: registry), formats: formats)
    for json in accepts {
        let valid = try isValid(validator, json)
        #expect(valid, "\(schema) refuses \(json)", sourceLocation: sourceLocation)
    }
    for json in rejects {
        let valid = try isValid(validator, json)
        #expect(!valid, "\(schema) accepts \(json)", sourceLocation: sourceLocation)
    }
}

/// The violations of a JSON text.
func violations(_ schema: String, _ json: String, draft: Draft = .draft202012) throws -> [Violation] {
    let validator = Validator(try graph(schema, draft: draft))
    return validator.validate(try JSONReader.read(json, file: "value.json").root)
}

/// The diagnostics of a schema that must be refused.
func problems(
    _ schema: String, draft: Draft = .draft202012, options: SchemaOptions? = nil,
    registry: SchemaRegistry = SchemaRegistry()
) throws -> [Diagnostic] {
    do {
        _ = try graph(schema, draft: draft, options: options, registry: registry)
    } catch let error as DiagnosticsError {
        return error.diagnostics.filter { $0.severity == .error }
    }
    Issue.record("the schema was accepted: \(schema)")
    return []
}
