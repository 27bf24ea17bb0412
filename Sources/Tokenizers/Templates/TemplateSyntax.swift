// SPDX-License-Identifier: Apache-2.0

/// A constant of the template's source.
enum TemplateConstant: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case double(Double)
    case string(String)

    var value: TemplateValue {
        switch self {
        case .none: .none
        case .boolean(let value): .boolean(value)
        case .integer(let value): .integer(value)
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        }
    }
}

enum ArithmeticOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case notIn = "not in"
}

/// An expression. Left-associative chains are flat lists, so that depth measures nesting only.
indirect enum TemplateExpression: Sendable {
    case constant(TemplateConstant)
    case name(String)
    case list([TemplateExpression])
    case tuple([TemplateExpression])
    case dictionary([(key: TemplateExpression, value: TemplateExpression)])
    case conditional(test: TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
    case or([TemplateExpression])
    case and([TemplateExpression])
    case not(TemplateExpression)
    case comparison(TemplateExpression, [(symbol: ComparisonOperator, operand: TemplateExpression)])
    case arithmetic(TemplateExpression, [(symbol: ArithmeticOperator, operand: TemplateExpression)])
    case concatenation([TemplateExpression])
    case negative(TemplateExpression)
    case positive(TemplateExpression)
    case postfix(TemplateExpression, [PostfixStep])
}

/// What may follow a primary expression.
enum PostfixStep: Sendable {
    case attribute(String)
    case item(TemplateExpression)
    case slice(from: TemplateExpression?, to: TemplateExpression?, by: TemplateExpression?)
    case call(CallArguments)
    case filter(String, CallArguments)
    case test(String, CallArguments, negated: Bool)
}

struct CallArguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
}

/// What a `for` or `set` assigns to.
indirect enum AssignmentTarget: Sendable {
    case name(String)
    case field(namespace: String, name: String)
    case tuple([AssignmentTarget])
}

/// A macro, or the body of a call block.
struct MacroDefinition: Sendable {
    var name: String
    var parameters: [(name: String, initial: TemplateExpression?)]
    var body: [TemplateStatement]
}

struct TemplateStatement: Sendable {
    var line: Int
    var kind: Kind

    indirect enum Kind: Sendable {
        case text(String)
        case output(TemplateExpression)
        case conditional(
            branches: [(test: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
        case loop(
            target: AssignmentTarget, over: TemplateExpression, when: TemplateExpression?,
            body: [TemplateStatement], otherwise: [TemplateStatement]
        )
        case assign(AssignmentTarget, TemplateExpression)
        case capture(AssignmentTarget, filters: [PostfixStep], body: [TemplateStatement])
        case macro(MacroDefinition)
        case callBlock(TemplateExpression, MacroDefinition)
        case filterBlock([PostfixStep], body: [TemplateStatement])
        case with([(target: AssignmentTarget, value: TemplateExpression)], body: [TemplateStatement])
        case scope([TemplateStatement])
        case breakLoop
        case continueLoop
    }
}
