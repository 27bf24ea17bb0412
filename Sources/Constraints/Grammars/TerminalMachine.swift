// SPDX-License-Identifier: Apache-2.0

import Documents
import Patterns

/// A regular terminal over bytes: an automaton over scalars and the bytes of an unfinished one.
final class TerminalMachine {
    let automaton: Automaton
    let isLazy: Bool
    /// Whether the empty text matches.
    let matchesEmpty: Bool
    /// Whether some other text does, that is read to its end.
    let matchesMore: Bool
    /// The bytes of the shortest text.
    let startCost: Cost
    let alphabet: ByteSet
    private var known: [UInt64: Cost] = [:]
    private var knownBytes: [UInt64: ByteSet] = [:]

    init(_ terminal: Grammar.Terminal, scalars: ScalarSet) throws(PatternError) {
        automaton = try Automaton(terminal.language.within(scalars), spelling: .plain)
        isLazy = terminal.isLazy
        matchesEmpty = automaton.isAccepting(automaton.start)
        startCost = automaton.shortestJSONCost(automaton.start) ?? .infinite
        guard startCost < .infinite || automaton.liveness(automaton.start) == .dead else {
            throw PatternError(code: .tooComplex, message: "no text of the expression was found within the limits")
        }
        matchesMore = !automaton.liveClasses(automaton.start).isEmpty && !(isLazy && matchesEmpty)
        alphabet = terminal.language.bytes(scalars)
    }

    var start: UInt32 { UInt32(bitPattern: automaton.start.rawValue) }

    private static func id(_ state: UInt32) -> Automaton.StateID {
        Automaton.StateID(rawValue: Int32(bitPattern: state))
    }

    func isAccepting(_ state: UInt32) -> Bool { automaton.isAccepting(Self.id(state)) }

    /// Whether some text goes on from the state.
    func goesOn(_ state: UInt32) -> Bool { !automaton.liveClasses(Self.id(state)).isEmpty }

    /// How many ASCII characters a text may go on with.
    func width(_ state: UInt32) -> Int {
        let live = automaton.liveClasses(Self.id(state))
        return automaton.asciiClass.reduce(0) { live.contains(Int($1)) ? $0 + 1 : $0 }
    }

    /// The state after one more byte; nil if no text goes on that way.
    func step(_ state: UInt32, _ partial: UInt32, _ byte: UInt8) -> (state: UInt32, partial: UInt32)? {
        var (decoder, shift) = Self.decoder(partial)
        switch decoder.feed(byte) {
        case .malformed: return nil
        case .scalar(let scalar):
            let next = automaton.transition(Self.id(state), class: automaton.classOf(scalar: scalar))
            return cost(next) < .infinite ? (UInt32(bitPattern: next.rawValue), 0) : nil
        case .incomplete:
            let packed = partial | UInt32(byte) << shift
            return cost(state, packed) < .infinite ? (state, packed) : nil
        }
    }

    private static func decoder(_ partial: UInt32) -> (ScalarDecoder, UInt32) {
        var decoder = ScalarDecoder()
        var shift: UInt32 = 0
        while partial >> shift != 0, shift < 32 {
            _ = decoder.feed(UInt8(truncatingIfNeeded: partial >> shift))
            shift += 8
        }
        return (decoder, shift)
    }

    private func cost(_ state: Automaton.StateID) -> Cost {
        if state.isDead { return .infinite }
        return automaton.shortestJSONCost(state).map { Cost.sum($0, 0) } ?? .infinite
    }

    /// The bytes that complete the terminal.
    func cost(_ state: UInt32, _ partial: UInt32) -> Cost {
        if partial == 0 { return cost(Self.id(state)) }
        let key = UInt64(state) << 32 | UInt64(partial)
        if let result = known[key] { return result }
        let (decoder, _) = Self.decoder(partial)
        var best = Cost.infinite
        if let range = decoder.reachableScalars {
            for (index, word) in automaton.classes(inScalarRange: range).words.enumerated() {
                var rest = word
                while rest != 0 {
                    let number = index << 6 | rest.trailingZeroBitCount
                    best = min(best, cost(automaton.transition(Self.id(state), class: number)))
                    rest &= rest &- 1
                }
            }
        }
        let result = Cost.sum(best, Int(decoder.missing))
        known[key] = result
        return result
    }

    /// The bytes that may come next.
    func bytes(_ state: UInt32, _ partial: UInt32) -> ByteSet {
        let key = UInt64(state) << 32 | UInt64(partial)
        if let result = knownBytes[key] { return result }
        var result = ByteSet()
        for byte in UInt8.min...UInt8.max where step(state, partial, byte) != nil { result.insert(byte) }
        knownBytes[key] = result
        return result
    }
}

extension Grammar.Terminal {
    /// What is wrong with the terminal.
    func diagnostic(_ error: PatternError) -> Diagnostic {
        let id: DiagnosticID
        switch error.code {
        case .syntax: id = "grammar.syntax"
        case .unsupported: id = "grammar.unsupported-regex"
        case .tooComplex: id = "grammar.too-complex"
        }
        return Diagnostic(id, "terminal '\(name)': \(error)", range: range)
    }
}

extension Language {
    /// The texts of the language that consist of the given scalars.
    func within(_ scalars: ScalarSet) -> Language {
        if scalars.isAll { return self }
        switch self {
        case .wholeMatch(let pattern):
            return .wholeMatch(Pattern(pattern.root.within(scalars), source: "within " + pattern.description))
        case .any(let languages): return .any(languages.map { $0.within(scalars) })
        case .all(let languages): return .all(languages.map { $0.within(scalars) })
        case .literals: return self
        case .pattern, .not, .everything, .format, .substring:
            let text = PatternNode.repeated(.set(scalars), min: 0, max: nil)
            return .all([self, .wholeMatch(Pattern(text, source: "scalars"))])
        }
    }
}

extension Language {
    /// The bytes of the language's texts: an upper bound.
    func bytes(_ scalars: ScalarSet) -> ByteSet {
        guard case .wholeMatch(let pattern) = self, let all = pattern.root.scalars else { return .utf8(scalars) }
        let set = all.intersection(scalars)
        var result = ByteSet()
        for range in set.ranges where range.lower < 0x80 {
            result.insert(UInt8(range.lower)...UInt8(min(range.upper, 0x7F)))
        }
        var trie = ScalarTrie()
        var seen: Set<UInt32> = [0]
        var work: [UInt32] = []
        for root in trie.root(set) {
            result.insert(root.low...root.high)
            work.append(root.node)
        }
        while let node = work.popLast() {
            guard seen.insert(node).inserted else { continue }
            let bytes = trie.bytes(node)
            result.formUnion(bytes)
            bytes.forEach { byte in
                if let next = trie.step(node, byte) { work.append(next) }
            }
        }
        return result
    }
}

extension PatternNode {
    /// The scalars that occur in matched texts: an upper bound; nil where that may be all.
    var scalars: ScalarSet? {
        switch self {
        case .set(let set): return set
        case .sequence(let nodes), .choice(let nodes):
            var ranges: [ScalarSet.Range] = []
            for node in nodes {
                guard let set = node.scalars else { return nil }
                ranges += set.ranges
            }
            return ScalarSet(ranges)
        case .repeated(let node, _, _): return node.scalars
        case .both(let nodes): return nodes.lazy.compactMap(\.scalars).first
        case .start, .end, .wordBoundary, .look: return .empty
        case .other: return nil
        }
    }

    /// The same where no other scalars occur.
    func within(_ scalars: ScalarSet) -> PatternNode {
        switch self {
        case .set(let set): .set(set.intersection(scalars))
        case .sequence(let nodes): .sequence(nodes.map { $0.within(scalars) })
        case .choice(let nodes): .choice(nodes.map { $0.within(scalars) })
        case .repeated(let node, let least, let most): .repeated(node.within(scalars), min: least, max: most)
        case .start, .end, .wordBoundary: self
        case .look(let behind, let negated, let node):
            .look(behind: behind, negated: negated, node.within(scalars))
        case .both(let nodes): .both(nodes.map { $0.within(scalars) })
        case .other(let node): .both([.other(node), .repeated(.set(scalars), min: 0, max: nil)])
        }
    }
}

extension ByteSet {
    /// The bytes of the scalars in UTF-8.
    static func utf8(_ scalars: ScalarSet) -> ByteSet {
        var bytes = ByteSet()
        bytes.insert(0x80...0xBF)
        for (byte, range) in ScalarSet.byFirstByte where !scalars.intersection(range).isEmpty { bytes.insert(byte) }
        return bytes
    }
}

extension ScalarSet {
    /// The scalars that begin with each byte in UTF-8.
    static let byFirstByte: [(byte: UInt8, scalars: ScalarSet)] = {
        var result: [(byte: UInt8, scalars: ScalarSet)] = (UInt8(0)..<0x80).map { ($0, ScalarSet(UInt32($0))) }
        func add(_ byte: UInt8, _ first: UInt32, _ count: UInt32) {
            result.append((byte, ScalarSet([Range(first, first + count - 1)])))
        }
        for byte in UInt8(0xC2)...0xDF { add(byte, UInt32(byte & 0x1F) << 6, 1 << 6) }
        for byte in UInt8(0xE0)...0xEF {
            let first = UInt32(byte & 0x0F) << 12
            add(byte, max(first, 0x800), first + 0x1000 - max(first, 0x800))
        }
        for byte in UInt8(0xF0)...0xF4 {
            let first = max(UInt32(byte & 0x07) << 18, 0x10000)
            let end = min((UInt32(byte & 0x07) + 1) << 18, 0x110000)
            add(byte, first, end - first)
        }
        return result
    }()

    /// The scalars whose first bytes are given.
    static func spelled(by bytes: ByteSet) -> ScalarSet {
        if bytes == .all { return .all }
        return ScalarSet(byFirstByte.filter { bytes.contains($0.byte) }.flatMap(\.scalars.ranges))
    }
}
