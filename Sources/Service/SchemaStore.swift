// SPDX-License-Identifier: Apache-2.0

import Constraints
import Crypto
import Documents
import Foundation
import JSONSchemas
import Logging
import Synchronization

/// A schema or spec that a client registered, to be named in later requests.
struct RegisteredSchema: Sendable {
    /// A name and a version of it.
    struct Name: Sendable, Hashable {
        var name: String
        var version: Int
        /// Seconds since 1970.
        var created: Int

        var text: String { "\(name)@\(version)" }
    }

    /// The SHA-256 of ``text``, in hexadecimal digits.
    var digest: String
    /// The schema as compact JSON, or the spec as it was given.
    var text: String
    /// Seconds since 1970.
    var created: Int
    var names: [Name] = []
    /// Read once, when it is first used.
    var spec: LoadedSpec?

    var id: String { "sha256:" + digest }

    /// What it counts for: each name, or itself where it has none.
    var entries: Int { max(names.count, 1) }

    /// What clients see.
    func value(_ name: Name? = nil, source: Bool = false) -> JSONValue {
        var object: JSONObject = [
            "object": "schema", "id": .string(id), "name": name.map { .string($0.name) } ?? .null,
            "version": name.map { .number(DecimalNumber($0.version)) } ?? .null,
            "names": .array(names.map { .string($0.text) }),
            "created_at": .number(DecimalNumber(name?.created ?? created)),
            "bytes": .number(DecimalNumber(text.utf8.count)),
        ]
        if source {
            object.append(key: "source", value: .string(text))
            if let spec { object.append(key: "schema", value: spec.schema.root.value) }
        }
        return .object(object)
    }
}

/// The schemas that clients registered; those of one key are not seen with another.
///
/// They are kept by the hash of their content. With a folder each is a file that is replaced as a whole, so that
/// a restart finds what was answered before.
final class SchemaStore: Sendable {
    /// Bounds of all schemas together; each version of a name counts.
    struct Limits: Sendable {
        var count: Int
        var bytes: Int
    }

    /// How a request names a schema.
    enum Reference: Hashable {
        case digest(String)
        case name(String, version: Int?)

        /// Reads `sha256:…`, `NAME` or `NAME@VERSION`.
        init?(_ text: String) {
            if text.hasPrefix("sha256:") {
                let digest = String(text.dropFirst(7))
                guard SchemaFiles.isDigest(digest) else { return nil }
                self = .digest(digest)
                return
            }
            let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, SchemaStore.isName(name), parts.count <= 2 else { return nil }
            guard parts.count == 2 else {
                self = .name(name, version: nil)
                return
            }
            guard parts[1].utf8.count <= 9, let version = Int(parts[1]), version > 0 else { return nil }
            self = .name(name, version: version)
        }
    }

    private struct State {
        var owners: [String: [String: RegisteredSchema]] = [:]
        var count = 0
        var bytes = 0

        mutating func set(_ owner: String, _ digest: String, _ schema: RegisteredSchema?) {
            if let before = owners[owner]?[digest] {
                count -= before.entries
                bytes -= before.text.utf8.count
            }
            owners[owner, default: [:]][digest] = schema
            if let schema {
                count += schema.entries
                bytes += schema.text.utf8.count
            }
        }
    }

    private let limits: Limits
    private let files: SchemaFiles?
    private let state: Mutex<State>

    /// - Parameter folder: Where schemas are kept; nil keeps them as long as the service runs.
    init(folder: String?, limits: Limits, logger: Logger) {
        self.limits = limits
        var state = State()
        files = folder.flatMap { folder in
            do {
                let files = try SchemaFiles(folder: URL(fileURLWithPath: folder).appendingPathComponent("schemas"))
                for (owner, schema) in files.load(logger) { state.set(owner, schema.digest, schema) }
                return files
            } catch {
                logger.warning("schemas are not kept: their folder cannot be used", metadata: ["error": "\(error)"])
                return nil
            }
        }
        self.state = Mutex(state)
    }

    /// Names consist of letters, digits, `_`, `-` and `.`.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// Registers a schema that was read already.
    ///
    /// The same content is kept once. A name gets a new version where its latest one has other content.
    func register(
        _ spec: LoadedSpec, text: String, name: String?, owner: String
    ) throws(ServiceFault) -> (schema: RegisteredSchema, name: RegisteredSchema.Name?, isNew: Bool) {
        let digest = SchemaFiles.digest(text)
        let now = Int(Date().timeIntervalSince1970)
        let result = state.withLock { state in
            Result { () throws(ServiceFault) in
                let known = state.owners[owner]?[digest]
                var schema = known ?? RegisteredSchema(digest: digest, text: text, created: now)
                schema.spec = spec
                var entry: RegisteredSchema.Name?
                if let name {
                    let latest = (state.owners[owner] ?? [:]).values
                        .flatMap { schema in schema.names.filter { $0.name == name }.map { ($0, schema.digest) } }
                        .max { $0.0.version < $1.0.version }
                    if let latest, latest.1 == digest {
                        entry = latest.0
                    } else {
                        let version = (latest?.0.version ?? 0) + 1
                        let made = RegisteredSchema.Name(name: name, version: version, created: now)
                        schema.names.append(made)
                        entry = made
                    }
                }
                let isNew = known?.names != schema.names
                let (entries, bytes) = known.map { ($0.entries, $0.text.utf8.count) } ?? (0, 0)
                guard
                    !isNew
                        || state.count - entries + schema.entries <= limits.count
                            && state.bytes - bytes + text.utf8.count <= limits.bytes
                else {
                    throw ServiceFault(
                        .init(code: 507), "schemas.full",
                        "\(state.count) schemas with \(state.bytes) bytes are registered, and there is room for "
                            + "\(limits.count) with \(limits.bytes); delete some", kind: .server)
                }
                if isNew { try files?.write(schema, owner) }
                state.set(owner, digest, schema)
                return (schema: schema, name: entry, isNew: isNew)
            }
        }
        return try result.get()
    }

    /// All schemas of an owner: each name and version, the latest first, then those without a name.
    func list(_ owner: String) -> [(schema: RegisteredSchema, name: RegisteredSchema.Name?)] {
        let all = state.withLock { Array(($0.owners[owner] ?? [:]).values) }
        let entries = all.flatMap { schema -> [(schema: RegisteredSchema, name: RegisteredSchema.Name?)] in
            schema.names.isEmpty ? [(schema, nil)] : schema.names.map { (schema, $0) }
        }
        return entries.sorted { one, other in
            switch (one.name, other.name) {
            case (let a?, let b?): (a.name, b.version) < (b.name, a.version)
            case (let a, nil): a != nil || one.schema.digest < other.schema.digest
            case (nil, _): false
            }
        }
    }

    /// The schema that a reference leads to, read.
    func find(
        _ reference: Reference, owner: String
    ) throws -> (schema: RegisteredSchema, name: RegisteredSchema.Name?)? {
        let found = state.withLock { Self.entries(reference, $0.owners[owner] ?? [:]) }
        guard var (schema, name) = found.max(by: { $0.name?.version ?? 0 < $1.name?.version ?? 0 }) else { return nil }
        if case .digest = reference { name = nil }
        if schema.spec == nil {
            let spec = try SpecLoader.load(Array(schema.text.utf8))
            schema.spec = spec
            state.withLock { $0.owners[owner]?[schema.digest]?.spec = spec }
        }
        return (schema, name)
    }

    /// Deletes a version, all versions of a name, or a schema with all its names.
    ///
    /// - Returns: Whether there was something to delete.
    func delete(_ reference: Reference, owner: String) throws(ServiceFault) -> Bool {
        let result = state.withLock { state in
            Result { () throws(ServiceFault) in
                let found = Self.entries(reference, state.owners[owner] ?? [:])
                for (entry, name) in found {
                    guard var schema = state.owners[owner]?[entry.digest] else { continue }
                    if case .name = reference { schema.names.removeAll { $0 == name } } else { schema.names = [] }
                    // What has lost its last name is gone.
                    if schema.names.isEmpty {
                        try files?.remove(schema, owner)
                        state.set(owner, schema.digest, nil)
                    } else {
                        try files?.write(schema, owner)
                        state.set(owner, schema.digest, schema)
                    }
                }
                return !found.isEmpty
            }
        }
        return try result.get()
    }

    private static func entries(
        _ reference: Reference, _ schemas: [String: RegisteredSchema]
    ) -> [(schema: RegisteredSchema, name: RegisteredSchema.Name?)] {
        switch reference {
        case .digest(let digest): schemas[digest].map { [($0, $0.names.last)] } ?? []
        case .name(let name, let version):
            schemas.values.flatMap { schema in
                schema.names.filter { $0.name == name && (version == nil || $0.version == version) }
                    .map { (schema, $0) }
            }
        }
    }
}

/// The schemas that the request at hand may name.
struct SchemaScope: Sendable {
    @TaskLocal static var current: SchemaScope?

    let store: SchemaStore
    let owner: String

    /// The schema that a field of the request names.
    ///
    /// - Throws: ``ServiceFault`` where there is none.
    static func find(_ text: String, parameter: String) throws -> (loaded: LoadedSpec, key: String) {
        guard let reference = SchemaStore.Reference(text) else {
            throw ServiceFault.invalid(
                parameter, "'\(parameter)' must be a name, a name with a version such as 'contact@2', or 'sha256:…'")
        }
        guard let found = try look(reference) else {
            throw ServiceFault(
                .badRequest, "schema_not_found", "no schema '\(text)' is registered", kind: .notFound,
                parameter: parameter)
        }
        return found
    }

    /// The schema of a name that need not be one of a registered schema.
    static func registered(_ text: String) throws -> (loaded: LoadedSpec, key: String)? {
        try SchemaStore.Reference(text).flatMap(look)
    }

    private static func look(_ reference: SchemaStore.Reference) throws -> (loaded: LoadedSpec, key: String)? {
        guard let current, let found = try current.store.find(reference, owner: current.owner)?.schema,
            let spec = found.spec
        else { return nil }
        return (spec, found.text)
    }
}
