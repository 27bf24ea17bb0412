// SPDX-License-Identifier: Apache-2.0

import Documents
package import Patterns

/// Puts several schema graphs into one, so that questions about all of them can be asked together.
///
/// Subschemas and resources are renumbered; addresses are not looked at any more, so that two versions of a schema with
/// the same `$id` stay apart.
package struct SchemaComposition {
    private var subschemas: [Subschema] = []
    private var resources: [SchemaGraph.Resource] = []
    private let own: Document
    private let origin: SchemaOrigin
    private let ownResource: ResourceID

    package init() {
        own = Document(value: [:])
        origin = SchemaOrigin(uri: "", root: own.root, dialect: Dialect(.draft202012))
        ownResource = ResourceID(rawValue: 0)
        resources = [
            SchemaGraph.Resource(id: ownResource, uri: "", dialect: Dialect(.draft202012), dynamicAnchors: [:])
        ]
    }

    /// Adds the subschemas of a graph; says by how much their numbers grow.
    package mutating func add(_ graph: SchemaGraph) -> Int32 {
        let offset = Int32(clamping: subschemas.count)
        let resourceOffset = Int32(clamping: resources.count)
        for schema in graph.subschemas {
            subschemas.append(schema.renumbered(by: offset, resources: resourceOffset))
        }
        for resource in graph.resources {
            resources.append(
                SchemaGraph.Resource(
                    id: ResourceID(rawValue: resource.id.rawValue + resourceOffset), uri: resource.uri,
                    dialect: resource.dialect,
                    dynamicAnchors: resource.dynamicAnchors.mapValues {
                        SubschemaID(rawValue: $0.rawValue + offset)
                    }))
        }
        return offset
    }

    /// Adds a subschema of the composition's own that says nothing until `fill` has said it.
    private mutating func add(_ fill: (Subschema) -> Void) -> SubschemaID {
        let id = SubschemaID(rawValue: Int32(clamping: subschemas.count))
        let schema = Subschema(id: id, resource: ownResource, node: own.root, origin: origin)
        fill(schema)
        subschemas.append(schema)
        return id
    }

    /// Adds the schema of objects that have a property.
    package mutating func add(objectsWith key: String) -> SubschemaID {
        add {
            $0.type = .object
            $0.required = [key]
        }
    }

    /// Adds the schema of the strings that a pattern is found in.
    package mutating func add(stringsWith pattern: Pattern) -> SubschemaID {
        add {
            $0.type = .string
            $0.pattern = pattern
        }
    }

    /// Adds the schema of values with one of these types.
    package mutating func add(type: TypeSet) -> SubschemaID { add { $0.type = type } }

    /// Adds a negation.
    package mutating func add(not id: SubschemaID) -> SubschemaID { add { $0.not = id } }

    /// The graph of everything added, below a root that allows `null` only: whatever is asked is asked elsewhere.
    package consuming func graph() -> SchemaGraph {
        let parts = subschemas.map(\.id)
        let root = add {
            $0.type = .null
            $0.properties = parts.map { Subschema.Property(key: String($0.rawValue), schema: $0) }
        }
        return SchemaGraph(root: root, subschemas: subschemas, resources: resources, warnings: [])
    }
}

extension SchemaGraph {
    /// The same subschemas with another one as the root.
    package func rooted(at root: SubschemaID) -> SchemaGraph {
        SchemaGraph(root: root, subschemas: subschemas, resources: resources, warnings: [])
    }
}

extension Subschema {
    /// A copy with other numbers.
    fileprivate func renumbered(by offset: Int32, resources: Int32) -> Subschema {
        func move(_ id: SubschemaID) -> SubschemaID { SubschemaID(rawValue: id.rawValue + offset) }
        func move(_ id: SubschemaID?) -> SubschemaID? { id.map { SubschemaID(rawValue: $0.rawValue + offset) } }
        func move(_ property: Property) -> Property {
            Property(key: property.key, schema: move(property.schema))
        }
        let copy = Subschema(
            id: move(id), resource: ResourceID(rawValue: resource.rawValue + resources), node: node, origin: origin)
        copy.boolean = boolean
        copy.type = type
        copy.enumeration = enumeration
        copy.constant = constant
        copy.minimum = minimum
        copy.exclusiveMinimum = exclusiveMinimum
        copy.maximum = maximum
        copy.exclusiveMaximum = exclusiveMaximum
        copy.multipleOf = multipleOf
        copy.minLength = minLength
        copy.maxLength = maxLength
        copy.pattern = pattern
        copy.format = format
        copy.formatIsAsserted = formatIsAsserted
        copy.isVerbatim = isVerbatim
        copy.prefixItems = prefixItems.map { move($0) }
        copy.items = move(items)
        copy.contains = move(contains)
        copy.minContains = minContains
        copy.maxContains = maxContains
        copy.containsEvaluates = containsEvaluates
        copy.minItems = minItems
        copy.maxItems = maxItems
        copy.uniqueItems = uniqueItems
        copy.unevaluatedItems = move(unevaluatedItems)
        copy.properties = properties.map { move($0) }
        copy.patternProperties = patternProperties.map { PatternProperty(pattern: $0.pattern, schema: move($0.schema)) }
        copy.additionalProperties = move(additionalProperties)
        copy.propertyNames = move(propertyNames)
        copy.required = required
        copy.minProperties = minProperties
        copy.maxProperties = maxProperties
        copy.dependentRequired = dependentRequired
        copy.dependentSchemas = dependentSchemas.map { move($0) }
        copy.unevaluatedProperties = move(unevaluatedProperties)
        copy.order = order
        copy.allOf = allOf.map { move($0) }
        copy.anyOf = anyOf.map { move($0) }
        copy.oneOf = oneOf.map { move($0) }
        copy.not = move(not)
        copy.ifSchema = move(ifSchema)
        copy.thenSchema = move(thenSchema)
        copy.elseSchema = move(elseSchema)
        copy.reference = move(reference)
        copy.dynamicReference = dynamicReference.map { DynamicReference(initial: move($0.initial), anchor: $0.anchor) }
        copy.unresolvedReference = unresolvedReference
        copy.title = title
        copy.summary = summary
        copy.defaultValue = defaultValue
        copy.examples = examples
        copy.unknownKeywords = unknownKeywords
        return copy
    }

    /// The subschemas that this one names directly, whatever they apply to.
    package var parts: [SubschemaID] {
        var list = properties.map(\.schema) + patternProperties.map(\.schema) + dependentSchemas.map(\.schema)
        list += prefixItems + allOf + anyOf + oneOf
        for id in [
            items, contains, unevaluatedItems, additionalProperties, propertyNames, unevaluatedProperties, not,
            ifSchema,
            thenSchema, elseSchema, reference, dynamicReference?.initial,
        ] {
            if let id { list.append(id) }
        }
        return list
    }
}

extension SchemaGraph {
    /// The subschemas that `start` leads to, itself included.
    package func reachable(from start: SubschemaID) -> Set<SubschemaID> {
        var seen: Set<SubschemaID> = [start]
        var work = [start]
        while let id = work.popLast() {
            let schema = self[id]
            var next = schema.parts
            if let anchor = schema.dynamicReference?.anchor {
                next += resources.compactMap { $0.dynamicAnchors[anchor] }
            }
            for part in next where seen.insert(part).inserted { work.append(part) }
        }
        return seen
    }
}
