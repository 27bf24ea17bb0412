// SPDX-License-Identifier: Apache-2.0

package import SwiftSyntax
package import SwiftSyntaxMacros

/// `@Guide`: makes no code of its own, but sees to it that `@Structured` takes note of it.
package enum GuideExpansion: PeerMacro {
    package static func expansion(
        of node: AttributeSyntax, providingPeersOf declaration: some DeclSyntaxProtocol,
        in context: some MacroExpansionContext
    ) -> [DeclSyntax] {
        let isStored = declaration.as(VariableDeclSyntax.self).map { DeclaredProperty.isStored($0) } ?? false
        let isSeen = context.lexicalContext.first.map(isStructured) ?? false
        if !isStored || !isSeen { context.report(.guidePlace, at: node) }
        return []
    }

    private static func isStructured(_ type: Syntax) -> Bool {
        guard type.is(StructDeclSyntax.self) else { return false }
        return type.asProtocol((any WithAttributesSyntax).self)?.attributes.contains {
            let name = $0.as(AttributeSyntax.self)?.attributeName.trimmedDescription
            return name == "Structured" || name == "Formwork.Structured"
        } ?? false
    }
}
