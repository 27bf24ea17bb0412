// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// Files and batches in a folder: a database, and a file for each file.
///
/// Every change is a transaction. A process may end between any two of them, and the next one goes on: results of lines
/// are rows, so that no line has two; output files are written from the rows under a name that the batch determines, and
/// take their place in the same transaction that ends the batch.
package final class BatchStore: Sendable {
    private let folder: URL
    private let files: URL
    private let database: JobDatabase
    /// The most bytes that all files may take together.
    private let byteLimit: Int
    /// Where a damaged database was put aside when the store was opened, or nil.
    package var putAside: String? { database.putAside }

    /// Opens the store of a folder, which is made where it is missing.
    ///
    /// - Throws: ``JobError``; `inUse` where another process has it.
    package init(folder: String, byteLimit: Int) throws {
        self.folder = URL(fileURLWithPath: folder, isDirectory: true)
        self.byteLimit = byteLimit
        files = self.folder.appendingPathComponent("files", isDirectory: true)
        do {
            try FileManager.default.createDirectory(
                at: files, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw JobError(.unavailable, "the folder '\(folder)' cannot be made: \(error.localizedDescription)")
        }
        var migrator = DatabaseMigrator()
        migrator.registerMigration("batches") { db in
            try db.execute(
                sql: """
                    CREATE TABLE file (
                        id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, purpose TEXT NOT NULL,
                        bytes INTEGER NOT NULL, created INTEGER NOT NULL
                    );
                    CREATE TABLE batch (
                        id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL, endpoint TEXT NOT NULL, inputFile TEXT NOT NULL,
                        window TEXT NOT NULL, metadata TEXT, status TEXT NOT NULL, ending TEXT, total INTEGER NOT NULL,
                        done INTEGER NOT NULL, failed INTEGER NOT NULL, outputFile TEXT, errorFile TEXT,
                        problems TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, begun INTEGER,
                        finalizing INTEGER, cancelling INTEGER, ended INTEGER
                    );
                    """)
            try LineTable.create(db)
        }
        database = try JobDatabase(
            path: self.folder.appendingPathComponent("batches.sqlite").path, putsAside: true, migrator: migrator)
        try removeStrangers()
    }

    /// Files that have no row are the remains of uploads and results that were not finished.
    ///
    /// Where a damaged database was put aside they are all that is left, and stay.
    private func removeStrangers() throws {
        guard database.putAside == nil else { return }
        let known = try database.read { Set(try String.fetchAll($0, sql: "SELECT id FROM file")) }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: files.path)) ?? []
        let batches = try database.read { try Batch.fetchCount($0) }
        // A database that is new beside files that are not: it was taken away, and the files are someone's.
        guard batches > 0 || !known.isEmpty else { return }
        for name in names where !known.contains(name) {
            try? FileManager.default.removeItem(at: files.appendingPathComponent(name))
        }
    }

    private static func now() -> Int { Int(Date().timeIntervalSince1970) }

    private static func token() -> String {
        var text = ""
        for _ in 0..<3 {
            let part = String(UInt64.random(in: 0 ... .max), radix: 36)
            text += String(repeating: "0", count: max(0, 13 - part.count)) + part
        }
        return String(text.prefix(28))
    }

    // MARK: Files

    /// A file that is being stored.
    package final class Upload {
        package let id: String
        fileprivate let output: FileOutput

        fileprivate init(id: String, output: FileOutput) {
            self.id = id
            self.output = output
        }

        package func write(_ bytes: some Sequence<UInt8>) throws { try output.write(bytes) }

        /// Bytes so far.
        package var count: Int { output.count }
    }

    /// Begins to store a file. What is not passed to ``finish(_:owner:name:purpose:)`` is removed.
    ///
    /// - Throws: ``JobError`` with code `full` where all files together have reached the limit.
    package func beginFile() throws -> Upload {
        let taken = try database.read { try Int.fetchOne($0, sql: "SELECT COALESCE(SUM(bytes), 0) FROM file") ?? 0 }
        guard taken < byteLimit else {
            throw JobError(.full, "stored files take \(taken) of \(byteLimit) bytes: delete some")
        }
        let id = "file-" + Self.token()
        return Upload(id: id, output: try FileOutput(path: path(id)))
    }

    package func finish(_ upload: Upload, owner: String, name: String, purpose: String) throws -> StoredFile {
        try upload.output.finish()
        let file = StoredFile(
            id: upload.id, owner: owner, name: name, purpose: purpose, bytes: upload.count, created: Self.now())
        try database.write { try file.insert($0) }
        return file
    }

    private func path(_ id: String) -> String { files.appendingPathComponent(id).path }

    /// - Throws: ``JobError`` with code `notFound`.
    package func file(_ id: String, owner: String) throws -> StoredFile {
        let file = try database.read { try StoredFile.fetchOne($0, key: id) }
        guard let file, file.owner == owner else { throw JobError(.notFound, "there is no file '\(id)'") }
        return file
    }

    /// Where the content of a file is.
    package func path(of file: StoredFile) -> String { path(file.id) }

    /// Where the input of a batch is.
    package func inputPath(_ batch: Batch) -> String { path(batch.inputFile) }

    /// An owner's files, the newest first.
    package func files(owner: String, purpose: String?, after: String?, limit: Int) throws -> [StoredFile] {
        try database.read { db in
            var request = StoredFile.filter(Column("owner") == owner)
            if let purpose { request = request.filter(Column("purpose") == purpose) }
            return try Self.page(db, request, after: after, limit: limit)
        }
    }

    private static func page<Record: FetchableRecord & TableRecord>(
        _ db: Database, _ request: QueryInterfaceRequest<Record>, after: String?, limit: Int
    ) throws -> [Record] {
        var request = request.order(Column.rowID.desc).limit(limit)
        if let after {
            let place = try Int64.fetchOne(
                db, sql: "SELECT rowid FROM \(Record.databaseTableName) WHERE id = ?", arguments: [after])
            request = request.filter(Column.rowID < (place ?? 0))
        }
        return try request.fetchAll(db)
    }

    /// Removes a file.
    ///
    /// - Throws: ``JobError``: `notFound`, or `conflict` where a batch reads it.
    package func removeFile(_ id: String, owner: String) throws {
        try database.write { db in
            guard let file = try StoredFile.fetchOne(db, key: id), file.owner == owner else {
                throw JobError(.notFound, "there is no file '\(id)'")
            }
            let readers = try Batch.filter(Column("inputFile") == id).fetchAll(db)
            if let reader = readers.first(where: { !$0.status.isFinal }) {
                throw JobError(.conflict, "the file is the input of the batch '\(reader.id)': cancel that first")
            }
            try file.delete(db)
        }
        try? FileManager.default.removeItem(atPath: path(id))
    }

    // MARK: Batches

    /// Begins a batch; its input is checked later.
    ///
    /// - Throws: ``JobError``: `notFound` for the input.
    package func createBatch(
        owner: String, endpoint: String, inputFile: String, window: (text: String, seconds: Int), metadata: String?
    ) throws -> Batch {
        let now = Self.now()
        let batch = Batch(
            id: "batch_" + Self.token(), owner: owner, endpoint: endpoint, inputFile: inputFile, window: window.text,
            metadata: metadata, status: .validating, created: now, expires: now + window.seconds)
        try database.write { db in
            guard let file = try StoredFile.fetchOne(db, key: inputFile), file.owner == owner else {
                throw JobError(.notFound, "there is no file '\(inputFile)'")
            }
            try batch.insert(db)
        }
        return batch
    }

    /// A batch with the count of its lines now.
    ///
    /// - Throws: ``JobError`` with code `notFound`.
    package func batch(_ id: String, owner: String) throws -> Batch {
        let batch = try database.read { try Self.counted($0, try Batch.fetchOne($0, key: id)) }
        guard let batch, batch.owner == owner else { throw JobError(.notFound, "there is no batch '\(id)'") }
        return batch
    }

    private static func counted(_ db: Database, _ batch: Batch?) throws -> Batch? {
        guard var batch, !batch.status.isFinal else { return batch }
        let counts = try LineTable.counts(db, job: batch.id)
        (batch.done, batch.failed) = (counts.done, counts.failed)
        return batch
    }

    /// An owner's batches, the newest first.
    package func batches(owner: String, after: String?, limit: Int) throws -> [Batch] {
        try database.read { db in
            try Self.page(db, Batch.filter(Column("owner") == owner), after: after, limit: limit)
                .compactMap { try Self.counted(db, $0) }
        }
    }

    /// Batches of all owners on which something is left to do, the oldest first.
    package func openBatches() throws -> [Batch] {
        try database.read { db in
            let open: [Batch.Status] = [.validating, .inProgress, .finalizing, .cancelling]
            return try Batch.filter(open.map(\.rawValue).contains(Column("status"))).order(Column.rowID).fetchAll(db)
        }
    }

    /// Ends a batch early. Results that are there are kept.
    ///
    /// - Throws: ``JobError``: `notFound`, or `conflict` where it has ended.
    package func cancel(_ id: String, owner: String) throws -> Batch {
        try database.write { db in
            guard var batch = try Batch.fetchOne(db, key: id), batch.owner == owner else {
                throw JobError(.notFound, "there is no batch '\(id)'")
            }
            switch batch.status {
            case .validating, .inProgress:
                batch.status = .cancelling
                batch.ending = .cancelled
                batch.cancelling = Self.now()
                try batch.update(db)
            case .cancelling, .cancelled: break
            case .finalizing, .completed, .expired, .failed:
                throw JobError(.conflict, "the batch is \(batch.status.rawValue) and cannot be cancelled")
            }
            return try Self.counted(db, batch) ?? batch
        }
    }

    /// The input is wrong: nothing will be done.
    package func fail(_ id: String, _ problems: [Batch.Problem]) throws {
        try update(id, from: [.validating]) {
            $0.status = .failed
            $0.problems = problems
            $0.ended = Self.now()
        }
    }

    /// The input is checked: lines can be worked on.
    package func begin(_ id: String, total: Int) throws {
        try update(id, from: [.validating]) {
            $0.status = .inProgress
            $0.total = total
            $0.begun = Self.now()
        }
    }

    /// No more lines are begun; what is left is writing the results.
    package func finalize(_ id: String, as ending: Batch.Status) throws {
        try update(id, from: [.inProgress, .validating]) {
            $0.status = .finalizing
            $0.ending = ending
            $0.finalizing = Self.now()
        }
    }

    /// Changes a batch that has one of some states; otherwise something else was faster, and nothing is changed.
    private func update(_ id: String, from: Set<Batch.Status>, _ change: (inout Batch) -> Void) throws {
        try database.write { db in
            guard var batch = try Batch.fetchOne(db, key: id), from.contains(batch.status) else { return }
            change(&batch)
            try batch.update(db)
        }
    }

    /// Stores what came of a line. A batch that has ended takes no more.
    package func record(_ id: String, _ result: LineResult) throws {
        try database.write { db in
            guard let batch = try Batch.fetchOne(db, key: id), !batch.status.isFinal else { return }
            try LineTable.record(db, job: id, result)
        }
    }

    /// The lines that have a result.
    package func done(_ id: String) throws -> NumberSet {
        try database.read { try LineTable.numbers($0, job: id) }
    }

    /// Writes the results to files, and ends the batch.
    ///
    /// Lines without a result, of a batch that was cancelled or has expired, get one that says so.
    ///
    /// - Parameter missing: The result of a line without one, by its number; asked in ascending order.
    package func writeResults(_ id: String, missing: (Int) throws -> String) throws {
        guard var batch = try database.read({ try Batch.fetchOne($0, key: id) }), !batch.status.isFinal else { return }
        let base = String(id.dropFirst("batch_".count))
        let names = ["file-results-" + base, "file-errors-" + base]
        let outputs = [try FileOutput(path: path(names[0])), try FileOutput(path: path(names[1]))]
        var counts = LineCounts()
        let total = batch.total
        try database.read { db in
            var next = 1
            func fill(upTo end: Int) throws {
                while next < end {
                    try outputs[1].write(line: try missing(next))
                    next += 1
                }
            }
            try LineTable.forEach(db, job: id) { result in
                try fill(upTo: result.number)
                try outputs[result.hasFailed ? 1 : 0].write(line: result.text)
                next = result.number + 1
                counts.done += 1
                counts.failed += result.hasFailed ? 1 : 0
            }
            try fill(upTo: total + 1)
        }
        var stored: [StoredFile] = []
        for (index, output) in outputs.enumerated() where output.count > 0 {
            try output.finish()
            stored.append(
                StoredFile(
                    id: names[index], owner: batch.owner,
                    name: id + (index == 0 ? "_output.jsonl" : "_error.jsonl"), purpose: "batch_output",
                    bytes: output.count, created: Self.now()))
        }
        batch.status = batch.ending ?? .completed
        (batch.done, batch.failed) = (counts.done, counts.failed)
        batch.outputFile = outputs[0].count > 0 ? names[0] : nil
        batch.errorFile = outputs[1].count > 0 ? names[1] : nil
        batch.ended = Self.now()
        let ended = batch
        try database.write { db in
            for file in stored { try file.upsert(db) }
            try ended.update(db)
            try LineTable.remove(db, job: id)
        }
    }
}
