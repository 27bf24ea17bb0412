// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The sets behind `\p{…}`: general categories, binary properties and common scripts.
///
/// Sets are built by ranges when first used and kept for the life of the process.
enum UnicodeProperty {
    enum Lookup {
        case found(ScalarSet)
        /// A property of Unicode that this table does not have.
        case unsupported
        case unknown
    }

    private static let cache = Mutex<[String: ScalarSet]>([:])

    /// The set for the text between the braces of `\p{…}`.
    static func set(named name: String) -> Lookup {
        if let known = cache.withLock({ $0[name] }) { return .found(known) }
        let lookup = compute(name)
        if case .found(let set) = lookup { cache.withLock { $0[name] = set } }
        return lookup
    }

    private static func compute(_ name: String) -> Lookup {
        if let equals = name.firstIndex(of: "=") {
            let value = String(name[name.index(after: equals)...])
            switch name[..<equals] {
            case "General_Category", "gc":
                return categories[value].map { .found(set(of: $0)) } ?? .unknown
            case "Script", "sc", "Script_Extensions", "scx":
                // Script extensions differ from scripts for a few shared marks only; they are not approximated.
                if name.hasPrefix("Script_Extensions") || name.hasPrefix("scx") { return .unsupported }
                return UnicodeScript.set(named: value).map { .found($0) } ?? .unsupported
            default:
                return .unknown
            }
        }
        if let category = categories[name] { return .found(set(of: category)) }
        switch name {
        case "Any": return .found(.all)
        case "ASCII": return .found(ScalarSet("\u{0}"..."\u{7F}"))
        case "Noncharacter_Code_Point", "NChar":
            let ends = (0...16).map { ScalarSet.Range($0 << 16 | 0xFFFE, $0 << 16 | 0xFFFF) }
            return .found(ScalarSet(ends + [ScalarSet.Range(0xFDD0, 0xFDEF)]))
        case "Assigned": return .found(set(of: [.unassigned]).complement)
        default:
            guard let predicate = binaryProperties[name] else {
                return unsupportedProperties.contains(name) ? .unsupported : .unknown
            }
            return .found(collect(predicate))
        }
    }

    // MARK: Sweeping the scalars

    /// What is swept: ideographs, Hangul syllables and private use have the properties of the scalar before the gap;
    /// planes 4 to 13 and most of 14 hold no assigned scalars, and planes 15 and 16 are private use.
    private static let swept: [ClosedRange<UInt32>] = [
        0...0x3400, 0x4DC0...0x4E00, 0xA000...0xAC00, 0xD7A4...0xD7FF, 0xE000...0xE000, 0xF900...0x17000,
        0x187F8...0x20000, 0x2A6E0...0x2A700, 0x2B739...0x2B740, 0x2B81E...0x2B820, 0x2CEA2...0x2CEB0,
        0x2EBE1...0x30000, 0x3134B...0x31350, 0x323B0...0x3FFFF, 0xE0000...0xE0FFF,
    ]

    private static func collect(_ predicate: (Unicode.Scalar.Properties) -> Bool) -> ScalarSet {
        var ranges: [ScalarSet.Range] = []
        forEachRun(predicate) { range, isMember in if isMember { ranges.append(range) } }
        // What is not swept shares the property value of one unassigned and one private-use scalar.
        for (probe, range) in unswept where predicate(probe.properties) { ranges.append(range) }
        return ScalarSet(ranges)
    }

    /// Calls the body with runs of scalars of equal value.
    private static func forEachRun<Value: Equatable>(
        _ value: (Unicode.Scalar.Properties) -> Value, _ body: (ScalarSet.Range, Value) -> Void
    ) {
        var run: (range: ScalarSet.Range, value: Value)?
        for (index, range) in swept.enumerated() {
            for code in range {
                guard let scalar = Unicode.Scalar(code) else { continue }
                let next = value(scalar.properties)
                if let open = run, open.value == next, open.range.upper &+ 1 == code {
                    run?.range.upper = code
                } else {
                    if let run { body(run.range, run.value) }
                    run = (ScalarSet.Range(code, code), next)
                }
            }
            let gapEnd = index + 1 < swept.count ? swept[index + 1].lowerBound - 1 : range.upperBound
            if gapEnd < 0x40000, range.upperBound != 0xD7FF { run?.range.upper = gapEnd }
        }
        if let run { body(run.range, run.value) }
    }

    private static let unswept: [(Unicode.Scalar, ScalarSet.Range)] = [
        ("\u{50000}", ScalarSet.Range(0x40000, 0xDFFFF)),
        ("\u{E1000}", ScalarSet.Range(0xE1000, 0xEFFFF)),
        ("\u{F0000}", ScalarSet.Range(0xF0000, 0xFFFFD)),
        ("\u{FFFFE}", ScalarSet.Range(0xFFFFE, 0xFFFFF)),
        ("\u{100000}", ScalarSet.Range(0x100000, 0x10FFFD)),
        ("\u{10FFFE}", ScalarSet.Range(0x10FFFE, 0x10FFFF)),
    ]

    /// The runs of equal general category, computed once.
    private static let categoryRuns: [(range: ScalarSet.Range, category: Unicode.GeneralCategory)] = {
        var runs: [(range: ScalarSet.Range, category: Unicode.GeneralCategory)] = []
        forEachRun({ $0.generalCategory }) { runs.append(($0, $1)) }
        for (probe, range) in unswept { runs.append((range, probe.properties.generalCategory)) }
        return runs
    }()

    private static func set(of members: Set<Unicode.GeneralCategory>) -> ScalarSet {
        ScalarSet(categoryRuns.compactMap { members.contains($0.category) ? $0.range : nil })
    }

    // MARK: Names

    private static let categories: [String: Set<Unicode.GeneralCategory>] = {
        let single: [(Unicode.GeneralCategory, [String])] = [
            (.uppercaseLetter, ["Lu", "Uppercase_Letter"]),
            (.lowercaseLetter, ["Ll", "Lowercase_Letter"]),
            (.titlecaseLetter, ["Lt", "Titlecase_Letter"]),
            (.modifierLetter, ["Lm", "Modifier_Letter"]),
            (.otherLetter, ["Lo", "Other_Letter"]),
            (.nonspacingMark, ["Mn", "Nonspacing_Mark"]),
            (.spacingMark, ["Mc", "Spacing_Mark"]),
            (.enclosingMark, ["Me", "Enclosing_Mark"]),
            (.decimalNumber, ["Nd", "Decimal_Number", "digit"]),
            (.letterNumber, ["Nl", "Letter_Number"]),
            (.otherNumber, ["No", "Other_Number"]),
            (.connectorPunctuation, ["Pc", "Connector_Punctuation"]),
            (.dashPunctuation, ["Pd", "Dash_Punctuation"]),
            (.openPunctuation, ["Ps", "Open_Punctuation"]),
            (.closePunctuation, ["Pe", "Close_Punctuation"]),
            (.initialPunctuation, ["Pi", "Initial_Punctuation"]),
            (.finalPunctuation, ["Pf", "Final_Punctuation"]),
            (.otherPunctuation, ["Po", "Other_Punctuation"]),
            (.mathSymbol, ["Sm", "Math_Symbol"]),
            (.currencySymbol, ["Sc", "Currency_Symbol"]),
            (.modifierSymbol, ["Sk", "Modifier_Symbol"]),
            (.otherSymbol, ["So", "Other_Symbol"]),
            (.spaceSeparator, ["Zs", "Space_Separator"]),
            (.lineSeparator, ["Zl", "Line_Separator"]),
            (.paragraphSeparator, ["Zp", "Paragraph_Separator"]),
            (.control, ["Cc", "Control", "cntrl"]),
            (.format, ["Cf", "Format"]),
            (.surrogate, ["Cs", "Surrogate"]),
            (.privateUse, ["Co", "Private_Use"]),
            (.unassigned, ["Cn", "Unassigned"]),
        ]
        let groups: [(Set<Unicode.GeneralCategory>, [String])] = [
            ([.uppercaseLetter, .lowercaseLetter, .titlecaseLetter], ["LC", "Cased_Letter"]),
            ([.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter], ["L", "Letter"]),
            ([.nonspacingMark, .spacingMark, .enclosingMark], ["M", "Mark", "Combining_Mark"]),
            ([.decimalNumber, .letterNumber, .otherNumber], ["N", "Number"]),
            (
                [
                    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                    .finalPunctuation, .otherPunctuation,
                ], ["P", "Punctuation", "punct"]
            ),
            ([.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol], ["S", "Symbol"]),
            ([.spaceSeparator, .lineSeparator, .paragraphSeparator], ["Z", "Separator"]),
            ([.control, .format, .surrogate, .privateUse, .unassigned], ["C", "Other"]),
        ]
        var table: [String: Set<Unicode.GeneralCategory>] = [:]
        for (category, names) in single { for name in names { table[name] = [category] } }
        for (members, names) in groups { for name in names { table[name] = members } }
        return table
    }()

    private typealias Predicate = @Sendable (Unicode.Scalar.Properties) -> Bool

    private static let binaryProperties: [String: Predicate] = {
        let table: [([String], Predicate)] = [
            (["Alphabetic", "Alpha"], { $0.isAlphabetic }),
            (["ASCII_Hex_Digit", "AHex"], { $0.isASCIIHexDigit }),
            (["Bidi_Control", "Bidi_C"], { $0.isBidiControl }),
            (["Bidi_Mirrored", "Bidi_M"], { $0.isBidiMirrored }),
            (["Case_Ignorable", "CI"], { $0.isCaseIgnorable }),
            (["Cased"], { $0.isCased }),
            (["Changes_When_Casefolded", "CWCF"], { $0.changesWhenCaseFolded }),
            (["Changes_When_Casemapped", "CWCM"], { $0.changesWhenCaseMapped }),
            (["Changes_When_Lowercased", "CWL"], { $0.changesWhenLowercased }),
            (["Changes_When_NFKC_Casefolded", "CWKCF"], { $0.changesWhenNFKCCaseFolded }),
            (["Changes_When_Titlecased", "CWT"], { $0.changesWhenTitlecased }),
            (["Changes_When_Uppercased", "CWU"], { $0.changesWhenUppercased }),
            (["Dash"], { $0.isDash }),
            (["Default_Ignorable_Code_Point", "DI"], { $0.isDefaultIgnorableCodePoint }),
            (["Deprecated", "Dep"], { $0.isDeprecated }),
            (["Diacritic", "Dia"], { $0.isDiacritic }),
            (["Emoji"], { $0.isEmoji }),
            (["Emoji_Modifier", "EMod"], { $0.isEmojiModifier }),
            (["Emoji_Modifier_Base", "EBase"], { $0.isEmojiModifierBase }),
            (["Emoji_Presentation", "EPres"], { $0.isEmojiPresentation }),
            (["Extender", "Ext"], { $0.isExtender }),
            (["Grapheme_Base", "Gr_Base"], { $0.isGraphemeBase }),
            (["Grapheme_Extend", "Gr_Ext"], { $0.isGraphemeExtend }),
            (["Hex_Digit", "Hex"], { $0.isHexDigit }),
            (["IDS_Binary_Operator", "IDSB"], { $0.isIDSBinaryOperator }),
            (["IDS_Trinary_Operator", "IDST"], { $0.isIDSTrinaryOperator }),
            (["ID_Continue", "IDC"], { $0.isIDContinue }),
            (["ID_Start", "IDS"], { $0.isIDStart }),
            (["Ideographic", "Ideo"], { $0.isIdeographic }),
            (["Join_Control", "Join_C"], { $0.isJoinControl }),
            (["Logical_Order_Exception", "LOE"], { $0.isLogicalOrderException }),
            (["Lowercase", "Lower"], { $0.isLowercase }),
            (["Math"], { $0.isMath }),
            (["Pattern_Syntax", "Pat_Syn"], { $0.isPatternSyntax }),
            (["Pattern_White_Space", "Pat_WS"], { $0.isPatternWhitespace }),
            (["Quotation_Mark", "QMark"], { $0.isQuotationMark }),
            (["Radical"], { $0.isRadical }),
            (["Sentence_Terminal", "STerm"], { $0.isSentenceTerminal }),
            (["Soft_Dotted", "SD"], { $0.isSoftDotted }),
            (["Terminal_Punctuation", "Term"], { $0.isTerminalPunctuation }),
            (["Unified_Ideograph", "UIdeo"], { $0.isUnifiedIdeograph }),
            (["Uppercase", "Upper"], { $0.isUppercase }),
            (["Variation_Selector", "VS"], { $0.isVariationSelector }),
            (["White_Space", "space"], { $0.isWhitespace }),
            (["XID_Continue", "XIDC"], { $0.isXIDContinue }),
            (["XID_Start", "XIDS"], { $0.isXIDStart }),
        ]
        var result: [String: Predicate] = [:]
        for (names, predicate) in table { for name in names { result[name] = predicate } }
        return result
    }()

    private static let unsupportedProperties: Set<String> = [
        "Emoji_Component", "EComp", "Extended_Pictographic", "ExtPict", "Regional_Indicator", "RI",
    ]
}
