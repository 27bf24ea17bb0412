// SPDX-License-Identifier: Apache-2.0

/// A pattern for paths: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}` within a name, `**` for any number of folders, and `\`
/// before a character that stands for itself.
///
///     let glob = try GlobPattern("config/**/*.{yaml,yml}")
///     glob.matches("config/a/b.yaml")  // true
///
/// Braces are multiplied out when the pattern is read. Matching never goes back by more than one star and keeps a set
/// of places in the pattern, so it takes no more than length of the path times length of the pattern.
package struct GlobPattern: Hashable, Sendable {
    /// What is wrong with a pattern.
    package struct Problem: Error, Hashable, Sendable {
        package var message: String
    }

    /// The most bytes of a pattern, and the most patterns that its braces may stand for.
    static let maximumLength = 4_096
    static let maximumAlternatives = 1_024

    enum Token: Hashable, Sendable {
        case scalar(Unicode.Scalar)
        case any
        case star
        case set([ClosedRange<UInt32>], isNegated: Bool)

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .scalar(let own): own == scalar
            case .any, .star: true
            case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar.value) } != isNegated
            }
        }
    }

    /// What stands between two slashes.
    enum Segment: Hashable, Sendable {
        /// `**`: any number of names, none included.
        case anyDepth
        /// A name without wildcards.
        case literal(String)
        case tokens([Token])
    }

    /// A pattern without braces.
    struct Alternative: Hashable, Sendable {
        var isAbsolute: Bool
        var segments: [Segment]

        /// The places in the pattern before any name.
        var start: [Int] { closure([0]) }

        /// The places after a name.
        ///
        /// - Parameters:
        ///   - takesHidden: Whether wildcards stand for a dot at the beginning of a name.
        ///   - entersAnyDepth: Whether `**` may stand for this name.
        func advance(_ places: [Int], _ name: String, takesHidden: Bool, entersAnyDepth: Bool = true) -> [Int] {
            var next: [Int] = []
            let isHidden = name.hasPrefix(".") && !takesHidden
            let scalars = Array(name.unicodeScalars)
            for place in places where place < segments.count {
                switch segments[place] {
                case .anyDepth: if !isHidden, entersAnyDepth { next.append(place) }
                case .literal(let own): if own == name { next.append(place + 1) }
                case .tokens(let tokens):
                    // A dot that is written out takes a hidden name.
                    let isAllowed = !isHidden || tokens.first == .scalar(".")
                    if isAllowed, GlobPattern.matches(tokens, scalars) { next.append(place + 1) }
                }
            }
            return closure(next)
        }

        func accepts(_ places: [Int]) -> Bool { places.last == segments.count }

        /// The places with those behind `**`, in ascending order.
        private func closure(_ places: [Int]) -> [Int] {
            var isIn = [Bool](repeating: false, count: segments.count + 1)
            for place in places { isIn[min(place, segments.count)] = true }
            for place in segments.indices where isIn[place] && segments[place] == .anyDepth { isIn[place + 1] = true }
            return isIn.indices.filter { isIn[$0] }
        }

        /// Whether the end of the last name is spelt out, as in `*.conf`.
        var spellsEnding: Bool {
            switch segments.last {
            case .literal: return true
            case .anyDepth, nil: return false
            case .tokens(let tokens):
                for token in tokens.reversed() {
                    guard case .scalar(let scalar) = token else { return false }
                    if scalar == "." { return true }
                }
                return false
            }
        }
    }

    /// The pattern as written.
    package let text: String
    let alternatives: [Alternative]

    package init(_ text: String) throws(Problem) {
        guard text.utf8.count <= Self.maximumLength else {
            throw Problem(message: "the pattern has more than \(Self.maximumLength) bytes")
        }
        self.text = text
        alternatives = try Self.expanded(text).map(Self.parse)
        guard alternatives.allSatisfy({ !$0.segments.isEmpty }) else {
            throw Problem(message: "the pattern '\(text)' names no file")
        }
    }

    /// Whether a text has anything that this type gives a meaning.
    package static func isPattern(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0 == "*" || $0 == "?" || $0 == "[" || $0 == "{" }
    }

    /// Whether a pattern has no slash, so that it is about names wherever they are.
    package var isName: Bool { alternatives.allSatisfy { !$0.isAbsolute && $0.segments.count == 1 } }

    /// Whether the pattern is for a path, given by names with slashes between them.
    ///
    /// - Parameter takesHidden: Whether wildcards stand for a dot at the beginning of a name.
    package func matches(_ path: String, takesHidden: Bool = true) -> Bool {
        matches(path, takesHidden: takesHidden, orBelow: false)
    }

    /// Whether the pattern is for a path or for a folder that it lies in.
    package func covers(_ path: String) -> Bool { matches(path, takesHidden: true, orBelow: true) }

    private func matches(_ path: String, takesHidden: Bool, orBelow: Bool) -> Bool {
        let names = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        return alternatives.contains { alternative in
            guard alternative.isAbsolute == path.hasPrefix("/") else { return false }
            var places = alternative.start
            for (index, name) in names.enumerated() {
                places = alternative.advance(places, name, takesHidden: takesHidden)
                if places.isEmpty { return false }
                if orBelow, index + 1 < names.count, alternative.accepts(places) { return true }
            }
            return !names.isEmpty && alternative.accepts(places)
        }
    }

    /// Whether tokens are for a whole name.
    static func matches(_ tokens: [Token], _ name: [Unicode.Scalar]) -> Bool {
        var token = 0
        var at = 0
        var lastStar = -1
        var starEnd = 0
        while at < name.count {
            if token < tokens.count, tokens[token] == .star {
                lastStar = token
                starEnd = at
                token += 1
            } else if token < tokens.count, tokens[token].matches(name[at]) {
                token += 1
                at += 1
            } else if lastStar >= 0 {
                // Only the last star needs to give way: what stands before it has found its earliest place.
                starEnd += 1
                at = starEnd
                token = lastStar + 1
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .star }
    }

    // MARK: Reading

    /// The patterns that braces stand for, in their order.
    private static func expanded(_ text: String) throws(Problem) -> [[Unicode.Scalar]] {
        var done: [[Unicode.Scalar]] = []
        var left = [Array(text.unicodeScalars)]
        while let next = left.popLast() {
            guard let group = firstGroup(next) else {
                done.append(next)
                continue
            }
            guard done.count + left.count + group.parts.count <= maximumAlternatives else {
                throw Problem(message: "the braces of '\(text)' stand for more than \(maximumAlternatives) patterns")
            }
            for part in group.parts.reversed() { left.append(Array(next[..<group.start] + part + next[group.end...])) }
        }
        return done
    }

    /// The first braces with a comma: where they are, and what stands between the commas.
    private static func firstGroup(
        _ text: [Unicode.Scalar]
    ) -> (start: Int, end: Int, parts: [ArraySlice<Unicode.Scalar>])? {
        var open: [(start: Int, commas: [Int])] = []
        var best: (start: Int, end: Int, commas: [Int])?
        var at = 0
        while at < text.count {
            switch text[at] {
            case "\\": at += 1
            case "{": open.append((at, []))
            case ",": if !open.isEmpty { open[open.count - 1].commas.append(at) }
            case "}":
                if let group = open.popLast(), !group.commas.isEmpty, group.start < best?.start ?? .max {
                    best = (group.start, at + 1, group.commas)
                }
            default: break
            }
            at += 1
        }
        guard let best else { return nil }
        var parts: [ArraySlice<Unicode.Scalar>] = []
        var start = best.start + 1
        for comma in best.commas + [best.end - 1] {
            parts.append(text[start..<comma])
            start = comma + 1
        }
        return (best.start, best.end, parts)
    }

    private static func parse(_ text: [Unicode.Scalar]) -> Alternative {
        var segments: [Segment] = []
        for part in text.split(separator: "/" as Unicode.Scalar) where part != ["."] {
            if part == ["*", "*"] {
                // Twice in a row says nothing more.
                if segments.last != .anyDepth { segments.append(.anyDepth) }
            } else {
                segments.append(segment(Array(part)))
            }
        }
        return Alternative(isAbsolute: text.first == "/", segments: segments)
    }

    private static func segment(_ text: [Unicode.Scalar]) -> Segment {
        var tokens: [Token] = []
        var at = 0
        while at < text.count {
            let scalar = text[at]
            at += 1
            switch scalar {
            case "*": if tokens.last != .star { tokens.append(.star) }
            case "?": tokens.append(.any)
            case "\\" where at < text.count:
                tokens.append(.scalar(text[at]))
                at += 1
            case "[":
                if let (set, end) = set(text, from: at) {
                    tokens.append(set)
                    at = end
                } else {
                    tokens.append(.scalar(scalar))
                }
            default: tokens.append(.scalar(scalar))
            }
        }
        var literal = String.UnicodeScalarView()
        for token in tokens {
            guard case .scalar(let scalar) = token else { return .tokens(tokens) }
            literal.append(scalar)
        }
        return .literal(String(literal))
    }

    /// The set behind an opening bracket and the place after it; nil where it is not closed.
    private static func set(_ text: [Unicode.Scalar], from start: Int) -> (Token, Int)? {
        var at = start
        var isNegated = false
        if at < text.count, text[at] == "!" || text[at] == "^" {
            isNegated = true
            at += 1
        }
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while at < text.count {
            var low = text[at]
            // A closing bracket at the beginning stands for itself.
            if low == "]", !isFirst { return (.set(ranges, isNegated: isNegated), at + 1) }
            isFirst = false
            if low == "\\", at + 1 < text.count {
                at += 1
                low = text[at]
            }
            at += 1
            if at + 1 < text.count, text[at] == "-", text[at + 1] != "]" {
                let high = text[at + 1]
                at += 2
                // A range that runs backwards holds nothing.
                if low.value <= high.value { ranges.append(low.value...high.value) }
            } else {
                ranges.append(low.value...low.value)
            }
        }
        return nil
    }
}
