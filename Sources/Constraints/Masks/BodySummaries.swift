// SPDX-License-Identifier: Apache-2.0

import Patterns

/// Which plain runs are viable from a configuration within a string, so that whole subtrees of the trie can be taken at
/// once.
struct BodySummary {
    /// Every run of at most ``scalars`` scalars of these classes is viable; empty outside of strings.
    var classes: UInt64 = 0
    var scalars: Int = 0
    /// The same for fewer classes and longer runs.
    var fewerClasses: UInt64 = 0
    var moreScalars: Int = 0
    /// The most scalars that a completion needs after any such run.
    var longestRest: Int = 0
    /// Whether completions of any greater length exist as well.
    var canWait = false
    /// Whether all longer runs of ``classes`` are dead, and of ``fewerClasses``.
    var endsDead = false
    var fewerEndDead = false

    /// Whether this is no content but a key that must be one of those with a name.
    var isNamedKey = false

    static let none = BodySummary()
    static let namedKey = {
        var summary = BodySummary()
        summary.isNamedKey = true
        return summary
    }()

    @inline(__always)
    var isEmpty: Bool { classes == 0 }

    /// Whether every token below a node is viable.
    @inline(__always)
    func covers(_ classes: UInt64, scalars: UInt8) -> Bool {
        // 255 stands for any greater number.
        let count = scalars == .max ? Int.max : Int(scalars)
        return classes & ~self.classes == 0 && count <= self.scalars
            || classes & ~fewerClasses == 0 && count <= moreScalars
    }

    /// What is known of the state after one scalar of the class with the given bit.
    @inline(__always)
    func after(_ bit: UInt64) -> BodySummary {
        var result = BodySummary()
        guard (classes | fewerClasses) & bit != 0 else { return result }
        if bit & classes != 0, scalars > 1 {
            result.classes = classes
            result.scalars = scalars == .max ? .max : scalars &- 1
        }
        if bit & fewerClasses != 0, moreScalars > 1 {
            result.fewerClasses = fewerClasses
            result.moreScalars = moreScalars == .max ? .max : moreScalars &- 1
            // Without the first pair a summary counts as empty.
            if result.classes == 0 { (result.classes, result.scalars) = (result.fewerClasses, result.moreScalars) }
        }
        result.longestRest = longestRest
        result.canWait = canWait
        return result
    }

    /// The same where `most` scalars may still come, and `least` must.
    func limited(least: Int, most: Int) -> BodySummary {
        guard most < .max || least > 0 else { return self }
        // What a run leaves must be enough for the longest rest.
        let rest = max(longestRest, least)
        guard least == 0 || canWait, most > rest else { return .none }
        let room = most == .max ? .max : most - rest
        var result = self
        result.scalars = min(scalars, room)
        result.moreScalars = min(moreScalars, room)
        result.endsDead = endsDead && scalars <= room
        result.fewerEndDead = fewerEndDead && moreScalars <= room
        return result
    }
}

/// The summaries of a machine's configurations, worked out when first asked for.
final class BodySummaries {
    /// By configuration: 0 if not known, 1 if there is none, else the index of the summary plus 1.
    @exclusivity(unchecked) private var indices: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var capacity = 1024
    @exclusivity(unchecked) private var summaries: [BodySummary] = [.none]

    init() {
        indices = .allocate(capacity: capacity)
        indices.initialize(repeating: 0, count: capacity)
    }

    deinit { indices.deallocate() }

    @inline(__always)
    func summary<Machine: ConstraintMachine>(of configuration: ConfigID, _ machine: Machine) -> BodySummary {
        let raw = Int(configuration.rawValue)
        if raw < capacity {
            let index = indices[raw]
            if index == 1 { return .none }
            if index > 1 { return summaries[Int(index) - 1] }
        }
        return work(configuration, machine)
    }

    @inline(never)
    private func work<Machine: ConstraintMachine>(_ configuration: ConfigID, _ machine: Machine) -> BodySummary {
        let raw = Int(configuration.rawValue)
        if raw >= capacity { grow(raw) }
        let summary: BodySummary
        guard let body = machine.stringBody(configuration), body.detours.isEmpty else {
            guard let text = machine.freeText(configuration) else {
                if machine.readsNamedKey(configuration) {
                    summaries.append(.namedKey)
                    indices[raw] = UInt32(summaries.count)
                    return .namedKey
                }
                indices[raw] = 1
                return .none
            }
            if let automaton = text.automaton {
                summary = AutomatonSummary.of(automaton).summary(of: text.state)
            } else {
                summary = BodySummary(classes: text.classes, scalars: .max)
            }
            summaries.append(summary)
            indices[raw] = UInt32(summaries.count)
            return summary
        }
        let remaining = body.remainingScalars ?? .max
        if let automaton = body.automaton {
            summary = AutomatonSummary.of(automaton).summary(of: body.state)
                .limited(least: body.missingScalars, most: remaining)
        } else {
            summary = BodySummary(classes: ScalarClasses.plain | ScalarClasses.partial, scalars: remaining)
        }
        summaries.append(summary)
        indices[raw] = UInt32(summaries.count)
        return summary
    }

    private func grow(_ raw: Int) {
        var larger = capacity
        while larger <= raw { larger *= 2 }
        let replacement = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
        replacement.initialize(from: indices, count: capacity)
        (replacement + capacity).initialize(repeating: 0, count: larger - capacity)
        indices.deallocate()
        indices = replacement
        capacity = larger
    }
}
