// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

/// A recursive-descent parser of Lark grammars that goes on behind a line with a problem.
struct LarkParser {
    typealias Failure = GrammarScanner.Failure

    var scanner: GrammarScanner
    let registry: SchemaRegistry
    private(set) var definitions: [LarkDefinition] = []
    private(set) var ignored: [LarkExpression] = []
    /// By imported name: the common terminal it stands for.
    private(set) var imports: [String: String] = [:]
    private(set) var options = LarkOptions()
    private(set) var documents: [Grammar.Document] = []
    /// Problems in embedded schemas.
    private(set) var schemaProblems: [Diagnostic] = []
    private(set) var warnings: [Diagnostic] = []

    init(_ scanner: GrammarScanner, registry: SchemaRegistry) {
        self.scanner = scanner
        self.registry = registry
    }

    // MARK: Space and names

    /// Skips blanks and comments, and line ends where they mean nothing.
    mutating func skipSpace(lines: Bool) {
        while let byte = scanner.current {
            switch byte {
            case 0x20, 0x09: scanner.position += 1
            case 0x0A, 0x0D:
                guard lines else { return }
                scanner.position += 1
            case UInt8(ascii: "#"): skipLine()
            case UInt8(ascii: "/") where scanner.peek(1) == UInt8(ascii: "/"): skipLine()
            default: return
            }
        }
    }

    private mutating func skipLine() {
        while let byte = scanner.current, byte != 0x0A, byte != 0x0D { scanner.position += 1 }
    }

    private static func isLower(_ byte: UInt8?) -> Bool { byte.map { (0x61...0x7A).contains($0) } ?? false }
    private static func isUpper(_ byte: UInt8?) -> Bool { byte.map { (0x41...0x5A).contains($0) } ?? false }

    /// A name of a rule or terminal; nil, without moving, where there is none.
    mutating func takeName() -> String? {
        let start = scanner.position
        var first = 0
        while scanner.peek(first) == UInt8(ascii: "_") { first += 1 }
        let letter = scanner.peek(first)
        guard Self.isLower(letter) || Self.isUpper(letter) else { return nil }
        let isTerminal = Self.isUpper(letter)
        scanner.position += first
        while let byte = scanner.current {
            let isLetter = isTerminal ? Self.isUpper(byte) : Self.isLower(byte)
            guard
                isLetter || GrammarScanner.isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                    && scanner.peek(1) != UInt8(ascii: ">")
            else { break }
            scanner.position += 1
        }
        return scanner.text(from: start)
    }

    static func isTerminal(_ name: String) -> Bool { isUpper(name.utf8.first { $0 != UInt8(ascii: "_") }) }

    // MARK: Lines

    mutating func parseFile() {
        skipSpace(lines: true)
        while scanner.current != nil {
            do throws(Failure) {
                try parseItem()
            } catch {
                recover()
            }
            skipSpace(lines: true)
        }
    }

    /// Goes to the next line that does not begin with a blank or with `|`.
    private mutating func recover() {
        scanner.depth = 0
        while let byte = scanner.current {
            scanner.position += 1
            guard byte == 0x0A else { continue }
            switch scanner.current {
            case nil, 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "]"),
                UInt8(ascii: ")"):
                continue
            default: return
            }
        }
    }

    private mutating func parseItem() throws(Failure) {
        if scanner.current == UInt8(ascii: "%") {
            try parseStatement()
        } else {
            try parseDefinition()
        }
        skipSpace(lines: false)
        switch scanner.current {
        case nil, 0x0A, 0x0D: break
        default: throw scanner.fail("expected the end of the line, found \(scanner.shown)")
        }
    }

    private mutating func parseDefinition() throws(Failure) {
        let start = scanner.position
        // These only shape the tree that Lark would build.
        _ = scanner.take(UInt8(ascii: "!"))
        _ = scanner.take(UInt8(ascii: "?"))
        let nameStart = scanner.position
        guard let name = takeName() else {
            scanner.position = start
            throw scanner.fail("expected a rule, a terminal or a directive, found \(scanner.shown)")
        }
        let place = nameStart..<scanner.position
        if scanner.current == UInt8(ascii: "{") || scanner.take("::") {
            throw scanner.refuse("template", "templates and parametric rules are not supported", from: start)
        }
        if scanner.current == UInt8(ascii: ".") {
            let dot = scanner.position
            scanner.position += 1
            _ = scanner.take(UInt8(ascii: "-"))
            _ = scanner.takeNumber()
            throw scanner.refuse(
                "priority", "the priority of '\(name)' is not supported: all ways to read a text count alike",
                from: dot)
        }
        var definition = LarkDefinition(
            name: name, place: place, body: LarkExpression(kind: .sequence([]), place: place))
        var suffix: LarkExpression?
        skipSpace(lines: false)
        if scanner.current == UInt8(ascii: "[") { suffix = try parseAttributes(&definition) }
        skipSpace(lines: false)
        guard scanner.take(UInt8(ascii: ":")) else { throw scanner.fail("expected ':', found \(scanner.shown)") }
        definition.body = try parseExpansions(isNested: false)
        if let suffix {
            definition.body = LarkExpression(kind: .sequence([definition.body, suffix]), place: definition.body.place)
        }
        definitions.append(definition)
    }

    /// `[lazy, suffix="…"]`; returns the suffix.
    private mutating func parseAttributes(_ definition: inout LarkDefinition) throws(Failure) -> LarkExpression? {
        scanner.position += 1
        var suffix: LarkExpression?
        while true {
            skipSpace(lines: true)
            if scanner.take(UInt8(ascii: "]")) { return suffix }
            let start = scanner.position
            guard let name = takeName() else { throw scanner.fail("expected an attribute, found \(scanner.shown)") }
            switch name {
            case "lazy": definition.isLazy = true
            case "suffix":
                skipSpace(lines: false)
                guard scanner.take(UInt8(ascii: "=")) else { throw scanner.fail("expected '='") }
                skipSpace(lines: false)
                suffix = try parseAtom(isNested: true)
                guard suffix != nil else { throw scanner.fail("expected a terminal, found \(scanner.shown)") }
                definition.isLazy = true
            default:
                throw scanner.refuse("attribute", "the attribute '\(name)' is not supported", from: start)
            }
            skipSpace(lines: true)
            guard scanner.take(UInt8(ascii: ",")) || scanner.current == UInt8(ascii: "]") else {
                throw scanner.fail("expected ',' or ']', found \(scanner.shown)")
            }
        }
    }

    // MARK: Directives

    private mutating func parseStatement() throws(Failure) {
        let start = scanner.position
        scanner.position += 1
        guard let name = takeName() else { throw scanner.fail("expected a directive, found \(scanner.shown)") }
        skipSpace(lines: false)
        switch name {
        case "ignore": ignored.append(try parseExpansions(isNested: false))
        case "import": try parseImport()
        case "llguidance": try parseOptions()
        default:
            throw scanner.refuse("directive", "the directive '%\(name)' is not supported", from: start)
        }
    }

    private mutating func parseImport() throws(Failure) {
        let start = scanner.position
        guard takeName() == "common" else {
            while let byte = scanner.current, byte != 0x0A { scanner.position += 1 }
            throw scanner.refuse("import", "only terminals of 'common' can be imported", from: start)
        }
        skipSpace(lines: false)
        if scanner.take(UInt8(ascii: "(")) {
            while true {
                skipSpace(lines: true)
                try parseImportedName(alias: false)
                skipSpace(lines: true)
                if scanner.take(UInt8(ascii: ")")) { return }
                guard scanner.take(UInt8(ascii: ",")) else {
                    throw scanner.fail("expected ',' or ')', found \(scanner.shown)")
                }
            }
        }
        guard scanner.take(UInt8(ascii: ".")) else { throw scanner.fail("expected '.', found \(scanner.shown)") }
        try parseImportedName(alias: true)
    }

    private mutating func parseImportedName(alias: Bool) throws(Failure) {
        let start = scanner.position
        guard let name = takeName() else { throw scanner.fail("expected a name, found \(scanner.shown)") }
        let end = scanner.position
        guard LarkCommon.terminals[name] != nil else {
            scanner.report(
                "grammar.undefined-rule", "'common' has no terminal '\(name)'", from: start, to: end,
                help: "it has " + LarkCommon.terminals.keys.sorted().joined(separator: ", "))
            throw Failure()
        }
        var imported = name
        skipSpace(lines: false)
        if alias, scanner.take("->") {
            skipSpace(lines: false)
            guard let other = takeName() else { throw scanner.fail("expected a name, found \(scanner.shown)") }
            imported = other
        }
        imports[imported] = name
    }

    private mutating func parseOptions() throws(Failure) {
        let start = scanner.position
        guard let document = parseJSON() else { throw Failure() }
        guard case .object(let object) = document.root.value else {
            throw scanner.fail("expected an object with options", at: start)
        }
        for (name, value) in object {
            switch (name, value) {
            case ("allow_initial_skip", .bool(let isSet)): options.skipsAtStart = isSet
            case ("skip_repetition", .string("once")): options.skipsOnce = true
            case ("skip_repetition", .string("repeat")): options.skipsOnce = false
            // It only tells how the other engine saves time.
            case ("no_forcing", .bool): break
            default:
                throw scanner.refuse("option", "the option '\(name)' is not supported with this value", from: start)
            }
        }
    }

    // MARK: Expressions

    mutating func parseExpansions(isNested: Bool) throws(Failure) -> LarkExpression {
        let start = scanner.position
        var branches: [LarkExpression] = []
        repeat {
            branches.append(try parseConjunction(isNested: isNested))
            skipSpace(lines: isNested)
            if scanner.take("->") {
                // An alias only names a branch of the tree that Lark would build.
                skipSpace(lines: false)
                guard takeName() != nil else { throw scanner.fail("expected a name, found \(scanner.shown)") }
            }
        } while takeBar(isNested: isNested)
        let place = start..<max(start, scanner.position)
        return branches.count == 1 ? branches[0] : LarkExpression(kind: .choice(branches), place: place)
    }

    /// Takes a `|`, which may stand at the beginning of a later line.
    private mutating func takeBar(isNested: Bool) -> Bool {
        let mark = scanner.position
        skipSpace(lines: true)
        if scanner.take(UInt8(ascii: "|")) { return true }
        if !isNested { scanner.position = mark }
        return false
    }

    private mutating func parseConjunction(isNested: Bool) throws(Failure) -> LarkExpression {
        let start = scanner.position
        var parts = [try parseSequence(isNested: isNested)]
        while scanner.take(UInt8(ascii: "&")) { parts.append(try parseSequence(isNested: isNested)) }
        let place = start..<max(start, scanner.position)
        return parts.count == 1 ? parts[0] : LarkExpression(kind: .both(parts), place: place)
    }

    private mutating func parseSequence(isNested: Bool) throws(Failure) -> LarkExpression {
        skipSpace(lines: isNested)
        let start = scanner.position
        var parts: [LarkExpression] = []
        while var part = try parseAtom(isNested: isNested) {
            skipSpace(lines: false)
            while let (least, most) = try parseRepetition() {
                part = LarkExpression(
                    kind: .repeated(part, min: least, max: most), place: part.place.lowerBound..<scanner.position)
                skipSpace(lines: false)
            }
            parts.append(part)
            skipSpace(lines: isNested)
        }
        let place = start..<max(start, scanner.position)
        return parts.count == 1 ? parts[0] : LarkExpression(kind: .sequence(parts), place: place)
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
        case UInt8(ascii: "~"):
            scanner.position += 1
            skipSpace(lines: false)
            guard let least = scanner.takeNumber() else {
                // A negation that begins the next element.
                scanner.position = start
                return nil
            }
            var most = least
            if scanner.take("..") {
                guard let number = scanner.takeNumber() else { throw scanner.fail("expected a number") }
                most = number
            }
            try scanner.checkBounds(least, most, from: start)
            return (least, most)
        case UInt8(ascii: "{"):
            scanner.position += 1
            skipSpace(lines: false)
            let first = scanner.takeNumber()
            skipSpace(lines: false)
            var most = first
            if scanner.take(UInt8(ascii: ",")) {
                skipSpace(lines: false)
                most = scanner.takeNumber()
                skipSpace(lines: false)
                if first == nil, most == nil { throw scanner.fail("expected a number", at: start) }
            } else if first == nil {
                throw scanner.refuse("template", "templates are not supported", from: start)
            }
            guard scanner.take(UInt8(ascii: "}")) else { throw scanner.fail("expected '}', found \(scanner.shown)") }
            try scanner.checkBounds(first ?? 0, most, from: start)
            return (first ?? 0, most)
        default:
            return nil
        }
    }

    /// One element; nil where the sequence ends.
    private mutating func parseAtom(isNested: Bool) throws(Failure) -> LarkExpression? {
        let start = scanner.position
        func expression(_ kind: LarkExpression.Kind) -> LarkExpression {
            LarkExpression(kind: kind, place: start..<scanner.position)
        }
        switch scanner.current {
        case UInt8(ascii: "("), UInt8(ascii: "["):
            let isOptional = scanner.current == UInt8(ascii: "[")
            scanner.position += 1
            try scanner.enter(start)
            let body = try parseExpansions(isNested: true)
            skipSpace(lines: true)
            guard scanner.take(UInt8(ascii: isOptional ? "]" : ")")) else {
                throw scanner.fail("expected '\(isOptional ? "]" : ")")', found \(scanner.shown)")
            }
            scanner.leave()
            return isOptional ? expression(.repeated(body, min: 0, max: 1)) : expression(body.kind)
        case UInt8(ascii: "\""):
            let (text, ignoresCase) = try parseString()
            let mark = scanner.position
            skipSpace(lines: false)
            guard scanner.take("..") else {
                scanner.position = mark
                return expression(.literal(text, ignoresCase: ignoresCase))
            }
            skipSpace(lines: false)
            guard scanner.current == UInt8(ascii: "\"") else { throw scanner.fail("expected the end of the range") }
            let (last, _) = try parseString()
            guard text.unicodeScalars.count == 1, last.unicodeScalars.count == 1, let low = text.unicodeScalars.first,
                let high = last.unicodeScalars.first, low <= high
            else { throw scanner.fail("a range goes from one character to a later one", at: start) }
            return expression(.characters(ScalarSet(low...high)))
        case UInt8(ascii: "/"): return try parseRegex()
        case UInt8(ascii: "~"):
            scanner.position += 1
            skipSpace(lines: false)
            try scanner.enter(start)
            guard let body = try parseAtom(isNested: isNested) else {
                throw scanner.fail("expected a terminal, found \(scanner.shown)")
            }
            scanner.leave()
            return expression(.other(body))
        case UInt8(ascii: "<"):
            while let byte = scanner.current, byte != UInt8(ascii: ">"), byte != 0x0A { scanner.position += 1 }
            _ = scanner.take(UInt8(ascii: ">"))
            throw scanner.refuse(
                "token", "the token '\(scanner.text(from: start))' is not supported: a grammar is about text",
                from: start, help: "write the text of the token as a string")
        case UInt8(ascii: "@"):
            throw scanner.refuse("reference", "references to other grammars are not supported", from: start)
        case UInt8(ascii: "%"):
            scanner.position += 1
            let name = takeName()
            guard name == "json" else {
                throw scanner.refuse("directive", "'%\(name ?? "")' is not supported here", from: start)
            }
            skipSpace(lines: true)
            guard let document = parseJSON() else { throw Failure() }
            documents.append(try load(document, from: start))
            return expression(.document(documents.count - 1))
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
            throw scanner.fail("there is nothing to repeat", at: start)
        default:
            return takeName().map { expression(.name($0)) }
        }
    }

    // MARK: Strings and regular expressions

    private mutating func parseString() throws(Failure) -> (String, ignoresCase: Bool) {
        let start = scanner.position
        scanner.position += 1
        var units = String.UnicodeScalarView()
        while true {
            guard let byte = scanner.current, byte != 0x0A else {
                scanner.report("grammar.syntax", "the string has no end", from: start, to: start + 1)
                throw Failure()
            }
            if byte == UInt8(ascii: "\"") { break }
            let place = scanner.position
            var value: UInt32?
            if scanner.take(UInt8(ascii: "\\")) {
                let letter = scanner.current
                scanner.position += 1
                switch letter {
                case UInt8(ascii: "n"): value = 0x0A
                case UInt8(ascii: "r"): value = 0x0D
                case UInt8(ascii: "t"): value = 0x09
                case UInt8(ascii: "b"): value = 0x08
                case UInt8(ascii: "f"): value = 0x0C
                case UInt8(ascii: "x"): value = scanner.takeHex(2)
                case UInt8(ascii: "u"):
                    value = scanner.takeHex(4)
                    if let high = value, (0xD800...0xDBFF).contains(high), scanner.take("\\u"),
                        let low = scanner.takeHex(4), (0xDC00...0xDFFF).contains(low)
                    {
                        value = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
                    }
                case .some(let byte) where Array("\"\\/'".utf8).contains(byte): value = UInt32(byte)
                default: value = nil
                }
            } else {
                value = scanner.takeScalar()
            }
            guard let value, let scalar = Unicode.Scalar(value) else {
                throw scanner.fail("unknown escape", at: place)
            }
            units.append(scalar)
        }
        scanner.position += 1
        return (String(units), scanner.take(UInt8(ascii: "i")))
    }

    private mutating func parseRegex() throws(Failure) -> LarkExpression {
        let start = scanner.position
        scanner.position += 1
        while let byte = scanner.current, byte != UInt8(ascii: "/") {
            if byte == 0x0A { break }
            scanner.position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        let text = scanner.text(from: start + 1)
        guard scanner.take(UInt8(ascii: "/")) else {
            scanner.report("grammar.syntax", "the regular expression has no end", from: start, to: start + 1)
            throw Failure()
        }
        var flags: PatternFlags = [.lineFeedOnly, .modifiers, .plainQuantifiers]
        while let byte = scanner.current, (0x61...0x7A).contains(byte) {
            switch byte {
            case UInt8(ascii: "i"): flags.insert(.ignoreCase)
            case UInt8(ascii: "s"): flags.insert(.dotAll)
            // Without anchors and with Unicode throughout, these change nothing.
            case UInt8(ascii: "m"), UInt8(ascii: "u"): break
            default:
                throw scanner.refuse(
                    "regex", "the flag '\(Character(Unicode.Scalar(byte)))' is not supported", from: scanner.position)
            }
            scanner.position += 1
        }
        let root: PatternNode
        do throws(PatternError) {
            root = try Pattern(text, flags: flags).root
        } catch {
            let id: DiagnosticID =
                switch error.code {
                case .syntax: "grammar.syntax"
                case .unsupported: "grammar.unsupported-regex"
                case .tooComplex: "grammar.too-complex"
                }
            let offset = String(String.UnicodeScalarView(text.unicodeScalars.prefix(error.offset))).utf8.count
            scanner.report(id, error.message, from: start + 1 + offset, to: start + 2 + offset)
            throw Failure()
        }
        guard !root.hasAssertion else {
            throw scanner.refuse(
                "regex", "anchors, word boundaries and lookaround are not supported in terminals", from: start)
        }
        return LarkExpression(kind: .regex(root), place: start..<scanner.position)
    }

    // MARK: JSON

    /// The JSON value at the cursor, whose places are those of the whole file.
    private mutating func parseJSON() -> Document? {
        let start = scanner.position
        guard scanner.current == UInt8(ascii: "{") || scanner.current == UInt8(ascii: "["),
            let end = JSONExtent.end(ofBracketed: scanner.bytes, from: start)
        else {
            _ = scanner.fail("expected JSON in braces, found \(scanner.shown)")
            return nil
        }
        // What comes before becomes blank, so that lines and columns are right.
        var bytes = scanner.bytes[..<start].map { $0 == 0x0A ? $0 : 0x20 }
        bytes += scanner.bytes[start..<end]
        scanner.position = end
        do throws(DiagnosticsError) {
            return try JSONReader.read(bytes, file: scanner.source.file)
        } catch {
            schemaProblems += error.diagnostics
            return nil
        }
    }

    private mutating func load(_ document: Document, from start: Int) throws(Failure) -> Grammar.Document {
        do throws(DiagnosticsError) {
            let graph = try SchemaGraph.load(document.root, options: SpecLoader.defaultOptions, registry: registry)
            warnings += graph.warnings
            return Grammar.Document(graph: graph, range: scanner.range(start))
        } catch {
            schemaProblems += error.diagnostics
            throw Failure()
        }
    }
}
