// SPDX-License-Identifier: Apache-2.0

import Constraints

/// A machine that accepts the texts of a few templates: fixed bytes, digits and JSON string bodies in sequence.
///
/// It is deterministic by following all templates at once, and never at a dead end because every template can always be
/// finished.
final class TemplateMachine: ConstraintMachine {
    enum Part: Hashable {
        case literal([UInt8])
        case digits(least: Int, most: Int?)
        /// The inside of a string and its closing quote.
        case body(least: Int, most: Int?)

        static func text(_ text: String) -> Part { .literal(Array(text.utf8)) }
    }

    private struct Item: Hashable, Comparable {
        var template: Int
        var part: Int
        var count = 0
        /// Within a literal: the bytes done. Within a body: 0 at a boundary, else the state of an escape or of a
        /// character.
        var state = 0

        static func < (left: Item, right: Item) -> Bool {
            (left.template, left.part, left.count, left.state) < (right.template, right.part, right.count, right.state)
        }
    }

    private let templates: [[Part]]
    private var sets: [[Item]] = [[]]
    private var ids: [[Item]: UInt32] = [[]: 0]
    private(set) var start = ConfigID.dead
    let alphabet: ByteSet
    let givesBounds: Bool
    let knowsClosing: Bool

    init(_ templates: [[Part]], alphabet: ByteSet = .all, givesBounds: Bool = true, knowsClosing: Bool = true) {
        self.templates = templates
        self.alphabet = alphabet
        self.givesBounds = givesBounds
        self.knowsClosing = knowsClosing
        start = intern(templates.indices.flatMap { closure(Item(template: $0, part: 0)) })
    }

    private func intern(_ items: [Item]) -> ConfigID {
        let key = Set(items).sorted()
        if let id = ids[key] { return ConfigID(rawValue: id) }
        let id = UInt32(sets.count)
        sets.append(key)
        ids[key] = id
        return ConfigID(rawValue: id)
    }

    /// The item and those reached from it without a byte.
    private func closure(_ item: Item) -> [Item] {
        guard item.part < templates[item.template].count else { return [item] }
        let next = Item(template: item.template, part: item.part + 1)
        switch templates[item.template][item.part] {
        case .literal(let bytes): return item.state == bytes.count ? closure(next) : [item]
        case .digits(let least, _): return item.count >= least ? [item] + closure(next) : [item]
        case .body: return [item]
        }
    }

    private func step(_ item: Item, _ byte: UInt8) -> [Item] {
        guard item.part < templates[item.template].count else { return [] }
        var next = item
        switch templates[item.template][item.part] {
        case .literal(let bytes):
            guard bytes[item.state] == byte else { return [] }
            next.state += 1
            return closure(next)
        case .digits(_, let most):
            guard (0x30...0x39).contains(byte), item.count < most ?? .max else { return [] }
            next.count = most == nil ? min(item.count + 1, 64) : item.count + 1
            return closure(next)
        case .body(let least, let most):
            func done() -> [Item] {
                next.state = 0
                next.count = most == nil ? min(item.count + 1, least) : item.count + 1
                return [next]
            }
            func into(_ state: Int) -> [Item] {
                next.state = state
                return [next]
            }
            switch item.state {
            case 0:
                if byte == 0x22 {
                    guard item.count >= least else { return [] }
                    return closure(Item(template: item.template, part: item.part + 1))
                }
                guard item.count < most ?? .max, byte >= 0x20 else { return [] }
                switch byte {
                case 0x5C: return into(1)
                case 0..<0x80: return done()
                case 0xC2...0xDF: return into(10)
                case 0xE0: return into(12)
                case 0xED: return into(13)
                case 0xE1...0xEF: return into(11)
                case 0xF0: return into(15)
                case 0xF4: return into(16)
                case 0xF1...0xF3: return into(14)
                default: return []
                }
            case 1:
                if byte == 0x75 { return into(2) }
                return Array(#""\bfnrt"#.utf8).contains(byte) ? done() : []
            case 2: return byte == 0x30 ? into(3) : []
            case 3: return byte == 0x30 ? into(4) : []
            case 4: return byte == 0x30 ? into(5) : byte == 0x31 ? into(6) : []
            // Only controls without a short escape.
            case 5: return Array("01234567be".utf8).contains(byte) ? done() : []
            case 6: return Array("0123456789abcdef".utf8).contains(byte) ? done() : []
            case 10: return (0x80...0xBF).contains(byte) ? done() : []
            case 11: return (0x80...0xBF).contains(byte) ? into(10) : []
            case 12: return (0xA0...0xBF).contains(byte) ? into(10) : []
            case 13: return (0x80...0x9F).contains(byte) ? into(10) : []
            case 14: return (0x80...0xBF).contains(byte) ? into(11) : []
            case 15: return (0x90...0xBF).contains(byte) ? into(11) : []
            default: return (0x80...0x8F).contains(byte) ? into(11) : []
            }
        }
    }

    func step(_ configuration: ConfigID, _ byte: UInt8) -> ConfigID {
        intern(sets[Int(configuration.rawValue)].flatMap { step($0, byte) })
    }

    func isAccepting(_ configuration: ConfigID) -> Bool {
        sets[Int(configuration.rawValue)].contains { $0.part == templates[$0.template].count }
    }

    func allowedBytes(_ configuration: ConfigID) -> ByteSet {
        ByteSet((0...255).map { UInt8($0) }.filter { !step(configuration, $0).isDead })
    }

    func maskKey(_ configuration: ConfigID) -> UInt64 { UInt64(configuration.rawValue) }

    func stringBody(_ configuration: ConfigID) -> StringBody? {
        let items = sets[Int(configuration.rawValue)]
        guard items.count == 1, let item = items.first, item.part < templates[item.template].count,
            case .body(let least, let most) = templates[item.template][item.part], item.state == 0
        else { return nil }
        return StringBody(
            missingScalars: max(0, least - item.count), remainingScalars: most.map { $0 - item.count },
            closingCost: givesBounds ? minimumCompletion(configuration) - max(0, least - item.count) : nil
        )
    }

    func stringEnd(_ configuration: ConfigID) -> StringEnd? {
        guard knowsClosing, let item = sets[Int(configuration.rawValue)].first else { return nil }
        return StringEnd(closing: intern(closure(Item(template: item.template, part: item.part + 1))))
    }

    private func finish(_ item: Item) -> [UInt8] {
        guard item.part < templates[item.template].count else { return [] }
        var bytes: [UInt8] = []
        switch templates[item.template][item.part] {
        case .literal(let text): bytes = Array(text[item.state...])
        case .digits(let least, _): bytes = Array(repeating: 0x30, count: max(0, least - item.count))
        case .body(let least, _):
            let ends: [Int: String] = [
                0: "", 1: "n", 2: "0000", 3: "000", 4: "00", 5: "0", 6: "0",
            ]
            if let end = ends[item.state] {
                bytes = Array(end.utf8)
            } else {
                bytes =
                    [
                        10: [0x80], 11: [0x80, 0x80], 12: [0xA0, 0x80], 13: [0x80, 0x80], 14: [0x80, 0x80, 0x80],
                        15: [0x90, 0x80, 0x80], 16: [0x80, 0x80, 0x80],
                    ][item.state] ?? []
            }
            let count = item.count + (item.state == 0 ? 0 : 1)
            bytes += Array(repeating: 0x61, count: max(0, least - count)) + [0x22]
        }
        for part in templates[item.template][(item.part + 1)...] {
            switch part {
            case .literal(let text): bytes += text
            case .digits(let least, _): bytes += Array(repeating: 0x30, count: least)
            case .body(let least, _): bytes += Array(repeating: 0x61, count: least) + [0x22]
            }
        }
        return bytes
    }

    func minimumCompletion(_ configuration: ConfigID) -> Int { witness(configuration).count }

    func witness(_ configuration: ConfigID) -> [UInt8] {
        sets[Int(configuration.rawValue)].map(finish).min { $0.count < $1.count } ?? []
    }
}

/// Numbers that look random and repeat.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

enum TestVocabularies {
    /// All single bytes of `alphabet`, and combinations of a few pieces.
    static func small(without missing: ByteSet = ByteSet()) -> TokenVocabulary {
        let pieces =
            [
                "{", "}", "[", "]", ":", ",", "\"", "\\", "\\n", "\\u00", "\\\"", "a", "b", "key", "value", "é", "中",
                "😀", " ",
                "  ", "1", "23", "\n", "\t", "true", "null", "\":\"", "\",\"", "\"}", "/", "-",
            ].map { Array($0.utf8) } + [[0xC3], [0xE4, 0xB8], [0xF0, 0x9F], [0x98, 0x80], [0x80], [0xAD, 0x22]]
        var generator = SeededGenerator(7)
        var tokens: [[UInt8]?] = [nil, nil, nil]
        for byte in 0...255 where !missing.contains(UInt8(byte)) { tokens.append([UInt8(byte)]) }
        for first in pieces {
            if first.count > 1 { tokens.append(first) }
            for second in pieces {
                tokens.append(first + second)
                if let third = pieces.randomElement(using: &generator) { tokens.append(first + second + third) }
            }
        }
        // Some tokens twice, a long one, an empty one.
        tokens.append(Array("key".utf8))
        tokens.append(Array("\":\"".utf8))
        tokens.append(Array(String(repeating: "a", count: 40).utf8))
        tokens.append([])
        return TokenVocabulary(
            tokens: tokens.map { $0.flatMap { $0.contains(where: missing.contains) ? nil : $0 } },
            endOfGeneration: [1, 2]
        )
    }

    /// What a mask must be: each token stepped byte by byte.
    static func oracle(_ machine: some ConstraintMachine, _ configuration: ConfigID, _ vocabulary: TokenVocabulary)
        -> [Int]
    {
        let accepting = machine.isAccepting(configuration)
        return (0..<vocabulary.count).filter { token in
            if vocabulary.endOfGeneration.contains(token) { return accepting }
            let bytes = vocabulary.bytes(of: token)
            if bytes.isEmpty { return false }
            var next = configuration
            for byte in bytes {
                next = machine.step(next, byte)
                if next.isDead { return false }
            }
            return true
        }
    }
}
