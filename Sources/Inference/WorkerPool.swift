// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Threads that run one function together, in phases separated by barriers.
///
/// ``run(_:)`` calls a function once per thread. Inside, ``Team/forEach(_:_:)`` shares out the chunks of a phase: each
/// thread takes the next chunk from a common counter, and a barrier ends the phase. A decode step of a small model has
/// more than a hundred phases of a few microseconds, so a barrier spins first; a thread that waits longer than about
/// 50 microseconds yields, and then sleeps until it is woken: an idle pool costs nothing.
///
/// With one thread there is no other thread, no atomic operation and no barrier.
final class WorkerPool: @unchecked Sendable {
    // Unchecked: `threads` is written in `init` only.

    /// The number of threads, the caller's included.
    let count: Int

    private let state: PoolState
    private let runLock = Mutex<Void>(())
    private var threads: [pthread_t] = []

    /// Starts `count - 1` threads.
    ///
    /// - Throws: ``InferenceError`` if the system refuses one.
    init(count: Int) throws(InferenceError) {
        self.count = max(count, 1)
        state = PoolState(count: max(count, 1))
        for index in 1..<self.count {
            let start = Unmanaged.passRetained(WorkerStart(state: state, index: index))
            #if canImport(Darwin)
                var thread: pthread_t?
            #else
                var thread = pthread_t()
            #endif
            let status = pthread_create(
                &thread, nil,
                { argument in
                    #if !canImport(Darwin)
                        guard let argument else { return nil }
                    #endif
                    let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
                    start.state.work(index: start.index)
                    return nil
                }, start.toOpaque())
            guard status == 0 else {
                start.release()
                // The threads that were started are stopped by `deinit`.
                throw InferenceError(
                    .outOfMemory, "thread \(index + 1) of \(count) could not be started; ask for fewer threads")
            }
            #if canImport(Darwin)
                if let thread { threads.append(thread) }
            #else
                threads.append(thread)
            #endif
        }
    }

    deinit {
        state.stop()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Calls `body` on every thread of the pool at once, and returns when all have finished.
    ///
    /// Calls from several threads wait for each other.
    func run(_ body: @escaping (Team) -> Void) {
        runLock.withLock { _ in
            if count == 1 {
                body(Team(state: state, index: 0, count: 1))
            } else {
                state.run(body)
            }
        }
    }
}

/// What the threads of a pool share. The threads keep it alive, so that the pool can go away and stop them.
private final class PoolState: @unchecked Sendable {
    // Unchecked: `job` and `stopping` are written by one thread at a time, before `jobNumber` publishes them.

    private let count: Int
    private let nextChunk = Atomic<Int>(0)
    private let arrived = Atomic<Int>(0)
    private let phase = Atomic<Int>(0)
    private let jobNumber = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private var job: ((Team) -> Void)?
    private var stopping = false
    private let sleepLock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Loads of a shared flag before a waiting thread yields: about 50 microseconds.
    private static let spins = 40_000
    /// Yields before it sleeps.
    private static let yields = 20

    init(count: Int) {
        self.count = count
        pthread_mutex_init(sleepLock, nil)
        pthread_cond_init(wake, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(sleepLock)
        wake.deallocate()
        sleepLock.deallocate()
    }

    func run(_ body: @escaping (Team) -> Void) {
        job = body
        publishJob()
        body(Team(state: self, index: 0, count: count))
        barrier()
        job = nil
    }

    func stop() {
        stopping = true
        publishJob()
    }

    func work(index: Int) {
        var seen = 0
        while true {
            wait(for: jobNumber, toLeave: seen)
            seen &+= 1
            if stopping { return }
            job?(Team(state: self, index: index, count: count))
            barrier()
        }
    }

    private func publishJob() {
        _ = jobNumber.wrappingAdd(1, ordering: .sequentiallyConsistent)
        wakeSleepers()
    }

    /// Takes the next chunk of the phase.
    @inline(__always)
    func takeChunk() -> Int { nextChunk.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// Waits until every thread of the pool has come here.
    func barrier() {
        let current = phase.load(ordering: .relaxed)
        if arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == count {
            arrived.store(0, ordering: .relaxed)
            nextChunk.store(0, ordering: .relaxed)
            phase.store(current &+ 1, ordering: .sequentiallyConsistent)
            wakeSleepers()
        } else {
            wait(for: phase, toLeave: current)
        }
    }

    @inline(__always)
    private func wait(for counter: borrowing Atomic<Int>, toLeave value: Int) {
        for _ in 0..<Self.spins where counter.load(ordering: .acquiring) != value { return }
        for _ in 0..<Self.yields {
            sched_yield()
            if counter.load(ordering: .acquiring) != value { return }
        }
        pthread_mutex_lock(sleepLock)
        _ = sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while counter.load(ordering: .sequentiallyConsistent) == value { pthread_cond_wait(wake, sleepLock) }
        _ = sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(sleepLock)
    }

    /// Wakes threads that sleep. A thread counts itself before it looks at the counter a last time, and the counter
    /// is changed before this looks for sleepers, so that no wake-up is lost.
    private func wakeSleepers() {
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        pthread_mutex_lock(sleepLock)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(sleepLock)
    }
}

/// What a worker thread is started with.
private final class WorkerStart {
    let state: PoolState
    let index: Int

    init(state: PoolState, index: Int) {
        self.state = state
        self.index = index
    }
}

/// One thread's view of a pool that runs a function.
struct Team {
    private unowned(unsafe) let state: PoolState
    /// The number of this thread, from 0.
    let index: Int
    /// The number of threads.
    let count: Int

    fileprivate init(state: PoolState, index: Int, count: Int) {
        self.state = state
        self.index = index
        self.count = count
    }

    /// Calls `body` for this thread's share of `chunks` chunks, and waits for the others: the end of a phase.
    @inline(__always)
    func forEach(_ chunks: Int, _ body: (Int) -> Void) {
        guard count > 1 else {
            for chunk in 0..<chunks { body(chunk) }
            return
        }
        while true {
            let chunk = state.takeChunk()
            guard chunk < chunks else { break }
            body(chunk)
        }
        state.barrier()
    }

    /// Waits for the other threads.
    @inline(__always)
    func barrier() { if count > 1 { state.barrier() } }
}
