// SPDX-License-Identifier: Apache-2.0

// Conjuncts that only bound the length, as in `^(?=.{1,253}$)…`: products with them are answered without a search.
extension TermStore {
    /// An intersection that is one term whose texts have a length within bounds.
    struct LengthBound {
        var rest: TermID
        var minimum: Int
        var maximum: Int
    }

    /// The scalars and the lengths of a term that allows all texts of such scalars and lengths.
    func lengthOnly(_ id: TermID) -> (set: Int32, minimum: Int, maximum: Int)? {
        let term = terms[Int(id)]
        switch term.kind {
        case .set:
            return (term.a, 1, 1)
        case .repetition:
            let body = terms[Int(term.a)]
            guard body.kind == .set else { return nil }
            return (body.a, Int(term.b), term.c < 0 ? Lengths.unbounded : Int(term.c))
        case .concat:
            guard term.b == Self.everything, let head = lengthOnly(term.a), head.minimum == head.maximum else {
                return nil
            }
            return (head.set, head.minimum, Lengths.unbounded)
        default:
            return nil
        }
    }

    /// Whether all scalars in the texts of a term are known to belong to a set.
    func consists(_ id: TermID, of set: Int32) -> Bool {
        if sets[Int(set)].isAll { return true }
        let term = terms[Int(id)]
        switch term.kind {
        case .nothing, .epsilon, .look: return true
        case .everything, .complement, .variable: return false
        case .set where term.a == set: return true
        case .substring: return referenceConsists(of: set)
        default: break
        }
        let key = UInt64(UInt32(bitPattern: id)) << 32 | UInt64(UInt32(bitPattern: set))
        if let known = consistsMemo[key] { return known }
        let result: Bool
        switch term.kind {
        case .set:
            result = sets[Int(term.a)].subtracting(sets[Int(set)]).isEmpty
        case .concat:
            // Chains may be long: no recursion over their length.
            var rest = id
            var holds = true
            while holds, kind(rest) == .concat {
                holds = consists(terms[Int(rest)].a, of: set)
                rest = terms[Int(rest)].b
            }
            result = holds && consists(rest, of: set)
        case .union:
            result = operands(id).allSatisfy { consists($0, of: set) }
        case .intersection:
            result = operands(id).contains { consists($0, of: set) }
        case .repetition:
            result = consists(term.a, of: set)
        default:
            result = false
        }
        consistsMemo[key] = result
        return result
    }

    /// An intersection as one operand within bounds on the length, if the others only bound its length.
    func lengthBound(of id: TermID) -> (rest: TermID, bounds: LengthBound)? {
        if let known = lengthBoundMemo[id] { return known.map { ($0.rest, $0) } }
        var result: LengthBound?
        let list = operands(id)
        let bounds = list.map { lengthOnly($0) }
        for (candidate, rest) in zip(bounds.indices, list) {
            var bound = LengthBound(rest: rest, minimum: 0, maximum: Lengths.unbounded)
            let isBounded = bounds.indices.allSatisfy { index in
                if index == candidate { return true }
                guard let other = bounds[index], consists(rest, of: other.set) else { return false }
                bound.minimum = max(bound.minimum, other.minimum)
                bound.maximum = min(bound.maximum, other.maximum)
                return true
            }
            if isBounded {
                result = bound
                break
            }
        }
        lengthBoundMemo[id] = .some(result)
        return result.map { ($0.rest, $0) }
    }
}
