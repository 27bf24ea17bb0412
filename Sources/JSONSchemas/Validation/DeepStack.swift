// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs deeply recursive work on a thread with a stack of its own.
enum DeepStack {
    /// The nesting that any thread's stack can take: frames stay below 1 KiB, and stacks are 512 KiB at least.
    static let ordinaryDepth = 250
    /// The same for reporting, whose frames are larger.
    static let ordinaryReportingDepth = 80

    /// Enough for ``Validator/Limits/depth`` frames; memory is taken only as it is touched.
    private static let stackSize = 256 << 20

    private final class Box<Result>: @unchecked Sendable {
        // Written by the thread before it signals, read after the wait.
        var result: Result?
    }

    /// Calls `body` on a thread with a large stack and waits for it.
    static func run<Result>(_ body: @escaping @Sendable () -> Result) -> Result {
        let box = Box<Result>()
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            box.result = body()
            done.signal()
        }
        thread.stackSize = stackSize
        thread.start()
        done.wait()
        guard let result = box.result else { preconditionFailure("the thread ends after it has stored a result") }
        return result
    }
}
