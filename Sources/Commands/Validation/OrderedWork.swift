// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Does pieces of work on several threads and hands over the results in their order.
enum OrderedWork {
    private final class Shared<Result: Sendable>: @unchecked Sendable {
        // All fields are used with the lock held.
        let condition = NSCondition()
        var next = 0
        /// Results nobody has taken yet.
        var results: [Int: Result] = [:]
        /// How many results were taken.
        var taken = 0
        var isStopped = false
        var running = 0
    }

    /// How far the work runs ahead of the results that were taken, for each thread.
    private static let lead = 8
    /// Enough for whatever the main thread could do.
    private static let stackSize = 8 << 20

    /// - Parameters:
    ///   - count: How many pieces there are.
    ///   - threads: How many threads work; with one, the calling thread does all.
    ///   - work: Does a piece, on any thread.
    ///   - take: Takes a result, on the calling thread; false ends the work.
    static func run<Result: Sendable>(
        _ count: Int, threads: Int, work: @escaping @Sendable (Int) -> Result, take: (Int, Result) throws -> Bool
    ) rethrows {
        guard threads > 1, count > 1 else {
            for index in 0..<count {
                guard try take(index, work(index)) else { return }
            }
            return
        }
        let shared = Shared<Result>()
        let workers = min(threads, count)
        shared.running = workers
        for _ in 0..<workers {
            let thread = Thread { drain(shared, count, window: workers * lead, work) }
            thread.stackSize = stackSize
            thread.start()
        }
        defer {
            shared.condition.lock()
            shared.isStopped = true
            shared.condition.broadcast()
            while shared.running > 0 { shared.condition.wait() }
            shared.condition.unlock()
        }
        for index in 0..<count {
            shared.condition.lock()
            var result = shared.results.removeValue(forKey: index)
            while result == nil {
                shared.condition.wait()
                result = shared.results.removeValue(forKey: index)
            }
            shared.taken = index + 1
            shared.condition.broadcast()
            shared.condition.unlock()
            if let result {
                guard try take(index, result) else { return }
            }
        }
    }

    private static func drain<Result>(
        _ shared: Shared<Result>, _ count: Int, window: Int, _ work: @Sendable (Int) -> Result
    ) {
        shared.condition.lock()
        while true {
            while !shared.isStopped, shared.next < count, shared.next >= shared.taken + window {
                shared.condition.wait()
            }
            guard !shared.isStopped, shared.next < count else { break }
            let index = shared.next
            shared.next += 1
            shared.condition.unlock()
            let result = work(index)
            shared.condition.lock()
            shared.results[index] = result
            shared.condition.broadcast()
        }
        shared.running -= 1
        shared.condition.broadcast()
        shared.condition.unlock()
    }
}
