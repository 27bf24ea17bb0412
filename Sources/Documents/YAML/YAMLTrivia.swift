// SPDX-License-Identifier: Apache-2.0

/// What stands between two tokens of YAML.
struct YAMLTrivia {
    struct Comment {
        var range: Range<Int>
        /// The line ends before it, since the last token or comment.
        var newlinesBefore: Int
        /// Characters before it on its line.
        var column: Int
    }

    var comments: [Comment] = []
    /// The line ends behind the last comment.
    var newlines = 0

    /// Reads the bytes between two tokens; nil where anything but white space and comments is there.
    init?(_ bytes: [UInt8], _ range: Range<Int>) {
        var at = range.lowerBound
        var lineStart = at
        while at < range.upperBound {
            switch bytes[at] {
            case 0x20, 0x09: at += 1
            case 0x0A, 0x0D:
                at += YAMLLines.breakLength(bytes, at)
                lineStart = at
                newlines += 1
            case UInt8(ascii: "#"):
                let end = bytes[at..<range.upperBound].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? range.upperBound
                comments.append(Comment(range: at..<end, newlinesBefore: newlines, column: at - lineStart))
                newlines = 0
                at = end
            default: return nil
            }
        }
    }

    /// Adds what follows behind a token that is not printed, or elsewhere.
    mutating func append(_ other: YAMLTrivia) {
        guard var first = other.comments.first else {
            newlines = max(newlines, other.newlines)
            return
        }
        first.newlinesBefore += newlines
        comments.append(first)
        comments += other.comments.dropFirst()
        newlines = other.newlines
    }
}

/// Lines within a text.
enum YAMLLines {
    /// The bytes of the line end at `at`; zero where there is none.
    static func breakLength(_ bytes: [UInt8], _ at: Int) -> Int {
        guard at < bytes.count else { return 0 }
        switch bytes[at] {
        case 0x0A: return 1
        case 0x0D: return at + 1 < bytes.count && bytes[at + 1] == 0x0A ? 2 : 1
        default: return 0
        }
    }

    /// The lines of a part of a text, without their ends; a line end at the very end starts one more, empty, line.
    static func split(_ bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = range.lowerBound
        var at = start
        while at < range.upperBound {
            let length = breakLength(bytes, at)
            if length == 0 {
                at += 1
            } else {
                result.append(start..<at)
                at = min(at + length, range.upperBound)
                start = at
            }
        }
        result.append(start..<range.upperBound)
        return result
    }

    /// The range without spaces and tabs before it, and behind it where asked for.
    static func trimmed(_ bytes: [UInt8], _ range: Range<Int>, end: Bool = true) -> Range<Int> {
        let start = bytes[range].firstIndex { $0 != 0x20 && $0 != 0x09 } ?? range.upperBound
        guard end else { return start..<range.upperBound }
        return trimmedEnd(bytes, start..<range.upperBound)
    }

    static func trimmedEnd(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        let last = bytes[range].lastIndex { $0 != 0x20 && $0 != 0x09 }
        return range.lowerBound..<(last.map { $0 + 1 } ?? range.lowerBound)
    }

    /// Whether libyaml, which follows YAML 1.1, would see line ends that newer readers do not.
    static func hasForeignBreaks(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var at = 0
            while at < bytes.count {
                if bytes[at] == 0xC2, at + 1 < bytes.count, bytes[at + 1] == 0x85 { return true }
                if bytes[at] == 0xE2, at + 2 < bytes.count, bytes[at + 1] == 0x80, bytes[at + 2] | 1 == 0xA9 {
                    return true
                }
                at += 1
            }
            return false
        }
    }
}

/// A block scalar taken apart.
struct YAMLBlockScalar {
    enum Chomping { case strip, clip, keep }

    /// `|` or `>` and its indicators.
    var header: Range<Int>
    var comment: Range<Int>?
    var chomping = Chomping.clip
    /// The indentation that the header gives.
    var indentation: Int?
    /// The lines without their indentation; of empty lines at the end only those that count.
    var lines: [Range<Int>] = []
    /// Where the text ends that has been taken in; the line end behind it has not where no empty lines count.
    var end: Int
    /// Whether the last line is without a line end, and it matters.
    var isOpen = false

    /// - Parameter parent: The column of the collection that the scalar is in; -1 outside of any.
    init(_ bytes: [UInt8], _ range: Range<Int>, parent: Int) {
        var at = range.lowerBound + 1
        while at < range.upperBound, ![0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: "#")].contains(bytes[at]) {
            switch bytes[at] {
            case UInt8(ascii: "+"): chomping = .keep
            case UInt8(ascii: "-"): chomping = .strip
            case UInt8(ascii: "1")...UInt8(ascii: "9"): indentation = Int(bytes[at] - 0x30)
            default: break
            }
            at += 1
        }
        header = range.lowerBound..<min(at, range.upperBound)
        end = header.upperBound
        let lineEnd = bytes[header.upperBound..<range.upperBound].firstIndex { $0 == 0x0A || $0 == 0x0D }
        if let hash = bytes[header.upperBound..<(lineEnd ?? range.upperBound)].firstIndex(of: UInt8(ascii: "#")) {
            comment = hash..<(lineEnd ?? range.upperBound)
            end = lineEnd ?? range.upperBound
        }
        guard let lineEnd else { return }
        let start = min(lineEnd + YAMLLines.breakLength(bytes, lineEnd), range.upperBound)
        var raw = YAMLLines.split(bytes, start..<range.upperBound)
        func spaces(_ line: Range<Int>) -> Int { bytes[line].prefix { $0 == 0x20 }.count }
        var width = 0
        if let indentation {
            width = max(parent, 0) + indentation
        } else {
            for line in raw {
                width = max(width, spaces(line))
                if spaces(line) < line.count { break }
            }
            width = max(width, parent + 1, 1)
        }
        // The last line is without an end; nothing stands there unless the text ends in it.
        var isTerminated = true
        if let last = raw.last {
            if last.count <= min(spaces(last), width) { raw.removeLast() } else { isTerminated = false }
        }
        lines = raw.map { line in (line.lowerBound + min(spaces(line), width))..<line.upperBound }
        if chomping == .keep {
            end = range.upperBound
        } else {
            while let last = lines.last, last.isEmpty {
                lines.removeLast()
                isTerminated = true
            }
            if let last = lines.last { end = last.upperBound }
        }
        isOpen = !isTerminated && chomping != .strip
    }
}
