// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Jobs
import Logging
import ServiceLifecycle

/// Works on batches, one line at a time for each free place, until the service ends.
///
/// Batches take turns, so that a long one does not hold up others, and give way to requests that somebody waits for. Whatever
/// cannot be stored is tried again: nothing is given up because a disk is full.
actor BatchRunner: Service {
    /// Answers one line of an owner: a status and a body.
    typealias Work =
        @Sendable (_ endpoint: String, _ body: JSONValue, _ owner: String) async throws -> (status: Int, body: JSONValue)

    private let store: BatchStore
    private let work: Work
    /// Whether requests wait for a place; then no line is begun.
    private let isBusy: @Sendable () async -> Bool
    /// Lines that are worked on at once.
    private let places: Int
    private let logger: Logger

    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    private var feeders: [Feeder] = []
    private var turn = 0
    private var running: [Key: Task<Void, Never>] = [:]
    /// Results that could not be stored yet.
    private var unstored: [(batch: String, result: LineResult)] = []
    /// What keeps results from being stored, or nil.
    private(set) var trouble: String?
    private var retryAt = ContinuousClock.now
    private var retryWait = Duration.seconds(1)

    private struct Key: Hashable {
        var batch: String
        var number: Int
    }

    /// The place in the input of a batch.
    private final class Feeder {
        var batch: Batch
        let input: BatchInput
        let done: NumberSet
        /// Lines that could not be answered yet, and when to try again.
        var again: [(number: Int, line: BatchLine, tries: Int, at: ContinuousClock.Instant)] = []
        var isAtEnd = false

        init(_ batch: Batch, store: BatchStore) throws {
            self.batch = batch
            input = try BatchInput(path: store.inputPath(batch), endpoint: batch.endpoint)
            done = try store.done(batch.id)
        }

        /// The next line that has no result.
        func next() throws -> (number: Int, line: BatchLine, tries: Int)? {
            let now = ContinuousClock.now
            if let index = again.firstIndex(where: { $0.at <= now }) {
                let entry = again.remove(at: index)
                return (entry.number, entry.line, entry.tries)
            }
            while !isAtEnd {
                guard let line = try input.next() else {
                    isAtEnd = true
                    break
                }
                if done.contains(input.number) { continue }
                return (input.number, try BatchLine.read(line.bytes, endpoint: batch.endpoint), 0)
            }
            return nil
        }
    }

    private static let tries = 5

    init(
        store: BatchStore, places: Int, logger: Logger, isBusy: @escaping @Sendable () async -> Bool,
        work: @escaping Work
    ) {
        self.store = store
        self.places = places
        self.logger = logger
        self.isBusy = isBusy
        self.work = work
        (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Looks again at once, because a batch was made or cancelled.
    nonisolated func wake() { signal.yield() }

    func run() async throws {
        let signal = signal
        await cancelWhenGracefulShutdown {
            let ticker = Task {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(500))
                    signal.yield()
                }
            }
            signal.yield()
            for await _ in self.signals {
                if Task.isCancelled { break }
                await self.look()
            }
            ticker.cancel()
        }
        // Lines that have begun are done again by the next service: their results are not stored.
        for task in running.values { task.cancel() }
        for task in Array(running.values) { await task.value }
    }

    /// Brings every batch as far as it goes now.
    private func look() async {
        guard trouble == nil || ContinuousClock.now >= retryAt else { return }
        do {
            try storeRest()
            try advance()
            trouble = nil
            retryWait = .seconds(1)
        } catch {
            delay(error)
            return
        }
        await fill()
    }

    /// Waits before the store is used again.
    private func delay(_ error: any Error) {
        if trouble == nil { logger.error("batches cannot be stored", metadata: ["error": "\(error)"]) }
        trouble = "\(error)"
        retryAt = ContinuousClock.now + retryWait
        retryWait = min(retryWait * 2, .seconds(60))
    }

    private func storeRest() throws {
        while let entry = unstored.first {
            try store.record(entry.batch, entry.result)
            unstored.removeFirst()
        }
    }

    /// Takes the batches from state to state.
    private func advance() throws {
        let open = try store.openBatches()
        for gone in feeders where !open.contains(where: { $0.id == gone.batch.id }) { drop(gone.batch.id) }
        for var batch in open {
            if batch.status == .validating { batch = try validate(batch) ?? batch }
            let isLate = batch.expires <= BatchRunner.now()
            if isLate, batch.status == .inProgress {
                try store.finalize(batch.id, as: .expired)
                batch.status = .finalizing
                batch.ending = .expired
            }
            switch batch.status {
            case .inProgress:
                if let feeder = feeders.first(where: { $0.batch.id == batch.id }) {
                    feeder.batch = batch
                    guard feeder.isAtEnd, feeder.again.isEmpty, !isWorking(on: batch.id) else { continue }
                    try store.finalize(batch.id, as: .completed)
                    try end(batch, as: .completed)
                } else {
                    do {
                        feeders.append(try Feeder(batch, store: store))
                    } catch let error as DocumentError {
                        try giveUp(batch, error)
                    }
                }
            case .finalizing, .cancelling:
                for (key, task) in running where key.batch == batch.id { task.cancel() }
                // What has begun may still bring a result.
                guard !isWorking(on: batch.id) else { continue }
                try end(batch, as: batch.ending ?? .completed)
            case .validating, .failed, .completed, .expired, .cancelled: break
            }
        }
    }

    /// Ends a batch whose input can no longer be read; the results that are there are kept.
    private func giveUp(_ batch: Batch, _ error: any Error) throws {
        logger.error("the input of a batch cannot be read", metadata: ["batch": "\(batch.id)", "error": "\(error)"])
        try store.finalize(batch.id, as: .failed)
        drop(batch.id)
        signal.yield()
    }

    private static func now() -> Int { Int(Date().timeIntervalSince1970) }

    private func isWorking(on batch: String) -> Bool {
        running.keys.contains { $0.batch == batch } || unstored.contains { $0.batch == batch }
    }

    private func drop(_ batch: String) { feeders.removeAll { $0.batch.id == batch } }

    /// Checks the input, and gives the batch as it is afterwards, or nil where it ended.
    private func validate(_ batch: Batch) throws -> Batch? {
        let (total, problems): (Int, [Batch.Problem])
        do {
            (total, problems) = try BatchInput.check(path: store.inputPath(batch), endpoint: batch.endpoint)
        } catch {
            try store.fail(batch.id, [.init(code: "unreadable_file", message: "the input cannot be read", line: nil)])
            logger.error("the input of a batch cannot be read", metadata: ["batch": "\(batch.id)", "error": "\(error)"])
            return nil
        }
        if !problems.isEmpty {
            try store.fail(batch.id, problems)
            return nil
        }
        try store.begin(batch.id, total: total)
        return try store.batch(batch.id, owner: batch.owner)
    }

    /// Writes the results. Lines without one are told as expired or cancelled.
    private func end(_ batch: Batch, as ending: Batch.Status) throws {
        let input = try? BatchInput(path: store.inputPath(batch), endpoint: batch.endpoint)
        try store.writeResults(batch.id) { number in
            let line = (try? input?.line(number)) ?? BatchLine(customID: nil, body: .null)
            return line.unanswered(number: number, batch: batch.id, ending: ending)
        }
        drop(batch.id)
        logger.info("a batch ended", metadata: ["batch": "\(batch.id)", "as": "\(ending.rawValue)"])
    }

    /// Begins lines while there are places, the batches by turns.
    private func fill() async {
        var passes = 0
        while running.count < places, passes < feeders.count, trouble == nil {
            if await isBusy() { return }
            guard !feeders.isEmpty else { return }
            turn = (turn + 1) % feeders.count
            let feeder = feeders[turn]
            let batch = feeder.batch
            do {
                guard let (number, line, tries) = try feeder.next() else {
                    passes += 1
                    continue
                }
                passes = 0
                let key = Key(batch: batch.id, number: number)
                running[key] = Task { await self.answer(key, line, tries, of: batch) }
            } catch {
                // The input was valid when the batch began: somebody changed the file since.
                do {
                    try giveUp(batch, error)
                } catch {
                    delay(error)
                    drop(batch.id)
                }
            }
        }
    }

    private func answer(_ key: Key, _ line: BatchLine, _ tries: Int, of batch: Batch) async {
        defer {
            running[key] = nil
            signal.yield()
        }
        var outcome: (status: Int, body: JSONValue)
        do {
            outcome = try await work(batch.endpoint, line.body, batch.owner)
        } catch {
            let fault = ServiceFault(error)
            if Task.isCancelled { return }
            // A full queue is no fault of the line; a model that cannot be loaded may be back soon.
            let isPassing = fault.status == .tooManyRequests || (fault.status == .serviceUnavailable && tries < Self.tries)
            if isPassing, let feeder = feeders.first(where: { $0.batch.id == key.batch }) {
                let wait = Duration.seconds(1 << min(tries, 6))
                feeder.again.append((key.number, line, tries + (fault.status == .tooManyRequests ? 0 : 1), .now + wait))
                return
            }
            outcome = (fault.status.code, fault.value)
        }
        let result = line.result(number: key.number, batch: key.batch, status: outcome.status, body: outcome.body)
        do {
            try store.record(key.batch, result)
        } catch {
            unstored.append((key.batch, result))
            delay(error)
        }
    }
}
