// SPDX-License-Identifier: Apache-2.0

extension TemplateParser {
    /// One expression, or several with commas: a tuple.
    mutating func parseTuple(allowsCondition: Bool = true) throws(TemplateError) -> TemplateExpression {
        var items: [TemplateExpression] = []
        var isTuple = false
        while true {
            if !items.isEmpty || isTuple, isTupleEnd { break }
            items.append(allowsCondition ? try parseExpression() : try parseOr())
            guard skipSymbol(",") else { break }
            isTuple = true
        }
        return isTuple ? .tuple(items) : items[0]
    }

    private var isTupleEnd: Bool {
        switch kind {
        case .blockEnd, .variableEnd, .end, .symbol(")"), .name("if"): true
        default: false
        }
    }

    mutating func parseExpression() throws(TemplateError) -> TemplateExpression {
        try nested { (parser) throws(TemplateError) in
            let value = try parser.parseOr()
            guard parser.skipName("if") else { return value }
            let test = try parser.parseOr()
            var otherwise: TemplateExpression?
            if parser.skipName("else") { otherwise = try parser.parseExpression() }
            let result = TemplateExpression.conditional(test: test, then: value, otherwise: otherwise)
            // `a if b if c` applies the second condition to the first.
            guard parser.isName("if") else { return result }
            parser.advance()
            let outer = try parser.parseOr()
            return .conditional(
                test: outer, then: result, otherwise: parser.skipName("else") ? try parser.parseExpression() : nil
            )
        }
    }

    private mutating func parseOr() throws(TemplateError) -> TemplateExpression {
        let first = try parseAnd()
        guard isName("or") else { return first }
        var operands = [first]
        while skipName("or") { operands.append(try parseAnd()) }
        return .or(operands)
    }

    private mutating func parseAnd() throws(TemplateError) -> TemplateExpression {
        let first = try parseNot()
        guard isName("and") else { return first }
        var operands = [first]
        while skipName("and") { operands.append(try parseNot()) }
        return .and(operands)
    }

    private mutating func parseNot() throws(TemplateError) -> TemplateExpression {
        guard skipName("not") else { return try parseComparison() }
        return .not(try nested { (parser) throws(TemplateError) in try parser.parseNot() })
    }

    private mutating func parseComparison() throws(TemplateError) -> TemplateExpression {
        let first = try parseSum()
        var rest: [(symbol: ComparisonOperator, operand: TemplateExpression)] = []
        while let comparison = nextComparison() { rest.append((comparison, try parseSum())) }
        return rest.isEmpty ? first : .comparison(first, rest)
    }

    private mutating func nextComparison() -> ComparisonOperator? {
        switch kind {
        case .symbol(let symbol):
            guard let comparison = ComparisonOperator(rawValue: symbol) else { return nil }
            advance()
            return comparison
        case .name("in"):
            advance()
            return .isIn
        case .name("not"):
            guard position + 1 < tokens.count, tokens[position + 1].kind == .name("in") else { return nil }
            advance()
            advance()
            return .notIn
        default: return nil
        }
    }

    private mutating func parseSum() throws(TemplateError) -> TemplateExpression {
        let first = try parseConcatenation()
        var rest: [(symbol: ArithmeticOperator, operand: TemplateExpression)] = []
        while true {
            if skipSymbol("+") {
                rest.append((.add, try parseConcatenation()))
            } else if skipSymbol("-") {
                rest.append((.subtract, try parseConcatenation()))
            } else {
                return rest.isEmpty ? first : .arithmetic(first, rest)
            }
        }
    }

    private mutating func parseConcatenation() throws(TemplateError) -> TemplateExpression {
        let first = try parseProduct()
        guard isSymbol("~") else { return first }
        var operands = [first]
        while skipSymbol("~") { operands.append(try parseProduct()) }
        return .concatenation(operands)
    }

    private mutating func parseProduct() throws(TemplateError) -> TemplateExpression {
        let first = try parsePower()
        var rest: [(symbol: ArithmeticOperator, operand: TemplateExpression)] = []
        while case .symbol(let symbol) = kind, ["*", "/", "//", "%"].contains(symbol),
            let operation = ArithmeticOperator(rawValue: symbol)
        {
            advance()
            rest.append((operation, try parsePower()))
        }
        return rest.isEmpty ? first : .arithmetic(first, rest)
    }

    private mutating func parsePower() throws(TemplateError) -> TemplateExpression {
        let first = try parseUnary(withFilters: true)
        var rest: [(symbol: ArithmeticOperator, operand: TemplateExpression)] = []
        while skipSymbol("**") { rest.append((.power, try parseUnary(withFilters: true))) }
        return rest.isEmpty ? first : .arithmetic(first, rest)
    }

    private mutating func parseUnary(withFilters: Bool) throws(TemplateError) -> TemplateExpression {
        try nested { (parser) throws(TemplateError) in
            var base: TemplateExpression
            var steps: [PostfixStep] = []
            if parser.skipSymbol("-") {
                base = .negative(try parser.parseUnary(withFilters: false))
            } else if parser.skipSymbol("+") {
                base = .positive(try parser.parseUnary(withFilters: false))
            } else {
                base = try parser.parsePrimary()
                steps = try parser.parsePostfix()
            }
            if withFilters { steps += try parser.parseFiltersAndTests() }
            return steps.isEmpty ? base : .postfix(base, steps)
        }
    }

    private mutating func parsePrimary() throws(TemplateError) -> TemplateExpression {
        let start = kind
        switch start {
        case .name(let name):
            switch name {
            case "true", "True":
                advance()
                return .constant(.boolean(true))
            case "false", "False":
                advance()
                return .constant(.boolean(false))
            case "none", "None":
                advance()
                return .constant(.none)
            default:
                guard !Self.reserved.contains(name) else { throw unexpected() }
                advance()
                return .name(name)
            }
        case .string:
            var text = ""
            while case .string(let part) = kind {
                text += part
                advance()
            }
            return .constant(.string(text))
        case .integer(let value):
            advance()
            return .constant(.integer(value))
        case .double(let value):
            advance()
            return .constant(.double(value))
        case .symbol("("):
            advance()
            if skipSymbol(")") { return .tuple([]) }
            let inner = try parseTuple()
            try expectSymbol(")")
            return inner
        case .symbol("["):
            advance()
            var items: [TemplateExpression] = []
            while !skipSymbol("]") {
                if !items.isEmpty {
                    try expectSymbol(",")
                    if skipSymbol("]") { break }
                }
                items.append(try parseExpression())
            }
            return .list(items)
        case .symbol("{"):
            advance()
            var entries: [(key: TemplateExpression, value: TemplateExpression)] = []
            while !skipSymbol("}") {
                if !entries.isEmpty {
                    try expectSymbol(",")
                    if skipSymbol("}") { break }
                }
                let key = try parseExpression()
                try expectSymbol(":")
                entries.append((key, try parseExpression()))
            }
            return .dictionary(entries)
        default: throw unexpected()
        }
    }

    /// Attributes, subscripts and calls.
    private mutating func parsePostfix() throws(TemplateError) -> [PostfixStep] {
        var steps: [PostfixStep] = []
        while true {
            if skipSymbol(".") {
                switch kind {
                case .name(let name): steps.append(.attribute(name))
                case .integer(let index): steps.append(.item(.constant(.integer(index))))
                default: throw unexpected("a name")
                }
                advance()
            } else if skipSymbol("[") {
                steps.append(try parseSubscript())
            } else if isSymbol("(") {
                steps.append(.call(try parseArguments()))
            } else {
                return steps
            }
        }
    }

    private mutating func parseSubscript() throws(TemplateError) -> PostfixStep {
        var parts: [TemplateExpression?] = []
        var part: TemplateExpression?
        var colons = 0
        var commas = 0
        var items: [TemplateExpression] = []
        while !skipSymbol("]") {
            if skipSymbol(":") {
                parts.append(part)
                part = nil
                colons += 1
            } else if skipSymbol(",") {
                guard let value = part else { throw unexpected() }
                items.append(value)
                part = nil
                commas += 1
            } else {
                guard part == nil else { throw unexpected("']'") }
                part = try parseExpression()
            }
        }
        if colons > 0 {
            guard colons <= 2, commas == 0 else {
                throw TemplateError(.syntax, "a slice has at most three parts", line: line)
            }
            parts.append(part)
            return .slice(from: parts[0], to: parts[1], by: parts.count > 2 ? parts[2] : nil)
        }
        if let part { items.append(part) }
        guard let first = items.first else { throw TemplateError(.syntax, "expected a subscript", line: line) }
        return .item(commas > 0 ? .tuple(items) : first)
    }

    private mutating func parseArguments() throws(TemplateError) -> CallArguments {
        var arguments = CallArguments()
        try expectSymbol("(")
        var isFirst = true
        while !skipSymbol(")") {
            if !isFirst {
                try expectSymbol(",")
                if skipSymbol(")") { break }
            }
            isFirst = false
            if isSymbol("*") || isSymbol("**") {
                throw TemplateError(.unsupported, "unpacked arguments are not supported", line: line)
            }
            if case .name(let name) = kind, position + 1 < tokens.count, tokens[position + 1].kind == .symbol("=") {
                advance()
                advance()
                arguments.named.append((name, try parseExpression()))
            } else {
                guard arguments.named.isEmpty else {
                    throw TemplateError(.syntax, "a positional argument follows a named one", line: line)
                }
                arguments.positional.append(try parseExpression())
            }
        }
        return arguments
    }

    private mutating func parseFiltersAndTests() throws(TemplateError) -> [PostfixStep] {
        var steps: [PostfixStep] = []
        while true {
            if skipSymbol("|") {
                steps.append(try parseFilter())
            } else if skipName("is") {
                steps.append(try parseTest())
            } else if isSymbol("("), !steps.isEmpty {
                steps.append(.call(try parseArguments()))
            } else {
                return steps
            }
        }
    }

    /// A filter behind its `|`.
    mutating func parseFilter() throws(TemplateError) -> PostfixStep {
        var name = try expectName()
        while skipSymbol(".") { name += "." + (try expectName()) }
        return .filter(name, isSymbol("(") ? try parseArguments() : CallArguments())
    }

    private mutating func parseTest() throws(TemplateError) -> PostfixStep {
        let negated = skipName("not")
        let name: String
        switch kind {
        case .name(let text): name = text
        case .symbol(let symbol) where ComparisonOperator(rawValue: symbol) != nil: name = symbol
        default: throw unexpected("the name of a test")
        }
        advance()
        if isSymbol("(") { return .test(name, try parseArguments(), negated: negated) }
        var arguments = CallArguments()
        switch kind {
        case .name(let word) where ["else", "or", "and", "if", "is", "in", "not", "recursive"].contains(word): break
        case .name, .string, .integer, .double, .symbol("["), .symbol("{"):
            let base = try parsePrimary()
            let steps = try parsePostfix()
            arguments.positional.append(steps.isEmpty ? base : .postfix(base, steps))
        default: break
        }
        return .test(name, arguments, negated: negated)
    }
}
