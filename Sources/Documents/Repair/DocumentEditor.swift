// SPDX-License-Identifier: Apache-2.0

/// Changes values and keys of a document in its text, so that everything else stays as it is written.
///
/// The edits are proposals: who makes them reads the new text again and compares the value.
package struct DocumentEditor {
    /// A change of the value.
    package enum Edit: Sendable {
        case rename(JSONPointer, to: String)
        /// A value, and how a scalar is spelled where that matters.
        case replace(JSONPointer, JSONValue, spelling: String?)
        /// Puts the value into an array of one element.
        case wrap(JSONPointer)
        case insert(in: JSONPointer, key: String, JSONValue)
        case remove(JSONPointer)
    }

    private let document: Document
    private let format: DocumentFormat
    private let bytes: [UInt8]

    /// - Parameter document: A document with places in its source.
    package init(_ document: Document, format: DocumentFormat) {
        self.document = document
        self.format = format
        bytes = document.source?.bytes ?? []
    }

    /// The changes of the text; nil where one cannot be made in place.
    package func mends(_ edits: [Edit]) -> [TextMend]? {
        var mends: [TextMend] = []
        for edit in edits {
            guard let made = mend(edit) else { return nil }
            mends += made
        }
        return mends
    }

    private func mend(_ edit: Edit) -> [TextMend]? {
        func made(_ range: Range<Int>, _ text: String) -> TextMend { TextMend("edit", "", range, Array(text.utf8)) }
        switch edit {
        case .rename(let pointer, let new):
            guard let node = pointer.evaluate(document.root), let key = node.keyNode, let range = key.byteRange,
                let text = rename(range, from: key.stringValue ?? "", to: new)
            else { return nil }
            return [made(range, text)]
        case .replace(let pointer, let value, let spelling):
            guard let node = pointer.evaluate(document.root), let range = node.byteRange else { return nil }
            let isFlow = isInFlow(node)
            guard var text = render(value, spelling, at: range, isFlow: isFlow) else { return nil }
            // An empty value of YAML has no place of its own.
            if range.isEmpty, range.lowerBound > 0, bytes[range.lowerBound - 1] > 0x20 { text = " " + text }
            return [made(range, text)]
        case .wrap(let pointer):
            guard let node = pointer.evaluate(document.root), let range = node.byteRange, !range.isEmpty else {
                return nil
            }
            if format == .yaml, node.kind == .object || node.kind == .array,
                !"[{".utf8.contains(bytes[range.lowerBound])
            {
                return nil
            }
            return [made(range.lowerBound..<range.lowerBound, "["), made(range.upperBound..<range.upperBound, "]")]
        case .insert(let pointer, let key, let value):
            guard let node = pointer.evaluate(document.root) else { return nil }
            return insert(key, value, node).map { [$0] }
        case .remove(let pointer):
            guard let node = pointer.evaluate(document.root), let range = remove(node) else { return nil }
            return [TextMend("edit", "", range, [])]
        }
    }

    // MARK: Keys

    private func rename(_ range: Range<Int>, from old: String, to new: String) -> String? {
        let written = String(decoding: bytes[range], as: UTF8.self)
        if format == .yaml || format == .toml {
            if ScalarText.equal(written, old) { return key(new) }
            guard let quote = written.first, quote == "'" || quote == "\"", written.count >= 2,
                ScalarText.equal(String(written.dropFirst().dropLast()), old)
            else { return nil }
            if quote == "'", !new.contains("'"), !new.unicodeScalars.contains(where: { $0.value < 0x20 }) {
                return "'\(new)'"
            }
            return format == .yaml ? YAMLText.quoted(new) : JSONWriter.quoted(new)
        }
        return JSONWriter.quoted(new)
    }

    private func key(_ text: String) -> String {
        switch format {
        case .yaml:
            YAMLText.isPlain(text) && !text.contains(where: { ",[]{}".contains($0) }) ? text : YAMLText.quoted(text)
        case .toml:
            !text.isEmpty
                && text.utf8.allSatisfy {
                    JSONParser.isWord($0) && $0 != UInt8(ascii: "$") && $0 < 0x80 || $0 == UInt8(ascii: "-")
                }
                ? text : JSONWriter.quoted(text)
        default: JSONWriter.quoted(text)
        }
    }

    // MARK: Values

    /// Whether a node stands inside of brackets.
    private func isInFlow(_ node: Node) -> Bool {
        var current = node.parent
        while let container = current {
            if let start = container.byteRange?.lowerBound, start < bytes.count, "[{".utf8.contains(bytes[start]) {
                return true
            }
            current = container.parent
        }
        return false
    }

    private func render(_ value: JSONValue, _ spelling: String?, at range: Range<Int>, isFlow: Bool) -> String? {
        switch value {
        case .null: return format == .toml ? nil : "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let number):
            if let spelling, DecimalNumber(spelling) == number { return spelling }
            return number.description
        case .string(let text): return string(text, at: range, isFlow: isFlow)
        case .array, .object:
            switch format {
            case .toml: return inline(value, depth: 0)
            case .yaml:
                // A member that begins an element of a list stands as it is.
                if !isFlow, case .object(let object) = value, object.count == 1, let member = object.first,
                    range.lowerBound >= 2,
                    bytes[range.lowerBound - 2] == UInt8(ascii: "-"), member.value.arrayValue == nil,
                    member.value.objectValue == nil,
                    let inner = render(member.value, nil, at: range.lowerBound..<range.lowerBound, isFlow: false)
                {
                    return "\(key(member.key)): \(inner)"
                }
                return JSONWriter(style: .spaced).write(value)
            default: return json(value, at: range.lowerBound)
            }
        }
    }

    private func string(_ text: String, at range: Range<Int>, isFlow: Bool) -> String {
        guard format == .yaml else { return JSONWriter.quoted(text) }
        let old = range.isEmpty ? 0 : bytes[range.lowerBound]
        if old == UInt8(ascii: "\"") || old == UInt8(ascii: "'") {
            if old == UInt8(ascii: "'"), !text.contains("'"), !text.contains("\n") { return "'\(text)'" }
            return YAMLText.quoted(text)
        }
        let isPlain = YAMLText.isPlain(text) && !(isFlow && text.contains { ",[]{}".contains($0) })
        return isPlain ? text : YAMLText.quoted(text)
    }

    /// A container as JSON, laid out as its surroundings are.
    private func json(_ value: JSONValue, at place: Int) -> String {
        guard format != .jsonl, bytes.contains(0x0A) else { return JSONWriter(style: .spaced).write(value) }
        let indentation = lineIndentation(place)
        let unit = indentation.isEmpty ? 2 : max(1, min(8, unitIndentation))
        return JSONWriter(style: .pretty(indent: unit)).write(value).replacingLineEnds("\n" + indentation)
    }

    /// The indentation of the first indented line.
    private var unitIndentation: Int {
        guard let first = document.root.members.first?.keyNode.byteRange ?? document.root.elements.first?.byteRange
        else { return 2 }
        return max(2, lineIndentation(first.lowerBound).utf8.count)
    }

    private func lineIndentation(_ place: Int) -> String {
        var start = min(place, bytes.count)
        while start > 0, bytes[start - 1] != 0x0A { start -= 1 }
        return String(
            decoding: bytes[start..<min(place, bytes.count)].prefix { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
    }

    /// A value of TOML on one line; nil for what TOML has not.
    private func inline(_ value: JSONValue, depth: Int) -> String? {
        guard depth < 64 else { return nil }
        switch value {
        case .null: return nil
        case .bool(let value): return value ? "true" : "false"
        case .number(let number): return number.description
        case .string(let text): return JSONWriter.quoted(text)
        case .array(let elements):
            var parts: [String] = []
            for element in elements {
                guard let part = inline(element, depth: depth + 1) else { return nil }
                parts.append(part)
            }
            return "[" + parts.joined(separator: ", ") + "]"
        case .object(let object):
            var parts: [String] = []
            for member in object.members {
                guard let part = inline(member.value, depth: depth + 1) else { return nil }
                parts.append("\(key(member.key)) = \(part)")
            }
            return parts.isEmpty ? "{}" : "{ " + parts.joined(separator: ", ") + " }"
        }
    }

    // MARK: Members

    private func insert(_ key: String, _ value: JSONValue, _ node: Node) -> TextMend? {
        guard node.kind == .object, let range = node.byteRange else { return nil }
        func made(_ place: Int, _ text: String) -> TextMend { TextMend("edit", "", place..<place, Array(text.utf8)) }
        let isBraced = range.lowerBound < bytes.count && bytes[range.lowerBound] == UInt8(ascii: "{")
        guard let last = node.members.last, let end = last.value.byteRange?.upperBound,
            let start = last.keyNode.byteRange?.lowerBound
        else {
            guard isBraced, format != .toml, let text = render(value, nil, at: range, isFlow: true) else { return nil }
            return made(range.lowerBound + 1, "\(format == .yaml ? self.key(key) : JSONWriter.quoted(key)): \(text)")
        }
        let indentation = lineIndentation(start)
        let startsLine = indentation.utf8.count == start - lineStart(start)
        guard let text = render(value, nil, at: start..<start, isFlow: isBraced) else { return nil }
        if isBraced {
            guard format != .toml else { return made(end, ", \(self.key(key)) = \(text)") }
            let name = format == .yaml ? self.key(key) : JSONWriter.quoted(key)
            return made(end, startsLine ? ",\n\(indentation)\(name): \(text)" : ", \(name): \(text)")
        }
        if format == .yaml {
            var place = end
            while place < bytes.count, bytes[place] != 0x0A { place += 1 }
            let column = node.members.first?.keyNode.byteRange.map { $0.lowerBound - lineStart($0.lowerBound) } ?? 0
            return made(place, "\n" + String(repeating: " ", count: column) + "\(self.key(key)): \(text)")
        }
        if format == .toml {
            var place = end
            while place < bytes.count, bytes[place] != 0x0A { place += 1 }
            return made(place, "\n\(indentation)\(self.key(key)) = \(text)")
        }
        return nil
    }

    /// What goes with a member: its comma, or its lines.
    private func remove(_ node: Node) -> Range<Int>? {
        guard let parent = node.parent, let whole = parent.byteRange, let start = node.keyNode?.byteRange?.lowerBound,
            let end = node.byteRange?.upperBound, start < end
        else { return nil }
        if whole.lowerBound < bytes.count, bytes[whole.lowerBound] == UInt8(ascii: "{") {
            var next = end
            while next < bytes.count, bytes[next] <= 0x20 { next += 1 }
            if next < bytes.count, bytes[next] == UInt8(ascii: ",") {
                next += 1
                while next < bytes.count, bytes[next] <= 0x20 { next += 1 }
                return start..<next
            }
            var before = start
            while before > whole.lowerBound + 1, bytes[before - 1] <= 0x20 { before -= 1 }
            if bytes[before - 1] == UInt8(ascii: ",") { before -= 1 }
            return before..<end
        }
        var last = end
        while last < bytes.count, bytes[last] != 0x0A { last += 1 }
        let first = lineStart(start)
        guard bytes[first..<start].allSatisfy({ $0 == 0x20 }) else { return nil }
        return first..<min(last + 1, bytes.count)
    }

    private func lineStart(_ place: Int) -> Int {
        var start = min(place, bytes.count)
        while start > 0, bytes[start - 1] != 0x0A { start -= 1 }
        return start
    }
}

extension String {
    fileprivate func replacingLineEnds(_ replacement: String) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
