// SPDX-License-Identifier: Apache-2.0

import Documents

/// Random schemas over few keys, texts and numbers, and random values that they are about.
struct SmallSchemas {
    var random: FuzzRandom
    /// Whether `x-verbatim` and `x-order` occur.
    let hasExtensions: Bool

    init(random: FuzzRandom, hasExtensions: Bool = false) {
        self.random = random
        self.hasExtensions = hasExtensions
    }

    static let keys = ["a", "b", "ab", "c"]
    private static let texts = ["", "a", "b", "ab", "ba", "aa", "é"]
    private static let patterns = ["^a", "b$", "^[ab]*$", "^ab?$", "b", "^$", "^(a|b){2}$", "^.$"]
    private static let numbers = ["0", "1", "2", "3", "-1", "0.5", "1.5", "10"]

    private enum Theme: CaseIterable {
        case scalar, array, object
    }

    private static func number(_ text: String) -> JSONValue {
        .number(DecimalNumber(text) ?? .zero)
    }

    // MARK: Values

    /// A random value, nested at most `depth` deep.
    mutating func value(depth: Int) -> JSONValue {
        switch random.below(depth > 0 ? 10 : 6) {
        case 0: return random.once(in: 2) ? nil : .bool(random.once(in: 2))
        case 1, 2, 3: return Self.number(random.pick(Self.numbers))
        case 4, 5: return .string(random.pick(Self.texts))
        case 6, 7:
            return .array((0..<random.below(4)).map { _ in value(depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<random.below(4) { object.append(key: random.pick(Self.keys), value: value(depth: depth - 1)) }
            return .object(object)
        }
    }

    /// A text to take strings from.
    mutating func source() -> String {
        var text = ""
        for _ in 0..<random.below(10) { text += random.pick(["a", "a", "b", "b", "c", "é", " ", "\"", "\n", "\u{1F600}"]) }
        return text
    }

    /// A small count.
    private mutating func count() -> JSONValue { .number(DecimalNumber(random.below(4))) }

    // MARK: Schemas

    /// A schema with definitions, as its members and the definitions.
    mutating func world() -> (schema: JSONValue, definitions: JSONValue) {
        let first = schema(depth: 2)
        let second = schema(depth: 2)
        return (schema(depth: 3), ["d0": first, "d1": second])
    }

    private mutating func schema(depth: Int) -> JSONValue {
        if random.once(in: 14) { return .bool(!random.once(in: 4)) }
        var members = JSONObject()
        let theme = random.pick(Theme.allCases)
        if random.once(in: 3) {
            switch theme {
            case .scalar: members.append(key: "type", value: type())
            case .array: members.append(key: "type", value: "array")
            case .object: members.append(key: "type", value: "object")
            }
        }
        for _ in 0..<(1 + random.below(3)) {
            if depth > 0, random.once(in: 4) {
                addCombination(&members, depth)
            } else {
                switch theme {
                case .scalar: addScalar(&members)
                case .array: addArray(&members, depth)
                case .object: addObject(&members, depth)
                }
            }
        }
        return .object(members)
    }

    private mutating func type() -> JSONValue {
        let names = ["null", "boolean", "integer", "number", "string", "array", "object"]
        if random.once(in: 3) { return [.string(random.pick(names)), .string(random.pick(names))] }
        return .string(random.pick(names))
    }

    private mutating func addScalar(_ members: inout JSONObject) {
        if hasExtensions, random.once(in: 3) {
            members.append(key: "x-verbatim", value: .bool(!random.once(in: 8)))
            return
        }
        switch random.below(13) {
        case 0: members.append(key: "type", value: type())
        case 1, 2: members.append(key: "enum", value: .array((0..<(1 + random.below(4))).map { _ in value(depth: 1) }))
        case 3: members.append(key: "const", value: value(depth: 2))
        case 4: members.append(key: "minimum", value: Self.number(random.pick(Self.numbers)))
        case 5: members.append(key: "maximum", value: Self.number(random.pick(Self.numbers)))
        case 6: members.append(key: "exclusiveMinimum", value: Self.number(random.pick(Self.numbers)))
        case 7: members.append(key: "exclusiveMaximum", value: Self.number(random.pick(Self.numbers)))
        case 8: members.append(key: "multipleOf", value: Self.number(random.pick(["1", "2", "0.5", "3"])))
        case 9: members.append(key: "minLength", value: count())
        case 10: members.append(key: "maxLength", value: count())
        default: members.append(key: "pattern", value: .string(random.pick(Self.patterns)))
        }
    }

    private mutating func addArray(_ members: inout JSONObject, _ depth: Int) {
        switch random.below(11) {
        case 0, 1: members.append(key: "items", value: part(depth))
        case 2: members.append(key: "prefixItems", value: .array(parts(depth, upTo: 2)))
        case 3, 4:
            members.append(key: "contains", value: part(depth))
            if random.once(in: 2) { members.append(key: "minContains", value: count()) }
            if random.once(in: 2) { members.append(key: "maxContains", value: count()) }
        case 5: members.append(key: "minItems", value: count())
        case 6: members.append(key: "maxItems", value: count())
        case 7, 8: members.append(key: "uniqueItems", value: true)
        case 9: members.append(key: "unevaluatedItems", value: part(depth))
        default:
            members.append(key: "enum", value: .array((0..<(1 + random.below(3))).map { _ in value(depth: 2) }))
        }
    }

    private mutating func addObject(_ members: inout JSONObject, _ depth: Int) {
        func named(_ values: [JSONValue], _ keys: [String]) -> JSONValue {
            .object(JSONObject(zip(keys, values).map { (key: $0.0, value: $0.1) }))
        }
        if hasExtensions, random.once(in: 6) {
            members.append(key: "x-order", value: keyList(upTo: 3))
            return
        }
        switch random.below(14) {
        case 0, 1, 2:
            let values = parts(depth, upTo: 3)
            members.append(key: "properties", value: named(values, Self.keys.shuffled(using: &random)))
        case 3:
            let values = parts(depth, upTo: 2)
            members.append(key: "patternProperties", value: named(values, Self.patterns.shuffled(using: &random)))
        case 4: members.append(key: "additionalProperties", value: part(depth))
        case 5:
            var names = JSONObject()
            addScalar(&names)
            members.append(key: "propertyNames", value: random.once(in: 4) ? part(depth) : .object(names))
        case 6, 7: members.append(key: "required", value: keyList(upTo: 2))
        case 8: members.append(key: "minProperties", value: count())
        case 9: members.append(key: "maxProperties", value: count())
        case 10:
            members.append(
                key: "dependentRequired", value: .object(JSONObject([(random.pick(Self.keys), keyList(upTo: 2))])))
        case 11:
            members.append(
                key: "dependentSchemas", value: .object(JSONObject([(random.pick(Self.keys), part(depth))])))
        case 12: members.append(key: "unevaluatedProperties", value: part(depth))
        default:
            members.append(key: "enum", value: .array((0..<(1 + random.below(3))).map { _ in value(depth: 2) }))
        }
    }

    private mutating func keyList(upTo limit: Int) -> JSONValue {
        .array(Self.keys.shuffled(using: &random).prefix(1 + random.below(limit)).map { .string($0) })
    }

    private mutating func addCombination(_ members: inout JSONObject, _ depth: Int) {
        switch random.below(8) {
        case 0: members.append(key: "allOf", value: .array(parts(depth, upTo: 2)))
        case 1, 2: members.append(key: "anyOf", value: .array(parts(depth, upTo: 3)))
        case 3: members.append(key: "oneOf", value: .array(parts(depth, upTo: 3)))
        case 4, 5: members.append(key: "not", value: part(depth))
        case 6:
            members.append(key: "if", value: part(depth))
            if !random.once(in: 4) { members.append(key: "then", value: part(depth)) }
            if !random.once(in: 3) { members.append(key: "else", value: part(depth)) }
        default: members.append(key: "$ref", value: .string("#/$defs/d\(random.below(2))"))
        }
    }

    /// A schema inside of another.
    private mutating func part(_ depth: Int) -> JSONValue {
        if random.once(in: 10) { return ["$ref": .string("#/$defs/d\(random.below(2))")] }
        if depth > 0, random.once(in: 2) { return schema(depth: depth - 1) }
        var members = JSONObject()
        addScalar(&members)
        if random.once(in: 3) { addScalar(&members) }
        return .object(members)
    }

    private mutating func parts(_ depth: Int, upTo limit: Int) -> [JSONValue] {
        (0..<(1 + random.below(limit))).map { _ in part(depth) }
    }
}
