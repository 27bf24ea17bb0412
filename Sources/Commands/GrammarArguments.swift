// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import JSONSchemas
import Patterns

extension GrammarKind: ExpressibleByArgument {}

/// Reads grammars for commands.
enum GrammarFiles {
    /// Reads the grammar in a file; its kind is told by the ending unless it is stated.
    static func load(_ path: String, kind: GrammarKind?, registry: SchemaRegistry) throws -> (Grammar, [UInt8]) {
        guard let kind = kind ?? GrammarKind(file: path) else {
            throw CommandFailure(
                .usage,
                "the name '\(path)' does not tell the grammar's notation; state --grammar-kind gbnf, lark or blocks")
        }
        let bytes = try Console.read(path, limit: 16 << 20)
        let folder = path == "-" ? "." : (path as NSString).deletingLastPathComponent
        let grammar = try GrammarReader.read(
            bytes, file: path == "-" ? "<stdin>" : path, kind: kind, registry: registry,
            readFile: { name throws(DiagnosticsError) in
                let place = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
                do throws(CommandFailure) {
                    return try Console.read(place, limit: 64 << 20)
                } catch {
                    throw DiagnosticsError([Diagnostic("blocks.unreadable-file", error.message)])
                }
            })
        return (grammar, bytes)
    }

    /// The grammar of a regular expression given on the command line.
    static func regularExpression(_ pattern: String) throws -> Grammar {
        do throws(PatternError) {
            return try Grammar.regularExpression(pattern)
        } catch {
            switch error.code {
            case .syntax: throw CommandFailure(.usage, "--regex: \(error)")
            case .unsupported, .tooComplex: throw CommandFailure(.unsupported, "--regex: \(error)")
            }
        }
    }
}
