// SPDX-License-Identifier: Apache-2.0

/// Renders a parsed template.
final class TemplateEvaluator {
    let limits: TemplateLimits
    let now: () -> TemplateDate
    let globals = TemplateScope(parent: nil)
    private(set) var scope: TemplateScope
    private var output = ""
    private var steps = 0
    private var textBytes = 0
    private var depth = 0
    private var loopDepth = 0
    private var namespaces: [TemplateNamespace] = []

    enum Flow { case normal, breakLoop, continueLoop }

    init(variables: TemplateDictionary, limits: TemplateLimits, now: @escaping () -> TemplateDate) {
        self.limits = limits
        self.now = now
        for function in [TemplateFunction.range, .dict, .namespace, .raiseException, .strftimeNow] {
            globals.variables[function.rawValue] = .function(function)
        }
        for entry in variables.entries {
            if case .string(let name) = entry.key { globals.variables[name] = entry.value }
        }
        scope = globals
    }

    func render(_ body: [TemplateStatement]) throws(TemplateError) -> String {
        // Macros point at their scope, which may hold them: let go of both.
        defer {
            globals.variables.removeAll()
            for namespace in namespaces { namespace.fields = TemplateDictionary() }
        }
        _ = try execute(body)
        return output
    }

    // MARK: - Limits

    func charge(_ count: Int = 1) throws(TemplateError) {
        let (sum, overflow) = steps.addingReportingOverflow(max(count, 0))
        guard !overflow, sum <= limits.steps else {
            throw TemplateError(.limit, "more than \(limits.steps) steps")
        }
        steps = sum
    }

    /// Accounts for text about to be built.
    func chargeText(_ bytes: Int) throws(TemplateError) {
        let (sum, overflow) = textBytes.addingReportingOverflow(max(bytes, 0))
        guard !overflow, sum <= limits.textBytes else {
            throw TemplateError(.limit, "more than \(limits.textBytes) bytes of text")
        }
        textBytes = sum
    }

    func made(_ text: String) throws(TemplateError) -> TemplateValue {
        try chargeText(text.utf8.count)
        return .string(text)
    }

    func madeList(_ items: [TemplateValue]) throws(TemplateError) -> TemplateValue {
        try charge(items.count)
        return .list(TemplateList(items))
    }

    func makeNamespace(_ fields: TemplateDictionary) throws(TemplateError) -> TemplateValue {
        guard namespaces.count < 1000 else { throw TemplateError(.limit, "more than 1000 namespaces") }
        let namespace = TemplateNamespace()
        namespace.fields = fields
        namespaces.append(namespace)
        return .namespace(namespace)
    }

    /// Refuses values nested so deep that walking or releasing them could exhaust the stack.
    func checked(_ value: TemplateValue) throws(TemplateError) -> TemplateValue {
        guard value.extent.height <= 600 else {
            throw TemplateError(.limit, "a value is nested deeper than 600 levels")
        }
        return value
    }

    /// The value's `str` text, accounted for.
    func text(of value: TemplateValue) throws(TemplateError) -> String {
        if case .string(let text) = value { return text }
        try charge(value.extent.weight)
        return value.text
    }

    func areEqual(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateError) -> Bool {
        try charge(min(left.extent.weight, right.extent.weight))
        return left.isEqual(to: right)
    }

    func deeper<Result>(_ body: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
        guard depth < limits.depth else { throw TemplateError(.limit, "nested deeper than \(limits.depth) levels") }
        depth += 1
        defer { depth -= 1 }
        return try body()
    }

    private func emit(_ text: String) throws(TemplateError) {
        try chargeText(text.utf8.count)
        guard output.utf8.count + text.utf8.count <= limits.outputBytes else {
            throw TemplateError(.limit, "more than \(limits.outputBytes) bytes of output")
        }
        output += text
    }

    private func within<Result>(
        _ inner: TemplateScope, _ body: () throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let outer = scope
        scope = inner
        defer { scope = outer }
        return try body()
    }

    private func captured(_ body: () throws(TemplateError) -> Void) throws(TemplateError) -> String {
        let outer = output
        output = ""
        defer { output = outer }
        try body()
        return output
    }

    // MARK: - Statements

    func execute(_ body: [TemplateStatement]) throws(TemplateError) -> Flow {
        try deeper { () throws(TemplateError) in
            for statement in body {
                do throws(TemplateError) {
                    let flow = try execute(statement)
                    if flow != .normal { return flow }
                } catch {
                    var error = error
                    if error.line == nil { error.line = statement.line }
                    throw error
                }
            }
            return .normal
        }
    }

    private func execute(_ statement: TemplateStatement) throws(TemplateError) -> Flow {
        try charge()
        switch statement.kind {
        case .text(let text): try emit(text)
        case .output(let expression): try emit(try text(of: try evaluate(expression)))
        case .conditional(let branches, let otherwise):
            for branch in branches where try evaluate(branch.test).isTrue { return try execute(branch.body) }
            return try execute(otherwise)
        case .loop(let target, let over, let filter, let body, let otherwise):
            try executeLoop(target, over, filter, body, otherwise)
        case .assign(let target, let expression): try assign(target, try evaluate(expression))
        case .capture(let target, let filters, let body):
            let text = try captured { () throws(TemplateError) in
                _ = try within(TemplateScope(parent: scope)) { () throws(TemplateError) in try execute(body) }
            }
            try assign(target, try apply(filters, to: .string(text)))
        case .macro(let definition):
            scope.variables[definition.name] = .macro(TemplateMacro(definition: definition, scope: scope))
        case .callBlock(let call, let definition):
            guard case .postfix(let base, var steps) = call, case .call(let arguments)? = steps.popLast() else { break }
            let callee = try apply(steps, to: try evaluate(base))
            let caller = TemplateMacro(definition: definition, scope: scope)
            let result = try self.call(callee, try evaluate(arguments), caller: .macro(caller))
            try emit(try text(of: result))
        case .filterBlock(let filters, let body):
            let text = try captured { () throws(TemplateError) in
                _ = try within(TemplateScope(parent: scope)) { () throws(TemplateError) in try execute(body) }
            }
            try emit(try self.text(of: try apply(filters, to: .string(text))))
        case .with(let bindings, let body):
            let inner = TemplateScope(parent: scope)
            for binding in bindings {
                let value = try evaluate(binding.value)
                try within(inner) { () throws(TemplateError) in try assign(binding.target, value) }
            }
            return try within(inner) { () throws(TemplateError) in try execute(body) }
        case .scope(let body): return try execute(body)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .normal
    }

    private func executeLoop(
        _ target: AssignmentTarget, _ over: TemplateExpression, _ filter: TemplateExpression?,
        _ body: [TemplateStatement], _ otherwise: [TemplateStatement]
    ) throws(TemplateError) {
        var items = try self.items(of: try evaluate(over))
        if let filter {
            var kept: [TemplateValue] = []
            for item in items {
                try charge()
                let keeps = try within(TemplateScope(parent: scope)) { () throws(TemplateError) in
                    try assign(target, item)
                    return try evaluate(filter).isTrue
                }
                if keeps { kept.append(item) }
            }
            items = kept
        }
        guard !items.isEmpty else {
            _ = try execute(otherwise)
            return
        }
        let loop = TemplateLoop(items: TemplateList(items), depth: loopDepth)
        _ = try checked(.loop(loop))
        loopDepth += 1
        defer { loopDepth -= 1 }
        for (index, item) in items.enumerated() {
            try charge()
            loop.index = index
            let inner = TemplateScope(parent: scope)
            inner.variables["loop"] = .loop(loop)
            let flow = try within(inner) { () throws(TemplateError) in
                try assign(target, item)
                return try execute(body)
            }
            if flow == .breakLoop { break }
        }
    }

    private func assign(_ target: AssignmentTarget, _ value: TemplateValue) throws(TemplateError) {
        switch target {
        case .name(let name): scope.variables[name] = value
        case .field(let name, let field):
            guard case .namespace(let namespace)? = scope.lookup(name) else {
                throw TemplateError(.evaluation, "cannot assign attribute on non-namespace object '\(name)'")
            }
            namespace.fields.append(.string(field), value)
        case .tuple(let targets):
            let items = try self.items(of: value)
            guard items.count == targets.count else {
                throw TemplateError(.evaluation, "expected \(targets.count) values to unpack, got \(items.count)")
            }
            for (target, item) in zip(targets, items) { try assign(target, item) }
        }
    }

    /// What iterating over the value gives.
    func items(of value: TemplateValue) throws(TemplateError) -> [TemplateValue] {
        switch value {
        case .list(let items), .tuple(let items): return items.elements
        case .string(let text):
            try charge(text.utf8.count)
            return text.unicodeScalars.map { .string(String(Character($0))) }
        case .dictionary(let dictionary): return dictionary.entries.map(\.key)
        case .undefined: return []
        default: throw TemplateError(.evaluation, "'\(value.typeName)' object is not iterable")
        }
    }

    // MARK: - Expressions

    func evaluate(_ expression: TemplateExpression) throws(TemplateError) -> TemplateValue {
        try charge()
        switch expression {
        case .constant(let constant): return constant.value
        case .name(let name): return scope.lookup(name) ?? .undefined("'\(name)' is undefined")
        default: return try checked(try deeper { () throws(TemplateError) in try evaluateCompound(expression) })
        }
    }

    private func evaluateCompound(_ expression: TemplateExpression) throws(TemplateError) -> TemplateValue {
        switch expression {
        case .constant(let constant): return constant.value
        case .name(let name): return scope.lookup(name) ?? .undefined("'\(name)' is undefined")
        case .list(let items): return .list(TemplateList(try evaluate(items)))
        case .tuple(let items): return .tuple(TemplateList(try evaluate(items)))
        case .dictionary(let entries):
            var dictionary = TemplateDictionary()
            for entry in entries {
                let key = try evaluate(entry.key)
                switch key {
                case .list, .dictionary: throw TemplateError(.evaluation, "unhashable type: '\(key.typeName)'")
                default: dictionary.append(key, try evaluate(entry.value))
                }
            }
            return .dictionary(dictionary)
        case .conditional(let test, let then, let otherwise):
            if try evaluate(test).isTrue { return try evaluate(then) }
            guard let otherwise else {
                return .undefined("the inline if-expression evaluated to false and no else section was defined")
            }
            return try evaluate(otherwise)
        case .or(let operands):
            var value = TemplateValue.none
            for operand in operands {
                value = try evaluate(operand)
                if value.isTrue { break }
            }
            return value
        case .and(let operands):
            var value = TemplateValue.none
            for operand in operands {
                value = try evaluate(operand)
                if !value.isTrue { break }
            }
            return value
        case .not(let operand): return .boolean(!(try evaluate(operand).isTrue))
        case .comparison(let first, let rest):
            var left = try evaluate(first)
            for (comparison, operand) in rest {
                let right = try evaluate(operand)
                guard try compare(left, comparison, right) else { return .boolean(false) }
                left = right
            }
            return .boolean(true)
        case .arithmetic(let first, let rest):
            var value = try evaluate(first)
            for (operation, operand) in rest { value = try calculate(value, operation, try evaluate(operand)) }
            return value
        case .concatenation(let operands):
            var text = ""
            for operand in operands {
                let part = try self.text(of: try evaluate(operand))
                try chargeText(part.utf8.count)
                text += part
            }
            return .string(text)
        case .negative(let operand): return try negate(try evaluate(operand))
        case .positive(let operand):
            let value = try evaluate(operand)
            switch try number(value, "unary +") {
            case .integer(let number): return .integer(number)
            case .double(let number): return .double(number)
            }
        case .postfix(let base, let steps): return try apply(steps, to: try evaluate(base))
        }
    }

    private func evaluate(_ expressions: [TemplateExpression]) throws(TemplateError) -> [TemplateValue] {
        var values: [TemplateValue] = []
        for expression in expressions { values.append(try evaluate(expression)) }
        return values
    }

    private func evaluate(_ arguments: CallArguments) throws(TemplateError) -> TemplateArguments {
        var result = TemplateArguments(positional: try evaluate(arguments.positional))
        for argument in arguments.named { result.named.append((argument.name, try evaluate(argument.value))) }
        return result
    }

    func apply(_ steps: [PostfixStep], to base: TemplateValue) throws(TemplateError) -> TemplateValue {
        var value = base
        for step in steps {
            try charge()
            value = try checked(value)
            switch step {
            case .attribute(let name): value = try attribute(name, of: value)
            case .item(let expression): value = try item(try evaluate(expression), of: value)
            case .slice(let from, let to, let by):
                let from = try from.map { (part) throws(TemplateError) in try bound(part) } ?? nil
                let to = try to.map { (part) throws(TemplateError) in try bound(part) } ?? nil
                let by = try by.map { (part) throws(TemplateError) in try bound(part) } ?? nil
                value = try slice(value, from, to, by)
            case .call(let arguments): value = try call(value, try evaluate(arguments), caller: nil)
            case .filter(let name, let arguments): value = try filter(name, value, try evaluate(arguments))
            case .test(let name, let arguments, let negated):
                value = .boolean(try test(name, value, try evaluate(arguments)) != negated)
            }
        }
        return value
    }

    private func bound(_ expression: TemplateExpression) throws(TemplateError) -> Int? {
        let value = try evaluate(expression)
        if case .none = value { return nil }
        guard let integer = value.integerValue else {
            throw TemplateError(.evaluation, "slice indices must be integers or None")
        }
        return integer
    }

    // MARK: - Access

    /// Throws what using an undefined value means.
    func require(_ value: TemplateValue) throws(TemplateError) {
        if case .undefined(let message) = value { throw TemplateError(.evaluation, message) }
    }

    private func missing(_ name: String, in value: TemplateValue) -> TemplateValue {
        .undefined("'\(value.typeName) object' has no attribute '\(name)'")
    }

    func attribute(_ name: String, of value: TemplateValue) throws(TemplateError) -> TemplateValue {
        switch value {
        case .undefined: try require(value)
        case .dictionary(let dictionary):
            if Self.dictionaryMethods.contains(name) { return .method(value, name) }
            return dictionary[name] ?? missing(name, in: value)
        case .namespace(let namespace): return namespace.fields[name] ?? missing(name, in: value)
        case .string: if Self.stringMethods.contains(name) { return .method(value, name) }
        case .list: if name == "index" || name == "count" || name == "copy" { return .method(value, name) }
        case .tuple(let items):
            if name == "index" || name == "count" { return .method(value, name) }
            // Groups are pairs with names.
            if items.count == 2, name == "grouper" || name == "list" { return items[name == "grouper" ? 0 : 1] }
        case .loop(let loop): return attribute(name, of: loop) ?? missing(name, in: value)
        case .macro(let macro): if name == "name" { return .string(macro.definition.name) }
        default: break
        }
        return missing(name, in: value)
    }

    private func attribute(_ name: String, of loop: TemplateLoop) -> TemplateValue? {
        let last = loop.items.count - 1
        return switch name {
        case "index": .integer(loop.index + 1)
        case "index0": .integer(loop.index)
        case "revindex": .integer(last - loop.index + 1)
        case "revindex0": .integer(last - loop.index)
        case "first": .boolean(loop.index == 0)
        case "last": .boolean(loop.index == last)
        case "length": .integer(loop.items.count)
        case "depth": .integer(loop.depth + 1)
        case "depth0": .integer(loop.depth)
        case "previtem": loop.index > 0 ? loop.items[loop.index - 1] : .undefined("there is no previous item")
        case "nextitem": loop.index < last ? loop.items[loop.index + 1] : .undefined("there is no next item")
        case "cycle", "changed": .method(.loop(loop), name)
        default: nil
        }
    }

    func item(_ key: TemplateValue, of value: TemplateValue) throws(TemplateError) -> TemplateValue {
        switch value {
        case .undefined: try require(value)
        case .dictionary(let dictionary):
            if case .string = key {} else { try charge(dictionary.count + key.extent.weight) }
            if let found = dictionary[key] { return found }
        case .list(let items), .tuple(let items):
            if let index = key.integerValue {
                let place = index < 0 ? index + items.count : index
                return items.indices.contains(place) ? items[place] : .undefined("list index out of range")
            }
        case .string(let text):
            if let index = key.integerValue {
                let scalars = Array(text.unicodeScalars)
                let place = index < 0 ? index + scalars.count : index
                guard scalars.indices.contains(place) else { return .undefined("string index out of range") }
                return .string(String(Character(scalars[place])))
            }
        default: break
        }
        if case .string(let name) = key {
            // A subscript finds what an attribute would, except that a mapping's own keys went first.
            if case .dictionary = value, !Self.dictionaryMethods.contains(name) { return missing(name, in: value) }
            return try attribute(name, of: value)
        }
        return missing(try text(of: key), in: value)
    }

    private func slice(_ value: TemplateValue, _ from: Int?, _ to: Int?, _ by: Int?) throws(TemplateError)
        -> TemplateValue
    {
        let step = by ?? 1
        guard step != 0 else { throw TemplateError(.evaluation, "slice step cannot be zero") }
        func picked<Element>(_ items: [Element]) -> [Element] {
            let count = items.count
            func clamp(_ bound: Int?, _ missing: Int) -> Int {
                guard let bound else { return missing }
                let place = bound < 0 ? max(bound, -count - 1) + count : bound
                return step > 0 ? min(max(place, 0), count) : min(max(place, -1), count - 1)
            }
            var index = clamp(from, step > 0 ? 0 : count - 1)
            let end = clamp(to, step > 0 ? count : -1)
            var result: [Element] = []
            while step > 0 ? index < end : index > end {
                result.append(items[index])
                let (next, overflow) = index.addingReportingOverflow(step)
                if overflow { break }
                index = next
            }
            return result
        }
        switch value {
        case .undefined: try require(value)
        case .list(let items): return try madeList(picked(items.elements))
        case .tuple(let items): return .tuple(TemplateList(picked(items.elements)))
        case .string(let text):
            try charge(text.utf8.count / 16)
            return try made(PythonText.text(picked(Array(text.unicodeScalars))))
        default: break
        }
        throw TemplateError(.evaluation, "'\(value.typeName)' object cannot be sliced")
    }

    // MARK: - Calls

    func call(
        _ callee: TemplateValue, _ arguments: TemplateArguments, caller: TemplateValue?
    ) throws(TemplateError) -> TemplateValue {
        switch callee {
        case .function(let function): return try call(function, arguments)
        case .method(let receiver, let name): return try callMethod(name, of: receiver, arguments)
        case .macro(let macro): return try call(macro, arguments, caller: caller)
        case .undefined: try require(callee)
        default: break
        }
        throw TemplateError(.evaluation, "'\(callee.typeName)' object is not callable")
    }

    private func call(
        _ macro: TemplateMacro, _ arguments: TemplateArguments, caller: TemplateValue?
    ) throws(TemplateError) -> TemplateValue {
        let definition = macro.definition
        let inner = TemplateScope(parent: macro.scope ?? globals)
        if let caller { inner.variables["caller"] = caller }
        var rest: [TemplateValue] = []
        if arguments.positional.count > definition.parameters.count {
            rest = Array(arguments.positional[definition.parameters.count...])
        }
        var extra = TemplateDictionary()
        for argument in arguments.named where !definition.parameters.contains(where: { $0.name == argument.name }) {
            extra.append(.string(argument.name), argument.value)
        }
        inner.variables["varargs"] = .tuple(TemplateList(rest))
        inner.variables["kwargs"] = .dictionary(extra)
        let text = try within(inner) { () throws(TemplateError) in
            for (index, parameter) in definition.parameters.enumerated() {
                if index < arguments.positional.count {
                    inner.variables[parameter.name] = arguments.positional[index]
                } else if let named = arguments.named.first(where: { $0.name == parameter.name }) {
                    inner.variables[parameter.name] = named.value
                } else if let initial = parameter.initial {
                    inner.variables[parameter.name] = try evaluate(initial)
                } else {
                    inner.variables[parameter.name] = .undefined("parameter '\(parameter.name)' was not provided")
                }
            }
            return try captured { () throws(TemplateError) in _ = try execute(definition.body) }
        }
        return .string(text)
    }
}

/// Evaluated arguments of a call, filter or test.
struct TemplateArguments {
    var positional: [TemplateValue] = []
    var named: [(name: String, value: TemplateValue)] = []

    /// The argument at a position or with a name.
    func value(_ index: Int, _ name: String) -> TemplateValue? {
        if index < positional.count { return positional[index] }
        return named.first { $0.name == name }?.value
    }

    func named(_ name: String) -> TemplateValue? { named.first { $0.name == name }?.value }
}
