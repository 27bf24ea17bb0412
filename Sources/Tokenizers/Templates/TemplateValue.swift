// SPDX-License-Identifier: Apache-2.0

package import Documents

/// A value inside a chat template, with the semantics of the reference implementation's host language.
///
/// Strings are compared and indexed by Unicode scalar. Values cannot be changed by a template, except for the fields
/// of a namespace.
package enum TemplateValue {
    /// A value that is not there; the text says what was looked up.
    case undefined(String)
    case none
    case boolean(Bool)
    case integer(Int)
    case double(Double)
    case string(String)
    case list(TemplateList)
    case tuple(TemplateList)
    case dictionary(TemplateDictionary)
    case namespace(TemplateNamespace)
    case loop(TemplateLoop)
    case macro(TemplateMacro)
    case function(TemplateFunction)
    indirect case method(TemplateValue, String)

    /// The same value as a template sees it; numbers that are integers and fit in 64 bits become integers.
    package init(_ value: JSONValue) {
        switch value {
        case .null: self = .none
        case .bool(let value): self = .boolean(value)
        case .string(let value): self = .string(value)
        case .array(let elements): self = .list(TemplateList(elements.map { TemplateValue($0) }))
        case .object(let object):
            var dictionary = TemplateDictionary()
            for member in object.members { dictionary.append(.string(member.key), TemplateValue(member.value)) }
            self = .dictionary(dictionary)
        case .number(let number):
            if let integer = number.intValue {
                self = .integer(integer)
            } else {
                self = .double(number.doubleValue)
            }
        }
    }
}

/// How deep and how large a value is, known without walking it.
///
/// Values share their parts, so a small template can make one whose full walk takes exponential time. Whoever walks a
/// value charges its weight first.
struct TemplateExtent {
    var height = 1
    var weight = 1

    mutating func add(_ value: TemplateValue) {
        let part = value.extent
        height = max(height, part.height + 1)
        let (sum, overflow) = weight.addingReportingOverflow(part.weight)
        weight = overflow ? .max : sum
    }
}

/// The items of a list or tuple.
package struct TemplateList: RandomAccessCollection {
    package let elements: [TemplateValue]
    let extent: TemplateExtent

    package init(_ elements: [TemplateValue]) {
        self.elements = elements
        var extent = TemplateExtent()
        for element in elements { extent.add(element) }
        self.extent = extent
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { elements.count }
    package subscript(position: Int) -> TemplateValue { elements[position] }
}

/// An ordered mapping.
package struct TemplateDictionary {
    package private(set) var entries: [(key: TemplateValue, value: TemplateValue)] = []
    private var slots: [[UInt8]: Int] = [:]
    private(set) var extent = TemplateExtent()

    package init() {}

    package var count: Int { entries.count }

    /// Adds an entry, replacing the value of an equal key.
    package mutating func append(_ key: TemplateValue, _ value: TemplateValue) {
        extent.add(key)
        extent.add(value)
        if let slot = slot(of: key) {
            entries[slot].value = value
            return
        }
        // Keys are compared by their bytes: Swift's own string keys would equate canonically equivalent texts.
        if case .string(let text) = key { slots[Array(text.utf8)] = entries.count }
        entries.append((key, value))
    }

    package subscript(_ key: TemplateValue) -> TemplateValue? {
        guard let slot = slot(of: key) else { return nil }
        return entries[slot].value
    }

    package subscript(_ key: String) -> TemplateValue? { self[.string(key)] }

    private func slot(of key: TemplateValue) -> Int? {
        if case .string(let text) = key { return slots[Array(text.utf8)] }
        return entries.firstIndex { $0.key.isEqual(to: key) }
    }
}

/// The mutable record that `namespace(…)` makes.
package final class TemplateNamespace {
    var fields = TemplateDictionary()
}

/// The `loop` variable.
package final class TemplateLoop {
    let items: TemplateList
    let depth: Int
    var index = 0
    var lastChanged: TemplateList?

    init(items: TemplateList, depth: Int) {
        self.items = items
        self.depth = depth
    }
}

/// A macro with the scope it was defined in.
package final class TemplateMacro {
    let definition: MacroDefinition
    // Weak, because the macro usually lives in that very scope.
    weak var scope: TemplateScope?

    init(definition: MacroDefinition, scope: TemplateScope) {
        self.definition = definition
        self.scope = scope
    }
}

/// The variables of a part of the template.
package final class TemplateScope {
    var variables: [String: TemplateValue] = [:]
    let parent: TemplateScope?

    init(parent: TemplateScope?) { self.parent = parent }

    func lookup(_ name: String) -> TemplateValue? {
        var scope: TemplateScope? = self
        while let current = scope {
            if let value = current.variables[name] { return value }
            scope = current.parent
        }
        return nil
    }
}

/// The global functions.
package enum TemplateFunction: String {
    case range, dict, namespace
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

extension TemplateValue {
    /// The name the reference implementation gives the type in its messages.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .boolean: "bool"
        case .integer: "int"
        case .double: "float"
        case .string: "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dictionary: "dict"
        case .namespace: "Namespace"
        case .loop: "LoopContext"
        case .macro: "Macro"
        case .function, .method: "function"
        }
    }

    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .boolean(let value): value
        case .integer(let value): value != 0
        case .double(let value): value != 0
        case .string(let value): !value.isEmpty
        case .list(let items), .tuple(let items): !items.isEmpty
        case .dictionary(let dictionary): dictionary.count > 0
        case .namespace, .loop, .macro, .function, .method: true
        }
    }

    var extent: TemplateExtent {
        switch self {
        case .string(let text): TemplateExtent(height: 1, weight: 1 + text.utf8.count / 16)
        case .list(let items), .tuple(let items): items.extent
        case .dictionary(let dictionary): dictionary.extent
        case .loop(let loop):
            TemplateExtent(height: max(loop.items.extent.height, loop.lastChanged?.extent.height ?? 0) + 1, weight: 1)
        case .method(let receiver, _): TemplateExtent(height: receiver.extent.height + 1, weight: 1)
        default: TemplateExtent()
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { return true }
        return false
    }

    /// The value as a number for arithmetic: booleans count as 0 and 1.
    var number: TemplateNumber? {
        switch self {
        case .boolean(let value): .integer(value ? 1 : 0)
        case .integer(let value): .integer(value)
        case .double(let value): .double(value)
        default: nil
        }
    }

    var integerValue: Int? {
        if case .integer(let value)? = number { return value }
        return nil
    }

    /// Equality as `==` has it; numbers compare by value across types.
    ///
    /// - Complexity: Up to the smaller weight of the two, which the caller charges.
    package func isEqual(to other: TemplateValue) -> Bool {
        if let left = number, let right = other.number { return left == right }
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let left), .string(let right)): return left.utf8.elementsEqual(right.utf8)
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isEqual(to: $1) }
        case (.dictionary(let left), .dictionary(let right)):
            return left.count == right.count
                && left.entries.allSatisfy { entry in right[entry.key].map { entry.value.isEqual(to: $0) } ?? false }
        case (.namespace(let left), .namespace(let right)): return left === right
        case (.loop(let left), .loop(let right)): return left === right
        case (.macro(let left), .macro(let right)): return left === right
        case (.function(let left), .function(let right)): return left == right
        default: return false
        }
    }
}

/// A number in arithmetic.
enum TemplateNumber: Equatable {
    case integer(Int)
    case double(Double)

    var double: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        }
    }

    static func == (left: TemplateNumber, right: TemplateNumber) -> Bool { compare(left, right) == 0 }

    /// -1, 0, 1, or nil where one of the two is not a number; exact between integers and doubles.
    static func compare(_ left: TemplateNumber, _ right: TemplateNumber) -> Int? {
        switch (left, right) {
        case (.integer(let a), .integer(let b)): return a < b ? -1 : a > b ? 1 : 0
        case (.double(let a), .double(let b)): return a < b ? -1 : a > b ? 1 : a == b ? 0 : nil
        case (.integer(let a), .double(let b)):
            if b.isNaN { return nil }
            if b >= 9_223_372_036_854_775_808 { return -1 }
            if b < -9_223_372_036_854_775_808 { return 1 }
            let whole = Int(b.rounded(.down))
            if a != whole { return a < whole ? -1 : 1 }
            return b > b.rounded(.down) ? -1 : 0
        case (.double, .integer): return compare(right, left).map { -$0 }
        }
    }
}
