// SPDX-License-Identifier: Apache-2.0

public import Foundation

extension ModelFuzz {
    /// What came out.
    public struct Summary: Sendable {
        public var cases = 0
        /// Cases by outcome: `loaded`, or the id of the refusal.
        public var outcomes: [String: Int] = [:]
        /// What is wrong, with the number of the case.
        public var failures: [(number: Int, message: String)] = []

        /// Whether every case was loaded or refused.
        public var passes: Bool { failures.isEmpty }

        /// The figures in words.
        public var report: String {
            let parts = outcomes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
            return "\(cases) cases, \(failures.count) failed: \(parts.joined(separator: ", "))"
        }
    }

    /// Runs cases in processes of their own, a chunk at a time; one that ends by a signal or stands still is replaced.
    ///
    /// - Parameters:
    ///   - worker: Starts a process that runs ``work(cases:folder:log:)``.
    ///   - fail: Called with each case that fails.
    public func supervise(
        cases: Range<Int>, seconds: Double?, folder: String, worker: (_ cases: Range<Int>, _ log: String) throws -> Process,
        fail: (_ number: Int, _ message: String) -> Void, progress: (Summary) -> Void
    ) throws -> Summary {
        var summary = Summary()
        let start = Date()
        let log = folder + "/cases-\(cases.lowerBound).log"
        var next = cases.lowerBound
        while next < cases.upperBound, seconds.map({ Date().timeIntervalSince(start) < $0 }) ?? true {
            let chunk = next..<min(next + 20_000, cases.upperBound)
            let process = try worker(chunk, log)
            let stood = wait(for: process, log)
            let done = read(log, into: &summary, fail)
            var after = chunk.upperBound
            if process.terminationReason == .uncaughtSignal || process.terminationStatus != 0 || stood {
                guard let last = done else { throw Failure(description: "the worker of case \(next) did not start") }
                after = last + 1
                let message = stood ? "stands still" : "ends the process with status \(process.terminationStatus)"
                summary.failures.append((last, message))
                fail(last, message)
            }
            next = after
            progress(summary)
        }
        return summary
    }

    /// Waits until the process ends; kills it, and says so, if its log stays as it is for 30 seconds.
    private func wait(for process: Process, _ log: String) -> Bool {
        var (size, since) = (-1, Date())
        while process.isRunning {
            usleep(50_000)
            let now = (try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int) ?? 0
            if now != size { (size, since) = (now, Date()) }
            if Date().timeIntervalSince(since) > 30 {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                return true
            }
        }
        return false
    }

    /// Adds the cases of a log, and returns the last one begun.
    private func read(_ log: String, into summary: inout Summary, _ fail: (Int, String) -> Void) -> Int? {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return nil }
        var last: Int?
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard let number = parts.first.flatMap({ Int($0) }) else { continue }
            last = number
            summary.cases += 1
            guard parts.count == 2 else { continue }
            let outcome = String(parts[1])
            if outcome.hasPrefix("!") {
                summary.failures.append((number, String(outcome.dropFirst())))
                fail(number, String(outcome.dropFirst()))
            } else {
                summary.outcomes[outcome, default: 0] += 1
            }
        }
        return last
    }
}
