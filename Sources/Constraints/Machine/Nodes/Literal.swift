// SPDX-License-Identifier: Apache-2.0

import JSONSchemas

/// One obligation of a value: it satisfies a subschema, or equals a constant, or the opposite of either.
struct Literal: Hashable, Comparable {
    /// Bit 0: negated. Bit 1: a constant, not a subschema. Bits 2 to 33: its number. The rest: the dynamic scope.
    let rawValue: UInt64

    private init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The value satisfies the subschema as seen from the dynamic scope.
    init(_ subschema: SubschemaID, scope: UInt32, negated: Bool = false) {
        rawValue = UInt64(scope) << 34 | UInt64(UInt32(bitPattern: subschema.rawValue)) << 2 | (negated ? 1 : 0)
    }

    /// The value equals the constant of that number.
    init(constant: UInt32, negated: Bool = false) {
        rawValue = UInt64(constant) << 2 | 2 | (negated ? 1 : 0)
    }

    /// The value meets at least one of the literals of a list of that number.
    init(disjunction: UInt32) {
        rawValue = UInt64(disjunction | 1 << 31) << 2 | 2
    }

    /// The number of the list, where it is a disjunction of literals.
    var disjunction: UInt32? { isConstant && constant >> 31 == 1 ? constant & ~(1 << 31) : nil }

    /// The obligation that no value meets.
    static let never = Literal(rawValue: .max)
    /// The obligation that every value meets.
    static let always = Literal(rawValue: .max - 1)

    var isNegated: Bool { rawValue & 1 != 0 }
    var isConstant: Bool { rawValue & 2 != 0 }
    var negated: Literal { Literal(rawValue: rawValue ^ 1) }

    /// The subschema, where it is not a constant.
    var subschema: SubschemaID {
        SubschemaID(rawValue: Int32(bitPattern: UInt32(truncatingIfNeeded: rawValue >> 2)))
    }
    /// The number of the constant, where it is one.
    var constant: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 2) }
    var scope: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 34) }

    static func < (a: Literal, b: Literal) -> Bool { a.rawValue < b.rawValue }
}

/// The number of a conjunction of literals.
typealias NodeID = UInt32

extension NodeID {
    /// No obligation.
    static var anything: NodeID { 0 }
    /// Obligations that contradict each other.
    static var nothing: NodeID { 1 }
}

/// The six kinds of JSON value that a first byte tells apart.
enum ValueType: UInt8, CaseIterable {
    case null, boolean, number, string, array, object

    /// The types of a schema's `type` that include it.
    var typeSet: TypeSet {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .number: [.number, .integer]
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }
}
