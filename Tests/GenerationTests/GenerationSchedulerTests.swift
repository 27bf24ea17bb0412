// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Documents
import Foundation
import Generation
import Inference
import Synchronization
import TestSupport
import Testing
import Tokenizers

/// The events of a request, for a thread that waits for the last of them.
private final class Inbox: Sendable {
    private let events = Mutex<[GenerationEvent]>([])
    private let done = DispatchSemaphore(value: 0)

    func deliver(_ event: GenerationEvent) {
        events.withLock { $0.append(event) }
        switch event {
        case .finished, .failed: done.signal()
        case .started, .bytes, .token: break
        }
    }

    var count: Int { events.withLock { $0.count } }

    func result() throws -> GenerationResult {
        done.wait()
        done.signal()
        switch events.withLock({ $0.last }) {
        case .finished(let result): return result
        case .failed(let error): throw error
        default: throw GenerationError(.stuck, "there was no last event")
        }
    }

    var bytes: [UInt8] {
        events.withLock { events in
            events.flatMap { event -> [UInt8] in if case .bytes(let bytes) = event { bytes } else { [] } }
        }
    }
}

/// At least 75 tokens, whatever the model says.
private let long = #"{"type":"string","pattern":"^[a-z]{300}$"}"#

struct GenerationSchedulerTests {
    private func model(_ format: String = "Q8_0", threads: Int = 1) throws -> Model {
        let url = try TinyModel("llama", format: format, vocabulary: words.count, context: 2048).write()
        defer { try? FileManager.default.removeItem(at: url) }
        return try Model(path: url.path, options: ModelOptions(threads: threads))
    }

    private func scheduler(
        _ model: Model, _ options: GenerationScheduler.Options = .init(), cache: PrefixCache? = nil
    ) throws -> GenerationScheduler {
        try GenerationScheduler(model: model, vocabulary: vocabulary, options: options, cache: cache, encode: spell)
    }

    private func prompt(_ count: Int, _ seed: Int = 0) -> [TokenID] {
        (0..<count).map { TokenID(32 + ($0 * 7 + seed * 13 + $0 / 90) % 90) }
    }

    private func alone(
        _ model: Model, _ prompt: [TokenID], _ fixture: Fixture, _ options: Generator.Options
    ) throws -> GenerationResult {
        let session = try InferenceSession(model, contextLength: prompt.count + options.maxTokens)
        return try Generator(model: session, encode: spell).generate(
            prompt: prompt, engine: fixture.engine, options: options)
    }

    @Test(arguments: ["F32", "Q8_0", "Q4_1"], [Float(0), 1])
    func documentsTogetherAreThoseOfEachAlone(_ format: String, _ temperature: Float) throws {
        let model = try model(format, threads: 2)
        let fixtures = try schemas.map { try Fixture($0) }
        let cases = (0..<14).map { index in
            (
                prompt: prompt([1, 3, 70, 200, 64, 128, 333][index % 7], index % 3), fixture: fixtures[index % fixtures.count],
                options: Generator.Options(
                    maxTokens: 30 + index * 7,
                    sampling: .init(
                        temperature: temperature, repetitionPenalty: index % 4 == 1 ? 1.3 : 1, seed: UInt64(index)),
                    takesForcedTokens: index % 5 != 3, choosesWholeValues: index % 3 == 0)
            )
        }
        let expected = try cases.map { try alone(model, $0.prompt, $0.fixture, $0.options) }
        for cache in [nil, PrefixCache(byteLimit: 32 << 20)] {
            let scheduler = try scheduler(model, .init(slots: 5, stepTokens: 40), cache: cache)
            let inboxes = try cases.map { entry in
                let inbox = Inbox()
                try scheduler.submit(
                    GenerationRequest(prompt: entry.prompt, engine: entry.fixture.engine, options: entry.options),
                    deliver: inbox.deliver)
                return inbox
            }
            for (index, inbox) in inboxes.enumerated() {
                let result = try inbox.result()
                #expect(result.tokens == expected[index].tokens, "request \(index)")
                #expect(result.bytes == expected[index].bytes)
                #expect(inbox.bytes == result.bytes)
                #expect(result.finishReason == expected[index].finishReason)
                #expect(result.statistics.outputTokens == expected[index].statistics.outputTokens)
                #expect(result.statistics.forcedTokens == expected[index].statistics.forcedTokens)
            }
            #expect(scheduler.counters.finished == cases.count)
            #expect(scheduler.counters.running == 0)
        }
    }

    @Test(arguments: ["F32", "Q8_0"]) func aSharedBeginningIsComputedOnce(_ format: String) throws {
        let model = try model(format)
        let fixture = try Fixture(contactSchema)
        let options = Generator.Options(maxTokens: 40)
        let prompts = (0..<6).map { prompt(400) + [TokenID(65 + $0), 66] }
        let expected = try prompts.map { try alone(model, $0, fixture, options) }
        let cache = PrefixCache(byteLimit: 64 << 20)
        let scheduler = try scheduler(model, cache: cache)
        let inboxes = try prompts.map { prompt in
            let inbox = Inbox()
            try scheduler.submit(
                GenerationRequest(prompt: prompt, engine: fixture.engine, options: options), deliver: inbox.deliver)
            return inbox
        }
        for (inbox, expected) in zip(inboxes, expected) { #expect(try inbox.result().bytes == expected.bytes) }
        // Whole blocks of the 400 tokens that are shared once, and the rest of each prompt.
        let shared = format == "F32" ? 384 : 400
        #expect(scheduler.counters.promptTokens == shared + 6 * (402 - shared))
        #expect(cache.counters.tokensSaved == 5 * shared)
        #expect(cache.counters.storedBlocks == shared / model.prefixBlock)
        let cached = try inboxes.map { try $0.result().statistics.cachedPromptTokens }
        #expect(cached == [0, shared, shared, shared, shared, shared])
    }

    @Test func aCancelledRequestFreesItsSlotWithinAStep() throws {
        let model = try model()
        let scheduler = try scheduler(model, .init(slots: 1))
        let (first, second) = (Inbox(), Inbox())
        let ticket = Mutex<GenerationTicket?>(nil)
        let steps = Mutex<[Int]>([])
        let made = try scheduler.submit(
            GenerationRequest(
                prompt: prompt(5), engine: try Fixture(long).engine, options: .init(maxTokens: 400))
        ) { [unowned scheduler] event in
            if first.count == 10 || { if case .failed = event { true } else { false } }() {
                steps.withLock { $0.append(scheduler.counters.steps) }
                ticket.withLock { $0?.cancel() }
            }
            first.deliver(event)
        }
        ticket.withLock { $0 = made }
        try scheduler.submit(
            GenerationRequest(
                prompt: prompt(5), engine: try Fixture(contactSchema).engine, options: .init(maxTokens: 40)),
            deliver: second.deliver)
        // Where the events came before the ticket.
        while first.count < 10 { usleep(1000) }
        made.cancel()
        let error = #expect(throws: GenerationError.self) { try first.result() }
        #expect(error?.code == .cancelled)
        try Fixture(contactSchema).check(try second.result())
        #expect(scheduler.counters.failed == 1)
        #expect(scheduler.counters.finished == 1)
        withExtendedLifetime(scheduler) {}
    }

    @Test func requestsWaitInALimitedQueue() throws {
        let model = try model()
        let scheduler = try scheduler(model, .init(slots: 1, queueLimit: 2))
        let (started, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let fixture = try Fixture(contactSchema)
        let request = GenerationRequest(prompt: prompt(5), engine: fixture.engine, options: .init(maxTokens: 40))
        let inboxes = (0..<3).map { _ in Inbox() }
        try scheduler.submit(request) { event in
            if case .started = event {
                started.signal()
                gate.wait()
            }
            inboxes[0].deliver(event)
        }
        started.wait()
        for inbox in inboxes.dropFirst() { try scheduler.submit(request, deliver: inbox.deliver) }
        let error = #expect(throws: GenerationError.self) { try scheduler.submit(request) { _ in } }
        #expect(error?.code == .queueFull)
        #expect(error?.message == "2 requests wait and 1 run; 2 may wait")
        #expect(scheduler.counters.refused == 1)
        #expect(scheduler.counters.waiting == 2)
        gate.signal()
        for inbox in inboxes { try fixture.check(try inbox.result()) }
    }

    @Test func aFailingRequestLeavesTheOthersAlone() throws {
        let model = try model()
        let scheduler = try scheduler(model, .init(contextLength: 500))
        let fixture = try Fixture(contactSchema)
        let options = Generator.Options(maxTokens: 60)
        let expected = try alone(model, prompt(90), fixture, options)
        let (good, small, invalid) = (Inbox(), Inbox(), Inbox())
        try scheduler.submit(
            GenerationRequest(prompt: prompt(9), engine: fixture.engine, options: .init(maxTokens: 2)),
            deliver: small.deliver)
        try scheduler.submit(
            GenerationRequest(prompt: prompt(9) + [9999], engine: fixture.engine, options: options),
            deliver: invalid.deliver)
        try scheduler.submit(
            GenerationRequest(prompt: prompt(90), engine: fixture.engine, options: options), deliver: good.deliver)
        #expect(throws: GenerationError.self) { try small.result() }
        let error = #expect(throws: GenerationError.self) { try invalid.result() }
        #expect(error?.code == .inference)
        #expect(try good.result().bytes == expected.bytes)
        let refused = #expect(throws: GenerationError.self) {
            try scheduler.submit(
                GenerationRequest(prompt: prompt(450), engine: fixture.engine, options: options)) { _ in }
        }
        #expect(refused?.code == .contextTooSmall)
        #expect(refused?.message.contains("450 tokens and the budget is 60, but the context holds 500") == true)
    }

    @Test func aLongPromptDoesNotHoldUpTheOthers() throws {
        let model = try model()
        let scheduler = try scheduler(model, .init(slots: 2, stepTokens: 32))
        let (writer, reader) = (Inbox(), Inbox())
        let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let atStart = Mutex(0)
        try scheduler.submit(
            GenerationRequest(prompt: prompt(3), engine: try Fixture(long).engine, options: .init(maxTokens: 400))
        ) { event in
            writer.deliver(event)
            if writer.count == 3 {
                begun.signal()
                gate.wait()
            }
        }
        begun.wait()
        let counts = Mutex<[Int]>([])
        try scheduler.submit(
            GenerationRequest(prompt: prompt(1000), engine: try Fixture(contactSchema).engine, options: .init(maxTokens: 40))
        ) { event in
            counts.withLock { $0.append(writer.count) }
            reader.deliver(event)
        }
        atStart.withLock { $0 = writer.count }
        gate.signal()
        _ = try reader.result()
        _ = try writer.result()
        // 1,000 tokens in steps of 31 take more than 30 steps, in each of which the other gets a token.
        let seen = counts.withLock { $0 }
        #expect(seen.count > 1 && seen[1] - seen[0] >= 30)
    }

    @Test func aDeadlineEndsADocumentByTheShortestWay() throws {
        let model = try model()
        let scheduler = try scheduler(model, .init(slots: 1))
        let fixture = try Fixture(#"{"type":"array","items":{"type":"string","pattern":"^[a-z]{20}$"},"minItems":20}"#)
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(2)
        let (first, second) = (Inbox(), Inbox())
        try scheduler.submit(
            GenerationRequest(
                prompt: prompt(5), engine: fixture.engine, options: .init(maxTokens: 900), deadline: deadline)
        ) { event in
            first.deliver(event)
            if first.count == 30 { while clock.now < deadline { usleep(1000) } }
        }
        // Waits behind it.
        try scheduler.submit(
            GenerationRequest(
                prompt: prompt(5), engine: fixture.engine, options: .init(maxTokens: 900), deadline: deadline),
            deliver: second.deliver)
        let result = try first.result()
        #expect(result.finishReason == .length)
        try fixture.check(result)
        let full = try alone(model, prompt(5), fixture, .init(maxTokens: 900))
        let common = zip(result.tokens, full.tokens).prefix { $0 == $1 }.count
        #expect(common >= 20)
        let error = #expect(throws: GenerationError.self) { try second.result() }
        #expect(error?.code == .deadline)
    }

    @Test func freeTextNeedsNoConstraint() async throws {
        let model = try model()
        let scheduler = try scheduler(model)
        let result = try await scheduler.result(
            of: GenerationRequest(prompt: prompt(5), engine: nil, options: .init(maxTokens: 25)))
        #expect(result.tokens.count <= 25)
        #expect(result.finishReason == (result.tokens.count == 25 ? .length : .stop))
        // Greedy: each token is the likeliest of those that spell something.
        let session = try InferenceSession(model, contextLength: 100)
        try session.prefill(prompt(5))
        for token in result.tokens {
            #expect(session.argmax() == token)
            try session.decode(token)
        }
    }

    @Test func leavingTheEventsCancelsTheRequest() async throws {
        let model = try model()
        let scheduler = try scheduler(model, .init(slots: 1))
        let request = GenerationRequest(
            prompt: prompt(5), engine: try Fixture(long).engine, options: .init(maxTokens: 400))
        var count = 0
        for try await event in try scheduler.events(of: request) {
            if case .bytes = event { count += 1 }
            if count == 3 { break }
        }
        let after = try await scheduler.result(
            of: GenerationRequest(
                prompt: prompt(5), engine: try Fixture(contactSchema).engine, options: .init(maxTokens: 40)))
        try Fixture(contactSchema).check(after)
        #expect(scheduler.counters.finished + scheduler.counters.failed == 2)
    }

    @Test func whatRunsFailsWhenTheSchedulerGoesAway() throws {
        let model = try model()
        let (first, second) = (Inbox(), Inbox())
        let gate = DispatchSemaphore(value: 0)
        var scheduler: GenerationScheduler? = try scheduler(model, .init(slots: 1))
        let request = GenerationRequest(
            prompt: prompt(5), engine: try Fixture(long).engine, options: .init(maxTokens: 400))
        try scheduler?.submit(request) { event in
            first.deliver(event)
            if first.count == 2 { gate.wait() }
        }
        try scheduler?.submit(request, deliver: second.deliver)
        scheduler = nil
        gate.signal()
        for inbox in [first, second] {
            let error = #expect(throws: GenerationError.self) { try inbox.result() }
            #expect(error?.code == .closed)
        }
    }

    @Test(arguments: [(0, 1, 1), (257, 1, 1), (1, -1, 1), (1, 1, 0)])
    func refusesLimitsThatMakeNoSense(_ limits: (slots: Int, queue: Int, step: Int)) throws {
        let model = try model()
        let error = #expect(throws: GenerationError.self) {
            try scheduler(model, .init(slots: limits.slots, queueLimit: limits.queue, stepTokens: limits.step))
        }
        #expect(error?.code == .invalidOption)
    }
}
