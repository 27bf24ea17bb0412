// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

struct JSONValueTests {
    static let composed = "caf\u{E9}"
    static let decomposed = "cafe\u{301}"

    @Test func textIsComparedByCodePoints() {
        #expect(Self.composed == Self.decomposed)
        #expect(JSONValue.string(Self.composed) != .string(Self.decomposed))
        #expect(Set([JSONValue.string(Self.composed), .string(Self.decomposed)]).count == 2)
        #expect(JSONPointer([Self.composed]) != JSONPointer([Self.decomposed]))
    }

    @Test(arguments: [1, 20])
    func keysAreComparedByCodePoints(_ others: Int) {
        var object = JSONObject()
        for index in 0..<others { object["k\(index)"] = 0 }
        object[Self.composed] = 1
        object[Self.decomposed] = 2
        #expect(object.count == others + 2)
        #expect(object[Self.composed] == 1)
        #expect(object[Self.decomposed] == 2)
    }

    @Test func equalityIgnoresOrderOfMembersAndSpellingOfNumbers() {
        let a: JSONValue = ["x": 1, "y": [1.0, nil, true]]
        let b: JSONValue = ["y": [1, nil, true], "x": 1.0]
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
        #expect(a != ["x": 1, "y": [nil, 1, true]])
        #expect(JSONValue.bool(true) != 1)
        #expect(JSONValue.null != false)
    }

    @Test(arguments: [3, 30])
    func objectsKeepOrderAndReplace(_ count: Int) {
        var object = JSONObject()
        for index in 0..<count { object["k\(index)"] = .number(DecimalNumber(index)) }
        object["k1"] = "new"
        object["k0"] = nil
        #expect(object.keys == (1..<count).map { "k\($0)" })
        #expect(object["k1"] == "new")
        #expect(object["k0"] == nil)
        #expect(object["k\(count - 1)"] == .number(DecimalNumber(count - 1)))
    }

    @Test(
        arguments: [
            ("", []), ("/", [""]), ("/a/0", ["a", "0"]), ("/a~1b/~0", ["a/b", "~"]), ("//", ["", ""]), ("/~01", ["~1"]),
        ] as [(String, [String])])
    func pointersRoundTrip(_ text: String, _ tokens: [String]) throws {
        let pointer = try #require(JSONPointer(parsing: text))
        #expect(pointer.tokens == tokens)
        #expect(pointer.description == text)
    }

    @Test(arguments: ["a", "/~", "/~2", "#/a"])
    func refusesPointers(_ text: String) { #expect(JSONPointer(parsing: text) == nil) }

    @Test func pointersEvaluate() throws {
        let value: JSONValue = ["a": [1, ["": "x"]], "%": 5]
        #expect(JSONPointer(parsing: "/a/1/")?.evaluate(value) == "x")
        #expect(JSONPointer(parsing: "/a/01")?.evaluate(value) == nil)
        #expect(JSONPointer(parsing: "/a/-")?.evaluate(value) == nil)
        #expect(JSONPointer(parsing: "/a/2")?.evaluate(value) == nil)
        #expect(JSONPointer(fragment: "/%25")?.evaluate(value) == 5)
        #expect(JSONPointer(fragment: "/%2") == nil)
        let root = Document(value: value).root
        #expect(JSONPointer(parsing: "/a/1/")?.evaluate(root)?.stringValue == "x")
        #expect(JSONPointer(parsing: "/a/1/")?.evaluate(root)?.pointer.description == "/a/1/")
    }
}
