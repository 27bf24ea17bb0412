// SPDX-License-Identifier: Apache-2.0

import SwiftSyntax
import SwiftSyntaxMacros

/// An enum as it is written, and what is made of it.
struct DeclaredChoice {
    struct Value {
        /// The label in Swift source; nil for a value without one.
        var label: String?
        var property: DeclaredProperty
        /// The value that takes the place of one that is absent.
        var defaultValue: String?
    }

    struct Case {
        var name: String
        var description: String?
        var values: [Value]

        var key: String { name.filter { $0 != "`" } }
    }

    private static let rawTypes: Set<String> = [
        "String", "Int", "Int8", "Int16", "Int32", "Int64", "UInt", "UInt8", "UInt16", "UInt32", "UInt64", "Double",
        "Float",
    ]

    private let name: String
    private let access: DeclaredAccess
    private let description: String?
    private let hasRawValues: Bool
    private let cases: [Case]

    /// Reads an enum; nil, with diagnostics, where something stands in the way.
    init?(
        _ declaration: EnumDeclSyntax, access: DeclaredAccess, description: String?,
        _ context: some MacroExpansionContext
    ) {
        name = declaration.name.text
        self.access = access
        self.description = description
        let first = declaration.inheritanceClause?.inheritedTypes.first?.type.trimmedDescription
        hasRawValues = first.map { Self.rawTypes.contains($0) } ?? false
        var cases: [Case] = []
        var isRefused = false
        for member in declaration.memberBlock.members {
            if let conditional = member.decl.as(IfConfigDeclSyntax.self),
                DeclaredProperty.holdsProperties(conditional)
            {
                context.report(.conditional, at: conditional)
                isRefused = true
            }
            guard let declared = member.decl.as(EnumCaseDeclSyntax.self) else { continue }
            let summary = Documentation.summary(of: declared).map(literal)
            for element in declared.elements {
                guard let made = Self.read(element, summary, context) else {
                    isRefused = true
                    continue
                }
                cases.append(made)
            }
        }
        if cases.isEmpty, !isRefused { context.report(.noCases, at: declaration.name) }
        if cases.isEmpty || isRefused { return nil }
        self.cases = cases
    }

    private static func read(
        _ element: EnumCaseElementSyntax, _ description: String?, _ context: some MacroExpansionContext
    ) -> Case? {
        let name = element.name.text
        var values: [Value] = []
        let parameters = element.parameterClause?.parameters ?? []
        for parameter in parameters {
            var label = parameter.firstName?.text
            if label == "_" { label = nil }
            if label == nil, parameters.count > 1 {
                context.report(.unlabelled(name), at: parameter)
                return nil
            }
            guard let type = DeclaredType(parameter.type, context) else { return nil }
            let value = parameter.defaultValue?.value
            let shown = value.flatMap { DeclaredProperty.isPlain($0) ? $0.trimmedDescription : nil }
            let property = DeclaredProperty(
                name: label ?? "value", type: type.text, partialType: type.partial, isOptional: type.isOptional,
                hasDefault: label != nil && value != nil && value?.is(NilLiteralExprSyntax.self) == false,
                shownDefault: label == nil ? nil : shown, guides: [])
            values.append(Value(label: label, property: property, defaultValue: value?.trimmedDescription))
        }
        return Case(name: name, description: description, values: values)
    }

    /// The extension that makes the type conform.
    func conformance(of type: String) -> String {
        cases.contains { !$0.values.isEmpty } ? alternatives(of: type) : plain(type)
    }

    // MARK: Cases without values

    private func plain(_ type: String) -> String {
        let choices = cases.map { entry in
            let value = hasRawValues ? "Self.\(entry.name).rawValue" : literal(entry.key)
            let description = entry.description.map { ", description: \($0)" } ?? ""
            return "Formwork.Choice(\(value), Self.\(entry.name)\(description)),"
        }
        return """
            extension \(type): Formwork.Structured, Formwork.StructuredChoice {
                \(access.modifier)typealias PartiallyFilled = \(type)

                \(access.modifier)static var structuredDescription: Swift.String? {
                    \(description ?? "nil")
                }

                \(access.modifier)static var structuredChoices: [Formwork.Choice<Self>] {
                    [
                        \(lines(choices, indent: 12))
                    ]
                }
            }
            """
    }

    // MARK: Cases with values

    private func alternatives(of type: String) -> String {
        """
        extension \(type): Formwork.Structured {
            \(access.modifier)typealias PartiallyFilled = \(type)

            \(access.modifier)static func structuredSchema(in schema: inout Formwork.SchemaBuilder) -> Formwork.SchemaNode {
                schema.alternatives(Self.self, name: \(literal(name)), description: \(description ?? "nil")) { alternatives in
                    \(lines(cases.map(\.declaration), indent: 12))
                }
            }

            \(access.modifier)init(structuredValue: Formwork.StructuredValue) throws(Formwork.StructuredValueError) {
                let alternative = try structuredValue.alternative(of: Self.self)
                switch alternative.name {
                \(lines(cases.map(\.reading), indent: 8))
                default:
                    throw alternative.unknown
                }
            }

            \(access.modifier)var structuredValue: Formwork.StructuredValue {
                switch self {
                \(lines(cases.map(\.writing), indent: 8))
                }
            }
        }
        """
    }
}

extension DeclaredChoice.Case {
    /// The one value without a label.
    private var single: DeclaredChoice.Value? { values.first.flatMap { $0.label == nil ? $0 : nil } }

    fileprivate var declaration: String {
        let note = description.map { ", description: \($0)" } ?? ""
        if values.isEmpty { return "alternatives.plain(\(literal(key))\(note))" }
        if let single {
            let type = single.property.isOptional ? "Swift.Optional<\(single.property.type)>" : single.property.type
            return "alternatives.value(\(literal(key)), \(type).self\(note))"
        }
        return """
            alternatives.object(\(literal(key))\(note)) { object in
                \(lines(values.map { $0.property.declaration(in: "object") }, indent: 4))
            }
            """
    }

    fileprivate var reading: String {
        let head = "case \(literal(key)):\n"
        if values.isEmpty {
            return head + "    try alternative.expectPlain()\n    self = .\(name)"
        }
        if let single {
            let type = single.property.isOptional ? "Swift.Optional<\(single.property.type)>" : single.property.type
            return head + "    self = .\(name)(try alternative.value(as: \(type).self))"
        }
        let arguments = values.map { value in
            let property = value.property
            let key = literal(property.key)
            guard let defaultValue = value.defaultValue, property.hasDefault else {
                let call = property.isOptional ? "optional" : "value"
                return "\(property.name): try members.\(call)(\(key), as: \(property.type).self)"
            }
            let call = "try members.optional(\(key), as: \(property.type).self)"
            return property.isOptional
                ? "\(property.name): members.contains(\(key)) ? \(call) : (\(defaultValue))"
                : "\(property.name): \(call) ?? (\(defaultValue))"
        }
        return head
            + "    let members = try alternative.members\n    self = .\(name)(\(arguments.joined(separator: ", ")))"
    }

    fileprivate var writing: String {
        if values.isEmpty { return "case .\(name):\n    return .alternative(\(literal(key)))" }
        let names = values.indices.map { "value\($0)" }
        let pattern = "case .\(name)(\(names.map { "let \($0)" }.joined(separator: ", "))):\n"
        if single != nil { return pattern + "    return .alternative(\(literal(key)), value0.structuredValue)" }
        let members = zip(values, names).map { value, name in
            let call = value.property.append
            return "    members.\(call)(\(literal(value.property.key)), \(name))\n"
        }
        return pattern + "    var members = Formwork.StructuredMembers()\n" + members.joined()
            + "    return .alternative(\(literal(key)), members.value)"
    }
}
