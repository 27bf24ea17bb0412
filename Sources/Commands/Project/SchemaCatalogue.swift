// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import ModelFiles

/// The folder of schemas that are known by name: those that `schema add` has copied there, with an index, and other
/// schemas that lie in it.
struct SchemaCatalogue: Sendable {
    /// What the index knows about a schema.
    struct Entry: Codable, Sendable {
        var name: String
        /// The file in the folder.
        var file: String
        var sha256: String
        var byteCount: Int
        /// Where it was copied from.
        var source: String
        /// The addresses that it stands for: its own `$id`, and such as were given.
        var addresses: [String]
    }

    private struct Index: Codable {
        var schemas: [Entry] = []
    }

    /// The most schemas in the index.
    static let maximumEntries = 10_000
    private static let endings = [".schema.json", ".json", ".yaml", ".yml"]

    let folder: URL

    /// The catalogue at `$FORMWORK_SCHEMAS`, else beside the models: in `$FORMWORK_HOME`, or the platform's folder for
    /// application data.
    static func standard(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> SchemaCatalogue {
        if let folder = environment["FORMWORK_SCHEMAS"], !folder.isEmpty {
            return SchemaCatalogue(folder: URL(fileURLWithPath: folder))
        }
        return SchemaCatalogue(folder: ModelStore.dataFolder(environment).appendingPathComponent("schemas"))
    }

    private var indexFile: URL { folder.appendingPathComponent("index.json") }

    /// The path of an entry's file.
    func path(of entry: Entry) -> String { folder.appendingPathComponent(entry.file).path }

    /// What the index lists, by name.
    func entries() throws(CommandFailure) -> [Entry] {
        guard FileManager.default.fileExists(atPath: indexFile.path) else { return [] }
        do {
            let index = try JSONDecoder().decode(Index.self, from: try Data(contentsOf: indexFile))
            // The index is data like other data: no entry may lead out of the folder.
            for entry in index.schemas {
                try Self.check(entry.name)
                try Self.check(entry.file)
            }
            return index.schemas.sorted { $0.name < $1.name }
        } catch {
            throw CommandFailure(
                .unreadable, "the index '\(indexFile.path)' cannot be read; remove it and add the schemas again")
        }
    }

    /// The path of the schema with a name: from the index, else a file of that name in the folder; nil where there
    /// is none.
    ///
    /// - Throws: ``CommandFailure`` where the file is not what was added.
    func path(ofName name: String) throws(CommandFailure) -> String? {
        guard Self.isName(name) else { return nil }
        if let entry = try entries().first(where: { $0.name == name }) { return try checked(entry) }
        for ending in Self.endings {
            let path = folder.appendingPathComponent(name + ending).path
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue { return path }
        }
        return nil
    }

    /// The path of an entry's file if it has the checksum of the index.
    func checked(_ entry: Entry) throws(CommandFailure) -> String {
        let path = path(of: entry)
        let sum: String
        do { sum = try ExternalProgram.sha256(of: URL(fileURLWithPath: path)) } catch {
            throw CommandFailure(.unreadable, error.description)
        }
        guard sum == entry.sha256 else {
            throw CommandFailure(
                .unreadable,
                "'\(path)' has SHA-256 \(sum), but \(entry.sha256) when it was added; add it again with --replace")
        }
        return path
    }

    /// Copies a schema into the folder.
    func add(
        _ bytes: [UInt8], name: String, ending: String, source: String, addresses: [String], replaces: Bool
    ) throws -> Entry {
        try Self.check(name)
        return try withLock {
            var entries = try self.entries()
            let copy = FileManager.default.temporaryDirectory.appendingPathComponent("formwork-\(UUID().uuidString)")
            try Data(bytes).write(to: copy)
            defer { try? FileManager.default.removeItem(at: copy) }
            let sum = try ExternalProgram.sha256(of: copy)
            if let old = entries.first(where: { $0.name == name }), old.sha256 != sum, !replaces {
                throw CommandFailure(.usage, "there is another schema '\(name)' already; give --replace or --name")
            }
            for other in entries where other.name != name {
                guard let address = other.addresses.first(where: addresses.contains) else { continue }
                throw CommandFailure(
                    .usage, "the schema '\(other.name)' has the address '\(address)' already; remove it first")
            }
            let entry = Entry(
                name: name, file: name + ending, sha256: sum, byteCount: bytes.count, source: source,
                addresses: addresses)
            let old = entries.filter { $0.name == name && $0.file != entry.file }
            entries.removeAll { $0.name == name }
            entries.append(entry)
            guard entries.count <= Self.maximumEntries else {
                throw CommandFailure(.unsupported, "the catalogue has \(Self.maximumEntries) schemas already")
            }
            // A file that the index does not know is harmless, the other way round not.
            try Data(bytes).write(to: folder.appendingPathComponent(entry.file), options: .atomic)
            try write(entries)
            for entry in old { try? FileManager.default.removeItem(atPath: path(of: entry)) }
            return entry
        }
    }

    /// Takes a schema out of the index and removes its file.
    func remove(_ name: String) throws {
        try withLock {
            var entries = try self.entries()
            guard let place = entries.firstIndex(where: { $0.name == name }) else {
                throw CommandFailure(.unreadable, "no schema '\(name)' was added to '\(folder.path)'")
            }
            let entry = entries.remove(at: place)
            try write(entries)
            if FileManager.default.fileExists(atPath: path(of: entry)) {
                try FileManager.default.removeItem(atPath: path(of: entry))
            }
        }
    }

    private func write(_ entries: [Entry]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(Index(schemas: entries.sorted { $0.name < $1.name })).write(to: indexFile, options: .atomic)
    }

    /// Runs `body` while no other process changes the folder.
    private func withLock<R>(_ body: () throws -> R) throws -> R {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let descriptor = open(folder.appendingPathComponent(".lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw CocoaError(.fileWriteNoPermission) }
            defer { close(descriptor) }
            while flock(descriptor, LOCK_EX) != 0 {
                guard errno == EINTR else { throw CocoaError(.fileWriteUnknown) }
            }
            return try body()
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(
                .unreadable, "cannot write to the catalogue '\(folder.path)': \(error.localizedDescription)")
        }
    }

    // MARK: Names

    /// Whether a text can name a schema: letters, digits, dots, dashes and underscores.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 128 && !name.hasPrefix(".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    private static func check(_ name: String) throws(CommandFailure) {
        guard isName(name), name != "index" else {
            throw CommandFailure(.usage, "'\(name)' cannot name a schema: use letters, digits, '.', '_' and '-'")
        }
    }

    /// A file's name without its folder and endings.
    static func name(ofFile path: String) -> String {
        let base = path.split(separator: "/").last.map(String.init) ?? path
        let lower = base.lowercased()
        for ending in endings where lower.hasSuffix(ending) {
            let name = String(base.dropLast(ending.count))
            return name.lowercased().hasSuffix(".schema") ? String(name.dropLast(7)) : name
        }
        return base
    }
}
