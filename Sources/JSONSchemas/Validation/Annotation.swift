// SPDX-License-Identifier: Apache-2.0

public import Documents

/// What a schema says about a place in a valid value: a title, a default, a keyword of somebody's own.
///
/// Source: JSON Schema 2020-12 Core, section 7.7.
public struct Annotation: Hashable, Sendable {
    /// The place in the value.
    public var instanceLocation: JSONPointer
    /// The keyword as it is written.
    public var keyword: String
    /// What the keyword says.
    public var value: JSONValue
    /// The schema that the keyword stands in.
    public var schemaLocation: SchemaLocation
    /// The way taken through the schema to it, references included.
    public var evaluationPath: JSONPointer
}

extension Annotation {
    /// Keywords that only say something about the value, for values of every kind.
    private static let general = [
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format",
    ]
    /// Keywords that say something about strings.
    private static let ofStrings = ["contentMediaType", "contentEncoding", "contentSchema"]

    /// What a subschema that holds says about a value.
    static func made(by schema: Subschema, about node: Node, path: [String]) -> [Annotation] {
        // Up to draft 7 a reference stands alone.
        if schema.boolean != nil || schema.reference != nil && schema.dialect.draft <= .draft7 { return [] }
        var names = general
        if node.kind == .string { names += ofStrings }
        for name in schema.unknownKeywords where !names.contains(name) && !ofStrings.contains(name) { names.append(name) }
        var result: [Annotation] = []
        for name in names {
            guard let value = schema.node[name] else { continue }
            // Without a media type there is nothing that the schema could be about.
            if name == "contentSchema", schema.node["contentMediaType"] == nil { continue }
            result.append(
                Annotation(
                    instanceLocation: node.pointer, keyword: name, value: value.value, schemaLocation: schema.location,
                    evaluationPath: JSONPointer(path)))
        }
        return result
    }
}

extension Validator {
    /// What the schema says about a value and its parts; nil where the value is not valid, or the walk takes more work
    /// than ``Limits`` allow.
    ///
    /// In the order in which subschemas end: what is said about a part comes before what is said about the whole.
    public func annotations(_ node: Node) -> [Annotation]? {
        guard isValid(node) else { return nil }
        return DeepStack.run { [program, limits, source] in
            var reporter = ViolationReporter(program, source: source, limits: limits, maximumDepth: limits.depth)
            return reporter.allAnnotations(node)
        }
    }
}
