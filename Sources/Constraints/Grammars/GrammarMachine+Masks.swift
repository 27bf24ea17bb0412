// SPDX-License-Identifier: Apache-2.0

import Patterns

extension GrammarMachine {
    /// The only way in which the text can be read, if that is within a JSON document.
    private func onlyDocument(_ configuration: ConfigID) -> (leaf: LeafState, context: UInt32)? {
        guard !documents.isEmpty else { return nil }
        let items = configurations[configuration.rawValue]
        guard items.count == 1 else { return nil }
        let members = positions[Self.position(items[0])]
        guard members.count == 1, members[0] >= leafBase else { return nil }
        let leaf = leaves[members[0] - leafBase]
        return leaf.kind == .document ? (leaf, Self.context(items[0])) : nil
    }

    package func maskKey(_ configuration: ConfigID) -> UInt64 {
        guard !documents.isEmpty else { return UInt64(configuration.rawValue) }
        if let known = maskKeys[configuration.rawValue] { return known }
        var key = UInt64(configuration.rawValue)
        if let (leaf, context) = onlyDocument(configuration) {
            let inside = documents[Int(leaf.index)].maskKey(ConfigID(rawValue: leaf.state))
            let place = [inside, UInt64(leaf.index) << 32 | UInt64(leaf.target), UInt64(context)]
            key = 1 << 62 | UInt64(maskProjections.intern(place))
        }
        maskKeys[configuration.rawValue] = key
        return key
    }

    package func stringBody(_ configuration: ConfigID) -> StringBody? {
        guard let (leaf, context) = onlyDocument(configuration),
            var body = documents[Int(leaf.index)].stringBody(ConfigID(rawValue: leaf.state))
        else { return nil }
        let outside = Cost.sum(costs[leaf.target], contextCosts[Int(context)])
        body.closingCost = body.closingCost.flatMap {
            let total = Cost.sum($0, outside)
            return total < .infinite ? total : nil
        }
        return body
    }

    package func stringEnd(_ configuration: ConfigID) -> StringEnd? {
        guard let (leaf, context) = onlyDocument(configuration),
            let end = documents[Int(leaf.index)].stringEnd(ConfigID(rawValue: leaf.state))
        else { return nil }
        guard !end.closing.isDead else { return end }
        let machine = documents[Int(leaf.index)]
        var after = leaf
        after.state = end.closing.rawValue
        var parts: [UInt32] = []
        if machine.isAccepting(end.closing) { parts.append(closure(leaf.target)) }
        if !machine.allowedBytes(end.closing).isEmpty {
            parts.append(positions.intern([leafBase + leaves.intern(after)]))
        }
        let closing = self.configuration(parts.map { Self.item($0, context) })
        return StringEnd(closing: closing, end.exceptions)
    }

    package func freeText(_ configuration: ConfigID) -> FreeText? {
        if let known = freeTexts[configuration.rawValue] { return known }
        let result = terminalText(configuration) ?? loopingText(configuration)
        freeTexts[configuration.rawValue] = .some(result)
        return result
    }

    /// The terminal in which the text goes on with the widest choice.
    private func terminalText(_ configuration: ConfigID) -> FreeText? {
        guard !terminals.isEmpty else { return nil }
        var best: FreeText?
        var width = 16
        for item in expansion(configuration) {
            for member in positions[Self.position(item)] where member >= leafBase {
                let leaf = leaves[member - leafBase]
                guard leaf.kind == .terminal, leaf.partial == 0 else { continue }
                let terminal = terminals[Int(leaf.index)]
                guard !terminal.isLazy else { continue }
                let count = terminal.width(leaf.state)
                if count > width {
                    width = count
                    best = FreeText(
                        automaton: terminal.automaton,
                        state: Automaton.StateID(rawValue: Int32(bitPattern: leaf.state)))
                }
            }
        }
        return best
    }

    /// The characters that lead back to the configuration, so that any run of them does.
    private func loopingText(_ configuration: ConfigID) -> FreeText? {
        guard Array("e 0".utf8).contains(where: { step(configuration, $0) == configuration }) else { return nil }
        var classes = ~ScalarClasses.beyondASCII & ~(ScalarClasses.malformed | ScalarClasses.partial)
        for byte in UInt8(0)..<0x80 where step(configuration, byte) != configuration {
            classes &= ~(1 << UInt64(ScalarClasses.ascii[Int(byte)]))
        }
        if loopsBeyondASCII(configuration) { classes |= ScalarClasses.beyondASCII | ScalarClasses.partial }
        return classes == 0 ? nil : FreeText(classes: classes)
    }

    /// Whether each scalar beyond ASCII for which there are bytes leads back to the configuration.
    private func loopsBeyondASCII(_ configuration: ConfigID) -> Bool {
        var seen: Set<UInt64> = []
        var work: [(configuration: ConfigID, decoder: ScalarDecoder)] = [(configuration, ScalarDecoder())]
        while let (current, decoder) = work.popLast() {
            for byte in UInt8(0x80)...0xF4 {
                if decoder.isAtBoundary, byte == 0xF1 || byte == 0xF2, leavesOutPlanes { continue }
                var next = decoder
                switch next.feed(byte) {
                case .malformed: continue
                case .scalar: if step(current, byte) != configuration { return false }
                case .incomplete:
                    let target = step(current, byte)
                    if target.isDead { return false }
                    // Where equal bytes are missing without a bound on the next one, equal configurations do.
                    let isBounded = next.reachableScalars.map { $0.count != 1 << (6 * Int(next.missing)) } ?? true
                    if isBounded || seen.insert(UInt64(target.rawValue) << 8 | UInt64(next.missing)).inserted {
                        work.append((target, next))
                    }
                }
            }
        }
        return true
    }
}
