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
    let root: PatternNode

    /// Parses a regular expression.
    ///
    /// - Throws: ``PatternError`` with the place of the problem.
    package init(_ source: String) throws(PatternError) {
        var parser = PatternParser(source, mode: .tolerant)
        root = try parser.parse()
        self.source = source
    }

    package var description: String { source }

    package static func == (a: Pattern, b: Pattern) -> Bool {
        a.source.utf8.elementsEqual(b.source.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var source = source
        source.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
