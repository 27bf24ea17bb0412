// SPDX-License-Identifier: Apache-2.0

extension Node {
    /// Whether the node has the value, in JSON Schema's sense of equality.
    public func matches(_ other: JSONValue) -> Bool {
        switch (kind, other) {
        case (.null, .null): return true
        case (.bool, .bool(let value)): return boolValue == value
        case (.number, .number(let value)): return numberValue == value
        case (.string, .string(let value)):
            var copy = value
            return copy.withUTF8 { bytes in withUTF8 { $0.elementsEqual(bytes) } ?? false }
        case (.array, .array(let values)):
            return count == values.count && zip(elements, values).allSatisfy { $0.matches($1) }
        case (.object, .object(let object)):
            // With duplicate keys the counts differ though the values may be equal.
            if count != object.count { return value == other }
            return object.members.allSatisfy { self[$0.key]?.matches($0.value) ?? false }
        default: return false
        }
    }

    /// Whether both nodes have equal values, in JSON Schema's sense of equality.
    public func isEqual(_ other: Node) -> Bool {
        if self == other { return true }
        guard kind == other.kind else { return false }
        switch kind {
        case .null: return true
        case .bool: return boolValue == other.boolValue
        case .number: return numberValue == other.numberValue
        case .string:
            return withUTF8 { mine in other.withUTF8 { $0.elementsEqual(mine) } ?? false } ?? false
        case .array:
            return count == other.count && zip(elements, other.elements).allSatisfy { $0.isEqual($1) }
        case .object:
            // Of duplicate keys only the last counts; the fast way needs each key once.
            if document.tree.hasDuplicateKeys || other.document.tree.hasDuplicateKeys { return value == other.value }
            guard count == other.count else { return false }
            return members.allSatisfy { member in
                let same = member.keyNode.withUTF8 { other.member(utf8: $0) } ?? nil
                return same.map { $0.value.isEqual(member.value) } ?? false
            }
        }
    }
}
