// SPDX-License-Identifier: Apache-2.0

/// A recursive-descent parser of ECMA-262 regular expressions over Unicode scalars.
struct PatternParser {
    /// How much beyond the grammar of the `u` flag is accepted.
    enum Mode {
        /// What browsers accept without the `u` flag, where the meaning is plain.
        case tolerant
        /// As `tolerant`, and back-references are accepted (and lost in the tree): for checking the syntax only.
        case syntaxOnly
    }

    static let maximumDepth = 200
    static let maximumLength = 100_000

    let scalars: [Unicode.Scalar]
    let mode: Mode
    var flags: PatternFlags
    var position = 0
    var depth = 0
    var groupCount = 0
    var groupNames: Set<String> = []
    var namedReferences: [(name: String, offset: Int)] = []
    var numericReferences: [(number: Int, offset: Int)] = []

    init(_ source: String, mode: Mode, flags: PatternFlags = []) {
        scalars = Array(source.unicodeScalars)
        self.mode = mode
        self.flags = flags
    }

    // MARK: Cursor

    var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    func peek(_ distance: Int) -> Unicode.Scalar? {
        let index = position + distance
        return index < scalars.count ? scalars[index] : nil
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        position += 1
        return true
    }

    mutating func takeText(_ text: StaticString) -> Bool {
        var distance = 0
        let matches = text.withUTF8Buffer { bytes in
            for byte in bytes {
                guard peek(distance)?.value == UInt32(byte) else { return false }
                distance += 1
            }
            return true
        }
        if matches { position += distance }
        return matches
    }

    func syntaxError(_ message: String, at offset: Int? = nil) -> PatternError {
        PatternError(code: .syntax, message: message, offset: offset ?? position)
    }

    func unsupported(_ feature: String, _ message: String, at offset: Int) -> PatternError {
        PatternError(code: .unsupported(feature: feature), message: message, offset: offset)
    }

    // MARK: Grammar

    mutating func parse() throws(PatternError) -> PatternNode {
        guard scalars.count <= Self.maximumLength else {
            throw PatternError(code: .tooComplex, message: "the pattern is longer than \(Self.maximumLength) scalars")
        }
        let node = try parseDisjunction()
        if current == ")" { throw syntaxError("unmatched ')'") }
        try checkReferences()
        return node
    }

    private func checkReferences() throws(PatternError) {
        for (name, offset) in namedReferences where !groupNames.contains(name) {
            throw syntaxError("there is no group named '\(name)'", at: offset)
        }
        for (number, offset) in numericReferences where number > groupCount {
            throw syntaxError("there is no group \(number)", at: offset)
        }
        let first = [namedReferences.first?.offset, numericReferences.first?.offset].compactMap(\.self).min()
        if mode != .syntaxOnly, let first {
            throw unsupported("back-reference", "back-references are not supported", at: first)
        }
    }

    private mutating func parseDisjunction() throws(PatternError) -> PatternNode {
        var branches: [PatternNode] = [try parseAlternative()]
        while take("|") { branches.append(try parseAlternative()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func parseAlternative() throws(PatternError) -> PatternNode {
        var terms: [PatternNode] = []
        while let scalar = current, scalar != "|", scalar != ")" { terms.append(try parseTerm()) }
        return terms.count == 1 ? terms[0] : .sequence(terms)
    }

    private mutating func parseTerm() throws(PatternError) -> PatternNode {
        let start = position
        let (atom, quantifiable) = try parseAtom()
        guard let (min, max) = try parseQuantifier() else { return atom }
        guard quantifiable else { throw syntaxError("nothing to repeat", at: start) }
        if let max, max < min { throw syntaxError("the bounds of the quantifier are out of order", at: start) }
        return .repeated(atom, min: min, max: max)
    }

    /// One atom or assertion, and whether a quantifier may follow.
    private mutating func parseAtom() throws(PatternError) -> (PatternNode, Bool) {
        guard let scalar = current else { throw syntaxError("unexpected end") }
        switch scalar {
        case "^":
            position += 1
            return (.start, false)
        case "$":
            position += 1
            return (.end, false)
        case ".":
            position += 1
            let dot = flags.contains(.dotAll) ? .all : flags.contains(.lineFeedOnly) ? ScalarSet(0x0A).complement : .dot
            return (.set(dot), true)
        case "(":
            return try parseGroup()
        case "[":
            return (.set(try parseClass()), true)
        case "\\":
            return try parseAtomEscape()
        case "*", "+", "?":
            throw syntaxError("nothing to repeat")
        case "{":
            let start = position
            if try parseBraces() != nil { throw syntaxError("nothing to repeat", at: start) }
            position += 1
            return (.set(ScalarSet(scalar.value)), true)
        default:
            position += 1
            return (.set(folded(ScalarSet(scalar.value))), true)
        }
    }

    private mutating func parseGroup() throws(PatternError) -> (PatternNode, Bool) {
        let start = position
        position += 1
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw PatternError(code: .tooComplex, message: "groups are nested too deeply", offset: start)
        }
        var look: (behind: Bool, negated: Bool)?
        let outer = flags
        defer { flags = outer }
        if take("?") {
            if take(":") {
            } else if take("=") {
                look = (false, false)
            } else if take("!") {
                look = (false, true)
            } else if takeText("<=") {
                look = (true, false)
            } else if takeText("<!") {
                look = (true, true)
            } else if take("<") {
                let name = try parseGroupName()
                guard groupNames.insert(name).inserted else {
                    throw syntaxError("the group name '\(name)' is used twice", at: start)
                }
                groupCount += 1
            } else if try parseModifiers(start) {
            } else {
                throw syntaxError("invalid group", at: start)
            }
        } else {
            groupCount += 1
        }
        let body = try parseDisjunction()
        guard take(")") else { throw syntaxError("missing ')'", at: start) }
        guard let look else { return (body, true) }
        return (.look(behind: look.behind, negated: look.negated, body), !look.behind)
    }

    /// `i:` and the like after `(?`.
    private mutating func parseModifiers(_ start: Int) throws(PatternError) -> Bool {
        var distance = 0
        while let scalar = peek(distance), "ims-".unicodeScalars.contains(scalar) { distance += 1 }
        guard distance > 0, peek(distance) == ":" else { return false }
        guard flags.contains(.modifiers) else {
            throw unsupported("modifiers", "inline flags are not supported", at: start)
        }
        var isSet = true
        while let scalar = current, scalar != ":" {
            position += 1
            switch scalar {
            case "-": isSet = false
            case "i": flags.set(.ignoreCase, to: isSet)
            case "s": flags.set(.dotAll, to: isSet)
            default: throw unsupported("modifiers", "the inline flag '\(scalar)' is not supported", at: start)
            }
        }
        position += 1
        return true
    }

    /// The set with the other cases of its scalars, where case is ignored.
    func folded(_ set: ScalarSet) -> ScalarSet {
        flags.contains(.ignoreCase) ? set.ignoringCase : set
    }

    private mutating func parseGroupName() throws(PatternError) -> String {
        let start = position
        var name = String.UnicodeScalarView()
        while let scalar = current, scalar != ">" {
            position += 1
            guard scalar.properties.isIDContinue || scalar == "$" || scalar == "_" else {
                throw syntaxError("invalid group name", at: start)
            }
            name.append(scalar)
        }
        guard take(">"), let first = name.first, first.properties.isIDStart || first == "$" || first == "_" else {
            throw syntaxError("invalid group name", at: start)
        }
        return String(name)
    }

    // MARK: Quantifiers

    private mutating func parseQuantifier() throws(PatternError) -> (min: Int, max: Int?)? {
        let bounds: (min: Int, max: Int?)
        switch current {
        case "*":
            position += 1
            bounds = (0, nil)
        case "+":
            position += 1
            bounds = (1, nil)
        case "?":
            position += 1
            bounds = (0, 1)
        case "{":
            guard let braces = try parseBraces() else { return nil }
            bounds = braces
        default:
            return nil
        }
        let start = position
        if take("?"), flags.contains(.plainQuantifiers) {
            throw unsupported(
                "lazy quantifier", "quantifiers that match as little as possible are not supported", at: start)
        }
        return bounds
    }

    /// `{m}`, `{m,}` or `{m,n}`; nil, without moving, for any other text, which stands for itself.
    private mutating func parseBraces() throws(PatternError) -> (min: Int, max: Int?)? {
        let start = position
        guard take("{") else { return nil }
        guard let min = parseInteger() else {
            position = start
            return nil
        }
        var max: Int? = min
        if take(",") { max = current == "}" ? nil : parseInteger() ?? -1 }
        guard max != -1, take("}") else {
            position = start
            return nil
        }
        return (min, max)
    }

    /// A decimal integer, saturating far beyond any useful count.
    mutating func parseInteger() -> Int? {
        var value: Int?
        while let scalar = current, ("0"..."9").contains(scalar) {
            value = Swift.min((value ?? 0) * 10 + Int(scalar.value - 48), 1 << 30)
            position += 1
        }
        return value
    }
}
