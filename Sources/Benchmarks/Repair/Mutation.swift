// SPDX-License-Identifier: Apache-2.0

package import Documents

/// A kind of damage that a rule can undo, and how it is done to a valid document.
package enum Mutation: String, CaseIterable, Sendable {
    // Of the text.
    case missingComma = "missing-comma"
    case extraComma = "extra-comma"
    case missingBracket = "missing-bracket"
    case extraBracket = "extra-bracket"
    case cutTail = "cut-tail"
    case missingClosingQuote = "missing-closing-quote"
    case missingOpeningQuote = "missing-opening-quote"
    case singleQuotes = "single-quotes"
    case smartQuotes = "smart-quotes"
    case unquotedKey = "unquoted-key"
    case missingColon = "missing-colon"
    case otherSeparator = "other-separator"
    case foreignLiteral = "foreign-literal"
    case foreignNumber = "foreign-number"
    case comment
    case fence
    case prose
    case rawLineEnd = "raw-line-end"
    case tab
    case indentation
    case missingSpace = "missing-space"
    // Of the values.
    case numberAsText = "number-as-text"
    case wordAsText = "word-as-text"
    case textAsNumber = "text-as-number"
    case elementAlone = "element-alone"
    case misspeltKey = "misspelt-key"
    case keyCase = "key-case"
    case enumCase = "enum-case"

    /// Makes the damage at a random place; nil where the document has none for it.
    package func apply(_ document: Document, _ random: inout some RandomNumberGenerator) -> [UInt8]? {
        guard let source = document.source, let format = document.format else { return nil }
        let places = Places(document)
        let bytes = source.bytes
        let isJSON = format == .json || format == .jsonc || format == .json5
        func pick<T>(_ values: [T]) -> T? { values.randomElement(using: &random) }
        func replaced(_ range: Range<Int>, _ text: String) -> [UInt8] {
            Array(bytes[..<range.lowerBound]) + Array(text.utf8) + Array(bytes[range.upperBound...])
        }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        switch self {
        case .missingComma:
            guard isJSON, let comma = pick(places.commas) else { return nil }
            return replaced(comma..<(comma + 1), "")
        case .extraComma:
            if isJSON {
                guard let node = pick(places.containers.filter { $0.count > 0 }),
                    let last = (node.elements.last ?? node.members.last?.value)?.byteRange
                else { return nil }
                return replaced(last.upperBound..<last.upperBound, ",")
            }
            guard let range = pick(places.scalars.compactMap(\.byteRange)), endsLine(bytes, range.upperBound) else {
                return nil
            }
            return replaced(range.upperBound..<range.upperBound, ",")
        case .missingBracket:
            let closers = places.containers.compactMap { $0.byteRange?.upperBound }.filter {
                $0 > 0 && "]}".utf8.contains(bytes[$0 - 1])
            }
            guard let end = pick(closers) else { return nil }
            return replaced((end - 1)..<end, "")
        case .extraBracket:
            guard isJSON, let end = pick(places.containers.compactMap { $0.byteRange?.upperBound }) else { return nil }
            return replaced(end..<end, text((end - 1)..<end))
        case .cutTail:
            guard isJSON else { return nil }
            var end = bytes.count
            while end > 0, bytes[end - 1] <= 0x20 || "]}".utf8.contains(bytes[end - 1]) { end -= 1 }
            return end > 0 && end < bytes.count ? Array(bytes[..<end]) : nil
        case .missingClosingQuote, .missingOpeningQuote:
            let strings = places.strings.filter {
                $0.count >= 3 && (bytes[$0.lowerBound] == 0x22 || bytes[$0.lowerBound] == 0x27)
                    && bytes[$0.upperBound - 1] == bytes[$0.lowerBound]
            }
            guard let range = pick(strings), isJSON || self == .missingClosingQuote else { return nil }
            return self == .missingClosingQuote
                ? replaced((range.upperBound - 1)..<range.upperBound, "")
                : replaced(range.lowerBound..<(range.lowerBound + 1), "")
        case .singleQuotes, .smartQuotes:
            let strings = (places.strings + places.keys).filter {
                $0.count >= 2 && bytes[$0.lowerBound] == 0x22 && !bytes[$0].contains(0x5C)
            }
            guard isJSON || self == .smartQuotes && format == .toml, let range = pick(strings) else { return nil }
            let inner = text((range.lowerBound + 1)..<(range.upperBound - 1))
            if inner.contains(where: { "'’‘“”".contains($0) }) { return nil }
            return replaced(range, self == .singleQuotes ? "'\(inner)'" : "“\(inner)”")
        case .unquotedKey:
            let keys = places.keys.filter { range in
                range.count > 2 && bytes[range.lowerBound] == 0x22
                    && text((range.lowerBound + 1)..<(range.upperBound - 1)).utf8.allSatisfy {
                        $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A || $0 == 0x5F
                    }
            }
            guard isJSON, let range = pick(keys) else { return nil }
            return replaced(range, text((range.lowerBound + 1)..<(range.upperBound - 1)))
        case .missingColon, .otherSeparator, .missingSpace:
            guard
                let range = pick(
                    places.keys.filter {
                        $0.upperBound < bytes.count && bytes[$0.upperBound] == (format == .toml ? 0x20 : 0x3A)
                    })
            else { return nil }
            var colon = range.upperBound
            while colon < bytes.count, bytes[colon] == 0x20 { colon += 1 }
            guard colon < bytes.count, bytes[colon] == (format == .toml ? 0x3D : 0x3A) else { return nil }
            switch self {
            case .missingColon: return replaced(colon..<(colon + 1), "")
            case .otherSeparator: return replaced(range.upperBound..<(colon + 1), format == .toml ? ":" : " =")
            default:
                guard format == .yaml, colon + 1 < bytes.count, bytes[colon + 1] == 0x20 else { return nil }
                return replaced((colon + 1)..<(colon + 2), "")
            }
        case .foreignLiteral:
            let words = places.scalars.filter { $0.kind == .bool || $0.kind == .null }.compactMap(\.byteRange).filter {
                !$0.isEmpty
            }
            guard format != .yaml, let range = pick(words) else { return nil }
            guard let new = ["true": "True", "false": "False", "null": "None"][text(range)] else { return nil }
            return replaced(range, new)
        case .foreignNumber:
            guard isJSON, let node = pick(places.scalars.filter { $0.kind == .number }), let range = node.byteRange
            else { return nil }
            let written = text(range)
            guard written.utf8.first != 0x2D else { return nil }
            if written.hasPrefix("0.") { return replaced(range, String(written.dropFirst())) }
            return replaced(range, (Bool.random(using: &random) ? "+" : "0") + written)
        case .comment:
            guard format == .json, let comma = pick(places.commas) else { return nil }
            var end = comma + 1
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            guard end < bytes.count, bytes[(comma + 1)..<end].allSatisfy({ $0 <= 0x20 }) else { return nil }
            return replaced((comma + 1)..<(comma + 1), Bool.random(using: &random) ? " // why, \"so\": {" : " # why")
        case .fence:
            return Array("```\(format == .yaml ? "yaml" : (format == .toml ? "toml" : "json"))\n".utf8) + bytes
                + Array("\n```\n".utf8)
        case .prose:
            return isJSON
                ? Array("Here is the file you asked for:\n\n".utf8) + bytes + Array("\nLet me know if it works.\n".utf8)
                : nil
        case .rawLineEnd:
            guard isJSON,
                let range = pick(places.strings.filter { text($0).contains("\\n") && !text($0).contains("\\\\") })
            else { return nil }
            return replaced(range, text(range).replacingFirst("\\n", "\n"))
        case .tab, .indentation:
            guard format == .yaml else { return nil }
            var lines: [Range<Int>] = []
            var at = 0
            while at < bytes.count {
                var content = at
                while content < bytes.count, bytes[content] == 0x20 { content += 1 }
                if content > at, content < bytes.count, places.starts.contains(content) { lines.append(at..<content) }
                while at < bytes.count, bytes[at] != 0x0A { at += 1 }
                at += 1
            }
            guard let line = pick(lines) else { return nil }
            if self == .tab { return replaced(line, String(repeating: "\t", count: max(1, line.count / 2))) }
            return replaced(line, String(repeating: " ", count: line.count + (Bool.random(using: &random) ? 1 : -1)))
        case .numberAsText, .wordAsText:
            let kinds: [Node.Kind] = self == .numberAsText ? [.number] : [.bool]
            guard let range = pick(places.scalars.filter { kinds.contains($0.kind) })?.byteRange, !range.isEmpty else {
                return nil
            }
            return replaced(range, "\"\(text(range))\"")
        case .textAsNumber:
            let numbers = places.scalars.filter { $0.stringValue.flatMap { DecimalNumber($0) } != nil }
            guard let node = pick(numbers), let range = node.byteRange, let text = node.stringValue else { return nil }
            return replaced(range, text)
        case .elementAlone:
            let lists = places.containers.filter {
                $0.kind == .array && $0.count == 1 && ($0.elements[0].kind == .string || $0.elements[0].kind == .number)
            }
            guard let node = pick(lists), let range = node.byteRange, bytes[range.lowerBound] == 0x5B,
                let inner = node.elements[0].byteRange
            else { return nil }
            return replaced(range, text(inner))
        case .misspeltKey, .keyCase:
            guard let range = pick(places.keys.filter { $0.count >= 5 }) else { return nil }
            guard let new = self == .keyCase ? otherCase(text(range)) : misspelt(text(range), &random) else {
                return nil
            }
            return replaced(range, new)
        case .enumCase:
            guard let range = pick(places.strings.filter { $0.count >= 4 && !bytes[$0].contains(0x5C) }) else {
                return nil
            }
            let written = text(range)
            let new = written == written.uppercased() ? written.lowercased() : written.uppercased()
            return new == written ? nil : replaced(range, new)
        }
    }

    /// Swaps, drops, doubles or replaces a letter.
    private func misspelt(_ word: String, _ random: inout some RandomNumberGenerator) -> String? {
        var letters = Array(word)
        let inner = letters.indices.filter { letters[$0].isLetter }
        guard inner.count >= 4, let place = inner.dropFirst().dropLast().randomElement(using: &random) else {
            return nil
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: letters.swapAt(place, place + 1)
        case 1: letters.remove(at: place)
        case 2: letters.insert(letters[place], at: place)
        default: letters[place] = letters[place] == "x" ? "z" : "x"
        }
        let new = String(letters)
        return new == word ? nil : new
    }

    /// The key in another convention.
    private func otherCase(_ word: String) -> String? {
        if word.contains("_") { return word.replacingAll("_", "-") }
        if word.contains("-") { return word.replacingAll("-", "_") }
        let new = word.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
        return new == word ? word.uppercased() : new
    }

    private func endsLine(_ bytes: [UInt8], _ place: Int) -> Bool { place >= bytes.count || bytes[place] == 0x0A }
}

/// The places in a document where something can be damaged.
private struct Places {
    var keys: [Range<Int>] = []
    var strings: [Range<Int>] = []
    var scalars: [Node] = []
    var containers: [Node] = []
    /// Commas between members and elements of JSON.
    var commas: [Int] = []
    /// Where keys and elements begin.
    var starts: Set<Int> = []

    init(_ document: Document) {
        guard let bytes = document.source?.bytes else { return }
        var open = [document.root]
        while let node = open.popLast() {
            switch node.kind {
            case .array, .object:
                containers.append(node)
                let children = node.kind == .array ? Array(node.elements) : node.members.map(\.value)
                for (index, child) in children.enumerated() {
                    if let key = child.keyNode?.byteRange {
                        keys.append(key)
                        starts.insert(key.lowerBound)
                    } else if let place = child.byteRange?.lowerBound, place >= 2, bytes[place - 2] == UInt8(ascii: "-")
                    {
                        starts.insert(place - 2)
                    }
                    if index + 1 < children.count, let end = child.byteRange?.upperBound,
                        let next = (children[index + 1].keyNode ?? children[index + 1]).byteRange?.lowerBound,
                        end < next,
                        let comma = bytes[end..<next].firstIndex(of: UInt8(ascii: ",")),
                        bytes[end..<comma].allSatisfy({ $0 <= 0x20 })
                    {
                        commas.append(comma)
                    }
                    open.append(child)
                }
            case .string:
                scalars.append(node)
                if let range = node.byteRange { strings.append(range) }
            default: scalars.append(node)
            }
        }
        // The order of the text, whatever the order of the walk.
        keys.sort { $0.lowerBound < $1.lowerBound }
        commas.sort()
    }
}

extension String {
    fileprivate func replacingAll(_ old: Character, _ new: Character) -> String { String(map { $0 == old ? new : $0 }) }

    fileprivate func replacingFirst(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return String(self[..<range.lowerBound]) + new + self[range.upperBound...]
    }
}
