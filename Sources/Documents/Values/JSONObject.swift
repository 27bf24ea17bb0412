// SPDX-License-Identifier: Apache-2.0

/// The members of a JSON object, in order, with unique keys.
///
/// Order is kept for writing and ignored for equality. Look-up scans small objects and uses an index for larger ones.
public struct JSONObject: Sendable {
    /// A key with its value.
    public typealias Member = (key: String, value: JSONValue)

    /// The members in order.
    public private(set) var members: [Member] = []
    /// Positions by key, kept from the ninth member on.
    private var index: [ScalarString: Int] = [:]

    private static let scanLimit = 8

    /// Creates an object without members.
    public init() {}

    /// Creates an object; of members with the same key the last gives the value and the first the place.
    public init(_ members: some Sequence<Member>) {
        for member in members { append(key: member.key, value: member.value) }
    }

    /// The number of members.
    public var count: Int { members.count }
    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }
    /// The keys in order.
    public var keys: [String] { members.map(\.key) }

    /// The place of the key among the members.
    public func position(of key: String) -> Int? {
        if members.count > Self.scanLimit { return index[ScalarString(key)] }
        return members.firstIndex { ScalarText.equal($0.key, key) }
    }

    /// The value of the key; setting nil removes the member, setting a new key appends it.
    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            if let newValue {
                append(key: key, value: newValue)
            } else if let place = position(of: key) {
                members.remove(at: place)
                rebuildIndex()
            }
        }
    }

    /// Adds a member at the end, or replaces the value where the key exists.
    public mutating func append(key: String, value: JSONValue) {
        if let place = position(of: key) {
            members[place].value = value
            return
        }
        members.append((key, value))
        if members.count == Self.scanLimit + 1 {
            rebuildIndex()
        } else if members.count > Self.scanLimit {
            index[ScalarString(key)] = members.count - 1
        }
    }

    private mutating func rebuildIndex() {
        index.removeAll()
        guard members.count > Self.scanLimit else { return }
        for (place, member) in members.enumerated() { index[ScalarString(member.key)] = place }
    }
}

extension JSONObject: Hashable {
    public static func == (a: JSONObject, b: JSONObject) -> Bool {
        guard a.count == b.count else { return false }
        return a.members.allSatisfy { b[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        var sum = 0
        for member in members {
            // Members are hashed apart and summed, so that their order has no influence.
            var own = Hasher()
            ScalarText.hash(member.key, into: &own)
            own.combine(member.value)
            sum &+= own.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSONObject: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { members.count }
    public subscript(position: Int) -> Member { members[position] }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { (key: $0.0, value: $0.1) })
    }
}
