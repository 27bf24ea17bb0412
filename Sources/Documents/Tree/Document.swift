// SPDX-License-Identifier: Apache-2.0

/// The notation a document was read from.
public enum DocumentFormat: String, Hashable, Sendable, CaseIterable {
    case json, yaml
    /// JSON with comments and trailing commas.
    case jsonc
    case json5
    case toml
    /// JSON values, one a line.
    case jsonl
}

/// A document: a tree of nodes, each with its place in the source.
///
/// Nodes are flat records in one array, in the order of the text, and children are found through a second array; a
/// ``Node`` is a document with the number of a record. Text without escapes is not copied when read: a node's string is
/// made from the source bytes when asked for.
///
///     let document = try JSONReader.read(#"{"a": [1, 2]}"#, file: "x.json")
///     document.root["a"]?.elements[1].range?.start.column  // 11
public final class Document: Sendable {
    /// The text the document was read from; nil for one made from a value.
    public let source: SourceText?
    /// The notation it was read from; nil for one made from a value.
    public let format: DocumentFormat?
    /// Warnings found while reading.
    public let diagnostics: [Diagnostic]

    let tree: Tree
    let bytes: [UInt8]

    init(tree: Tree, source: SourceText?, format: DocumentFormat?, diagnostics: [Diagnostic]) {
        self.tree = tree
        self.source = source
        self.bytes = source?.bytes ?? []
        self.format = format
        self.diagnostics = diagnostics
    }

    /// Creates a document without places from a value.
    public convenience init(value: JSONValue) {
        var builder = TreeBuilder()
        builder.append(value)
        self.init(tree: builder.finish(), source: nil, format: nil, diagnostics: [])
    }

    /// Creates a document from a value that was made out of a text: its nodes have places in that text.
    ///
    /// A node without a place of its own has that of the node around it, a key that of its value.
    package convenience init(
        value: JSONValue, source: SourceText?, places: [JSONPointer: Range<Int>],
        keys: [JSONPointer: Range<Int>] = [:]
    ) {
        var builder = TreeBuilder()
        let end = source?.bytes.count ?? 0
        let inside = places.mapValues { $0.clamped(to: 0..<end) }
        builder.append(value, places: inside, keys: keys.mapValues { $0.clamped(to: 0..<end) })
        self.init(tree: builder.finish(), source: source, format: nil, diagnostics: [])
    }

    /// Calls the body with the arrays of the document.
    package func withTree<R>(_ body: (Tree.View) -> R) -> R {
        tree.records.withUnsafeBufferPointer { records in
            tree.children.withUnsafeBufferPointer { children in
                bytes.withUnsafeBufferPointer { bytes in
                    tree.texts.withUnsafeBufferPointer { texts in
                        body(Tree.View(records: records, children: children, bytes: bytes, texts: texts))
                    }
                }
            }
        }
    }

    /// The outermost node.
    public var root: Node { Node(document: self, index: 0) }
    /// The file's name as the user gave it.
    public var file: String? { source?.file }
    /// The number of nodes, keys included.
    public var nodeCount: Int { tree.records.count }
}

/// The flat arrays of a document.
package struct Tree: Sendable {
    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The text is in `texts`, not in the source.
        package static let ownText = Flags(rawValue: 1)
        /// The source text holds JSON escapes.
        package static let escapes = Flags(rawValue: 2)
        /// A boolean's value.
        static let isTrue = Flags(rawValue: 4)
        /// An object with a table of keys.
        static let keyTable = Flags(rawValue: 8)
        /// A key; its value is the next record.
        static let key = Flags(rawValue: 16)
        /// A number whose text is not in JSON's grammar; `texts` holds the JSON spelling.
        static let foreignNumber = Flags(rawValue: 32)
    }

    package struct Record: Sendable {
        package var kind: Node.Kind
        package var flags: Flags
        var parent: UInt32
        /// The place in the source.
        var start: UInt32
        var end: UInt32
        /// Container: place of its children in `children`. Text: offset of the text's bytes.
        package var first: UInt32
        /// Container: number of children. Text: number of bytes.
        package var count: UInt32
    }

    /// The arrays while they are being read in place, without counting references to the document.
    ///
    /// The pointers are good within ``Document/withTree(_:)`` only. Places are those of ``Node/index``.
    package struct View {
        package let records: UnsafeBufferPointer<Record>
        /// Elements, or the values of members (the key is the record before the value).
        package let children: UnsafeBufferPointer<UInt32>
        /// The source, and the texts that are not in it: see ``Flags/ownText``.
        package let bytes: UnsafeBufferPointer<UInt8>
        package let texts: UnsafeBufferPointer<UInt8>

        /// A view of nothing.
        package static var empty: View {
            View(
                records: UnsafeBufferPointer(start: nil, count: 0), children: UnsafeBufferPointer(start: nil, count: 0),
                bytes: UnsafeBufferPointer(start: nil, count: 0), texts: UnsafeBufferPointer(start: nil, count: 0))
        }
    }

    var records: [Record] = []
    /// Elements, or the values of members (the key is the record before the value).
    var children: [UInt32] = []
    var texts: [UInt8] = []
    /// Open-addressed tables of large objects: member number + 1, 0 for empty.
    var keyTables: [UInt32] = []
    var keyTablePlaces: [UInt32: (offset: Int, size: Int)] = [:]
    /// Whether some object has a key twice.
    var hasDuplicateKeys = false

    /// Objects with more members than this get a table.
    static let scanLimit = 12
}
