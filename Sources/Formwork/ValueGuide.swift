// SPDX-License-Identifier: Apache-2.0

import Documents

/// What a value must be like, beside its type.
///
/// Guides are enforced while a value is made: there is no token that would break one. What cannot be enforced is
/// refused with an error that names the guide, before anything is generated.
///
/// For optional properties the guides are those of the type without the question mark.
public struct ValueGuide<Value>: Sendable {
    let rules: [GuideRule]

    init(_ rules: [GuideRule]) { self.rules = rules }

    init(_ name: String, _ keywords: JSONObject) {
        rules = [GuideRule(name: name, effect: .keywords(enforced: keywords, shown: keywords))]
    }
}

/// One thing that a guide says, without the type.
struct GuideRule: Sendable {
    indirect enum Effect: Sendable {
        /// Keywords of JSON Schema; those that the model is shown may be simpler.
        case keywords(enforced: JSONObject, shown: JSONObject)
        /// Rules for all elements of an array, or all values or keys of a dictionary.
        case elements([GuideRule])
        case values([GuideRule])
        case keys([GuideRule])
        /// How dates are written.
        case dateFormat(DateForm)
        /// The guide makes no sense, and why.
        case problem(String)
    }

    /// As it is written in Swift, such as `.range`.
    var name: String
    var effect: Effect
}

/// The formats that texts can have: those of JSON Schema.
public enum TextFormat: String, Sendable, CaseIterable {
    case date, time
    case dateTime = "date-time"
    case duration
    case email
    case idnEmail = "idn-email"
    case hostname
    case idnHostname = "idn-hostname"
    case ipv4, ipv6
    case uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    case uuid
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
    case regex
}

// MARK: All types

extension ValueGuide where Value: Structured {
    /// One of these values.
    public static func anyOf(_ values: [Value]) -> ValueGuide {
        guard !values.isEmpty else {
            return ValueGuide([GuideRule(name: ".anyOf", effect: .problem("there is no value to choose"))])
        }
        return ValueGuide(".anyOf", ["enum": .array(values.map(\.structuredValue.value))])
    }

    /// Always this value.
    public static func constant(_ value: Value) -> ValueGuide {
        ValueGuide(".constant", ["const": value.structuredValue.value])
    }
}

// MARK: Texts

extension ValueGuide where Value == String {
    /// A regular expression of ECMA-262 (that of JavaScript) that is found in the text; `^` and `$` bind it to the
    /// ends.
    ///
    /// Expressions that no automaton can decide, such as back-references, are refused.
    public static func pattern(_ expression: String) -> ValueGuide {
        ValueGuide(".pattern", ["pattern": .string(expression)])
    }

    /// So many characters, counted as Unicode scalars.
    public static func length(_ length: Int) -> ValueGuide {
        ValueGuide(
            ".length", ["minLength": .number(DecimalNumber(length)), "maxLength": .number(DecimalNumber(length))])
    }
    /// So many characters, counted as Unicode scalars.
    public static func length(_ range: ClosedRange<Int>) -> ValueGuide {
        ValueGuide(
            ".length",
            [
                "minLength": .number(DecimalNumber(range.lowerBound)),
                "maxLength": .number(DecimalNumber(range.upperBound)),
            ])
    }
    /// At least so many characters, counted as Unicode scalars.
    public static func minimumLength(_ length: Int) -> ValueGuide {
        ValueGuide(".minimumLength", ["minLength": .number(DecimalNumber(length))])
    }
    /// At most so many characters, counted as Unicode scalars.
    public static func maximumLength(_ length: Int) -> ValueGuide {
        ValueGuide(".maximumLength", ["maxLength": .number(DecimalNumber(length))])
    }

    /// A text in one of the formats of JSON Schema, such as an e-mail address.
    public static func format(_ format: TextFormat) -> ValueGuide {
        ValueGuide(".format", ["format": .string(format.rawValue)])
    }

    /// A text that occurs in the input, character by character.
    public static var verbatim: ValueGuide { ValueGuide(".verbatim", ["x-verbatim": true]) }
}

// MARK: Arrays and dictionaries

/// The keywords that bound a number of elements or members.
private func bounds(_ name: String, _ noun: String, _ lower: Int?, _ upper: Int?) -> [GuideRule] {
    var keywords = JSONObject()
    if let lower { keywords.append(key: "min" + noun, value: .number(DecimalNumber(lower))) }
    if let upper { keywords.append(key: "max" + noun, value: .number(DecimalNumber(upper))) }
    return [GuideRule(name: name, effect: .keywords(enforced: keywords, shown: keywords))]
}

extension ValueGuide {
    /// So many elements.
    public static func count<Element>(_ count: Int) -> ValueGuide where Value == [Element] {
        ValueGuide(bounds(".count", "Items", count, count))
    }
    /// So many elements.
    public static func count<Element>(_ range: ClosedRange<Int>) -> ValueGuide where Value == [Element] {
        ValueGuide(bounds(".count", "Items", range.lowerBound, range.upperBound))
    }
    /// At least so many elements.
    public static func minimumCount<Element>(_ count: Int) -> ValueGuide where Value == [Element] {
        ValueGuide(bounds(".minimumCount", "Items", count, nil))
    }
    /// At most so many elements.
    public static func maximumCount<Element>(_ count: Int) -> ValueGuide where Value == [Element] {
        ValueGuide(bounds(".maximumCount", "Items", nil, count))
    }
    /// Guides for each element.
    public static func element<Element>(_ guides: ValueGuide<Element>...) -> ValueGuide where Value == [Element] {
        ValueGuide([GuideRule(name: ".element", effect: .elements(guides.flatMap(\.rules)))])
    }
    /// No two elements are the same JSON value.
    public static func uniqueElements<Element>() -> ValueGuide where Value == [Element] {
        ValueGuide([
            GuideRule(
                name: ".uniqueElements",
                effect: .keywords(enforced: ["uniqueItems": true], shown: ["uniqueItems": true]))
        ])
    }

    /// So many entries.
    public static func count<Element>(_ count: Int) -> ValueGuide where Value == [String: Element] {
        ValueGuide(bounds(".count", "Properties", count, count))
    }
    /// So many entries.
    public static func count<Element>(_ range: ClosedRange<Int>) -> ValueGuide where Value == [String: Element] {
        ValueGuide(bounds(".count", "Properties", range.lowerBound, range.upperBound))
    }
    /// At least so many entries.
    public static func minimumCount<Element>(_ count: Int) -> ValueGuide where Value == [String: Element] {
        ValueGuide(bounds(".minimumCount", "Properties", count, nil))
    }
    /// At most so many entries.
    public static func maximumCount<Element>(_ count: Int) -> ValueGuide where Value == [String: Element] {
        ValueGuide(bounds(".maximumCount", "Properties", nil, count))
    }
    /// Guides for each value of a dictionary.
    public static func values<Element>(_ guides: ValueGuide<Element>...) -> ValueGuide
    where Value == [String: Element] {
        ValueGuide([GuideRule(name: ".values", effect: .values(guides.flatMap(\.rules)))])
    }
    /// Guides for each key of a dictionary.
    public static func keys<Element>(_ guides: ValueGuide<String>...) -> ValueGuide where Value == [String: Element] {
        ValueGuide([GuideRule(name: ".keys", effect: .keys(guides.flatMap(\.rules)))])
    }
}

// The compiler looks at the arguments of an attribute without the property's type. These let it find one.
extension ValueGuide where Value == [Never] {
    /// For the arguments of `@Guide` only.
    public static func count(_ count: Int) -> ValueGuide { ValueGuide([]) }
    /// For the arguments of `@Guide` only.
    public static func count(_ range: ClosedRange<Int>) -> ValueGuide { ValueGuide([]) }
    /// For the arguments of `@Guide` only.
    public static func minimumCount(_ count: Int) -> ValueGuide { ValueGuide([]) }
    /// For the arguments of `@Guide` only.
    public static func maximumCount(_ count: Int) -> ValueGuide { ValueGuide([]) }
    /// For the arguments of `@Guide` only.
    public static func uniqueElements() -> ValueGuide { ValueGuide([]) }
}

extension ValueGuide where Value == [String: Never] {
    /// For the arguments of `@Guide` only.
    public static func keys(_ guides: ValueGuide<String>...) -> ValueGuide { ValueGuide([]) }
}
