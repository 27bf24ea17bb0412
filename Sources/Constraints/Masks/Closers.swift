// SPDX-License-Identifier: Apache-2.0

/// The tokens that close a string: content, a quote, and what comes after it.
///
/// Whether such a token is viable depends on its content only by the number of characters, unless an automaton watches
/// over it, and on the rest only by the configuration after the quote. So the rests are kept apart, each with its
/// tokens.
final class Closers: @unchecked Sendable {  // immutable after its initialiser
    typealias Token = (token: UInt32, scalars: Int, rest: [UInt8])

    struct Entry {
        var token: UInt32
        /// The characters before the quote.
        var scalars: UInt32
    }

    /// The whole tokens.
    let trie: TokenTrie
    /// What comes after the quote; its tokens are numbers of rests. The empty rest is number 0 and not in it.
    let rests: TokenTrie
    /// The entries of rest *r* are those from `bounds[r]` up to `bounds[r + 1]`.
    let entries: UnsafeMutablePointer<Entry>
    let bounds: UnsafeMutablePointer<UInt32>

    /// Tokens that reach over the end of another key: they are looked at one by one.
    let far: [UInt32]
    /// Tokens that reach from a key over the end of its value.
    let farFromKey: [UInt32]
    /// The contents before the quote, each with the node of the quote in ``trie``.
    let bodies: [(bytes: [UInt8], quote: Int)]

    /// Whether a comma and then two quotes come in a rest.
    private static func isFar(_ rest: [UInt8]) -> Bool {
        guard let comma = rest.firstIndex(of: 0x2C) else { return false }
        return rest[comma...].reduce(0) { $1 == 0x22 ? $0 + 1 : $0 } >= 2
    }

    init(_ tokens: [Token], bytes: [UInt8], offsets: [Int]) {
        let trie = TokenTrie(ids: tokens.map(\.token), bytes: bytes, offsets: offsets)
        self.trie = trie
        var numbers: [[UInt8]: Int] = [[]: 0]
        var groups: [[Entry]] = [[]]
        var restBytes: [UInt8] = []
        var restOffsets = [0, 0]
        var bodies: [[UInt8]: Int] = [:]
        for (token, _, rest) in tokens {
            let text = bytes[offsets[Int(token)]..<offsets[Int(token) + 1]]
            let body = Array(text.dropLast(rest.count + 1))
            guard bodies[body] == nil else { continue }
            var node: Int? = 0
            for byte in text.prefix(body.count + 1) { node = node.flatMap { trie.child(of: $0, byte) } }
            bodies[body] = node
        }
        self.bodies = bodies.map { (bytes: $0.key, quote: $0.value) }
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        farFromKey = tokens.filter { $0.rest.contains(0x2C) && $0.rest.contains(0x3A) }.map(\.token)
        far = tokens.filter { Closers.isFar($0.rest) }.map(\.token)
        for (token, scalars, rest) in tokens where !Closers.isFar(rest) {
            let number: Int
            if let known = numbers[rest] {
                number = known
            } else {
                number = groups.count
                numbers[rest] = number
                groups.append([])
                restBytes += rest
                restOffsets.append(restBytes.count)
            }
            groups[number].append(Entry(token: token, scalars: UInt32(scalars)))
        }
        rests = TokenTrie(ids: (1..<max(1, groups.count)).map { UInt32($0) }, bytes: restBytes, offsets: restOffsets)
        entries = .allocate(capacity: max(1, tokens.count))
        bounds = .allocate(capacity: groups.count + 1)
        var next = 0
        for (number, group) in groups.enumerated() {
            (bounds + number).initialize(to: UInt32(next))
            (entries + next).initialize(from: group, count: group.count)
            next += group.count
        }
        (bounds + groups.count).initialize(to: UInt32(next))
    }

    deinit {
        entries.deallocate()
        bounds.deallocate()
    }

    /// Calls `body` with the tokens with one of the given rests whose content has at least `least` and at most `most`
    /// characters.
    @inline(__always)
    func forEach(_ rests: [UInt32], least: Int, most: Int, _ body: (UInt32) -> Void) {
        for rest in rests {
            for index in Int(bounds[Int(rest)])..<Int(bounds[Int(rest) + 1]) {
                let entry = entries[index]
                if Int(entry.scalars) >= least, Int(entry.scalars) <= most { body(entry.token) }
            }
        }
    }
}
