// SPDX-License-Identifier: Apache-2.0

/// Parses a template into statements.
struct TemplateParser {
    /// Deepest nesting of statements and expressions.
    static let depthLimit = 100

    var tokens: [TemplateToken]
    var position = 0
    var depth = 0
    private var loopDepth = 0

    static func parse(_ source: String) throws(TemplateError) -> [TemplateStatement] {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: source))
        let body = try parser.parseBody(until: [])
        guard parser.kind == .end else { throw parser.unexpected() }
        return body
    }

    private init(tokens: [TemplateToken]) { self.tokens = tokens }

    // MARK: - Tokens

    /// The current kind; the last token is always `.end`, and the position never passes it.
    var kind: TemplateToken.Kind { tokens[min(position, tokens.count - 1)].kind }
    var line: Int { tokens[min(position, tokens.count - 1)].line }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    func isSymbol(_ symbol: String) -> Bool { kind == .symbol(symbol) }
    func isName(_ name: String) -> Bool { kind == .name(name) }

    mutating func skip(_ kind: TemplateToken.Kind) -> Bool {
        guard self.kind == kind else { return false }
        advance()
        return true
    }

    mutating func skipSymbol(_ symbol: String) -> Bool { skip(.symbol(symbol)) }
    mutating func skipName(_ name: String) -> Bool { skip(.name(name)) }

    mutating func expectSymbol(_ symbol: String) throws(TemplateError) {
        guard skipSymbol(symbol) else { throw unexpected("'\(symbol)'") }
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let name) = kind else { throw unexpected("a name") }
        advance()
        return name
    }

    mutating func expectBlockEnd() throws(TemplateError) {
        guard skip(.blockEnd) else { throw unexpected("'%}'") }
    }

    func unexpected(_ wanted: String? = nil) -> TemplateError {
        let found =
            switch kind {
            case .text: "text"
            case .blockStart: "'{%'"
            case .blockEnd: "'%}'"
            case .variableStart: "'{{'"
            case .variableEnd: "'}}'"
            case .name(let name): "'\(name)'"
            case .string: "a string"
            case .integer, .double: "a number"
            case .symbol(let symbol): "'\(symbol)'"
            case .end: "the end of the template"
            }
        return TemplateError(
            .syntax, wanted.map { "expected \($0), found \(found)" } ?? "unexpected \(found)", line: line)
    }

    mutating func nested<Result>(
        _ body: (inout TemplateParser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        guard depth < Self.depthLimit else {
            throw TemplateError(.limit, "nested deeper than \(Self.depthLimit) levels", line: line)
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    // MARK: - Statements

    /// Reads statements up to a block tag with one of the names, which stays unread (behind its `{%`).
    private mutating func parseBody(until ends: Set<String>) throws(TemplateError) -> [TemplateStatement] {
        try nested { (parser) throws(TemplateError) in
            var body: [TemplateStatement] = []
            while true {
                let line = parser.line
                switch parser.kind {
                case .text(let text):
                    parser.advance()
                    body.append(TemplateStatement(line: line, kind: .text(text)))
                case .variableStart:
                    parser.advance()
                    let expression = try parser.parseTuple()
                    guard parser.skip(.variableEnd) else { throw parser.unexpected("'}}'") }
                    body.append(TemplateStatement(line: line, kind: .output(expression)))
                case .blockStart:
                    parser.advance()
                    let name = try parser.expectName()
                    if ends.contains(name) {
                        parser.position -= 1
                        return body
                    }
                    body.append(TemplateStatement(line: line, kind: try parser.parseStatement(name, line: line)))
                default:
                    if ends.isEmpty { return body }
                    let wanted = ends.sorted().map { "'\($0)'" }.joined(separator: " or ")
                    throw parser.unexpected(wanted)
                }
            }
        }
    }

    /// Reads a body and its closing tag.
    private mutating func parseBlock(end: String) throws(TemplateError) -> [TemplateStatement] {
        try expectBlockEnd()
        let body = try parseBody(until: [end])
        advance()
        // `endmacro name` and the like repeat the name.
        if case .name = kind, end == "endmacro" { advance() }
        try expectBlockEnd()
        return body
    }

    private mutating func parseStatement(_ name: String, line: Int) throws(TemplateError) -> TemplateStatement.Kind {
        switch name {
        case "if": return try parseConditional()
        case "for": return try parseLoop()
        case "set": return try parseAssignment()
        case "macro":
            let name = try expectName()
            let parameters = try parseParameters()
            return .macro(MacroDefinition(name: name, parameters: parameters, body: try parseOutsideLoop("endmacro")))
        case "call":
            let parameters = isSymbol("(") ? try parseParameters() : []
            let call = try parseExpression()
            guard case .postfix(_, let steps) = call, case .call? = steps.last else {
                throw TemplateError(.syntax, "'call' needs a macro call", line: line)
            }
            let body = try parseOutsideLoop("endcall")
            return .callBlock(call, MacroDefinition(name: "caller", parameters: parameters, body: body))
        case "filter":
            let filters = try parseFilters(startsWithFilter: true)
            return .filterBlock(filters, body: try parseBlock(end: "endfilter"))
        case "with":
            var bindings: [(target: AssignmentTarget, value: TemplateExpression)] = []
            while kind != .blockEnd {
                if !bindings.isEmpty { try expectSymbol(",") }
                let target = try parseTarget(allowsFields: false)
                try expectSymbol("=")
                bindings.append((target, try parseExpression()))
            }
            return .with(bindings, body: try parseBlock(end: "endwith"))
        case "generation":
            // Marks the assistant's part for training; it renders as its content.
            return .scope(try parseBlock(end: "endgeneration"))
        case "break", "continue":
            guard loopDepth > 0 else { throw TemplateError(.syntax, "'\(name)' outside a loop", line: line) }
            try expectBlockEnd()
            return name == "break" ? .breakLoop : .continueLoop
        case "include", "import", "from", "extends", "block", "autoescape", "trans", "do", "debug":
            throw TemplateError(.unsupported, "the statement '\(name)' is not supported", line: line)
        default: throw TemplateError(.syntax, "unknown statement '\(name)'", line: line)
        }
    }

    private mutating func parseConditional() throws(TemplateError) -> TemplateStatement.Kind {
        var branches: [(test: TemplateExpression, body: [TemplateStatement])] = []
        var otherwise: [TemplateStatement] = []
        var test = try parseTuple()
        while true {
            try expectBlockEnd()
            branches.append((test, try parseBody(until: ["elif", "else", "endif"])))
            let name = try expectName()
            if name == "elif" {
                test = try parseTuple()
                continue
            }
            if name == "else" { otherwise = try parseBlock(end: "endif") } else { try expectBlockEnd() }
            return .conditional(branches: branches, otherwise: otherwise)
        }
    }

    private mutating func parseLoop() throws(TemplateError) -> TemplateStatement.Kind {
        let target = try parseTarget(allowsFields: false)
        guard skipName("in") else { throw unexpected("'in'") }
        let items = try parseTuple(allowsCondition: false)
        let filter = skipName("if") ? try parseExpression() : nil
        if isName("recursive") { throw TemplateError(.unsupported, "recursive loops are not supported", line: line) }
        try expectBlockEnd()
        loopDepth += 1
        let body = try parseBody(until: ["else", "endfor"])
        loopDepth -= 1
        var otherwise: [TemplateStatement] = []
        if try expectName() == "else" { otherwise = try parseBlock(end: "endfor") } else { try expectBlockEnd() }
        return .loop(target: target, over: items, when: filter, body: body, otherwise: otherwise)
    }

    private mutating func parseOutsideLoop(_ end: String) throws(TemplateError) -> [TemplateStatement] {
        let outer = loopDepth
        loopDepth = 0
        defer { loopDepth = outer }
        return try parseBlock(end: end)
    }

    private mutating func parseAssignment() throws(TemplateError) -> TemplateStatement.Kind {
        let target = try parseTarget(allowsFields: true)
        if skipSymbol("=") {
            let value = try parseTuple()
            try expectBlockEnd()
            return .assign(target, value)
        }
        let filters = try parseFilters(startsWithFilter: false)
        return .capture(target, filters: filters, body: try parseBlock(end: "endset"))
    }

    private mutating func parseFilters(startsWithFilter: Bool) throws(TemplateError) -> [PostfixStep] {
        var steps: [PostfixStep] = []
        while startsWithFilter && steps.isEmpty || skipSymbol("|") {
            steps.append(try parseFilter())
        }
        return steps
    }

    private mutating func parseParameters() throws(TemplateError) -> [(name: String, initial: TemplateExpression?)] {
        var parameters: [(name: String, initial: TemplateExpression?)] = []
        try expectSymbol("(")
        while !skipSymbol(")") {
            if !parameters.isEmpty { try expectSymbol(",") }
            let line = line
            let name = try expectName()
            let initial = skipSymbol("=") ? try parseExpression() : nil
            if initial == nil, parameters.last?.initial != nil {
                throw TemplateError(.syntax, "parameter '\(name)' without default follows one with", line: line)
            }
            parameters.append((name, initial))
        }
        return parameters
    }

    private mutating func parseTarget(allowsFields: Bool) throws(TemplateError) -> AssignmentTarget {
        try nested { (parser) throws(TemplateError) in
            var targets: [AssignmentTarget] = []
            var isTuple = false
            while true {
                if parser.skipSymbol("(") {
                    targets.append(try parser.parseTarget(allowsFields: false))
                    try parser.expectSymbol(")")
                } else {
                    let line = parser.line
                    let name = try parser.expectName()
                    guard !Self.reserved.contains(name) else {
                        throw TemplateError(.syntax, "cannot assign to '\(name)'", line: line)
                    }
                    if allowsFields, parser.skipSymbol(".") {
                        targets.append(.field(namespace: name, name: try parser.expectName()))
                    } else {
                        targets.append(.name(name))
                    }
                }
                guard parser.skipSymbol(",") else { break }
                isTuple = true
                if case .name(let name) = parser.kind, name != "in" { continue }
                if parser.isSymbol("(") { continue }
                break
            }
            return !isTuple && targets.count == 1 ? targets[0] : .tuple(targets)
        }
    }

    static let reserved: Set<String> = [
        "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else",
    ]
}
