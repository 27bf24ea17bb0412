// SPDX-License-Identifier: Apache-2.0

package import Documents
import Patterns

/// Reads grammars in GBNF, the notation of llama.cpp.
///
///     let grammar = try GBNF.read(Array("root ::= \"yes\" | \"no\"".utf8), file: "answer.gbnf")
///
/// Everything that depends on text is supported, left recursion included. Terminals that name tokens of a vocabulary
/// are refused: the grammar is about text.
package enum GBNF {
    /// Reads a grammar; its start is the rule `root`.
    ///
    /// - Throws: All problems, each with its place: `grammar.syntax`, `grammar.unsupported-token`,
    ///   `grammar.undefined-rule`, `grammar.duplicate-rule`, `grammar.missing-start`, `grammar.too-complex`.
    package static func read(
        _ bytes: [UInt8], file: String? = nil, limits: GrammarLimits = GrammarLimits()
    ) throws(DiagnosticsError) -> Grammar {
        var parser = GBNFParser(try GrammarScanner(bytes, file: file, limits: limits))
        return try parser.parse()
    }
}

private struct GBNFParser {
    private typealias Failure = GrammarScanner.Failure

    private var scanner: GrammarScanner
    private var numbers: [String: Int] = [:]
    private var names: [String] = []
    private var bodies: [GrammarNode?] = []
    private var definitions: [SourceRange?] = []
    /// Where each rule is mentioned first.
    private var mentions: [Range<Int>?] = []

    init(_ scanner: GrammarScanner) { self.scanner = scanner }

    private mutating func number(_ name: String) -> Int {
        if let known = numbers[name] { return known }
        numbers[name] = names.count
        names.append(name)
        bodies.append(nil)
        definitions.append(nil)
        mentions.append(nil)
        return names.count - 1
    }

    mutating func parse() throws(DiagnosticsError) -> Grammar {
        skipSpace(lines: true)
        while scanner.current != nil {
            do throws(Failure) {
                try parseRule()
            } catch {
                recover()
            }
            skipSpace(lines: true)
        }
        let isComplete = scanner.problems.isEmpty
        for rule in names.indices where definitions[rule] == nil {
            guard let place = mentions[rule] else { continue }
            scanner.report(
                "grammar.undefined-rule", "there is no rule '\(names[rule])'", from: place.lowerBound,
                to: place.upperBound)
        }
        guard let start = numbers["root"], definitions[start] != nil else {
            if isComplete {
                scanner.report(
                    "grammar.missing-start", "there is no rule 'root', which says what the whole text is", from: 0,
                    to: 0)
            }
            throw DiagnosticsError(scanner.problems, sources: [scanner.source])
        }
        if !scanner.problems.isEmpty { throw DiagnosticsError(scanner.problems, sources: [scanner.source]) }
        var grammar = Grammar()
        for rule in names.indices {
            _ = grammar.add(names[rule], bodies[rule] ?? .empty, range: definitions[rule])
        }
        grammar.start = start
        grammar.sources = [scanner.source]
        return grammar
    }

    /// Goes to the next line that begins a rule.
    private mutating func recover() {
        scanner.depth = 0
        while let byte = scanner.current {
            scanner.position += 1
            guard byte == 0x0A || byte == 0x0D else { continue }
            let mark = scanner.position
            if takeName() != nil {
                skipSpace(lines: false)
                let isRule = scanner.take("::=")
                scanner.position = mark
                if isRule { return }
            }
            scanner.position = mark
        }
    }

    // MARK: Space and names

    /// Skips blanks and comments, and line ends where they do not end a rule.
    private mutating func skipSpace(lines: Bool) {
        while let byte = scanner.current {
            switch byte {
            case 0x20, 0x09: scanner.position += 1
            case 0x0A, 0x0D:
                guard lines else { return }
                scanner.position += 1
            case UInt8(ascii: "#"):
                while let byte = scanner.current, byte != 0x0A, byte != 0x0D { scanner.position += 1 }
            default: return
            }
        }
    }

    private static func isWord(_ byte: UInt8?) -> Bool {
        switch byte {
        case .some(0x30...0x39), .some(0x41...0x5A), .some(0x61...0x7A), .some(0x2D), .some(0x5F): true
        default: false
        }
    }

    private mutating func takeName() -> String? {
        let start = scanner.position
        while Self.isWord(scanner.current) { scanner.position += 1 }
        return start == scanner.position ? nil : scanner.text(from: start)
    }

    // MARK: Rules

    private mutating func parseRule() throws(Failure) {
        let start = scanner.position
        guard let name = takeName() else {
            throw scanner.fail("expected the name of a rule, found \(scanner.shown)")
        }
        let range = scanner.range(start)
        skipSpace(lines: false)
        guard scanner.take("::=") else { throw scanner.fail("expected '::=', found \(scanner.shown)") }
        skipSpace(lines: true)
        let rule = number(name)
        let isNew = definitions[rule] == nil
        if isNew {
            definitions[rule] = range
        } else {
            scanner.report(
                "grammar.duplicate-rule", "the rule '\(name)' is defined twice", from: start,
                to: start + name.utf8.count, notes: [.note("first defined here", range: definitions[rule])])
        }
        let body = try parseAlternatives(isNested: false)
        switch scanner.current {
        case nil, 0x0A, 0x0D: break
        default: throw scanner.fail("expected the end of the rule, found \(scanner.shown)")
        }
        if isNew { bodies[rule] = body }
    }

    private mutating func parseAlternatives(isNested: Bool) throws(Failure) -> GrammarNode {
        var branches = [try parseSequence(isNested: isNested)]
        while scanner.take(UInt8(ascii: "|")) {
            skipSpace(lines: true)
            branches.append(try parseSequence(isNested: isNested))
        }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func parseSequence(isNested: Bool) throws(Failure) -> GrammarNode {
        var nodes: [GrammarNode] = []
        while let node = try parseAtom(isNested: isNested) {
            var node = node
            skipSpace(lines: isNested)
            while let (least, most) = try parseRepetition() {
                node = .repeated(node, min: least, max: most)
                skipSpace(lines: isNested)
            }
            nodes.append(node)
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    /// One element; nil where the sequence ends.
    private mutating func parseAtom(isNested: Bool) throws(Failure) -> GrammarNode? {
        let start = scanner.position
        switch scanner.current {
        case UInt8(ascii: "\""):
            return try parseLiteral()
        case UInt8(ascii: "["):
            return .set(try parseClass())
        case UInt8(ascii: "."):
            scanner.position += 1
            return .set(.all)
        case UInt8(ascii: "("):
            scanner.position += 1
            try scanner.enter(start)
            skipSpace(lines: true)
            let body = try parseAlternatives(isNested: true)
            guard scanner.take(UInt8(ascii: ")")) else {
                throw scanner.fail("expected ')', found \(scanner.shown)")
            }
            scanner.leave()
            return body
        case UInt8(ascii: "<"), UInt8(ascii: "!"):
            while let byte = scanner.current, byte != UInt8(ascii: ">"), byte != 0x0A { scanner.position += 1 }
            _ = scanner.take(UInt8(ascii: ">"))
            throw scanner.refuse(
                "token", "the token '\(scanner.text(from: start))' is not supported: a grammar is about text",
                from: start, help: "write the text of the token as a literal")
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
            throw scanner.fail("there is nothing to repeat", at: start)
        default:
            guard let name = takeName() else { return nil }
            let rule = number(name)
            if mentions[rule] == nil { mentions[rule] = start..<scanner.position }
            return .rule(rule)
        }
    }

    private mutating func parseRepetition() throws(Failure) -> (Int, Int?)? {
        let start = scanner.position
        switch scanner.current {
        case UInt8(ascii: "*"):
            scanner.position += 1
            return (0, nil)
        case UInt8(ascii: "+"):
            scanner.position += 1
            return (1, nil)
        case UInt8(ascii: "?"):
            scanner.position += 1
            return (0, 1)
        case UInt8(ascii: "{"):
            scanner.position += 1
            skipSpace(lines: false)
            guard let least = scanner.takeNumber() else {
                throw scanner.fail("expected a number, found \(scanner.shown)")
            }
            skipSpace(lines: false)
            var most: Int? = least
            if scanner.take(UInt8(ascii: ",")) {
                skipSpace(lines: false)
                most = scanner.takeNumber()
                skipSpace(lines: false)
            }
            guard scanner.take(UInt8(ascii: "}")) else {
                throw scanner.fail("expected '}', found \(scanner.shown)")
            }
            try scanner.checkBounds(least, most, from: start)
            return (least, most)
        default:
            return nil
        }
    }

    // MARK: Characters

    private mutating func parseLiteral() throws(Failure) -> GrammarNode {
        let start = scanner.position
        scanner.position += 1
        var bytes: [UInt8] = []
        while true {
            guard let byte = scanner.current else {
                scanner.report("grammar.syntax", "the literal has no end", from: start, to: start + 1)
                throw Failure()
            }
            if byte == UInt8(ascii: "\"") { break }
            bytes += String.utf8(try parseCharacter()) ?? []
        }
        scanner.position += 1
        return .bytes(bytes)
    }

    private mutating func parseClass() throws(Failure) -> ScalarSet {
        let start = scanner.position
        scanner.position += 1
        let isNegated = scanner.take(UInt8(ascii: "^"))
        var ranges: [ScalarSet.Range] = []
        while true {
            guard let byte = scanner.current else {
                scanner.report("grammar.syntax", "the class of characters has no end", from: start, to: start + 1)
                throw Failure()
            }
            if byte == UInt8(ascii: "]") { break }
            let itemStart = scanner.position
            let low = try parseCharacter()
            var high = low
            if scanner.current == UInt8(ascii: "-"), let next = scanner.peek(1), next != UInt8(ascii: "]") {
                scanner.position += 1
                high = try parseCharacter()
            }
            guard low <= high else { throw scanner.fail("the range is out of order", at: itemStart) }
            ranges.append(ScalarSet.Range(low, high))
        }
        scanner.position += 1
        let set = ScalarSet(ranges)
        let result = isNegated ? set.complement : set
        guard !result.isEmpty else { throw scanner.fail("the class has no characters", at: start) }
        return result
    }

    private mutating func parseCharacter() throws(Failure) -> UInt32 {
        let start = scanner.position
        guard scanner.take(UInt8(ascii: "\\")) else { return scanner.takeScalar() ?? 0 }
        let value: UInt32?
        switch scanner.current {
        case UInt8(ascii: "x"):
            scanner.position += 1
            value = scanner.takeHex(2)
        case UInt8(ascii: "u"):
            scanner.position += 1
            value = scanner.takeHex(4)
        case UInt8(ascii: "U"):
            scanner.position += 1
            value = scanner.takeHex(8)
        case UInt8(ascii: "t"): value = 0x09
        case UInt8(ascii: "r"): value = 0x0D
        case UInt8(ascii: "n"): value = 0x0A
        case .some(let byte) where Array("\\\"[]-".utf8).contains(byte): value = UInt32(byte)
        default:
            throw scanner.fail("unknown escape", at: start, help: #"escapes are \n \r \t \\ \" \[ \] \- \x \u \U"#)
        }
        guard let value else { throw scanner.fail("the escape has too few hexadecimal digits", at: start) }
        if scanner.position == start + 1 { scanner.position += 1 }
        guard Unicode.Scalar(value) != nil else { throw scanner.fail("the escape is no Unicode character", at: start) }
        return value
    }
}
