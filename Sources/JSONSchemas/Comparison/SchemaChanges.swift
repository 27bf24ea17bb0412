// SPDX-License-Identifier: Apache-2.0

import Documents

/// One difference between two versions of a schema.
package struct SchemaChange: Sendable {
    /// What a difference does to the values that are allowed where it stands.
    package enum Effect: String, Sendable {
        /// Fewer are allowed.
        case narrows
        /// More are allowed.
        case widens
        /// Some more and some less, or it cannot be told from the keyword.
        case changes

        /// The effect in a place where a value must not be valid.
        var opposite: Effect {
            switch self {
            case .narrows: .widens
            case .widens: .narrows
            case .changes: .changes
            }
        }
    }

    /// The kind of change, for `diff.…`.
    package var kind: String
    package var message: String
    package var effect: Effect
    /// The subschemas that differ.
    package var old: SubschemaID
    package var new: SubschemaID
    /// The place in the new schema, or in the old one for what is gone.
    package var location: SchemaLocation
    /// The place in the old schema, where it is in both.
    package var oldLocation: SchemaLocation?
}

/// Lists the differences between two schemas place by place.
///
/// What is found is what a reader of the two texts would find; whether values are affected is for proofs to say.
package struct SchemaChanges {
    package private(set) var changes: [SchemaChange] = []
    let graph: SchemaGraph
    private struct Pair: Hashable {
        var old: SubschemaID
        var new: SubschemaID
        var effect: Bool?
    }
    private var seen: Set<Pair> = []
    private static let limit = 2_000

    /// - Parameter graph: Both schemas are in it; see ``SchemaComposition``.
    package init(_ graph: SchemaGraph, old: SubschemaID, new: SubschemaID) {
        self.graph = graph
        compare(old, new, direction: true)
    }

    /// - Parameter direction: True where the schema must hold, false where it must not, nil where either can be.
    private mutating func compare(_ old: SubschemaID, _ new: SubschemaID, direction: Bool?) {
        let (a, b) = (resolved(old), resolved(new))
        guard a.id != b.id, changes.count < Self.limit,
            seen.insert(Pair(old: a.id, new: b.id, effect: direction)).inserted
        else { return }
        Comparison(changes: self, a: a, b: b, direction: direction).run(&self)
    }

    /// The schema that a reference without anything beside it stands for.
    private func resolved(_ id: SubschemaID) -> Subschema {
        var schema = graph[id]
        var steps = 0
        while let target = schema.reference, !schema.node.members.contains(where: { Self.matters($0.key) }), steps < 100
        {
            schema = graph[target]
            steps += 1
        }
        return schema
    }

    private static func matters(_ key: String) -> Bool {
        guard let keyword = Keyword(name: key) else { return false }
        switch keyword {
        case .reference, .schema, .id, .legacyID, .anchor, .comment, .defs, .definitions, .title, .description,
            .defaultValue, .examples, .deprecated, .readOnly, .writeOnly:
            return false
        default: return true
        }
    }

    /// The comparison of two subschemas.
    private struct Comparison {
        let graph: SchemaGraph
        let a: Subschema
        let b: Subschema
        let direction: Bool?

        init(changes: SchemaChanges, a: Subschema, b: Subschema, direction: Bool?) {
            graph = changes.graph
            self.a = a
            self.b = b
            self.direction = direction
        }

        private func add(
            _ list: inout SchemaChanges, _ kind: String, _ effect: SchemaChange.Effect, _ keyword: String,
            _ message: String, at child: SubschemaID? = nil
        ) {
            func place(_ schema: Subschema) -> SchemaLocation? {
                schema.node[schema.writtenKeyword(keyword)] == nil ? nil : schema.location(ofKeyword: keyword)
            }
            let isNew = place(b) != nil
            var location = place(b) ?? place(a) ?? b.location
            if let child { location = graph[child].location }
            let actual = direction == nil ? SchemaChange.Effect.changes : direction == true ? effect : effect.opposite
            list.changes.append(
                SchemaChange(
                    kind: kind, message: message, effect: actual, old: a.id, new: b.id, location: location,
                    oldLocation: isNew && child == nil ? place(a) : nil))
        }

        func run(_ list: inout SchemaChanges) {
            if a.boolean != nil || b.boolean != nil {
                guard a.boolean != b.boolean else { return }
                if a.boolean == true, b.node.count == 0 || b.boolean == nil && a.boolean == true && says(b) == false {
                    return
                }
                if b.boolean == true, says(a) == false { return }
                let effect: SchemaChange.Effect = a.boolean == true || b.boolean == false ? .narrows : .widens
                func phrase(_ schema: Subschema) -> String {
                    schema.boolean.map { $0 ? "any value" : "no value" } ?? "a schema"
                }
                add(&list, "schema", effect, "", "\(phrase(a)) was allowed, now \(phrase(b)) is", at: b.id)
                return
            }
            values(&list)
            bounds(&list)
            strings(&list)
            arrays(&list)
            objects(&list)
            combinations(&list)
        }

        private func says(_ schema: Subschema) -> Bool {
            schema.node.kind == .object
                && schema.node.members.contains { SchemaChanges.matters($0.key) || $0.key == "$ref" }
        }

        // MARK: Values

        private func values(_ list: inout SchemaChanges) {
            let (old, new) = (a.type ?? .all, b.type ?? .all)
            let wideOld = old.contains(.number) ? old.union(.integer) : old
            let wideNew = new.contains(.number) ? new.union(.integer) : new
            if wideOld != wideNew {
                let effect: SchemaChange.Effect =
                    wideNew.isSubset(of: wideOld) ? .narrows : wideOld.isSubset(of: wideNew) ? .widens : .changes
                let word = effect == .narrows ? "narrowed" : effect == .widens ? "widened" : "changed"
                let from = a.type.map(\.description) ?? "any"
                let to = b.type.map(\.description) ?? "any"
                add(&list, "type", effect, "type", "the type was \(word) from \(from) to \(to)")
            }
            let oldValues = a.constant.map { [$0] } ?? a.enumeration
            let newValues = b.constant.map { [$0] } ?? b.enumeration
            let keyword = b.constant != nil || (b.enumeration == nil && a.constant != nil) ? "const" : "enum"
            switch (oldValues, newValues) {
            case (nil, nil): break
            case (nil, let new?):
                add(&list, "enum", .narrows, keyword, "values are restricted to \(Self.list(new)), which they were not")
            case (let old?, nil):
                add(&list, "enum", .widens, keyword, "values are no longer restricted to \(Self.list(old))")
            case (let old?, let new?):
                let (oldSet, newSet) = (Set(old), Set(new))
                let gone = old.filter { !newSet.contains($0) }
                let come = new.filter { !oldSet.contains($0) }
                if !gone.isEmpty {
                    add(
                        &list, "enum", .narrows, keyword,
                        "\(Self.list(gone)) \(gone.count == 1 ? "is" : "are") no longer allowed")
                }
                if !come.isEmpty {
                    add(
                        &list, "enum", .widens, keyword,
                        "\(Self.list(come)) \(come.count == 1 ? "is" : "are") allowed now")
                }
            }
        }

        private static func list(_ values: [JSONValue]) -> String {
            let shown = values.prefix(6).map { value in
                let text = value.description
                return text.count > 40 ? String(text.prefix(40)) + "…" : text
            }.joined(separator: ", ")
            return values.count > 6 ? shown + ", … (\(values.count) values)" : shown
        }

        // MARK: Bounds

        /// - Parameter isLower: Whether a greater value allows less.
        private func bound<Value: Comparable>(
            _ list: inout SchemaChanges, _ keyword: String, _ old: Value?, _ new: Value?, isLower: Bool,
            absent: Value? = nil
        ) {
            let old = old == absent ? nil : old
            let new = new == absent ? nil : new
            switch (old, new) {
            case (nil, let new?): add(&list, "bounds", .narrows, keyword, "'\(name(keyword))' was added: \(new)")
            case (let old?, nil):
                add(&list, "bounds", .widens, keyword, "'\(name(keyword))' was removed; it was \(old)")
            case (let old?, let new?) where old != new:
                let isHigher = new > old
                add(
                    &list, "bounds", isHigher == isLower ? .narrows : .widens, keyword,
                    "'\(name(keyword))' was \(isHigher ? "raised" : "lowered") from \(old) to \(new)")
            default: break
            }
        }

        private func name(_ keyword: String) -> String {
            b.node[b.writtenKeyword(keyword)] != nil ? b.writtenKeyword(keyword) : a.writtenKeyword(keyword)
        }

        private func bounds(_ list: inout SchemaChanges) {
            bound(&list, "minimum", a.minimum, b.minimum, isLower: true)
            bound(&list, "exclusiveMinimum", a.exclusiveMinimum, b.exclusiveMinimum, isLower: true)
            bound(&list, "maximum", a.maximum, b.maximum, isLower: false)
            bound(&list, "exclusiveMaximum", a.exclusiveMaximum, b.exclusiveMaximum, isLower: false)
            bound(&list, "minLength", a.minLength, b.minLength, isLower: true, absent: 0)
            bound(&list, "maxLength", a.maxLength, b.maxLength, isLower: false)
            bound(&list, "minItems", a.minItems, b.minItems, isLower: true, absent: 0)
            bound(&list, "maxItems", a.maxItems, b.maxItems, isLower: false)
            bound(&list, "minProperties", a.minProperties, b.minProperties, isLower: true, absent: 0)
            bound(&list, "maxProperties", a.maxProperties, b.maxProperties, isLower: false)
            if a.contains != nil, b.contains != nil {
                bound(&list, "minContains", a.minContains ?? 1, b.minContains ?? 1, isLower: true)
                bound(&list, "maxContains", a.maxContains, b.maxContains, isLower: false)
            }
            switch (a.multipleOf, b.multipleOf) {
            case (nil, let new?): add(&list, "bounds", .narrows, "multipleOf", "'multipleOf' was added: \(new)")
            case (let old?, nil):
                add(&list, "bounds", .widens, "multipleOf", "'multipleOf' was removed; it was \(old)")
            case (let old?, let new?) where old != new:
                let effect: SchemaChange.Effect =
                    new.isMultiple(of: old) ? .narrows : old.isMultiple(of: new) ? .widens : .changes
                add(&list, "bounds", effect, "multipleOf", "'multipleOf' was changed from \(old) to \(new)")
            default: break
            }
        }

        private func text(_ list: inout SchemaChanges, _ keyword: String, _ old: String?, _ new: String?) {
            switch (old, new) {
            case (nil, let new?): add(&list, keyword, .narrows, keyword, "'\(keyword)' was added: \(new)")
            case (let old?, nil): add(&list, keyword, .widens, keyword, "'\(keyword)' was removed; it was \(old)")
            case (let old?, let new?) where old != new:
                add(&list, keyword, .changes, keyword, "'\(keyword)' was changed from \(old) to \(new)")
            default: break
            }
        }

        private func flag(_ list: inout SchemaChanges, _ keyword: String, _ old: Bool, _ new: Bool) {
            guard old != new else { return }
            add(&list, keyword, new ? .narrows : .widens, keyword, "'\(keyword)' was \(new ? "added" : "removed")")
        }

        private func strings(_ list: inout SchemaChanges) {
            text(&list, "pattern", a.pattern?.source, b.pattern?.source)
            text(&list, "format", a.format, b.format)
            flag(&list, "x-verbatim", a.isVerbatim, b.isVerbatim)
        }

        // MARK: Parts

        /// Compares parts of which an absent one allows everything.
        private func part(
            _ list: inout SchemaChanges, _ keyword: String, _ old: SubschemaID?, _ new: SubschemaID?,
            direction: Bool?? = .none
        ) {
            let direction = direction ?? self.direction
            switch (old, new) {
            case (let old?, let new?): list.compare(old, new, direction: direction)
            case (nil, let new?) where graph[new].boolean != true:
                add(&list, "keyword", .narrows, keyword, "'\(name(keyword))' was added")
            case (let old?, nil) where graph[old].boolean != true:
                add(&list, "keyword", .widens, keyword, "'\(name(keyword))' was removed")
            default: break
            }
        }

        private func arrays(_ list: inout SchemaChanges) {
            func element(_ schema: Subschema, _ index: Int) -> SubschemaID? {
                index < schema.prefixItems.count ? schema.prefixItems[index] : schema.items
            }
            let count = max(a.prefixItems.count, b.prefixItems.count)
            for index in 0..<count {
                part(
                    &list, index < b.prefixItems.count || b.items == nil ? "prefixItems" : "items", element(a, index),
                    element(b, index))
            }
            part(&list, "items", a.items, b.items)
            flag(&list, "uniqueItems", a.uniqueItems, b.uniqueItems)
            switch (a.contains, b.contains) {
            case (let old?, let new?):
                let isBounded = a.maxContains != nil || b.maxContains != nil
                list.compare(old, new, direction: isBounded ? .none : direction)
            default: part(&list, "contains", a.contains, b.contains)
            }
            part(&list, "unevaluatedItems", a.unevaluatedItems, b.unevaluatedItems)
        }

        private func objects(_ list: inout SchemaChanges) {
            let olds = Dictionary(a.properties.map { ($0.key, $0.schema) }, uniquingKeysWith: { $1 })
            let news = Dictionary(b.properties.map { ($0.key, $0.schema) }, uniquingKeysWith: { $1 })
            for property in b.properties {
                if let old = olds[property.key] {
                    list.compare(old, property.schema, direction: direction)
                } else {
                    added(&list, property)
                }
            }
            for property in a.properties where news[property.key] == nil { removed(&list, property) }
            let (oldRequired, newRequired) = (Set(a.required), Set(b.required))
            for name in b.required where !oldRequired.contains(name) {
                add(&list, "required", .narrows, "required", "'\(name)' is required now")
            }
            for name in a.required where !newRequired.contains(name) {
                add(&list, "required", .widens, "required", "'\(name)' is no longer required")
            }
            let oldPatterns = Dictionary(
                a.patternProperties.map { ($0.pattern.source, $0.schema) }, uniquingKeysWith: { $1 })
            let newPatterns = Dictionary(
                b.patternProperties.map { ($0.pattern.source, $0.schema) }, uniquingKeysWith: { $1 })
            for entry in b.patternProperties {
                if let old = oldPatterns[entry.pattern.source] {
                    list.compare(old, entry.schema, direction: direction)
                } else {
                    add(
                        &list, "pattern-properties", b.additionalProperties == nil ? .narrows : .changes,
                        "patternProperties",
                        "keys that match '\(entry.pattern.source)' have a schema of their own now")
                }
            }
            for entry in a.patternProperties where newPatterns[entry.pattern.source] == nil {
                add(
                    &list, "pattern-properties", b.additionalProperties == nil ? .widens : .changes,
                    "patternProperties",
                    "keys that match '\(entry.pattern.source)' have no schema of their own any more")
            }
            additional(&list)
            part(&list, "propertyNames", a.propertyNames, b.propertyNames)
            part(&list, "unevaluatedProperties", a.unevaluatedProperties, b.unevaluatedProperties)
            dependencies(&list)
        }

        private func added(_ list: inout SchemaChanges, _ property: Subschema.Property) {
            let rest = a.additionalProperties.map { graph[$0].boolean ?? false } ?? true
            let isClosed = a.additionalProperties.map { graph[$0].boolean == false } ?? false
            let isOpen = graph[property.schema].boolean == true || !says(graph[property.schema])
            if isClosed {
                add(
                    &list, "property-added", .widens, "properties", "the property '\(property.key)' was added",
                    at: property.schema)
            } else if rest, !isOpen {
                add(
                    &list, "property-added", .narrows, "properties",
                    "the property '\(property.key)' was added; before, any value was allowed for it",
                    at: property.schema)
            } else if !rest {
                add(
                    &list, "property-added", .changes, "properties", "the property '\(property.key)' was added",
                    at: property.schema)
            }
        }

        private func removed(_ list: inout SchemaChanges, _ property: Subschema.Property) {
            let isClosed = b.additionalProperties.map { graph[$0].boolean == false } ?? false
            let isOpen = b.additionalProperties.map { graph[$0].boolean == true } ?? true
            let effect: SchemaChange.Effect = isClosed ? .narrows : isOpen ? .widens : .changes
            let rest =
                isClosed
                ? "it is not allowed any more"
                : isOpen ? "any value is allowed for it now" : "'additionalProperties' applies to it now"
            add(
                &list, "property-removed", effect, "properties", "the property '\(property.key)' was removed; \(rest)",
                at: property.schema)
        }

        private func additional(_ list: inout SchemaChanges) {
            func isClosed(_ id: SubschemaID?) -> Bool { id.map { graph[$0].boolean == false } ?? false }
            func isOpen(_ id: SubschemaID?) -> Bool { id.map { graph[$0].boolean == true } ?? true }
            let (old, new) = (a.additionalProperties, b.additionalProperties)
            if isOpen(old), isClosed(new) {
                add(
                    &list, "additional-properties", .narrows, "additionalProperties",
                    "other properties are not allowed any more")
            } else if isClosed(old), isOpen(new) {
                add(&list, "additional-properties", .widens, "additionalProperties", "other properties are allowed now")
            } else {
                part(&list, "additionalProperties", old, new)
            }
        }

        private func dependencies(_ list: inout SchemaChanges) {
            func pairs(_ schema: Subschema) -> [(String, String)] {
                schema.dependentRequired.flatMap { entry in entry.required.map { (entry.key, $0) } }
            }
            let (old, new) = (pairs(a), pairs(b))
            for (key, name) in new where !old.contains(where: { $0 == (key, name) }) {
                add(&list, "required", .narrows, "dependentRequired", "'\(name)' is required beside '\(key)' now")
            }
            for (key, name) in old where !new.contains(where: { $0 == (key, name) }) {
                add(&list, "required", .widens, "dependentRequired", "'\(name)' is no longer required beside '\(key)'")
            }
            for entry in b.dependentSchemas {
                part(&list, "dependentSchemas", a.dependentSchemas.first { $0.key == entry.key }?.schema, entry.schema)
            }
            for entry in a.dependentSchemas where !b.dependentSchemas.contains(where: { $0.key == entry.key }) {
                part(&list, "dependentSchemas", entry.schema, nil)
            }
        }

        // MARK: Combinations

        private func combinations(_ list: inout SchemaChanges) {
            branches(&list, "allOf", a.allOf, b.allOf, added: .narrows, removed: .widens, direction: direction)
            branches(&list, "anyOf", a.anyOf, b.anyOf, added: .widens, removed: .narrows, direction: direction)
            branches(&list, "oneOf", a.oneOf, b.oneOf, added: .changes, removed: .changes, direction: nil)
            part(&list, "not", a.not, b.not, direction: direction.map { !$0 })
            switch (a.ifSchema, b.ifSchema) {
            case (let old?, let new?):
                list.compare(old, new, direction: nil)
                part(&list, "then", a.thenSchema, b.thenSchema)
                part(&list, "else", a.elseSchema, b.elseSchema)
            case (nil, nil): break
            case (nil, _): add(&list, "keyword", .narrows, "if", "'if' was added")
            case (_, nil): add(&list, "keyword", .widens, "if", "'if' was removed")
            }
            switch (a.reference, b.reference) {
            case (let old?, let new?): list.compare(old, new, direction: direction)
            case (nil, _?): add(&list, "keyword", .changes, "$ref", "'$ref' was added")
            case (_?, nil): add(&list, "keyword", .changes, "$ref", "'$ref' was removed")
            case (nil, nil): break
            }
            switch (a.dynamicReference, b.dynamicReference) {
            case (let old?, let new?): list.compare(old.initial, new.initial, direction: nil)
            case (nil, nil): break
            default: add(&list, "keyword", .changes, "$dynamicRef", "a dynamic reference was added or removed")
            }
        }

        /// Compares branches: those that read the same first, the others in their order.
        private func branches(
            _ list: inout SchemaChanges, _ keyword: String, _ old: [SubschemaID], _ new: [SubschemaID],
            added: SchemaChange.Effect, removed: SchemaChange.Effect, direction: Bool?
        ) {
            guard !old.isEmpty || !new.isEmpty else { return }
            if old.isEmpty || new.isEmpty {
                add(
                    &list, "keyword", new.isEmpty ? .widens : .narrows, keyword,
                    "'\(keyword)' was \(new.isEmpty ? "removed" : "added")")
                return
            }
            var left = new
            var unmatched: [SubschemaID] = []
            for branch in old {
                let text = graph[branch].node.value
                if let index = left.firstIndex(where: { graph[$0].node.value == text }) {
                    list.compare(branch, left.remove(at: index), direction: direction)
                } else {
                    unmatched.append(branch)
                }
            }
            if unmatched.count == left.count {
                for (a, b) in zip(unmatched, left) { list.compare(a, b, direction: direction) }
                return
            }
            for branch in unmatched {
                add(&list, "branch-removed", removed, keyword, "an alternative of '\(keyword)' was removed", at: branch)
            }
            for branch in left {
                add(&list, "branch-added", added, keyword, "an alternative of '\(keyword)' was added", at: branch)
            }
        }
    }
}
