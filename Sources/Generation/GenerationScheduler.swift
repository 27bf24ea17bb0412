// SPDX-License-Identifier: Apache-2.0

package import Constraints
import Foundation
package import Inference
package import Tokenizers

/// Generates many documents at once with one model.
///
/// Requests wait in a queue of limited length and come into slots, first come, first served. In a step, every document in
/// a slot gets its next token, and what is left of the step's rows goes to prompts, by turns, so that a long prompt does
/// not hold up the others. A document is the same, to the byte, as ``Generator`` makes it alone.
///
///     let scheduler = try GenerationScheduler(model: model, tokenizer: tokenizer, vocabulary: vocabulary)
///     for try await event in try scheduler.events(of: GenerationRequest(prompt: prompt, engine: engine, options: options)) {
///         ...
///     }
///
/// All work is done on a thread of its own. A request that fails or is cancelled leaves its slot within a step, and the
/// others as they are. What is waiting or running when the scheduler goes away fails with
/// ``GenerationError/Code/closed``.
package final class GenerationScheduler: Sendable {
    /// Limits of a scheduler.
    package struct Options: Sendable {
        /// Documents that are generated at once.
        package var slots: Int
        /// Requests that may wait besides.
        package var queueLimit: Int
        /// Tokens that a step computes, unless documents in slots need more, while there are any.
        package var stepTokens: Int
        /// The most tokens of a prompt and its document; nil takes the model's limit.
        package var contextLength: Int?

        package init(slots: Int = 8, queueLimit: Int = 64, stepTokens: Int = 64, contextLength: Int? = nil) {
            self.slots = slots
            self.queueLimit = queueLimit
            self.stepTokens = stepTokens
            self.contextLength = contextLength
        }
    }

    /// What a scheduler did so far, and does now.
    package struct Counters: Hashable, Sendable {
        package var waiting = 0
        package var running = 0
        package var finished = 0
        package var failed = 0
        /// Requests that found the queue full.
        package var refused = 0
        /// Steps, and the tokens of prompts and documents that they computed.
        package var steps = 0
        package var promptTokens = 0
        package var documentTokens = 0
    }

    private let model: Model
    private let options: Options
    private let contextLength: Int
    private let loop: SchedulerLoop

    /// Starts the scheduler's thread.
    ///
    /// - Parameters:
    ///   - cache: Keys and values of prompts' beginnings, shared with other schedulers.
    ///   - encode: The tokenizer's own spelling of a text, without control tokens.
    /// - Throws: ``GenerationError`` if a limit is out of range or there is not enough memory.
    package init(
        model: Model, vocabulary: TokenVocabulary, options: Options = Options(), cache: PrefixCache? = nil,
        encode: @escaping @Sendable (String) -> [TokenID]
    ) throws(GenerationError) {
        guard (1...256).contains(options.slots), options.queueLimit >= 0, options.stepTokens > 0 else {
            throw GenerationError(
                .invalidOption,
                "\(options.slots) slots, a queue of \(options.queueLimit) and \(options.stepTokens) tokens a step; slots "
                    + "may be 1 to 256, the queue from 0, and a step from 1")
        }
        self.model = model
        self.options = options
        contextLength = min(options.contextLength ?? model.contextLength, model.contextLength)
        do throws(InferenceError) {
            loop = SchedulerLoop(
                batch: try InferenceBatch(model, sequences: options.slots), vocabulary: vocabulary, options: options,
                cache: cache, encode: encode)
        } catch {
            throw GenerationSequence.failure(error)
        }
        let loop = loop
        let thread = Thread { loop.run() }
        // Constraints of deeply nested documents recurse.
        thread.stackSize = 16 << 20
        thread.start()
    }

    package convenience init(
        model: Model, tokenizer: Tokenizer, vocabulary: TokenVocabulary, options: Options = Options(),
        cache: PrefixCache? = nil
    ) throws(GenerationError) {
        try self.init(model: model, vocabulary: vocabulary, options: options, cache: cache) {
            tokenizer.encode($0, addSpecial: false, parseSpecial: false)
        }
    }

    deinit { loop.close() }

    /// What the scheduler did so far.
    package var counters: Counters { loop.counters }

    /// Queues a request.
    ///
    /// - Parameter deliver: Receives the request's events on the scheduler's thread, which waits for it: it must be quick.
    /// - Throws: ``GenerationError`` without any event where the request can be refused at once:
    ///   ``GenerationError/Code/queueFull``, ``GenerationError/Code/contextTooSmall``,
    ///   ``GenerationError/Code/invalidOption``.
    @discardableResult
    package func submit(
        _ request: GenerationRequest, deliver: @escaping @Sendable (GenerationEvent) -> Void
    ) throws(GenerationError) -> GenerationTicket {
        try GenerationSequence.check(prompt: request.prompt, options: request.options, contextLength: contextLength)
        return try loop.submit(request, deliver)
    }

    /// Queues a request, and gives its events as they come. Leaving the loop over them cancels the request.
    package func events(
        of request: GenerationRequest
    ) throws(GenerationError) -> AsyncThrowingStream<GenerationEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream<GenerationEvent, any Error>.makeStream()
        let ticket = try submit(request) { event in
            if case .failed(let error) = event {
                continuation.finish(throwing: error)
            } else {
                continuation.yield(event)
                if case .finished = event { continuation.finish() }
            }
        }
        continuation.onTermination = { _ in ticket.cancel() }
        return stream
    }

    /// Queues a request and waits for its result.
    package func result(of request: GenerationRequest) async throws -> GenerationResult {
        for try await event in try events(of: request) {
            if case .finished(let result) = event { return result }
        }
        // The stream ends early only where the task was cancelled.
        throw GenerationError(.cancelled, "the request was cancelled")
    }
}
