// SPDX-License-Identifier: Apache-2.0

/// A value in a document, with its place.
///
/// A node is a cheap handle that keeps its document alive. Accessors of the wrong kind give nil or an empty collection.
public struct Node: Sendable {
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable { case null, bool, number, string, array, object }

    /// The document the node is part of.
    public let document: Document
    /// The node's number in its document: unique, stable, ascending in the order of the text.
    public let index: Int

    @inline(__always)
    package init(document: Document, index: Int) {
        self.document = document
        self.index = index
    }

    @inline(__always)
    var record: Tree.Record { document.tree.records[index] }

    /// What kind of value it is.
    public var kind: Kind { record.kind }
    /// Whether the value is null.
    public var isNull: Bool { record.kind == .null }

    /// The truth value, or nil for other kinds.
    public var boolValue: Bool? {
        let record = record
        return record.kind == .bool ? record.flags.contains(.isTrue) : nil
    }

    /// The number, exactly, or nil for other kinds.
    public var numberValue: DecimalNumber? {
        let record = record
        guard record.kind == .number else { return nil }
        return withText(record) { DecimalNumber(json: $0) }
    }

    /// The number as an `Int`, or nil for other kinds, fractions and numbers that do not fit.
    public var intValue: Int? { numberValue?.intValue }

    /// The number as it was written, or nil for other kinds.
    public var numberText: String? {
        let record = record
        guard record.kind == .number else { return nil }
        if record.flags.contains(.foreignNumber) {
            return String(decoding: document.bytes[Int(record.start)..<Int(record.end)], as: UTF8.self)
        }
        return withText(record) { String(decoding: $0, as: UTF8.self) }
    }

    /// The number in JSON's grammar: as written where that is JSON.
    var numberJSONText: String {
        withText(record) { String(decoding: $0, as: UTF8.self) }
    }

    /// The text, or nil for other kinds.
    public var stringValue: String? {
        let record = record
        guard record.kind == .string else { return nil }
        return withText(record) { raw in
            record.flags.contains(.escapes) ? JSONEscapes.decode(raw) : String(decoding: raw, as: UTF8.self)
        }
    }

    /// Calls `body` with the text's bytes in UTF-8; nil for other kinds than strings.
    ///
    /// Text without escapes is not copied.
    package func withUTF8<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R? {
        let record = record
        guard record.kind == .string else { return nil }
        return withText(record) { raw in
            if record.flags.contains(.escapes) {
                var decoded = JSONEscapes.decode(raw)
                return decoded.withUTF8(body)
            }
            return body(raw)
        }
    }

    /// Asks `question` about the text's bytes in UTF-8; -1 for other kinds than strings.
    ///
    /// The same as ``withUTF8(_:)`` without its generic result, which other modules cannot specialise.
    package func utf8Answer(_ question: (UnsafeBufferPointer<UInt8>) -> Int) -> Int { withUTF8(question) ?? -1 }

    @inline(__always)
    func withText<R>(_ record: Tree.Record, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        let range = Int(record.first)..<(Int(record.first) + Int(record.count))
        if record.flags.contains(.ownText) {
            return document.tree.texts.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
        }
        return document.bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// The number of elements or members; zero for other kinds.
    public var count: Int {
        let record = record
        return record.kind == .array || record.kind == .object ? Int(record.count) : 0
    }

    /// The text of its document; nil for a document made from a value.
    package var source: SourceText? { document.source }

    /// The place in the source; nil for a document made from a value.
    public var range: SourceRange? {
        guard let source = document.source else { return nil }
        let record = record
        return source.range(Int(record.start)..<Int(record.end))
    }

    /// The bytes of the source that the node takes; nil for a document made from a value.
    public var byteRange: Range<Int>? {
        guard document.source != nil else { return nil }
        let record = record
        return Int(record.start)..<Int(record.end)
    }

    /// The offset in the source at which the text of a string stands letter for letter; nil where it is escaped or folded.
    package var verbatimTextOffset: Int? {
        let record = record
        guard record.kind == .string, document.source != nil, record.flags.isDisjoint(with: [.ownText, .escapes]) else {
            return nil
        }
        return Int(record.first)
    }

    /// The array or object the node is in; nil for the root. A key's parent is the object.
    public var parent: Node? {
        index == 0 ? nil : Node(document: document, index: Int(record.parent))
    }

    /// Whether the node is the key of a member.
    public var isKey: Bool { record.flags.contains(.key) }

    /// The key's node if the node is the value of a member.
    public var keyNode: Node? {
        guard let parent, parent.kind == .object, !isKey else { return nil }
        return Node(document: document, index: index - 1)
    }

    /// The path from the root; a key has the path of its member.
    ///
    /// - Complexity: O(depth × log siblings).
    public var pointer: JSONPointer {
        var tokens: [String] = []
        var current = isKey ? Node(document: document, index: index + 1) : self
        while let parent = current.parent {
            if let key = current.keyNode {
                tokens.append(key.stringValue ?? "")
            } else {
                tokens.append(String(parent.elements.position(of: current.index)))
            }
            current = parent
        }
        return JSONPointer(tokens.reversed())
    }

    /// The value without its place; of members with the same key the last counts.
    public var value: JSONValue {
        let record = record
        switch record.kind {
        case .null: return .null
        case .bool: return .bool(record.flags.contains(.isTrue))
        case .number: return .number(numberValue ?? .zero)
        case .string: return .string(stringValue ?? "")
        case .array: return .array(elements.map(\.value))
        case .object:
            var object = JSONObject()
            for member in members { object.append(key: member.key, value: member.value.value) }
            return .object(object)
        }
    }
}

extension Node: Hashable {
    /// Whether both are the same node of the same document; see ``isEqual(_:)`` for equal values.
    public static func == (a: Node, b: Node) -> Bool { a.document === b.document && a.index == b.index }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(document))
        hasher.combine(index)
    }
}
