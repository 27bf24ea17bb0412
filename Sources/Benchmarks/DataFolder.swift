// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Data for a benchmark: a folder, or a `.tar.gz` of one.
enum DataFolder {
    /// Calls `body` with the folder; an archive is unpacked for as long as that takes.
    ///
    /// - Throws: ``SuiteBench/SuiteError`` if there is nothing at the path or it cannot be unpacked.
    static func open<Result>(_ path: String, _ body: (String) throws -> Result) throws -> Result {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw SuiteBench.SuiteError("'\(path)' does not exist")
        }
        if isDirectory.boolValue { return try body(path) }
        let temporary = FileManager.default.temporaryDirectory
            .appendingPathComponent("formwork-data-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: temporary) }
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-xzf", path, "-C", temporary.path]
        try tar.run()
        tar.waitUntilExit()
        guard tar.terminationStatus == 0 else {
            throw SuiteBench.SuiteError("'\(path)' cannot be unpacked with tar")
        }
        return try body(temporary.path)
    }
}
