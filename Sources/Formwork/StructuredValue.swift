// SPDX-License-Identifier: Apache-2.0

import Documents

/// A JSON value, from which values of Swift types are read and to which they are written.
///
/// Numbers keep all their digits.
public struct StructuredValue: Sendable, Hashable, CustomStringConvertible {
    let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    /// JSON's null.
    public static let null = StructuredValue(.null)

    /// Reads a JSON text.
    ///
    /// - Throws: ``StructuredValueError`` where the text is not JSON.
    public init(json: String) throws(StructuredValueError) {
        do {
            value = try JSONReader.read(Array(json.utf8), file: nil).root.value
        } catch {
            throw StructuredValueError("the text is not JSON: \(error)")
        }
    }

    /// The value as JSON on one line.
    public var json: String { value.description }

    public var description: String { json }

    /// Whether the value is null.
    public var isNull: Bool { value.isNull }

    /// What the value is, for messages.
    var kind: String {
        switch value {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a text"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The members of an object.
    ///
    /// - Throws: ``StructuredValueError`` where the value is none.
    public func members<Value>(of type: Value.Type) throws(StructuredValueError) -> StructuredMembers {
        guard case .object(let object) = value else {
            throw StructuredValueError("'\(Value.self)' is read from an object, not from \(kind)")
        }
        return StructuredMembers(object: object)
    }

    // MARK: Alternatives

    /// An alternative without values.
    public static func alternative(_ name: String) -> StructuredValue { StructuredValue(.string(name)) }

    /// An alternative with a value, or with members.
    public static func alternative(_ name: String, _ value: StructuredValue) -> StructuredValue {
        StructuredValue(.object([name: value.value]))
    }

    /// Which of the alternatives of a type the value is.
    ///
    /// - Throws: ``StructuredValueError`` where it is none.
    public func alternative<Value>(of type: Value.Type) throws(StructuredValueError) -> StructuredAlternative {
        switch value {
        case .string(let name): return StructuredAlternative(name: name, type: "\(Value.self)", content: nil)
        case .object(let object) where object.count == 1:
            return StructuredAlternative(
                name: object[0].key, type: "\(Value.self)", content: StructuredValue(object[0].value))
        default:
            throw StructuredValueError(
                "'\(Value.self)' is read from a text or from an object with one member, not from \(kind)")
        }
    }
}

/// One of the alternatives of a type, as it was read.
public struct StructuredAlternative: Sendable {
    /// Its name.
    public let name: String
    fileprivate let type: String
    /// Nil where there was the name alone.
    fileprivate let content: StructuredValue?

    fileprivate init(name: String, type: String, content: StructuredValue?) {
        self.name = name
        self.type = type
        self.content = content
    }

    /// What to throw where there is no alternative of that name.
    public var unknown: StructuredValueError { StructuredValueError("'\(type)' has no case '\(name)'") }

    /// Throws where the alternative has values.
    public func expectPlain() throws(StructuredValueError) {
        if content != nil { throw StructuredValueError("the case '\(name)' of '\(type)' has no values") }
    }

    /// The alternative's one value.
    public func value<Value: Structured>(as type: Value.Type) throws(StructuredValueError) -> Value {
        let content = try found
        do {
            return try Value(structuredValue: content)
        } catch {
            throw error.inside(name)
        }
    }

    /// The alternative's members.
    public var members: StructuredMembers {
        get throws(StructuredValueError) { try found.members(of: Self.self) }
    }

    private var found: StructuredValue {
        get throws(StructuredValueError) {
            guard let content else { throw StructuredValueError("the case '\(name)' of '\(type)' needs its values") }
            return content
        }
    }
}

/// The members of an object, to read values of Swift types from or to write them to.
public struct StructuredMembers: Sendable {
    private var object: JSONObject

    fileprivate init(object: JSONObject) { self.object = object }

    /// No members.
    public init() { object = [:] }

    /// Whether there is a member with the key.
    public func contains(_ key: String) -> Bool { object.position(of: key) != nil }

    /// Reads a member that must be there.
    ///
    /// - Throws: ``StructuredValueError`` where it is not, or is of another kind.
    public func value<Value: Structured>(_ key: String, as type: Value.Type) throws(StructuredValueError) -> Value {
        guard let found = object[key] else { throw StructuredValueError("there is no '\(key)'") }
        do {
            return try Value(structuredValue: StructuredValue(found))
        } catch {
            throw error.inside(key)
        }
    }

    /// Reads a member that may be absent or null.
    ///
    /// - Throws: ``StructuredValueError`` where it is of another kind.
    public func optional<Value: Structured>(_ key: String, as type: Value.Type) throws(StructuredValueError) -> Value? {
        guard let found = object[key], !found.isNull else { return nil }
        return try value(key, as: type)
    }

    /// Writes a member.
    public mutating func append<Value: Structured>(_ key: String, _ value: Value, guides: [ValueGuide<Value>] = []) {
        object.append(key: key, value: guides.reduce(value.structuredValue.value) { $1.respell($0) })
    }

    /// Writes a member, but nothing for nil.
    public mutating func appendOptional<Value: Structured>(
        _ key: String, _ value: Value?, guides: [ValueGuide<Value>] = []
    ) {
        if let value { append(key, value, guides: guides) }
    }

    /// Writes a member, and null for nil.
    public mutating func appendNullable<Value: Structured>(
        _ key: String, _ value: Value?, guides: [ValueGuide<Value>] = []
    ) {
        if let value { append(key, value, guides: guides) } else { object.append(key: key, value: .null) }
    }

    /// The object.
    public var value: StructuredValue { StructuredValue(.object(object)) }
}

/// A JSON value that does not fit a Swift type.
public struct StructuredValueError: Error, Sendable, CustomStringConvertible {
    /// What does not fit.
    public var message: String
    /// Where in the value: keys and the numbers of elements, from the outside in.
    public var path: [String] = []

    public init(_ message: String) { self.message = message }

    /// The same, seen from a value around it.
    func inside(_ key: String) -> StructuredValueError {
        var error = self
        error.path.insert(key, at: 0)
        return error
    }

    public var description: String { path.isEmpty ? message : "\(path.joined(separator: ".")): \(message)" }
}
