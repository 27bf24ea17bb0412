// SPDX-License-Identifier: Apache-2.0

package import Constraints
import Synchronization
package import Tokenizers

/// A document to generate, for a ``GenerationScheduler``.
package struct GenerationRequest: @unchecked Sendable {
    // Unchecked: the constraint belongs to the scheduler's thread from the submission to the last event. Requests of one
    // scheduler may share a constraint.

    /// The prompt's tokens; at least one.
    package var prompt: [TokenID]
    /// The constraint, or nil where any text may come.
    package var engine: ConstraintEngine?
    package var options: Generator.Options
    /// When the document must be ended, whatever is missing.
    package var deadline: ContinuousClock.Instant?

    package init(
        prompt: [TokenID], engine: ConstraintEngine?, options: Generator.Options,
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.prompt = prompt
        self.engine = engine
        self.options = options
        self.deadline = deadline
    }
}

/// What happens to a request. The last event is ``finished(_:)`` or ``failed(_:)``.
package enum GenerationEvent: Sendable {
    /// The request left the queue.
    case started
    /// The bytes of a token.
    case bytes([UInt8])
    /// The bytes of a token, and how it came: instead of ``bytes(_:)`` where ``Generator/Options/reportsTokens`` is set.
    case token([UInt8], TokenOrigin)
    case finished(GenerationResult)
    case failed(GenerationError)
}

/// A submitted request, to cancel it.
package final class GenerationTicket: Sendable {
    private let cancelled = Atomic<Bool>(false)

    init() {}

    /// Ends the request within a step of the scheduler, with ``GenerationError/Code/cancelled``.
    package func cancel() { cancelled.store(true, ordering: .releasing) }

    /// Whether ``cancel()`` was called.
    package var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
}
