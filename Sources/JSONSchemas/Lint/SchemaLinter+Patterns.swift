// SPDX-License-Identifier: Apache-2.0

import Documents

extension SchemaLinter {
    /// Patterns whose anchors do not say what a reader takes them to say.
    mutating func lookAtPatterns(_ schema: Subschema) {
        if schema.pattern != nil, let node = schema.node["pattern"] { lookAtPattern(node) }
        if !schema.patternProperties.isEmpty, let map = schema.node["patternProperties"] {
            for member in map.members { lookAtPattern(member.keyNode) }
        }
    }

    private mutating func lookAtPattern(_ node: Node) {
        guard let text = node.stringValue, let surprise = PatternAnchors(text).surprise else { return }
        report("lint.pattern-anchors", surprise.message, node, help: surprise.help)
    }
}

/// The anchors and branches of a pattern as they are written, without a look at what they mean.
private struct PatternAnchors {
    /// The branches at the top, each with its text.
    private var branches: [[Character]] = [[]]
    private let text: String

    init(_ text: String) {
        self.text = text
        var depth = 0
        var isInClass = false
        var isEscaped = false
        for character in text {
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if isInClass {
                if character == "]" { isInClass = false }
            } else if character == "[" {
                isInClass = true
            } else if character == "(" {
                depth += 1
            } else if character == ")" {
                depth -= 1
            } else if character == "|", depth == 0 {
                branches.append([])
                continue
            }
            branches[branches.count - 1].append(character)
        }
    }

    private static func begins(_ branch: [Character]) -> Bool { branch.first == "^" }

    private static func ends(_ branch: [Character]) -> Bool {
        guard branch.last == "$" else { return false }
        // An escaped sign stands for itself.
        return branch.dropLast().reversed().prefix { $0 == "\\" }.count.isMultiple(of: 2)
    }

    /// The upper bound of the quantifier at the end, if that is what the branch ends with: `{3}`, `{1,3}`.
    private static func endsWithBound(_ branch: [Character]) -> Bool {
        guard branch.last == "}", let open = branch.lastIndex(of: "{"), open > 0, branch[open - 1] != "\\" else {
            return false
        }
        let inner = branch[(open + 1)..<(branch.count - 1)]
        guard let last = inner.last, last.isASCII, last.isNumber else { return false }
        return inner.allSatisfy { $0.isNumber || $0 == "," }
    }

    var surprise: (message: String, help: String)? {
        if let first = branches.first, let last = branches.last, branches.count > 1, Self.begins(first),
            Self.ends(last),
            !branches.dropFirst().contains(where: Self.begins), !branches.dropLast().contains(where: Self.ends)
        {
            return (
                "'^' belongs to the first alternative of '\(text)' alone, and '$' to the last",
                "put the alternatives in a group: ^(?:…|…)$"
            )
        }
        guard branches.count == 1, let branch = branches.first, !Self.ends(branch) else { return nil }
        if Self.endsWithBound(branch) {
            return (
                "the upper bound at the end of '\(text)' has no effect: more may follow",
                "end the pattern with '$', or drop the bound"
            )
        }
        // A class that is repeated, and nothing that says where: one character of it anywhere will do.
        if !Self.begins(branch), let first = branch.first, first == "[",
            let close = branch.firstIndex(of: "]"), close == branch.count - 2, branch.last == "+" || branch.last == "*"
        {
            return (
                branch.last == "*"
                    ? "'\(text)' is found in every text" : "'\(text)' is found wherever one such character is",
                "write ^\(text)$ if the whole text is meant"
            )
        }
        return nil
    }
}
