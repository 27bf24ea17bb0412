// SPDX-License-Identifier: Apache-2.0

import HummingbirdCore
import Synchronization

/// How much one key may ask for; where no keys are asked for, all requests together.
package final class RequestLimits: Sendable {
    /// What one owner has left.
    private struct Account {
        /// Requests that may come at once.
        var left: Double
        var filled: ContinuousClock.Instant
        var running = 0
    }

    private let perMinute: Int?
    private let concurrent: Int?
    private let accounts = Mutex<[String: Account]>([:])

    /// - Parameters:
    ///   - perMinute: Requests per minute; as many may come at once after a quiet minute. Nil does not limit them.
    ///   - concurrent: Requests that generate at the same time. Nil does not limit them.
    package init(perMinute: Int?, concurrent: Int?) {
        self.perMinute = perMinute
        self.concurrent = concurrent
    }

    /// Counts a request.
    ///
    /// - Returns: Nil if it may go on, else the seconds after which the next may.
    package func admit(_ owner: String, now: ContinuousClock.Instant = .now) -> Double? {
        guard let perMinute else { return nil }
        let most = Double(perMinute)
        return accounts.withLock { accounts in
            var account = accounts[owner] ?? Account(left: most, filled: now)
            account.left = min(most, account.left + max((now - account.filled).seconds, 0) * most / 60)
            account.filled = now
            let isAdmitted = account.left >= 1
            if isAdmitted { account.left -= 1 }
            accounts[owner] = account
            return isAdmitted ? nil : (1 - account.left) * 60 / most
        }
    }

    /// Takes a place among the requests that generate.
    ///
    /// - Returns: The place, which is given back when nobody holds it any more; nil if there is none.
    package func begin(_ owner: String) -> Place? {
        let isFree = accounts.withLock { accounts in
            var account = accounts[owner] ?? Account(left: Double(perMinute ?? 0), filled: .now)
            if let concurrent, account.running >= concurrent { return false }
            account.running += 1
            accounts[owner] = account
            return true
        }
        return isFree ? Place(owner, self) : nil
    }

    fileprivate func end(_ owner: String) {
        accounts.withLock { $0[owner]?.running -= 1 }
    }

    /// A place of a request that generates. It is held by the response, whatever becomes of that.
    package final class Place: Sendable {
        private let owner: String
        private let limits: RequestLimits

        fileprivate init(_ owner: String, _ limits: RequestLimits) {
            self.owner = owner
            self.limits = limits
        }

        deinit { limits.end(owner) }
    }
}

extension ResponseBody {
    /// The body, which holds a place until it was written or given up.
    func holding(_ place: RequestLimits.Place) -> ResponseBody {
        ResponseBody(contentLength: contentLength) { writer in
            defer { withExtendedLifetime(place) {} }
            try await self.write(writer)
        }
    }
}
