// SPDX-License-Identifier: Apache-2.0

import Constraints
import Dispatch
import Inference
import Synchronization
import Tokenizers

/// The work of a ``GenerationScheduler``, on one thread.
final class SchedulerLoop: @unchecked Sendable {
    // Unchecked: `shared` is locked; everything else that changes belongs to the thread that calls `run`.

    private struct Waiting {
        var request: GenerationRequest
        var ticket: GenerationTicket
        var deliver: @Sendable (GenerationEvent) -> Void
    }

    private struct Shared {
        var queue: [Waiting] = []
        var isClosed = false
        var counters = GenerationScheduler.Counters()
    }

    /// A document in a slot.
    private final class Slot {
        let request: GenerationRequest
        let ticket: GenerationTicket
        let deliver: @Sendable (GenerationEvent) -> Void
        let session: InferenceSession
        let sequence: GenerationSequence
        /// What the sequence waits for, where that is known.
        var need: GenerationSequence.Step?
        var hasEnded = false
        let admitted = ContinuousClock.now

        init(
            _ waiting: Waiting, _ session: InferenceSession, _ sequence: GenerationSequence
        ) {
            request = waiting.request
            ticket = waiting.ticket
            deliver = waiting.deliver
            self.session = session
            self.sequence = sequence
        }

        var prompt: [TokenID] { request.prompt }
        var isReading: Bool { session.position < request.prompt.count }
    }

    private let batch: InferenceBatch
    private let vocabulary: TokenVocabulary
    private let options: GenerationScheduler.Options
    private let cache: PrefixCache?
    private let encode: @Sendable (String) -> [TokenID]
    private let shared = Mutex(Shared())
    private let wake = DispatchSemaphore(value: 0)
    private let clock = ContinuousClock()
    /// In the order of admission.
    private var slots: [Slot] = []
    /// Who is the first to have its prompt read in the next step.
    private var turn = 0

    /// Tokens of a prompt that are read before it is another's turn.
    private static let piece = InferenceSession.promptBlock
    /// Rows of a step that only reads prompts.
    private static let readingRows = 256

    init(
        batch: InferenceBatch, vocabulary: TokenVocabulary, options: GenerationScheduler.Options, cache: PrefixCache?,
        encode: @escaping @Sendable (String) -> [TokenID]
    ) {
        self.batch = batch
        self.vocabulary = vocabulary
        self.options = options
        self.cache = cache
        self.encode = encode
    }

    // MARK: Any thread

    var counters: GenerationScheduler.Counters {
        shared.withLock {
            var counters = $0.counters
            counters.waiting = $0.queue.count
            return counters
        }
    }

    func submit(
        _ request: GenerationRequest, _ deliver: @escaping @Sendable (GenerationEvent) -> Void
    ) throws(GenerationError) -> GenerationTicket {
        let ticket = GenerationTicket()
        let problem = shared.withLock { shared -> GenerationError? in
            if shared.isClosed { return GenerationError(.closed, "the scheduler was closed") }
            // Requests that a free slot is waiting for do not count as waiting.
            let free = max(options.slots - shared.counters.running, 0)
            guard shared.queue.count < options.queueLimit + free else {
                shared.counters.refused += 1
                return GenerationError(
                    .queueFull,
                    "\(shared.queue.count) requests wait and \(shared.counters.running) run; "
                        + "\(options.queueLimit) may wait")
            }
            shared.queue.append(Waiting(request: request, ticket: ticket, deliver: deliver))
            return nil
        }
        if let problem { throw problem }
        wake.signal()
        return ticket
    }

    func close() {
        shared.withLock { $0.isClosed = true }
        wake.signal()
    }

    // MARK: The thread

    func run() {
        while true {
            let isClosed = shared.withLock { $0.isClosed }
            if isClosed { break }
            admit()
            if slots.isEmpty {
                wake.wait()
            } else {
                step()
            }
        }
        let error = GenerationError(.closed, "the scheduler was closed")
        for slot in slots { end(slot, .failed(error)) }
        slots.removeAll()
        for waiting in shared.withLock({ take(&$0.queue) }) { waiting.deliver(.failed(error)) }
    }

    private func take(_ queue: inout [Waiting]) -> [Waiting] {
        defer { queue = [] }
        return queue
    }

    /// Fills free slots, and drops what need not be begun any more.
    private func admit() {
        let now = clock.now
        let dropped = shared.withLock { shared -> [Waiting] in
            let late = { (waiting: Waiting) in
                waiting.ticket.isCancelled || waiting.request.deadline.map { $0 <= now } == true
            }
            let dropped = shared.queue.filter(late)
            if !dropped.isEmpty {
                shared.queue.removeAll(where: late)
                shared.counters.failed += dropped.count
            }
            return dropped
        }
        for waiting in dropped {
            waiting.deliver(
                .failed(
                    waiting.ticket.isCancelled
                        ? Self.cancelled : GenerationError(.deadline, "the deadline passed before there was a free slot")))
        }
        while slots.count < options.slots {
            let next = shared.withLock { shared -> Waiting? in
                guard !shared.queue.isEmpty else { return nil }
                shared.counters.running += 1
                return shared.queue.removeFirst()
            }
            guard let next else { return }
            do throws(GenerationError) {
                slots.append(try begin(next))
                next.deliver(.started)
            } catch {
                shared.withLock {
                    $0.counters.running -= 1
                    $0.counters.failed += 1
                }
                next.deliver(.failed(error))
            }
        }
    }

    private static let cancelled = GenerationError(.cancelled, "the request was cancelled")

    private func begin(_ waiting: Waiting) throws(GenerationError) -> Slot {
        let request = waiting.request
        let sequence = try GenerationSequence(
            prompt: request.prompt, engine: request.engine, vocabulary: vocabulary, options: request.options,
            encode: encode)
        do throws(InferenceError) {
            let session = try InferenceSession(
                batch.model, contextLength: request.prompt.count + request.options.maxTokens)
            return Slot(waiting, session, sequence)
        } catch {
            throw GenerationSequence.failure(error)
        }
    }

    private func end(_ slot: Slot, _ event: GenerationEvent) {
        guard !slot.hasEnded else { return }
        slot.hasEnded = true
        shared.withLock {
            $0.counters.running -= 1
            if case .finished = event { $0.counters.finished += 1 } else { $0.counters.failed += 1 }
        }
        if case .finished = event { deliverTexts(slot) }
        slot.deliver(event)
    }

    private func deliverTexts(_ slot: Slot) {
        if slot.request.options.reportsTokens {
            for token in slot.sequence.takeTokens() { slot.deliver(.token(token.bytes, token.origin)) }
            return
        }
        for text in slot.sequence.takeTexts() { slot.deliver(.bytes(text)) }
    }

    /// Runs a part of a document's work; if it fails, the document ends with the error and the others go on.
    private func attempt(_ slot: Slot, _ work: () throws(GenerationError) -> Void) {
        guard !slot.hasEnded else { return }
        do throws(GenerationError) {
            try work()
        } catch {
            end(slot, .failed(error))
        }
    }

    // MARK: A step

    private func step() {
        let now = clock.now
        for slot in slots {
            if slot.ticket.isCancelled {
                end(slot, .failed(Self.cancelled))
            } else if let deadline = slot.request.deadline, deadline <= now {
                attempt(slot) { () throws(GenerationError) in try cutShort(slot) }
            }
        }
        var steps: [SequenceStep] = []
        var owners: [Slot] = []
        var rows = 0
        for slot in slots where !slot.hasEnded && !slot.isReading {
            guard let logits = prepare(slot) else { continue }
            let tokens = slot.sequence.takePending()
            rows += max(tokens.count, 1)
            steps.append(SequenceStep(slot.session, tokens: tokens, logits: logits))
            owners.append(slot)
        }
        shared.withLock { [rows] in $0.counters.documentTokens += rows }
        // However many documents there are, prompts go on.
        let room = steps.isEmpty ? Self.readingRows : max(options.stepTokens - rows, options.slots)
        for (slot, count) in readers(room) {
            let start = slot.session.position
            let end = start + count
            var step = SequenceStep(slot.session, tokens: Array(slot.prompt[start..<end]), isPrompt: true)
            if end == slot.prompt.count { finishReading(slot, &step) }
            guard !slot.hasEnded else { continue }
            steps.append(step)
            owners.append(slot)
            shared.withLock { $0.counters.promptTokens += count }
        }
        run(steps, owners)
        slots.removeAll(where: \.hasEnded)
        shared.withLock { $0.counters.steps += 1 }
    }

    private func run(_ steps: [SequenceStep], _ owners: [Slot]) {
        guard !steps.isEmpty else { return }
        let start = clock.now
        let errors = batch.run(steps)
        let seconds = (clock.now - start).seconds
        for (index, slot) in owners.enumerated() {
            let step = steps[index]
            attempt(slot) { () throws(GenerationError) in
                if let error = errors[index] { throw GenerationSequence.failure(error) }
                if step.isPrompt {
                    slot.sequence.statistics.prefillSeconds += seconds
                    cache?.store(slot.prompt, from: slot.session)
                } else {
                    slot.sequence.statistics.decodeSeconds += seconds
                }
                guard step.logits != .none else { return }
                slot.need = nil
                try slot.sequence.choose(slot.session.logits)
                deliverTexts(slot)
            }
        }
    }

    /// Ends a document at its deadline: by the shortest way if the model has read the prompt.
    private func cutShort(_ slot: Slot) throws(GenerationError) {
        if !slot.isReading, let result = try slot.sequence.cutShort() {
            end(slot, .finished(result))
        } else {
            throw GenerationError(
                .deadline,
                slot.isReading
                    ? "the deadline passed after \(slot.session.position) of \(slot.prompt.count) prompt tokens"
                    : "the deadline passed, and without a constraint there is no way to end the text")
        }
    }

    /// Finds out which logits a document's next token is chosen from.
    ///
    /// - Returns: Nil if the document has ended.
    private func prepare(_ slot: Slot) -> SequenceStep.Logits? {
        var logits: SequenceStep.Logits?
        attempt(slot) { () throws(GenerationError) in
            while logits == nil {
                let need: GenerationSequence.Step
                if let known = slot.need { need = known } else { need = try slot.sequence.next() }
                slot.need = need
                switch need {
                case .done(let result):
                    end(slot, .finished(result))
                    return
                case .logits(let rows):
                    logits = rows.map { .rows($0) } ?? .all
                case .values(let candidates):
                    // A choice among whole texts goes back and forth in its own sequence.
                    let start = clock.now
                    let pending = slot.sequence.takePending()
                    do throws(InferenceError) {
                        try slot.session.decodeWithoutLogits(pending)
                    } catch {
                        throw GenerationSequence.failure(error)
                    }
                    _ = try slot.sequence.search(candidates, slot.session)
                    slot.sequence.statistics.decodeSeconds += (clock.now - start).seconds
                    slot.need = nil
                }
                deliverTexts(slot)
            }
        }
        return slot.hasEnded ? nil : logits
    }

    /// Adds what comes right after the last piece of a prompt, so that the first choice needs no step of its own.
    private func finishReading(_ slot: Slot, _ step: inout SequenceStep) {
        attempt(slot) { () throws(GenerationError) in
            let need = try slot.sequence.next()
            slot.need = need
            // With float weights a prompt is computed apart from what follows.
            guard case .logits(let rows) = need, !slot.sequence.hasPending || batch.model.isExactInBatches else { return }
            step.tokens += slot.sequence.takePending()
            step.logits = rows.map { .rows($0) } ?? .all
        }
    }

    // MARK: Prompts

    /// Which prompts are read in a step, and how many tokens of each.
    private func readers(_ room: Int) -> [(Slot, Int)] {
        var open = slots.filter { !$0.hasEnded && $0.isReading }
        for slot in open { reuse(slot) }
        open = open.filter { slot in !isWaiting(slot) }
        guard !open.isEmpty else { return [] }
        turn %= open.count
        open = Array(open[turn...] + open[..<turn])
        var counts = open.map { _ in 0 }
        var left = room
        var isDone = false
        while left > 0, !isDone {
            isDone = true
            for (index, slot) in open.enumerated() where left > 0 {
                let start = slot.session.position + counts[index]
                let toBlock = Self.piece - start % Self.piece
                var count = min(slot.prompt.count - start, toBlock)
                // Whole blocks of float weights are computed at once.
                if batch.model.isExactInBatches { count = min(count, left) }
                guard count > 0 else { continue }
                counts[index] += count
                left -= count
                isDone = false
                if left <= 0 { turn += index + 1 }
            }
        }
        return zip(open, counts).filter { $1 > 0 }.map { ($0, $1) }
    }

    /// Takes over what is known of a prompt.
    private func reuse(_ slot: Slot) {
        guard let cache else { return }
        let before = slot.session.position
        let after = cache.restore(slot.prompt, into: slot.session)
        slot.sequence.statistics.cachedPromptTokens += after - before
    }

    /// Whether another document computes the next block of the prompt already.
    private func isWaiting(_ slot: Slot) -> Bool {
        let block = batch.model.prefixBlock
        guard cache != nil, slot.session.position % block == 0 else { return false }
        let end = slot.session.position + block
        guard end < slot.prompt.count else { return false }
        for other in slots {
            if other === slot { return false }
            guard !other.hasEnded, other.isReading, other.session.position < end, end <= other.prompt.count else { continue }
            if slot.prompt[..<end] == other.prompt[..<end] { return true }
        }
        return false
    }
}
