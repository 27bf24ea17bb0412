// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Documents
import Foundation
public import JSONSchemas

extension QuoteStyle: ExpressibleByArgument {}
extension MemberOrder: ExpressibleByArgument {}
extension DefaultsPolicy: ExpressibleByArgument {}

/// What `format` does to a file before it is laid out: quotes, the order of members, defaults.
struct FileArranger {
    private let quotes: QuoteStyle
    private let order: MemberOrder
    private let defaults: DefaultsPolicy
    /// Where schemas are found, if any are needed.
    private let lookup: SchemaLookup?

    init(_ command: FormatCommand, project: Project?) throws {
        quotes = command.quotes ?? project?.quotes ?? .keep
        order = command.order ?? project?.order ?? .keep
        defaults = command.defaults ?? project?.defaults ?? .keep
        guard order == .schema || defaults != .keep else {
            lookup = nil
            return
        }
        let lookup = try SchemaLookup(
            option: command.schema, arguments: command.schemaArguments, project: project,
            unresolved: (project?.unresolved ?? .refuse).policy,
            formats: (command.schemaArguments.formatChoice ?? project?.formats ?? .assert).policy, sourcePath: nil)
        _ = try lookup.loadFixed()
        self.lookup = lookup
        Self.publish(lookup)
    }

    private static func publish(_ lookup: SchemaLookup) {
        for news in lookup.takeNews() { Console.report(news.diagnostics, sources: news.sources) }
    }

    /// The text with its members arranged.
    ///
    /// - Throws: ``SchemaProblem`` where the file's schema cannot be had.
    func arrange(_ bytes: [UInt8], _ name: String, _ file: SelectedFile) throws -> [UInt8] {
        guard quotes != .keep || order != .keep || defaults != .keep else { return bytes }
        let source = SourceText(file: name, bytes: bytes)
        let format = DocumentReader.format(ofFile: name) ?? DocumentReader.guess(bytes)
        let finder = lookup.map { DocumentSchemas($0, source, format, file, name: name) }
        defer { lookup.map(Self.publish) }
        var notes: [Diagnostic] = []
        var problem: SchemaProblem?
        let result = try DocumentArranger.arrange(source, format: format, quotes: quotes) { _, root in
            do throws(SchemaProblem) {
                guard let root, let schema = try finder?.schema(of: root) else {
                    return Arrangement(order: order == .alphabetical ? .alphabetical : .keep)
                }
                let own = SchemaArranger(schema.validator).arrange(root, order: order, defaults: defaults)
                notes += own.notes
                return own.arrangement
            } catch {
                problem = problem ?? error
                return Arrangement()
            }
        }
        if let problem { throw problem }
        if let finder, !finder.hasFound, file.isNamed {
            notes.append(
                Diagnostic(
                    "schema.none", "no schema is known for '\(name)': members stay as they are where one is needed",
                    severity: .warning))
        }
        Console.report(notes + result.notes, sources: [SourceText(file: name, bytes: result.bytes), source])
        return result.bytes
    }
}

/// The schemas of the documents of one file.
private final class DocumentSchemas {
    private let lookup: SchemaLookup
    private let file: SelectedFile
    private let modeline: (Modeline, SourceText)?
    /// Whether any document has a schema.
    private(set) var hasFound = false

    init(_ lookup: SchemaLookup, _ source: SourceText, _ format: DocumentFormat, _ file: SelectedFile, name: String) {
        self.lookup = lookup
        // Standard input has the place that its name says.
        self.file = file.path == "-" && name != "<stdin>" ? SelectedFile(path: name, isNamed: true) : file
        let found = format == .yaml || format == .toml ? Modeline.find(in: source.bytes) : nil
        modeline = found.map { ($0, source) }
    }

    func schema(of root: Node) throws(SchemaProblem) -> CheckedSchema? {
        var schema = try lookup.schema(of: file, modeline: modeline)
        if schema == nil { schema = try lookup.schema(of: root, in: file) }
        hasFound = hasFound || schema != nil
        return schema
    }
}
