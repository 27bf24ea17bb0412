// SPDX-License-Identifier: Apache-2.0

extension TemplateEvaluator {
    /// Whether the value passes a test.
    func test(_ name: String, _ value: TemplateValue, _ arguments: TemplateArguments) throws(TemplateError) -> Bool {
        func argument() throws(TemplateError) -> TemplateValue {
            guard let first = arguments.positional.first ?? arguments.named.first?.value else {
                throw TemplateError(.evaluation, "the test '\(name)' needs an argument")
            }
            return first
        }
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none":
            if case .none = value { return true }
            return false
        case "boolean":
            if case .boolean = value { return true }
            return false
        case "true":
            if case .boolean(true) = value { return true }
            return false
        case "false":
            if case .boolean(false) = value { return true }
            return false
        case "integer":
            if case .integer = value { return true }
            return false
        case "float":
            if case .double = value { return true }
            return false
        case "number": return value.number != nil
        case "string":
            if case .string = value { return true }
            return false
        case "mapping":
            if case .dictionary = value { return true }
            return false
        case "iterable":
            switch value {
            case .string, .list, .tuple, .dictionary, .undefined: return true
            default: return false
            }
        case "sequence":
            switch value {
            case .string, .list, .tuple, .dictionary, .undefined: return true
            default: return false
            }
        case "callable":
            switch value {
            case .macro, .function, .method, .undefined: return true
            default: return false
            }
        case "odd", "even", "divisibleby":
            let divisor = name == "divisibleby" ? try argument() : .integer(2)
            let rest = try calculate(value, .modulo, divisor)
            guard value.number != nil else { throw TemplateError(.evaluation, "the test '\(name)' needs a number") }
            return try areEqual(rest, .integer(name == "odd" ? 1 : 0))
        case "upper", "lower":
            let text = try text(of: value)
            return try callMethod(name == "upper" ? "isupper" : "islower", of: .string(text), TemplateArguments())
                .isTrue
        case "eq", "equalto", "==": return try areEqual(value, try argument())
        case "ne", "!=": return !(try areEqual(value, try argument()))
        case "lt", "lessthan", "<": return try compare(value, .less, try argument())
        case "le", "<=": return try compare(value, .lessOrEqual, try argument())
        case "gt", "greaterthan", ">": return try compare(value, .greater, try argument())
        case "ge", ">=": return try compare(value, .greaterOrEqual, try argument())
        case "in": return try contains(try argument(), value)
        case "sameas":
            let other = try argument()
            guard value.typeName == other.typeName else { return false }
            return try areEqual(value, other)
        case "escaped": return false
        default: throw TemplateError(.unsupported, "no test named '\(name)'")
        }
    }
}
