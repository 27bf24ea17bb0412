// SPDX-License-Identifier: Apache-2.0

import GRDB

/// A stored file: the input or the results of a batch.
package struct StoredFile: Codable, Hashable, Sendable {
    package var id: String
    /// Whose it is; see ``Batch/owner``.
    package var owner: String
    package var name: String
    /// `batch` for input, `batch_output` for results.
    package var purpose: String
    /// Its length in bytes.
    package var bytes: Int
    /// Seconds since 1970.
    package var created: Int
}

/// A request for each line of a file.
package struct Batch: Codable, Hashable, Sendable {
    /// How far a batch is; the names are those of OpenAI's interface.
    package enum Status: String, Codable, Sendable {
        /// The input is read and checked.
        case validating
        /// The input is wrong; nothing was done.
        case failed
        /// Lines are worked on.
        case inProgress = "in_progress"
        /// Results are written to files.
        case finalizing
        case completed
        case expired
        /// No more lines are begun, and results are written to files.
        case cancelling
        case cancelled

        /// Whether nothing is left to do.
        package var isFinal: Bool {
            switch self {
            case .validating, .inProgress, .finalizing, .cancelling: false
            case .failed, .completed, .expired, .cancelled: true
            }
        }
    }

    /// What is wrong with a line of the input.
    package struct Problem: Codable, Hashable, Sendable {
        package var code: String
        package var message: String
        /// Counted from 1; nil for the file as a whole.
        package var line: Int?

        package init(code: String, message: String, line: Int?) {
            self.code = code
            self.message = message
            self.line = line
        }
    }

    package var id: String
    /// Stands for the key that it was made with; others do not see it.
    package var owner: String
    /// The route that each line is a request of.
    package var endpoint: String
    package var inputFile: String
    /// What the client asked for, such as `24h`.
    package var window: String
    /// The client's own data, as a JSON object.
    package var metadata: String?
    package var status: Status
    /// What it ends as when results are written: completed, expired or cancelled.
    package var ending: Status?
    /// Lines of the input, once it is validated.
    package var total = 0
    /// Lines with a result. While a batch is open this is counted, see ``BatchStore/counts(_:)``.
    package var done = 0
    /// Lines whose request was answered with an error.
    package var failed = 0
    package var outputFile: String?
    package var errorFile: String?
    package var problems: [Problem] = []

    // Seconds since 1970.
    package var created: Int
    package var expires: Int
    package var begun: Int?
    package var finalizing: Int?
    package var cancelling: Int?
    package var ended: Int?
}

extension StoredFile: FetchableRecord, PersistableRecord {
    package static let databaseTableName = "file"
}

extension Batch: FetchableRecord, PersistableRecord {
    package static let databaseTableName = "batch"
}
