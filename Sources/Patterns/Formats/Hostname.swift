// SPDX-License-Identifier: Apache-2.0

/// Host names: RFC 1123, and IDNA 2008 for internationalised ones.
enum Hostname {
    /// Whether the text is a host name; `international` admits labels outside ASCII.
    static func isValid(_ text: String, international: Bool) -> Bool {
        // A name of 253 octets has no more scalars; nothing longer needs to be looked at.
        guard text.utf8.count <= 4 * 253 else { return false }
        var labels: [[Unicode.Scalar]] = [[]]
        for scalar in text.unicodeScalars {
            if scalar == "." || international && isFullStop(scalar) {
                labels.append([])
            } else {
                labels[labels.count - 1].append(scalar)
            }
        }
        var length = labels.count - 1
        var decoded: [[Unicode.Scalar]] = []
        for label in labels {
            guard let (unicode, encodedLength) = decode(label, international: international) else { return false }
            length += encodedLength
            decoded.append(unicode)
        }
        return length <= 253 && BidirectionalRule.isSatisfied(decoded)
    }

    private static func isFullStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\u{3002}" || scalar == "\u{FF0E}" || scalar == "\u{FF61}"
    }

    /// The Unicode form of a valid label and the length of its ASCII form; nil for an invalid label.
    private static func decode(
        _ label: [Unicode.Scalar], international: Bool
    ) -> (unicode: [Unicode.Scalar], encodedLength: Int)? {
        guard let first = label.first, let last = label.last, first != "-", last != "-" else { return nil }
        guard label.allSatisfy(\.isASCII) else {
            guard international, InternationalLabel.isValid(label), let encoded = Punycode.encode(label),
                encoded.count <= 59
            else { return nil }
            return (label, encoded.count + 4)
        }
        guard label.count <= 63, label.allSatisfy(isLetterDigitHyphen) else { return nil }
        guard label.count >= 4, label[2] == "-", label[3] == "-" else { return (label, label.count) }
        guard label[0] == "x" || label[0] == "X", label[1] == "n" || label[1] == "N" else {
            // RFC 1123 knows no reserved labels; RFC 5891 does.
            return international ? nil : (label, label.count)
        }
        guard let unicode = Punycode.decode(label[4...]), !unicode.allSatisfy(\.isASCII),
            InternationalLabel.isValid(unicode)
        else { return nil }
        return (unicode, label.count)
    }

    private static func isLetterDigitHyphen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-": true
        default: false
        }
    }
}
