// SPDX-License-Identifier: Apache-2.0

import StructuredDerivation
import SwiftCompilerPlugin
import SwiftSyntax
import SwiftSyntaxMacros

@main
struct FormworkPlugin: CompilerPlugin {
    let providingMacros: [any Macro.Type] = [StructuredMacro.self, GuideMacro.self]
}

// The compiler looks for macros in the plugin's own module.

/// `@Structured`.
struct StructuredMacro: ExtensionMacro {
    static func expansion(
        of node: AttributeSyntax, attachedTo declaration: some DeclGroupSyntax,
        providingExtensionsOf type: some TypeSyntaxProtocol, conformingTo protocols: [TypeSyntax],
        in context: some MacroExpansionContext
    ) throws -> [ExtensionDeclSyntax] {
        try StructuredExpansion.expansion(
            of: node, attachedTo: declaration, providingExtensionsOf: type, conformingTo: protocols, in: context)
    }
}

/// `@Guide`.
struct GuideMacro: PeerMacro {
    static func expansion(
        of node: AttributeSyntax, providingPeersOf declaration: some DeclSyntaxProtocol,
        in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
        GuideExpansion.expansion(of: node, providingPeersOf: declaration, in: context)
    }
}
