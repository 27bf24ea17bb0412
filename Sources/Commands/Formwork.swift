// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Benchmarks
import Documents
import Foundation
import Generation
import Inference
import ModelFiles
import Tokenizers
import Transformations

/// The `formwork` command.
public struct Formwork: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "formwork",
        abstract: "Turn text into documents that are valid under your schema, with a small model on your own machine.",
        discussion: """
            Data goes to standard output, messages to standard error. '-' stands for standard input.

            Exit status: 0 ok, 1 internal error, 2 data invalid, 3 feature not supported, 4 schema invalid, 5 usage,
            6 input unreadable, 7 token budget too small.

            EXAMPLE
              formwork models pull smollm2
              echo 'Mail Ada Lovelace, ada@example.org' | formwork transform --schema Schemas/contact.yaml
            """,
        version: "0.1.0",
        subcommands: [
            TransformCommand.self, ValidateCommand.self, FormatCommand.self, RepairCommand.self, SchemaCommand.self, GrammarCommand.self,
            ModelsCommand.self, BenchCommand.self,
            ServeCommand.self,
            CompletionsCommand.self, ManualCommand.self,
        ]
    )

    public init() {}

    /// Runs the command line of this process and exits with a documented status.
    public static func runAndExit() async -> Never {
        // A reader that goes away must give an error to handle, not end the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Foundation.exit(ExitStatus.ok.rawValue)
        } catch {
            Foundation.exit(report(error).rawValue)
        }
    }

    /// Prints what went wrong and says how the process should end.
    static func report(_ error: any Error) -> ExitStatus {
        switch error {
        case let failure as CommandFailure:
            Console.report(failure.diagnostics, sources: failure.sources)
            if !failure.message.isEmpty { Console.error(failure.message) }
            return failure.status
        case let failure as DiagnosticsError:
            Console.report(failure.diagnostics, sources: failure.sources)
            return status(of: failure.diagnostics)
        case let failure as GenerationError:
            Console.error(failure.description)
            switch failure.code {
            case .budgetTooSmall, .contextTooSmall: return .budgetTooSmall
            case .invalidOption: return .usage
            default: return .internalError
            }
        case let failure as TransformationError:
            Console.error(failure.description)
            return .internalError
        case let failure as ModelStoreError:
            Console.error(failure.description)
            return failure.code == .invalidName ? .usage : .unreadable
        case let failure as ModelFileError:
            Console.error(String(describing: failure))
            return .unreadable
        case let failure as TokenizerError:
            Console.error(String(describing: failure))
            return .unsupported
        case let failure as TemplateError:
            Console.error(String(describing: failure))
            return .unsupported
        case let failure as InferenceError:
            Console.error(String(describing: failure))
            return failure.exitStatus
        case let failure as BenchmarkError:
            Console.error(failure.description)
            return .unreadable
        case let failure as SuiteBench.SuiteError:
            Console.error(failure.description)
            return .unreadable
        default:
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if code.isSuccess {
                try? Console.line(text)
                return .ok
            }
            Console.message(text)
            return code == .validationFailure ? .usage : .internalError
        }
    }

    /// Diagnostics of a schema: what cannot be enforced is another exit than what is wrong.
    static func status(of diagnostics: [Diagnostic]) -> ExitStatus {
        let errors = diagnostics.filter { $0.severity == .error }.map { String(describing: $0.id) }
        if errors.contains(where: { $0.hasPrefix("constraint.unsatisfiable") }) { return .schemaInvalid }
        let isUnsupported = { (id: String) in
            id.hasPrefix("constraint.") || id.hasPrefix("schema.unsupported") || id.hasPrefix("grammar.unsupported")
                || id == "grammar.too-complex" || id == "convert.inexact" || id == "format.unsupported"
        }
        if !errors.isEmpty, errors.allSatisfy(isUnsupported) { return .unsupported }
        return .schemaInvalid
    }
}

extension InferenceError {
    fileprivate var exitStatus: ExitStatus {
        switch code {
        case .unsupported: .unsupported
        case .contextOverflow: .budgetTooSmall
        case .modelFile: .unreadable
        default: .internalError
        }
    }
}
