// SPDX-License-Identifier: Apache-2.0

package import Documents
import Patterns

/// Finds a JSON Schema that example documents have in common.
///
///     let inference = SchemaInference()
///     for document in documents { inference.add(document.root) }
///     print(inference.schema)
///
/// Every example is valid under the result. It says which types occur, which keys every object has, and which format all
/// texts of a place have; closed sets of words only where asked for.
package final class SchemaInference: @unchecked Sendable {  // one thread at a time: the caller's, or the one it waits for
    package struct Options: Sendable {
        /// Texts become an `enum` where there are at most so many different ones and each occurs twice on average; 0 never.
        package var maximumWords = 0
        /// Whether keys that no example has are refused.
        package var isClosed = false
        /// Whether formats are stated.
        package var findsFormats = true
        package init() {}
    }

    /// What the values of one place have in common.
    private final class Shape {
        var count = 0
        var nulls = 0
        var booleans = 0
        var numbers = 0
        var hasFractions = false
        var strings = 0
        var words: Set<ScalarString>? = []
        var wordOrder: [String] = []
        var formats = SchemaInference.formats
        var objects = 0
        var keys: [String] = []
        var members: [ScalarString: Shape] = [:]
        var arrays = 0
        var elements: Shape?
    }

    /// Formats that texts are tested for, the narrower before the wider.
    private static let formats: [KnownFormat] = [.dateTime, .date, .time, .uuid, .ipv4, .ipv6, .email, .uri]
    private static let maximumWordsKept = 256
    /// Keys of one object beyond which it is taken for a map.
    private static let maximumKeys = 2_000

    private let options: Options
    private let root = Shape()

    package init(options: Options = Options()) { self.options = options }

    /// Takes in an example.
    package func add(_ node: Node) {
        // Nodes and shapes side by side, so that nothing recurses.
        var open: [(node: Node, shape: Shape)] = [(node, root)]
        while let (node, shape) = open.popLast() {
            shape.count += 1
            switch node.kind {
            case .null: shape.nulls += 1
            case .bool: shape.booleans += 1
            case .number:
                shape.numbers += 1
                if node.numberValue?.isInteger != true { shape.hasFractions = true }
            case .string: Self.add(node.stringValue ?? "", to: shape)
            case .array:
                shape.arrays += 1
                guard node.count > 0 else { continue }
                let inner = shape.elements ?? Shape()
                shape.elements = inner
                for element in node.elements.reversed() { open.append((element, inner)) }
            case .object:
                shape.objects += 1
                for member in node.members {
                    let key = ScalarString(member.key)
                    if shape.members[key] == nil {
                        shape.members[key] = Shape()
                        shape.keys.append(member.key)
                    }
                }
                for member in node.members.reversed() {
                    // Of members with the same key the last counts.
                    guard let inner = shape.members[ScalarString(member.key)],
                        node.member(member.key)?.value == member.value
                    else { continue }
                    open.append((member.value, inner))
                }
            }
        }
    }

    private static func add(_ text: String, to shape: Shape) {
        shape.strings += 1
        if shape.words != nil, shape.words?.insert(ScalarString(text)).inserted == true {
            shape.wordOrder.append(text)
            if shape.wordOrder.count > maximumWordsKept || text.utf8.count > 200 {
                shape.words = nil
                shape.wordOrder = []
            }
        }
        if !shape.formats.isEmpty { shape.formats.removeAll { !$0.isValid(text) } }
    }

    /// The schema, in draft 2020-12.
    package var schema: JSONValue {
        DeepStack.run { [self] in
            var schema: JSONObject = ["$schema": "https://json-schema.org/draft/2020-12/schema"]
            if case .object(let own) = describe(root) {
                for member in own.members { schema.append(key: member.key, value: member.value) }
            }
            return .object(schema)
        }
    }

    // The depth is that of the examples, which the readers bound.
    private func describe(_ shape: Shape) -> JSONValue {
        var types: [JSONValue] = []
        if shape.objects > 0 { types.append("object") }
        if shape.arrays > 0 { types.append("array") }
        if shape.strings > 0 { types.append("string") }
        if shape.numbers > 0 { types.append(shape.hasFractions ? "number" : "integer") }
        if shape.booleans > 0 { types.append("boolean") }
        if shape.nulls > 0 { types.append("null") }
        guard let first = types.first else { return [:] }
        var schema: JSONObject = ["type": types.count == 1 ? first : .array(types)]
        if shape.strings > 0 {
            let words = shape.wordOrder
            if shape.words != nil, words.count <= options.maximumWords, shape.strings >= 2 * words.count,
                shape.strings == shape.count
            {
                schema = ["enum": .array(words.sorted(by: ScalarText.less).map { .string($0) })]
            } else if options.findsFormats, let format = shape.formats.first {
                schema.append(key: "format", value: .string(format.rawValue))
            }
        }
        if shape.objects > 0 {
            if shape.members.count > Self.maximumKeys {
                schema.append(key: "additionalProperties", value: true)
            } else {
                var properties = JSONObject()
                var required: [JSONValue] = []
                for key in shape.keys {
                    guard let inner = shape.members[ScalarString(key)] else { continue }
                    properties.append(key: key, value: describe(inner))
                    if inner.count == shape.objects { required.append(.string(key)) }
                }
                if !properties.isEmpty { schema.append(key: "properties", value: .object(properties)) }
                if !required.isEmpty { schema.append(key: "required", value: .array(required)) }
                if options.isClosed { schema.append(key: "additionalProperties", value: false) }
            }
        }
        if let elements = shape.elements { schema.append(key: "items", value: describe(elements)) }
        return .object(schema)
    }
}
