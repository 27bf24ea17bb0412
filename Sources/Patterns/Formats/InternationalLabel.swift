// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The rules of IDNA 2008 for one label in Unicode (RFC 5891, RFC 5892).
enum InternationalLabel {
    /// Whether the label is a U-label: normalised, of permitted scalars in permitted places.
    ///
    /// The bidirectional rule depends on the whole name; see ``BidirectionalRule``.
    static func isValid(_ label: [Unicode.Scalar]) -> Bool {
        guard let first = label.first, let last = label.last, first != "-", last != "-" else { return false }
        if label.count >= 4, label[2] == "-", label[3] == "-" { return false }
        if isMark(first) { return false }
        guard label.indices.allSatisfy({ isAllowed(label, at: $0) }) else { return false }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: label)
        let normalised = String(text).precomposedStringWithCanonicalMapping
        return normalised.unicodeScalars.elementsEqual(label)
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    // MARK: One scalar

    private static func isAllowed(_ label: [Unicode.Scalar], at index: Int) -> Bool {
        let scalar = label[index]
        let value = scalar.value
        switch value {
        case 0x2D, 0x30...0x39, 0x61...0x7A:
            return true
        case 0x00DF, 0x03C2, 0x06FD, 0x06FE, 0x0F0B, 0x3007:
            return true
        case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B:
            return false
        case 0x00B7:
            return index > 0 && label[index - 1] == "l" && index + 1 < label.count && label[index + 1] == "l"
        case 0x0375:
            return index + 1 < label.count && greek.contains(label[index + 1].value)
        case 0x05F3, 0x05F4:
            return index > 0 && hebrew.contains(label[index - 1].value)
        case 0x30FB:
            return label.contains { japanese.contains($0.value) }
        case 0x0660...0x0669:
            return !label.contains { (0x06F0...0x06F9).contains($0.value) }
        case 0x06F0...0x06F9:
            return !label.contains { (0x0660...0x0669).contains($0.value) }
        case 0x200C:
            return followsVirama(label, index) || joins(label, index)
        case 0x200D:
            return followsVirama(label, index)
        case 0x1100...0x11FF, 0xA960...0xA97C, 0xD7B0...0xD7FB:
            return false
        case 0x20D0...0x20FF, 0x1D100...0x1D24F:
            return false
        default:
            let properties = scalar.properties
            if properties.changesWhenNFKCCaseFolded || properties.isDefaultIgnorableCodePoint
                || properties.isWhitespace || properties.isNoncharacterCodePoint
            {
                return false
            }
            switch properties.generalCategory {
            case .lowercaseLetter, .uppercaseLetter, .otherLetter, .modifierLetter, .decimalNumber, .nonspacingMark,
                .spacingMark:
                return true
            default:
                return false
            }
        }
    }

    private static let greek = UnicodeScript.set(named: "Greek") ?? .empty
    private static let hebrew = UnicodeScript.set(named: "Hebrew") ?? .empty
    private static let japanese = ["Hiragana", "Katakana", "Han"]
        .reduce(ScalarSet.empty) { $0.union(UnicodeScript.set(named: $1) ?? .empty) }

    // MARK: Joiners

    private static func followsVirama(_ label: [Unicode.Scalar], _ index: Int) -> Bool {
        index > 0 && label[index - 1].properties.canonicalCombiningClass == .virama
    }

    /// Whether letters that join stand on both sides, with only transparent marks between.
    private static func joins(_ label: [Unicode.Scalar], _ index: Int) -> Bool {
        let before = label[..<index].last { !isTransparent($0) }
        let after = label[(index + 1)...].first { !isTransparent($0) }
        guard let before, let after else { return false }
        return joinsBothSides(before.value) && (joinsBothSides(after.value) || joinsBefore.contains(after.value))
    }

    private static func isTransparent(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: true
        default: false
        }
    }

    /// Letters of the joining scripts that join on both sides: all that neither join on one side only nor on none.
    private static func joinsBothSides(_ value: UInt32) -> Bool {
        joiningLetters.contains(value) && !joinsBefore.contains(value)
    }

    private static let joiningLetters = ScalarSet([
        ScalarSet.Range(0x0620, 0x063F), ScalarSet.Range(0x0641, 0x064A), ScalarSet.Range(0x066E, 0x06D3),
        ScalarSet.Range(0x06D5, 0x06D5), ScalarSet.Range(0x06EE, 0x06EF), ScalarSet.Range(0x06FA, 0x06FC),
        ScalarSet.Range(0x06FF, 0x06FF), ScalarSet.Range(0x0710, 0x072F), ScalarSet.Range(0x074D, 0x077F),
        ScalarSet.Range(0x07CA, 0x07EA), ScalarSet.Range(0x0840, 0x0855), ScalarSet.Range(0x08A0, 0x08B4),
        ScalarSet.Range(0x1820, 0x1878), ScalarSet.Range(0xA840, 0xA871),
    ]).subtracting(ScalarSet([ScalarSet.Range(0x0621, 0x0621), ScalarSet.Range(0x0674, 0x0674)]))

    /// Letters that join only with the one before them.
    private static let joinsBefore = ScalarSet([
        ScalarSet.Range(0x0622, 0x0625), ScalarSet.Range(0x0627, 0x0627), ScalarSet.Range(0x0629, 0x0629),
        ScalarSet.Range(0x062F, 0x0632), ScalarSet.Range(0x0648, 0x0648), ScalarSet.Range(0x0671, 0x0673),
        ScalarSet.Range(0x0675, 0x0677), ScalarSet.Range(0x0688, 0x0699), ScalarSet.Range(0x06C0, 0x06C0),
        ScalarSet.Range(0x06C3, 0x06CB), ScalarSet.Range(0x06CD, 0x06CD), ScalarSet.Range(0x06CF, 0x06CF),
        ScalarSet.Range(0x06D2, 0x06D3), ScalarSet.Range(0x06D5, 0x06D5), ScalarSet.Range(0x06EE, 0x06EF),
        ScalarSet.Range(0x0710, 0x0710), ScalarSet.Range(0x0715, 0x0719), ScalarSet.Range(0x071E, 0x071E),
        ScalarSet.Range(0x0728, 0x0728), ScalarSet.Range(0x072A, 0x072A), ScalarSet.Range(0x072C, 0x072C),
        ScalarSet.Range(0x072F, 0x072F), ScalarSet.Range(0x074D, 0x074D), ScalarSet.Range(0x0759, 0x075B),
        ScalarSet.Range(0x076B, 0x076C), ScalarSet.Range(0x0771, 0x0771), ScalarSet.Range(0x0773, 0x0774),
        ScalarSet.Range(0x0778, 0x0779), ScalarSet.Range(0x0840, 0x0840), ScalarSet.Range(0x0846, 0x0847),
        ScalarSet.Range(0x0849, 0x0849), ScalarSet.Range(0x0854, 0x0854), ScalarSet.Range(0x08AA, 0x08AC),
        ScalarSet.Range(0x08AE, 0x08AE), ScalarSet.Range(0x08B1, 0x08B2),
    ])
}

/// The rule for names that mix writing directions (RFC 5893).
enum BidirectionalRule {
    /// Whether all labels of a name satisfy the rule, which applies only where one is written from right to left.
    static func isSatisfied(_ labels: [[Unicode.Scalar]]) -> Bool {
        let classes = labels.map { $0.map(direction) }
        let isBidirectional = classes.contains { label in
            label.contains { $0 == .rightToLeft || $0 == .arabicNumber }
        }
        return !isBidirectional || classes.allSatisfy(isSatisfied)
    }

    private enum Direction { case leftToRight, rightToLeft, arabicNumber, europeanNumber, mark, neutral }

    private static func isSatisfied(_ label: [Direction]) -> Bool {
        let last = label.last { $0 != .mark }
        switch label.first {
        case .rightToLeft:
            return !label.contains(.leftToRight) && last != .neutral
                && !(label.contains(.europeanNumber) && label.contains(.arabicNumber))
        case .leftToRight:
            return !label.contains(.rightToLeft) && !label.contains(.arabicNumber)
                && (last == .leftToRight || last == .europeanNumber)
        default:
            return false
        }
    }

    /// The bidirectional class, as far as scalars that may stand in a label need it.
    private static func direction(_ scalar: Unicode.Scalar) -> Direction {
        switch scalar.value {
        case 0x30...0x39, 0x06F0...0x06F9, 0x1D7CE...0x1D7FF: return .europeanNumber
        case 0x0660...0x0669, 0x10D30...0x10D39, 0x10E60...0x10E7E: return .arabicNumber
        case 0x2D, 0xB7, 0x0375, 0x30FB: return .neutral
        default: break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return .mark
        default: break
        }
        switch scalar.value {
        case 0x0590...0x08FF, 0x200F, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF:
            return .rightToLeft
        case 0x200C, 0x200D:
            return .mark
        default:
            return .leftToRight
        }
    }
}
