// SPDX-License-Identifier: Apache-2.0

// Conditions that each ask for a text somewhere, as in `(?=.*[a-z])(?=.*[0-9])` or several patterns without anchors:
// the texts one after another meet them all, and no search among their interleavings is needed.
extension TermStore {
    /// The length and the cost of a text that is known to be in an intersection, not always a shortest one.
    struct JointText {
        var length: Int
        var cost: Int
    }

    /// A text of an intersection of conditions that each ask for a text somewhere; nil for other terms.
    func jointText(of id: TermID) -> JointText? {
        guard kind(id) == .intersection, !flags(id).contains(.contextual) else { return nil }
        if let known = jointMemo[id] { return known }
        let result = findJointText(id)
        jointMemo[id] = .some(result)
        return result
    }

    private func findJointText(_ id: TermID) -> JointText? {
        let list = Array(operands(id))
        // The scalars that all conditions leave free: those of loops that the whole text or the text before a
        // condition is met has to consist of.
        var common: Int32?
        func restrict(to set: Int32) -> Bool {
            if sets[Int(set)].isAll { return true }
            guard let known = common else {
                common = set
                return true
            }
            // Usually they are the same.
            return known == set
        }
        /// A term that asks for a text somewhere: any scalars of a set, then the text, then anything.
        func search(_ id: TermID) -> TermID? {
            let term = terms[Int(id)]
            guard term.kind == .concat, term.flags.contains(.pure), endsFree(id) else { return nil }
            if term.a == Self.everything { return term.b }
            let head = terms[Int(term.a)]
            guard head.kind == .repetition, head.b == 0, head.c < 0, kind(head.a) == .set,
                restrict(to: terms[Int(head.a)].a)
            else { return nil }
            return term.b
        }
        var wanted: [(anywhere: TermID, first: TermID?)] = []
        for operand in list {
            let term = terms[Int(operand)]
            switch term.kind {
            case .repetition:
                guard term.b == 0, term.c < 0, kind(term.a) == .set, restrict(to: terms[Int(term.a)].a) else { return nil }
            case .concat:
                guard let text = search(operand) else { return nil }
                wanted.append((text, nil))
            case .union:
                var anywhere: TermID?
                var first: TermID?
                for part in operands(operand) {
                    if anywhere == nil, let text = search(part) {
                        anywhere = text
                    } else if isPure(part), endsFree(part),
                        first.map({ terms[Int(part)].lengths.minimum < terms[Int($0)].lengths.minimum }) ?? true
                    {
                        first = part
                    }
                }
                guard let anywhere else { return nil }
                wanted.append((anywhere, first))
            default: return nil
            }
        }
        var total = JointText(length: 0, cost: 0)
        var saving = JointText(length: 0, cost: 0)
        for (anywhere, first) in wanted {
            guard isFree(anywhere, common) else { return nil }
            let text = terms[Int(anywhere)]
            total.length += text.lengths.minimum
            total.cost += text.cost
            if let first, isFree(first, common) {
                let other = terms[Int(first)]
                saving.length = max(saving.length, text.lengths.minimum - other.lengths.minimum)
                saving.cost = max(saving.cost, text.cost - other.cost)
            }
        }
        if total.length >= Lengths.unbounded / 2 || total.cost >= Lengths.unbounded / 2 { return nil }
        return JointText(length: total.length - saving.length, cost: total.cost - saving.cost)
    }

    /// Whether anything may follow each text of a term.
    private func endsFree(_ id: TermID) -> Bool {
        var rest = id
        while kind(rest) == .concat { rest = terms[Int(rest)].b }
        return rest == Self.everything
    }

    /// Whether the texts of a term, what may follow them excepted, consist of scalars of a set.
    private func isFree(_ id: TermID, _ set: Int32?) -> Bool {
        guard let set else { return true }
        var rest = id
        while kind(rest) == .concat {
            guard consists(terms[Int(rest)].a, of: set) else { return false }
            rest = terms[Int(rest)].b
        }
        return rest == Self.everything
    }
}
