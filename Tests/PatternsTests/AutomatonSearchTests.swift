// SPDX-License-Identifier: Apache-2.0

import Patterns
import Testing

/// Emptiness, shortest texts and windows of lengths.
struct AutomatonSearchTests {
    /// Texts that are asked for one by one are found one after another, not among all their interleavings.
    @Test
    func conditionsThatAskForATextSomewhereAreMetWithoutASearch() throws {
        let letters = (0..<26).map { String(UnicodeScalar(UInt8(97 + $0))) }
        let automaton = try Automaton(
            .pattern(try Pattern("^" + letters.map { "(?=.*\($0))" }.joined() + ".*$")))
        #expect(automaton.liveness(automaton.start) == .alive)
        let shortest = try #require(automaton.shortest(automaton.start))
        var text = String.UnicodeScalarView()
        text.append(contentsOf: shortest)
        #expect(automaton.matches(String(text)))
        #expect(shortest.count == 26)
        #expect(automaton.stateCount < 20_000)
    }

    /// A choice of words steps like a trie.
    @Test
    func choicesOfManyWordsShareTheirBeginnings() throws {
        let words = (0..<2_000).map { "w\($0)" }
        let automaton = try Automaton(.pattern(try Pattern("^(" + words.joined(separator: "|") + ")$")))
        #expect(automaton.matches("w1999"))
        #expect(!automaton.matches("w2000"))
        #expect(!automaton.matches("w"))
        #expect(automaton.stateCount < 40)
    }

    struct Window: Sendable, CustomTestStringConvertible {
        var pattern: String
        var least: Int
        var most: Int?
        var expected: Liveness
        var testDescription: String { "\(pattern) \(least)...\(most.map(String.init) ?? "")" }
    }

    static let hostname = "^(?=.{1,253}$)([a-z0-9-]{1,63}\\.){1,20}[a-z]{2,63}$"

    @Test(arguments: [
        Window(pattern: "^(ab)*$", least: 3, most: 3, expected: .dead),
        Window(pattern: "^(ab)*$", least: 3, most: 4, expected: .alive),
        Window(pattern: "^(ab)*$", least: 1_000_001, most: 1_000_001, expected: .dead),
        Window(pattern: "^(ab)*$", least: 1_000_001, most: nil, expected: .alive),
        Window(pattern: "^.{0,65535}$", least: 65_536, most: nil, expected: .dead),
        Window(pattern: "^.{0,65535}$", least: 65_535, most: 65_535, expected: .alive),
        Window(pattern: "^(aaa|aaaaa)+$", least: 7, most: 7, expected: .dead),
        Window(pattern: "^(aaa|aaaaa)+$", least: 8, most: 8, expected: .alive),
        Window(pattern: "^(?!.*a)[ab]{3}$", least: 3, most: 3, expected: .alive),
        Window(pattern: hostname, least: 250, most: 253, expected: .alive),
        Window(pattern: hostname, least: 254, most: 300, expected: .dead),
        Window(pattern: "^(?=(aa)*$)(?=(aaa)*$)", least: 5, most: 5, expected: .dead),
        Window(pattern: "^(?=(aa)*$)(?=(aaa)*$)", least: 1_000_003, most: 1_000_007, expected: .dead),
        Window(pattern: "^(?=(aa)*$)(?=(aaa)*$)", least: 1_000_003, most: 1_000_008, expected: .alive),
        Window(pattern: "(?!)", least: 0, most: nil, expected: .dead),
        Window(pattern: "^(?=a)b", least: 0, most: nil, expected: .dead),
    ])
    func decidesWindowsOfLengths(_ window: Window) throws {
        let automaton = try Automaton(.pattern(try Pattern(window.pattern)))
        let result = automaton.canFinish(automaton.start, minScalars: window.least, maxScalars: window.most)
        #expect(result == window.expected)
        guard window.expected == .alive, window.least < 1000 else { return }
        let text = try #require(
            automaton.completion(automaton.start, minScalars: window.least, maxScalars: window.most))
        #expect(text.count >= window.least && text.count <= window.most ?? Int.max)
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text)
        #expect(automaton.matches(String(view)))
    }

    @Test(arguments: [
        ("^a{3}b?$", "aaa"), ("^(?=.*\\d)(?=.*[A-Z]).{4,}$", nil), ("\\bfoo\\b", "foo"), ("^[^a-z]$", "0"),
        ("^(?!a|b)[a-d]+$", "c"), ("^\"$", "\""),
    ] as [(String, String?)])
    func findsShortestTexts(_ source: String, _ expected: String?) throws {
        let automaton = try Automaton(.pattern(try Pattern(source)))
        let scalars = try #require(automaton.shortest(automaton.start))
        #expect(automaton.shortestLength(automaton.start) == scalars.count)
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        #expect(automaton.matches(String(view)))
        if let expected { #expect(String(view) == expected) }
    }

    @Test func countsBytesOfTheJSONSpelling() throws {
        let quote = try Automaton(.pattern(try Pattern("^(\"\"|é|\\u0001)x$")))
        #expect(quote.shortestJSONCost(quote.start) == 3)
        let searched = try Automaton(.pattern(try Pattern("^(?!.*é)(\"\"|é|\\u0001)x$")))
        #expect(searched.shortestJSONCost(searched.start) == 5)
    }

    @Test func listsLiveClasses() throws {
        let automaton = try Automaton(.pattern(try Pattern("^(?!b)[ab]c$")))
        let live = automaton.liveClasses(automaton.start)
        #expect(live.contains(automaton.classOf(scalar: 0x61)))
        #expect(!live.contains(automaton.classOf(scalar: 0x62)))
        #expect(live.count == 1)
    }

    @Test func staysSoundBeyondItsLimits() throws {
        var limits = Automaton.Limits()
        limits.maximumStates = 100
        let automaton = try Automaton(.pattern(try Pattern("^(.*a.{12})+$")), limits: limits)
        var state = automaton.start
        var seed: UInt64 = 1
        for _ in 0..<10_000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            state = automaton.transition(state, scalar: seed >> 63 == 0 ? "a" : "b")
        }
        #expect(automaton.isOverflowing)
        #expect(state.isDead)
    }

    @Test func matchesLongTextsInBoundedMemory() throws {
        let matcher = try PatternMatcher(try Pattern("^(?:.*a.{16})+$"))
        var text = ""
        var seed: UInt64 = 1
        for _ in 0..<60_000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            text += seed >> 63 == 0 ? "a" : "b"
        }
        #expect(matcher.matches(text + "a" + String(repeating: "b", count: 16)))
        #expect(!matcher.matches(text + "b" + String(repeating: "b", count: 16)))
    }
}
