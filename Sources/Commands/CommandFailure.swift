// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Foundation
import Generation
import Inference
import ModelFiles
import Tokenizers
import Transformations

/// The documented exit statuses.
enum ExitStatus: Int32, Sendable {
    case ok = 0
    case internalError = 1
    case dataInvalid = 2
    case unsupported = 3
    case schemaInvalid = 4
    case usage = 5
    case unreadable = 6
    case budgetTooSmall = 7
}

/// A command that ends with a message and an exit status.
struct CommandFailure: Error {
    var status: ExitStatus
    /// Empty where everything has been said already.
    var message: String
    var diagnostics: [Diagnostic]
    /// The texts that the diagnostics point at.
    var sources: [SourceText]

    init(
        _ status: ExitStatus, _ message: String = "", diagnostics: [Diagnostic] = [], sources: [SourceText] = []
    ) {
        self.status = status
        self.message = message
        self.diagnostics = diagnostics
        self.sources = sources
    }
}
