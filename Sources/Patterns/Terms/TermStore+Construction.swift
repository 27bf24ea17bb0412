// SPDX-License-Identifier: Apache-2.0

// Smart constructors: every rule is an identity of languages, and keeps derivatives few.
extension TermStore {
    // MARK: Concatenation

    func concat(_ a: TermID, _ b: TermID) -> TermID {
        if a == Self.nothing || b == Self.nothing { return Self.nothing }
        if a == Self.epsilon { return b }
        if b == Self.epsilon { return a }
        let first = terms[Int(a)]
        if first.kind == .concat {
            // Chains lean to the right; unroll the left one without recursion over its length.
            var parts: [TermID] = []
            var rest = a
            while terms[Int(rest)].kind == .concat {
                parts.append(terms[Int(rest)].a)
                rest = terms[Int(rest)].b
            }
            var result = concat(rest, b)
            for part in parts.reversed() { result = concat(part, result) }
            return result
        }
        if b == Self.everything {
            // R·Σ* = Σ* if R has the empty text; extra copies are swallowed by what follows.
            if isNullable(a) { return Self.everything }
            if first.kind == .repetition, first.c != first.b {
                return concat(repetition(first.a, Int(first.b), Int(first.b)), b)
            }
        }
        let second = terms[Int(b)]
        if a == Self.everything {
            if b == Self.everything { return a }
            if second.kind == .concat {
                let middle = terms[Int(second.a)]
                if middle.flags.contains(.pure) {
                    // Σ*·R·K = Σ*·K if R has the empty text; Σ*·R{m,n}·K = Σ*·R{m}·K likewise.
                    if middle.flags.contains(.nullable) { return concat(a, second.b) }
                    if middle.kind == .repetition, middle.c != middle.b {
                        return concat(a, concat(repetition(middle.a, Int(middle.b), Int(middle.b)), second.b))
                    }
                }
            } else if second.flags.isSuperset(of: [.pure, .nullable]) {
                return a
            }
        }
        if first.kind == .repetition {
            // R{m,n}·R{p,q} = R{m+p,n+q}
            let (head, tail) = second.kind == .concat ? (second.a, second.b) : (b, Self.epsilon)
            let next = terms[Int(head)]
            if next.kind == .repetition, next.a == first.a {
                let least = Int(first.b) + Int(next.b)
                let most = first.c < 0 || next.c < 0 ? nil : Int(first.c) + Int(next.c)
                if least < 1 << 30, most ?? 0 < 1 << 30 {
                    return concat(repetition(first.a, least, most), tail)
                }
            }
        }
        return intern(.concat, a, b, 0)
    }

    // MARK: Repetition

    /// `body` between `least` and `most` times; nil: without bound.
    func repetition(_ body: TermID, _ least: Int, _ most: Int?) -> TermID {
        var body = body
        var least = least
        var most = most
        if most == 0 || body == Self.epsilon { return Self.epsilon }
        if body == Self.nothing { return least == 0 ? Self.epsilon : Self.nothing }
        if body == Self.everything { return body }
        if isNullable(body) {
            least = 0
            if kind(body) == .union, operands(body).contains(Self.epsilon) {
                body = union(operands(body).filter { $0 != Self.epsilon })
            }
        }
        let term = terms[Int(body)]
        if term.kind == .repetition {
            // (R{a,b}){m,n} = R{am,bn} when consecutive counts touch: (k+1)a ≤ kb + 1 from k = m on.
            let inner = (least: Int(term.b), most: term.c < 0 ? nil : Int(term.c))
            let touches: Bool =
                if least == most {
                    true
                } else if let top = inner.most {
                    (least + 1) * inner.least <= Lengths.multiply(least, top) + 1
                } else {
                    inner.least <= 1 || least > 0
                }
            let low = Lengths.multiply(inner.least, least)
            let high = inner.most.flatMap { top in most.map { Lengths.multiply(top, $0) } }
            if touches, low < 1 << 30, high ?? 0 < 1 << 30 {
                body = term.a
                least = low
                most = high
            }
        }
        if least == 1, most == 1 { return body }
        if most == nil, least == 0, body == anyScalar { return Self.everything }
        return intern(.repetition, body, Int32(min(least, 1 << 30)), most.map { Int32(min($0, 1 << 30)) } ?? -1)
    }

    // MARK: Complement

    func complement(_ a: TermID) -> TermID {
        switch a {
        case Self.nothing: return Self.everything
        case Self.everything: return Self.nothing
        case Self.epsilon: return nonEmpty
        case nonEmpty: return Self.epsilon
        default:
            let term = terms[Int(a)]
            if term.kind == .complement { return term.a }
            return intern(.complement, a, 0, 0)
        }
    }

    // MARK: Union

    func union(_ a: TermID, _ b: TermID) -> TermID {
        if a == b || b == Self.nothing { return a }
        if a == Self.nothing { return b }
        if a == Self.everything || b == Self.everything { return Self.everything }
        return union([a, b])
    }

    func union(_ parts: [TermID]) -> TermID {
        work &+= parts.count
        var list: [TermID] = []
        list.reserveCapacity(parts.count)
        var complements = 0
        var repetitions = 0
        var intersections = 0
        var searches = 0
        func add(_ id: TermID) {
            list.append(id)
            let term = terms[Int(id)]
            switch term.kind {
            case .complement: complements += 1
            case .repetition: repetitions += 1
            case .intersection: intersections += 1
            case .concat:
                if term.a == Self.everything {
                    searches += 1
                } else if terms[Int(term.a)].kind == .repetition {
                    repetitions += 1
                }
            default: break
            }
        }
        for part in parts {
            switch terms[Int(part)].kind {
            case .nothing: continue
            case .everything: return Self.everything
            case .union: for operand in operands(part) { add(operand) }
            default: add(part)
            }
        }
        Self.normalise(&list)
        if list.count < 2 { return list.first ?? Self.nothing }
        if repetitions > 0, mergeRepetitions(&list) { return union(list) }
        if searches > 0 {
            // K ⊆ Σ*·K
            let found = Set(
                list.lazy.filter { self.kind($0) == .concat && self.terms[Int($0)].a == Self.everything }
                    .map { self.terms[Int($0)].b })
            let kept = list.filter { !found.contains($0) }
            if kept.count < list.count { return union(kept) }
        }
        if list[0] == Self.epsilon, list.dropFirst().contains(where: { isNullable($0) }) {
            return union(Array(list.dropFirst()))
        }
        if complements > 0 {
            let negated = list.filter { kind($0) == .complement }.map { terms[Int($0)].a }
            // A ∪ ¬A = Σ*
            if negated.contains(where: { Self.contains(list, $0) }) { return Self.everything }
            if negated.count > 1 {
                return union(list.filter { kind($0) != .complement } + [complement(intersection(negated))])
            }
        }
        if intersections > 0 {
            // A ∪ (A ∩ B) = A
            let kept = list.filter { id in
                !(kind(id) == .intersection && operands(id).contains { Self.contains(list, $0) })
            }
            if kept.count < list.count { return union(kept) }
        }
        return intern(.union, sorted: list)
    }

    /// R{m,n}·K ∪ R{p,q}·K = R{min,max}·K where the counts touch, and K ⊆ R{0,n}·K.
    private func mergeRepetitions(_ list: inout [TermID]) -> Bool {
        struct Key: Hashable {
            var body: TermID
            var tail: TermID
        }
        struct Part {
            var id: TermID
            var key: Key
            var least: Int
            var most: Int
        }
        var parts: [Part] = []
        for id in list {
            let term = terms[Int(id)]
            let (head, tail) = term.kind == .concat ? (term.a, term.b) : (id, Self.epsilon)
            let repetition = terms[Int(head)]
            guard repetition.kind == .repetition else { continue }
            let most = repetition.c < 0 ? Int.max : Int(repetition.c)
            parts.append(Part(id: id, key: Key(body: repetition.a, tail: tail), least: Int(repetition.b), most: most))
        }
        var changed = false
        var removed: Set<TermID> = []
        for part in parts where part.least == 0 && part.key.tail != Self.epsilon && Self.contains(list, part.key.tail) {
            removed.insert(part.key.tail)
        }
        var added: [TermID] = []
        if parts.count > 1 {
            parts.sort {
                ($0.key.body, $0.key.tail, $0.least, $0.most) < ($1.key.body, $1.key.tail, $1.least, $1.most)
            }
            var index = 0
            while index < parts.count {
                var merged = parts[index]
                var next = index + 1
                while next < parts.count, parts[next].key == merged.key,
                    merged.most == Int.max || parts[next].least <= merged.most + 1
                {
                    merged.most = max(merged.most, parts[next].most)
                    next += 1
                }
                if next > index + 1 {
                    for part in parts[index..<next] { removed.insert(part.id) }
                    let most = merged.most == Int.max ? nil : merged.most
                    added.append(concat(repetition(merged.key.body, merged.least, most), merged.key.tail))
                }
                index = next
            }
        }
        if !removed.isEmpty {
            list = list.filter { !removed.contains($0) } + added
            changed = true
        }
        return changed
    }

    // MARK: Intersection

    func intersection(_ a: TermID, _ b: TermID) -> TermID {
        if a == b || b == Self.everything { return a }
        if a == Self.everything { return b }
        if a == Self.nothing || b == Self.nothing { return Self.nothing }
        return intersection([a, b])
    }

    func intersection(_ parts: [TermID]) -> TermID {
        work &+= parts.count
        var list: [TermID] = []
        list.reserveCapacity(parts.count)
        var complements = 0
        var unions = 0
        func add(_ id: TermID) {
            list.append(id)
            switch terms[Int(id)].kind {
            case .complement: complements += 1
            case .union: unions += 1
            default: break
            }
        }
        for part in parts {
            switch terms[Int(part)].kind {
            case .nothing: return Self.nothing
            case .everything: continue
            case .intersection: for operand in operands(part) { add(operand) }
            default: add(part)
            }
        }
        Self.normalise(&list)
        if list.count < 2 { return list.first ?? Self.everything }
        if list[0] == Self.epsilon {
            // ε ∩ A is ε or ∅ as soon as it is known whether A has the empty text.
            if list.dropFirst().contains(where: { !isDynamic($0) && !isNullable($0) }) { return Self.nothing }
            let open = list.filter { isDynamic($0) }
            if open.count < list.count - 1 { return intersection([Self.epsilon] + open) }
        }
        var least = 0
        var most = Lengths.unbounded
        for id in list {
            least = max(least, terms[Int(id)].lengths.minimum)
            most = min(most, terms[Int(id)].lengths.maximum)
        }
        if least > most { return Self.nothing }
        for (index, id) in list.enumerated() {
            // A ∩ S{m,n} = A if the texts of A have such lengths and consist of scalars of S.
            guard let bound = lengthOnly(id) else { continue }
            let isImplied = list.contains { other in
                guard other != id else { return false }
                let lengths = terms[Int(other)].lengths
                return lengths.minimum >= bound.minimum && lengths.maximum <= bound.maximum
                    && consists(other, of: bound.set)
            }
            if isImplied {
                var rest = list
                rest.remove(at: index)
                return intersection(rest)
            }
        }
        if complements > 0 {
            let negated = list.filter { kind($0) == .complement }.map { terms[Int($0)].a }
            // A ∩ ¬A = ∅, and likewise A ∩ ¬(A ∪ B)
            for body in negated {
                if Self.contains(list, body) { return Self.nothing }
                if kind(body) == .union, operands(body).contains(where: { Self.contains(list, $0) }) {
                    return Self.nothing
                }
            }
            if negated.count > 1 {
                return intersection(list.filter { kind($0) != .complement } + [complement(union(negated))])
            }
        }
        if unions > 0 {
            // A ∩ (A ∪ B) = A
            let kept = list.filter { id in
                !(kind(id) == .union && operands(id).contains { Self.contains(list, $0) })
            }
            if kept.count < list.count { return intersection(kept) }
        }
        return intern(.intersection, sorted: list)
    }

    // MARK: Lists

    private static func normalise(_ list: inout [TermID]) {
        if list.count < 2 { return }
        if list.count == 2 {
            if list[0] == list[1] { list.removeLast() } else if list[0] > list[1] { list.swapAt(0, 1) }
            return
        }
        list.sort()
        var kept = 1
        for index in 1..<list.count where list[index] != list[kept - 1] {
            list[kept] = list[index]
            kept += 1
        }
        list.removeLast(list.count - kept)
    }

    /// Whether a sorted list has an element.
    private static func contains(_ list: [TermID], _ id: TermID) -> Bool {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) >> 1
            if list[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < list.count && list[low] == id
    }
}
