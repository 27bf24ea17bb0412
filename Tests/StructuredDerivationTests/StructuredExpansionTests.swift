// SPDX-License-Identifier: Apache-2.0

import StructuredDerivation
import SwiftParser
import SwiftSyntax
import SwiftSyntaxMacroExpansion
import SwiftSyntaxMacros
import SwiftSyntaxMacrosGenericTestSupport
import Testing

private let macros: [String: MacroSpec] = [
    "Structured": MacroSpec(type: StructuredExpansion.self, conformances: ["Structured", "StructuredChoice"]),
    "Guide": MacroSpec(type: GuideExpansion.self),
]

private func expectExpansion(
    _ source: String, _ expanded: String, _ diagnostics: [DiagnosticSpec] = [], fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column
) {
    assertMacroExpansion(
        source, expandedSource: expanded, diagnostics: diagnostics, macroSpecs: macros,
        failureHandler: { failure in
            Issue.record(
                "\(failure.message)",
                sourceLocation: SourceLocation(
                    fileID: failure.location.fileID, filePath: failure.location.filePath,
                    line: failure.location.line, column: failure.location.column))
        },
        fileID: fileID, filePath: filePath, line: line, column: column)
}

struct StructuredExpansionTests {
    @Test func structs() {
        expectExpansion(
            #"""
            /// Somebody.
            @Structured
            public struct Contact {
                /// The full name,
                /// as "written".
                ///
                /// More about it.
                public var name: String
                @Guide(description: "Age", .range(0...150)) public var age: Int?
                var tags: [Colour] = []
                private(set) public var size: Int? = 40
                static let shared = 1
                var short: String { name }
            }
            """#,
            #"""
            /// Somebody.
            public struct Contact {
                /// The full name,
                /// as "written".
                ///
                /// More about it.
                public var name: String
                public var age: Int?
                var tags: [Colour] = []
                private(set) public var size: Int? = 40
                static let shared = 1
                var short: String { name }
            }

            extension Contact: Formwork.Structured {
                public struct PartiallyFilled: Swift.Sendable {
                    public var name: String?
                    public var age: Int?
                    var tags: Formwork.Partial<[Colour]>?
                    public var size: Int?

                    init(
                        name: String? = nil,
                        age: Int? = nil,
                        tags: Formwork.Partial<[Colour]>? = nil,
                        size: Int? = nil
                    ) {
                        self.name = name
                        self.age = age
                        self.tags = tags
                        self.size = size
                    }
                }

                public static func structuredSchema(in schema: inout Formwork.SchemaBuilder) -> Formwork.SchemaNode {
                    schema.object(Self.self, name: "Contact", description: "Somebody.") { object in
                        object.property("name", String.self, description: "The full name, as \"written\".")
                        object.property("age", Int.self, presence: .optional, description: "Age", guides: [.range(0 ... 150)])
                        object.property("tags", [Colour].self, presence: .optional, default: (([]) as [Colour]).structuredValue)
                        object.property("size", Int.self, presence: .nullable, default: ((40) as Int?).structuredValue)
                    }
                }

                public init(structuredValue: Formwork.StructuredValue) throws(Formwork.StructuredValueError) {
                    let members = try structuredValue.members(of: Self.self)
                    self.name = try members.value("name", as: String.self)
                    self.age = try members.optional("age", as: Int.self)
                    if let value = try members.optional("tags", as: [Colour].self) {
                        self.tags = value
                    }
                    if members.contains("size") {
                        self.size = try members.optional("size", as: Int.self)
                    }
                }

                public var structuredValue: Formwork.StructuredValue {
                    var members = Formwork.StructuredMembers()
                    members.append("name", self.name)
                    members.appendOptional("age", self.age, guides: [.range(0 ... 150)])
                    members.append("tags", self.tags)
                    members.appendNullable("size", self.size)
                    return members.value
                }

                public static func partiallyFilled(from part: Formwork.PartialValue) -> PartiallyFilled? {
                    guard let members = part.members else {
                        return nil
                    }
                    return PartiallyFilled(
                        name: members.value("name", as: String.self),
                        age: members.value("age", as: Int.self),
                        tags: members.value("tags", as: [Colour].self),
                        size: members.value("size", as: Int.self)
                    )
                }
            }
            """#)
    }

    @Test func structsWithoutProperties() {
        expectExpansion(
            #"""
            @Structured
            struct Empty {}
            """#,
            #"""
            struct Empty {}

            extension Empty: Formwork.Structured {
                struct PartiallyFilled: Swift.Sendable {
                    init() {

                    }
                }

                static func structuredSchema(in schema: inout Formwork.SchemaBuilder) -> Formwork.SchemaNode {
                    schema.object(Self.self, name: "Empty", description: nil) { object in
                        _ = object
                    }
                }

                init(structuredValue: Formwork.StructuredValue) throws(Formwork.StructuredValueError) {
                    _ = try structuredValue.members(of: Self.self)
                }

                var structuredValue: Formwork.StructuredValue {
                    let members = Formwork.StructuredMembers()
                    return members.value
                }

                static func partiallyFilled(from part: Formwork.PartialValue) -> PartiallyFilled? {
                    guard part.members != nil else {
                        return nil
                    }
                    return PartiallyFilled()
                }
            }
            """#)
    }

    @Test func enumsWithoutValues() {
        expectExpansion(
            #"""
            /// What to do.
            @Structured(description: "An action.")
            public enum Action: Int {
                /// start it
                case start = 1
                case `repeat`
            }
            """#,
            #"""
            /// What to do.
            public enum Action: Int {
                /// start it
                case start = 1
                case `repeat`
            }

            extension Action: Formwork.Structured, Formwork.StructuredChoice {
                public typealias PartiallyFilled = Action

                public static var structuredDescription: Swift.String? {
                    "An action."
                }

                public static var structuredChoices: [Formwork.Choice<Self>] {
                    [
                        Formwork.Choice(Self.start.rawValue, Self.start, description: "start it"),
                        Formwork.Choice(Self.`repeat`.rawValue, Self.`repeat`),
                    ]
                }
            }
            """#)
    }

    @Test func enumsWithoutRawValues() {
        expectExpansion(
            #"""
            @Structured
            enum Colour {
                case red, green
            }
            """#,
            #"""
            enum Colour {
                case red, green
            }

            extension Colour: Formwork.Structured, Formwork.StructuredChoice {
                typealias PartiallyFilled = Colour

                static var structuredDescription: Swift.String? {
                    nil
                }

                static var structuredChoices: [Formwork.Choice<Self>] {
                    [
                        Formwork.Choice("red", Self.red),
                        Formwork.Choice("green", Self.green),
                    ]
                }
            }
            """#)
    }

    @Test func enumsWithValues() {
        expectExpansion(
            #"""
            @Structured
            indirect enum Shape {
                case none
                case text(String?)
                case line(from: Int, to: Int?, width: Int = 1, `in`: Shape)
            }
            """#,
            #"""
            indirect enum Shape {
                case none
                case text(String?)
                case line(from: Int, to: Int?, width: Int = 1, `in`: Shape)
            }

            extension Shape: Formwork.Structured {
                typealias PartiallyFilled = Shape

                static func structuredSchema(in schema: inout Formwork.SchemaBuilder) -> Formwork.SchemaNode {
                    schema.alternatives(Self.self, name: "Shape", description: nil) { alternatives in
                        alternatives.plain("none")
                        alternatives.value("text", Swift.Optional<String>.self)
                        alternatives.object("line") { object in
                            object.property("from", Int.self)
                            object.property("to", Int.self, presence: .optional)
                            object.property("width", Int.self, presence: .optional, default: ((1) as Int).structuredValue)
                            object.property("in", Shape.self)
                        }
                    }
                }

                init(structuredValue: Formwork.StructuredValue) throws(Formwork.StructuredValueError) {
                    let alternative = try structuredValue.alternative(of: Self.self)
                    switch alternative.name {
                    case "none":
                        try alternative.expectPlain()
                        self = .none
                    case "text":
                        self = .text(try alternative.value(as: Swift.Optional<String>.self))
                    case "line":
                        let members = try alternative.members
                        self = .line(from: try members.value("from", as: Int.self), to: try members.optional("to", as: Int.self), width: try members.optional("width", as: Int.self) ?? (1), `in`: try members.value("in", as: Shape.self))
                    default:
                        throw alternative.unknown
                    }
                }

                var structuredValue: Formwork.StructuredValue {
                    switch self {
                    case .none:
                        return .alternative("none")
                    case .text(let value0):
                        return .alternative("text", value0.structuredValue)
                    case .line(let value0, let value1, let value2, let value3):
                        var members = Formwork.StructuredMembers()
                        members.append("from", value0)
                        members.appendOptional("to", value1)
                        members.append("width", value2)
                        members.append("in", value3)
                        return .alternative("line", members.value)
                    }
                }
            }
            """#)
    }

    @Test func descriptionsAreTheFirstParagraph() {
        let cases: [(comment: String, expected: String?)] = [
            ("/// One\n///   two.\n///\n/// Three.\n", "One two."), ("// Not this.\n", nil),
            ("/// Of something else.\n\n/// This.\n", "This."),
            ("/**\n * One\n * two.\n *\n * Three.\n */\n", "One two."),
            ("/** One. */\n", "One."), ("///\n", nil), ("/// \\ and \"x\"\n", #"\ and "x""#),
        ]
        for (comment, expected) in cases {
            for source in [
                "\(comment)struct A {}", "\(comment)@Structured public struct A {}",
                "@Structured\n\(comment)struct A {}",
            ] {
                let found = Parser.parse(source: source).statements.first?.item.as(StructDeclSyntax.self).flatMap {
                    Documentation.summary(of: $0)
                }
                #expect(found == expected, "\(source)")
            }
        }
    }

    /// The diagnostics of a source, as `line:column: message`.
    private func problems(_ source: String) -> [String] {
        let file = Parser.parse(source: source)
        let context = BasicMacroExpansionContext(sourceFiles: [
            file: .init(moduleName: "Test", fullFilePath: "test.swift")
        ])
        _ = file.expand(macroSpecs: macros) { node in
            BasicMacroExpansionContext(sharingWith: context, lexicalContext: node.allMacroLexicalContexts())
        }
        return context.diagnostics.map { diagnostic in
            let place = context.location(
                for: diagnostic.position, anchoredAt: diagnostic.node, fileName: "test.swift")
            return "\(place.line):\(place.column): \(diagnostic.message)"
        }
    }

    @Test(arguments: [
        (
            "@Structured class A { var x: Int = 1 }",
            "1:13: '@Structured' can be applied to structs and enums, but not to classes"
        ),
        ("@Structured actor A {}", "1:13: '@Structured' can be applied to structs and enums, but not to actors"),
        (
            "@Structured struct A<T> { var x: T }",
            "1:21: '@Structured' cannot be applied to the generic type 'A', which has no schema of its own; apply it to "
                + "types without parameters"
        ),
        (
            "@Structured enum A<T> { case x(T) }",
            "1:19: '@Structured' cannot be applied to the generic type 'A', which has no schema of its own; apply it to "
                + "types without parameters"
        ),
        ("@Structured enum A {}", "1:18: '@Structured' needs at least one case: no value fits an enum without cases"),
        (
            "@Structured struct A { var x = f() }",
            "1:28: 'x' needs a type annotation, from which its schema is derived"
        ),
        (
            "@Structured struct A { let x: Int = 1 }",
            "1:28: 'x' is a constant that has a value already, so nothing can be read into it; make it 'var', 'static let', "
                + "or leave out the value and add '@Guide(.constant(…))'"
        ),
        (
            "@Structured struct A { lazy var x: Int = 1 }",
            "1:24: 'x' cannot be part of a schema: a 'lazy' property holds no value of its own"
        ),
        (
            "@Structured struct A { @Wrapped var x: Int }",
            "1:24: 'x' cannot be part of a schema: '@Wrapped' may change how it is stored"
        ),
        (
            "@Structured struct A { var (x, y): (Int, Int) }",
            "1:28: properties that are declared together in a tuple have no names in a schema; declare one at a time"
        ),
        (
            "@Structured struct A {\n#if B\nvar x: Int\n#endif\n}",
            "2:1: what stands inside '#if' is not known when the schema is derived; move it out of the type"
        ),
        (
            "@Structured enum A {\ncase x\n#if B\ncase y\n#endif\n}",
            "3:1: what stands inside '#if' is not known when the schema is derived; move it out of the type"
        ),
        ("@Structured struct A { var x: Int! }", "1:31: 'Int!' has no schema: write 'Int?'"),
        (
            "@Structured struct A { var x: Int?? }",
            "1:31: 'Int??' has no schema: JSON cannot tell one 'nil' from the other"
        ),
        (
            "@Structured struct A { var x: (Int, Int) }",
            "1:31: '(Int, Int)' has no schema: declare a '@Structured' struct in place of a tuple"
        ),
        (
            "@Structured struct A { var x: any Error }",
            "1:31: 'any Error' has no schema: it does not say which type a value has"
        ),
        ("@Structured struct A { var x: () -> Void }", "1:31: '() -> Void' has no schema: functions are no data"),
        (
            "@Structured struct A { var x: Set<Int> }",
            "1:31: 'Set<Int>' has no schema: use an array with the guide '.uniqueElements'"
        ),
        (
            "@Structured struct A { var x: Character? }",
            "1:31: 'Character' has no schema: use 'String' with a guide such as '.length(1)'"
        ),
        (
            "@Structured struct A { var x: [Int: Bool] }",
            "1:31: '[Int: Bool]' has no schema: the keys of JSON objects are texts: use '[String: Bool]'"
        ),
        (
            "@Structured enum A { case x(Int, y: Int) }",
            "1:29: the values of the case 'x' need labels, which are their keys in JSON"
        ),
        (
            "@Structured struct A { @Guide(.pattern(\"a\")) var x: Int }",
            "1:31: the guide '.pattern' is for texts, not for 'Int'"
        ),
        (
            "@Structured struct A { @Guide(description: \"x\", .range(0...1)) var x: String? }",
            "1:49: the guide '.range' is for numbers, not for 'String'"
        ),
        (
            "@Structured struct A { @Guide(.count(3)) var x: Bool }",
            "1:31: the guide '.count' is for arrays and dictionaries, not for 'Bool'"
        ),
        (
            "@Structured struct A { @Guide(.element(.range(0...1))) var x: [String: Int] }",
            "1:31: the guide '.element' is for arrays, not for '[String: Int]'"
        ),
        (
            "@Structured struct A { @Guide(.format(.uri)) @Guide(.length(3)) var x: String }",
            "1:46: a property can have one '@Guide'; give all guides in it"
        ),
        (
            "struct A { @Guide(.length(3)) var x: String }",
            "1:12: '@Guide' can be applied to stored properties of '@Structured' types only"
        ),
        (
            "@Structured struct A { @Guide(.length(3)) var x: String { \"\" } }",
            "1:24: '@Guide' can be applied to stored properties of '@Structured' types only"
        ),
        (
            "@Structured struct A { @Guide(.length(3)) static var x: String = \"\" }",
            "1:24: '@Guide' can be applied to stored properties of '@Structured' types only"
        ),
    ])
    func refusesWithAPlace(_ source: String, _ problem: String) {
        #expect(problems(source) == [problem])
    }

    @Test(arguments: [
        "var x, y: Int", "var x: Int { didSet {} }", "var x = 1, y = \"\", z = -1.5, b = true", "static let x: Int = 1",
        "var x: Optional<Int>", "func f() {}", "#if B\nfunc f() {}\n#endif", "let x: Int",
        "@available(*, deprecated) var x: Int",
        "@Guide(.anyOf([1])) var x: Int", "@Guide(.format(.day)) var x: Date?", "@Guide(.custom) var x: Mine",
    ])
    func takesOtherDeclarations(_ member: String) {
        #expect(problems("@Structured struct A {\n\(member)\n}") == [])
    }
}
