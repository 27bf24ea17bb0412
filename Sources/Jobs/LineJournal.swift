// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// The results of one job over the lines of a file, kept beside the output until that is complete.
///
///     let journal = try LineJournal(output: "out.jsonl", fingerprint: "…", startsAnew: false)
///     for line in input where !journal.done.contains(line.number) { try journal.record(result(of: line)) }
///     try journal.finish()
///
/// A process may end at any moment: what is recorded stays, and the job goes on from there. The output appears whole.
package final class LineJournal {
    private static let job = "lines"

    private let output: String
    private let path: String
    private let database: JobDatabase
    /// The lines that had a result when the journal was opened.
    package let done: NumberSet

    /// Opens the journal of an output, or begins one.
    ///
    /// - Parameters:
    ///   - fingerprint: Stands for all that results depend on: input, spec, model and options.
    ///   - startsAnew: Whether an earlier journal is given up.
    /// - Throws: ``JobError`` with code `otherJob` where a journal is there with another fingerprint.
    package init(output: String, fingerprint: String, startsAnew: Bool) throws {
        self.output = output
        path = output + ".journal"
        var migrator = DatabaseMigrator()
        migrator.registerMigration("lines") { db in
            try db.execute(sql: "CREATE TABLE job (fingerprint TEXT NOT NULL)")
            try LineTable.create(db)
        }
        do {
            database = try JobDatabase(path: path, putsAside: false, migrator: migrator)
        } catch {
            guard (error as? JobError)?.code == .damaged else { throw error }
            throw JobError(.damaged, "the journal '\(path)' is damaged: remove it to begin anew")
        }
        done = try database.write { [path] db in
            let known = try String.fetchOne(db, sql: "SELECT fingerprint FROM job")
            if known == nil || startsAnew {
                try db.execute(sql: "DELETE FROM job")
                try LineTable.remove(db, job: Self.job)
                try db.execute(sql: "INSERT INTO job VALUES (?)", arguments: [fingerprint])
            } else if known != fingerprint {
                throw JobError(
                    .otherJob,
                    "'\(path)' holds results of another input, schema, model or other options")
            }
            return try LineTable.numbers(db, job: Self.job)
        }
    }

    /// Stores a result. It is there whatever happens to the process afterwards.
    package func record(_ result: LineResult) throws {
        try database.write { try LineTable.record($0, job: Self.job, result) }
    }

    package func counts() throws -> LineCounts {
        try database.read { try LineTable.counts($0, job: Self.job) }
    }

    /// Writes the output in the order of the lines, and removes the journal.
    package func finish() throws {
        let file = try FileOutput(path: output)
        try database.read { db in
            try LineTable.forEach(db, job: Self.job) { try file.write(line: $0.text) }
        }
        try file.finish()
        database.close()
        for suffix in ["", "-wal", "-shm", ".lock"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
}
