// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

/// Which keywords a schema uses, and what becomes of each.
struct KeywordSurvey {
    /// Keywords that restrict documents, with the number of places.
    private(set) var enforced: [(keyword: String, count: Int)] = []
    /// Keywords that say something without restricting, and names that the dialect does not know.
    private(set) var annotations: [String] = []
    /// Values of `format` that the specification does not define: annotations as well.
    private(set) var unknownFormats: [String] = []

    private static let silent: Set<String> = [
        "$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$comment", "$defs",
        "definitions",
    ]
    private static let descriptive: Set<String> = [
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "contentEncoding",
        "contentMediaType", "contentSchema",
    ]

    init(_ graph: SchemaGraph, formats: FormatPolicy) {
        var counts: [String: Int] = [:]
        var order: [String] = []
        var notes: [String] = []
        func note(_ name: String, in list: inout [String]) {
            if !list.contains(name) { list.append(name) }
        }
        for schema in graph.subschemas {
            for member in schema.node.members where !Self.silent.contains(member.key) {
                let key = member.key
                if Self.descriptive.contains(key) || schema.unknownKeywords.contains(key) {
                    note(key, in: &notes)
                } else if key == "format", formats == .annotate || KnownFormat(rawValue: schema.format ?? "") == nil {
                    note(key, in: &notes)
                    if let format = schema.format, KnownFormat(rawValue: format) == nil {
                        note(format, in: &unknownFormats)
                    }
                } else {
                    if counts[key] == nil { order.append(key) }
                    counts[key, default: 0] += 1
                }
            }
        }
        enforced = order.map { ($0, counts[$0] ?? 0) }
        annotations = notes
    }
}
