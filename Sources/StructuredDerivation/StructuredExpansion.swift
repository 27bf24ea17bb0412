// SPDX-License-Identifier: Apache-2.0

package import SwiftSyntax
package import SwiftSyntaxMacros

/// `@Structured`: derives the conformance to `Structured` from a declaration.
package enum StructuredExpansion {
    /// What the macro was applied to.
    private enum Declared {
        case record(DeclaredRecord)
        case choice(DeclaredChoice)
    }

    /// Reads the declaration; nil where something in it stands in the way.
    private static func read(
        _ declaration: some DeclGroupSyntax, _ attribute: AttributeSyntax, _ context: some MacroExpansionContext
    ) -> Declared? {
        let description = stated(attribute) ?? Documentation.summary(of: declaration).map(literal)
        // Nothing needs to be narrower than its type.
        let access = max(DeclaredAccess(declaration.modifiers), .usual)
        if let record = declaration.as(StructDeclSyntax.self) {
            if let clause = record.genericParameterClause {
                context.report(.generic(record.name.text), at: clause)
                return nil
            }
            let properties = DeclaredProperty.all(in: record.memberBlock.members, context)
            return .record(
                DeclaredRecord(
                    name: record.name.text, access: access, description: description, properties: properties))
        }
        if let choice = declaration.as(EnumDeclSyntax.self) {
            if let clause = choice.genericParameterClause {
                context.report(.generic(choice.name.text), at: clause)
                return nil
            }
            return DeclaredChoice(choice, access: access, description: description, context).map { .choice($0) }
        }
        let kinds: [String: String] = ["class": "classes", "actor": "actors", "protocol": "protocols"]
        let keyword = declaration.introducer.text
        context.report(.unsupportedKind(kinds[keyword] ?? "'\(keyword)'"), at: declaration.introducer)
        return nil
    }

    /// The description that the attribute gives.
    private static func stated(_ attribute: AttributeSyntax) -> String? {
        guard case .argumentList(let arguments) = attribute.arguments,
            let argument = arguments.first(where: { $0.label?.text == "description" }),
            !argument.expression.is(NilLiteralExprSyntax.self)
        else { return nil }
        return argument.expression.trimmedDescription
    }
}

extension StructuredExpansion: ExtensionMacro {
    package static func expansion(
        of node: AttributeSyntax, attachedTo declaration: some DeclGroupSyntax,
        providingExtensionsOf type: some TypeSyntaxProtocol, conformingTo protocols: [TypeSyntax],
        in context: some MacroExpansionContext
    ) throws -> [ExtensionDeclSyntax] {
        let text: String
        switch read(declaration, node, context) {
        case .record(let record): text = record.conformance(of: type.trimmedDescription)
        case .choice(let choice): text = choice.conformance(of: type.trimmedDescription)
        case nil: return []
        }
        guard let made = DeclSyntax(stringLiteral: text).as(ExtensionDeclSyntax.self) else { return [] }
        return [made]
    }
}
