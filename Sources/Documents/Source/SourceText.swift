// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A place in a source text.
public struct SourcePosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Bytes before the place.
    public var offset: Int
    /// The line, counted from 1; LF, CRLF and CR end a line.
    public var line: Int
    /// The column, counted from 1 in Unicode scalars.
    public var column: Int

    public init(offset: Int, line: Int, column: Int) {
        self.offset = offset
        self.line = line
        self.column = column
    }

    public static func < (a: SourcePosition, b: SourcePosition) -> Bool { a.offset < b.offset }
    /// `line:column`.
    public var description: String { "\(line):\(column)" }
}

/// A part of a source text, with the file it is in.
public struct SourceRange: Hashable, Sendable, CustomStringConvertible {
    /// The file's name as the user gave it; nil for text without a name.
    public var file: String?
    public var start: SourcePosition
    /// The place after the last byte.
    public var end: SourcePosition

    public init(file: String?, start: SourcePosition, end: SourcePosition) {
        self.file = file
        self.start = start
        self.end = end
    }

    /// `file:line:column` of the start.
    public var description: String { (file.map { $0 + ":" } ?? "") + start.description }
}

/// The bytes of a document with its name, and the way from offsets to lines and columns.
///
/// The line table is built at the first question and then kept; a document that is valid never pays for it.
public final class SourceText: Sendable {
    /// The file's name as the user gave it.
    public let file: String?
    /// The text as read.
    public let bytes: [UInt8]
    /// The number of its first line, and the bytes before it: the text may be a part of a file.
    public let firstLine: Int
    public let firstOffset: Int

    /// Offsets of line starts, and the scalars before each block of bytes.
    private struct Table {
        var lineStarts: [Int]
        var scalarsBeforeBlock: [Int]
    }

    private static let blockSize = 1024
    private let table = Mutex<Table?>(nil)

    /// The text that lines and columns are counted in: ``bytes``, or what stands in their places in the file.
    private let shown: [UInt8]

    public init(file: String?, bytes: [UInt8], firstLine: Int = 1, firstOffset: Int = 0) {
        self.file = file
        self.bytes = bytes
        self.firstLine = firstLine
        self.firstOffset = firstOffset
        shown = bytes
    }

    /// A part of a text that is read by itself: what stands before it on its first line is read as spaces, and its
    /// places are those in the whole text.
    public init(_ whole: SourceText, part: Range<Int>) {
        let part = part.clamped(to: 0..<whole.bytes.count)
        let isLineEnd: (UInt8) -> Bool = { $0 == 0x0A || $0 == 0x0D }
        let start = whole.bytes[..<part.lowerBound].lastIndex(where: isLineEnd).map { $0 + 1 } ?? 0
        let end = whole.shown[part.upperBound...].firstIndex(where: isLineEnd) ?? whole.shown.count
        file = whole.file
        bytes = [UInt8](repeating: 0x20, count: part.lowerBound - start) + whole.bytes[part]
        shown = Array(whole.shown[start..<end])
        firstLine = whole.position(at: start).line
        firstOffset = whole.firstOffset + start
    }

    /// The line and column of a byte offset; offsets beyond the text give its end.
    ///
    /// - Complexity: O(log lines) after the first call.
    public func position(at offset: Int) -> SourcePosition {
        let place = min(max(offset, 0), bytes.count)
        return withTable { table in
            let line = Self.line(of: place, in: table.lineStarts)
            let start = table.lineStarts[line]
            let column = scalars(before: place, table) - scalars(before: start, table) + 1
            return SourcePosition(offset: place + firstOffset, line: line + firstLine, column: column)
        }
    }

    /// The range of a pair of byte offsets.
    public func range(_ offsets: Range<Int>) -> SourceRange {
        SourceRange(file: file, start: position(at: offsets.lowerBound), end: position(at: offsets.upperBound))
    }

    /// The text of a line of the file, without its line end; nil outside of the text.
    public func line(_ number: Int) -> String? {
        withTable { table in
            let number = number - firstLine + 1
            guard number >= 1, number <= table.lineStarts.count else { return nil }
            let start = table.lineStarts[number - 1]
            var end = number < table.lineStarts.count ? table.lineStarts[number] : shown.count
            while end > start, shown[end - 1] == 0x0A || shown[end - 1] == 0x0D { end -= 1 }
            return String(decoding: shown[start..<end], as: UTF8.self)
        }
    }

    /// The number of lines; a line end at the very end starts one more, empty, line.
    public var lineCount: Int { withTable { $0.lineStarts.count } }

    private func withTable<R>(_ body: (Table) -> R) -> R {
        let built = table.withLock { table in
            if let existing = table { return existing }
            let new = makeTable()
            table = new
            return new
        }
        return body(built)
    }

    private func makeTable() -> Table {
        var lineStarts = [0]
        var blocks = [0]
        var scalars = 0
        shown.withUnsafeBufferPointer { bytes in
            for at in 0..<bytes.count {
                let byte = bytes[at]
                if at > 0, at % Self.blockSize == 0 { blocks.append(scalars) }
                if byte & 0xC0 != 0x80 { scalars += 1 }
                if byte == 0x0A || (byte == 0x0D && !(at + 1 < bytes.count && bytes[at + 1] == 0x0A)) {
                    lineStarts.append(at + 1)
                }
            }
        }
        return Table(lineStarts: lineStarts, scalarsBeforeBlock: blocks)
    }

    private func scalars(before offset: Int, _ table: Table) -> Int {
        let block = min(offset / Self.blockSize, table.scalarsBeforeBlock.count - 1)
        var count = table.scalarsBeforeBlock[block]
        for at in (block * Self.blockSize)..<offset where shown[at] & 0xC0 != 0x80 { count += 1 }
        return count
    }

    private static func line(of offset: Int, in starts: [Int]) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
