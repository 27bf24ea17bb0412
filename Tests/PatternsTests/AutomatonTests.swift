// SPDX-License-Identifier: Apache-2.0

import Patterns
import Testing

/// One pattern with texts in which it is found and texts in which it is not.
struct SearchCase: Sendable, CustomTestStringConvertible {
    var pattern: String
    var accepts: [String]
    var rejects: [String]

    init(_ pattern: String, _ accepts: [String], _ rejects: [String]) {
        self.pattern = pattern
        self.accepts = accepts
        self.rejects = rejects
    }

    var testDescription: String { pattern }
}

struct AutomatonTests {
    @Test(arguments: [
        SearchCase("abc", ["abc", "xabcx", "ababc"], ["", "ab", "acb"]),
        SearchCase("^a|b$", ["a", "ax", "xb", "b"], ["", "xa", "bx"]),
        SearchCase("(^|,)x", ["x", "a,x", ",x"], ["ax", ""]),
        SearchCase("^a*$", ["", "a", "aaa"], ["b", "ab"]),
        SearchCase("a{2,3}", ["aa", "xaaay"], ["a", "axa"]),
        SearchCase("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
        SearchCase("^(?!.*foo).*$", ["", "fo", "bar"], ["foo", "xfoox"]),
        SearchCase("(?=.*[A-Z])(?=.*\\d).{8,}", ["abcdefG1", "xxA1xxxxxx"], ["abcdefgh", "A1", "abcdefg1"]),
        SearchCase("^(?!x-)", ["", "x", "y-"], ["x-", "x-a"]),
        SearchCase("(?<!a)b", ["b", "cb", "abb"], ["ab", "a", ""]),
        SearchCase("(?<=ab+)c", ["abc", "abbbc"], ["ac", "bc", "c"]),
        SearchCase("\\bfoo\\b", ["foo", "a foo b", "foo-"], ["foox", "xfoo", "fo"]),
        SearchCase("\\Boo\\B", ["xoox"], ["oo", "foo", "oox"]),
        SearchCase("^((?!mode)(?!Mode).)*$", ["", "abc", "mod"], ["mode", "xMode"]),
        SearchCase("^(?:(?!--)[a-z-])*$", ["a-b", "-", ""], ["a--b", "--"]),
        SearchCase("^(?:(?:(?!aa)a?b)*c)*$", ["", "c", "abc", "bbcabc"], ["a", "aab", "ab"]),
        SearchCase("^.{0,65535}$", ["", "abc"], ["\n"]),
        SearchCase("[a-z]{1,255}", ["a", "1a1"], ["", "1"]),
        SearchCase("[\\w-.]+@", ["a-b.c@"], ["@"]),
        SearchCase("^\\u{1F600}\\uD83D\\uDE00$", ["😀😀"], ["😀"]),
        SearchCase("^[^]$", ["a", "\n"], [""]),
        SearchCase("[]", [], ["", "a"]),
        SearchCase("^$", [""], ["a"]),
        SearchCase("a$|^b", ["xa", "bx"], ["ax", "xb"]),
        SearchCase("(?!^)a", ["xa"], ["a", "ab"]),
        SearchCase("x*^a", ["a"], ["xa", ""]),
        SearchCase("^\\p{Script=Greek}+$", ["αβγ"], ["abc"]),
        SearchCase("^\\p{Lu}\\p{Ll}+$", ["Éa", "Abc"], ["abc", "AB"]),
    ])
    func matchesLikeJavaScript(_ example: SearchCase) throws {
        let automaton = try Automaton(.pattern(try Pattern(example.pattern)))
        for text in example.accepts { #expect(automaton.matches(text), "accepts \(text)") }
        for text in example.rejects { #expect(!automaton.matches(text), "rejects \(text)") }
    }
}
