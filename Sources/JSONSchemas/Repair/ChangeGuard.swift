// SPDX-License-Identifier: Apache-2.0

import Documents

/// Makes sure that nothing changes that was valid.
///
/// It knows of the repair only which keys were renamed; what may change it takes from the violations of the old value.
struct ChangeGuard {
    /// Places whose value is at fault.
    private var values: Set<JSONPointer> = []
    /// Places at which something is at fault that has no place of its own.
    private var subtrees: Set<JSONPointer> = []
    /// Objects whose keys are at fault.
    private var objects: Set<JSONPointer> = []

    init(_ violations: [Violation]) {
        for violation in SchemaMender.flat(violations) {
            let place = violation.instanceLocation
            if SchemaMender.keyKeywords.contains(violation.keyword) {
                objects.insert(place)
            } else {
                values.insert(place)
                if violation.causes.isEmpty,
                    ["anyOf", "oneOf", "not", "additionalProperties", "unevaluatedProperties"].contains(
                        violation.keyword)
                {
                    subtrees.insert(place)
                }
            }
        }
    }

    /// The first place that has changed though nothing was wrong there.
    ///
    /// - Parameter renames: The new places of members with a new key, and their old keys.
    func firstForeignChange(from old: JSONValue, to new: JSONValue, renames: [JSONPointer: String]) -> JSONPointer? {
        compare(old, .root, new, .root, renames)
    }

    private func compare(
        _ old: JSONValue, _ oldPlace: JSONPointer, _ new: JSONValue, _ newPlace: JSONPointer,
        _ renames: [JSONPointer: String]
    ) -> JSONPointer? {
        let isSameContainer =
            old.objectValue != nil && new.objectValue != nil || old.arrayValue != nil && new.arrayValue != nil
        if old == new || values.contains(oldPlace) && !isSameContainer || subtrees.contains(oldPlace) { return nil }
        switch (old, new) {
        case (.object(let before), .object(let after)):
            var left = Set(before.keys.map { ScalarString($0) })
            for member in after.members {
                let place = newPlace.appending(member.key)
                let key = renames[place] ?? member.key
                guard let value = before[key] else {
                    if objects.contains(oldPlace) { continue }
                    return oldPlace.appending(member.key)
                }
                left.remove(ScalarString(key))
                let inner = oldPlace.appending(key)
                // A key that is at fault takes its value with it.
                if key != member.key {
                    guard objects.contains(oldPlace) || values.contains(inner) else { return inner }
                    continue
                }
                if let foreign = compare(value, inner, member.value, place, renames) { return foreign }
            }
            return left.first.map { oldPlace.appending($0.text) }
        case (.array(let before), .array(let after)):
            guard before.count == after.count else { return oldPlace }
            for index in before.indices {
                if let foreign = compare(
                    before[index], oldPlace.appending(index), after[index], newPlace.appending(index), renames)
                {
                    return foreign
                }
            }
            return nil
        default: return oldPlace
        }
    }
}
