// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The regular languages of the formats, each built once when first used.
enum FormatLanguages {
    static let exact = FormatTable<Language>([
        .date: { try whole(date) },
        .time: { .any([try whole("\(hourMinute):[0-5]\\d\(fraction)\(offset)"), try leapSecond("")]) },
        .dateTime: {
            .any([
                try whole("(?:\(date))[tT]\(hourMinute):[0-5]\\d\(fraction)\(offset)"),
                try leapSecond("(?:\(date))[tT]"),
            ])
        },
        .duration: { try whole(duration) },
        .email: { try whole("(?:\(asciiLocalPart))@(?:\(domain))") },
        .ipv4: { try whole(ipv4) },
        .ipv6: { try whole(ipv6) },
        .uri: { try whole(ResourceIdentifier.ascii.absolute) },
        .uriReference: { try whole(ResourceIdentifier.ascii.reference) },
        .iri: { try whole(ResourceIdentifier.international.absolute) },
        .iriReference: { try whole(ResourceIdentifier.international.reference) },
        .uuid: { try whole("\(hex){8}-\(hex){4}-\(hex){4}-\(hex){4}-\(hex){12}") },
        .uriTemplate: { try whole(uriTemplate) },
        .jsonPointer: { try whole(jsonPointer) },
        .relativeJSONPointer: { try whole("(?:0|[1-9]\\d*)(?:#|\(jsonPointer))") },
    ])

    static let generation = FormatTable<Language>([
        .time: { try whole("\(hourMinute):[0-5]\\d\(fraction)\(offset)|\(utcLeapSecond)") },
        .dateTime: {
            try whole("(?:\(date))[tT](?:\(hourMinute):[0-5]\\d\(fraction)\(offset)|\(utcLeapSecond))")
        },
        .email: {
            .all([
                try whole("(?:\(shortLocalPart))@(?:\(plainHostname(label: anyLabel))|\(addressLiteral))"),
                .pattern(try Pattern("^[^@\"]{1,64}@|^\"")),
            ])
        },
        .hostname: { try whole(plainHostname(label: plainLabel)) },
        .idnHostname: { try whole(plainHostname(label: plainLabel)) },
        .idnEmail: {
            .all([
                try whole("(?:\(shortLocalPart))@(?:\(plainHostname(label: plainLabel)))"),
                .pattern(try Pattern("^[^@\"]{1,64}@|^\"")),
            ])
        },
        .regex: { try whole(simpleRegex) },
    ])

    static let matchers = FormatTable<PatternMatcher>(
        Dictionary(
            uniqueKeysWithValues: KnownFormat.allCases.map { format in
                (format, { @Sendable in try exact[format].map { try PatternMatcher($0) } })
            }))

    private static func whole(_ source: String) throws(PatternError) -> Language {
        .wholeMatch(try Pattern(source))
    }

    // MARK: Dates and times (RFC 3339)

    static let date =
        "\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
        + "|02-(?:0[1-9]|1\\d|2[0-8]))"
        + "|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29"
    private static let hour = "(?:[01]\\d|2[0-3])"
    private static let hourMinute = "\(hour):[0-5]\\d"
    private static let fraction = "(?:\\.\\d+)?"
    private static let offset = "(?:[zZ]|[+\\-]\(hourMinute))"
    private static let utcLeapSecond = "23:59:60\(fraction)(?:[zZ]|[+\\-]00:00)"

    /// Times with second 60, which must be 23:59:60 in UTC: the minutes of time and offset agree, and so do the hours.
    ///
    /// With offset +h:m, m > 0, the local time is h:(m-1); with +h:00 it is (h-1):59; with -h:m it is (23-h):(59-m).
    private static func leapSecond(_ prefix: String) throws(PatternError) -> Language {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let tail = ":60\(fraction)"
        let minutes = (0..<60).map { minute in
            "\(two(minute))\(tail)(?:\\+..:\(two((minute + 1) % 60))|-..:\(two(59 - minute)))"
        }
        let hours = (0..<24).map { hour in
            "\(two(hour)):(?:59\(tail)(?:\\+\(two((hour + 1) % 24))|-\(two(23 - hour))):.."
                + "|(?:[0-4]\\d|5[0-8])\(tail)(?:\\+\(two(hour))|-\(two(23 - hour))):..)"
        }
        let skip = prefix.isEmpty ? "" : ".{11}"
        return .any([
            try whole("\(prefix)23:59:60\(fraction)[zZ]"),
            .all([
                try whole("\(prefix)\(hourMinute)\(tail)[+\\-]\(hourMinute)"),
                try whole("\(skip)..:(?:\(minutes.joined(separator: "|")))"),
                try whole("\(skip)(?:\(hours.joined(separator: "|")))"),
            ]),
        ])
    }

    private static let duration: String = {
        let minute = "\\d+M(?:\\d+S)?"
        let time = "T(?:\\d+H(?:\(minute))?|\(minute)|\\d+S)"
        let month = "\\d+M(?:\\d+D)?"
        return "P(?:(?:\\d+D|\(month)|\\d+Y(?:\(month))?)(?:\(time))?|\(time)|\\d+W)"
    }()

    // MARK: Addresses

    private static let hex = "[0-9a-fA-F]"

    static let ipv4: String = {
        let octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
        return "\(octet)(?:\\.\(octet)){3}"
    }()

    /// IPv6address of RFC 3986.
    static let ipv6: String = {
        let group = "\(hex){1,4}"
        let last = "(?:\(group):\(group)|\(ipv4))"
        var branches = ["(?:\(group):){6}\(last)"]
        for before in 0...7 {
            // At most `before` groups before the `::`, the rest of the eight after it.
            let head = before == 0 ? "" : "(?:(?:\(group):){0,\(before - 1)}\(group))?"
            switch before {
            case 0: branches.append("::(?:\(group):){5}\(last)")
            case 1...5: branches.append("\(head)::\(before == 5 ? "" : "(?:\(group):){\(5 - before)}")\(last)")
            case 6: branches.append("\(head)::\(group)")
            default: branches.append("\(head)::")
            }
        }
        return branches.joined(separator: "|")
    }()

    // MARK: Mail

    private static let asciiLocalPart = localPart(extra: "")

    /// A dot-atom or a quoted string, with more scalars than those of ASCII.
    static func localPart(extra: String) -> String {
        let atom = "[A-Za-z0-9!#$%&'*+\\-\\/=?^_`{|}~\(extra)]+"
        return "\(atom)(?:\\.\(atom))*|\"(?:[ !#-\\[\\]-~\(extra)]|\\\\[ -~])*\""
    }

    /// The same with at most 64 octets where it is quoted.
    private static let shortLocalPart = asciiLocalPart.replacing(")*\"", with: "){0,31}\"")

    private static let label = "[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,61}[A-Za-z0-9])?"
    private static let addressLiteral = "\\[(?:\(ipv4)|[iI][pP][vV]6:(?:\(ipv6)))\\]"
    static let domain = "\(label)(?:\\.\(label))*|\(addressLiteral)"
    private static let anyLabel = "[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,LENGTH}[A-Za-z0-9])?"

    // MARK: Host names

    /// A label of at most 63 characters whose third and fourth are not both hyphens.
    private static let plainLabel =
        "[A-Za-z0-9](?:[A-Za-z0-9]|[A-Za-z0-9\\-][A-Za-z0-9]"
        + "|[A-Za-z0-9\\-](?:[A-Za-z0-9\\-][A-Za-z0-9]|[A-Za-z0-9]-)[A-Za-z0-9\\-]{0,LENGTH}[A-Za-z0-9]"
        + "|[A-Za-z0-9\\-]{2}[A-Za-z0-9])?"

    /// Names of any number of labels that cannot exceed 253 characters.
    ///
    /// A product with the bound on the whole length would have a state for each length and label length.
    private static func plainHostname(label: String) -> String {
        func labels(_ length: Int, _ count: Int) -> String {
            let label = label.replacing("LENGTH", with: "\(length - 5)")
            return "(?:\(label))(?:\\.(?:\(label))){0,\(count - 1)}"
        }
        return [labels(63, 3), labels(27, 9), labels(11, 21)].joined(separator: "|")
    }

    // MARK: Pointers and templates

    private static let jsonPointer = "(?:\\/(?:[^~\\/]|~[01])*)*"

    private static let uriTemplate: String = {
        let pct = "%\(hex){2}"
        let character = "(?:[A-Za-z0-9_]|\(pct))"
        let name = "\(character)(?:\\.?\(character))*"
        let spec = "\(name)(?::[1-9]\\d{0,3}|\\*)?"
        let literal =
            "[!#$&-;=?-\\[\\]_a-z~\(ResourceIdentifier.unicode)\(ResourceIdentifier.privateUse)]"
        return "(?:\(literal)|\(pct)|\\{[+#.\\/;?&=,!@|]?\(spec)(?:,\(spec))*\\})*"
    }()

    /// Literals, classes, one level of groups, quantifiers and anchors.
    private static let simpleRegex: String = {
        let literal = "[A-Za-z0-9 _:;,<>=!@#%&~'\"`-]|\\\\[.*+?^$()\\[\\]{}|\\/\\\\dDwWsStnr]"
        let member = "[A-Za-z0-9 _.,;:!?*+(){}|\\/<>=@#%$'\"`]|\\\\[\\]\\\\^dws]|a-z|A-Z|0-9"
        let atom = "(?:\(literal)|\\.|\\[\\^?(?:\(member))+\\])"
        let quantifier = "(?:[*+?]\\??|\\{\\d{1,2}\\})?"
        let sequence = "(?:\(atom)\(quantifier))+"
        let group = "\\((?:\\?:)?\(sequence)(?:\\|\(sequence))*\\)"
        return "\\^?(?:(?:\(atom)|\(group))\(quantifier))+(?:\\|(?:(?:\(atom)|\(group))\(quantifier))+)*\\$?"
    }()
}

/// URIs (RFC 3986) and IRIs (RFC 3987) as regular expressions.
struct ResourceIdentifier {
    /// An absolute identifier: with a scheme.
    let absolute: String
    /// An identifier or a relative reference.
    let reference: String

    static let ascii = ResourceIdentifier(extra: "", privateExtra: "")
    static let international = ResourceIdentifier(extra: unicode, privateExtra: privateUse)

    /// `ucschar` of RFC 3987, inside brackets.
    static let unicode: String = {
        var text = "\\u{A0}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFEF}"
        for plane in 1...14 {
            let start = plane == 14 ? "E1000" : String(plane << 16, radix: 16)
            text += "\\u{\(start)}-\\u{\(String(plane << 16 | 0xFFFD, radix: 16))}"
        }
        return text
    }()
    /// `iprivate` of RFC 3987, inside brackets.
    static let privateUse = "\\u{E000}-\\u{F8FF}\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}"

    private init(extra: String, privateExtra: String) {
        let hex = "[0-9A-Fa-f]"
        let pct = "%\(hex){2}"
        let unreserved = "A-Za-z0-9\\-._~\(extra)"
        let delimiters = "!$&'()*+,;="
        let segment = "(?:[\(unreserved)\(delimiters):@]|\(pct))*"
        let segmentFilled = "(?:[\(unreserved)\(delimiters):@]|\(pct))+"
        let segmentNoColon = "(?:[\(unreserved)\(delimiters)@]|\(pct))+"
        let future = "[vV]\(hex)+\\.[A-Za-z0-9\\-._~\(delimiters):]+"
        let host = "(?:\\[(?:\(FormatLanguages.ipv6)|\(future))\\]|(?:[\(unreserved)\(delimiters)]|\(pct))*)"
        let authority = "(?:(?:[\(unreserved)\(delimiters):]|\(pct))*@)?\(host)(?::\\d*)?"
        let pathAfterAuthority = "(?:\\/\(segment))*"
        let pathAbsolute = "\\/(?:\(segmentFilled)(?:\\/\(segment))*)?"
        let pathRootless = "\(segmentFilled)(?:\\/\(segment))*"
        let pathNoScheme = "\(segmentNoColon)(?:\\/\(segment))*"
        let query = "(?:\\?(?:[\(unreserved)\(delimiters):@\\/?\(privateExtra)]|\(pct))*)?"
        let fragment = "(?:#(?:[\(unreserved)\(delimiters):@\\/?]|\(pct))*)?"
        let network = "\\/\\/\(authority)\(pathAfterAuthority)"
        let scheme = "[A-Za-z][A-Za-z0-9+.\\-]*"
        absolute = "\(scheme):(?:\(network)|\(pathAbsolute)|\(pathRootless))?\(query)\(fragment)"
        let relative = "(?:\(network)|\(pathAbsolute)|\(pathNoScheme))?\(query)\(fragment)"
        reference = "\(absolute)|\(relative)"
    }
}

/// A value for some formats, made when it is first asked for: no format costs more than those in use.
final class FormatTable<Value: Sendable>: Sendable {
    private let makers: [KnownFormat: @Sendable () throws -> Value?]
    private let known = Mutex<[KnownFormat: Value?]>([:])

    init(_ makers: [KnownFormat: @Sendable () throws -> Value?]) { self.makers = makers }

    /// The value of a format; nil where it has none.
    subscript(format: KnownFormat) -> Value? {
        if let value = known.withLock({ $0[format] }) { return value }
        let made = try? makers[format]?()
        // Of two that are made at once the first is kept.
        return known.withLock { known in
            if let value = known[format] { return value }
            known[format] = .some(made)
            return made
        }
    }
}
