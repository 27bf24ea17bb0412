// SPDX-License-Identifier: Apache-2.0

/// One change to a damaged text, with its reason.
package struct TextMend: Sendable, Hashable {
    /// The stable name of the kind of damage, such as `json.missing-comma`.
    package var id: DiagnosticID
    /// What was wrong and what was done, lower case, without a full stop.
    package var message: String
    /// The bytes that are replaced; empty for an insertion.
    package var range: Range<Int>
    /// What takes their place.
    package var replacement: [UInt8]
    /// How much the change speaks against the reading that needs it; 10 is one ordinary mistake.
    package var cost: Int

    package init(
        _ id: DiagnosticID, _ message: String, _ range: Range<Int>, _ replacement: [UInt8],
        cost: Int = TextMend.ordinaryCost
    ) {
        self.id = id
        self.message = message
        self.range = range
        self.replacement = replacement
        self.cost = cost
    }

    /// The cost of one ordinary mistake.
    package static let ordinaryCost = 10
}

/// Changes to one text, in the order of their places, that do not overlap.
package struct TextMends: Sendable {
    /// The changes; insertions at the same place stay in the order in which they were made.
    package let mends: [TextMend]

    /// Orders the changes; nil where two overlap.
    package init?(_ mends: [TextMend]) {
        let ordered = mends.enumerated().sorted {
            // What is inserted goes before what is replaced at the same place.
            ($0.element.range.lowerBound, $0.element.range.isEmpty ? 0 : 1, $0.offset)
                < ($1.element.range.lowerBound, $1.element.range.isEmpty ? 0 : 1, $1.offset)
        }.map(\.element)
        var end = 0
        for mend in ordered {
            guard mend.range.lowerBound >= end else { return nil }
            end = mend.range.upperBound
        }
        self.mends = ordered
    }

    /// The text with the changes made; the changes must lie inside of it.
    package func apply(to bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 64)
        var at = 0
        for mend in mends where mend.range.upperBound <= bytes.count {
            result += bytes[at..<mend.range.lowerBound]
            result += mend.replacement
            at = mend.range.upperBound
        }
        result += bytes[at...]
        return result
    }

    /// The place in the old text of a place in the new one; inside of a replacement that is where it begins.
    ///
    /// - Complexity: O(number of changes).
    package func oldOffset(of new: Int) -> Int {
        var shift = 0
        for mend in mends {
            let start = mend.range.lowerBound + shift
            if new < start { break }
            if new < start + mend.replacement.count { return mend.range.lowerBound }
            shift += mend.replacement.count - mend.range.count
        }
        return max(0, new - shift)
    }

    /// What the changes cost together.
    package var cost: Int { mends.reduce(0) { $0.addingSaturated($1.cost) } }
}

/// A way to read a damaged text: the text as it should have been, and what had to be changed.
package struct TextReading: Sendable {
    /// The whole mended text.
    package var bytes: [UInt8]
    package var format: DocumentFormat
    package var mends: TextMends
    /// The costs of the mends, and of what else speaks against the reading.
    package var cost: Int
    /// The documents of the mended text.
    package var documents: [Document]
    /// Where the documents' sources begin in the mended text.
    package var bases: [Int]
}
