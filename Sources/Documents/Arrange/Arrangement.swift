// SPDX-License-Identifier: Apache-2.0

/// In which order the members of objects are written.
public enum MemberOrder: String, Hashable, Sendable, CaseIterable {
    /// As they are.
    case keep
    /// As the schema names them, and those that it does not name behind them, as they are.
    case schema
    /// By the code points of their keys.
    case alphabetical
}

/// In which quotes text is written, in YAML and TOML.
public enum QuoteStyle: String, Hashable, Sendable, CaseIterable {
    case keep, double, single
}

/// What is to change in the order and the number of a document's members.
package struct Arrangement: Sendable {
    package enum Order: Sendable {
        case keep, alphabetical
        /// For objects, the places of their keys; others come behind these, as they are.
        case ranked([JSONPointer: [ScalarString: Int]])
    }

    package var order = Order.keep
    /// Members that are to go.
    package var removals: Set<JSONPointer> = []
    /// Members that are to come, by their objects.
    package var insertions: [JSONPointer: [JSONObject.Member]] = [:]

    /// Whether of members with the same key and the same spelling all but the first go.
    package var dropsDuplicates = false

    package init(order: Order = .keep) { self.order = order }

    package var isEmpty: Bool {
        if case .keep = order { return removals.isEmpty && insertions.isEmpty && !dropsDuplicates }
        return false
    }

    /// Whether the value changes.
    package var changesValue: Bool { !removals.isEmpty || !insertions.isEmpty }

    /// The members that have to go and to come for one value to become another.
    package init(from old: JSONValue, to new: JSONValue) { compare(old, new, .root) }

    private mutating func compare(_ old: JSONValue, _ new: JSONValue, _ path: JSONPointer) {
        switch (old, new) {
        case (.array(let old), .array(let new)):
            for (index, (old, new)) in zip(old, new).enumerated() { compare(old, new, path.appending(index)) }
        case (.object(let old), .object(let new)):
            for member in old.members {
                let own = path.appending(member.key)
                if let other = new[member.key] { compare(member.value, other, own) } else { removals.insert(own) }
            }
            let added = new.members.filter { old.position(of: $0.key) == nil }
            if !added.isEmpty { insertions[path] = added }
        default: break
        }
    }

    /// A value with the members that come and go.
    package func apply(to value: JSONValue) -> JSONValue { apply(to: value, .root) }

    private func apply(to value: JSONValue, _ path: JSONPointer) -> JSONValue {
        switch value {
        case .null, .bool, .number, .string: return value
        case .array(let elements):
            return .array(elements.enumerated().map { apply(to: $0.element, path.appending($0.offset)) })
        case .object(let object):
            var result = JSONObject()
            for member in object.members {
                let own = path.appending(member.key)
                if !removals.contains(own) { result.append(key: member.key, value: apply(to: member.value, own)) }
            }
            for member in insertions[path] ?? [] { result.append(key: member.key, value: member.value) }
            return .object(result)
        }
    }

    /// A value with its members in order.
    func ordered(_ value: JSONValue, at path: JSONPointer) -> JSONValue {
        switch value {
        case .null, .bool, .number, .string: return value
        case .array(let elements):
            return .array(elements.enumerated().map { ordered($0.element, at: path.appending($0.offset)) })
        case .object(let object):
            return .object(
                JSONObject(
                    sorted(object.members.map { [$0.key] }, in: path).map { place in
                        let member = object.members[place]
                        return (key: member.key, value: ordered(member.value, at: path.appending(member.key)))
                    }))
        }
    }

    /// A member of the result.
    enum Item: Hashable {
        /// A member that is there, by its number.
        case old(Int)
        /// One that comes, by its number among those of the object.
        case new(Int)
    }

    /// Numbers in the order of their keys, which may have several parts; equal ones stay as they are, and what begins
    /// with the same parts stands together.
    func sorted(_ keys: [[String]], in object: JSONPointer) -> [Int] {
        if case .keep = order { return Array(keys.indices) }
        return sorted(Array(keys.indices), keys, 0, object)
    }

    // The depth is that of the longest key, which the readers bound.
    private func sorted(_ numbers: [Int], _ keys: [[String]], _ depth: Int, _ object: JSONPointer) -> [Int] {
        guard numbers.count > 1 else { return numbers }
        var result = numbers.filter { keys[$0].count <= depth }
        for (name, group) in groups(numbers.filter { keys[$0].count > depth }, in: object, { keys[$0][depth] }) {
            result += sorted(group, keys, depth + 1, object.appending(name))
        }
        return result
    }

    /// Numbers with the same name together, the groups in the order of the names.
    func groups(
        _ numbers: [Int], in object: JSONPointer, _ name: (Int) -> String
    ) -> [(name: String, numbers: [Int])] {
        var places: [ScalarString: Int] = [:]
        var groups: [(name: String, numbers: [Int])] = []
        for number in numbers {
            let own = name(number)
            if let place = places[ScalarString(own)] {
                groups[place].numbers.append(number)
            } else {
                places[ScalarString(own)] = groups.count
                groups.append((own, [number]))
            }
        }
        switch order {
        case .keep: return groups
        case .alphabetical: return groups.sorted { ScalarText.less($0.name, $1.name) }
        case .ranked(let ranks):
            guard let own = ranks[object] else { return groups }
            let placed = groups.enumerated().map { (own[ScalarString($0.element.name)] ?? .max, $0.offset) }
            return placed.sorted { $0 < $1 }.map { groups[$0.1] }
        }
    }

    /// The keys that are to come into an object and are not there.
    func additions(to object: JSONPointer, _ keys: [[String]]) -> [JSONObject.Member] {
        guard !insertions.isEmpty, let members = insertions[object] else { return [] }
        return members.filter { member in !keys.contains { $0.first.map { ScalarText.equal($0, member.key) } ?? false }
        }
        .map { (key: $0.key, value: ordered($0.value, at: object.appending($0.key))) }
    }
}

/// A text that takes the place of a part of another: pieces of the old one in a new order, and new text.
struct Rearrangement {
    enum Piece {
        case source(Range<Int>)
        case text([UInt8])
    }

    var region: Range<Int>
    var pieces: [Piece]

    /// The text with all changes made; they may stand inside of each other, but not overlap otherwise.
    static func apply(_ changes: [Rearrangement], to bytes: [UInt8]) -> [UInt8] {
        let ordered = changes.sorted {
            ($0.region.lowerBound, -$0.region.count) < ($1.region.lowerBound, -$1.region.count)
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 8)
        emit(0..<bytes.count, from: 0, ordered, bytes, &result)
        return result
    }

    // The depth is that of the document, which its reader bounds.
    private static func emit(
        _ range: Range<Int>, from first: Int, _ changes: [Rearrangement], _ bytes: [UInt8], _ result: inout [UInt8]
    ) {
        var at = range.lowerBound
        // The first change that does not begin before the range.
        var (low, high) = (first, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].region.lowerBound < at { low = middle + 1 } else { high = middle }
        }
        var next = low
        while next < changes.count, changes[next].region.lowerBound < range.upperBound {
            let change = changes[next]
            guard change.region.lowerBound >= at, change.region.upperBound <= range.upperBound else {
                next += 1
                continue
            }
            result += bytes[at..<change.region.lowerBound]
            for piece in change.pieces {
                switch piece {
                case .source(let inner): emit(inner, from: next + 1, changes, bytes, &result)
                case .text(let text): result += text
                }
            }
            at = change.region.upperBound
            next += 1
        }
        result += bytes[at..<range.upperBound]
    }
}
