// SPDX-License-Identifier: Apache-2.0

import Crypto
import Documents
import Foundation
import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Registered schemas as files: a folder for each owner, and in it a file for each content, named by its hash.
struct SchemaFiles: Sendable {
    private let folder: URL

    /// - Throws: Where the folder cannot be made or written to.
    init(folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard access(folder.path, W_OK) == 0 else { throw CocoaError(.fileWriteNoPermission) }
    }

    static func digest(_ text: String) -> String { hex(SHA256.hash(data: Array(text.utf8))) }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// Whether a text can be the hash of a content.
    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { isHex($0) }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// Owners are hexadecimal digits, or nothing where the service asks for no key.
    private func folder(of owner: String) -> URL {
        folder.appendingPathComponent(owner.isEmpty ? "shared" : owner, isDirectory: true)
    }

    /// Everything that was kept. A file that cannot be read is passed over, left as it is, and told of.
    func load(_ logger: Logger) -> [(owner: String, schema: RegisteredSchema)] {
        var found: [(String, RegisteredSchema)] = []
        let manager = FileManager.default
        for owner in (try? manager.contentsOfDirectory(atPath: folder.path).sorted()) ?? [] {
            let place = folder.appendingPathComponent(owner, isDirectory: true)
            for name in (try? manager.contentsOfDirectory(atPath: place.path).sorted()) ?? [] {
                let file = place.appendingPathComponent(name)
                // What a crash left behind half written.
                if name.hasSuffix(".new") {
                    try? manager.removeItem(at: file)
                    continue
                }
                guard name.hasSuffix(".json") else { continue }
                guard let schema = Self.read(file), name == schema.digest + ".json" else {
                    logger.warning("a registered schema cannot be read", metadata: ["file": "\(owner)/\(name)"])
                    continue
                }
                found.append((owner == "shared" ? "" : owner, schema))
            }
        }
        return found
    }

    private static func read(_ file: URL) -> RegisteredSchema? {
        guard let data = try? Data(contentsOf: file), data.count <= 64 << 20,
            let value = try? JSONReader.read(Array(data), file: nil).root.value,
            let text = value["source"]?.stringValue, let created = value["created_at"]?.intValue,
            let names = value["names"]?.arrayValue
        else { return nil }
        var schema = RegisteredSchema(digest: digest(text), text: text, created: created)
        for entry in names {
            guard let name = entry["name"]?.stringValue, SchemaStore.isName(name),
                let version = entry["version"]?.intValue, version > 0, let created = entry["created_at"]?.intValue
            else { return nil }
            schema.names.append(.init(name: name, version: version, created: created))
        }
        return schema
    }

    /// Puts a file in the place of the one before: readers and crashes see one or the other, whole.
    func write(_ schema: RegisteredSchema, _ owner: String) throws(ServiceFault) {
        let names = schema.names.map { name -> JSONValue in
            [
                "name": .string(name.name), "version": .number(DecimalNumber(name.version)),
                "created_at": .number(DecimalNumber(name.created)),
            ]
        }
        let value: JSONValue = [
            "source": .string(schema.text), "created_at": .number(DecimalNumber(schema.created)),
            "names": .array(names),
        ]
        let place = folder(of: owner)
        let file = place.appendingPathComponent(schema.digest + ".json")
        let new = place.appendingPathComponent(schema.digest + ".new")
        do {
            try FileManager.default.createDirectory(
                at: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            guard
                FileManager.default.createFile(
                    atPath: new.path, contents: nil, attributes: [.posixPermissions: 0o600])
            else { throw CocoaError(.fileWriteUnknown) }
            let handle = try FileHandle(forWritingTo: new)
            do {
                try handle.write(contentsOf: Data(JSONWriter(style: .compact).write(value).utf8))
                try handle.synchronize()
                try handle.close()
            } catch {
                try? handle.close()
                throw error
            }
            guard rename(new.path, file.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            try? FileManager.default.removeItem(at: new)
            throw Self.failure
        }
    }

    func remove(_ schema: RegisteredSchema, _ owner: String) throws(ServiceFault) {
        let file = folder(of: owner).appendingPathComponent(schema.digest + ".json")
        guard unlink(file.path) == 0 || errno == ENOENT else { throw Self.failure }
    }

    private static let failure = ServiceFault(
        .init(code: 507), "schemas.not-stored", "the schema could not be stored; nothing was changed", kind: .server)
}
