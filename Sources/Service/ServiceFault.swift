// SPDX-License-Identifier: Apache-2.0

import Documents
import Generation
import HTTPTypes
import Inference
import Jobs
import ModelFiles
import Patterns
import Tokenizers
import Transformations

/// A request that cannot be served, as clients are told.
///
/// The shape of the body depends on the interface: OpenAI's, Ollama's, or the native one.
struct ServiceFault: Error {
    var status: HTTPResponse.Status
    /// A stable id, such as `constraint.unsupported`.
    var code: String
    /// What happened and how to remedy it.
    var message: String
    /// OpenAI's class of the error.
    var kind: Kind
    /// The request's field at fault, such as `response_format.json_schema.schema`.
    var parameter: String?
    /// The place in the schema at fault, as a JSON Pointer.
    var pointer: String?
    /// Seconds after which another try may succeed.
    var retryAfter: Int?

    enum Kind: String {
        case invalidRequest = "invalid_request_error"
        case authentication = "authentication_error"
        case notFound = "not_found_error"
        case rateLimit = "rate_limit_error"
        case server = "server_error"
    }

    init(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, kind: Kind = .invalidRequest,
        parameter: String? = nil, pointer: String? = nil, retryAfter: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.kind = kind
        self.parameter = parameter
        self.pointer = pointer
        self.retryAfter = retryAfter
    }

    /// A wrong or missing field of the request.
    static func invalid(_ parameter: String, _ message: String, code: String = "invalid_value") -> ServiceFault {
        ServiceFault(.badRequest, code, message, parameter: parameter)
    }

    /// What went wrong inside, as far as a client may know it.
    ///
    /// - Parameter parameter: The field of the request that held the schema or grammar.
    init(_ error: any Error, parameter: String? = nil) {
        switch error {
        case let fault as ServiceFault:
            self = fault
        case let error as DiagnosticsError:
            let first = error.diagnostics.first
            let others = error.diagnostics.count > 1 ? " (and \(error.diagnostics.count - 1) more)" : ""
            // How references are found on the command line is of no use to a client.
            let isReference = first?.id == "schema.unresolved-reference"
            let help = isReference ? "; a schema must hold what it refers to" : first?.help.map { "; \($0)" } ?? ""
            self.init(
                .badRequest, first?.id.rawValue ?? "schema.invalid", (first?.message ?? "\(error)") + help + others,
                parameter: parameter, pointer: first?.path?.description)
        case let error as GenerationError:
            switch error.code {
            case .budgetTooSmall, .contextTooSmall, .invalidOption:
                self.init(.badRequest, error.code.description, error.message)
            case .queueFull:
                self.init(
                    .tooManyRequests, "server.queue-full", error.message + "; try again later", kind: .rateLimit,
                    retryAfter: 2)
            case .deadline:
                self.init(.gatewayTimeout, "server.deadline", error.message, kind: .server)
            case .cancelled, .closed:
                self.init(.serviceUnavailable, error.code.description, error.message, kind: .server)
            default:
                self.init(.internalServerError, error.code.description, error.message, kind: .server)
            }
        case let error as JobError:
            switch error.code {
            case .notFound: self.init(.notFound, error.code.rawValue, error.message, kind: .notFound)
            case .conflict, .otherJob: self.init(.conflict, error.code.rawValue, error.message)
            case .full: self.init(.init(code: 507), error.code.rawValue, error.message, kind: .server)
            case .inUse, .damaged, .unavailable:
                self.init(.serviceUnavailable, error.code.rawValue, error.message, kind: .server)
            }
        case let error as MultipartReader.Failure:
            self.init(.badRequest, "multipart.malformed", error.message)
        case let error as TransformationError:
            self.init(.internalServerError, error.code.description, error.message, kind: .server)
        case let error as PatternError:
            self.init(.badRequest, "grammar.invalid", "\(error)", parameter: parameter)
        case is InferenceError, is ModelFileError, is TokenizerError, is TemplateError:
            // Paths and offsets of the server's files are not the client's business.
            self.init(.serviceUnavailable, "model.unavailable", "the model cannot be loaded", kind: .server)
        case is CancellationError:
            self.init(.serviceUnavailable, "generation.cancelled", "the request was cancelled", kind: .server)
        default:
            self.init(.internalServerError, "internal", "the request failed", kind: .server)
        }
    }

    /// The body of OpenAI's interface, with the native members `pointer` and `code`.
    var value: JSONValue {
        var error: JSONObject = [
            "message": .string(message), "type": .string(kind.rawValue),
            "param": parameter.map { .string($0) } ?? .null, "code": .string(code),
        ]
        if let pointer { error.append(key: "pointer", value: .string(pointer)) }
        return ["error": .object(error)]
    }

    /// The body of Ollama's interface.
    var ollamaValue: JSONValue { ["error": .string(message), "code": .string(code)] }
}
