// SPDX-License-Identifier: Apache-2.0

/// A text that others are to be taken from, indexed by its substrings.
///
/// The index is a suffix automaton over Unicode scalars, so that a substring never cuts a character: two states and
/// three transitions a scalar at most, built in linear time. A state stands for all substrings that end in the same
/// places.
///
///     let text = ReferenceText("Call Ada")
///     text.contains("Ada")              // true
///     text.occurrences(of: "Ada")?.utf8Start   // 5
///
/// Two texts are equal only if they are the same object: nothing learnt about one is ever used for another.
package final class ReferenceText: Sendable {
    /// The state before the first scalar.
    package static let start: Int32 = 0

    /// How many scalars the text has.
    package let count: Int
    /// The scalars that occur, ascending.
    package let alphabet: [UInt32]

    /// By state: where its transitions begin; one more entry at the end.
    private let offsets: [Int32]
    /// The transitions of each state in the order of their scalars.
    private let edgeScalars: [UInt32]
    private let edgeTargets: [Int32]
    /// By state: the number of scalars before the end of its first occurrence.
    private let firstEnds: [Int32]
    /// By state: in how many places its substrings end.
    private let counts: [Int32]
    /// By number of scalars: the bytes before; empty where all are ASCII.
    private let byteOffsets: [Int32]

    /// Indexes a text.
    ///
    /// - Complexity: linear in the text, in time and memory: about 60 bytes a scalar are kept.
    package init(_ text: String) {
        var builder = SuffixAutomatonBuilder()
        var byteOffsets: [Int32] = []
        var bytes: Int32 = 0
        var seen: Set<UInt32> = []
        var isASCII = true
        for scalar in text.unicodeScalars {
            builder.append(scalar.value)
            seen.insert(scalar.value)
            byteOffsets.append(bytes)
            bytes += scalar.value < 0x80 ? 1 : scalar.value < 0x800 ? 2 : scalar.value < 0x10000 ? 3 : 4
            isASCII = isASCII && scalar.isASCII
        }
        byteOffsets.append(bytes)
        count = byteOffsets.count - 1
        self.byteOffsets = isASCII ? [] : byteOffsets
        alphabet = seen.sorted()
        (offsets, edgeScalars, edgeTargets) = builder.sortedEdges()
        firstEnds = builder.firstEnds
        counts = builder.occurrenceCounts(textCount: count)
    }

    /// The state after one more scalar; -1 where the text so far does not occur with it.
    @inline(__always)
    func step(_ state: Int32, _ scalar: UInt32) -> Int32 {
        var low = Int(offsets[Int(state)])
        var high = Int(offsets[Int(state) + 1])
        while high - low > 8 {
            let middle = (low + high) >> 1
            if edgeScalars[middle] <= scalar { low = middle } else { high = middle }
        }
        while low < high {
            if edgeScalars[low] == scalar { return edgeTargets[low] }
            low += 1
        }
        return -1
    }

    /// The scalars that may come next in a state.
    func nextScalars(_ state: Int32) -> ArraySlice<UInt32> {
        edgeScalars[Int(offsets[Int(state)])..<Int(offsets[Int(state) + 1])]
    }

    /// The scalars of the longest continuation in a state.
    func longestRest(_ state: Int32) -> Int { count - Int(firstEnds[Int(state)]) }

    private func state(after text: String) -> (state: Int32, length: Int)? {
        var state = Self.start
        var length = 0
        for scalar in text.unicodeScalars {
            state = step(state, scalar.value)
            if state < 0 { return nil }
            length += 1
        }
        return (state, length)
    }

    /// Whether the text occurs, scalar by scalar; the empty one does.
    ///
    /// - Complexity: linear in `text`.
    package func contains(_ text: String) -> Bool { state(after: text) != nil }

    /// Where a substring occurs.
    package struct Occurrences: Hashable, Sendable {
        /// The first occurrence, in bytes of the text in UTF-8.
        package var utf8Start: Int
        package var utf8End: Int
        /// How many there are, overlapping ones included; the empty text occurs before, between and after the scalars.
        package var count: Int
    }

    /// Where a text occurs; nil if it does not.
    package func occurrences(of text: String) -> Occurrences? {
        guard let (state, length) = state(after: text) else { return nil }
        let end = Int(firstEnds[Int(state)])
        func bytes(_ scalars: Int) -> Int { byteOffsets.isEmpty ? scalars : Int(byteOffsets[scalars]) }
        return Occurrences(
            utf8Start: bytes(end - length), utf8End: bytes(end), count: Int(counts[Int(state)]))
    }
}

extension ReferenceText: Hashable {
    package static func == (a: ReferenceText, b: ReferenceText) -> Bool { a === b }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension Language {
    /// Whether the language depends on a reference text.
    package var usesReference: Bool {
        switch self {
        case .substring: true
        case .not(let language): language.usesReference
        case .all(let languages), .any(let languages): languages.contains { $0.usesReference }
        case .pattern, .wholeMatch, .literals, .everything, .format: false
        }
    }
}
