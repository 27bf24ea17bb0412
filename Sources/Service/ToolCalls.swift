// SPDX-License-Identifier: Apache-2.0

import Constraints
package import Documents
import JSONSchemas

/// The tools of a request: the grammar of an answer with calls, what the model is told, and how calls are found again.
///
/// Calls are written as `<tool_call>{"name": …, "arguments": …}</tool_call>`, the form that Qwen, Hermes and SmolLM models
/// were trained on.
package struct ToolCalls: Sendable {
    struct Tool: Sendable {
        var name: String
        var description: String?
        var parameters: JSONValue
    }

    package struct Call: Sendable {
        package var name: String
        package var arguments: JSONValue
    }

    /// Whether and what the model calls.
    enum Choice: Sendable, Hashable {
        case automatic, required, none
        case named(String)
    }

    static let begin = "<tool_call>\n"
    static let end = "\n</tool_call>"
    static let maximumTools = 128
    private static let maximumCalls = 8

    var tools: [Tool]
    var choice: Choice
    /// Whether several tools may be called in one answer.
    var isParallel: Bool

    /// The tools that may be called.
    private var usable: [Tool] {
        if case .named(let name) = choice { tools.filter { $0.name == name } } else { tools }
    }

    /// Reads OpenAI's `tools`: functions with a name and a JSON Schema.
    ///
    /// - Throws: ``ServiceFault``.
    static func tools(_ values: [JSONValue]) throws -> [Tool] {
        guard values.count <= maximumTools else {
            throw ServiceFault.invalid("tools", "at most \(maximumTools) tools are allowed")
        }
        var names: Set<String> = []
        return try values.enumerated().map { index, value in
            let place = "tools[\(index)]"
            var fields = try RequestFields(value, prefix: place + ".")
            let kind = try fields.string("type") ?? "function"
            guard kind == "function", var function = try fields.fields("function") else {
                throw ServiceFault.invalid(place, "only tools of type 'function' are supported", code: "unsupported_value")
            }
            try fields.finish()
            let name = try function.requiredString("name")
            let isPlain = name.utf8.allSatisfy {
                $0 == 45 || $0 == 46 || $0 == 95 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            }
            guard isPlain, (1...64).contains(name.utf8.count) else {
                throw ServiceFault.invalid(
                    place + ".function.name", "a tool's name has 1 to 64 letters, digits, '_', '-' or '.'")
            }
            guard names.insert(name).inserted else {
                throw ServiceFault.invalid(place + ".function.name", "there are two tools with the name '\(name)'")
            }
            let description = try function.string("description")
            let parameters = function.value("parameters") ?? ["type": "object", "additionalProperties": false]
            // Every schema is enforced, strict or not.
            function.ignore("strict")
            try function.finish()
            return Tool(name: name, description: description, parameters: parameters)
        }
    }

    /// The grammar of an answer, with a key that is the same for the same tools.
    func grammar() throws -> (grammar: Grammar, key: String) {
        let mustCall = choice != .automatic
        var tools: [JSONValue] = []
        for tool in usable {
            var entry: JSONObject = ["name": .string(tool.name)]
            if let description = tool.description { entry.append(key: "description", value: .string(description)) }
            entry.append(key: "parameters", value: tool.parameters)
            tools.append(.object(entry))
        }
        let most = isParallel ? Self.maximumCalls : 1
        let form: JSONValue = [
            "blocks": ["min": .number(DecimalNumber(mustCall ? 1 : 0)), "max": .number(DecimalNumber(most))],
            "before": mustCall ? "nothing" : "text", "between": "space", "after": "nothing",
            "triggers": [["begin": .string(Self.begin), "tools": .array(tools), "end": .string(Self.end)]],
        ]
        let text = JSONWriter(style: .compact).write(form)
        let reader = BlocksReader(registry: SchemaRegistry(), limits: GrammarLimits(), readFile: nil)
        return (try reader.read(Array(text.utf8), file: nil), text)
    }

    /// What the model is told.
    var instruction: String {
        var text = "You can call these tools:\n"
        for tool in usable {
            text += "- \(tool.name)" + (tool.description.map { ": \($0)" } ?? "") + "\n  arguments: "
                + JSONWriter(style: .compact).write(tool.parameters) + "\n"
        }
        text += "To call a tool, write:\n\(Self.begin){\"name\": \"TOOL\", \"arguments\": {…}}\(Self.end)\n"
        switch choice {
        case .required, .named: text += "Answer with a call" + (isParallel ? ", or several." : ".")
        default: text += "Otherwise answer in plain text."
        }
        return text
    }

    /// The text of an answer without its calls, and the calls.
    package static func parse(_ answer: String) -> (content: String, calls: [Call]) {
        let parts = answer.split(separator: begin, omittingEmptySubsequences: false)
        guard parts.count > 1 else { return (answer, []) }
        var calls: [Call] = []
        for part in parts.dropFirst() {
            guard let range = part.firstRange(of: end),
                let value = try? JSONReader.read(Array(part[..<range.lowerBound].utf8), file: nil).root.value,
                let name = value["name"]?.stringValue
            else { continue }
            calls.append(Call(name: name, arguments: value["arguments"] ?? [:]))
        }
        return (String(parts[0]), calls)
    }
}
