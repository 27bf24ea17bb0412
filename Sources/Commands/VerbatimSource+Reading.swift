// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

extension VerbatimSource {
    /// Reads the source text of `--source`.
    static func read(_ path: String) throws -> VerbatimSource {
        let bytes = try Console.read(path, limit: maximumBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(.unreadable, "'\(path)' is not UTF-8 text")
        }
        return try VerbatimSource(text)
    }

    /// Reads the source text of a spec that needs one; a spec that needs one and has none is refused.
    static func read(_ path: String?, for spec: LoadedSpec) throws -> VerbatimSource? {
        if let path { return try read(path) }
        guard var problem = spec.graph.missingSource("validate.no-source") else { return nil }
        problem.help = "give it with '--source FILE'"
        throw CommandFailure(.usage, diagnostics: [problem], sources: [spec.source.source].compactMap(\.self))
    }
}
