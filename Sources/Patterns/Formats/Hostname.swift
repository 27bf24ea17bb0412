// SPDX-License-Identifier: Apache-2.0

/// Host names: RFC 1123, and IDNA 2008 for internationalised ones.
enum Hostname {
    /// Whether the text is a host name; `international` admits labels outside ASCII.
    static func isValid(_ text: String, international: Bool) -> Bool {
        var labels: [[Unicode.Scalar]] = [[]]
        for scalar in text.unicodeScalars {
            if scalar == "." || international && isFullStop(scalar) {
                labels.append([])
            } else {
                labels[labels.count - 1].append(scalar)
            }
        }
        var length = labels.count - 1
        for label in labels {
            guard let encoded = encodedLength(label, international: international) else { return false }
            length += encoded
        }
        return length <= 253
    }

    private static func isFullStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\u{3002}" || scalar == "\u{FF0E}" || scalar == "\u{FF61}"
    }

    /// The length of a valid label in its ASCII form; nil for an invalid one.
    private static func encodedLength(_ label: [Unicode.Scalar], international: Bool) -> Int? {
        guard let first = label.first, let last = label.last, first != "-", last != "-" else { return nil }
        let isASCII = label.allSatisfy(\.isASCII)
        guard isASCII || international else { return nil }
        if isASCII {
            guard label.count <= 63, label.allSatisfy({ $0.properties.isAlphabetic || $0.properties.numericType == .decimal || $0 == "-" })
            else { return nil }
            let isReserved = label.count >= 4 && label[2] == "-" && label[3] == "-"
            guard isReserved else { return label.count }
            guard label[0] == "x" || label[0] == "X", label[1] == "n" || label[1] == "N" else {
                return international ? nil : label.count
            }
            guard let decoded = Punycode.decode(label[4...]), InternationalLabel.isValid(decoded) else { return nil }
            return label.count
        }
        guard InternationalLabel.isValid(label), let encoded = Punycode.encode(label), encoded.count <= 59 else {
            return nil
        }
        return encoded.count + 4
    }
}
