// SPDX-License-Identifier: Apache-2.0

import SwiftDiagnostics
import SwiftSyntax
import SwiftSyntaxMacros

/// Something in a declaration that the macros cannot derive a schema from.
struct MacroProblem: DiagnosticMessage {
    let message: String
    let id: String

    var diagnosticID: MessageID { MessageID(domain: "Formwork", id: id) }
    var severity: DiagnosticSeverity { .error }

    static func unsupportedKind(_ kind: String) -> MacroProblem {
        MacroProblem(
            message: "'@Structured' can be applied to structs and enums, but not to \(kind)", id: "unsupported-kind")
    }

    static func generic(_ name: String) -> MacroProblem {
        MacroProblem(
            message: "'@Structured' cannot be applied to the generic type '\(name)', which has no schema of its own; "
                + "apply it to types without parameters", id: "generic-type")
    }

    static let noCases = MacroProblem(
        message: "'@Structured' needs at least one case: no value fits an enum without cases", id: "no-cases")

    static func missingType(_ name: String) -> MacroProblem {
        MacroProblem(message: "'\(name)' needs a type annotation, from which its schema is derived", id: "missing-type")
    }

    static func constant(_ name: String) -> MacroProblem {
        MacroProblem(
            message: "'\(name)' is a constant that has a value already, so nothing can be read into it; make it 'var', "
                + "'static let', or leave out the value and add '@Guide(.constant(…))'", id: "constant-with-value")
    }

    static func unsupportedProperty(_ name: String, _ reason: String) -> MacroProblem {
        MacroProblem(message: "'\(name)' cannot be part of a schema: \(reason)", id: "unsupported-property")
    }

    static func unsupportedType(_ type: String, _ reason: String) -> MacroProblem {
        MacroProblem(message: "'\(type)' has no schema: \(reason)", id: "unsupported-type")
    }

    static let tuplePattern = MacroProblem(
        message: "properties that are declared together in a tuple have no names in a schema; declare one at a time",
        id: "tuple-pattern")

    static let conditional = MacroProblem(
        message: "what stands inside '#if' is not known when the schema is derived; move it out of the type",
        id: "conditional-member")

    static func unlabelled(_ name: String) -> MacroProblem {
        MacroProblem(
            message: "the values of the case '\(name)' need labels, which are their keys in JSON",
            id: "unlabelled-values")
    }

    static func guideDoesNotApply(_ guide: String, to type: String, _ kind: String) -> MacroProblem {
        MacroProblem(message: "the guide '.\(guide)' is for \(kind), not for '\(type)'", id: "guide-does-not-apply")
    }

    static let guidePlace = MacroProblem(
        message: "'@Guide' can be applied to stored properties of '@Structured' types only", id: "guide-place")

    static let guideTwice = MacroProblem(
        message: "a property can have one '@Guide'; give all guides in it", id: "guide-twice")
}

extension MacroExpansionContext {
    func report(_ problem: MacroProblem, at node: some SyntaxProtocol) {
        diagnose(Diagnostic(node: Syntax(node), message: problem))
    }
}
