// SPDX-License-Identifier: Apache-2.0

import Documents

extension ViolationReporter {
    // MARK: Strings and numbers

    mutating func reportString(_ id: Int32, _ block: ValidatorProgram.Block, _ node: Node) -> Bool {
        guard block.string >= 0 else { return true }
        let plan = program.strings[Int(block.string)]
        var valid = true
        if plan.checksLength {
            let length = node.scalarCount
            if length < plan.minLength {
                let message =
                    "the text has \(Phrase.count(length, "character")), but at least \(plan.minLength) are required"
                add(id, "minLength", node, message)
                valid = false
            }
            if length > plan.maxLength {
                let message =
                    "the text has \(Phrase.count(length, "character")), but at most \(plan.maxLength) are allowed"
                add(id, "maxLength", node, message)
                valid = false
            }
        }
        let text = node.stringValue ?? ""
        if plan.isVerbatim {
            if let source {
                if source.reference.contains(text) {
                    verbatim?.append(node)
                } else {
                    add(id, "x-verbatim", node, "\(Phrase.value(node)) does not occur in the source text")
                    valid = false
                }
            } else {
                add(
                    id, "x-verbatim", node, "cannot be checked: the source text that strings are taken from is missing",
                    isUndecided: true)
                valid = false
            }
        }
        if let pattern = plan.pattern, !pattern.matches(text) {
            let source = subschema(id).pattern?.source ?? ""
            add(id, "pattern", node, "\(Phrase.value(node)) does not match the pattern '\(source)'")
            valid = false
        }
        if let format = plan.format, !format.isValid(text) {
            add(id, "format", node, "\(Phrase.value(node)) is not a valid \(format.rawValue)")
            valid = false
        }
        return valid
    }

    mutating func reportNumber(_ id: Int32, _ block: ValidatorProgram.Block, _ node: Node) -> Bool {
        guard block.number >= 0 else { return true }
        let written = Phrase.value(node)
        guard let number = node.numberValue else {
            add(id, "type", node, "the number \(written) is beyond what can be checked")
            return false
        }
        let plan = program.numbers[Int(block.number)]
        let before = violations.count
        var valid = true
        func fail() { valid = false }
        if let limit = plan.minimum, number < limit {
            add(id, "minimum", node, "\(written) is less than the minimum \(limit)")
            fail()
        }
        if let limit = plan.exclusiveMinimum, !(limit < number) {
            add(id, "exclusiveMinimum", node, "\(written) is not greater than \(limit)")
            fail()
        }
        if let limit = plan.maximum, limit < number {
            add(id, "maximum", node, "\(written) is greater than the maximum \(limit)")
            fail()
        }
        if let limit = plan.exclusiveMaximum, !(number < limit) {
            add(id, "exclusiveMaximum", node, "\(written) is not less than \(limit)")
            fail()
        }
        if let step = plan.multipleOf, !number.isMultiple(of: step) {
            add(id, "multipleOf", node, "\(written) is not a multiple of \(step)")
            fail()
        }
        return valid && violations.count == before
    }

    // MARK: Arrays

    mutating func reportArray(
        _ id: Int32, _ block: ValidatorProgram.Block, _ node: Node, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        guard block.array >= 0 else { return true }
        let plan = program.arrays[Int(block.array)]
        let elements = node.elements
        let count = elements.count
        var valid = true
        if count < plan.minItems {
            let message = "the list has \(Phrase.count(count, "element")), but at least \(plan.minItems) are required"
            add(id, "minItems", node, message)
            valid = false
        }
        if count > plan.maxItems {
            let message = "the list has \(Phrase.count(count, "element")), but at most \(plan.maxItems) are allowed"
            add(id, "maxItems", node, message)
            valid = false
        }
        let prefix = min(plan.prefix.count, count)
        let schema = subschema(id)
        for position in 0..<prefix {
            let steps = (schema.writtenKeyword("prefixItems"), String(position))
            if !applyToChild(plan.prefix[position], elements[position], steps.0, steps.1) { valid = false }
            evaluated.insert(position)
        }
        if plan.items >= 0 {
            if prefix < count, program.blocks[Int(plan.items)].kinds == 0 {
                let message =
                    prefix == 0
                    ? "the list must be empty"
                    : "the list has \(Phrase.count(count, "element")), but only \(prefix) are described"
                add(id, "items", elements[prefix], message)
                valid = false
            } else {
                for position in prefix..<count
                where !applyToChild(plan.items, elements[position], schema.writtenKeyword("items")) {
                    valid = false
                }
            }
            evaluated.insertAll()
        }
        if plan.contains >= 0 { valid = reportContains(id, plan, node, &evaluated) && valid }
        if plan.unique, let (first, second) = Uniqueness.firstRepetition(elements) {
            add(id, "uniqueItems", elements[second], "the elements \(first) and \(second) are equal")
            valid = false
        }
        return valid
    }

    private mutating func reportContains(
        _ id: Int32, _ plan: ValidatorProgram.ArrayPlan, _ node: Node, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        var matches = 0
        for (position, element) in node.elements.enumerated() where isValid(plan.contains, element) {
            matches += 1
            if collects { _ = applyToChild(plan.contains, element, "contains") }
            if plan.containsEvaluates { evaluated.insert(position) }
        }
        if matches < plan.minContains {
            let keyword = subschema(id).minContains == nil ? "contains" : "minContains"
            let message =
                plan.minContains == 1
                ? "no element matches 'contains'"
                : "\(Phrase.count(matches, "element")) match 'contains', but at least \(plan.minContains) must"
            add(id, keyword, node, message)
            return false
        }
        if matches > plan.maxContains {
            let message =
                "\(Phrase.count(matches, "element")) of the list match 'contains', but at most \(plan.maxContains) may"
            add(id, "maxContains", node, message)
            return false
        }
        return true
    }

    mutating func reportUnevaluatedItems(
        _ id: Int32, _ block: ValidatorProgram.Block, _ node: Node, _ evaluated: EvaluatedSet
    ) -> Bool {
        guard block.array >= 0, program.arrays[Int(block.array)].unevaluated >= 0 else { return true }
        let schema = program.arrays[Int(block.array)].unevaluated
        var valid = true
        for (position, element) in node.elements.enumerated() where !evaluated.contains(position) {
            if program.blocks[Int(schema)].kinds == 0 {
                add(id, "unevaluatedItems", element, "the element \(position) is not described by the schema")
                valid = false
            } else if !applyToChild(schema, element, "unevaluatedItems") {
                valid = false
            }
        }
        return valid
    }

    // MARK: Objects

    mutating func reportObject(
        _ id: Int32, _ block: ValidatorProgram.Block, _ node: Node, _ evaluated: inout EvaluatedSet
    ) -> Bool {
        guard block.object >= 0 else { return true }
        let plan = program.objects[Int(block.object)]
        let members = node.members
        let count = members.count
        var valid = true
        if count < plan.minProperties {
            let message =
                "the object has \(Phrase.count(count, "property", "properties")), but at least"
                + " \(plan.minProperties) are required"
            add(id, "minProperties", node, message)
            valid = false
        }
        if count > plan.maxProperties {
            let message =
                "the object has \(Phrase.count(count, "property", "properties")), but at most"
                + " \(plan.maxProperties) are allowed"
            add(id, "maxProperties", node, message)
            valid = false
        }
        for key in plan.required where node.member(key) == nil {
            let strangers = members.map(\.key).filter { candidate in
                !subschema(id).properties.contains { ScalarText.equal($0.key, candidate) }
            }
            let near = Spelling.closest(to: key, among: strangers)
            add(
                id, "required", node, "the property '\(key)' is missing",
                hint: near.map { "should '\($0)' be '\(key)'?" })
            valid = false
        }
        for (position, member) in members.enumerated()
        where !reportMember(id, plan, member, position, &evaluated) { valid = false }
        for dependency in plan.dependentRequired where node.member(dependency.key) != nil {
            for key in dependency.required where node.member(key) == nil {
                let message = "the property '\(key)' is missing; '\(dependency.key)' requires it"
                add(id, "dependentRequired", node, message)
                valid = false
            }
        }
        for dependency in plan.dependentSchemas where node.member(dependency.key) != nil {
            let written = subschema(id).writtenKeyword("dependentSchemas")
            if !apply(dependency.schema, node, &evaluated, written, dependency.key) { valid = false }
        }
        return valid
    }

    private mutating func reportMember(
        _ id: Int32, _ plan: ValidatorProgram.ObjectPlan, _ member: Node.Member, _ position: Int,
        _ evaluated: inout EvaluatedSet
    ) -> Bool {
        let key = member.key
        var valid = true
        var isCovered = false
        if let number = member.keyNode.withUTF8({ plan.keys.find($0) }) ?? nil, plan.schemas[number] >= 0 {
            isCovered = true
            valid = reportChild(id, "properties", plan.schemas[number], member, key, plan) && valid
        }
        for (index, entry) in plan.patterns.enumerated() where entry.matcher.matches(key) {
            isCovered = true
            let source = subschema(id).patternProperties[index].pattern.source
            valid = reportChild(id, "patternProperties", entry.schema, member, source, plan) && valid
        }
        if !isCovered, plan.additional >= 0 {
            valid = reportChild(id, "additionalProperties", plan.additional, member, nil, plan) && valid
            isCovered = true
        }
        if plan.names >= 0 {
            // What is said about a key is not said about its value, which has the key's place.
            let before = annotations?.count
            if !applyToChild(plan.names, member.keyNode, "propertyNames") { valid = false }
            if let before { annotations?.removeSubrange(before...) }
        }
        if isCovered { evaluated.insert(position) }
        return valid
    }

    private mutating func reportChild(
        _ id: Int32, _ keyword: String, _ schema: Int32, _ member: Node.Member, _ step: String?,
        _ plan: ValidatorProgram.ObjectPlan
    ) -> Bool {
        if program.blocks[Int(schema)].kinds == 0, keyword != "properties" || subschema(schema).boolean == false {
            let known = subschema(id).properties.map(\.key)
            let near = Spelling.closest(to: member.key, among: known.filter { $0 != member.key })
            add(
                id, keyword, member.value, "the property '\(member.key)' is not allowed",
                hint: near.map { "did you mean '\($0)'?" }, range: member.keyRange)
            return false
        }
        if let step { return applyToChild(schema, member.value, keyword, step) }
        return applyToChild(schema, member.value, keyword)
    }

    mutating func reportUnevaluatedProperties(
        _ id: Int32, _ block: ValidatorProgram.Block, _ node: Node, _ evaluated: EvaluatedSet
    ) -> Bool {
        guard block.object >= 0, program.objects[Int(block.object)].unevaluated >= 0 else { return true }
        let schema = program.objects[Int(block.object)].unevaluated
        var valid = true
        for (position, member) in node.members.enumerated() where !evaluated.contains(position) {
            if program.blocks[Int(schema)].kinds == 0 {
                add(
                    id, "unevaluatedProperties", member.value, "the property '\(member.key)' is not allowed",
                    range: member.keyRange)
                valid = false
            } else if !applyToChild(schema, member.value, "unevaluatedProperties") {
                valid = false
            }
        }
        return valid
    }
}

/// Words for messages.
enum Phrase {
    private static let maximumLength = 60

    /// The kind of a value with its article; for numbers the number itself where that says more.
    static func kind(_ node: Node) -> String {
        if node.kind == .number, let text = node.numberText, text.utf8.count <= maximumLength {
            return node.numberValue?.isInteger == true ? "the integer \(text)" : "the number \(text)"
        }
        return node.kind.phrase
    }

    /// A value, short enough for a message.
    static func value(_ node: Node) -> String {
        switch node.kind {
        case .array: "the list"
        case .object: "the object"
        case .number: shortened(node.numberText ?? "")
        default: value(node.value)
        }
    }

    /// A value, short enough for a message.
    static func value(_ value: JSONValue) -> String { shortened(JSONWriter(style: .compact).write(value)) }

    private static func shortened(_ text: String) -> String {
        guard text.unicodeScalars.count > maximumLength else { return text }
        var short = String(String.UnicodeScalarView(text.unicodeScalars.prefix(maximumLength)))
        short += "…"
        return text.hasPrefix("\"") ? short + "\"" : short
    }

    /// A number with its noun.
    static func count(_ count: Int, _ singular: String, _ plural: String? = nil) -> String {
        count == 1 ? "1 \(singular)" : "\(count) \(plural ?? singular + "s")"
    }
}
