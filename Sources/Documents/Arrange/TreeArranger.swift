// SPDX-License-Identifier: Apache-2.0

/// Finds out which pieces of a text change their places so that its members are arranged.
///
/// Comments on lines of their own go with the member that follows, those behind a member on its line with that one.
struct TreeArranger {
    let tree: SyntaxTree
    let format: DocumentFormat
    let bytes: [UInt8]
    let lineEnd: [UInt8]
    /// Where the text begins, behind a byte order mark.
    let base: Int
    private(set) var changes: [Rearrangement] = []
    /// What could not be done, and why.
    private(set) var notes: [Diagnostic] = []
    /// The members that have gone, and those that have come, by document.
    private(set) var removed: [Int: Set<JSONPointer>] = [:]
    private(set) var inserted: [Int: [JSONPointer: [JSONObject.Member]]] = [:]
    /// Members that are gone because they were there twice.
    private(set) var duplicates: [(key: String, range: Range<Int>)] = []
    var arrangement = Arrangement()
    /// The document that is worked on.
    var document = 0
    /// Anchors that are defined more than once in the text, or behind their aliases; nil where there are no aliases.
    private var ambiguousAnchors: Set<ArraySlice<UInt8>>?
    /// How many of the containers around have anchors, in a text with aliases.
    private var anchored = 0

    init(_ tree: SyntaxTree, _ format: DocumentFormat) {
        self.tree = tree
        self.format = format
        bytes = tree.source.bytes
        base = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let first = tree.tokens.first { $0.kind == .newline && tree.source.bytes[$0.range.lowerBound] < 0x80 }
        lineEnd = first.map { Array(tree.source.bytes[$0.range]) } ?? [0x0A]
        guard tree.tokens.contains(where: { $0.kind == .alias }) else { return }
        var seen: Set<ArraySlice<UInt8>> = []
        var twice: Set<ArraySlice<UInt8>> = []
        for token in tree.tokens where token.kind == .anchor || token.kind == .alias {
            let name = bytes[token.range].dropFirst()
            // An alias before its anchor stands for nothing, and must not begin to stand for something.
            if token.kind == .alias ? !seen.contains(name) : !seen.insert(name).inserted { twice.insert(name) }
        }
        ambiguousAnchors = twice
    }

    /// Arranges all documents of the tree.
    mutating func run(_ arrangement: (Int) -> Arrangement) {
        if format == .toml {
            self.arrangement = arrangement(0)
            if !self.arrangement.isEmpty { statements() }
        } else if tree.nodes.first?.kind == .stream {
            for (number, node) in tree.children(of: 0).enumerated() {
                document = number
                self.arrangement = arrangement(number)
                guard !self.arrangement.isEmpty else { continue }
                for child in tree.children(of: node) { container(child, .root, isInFlow: false) }
            }
        } else {
            self.arrangement = arrangement(0)
            guard !self.arrangement.isEmpty else { return }
            for child in tree.children(of: 0) { container(child, .root, isInFlow: true) }
        }
    }

    // MARK: Tools

    func text(_ token: Int) -> ArraySlice<UInt8> { bytes[tree.tokens[token].range] }

    func isPunctuation(_ token: Int, _ byte: UInt8) -> Bool {
        tree.tokens[token].kind == .punctuation && text(token).first == byte && text(token).count == 1
    }

    func lineStart(_ place: Int) -> Int {
        var start = min(place, bytes.count)
        while start > base, bytes[start - 1] != 0x0A, bytes[start - 1] != 0x0D { start -= 1 }
        return start
    }

    func spaces(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x20, count: count) }

    mutating func note(_ id: DiagnosticID, _ message: String, _ range: Range<Int>) {
        // What is said once is understood.
        guard notes.count < 20 else { return }
        notes.append(Diagnostic(id, message, severity: .warning, range: tree.source.range(range)))
    }

    mutating func change(_ region: Range<Int>, _ pieces: [Rearrangement.Piece]) {
        changes.append(Rearrangement(region: region, pieces: pieces))
    }

    mutating func didRemove(_ key: [String], in object: JSONPointer) {
        removed[document, default: []].insert(object.appending(contentsOf: key))
    }

    mutating func didInsert(_ members: [JSONObject.Member], in object: JSONPointer) {
        guard !members.isEmpty else { return }
        inserted[document, default: [:]][object, default: []] += members
    }

    // MARK: Containers

    // The depth is that of the document, which its reader bounds.
    mutating func container(_ node: Int, _ path: JSONPointer, isInFlow: Bool) {
        let own = tree.nodes[node]
        guard let first = own.tokens.first else { return }
        let isAnchored = ambiguousAnchors != nil && hasAnchor(before: first)
        if isAnchored { anchored += 1 }
        defer { if isAnchored { anchored -= 1 } }
        let isBraced = isPunctuation(first, UInt8(ascii: "{"))
        let isBracketed = isPunctuation(first, UInt8(ascii: "["))
        switch own.kind {
        case .array:
            var index = 0
            var at = first + (isBracketed ? 1 : 0)
            let mark = UInt8(ascii: isBracketed ? "," : "-")
            var isBehindMark = isBracketed
            for child in tree.children(of: node) {
                while at < tree.nodes[child].tokens.lowerBound {
                    if isPunctuation(at, mark) {
                        if isBehindMark { index += 1 }
                        isBehindMark = true
                    }
                    at += 1
                }
                container(child, path.appending(String(index)), isInFlow: isInFlow || isBracketed)
                at = tree.nodes[child].tokens.upperBound
            }
        case .object:
            let members = tree.children(of: node).filter { tree.nodes[$0].kind == .member }
            let keys = members.map { key(ofMember: $0) }
            for (member, key) in zip(members, keys) {
                guard let key, let value = tree.children(of: member).last else { continue }
                container(value, path.appending(contentsOf: key), isInFlow: isInFlow || isBraced)
            }
            if keys.contains(where: { $0 == nil }) {
                if members.count > 1 || arrangement.changesValue {
                    note(
                        "format.keys", "the mapping has keys that are no text; its members stay as they are",
                        tree.range(of: node))
                }
                return
            }
            let names = keys.compactMap(\.self)
            if isBraced {
                braced(node, members, names, path)
            } else if !isInFlow, format == .yaml {
                block(node, members, names, path)
            }
        case .document, .member, .table, .tableElement, .stream: break
        }
    }

    private func hasAnchor(before token: Int) -> Bool {
        var at = token - 1
        while at >= 0, tree.tokens[at].kind.isTrivia || tree.tokens[at].kind == .tag { at -= 1 }
        return at >= 0 && tree.tokens[at].kind == .anchor
    }

    /// The key of a member as the reader gives it, in TOML with all its parts; nil for what is no text.
    private func key(ofMember member: Int) -> [String]? {
        let own = tree.nodes[member].tokens
        let end = tree.children(of: member).first.map { tree.nodes[$0].tokens.lowerBound } ?? own.upperBound
        var parts: [String] = []
        for token in own.lowerBound..<max(own.lowerBound, min(end, own.upperBound)) {
            switch tree.tokens[token].kind {
            case .key:
                guard let name = name(text(token)) else { return nil }
                parts.append(name)
            case .punctuation where isPunctuation(token, UInt8(ascii: "?")) || isPunctuation(token, UInt8(ascii: ".")):
                continue
            case .punctuation: return parts.isEmpty ? nil : parts
            case .mark, .space, .newline, .comment, .anchor, .tag: continue
            case .string, .number, .word, .date, .alias, .marker, .directive: return parts.isEmpty ? nil : parts
            }
        }
        return parts.isEmpty ? nil : parts
    }

    /// A key's text, as it is written decoded.
    func name(_ written: ArraySlice<UInt8>) -> String? {
        let first = written.first
        let isQuoted = first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")
        switch format {
        case .yaml:
            if first == UInt8(ascii: "|") || first == UInt8(ascii: ">") { return nil }
            guard isQuoted || written.contains(0x0A) || written.contains(0x0D) else {
                return String(decoding: written, as: UTF8.self)
            }
            return (try? YAMLReader.read(SourceText(file: nil, bytes: Array(written)), options: .lenient))?
                .first?.root.stringValue
        case .toml:
            guard isQuoted else { return String(decoding: written, as: UTF8.self) }
            let source = SourceText(file: nil, bytes: Array(written) + Array(" = 0".utf8))
            return (try? TOMLReader.read(source, options: .lenient))?.root.members.first?.key
        case .json5:
            guard isQuoted else {
                return written.withUnsafeBufferPointer { bytes in
                    let decoded = JSON5Text.identifier(bytes, 0)?.decoded
                    return decoded.map { String(decoding: $0, as: UTF8.self) } ?? String(decoding: bytes, as: UTF8.self)
                }
            }
            return
                (try? JSONReader.read(
                    SourceText(file: nil, bytes: Array(written)), options: ReadOptions.replacing.withJSON5))?
                .root.stringValue
        case .json, .jsonc, .jsonl:
            return (try? JSONReader.read(SourceText(file: nil, bytes: Array(written)), options: .replacing))?
                .root.stringValue
        }
    }

    // MARK: Which members, in which order

    struct Plan {
        var items: [Arrangement.Item]
        var additions: [JSONObject.Member]
    }

    /// The members as they are to be; nil where nothing changes.
    mutating func plan(
        _ keys: [[String]], _ tokens: [Range<Int>], isCommented: (Int) -> Bool, in path: JSONPointer
    ) -> Plan? {
        var kept: [Int] = []
        for number in keys.indices {
            let pointer = arrangement.removals.isEmpty ? path : path.appending(contentsOf: keys[number])
            guard !arrangement.removals.isEmpty, arrangement.removals.contains(pointer) else {
                kept.append(number)
                continue
            }
            let hasComment = isCommented(number) || tokens[number].contains { tree.tokens[$0].kind == .comment }
            let hasAnchor = anchored > 0 || tokens[number].contains { tree.tokens[$0].kind == .anchor }
            guard hasComment || hasAnchor else {
                didRemove(keys[number], in: path)
                continue
            }
            note(
                "format.kept",
                "'\(keys[number].last ?? "")' has its default, but stays for its \(hasComment ? "comment" : "anchor")",
                tree.tokens[tokens[number].lowerBound].range)
            kept.append(number)
        }
        if arrangement.dropsDuplicates { dropDuplicates(&kept, keys, tokens, isCommented: isCommented) }
        let additions = additions(keys, tokens, path)
        didInsert(additions, in: path)
        let all = kept.map { keys[$0] } + additions.map { [$0.key] }
        let order = arrangement.sorted(all, in: path)
        var items = order.map { $0 < kept.count ? Arrangement.Item.old(kept[$0]) : .new($0 - kept.count) }
        items = withAnchorsFirst(items, keys, tokens)
        return items == keys.indices.map { .old($0) } ? nil : Plan(items: items, additions: additions)
    }

    /// Takes away members that are there twice, word for word; others are told.
    private mutating func dropDuplicates(
        _ kept: inout [Int], _ keys: [[String]], _ tokens: [Range<Int>], isCommented: (Int) -> Bool
    ) {
        var places: [ScalarString: [Int]] = [:]
        for number in kept { places[ScalarString(keys[number].joined(separator: "\u{0}")), default: []].append(number) }
        var dropped: Set<Int> = []
        for group in places.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
            let first = words(tokens[group[0]])
            let isSame = group.allSatisfy { words(tokens[$0]) == first }
            let isBound = group.dropFirst().contains { number in
                isCommented(number)
                    || tokens[number].contains { tree.tokens[$0].kind == .comment || tree.tokens[$0].kind == .anchor }
            }
            if isSame, !isBound {
                dropped.formUnion(group.dropFirst())
                duplicates += group.dropFirst().map { (keys[$0].last ?? "", tree.tokens[tokens[$0].lowerBound].range) }
                continue
            }
            for number in group.dropFirst() {
                note(
                    "repair.duplicate-key",
                    "the key '\(keys[number].last ?? "")' is there twice "
                        + (isSame
                            ? "with a comment or an anchor; both stay" : "with different values; the last counts"),
                    tree.tokens[tokens[number].lowerBound].range)
            }
        }
        kept.removeAll { dropped.contains($0) }
    }

    /// What a member says: its tokens without white space, comments and commas before closing brackets.
    private func words(_ range: Range<Int>) -> [ArraySlice<UInt8>] {
        range.filter { !tree.tokens[$0].kind.isTrivia }.map { text($0) }
    }

    private mutating func additions(
        _ keys: [[String]], _ tokens: [Range<Int>], _ path: JSONPointer
    ) -> [JSONObject.Member] {
        // A merge gives members that are not seen here.
        let isMerged = format == .yaml && keys.contains { $0 == ["<<"] }
        if isMerged || anchored > 0, !arrangement.insertions.isEmpty, arrangement.insertions[path] != nil {
            note(
                "format.kept",
                "defaults are not added here: \(isMerged ? "'<<' may give" : "aliases would have") them, too",
                tokens.first.map { tree.tokens[$0.lowerBound].range } ?? 0..<0)
            return []
        }
        return arrangement.additions(to: path, keys).filter { format != .toml || !$0.value.holdsNull }
    }

    /// The same members, with anchors before their aliases.
    private mutating func withAnchorsFirst(
        _ items: [Arrangement.Item], _ keys: [[String]], _ tokens: [Range<Int>]
    ) -> [Arrangement.Item] {
        guard let ambiguousAnchors, items.count > 1 else { return items }
        // By member: those that have to stand before it.
        var needs = [Set<Int>](repeating: [], count: keys.count)
        var definitions: [ArraySlice<UInt8>: Int] = [:]
        var last: [ArraySlice<UInt8>: Int] = [:]
        for number in keys.indices {
            for token in tokens[number] where tree.tokens[token].kind == .anchor || tree.tokens[token].kind == .alias {
                let name = text(token).dropFirst()
                if ambiguousAnchors.contains(name) {
                    if let before = last[name], before != number { needs[number].insert(before) }
                    last[name] = number
                } else if tree.tokens[token].kind == .anchor {
                    definitions[name] = number
                } else if let place = definitions[name], place != number {
                    needs[number].insert(place)
                }
            }
        }
        guard needs.contains(where: { !$0.isEmpty }) else { return items }
        var result: [Arrangement.Item] = []
        var done: Set<Int> = []
        for item in items {
            guard case .old(let number) = item else {
                result.append(item)
                continue
            }
            // What is needed lies before it in the text, so that this ends.
            var left = [number]
            while let next = left.last {
                if done.contains(next) {
                    left.removeLast()
                } else if let need = needs[next].subtracting(done).max() {
                    left.append(need)
                } else {
                    if next != number {
                        note(
                            "format.anchor",
                            "'\(keys[next].last ?? "")' stays before '\(keys[number].last ?? "")', "
                                + "which needs its anchor",
                            tree.tokens[tokens[next].lowerBound].range)
                    }
                    done.insert(next)
                    result.append(.old(next))
                    left.removeLast()
                }
            }
        }
        return result
    }
}

extension JSONPointer {
    func appending(contentsOf keys: [String]) -> JSONPointer {
        keys.count == 1 ? appending(keys[0]) : JSONPointer(tokens + keys)
    }
}

extension JSONValue {
    /// Whether null is somewhere in the value.
    var holdsNull: Bool {
        switch self {
        case .null: true
        case .bool, .number, .string: false
        case .array(let elements): elements.contains(where: \.holdsNull)
        case .object(let object): object.members.contains(where: \.value.holdsNull)
        }
    }
}

extension ReadOptions {
    /// For texts whose layout counts: what is odd in them but can be read is no mistake.
    static let replacing: ReadOptions = {
        var options = ReadOptions.lenient
        options.loneSurrogates = .replace
        return options
    }()
}
