// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// A SQLite database that one process uses, with a write-ahead log.
///
/// Whatever is committed survives the end of the process at any moment. After a loss of power the last moments may be
/// missing, never a part of a commit.
final class JobDatabase: Sendable {
    private let pool: DatabasePool
    private let lock: FileLock
    /// Where a damaged database was put aside, or nil.
    let putAside: String?

    /// Opens a database, or makes one.
    ///
    /// - Parameter putsAside: Whether a damaged database is renamed and a new one begun; otherwise that is an error.
    /// - Throws: ``JobError``.
    init(path: String, putsAside: Bool, migrator: DatabaseMigrator) throws {
        lock = try FileLock(path: path + ".lock")
        do {
            pool = try Self.open(path, migrator)
            putAside = nil
        } catch {
            let failure = JobError(error, "'\(path)'")
            guard putsAside, failure.code == .damaged else { throw failure }
            let stamp = Int(Date().timeIntervalSince1970)
            let aside = path + ".damaged-\(stamp)"
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                do {
                    try FileManager.default.moveItem(atPath: path + suffix, toPath: aside + suffix)
                } catch {
                    throw JobError(error, "a damaged database cannot be put aside")
                }
            }
            do {
                pool = try Self.open(path, migrator)
            } catch {
                throw JobError(error, "'\(path)'")
            }
            putAside = aside
        }
    }

    private static func open(_ path: String, _ migrator: DatabaseMigrator) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            // Stored text cannot make the schema do what it should not.
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.read { db in
            let answer = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            guard answer == "ok" else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: answer ?? "the check gave no answer")
            }
        }
        try migrator.migrate(pool)
        return pool
    }

    func read<T>(_ body: (Database) throws -> T) throws -> T {
        do {
            return try pool.read(body)
        } catch {
            throw JobError(error, "cannot read stored jobs")
        }
    }

    func write<T>(_ body: (Database) throws -> T) throws -> T {
        do {
            return try pool.write(body)
        } catch {
            throw JobError(error, "cannot store jobs")
        }
    }

    /// Closes the database, so that its files can be removed.
    func close() { try? pool.close() }
}

/// The results of jobs' lines: one row per line that is done.
///
/// The key is job and number, so that no line has two results.
enum LineTable {
    static func create(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE line (
                    job TEXT NOT NULL, number INTEGER NOT NULL, failed INTEGER NOT NULL, result TEXT NOT NULL,
                    PRIMARY KEY (job, number)
                ) WITHOUT ROWID
                """)
    }

    /// Stores a result; the first one of a line stays.
    static func record(_ db: Database, job: String, _ result: LineResult) throws {
        try db.execute(
            sql: "INSERT INTO line VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            arguments: [job, result.number, result.hasFailed, result.text])
    }

    static func counts(_ db: Database, job: String) throws -> LineCounts {
        let row = try Row.fetchOne(
            db, sql: "SELECT COUNT(*) AS done, COALESCE(SUM(failed), 0) AS failed FROM line WHERE job = ?",
            arguments: [job])
        return LineCounts(done: row?["done"] ?? 0, failed: row?["failed"] ?? 0)
    }

    static func numbers(_ db: Database, job: String) throws -> NumberSet {
        var set = NumberSet()
        let cursor = try Int.fetchCursor(
            db, sql: "SELECT number FROM line WHERE job = ? ORDER BY number", arguments: [job])
        while let number = try cursor.next() { set.append(number) }
        return set
    }

    static func forEach(_ db: Database, job: String, _ body: (LineResult) throws -> Void) throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT number, failed, result FROM line WHERE job = ? ORDER BY number", arguments: [job])
        while let row = try rows.next() {
            try body(LineResult(number: row["number"], hasFailed: row["failed"], text: row["result"]))
        }
    }

    static func remove(_ db: Database, job: String) throws {
        try db.execute(sql: "DELETE FROM line WHERE job = ?", arguments: [job])
    }
}

/// What came of a line.
package struct LineResult: Sendable, Hashable {
    /// The line's number in the input, counted from 1.
    package var number: Int
    package var hasFailed: Bool
    /// A line of JSON.
    package var text: String

    package init(number: Int, hasFailed: Bool, text: String) {
        self.number = number
        self.hasFailed = hasFailed
        self.text = text
    }
}

/// How far a job is.
package struct LineCounts: Sendable, Hashable {
    /// Lines with a result, failed ones among them.
    package var done = 0
    package var failed = 0

    package init(done: Int = 0, failed: Int = 0) {
        self.done = done
        self.failed = failed
    }
}

/// Numbers in ascending order, kept as ranges.
package struct NumberSet: Sendable, Hashable {
    private var ranges: [ClosedRange<Int>] = []
    /// How many there are.
    package private(set) var count = 0

    package init() {}

    /// Adds a number above all others.
    mutating func append(_ number: Int) {
        if let last = ranges.last {
            guard number > last.upperBound else { return }
            if number == last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...number
                count += 1
                return
            }
        }
        ranges.append(number...number)
        count += 1
    }

    /// Complexity: logarithmic in the number of ranges.
    package func contains(_ number: Int) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(number)
    }
}
