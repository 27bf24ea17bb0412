// SPDX-License-Identifier: Apache-2.0

import Documents
import Patterns

extension SchemaMachine {
    /// The configuration after a byte, worked out.
    func computeStep(_ number: UInt32, _ byte: UInt8) -> UInt32 {
        let current = configurations[number]
        let isRecording = contexts[current.context].isRecording
        let text = isRecording ? self.text(current.text, byte) : 0
        return step(number, current, byte, text).rawValue
    }

    private func step(_ number: UInt32, _ current: Configuration, _ byte: UInt8, _ text: UInt32) -> ConfigID {
        switch current.kind {
        case .dead, .done: return .dead
        case .literal: return stepLiteral(current, byte, text)
        case .number: return stepNumber(number, current, byte, text)
        case .string: return stepString(current, byte, text)
        case .key: return stepKey(current, byte, text)
        default: break
        }
        // Between the tokens of the JSON text.
        if case .flexible(let maximum) = profile.whitespace {
            if Spacing.isSpace(byte) {
                let isStart = current.kind == .value && current.context == 0
                guard !isStart, Int(current.aux) < maximum else { return .dead }
                return configuration(
                    current.kind, current.aux + 1, list: current.alternatives, current.context, text)
            }
        } else if current.aux != 0 {
            let isBreak = current.aux & Spacing.lineBreak != 0
            guard byte == (isBreak ? 0x0A : 0x20) else { return .dead }
            let aux = isBreak ? current.aux & ~Spacing.lineBreak : current.aux - 1
            return configuration(current.kind, aux, list: current.alternatives, current.context, text)
        }
        switch current.kind {
        case .value: return beginValue(number, current, byte, text)
        case .arrayOpen, .arrayAfter, .arrayClosing: return stepArray(number, current, byte, text)
        case .objectOpen, .objectAfter, .objectClosing: return stepObject(current, byte, text)
        case .keyStart:
            return byte == 0x22 ? beginKey(current, text) : .dead
        case .colon:
            guard byte == UInt8(ascii: ":") else { return .dead }
            var aux: UInt32 = 0
            switch profile.whitespace {
            case .spaced, .pretty: aux = 1
            default: break
            }
            return configuration(.value, aux, list: current.alternatives, current.context, text)
        default: return .dead
        }
    }

    /// The white space that must come before the next token after a comma or, on its own line, before a closing
    /// bracket.
    private func spacing(_ context: UInt32, isClosing: Bool) -> UInt32 {
        switch profile.whitespace {
        case .spaced: return isClosing ? 0 : 1
        case .pretty(let indent):
            let level = contextDepths[Int(context)] + (isClosing ? 0 : 1)
            return Spacing.lineBreak | UInt32(clamping: max(0, indent) * level)
        default: return 0
        }
    }

    // MARK: Scalars

    private func beginValue(
        _ number: UInt32, _ current: Configuration, _ byte: UInt8, _ text: UInt32
    ) -> ConfigID {
        var list = WordList()
        func add(_ state: UInt32, _ tag: UInt32) { list.append(Alternative(state: state, tag: tag).rawValue) }
        switch byte {
        case 0x22:
            for alternative in alternatives(current) {
                for shape in textShapes(alternative.state) {
                    if let state = beginString(shape) { add(intern(state), alternative.tag) }
                }
            }
            return configuration(.string, 0, list, current.context, text)
        case UInt8(ascii: "{"):
            for alternative in alternatives(current) {
                for shape in expand(alternative.state, .object) ?? [] {
                    let state = intern(initialState(object: shape))
                    if openCost(object: state) < .infinite { add(state, alternative.tag) }
                }
            }
            return configuration(.objectOpen, 0, list, current.context, text)
        case UInt8(ascii: "["):
            for alternative in alternatives(current) {
                for shape in expand(alternative.state, .array) ?? [] {
                    let state = intern(initialState(array: shape))
                    if openCost(array: state) < .infinite { add(state, alternative.tag) }
                }
            }
            return configuration(.arrayOpen, 0, list, current.context, text)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            if byte > UInt8(ascii: "1"), digitsAreAlike(current) { return step(ConfigID(rawValue: number), 0x31) }
            for alternative in alternatives(current) {
                for shape in expand(alternative.state, .number) ?? [] {
                    if let state = stepper(shape)?.begin(byte) { add(intern(state), alternative.tag) }
                }
            }
            return configuration(.number, 0, list, current.context, text)
        case UInt8(ascii: "n"):
            for alternative in alternatives(current) where !(expand(alternative.state, .null) ?? []).isEmpty {
                add(0, alternative.tag)
            }
            return configuration(.literal, 1, list, current.context, text)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            let isTrue = byte == UInt8(ascii: "t")
            for alternative in alternatives(current) {
                if let mask = expand(alternative.state, .boolean)?.first, mask & (isTrue ? 2 : 1) != 0 {
                    add(0, alternative.tag)
                }
            }
            return configuration(.literal, (isTrue ? 1 : 2) << 8 | 1, list, current.context, text)
        default: return .dead
        }
    }

    private func stepLiteral(_ current: Configuration, _ byte: UInt8, _ text: UInt32) -> ConfigID {
        let literal = Self.literals[Int(current.aux >> 8)]
        let place = Int(current.aux & 0xFF)
        guard literal[place] == byte else { return .dead }
        if place + 1 == literal.count { return pop(current, text) { _ in true } }
        return configuration(.literal, current.aux + 1, list: current.alternatives, current.context, text)
    }

    /// Whether a number that begins with one of the digits from 1 to 9 may begin with any of them, and goes on alike.
    private func digitsAreAlike(_ current: Configuration) -> Bool {
        guard !contexts[current.context].isRecording else { return false }
        return alternatives(current).allSatisfy { alternative in
            (expand(alternative.state, .number) ?? []).allSatisfy { shape in
                guard let grid = gridValues[Int(shape)] else { return false }
                return grid.allowsIntegers && grid.isUnbounded(negative: false)
            }
        }
    }

    private func stepNumber(
        _ number: UInt32, _ current: Configuration, _ byte: UInt8, _ text: UInt32
    ) -> ConfigID {
        if byte > UInt8(ascii: "1"), byte <= UInt8(ascii: "9"), !contexts[current.context].isRecording,
            alternatives(current).allSatisfy({ takesDigitsAlike(numberStates[$0.state]) })
        {
            return step(ConfigID(rawValue: number), 0x31)
        }
        var list = WordList()
        for alternative in alternatives(current) {
            let state = numberStates[alternative.state]
            if let next = stepper(state.grid)?.advance(state, byte) {
                list.append(Alternative(state: intern(next), tag: alternative.tag).rawValue)
            }
        }
        if !list.isEmpty { return configuration(.number, 0, list, current.context, text) }
        // The number has ended, and the byte belongs to the frame around it.
        guard endings(after: current.context).contains(byte) else { return .dead }
        let outer = pop(current, current.text) { isComplete(number: $0) }
        return outer.isDead ? .dead : step(outer, byte)
    }

    private func stepString(_ current: Configuration, _ byte: UInt8, _ text: UInt32) -> ConfigID {
        let lexer = StringLexer(rawValue: current.aux)
        let outcome = lexer.read(byte)
        switch outcome {
        case .invalid: return .dead
        case .close:
            return pop(current, text) { isComplete(stringStates[$0]) }
        case .more, .scalar:
            var aux: UInt32 = 0
            if case .more(let next) = outcome { aux = next.rawValue }
            var list = WordList()
            for alternative in alternatives(current) {
                let state = stringStates[alternative.state]
                guard let next = advance(state, byte, outcome) else { continue }
                let number = next == state ? alternative.state : intern(next)
                list.append(Alternative(state: number, tag: alternative.tag).rawValue)
            }
            return configuration(.string, aux, list, current.context, text)
        }
    }

    // MARK: Arrays

    private func stepArray(_ number: UInt32, _ current: Configuration, _ byte: UInt8, _ text: UInt32) -> ConfigID {
        if byte == UInt8(ascii: "]") {
            if isPretty, current.kind == .arrayAfter { return .dead }
            return pop(current, text) { canClose(arrayStates[$0]) }
        }
        switch current.kind {
        case .arrayAfter:
            if byte == UInt8(ascii: ",") {
                return beginElement(current, spacing(current.context, isClosing: false), text)
            }
            guard isPretty, byte == 0x0A else { return .dead }
            let list = kept(current) { canClose(arrayStates[$0]) }
            let aux = spacing(current.context, isClosing: true) & ~Spacing.lineBreak
            return configuration(.arrayClosing, aux, list, current.context, text)
        case .arrayOpen:
            if isPretty {
                guard byte == 0x0A else { return .dead }
                return beginElement(current, spacing(current.context, isClosing: false) & ~Spacing.lineBreak, text)
            }
            let element = firstElement(number, current)
            return element.isDead ? .dead : step(element, byte)
        default: return .dead
        }
    }

    /// The configuration before the first element of an array without white space: the same for each byte that may
    /// come.
    private func firstElement(_ number: UInt32, _ current: Configuration) -> ConfigID {
        if let known = firstElements[number] { return ConfigID(rawValue: known) }
        let element = beginElement(current, 0, current.text)
        firstElements.set(UInt64(number), element.rawValue)
        return element
    }

    /// The configuration before an element.
    private func beginElement(_ current: Configuration, _ aux: UInt32, _ text: UInt32) -> ConfigID {
        var entries: [(node: NodeID, next: Alternative)] = []
        var isUnique = false
        for alternative in alternatives(current) {
            let state = arrayStates[alternative.state]
            let hasUnique = shape(state).isUnique
            if hasUnique { isUnique = true }
            for option in elements(state) where cost(of: option.node) < .infinite {
                var next = option.next
                next.isValueOpen = hasUnique
                let number = intern(next)
                guard arrayCosts[Int(number)] < .infinite else { continue }
                entries.append((option.node, Alternative(state: number, tag: alternative.tag)))
            }
        }
        guard let frame = push(.array, entries, parent: current.context, isUnique: isUnique, text: text) else {
            return .dead
        }
        let isRecording = contexts[frame.context].isRecording
        let start = contexts[current.context].isRecording && isRecording ? text : 0
        return configuration(.value, aux, frame.alternatives, frame.context, start)
    }

    // MARK: Objects

    private func stepObject(_ current: Configuration, _ byte: UInt8, _ text: UInt32) -> ConfigID {
        if byte == UInt8(ascii: "}") {
            if isPretty, current.kind == .objectAfter { return .dead }
            return pop(current, text) { canClose(objectStates[$0]) }
        }
        switch current.kind {
        case .objectAfter:
            if byte == UInt8(ascii: ",") { return beforeKey(current, spacing(current.context, isClosing: false), text) }
            guard isPretty, byte == 0x0A else { return .dead }
            let list = kept(current) { canClose(objectStates[$0]) }
            let aux = spacing(current.context, isClosing: true) & ~Spacing.lineBreak
            return configuration(.objectClosing, aux, list, current.context, text)
        case .objectOpen:
            if isPretty {
                guard byte == 0x0A else { return .dead }
                return beforeKey(current, spacing(current.context, isClosing: false) & ~Spacing.lineBreak, text)
            }
            guard byte == 0x22 else { return .dead }
            return beginKey(current, text)
        default: return .dead
        }
    }

    /// The alternatives whose states pass a test.
    private func kept(_ current: Configuration, _ test: (UInt32) -> Bool) -> WordList {
        var list = WordList()
        for alternative in alternatives(current) where test(alternative.state) { list.append(alternative.rawValue) }
        return list
    }

    /// The configuration before a key, for the alternatives that allow one.
    private func beforeKey(_ current: Configuration, _ aux: UInt32, _ text: UInt32) -> ConfigID {
        let list = kept(current) { canHaveMember($0) }
        return configuration(.keyStart, aux, list, current.context, text)
    }

    /// The configuration after the opening quote of a key.
    private func beginKey(_ current: Configuration, _ text: UInt32) -> ConfigID {
        let context = current.context
        var keys = WordList()
        for alternative in alternatives(current) {
            let state = objectStates[alternative.state]
            guard let shape = shape(state) else { continue }
            let named = KeyState(object: alternative.state, position: shape.spellings.root)
            if isViable(key: named) {
                keys.append(Alternative(state: keyStates.intern(named), tag: alternative.tag).rawValue)
            }
            guard allowsAnonymous(state) else { continue }
            for (index, kind) in anonymousKeys(shape).enumerated() {
                guard valueCost(object: alternative.state, kind: index) < .infinite else { continue }
                guard let key = beginKey(alternative.state, state, index, kind) else { continue }
                keys.append(Alternative(state: keyStates.intern(key), tag: alternative.tag).rawValue)
            }
        }
        return configuration(.key, 0, keys, context, contexts[context].isRecording ? text : 0)
    }

    private func stepKey(_ current: Configuration, _ byte: UInt8, _ recorded: UInt32) -> ConfigID {
        let lexer = StringLexer(rawValue: current.aux)
        let outcome = lexer.read(byte)
        var aux: UInt32 = 0
        switch outcome {
        case .invalid: return .dead
        case .close: return endKey(current, recorded)
        case .more(let next): aux = next.rawValue
        case .scalar: break
        }
        var keys = WordList()
        var hasAnonymous = false
        for alternative in alternatives(current) {
            let key = keyStates[alternative.state]
            var next = key
            if key.kind < 0 {
                guard let shape = shape(objectStates[key.object]) else { continue }
                next.position = shape.spellings.advance(key.position, byte)
                if next.position.isEmpty || !isViable(key: next) { continue }
            } else {
                guard let string = advance(key.string, byte, outcome) else { continue }
                next.string = string
                if !key.position.isEmpty {
                    let object = objectStates[key.object]
                    next.position = usedTexts(object.used).advance(key.position, byte)
                    guard isOpen(next, StringLexer(rawValue: aux)) else { continue }
                }
                hasAnonymous = true
            }
            let number = next == key ? alternative.state : keyStates.intern(next)
            keys.append(Alternative(state: number, tag: alternative.tag).rawValue)
        }
        let isRecording = contexts[current.context].isRecording
        // The spelling of a key without a name must be kept, so that it cannot come twice.
        let text = isRecording ? recorded : hasAnonymous ? self.text(current.text, byte) : 0
        return configuration(.key, aux, keys, current.context, text)
    }

    /// The configuration after the closing quote of a key; with `asFresh`, after a key without a name that leaves no
    /// trace.
    func endKey(_ current: Configuration, _ text: UInt32, asFresh: Bool = false) -> ConfigID {
        var entries: [(node: NodeID, next: Alternative)] = []
        var spelled: [UInt8]?
        for alternative in alternatives(current) {
            let key = keyStates[alternative.state]
            let state = objectStates[key.object]
            guard let shape = shape(state) else { continue }
            var options: [MemberOption] = []
            if asFresh {
                if key.kind < 0 { continue }
                options = self.options(state, anonymous: anonymousKeys(shape)[Int(key.kind)], taking: [])
            } else if key.kind < 0 {
                guard shape.spellings.isComplete(key.position) else { continue }
                let index = shape.order[Int(key.position.low)]
                guard offers(state, shape, index) else { continue }
                options = self.options(state, named: index)
            } else {
                guard isComplete(key.string), !isUsed(key) else { continue }
                let spelling = spelled ?? lastKey(current.text)
                spelled = spelling
                options = self.options(
                    state, anonymous: anonymousKeys(shape)[Int(key.kind)], taking: [StringSpelling.unescaped(spelling)])
            }
            for option in options where cost(of: option.node) < .infinite {
                let next = intern(option.next)
                guard objectCosts[Int(next)] < .infinite else { continue }
                entries.append((option.node, Alternative(state: next, tag: alternative.tag)))
            }
        }
        guard let frame = push(.object, entries, parent: current.context, isUnique: false, text: text) else {
            return .dead
        }
        return configuration(.colon, 0, frame.alternatives, frame.context, text)
    }

    // MARK: Hints

    /// The bytes that may come next, perhaps more.
    func candidates(_ number: UInt32) -> ByteSet {
        let current = configurations[number]
        var set = ByteSet()
        switch current.kind {
        case .dead, .done: return set
        case .literal:
            set.insert(Self.literals[Int(current.aux >> 8)][Int(current.aux & 0xFF)])
            return set
        case .string:
            let lexer = StringLexer(rawValue: current.aux)
            for alternative in alternatives(current) {
                set.formUnion(candidates(stringStates[alternative.state], lexer))
            }
            return set
        case .key:
            let lexer = StringLexer(rawValue: current.aux)
            for alternative in alternatives(current) {
                let key = keyStates[alternative.state]
                if key.kind >= 0 {
                    set.formUnion(candidates(key.string, lexer))
                } else if let shape = shape(objectStates[key.object]) {
                    set.formUnion(shape.spellings.nextBytes(key.position))
                    set.insert(0x22)
                }
            }
            return set
        case .number:
            for alternative in alternatives(current) {
                let state = numberStates[alternative.state]
                if let stepper = stepper(state.grid) { set.formUnion(stepper.candidates(state)) }
            }
            set.formUnion(endings(after: current.context))
            return set
        case .value: set = Self.valueBytes
        case .arrayOpen: set = Self.elementBytes
        case .arrayAfter, .arrayClosing: set = Self.afterElementBytes
        case .objectOpen, .keyStart: set = Self.memberBytes
        case .objectAfter, .objectClosing: set = Self.afterMemberBytes
        case .colon: set.insert(UInt8(ascii: ":"))
        }
        set.formUnion(spaces)
        return set
    }

    /// Whether a byte is out of the question at sight: cheaper to see again than to remember.
    @inline(__always)
    func isRefused(_ current: Configuration, _ byte: UInt8) -> Bool {
        guard case .compact = profile.whitespace else { return false }
        switch current.kind {
        case .dead, .done: return true
        case .colon: return byte != 0x3A
        case .objectAfter, .objectClosing: return byte != 0x2C && byte != 0x7D
        case .arrayAfter, .arrayClosing: return byte != 0x2C && byte != 0x5D
        case .objectOpen, .keyStart: return byte != 0x22 && byte != 0x7D
        case .value: return !Self.valueBytes.contains(byte)
        case .arrayOpen: return !Self.elementBytes.contains(byte)
        case .literal, .number, .string, .key: return false
        }
    }

    private static let valueBytes = ByteSet("\"{[-0123456789ntf".utf8)
    private static let elementBytes = ByteSet("\"{[-0123456789ntf]".utf8)
    private static let afterElementBytes = ByteSet(",]".utf8)
    private static let memberBytes = ByteSet("\"}".utf8)
    private static let afterMemberBytes = ByteSet(",}".utf8)
    private static let anySpace = ByteSet(" \n\r\t".utf8)
    private static let onlySpace = ByteSet(" ".utf8)
    private static let lineSpace = ByteSet(" \n".utf8)

    /// The white space that the profile has.
    private var spaces: ByteSet {
        switch profile.whitespace {
        case .compact: ByteSet()
        case .spaced: Self.onlySpace
        case .pretty: Self.lineSpace
        case .flexible: Self.anySpace
        }
    }

    /// The bytes that may end a number inside of a frame.
    private func endings(after context: UInt32) -> ByteSet {
        var set: ByteSet
        switch contexts[context].kind {
        case .root: return ByteSet()
        case .array: set = Self.afterElementBytes
        case .object: set = Self.afterMemberBytes
        }
        set.formUnion(spaces)
        return set
    }

    /// Bytes that are likely to be next on a shortest completion.
    func witnessHints(_ number: UInt32) -> [UInt8] {
        switch configurations[number].kind {
        case .value: Array("0\"[{ntf1".utf8)
        case .string, .key: Array("\"a0".utf8)
        case .number: Array("]},0123456789".utf8)
        case .arrayOpen, .arrayAfter, .objectOpen, .objectAfter, .arrayClosing, .objectClosing:
            Array("]},0".utf8)
        case .keyStart: [0x22]
        case .colon: [0x3A]
        default: []
        }
    }
}
