// SPDX-License-Identifier: Apache-2.0

package import Patterns
import Synchronization

/// Automata that no machine uses at the moment, for the next one that needs the same language.
///
/// An automaton comes back with all it has learnt, the masks of its states included, so that the formats and patterns
/// that many schemas share are worked out once per process. One machine at a time owns an automaton; the pool is the
/// only place where they change hands. What is kept is bounded in bytes: the ones unused for longest go first.
///
/// Answers do not depend on who had the automaton before: one in which a search was given up is not kept.
package final class AutomatonPool: Sendable {
    /// The pool of the process.
    package static let shared = AutomatonPool(byteLimit: 48 << 20)

    private struct Entry {
        var automaton: Automaton
        var bytes: Int
        var stamp: UInt64
    }

    private struct State: @unchecked Sendable {  // only touched under the lock
        var entries: [Language: [Entry]] = [:]
        var count = 0
        var bytes = 0
        var clock: UInt64 = 0
    }

    /// The most bytes for automata that wait.
    package let byteLimit: Int
    private let state = Mutex(State())

    package init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// About how many bytes the automata that wait take.
    package var byteCount: Int { state.withLock { $0.bytes } }

    /// An automaton of a language with the given limits; the caller owns it from now on.
    package func take(_ language: Language, limits: Automaton.Limits = Automaton.Limits()) -> Automaton? {
        let found = state.withLock { state -> Transfer? in
            guard let index = state.entries[language]?.lastIndex(where: { $0.automaton.limits == limits }),
                let entry = state.entries[language]?.remove(at: index)
            else { return nil }
            if state.entries[language]?.isEmpty == true { state.entries[language] = nil }
            state.count -= 1
            state.bytes -= entry.bytes
            return Transfer(automaton: entry.automaton)
        }
        return found?.automaton
    }

    /// Takes back automata that their owner does not use any more.
    package func give(_ automata: [Language: Automaton]) {
        let transfer = automata.compactMap { language, automaton -> (Language, Transfer, Int)? in
            // What is known about one text is of no use for another.
            guard !automaton.hasGivenUp, !automaton.isOverflowing, !language.usesReference else { return nil }
            let learnt = (automaton.annex as? AutomatonSummary)?.byteCount ?? 0
            let bytes = automaton.byteCount + learnt + 512
            return bytes <= byteLimit / 4 ? (language, Transfer(automaton: automaton), bytes) : nil
        }
        if transfer.isEmpty { return }
        // What is dropped is released outside of the lock.
        let dropped = state.withLock { state -> [Transfer] in
            for (language, transfer, bytes) in transfer {
                state.clock += 1
                state.entries[language, default: []]
                    .append(Entry(automaton: transfer.automaton, bytes: bytes, stamp: state.clock))
                state.count += 1
                state.bytes += bytes
            }
            return Self.trim(&state, to: byteLimit)
        }
        _ = dropped
    }

    /// Drops the older half of the entries when there are too many.
    private static func trim(_ state: inout State, to limit: Int) -> [Transfer] {
        guard state.bytes > limit else { return [] }
        let stamps = state.entries.values.flatMap { $0.map(\.stamp) }.sorted()
        var dropped: [Transfer] = []
        var oldest = 0
        while state.bytes > limit / 2, oldest < stamps.count {
            let next = min(stamps.count, oldest + max(1, stamps.count / 8))
            let bound = stamps[next - 1]
            for (language, entries) in state.entries where entries.contains(where: { $0.stamp <= bound }) {
                for entry in entries where entry.stamp <= bound {
                    state.bytes -= entry.bytes
                    state.count -= 1
                    dropped.append(Transfer(automaton: entry.automaton))
                }
                let kept = entries.filter { $0.stamp > bound }
                state.entries[language] = kept.isEmpty ? nil : kept
            }
            oldest = next
        }
        return dropped
    }

    /// An automaton on its way from one owner to the next.
    private struct Transfer: @unchecked Sendable {
        let automaton: Automaton
    }
}

extension SchemaMachine {
    /// The machine's automaton of a language, new where neither the machine nor the pool has one.
    ///
    /// With `thorough`, a search ends only after as many states as an automaton may look at: for automata that must not
    /// know less than others that a configuration consists of.
    func automaton(_ language: Language, thorough: Bool = false) throws(PatternError) -> Automaton {
        if let known = automata[language] { return known }
        let automaton: Automaton
        var limits = thorough ? Automaton.Limits() : limits(language)
        if thorough { limits.workBudget = Automaton.Limits.unlimited }
        if let pooled = AutomatonPool.shared.take(language, limits: limits) {
            automaton = pooled
        } else {
            automaton = try Automaton(language, limits: limits)
        }
        automata[language] = automaton
        return automaton
    }

    /// So many automata of several languages may search at length; those after them search less.
    private static let thoroughAutomata = 24

    /// Each state of many languages together is dear, and a search among them seldom ends: it is given up sooner.
    private func limits(_ language: Language) -> Automaton.Limits {
        var limits = Automaton.Limits()
        switch language {
        case .all(let languages):
            if languages.count > 8 {
                limits.explorationBudget = max(64, limits.explorationBudget * 8 / (languages.count * languages.count))
            }
        case .any, .not: break
        default: return limits
        }
        combinedAutomata += 1
        if combinedAutomata > Self.thoroughAutomata {
            limits.explorationBudget = max(64, limits.explorationBudget / 16)
            limits.workBudget /= 16
        }
        return limits
    }
}
