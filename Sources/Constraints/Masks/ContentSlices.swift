// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The tokens of string content that have scalars of some classes only, and at most so many, as mask words.
final class ContentSlice: Sendable {
    /// Written once, before the slice is shared.
    nonisolated(unsafe) let words: UnsafeMutablePointer<UInt64>

    init(wordCapacity: Int) { words = .allocate(capacity: wordCapacity) }

    deinit { words.deallocate() }
}

/// The slices of a vocabulary: made when first asked for, the least recently used dropped.
///
/// For each class of scalars there are the tokens that have one of that class. A slice is the content of some length
/// less the tokens of all other classes: a few passes over the words of a mask, where setting the bits of so many tokens
/// one by one costs ten times as much.
final class ContentSlices: Sendable {
    private struct Key: Hashable {
        var classes: UInt64
        var bound: Int
    }

    private struct Entry {
        var slice: ContentSlice
        var lastUse: Int
    }

    private struct Table {
        var entries: [Key: Entry] = [:]
        var uses = 0
    }

    private static let limit = 128
    private let wordCapacity: Int
    /// The classes that some token has.
    private let present: UInt64
    /// By class: the words of the tokens that have it; immutable after the initialiser.
    private nonisolated(unsafe) let holders: UnsafeMutablePointer<UInt64>
    private let table = Mutex(Table())

    /// - Parameter content: The ids of content tokens with their classes.
    init(_ content: [(token: UInt32, classes: UInt64)], wordCapacity: Int) {
        self.wordCapacity = wordCapacity
        holders = .allocate(capacity: 64 * wordCapacity)
        holders.initialize(repeating: 0, count: 64 * wordCapacity)
        var present: UInt64 = 0
        for (token, classes) in content {
            present |= classes
            var rest = classes
            while rest != 0 {
                let place = rest.trailingZeroBitCount * wordCapacity + Int(token >> 6)
                holders[place] |= 1 << UInt64(token & 63)
                rest &= rest &- 1
            }
        }
        self.present = present
    }

    deinit { holders.deallocate() }

    /// The tokens of `all` that have scalars of the given classes only.
    ///
    /// - Parameter bound: A number for `all`.
    func slice(_ classes: UInt64, of all: UnsafePointer<UInt64>, bound: Int) -> ContentSlice {
        let key = Key(classes: classes, bound: bound)
        let known = table.withLock { table -> ContentSlice? in
            table.uses += 1
            table.entries[key]?.lastUse = table.uses
            return table.entries[key]?.slice
        }
        if let known { return known }
        let slice = ContentSlice(wordCapacity: wordCapacity)
        slice.words.initialize(from: all, count: wordCapacity)
        var others = present & ~classes
        while others != 0 {
            let holder = holders + others.trailingZeroBitCount * wordCapacity
            for index in 0..<wordCapacity { slice.words[index] &= ~holder[index] }
            others &= others &- 1
        }
        table.withLock { table in
            if table.entries.count >= Self.limit,
                let oldest = table.entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
            {
                table.entries[oldest] = nil
            }
            table.entries[key] = Entry(slice: slice, lastUse: table.uses)
        }
        return slice
    }
}

/// Runs of content of which all tokens have been added: those of some classes and at most so many scalars.
struct ContentRun {
    /// The classes that are not among them.
    var outside: UInt64 = .max
    var scalars = -1
    /// Whether all longer runs of these classes are dead, so that there is nothing to look for.
    var isFinal = false
    /// The most scalars that a completion needs after any of them.
    var longestRest = 0

    /// Whether every token below a node has been added, where the scalars before it are of the right classes.
    @inline(__always)
    func covers(_ classes: UInt64, _ run: UInt8, after scalars: Int) -> Bool {
        classes & outside == 0
            && (isFinal || (run == .max ? self.scalars == .max : scalars &+ Int(run) <= self.scalars))
    }
}

extension TokenVocabulary {
    /// The tokens whose scalars are of the given classes, as many as `scalars` allows; nil where they are too few to be
    /// worth it.
    ///
    /// - Returns: The tokens, and how many scalars they have at most: not more than `scalars`, but perhaps fewer; all
    ///   there are where it is `Int.max`.
    func contentSlice(_ classes: UInt64, scalars: Int) -> (slice: ContentSlice, scalars: Int)? {
        // Small letters after f.
        guard classes & (1 << 7) != 0, scalars >= 2 else { return nil }
        let longest = longContent.last?.scalars ?? TokenVocabulary.sliceLimit
        let isAll = scalars >= longest
        let bound = isAll ? TokenVocabulary.sliceLimit + 1 : min(scalars, TokenVocabulary.sliceLimit)
        let slice = slices.slice(classes, of: contentSlices + bound * wordCapacity, bound: bound)
        return (slice, isAll ? .max : bound)
    }

    /// The classes of a token's scalars, those of byte sequences that are none included.
    static func classes(of token: [UInt8]) -> UInt64 {
        var decoder = ScalarDecoder()
        var classes: UInt64 = 0
        for byte in token {
            switch decoder.feed(byte) {
            case .malformed: return classes | ScalarClasses.malformed
            case .scalar(let scalar): classes |= 1 << UInt64(ScalarClasses.number(of: scalar))
            case .incomplete: break
            }
        }
        return decoder.isAtBoundary ? classes : classes | ScalarClasses.partial
    }
}
