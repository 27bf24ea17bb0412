// SPDX-License-Identifier: Apache-2.0

import Patterns
import Testing

struct LanguageTests {
    @Test func combinesLanguages() throws {
        let language = Language.all([
            .pattern(try Pattern("^a")), .not(.literals(["a", "ab"])),
            .any([.literals(["a", "abc", "b"]), .pattern(try Pattern("z$"))]),
        ])
        let automaton = try Automaton(language)
        for text in ["abc", "az", "abz"] { #expect(automaton.matches(text)) }
        for text in ["a", "ab", "b", "z", "abcd", ""] { #expect(!automaton.matches(text)) }
    }

    @Test func anchorsWholeMatches() throws {
        let automaton = try Automaton(.wholeMatch(try Pattern("a|b")))
        #expect(automaton.matches("a"))
        #expect(!automaton.matches("ab"))
    }

    @Test func comparesLiteralsByScalars() throws {
        let automaton = try Automaton(.literals(["\u{E9}", "", "\u{E9}t"]))
        #expect(automaton.matches(""))
        #expect(automaton.matches("\u{E9}t"))
        #expect(!automaton.matches("e\u{301}"))
    }

    @Test func refusesToNegateWhatIsNotRegular() throws {
        _ = try Automaton(.format(.hostname))
        #expect(throws: PatternError.self) { try Automaton(.not(.format(.hostname))) }
        let notADate = try Automaton(.not(.format(.date)))
        #expect(notADate.matches("2023-02-29"))
        #expect(!notADate.matches("2024-02-29"))
    }

    @Test func holdsManyLiterals() throws {
        let texts = (0..<20_000).map { "item-\($0 &* 7919 % 100_003)" }
        let automaton = try Automaton(.not(.literals(texts)))
        #expect(!automaton.matches("item-7919"))
        #expect(automaton.matches("item-7"))
    }

    @Test func givesTheSameClassesToScalarsThatNoSetSplits() throws {
        let automaton = try Automaton(.pattern(try Pattern("^[a-f]\\u{1F600}é")))
        #expect(automaton.classOf(scalar: 0x61) == automaton.classOf(scalar: 0x66))
        #expect(automaton.classOf(scalar: 0x61) != automaton.classOf(scalar: 0x67))
        #expect(automaton.classOf(scalar: 0x1F600) != automaton.classOf(scalar: 0x1F601))
        #expect(Int(automaton.asciiClass[0x61]) == automaton.classOf(scalar: 0x61))
        #expect(automaton.classCount == 4)
        #expect(automaton.classes(inScalarRange: 0x80...0x7FF).count == 2)
    }
}
