// SPDX-License-Identifier: Apache-2.0

public import Documents

/// Reads the short form of a spec.
///
///     name: contact
///     fields:
///       name: string
///       email: email?
///       tags: list of string (max 5)
///
/// `docs/SPEC.md` describes the form. Mistakes are collected, each with its line, its column and a hint.
public enum SpecReader {
    /// Keys that only a JSON Schema has at its top.
    private static let schemaKeys: Set<String> = [
        "$id", "id", "$ref", "$defs", "definitions", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary",
        "properties",
        "items", "prefixItems", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", "required",
        "additionalProperties",
        "patternProperties", "propertyNames", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
        "format",
        "dependencies", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "contains", "multipleOf",
        "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", "minProperties", "maxProperties", "$schema",
    ]

    /// Whether a document is a short spec, and not a JSON Schema.
    public static func isSpec(_ document: Document) -> Bool {
        let root = document.root
        guard root.kind == .object else { return false }
        if let dialect = root["$schema"]?.stringValue { return dialect.contains("formwork-spec") }
        if root["fields"] != nil { return true }
        if root.members.contains(where: { schemaKeys.contains($0.key) }) { return false }
        for key in ["name", "types", "instruction", "list of", "map of", "one of", "json schema"] where root[key] != nil
        {
            return true
        }
        guard let type = root["type"] else { return false }
        let names = ["null", "boolean", "integer", "number", "string", "array", "object"]
        return type.stringValue.map { !names.contains($0) } ?? (type.kind == .object)
    }

    /// Converts a short spec to JSON Schema.
    ///
    /// - Throws: ``DiagnosticsError`` with all mistakes.
    public static func jsonSchema(from document: Document) throws(DiagnosticsError) -> SpecConversion {
        var builder = SpecBuilder()
        let conversion = builder.convert(document.root)
        if builder.diagnostics.contains(where: { $0.severity == .error }) {
            throw DiagnosticsError(builder.diagnostics, sources: document.source.map { [$0] } ?? [])
        }
        return conversion
    }

    /// A name as a token of a JSON Pointer.
    static func escaped(_ name: String) -> String {
        String(JSONPointer([name]).description.dropFirst())
    }
}
