// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
    /// The value with the part at a pointer replaced; nil where there is no such part.
    package func replacing(_ pointer: JSONPointer, with value: JSONValue) -> JSONValue? {
        edited(pointer.tokens[...]) { _ in value }
    }

    /// The value with a member's key changed and its place kept; nil where the key is absent or the new one is there.
    package func renaming(_ key: String, to new: String, in parent: JSONPointer) -> JSONValue? {
        edited(parent.tokens[...]) { value in
            guard case .object(let object) = value, object.position(of: key) != nil, object.position(of: new) == nil
            else {
                return nil
            }
            return .object(
                JSONObject(object.members.map { ScalarText.equal($0.key, key) ? (key: new, value: $0.value) : $0 }))
        }
    }

    /// The value with a member added at the end of an object; nil where the key is there already.
    package func inserting(_ key: String, _ member: JSONValue, in parent: JSONPointer) -> JSONValue? {
        edited(parent.tokens[...]) { value in
            guard case .object(var object) = value, object.position(of: key) == nil else { return nil }
            object.append(key: key, value: member)
            return .object(object)
        }
    }

    // The depth is that of the pointer, which the readers bound.
    private func edited(_ path: ArraySlice<String>, _ change: (JSONValue) -> JSONValue?) -> JSONValue? {
        guard let token = path.first else { return change(self) }
        switch self {
        case .object(var object):
            guard let inner = object[token]?.edited(path.dropFirst(), change) else { return nil }
            object.append(key: token, value: inner)
            return .object(object)
        case .array(var elements):
            guard let index = JSONPointer.index(token), index < elements.count,
                let inner = elements[index].edited(path.dropFirst(), change)
            else { return nil }
            elements[index] = inner
            return .array(elements)
        default: return nil
        }
    }
}
