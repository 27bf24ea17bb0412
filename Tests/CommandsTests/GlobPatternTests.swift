// SPDX-License-Identifier: Apache-2.0

import Commands
import Foundation
import Testing

/// Globs, as the project file and arguments have them.
struct GlobPatternTests {
    struct Case: CustomTestStringConvertible {
        var pattern: String
        var accepts: [String]
        var rejects: [String]
        var testDescription: String { pattern }
    }

    private static let cases: [Case] = [
        Case(pattern: "a.json", accepts: ["a.json", "./a.json"], rejects: ["b/a.json", "a.jso", "a.jsonx", "/a.json"]),
        Case(pattern: "*.json", accepts: ["a.json", ".json", ".a.json"], rejects: ["a/b.json", "a.yaml"]),
        Case(
            pattern: "config/**/*.yaml", accepts: ["config/a.yaml", "config/a/b/c.yaml"],
            rejects: ["a.yaml", "config/a.yml"]),
        Case(pattern: "**/*.toml", accepts: ["a.toml", "a/b/c.toml"], rejects: ["a.tom"]),
        Case(pattern: "a/**", accepts: ["a", "a/b", "a/b/c"], rejects: ["b/a"]),
        Case(pattern: "**/b/**/d", accepts: ["b/d", "a/b/d", "b/c/c/d", "b/b/d"], rejects: ["d", "a/d", "b/d/e"]),
        Case(pattern: "a?c", accepts: ["abc", "a☃c"], rejects: ["ac", "abbc", "a/c"]),
        Case(pattern: "[a-c]x", accepts: ["ax", "cx"], rejects: ["dx", "x", "-x"]),
        Case(pattern: "[!a-c]x", accepts: ["dx", "-x"], rejects: ["ax", "x"]),
        Case(pattern: "[^a]x", accepts: ["bx"], rejects: ["ax"]),
        Case(pattern: "[]a]", accepts: ["]", "a"], rejects: ["b"]),
        Case(pattern: "[z-a]", accepts: [], rejects: ["a", "z", "-"]),
        Case(pattern: "[a", accepts: ["[a"], rejects: ["a"]),
        Case(pattern: "{a,b}.{json,yaml}", accepts: ["a.json", "b.yaml"], rejects: ["a.b", "{a,b}.json"]),
        Case(pattern: "x{a,{b,c}d,}y", accepts: ["xay", "xbdy", "xcdy", "xy"], rejects: ["xby", "xdy"]),
        Case(pattern: "{a/b,c}/d", accepts: ["a/b/d", "c/d"], rejects: ["a/d"]),
        Case(pattern: "{a}", accepts: ["{a}"], rejects: ["a"]),
        Case(pattern: "{a,b", accepts: ["{a,b"], rejects: ["a"]),
        Case(pattern: #"\*\{a,b\}"#, accepts: ["*{a,b}"], rejects: ["xa", #"\*a"#]),
        Case(pattern: "/etc/*", accepts: ["/etc/hosts"], rejects: ["etc/hosts"]),
        Case(pattern: "*a*b*", accepts: ["ab", "xaxbx", "aab"], rejects: ["ba", "a"]),
    ]

    @Test(arguments: cases)
    func matches(example: Case) throws {
        let glob = try GlobPattern(example.pattern)
        for path in example.accepts { #expect(glob.matches(path), "\(path)") }
        for path in example.rejects { #expect(!glob.matches(path), "\(path)") }
    }

    @Test func hiddenNamesNeedADot() throws {
        #expect(try !GlobPattern("*").matches(".a", takesHidden: false))
        #expect(try !GlobPattern("**/*.json").matches(".a/b.json", takesHidden: false))
        #expect(try GlobPattern(".*/*.json").matches(".a/b.json", takesHidden: false))
    }

    @Test func aFolderCoversWhatIsInIt() throws {
        let glob = try GlobPattern("vendor/*")
        #expect(glob.covers("vendor/a"))
        #expect(glob.covers("vendor/a/b/c.json"))
        #expect(!glob.covers("vendor"))
        #expect(!glob.matches("vendor/a/b"))
    }

    @Test func theWorkIsBounded() throws {
        // With backtracking, either of these takes longer than anybody waits.
        let name = String(repeating: "a", count: 20_000)
        #expect(try !GlobPattern(String(repeating: "a*", count: 1_000) + "b").matches(name))
        let path = String(repeating: "a/", count: 2_000) + "c"
        #expect(try !GlobPattern(String(repeating: "**/a/", count: 200) + "b").matches(path))
        #expect(throws: GlobPattern.Problem.self) { try GlobPattern(String(repeating: "{a,b}", count: 40)) }
        #expect(throws: GlobPattern.Problem.self) { try GlobPattern(String(repeating: "a", count: 5_000)) }
        // Without commas nothing is multiplied.
        _ = try GlobPattern(String(repeating: "{a}{", count: 1_000))
    }

    @Test(arguments: ["", "/", ".", "a,{,b}/{,}"])
    func whatNamesNothingIsRefused(pattern: String) {
        if pattern.contains("{") {
            #expect(throws: Never.self) { try GlobPattern(pattern) }
        } else {
            #expect(throws: GlobPattern.Problem.self) { try GlobPattern(pattern) }
        }
    }
}
