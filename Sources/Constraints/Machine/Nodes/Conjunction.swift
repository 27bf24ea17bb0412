// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Patterns

/// One assertion about values of a known type, as the tableau adds them to a conjunction.
enum Atom {
    case literal(Literal)
    /// A literal that says which members or elements are evaluated, to the trackers of a bit set.
    case evaluating(Literal, UInt64)
    case lower(NumberRules.Bound)
    case upper(NumberRules.Bound)
    case multiple(DecimalNumber)
    case notMultiple(DecimalNumber)
    case minLength(Int)
    case maxLength(Int)
    case language(Language)
    case minItems(Int)
    case maxItems(Int)
    case element(Int, Literal)
    case counter(ArrayRules.Counter)
    case minProperties(Int)
    case maxProperties(Int)
    case require(KeyID)
    case forbid(KeyID)
    case member(KeyID, Literal)
    case someKey(KeyCondition, Literal?)
    case exclude([JSONValue])
    case equal(JSONValue)
}

/// The assertions of one branch of an expansion, for values of one type.
struct Conjunction {
    let type: ValueType
    /// Bit 0: false is allowed. Bit 1: true is allowed.
    var booleans: UInt8 = 3
    var number = NumberRules()
    var string = StringRules()
    var array = ArrayRules()
    var object = ObjectRules()

    init(_ type: ValueType) { self.type = type }

    /// Keeps only the given scalars.
    mutating func restrict(toScalars values: [JSONValue]) -> Bool {
        switch type {
        case .null: return values.contains { $0.isNull }
        case .boolean:
            var mask: UInt8 = 0
            for case .bool(let value) in values { mask |= value ? 2 : 1 }
            booleans &= mask
            return booleans != 0
        case .number:
            number.restrict(to: values.compactMap(\.numberValue))
            return number.finite?.isEmpty == false
        case .string:
            string.restrict(to: values.compactMap { $0.stringValue.map { Array($0.utf8) } })
            return string.finite?.isEmpty == false
        case .array, .object: return false
        }
    }

    /// Removes the given values.
    mutating func exclude(_ values: [JSONValue], constants: inout Interner<JSONValue>) -> Bool {
        switch type {
        case .null: return !values.contains { $0.isNull }
        case .boolean:
            for case .bool(let value) in values { booleans &= value ? 1 : 2 }
            return booleans != 0
        case .number:
            let numbers = values.compactMap(\.numberValue)
            if !numbers.isEmpty { number.exclude(numbers) }
            return true
        case .string:
            for value in values {
                if let text = value.stringValue { string.excluded.insert(Array(text.utf8)) }
            }
            return true
        case .array:
            for value in values where value.type == .array { array.excluded.insert(constants.intern(value)) }
            return true
        case .object:
            for value in values where value.type == .object { object.excluded.insert(constants.intern(value)) }
            return true
        }
    }

    /// Adds one assertion that is not a literal; false where it contradicts the others at sight.
    mutating func add(_ atom: Atom, machine: SchemaMachine) -> Bool {
        switch atom {
        case .literal, .evaluating: return true
        case .lower(let bound): number.raise(lower: bound)
        case .upper(let bound): number.reduce(upper: bound)
        case .multiple(let step): return number.require(multipleOf: step)
        case .notMultiple(let step): number.notMultiples.append(step)
        case .minLength(let length): string.minLength = max(string.minLength, length)
        case .maxLength(let length):
            if length < 0 { return false }
            string.maxLength = min(string.maxLength ?? length, length)
        case .language(let language): string.add(language)
        case .minItems(let count): array.minItems = max(array.minItems, count)
        case .maxItems(let count):
            if count < 0 { return false }
            array.restrict(maxItems: count)
        case .element(let index, let literal):
            array.minItems = max(array.minItems, index + 1)
            array.elements[index, default: []].append(literal)
        case .counter(let counter):
            if let maximum = counter.maximum, maximum < counter.minimum { return false }
            if !array.counters.contains(counter) { array.counters.append(counter) }
        case .minProperties(let count): object.minProperties = max(object.minProperties, count)
        case .maxProperties(let count):
            if count < 0 { return false }
            object.restrict(maxProperties: count)
        case .require(let key): return object.require(key)
        case .forbid(let key): return object.forbid(key)
        case .member(let key, let literal):
            if literal == .never { return false }
            guard object.require(key) else { return false }
            let name = ObjectRules.Name(key: key, literal: literal)
            if literal != .always, !object.members.contains(name) { object.members.append(name) }
        case .someKey(let condition, let literal):
            if literal == .never { return false }
            let obligation = ObjectRules.Obligation(condition: condition, literal: literal == .always ? nil : literal)
            if !object.obligations.contains(obligation) { object.obligations.append(obligation) }
        case .exclude(let values): return exclude(values, constants: &machine.constants)
        case .equal(let value): return equal(value, machine: machine)
        }
        return feasibleAtSight
    }

    /// Demands the array or object `value`.
    private mutating func equal(_ value: JSONValue, machine: SchemaMachine) -> Bool {
        switch value {
        case .array(let elements) where type == .array:
            array.minItems = max(array.minItems, elements.count)
            array.restrict(maxItems: elements.count)
            array.groups.append(
                ArrayRules.Group(prefix: elements.map { machine.literal(equal: $0) }, rest: nil))
        case .object(let members) where type == .object:
            var group = ObjectRules.Group()
            for (key, value) in members.members {
                let bytes = machine.key(key)
                guard object.require(bytes) else { return false }
                group.names.append(ObjectRules.Name(key: bytes, literal: machine.literal(equal: value)))
            }
            group.rest = .never
            object.groups.append(machine.groups.intern(group))
        default: return restrict(toScalars: [value])
        }
        return feasibleAtSight
    }

    /// Whether counts and lengths leave room.
    private var feasibleAtSight: Bool {
        switch type {
        case .null, .boolean: true
        case .number: true
        case .string: string.maxLength.map { $0 >= string.minLength } ?? true
        case .array: array.maxItems.map { $0 >= array.minItems } ?? true
        case .object: object.maxProperties.map { $0 >= object.minProperties && $0 >= object.required.count } ?? true
        }
    }
}
