// SPDX-License-Identifier: Apache-2.0

import Documents
import Generation
import ModelFiles
import Transformations

/// Why a value could not be made.
public struct FormworkError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, to switch on. More codes may come.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// There is no such model in the store, and no such file.
        public static let modelNotFound = Code(description: "formwork.model-not-found")
        /// The model's file cannot be used.
        public static let modelUnusable = Code(description: "formwork.model-unusable")
        /// A guide cannot be enforced, contradicts others, or makes no sense. The message names it.
        public static let unenforceableGuide = Code(description: "formwork.unenforceable-guide")
        /// An example's value does not fit the guides of its own type.
        public static let invalidExample = Code(description: "formwork.invalid-example")
        /// An option is out of range.
        public static let invalidOption = Code(description: "formwork.invalid-option")
        /// The budget is smaller than the shortest value.
        public static let budgetTooSmall = Code(description: "formwork.budget-too-small")
        /// The text and the budget do not fit into the model's context.
        public static let contextTooSmall = Code(description: "formwork.context-too-small")
        /// Too many transformations are waiting.
        public static let busy = Code(description: "formwork.busy")
        /// The time limit passed before the model had read the text.
        public static let timeLimit = Code(description: "formwork.time-limit")
        /// The task was cancelled, or nobody waits for the value any more.
        public static let cancelled = Code(description: "formwork.cancelled")
        /// Something within the library is wrong. The value is never returned then.
        public static let internalFault = Code(description: "formwork.internal")
    }

    public var code: Code
    /// What happened and how to remedy it.
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        cause.map { "\(message) (\($0)) [\(code)]" } ?? "\(message) [\(code)]"
    }

    static let cancelled = FormworkError(.cancelled, "the transformation was cancelled")

    /// What went wrong in one of the modules below.
    init(_ error: any Error) {
        switch error {
        case let error as FormworkError: self = error
        case is CancellationError: self = .cancelled
        case let error as GenerationError: self.init(error)
        case let error as ModelStoreError: self.init(.modelNotFound, error.message, cause: error.cause)
        case let error as TransformationError: self.init(.internalFault, error.message, cause: error.cause)
        default: self.init(.internalFault, "the transformation failed", cause: error)
        }
    }

    private init(_ error: GenerationError) {
        let code: Code =
            switch error.code {
            case .budgetTooSmall: .budgetTooSmall
            case .contextTooSmall: .contextTooSmall
            case .invalidOption: .invalidOption
            case .queueFull: .busy
            case .deadline: .timeLimit
            case .cancelled, .closed: .cancelled
            default: .internalFault
            }
        self.init(code, error.message, cause: error.cause)
    }

    /// What is wrong with a schema, told in terms of the types and guides that it was made from.
    init(_ error: DiagnosticsError, in schema: StructuredSchema) {
        guard let diagnostic = error.diagnostics.first(where: { $0.severity == .error }) ?? error.diagnostics.first
        else {
            self.init(.unenforceableGuide, "the guides of '\(schema.name)' cannot be enforced", cause: error)
            return
        }
        var tokens = diagnostic.path?.tokens ?? []
        var keyword: String?
        var place: StructuredSchema.Place?
        while true {
            place = schema.places[JSONPointer(tokens).description]
            guard place == nil, let last = tokens.popLast() else { break }
            keyword = last
        }
        let owner = place?.owner ?? schema.name
        let guide = keyword.flatMap { place?.guides[$0] }
        // Where the whole is at fault, all of its guides may be.
        let all = place.map { Set($0.guides.values).sorted() } ?? []
        let named = guide.map { [$0] } ?? all
        let subject =
            switch named.count {
            case 0: "the schema of '\(owner)'"
            case 1: "the guide '\(named[0])' of '\(owner)'"
            default: "the guides \(named.map { "'\($0)'" }.joined(separator: ", ")) of '\(owner)'"
            }
        self.init(.unenforceableGuide, "\(subject) cannot be enforced: \(diagnostic.message)")
    }
}
