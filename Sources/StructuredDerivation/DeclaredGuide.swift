// SPDX-License-Identifier: Apache-2.0

import SwiftSyntax
import SwiftSyntaxMacros

/// The arguments of a `@Guide`.
struct DeclaredGuide {
    /// An expression for the description.
    var description: String?
    var guides: [ExprSyntax]

    static func isGuide(_ attribute: AttributeSyntax) -> Bool {
        ["Guide", "Formwork.Guide"].contains(attribute.attributeName.trimmedDescription)
    }

    /// The guide among the attributes of a property.
    static func find(_ attributes: AttributeListSyntax, _ context: some MacroExpansionContext) -> DeclaredGuide? {
        let found = attributes.compactMap { $0.as(AttributeSyntax.self) }.filter(isGuide)
        for other in found.dropFirst() { context.report(.guideTwice, at: other) }
        return found.first.map(read)
    }

    private static func read(_ attribute: AttributeSyntax) -> DeclaredGuide {
        var guide = DeclaredGuide(guides: [])
        guard case .argumentList(let arguments) = attribute.arguments else { return guide }
        for argument in arguments {
            if argument.label?.text == "description" {
                if !argument.expression.is(NilLiteralExprSyntax.self) {
                    guide.description = argument.expression.trimmedDescription
                }
            } else {
                guide.guides.append(argument.expression)
            }
        }
        return guide
    }
}
