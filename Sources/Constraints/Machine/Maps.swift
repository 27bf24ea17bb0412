// SPDX-License-Identifier: Apache-2.0

/// Values by small numbers that are given out one after another: a lookup is a load.
struct DenseMap<Value> {
    private var values: ContiguousArray<Value?> = []

    /// The value of a number; nil where there is none.
    subscript(number: UInt32) -> Value? {
        @inline(__always) get {
            let index = Int(number)
            return index < values.count ? values[index] : nil
        }
        set {
            let index = Int(number)
            if index >= values.count {
                let count = max(index + 1, min(values.count * 2, index + 1024))
                values.append(contentsOf: repeatElement(nil, count: count - values.count))
            }
            values[index] = newValue
        }
    }
}

/// Values by words, for keys that are made of small numbers.
///
/// Open addressing; half as costly as a dictionary. The keys are numbers of our own, so that no input can make them
/// collide on purpose.
struct WordMap<Value> {
    private var keys: ContiguousArray<UInt64>
    private var values: ContiguousArray<Value> = []
    /// By slot: the index of the value plus 1; 0 where the slot is free.
    private var slots: ContiguousArray<UInt32>

    init() {
        keys = []
        slots = ContiguousArray(repeating: 0, count: 16)
    }

    /// The slot of a key, or the free one where it belongs.
    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let wrap = slots.count &- 1
        let product = key &* 0x9E37_79B9_7F4A_7C15
        var index = Int(truncatingIfNeeded: product ^ (product >> 32)) & wrap
        while true {
            let number = slots[index]
            if number == 0 || keys[Int(number) &- 1] == key { return index }
            index = (index &+ 1) & wrap
        }
    }

    /// The value of a key; nil where there is none.
    subscript(key: UInt64) -> Value? {
        @inline(__always) get {
            let number = slots[slot(key)]
            return number == 0 ? nil : values[Int(number) &- 1]
        }
    }

    /// The value of a key; nil where there is none.
    subscript(key: UInt32) -> Value? {
        @inline(__always) get { self[UInt64(key)] }
    }

    /// Gives a key a value.
    mutating func set(_ key: UInt64, _ value: Value) {
        let index = slot(key)
        let number = slots[index]
        if number != 0 {
            values[Int(number) &- 1] = value
            return
        }
        keys.append(key)
        values.append(value)
        slots[index] = UInt32(truncatingIfNeeded: keys.count)
        if keys.count &* 2 > slots.count { grow() }
    }

    private mutating func grow() {
        slots = ContiguousArray(repeating: 0, count: slots.count * 2)
        for index in keys.indices { slots[slot(keys[index])] = UInt32(truncatingIfNeeded: index + 1) }
    }
}

/// Gives equal lists of words equal numbers, counted from zero.
///
/// The words lie in blocks that never move, so that a list stays readable while others are added.
final class ListInterner {
    private struct List {
        var words: UnsafePointer<UInt64>
        var count: Int
    }

    private static let blockSize = 2048

    @exclusivity(unchecked) private var blocks: [UnsafeMutablePointer<UInt64>] = []
    /// The next free word of the last block, and how many are free there.
    @exclusivity(unchecked) private var free: UnsafeMutablePointer<UInt64>
    @exclusivity(unchecked) private var room: Int
    @exclusivity(unchecked) private var lists: ContiguousArray<List> = []
    @exclusivity(unchecked) private var slots = ContiguousArray<UInt32>(repeating: .max, count: 64)
    private let seed = FingerprintSeed.value

    init() {
        free = .allocate(capacity: Self.blockSize)
        room = Self.blockSize
        blocks = [free]
        _ = intern(UnsafeBufferPointer<UInt64>(start: nil, count: 0))
    }

    deinit { for block in blocks { block.deallocate() } }

    /// The words of a list.
    subscript(number: UInt32) -> UnsafeBufferPointer<UInt64> {
        @inline(__always) get {
            let list = lists[Int(number)]
            return UnsafeBufferPointer(start: list.words, count: list.count)
        }
    }

    /// The number of a list, new if the list is.
    func intern(_ words: UnsafeBufferPointer<UInt64>) -> UInt32 {
        var index = slot(words)
        while slots[index] != .max {
            let known = lists[Int(slots[index])]
            if known.count == words.count, (0..<known.count).allSatisfy({ known.words[$0] == words[$0] }) {
                return slots[index]
            }
            index = (index &+ 1) & (slots.count &- 1)
        }
        let number = UInt32(truncatingIfNeeded: lists.count)
        lists.append(List(words: store(words), count: words.count))
        slots[index] = number
        if lists.count &* 2 > slots.count { grow() }
        return number
    }

    @inline(__always)
    private func slot(_ words: UnsafeBufferPointer<UInt64>) -> Int {
        var print = seed &+ UInt64(words.count)
        for word in words { print = mixed(print, word) }
        return Int(truncatingIfNeeded: print ^ (print >> 32)) & (slots.count &- 1)
    }

    private func store(_ words: UnsafeBufferPointer<UInt64>) -> UnsafePointer<UInt64> {
        if words.count > room {
            room = max(Self.blockSize, words.count)
            free = .allocate(capacity: room)
            blocks.append(free)
        }
        let place = free
        if let first = words.baseAddress { place.initialize(from: first, count: words.count) }
        free += words.count
        room -= words.count
        return UnsafePointer(place)
    }

    private func grow() {
        slots = ContiguousArray(repeating: .max, count: slots.count * 2)
        for number in lists.indices {
            var index = slot(self[UInt32(number)])
            while slots[index] != .max { index = (index &+ 1) & (slots.count &- 1) }
            slots[index] = UInt32(number)
        }
    }
}

/// A list of words that takes no memory of its own while it has at most one.
struct WordList {
    private var first: UInt64 = 0
    private var others: [UInt64] = []
    private(set) var count = 0

    init() {}

    init(_ word: UInt64) { append(word) }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ word: UInt64) {
        if count == 0 { first = word } else { others.append(word) }
        count &+= 1
    }

    /// Puts another word in the place of the last one.
    mutating func replaceLast(_ word: UInt64) {
        if count == 1 { first = word } else { others[count - 2] = word }
    }

    /// Sorts the words and drops all but one of equal ones.
    mutating func normalise() {
        guard count > 1 else { return }
        others.append(first)
        others.sort()
        first = others[0]
        var kept = 0
        var last = first
        for word in others where word != last {
            others[kept] = word
            kept += 1
            last = word
        }
        others.removeLast(others.count - kept)
        count = kept + 1
    }

    /// Calls `body` with the words.
    @inline(__always)
    func withWords<Result>(_ body: (UnsafeBufferPointer<UInt64>) -> Result) -> Result {
        if count <= 1 {
            return withUnsafePointer(to: first) { body(UnsafeBufferPointer(start: $0, count: count)) }
        }
        var all = [first]
        all += others
        return all.withUnsafeBufferPointer(body)
    }
}
