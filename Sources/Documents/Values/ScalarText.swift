// SPDX-License-Identifier: Apache-2.0

/// Comparison of text code point by code point.
///
/// `String` treats canonically equivalent spellings as equal ("é" as one scalar or as two). JSON does not: such keys are
/// different keys. Code that compares keys or values from documents uses these functions.
package enum ScalarText {
    /// Whether two strings consist of the same scalars.
    @inline(__always)
    package static func equal(_ a: String, _ b: String) -> Bool {
        let (x, y) = (a.utf8, b.utf8)
        guard x.count == y.count else { return false }
        return x.elementsEqual(y)
    }

    /// Whether `a` sorts before `b` by code points.
    package static func less(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    /// Feeds the scalars to a hasher.
    @inline(__always)
    package static func hash(_ text: String, into hasher: inout Hasher) {
        var copy = text
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(UInt8(0xFF))
    }
}

/// A string that is equal only to strings with the same scalars: the key type for dictionaries over document text.
package struct ScalarString: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral value: String) { self.text = value }

    package static func == (a: ScalarString, b: ScalarString) -> Bool { ScalarText.equal(a.text, b.text) }
    package static func < (a: ScalarString, b: ScalarString) -> Bool { ScalarText.less(a.text, b.text) }
    package func hash(into hasher: inout Hasher) { ScalarText.hash(text, into: &hasher) }
}
