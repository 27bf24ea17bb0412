// SPDX-License-Identifier: Apache-2.0

extension YAMLComposer {
    private static let prefix = "tag:yaml.org,2002:"

    /// Determines the kind of a scalar from its tag, or from its text where it is plain and has none.
    mutating func scalar(
        _ value: UnsafeBufferPointer<UInt8>, tag: String?, isPlain: Bool, start: Int, end: Int
    ) -> Scalar {
        var scalar = Scalar(kind: .string, flags: [], start: start, end: end)
        let text = place(value, start: start, end: end)
        scalar.first = text.first
        scalar.count = text.count
        scalar.flags = text.flags
        (scalar.keyFirst, scalar.keyCount, scalar.keyFlags) = text

        guard let tag else {
            if isPlain { apply(YAMLScalars.resolve(value), to: &scalar, value) }
            return scalar
        }
        guard tag != "!", tag != Self.prefix + "str" else { return scalar }
        guard tag.hasPrefix(Self.prefix) else {
            unknownTag(tag, start)
            return scalar
        }
        let resolved = YAMLScalars.resolve(value)
        let type = String(tag.dropFirst(Self.prefix.count))
        let fits: Bool
        switch (type, resolved) {
        case ("null", .null), ("bool", .bool), ("float", .number), ("float", .notFinite): fits = true
        case ("int", .number(let text)): fits = DecimalNumber(text)?.isInteger ?? false
        case ("null", _), ("bool", _), ("float", _), ("int", _): fits = false
        default:
            unknownTag(tag, start)
            return scalar
        }
        if fits {
            apply(resolved, to: &scalar, value)
        } else {
            let text = String(decoding: value, as: UTF8.self)
            problems.add(
                "yaml.tag-mismatch", "'\(text)' is not of type '!!\(type)'", start..<end,
                help: "change the value or the tag")
        }
        return scalar
    }

    mutating func unknownTag(_ tag: String, _ start: Int) {
        let shown = tag.hasPrefix(Self.prefix) ? "!!" + tag.dropFirst(Self.prefix.count) : tag
        problems.add(
            "yaml.unknown-tag", "the tag '\(shown)' has no meaning here and is not applied",
            start..<min(start + 1, bytes.count), severity: .warning)
    }

    private mutating func apply(
        _ resolved: YAMLScalars.Resolved, to scalar: inout Scalar, _ value: UnsafeBufferPointer<UInt8>
    ) {
        switch resolved {
        case .string: return
        case .null: scalar.kind = .null
        case .bool(let value):
            scalar.kind = .bool
            scalar.flags = value ? .isTrue : []
        case .notFinite:
            problems.add(
                "yaml.not-finite", "'\(String(decoding: value, as: UTF8.self))' is a number that JSON cannot hold",
                scalar.start..<scalar.end, help: "use null, or put it in quotes for text")
        case .number(let text):
            scalar.kind = .number
            var copy = text
            let reading = copy.withUTF8 { DecimalNumber.read(json: $0) }
            switch reading {
            case .number: break
            case .tooManyDigits:
                problems.add(
                    "document.number-range", "the number has more than \(DecimalNumber.maximumDigits) digits",
                    scalar.start..<scalar.end)
            case .exponentTooLarge, .notANumber:
                problems.add(
                    "document.number-range", "the exponent is beyond \(DecimalNumber.maximumExponent)",
                    scalar.start..<scalar.end)
            }
            if !text.utf8.elementsEqual(value) {
                let stored = builder.store(Array(text.utf8))
                (scalar.first, scalar.count) = stored
                scalar.flags = [.ownText, .foreignNumber]
            }
        }
    }

    /// Where the text is: in the source if it stands there as it is, else stored.
    private mutating func place(
        _ value: UnsafeBufferPointer<UInt8>, start: Int, end: Int
    ) -> (first: Int, count: Int, flags: Tree.Flags) {
        for first in [start, start + 1] where first + value.count <= end {
            if bytes[first..<(first + value.count)].elementsEqual(value) { return (first, value.count, []) }
        }
        let stored = builder.store(value)
        return (stored.first, stored.count, .ownText)
    }
}
