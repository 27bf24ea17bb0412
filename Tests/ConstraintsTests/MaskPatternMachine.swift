// SPDX-License-Identifier: Apache-2.0

import Constraints
import Patterns

/// A machine that accepts one JSON string of a regular language.
final class PatternMachine: ConstraintMachine {
    private struct State: Hashable {
        enum Place: Hashable {
            case before, body, done
            /// The bytes of an escape or of an unfinished character.
            case within([UInt8])
        }

        var place: Place
        var automaton: Automaton.StateID
        var count = 0
    }

    let automaton: Automaton
    /// Strings of fewer or more scalars are refused.
    let least: Int
    let most: Int?
    let knowsClosing: Bool
    private var states: [State?] = [nil]
    private var ids: [State: UInt32] = [:]
    private(set) var start = ConfigID.dead

    init(_ language: Language, least: Int = 0, most: Int? = nil, knowsClosing: Bool = true) throws {
        self.least = least
        self.knowsClosing = knowsClosing
        automaton = try Automaton(language)
        self.most = most
        start = intern(State(place: .before, automaton: automaton.start))
    }

    private func intern(_ state: State) -> ConfigID {
        if let id = ids[state] { return ConfigID(rawValue: id) }
        let id = UInt32(states.count)
        states.append(state)
        ids[state] = id
        return ConfigID(rawValue: id)
    }

    private func feed(_ scalar: UInt32, _ state: State) -> State? {
        let next = automaton.transition(state.automaton, class: automaton.classOf(scalar: scalar))
        let count = state.count + 1
        if let most, count > most { return nil }
        let window = automaton.canFinish(next, minScalars: max(0, least - count), maxScalars: most.map { $0 - count })
        guard window == .alive else { return nil }
        return State(place: .body, automaton: next, count: most == nil ? min(count, least) : count)
    }

    private static let escapes: [UInt8: UInt32] = [
        0x22: 0x22, 0x5C: 0x5C, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9,
    ]

    /// All scalars that an escape or unfinished character can become.
    private static func scalars(_ bytes: [UInt8]) -> [UInt32] {
        if bytes == [0x5C] { return Array(escapes.values) + (0..<0x20) }
        if bytes[0] == 0x5C {
            let long = (0..<0x20).filter { !escapes.values.contains($0) }
            if bytes.count < 5 { return long }
            return long.filter { ($0 >= 0x10) == (bytes[4] == 0x31) }
        }
        var found: [UInt32] = []
        func complete(_ bytes: [UInt8]) {
            let missing = (bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4) - bytes.count
            let low: UInt8 = bytes.count > 1 ? 0x80 : bytes[0] == 0xE0 ? 0xA0 : bytes[0] == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = bytes.count > 1 ? 0xBF : bytes[0] == 0xED ? 0x9F : bytes[0] == 0xF4 ? 0x8F : 0xBF
            for byte in low...high {
                let next = bytes + [byte]
                if missing == 1 {
                    found += String(decoding: next, as: UTF8.self).unicodeScalars.map(\.value)
                } else {
                    complete(next)
                }
            }
        }
        complete(bytes)
        return found
    }

    private func compute(_ state: State, _ byte: UInt8) -> State? {
        switch state.place {
        case .before: return byte == 0x22 ? State(place: .body, automaton: state.automaton) : nil
        case .done: return nil
        case .body:
            switch byte {
            case 0x22:
                return automaton.isAccepting(state.automaton) && state.count >= least
                    ? State(place: .done, automaton: .dead) : nil
            case 0x5C, 0xC2...0xF4: return within([byte], state)
            case 0x20..<0x80: return feed(UInt32(byte), state)
            default: return nil
            }
        case .within(let bytes):
            let next = bytes + [byte]
            if bytes == [0x5C] {
                if let scalar = Self.escapes[byte] { return feed(scalar, state) }
                return byte == 0x75 ? within(next, state) : nil
            }
            if bytes[0] == 0x5C {
                guard "0123456789abcdef".utf8.contains(byte) else { return nil }
                if next.count < 5 {
                    return byte == 0x30 || (next.count == 4 && byte == 0x31) ? within(next, state) : nil
                }
                if next.count == 5 { return byte == 0x30 || byte == 0x31 ? within(next, state) : nil }
                let scalar = UInt32(bytes.last == 0x31 ? 16 : 0) + (UInt32(String(UnicodeScalar(byte)), radix: 16) ?? 0)
                return Self.escapes.values.contains(scalar) ? nil : feed(scalar, state)
            }
            let low: UInt8 = bytes.count > 1 ? 0x80 : bytes[0] == 0xE0 ? 0xA0 : bytes[0] == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = bytes.count > 1 ? 0xBF : bytes[0] == 0xED ? 0x9F : bytes[0] == 0xF4 ? 0x8F : 0xBF
            guard byte >= low, byte <= high else { return nil }
            if next.count == (next[0] < 0xE0 ? 2 : next[0] < 0xF0 ? 3 : 4) {
                return String(decoding: next, as: UTF8.self).unicodeScalars.first.flatMap { feed($0.value, state) }
            }
            return within(next, state)
        }
    }

    private func within(_ bytes: [UInt8], _ state: State) -> State? {
        var seen: Set<Int> = []
        for scalar in Self.scalars(bytes) where seen.insert(automaton.classOf(scalar: scalar)).inserted {
            if feed(scalar, state) != nil {
                return State(place: .within(bytes), automaton: state.automaton, count: state.count)
            }
        }
        return nil
    }

    private var memo: [UInt64: ConfigID] = [:]

    func step(_ configuration: ConfigID, _ byte: UInt8) -> ConfigID {
        let key = UInt64(configuration.rawValue) << 8 | UInt64(byte)
        if let known = memo[key] { return known }
        let result = states[Int(configuration.rawValue)].flatMap { compute($0, byte) }.map(intern) ?? .dead
        memo[key] = result
        return result
    }

    func isAccepting(_ configuration: ConfigID) -> Bool { states[Int(configuration.rawValue)]?.place == .done }

    func allowedBytes(_ configuration: ConfigID) -> ByteSet {
        ByteSet((0...255).map { UInt8($0) }.filter { !step(configuration, $0).isDead })
    }

    func maskKey(_ configuration: ConfigID) -> UInt64 { UInt64(configuration.rawValue) }

    func stringBody(_ configuration: ConfigID) -> StringBody? {
        guard let state = states[Int(configuration.rawValue)], state.place == .body else { return nil }
        return StringBody(
            automaton: automaton, state: state.automaton, missingScalars: max(0, least - state.count),
            remainingScalars: most.map { $0 - state.count }
        )
    }

    func stringEnd(_ configuration: ConfigID) -> StringEnd? {
        knowsClosing ? StringEnd(closing: intern(State(place: .done, automaton: .dead))) : nil
    }

    func minimumCompletion(_ configuration: ConfigID) -> Int { witness(configuration).count }

    func witness(_ configuration: ConfigID) -> [UInt8] {
        // Breadth first over bytes: slow and plain.
        var cameFrom: [ConfigID: (ConfigID, UInt8)] = [:]
        var queue = [configuration]
        var head = 0
        while head < queue.count {
            let current = queue[head]
            head += 1
            if isAccepting(current) {
                var bytes: [UInt8] = []
                var at = current
                while at != configuration, let (from, byte) = cameFrom[at] {
                    bytes.append(byte)
                    at = from
                }
                return bytes.reversed()
            }
            allowedBytes(current).forEach { byte in
                let next = step(current, byte)
                if cameFrom[next] == nil, next != configuration {
                    cameFrom[next] = (current, byte)
                    queue.append(next)
                }
            }
        }
        return []
    }
}
