// SPDX-License-Identifier: Apache-2.0

/// A value of a TOML document while it is read.
enum TOMLValue {
    /// A scalar; `text` is nil where it stands in the source, between `first` and `first + count`.
    case scalar(TOMLScalar)
    case array([TOMLValue], Range<Int>)
    case table(TOMLTable)
    /// The tables of `[[…]]` headers.
    case tables(TOMLTableList)
}

struct TOMLScalar {
    var kind: Node.Kind
    var flags: Tree.Flags = []
    /// Its place in the source.
    var range: Range<Int>
    /// Where its text stands in the source.
    var place = 0..<0
    /// Its text, where that is not in the source.
    var text: [UInt8]?
}

/// A part of a key with its place.
struct TOMLKey {
    var text: [UInt8]
    var range: Range<Int>
}

/// A table that grows while the document is read.
final class TOMLTable {
    struct Entry {
        var key: TOMLKey
        var value: TOMLValue
    }

    private(set) var entries: [Entry] = []
    private var index: [[UInt8]: Int] = [:]
    var range: Range<Int>
    /// Whether a header or an earlier section has defined it: neither may do so again.
    var isExplicit = false
    /// Whether it is written inline and so complete.
    let isInline: Bool

    init(_ range: Range<Int>, isInline: Bool = false) {
        self.range = range
        self.isInline = isInline
    }

    /// The entry of a key.
    func entry(_ key: TOMLKey) -> Entry? { index[key.text].map { entries[$0] } }

    /// Adds an entry; the key must be new.
    func add(_ key: TOMLKey, _ value: TOMLValue) {
        index[key.text] = entries.count
        entries.append(Entry(key: key, value: value))
    }
}

final class TOMLTableList {
    var tables: [TOMLTable] = []
    let range: Range<Int>

    init(_ range: Range<Int>) { self.range = range }
}

extension TreeBuilder {
    // The depth is that of the tables, which the parser bounds.
    mutating func append(_ table: TOMLTable, _ bytes: UnsafeBufferPointer<UInt8>) {
        begin(.object, start: table.range.lowerBound)
        let record = innermostRecord ?? 0
        for entry in table.entries {
            let stored = store(entry.key.text)
            key(
                .ownText, start: entry.key.range.lowerBound, end: entry.key.range.upperBound, first: stored.first,
                count: stored.count)
            append(entry.value, bytes)
        }
        end(at: table.range.upperBound)
        indexKeys(ofRecord: record, bytes: bytes)
    }

    private mutating func append(_ value: TOMLValue, _ bytes: UnsafeBufferPointer<UInt8>) {
        switch value {
        case .scalar(let scalar):
            let (start, end) = (scalar.range.lowerBound, scalar.range.upperBound)
            if let text = scalar.text {
                let stored = store(text)
                self.scalar(
                    scalar.kind, scalar.flags.union(.ownText), start: start, end: end, first: stored.first,
                    count: stored.count)
            } else {
                self.scalar(
                    scalar.kind, scalar.flags, start: start, end: end, first: scalar.place.lowerBound,
                    count: scalar.place.count)
            }
        case .array(let values, let range):
            begin(.array, start: range.lowerBound)
            for value in values { append(value, bytes) }
            end(at: range.upperBound)
        case .table(let table): append(table, bytes)
        case .tables(let list):
            begin(.array, start: list.range.lowerBound)
            for table in list.tables { append(table, bytes) }
            end(at: list.range.upperBound)
        }
    }
}
