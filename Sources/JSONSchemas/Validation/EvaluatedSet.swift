// SPDX-License-Identifier: Apache-2.0

/// Which elements or members of one value some keyword has looked at, by position.
struct EvaluatedSet {
    private var all = false
    private var words: [UInt64] = []

    /// Whether the child at the position was looked at.
    func contains(_ position: Int) -> Bool {
        if all { return true }
        let word = position >> 6
        return word < words.count && words[word] >> UInt64(position & 63) & 1 == 1
    }

    mutating func insert(_ position: Int) {
        if all { return }
        let word = position >> 6
        while words.count <= word { words.append(0) }
        words[word] |= 1 << UInt64(position & 63)
    }

    mutating func insertAll() { all = true }

    mutating func formUnion(_ other: EvaluatedSet) {
        if other.all { all = true }
        if all { return }
        while words.count < other.words.count { words.append(0) }
        for index in other.words.indices { words[index] |= other.words[index] }
    }
}
