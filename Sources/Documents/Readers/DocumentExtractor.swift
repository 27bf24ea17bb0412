// SPDX-License-Identifier: Apache-2.0

/// Finds documents in other text, such as the answer of a model: in the fences of Markdown, or in prose.
///
/// What comes before the end of reasoning (`</think>`) does not count. Then the first of these is taken:
///
/// 1. the text itself, if it is JSON,
/// 2. all blocks in fences that say JSON, JSON5, YAML or TOML,
/// 3. all blocks in other fences that begin with a brace or a bracket,
/// 4. the first object or array in the text that can be read.
package enum DocumentExtractor {
    /// A document in a text.
    package struct Extract: Sendable, Equatable {
        /// Its bytes.
        package var range: Range<Int>
        package var format: DocumentFormat
        /// Whether it stands in a fence.
        package var isFenced = false
    }

    /// The bytes that may be looked at more than once, for each byte of the text.
    private static let workFactor = 32

    /// The documents, in their order; empty where there are none.
    ///
    /// The last may be cut off, or be wrong: its reader says how.
    package static func find(in bytes: [UInt8]) -> [Extract] {
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        if let end = lastEnd(of: Array("</think>".utf8), in: bytes) { start = end }
        let text = start..<bytes.count
        let first = bytes[text].first { $0 > 0x20 }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), isReadable(bytes[text], strictly: true) {
            return [Extract(range: text, format: .json)]
        }
        let blocks = fences(bytes, text)
        let named = blocks.compactMap { block in
            block.format.map { Extract(range: block.range, format: $0, isFenced: true) }
        }
        if !named.isEmpty { return named }
        let others = blocks.filter { block in
            let first = bytes[block.range].first { $0 > 0x20 }
            return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        }
        if !others.isEmpty { return others.map { Extract(range: $0.range, format: .json, isFenced: true) } }
        return inProse(bytes, text).map { [Extract(range: $0, format: .json)] } ?? []
    }

    private static func lastEnd(of word: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= word.count else { return nil }
        var at = bytes.count - word.count
        while at >= 0 {
            if bytes[at] == word[0], bytes[at..<(at + word.count)].elementsEqual(word) { return at + word.count }
            at -= 1
        }
        return nil
    }

    private static func isReadable(_ text: ArraySlice<UInt8>, strictly: Bool) -> Bool {
        var options = ReadOptions.lenient
        options.loneSurrogates = .replace
        options.maximumDiagnostics = 1
        if !strictly { options = options.withJSON5 }
        return (try? JSONReader.read(SourceText(file: nil, bytes: Array(text)), options: options)) != nil
    }

    // MARK: Fences

    private struct Block {
        var range: Range<Int>
        /// What the fence says; nil where that is nothing, or something else.
        var format: DocumentFormat?
    }

    /// The blocks between lines of three or more backticks or tildes.
    private static func fences(_ bytes: [UInt8], _ text: Range<Int>) -> [Block] {
        struct Open {
            var mark: UInt8
            var length: Int
            var indentation: Int
            var start: Int
            var format: DocumentFormat?
        }
        var result: [Block] = []
        var open: Open?
        var at = text.lowerBound
        while at < text.upperBound {
            var end = at
            while end < text.upperBound, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
            let line = bytes[at..<end]
            let next = end + YAMLLines.breakLength(bytes, end)
            let indentation = line.prefix { $0 == 0x20 || $0 == 0x09 }.count
            let rest = line.dropFirst(indentation)
            let mark = rest.first ?? 0
            let length = rest.prefix { $0 == mark }.count
            let info = rest.dropFirst(length)
            if mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~"), length >= 3 {
                if let block = open {
                    let isEnd = info.allSatisfy { $0 == 0x20 || $0 == 0x09 }
                    if isEnd, mark == block.mark, length >= block.length, indentation <= block.indentation {
                        result.append(Block(range: block.start..<at, format: block.format))
                        open = nil
                    }
                } else if mark == UInt8(ascii: "~") || !info.contains(mark) {
                    open = Open(
                        mark: mark, length: length, indentation: indentation, start: min(next, text.upperBound),
                        format: format(info))
                }
            }
            at = max(next, at + 1)
        }
        // An answer that was cut off.
        if let block = open { result.append(Block(range: block.start..<text.upperBound, format: block.format)) }
        return result.filter { block in bytes[block.range].contains { $0 > 0x20 } }
    }

    /// The notation that the words behind a fence name.
    private static func format(_ info: ArraySlice<UInt8>) -> DocumentFormat? {
        let word = info.drop { $0 == 0x20 || $0 == 0x09 }.prefix { byte in
            byte > 0x20 && byte != UInt8(ascii: "{") && byte != UInt8(ascii: ",") && byte != UInt8(ascii: ":")
        }
        switch String(decoding: word, as: UTF8.self).lowercased() {
        case "json", "application/json", "geojson": return .json
        case "jsonc": return .jsonc
        case "json5": return .json5
        case "jsonl", "ndjson", "jsonlines": return .jsonl
        case "yaml", "yml": return .yaml
        case "toml": return .toml
        default: return nil
        }
    }

    // MARK: Prose

    /// The first object or array that can be read; else the first that looks like one.
    private static func inProse(_ bytes: [UInt8], _ text: Range<Int>) -> Range<Int>? {
        let opening: (UInt8) -> Bool = { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }
        var work = min(text.count, 1 << 30) * workFactor + (1 << 16)
        /// `[1]` is a footnote as long as there is something else.
        var footnote: Range<Int>?
        var broken: Range<Int>?
        var at = text.lowerBound
        while at < text.upperBound, work > 0, let start = bytes[at..<text.upperBound].firstIndex(where: opening) {
            at = start + 1
            guard mayBegin(bytes, start, text.upperBound) else { continue }
            let end = self.end(bytes, start, text.upperBound)
            work -= (end.map { $0 - start } ?? text.upperBound - start) + 1
            if let end, isReadable(bytes[start..<end], strictly: false) {
                if bytes[start] == UInt8(ascii: "{") || !isFootnote(bytes[start..<end]) { return start..<end }
                footnote = footnote ?? start..<end
                at = end
            } else if broken == nil, bytes[start] == UInt8(ascii: "{") || footnote == nil {
                broken = start..<(end ?? text.upperBound)
            }
        }
        if let broken, bytes[broken.lowerBound] == UInt8(ascii: "{") { return broken }
        return footnote ?? broken
    }

    private static func isFootnote(_ text: ArraySlice<UInt8>) -> Bool {
        text.dropFirst().dropLast().allSatisfy { $0 &- 0x30 < 10 || $0 == 0x20 || $0 == UInt8(ascii: ",") }
    }

    /// Whether what follows a bracket can be a part of JSON, or of what is often taken for it.
    private static func mayBegin(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Bool {
        guard let next = bytes[(start + 1)..<end].first(where: { $0 > 0x20 }) else { return false }
        if bytes[start] == UInt8(ascii: "[") { return true }
        return next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") || next == UInt8(ascii: "}")
            || next == UInt8(ascii: "/") || JSONParser.isWord(next)
    }

    /// The end of a bracket with all that is inside; nil where it does not end.
    private static func end(_ bytes: [UInt8], _ start: Int, _ limit: Int) -> Int? {
        var depth = 0
        var at = start
        while at < limit {
            switch bytes[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return at + 1 }
            case UInt8(ascii: "\""):
                at += 1
                while at < limit, bytes[at] != UInt8(ascii: "\"") {
                    if bytes[at] == 0x0A { return nil }
                    at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
                }
                if at >= limit { return nil }
            default: break
            }
            at += 1
        }
        return nil
    }
}
