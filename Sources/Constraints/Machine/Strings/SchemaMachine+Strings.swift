// SPDX-License-Identifier: Apache-2.0

import Patterns

/// How far a string has come.
struct StringState: Hashable {
    var shape: UInt32
    /// The state of the automaton, where there is one.
    var automaton: Int32 = 0
    /// The number of scalars so far, no larger than needed.
    var length: Int32 = 0
    /// The place among the finitely many allowed texts, or among the excluded ones.
    var position = FiniteTexts.Position.none
}

extension StringState: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        let print = mixed(seed, UInt64(shape) << 32 | UInt64(UInt32(bitPattern: automaton)))
        return position.fingerprint(mixed(print, UInt64(UInt32(bitPattern: length))))
    }
}

extension SchemaMachine {
    /// Whether a text of the shape continues from a state of its automaton after some scalars.
    func viability(_ shape: StringShape, _ state: Automaton.StateID, _ length: Int) -> Liveness {
        guard let automaton = shape.automaton else { return .alive }
        if state.isDead { return automaton.isOverflowing ? .unknown : .dead }
        let least = max(0, shape.minLength - length)
        guard least > 0 || shape.maxLength != nil else { return automaton.liveness(state) }
        return automaton.canFinish(state, minScalars: least, maxScalars: shape.maxLength.map { $0 - length })
    }

    private func isAlive(_ shape: StringShape, _ state: Automaton.StateID, _ length: Int) -> Bool {
        switch viability(shape, state, length) {
        case .alive: return true
        case .dead: return false
        case .unknown:
            note("whether a string can be completed cannot be decided", at: nil)
            return false
        }
    }

    /// The state after the opening quote.
    func beginString(_ number: UInt32) -> StringState? {
        guard let shape = stringShapes[Int(number)] else { return nil }
        var state = StringState(shape: number)
        if let automaton = shape.automaton { state.automaton = automaton.start.rawValue }
        if let finite = shape.finite { state.position = finite.root }
        if let excluded = shape.excluded { state.position = excluded.root }
        return state
    }

    /// The number of a string state with a completion.
    func intern(_ state: StringState) -> UInt32 {
        let number = stringStates.intern(state)
        if Int(number) == stringCosts.count { stringCosts.append(Self.unknownCost) }
        return number
    }

    /// The bytes of a shortest rest of an interned state, at a boundary between characters.
    func cost(string number: UInt32) -> Cost {
        let known = stringCosts[Int(number)]
        if known >= 0 { return known }
        let cost = boundaryCost(stringStates[number])
        stringCosts[Int(number)] = cost
        return cost
    }

    /// The state after one more byte of the spelling; nil where no allowed text continues that way.
    ///
    /// `outcome` is what the byte means; it is not the closing quote.
    func advance(_ state: StringState, _ byte: UInt8, _ outcome: StringLexer.Outcome) -> StringState? {
        guard let shape = stringShapes[Int(state.shape)] else { return nil }
        var next = state
        if let finite = shape.finite {
            next.position = finite.advance(state.position, byte)
            return next.position.isEmpty ? nil : next
        }
        if let excluded = shape.excluded, !state.position.isEmpty {
            next.position = excluded.advance(state.position, byte)
        }
        switch outcome {
        case .close, .invalid: return nil
        case .scalar(let scalar):
            let length = Int(state.length) + 1
            if let maximum = shape.maxLength, length > maximum { return nil }
            next.length = Int32(clamping: min(length, shape.lengthLimit))
            if let automaton = shape.automaton {
                let target = automaton.transition(
                    Automaton.StateID(rawValue: state.automaton), class: automaton.classOf(scalar: scalar))
                guard isAlive(shape, target, Int(next.length)) else { return nil }
                next.automaton = target.rawValue
            } else if length == shape.maxLength, let excluded = shape.excluded, excluded.isComplete(next.position) {
                return nil
            }
            return next
        case .more(let lexer):
            let length = Int(state.length) + 1
            if let maximum = shape.maxLength, length > maximum { return nil }
            if let automaton = shape.automaton {
                let source = Automaton.StateID(rawValue: state.automaton)
                let counted = min(length, shape.lengthLimit)
                func leads(_ scalarClass: Int) -> Bool {
                    let target = automaton.transition(source, class: scalarClass)
                    return !target.isDead && isAlive(shape, target, counted)
                }
                if let escapes = lexer.escapes {
                    return escapes.contains { leads(automaton.classOf(scalar: $0)) } ? next : nil
                }
                guard let range = lexer.scalars else { return nil }
                let classes = automaton.classes(inScalarRange: range)
                if automaton.usesReference {
                    return automaton.classesOnward(source).contains { classes.contains($0) && leads($0) } ? next : nil
                }
                return (0..<automaton.classCount).contains { classes.contains($0) && leads($0) } ? next : nil
            }
            if length == shape.maxLength, !next.position.isEmpty {
                // The last character must not complete an excluded text: there must be more characters than such texts.
                let choices = lexer.escapes?.count ?? lexer.scalars.map { Int($0.upperBound - $0.lowerBound) + 1 } ?? 0
                if Int(next.position.high - next.position.low) >= choices { return nil }
            }
            return next
        }
    }

    /// Whether the string may end here, at a boundary between characters.
    func isComplete(_ state: StringState) -> Bool {
        guard let shape = stringShapes[Int(state.shape)] else { return false }
        if let finite = shape.finite { return finite.isComplete(state.position) }
        if Int(state.length) < shape.minLength { return false }
        if let automaton = shape.automaton {
            return automaton.isAccepting(Automaton.StateID(rawValue: state.automaton))
        }
        if let excluded = shape.excluded { return !excluded.isComplete(state.position) }
        return true
    }

    /// The bytes of a shortest rest with the closing quote, at a boundary between characters.
    func boundaryCost(_ state: StringState) -> Cost {
        guard let shape = stringShapes[Int(state.shape)] else { return .infinite }
        if let finite = shape.finite { return Cost.sum(finite.shortestRest(state.position), 1) }
        if isComplete(state) { return 1 }
        let missing = max(0, shape.minLength - Int(state.length))
        if let automaton = shape.automaton {
            let source = Automaton.StateID(rawValue: state.automaton)
            let room = shape.maxLength.map { $0 - Int(state.length) }
            if missing == 0, room == nil {
                return automaton.shortestJSONCost(source).map { Cost.sum($0, 1) } ?? .infinite
            }
            if automaton.isFinite(source) {
                return automaton.finiteCost(source, minScalars: missing, maxScalars: room).map { Cost.sum($0, 1) }
                    ?? .infinite
            }
            guard let scalars = automaton.completion(source, minScalars: missing, maxScalars: room) else {
                return .infinite
            }
            return scalars.reduce(1) { Cost.sum($0, StringSpelling.length($1.value)) }
        }
        guard let excluded = shape.excluded, !state.position.isEmpty else { return Cost.sum(missing, 1) }
        // Printable ASCII characters take one byte each; find the shortest run that is not excluded.
        var length = max(missing, 1)
        while true {
            if let maximum = shape.maxLength, Int(state.length) + length > maximum { return .infinite }
            if hasFreeWord(excluded, state.position, length) { return Cost.sum(length, 1) }
            length += 1
        }
    }

    /// Whether some printable ASCII continuation of a length is not excluded.
    private func hasFreeWord(_ excluded: FiniteTexts, _ position: FiniteTexts.Position, _ length: Int) -> Bool {
        if position.isEmpty { return true }
        if length == 0 { return !excluded.isComplete(position) }
        for byte in Self.plainBytes where hasFreeWord(excluded, excluded.advance(position, byte), length - 1) {
            return true
        }
        return false
    }

    /// ASCII characters that spell themselves, letters first.
    static let plainBytes: [UInt8] =
        Array(0x61...0x7A) + Array(0x30...0x39) + Array(0x41...0x5A)
        + Array(0x20...0x7E).filter {
            ![0x22, 0x5C].contains($0) && !(0x61...0x7A).contains($0)
                && !(0x30...0x39).contains($0) && !(0x41...0x5A).contains($0)
        }

    /// The bytes of a shortest rest, inside of a character too.
    func cost(_ state: StringState, _ lexer: StringLexer) -> Cost {
        if lexer.isBoundary { return boundaryCost(state) }
        guard let shape = stringShapes[Int(state.shape)] else { return .infinite }
        if let finite = shape.finite { return Cost.sum(finite.shortestRest(state.position), 1) }
        let length = min(Int(state.length) + 1, shape.lengthLimit)
        var next = state
        next.length = Int32(clamping: length)
        guard let automaton = shape.automaton else {
            // One of the characters leads away from the excluded texts.
            next.position = .none
            let rest = lexer.escapes.map { $0.map { lexer.rest(of: $0) }.min() ?? 1 } ?? lexer.rest(of: 0)
            return Cost.sum(rest, boundaryCost(next))
        }
        let source = Automaton.StateID(rawValue: state.automaton)
        var best = Cost.infinite
        func consider(_ scalarClass: Int, _ rest: Int) {
            let target = automaton.transition(source, class: scalarClass)
            guard !target.isDead, viability(shape, target, length) == .alive else { return }
            next.automaton = target.rawValue
            best = min(best, Cost.sum(rest, boundaryCost(next)))
        }
        if let escapes = lexer.escapes {
            for scalar in escapes { consider(automaton.classOf(scalar: scalar), lexer.rest(of: scalar)) }
        } else if let range = lexer.scalars {
            let classes = automaton.classes(inScalarRange: range)
            let onward = automaton.usesReference ? automaton.classesOnward(source) : Array(0..<automaton.classCount)
            for scalarClass in onward where classes.contains(scalarClass) {
                consider(scalarClass, lexer.rest(of: 0))
            }
        }
        return best
    }

    /// The bytes that may come next in some state, perhaps more.
    func candidates(_ state: StringState, _ lexer: StringLexer) -> ByteSet {
        guard let shape = stringShapes[Int(state.shape)] else { return ByteSet() }
        if let finite = shape.finite {
            var set = finite.nextBytes(state.position)
            set.insert(0x22)
            return set
        }
        var set = ByteSet()
        switch lexer.rawValue {
        case 0:
            set.insert(0x20...0x7F)
            set.insert(0xC2...0xF4)
        case 1: for byte in Array("\"\\bfnrtu".utf8) { set.insert(byte) }
        case 2...6:
            set.insert(0x30...0x39)
            set.insert(0x61...0x66)
        default: set.insert(0x80...0xBF)
        }
        return set
    }
}

extension SchemaMachine {
    /// The stepper of a grid.
    func stepper(_ number: UInt32) -> NumberStepper? {
        gridValues[Int(number)].map { NumberStepper(grid: $0, number: number) }
    }

    /// Whether the digits from 1 to 9 all may come next, and lead to one state.
    func takesDigitsAlike(_ state: NumberState) -> Bool { stepper(state.grid)?.takesDigitsAlike(state) ?? false }

    /// The number of a number state.
    func intern(_ state: NumberState) -> UInt32 {
        let number = numberStates.intern(state)
        if Int(number) == numberCosts.count { numberCosts.append(Self.unknownCost) }
        return number
    }

    /// The bytes of a shortest rest of an interned state.
    func cost(number: UInt32) -> Cost {
        let known = numberCosts[Int(number)]
        if known >= 0 { return known }
        let state = numberStates[number]
        let cost = stepper(state.grid)?.cost(state) ?? .infinite
        numberCosts[Int(number)] = cost
        return cost
    }

    /// Whether the number may end in a state.
    func isComplete(number: UInt32) -> Bool {
        let state = numberStates[number]
        return stepper(state.grid)?.isComplete(state) ?? false
    }
}
