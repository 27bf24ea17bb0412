// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import Patterns

/// Which keywords a schema uses, and what becomes of each.
struct KeywordSurvey {
    /// One keyword in one place.
    struct Place {
        enum Status: String {
            case exact = "enforced exactly"
            case later = "enforced with the source text"
            case restricted = "enforced, with values left out"
            case refused
            case annotation = "annotation"
        }

        var path: String
        var keyword: String
        var status: Status
        var reason: String?
    }

    /// Every keyword in its place, in the order of the schema.
    private(set) var places: [Place] = []
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
                let path = schema.location.pointer.appending(key).description
                var status = Place.Status.annotation
                defer { places.append(Place(path: path, keyword: key, status: status)) }
                if Self.descriptive.contains(key) || schema.unknownKeywords.contains(key) {
                    note(key, in: &notes)
                } else if key == "format", formats == .annotate || KnownFormat(rawValue: schema.format ?? "") == nil {
                    note(key, in: &notes)
                    if let format = schema.format, KnownFormat(rawValue: format) == nil {
                        note(format, in: &unknownFormats)
                    }
                } else {
                    status = .exact
                    if counts[key] == nil { order.append(key) }
                    counts[key, default: 0] += 1
                }
            }
        }
        enforced = order.map { ($0, counts[$0] ?? 0) }
        annotations = notes
    }

    /// Marks the keywords that diagnostics are about.
    mutating func mark(_ status: Place.Status, _ diagnostics: [Diagnostic]) {
        var reasons: [String: String] = [:]
        for diagnostic in diagnostics {
            if let path = diagnostic.path { reasons[path.description] = diagnostic.message }
        }
        for index in places.indices {
            guard let reason = reasons[places[index].path] else { continue }
            places[index].status = status
            places[index].reason = reason
        }
    }

    /// Marks the keywords that depend on a source text that is not there yet.
    mutating func markVerbatim() {
        for index in places.indices where places[index].keyword == "x-verbatim" { places[index].status = .later }
    }

    /// The places, one a line.
    var lines: [String] {
        let width = min(60, places.map(\.path.count).max() ?? 0)
        return places.map { place in
            let path = place.path.padding(toLength: max(width, place.path.count), withPad: " ", startingAt: 0)
            return "    \(path)  \(place.status.rawValue)" + (place.reason.map { ": \($0)" } ?? "")
        }
    }

    /// The places as JSON.
    var value: JSONValue {
        .array(
            places.map { place in
                var members: [(key: String, value: JSONValue)] = [
                    ("path", .string(place.path)), ("keyword", .string(place.keyword)),
                    ("status", .string(place.status.rawValue)),
                ]
                if let reason = place.reason { members.append(("reason", .string(reason))) }
                return .object(JSONObject(members))
            })
    }
}
