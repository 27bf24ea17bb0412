// SPDX-License-Identifier: Apache-2.0

/// A type whose values can be made from text.
///
/// Types get the conformance from the macro ``Structured(description:)``; the numbers and texts of Swift, arrays,
/// dictionaries, optionals and some types of Foundation have it already.
///
/// A type that the macro is not for can conform by way of one that does:
///
///     extension Postcode: Structured {
///         static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode {
///             schema.node(of: String.self, guides: [.pattern("^[0-9]{5}$")])
///         }
///         init(structuredValue: StructuredValue) throws(StructuredValueError) {
///             self.init(try String(structuredValue: structuredValue))
///         }
///         var structuredValue: StructuredValue { text.structuredValue }
///     }
public protocol Structured: Sendable {
    /// A value that has not come in full: all members are optional. The type itself where a value comes as a whole.
    associatedtype PartiallyFilled: Sendable = Self

    /// What a value looks like in JSON.
    static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode

    /// Reads a value that fits the schema.
    ///
    /// - Throws: ``StructuredValueError`` where it does not fit.
    init(structuredValue: StructuredValue) throws(StructuredValueError)

    /// The value in JSON, such that it reads as the same value again.
    var structuredValue: StructuredValue { get }

    /// What is certain of a value that has not come in full; nil where nothing is.
    static func partiallyFilled(from part: PartialValue) -> PartiallyFilled?
}

extension Structured where PartiallyFilled == Self {
    /// The value, once it is there as a whole.
    public static func partiallyFilled(from part: PartialValue) -> Self? {
        part.isComplete ? try? Self(structuredValue: part.value) : nil
    }
}

/// What there may be of a value before it has come in full.
public typealias Partial<Value: Structured> = Value.PartiallyFilled

/// One of the values that a ``StructuredChoice`` may have.
public struct Choice<Value: Sendable>: Sendable {
    /// How the value is written in JSON.
    let written: StructuredValue
    let value: Value
    let description: String?

    /// Names a value.
    ///
    /// - Parameters:
    ///   - written: What it is written as.
    ///   - value: The value.
    ///   - description: What it means, for the model.
    public init(_ written: some Structured, _ value: Value, description: String? = nil) {
        self.written = written.structuredValue
        self.value = value
        self.description = description
    }
}

/// A type with a fixed list of values, such as an enum whose cases have no values of their own.
public protocol StructuredChoice: Structured, Equatable where PartiallyFilled == Self {
    /// What the type is, for the model.
    static var structuredDescription: String? { get }
    /// All values.
    static var structuredChoices: [Choice<Self>] { get }
}

extension StructuredChoice {
    /// No description.
    public static var structuredDescription: String? { nil }

    public static func structuredSchema(in schema: inout SchemaBuilder) -> SchemaNode { schema.choice(Self.self) }

    public init(structuredValue: StructuredValue) throws(StructuredValueError) {
        guard let choice = Self.structuredChoices.first(where: { $0.written == structuredValue }) else {
            throw StructuredValueError("\(structuredValue.json) is none of the values of '\(Self.self)'")
        }
        self = choice.value
    }

    public var structuredValue: StructuredValue {
        Self.structuredChoices.first { $0.value == self }?.written ?? .null
    }
}
