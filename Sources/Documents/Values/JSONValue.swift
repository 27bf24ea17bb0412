// SPDX-License-Identifier: Apache-2.0

/// A JSON value without a place in a document.
///
/// Equality is that of JSON Schema: numbers by value (`1` equals `1.0`), strings and keys by code point (never by
/// canonical equivalence), objects without regard to the order of members.
///
///     let value: JSONValue = ["name": "Ada", "tags": ["x", 1, nil]]
///     value["name"]?.stringValue  // "Ada"
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(DecimalNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The truth value, or nil for other kinds.
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The number, or nil for other kinds.
    public var numberValue: DecimalNumber? { if case .number(let value) = self { value } else { nil } }
    /// The number as an `Int`, or nil for other kinds, fractions and numbers that do not fit.
    public var intValue: Int? { numberValue?.intValue }
    /// The text, or nil for other kinds.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    /// The elements, or nil for other kinds.
    public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The object, or nil for other kinds.
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// Whether the value is null.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The member with the key, or nil where there is none or the value is not an object.
    public subscript(key: String) -> JSONValue? { objectValue?[key] }

    /// The element at the index, or nil where there is none or the value is not an array.
    public subscript(index: Int) -> JSONValue? {
        guard let array = arrayValue, array.indices.contains(index) else { return nil }
        return array[index]
    }
}

extension JSONValue: Hashable {
    public static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.number(let x), .number(let y)): x == y
        case (.string(let x), .string(let y)): ScalarText.equal(x, y)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0 as UInt8)
        case .bool(let value):
            hasher.combine(1 as UInt8)
            hasher.combine(value)
        case .number(let value):
            hasher.combine(2 as UInt8)
            hasher.combine(value)
        case .string(let value):
            hasher.combine(3 as UInt8)
            ScalarText.hash(value, into: &hasher)
        case .array(let value):
            hasher.combine(4 as UInt8)
            hasher.combine(value)
        case .object(let value):
            hasher.combine(5 as UInt8)
            hasher.combine(value)
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(DecimalNumber(value)) }
    public init(floatLiteral value: Double) { self = .number(DecimalNumber(value) ?? .zero) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { (key: $0.0, value: $0.1) }))
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON.
    public var description: String { JSONWriter(style: .compact).write(self) }
}
