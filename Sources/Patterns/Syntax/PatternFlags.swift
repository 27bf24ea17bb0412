// SPDX-License-Identifier: Apache-2.0

/// What a regular expression means beyond its text.
package struct PatternFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `i`: letters match in any case.
    package static let ignoreCase = PatternFlags(rawValue: 1)
    /// `s`: the dot matches line terminators.
    package static let dotAll = PatternFlags(rawValue: 2)
    /// The dot matches all but the line feed, as in most dialects other than ECMA-262.
    package static let lineFeedOnly = PatternFlags(rawValue: 4)
    /// `(?i:…)` and `(?s:…)` are accepted.
    package static let modifiers = PatternFlags(rawValue: 8)

    /// `*?` and the like are refused, for they would mean more than the language.
    package static let plainQuantifiers = PatternFlags(rawValue: 16)

    mutating func set(_ flag: PatternFlags, to isSet: Bool) {
        if isSet { insert(flag) } else { remove(flag) }
    }
}

extension ScalarSet {
    /// The scalars of the set with all their cases.
    package var ignoringCase: ScalarSet {
        var added: [Range] = []
        for group in CaseGroups.all where group.contains(where: contains) {
            added += group.map { Range($0, $0) }
        }
        return added.isEmpty ? self : ScalarSet(ranges + added)
    }
}

/// The scalars that differ only in case.
private enum CaseGroups {
    static let all: [[UInt32]] = {
        var groups: [UInt32: [UInt32]] = [:]
        // No scalar beyond has a case.
        for value in UInt32(0x41)...0x1E943 {
            guard let scalar = Unicode.Scalar(value), scalar.properties.isCased else { continue }
            groups[key(scalar), default: []].append(value)
        }
        return groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    }()

    /// The lower case of the upper case, where both are single scalars.
    private static func key(_ scalar: Unicode.Scalar) -> UInt32 {
        let upper = single(scalar.properties.uppercaseMapping) ?? scalar
        return (single(upper.properties.lowercaseMapping) ?? upper).value
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }
}
