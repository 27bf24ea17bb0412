// SPDX-License-Identifier: Apache-2.0

import Documents

extension String: Structured {
    public typealias PartiallyFilled = String

    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode { SchemaNode(type: "string") }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard let text = structuredValue.value.stringValue else {
            throw StructuredValueError("a text is read from a string, not from \(structuredValue.kind)")
        }
        self = text
    }

    public var structuredValue: StructuredValue { StructuredValue(.string(self)) }

    /// The characters that have come.
    public static func partiallyFilled(from part: PartialValue) -> String? { part.value.value.stringValue }
}

extension Bool: Structured {
    public typealias PartiallyFilled = Bool

    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode { SchemaNode(type: "boolean") }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard let flag = structuredValue.value.boolValue else {
            throw StructuredValueError("a truth value is read from 'true' or 'false', not from \(structuredValue.kind)")
        }
        self = flag
    }

    public var structuredValue: StructuredValue { StructuredValue(.bool(self)) }
}

// MARK: Numbers

extension Structured where Self: FixedWidthInteger, PartiallyFilled == Self {
    /// An integer within the bounds of the type.
    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        let bounds = [("minimum", min), ("maximum", max)].compactMap { key, bound in
            DecimalNumber("\(bound)").map { (key: key, value: JSONValue.number($0)) }
        }
        return SchemaNode(type: "integer", implied: JSONObject(bounds))
    }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard let number = structuredValue.value.numberValue else {
            throw StructuredValueError("'\(Self.self)' is read from a number, not from \(structuredValue.kind)")
        }
        guard number.isInteger, let value = Self(number.description) else {
            throw StructuredValueError(
                "\(structuredValue.json) is no integer from \(Self.min) to \(Self.max), which '\(Self.self)' holds")
        }
        self = value
    }

    public var structuredValue: StructuredValue {
        StructuredValue(DecimalNumber("\(self)").map { .number($0) } ?? .null)
    }
}

extension Int: Structured { public typealias PartiallyFilled = Int }
extension Int8: Structured { public typealias PartiallyFilled = Int8 }
extension Int16: Structured { public typealias PartiallyFilled = Int16 }
extension Int32: Structured { public typealias PartiallyFilled = Int32 }
extension Int64: Structured { public typealias PartiallyFilled = Int64 }
extension UInt: Structured { public typealias PartiallyFilled = UInt }
extension UInt8: Structured { public typealias PartiallyFilled = UInt8 }
extension UInt16: Structured { public typealias PartiallyFilled = UInt16 }
extension UInt32: Structured { public typealias PartiallyFilled = UInt32 }
extension UInt64: Structured { public typealias PartiallyFilled = UInt64 }

extension StructuredFloat {
    /// A number. Where the type is smaller than `Double`, within its bounds.
    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        // Exponents have two digits at most, which `Double` holds without more ado.
        guard Self.self != Double.self, let most = Self.greatestFiniteMagnitude.decimal else {
            return SchemaNode(type: "number")
        }
        return SchemaNode(type: "number", implied: ["minimum": .number(-most), "maximum": .number(most)])
    }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard let number = structuredValue.value.numberValue else {
            throw StructuredValueError("'\(Self.self)' is read from a number, not from \(structuredValue.kind)")
        }
        guard let value = Self("\(number)"), value.isFinite else {
            throw StructuredValueError("\(structuredValue.json) is too large for '\(Self.self)'")
        }
        self = value
    }

    /// The shortest number that reads as the same value; null for infinities and NaN, which JSON does not have.
    public var structuredValue: StructuredValue { StructuredValue(decimal.map { .number($0) } ?? .null) }
}

extension Double { public typealias PartiallyFilled = Double }
extension Float { public typealias PartiallyFilled = Float }

// MARK: Collections

extension Array: Structured where Element: Structured {
    public typealias PartiallyFilled = [Element.PartiallyFilled]

    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        SchemaNode(.array(schema.node(of: Element.self)), type: "array")
    }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard case .array(let elements) = structuredValue.value else {
            throw StructuredValueError("an array is not read from \(structuredValue.kind)")
        }
        self.init()
        reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do {
                append(try Element(structuredValue: StructuredValue(element)))
            } catch {
                throw error.inside("\(index)")
            }
        }
    }

    public var structuredValue: StructuredValue { StructuredValue(.array(map(\.structuredValue.value))) }

    /// The elements that have come, the last of them as far as it has.
    public static func partiallyFilled(from part: PartialValue) -> [Element.PartiallyFilled]? {
        part.elements?.compactMap { Element.partiallyFilled(from: $0) }
    }
}

extension Dictionary: Structured where Key == String, Value: Structured {
    public typealias PartiallyFilled = [String: Value.PartiallyFilled]

    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        SchemaNode(.map(schema.node(of: Value.self), keys: nil), type: "object")
    }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard case .object(let object) = structuredValue.value else {
            throw StructuredValueError("a dictionary is read from an object, not from \(structuredValue.kind)")
        }
        self.init(minimumCapacity: object.count)
        for (key, value) in object {
            do throws(StructuredValueError) {
                let read = try Value(structuredValue: StructuredValue(value))
                guard updateValue(read, forKey: key) == nil else {
                    throw StructuredValueError("there is another key that Swift takes for the same text")
                }
            } catch {
                throw error.inside(key)
            }
        }
    }

    /// The entries in the order of their keys.
    public var structuredValue: StructuredValue {
        let entries = sorted { $0.key < $1.key }
        return StructuredValue(
            .object(JSONObject(entries.map { (key: $0.key, value: $0.value.structuredValue.value) })))
    }

    /// The entries that have come, the last of them as far as it has.
    public static func partiallyFilled(from part: PartialValue) -> [String: Value.PartiallyFilled]? {
        guard let entries = part.entries else { return nil }
        var filled: [String: Value.PartiallyFilled] = [:]
        for (key, value) in entries { filled[key] = Value.partiallyFilled(from: value) }
        return filled
    }
}

extension Optional: NullAccepting {}

extension Optional: Structured where Wrapped: Structured {
    public typealias PartiallyFilled = Wrapped.PartiallyFilled?

    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
        schema.node(of: Wrapped.self).orNull()
    }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        self = structuredValue.isNull ? nil : try Wrapped(structuredValue: structuredValue)
    }

    public var structuredValue: StructuredValue { self?.structuredValue ?? .null }

    public static func partiallyFilled(from part: PartialValue) -> Wrapped.PartiallyFilled?? {
        if part.value.isNull { return .some(nil) }
        return Wrapped.partiallyFilled(from: part).map { .some($0) }
    }
}
