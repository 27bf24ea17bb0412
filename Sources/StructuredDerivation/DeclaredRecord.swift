// SPDX-License-Identifier: Apache-2.0

/// A struct as it is written, and what is made of it.
struct DeclaredRecord {
    var name: String
    var access: DeclaredAccess
    /// An expression for the description.
    var description: String?
    var properties: [DeclaredProperty]

    /// The extension that makes the type conform.
    func conformance(of type: String) -> String {
        """
        extension \(type): Formwork.Structured {
            \(partial)

            \(access.modifier)static func structuredSchema(in schema: inout Formwork.SchemaBuilder) -> Formwork.SchemaNode {
                schema.object(Self.self, name: \(literal(name)), description: \(description ?? "nil")) { object in
                    \(lines(properties.map { $0.declaration(in: "object") }, indent: 12, empty: "_ = object"))
                }
            }

            \(access.modifier)init(structuredValue: Formwork.StructuredValue) throws(Formwork.StructuredValueError) {
                \(properties.isEmpty ? "_" : "let members") = try structuredValue.members(of: Self.self)\(readings)
            }

            \(access.modifier)var structuredValue: Formwork.StructuredValue {
                \(properties.isEmpty ? "let" : "var") members = Formwork.StructuredMembers()\(writings)
                return members.value
            }

            \(access.modifier)static func partiallyFilled(from part: Formwork.PartialValue) -> PartiallyFilled? {
                guard \(properties.isEmpty ? "part.members != nil" : "let members = part.members") else {
                    return nil
                }
                return PartiallyFilled(\(list(properties.map(\.partialReading), indent: 8)))
            }
        }
        """
    }

    private var readings: String { statements(properties.map(\.reading)) }
    private var writings: String { statements(properties.map(\.writing)) }

    private func statements(_ all: [String]) -> String { all.isEmpty ? "" : "\n        " + lines(all, indent: 8) }

    /// The type of a value whose members have not all come yet.
    private var partial: String {
        let usable = min(properties.map(\.access).min() ?? access, access)
        let members = lines(properties.map { "\($0.access.modifier)var \($0.name): \($0.partialType)?" }, indent: 8)
        let arguments = list(properties.map { "\($0.name): \($0.partialType)? = nil" }, indent: 8)
        let settings = lines(properties.map { "self.\($0.name) = \($0.name)" }, indent: 12)
        return """
            \(access.modifier)struct PartiallyFilled: Swift.Sendable {
                    \(members)\(properties.isEmpty ? "" : "\n\n        ")\(usable.modifier)init(\(arguments)) {
                        \(settings)
                    }
                }
            """
    }
}

extension DeclaredProperty {
    /// The call that adds the property to a schema.
    func declaration(in builder: String) -> String {
        var arguments = [literal(key), "\(type).self"]
        if isNullable {
            arguments.append("presence: .nullable")
        } else if isOptional || hasDefault {
            arguments.append("presence: .optional")
        }
        if let description { arguments.append("description: \(description)") }
        if !guides.isEmpty { arguments.append("guides: [\(guides.joined(separator: ", "))]") }
        if let shownDefault {
            arguments.append("default: ((\(shownDefault)) as \(type)\(isOptional ? "?" : "")).structuredValue")
        }
        return "\(builder).property(\(arguments.joined(separator: ", ")))"
    }

    /// The statements that read the property from `members`.
    fileprivate var reading: String {
        let call = "members.\(isOptional || hasDefault ? "optional" : "value")(\(literal(key)), as: \(type).self)"
        if isNullable {
            return """
                if members.contains(\(literal(key))) {
                    self.\(name) = try \(call)
                }
                """
        }
        if hasDefault {
            return """
                if let value = try \(call) {
                    self.\(name) = value
                }
                """
        }
        return "self.\(name) = try \(call)"
    }

    /// The argument that says what there is of the property.
    fileprivate var partialReading: String { "\(name): members.value(\(literal(key)), as: \(type).self)" }

    /// What writes the property.
    var append: String { isNullable ? "appendNullable" : isOptional ? "appendOptional" : "append" }

    /// The statement that writes the property to `members`.
    fileprivate var writing: String {
        let guides = guides.isEmpty ? "" : ", guides: [\(guides.joined(separator: ", "))]"
        return "members.\(append)(\(literal(key)), self.\(name)\(guides))"
    }
}

/// Lines below each other, all but the first with an indentation.
func lines(_ lines: [String], indent: Int, empty: String = "") -> String {
    let all = lines.isEmpty ? [empty] : lines
    let spaces = String(repeating: " ", count: indent)
    return all.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }.joined(separator: "\n" + spaces)
}

/// Arguments, one a line.
func list(_ items: [String], indent: Int) -> String {
    guard !items.isEmpty else { return "" }
    let spaces = String(repeating: " ", count: indent)
    return items.map { "\n\(spaces)    \($0)" }.joined(separator: ",") + "\n" + spaces
}
