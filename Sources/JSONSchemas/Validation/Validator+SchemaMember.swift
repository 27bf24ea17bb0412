// SPDX-License-Identifier: Apache-2.0

import Documents

extension Validator {
    private static let member = "$schema"

    /// The document of a value without the `$schema` member at its root, its nodes with their places; nil where there is
    /// none, or where it counts.
    func withoutSchemaMember(_ node: Node) -> Document? {
        guard passesOverSchemaMember, node.parent == nil, node.kind == .object, node[Self.member]?.kind == .string,
            !graph.subschemas.contains(where: { schema in schema.properties.contains { $0.key == Self.member } }),
            case .object(var object) = node.value
        else { return nil }
        object[Self.member] = nil
        var places: [JSONPointer: Range<Int>] = [:]
        var keys: [JSONPointer: Range<Int>] = [:]
        Self.collect(node, .root, &places, &keys)
        return Document(value: .object(object), source: node.source, places: places, keys: keys)
    }

    // The depth is that of the document, which its reader bounds.
    private static func collect(
        _ node: Node, _ path: JSONPointer, _ places: inout [JSONPointer: Range<Int>],
        _ keys: inout [JSONPointer: Range<Int>]
    ) {
        places[path] = node.byteRange
        for member in node.members {
            let own = path.appending(member.key)
            keys[own] = member.keyNode.byteRange
            collect(member.value, own, &places, &keys)
        }
        for (index, element) in node.elements.enumerated() {
            collect(element, path.appending(index), &places, &keys)
        }
    }
}
