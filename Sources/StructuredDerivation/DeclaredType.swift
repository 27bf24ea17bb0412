// SPDX-License-Identifier: Apache-2.0

import SwiftSyntax
import SwiftSyntaxMacros

/// The type of a property or value as it is written.
struct DeclaredType {
    /// What is known of a type from its spelling.
    enum Kind {
        case integer, float, text, flag, date, list, map, unknown
    }

    /// The type without the mark of an optional.
    let text: String
    let isOptional: Bool
    private let kind: Kind

    private static let integers: Set<String> = [
        "Int", "Int8", "Int16", "Int32", "Int64", "UInt", "UInt8", "UInt16", "UInt32", "UInt64",
    ]
    private static let floats: Set<String> = ["Double", "Float", "Decimal"]

    /// Reads a type; nil, with a diagnostic, where no schema can be derived from it.
    init?(_ type: TypeSyntax, _ context: some MacroExpansionContext) {
        if let forced = type.as(ImplicitlyUnwrappedOptionalTypeSyntax.self) {
            context.report(
                .unsupportedType(type.trimmedDescription, "write '\(forced.wrappedType.trimmedDescription)?'"), at: type
            )
            return nil
        }
        let wrapped = Self.wrapped(type)
        if let wrapped, Self.wrapped(wrapped) != nil {
            context.report(
                .unsupportedType(type.trimmedDescription, "JSON cannot tell one 'nil' from the other"), at: type)
            return nil
        }
        let plain = wrapped ?? type
        if let reason = Self.refusal(plain) {
            context.report(.unsupportedType(plain.trimmedDescription, reason), at: plain)
            return nil
        }
        text = plain.trimmedDescription
        isOptional = wrapped != nil
        kind = Self.kind(plain)
    }

    /// What an optional type holds; nil for other types.
    private static func wrapped(_ type: TypeSyntax) -> TypeSyntax? {
        if let optional = type.as(OptionalTypeSyntax.self) { return optional.wrappedType }
        guard let name = type.as(IdentifierTypeSyntax.self), name.name.text == "Optional",
            let argument = name.genericArgumentClause?.arguments.first?.argument.trimmedDescription
        else { return nil }
        return TypeSyntax(stringLiteral: argument)
    }

    private static func refusal(_ type: TypeSyntax) -> String? {
        if let tuple = type.as(TupleTypeSyntax.self) {
            return tuple.elements.count == 1 ? nil : "declare a '@Structured' struct in place of a tuple"
        }
        if type.is(FunctionTypeSyntax.self) { return "functions are no data" }
        if type.is(SomeOrAnyTypeSyntax.self) { return "it does not say which type a value has" }
        if type.is(MetatypeTypeSyntax.self) { return "types are no data" }
        switch type.trimmedDescription {
        case "Any", "AnyObject": return "it does not say which type a value has"
        case "Character": return "use 'String' with a guide such as '.length(1)'"
        case "Data": return "use 'String'"
        default: break
        }
        if let name = type.as(IdentifierTypeSyntax.self), name.name.text == "Set" {
            return "use an array with the guide '.uniqueElements'"
        }
        guard let pair = pair(type), pair.key != "String" else { return nil }
        return "the keys of JSON objects are texts: use '[String: \(pair.value)]'"
    }

    private static func pair(_ type: TypeSyntax) -> (key: String, value: String)? {
        if let map = type.as(DictionaryTypeSyntax.self) {
            return (map.key.trimmedDescription, map.value.trimmedDescription)
        }
        guard let name = type.as(IdentifierTypeSyntax.self), name.name.text == "Dictionary",
            let arguments = name.genericArgumentClause?.arguments.map(\.argument.trimmedDescription),
            arguments.count == 2
        else { return nil }
        return (arguments[0], arguments[1])
    }

    private static func kind(_ type: TypeSyntax) -> Kind {
        if type.is(ArrayTypeSyntax.self) { return .list }
        if pair(type) != nil { return .map }
        let name = type.trimmedDescription
        if integers.contains(name) { return .integer }
        if floats.contains(name) { return .float }
        switch name {
        case "String": return .text
        case "Bool": return .flag
        case "Date": return .date
        default: return name.hasPrefix("Array<") ? .list : .unknown
        }
    }

    // MARK: Guides

    /// What guides are for, by their names.
    private static let uses: [String: (kinds: Set<Kind>, text: String)] = {
        var uses: [String: (kinds: Set<Kind>, text: String)] = [:]
        for name in ["range", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"] {
            uses[name] = ([.integer, .float], "numbers")
        }
        for name in ["pattern", "length", "minimumLength", "maximumLength", "verbatim"] {
            uses[name] = ([.text], "texts")
        }
        uses["format"] = ([.text, .date], "texts and dates")
        for name in ["count", "minimumCount", "maximumCount"] {
            uses[name] = ([.list, .map], "arrays and dictionaries")
        }
        for name in ["element", "uniqueElements"] { uses[name] = ([.list], "arrays") }
        for name in ["keys", "values"] { uses[name] = ([.map], "dictionaries") }
        return uses
    }()

    /// Reports a guide that is not for this type, where that is plain from the spelling.
    func check(_ guide: ExprSyntax, _ context: some MacroExpansionContext) {
        guard kind != .unknown else { return }
        let call = guide.as(FunctionCallExprSyntax.self)
        guard let member = (call?.calledExpression ?? guide).as(MemberAccessExprSyntax.self),
            let use = Self.uses[member.declName.baseName.text], !use.kinds.contains(kind)
        else { return }
        context.report(.guideDoesNotApply(member.declName.baseName.text, to: text, use.text), at: guide)
    }

    /// The type of a value that is not complete yet.
    var partial: String {
        let isWhole = [.integer, .float, .text, .flag, .date].contains(kind)
        return isWhole ? text : "Formwork.Partial<\(text)>"
    }
}
