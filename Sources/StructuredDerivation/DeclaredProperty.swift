// SPDX-License-Identifier: Apache-2.0

import SwiftSyntax
import SwiftSyntaxMacros

/// A stored property that becomes a member of the schema, as it is written.
struct DeclaredProperty {
    /// The name in Swift source, with backticks where it has them.
    var name: String
    var access = DeclaredAccess.usual
    /// The type without the mark of an optional.
    var type: String
    /// The type of what there is before the value has come in full.
    var partialType: String
    var isOptional: Bool
    /// Whether an absent member leaves the property at the value that the declaration gives it.
    var hasDefault: Bool
    /// That value, where it can be shown in the schema; `nil` itself is none.
    var shownDefault: String?
    /// An expression for the description.
    var description: String?
    /// The guides' expressions.
    var guides: [String]

    /// The member's key in JSON.
    var key: String { name.filter { $0 != "`" } }

    /// Whether JSON's `null` means something else than absence.
    var isNullable: Bool { isOptional && hasDefault }

    // MARK: Reading a declaration

    /// The stored properties of a struct.
    static func all(
        in members: MemberBlockItemListSyntax, _ context: some MacroExpansionContext
    ) -> [DeclaredProperty] {
        members.flatMap { member -> [DeclaredProperty] in
            if let conditional = member.decl.as(IfConfigDeclSyntax.self) {
                if holdsProperties(conditional) { context.report(.conditional, at: conditional) }
                return []
            }
            guard let variable = member.decl.as(VariableDeclSyntax.self) else { return [] }
            return read(variable, context)
        }
    }

    /// Whether a conditional part of a type declares stored properties or cases.
    static func holdsProperties(_ conditional: IfConfigDeclSyntax) -> Bool {
        conditional.clauses.contains { clause in
            guard case .decls(let members) = clause.elements else { return false }
            return members.contains {
                $0.decl.as(VariableDeclSyntax.self).map { isStored($0) } ?? $0.decl.is(EnumCaseDeclSyntax.self)
            }
        }
    }

    /// Whether a declaration makes stored properties of instances.
    static func isStored(_ variable: VariableDeclSyntax) -> Bool {
        let isStatic = variable.modifiers.contains { ["static", "class"].contains($0.name.text) }
        return !isStatic && variable.bindings.contains { !isComputed($0) }
    }

    private static func isComputed(_ binding: PatternBindingSyntax) -> Bool {
        guard let accessors = binding.accessorBlock?.accessors else { return false }
        switch accessors {
        case .getter: return true
        case .accessors(let list):
            return !list.allSatisfy { ["willSet", "didSet"].contains($0.accessorSpecifier.text) }
        }
    }

    private static func read(
        _ variable: VariableDeclSyntax, _ context: some MacroExpansionContext
    ) -> [DeclaredProperty] {
        guard isStored(variable) else { return [] }
        let guide = DeclaredGuide.find(variable.attributes, context)
        let description = guide?.description ?? Documentation.summary(of: variable).map(literal)
        var properties: [DeclaredProperty] = []
        var annotation: TypeSyntax?
        // In `var a, b: Int` the type stands behind the last name.
        for binding in variable.bindings.reversed() where !isComputed(binding) {
            guard let pattern = binding.pattern.as(IdentifierPatternSyntax.self) else {
                context.report(.tuplePattern, at: binding.pattern)
                continue
            }
            let name = pattern.identifier.text
            if let problem = problem(of: variable, name) {
                context.report(problem.0, at: problem.1)
                continue
            }
            let value = binding.initializer?.value
            if value != nil, variable.bindingSpecifier.tokenKind == .keyword(.let) {
                context.report(.constant(name), at: pattern)
                continue
            }
            annotation = binding.typeAnnotation?.type ?? (value == nil ? annotation : nil)
            guard let written = annotation ?? value.flatMap(literalType) else {
                context.report(.missingType(name), at: pattern)
                continue
            }
            guard let type = DeclaredType(written, context) else { continue }
            for expression in guide?.guides ?? [] { type.check(expression, context) }
            let isNil = value?.is(NilLiteralExprSyntax.self) == true
            properties.append(
                DeclaredProperty(
                    name: name, access: DeclaredAccess(variable.modifiers), type: type.text, partialType: type.partial,
                    isOptional: type.isOptional, hasDefault: value != nil && !isNil,
                    shownDefault: value.flatMap { !isNil && isPlain($0) ? $0.trimmedDescription : nil },
                    description: description, guides: guide?.guides.map(\.trimmedDescription) ?? []))
        }
        return properties.reversed()
    }

    /// What in a declaration keeps its properties from being derived, and where that is written.
    private static func problem(of variable: VariableDeclSyntax, _ name: String) -> (MacroProblem, Syntax)? {
        for modifier in variable.modifiers where ["lazy", "weak", "unowned"].contains(modifier.name.text) {
            let reason = "a '\(modifier.name.text)' property holds no value of its own"
            return (.unsupportedProperty(name, reason), Syntax(modifier))
        }
        let known = ["Guide", "available", "usableFromInline", "MainActor", "nonisolated", "preconcurrency"]
        for attribute in variable.attributes {
            guard let attribute = attribute.as(AttributeSyntax.self) else {
                return (.conditional, Syntax(attribute))
            }
            let text = attribute.attributeName.trimmedDescription
            if !known.contains(text), text != "Formwork.Guide" {
                let reason = "'@\(text)' may change how it is stored"
                return (.unsupportedProperty(name, reason), Syntax(attribute))
            }
        }
        return nil
    }

    /// The type of a property whose value is a plain literal.
    private static func literalType(_ value: ExprSyntax) -> TypeSyntax? {
        if value.is(StringLiteralExprSyntax.self) { return "String" }
        if value.is(IntegerLiteralExprSyntax.self) { return "Int" }
        if value.is(FloatLiteralExprSyntax.self) { return "Double" }
        if value.is(BooleanLiteralExprSyntax.self) { return "Bool" }
        if let sign = value.as(PrefixOperatorExprSyntax.self), sign.operator.text == "-" {
            return literalType(sign.expression)
        }
        return nil
    }

    /// Whether a value is the same each time it is computed: only such a one belongs into a schema.
    static func isPlain(_ value: ExprSyntax) -> Bool {
        if let sign = value.as(PrefixOperatorExprSyntax.self) { return isPlain(sign.expression) }
        if let array = value.as(ArrayExprSyntax.self) { return array.elements.allSatisfy { isPlain($0.expression) } }
        if let map = value.as(DictionaryExprSyntax.self) {
            guard case .elements(let elements) = map.content else { return true }
            return elements.allSatisfy { isPlain($0.key) && isPlain($0.value) }
        }
        if let member = value.as(MemberAccessExprSyntax.self) { return member.base == nil }
        if let text = value.as(StringLiteralExprSyntax.self) {
            return text.segments.allSatisfy { $0.is(StringSegmentSyntax.self) }
        }
        return value.is(IntegerLiteralExprSyntax.self) || value.is(FloatLiteralExprSyntax.self)
            || value.is(BooleanLiteralExprSyntax.self)
    }
}

/// A text as a literal of Swift source.
func literal(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": literal += "\\\(scalar)"
        case _ where scalar.value < 0x20: literal += "\\u{\(String(scalar.value, radix: 16))}"
        default: literal.unicodeScalars.append(scalar)
        }
    }
    return literal + "\""
}
