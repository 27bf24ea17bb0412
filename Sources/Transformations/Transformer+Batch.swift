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
        var rest = texts[...]
        try transform(
            next: { rest.popFirst().map { .success($0) } }, sequences: min(sequences, texts.count), deliver: deliver)
    }

    /// Turns texts into documents as ``transform(_:sequences:deliver:)`` does, without all of them in memory.
    ///
    /// - Parameters:
    ///   - next: The next text, or why there is none in its place, which is then delivered there; nil at the end.
    public func transform(
        next: () throws -> Result<String, any Error>?, sequences: Int,
        deliver: (Int, Result<Transformation, any Error>) throws -> Void
    ) throws {
        var index = 0
        guard sequences > 1, !isVerbatim else {
            while let text = try next() {
                try deliver(index, Result { try transform(try text.get()) })
                index += 1
            }
            return
        }
        let window = sequences * 4
        let scheduler = try GenerationScheduler(
            model: model.model, tokenizer: model.tokenizer, vocabulary: model.vocabulary,
            options: .init(slots: sequences, queueLimit: window, contextLength: options.contextLength),
            cache: PrefixCache(byteLimit: Self.prefixBytes))
        var outcomes: [Outcome] = []
        var isAtEnd = false
        while true {
            while !isAtEnd, outcomes.count < window {
                guard let text = try next() else {
                    isAtEnd = true
                    break
                }
                let outcome = Outcome()
                do {
                    let request = GenerationRequest(
                        prompt: try promptTokens(for: try text.get()), engine: runner.engine,
                        options: runner.generationOptions)
                    try scheduler.submit(request) { event in
                        switch event {
                        case .finished(let result): outcome.set(.success(result))
                        case .failed(let error): outcome.set(.failure(error))
                        default: break
                        }
                    }
                } catch {
                    outcome.set(.failure(error))
                }
                outcomes.append(outcome)
            }
            guard !outcomes.isEmpty else { return }
            let generated = outcomes.removeFirst().wait()
            try deliver(index, Result { try self.finish(try generated.get()) })
            index += 1
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
