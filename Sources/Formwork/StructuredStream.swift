// SPDX-License-Identifier: Apache-2.0

/// A value while it is made: a sequence of what is certain of it, each with more than the one before.
///
///     let stream = session.stream(text, to: Contact.self)
///     for try await partial in stream { show(partial.name ?? "") }
///     let contact = try await stream.result().value
///
/// Texts grow character by character, arrays element by element; numbers, truth values, enums, dates and the like come
/// as a whole. What a partial value has stays as it is or grows. The last one has all that the value has.
///
/// Who is slow to ask sees the newest state and not all before it. A stream is for one loop. Leaving the loop early, or
/// cancelling its task, ends the work within a step.
public struct StructuredStream<Value: Structured>: AsyncSequence, Sendable {
    public typealias Element = Value.PartiallyFilled
    public typealias Failure = FormworkError

    private let partials: AsyncStream<Value.PartiallyFilled>
    fileprivate let work: Work

    /// Ends the work when nobody can ask for its result any more.
    fileprivate final class Work: Sendable {
        let task: Task<Result<Transformed<Value>, FormworkError>, Never>

        init(_ task: Task<Result<Transformed<Value>, FormworkError>, Never>) { self.task = task }

        deinit { task.cancel() }
    }

    init(
        _ body:
            @escaping @Sendable (
                _ report: @Sendable (Value.PartiallyFilled) -> Void
            ) async throws(FormworkError) -> Transformed<Value>
    ) {
        let (partials, continuation) = AsyncStream.makeStream(
            of: Value.PartiallyFilled.self, bufferingPolicy: .bufferingNewest(1))
        self.partials = partials
        let task = Task<Result<Transformed<Value>, FormworkError>, Never> {
            defer { continuation.finish() }
            do throws(FormworkError) {
                return .success(try await body { continuation.yield($0) })
            } catch {
                return .failure(error)
            }
        }
        work = Work(task)
    }

    /// The whole value with its report, once it is there.
    ///
    /// - Throws: ``FormworkError``, also where the loop over the stream was left early.
    public func result() async throws(FormworkError) -> Transformed<Value> {
        let task = work.task
        defer { withExtendedLifetime(work) {} }
        return try await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }.get()
    }

    public func makeAsyncIterator() -> Iterator { Iterator(base: partials.makeAsyncIterator(), work: work) }

    public struct Iterator: AsyncIteratorProtocol {
        private var base: AsyncStream<Value.PartiallyFilled>.Iterator
        private let loop: Loop

        /// Ends the work when the loop is left.
        private final class Loop {
            let work: Work
            init(_ work: Work) { self.work = work }
            deinit { work.task.cancel() }
        }

        fileprivate init(base: AsyncStream<Value.PartiallyFilled>.Iterator, work: Work) {
            self.base = base
            loop = Loop(work)
        }

        public mutating func next() async throws(FormworkError) -> Value.PartiallyFilled? {
            try await next(isolation: #isolation)
        }

        /// What is certain now; nil after the whole value.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(FormworkError) -> Value.PartiallyFilled? {
            if let partial = await base.next(isolation: actor) { return partial }
            // Where the loop's own task is cancelled, the work is too.
            if Task.isCancelled { loop.work.task.cancel() }
            _ = try await loop.work.task.value.get()
            return nil
        }
    }
}
