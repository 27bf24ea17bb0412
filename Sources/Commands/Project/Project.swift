// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

/// What `formwork.yaml` says: which files have which schemas, and the settings of commands.
struct Project: Sendable {
    static let fileName = "formwork.yaml"

    /// A schema as it is named in the file.
    struct SchemaName: Sendable {
        var glob: GlobPattern
        var name: String
        var range: SourceRange?
    }

    /// The path of the file from the working directory.
    let path: String
    /// The folder of the file, absolute.
    let folder: String
    /// The way from the working directory to that folder: empty, or `../` once or more.
    let prefix: String
    /// The text of the file.
    let source: SourceText

    private(set) var schemas: [SchemaName] = []
    private(set) var exclude: [GlobPattern] = []
    private(set) var registry: [String] = []
    private(set) var indent: Int?
    private(set) var width: Int?
    private(set) var sequences: SequenceLayout?
    private(set) var quotes: QuoteStyle?
    private(set) var order: MemberOrder?
    private(set) var defaults: DefaultsPolicy?
    private(set) var formats: FormatChoice?
    private(set) var unresolved: UnresolvedChoice?
    private(set) var isStrict = false
    /// What `serve` takes.
    private(set) var serve: Node?

    /// The project file in the nearest folder at or above the working directory; nil where there is none.
    ///
    /// - Throws: ``CommandFailure`` with every mistake in it.
    static func find(from start: String = FileManager.default.currentDirectoryPath) throws -> Project? {
        var folder = start
        var prefix = ""
        while true {
            let file = folder + (folder.hasSuffix("/") ? "" : "/") + fileName
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue {
                return try Project(path: prefix + fileName, folder: folder, prefix: prefix)
            }
            guard folder != "/", let slash = folder.lastIndex(of: "/") else { return nil }
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
            prefix += "../"
        }
    }

    private init(path: String, folder: String, prefix: String) throws {
        self.path = path
        self.folder = folder
        self.prefix = prefix
        let bytes = try Console.read(path, limit: 4 << 20)
        source = SourceText(file: path, bytes: bytes)
        do {
            let documents = try DocumentReader.readAll(bytes, file: path, format: .yaml)
            // A file of comments alone says nothing.
            guard let root = documents.first?.root, !(root.isNull && documents.count == 1) else { return }
            if documents.count > 1 {
                throw DiagnosticsError(
                    [
                        Diagnostic(
                            "document.several", "the project file holds more than one document",
                            range: documents[1].root.range)
                    ], sources: [source])
            }
            let validator = Validator(try ProjectSchema.load().graph)
            let violations = validator.validate(root)
            if !violations.isEmpty { throw DiagnosticsError(violations.map(\.diagnostic), sources: [source]) }
            try read(root)
        } catch let failure as DiagnosticsError {
            throw CommandFailure(.usage, diagnostics: failure.diagnostics, sources: failure.sources)
        }
    }

    private mutating func read(_ root: Node) throws(DiagnosticsError) {
        for member in root["schemas"]?.members.map(\.self) ?? [] {
            schemas.append(
                SchemaName(
                    glob: try glob(member.key, member.keyRange), name: member.value.stringValue ?? "",
                    range: member.value.range))
        }
        for node in root["exclude"]?.elements.map(\.self) ?? [] {
            var text = node.stringValue ?? ""
            if text.hasSuffix("/") { text.removeLast() }
            exclude.append(try glob(text, node.range))
        }
        registry = root["registry"]?.elements.compactMap(\.stringValue).map(registryOption) ?? []
        indent = root["format"]?["indent"]?.intValue
        width = root["format"]?["width"]?.intValue
        sequences = root["format"]?["sequences"]?.stringValue.flatMap { SequenceLayout(rawValue: $0) }
        quotes = root["format"]?["quotes"]?.stringValue.flatMap { QuoteStyle(rawValue: $0) }
        order = root["format"]?["order"]?.stringValue.flatMap { MemberOrder(rawValue: $0) }
        defaults = root["format"]?["defaults"]?.stringValue.flatMap { DefaultsPolicy(rawValue: $0) }
        formats = root["validate"]?["formats"]?.stringValue.flatMap { FormatChoice(rawValue: $0) }
        unresolved = root["validate"]?["unresolved"]?.stringValue.flatMap { UnresolvedChoice(rawValue: $0) }
        isStrict = root["validate"]?["strict"]?.boolValue ?? false
        serve = root["serve"]
    }

    private func glob(_ text: String, _ range: SourceRange?) throws(DiagnosticsError) -> GlobPattern {
        do throws(GlobPattern.Problem) {
            return try GlobPattern(text)
        } catch {
            throw DiagnosticsError(
                [Diagnostic("project.glob", error.message, range: range)], sources: [source])
        }
    }

    /// An entry of `registry:` with its folder as seen from the working directory.
    private func registryOption(_ text: String) -> String {
        if let mark = text.firstIndex(of: "="), text[..<mark].contains(":") {
            return text[...mark] + self.file(String(text[text.index(after: mark)...]))
        }
        return file(text)
    }

    /// A path of the project file as seen from the working directory.
    func file(_ path: String) -> String { path.hasPrefix("/") ? path : prefix + path }

    /// A path as seen from the project's folder; nil for paths outside of it.
    func relative(_ path: String) -> String? {
        guard path != "-" else { return nil }
        let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        if let inside = Self.path(Self.normal(absolute), below: folder) { return inside }
        // The same folder by another way.
        let url = URL(fileURLWithPath: absolute)
        let resolved = url.deletingLastPathComponent().resolvingSymlinksInPath().path
        let root = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        return Self.path(Self.normal(resolved + "/" + url.lastPathComponent), below: root)
    }

    /// A path without `.` and `..`.
    private static func normal(_ path: String) -> String {
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return "/" + names.joined(separator: "/")
    }

    private static func path(_ path: String, below folder: String) -> String? {
        let start = folder.hasSuffix("/") ? folder : folder + "/"
        return path.hasPrefix(start) && path.utf8.count > start.utf8.count
            ? String(path.dropFirst(start.count)) : nil
    }

    /// Whether a file or folder that was found is left out.
    func excludes(_ path: String) -> Bool {
        guard !exclude.isEmpty, let inside = relative(path) else { return false }
        return exclude.contains { glob in
            glob.isName ? inside.split(separator: "/").contains { glob.matches(String($0)) } : glob.covers(inside)
        }
    }

    /// The schema of a file: that of the first glob that is for it.
    func schema(of path: String) -> SchemaName? {
        guard !schemas.isEmpty, let inside = relative(path) else { return nil }
        return schemas.first { entry in
            entry.glob.isName
                ? entry.glob.matches(String(inside.split(separator: "/").last ?? "")) : entry.glob.matches(inside)
        }
    }
}

/// Whether a command looks for a project file.
struct ProjectArguments: ParsableArguments {
    @Flag(name: .long, help: "Do not look for a project file, formwork.yaml, here and in the folders above.")
    var noProject = false

    func find() throws -> Project? { noProject ? nil : try Project.find() }
}
