// SPDX-License-Identifier: Apache-2.0

import Foundation

extension TemplateEvaluator {
    func number(_ value: TemplateValue, _ operation: String) throws(TemplateError) -> TemplateNumber {
        try require(value)
        guard let number = value.number else {
            throw TemplateError(.evaluation, "bad operand type for \(operation): '\(value.typeName)'")
        }
        return number
    }

    func negate(_ value: TemplateValue) throws(TemplateError) -> TemplateValue {
        switch try number(value, "unary -") {
        case .double(let number): return .double(-number)
        case .integer(let number):
            guard number != .min else { throw Self.overflow }
            return .integer(-number)
        }
    }

    static var overflow: TemplateError { TemplateError(.limit, "an integer does not fit in 64 bits") }

    func calculate(
        _ left: TemplateValue, _ operation: ArithmeticOperator, _ right: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        try require(left)
        if operation == .modulo, case .string(let format) = left {
            let arguments: [TemplateValue] = if case .tuple(let items) = right { items.elements } else { [right] }
            return try made(try formatted(printf: format, arguments, mapping: right))
        }
        try require(right)
        if let a = left.number, let b = right.number { return try calculate(a, operation, b) }
        switch (left, operation, right) {
        case (.string(let a), .add, .string(let b)):
            try chargeText(a.utf8.count + b.utf8.count)
            return .string(a + b)
        case (.list(let a), .add, .list(let b)): return try madeList(a.elements + b.elements)
        case (.tuple(let a), .add, .tuple(let b)): return .tuple(TemplateList(a.elements + b.elements))
        case (.string(let text), .multiply, _), (_, .multiply, .string(let text)):
            if let count = right.integerValue ?? left.integerValue { return try repeated(text, count) }
        case (.list(let items), .multiply, _), (_, .multiply, .list(let items)):
            if let count = right.integerValue ?? left.integerValue {
                let (total, overflow) = items.count.multipliedReportingOverflow(by: max(count, 0))
                guard !overflow else { throw Self.overflow }
                try charge(total)
                return try madeList(Array(repeatElement(items.elements, count: max(count, 0)).joined()))
            }
        case (.string, .add, _):
            throw TemplateError(.evaluation, "can only concatenate str (not \"\(right.typeName)\") to str")
        default: break
        }
        throw TemplateError(
            .evaluation,
            "unsupported operand type(s) for \(operation.rawValue): '\(left.typeName)' and '\(right.typeName)'"
        )
    }

    private func repeated(_ text: String, _ count: Int) throws(TemplateError) -> TemplateValue {
        let (bytes, overflow) = text.utf8.count.multipliedReportingOverflow(by: max(count, 0))
        guard !overflow else { throw Self.overflow }
        try chargeText(bytes)
        return .string(String(repeating: text, count: text.isEmpty ? 0 : max(count, 0)))
    }

    private func calculate(
        _ left: TemplateNumber, _ operation: ArithmeticOperator, _ right: TemplateNumber
    ) throws(TemplateError) -> TemplateValue {
        let isZero = right == .integer(0)
        if isZero, operation == .divide || operation == .floorDivide || operation == .modulo {
            throw TemplateError(.evaluation, "division by zero")
        }
        if operation == .divide { return .double(left.double / right.double) }
        if case .integer(let a) = left, case .integer(let b) = right {
            let result: (partialValue: Int, overflow: Bool)
            switch operation {
            case .add: result = a.addingReportingOverflow(b)
            case .subtract: result = a.subtractingReportingOverflow(b)
            case .multiply: result = a.multipliedReportingOverflow(by: b)
            case .floorDivide, .modulo:
                // The only quotient that overflows is that of the smallest integer by -1.
                guard b != -1 else {
                    if operation == .modulo { return .integer(0) }
                    return try negate(.integer(a))
                }
                let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
                let adjusts = remainder != 0 && (remainder < 0) != (b < 0)
                if operation == .modulo { return .integer(adjusts ? remainder + b : remainder) }
                return .integer(adjusts ? quotient - 1 : quotient)
            case .divide: return .double(Double(a) / Double(b))
            case .power:
                if b < 0 {
                    guard a != 0 else { throw TemplateError(.evaluation, "0 cannot be raised to a negative power") }
                    return .double(pow(Double(a), Double(b)))
                }
                return .integer(try power(a, b))
            }
            guard !result.overflow else { throw Self.overflow }
            return .integer(result.partialValue)
        }
        let (a, b) = (left.double, right.double)
        switch operation {
        case .add: return .double(a + b)
        case .subtract: return .double(a - b)
        case .multiply: return .double(a * b)
        case .divide: return .double(a / b)
        case .floorDivide: return .double((a / b).rounded(.down))
        case .modulo:
            let remainder = fmod(a, b)
            return .double(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
        case .power: return .double(pow(a, b))
        }
    }

    private func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Int {
        if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
        if base == -1 { return exponent.isMultiple(of: 2) ? 1 : -1 }
        var result = 1
        for _ in 0..<min(exponent, 64) {
            let (next, overflow) = result.multipliedReportingOverflow(by: base)
            guard !overflow else { throw Self.overflow }
            result = next
        }
        guard exponent <= 64 else { throw Self.overflow }
        return result
    }

    func compare(
        _ left: TemplateValue, _ comparison: ComparisonOperator, _ right: TemplateValue
    ) throws(TemplateError) -> Bool {
        switch comparison {
        case .equal: return try areEqual(left, right)
        case .notEqual: return !(try areEqual(left, right))
        case .isIn: return try contains(right, left)
        case .notIn: return !(try contains(right, left))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard let order = try order(left, right, comparison.rawValue) else { return false }
            return switch comparison {
            case .less: order < 0
            case .lessOrEqual: order <= 0
            case .greater: order > 0
            default: order >= 0
            }
        }
    }

    /// -1, 0 or 1; nil where a number is not a number.
    func order(_ left: TemplateValue, _ right: TemplateValue, _ symbol: String = "<") throws(TemplateError) -> Int? {
        try require(left)
        try require(right)
        if let a = left.number, let b = right.number { return TemplateNumber.compare(a, b) }
        switch (left, right) {
        case (.string(let a), .string(let b)):
            // UTF-8 order is scalar order.
            if a.utf8.elementsEqual(b.utf8) { return 0 }
            return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            try charge(min(a.count, b.count))
            for (x, y) in zip(a, b) where !(try areEqual(x, y)) { return try order(x, y, symbol) }
            return a.count < b.count ? -1 : a.count > b.count ? 1 : 0
        default:
            throw TemplateError(
                .evaluation,
                "'\(symbol)' not supported between instances of '\(left.typeName)' and '\(right.typeName)'"
            )
        }
    }

    func contains(_ container: TemplateValue, _ value: TemplateValue) throws(TemplateError) -> Bool {
        switch container {
        case .undefined: return false
        case .string(let text):
            guard case .string(let part) = value else {
                try require(value)
                throw TemplateError(
                    .evaluation, "'in <string>' requires string as left operand, not \(value.typeName)"
                )
            }
            try charge(text.utf8.count / 16)
            if part.isEmpty { return true }
            return !PythonText.occurrences(of: Array(part.utf8), in: Array(text.utf8), limit: 1).isEmpty
        case .list(let items), .tuple(let items):
            for item in items where try areEqual(item, value) { return true }
            return false
        case .dictionary(let dictionary):
            if case .string = value {} else { try charge(dictionary.count + value.extent.weight) }
            return dictionary[value] != nil
        default: throw TemplateError(.evaluation, "argument of type '\(container.typeName)' is not iterable")
        }
    }
}
