// SPDX-License-Identifier: Apache-2.0

import GRDB

/// What went wrong with stored jobs.
package struct JobError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// There is no such file or batch.
        case notFound = "jobs.not-found"
        /// It cannot be done in the state that the batch or file is in.
        case conflict = "jobs.conflict"
        /// Another process uses the folder.
        case inUse = "jobs.in-use"
        /// The disk, or what stored files may take, is full.
        case full = "jobs.storage-full"
        /// The database is damaged.
        case damaged = "jobs.database-damaged"
        /// Anything else that keeps from reading or writing.
        case unavailable = "jobs.storage-unavailable"
        /// The journal belongs to other input or options.
        case otherJob = "jobs.other-job"
    }

    package var code: Code
    /// What happened and how to remedy it.
    package var message: String
    package var description: String { message }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// An error of the database or of the file system.
    package init(_ error: any Error, _ what: String) {
        switch error {
        case let error as JobError:
            self = error
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                self.init(.damaged, "\(what): the database is damaged: \(error.message ?? "\(error.resultCode)")")
            case .SQLITE_FULL:
                self.init(.full, "\(what): the disk is full")
            default:
                self.init(.unavailable, "\(what): \(error.message ?? "\(error.resultCode)")")
            }
        case let error as FileFailure:
            self.init(error.isFull ? .full : .unavailable, "\(what): \(error.text)")
        default:
            self.init(.unavailable, "\(what): \(error)")
        }
    }
}
