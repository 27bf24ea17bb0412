// SPDX-License-Identifier: Apache-2.0

/// A set of byte values, stored as 256 bits.
///
///     var set = ByteSet()
///     set.insert(UInt8(ascii: "\""))
///     set.contains(0x22)  // true
package struct ByteSet: Hashable, Sendable {
    /// Bits 0 to 63, 64 to 127, 128 to 191 and 192 to 255.
    package var words: (UInt64, UInt64, UInt64, UInt64)

    /// The empty set.
    @inlinable
    package init() { words = (0, 0, 0, 0) }

    /// The set of the given bytes.
    package init(_ bytes: some Sequence<UInt8>) {
        self.init()
        for byte in bytes { insert(byte) }
    }

    /// Every byte.
    package static var all: ByteSet {
        var set = ByteSet()
        set.words = (.max, .max, .max, .max)
        return set
    }

    /// Whether `byte` is a member.
    @inlinable
    package func contains(_ byte: UInt8) -> Bool {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: return words.0 & bit != 0
        case 1: return words.1 & bit != 0
        case 2: return words.2 & bit != 0
        default: return words.3 & bit != 0
        }
    }

    /// Adds `byte`.
    @inlinable
    package mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    /// Removes `byte`.
    @inlinable
    package mutating func remove(_ byte: UInt8) {
        let bit = ~(UInt64(1) << UInt64(byte & 63))
        switch byte >> 6 {
        case 0: words.0 &= bit
        case 1: words.1 &= bit
        case 2: words.2 &= bit
        default: words.3 &= bit
        }
    }

    /// Adds every byte of the range.
    package mutating func insert(_ range: ClosedRange<UInt8>) {
        for byte in range { insert(byte) }
    }

    /// Adds every member of `other`.
    @inlinable
    package mutating func formUnion(_ other: ByteSet) {
        words.0 |= other.words.0
        words.1 |= other.words.1
        words.2 |= other.words.2
        words.3 |= other.words.3
    }

    /// The members of both sets.
    @inlinable
    package func intersection(_ other: ByteSet) -> ByteSet {
        var set = self
        set.words.0 &= other.words.0
        set.words.1 &= other.words.1
        set.words.2 &= other.words.2
        set.words.3 &= other.words.3
        return set
    }

    /// Whether no byte is a member.
    @inlinable
    package var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    /// The number of members.
    package var count: Int {
        words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount + words.3.nonzeroBitCount
    }

    /// The smallest member.
    package var first: UInt8? {
        if words.0 != 0 { return UInt8(words.0.trailingZeroBitCount) }
        if words.1 != 0 { return UInt8(64 + words.1.trailingZeroBitCount) }
        if words.2 != 0 { return UInt8(128 + words.2.trailingZeroBitCount) }
        if words.3 != 0 { return UInt8(192 + words.3.trailingZeroBitCount) }
        return nil
    }

    /// The only member, where there is exactly one.
    package var single: UInt8? { count == 1 ? first : nil }

    /// Calls `body` with each member in increasing order.
    @inlinable
    package func forEach(_ body: (UInt8) -> Void) {
        forEachBit(words.0, base: 0, body)
        forEachBit(words.1, base: 64, body)
        forEachBit(words.2, base: 128, body)
        forEachBit(words.3, base: 192, body)
    }

    @inlinable
    package func forEachBit(_ word: UInt64, base: UInt8, _ body: (UInt8) -> Void) {
        var rest = word
        while rest != 0 {
            body(base &+ UInt8(truncatingIfNeeded: rest.trailingZeroBitCount))
            rest &= rest &- 1
        }
    }

    package static func == (lhs: ByteSet, rhs: ByteSet) -> Bool { lhs.words == rhs.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}
