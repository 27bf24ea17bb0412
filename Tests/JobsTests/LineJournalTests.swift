// SPDX-License-Identifier: Apache-2.0

import Foundation
import Jobs
import Testing

@Suite struct LineJournalTests {
    @Test func goesOnWhereItWas() throws {
        let folder = try JobFolder()
        let output = folder.url.appendingPathComponent("out.jsonl").path
        var journal: LineJournal? = try LineJournal(output: output, fingerprint: "a", startsAnew: false)
        for number in [1, 2, 5] {
            try journal?.record(LineResult(number: number, hasFailed: number == 5, text: "line \(number)"))
        }
        journal = nil
        #expect(!FileManager.default.fileExists(atPath: output))

        let error = #expect(throws: JobError.self) {
            try LineJournal(output: output, fingerprint: "b", startsAnew: false)
        }
        #expect(error?.code == .otherJob)

        let again = try LineJournal(output: output, fingerprint: "a", startsAnew: false)
        let left = (1...6).filter { !again.done.contains($0) }
        #expect(left == [3, 4, 6])
        for number in left { try again.record(LineResult(number: number, hasFailed: false, text: "line \(number)")) }
        #expect(try again.counts() == LineCounts(done: 6, failed: 1))
        try again.finish()
        #expect(folder.text("out.jsonl") == (1...6).map { "line \($0)\n" }.joined())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out.jsonl"])
    }

    @Test func startsAnewWhenAsked() throws {
        let folder = try JobFolder()
        let output = folder.url.appendingPathComponent("out.jsonl").path
        var journal: LineJournal? = try LineJournal(output: output, fingerprint: "a", startsAnew: false)
        try journal?.record(LineResult(number: 1, hasFailed: false, text: "old"))
        journal = nil
        let again = try LineJournal(output: output, fingerprint: "b", startsAnew: true)
        #expect(again.done.count == 0)
        try again.record(LineResult(number: 1, hasFailed: false, text: "new"))
        try again.finish()
        #expect(folder.text("out.jsonl") == "new\n")
    }

    @Test func damagedJournalsAreToldAndKept() throws {
        let folder = try JobFolder()
        let output = folder.url.appendingPathComponent("out.jsonl").path
        let rubbish = String(repeating: "no database ", count: 400)
        try rubbish.write(toFile: output + ".journal", atomically: true, encoding: .utf8)
        let error = #expect(throws: JobError.self) {
            try LineJournal(output: output, fingerprint: "a", startsAnew: false)
        }
        #expect(error?.code == .damaged)
        #expect(folder.text("out.jsonl.journal") == rubbish)
    }
}
