// SPDX-License-Identifier: Apache-2.0

public import Documents
import Foundation
import Synchronization

/// Where references to other schema documents are looked up: documents and folders on this machine, never the network.
///
///     var registry = SchemaRegistry()
///     registry.add(folder: "schemas", prefix: "https://example.com/schemas/")
///     registry.add(folder: "vendor")            // indexed by the `$id` of its files
///     registry.add(document, uri: "https://example.com/address")
///     registry.add(neighboursOf: document)      // the files that lie beside it
///
/// The metaschemas of the specification are always known. Files are read when they are first needed.
public struct SchemaRegistry: Sendable {
    /// The files of a folder that is indexed by `$id` are counted up to this number.
    public static let maximumIndexedFiles = 20_000

    private struct Prefix: Sendable {
        var uri: String
        var folder: String
    }

    /// The folder of a schema, which is looked into last.
    private struct Neighbourhood: Sendable {
        var folder: String
        /// The schema's own address up to the last slash, for schemas with an absolute one.
        var uri: String?
    }

    private var documents: [String: Document] = [:]
    private var prefixes: [Prefix] = []
    private var folders: [String] = []
    /// Files by their address.
    private var files: [String: String] = [:]
    private var neighbourhoods: [Neighbourhood] = []
    private let cache = Cache()

    /// Documents read so far; shared by copies of the registry, as files do not change during a run.
    private final class Cache: Sendable {
        struct State {
            var files: [String: Document] = [:]
            var indexes: [String: [String: String]] = [:]
        }
        let state = Mutex(State())
    }

    public init() {}

    /// The number of sources that were added.
    public var isEmpty: Bool {
        documents.isEmpty && prefixes.isEmpty && folders.isEmpty && files.isEmpty && neighbourhoods.isEmpty
    }

    /// Adds a document under an address.
    public mutating func add(_ document: Document, uri: String) {
        documents[URIReference(uri).withoutFragment.description] = document
    }

    /// Adds a folder whose files stand for the addresses that begin with `prefix`.
    ///
    /// The rest of the address is the path in the folder, with or without `.json`, `.yaml` or `.yml`.
    public mutating func add(folder: String, prefix: String) {
        prefixes.append(Prefix(uri: prefix, folder: folder))
        // The longest prefix wins.
        prefixes.sort { $0.uri.utf8.count > $1.uri.utf8.count }
    }

    /// Adds a folder whose files are found by their `$id`, or by their path for relative references.
    public mutating func add(folder: String) {
        folders.append(folder)
    }

    /// Adds a file under an address; it is read when it is first needed, and folders go first.
    public mutating func add(file: String, uri: String) {
        files[URIReference(uri).withoutFragment.description] = file
    }

    /// Adds the files that lie in the folder of a schema, for its references to what is published beside it.
    ///
    /// A relative reference of a schema without `$id` is a path from its folder. The folder also stands for the
    /// addresses beside the schema's own: if the file `a.json` says that it is `https://example.com/x/a.json`, then
    /// `https://example.com/x/b.json` is the file `b.json` beside it. No reference leads out of the folder, and what
    /// was added in another way goes first.
    public mutating func add(neighboursOf document: Document) {
        guard let file = document.file else { return }
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
        var uri: String?
        if let text = (document.root["$id"] ?? document.root["id"])?.stringValue {
            var address = URIReference(text).withoutFragment
            if address.isAbsolute, let slash = address.path.lastIndex(of: "/") {
                address.path = String(address.path[...slash])
                address.query = nil
                uri = address.description
            }
        }
        neighbourhoods.append(Neighbourhood(folder: folder, uri: uri))
    }

    /// Adds what a `--registry` option says: `URLPREFIX=DIR` or `DIR`.
    public mutating func add(option: String) throws(DiagnosticsError) {
        let folder: String
        if let mark = option.firstIndex(of: "="), option[..<mark].contains(":") {
            folder = String(option[option.index(after: mark)...])
            add(folder: folder, prefix: String(option[..<mark]))
        } else {
            folder = option
            add(folder: folder)
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw DiagnosticsError([
                Diagnostic(
                    "schema.registry-folder", "'\(folder)' is not a folder",
                    help: "give the registry as DIR or URLPREFIX=DIR")
            ])
        }
    }

    /// The document at an absolute address without fragment, or nil if it is not known.
    ///
    /// - Throws: The reader's diagnostics if the file is there and cannot be read.
    public func document(at uri: String) throws(DiagnosticsError) -> Document? {
        if let document = documents[uri] { return document }
        if let document = Metaschemas.document(uri) { return document }
        for prefix in prefixes where uri.hasPrefix(prefix.uri) {
            if let document = try file(String(uri.dropFirst(prefix.uri.count)), in: prefix.folder) { return document }
        }
        for folder in folders {
            if let path = index(of: folder)[uri] { return try read(path) }
            if !URIReference(uri).isAbsolute, let document = try file(uri, in: folder) { return document }
        }
        if let path = files[uri] { return try read(path) }
        for place in neighbourhoods {
            if !URIReference(uri).isAbsolute {
                if let document = try file(uri, in: place.folder) { return document }
            } else if let prefix = place.uri, uri.hasPrefix(prefix) {
                if let document = try file(String(uri.dropFirst(prefix.count)), in: place.folder) { return document }
            }
        }
        return nil
    }

    /// The files that were read so far, by any copy of the registry.
    package var filesRead: [String] { cache.state.withLock { Array($0.files.keys) } }

    private func file(_ path: String, in folder: String) throws(DiagnosticsError) -> Document? {
        guard let decoded = URIReference.percentDecoded(path) else { return nil }
        let parts = decoded.split(separator: "/")
        // A reference must not lead out of the folder.
        guard !parts.isEmpty, !parts.contains(".."), !decoded.utf8.contains(0) else { return nil }
        let base = folder + "/" + parts.joined(separator: "/")
        for ending in ["", ".json", ".yaml", ".yml"] {
            var isDirectory: ObjCBool = false
            let candidate = base + ending
            if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory), !isDirectory.boolValue {
                return try read(candidate)
            }
        }
        return nil
    }

    private func read(_ path: String) throws(DiagnosticsError) -> Document {
        if let known = cache.state.withLock({ $0.files[path] }) { return known }
        let document = try SchemaFiles.parse(path)
        cache.state.withLock { $0.files[path] = document }
        return document
    }

    /// The files of a folder by `$id`. A file that cannot be read or has no `$id` is not an error: the folder may
    /// hold other things.
    private func index(of folder: String) -> [String: String] {
        if let known = cache.state.withLock({ $0.indexes[folder] }) { return known }
        var index: [String: String] = [:]
        var count = 0
        let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }.sorted() ?? []
        for relative in paths {
            guard relative.hasSuffix(".json") || relative.hasSuffix(".yaml") || relative.hasSuffix(".yml") else {
                continue
            }
            count += 1
            if count > Self.maximumIndexedFiles { break }
            let path = folder + "/" + relative
            guard let document = try? read(path) else { continue }
            for key in ["$id", "id"] {
                guard let text = document.root[key]?.stringValue else { continue }
                let uri = URIReference(text).withoutFragment.description
                if index[uri] == nil { index[uri] = path }
            }
        }
        let built = index
        cache.state.withLock { $0.indexes[folder] = built }
        return built
    }

    /// Whether any folder was given, for the hint of an unresolved reference.
    var hasFolders: Bool { !prefixes.isEmpty || !folders.isEmpty }
}

/// Reads schema files, JSON or YAML.
enum SchemaFiles {
    static func parse(_ path: String) throws(DiagnosticsError) -> Document {
        do {
            return try DocumentReader.read(path: path)
        } catch let error as DiagnosticsError {
            throw error
        } catch {
            throw DiagnosticsError([Diagnostic("file.unreadable", "\(error)")])
        }
    }
}
