// SPDX-License-Identifier: Apache-2.0

import Documents

/// A JSON value of which more may come.
public struct PartialValue: Sendable {
    /// What there is of it. A text has the characters that came; other values are there as a whole or not at all.
    public let value: StructuredValue
    /// The way to the innermost value that is not complete, from here; nil where all of this one is.
    private let open: ArraySlice<String>?

    init(_ value: JSONValue, open: ArraySlice<String>?) {
        self.value = StructuredValue(value)
        self.open = open
    }

    /// A value that has come in full.
    public init(_ value: StructuredValue) {
        self.value = value
        open = nil
    }

    /// Whether nothing more will come.
    public var isComplete: Bool { open == nil }

    /// The members of an object; nil where the value is none.
    public var members: PartialMembers? {
        value.value.objectValue.map { PartialMembers(object: $0, open: open) }
    }

    /// The elements of an array; nil where the value is none.
    var elements: [PartialValue]? {
        guard let elements = value.value.arrayValue else { return nil }
        return elements.enumerated().map { index, element in
            PartialValue(element, open: open?.first == "\(index)" ? open?.dropFirst() : nil)
        }
    }

    /// The members of an object with their keys.
    var entries: [(key: String, value: PartialValue)]? {
        value.value.objectValue.map { object in
            object.map { ($0.key, PartialValue($0.value, open: open?.first == $0.key ? open?.dropFirst() : nil)) }
        }
    }
}

/// The members of an object of which more may come.
public struct PartialMembers: Sendable {
    fileprivate let object: JSONObject
    fileprivate let open: ArraySlice<String>?

    /// What is certain of a member; nil where nothing is.
    public func value<Value: Structured>(_ key: String, as type: Value.Type) -> Value.PartiallyFilled? {
        guard let found = object[key], !found.isNull || Value.acceptsNull else { return nil }
        return Value.partiallyFilled(from: PartialValue(found, open: open?.first == key ? open?.dropFirst() : nil))
    }
}

extension Structured {
    /// Whether null is a value of the type, and not only absence.
    static var acceptsNull: Bool { Self.self is any NullAccepting.Type }
}

/// Marks the types that read null.
protocol NullAccepting {}
