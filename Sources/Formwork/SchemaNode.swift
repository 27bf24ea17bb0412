// SPDX-License-Identifier: Apache-2.0

import Documents

/// What a type's values look like in JSON: a schema that is not written down yet.
///
/// Nodes come from ``SchemaBuilder``.
public struct SchemaNode: Sendable {
    indirect enum Shape: Sendable {
        /// Nothing but keywords.
        case plain
        case object([Member])
        case array(SchemaNode)
        case map(SchemaNode, keys: SchemaNode?)
        case anyOf([SchemaNode])
        /// A type that is described elsewhere, by its number.
        case reference(Int)
    }

    struct Member: Sendable {
        var key: String
        var node: SchemaNode
        var isRequired: Bool
    }

    var shape: Shape
    var type: String?
    var description: String?
    /// Keywords that are enforced.
    var enforced = JSONObject()
    /// Keywords that the model is shown.
    var shown = JSONObject()
    /// Bounds that come from the Swift type and not from a guide; they are enforced where no guide says more.
    var implied = JSONObject()
    /// The guides that set keywords.
    var guides: [String: String] = [:]
    /// The default value, which says something to the model and is not enforced.
    var defaultValue: JSONValue?
    /// What the node is, for messages.
    var owner = ""

    init(_ shape: Shape, type: String? = nil, implied: JSONObject = [:]) {
        self.shape = shape
        self.type = type
        self.implied = implied
    }

    /// A node with a type and keywords that are enforced and shown alike.
    init(type: String, _ keywords: JSONObject = [:], implied: JSONObject = [:]) {
        self.init(.plain, type: type, implied: implied)
        enforced = keywords
        shown = keywords
    }
}

/// A guide that makes no sense or contradicts another.
struct GuideProblem: Sendable {
    var owner: String
    var guide: String
    var reason: String

    var message: String { "the guide '\(guide)' of '\(owner)' cannot be used: \(reason)" }
}

extension SchemaNode {
    /// Adds what guides say.
    mutating func apply(_ rules: [GuideRule], problems: inout [GuideProblem]) {
        for rule in rules {
            let problem = { [owner] reason in GuideProblem(owner: owner, guide: rule.name, reason: reason) }
            switch rule.effect {
            case .problem(let reason): problems.append(problem(reason))
            case .keywords(let enforced, let shown):
                let known = enforced.keys + shown.keys
                if let other = known.compactMap({ guides[$0] }).first {
                    problems.append(problem("'\(other)' says something about the same already"))
                    continue
                }
                for key in known { guides[key] = rule.name }
                for (key, value) in enforced { self.enforced.append(key: key, value: value) }
                for (key, value) in shown { self.shown.append(key: key, value: value) }
            case .dateFormat(let form):
                if let other = guides["format"] {
                    problems.append(problem("'\(other)' says something about the same already"))
                    continue
                }
                guides["format"] = rule.name
                enforced.append(key: "format", value: .string(form == .day ? "date" : "date-time"))
                shown.append(key: "format", value: .string(form == .day ? "date" : "date-time"))
            case .elements(let rules):
                guard case .array(var element) = shape else { continue }
                element.owner = owner
                element.apply(rules, problems: &problems)
                shape = .array(element)
            case .values(let rules):
                guard case .map(var value, let keys) = shape else { continue }
                value.owner = owner
                value.apply(rules, problems: &problems)
                shape = .map(value, keys: keys)
            case .keys(let rules):
                guard case .map(let value, let keys) = shape else { continue }
                var node = keys ?? SchemaNode(type: "string")
                node.owner = owner
                node.apply(rules, problems: &problems)
                shape = .map(value, keys: node)
            }
        }
    }

    /// The node, or null.
    func orNull() -> SchemaNode {
        var node = SchemaNode(.anyOf([self, SchemaNode(type: "null")]))
        node.description = description
        node.owner = owner
        return node
    }
}
