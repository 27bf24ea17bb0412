// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas

/// The notations of a grammar.
package enum GrammarKind: String, CaseIterable, Sendable {
    /// The notation of llama.cpp.
    case gbnf
    /// The notation of the Lark toolkit with the extensions of llguidance.
    case lark
    /// Free text with structured blocks, described in YAML or JSON.
    case blocks

    /// The kind that a file's name tells; nil if it tells none.
    package init?(file: String) {
        switch file.split(separator: ".").last?.lowercased() {
        case "gbnf": self = .gbnf
        case "lark": self = .lark
        case "yaml", "yml", "json": self = .blocks
        default: return nil
        }
    }
}

/// Reads grammars of any kind.
package enum GrammarReader {
    /// Reads a grammar.
    ///
    /// - Throws: All problems, each with its place.
    package static func read(
        _ bytes: [UInt8], file: String?, kind: GrammarKind, registry: SchemaRegistry = SchemaRegistry(),
        limits: GrammarLimits = GrammarLimits(), readFile: BlocksReader.FileReader? = nil
    ) throws(DiagnosticsError) -> Grammar {
        switch kind {
        case .gbnf: return try GBNF.read(bytes, file: file, limits: limits)
        case .lark: return try Lark.read(bytes, file: file, registry: registry, limits: limits)
        case .blocks:
            return try BlocksReader(registry: registry, limits: limits, readFile: readFile).read(bytes, file: file)
        }
    }
}
