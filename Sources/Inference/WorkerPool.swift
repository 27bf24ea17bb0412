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
    // Unchecked: `job` and `stopping` are written by the thread that holds `runLock`, before the store to
    // `jobNumber` that publishes them.

    /// The number of threads, the caller's included.
    let count: Int

    private let nextChunk = Atomic<Int>(0)
    private let arrived = Atomic<Int>(0)
    private let phase = Atomic<Int>(0)
    private let jobNumber = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let runLock = Mutex<Void>(())
    private var job: ((Team) -> Void)?
    private var stopping = false
    private var threads: [pthread_t] = []
    private let sleepLock: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>

    /// Loads of a shared flag before a waiting thread yields: about 50 microseconds.
    private static let spins = 40_000
    /// Yields before it sleeps.
    private static let yields = 20

    /// Starts `count - 1` threads; fewer if the system refuses.
    init(count: Int) {
        sleepLock = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        pthread_mutex_init(sleepLock, nil)
        pthread_cond_init(wake, nil)
        let wanted = max(count, 1)
        self.count = wanted
        for index in 1..<max(wanted, 1) {
            let start = Unmanaged.passRetained(WorkerStart(pool: Unmanaged.passUnretained(self), index: index))
            #if canImport(Darwin)
            var thread: pthread_t?
            #else
            var thread = pthread_t()
            #endif
            let status = pthread_create(
                &thread, nil,
                { argument in
                    #if canImport(Darwin)
                    let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
                    #else
                    guard let argument else { return nil }
                    let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
                    #endif
                    // The pool joins its threads before it goes away.
                    start.pool.takeUnretainedValue().work(index: start.index)
                    return nil
                }, start.toOpaque())
            precondition(status == 0, "a worker thread could not be started")
            #if canImport(Darwin)
            if let thread { threads.append(thread) }
            #else
            threads.append(thread)
            #endif
        }
    }

    deinit {
        stopping = true
        _ = jobNumber.wrappingAdd(1, ordering: .sequentiallyConsistent)
        wakeSleepers()
        for thread in threads { pthread_join(thread, nil) }
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(sleepLock)
        wake.deallocate()
        sleepLock.deallocate()
    }

    /// Calls `body` on every thread of the pool at once, and returns when all have finished.
    ///
    /// Calls from several threads wait for each other.
    func run(_ body: @escaping (Team) -> Void) {
        runLock.withLock { _ in
            guard count > 1 else {
                body(Team(pool: self, index: 0, count: 1))
                return
            }
            job = body
            _ = jobNumber.wrappingAdd(1, ordering: .sequentiallyConsistent)
            wakeSleepers()
            body(Team(pool: self, index: 0, count: count))
            barrier()
            job = nil
        }
    }

    private func work(index: Int) {
        var seen = 0
        while true {
            wait(for: jobNumber, toLeave: seen)
            seen = jobNumber.load(ordering: .acquiring)
            if stopping { return }
            job?(Team(pool: self, index: index, count: count))
            barrier()
        }
    }

    /// Takes the next chunk of the phase.
    @inline(__always)
    fileprivate func takeChunk() -> Int { nextChunk.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// Waits until every thread of the pool has come here.
    fileprivate func barrier() {
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
    let pool: Unmanaged<WorkerPool>
    let index: Int

    init(pool: Unmanaged<WorkerPool>, index: Int) {
        self.pool = pool
        self.index = index
    }
}

/// One thread's view of a pool that runs a function.
struct Team {
    fileprivate unowned(unsafe) let pool: WorkerPool
    /// The number of this thread, from 0.
    let index: Int
    /// The number of threads.
    let count: Int

    fileprivate init(pool: WorkerPool, index: Int, count: Int) {
        self.pool = pool
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
            let chunk = pool.takeChunk()
            guard chunk < chunks else { break }
            body(chunk)
        }
        pool.barrier()
    }

    /// Waits for the other threads.
    @inline(__always)
    func barrier() { if count > 1 { pool.barrier() } }
}
