// SPDX-License-Identifier: Apache-2.0

/// A regular expression of JSON Schema: ECMA-262 with the `u` flag, search semantics.
///
/// Escapes of characters that need none (`\-`, `\_`, `\"`) and lone brackets and braces, which browsers accept without
/// the `u` flag, are tolerated. Back-references are refused.
///
///     let pattern = try Pattern("^[a-z]+(-[a-z]+)*$")
///     PatternMatcher(pattern).matches("a-b")   // true
///
/// Two patterns are equal when their sources are.
package struct Pattern: Hashable, Sendable, CustomStringConvertible {
    /// The text of the regular expression.
    package let source: String
    /// The syntax tree.
    package let root: PatternNode
    /// What else the meaning depends on.
    private let variant: String

    /// Parses a regular expression.
    ///
    /// - Throws: ``PatternError`` with the place of the problem.
    package init(_ source: String) throws(PatternError) {
        var parser = PatternParser(source, mode: .tolerant)
        root = try parser.parse()
        self.source = source
        variant = ""
    }

    /// Parses a regular expression with flags.
    ///
    /// - Throws: ``PatternError`` with the place of the problem.
    package init(_ source: String, flags: PatternFlags) throws(PatternError) {
        var parser = PatternParser(source, mode: .tolerant, flags: flags)
        root = try parser.parse()
        self.source = source
        variant = String(flags.rawValue)
    }

    /// A regular expression that was put together; `source` must tell it from all others.
    package init(_ root: PatternNode, source: String) {
        self.root = root
        self.source = source
        variant = "tree"
    }

    package var description: String { source }

    /// The sets of the first scalars of every text in which an anchored pattern is found, as far as its beginning
    /// tells.
    private var leadingSets: [ScalarSet] {
        guard case .sequence(let nodes) = root, let first = nodes.first, first == .start else { return [] }
        var sets: [ScalarSet] = []
        for node in nodes.dropFirst() {
            switch node {
            case .set(let set): sets.append(set)
            case .repeated(.set(let set), let min, let max):
                sets += repeatElement(set, count: Swift.min(min, 32))
                if max != min || min > 32 { return sets }
            default: return sets
            }
            if sets.count > 32 { return sets }
        }
        return sets
    }

    /// Whether certainly no text has both patterns, as their beginnings tell.
    package func isDisjointAtSight(with other: Pattern) -> Bool {
        zip(leadingSets, other.leadingSets).contains { $0.intersection($1).isEmpty }
    }

    package static func == (a: Pattern, b: Pattern) -> Bool {
        a.source.utf8.elementsEqual(b.source.utf8) && a.variant == b.variant
    }

    package func hash(into hasher: inout Hasher) {
        var source = source
        source.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
