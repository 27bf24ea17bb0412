// SPDX-License-Identifier: Apache-2.0

import Documents

extension SchemaMender {
    private static let ordinary = TextMend.ordinaryCost
    private static let maximumProposals = 24

    /// Keywords whose violations say nothing about a value but about the keys of an object.
    static let keyKeywords: Set<String> = ["required", "dependentRequired"]

    /// Changes that may remove a violation.
    func proposals(_ violation: Violation, _ state: State, depth: Int) -> [Proposal] {
        let place = violation.instanceLocation
        let expectation = SchemaExpectation(graph, violation.subschema)
        var found: [Proposal] = []
        if violation.evaluationPath.tokens.contains("propertyNames") {
            found = keys(place, violation, expectation.values.compactMap(\.stringValue), state)
        } else {
            switch violation.keyword {
            case "required", "dependentRequired": found = missing(place, expectation, state)
            case "additionalProperties", "unevaluatedProperties":
                found = keys(place, violation, expectation.names, state)
            case "properties", "patternProperties", "not", "uniqueItems", "contains", "minContains", "maxContains",
                "minItems",
                "maxItems", "minProperties", "maxProperties", "false":
                break
            default: found = values(place, violation.keyword, expectation, state, depth: depth)
            }
        }
        return Array(found.prefix(Self.maximumProposals))
    }

    // MARK: Keys

    /// The key at a place may be a misspelling of one that is described and absent.
    private func keys(_ place: JSONPointer, _ violation: Violation, _ names: [String], _ state: State) -> [Proposal] {
        guard let key = place.tokens.last, let parent = place.parent,
            case .object(let object)? = parent.evaluate(state.value),
            object[key] != nil
        else { return [] }
        let absent = names.filter { object.position(of: $0) == nil }
        let required = Set(
            Self.flat(state.violations).filter {
                Self.keyKeywords.contains($0.keyword) && $0.instanceLocation == parent
            }
            .flatMap { SchemaExpectation(graph, $0.subschema).required }.map { ScalarString($0) })
        return Self.matches(key, absent) { required.contains(ScalarString($0)) }.map { match in
            Proposal(
                id: "value.key", message: "the key '\(key)' is not known; '\(match.name)' is meant", pointer: place,
                change: .rename(from: key, to: match.name), cost: match.cost)
        }
    }

    /// A required key may be there under a misspelt name.
    private func missing(_ place: JSONPointer, _ expectation: SchemaExpectation, _ state: State) -> [Proposal] {
        guard case .object(let object)? = place.evaluate(state.value) else { return [] }
        let absent = expectation.required.filter { object.position(of: $0) == nil }
        guard !absent.isEmpty else { return [] }
        // What any schema for the object describes is no misspelling.
        var known = Set(expectation.names.map { ScalarString($0) })
        for other in Self.flat(state.violations) where other.instanceLocation == place {
            known.formUnion(SchemaExpectation(graph, other.subschema).names.map { ScalarString($0) })
        }
        var found: [Proposal] = []
        for key in object.keys where !known.contains(ScalarString(key)) {
            for match in Self.matches(key, absent, isRequired: { _ in true }) {
                found.append(
                    Proposal(
                        id: "value.key", message: "the key '\(match.name)' is missing; '\(key)' is a misspelling of it",
                        pointer: place.appending(key), change: .rename(from: key, to: match.name), cost: match.cost))
            }
        }
        if found.isEmpty, options.fillsDefaults {
            for key in absent {
                guard let value = expectation.defaults[key] else { continue }
                found.append(
                    Proposal(
                        id: "value.default", message: "the key '\(key)' is missing; the schema gives its value",
                        pointer: place,
                        change: .insert(key: key, value), cost: Self.ordinary + 10))
                // One after the other: the rest is missing still.
                break
            }
        }
        return found
    }

    /// The names that a word may be a misspelling of: alike but for case and separators, or near.
    static func matches(_ word: String, _ names: [String], isRequired: (String) -> Bool) -> [(name: String, cost: Int)]
    {
        let plain = normalised(word)
        let same = names.filter { normalised($0) == plain && !plain.isEmpty }
        if !same.isEmpty { return same.map { ($0, ordinary) } }
        let length = word.unicodeScalars.count
        // Short words are near to many; there only a key that must be there can be meant.
        // Long names often differ in one of their words.
        let limit = length < 2 ? 0 : min(2, max(1, length / 4))
        let near = Spelling.near(word, among: names, limit: limit).filter { match in
            length > 2 && match.word.unicodeScalars.count > 2 || isRequired(match.word)
        }
        guard let first = near.first else { return [] }
        return near.filter { $0.distance == first.distance }.map { ($0.word, ordinary + $0.distance) }
    }

    /// A word without case and separators.
    static func normalised(_ word: String) -> String {
        String(
            String.UnicodeScalarView(word.lowercased().unicodeScalars.filter { !"-_ .".unicodeScalars.contains($0) }))
    }

    // MARK: Values

    private func values(
        _ place: JSONPointer, _ keyword: String, _ expectation: SchemaExpectation, _ state: State, depth: Int
    ) -> [Proposal] {
        guard let value = place.evaluate(state.value) else { return [] }
        var found: [Proposal] = []
        func add(_ new: JSONValue, _ spelling: String?, _ id: DiagnosticID, _ message: String, _ cost: Int) {
            guard new != value else { return }
            if let known = found.firstIndex(where: {
                if case .replace(_, let to, _) = $0.change { to == new } else { false }
            }) {
                if found[known].cost <= cost { return }
                found.remove(at: known)
            }
            found.append(
                Proposal(
                    id: id, message: message, pointer: place,
                    change: .replace(from: value, to: new, spelling: spelling), cost: cost))
        }
        for result in LosslessConversion.results(
            value, written: written(place, value, state), to: expectation.types, isScalar: depth > 0)
        {
            add(result.value, result.spelling, "value.type", result.message, result.cost)
        }
        let text = written(place, value, state)
        if !expectation.values.isEmpty {
            let words = expectation.values.compactMap(\.stringValue)
            if case .string(let own) = value {
                for (cleaned, extra) in LosslessConversion.cleaned(own) {
                    let plain = Self.normalised(cleaned)
                    for word in words where Self.normalised(word) == plain && !plain.isEmpty {
                        let isExact = ScalarText.equal(word, cleaned)
                        add(
                            .string(word), nil, "value.enum",
                            isExact
                                ? "the text has something around it that does not belong to it"
                                : "the word is written '\(word)'",
                            Self.ordinary + extra + (isExact ? 0 : (word.lowercased() == cleaned.lowercased() ? 0 : 1)))
                    }
                    for other in expectation.values {
                        if case .string = other { continue }
                        if other.description == cleaned {
                            add(other, nil, "value.type", "the value is no text", Self.ordinary + extra)
                        }
                    }
                }
                let length = own.unicodeScalars.count
                if length >= 4, !found.contains(where: { $0.id == "value.enum" }) {
                    let near = Spelling.near(own, among: words, limit: max(1, length / 4))
                    if let first = near.first, first.word.unicodeScalars.count >= 4 {
                        for match in near where match.distance == first.distance {
                            add(
                                .string(match.word), nil, "value.enum", "the word is a misspelling of '\(match.word)'",
                                Self.ordinary + 1 + match.distance)
                        }
                    }
                }
            } else if let text {
                for word in words where ScalarText.equal(word, text) || word.lowercased() == text.lowercased() {
                    add(.string(word), nil, "value.type", "the word is written as text", Self.ordinary)
                }
            }
        }
        if case .string(let own) = value, expectation.types.isEmpty || expectation.types.contains(.string) {
            for (cleaned, extra) in LosslessConversion.cleaned(own).dropFirst() {
                add(
                    .string(cleaned), nil, "value.text", "the text has something around it that does not belong to it",
                    Self.ordinary + extra)
            }
        }
        if depth == 0, expectation.types.contains(.object), case .string(let text) = value,
            let member = LosslessConversion.member(text),
            expectation.names.contains(where: { ScalarText.equal($0, member.key) })
        {
            add(
                .object(JSONObject([(key: member.key, value: member.value)])), nil, "value.member",
                "the text is a key with its value", Self.ordinary + 1)
        }
        // Where other shapes are allowed too, one of them may be meant.
        if depth == 0, keyword == "type", expectation.types == .array || value.objectValue == nil,
            expectation.types.contains(.array),
            value.arrayValue == nil, !value.isNull
        {
            found.append(
                Proposal(
                    id: "value.list", message: "a list is wanted; the value becomes its only element", pointer: place,
                    change: .wrap(value),
                    cost: Self.ordinary + 2))
        }
        return found
    }

    /// How a number or word is spelled in the document.
    private func written(_ place: JSONPointer, _ value: JSONValue, _ state: State) -> String? {
        switch value {
        case .number(let number):
            guard state.paths.replaced[place] == nil, let node = state.paths.origin(of: place)?.evaluate(root),
                node.numberValue == number
            else {
                return number.description
            }
            return node.numberText ?? number.description
        case .bool(let flag): return flag ? "true" : "false"
        case .null: return "null"
        default: return nil
        }
    }
}
