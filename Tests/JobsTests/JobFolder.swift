// SPDX-License-Identifier: Apache-2.0

import Foundation
import Jobs

/// A folder for the time of a test.
final class JobFolder {
    let url: URL
    var path: String { url.path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("jobs-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func store() throws -> BatchStore { try BatchStore(folder: path, byteLimit: 1 << 20) }

    func text(_ name: String) -> String {
        (try? String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }
}

extension BatchStore {
    /// Stores a file.
    func add(_ text: String, owner: String = "") throws -> StoredFile {
        let upload = try beginFile()
        try upload.write(text.utf8)
        return try finish(upload, owner: owner, name: "input.jsonl", purpose: "batch")
    }

    /// Begins a batch over `lines` lines.
    func begin(lines: Int, owner: String = "") throws -> Batch {
        let file = try add(String(repeating: "{}\n", count: lines), owner: owner)
        let batch = try createBatch(
            owner: owner, endpoint: "/v1/transform", inputFile: file.id, window: ("24h", 86_400), metadata: nil)
        try begin(batch.id, total: lines)
        return batch
    }

    func content(_ id: String?, owner: String = "") throws -> [String] {
        guard let id else { return [] }
        let text = try String(contentsOfFile: path(of: file(id, owner: owner)), encoding: .utf8)
        return text.split(separator: "\n").map(String.init)
    }
}
