// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Generation
import Inference
import Synchronization
import Tokenizers

extension Transformer {
    /// The most bytes of keys and values that are kept of the prompts' beginnings.
    private static let prefixBytes = 256 << 20

    /// Turns texts into documents, several at once, which takes less time than one after another.
    ///
    /// The documents are the same as those of ``transform(_:onBytes:isCancelled:)`` for each text. Where strings are taken
    /// from the text, one document is made after another.
    ///
    /// - Parameters:
    ///   - sequences: Documents that are generated at once.
    ///   - deliver: Receives the results in the order of the texts. If it throws, what is left is not done.
    public func transform(
        _ texts: [String], sequences: Int, deliver: (Int, Result<Transformation, any Error>) throws -> Void
    ) throws {
        guard sequences > 1, texts.count > 1, !isVerbatim else {
            for (index, text) in texts.enumerated() { try deliver(index, Result { try transform(text) }) }
            return
        }
        let window = sequences * 4
        let scheduler = try GenerationScheduler(
            model: model.model, tokenizer: model.tokenizer, vocabulary: model.vocabulary,
            options: .init(
                slots: min(sequences, texts.count), queueLimit: window, contextLength: options.contextLength),
            cache: PrefixCache(byteLimit: Self.prefixBytes))
        let outcomes = texts.map { _ in Outcome() }
        var submitted = 0
        for index in texts.indices {
            while submitted < texts.count, submitted - index < window {
                let outcome = outcomes[submitted]
                do {
                    let request = GenerationRequest(
                        prompt: try promptTokens(for: texts[submitted]), engine: runner.engine,
                        options: runner.generationOptions)
                    try scheduler.submit(request) { event in
                        switch event {
                        case .started, .bytes: break
                        case .finished(let result): outcome.set(.success(result))
                        case .failed(let error): outcome.set(.failure(error))
                        }
                    }
                } catch {
                    outcome.set(.failure(error))
                }
                submitted += 1
            }
            let generated = outcomes[index].wait()
            try deliver(index, Result { try self.finish(try generated.get()) })
        }
    }

    /// A result that one thread waits for.
    private final class Outcome: Sendable {
        private let value = Mutex<Result<GenerationResult, any Error>?>(nil)
        private let ready = DispatchSemaphore(value: 0)

        func set(_ result: Result<GenerationResult, any Error>) {
            value.withLock { $0 = result }
            ready.signal()
        }

        func wait() -> Result<GenerationResult, any Error> {
            ready.wait()
            return value.withLock { $0 } ?? .failure(GenerationError(.closed, "the scheduler was closed"))
        }
    }
}
