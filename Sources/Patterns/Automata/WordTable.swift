// SPDX-License-Identifier: Apache-2.0

/// Numbers by words, by open addressing.
///
/// A class, so that none is ever copied while another part of a recursion reads it. The keys are made of small numbers of
/// our own; no input can make them collide on purpose.
final class WordTable {
    @exclusivity(unchecked) private var keys: UnsafeMutablePointer<UInt64>
    /// -1 where the slot is free.
    @exclusivity(unchecked) private var values: UnsafeMutablePointer<Int32>
    @exclusivity(unchecked) private var capacity = 64
    /// How many keys there are.
    @exclusivity(unchecked) private(set) var count = 0

    init() {
        keys = .allocate(capacity: capacity)
        values = .allocate(capacity: capacity)
        keys.initialize(repeating: 0, count: capacity)
        values.initialize(repeating: -1, count: capacity)
    }

    deinit {
        keys.deallocate()
        values.deallocate()
    }

    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let wrap = capacity &- 1
        let product = key &* 0x9E37_79B9_7F4A_7C15
        var index = Int(truncatingIfNeeded: product ^ (product >> 32)) & wrap
        while values[index] >= 0, keys[index] != key { index = (index &+ 1) & wrap }
        return index
    }

    /// The number of a key; -1 where there is none.
    @inline(__always)
    subscript(key: UInt64) -> Int32 { values[slot(key)] }

    /// Gives a key a number that is not negative.
    @inline(__always)
    func set(_ key: UInt64, _ value: Int32) {
        let index = slot(key)
        if values[index] < 0 {
            keys[index] = key
            count &+= 1
        }
        values[index] = value
        if count &* 2 > capacity { grow() }
    }

    private func grow() {
        let (oldKeys, oldValues, oldCapacity) = (keys, values, capacity)
        capacity *= 2
        keys = .allocate(capacity: capacity)
        values = .allocate(capacity: capacity)
        keys.initialize(repeating: 0, count: capacity)
        values.initialize(repeating: -1, count: capacity)
        for index in 0..<oldCapacity where oldValues[index] >= 0 {
            let target = slot(oldKeys[index])
            keys[target] = oldKeys[index]
            values[target] = oldValues[index]
        }
        oldKeys.deallocate()
        oldValues.deallocate()
    }
}
