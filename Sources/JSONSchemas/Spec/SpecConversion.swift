// SPDX-License-Identifier: Apache-2.0

public import Documents

/// An input with the output that is wanted for it.
public struct SpecExample: Hashable, Sendable {
    /// The text as a user would give it.
    public var input: String
    /// The wanted value.
    public var output: JSONValue
    /// Where the output stands in the spec.
    public var outputRange: SourceRange?

    public init(input: String, output: JSONValue, outputRange: SourceRange? = nil) {
        self.input = input
        self.output = output
        self.outputRange = outputRange
    }
}

/// A short spec as JSON Schema (2020-12), with what a schema has no keyword for.
public struct SpecConversion: Sendable {
    public var schema: JSONValue
    public var name: String?
    public var description: String?
    /// What the model is asked to do.
    public var instruction: String?
    public var examples: [SpecExample]
    /// Places in the spec by pointer into ``schema``.
    public var positions: [JSONPointer: SourceRange]
    /// Warnings.
    public var diagnostics: [Diagnostic]

    /// The spec that was converted.
    let document: Document

    /// The schema as a document whose nodes have the places of the spec that they come from.
    public var schemaDocument: Document {
        Document(
            value: schema, source: document.source,
            places: positions.mapValues { $0.start.offset..<max($0.start.offset, $0.end.offset) })
    }

    /// The place that the part of the schema at the pointer comes from: its own or that of the nearest part around it.
    public func range(of pointer: JSONPointer) -> SourceRange? {
        var current: JSONPointer? = pointer
        while let place = current {
            if let range = positions[place] { return range }
            current = place.parent
        }
        return nil
    }
}
