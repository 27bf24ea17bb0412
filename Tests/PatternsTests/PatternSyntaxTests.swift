// SPDX-License-Identifier: Apache-2.0

import Patterns
import Testing

struct PatternSyntaxTests {
    @Test(arguments: [
        "a|", "()", "(?:)", "(?<year>\\d{4})", "[a-]", "[]a]", "[^]", "x{,5}", "{", "}", "]", "a{2}{", "\\-", "\\_",
        "\\/", "\\\"", "\\cA", "\\0", "\\x41", "\\u0041", "\\u{41}", "\\p{L}", "\\p{Script=Han}", "\\P{Lu}", "[\\w-.]",
        "(?=a)*", "[\\b]", "[\\-]", "a??", "a{1,2}?", "\\p{gc=Nd}", "\\p{Alphabetic}",
    ])
    func acceptsWhatAuthorsWrite(_ source: String) throws {
        _ = try Automaton(.pattern(try Pattern(source)))
    }

    @Test(arguments: [
        ("(", 0), ("a)", 1), ("[a", 0), ("*", 0), ("a**", 2), ("[b-a]", 1), ("a{2,1}", 0), ("\\", 0), ("\\a", 0),
        ("a\\Z", 1), ("\\x4", 0), ("\\u{110000}", 0), ("(?i)a", 0), ("(?P<n>x)", 0), ("\\p{Nope}", 0), ("\\p", 0),
        ("(?<n>a)(?<n>b)", 7), ("\\012", 0), ("\\k<a>", 0), ("^*", 0), ("\\c1", 0), ("a{1}{2}", 4),
    ])
    func reportsSyntaxErrorsWithTheirPlace(_ source: String, _ offset: Int) {
        let error = #expect(throws: PatternError.self) { try Pattern(source) }
        #expect(error?.code == .syntax)
        #expect(error?.offset == offset)
    }

    @Test(arguments: [
        ("(a)\\1", "back-reference"), ("(?<n>a)\\k<n>", "back-reference"), ("(?i:a)", "modifiers"),
        ("\\p{Extended_Pictographic}", "property Extended_Pictographic"),
    ])
    func namesUnsupportedFeatures(_ source: String, _ feature: String) {
        let error = #expect(throws: PatternError.self) { try Pattern(source) }
        #expect(error?.code == .unsupported(feature: feature))
    }

    @Test func refusesLookaheadInsideLookbehind() throws {
        let pattern = try Pattern("(?<=a(?=b))b")
        let error = #expect(throws: PatternError.self) { try Automaton(.pattern(pattern)) }
        #expect(error?.code == .unsupported(feature: "lookahead inside lookbehind"))
    }

    @Test func boundsDepthAndLength() {
        let deep = String(repeating: "(", count: 1000) + String(repeating: ")", count: 1000)
        #expect(throws: PatternError.self) { try Pattern(deep) }
        #expect(throws: PatternError.self) { try Pattern(String(repeating: "a", count: 100_001)) }
    }

    @Test func survivesLongPatterns() throws {
        let chain = String(repeating: "a?", count: 40_000)
        let automaton = try Automaton(.pattern(try Pattern("^(?=a{0,9}$)\(chain)$")))
        #expect(automaton.canFinish(automaton.start, minScalars: 9, maxScalars: 9) == .alive)
    }

    @Test func comparesPatternsByScalars() throws {
        #expect(try Pattern("\u{E9}") != Pattern("e\u{301}"))
        #expect(try Pattern("a") == Pattern("a"))
    }
}
