// SPDX-License-Identifier: Apache-2.0

import Constraints
import Patterns
import Testing

struct AutomatonPoolTests {
    private static func language(_ number: Int) throws -> Language { .pattern(try Pattern("^k\(number)[a-z]{1,9}$")) }

    @Test func handsOutWhatWasGivenBack() throws {
        let pool = AutomatonPool(byteLimit: 1 << 20)
        let language = try Self.language(1)
        #expect(pool.take(language) == nil)
        let automaton = try Automaton(language)
        _ = automaton.matches("k1ab")
        pool.give([language: automaton])
        #expect(pool.byteCount > 0)
        #expect(pool.take(try Self.language(2)) == nil)
        #expect(pool.take(language) === automaton)
        // One owner at a time.
        #expect(pool.take(language) == nil)
        #expect(pool.byteCount == 0)
    }

    @Test func keepsToItsLimitAndDropsTheOldest() throws {
        let pool = AutomatonPool(byteLimit: 200_000)
        for number in 0..<400 {
            let language = try Self.language(number)
            let automaton = try Automaton(language)
            _ = automaton.matches("k\(number)abc")
            pool.give([language: automaton])
            #expect(pool.byteCount <= pool.byteLimit)
        }
        #expect(pool.take(try Self.language(0)) == nil)
        #expect(pool.take(try Self.language(399)) != nil)
    }

    @Test func leavesOutAutomataThatDependOnTheirPast() throws {
        var limits = Automaton.Limits()
        limits.maximumStates = 8
        let language = Language.pattern(try Pattern("^(.*a.{20})+$"))
        let automaton = try Automaton(language, limits: limits)
        _ = automaton.matches(String(repeating: "ab", count: 40))
        #expect(automaton.isOverflowing)
        let pool = AutomatonPool(byteLimit: 1 << 20)
        pool.give([language: automaton])
        #expect(pool.take(language) == nil)
    }

    @Test("the pool of the process stays within its limit, however many schemas there are")
    func staysBoundedOverSchemas() throws {
        for number in 0..<200 {
            let machine = try MaskSchemaTests.machine(#"{"type":"string","pattern":"^v\#(number)[0-9a-f]{1,40}$"}"#)
            #expect(acceptsText(machine, "\"v\(number)0af\""))
        }
        #expect(AutomatonPool.shared.byteCount <= AutomatonPool.shared.byteLimit)
    }
}
